package incident

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"tocsin/internal/entry"
	"tocsin/internal/plan"
)

// A walk is a team that does at random what it may, and much that it may not.
type walk struct {
	*desk
	next  func(n int) int // a choice below n
	texts int
	made  int // decisions that were written
}

func (w *walk) text() string {
	w.texts++
	return fmt.Sprintf("T%d.", w.texts)
}

func (w *walk) incident() int64 { return int64(w.next(5) + 1) } // some are not there
func (w *walk) number() int64   { return int64(w.next(4) + 1) }
func (w *walk) person() string {
	return []string{"anna", "boris", "carla", "anna", "boris", "carla", ""}[w.next(7)]
}
func (w *walk) role() string { return append(plan.ResponseRoles(), "")[w.next(6)] }
func (w *walk) entry() int64 { return int64(w.next(len(w.all)+2) + 1) }
func (w *walk) reply() entry.Reply {
	return entry.Reply{Incident: w.incident(), ID: w.number(), Person: w.person(), Text: w.text()}
}

// seen is a version that somebody looked at: mostly the newest.
func (w *walk) seen(newest int64) int64 {
	if w.next(4) == 0 {
		return w.entry()
	}
	return newest
}

// step does one thing, and returns why it was refused.
func (w *walk) step() error {
	b, id, who, text := &w.book, w.incident(), w.person(), w.text()
	actor := "person:" + who
	i, _ := b.Get(id)
	if i == nil {
		i = &Incident{}
	}
	c := i.Command()
	one := func(x entry.Draft, err error) error { return w.keep([]entry.Draft{x}, err) }
	if i.Closed && w.next(3) == 0 { // else most of a walk finds doors that are shut
		return one(b.Reopen(actor, id, text))
	}
	switch w.next(31) {
	case 0:
		n, _ := last(c.Statements)
		return one(b.State(actor, who, all, id, w.seen(n.N), text))
	case 1:
		return one(b.AskDecision(actor, entry.Decision{Incident: id, Text: text, Options: []string{w.text(), w.text()}, Replaces: int64(w.next(3))}))
	case 2:
		x := entry.Choice{Incident: id, ID: w.number(), Option: w.next(4), Person: who, Text: text}
		var n int64
		if x.ID <= int64(len(c.Decisions)) {
			n = c.Decisions[x.ID-1].N
		}
		return one(b.Choose(actor, w.seen(n), x))
	case 3:
		return w.keep(b.LogDecision(actor, entry.Decision{Incident: id, Text: text, Options: []string{w.text(), w.text(), w.text()}, Replaces: int64(w.next(3))}, w.next(4), who, w.text()))
	case 4:
		return one(b.WithdrawDecision(actor, w.entry(), w.reply()))
	case 5:
		return one(b.Ask(actor, entry.Question{Incident: id, Text: text, Person: who, Role: w.role()}))
	case 6:
		return one(b.Answer(actor, w.reply()))
	case 7:
		return one(b.WithdrawQuestion(actor, w.reply()))
	case 8:
		return one(b.HandOver(actor, entry.Handover{Incident: id, From: who, To: w.person(), Roles: i.RolesOf(who), Text: text}))
	case 9:
		switch w.next(4) {
		case 0:
			return one(b.WithdrawHandover(actor, w.reply()))
		case 1:
			return w.keep(b.CorrectHandover(actor, w.number(), w.text(), entry.Handover{Incident: id, From: who, To: w.person(), Roles: i.RolesOf(who), Text: text}))
		}
		return w.keep(b.TakeOver(actor, w.reply()))
	case 10, 11:
		x := entry.Task{Incident: id, Title: text, Person: who}
		if w.next(2) == 0 {
			x.Role, x.Person = w.role(), ""
		}
		if w.next(2) == 0 {
			x.Due = w.now.Add(time.Duration(w.next(60)) * time.Hour)
		}
		return one(b.AddTask(actor, w.now, x))
	case 12:
		x := entry.Task{Incident: id, ID: w.number(), Title: text, Person: who, Text: w.text()}
		var n int64
		if x.ID <= int64(len(c.Tasks)) {
			v, _ := last(c.Tasks[x.ID-1].Versions)
			n = v.N
		}
		return one(b.ChangeTask(actor, w.now, w.seen(n), x))
	case 13:
		return one(b.FinishTask(actor, w.reply()))
	case 14:
		return one(b.DropTask(actor, w.reply()))
	case 15:
		for _, x := range b.Owed(w.now) {
			w.write(b.Remind(x))
		}
		return nil
	case 16:
		return w.keep(b.Triage(actor, who, id, []string{Real, FalseAlarm, Unknown}[w.next(3)], text))
	case 17:
		_, n := i.Cause()
		return one(b.PutCause(actor, entry.Cause{Incident: id, Class: append(CauseClasses(), "")[w.next(7)], Text: text, Before: w.seen(n),
			Whys: []entry.Reason{{Text: w.text(), Links: []entry.Link{{Kind: "attachment", Ref: fmt.Sprint(w.number())}, {Kind: "file", Ref: w.text()}}}}, Bones: []entry.Reason{{Branch: "people", Text: w.text()}}}))
	case 18:
		_, n := i.Lesson()
		return one(b.PutLessons(actor, entry.Lessons{Incident: id, Well: text, Badly: w.text(), Text: w.text(), Before: w.seen(n)}))
	case 19:
		return one(b.Finish(actor, id, []string{"true", "false"}[w.next(2)], text, []string{"", w.text()}[w.next(2)]))
	case 20:
		return one(b.Reopen(actor, id, text))
	case 21:
		return one(b.Write(actor, w.now, entry.Note{ID: id, Text: text, Role: w.role()}))
	case 22:
		x := entry.NoteEdit{Incident: id, Note: w.entry(), Text: text, Person: who, Role: w.role(), Before: w.entry()}
		if t := c.Lines[x.Note]; t != nil && len(t.Edits) > 0 {
			v, _ := last(t.Edits)
			x.Before = w.seen(v.N)
		} else {
			x.Before = x.Note
		}
		return one(b.EditNote(actor, w.now, x))
	case 23:
		return one(b.Pin(actor, entry.NotePin{Incident: id, Note: w.entry(), Person: who, Off: w.next(3) == 0}))
	case 24:
		return one(b.AddFile(actor, entry.File{Incident: id, SHA256: sum(rune('a' + w.next(6))), Vault: text, Name: w.text(), Kind: "log", Person: who, From: w.text(), Why: w.text()}))
	case 25:
		return one(b.PassFile(actor, entry.FilePass{Incident: id, ID: w.number(), Person: who, From: text, To: w.text(), Why: w.text()}))
	case 26:
		x, _, err := b.ReadFile(actor, entry.FileRead{Incident: id, ID: w.number(), Person: who, SHA256: sum(rune('a' + w.next(6))), Why: text})
		return one(x, err)
	case 27:
		what := []string{"", "note:" + fmt.Sprint(w.entry()), "attachment:1", "cause"}[w.next(4)]
		return one(b.SetLabel(actor, entry.Label{Incident: id, What: what, Label: []string{"CLEAR", "AMBER", "RED", ""}[w.next(4)], Text: text}))
	case 28:
		return w.keep(b.Merge(actor, id, w.incident(), text))
	case 29:
		return one(b.Unmerge(actor, id, text))
	case 30:
		if w.next(2) == 0 {
			return one(b.TakeRole(actor, all, id, w.role(), who, false))
		}
		n := w.next(9)
		a := alert(fmt.Sprint("x", n), "r", []string{"medium", "critical"}[w.next(2)], w.next(90), fmt.Sprintf("%c1", 'a'+n), "anna")
		a.Count = int64(w.texts)
		w.tell(Change{Step: []string{"raised", "level"}[w.next(2)], Alert: a})
	}
	return nil
}

func (w *walk) keep(xs []entry.Draft, err error) error {
	if err == nil {
		w.write(xs...)
		w.made += len(xs)
	}
	return err
}

var textID = regexp.MustCompile(`"T[0-9]+\."`)

// law holds the book against what must always be so.
func (w *walk) law() {
	w.t.Helper()
	again := newDesk(w.t)
	for _, e := range w.all {
		if _, err := again.book.Apply(e); err != nil {
			w.t.Fatal(err)
		}
	}
	if !reflect.DeepEqual(w.book, again.book) {
		unexported := cmp.AllowUnexported(Book{}, entry.Words{}, Incident{}, index{}, seen{}, kin{}, kinLink{}, todo{})
		w.t.Fatalf("replay differs: %s", cmp.Diff(w.book, again.book, cmpopts.EquateComparable(), unexported))
	}
	// Every text of the ledger can be reached in the incident that its entry is about.
	whole := map[int64]string{}
	for _, i := range w.book.Incidents {
		var all []byte
		for _, v := range []any{i, i.Command()} {
			b, err := json.Marshal(v)
			if err != nil {
				w.t.Fatal(err)
			}
			all = append(all, b...)
		}
		whole[i.ID] = string(all)
		if !slices.IsSortedFunc(i.Timeline, func(x, y Mark) int { return int(x.N - y.N) }) {
			w.t.Fatalf("the timeline of incident %d is not in order", i.ID)
		}
	}
	for _, e := range w.all {
		var id int64
		if _, err := fmt.Sscanf(e.Subject, "incident:%d", &id); err != nil {
			continue
		}
		for _, text := range textID.FindAllString(string(e.Body), -1) {
			if !strings.Contains(whole[id], text) {
				w.t.Fatalf("%s of entry %d (%s) is lost", text, e.N, e.Kind)
			}
		}
	}
	w.families()
	w.mine()
}

// families holds merged incidents against what each says of itself.
func (w *walk) families() {
	for _, i := range w.book.Incidents {
		root := w.book.Root(i.ID)
		if r, _ := w.book.Get(root); r.Merged != 0 {
			w.t.Fatalf("incident %d is worked on in %d, which is merged", i.ID, root)
		}
		var want []int64
		for _, k := range w.book.Incidents {
			if w.book.Root(k.ID) == root {
				want = append(want, k.ID)
			}
		}
		if got := w.book.Family(i.ID); !slices.Equal(got, want) {
			w.t.Fatalf("one with %d are %v, want %v", i.ID, got, want)
		}
		lines, _ := w.book.Timeline(i.ID, Filter{})
		n := 0
		for _, k := range want {
			m, _ := w.book.Get(k)
			n += len(m.Timeline)
		}
		if len(lines) != n {
			w.t.Fatalf("incident %d shows %d lines of %d", i.ID, len(lines), n)
		}
	}
}

// mine holds what everybody has to do against a look at everything.
func (w *walk) mine() {
	for _, who := range []string{"anna", "boris", "carla"} {
		var want, got []string
		add := func(id int64, what string, n int64) { want = append(want, fmt.Sprint(id, what, n)) }
		theirs := func(i *Incident, role string) bool {
			h := i.Roles[role]
			return h.Person == who || slices.Contains(h.Deputies, who) || h.Person == "" && len(h.Deputies) == 0 && role == "legal"
		}
		for _, i := range w.book.Incidents {
			c, root := i.Command(), w.book.Incidents[w.book.Root(i.ID)-1]
			for _, t := range c.Tasks {
				if t.Open() && (t.Person == who || t.Person == "" && theirs(root, t.Role)) {
					add(i.ID, Tasked, t.ID)
				}
			}
			if root.Closed {
				continue // nobody answers or takes over any more
			}
			for _, q := range c.Questions {
				if q.Open() && (q.Role == "" || theirs(root, q.Role)) {
					add(i.ID, Asked, q.ID)
				}
			}
			for _, h := range c.Handovers {
				if h.Open() && h.To == who {
					add(i.ID, Given, h.ID)
				}
			}
		}
		for _, x := range w.book.Mine(who, []string{"legal"}) {
			got = append(got, fmt.Sprint(x.Incident, x.What, x.ID))
		}
		slices.Sort(want)
		slices.Sort(got)
		if !slices.Equal(got, want) {
			w.t.Fatalf("%s has %v to do, want %v", who, got, want)
		}
	}
}

func newWalk(t *testing.T, next func(int) int) *walk {
	w := &walk{desk: newDesk(t), next: next}
	for k := range 3 {
		w.tell(raised(alert(fmt.Sprint("a", k+1), "r1", "high", 0, fmt.Sprintf("%c1", 'a'+k))))
	}
	return w
}

// Given a team that does anything in any order, then a replay is the live state, no text is lost, who is refused wrote nothing, and everybody has what is theirs to do.
func TestWalks(t *testing.T) {
	walks, steps := 80, 250
	if os.Getenv("TOCSIN_SOAK") != "" {
		walks, steps = 5000, 600
	}
	refusals, shown := 0, 0
	for n := range walks {
		r := rand.New(rand.NewPCG(uint64(n), 7))
		w := newWalk(t, r.IntN)
		for range steps {
			before := len(w.all)
			err := w.step()
			if err != nil {
				refusals++
				if _, ok := errors.AsType[*Overtaken](err); ok {
					shown++
				}
				if len(w.all) != before {
					t.Fatalf("walk %d: what was refused was written: %v", n, err)
				}
			}
			w.now = w.now.Add(7 * time.Minute)
		}
		w.law()
		if w.made < steps/20 {
			t.Errorf("walk %d wrote only %d entries", n, w.made)
		}
	}
	if shown == 0 || refusals == 0 {
		t.Errorf("%d refusals, %d that show the first: the walk tries too little", refusals, shown)
	}
}

// The same, by choices that a fuzzer makes.
func FuzzCommand(f *testing.F) {
	f.Add([]byte{1, 0, 1, 1, 0, 2, 0, 0, 1, 2, 0, 28, 1, 0, 29, 1})
	f.Add([]byte(strings.Repeat("merge and un-merge lose nothing ", 8)))
	f.Fuzz(func(t *testing.T, choices []byte) {
		at := 0
		w := newWalk(t, func(n int) int {
			if at++; at > len(choices) {
				return 0
			}
			return int(choices[at-1]) % n
		})
		for at < min(len(choices), 400) {
			_ = w.step()
			w.now = w.now.Add(7 * time.Minute)
		}
		w.law()
	})
}
