package tuning

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// A Pattern is a STIX pattern (STIX 2.1, section 9) as a tree: an observation in brackets, or parts that an operator joins.
// The whole grammar is read, so that what a watch list cannot do is refused by its name.
type Pattern struct {
	Op         string // "" is an observation; OR, AND, FOLLOWEDBY
	Parts      []Pattern
	Test       *Test    // of an observation
	Qualifiers []string // "WITHIN 300 SECONDS", "REPEATS 5 TIMES", "START t'...' STOP t'...'"
}

// A Test is one comparison of an observation, or several that AND or OR joins.
type Test struct {
	Op     string // "" is a comparison
	Parts  []Test
	Type   string   // of the object: "ipv4-addr"
	Path   []string // into it: "hashes", "SHA-256"; an index is "[0]" or "[*]"
	Not    bool
	Cmp    string    // = != > < >= <= IN LIKE MATCHES ISSUBSET ISSUPERSET EXISTS
	Values []Literal // one, of IN any number, of EXISTS none
}

// A Literal is a value that a pattern compares with. Text is what stands between the quotation marks, without escapes; of a number or
// truth value it is its text.
type Literal struct {
	Kind string // "" is text; "number", "bool"; "b" base64, "h" hex, "t" time
	Text string
}

const (
	longestPattern = 64 << 10
	deepest        = 32
)

// A PatternError says what is wrong with a pattern, and where.
type PatternError struct {
	At  int // bytes from the start
	Why string
}

func (e *PatternError) Error() string { return fmt.Sprintf("at character %d: %s", e.At+1, e.Why) }

// ParsePattern reads a pattern. Errors are *PatternError.
func ParsePattern(s string) (p Pattern, err error) {
	if len(s) > longestPattern {
		return p, &PatternError{longestPattern, fmt.Sprintf("a pattern has at most %d bytes", longestPattern)}
	}
	r := &patternReader{s: s}
	defer func() {
		switch e := recover().(type) {
		case nil:
		case *PatternError:
			p, err = Pattern{}, e
		default:
			panic(e)
		}
	}()
	r.next()
	p = r.observations(0)
	if r.tok != end {
		r.fail("%q is more than a pattern", r.text)
	}
	return p, nil
}

// A token is what the reader stands on.
type token int

const (
	end token = iota
	word
	quoted
	number
	mark1 // one of the signs, in text
)

// A patternReader reads by descent. It panics with a *PatternError, which ParsePattern returns.
type patternReader struct {
	s    string
	at   int // behind the token
	from int // of the token
	tok  token
	text string // of a word, number or sign; of quoted text what it means
	kind string // of quoted text: "", b, h, t
}

func (r *patternReader) fail(format string, args ...any) {
	panic(&PatternError{r.from, fmt.Sprintf(format, args...)})
}

func letter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' || c == '_' }
func digit(c byte) bool  { return c >= '0' && c <= '9' }

// next goes on to the next token.
func (r *patternReader) next() {
	for r.at < len(r.s) && strings.IndexByte(" \t\r\n", r.s[r.at]) >= 0 {
		r.at++
	}
	r.from, r.kind = r.at, ""
	if r.at == len(r.s) {
		r.tok, r.text = end, ""
		return
	}
	c := r.s[r.at]
	switch {
	case c == '\'':
		r.quote()
	case strings.IndexByte("bht", c) >= 0 && strings.HasPrefix(r.s[r.at+1:], "'"):
		r.kind = string(c)
		r.at++
		r.quote()
	case letter(c):
		r.run(word, func(c byte) bool { return letter(c) || digit(c) || c == '-' })
	case digit(c) || (c == '-' || c == '+') && r.at+1 < len(r.s) && digit(r.s[r.at+1]):
		r.at++
		r.run(number, func(c byte) bool { return digit(c) || c == '.' })
	default:
		r.tok, r.text = mark1, string(c)
		if two := r.s[r.at:min(r.at+2, len(r.s))]; slices.Contains([]string{"!=", ">=", "<=", "==", "<>"}, two) {
			r.text = two
		}
		if c >= 0x80 || !strings.Contains("[]().,:*=!<>", string(c)) {
			r.fail("the character %q has no meaning here", []rune(r.s[r.at:])[0])
		}
		r.at += len(r.text)
	}
}

func (r *patternReader) run(t token, in func(byte) bool) {
	for r.at < len(r.s) && in(r.s[r.at]) {
		r.at++
	}
	r.tok, r.text = t, r.s[r.from:r.at]
}

// quote reads text in single quotes, in which a backslash stands before a quote and before itself.
func (r *patternReader) quote() {
	var b strings.Builder
	for i := r.at + 1; i < len(r.s); i++ {
		switch r.s[i] {
		case '\'':
			r.at, r.tok, r.text = i+1, quoted, b.String()
			return
		case '\\':
			if i++; i == len(r.s) || r.s[i] != '\'' && r.s[i] != '\\' {
				r.from = i - 1
				r.fail(`a backslash stands before ' or \ only`)
			}
		}
		b.WriteByte(r.s[i])
	}
	r.fail("the quotation mark is not closed")
}

// is reports whether the reader stands on a word or sign.
func (r *patternReader) is(text string) bool {
	return (r.tok == word || r.tok == mark1) && r.text == text
}

// take goes past a word or sign if it stands there.
func (r *patternReader) take(text string) bool {
	if r.is(text) {
		r.next()
		return true
	}
	return false
}

func (r *patternReader) need(text string) {
	if !r.take(text) {
		r.fail("%q is expected here, and not %q", text, r.text)
	}
}

func (r *patternReader) deeper(depth int) int {
	if depth >= deepest {
		r.fail("it is nested deeper than %d", deepest)
	}
	return depth + 1
}

// observations reads FOLLOWEDBY, OR and AND between observations, which bind ever more closely.
func (r *patternReader) observations(depth int) Pattern { return r.joined(r.deeper(depth), 0) }

func (r *patternReader) joined(depth, level int) Pattern {
	ops := []string{"FOLLOWEDBY", "OR", "AND"}
	if level == len(ops) {
		return r.observation(depth)
	}
	parts := []Pattern{r.joined(depth, level+1)}
	for r.take(ops[level]) {
		parts = append(parts, r.joined(depth, level+1))
	}
	if len(parts) == 1 {
		return parts[0]
	}
	return Pattern{Op: ops[level], Parts: parts}
}

func (r *patternReader) observation(depth int) Pattern {
	var p Pattern
	switch {
	case r.take("("):
		p = r.observations(depth)
		r.need(")")
	case r.take("["):
		t := r.tests(depth)
		p.Test = &t
		r.need("]")
	default:
		r.fail("an observation in brackets is expected here, such as [ipv4-addr:value = '203.0.113.9']")
	}
	for {
		q := r.qualifier()
		if q == "" {
			return p
		}
		p.Qualifiers = append(p.Qualifiers, q)
	}
}

// qualifier reads what bounds observations in time and number; "" is none.
func (r *patternReader) qualifier() string {
	value := func(t token, kind, what string) string {
		if r.tok != t || r.kind != kind {
			r.fail("%s is expected here", what)
		}
		text := r.text
		if t == quoted {
			text = Literal{kind, r.text}.String()
		}
		r.next()
		return text
	}
	switch {
	case r.take("WITHIN"):
		n := value(number, "", "a number")
		r.need("SECONDS")
		return "WITHIN " + n + " SECONDS"
	case r.take("REPEATS"):
		n := value(number, "", "a number")
		r.need("TIMES")
		return "REPEATS " + n + " TIMES"
	case r.take("START"):
		from := value(quoted, "t", "a time such as t'2026-11-27T00:00:00Z'")
		r.need("STOP")
		return "START " + from + " STOP " + value(quoted, "t", "a time")
	}
	return ""
}

// tests reads OR and AND between comparisons.
func (r *patternReader) tests(depth int) Test {
	return r.joinedTests(r.deeper(depth), 0)
}

func (r *patternReader) joinedTests(depth, level int) Test {
	ops := []string{"OR", "AND"}
	if level == len(ops) {
		if r.take("(") {
			t := r.tests(depth)
			r.need(")")
			return t
		}
		return r.comparison()
	}
	parts := []Test{r.joinedTests(depth, level+1)}
	for r.take(ops[level]) {
		parts = append(parts, r.joinedTests(depth, level+1))
	}
	if len(parts) == 1 {
		return parts[0]
	}
	return Test{Op: ops[level], Parts: parts}
}

func (r *patternReader) comparison() (t Test) {
	if r.take("EXISTS") {
		r.path(&t)
		t.Cmp = "EXISTS"
		return t
	}
	r.path(&t)
	t.Not = r.take("NOT")
	operators := []string{"=", "!=", ">", "<", ">=", "<=", "IN", "LIKE", "MATCHES", "ISSUBSET", "ISSUPERSET"}
	t.Cmp = map[string]string{"==": "=", "<>": "!="}[r.text]
	if t.Cmp == "" {
		t.Cmp = r.text
	}
	if r.tok != word && r.tok != mark1 || !slices.Contains(operators, t.Cmp) {
		r.fail("%q is no operator; known: %s", r.text, strings.Join(operators, " "))
	}
	r.next()
	if t.Cmp != "IN" {
		t.Values = []Literal{r.literal()}
		return t
	}
	r.need("(")
	for {
		t.Values = append(t.Values, r.literal())
		if !r.take(",") {
			break
		}
	}
	r.need(")")
	return t
}

// path reads the type of an object and the way into it.
func (r *patternReader) path(t *Test) {
	if r.tok != word {
		r.fail("the type of an object is expected here, such as ipv4-addr")
	}
	t.Type = r.text
	r.next()
	if !r.is(":") {
		r.fail("a colon and a property are expected behind %q", t.Type)
	}
	r.step(t)
	for {
		switch {
		case r.is("."):
			r.step(t)
		case r.take("["):
			if r.tok != number && !r.is("*") || strings.Trim(r.text, "0123456789*") != "" {
				r.fail("a whole number or * is expected here")
			}
			t.Path = append(t.Path, "["+r.text+"]")
			r.next()
			r.need("]")
		default:
			return
		}
	}
}

// step reads a property behind a sign.
func (r *patternReader) step(t *Test) {
	r.next()
	if r.tok != word && (r.tok != quoted || r.kind != "") || strings.HasPrefix(r.text, "[") {
		r.fail("the name of a property is expected here")
	}
	t.Path = append(t.Path, r.text)
	r.next()
}

func (r *patternReader) literal() (l Literal) {
	switch {
	case r.tok == quoted:
		l = Literal{r.kind, r.text}
	case r.tok == number:
		if _, err := strconv.ParseFloat(r.text, 64); err != nil {
			r.fail("%q is no number", r.text)
		}
		l = Literal{"number", r.text}
	case r.is("true") || r.is("false"):
		l = Literal{"bool", r.text}
	default:
		r.fail("a value is expected here, such as 'text' or 5")
	}
	r.next()
	return l
}

// String writes the pattern so that ParsePattern reads the same from it.
func (p Pattern) String() string {
	var s string
	if p.Op == "" {
		s = "[" + p.Test.String() + "]"
	} else {
		var parts []string
		for _, x := range p.Parts {
			t := x.String()
			if x.Op != "" && len(x.Qualifiers) == 0 {
				t = "(" + t + ")"
			}
			parts = append(parts, t)
		}
		s = strings.Join(parts, " "+p.Op+" ")
		if len(p.Qualifiers) > 0 {
			s = "(" + s + ")"
		}
	}
	return strings.Join(append([]string{s}, p.Qualifiers...), " ")
}

// String writes the test as it stands in brackets.
func (t Test) String() string {
	if t.Op != "" {
		var parts []string
		for _, x := range t.Parts {
			s := x.String()
			if x.Op != "" {
				s = "(" + s + ")"
			}
			parts = append(parts, s)
		}
		return strings.Join(parts, " "+t.Op+" ")
	}
	name := t.Object()
	if t.Cmp == "EXISTS" {
		return "EXISTS " + name
	}
	if t.Not {
		name += " NOT"
	}
	var values []string
	for _, v := range t.Values {
		values = append(values, v.String())
	}
	if t.Cmp == "IN" {
		return name + " IN (" + strings.Join(values, ", ") + ")"
	}
	return name + " " + t.Cmp + " " + values[0]
}

// Object names what is compared: "file:hashes.'SHA-256'".
func (t Test) Object() string {
	var b strings.Builder
	b.WriteString(t.Type)
	for i, s := range t.Path {
		switch {
		case strings.HasPrefix(s, "["):
			b.WriteString(s)
			continue
		case i == 0:
			b.WriteByte(':')
		default:
			b.WriteByte('.')
		}
		plain := s != "" && letter(s[0]) && strings.Trim(strings.ToLower(s), "abcdefghijklmnopqrstuvwxyz0123456789_") == ""
		if !plain {
			s = Literal{"", s}.String()
		}
		b.WriteString(s)
	}
	return b.String()
}

// String writes the value as a pattern holds it.
func (l Literal) String() string {
	if l.Kind == "number" || l.Kind == "bool" {
		return l.Text
	}
	return l.Kind + "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(l.Text) + "'"
}
