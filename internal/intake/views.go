package intake

import (
	"html"
	"strings"
	"unicode/utf8"

	"tocsin/internal/record"
)

// A viewed field is one that people who attack write in roundabout ways, and its views.
type viewed struct {
	of                    record.Field
	decoded, twice, plain record.Field
}

var allViewed = [...]viewed{
	{record.URLOriginal, record.URLDecoded, record.URLDecodedTwice, record.URLNormal},
	{record.URLQuery, record.QueryDecoded, record.QueryDecodedTwice, record.QueryNormal},
	{record.HTTPReferrer, record.ReferrerDecoded, record.ReferrerDecodedTwice, record.ReferrerNormal},
	{record.UserAgent, record.AgentDecoded, record.AgentDecodedTwice, record.AgentNormal},
	{record.Cookie, record.CookieDecoded, record.CookieDecodedTwice, record.CookieNormal},
}

// views defers the views of the fields that a record has.
func (p *Parser) views(r *record.Record) {
	for i := range allViewed {
		v := &allViewed[i]
		if !r.Has(v.of) {
			continue
		}
		if i == 0 {
			r.Defer(p.derive, v.plain, record.URLMarked, record.URLShell)
		} else {
			r.Defer(p.derive, v.decoded, v.twice, v.plain)
		}
	}
}

// Views lets a record that was made of stored fields work out its views, decoded forms of a URL among them.
func (p *Parser) Views(r *record.Record) {
	p.views(r)
	if r.Has(record.URLOriginal) {
		r.Defer(p.derive, record.URLDecoded, record.URLDecodedTwice)
	}
}

// follow works out a deferred field.
func (p *Parser) follow(r *record.Record, f record.Field) {
	switch f {
	case record.SourceNetwork, record.SourceCountry, record.SourceContinent:
		p.source(r, p.placeOf(r.Text(record.SourceIP)))
		return
	case record.URLExtension, record.UserRealm:
		setPlace(r, r.Text(record.URLPath))
		return
	case record.URLMarked:
		if url := r.Text(record.URLOriginal); !plainURL(url) && marked(url) {
			r.Set(f, record.Text(r.Text(record.URLNormal)))
		}
		return
	case record.URLShell:
		if url := r.Text(record.URLOriginal); !plainURL(url) {
			if s := shell(url); s != "" {
				r.Set(f, record.Text(s))
			}
		}
		return
	}
	for i := range allViewed {
		if v := &allViewed[i]; f == v.decoded || f == v.twice || f == v.plain {
			v.follow(r, f)
			return
		}
	}
}

// follow works out a view, and with it the others when they are as the text was sent.
func (v *viewed) follow(r *record.Record, f record.Field) {
	s := r.Text(v.of)
	if v.of == record.URLOriginal && plainURL(s) {
		r.Share(v.of, v.decoded, v.twice, v.plain)
		r.Leave(record.URLMarked, record.URLShell)
		return
	}
	query := len(s) // where "+" begins to be a blank
	switch v.of {
	case record.URLQuery, record.Cookie:
		query = 0
	case record.URLOriginal, record.HTTPReferrer:
		if q := strings.IndexByte(s, '?'); q >= 0 {
			query = q + 1
		}
	}
	if strings.IndexByte(s, '%') < 0 && strings.IndexByte(s[query:], '+') < 0 { // nothing was encoded, so the second time neither
		r.Share(v.of, v.decoded, v.twice)
		if plain := normal(s); len(plain) == len(s) && plain == s {
			r.Share(v.of, v.plain)
		} else {
			r.Set(v.plain, record.Text(plain))
		}
		return
	}
	once, query := percentDecode(s, query)
	switch f {
	case v.decoded:
		r.Set(f, record.Text(once))
	case v.twice:
		twice, _ := percentDecode(once, query)
		r.Set(f, record.Text(twice))
	default:
		r.Set(f, record.Text(normal(once)))
	}
}

// plainURL reports whether every view of a URL is the URL itself, or missing, as is so of most: it has only letters, digits and
// what parts them. It may say no of others too.
func plainURL(s string) bool {
	bad, last := byte(0), byte(0)
	for i := range len(s) {
		c := s[i]
		bad |= notPlain[c]
		if c == '-' && last == '-' {
			return false
		}
		last = c
	}
	return bad == 0
}

// notPlain is 1 for the characters that a plain URL has not.
var notPlain = func() (m [256]byte) {
	for c := range m {
		m[c] = 1
	}
	for _, c := range []byte("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/?=._-") {
		m[c] = 0
	}
	m['&'] = 0
	return m
}()

const maxDecodings = 4 // of one text; who nests more deeply is not understood by any server either

// normal undoes, as far as a server, a browser or a database would, what hides a word: percent-encoding, as often as it was
// applied; overlong UTF-8 (RFC 3629, section 3, forbids it); HTML character references; \u0041 and \x41 of JavaScript;
// SQL comments, which count as a blank, with the text of a conditional one (MySQL's /*!50000 ... */) kept; NUL, which
// is dropped; and runs of blanks and control characters, which become one blank. The case of letters is left: rules
// do not regard it. s is decoded once. The time is linear, the result never longer.
func normal(s string) string {
	if s = undone(s, len(s)); !untidy(s) {
		return s
	}
	return tidy(s)
}

// undone undoes encodings, as often as they were applied. "+" is a blank from plus on.
func undone(s string, plus int) string {
	for range maxDecodings {
		next := s
		if strings.IndexByte(next, '%') >= 0 || plus < len(next) {
			next, _ = percentDecode(next, plus)
		}
		if strings.IndexByte(next, '&') >= 0 {
			next = unreference(next)
		}
		if strings.IndexByte(next, '\\') >= 0 {
			next = unescapeScript(next)
		}
		if next == s {
			break
		}
		s, plus = next, len(next)
	}
	return s
}

// maxReference is how long a character reference can be: the longest name of HTML has 33 bytes.
const maxReference = 34

// unreference replaces character references that end in a semicolon, and numeric ones without (HTML, section 13.2.5.72 and on).
func unreference(s string) string {
	var out []byte // nil while nothing was replaced
	kept := 0      // of s, up to here is in out
	for i := 0; i < len(s); {
		next := strings.IndexByte(s[i:], '&')
		if next < 0 {
			break
		}
		i += next
		n := reference(s[i:])
		if n == 0 {
			i++
			continue
		}
		if text := html.UnescapeString(s[i : i+n]); len(text) <= n {
			out = append(append(out, s[kept:i]...), text...)
			kept = i + n
		}
		i += n
	}
	if kept == 0 {
		return s
	}
	return string(append(out, s[kept:]...))
}

// reference is how many bytes of s, which begins with "&", are a character reference.
func reference(s string) int {
	if len(s) < 4 {
		return 0
	}
	if s[1] == '#' {
		i := 2
		hex := s[2] == 'x' || s[2] == 'X'
		if hex {
			i++
		}
		from := i
		for i < len(s) && i < maxReference && (s[i]-'0' <= 9 || hex && hexDigit(s[i]) < 16) {
			i++
		}
		if i == from {
			return 0
		}
		if i < len(s) && s[i] == ';' {
			i++
		}
		return i
	}
	for i := 1; i < len(s) && i < maxReference; i++ {
		c := s[i] | 0x20
		if s[i] == ';' && i > 1 {
			return i + 1
		}
		if (c < 'a' || c > 'z') && s[i]-'0' > 9 {
			return 0
		}
	}
	return 0
}

// unescapeScript replaces \xHH, \uHHHH and \u{H...} (ECMA-262, section 12.9.4).
func unescapeScript(s string) string {
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s); {
		if s[i] == '\\' && i+3 < len(s) {
			if c, n := scriptEscape(s[i:]); n > 0 {
				out = utf8.AppendRune(out, c)
				i += n
				continue
			}
		}
		out = append(out, s[i])
		i++
	}
	return string(out)
}

func scriptEscape(s string) (c rune, n int) {
	from, to := 2, 2
	switch {
	case s[1] == 'x':
		to = 4
	case s[1] == 'u' && s[2] == '{':
		from = 3
		end := strings.IndexByte(s[:min(len(s), 12)], '}')
		if end < 4 {
			return 0, 0
		}
		to = end
	case s[1] == 'u':
		to = 6
	default:
		return 0, 0
	}
	if to > len(s) {
		return 0, 0
	}
	for _, d := range []byte(s[from:to]) {
		h := hexDigit(d)
		if h > 15 {
			return 0, 0
		}
		c = c<<4 | rune(h)
	}
	if c > utf8.MaxRune || utf8.RuneLen(c) > to {
		return 0, 0
	}
	if s[1] == 'u' && s[2] == '{' {
		to++
	}
	return c, to
}

// untidy reports whether tidy would change s. It says yes to some texts that tidy leaves as they are.
func untidy(s string) bool {
	// Nearly every text is of plain characters, which are looked at eight at a time.
	const ones, high, blanks = 0x0101010101010101, 0x8080808080808080, 0x2020202020202020
	zero := func(x uint64) uint64 { return (x - ones) &^ x } // the high bit of a byte that is 0, and perhaps of those above it
	i := 0
	for ; i+8 <= len(s); i += 8 {
		x := uint64(s[i]) | uint64(s[i+1])<<8 | uint64(s[i+2])<<16 | uint64(s[i+3])<<24 |
			uint64(s[i+4])<<32 | uint64(s[i+5])<<40 | uint64(s[i+6])<<48 | uint64(s[i+7])<<56
		control := (x - blanks) | zero(x^0x7f*ones)
		blank := zero(x ^ blanks)
		if (x|control|zero(x^'*'*ones)|blank&(blank<<8))&high != 0 {
			break
		}
		if i > 0 && s[i] == ' ' && s[i-1] == ' ' {
			return true
		}
	}
	blank := i > 0 && s[i-1] == ' '
	for ; i < len(s); i++ {
		c := s[i]
		switch {
		case c < ' ', c == 0x7f, c == 0xa0, c >= 0xc0 && c <= 0xc2, c == 0xe0, c == ' ' && blank,
			c == '*' && (i > 0 && s[i-1] == '/' || i+1 < len(s) && s[i+1] == '/'):
			return true
		}
		blank = c == ' '
	}
	return false
}

// tidy does what is to be done byte by byte.
func tidy(s string) string {
	out := make([]byte, 0, len(s))
	blank := func() {
		if len(out) == 0 || out[len(out)-1] != ' ' {
			out = append(out, ' ')
		}
	}
	for i := 0; i < len(s); {
		c := s[i]
		switch {
		case c == 0:
			i++
		case c <= ' ', c == 0x7f:
			blank()
			i++
		case strings.HasPrefix(s[i:], "\u00a0"):
			blank()
			i += 2
		case c == '/' && i+1 < len(s) && s[i+1] == '*':
			blank()
			i = afterComment(s, i)
		case c == '*' && i+1 < len(s) && s[i+1] == '/': // the end of a conditional one
			blank()
			i += 2
		default:
			b, n := overlong(s[i:])
			switch {
			case n == 0:
				b, n = c, 1
				fallthrough
			case b > ' ' && b != 0x7f:
				out = append(out, b)
			case b != 0:
				blank()
			}
			i += n
		}
	}
	return string(out)
}

// afterComment returns where the text goes on behind the start of a comment.
func afterComment(s string, i int) int {
	if i+2 < len(s) && s[i+2] == '!' { // conditional: its text is run
		i += 3
		for n := 0; n < 6 && i < len(s) && s[i]-'0' <= 9; n++ {
			i++
		}
		return i
	}
	if end := strings.Index(s[i+2:], "*/"); end >= 0 {
		return i + 2 + end + 2
	}
	return i + 2 // it does not end: what stands in it counts
}

// overlong reads an ASCII character that is written with two or three bytes of UTF-8.
func overlong(s string) (byte, int) {
	switch {
	case len(s) >= 2 && (s[0] == 0xc0 || s[0] == 0xc1) && s[1]&0xc0 == 0x80:
		return s[0]&1<<6 | s[1]&0x3f, 2
	case len(s) >= 3 && s[0] == 0xe0 && (s[1] == 0x80 || s[1] == 0x81) && s[2]&0xc0 == 0x80:
		return s[1]&1<<6 | s[2]&0x3f, 3
	}
	return 0, 0
}
