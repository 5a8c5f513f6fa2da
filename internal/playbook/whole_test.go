package playbook

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode"
)

var update = flag.Bool("update", false, "write golden files that do not exist yet; never changes one that does")

// smallWhole is a plan of everything, in small.
func smallWhole(t testing.TB) Whole {
	p := read(t, strings.Replace(small, "affected = customers and ", "", 1))
	day := time.Date(2026, 11, 27, 9, 0, 0, 0, time.UTC)
	return Whole{Organisation: "Shop GmbH", Printed: day, Head: "tocsin.shop.example 1234 q8Zx", Label: "TLP:AMBER+STRICT", First: []string{"Stay calm.", "Write down what you do, and when."},
		Contacts:  []ContactGroup{{"Providers", []Contact{{Name: "Night desk", Role: "Hosting", Ways: []string{"phone +49 30 123456", "mail noc@hoster.example"}, Hours: "24/7", Note: "Say the phrase."}}}},
		Roles:     []RoleText{{"Incident Commander", "Decides.\nKeeps the three sentences.", []string{"Anna", "Boris"}}, {"Legal Advisor", "Says who must be told.", nil}},
		Playbooks: []Edition{{Playbook: p, Revision: strings.Repeat("ab", 32), Reviewed: day.AddDate(0, -1, 0), ReviewedBy: "Boris"}},
		Glossary:  []Term{{Word: "skimmer", Says: "Code that reads what customers type."}, {Word: "Evidence", Says: "A sealed copy, with who had it."}},
		History:   []HistoryLine{{day.AddDate(0, -2, 0), "small", "A step more", "Anna", "The drill", "Boris"}}}
}

func TestWholeGolden(t *testing.T) {
	d := smallWhole(t).Document()
	for name, got := range map[string][]byte{"plan.html": d.HTML(), "plan.md": d.Markdown()} {
		name = filepath.Join("testdata", name)
		want, err := os.ReadFile(name)
		if os.IsNotExist(err) && *update {
			want, err = got, os.WriteFile(name, got, 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s is another one:\n%s", name, got)
		}
	}
}

// A plan of nothing is printed all the same, and says what is missing.
func TestWholeEmpty(t *testing.T) {
	d := Whole{Playbooks: []Edition{{}}}.Document()
	for _, says := range []string{"Emergency plan", "names no contacts", "describes no roles", "was not changed yet"} {
		if !strings.Contains(string(d.HTML()), says) || !strings.Contains(string(d.Markdown()), says) {
			t.Errorf("it does not say %q", says)
		}
	}
}

// Every step of every playbook stands in both forms, each once, and every entry of the contents leads somewhere.
func TestWholeHasEverything(t *testing.T) {
	w := smallWhole(t)
	d := w.Document()
	for _, text := range []string{string(d.HTML()), string(d.Markdown())} {
		for _, s := range w.Playbooks[0].Steps {
			if n := strings.Count(text, ". "+s.What+"<") + strings.Count(text, ". "+s.What+"*"); n != 1 {
				t.Errorf("%q stands %d times", s.What, n)
			}
		}
	}
	for _, m := range regexp.MustCompile(`href="#([^"]*)"`).FindAllStringSubmatch(string(d.HTML()), -1) {
		if strings.Count(string(d.HTML()), `id="`+m[1]+`"`) != 1 {
			t.Errorf("the contents lead to %q, which is not there once", m[1])
		}
	}
}

// FuzzWhole: whatever a text holds, it makes no tag, no script and no link, and hides nothing.
func FuzzWhole(f *testing.F) {
	f.Add("<script>alert(1)</script>\n# x\n[a](javascript:1) ![x](y) <b>")
	f.Add("a\u202eb\x00\xff\"' onload=x\n- [ ] y\n1. z | `c` https://x.example")
	tags := regexp.MustCompile(`<[^>]*>`)
	f.Fuzz(func(t *testing.T, s string) {
		w := func(s string) Document {
			return Whole{Organisation: s, Title: "T" + s, Head: s, Label: "L" + s, First: []string{s}, Contacts: []ContactGroup{{s, []Contact{{s, s, s, "N" + s, []string{s}}}}}, Roles: []RoleText{{s, s, []string{s}}},
				Glossary: []Term{{Word: s, Says: s}}, History: []HistoryLine{{time.Time{}, s, s, s, s, s}},
				Playbooks: []Edition{{Playbook: &Playbook{ID: "x", Title: s, Summary: "S" + s, Signs: []string{s}, Phases: []Phase{{Recovery, []Node{{Step: &Step{What: s, Role: s, Why: "W" + s, How: "H" + s, Done: "D" + s}}}}}}}}}.Document()
		}
		page, plain := w(s).HTML(), w("x").HTML()
		if a, b := tags.FindAllString(string(page), -1), tags.FindAllString(string(plain), -1); strings.Trim(s, " \t\n\r\v\f") != "" && visible(s) != "" && len(a) != len(b) {
			t.Fatalf("%d tags in place of %d", len(a), len(b))
		}
		for _, out := range [][]byte{page, w(s).Markdown()} {
			if i := bytes.IndexFunc(out, func(r rune) bool { return r != '\n' && !unicode.IsPrint(r) }); i >= 0 {
				t.Fatalf("it has a sign that nobody sees: %q", out[i:])
			}
		}
		for l := range strings.Lines(string(w(s).Markdown())) {
			if strings.Contains(strings.ReplaceAll(strings.ReplaceAll(l, "<br>", ""), "\\<", ""), "<") {
				t.Fatalf("a tag is in %q", l)
			}
		}
	})
}
