package cacao

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// Bounds of a file.
const (
	MaxFile   = 300_000 // bytes
	maxDepth  = 40      // objects and lists within each other
	maxValues = 50_000
)

// parse reads JSON (RFC 8259) so strictly that nothing of it is read in two ways (RFC 7493): a key that stands twice, a number that no
// double holds, half of a surrogate pair are refused, each with its place. Objects are map[string]any, numbers float64.
func parse(data []byte) (any, *Finding) {
	fail := func(place, format string, args ...any) (any, *Finding) {
		return nil, &Finding{Place: place, Says: fmt.Sprintf(format, args...)}
	}
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	switch {
	case len(data) > MaxFile:
		return fail("", "the file has %d bytes; at most %d are read: what is larger is followed by nobody", len(data), MaxFile)
	case !utf8.Valid(data):
		return fail("", "the file is not UTF-8")
	case nested(data) > maxDepth:
		return fail("", "objects and lists stand within each other more than %d deep", maxDepth)
	}
	if !json.Valid(data) {
		var x any
		return fail("", "the file is not JSON: %v", json.Unmarshal(data, &x))
	}
	if at := halfPair(data); at >= 0 {
		return fail("", `byte %d begins half of a surrogate pair (\ud800 to \udfff), which stands for no character`, at+1)
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	r := &decoding{d: d}
	v := r.value("")
	if r.finding != nil {
		return nil, r.finding
	}
	return v, nil
}

// A decoding keeps the first thing that is wrong.
type decoding struct {
	d       *json.Decoder
	count   int
	finding *Finding
}

func (r *decoding) fail(place, format string, args ...any) any {
	if r.finding == nil {
		r.finding = &Finding{Place: place, Says: fmt.Sprintf(format, args...)}
	}
	return nil
}

func (r *decoding) value(place string) any {
	if r.count++; r.count > maxValues {
		return r.fail(place, "the file has more than %d values", maxValues)
	}
	t, err := r.d.Token()
	if err != nil {
		return r.fail(place, "the file is not JSON: %v", err)
	}
	switch t := t.(type) {
	case json.Delim:
		if t == '{' {
			return r.object(place)
		}
		list := []any{}
		for r.d.More() && r.finding == nil {
			list = append(list, r.value(place+"/"+strconv.Itoa(len(list))))
		}
		r.d.Token()
		return list
	case json.Number:
		f, err := strconv.ParseFloat(string(t), 64)
		if err != nil || !exact(string(t), f) {
			return r.fail(place, "the number %s has more digits than a program keeps (RFC 7493, 2.2): write it as a text", short(string(t)))
		}
		return f
	default:
		return t
	}
}

func (r *decoding) object(place string) any {
	out := map[string]any{}
	for r.d.More() && r.finding == nil {
		t, err := r.d.Token()
		key, ok := t.(string)
		if err != nil || !ok {
			return r.fail(place, "the file is not JSON: %v", err)
		}
		if _, twice := out[key]; twice {
			return r.fail(place+"/"+pointer(key), "the key %q is there twice: programs disagree which one counts", short(key))
		}
		out[key] = r.value(place + "/" + pointer(key))
	}
	r.d.Token()
	return out
}

// exact reports whether a whole number is kept by its double.
func exact(s string, f float64) bool {
	if strings.ContainsAny(s, ".eE") {
		return true
	}
	return math.Abs(f) <= 1<<53 && strconv.FormatFloat(f, 'f', 0, 64) == s || s == "-0"
}

// nested is how deep brackets stand within each other, outside of texts.
func nested(data []byte) (most int) {
	depth, text := 0, false
	for i := 0; i < len(data); i++ {
		switch c := data[i]; {
		case text && c == '\\':
			i++
		case c == '"':
			text = !text
		case !text && (c == '{' || c == '['):
			depth++
			most = max(most, depth)
		case !text && (c == '}' || c == ']'):
			depth--
		}
	}
	return most
}

// halfPair finds a \u escape of a surrogate that has no other half; -1 when there is none.
func halfPair(data []byte) int {
	code := func(i int) int {
		if i+6 > len(data) || data[i] != '\\' || data[i+1] != 'u' {
			return -1
		}
		n, err := strconv.ParseUint(string(data[i+2:i+6]), 16, 16)
		if err != nil {
			return -1
		}
		return int(n)
	}
	for i := 0; i < len(data); i++ {
		if data[i] != '\\' {
			continue
		}
		switch c := code(i); {
		case c >= 0xd800 && c < 0xdc00:
			if low := code(i + 6); low < 0xdc00 || low > 0xdfff {
				return i
			}
			i += 11
		case c >= 0xdc00 && c <= 0xdfff:
			return i
		default:
			i++
		}
	}
	return -1
}

// pointer writes a key as a part of a JSON pointer (RFC 6901).
func pointer(key string) string {
	return strings.ReplaceAll(strings.ReplaceAll(short(key), "~", "~0"), "/", "~1")
}

// Canonical writes a file of JSON in the one form of RFC 8785: so two files that say the same are the same bytes. The error says what is wrong.
func Canonical(data []byte) ([]byte, error) {
	v, f := parse(data)
	if f != nil {
		return nil, f
	}
	return canonical(v), nil
}

func canonical(v any) []byte { return write(nil, v, 0, false) }

// lined is the same value on several lines, a step each, with signs that nobody sees escaped: for people, and for the literal blocks of YAML.
func lined(v any) string {
	s := string(write(nil, v, 0, true))
	open := 0
	for _, c := range s {
		switch c {
		case '{', '[':
			open++
		case '}', ']':
			open = max(open-1, 0)
		}
		if open > 500 { // whoever reads YAML counts brackets without regard to quotes (package tree): none of them in texts then
			return string(write(nil, v, 0, true, '{', '[', '}', ']'))
		}
	}
	return s
}

func write(b []byte, v any, depth int, lines bool, hide ...rune) []byte {
	switch v := v.(type) {
	case nil:
		return append(b, "null"...)
	case bool:
		return strconv.AppendBool(b, v)
	case float64:
		if v == 0 {
			return append(b, '0') // also of -0
		}
		n, _ := json.Marshal(v) // as ECMAScript writes it
		return append(b, n...)
	case string:
		return writeText(b, v, lines, hide)
	case []any:
		b = append(b, '[')
		for i, x := range v {
			if i > 0 {
				b = append(b, ',')
			}
			b = write(b, x, depth+1, lines, hide...)
		}
		return append(b, ']')
	case map[string]any:
		b = append(b, '{')
		for i, k := range keys(v) {
			if i > 0 {
				b = append(b, ',')
			}
			if lines && depth < 2 {
				b = append(b, '\n')
			}
			b = append(writeText(b, k, lines, hide), ':')
			b = write(b, v[k], depth+1, lines, hide...)
		}
		if lines && depth == 0 && len(v) > 0 {
			b = append(b, '\n')
		}
		return append(b, '}')
	}
	panic(fmt.Sprintf("no JSON value: %T", v))
}

// keys are those of an object in the order of RFC 8785 (section 3.2.3): by their units of UTF-16.
func keys[V any](m map[string]V) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	slices.SortFunc(out, func(a, b string) int {
		return slices.Compare(utf16.Encode([]rune(a)), utf16.Encode([]rune(b)))
	})
	return out
}

func writeText(b []byte, s string, seen bool, hide []rune) []byte {
	b = append(b, '"')
	for _, c := range s {
		switch {
		case c == '"' || c == '\\':
			b = append(b, '\\', byte(c))
		case c == '\b':
			b = append(b, `\b`...)
		case c == '\t':
			b = append(b, `\t`...)
		case c == '\n':
			b = append(b, `\n`...)
		case c == '\f':
			b = append(b, `\f`...)
		case c == '\r':
			b = append(b, `\r`...)
		case c < ' ' || seen && !unicode.IsPrint(c) || slices.Contains(hide, c):
			for _, u := range utf16.Encode([]rune{c}) {
				b = fmt.Appendf(b, `\u%04x`, u)
			}
		default:
			b = utf8.AppendRune(b, c)
		}
	}
	return append(b, '"')
}
