package desk

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"tocsin/internal/contact"
	"tocsin/internal/entry"
	"tocsin/internal/notify"
	"tocsin/internal/plan"
	"tocsin/internal/tlp"
)

// Updates to stakeholders, the part of the debt loop: what automatic rules demand is wanted, what is wanted is sent by mail, and what became of it is an entry.

// A run is what became of an update that was sent.
type run struct {
	entry.UpdateResult
	kind     entry.Kind // UpdateSent or UpdateFailed
	incident int64
}

// runners are the updates that are being sent; the debt loop owns them.
type runners struct {
	flying map[int64]bool
	landed chan run
	failed map[string]bool // what could not be worded, so that it is logged once
}

func newRunners() runners {
	return runners{flying: map[int64]bool{}, landed: make(chan run, 64), failed: map[string]bool{}}
}

// settleUpdates wants what automatic rules demand, and sends what is wanted. It returns when to look again.
func (d *Desk) settleUpdates(ctx context.Context, now time.Time) (again time.Time) {
	owed := d.Owed(Local("desk"), 0, now)
	again = contact.Next(owed)
	for _, x := range owed {
		if x.Auto() {
			d.autoUpdate(x, now)
		}
	}
	var sends []contact.Update
	err := d.write(func(s *State, now time.Time) ([]entry.Draft, error) {
		drafts, owed, next := s.Contacts.Sends(now)
		for _, u := range owed {
			sends = append(sends, *u)
		}
		again = sooner(again, next)
		return drafts, nil
	})
	if err != nil {
		if !errors.Is(err, ErrBroken) {
			d.log.Error("updates to stakeholders cannot be written", "error", err)
		}
		return now.Add(heartbeat)
	}
	for _, u := range sends {
		d.sendUpdate(ctx, u)
	}
	return again
}

// autoUpdate wants what an automatic rule demands. What cannot be worded stays overdue on the screen, and is tried again each time something changes.
func (d *Desk) autoUpdate(x contact.Due, now time.Time) {
	if !d.MayUse(x.Incident, "") || d.Broken() != nil || d.updateWithheld(x.Incident) != nil {
		return
	}
	o := Owing{x.Incident, x.Rule.ID, x.Contact.ID, x.Stage}
	key := fmt.Sprint(o)
	err := d.wantUpdate(Local("desk"), o, now)
	if err != nil && !errors.Is(err, ErrBroken) && !d.updates.failed[key] {
		d.updates.failed[key] = true
		d.log.Warn("an update to a stakeholder is due and cannot be sent by itself", "incident", x.Incident, "rule", x.Rule.ID, "contact", x.Contact.ID, "error", err)
	}
	if err == nil {
		delete(d.updates.failed, key)
	}
}

// updateWithheld refuses what stakeholders are told of an incident: its number and severity have the incident's label, the words that were written for them may have a narrower one.
func (d *Desk) updateWithheld(id int64) error {
	return cmp.Or(d.MayLeave(id, "", tlp.StakeholderMail), d.MayLeave(id, "status", tlp.StakeholderMail))
}

// sendUpdate starts an update that is owed, once.
func (d *Desk) sendUpdate(ctx context.Context, u contact.Update) {
	if d.updates.flying[u.ID] {
		return
	}
	d.updates.flying[u.ID] = true
	twice := u.Twice || u.Wanted.Before(d.started())
	m, err := d.composeUpdate(u, twice)
	if err == nil && !d.MayUse(u.Incident, plan.Mail) {
		err = errors.New("mail must not be used for this incident, or it is restricted: tell them yourself, and write down that you did")
	}
	if err == nil { // it may have got a label since it was wanted
		err = d.updateWithheld(u.Incident)
	}
	d.sending.Go(func() {
		var said receipt
		if err == nil {
			said, err = d.carry(ctx, plan.Mail, m)
		}
		l := d.ran(u, said, err, twice)
		if l.kind == entry.UpdateFailed && ctx.Err() != nil {
			return // the end of the program broke it off: the next start owes it
		}
		select {
		case d.updates.landed <- l:
		case <-ctx.Done():
			d.landUpdate(l)
		}
	})
}

// composeUpdate makes the mail of an update, to the address that the contact has now.
func (d *Desk) composeUpdate(u contact.Update, twice bool) (notify.Message, error) {
	var x Update
	if err := d.fromVault(u.Text, &x); err != nil {
		return notify.Message{}, fmt.Errorf("reading the update: %w", err)
	}
	vault := ""
	d.Read(func(s *State) {
		if c, err := s.Contacts.Get(u.Contact); err == nil {
			vault = c.Vault
		}
	})
	if vault == "" {
		return notify.Message{}, fmt.Errorf("contact %d is not on the list any more", u.Contact)
	}
	card, err := d.card(vault)
	if err != nil {
		return notify.Message{}, fmt.Errorf("reading the contact: %w", err)
	}
	to := card.First(contact.Mail)
	if to == "" {
		return notify.Message{}, fmt.Errorf("contact %d has no mail address any more", u.Contact)
	}
	if twice {
		x.Subject += " " + contact.Word(x.Lang, "twice.mark")
		x.Body += "\n\n" + contact.Word(x.Lang, "twice.says")
	}
	return d.forAddress(notify.Message{To: to, Subject: x.Subject, Body: x.Body, ID: u.Message + "@" + d.origin(), Twice: twice}, updateMail(u.ID)), nil
}

// ran words what became of an update.
func (d *Desk) ran(u contact.Update, said receipt, err error, twice bool) run {
	r := run{UpdateResult: entry.UpdateResult{ID: u.ID, Twice: twice, Form: said.form, Less: said.less}, kind: entry.UpdateSent, incident: u.Incident}
	if err == nil {
		return r
	}
	d.log.Warn("an update to a stakeholder failed", "update", u.ID, "error", err)
	r.kind = entry.UpdateFailed
	if x, ok := errors.AsType[*notify.Failure](err); ok {
		r.Temporary, r.Uncertain, r.After = x.Temporary, x.Uncertain, x.After
	}
	text, verr := d.text(err.Error())
	if verr != nil {
		d.log.Error("keeping why an update failed", "error", verr)
	}
	r.Text = text
	return r
}

// landUpdate writes what became of an update. When that cannot be written it stays owed, and is sent again after the next start, marked possibly twice.
func (d *Desk) landUpdate(l run) bool {
	err := d.write(func(*State, time.Time) ([]entry.Draft, error) {
		return []entry.Draft{{Actor: "desk", Kind: l.kind, Subject: fmt.Sprintf("incident:%d", l.incident), Body: l.UpdateResult}}, nil
	})
	if err != nil {
		d.log.Error("writing what became of an update", "update", l.ID, "error", err)
	}
	return err == nil
}

// landUpdates writes what became of updates that ended while the program did. The loops have ended.
func (d *Desk) landUpdates() {
	for {
		select {
		case l := <-d.updates.landed:
			d.landUpdate(l)
		default:
			return
		}
	}
}
