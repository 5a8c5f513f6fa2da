package detect

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tocsin/internal/record"
)

// This is the part of the conformance suite (package sigma) that needs time: correlations and filters of the Sigma
// specification 2.1.0. Each case names document and section.

// A scene is rules, records that come one after the other, and the alerts that they must raise.
type scene struct {
	part  string // "document: section" of the specification
	rules string // the correlation section of a document "c", or whole documents
	steps string // records with "; " between them, as written for sceneRecord
	want  string // "second rule [group]" of each alert raised, with "; " between them
}

// sceneRules are what every scene has: rules that raise no alerts of their own.
const sceneRules = `
title: fail
id: fail
name: failed_login
level: informational
logsource: {category: application}
detection: {s: {event.action: fail}, condition: s}
---
title: login
id: login
name: successful_login
level: informational
logsource: {category: application}
detection: {s: {event.action: login}, condition: s}
---
title: move
id: move
level: informational
logsource: {category: application}
detection: {s: {event.action: move}, condition: s}
---
title: any
id: any
level: informational
logsource: {category: application}
detection: {s: {event.action: '*'}, condition: s}
---
`

func sceneText(s scene) string {
	if strings.HasPrefix(s.rules, "title:") {
		return sceneRules + s.rules
	}
	return sceneRules + "title: c\nid: c\ncorrelation: {" + s.rules + "}\n"
}

// sceneRecord reads "second action address account", with "-" for a field that is missing, and further "name=value".
func sceneRecord(t *testing.T, s string) *record.Record {
	f := strings.Fields(s)
	second, err := strconv.ParseFloat(f[0], 64)
	if err != nil || len(f) < 4 {
		t.Fatalf("%q is no step", s)
	}
	pairs := slices.Clone(f[4:])
	for i, name := range []string{"event.action", "source.ip", "user.name"} {
		if f[i+1] != "-" {
			pairs = append(pairs, name+"="+f[i+1])
		}
	}
	return at(second, pairs...)
}

// TestConformanceCorrelations plays the scenes. Each is played a second time with the state written down and read back
// before every record.
func TestConformanceCorrelations(t *testing.T) {
	cases := slices.Concat(countScenes, valueScenes, temporalScenes, chainScenes)
	t.Logf("%d scenes", len(cases))
	for i, c := range cases {
		t.Run(fmt.Sprintf("%d %s", i, c.part), func(t *testing.T) {
			set := rules(t, sceneText(c))
			for _, restart := range []bool{false, true} {
				d := New(set, Options{})
				var got []string
				for n, step := range strings.Split(c.steps, "; ") {
					if restart {
						data, err := d.Snapshot()
						if err != nil {
							t.Fatal(err)
						}
						d = New(set, Options{})
						if err := d.Restore(data); err != nil {
							t.Fatal(err)
						}
					}
					r := sceneRecord(t, step)
					r.Line.Seq = int64(n + 1)
					for _, x := range d.Step(r) {
						if x.Step == Raised {
							got = append(got, fmt.Sprintf("%s %s %v", strings.Fields(step)[0], x.Alert.Rule, x.Alert.Group))
						}
					}
				}
				if d := cmp.Diff(c.want, strings.Join(got, "; ")); d != "" {
					t.Errorf("%s\n%s\nrestart %v: %s", c.rules, c.steps, restart, d)
				}
			}
		})
	}
}

var countScenes = []scene{
	{"correlation: Event Count", counted("gte: 3"), "0 fail 1 a; 10 fail 1 a; 20 fail 1 a; 30 fail 1 a", "20 c [1]"},
	{"correlation: Event Count", counted("gte: 3"), "0 fail 1 a; 10 fail 1 a; 20 login 1 a", ""},
	{"correlation: Event Count", counted("gte: 3"), "0 fail 1 a; 1 fail 2 a; 2 fail 1 a; 3 fail 2 a; 4 fail 1 a", "4 c [1]"},
	{"correlation: Condition", counted("gt: 2"), "0 fail 1 a; 1 fail 1 a; 2 fail 1 a", "2 c [1]"},
	{"correlation: Condition", counted("gte: 1"), "0 fail 1 a", "0 c [1]"},
	{"correlation: Condition", counted("lt: 2"), "0 fail 1 a; 1 fail 1 a", "0 c [1]"},
	{"correlation: Condition", counted("lte: 1"), "0 fail 1 a; 1 fail 2 a", "0 c [1]; 1 c [2]"},
	{"correlation: Condition", counted("eq: 2"), "0 fail 1 a; 1 fail 1 a; 2 fail 1 a", "1 c [1]"},
	{"correlation: Condition", counted("neq: 1"), "0 fail 1 a; 1 fail 1 a", "1 c [1]"},
	{"correlation: Condition", counted("gt: 1, lte: 2"), "0 fail 1 a; 1 fail 1 a; 2 fail 1 a", "1 c [1]"},
	{"correlation: Condition", counted("gt: 1, neq: 2"), "0 fail 1 a; 1 fail 1 a; 2 fail 1 a", "2 c [1]"},
	{"correlation: Time Selection", counted("gte: 2"), "0 fail 1 a; 60 fail 1 a", "60 c [1]"},
	{"correlation: Time Selection", counted("gte: 2"), "0 fail 1 a; 60.001 fail 1 a", ""},
	{"correlation: Time Selection", counted("gte: 3"), "3570 fail 1 a; 3590 fail 1 a; 3610 fail 1 a", "3610 c [1]"}, // over the full hour
	{"correlation: Time Selection", counted("gte: 3"), "0 fail 1 a; 50 fail 1 a; 70 fail 1 a; 100 fail 1 a", "100 c [1]"},
	{"correlation: Time Selection", spanning("90s"), "0 fail 1 a; 90 fail 1 a", "90 c [1]"},
	{"correlation: Time Selection", spanning("90m"), "0 fail 1 a; 5400 fail 1 a", "5400 c [1]"},
	{"correlation: Time Selection", spanning("2h"), "0 fail 1 a; 7201 fail 1 a", ""},
	{"correlation: Time Selection", spanning("1d"), "0 fail 1 a; 86400 fail 1 a", "86400 c [1]"},
	{"correlation: Time Selection", counted("gte: 3"), "0 fail 1 a; 30 fail 1 a; 200 fail 1 b; 15 fail 1 a", "15 c [1]"}, // out of order
	{"correlation: Grouping", "type: event_count, rules: [fail], group-by: [source.ip, user.name], timespan: 1m, condition: {gte: 2}",
		"0 fail 1 a; 1 fail 1 b; 2 fail 2 a; 3 fail 1 a", "3 c [1 a]"},
	{"correlation: Grouping", counted("gte: 2"), "0 fail - a; 1 fail - a; 2 fail 1 a", ""},
	{"correlation: Grouping", "type: event_count, rules: [fail], group-by: [user.name], timespan: 1m, condition: {gte: 2}", "0 fail 1 Anna; 1 fail 2 ANNA", "1 c [Anna]"},
	{"correlation: Grouping", "type: event_count, rules: [fail], group-by: [own.host], timespan: 1m, condition: {gte: 2}", "0 fail 1 a own.host=x; 1 fail 1 a own.host=y; 2 fail 2 b own.host=x", "2 c [x]"},
	{"correlation: Grouping", "type: event_count, rules: [fail], timespan: 1m, condition: {gte: 2}", "0 fail 1 a; 1 fail 2 b", "1 c []"},
	{"correlation: Related rules", "type: event_count, rules: [failed_login], group-by: [source.ip], timespan: 1m, condition: {gte: 2}", "0 fail 1 a; 1 fail 1 a", "1 c [1]"},
	{"correlation: Related rules", "type: event_count, rules: [failed_login, login], group-by: [source.ip], timespan: 1m, condition: {gte: 2}", "0 fail 1 a; 1 login 1 a", "1 c [1]"},
	{"correlation: Related rules", "type: event_count, rules: [fail, any], group-by: [source.ip], timespan: 1m, condition: {gte: 2}", "0 fail 1 a; 1 move 1 a", "1 c [1]"},
	{"correlation: Value Count", distinct("field: user.name, gte: 2"), "0 fail 1 a; 1 fail 1 a; 2 fail 1 b", "2 c [1]"},
	{"correlation: Value Count", distinct("field: user.name, gte: 2"), "0 fail 1 a; 1 fail 1 A; 2 fail 2 b", ""},
	{"correlation: Value Count", distinct("field: user.name, gte: 2"), "0 fail 1 a; 61 fail 1 b", ""},
	{"correlation: Value Count", distinct("field: user.name, gte: 2"), "0 fail 1 a; 1 fail 1 -; 2 fail 1 -", ""},
	{"correlation: Value Count", distinct("field: user.name, lt: 2"), "0 fail 1 a", "0 c [1]"},
	{"correlation: Value Count", distinct("field: user.name, eq: 2"), "0 fail 1 a; 1 fail 1 b", "1 c [1]"},
	{"correlation: Value Count", distinct("field: user.name, neq: 1"), "0 fail 1 a; 1 fail 1 a; 2 fail 1 b", "2 c [1]"},
	{"correlation: Value Count", distinct("field: user.name, gt: 1, lte: 2"), "0 fail 1 a; 1 fail 1 b", "1 c [1]"},
	{"correlation: Value Count", distinct("field: [user.name, own], gte: 3"), "0 fail 1 a own=1; 1 fail 1 a own=2; 2 fail 1 a own=2; 3 fail 1 b own=1", "3 c [1]"},
	{"correlation: Value Count", distinct("field: [user.name, own], gte: 2"), "0 fail 1 a own=1; 1 fail 1 b", ""},
}

func counted(bounds string) string {
	return "type: event_count, rules: [fail], group-by: [source.ip], timespan: 1m, condition: {" + bounds + "}"
}

func spanning(timespan string) string {
	return "type: event_count, rules: [fail], group-by: [source.ip], timespan: " + timespan + ", condition: {gte: 2}"
}

func distinct(condition string) string {
	return "type: value_count, rules: [fail], group-by: [source.ip], timespan: 1m, condition: {" + condition + "}"
}

func reckoned(kind, condition string) string {
	return "type: value_" + kind + ", rules: [move], group-by: [source.ip], timespan: 1m, condition: {" + condition + "}"
}

var valueScenes = []scene{
	{"correlation: Value Sum", reckoned("sum", "field: transfer.bytes, gt: 100"), "0 move 1 a transfer.bytes=60; 1 move 1 a transfer.bytes=40; 2 move 1 a transfer.bytes=1", "2 c [1]"},
	{"correlation: Value Sum", reckoned("sum", "field: transfer.bytes, gt: 100"), "0 move 1 a transfer.bytes=60; 1 move 2 a transfer.bytes=60", ""},
	{"correlation: Value Sum", reckoned("sum", "field: transfer.bytes, gt: 100"), "0 move 1 a transfer.bytes=60; 61 move 1 a transfer.bytes=60", ""},
	{"correlation: Value Sum", reckoned("sum", "field: n, gte: 1"), "0 move 1 a n=0.25; 1 move 1 a n=much; 2 move 1 a; 3 move 1 a n=0.75", "3 c [1]"},
	{"correlation: Value Sum", reckoned("sum", "field: n, lt: 0"), "0 move 1 a n=5; 1 move 1 a n=-6", "1 c [1]"},
	{"correlation: Value Sum", reckoned("sum", "field: n, eq: 7"), "0 move 1 a n=5; 1 move 1 a n=2", "1 c [1]"},
	{"correlation: Value Sum", reckoned("sum", "field: n, gt: 5, lte: 10"), "0 move 1 a n=5; 1 move 1 a n=5", "1 c [1]"},
	{"correlation: Value Average", reckoned("avg", "field: transfer.bytes, gt: 50"), "0 move 1 a transfer.bytes=40; 1 move 1 a transfer.bytes=80", "1 c [1]"},
	{"correlation: Value Average", reckoned("avg", "field: transfer.bytes, gt: 50"), "0 move 1 a transfer.bytes=50; 1 move 1 a transfer.bytes=50", ""},
	{"correlation: Value Average", reckoned("avg", "field: n, lt: 10"), "0 move 1 a n=20; 1 move 1 a n=5; 2 move 1 a n=1", "2 c [1]"},
	{"correlation: Value Average", reckoned("avg", "field: n, eq: 2.5"), "0 move 1 a n=2; 1 move 1 a n=3", "1 c [1]"},
	{"correlation: Value Average", reckoned("avg", "field: n, neq: 2"), "0 move 1 a n=2; 1 move 1 a n=2; 2 move 1 a n=5", "2 c [1]"},
	{"correlation: Value Average", reckoned("avg", "field: n, gte: 10"), "0 move 1 a n=1; 61 move 1 a n=10", "61 c [1]"},
	{"correlation: Value Average", reckoned("avg", "field: n, gte: 10"), "0 move 1 a n=1; 1 move 2 a n=10", "1 c [2]"},
	{"correlation: Value Average", reckoned("avg", "field: n, gte: 10"), "0 move 1 a n=1; 1 move 1 a; 2 move 1 a n=x; 3 move 1 a n=18", ""},
	{"correlation: Value Average", reckoned("avg", "field: n, lt: -1"), "0 move 1 a n=0; 1 move 1 a n=-3", "1 c [1]"},
	{"correlation: Value Average", "type: value_avg, rules: [move, login], group-by: [source.ip], timespan: 1m, condition: {field: n, gte: 6}", "0 move 1 a n=2; 1 login 1 a n=10", "1 c [1]"},
	{"correlation: Value Percentile", reckoned("percentile", "field: user.name, lte: 20"), "0 move 1 a; 1 move 1 a; 2 move 1 a; 3 move 1 a; 4 move 1 b", "4 c [1]"},
	{"correlation: Value Percentile", reckoned("percentile", "field: user.name, lt: 20"), "0 move 1 a; 1 move 1 a; 2 move 1 a; 3 move 1 a; 4 move 1 b", ""},
	{"correlation: Value Percentile", reckoned("percentile", "field: user.name, lte: 20"), "0 move 1 a; 1 move 1 A; 2 move 1 a; 61.5 move 1 a; 62 move 1 b", ""},
	{"correlation: Value Percentile", reckoned("percentile", "field: user.name, gt: 60"), "0 move 1 a; 1 move 2 b", "0 c [1]; 1 c [2]"},
	{"correlation: Value Percentile", reckoned("percentile", "field: user.name, eq: 50"), "0 move 1 a; 1 move 1 b", "1 c [1]"},
	{"correlation: Value Percentile", reckoned("percentile", "field: user.name, gte: 30, lt: 40"), "0 move 1 a; 1 move 1 b; 2 move 1 c", "2 c [1]"},
	{"correlation: Value Percentile", reckoned("percentile", "field: user.name, lte: 50"), "0 move 1 a; 1 move 1 -; 2 move 1 -", ""},
	{"correlation: Value Percentile", reckoned("percentile", "field: n, percentile: 50, gte: 100"), "0 move 1 a n=1; 1 move 1 a n=100; 2 move 1 a n=100", "2 c [1]"},
	{"correlation: Value Percentile", reckoned("percentile", "field: n, percentile: 100, gte: 100"), "0 move 1 a n=1; 1 move 1 a n=100", "1 c [1]"},
	{"correlation: Value Percentile", reckoned("percentile", "field: n, percentile: 90, lt: 5"), "0 move 1 a n=9; 61 move 1 a n=3", "61 c [1]"},
	{"correlation: Value Percentile", reckoned("percentile", "field: n, percentile: 50, gt: 1"), "0 move 1 a n=x; 1 move 1 a; 2 move 1 a n=2", "2 c [1]"},
}

func together(kind, more string) string {
	return "type: temporal" + kind + ", rules: [fail, move, login], group-by: [source.ip], timespan: 1m" + more
}

var temporalScenes = []scene{
	{"correlation: Temporal Proximity", together("", ""), "0 fail 1 a; 1 move 1 a; 2 login 1 a", "2 c [1]"},
	{"correlation: Temporal Proximity", together("", ""), "0 login 1 a; 1 move 1 a; 2 fail 1 a", "2 c [1]"},
	{"correlation: Temporal Proximity", together("", ""), "0 fail 1 a; 1 move 1 a; 2 move 1 a", ""},
	{"correlation: Temporal Proximity", together("", ""), "0 fail 1 a; 1 move 2 a; 2 login 1 a", ""},
	{"correlation: Temporal Proximity", together("", ""), "0 fail 1 a; 30 move 1 a; 61 login 1 a", ""},
	{"correlation: Temporal Proximity", together("", ""), "0 fail 1 a; 50 move 1 a; 70 fail 1 a; 100 login 1 a", "100 c [1]"},
	{"correlation: Temporal Proximity", together("", ""), "3590 fail 1 a; 3600 move 1 a; 3610 login 1 a", "3610 c [1]"},
	{"correlation: Temporal Proximity", "type: temporal, rules: [fail, login], group-by: [source.ip, user.name], timespan: 1m", "0 fail 1 a; 1 login 1 b; 2 login 1 a", "2 c [1 a]"},
	{"correlation: Temporal Proximity", "type: temporal, rules: [fail, any], group-by: [source.ip], timespan: 1m", "0 fail 1 a", "0 c [1]"},
	{"correlation: Condition", together("", ", condition: {gte: 2}"), "0 fail 1 a; 1 fail 1 a; 2 login 1 a", "2 c [1]"},
	{"correlation: Condition", together("", ", condition: {gt: 1}"), "0 move 1 a; 1 fail 1 a", "1 c [1]"},
	{"correlation: Condition", together("", ", condition: {eq: 2}"), "0 fail 1 a; 1 login 1 a", "1 c [1]"},
	{"correlation: Condition", together("", ", condition: {neq: 1}"), "0 fail 1 a; 1 login 1 a", "1 c [1]"},
	{"correlation: Condition", together("", ", condition: {lt: 2}"), "0 fail 1 a", "0 c [1]"},
	{"correlation: Condition", together("", ", condition: {gte: 2, lt: 3}"), "0 fail 1 a; 1 login 1 a", "1 c [1]"},
	{"correlation: Condition", together("", ", condition: {gte: 3}"), "0 fail 1 a; 1 login 1 a", ""},
	{"correlation: Ordered Temporal Proximity", together("_ordered", ""), "0 fail 1 a; 1 move 1 a; 2 login 1 a", "2 c [1]"},
	{"correlation: Ordered Temporal Proximity", together("_ordered", ""), "0 login 1 a; 1 move 1 a; 2 fail 1 a", ""},
	{"correlation: Ordered Temporal Proximity", together("_ordered", ""), "0 fail 1 a; 1 login 1 a; 2 move 1 a", ""},
	{"correlation: Ordered Temporal Proximity", together("_ordered", ""), "0 fail 1 a; 1 login 1 a; 2 move 1 a; 3 login 1 a", "3 c [1]"},
	{"correlation: Ordered Temporal Proximity", together("_ordered", ""), "0 fail 1 a; 30 move 1 a; 61 login 1 a", ""},
	{"correlation: Ordered Temporal Proximity", together("_ordered", ""), "0 fail 1 a; 0 move 1 a; 0 login 1 a", "0 c [1]"},
	{"correlation: Ordered Temporal Proximity", together("_ordered", ""), "0 fail 1 a; 1 move 2 a; 2 login 1 a", ""},
	{"correlation: Ordered Temporal Proximity", "type: temporal_ordered, rules: [any, login], group-by: [source.ip], timespan: 1m", "0 login 1 a", ""},
	{"correlation: Ordered Temporal Proximity", "type: temporal_ordered, rules: [any, login], group-by: [source.ip], timespan: 1m", "0 login 1 a; 1 login 1 a", "1 c [1]"},
	{"correlation: Ordered Temporal Proximity", together("_ordered", ""), "0 fail 1 a; 40 login 1 a; 20 move 1 a", "20 c [1]"}, // out of order
	{"correlation: Condition", together("_ordered", ", condition: {gte: 2}"), "0 fail 1 a; 1 login 1 a", "1 c [1]"},
	{"correlation: Condition", together("_ordered", ", condition: {gte: 2}"), "0 login 1 a; 1 fail 1 a", ""},
	{"correlation: Condition", together("_ordered", ", condition: {gte: 2}"), "0 login 1 a; 1 fail 1 a; 2 move 1 a", "2 c [1]"},
	{"correlation: Condition", together("_ordered", ", condition: {eq: 3}"), "0 fail 1 a; 1 login 1 a; 2 move 1 a; 3 login 1 a", "3 c [1]"},
	{"correlation: Condition", together("_ordered", ", condition: {gt: 1, lt: 3}"), "0 fail 1 a; 1 move 1 a", "1 c [1]"},
	{"correlation: Condition", together("_ordered", ", condition: {lte: 1}"), "0 login 1 a; 1 fail 2 a", "0 c [1]; 1 c [2]"},
	{"correlation: Requires", together("_ordered", ", condition: {gte: 3}"), "0 fail 1 a; 1 move 1 a; 2 login 1 a", "2 c [1]"},
}

var chainScenes = []scene{
	{"correlation: Field Name Aliases", "type: temporal, rules: [failed_login, successful_login], group-by: [who], timespan: 10s, " +
		"aliases: {who: {failed_login: source.ip, successful_login: destination.ip}}", "0 fail 1 a; 1 login 1 a; 2 login - a destination.ip=1", "2 c [1]"},
	{"correlation: Field Name Aliases", "type: temporal, rules: [fail, login], group-by: [who], timespan: 10s, " +
		"aliases: {who: {failed_login: source.ip, successful_login: destination.ip}}", "0 fail 1 a; 2 login - a destination.ip=1", "2 c [1]"},
	{"correlation: Field Name Aliases", "type: temporal, rules: [failed_login, login], group-by: [who], timespan: 10s, " +
		"aliases: {who: {fail: source.ip, login: destination.ip}}", "0 fail 1 a; 2 login - a destination.ip=1", "2 c [1]"},
	{"correlation: Field Name Aliases Example", "type: temporal, rules: [fail, login], group-by: [internal_ip, remote_ip], timespan: 10s, " +
		"aliases: {internal_ip: {fail: destination.ip, login: source.ip}, remote_ip: {fail: source.ip, login: destination.ip}}",
		"0 fail 9 a destination.ip=1; 1 login 1 a destination.ip=8; 2 login 1 a destination.ip=9", "2 c [1 9]"},
	{"correlation: Field Name Aliases", "type: value_count, rules: [fail, login], group-by: [source.ip], timespan: 10s, condition: {field: who, gte: 2}, " +
		"aliases: {who: {fail: user.name, login: own}}", "0 fail 1 a; 1 login 1 x own=a; 2 login 1 a own=b", "2 c [1]"},
	{"correlation: Field Name Aliases", "type: value_sum, rules: [fail, login], group-by: [source.ip], timespan: 10s, condition: {field: size, gte: 10}, " +
		"aliases: {size: {fail: in, login: out}}", "0 fail 1 a in=4; 1 login 1 a in=9; 2 login 1 a out=6", "2 c [1]"},
	{"correlation: Field Name Aliases", "type: event_count, rules: [fail], group-by: [source.ip], timespan: 10s, condition: {gte: 1}, " +
		"aliases: {source.ip: {fail: user.name}}", "0 fail 1 a", "0 c [a]"},

	{"correlation: Failed Logins Followed by Successful Login", specExample,
		"0 fail 1 u; 1 fail 1 u; 2 fail 1 v; 3 fail 1 u; 4 login 1 v; 5 login 2 u", "5 outer [u]"},
	{"correlation: Failed Logins Followed by Successful Login", specExample, "0 login 1 u; 1 fail 1 u; 2 fail 1 u; 3 fail 1 u", ""},
	{"correlation: Failed Logins Followed by Successful Login", specExample, "0 fail 1 u; 1 fail 1 u; 2 fail 1 u; 603 login 1 u", ""},
	{"correlation: Ordered Temporal Proximity", strings.Replace(specExample, "group-by: [user.name], timespan: 10m, condition", "group-by: [source.ip], timespan: 10m, condition", 1),
		"0 fail 1 u; 1 fail 1 v; 2 fail 1 u; 3 login 1 v; 4 login 9 u", "4 outer [u]"}, // the upper correlation groups by its own field
	{"correlation: Related rules", chain("event_count, condition: {gte: 2}", ""), "0 fail 1 a; 1 fail 1 a; 2 fail 2 a; 3 fail 2 a", "3 c2 []"},
	{"correlation: Related rules", chain("event_count, condition: {gte: 2}", ""), "0 fail 1 a; 1 fail 1 a; 2 fail 1 a; 3 fail 1 a", ""}, // one alert below is one
	{"correlation: Related rules", chain("value_count, condition: {field: source.ip, gte: 2}", ""), "0 fail 1 a; 1 fail 1 a; 2 fail 2 a; 3 fail 2 a", "3 c2 []"},
	{"correlation: Related rules", chain("value_sum, condition: {field: source.ip, gte: 3}", ""), "0 fail 1 a; 1 fail 1 a; 2 fail 2 a; 3 fail 2 a", "3 c2 []"},
	{"correlation: Related rules", chain("value_avg, condition: {field: source.ip, eq: 1.5}", ""), "0 fail 1 a; 1 fail 1 a; 2 fail 2 a; 3 fail 2 a", "3 c2 []"},
	{"correlation: Related rules", chain("value_percentile, condition: {field: source.ip, eq: 50}", ""), "0 fail 1 a; 1 fail 1 a; 2 fail 2 a; 3 fail 2 a", "3 c2 []"},
	{"correlation: Related rules", chain("temporal, condition: {gte: 1}", ""), "0 fail 1 a; 1 fail 1 a", "1 c2 []"},

	{"correlation: Generate", chain("temporal, condition: {gte: 1}", ", generate: true"), "0 fail 1 a; 1 fail 1 a", "1 c [1]; 1 c2 []"},
	{"correlation: Generate", chain("temporal, condition: {gte: 1}", ", generate: false"), "0 fail 1 a; 1 fail 1 a", "1 c2 []"},
	{"correlation: Generate", strings.Replace(chain("temporal, condition: {gte: 1}", ""), "title: c2\n", "title: c2\ngenerate: true\n", 1), "0 fail 1 a; 1 fail 1 a", "1 c [1]; 1 c2 []"},
	{"correlation: Generate", loud + "correlation: {type: event_count, rules: [loud], group-by: [user.name], timespan: 1m, condition: {gte: 2}}\n", "0 fail 1 a; 1 fail 1 a", "1 c [a]"},
	{"correlation: Generate", loud + "correlation: {type: event_count, rules: [loud], group-by: [user.name], timespan: 1m, condition: {gte: 2}, generate: true}\n",
		"0 fail 1 a; 1 fail 1 a", "0 loud [1]; 1 c [a]"},
	{"correlation: Level", loud + "level: informational\ncorrelation: {type: event_count, rules: [loud], group-by: [user.name], timespan: 1m, condition: {gte: 1}}\n", "0 fail 1 a", ""},
	{"rules: Level", loud[:strings.Index(loud, "---")], "0 fail 1 a", "0 loud [1]"},
}

// specExample is the chain of the specification's last section, with our fields and a lower count.
const specExample = `title: outer
id: outer
correlation: {type: temporal_ordered, rules: [multiple_failed_login, successful_login], group-by: [user.name], timespan: 10m}
level: high
---
title: Multiple failed logons
id: a8418a5a-5fc4-46b5-b23b-6c73beb19d41
name: multiple_failed_login
correlation: {type: event_count, rules: [failed_login], group-by: [user.name], timespan: 10m, condition: {gte: 3}}
`

const loud = `title: loud
id: loud
logsource: {category: application}
detection: {s: {event.action: fail}, condition: s}
---
title: c
id: c
`

// chain is a correlation c2 over a correlation c, which counts two failures of one address.
func chain(kind, more string) string {
	return "title: c\nid: c\ncorrelation: {type: event_count, rules: [fail], group-by: [source.ip], timespan: 1m, condition: {gte: 2}}\n---\n" +
		"title: c2\nid: c2\ncorrelation: {rules: [c], timespan: 1m, type: " + kind + more + "}\n"
}
