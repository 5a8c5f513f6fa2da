package desk

import (
	"errors"
	"time"

	"tocsin/internal/auth"
	"tocsin/internal/signin"
)

// SessionsOf lists where somebody is signed in.
func (d *Desk) SessionsOf(person string, now time.Time) []signin.Session {
	return signin.NewSessions(d.Sessions(), false).List(now, person)
}

// EndSession ends one session of who asks, or ("") all. Errors: signin.ErrUnknown when there is none of that id.
func (d *Desk) EndSession(actor auth.Actor, id string, now time.Time) (n int, err error) {
	if err := d.own(actor); err != nil {
		return 0, err
	}
	all := signin.NewSessions(d.Sessions(), false)
	if id == "" {
		n, err = all.EndAll(now, actor.ID)
	} else {
		ended := false
		if ended, err = all.EndOne(now, actor.ID, id); err == nil && !ended {
			err = signin.ErrUnknown
		}
		n = 1
	}
	if err != nil || n == 0 {
		return n, err
	}
	return n, d.EndedSessions(actor, actor.ID, id, n)
}

// EndSessionsOf signs somebody out everywhere, who is gone or begins anew. The entry is that of the change which asks for it.
func (d *Desk) EndSessionsOf(person string, now time.Time) error {
	_, err := signin.NewSessions(d.Sessions(), false).EndAll(now, person)
	return err
}

// Unknown reports whether err says that a credential, token, session or link is not there.
func Unknown(err error) bool { return errors.Is(err, signin.ErrUnknown) }
