package playbook

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"tocsin/internal/tree"
)

// A Finding is something wrong with a playbook, with its place.
type Finding struct {
	File         string
	Line, Column int // from 1; 0 is the whole file
	Says         string
	Warning      bool // it can be used all the same
}

func (f Finding) String() string {
	if f.Line == 0 {
		return f.File + ": " + f.Says
	}
	return fmt.Sprintf("%s:%d:%d: %s", f.File, f.Line, f.Column, f.Says)
}

// Bounds of a playbook.
const (
	MaxFile   = 1 << 19 // bytes
	maxSteps  = 500
	maxFacts  = 100
	maxValues = 30
	maxDepth  = 4 // branches within branches
	maxLine   = 90
	maxText   = 4000
	maxWithin = 90 * 24 * time.Hour

	MaxSource = 300_000 // bytes of a foreign file that is kept
)

// Read reads a playbook. It is nil when something in it cannot be understood; findings say all of what is wrong, in the order of the file, and
// what Check finds is among them. Text of any kind is data: nothing in it is followed.
func Read(file string, data []byte) (*Playbook, []Finding) {
	r := &reader{file: file, p: &Playbook{place: map[string][2]int{}}}
	if len(data) > MaxFile {
		r.say(nil, "the file is larger than %d bytes: a playbook of this size is read by nobody", MaxFile)
		return nil, r.findings
	}
	chunks := tree.Chunks(strings.TrimPrefix(string(data), "\ufeff"))
	if len(chunks) != 1 {
		r.say(nil, "one playbook is wanted in the file, and there are %d documents", len(chunks))
		return nil, r.findings
	}
	root, fault := tree.Parse(chunks[0])
	if fault != nil {
		r.findings = append(r.findings, Finding{File: file, Line: fault.Line, Column: fault.Col, Says: "this is not YAML as it is read here: " + fault.Why})
		return nil, r.findings
	}
	r.root(root)
	if len(r.findings) > 0 {
		return nil, r.findings
	}
	r.link()
	if len(r.findings) == 0 {
		r.findings = r.p.check(file)
	}
	slices.SortStableFunc(r.findings, func(a, b Finding) int {
		if a.Line != b.Line {
			return a.Line - b.Line
		}
		return a.Column - b.Column
	})
	if slices.ContainsFunc(r.findings, func(f Finding) bool { return !f.Warning }) {
		return nil, r.findings
	}
	return r.p, r.findings
}

// A reader takes a tree for a playbook.
type reader struct {
	file     string
	p        *Playbook
	findings []Finding
	phase    string
	branches []string
}

func (r *reader) say(at *tree.Tree, format string, args ...any) {
	f := Finding{File: r.file, Says: fmt.Sprintf(format, args...)}
	if at != nil {
		f.Line, f.Column = at.Line, at.Col
	}
	r.findings = append(r.findings, f)
}

func (r *reader) mark(what string, at *tree.Tree) { r.p.place[what] = [2]int{at.Line, at.Col} }

// keys says what a map holds that nobody knows. It is false for what is no map.
func (r *reader) keys(t *tree.Tree, what string, known ...string) bool {
	if t == nil || t.Kind != tree.Map {
		r.say(t, "%s is made of keys, each with a colon: %s", what, strings.Join(known, ", "))
		return false
	}
	for _, k := range t.Keys {
		if !slices.Contains(known, k.Text) {
			r.say(k, "%s has no key %q; it knows %s", what, short(k.Text), strings.Join(known, ", "))
		}
	}
	return true
}

// short cuts a text that a finding repeats.
func short(s string) string {
	if utf8.RuneCountInString(s) <= 40 {
		return s
	}
	return string([]rune(s)[:40]) + "…"
}

// text reads a text of at most so many characters; want says that it must be there.
func (r *reader) text(t *tree.Tree, key string, most int, want bool) string {
	v := t.Get(key)
	if v == nil || v.Kind == tree.Null {
		if want {
			r.say(t, "%s is missing", key)
		}
		return ""
	}
	if v.Kind == tree.List || v.Kind == tree.Map {
		r.say(v, "%s is text, not %s", key, v.Kind)
		return ""
	}
	s := strings.TrimSpace(v.Text)
	switch {
	case want && s == "":
		r.say(v, "%s is empty", key)
	case utf8.RuneCountInString(s) > most:
		r.say(v, "%s has %d characters; %d are read under stress, and no more", key, utf8.RuneCountInString(s), most)
	case most <= maxLine && strings.Contains(s, "\n"):
		r.say(v, "%s is one line", key)
	}
	for _, c := range s {
		if !unicode.IsPrint(c) && c != '\n' && c != ' ' {
			r.say(v, "%s has the sign %U, which nobody can see: take it out", key, c)
			break
		}
	}
	return s
}

// bookShape is what a playbook can be called: it is a file's name and part of an address, too.
var bookShape = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)

// BookID reports whether a playbook can have a name: small letters, digits and single - between them, at most 40, and none of the addresses that the console has beside the playbooks.
func BookID(id string) bool {
	return len(id) <= 40 && bookShape.MatchString(id) && !slices.Contains([]string{"new", "print", "glossary", "import"}, id)
}

var idShape = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,39}$`)

// id reads an id, or a list of them.
func (r *reader) id(v *tree.Tree, what string) string {
	if v.Kind == tree.List || v.Kind == tree.Map || !idShape.MatchString(v.Text) {
		r.say(v, "%s is of small letters, digits and -, at most 40: %q is not", what, short(v.Text))
		return ""
	}
	return v.Text
}

func (r *reader) list(t *tree.Tree, key string, most int) []*tree.Tree {
	v := t.Get(key)
	if v == nil || v.Kind == tree.Null {
		return nil
	}
	if v.Kind != tree.List {
		r.say(v, "%s is a list: write [one, two] or a line with - for each", key)
		return nil
	}
	if len(v.Values) > most {
		r.say(v, "%s has %d parts; at most %d are taken", key, len(v.Values), most)
		return nil
	}
	return v.Values
}

func (r *reader) ids(t *tree.Tree, key, what string, most int) (out []string) {
	for _, v := range r.list(t, key, most) {
		x := r.id(v, what)
		if slices.Contains(out, x) {
			r.say(v, "%s names %s twice", key, x)
			continue
		}
		out = append(out, x)
	}
	return out
}

func (r *reader) texts(t *tree.Tree, key string, most int) (out []string) {
	for _, v := range r.list(t, key, most) {
		if s := r.text(&tree.Tree{Kind: tree.Map, Keys: []*tree.Tree{{Text: key}}, Values: []*tree.Tree{v}, Line: v.Line, Col: v.Col}, key, 400, true); s != "" {
			out = append(out, s)
		}
	}
	return out
}

// word reads one of a few words.
func (r *reader) word(t *tree.Tree, key string, want bool, known ...string) string {
	s := r.text(t, key, maxText, want)
	if s != "" && !slices.Contains(known, s) {
		r.say(t.Get(key), "%s is one of %s, not %q", key, strings.Join(known, ", "), short(s))
		return ""
	}
	return s
}

func (r *reader) condition(t *tree.Tree, key string) Condition {
	c, err := ParseCondition(r.text(t, key, maxText, false))
	if err != nil {
		r.say(t.Get(key), "%s: %v", key, err)
	}
	return c
}

func (r *reader) yes(t *tree.Tree, key string) bool {
	v := t.Get(key)
	if v != nil && v.Kind != tree.Bool {
		r.say(v, "%s is true or false", key)
	}
	return v != nil && v.Yes()
}

func (r *reader) root(t *tree.Tree) {
	if t == nil {
		r.say(nil, "the file is empty")
		return
	}
	if !r.keys(t, "a playbook", "playbook", "title", "summary", "signs", "suggest", "owner", "review", "severity", "criteria", "facts", "ends", "phases", "cacao") {
		return
	}
	p := r.p
	if v := t.Get("playbook"); v == nil {
		r.say(t, "playbook is missing: the name by which the plan knows it")
	} else {
		p.ID = r.id(v, "the name of a playbook")
		if p.ID != "" && !BookID(p.ID) {
			r.say(v, "a playbook cannot be called %q: it takes small letters and digits with single - between them, and not new, print, glossary or import, which are addresses of the console", p.ID)
		}
	}
	p.Title, p.Summary = r.text(t, "title", maxLine, true), r.text(t, "summary", 600, true)
	p.Signs = r.texts(t, "signs", 30)
	p.Owner = r.word(t, "owner", true, Roles()...)
	p.Severity = r.word(t, "severity", false, Severities()...)
	p.Review = r.number(t, "review", 90, 1, 730)
	if s := t.Get("suggest"); s != nil && r.keys(s, "suggest", "techniques", "rules", "titles") {
		p.Suggest = Suggest{r.texts(s, "techniques", 100), r.texts(s, "rules", 200), r.texts(s, "titles", 50)}
	}
	if c := t.Get("criteria"); c != nil && r.keys(c, "criteria", Severities()...) {
		p.Criteria = map[string]string{}
		for _, k := range c.Keys {
			p.Criteria[k.Text] = r.text(c, k.Text, 400, true)
		}
	}
	for _, f := range r.list(t, "facts", maxFacts) {
		r.fact(f)
	}
	p.Ends = r.condition(t, "ends")
	if v := t.Get("ends"); v != nil {
		r.mark("ends", v)
	}
	phases := r.list(t, "phases", len(Phases()))
	if len(phases) == 0 && t.Get("phases") == nil {
		r.say(t, "phases is missing: a playbook without steps helps nobody")
	}
	if c := t.Get("cacao"); c != nil && r.keys(c, "cacao", "mapped", "source") {
		r.foreign(c)
	}
	last := -1
	for _, f := range phases {
		if !r.keys(f, "a phase", "phase", "steps") {
			continue
		}
		name := r.word(f, "phase", true, Phases()...)
		if i := slices.Index(Phases(), name); name != "" && i <= last {
			r.say(f.Get("phase"), "the phases come in the order %s, each once", strings.Join(Phases(), ", "))
		} else {
			last = max(last, i)
		}
		r.phase = name
		p.Phases = append(p.Phases, Phase{name, r.nodes(f, 0)})
	}
}

// foreign reads the kept file of another format. It is opaque here: package cacao reads it when the playbook is exported.
func (r *reader) foreign(t *tree.Tree) {
	v := t.Get("source")
	mapped := r.text(t, "mapped", 64, true)
	if v == nil || v.Kind != tree.Text || v.Text == "" || len(v.Text) > MaxSource {
		r.say(t, "source is the text of the file that the playbook was made of, at most %d bytes; take cacao out to forget that file", MaxSource)
		return
	}
	if !hash.MatchString(mapped) {
		r.say(t.Get("mapped"), "mapped is a SHA-256 of 64 hex digits; take cacao out to forget the file that the playbook was made of")
		return
	}
	r.p.Foreign = &Foreign{Source: strings.TrimSpace(v.Text), Mapped: mapped}
}

var hash = regexp.MustCompile(`^[0-9a-f]{64}$`)

func (r *reader) number(t *tree.Tree, key string, standard, least, most int) int {
	v := t.Get(key)
	if v == nil {
		return standard
	}
	n, err := strconv.Atoi(v.Text)
	if v.Kind != tree.Number || err != nil || n < least || n > most {
		r.say(v, "%s is a number from %d to %d", key, least, most)
	}
	return n
}

func (r *reader) fact(t *tree.Tree) {
	if !r.keys(t, "a fact", "fact", "ask", "of") {
		return
	}
	v := t.Get("fact")
	if v == nil {
		r.say(t, "fact is missing: the name by which conditions read it")
		return
	}
	f := Fact{ID: r.id(v, "the name of a fact"), Ask: r.text(t, "ask", 200, true)}
	for _, x := range r.list(t, "of", maxValues) {
		if x.Kind == tree.Bool { // YAML takes yes for a text, and true for a bool
			r.say(x, "an answer is a word: write yes, no in place of true, false")
			continue
		}
		if a := r.id(x, "an answer"); slices.Contains(f.Of, a) {
			r.say(x, "the answer %q is there twice", a)
		} else {
			f.Of = append(f.Of, a)
		}
	}
	if len(f.Of) == 1 {
		r.say(t, "the fact %s has one answer only: then there is nothing to ask", f.ID)
	}
	if slices.Contains([]string{"and", "or", "not", "in"}, f.ID) {
		r.say(v, "%q is a word of conditions, and cannot be the name of a fact", f.ID)
	}
	if _, known := r.p.Fact(f.ID); known {
		r.say(v, "the fact %s is there already", f.ID)
		return
	}
	r.mark("fact "+f.ID, v)
	r.p.Facts = append(r.p.Facts, f)
}

// nodes reads the key steps: steps, and groups of branches.
func (r *reader) nodes(t *tree.Tree, depth int) (out []Node) {
	list := r.list(t, "steps", maxSteps)
	if len(list) == 0 {
		r.say(t, "steps is missing or empty")
	}
	for _, n := range list {
		group := n.Get("together")
		if group == nil {
			if s := r.step(n); s != nil {
				out = append(out, Node{Step: s})
			}
			continue
		}
		if depth == maxDepth {
			r.say(group, "branches stand within branches %d deep: nobody can follow that", depth+1)
			continue
		}
		var g []Branch
		if !r.keys(n, "a group of branches", "together") {
			continue
		}
		for _, b := range r.list(n, "together", 20) {
			if !r.keys(b, "a branch", "branch", "steps") {
				continue
			}
			name := r.text(b, "branch", maxLine, true)
			r.branches = append(r.branches, name)
			g = append(g, Branch{name, r.nodes(b, depth+1)})
			r.branches = r.branches[:len(r.branches)-1]
		}
		if len(g) < 2 {
			r.say(group, "together has %d branches; with fewer than two, write the steps one behind the other", len(g))
		}
		out = append(out, Node{Together: g})
	}
	return out
}

func (r *reader) step(t *tree.Tree) *Step {
	if !r.keys(t, "a step", "step", "role", "what", "why", "how", "done", "if", "asks", "after", "within", "approve", "action", "evidence", "always") {
		return nil
	}
	v := t.Get("step")
	if v == nil {
		r.say(t, "step is missing: the name by which others refer to it")
		return nil
	}
	s := &Step{ID: r.id(v, "the name of a step"), Role: r.word(t, "role", true, Roles()...), What: r.text(t, "what", maxLine, true),
		Why: r.text(t, "why", 600, true), How: r.text(t, "how", maxText, true), Done: r.text(t, "done", 400, true), If: r.condition(t, "if"),
		Asks: r.ids(t, "asks", "the name of a fact", maxFacts), After: r.ids(t, "after", "the name of a step", maxSteps), Approve: r.word(t, "approve", false, Roles()...),
		Evidence: r.texts(t, "evidence", 30), Always: r.yes(t, "always"), Phase: r.phase, Branches: slices.Clone(r.branches)}
	s.Early = t.Get("after") != nil
	if w := r.text(t, "within", 20, false); w != "" {
		d, err := Span(w)
		if err != nil {
			r.say(t.Get("within"), "within: %v", err)
		}
		s.Within = d
	}
	if a := t.Get("action"); a != nil && r.keys(a, "an action", "do", "with") {
		s.Action = &Action{Do: r.text(a, "do", 60, true)}
		if with := a.Get("with"); with != nil && with.Kind == tree.Map {
			s.Action.With = map[string]string{}
			for _, k := range with.Keys {
				s.Action.With[k.Text] = r.text(with, k.Text, maxText, false)
			}
		} else if with != nil {
			r.say(with, "with is made of keys, each with a colon")
		}
	}
	r.mark("step "+s.ID, v)
	for _, key := range []string{"if", "asks", "after"} {
		if x := t.Get(key); x != nil {
			r.mark(key+" "+s.ID, x)
		}
	}
	switch {
	case r.p.Step(s.ID) != nil:
		r.say(v, "the step %s is there already", s.ID)
	case len(r.p.Steps) == maxSteps:
		r.say(v, "a playbook has at most %d steps", maxSteps)
	default:
		r.p.Steps = append(r.p.Steps, s)
	}
	return s
}

// Span reads how long a step may take: 30m, 4h, 2d.
func Span(s string) (time.Duration, error) {
	units := map[byte]time.Duration{'m': time.Minute, 'h': time.Hour, 'd': 24 * time.Hour}
	if s == "" {
		return 0, fmt.Errorf("write a number with m, h or d behind it, as 30m")
	}
	n, err := strconv.Atoi(s[:len(s)-1])
	unit := units[s[len(s)-1]]
	if err != nil || unit == 0 || n < 1 || n > 200_000 || s[0] == '+' {
		return 0, fmt.Errorf("%q is no time: write a number with m, h or d behind it, as 30m", short(s))
	}
	if d := time.Duration(n) * unit; d <= maxWithin {
		return d, nil
	}
	return 0, fmt.Errorf("%s is longer than 90 days: what is not urgent is a measure, not a step", s)
}

// PrintSpan writes it so that it reads back.
func PrintSpan(d time.Duration) string {
	switch {
	case d%(24*time.Hour) == 0:
		return fmt.Sprintf("%dd", d/(24*time.Hour))
	case d%time.Hour == 0:
		return fmt.Sprintf("%dh", d/time.Hour)
	}
	return fmt.Sprintf("%dm", d/time.Minute)
}
