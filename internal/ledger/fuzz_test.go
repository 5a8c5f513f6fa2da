package ledger

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"tocsin/internal/entry"
)

// The law of the reader: whatever the files hold, Open and Verify agree; what opens is exactly the lines up to the head,
// in the order of their numbers; and what was behind them is in the side file.
func FuzzOpen(f *testing.F) {
	k := testKey(f)
	for _, n := range []int{0, 1, 3} {
		l := filled(f, n)
		var entries []byte
		if n > 0 {
			entries = get(f, l, entriesName)
		}
		f.Add(entries, get(f, l, headName), get(f, l, treeName))
		f.Add(append(entries, "{\"n\":"...), get(f, l, headName), []byte("x"))
	}
	f.Add([]byte("{}\n"), []byte{}, []byte{})
	f.Fuzz(func(t *testing.T, entries, head, tree []byte) {
		l := layerOf(t, entries, head, tree)
		_, verr := Verify(l, "ledger", k.Public(), nil)
		var got []entry.Entry
		g, opened, err := Open(l, "ledger", k, keep(&got), Options{Now: at(0)})
		if (err == nil) != (verr == nil) {
			t.Fatalf("Open: %v, Verify: %v", err, verr)
		}
		if err != nil {
			return
		}
		defer g.Close()
		if read := collect(t, Read(l, "ledger", 1)); len(read)+len(got) > 0 && !reflect.DeepEqual(read, got) {
			t.Fatalf("Open read %v, Read %v", got, read)
		}
		if int64(len(got)) != opened.Entries || countLines(get(t, l, entriesName)) != opened.Entries {
			t.Fatalf("%+v, but %d entries", opened, len(got))
		}
		both := string(get(t, l, entriesName))
		if opened.CutFile != "" {
			both += string(get(t, l, opened.CutFile))
		}
		if both != string(entries) {
			t.Fatalf("%q became %q", entries, both)
		}
		mustAppend(t, g, small(1))
		if _, err := Verify(l.Crash(), "ledger", k.Public(), head); err != nil {
			t.Fatalf("after an append: %v", err)
		}
	})
}

// The law of Read: it ends, yields entries numbered without gaps, none beyond the head, and an error only at the end.
func FuzzRead(f *testing.F) {
	l := filled(f, 3)
	f.Add(get(f, l, entriesName), get(f, l, headName), int64(1))
	f.Add(get(f, l, entriesName), get(f, l, headName), int64(3))
	f.Add([]byte("\n\n\n"), get(f, l, headName), int64(-9))
	f.Add([]byte{}, []byte("a\n1\nAAAA\n\n"), int64(2))
	f.Fuzz(func(t *testing.T, entries, head []byte, from int64) {
		l := layerOf(t, entries, head, nil)
		next, ended := max(from, 1), false
		for e, err := range Read(l, "ledger", from) {
			if ended {
				t.Fatal("it goes on after an error")
			}
			if err != nil {
				ended = true
				continue
			}
			if e.N != next {
				t.Fatalf("entry %d where %d belongs", e.N, next)
			}
			next++
		}
		if h, err := entry.PeekHead(head); !ended && (err != nil || from <= h.Size && next != h.Size+1) {
			t.Fatalf("it ended at %d without an error, the head is %v (%v)", next, h, err)
		}
	})
}

// The law of quick: what it reads, entry.Parse reads alike, as long as the body is JSON; and it reads what entry.Make writes.
func FuzzQuick(f *testing.F) {
	for _, d := range []entry.Draft{small(1), draft(7), {Actor: "person:anna", Kind: "t", Subject: "", Body: map[string]string{"a": `}"\{`}}} {
		_, line, err := entry.Make(3, at(0), d)
		if err != nil {
			f.Fatal(err)
		}
		if _, ok := quick(line, &entry.Words{}); !ok {
			f.Fatalf("%s is not read quickly", line)
		}
		f.Add(string(line))
		f.Add(strings.Replace(string(line), `"body":`, `"extra":1,"body":`, 1))
		f.Add(string(line[:len(line)-1]) + `,"body":{}}`)
		f.Add(strings.Replace(string(line), `{"n":3`, `{"n":03`, 1))
		f.Add(strings.Replace(string(line), `Z"`, `+02:00"`, 1))
	}
	f.Fuzz(func(t *testing.T, line string) {
		e, ok := quick([]byte(line), &entry.Words{})
		if !ok || !json.Valid(e.Body) {
			return
		}
		want, err := entry.Parse([]byte(line))
		if err != nil || !reflect.DeepEqual(e, want) {
			t.Fatalf("%q: quick reads %v, Parse %v (%v)", line, e, want, err)
		}
	})
}
