package desk

import (
	"crypto/sha256"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"tocsin/internal/detect"
	"tocsin/internal/intake"
	"tocsin/internal/record"
	"tocsin/internal/sigma"
)

// A RuleSet is rules as loaded, with what was refused and why.
type RuleSet struct {
	Rules   *detect.Rules
	Refused []detect.Refused
	Kept    []detect.Refused // what is broken in a file that changed, where older rules stand in for it (Reload)
	Warned  []detect.Warning
	Files   int
	Texts   map[string]string // by file
	Trouble string            // why the folders could not be read again, "" if they could: the rules are the last ones then

	print string            // of names and texts: what was read last
	good  []sigma.Document  // as parsed, before filters; those that were not refused
	sound map[string]string // by file: its text when it was without a fault last

	parsed map[[sha256.Size]byte]parsed // by name and text
}

// A parsed file is what one text of it holds. A set that is loaded again takes it over where nothing changed.
type parsed struct {
	docs    []sigma.Document
	refused []detect.Refused
}

// LoadRules reads every .yml and .yaml file of the folders, the bundled one first. What cannot be used is refused by name; the
// rest goes on. The error is of a folder that cannot be read.
func LoadRules(folders ...fs.FS) (RuleSet, error) { return RuleSet{}.Reload(folders...) }

// readFolder reads the files of a folder of rules.
func (set *RuleSet) readFolder(folder fs.FS) (files []detect.File, err error) {
	err = fs.WalkDir(folder, ".", func(name string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if ext := strings.ToLower(path.Ext(name)); e.IsDir() || ext != ".yml" && ext != ".yaml" {
			return nil
		}
		set.Files++
		b, err := readRules(folder, name)
		if err != nil {
			set.Refused = append(set.Refused, detect.Refused{File: name, Feature: "file", Why: err.Error()})
			return nil
		}
		files = append(files, detect.File{Name: name, Data: b})
		set.Texts[name] = string(b)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("reading a rules folder: %w", err)
	}
	return files, nil
}

// Find returns the document that alerts name by key.
func (s RuleSet) Find(key string) (sigma.Document, bool) {
	for _, d := range s.Rules.Documents() {
		if d.Meta().Key() == key {
			return d, true
		}
	}
	return sigma.Document{}, false
}

// A Tested rule is what came of the sample lines that it brings along. Why is empty when all is as it says.
type Tested struct{ Rule, Title, Why string }

// TestRules runs the sample lines of every rule through parsers and rules.
func TestRules(set RuleSet) (out []Tested) {
	for _, d := range set.Rules.Documents() {
		m := d.Meta()
		if len(m.Tocsin.Samples) == 0 {
			continue
		}
		t := Tested{Rule: m.Key(), Title: m.Title}
		for _, s := range m.Tocsin.Samples {
			if t.Why == "" {
				t.Why = testSample(set, d, s)
			}
		}
		out = append(out, t)
	}
	return out
}

func testSample(set RuleSet, d sigma.Document, s sigma.Sample) string {
	if d.Rule != nil && !d.Rule.Reads(record.Field.Habit) {
		for _, raw := range s.Match {
			r := parseSample(s.File, raw)
			if !d.Rule.Match(r) {
				return fmt.Sprintf("this line should match and does not: %.200s", raw)
			}
			if !d.Rule.Routed(r.Source) {
				return fmt.Sprintf("this line matches, but its log source is not the rule's: %.200s", raw)
			}
		}
		for _, raw := range s.NoMatch {
			if r := parseSample(s.File, raw); d.Rule.Match(r) && d.Rule.Routed(r.Source) {
				return fmt.Sprintf("this line should not match and does: %.200s", raw)
			}
		}
		return ""
	}
	if len(s.Match) > 0 && !raises(set, d.Meta().Key(), s.File, s.Match, d.Rule == nil) {
		return "the lines that should raise it do not"
	}
	if len(s.NoMatch) > 0 && raises(set, d.Meta().Key(), s.File, s.NoMatch, d.Rule == nil) {
		return "the lines that should not raise it do"
	}
	return ""
}

// parseSample reads a sample. Of one with several lines, as a log with a line of column names needs, the last is meant.
func parseSample(file, raw string) *record.Record {
	p := sampleParser()
	var r *record.Record
	for l := range strings.SplitSeq(raw, "\n") {
		r = p.Parse(record.Line{File: file, Raw: l}, sampleHint)
		MarkSample(r)
	}
	return r
}

func sampleParser() *intake.Parser {
	geo, err := intake.ReadGeo(strings.NewReader(sigma.SampleCountries))
	if err != nil {
		panic("desk: the countries of samples: " + err.Error())
	}
	p, err := intake.New(intake.Options{Geo: geo})
	if err != nil {
		panic("desk: a parser without options: " + err.Error())
	}
	return p
}

// raises reports whether lines, in order, fulfil a correlation, or a rule about habits, which follow from the lines before. One that only
// others read raises nothing, so its count is asked. Lines of several formats may be mixed: each format is a file of its own.
func raises(set RuleSet, rule, file string, lines []string, correlation bool) bool {
	p := sampleParser()
	detector := detect.New(set.Rules, detect.Options{})
	n := int64(0)
	for _, raw := range lines {
		parts := strings.Split(raw, "\n")
		format, _ := intake.Known(parts)
		for _, l := range parts {
			n++
			r := p.Parse(record.Line{File: file + format, Raw: l, Seq: n}, sampleHint)
			MarkSample(r)
			detector.Step(r)
		}
	}
	for _, s := range detector.Stats().Rules {
		if s.Rule == rule {
			return s.Alerts > 0 || s.Matches > 0 && !correlation
		}
	}
	return false
}
