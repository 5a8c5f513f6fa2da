package dossier

import (
	"bytes"
	"crypto/ed25519"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/mod/sumdb/note"

	"tocsin/internal/entry"
)

const ledger = "shop.example/ledger"

func keys(t testing.TB, name string, seed byte) (note.Signer, note.Verifier) {
	t.Helper()
	secret, public, err := note.GenerateKey(bytes.NewReader(bytes.Repeat([]byte{seed}, ed25519.SeedSize)), name)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := note.NewSigner(secret)
	if err != nil {
		t.Fatal(err)
	}
	verifier, err := note.NewVerifier(public)
	if err != nil {
		t.Fatal(err)
	}
	return signer, verifier
}

// sealed is the dossier of the skimmer with its manifest.
func sealed(t testing.TB) (files map[string][]byte, signed []byte, key note.Verifier) {
	t.Helper()
	c := skimmer()
	files = map[string][]byte{}
	for ending, data := range formats(t, Assemble(c, Full, Amber, time.UTC)) {
		files[Name(c.ID, Full, ending)] = data
	}
	signer, key := keys(t, ledger, 1)
	signed, err := Seal(Manifest{Incident: c.ID, Depth: Full, Audience: Amber, Made: c.Made, Head: c.Head}, files, signer)
	if err != nil {
		t.Fatal(err)
	}
	return files, signed, key
}

// TestSeal: what was sealed is verified, whole or one format alone.
func TestSeal(t *testing.T) {
	files, signed, key := sealed(t)
	c, err := Verify(files, signed, key)
	if err != nil || len(c.Absent) != 0 {
		t.Fatalf("Verify = %+v, %v", c, err)
	}
	if want := slices.Sorted(maps.Keys(files)); len(c.Manifest.Files) != 4 || c.Manifest.Files[0].Name != want[0] {
		t.Errorf("the manifest names %v, want %v", c.Manifest.Files, want)
	}
	pdf := Name(42, Full, ".pdf")
	c, err = Verify(map[string][]byte{pdf: files[pdf]}, signed, key)
	if diff := cmp.Diff([]string{"incident-42-full.docx", "incident-42-full.html", "incident-42-full.md"}, c.Absent); err != nil || diff != "" {
		t.Errorf("with the PDF alone: %v; absent (-want +got):\n%s", err, diff)
	}
	if _, err := entry.PeekHead(signed); err == nil {
		t.Error("a manifest can be taken for a head")
	}
}

// TestChanged: one changed byte anywhere, in a file or in the manifest, is found.
func TestChanged(t *testing.T) {
	files, signed, key := sealed(t)
	for name, data := range files {
		for k := 0; k < len(data); k += max(1, len(data)/50) {
			changed := maps.Clone(files)
			changed[name] = bytes.Clone(data)
			changed[name][k] ^= 0x20
			if _, err := Verify(changed, signed, key); err == nil || !strings.Contains(err.Error(), name) {
				t.Fatalf("byte %d of %s changed: %v", k, name, err)
			}
		}
		for _, other := range [][]byte{data[:len(data)-1], append(bytes.Clone(data), 0), nil} {
			if _, err := Verify(map[string][]byte{name: other}, signed, key); err == nil {
				t.Errorf("%s with %d bytes passes", name, len(other))
			}
		}
	}
	for k := range signed {
		changed := bytes.Clone(signed)
		changed[k] ^= 1
		if _, err := Verify(files, changed, key); err == nil {
			t.Fatalf("byte %d of the manifest may change unseen", k)
		}
	}
}

// TestVerifyRefuses is what else does not fit, with its sentence.
func TestVerifyRefuses(t *testing.T) {
	files, signed, key := sealed(t)
	signer, _ := keys(t, ledger, 1)
	_, otherKey := keys(t, ledger, 2)
	sign := func(lines string) []byte {
		t.Helper()
		s, err := entry.SignDossier(lines, signer)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	const front = "incident 42\ndepth full\naudience TLP:AMBER\nmade 2026-03-01T04:05:06Z\nhead 160 R0N0rqSuTCJzUKDNIrCDK7hNmIt3slCZ6Hw+4DnvjpE=\n"
	sum := strings.Repeat("0a", 32)
	for _, x := range []struct {
		name  string
		files map[string][]byte
		note  []byte
		key   note.Verifier
		want  string
	}{
		{"another key", files, signed, otherKey, "not by the key of this ledger"},
		{"a strange file", map[string][]byte{"x.pdf": nil}, signed, key, "does not name"},
		{"no file", nil, signed, key, "no file"},
		{"no manifest", files, []byte("hello"), key, "no signed manifest"},
		{"a folder in a name", files, sign(front + "file ../x 1 " + sum + "\n"), key, "line of a file"},
		{"names not ascending", files, sign(front + "file b 1 " + sum + "\nfile a 1 " + sum + "\n"), key, "line of a file"},
		{"a plus sign", files, sign(strings.Replace(front, "42", "+42", 1) + "file a 1 " + sum + "\n"), key, "text"},
		{"capitals", files, sign(front + "file a 1 " + strings.ToUpper(sum) + "\n"), key, "line of a file"},
		{"another depth", files, sign(strings.Replace(front, "full", "deep", 1) + "file a 1 " + sum + "\n"), key, "depth"},
		{"no file named", files, sign(front), key, "number of lines"},
	} {
		if _, err := Verify(x.files, x.note, x.key); err == nil || !strings.Contains(err.Error(), x.want) {
			t.Errorf("%s: %v; want %q", x.name, err, x.want)
		}
	}
}

// TestSealRefuses: what could not be verified is not signed.
func TestSealRefuses(t *testing.T) {
	signer, _ := keys(t, ledger, 1)
	good := Manifest{Incident: 1, Depth: Full, Audience: Red, Made: began, Head: skimmer().Head}
	files := map[string][]byte{"a.md": nil}
	for name, change := range map[string]func(m *Manifest, files map[string][]byte){
		"another ledger": func(m *Manifest, _ map[string][]byte) { m.Head.Origin = "other" },
		"no files":       func(_ *Manifest, f map[string][]byte) { clear(f) },
		"no head":        func(m *Manifest, _ map[string][]byte) { m.Head.Root = "" },
		"a label":        func(m *Manifest, _ map[string][]byte) { m.Audience = "TLP:WHITE" },
		"a space":        func(_ *Manifest, f map[string][]byte) { f["a b.md"] = nil },
		"itself":         func(_ *Manifest, f map[string][]byte) { f[ManifestName] = nil },
	} {
		m, f := good, maps.Clone(files)
		change(&m, f)
		if _, err := Seal(m, f, signer); err == nil {
			t.Errorf("%s is sealed", name)
		}
	}
	if _, err := Seal(good, files, signer); err != nil {
		t.Error(err)
	}
}

// FuzzManifest: a manifest that is read is written with the same bytes.
func FuzzManifest(f *testing.F) {
	f.Add("incident 42\ndepth full\naudience TLP:AMBER\nmade 2026-03-01T04:05:06Z\nhead 160 R0N0rqSuTCJzUKDNIrCDK7hNmIt3slCZ6Hw+4DnvjpE=\nfile a.pdf 1 " + strings.Repeat("0a", 32) + "\n")
	f.Add("incident 1\n")
	f.Fuzz(func(t *testing.T, lines string) {
		if m, err := parseManifest(ledger, lines); err == nil && m.lines() != lines {
			t.Errorf("%q is written as %q", lines, m.lines())
		}
	})
}
