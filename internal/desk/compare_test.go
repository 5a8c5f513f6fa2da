package desk

import (
	"fmt"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
)

const ruleForm = `title: %s
id: 22222222-2222-4222-8222-0000000000%s
status: test
level: %s
logsource: {category: webserver}
detection: {word: {url.original|contains: %s}, condition: word}
tocsin: {group: [source.ip], quiet: 30m}
---
`

// Two sets go over the same records; told are the rules that are new, gone or changed, with what each said before and after, and
// the incidents that only one of them makes, or that ring with one only.
func TestCompare(t *testing.T) {
	rule := func(title, id, level, word string) string { return fmt.Sprintf(ruleForm, title, id, level, word) }
	pack := fstest.MapFS{"pack.yml": {Data: []byte(rule("Stays", "01", "high", "/stays") + rule("Louder", "02", "low", "/louder"))}}
	mine := fstest.MapFS{"mine.yml": {Data: []byte(rule("Gone", "03", "high", "/gone") + rule("Kept", "04", "medium", "/kept"))}}
	next := fstest.MapFS{"next.yml": {Data: []byte(rule("Kept", "04", "medium", "/kept") + rule("Louder", "02", "high", "/louder") + rule("New", "05", "critical", "/new"))}}
	before, err := LoadRules(pack, mine)
	if err != nil {
		t.Fatal(err)
	}
	after, err := LoadRulesOver(next, pack)
	if err != nil || len(after.Refused) > 0 {
		t.Fatal(err, after.Refused)
	}
	start := time.Date(2026, 11, 9, 14, 0, 0, 0, time.UTC)
	var lines []string
	for n, x := range []struct{ ip, path string }{
		{"192.0.2.1", "/stays"}, {"192.0.2.2", "/louder"}, {"192.0.2.3", "/gone"}, {"192.0.2.4", "/kept"}, {"192.0.2.5", "/new"}, {"192.0.2.5", "/new"}, {"192.0.2.1", "/new"},
	} {
		lines = append(lines, request(start.Add(time.Duration(n)*time.Minute), x.ip, x.path))
	}
	logs := fstest.MapFS{"access.log": {Data: []byte(strings.Join(lines, "\n") + "\n")}}
	for _, workers := range []int{1, 3} {
		out, err := RunReplay(t.Context(), ReplayOptions{Folders: []fs.FS{logs}, Rules: before.Rules, Compare: after.Rules, Workers: workers})
		if err != nil {
			t.Fatal(err)
		}
		c := Compare(before.Rules, after.Rules, out)
		var got []string
		for _, x := range c.Rules {
			got = append(got, fmt.Sprintf("%s %s %s%s: %d -> %d alerts, %d -> %d records, %s", x.Change, x.Title, x.Was, x.Level, x.Before.Alerts, x.After.Alerts,
				x.Before.Records, x.After.Records, x.After.First.Format("15:04")))
		}
		for _, i := range c.Incidents {
			got = append(got, fmt.Sprintf("%s %s %s %v", i.Change, i.Incident.Title, i.Incident.Severity, i.Rings))
		}
		want := []string{
			"new New critical: 0 -> 2 alerts, 0 -> 3 records, 14:04",
			"changed Louder lowhigh: 1 -> 1 alerts, 1 -> 1 records, 14:01",
			"gone Gone high: 1 -> 0 alerts, 1 -> 0 records, 00:00",
			"new Louder high true", // a low alert opens no incident
			"gone Gone high true",
			"new New critical true",
		}
		if d := gocmp.Diff(want, got); d != "" {
			t.Errorf("%d workers: %s", workers, d)
		}
		if c.Same != 2 || c.Before != (Ringing{4, 3, 2}) || c.After != (Ringing{5, 4, 3}) {
			t.Errorf("%d the same, before %+v, after %+v", c.Same, c.Before, c.After)
		}
		if !strings.Contains(c.Rules[0].After.Sample, "/new") {
			t.Errorf("sample %q", c.Rules[0].After.Sample)
		}
	}
}

// An incident is the same on both sides when it has an alert of the same rule at the same time about the same address, though the
// rule has another version.
func TestCompareKnowsIncidentsAgain(t *testing.T) {
	sets := []RuleSet{}
	for _, level := range []string{"medium", "high", "medium"} {
		set, err := LoadRules(fstest.MapFS{"a.yml": {Data: fmt.Appendf(nil, ruleForm, "Knock", "01", level, "/knock")}})
		if err != nil {
			t.Fatal(err)
		}
		sets = append(sets, set)
	}
	at := time.Date(2026, 11, 9, 14, 0, 0, 0, time.UTC)
	logs := fstest.MapFS{"access.log": {Data: []byte(request(at, "192.0.2.1", "/knock") + "\n" + request(at.Add(time.Minute), "192.0.2.1", "/knock") + "\n")}}
	for n, want := range []string{ChangeLouder, ChangeQuieter} {
		out, err := RunReplay(t.Context(), ReplayOptions{Folders: []fs.FS{logs}, Rules: sets[n].Rules, Compare: sets[n+1].Rules})
		if err != nil {
			t.Fatal(err)
		}
		if c := Compare(sets[n].Rules, sets[n+1].Rules, out); len(c.Incidents) != 1 || c.Incidents[0].Change != want {
			t.Errorf("incidents %+v, want one that %s", c.Incidents, want)
		}
	}
}
