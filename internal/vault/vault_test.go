package vault

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path"
	"strings"
	"sync"
	"syscall"
	"testing"

	"tocsin/internal/disk"
)

// chance is a random source that is always the same.
func chance() *rand.ChaCha8 { return rand.NewChaCha8([32]byte{1}) }

func start(t testing.TB, data, keys disk.Layer, o Options) (*Vault, Opened) {
	t.Helper()
	v, said, err := Open(data, "vault", keys, o)
	if err != nil {
		t.Fatal(err)
	}
	return v, said
}

func put(t testing.TB, v *Vault, texts ...string) []string {
	t.Helper()
	var objects [][]byte
	for _, s := range texts {
		objects = append(objects, []byte(s))
	}
	ids, err := v.PutAll(objects)
	if err != nil {
		t.Fatal(err)
	}
	return ids
}

// has checks that an object is text, or, when text is "erased" or "missing", that.
func has(t testing.TB, v *Vault, name, text string) {
	t.Helper()
	b, err := v.Get(name)
	switch text {
	case "erased":
		if !errors.Is(err, ErrErased) {
			t.Fatalf("object %s: %q, %v; want it erased", name, b, err)
		}
	case "missing":
		if !errors.Is(err, ErrNotFound) {
			t.Fatalf("object %s: %q, %v; want none", name, b, err)
		}
	default:
		if err != nil || string(b) != text {
			t.Fatalf("object %s: %q, %v; want %q", name, b, err, text)
		}
	}
}

// all returns the bytes of every file below the folder.
func all(t testing.TB, l disk.Layer, dir string) map[string][]byte {
	t.Helper()
	files := make(map[string][]byte)
	list, err := l.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range list {
		name := path.Join(dir, d.Name())
		if d.IsDir() {
			continue
		}
		if files[name], err = disk.ReadFile(l, name); err != nil {
			t.Fatal(err)
		}
	}
	return files
}

func restore(t testing.TB, l disk.Layer, files map[string][]byte) {
	t.Helper()
	for name, b := range files {
		if err := l.MkdirAll(path.Dir(name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := disk.Replace(l, name, b); err != nil {
			t.Fatal(err)
		}
	}
}

func TestPutGetErase(t *testing.T) {
	data, keys := disk.NewLossy(), disk.NewLossy()
	v, said := start(t, data, keys, Options{})
	if len(said.Notes) != 1 || !strings.Contains(said.String(), "keep a copy") {
		t.Errorf("the first start says %v", said)
	}
	texts := []string{"", "anna@example.org", "\x00\xff", strings.Repeat("long ", 100_000), "anna@example.org"}
	ids := put(t, v, texts...)
	check := func(v *Vault, erased bool) {
		t.Helper()
		for i, name := range ids {
			if erased && i%2 == 1 {
				has(t, v, name, "erased")
			} else {
				has(t, v, name, texts[i])
			}
		}
		has(t, v, strings.Repeat("0", 32), "missing")
		has(t, v, "../../etc/passwd", "missing")
		has(t, v, strings.ToUpper(ids[0]), "missing")
	}
	check(v, false)
	if ids[1] == ids[4] {
		t.Error("equal objects have equal ids")
	}
	reader, _ := start(t, data, keys, Options{ReadOnly: true})
	check(reader, false)
	if err := v.Erase(ids[1], strings.Repeat("0", 32)); !errors.Is(err, ErrNotFound) {
		t.Errorf("erasing what is not there: %v", err)
	}
	check(v, false)
	for range 2 {
		if err := v.Erase(ids[1], ids[3], ids[1]); err != nil {
			t.Fatal(err)
		}
	}
	check(v, true)
	check(reader, true)
	for _, f := range []func() error{
		func() error { _, err := reader.Put(nil); return err },
		func() error { return reader.Erase(ids[0]) },
	} {
		if err := f(); !errors.Is(err, ErrReadOnly) {
			t.Errorf("writing to what was opened for reading: %v", err)
		}
	}
	v, said = start(t, data.Crash(), keys.Crash(), Options{})
	check(v, true)
	if said.Objects != 3 || said.Erased != 2 || said.Again != 0 || said.Cut != 0 || len(said.Notes) != 0 {
		t.Errorf("the second start says %+v", said)
	}
	if _, err := v.Put(make([]byte, MaxObject+1)); !errors.Is(err, ErrTooLarge) {
		t.Errorf("an object that is too large: %v", err)
	}
	if err := v.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := v.Put(nil); !errors.Is(err, ErrClosed) {
		t.Errorf("Put after Close: %v", err)
	}
	if _, err := v.Get(ids[0]); !errors.Is(err, ErrClosed) {
		t.Errorf("Get after Close: %v", err)
	}
	for name, b := range all(t, data, "vault") {
		if bytes.Contains(b, []byte("anna")) {
			t.Errorf("%s holds plain text", name)
		}
	}
}

func TestHash(t *testing.T) {
	data, keys := disk.NewLossy(), disk.NewLossy()
	v, _ := start(t, data, keys, Options{})
	again, _ := start(t, data.Crash(), keys.Crash(), Options{ReadOnly: true})
	other, _ := start(t, disk.NewLossy(), disk.NewLossy(), Options{})
	h := v.Hash("address", "203.0.113.9")
	if len(h) != 32 || h != again.Hash("address", "203.0.113.9") {
		t.Errorf("hash %q, after a restart %q", h, again.Hash("address", "203.0.113.9"))
	}
	for _, different := range []string{v.Hash("account", "203.0.113.9"), v.Hash("address", "203.0.113.8"), v.Hash("address2", "03.0.113.9"), other.Hash("address", "203.0.113.9")} {
		if h == different {
			t.Errorf("two hashes are equal: %s", h)
		}
	}
}

// TestRestoredBackup brings back older copies of the data folder, of the key folder, and of both lists in turn.
func TestRestoredBackup(t *testing.T) {
	data, keys := disk.NewLossy(), disk.NewLossy()
	v, _ := start(t, data, keys, Options{})
	ids := put(t, v, "first", "second", "third")
	oldData, oldKeys := all(t, data, "vault"), all(t, keys, ".")
	if err := v.Erase(ids[1]); err != nil {
		t.Fatal(err)
	}
	later := put(t, v, "fourth")
	newData := all(t, data, "vault")

	// The data folder of before: erased again, in what is read as in what is written.
	restored := disk.NewLossy()
	restore(t, restored, oldData)
	reader, _ := start(t, restored, keys, Options{ReadOnly: true})
	has(t, reader, ids[1], "erased")
	w, said := start(t, restored, keys, Options{})
	if said.Again != 1 || !strings.Contains(said.String(), "erased again") {
		t.Errorf("the start says %v", said)
	}
	has(t, w, ids[0], "first")
	has(t, w, ids[1], "erased")
	has(t, w, ids[2], "third")
	has(t, w, later[0], "missing")
	// Its slots are used anew, and the list of the lost time names slots that are now others'.
	more := put(t, w, "fifth", "sixth")
	if err := w.Erase(more[0]); err != nil {
		t.Fatal(err)
	}
	w, said = start(t, restored.Crash(), keys.Crash(), Options{})
	has(t, w, more[0], "erased")
	has(t, w, more[1], "sixth")
	if said.Again != 0 {
		t.Errorf("the start after says %v", said)
	}
	// The key is really gone: no list at all helps.
	bare, bareKeys := disk.NewLossy(), disk.NewLossy()
	files := all(t, restored.Crash(), "vault")
	delete(files, "vault/erased")
	restore(t, bare, files)
	restore(t, bareKeys, oldKeys)
	if _, _, err := Open(bare, "vault", bareKeys, Options{}); err == nil {
		t.Error("zeroed slots that no list names were taken as good")
	}

	// The key folder of before: the data folder's list is the newer one.
	oldKeyLayer, data2 := disk.NewLossy(), disk.NewLossy()
	restore(t, oldKeyLayer, oldKeys)
	restore(t, data2, newData)
	w, _ = start(t, data2, oldKeyLayer, Options{})
	has(t, w, ids[1], "erased")
	data3 := disk.NewLossy()
	restore(t, data3, oldData)
	w, _ = start(t, data3, oldKeyLayer.Crash(), Options{})
	has(t, w, ids[1], "erased")
}

func TestMasterKey(t *testing.T) {
	data, keys := disk.NewLossy(), disk.NewLossy()
	v, _ := start(t, data, keys, Options{})
	name := put(t, v, "text")[0]
	hash := v.Hash("account", "anna")
	info, err := keys.Stat(keyName)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the key file has mode %v, %v", info.Mode(), err)
	}
	other, _ := disk.NewLossy(), 0
	otherKeys := disk.NewLossy()
	start(t, other, otherKeys, Options{})
	file, err := disk.ReadFile(keys, keyName)
	if err != nil {
		t.Fatal(err)
	}
	with := func(b []byte) disk.Layer {
		l := disk.NewLossy()
		if b != nil {
			restore(t, l, map[string][]byte{keyName: b})
		}
		return l
	}
	changed := bytes.Clone(file)
	// Another hexadecimal digit: to flip a bit of an a or an f would leave none.
	if last := &changed[len(changed)-2]; *last == '0' {
		*last = '1'
	} else {
		*last = '0'
	}
	tests := []struct {
		what string
		keys disk.Layer
		o    Options
		want error
		says string
	}{
		{"no key", with(nil), Options{}, ErrWrongKey, "bring it back"},
		{"no key, to read", with(nil), Options{ReadOnly: true}, ErrWrongKey, "bring it back"},
		{"another vault's", otherKeys, Options{}, ErrWrongKey, "belongs to vault"},
		{"a changed one", with(changed), Options{}, ErrWrongKey, "another key"},
		{"rubbish", with([]byte("hello\n")), Options{}, nil, "not a key file"},
		{"a cut one", with(file[:len(file)-1]), Options{}, nil, "not a key file"},
		{"an empty one", with([]byte{}), Options{}, nil, "not a key file"},
		{"upper case", with(bytes.ToUpper(file)), Options{}, nil, "not a key file"},
	}
	for _, test := range tests {
		_, _, err := Open(data, "vault", test.keys, test.o)
		if err == nil || test.want != nil && !errors.Is(err, test.want) || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s: %v", test.what, err)
		}
	}
	if _, said := start(t, disk.NewLossy(), keys, Options{}); !strings.Contains(said.String(), "held no vault") {
		t.Errorf("a lost data folder: %v", said)
	}

	// A passphrase from now on.
	w, said := start(t, data, keys, Options{Passphrase: "correct horse"})
	if len(said.Notes) != 1 || !strings.Contains(said.Notes[0], "wrapped") {
		t.Errorf("the start with a new passphrase says %v", said)
	}
	has(t, w, name, "text")
	if wrapped, err := disk.ReadFile(keys.Crash(), keyName); err != nil || bytes.Contains(wrapped, file[len(file)-65:]) {
		t.Errorf("the key lies open: %s, %v", wrapped, err)
	}
	quick := with(quickKey(t, file, "correct horse"))
	for _, o := range []Options{{}, {ReadOnly: true}} {
		if _, _, err := Open(data, "vault", quick, o); !errors.Is(err, ErrPassphrase) {
			t.Errorf("without passphrase: %v", err)
		}
	}
	if _, _, err := Open(data, "vault", quick, Options{Passphrase: "wrong"}); !errors.Is(err, ErrWrongKey) {
		t.Errorf("with a wrong passphrase: %v", err)
	}
	w, said = start(t, data, quick, Options{Passphrase: "correct horse"})
	if has(t, w, name, "text"); w.Hash("account", "anna") != hash || len(said.Notes) != 0 {
		t.Errorf("hash %s, was %s; %v", w.Hash("account", "anna"), hash, said)
	}
	if _, _, err := Open(disk.NewLossy(), "vault", disk.NewLossy(), Options{ReadOnly: true}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("opening nothing for reading: %v", err)
	}
}

// quickKey wraps the key of a file with little work, because tests are many.
func quickKey(t *testing.T, file []byte, passphrase string) []byte {
	t.Helper()
	m, err := parseKey(file)
	if err != nil {
		t.Fatal(err)
	}
	m.wrapped, m.passes, m.memory, m.lanes, m.salt, m.nonce = true, 1, 8, 1, make([]byte, 16), make([]byte, 24)
	c, err := m.cipher(passphrase)
	if err != nil {
		t.Fatal(err)
	}
	m.sealed = c.seal(m.nonce, m.key, m.head())
	return m.print()
}

func TestKeyThatOthersCanRead(t *testing.T) {
	folder, err := disk.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer folder.Close()
	v, _ := start(t, folder, folder, Options{})
	name := put(t, v, "on a real disk")[0]
	if err := v.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path.Join(folder.Dir(), keyName), 0o644); err != nil {
		t.Fatal(err)
	}
	v, said := start(t, folder, folder, Options{})
	defer v.Close()
	has(t, v, name, "on a real disk")
	if !strings.Contains(said.String(), "chmod 600") {
		t.Errorf("the start says %v", said)
	}
}

func TestConcurrent(t *testing.T) {
	data, keys := disk.NewLossy(), disk.NewLossy()
	v, _ := start(t, data, keys, Options{})
	var wg sync.WaitGroup
	for n := range 8 {
		wg.Go(func() {
			for i := range 20 {
				text := fmt.Sprintf("%d of %d", i, n)
				name, err := v.Put([]byte(text))
				if err != nil {
					t.Error(err)
					return
				}
				if b, err := v.Get(name); err != nil || string(b) != text {
					t.Errorf("%q, %v", b, err)
				}
				v.Hash("account", text)
				if i%2 == 0 {
					if err := v.Erase(name); err != nil {
						t.Error(err)
					}
				}
				if _, _, err := Open(data, "vault", keys, Options{ReadOnly: true}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if _, said := start(t, data.Crash(), keys.Crash(), Options{}); said.Objects != 80 || said.Erased != 80 {
		t.Errorf("afterwards: %v", said)
	}
}

func TestFullDisk(t *testing.T) {
	for room := uint64(0); room < 700; room += 7 {
		data, keys := disk.NewLossy(), disk.NewLossy()
		v, _ := start(t, data, keys, Options{Random: chance()})
		first := put(t, v, "before")[0]
		data.SetFree(room)
		second, err := v.Put([]byte(strings.Repeat("x", 300)))
		if err != nil && !errors.Is(err, ErrFull) {
			t.Fatal(err)
		}
		erased := v.Erase(first)
		if erased != nil && !errors.Is(erased, ErrFull) {
			t.Fatal(erased)
		}
		data.SetFree(1 << 30)
		if erased != nil {
			has(t, v, first, "before")
			if err := v.Erase(first); err != nil {
				t.Fatal(err)
			}
		}
		third := put(t, v, "after")[0]
		after, _ := start(t, data.Crash(), keys.Crash(), Options{})
		for _, v := range []*Vault{v, after} {
			has(t, v, first, "erased")
			has(t, v, third, "after")
			if err == nil {
				has(t, v, second, strings.Repeat("x", 300))
			}
		}
	}
}

func TestBroken(t *testing.T) {
	failed := 0
	for n := 1; n < 60; n++ {
		data, keys := disk.NewLossy(), disk.NewLossy()
		data.FailAt(n, syscall.EIO)
		v, _, err := Open(data, "vault", keys, Options{})
		if err != nil {
			continue
		}
		var ids []string
		for err == nil && len(ids) < 5 {
			var name string
			if name, err = v.Put([]byte("text")); err == nil {
				ids = append(ids, name)
			}
		}
		if err == nil {
			err = v.Erase(ids[0])
		}
		if err == nil {
			continue
		}
		failed++
		if !errors.Is(err, ErrBroken) || !errors.Is(err, syscall.EIO) {
			t.Fatalf("operation %d failed: %v", n, err)
		}
		if _, err := v.Put(nil); !errors.Is(err, ErrBroken) {
			t.Fatalf("the next Put: %v", err)
		}
		if len(ids) > 1 {
			has(t, v, ids[1], "text")
		}
	}
	if failed < 10 {
		t.Errorf("only %d failures came into writing", failed)
	}
}
