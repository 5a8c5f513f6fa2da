package playbook

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

// small is a playbook that is right, for tests to break.
const small = `playbook: small
title: A small emergency
summary: Something is wrong.
owner: commander
facts:
  - fact: backup
    ask: Is there a backup?
    of: [yes, no]
  - fact: where
    ask: Where was it seen?
ends: verdict = false-alarm
phases:
  - phase: identification
    steps:
      - {step: look, role: analyst, what: Look, why: To know., how: With your eyes., done: You know., asks: [verdict, backup]}
  - phase: short-term-containment
    steps:
      - together:
          - branch: Proof
            steps:
              - {step: save, role: analyst, what: Save the proof, why: It goes., how: Copy it., done: It is copied., evidence: [copy], within: 30m}
          - branch: Stop it
            steps:
              - {step: shut, role: engineer, what: Shut the door, why: They come back., how: Shut it., done: It is shut., approve: commander}
              - {step: tell, role: communications, what: Tell them, why: They ask., how: Write., done: They know., if: affected = customers and severity >= high}
  - phase: recovery
    steps:
      - {step: restore, role: engineer, what: Restore, why: It is broken., how: Restore it., done: It runs., if: backup = yes, action: {do: backup.restore, with: {site: shop}}}
      - {step: ask, role: legal, what: Ask whom it touches, why: The law asks., how: Look., done: You know., asks: [affected], after: []}
  - phase: lessons
    steps:
      - {step: learn, role: commander, what: Learn, why: It comes again., how: Talk., done: It is written., always: true, asks: [where]}
`

func TestSmallPlaybookReads(t *testing.T) {
	_, findings := Read("small.yaml", []byte(small))
	// tell reads affected, for which only ask asks, and that is not before it.
	if len(findings) != 1 || findings[0].Line != 25 || !strings.Contains(findings[0].Says, "for which no step before it asks") {
		t.Fatalf("findings: %v", findings)
	}
	p := read(t, strings.Replace(small, "if: affected = customers and severity >= high", "if: affected = customers and severity >= high, after: [ask]", 1))
	for id, before := range map[string][]string{"look": nil, "save": {"look"}, "shut": {"look"}, "tell": {"ask"}, "restore": {"save", "tell"}, "ask": nil, "learn": {"ask"}} {
		var got []string
		for _, i := range p.Step(id).Before {
			got = append(got, p.Steps[i].ID)
		}
		if !slices.Equal(got, before) {
			t.Errorf("%s waits for %v; want %v", id, got, before)
		}
	}
}

func read(t testing.TB, text string) *Playbook {
	t.Helper()
	p, findings := Read("test.yaml", []byte(text))
	if p == nil {
		t.Fatalf("not taken: %v\n%s", findings, text)
	}
	return p
}

func TestFindings(t *testing.T) {
	right := strings.Replace(small, "if: affected = customers and severity >= high", "if: backup = yes", 1)
	for name, x := range map[string]struct{ old, new, says string }{
		"unknown key":         {"title: A", "titel: B\ntitle: A", `2:1: a playbook has no key "titel"`},
		"unknown role":        {"role: engineer, what: Shut", "role: plumber, what: Shut", "role is one of commander, engineer"},
		"unknown phase":       {"phase: recovery", "phase: recovering", "phase is one of identification"},
		"phases out of order": {"phase: recovery", "phase: identification", "the phases come in the order"},
		"step twice":          {"step: shut", "step: save", "the step save is there already"},
		"fact twice":          {"fact: where", "fact: backup", "the fact backup is there already"},
		"cycle":               {"done: It is copied.,", "done: It is copied., after: [restore],", "steps wait for each other, so that none of them can begin: "},
		"waits for itself":    {"after: []", "after: [ask]", "ask waits for ask"},
		"waits for nobody":    {"after: []", "after: [nobody]", `the step "nobody", which does not exist`},
		"unknown fact":        {"if: backup = yes}", "if: backups = yes}", `the fact "backups" does not stand under facts`},
		"unknown value":       {"if: backup = yes, action", "if: backup = maybe, action", `backup is never "maybe"; its answers are yes, no`},
		"text compared":       {"if: backup = yes, action", "if: where = here, action", "is free text, which cannot be compared"},
		"order of choices":    {"if: backup = yes, action", "if: backup > no, action", "only severity has an order"},
		"broken condition":    {"if: backup = yes, action", "if: backup = , action", "if: at character 9: a value is wanted here"},
		"never holds":         {"if: backup = yes, action", "if: backup = yes and backup = no, action", "restore can never be needed"},
		"against the end":     {"if: backup = yes, action", "if: verdict = false-alarm, action", "restore can never be needed"},
		"ends at once":        {"ends: verdict = false-alarm", "ends: verdict != real", "holds before anything is answered"},
		"ends before":         {"ends: verdict = false-alarm", "ends: severity >= low", "look can never be needed: what ends the playbook"},
		"mends a cycle":       {"after: []", "after: [ask]", "Take one out of after"},
		"mends a condition":   {"if: backup = yes, action", "if: backup = yes and backup = no, action", "Change its if, or take the step out"},
		"mends what is gone":  {"after: []", "after: [nobody]", "take it out of after, or write that step"},
		"asked too late":      {"asks: [verdict, backup]", "asks: [verdict]", "reads the fact backup, for which no step before it asks: put backup under asks"},
		"never ends":          {"ends: verdict = false-alarm", "ends: backup = yes and backup = no", "no answers make"},
		"no why":              {"why: To know., ", "", "why is missing"},
		"long what":           {"what: Look,", "what: " + strings.Repeat("Look ", 30) + ",", "149 characters; 90 are read under stress"},
		"bidi":                {"title: A small", "title: A \u202esmall", "which nobody can see"},
		"one branch":          {"          - branch: Stop it\n            steps:\n", "", "together has 1 branches"},
		"asks for nothing":    {"asks: [where]", "asks: [when]", `asks for the fact "when", which does not stand under facts`},
		"long time":           {"within: 30m", "within: 91d", "longer than 90 days"},
		"no time":             {"within: 30m", "within: soon", `"soon" is no time`},
		"not YAML":            {"phases:", "phases: [", "not YAML as it is read here"},
		"anchor":              {"role: analyst, what: Look", "role: &a analyst, what: Look", "anchors and aliases"},
	} {
		t.Run(name, func(t *testing.T) {
			text := strings.Replace(right, x.old, x.new, 1)
			if text == right {
				t.Fatal("nothing is broken")
			}
			p, findings := Read("f.yaml", []byte(text))
			if p != nil {
				t.Fatal("taken")
			}
			if !slices.ContainsFunc(findings, func(f Finding) bool { return strings.Contains(f.String(), x.says) && f.Line > 0 }) {
				t.Errorf("findings: %v\nwant one that says %q", findings, x.says)
			}
		})
	}
}

// TestForeign: the file that a playbook was made of is kept to the byte, and is no part of what is hashed.
func TestForeign(t *testing.T) {
	right := strings.Replace(small, "affected = customers and ", "", 1)
	mapped := strings.Repeat("0a", 32)
	p := read(t, right+"cacao:\n  mapped: '"+mapped+"'\n  source: |-\n    {\n    \"a\": 'b'}\n")
	if p.Foreign == nil || p.Foreign.Mapped != mapped || p.Foreign.Source != "{\n\"a\": 'b'}" {
		t.Fatalf("%+v", p.Foreign)
	}
	again := read(t, string(p.Print()))
	if *again.Foreign != *p.Foreign || string(again.Own()) != string(read(t, right).Print()) {
		t.Errorf("%+v\n%s", again.Foreign, again.Own())
	}
	for text, says := range map[string]string{
		"cacao: {mapped: ab, source: x}":               "mapped is a SHA-256",
		"cacao: {mapped: " + mapped + "}":              "source is the text of the file",
		"cacao: {source: x}":                           "mapped is missing",
		"cacao: {mapped: " + mapped + ", source: [x]}": "source is the text of the file",
		"cacao: {mapped: '" + mapped + "', source: '" + strings.Repeat("x", MaxSource+1) + "'}": "at most 300000 bytes",
		"cacao: {mapped: '" + mapped + "', source: x, more: y}":                                 "cacao has no key",
	} {
		p, findings := Read("f.yaml", []byte(right+text+"\n"))
		if p != nil || !slices.ContainsFunc(findings, func(f Finding) bool { return strings.Contains(f.Says, says) }) {
			t.Errorf("%.80s: %v; want %q", text, findings, says)
		}
	}
}

func TestUnbuilt(t *testing.T) {
	p := read(t, strings.Replace(small, "affected = customers and ", "", 1))
	if f := p.Unbuilt("f.yaml", nil); len(f) != 1 || !f[0].Warning || !strings.Contains(f[0].Says, "done by hand") || f[0].Line == 0 {
		t.Errorf("findings: %v", f)
	}
	if f := p.Unbuilt("f.yaml", []string{"backup.restore"}); len(f) != 0 {
		t.Errorf("findings: %v", f)
	}
}

func TestConditions(t *testing.T) {
	facts := map[string]string{"a": "1", "severity": "high"}
	answer := func(f string) string { return facts[f] }
	for text, want := range map[string]bool{
		"": true, "a = 1": true, "a != 1": false, "b = 1": false, "b != 1": true, "not b = 1": true, "a in (0, 1)": true, "b in (0, 1)": false,
		"severity >= high": true, "severity > high": false, "severity < critical": true, "severity <= medium": false, "c >= high": false,
		"a = 2 or a = 1 and severity = high": true, "(a = 2 or a = 1) and severity = low": false, "not (a = 1 or a = 2)": false, "not not a = 1": true,
	} {
		c, err := ParseCondition(text)
		if err != nil {
			t.Errorf("%q: %v", text, err)
			continue
		}
		if got := c.Holds(answer); got != want {
			t.Errorf("%q is %v", text, got)
		}
	}
	for text, says := range map[string]string{
		"a": "what is \"a\" compared with", "a =": "a value is wanted", "a = 1 b": "not expected here", "(a = 1": "not closed", "a ! 1": "\"!\" stands alone", "a in 1": "values in parentheses",
		"a in (1": "not closed", "and": "the name of a fact is wanted", "A = 1": "the sign 'A'", strings.Repeat("not ", 40) + "a = 1": "parentheses within each other", strings.Repeat("a", 3000): "longer than",
	} {
		if _, err := ParseCondition(text); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: %v; want %q", text, err, says)
		}
	}
}

// FuzzCondition: what parses is printed so that it reads back as the same, and its faults lie within the text.
func FuzzCondition(f *testing.F) {
	for _, s := range []string{"a = 1", "not (a != b or c in (d, e)) and severity >= high", "((a = 1))", "a = 1 or b = 2 and not c = 3", "a <", "in in (in)"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		c, err := ParseCondition(s)
		if err != nil {
			if slip := err.(*Slip); slip.At < 0 || slip.At > len(s) {
				t.Fatalf("the fault of %q lies at %d", s, slip.At)
			}
			return
		}
		again, err := ParseCondition(c.String())
		if err != nil {
			t.Fatalf("%q is printed as %q: %v", s, c, err)
		}
		if !same(c.root, again.root) {
			t.Fatalf("%q is printed as %q, which reads as %q", s, c, again)
		}
	})
}

func same(a, b *clause) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.op == b.op && a.fact == b.fact && slices.Equal(a.values, b.values) && slices.EqualFunc(a.parts, b.parts, same)
}

// FuzzRead: whatever a file holds, reading it ends, a fault has a place in it, and what is taken is printed so that it reads back as the same.
func FuzzRead(f *testing.F) {
	f.Add(strings.Replace(small, "affected = customers and ", "", 1))
	f.Add(small)
	f.Add("playbook: x\nphases: []\n")
	f.Fuzz(func(t *testing.T, s string) {
		p, findings := Read("f.yaml", []byte(s))
		if p == nil {
			if len(findings) == 0 {
				t.Fatal("refused without a word")
			}
			return
		}
		again, findings := Read("f.yaml", p.Print())
		if again == nil {
			t.Fatalf("printed:\n%s\ndoes not read back: %v", p.Print(), findings)
		}
		if a, b := bare(p), bare(again); !reflect.DeepEqual(a, b) {
			t.Fatalf("printed:\n%s\nread back:\n%s", p.Print(), again.Print())
		}
	})
}

// bare is a playbook as it is printed: conditions as text, places forgotten.
func bare(p *Playbook) any {
	q := *p
	q.place = nil
	return string(q.Print())
}

// Given a file of which every step depends on as many answers as one may, when it is read, then it is refused soon.
func TestCombinationsAreBounded(t *testing.T) {
	var b strings.Builder
	b.WriteString("playbook: many\ntitle: Many\nsummary: s\nsigns: [x]\nowner: commander\nreview: 90\nfacts:\n")
	var asks, all []string
	for n := range 6 {
		fmt.Fprintf(&b, "  - {fact: f%d, ask: q, of: [a, b, c, d]}\n", n)
		asks = append(asks, fmt.Sprintf("f%d", n))
		all = append(all, fmt.Sprintf("f%d = a and f%d = b", n, n))
	}
	b.WriteString("phases:\n  - phase: identification\n    steps:\n")
	fmt.Fprintf(&b, "      - {step: ask, role: analyst, what: w, why: w, how: h, done: d, asks: [%s]}\n", strings.Join(asks, ", "))
	for n := range 400 {
		fmt.Fprintf(&b, "      - {step: s%d, role: analyst, what: w, why: w, how: h, done: d, if: %s, after: [ask]}\n", n, strings.Join(all, " or "))
	}
	begun := time.Now()
	p, findings := Read("many.yaml", []byte(b.String()))
	if p != nil || len(findings) == 0 || !slices.ContainsFunc(findings, func(f Finding) bool { return strings.Contains(f.Says, "depend on too many answers to be checked") }) {
		t.Fatalf("%d findings: %v", len(findings), findings[:min(len(findings), 3)])
	}
	t.Logf("refused after %v", time.Since(begun))
}
