// Package tree reads a document of YAML 1.2 as pieces that know their place, so that whoever reads rules or playbooks can say what is
// wrong, and where. Only what both need is known: anchors, aliases, tags and merge keys are refused, so that what is written is what is read.
// Files come from outside: size, depth and count are bounded, and what the YAML library does not survive becomes an error.
package tree

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// A Kind is what a piece of YAML is.
type Kind uint8

const (
	Null Kind = iota
	Bool
	Number // as YAML 1.2's core schema reads it: 0777 is seven hundred and seventy-seven, 1_000 is text
	Text
	List
	Map
)

func (k Kind) String() string {
	return [...]string{"nothing", "true or false", "a number", "a text", "a list", "a map"}[k]
}

// A Tree is a piece of a YAML document with its place.
type Tree struct {
	Kind   Kind
	Text   string  // of a scalar: as written, without quotes
	Values []*Tree // of a list, and the values of a map
	Keys   []*Tree // of a map, each a scalar
	Line   int     // from 1, in the file
	Col    int     // from 1, in characters
}

// Get returns the value of a key of a map, nil when it is not there.
func (t *Tree) Get(key string) *Tree {
	if t == nil || t.Kind != Map {
		return nil
	}
	for i, k := range t.Keys {
		if k.Text == key {
			return t.Values[i]
		}
	}
	return nil
}

// Yes is the truth of a bool.
func (t *Tree) Yes() bool { return strings.EqualFold(t.Text, "true") }

const (
	MaxFile  = 4 << 20 // bytes of a rule file
	MaxChunk = 1 << 19 // bytes of a document
	MaxLines = 10_000  // of a document: the YAML library takes time by the square of them
	MaxNest  = 64      // levels of YAML
	maxOpen  = 1000    // brackets open at once, counted without regard to quotes
	maxTrees = 200_000 // pieces of YAML in a document
)

// A Chunk is one document of a file that holds several.
type Chunk struct {
	Text string
	Line int // of the file, 0 for a chunk that starts at its first line
}

// Chunks cuts a file at its document marks ("---" and "..." at the start of a line, YAML 1.2 section 9.1), so that a
// fault in one document costs that document only.
func Chunks(s string) []Chunk {
	var out []Chunk
	var cur strings.Builder
	start, line := 0, 0
	flush := func(next int) {
		if strings.TrimSpace(cur.String()) != "" {
			out = append(out, Chunk{cur.String(), start})
		}
		cur.Reset()
		start = next
	}
	for l := range strings.Lines(s) {
		rest, mark := strings.CutPrefix(l, "---")
		if !mark {
			rest, mark = strings.CutPrefix(l, "...")
		}
		if mark && (rest == "" || strings.ContainsRune(" \t\r\n", rune(rest[0]))) {
			flush(line)
			l = "   " + rest
		}
		cur.WriteString(l)
		line++
	}
	flush(line)
	return out
}

// A Fault is what is wrong with a document.
type Fault struct {
	Line, Col int // from 1, in the file
	Why       string
}

// Parse reads one document. An empty one is nil. What the YAML library does not survive becomes a fault.
func Parse(c Chunk) (t *Tree, err *Fault) {
	fail := func(line, col int, why string) *Fault { return &Fault{line, col, why} }
	if line, why := unfit(c.Text); why != "" {
		return nil, fail(c.Line+line, 1, why)
	}
	defer func() {
		if e := recover(); e != nil {
			t, err = nil, fail(c.Line+1, 1, fmt.Sprintf("the YAML reader gave up: %v", e))
		}
	}()
	f, perr := parser.ParseBytes([]byte(c.Text), 0)
	if perr != nil {
		line, col, why := spot(perr)
		return nil, fail(c.Line+line, col, why)
	}
	b := &builder{line: c.Line}
	for _, d := range f.Docs {
		if d.Body == nil || d.Body.Type() == ast.CommentType || d.Body.Type() == ast.CommentGroupType {
			continue
		}
		if t != nil {
			return nil, fail(c.Line+1, 1, "more than one document without --- between them")
		}
		t = b.build(d.Body, 0)
	}
	if b.err != nil {
		return nil, b.err
	}
	return t, nil
}

// spot takes the position out of an error of the YAML library.
func spot(err error) (line, col int, why string) {
	var e yaml.Error
	if errors.As(err, &e) && e.GetToken() != nil && e.GetToken().Position != nil {
		p := e.GetToken().Position
		return p.Line, p.Column, e.GetMessage()
	}
	why, _, _ = strings.Cut(err.Error(), "\n")
	return 1, 1, why
}

// unfit says why a text cannot be YAML, or is nested more deeply than any rule, before the library sees it.
func unfit(s string) (line int, why string) {
	if len(s) > MaxChunk || strings.Count(s, "\n") > MaxLines {
		return 1, fmt.Sprintf("the document is larger than %d bytes or %d lines", MaxChunk, MaxLines)
	}
	open := 0
	line = 1
	for l := range strings.Lines(s) {
		if !utf8.ValidString(l) {
			return line, "not UTF-8"
		}
		for _, c := range l {
			if c < ' ' && c != '\t' && c != '\n' && c != '\r' || c == 0x7f {
				return line, fmt.Sprintf("control character %U; write it as an escape in double quotes", c)
			}
			switch c {
			case '[', '{':
				open++
			case ']', '}':
				open = max(open-1, 0)
			}
		}
		if open > maxOpen || dashes(l) > MaxNest {
			return line, "nested too deeply"
		}
		line++
	}
	return 0, ""
}

// dashes counts the marks "- ", "? " and ": " that a line begins with: each is a level.
func dashes(l string) int {
	n := 0
	for {
		l = strings.TrimLeft(l, " \t")
		if len(l) < 2 || !strings.ContainsRune("-?:", rune(l[0])) || l[1] != ' ' && l[1] != '\t' {
			return n
		}
		n, l = n+1, l[1:]
	}
}

// A builder turns the library's tree into ours. It keeps the first fault.
type builder struct {
	line  int
	count int
	err   *Fault
}

func (b *builder) fail(n ast.Node, why string) *Tree {
	if b.err == nil {
		line, col := b.at(n)
		b.err = &Fault{line, col, why}
	}
	return &Tree{}
}

func (b *builder) at(n ast.Node) (line, col int) {
	if n == nil {
		return b.line + 1, 1
	}
	if m, ok := n.(*ast.MappingNode); ok && len(m.Values) > 0 {
		n = m.Values[0].Key
	}
	if m, ok := n.(*ast.MappingValueNode); ok {
		n = m.Key
	}
	tk := n.GetToken()
	if tk == nil || tk.Position == nil {
		return b.line + 1, 1
	}
	return b.line + tk.Position.Line, tk.Position.Column
}

func (b *builder) build(n ast.Node, depth int) *Tree {
	if b.count++; b.count > maxTrees || depth > MaxNest {
		return b.fail(n, "nested too deeply or too large")
	}
	t := &Tree{}
	t.Line, t.Col = b.at(n)
	switch n := n.(type) {
	case nil, *ast.NullNode:
	case *ast.BoolNode:
		t.Kind, t.Text = Bool, strconv.FormatBool(n.Value)
	case *ast.IntegerNode:
		t.Kind, t.Text = plainKind(n.GetToken().Value), n.GetToken().Value
	case *ast.FloatNode:
		t.Kind, t.Text = plainKind(n.GetToken().Value), n.GetToken().Value
	case *ast.InfinityNode, *ast.NanNode:
		t.Kind, t.Text = Text, n.GetToken().Value
	case *ast.StringNode:
		t.Kind, t.Text = Text, n.Value
	case *ast.LiteralNode:
		t.Kind, t.Text = Text, n.Value.Value
	case *ast.SequenceNode:
		t.Kind = List
		for _, v := range n.Values {
			t.Values = append(t.Values, b.build(v, depth+1))
		}
	case *ast.MappingNode:
		b.fill(t, n.Values, depth)
	case *ast.MappingValueNode:
		b.fill(t, []*ast.MappingValueNode{n}, depth)
	case *ast.AnchorNode, *ast.AliasNode:
		return b.fail(n, "anchors and aliases (& and *) are not supported: write the value out")
	case *ast.TagNode:
		return b.fail(n, "YAML tags (!) are not supported")
	default:
		return b.fail(n, fmt.Sprintf("%v is not supported here", n.Type()))
	}
	return t
}

func (b *builder) fill(t *Tree, values []*ast.MappingValueNode, depth int) {
	t.Kind = Map
	seen := make(map[string]bool, len(values))
	for _, v := range values {
		k := b.build(v.Key, depth+1)
		if k.Kind == List || k.Kind == Map {
			b.fail(v, "a key must be a text")
			return
		}
		if k.Kind == Null && k.Text == "" {
			k.Text = "null"
		}
		k.Kind = Text
		if seen[k.Text] {
			b.fail(v.Key, fmt.Sprintf("the key %q is there twice", k.Text))
			return
		}
		seen[k.Text] = true
		t.Keys = append(t.Keys, k)
		t.Values = append(t.Values, b.build(v.Value, depth+1))
	}
}

// plainKind says whether an unquoted scalar that the library took for a number is one in YAML 1.2.
func plainKind(s string) Kind {
	if _, ok := Numeral(s); ok {
		return Number
	}
	return Text
}

// A Num is a number of a rule or a record: whole where that is exact.
type Num struct {
	Whole bool
	I     int64
	F     float64
}

// Numeral reads a number as YAML 1.2 does (core schema: decimal, 0o17, 0x1F), and as plain decimal in a log's text.
func Numeral(s string) (Num, bool) {
	if s == "" || len(s) > 64 {
		return Num{}, false
	}
	for p, base := range map[string]int{"0x": 16, "0o": 8} {
		if digits, ok := strings.CutPrefix(s, p); ok {
			n, err := strconv.ParseUint(digits, base, 63)
			return Num{true, int64(n), float64(n)}, err == nil && !strings.Contains(digits, "_")
		}
	}
	return Decimal(s)
}

// Decimal reads [+-]digits[.digits], and nothing else: no exponent, no "inf", no hex float.
func Decimal(s string) (Num, bool) {
	digits, dots := 0, 0
	for i := range len(s) {
		switch c := s[i]; {
		case c >= '0' && c <= '9':
			digits++
		case c == '.':
			dots++
		case (c == '-' || c == '+') && i == 0:
		default:
			return Num{}, false
		}
	}
	if digits == 0 || dots > 1 {
		return Num{}, false
	}
	if dots == 0 {
		if n, err := strconv.ParseInt(s, 10, 64); err == nil {
			return Num{true, n, float64(n)}, true
		}
	}
	f, err := strconv.ParseFloat(s, 64)
	return Num{F: f}, err == nil && !math.IsInf(f, 0)
}

// Compare returns -1, 0 or 1.
func (a Num) Compare(b Num) int {
	switch {
	case a.Whole && b.Whole && a.I < b.I, !(a.Whole && b.Whole) && a.F < b.F:
		return -1
	case a.Whole && b.Whole && a.I > b.I, !(a.Whole && b.Whole) && a.F > b.F:
		return 1
	}
	return 0
}
