package query

import (
	"strconv"
	"strings"
	"time"
)

// String prints the query in its one form: words in lower case, the shortest names, times absolute in the query's zone. Parse reads it back as the same
// query.
func (q *Query) String() string {
	var parts []string
	if q.Where != nil {
		where := q.Where.String()
		if q.Where.Op == Or && !(q.Since.IsZero() && q.Until.IsZero()) && !oneList(q.Where) {
			where = "(" + where + ")"
		}
		parts = append(parts, where)
	}
	if !q.Since.IsZero() {
		parts = append(parts, "since "+stamp(q.Since, q.Zone))
	}
	if !q.Until.IsZero() {
		parts = append(parts, "until "+stamp(q.Until, q.Zone))
	}
	for _, s := range q.Stages {
		parts = append(parts, "| "+s.String())
	}
	return strings.Join(parts, " ")
}

// stamp writes a time so that it is read back exactly (RFC 3339).
func stamp(t time.Time, zone *time.Location) string {
	if zone == nil {
		zone = time.UTC
	}
	t = t.In(zone)
	if _, offset := t.Zone(); offset%60 != 0 {
		t = t.UTC()
	}
	return t.Format(time.RFC3339Nano)
}

// String prints a condition, times in UTC or in the zone that they have.
func (e *Expr) String() string {
	var b strings.Builder
	e.print(&b)
	return b.String()
}

func (e *Expr) print(b *strings.Builder) {
	switch {
	case e == nil:
	case e.Op == And:
		for i := 0; i < len(e.Kids); i++ {
			if i > 0 {
				b.WriteString(" and ")
			}
			if i+1 < len(e.Kids) && isDenied(e.Kids[i], e.Kids[i+1]) {
				i++
				printDenied(b, e.Kids[i].Kids[0])
				continue
			}
			e.Kids[i].printWithin(b)
		}
	case e.Op == Or && oneList(e):
		b.WriteString(e.Kids[0].Field.String())
		b.WriteString(" in ")
		printList(b, e)
	case e.Op == Or:
		for i, k := range e.Kids {
			if i > 0 {
				b.WriteString(" or ")
			}
			k.print(b)
		}
	case e.Op == Not:
		b.WriteString("not ")
		if k := e.Kids[0]; k.Op == And && !(len(k.Kids) == 2 && isDenied(k.Kids[0], k.Kids[1])) || k.Op == Or && !oneList(k) {
			b.WriteString("(")
			k.print(b)
			b.WriteString(")")
		} else {
			k.print(b)
		}
	default:
		e.printLeaf(b, false)
	}
}

// printWithin prints a kid of And, with parentheses if it needs them.
func (e *Expr) printWithin(b *strings.Builder) {
	if e.Op == Or && !oneList(e) {
		b.WriteString("(")
		e.print(b)
		b.WriteString(")")
		return
	}
	e.print(b)
}

// isDenied reports whether two kids of And are what "field is not" makes: the field is there, and it is not that.
func isDenied(has, not *Expr) bool {
	if has.Op != Exists || has.Field.Place == PlaceRaw || has.Field.Place == PlaceTime || not.Op != Not {
		return false
	}
	k := not.Kids[0]
	switch k.Op {
	case Equal, Glob, Within, Contains, Matches:
		return k.Field == has.Field
	}
	return oneList(k) && k.Kids[0].Field == has.Field
}

func printDenied(b *strings.Builder, k *Expr) {
	if k.Op == Or {
		b.WriteString(k.Kids[0].Field.String())
		b.WriteString(" not in ")
		printList(b, k)
		return
	}
	k.printLeaf(b, true)
}

// oneList reports whether an Or can be written as "field in (a, b)".
func oneList(e *Expr) bool {
	if e.Op != Or {
		return false
	}
	f := e.Kids[0].Field
	for _, k := range e.Kids {
		if k.Op != Equal && k.Op != Glob && k.Op != Within || k.Field != f || f.Place == PlaceTime {
			return false
		}
	}
	return true
}

func printList(b *strings.Builder, e *Expr) {
	for i, k := range e.Kids {
		b.WriteString([]string{"(", ", "}[min(i, 1)])
		b.WriteString(k.value())
	}
	b.WriteString(")")
}

func (e *Expr) printLeaf(b *strings.Builder, negate bool) {
	sign := map[Op]string{Equal: "=", Glob: "=", Within: "=", Contains: "~", Matches: "~", Less: "<", AtMost: "<=", More: ">", AtLeast: ">=", Exists: "=*"}[e.Op]
	switch {
	case e.Field.Place == PlaceRaw && e.Op == Contains && !negate:
		if plainText(e.Text) && !strings.Contains(e.Text, "*") {
			b.WriteString(e.Text)
		} else {
			b.WriteString(quoted(e.Text))
		}
		return
	case e.Field.Place == PlaceRaw && e.Op == Glob:
		if inner := strings.TrimSuffix(strings.TrimPrefix(e.Text, "*"), "*"); len(inner) == len(e.Text)-2 && plainText(inner) && holding(Raw, inner).Same(e) {
			b.WriteString(inner)
			return
		}
	case e.Field.Place == PlaceRaw && e.Op == Matches:
		b.WriteString(e.value())
		return
	case negate:
		sign = "!" + sign
	}
	b.WriteString(e.Field.String())
	b.WriteString(sign)
	b.WriteString(e.value())
}

// value prints what a leaf asks its field for.
func (e *Expr) value() string {
	switch e.Op {
	case Equal:
		if e.Numeric {
			return escaped(e.Text)
		}
		if plainText(e.Text) && equal(e.Field, e.Text).Same(e) {
			return e.Text
		}
		return quoted(e.Text)
	case Contains:
		if plainText(e.Text) && !strings.Contains(e.Text, "*") {
			return e.Text
		}
		return quoted(e.Text)
	case Glob:
		return escapedPattern(e.Text)
	case Within:
		return e.Net.String()
	case Matches:
		return "/" + escapedSlashes(e.Text) + "/" + e.Flags
	case Less, AtMost, More, AtLeast:
		if e.Field.Place == PlaceTime {
			return stamp(e.Time, e.Time.Location())
		}
		return e.Field.figure(e.Number)
	}
	return ""
}

// escapedSlashes puts a backslash before each slash of a regular expression that has none.
func escapedSlashes(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '\\' && i+1 < len(s):
			b.WriteByte(s[i])
			i++
		case s[i] == '/':
			b.WriteByte('\\')
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// String prints the stage.
func (s Stage) String() string {
	out := s.Kind.String()
	switch s.Kind {
	case Session:
		if plainText(s.Text) {
			return out + " " + s.Text
		}
		return out + " " + quoted(s.Text)
	case Top, Rare:
		return out + " " + s.By[0].String() + " " + strconv.Itoa(s.N)
	case Head, Tail:
		return out + " " + strconv.Itoa(s.N)
	case Timeline:
		if s.Every > 0 {
			out += " " + interval(s.Every)
		}
		return out
	case Sort:
		out += " " + s.Column
		if s.Descending {
			out += " desc"
		}
		return out
	case Columns:
		return out + " " + names(s.By)
	case Count:
	default:
		out += "(" + s.Of.String() + ")"
	}
	switch {
	case len(s.By) > 0 && s.Every > 0:
		out += " by " + names(s.By) + ", " + interval(s.Every)
	case len(s.By) > 0:
		out += " by " + names(s.By)
	case s.Every > 0:
		out += " by " + interval(s.Every)
	}
	return out
}

func names(fields []Field) string {
	out := make([]string, len(fields))
	for i, f := range fields {
		out[i] = f.String()
	}
	return strings.Join(out, ", ")
}

// interval writes a length of time in the largest unit that it is a whole number of.
func interval(d time.Duration) string {
	for _, u := range []struct {
		name string
		of   time.Duration
	}{{"d", 24 * time.Hour}, {"h", time.Hour}, {"m", time.Minute}} {
		if d%u.of == 0 {
			return strconv.FormatInt(int64(d/u.of), 10) + u.name
		}
	}
	return strconv.FormatInt(int64(d/time.Second), 10) + "s"
}
