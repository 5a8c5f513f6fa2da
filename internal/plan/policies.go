package plan

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"tocsin/internal/entry"
)

// Chat begins the name of a chat that a step rings as a whole: "chat:ops".
const Chat = "chat:"

// Everyone in a step means every person who is not gone.
const Everyone = "everyone"

// DefaultName is what the policy without a name is called.
const DefaultName = "default"

// severities are those that can ring, the worst first.
func severities() []string { return []string{"critical", "high", "medium"} }

// DefaultPolicy rings everyone at once, then again every five minutes.
func DefaultPolicy() entry.Policy {
	return entry.Policy{
		Steps:  []entry.PolicyStep{{Who: []string{Everyone}, Wait: 5 * time.Minute}},
		Rounds: 1, Every: 5 * time.Minute, Throttle: 2 * time.Minute, Attend: 30 * time.Minute,
	}
}

// CurrentPolicy returns the default policy that is in force.
func (p *Plan) CurrentPolicy() entry.Policy {
	if p.PolicyN == 0 {
		return DefaultPolicy()
	}
	return p.Policy
}

// PolicyFor returns the policy that rings for a severity.
func (p *Plan) PolicyFor(severity string) entry.Policy {
	if x, ok := p.Policies[p.Table[severity]]; ok {
		return x
	}
	return p.CurrentPolicy()
}

// Named returns a policy by its id; "" and DefaultName are the default one.
func (p *Plan) Named(id string) (entry.Policy, bool) {
	if id == "" || id == DefaultName {
		return p.CurrentPolicy(), true
	}
	x, ok := p.Policies[id]
	return x, ok
}

// Naming lists the policies that are in force and name somebody or something in a step: the default one first, then those with names, sorted.
func (p *Plan) Naming(who string) (ids []string) {
	names := func(x entry.Policy) bool {
		return slices.ContainsFunc(x.Steps, func(s entry.PolicyStep) bool { return slices.Contains(s.Who, who) })
	}
	if names(p.CurrentPolicy()) {
		ids = append(ids, DefaultName)
	}
	for _, id := range slices.Sorted(maps.Keys(p.Policies)) {
		if names(p.Policies[id]) {
			ids = append(ids, id)
		}
	}
	return ids
}

// SetPolicy decides who is rung in which order.
func (p *Plan) SetPolicy(actor string, x entry.Policy) (entry.Draft, error) {
	subject := "policy"
	if x.ID != "" {
		if !idForm.MatchString(x.ID) || x.ID == DefaultName {
			return entry.Draft{}, fmt.Errorf("the name of a policy is a small letter, then up to 31 of a-z 0-9 . _ -, and not %q; got %.40q", DefaultName, x.ID)
		}
		if _, known := p.Policies[x.ID]; !known && len(p.Policies) >= 20 {
			return entry.Draft{}, errors.New("there are 20 named policies already: end one that is not chosen")
		}
		subject += ":" + x.ID
	}
	if len(x.Steps) == 0 {
		return entry.Draft{}, errors.New("an escalation policy needs at least one step")
	}
	if len(x.Steps) > 20 || x.Rounds < 1 || x.Rounds > 20 {
		return entry.Draft{}, errors.New("an escalation policy has 1 to 20 steps and 1 to 20 rounds")
	}
	if x.Every < 30*time.Second || x.Every > 24*time.Hour {
		return entry.Draft{}, errors.New("the last step repeats every 30 s to 24 h")
	}
	if x.Throttle < 0 || x.Throttle > time.Hour {
		return entry.Draft{}, errors.New("the throttle is 0 (off) to 1 h")
	}
	if x.Attend != 0 && (x.Attend < 5*time.Minute || x.Attend > 24*time.Hour) {
		return entry.Draft{}, errors.New("who answered is called again after 5 min to 24 h without a sign of work, or never (0)")
	}
	for i, s := range x.Steps {
		if err := p.checkStep(s); err != nil {
			return entry.Draft{}, fmt.Errorf("step %d: %w", i+1, err)
		}
	}
	last := x.Steps[len(x.Steps)-1]
	if len(last.By) > 0 && !slices.ContainsFunc(last.By, func(c string) bool { return c != Console }) {
		return entry.Draft{}, errors.New("the last step must ring by mail or webhook or another way that reaches people, not in the console alone: nobody may be looking at it")
	}
	if !slices.Contains(last.Who, Everyone) {
		return entry.Draft{}, fmt.Errorf("the last step must ring %q, so that a call never ends unheard", Everyone)
	}
	return entry.Draft{Actor: actor, Kind: entry.PolicyPut, Subject: subject, Body: x}, nil
}

func (p *Plan) checkStep(s entry.PolicyStep) error {
	if len(s.Who) == 0 {
		return errors.New("nobody to ring")
	}
	if s.Wait < 10*time.Second || s.Wait > 24*time.Hour {
		return errors.New("the wait for an answer is 10 s to 24 h")
	}
	if s.Answers < 0 || s.Answers > 5 {
		return errors.New("a step wants 1 to 5 answers")
	}
	if len(s.Who) > 50 {
		return errors.New("a step names at most 50 targets: use a role or a schedule")
	}
	for _, w := range s.Who {
		if err := p.checkTarget(w); err != nil {
			return err
		}
	}
	for _, b := range s.By {
		if !slices.Contains(Channels(), b) {
			return fmt.Errorf("unknown channel %q; known: %s", b, strings.Join(Channels(), ", "))
		}
	}
	return nil
}

func (p *Plan) checkTarget(w string) error {
	kind, name, grouped := strings.Cut(w, ":")
	_, known := p.People[w]
	switch {
	case w == Everyone || known:
		return nil
	case grouped && kind == "role" && slices.Contains(Roles(), name):
		return nil
	case grouped && kind == "schedule" && idForm.MatchString(name):
		return nil
	case grouped && kind == "chat" && idForm.MatchString(name):
		return nil
	}
	return fmt.Errorf("%.60q is neither a person, nor role:<role>, nor schedule:<schedule>, nor chat:<chat>, nor %s", w, Everyone)
}

// EndPolicy decides that a named policy can be chosen no more.
func (p *Plan) EndPolicy(actor, id string) (entry.Draft, error) {
	if _, ok := p.Policies[id]; !ok {
		return entry.Draft{}, fmt.Errorf("there is no policy named %.40q", id)
	}
	for s, chosen := range p.Table {
		if chosen == id {
			return entry.Draft{}, fmt.Errorf("the policy %s rings for %s: choose another one for it first", id, s)
		}
	}
	return entry.Draft{Actor: actor, Kind: entry.PolicyEnded, Subject: "policy:" + id, Body: entry.PolicyEnd{ID: id}}, nil
}

// Choose decides which policy rings for which severity. "" and DefaultName are the default one.
func (p *Plan) Choose(actor string, table map[string]string) (entry.Draft, error) {
	by := map[string]string{}
	for s, id := range table {
		if !slices.Contains(severities(), s) {
			return entry.Draft{}, fmt.Errorf("nothing rings for the severity %.40q; a policy is chosen for %s", s, strings.Join(severities(), ", "))
		}
		if _, ok := p.Named(id); !ok {
			return entry.Draft{}, fmt.Errorf("there is no policy named %.40q", id)
		}
		if id != "" && id != DefaultName {
			by[s] = id
		}
	}
	return entry.Draft{Actor: actor, Kind: entry.PolicyChosen, Subject: "policy", Body: entry.PolicyTable{By: by}}, nil
}

// RingsMedium reports whether Medium rings: when the policy chosen for it says so.
func (p *Plan) RingsMedium() bool { return p.PolicyFor("medium").Medium }

// StepOf returns step n of x, counted over all rounds.
func StepOf(x entry.Policy, n int) entry.PolicyStep {
	if n >= len(x.Steps)*x.Rounds {
		s := x.Steps[len(x.Steps)-1]
		s.Wait = x.Every
		return s
	}
	return x.Steps[n%len(x.Steps)]
}

// Last reports whether step n is the policy's last one, in whichever round.
func Last(x entry.Policy, n int) bool {
	return n >= len(x.Steps)*x.Rounds || n%len(x.Steps) == len(x.Steps)-1
}

// Bars reports whether a list of channels that must not be used has one in it, by its name or by its kind: "chat" bars every "chat:...".
func Bars(not []string, channel string) bool {
	kind, _, _ := strings.Cut(channel, ":")
	return slices.Contains(not, channel) || slices.Contains(not, kind)
}

// CheckBarred says in words why a list of channels that must not be used makes no sense, or returns nil. The console cannot be barred: it is where
// the program itself is looked at.
func CheckBarred(not []string) error {
	if len(not) > 50 {
		return errors.New("at most 50 channels can be barred")
	}
	for _, c := range not {
		kind, name, grouped := strings.Cut(c, ":")
		switch {
		case c == Console:
			return errors.New("the console cannot be barred: whoever reads this is in it")
		case grouped && (!idForm.MatchString(kind) || !idForm.MatchString(name)), !grouped && !idForm.MatchString(c):
			return fmt.Errorf("%.40q is no name of a channel: write one such as mail, webhook, chat or chat:ops", c)
		}
	}
	return nil
}

// applyPolicies folds what decides who is rung.
func (p *Plan) applyPolicies(e entry.Entry) (bool, error) {
	switch e.Kind {
	case entry.PolicyPut:
		x, err := entry.Body[entry.Policy](e)
		if x.ID == "" {
			p.Policy, p.PolicyN = x, e.N
			return true, err
		}
		p.Policies = withKey(p.Policies, x.ID, x)
		return true, err
	case entry.PolicyEnded:
		x, err := entry.Body[entry.PolicyEnd](e)
		delete(p.Policies, x.ID)
		return true, err
	case entry.PolicyChosen:
		x, err := entry.Body[entry.PolicyTable](e)
		p.Table = maps.Clone(x.By)
		return true, err
	case entry.PersonWays:
		x, err := entry.Body[entry.Ways](e)
		p.Ways = withKey(p.Ways, x.ID, x)
		return true, err
	}
	return p.applyMaintenance(e)
}

func withKey[V any](m map[string]V, key string, v V) map[string]V {
	if m == nil {
		m = map[string]V{}
	}
	m[key] = v
	return m
}
