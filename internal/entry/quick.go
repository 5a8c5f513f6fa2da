package entry

import (
	"slices"
	"time"
)

// A body of which a ledger has very many reads itself, several times as fast as encoding/json does: a start reads every entry, and a start is when people
// wait. It reads what Make writes and answers false for whatever is out of the ordinary, even when it is right; then encoding/json decides.
type quickly interface{ quick(*cursor) }

// A cursor moves over a body; ok is false once something was not as expected.
type cursor struct {
	rest   []byte
	ok     bool
	lately *lately // texts met before; nil is none
}

// quickBody decodes a body into what v points to, if its kind reads itself. Where it answers false, v may hold a part.
func quickBody(body []byte, v any) bool {
	x, is := v.(quickly)
	return is && (&cursor{rest: body, ok: true}).whole(x)
}

// whole decodes a whole body.
func (p *cursor) whole(x quickly) bool {
	x.quick(p)
	return p.ok && len(p.rest) == 0
}

// next takes one byte if it is c.
func (p *cursor) next(c byte) bool {
	if !p.ok || len(p.rest) == 0 || p.rest[0] != c {
		return false
	}
	p.rest = p.rest[1:]
	return true
}

func (p *cursor) must(c byte) { p.ok = p.next(c) }

func (p *cursor) fail() { p.ok = false }

// object reads an object and asks field to take the value of each name: it gives the field's place, from 0, by which a name that comes twice is found. Of
// these encoding/json takes the last, or mends parts together.
func (p *cursor) object(field func(name []byte) int) {
	seen := uint64(0)
	p.must('{')
	for n := 0; p.ok && !p.next('}'); n++ {
		if n > 0 {
			p.must(',')
		}
		name := p.plain()
		p.must(':')
		if !p.ok {
			return
		}
		if bit := uint64(1) << field(name); seen&bit != 0 {
			p.fail()
		} else {
			seen |= bit
		}
	}
}

// list reads a list that is not empty.
func (p *cursor) list(one func()) {
	p.must('[')
	for n := 0; p.ok && (n == 0 || !p.next(']')); n++ {
		if n > 0 {
			p.must(',')
		}
		one()
	}
}

// plain reads a text of printable ASCII without escapes. What it returns is a part of the body.
func (p *cursor) plain() []byte {
	p.must('"')
	for i := 0; p.ok && i < len(p.rest); i++ {
		switch c := p.rest[i]; {
		case c == '"':
			text := p.rest[:i]
			p.rest = p.rest[i+1:]
			return text
		case c < ' ' || c > '~' || c == '\\':
			p.fail()
			return nil
		}
	}
	p.fail()
	return nil
}

func (p *cursor) text() string { return p.lately.word(p.plain()) }

// lately are texts that were met lately, by a few of their bytes: entries of one attack name the same hashes again and again.
type lately [1 << 13]string

func (l *lately) word(b []byte) string {
	if l == nil || len(b) < 16 {
		return word(b)
	}
	h := uint64(14695981039346656037) // FNV-1a
	for _, c := range b[:16] {
		h = (h ^ uint64(c)) * 1099511628211
	}
	at := &l[h%uint64(len(l))]
	if *at != string(b) {
		*at = string(b)
	}
	return *at
}

func (p *cursor) texts() (out []string) {
	p.list(func() { out = append(out, p.text()) })
	return slices.Clip(out)
}

// number reads a count without a sign and without leading zeros.
func (p *cursor) number() (n int64) {
	i := 0
	for ; i < len(p.rest) && i < 18 && p.rest[i] >= '0' && p.rest[i] <= '9'; i++ {
		n = n*10 + int64(p.rest[i]-'0')
	}
	if p.ok = p.ok && i > 0 && (i == 1 || p.rest[0] != '0') && i < len(p.rest) && (p.rest[i] == ',' || p.rest[i] == '}' || p.rest[i] == ']'); p.ok {
		p.rest = p.rest[i:]
	}
	return n
}

func (p *cursor) time() (t time.Time) {
	if text := p.plain(); p.ok {
		p.ok = t.UnmarshalText(text) == nil
	}
	return t
}

// yes reads true, the only truth that is written: false is left out.
func (p *cursor) yes() bool {
	if p.ok = p.ok && len(p.rest) > 4 && string(p.rest[:4]) == "true"; p.ok {
		p.rest = p.rest[4:]
	}
	return true
}

// word returns b as a text. Those that stand in very many entries share their bytes.
func word(b []byte) string {
	switch string(b) {
	case "":
		return ""
	case "low":
		return "low"
	case "medium":
		return "medium"
	case "high":
		return "high"
	case "critical":
		return "critical"
	case "attempt":
		return "attempt"
	case "success":
		return "success"
	case "suspect":
		return "suspect"
	case "victim":
		return "victim"
	case "customer":
		return "customer"
	case "opened":
		return "opened"
	case "address":
		return "address"
	case "account":
		return "account"
	case "session":
		return "session"
	case "network":
		return "network"
	case "technique":
		return "technique"
	case "wave":
		return "wave"
	case "tenfold":
		return "tenfold"
	case "joined":
		return "joined"
	case "ended":
		return "ended"
	case "commander":
		return "commander"
	case "engineer":
		return "engineer"
	case "analyst":
		return "analyst"
	case "legal":
		return "legal"
	case "communications":
		return "communications"
	}
	return string(b)
}
