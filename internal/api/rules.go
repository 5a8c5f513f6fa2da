package api

import (
	"time"

	"tocsin/internal/auth"
	"tocsin/internal/client"
	"tocsin/internal/desk"
	"tocsin/internal/detect"
)

type (
	// RuleList is which rules are in use, refused, broken, and how each did.
	RuleList struct {
		client.RuleState
		Rules []Rule `json:"rules"`
	}
	// A Rule is one, with its figures since the start.
	Rule struct {
		Rule    string `json:"rule"`
		Title   string `json:"title"`
		Level   string `json:"level,omitempty"`
		Seen    int64  `json:"seen" doc:"records of its log source"`
		Matches int64  `json:"matches"`
		Alerts  int64  `json:"alerts"`
		Broken  string `json:"broken,omitempty" doc:"why it was set aside"`
	}
	// A FullRule is one with its text.
	FullRule struct {
		Rule
		Description    string   `json:"description,omitempty"`
		FalsePositives []string `json:"false_positives,omitempty"`
		Author         string   `json:"author,omitempty"`
		Tags           []string `json:"tags,omitempty"`
		References     []string `json:"references,omitempty"`
		File           string   `json:"file"`
		Version        string   `json:"version"`
		Text           string   `json:"text" doc:"the YAML of its file"`
		Hours          []int64  `json:"hours" doc:"matches in each of the last 24 hours, oldest first"`
	}
	// A Source is a log that is read.
	Source struct {
		Path     string    `json:"path"`
		State    string    `json:"state"`
		Why      string    `json:"why,omitempty"`
		Lines    int64     `json:"lines" doc:"since the start"`
		Bytes    int64     `json:"bytes"`
		Lag      int64     `json:"lag" doc:"bytes that are not read yet"`
		LastLine time.Time `json:"last_line,omitzero"`
	}
	// A SourceList is all of them, and how far detection is.
	SourceList struct {
		Sources []Source             `json:"sources"`
		Silent  map[string]time.Time `json:"silent" doc:"sources that fell silent, and when"`
		Doors   []InDoor             `json:"doors"`
		Lag     int64                `json:"lag" doc:"lines that detection has still to read"`
		Fault   string               `json:"fault,omitempty" doc:"why detection stands still"`
	}
	// A InDoor is another way in for lines.
	InDoor struct {
		Door  string `json:"door"`
		Lines int64  `json:"lines"`
	}
	habitQuery struct {
		ListQuery
		Realm string `query:"realm" maxLength:"40" doc:"of this kind of accounts only: admin, ssh, ftp, database, system, customer"`
	}
	// Habits are some of them.
	Habits struct {
		Habits []Habit `json:"habits"`
		All    int     `json:"all"`
	}
	// A Habit is what is normal for an account.
	Habit struct {
		ID string `json:"id"`
		detect.Habit
	}
)

// ruleOperations are those of rules and sources.
func ruleOperations(t *table) {
	o := get("/rules", "listRules", "Say which rules are in use, refused or broken, and how often each matched")
	o.need, o.web = auth.See, "GET /rules"
	add(t, o, func(a ask, _ *none) (RuleList, error) {
		out := RuleList{RuleState: rules(a.desk), Rules: []Rule{}}
		set, _ := a.desk.RuleSet()
		for _, r := range a.desk.Reading().Stats.Rules {
			out.Rules = append(out.Rules, ruleOf(set, r))
		}
		return out, nil
	})
	o = get("/rules/{id}", "getRule", "Show a rule")
	o.need, o.web = auth.See, "GET /rules/{id}"
	add(t, o, func(a ask, in *named) (FullRule, error) {
		set, _ := a.desk.RuleSet()
		d, ok := set.Find(in.ID)
		if !ok {
			return FullRule{}, errMissing
		}
		m := d.Meta()
		out := FullRule{Rule: Rule{Rule: m.Key(), Title: m.Title, Level: m.Level}, Description: m.Description, FalsePositives: m.FalsePositives, Author: m.Author, Tags: m.Tags,
			References: m.References, File: m.File, Version: m.Version, Text: set.Texts[m.File], Hours: a.desk.RuleHours(m.Key(), 24, a.now)[m.Key()]}
		for _, r := range a.desk.Reading().Stats.Rules {
			if r.Rule == m.Key() {
				out.Rule = ruleOf(set, r)
			}
		}
		return out, nil
	})
	o = get("/sources", "listSources", "List the logs that are read, and say how far detection is")
	o.need, o.web = auth.See, "GET /sources"
	add(t, o, func(a ask, _ *none) (SourceList, error) {
		r := a.desk.Reading()
		out := SourceList{Sources: []Source{}, Silent: a.desk.Silent(), Doors: []InDoor{}, Lag: r.Lag(), Fault: r.Fault}
		for _, s := range a.desk.Sources() {
			out.Sources = append(out.Sources, Source{Path: s.Path, State: string(s.State), Why: s.Why, Lines: s.Lines, Bytes: s.Bytes, Lag: s.Lag, LastLine: s.LastLine})
		}
		for _, c := range a.desk.Doors() {
			out.Doors = append(out.Doors, InDoor{c.Door, c.Lines})
		}
		return out, nil
	})
}

func ruleOf(set desk.RuleSet, r detect.RuleStats) Rule {
	x := Rule{Rule: r.Rule, Title: r.Title, Seen: r.Seen, Matches: r.Matches, Alerts: r.Alerts, Broken: r.Broken}
	if d, ok := set.Find(r.Rule); ok {
		x.Level = d.Meta().Level
	}
	return x
}

func rules(d *desk.Desk) client.RuleState {
	set, _ := d.RuleSet()
	words := func(list []detect.Refused) []client.BrokenRule {
		out := []client.BrokenRule{}
		for _, r := range list {
			out = append(out, client.BrokenRule{File: r.File, Line: r.Line, Rule: r.Rule, Feature: r.Feature, Why: r.Why})
		}
		return out
	}
	return client.RuleState{Hash: set.Rules.Hash(), Loaded: len(set.Rules.Documents()), Refused: words(set.Refused), Kept: words(set.Kept), Trouble: set.Trouble}
}

// habitOperations are those of what is normal.
func habitOperations(t *table) {
	o := get("/habits", "listHabits", "List the accounts of which is known what is normal")
	o.need, o.web = auth.See, "GET /habits"
	add(t, o, func(a ask, in *habitQuery) (Habits, error) {
		out, list := Habits{Habits: []Habit{}}, []detect.Habit{}
		for _, h := range a.desk.Habits() {
			if in.Realm == "" || h.Realm == in.Realm {
				list = append(list, h)
			}
		}
		out.All = len(list)
		for _, h := range part(list, in.ListQuery) {
			out.Habits = append(out.Habits, Habit{a.desk.HabitID(h.Realm, h.Account), h})
		}
		return out, nil
	})
	o = get("/habits/{id}", "getHabit", "Show what is normal for an account")
	o.need, o.web = auth.See, "GET /habits/{id}"
	add(t, o, func(a ask, in *named) (Habit, error) {
		h, ok := a.desk.Habit(in.ID)
		if !ok {
			return Habit{}, errMissing
		}
		return Habit{in.ID, h}, nil
	})
	o = post("/habits/forget", "forgetHabit", "Forget what is normal for an account")
	o.need, o.web = auth.Tune, "POST /habits/{id}/forget"
	act(t, o, func(a ask, in *body[client.Forgetting]) error {
		return a.desk.ForgetHabit(a.actor, in.Body.Realm, in.Body.Account, in.Body.Why)
	})
}
