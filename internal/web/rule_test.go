package web

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tocsin/internal/desk"
	"tocsin/internal/sigma"
	"tocsin/ui"
)

// shells returns the alert and the rule of the web shell of attacks, whose lines are hostile.
func (c *console) shells(t *testing.T) (alert, rule string) {
	t.Helper()
	c.desk.Read(func(st *desk.State) {
		for _, id := range st.Incidents.Order {
			if a := st.Incidents.Alerts[id]; strings.Contains(a.Title, "web shell") {
				alert, rule = a.ID, a.Rule
			}
		}
	})
	if alert == "" {
		t.Fatal("no alert of a web shell")
	}
	return alert, rule
}

// Rule and alert say why the rule fired, in words, and hostile lines stay text.
func TestWhyItFired(t *testing.T) {
	c := newConsole(t, attacks(), nil)
	c.settled(t)
	alert, rule := c.shells(t)
	anna := c.as(t, "anna")
	for path, wants := range map[string][]string{
		"/alerts/" + alert: {"Why it fired", "</code> holds", "203.0.113.9", "Tocsin (licence: Apache-2.0)"},
		"/rules/" + rule:   {"Why it fired", "</code> holds", "Matches over time", "not measured yet", "When it is wrong", "<code>T1505.003</code> Server Software Component: Web Shell", "Apache-2.0", "Alert of "},
	} {
		got := anna.get(path)
		p := readPage(t, got.body)
		if got.code != http.StatusOK || len(p.wrong) > 0 || strings.Contains(got.body, "<script>alert") || strings.Contains(got.body, "\u202e") || !strings.Contains(got.body, `\u202e`) {
			t.Errorf("%s: %d %q", path, got.code, p.wrong)
		}
		for _, want := range wants {
			if !strings.Contains(got.body, want) {
				t.Errorf("%s does not say %q", path, want)
			}
		}
		if n := len(got.body); n > 100<<10 {
			t.Errorf("%s has %d bytes", path, n)
		}
	}
}

// An alert says on which host its lines were written.
func TestAlertNamesItsHost(t *testing.T) {
	c := newConsole(t, attacks(), nil)
	c.settled(t)
	alert := ""
	c.desk.Read(func(st *desk.State) {
		for id, a := range st.Incidents.Alerts {
			if strings.HasPrefix(a.Title, "SSH sign-in") {
				alert = id
			}
		}
	})
	if got := c.as(t, "anna").get("/alerts/" + alert); !strings.Contains(got.body, "<dt>Host</dt><dd>shop</dd>") {
		t.Errorf("no host: %d %.2000s", got.code, got.body)
	}
}

func TestHitsOverTime(t *testing.T) {
	c := newConsole(t, attacks(), nil)
	c.settled(t)
	_, rule := c.shells(t)
	anna := c.as(t, "anna")
	for path, want := range map[string]string{
		"/rules/" + rule:                `<strong>48 hours</strong>`,
		"/rules/" + rule + "?over=14d":  `<strong>14 days</strong>`,
		"/rules/" + rule + "?over=evil": `<strong>48 hours</strong>`,
	} {
		got := anna.get(path)
		if !strings.Contains(got.body, want) || !strings.Contains(got.body, `class="chart"`) || !strings.Contains(got.body, "The same as a table") {
			t.Errorf("%s: no %q, or no chart", path, want)
		}
	}
}

func TestRulesAreSortedAndNamed(t *testing.T) {
	c := newConsole(t, attacks(), nil)
	c.settled(t)
	_, rule := c.shells(t)
	anna := c.as(t, "anna")
	page := anna.get("/rules?sort=-day")
	rows := page.body[strings.Index(page.body, "<tbody>"):]
	first := rows[:strings.Index(rows, "</tr>")]
	if !strings.Contains(first, `class="spark"`) || strings.Contains(first, "<span>0</span>") {
		t.Errorf("the first row by matches is %s", first)
	}
	for _, want := range []string{`aria-sort="descending"`, "have matched none of them yet", "have had nothing to read yet", `/rules/` + rule} {
		if !strings.Contains(page.body, want) {
			t.Errorf("the list does not say %q", want)
		}
	}
	if n := len(page.body); n > 100<<10 {
		t.Errorf("the list has %d bytes", n)
	}
	if filtered := anna.get("/rules?level=high"); strings.Contains(filtered.body, "have matched none of them yet") {
		t.Error("a filtered list names rules of all levels")
	}
	if got := anna.get("/rules?state=never"); strings.Contains(got.body[strings.Index(got.body, "<tbody"):], `class="spark"`) {
		t.Error("a rule that matched nothing has matches")
	}
	if got := anna.get("/rules?page=2&sort=title"); got.code != http.StatusOK || !strings.Contains(got.body, "51 to ") {
		t.Errorf("the second page: %d", got.code)
	}
	for _, sort := range []string{"level", "-level", "title", "-title", "day", "matches", "-alerts", "last", "-last", "evil", "-"} {
		if got := anna.get("/rules?sort=" + sort); got.code != http.StatusOK || len(readPage(t, got.body).wrong) > 0 {
			t.Errorf("sorted by %q: %d", sort, got.code)
		}
	}
}

func TestOrderRules(t *testing.T) {
	list := func() []ranked {
		return []ranked{{row: ui.RuleRow{Title: "b"}, rank: 1, day: 3, matches: 9}, {row: ui.RuleRow{Title: "A"}, rank: 3, day: 0, matches: 9, alerts: 1}, {row: ui.RuleRow{Title: "c"}, rank: 2, day: 7, last: 5}}
	}
	for sort, want := range map[string]string{"": "Acb", "-level": "Acb", "level": "bcA", "title": "Abc", "-title": "cbA", "-day": "cbA", "day": "Abc", "-matches": "bAc", "-alerts": "Abc", "-last": "cbA", "odd": "Acb"} {
		l := list()
		orderRules(l, sort)
		got := ""
		for _, r := range l {
			got += r.row.Title
		}
		if sort == "-alerts" && got[0] == 'A' || sort == "-last" && got[0] == 'c' {
			continue
		}
		if got != want {
			t.Errorf("by %q: %s, want %s", sort, got, want)
		}
	}
}

func TestTagFacts(t *testing.T) {
	got := tagFacts([]string{"attack.t1110.003", "attack.T1190", "attack.t1110.999", "attack.t9999", "attack.credential-access", "attack.credential_access", "attack.g0049", "cve.2021-44228", "cve.2023.1234",
		"detection.emerging-threats", "mine", "attack.<script>"})
	want := []ui.Fact{{Name: "T1110.003", Value: "Brute Force: Password Spraying"}, {Name: "T1190", Value: "Exploit Public-Facing Application"}, {Name: "T1110.999", Value: "Brute Force, part 999"},
		{Name: "T9999", Value: "a technique of MITRE ATT&CK"}, {Name: "TA0006", Value: "tactic: credential access"}, {Name: "TA0006", Value: "tactic: credential access"},
		{Name: "G0049", Value: "a group or software of MITRE ATT&CK"}, {Name: "CVE-2021-44228", Value: "a known hole"}, {Name: "CVE-2023-1234", Value: "a known hole"}, {Name: "detection", Value: "emerging threats"},
		{Name: "mine", Value: "as the author tagged it"}, {Name: "attack.<script>", Value: "as the author tagged it"}}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

// Every technique that a rule of the pack is tagged with has its name.
func TestTagsOfThePackHaveNames(t *testing.T) {
	set, err := shopRules()
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range set.Rules.Documents() {
		for _, f := range tagFacts(d.Meta().Tags) {
			if f.Value == "a technique of MITRE ATT&CK" || strings.Contains(f.Value, ", part ") || f.Value == "as the author tagged it" {
				t.Errorf("%s: %s is %q", d.Meta().Title, f.Name, f.Value)
			}
		}
	}
}

func TestLicenceWords(t *testing.T) {
	for _, x := range []struct{ author, licence, want string }{
		{"Tocsin", "", "Apache-2.0"}, {"", "", ""}, {"Eva Example", "MIT", "MIT"}, {"Eva Example", "DRL 1.1", "Detection Rule License"}, {"Eva Example", "", "asks to name the author"},
	} {
		got := licenceWords(&sigma.Meta{Author: x.author, License: x.licence})
		if x.want == "" && got != "" || !strings.Contains(got, x.want) {
			t.Errorf("%q %q: %q", x.author, x.licence, got)
		}
	}
}

func TestLevelWords(t *testing.T) {
	seen := []string{}
	for _, l := range []string{"critical", "high", "medium", "low", "informational"} {
		m := &sigma.Meta{Level: l}
		m.Tocsin.Impact = "loss"
		w := levelWords(m)
		if slices.Contains(seen, w) || !strings.HasPrefix(strings.ToLower(w), l+": ") || !strings.Contains(w, "Loss: ") {
			t.Errorf("%s: %q", l, w)
		}
		seen = append(seen, w)
	}
}

func TestMeanWords(t *testing.T) {
	for mean, want := range map[time.Duration]string{0: "not measured yet", -1: "not measured yet", 1: "1 nanosecond a record on average", 380: "380 nanoseconds a record on average", 1234: "1.2 µs a record on average",
		3 * time.Millisecond: "3000.0 µs a record on average"} {
		if got := meanWords(mean); got != want {
			t.Errorf("%d: %q", mean, got)
		}
	}
}
