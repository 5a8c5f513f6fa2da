package desk

import (
	"bytes"
	"cmp"
	"io/fs"
	"slices"
	"strings"
	"time"

	"tocsin/internal/detect"
	"tocsin/internal/incident"
	"tocsin/internal/intake"
	"tocsin/internal/sigma"
)

// # Comparing two sets of rules
//
// "What would this rule have done last month": the standing rules and others go over the same records at once
// (ReplayOptions.Compare), and what they came to is held side by side, rule by rule and incident by incident.
//
// An incident of one side is the other's as well when both have an alert in common: the same one, or one of the same rule at the
// same time about the same address or account.

// LoadRulesOver is LoadRules of the base folders and over, where a rule of over takes the place of one of the base that has the same
// id or name. Of filters too.
func LoadRulesOver(over fs.FS, base ...fs.FS) (RuleSet, error) {
	set := RuleSet{Texts: map[string]string{}}
	var docs []sigma.Document
	taken := map[string]bool{}
	for n, folder := range append([]fs.FS{over}, base...) {
		files, err := set.read([]fs.FS{folder})
		if err != nil {
			return set, err
		}
		var own []sigma.Document
		for _, f := range files {
			got, err := sigma.Parse(f.Name, f.Data)
			own = append(own, got...)
			set.Refused = append(set.Refused, detect.Refusals(err)...)
		}
		if n > 0 {
			own = slices.DeleteFunc(own, func(d sigma.Document) bool { return taken[d.Meta().Key()] || taken[d.Meta().Name] })
			docs = append(docs, own...)
			continue
		}
		for _, d := range own {
			taken[d.Meta().Key()] = true
			if d.Meta().Name != "" {
				taken[d.Meta().Name] = true
			}
		}
		docs = own
	}
	rules, refused, warned := detect.Load(docs, intake.Sources()...)
	set.Rules, set.Warned = rules, warned
	set.Refused = append(set.Refused, refused...)
	return set, nil
}

// A Comparison is what two sets of rules say of the same records.
type Comparison struct {
	Rules     []RuleChange // that are new, gone or changed, or say something else; those that say more than before first
	Same      int          // rules that are the same and say the same
	Incidents []IncidentChange
	Before    Ringing
	After     Ringing
}

// Ringing counts what people would have noticed.
type Ringing struct {
	Alerts    int `json:"alerts"`
	Incidents int `json:"incidents"`
	Rings     int `json:"rings"` // incidents of severity high or critical: they ring the team
}

// A RuleChange is one rule before and after, as `replay --compare --json` prints it. The names are scripted against: they stay.
type RuleChange struct {
	Kind   string  `json:"kind"` // "rule-change"
	Change string  `json:"change"`
	Rule   string  `json:"rule"`
	Title  string  `json:"title"`
	Level  string  `json:"level"`
	Was    string  `json:"level_before,omitempty"` // when it is another
	Before Outcome `json:"before"`
	After  Outcome `json:"after"`
}

// What became of a rule or an incident.
const (
	ChangeNew     = "new"
	ChangeGone    = "gone"
	ChangeChanged = "changed"
	ChangeOther   = "same rule" // that says something else, because others that it reads, or that are grouped with it, changed
	ChangeLouder  = "rings now"
	ChangeQuieter = "rings no more"
)

// An Outcome is what one rule said.
type Outcome struct {
	Alerts  int       `json:"alerts"`
	Records int64     `json:"records"` // in its alerts
	Matches int64     `json:"matches"` // records that it matched, those that only fill windows or mark for other rules too
	First   time.Time `json:"first,omitzero"`
	Last    time.Time `json:"last,omitzero"`
	Sample  string    `json:"sample,omitempty"` // a line of its first alert
	Broken  string    `json:"broken,omitempty"` // why it was set aside
}

// An IncidentChange is an incident that only one of the sets makes, or that rings with one of them only.
type IncidentChange struct {
	Kind     string         `json:"kind"` // "incident-change"
	Change   string         `json:"change"`
	Rings    bool           `json:"rings"`
	Incident ReplayIncident `json:"incident"`
}

// Compare holds what ReplayOptions.Compare said against what the standing rules said.
func Compare(before, after *detect.Rules, out Replay) Comparison {
	other := *out.Compared
	c := Comparison{Before: ringing(out), After: ringing(other)}
	a, b := outcomes(out), outcomes(other)
	then := map[string]sigma.Document{}
	for _, d := range before.Documents() {
		then[d.Meta().Key()] = d
	}
	for _, d := range after.Documents() {
		m := d.Meta()
		x := RuleChange{Kind: "rule-change", Rule: m.Key(), Title: m.Title, Level: m.Level, Before: a[m.Key()], After: b[m.Key()]}
		old, stood := then[m.Key()]
		delete(then, m.Key())
		switch {
		case !stood:
			x.Change = ChangeNew
		case otherwise(old, d):
			x.Change = ChangeChanged
			if was := old.Meta().Level; was != m.Level {
				x.Was = was
			}
		case x.Before != x.After:
			x.Change = ChangeOther
		default:
			c.Same++
			continue
		}
		c.Rules = append(c.Rules, x)
	}
	for key, d := range then {
		m := d.Meta()
		c.Rules = append(c.Rules, RuleChange{Kind: "rule-change", Change: ChangeGone, Rule: key, Title: m.Title, Level: m.Level, Before: a[key]})
	}
	slices.SortFunc(c.Rules, func(a, b RuleChange) int {
		order := []string{ChangeNew, ChangeChanged, ChangeGone, ChangeOther}
		return cmp.Or(slices.Index(order, a.Change)-slices.Index(order, b.Change),
			cmp.Compare(b.After.Alerts-b.Before.Alerts, a.After.Alerts-a.Before.Alerts), strings.Compare(a.Title+a.Rule, b.Title+b.Rule))
	})
	c.Incidents = incidentChanges(out, other)
	return c
}

// otherwise reports whether two documents of one id say different things: a rule that only stands elsewhere in its file does not.
func otherwise(a, b sigma.Document) bool {
	return a.Meta().Version != b.Meta().Version && (!bytes.Equal(a.Print(), b.Print()) || !slices.Equal(a.Explain(), b.Explain()))
}

func ringing(out Replay) Ringing {
	x := Ringing{Alerts: len(out.Alerts), Incidents: len(out.Incidents)}
	for _, i := range out.Incidents {
		if rings(i) {
			x.Rings++
		}
	}
	return x
}

// rings reports whether an incident calls people (package oncall).
func rings(i ReplayIncident) bool { return incident.Rank(i.Severity) >= incident.Rank("high") }

// outcomes sums up what each rule said.
func outcomes(out Replay) map[string]Outcome {
	all := map[string]Outcome{}
	for _, s := range out.Stats.Rules {
		all[s.Rule] = Outcome{Matches: s.Matches, Broken: s.Broken}
	}
	for _, a := range out.Alerts {
		x := all[a.Rule]
		if x.Alerts++; x.Alerts == 1 || a.First.Before(x.First) {
			x.First = a.First
		}
		x.Last = later(x.Last, a.Last)
		x.Records += a.Count
		if x.Sample == "" && len(a.Sample) > 0 {
			x.Sample = a.Sample[0]
		}
		all[a.Rule] = x
	}
	return all
}

// incidentChanges finds the incidents that have no counterpart, and those whose counterpart rings when they do not.
func incidentChanges(before, after Replay) []IncidentChange {
	var all []IncidentChange
	add := func(change string, i ReplayIncident) {
		all = append(all, IncidentChange{"incident-change", change, rings(i), i})
	}
	old, now := newCounterparts(before), newCounterparts(after)
	for _, i := range after.Incidents {
		switch o := old.of(i, now); {
		case len(o) == 0:
			add(ChangeNew, i)
		case rings(i) && !slices.ContainsFunc(o, rings):
			add(ChangeLouder, i)
		}
	}
	for _, i := range before.Incidents {
		switch o := now.of(i, old); {
		case len(o) == 0:
			add(ChangeGone, i)
		case rings(i) && !slices.ContainsFunc(o, rings):
			add(ChangeQuieter, i)
		}
	}
	slices.SortStableFunc(all, func(a, b IncidentChange) int { return a.Incident.First.Compare(b.Incident.First) })
	return all
}

// counterparts finds incidents of one replay by their alerts.
type counterparts struct {
	out    Replay
	alerts map[string]ReplayAlert // by id
	holder map[string]int         // place of the incident of an alert
	byRule map[string][]string    // ids
}

func newCounterparts(out Replay) *counterparts {
	c := &counterparts{out: out, alerts: map[string]ReplayAlert{}, holder: map[string]int{}, byRule: map[string][]string{}}
	for _, a := range out.Alerts {
		c.alerts[a.ID] = a
		c.byRule[a.Rule] = append(c.byRule[a.Rule], a.ID)
	}
	for n, i := range out.Incidents {
		for _, id := range i.Members {
			c.holder[id] = n
		}
	}
	return c
}

// of returns the incidents here that are one of the other side, of which theirs are the alerts.
func (c *counterparts) of(i ReplayIncident, theirs *counterparts) (all []ReplayIncident) {
	found := map[int]bool{}
	note := func(id string) {
		if n, ok := c.holder[id]; ok && !found[n] {
			found[n] = true
			all = append(all, c.out.Incidents[n])
		}
	}
	for _, id := range i.Members {
		if _, same := c.alerts[id]; same {
			note(id)
			continue
		}
		a := theirs.alerts[id]
		for _, other := range c.byRule[a.Rule] {
			if aboutTheSame(a, c.alerts[other]) {
				note(other)
			}
		}
	}
	return all
}

// aboutTheSame reports whether two alerts of one rule are about the same.
func aboutTheSame(a, b ReplayAlert) bool {
	if a.Last.Before(b.First) || b.Last.Before(a.First) {
		return false
	}
	shares := func(x, y []string) bool {
		return slices.ContainsFunc(x, func(s string) bool { return slices.Contains(y, s) })
	}
	return shares(a.Sources, b.Sources) || shares(a.Accounts, b.Accounts) || len(a.Sources)+len(b.Sources)+len(a.Accounts)+len(b.Accounts) == 0
}
