package desk

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"tocsin/internal/archive"
	"tocsin/internal/auth"
	"tocsin/internal/entry"
	"tocsin/internal/query"
	"tocsin/internal/record"
	"tocsin/internal/shelf"
)

// Bounds of an export, which is held in memory until it is written.
const (
	exportLines = 200_000
	exportBytes = 256 << 20
)

// An Export is lines as evidence, ready to be written: the ledger names it already.
type Export struct {
	Manifest ExportManifest
	text     []byte // the manifest as it is signed
	seal     []byte
	files    [][]byte
}

// Export takes the lines that a query finds, byte for byte, with a manifest that the ledger's key signs, and writes in the ledger that it
// did. The query has no stages but session. Errors: too many lines, an auth.Refusal, ErrBroken, a disk that cannot be read.
func (d *Desk) Export(ctx context.Context, actor auth.Actor, q *query.Query) (*Export, error) {
	if err := errors.Join(auth.May(actor, auth.SearchLines), d.Broken()); err != nil {
		return nil, err
	}
	for _, s := range q.Stages {
		if s.Kind != query.Session {
			return nil, fmt.Errorf("an export is of whole lines, so the stage %s cannot be in its query; leave it out", s.Kind)
		}
	}
	var found *evidence
	var err error
	for range looks { // while segments go to the shelf
		if found, err = d.evidence(ctx, q); !errors.Is(err, archive.ErrExpired) {
			break
		}
	}
	if err != nil {
		return nil, err
	}
	for _, damage := range found.damaged {
		d.damaged(damage)
	}
	if len(found.lines) == 0 {
		return nil, errors.New("no line matches, so there is nothing to export; try the query with tocsin search")
	}
	x := found.export(q)
	x.Manifest.Origin, x.Manifest.By, x.Manifest.Program, x.Manifest.At = d.key.Origin(), actor.Name, d.o.Version, time.Now().UTC().Truncate(time.Second)
	x.Manifest.Head = string(d.ledger.SignedHead())
	if x.text, err = json.Marshal(x.Manifest); err != nil {
		return nil, err
	}
	sum := sha256.Sum256(x.text)
	hash := hex.EncodeToString(sum[:])
	if x.seal, err = d.key.SignExport(entry.ExportSeal{Origin: d.key.Origin(), Manifest: hash}); err != nil {
		return nil, err
	}
	return x, d.say(actor, auth.SearchLines, q.String(), func(_ *State, text string) (entry.Draft, error) {
		return entry.Draft{Actor: actor.Name, Kind: entry.LinesExported, Subject: "lines",
			Body: entry.LinesExport{Query: text, Lines: int64(len(x.Manifest.Lines)), Bytes: found.bytes, Manifest: hash}}, nil
	})
}

// taken is a line of evidence, and the volume that it came from; nil: the write-ahead log.
type taken struct {
	shelf.Line
	from *shelf.Volume
}

// evidence is the lines that a query finds.
type evidence struct {
	lines   []taken
	bytes   int64
	damaged []*shelf.DamageError
}

func (e *evidence) add(l shelf.Line, from *shelf.Volume) error {
	l.Raw, l.File, l.Host, l.Agent = strings.Clone(l.Raw), strings.Clone(l.File), strings.Clone(l.Host), strings.Clone(l.Agent)
	e.lines = append(e.lines, taken{l, from})
	if e.bytes += int64(len(l.Raw)); e.bytes > exportBytes {
		return tooMuch()
	}
	return nil
}

func tooMuch() error {
	return fmt.Errorf("more matches than an export holds (%d lines, %s): ask for a shorter time, and make several", exportLines, Size(exportBytes))
}

// evidence finds them.
func (d *Desk) evidence(ctx context.Context, q *query.Query) (*evidence, error) {
	e := &evidence{}
	view := d.shelf.View()
	defer view.Close()
	seqs := map[*shelf.Volume][]int64{}
	n := 0
	damaged, err := d.searcher.Lines(ctx, q, view, func(v *shelf.Volume, seq int64) error {
		seqs[v] = append(seqs[v], seq)
		if n++; n > 8*exportLines { // rows; several can be of one line
			return tooMuch()
		}
		return nil
	})
	e.damaged = damaged
	if err != nil {
		return nil, err
	}
	for _, v := range view.Volumes {
		err := e.read(d.shelf, v, seqs[v])
		if damage, ok := errors.AsType[*shelf.DamageError](err); ok {
			e.damaged = append(e.damaged, damage)
		} else if err != nil {
			return nil, err
		}
	}
	last := int64(0)
	err = d.unshelved(ctx, view.Through, func(l shelf.Line, r *record.Record) error {
		if l.Seq == last || !q.Match(r) {
			return nil
		}
		last = l.Seq
		return e.add(l, nil)
	})
	if err = errors.Join(err, ctx.Err()); err != nil {
		return nil, err
	}
	if len(e.lines) > exportLines {
		return nil, tooMuch()
	}
	return e, nil
}

// read takes lines of a volume by their numbers.
func (e *evidence) read(s *shelf.Shelf, v *shelf.Volume, seqs []int64) error {
	slices.Sort(seqs)
	seqs = slices.Compact(seqs)
	if len(seqs) == 0 {
		return nil
	}
	if len(e.lines)+len(seqs) > exportLines {
		return tooMuch()
	}
	l, err := s.OpenLines(v)
	if err != nil {
		return err
	}
	defer l.Close()
	frame, lines := -1, []shelf.Line(nil)
	before := *e
	for _, seq := range seqs {
		if n := l.FrameOf(seq); n != frame && n < l.Frames() {
			if lines, err = l.Read(n); err != nil {
				*e = before
				return err
			}
			frame = n
		}
		i, ok := slices.BinarySearchFunc(lines, seq, func(x shelf.Line, n int64) int { return cmp.Compare(x.Seq, n) })
		if !ok {
			*e = before
			return &shelf.DamageError{Volume: v, File: v.Name, Why: fmt.Sprintf("line %d, which its columns name, is not there", seq)}
		}
		if err := e.add(lines[i], v); err != nil {
			return err
		}
	}
	return nil
}

// export puts the lines in files, and names them.
func (e *evidence) export(q *query.Query) *Export {
	x := &Export{Manifest: ExportManifest{Format: exportFormat, Query: q.String(), Zone: cmp.Or(q.Zone, time.UTC).String(), Volumes: []ExportVolume{}}}
	slices.SortFunc(e.lines, func(a, b taken) int {
		return cmp.Or(strings.Compare(a.Host, b.Host), strings.Compare(a.File, b.File), cmp.Compare(a.Seq, b.Seq))
	})
	m := &x.Manifest
	volumes := map[*shelf.Volume]int{}
	for i, l := range e.lines {
		if i == 0 || l.Host != e.lines[i-1].Host || l.File != e.lines[i-1].File {
			m.Files = append(m.Files, ExportFile{Name: fmt.Sprintf("lines/%05d.log", len(m.Files)+1), Host: strings.ToValidUTF8(l.Host, "\ufffd"), File: strings.ToValidUTF8(l.File, "\ufffd")})
			x.files = append(x.files, nil)
		}
		n := len(m.Files) - 1
		if l.from != nil && volumes[l.from] == 0 {
			m.Volumes = append(m.Volumes, ExportVolume{Name: l.from.Name, Lines: l.from.Lines.SHA256, Columns: l.from.Columns.SHA256})
			volumes[l.from] = len(m.Volumes)
		}
		sum := sha256.Sum256([]byte(l.Raw))
		m.Lines = append(m.Lines, ExportLine{Number: l.Seq, File: n + 1, Bytes: len(l.Raw), Offset: l.Offset, Received: time.Unix(0, l.Received).UTC(),
			Agent: strings.ToValidUTF8(l.Agent, "\ufffd"), Volume: volumes[l.from], SHA256: hex.EncodeToString(sum[:])})
		x.files[n] = append(append(x.files[n], l.Raw...), '\n')
	}
	for n, b := range x.files {
		sum := sha256.Sum256(b)
		m.Files[n].Bytes, m.Files[n].SHA256 = int64(len(b)), hex.EncodeToString(sum[:])
	}
	for _, damage := range e.damaged {
		m.Damaged = append(m.Damaged, ExportDamage{damage.Volume.Name, strings.ToValidUTF8(damage.Why, "\ufffd")})
	}
	return x
}

// Size is how many bytes WriteTo writes.
func (x *Export) Size() int64 {
	n := tarSize(len(x.text)) + tarSize(len(x.seal)) + 2*tarBlock
	for _, f := range x.files {
		n += tarSize(len(f))
	}
	return n
}

// WriteTo writes the export: doc/formats/export.md.
func (x *Export) WriteTo(w io.Writer) (int64, error) {
	out := newExportWriter(w, x.Manifest.At)
	out.put(exportManifest, int64(len(x.text)), bytes.NewReader(x.text))
	out.put(exportSignature, int64(len(x.seal)), bytes.NewReader(x.seal))
	for n, f := range x.files {
		out.put(x.Manifest.Files[n].Name, int64(len(f)), bytes.NewReader(f))
	}
	return x.Size(), out.close()
}
