package desk

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"tocsin/internal/auth"
	"tocsin/internal/entry"
	"tocsin/internal/incident"
	"tocsin/internal/playbook"
	"tocsin/internal/tlp"
)

// A run is a playbook worked through in an incident. One begins by itself when something speaks for a playbook (lead); the Commander takes another, or one more. A run stays
// at the revision with which it began, until somebody takes it to another one.

// Overtaken is the refusal of who decided, answered or wrote at the same time as another and came second. It shows what the first wrote, and gives the second's
// words back.
type Overtaken struct {
	*incident.Overtaken
	First string // the first one's words
	Yours string // what was sent
}

// Unwrap lets callers branch on the refusal of the domain.
func (o *Overtaken) Unwrap() error { return o.Overtaken }

// late gives the words of a second one back, if err says that they came second in an incident; 0 is none.
func (d *Desk) late(actor auth.Actor, id int64, err error, words ...string) error {
	o, ok := errors.AsType[*incident.Overtaken](err)
	if !ok {
		return err
	}
	if d.covers(actor, id, o.N) {
		covered := *o
		covered.What, covered.Text, o = "this was changed", incident.Covered, &covered // what it was may say the answer
	}
	yours := slices.DeleteFunc(words, func(w string) bool { return strings.TrimSpace(w) == "" })
	return &Overtaken{o, d.Text(o.Text), strings.Join(yours, "\n")}
}

// covers reports whether an actor may not have the words of an entry of an incident, or of one that is one with it, because they are TLP:RED.
func (d *Desk) covers(actor auth.Actor, id, n int64) (covered bool) {
	d.Read(func(s *State) {
		for _, p := range s.Incidents.Parts(id) {
			covered = covered || s.Incidents.MayBeRed(p) && !hears(p, actor) && s.Incidents.Label(p.ID, timelineLine(s, p.ID, n)) == tlp.Red
		}
	})
	return covered
}

// KeptFrom reports whether an actor does not get the words of a part of an incident, as labels name it, because they are TLP:RED.
func (d *Desk) KeptFrom(actor auth.Actor, id int64, what string) (kept bool) {
	d.Read(func(s *State) {
		i, err := s.Incidents.Get(id)
		kept = err == nil && s.Incidents.Label(id, what) == tlp.Red && !hears(i, actor)
	})
	return kept
}

// doer is the person who does something of which the ledger names a person.
func doer(actor auth.Actor) (string, error) {
	if actor.ID == "" {
		return "", FieldError{"person", "Say who does this: on the command line, name yourself with --as."}
	}
	return actor.ID, nil
}

// texts puts what a person wrote into the vault, each an object of its own; empty text is none.
func (d *Desk) texts(words ...string) ([]string, error) {
	ids := make([]string, len(words))
	for k, w := range words {
		id, err := d.text(strings.TrimSpace(w))
		if err != nil {
			return nil, err
		}
		ids[k] = id
	}
	return ids, nil
}

// wrote is doOn with several texts that a person wrote, who is named, and several drafts.
func (d *Desk) wrote(actor auth.Actor, a auth.Action, id int64, words []string, decide func(s *State, now time.Time, person string, texts []string) ([]entry.Draft, error)) error {
	person, err := doer(actor)
	if err != nil {
		return err
	}
	if err := cmp.Or(d.MayOn(actor, a, id), d.Broken()); err != nil {
		return err
	}
	allowed := func(texts []string) func(*State, time.Time) ([]entry.Draft, error) {
		return func(s *State, now time.Time) ([]entry.Draft, error) {
			if err := mayOn(s, actor, a, id); err != nil {
				return nil, err
			}
			if a == auth.Handle {
				if err := ownAlarm(s, actor, id, now); err != nil {
					return nil, err
				}
			}
			return decide(s, now, person, texts)
		}
	}
	if err := d.tried(words, allowed); err != nil {
		return d.late(actor, id, err, words...)
	}
	texts, err := d.texts(words...)
	if err != nil {
		return err
	}
	return d.late(actor, id, d.write(allowed(texts)), words...)
}

// tried decides without writing: what is refused anyway leaves nothing in the vault. decide gets a stand-in for each text, and may be called twice.
func (d *Desk) tried(words []string, decide func(texts []string) func(*State, time.Time) ([]entry.Draft, error)) error {
	stand, some := make([]string, len(words)), false
	for k, w := range words {
		if strings.TrimSpace(w) != "" {
			stand[k], some = fmt.Sprint("-", k), true // each another, as the vault names them
		}
	}
	if !some {
		return nil
	}
	err := error(nil)
	now := time.Now()
	d.Read(func(s *State) { _, err = decide(stand)(s, now) })
	return err
}

// one makes a list of one draft.
func one(x entry.Draft, err error) ([]entry.Draft, error) { return []entry.Draft{x}, err }

// unledBefore is how old what speaks for a playbook may be when the program starts. Younger is what a crash came between; for what is older the page suggests one, and
// nobody is rung for the work of last month.
const unledBefore = time.Hour

// unled notes which open incidents have no playbook and something new that could speak for one. What is noted is looked at once, by the bell. History is not: what was over
// before anybody watched is no alarm. In the sample all is history, and it shows how a playbook runs.
func (s *State) unled(e entry.Entry) {
	note := func(id int64) {
		if i, err := s.Incidents.Get(id); err == nil && i.Working() && (!i.History || i.Sample) && len(s.RunsOf(id)) == 0 {
			s.Unled[id] = e.Time
		}
	}
	switch e.Kind {
	case entry.IncidentOpened:
		note(int64(len(s.Incidents.Incidents)))
	case entry.AlertRaised:
		if all := s.Incidents.Order; len(all) > 0 { // it was folded just now
			if a := s.Incidents.Alerts[all[len(all)-1]]; a.Incident != 0 {
				note(a.Incident)
			}
		}
	case entry.AlertGrew:
		if !bytes.Contains(e.Body, []byte(`"live":true`)) {
			return // most entries are these
		}
		x, err := entry.Body[entry.AlertGrowth](e)
		if a := s.Incidents.Alerts[x.ID]; err == nil && a != nil && a.Incident != 0 {
			note(a.Incident)
		}
	case entry.ProgramStarted:
		maps.DeleteFunc(s.Unled, func(_ int64, at time.Time) bool { return at.Before(e.Time.Add(-unledBefore)) })
	case entry.RunBegun:
		x, err := entry.Body[entry.Run](e)
		if err == nil {
			delete(s.Unled, x.Incident)
		}
	}
}

// lead begins a run in each incident for which something speaks.
func (d *Desk) lead(s *State) (drafts []entry.Draft) {
	for id := range s.Unled {
		delete(s.Unled, id)
		i, err := s.Incidents.Get(id)
		if err != nil || !i.Working() || len(s.RunsOf(id)) > 0 {
			continue
		}
		for _, book := range d.suggested(s, i) {
			x, _, err := s.Runs.Begin("desk", id, book, "proposed")
			if err != nil {
				continue
			}
			return append(drafts, x) // the next one has the next number: it is noted still
		}
	}
	return nil
}

// BeginRun begins to work an incident through by a playbook, beside what runs.
func (d *Desk) BeginRun(actor auth.Actor, id int64, book string) (run int64, err error) {
	err = d.doOn(actor, auth.Handle, id, func(s *State, _ time.Time) (x entry.Draft, err error) {
		if err := working(s, id); err != nil {
			return x, err
		}
		x, run, err = s.Runs.Begin(actor.Name, id, book, "chosen")
		return x, err
	})
	return run, err
}

// working says why an incident is not worked on under its number.
func working(s *State, id int64) error {
	i, err := s.Incidents.Get(id)
	switch {
	case err != nil:
		return err
	case i.Merged != 0:
		return fmt.Errorf("incident %d: %w into incident %d; work on that one", id, incident.ErrMerged, s.Incidents.Root(id))
	case i.Closed:
		return fmt.Errorf("incident %d: %w", id, incident.ErrClosed)
	}
	return nil
}

// incidentOf returns the incident of a run that actor may see.
func (d *Desk) incidentOf(actor auth.Actor, run int64) (id int64, err error) {
	d.ReadAs(actor, func(s *State) {
		r, e := s.Runs.Get(run)
		if err = e; err == nil {
			id = r.Incident
		}
	})
	return id, err
}

// onRun is wrote about a run of an incident that is open. Words of which decide wants a reason come first.
func (d *Desk) onRun(actor auth.Actor, a auth.Action, run int64, words []string, decide func(s *State, now time.Time, person string, texts []string) ([]entry.Draft, error)) error {
	id, err := d.incidentOf(actor, run)
	if err != nil {
		return err
	}
	return d.wrote(actor, a, id, words, func(s *State, now time.Time, person string, texts []string) ([]entry.Draft, error) {
		if err := worked(s, id); err != nil {
			return nil, err
		}
		return decide(s, now, person, texts)
	})
}

// SwitchRun stops a run because it was the wrong playbook, and begins another, at once.
func (d *Desk) SwitchRun(actor auth.Actor, run int64, book, why string) (next int64, err error) {
	id, err := d.incidentOf(actor, run)
	if err != nil {
		return 0, err
	}
	err = d.wrote(actor, auth.Handle, id, []string{why}, func(s *State, _ time.Time, _ string, texts []string) ([]entry.Draft, error) {
		root := s.Incidents.Root(id)
		if err := cmp.Or(mayOn(s, actor, auth.Handle, root), working(s, root)); err != nil {
			return nil, err
		}
		stop, err := s.Runs.Stop(actor.Name, run, texts[0])
		if err != nil {
			return nil, err
		}
		begin, n, err := s.Runs.Begin(actor.Name, root, book, "chosen")
		next = n
		return []entry.Draft{stop, begin}, err
	})
	return next, err
}

// MoveRun takes a run to another revision of its playbook; "" is the current one.
func (d *Desk) MoveRun(actor auth.Actor, run int64, to, why string) error {
	return d.onRun(actor, auth.Handle, run, []string{why}, func(s *State, _ time.Time, _ string, texts []string) ([]entry.Draft, error) {
		r, err := s.Runs.Get(run)
		if err != nil {
			return nil, err
		}
		return one(s.Runs.Move(actor.Name, run, cmp.Or(to, s.Runs.Books[r.Playbook].Current()), texts[0]))
	})
}

// StopRun stops a run: it was the wrong playbook, or one too many.
func (d *Desk) StopRun(actor auth.Actor, run int64, why string) error {
	return d.onRun(actor, auth.Handle, run, []string{why}, func(s *State, _ time.Time, _ string, texts []string) ([]entry.Draft, error) {
		return one(s.Runs.Stop(actor.Name, run, texts[0]))
	})
}

// NextStep returns the step that an actor does next in an incident, of which run it is, and whether there is one. role "" is any that they have there: late steps
// come first, then the roles in the order of the team's.
func (d *Desk) NextStep(actor auth.Actor, id int64, role string) (next playbook.Status, run int64, ok bool) {
	now := time.Now()
	d.ReadAs(actor, func(s *State) {
		i, err := s.Incidents.Get(id)
		if err != nil {
			return
		}
		roles := []string{role}
		if role == "" {
			roles = OwnRoles(s, actor, i)
		}
		for _, r := range s.RunsOf(id) {
			for _, role := range roles {
				x, found := r.Next(role, now)
				if found && (!ok || x.Late && !next.Late) {
					next, run, ok = x, r.ID, true
				}
			}
		}
	})
	return next, run, ok
}

// OwnRoles are the roles whose steps are an actor's in an incident: those that they hold there, and those of theirs on the team that nobody holds there.
func OwnRoles(s *State, actor auth.Actor, i *incident.Incident) (roles []string) {
	can := CanHold(s, i.ID)
	for _, role := range playbook.Roles() {
		h := i.Roles[role]
		holder, _ := h.Held(can)
		switch {
		case holder == actor.ID && actor.ID != "", slices.Contains(h.Deputies, actor.ID):
			roles = append(roles, role)
		case holder == "" && slices.Contains(actor.Roles, role):
			roles = append(roles, role)
		}
	}
	return roles
}

// plays reports whether an actor may speak for a role in an incident: by holding it there, or having it on the team.
func plays(s *State, actor auth.Actor, id int64, role string) bool {
	i, err := s.Incidents.Get(s.Incidents.Root(id))
	return err == nil && (slices.Contains(i.RolesOf(actor.ID), role) || slices.Contains(actor.Roles, role))
}
