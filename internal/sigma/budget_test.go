package sigma

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"tocsin/internal/record"
)

func ruleOf(t *testing.T, detection string) *Rule {
	t.Helper()
	docs, err := Parse("rule.yml", []byte("title: t\nid: 5b9a11f0-0000-4000-8000-000000000001\nlogsource: {category: webserver}\ndetection:\n"+detection))
	if err != nil {
		t.Fatal(err)
	}
	return docs[0].Rule
}

// A rule whose patterns without a text cost too much is over its budget; the cost is the rule's, and no record's.
func TestOverBudget(t *testing.T) {
	costly := `(?:\w\d?\s?[a-f]?){400}`
	for _, x := range []struct {
		name, detection string
		over            bool
	}{
		{"no pattern", "  s: {url.original|contains: /x}\n  condition: s", false},
		{"the most costly of SigmaHQ", "  s: {url.original|re: '.{1000,}'}\n  condition: s", false},
		{"a text that must be there", "  s: {url.original|re: 'union" + costly + "'}\n  condition: s", false},
		{"none", "  s: {url.original|re: '" + costly + "'}\n  condition: s", true},
		{"in a list", "  s: {url.original|re: ['union', '" + costly + "']}\n  condition: s", true},
		{"as a keyword", "  s: {'|re': '" + costly + "'}\n  condition: s", true},
		{"several that are too many together", "  s: {url.original|re: ['.{900}', 'x.{800}', '.{700}y']}\n  condition: s", true},
		{"behind a not", "  s: {url.original|contains: /x}\n  n: {url.original|re: '" + costly + "'}\n  condition: s and not n", true},
		{"globs", "  s: {url.original: '*a*?b*c*'}\n  condition: s", false},
	} {
		t.Run(x.name, func(t *testing.T) {
			why := ruleOf(t, x.detection).OverBudget()
			if (why != "") != x.over {
				t.Errorf("over its budget: %q", why)
			}
			if x.over && (!strings.Contains(why, "for each byte") || len(why) > 600) {
				t.Errorf("%q", why)
			}
		})
	}
}

// A costly pattern sees fewer bytes, one that is cheap or has a text to look for all MaxRegex.
func TestWhatAPatternSees(t *testing.T) {
	for pattern, sees := range map[string]int{`\d\d`: MaxRegex, `.{500}Z`: MaxRegex, `.{1000}Z`: 4177, `union.{1000}Z`: MaxRegex} {
		u := ruleOf(t, "  s: {url.original|re: '"+pattern+"'}\n  condition: s")
		is := u.expr.kids
		for len(is) > 0 {
			u.expr, is = is[0], is[0].kids
		}
		if n := u.expr.term.wants[0].sees; n < sees-100 || n > sees+100 {
			t.Errorf("%s sees %d bytes, want some %d", pattern, n, sees)
		}
	}
	u := ruleOf(t, "  s: {url.original|re: '.{1000}Z'}\n  condition: s")
	for n, want := range map[int]bool{1500: true, 6000: false} {
		r := &record.Record{Class: record.Parsed}
		r.Set(record.URLOriginal, record.Text(strings.Repeat("a", n)+"Z"))
		if got := u.Match(r); got != want {
			t.Errorf("with %d bytes before: %v", n, got)
		}
		if got := len(Compile([]*Rule{u}, nil).NewMatcher(nil).Match(r)) > 0; got != want {
			t.Errorf("compiled, with %d bytes before: %v", n, got)
		}
	}
}

// A rule lacks fields only where they decide that it can never match.
func TestLacks(t *testing.T) {
	for _, x := range []struct{ detection, want string }{
		{"  s: {CommandLine|contains: x}\n  condition: s", "[CommandLine]"},
		{"  s: {CommandLine|contains: x, url.original|contains: y}\n  condition: s", "[CommandLine]"},
		{"  s: [{CommandLine|contains: x}, {url.original|contains: y}]\n  condition: s", "[]"},
		{"  s: {url.original|contains: y}\n  n: {CommandLine|contains: x}\n  condition: s and not n", "[]"},
		{"  s: {url.original|contains: y}\n  n: {CommandLine: null}\n  condition: s and not n", "[CommandLine]"},
		{"  s: {CommandLine|exists: false, url.original|contains: y}\n  condition: s", "[]"},
		{"  s: {CommandLine|exists: true, url.original|contains: y}\n  condition: s", "[CommandLine]"},
		{"  s: {CommandLine|neq: x, url.original|contains: y}\n  condition: s", "[]"},
		{"  s: {url.original|contains: y}\n  condition: s", "[]"},
		{"  s: ['word']\n  condition: s", "[]"},
	} {
		if got := fmt.Sprint(ruleOf(t, x.detection).Lacks()); got != x.want {
			t.Errorf("%s: %s, want %s", x.detection, got, x.want)
		}
	}
}

// What is measured changes nothing, and every rule that matches was looked at.
func TestMatchTimed(t *testing.T) {
	rules := []*Rule{
		ruleOf(t, "  s: {url.original|contains: union}\n  condition: s"),
		ruleOf(t, "  s: {url.original|contains: select}\n  condition: s"),
		ruleOf(t, "  s: {url.original|re: '^.{3}$'}\n  condition: s"),
	}
	m := Compile(rules, nil).NewMatcher(nil)
	now := time.Duration(0)
	tick := func() time.Duration { now++; return now }
	for _, x := range []struct {
		url  string
		hits string
		runs string
	}{{"/union", "[0]", "[0 2]"}, {"/ab", "[2]", "[2]"}, {"/select/union", "[0 1]", "[0 1 2]"}} {
		r := &record.Record{Class: record.Parsed}
		r.Set(record.URLOriginal, record.Text(x.url))
		var tried []int32
		hits, scan := m.MatchTimed(r, tick, func(i int32, took time.Duration) {
			tried = append(tried, i)
			if took != 1 {
				t.Errorf("rule %d took %d ticks", i, took)
			}
		})
		if fmt.Sprint(hits) != x.hits || fmt.Sprint(tried) != x.runs || scan != 1 {
			t.Errorf("%s: matches %v, tried %v, scan %d", x.url, hits, tried, scan)
		}
		if plain := fmt.Sprint(m.Match(r)); plain != x.hits {
			t.Errorf("%s: without a clock %s", x.url, plain)
		}
	}
}
