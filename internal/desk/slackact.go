package desk

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"tocsin/internal/auth"
	"tocsin/internal/chat"
	"tocsin/internal/entry"
	"tocsin/internal/incident"
	"tocsin/internal/oncall"
)

// What comes from Slack: presses, commands and messages. Slack delivers again what was not acknowledged in time, also to the next start of the
// program; so what was done is remembered by its id, in scratch. Were that lost, a press would find its work done and say so.

const (
	doneKind   = "chat.done" // by the id of a press or command: the reply
	heardKind  = "chat.heard"
	redelivery = 24 * time.Hour // Slack gives up long before
)

// inSlack says who a Slack user is on the team.
func (d *Desk) inSlack(user string) (staff string, known bool) {
	if user == "" {
		return "", false
	}
	d.Read(func(s *State) {
		for id, p := range s.Plan.People {
			if !p.Gone && d.People.Get(p.Vault).Slack == user {
				if known { // two people with one id: neither is proved
					staff, known = "", false
					return
				}
				staff, known = id, true
			}
		}
	})
	return staff, known
}

// slackID refuses what is no id of Slack's, and one that is another's.
func (d *Desk) slackID(person, id string) error {
	for _, r := range id {
		if (r < 'A' || r > 'Z') && (r < '0' || r > '9') || len(id) > 40 {
			return FieldError{"slack", "A Slack user id is of capital letters and digits, as in U0123ABCD."}
		}
	}
	if other, known := d.inSlack(id); known && other != person {
		return FieldError{"slack", "This Slack user id is another's on the team."}
	}
	return nil
}

// channelOf says whose channel an id is.
func (d *Desk) channelOf(channel string) (id int, known bool) {
	d.Read(func(s *State) {
		for n, at := range s.Chat {
			if at.Channel == channel && channel != "" {
				id, known = int(n), true
			}
		}
	})
	return id, known
}

// once does what an id asks for, or repeats the reply. What failed for a reason of ours is not remembered.
func (d *Desk) once(id string, do func() (string, error)) (reply string, err error) {
	now := time.Now()
	if d.scratch.Get(doneKind, id, now, &reply) {
		return reply, nil
	}
	if reply, err = do(); err != nil {
		return "", err
	}
	if err := errors.Join(d.scratch.Put(doneKind, id, reply, now.Add(redelivery)), d.scratch.Flush(now)); err != nil {
		d.log.Error("slack: remembering what was done", "error", err)
	}
	return reply, nil
}

// refusal words an error that is the person's to mend; other errors are ours.
func refusal(err error) (string, error) {
	if err == nil || errors.Is(err, ErrBroken) {
		return "", err
	}
	return Title(err.Error()) + ".", nil
}

// pressed does what a button says, as the person who pressed it.
func (d *Desk) pressed(_ context.Context, p chat.Press) (string, error) {
	return d.once("press "+p.ID, func() (string, error) {
		who, ok := d.Person(p.Staff)
		if !ok {
			return "Tocsin does not know you as one of the team any more, so nothing was done.", nil
		}
		id, actor := int64(p.Incident), Actor(who)
		if err := d.standsThere(id, p); err != nil {
			return refusal(err)
		}
		said, err := d.press(actor, id, p)
		if err != nil {
			return refusal(err)
		}
		return said, nil
	})
}

// standsThere holds a press against the card that we keep: one of another installation, or a copy elsewhere, is none of ours.
func (d *Desk) standsThere(id int64, p chat.Press) (err error) {
	d.Read(func(s *State) {
		i, e := s.Incidents.Get(id)
		at, placed := s.Chat[id]
		switch {
		case e != nil:
			err = e
		case p.Key != d.cardKey(id), placed && at.Channel != p.Channel, placed && at.Card != "" && p.Card != "" && at.Card != p.Card:
			err = errors.New("this card is not of an incident here; open the incident in Tocsin")
		case !mayUse(s, i):
			err = errNoSlack
		}
	})
	return err
}

func (d *Desk) press(actor auth.Actor, id int64, p chat.Press) (string, error) {
	switch p.Act {
	case chat.Acknowledge, chat.PassOn:
		var call int64
		answered := ""
		d.Read(func(s *State) {
			if c := s.Calls.Of(id); c != nil {
				call = c.ID
				if !c.Rings() {
					answered = c.Answered.Person
				}
			}
		})
		switch {
		case call == 0:
			return "Nobody is being called for this incident.", nil
		case p.Act == chat.PassOn:
			return d.passOnFromSlack(actor, call)
		case answered == actor.ID:
			return "You have acknowledged it already.", nil
		}
		err := d.Answer(actor, call, "slack")
		if errors.Is(err, oncall.ErrAnswered) {
			return "It was acknowledged already" + by(d.slackName(answered)) + ".", nil
		}
		rings := false
		d.Read(func(s *State) {
			c := s.Calls.Of(id)
			rings = c != nil && c.Rings()
		})
		if rings {
			return "You have acknowledged it. Another answer is wanted besides yours, so others are called.", err
		}
		return "You have acknowledged it. Nobody else is called.", err
	case chat.TakeTask:
		if p.Task != workTask {
			return "This task is not there any more.", nil
		}
		holder := ""
		d.Read(func(s *State) {
			if i, err := s.Incidents.Get(id); err == nil {
				holder = i.Person
			}
		})
		switch {
		case holder == actor.ID:
			return "You work on it already.", nil
		case holder != "":
			return "It was taken already" + by(d.slackName(holder)) + ".", nil
		}
		return "You work on this incident.", d.Assign(actor, id, actor.ID)
	case chat.SetSeverity:
		return "The severity is " + p.Severity + " now.", d.SetSeverity(actor, id, strings.ToLower(p.Severity), "Set in Slack.")
	}
	return "Tocsin does not know this button.", nil
}

// passOnFromSlack hands a call to whoever is next.
func (d *Desk) passOnFromSlack(actor auth.Actor, call int64) (string, error) {
	return "You have passed it on. The next are called now.", d.PassOn(actor, call, "slack")
}

func by(name string) string {
	if name == "" {
		return ""
	}
	return " by " + name
}

func (d *Desk) slackName(id string) string {
	p, ok := d.Person(id)
	if !ok {
		return id
	}
	return d.People.Get(p.Vault).Name
}

// commanded does what was typed after /tocsin.
func (d *Desk) commanded(_ context.Context, c chat.Command) (string, error) {
	return d.once("command "+c.ID, func() (string, error) {
		p, ok := d.Person(c.Staff)
		if !ok {
			return "Tocsin does not know you as one of the team any more, so nothing was done.", nil
		}
		actor := Actor(p)
		var said string
		var err error
		switch c.Verb {
		case chat.OpenIncident:
			var id int64
			id, err = d.Report(actor, c.Text)
			said = fmt.Sprintf("Incident %d is open: %s/incidents/%d", id, d.o.URL, id)
		case chat.AddNote:
			if err = d.noteFromSlack(actor, int64(c.Number)); err == nil {
				err = d.Note(actor, int64(c.Number), c.Text, time.Time{})
			}
			said = fmt.Sprintf("The note stands in the timeline of incident %d.", c.Number)
		case chat.AskStatus, chat.AskWho:
			if err = auth.May(actor, auth.See); err == nil {
				said = d.openNow(c.Verb == chat.AskWho)
			}
		}
		if err != nil {
			return refusal(err)
		}
		return said, nil
	})
}

// noteFromSlack refuses a note about an incident for which Slack is not used.
func (d *Desk) noteFromSlack(actor auth.Actor, id int64) error {
	err := d.MayOn(actor, auth.Note, id)
	if err == nil {
		d.Read(func(s *State) {
			if i, gone := s.Incidents.Get(id); gone == nil && !mayUse(s, i) {
				err = errNoSlack
			}
		})
	}
	return err
}

var errNoSlack = errors.New("slack is not used for this incident; open it in Tocsin")

// Report opens an incident that a person tells of. It is High until somebody says otherwise, so that it rings.
func (d *Desk) Report(actor auth.Actor, words string) (id int64, err error) {
	if strings.TrimSpace(words) == "" {
		return 0, errors.New("say in a few words what happened")
	}
	if err := errors.Join(auth.May(actor, auth.Handle), d.Broken()); err != nil {
		return 0, err
	}
	text, err := d.text(strings.TrimSpace(words))
	if err != nil {
		return 0, err
	}
	err = d.write(func(s *State, now time.Time) ([]entry.Draft, error) {
		x, n, err := s.Incidents.Report(actor.Name, incident.High, now)
		if err != nil {
			return nil, err
		}
		id = n
		return []entry.Draft{x, {Actor: actor.Name, Kind: entry.IncidentNoted, Subject: x.Subject, Body: entry.Note{ID: n, Text: text}}}, nil
	})
	return id, err
}

const standingShown = 10

// openNow says which incidents are open, or who works on them, worst first.
func (d *Desk) openNow(who bool) string {
	var lines []string
	more := 0
	d.Read(func(s *State) {
		for rank := len(incident.Severities()) - 1; rank >= 0; rank-- {
			for _, i := range s.Incidents.Incidents {
				if !i.Working() || i.History || incident.Rank(i.Severity) != rank || !mayUse(s, i) {
					continue
				}
				if len(lines) == standingShown {
					more++
					continue
				}
				c := d.cardOf(s, i)
				line := fmt.Sprintf("%d, %s, %s: %s", i.ID, c.Severity, c.Phase, c.Title)
				if who {
					line = fmt.Sprintf("%d, %s", i.ID, c.Severity)
					for _, h := range c.Holders {
						name := h.Name
						if name == "" {
							name = "nobody"
						}
						line += ", " + strings.ToLower(h.Role) + ": " + name
					}
					if c.Answered != "" {
						line += ", acknowledged by " + c.Answered
					}
				}
				lines = append(lines, line)
			}
		}
	})
	switch {
	case len(lines) == 0:
		return "No incident is open."
	case more > 0:
		lines = append(lines, fmt.Sprintf("and %d more", more))
	}
	return strings.Join(lines, "\n")
}

// heardInSlack writes what was said in an incident's channel into its timeline. A message that is edited or deleted is a further note:
// what was said stays said.
func (d *Desk) heardInSlack(_ context.Context, h chat.Heard) error {
	now := time.Now()
	sum := sha256.Sum256([]byte(h.Text))
	key := h.ID + " " + h.Change + " " + hex.EncodeToString(sum[:8])
	var was bool
	if d.scratch.Get(heardKind, key, now, &was) {
		return nil
	}
	words := h.Text
	if h.Files > 0 {
		words += fmt.Sprintf(" (with %s, which stay in Slack)", plural(h.Files, "file", "files"))
	}
	said := map[string]string{"": "In Slack", "edited": "In Slack, edited", "deleted": "In Slack, deleted"}[h.Change]
	actor := Local("slack")
	if p, ok := d.Person(h.Staff); ok && auth.May(Actor(p), auth.Note) == nil {
		actor = Actor(p)
	} else {
		said += ", " + h.Name
	}
	if h.At.After(now) {
		h.At = now // its clock is ahead of ours
	}
	used := false
	d.Read(func(s *State) {
		i, err := s.Incidents.Get(int64(h.Incident))
		used = err == nil && !i.Restricted()
	})
	if !used {
		return nil // a channel that is about to be closed
	}
	if err := d.Note(actor, int64(h.Incident), said+": "+strings.TrimSpace(words), h.At); err != nil {
		if errors.Is(err, incident.ErrNotFound) {
			return nil
		}
		return err
	}
	return errors.Join(d.scratch.Put(heardKind, key, true, now.Add(redelivery)), d.scratch.Flush(now))
}
