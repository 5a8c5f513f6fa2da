package detect

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"tocsin/internal/record"
	"tocsin/internal/sigma"
)

// A filtering is a filter over the rule "r" with records that must still match and others that must not any more.
type filtering struct {
	part   string
	filter string // the filter section, or whole documents
	yes    []string
	no     []string
}

const filteredRule = `
title: r
id: r
name: by_name
logsource: {category: process_creation, product: windows}
detection: {s: {event.action: run}, t: {own.kind: tool}, condition: [s, t]}
---
title: other
id: other
logsource: {category: process_creation, product: windows}
detection: {s: {event.action: run}, condition: s}
---
`

func filterOf(section string) string {
	return "title: f\nid: f\nlogsource: {category: process_creation, product: windows}\nfilter: {" + section + "}\n"
}

var filterings = []filtering{
	// as the specification's example writes it, as its schema and pySigma write it: both take adm_ away
	{"filters: Examples", "rules: [r], selection: {user.name|startswith: adm_}, condition: selection", []string{"user.name=anna", ""}, []string{"user.name=adm_anna"}},
	{"filters: filter condition", "rules: [r], selection: {user.name|startswith: adm_}, condition: not selection", []string{"user.name=anna", ""}, []string{"user.name=ADM_anna"}},
	{"filters: filter condition", "rules: [r], selection: {user.name: a}, condition: not (selection)", []string{"user.name=b"}, []string{"user.name=a"}},
	{"filters: filter condition", "rules: [r], selection: {user.name: a}, condition: ((selection))", []string{"user.name=b"}, []string{"user.name=a"}},
	{"filters: filter condition", "rules: [r], a: {user.name: a}, b: {own: b}, condition: a or b", []string{"user.name=x", "own=x"}, []string{"user.name=a", "own=b"}},
	{"filters: filter condition", "rules: [r], a: {user.name: a}, b: {own: b}, condition: a and b", []string{"user.name=a", "own=b"}, []string{"user.name=a own=b"}},
	{"filters: filter condition", "rules: [r], a: {user.name: a}, b: {own: b}, condition: not a and not b", []string{"user.name=x", ""}, []string{"user.name=a", "own=b"}},
	{"filters: filter condition", "rules: [r], a: {user.name: a}, b: {own: b}, condition: not (a or b)", []string{"user.name=x"}, []string{"user.name=a", "own=b"}},
	{"filters: filter condition", "rules: [r], a: {user.name: a}, b: {own: b}, condition: a and not b", []string{"user.name=x", "user.name=a own=b"}, []string{"user.name=a"}},
	{"filters: filter condition", "rules: [r], a: {user.name: a}, b: {own: b}, condition: not a or b", []string{"user.name=x", "user.name=a own=b"}, []string{"user.name=a"}},
	{"filters: filter condition", "rules: [r], selection_a: {user.name: a}, selection_b: {own: b}, condition: 1 of selection_*", []string{"user.name=x"}, []string{"user.name=a", "own=b"}},
	{"filters: filter condition", "rules: [r], selection_a: {user.name: a}, selection_b: {own: b}, condition: not 1 of them", []string{"user.name=x"}, []string{"user.name=a", "own=b"}},
	{"filters: filter condition", "rules: [r], a: {user.name: a}, b: {own: b}, condition: all of them", []string{"user.name=a"}, []string{"user.name=a own=b"}},
	{"filters: filter selection", "rules: [r], s: {user.name: a}, condition: s", []string{"user.name=b"}, []string{"user.name=a"}}, // its s is not the rule's
	{"filters: filter selection", "rules: [r], selection: [{user.name: a}, {own: b}], condition: selection", []string{"own=c"}, []string{"user.name=a", "own=b"}},
	{"filters: filter selection", "rules: [r], selection: [needle], condition: selection", []string{"own=hay"}, []string{"own=needle"}},
	{"filters: filter selection", "rules: [r], selection: {user.name|neq: a}, condition: selection", []string{"user.name=a"}, []string{"user.name=b", ""}},
	{"filters: filter selection", "rules: [r], selection: {user.name|cidr: 10.0.0.0/8}, condition: selection", []string{"user.name=a"}, []string{"user.name=10.1.2.3"}},
	{"filters: Relative rules", "rules: [by_name], selection: {user.name: a}, condition: selection", []string{"user.name=b"}, []string{"user.name=a"}},
	{"filters: Relative rules", "rules: [other], selection: {user.name: a}, condition: selection", []string{"user.name=a"}, nil},
	{"filters: Relative rules", "rules: [other, r], selection: {user.name: a}, condition: selection", []string{"user.name=b"}, []string{"user.name=a"}},
	{"filters: Relative rules", "rules: [r, by_name, r], selection: {user.name: a}, condition: selection", []string{"user.name=b"}, []string{"user.name=a"}},
	{"filters: Relative rules", "rules: [gone, r], selection: {user.name: a}, condition: selection", []string{"user.name=b"}, []string{"user.name=a"}},
	{"filters: Relative rules", filterOf("rules: [r], selection: {user.name: a}, condition: selection") + "---\n" +
		strings.Replace(filterOf("rules: [r], selection: {own: b}, condition: not selection"), "id: f", "id: f2", 1), []string{"user.name=b"}, []string{"user.name=a", "own=b"}},
	{"filters: Log source", strings.Replace(filterOf("rules: [r], selection: {user.name: a}, condition: selection"), "category: process_creation, ", "", 1), []string{"user.name=b"}, []string{"user.name=a"}},
	{"filters: Log source", strings.Replace(filterOf("rules: [r], selection: {user.name: a}, condition: selection"), ", product: windows", "", 1), []string{"user.name=b"}, []string{"user.name=a"}},
}

func TestConformanceFilters(t *testing.T) { conformFilters(t, (*sigma.Rule).Match) }

// conformFilters holds an evaluator against the filters.
func conformFilters(t *testing.T, match func(*sigma.Rule, *record.Record) bool) {
	for i, c := range filterings {
		t.Run(fmt.Sprintf("%d %s", i, c.part), func(t *testing.T) {
			text := c.filter
			if !strings.HasPrefix(text, "title:") {
				text = filterOf(text)
			}
			set := rules(t, filteredRule+text)
			docs := set.Documents()
			if len(docs) != 2 || docs[0].Rule == nil || docs[0].Rule.Key() != "r" {
				t.Fatalf("a filter is no rule of the set: %d documents", len(docs))
			}
			for _, s := range slices.Concat(c.yes, c.no) {
				for _, way := range []string{"event.action=run", "own.kind=tool"} { // either condition of the rule
					r := at(0, append(strings.Fields(s), way)...)
					want := slices.Contains(c.yes, s)
					if match(docs[0].Rule, r) != want {
						t.Errorf("%s\n%q with %s: match is %v", c.filter, s, way, !want)
					}
					if match(docs[0].Rule, at(0, strings.Fields(s)...)) {
						t.Errorf("%s\n%q: a filter makes nothing a match", c.filter, s)
					}
				}
			}
		})
	}
}

// TestFilterInForce: a filtered rule is another version, says so, and is held so by a Detector and under a correlation.
func TestFilterInForce(t *testing.T) {
	correlation := "---\ntitle: c\nid: c\ncorrelation: {type: event_count, rules: [fail], group-by: [source.ip], timespan: 1m, condition: {gte: 2}}\n"
	filter := "---\ntitle: no robots\nid: f\nlogsource: {category: application}\nfilter: {rules: [fail], selection: {user.name: robot}, condition: selection}\n"
	plain, set := rules(t, failRule+correlation), rules(t, failRule+correlation+filter)
	if plain.Hash() == set.Hash() || plain.nodes[0].meta.Version == set.nodes[0].meta.Version {
		t.Error("a filter makes another version of the rule, and another set")
	}
	if got := strings.Join(set.Documents()[0].Explain(), "\n"); !strings.Contains(got, `"no robots"`) || !strings.Contains(got, "user.name is robot") {
		t.Errorf("the rule does not say what its filter takes away:\n%s", got)
	}
	check(t, run(New(set, Options{}), fail(0, "1.1.1.1", "robot"), fail(1, "1.1.1.1", "robot"), fail(2, "1.1.1.1", "a")))
	check(t, run(New(set, Options{}), fail(0, "1.1.1.1", "a"), fail(1, "1.1.1.1", "robot"), fail(2, "1.1.1.1", "a")), "raised c [1.1.1.1] x2 1.1.1.1/2 a/2/v")
}

// TestConformanceLoad: what only the whole set can know is refused or warned of by name, and stops nothing else.
func TestConformanceLoad(t *testing.T) {
	correlation := func(more string) string {
		return "title: c\nid: c\ncorrelation: {type: temporal, rules: [failed_login, login], group-by: [source.ip], timespan: 1m" + more + "}\n"
	}
	filter := func(source, rules, field string) string {
		return "title: f\nid: f\nlogsource: {" + source + "}\nfilter: {rules: [" + rules + "], selection: {" + field + ": x}, condition: selection}\n"
	}
	for i, c := range []struct {
		part    string
		text    string
		refused string // feature, "" when it is not
		warned  string // part of a warning, "" for none
	}{
		{"correlation: Related rules", strings.Replace(correlation(""), "failed_login", "missing", 1), "missing rule", ""},
		{"correlation: Related rules", strings.Replace(correlation(""), "failed_login", "c", 1), "missing rule", ""},
		{"correlation: Related rules", strings.Replace(correlation(""), "failed_login", "login", 1), "rules", ""},
		{"correlation: Related rules", strings.Replace(correlation(""), "failed_login", "successful_login", 1), "rules", ""},
		{"correlation: Related rules", strings.Replace(correlation(""), "failed_login", "f", 1) + "---\n" + filter("category: application", "login", "a"), "missing rule", ""},
		{"correlation: Related rules", "title: a\nid: a\ncorrelation: {type: temporal, rules: [b], timespan: 1m}\n---\ntitle: b\nid: b\ncorrelation: {type: temporal, rules: [a], timespan: 1m}\n", "missing rule", ""},
		{"correlation: Identification", correlation("") + "---\n" + correlation(""), "duplicate", ""},
		{"correlation: Aliases", correlation(", aliases: {x: {fail: a, login: b, move: c}}"), "aliases", ""},
		{"correlation: Aliases", correlation(", aliases: {x: {fail: a, login: b, nobody: c}}"), "aliases", ""},
		{"correlation: Aliases", correlation(", aliases: {x: {fail: a}}"), "aliases", ""},
		{"correlation: Grouping", "title: w\nid: w\nlogsource: {category: webserver}\ndetection: {s: [x], condition: s}\n---\ntitle: c\nid: c\ncorrelation: {type: temporal, rules: [w], group-by: [source.ipp], timespan: 1m}\n", "field source.ipp", ""},
		{"correlation: Grouping", "title: w\nid: w\nlogsource: {category: webserver}\ndetection: {s: [x], condition: s}\n---\ntitle: c\nid: c\ncorrelation: {type: temporal, rules: [w], group-by: [cs-content-type], timespan: 1m}\n", "", "gives the field cs-content-type to the records of its rule"},
		{"rules: LogSource", "title: w\nid: w\nlogsource: {product: windows}\ndetection: {s: [x], condition: s}\n", "", "no log here gives this source"},
		{"rules: Field Usage", "title: w\nid: w\nlogsource: {product: linux}\ndetection: {s: {a0: x}, condition: s}\n", "", "no parser here gives the field a0"},
		{"rules: Status", "title: w\nid: w\nstatus: unsupported\nlogsource: {product: linux}\ndetection: {s: [x], condition: s}\n", "", "its status is unsupported"},
		{"rules: Condition", "title: w\nid: w\nlogsource: {product: linux}\ndetection: {s: [x], t: [y], condition: s}\n", "", "does not use the selection t"},
		{"filters: Log source", filter("category: webserver", "fail", "a"), "filter", ""},
		{"filters: Log source", filter("category: application, product: shop", "fail", "a"), "filter", ""},
		{"filters: Log source", filter("category: webserver", "fail, login", "a"), "filter", ""},
		{"filters: Relative rules", filter("category: application", "missing", "a"), "", `it names the rule "missing", which is not there or was refused`},
		{"filters: Relative rules", filter("category: application", "fail, missing", "a"), "", `it names the rule "missing"`},
		{"filters: Relative rules", correlation("") + "---\n" + filter("category: application", "c", "a"), "filter of a correlation", ""},
		{"filters: filter selection", "title: w\nid: w\nlogsource: {category: webserver}\ndetection: {s: [x], condition: s}\n---\n" + filter("category: webserver", "w", "cs-content-type"), "", "gives the field cs-content-type"},
	} {
		t.Run(fmt.Sprintf("%d %s", i, c.part), func(t *testing.T) {
			known := []record.LogSource{{Categories: []string{"application", "webserver"}, Product: "linux"}}
			set, refused, warnings := LoadFiles([]File{{"t.yml", []byte(sceneRules + c.text)}}, known...)
			if (len(refused) > 0) != (c.refused != "") || len(refused) > 0 && (refused[0].Feature != c.refused || refused[0].Rule == "" || refused[0].Line == 0) {
				t.Errorf("refused %+v, want %q", refused, c.refused)
			}
			if found := slices.ContainsFunc(warnings, func(w Warning) bool { return strings.Contains(w.Why, c.warned) }); c.warned != "" && !found {
				t.Errorf("no warning says %q: %+v", c.warned, warnings)
			}
			if len(set.Documents()) < 4 {
				t.Errorf("only %d documents are left", len(set.Documents()))
			}
			run(New(set, Options{}), fail(0, "1.1.1.1", "a"))
		})
	}
}
