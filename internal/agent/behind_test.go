package agent

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// Given a log that grows all the time, when lines have to wait anyway, then they go in few batches, and none is missing.
func TestBatchesAreRareWhileLinesWait(t *testing.T) {
	log := filepath.Join(t.TempDir(), "shop.log")
	write(t, log, "begin\n")
	k := newKept()
	o := fast(k, log)
	o.BatchDelay, o.Behind = 20*time.Millisecond, func() bool { return true }
	begun := time.Now()
	_, stop := run(t, o)
	exactly(t, k, log, "begin")
	f, err := os.OpenFile(log, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	const n = 300
	for i := range n {
		time.Sleep(2 * time.Millisecond)
		fmt.Fprintln(f, i)
	}
	until(t, "all is read", func() bool { return len(k.of(log)) == n+1 })
	took := time.Since(begun)
	stop()
	if most := int(took/(200*time.Millisecond)) + 3; k.batches > most { // one of them says that watching began
		t.Errorf("%d batches in %v, want %d at most", k.batches, took, most)
	}
}
