package desk

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"tocsin/internal/auth"
	"tocsin/internal/entry"
	"tocsin/internal/incident"
	"tocsin/internal/query"
)

// AttachAtOnce is how many lines one entry attaches at most. Each is read for it.
const AttachAtOnce = 1000

// An AttachedLine is a line that is part of an incident, as it was when it was attached. It is kept in the vault, and outlives the line: doc/formats/ledger.md.
type AttachedLine struct {
	Number   int64     `json:"n"`
	At       time.Time `json:"at,omitzero"` // record time
	Received time.Time `json:"received"`
	Host     string    `json:"host,omitempty"`
	File     string    `json:"file"`
	Bytes    int       `json:"bytes"`
	SHA256   string    `json:"sha256"`           // of the line's bytes, in hex
	Volume   string    `json:"volume,omitempty"` // "": it was not on the shelf yet
}

// attachedLines is the vault object.
type attachedLines struct {
	Query string         `json:"query,omitempty"` // that found them; "": they were chosen one by one
	Lines []AttachedLine `json:"lines"`           // by their numbers
}

// Attach makes kept lines, named by their numbers, part of an open incident, and returns how many were not yet. Errors: a FieldError of "line" or "incident", MissingLine when one of them
// is not kept, incident.ErrClosed, incident.ErrNotFound, auth.Refusal, ErrBroken.
func (d *Desk) Attach(ctx context.Context, actor auth.Actor, id int64, numbers []int64) (int, error) {
	return d.attach(ctx, actor, id, numbers, "")
}

// AttachFound does it with the lines that a query finds. The query has no stages but session.
func (d *Desk) AttachFound(ctx context.Context, actor auth.Actor, id int64, q *query.Query) (int, error) {
	numbers, err := d.numbersOf(ctx, actor, q)
	if err != nil {
		return 0, err
	}
	return d.attach(ctx, actor, id, numbers, q.String())
}

// numbersOf are the numbers of the lines that a query finds, if they can be attached at once.
func (d *Desk) numbersOf(ctx context.Context, actor auth.Actor, q *query.Query) (numbers []int64, err error) {
	for _, s := range q.Stages {
		if s.Kind != query.Session {
			return nil, FieldError{"line", "Only whole lines can be attached, so the stage " + s.Kind.String() + " cannot be in their query; leave it out."}
		}
	}
	list := *q
	list.Stages = append(slices.Clone(q.Stages), query.Stage{Kind: query.Columns, By: []query.Field{query.Number}}, query.Stage{Kind: query.Tail, N: AttachAtOnce + 1})
	found, err := d.Search(ctx, actor, &list, nil)
	switch {
	case err != nil:
		return nil, err
	case found.Cut != "" || len(found.Damaged) > 0:
		return nil, FieldError{"line", "Not all lines could be searched, so it is not known which match. " + found.Cut}
	case len(found.Rows) == 0:
		return nil, FieldError{"line", "No line matches, so there is nothing to attach."}
	case found.Matched > AttachAtOnce:
		return nil, FieldError{"line", fmt.Sprintf("%d lines match, and at most %d are attached at once: narrow the query, or export them as evidence.", found.Matched, AttachAtOnce)}
	}
	for _, row := range found.Rows {
		numbers = append(numbers, int64(row[0].Number))
	}
	return numbers, nil
}

func (d *Desk) attach(ctx context.Context, actor auth.Actor, id int64, numbers []int64, found string) (int, error) {
	err := cmp.Or(d.MayOn(actor, auth.Handle, id), d.MayOn(actor, auth.SearchLines, id), d.Broken())
	if errors.Is(err, incident.ErrNotFound) {
		err = FieldError{"incident", "Choose an incident that is open."}
	}
	if err != nil {
		return 0, err
	}
	numbers = slices.Compact(slices.Sorted(slices.Values(numbers)))
	switch {
	case len(numbers) == 0:
		return 0, FieldError{"line", "Choose at least one line."}
	case len(numbers) > AttachAtOnce:
		return 0, FieldError{"line", fmt.Sprintf("At most %d lines are attached at once.", AttachAtOnce)}
	}
	known, err := d.attachedTo(id)
	if err != nil {
		return 0, err
	}
	ctx, stop := context.WithTimeout(ctx, SearchLimit)
	defer stop()
	x := attachedLines{Query: found}
	lines, err := d.linesBy(ctx, actor, slices.DeleteFunc(numbers, func(n int64) bool { return known[n] }))
	if err != nil {
		return 0, err
	}
	for _, l := range lines {
		x.Lines = append(x.Lines, attachedLine(l))
	}
	if len(x.Lines) == 0 {
		return 0, FieldError{"line", fmt.Sprintf("These lines are part of incident %d already.", id)}
	}
	b, err := json.Marshal(x)
	if err != nil {
		return 0, err
	}
	object, err := d.vault.Put(b)
	if err != nil {
		return 0, fmt.Errorf("keeping which lines are attached: %w", err)
	}
	return len(x.Lines), d.doOn(actor, auth.Handle, id, func(s *State, _ time.Time) (entry.Draft, error) {
		return s.Incidents.Attach(actor.Name, entry.Attached{ID: id, Lines: len(x.Lines), First: x.Lines[0].Number, Last: x.Lines[len(x.Lines)-1].Number,
			Vault: object, Hash: d.vault.Hash("attached", string(b))})
	})
}

func attachedLine(l Line) AttachedLine {
	a := AttachedLine{Number: l.Seq, Received: l.Received, Host: strings.ToValidUTF8(l.Host, "\ufffd"), File: strings.ToValidUTF8(l.File, "\ufffd"), Bytes: len(l.Raw), SHA256: l.SHA256}
	if len(l.Records) > 0 {
		a.At = l.Records[0].Time
	}
	if len(l.Volumes) > 0 {
		a.Volume = l.Volumes[0].Name
	}
	return a
}

// attachedTo are the numbers of the lines of an incident on which one may work.
func (d *Desk) attachedTo(id int64) (map[int64]bool, error) {
	var i incident.Incident
	var err error
	d.Read(func(s *State) {
		x, e := s.Incidents.Get(id)
		if err = e; e == nil {
			i.Closed, i.Lines = x.Closed, slices.Clone(x.Lines)
		}
	})
	switch {
	case errors.Is(err, incident.ErrNotFound):
		return nil, FieldError{"incident", "Choose an incident that is open."}
	case err != nil:
		return nil, err
	case i.Closed:
		return nil, FieldError{"incident", fmt.Sprintf("Incident %d is closed; reopen it first, or choose another.", id)}
	}
	known := map[int64]bool{}
	for _, a := range i.Lines {
		lines, err := d.attachedIn(a)
		if err != nil {
			continue // erased or damaged: to attach them again is then right
		}
		for _, l := range lines {
			known[l.Number] = true
		}
	}
	return known, nil
}

// attachedIn reads which lines an entry attached, and holds them against it.
func (d *Desk) attachedIn(a incident.Attachment) ([]AttachedLine, error) {
	b, err := d.vault.Get(a.Vault)
	if err != nil {
		return nil, err
	}
	if d.vault.Hash("attached", string(b)) != a.Hash {
		return nil, fmt.Errorf("which lines entry %d attached is not what it says", a.N)
	}
	var x attachedLines
	err = json.Unmarshal(b, &x)
	return x.Lines, err
}

// An IncidentLine is a line of an incident, with what became of it.
type IncidentLine struct {
	AttachedLine
	Actor   string // who attached it
	Learned time.Time
	Raw     string // "" when Why says why it is not there
	Why     string // a sentence: it is not kept any more, or its bytes are others
	Grave   bool   // its bytes are others
}

// IncidentLines returns lines of an incident, those that were attached last first, from place from on and at most most of them, and how many there are. Who may not search gets
// no text. Lines that are not read when ctx ends say so.
func (d *Desk) IncidentLines(ctx context.Context, actor auth.Actor, id int64, from, most int) (out []IncidentLine, all int, err error) {
	if err := d.MayOn(actor, auth.See, id); err != nil {
		return nil, 0, err
	}
	var attached []incident.Attachment
	d.Read(func(s *State) {
		i, e := s.Incidents.Get(id)
		if err = e; e == nil {
			attached = slices.Clone(i.Lines)
		}
	})
	if err != nil {
		return nil, 0, err
	}
	for _, a := range slices.Backward(attached) {
		first := all
		if all += a.Lines; all <= from || len(out) == most {
			continue
		}
		lines, err := d.attachedIn(a)
		if err != nil {
			out = append(out, IncidentLine{AttachedLine: AttachedLine{Number: a.First}, Actor: a.Actor, Learned: a.Learned,
				Why: fmt.Sprintf("Which lines entry %d attached cannot be read: %v.", a.N, err)})
			continue
		}
		for k := max(0, from-first); k < len(lines) && len(out) < most; k++ {
			out = append(out, d.incidentLine(ctx, actor, a, lines[k]))
		}
	}
	return out, all, nil
}

func (d *Desk) incidentLine(ctx context.Context, actor auth.Actor, a incident.Attachment, l AttachedLine) IncidentLine {
	out := IncidentLine{AttachedLine: l, Actor: a.Actor, Learned: a.Learned}
	now, err := d.Line(ctx, actor, l.Number)
	_, refused := errors.AsType[auth.Refusal](err)
	_, missing := errors.AsType[MissingLine](err)
	switch {
	case refused:
		out.Why = "Reading it needs the right to search."
	case missing:
		out.Why = "This line is not kept any more; its SHA-256 is."
	case ctx.Err() != nil:
		out.Why = "It was not read in time; open it by its number."
	case err != nil:
		out.Why = "It cannot be read: " + err.Error() + "."
	case now.SHA256 != l.SHA256:
		out.Why, out.Grave = "The line that has this number now is not the one that was attached.", true
	default:
		out.Raw = now.Raw
	}
	return out
}
