package query

import (
	"slices"
	"strings"
	"time"

	"tocsin/internal/record"
)

// A SuggestionKind says what a suggestion completes.
type SuggestionKind uint8

const (
	SuggestField    SuggestionKind = iota // a field's name
	SuggestRelation                       // what stands between a field and its value
	SuggestWord                           // and, or, not, since and their like
	SuggestTime                           // a time or an interval
	SuggestStage                          // a stage
	SuggestValue                          // a value: Text is empty, the caller knows which values Field has that begin with Prefix
)

// A Suggestion is one way to go on with a text: to put Text in place of the runes [From, To).
type Suggestion struct {
	Kind     SuggestionKind
	Text     string
	From, To int
	Says     string // what it is, in a few words
	Field    Field  // of SuggestValue
	Prefix   string // of SuggestValue: what is written of it so far, without quotes
}

const maxSuggestions = 20

// Value returns the suggestion of a value that a caller found, in quotes where it needs them.
func (s Suggestion) Value(text string) Suggestion {
	s.Text = Is(s.Field, text).value()
	return s
}

// Complete returns how a text may go on at a place, in runes: most likely first, at most maxSuggestions. It reads texts that are not finished, so it is
// lenient: what it cannot make out it completes as a field.
func Complete(text string, at int) []Suggestion {
	src := []rune(text[:min(len(text), MaxText)])
	c := completion{src: src[:min(max(at, 0), len(src))]}
	c.read()
	switch {
	case c.stage >= 0:
		c.completeStage()
	default:
		c.completeCondition()
	}
	return c.out[:min(len(c.out), maxSuggestions)]
}

// completion is a text up to the place, taken apart roughly.
type completion struct {
	src   []rune
	parts []part
	stage int // place among parts behind the last "|"; -1 in the condition
	out   []Suggestion
}

// A part is a word, a text in quotes, or a sign. The last one may be unfinished.
type part struct {
	text     string
	from, to int
	sign     bool // a relation, a parenthesis, a comma or "|"
	quote    bool
}

func (c *completion) read() {
	c.stage = -1
	p := &parser{src: c.src}
	for p.space(); !p.done(); p.space() {
		from := p.pos
		w := part{from: from}
		switch {
		case isQuote(p.peek(0)):
			text, err := p.quote()
			if err != nil {
				text, p.pos = string(p.src[from+1:]), len(p.src)
			}
			w.text, w.quote = text, true
		case strings.ContainsRune("(),|", p.peek(0)):
			w.text, w.sign = string(p.peek(0)), true
			p.pos++
		default:
			if r, ok := p.relation(); ok {
				w.text, w.sign = r.sign, true
				break
			}
			for p.pos < len(p.src) && !ends(p.peek(0), true) && !c.relationAhead(p) {
				p.pos++
			}
			w.text = string(p.src[from:p.pos])
		}
		w.to = p.pos
		c.parts = append(c.parts, w)
		if w.sign && w.text == "|" {
			c.stage = len(c.parts)
		}
	}
}

// relationAhead reports whether a word that may be a field's name ends here.
func (c *completion) relationAhead(p *parser) bool {
	at := p.pos
	_, ok := p.relation()
	p.pos = at
	if !ok || len(c.parts) > 0 && c.parts[len(c.parts)-1].sign && isRelation(c.parts[len(c.parts)-1].text) {
		return false // within a value it is a character
	}
	return true
}

func isRelation(sign string) bool {
	return slices.ContainsFunc(relations, func(r relation) bool { return r.sign == sign })
}

// current returns the unfinished part that ends at the place, empty when a blank or a sign stands before it, and what is before it, the last first.
func (c *completion) current() (now part, before []part) {
	parts := slices.Clone(c.parts)
	n := len(parts)
	now = part{from: len(c.src), to: len(c.src)}
	if n > 0 && parts[n-1].to == len(c.src) && !parts[n-1].sign {
		now, parts = parts[n-1], parts[:n-1]
		if text, negated := strings.CutPrefix(now.text, "-"); negated && !now.quote {
			now.text = text
			now.from++
		}
	}
	slices.Reverse(parts)
	return now, parts
}

func (c *completion) add(kind SuggestionKind, now part, text, says string) {
	if strings.HasPrefix(text, strings.ToLower(now.text)) && text != now.text {
		c.out = append(c.out, Suggestion{Kind: kind, Text: text, From: now.from, To: len(c.src), Says: says})
	}
}

func (c *completion) completeCondition() {
	now, before := c.current()
	if f, ok := valueAhead(before); ok {
		c.out = append(c.out, Suggestion{Kind: SuggestValue, From: now.from, To: len(c.src), Field: f, Prefix: now.text, Says: "values of " + f.String()})
		return
	}
	last := part{}
	if len(before) > 0 {
		last = before[0]
	}
	if word := strings.ToLower(last.text); !last.quote && slices.Contains([]string{"since", "until", "between", "on", "last"}, word) {
		c.times(word, now)
		return
	}
	if now.quote {
		return
	}
	if _, ok := knownName(now.text); ok {
		c.relations(part{from: now.to, to: now.to})
	} else if _, ok := knownName(last.text); ok && now.text == "" && !last.sign {
		c.relations(now)
	}
	if len(before) > 0 && !last.sign && !isWord(last.text) {
		for _, w := range [][2]string{{"and", "both"}, {"or", "one of both"}} {
			c.add(SuggestWord, now, w[0], w[1])
		}
	}
	for _, f := range fieldWords() {
		c.add(SuggestField, now, f[0], f[1])
	}
	for _, w := range [][2]string{{"not", "lines that are not so"}, {"since", "from a time on"}, {"until", "up to a time"}, {"last", "the last minutes, hours or days"},
		{"between", "from one time to another"}, {"on", "a day"}} {
		c.add(SuggestWord, now, w[0], w[1])
	}
	if len(before) > 0 && now.text == "" {
		c.add(SuggestStage, now, "| ", "fold, sort or cut what was found")
	}
}

// valueAhead returns the field whose value stands behind these parts.
func valueAhead(before []part) (Field, bool) {
	for i, w := range before {
		switch {
		case w.sign && isRelation(w.text), !w.quote && strings.EqualFold(w.text, "in"):
			i++
			if i < len(before) && strings.EqualFold(before[i].text, "not") {
				i++
			}
			if i >= len(before) || before[i].sign {
				return Field{}, false
			}
			if before[i].quote {
				return OwnField(before[i].text), true
			}
			f, _ := FieldNamed(before[i].text)
			return f, f != Time
		case i == 0 && !w.sign:
			return Field{}, false
		case w.sign && w.text != "(" && w.text != ",", !w.sign && i > 0 && !before[i-1].sign:
			return Field{}, false
		}
	}
	return Field{}, false
}

func knownName(s string) (Field, bool) {
	if s == "" {
		return Field{}, false
	}
	f, _ := FieldNamed(s)
	return f, f.Place != PlaceOwn
}

func (c *completion) relations(now part) {
	for _, r := range [][2]string{{"=", "is; * stands for anything"}, {"!=", "is not"}, {"~", "has in it; ~/x/ matches"}, {">=", "at least"}, {"<=", "at most"}, {" in ", "one of (a, b), or in a network"}} {
		c.out = append(c.out, Suggestion{Kind: SuggestRelation, Text: r[0], From: now.from, To: len(c.src), Says: r[1]})
	}
}

func (c *completion) times(word string, now part) {
	times := [][2]string{{"today", "since midnight"}, {"yesterday", "the day before"}, {"1h", "an hour ago"}, {"6h", "six hours ago"}, {"1d", "a day ago"}, {"7d", "a week ago"}, {"14:00", "the last time it was two"},
		{"monday", "the last Monday"}, {"2026-11-20", "a day"}, {"2026-11-20T14:05", "a moment"}}
	switch word {
	case "last":
		times = [][2]string{{"15m", "minutes"}, {"1h", "hours"}, {"24h", "hours"}, {"7d", "days"}}
	case "on":
		times = [][2]string{{"today", "so far"}, {"yesterday", "the day before"}, {"monday", "the last Monday"}, {"2026-11-20", "a day"}}
	}
	for _, t := range times {
		c.add(SuggestTime, now, t[0], t[1])
	}
}

// stageSays tells what stages do, in the order of StageKind.
var stageSays = [...]string{"what one visitor did: an address or a session's id", "what to show of each line", "the most frequent values of a field", "the least frequent values of a field",
	"how many, by fields and time", "the sum of a field", "the mean of a field", "the least value of a field", "the greatest value of a field", "what 95 of 100 values do not exceed",
	"how many different values a field has", "a histogram over time", "order by a column", "the first rows", "the last rows"}

func (c *completion) completeStage() {
	now, _ := c.current()
	parts := c.parts[min(c.stage, len(c.parts)):]
	if len(parts) == 0 || len(parts) == 1 && parts[0].to == len(c.src) && !parts[0].sign {
		for i, name := range stageNames {
			c.add(SuggestStage, now, name, stageSays[i])
		}
		return
	}
	i := slices.Index(stageNames[:], strings.ToLower(parts[0].text))
	if i < 0 {
		return
	}
	by := slices.ContainsFunc(parts, func(w part) bool { return strings.EqualFold(w.text, "by") })
	open := len(parts) > 1 && parts[1].sign && parts[1].text == "("
	closed := slices.ContainsFunc(parts, func(w part) bool { return w.sign && w.text == ")" })
	kind := StageKind(i)
	switch {
	case kind == Timeline:
		c.every(now)
	case kind == Session:
		c.out = append(c.out, Suggestion{Kind: SuggestValue, From: now.from, To: len(c.src), Field: KnownField(record.SessionID), Prefix: now.text, Says: "an address or a session's id"})
	case kind == Sort:
		c.columns(now)
	case kind == Head, kind == Tail:
	case kind >= Sum && kind <= Distinct && !open:
		c.add(SuggestWord, now, "(", "of which field")
	case kind >= Count && kind <= Distinct && !by && (kind == Count || closed):
		c.add(SuggestWord, now, "by ", "for each value of a field")
	default:
		for _, f := range fieldWords() {
			c.add(SuggestField, now, f[0], f[1])
		}
		if by {
			c.every(now)
		}
	}
}

func (c *completion) every(now part) {
	for _, t := range []string{"1m", "5m", "15m", "1h", "1d"} {
		c.add(SuggestTime, now, t, "in buckets of this length")
	}
}

// columns suggests what the rows can be sorted by.
func (c *completion) columns(now part) {
	q, err := parse(string(c.src[:c.parts[c.stage-1].from]), time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), nil) // columns do not depend on now
	if err != nil {
		return
	}
	if _, folding := q.Folding(); folding {
		for _, column := range q.Columns() {
			c.add(SuggestField, now, column, "a column")
		}
		return
	}
	for _, f := range fieldWords() {
		c.add(SuggestField, now, f[0], f[1])
	}
}

// fieldWords returns the names of fields with what they are: the short ones that are printed, then ECS names.
func fieldWords() [][2]string {
	var out [][2]string
	for _, name := range fieldNames() {
		f, _ := FieldNamed(name)
		switch {
		case f.String() == name && f.Place == PlaceKnown && f.Known.String() != name:
			out = append(out, [2]string{name, f.Known.String()})
		case f.String() == name:
			out = append(out, [2]string{name, placeSays[f.Place]})
		case f.Place == PlaceKnown && f.Known.String() == name:
			out = append(out, [2]string{name, f.String()})
		}
	}
	return out
}

// placeSays tells what fields are, by their place.
var placeSays = [...]string{"", "", "the line as it came", "when it happened", "the host that the log lies on", "the log's file", "the kind of log", "the line's number"}
