package search

import (
	"context"
	"fmt"
	"os"
	"testing"
	"time"

	"tocsin/internal/disk"
	"tocsin/internal/intake"
	"tocsin/internal/record"
	"tocsin/internal/shelf"
)

// oldLines are the lines on the shelf in testdata/old, which an earlier program made: its columns have no index.
func oldLines(n int) (lines []shelf.Line) {
	begin := time.Date(2026, 11, 10, 8, 0, 0, 0, time.UTC)
	for i := range n {
		at := begin.Add(time.Duration(i) * 5 * time.Second)
		file, raw := "/var/log/nginx/access.log", fmt.Sprintf(`203.0.113.%d - %s [%s] "GET /p/%d?q=%d HTTP/1.1" %d %d "-" "Mozilla/5.0" rt=0.%03d`, i%9, []string{"-", "anna", "Bob"}[i%3], at.Format("02/Jan/2006:15:04:05 -0700"), i%40, i, 200+i%3*102, i*37, i%1000)
		if i%5 == 0 {
			file, raw = "/srv/app/app.jsonl", fmt.Sprintf(`{"time":"%s","event":"login","user":"%s","ip":"198.51.100.%d","ok":%v,"session":"s%d","cart":%d.5}`, at.Format(time.RFC3339), []string{"anna", "carl"}[i%2], i%7, i%2 == 0, i%20, i%9)
		}
		lines = append(lines, shelf.Line{Line: record.Line{Host: []string{"", "shop2"}[i%2], File: file, Offset: int64(i) * 200, Seq: int64(i + 1), Raw: raw}, Received: at.Add(time.Second).UnixNano()})
	}
	return lines
}

// Given a shelf of an earlier program, when it is searched, also with lines that came after, then every answer is that of reading every line, and
// it stays as it was.
func TestSearchOfAnOldShelf(t *testing.T) {
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("testdata/old")); err != nil {
		t.Fatal(err)
	}
	l, err := disk.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	p := newParser(t)
	h := &house{}
	h.shelf, _, err = shelf.Open(l, "shelf", shelf.Options{Parser: shelf.Parser{Parse: parts(p), Save: p.Snapshot, Restore: p.Restore}})
	if err != nil {
		t.Fatal(err)
	}
	const old, more = 400, 300
	lines := oldLines(old + more)
	naive := newParser(t)
	for i := range lines {
		for r := range parts(naive)(lines[i].Line, time.Unix(0, lines[i].Received)) {
			h.records = append(h.records, r.Clone())
		}
	}
	all := h.records
	h.s = New(Options{Shelf: h.shelf, Views: newParser(t).Views, Network: intake.Network, Parts: intake.Parts})
	defer h.s.Close()
	h.records = all[:old]
	nth := 1
	if raced {
		nth = 8
	}
	for _, text := range queries(t, nth) {
		h.same(t, text)
	}
	for some := old; some < old+more; some += more / 3 {
		if _, err := h.shelf.Seal(context.Background(), int64(some+more/3), func(yield func([]shelf.Line, error) bool) { yield(lines[some:some+more/3], nil) }); err != nil {
			t.Fatal(err)
		}
	}
	for range 3 {
		if _, err := h.shelf.Join(context.Background(), time.Unix(1<<33, 0)); err != nil {
			t.Fatal(err)
		}
	}
	h.records = all
	for _, text := range queries(t, 2*nth) {
		h.same(t, text)
	}
	c, err := h.shelf.Verify(context.Background(), nil)
	if err != nil || len(c.Damaged) > 0 || c.Rows != old+more {
		t.Errorf("%+v, %v", c, err)
	}
}
