package playbook

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// The differences of two revisions, as people look at them before they approve: by steps and fields, not by lines of a file. No difference is left
// unexplained: who takes the older revision and does what the rows say has the newer one (TestDiffExplainsEverything holds it to that).

// Kinds of a change.
const (
	Added   = "added"
	Removed = "removed"
	Moved   = "moved"
	Changed = "changed"
)

// A Change is one row of the differences.
type Change struct {
	Kind   string
	Of     string        // playbook, fact, step
	ID     string        // of the fact or step; "" of the playbook itself
	What   string        // what people know it by
	Place  string        // of a step that is added or moved: where it stands now
	Was    string        // and where it stood
	After  string        // of what is added or moved: the id of the one before it, "" is the first
	Fields []FieldChange // of what was changed; of what is added or removed, all of it
}

// A FieldChange is a field with the text it had and has; "" is none. A list has a line for each of its parts.
type FieldChange struct{ Name, From, To string }

// Diff says how b differs from a, in the order of b; what was removed comes first.
func Diff(a, b *Playbook) (out []Change) {
	before, after := a.pieces(), b.pieces()
	for _, of := range []string{"playbook", "fact", "step"} {
		only := func(all []piece) []piece {
			return slices.DeleteFunc(slices.Clone(all), func(p piece) bool { return p.of != of })
		}
		out = append(out, compare(only(before), only(after))...)
	}
	return out
}

// A piece is a part of a playbook that has a name: itself, a fact, a step.
type piece struct {
	of, id, what string
	place        string
	fields       []FieldChange // with To alone
}

func (p *piece) put(name, value string) {
	if value != "" {
		p.fields = append(p.fields, FieldChange{Name: name, To: value})
	}
}

// field returns the value of one.
func (p *piece) field(name string) string {
	for _, f := range p.fields {
		if f.Name == name {
			return f.To
		}
	}
	return ""
}

// compare says how one list of pieces becomes another.
func compare(before, after []piece) (out []Change) {
	at := func(list []piece, id string) int {
		return slices.IndexFunc(list, func(p piece) bool { return p.id == id })
	}
	for _, p := range before {
		if at(after, p.id) < 0 {
			c := Change{Kind: Removed, Of: p.of, ID: p.id, What: p.what, Was: p.place}
			for _, f := range p.fields {
				c.Fields = append(c.Fields, FieldChange{f.Name, f.To, ""})
			}
			out = append(out, c)
		}
	}
	var order []int // of what is in both: places in before, in the order of after
	for _, p := range after {
		if i := at(before, p.id); i >= 0 {
			order = append(order, i)
		}
	}
	stays := map[int]bool{}
	for _, i := range ascending(order) {
		stays[i] = true
	}
	last := ""
	for _, p := range after {
		i := at(before, p.id)
		switch {
		case i < 0:
			out = append(out, Change{Kind: Added, Of: p.of, ID: p.id, What: p.what, Place: p.place, After: last, Fields: p.fields})
		default:
			o := before[i]
			if !stays[i] || o.place != p.place {
				out = append(out, Change{Kind: Moved, Of: p.of, ID: p.id, What: p.what, Place: p.place, Was: o.place, After: last})
			}
			if fields := p.differs(o); len(fields) > 0 {
				out = append(out, Change{Kind: Changed, Of: p.of, ID: p.id, What: p.what, Fields: fields})
			}
		}
		last = p.id
	}
	return out
}

// differs lists the fields that a piece has otherwise than before, in its order; those that it has no more come last.
func (p *piece) differs(from piece) (out []FieldChange) {
	for _, f := range p.fields {
		if was := from.field(f.Name); was != f.To {
			out = append(out, FieldChange{f.Name, was, f.To})
		}
	}
	for _, f := range from.fields {
		if p.field(f.Name) == "" {
			out = append(out, FieldChange{f.Name, f.To, ""})
		}
	}
	return out
}

// ascending returns the longest part of a list that ascends: what need not be moved.
func ascending(list []int) []int {
	best, from := make([]int, len(list)), make([]int, len(list))
	end := -1
	for i, x := range list {
		best[i], from[i] = 1, -1
		for j, y := range list[:i] {
			if y < x && best[j]+1 > best[i] {
				best[i], from[i] = best[j]+1, j
			}
		}
		if end < 0 || best[i] > best[end] {
			end = i
		}
	}
	var out []int
	for ; end >= 0; end = from[end] {
		out = append(out, list[end])
	}
	return out
}

// pieces takes a playbook apart. Two playbooks with the same pieces are printed as the same file.
func (p *Playbook) pieces() []piece {
	whole := piece{of: "playbook", what: p.Title}
	for _, f := range []FieldChange{{"playbook", "", p.ID}, {"title", "", p.Title}, {"summary", "", p.Summary}, {"signs", "", lines(p.Signs)}, {"suggest techniques", "", lines(p.Suggest.Techniques)},
		{"suggest rules", "", lines(p.Suggest.Rules)}, {"suggest titles", "", lines(p.Suggest.Titles)}, {"owner", "", p.Owner}, {"review", "", strconv.Itoa(p.Review)},
		{"severity", "", p.Severity}, {"ends", "", p.Ends.String()}} {
		whole.put(f.Name, f.To)
	}
	for _, s := range slices.Backward(Severities()) {
		whole.put("criteria "+s, p.Criteria[s])
	}
	if f := p.Foreign; f != nil { // an export is that file, so who agrees sees that it is another one
		whole.put("cacao", fmt.Sprintf("the file that it was made of: %d bytes, SHA-256 %x, of a playbook with SHA-256 %s", len(f.Source), sha256.Sum256([]byte(f.Source)), f.Mapped))
	}
	out := []piece{whole}
	for _, f := range p.Facts {
		x := piece{of: "fact", id: f.ID, what: f.Ask}
		x.put("ask", f.Ask)
		x.put("of", lines(f.Of))
		out = append(out, x)
	}
	for _, f := range p.Phases {
		out = stepPieces(out, f.Nodes, PhaseWord(f.Name), "")
	}
	return out
}

// stepPieces adds the steps of nodes. opens is what begins with the first of them: the branches in which it stands may begin with it, and the group of them.
func stepPieces(out []piece, nodes []Node, place, opens string) []piece {
	for _, n := range nodes {
		if n.Step != nil {
			x := n.Step.piece()
			if x.place = place; opens != "" {
				x.place += " (" + opens + ")"
			}
			out, opens = append(out, x), ""
			continue
		}
		for i, b := range n.Together {
			begins := "begins this branch"
			if i == 0 {
				begins = "begins branches, and this one of them"
			}
			if opens != "" {
				begins, opens = opens+"; "+begins, ""
			}
			out = stepPieces(out, b.Nodes, place+" > "+branchName(b.Name), begins)
		}
	}
	return out
}

// branchName is a branch's name as a place has it: one that could be taken for more than a name is quoted.
func branchName(s string) string {
	if strings.ContainsAny(s, `>("`) {
		return strconv.Quote(s)
	}
	return s
}

func (s *Step) piece() piece {
	x := piece{of: "step", id: s.ID, what: s.What}
	within := ""
	if s.Within > 0 {
		within = PrintSpan(s.Within)
	}
	after := lines(s.After)
	if s.Early && after == "" {
		after = "from the start"
	}
	always := ""
	if s.Always {
		always = "true"
	}
	for _, f := range []FieldChange{{"role", "", s.Role}, {"what", "", s.What}, {"why", "", s.Why}, {"how", "", s.How}, {"done", "", s.Done}, {"if", "", s.If.String()}, {"asks", "", lines(s.Asks)},
		{"after", "", after}, {"within", "", within}, {"approve", "", s.Approve}, {"evidence", "", lines(s.Evidence)}, {"always", "", always}} {
		x.put(f.Name, f.To)
	}
	if s.Action != nil {
		x.put("action", s.Action.Do)
		for _, k := range sorted(s.Action.With) {
			x.put("action with "+k, fmt.Sprintf("%q", s.Action.With[k]))
		}
	}
	return x
}

// lines writes a list so that it can be read back: a line for each part, further lines of a part indented.
func lines(list []string) string {
	var out []string
	for _, s := range list {
		out = append(out, "- "+strings.ReplaceAll(s, "\n", "\n  "))
	}
	return strings.Join(out, "\n")
}
