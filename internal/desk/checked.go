package desk

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"tocsin/internal/detect"
	"tocsin/internal/intake"
	"tocsin/internal/record"
	"tocsin/internal/sigma"
)

// How a rule stands, for people who wonder why it says nothing.
const (
	StandsLoaded  = "loaded"  // it watches
	StandsResting = "resting" // no log that is read here is its source
	StandsLacking = "lacking" // it needs a field that no parser here gives
	StandsAside   = "aside"   // it loads and is not used
	StandsRefused = "refused" // it does not load
)

// A CheckedRule is how one rule stands, as `rules check --json` prints it. The names are scripted against: they stay.
type CheckedRule struct {
	Stands string   `json:"stands"`
	Rule   string   `json:"rule"`
	Title  string   `json:"title,omitempty"`
	Level  string   `json:"level,omitempty"`
	File   string   `json:"file"`
	Line   int      `json:"line"`
	Reads  []string `json:"reads,omitempty"` // the logs whose records it is held against; of a correlation, its rules
	Why    string   `json:"why,omitempty"`
}

// CheckRules says of each rule of a set how it stands: those that were refused first, then in the order of the set.
func CheckRules(set RuleSet) (all []CheckedRule) {
	for _, r := range set.Refused {
		all = append(all, CheckedRule{Stands: StandsRefused, Rule: r.Rule, Title: r.Title, File: r.File, Line: r.Line, Why: r.Feature + ": " + r.Why})
	}
	aside := map[string]string{}
	for _, b := range set.Rules.Aside() {
		aside[b.Rule] = b.Why
	}
	stands := map[string]string{} // by id and name
	for _, d := range set.Rules.Documents() {
		m := d.Meta()
		x := CheckedRule{Stands: StandsLoaded, Rule: m.Key(), Title: m.Title, Level: m.Level, File: m.File, Line: m.Line}
		if d.Rule != nil {
			x.plain(d.Rule, aside[m.Key()])
		} else {
			x.correlation(d.Correlation, stands)
		}
		stands[m.Key()] = x.Stands
		if m.Name != "" {
			stands[m.Name] = x.Stands
		}
		told := x.Stands == StandsLacking || d.Rule != nil && keepsNames(d.Rule.LogSource) // or it is not so
		x.Why = strings.Join(slices.DeleteFunc(append([]string{x.Why}, warnings(set.Warned, x, told)...), func(s string) bool { return s == "" }), "; ")
		all = append(all, x)
	}
	return all
}

// plain says how a rule stands that is no correlation.
func (x *CheckedRule) plain(u *sigma.Rule, aside string) {
	for _, s := range intake.Sources() {
		if u.Routed(s) {
			x.Reads = append(x.Reads, sourceName(s))
		}
	}
	lacks := u.Lacks()
	switch {
	case aside != "":
		x.Stands = StandsAside // the warning says why
	case len(x.Reads) == 0:
		x.Stands = StandsResting
	case len(lacks) > 0 && !keepsNames(u.LogSource):
		x.Stands = StandsLacking
		x.Why = fmt.Sprintf("it never matches unless an application's log has the field %s", strings.Join(lacks, ", "))
	}
}

// correlation says how a correlation stands: it can say something as long as one of its rules can.
func (x *CheckedRule) correlation(c *sigma.Correlation, stands map[string]string) {
	watching := 0
	var resting []string
	for _, name := range c.Rules {
		x.Reads = append(x.Reads, name)
		if stands[name] == StandsLoaded {
			watching++
		} else {
			resting = append(resting, fmt.Sprintf("%s (%s)", name, stands[name]))
		}
	}
	if len(resting) > 0 {
		x.Why = "of the rules that it reads these say nothing: " + strings.Join(resting, ", ")
	}
	if watching == 0 {
		x.Stands = StandsResting
	}
}

// keepsNames reports whether the records of a log source have fields under the log's own names, whatever these are.
func keepsNames(s sigma.LogSource) bool { return s.Service == "auditd" || s.Category == "application" }

func sourceName(s record.LogSource) string {
	return cmp.Or(strings.TrimSpace(s.Product+" "+s.Service), strings.Join(s.Categories, "/"))
}

// warnings are those about one rule, without what was told of fields.
func warnings(all []detect.Warning, x CheckedRule, told bool) (own []string) {
	for _, w := range all {
		if w.Rule == x.Rule && w.File == x.File && w.Line == x.Line && !(told && strings.HasPrefix(w.Why, "no parser here gives the field ")) {
			own = append(own, w.Why)
		}
	}
	return own
}
