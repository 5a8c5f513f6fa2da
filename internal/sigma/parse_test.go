package sigma

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tocsin/internal/tree"
)

const head = "title: t\nid: r1\nlogsource: {category: webserver}\n"

// TestRefusals: what cannot be done is refused with its place and its name.
func TestRefusals(t *testing.T) {
	for _, c := range []struct {
		name string
		text string
		want string // "line:column feature"
		says string
	}{
		{"no YAML", "title: t\n\tx: y\n", "2:", ""},
		{"not UTF-8", "title: t\ndescription: \xff\n", "2:1 YAML", "not UTF-8"},
		{"control character", "title: t\nauthor: \x01\n", "2:1 YAML", "control character"},
		{"anchor", "title: &a t\n", "1:8 YAML", "anchors"},
		{"tag", "title: !!str t\n", "1:8 YAML", "tags"},
		{"merge key", "title: t\n<<: {a: b}\n", "2:", ""},
		{"key twice", "title: t\ntitle: u\n", "2:1 YAML", "already defined"},
		{"nested brackets", "title: " + strings.Repeat("[", 1500) + "\n", "1:1 YAML", "too deeply"},
		{"nested dashes", strings.Repeat("- ", 1500) + "\n", "1:1 YAML", "too deeply"},
		{"not a map", "- a\n", "1:1 document", ""},
		{"collection", "action: global\ntitle: t\n", "1:1 action", ""},
		{"no title", "logsource: {category: webserver}\ndetection: {s: {a|exists: true}, condition: s}\n", "1:1 title", ""},
		{"level", head + "level: hihg\ndetection: {s: [a], condition: s}\n", "4:8 level", `did you mean "high"`},
		{"taxonomy", head + "taxonomy: ecs\ndetection: {s: [a], condition: s}\n", "4:11 taxonomy", ""},
		{"no logsource", "title: t\ndetection: {s: [a], condition: s}\n", "1:1 logsource", ""},
		{"empty logsource", "title: t\nlogsource: {definition: x}\ndetection: {s: [a], condition: s}\n", "2:13 logsource", ""},
		{"no detection", head, "1:1 detection", ""},
		{"no condition", head + "detection:\n  s: [a]\n", "5:3 condition", ""},
		{"timeframe", head + "detection:\n  s: [a]\n  timeframe: 5m\n  condition: s\n", "6:3 timeframe", "correlation"},
		{"pipe", head + "detection:\n  s: [a]\n  condition: s | count() > 5\n", "6:14 aggregation", "correlation"},
		{"near", head + "detection:\n  s: [a]\n  condition: near s\n", "6:14 near", "temporal"},
		{"unknown selection", head + "detection:\n  selection: [a]\n  condition: selction\n", "6:14 condition", `did you mean "selection"`},
		{"pattern without selection", head + "detection:\n  s: [a]\n  condition: 1 of x_*\n", "6:14 condition", "fits no selection"},
		{"two of", head + "detection:\n  s: [a]\n  condition: 2 of them\n", "6:14 condition 2 of", ""},
		{"bracket", head + "detection:\n  s: [a]\n  condition: (s\n", "6:14 condition", "bracket"},
		{"end", head + "detection:\n  s: [a]\n  condition: s and\n", "6:14 condition", "ends"},
		{"no operator", head + "detection:\n  s: [a]\n  condition: s s\n", "6:14 condition", `"s" stands where`},
		{"deep condition", head + "detection:\n  s: [a]\n  condition: " + strings.Repeat("(", 100) + "s" + strings.Repeat(")", 100) + "\n", "6:14 condition", "too deeply"},
		{"unknown field", head + "detection:\n  s:\n    cs-uri-qery: a\n  condition: s\n", "6:5 field cs-uri-qery", `did you mean "cs-uri-query"`},
		{"field of fieldref", head + "detection:\n  s:\n    cs-host|fieldref: cs-hots\n  condition: s\n", "6:23 field cs-hots", `did you mean "cs-host"`},
		{"field of group", head + "detection: {s: [a], condition: s}\ntocsin:\n  group: [source.ipp]\n", "6:10 field source.ipp", ""},
		{"modifier", head + "detection:\n  s:\n    cs-uri|contians: a\n  condition: s\n", "6:5 modifier contians", `did you mean "contains"`},
		{"wide with windash", head + "detection:\n  s:\n    cs-uri|windash|wide: a\n  condition: s\n", "6:5 modifier windash", "UTF-16"},
		{"all of one", head + "detection:\n  s:\n    cs-uri|contains|all: [a]\n  condition: s\n", "6:5 modifier all", "several"},
		{"base64 of a wildcard", head + "detection:\n  s:\n    cs-uri|base64: 'a*'\n  condition: s\n", "6:20 modifier base64", "wildcards"},
		{"re with contains", head + "detection:\n  s:\n    cs-uri|re|contains: a\n  condition: s\n", "6:5 modifier contains", ""},
		{"flag without re", head + "detection:\n  s:\n    cs-uri|i: a\n  condition: s\n", "6:5 modifier i", ""},
		{"lookahead", head + "detection:\n  s:\n    cs-uri|re: 'a(?!b)'\n  condition: s\n", "6:16 regular expression", "RE2"},
		{"back reference", head + "detection:\n  s:\n    cs-uri|re: '(a)\\1'\n  condition: s\n", "6:16 regular expression", "RE2"},
		{"cidr", head + "detection:\n  s:\n    c-ip|cidr: 10.0.0.0/33\n  condition: s\n", "6:16 modifier cidr", ""},
		{"number", head + "detection:\n  s:\n    sc-status|gte: high\n  condition: s\n", "6:20 number", ""},
		{"exists", head + "detection:\n  s:\n    sc-status|exists: 1\n  condition: s\n", "6:23 modifier exists", ""},
		{"placeholder", head + "detection:\n  s:\n    cs-username|expand: '%admins%'\n  condition: s\n", "6:25 placeholder %admins%", ""},
		{"null in a list", head + "detection:\n  s:\n    cs-username: [a, null]\n  condition: s\n", "6:22 null in a list", ""},
		{"null as keyword", head + "detection:\n  s: [null]\n  condition: s\n", "5:7 null", ""},
		{"empty keyword", head + "detection:\n  s: ['']\n  condition: s\n", "5:7 keyword", ""},
		{"empty list", head + "detection:\n  s:\n    cs-username: []\n  condition: s\n", "6:5 empty list", ""},
		{"empty map", head + "detection:\n  s: {}\n  condition: s\n", "5:3 empty map", ""},
		{"map as value", head + "detection:\n  s:\n    cs-username: {a: b}\n  condition: s\n", "6:19 value", ""},
		{"tocsin key", head + "detection: {s: [a], condition: s}\ntocsin:\n  impcat: loss\n", "6:3 tocsin key", `did you mean "impact"`},
		{"tocsin role", head + "detection: {s: [a], condition: s}\ntocsin:\n  source: attacker\n", "6:11 source", ""},
		{"tocsin span", head + "detection: {s: [a], condition: s}\ntocsin:\n  quiet: 1M\n", "6:10 quiet", "no fixed length"},
		{"sample", head + "detection: {s: [a], condition: s}\ntocsin:\n  samples: [{file: x}]\n", "6:14 samples", ""},
		{"correlation key", "title: t\ncorrelation:\n  typ: event_count\n", "3:3 correlation key", `did you mean "type"`},
		{"correlation type", correlationOf("type: value_average\n  condition: {gte: 1, field: a}"), "3:9 correlation type", "no correlation type"},
		{"correlation without condition", correlationOf("type: event_count"), "3:3 condition", ""},
		{"condition as formula", correlationOf("type: temporal\n  condition: a and b"), "4:14 condition", ""},
		{"impossible condition", correlationOf("type: event_count\n  condition: {gt: 5, lt: 6}"), "4:15 condition", "never"},
		{"more rules than there are", correlationOf("type: temporal\n  condition: {gte: 3}"), "4:15 condition", "never"},
		{"value_count without field", correlationOf("type: value_count\n  condition: {gte: 3}"), "4:15 field", ""},
		{"event_count with field", correlationOf("type: event_count\n  condition: {gte: 3, field: a}"), "4:15 field", ""},
		{"too high", correlationOf("type: event_count\n  condition: {gte: 1000000}"), "4:15 condition", "too high"},
	} {
		t.Run(c.name, func(t *testing.T) {
			docs, err := Parse("f.yml", []byte(c.text))
			if err == nil || len(docs) > 0 {
				t.Fatalf("it was not refused: %v", err)
			}
			e := Refusals(err)[0]
			if got := fmt.Sprintf("%d:%d %s", e.Line, e.Column, e.Feature); !strings.HasPrefix(got, c.want) {
				t.Errorf("got %s, want %s (%v)", got, c.want, e)
			}
			if !strings.Contains(e.Error(), c.says) {
				t.Errorf("%q does not say %q", e, c.says)
			}
		})
	}
}

func correlationOf(rest string) string {
	return "title: t\ncorrelation:\n  " + rest + "\n  rules: [a, b]\n  timespan: 5m\n"
}

const full = `# a comment
title: Many failed sign-ins
id: 11111111-2222-4333-8444-555555555555
name: many_fails
description: |
  Two lines:
  it's "quoted"
author: Anna, Bob
status: experimental
level: high
date: 2026-11-09
tags: [attack.t1110]
references:
  - https://example.org/?a=b#c
falsepositives: [somebody with a new keyboard]
license: Apache-2.0
custom: {kept: [1, '1', 0x1F, 1e3, ~, true, "a\tb"]}
correlation:
  type: value_count
  rules: [fail, other]
  group-by: [who, source.network]
  timespan: 1w
  condition:
    gte: 10
    lt: 1000
    field: [user.name, session.id]
  aliases:
    who:
      fail: source.ip
      other: destination.ip
  generate: true
tocsin:
  source: none
  account: suspect
  impact: compromise
  parties: last
  quiet: 90m
  samples:
    - file: access.log
      match:
        - 'GET /a HTTP/1.1'
        - "tab\there"
      no_match: [x]
`

func TestParseEverything(t *testing.T) {
	docs, err := Parse("f.yml", []byte("---\n"+failing+"---\n"+full+"...\n---\n"))
	if len(docs) != 1 || len(Refusals(err)) != 1 || Refusals(err)[0].Line != 3 {
		t.Fatalf("one document is right, the other's fault is in line 3: %v", err)
	}
	got := *docs[0].Correlation
	got.root = nil
	want := Correlation{
		Meta: Meta{
			ID: "11111111-2222-4333-8444-555555555555", Name: "many_fails", Title: "Many failed sign-ins",
			Taxonomy: "sigma", Description: "Two lines:\nit's \"quoted\"\n", Author: "Anna, Bob", License: "Apache-2.0", Status: "experimental", Level: "high",
			Date: "2026-11-09", Tags: []string{"attack.t1110"}, References: []string{"https://example.org/?a=b#c"},
			FalsePositives: []string{"somebody with a new keyboard"}, File: "f.yml", Line: 8, Version: got.Version,
			Tocsin: Tocsin{
				Source: "none", Account: "suspect", Impact: "compromise", Parties: "last", Quiet: 90 * time.Minute,
				Samples: []Sample{{File: "access.log", Match: []string{"GET /a HTTP/1.1", "tab\there"}, NoMatch: []string{"x"}}},
			},
		},
		Type: ValueCount, Rules: []string{"fail", "other"}, GroupBy: []string{"who", "source.network"}, Timespan: 7 * 24 * time.Hour,
		Bounds: []Bound{{"gte", 10}, {"lt", 1000}}, Fields: []string{"user.name", "session.id"},
		Aliases:  []Alias{{"who", []Pair{{"fail", "source.ip"}, {"other", "destination.ip"}}}},
		Generate: true,
	}
	if d := cmp.Diff(want, got, cmp.AllowUnexported(Meta{})); d != "" {
		t.Error(d)
	}
	if len(got.Version) != 16 {
		t.Errorf("version %q", got.Version)
	}
	same(t, docs[0])
}

const failing = "title: x\nlevel: none\nlogsource: {category: c}\ndetection: {s: [a], condition: s}\n"

func TestDefaults(t *testing.T) {
	u := rule(t, "webserver", "s: [a]\ncondition: s")
	want := Tocsin{Source: "suspect", Account: "victim", Impact: "attempt", Parties: "all", Quiet: time.Hour}
	if d := cmp.Diff(want, u.Tocsin); d != "" || u.Level != "medium" || u.Key() != "r1" {
		t.Error(d, u.Level, u.Key())
	}
	docs, err := Parse("c.yml", []byte(correlationOf("type: temporal")))
	if err != nil || docs[0].Correlation.Tocsin.Quiet != 5*time.Minute {
		t.Error("the quiet of a correlation is its timespan", err)
	}
}

func TestUnusedAndLoose(t *testing.T) {
	docs, err := Parse("f.yml", []byte("title: t\nlogsource: {product: windows}\ndetection:\n  a: {Image: x, source.ip: y}\n  b: {User: x}\n  condition: a\n"))
	if err != nil {
		t.Fatal(err)
	}
	u := docs[0].Rule
	if d := cmp.Diff([]string{"Image", "User"}, u.Loose()); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]string{"b"}, u.Unused()); d != "" {
		t.Error(d)
	}
}

// TestGolden keeps what Print and Explain say of two documents; -update is not offered: edit the files by hand, having
// looked.
func TestGolden(t *testing.T) {
	for _, name := range []string{"rule", "correlation"} {
		data, err := os.ReadFile(filepath.Join("testdata", name+".yml"))
		if err != nil {
			t.Fatal(err)
		}
		docs, err := Parse(name+".yml", data)
		if err != nil {
			t.Fatal(err)
		}
		got := string(docs[0].Print()) + "---\n" + strings.Join(docs[0].Explain(), "\n") + "\n"
		want, _ := os.ReadFile(filepath.Join("testdata", name+".golden"))
		if d := cmp.Diff(string(want), got); d != "" {
			t.Errorf("%s: %s\n%s", name, d, got)
		}
	}
}

func TestTooLarge(t *testing.T) {
	for name, text := range map[string]string{
		"file":       strings.Repeat("\n", tree.MaxFile+1),
		"document":   head + "description: " + strings.Repeat("a", tree.MaxChunk) + "\ndetection: {s: [a], condition: s}\n",
		"lines":      strings.Repeat("a:\n", tree.MaxLines+1),
		"condition":  head + "detection: {s: [a], condition: " + strings.Repeat("s or ", maxWords) + "s}\n",
		"selections": head + "detection:\n" + strings.Repeat("  x: [a]\n", maxSelections) + "  condition: x\n",
	} {
		if name == "selections" {
			for i := range maxSelections {
				text = strings.Replace(text, "  x:", fmt.Sprintf("  x%d:", i), 1)
			}
		}
		if docs, err := Parse("f.yml", []byte(text)); err == nil || len(docs) > 0 {
			t.Errorf("%s: too much of it must be refused", name)
		}
	}
}

// FuzzParse holds the law parse(print(parse(x))) = parse(x) against any text, and every rule against two records.
func FuzzParse(f *testing.F) {
	f.Add([]byte(full))
	f.Add([]byte(head + "detection:\n  s:\n    cs-uri|re|i: 'a.*b'\n    sc-status: [404, '200', 0x1F]\n    c-ip|cidr: 10.0.0.0/8\n  k: ['%41*?', 4]\n  condition: 1 of s* and not (k or s)\n"))
	f.Add([]byte(head + "detection:\n  s:\n    - cs-uri|windash|contains|all: [' -a', '/b']\n    - cs-host|fieldref|neq: cs-uri\n    - '@timestamp|hour|gte': 22\n  condition: [s, 1 of them]\n---\n" + correlationOf("type: temporal")))
	f.Add([]byte(head + "detection:\n  s:\n    cs-uri|expand|contains|all: ['%two%a', '\\%b%one%']\n    c-ip|cidr|expand: '%nets%'\n    cs-host|wide|base64offset: x\n  condition: s\n---\n" +
		filterText("{rules: [r1], s: {cs-uri|utf16: 'a?*'}, t: [b], condition: not s or t}") + "---\n" +
		correlationText("type: value_percentile, rules: [r1], timespan: 1m, condition: {field: a, percentile: 50, gt: -1.5}, aliases: {a: {r1: b}}")))
	f.Fuzz(func(t *testing.T, data []byte) {
		docs, err := conformOptions.Parse("f.yml", data)
		for _, e := range Refusals(err) {
			if e.Line < 1 || e.Column < 1 || e.Why == "" {
				t.Fatalf("a refusal without place or reason: %+v", e)
			}
		}
		for _, d := range docs {
			same(t, d)
			if d.Rule != nil {
				d.Rule.Match(rec("GET /%41?q=<b> -a 404", "url.original=/%41 -a", "http.response.status_code=404", "source.ip=10.1.2.3", "a=b"))
				d.Rule.Match(rec(""))
				for _, o := range docs {
					if o.Filter == nil {
						continue
					}
					if u, err := d.Rule.Filtered(o.Filter); err == nil {
						if r := rec("GET /%41", "url.original=/a", "a=b"); u.Match(r) && !d.Rule.Match(r) {
							t.Fatal("a filter made a match")
						}
					}
				}
			}
		}
	})
}

// FuzzPattern holds the matcher of wildcards against a regular expression of the same meaning.
func FuzzPattern(f *testing.F) {
	f.Add(`a*b?c\*\\*`, "aXbYc*\\z")
	f.Add("*", "")
	f.Add("?*K", "\xff\u212a")
	f.Fuzz(func(t *testing.T, p, s string) {
		checkPattern(t, p, s)
	})
}
