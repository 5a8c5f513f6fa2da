package query

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"
)

// Parse reads a query. Relative times are counted from now, and days begin in zone, which is also where times without one are; nil is UTC. The error is
// an *Error.
func Parse(text string, now time.Time, zone *time.Location) (*Query, error) {
	q, bad := parse(text, now, zone)
	if bad != nil {
		return nil, bad
	}
	return q, nil
}

func parse(text string, now time.Time, zone *time.Location) (*Query, *Error) {
	if zone == nil {
		zone = time.UTC
	}
	p := &parser{src: []rune(text), now: now.Round(0).In(zone), zone: zone}
	if len(text) > MaxText {
		return nil, p.fail(0, len(p.src), fmt.Sprintf("A query has at most %d bytes, and this one has %d.", MaxText, len(text)), "Search for less at once.")
	}
	if !utf8.ValidString(text) {
		at := strings.IndexRune(text, utf8.RuneError)
		at = utf8.RuneCountInString(text[:max(at, 0)])
		return nil, p.fail(at, at+1, "This is not UTF-8.", `Search for what stands around the broken byte, or with /\x{fffd}/, which finds broken bytes.`)
	}
	p.q.Zone = zone
	if err := p.query(); err != nil {
		return nil, err
	}
	if long := len(p.q.String()); long > MaxText {
		return nil, p.fail(0, len(p.src), fmt.Sprintf("Written out, this query has %d bytes, and at most %d are allowed.", long, MaxText), "Search for less at once.")
	}
	return &p.q, nil
}

// query reads the condition and the stages.
func (p *parser) query() *Error {
	p.space()
	if !p.done() && p.peek(0) != '|' {
		e, err := p.either()
		if err != nil {
			return err
		}
		if depth(e) > maxDepth {
			return p.fail(0, len(p.src), fmt.Sprintf("Conditions may lie in each other at most %d deep.", maxDepth), "Write it with fewer parentheses.")
		}
		p.q.Where = e
	}
	if !p.q.Since.IsZero() && !p.q.Until.IsZero() && !p.q.Since.Before(p.q.Until) {
		return p.fail(0, len(p.src), "There is no time between since and until.", "The earlier time comes first; until is not before since.")
	}
	for !p.done() {
		at := p.pos
		if p.peek(0) == ')' {
			return p.fail(at, at+1, `This ")" closes nothing.`, `Leave it out, or put a "(" before it; as text it needs quotes.`)
		}
		p.pos++ // "|"
		if err := p.stage(at); err != nil {
			return err
		}
		p.space()
	}
	return nil
}

func depth(e *Expr) int {
	d := 0
	if e != nil {
		for _, k := range e.Kids {
			d = max(d, depth(k))
		}
	}
	return d + 1
}

// either reads conditions joined by "or". Where only a time is said, it is nil.
func (p *parser) either() (*Expr, *Error) {
	var kids []*Expr
	for {
		at := p.pos
		e, err := p.every()
		if err != nil {
			return nil, err
		}
		p.space()
		more := p.take("or") || p.takeSign("||")
		if e == nil && (more || len(kids) > 0) {
			return nil, p.fail(at, p.pos, `On both sides of "or" there must be a condition; a time holds for the whole query.`,
				"To join times by or, compare: time<2026-11-20 or time>=2026-11-22.")
		}
		kids = append(kids, e)
		if !more {
			return Any(kids...), nil
		}
	}
}

// every reads conditions joined by "and", or that just stand beside each other.
func (p *parser) every() (*Expr, *Error) {
	var kids []*Expr
	for n := 0; ; n++ {
		p.space()
		at := p.pos
		joined := n > 0 && (p.take("and") || p.takeSign("&&"))
		p.space()
		over := p.done() || p.peek(0) == ')' || p.peek(0) == '|' || strings.EqualFold(p.word(), "or")
		if over && n > 0 && !joined {
			return All(kids...), nil
		}
		if over || n == 0 && (strings.EqualFold(p.word(), "and") || p.ahead("&&")) {
			return nil, p.missing(at)
		}
		e, err := p.negated()
		if err != nil {
			return nil, err
		}
		kids = append(kids, e)
	}
}

// missing is the error of a condition that is not there.
func (p *parser) missing(at int) *Error {
	w := p.word()
	switch {
	case p.peek(0) == ')':
		return p.fail(p.pos, p.pos+1, `Before this ")" a condition is missing.`, `Write one, or take the parentheses away; as text ")" needs quotes.`)
	case isWord(w) && at == p.pos:
		return p.fail(at, at+len([]rune(w)), fmt.Sprintf("Before %s a condition is missing.", said(w)), fmt.Sprintf("To search for the word itself, write it in quotes: %s.", said(w)))
	}
	return p.fail(p.pos, p.pos+1, "Here a condition is missing.", `Write one, such as ip=203.0.113.7; a word that joins, searched for as text, needs quotes.`)
}

// negated reads a condition that may have "not" or "-" before it.
func (p *parser) negated() (*Expr, *Error) {
	at := p.pos
	minus := p.peek(0) == '-' && p.peek(1) != '-' && p.pos+1 < len(p.src) && !ends(p.peek(1), false)
	minus = minus || p.peek(0) == '-' && (p.peek(1) == '(' || isQuote(p.peek(1)))
	if minus {
		p.pos++
	} else if strings.EqualFold(p.word(), "not") && !p.namesField() {
		p.pos += len("not")
	} else {
		return p.primary()
	}
	if err := p.deeper(at); err != nil {
		return nil, err
	}
	p.space()
	if p.done() || p.peek(0) == ')' || p.peek(0) == '|' {
		return nil, p.missing(p.pos)
	}
	e, err := p.negated()
	p.nesting--
	p.closed--
	if err == nil && e == nil {
		return nil, p.fail(at, p.pos, "There is nothing here to be negated.", "A time holds for the whole query; compare instead: not time>=2026-11-20.")
	}
	if err != nil {
		return nil, err
	}
	return None(e), nil
}

// deeper notes one more of what may lie in each other.
func (p *parser) deeper(at int) *Error {
	p.nesting++
	p.closed++
	if p.nesting > maxNesting {
		return p.fail(at, at+1, fmt.Sprintf("Conditions may lie in each other at most %d deep.", maxDepth), "Write it with fewer parentheses.")
	}
	return nil
}

// primary reads what stands in parentheses, a time, or a term. A time is nil.
func (p *parser) primary() (*Expr, *Error) {
	at := p.pos
	if p.peek(0) == '(' {
		if err := p.deeper(at); err != nil {
			return nil, err
		}
		p.pos++
		e, err := p.either()
		if err != nil {
			return nil, err
		}
		p.nesting--
		p.closed--
		if p.peek(0) != ')' {
			return nil, p.fail(at, at+1, `This "(" is not closed.`, `Write a ")" where the condition ends; as text "(" needs quotes.`)
		}
		p.pos++
		return e, nil
	}
	if w := p.word(); isWord(w) && !p.namesField() {
		return nil, p.clause(strings.ToLower(w))
	}
	return p.term()
}

// namesField reports whether a word that means something is a field's name here, because a relation follows without a blank.
func (p *parser) namesField() bool {
	at := p.pos
	defer func() { p.pos = at }()
	p.name()
	_, ok := p.relation()
	return ok
}

// name reads what may be a field's name without quotes, "" if nothing ahead is.
func (p *parser) name() string {
	from := p.pos
	for p.pos < len(p.src) && nameRune(p.src[p.pos], p.pos == from) {
		p.pos++
	}
	return string(p.src[from:p.pos])
}
