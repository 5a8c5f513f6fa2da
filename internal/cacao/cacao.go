// Package cacao reads and writes CACAO security playbooks 2.0 (OASIS Committee Specification 01), the format in which other programs keep them.
//
//	file of JSON -> parse (strict) -> check: kinds, ids, pointers -> the flow as a graph without rings -> steps, facts, conditions of ours -> playbook.Read
//	playbook + the kept file -> what people changed since is written over it -> canonical JSON (RFC 8785)
//
// The two formats do not say the same. What ours has no place for (commands for machines, credentials, signatures, markings) is never lost: the
// whole file is kept beside the playbook (playbook.Foreign), and an export of what nobody changed is that file. What CACAO has no place for
// (roles, by what one sees that a step is done, approvals) goes into an extension, which CACAO has for that. doc/formats/cacao.md has the mapping.
//
// Nothing in a file is followed or run: commands become text that a person reads, and each step is done by hand.
package cacao

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"

	"tocsin/internal/playbook"
)

// A Finding is something about a file, with its place.
type Finding struct {
	Place   string // JSON pointer (RFC 6901); "" is the whole file
	Says    string
	Warning bool // it can be used all the same
}

func (f Finding) String() string {
	if f.Place == "" {
		return f.Says
	}
	return f.Place + ": " + f.Says
}

func (f *Finding) Error() string { return f.String() }

// An Import is a playbook that was read of a file.
type Import struct {
	Playbook   *playbook.Playbook // with the file that it was made of
	TLP        string             // the strictest marking of TLP 2.0, as TLP:AMBER; "" when the file has none. Whoever shows or sends the playbook keeps to it
	Signatures int                // that the file has. They are kept, and nobody verified them
	ID         string             // of the file: playbook--UUID
	By         string             // who made the file: identity--UUID
	file       map[string]any
	Modified   string // the version of it, RFC 3339
}

// Read reads a file. The import is nil when something in it cannot be taken over; findings say what is wrong, and, as warnings, what was taken
// over otherwise than it is written.
func Read(data []byte) (*Import, []Finding) {
	v, f := parse(data)
	if f != nil {
		return nil, []Finding{*f}
	}
	d := &document{}
	if d.check(v); d.refused() {
		return nil, d.findings
	}
	x := &Import{ID: str(d.root, "id"), By: str(d.root, "created_by"), Modified: str(d.root, "modified"), file: d.root}
	d.markings(x)
	d.warnings(x)
	if p := d.ours(); p != nil {
		x.Playbook = p
		return x, d.findings
	}
	_, p := d.mapped()
	if d.refused() {
		return nil, d.findings
	}
	if x.Playbook = p; !x.Keep() {
		d.say("", "the file and what is made of it have more than %d bytes, which a playbook with the file that it was made of has at most", playbook.MaxFile)
		return nil, d.findings
	}
	return x, d.findings
}

// Keep lets the playbook keep the file that it was read of, so that its export is that file. One that an export of ours carries keeps none by itself:
// whoever is not the one that exported it wants it, since otherwise they export it as theirs. It is false when both are too large together; then nothing is kept.
func (x *Import) Keep() bool {
	p := x.Playbook
	if p.Foreign != nil {
		return true
	}
	p.Foreign = &playbook.Foreign{Source: lined(x.file), Mapped: Mapped(p)}
	if len(p.Foreign.Source) > playbook.MaxSource || len(p.Print()) > playbook.MaxFile {
		p.Foreign = nil
		return false
	}
	return true
}

// Rename gives the playbook another name in the plan. The file that it keeps stays as it is.
func (x *Import) Rename(id string) {
	p := x.Playbook
	p.ID = id
	if p.Foreign != nil {
		p.Foreign.Mapped = Mapped(p)
	}
}

// ID is that of the file as which somebody exports a playbook of theirs.
func ID(by, id string) string { return "playbook--" + uuid(by, id) }

// mapped makes a playbook of the workflow. It is nil when that cannot be; the document is told why.
func (d *document) mapped() (m *mapping, p *playbook.Playbook) {
	before := len(d.findings)
	for _, plain := range []bool{false, true} {
		d.findings = d.findings[:before]
		m = newMapping(d, plain)
		if p = m.playbook(); p == nil {
			return m, nil
		}
		p, findings := playbook.Read("", p.Own())
		if p != nil {
			return m, p
		}
		for _, f := range findings { // answers to the file's own variables may rule each other out: ask for each condition then
			if !f.Warning {
				d.say("", "what is made of the file is no playbook: %s", f.Says)
			}
		}
	}
	return m, nil
}

// Mapped is the SHA-256 of a playbook without its foreign file.
func Mapped(p *playbook.Playbook) string {
	sum := sha256.Sum256(p.Own())
	return hex.EncodeToString(sum[:])
}

// A document is a file that is read, with what is said of it.
type document struct {
	root     map[string]any
	flow     map[string]map[string]any // the steps
	own      *playbook.Playbook        // that an export of ours left in the file
	findings []Finding
}

func (d *document) say(place, format string, args ...any) {
	d.findings = append(d.findings, Finding{Place: place, Says: fmt.Sprintf(format, args...)})
}

func (d *document) warn(place, format string, args ...any) {
	d.findings = append(d.findings, Finding{Place: place, Says: fmt.Sprintf(format, args...), Warning: true})
}

func (d *document) refused() bool {
	return slices.ContainsFunc(d.findings, func(f Finding) bool { return !f.Warning })
}

// str is a text of an object, "" when there is none.
func str(o map[string]any, key string) string {
	s, _ := o[key].(string)
	return s
}

func obj(o map[string]any, key string) map[string]any {
	m, _ := o[key].(map[string]any)
	return m
}

func list(o map[string]any, key string) []any {
	l, _ := o[key].([]any)
	return l
}

// texts are the texts of a list.
func texts(o map[string]any, key string) (out []string) {
	for _, x := range list(o, key) {
		if s, ok := x.(string); ok {
			out = append(out, s)
		}
	}
	return out
}
