package desk

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/fstest"
	"time"

	"tocsin/internal/detect"
	"tocsin/internal/entry"
)

// files makes a folder of texts.
func files(pairs ...string) fstest.MapFS {
	out := fstest.MapFS{}
	for k := 0; k+1 < len(pairs); k += 2 {
		out[pairs[k]] = &fstest.MapFile{Data: []byte(pairs[k+1])}
	}
	return out
}

// correlationText is a correlation of other rules, by id.
func correlationText(id string, rules ...string) string {
	return fmt.Sprintf("title: Correlation %[1]s\nid: %[1]s\nlevel: high\ncorrelation: {type: event_count, rules: [%[2]s], group-by: [source.ip], timespan: 10m, condition: {gte: 5}}\n", id, strings.Join(rules, ", "))
}

// words lists the texts that the rules of a set look for, and the correlations, sorted.
func words(set RuleSet) (out []string) {
	for _, d := range set.Rules.Documents() {
		m := d.Meta()
		if d.Correlation != nil {
			out = append(out, fmt.Sprint(m.ID, d.Correlation.Rules))
			continue
		}
		out = append(out, strings.TrimPrefix(m.Title, "Request for "))
	}
	slices.Sort(out)
	return out
}

func names(list []detect.Refused) (out []string) {
	for _, r := range list {
		out = append(out, r.File+" "+r.Feature)
	}
	return out
}

const evil, odd = evilRule, oddRule

// A rule that is broken now stays as it was, and nothing else changes because of it.
func TestBrokenRulesStayAsTheyWere(t *testing.T) {
	first, second, third := ruleText(1, "evil", "high"), ruleText(2, "odd", "medium"), ruleText(3, "third", "low")
	bomb := "a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n"
	pcre := strings.Replace(first, "url.original|contains: /evil", "url.original|re: '(?=/evil)'", 1)
	holder := strings.Replace(first, "url.original|contains: /evil", "url.original|contains|expand: '%words%'", 1)
	for _, tt := range []struct {
		name          string
		before, after fstest.MapFS
		rules         []string
		kept, refused []string
	}{
		{"nothing", files("a.yml", first), files("a.yml", first), []string{"evil"}, nil, nil},
		{"a change", files("a.yml", first), files("a.yml", ruleText(1, "worse", "high")), []string{"worse"}, nil, nil},
		{"a new rule", files("a.yml", first), files("a.yml", first, "b.yml", second), []string{"evil", "odd"}, nil, nil},
		{"a rule that goes", files("a.yml", first+"---\n"+second), files("a.yml", second), []string{"odd"}, nil, nil},
		{"a file that goes", files("a.yml", first, "b.yml", second), files("b.yml", second), []string{"odd"}, nil, nil},
		{"no YAML", files("a.yml", first, "b.yml", second), files("a.yml", "title: [", "b.yml", ruleText(2, "new", "low")), []string{"evil", "new"}, []string{"a.yml YAML"}, nil},
		{"half a file", files("a.yml", first+"---\n"+second), files("a.yml", first+"---\ntitle: Odd\nid: x\ndet"), []string{"evil", "odd"}, []string{"a.yml YAML"}, nil},
		{"one of two", files("a.yml", first+"---\n"+second), files("a.yml", strings.Replace(first, "contains", "contians", 1)+"---\n"+ruleText(2, "new", "low")), []string{"evil", "new"}, []string{"a.yml modifier contians"}, nil},
		{"a YAML bomb", files("a.yml", first), files("a.yml", bomb), []string{"evil"}, []string{"a.yml YAML"}, nil},
		{"a bomb of its own", files("a.yml", first), files("a.yml", first, "b.yml", bomb), []string{"evil"}, nil, []string{"b.yml YAML"}},
		{"nested without end", files("a.yml", first), files("a.yml", "title: "+strings.Repeat("[", 50_000)), []string{"evil"}, []string{"a.yml YAML"}, nil},
		{"no text", files("a.yml", first), files("a.yml", "title: \x00\xff"), []string{"evil"}, []string{"a.yml YAML"}, nil},
		{"PCRE", files("a.yml", first), files("a.yml", pcre), []string{"evil"}, []string{"a.yml re"}, nil},
		{"a placeholder", files("a.yml", first), files("a.yml", holder), []string{"evil"}, []string{"a.yml placeholder %words%"}, nil},
		{"a new rule that is broken", files("a.yml", first), files("a.yml", first+"---\n"+strings.Replace(third, "contains", "contians", 1)), []string{"evil"}, nil, []string{"a.yml modifier contians"}},
		{"a ring", files("a.yml", first, "c.yml", correlationText("c", evil)+"---\n"+correlationText("d", "c")),
			files("a.yml", first, "c.yml", correlationText("c", "d")+"---\n"+correlationText("d", "c")),
			[]string{"c[" + evil + "]", "d[c]", "evil"}, []string{"c.yml missing rule"}, nil},
		{"a rule that another reads goes", files("a.yml", first, "b.yml", second, "c.yml", correlationText("c", evil)), files("b.yml", second, "c.yml", correlationText("c", evil)),
			[]string{"odd"}, nil, []string{"c.yml missing rule"}},
		{"a correlation of nothing", files("a.yml", first, "c.yml", correlationText("c", evil)), files("a.yml", first, "c.yml", correlationText("c", "nobody")),
			[]string{"c[" + evil + "]", "evil"}, []string{"c.yml missing rule"}, nil},
		{"too large", files("a.yml", first), files("a.yml", first+"#"+strings.Repeat("x", 8<<20)), []string{"evil"}, []string{"a.yml size"}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			set, err := LoadRules(tt.before)
			if err != nil || len(set.Refused) > 0 {
				t.Fatal(err, set.Refused)
			}
			for again := range 3 { // broken rules stay until the file is mended
				if set, err = set.Reload(tt.after); err != nil {
					t.Fatal(err)
				}
				kept := names(set.Kept)
				slices.Sort(kept)
				if got := words(set); !slices.Equal(got, tt.rules) || !sameNames(kept, tt.kept) || !sameNames(names(set.Refused), tt.refused) {
					t.Fatalf("time %d: rules %q, kept %q, refused %q", again, got, kept, names(set.Refused))
				}
			}
			if set, err = set.Reload(tt.before); err != nil || len(set.Kept)+len(set.Refused) > 0 {
				t.Errorf("mended: %v, kept %v, refused %v", err, set.Kept, set.Refused)
			}
		})
	}
}

// alike compares what was said; of a feature only the beginning.
func sameNames(got, want []string) bool {
	return slices.EqualFunc(got, want, func(g, w string) bool { return strings.HasPrefix(g, w) })
}

// A folder that cannot be read, or holds no rule at all, changes nothing.
func TestAFolderThatIsGoneChangesNothing(t *testing.T) {
	set, err := LoadRules(files("a.yml", ruleText(1, "evil", "high")))
	if err != nil {
		t.Fatal(err)
	}
	for name, folder := range map[string]fs.FS{"gone": os.DirFS(filepath.Join(t.TempDir(), "gone")), "empty": fstest.MapFS{}} {
		if _, err := set.Reload(folder); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// A changing house is one whose rules lie in a real folder.
func changingHouse(t *testing.T, pairs ...string) (*house, string) {
	t.Helper()
	dir := t.TempDir()
	for k := 0; k+1 < len(pairs); k += 2 {
		put(t, dir, pairs[k], pairs[k+1])
	}
	h := newHouse(t)
	set, err := LoadRules(os.DirFS(dir))
	if err != nil {
		t.Fatal(err)
	}
	h.o.Folders = &Folders{Set: set, All: []fs.FS{os.DirFS(dir)}, Dirs: []string{dir}}
	return h, dir
}

func put(t *testing.T, dir, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// until waits for something.
func until(t *testing.T, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); !is(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("not within 30 s: ", what)
		}
	}
}

func (h *house) has(d *Desk, k entry.Kind, n int) func() bool {
	return func() bool { return h.entries(d)[k] >= n }
}

// Given windows that are half full and an alert that goes on, when a rule file changes, then the windows of the other rules are
// completed, the alert of a rule that is gone ends, and the ledger has an entry for each time.
func TestRulesChangeWhileTheyAreUsed(t *testing.T) {
	h, dir := changingHouse(t, "knock.yml", countRule, "evil.yml", ruleText(1, "evil", "high"))
	d, stop := h.start()
	defer func() { stop() }()
	now := time.Now()
	for n := range 3 {
		h.feed(d, request(now.Add(time.Duration(n)*time.Second), "192.0.2.7", "/knock"))
	}
	h.feed(d, request(now, "192.0.2.8", "/evil"))
	until(t, "an alert", h.has(d, entry.AlertRaised, 1))

	put(t, dir, "new.yml", ruleText(3, "third", "high")) // a rule comes
	until(t, "the rules loaded again", h.has(d, entry.RulesLoaded, 2))
	put(t, dir, "knock.yml", "title: [") // one is broken
	until(t, "the rules loaded a third time", h.has(d, entry.RulesLoaded, 3))
	until(t, "the set in use says so", func() bool { set, _ := d.RuleSet(); return len(set.Kept) == 1 }) // the entry comes first
	set, _ := d.RuleSet()
	if len(set.Kept) != 1 || len(set.Rules.Documents()) != 4 || !strings.Contains(h.logged(), "a rule is broken: the old one stays") {
		t.Errorf("kept %v of %d rules; the log says\n%s", set.Kept, len(set.Rules.Documents()), h.logged())
	}
	if err := os.Remove(filepath.Join(dir, "evil.yml")); err != nil { // one goes
		t.Fatal(err)
	}
	until(t, "the alert of a rule that is gone ends", h.has(d, entry.AlertEnded, 1))
	h.feed(d, request(now.Add(4*time.Second), "192.0.2.7", "/knock"), request(now.Add(5*time.Second), "192.0.2.7", "/knock"),
		request(now.Add(5*time.Second), "192.0.2.9", "/third"), request(now.Add(6*time.Second), "192.0.2.8", "/evil"))
	until(t, "the half-full window completed, and the new rule heard", h.has(d, entry.AlertRaised, 3))
	stop()
	set, err := LoadRules(os.DirFS(dir))
	if err != nil || len(set.Refused) != 1 {
		t.Fatal(err, set.Refused)
	}
	h.o.Folders.Set = set
	d, stop = h.start()
	if set, _ = d.RuleSet(); len(set.Refused) != 0 || len(set.Kept) != 1 || len(set.Rules.Documents()) != 3 {
		t.Errorf("after a restart: refused %v, kept %v of %d rules", set.Refused, set.Kept, len(set.Rules.Documents()))
	}
	h.feed(d, request(now.Add(7*time.Second), "192.0.2.10", "/third"))
	until(t, "a restart goes on", h.has(d, entry.AlertRaised, 4))
	h.want(d, entry.AlertRaised, 4)
}

// A restart with other rules goes on with the windows of those that did not change, even when their lines are gone; alerts of
// rules that are gone end.
func TestARestartWithOtherRulesKeepsWindows(t *testing.T) {
	for name, second := range map[string]string{"one goes": "", "one changes": ruleText(1, "worse", "high"), "one comes": ruleText(1, "evil", "high") + "---\n" + ruleText(5, "fifth", "low")} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t)
			set := func(more string) *detect.Rules {
				s, err := LoadRules(files("knock.yml", countRule, "more.yml", more))
				if err != nil {
					t.Fatal(err)
				}
				return s.Rules
			}
			h.o.Rules = set(ruleText(1, "evil", "high"))
			d, stop := h.start()
			now := time.Now()
			for n := range 3 {
				h.feed(d, request(now.Add(time.Duration(n)*time.Second), "192.0.2.7", "/knock"))
			}
			h.feed(d, request(now, "192.0.2.8", "/evil"))
			until(t, "an alert", h.has(d, entry.AlertRaised, 1))
			until(t, "all is read", func() bool { return d.Reading().Lag() == 0 })
			stop()
			h.o.Rules = set(second)
			d, stop = h.start()
			defer stop()
			h.feed(d, request(now.Add(4*time.Second), "192.0.2.7", "/knock"), request(now.Add(5*time.Second), "192.0.2.7", "/knock"))
			until(t, "the half-full window completed", h.has(d, entry.AlertRaised, 2))
			until(t, "all is read", func() bool { return d.Reading().Lag() == 0 })
			want := 0
			if name != "one comes" {
				want = 1
			}
			h.want(d, entry.AlertEnded, want)
		})
	}
}

// What only looks like a rule file is named, and holds nothing up.
func TestRulesAreFiles(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "good.yml"), []byte(ruleText(1, "evil", "high")), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(filepath.Join(dir, "pipe.yml"), 0o600); err != nil {
		t.Skip("no pipes here:", err)
	}
	for name, to := range map[string]string{"zero.yml": "/dev/zero", "folder.yml": dir, "gone.yml": filepath.Join(dir, "nothing")} {
		if err := os.Symlink(to, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for _, load := range []func() (RuleSet, error){func() (RuleSet, error) { return LoadRules(os.DirFS(dir)) }, func() (RuleSet, error) { return LoadRulesOver(os.DirFS(dir)) }} {
			set, err := load()
			if want := []string{"folder.yml file", "gone.yml file", "pipe.yml file", "zero.yml file"}; err != nil || !slices.Equal(names(set.Refused), want) || len(set.Rules.Documents()) != 1 {
				t.Errorf("%v, %v", names(set.Refused), err)
			}
		}
	}()
	select {
	case <-done:
	case <-time.After(20 * time.Second):
		t.Fatal("reading the folder does not end")
	}
}
