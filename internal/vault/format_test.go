package vault

import (
	"bytes"
	"encoding/hex"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"tocsin/internal/disk"
)

// goldenTexts are what the golden files hold; the second was erased.
func goldenTexts() []string { return []string{"anna@example.org", "erased", ""} }

// TestGolden opens files that were written once and may never be changed, and writes them again.
func TestGolden(t *testing.T) {
	data, keys := disk.NewLossy(), disk.NewLossy()
	golden := make(map[string][]byte)
	for _, name := range []string{"data/vault/slots", "data/vault/erased", "data/vault/pack-000001", "keys/vault.key", "keys/vault.erased"} {
		b, err := os.ReadFile(filepath.Join("testdata", filepath.FromSlash(name)))
		if err != nil {
			t.Fatal(err)
		}
		golden[name] = b
		layer := disk.Layer(data)
		if name[:4] == "keys" {
			layer = keys
		}
		restore(t, layer, map[string][]byte{name[5:]: b})
	}
	read, _ := start(t, data, keys, Options{ReadOnly: true})
	newData, newKeys := disk.NewLossy(), disk.NewLossy()
	v, _ := start(t, newData, newKeys, Options{Random: chance()})
	texts := goldenTexts()
	ids := append(put(t, v, texts[:2]...), put(t, v, texts[2])...)
	if err := v.Erase(ids[1]); err != nil {
		t.Fatal(err)
	}
	has(t, read, ids[0], texts[0])
	has(t, read, ids[1], "erased")
	has(t, read, ids[2], texts[2])
	if got, want := read.Hash("address", "203.0.113.9"), goldenHash; got != want {
		t.Errorf("the hash of 203.0.113.9 is %s, and was %s", got, want)
	}
	written := make(map[string][]byte)
	for name, b := range all(t, newData, "vault") {
		written["data/"+name] = b
	}
	for name, b := range all(t, newKeys, ".") {
		written[path.Join("keys", name)] = b
	}
	if len(written) != len(golden) {
		t.Errorf("%d files were written, want %d", len(written), len(golden))
	}
	for name, b := range golden {
		if !bytes.Equal(written[name], b) {
			t.Errorf("%s is written as\n%x\nand the golden file is\n%x", name, written[name], b)
		}
	}
}

const goldenHash = "7f1073bb7975e89455f78af484a00ae7"

// TestGoldenPassphrase opens a wrapped key file that was written once.
func TestGoldenPassphrase(t *testing.T) {
	b, err := os.ReadFile(filepath.Join("testdata", "wrapped.key"))
	if err != nil {
		t.Fatal(err)
	}
	keys := disk.NewLossy()
	restore(t, keys, map[string][]byte{keyName: b})
	v, _ := start(t, disk.NewLossy(), keys, Options{Passphrase: "correct horse"})
	if got := v.Hash("address", "203.0.113.9"); got != goldenHash {
		t.Errorf("the hash of 203.0.113.9 is %s, and was %s", got, goldenHash)
	}
}

// TestDocument compares the examples in doc/formats/vault.md with the golden files.
func TestDocument(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "doc", "formats", "vault.md"))
	if err != nil {
		t.Fatal(err)
	}
	var shown []byte // every byte of every dump, one after the other
	for line := range strings.Lines(string(text)) {
		if len(line) < 50 || line[8] != ':' {
			continue
		}
		if _, err := hex.DecodeString(line[:8]); err != nil {
			continue
		}
		row, err := hex.DecodeString(strings.ReplaceAll(line[10:49], " ", ""))
		if err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		shown = append(shown, row...)
	}
	for _, name := range []string{"slots", "pack-000001", "erased"} {
		golden, err := os.ReadFile(filepath.Join("testdata", "data", "vault", name))
		if err != nil {
			t.Fatal(err)
		}
		rest, ok := bytes.CutPrefix(shown, golden)
		if !ok {
			t.Fatalf("doc/formats/vault.md shows other bytes for %s", name)
		}
		shown = rest
	}
	key, err := os.ReadFile(filepath.Join("testdata", "keys", keyName))
	if err != nil || !bytes.Contains(text, key) {
		t.Errorf("doc/formats/vault.md does not show the golden key file, %v", err)
	}
}

// FuzzFiles opens a vault with any slots, pack and list. The laws: a record that is accepted prints the same; Get
// gives what was put, or an error.
func FuzzFiles(f *testing.F) {
	data, keys := disk.NewLossy(), disk.NewLossy()
	v, _ := start(f, data, keys, Options{Random: chance()})
	texts := goldenTexts()
	ids := put(f, v, texts...)
	if err := v.Erase(ids[1]); err != nil {
		f.Fatal(err)
	}
	files, keyFiles := all(f, data, "vault"), all(f, keys, ".")
	add := func(change func(map[string][]byte)) {
		m := make(map[string][]byte)
		for name, b := range files {
			m[name] = bytes.Clone(b)
		}
		change(m)
		f.Add(m["vault/slots"], m["vault/pack-000001"], m["vault/erased"])
	}
	add(func(map[string][]byte) {})
	add(func(m map[string][]byte) { m["vault/slots"] = m["vault/slots"][:300] })
	add(func(m map[string][]byte) { clear(m["vault/slots"][128:256]) })
	add(func(m map[string][]byte) { m["vault/pack-000001"][60]++ })
	add(func(m map[string][]byte) { m["vault/erased"] = m["vault/erased"][:70] })
	f.Fuzz(func(t *testing.T, slots, pack, erased []byte) {
		data, keys := disk.NewLossy(), disk.NewLossy()
		restore(t, data, map[string][]byte{"vault/slots": slots, "vault/pack-000001": pack, "vault/erased": erased})
		restore(t, keys, keyFiles)
		for i := int64(0); (i+2)*slotSize <= int64(len(slots)); i++ {
			raw := slots[(i+1)*slotSize : (i+2)*slotSize]
			if s, ok := parseSlot(v.vault, i, raw); ok && !bytes.Equal(printSlot(v.vault, i, s), raw) {
				t.Errorf("slot %x is printed as %x", raw, printSlot(v.vault, i, s))
			}
		}
		for i := int64(0); erasedHeader+(i+1)*erasedSize <= int64(len(erased)); i++ {
			raw := erased[erasedHeader+i*erasedSize : erasedHeader+(i+1)*erasedSize]
			if e, batch, ok := parseErasure(v.vault, i, raw); ok && !bytes.Equal(printErasure(v.vault, i, batch, e), raw) {
				t.Errorf("erasure %x is printed as %x", raw, printErasure(v.vault, i, batch, e))
			}
		}
		for _, readOnly := range []bool{true, false} {
			v, _, err := Open(data, "vault", keys, Options{ReadOnly: readOnly})
			if err != nil {
				continue
			}
			for i, name := range ids {
				if b, err := v.Get(name); err == nil && (string(b) != texts[i] || i == 1) {
					t.Errorf("object %d became %q", i, b)
				}
			}
			if readOnly {
				continue
			}
			if name, err := v.Put([]byte("after")); err == nil {
				has(t, v, name, "after")
			}
		}
	})
}

// FuzzKey is parse∘print = id for key files.
func FuzzKey(f *testing.F) {
	for _, name := range []string{"testdata/keys/vault.key", "testdata/wrapped.key"} {
		b, err := os.ReadFile(filepath.FromSlash(name))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := parseKey(b)
		if err == nil && !bytes.Equal(m.print(), b) {
			t.Errorf("%q is printed as %q", b, m.print())
		}
	})
}

func BenchmarkOpen100000(b *testing.B) {
	folder, err := disk.Open(b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	defer folder.Close()
	v, _ := start(b, folder, folder, Options{})
	for range 100 {
		put(b, v, make([]string, 1000)...)
	}
	if err := v.Close(); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		v, said := start(b, folder, folder, Options{})
		if said.Objects != 100_000 {
			b.Fatal(said)
		}
		if err := v.Close(); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkPut(b *testing.B) {
	folder, err := disk.Open(b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	defer folder.Close()
	v, _ := start(b, folder, folder, Options{})
	defer v.Close()
	for b.Loop() {
		put(b, v, "203.0.113.9")
	}
}
