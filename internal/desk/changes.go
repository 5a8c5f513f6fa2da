package desk

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"tocsin/internal/entry"
	"tocsin/internal/envelope"
	"tocsin/internal/notify"
	"tocsin/internal/plan"
	"tocsin/internal/signin"
)

// What people are told of their own ways in (package plan, changes.go), the part of the debt loop. It takes the way of notices: one courier each, known by
// a notice of number 0.

// settleChanges wants what is due, and sends what is wanted. It returns when to look again.
func (d *Desk) settleChanges(ctx context.Context, now time.Time) (again time.Time) {
	var sends []plan.ChangeTry
	err := d.write(func(s *State, now time.Time) (drafts []entry.Draft, _ error) {
		drafts, sends, again = s.Factors.Owed(now)
		return drafts, nil
	})
	if err != nil {
		if !errors.Is(err, ErrBroken) {
			d.log.Error("what people are told of their ways in cannot be written", "error", err)
		}
		return now.Add(heartbeat)
	}
	for _, t := range sends {
		c := courier{try: t.Try}
		if d.notices.flying[c] {
			continue
		}
		twice := t.Twice || t.Wanted.Before(d.started())
		m, err := d.composeChange(t, twice)
		d.dispatch(ctx, c, t.Channel, m, err, twice)
	}
	return again
}

// composeChange words a message: to whom, and what.
func (d *Desk) composeChange(t plan.ChangeTry, twice bool) (notify.Message, error) {
	contact := d.People.Get(t.Vault)
	to := contact.Address(t.Channel)
	if to == "" {
		return notify.Message{}, fmt.Errorf("%s has no address for %s any more", t.Person, t.Channel)
	}
	words := notify.Changes{More: t.More, Zone: contact.Location(), Manage: d.o.URL + "/me", Twice: twice}
	for _, x := range t.Changes {
		words.Changes = append(words.Changes, notify.Change{At: x.At, What: changeWords(x), By: d.byWords(x.By, t.Person)})
	}
	m := words.Message(to, t.Message+"@"+d.origin())
	if t.Channel == plan.Mail {
		m = d.forPerson(m, t.Person, contact, envelope.ChangeTold, changeMail(t.Try, t.Person))
	}
	return m, nil
}

// changeWords says what was changed.
func changeWords(x entry.Change) string {
	things := map[string]string{passkeyKind: "a passkey", appKind: "the authenticator app", recoveryKind: "recovery codes", linkKind: "an account elsewhere", everyFactor: "all passkeys, the authenticator app, the recovery codes and all tokens"}
	thing := things[x.What]
	switch x.Kind {
	case entry.PersonPut:
		var words []string
		sealing := ""
		for w := range strings.FieldsSeq(x.What) {
			switch w {
			case plan.Back:
				return "you were taken off the team, and put back"
			case plan.Sealing:
				sealing = "what mail you get when nothing can be encrypted to you was changed"
			default:
				words = append(words, channelWord(w))
			}
		}
		if len(words) == 0 {
			return sealing
		}
		if sealing != "" {
			sealing = "; " + sealing
		}
		return "the address for " + strings.Join(words, ", ") + " was changed" + sealing
	case entry.PersonPassword:
		return "the password was changed"
	case entry.PersonInvited:
		return "a one-time link was made by which somebody can set your password"
	case entry.KeyPut:
		return "a newer key or certificate for mail to you is used"
	case entry.KeyConfirmed:
		return "a key or certificate for mail to you was confirmed"
	case entry.KeyRemoved:
		return "a key or certificate for mail to you was removed"
	case entry.PersonPIN:
		return "the PIN for calls was changed"
	case entry.TokenMade:
		return "a token for programs was made"
	case entry.TokenRevoked:
		return "a token for programs was revoked"
	case entry.CredentialReplayed:
		return "a code of the authenticator app was used a second time, and refused"
	case entry.CredentialAdded:
		switch x.What {
		case recoveryKind:
			return "new recovery codes were made"
		case linkKind:
			return thing + " was linked"
		}
		return thing + " was added"
	}
	switch x.What {
	case recoveryKind + " used":
		return "a recovery code was used to sign in"
	case recoveryKind, everyFactor:
		return thing + " were removed"
	}
	return thing + " was removed"
}

// channelWord is what screens call a channel.
func channelWord(name string) string {
	if x, ok := plan.ChannelOf(name); ok {
		return x.Word
	}
	return name
}

// byWords says who did it, to the person whom it is about.
func (d *Desk) byWords(actor, person string) string {
	id, is := strings.CutPrefix(actor, "person:")
	switch {
	case is && id == person:
		return "by you, or by who is signed in as you"
	case is && strings.HasPrefix(id, signin.GlassPrefix):
		return "by a sheet from the safe"
	case is:
		name := id
		if p, ok := d.Person(id); ok {
			name = d.People.Get(p.Vault).Name
		}
		return "by " + name + " (" + id + ")"
	case actor == "desk":
		return "noticed by Tocsin"
	}
	return "on the machine where Tocsin runs"
}

// addressesMoved lists the channels of which a person's address would change, and plan.Sealing if that would.
func (d *Desk) addressesMoved(id string, next Contact) (out []string) {
	p, ok := d.Person(id)
	if !ok {
		return nil
	}
	was := d.People.Get(p.Vault)
	for _, channel := range contactOrder() {
		if was.Address(channel) != next.Address(channel) {
			out = append(out, channel)
		}
	}
	if was.Slack != next.Slack {
		out = append(out, "slack")
	}
	if was.Sealing != next.Sealing {
		out = append(out, plan.Sealing)
	}
	return out
}

// ToldBy lists the channels by which a person is told when a way in of theirs changes.
func (d *Desk) ToldBy(person string) (words []string) {
	d.Read(func(s *State) {
		for _, channel := range s.Factors.Ways(person) {
			words = append(words, channelWord(channel))
		}
	})
	return words
}

// replayed writes down that a code of an app was used a second time: once of each code.
func (d *Desk) replayed(id string, step int64, net string) error {
	if d.refusals.add(fmt.Sprintf("replay %s %d", id, step)) > 1 {
		return nil
	}
	return d.write(func(*State, time.Time) ([]entry.Draft, error) {
		return []entry.Draft{{Actor: "desk", Kind: entry.CredentialReplayed, Subject: "person:" + id, Body: entry.Replay{ID: id, Kind: appKind, Net: net}}}, nil
	})
}
