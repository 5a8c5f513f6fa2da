package sigma

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

// A kind is what a piece of YAML is. Sigma needs no others: anchors, aliases, tags and merge keys are refused, so
// that what is written is what is read.
type kind uint8

const (
	kindNull kind = iota
	kindBool
	kindNumber // as YAML 1.2's core schema reads it: 0777 is seven hundred and seventy-seven, 1_000 is text
	kindText
	kindList
	kindMap
)

func (k kind) String() string {
	return [...]string{"nothing", "true or false", "a number", "a text", "a list", "a map"}[k]
}

// A tree is a piece of a YAML document with its place.
type tree struct {
	kind  kind
	text  string  // of a scalar: as written, without quotes
	items []*tree // of a list, and the values of a map
	keys  []*tree // of a map, each a scalar
	line  int     // from 1, in the file
	col   int     // from 1, in characters
}

// get returns the value of a key of a map, nil when it is not there.
func (t *tree) get(key string) *tree {
	if t == nil || t.kind != kindMap {
		return nil
	}
	for i, k := range t.keys {
		if k.text == key {
			return t.items[i]
		}
	}
	return nil
}

// yes is the truth of a bool.
func (t *tree) yes() bool { return strings.EqualFold(t.text, "true") }

const (
	maxFile  = 4 << 20 // bytes of a rule file
	maxChunk = 1 << 19 // bytes of a document
	maxLines = 10_000  // of a document: the YAML library takes time by the square of them
	maxNest  = 64      // levels of YAML
	maxOpen  = 1000    // brackets open at once, counted without regard to quotes
	maxTrees = 200_000 // pieces of YAML in a document
)

// A chunk is one document of a file that holds several.
type chunk struct {
	text string
	line int // of the file, 0 for a chunk that starts at its first line
}

// chunks cuts a file at its document marks ("---" and "..." at the start of a line, YAML 1.2 section 9.1), so that a
// fault in one document costs that document only.
func chunks(s string) []chunk {
	var out []chunk
	var cur strings.Builder
	start, line := 0, 0
	flush := func(next int) {
		if strings.TrimSpace(cur.String()) != "" {
			out = append(out, chunk{cur.String(), start})
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

// parseTree reads one document. What the YAML library does not survive becomes an error: rule files come from outside.
func parseTree(file string, c chunk) (t *tree, err *Error) {
	fail := func(line, col int, why string) *Error {
		return &Error{File: file, Line: line, Column: col, Feature: "YAML", Why: why}
	}
	if line, why := unfit(c.text); why != "" {
		return nil, fail(c.line+line, 1, why)
	}
	defer func() {
		if e := recover(); e != nil {
			t, err = nil, fail(c.line+1, 1, fmt.Sprintf("the YAML reader gave up: %v", e))
		}
	}()
	f, perr := parser.ParseBytes([]byte(c.text), 0)
	if perr != nil {
		line, col, why := spot(perr)
		return nil, fail(c.line+line, col, why)
	}
	b := &builder{file: file, line: c.line}
	for _, d := range f.Docs {
		if d.Body == nil || d.Body.Type() == ast.CommentType || d.Body.Type() == ast.CommentGroupType {
			continue
		}
		if t != nil {
			return nil, fail(c.line+1, 1, "more than one document without --- between them")
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
	if len(s) > maxChunk || strings.Count(s, "\n") > maxLines {
		return 1, fmt.Sprintf("the document is larger than %d bytes or %d lines", maxChunk, maxLines)
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
		if open > maxOpen || dashes(l) > maxNest {
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
	file  string
	line  int
	count int
	err   *Error
}

func (b *builder) fail(n ast.Node, why string) *tree {
	if b.err == nil {
		line, col := b.at(n)
		b.err = &Error{File: b.file, Line: line, Column: col, Feature: "YAML", Why: why}
	}
	return &tree{}
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

func (b *builder) build(n ast.Node, depth int) *tree {
	if b.count++; b.count > maxTrees || depth > maxNest {
		return b.fail(n, "nested too deeply or too large")
	}
	t := &tree{}
	t.line, t.col = b.at(n)
	switch n := n.(type) {
	case nil, *ast.NullNode:
	case *ast.BoolNode:
		t.kind, t.text = kindBool, strconv.FormatBool(n.Value)
	case *ast.IntegerNode:
		t.kind, t.text = plainKind(n.GetToken().Value), n.GetToken().Value
	case *ast.FloatNode:
		t.kind, t.text = plainKind(n.GetToken().Value), n.GetToken().Value
	case *ast.InfinityNode, *ast.NanNode:
		t.kind, t.text = kindText, n.GetToken().Value
	case *ast.StringNode:
		t.kind, t.text = kindText, n.Value
	case *ast.LiteralNode:
		t.kind, t.text = kindText, n.Value.Value
	case *ast.SequenceNode:
		t.kind = kindList
		for _, v := range n.Values {
			t.items = append(t.items, b.build(v, depth+1))
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

func (b *builder) fill(t *tree, values []*ast.MappingValueNode, depth int) {
	t.kind = kindMap
	seen := make(map[string]bool, len(values))
	for _, v := range values {
		k := b.build(v.Key, depth+1)
		if k.kind == kindList || k.kind == kindMap {
			b.fail(v, "a key must be a text")
			return
		}
		if k.kind == kindNull && k.text == "" {
			k.text = "null"
		}
		k.kind = kindText
		if seen[k.text] {
			b.fail(v.Key, fmt.Sprintf("the key %q is there twice", k.text))
			return
		}
		seen[k.text] = true
		t.keys = append(t.keys, k)
		t.items = append(t.items, b.build(v.Value, depth+1))
	}
}

// plainKind says whether an unquoted scalar that the library took for a number is one in YAML 1.2.
func plainKind(s string) kind {
	if _, ok := number(s); ok {
		return kindNumber
	}
	return kindText
}

// A num is a number of a rule or a record: whole where that is exact.
type num struct {
	whole bool
	i     int64
	f     float64
}

// number reads a number as YAML 1.2 does (core schema: decimal, 0o17, 0x1F), and as plain decimal in a log's text.
func number(s string) (num, bool) {
	if s == "" || len(s) > 64 {
		return num{}, false
	}
	for p, base := range map[string]int{"0x": 16, "0o": 8} {
		if digits, ok := strings.CutPrefix(s, p); ok {
			n, err := strconv.ParseUint(digits, base, 63)
			return num{true, int64(n), float64(n)}, err == nil && !strings.Contains(digits, "_")
		}
	}
	return decimal(s)
}

// decimal reads [+-]digits[.digits], and nothing else: no exponent, no "inf", no hex float.
func decimal(s string) (num, bool) {
	digits, dots := 0, 0
	for i := range len(s) {
		switch c := s[i]; {
		case c >= '0' && c <= '9':
			digits++
		case c == '.':
			dots++
		case (c == '-' || c == '+') && i == 0:
		default:
			return num{}, false
		}
	}
	if digits == 0 || dots > 1 {
		return num{}, false
	}
	if dots == 0 {
		if n, err := strconv.ParseInt(s, 10, 64); err == nil {
			return num{true, n, float64(n)}, true
		}
	}
	f, err := strconv.ParseFloat(s, 64)
	return num{f: f}, err == nil && !math.IsInf(f, 0)
}

// compare returns -1, 0 or 1.
func (a num) compare(b num) int {
	switch {
	case a.whole && b.whole && a.i < b.i, !(a.whole && b.whole) && a.f < b.f:
		return -1
	case a.whole && b.whole && a.i > b.i, !(a.whole && b.whole) && a.f > b.f:
		return 1
	}
	return 0
}
