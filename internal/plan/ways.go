package plan

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"tocsin/internal/entry"
)

// Limits of a person's rules.
const (
	maxRules = 20
	maxAfter = 2 * time.Hour
)

// Why a ring is not at once, or not by the person's own rules (entry.CallRing.Why).
const (
	ByRule  = "rule"    // the person's rule waits a while
	Quiet   = "quiet"   // put off to the end of the person's quiet hours
	Loud    = "loud"    // in spite of quiet hours, because nobody else would be rung
	NoRule  = "norule"  // none of the person's rules fits, so every channel rings
	Instead = "instead" // in place of a channel that was held back
)

// Why somebody or something is left out (entry.CallSkip.Why).
const (
	Nobody      = "nobody"      // a role or schedule without anybody in it
	Gone        = "gone"        // left the team
	Unknown     = "unknown"     // there is no such person or schedule
	Unreachable = "unreachable" // has no address for any channel of the step
	IsBarred    = "barred"      // the channel must not be used for this incident
	OutOfHours  = "hours"       // none of the person's rules holds at this hour
	Waits       = "waits"       // is put off already, to the end of quiet hours
	Taken       = "taken"       // has answered this call already
)

// A Want is what a step of a call is asked for.
type Want struct {
	Policy   entry.Policy
	Step     int // over all rounds
	Severity string
	At       time.Time
	Not      []string                          // channels that must not be used
	Took     []string                          // people who have answered already
	Waiting  func(person, channel string) bool // a ring is put off already; nil: none
}

// Resolve says whom a step of a call rings, by what and when, and whom it cannot ring. The console is always the first of the rings:
// it costs nothing and it needs no address.
func (p *Plan) Resolve(w Want) (rings []entry.CallRing, left []entry.CallSkip) {
	s := StepOf(w.Policy, w.Step)
	rings = []entry.CallRing{{Channel: Console}}
	who, chats, left := p.targets(s, w)
	for _, c := range chats {
		if Bars(w.Not, c) {
			left = append(left, entry.CallSkip{Target: c, Channel: c, Why: IsBarred})
		} else {
			rings = append(rings, entry.CallRing{Channel: c})
		}
	}
	for _, id := range slices.Sorted(maps.Keys(who)) {
		if slices.Contains(w.Took, id) {
			left = append(left, entry.CallSkip{Person: id, Why: Taken})
			continue
		}
		r, l := p.reach(id, s, w)
		rings, left = append(rings, r...), append(left, l...)
	}
	if Last(w.Policy, w.Step) && !slices.ContainsFunc(rings, func(r entry.CallRing) bool { return r.Channel != Console && r.Why != Quiet }) {
		for k := range rings { // the last step is for whoever is left: when all of them are quiet, somebody is woken
			if rings[k].Why == Quiet {
				rings[k].Due, rings[k].Why = time.Time{}, Loud
			}
		}
	}
	if w.Waiting == nil {
		return rings, left
	}
	kept := rings[:0]
	for _, r := range rings {
		if r.Why == Quiet && w.Waiting(r.Person, r.Channel) {
			left = append(left, entry.CallSkip{Person: r.Person, Channel: r.Channel, Why: Waits})
		} else {
			kept = append(kept, r)
		}
	}
	return kept, left
}

// bystander reports whether a person has no part in answering calls: who audits or only reports is not everyone.
func bystander(x entry.Person) bool {
	return !slices.ContainsFunc(x.Roles, func(r string) bool { return r != Auditor && r != Reporter })
}

// Answers reports whether a person may answer a call: who holds a role of the response team. Others can be rung, and wait for one who may.
func Answers(x entry.Person) bool {
	return slices.ContainsFunc(x.Roles, func(r string) bool { return slices.Contains(ResponseRoles(), r) })
}

// targets finds the people and chats that a step names.
func (p *Plan) targets(s entry.PolicyStep, w Want) (who map[string]bool, chats []string, left []entry.CallSkip) {
	who = map[string]bool{}
	skip := func(target, person, why string) {
		left = append(left, entry.CallSkip{Target: target, Person: person, Why: why})
	}
	take := func(target, id string) bool {
		x, known := p.People[id]
		switch {
		case !known:
			skip(target, id, Unknown)
		case x.Gone:
			skip(target, id, Gone)
		default:
			who[id] = true
			return true
		}
		return false
	}
	for _, target := range s.Who {
		kind, name, _ := strings.Cut(target, ":")
		switch kind {
		case Everyone, "role":
			found := false
			for id, x := range p.People {
				if !x.Gone && (kind == Everyone && !bystander(x) || kind != Everyone && slices.Contains(x.Roles, name)) {
					who[id], found = true, true
				}
			}
			if !found {
				skip(target, "", Nobody)
			}
		case "schedule":
			if p.OnCall == nil {
				skip(target, "", Unknown)
				continue
			}
			found := false
			for _, id := range p.OnCall(name, w.At) {
				found = take(target, id) || found
			}
			if !found {
				skip(target, "", Nobody)
			}
		case "chat":
			if !slices.Contains(chats, target) {
				chats = append(chats, target)
			}
		default:
			take(target, target)
		}
	}
	return who, chats, left
}

// reach says by what and when one person is rung.
func (p *Plan) reach(id string, s entry.PolicyStep, w Want) (rings []entry.CallRing, left []entry.CallSkip) {
	var can []string
	for _, c := range p.People[id].Channels {
		switch {
		case len(s.By) > 0 && !slices.Contains(s.By, c):
		case Bars(w.Not, c):
			left = append(left, entry.CallSkip{Person: id, Channel: c, Why: IsBarred})
		default:
			can = append(can, c)
		}
	}
	if len(can) == 0 {
		if len(left) == 0 {
			left = append(left, entry.CallSkip{Person: id, Why: Unreachable})
		}
		return nil, left
	}
	ways, zone := p.Ways[id], p.zoneOf(id)
	fits, late := false, false
	for _, r := range ways.Rules {
		if !slices.Contains(can, r.Channel) || len(r.Severities) > 0 && !slices.Contains(r.Severities, w.Severity) {
			continue
		}
		fits = true
		ring := entry.CallRing{Person: id, Channel: r.Channel}
		due := w.At.Add(r.After)
		if r.After > 0 {
			ring.Due, ring.Why = due, ByRule
		}
		if r.Hours != nil && !Within(*r.Hours, due, zone) {
			late = true
			continue
		}
		rings = append(rings, ring)
	}
	switch {
	case len(rings) > 0:
	case fits && late && w.Severity != "critical":
		return nil, append(left, entry.CallSkip{Person: id, Why: OutOfHours})
	default: // somebody must be rung, so what no rule speaks of rings
		for _, c := range unspoken(can, ways.Rules) {
			ring := entry.CallRing{Person: id, Channel: c}
			if len(ways.Rules) > 0 {
				ring.Why = NoRule
			}
			rings = append(rings, ring)
		}
	}
	if ways.Quiet == nil || w.Severity == "critical" {
		return rings, left
	}
	for k := range rings {
		due := rings[k].Due
		if due.IsZero() {
			due = w.At
		}
		if Within(*ways.Quiet, due, zone) {
			rings[k].Due, rings[k].Why = EndOf(*ways.Quiet, due, zone), Quiet
		}
	}
	return rings, left
}

// unspoken returns the channels that no rule names, or all when every one is named.
func unspoken(can []string, rules []entry.Way) []string {
	var out []string
	for _, c := range can {
		if !slices.ContainsFunc(rules, func(r entry.Way) bool { return r.Channel == c }) {
			out = append(out, c)
		}
	}
	if len(out) == 0 {
		return can
	}
	return out
}

// zoneOf is the zone in which a person's hours are meant, UTC when this machine does not know it.
func (p *Plan) zoneOf(id string) *time.Location {
	if p.Zone == nil {
		return time.UTC
	}
	if z, err := p.Zone(p.Ways[id].Zone); err == nil {
		return z
	}
	return time.UTC
}

// ZoneOf is the zone in which a person's hours are meant.
func (p *Plan) ZoneOf(id string) *time.Location { return p.zoneOf(id) }

// minuteOf reads "22:00" as minutes since midnight.
func minuteOf(s string) (int, error) {
	h, m, ok := strings.Cut(s, ":")
	hour, err := strconv.Atoi(h)
	minute, merr := strconv.Atoi(m)
	if !ok || err != nil || merr != nil || len(h) != 2 || len(m) != 2 || hour < 0 || hour > 23 || minute < 0 || minute > 59 {
		return 0, fmt.Errorf("%.20q is no time of day: write 07:00 or 22:30", s)
	}
	return hour*60 + minute, nil
}

// Within reports whether t falls in the hours of some day, by the clocks of a zone. Hours that cannot be read are none.
func Within(h entry.Hours, t time.Time, zone *time.Location) bool {
	from, err := minuteOf(h.From)
	until, uerr := minuteOf(h.Until)
	if err != nil || uerr != nil {
		return false
	}
	l := t.In(zone)
	m := l.Hour()*60 + l.Minute()
	if from < until {
		return from <= m && m < until
	}
	return m >= from || m < until
}

// EndOf returns when hours in which t falls are over: the first whole minute that is not in them. When clocks change meanwhile, it is
// the moment at which the clocks show so. Hours that never end are over at once.
func EndOf(h entry.Hours, t time.Time, zone *time.Location) time.Time {
	until, err := minuteOf(h.Until)
	if err != nil {
		return t
	}
	l := t.In(zone)
	for day := range 3 {
		end := time.Date(l.Year(), l.Month(), l.Day()+day, until/60, until%60, 0, 0, zone)
		if end.Before(t) || Within(h, end, zone) {
			continue
		}
		for before := end.Add(-time.Minute); before.After(t) && !Within(h, before, zone); before = end.Add(-time.Minute) {
			end = before // clocks went back over the end: its first time counts
		}
		return end.UTC()
	}
	return t
}

// SetWays decides by what a person is rung, and when.
func (p *Plan) SetWays(actor string, x entry.Ways) (entry.Draft, error) {
	person, ok := p.People[x.ID]
	if !ok || person.Gone {
		return entry.Draft{}, fmt.Errorf("nobody on the team has the id %.40q", x.ID)
	}
	if len(x.Rules) > maxRules {
		return entry.Draft{}, fmt.Errorf("a person has at most %d rules", maxRules)
	}
	if x.Quiet != nil {
		if err := checkHours(*x.Quiet); err != nil {
			return entry.Draft{}, fmt.Errorf("quiet hours: %w", err)
		}
	}
	if p.Zone != nil {
		if _, err := p.Zone(x.Zone); err != nil {
			return entry.Draft{}, fmt.Errorf("%.60q is no time zone that this machine knows; an example is Europe/Berlin", x.Zone)
		}
	}
	sure := len(x.Rules) == 0
	for k, r := range x.Rules {
		if err := checkRule(r, person); err != nil {
			return entry.Draft{}, fmt.Errorf("rule %d: %w", k+1, err)
		}
		if r.Hours == nil && (len(r.Severities) == 0 || slices.Contains(r.Severities, "critical")) {
			sure = true
		}
	}
	if !sure {
		return entry.Draft{}, errors.New("one rule must ring for Critical at any hour: leave its hours empty, and choose every severity or Critical")
	}
	return entry.Draft{Actor: actor, Kind: entry.PersonWays, Subject: "person:" + x.ID, Body: x}, nil
}

func checkRule(r entry.Way, person entry.Person) error {
	if !slices.Contains(person.Channels, r.Channel) {
		return fmt.Errorf("%s has no address for %.40q; there is %s", person.ID, r.Channel, strings.Join(append(slices.Clone(person.Channels), "nothing else"), ", "))
	}
	if r.After < 0 || r.After > maxAfter {
		return fmt.Errorf("a rule waits 0 to %d min", int(maxAfter.Minutes()))
	}
	for _, s := range r.Severities {
		if !slices.Contains(severities(), s) {
			return fmt.Errorf("nothing rings for the severity %.40q; known: %s", s, strings.Join(severities(), ", "))
		}
	}
	if r.Hours != nil {
		return checkHours(*r.Hours)
	}
	return nil
}

func checkHours(h entry.Hours) error {
	from, err := minuteOf(h.From)
	if err != nil {
		return err
	}
	until, err := minuteOf(h.Until)
	if err != nil {
		return err
	}
	if from == until {
		return errors.New("hours that begin and end at the same time are all or none: leave them out")
	}
	return nil
}

// A Limit is how often a person may be rung by a channel.
type Limit struct {
	Most   int
	Within time.Duration
}

// Limits returns the throttles of a channel, none when it has none.
func Limits(channel string) []Limit {
	switch channel {
	case Voice:
		return []Limit{{3, 15 * time.Minute}, {7, time.Hour}}
	case SMS:
		return []Limit{{5, 15 * time.Minute}}
	}
	return nil
}

// InsteadOf returns the channel that is used when one is held back: the first that a person has, that the step allows, and that keep lets through.
func (p *Plan) InsteadOf(id, channel string, s entry.PolicyStep, keep func(channel string) bool) string {
	for _, c := range Channels() {
		if c != channel && c != Console && slices.Contains(p.People[id].Channels, c) && (len(s.By) == 0 || slices.Contains(s.By, c)) && keep(c) {
			return c
		}
	}
	return ""
}
