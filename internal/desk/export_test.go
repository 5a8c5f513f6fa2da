package desk

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"

	"tocsin/internal/entry"
	"tocsin/internal/fleet"
	"tocsin/internal/ledger"
	"tocsin/internal/query"
	"tocsin/internal/record"
	"tocsin/internal/shelf"
)

// shelved is a desk with n lines, of which some are on the shelf.
func (h *house) shelved(n int) (*Desk, func()) {
	h.t.Helper()
	h.o.LogBytes = cmp.Or(h.o.LogBytes, 3000)
	d, stop := h.start()
	h.manyLines(d, 0, n)
	h.until("the shelf", func() bool { return d.shelf.Through() > int64(n/2) && d.archive.First() > int64(n/2) })
	return d, stop
}

func (h *house) exported(d *Desk, text string) *Export {
	h.t.Helper()
	q, err := ParseQuery(text, time.UTC)
	if err != nil {
		h.t.Fatal(err)
	}
	x, err := d.Export(context.Background(), Local("command"), q)
	if err != nil {
		h.t.Fatal(err)
	}
	return x
}

// Given lines on the shelf and before it, when some are exported, then they are there byte for byte and in order, the ledger names the export, and it is
// checked with the key alone.
func TestExport(t *testing.T) {
	h := newHouse(t)
	d, stop := h.shelved(1500)
	defer stop()
	hostile := "198.51.100.7 - - [28/Nov/2026:09:00:00 +0000] \"GET /evil/\xff\x00\x1b[2J HTTP/1.1\" 200 5 \"-\" \"\u202e\"\r"
	if _, err := d.archive.Append(record.Batch{Received: time.Now(), Lines: []record.Line{{Host: "web\xff1", File: "/var/log/a\nb.log", Offset: 5, Raw: hostile}}}); err != nil {
		t.Fatal(err)
	}
	x := h.exported(d, "path=/evil/*")
	var b bytes.Buffer
	if n, err := x.WriteTo(&b); err != nil || n != int64(b.Len()) {
		t.Fatalf("%d bytes are told, %d written: %v", n, b.Len(), err)
	}
	m, err := VerifyExport(bytes.NewReader(b.Bytes()), int64(b.Len()), d.key.Public())
	if err != nil {
		t.Fatal(err)
	}
	if len(m.Lines) != 16 || len(m.Files) != 2 || len(m.Volumes) == 0 || m.Query != "path=/evil/*" || m.By != "command" || m.Program != "test" {
		t.Errorf("the manifest: %+v", m)
	}
	for i := range 15 {
		if l := m.Lines[i]; l.Number != int64(100*(i+1)) || l.File != 1 || l.Offset != l.Number-1 || (l.Volume > 0) != (l.Number <= d.shelf.Through()) {
			t.Errorf("line %d: %+v", i, l)
		}
	}
	if !bytes.Contains(b.Bytes(), []byte(hostile+"\n")) {
		t.Error("the hostile line is not there byte for byte")
	}
	if n := h.entries(d)[entry.LinesExported]; n != 1 {
		t.Errorf("%d entries", n)
	}
	var known []fleet.Export
	d.Read(func(s *State) { known = s.Fleet.Exports })
	if len(known) != 1 || known[0].Lines != 16 || d.Text(known[0].Query) != "path=/evil/*" {
		t.Errorf("the ledger says: %+v", known)
	}
	for text, want := range map[string]string{"| count": "stage count cannot", "path=/none": "no line matches"} {
		q, err := ParseQuery(text, time.UTC)
		if err != nil {
			t.Fatal(err)
		}
		if _, err = d.Export(context.Background(), Local("command"), q); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// Given an export, when any bit of it is changed, or it is cut or made longer, then that is found.
func TestEveryChangeOfAnExportIsFound(t *testing.T) {
	h := newHouse(t)
	d, stop := h.start()
	defer stop()
	h.manyLines(d, 0, 300)
	var b bytes.Buffer
	if _, err := h.exported(d, "path=/evil/*").WriteTo(&b); err != nil {
		t.Fatal(err)
	}
	key := d.key.Public()
	check := func(b []byte) error {
		_, err := VerifyExport(bytes.NewReader(b), int64(len(b)), key)
		return err
	}
	good := b.Bytes()
	for i := range good {
		bad := bytes.Clone(good)
		bad[i] ^= 1 << (i % 8)
		if check(bad) == nil {
			t.Fatalf("byte %d was changed, and nobody said so", i)
		}
	}
	for n := 0; n < len(good); n += 101 {
		if check(good[:n]) == nil {
			t.Fatalf("it was cut to %d bytes, and nobody said so", n)
		}
	}
	if check(append(bytes.Clone(good), 0)) == nil || check(append(bytes.Clone(good), make([]byte, 512)...)) == nil {
		t.Error("it was made longer, and nobody said so")
	}
	for name, want := range map[string]string{"/evil/199": "lines/00001.log: line 200 was changed", `"query"`: "manifest.json: it is not the one that was signed", "— ": "manifest.sig"} {
		bad := bytes.Clone(good)
		at := bytes.LastIndex(bad, []byte(name))
		if name == `"query"` {
			at = bytes.Index(bad, []byte(name))
		}
		bad[at+len(name)-1] ^= 1
		if err := check(bad); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	other, err := ledger.NewKey(d.key.Origin())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := VerifyExport(bytes.NewReader(good), int64(len(good)), other.Public()); err == nil || !strings.Contains(err.Error(), "signed by") {
		t.Errorf("with another key: %v", err)
	}
}

func FuzzVerifyExport(f *testing.F) {
	key, err := ledger.NewKey("fuzz")
	if err != nil {
		f.Fatal(err)
	}
	f.Add([]byte{})
	f.Add(append([]byte("manifest.json"), make([]byte, 1024)...))
	f.Fuzz(func(t *testing.T, b []byte) {
		if m, err := VerifyExport(bytes.NewReader(b), int64(len(b)), key.Public()); err == nil {
			t.Fatalf("somebody who has no key signed %+v", m)
		}
	})
}

// Given a folder that is opened to be read, when a server seals and joins volumes meanwhile, then every line is found once, and none is called damaged.
func TestSearchBesideAServer(t *testing.T) {
	h := newHouse(t)
	h.o.LogBytes = 3000
	d, stop := h.start()
	defer stop()
	h.manyLines(d, 0, 300)
	reading := func() *Desk {
		t.Helper()
		o := h.o
		o.Data = h.data
		r, err := OpenToRead(slog.New(slog.DiscardHandler), o)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	early := reading()
	h.manyLines(d, 300, 1200)
	h.until("the shelf", func() bool { return d.shelf.Through() > 1000 && d.archive.First() > 1000 })
	late := reading()
	if d.Kept().Volumes < 2 {
		t.Fatal("there is nothing to join")
	}
	for {
		j, err := d.shelf.Join(context.Background(), time.Now().Add(time.Hour))
		if err != nil {
			t.Fatal(err)
		}
		if len(j.Gone) == 0 {
			break
		}
		if err := d.writeLines(entry.LinesJoined, entry.Lines{Came: volumes(j.Came), Gone: j.Gone}); err != nil {
			t.Fatal(err)
		}
	}
	for name, r := range map[string]*Desk{"before the sealing": early, "before the joining": late} {
		got := h.asked(r, "| count")
		if got.Matched != 1500 || got.Cut != "" || len(got.Damaged) > 0 {
			t.Errorf("%s: %d lines are found; %q, %v", name, got.Matched, got.Cut, got.Damaged)
		}
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	}
}

// Given kept lines, when they are verified, then each volume is as the ledger names it; one that is changed, gone or exchanged is named.
func TestVerifyLines(t *testing.T) {
	h := newHouse(t)
	d, stop := h.shelved(1500)
	key := d.key.Public().String()
	verify := func() Verified {
		t.Helper()
		l, err := OpenLedger(h.data, h.keys, key)
		if err != nil {
			t.Fatal(err)
		}
		v, err := VerifyLines(context.Background(), h.data, l, nil)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	v := verify() // beside the server
	if len(v.Faults)+len(v.Unsaid) > 0 || v.Named == 0 {
		t.Errorf("beside a server: %+v", v)
	}
	stop()
	v = verify()
	if len(v.Faults)+len(v.Unsaid) > 0 || v.Named != v.Shelf.Volumes || v.Shelf.Rows+v.Log.Last-v.Log.First+1 < 1500 {
		t.Errorf("in order: %+v", v)
	}
	view := d.shelf.View()
	one := *view.Volumes[0]
	view.Close()
	h.flip(shelfDir+"/"+one.Name+".lines", one.Lines.Size/2)
	v = verify()
	if len(v.Faults) != 1 || v.Faults[0].Name != one.Name || !strings.Contains(v.Faults[0].Why, "SHA-256") {
		t.Errorf("a changed byte: %+v", v.Faults)
	}
	h.flip(shelfDir+"/"+one.Name+".lines", one.Lines.Size/2)
	if err := h.data.Rename(shelfDir+"/manifest", "kept"); err != nil {
		t.Fatal(err)
	}
	v = verify()
	if len(v.Faults) != len(view.Volumes) || v.Faults[0].What != "ledger" || !strings.Contains(v.Faults[0].Why, "the ledger names it") {
		t.Errorf("without a manifest: %+v", v.Faults)
	}
	if err := h.data.Rename("kept", shelfDir+"/manifest"); err != nil {
		t.Fatal(err)
	}
}

// Given what the ledger and the manifest say, then a volume with other hashes is a fault, and one that a crash kept from being told is not.
func TestVolumesAgainstTheLedger(t *testing.T) {
	h := newHouse(t)
	d, stop := h.shelved(1500)
	defer stop()
	view := d.shelf.View()
	defer view.Close()
	one := view.Volumes[0]
	said := volumes([]shelf.Volume{*one})[0]
	for name, c := range map[string]struct {
		change         func(*saidVolumes)
		faults, unsaid int
	}{
		"as it is":          {func(*saidVolumes) {}, 0, 0},
		"another hash":      {func(s *saidVolumes) { said := said; said.Lines = "00"; s.standing[one.Name] = said }, 1, 0},
		"another's columns": {func(s *saidVolumes) { said := said; said.Columns = "00"; s.standing[one.Name] = said }, 1, 0},
		"not said":          {func(s *saidVolumes) { delete(s.standing, one.Name) }, 0, 1},
		"joined, not said": {func(s *saidVolumes) {
			delete(s.standing, one.Name)
			said := said
			said.Name = "old"
			s.standing["old"] = said
		}, 0, 2},
		"said, and not here": {func(s *saidVolumes) { said := said; said.Name, said.First = "old", 900; s.standing["old"] = said }, 1, 0},
	} {
		s := saidVolumes{standing: map[string]entry.Volume{one.Name: said}}
		c.change(&s)
		if faults, unsaid, _ := s.against(view.Volumes[:1]); len(faults) != c.faults || len(unsaid) != c.unsaid {
			t.Errorf("%s: %v, %v", name, faults, unsaid)
		}
	}
}

// Given a query that is followed, when lines come, then each that matches is told once, those that the search had are not.
func TestFollow(t *testing.T) {
	h := newHouse(t)
	d, stop := h.shelved(900)
	defer stop()
	got := h.asked(d, "path=/evil/* | fields path")
	if got.Matched != 9 || got.Last != 900 {
		t.Fatalf("%d lines up to %d", got.Matched, got.Last)
	}
	q, err := ParseQuery("path=/evil/* | fields path", time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	told := make(chan string, 100)
	ended := make(chan error, 1)
	go func() {
		ended <- d.Follow(ctx, Local("command"), q, got.Last, func(r query.Result) error { told <- r.Rows[0][0].Text; return nil })
	}()
	h.manyLines(d, 900, 300)
	for i := range 3 {
		select {
		case text := <-told:
			if want := fmt.Sprintf("/evil/%d", 999+100*i); text != want {
				t.Errorf("told of %s, want %s", text, want)
			}
		case <-time.After(20 * time.Second):
			t.Fatal("nothing is told")
		}
	}
	cancel()
	if err := <-ended; err != nil || len(told) > 0 {
		t.Errorf("it ended with %v, and %d more", err, len(told))
	}
	for _, text := range []string{"| count", "| head 3", "| sort time"} {
		q, err := ParseQuery(text, time.UTC)
		if err != nil {
			t.Fatal(err)
		}
		if Followable(q) == "" {
			t.Errorf("%s is followed", text)
		}
	}
}

// flip changes a bit of a file.
func (h *house) flip(name string, at int64) {
	h.t.Helper()
	f, err := h.data.OpenFile(name, os.O_RDWR, 0)
	if err != nil {
		h.t.Fatal(err)
	}
	defer f.Close()
	var b [1]byte
	if _, err := f.ReadAt(b[:], at); err != nil {
		h.t.Fatal(err)
	}
	b[0] ^= 1
	if _, err := f.WriteAt(b[:], at); err != nil {
		h.t.Fatal(err)
	}
}
