package desk

import (
	"context"
	"fmt"
	"io/fs"
	"net/netip"
	"path"
	"slices"
	"strings"
	"time"

	"tocsin/internal/detect"
	"tocsin/internal/entry"
	"tocsin/internal/incident"
	"tocsin/internal/intake"
	"tocsin/internal/record"
	"tocsin/internal/tuning"
)

// ReplayOptions are what replay needs.
type ReplayOptions struct {
	Folders []fs.FS  // all their files are merged by record time
	Names   []string // of the folders, which go before the names of their files; nil adds nothing
	Rules   *detect.Rules
	Geo     *intake.Geo
	As      string // format of every file, instead of looking
	Own     []netip.Prefix
	Shared  []netip.Prefix
	Trusted []netip.Prefix
	Zone    *time.Location
	Maps    []intake.Mapping
	Since   time.Time                                  // records before it fill windows only
	Listed  *tuning.Set                                // what is watched for; nil is nothing
	Seen    func(lines int64)                          // progress, every thousand lines; may be nil
	Each    func(r *record.Record, cs []detect.Change) // every record; may be nil
}

// A Replay is what the rules say of some logs. It changes nothing anywhere.
type Replay struct {
	Alerts    []ReplayAlert // in order of Raised
	Incidents []ReplayIncident
	Files     int // that were read
	Lines     int64
	Unparsed  int64
	Skipped   []Skipped
	Rules     []detect.RuleStats
	Broken    []detect.Broken
}

// A ReplayAlert is an alert as `replay --json` prints it. The names are scripted against: they stay.
type ReplayAlert struct {
	Kind     string    `json:"kind"`
	Rule     string    `json:"rule"`
	Title    string    `json:"title"`
	Level    string    `json:"level"`
	Raised   time.Time `json:"raised"`
	First    time.Time `json:"first"`
	Last     time.Time `json:"last"`
	Count    int64     `json:"count"`
	Sources  []string  `json:"sources"`
	Accounts []string  `json:"accounts"`
	Logs     []string  `json:"logs"`
	Sample   []string  `json:"sample"`
	Author   string    `json:"author,omitempty"`
	Impact   string    `json:"impact,omitempty"`
	Why      string    `json:"why,omitempty"` // what is not normal, in words, of a rule that reads habits
}

// A ReplayIncident is an incident as `replay --json` prints it.
type ReplayIncident struct {
	Kind     string    `json:"kind"`
	ID       string    `json:"id"`
	Title    string    `json:"title"`
	Severity string    `json:"severity"`
	Why      []string  `json:"why"`
	First    time.Time `json:"first"`
	Last     time.Time `json:"last"`
	Sources  []string  `json:"sources"`
	Accounts []string  `json:"accounts"`
	Alerts   []string  `json:"alerts"`
}

// RunReplay reads folders of logs through parsers, rules and the incident book, as the running program would, and keeps
// nothing. A file that cannot be read, or not to its end, is named in Skipped. Errors: an unknown format, or ctx.
func RunReplay(ctx context.Context, o ReplayOptions) (Replay, error) {
	var out Replay
	detector := detect.New(o.Rules, detect.Options{Own: o.Own, Shared: o.Shared, Zone: o.Zone})
	book := &shadow{alerts: map[string]detect.Alert{}}
	parser, err := intake.New(intake.Options{As: o.As, Geo: o.Geo, Trusted: o.Trusted, Zone: o.Zone, Maps: o.Maps})
	if err != nil {
		return out, err
	}
	var folders []folder
	for n, files := range o.Folders {
		f := folder{files: files}
		if n < len(o.Names) {
			f.name = o.Names[n]
		}
		folders = append(folders, f)
	}
	m := newMerge(folders, parser, o.As, nil)
	defer m.Close()
	if err := replayAll(ctx, o, m, detector, book, &out); err != nil {
		return out, err
	}
	out.Files, out.Skipped = m.read, m.skipped
	if err := book.end(detector); err != nil {
		return out, err
	}
	out.Rules, out.Broken = detector.Stats().Rules, detector.Broken()
	book.report(&out)
	return out, nil
}

func replayAll(ctx context.Context, o ReplayOptions, m *merge, detector *detect.Detector, book *shadow, out *Replay) error {
	for {
		r, ok := m.Next()
		if !ok {
			return nil
		}
		out.Lines++
		if r.Class == record.Unparsed {
			out.Unparsed++
		}
		MarkListed(o.Listed, r)
		changes := detector.Step(r)
		if o.Each != nil {
			o.Each(r, changes)
		}
		if !o.Since.IsZero() && r.Time.Before(o.Since) {
			changes = nil
		}
		if err := book.take(changes); err != nil {
			return err
		}
		if out.Lines%1000 == 0 {
			if o.Seen != nil {
				o.Seen(out.Lines)
			}
			if err := ctx.Err(); err != nil {
				return err
			}
		}
	}
}

// A shadow is an incident book without a ledger: what is decided is folded at once. Nothing is hashed in it.
type shadow struct {
	book   incident.Book
	alerts map[string]detect.Alert // the newest state of each
	n      int64
}

func (s *shadow) take(changes []detect.Change) error {
	for _, c := range changes {
		s.alerts[c.Alert.ID] = c.Alert
		f := facts(c.Alert, func(_, text string) string { return text })
		for _, d := range s.book.Decide([]incident.Change{{Step: string(c.Step), Alert: f}}) {
			s.n++
			e, _, err := entry.Make(s.n, c.Alert.Last, d)
			if err != nil {
				return err
			}
			if _, err := s.book.Apply(e); err != nil {
				return err
			}
		}
	}
	return nil
}

// end takes what the alerts that still go on have become by the end of the logs.
func (s *shadow) end(detector *detect.Detector) error {
	var last []detect.Change
	for _, a := range detector.Alerts() {
		if _, told := s.alerts[a.ID]; told {
			last = append(last, detect.Change{Step: detect.Ended, Alert: a})
		}
	}
	return s.take(last)
}

func (s *shadow) report(out *Replay) {
	for _, id := range s.book.Order {
		a := s.alerts[id]
		x := ReplayAlert{Kind: "alert", Rule: a.Rule, Title: a.Title, Level: a.Level, Raised: a.Raised, First: a.First, Last: a.Last, Count: a.Count,
			Sources: suspects(a.Sources), Accounts: []string{}, Logs: bases(a.Logs), Sample: a.Samples, Author: a.Author, Impact: string(a.Impact), Why: a.Why}
		for _, p := range a.Accounts {
			x.Accounts = append(x.Accounts, p.Name)
		}
		out.Alerts = append(out.Alerts, x)
	}
	slices.SortStableFunc(out.Alerts, func(a, b ReplayAlert) int { return a.Raised.Compare(b.Raised) })
	for _, i := range s.book.Incidents {
		x := ReplayIncident{Kind: "incident", ID: fmt.Sprint(i.ID), Title: i.Title, Severity: i.Severity, Why: i.Why, First: i.Happened, Last: i.Last,
			Sources: []string{}, Accounts: []string{}, Alerts: []string{}}
		rules := map[string]bool{}
		for _, id := range i.Alerts {
			if a := s.alerts[id]; !rules[a.Rule] {
				rules[a.Rule] = true
				x.Alerts = append(x.Alerts, a.Rule)
			}
		}
		for _, k := range i.Sources {
			if k.Role == string(detect.Suspect) {
				x.Sources = append(x.Sources, k.Hash)
			}
		}
		for _, k := range i.Accounts {
			_, name, _ := strings.Cut(k.Hash, "/") // what facts hashes is realm/name
			x.Accounts = append(x.Accounts, name)
		}
		out.Incidents = append(out.Incidents, x)
	}
}

// suspects names the addresses that did it.
func suspects(parties []detect.Party) []string {
	out := []string{}
	for _, p := range parties {
		if p.Role == detect.Suspect {
			out = append(out, p.Name)
		}
	}
	return out
}

func bases(files []string) []string {
	out := []string{}
	for _, f := range files {
		if b := path.Base(f); !slices.Contains(out, b) {
			out = append(out, b)
		}
	}
	return out
}
