package trace

import (
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"tocsin/internal/record"
)

// A Field is what a Term asks: a field of package record, or Log.
type Field int

// Log is the path of the file that a line stands in.
const Log Field = -1

const (
	addressField = Field(record.SourceIP)
	accountField = Field(record.UserName)
	realmField   = Field(record.UserRealm)
	actionField  = Field(record.EventAction)
	outcomeField = Field(record.EventOutcome)
	methodField  = Field(record.HTTPMethod)
	statusField  = Field(record.HTTPStatus)
	pathField    = Field(record.URLPath)
	queryField   = Field(record.URLQuery)
	agentField   = Field(record.UserAgent)
	sessionField = Field(record.SessionID)
	fileField    = Field(record.FilePath)
)

// Needed are the fields that a line has to come with.
func Needed() []record.Field {
	return []record.Field{record.SourceIP, record.SourceCountry, record.UserName, record.UserRealm, record.EventAction, record.EventOutcome, record.HTTPMethod, record.HTTPStatus,
		record.URLPath, record.URLQuery, record.FilePath, record.FileSize, record.FileType, record.TransferBytes}
}

// A How says how a Term compares; case never counts.
type How uint8

const (
	Equals How = iota // one of the values
	Begins            // with one of them
	Ends              // likewise
	Exists            // there is a value
)

// A Term is a condition on one field.
type Term struct {
	Field Field
	How   How
	Is    []string
}

func is(f Field, values ...string) Term { return Term{f, Equals, values} }
func has(f Field) Term                  { return Term{f, Exists, nil} }

// An Ask is a question to the kept lines: those for which every term holds, with a time in [Since, Until).
type Ask struct {
	Terms        []Term
	Since, Until time.Time
}

// Match reports whether a record is meant. It is what an Ask means; whatever answers it faster is held against it.
func (a Ask) Match(r *record.Record) bool {
	if r.Time.IsZero() || r.Time.Before(a.Since) || !r.Time.Before(a.Until) {
		return false
	}
	return !slices.ContainsFunc(a.Terms, func(t Term) bool { return !t.match(r) })
}

func (t Term) match(r *record.Record) bool {
	text, ok := r.Line.File, r.Line.File != ""
	if t.Field != Log {
		var v record.Value
		v, ok = r.Get(record.Field(t.Field))
		text = v.Text
	}
	if !ok || t.How == Exists {
		return ok
	}
	text = strings.ToLower(text)
	return slices.ContainsFunc(t.Is, func(want string) bool {
		want = strings.ToLower(want)
		switch t.How {
		case Begins:
			return strings.HasPrefix(text, want)
		case Ends:
			return strings.HasSuffix(text, want)
		}
		return text == want
	})
}

// with adds terms.
func (a Ask) with(terms ...Term) Ask {
	a.Terms = append(slices.Clip(a.Terms), terms...)
	return a
}

// from narrows the time to what is not before at.
func (a Ask) from(at time.Time) Ask {
	if at.After(a.Since) {
		a.Since = at
	}
	return a
}

// before narrows it to what is before at.
func (a Ask) before(at time.Time) Ask {
	if at.Before(a.Until) {
		a.Until = at
	}
	return a
}

// moment narrows it to one.
func (a Ask) moment(at time.Time) Ask { return a.from(at).before(at.Add(1)) }

// askable reports whether a value can be asked for so that it is written down, read back and still the same.
func askable(s string) bool { return s != "" && len(s) <= maxTerm && utf8.ValidString(s) }

// An Answer is lines that an Ask finds.
type Answer struct {
	Rows []*record.Record // the first or last ones, in order of time, with their numbers, hosts, files and the fields of Needed
	All  int64            // how many there are
	Cut  string           // a sentence that says why not all lines were asked; "" when they were
}

// A Counted is a value, and how many lines have it.
type Counted struct {
	Value string
	N     int64
}

// An Archive answers about the kept lines. It is two func values, so that this package opens nothing.
type Archive struct {
	// Lines returns the first lines that an Ask finds, the last ones if last is true, at most most.
	Lines func(a Ask, most int, last bool) (Answer, error)
	// Top returns the most frequent values of a field among the lines that an Ask finds, at most n, the most frequent first; lines without
	// the field do not count. cut is as of an Answer.
	Top func(a Ask, by Field, n int) (list []Counted, cut string, err error)
}

// A Ref names a kept line.
type Ref struct {
	Number     int64 // in the archive
	Host, File string
	Time       time.Time
}

// A Proof is the lines that a statement stands on. Only an answer with lines makes one, so it is never empty but as the zero Proof, which
// no statement of a Story has.
type Proof struct {
	ask   Ask
	lines []Ref
	all   int64
}

// Ask finds precisely the lines, again.
func (p Proof) Ask() Ask { return p.ask }

// Lines are the first ones of them, at most a hundred, in order of time.
func (p Proof) Lines() []Ref { return slices.Clone(p.lines) }

// Count is how many there are.
func (p Proof) Count() int64 { return p.all }

// found is an answer that has lines.
type found struct {
	rows  []*record.Record
	last  *record.Record
	proof Proof
}

func (f found) first() *record.Record { return f.rows[0] }

// mayAsk counts a question, and reports whether it may be asked.
func (t *tracer) mayAsk() bool {
	if t.err != nil {
		return false
	}
	if t.story.Asked == maxAsked {
		t.cut("The trace ended after %d questions to the kept lines; what they would have led to is not told.", maxAsked)
		return false
	}
	t.story.Asked++
	return true
}

// window is an Ask in the time that is looked at.
func (t *tracer) window(terms ...Term) Ask { return Ask{terms, t.since, t.until} }

// lines asks for lines.
func (t *tracer) lines(a Ask, most int, last bool) Answer {
	if !t.mayAsk() {
		return Answer{}
	}
	got, err := t.a.Lines(a, most, last)
	if t.err = err; got.Cut != "" {
		t.cut("%s", got.Cut)
	}
	return got
}

// top asks for values.
func (t *tracer) top(a Ask, by Field, n int) []Counted {
	if !t.mayAsk() {
		return nil
	}
	list, cut, err := t.a.Top(a, by, n)
	if t.err = err; cut != "" {
		t.cut("%s", cut)
	}
	return list
}

// find asks for lines, of which the first ones are held; false when there are none.
func (t *tracer) find(a Ask, most int) (f found, ok bool) {
	got := t.lines(a, max(most, maxRefs), false)
	if len(got.Rows) == 0 {
		return f, false
	}
	f = found{rows: got.Rows, last: got.Rows[len(got.Rows)-1], proof: Proof{ask: a, all: got.All}}
	for _, r := range got.Rows[:min(len(got.Rows), maxRefs)] {
		f.proof.lines = append(f.proof.lines, Ref{r.Line.Seq, r.Line.Host, r.Line.File, r.Time})
	}
	if got.All > int64(len(got.Rows)) {
		if end := t.lines(a, 1, true); len(end.Rows) > 0 {
			f.last = end.Rows[0]
		}
	}
	return f, true
}
