package sigma

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"tocsin/internal/record"
)

// The conformance suite holds an evaluator against the Sigma specification 2.1.0 (SigmaHQ/sigma-specification, release
// of 2 August 2025). Each case names the document and section that it is from. Some are facts that pySigma's tests state
// too (SigmaHQ/pySigma, LGPL-2.1: the facts, none of its code). Correlations and filters are in package detect.

// A conformity is a detection with records that it must match and others that it must not.
type conformity struct {
	part string   // "document: section" of the specification
	rule string   // a detection section; without a condition it is the value of one selection
	yes  []string // records, as written for sigmaRecord
	no   []string
}

// A refusal is a text that must be refused, and what for.
type refusal struct {
	part    string
	text    string // a document; of a detection section alone, what stands in front of it is added
	feature string
}

// conformities are the cases by line of the checklist.
func conformities() map[string][]conformity {
	return map[string][]conformity{
		"values":       valueCases,
		"escapes":      escapeCases,
		"maps, lists":  structureCases,
		"keywords":     keywordCases,
		"modifiers":    slices.Concat(textModifierCases, encodingCases, regexCases, numberCases, otherModifierCases),
		"placeholders": placeholderCases,
		"condition":    conditionCases,
	}
}

func yes(records ...string) []string { return records }
func no(records ...string) []string  { return records }

// TestConformance holds the plain evaluator against the suite.
func TestConformance(t *testing.T) { conform(t, (*Rule).Match) }

// conform holds an evaluator against the suite.
func conform(t *testing.T, match func(*Rule, *record.Record) bool) {
	for line, cases := range conformities() {
		for i, c := range cases {
			t.Run(fmt.Sprintf("%s/%d %s", line, i, c.part), func(t *testing.T) {
				docs, err := conformOptions.Parse("c.yml", []byte(document(c.rule)))
				if err != nil || len(docs) != 1 {
					t.Fatalf("%v\n%s", err, document(c.rule))
				}
				for _, s := range c.yes {
					if !match(docs[0].Rule, sigmaRecord(s)) {
						t.Errorf("%s\nshould match %q", c.rule, s)
					}
				}
				for _, s := range c.no {
					if match(docs[0].Rule, sigmaRecord(s)) {
						t.Errorf("%s\nshould not match %q", c.rule, s)
					}
				}
				if len(c.yes)+len(c.no) == 0 {
					t.Error("a case without records")
				}
			})
		}
	}
}

// TestConformanceRefusals: what the specification forbids, and what is not supported, is refused by name.
func TestConformanceRefusals(t *testing.T) {
	for i, c := range refusals {
		t.Run(fmt.Sprintf("%d %s", i, c.part), func(t *testing.T) {
			text := c.text
			if !strings.Contains(text, "title:") {
				text = document(text)
			}
			docs, err := conformOptions.Parse("c.yml", []byte(text))
			if err == nil || len(docs) > 0 {
				t.Fatalf("it was not refused:\n%s", text)
			}
			e := Refusals(err)[0]
			if e.Feature != c.feature || e.Line < 1 || e.Column < 1 || e.Why == "" {
				t.Errorf("%+v is not about %q", e, c.feature)
			}
			if e.Rule == "" && e.Feature != "YAML" && e.Feature != "document" {
				t.Errorf("%v names no rule", e)
			}
		})
	}
}

// TestConformanceIsWhole counts the cases and sees that no modifier is left out.
func TestConformanceIsWhole(t *testing.T) {
	cases, records := len(refusals), 0
	texts := ""
	for line, list := range conformities() {
		if len(list) < 8 {
			t.Errorf("only %d cases for %s", len(list), line)
		}
		for _, c := range list {
			cases++
			records += len(c.yes) + len(c.no)
			texts += c.rule + "\n"
			if _, _, ok := strings.Cut(c.part, ": "); !ok {
				t.Errorf("%q names no section", c.part)
			}
		}
	}
	t.Logf("%d cases, %d records", cases, records)
	if cases < 250 {
		t.Errorf("%d cases; the suite has at least 250", cases)
	}
	for m := range modifiers {
		if !strings.Contains(texts, "|"+m+":") && !strings.Contains(texts, "|"+m+"|") && !strings.Contains(texts, "|"+m+"'") {
			t.Errorf("no case has the modifier %s", m)
		}
	}
}

var conformOptions = Options{Placeholders: map[string][]string{
	"admins":     {"root", "adm_*"},
	"Servers":    {"srv*"},
	"one":        {"1"},
	"two":        {"1", "2"},
	"nets":       {"192.0.2.0/24", "2001:db8::/32"},
	"other.name": {"x"},
	"field":      {"g"},
	"signs":      {`a\*b`, `c\%d`},
}}

// document makes a document of a detection section, or of the value of its one selection.
func document(detection string) string {
	if !strings.Contains(detection, "condition:") {
		detection = "s: " + strings.ReplaceAll(detection, "\n", "\n  ") + "\ncondition: s"
	}
	return "title: c\nid: c1\nlogsource: {category: application}\ndetection:\n" + indent(detection)
}

// sigmaRecord makes a record of "name=value" parts with " & " between them. A value of digits is a number, true and false
// are truth values; "name:=value" is text whatever it looks like. A part that begins with "#" is the line.
func sigmaRecord(s string) *record.Record {
	raw, pairs, texts := "", []string(nil), []string(nil)
	for part := range strings.SplitSeq(s, " & ") {
		if text, ok := strings.CutPrefix(part, "#"); ok {
			raw = text
		} else if name, value, ok := strings.Cut(part, ":="); ok {
			texts = append(texts, name, value)
		} else if part != "" {
			pairs = append(pairs, part)
		}
	}
	r := rec(raw, pairs...)
	for i := 0; i < len(texts); i += 2 {
		if f, ok := record.FieldNamed(texts[i]); ok {
			r.Set(f, record.Text(texts[i+1]))
		} else {
			r.Extra = append(r.Extra, record.Pair{Name: texts[i], Value: record.Text(texts[i+1])})
		}
	}
	return r
}
