package cli

import (
	"context"
	"runtime/debug"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// Given lines that wait to be read, when memory is tended, then there may be more of it, until none waited for a while.
func TestTendMemory(t *testing.T) {
	t.Setenv("GOMEMLIMIT", "")
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(-1))
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		var late atomic.Bool
		go TendMemory(ctx, late.Load)
		for _, x := range []struct {
			late bool
			wait time.Duration
			want int64
		}{{false, 2 * time.Second, MemoryLimit}, {true, 2 * time.Second, memoryMost}, {false, memoryCalm / 2, memoryMost}, {false, memoryCalm, MemoryLimit}} {
			late.Store(x.late)
			time.Sleep(x.wait)
			synctest.Wait()
			if got := debug.SetMemoryLimit(-1); got != x.want {
				t.Errorf("with late %v the limit is %d, not %d", x.late, got, x.want)
			}
		}
	})
	t.Setenv("GOMEMLIMIT", "100MiB")
	before := debug.SetMemoryLimit(-1)
	TendMemory(t.Context(), func() bool { return true })
	if got := debug.SetMemoryLimit(-1); got != before {
		t.Errorf("the owner's limit was changed to %d", got)
	}
}
