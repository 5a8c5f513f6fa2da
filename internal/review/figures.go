package review

import (
	"cmp"
	"slices"
	"time"
)

// Figures over incidents, for the quarterly review. Medians and 90th percentiles are by nearest rank (the least value that so many of the values do not
// exceed), so that each is a time that was measured. What is not known, or would be negative because somebody entered a
// wrong time, is left out and counted.

// Figures are those of the incidents that were detected in a span of time.
type Figures struct {
	From, Until time.Time
	Incidents   int // real ones and those still open; drills and false alarms are not among them
	Open        int
	False       int // false alarms
	Drills      int
	Groups      []Group  // by severity, the worst first, then by kind
	Times       []Figure // to detect, answer, contain, recover, of the real ones
}

// A Group is how many incidents had a severity and a kind.
type Group struct {
	Severity, Kind string
	Count          int
}

// A Figure is one of the times.
type Figure struct {
	Name        string // detect, answer, contain, recover
	Count       int    // incidents of which it is known
	Unknown     int
	Median, P90 time.Duration
}

type span struct {
	name  string
	took  time.Duration
	known bool
}

// spans are the times of a case: from the first sign to the detection, and from there to the answer, the containment and the recovery.
func (c Case) spans() []span {
	between := func(name string, from, to time.Time) span {
		if from.IsZero() || to.IsZero() || to.Before(from) {
			return span{name: name}
		}
		return span{name, to.Sub(from), true}
	}
	return []span{between("detect", c.Happened, c.Detected), between("answer", c.Detected, c.Answered),
		between("contain", c.Detected, c.Contained), between("recover", c.Detected, c.Recovered)}
}

// Sum makes the figures of cases that were detected from a time on, and before another.
func Sum(cases []Case, from, until time.Time) Figures {
	f := Figures{From: from, Until: until}
	counts := map[Group]int{}
	took := map[string][]time.Duration{}
	for _, c := range cases {
		if c.Detected.Before(from) || !c.Detected.Before(until) {
			continue
		}
		switch {
		case c.Drill:
			f.Drills++
			continue
		case c.Verdict == "false":
			f.False++
			continue
		case c.Closed.IsZero():
			f.Open++
		}
		f.Incidents++
		counts[Group{Severity: c.Severity, Kind: c.Kind}]++
		for _, s := range c.spans() {
			if s.known {
				took[s.name] = append(took[s.name], s.took)
			}
		}
	}
	for g, n := range counts {
		g.Count = n
		f.Groups = append(f.Groups, g)
	}
	worst := func(s string) int { return slices.Index([]string{"critical", "high", "medium", "low"}, s) }
	slices.SortFunc(f.Groups, func(a, b Group) int {
		return cmp.Or(cmp.Compare(worst(a.Severity), worst(b.Severity)), cmp.Compare(a.Severity, b.Severity), cmp.Compare(a.Kind, b.Kind))
	})
	for _, name := range []string{"detect", "answer", "contain", "recover"} {
		all := took[name]
		slices.Sort(all)
		f.Times = append(f.Times, Figure{name, len(all), f.Incidents - len(all), nearest(all, 50), nearest(all, 90)})
	}
	return f
}

// nearest returns a percentile of sorted values by nearest rank, 0 of none.
func nearest(sorted []time.Duration, percent int) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[(len(sorted)*percent+99)/100-1]
}

// QuarterOf returns the quarter of the year that a time lies in, in its zone.
func QuarterOf(t time.Time) (from, until time.Time) {
	from = time.Date(t.Year(), (t.Month()-1)/3*3+1, 1, 0, 0, 0, 0, t.Location())
	return from, from.AddDate(0, 3, 0)
}
