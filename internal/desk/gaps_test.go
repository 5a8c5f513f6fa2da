package desk

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"tocsin/internal/archive"
	"tocsin/internal/auth"
	"tocsin/internal/entry"
	"tocsin/internal/query"
	"tocsin/internal/record"
	"tocsin/internal/shelf"
)

// toldFrom are the numbers of the lines that Follow tells of from the first on, up to one.
func (h *house) toldFrom(d *Desk, last int64) (numbers []int64) {
	h.t.Helper()
	q, err := ParseQuery("file=*access.log | fields tocsin.line", time.UTC)
	if err != nil {
		h.t.Fatal(err)
	}
	ctx, stop := context.WithTimeout(context.Background(), 20*time.Second)
	defer stop()
	err = d.Follow(ctx, Local("command"), q, 0, func(r query.Result) error {
		n := int64(r.Rows[0][0].Number)
		numbers = append(numbers, n)
		if n >= last {
			stop()
		}
		return nil
	})
	if err != nil {
		h.t.Fatal(err)
	}
	return numbers
}

// later appends batches of a hundred lines, each a segment, while no server runs.
func (h *house) later(batches int) {
	h.t.Helper()
	a, _, err := archive.Open(h.data, archiveDir, archive.Options{SegmentBytes: 100})
	if err != nil {
		h.t.Fatal(err)
	}
	for n := range batches {
		var lines []record.Line
		for i := range 100 {
			lines = append(lines, record.Line{File: "/var/log/access.log", Offset: int64(10_000 + 100*n + i), Raw: request(time.Now(), fmt.Sprintf("192.0.2.%d", i), "/late")})
		}
		if _, err := a.Append(record.Batch{Received: time.Now(), Lines: lines}); err != nil {
			h.t.Fatal(err)
		}
	}
	if err := a.Close(); err != nil {
		h.t.Fatal(err)
	}
}

// Given a volume that cannot be opened, when lines are read in their order, then just its lines are missing: those of the volumes behind it are read.
func TestReadingGoesOnBehindADamagedVolume(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.o.LogBytes, h.o.SealLines = 1000, 100
	d, stop := h.shelved(1500)
	defer stop()
	h.until("volumes", func() bool { return d.Kept().Volumes > 2 })
	view := d.shelf.View()
	bad := *view.Volumes[0]
	view.Close()
	h.flip(shelfDir+"/"+bad.Name+".lines", 0)
	var want []int64
	for n := int64(1); n <= 1500; n++ {
		if n < bad.First || n > bad.Last {
			want = append(want, n)
		}
	}
	if got := h.toldFrom(d, 1500); !slices.Equal(got, want) {
		t.Errorf("%d lines are told, want %d", len(got), len(want))
	}
}

// Given lines that went before they were on the shelf, and older ones that are there, when detection reads all of them again, then it passes over the
// gap, and does not go back.
func TestReadingGoesOnBehindAGap(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	_, stop := h.shelved(900)
	stop()
	h.later(5)
	segments, err := h.data.ReadDir(archiveDir)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(h.data.Remove(archiveDir+"/"+segments[0].Name()), h.data.Remove(readerFile)); err != nil {
		t.Fatal(err)
	}
	d, stop := h.start()
	defer stop()
	first, through := d.archive.First(), d.shelf.Through()
	if first <= through+1 || first > 1300 {
		t.Fatalf("there is no gap: the log begins at %d, the shelf ends at %d", first, through)
	}
	h.until("reading again", func() bool { return d.Reading().Lag() == 0 })
	got := h.toldFrom(d, 1400)
	if want := int(through + 1400 - first + 1); len(got) != want || !slices.IsSorted(got) {
		t.Errorf("%d lines are told, want %d", len(got), want)
	}
}

// Given a damaged volume that two searches found at the same time, or one that was joined meanwhile, when it is set aside, then the ledger says it once, or not
// at all.
func TestDamageIsSaidOnce(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.o.LogBytes, h.o.SealLines = 1000, 100
	d, stop := h.shelved(900)
	defer stop()
	h.until("volumes", func() bool { return d.Kept().Volumes > 1 })
	view := d.shelf.View()
	bad, gone := view.Volumes[0], *view.Volumes[1]
	defer view.Close()
	gone.Name = "gone"
	for range 2 {
		d.damaged(&shelf.DamageError{Volume: bad, Why: "a test"})
		d.damaged(&shelf.DamageError{Volume: &gone, Why: "a test"})
	}
	if n := h.entries(d)[entry.LinesAside]; n != 1 {
		t.Errorf("the ledger says it %d times", n)
	}
}

// Given a volume that was set aside, and a crash before the ledger said so, when the program starts again, then it is said, once, and verifying finds nothing else.
func TestUnsaidDamageIsSaid(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	_, stop := h.shelved(900)
	stop()
	s, _, err := shelf.Open(h.data, shelfDir, shelf.Options{})
	if err != nil {
		t.Fatal(err)
	}
	view := s.View()
	bad := view.Volumes[0]
	view.Close()
	_, err = s.SetAside(bad, "a test")
	if err = errors.Join(err, s.Close()); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		d, stop := h.start()
		h.until("the entry", func() bool {
			return h.entries(d)[entry.LinesAside] == 1 && slices.Equal(d.Kept().Aside, []string{bad.Name})
		})
		stop()
	}
	ledger, err := OpenLedger(h.data, h.keys, "")
	if err != nil {
		t.Fatal(err)
	}
	if v, err := VerifyLines(context.Background(), h.data, ledger, nil); err != nil || len(v.Faults)+len(v.Unsaid) > 0 || len(v.Aside) != 1 || !strings.Contains(v.Aside[0].Why, "a test") {
		t.Errorf("%+v, %v", v, err)
	}
}

// Given a disk that is too full for more volumes, when some are old, then they go all the same: that makes room.
func TestExpiryOnAFullDisk(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	d, stop := h.shelved(900)
	stop()
	h.later(1) // what is to be sealed
	h.o.Reserve, h.o.Keeps = math.MaxUint64, []shelf.Keep{{Bytes: 1}}
	through := d.shelf.Through()
	d, stop = h.start()
	defer stop()
	h.until("the expiry", func() bool { return d.Kept().Volumes == 0 })
	if d.shelf.Through() != through {
		t.Error("lines were sealed on a full disk")
	}
}

// Given lines long before an incident that were attached to it, when it is held, then they are kept beyond their time, and others of their age are not.
func TestAttachedLinesOfAHeldIncidentAreKept(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.o.LogBytes = 3000
	d, stop := h.start()
	defer stop()
	at := time.Now().UTC().Add(-60 * 24 * time.Hour)
	for day := range 3 {
		var lines []record.Line
		for i := range 100 {
			lines = append(lines, record.Line{File: "/var/log/access.log", Offset: int64(100*day + i), Raw: request(at.Add(time.Duration(day)*24*time.Hour), "192.0.2.1", "/old")})
		}
		if _, err := d.archive.Append(record.Batch{Received: time.Now(), Lines: lines, Start: day == 0}); err != nil {
			t.Fatal(err)
		}
	}
	h.manyLines(d, 300, 900)
	h.until("the shelf", func() bool { return d.shelf.Through() > 600 })
	h.until("an incident", func() (is bool) {
		d.Read(func(s *State) { is = len(s.Incidents.Incidents) > 0 })
		return is
	})
	anna := auth.Actor{Name: "person:anna", ID: "anna", Roles: []string{"commander"}}
	ctx := context.Background()
	if _, err := d.Attach(ctx, anna, 1, []int64{150}); err != nil {
		t.Fatal(err)
	}
	if err := d.Hold(anna, 1, "a test"); err != nil {
		t.Fatal(err)
	}
	d.o.Keeps = []shelf.Keep{{Bytes: 1}}
	kept := func(n int64) bool {
		t.Helper()
		_, err := d.Line(ctx, anna, n)
		_, missing := errors.AsType[MissingLine](err)
		if err != nil && !missing {
			t.Fatal(err)
		}
		return err == nil
	}
	if err := d.expireShelf(time.Now()); err != nil {
		t.Fatal(err)
	}
	if !kept(150) || kept(50) || kept(250) || !kept(500) {
		t.Errorf("held: attached %v, the day before %v, the day after %v, of the incident %v", kept(150), kept(50), kept(250), kept(500))
	}
}
