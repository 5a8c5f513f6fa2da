package api

import (
	"fmt"
	"time"

	"tocsin/internal/auth"
	"tocsin/internal/client"
	"tocsin/internal/desk"
	"tocsin/internal/entry"
	"tocsin/internal/oncall"
	"tocsin/internal/plan"
)

type (
	// A Maintenance is a time in which what is less than Critical does not ring.
	Maintenance struct {
		ID         int64     `json:"id,omitempty"`
		From       time.Time `json:"from,omitzero" doc:"without it, now"`
		Until      time.Time `json:"until"`
		Severities []string  `json:"severities" minItems:"1" maxItems:"4" doc:"medium, high; never critical"`
		Why        string    `json:"why" minLength:"1" maxLength:"10000" doc:"what is done, and why"`
	}
	// A Window is one, and what became of it.
	Window struct {
		Maintenance
		By    string    `json:"by"`
		At    time.Time `json:"at"`
		Ended bool      `json:"ended,omitempty" doc:"before its time"`
	}
	// Policies are all policies, and which counts for which severity.
	Policies struct {
		Default entry.Policy            `json:"default"`
		Named   map[string]entry.Policy `json:"named"`
		For     map[string]string       `json:"for" doc:"policy by severity; a severity that is missing has the default"`
	}
	choice struct {
		For map[string]string `json:"for" doc:"policy by severity (critical, high, medium); empty is the default"`
	}
	// A Status is how the bell is.
	Status struct {
		Alive       bool          `json:"alive" doc:"it looks at what is owed"`
		Beat        time.Time     `json:"beat,omitzero"`
		CannotWrite string        `json:"cannot_write,omitempty"`
		Ready       int           `json:"ready" doc:"of 100 channels of people, so many are proven"`
		Watchers    []Watcher     `json:"watchers"`
		Watches     []WatchedBell `json:"watches"`
	}
	// A Watcher is told every minute that the bell works.
	Watcher struct {
		Name string    `json:"name"`
		OK   time.Time `json:"ok,omitzero"`
		Why  string    `json:"why,omitempty" doc:"why it could not be told last"`
	}
	// A WatchedBell is another Tocsin that tells this one.
	WatchedBell struct {
		ID   string    `json:"id"`
		From string    `json:"from,omitempty"`
		Last time.Time `json:"last,omitzero"`
		Lost time.Time `json:"lost,omitzero" doc:"since when it is not heard of"`
	}
)

// oncallOperations are those of who would be rung, and of the bell.
func oncallOperations(t *table) {
	o := get("/oncall", "getOnCall", "Say who would be rung now, and which channels are proven")
	o.need, o.web = auth.See, "GET /oncall, GET /bell"
	add(t, o, func(a ask, _ *none) (client.OnCall, error) { return onCall(a), nil })
	o = post("/oncall/simulate", "simulate", "Say who would be rung, minute by minute")
	o.need, o.web = auth.See, "GET /simulate"
	add(t, o, simulate)
	o = get("/status", "getStatus", "Say whether the bell works, and who watches it")
	o.need = auth.See
	add(t, o, func(a ask, _ *none) (Status, error) {
		out := Status{Alive: a.desk.Alive(a.now), Beat: a.desk.Heartbeat().UTC(), CannotWrite: a.desk.CannotWrite(), Watchers: []Watcher{}, Watches: []WatchedBell{}}
		_, out.Ready = a.desk.Readiness(a.now)
		for _, w := range a.desk.Watchers() {
			out.Watchers = append(out.Watchers, Watcher{w.Name, w.OK, w.Why})
		}
		for _, w := range a.desk.Watches() {
			out.Watches = append(out.Watches, WatchedBell{w.ID, w.From, w.Last, w.Lost})
		}
		return out, nil
	})
}

// onCall says whom each step of each severity's policy would ring now.
func onCall(a ask) client.OnCall {
	now := a.now
	out := client.OnCall{At: now.UTC(), Policies: map[string][]client.Turn{}, Ways: []client.Way{}}
	a.desk.ReadAs(a.actor, func(s *desk.State) {
		for _, severity := range []string{"critical", "high", "medium"} {
			p := s.Plan.PolicyFor(severity)
			if severity == "medium" && !p.Medium {
				continue
			}
			for k, step := range p.Steps {
				out.Policies[severity] = append(out.Policies[severity], turn(s, p, k, step, severity, now))
			}
		}
		for _, w := range s.Plan.Standing(now) {
			if !now.Before(w.From) {
				out.Maintenance = append(out.Maintenance, fmt.Sprintf("window %d until %s: %v do not ring", w.ID, w.Until.Format(time.RFC3339), w.Severities))
			}
		}
		var proofs []oncall.Proof
		proofs, out.Ready = s.Calls.Readiness(&s.Plan, now)
		for _, f := range proofs {
			out.Ways = append(out.Ways, client.Way{Person: f.Person, Channel: f.Channel, State: f.State, At: f.At})
		}
	})
	return out
}

// turn says whom one step would ring.
func turn(s *desk.State, p entry.Policy, k int, step entry.PolicyStep, severity string, now time.Time) client.Turn {
	t := client.Turn{Step: k + 1, Wait: step.Wait.String(), Rings: []string{}}
	rings, left := s.Plan.Resolve(plan.Want{Policy: p, Step: k, Severity: severity, At: now})
	for _, r := range rings {
		if r.Channel == plan.Console {
			continue
		}
		word := r.Person + " by " + r.Channel
		if r.Person == "" {
			word = r.Channel
		}
		if r.Due.After(now) {
			word += " at " + r.Due.UTC().Format(time.RFC3339) + " (" + r.Why + ")"
		}
		t.Rings = append(t.Rings, word)
	}
	for _, l := range left {
		word := l.Target
		if l.Person != "" {
			word = l.Person
		}
		if l.Channel != "" && l.Channel != l.Target {
			word += " by " + l.Channel
		}
		t.Left = append(t.Left, word+": "+l.Why)
	}
	return t
}

func simulate(a ask, in *body[client.Simulation]) ([]client.Moment, error) {
	x := in.Body
	if x.At.IsZero() {
		x.At = a.now
	}
	if x.Lasts == 0 {
		x.Lasts = 2 * time.Hour
	}
	ms, err := a.desk.Simulate(x.Policy, x.Severity, x.At, x.Lasts)
	out := []client.Moment{}
	for _, m := range ms {
		out = append(out, client.Moment{After: m.After, At: m.At.UTC(), What: m.What, Step: m.Step + 1, Person: m.Person, Channel: m.Channel, Target: m.Target, Why: m.Why, Until: m.Until, Instead: m.Instead})
	}
	return out, err
}

// policyOperations are those of policies and maintenance.
func policyOperations(t *table) {
	o := get("/policies", "listPolicies", "Show the escalation policies, and which counts for which severity")
	o.need, o.web = auth.Team, "GET /policies/{id}"
	add(t, o, func(a ask, _ *none) (out Policies, _ error) {
		out.Named, out.For = map[string]entry.Policy{}, map[string]string{}
		a.desk.ReadAs(a.actor, func(s *desk.State) {
			out.Default = s.Plan.CurrentPolicy()
			for name, p := range s.Plan.Policies {
				out.Named[name] = p
			}
			for severity, name := range s.Plan.Table {
				out.For[severity] = name
			}
		})
		return out, nil
	})
	o = post("/policies", "setPolicy", "Set a policy from now on")
	o.need, o.web, o.about = auth.Team, "POST /policy, POST /policies/{id}", "Its id says which; without one it is the default. A new id makes a policy."
	act(t, o, func(a ask, in *body[entry.Policy]) error { return a.desk.SetPolicy(a.actor, in.Body) })
	o = post("/policies/choose", "choosePolicies", "Say which policy counts for which severity")
	o.need, o.web = auth.Team, "POST /policies"
	act(t, o, func(a ask, in *body[choice]) error { return a.desk.ChoosePolicies(a.actor, in.Body.For) })
	o = post("/policies/{id}/end", "endPolicy", "Take a policy away")
	o.need, o.web = auth.Team, "POST /policies/{id}/end"
	act(t, o, func(a ask, in *named) error {
		exists := false
		a.desk.ReadAs(a.actor, func(s *desk.State) { _, exists = s.Plan.Policies[in.ID] })
		if !exists {
			return errMissing
		}
		return a.desk.EndPolicy(a.actor, in.ID)
	})
	o = get("/maintenance", "listMaintenance", "List the times in which what is less than Critical does not ring")
	o.need = auth.See
	add(t, o, func(a ask, _ *none) ([]Window, error) {
		out := []Window{}
		a.desk.ReadAs(a.actor, func(s *desk.State) {
			for _, w := range s.Plan.Windows {
				out = append(out, Window{Maintenance{ID: w.ID, From: w.From, Until: w.Until, Severities: w.Severities, Why: w.Text}, w.By, w.At, w.Ended})
			}
		})
		for k := range out {
			out[k].Why = a.desk.Text(out[k].Why)
		}
		return out, nil
	})
	o = post("/maintenance", "maintain", "Begin a time of maintenance")
	o.need, o.web = auth.Team, "POST /maintenance"
	act(t, o, func(a ask, in *body[Maintenance]) error {
		x := in.Body
		if x.From.IsZero() {
			x.From = a.now
		}
		return a.desk.Maintain(a.actor, entry.Maintenance{From: x.From, Until: x.Until, Severities: x.Severities}, x.Why)
	})
	o = post("/maintenance/{id}/end", "endMaintenance", "End a time of maintenance")
	o.need, o.web = auth.Team, "POST /maintenance/{id}/end"
	act(t, o, func(a ask, in *numbered) error {
		exists := false
		a.desk.ReadAs(a.actor, func(s *desk.State) { exists = in.ID <= int64(len(s.Plan.Windows)) })
		if !exists {
			return errMissing
		}
		return a.desk.EndMaintenance(a.actor, in.ID)
	})
}
