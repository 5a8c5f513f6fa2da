package detect

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"tocsin/internal/record"
	"tocsin/internal/sigma"
)

// sifting steps a detector through records as replay does: sifted first, given on as copies, or only as a class and a time.
type sifting struct {
	d      *Detector
	sifter *Sifter
	keeper Keeper
	copied record.Record
}

func newSifting(set *Rules, o Options) *sifting {
	s := NewSieve(set, o.Zone, func(act func()) { act() })
	return &sifting{d: New(set, o), sifter: s.NewSifter(), keeper: NewKeeper(s)}
}

func (s *sifting) step(r *record.Record) []Change {
	hits, faults := s.sifter.Sift(r)
	if heard(r.Class) {
		s.d.Heard(r.Source, 1)
	}
	if len(hits)+len(faults) == 0 && !s.sifter.Whole(r) {
		return s.d.Pass(r.Class, r.Time)
	}
	s.keeper.Keep(r, &s.copied)
	s.copied.Line.Seq = r.Line.Seq
	return s.d.StepSifted(&s.copied, hits, faults)
}

// habitual are rules that ask what is normal: of records that tell of somebody, and of others.
const habitual = `---
title: odd
id: odd
logsource: {category: application}
detection: {s: {event.action: login, habit.seen_days|gte: 0}, n: {habit.country: [new, rare]}, condition: s and not n}
level: low
---
title: unjudged
id: unjudged
logsource: {category: application}
detection: {s: {habit.seen_days|exists: false}, condition: s}
level: low
---
title: odder
id: odder
correlation: {type: event_count, rules: [odd], group-by: [user.name, habit.seen_days], timespan: 1h, condition: {gte: 2}}
`

// TestSiftedSaysTheSame: what is sifted ahead changes no word of what a detector says, and none of its figures.
func TestSiftedSaysTheSame(t *testing.T) {
	set := rules(t, everything+habitual)
	o := Options{MaxGroups: 9, MaxRecords: 40, MaxAddresses: 1}
	rapid.Check(t, func(t *rapid.T) {
		plain, sifted := New(set, o), newSifting(set, o)
		n := 0
		for range rapid.IntRange(1, 4).Draw(t, "streams") { // with more than firstSample records some are compiled
			for _, r := range stream(t, true) {
				n++
				r.Line.Seq = int64(n)
				r.Class = rapid.SampledFrom([]record.Class{record.Parsed, record.Parsed, record.Parsed, record.Unparsed, record.Continuation, record.Header, record.Empty}).Draw(t, "class")
				if d := cmp.Diff(plain.Step(r), sifted.step(r)); d != "" {
					t.Fatalf("record %d: %s", n, d)
				}
			}
		}
		if d := cmp.Diff(plain.Stats(), sifted.d.Stats()); d != "" {
			t.Fatal(d)
		}
		if d := cmp.Diff(plain.Alerts(), sifted.d.Alerts()); d != "" {
			t.Fatal(d)
		}
	})
}

// A rule that panics ahead is set aside when its record comes, as it would be without sifting.
func TestFaultFoundAhead(t *testing.T) {
	set := rules(t, strings.Replace(failRule, "id: fail", "id: bad", 1)+failRule)
	s := newSifting(set, Options{})
	s.step(fail(0, "1.1.1.1", "a"))
	for _, o := range s.sifter.screens {
		o.list[0], o.matcher = nil, &sigma.Matcher{}
	}
	var told []string
	for _, c := range append(s.step(fail(1, "1.1.1.1", "a")), s.step(fail(2, "1.1.1.1", "b"))...) {
		told = append(told, line(c))
	}
	check(t, told, "ended bad [1.1.1.1] x1 1.1.1.1 a/v", "joined fail [1.1.1.1] x3 1.1.1.1/3 a/2/v b/v")
	if b := s.d.Broken(); len(b) != 1 || b[0].Rule != "bad" || !strings.Contains(b[0].Why, "nil pointer") {
		t.Errorf("%+v", b)
	}
}

// Several sifters may be used at once.
func TestSiftersShareASieve(t *testing.T) {
	var mu sync.Mutex
	s := NewSieve(rules(t, everything), nil, func(act func()) {
		mu.Lock()
		defer mu.Unlock()
		act()
	})
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			x := s.NewSifter()
			for n := range 3000 {
				if hits, faults := x.Sift(fail(float64(n), "1.1.1.1", "a")); len(hits) != 1 || len(faults) > 0 {
					t.Errorf("record %d: %v %v", n, hits, faults)
				}
			}
		})
	}
	wg.Wait()
}

const costlyRule = `title: costly
id: costly
logsource: {category: application}
detection: {s: {message|re: '(?:\w\d?\s?[a-f]?){400}'}, condition: s}
---
`

// A rule over its budget loads, is set aside, is told of, and does not match; those beside it go on.
func TestOverBudgetIsSetAside(t *testing.T) {
	docs, err := sigma.Parse("rules.yml", []byte(costlyRule+failRule))
	if err != nil {
		t.Fatal(err)
	}
	set, refused, warned := Load(docs)
	if len(refused) > 0 || len(warned) != 1 || !strings.Contains(warned[0].Why, "set aside: over its budget") {
		t.Fatalf("%v %v", refused, warned)
	}
	if a := set.Aside(); len(a) != 1 || a[0].Rule != "costly" {
		t.Errorf("%+v", a)
	}
	r := fail(1, "1.1.1.1", "a")
	r.Set(record.Message, record.Text(strings.Repeat("a1", 1000)))
	d, s := New(set, Options{}), newSifting(set, Options{})
	check(t, run(d, r), "raised fail [1.1.1.1] x1 1.1.1.1 a/v")
	for name, d := range map[string]*Detector{"step": d, "sifted": s.d} {
		s.step(r)
		if b := d.Broken(); len(b) != 1 || b[0].Rule != "costly" || d.Stats().Rules[0].Broken == "" || d.Stats().Rules[0].Matches > 0 {
			t.Errorf("%s: %+v", name, b)
		}
	}
	docs, err = sigma.Parse("rules.yml", []byte(strings.Replace(costlyRule, "{400}", "{4}", 1)+failRule))
	if err != nil {
		t.Fatal(err)
	}
	cheap, _, _ := Load(docs)
	check(t, run(New(cheap, Options{}), r), "raised costly [1.1.1.1] x1 1.1.1.1 a/v", "raised fail [1.1.1.1] x1 1.1.1.1 a/v")
}

// A clock measures one record of so many; without one nothing is measured, and nothing that is said depends on it.
func TestCosts(t *testing.T) {
	set := rules(t, everything)
	for _, x := range []struct {
		every    int
		measured int64
	}{{1, 2000 - firstSample + 1}, {10, 200 - 6}, {0, 1}} {
		now := time.Duration(0)
		o := Options{Clock: func() time.Duration { now += time.Microsecond; return now }, ClockEvery: x.every}
		plain, d, s := New(set, Options{}), New(set, o), newSifting(set, o)
		s.sifter.Time(o.Clock, x.every)
		for n := range 2000 {
			r := fail(float64(n), fmt.Sprint("1.1.1.", n%9), "a")
			want := plain.Step(r)
			if diff := cmp.Diff(want, d.Step(r)); diff != "" {
				t.Fatal(diff)
			}
			if diff := cmp.Diff(want, s.step(r)); diff != "" {
				t.Fatal(diff)
			}
		}
		s.d.Add(s.sifter)
		for name, d := range map[string]*Detector{"step": d, "sifted": s.d} {
			got := d.Stats()
			for _, r := range got.Rules[:1] {
				near := r.CostRecords - x.measured
				if near < -10 || near > 10 || r.Mean() <= 0 || r.Mean() > 100*time.Microsecond || r.Tried != r.CostRecords || r.Total() < r.Cost {
					t.Errorf("%s, one of %d: %+v, mean %v, total %v", name, x.every, r, r.Mean(), r.Total())
				}
			}
			if got.Scan <= 0 || got.Costs == 0 {
				t.Errorf("%s: scanning %v of %d records", name, got.Scan, got.Costs)
			}
		}
		if got := plain.Stats(); got.Costs > 0 || got.Rules[0].Cost > 0 || got.Rules[0].Mean() > 0 || got.Rules[0].Total() > 0 {
			t.Errorf("without a clock: %+v", got)
		}
	}
}

// How far back a record matters follows from timespans that add up along chains.
func TestReach(t *testing.T) {
	const chain = `title: tries
id: tries
correlation: {type: event_count, rules: [fail], group-by: [source.ip], timespan: 10d, condition: {gte: 3}}
---
title: waves
id: waves
correlation: {type: event_count, rules: [tries], group-by: [source.ip], timespan: 20d, condition: {gte: 2}}
tocsin: {quiet: 1h}
`
	for text, want := range map[string]time.Duration{failRule: sharedSpan, failRule + "---\n" + chain: 30*24*time.Hour + time.Hour} {
		if got := rules(t, text).Reach(time.Minute); got != want+time.Minute {
			t.Errorf("reaches back %v, want %v", got, want)
		}
	}
}

// A line that is not held against rules matched none.
func TestNothingMatchesWhatIsNotHeard(t *testing.T) {
	d := New(rules(t, failRule), Options{})
	header := &record.Record{Class: record.Header}
	for name, step := range map[string]func(){
		"Step":       func() { d.Step(header) },
		"StepSifted": func() { d.StepSifted(header, nil, nil) },
		"Pass":       func() { d.Pass(header.Class, header.Time) },
	} {
		d.Step(fail(0, "1.1.1.1", "a"))
		if step(); d.matchedNow("fail") {
			t.Errorf("%s: the rule that the line before matched is told again", name)
		}
	}
}
