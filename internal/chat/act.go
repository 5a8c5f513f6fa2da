package chat

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

const (
	stranger = "Tocsin does not know you as one of the response team, so nothing was done. An administrator can enter your Slack user id with your name."
	broken   = "Tocsin could not do this just now. Use the console, or call."
	running  = "Tocsin is working on it."
)

// An ack acknowledges one envelope, once.
type ack struct {
	mu   sync.Mutex
	done bool
	send func(payload any) error
}

// give acknowledges with a payload (nil is none), and reports whether it was the first to do so.
func (a *ack) give(payload any) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.done {
		return false
	}
	a.done = true
	return a.send(payload) == nil
}

// take works on one envelope and acknowledges it.
func (s *Slack) take(ctx context.Context, e envelope, send func(payload any) error) {
	ctx, cancel := context.WithTimeout(ctx, actTimeout)
	defer cancel()
	a := &ack{send: send}
	var err error
	switch e.Type {
	case "interactive":
		err = s.pressed(ctx, e, a)
	case "slash_commands":
		err = s.commanded(ctx, e, a)
	case "events_api":
		err = s.heard(ctx, e, a)
	default:
		err = fmt.Errorf("slack: an envelope of the unknown type %q", short(e.Type, 40))
		a.give(nil)
	}
	if errors.Is(err, errNotOurs) {
		a.give(nil)
	} else if err != nil {
		s.o.Trouble(errors.New(s.hide(err.Error())))
	}
}

// inTime acknowledges when the work takes long; stop it when it is done.
func inTime(a *ack, payload any) (stop func()) {
	t := time.AfterFunc(replyWithin, func() { a.give(payload) })
	return func() { t.Stop() }
}

// pressed decides on a press.
func (s *Slack) pressed(ctx context.Context, e envelope, a *ack) error {
	p, err := readPress(e.Payload)
	if err != nil {
		a.give(nil) // it does not get better by being sent again
		return err
	}
	fresh, _ := s.seen.begin(p.ID)
	if !fresh {
		a.give(nil)
		return nil
	}
	defer inTime(a, nil)()
	staff, known, err := s.who(ctx, p.User, p.Team)
	reply := stranger
	if known {
		p.Staff = staff
		reply, err = s.o.Press(ctx, p)
	}
	s.seen.end(p.ID, err == nil)
	a.give(nil)
	if err != nil {
		reply = broken
	}
	if reply != "" {
		if f := s.tell(ctx, p.Channel, p.User, reply); f != nil {
			return errors.Join(err, f)
		}
	}
	return err
}

// A response is what may go back with the acknowledgement of a slash command: it is shown to that person alone.
type response struct {
	Type string `json:"response_type"`
	Text string `json:"text"`
}

func ephemeral(text string) response { return response{"ephemeral", words(text, 2900)} }

// commanded does what was typed.
func (s *Slack) commanded(ctx context.Context, e envelope, a *ack) error {
	c, err := readCommand(e.Payload)
	if err != nil {
		a.give(nil)
		return err
	}
	fresh, _ := s.seen.begin(c.ID)
	if !fresh {
		a.give(nil)
		return nil
	}
	late := any(nil)
	if e.Reply {
		late = ephemeral(running)
	}
	defer inTime(a, late)()
	staff, known, err := s.who(ctx, c.User, c.Team)
	reply := stranger
	if known {
		c.Staff = staff
		if c.Number == 0 {
			if n, ours := s.o.Room(c.Channel); ours {
				c.Number = n
			}
		}
		reply = "Tocsin understands: " + Usage
		if c.Verb != "" && (c.Verb != AddNote || c.Number > 0) {
			reply, err = s.o.Command(ctx, c)
		}
	}
	s.seen.end(c.ID, err == nil)
	if err != nil {
		reply = broken
	}
	switch {
	case reply == "":
		a.give(nil)
	case e.Reply && a.give(ephemeral(reply)):
	default:
		a.give(nil)
		if f := s.tell(ctx, c.Channel, c.User, reply); f != nil {
			return errors.Join(err, f)
		}
	}
	return err
}

// heard hands a message over. It is acknowledged only when it was taken: else Slack delivers it again, at once, after a minute and after five.
func (s *Slack) heard(ctx context.Context, e envelope, a *ack) error {
	h, err := readHeard(e.Payload, s.named)
	if err != nil {
		a.give(nil)
		return err
	}
	n, ours := s.o.Room(h.Channel)
	if !ours || s.o.Heard == nil {
		a.give(nil)
		return nil
	}
	key := "heard:" + h.ID + ":" + h.Change + ":" + h.At.String()
	fresh, done := s.seen.begin(key)
	if !fresh {
		if done {
			a.give(nil)
		}
		return nil
	}
	h.Incident = n
	staff, known, err := s.who(ctx, h.User, h.Team)
	if h.Name = unnamed(h.User); known {
		h.Staff, h.Name = staff, staff
	}
	if err == nil {
		err = s.o.Heard(ctx, h)
	}
	s.seen.end(key, err == nil)
	if err == nil {
		a.give(nil)
	}
	return err
}

// named is how a Slack user is called in text.
func (s *Slack) named(user string) string {
	if !userForm.MatchString(user) {
		return "somebody"
	}
	if staff, known := s.o.Who(user); known {
		return staff
	}
	return unnamed(user)
}

func unnamed(user string) string { return "somebody who is not on the team (Slack user " + user + ")" }
