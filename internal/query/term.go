package query

import (
	"fmt"
	"net/netip"
	"strings"
	"unicode"
)

// term reads a text to search for, a regular expression, or a field with what is asked of it.
func (p *parser) term() (*Expr, *Error) {
	at := p.pos
	if f, ok, err := p.field(); err != nil {
		return nil, err
	} else if ok {
		return p.ask(f, at)
	}
	p.pos = at
	if expression, flags, ok := p.regex(); ok {
		return p.fits(Raw, expression, flags, at)
	}
	if isQuote(p.peek(0)) {
		text, err := p.quote()
		if err != nil {
			return nil, err
		}
		if text == "" {
			return nil, p.fail(at, p.pos, "An empty text is in every line.", "Write what to search for between the quotes, or * for everything.")
		}
		return p.leaf(Holds(Raw, text), at)
	}
	pattern := p.bare(false)
	if err := p.glued(at); err != nil {
		return nil, err
	}
	return p.leaf(holding(Raw, pattern), at)
}

// holding asks for a value with a text in it that may have wildcards.
func holding(f Field, pattern string) *Expr {
	if g := globOf(pattern); len(g) == 1 {
		return Holds(f, g[0])
	}
	return Like(f, "*"+pattern+"*")
}

// glued refuses a parenthesis or a quote that stands right behind a bare text: it may be part of it, or not.
func (p *parser) glued(at int) *Error {
	if c := p.peek(0); c == '(' || isQuote(c) {
		return p.fail(p.pos, p.pos+1, fmt.Sprintf("It is not clear whether this %c belongs to %s.", c, said(string(p.src[at:p.pos]))),
			"Put the whole text in quotes (\\\" for a quote in it), or a blank between.")
	}
	return nil
}

// leaf counts a leaf.
func (p *parser) leaf(e *Expr, at int) (*Expr, *Error) {
	p.leaves++
	if p.leaves > maxLeaves {
		return nil, p.fail(at, p.pos, fmt.Sprintf("A query has at most %d conditions.", maxLeaves), "Search for less at once.")
	}
	return e, nil
}

// field reads a field's name if there is one, that is, if a relation or "in" follows it.
func (p *parser) field() (Field, bool, *Error) {
	at, name, inQuotes := p.pos, "", isQuote(p.peek(0))
	if inQuotes {
		text, err := p.quote()
		if err != nil {
			return Field{}, false, err
		}
		name = text
	} else if name = p.name(); name == "" || p.isAddress(at) {
		return Field{}, false, nil
	}
	end := p.pos
	if !inQuotes && p.peek(0) == ':' && (p.peek(1) == '\\' || p.ahead("://")) { // C:\ and http://
		return Field{}, false, nil
	}
	p.space()
	before := p.pos
	r, related := p.relation()
	blank := p.done() || unicode.IsSpace(p.peek(0))
	p.pos = before
	if !related && !p.takesList() || !related && !inQuotes && !p.meansList(name) {
		return Field{}, false, nil
	}
	if inQuotes {
		if name == "" {
			return Field{}, false, p.fail(at, end, "A field's name is not empty.", "Write the name between the quotes.")
		}
		return OwnField(name), true, nil
	}
	f, err := p.known(name, at, end)
	if err == nil && f.Place == PlaceOwn && r.sign == ":" && blank { // Fatal error: Uncaught ...
		err = p.fail(at, end+1, fmt.Sprintf("It is not clear whether %s is a field of your application's own or a word of the line.", said(name)),
			fmt.Sprintf(`Write %s=x for the field; put the text into quotes: "%s: x".`, name, name))
	}
	return f, err == nil, err
}

// known finds a field by its name, or suggests another.
func (p *parser) known(name string, at, end int) (Field, *Error) {
	f, near := FieldNamed(name)
	if near != "" {
		return Field{}, p.fail(at, end, fmt.Sprintf("No field is called %s.", said(name)),
			fmt.Sprintf("Did you mean %s? If it is a field of your application's own, write it in quotes: %s.", near, said(name)))
	}
	return f, nil
}

// isAddress reports whether the bare text from at on is an address, which may begin like a field's name (fe80::1).
func (p *parser) isAddress(at int) bool {
	end := at
	for end < len(p.src) && !ends(p.src[end], true) {
		end++
	}
	_, ok := prefixOf(string(p.src[at:end]))
	return ok
}

// takesList reports whether "in" or "not in" is ahead.
func (p *parser) takesList() bool {
	at := p.pos
	defer func() { p.pos = at }()
	if p.take("not") {
		p.space()
	}
	return p.take("in")
}

// meansList reports whether the "in" ahead asks a field: one that is known, or with a list or a network behind it. Else
// it is most likely a word of a sentence, failed in checkout, which is refused then.
func (p *parser) meansList(name string) bool {
	if f, _ := FieldNamed(name); f.Place != PlaceOwn {
		return true
	}
	at := p.pos
	defer func() { p.pos = at }()
	if p.take("not") {
		p.space()
	}
	p.take("in")
	p.space()
	return p.peek(0) == '(' || p.isAddress(p.pos)
}

// ask reads what is asked of a field; its name begins at.
func (p *parser) ask(f Field, at int) (*Expr, *Error) {
	negate := false
	r, ok := p.relation()
	if !ok {
		negate = p.take("not")
		p.space()
		p.take("in")
		e, err := p.list(f, at, false)
		return p.denied(f, e, negate, err)
	}
	negate = r.negate
	p.space()
	if f.Place == PlaceTime {
		return p.askTime(r, at)
	}
	if r.op == Equal && p.peek(0) == '(' {
		e, err := p.list(f, at, true)
		return p.denied(f, e, negate, err)
	}
	e, err := p.value(f, r, at, false)
	return p.denied(f, e, negate, err)
}

// denied makes "is not" of "is". It asks for the field too: status!=200 is about lines that have a status.
func (p *parser) denied(f Field, e *Expr, negate bool, err *Error) (*Expr, *Error) {
	switch {
	case err != nil:
		return nil, err
	case !negate:
		return e, nil
	case e.Op == Exists, f.Place == PlaceRaw:
		return None(e), nil
	}
	if _, err := p.leaf(e, p.pos); err != nil {
		return nil, err
	}
	return All(Has(f), None(e)), nil
}

// list reads the values behind "in": one, or several in parentheses, with commas or "or" between.
func (p *parser) list(f Field, at int, colon bool) (*Expr, *Error) {
	p.space()
	if f.Place == PlaceTime {
		return nil, p.fail(at, p.pos, "Times are not searched in a list.", "Write between 2026-11-20 and 2026-11-22, or time>=2026-11-20.")
	}
	equal := relation{op: Equal}
	if p.peek(0) != '(' {
		e, err := p.value(f, equal, at, true)
		if err == nil && p.peek(0) == ',' {
			err = p.fail(p.pos, p.pos+1, "Several values stand in parentheses.", fmt.Sprintf("Write %s in (a, b).", f))
		}
		return e, err
	}
	open := p.pos
	p.pos++
	var kids []*Expr
	for {
		p.space()
		e, err := p.value(f, equal, at, true)
		if err != nil {
			return nil, err
		}
		kids = append(kids, e)
		p.space()
		switch {
		case p.peek(0) == ')':
			p.pos++
			return Any(kids...), nil
		case p.peek(0) == ',':
			p.pos++
		case p.take("or"), p.takeSign("||"):
		case p.done(), p.peek(0) == '|':
			return nil, p.fail(open, open+1, "This list is not closed.", `Write a ")" behind the last value.`)
		default:
			return nil, p.fail(p.pos, p.pos+len([]rune(p.word())), "Values in a list have commas between them.", `Write (a, b); a value with blanks in it stands in quotes.`)
		}
	}
}

// value reads a value and makes the leaf.
func (p *parser) value(f Field, r relation, at int, list bool) (*Expr, *Error) {
	from := p.pos
	if r.op == Contains {
		if expression, flags, ok := p.regex(); ok {
			return p.fits(f, expression, flags, from)
		}
	}
	if isQuote(p.peek(0)) {
		text, err := p.quote()
		if err != nil {
			return nil, err
		}
		switch {
		case r.op == Equal:
			return p.leaf(Is(f, text), at)
		case r.op == Contains && text != "":
			return p.leaf(Holds(f, text), at)
		case r.op == Contains:
			return nil, p.fail(from, p.pos, "An empty text is in every value.", fmt.Sprintf("Write %s=* for lines that have the field.", f))
		}
		return p.compare(f, r.op, text, from)
	}
	spaced := from > 0 && ends(p.src[from-1], list)
	if w := p.word(); spaced && !list && isWord(w) {
		return nil, p.fail(at, from, "Here a value is missing.", fmt.Sprintf(`Write one, such as %s=x; the word %s as a value needs quotes.`, f, said(w)))
	}
	pattern := p.bare(list)
	if pattern == "" {
		return nil, p.fail(from, from+1, "Here a value is missing.", fmt.Sprintf(`Write one, such as %s=x; an empty one is %s="".`, f, f))
	}
	if err := p.glued(from); err != nil {
		return nil, err
	}
	switch r.op {
	case Equal:
		return p.leaf(equal(f, pattern), at)
	case Contains:
		return p.leaf(holding(f, pattern), at)
	}
	return p.compare(f, r.op, pattern, from)
}

// equal makes the leaf of a bare value: an address or a network where the field has addresses, a pattern, a number, or a text.
func equal(f Field, pattern string) *Expr {
	g := globOf(pattern)
	if len(g) > 1 {
		return Like(f, pattern)
	}
	text := g[0]
	if f.address() {
		if net, ok := prefixOf(text); ok {
			return addressed(f, text, net)
		}
	}
	if class, ok := statusClass(f, text); ok {
		return Like(f, class)
	}
	if n, ok := f.number(text); ok && f.numeric() {
		return IsNumber(f, text, n)
	}
	return Is(f, text)
}

// addressed asks for an address, or for what lies in a network. A network field is asked for the network of an address: its /24 or /64.
func addressed(f Field, text string, net netip.Prefix) *Expr {
	switch {
	case strings.Contains(text, "/"):
		return In(f, net)
	case f == networkField && net.Addr().Is4():
		return In(f, netip.PrefixFrom(net.Addr(), 24))
	case f == networkField:
		return In(f, netip.PrefixFrom(net.Addr(), 64))
	}
	return Is(f, net.Addr().String())
}

// compare makes the leaf of <, <=, > and >=.
func (p *parser) compare(f Field, op Op, text string, at int) (*Expr, *Error) {
	if f.address() {
		return nil, p.fail(at, p.pos, fmt.Sprintf("%s is an address, and addresses are not compared.", f), fmt.Sprintf("Write %s in 10.0.0.0/8.", f))
	}
	n, ok := f.number(text)
	if !ok {
		return nil, p.fail(at, p.pos, fmt.Sprintf("%s is no number that %s can be compared with.", said(text), f), f.numbersMend())
	}
	return p.leaf(Compare(f, op, n), at)
}

// fits makes the leaf of a regular expression.
func (p *parser) fits(f Field, expression, flags string, at int) (*Expr, *Error) {
	e, err := Fits(f, expression, flags)
	if err != nil {
		return nil, p.fail(at, p.pos, fmt.Sprintf("This regular expression cannot be used: %s.", strings.TrimPrefix(err.Error(), "error parsing regexp: ")),
			`Its syntax is RE2's; a path that ends with "/" stands in quotes.`)
	}
	p.programs += maxSteps / max(1, e.Sees)
	if p.programs > maxPrograms+maxSteps/maxSees {
		return nil, p.fail(at, p.pos, "The regular expressions of this query are too long together.", "Search for less at once.")
	}
	return p.leaf(e, at)
}
