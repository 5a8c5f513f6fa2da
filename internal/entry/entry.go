// Package entry holds the items of the ledger: one Go struct per kind, for ever.
//
// An entry on disk is one JSON object on a line of its own; those bytes are what is hashed. Fields may be added to a
// body when they are optional; none may change its meaning or go. A golden file per kind holds its bytes.
// Personal data and free text never stand in an entry: it names a vault object and a keyed hash instead; staff appear by id.
//
// The signed head (its format and the check that one head extends another) lives here too, because the agent on a
// shop host checks heads without having a ledger.
package entry

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"
)

// A Kind names what happened, as "noun.verb".
type Kind string

// A Draft is what a decision wants written.
type Draft struct {
	Actor   string // who decided: "person:anna", "desk", "detect"
	Kind    Kind
	Subject string // what it is about: "incident:12", "call:3", "person:anna"
	Body    any    // one of the structs of this package, encoded as JSON
}

// An Entry is one line of the ledger. Once written it never changes.
type Entry struct {
	N       int64           `json:"n"`    // its number, from 1, without gaps
	Time    time.Time       `json:"time"` // when it was written, UTC
	Actor   string          `json:"actor"`
	Kind    Kind            `json:"kind"`
	Subject string          `json:"subject"`
	Body    json.RawMessage `json:"body"`

	Known any `json:"-"` // the body as a Decoder read it, for Body; nil is not yet
}

// Make numbers a draft and encodes it. The line has no line end.
func Make(n int64, now time.Time, d Draft) (e Entry, line []byte, err error) {
	body, err := json.Marshal(d.Body)
	if err != nil {
		return Entry{}, nil, fmt.Errorf("encoding %s: %w", d.Kind, err)
	}
	e = Entry{N: n, Time: now.UTC().Round(0), Actor: d.Actor, Kind: d.Kind, Subject: d.Subject, Body: body}
	line, err = json.Marshal(e)
	return e, line, err
}

// Parse reads one line of the ledger strictly: a field that this program does not know is an error, so is anything
// after the object.
func Parse(line []byte) (Entry, error) {
	d := json.NewDecoder(bytes.NewReader(line))
	d.DisallowUnknownFields()
	var e Entry
	if err := d.Decode(&e); err != nil {
		return Entry{}, err
	}
	if d.InputOffset() != int64(len(line)) {
		return Entry{}, fmt.Errorf("more than one value on the line")
	}
	return e, nil
}

// Body decodes the body of e, if a Decoder has not. What several ask for shares its lists, so these are not to be appended to. A body that does not decode means that this program is older than its ledger.
func Body[T any](e Entry) (T, error) {
	if known, ok := e.Known.(*T); ok {
		return *known, nil
	}
	var v T
	if quickBody(e.Body, &v) {
		return v, nil
	}
	v = *new(T)
	if err := json.Unmarshal(e.Body, &v); err != nil {
		return v, fmt.Errorf("entry %d (%s): %w", e.N, e.Kind, err)
	}
	return v, nil
}

// A Decoder reads bodies ahead of those who ask for them. It is for one goroutine.
type Decoder struct{ lately lately }

// Decode reads the body of an entry of which a ledger has very many, so that all who ask for it by Body get what was read once. It leaves others alone.
func (d *Decoder) Decode(e *Entry) {
	var v quickly
	switch e.Kind {
	case AlertRaised:
		v = &Alert{}
	case AlertGrew, AlertEnded:
		v = &AlertGrowth{}
	case IncidentNoted:
		v = &Note{}
	case IncidentOpened:
		v = &Opened{}
	case IncidentClosed:
		v = &Closed{}
	case IncidentAssigned:
		v = &Assigned{}
	case RunBegun:
		v = &Run{}
	case StepTaken, StepApproved:
		v = &StepWork{}
	case StepDone:
		v = &StepResult{}
	case StepLate:
		v = &StepOverdue{}
	case TaskAdded:
		v = &Task{}
	case TaskDone, QuestionAnswered:
		v = &Reply{}
	default:
		return
	}
	if p := (cursor{rest: e.Body, ok: true, lately: &d.lately}); p.whole(v) {
		e.Known = v
	}
}

// With decodes the body of e for a func. What is wrong with it says which entry it was.
func With[T any](e Entry, f func(T) error) error {
	x, err := Body[T](e)
	if err != nil {
		return err
	}
	if err := f(x); err != nil {
		return fmt.Errorf("entry %d: %w", e.N, err)
	}
	return nil
}
