package desk

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"tocsin/internal/archive"
	"tocsin/internal/disk"
	"tocsin/internal/entry"
	"tocsin/internal/record"
	"tocsin/internal/search"
	"tocsin/internal/shelf"
)

// manyLines appends n requests, a hundred to a batch; each hundredth is evil.
func (h *house) manyLines(d *Desk, from, n int) {
	h.t.Helper()
	at := time.Now().UTC().Truncate(time.Second)
	for b := from; b < from+n; b += 100 {
		var lines []record.Line
		for i := b; i < b+100; i++ {
			path := fmt.Sprintf("/p/%d", i)
			if i%100 == 99 {
				path = fmt.Sprintf("/evil/%d", i)
			}
			lines = append(lines, record.Line{File: "/var/log/access.log", Offset: int64(i), Raw: request(at, fmt.Sprintf("198.51.%d.%d", i/250%250, i%250), path)})
		}
		if _, err := d.archive.Append(record.Batch{Received: time.Now(), Lines: lines, Start: b == 0}); err != nil {
			h.t.Fatal(err)
		}
	}
}

// asked counts the lines that a query finds.
func (h *house) asked(d *Desk, text string) search.Result {
	h.t.Helper()
	q, err := ParseQuery(text, time.UTC)
	if err != nil {
		h.t.Fatal(err)
	}
	out, err := d.Search(context.Background(), Local("test"), q, nil)
	if err != nil {
		h.t.Fatal(err)
	}
	return out
}

// until waits.
func (h *house) until(what string, ok func() bool) {
	h.t.Helper()
	for range 400 {
		if ok() {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	h.t.Fatalf("%s did not come; the log:\n%s", what, h.logged())
}

// Given lines that detection has read, when segments of the write-ahead log are complete, then they go to the shelf, the ledger says so, and every line is
// found once, before and after a restart, also when what detection knew is lost.
func TestLinesGoToTheShelf(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.o.LogBytes = 3000
	d, stop := h.start()
	h.manyLines(d, 0, 3000)
	h.until("the shelf", func() bool { return d.shelf.Through() > 2000 && d.archive.First() > 2000 })
	check := func(d *Desk, n int) {
		t.Helper()
		if got := h.asked(d, "| count"); got.Matched != int64(n) || got.Cut != "" {
			t.Fatalf("%d lines are found of %d: %+v", got.Matched, n, got.Scanned)
		}
		if got := h.asked(d, "ip=198.51.3.7 | fields url"); got.Matched != 1 || got.Rows[0][0].Text != "/p/757" {
			t.Fatalf("one line: %+v", got)
		}
		if got := h.asked(d, "path=/evil/* | top status"); got.Matched != int64(n/100) {
			t.Fatalf("%d evil ones: %+v", n/100, got)
		}
		next := int64(1)
		for next <= int64(n) {
			blocks, _, err := d.readLines(next, 70)
			if err != nil || len(blocks) == 0 {
				t.Fatalf("line %d: %v", next, err)
			}
			for _, b := range blocks {
				for i, l := range b.Lines {
					if l.Seq != next || b.First+int64(i) != next || l.Offset != next-1 {
						t.Fatalf("line %d is %d of block %d, at %d", next, l.Seq, b.First, l.Offset)
					}
					next++
				}
			}
		}
	}
	check(d, 3000)
	if n := h.entries(d)[entry.LinesSealed]; n == 0 {
		t.Error("the ledger does not say that lines were sealed")
	}
	alerts := h.entries(d)[entry.AlertRaised]
	stop()

	d, stop = h.start()
	check(d, 3000)
	h.manyLines(d, 3000, 1000)
	h.until("the rest", func() bool { return d.shelf.Through() > 3300 })
	check(d, 4000)
	stop()

	// What detection knew is lost: it reads again from the shelf, silently.
	if err := h.data.Remove(readerFile); err != nil {
		t.Fatal(err)
	}
	before := 0
	d, stop = h.start()
	before = h.entries(d)[entry.AlertRaised]
	h.until("reading again", func() bool { return d.Reading().Lag() == 0 })
	if n := h.entries(d)[entry.AlertRaised]; n != before || before < alerts {
		t.Errorf("%d alerts before, %d after reading again", before, n)
	}
	check(d, 4000)
	stop()
}

// Given a volume whose bytes were changed, when somebody searches, then it is set aside, the ledger says so, and the rest is found.
func TestDamagedVolumeIsSetAside(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.o.LogBytes = 3000
	d, stop := h.start()
	defer func() { stop() }()
	h.manyLines(d, 0, 3000)
	h.until("the shelf", func() bool { return d.shelf.Through() > 2000 && d.archive.First() > 2000 })
	v := d.shelf.View()
	bad := v.Volumes[0]
	v.Close()
	f, err := h.data.OpenFile(shelfDir+"/"+bad.Name+".parquet", os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteAt([]byte(strings.Repeat("x", int(bad.Columns.Size))), 0); err != nil {
		t.Fatal(err)
	}
	_ = f.Close()
	c, err := d.VerifyShelf(context.Background(), Local("test"), nil)
	if err != nil || len(c.Damaged) != 1 {
		t.Fatalf("%+v, %v", c, err)
	}
	if got := h.asked(d, "| count"); got.Matched != int64(3000-bad.Rows) {
		t.Errorf("%d lines are found, %d were lost", got.Matched, bad.Rows)
	}
	if n := h.entries(d)[entry.LinesAside]; n != 1 || len(d.Kept().Aside) != 1 {
		t.Errorf("%d entries, %v", n, d.Kept().Aside)
	}
	if _, err := disk.ReadFile(h.data, shelfDir+"/aside/"+strings.ReplaceAll(bad.Name, "/", "_")+".parquet"); err != nil {
		t.Error(err)
	}
}

// Given volumes that were joined, and again, when each time a crash comes before the ledger says so, then the next start says it, and nothing is missed.
func TestUnsaidJoinsAreSaid(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.o.LogBytes = 1500
	for n := range 4 {
		d, stop := h.start()
		h.until("the entry", func() bool { return h.entries(d)[entry.LinesJoined] == n })
		if n == 3 {
			stop()
			break
		}
		h.manyLines(d, n*1000, 1000)
		h.until("the shelf", func() bool { return d.shelf.Through() > int64(n*1000+500) })
		stop()
		s, _, err := shelf.Open(h.data, shelfDir, shelf.Options{})
		if err != nil {
			t.Fatal(err)
		}
		j, err := s.Join(context.Background(), time.Now().Add(time.Hour))
		if err = errors.Join(err, s.Close()); err != nil || len(j.Gone) == 0 {
			t.Fatalf("time %d: nothing was joined: %v", n, err)
		}
	}
	ledger, err := OpenLedger(h.data, h.keys, "")
	if err != nil {
		t.Fatal(err)
	}
	if v, err := VerifyLines(context.Background(), h.data, ledger, nil); err != nil || len(v.Faults)+len(v.Unsaid) > 0 || v.Named != v.Shelf.Volumes {
		t.Errorf("%+v, %v", v, err)
	}
}

// Given an entry that says volumes expired, and a crash before they did, when the program starts again, then they go, and nothing is said twice.
func TestExpiryIsDoneAfterItsEntry(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.o.LogBytes = 1500
	d, stop := h.start()
	h.manyLines(d, 0, 1000)
	h.until("the shelf", func() bool { return d.shelf.Through() > 500 })
	view := d.shelf.View()
	gone := view.Volumes[0].Name
	view.Close()
	if err := d.writeLines(entry.LinesExpired, entry.Lines{Gone: []string{gone}}); err != nil {
		t.Fatal(err)
	}
	stop()
	d, stop = h.start()
	defer stop()
	h.until("the expiry", func() bool {
		view := d.shelf.View()
		defer view.Close()
		return !hasVolume(view, gone)
	})
	if n := h.entries(d)[entry.LinesExpired]; n != 1 {
		t.Errorf("the ledger says it %d times", n)
	}
}

func TestSmallSegmentsAreSealedTogether(t *testing.T) {
	t.Parallel()
	spans := []archive.Span{{First: 1, Last: 40}, {First: 41, Last: 90}, {First: 91, Last: 130}, {First: 131, Last: 500}, {First: 501, Last: 520}, {First: 530, Last: 540}}
	for _, c := range []struct {
		below int64
		want  []archive.Span
	}{
		{1000, []archive.Span{{First: 1, Last: 90}, {First: 91, Last: 130}, {First: 131, Last: 500}, {First: 501, Last: 540}}},
		{520, []archive.Span{{First: 1, Last: 90}, {First: 91, Last: 130}, {First: 131, Last: 500}}},
		{40, nil},
	} {
		if got := together(spans, c.below, 100); !slices.Equal(got, c.want) {
			t.Errorf("below %d: %v", c.below, got)
		}
	}
}
