package vault

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"tocsin/internal/disk"
)

// A diary says what was acknowledged before a crash.
type diary struct {
	kept   map[string]string // text by id
	erased map[string]bool   // Erase returned
	asked  map[string]bool   // Erase was called
	copies []map[string][]byte
}

// live puts and erases until one of the layers fails, and takes copies of the data folder in between.
func live(t *testing.T, data, keys disk.Layer) (diary, error) {
	d := diary{map[string]string{}, map[string]bool{}, map[string]bool{}, nil}
	v, _, err := Open(data, "vault", keys, Options{Random: chance()})
	if err != nil {
		return d, err
	}
	var ids []string
	for i := range 4 {
		texts := [][]byte{[]byte(fmt.Sprint("a", i)), []byte(fmt.Sprint("b", i)), []byte(fmt.Sprint("c", i))}
		names, err := v.PutAll(texts)
		if err != nil {
			return d, err
		}
		for j, name := range names {
			d.kept[name] = string(texts[j])
		}
		ids = append(ids, names...)
		d.copies = append(d.copies, all(t, data, "vault"))
		gone := ids[2*i : 2*i+2]
		for _, name := range gone {
			d.asked[name] = true
		}
		if err := v.Erase(gone...); err != nil {
			return d, err
		}
		for _, name := range gone {
			d.erased[name] = true
		}
	}
	return d, v.Close()
}

// check opens what a crash left, and again after that, and compares with the diary.
func (d diary) check(t *testing.T, data, keys disk.Layer) {
	t.Helper()
	for range 2 {
		v, said, err := Open(data, "vault", keys, Options{})
		if err != nil {
			t.Fatal(err)
		}
		for name, text := range d.kept {
			switch b, err := v.Get(name); {
			case d.erased[name] && !errors.Is(err, ErrErased):
				t.Fatalf("erased object %s: %q, %v (%v)", name, b, err, said)
			case !d.asked[name] && (err != nil || string(b) != text):
				t.Fatalf("object %s: %q, %v; want %q (%v)", name, b, err, text, said)
			case d.asked[name] && !errors.Is(err, ErrErased) && (err != nil || string(b) != text):
				t.Fatalf("half erased object %s: %q, %v", name, b, err)
			}
		}
		has(t, v, put(t, v, "after the crash")[0], "after the crash")
		if err := v.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// TestCrashAtEveryStep stops the data folder, then the key folder, at every step of a small life.
func TestCrashAtEveryStep(t *testing.T) {
	for _, stopKeys := range []bool{false, true} {
		for n, done := 0, false; !done; n++ {
			data, keys := disk.NewLossy(), disk.NewLossy()
			if stopKeys {
				keys.FailAfter(n)
			} else {
				data.FailAfter(n)
			}
			d, err := live(t, data, keys)
			done = err == nil
			d.check(t, data.Crash(), keys.Crash())
			for seed := range uint64(6) {
				d.check(t, data.CrashSeed(seed), keys.CrashSeed(seed))
			}
			// An older copy of the data folder comes back.
			for _, files := range d.copies {
				restored, keys := disk.NewLossy(), keys.Crash()
				restore(t, restored, files)
				v, _ := start(t, restored, keys, Options{})
				for name := range d.erased {
					if b, err := v.Get(name); err == nil {
						t.Fatalf("erased object %s is back: %q", name, b)
					}
				}
			}
			// Killed, not cut off: the page cache lives. What the next start reads must survive a cut right after it.
			data.FailAfter(-1)
			keys.FailAfter(-1)
			_, said := start(t, data, keys, Options{})
			_, again := start(t, data.Crash(), keys.Crash(), Options{})
			if said.Objects != again.Objects || said.Erased != again.Erased {
				t.Fatalf("step %d: after a kill %v, after a cut %v", n, said, again)
			}
			d.check(t, data, keys)
		}
	}
}

func flip(t *testing.T, l disk.Layer, name string, at int64) {
	t.Helper()
	b, err := disk.ReadFile(l, name)
	if err != nil {
		t.Fatal(err)
	}
	b[at] ^= 1 << (at % 8)
	f, err := l.OpenFile(name, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteAt(b[at:at+1], at); err != nil {
		t.Fatal(err)
	}
	if err := f.Sync(); err != nil {
		t.Fatal(err)
	}
}

// TestTampering flips every byte of every file. Nobody gets to read what was not written; what was acknowledged
// before the last batch is there, or an error names the damage.
func TestTampering(t *testing.T) {
	data, keys := disk.NewLossy(), disk.NewLossy()
	d, err := live(t, data, keys)
	if err != nil {
		t.Fatal(err)
	}
	try := func(data, keys *disk.Lossy, l disk.Layer, name string, at int64) {
		flip(t, l, name, at)
		v, said, err := Open(data, "vault", keys, Options{})
		if err != nil {
			return
		}
		lost := 0
		for id, text := range d.kept {
			b, err := v.Get(id)
			if d.erased[id] && err == nil {
				t.Fatalf("byte %d of %s: erased object %s can be read", at, name, id)
			}
			if !d.erased[id] {
				if err == nil && string(b) != text {
					t.Fatalf("byte %d of %s: object %s became %q", at, name, id, b)
				}
				if err != nil {
					lost++
				}
			}
		}
		if lost > 1 && said.Cut == 0 || lost > 3 {
			t.Fatalf("byte %d of %s: %d objects were lost, and the start says %v", at, name, lost, said)
		}
	}
	for name, b := range all(t, data, "vault") {
		for at := range b {
			c := data.Crash()
			try(c, keys.Crash(), c, name, int64(at))
		}
	}
	for name, b := range all(t, keys, ".") {
		for at := range b {
			c := keys.Crash()
			try(data.Crash(), c, c, name, int64(at))
		}
	}
}

// TestMissingFiles says what is missing, and opens without a pack when it is told to.
func TestMissingFiles(t *testing.T) {
	fresh := func() (data, keys *disk.Lossy) {
		data, keys = disk.NewLossy(), disk.NewLossy()
		if _, err := live(t, data, keys); err != nil {
			t.Fatal(err)
		}
		return data.Crash(), keys.Crash()
	}
	data, keys := fresh()
	if err := data.Remove("vault/pack-000001"); err != nil {
		t.Fatal(err)
	}
	_, _, err := Open(data, "vault", keys, Options{})
	damage, ok := errors.AsType[*DamageError](err)
	if !ok || !strings.Contains(err.Error(), "truncate -s") {
		t.Fatalf("without its pack: %v", err)
	}
	var size int
	if _, err := fmt.Sscanf(damage.Why, "it should be at least %d bytes long", &size); err != nil {
		t.Fatal(err)
	}
	if err := disk.Replace(data, damage.File, make([]byte, size)); err != nil {
		t.Fatal(err)
	}
	v, _ := start(t, data, keys, Options{})
	has(t, v, put(t, v, "goes on")[0], "goes on")

	for _, which := range []string{"here", "there"} { // one list of erasures is enough
		data, keys := fresh()
		d, _ := live(t, disk.NewLossy(), disk.NewLossy())
		if which == "here" {
			err = data.Remove("vault/" + erasedName)
		} else {
			err = keys.Remove(erasedThere)
		}
		if err != nil {
			t.Fatal(err)
		}
		d.check(t, data, keys)
		if err := data.Remove("vault/" + erasedName); err != nil {
			t.Fatal(err)
		}
		d.check(t, data, keys)
	}
}

// TestErasedBytesAreGone looks for the wrapped keys of erased objects on the disk.
func TestErasedBytesAreGone(t *testing.T) {
	data, keys := disk.NewLossy(), disk.NewLossy()
	v, _ := start(t, data, keys, Options{})
	ids := put(t, v, "one", "two")
	before := all(t, data, "vault")["vault/slots"][slotSize : 2*slotSize]
	if err := v.Erase(ids[0]); err != nil {
		t.Fatal(err)
	}
	for name, b := range all(t, data.Crash(), "vault") {
		if bytes.Contains(b, before[40:112]) {
			t.Errorf("the erased key still stands in %s", name)
		}
	}
}
