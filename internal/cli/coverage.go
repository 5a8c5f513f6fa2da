package cli

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"tocsin/internal/sigma"
)

// A layer is a file for MITRE's ATT&CK Navigator (layer format 4.5, github.com/mitre-attack/attack-navigator, layers/spec).
type layer struct {
	Name        string      `json:"name"`
	Versions    versions    `json:"versions"`
	Domain      string      `json:"domain"`
	Description string      `json:"description"`
	Techniques  []technique `json:"techniques"`
	Gradient    gradient    `json:"gradient"`
}

type versions struct {
	Layer string `json:"layer"`
}

type technique struct {
	ID      string `json:"techniqueID"`
	Score   int    `json:"score"` // rules
	Comment string `json:"comment"`
}

type gradient struct {
	Colors []string `json:"colors"`
	Min    int      `json:"minValue"`
	Max    int      `json:"maxValue"`
}

var techniqueTag = regexp.MustCompile(`^attack\.(t\d{4}(?:\.\d{3})?)$`)

// layerOf counts for each technique the rules that are tagged with it.
func layerOf(docs []sigma.Document) layer {
	rules := map[string][]string{}
	for _, d := range docs {
		for _, t := range d.Meta().Tags {
			if m := techniqueTag.FindStringSubmatch(strings.ToLower(t)); m != nil {
				id := strings.ToUpper(m[1])
				rules[id] = append(rules[id], d.Meta().Title)
			}
		}
	}
	out := layer{Name: "Tocsin", Versions: versions{"4.5"}, Domain: "enterprise-attack",
		Description: fmt.Sprintf("%d rules that Tocsin has loaded", len(docs)), Gradient: gradient{[]string{"#ffffffff", "#2f7ed8ff"}, 0, 1}}
	for _, id := range slices.Sorted(maps.Keys(rules)) {
		out.Techniques = append(out.Techniques, technique{id, len(rules[id]), strings.Join(rules[id], "; ")})
		out.Gradient.Max = max(out.Gradient.Max, len(rules[id]))
	}
	return out
}

// rulesCoverage prints which techniques of ATT&CK the rules tell of.
func (p Program) rulesCoverage(dirs []string, asJSON bool) error {
	set, err := p.loadRules(dirs)
	if err != nil {
		return err
	}
	p.sayRefused(set)
	l := layerOf(set.Rules.Documents())
	if asJSON {
		return json.NewEncoder(p.Out).Encode(l)
	}
	slices.SortStableFunc(l.Techniques, func(a, b technique) int { return cmp.Compare(b.Score, a.Score) })
	for _, t := range l.Techniques {
		fmt.Fprintf(p.Out, "%-10s %4d  %.120s\n", t.ID, t.Score, Safe(t.Comment))
	}
	return nil
}
