package dossier

import (
	"cmp"
	"errors"
	"fmt"
	"html"
	"maps"
	"slices"
	"strings"
	"text/template"
	"text/template/parse"
	"time"
)

// Bounds of a shop's own template.
const (
	ownAtMost    = 256 << 10 // bytes of it
	outAtMost    = 16 << 20  // bytes of what it writes
	valueAtMost  = 256 << 10 // bytes of one value that it makes
	makesAtMost  = 1 << 20   // bytes of one before it is made, as they are guessed
	roundsAtMost = 300_000   // of all its loops and templates together; making a value of 1 KiB is one too
)

// A Form says for which format an own template writes, and so how the texts of the document are escaped before the template sees them.
type Form string

const (
	AsHTML     Form = "html"
	AsMarkdown Form = "md"
	AsText     Form = "txt"
)

// An Own is a shop's own template: text/template over a Document. The texts in the document are escaped for its form already, so a template
// cannot show them as markup; it must not put them into a script, a style or an attribute without quotes. What the audience
// may not know is not in the document.
//
// Beside the functions of text/template there are: section ID (a Section by its id, empty when the depth has none), time T (as RFC 3339,
// UTC), join LIST SEPARATOR. The functions html, js and urlquery are not there: all is escaped.
type Own struct {
	name string
	form Form
	t    *template.Template
}

// errRounds ends a template that goes round too often.
var errRounds = errors.New("the template goes round too often: its loops and templates may have 300,000 rounds together, and each KiB that it makes is one")

// ParseOwn reads a template; name is what errors call it. Errors name the line.
func ParseOwn(name, text string, form Form) (*Own, error) {
	if len(text) > ownAtMost {
		return nil, fmt.Errorf("the template %s is too long: %d bytes, at most %d", name, len(text), ownAtMost)
	}
	if form != AsHTML && form != AsMarkdown && form != AsText {
		return nil, fmt.Errorf("the template %s is for %.20q; a template is for html, md or txt", name, form)
	}
	t, err := template.New(name).Option("missingkey=error").Funcs(functions(new(int), func(string) Section { return Section{} })).Parse(text)
	if err != nil {
		return nil, fmt.Errorf("the template cannot be read: %w", err)
	}
	tick, err := template.New("tick").Funcs(template.FuncMap{"tick": func() string { return "" }}).Parse("{{tick}}")
	if err != nil {
		return nil, fmt.Errorf("the template %s cannot be counted: %w", name, err)
	}
	if loop := recursion(t); loop != "" {
		return nil, fmt.Errorf("the template %s calls itself by its template %q: write it without that", name, loop)
	}
	for _, x := range t.Templates() {
		if x.Tree != nil && x.Tree.Root != nil {
			counted(x.Tree.Root, tick.Root.Nodes[0])
			x.Tree.Root.Nodes = append([]parse.Node{tick.Root.Nodes[0]}, x.Tree.Root.Nodes...)
		}
	}
	o := &Own{name: name, form: form, t: t}
	if _, err := o.Render(Assemble(Case{}, Full, Red, time.UTC)); err != nil { // so that a wrong name is told now, not in an emergency
		return nil, err
	}
	return o, nil
}

// recursion returns the name of a template that comes to call itself, "" when none does.
func recursion(t *template.Template) string {
	calls := map[string][]string{}
	for _, x := range t.Templates() {
		if x.Tree != nil {
			visit(x.Tree.Root, func(n parse.Node) {
				if call, ok := n.(*parse.TemplateNode); ok {
					calls[x.Name()] = append(calls[x.Name()], call.Name)
				}
			})
		}
	}
	const under, done = 1, 2
	state := map[string]int{}
	var walk func(name string) string
	walk = func(name string) string {
		switch state[name] {
		case under:
			return name
		case done:
			return ""
		}
		state[name] = under
		for _, to := range calls[name] {
			if loop := walk(to); loop != "" {
				return loop
			}
		}
		state[name] = done
		return ""
	}
	for _, name := range slices.Sorted(maps.Keys(calls)) {
		if loop := walk(name); loop != "" {
			return loop
		}
	}
	return ""
}

// visit calls a func for each step of a template, within branches and loops too.
func visit(n parse.Node, each func(parse.Node)) {
	var parts []*parse.ListNode
	switch n := n.(type) {
	case *parse.ListNode:
		if n != nil {
			for _, x := range n.Nodes {
				visit(x, each)
			}
		}
		return
	case *parse.IfNode:
		parts = []*parse.ListNode{n.List, n.ElseList}
	case *parse.WithNode:
		parts = []*parse.ListNode{n.List, n.ElseList}
	case *parse.RangeNode:
		parts = []*parse.ListNode{n.List, n.ElseList}
	}
	for _, p := range parts {
		visit(p, each)
	}
	each(n)
}

// counted puts a counting step into each loop.
func counted(root *parse.ListNode, tick parse.Node) {
	visit(root, func(n parse.Node) {
		if loop, ok := n.(*parse.RangeNode); ok {
			loop.List.Nodes = append([]parse.Node{tick}, loop.List.Nodes...)
		}
	})
}

// functions are those of a template. Those that make texts are bounded, so that doubling a text again and again ends.
func functions(rounds *int, section func(string) Section) template.FuncMap {
	bounded := func(text string) (string, error) {
		if *rounds += len(text) >> 10; *rounds > roundsAtMost {
			return "", errRounds
		}
		if len(text) > valueAtMost {
			return "", fmt.Errorf("a value that the template makes is too long: %d bytes, at most %d", len(text), valueAtMost)
		}
		return text, nil
	}
	fits := func(bytes int) error { // before a text is made: what is too long is not made to be measured
		if bytes > makesAtMost {
			return fmt.Errorf("a value that the template makes is too long: about %d bytes, at most %d", bytes, valueAtMost)
		}
		return nil
	}
	sizes := func(args []any) (biggest, sum int) {
		for _, a := range args {
			n := 0
			switch a := a.(type) {
			case string:
				n = len(a)
			default:
				n = len(fmt.Sprint(a))
				*rounds += n >> 10
			}
			biggest, sum = max(biggest, n), sum+n
		}
		return biggest, sum
	}
	absent := func(...any) (string, error) {
		return "", errors.New("this function is not there: the texts of the document are escaped already")
	}
	return template.FuncMap{
		"tick": func() (string, error) {
			if *rounds++; *rounds > roundsAtMost {
				return "", errRounds
			}
			return "", nil
		},
		"printf": func(form string, args ...any) (string, error) {
			verbs, wide, err := measured(form)
			biggest, _ := sizes(args)
			if err = cmp.Or(err, fits(len(form)+wide+verbs*biggest)); err != nil {
				return "", err
			}
			return bounded(fmt.Sprintf(form, args...))
		},
		"print": func(args ...any) (string, error) {
			if _, sum := sizes(args); fits(sum) != nil {
				return "", fits(sum)
			}
			return bounded(fmt.Sprint(args...))
		},
		"println": func(args ...any) (string, error) {
			if _, sum := sizes(args); fits(sum) != nil {
				return "", fits(sum)
			}
			return bounded(fmt.Sprintln(args...))
		},
		"join": func(list []string, by string) (string, error) {
			sum := len(by) * len(list)
			for _, x := range list {
				sum += len(x)
			}
			if err := fits(sum); err != nil {
				return "", err
			}
			return bounded(strings.Join(list, by))
		},
		"time":    func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
		"section": section,
		"html":    absent, "js": absent, "urlquery": absent, "call": absent,
	}
}

// measured returns how many verbs a format of printf has, and how wide they make what they write together.
func measured(form string) (verbs, wide int, err error) {
	for rest := form; ; {
		var found bool
		if _, rest, found = strings.Cut(rest, "%"); !found {
			return verbs, wide, nil
		}
		verbs++
		for n := 0; rest != "" && strings.ContainsRune("+-# 0123456789.[]*", rune(rest[0])); rest = rest[1:] {
			switch c := rest[0]; {
			case c == '*':
				return 0, 0, errors.New("a width is written in the format, not as *")
			case c >= '0' && c <= '9':
				n = min(n*10+int(c-'0'), outAtMost)
				wide = min(wide+n, outAtMost)
			default:
				n = 0
			}
		}
		rest = strings.TrimPrefix(rest, "%")
	}
}

// Render writes the document by the template. It does not change the document. Errors name the place in the template.
func (o *Own) Render(d *Document) ([]byte, error) {
	t, err := o.t.Clone()
	if err != nil {
		return nil, fmt.Errorf("the template %s: %w", o.name, err)
	}
	seen := d.escaped(o.form)
	t.Funcs(functions(new(int), func(id string) Section {
		for _, s := range seen.Sections {
			if s.ID == id {
				return s
			}
		}
		return Section{ID: id}
	}))
	out := &bounded{name: o.name}
	if err := t.Execute(out, seen); err != nil {
		return nil, fmt.Errorf("the template cannot be followed: %s", ends(err.Error()))
	}
	return []byte(out.String()), nil
}

// ends keeps the two ends of a long text: of an error, where it is and what is wrong; between them stands as much of the template as there is.
func ends(text string) string {
	if r := []rune(text); len(r) > 340 {
		return string(r[:120]) + " … " + string(r[len(r)-200:])
	}
	return text
}

// A bounded text refuses to grow beyond outAtMost.
type bounded struct {
	strings.Builder
	name string
}

func (b *bounded) Write(p []byte) (int, error) {
	if b.Len()+len(p) > outAtMost {
		return 0, fmt.Errorf("the template %s writes too much: at most %d MiB", b.name, outAtMost>>20)
	}
	return b.Builder.Write(p)
}

// escaped is a copy of the document with each text escaped for a form.
func (d *Document) escaped(form Form) *Document {
	esc := func(text string) string { return text }
	switch form {
	case AsHTML:
		esc = html.EscapeString
	case AsMarkdown:
		esc = markdownText
	}
	each := func(list []string) []string {
		var out []string
		for _, t := range list {
			out = append(out, esc(t))
		}
		return out
	}
	pairs := func(list []Pair) []Pair {
		var out []Pair
		for _, p := range list {
			out = append(out, Pair{esc(p.Name), esc(p.Value)})
		}
		return out
	}
	c := *d
	c.Title, c.Incident, c.Organisation, c.Restricted, c.For, c.Cover = esc(d.Title), esc(d.Incident), esc(d.Organisation), esc(d.Restricted), esc(d.For), pairs(d.Cover)
	c.Sections = nil
	for _, s := range d.Sections {
		n := Section{ID: s.ID, Heading: esc(s.Heading)}
		for _, x := range s.Blocks {
			y := Block{Kind: x.Kind, Text: esc(x.Text), Pairs: pairs(x.Pairs), List: each(x.List), Chart: x.Chart}
			if x.Table != nil {
				y.Table = &Table{}
				for _, col := range x.Table.Columns {
					y.Table.Columns = append(y.Table.Columns, Column{esc(col.Name), col.Width})
				}
				for _, r := range x.Table.Rows {
					y.Table.Rows = append(y.Table.Rows, Row{ID: r.ID, Colour: r.Colour, Cells: each(r.Cells)})
				}
			}
			n.Blocks = append(n.Blocks, y)
		}
		c.Sections = append(c.Sections, n)
	}
	return &c
}
