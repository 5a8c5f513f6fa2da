package api

import (
	"fmt"
	"net/http"
	"time"

	"tocsin/internal/client"
	"tocsin/internal/desk"
	"tocsin/internal/oncall"
	"tocsin/internal/plan"
)

// oncallRoutes are those of who is rung.
func oncallRoutes(d *desk.Desk) []route {
	press := func(do func(x client.Press, id int64, w http.ResponseWriter) error) func(http.ResponseWriter, *http.Request) (any, error) {
		return func(w http.ResponseWriter, r *http.Request) (any, error) {
			var x client.Press
			if err := read(w, r, maxBody, &x); err != nil {
				return nil, err
			}
			id, err := pick(d, r.PathValue("call"))
			if err == nil {
				err = do(x, id, w)
			}
			return client.Answered{Call: id}, err
		}
	}
	return []route{
		{"GET /v1/oncall", func(http.ResponseWriter, *http.Request) (any, error) { return onCall(d, time.Now()), nil }},
		{"POST /v1/oncall/simulate", func(w http.ResponseWriter, r *http.Request) (any, error) { return simulate(d, w, r) }},
		{"POST /v1/calls/{call}/pass", press(func(x client.Press, id int64, _ http.ResponseWriter) error {
			actor, err := actorOf(d, x.Person)
			if err != nil {
				return err
			}
			return d.PassOn(actor, id, "command")
		})},
		{"POST /v1/calls/{call}/snooze", press(func(x client.Press, id int64, _ http.ResponseWriter) error {
			actor, err := actorOf(d, x.Person)
			if err != nil {
				return err
			}
			return d.Snooze(actor, id, "command", x.Lasts)
		})},
	}
}

// onCall says whom each step of each severity's policy would ring now.
func onCall(d *desk.Desk, now time.Time) client.OnCall {
	out := client.OnCall{At: now.UTC(), Policies: map[string][]client.Turn{}, Ways: []client.Way{}}
	d.Read(func(s *desk.State) {
		for _, severity := range []string{"critical", "high", "medium"} {
			p := s.Plan.PolicyFor(severity)
			if severity == "medium" && !p.Medium {
				continue
			}
			for k, step := range p.Steps {
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
				out.Policies[severity] = append(out.Policies[severity], t)
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

func simulate(d *desk.Desk, w http.ResponseWriter, r *http.Request) (any, error) {
	var x client.Simulation
	if err := read(w, r, maxBody, &x); err != nil {
		return nil, err
	}
	if x.At.IsZero() {
		x.At = time.Now()
	}
	if x.Lasts == 0 {
		x.Lasts = 2 * time.Hour
	}
	ms, err := d.Simulate(x.Policy, x.Severity, x.At, x.Lasts)
	out := []client.Moment{}
	for _, m := range ms {
		out = append(out, client.Moment{After: m.After, At: m.At.UTC(), What: m.What, Step: m.Step + 1, Person: m.Person, Channel: m.Channel, Target: m.Target, Why: m.Why, Until: m.Until, Instead: m.Instead})
	}
	return out, err
}
