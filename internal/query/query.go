// Package query is the language in which people search the lines that Tocsin keeps: the same in the console, on the command line and in
// the API. doc/search.md teaches it.
//
//	text --Parse--> Query --String--> text          Parse(q.String()) is q again
//	                Query.Match(record)             what it means: the oracle for whatever is faster
//	                NewFold(query).Add(record)...   what its stages make of the records that match
//
// A Query is a condition (Where), a window of time [Since, Until), and stages behind "|". The condition is a tree of And, Or and Not
// over leaves, each of which asks one field one thing; And in And and Or in Or are one, so that there is one form to plan for.
// Where comparing, case never counts (Folded), but in regular expressions without the flag i.
//
// The text comes from people, also through links and the API, so it is bounded (limits.go): what is refused is refused with the place, the
// reason and a way out (Error). Times are resolved while parsing, against now and the reader's zone, so a Query is the same
// whenever it is run; what String prints has them absolute.
//
// Folding is for results that fit on a screen. It is bounded: each Fold holds at most maxGroups groups or maxRows lines, says what was
// cut, and can be merged with others, so that parts of the archive are folded side by side.
package query

import (
	"net/netip"
	"slices"
	"time"

	"tocsin/internal/record"
)

// A Query is a search.
type Query struct {
	Where  *Expr     // nil: everything
	Since  time.Time // the first moment; zero: no bound
	Until  time.Time // the first moment after; zero: no bound
	Stages []Stage
	Zone   *time.Location // the reader's: what times are printed in, and where days begin
}

// A StageKind says what a stage does.
type StageKind uint8

const (
	Session  StageKind = iota // session TEXT: what one visitor did (an address or a session's id), in order of time
	Columns                   // fields BY...: what to show of each line
	Top                       // top BY[0] N: the most frequent values
	Rare                      // rare BY[0] N: the least frequent ones
	Count                     // count by BY..., EVERY
	Sum                       // sum(OF) by BY..., EVERY
	Average                   // avg
	Least                     // min
	Greatest                  // max
	P95                       // the value that 95 of 100 do not exceed
	Distinct                  // how many values there are
	Timeline                  // timeline EVERY: a histogram
	Sort                      // sort COLUMN
	Head                      // head N: the first rows
	Tail                      // tail N: the last rows
)

var stageNames = [...]string{"session", "fields", "top", "rare", "count", "sum", "avg", "min", "max", "p95", "distinct", "timeline", "sort", "head", "tail"}

func (k StageKind) String() string { return stageNames[k] }

// Folds reports whether the stage makes other rows of the lines.
func (k StageKind) Folds() bool { return k >= Top && k <= Timeline }

// A Stage is one step behind a "|". There is at most one that folds; Session comes before it, Sort, Head and Tail behind it.
type Stage struct {
	Kind       StageKind
	Text       string        // of Session
	By         []Field       // of Columns, Top, Rare, Count to Distinct
	Of         Field         // of Sum to Distinct
	Every      time.Duration // of Count to Timeline; 0: no buckets (Timeline: as fits). A multiple of 24 h is days of the calendar
	N          int           // of Top, Rare, Head, Tail
	Column     string        // of Sort: as Result.Columns has it
	Descending bool          // of Sort
}

func (s Stage) same(o Stage) bool {
	return s.Kind == o.Kind && s.Text == o.Text && slices.Equal(s.By, o.By) && s.Of == o.Of && s.Every == o.Every && s.N == o.N && s.Column == o.Column &&
		s.Descending == o.Descending
}

// Same reports whether two queries are the same but for the zone.
func (q *Query) Same(o *Query) bool {
	return q.Where.Same(o.Where) && q.Since.Equal(o.Since) && q.Until.Equal(o.Until) && slices.EqualFunc(q.Stages, o.Stages, Stage.same)
}

// Filter returns the whole condition: Where, and whom a session stage names. This is what an executor plans for.
func (q *Query) Filter() *Expr {
	e := q.Where
	for _, s := range q.Stages {
		if s.Kind == Session {
			e = All(e, visitor(s.Text))
		}
	}
	return e
}

// visitor asks for the lines of an address, or of a session.
func visitor(who string) *Expr {
	if a, err := netip.ParseAddr(who); err == nil {
		return Is(KnownField(record.SourceIP), a.Unmap().WithZone("").String())
	}
	return Is(KnownField(record.SessionID), who)
}

// InWindow reports whether a time is in [Since, Until). A missing time (zero) is in no window but the one without bounds.
func (q *Query) InWindow(at time.Time) bool {
	if at.IsZero() {
		return q.Since.IsZero() && q.Until.IsZero()
	}
	return (q.Since.IsZero() || !at.Before(q.Since)) && (q.Until.IsZero() || at.Before(q.Until))
}

// Match reports whether a record is what the query looks for.
func (q *Query) Match(r *record.Record) bool { return q.InWindow(r.Time) && q.Filter().Match(r) }

// Folding returns the stage that folds; false when the query lists lines.
func (q *Query) Folding() (Stage, bool) {
	for _, s := range q.Stages {
		if s.Kind.Folds() {
			return s, true
		}
	}
	return Stage{}, false
}

// Grain returns to how much the times of counts may be rounded down (Bucket) before a Fold gets them: the interval of the stage that folds, or
// that which its timeline will choose, a second while that depends on the lines. 0: times do not matter.
func (q *Query) Grain() time.Duration {
	s, _ := q.Folding()
	switch {
	case s.Every > 0 || s.Kind != Timeline:
		return s.Every
	case !q.Since.IsZero() && !q.Until.IsZero():
		return Interval(q.Since, q.Until)
	}
	return time.Second
}
