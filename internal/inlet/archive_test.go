package inlet

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tocsin/internal/archive"
	"tocsin/internal/disk"
	"tocsin/internal/record"
)

// Given the archive itself, when a bucket is read while the program is stopped again and again, and requests with keys are repeated after
// each start, then each line is in the archive once, and it says since when the bucket is watched.
func TestArchive(t *testing.T) {
	s := light(t, nil)
	var want []string
	for i := range 30 {
		var text strings.Builder
		for j := range 700 {
			want = append(want, fmt.Sprintf("object %d line %d", i, j))
			fmt.Fprintln(&text, want[len(want)-1])
		}
		s.put(t, fmt.Sprintf("k%02d", i), text.String(), time.Now().Add(time.Duration(i-100)*time.Second))
	}
	layer, err := disk.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	inArchive := func(a *archive.Archive) (lines []record.Line) {
		for at := a.First(); at <= a.Last(); {
			blocks, err := a.Read(at, 10_000)
			if err != nil {
				t.Fatal(err)
			}
			for _, b := range blocks {
				lines = append(lines, b.Lines...)
				at = b.First + int64(len(b.Lines))
			}
		}
		return lines
	}
	started := time.Time{}
	for start := 0; ; start++ {
		a, _, err := archive.Open(layer, "archive", archive.Options{})
		if err != nil {
			t.Fatal(err)
		}
		o := s.options(t, newKept())
		ctx, cancel := context.WithCancel(t.Context())
		var kept atomic.Int64
		o.Append = func(b record.Batch) (record.Receipt, error) {
			r, err := a.Append(b)
			if kept.Add(1) == 5 {
				cancel()
			}
			return r, err
		}
		o.Start = a.Positions("")
		b, err := NewBucket(quietLog(), o)
		if err != nil {
			t.Fatal(err)
		}
		done := make(chan error, 1)
		go func() { done <- b.Run(ctx) }()
		h, url := web(t, HTTPOptions{Append: a.Append})
		for _, key := range []string{"uuid-1", "boot/1", "boot/2"} {
			if status, answer, _ := post(t, url+"/in/lines", key, "Idempotency-Key: "+key); status != 200 {
				t.Fatalf("%d %s", status, answer)
			}
		}
		if c := countOf(h.Counts(), httpLines); c.Lines != 3 {
			t.Errorf("%+v", c)
		}
		whole := len(want) + 3
		until(t, "the start has done its part", func() bool { return ctx.Err() != nil || len(inArchive(a)) >= whole })
		cancel()
		<-done
		at, ok := a.StartedAt("", "s3:alb")
		if !ok || !started.IsZero() && !at.Equal(started) {
			t.Errorf("the bucket is watched since %s, before it was %s", at, started)
		}
		started = at
		lines := inArchive(a)
		if err := a.Close(); err != nil {
			t.Fatal(err)
		}
		if start > 50 {
			t.Fatalf("after %d starts there are %d lines", start, len(lines))
		}
		if len(lines) < whole {
			continue
		}
		var got []string
		for _, l := range lines {
			if l.File == "s3:alb" {
				got = append(got, l.Raw)
			}
		}
		if d := cmp.Diff(want, got); d != "" || len(lines) != whole {
			t.Errorf("%d lines, want %d: %.500s", len(lines), whole, d)
		}
		return
	}
}
