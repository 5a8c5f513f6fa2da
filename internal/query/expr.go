package query

import (
	"net/netip"
	"regexp"
	"slices"
	"time"

	"tocsin/internal/record"
)

// An Op says what an Expr asks.
type Op uint8

const (
	And      Op = iota // of Kids: every one
	Or                 // of Kids: one
	Not                // of Kids[0]: not that
	Equal              // a value that is Text but for case, or a number that is Number if Numeric
	Glob               // a value that fits Text but for case: "*" is any run, "\*" and "\\" are themselves
	Contains           // a value that has Text in it, but for case
	Matches            // a value that Regex matches in its first Sees bytes
	Less               // a number below Number; of Time a time before Time
	AtMost             //
	More               //
	AtLeast            //
	Within             // an address in Net, or a network that lies in it
	Exists             // any value
)

var opNames = [...]string{"and", "or", "not", "equal", "glob", "contains", "matches", "less", "at most", "more", "at least", "within", "exists"}

func (op Op) String() string { return opNames[op] }

// An Expr is a condition on one record. A leaf (all but And, Or and Not) holds when one of the field's values is what it asks, and so never
// when the field is missing. It is made by the functions below or by Parse, and is not changed afterwards; any number of
// goroutines may use it.
type Expr struct {
	Op      Op
	Kids    []*Expr        // of And and Or two or more, of Not one, else none
	Field   Field          // of a leaf
	Text    string         // of Equal, Contains the text, of Glob the pattern, of Matches the expression, as written
	Flags   string         // of Matches: of "ims", in this order
	Numeric bool           // of Equal: Number counts too
	Number  float64        // of Less, AtMost, More, AtLeast but for a time; of Equal when Numeric. Bytes or nanoseconds where the field has them
	Time    time.Time      // of Less, AtMost, More, AtLeast when Field is Time
	Net     netip.Prefix   // of Within, masked
	Regex   *regexp.Regexp // of Matches
	Sees    int            // of Matches: bytes of a value that it is shown; what a line can make it cost is bounded so

	folded string   // Text, of Equal and Contains
	glob   glob     // folded, of Glob
	needs  []string // of Matches
}

// All is every one of kids. Kids that are nil ask nothing; nil when none asks.
func All(kids ...*Expr) *Expr { return joined(And, kids) }

// Any is one of kids.
func Any(kids ...*Expr) *Expr { return joined(Or, kids) }

// joined takes kids of the same kind apart, so that there is one form.
func joined(op Op, kids []*Expr) *Expr {
	var flat []*Expr
	for _, k := range kids {
		switch {
		case k == nil:
		case k.Op == op:
			flat = append(flat, k.Kids...)
		default:
			flat = append(flat, k)
		}
	}
	switch len(flat) {
	case 0:
		return nil
	case 1:
		return flat[0]
	}
	return &Expr{Op: op, Kids: flat}
}

// None is not e, which is not nil.
func None(e *Expr) *Expr {
	if e.Op == Not {
		return e.Kids[0]
	}
	return &Expr{Op: Not, Kids: []*Expr{e}}
}

// Is asks for a value that is text but for case.
func Is(f Field, text string) *Expr {
	return &Expr{Op: Equal, Field: f, Text: text, folded: Folded(text)}
}

// IsNumber asks for a value that is text but for case, or is the number n.
func IsNumber(f Field, text string, n float64) *Expr {
	return &Expr{Op: Equal, Field: f, Text: text, Numeric: true, Number: n, folded: Folded(text)}
}

// Like asks for a value that fits a pattern with "*". Without a wildcard it is Is, and "*" alone is Has.
func Like(f Field, pattern string) *Expr {
	g := globOf(pattern)
	switch {
	case len(g) == 1:
		return Is(f, g[0])
	case len(g) == 2 && g[0] == "" && g[1] == "":
		return Has(f)
	}
	return &Expr{Op: Glob, Field: f, Text: g.pattern(), glob: g.folded()}
}

// Holds asks for a value with text in it.
func Holds(f Field, text string) *Expr {
	return &Expr{Op: Contains, Field: f, Text: text, folded: Folded(text)}
}

// Compare asks for a number; op is Less, AtMost, More or AtLeast.
func Compare(f Field, op Op, n float64) *Expr { return &Expr{Op: op, Field: f, Number: n} }

// CompareTime asks for a time; op is Less, AtMost, More or AtLeast.
func CompareTime(op Op, at time.Time) *Expr { return &Expr{Op: op, Field: Time, Time: at} }

// In asks for an address in a network.
func In(f Field, net netip.Prefix) *Expr { return &Expr{Op: Within, Field: f, Net: net.Masked()} }

// Has asks for any value.
func Has(f Field) *Expr { return &Expr{Op: Exists, Field: f} }

// Match reports whether a record is what e asks for. It is the meaning of the language: whatever is faster is held against it. The
// nil Expr asks nothing.
func (e *Expr) Match(r *record.Record) bool {
	if e == nil {
		return true
	}
	switch e.Op {
	case And:
		return !slices.ContainsFunc(e.Kids, func(k *Expr) bool { return !k.Match(r) })
	case Or:
		return slices.ContainsFunc(e.Kids, func(k *Expr) bool { return k.Match(r) })
	case Not:
		return !e.Kids[0].Match(r)
	}
	if e.Field.Place == PlaceTime {
		return e.MatchTime(r.Time)
	}
	hit := false
	e.Field.Each(r, func(v record.Value) bool {
		hit = e.MatchValue(v)
		return !hit
	})
	return hit
}

// MatchTime reports whether a time is what a leaf on Time asks for. The zero time is a missing one.
func (e *Expr) MatchTime(at time.Time) bool {
	if at.IsZero() {
		return false
	}
	return e.Op == Exists || e.ordered(at.Compare(e.Time))
}

// MatchValue reports whether one value is what a leaf on any other field asks for: what a column says of each word of its dictionary.
func (e *Expr) MatchValue(v record.Value) bool {
	switch e.Op {
	case Equal:
		if e.Numeric && (v.Kind == record.KindInt || v.Kind == record.KindFloat) && v.Float == e.Number {
			return true
		}
		return is(v.Text, e.folded)
	case Glob:
		return e.glob.fits(Folded(v.Text))
	case Contains:
		return holds(v.Text, e.folded)
	case Matches:
		text := v.Text[:min(len(v.Text), e.Sees)]
		if e.needs != nil && !slices.ContainsFunc(e.needs, func(need string) bool { return holds(text, need) }) {
			return false // far cheaper than to run the expression
		}
		return e.Regex.MatchString(text)
	case Within:
		p, ok := prefixOf(v.Text)
		return ok && e.Net.Bits() <= p.Bits() && e.Net.Contains(p.Addr())
	case Exists:
		return true
	}
	n, ok := NumberOf(v)
	switch {
	case !ok:
		return false
	case n < e.Number:
		return e.ordered(-1)
	case n > e.Number:
		return e.ordered(1)
	}
	return e.ordered(0)
}

// ordered reads the sign of a comparison with what is asked.
func (e *Expr) ordered(sign int) bool {
	switch e.Op {
	case Less:
		return sign < 0
	case AtMost:
		return sign <= 0
	case More:
		return sign > 0
	case AtLeast:
		return sign >= 0
	}
	return false
}

// prefixOf reads an address or a network. IPv4 in IPv6 is IPv4, and a zone does not count.
func prefixOf(s string) (netip.Prefix, bool) {
	if a, err := netip.ParseAddr(s); err == nil {
		a = a.Unmap().WithZone("")
		return netip.PrefixFrom(a, a.BitLen()), true
	}
	p, err := netip.ParsePrefix(s)
	if err != nil {
		return netip.Prefix{}, false
	}
	if a := p.Addr(); a.Is4In6() && p.Bits() >= 96 {
		return netip.PrefixFrom(a.Unmap(), p.Bits()-96), true
	}
	return p, true
}

// Same reports whether two conditions are written the same way, which is more than that they mean the same.
func (e *Expr) Same(o *Expr) bool {
	if e == nil || o == nil {
		return e == o
	}
	return e.Op == o.Op && e.Field == o.Field && e.Text == o.Text && e.Flags == o.Flags && e.Numeric == o.Numeric && e.Number == o.Number &&
		e.Time.Equal(o.Time) && e.Net == o.Net && slices.EqualFunc(e.Kids, o.Kids, (*Expr).Same)
}

// Walk calls visit with e and what is below it, from left to right; it goes no deeper where visit returns false.
func (e *Expr) Walk(visit func(*Expr) bool) {
	if e == nil || !visit(e) {
		return
	}
	for _, k := range e.Kids {
		k.Walk(visit)
	}
}
