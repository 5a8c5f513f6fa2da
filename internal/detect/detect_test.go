package detect

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tocsin/internal/record"
	"tocsin/internal/sigma"
)

// start is the record time that tests count seconds from.
var start = time.Date(2026, 11, 9, 12, 0, 0, 0, time.UTC)

// at makes a record so many seconds after start, of "name=value" pairs. It belongs to category application.
func at(seconds float64, pairs ...string) *record.Record {
	r := &record.Record{Class: record.Parsed, Time: start.Add(time.Duration(seconds * float64(time.Second)))}
	r.Line = record.Line{File: "/var/log/app.jsonl", Raw: fmt.Sprintf("%v %s", seconds, strings.Join(pairs, " "))}
	r.Source = record.LogSource{Categories: []string{"application"}, Product: "shop"}
	for _, p := range pairs {
		name, value, _ := strings.Cut(p, "=")
		if f, ok := record.FieldNamed(name); !ok {
			r.Extra = append(r.Extra, record.Pair{Name: name, Value: record.Text(value)})
		} else if f == record.TransferBytes {
			var n int64
			_, _ = fmt.Sscan(value, &n)
			r.Set(f, record.Int(n, value))
		} else {
			r.Set(f, record.Text(value))
		}
	}
	return r
}

// fail and login are a customer's failed and successful sign-in.
func fail(seconds float64, ip, who string) *record.Record { return sign(seconds, ip, who, "failure") }
func login(seconds float64, ip, who string) *record.Record {
	return sign(seconds, ip, who, "success")
}
func sign(seconds float64, ip, who, outcome string) *record.Record {
	return at(seconds, "source.ip="+ip, "user.name="+who, "user.realm=customer", "event.action=login", "event.outcome="+outcome)
}

const failRule = `
title: failed sign-in
id: fail
level: low
logsource: {category: application}
detection:
  s: {event.action: login, event.outcome: failure}
  condition: s
---
`

const loginRule = `
title: sign-in
id: login
logsource: {category: application}
detection:
  s: {event.action: login, event.outcome: success}
  condition: s
---
`

// rules loads a text; a refusal fails the test.
func rules(t testing.TB, text string) *Rules {
	t.Helper()
	r, refused, _ := LoadFiles([]File{{"t.yml", []byte(text)}})
	if len(refused) > 0 {
		t.Fatalf("refused: %+v", refused)
	}
	return r
}

// run steps through records, numbers them as an archive does, and writes each change as one line:
// "step rule [group] count sources accounts".
func run(d *Detector, records ...*record.Record) []string {
	var out []string
	for _, r := range records {
		r.Line.Seq = d.ord + 1
		for _, c := range d.Step(r) {
			out = append(out, line(c))
		}
	}
	return out
}

func line(c Change) string {
	a := c.Alert
	s := fmt.Sprintf("%s %s %v x%d", c.Step, a.Rule, a.Group, a.Count)
	for _, p := range append(a.Sources, a.Accounts...) {
		s += " " + p.Name
		for _, f := range []struct {
			is   bool
			mark string
		}{{p.Own, "own"}, {p.Shared, "shared"}, {p.Count != 1, fmt.Sprint(p.Count)}, {p.Role == Victim, "v"}} {
			if f.is {
				s += "/" + f.mark
			}
		}
	}
	return s
}

func check(t *testing.T, got []string, want ...string) {
	t.Helper()
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

const tries = failRule + `
title: tries
id: tries
level: medium
correlation:
  type: event_count
  rules: [fail]
  group-by: [source.ip]
  timespan: 1m
  condition: {gte: 3}
`

func TestEventCount(t *testing.T) {
	t.Run("raises at the threshold, once, and ends", func(t *testing.T) {
		d := New(rules(t, tries), Options{})
		check(t, run(d, fail(0, "1.1.1.1", "a"), fail(10, "2.2.2.2", "x"), fail(20, "1.1.1.1", "b")))
		check(t, run(d, fail(60, "1.1.1.1", "a")), "raised tries [1.1.1.1] x3 1.1.1.1/3 a/2/v b/v")
		// an alert that goes on only counts
		check(t, run(d, fail(61, "1.1.1.1", "a")))
		check(t, run(d, fail(62, "1.1.1.1", "c"), fail(63, "1.1.1.1", "d")), "joined tries [1.1.1.1] x6 1.1.1.1/6 a/3/v b/v c/v d/v")
		// quiet is the timespan, and lateness is waited for
		check(t, run(d, at(63+60+300), at(63+60+300.5)), "ended tries [1.1.1.1] x6 1.1.1.1/6 a/3/v b/v c/v d/v")
		// then it can be raised again, with another id
		check(t, run(d, fail(1000, "1.1.1.1", "a"), fail(1001, "1.1.1.1", "a"), fail(1002, "1.1.1.1", "a")), "raised tries [1.1.1.1] x3 1.1.1.1/3 a/3/v")
	})
	t.Run("a window is any span, its ends counted in", func(t *testing.T) {
		d := New(rules(t, tries), Options{})
		check(t, run(d, fail(0, "1.1.1.1", "a"), fail(50, "1.1.1.1", "a"), fail(60.001, "1.1.1.1", "a")))
		check(t, run(d, fail(110, "1.1.1.1", "a")), "raised tries [1.1.1.1] x3 1.1.1.1/3 a/3/v")
	})
	t.Run("the alert names the parties of its window only", func(t *testing.T) {
		d := New(rules(t, strings.Replace(tries, "source.ip", "user.realm", 1)), Options{})
		check(t, run(d, fail(0, "1.1.1.1", "a"), fail(70, "2.2.2.2", "b"), fail(80, "3.3.3.3", "c"), fail(90, "2.2.2.2", "d")),
			"raised tries [customer] x3 2.2.2.2/2 3.3.3.3 b/v c/v d/v")
	})
	t.Run("a late record counts where it belongs", func(t *testing.T) {
		d := New(rules(t, tries), Options{})
		check(t, run(d, fail(0, "1.1.1.1", "a"), fail(30, "1.1.1.1", "b"), fail(200, "1.1.1.1", "c")))
		check(t, run(d, fail(15, "1.1.1.1", "d")), "raised tries [1.1.1.1] x3 1.1.1.1/3 a/v d/v b/v")
	})
	t.Run("too late a record is counted as late and harms nothing", func(t *testing.T) {
		d := New(rules(t, tries), Options{Lateness: time.Minute})
		check(t, run(d, fail(0, "1.1.1.1", "a"), fail(1, "1.1.1.1", "b"), fail(500, "9.9.9.9", "c"), fail(2, "1.1.1.1", "d")))
		if s := d.Stats(); s.Late != 1 {
			t.Errorf("late: %d", s.Late)
		}
	})
	t.Run("case of group values does not matter, missing ones do", func(t *testing.T) {
		d := New(rules(t, strings.Replace(tries, "source.ip", "user.name", 1)), Options{})
		check(t, run(d, fail(0, "1.1.1.1", "Anna"), at(1, "event.action=login", "event.outcome=failure"), fail(2, "1.1.1.1", "ANNA"), fail(3, "1.1.1.1", "anna")),
			"raised tries [Anna] x3 1.1.1.1/3 Anna/v ANNA/v anna/v")
		if s := d.Stats().Rules[1]; s.Ungrouped != 1 || s.Seen != 4 {
			t.Errorf("%+v", s)
		}
	})
	t.Run("a record that two rules match counts once", func(t *testing.T) {
		both := strings.Replace(tries, "rules: [fail]", "rules: [fail, any]", 1) + "---\ntitle: any\nid: any\nlogsource: {category: application}\ndetection: {s: {event.action: login}, condition: s}\n"
		d := New(rules(t, both), Options{})
		check(t, run(d, fail(0, "1.1.1.1", "a"), fail(1, "1.1.1.1", "a")))
		check(t, run(d, login(2, "1.1.1.1", "a")), "raised tries [1.1.1.1] x3 1.1.1.1/3 a/3/v")
	})
	t.Run("other bounds", func(t *testing.T) {
		d := New(rules(t, strings.Replace(tries, "gte: 3", "gt: 1, lte: 2", 1)), Options{})
		check(t, run(d, fail(0, "1.1.1.1", "a"), fail(1, "1.1.1.1", "a")), "raised tries [1.1.1.1] x2 1.1.1.1/2 a/2/v")
		check(t, run(d, fail(2, "1.1.1.1", "a"))) // three are out of bounds: not counted
	})
	t.Run("told records are spent when an alert ends before the window does", func(t *testing.T) {
		d := New(rules(t, strings.Replace(tries, "timespan: 1m", "timespan: 1h", 1)+"tocsin: {quiet: 1m}\n"), Options{Lateness: time.Second})
		check(t, run(d, fail(0, "1.1.1.1", "a"), fail(1, "1.1.1.1", "a"), fail(2, "1.1.1.1", "a"), fail(100, "1.1.1.1", "a"), fail(101, "1.1.1.1", "a")),
			"raised tries [1.1.1.1] x3 1.1.1.1/3 a/3/v", "ended tries [1.1.1.1] x3 1.1.1.1/3 a/3/v")
		check(t, run(d, fail(102, "1.1.1.1", "a")), "raised tries [1.1.1.1] x3 1.1.1.1/3 a/3/v")
	})
}

func TestValueCount(t *testing.T) {
	stuffing := failRule + `
title: stuffing
id: stuffing
correlation:
  type: value_count
  rules: [fail]
  group-by: [source.ip]
  timespan: 1m
  condition: {field: user.name, gte: 3}
tocsin: {quiet: 10s}
`
	t.Run("counts distinct values", func(t *testing.T) {
		d := New(rules(t, stuffing), Options{Lateness: time.Second})
		check(t, run(d, fail(0, "1.1.1.1", "a"), fail(1, "1.1.1.1", "A"), fail(2, "1.1.1.1", "b"), fail(3, "1.1.1.1", "b"),
			at(4, "source.ip=1.1.1.1", "event.action=login", "event.outcome=failure")))
		check(t, run(d, fail(5, "1.1.1.1", "c")), "raised stuffing [1.1.1.1] x5 1.1.1.1/5 a/v A/v b/2/v c/v")
	})
	t.Run("after the end only a new value raises again, and names only itself", func(t *testing.T) {
		d := New(rules(t, stuffing), Options{Lateness: time.Second})
		run(d, fail(0, "1.1.1.1", "a"), fail(1, "1.1.1.1", "b"), fail(2, "1.1.1.1", "c"))
		check(t, run(d, fail(20, "1.1.1.1", "a")), "ended stuffing [1.1.1.1] x3 1.1.1.1/3 a/v b/v c/v")
		check(t, run(d, fail(21, "1.1.1.1", "b")))
		check(t, run(d, fail(22, "1.1.1.1", "d")), "raised stuffing [1.1.1.1] x3 1.1.1.1/3 a/v b/v d/v")
	})
	t.Run("a tuple of fields", func(t *testing.T) {
		d := New(rules(t, strings.Replace(stuffing, "field: user.name", "field: [user.name, session.id]", 1)), Options{})
		try := func(s float64, who, id string) *record.Record {
			r := fail(s, "1.1.1.1", who)
			r.Set(record.SessionID, record.Text(id))
			return r
		}
		check(t, run(d, try(0, "a", "1"), try(1, "a", "2"), try(2, "a", "2"), fail(3, "1.1.1.1", "b")))
		check(t, run(d, try(4, "b", "1")), "raised stuffing [1.1.1.1] x4 1.1.1.1/4 a/3/v b/v")
	})
}

const travel = loginRule + `
title: travel
id: travel
correlation:
  type: value_count
  rules: [login]
  group-by: [user.name]
  timespan: 2h
  condition: {field: source.geo.country_iso_code, gte: 2}
tocsin: {account: victim, impact: compromise, parties: last}
`

func from(r *record.Record, country string) *record.Record {
	r.Set(record.SourceCountry, record.Text(country))
	return r
}

func TestImpossibleTravel(t *testing.T) {
	// given sign-ins from one country and from an address of no known country
	d := New(rules(t, travel), Options{})
	check(t, run(d, from(login(0, "1.1.1.1", "anna"), "DE"), login(60, "9.9.9.9", "anna"), from(login(120, "1.1.1.2", "anna"), "DE"), from(login(130, "5.5.5.5", "bob"), "VN")))
	// then another country within two hours raises, and only its address is named
	check(t, run(d, from(login(7200, "5.5.5.5", "anna"), "VN")), "raised travel [anna] x1 5.5.5.5 anna/v")
	// and the account's own country coming again adds nothing
	check(t, run(d, from(login(7210, "1.1.1.1", "anna"), "DE")))
	if a := d.Alerts(); len(a) != 1 || a[0].Sources[0].Country != "VN" || a[0].Impact != Compromise {
		t.Errorf("%+v", a)
	}
}

func TestTemporal(t *testing.T) {
	text := failRule + loginRule + `
title: both
id: both
correlation:
  type: TYPE
  rules: [fail, login]
  group-by: [source.ip]
  timespan: 1m
`
	t.Run("in any order", func(t *testing.T) {
		d := New(rules(t, strings.Replace(text, "TYPE", "temporal", 1)), Options{})
		check(t, run(d, login(0, "1.1.1.1", "a"), fail(61, "1.1.1.1", "a")))
		check(t, run(d, login(121, "1.1.1.1", "b")), "raised both [1.1.1.1] x2 1.1.1.1/2 a/v b/v")
	})
	t.Run("in order", func(t *testing.T) {
		d := New(rules(t, strings.Replace(text, "TYPE", "temporal_ordered", 1)), Options{})
		check(t, run(d, login(0, "1.1.1.1", "a"), fail(1, "1.1.1.1", "a"), fail(2, "1.1.1.1", "a")))
		check(t, run(d, login(3, "1.1.1.1", "b")), "raised both [1.1.1.1] x3 1.1.1.1/3 a/2/v b/v")
		// a failure after it is no success after a failure
		check(t, run(d, fail(4, "1.1.1.1", "z")))
	})
	t.Run("equal times are in order, one record is not a row", func(t *testing.T) {
		any := strings.Replace(strings.Replace(text, "TYPE", "temporal_ordered", 1), "[fail, login]", "[any, login]", 1) +
			"---\ntitle: any\nid: any\nlogsource: {category: application}\ndetection: {s: {event.action: login}, condition: s}\n"
		d := New(rules(t, any), Options{})
		check(t, run(d, login(0, "1.1.1.1", "a")))
		check(t, run(d, login(0, "1.1.1.1", "b")), "raised both [1.1.1.1] x2 1.1.1.1/2 a/v b/v")
	})
	t.Run("a number of the rules is enough", func(t *testing.T) {
		d := New(rules(t, strings.Replace(text, "TYPE", "temporal", 1)+"  condition: {gte: 1}\n"), Options{})
		check(t, run(d, login(0, "1.1.1.1", "a")), "raised both [1.1.1.1] x1 1.1.1.1 a/v")
	})
}

func TestValueSum(t *testing.T) {
	text := `
title: transfer
id: transfer
logsource: {category: application}
detection: {s: {transfer.bytes|exists: true}, condition: s}
---
title: much
id: much
correlation:
  type: value_sum
  rules: [transfer]
  group-by: [user.name]
  timespan: 1h
  condition: {field: transfer.bytes, gte: 1000}
tocsin: {impact: loss, account: suspect}
`
	d := New(rules(t, text), Options{})
	var many []*record.Record
	for i := range 999 { // more records than a window of value_sum keeps: the first are joined by slices of 56 seconds
		many = append(many, at(float64(i), "user.name=a", "source.ip=1.1.1.1", "transfer.bytes=1"))
	}
	check(t, run(d, many...))
	check(t, run(d, at(1000, "user.name=a", "source.ip=1.1.1.1", "transfer.bytes=1")), "raised much [a] x1000 1.1.1.1/1000 a/1000")
	if a := d.Alerts()[0]; a.Bytes != 1000 || a.Impact != Loss || !a.First.Equal(start.Add(56*time.Second)) {
		t.Errorf("bytes %d, impact %s, first %v", a.Bytes, a.Impact, a.First)
	}
}

func TestChainAndGenerate(t *testing.T) {
	text := tries + `
---` + loginRule + `
title: broken in
id: in
level: high
correlation:
  type: temporal_ordered
  rules: [tries, login]
  group-by: [source.ip]
  timespan: 5m
  GENERATE
tocsin: {impact: compromise}
`
	t.Run("what a correlation reads raises nothing of its own", func(t *testing.T) {
		d := New(rules(t, strings.Replace(text, "GENERATE", "generate: false", 1)), Options{})
		check(t, run(d, login(0, "1.1.1.1", "z"), fail(1, "1.1.1.1", "a"), fail(2, "1.1.1.1", "b"), fail(3, "1.1.1.1", "a"), fail(4, "1.1.1.1", "c")))
		check(t, run(d, login(250, "1.1.1.1", "b")), "raised in [1.1.1.1] x5 1.1.1.1/5 a/2/v b/2/v c/v")
	})
	t.Run("with generate the rules directly below raise too", func(t *testing.T) {
		d := New(rules(t, strings.Replace(text, "GENERATE", "generate: true", 1)), Options{})
		check(t, run(d, fail(1, "1.1.1.1", "a"), fail(2, "1.1.1.1", "a"), fail(3, "1.1.1.1", "a"), login(4, "1.1.1.1", "a")),
			"raised tries [1.1.1.1] x3 1.1.1.1/3 a/3/v", "raised login [1.1.1.1] x1 1.1.1.1 a/v", "raised in [1.1.1.1] x4 1.1.1.1/4 a/4/v")
	})
	t.Run("alerts of a correlation are counted, not their records", func(t *testing.T) {
		d := New(rules(t, tries+`
---
title: many
id: many
correlation:
  type: event_count
  rules: [tries]
  timespan: 1h
  condition: {gte: 2}
`), Options{})
		check(t, run(d, fail(1, "1.1.1.1", "a"), fail(2, "1.1.1.1", "a"), fail(3, "1.1.1.1", "a"), fail(4, "1.1.1.1", "a"), fail(5, "1.1.1.1", "a")))
		check(t, run(d, fail(6, "2.2.2.2", "a"), fail(7, "2.2.2.2", "a"), fail(8, "2.2.2.2", "a")), "raised many [] x6 1.1.1.1/3 2.2.2.2/3 a/6/v")
	})
	t.Run("an alias names a field that the rules call differently", func(t *testing.T) {
		d := New(rules(t, failRule+`
title: sudo
id: sudo
logsource: {category: application}
detection: {s: {event.action: command}, condition: s}
---
title: alias
id: alias
correlation:
  type: temporal
  rules: [fail, sudo]
  group-by: [who]
  timespan: 1m
  aliases:
    who: {fail: user.name, sudo: user.effective.name}
`), Options{})
		check(t, run(d, fail(0, "1.1.1.1", "root"), at(1, "event.action=command", "user.name=root", "user.effective.name=www")))
		check(t, run(d, at(2, "event.action=command", "user.effective.name=root")), "raised alias [root] x2 1.1.1.1 root/v")
	})
}

func TestPlainRule(t *testing.T) {
	d := New(rules(t, failRule), Options{Lateness: time.Second, Own: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}})
	check(t, run(d, fail(0, "10.1.1.1", "a")), "raised fail [10.1.1.1] x1 10.1.1.1/own a/v")
	for i := range 8 {
		check(t, run(d, fail(float64(1+i), "10.1.1.1", "a")))
	}
	check(t, run(d, fail(9, "10.1.1.1", "a")), "tenfold fail [10.1.1.1] x10 10.1.1.1/own/10 a/10/v")
	check(t, run(d, fail(10, "10.1.1.1", "b")), "joined fail [10.1.1.1] x11 10.1.1.1/own/11 a/10/v b/v")
	// without an address the account is the group, without that the file; a name like an address is not that address
	check(t, run(d, at(11, "event.action=login", "event.outcome=failure", "user.name=10.1.1.1")), "raised fail [10.1.1.1] x1 10.1.1.1/v")
	check(t, run(d, at(12, "event.action=login", "event.outcome=failure")), "raised fail [/var/log/app.jsonl] x1")
	a := d.Alerts()
	if len(a) != 3 || a[0].Samples[0] != "0 source.ip=10.1.1.1 user.name=a user.realm=customer event.action=login event.outcome=failure" ||
		len(a[0].Samples) != MaxSamples || a[0].Logs[0] != "app.jsonl" || a[0].FirstSeq != 1 || a[0].LastSeq != 11 || len(a[0].ID) != 32 {
		t.Errorf("%+v", a)
	}
	// quiet is an hour
	check(t, run(d, at(12+3602)),
		"ended fail [10.1.1.1] x11 10.1.1.1/own/11 a/10/v b/v", "ended fail [10.1.1.1] x1 10.1.1.1/v", "ended fail [/var/log/app.jsonl] x1")
}

func TestSuccessIsToldAtOnce(t *testing.T) {
	d := New(rules(t, "title: x\nid: x\nlogsource: {category: application}\ndetection: {s: {event.action: export}, condition: s}\ntocsin: {source: none, account: suspect, group: [event.action]}\n"), Options{})
	try := func(s float64, outcome string) *record.Record {
		return at(s, "event.action=export", "source.ip=1.1.1.1", "user.name=a", "event.outcome="+outcome)
	}
	check(t, run(d, try(0, "failure"), try(1, "success"), try(2, "success")), "raised x [export] x1 a", "level x [export] x2 a/2")
}

// A download that worked is no attempt that worked.
func TestSuccessAloneIsNoSuccess(t *testing.T) {
	d := New(rules(t, loginRule), Options{})
	for _, c := range d.Step(login(0, "1.1.1.1", "a")) {
		if c.Alert.Succeeded {
			t.Errorf("%+v", c)
		}
	}
}

func TestInformationalRaisesNothing(t *testing.T) {
	quiet := strings.Replace(failRule, "level: low", "level: informational", 1)
	check(t, run(New(rules(t, quiet), Options{}), fail(0, "1.1.1.1", "a")))
	d := New(rules(t, quiet+`
title: two
id: two
correlation: {type: event_count, rules: [fail], timespan: 1m, condition: {gte: 2}, generate: true}
`), Options{})
	check(t, run(d, fail(0, "1.1.1.1", "a"), fail(1, "1.1.1.1", "a")), "raised two [] x2 1.1.1.1/2 a/2/v")
}

func TestLimitsOfAnAlert(t *testing.T) {
	d := New(rules(t, strings.Replace(failRule, "detection:", "tocsin: {group: [user.realm]}\ndetection:", 1)), Options{})
	for i := range MaxParties + 10 {
		run(d, fail(0, fmt.Sprintf("10.0.%d.%d", i/256, i%256), "a"))
	}
	a := d.Alerts()[0]
	if len(a.Sources) != MaxParties || a.Dropped != 10 || a.Count != MaxParties+10 {
		t.Errorf("%d sources, %d dropped, count %d", len(a.Sources), a.Dropped, a.Count)
	}
}

func TestSharedAddress(t *testing.T) {
	d := New(rules(t, failRule), Options{Shared: []netip.Prefix{netip.MustParsePrefix("7.7.7.0/24")}})
	day := 86400.0
	// three customers over two days: shared
	run(d, login(0, "1.1.1.1", "a"), login(day, "1.1.1.1", "b"), fail(day+30, "1.1.1.1", "c"), login(day+60, "1.1.1.1", "c"))
	check(t, run(d, fail(day+100, "1.1.1.1", "x")), "joined fail [1.1.1.1] x2 1.1.1.1/2 c/v x/v") // the alert began before
	check(t, run(d, fail(2*day, "1.1.1.1", "x"))[1:], "raised fail [1.1.1.1] x1 1.1.1.1/shared x/v")
	// two customers, one of them twice: not shared
	run(d, login(2*day, "2.2.2.2", "a"), login(2*day+1, "2.2.2.2", "b"), login(2*day+2, "2.2.2.2", "b"))
	check(t, run(d, fail(2*day+3, "2.2.2.2", "x")), "raised fail [2.2.2.2] x1 2.2.2.2 x/v")
	// somebody who tries accounts and gets into three of them: not shared
	for i, who := range []string{"a", "b", "c"} {
		s := 2*day + 100 + float64(i*60)
		run(d, fail(s, "3.3.3.3", "miss"), login(s+1, "3.3.3.3", who))
	}
	check(t, run(d, fail(2*day+7200, "3.3.3.3", "x"))[3:], "raised fail [3.3.3.3] x1 3.3.3.3 x/v")
	// configured
	check(t, run(d, fail(2*day+7300, "7.7.7.7", "x")), "raised fail [7.7.7.7] x1 7.7.7.7/shared x/v")
	// and it is forgotten a week after the last three
	run(d, at(3*day), at(4*day), at(5*day), at(6*day), at(7*day), at(8*day), at(9*day-1))
	check(t, run(d, fail(9*day, "1.1.1.1", "x")), "raised fail [1.1.1.1] x1 1.1.1.1 x/v")
}

func TestEviction(t *testing.T) {
	d := New(rules(t, tries+"---"+travel), Options{MaxGroups: 10})
	run(d, from(login(0, "1.1.1.1", "anna"), "DE"))
	run(d, fail(1, "9.9.9.9", "a"), fail(1, "9.9.9.9", "a"))
	for i := range 50 {
		run(d, fail(2, fmt.Sprintf("10.0.0.%d", i), "a"))
	}
	s := d.Stats()
	if s.Groups != 10 || s.Waiting != 42 || s.Evicted != 0 {
		t.Errorf("%+v", s)
	}
	// a flood against one rule does not cost the others
	check(t, run(d, from(login(3, "5.5.5.5", "anna"), "VN")), "raised travel [anna] x1 5.5.5.5 anna/v")
}

func TestEvictionEndsAlerts(t *testing.T) {
	d := New(rules(t, failRule), Options{MaxGroups: 1})
	check(t, run(d, fail(0, "1.1.1.1", "a"), fail(1, "2.2.2.2", "a")),
		"raised fail [1.1.1.1] x1 1.1.1.1 a/v", "raised fail [2.2.2.2] x1 2.2.2.2 a/v", "ended fail [1.1.1.1] x1 1.1.1.1 a/v")
}

func TestRecordLimit(t *testing.T) {
	d := New(rules(t, strings.Replace(tries, "gte: 3", "gte: 100", 1)), Options{MaxRecords: 50})
	for i := range 200 {
		run(d, fail(2, fmt.Sprintf("10.0.0.%d", i%20), "a"))
	}
	if s := d.Stats(); s.Held > 50 || s.Waiting == 0 {
		t.Errorf("%+v", s)
	}
}

func TestSweepForgetsWhatNoWindowReaches(t *testing.T) {
	d := New(rules(t, tries), Options{})
	for i := range 3000 {
		run(d, fail(float64(i), fmt.Sprintf("10.0.%d.%d", i/256, i%256), "a"))
	}
	if s := d.Stats(); s.Groups > 1024+360+61 {
		t.Errorf("%d groups are kept", s.Groups)
	}
}

func TestPanicCostsItsRule(t *testing.T) {
	// given a rule that panics on every record (nothing that Parse makes does)
	set := rules(t, strings.Replace(failRule, "id: fail", "id: bad", 1)+failRule)
	d := New(set, Options{})
	bad := *set.nodes[0].rule
	run(d, fail(0, "1.1.1.1", "a"))
	set.nodes[0].rule, d.routes[0].matcher = nil, &sigma.Matcher{} // so the compiled set panics, and then the rule by itself
	// then its alert ends, the other goes on, and it is told
	check(t, run(d, fail(1, "1.1.1.1", "a"), fail(2, "1.1.1.1", "b")),
		"ended bad [1.1.1.1] x1 1.1.1.1 a/v", "joined fail [1.1.1.1] x3 1.1.1.1/3 a/2/v b/v")
	if b := d.Broken(); len(b) != 1 || b[0].Rule != "bad" || !strings.Contains(b[0].Why, "nil pointer") {
		t.Errorf("%+v", b)
	}
	// and it stays set aside over a restart
	set.nodes[0].rule = &bad
	data, err := d.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	e := New(set, Options{})
	if err := e.Restore(data); err != nil || len(e.Broken()) != 1 {
		t.Errorf("%v %v", err, e.Broken())
	}
}

func TestOneWrongClockMovesNothing(t *testing.T) {
	d := New(rules(t, tries), Options{})
	year := 365 * 86400.0
	run(d, fail(0, "1.1.1.1", "a"), fail(1, "1.1.1.1", "a"), at(year), at(2), at(year), at(-year))
	check(t, run(d, fail(3, "1.1.1.1", "a")), "raised tries [1.1.1.1] x3 1.1.1.1/3 a/3/v")
	// a real pause is believed after three records
	check(t, run(d, at(year), at(year+1)))
	check(t, run(d, at(year+2)), "ended tries [1.1.1.1] x3 1.1.1.1/3 a/3/v")
}

func TestRecordsWithoutTimeOrSense(t *testing.T) {
	d := New(rules(t, failRule), Options{})
	r := fail(0, "1.1.1.1", "a")
	r.Time = time.Time{}
	check(t, run(d, &record.Record{}, at(5), r), "raised fail [1.1.1.1] x1 1.1.1.1 a/v")
	if a := d.Alerts()[0]; !a.First.Equal(start.Add(5 * time.Second)) {
		t.Errorf("a record without a time is of the newest time seen, not %v", a.First)
	}
	h := fail(6, "2.2.2.2", "a")
	h.Class = record.Header
	check(t, run(d, h))
}
