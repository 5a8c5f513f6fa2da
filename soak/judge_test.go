package soak

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"tocsin/internal/archive"
	"tocsin/internal/desk"
	"tocsin/internal/detect"
	"tocsin/internal/disk"
	"tocsin/internal/entry"
	"tocsin/internal/intake"
	"tocsin/internal/plan"
	"tocsin/internal/record"
	"tocsin/internal/shelf"
)

// A source reads again what was written to one log, over its rotations.
type source struct {
	parts []string
	f     *os.File
	r     *bufio.Reader
}

// next returns the next line without its end, io.EOF behind the last.
func (s *source) next() ([]byte, error) {
	for {
		if s.r == nil {
			if len(s.parts) == 0 {
				return nil, io.EOF
			}
			var err error
			if s.f, err = os.Open(s.parts[0]); err != nil {
				return nil, err
			}
			from := io.Reader(s.f)
			if strings.HasSuffix(s.parts[0], ".gz") {
				if from, err = gzip.NewReader(s.f); err != nil {
					return nil, err
				}
			}
			s.parts, s.r = s.parts[1:], bufio.NewReaderSize(from, 256<<10)
		}
		line, err := s.r.ReadSlice('\n')
		if err == nil {
			return bytes.TrimSuffix(line, []byte("\n")), nil
		}
		if err != io.EOF || len(line) > 0 {
			return nil, err
		}
		s.r = nil
		if err := s.f.Close(); err != nil {
			return nil, err
		}
	}
}

// judge holds everything that is left against the laws.
func (s *siege) judge() {
	s.t.Helper()
	l := s.layer()
	alerts := s.judgeLines(l)
	s.judgeEntries(l, alerts)
}

// judgeLines compares every archived line with the files, and returns what a detection that was never interrupted raises
// from the same archive: alert id to rule.
func (s *siege) judgeLines(l disk.Layer) map[string]string {
	s.t.Helper()
	a, said, err := archive.Open(l, "archive", archive.Options{ReadOnly: true})
	if err != nil {
		s.t.Fatal(err)
	}
	defer a.Close()
	kept, _, err := shelf.Open(l, "shelf", shelf.Options{ReadOnly: true})
	if err != nil {
		s.t.Fatal(err)
	}
	if said.Last != s.shop.lines || kept.Through() == 0 || said.First > kept.Through()+1 {
		s.t.Errorf("%d lines were written, the archive has %d to %d, the shelf those up to %d", s.shop.lines, said.First, said.Last, kept.Through())
	}
	if c, err := kept.Verify(context.Background(), nil); err != nil || len(c.Damaged) > 0 {
		s.t.Errorf("the shelf: %v, %v", c.Damaged, err)
	}
	sources := map[string]*source{}
	for _, g := range s.shop.logs {
		sources[g.name] = &source{parts: g.parts()}
	}
	alerts := map[string]string{}
	replay := newReplay(s.t)
	for from := int64(1); from <= said.Last; {
		blocks, err := readLines(a, kept, from)
		if err != nil {
			s.t.Fatal(err)
		}
		for _, b := range blocks {
			for _, line := range b.Lines {
				want, err := sources[line.File].next()
				if err != nil || string(want) != line.Raw {
					s.t.Fatalf("archive line %d of %s is %q; the file has there %q (%v)", line.Seq, line.File, line.Raw, want, err)
				}
				for _, c := range replay.detector.Step(replay.parser.Parse(line, b.Received)) {
					if c.Step == detect.Raised {
						alerts[c.Alert.ID] = c.Alert.Rule
					}
				}
				if from = line.Seq + 1; line.Seq%2_000_000 == 0 {
					s.t.Logf("judged %d lines", line.Seq)
				}
			}
		}
	}
	for name, x := range sources {
		if line, err := x.next(); err != io.EOF {
			s.t.Errorf("%s: the archive lacks its lines from %q on (%v)", name, line, err)
		}
	}
	return alerts
}

// readLines reads some lines from where they are kept.
func readLines(a *archive.Archive, kept *shelf.Shelf, from int64) ([]archive.Block, error) {
	if from > kept.Through() {
		return a.Read(from, 4000)
	}
	lines, err := kept.Read(from, 4000)
	if err == nil && len(lines) == 0 {
		err = fmt.Errorf("the shelf lacks line %d", from)
	}
	var blocks []archive.Block
	for _, l := range lines {
		blocks = append(blocks, archive.Block{First: l.Seq, Received: time.Unix(0, l.Received).UTC(), Lines: []record.Line{l.Line}})
	}
	return blocks, err
}

// A replay is parser and detector as serve makes them from the same settings.
type replay struct {
	parser   *intake.Parser
	detector *detect.Detector
}

type fataler interface {
	Helper()
	Fatal(...any)
}

func newReplay(t fataler) replay {
	t.Helper()
	set, err := desk.LoadRules(os.DirFS(root + "/rules"))
	if err != nil {
		t.Fatal(err)
	}
	p, err := intake.New(intake.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return replay{p, detect.New(set.Rules, detect.Options{})}
}

// A chronicle is the ledger, sorted by what the laws ask.
type chronicle struct {
	raised    map[string]int    // alert id: how often
	rule      map[string]string // of an alert
	severity  map[int64]string  // of an incident
	history   map[int64]bool
	covered   map[int64]int64 // incident to call
	calls     map[int64]bool
	over      map[int64]bool // answered or ended
	answered  map[int64]bool
	wanted    map[string]entry.CallTry // by Message-ID, without its right side
	results   map[string][]entry.CallResult
	sent      map[string]bool
	starts    int
	cutBytes  int64
	tries     map[int64]map[int]string // call, try: Message-ID
	confusing []string
}

func chronicleOf(t fataler, o desk.Offline) *chronicle {
	t.Helper()
	c := &chronicle{raised: map[string]int{}, rule: map[string]string{}, severity: map[int64]string{}, history: map[int64]bool{},
		covered: map[int64]int64{}, calls: map[int64]bool{}, over: map[int64]bool{}, answered: map[int64]bool{},
		wanted: map[string]entry.CallTry{}, results: map[string][]entry.CallResult{}, sent: map[string]bool{}, tries: map[int64]map[int]string{}}
	for e, err := range o.Entries(1) {
		if err == nil {
			err = c.add(e)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return c
}

// add takes one entry.
func (c *chronicle) add(e entry.Entry) (err error) {
	switch e.Kind {
	case entry.ProgramStarted:
		var x entry.Started
		x, err = entry.Body[entry.Started](e)
		c.starts++
		c.cutBytes += x.CutBytes
	case entry.AlertRaised:
		var x entry.Alert
		x, err = entry.Body[entry.Alert](e)
		c.raised[x.ID]++
		c.rule[x.ID] = x.Rule
	case entry.IncidentOpened:
		var x entry.Opened
		x, err = entry.Body[entry.Opened](e)
		c.severity[x.ID], c.history[x.ID] = x.Severity, x.History
	case entry.IncidentSeverity:
		var x entry.Severity
		x, err = entry.Body[entry.Severity](e)
		c.severity[x.ID] = x.To
	default:
		err = c.addCall(e)
	}
	return err
}

func (c *chronicle) addCall(e entry.Entry) (err error) {
	switch e.Kind {
	case entry.CallOpened:
		var x entry.Call
		x, err = entry.Body[entry.Call](e)
		c.calls[x.ID], c.tries[x.ID] = true, map[int]string{}
		for _, id := range x.Incidents {
			c.covered[id] = x.ID
		}
	case entry.CallJoined:
		var x entry.CallJoin
		x, err = entry.Body[entry.CallJoin](e)
		c.covered[x.Incident] = x.ID
	case entry.CallWanted:
		var x entry.CallTry
		x, err = entry.Body[entry.CallTry](e)
		if _, twice := c.wanted[x.Message]; twice {
			c.confusing = append(c.confusing, "two tries have the Message-ID "+x.Message)
		}
		c.wanted[x.Message], c.tries[x.ID][x.Try] = x, x.Message
	case entry.CallSent, entry.CallFailed:
		var x entry.CallResult
		x, err = entry.Body[entry.CallResult](e)
		m := c.tries[x.ID][x.Try]
		c.results[m] = append(c.results[m], x)
		c.sent[m] = c.sent[m] || e.Kind == entry.CallSent
	case entry.CallAnswered:
		var x entry.Answer
		x, err = entry.Body[entry.Answer](e)
		c.over[x.ID], c.answered[x.ID] = true, true
	case entry.CallEnded:
		var x entry.CallEnd
		x, err = entry.Body[entry.CallEnd](e)
		c.over[x.ID] = true
	}
	return err
}

// judgeEntries holds the ledger against the replay and the mail server.
func (s *siege) judgeEntries(l disk.Layer, alerts map[string]string) {
	s.t.Helper()
	c := chronicleOf(s.t, s.ledger(l))
	judgeAlerts(s.t, c, alerts)
	repeats := judgeCalls(s.t, c, s.sink.counts())
	for id := range s.answered {
		if !c.answered[id] {
			s.t.Errorf("the answer of call %d was acknowledged, and is not in the ledger", id)
		}
	}
	s.t.Logf("\n%d lines in %d files, each in the archive once\n%d attacks, %d alerts, as a replay raises them, each once\n%d incidents, %d calls, %d tries, %d mails heard, %d of them again after a kill between send and entry\n%d answers acknowledged, all kept\n%d starts, %d bytes of torn tails of the ledger set aside, %d entries verified",
		s.shop.lines, s.files(), s.shop.attacks, len(c.raised), len(c.severity), len(c.calls), len(c.wanted), len(s.sink.counts()), repeats, len(s.answered), c.starts, c.cutBytes, s.verified)
	if len(c.raised) < s.shop.attacks {
		s.t.Errorf("%d attacks were written, and only %d alerts raised", s.shop.attacks, len(c.raised))
	}
}

func (s *siege) files() (n int) {
	for _, l := range s.shop.logs {
		n += len(l.parts())
	}
	return n
}

// A judge is what testing.TB gives; the power cuts have another one.
type judge interface {
	Helper()
	Errorf(string, ...any)
}

// judgeAlerts: every alert once, and exactly those that an uninterrupted detection raises.
func judgeAlerts(t judge, c *chronicle, want map[string]string) {
	t.Helper()
	for id, n := range c.raised {
		if n > 1 {
			t.Errorf("alert %s of rule %s was raised %d times", id, c.rule[id], n)
		}
		if rule, ok := want[id]; !ok || rule != c.rule[id] {
			t.Errorf("alert %s of rule %s is in the ledger, and a replay of the archive does not raise it", id, c.rule[id])
		}
	}
	for id, rule := range want {
		if c.raised[id] == 0 {
			t.Errorf("a replay of the archive raises alert %s of rule %s; the ledger lacks it", id, rule)
		}
	}
}

// judgeCalls: who must be rung was rung, every try has an outcome, and what the ledger says was sent was heard: once, or
// more often only where it says that this may be.
func judgeCalls(t judge, c *chronicle, heard map[string]int) (repeats int) {
	t.Helper()
	for _, x := range c.confusing {
		t.Errorf("%s", x)
	}
	for id, severity := range c.severity {
		if c.covered[id] == 0 && !c.history[id] && (severity == "high" || severity == "critical") {
			t.Errorf("incident %d is %s, and no call covers it", id, severity)
		}
	}
	byMessage := map[string]int{}
	for id, n := range heard {
		byMessage[before(id)] += n
	}
	for m, x := range c.wanted {
		r := c.results[m]
		switch {
		case len(r) == 0 && !c.over[x.ID]:
			t.Errorf("try %d of call %d was wanted, and nothing says what became of it", x.Try, x.ID)
		case len(r) > 1:
			t.Errorf("try %d of call %d has %d outcomes", x.Try, x.ID, len(r))
		case x.Channel == plan.Mail && c.sent[m] && byMessage[m] == 0:
			t.Errorf("try %d of call %d was sent, says the ledger; nobody heard it", x.Try, x.ID)
		case x.Channel == plan.Mail && byMessage[m] > 1 && len(r) == 1 && !r[0].Twice:
			t.Errorf("try %d of call %d was heard %d times, and is not marked as possibly sent twice", x.Try, x.ID, byMessage[m])
		}
		if byMessage[m] > 1 {
			repeats += byMessage[m] - 1
		}
	}
	for m := range byMessage {
		if _, ok := c.wanted[m]; !ok {
			t.Errorf("the message %s was heard, and no entry wanted it", m)
		}
	}
	return repeats
}

// before returns the left side of a Message-ID.
func before(id string) string {
	for k := range len(id) {
		if id[k] == '@' {
			return id[:k]
		}
	}
	return id
}
