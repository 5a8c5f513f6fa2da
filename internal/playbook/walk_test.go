package playbook

import (
	"fmt"
	"math/rand/v2"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"tocsin/internal/entry"
)

var t0 = time.Date(2026, 11, 28, 3, 0, 0, 0, time.UTC)

// TestWalks: of random playbooks and random walks through them, against a small model: no step is lost, none is done twice, every run
// ends or says what it waits for, and a replay of the entries gives the same.
func TestWalks(t *testing.T) {
	walks := 300
	if os.Getenv("TOCSIN_SOAK") != "" {
		walks = 100_000
	}
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	taken, over, steps := 0, 0, 0
	for i := range uint64(walks) {
		w := &walk{rng: rand.New(rand.NewPCG(seed, i)), now: t0}
		text := w.invent()
		p, findings := Read("random.yaml", text)
		if p == nil {
			for _, f := range findings {
				if !f.Warning && !slices.ContainsFunc([]string{"can never be needed", "no answers make", "holds before anything"}, func(x string) bool { return strings.Contains(f.Says, x) }) {
					t.Fatalf("walk %d: %v\n%s", i, findings, text)
				}
			}
			continue
		}
		taken++
		w.p = p
		if err := w.run(); err != nil {
			t.Fatalf("seed %d, walk %d: %v\n%s", seed, i, err, text)
		}
		steps += w.done
		if w.runs.All[0].Over() {
			over++
		}
	}
	t.Logf("%d playbooks, %d runs over, %d steps done", taken, over, steps)
	if taken < walks/4 || over < taken/4 || steps < taken {
		t.Error("the walks show too little")
	}
}

// A walk works through one random playbook.
type walk struct {
	rng     *rand.Rand
	p       *Playbook
	runs    *Runs
	now     time.Time
	entries []entry.Entry
	done    int
}

func (w *walk) pick(of ...string) string { return of[w.rng.IntN(len(of))] }

// invent writes a playbook whose conditions read what is asked before.
func (w *walk) invent() []byte {
	p := &Playbook{ID: "random", Title: "Random", Summary: "Made by chance.", Owner: "commander", Review: 90}
	for i := range w.rng.IntN(4) {
		f := Fact{ID: fmt.Sprintf("fact-%d", i), Ask: "What?"}
		for j := range 2 + w.rng.IntN(2) {
			f.Of = append(f.Of, fmt.Sprintf("v%d", j))
		}
		p.Facts = append(p.Facts, f)
	}
	var asked []string
	n := 0
	var nodes func(depth, most int) []Node
	nodes = func(depth, most int) (out []Node) {
		for range 1 + w.rng.IntN(most) {
			if depth < 2 && w.rng.IntN(4) == 0 {
				var g []Branch
				all := asked
				for b := range 2 + w.rng.IntN(2) {
					asked = slices.Clone(all) // branches do not see what the others ask
					g = append(g, Branch{fmt.Sprintf("branch %d", b), nodes(depth+1, 2)})
				}
				asked = all
				out = append(out, Node{Together: g})
				continue
			}
			s := &Step{ID: fmt.Sprintf("s%d", n), Role: w.pick(Roles()...), What: "Do it", Why: "It helps.", How: "So.", Done: "It is done."}
			n++
			if w.rng.IntN(3) == 0 {
				s.If, _ = ParseCondition(w.condition(p, asked))
			}
			if w.rng.IntN(8) == 0 {
				s.Approve = w.pick(Roles()...)
			}
			if w.rng.IntN(4) == 0 {
				s.Within = time.Duration(1+w.rng.IntN(100)) * time.Minute
			}
			s.Always = w.rng.IntN(10) == 0
			for _, f := range append(p.Facts, Fact{ID: Affected}, Fact{ID: Verdict}) {
				if w.rng.IntN(4) == 0 {
					s.Asks = append(s.Asks, f.ID)
					asked = append(asked, f.ID)
				}
			}
			out = append(out, Node{Step: s})
		}
		return out
	}
	for _, name := range Phases() {
		if w.rng.IntN(2) == 0 || len(p.Phases) == 0 && name == Lessons {
			p.Phases = append(p.Phases, Phase{name, nodes(0, 3)})
		}
	}
	if slices.Contains(asked, Verdict) && w.rng.IntN(2) == 0 {
		p.Ends, _ = ParseCondition("verdict = false-alarm")
	}
	return p.Print()
}

func (w *walk) condition(p *Playbook, asked []string) string {
	if len(asked) == 0 || w.rng.IntN(4) == 0 {
		return "severity " + w.pick("=", "!=", "<", ">=") + " " + w.pick("medium", "high")
	}
	id := w.pick(asked...)
	f, _ := p.Fact(id)
	c := id + w.pick(" = ", " != ") + w.pick(f.Of...)
	if w.rng.IntN(3) == 0 {
		c = w.pick("not ", "") + "(" + c + w.pick(" and ", " or ") + w.condition(p, asked) + ")"
	}
	return c
}

// write folds a draft, as the ledger would.
func (w *walk) write(d entry.Draft, err error) error {
	if err != nil {
		return err
	}
	w.now = w.now.Add(time.Duration(w.rng.IntN(20)) * time.Minute)
	e, _, err := entry.Make(int64(len(w.entries))+1, w.now, d)
	if err != nil {
		return err
	}
	w.entries = append(w.entries, e)
	_, err = w.runs.Apply(e)
	return err
}

func (w *walk) fresh() *Runs {
	return &Runs{Text: func(revision string) *Playbook {
		if revision == "r1" {
			return w.p
		}
		return nil
	}}
}

func (w *walk) run() error {
	w.runs = w.fresh()
	if err := w.write(entry.Draft{Actor: "desk", Kind: entry.IncidentOpened, Subject: "incident:1", Body: entry.Opened{ID: 1, Severity: w.pick(Severities()...)}}, nil); err != nil {
		return err
	}
	if err := w.write(w.runs.Put("desk", entry.Playbook{ID: "random", Revision: "r1", Vault: "v1", From: "shipped"})); err != nil {
		return err
	}
	d, id, err := w.runs.Begin("person:anna", 1, "random", "chosen")
	if err := w.write(d, err); err != nil {
		return err
	}
	r := w.runs.All[id-1]
	for range 4 * len(w.p.Steps) {
		if err := w.agrees(r); err != nil {
			return err
		}
		if len(r.Open(w.now)) == 0 {
			break
		}
		if err := w.act(r); err != nil {
			return err
		}
	}
	if err := w.agrees(r); err != nil {
		return err
	}
	if waits := r.Waits(w.now); r.Over() != (len(waits) == 0) {
		return fmt.Errorf("over: %v, and it waits for %q", r.Over(), waits)
	}
	again := w.fresh()
	for _, e := range w.entries {
		if _, err := again.Apply(e); err != nil {
			return err
		}
	}
	if a, b := r.Look(w.now), again.All[0].Look(w.now); !reflect.DeepEqual(a, b) {
		return fmt.Errorf("a replay gives %+v; it was %+v", b, a)
	}
	return nil
}

// act does one thing by chance, and sees that what must be refused is refused.
func (w *walk) act(r *Run) error {
	open := r.Open(w.now)
	s := open[w.rng.IntN(len(open))]
	person := w.pick("anna", "boris", "carla")
	switch w.rng.IntN(12) {
	case 0:
		if err := w.write(w.runs.Skip("person:"+person, r.ID, s.ID, person, "v9")); err != nil {
			return err
		}
		return w.refused(w.runs.Skip("person:"+person, r.ID, s.ID, person, "v9"))
	case 1:
		return w.write(entry.Draft{Actor: "desk", Kind: entry.IncidentSeverity, Subject: "incident:1", Body: entry.Severity{ID: 1, To: w.pick(Severities()...)}}, nil)
	case 2:
		for _, x := range r.Look(w.now) {
			if x.Mark.Settled != "" && w.rng.IntN(3) == 0 {
				return w.write(w.runs.Reopen("person:"+person, r.ID, x.ID, person, "v9"))
			}
		}
	case 3:
		for _, f := range append(slices.Clone(w.p.Facts), Fact{ID: Affected, Of: []string{"customers", "site-only"}}) {
			v := w.pick(f.Of...)
			if r.Answer(f.ID).Value != v && w.rng.IntN(3) == 0 {
				return w.write(w.runs.Say("person:"+person, entry.Fact{Run: r.ID, Fact: f.ID, Value: v, Person: person, Why: "v9"}))
			}
		}
	case 4:
		if s.Person != person {
			return w.write(w.runs.Take("person:"+person, entry.StepWork{Run: r.ID, Step: s.ID, Person: person}, s.Person))
		}
		return w.refused(w.runs.Take("person:"+person, entry.StepWork{Run: r.ID, Step: s.ID, Person: person}, s.Person))
	}
	if s.Approval != "" {
		if err := w.refused(w.runs.Finish("person:"+person, entry.StepResult{Run: r.ID, Step: s.ID, Person: person, Answers: w.answers(r, s)})); err != nil {
			return err
		}
		switch {
		case s.Person == "dora":
			return w.refused(w.runs.Approve("person:dora", entry.StepWork{Run: r.ID, Step: s.ID, Person: "dora", Role: s.Approval}))
		case w.rng.IntN(6) == 0:
			return w.write(w.runs.Deny("person:dora", r.ID, s.ID, "dora", s.Approval, "v9"))
		}
		return w.write(w.runs.Approve("person:dora", entry.StepWork{Run: r.ID, Step: s.ID, Person: "dora", Role: s.Approval}))
	}
	if s.Approve != "" {
		if err := w.refused(w.runs.Finish("person:dora", entry.StepResult{Run: r.ID, Step: s.ID, Person: "dora", Answers: w.answers(r, s)})); err != nil {
			return err
		}
	}
	for _, f := range s.Asks {
		if len(s.Asks) == 1 && r.Answer(f).Value == "" {
			if err := w.refused(w.runs.Finish("person:"+person, entry.StepResult{Run: r.ID, Step: s.ID, Person: person})); err != nil {
				return err
			}
		}
	}
	result := entry.StepResult{Run: r.ID, Step: s.ID, Person: person, Answers: w.answers(r, s)}
	if err := w.write(w.runs.Finish("person:"+person, result)); err != nil {
		return err
	}
	w.done++
	return w.refused(w.runs.Finish("person:"+person, result))
}

// answers are those that stand, and others by chance.
func (w *walk) answers(r *Run, s Status) (out []entry.Fact) {
	for _, id := range s.Asks {
		f, _ := w.p.Fact(id)
		value := r.Answer(id).Value
		if value == "" {
			value = w.pick(f.Of...)
		}
		out = append(out, entry.Fact{Fact: id, Value: value})
	}
	return out
}

func (w *walk) refused(_ entry.Draft, err error) error {
	if err == nil {
		return fmt.Errorf("what must be refused was taken")
	}
	return nil
}

// agrees holds a run against the model: every step is exactly where a plain reading of the entries puts it.
func (w *walk) agrees(r *Run) error {
	model := w.model()
	got := r.Look(w.now)
	if len(got) != len(w.p.Steps) {
		return fmt.Errorf("%d of %d steps are shown", len(got), len(w.p.Steps))
	}
	for _, s := range got {
		if want := model[s.ID]; s.State != want {
			return fmt.Errorf("%s is %q; the model says %q", s.ID, s.State, want)
		}
		if (s.State == Ready || s.State == Taken) && s.Since.IsZero() {
			return fmt.Errorf("%s is %s since never", s.ID, s.State)
		}
	}
	return nil
}

// model reads the entries from the start, and goes around until nothing changes.
func (w *walk) model() map[string]string {
	settled, taken, answers := map[string]string{}, map[string]bool{}, map[string]string{}
	for _, e := range w.entries {
		switch e.Kind {
		case entry.IncidentOpened:
			x, _ := entry.Body[entry.Opened](e)
			answers[Severity] = x.Severity
		case entry.IncidentSeverity:
			x, _ := entry.Body[entry.Severity](e)
			answers[Severity] = x.To
		case entry.FactAnswered:
			x, _ := entry.Body[entry.Fact](e)
			answers[x.Fact] = x.Value
		case entry.StepDone:
			x, _ := entry.Body[entry.StepResult](e)
			settled[x.Step] = Done
			for _, a := range x.Answers {
				answers[a.Fact] = a.Value
			}
		case entry.StepTaken, entry.StepSkipped, entry.StepDenied, entry.StepReopened:
			x, _ := entry.Body[entry.StepWork](e)
			switch e.Kind {
			case entry.StepTaken:
				taken[x.Step] = true
			case entry.StepSkipped:
				settled[x.Step] = Skipped
			case entry.StepDenied:
				settled[x.Step] = Denied
			case entry.StepReopened:
				delete(settled, x.Step)
				delete(taken, x.Step)
			}
		}
	}
	answer := func(f string) string { return answers[f] }
	state := map[string]string{}
	for changed := true; changed; {
		changed = false
		for _, s := range w.p.Steps {
			now := Waiting
			free := !slices.ContainsFunc(s.Before, func(b int) bool {
				x := state[w.p.Steps[b].ID]
				return x == "" || x == Waiting || x == Ready || x == Taken
			})
			switch {
			case settled[s.ID] != "":
				now = settled[s.ID]
			case !w.p.Ends.Always() && w.p.Ends.Holds(answer) && !s.Always:
				now = NotNeeded
			case free && !s.If.Holds(answer):
				now = NotNeeded
			case free && taken[s.ID]:
				now = Taken
			case free:
				now = Ready
			}
			if state[s.ID] != now {
				state[s.ID], changed = now, true
			}
		}
	}
	return state
}
