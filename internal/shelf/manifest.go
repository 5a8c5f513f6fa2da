package shelf

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"path"
	"strings"
	"time"

	"tocsin/internal/disk"
	"tocsin/internal/record"
)

// The manifest is the truth about which volumes there are: a file that it does not name is not there, and is removed on the next
// start. It is a file of text lines, each a JSON object (RFC 8259) behind its CRC-32C in eight hexadecimal digits and a blank. A line
// is appended and synced before anything is done that follows from it. When it is long it is written anew, whole, under another name,
// and renamed.
const manifestName = "manifest"

// A Volume is the lines of one source and hour, or of fewer: two files.
type Volume struct {
	Name     string    `json:"name"`   // of both files, below the shelf's folder, without their ends
	Source   string    `json:"source"` // as SourceName says it
	Wrote    Wrote     `json:"wrote"`
	Hour     time.Time `json:"hour"`  // of the records in it, by their time; its first when they are of several hours
	Rows     int       `json:"rows"`  // records
	Kept     int       `json:"kept"`  // lines; fewer than records when a line holds several
	First    int64     `json:"first"` // numbers of its first and last line; others may lie between
	Last     int64     `json:"last"`
	From     int64     `json:"from"` // record time of the earliest and latest, nanoseconds; by time of receipt where a line has none
	Until    int64     `json:"until"`
	Received int64     `json:"received"` // the latest time of receipt
	Raw      int64     `json:"raw"`      // bytes of the lines with their ends
	Lines    File      `json:"lines"`
	Columns  File      `json:"columns"`
	Form     int       `json:"form,omitempty"` // of its columns: formIndexed; 0: rows sorted by address, without an index
}

// formIndexed is the form of columns in the order of the lines, with an index (columns.go).
const formIndexed = 2

// Wrote is a record.LogSource.
type Wrote struct {
	Categories []string `json:"categories,omitempty"`
	Product    string   `json:"product,omitempty"`
	Service    string   `json:"service,omitempty"`
}

// Key is one text for it.
func (w Wrote) Key() string {
	return strings.Join(append([]string{w.Product, w.Service}, w.Categories...), "\x00")
}

// LogSource returns it as records have it.
func (w Wrote) LogSource() record.LogSource {
	return record.LogSource{Categories: w.Categories, Product: w.Product, Service: w.Service}
}

// A File is one file of a volume.
type File struct {
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"` // hex
}

const (
	linesEnd   = ".lines"
	columnsEnd = ".parquet"
	unborn     = ".new"
)

// Indexed reports whether its columns should have an index.
func (v *Volume) Indexed() bool { return v.Form == formIndexed }

// Bytes is what a volume takes on the disk.
func (v *Volume) Bytes() int64 { return v.Lines.Size + v.Columns.Size }

// A deed is one line of the manifest.
type deed struct {
	Deed    string   `json:"deed"`
	Version int      `json:"version,omitempty"` // of begun
	Through int64    `json:"through,omitempty"` // of sealed and begun: lines up to here are on the shelf, or were
	Parser  []byte   `json:"parser,omitempty"`  // of sealed and begun: what the parser knew then
	Came    []Volume `json:"came,omitempty"`
	Gone    []string `json:"gone,omitempty"`
	Why     string   `json:"why,omitempty"` // of aside
	At      string   `json:"at,omitempty"`  // RFC 3339, for people
}

// What a deed can be.
const (
	begun   = "begun"   // the first line: all that there was when the manifest was written anew
	sealed  = "sealed"  // lines came from the write-ahead log
	joined  = "joined"  // volumes became one
	expired = "expired" // volumes are not to be kept any longer
	aside   = "aside"   // a volume is damaged; its files lie in the folder aside
)

// rewriteFrom is how many lines of the manifest, beyond those that tell of volumes that are there, make it be written anew.
const rewriteFrom = 4096

func encodeDeed(d deed) ([]byte, error) {
	b, err := json.Marshal(d)
	if err != nil {
		return nil, err
	}
	return fmt.Appendf(nil, "%08x %s\n", crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli)), b), nil
}

func decodeDeed(line []byte) (d deed, err error) {
	if len(line) < 10 || line[8] != ' ' {
		return d, errors.New("it is no line of a manifest")
	}
	want, err := hex.DecodeString(string(line[:8]))
	if err != nil || crc32.Checksum(line[9:], crc32.MakeTable(crc32.Castagnoli)) != uint32(want[0])<<24|uint32(want[1])<<16|uint32(want[2])<<8|uint32(want[3]) {
		return d, errors.New("its checksum is wrong")
	}
	r := json.NewDecoder(bytes.NewReader(line[9:]))
	r.DisallowUnknownFields()
	if err := r.Decode(&d); err != nil {
		return d, fmt.Errorf("a newer program wrote it: %w", err)
	}
	return d, nil
}

// A state is what the manifest says.
type state struct {
	volumes map[string]*Volume
	aside   map[string]string // names of volumes that were set aside since the manifest was written whole, and why
	through int64
	parser  []byte
	deeds   int
}

func newState() *state { return &state{volumes: map[string]*Volume{}, aside: map[string]string{}} }

// apply folds a deed.
func (s *state) apply(d deed) error {
	switch d.Deed {
	case begun:
		if d.Version != 1 {
			return fmt.Errorf("it is of version %d, which this program does not know", d.Version)
		}
		s.through, s.parser = d.Through, d.Parser
	case sealed:
		if d.Through < s.through {
			return fmt.Errorf("it seals lines up to %d after lines up to %d", d.Through, s.through)
		}
		s.through, s.parser = d.Through, d.Parser
	case joined, expired, aside:
	default:
		return fmt.Errorf("it tells of %q, which this program does not know", d.Deed)
	}
	for _, n := range d.Gone {
		if s.volumes[n] == nil {
			return fmt.Errorf("it takes the volume %s away, which is not there", n)
		}
		delete(s.volumes, n)
		if d.Deed == aside {
			s.aside[n] = d.Why
		}
	}
	for _, v := range d.Came {
		if s.volumes[v.Name] != nil || !sound(v) {
			return fmt.Errorf("it brings the volume %q, which cannot be", v.Name)
		}
		s.volumes[v.Name] = &v
	}
	s.deeds++
	return nil
}

// sound reports whether a volume can be one: above all, whether its name stays in the folder.
func sound(v Volume) bool {
	return fs.ValidPath(v.Name) && v.Name != "." && path.Ext(v.Name) == "" && v.Rows >= v.Kept && v.Kept > 0 && v.First > 0 && v.Last >= v.First && v.Until >= v.From
}

// readManifest folds a manifest. It returns where its good lines end: what stands behind is the torn tail of a write that was not
// acknowledged. A bad line before a good one is damage.
func readManifest(b []byte) (s *state, end int, err error) {
	s = newState()
	bad, why := -1, error(nil)
	for at, n := 0, 1; at < len(b); n++ {
		i := bytes.IndexByte(b[at:], '\n')
		line := b[at:]
		if i >= 0 {
			line = b[at : at+i]
		}
		d, err := decodeDeed(line)
		if i < 0 && err == nil {
			err = errors.New("it has no end")
		}
		switch {
		case err == nil && bad >= 0:
			return nil, 0, fmt.Errorf("line %d of the manifest cannot be read: %w", bad, why)
		case err == nil:
			if (n == 1) != (d.Deed == begun) {
				return nil, 0, fmt.Errorf("line %d of the manifest: a manifest begins with its version, and nothing else does", n)
			}
			if err := s.apply(d); err != nil {
				return nil, 0, fmt.Errorf("line %d of the manifest: %w", n, err)
			}
			end = at + len(line) + 1
		case bad < 0:
			bad, why = n, err
		}
		if i < 0 {
			break
		}
		at += i + 1
	}
	return s, end, nil
}

// whole is the deed that begins a manifest in which is all of s.
func (s *state) whole() deed {
	d := deed{Deed: begun, Version: 1, Through: s.through, Parser: s.parser}
	for _, v := range inOrder(s.volumes) {
		d.Came = append(d.Came, *v)
	}
	return d
}

// writeWhole replaces the manifest by one that says the same.
func (s *Shelf) writeWhole() error {
	b, err := encodeDeed(s.state.whole())
	if err != nil {
		return err
	}
	if s.manifest != nil {
		_ = s.manifest.Close()
		s.manifest = nil
	}
	if err := disk.Replace(s.layer, path.Join(s.dir, manifestName), b); err != nil {
		return err
	}
	s.state.deeds = 1
	s.manifest, err = disk.OpenAppend(s.layer, path.Join(s.dir, manifestName))
	s.length = int64(len(b))
	return err
}

// do appends a deed, durably, and folds it. After an error that is not ErrFull nothing is done any more.
func (s *Shelf) do(d deed) error {
	if s.broken != nil {
		return fmt.Errorf("%w: %w", ErrBroken, s.broken)
	}
	b, err := encodeDeed(d)
	if err != nil {
		return err
	}
	if _, err = s.manifest.Write(b); err == nil {
		err = s.manifest.Sync()
	} else if disk.Full(err) && s.manifest.Truncate(s.length) == nil && s.manifest.Sync() == nil {
		return fmt.Errorf("%w: %w", ErrFull, err)
	}
	if err != nil {
		s.broken = err
		return fmt.Errorf("%w: writing the manifest: %w", ErrBroken, err)
	}
	s.length += int64(len(b))
	s.mu.Lock()
	err = s.state.apply(d)
	s.mu.Unlock()
	if err == nil && s.state.deeds > rewriteFrom {
		err = s.writeWhole()
	}
	if err != nil {
		s.broken = err
	}
	return err
}
