// Package rules holds the shop pack: Sigma rules for what happens to online shops. README.md says what is in it; the
// tests here hold every rule to its own sample lines.
package rules

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"tocsin/internal/desk"
	"tocsin/internal/detect"
	"tocsin/internal/intake"
	"tocsin/internal/record"
	"tocsin/internal/sigma"
)

// load parses the pack; a refusal fails the test.
func load(t *testing.T) []sigma.Document {
	t.Helper()
	files, err := filepath.Glob("*.yml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no rules beside this test (%v)", err)
	}
	var docs []sigma.Document
	for _, f := range files {
		data, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		more, err := sigma.Parse(f, data)
		for _, e := range sigma.Refusals(err) {
			t.Error(e)
		}
		docs = append(docs, more...)
	}
	return docs
}

func TestThePackLoadsWithoutAWarning(t *testing.T) {
	_, refused, warnings := detect.Load(load(t), intake.Sources()...)
	for _, r := range refused {
		t.Errorf("%s:%d: %s", r.File, r.Line, r.Why)
	}
	for _, w := range warnings {
		t.Errorf("%s:%d: %s", w.File, w.Line, w.Why)
	}
}

var (
	uuid      = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`)
	day       = regexp.MustCompile(`^20\d\d-\d\d-\d\d$`)
	technique = regexp.MustCompile(`^attack\.t\d{4}(\.\d{3})?$`)
	weakness  = regexp.MustCompile(`^cve\.(19|20)\d\d-\d{4,7}$`)
	name      = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)
)

func TestEveryRuleIsDocumented(t *testing.T) {
	seen := map[string]string{}
	for _, d := range load(t) {
		m := d.Meta()
		where := m.File + ": " + m.Title
		for what, ok := range map[string]bool{
			"an id that is a UUID":        uuid.MatchString(m.ID),
			"a name":                      name.MatchString(m.Name),
			"a title without full stop":   m.Title != "" && !strings.HasSuffix(m.Title, "."),
			"a description":               len(m.Description) > 20,
			"a status":                    m.Status != "",
			"author and licence":          m.Author == "Tocsin" && m.License == "Apache-2.0",
			"a date":                      day.MatchString(m.Date),
			"false positives":             len(m.FalsePositives) > 0,
			"samples that match":          sampled(m, true),
			"samples that do not match":   sampled(m, false),
			"a tactic and a technique":    tagged(m.Tags),
			"a level of its own":          strings.Contains(string(d.Print()), "\nlevel: "),
			"an ordinary amount of quiet": m.Tocsin.Quiet >= time.Minute && m.Tocsin.Quiet <= 24*time.Hour,
		} {
			if !ok {
				t.Errorf("%s lacks %s", where, what)
			}
		}
		for _, key := range []string{m.ID, m.Name, m.Title} {
			if other, twice := seen[key]; twice {
				t.Errorf("%s and %s share %q", where, other, key)
			}
			seen[key] = where
		}
	}
}

func sampled(m *sigma.Meta, match bool) bool {
	for _, s := range m.Tocsin.Samples {
		if match && len(s.Match) > 0 || !match && len(s.NoMatch) > 0 {
			return true
		}
	}
	return false
}

// tagged reports whether tags name at least one tactic and one technique of ATT&CK, and beside them only weaknesses by
// their CVE number.
func tagged(tags []string) bool {
	tactics, techniques := 0, 0
	for _, tag := range tags {
		switch {
		case technique.MatchString(tag):
			techniques++
		case strings.HasPrefix(tag, "attack."):
			tactics++
		case weakness.MatchString(tag):
		default:
			return false
		}
	}
	return tactics > 0 && techniques > 0
}

// records reads the lines of a sample as one log in order. A record without a time would be a wrong sample.
func records(t *testing.T, m *sigma.Meta, lines []string) []*record.Record {
	t.Helper()
	geo, err := intake.ReadGeo(strings.NewReader(sigma.SampleCountries))
	if err != nil {
		t.Fatal(err)
	}
	p, err := intake.New(intake.Options{Geo: geo})
	if err != nil {
		t.Fatal(err)
	}
	var out []*record.Record
	for i, line := range lines {
		// Lines of several formats may be mixed in one sample: each format is a file of its own.
		format, _ := intake.Known([]string{line})
		r := p.Parse(record.Line{File: format, Seq: int64(i + 1), Raw: line}, time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC))
		desk.MarkSample(r)
		if r.Class != record.Parsed || r.Time.IsZero() {
			t.Errorf("%s: %s: the sample line is %v: %s", m.File, m.Title, r.Class, line)
		}
		out = append(out, r)
	}
	return out
}

func TestSamplesOfRules(t *testing.T) {
	for _, d := range load(t) {
		u := d.Rule
		if u == nil || u.Reads(record.Field.Habit) { // habits follow from the lines before: see below
			continue
		}
		for _, s := range u.Tocsin.Samples {
			for want, lines := range map[bool][]string{true: s.Match, false: s.NoMatch} {
				for _, r := range records(t, &u.Meta, lines) {
					if got := u.Routed(r.Source) && u.Match(r); got != want {
						t.Errorf("%s: %s: match is %v, want %v: %s", u.File, u.Title, got, want, r.Line.Raw)
					}
				}
			}
		}
	}
}

// TestSamplesOfCorrelations holds correlations, and rules about habits, to their samples, line after line.
func TestSamplesOfCorrelations(t *testing.T) {
	docs := load(t)
	rules, _, _ := detect.Load(docs)
	for _, d := range docs {
		c := d.Meta()
		if d.Correlation == nil && (d.Rule == nil || !d.Rule.Reads(record.Field.Habit)) {
			continue
		}
		for _, s := range c.Tocsin.Samples {
			for want, lines := range map[bool][]string{true: s.Match, false: s.NoMatch} {
				detector := detect.New(rules, detect.Options{})
				for _, r := range records(t, c, lines) {
					detector.Step(r)
				}
				for _, figures := range detector.Stats().Rules {
					if got := figures.Alerts > 0 || d.Rule != nil && figures.Matches > 0; figures.Rule == c.ID && got != want {
						t.Errorf("%s: %s: fulfilled is %v, want %v", c.File, c.Title, got, want)
					}
				}
			}
		}
	}
}
