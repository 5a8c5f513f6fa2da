package playbook

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"tocsin/internal/entry"
)

// readShipped reads the playbooks of the plan once for all tests, and says what is wrong with them.
var readShipped = sync.OnceValues(func() (out []*Playbook, wrong []string) {
	files, err := filepath.Glob("../../plan/playbooks/*.yaml")
	if err != nil || len(files) == 0 {
		return nil, []string{fmt.Sprintf("there are no playbooks in plan/playbooks (%v)", err)}
	}
	for _, f := range files {
		data, err := os.ReadFile(f)
		if err != nil {
			return nil, []string{err.Error()}
		}
		p, findings := Read(filepath.Base(f), data)
		for _, x := range findings {
			wrong = append(wrong, x.String())
		}
		if p == nil {
			continue
		}
		if p.ID+".yaml" != filepath.Base(f) {
			wrong = append(wrong, fmt.Sprintf("%s holds the playbook %s", f, p.ID))
		}
		out = append(out, p)
	}
	return out, wrong
})

func shipped(t testing.TB) []*Playbook {
	t.Helper()
	out, wrong := readShipped()
	for _, w := range wrong {
		t.Error(w)
	}
	return out
}

// kinds are the emergencies that the plan has a playbook for.
var kinds = strings.Fields(`admin-account card-testing customer-accounts data-leak database-content denial-of-service false-alarm insider-export lost-device
	ransomware skimmer supplier web-shell`)

// actions are those that plan/actions.txt names.
func actions(t testing.TB) []string {
	t.Helper()
	text, err := os.ReadFile("../../plan/actions.txt")
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for l := range strings.Lines(string(text)) {
		if f := strings.Fields(l); len(f) > 2 && f[0] != "#" {
			out = append(out, f[0])
		} else if len(f) > 0 && f[0] != "#" {
			t.Errorf("plan/actions.txt: %q does not say what it does", strings.TrimSpace(l))
		}
	}
	return out
}

// TestShippedPlaybooks: each does what every playbook of the plan must do, whatever the emergency.
func TestShippedPlaybooks(t *testing.T) {
	known := actions(t)
	if !slices.IsSorted(known) {
		t.Error("plan/actions.txt is not in the order of the names")
	}
	used := map[string]bool{}
	var ids []string
	for _, p := range shipped(t) {
		ids = append(ids, p.ID)
		t.Run(p.ID, func(t *testing.T) {
			if n := len(p.Steps); n < 15 || n > 40 {
				t.Errorf("%d steps", n)
			}
			var roles, phases, done []string
			asks := map[string]int{}
			for i, s := range p.Steps {
				roles, phases = append(roles, s.Role), append(phases, s.Phase)
				if s.Action != nil {
					done, used[s.Action.Do] = append(done, s.Action.Do), true
				}
				for _, f := range s.Asks {
					if _, twice := asks[f]; !twice {
						asks[f] = i
					}
				}
			}
			for _, r := range Roles() {
				if !slices.Contains(roles, r) {
					t.Errorf("nobody of the role %s has a step", r)
				}
			}
			for _, f := range Phases() {
				if !slices.Contains(phases, f) {
					t.Errorf("no step stands in the phase %s", f)
				}
			}
			for _, want := range []string{"duties.assess", "monitor.recurrence", "updates.send"} {
				if !slices.Contains(done, want) {
					t.Errorf("no step has the action %s", want)
				}
			}
			if i, ok := asks[Verdict]; !ok || i > 2 {
				t.Errorf("whether it is real is asked at step %d", i)
			}
			if i, ok := asks[Affected]; !ok || i > 4 || p.Steps[i].Phase != Identification {
				t.Errorf("whom it touches is asked at step %d", i)
			}
			for _, f := range p.Facts {
				if _, ok := asks[f.ID]; !ok {
					t.Errorf("nobody asks %s", f.ID)
				}
			}
			end := map[string]string{Verdict: "false-alarm"}
			if p.ID == "false-alarm" {
				end[Verdict] = "real"
			}
			if !p.Ends.Holds(func(f string) string { return end[f] }) {
				t.Errorf("it does not end when the verdict is %s", end[Verdict])
			}
			if !slices.ContainsFunc(p.Steps, func(s *Step) bool { return s.Always && s.Phase == Lessons }) {
				t.Error("nothing of the lessons stays when it ends")
			}
			if !slices.ContainsFunc(p.Steps, func(s *Step) bool { return len(s.Branches) > 0 }) {
				t.Error("nothing is done at the same time")
			}
			if !slices.ContainsFunc(p.Steps, func(s *Step) bool { return s.Approve != "" }) {
				t.Error("nothing needs a second person")
			}
			waited := map[int]bool{}
			for _, s := range p.Steps {
				for _, b := range s.Before {
					waited[b] = true
				}
			}
			for i, s := range p.Steps[:len(p.Steps)-1] {
				if !waited[i] {
					t.Errorf("nothing waits for %s: the last step could be done before it", s.ID)
				}
			}
			for _, s := range p.Steps {
				if s.Action != nil && slices.Contains([]string{"contain.maintenance-page", "backup.restore", "mailing.prepare"}, s.Action.Do) && s.Approve == "" {
					t.Errorf("%s is done without a second person", s.ID)
				}
			}
			if len(p.Criteria) != len(Severities()) || p.Severity == "" || len(p.Signs) < 3 {
				t.Error("signs, severity or its criteria are missing")
			}
			for _, f := range p.Unbuilt(p.ID, known) {
				t.Error(f)
			}
		})
	}
	if !slices.Equal(ids, kinds) {
		t.Errorf("the plan has %v; want %v", ids, kinds)
	}
	for _, a := range known {
		if !used[a] {
			t.Errorf("no playbook uses the action %s", a)
		}
	}
}

// TestShippedWords: the texts are short enough to be followed at night. Commands are let be long.
func TestShippedWords(t *testing.T) {
	numbered := regexp.MustCompile(`^(\d+)\. (\S.*)$`)
	for _, p := range shipped(t) {
		for _, s := range p.Steps {
			bad := func(format string, args ...any) { t.Errorf("%s, %s: %s", p.ID, s.ID, fmt.Sprintf(format, args...)) }
			if n := utf8.RuneCountInString(s.What); n > 75 || strings.HasSuffix(s.What, ".") {
				bad("what is a heading, and has %d characters", n)
			}
			if n := utf8.RuneCountInString(s.Why); n > 200 {
				bad("why has %d characters", n)
			}
			if !strings.ContainsRune(".?!", rune(s.Done[len(s.Done)-1])) {
				bad("done is no sentence: %q", s.Done)
			}
			lines := strings.Split(s.How, "\n")
			if len(lines) < 2 || len(lines) > 8 {
				bad("how has %d lines", len(lines))
			}
			for i, l := range lines {
				m := numbered.FindStringSubmatch(l)
				if m == nil || m[1] != fmt.Sprint(i+1) {
					bad("line %d of how has no number, or the wrong one: %q", i+1, l)
					continue
				}
				if n := utf8.RuneCountInString(l); n > 280 {
					bad("line %d of how has %d characters", i+1, n)
				}
				if m[2] == "" || strings.Contains(m[2], "  ") {
					bad("line %d of how: %q", i+1, l)
				}
			}
			for _, text := range []string{s.What, s.Why, s.How, s.Done} {
				for _, x := range sentences(text) {
					if n := len(strings.Fields(x)); n > 32 {
						bad("a sentence of %d words: %q", n, x)
					}
				}
			}
		}
	}
}

// sentences cuts a text where sentences end.
func sentences(text string) []string {
	return regexp.MustCompile(`[.?!:;]\s+|\n`).Split(text, -1)
}

// TestShippedWalks: whatever is answered, and in whatever order people work, each playbook comes to its end. All combinations of the answers that
// conditions read are tried, up to a bound.
func TestShippedWalks(t *testing.T) {
	bound := 8
	if os.Getenv("TOCSIN_SOAK") != "" {
		bound = 20_000
	}
	steps := map[string]bool{}
	for _, p := range shipped(t) {
		facts := []string{Severity}
		for _, s := range p.Steps {
			facts = append(facts, s.If.Facts()...)
		}
		facts = append(facts, p.Ends.Facts()...)
		slices.Sort(facts)
		facts = slices.Compact(facts)
		all := 1
		for _, id := range facts {
			f, _ := p.Fact(id)
			all *= len(f.Of)
		}
		answers := func(n int) map[string]string {
			out := map[string]string{}
			for _, id := range facts {
				f, _ := p.Fact(id)
				out[id], n = f.Of[n%len(f.Of)], n/len(f.Of)
			}
			return out
		}
		picked := rand.New(rand.NewPCG(6, 0)).Perm(all)
		tried := picked[:min(bound, all)]
		for _, s := range p.Steps { // and one that needs each step
			n := slices.IndexFunc(picked, func(n int) bool {
				answer := func(f string) string { return answers(n)[f] }
				return s.If.Holds(answer) && (s.Always || !p.ended(answer))
			})
			if n < 0 {
				t.Errorf("%s: no answers need %s", p.ID, s.ID)
				continue
			}
			tried = append(tried, picked[n])
		}
		slices.Sort(tried)
		tried = slices.Compact(tried)
		for _, n := range tried {
			w := &walk{rng: rand.New(rand.NewPCG(6, uint64(n))), now: t0, p: p}
			if err := w.follow(answers(n), steps); err != nil {
				t.Fatalf("%s with %v: %v", p.ID, answers(n), err)
			}
		}
		t.Logf("%s: %d of %d combinations", p.ID, len(tried), all)
		for _, s := range p.Steps {
			if !steps[p.ID+" "+s.ID] {
				t.Errorf("%s: no walk came to %s", p.ID, s.ID)
			}
		}
	}
}

// follow works through a playbook in an order of chance, with the answers that are given.
func (w *walk) follow(answers map[string]string, seen map[string]bool) error {
	w.runs = w.fresh()
	if err := w.write(entry.Draft{Actor: "desk", Kind: entry.IncidentOpened, Subject: "incident:1", Body: entry.Opened{ID: 1, Severity: answers[Severity]}}, nil); err != nil {
		return err
	}
	if err := w.write(w.runs.Put("desk", entry.Playbook{ID: w.p.ID, Revision: "r1", Vault: "v1", From: "shipped"})); err != nil {
		return err
	}
	d, id, err := w.runs.Begin("person:anna", 1, w.p.ID, "chosen")
	if err := w.write(d, err); err != nil {
		return err
	}
	r := w.runs.All[id-1]
	for range len(w.p.Steps) + 1 {
		open := r.Open(w.now)
		if len(open) == 0 {
			break
		}
		s := open[w.rng.IntN(len(open))]
		seen[w.p.ID+" "+s.ID] = true
		if s.Approval != "" {
			if err := w.write(w.runs.Approve("person:dora", entry.StepWork{Run: r.ID, Step: s.ID, Person: "dora", Role: s.Approval})); err != nil {
				return err
			}
		}
		x := entry.StepResult{Run: r.ID, Step: s.ID, Person: "anna"}
		for _, f := range s.Asks {
			v := answers[f]
			if v == "" { // no condition reads it
				known, _ := w.p.Fact(f)
				if v = r.Answer(f).Value; v == "" {
					v = w.pick(known.Of...)
				}
			}
			x.Answers = append(x.Answers, entry.Fact{Fact: f, Value: v})
		}
		if err := w.write(w.runs.Finish("person:anna", x)); err != nil {
			return err
		}
	}
	if !r.Over() {
		return fmt.Errorf("it is not over; it waits for %v", r.Waits(w.now.Add(time.Hour)))
	}
	return w.agrees(r)
}
