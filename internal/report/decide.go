package report

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"tocsin/internal/entry"
)

// A Filing is a report that came, sealed and put into the vault, before it has a number.
type Filing struct {
	From    string
	Way     string
	Vault   string
	Size    int64 // of the ciphertext
	Plain   bool
	Receipt string // Hash of its token
	Reply   string
	Lang    string
}

// MostBundle is how many reports one entry holds. The desk gathers for at most GatherFor before it writes.
const (
	MostBundle = 100
	GatherFor  = 2 * time.Second
)

// Take decides how reports are written that came together, in their order. The first of an hour stand alone; when there were own of them,
// the others of that hour are bundled into one bucket, that people open, join or close at once. Give it MostBundle at most.
func Take(s *State, now time.Time, own int, filings []Filing) ([]entry.Draft, error) {
	if len(filings) > MostBundle {
		return nil, fmt.Errorf("%d reports for one entry, at most %d", len(filings), MostBundle)
	}
	alone, bucket := s.alone, s.bucket
	if s.hour.IsZero() || now.Sub(s.hour) >= time.Hour || now.Before(s.hour) {
		alone, bucket = 0, 0
	}
	var drafts []entry.Draft
	var bundle []entry.Report
	id, receipts := s.last, map[string]bool{}
	for _, f := range filings {
		r, err := f.report(s, now)
		if err == nil && f.Receipt != "" && receipts[f.Receipt] {
			err = ErrTwice
		}
		if err != nil {
			return nil, err
		}
		receipts[f.Receipt] = true
		id++
		r.ID = id
		if alone < own {
			alone++
			drafts = append(drafts, entry.Draft{Actor: "desk", Kind: entry.ReportFiled, Subject: subject(id), Body: r})
			continue
		}
		if bucket == 0 {
			bucket = id
		}
		r.Bucket = bucket
		bundle = append(bundle, r)
	}
	if bundle != nil {
		drafts = append(drafts, entry.Draft{Actor: "desk", Kind: entry.ReportBundled, Subject: subject(bucket), Body: entry.ReportBundle{Bucket: bucket, Reports: bundle}})
	}
	return drafts, nil
}

func (f Filing) report(s *State, now time.Time) (entry.Report, error) {
	class, ok := Class(f.Size)
	_, twice := s.receipts[f.Receipt]
	switch {
	case !ok:
		return entry.Report{}, fmt.Errorf("a report of %d bytes is larger than we take", f.Size)
	case !slices.Contains(Senders(), f.From):
		return entry.Report{}, fmt.Errorf("unknown sender %q; known: %s", clip(f.From), strings.Join(Senders(), ", "))
	case f.Way != Form && f.Way != Mail:
		return entry.Report{}, fmt.Errorf("unknown way %q of a report", clip(f.Way))
	case f.Vault == "":
		return entry.Report{}, errors.New("a report without its text in the vault")
	case f.Receipt != "" && twice:
		return entry.Report{}, ErrTwice
	case f.Receipt != "" && !strings.HasPrefix(f.Reply, "age1"):
		return entry.Report{}, errors.New("a report with a receipt needs the key to which answers are sealed")
	case len(f.Reply) > 100:
		return entry.Report{}, errors.New("the key to which answers are sealed is longer than one")
	}
	lang := f.Lang
	if len(lang) > 8 {
		lang = ""
	}
	return entry.Report{Day: Day(now), From: f.From, Way: f.Way, Vault: f.Vault, Size: class, Plain: f.Plain, Receipt: f.Receipt, Reply: f.Reply, Lang: lang}, nil
}

// ErrTwice: the same report or message was sent again, because its answer was lost on the way. It is there; its writer has the receipt.
var ErrTwice = errors.New("this is already here")

// A Written is a message that was sealed and put into the vault. The zero one is none.
type Written struct {
	Vault string
	Size  int64
	Plain bool
	Once  string // of a reporter's: keyed hash of what it came as, "" when it is taken however often it comes
}

// MostThread is how many messages a thread takes.
const MostThread = 200

func (w Written) message(c *Case, now time.Time) (*entry.ReportMessage, error) {
	class, ok := Class(w.Size)
	switch {
	case !ok:
		return nil, fmt.Errorf("a message of %d bytes is larger than we take", w.Size)
	case len(c.Thread) >= MostThread:
		return nil, fmt.Errorf("report %d has %d messages, and takes no more; file a new one", c.ID, MostThread)
	}
	return &entry.ReportMessage{ID: c.ID, N: len(c.Thread) + 1, Day: Day(now), Vault: w.Vault, Size: class, Plain: w.Plain, Once: w.Once}, nil
}

// Tell takes a message of the reporter, who showed the receipt. A closed report stays closed, and is shown as one with something new:
// the team reopens it, or does not.
//
// Errors: ErrReceipt; ErrTwice; else it cannot be, in a sentence.
func Tell(s *State, now time.Time, receipt string, w Written) (entry.Draft, error) {
	c, ok := s.Find(receipt)
	if !ok {
		return entry.Draft{}, ErrReceipt
	}
	if s.Told(w.Once) {
		return entry.Draft{}, ErrTwice
	}
	if w.Vault == "" {
		return entry.Draft{}, errors.New("a message without its text in the vault")
	}
	m, err := w.message(c, now)
	if err != nil {
		return entry.Draft{}, err
	}
	return entry.Draft{Actor: "reporter", Kind: entry.ReportTold, Subject: subject(c.ID), Body: *m}, nil
}

// ErrReceipt: no report has this receipt. Nothing more is said: not whether it was one.
var ErrReceipt = errors.New("there is no report of this receipt")

// A Deed is what a person of the team decides about a report, in one step: what becomes of it, and what its reporter is told.
type Deed struct {
	Person   string
	Report   int64
	Bucket   bool    // the whole bucket of this report, but for those that got an incident by themselves
	Incident int64   // of Open: the number that the new incident gets in the same append; of Join: one that is there
	Text     string  // vault object: why
	Message  Written // of Open, Join, Answer, Close: what the reporter is told; a bucket has none

	// Covers says of each report of a bucket whether the decision is about it, too: not about those that who decides may not see or has not seen. Nil is all.
	Covers func(*Case) bool
}

// See says that somebody opened the report. It returns false when that is written already.
func See(s *State, d Deed) (entry.Draft, bool, error) {
	c, err := s.deed(d)
	if err != nil || c.Standing != New && c.Unread == 0 {
		return entry.Draft{}, false, err
	}
	draft, err := s.draft(time.Time{}, entry.ReportRead, c, Deed{Person: d.Person, Report: d.Report, Bucket: d.Bucket})
	return draft, true, err
}

// Open makes an incident of the report. The draft that opens the incident goes into the same append, before this one.
func Open(s *State, now time.Time, d Deed) (entry.Draft, error) {
	return s.decide(now, entry.ReportOpened, d, func(c *Case) error {
		switch {
		case d.Incident <= 0:
			return errors.New("an incident is needed")
		case c.Incident != 0:
			return fmt.Errorf("report %d belongs to incident %d already", c.ID, c.Incident)
		}
		return open(c)
	})
}

// Join makes the report part of an incident that is there (known says so), or of another one than before.
func Join(s *State, now time.Time, d Deed, known func(incident int64) bool) (entry.Draft, error) {
	return s.decide(now, entry.ReportJoined, d, func(c *Case) error {
		switch {
		case !known(d.Incident):
			return fmt.Errorf("there is no incident %d", d.Incident)
		case c.Incident == d.Incident:
			return fmt.Errorf("report %d belongs to incident %d already", c.ID, c.Incident)
		}
		return open(c)
	})
}

// Answer writes to the reporter.
func Answer(s *State, now time.Time, d Deed) (entry.Draft, error) {
	return s.decide(now, entry.ReportAnswered, d, func(*Case) error {
		if d.Message.Vault == "" {
			return errors.New("an answer needs words")
		}
		return nil
	})
}

// Close says that it was dealt with.
func Close(s *State, now time.Time, d Deed) (entry.Draft, error) {
	return s.decide(now, entry.ReportClosed, d, open)
}

// Drop says that it was no report. Its reporter is told nothing.
func Drop(s *State, now time.Time, d Deed) (entry.Draft, error) {
	d.Message = Written{}
	return s.decide(now, entry.ReportSpam, d, open)
}

// Reopen takes a report up again.
func Reopen(s *State, now time.Time, d Deed) (entry.Draft, error) {
	return s.decide(now, entry.ReportReopened, d, func(c *Case) error {
		if !c.Done() {
			return fmt.Errorf("report %d is not closed", c.ID)
		}
		return nil
	})
}

func open(c *Case) error {
	if c.Done() {
		return fmt.Errorf("report %d is closed; reopen it first", c.ID)
	}
	return nil
}

func (s *State) decide(now time.Time, kind entry.Kind, d Deed, may func(*Case) error) (entry.Draft, error) {
	c, err := s.deed(d)
	if err != nil {
		return entry.Draft{}, err
	}
	of := []*Case{c}
	if d.Bucket {
		of = s.Bucket(c.Bucket)
	}
	var refused error
	for _, c := range of {
		if d.Bucket && (c.Apart || d.Covers != nil && !d.Covers(c)) {
			continue
		}
		err := may(c)
		if err == nil {
			return s.draft(now, kind, c, d)
		}
		if refused == nil {
			refused = err
		}
	}
	if refused == nil {
		refused = fmt.Errorf("each report that is kept together with report %d belongs to another incident, or came after you looked", c.ID)
	}
	return entry.Draft{}, refused
}

// deed finds the report of a deed, and says what cannot be.
func (s *State) deed(d Deed) (*Case, error) {
	c, ok := s.cases[d.Report]
	switch {
	case !ok:
		return nil, fmt.Errorf("there is no report %d", d.Report)
	case d.Person == "":
		return nil, errors.New("who decides is not said")
	case d.Bucket && c.Bucket == 0:
		return nil, fmt.Errorf("report %d is in no bucket", d.Report)
	case d.Bucket && d.Message.Vault != "":
		return nil, errors.New("reporters of a bucket are answered one by one: each has a key of their own")
	case d.Message.Vault != "" && c.Reply == "":
		return nil, fmt.Errorf("report %d has no receipt, so its reporter cannot be answered here", c.ID)
	}
	return c, nil
}

func (s *State) draft(now time.Time, kind entry.Kind, c *Case, d Deed) (entry.Draft, error) {
	st := entry.ReportStep{ID: c.ID, Person: d.Person, Incident: d.Incident, Bucket: d.Bucket, Text: d.Text}
	if d.Message.Vault != "" {
		m, err := d.Message.message(c, now)
		if err != nil {
			return entry.Draft{}, err
		}
		st.Message = m
	}
	if d.Bucket {
		st.ID, st.Spans = c.Bucket, spans(s.Bucket(c.Bucket), d.Covers)
	}
	return entry.Draft{Actor: "person:" + d.Person, Kind: kind, Subject: subject(st.ID), Body: st}, nil
}

// spans are the reports of a bucket that a decision covers; nil is all of them.
func spans(of []*Case, covers func(*Case) bool) (out []entry.ReportSpan) {
	if covers == nil {
		return nil
	}
	open, left := false, false
	for _, c := range of {
		switch {
		case !covers(c):
			open, left = false, true
		case open:
			out[len(out)-1].To = c.ID
		default:
			out, open = append(out, entry.ReportSpan{From: c.ID, To: c.ID}), true
		}
	}
	if !left {
		return nil
	}
	return out
}

// clip shortens what a stranger wrote, to be quoted.
func clip(s string) string {
	if len(s) > 40 {
		return s[:40] + "…"
	}
	return s
}
