package desk

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"tocsin/internal/detect"
	"tocsin/internal/query"
	"tocsin/internal/record"
	"tocsin/internal/search"
	"tocsin/internal/trace"
)

// casesOf replays a range, and returns its incidents as a trace is told of them.
func casesOf(t *testing.T, x *ranged, dir string) (out []trace.Case) {
	t.Helper()
	set, err := LoadRules(os.DirFS("../../rules"))
	if err != nil {
		t.Fatal(err)
	}
	alerts := map[string]detect.Alert{}
	said, err := RunReplay(t.Context(), ReplayOptions{Folders: []fs.FS{os.DirFS(filepath.Join(dir, "logs"))}, Rules: set.Rules, Geo: x.geo,
		Each: func(_ *record.Record, cs []detect.Change) {
			for _, c := range cs {
				alerts[c.Alert.ID] = c.Alert
			}
		}})
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range said.Incidents {
		var c trace.Case
		for _, id := range i.Members {
			c.Alerts = append(c.Alerts, tracedAlert(alerts[id]))
		}
		slices.SortStableFunc(c.Alerts, func(a, b trace.Alert) int { return a.Raised.Compare(b.Raised) })
		out = append(out, c)
	}
	return out
}

// story traces the incident that suspects an address.
func (x *ranged) story(t *testing.T, cases []trace.Case, address string) trace.Story {
	t.Helper()
	for _, c := range cases {
		for _, a := range c.Alerts {
			if !slices.ContainsFunc(a.Addresses, func(p trace.Party) bool { return p.Name == address && p.Suspect }) {
				continue
			}
			s, err := trace.Trace(c, tracing(t.Context(), func(q *query.Query) (search.Result, error) { return x.Run(t.Context(), q, nil) }))
			if err != nil || len(s.Cut) > 0 {
				t.Fatalf("tracing %s: %v, cut: %q", address, err, s.Cut)
			}
			x.stands(t, s)
			return s
		}
	}
	t.Fatalf("no incident suspects %s", address)
	return trace.Story{}
}

// stands holds each statement against the kept lines: the query that is shown for it finds as many as it says, those that it names first, and
// they name whom it is about.
func (x *ranged) stands(t *testing.T, s trace.Story) {
	t.Helper()
	for _, st := range s.Statements {
		refs := st.Proof.Lines()
		if len(refs) == 0 {
			t.Errorf("%q stands on no lines", st.Text)
			continue
		}
		res := x.ask(t, TraceQuery(st.Proof.Ask(), time.UTC).String()+" | head 100")
		if res.Matched != st.Proof.Count() || len(res.Numbers) != len(refs) {
			t.Errorf("%q stands on %d lines, its query finds %d", st.Text, st.Proof.Count(), res.Matched)
			continue
		}
		for k, r := range refs {
			l := x.lines[r.Number-1]
			if r.Number != res.Numbers[k] || r.File != l.File {
				t.Errorf("%q names line %+v, its query finds line %d", st.Text, r, res.Numbers[k])
			}
			if len(st.Nodes) > 0 && !slices.ContainsFunc(st.Nodes, func(n int) bool { return strings.Contains(l.Raw, s.Nodes[n].Name) }) {
				t.Errorf("%q stands on a line that names nobody of it: %s", st.Text, l.Raw)
			}
		}
	}
}

// An attack is what the truth says of one, all logs together.
type attack struct {
	first, last time.Time
	address     string // the only one
	account     string
	lines       map[string]int // by log
}

func (x *ranged) attack(id string) (a attack) {
	a.lines = map[string]int{}
	for _, h := range x.truth {
		if h.ID != id {
			continue
		}
		if first := h.First.Truncate(time.Second); a.first.IsZero() || first.Before(a.first) { // most logs know seconds
			a.first = first
		}
		if last := h.Last.Truncate(time.Second); last.After(a.last) {
			a.last = last
		}
		a.address, a.lines[h.Log] = h.Addresses[0], h.Lines
		a.account, _ = h.Account.(string)
	}
	return a
}

// bytesOf adds up what an expression finds in the raw lines of a log that name an address.
func (x *ranged) bytesOf(t *testing.T, log, address, expression string) (n int64) {
	t.Helper()
	re := regexp.MustCompile(expression)
	for _, l := range x.lines {
		if l.File != log || !strings.Contains(l.Raw, address) {
			continue
		}
		if m := re.FindStringSubmatch(l.Raw); m != nil {
			b, err := strconv.ParseInt(m[1], 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			n += b
		}
	}
	return n
}

// A told story is asked for its steps.
type toldStory struct {
	t *testing.T
	trace.Story
}

// step returns the first statement of a step that is about all of some names, and its place.
func (s toldStory) step(step trace.Step, names ...string) (trace.Statement, int) {
	s.t.Helper()
	for n, st := range s.Statements {
		all := st.Step == step
		for _, name := range names {
			all = all && slices.ContainsFunc(st.Nodes, func(k int) bool { return s.Nodes[k].Name == name })
		}
		if all {
			return st, n
		}
	}
	var texts []string
	for _, st := range s.Statements {
		texts = append(texts, string(st.Step)+": "+st.Text)
	}
	s.t.Errorf("nothing of step %s about %q in\n%s", step, names, strings.Join(texts, "\n"))
	return trace.Statement{Proof: trace.Proof{}}, 0
}

// guesses holds that nobody but some addresses is guessed to be the same.
func (s toldStory) guesses(addresses ...string) {
	s.t.Helper()
	for _, st := range s.Statements {
		for _, n := range st.Nodes {
			if node := s.Nodes[n]; st.Kind == trace.Guess && node.Kind == trace.Address && !slices.Contains(addresses, node.Name) {
				s.t.Errorf("a guess about somebody else: %s (%s)", st.Text, st.Why)
			}
		}
	}
}

// inOrder holds that places follow one another.
func (s toldStory) inOrder(places ...int) {
	s.t.Helper()
	if !slices.IsSorted(places) {
		s.t.Errorf("the steps are told in the order %v", places)
	}
}

// Given a range on the shelf, when its incidents are traced, then the stories are those of the truth file; and when every address, account, host
// and day is another one, too: nothing is fitted to it.
func TestStoriesOfARange(t *testing.T) {
	if _, err := os.Stat(rangeDir); err != nil {
		t.Skip("the recorded range is not here")
	}
	if testing.Short() || raced {
		t.Skip("long; make test runs it without the race detector")
	}
	t.Run("as recorded", func(t *testing.T) { storiesOf(t, rangeDir) })
	seeds := uint64(1)
	if os.Getenv("TOCSIN_SOAK") != "" {
		seeds = 10
	}
	for seed := uint64(1); seed <= seeds; seed++ {
		t.Run(fmt.Sprintf("permuted, seed %d", seed), func(t *testing.T) {
			dir := t.TempDir()
			permuteRange(t, dir, seed)
			storiesOf(t, dir)
		})
	}
}

func storiesOf(t *testing.T, dir string) {
	x := rangeOnShelf(t, dir)
	cases := casesOf(t, x, dir)
	t.Run("A09, a web shell", func(t *testing.T) { x.webShell(t, cases) })
	t.Run("A10 and A11, an account that is guessed and used", func(t *testing.T) { x.stolenAccount(t, cases) })
	t.Run("A13 and A14, an administrator who exports", func(t *testing.T) { x.massExport(t, cases) })
}

func (x *ranged) webShell(t *testing.T, cases []trace.Case) {
	a := x.attack("A09")
	s := toldStory{t, x.story(t, cases, a.address)}
	first, n0 := s.step(trace.First, a.address)
	up, n1 := s.step(trace.Moved, a.address)
	call, n2 := s.step(trace.Called, a.address)
	last, n3 := s.step(trace.Last, a.address)
	s.inOrder(n0, n1, n2, n3)
	if !first.At.Equal(a.first) || !last.At.Equal(a.last) {
		t.Errorf("from %s to %s, and the truth is from %s to %s", first.At, last.At, a.first, a.last)
	}
	const file = "/wp-content/uploads/returns/retoure_foto.php"
	if up.Bytes != x.bytesOf(t, "app.jsonl", a.address, `"size":(\d+)`) || up.Proof.Count() != 1 || !strings.Contains(up.Text, file+", said to be image/jpeg") {
		t.Errorf("%d lines, %d bytes: %s", up.Proof.Count(), up.Bytes, up.Text)
	}
	if call.Proof.Count() != int64(a.lines["access.log"]-2) || !strings.Contains(call.Text, "first 2 min 9 s after the upload") || !strings.Contains(call.Text, "cmd=whoami (2)") {
		t.Errorf("%d lines: %s", call.Proof.Count(), call.Text)
	}
	s.guesses(a.address)
}

func (x *ranged) stolenAccount(t *testing.T, cases []trace.Case) {
	a, b := x.attack("A10"), x.attack("A11")
	s := toldStory{t, x.story(t, cases, a.address)}
	usual, n0 := s.step(trace.Usual, a.account)
	first, n1 := s.step(trace.First, a.address)
	tried, n2 := s.step(trace.Tried, a.address, a.account)
	in, n3 := s.step(trace.Entered, a.address, a.account)
	_, n4 := s.step(trace.Last, a.address)
	later, n5 := s.step(trace.First, b.address)
	next, n6 := s.step(trace.Next, b.address, b.account)
	same, n7 := s.step(trace.Same, a.address, b.address)
	files, n8 := s.step(trace.Moved, b.address, b.account)
	last, n9 := s.step(trace.Last, b.address)
	s.inOrder(n0, n1, n2, n3, n4, n5, n6, n7, n8, n9)
	if !first.At.Equal(a.first) || !later.At.Equal(b.first) || !last.At.Equal(b.last) || in.At.Before(a.first) || in.At.After(a.last) {
		t.Errorf("from %s, in at %s, from %s to %s", first.At, in.At, later.At, last.At)
	}
	if tried.Proof.Count() != int64(a.lines["auth.log"]) || in.Proof.Count() != 1 || usual.At.After(a.first) {
		t.Errorf("%d lines: %s; %d lines: %s; %s at %s", tried.Proof.Count(), tried.Text, in.Proof.Count(), in.Text, usual.Text, usual.At)
	}
	if next.Kind != trace.Fact || same.Kind != trace.Guess || same.Proof.Count() != 2 || !strings.Contains(next.Text, "13 h 39 min before") {
		t.Errorf("%s: %s; %s: %s", next.Kind, next.Text, same.Kind, same.Text)
	}
	if files.Proof.Count() != int64(b.lines["xferlog"]) || files.Bytes != x.bytesOf(t, "xferlog", b.address, b.address+` (\d+) /`) || !strings.Contains(files.Text, " 70 files, 40,430,741 bytes, as "+b.account) {
		t.Errorf("%d lines, %d bytes: %s", files.Proof.Count(), files.Bytes, files.Text)
	}
	s.guesses(a.address, b.address)
}

func (x *ranged) massExport(t *testing.T, cases []trace.Case) {
	a, b := x.attack("A13"), x.attack("A14")
	s := toldStory{t, x.story(t, cases, a.address)}
	usual, n0 := s.step(trace.Usual, a.account)
	first, n1 := s.step(trace.First, a.address)
	in, n2 := s.step(trace.Entered, a.address, a.account)
	out, n3 := s.step(trace.Moved, a.address, a.account)
	last, n4 := s.step(trace.Last, a.address)
	s.inOrder(n0, n1, n2, n3, n4)
	if a.address != b.address || !first.At.Equal(a.first) || !in.At.Equal(a.first.Add(6*time.Second)) || !out.At.Equal(b.first) || !out.Until.Equal(b.last) || !last.At.Equal(b.last) {
		t.Errorf("from %s, in at %s, exports from %s to %s, last %s", first.At, in.At, out.At, out.Until, last.At)
	}
	if !strings.Contains(usual.Text, "first 4 d, last 31 min 28 s before") {
		t.Errorf("%s at %s", usual.Text, usual.At)
	}
	if out.Proof.Count() != int64(b.lines["app.jsonl"]) || out.Bytes != x.bytesOf(t, "app.jsonl", b.address, `"bytes":(\d+)`) || out.Bytes != 337_920_000 {
		t.Errorf("%d lines, %d bytes: %s", out.Proof.Count(), out.Bytes, out.Text)
	}
	s.guesses(a.address)
}
