package desk

import (
	"fmt"
	"net/mail"
	"slices"
	"strings"

	"tocsin/internal/envelope"
	"tocsin/internal/notify"
	"tocsin/internal/plan"
)

// All mail leaves by one path: calls, tests, notices and updates are made here for whom they are for, with the key that is confirmed when they
// are sent, and carry hands them over.

// forPerson makes mail for somebody on the team: sealed, and with a reference by which a report of non-delivery finds back; "" has none.
func (d *Desk) forPerson(m notify.Message, person string, c Contact, kind envelope.Bare, ref string) notify.Message {
	var x plan.Seal
	d.Read(func(s *State) { x = s.Seals.Of(person) })
	m.Seal, m.Ref = d.sealFor(x, c, kind), ref
	return m
}

// forAddress makes mail for a contact of the plan. Who has the same address as somebody on the team gets it sealed as they do; others have no
// keys here, and get it signed. Several on the team may share a mailbox: see sharedSeal.
func (d *Desk) forAddress(m notify.Message, ref string) notify.Message {
	to := Contact{Mail: m.To}
	if a, err := mail.ParseAddress(m.To); err == nil {
		to.Mail = a.Address
	}
	var x plan.Seal
	d.Read(func(s *State) {
		if ids := d.mailboxOf(s, to.Mail); len(ids) > 0 {
			x, to, _ = d.sharedSeal(s, ids)
		}
	})
	m.Seal, m.Ref = d.sealFor(x, to, envelope.UpdateWaits), ref
	return m
}

// mailboxOf returns the staff ids of those on the team who have a mail address, sorted.
func (d *Desk) mailboxOf(s *State, address string) (ids []string) {
	for id, p := range s.Plan.People {
		if !p.Gone && address != "" && strings.EqualFold(d.People.Get(p.Vault).Mail, address) {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

// sharedSeal is how mail to a mailbox is sealed that those with ids have: by their key when all have the same, and as the strictest of them wants it when none has
// any. Whenever their keys differ no one of them is right, so nothing is told but to sign in: agree is false.
func (d *Desk) sharedSeal(s *State, ids []string) (x plan.Seal, c Contact, agree bool) {
	agree = true
	for k, id := range ids {
		y, own := s.Seals.Of(id), d.People.Get(s.Plan.People[id].Vault)
		if k == 0 {
			x, c = y, own
			continue
		}
		for _, form := range []string{plan.OpenPGP, plan.SMIME} {
			agree = agree && x.Keys[form].Key.Fingerprint == y.Keys[form].Key.Fingerprint
		}
		x.Had = x.Had || y.Had
		switch {
		case own.Sealing == string(envelope.Required) || own.Sealing == "" && y.Had:
			c.Sealing = string(envelope.Required)
		case c.Sealing == string(envelope.Opportunistic) && own.Sealing == "":
			c.Sealing = "" // x.Had decides
		}
	}
	if !agree {
		return plan.Seal{Had: true}, Contact{Mail: c.Mail, Sealing: string(envelope.Required)}, false
	}
	return x, c, true
}

// Sharing returns who else on the team has a person's mailbox, and whether mail to that address can be sealed: not when they have different keys.
func (d *Desk) Sharing(s *State, person string) (others []string, agree bool) {
	ids := d.mailboxOf(s, d.People.Get(s.Plan.People[person].Vault).Mail)
	_, _, agree = d.sharedSeal(s, ids)
	return slices.DeleteFunc(ids, func(id string) bool { return id == person }), agree
}

// callMail, noticeMail, changeMail and updateMail name a message in its sender's address, so that a report of non-delivery can be told to what it belongs: at most
// 40 characters.
func callMail(call int64, try int, person string) string {
	return cutTo(fmt.Sprintf("call%d.%d.%s", call, try, dashless(person)), 40)
}

func noticeMail(notice int64, try int, person string) string {
	return cutTo(fmt.Sprintf("notice%d.%d.%s", notice, try, dashless(person)), 40)
}

func changeMail(try int, person string) string {
	return cutTo(fmt.Sprintf("change%d.%s", try, dashless(person)), 40)
}

func updateMail(id int64) string { return fmt.Sprintf("update%d", id) }

// dashless writes a staff id without the dash, which parts a reference from its token.
func dashless(person string) string { return strings.ReplaceAll(person, "-", "_") }

// cutTo shortens what is ASCII; a reference ends in a letter or digit.
func cutTo(s string, n int) string { return strings.TrimRight(s[:min(n, len(s))], "._") }
