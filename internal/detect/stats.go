package detect

import (
	"slices"
	"strings"
	"time"
)

// Stats are figures for people; counts are since the state began, restarts included.
type Stats struct {
	Records   int64         // that were stepped through
	Late      int64         // later than Options.Lateness
	Groups    int           // kept now
	Held      int           // matches that windows hold now
	Active    int           // alerts that have not ended
	Waiting   int           // groups that gave way and are remembered in short
	Evicted   int64         // groups lost for good because a limit was reached
	Blunt     int64         // of those lost, how many had come half of the way to an alert since they began to, at most an hour apart
	Addresses int           // of which is known who signs in from them
	Forgotten int64         // such addresses lost because a limit was reached
	Accounts  int           // of which is known what is normal
	Strangers int64         // such accounts lost because a limit was reached
	Trusted   int64         // addresses under suspicion that were lost because a limit was reached: what they do may be learnt as normal
	Scan      time.Duration // of Costs records: finding which rules may match, which all rules share
	Costs     int64         // records that were measured (Options.Clock)
	Rules     []RuleStats
}

// RuleStats are the figures of one rule or correlation.
type RuleStats struct {
	Rule      string
	Title     string
	Seen      int64  // records of its log source; of a correlation, matches of its rules
	Matches   int64  // records that matched; of a correlation, records that completed it
	Alerts    int64  // raised
	Ungrouped int64  // of a correlation: matches that lacked a group-by field or value
	Evicted   int64  // groups lost because a limit was reached
	Groups    int    // kept now
	Broken    string // why it was set aside, "" while it works

	Cost        time.Duration // of the CostRecords that were measured since the program began (Options.Clock)
	CostRecords int64         // as Seen, but only those that were measured: Cost/CostRecords is the mean
	Tried       int64         // those of CostRecords of which the index alone did not say that the rule does not match
}

// Mean is what a record of the rule's log source costs it on average; of a correlation, a match of its rules.
func (s RuleStats) Mean() time.Duration {
	if s.CostRecords == 0 {
		return 0
	}
	return s.Cost / time.Duration(s.CostRecords)
}

// Total is what all records that the rule saw cost it, reckoned from those that were measured.
func (s RuleStats) Total() time.Duration {
	if s.CostRecords == 0 {
		return 0
	}
	return time.Duration(float64(s.Cost) * float64(s.Seen) / float64(s.CostRecords))
}

// Stats returns the figures as of now.
func (d *Detector) Stats() Stats {
	d.settle()
	s := Stats{
		Records: d.ord, Late: d.late, Groups: d.groups, Held: d.weight, Active: d.active, Evicted: d.evicted, Blunt: d.blunt.Count,
		Addresses: len(d.near.by), Forgotten: d.forgotten,
		Scan: d.scanned.took, Costs: d.scanned.records,
		Accounts: len(d.habits.by), Strangers: d.habits.forgotten, Trusted: d.habits.doubts.lost,
	}
	if d.waiting != nil {
		s.Waiting = d.waiting.used
	}
	s.Rules = slices.Grow(s.Rules, len(d.rules.nodes))
	for i, n := range d.rules.nodes {
		r := d.bins[i].stats
		r.Cost, r.CostRecords, r.Tried = d.costs[i].took, d.costs[i].records, d.costs[i].tried
		r.Rule, r.Title, r.Groups, r.Broken = n.meta.Key(), n.meta.Title, len(d.bins[i].groups), d.bins[i].broken
		s.Rules = append(s.Rules, r)
	}
	return s
}

// A Broken rule was set aside, to be shown: because it panicked, a fault of ours, or because it is over its budget
// (sigma.Rule.OverBudget).
type Broken struct {
	Rule string
	Why  string
}

// Broken lists the rules that were set aside.
func (d *Detector) Broken() []Broken {
	var out []Broken
	for i, n := range d.rules.nodes {
		if why := d.bins[i].broken; why != "" {
			out = append(out, Broken{n.meta.Key(), why})
		}
	}
	return out
}

// Alerts returns the alerts that have not ended, in the order in which they were raised.
func (d *Detector) Alerts() []Alert {
	var lives []*live
	for i, n := range d.rules.nodes {
		if !n.raises {
			continue
		}
		for e := d.bins[i].order.Front(); e != nil; e = e.Next() { // what has an alert is no single
			if l := e.Value.(*group).live; l != nil {
				lives = append(lives, l)
			}
		}
	}
	slices.SortFunc(lives, func(a, b *live) int {
		if a.Ord != b.Ord {
			return int(min(max(a.Ord-b.Ord, -1), 1))
		}
		return strings.Compare(a.Alert.Rule+a.Alert.ID, b.Alert.Rule+b.Alert.ID)
	})
	var out []Alert
	for _, l := range lives {
		out = append(out, l.copied())
	}
	return out
}
