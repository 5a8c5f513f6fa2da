package cli

import (
	"context"
	"os"
	"runtime/debug"
	"time"
)

// From how many bytes on the memory is cleaned up more eagerly, unless GOMEMLIMIT says another number: a server shall stay below 400 MB with 10,000 incidents and
// 100,000 alerts, and below 512 MB while lines come as fast as they can. What the system counts has the program's own file besides, some 40 MB.
const (
	MemoryLimit = 330 << 20
	memoryMost  = 430 << 20
)

// How often is looked whether lines wait, and for how long none must have waited.
const (
	memoryTick = time.Second
	memoryCalm = 30 * time.Second
)

// TendMemory sets MemoryLimit, and more while late says that lines wait to be read: near to the limit, cleaning up takes the processors that they need. It returns when ctx ends. With
// GOMEMLIMIT it does nothing.
func TendMemory(ctx context.Context, late func() bool) {
	if os.Getenv("GOMEMLIMIT") != "" {
		return
	}
	tick := time.NewTicker(memoryTick)
	defer tick.Stop()
	limit, waited := debug.SetMemoryLimit(-1), time.Time{}
	for {
		want := int64(MemoryLimit)
		if late() {
			waited = time.Now()
		}
		if !waited.IsZero() && time.Since(waited) < memoryCalm {
			want = memoryMost
		}
		if want != limit {
			debug.SetMemoryLimit(want)
			limit = want
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}
