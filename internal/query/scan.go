package query

import (
	"slices"
	"strings"
	"time"
	"unicode"
)

// A parser reads one text from left to right. There are no tokens: what a "/" or a "-" is depends on where it stands.
type parser struct {
	src  []rune
	pos  int
	now  time.Time
	zone *time.Location
	q    Query

	nesting  int // of "(", "-" and "not"
	closed   int // what of these the text is in: times may be said outside of all only
	leaves   int // so far
	programs int // instructions of regular expressions so far
}

// fail returns an error at [at, end).
func (p *parser) fail(at, end int, why, mend string) *Error {
	return &Error{At: at, End: max(at, end), Why: why, Mend: mend}
}

// peek returns the rune n places ahead; 0 is the end of the text.
func (p *parser) peek(n int) rune {
	if p.pos+n < len(p.src) {
		return p.src[p.pos+n]
	}
	return 0
}

func (p *parser) space() {
	for p.pos < len(p.src) && unicode.IsSpace(p.src[p.pos]) {
		p.pos++
	}
}

func (p *parser) done() bool { return p.pos >= len(p.src) }

// ends reports whether a bare text ends before c. Within a list a comma ends it too.
func ends(c rune, list bool) bool {
	return unicode.IsSpace(c) || isQuote(c) || c == '(' || c == ')' || c == '|' || list && c == ','
}

// isQuote reports whether c begins a text in quotes. Those that telephones write are read as well.
func isQuote(c rune) bool { return c == '"' || c == '“' || c == '”' || c == '„' }

// escapable are the characters that "\" takes the meaning from in a bare text, beside blanks.
const escapable = `*\"()|,=~<>:!`

// bare reads a text without quotes, as a pattern: "\*" and "\\" stay as they are, before other characters that mean something
// the backslash is dropped. It may be empty.
func (p *parser) bare(list bool) string {
	var out strings.Builder
	for p.pos < len(p.src) {
		c := p.src[p.pos]
		if c == '\\' && p.pos+1 < len(p.src) {
			if next := p.src[p.pos+1]; next == '*' || next == '\\' {
				out.WriteRune(c)
				out.WriteRune(next)
				p.pos += 2
				continue
			} else if unicode.IsSpace(next) || isQuote(next) || strings.ContainsRune(escapable, next) {
				out.WriteRune(next)
				p.pos += 2
				continue
			}
		}
		if ends(c, list) {
			break
		}
		out.WriteRune(c)
		p.pos++
	}
	return out.String()
}

// quote reads a text in quotes; "\"" and "\\" are a quote and a backslash in it.
func (p *parser) quote() (string, *Error) {
	at, curly := p.pos, p.src[p.pos] != '"'
	var out strings.Builder
	for p.pos++; p.pos < len(p.src); p.pos++ {
		c := p.src[p.pos]
		switch {
		case c == '\\' && (p.peek(1) == '\\' || isQuote(p.peek(1))):
			p.pos++
			out.WriteRune(p.src[p.pos])
		case !curly && c == '"', curly && isQuote(c):
			p.pos++
			return out.String(), nil
		default:
			out.WriteRune(c)
		}
	}
	return "", p.fail(at, len(p.src), "This quote is not closed.", `Write another " where the text ends.`)
}

// word reads the bare text ahead without taking it, for those that mean something.
func (p *parser) word() string {
	end := p.pos
	for end < len(p.src) && !ends(p.src[end], true) {
		end++
	}
	return string(p.src[p.pos:end])
}

// take takes a word if it is ahead and stands alone.
func (p *parser) take(word string) bool {
	if !strings.EqualFold(p.word(), word) {
		return false
	}
	p.pos += len([]rune(word))
	return true
}

// takeSign takes a sign like "&&" if it is ahead.
func (p *parser) takeSign(sign string) bool {
	if !p.ahead(sign) {
		return false
	}
	p.pos += len([]rune(sign))
	return true
}

func (p *parser) ahead(sign string) bool {
	r := []rune(sign)
	return p.pos+len(r) <= len(p.src) && slices.Equal(p.src[p.pos:p.pos+len(r)], r)
}

// regex reads "/expression/flags" if it is ahead: a second slash must be there that flags and the end of the term follow. Else it is a path.
// "\/" is a slash in the expression. end is the place behind the expression.
func (p *parser) regex() (expression, flags string, ok bool) {
	if p.peek(0) != '/' {
		return "", "", false
	}
	var out strings.Builder
	i := p.pos + 1
	for ; i < len(p.src) && p.src[i] != '/'; i++ {
		if p.src[i] == '\\' && i+1 < len(p.src) {
			if i++; p.src[i] != '/' {
				out.WriteByte('\\')
			}
		}
		out.WriteRune(p.src[i])
	}
	if i >= len(p.src) || out.Len() == 0 {
		return "", "", false
	}
	from := i + 1
	for i = from; i < len(p.src) && strings.ContainsRune(flagOrder, p.src[i]); i++ {
	}
	if i < len(p.src) && !unicode.IsSpace(p.src[i]) && p.src[i] != ')' && p.src[i] != '|' {
		return "", "", false
	}
	flags = string(p.src[from:i])
	p.pos = i
	return out.String(), flags, true
}

// A relation is what stands between a field and its value.
type relation struct {
	sign   string
	op     Op // Equal, Contains, or one that compares
	negate bool
}

// relations are tried in this order. The second ones of a kind are what other languages write.
var relations = []relation{
	{":>=", AtLeast, false}, {":<=", AtMost, false}, {":>", More, false}, {":<", Less, false}, {":=", Equal, false},
	{"==", Equal, false}, {"=~", Contains, false}, {"!=", Equal, true}, {"<>", Equal, true}, {"!~", Contains, true}, {"!:", Equal, true},
	{">=", AtLeast, false}, {"<=", AtMost, false}, {"=", Equal, false}, {":", Equal, false}, {"~", Contains, false}, {">", More, false}, {"<", Less, false},
}

// relation takes the relation that is ahead, if there is one.
func (p *parser) relation() (relation, bool) {
	for _, r := range relations {
		if p.takeSign(r.sign) {
			return r, true
		}
	}
	return relation{}, false
}
