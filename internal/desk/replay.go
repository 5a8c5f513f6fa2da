package desk

import (
	"cmp"
	"context"
	"fmt"
	"io/fs"
	"net/netip"
	"path"
	"runtime"
	"slices"
	"strings"
	"sync"
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
	Since   time.Time                                  // records before it fill windows only, and those that no window reaches need not be read
	Listed  *tuning.Set                                // what is watched for; nil is nothing
	Seen    func(Progress)                             // progress, every thousand lines; may be nil
	Each    func(r *record.Record, cs []detect.Change) // every record; may be nil. With it one core reads line by line
	Workers int                                        // goroutines that parse and match ahead; 0 is one a core
	Compare *detect.Rules                              // a second set, run beside Rules over the same records; may be nil

	Clock      func() time.Duration // for measuring what each rule costs; nil measures nothing
	ClockEvery int                  // one record of so many is measured; 0 is 1,024

	piece int  // bytes of a piece; 0 is pieceSize
	whole bool // what is before Since is read whole
}

// Progress is how far a replay is.
type Progress struct {
	Lines int64
	Bytes int64 // that were read of the files; of packed ones, as they are packed
	Of    int64 // bytes of all files
}

// A Replay is what the rules say of some logs. It changes nothing anywhere.
type Replay struct {
	Alerts    []ReplayAlert // in order of Raised
	Incidents []ReplayIncident
	Files     int // that were read
	Lines     int64
	Unparsed  int64
	Skipped   []Skipped
	Passed    Passed
	Stats     detect.Stats
	Broken    []detect.Broken
	Compared  *Replay // what ReplayOptions.Compare said: Alerts, Incidents, Stats, Broken
}

// Passed is what ReplayOptions.Since left unread.
type Passed struct {
	Before time.Time `json:"before"` // no window reaches back so far
	Bytes  int64     `json:"bytes"`
	Files  int       `json:"files"` // that end before
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
	ID       string    `json:"-"`
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
	Alerts   []string  `json:"alerts"` // rules
	Members  []string  `json:"-"`      // ids of its alerts
}

// RunReplay reads folders of logs through parsers, rules and the incident book, as the running program would, and keeps
// nothing. A file that cannot be read, or not to its end, is named in Skipped. Errors: an unknown format, or ctx.
func RunReplay(ctx context.Context, o ReplayOptions) (Replay, error) {
	var out Replay
	lanes := []*lane{newLane(o, o.Rules)}
	if o.Compare != nil {
		lanes = append(lanes, newLane(o, o.Compare))
	}
	var folders []folder
	for n, files := range o.Folders {
		f := folder{files: files}
		if n < len(o.Names) {
			f.name = o.Names[n]
		}
		folders = append(folders, f)
	}
	run := o.ahead
	if o.Each != nil {
		run = o.lineByLine
	}
	if err := run(ctx, folders, lanes, &out); err != nil {
		return out, err
	}
	for n, l := range lanes {
		if err := l.book.end(l.detector); err != nil {
			return out, err
		}
		to := &out
		if n > 0 {
			out.Compared = &Replay{}
			to = out.Compared
		}
		to.Stats, to.Broken = l.detector.Stats(), l.detector.Broken()
		l.book.report(to)
	}
	return out, nil
}

// parser makes a parser as the options want it.
func (o ReplayOptions) parser() (*intake.Parser, error) {
	return intake.New(intake.Options{As: o.As, Geo: o.Geo, Trusted: o.Trusted, Zone: o.Zone, Maps: o.Maps})
}

func (o ReplayOptions) workers() int {
	if o.Workers > 0 {
		return o.Workers
	}
	return runtime.GOMAXPROCS(0)
}

// A lane is one set of rules through which the records of a replay go.
type lane struct {
	detector *detect.Detector
	book     *shadow
	sieve    *detect.Sieve
	mu       sync.Mutex // of the sieve
}

func newLane(o ReplayOptions, rules *detect.Rules) *lane {
	l := &lane{book: &shadow{alerts: map[string]*ReplayAlert{}, over: incident.Alert{Ended: true}}}
	l.detector = detect.New(rules, detect.Options{Own: o.Own, Shared: o.Shared, Zone: o.Zone, Clock: o.Clock, ClockEvery: o.ClockEvery})
	l.sieve = detect.NewSieve(rules, o.Zone, func(act func()) {
		l.mu.Lock()
		defer l.mu.Unlock()
		act()
	})
	return l
}

// take takes in what a record changed.
func (l *lane) take(o ReplayOptions, at time.Time, changes []detect.Change) error {
	if !o.Since.IsZero() && at.Before(o.Since) {
		return nil
	}
	return l.book.take(changes)
}

// count counts a line, and says now and then how far it is.
func (o ReplayOptions) count(ctx context.Context, c record.Class, out *Replay, bytes, all int64) error {
	out.Lines++
	if c == record.Unparsed {
		out.Unparsed++
	}
	if out.Lines%1000 != 0 {
		return nil
	}
	if o.Seen != nil {
		o.Seen(Progress{Lines: out.Lines, Bytes: bytes, Of: all})
	}
	return ctx.Err()
}

// ahead replays on every core.
func (o ReplayOptions) ahead(ctx context.Context, folders []folder, lanes []*lane, out *Replay) error {
	s, err := newStream(folders, o)
	if err != nil {
		return err
	}
	var sieves []*detect.Sieve
	for _, l := range lanes {
		sieves = append(sieves, l.sieve)
	}
	var workers []*worker
	for range o.workers() {
		w := &worker{keeper: detect.NewKeeper(sieves...), listed: o.Listed}
		if w.parser, err = o.parser(); err != nil {
			return err
		}
		for _, l := range lanes {
			x := l.sieve.NewSifter()
			x.Time(o.Clock, o.ClockEvery)
			w.sifters = append(w.sifters, x)
		}
		workers = append(workers, w)
	}
	s.start(workers, cmp.Or(o.piece, pieceSize))
	err = o.follow(ctx, s, lanes, out)
	s.stop()
	out.Files, out.Skipped = s.read, s.skipped
	if s.passed > 0 {
		out.Passed = Passed{s.before, s.passed, s.gone}
	}
	for _, w := range workers {
		for n, x := range w.sifters {
			lanes[n].detector.Add(x)
		}
	}
	return err
}

// follow steps through what the workers have made.
func (o ReplayOptions) follow(ctx context.Context, s *stream, lanes []*lane, out *Replay) error {
	for {
		p, x, ok := s.next()
		if !ok {
			return nil
		}
		if err := o.count(ctx, x.class, out, s.done.Load(), s.all); err != nil {
			return err
		}
		at := x.time()
		for n, l := range lanes {
			if s.first() {
				for _, h := range p.heard {
					l.detector.Heard(h.source, h.n)
				}
			}
			var changes []detect.Change
			if x.whole < 0 {
				changes = l.detector.Pass(x.class, at)
			} else {
				w := &p.whole[x.whole]
				w.record.Line.Seq = s.seq
				changes = l.detector.StepSifted(&w.record, p.hits[w.lanes[n].from:w.lanes[n].to], w.lanes[n].faults)
			}
			if err := l.take(o, at, changes); err != nil {
				return err
			}
		}
	}
}

// lineByLine replays on one core, one line after the other.
func (o ReplayOptions) lineByLine(ctx context.Context, folders []folder, lanes []*lane, out *Replay) error {
	parser, err := o.parser()
	if err != nil {
		return err
	}
	m := newMerge(folders, parser, o.As, nil)
	defer m.Close()
	for {
		r, ok := m.Next()
		if !ok {
			out.Files, out.Skipped = m.read, m.skipped
			return nil
		}
		if err := o.count(ctx, r.Class, out, 0, 0); err != nil {
			return err
		}
		MarkListed(o.Listed, r)
		for n, l := range lanes {
			changes := l.detector.Step(r)
			if n == 0 {
				o.Each(r, changes)
			}
			if err := l.take(o, r.Time, changes); err != nil {
				return err
			}
		}
	}
}

// A shadow is an incident book without a ledger: what is decided is folded at once. Nothing is hashed in it.
type shadow struct {
	book   incident.Book
	alerts map[string]*ReplayAlert // the newest state of each: a year of logs may have many
	over   incident.Alert          // stands in the book for every alert that has ended
	n      int64
}

func (s *shadow) take(changes []detect.Change) error {
	for _, c := range changes {
		s.alerts[c.Alert.ID] = newReplayAlert(c.Alert)
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
		if c.Step == detect.Ended && s.book.Alerts[c.Alert.ID] != nil {
			s.book.Alerts[c.Alert.ID] = &s.over // nothing more comes of it; what is printed of it is in alerts
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

// newReplayAlert takes over what is printed of an alert.
func newReplayAlert(a detect.Alert) *ReplayAlert {
	x := &ReplayAlert{Kind: "alert", Rule: a.Rule, Title: a.Title, Level: a.Level, Raised: a.Raised, First: a.First, Last: a.Last, Count: a.Count,
		Sources: suspects(a.Sources), Accounts: []string{}, Logs: bases(a.Logs), Sample: a.Samples, Author: a.Author, Impact: string(a.Impact), Why: a.Why, ID: a.ID}
	for _, p := range a.Accounts {
		x.Accounts = append(x.Accounts, p.Name)
	}
	return x
}

// report hands over what came of it. The shadow is used up.
func (s *shadow) report(out *Replay) {
	for _, i := range s.book.Incidents {
		x := ReplayIncident{Kind: "incident", ID: fmt.Sprint(i.ID), Title: i.Title, Severity: i.Severity, Why: i.Why, First: i.Happened, Last: i.Last,
			Sources: []string{}, Accounts: []string{}, Alerts: []string{}, Members: i.Alerts}
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
	for _, id := range s.book.Order {
		out.Alerts = append(out.Alerts, *s.alerts[id])
		delete(s.alerts, id)
	}
	slices.SortStableFunc(out.Alerts, func(a, b ReplayAlert) int { return a.Raised.Compare(b.Raised) })
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
