package playbook

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func smallDiff(t *testing.T, old, new string) []string {
	t.Helper()
	text := strings.Replace(small, "affected = customers and ", "", 1)
	changed := strings.Replace(text, old, new, 1)
	if old != "" && changed == text {
		t.Fatalf("%q is not in it", old)
	}
	var out []string
	for _, c := range Diff(read(t, text), read(t, changed)) {
		s := strings.Join(strings.Fields(fmt.Sprintf("%s %s %s", c.Kind, c.Of, c.ID)), " ")
		if c.Kind == Moved {
			s += fmt.Sprintf(" from %s to %s after %q", c.Was, c.Place, c.After)
		}
		if c.Kind == Changed {
			for _, f := range c.Fields {
				s += fmt.Sprintf(" %s %q->%q", f.Name, f.From, f.To)
			}
		}
		out = append(out, s)
	}
	return out
}

func TestDiff(t *testing.T) {
	tell := "              - {step: tell, role: communications, what: Tell them, why: They ask., how: Write., done: They know., if: severity >= high}\n"
	shut := "              - {step: shut, role: engineer, what: Shut the door, why: They come back., how: Shut it., done: It is shut., approve: commander}\n"
	for name, x := range map[string]struct {
		old, new string
		want     []string
	}{
		"nothing":        {"", "", nil},
		"a title":        {"A small emergency", "A large one", []string{`changed playbook title "A small emergency"->"A large one"`}},
		"a time":         {"within: 30m", "within: 2h", []string{`changed step save within "30m"->"2h"`}},
		"a field more":   {"evidence: [copy], ", "", []string{`changed step save evidence "- copy"->""`}},
		"a step less":    {tell, "", []string{"removed step tell"}},
		"a step more":    {shut, shut + strings.Replace(shut, "step: shut", "step: lock", 1), []string{"added step lock"}},
		"an order":       {shut + tell, tell + shut, []string{`moved step tell from Short-term containment > Stop it to Short-term containment > Stop it (begins this branch) after "save"`, `moved step shut from Short-term containment > Stop it (begins this branch) to Short-term containment > Stop it after "tell"`}},
		"a branch name":  {"branch: Proof", "branch: Evidence", []string{`moved step save from Short-term containment > Proof (begins branches, and this one of them) to Short-term containment > Evidence (begins branches, and this one of them) after "look"`}},
		"a question":     {"of: [yes, no]", "of: [yes, no, old]", []string{`changed fact backup of "- yes\n- no"->"- yes\n- no\n- old"`}},
		"from the start": {", after: []", "", []string{`changed step ask after "from the start"->""`}},
	} {
		t.Run(name, func(t *testing.T) {
			if got := smallDiff(t, x.old, x.new); !slices.Equal(got, x.want) {
				t.Errorf("%q\nwant %q", got, x.want)
			}
		})
	}
}

// redo does to the pieces of a playbook what rows say.
func redo(from []piece, rows []Change) []piece {
	from = slices.Clone(from)
	at := func(of, id string) int {
		return slices.IndexFunc(from, func(p piece) bool { return p.of == of && p.id == id })
	}
	moving := map[string]piece{}
	for _, c := range rows {
		if i := at(c.Of, c.ID); c.Kind == Removed || c.Kind == Moved {
			moving[c.Of+c.ID] = from[i]
			from = slices.Delete(from, i, i+1)
		}
	}
	for _, c := range rows {
		if c.Kind != Added && c.Kind != Moved {
			continue
		}
		p := piece{of: c.Of, id: c.ID, fields: c.Fields}
		if c.Kind == Moved {
			p = moving[c.Of+c.ID]
		}
		p.place = c.Place
		i := at(c.Of, c.After) + 1
		if c.After == "" {
			i = slices.IndexFunc(from, func(p piece) bool { return p.of == c.Of })
			if i < 0 && c.Of == "fact" {
				i = 1
			} else if i < 0 {
				i = len(from)
			}
		}
		from = slices.Insert(from, i, p)
	}
	for _, c := range rows {
		if c.Kind == Changed {
			p := &from[at(c.Of, c.ID)]
			fields := map[string]string{}
			for _, f := range p.fields {
				fields[f.Name] = f.To
			}
			for _, f := range c.Fields {
				fields[f.Name] = f.To
			}
			p.fields = nil
			for _, k := range sorted(fields) {
				p.put(k, fields[k])
			}
		}
	}
	return from
}

// plain is pieces without what follows from the rest: what people know them by, and the order of fields.
func plainly(list []piece) []piece {
	out := slices.Clone(list)
	for i := range out {
		out[i].what, out[i].fields = "", slices.Clone(out[i].fields)
		slices.SortFunc(out[i].fields, func(a, b FieldChange) int { return strings.Compare(a.Name, b.Name) })
	}
	return out
}

// TestDiffExplainsEverything: a playbook to which is done what the rows say is the other one; and those without rows are printed as the same file.
func TestDiffExplainsEverything(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		a := drawBook(rt, "a")
		b := drawBook(rt, "b")
		if rapid.Bool().Draw(rt, "same") {
			b = a
		}
		rows := Diff(a, b)
		if got, want := plainly(redo(a.pieces(), rows)), plainly(b.pieces()); !reflect.DeepEqual(got, want) {
			rt.Fatalf("%s\nbecomes\n%s\nnot by\n%+v\nbut to\n%+v\nwant\n%+v", a.Print(), b.Print(), rows, got, want)
		}
		if same := string(a.Print()) == string(b.Print()); same != (len(rows) == 0) {
			rt.Fatalf("%s\nand\n%s\nhave %d differences", a.Print(), b.Print(), len(rows))
		}
	})
}

// drawBook makes a playbook of a few names, so that two of them have much in common. It need not make sense.
func drawBook(rt *rapid.T, name string) *Playbook {
	word := rapid.SampledFrom([]string{"a", "b", "a\n- b", ""})
	list := rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b", "a\n- b", "a\n  b"}), 0, 3)
	steps := rapid.Permutation([]string{"s1", "s2", "s3", "s4", "s5", "s6"}).Draw(rt, name)
	steps = steps[:rapid.IntRange(1, 6).Draw(rt, "steps")]
	p := &Playbook{ID: "x", Title: word.Draw(rt, "title"), Signs: list.Draw(rt, "signs"), Suggest: Suggest{Titles: list.Draw(rt, "titles")}, Review: rapid.IntRange(1, 2).Draw(rt, "review")}
	for _, f := range rapid.Permutation([]string{"f1", "f2", "f3"}).Draw(rt, "facts")[:rapid.IntRange(0, 3).Draw(rt, "n")] {
		p.Facts = append(p.Facts, Fact{ID: f, Ask: word.Draw(rt, "ask"), Of: list.Draw(rt, "of")})
	}
	step := func() Node {
		s := &Step{ID: steps[0], What: word.Draw(rt, "what"), After: nil, Evidence: list.Draw(rt, "evidence"), Always: rapid.Bool().Draw(rt, "always"),
			Early: rapid.Bool().Draw(rt, "early"), Within: time.Duration(rapid.IntRange(0, 2).Draw(rt, "within")) * time.Hour}
		if s.Early {
			s.After = list.Draw(rt, "after")
		}
		if rapid.Bool().Draw(rt, "action") {
			s.Action = &Action{Do: "x", With: map[string]string{"k": word.Draw(rt, "with")}}
		}
		steps = steps[1:]
		return Node{Step: s}
	}
	var nodes func(depth int) []Node
	nodes = func(depth int) (out []Node) {
		for len(steps) > 0 && (len(out) == 0 || rapid.IntRange(0, 2).Draw(rt, "more") > 0) {
			if depth < 2 && len(steps) > 1 && rapid.Bool().Draw(rt, "together") {
				n := Node{}
				for len(steps) > 0 && len(n.Together) < 3 {
					n.Together = append(n.Together, Branch{rapid.SampledFrom([]string{"A", "B", "A > B", "A (begins this branch)"}).Draw(rt, "branch"), nodes(depth + 1)})
				}
				out = append(out, n)
			} else {
				out = append(out, step())
			}
		}
		return out
	}
	for _, f := range []string{Identification, Recovery} {
		if len(steps) > 0 {
			p.Phases = append(p.Phases, Phase{f, nodes(0)})
		}
	}
	return p
}
