package intake

import (
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"tocsin/internal/record"
)

// quoted reads a quoted text at the start of s, which begins with the quote. The text is as it stands, without the
// quotes; a backslash keeps a quote from ending it (Apache writes \", nginx \x22). closed is false when no end came.
func quoted(s string) (text, rest string, closed bool) {
	for from := 1; ; {
		i := strings.IndexByte(s[from:], '"')
		if i < 0 {
			return s[1:], "", false
		}
		i += from
		slashes := 0
		for i-slashes-1 >= from && s[i-slashes-1] == '\\' {
			slashes++
		}
		if slashes%2 == 0 {
			return s[1:i], s[i+1:], true
		}
		from = i + 1
	}
}

// unescape undoes what nginx (\xHH) and Apache (\xhh, \", \\, \n and so on) do to bytes that would break the line.
// What is no such escape stays as it is. The result is never longer.
func unescape(s string) string {
	i := strings.IndexByte(s, '\\')
	if i < 0 {
		return s
	}
	out := make([]byte, i, len(s))
	copy(out, s)
	for i < len(s) {
		if s[i] != '\\' || i+1 == len(s) {
			out = append(out, s[i])
			i++
			continue
		}
		if s[i+1] == 'x' && i+3 < len(s) {
			if b, ok := hexByte(s[i+2], s[i+3]); ok {
				out = append(out, b)
				i += 4
				continue
			}
		}
		if b, ok := plainEscape(s[i+1]); ok {
			out = append(out, b)
			i += 2
			continue
		}
		out = append(out, s[i])
		i++
	}
	return string(out)
}

func plainEscape(c byte) (byte, bool) {
	switch c {
	case '"', '\\':
		return c, true
	case 'n':
		return '\n', true
	case 'r':
		return '\r', true
	case 't':
		return '\t', true
	case 'b':
		return '\b', true
	case 'v':
		return '\v', true
	}
	return 0, false
}

func hexByte(hi, lo byte) (byte, bool) {
	a, b := hexDigit(hi), hexDigit(lo)
	return a<<4 | b, a < 16 && b < 16
}

// hexDigit returns 255 for what is none.
func hexDigit(c byte) byte {
	switch {
	case '0' <= c && c <= '9':
		return c - '0'
	case 'a' <= c && c <= 'f':
		return c - 'a' + 10
	case 'A' <= c && c <= 'F':
		return c - 'A' + 10
	}
	return 255
}

// percentDecode decodes s once: %HH, and IIS's %uHHHH, and in the query (from byte query on; len(s) when there is
// none) "+" as a blank. A broken escape stays as it is, so do bytes that are no UTF-8. The result is never longer.
// It also returns where the query starts in the result.
func percentDecode(s string, query int) (string, int) {
	i := strings.IndexByte(s, '%')
	if plus := strings.IndexByte(s[query:], '+'); plus >= 0 && (i < 0 || query+plus < i) {
		i = query + plus
	}
	if i < 0 {
		return s, query
	}
	out := make([]byte, i, len(s))
	copy(out, s)
	start := query
	for i < len(s) {
		if i == query {
			start = len(out)
		}
		switch c := s[i]; {
		case c == '+' && i >= query:
			out = append(out, ' ')
			i++
			continue
		case c == '%' && i+2 < len(s):
			if b, ok := hexByte(s[i+1], s[i+2]); ok {
				out = append(out, b)
				i += 3
				continue
			}
			if r, ok := wideEscape(s[i:]); ok {
				out = utf8.AppendRune(out, r)
				i += 6
				continue
			}
		}
		out = append(out, s[i])
		i++
	}
	if query >= len(s) {
		start = len(out)
	}
	return string(out), start
}

func wideEscape(s string) (rune, bool) {
	if len(s) < 6 || s[1] != 'u' && s[1] != 'U' {
		return 0, false
	}
	hi, ok1 := hexByte(s[2], s[3])
	lo, ok2 := hexByte(s[4], s[5])
	return rune(hi)<<8 | rune(lo), ok1 && ok2
}

// lower is strings.ToLower for ASCII; it allocates only when there is something to do.
func lower(s string) string {
	for i := range len(s) {
		if 'A' <= s[i] && s[i] <= 'Z' {
			return strings.ToLower(s)
		}
	}
	return s
}

// number reads a whole or decimal number, nothing else: no sign but "-", no "inf", no hexadecimal.
func number(s string) (record.Value, bool) {
	if n, ok := whole(s); ok {
		return record.Int(n, s), true
	}
	if s == "" || len(s) > 32 {
		return record.Value{}, false
	}
	for i := range len(s) {
		switch c := s[i]; {
		case '0' <= c && c <= '9', c == '.', c == '-', c == '+', c == 'e', c == 'E':
		default:
			return record.Value{}, false
		}
	}
	x, err := strconv.ParseFloat(s, 64)
	if err != nil || math.IsInf(x, 0) {
		return record.Value{}, false
	}
	return record.Float(x, s), true
}

// whole reads digits that fit an int64, with "-" before them or not.
func whole(s string) (int64, bool) {
	negative := false
	if s != "" && s[0] == '-' {
		negative = true
		s = s[1:]
	}
	if s == "" || len(s) > 19 {
		return 0, false
	}
	var n uint64
	for i := range len(s) {
		d := s[i] - '0'
		if d > 9 {
			return 0, false
		}
		n = n*10 + uint64(d)
	}
	if n > math.MaxInt64 {
		return 0, false
	}
	if negative {
		return -int64(n), true
	}
	return int64(n), true
}

// setInt sets a whole number; a text that is none is left out.
func setInt(r *record.Record, f record.Field, s string) {
	if n, ok := whole(s); ok {
		r.Set(f, record.Int(n, s))
	}
}

// setSpan sets a duration: the text as it stands, and nanoseconds as its number. unit is of one in the text.
func setSpan(r *record.Record, f record.Field, s string, unit float64) {
	if v, ok := number(s); ok && v.Float >= 0 && v.Float*unit < math.MaxInt64 {
		r.Set(f, record.Int(int64(v.Float*unit+0.5), s))
	}
}

// extra keeps a field that has no name of ours.
func extra(r *record.Record, name string, v record.Value) {
	if len(r.Extra) < maxExtra {
		r.Extra = append(r.Extra, record.Pair{Name: name, Value: v})
	}
}

// textExtra keeps a text that says something.
func textExtra(r *record.Record, name, text string) {
	if text != "" && text != "-" {
		extra(r, name, record.Text(text))
	}
}

// setExtraInt keeps a whole number.
func setExtraInt(r *record.Record, name, text string) {
	if n, ok := whole(text); ok {
		extra(r, name, record.Int(n, text))
	}
}

// maxExtra bounds how many fields of its own an application's line may have.
const maxExtra = 64

// word cuts the first blank-separated word off s.
func word(s string) (first, rest string) {
	if i := strings.IndexByte(s, ' '); i >= 0 {
		return s[:i], s[i+1:]
	}
	return s, ""
}

// between returns what stands between the first start and the next end after it.
func between(s, start, end string) (string, bool) {
	i := strings.Index(s, start)
	if i < 0 {
		return "", false
	}
	s = s[i+len(start):]
	j := strings.Index(s, end)
	if j < 0 {
		return "", false
	}
	return s[:j], true
}
