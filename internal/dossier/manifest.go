package dossier

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"

	"tocsin/internal/entry"
)

// A Manifest vouches for the files of a dossier: that they were written so, from the ledger as it was at its head. Signed, it is a note
// with the key of the ledger (entry.SignDossier):
//
//	tocsin dossier 1
//	shop.example/ledger                                       the ledger, which named the key
//	incident 42
//	depth full
//	audience TLP:AMBER
//	made 2026-03-01T04:05:06Z                                 UTC, whole seconds
//	head 1234 R0N0rqSuTCJzUKDNIrCDK7hNmIt3slCZ6Hw+4DnvjpE=    entries then, and the root of their tree
//	file incident-42-full.docx 81234 9f86d081...              bytes and SHA-256, hexadecimal; by name, ascending
//	                                                          empty line
//	— shop.example/ledger 5Rc2...=
//
// The format is for ever: there is one way to write a manifest, and Verify takes no other.
type Manifest struct {
	Incident int64
	Depth    Depth
	Audience Label
	Made     time.Time
	Head     Head
	Files    []File
}

// A File is one that a manifest names.
type File struct {
	Name   string
	Bytes  int64
	SHA256 string
}

// Name is how a dossier's file is called: with what it is about, its depth, and an ending such as ".pdf". It tells nothing else.
func Name(incident int64, depth Depth, ending string) string {
	return fmt.Sprintf("incident-%d-%s%s", incident, depth, ending)
}

// ManifestName is how the manifest is called that lies beside the files.
const ManifestName = "manifest.txt"

// A Check is what Verify found.
type Check struct {
	Manifest Manifest
	Absent   []string // named in the manifest and not given: they were not checked
}

const filesAtMost = 64

// Seal names the files and signs that. The head must be of the key's ledger.
func Seal(m Manifest, files map[string][]byte, key note.Signer) ([]byte, error) {
	if m.Head.Origin != key.Name() {
		return nil, fmt.Errorf("the key of %q cannot sign a dossier from the ledger %q", key.Name(), m.Head.Origin)
	}
	if len(files) == 0 || len(files) > filesAtMost {
		return nil, fmt.Errorf("a dossier has between 1 and %d files; got %d", filesAtMost, len(files))
	}
	m.Files = nil
	for _, name := range slices.Sorted(maps.Keys(files)) {
		m.Files = append(m.Files, file(name, files[name]))
	}
	m.Made = m.Made.UTC().Truncate(time.Second)
	lines := m.lines()
	if back, err := parseManifest(key.Name(), lines); err != nil {
		return nil, fmt.Errorf("this dossier cannot be sealed: %w", err)
	} else if back.lines() != lines {
		return nil, errors.New("this dossier cannot be sealed: its manifest would not be read as it was written")
	}
	return entry.SignDossier(lines, key)
}

func file(name string, data []byte) File {
	sum := sha256.Sum256(data)
	return File{Name: name, Bytes: int64(len(data)), SHA256: hex.EncodeToString(sum[:])}
}

// Verify checks files against a signed manifest. It needs no ledger; whether the ledger of today extends the head is asked of the ledger. An error
// says what does not fit: the signature, the manifest's form, a file that it does not name, or one that was changed. A file that is named
// but not given is no error, because people pass on one format; Check names it.
func Verify(files map[string][]byte, signed []byte, key note.Verifier) (Check, error) {
	lines, err := entry.OpenDossier(signed, key)
	if err != nil {
		return Check{}, err
	}
	m, err := parseManifest(key.Name(), lines)
	if err != nil {
		return Check{}, err
	}
	c := Check{Manifest: m}
	if len(files) == 0 {
		return c, errors.New("there is no file of the dossier to check: put at least one beside its manifest")
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		k := slices.IndexFunc(m.Files, func(f File) bool { return f.Name == name })
		if k < 0 {
			return c, fmt.Errorf("the manifest does not name the file %q: it is not of this dossier, or was renamed", name)
		}
		if got := file(name, files[name]); got.Bytes != m.Files[k].Bytes {
			return c, fmt.Errorf("the file %q was changed: it has %d bytes, and had %d when it was signed", name, got.Bytes, m.Files[k].Bytes)
		} else if got.SHA256 != m.Files[k].SHA256 {
			return c, fmt.Errorf("the file %q was changed: its SHA-256 is %s, and was %s when it was signed", name, got.SHA256, m.Files[k].SHA256)
		}
	}
	for _, f := range m.Files {
		if _, given := files[f.Name]; !given {
			c.Absent = append(c.Absent, f.Name)
		}
	}
	return c, nil
}

func (m Manifest) lines() string {
	var b strings.Builder
	fmt.Fprintf(&b, "incident %d\ndepth %s\naudience %s\nmade %s\nhead %d %s\n", m.Incident, m.Depth, m.Audience, m.Made.Format(time.RFC3339), m.Head.Size, m.Head.Root)
	for _, f := range m.Files {
		fmt.Fprintf(&b, "file %s %d %s\n", f.Name, f.Bytes, f.SHA256)
	}
	return b.String()
}

// parseManifest reads what lines writes and nothing else.
func parseManifest(origin, lines string) (Manifest, error) {
	m := Manifest{Head: Head{Origin: origin}}
	f := strings.Split(strings.TrimSuffix(lines, "\n"), "\n")
	bad := func(what string) (Manifest, error) {
		return Manifest{}, fmt.Errorf("this is no manifest of a dossier: its %s is not written the one way that it is written", what)
	}
	if len(f) < 6 || len(f) > 5+filesAtMost {
		return bad("number of lines")
	}
	value := func(k int, name string) string {
		v, ok := strings.CutPrefix(f[k], name+" ")
		if !ok {
			return ""
		}
		return v
	}
	var err error
	if m.Incident, err = strconv.ParseInt(value(0, "incident"), 10, 64); err != nil {
		return bad("incident")
	}
	if m.Depth = Depth(value(1, "depth")); m.Depth != Executive && m.Depth != Full {
		return bad("depth")
	}
	if m.Audience = Label(value(2, "audience")); !slices.Contains(Labels(), m.Audience) {
		return bad("audience")
	}
	if m.Made, err = time.Parse(time.RFC3339, value(3, "made")); err != nil || m.Made.Location() != time.UTC {
		return bad("time")
	}
	size, root, _ := strings.Cut(value(4, "head"), " ")
	if m.Head.Size, err = strconv.ParseInt(size, 10, 64); err != nil {
		return bad("head")
	}
	m.Head.Root = root
	if _, err := entry.ParseHead(origin + "\n" + size + "\n" + root + "\n"); err != nil {
		return bad("head")
	}
	last := ""
	for k := 5; k < len(f); k++ {
		p := strings.Split(value(k, "file"), " ")
		if len(p) != 3 || !fileName(p[0]) || p[0] <= last {
			return bad("line of a file")
		}
		n, err := strconv.ParseInt(p[1], 10, 64)
		if sum, wrong := hex.DecodeString(p[2]); err != nil || n < 0 || wrong != nil || len(sum) != sha256.Size || hex.EncodeToString(sum) != p[2] {
			return bad("line of a file")
		}
		last = p[0]
		m.Files = append(m.Files, File{Name: p[0], Bytes: n, SHA256: p[2]})
	}
	if m.lines() != lines {
		return bad("text")
	}
	return m, nil
}

// fileName reports whether a manifest may name a file so: letters, digits, "-", "_" and ".", not first a dot. So it names no folder.
func fileName(name string) bool {
	return name != "" && len(name) <= 100 && name[0] != '.' && name != ManifestName && strings.IndexFunc(name, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_.", r))
	}) < 0
}
