//go:build bench

package hub

import (
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"tocsin/internal/archive"
	"tocsin/internal/disk"
)

// TestThousandAgents prints what a hub does with a thousand agents that send at once, each over a connection of its own, into a real archive
// on the real disk.
func TestThousandAgents(t *testing.T) {
	const agents, batches, lines = 1000, 20, 100
	l, err := disk.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	a, _, err := archive.Open(l, "archive", archive.Options{})
	if err != nil {
		t.Fatal(err)
	}
	h := open(t, func(o *Options) { o.Append, o.Positions = a.Append, a.Positions })
	begun := time.Now()
	guests := make([]*guest, agents)
	for i := range guests {
		guests[i] = h.joined(fmt.Sprint("shop", i))
	}
	t.Logf("%d agents joined in %.1f s", agents, time.Since(begun).Seconds())
	text := make([]string, lines)
	for i := range text {
		text[i] = fmt.Sprintf(`203.0.113.%d - - [28/Nov/2026:09:00:%02d +0000] "GET /product/%d HTTP/1.1" 200 %d "-" "%s"`, i, i%60, i*7, i*31, strings.Repeat("Mozilla ", 10))
	}
	frames := make([][]byte, batches) // the same for all: packing is not what is measured
	for n := range frames {
		frames[n] = guests[0].frame(uint64(n+1), "/var/log/nginx/access.log", text...)
	}
	var all sync.WaitGroup
	took := make([][]time.Duration, agents)
	begun = time.Now()
	var peak uint64
	stop := make(chan struct{})
	watch := make(chan struct{})
	go func() {
		defer close(watch)
		for {
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			peak = max(peak, m.HeapInuse)
			select {
			case <-stop:
				return
			case <-time.After(200 * time.Millisecond):
			}
		}
	}()
	busy := make([]int, agents)
	for i, g := range guests {
		all.Go(func() {
			for n := range batches {
				frame := frames[n]
				sent := time.Now()
				for {
					status, a := g.send(frame)
					if status == 200 {
						break
					}
					if status != 429 {
						t.Errorf("status %d, %+v", status, a)
						return
					}
					busy[i]++
					time.Sleep(50 * time.Millisecond)
				}
				took[i] = append(took[i], time.Since(sent))
			}
		})
	}
	all.Wait()
	spent := time.Since(begun)
	close(stop)
	<-watch
	every := slices.Concat(took...)
	slices.Sort(every)
	again := 0
	for _, n := range busy {
		again += n
	}
	t.Logf("%d lines in %.1f s: %.0f lines/s; a batch takes %v (p50), %v (p99), with all of them at once; told to come again: %d; heap at most %d MiB, the agents' side included",
		a.Last(), spent.Seconds(), float64(a.Last())/spent.Seconds(), every[len(every)/2].Round(time.Millisecond), every[len(every)*99/100].Round(time.Millisecond), again, peak>>20)
	if a.Last() != agents*batches*lines {
		t.Errorf("%d lines", a.Last())
	}
}
