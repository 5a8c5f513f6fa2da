package desk

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"tocsin/internal/auth"
	"tocsin/internal/entry"
	"tocsin/internal/oncall"
	"tocsin/internal/plan"
)

// SetPolicy changes who is rung in which order: the default policy, or one with a name.
func (d *Desk) SetPolicy(actor auth.Actor, p entry.Policy) error {
	for k, s := range p.Steps {
		for _, w := range s.Who {
			if strings.HasPrefix(w, plan.Chat) && d.o.Senders[w] == nil {
				return fmt.Errorf("step %d: no %s is configured in tocsin.yaml", k+1, w)
			}
		}
	}
	return d.do(actor, auth.Team, func(s *State, _ time.Time) (entry.Draft, error) {
		for k, step := range p.Steps {
			for _, w := range step.Who {
				if id, ok := strings.CutPrefix(w, "schedule:"); ok && !slices.Contains(d.Groups(s), w) {
					return entry.Draft{}, fmt.Errorf("step %d: there is no schedule %.40q", k+1, id)
				}
			}
		}
		return s.Plan.SetPolicy(actor.Name, p)
	})
}

// EndPolicy removes a named policy that is chosen for no severity.
func (d *Desk) EndPolicy(actor auth.Actor, id string) error {
	return d.do(actor, auth.Team, func(s *State, _ time.Time) (entry.Draft, error) {
		return s.Plan.EndPolicy(actor.Name, id)
	})
}

// ChoosePolicies says which policy rings for which severity.
func (d *Desk) ChoosePolicies(actor auth.Actor, table map[string]string) error {
	return d.do(actor, auth.Team, func(s *State, _ time.Time) (entry.Draft, error) {
		return s.Plan.Choose(actor.Name, table)
	})
}

// SetWays says by what a person is rung, and when. People may change their own rules; those who keep the team, everybody's. Hours are meant in the
// person's zone as it is now.
func (d *Desk) SetWays(actor auth.Actor, x entry.Ways) error {
	if actor.ID != x.ID || x.ID == "" {
		if err := auth.May(actor, auth.Team); err != nil {
			return err
		}
	}
	if x.Zone == "" {
		var p entry.Person
		d.Read(func(s *State) { p = s.Plan.People[x.ID] })
		x.Zone = d.People.Get(p.Vault).Zone
	}
	return d.write(func(s *State, _ time.Time) ([]entry.Draft, error) {
		put, err := s.Plan.SetWays(actor.Name, x)
		return []entry.Draft{put}, err
	})
}

// rezoned is the entry by which a person's hours follow them into another zone, if they have any.
func rezoned(s *State, actor, id, zone string) []entry.Draft {
	w, ok := s.Plan.Ways[id]
	if !ok || w.Zone == zone {
		return nil
	}
	w.Zone = zone
	return []entry.Draft{{Actor: actor, Kind: entry.PersonWays, Subject: "person:" + id, Body: w}}
}

// Maintain keeps new incidents of some severities from ringing for a time. It says the window's number.
func (d *Desk) Maintain(actor auth.Actor, x entry.Maintenance, why string) (err error) {
	if why == "" {
		return FieldError{"why", "Say what is done, so that everybody knows why it is quiet."}
	}
	if err := errors.Join(auth.May(actor, auth.Team), d.Broken()); err != nil {
		return err
	}
	if x.Text, err = d.text(why); err != nil {
		return err
	}
	return d.do(actor, auth.Team, func(s *State, now time.Time) (entry.Draft, error) {
		return s.Plan.Maintain(actor.Name, x, now)
	})
}

// EndMaintenance ends a window now.
func (d *Desk) EndMaintenance(actor auth.Actor, id int64) error {
	return d.do(actor, auth.Team, func(s *State, now time.Time) (entry.Draft, error) {
		return s.Plan.EndMaintenance(actor.Name, id, now)
	})
}

// BarChannels says which channels must not be used for an incident, from now on: "slack", "mail", "chat:ops". None lifts it.
func (d *Desk) BarChannels(actor auth.Actor, incident int64, not []string, why string) error {
	return d.sayOn(actor, auth.Handle, incident, why, func(s *State, text string) (entry.Draft, error) {
		return s.Calls.Bar(actor.Name, incident, not, text)
	})
}

// MayUse reports whether a channel may be used to tell outsiders of an incident. Everything that does asks it first. Nobody outside is told by the
// program of one that is restricted.
func (d *Desk) MayUse(incident int64, channel string) (may bool) {
	d.Read(func(s *State) {
		i, err := s.Incidents.Get(incident)
		may = err == nil && !i.Restricted() && !plan.Bars(s.Calls.Barred(incident), channel)
	})
	return may
}

// Readiness says of each channel of each person whether it is proven, and how many of 100 are.
func (d *Desk) Readiness(now time.Time) (proofs []oncall.Proof, percent int) {
	d.Read(func(s *State) { proofs, percent = s.Calls.Readiness(&s.Plan, now) })
	return proofs, percent
}

// Simulate says who would be rung if an incident of a severity opened at a moment and nobody answered.
func (d *Desk) Simulate(policy, severity string, at time.Time, lasts time.Duration) (ms []oncall.Moment, err error) {
	d.Read(func(s *State) {
		var x *entry.Policy
		if policy != "" {
			p, ok := s.Plan.Named(policy)
			if !ok {
				err = fmt.Errorf("there is no policy named %.40q", policy)
				return
			}
			x = &p
		}
		ms, err = oncall.Simulate(&s.Plan, x, severity, at, lasts)
	})
	return ms, err
}

// channelsOf lists the channels that a contact has an address for.
func channelsOf(c Contact) (out []string) {
	for _, channel := range contactOrder() {
		if c.Address(channel) != "" {
			out = append(out, channel)
		}
	}
	return slices.Clip(out)
}

// Groups lists what a step can name besides people and roles: the schedules, and the chats that are configured.
func (d *Desk) Groups(s *State) (out []string) {
	for _, x := range s.Rota.Schedules() {
		out = append(out, "schedule:"+x.ID)
	}
	for channel := range d.o.Senders {
		if strings.HasPrefix(channel, plan.Chat) {
			out = append(out, channel)
		}
	}
	slices.Sort(out)
	return out
}
