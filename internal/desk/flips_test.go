package desk

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"tocsin/internal/auth"
	"tocsin/internal/disk"
	"tocsin/internal/query"
	"tocsin/internal/record"
)

// diverse appends n lines of four logs over some hours, so that they come to lie in many volumes.
func (h *house) diverse(d *Desk, n int) {
	h.t.Helper()
	at := time.Now().UTC().Truncate(time.Second)
	var lines []record.Line
	for i := range n {
		file, raw := "/var/log/access.log", request(at.Add(-time.Duration(i%3)*time.Hour), fmt.Sprintf("198.51.%d.%d", i/250%250, i%250), fmt.Sprintf("/p/%d", i))
		switch {
		case i%7 == 0:
			file, raw = "/var/log/auth.log", at.Format(time.RFC3339)+fmt.Sprintf(" shop1 sshd[%d]: Failed password for root from 203.0.113.%d port 5 ssh2", i+1, i%200)
		case i%31 == 0:
			file, raw = "/var/log/odd.log", fmt.Sprintf("\x00\xff odd line %d", i)
		}
		lines = append(lines, record.Line{Host: []string{"", "web-1"}[i%2], File: file, Offset: int64(i), Raw: raw})
	}
	for some := range slices.Chunk(lines, 100) {
		if _, err := d.archive.Append(record.Batch{Received: time.Now(), Lines: some}); err != nil {
			h.t.Fatal(err)
		}
	}
}

// flip changes one bit of a file, and back when it is called again.
func flip(t *testing.T, l disk.Layer, name string, bit int64) {
	t.Helper()
	f, err := l.OpenFile(name, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	b := make([]byte, 1)
	if _, err := f.ReadAt(b, bit/8); err != nil {
		t.Fatal(err)
	}
	b[0] ^= 1 << (bit % 8)
	if _, err := f.WriteAt(b, bit/8); err != nil {
		t.Fatal(err)
	}
}

// A flipped file is one whose bits are flipped, with the volume that it belongs to; "" is none.
type flippedFile struct {
	name, volume string
	size         int64
}

// keptFiles are all files in which lines are kept. The newest segment of the write-ahead log is left out: there, as in the last line of
// any log that grows, a changed byte at the end looks like a write that was not finished.
func keptFiles(t *testing.T, l disk.Layer) (all []flippedFile) {
	t.Helper()
	v, close := volumesOf(t, l)
	defer close()
	var walk func(dir string)
	walk = func(dir string) {
		list, err := l.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		for n, x := range list {
			name := dir + "/" + x.Name()
			if x.IsDir() {
				walk(name)
				continue
			}
			st, err := l.Stat(name)
			if err != nil {
				t.Fatal(err)
			}
			f := flippedFile{name: name, size: st.Size()}
			for _, o := range v {
				if strings.HasPrefix(name, shelfDir+"/"+o+".") {
					f.volume = o
				}
			}
			if (dir != archiveDir || n < len(list)-1) && f.size > 0 {
				all = append(all, f)
			}
		}
	}
	walk(shelfDir)
	walk(archiveDir)
	return all
}

// volumesOf names the volumes of a folder.
func volumesOf(t *testing.T, l disk.Layer) (names []string, close func()) {
	t.Helper()
	d, err := OpenToRead(slog.New(slog.DiscardHandler), Options{Data: l})
	if err != nil {
		t.Fatal(err)
	}
	v := d.shelf.View()
	for _, x := range v.Volumes {
		names = append(names, x.Name)
	}
	return names, func() { v.Close(); _ = d.Close() }
}

// listed searches for all lines, offline, and returns them by their volume ("" for those in the log), with the volumes that were found damaged.
func listed(t *testing.T, l disk.Layer) (lines []string, damaged []string) {
	t.Helper()
	d, err := OpenToRead(slog.New(slog.DiscardHandler), Options{Data: l})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	q, err := ParseQuery("| fields host, file, raw", time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	out, err := d.Search(context.Background(), auth.Actor{Name: "command", Local: true}, q, nil)
	if err != nil || out.Cut != "" {
		t.Fatalf("searching: %v, %q", err, out.Cut)
	}
	for _, r := range out.Rows {
		lines = append(lines, text(r))
	}
	if q, err = ParseQuery("ip=198.51.1.7 or path=/p/8 | count by ip", time.UTC); err != nil {
		t.Fatal(err)
	}
	if few, err := d.Search(context.Background(), auth.Actor{Name: "command", Local: true}, q, nil); err != nil || few.Matched > 10 { // as much as can be read
		t.Fatalf("searching some: %v, %d", err, few.Matched)
	}
	for _, x := range out.Damaged {
		damaged = append(damaged, x.Volume.Name)
	}
	slices.Sort(lines)
	return lines, damaged
}

func text(r []query.Cell) string {
	var b strings.Builder
	for _, c := range r {
		b.WriteString(c.Text + "\x00")
	}
	return b.String()
}

// TestBitFlips: given kept lines in many volumes, when one bit of them is flipped, then `tocsin archive verify` finds it and names the volume, and a
// search gives the lines of all other volumes, and no line that was not written. Set TOCSIN_SOAK for 1,000 flips.
func TestBitFlips(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.o.LogBytes = 6000
	d, stop := h.start()
	const lines = 1500
	h.diverse(d, lines)
	h.until("the shelf", func() bool { return d.shelf.Through() > lines*2/3 && d.archive.First() > lines*2/3 })
	stop()
	flips := 30
	if os.Getenv("TOCSIN_SOAK") != "" {
		flips = 1000
	}
	seed := uint64(time.Now().UnixNano())
	rng := rand.New(rand.NewPCG(seed, 1))

	whole, damaged := listed(t, h.data)
	if len(whole) != lines || len(damaged) > 0 {
		t.Fatalf("%d lines are found before, %v is damaged", len(whole), damaged)
	}
	if faults := h.verified(t); len(faults) > 0 {
		t.Fatalf("faults before: %+v", faults)
	}
	others := h.withoutEach(t, whole)
	files := keptFiles(t, h.data)
	var shelved []flippedFile
	for _, f := range files {
		if f.volume != "" {
			shelved = append(shelved, f)
		}
	}
	searched := 0
	for n := range flips {
		f := shelved[rng.IntN(len(shelved))]
		bit := rng.Int64N(f.size * 8)
		flip(t, h.data, f.name, bit)
		faults := h.verified(t)
		if len(faults) != 1 || faults[0].What != "shelf" || faults[0].Name != f.volume {
			t.Fatalf("seed %d, flip %d: bit %d of %s: %+v", seed, n, bit, f.name, faults)
		}
		got, damaged := listed(t, h.data)
		switch {
		case len(damaged) == 0 && slices.Equal(got, whole): // what the bit says was not needed
		case slices.Equal(damaged, []string{f.volume}) && between(others[f.volume], got, whole): // some of its own lines may have been read before
			searched++
		default:
			t.Fatalf("seed %d, flip %d: bit %d of %s: %d lines are found of %d, of which %d are in other volumes; damaged are %v", seed, n, bit, f.name, len(got), lines, len(others[f.volume]), damaged)
		}
		flip(t, h.data, f.name, bit)
	}
	t.Logf("%d bits flipped in %d files of %d volumes: each found by verify and its volume named; %d of them were met by a search too, which gave all lines of the others, and none that was not written", flips, len(shelved), len(others), searched)

	// Beside the volumes: the manifest and the complete segments of the log.
	rest := slices.DeleteFunc(slices.Clone(files), func(f flippedFile) bool { return f.volume != "" })
	for range flips / 10 { // of these the ledger is asked several times, so it takes a while
		f := rest[rng.IntN(len(rest))]
		bit := rng.Int64N(f.size * 8)
		flip(t, h.data, f.name, bit)
		if faults := h.verified(t); len(faults) == 0 {
			t.Errorf("seed %d: bit %d of %s is not found", seed, bit, f.name)
		}
		flip(t, h.data, f.name, bit)
	}
	if faults := h.verified(t); len(faults) > 0 {
		t.Fatalf("faults after: %+v", faults)
	}
}

// between reports whether sorted lines have all of some and are all among others.
func between(some, lines, others []string) bool {
	among := func(a, b []string) bool {
		for _, x := range a {
			n, ok := slices.BinarySearch(b, x)
			if !ok {
				return false
			}
			b = b[n+1:] // each once
		}
		return true
	}
	return among(some, lines) && among(lines, others)
}

// verified is what `tocsin archive verify` finds.
func (h *house) verified(t *testing.T) []Fault {
	t.Helper()
	ledger, err := OpenLedger(h.data, h.keys, "")
	if err != nil {
		t.Fatal(err)
	}
	v, err := VerifyLines(context.Background(), h.data, ledger, nil)
	if err != nil {
		t.Fatal(err)
	}
	return v.Faults
}

// withoutEach returns, for each volume, all lines but its own, sorted.
func (h *house) withoutEach(t *testing.T, whole []string) map[string][]string {
	t.Helper()
	d, err := OpenToRead(slog.New(slog.DiscardHandler), Options{Data: h.data})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	v := d.shelf.View()
	defer v.Close()
	out := map[string][]string{}
	for _, x := range v.Volumes {
		own := map[string]bool{}
		l, err := d.shelf.OpenLines(x)
		if err != nil {
			t.Fatal(err)
		}
		for n := range l.Frames() {
			some, err := l.Read(n)
			if err != nil {
				t.Fatal(err)
			}
			for _, o := range some {
				own[o.Host+"\x00"+o.File+"\x00"+o.Raw+"\x00"] = true
			}
		}
		_ = l.Close()
		out[x.Name] = slices.DeleteFunc(slices.Clone(whole), func(s string) bool { return own[s] })
		if len(whole)-len(out[x.Name]) != x.Kept {
			t.Fatalf("%d lines of %s are found, it has %d", len(whole)-len(out[x.Name]), x.Name, x.Kept)
		}
	}
	return out
}
