package query

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// stageWords are the words that begin a stage; the second ones of a kind are what other languages write.
var stageWords = []struct {
	word string
	kind StageKind
}{
	{"session", Session}, {"fields", Columns}, {"top", Top}, {"rare", Rare}, {"count", Count}, {"sum", Sum}, {"avg", Average}, {"min", Least}, {"max", Greatest},
	{"p95", P95}, {"distinct", Distinct}, {"timeline", Timeline}, {"sort", Sort}, {"head", Head}, {"tail", Tail},
	{"average", Average}, {"unique", Distinct}, {"uniq", Distinct}, {"dc", Distinct}, {"table", Columns}, {"limit", Head}, {"order", Sort}, {"histogram", Timeline},
}

// stage reads what stands behind the "|" at a place.
func (p *parser) stage(at int) *Error {
	p.space()
	from := p.pos
	word := strings.ToLower(p.takeBare())
	i := slices.IndexFunc(stageWords, func(w struct {
		word string
		kind StageKind
	}) bool {
		return w.word == word
	})
	if i < 0 {
		return p.unknownStage(word, from)
	}
	if len(p.q.Stages) == maxStages {
		return p.fail(at, p.pos, fmt.Sprintf("A query has at most %d stages.", maxStages), "Leave some out.")
	}
	s := Stage{Kind: stageWords[i].kind}
	err := p.stageRest(&s, from)
	if err != nil {
		return err
	}
	if p.space(); !p.done() && p.peek(0) != '|' {
		return p.fail(p.pos, p.pos+max(1, len([]rune(p.word()))), fmt.Sprintf("This does not belong to %s.", s.Kind), `The next stage begins with "|"; conditions stand before the first one.`)
	}
	p.q.Stages = append(p.q.Stages, s)
	return p.placed(at)
}

func (p *parser) unknownStage(word string, from int) *Error {
	var known []string
	for _, w := range stageWords[:len(stageNames)] {
		known = append(known, w.word)
	}
	if word == "" {
		return p.fail(from, from+1, `Behind "|" a stage is missing.`, "There are "+strings.Join(known, ", ")+`. As text "|" needs quotes.`)
	}
	mend := "There are " + strings.Join(known, ", ") + "."
	switch near := nearest(word, 3, known); {
	case near != "":
		mend = fmt.Sprintf("Did you mean %s? ", near) + mend
	case word == "stats":
		mend = `Leave the word out: "| count by user". ` + mend
	case slices.Contains([]string{"where", "search", "filter"}, word):
		mend = `Conditions stand before the first "|". ` + mend
	}
	return p.fail(from, p.pos, fmt.Sprintf("No stage is called %s.", said(word)), mend)
}

func (p *parser) stageRest(s *Stage, from int) (err *Error) {
	p.space()
	switch s.Kind {
	case Session:
		return p.sessionOf(s, from)
	case Columns:
		return p.by(s, maxColumns, false)
	case Top, Rare:
		return p.topOf(s, from)
	case Count:
		if p.takeSign("(") {
			if p.space(); !p.takeSign(")") {
				return p.fail(from, p.pos, "count counts lines, not fields.", "Write count by user, or distinct(user) for how many there are.")
			}
		}
		return p.grouping(s)
	case Timeline:
		if w := p.word(); w != "" {
			s.Every, err = p.every24(w)
		}
	case Sort:
		return p.sortBy(s, from)
	case Head, Tail:
		s.N = 10
		if w := p.word(); w != "" {
			s.N, err = p.atMost(maxRows)
		}
	default:
		if err = p.ofField(s, from); err == nil {
			err = p.grouping(s)
		}
	}
	return err
}

func (p *parser) sessionOf(s *Stage, from int) (err *Error) {
	if isQuote(p.peek(0)) {
		s.Text, err = p.quote()
	} else {
		s.Text = p.takeBare()
	}
	if err == nil && s.Text == "" {
		err = p.fail(from, p.pos, "session needs to know whose.", "Write an address or a session's id behind it: session 203.0.113.7.")
	}
	return err
}

// stageField reads a field's name in a stage.
func (p *parser) stageField() (Field, *Error) {
	at := p.pos
	if isQuote(p.peek(0)) {
		name, err := p.quote()
		if err == nil && name == "" {
			err = p.fail(at, p.pos, "A field's name is not empty.", "Write the name between the quotes.")
		}
		return OwnField(name), err
	}
	name := p.name()
	if name == "" {
		return Field{}, p.fail(at, at+max(1, len([]rune(p.word()))), "Here a field is missing.", `Write one, such as ip, user or url.path; a name with other characters stands in quotes.`)
	}
	return p.known(name, at, p.pos)
}

// topOf reads FIELD N, or N FIELD.
func (p *parser) topOf(s *Stage, from int) *Error {
	s.N = 10
	counted := func() *Error {
		p.space()
		if s.N != 10 || !allDigits(p.word(), 1, 10) {
			return nil
		}
		n, err := p.atMost(maxTop)
		s.N = n
		return err
	}
	if err := counted(); err != nil {
		return err
	}
	p.space()
	p.take("by")
	p.space()
	at := p.pos
	f, err := p.stageField()
	if err != nil {
		return err
	}
	if f == Time {
		return p.fail(at, p.pos, "Every line has a time of its own.", "Write timeline, or count by 5m.")
	}
	s.By = []Field{f}
	return counted()
}

// atMost reads a number of rows.
func (p *parser) atMost(most int) (int, *Error) {
	at := p.pos
	w := p.takeBare()
	n, err := strconv.Atoi(w)
	if err != nil || n < 1 || n > most {
		return 0, p.fail(at, p.pos, fmt.Sprintf("%s is no number of rows.", said(w)), fmt.Sprintf("Write one from 1 to %d.", most))
	}
	return n, nil
}

// grouping reads what may stand behind count or sum(bytes): by FIELD, FIELD, 5m.
func (p *parser) grouping(s *Stage) *Error {
	p.space()
	switch {
	case p.take("by"):
		p.space()
	case p.takeSign(","), p.take("every"):
		p.space()
		return p.interval(s)
	case p.isInterval():
		return p.interval(s)
	default:
		return nil
	}
	return p.by(s, maxBy, true)
}

func (p *parser) isInterval() bool {
	c := p.peek(0)
	return c >= '0' && c <= '9'
}

func (p *parser) interval(s *Stage) (err *Error) {
	s.Every, err = p.every24(p.word())
	return err
}

// by reads fields with commas between, and an interval among them where one may stand.
func (p *parser) by(s *Stage, most int, buckets bool) *Error {
	for {
		p.space()
		at := p.pos
		if buckets && p.isInterval() {
			if s.Every != 0 {
				return p.fail(at, at+len([]rune(p.word())), "There is an interval already.", "Keep one of the two.")
			}
			if err := p.interval(s); err != nil {
				return err
			}
		} else {
			f, err := p.stageField()
			switch {
			case err != nil:
				return err
			case buckets && f == Time:
				return p.fail(at, p.pos, "Every line has a time of its own.", "Write an interval: count by 5m.")
			case slices.Contains(s.By, f):
				return p.fail(at, p.pos, "This field is named twice.", "Keep one of the two.")
			case len(s.By) == most:
				return p.fail(at, p.pos, fmt.Sprintf("At most %d fields stand here.", most), "Leave some out.")
			}
			s.By = append(s.By, f)
		}
		p.space()
		if buckets && p.take("every") {
			p.space()
			return p.interval(s)
		}
		if !p.takeSign(",") {
			return nil
		}
	}
}

// every24 reads an interval: one that a day is a multiple of, or whole days.
func (p *parser) every24(w string) (time.Duration, *Error) {
	const day = 24 * time.Hour
	at := p.pos
	p.takeBare()
	d, ok := duration(w)
	switch {
	case !ok:
		return 0, p.fail(at, p.pos, fmt.Sprintf("%s is no interval.", said(w)), "Write 30s, 5m, 1h or 1d.")
	case d < day && day%d != 0, d > day && d%day != 0, d > 366*day:
		return 0, p.fail(at, p.pos, "A day does not divide into such intervals.", "Write one that fits into a day (1, 2, 3, 5, 10, 15, 20 or 30 minutes or seconds, 1, 2, 3, 4, 6, 8 or 12 hours), or whole days, at most 366.")
	}
	return d, nil
}

// ofField reads "(bytes)".
func (p *parser) ofField(s *Stage, from int) *Error {
	mend := fmt.Sprintf("Write %s(bytes) by user.", s.Kind)
	if !p.takeSign("(") {
		return p.fail(from, p.pos, fmt.Sprintf("%s needs a field.", s.Kind), mend)
	}
	p.space()
	at := p.pos
	f, err := p.stageField()
	if err != nil {
		return err
	}
	if s.Kind != Distinct && (f.address() || f.Place > PlaceOwn) {
		return p.fail(at, p.pos, fmt.Sprintf("%s is no number.", f), fmt.Sprintf("Write distinct(%s) for how many there are, or count by %s.", f, f))
	}
	s.Of = f
	if p.space(); !p.takeSign(")") {
		return p.fail(from, p.pos, `Behind the field a ")" is missing.`, mend)
	}
	return nil
}

// sortBy reads a column, or its order and a column: bytes desc, -bytes, sum(bytes) desc.
func (p *parser) sortBy(s *Stage, from int) *Error {
	if p.take("by") {
		p.space()
	}
	if p.peek(0) == '-' || p.peek(0) == '+' {
		s.Descending = p.peek(0) == '-'
		p.pos++
	}
	at := p.pos
	_, folding := p.q.Folding()
	columns := p.q.Columns()
	if folding {
		for _, c := range columns { // a column may have parentheses: sum(bytes)
			if end := at + len([]rune(c)); end <= len(p.src) && strings.EqualFold(string(p.src[at:end]), c) && len(c) >= len(s.Column) {
				s.Column = c
			}
		}
		p.pos = at + len([]rune(s.Column))
	}
	if s.Column == "" || !p.done() && !ends(p.peek(0), true) {
		p.pos = at
		f, err := p.stageField()
		if err != nil {
			return err
		}
		s.Column = f.String()
		if folding && !slices.Contains(columns, s.Column) {
			return p.fail(at, p.pos, fmt.Sprintf("The rows have no column %s.", said(s.Column)), "There are "+strings.Join(columns, ", ")+".")
		}
		if !folding {
			s.By = []Field{f}
		}
	}
	p.space()
	switch {
	case p.take("desc"), p.take("descending"):
		s.Descending = true
	case p.take("asc"), p.take("ascending"):
		s.Descending = false
	}
	return nil
}

// placed checks that the stage that was read last may stand where it does.
func (p *parser) placed(at int) *Error {
	last := p.q.Stages[len(p.q.Stages)-1]
	for _, s := range p.q.Stages[:len(p.q.Stages)-1] {
		switch {
		case s.Kind == last.Kind && last.Kind != Head && last.Kind != Tail:
			return p.fail(at, p.pos, fmt.Sprintf("There is a stage %s already.", s.Kind), "Keep one of the two.")
		case s.Kind.Folds() && last.Kind.Folds():
			return p.fail(at, p.pos, fmt.Sprintf("%s cannot follow %s: lines are folded once.", last.Kind, s.Kind), "Group by several fields at once: count by user, ip.")
		case s.Kind >= Sort && last.Kind < Sort:
			return p.fail(at, p.pos, fmt.Sprintf("%s cannot follow %s.", last.Kind, s.Kind), "sort, head and tail stand last.")
		case s.Kind.Folds() && last.Kind < Top, s.Kind == Columns && last.Kind.Folds():
			return p.fail(at, p.pos, fmt.Sprintf("%s and %s do not go together.", s.Kind, last.Kind), "fields says what to show of lines; session stands before what folds them.")
		}
	}
	return nil
}
