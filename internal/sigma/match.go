package sigma

import (
	"net/netip"
	"strings"
	"time"

	"tocsin/internal/record"
	"tocsin/internal/tree"
)

// A View is a record as rules look at it. It keeps what several rules need (folded values above all), so that each
// is made once per record. Use one View for one stream of records: Reset, then MatchView with each rule. A View is not
// safe for several goroutines.
type View struct {
	record *record.Record
	zone   *time.Location

	state  [record.NumFields]state
	values [record.NumFields]subject
	extra  []subject // of record.Extra, in its order; made when first needed
	file   subject
	line   subject
	time   subject
	hay    []*subject // what keywords are searched in; made when first needed
}

type state uint8

const (
	unread state = iota
	present
	missing
)

// A subject is one value that a rule's values are held against.
type subject struct {
	value  record.Value
	folded string
	pairs  pairs
	done   bool // folded and pairs are set
}

func (s *subject) prepare() {
	if !s.done {
		s.folded, s.done = Fold(s.value.Text), true
		s.pairs = pairsOf(s.folded)
	}
}

func (s *subject) text(cased bool) string {
	if cased {
		return s.value.Text
	}
	s.prepare()
	return s.folded
}

// fits reports whether the text of s fits p.
func (s *subject) fits(p *pattern) bool {
	s.prepare()
	return p.pairs.within(&s.pairs) && p.match(s.text(p.cased))
}

// number returns the value as a number: typed numbers as they are, text when it is plain decimal.
func (s *subject) number() (tree.Num, bool) {
	switch s.value.Kind {
	case record.KindInt:
		return tree.Num{Whole: true, I: s.value.Int, F: float64(s.value.Int)}, true
	case record.KindFloat:
		return tree.Num{F: s.value.Float}, true
	case record.KindBool:
		return tree.Num{}, false
	}
	return tree.Decimal(s.value.Text)
}

// NewView returns a View that reads times in a zone; nil is UTC.
func NewView(zone *time.Location) *View {
	if zone == nil {
		zone = time.UTC
	}
	return &View{zone: zone}
}

// Reset turns the View to a record, which must not change until the next Reset.
func (v *View) Reset(r *record.Record) {
	v.record = r
	v.state = [record.NumFields]state{}
	v.extra = v.extra[:0]
	v.hay = v.hay[:0]
	v.line = subject{value: record.Text(r.Line.Raw)}
	v.file = subject{value: record.Text(r.Line.File)}
	v.time = subject{}
	if !r.Time.IsZero() {
		v.time.value = record.Text(r.Time.UTC().Format(timeFormat))
	}
}

// Match reports whether a record matches the rule, with times in UTC. It does not look at the log source: see Routed.
func (u *Rule) Match(r *record.Record) bool {
	v := NewView(nil)
	v.Reset(r)
	return u.MatchView(v)
}

// MatchView is Match for the record that v was last Reset to.
func (u *Rule) MatchView(v *View) bool { return u.expr.match(v) }

func (e *expr) match(v *View) bool {
	if e.term != nil {
		return e.term.match(v)
	}
	switch e.op {
	case opNot:
		return !e.kids[0].match(v)
	case opAnd:
		for _, k := range e.kids {
			if !k.match(v) {
				return false
			}
		}
		return true
	}
	for _, k := range e.kids {
		if k.match(v) {
			return true
		}
	}
	return false
}

func (t *term) match(v *View) bool {
	hit := t.all
	for i := range t.wants {
		if t.wants[i].match(v, t) != t.all {
			hit = !t.all
			break
		}
	}
	return hit != t.negate
}

// match reports whether one value of the field (or, of a keyword, one text of the record) is what w wants.
func (w *want) match(v *View, t *term) bool {
	if t.keyword {
		for _, s := range v.haystacks() {
			if w.holds(v, s) {
				return true
			}
		}
		return false
	}
	first := v.at(t.field, 0)
	switch w.kind {
	case wantExists:
		return (first != nil) == w.yes
	case wantNull:
		return first == nil
	case wantPart:
		if t.field.place == placeTime {
			return first != nil && w.inTime(v.record.Time.In(v.zone))
		}
	}
	for i, s := 0, first; s != nil; {
		if w.holds(v, s) {
			return true
		}
		i++
		s = v.at(t.field, i)
	}
	return false
}

// holds reports whether s is what w wants.
func (w *want) holds(v *View, s *subject) bool {
	switch w.kind {
	case wantText:
		return s.fits(&w.pattern)
	case wantNumber:
		n, ok := s.number()
		return ok && n.Compare(w.num) == 0
	case wantBool:
		if s.value.Kind == record.KindBool {
			return (s.value.Int != 0) == w.yes
		}
		return w.yes && s.text(false) == "true" || !w.yes && s.text(false) == "false"
	case wantRegex:
		return w.regex.MatchString(s.value.Text[:min(len(s.value.Text), w.sees)])
	case wantCIDR:
		a, err := netip.ParseAddr(s.value.Text)
		return err == nil && w.net.Contains(a.Unmap().WithZone(""))
	case wantOrder:
		n, ok := s.number()
		return ok && inOrder(n.Compare(w.num), w.op)
	case wantPart:
		at, err := time.Parse(time.RFC3339Nano, s.value.Text)
		return err == nil && w.inTime(at.In(v.zone))
	case wantField:
		return w.otherField(v, s)
	}
	return false
}

// inOrder reads the sign of a comparison; "" is equal.
func inOrder(sign int, op string) bool {
	switch op {
	case "lt":
		return sign < 0
	case "lte":
		return sign <= 0
	case "gt":
		return sign > 0
	case "gte":
		return sign >= 0
	case "neq":
		return sign != 0
	}
	return sign == 0
}

func (w *want) inTime(at time.Time) bool {
	var n int
	switch w.part {
	case "minute":
		n = at.Minute()
	case "hour":
		n = at.Hour()
	case "day":
		n = at.Day()
	case "week":
		_, n = at.ISOWeek()
	case "month":
		n = int(at.Month())
	case "year":
		n = at.Year()
	}
	return inOrder(tree.Num{Whole: true, I: int64(n), F: float64(n)}.Compare(w.num), w.op)
}

// otherField compares s with the values of another field of the same record.
func (w *want) otherField(v *View, s *subject) bool {
	for i := 0; ; i++ {
		o := v.at(w.field, i)
		if o == nil {
			return false
		}
		if a, ok := s.number(); ok && !w.before && !w.behind {
			if b, ok := o.number(); ok && a.Compare(b) == 0 {
				return true
			}
		}
		a, b := s.text(w.cased), o.text(w.cased)
		switch {
		case w.before && w.behind && strings.Contains(a, b), w.before && !w.behind && strings.HasSuffix(a, b),
			w.behind && !w.before && strings.HasPrefix(a, b), a == b:
			return true
		}
	}
}

// at returns the i-th value of a field, nil when there is none. Only an application's own fields can have several.
func (v *View) at(f Field, i int) *subject {
	if f.place == placeExtra {
		return v.extraAt(f.name, i)
	}
	if i > 0 {
		return nil
	}
	switch f.place {
	case placeTime:
		if v.record.Time.IsZero() {
			return nil
		}
		return &v.time
	case placeLine:
		return &v.line
	case placeFile:
		if v.record.Line.File == "" {
			return nil
		}
		return &v.file
	}
	return v.known(f.known)
}

func (v *View) known(f record.Field) *subject {
	switch v.state[f] {
	case missing:
		return nil
	case present:
		return &v.values[f]
	}
	value, ok := v.record.Get(f)
	if !ok {
		v.state[f] = missing
		return nil
	}
	v.state[f] = present
	v.values[f] = subject{value: value}
	return &v.values[f]
}

func (v *View) extraAt(name string, i int) *subject {
	if len(v.extra) != len(v.record.Extra) {
		for _, p := range v.record.Extra {
			v.extra = append(v.extra, subject{value: p.Value})
		}
	}
	for j, p := range v.record.Extra {
		if p.Name != name {
			continue
		}
		if i == 0 {
			return &v.extra[j]
		}
		i--
	}
	return nil
}

// haystacks are the texts that keywords are searched in: the line, and each value of the log's words that does not stand in the line
// as it is. A value that does would be found there anyway.
func (v *View) haystacks() []*subject {
	if len(v.hay) > 0 {
		return v.hay
	}
	raw := v.record.Line.Raw
	v.hay = append(v.hay, &v.line)
	for f := range record.NumFields {
		if record.Field(f).Added() {
			continue
		}
		if s := v.known(record.Field(f)); s != nil && !strings.Contains(raw, s.value.Text) {
			v.hay = append(v.hay, s)
		}
	}
	for i := range v.record.Extra {
		if s := v.extraNth(i); !strings.Contains(raw, s.value.Text) {
			v.hay = append(v.hay, s)
		}
	}
	return v.hay
}

func (v *View) extraNth(i int) *subject {
	if len(v.extra) != len(v.record.Extra) {
		v.extraAt("", 0)
	}
	return &v.extra[i]
}

// Number returns a record's value as rules compare it with numbers: typed numbers as they are, text when it is plain
// decimal, anything else not.
func Number(v record.Value) (float64, bool) {
	n, ok := (&subject{value: v}).number()
	return n.F, ok
}
