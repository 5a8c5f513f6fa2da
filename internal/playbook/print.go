package playbook

import (
	"slices"
	"strconv"

	"tocsin/internal/tree"
)

// Print writes a playbook as the file that reads back as it.
func (p *Playbook) Print() []byte {
	t := p.print()
	if f := p.Foreign; f != nil {
		m := newMap()
		m.put("mapped", f.Mapped)
		m.put("source", f.Source)
		t.add("cacao", m.t)
	}
	return []byte(t.t.Print())
}

// Own writes it without the foreign file that it keeps.
func (p *Playbook) Own() []byte { return []byte(p.print().t.Print()) }

func (p *Playbook) print() printing {
	t := newMap()
	t.put("playbook", p.ID)
	t.put("title", p.Title)
	t.put("summary", p.Summary)
	t.list("signs", p.Signs)
	if s := p.Suggest; len(s.Techniques)+len(s.Rules)+len(s.Titles) > 0 {
		m := newMap()
		m.list("techniques", s.Techniques)
		m.list("rules", s.Rules)
		m.list("titles", s.Titles)
		t.add("suggest", m.t)
	}
	t.put("owner", p.Owner)
	t.add("review", &tree.Tree{Kind: tree.Number, Text: strconv.Itoa(p.Review)})
	t.put("severity", p.Severity)
	if len(p.Criteria) > 0 {
		m := newMap()
		for _, s := range slices.Backward(Severities()) {
			m.put(s, p.Criteria[s])
		}
		t.add("criteria", m.t)
	}
	var facts []*tree.Tree
	for _, f := range p.Facts {
		m := newMap()
		m.put("fact", f.ID)
		m.put("ask", f.Ask)
		m.list("of", f.Of)
		facts = append(facts, m.t)
	}
	t.all("facts", facts)
	t.put("ends", p.Ends.String())
	phases := []*tree.Tree{}
	for _, f := range p.Phases {
		m := newMap()
		m.put("phase", f.Name)
		m.all("steps", printNodes(f.Nodes))
		phases = append(phases, m.t)
	}
	t.add("phases", &tree.Tree{Kind: tree.List, Values: phases})
	return t
}

func printNodes(nodes []Node) (out []*tree.Tree) {
	for _, n := range nodes {
		if n.Step != nil {
			out = append(out, printStep(n.Step))
			continue
		}
		var branches []*tree.Tree
		for _, b := range n.Together {
			m := newMap()
			m.put("branch", b.Name)
			m.all("steps", printNodes(b.Nodes))
			branches = append(branches, m.t)
		}
		m := newMap()
		m.all("together", branches)
		out = append(out, m.t)
	}
	return out
}

func printStep(s *Step) *tree.Tree {
	m := newMap()
	m.put("step", s.ID)
	m.put("role", s.Role)
	m.put("what", s.What)
	m.put("why", s.Why)
	m.put("how", s.How)
	m.put("done", s.Done)
	m.put("if", s.If.String())
	m.list("asks", s.Asks)
	if s.Early {
		m.add("after", texts(s.After))
	}
	if s.Within > 0 {
		m.put("within", PrintSpan(s.Within))
	}
	m.put("approve", s.Approve)
	if s.Action != nil {
		a := newMap()
		a.put("do", s.Action.Do)
		if len(s.Action.With) > 0 {
			w := newMap()
			for _, k := range sorted(s.Action.With) {
				w.add(k, &tree.Tree{Kind: tree.Text, Text: s.Action.With[k]})
			}
			a.add("with", w.t)
		}
		m.add("action", a.t)
	}
	m.list("evidence", s.Evidence)
	if s.Always {
		m.add("always", &tree.Tree{Kind: tree.Bool, Text: "true"})
	}
	return m.t
}

// A printing is a map that is being written.
type printing struct{ t *tree.Tree }

func newMap() printing { return printing{&tree.Tree{Kind: tree.Map}} }

func (m printing) add(key string, v *tree.Tree) {
	m.t.Keys = append(m.t.Keys, &tree.Tree{Kind: tree.Text, Text: key})
	m.t.Values = append(m.t.Values, v)
}

// put adds a text that is there.
func (m printing) put(key, s string) {
	if s != "" {
		m.add(key, &tree.Tree{Kind: tree.Text, Text: s})
	}
}

// list adds texts, if there are any.
func (m printing) list(key string, of []string) {
	if len(of) > 0 {
		m.add(key, texts(of))
	}
}

func (m printing) all(key string, of []*tree.Tree) {
	if len(of) > 0 {
		m.add(key, &tree.Tree{Kind: tree.List, Values: of})
	}
}

func texts(of []string) *tree.Tree {
	t := &tree.Tree{Kind: tree.List}
	for _, s := range of {
		t.Values = append(t.Values, &tree.Tree{Kind: tree.Text, Text: s})
	}
	return t
}

func sorted(m map[string]string) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}
