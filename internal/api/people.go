package api

import (
	"fmt"
	"maps"
	"slices"

	"tocsin/internal/auth"
	"tocsin/internal/desk"
	"tocsin/internal/entry"
	"tocsin/internal/oncall"
	"tocsin/internal/plan"
)

type (
	// A Person is a member of the team.
	Person struct {
		ID       string            `json:"id"`
		Name     string            `json:"name"`
		Roles    []string          `json:"roles"`
		Gone     bool              `json:"gone,omitempty"`
		Zone     string            `json:"zone,omitempty"`
		Language string            `json:"language,omitempty"`
		Slack    string            `json:"slack,omitempty" doc:"the id in the Slack workspace; shown of oneself, and to those who keep the team"`
		Sealing  string            `json:"sealing,omitempty"`
		Channels map[string]string `json:"channels" doc:"address by channel; what is secret, or shown only to those who keep the team, is empty"`
		Proofs   map[string]string `json:"proofs,omitempty" doc:"by channel: proven, or why it is not"`
		Password *bool             `json:"password,omitempty" doc:"can sign in by a password; shown of oneself, and to those who keep the team"`
		Rules    *entry.Ways       `json:"rules,omitempty" doc:"when which channel rings"`
		Keys     []Key             `json:"keys,omitempty" doc:"that mail is encrypted to"`
	}
	// A Key is one that mail to somebody is encrypted to, once it is confirmed.
	Key struct {
		Form        string `json:"form" doc:"openpgp or smime"`
		Fingerprint string `json:"fingerprint"`
		Confirmed   bool   `json:"confirmed" doc:"false: it waits for somebody to compare its fingerprint"`
	}
	personBody struct {
		ID       string            `json:"id,omitempty" maxLength:"64" doc:"of a new one, which was never used: what the ledger says of somebody who went stays theirs"`
		Name     string            `json:"name" minLength:"1" maxLength:"200"`
		Roles    []string          `json:"roles" maxItems:"20" doc:"commander, engineer, analyst, legal, communications, administrator, reader, auditor, reporter"`
		Gone     bool              `json:"gone,omitempty" doc:"no longer rung, and may not sign in"`
		Zone     string            `json:"zone,omitempty" maxLength:"64" doc:"IANA name; empty is UTC"`
		Language string            `json:"language,omitempty" maxLength:"8" doc:"that calls speak; empty is English"`
		Slack    string            `json:"slack,omitempty" maxLength:"64" doc:"the id in the Slack workspace"`
		Sealing  string            `json:"sealing,omitempty" maxLength:"20" doc:"what mail they get to whom nothing can be encrypted: required, opportunistic"`
		Channels map[string]string `json:"channels,omitempty" doc:"address by channel, such as mail, webhook, voice, sms"`
	}
	changeBody struct {
		ID       string            `json:"id,omitempty" maxLength:"64" doc:"a person keeps their id"`
		Name     *string           `json:"name,omitempty" minLength:"1" maxLength:"200"`
		Roles    []string          `json:"roles,omitempty" maxItems:"20" doc:"all of them; without the member they stay"`
		Gone     *bool             `json:"gone,omitempty" doc:"no longer rung, and may not sign in"`
		Zone     *string           `json:"zone,omitempty" maxLength:"64" doc:"IANA name; empty is UTC"`
		Language *string           `json:"language,omitempty" maxLength:"8" doc:"that calls speak; empty is English"`
		Slack    *string           `json:"slack,omitempty" maxLength:"64" doc:"the id in the Slack workspace"`
		Sealing  *string           `json:"sealing,omitempty" maxLength:"20" doc:"what mail they get to whom nothing can be encrypted: required, opportunistic"`
		Channels map[string]string `json:"channels,omitempty" doc:"address by channel; others stay. Empty removes it, and leaves one alone that is secret, which nobody is shown"`
		Drop     []string          `json:"drop,omitempty" maxItems:"20" doc:"channels to remove, secret ones too"`
	}
	channelBody struct {
		Channel string `json:"channel" maxLength:"40"`
	}
	subjectBody struct {
		Subject string `json:"subject" maxLength:"300" doc:"the account at the provider that was looked at"`
	}
	waysBody struct {
		Rules []entry.Way  `json:"rules,omitempty" maxItems:"22" doc:"none is every channel at once"`
		Quiet *entry.Hours `json:"quiet,omitempty" doc:"when only Critical rings"`
		Zone  string       `json:"zone,omitempty" maxLength:"64"`
	}
	keyBody struct {
		Key string `json:"key" maxLength:"60000" doc:"an OpenPGP key or an S/MIME certificate, as text"`
	}
	fingerprintBody struct {
		Fingerprint string `json:"fingerprint" maxLength:"200" doc:"as its owner read it out"`
	}
	keyEnd struct {
		Fingerprint string `json:"fingerprint" maxLength:"200"`
		Why         string `json:"why" minLength:"1" maxLength:"10000"`
	}
	pinBody struct {
		PIN string `json:"pin" maxLength:"20" doc:"by which calls know them; empty removes it"`
	}
	// A Said answer is a sentence.
	Said struct {
		Says string `json:"says"`
	}
)

// peopleOperations are those of the team.
func peopleOperations(t *table) {
	o := get("/people", "listPeople", "List the team")
	o.need, o.web = auth.See, "GET /people"
	add(t, o, func(a ask, _ *none) ([]Person, error) {
		out := []Person{}
		a.desk.ReadAs(a.actor, func(s *desk.State) {
			for _, id := range slices.Sorted(maps.Keys(s.Plan.People)) {
				out = append(out, personOf(a, s, s.Plan.People[id]))
			}
		})
		for k := range out {
			out[k].Password = a.hasPassword(out[k].ID)
		}
		return out, nil
	})
	o = get("/people/{id}", "getPerson", "Show a member of the team: oneself, or others by the right team")
	o.need, o.web = auth.See, "GET /people/{id}"
	add(t, o, func(a ask, in *named) (out Person, err error) {
		if err := a.member(in.ID); err != nil {
			return out, err
		}
		a.desk.ReadAs(a.actor, func(s *desk.State) {
			out = personOf(a, s, s.Plan.People[in.ID])
			if w, ok := s.Plan.Ways[in.ID]; ok {
				out.Rules = &w
			}
			keys := s.Seals.Of(in.ID).Keys
			for _, form := range slices.Sorted(maps.Keys(keys)) {
				if k := keys[form].Key.Fingerprint; k != "" {
					out.Keys = append(out.Keys, Key{form, k, true})
				}
				if k := keys[form].Candidate.Fingerprint; k != "" {
					out.Keys = append(out.Keys, Key{form, k, false})
				}
			}
		})
		out.Password = a.hasPassword(in.ID)
		return out, nil
	})
	o = post("/people", "addPerson", "Add a member of the team")
	o.need, o.web, o.about = auth.Team, "POST /people", "To make somebody commander, engineer or administrator needs a second person (202), which a token cannot ask for."
	act(t, o, func(a ask, in *body[personBody]) error {
		return a.desk.AddPerson(a.actor, in.Body.ID, in.Body.Roles, in.Body.contact())
	})
	o = post("/people/{id}", "changePerson", "Change a member of the team, or say that they are gone")
	o.need, o.web, o.about = auth.Team, "POST /people/{id}", "What is not sent stays as it is. Whose change meets another one gets 409, and asks again."
	act(t, o, changePerson)
	o = post("/people/{id}/invite", "invitePerson", "Make a one-time link by which somebody sets a password")
	o.need, o.web, o.shown = auth.Team, "POST /people/{id}/invite", true
	add(t, o, func(a ask, in *named) (Link, error) {
		if _, ok := a.desk.Person(in.ID); !ok {
			return Link{}, errMissing
		}
		link, err := a.desk.Invite(a.actor, in.ID)
		return Link{link}, err
	})
	o = post("/people/{id}/factors", "removeFactors", "Remove every passkey, app, code, link and token of somebody who lost them")
	o.need, o.web = auth.Team, "POST /people/{id}/factors"
	act(t, o, func(a ask, in *named) error {
		err := a.desk.RemoveFactors(a.actor, in.ID)
		if err == nil {
			err = a.desk.EndSessionsOf(in.ID, a.now)
		}
		return missing(err)
	})
	o = post("/people/{id}/link", "confirmLink", "Confirm that an account at the provider is of somebody")
	o.need, o.web = auth.Team, "POST /people/{id}/link"
	act(t, o, func(a ask, in *namedWith[subjectBody]) error {
		return missing(a.desk.ConfirmLink(a.actor, in.ID, in.Body.Subject))
	})
	o = post("/people/{id}/ring", "testChannel", "Ring somebody for a test on one channel: oneself, or others by the right ring-now")
	o.need, o.web = auth.Ask, "POST /people/{id}/ring"
	act(t, o, func(a ask, in *namedWith[channelBody]) error { return a.desk.RingNow(a.actor, in.ID, in.Body.Channel) })
	o = post("/people/{id}/ways", "setWays", "Say when which channel rings somebody: oneself, or others by the right team")
	o.need, o.web = auth.Ask, "POST /people/{id}/ways"
	act(t, o, func(a ask, in *namedWith[waysBody]) error {
		if err := a.member(in.ID); err != nil {
			return err
		}
		return a.desk.SetWays(a.actor, entry.Ways{ID: in.ID, Rules: in.Body.Rules, Quiet: in.Body.Quiet, Zone: in.Body.Zone})
	})
}

// changePerson changes what is sent of a person.
func changePerson(a ask, in *namedWith[changeBody]) error {
	x := in.Body
	if x.ID != "" && x.ID != in.ID {
		return mistake{"id", "a person keeps their id"}
	}
	var p entry.Person
	known := false
	a.desk.ReadAs(a.actor, func(s *desk.State) { p, known = s.Plan.People[in.ID] })
	if !known {
		return errMissing
	}
	c := a.desk.People.Get(p.Vault)
	c.Ways = maps.Clone(c.Ways) // what is known of people is shared
	for _, f := range []struct{ to, from *string }{{&c.Name, x.Name}, {&c.Zone, x.Zone}, {&c.Language, x.Language}, {&c.Slack, x.Slack}, {&c.Sealing, x.Sealing}} {
		if f.from != nil {
			*f.to = *f.from
		}
	}
	secret := map[string]bool{}
	for _, row := range plan.ChannelTable() {
		secret[row.Name] = row.Secret
	}
	for channel, address := range x.Channels {
		if address != "" || !secret[channel] {
			c.SetAddress(channel, address)
		}
	}
	for _, channel := range x.Drop {
		if _, ok := secret[channel]; !ok {
			return mistake{"drop", fmt.Sprintf("there is no channel %.40q", channel)}
		}
		c.SetAddress(channel, "")
	}
	roles, gone := p.Roles, p.Gone
	if x.Roles != nil {
		roles = x.Roles
	}
	if x.Gone != nil {
		gone = *x.Gone
	}
	err := a.desk.ChangePerson(a.actor, p, roles, c, gone)
	if err == nil && gone {
		err = a.desk.EndSessionsOf(in.ID, a.now)
	}
	return err
}

// shows reports whether who asks is shown all of a person.
func (a ask) shows(id string) bool { return id == a.actor.ID || auth.May(a.actor, auth.Team) == nil }

// hasPassword says whether somebody can sign in by a password, to those who may know; nil to others.
func (a ask) hasPassword(id string) *bool {
	if !a.shows(id) {
		return nil
	}
	has := a.desk.HasPassword(id)
	return &has
}

func (x personBody) contact() desk.Contact {
	c := desk.Contact{Name: x.Name, Zone: x.Zone, Language: x.Language, Slack: x.Slack, Sealing: x.Sealing}
	for channel, address := range x.Channels {
		c.SetAddress(channel, address)
	}
	return c
}

// member returns nil for oneself, and for those who keep the team; others are not shown, and who is not there is missing.
func (a ask) member(id string) error {
	if a.actor.ID != id || id == "" {
		if err := auth.May(a.actor, auth.Team); err != nil {
			return err
		}
	}
	return a.known(id)
}

func (a ask) known(id string) error {
	is := false
	a.desk.ReadAs(a.actor, func(s *desk.State) { _, is = s.Plan.People[id] })
	if !is {
		return errMissing
	}
	return nil
}

// personOf shows a member of the team, with addresses only to themselves and to those who keep the team, and no secret ones at all.
func personOf(a ask, s *desk.State, p entry.Person) Person {
	c := a.desk.People.Get(p.Vault)
	x := Person{ID: p.ID, Name: c.Name, Roles: p.Roles, Gone: p.Gone, Zone: c.Zone, Language: c.Language, Sealing: c.Sealing, Channels: map[string]string{}, Proofs: map[string]string{}}
	for _, row := range plan.ChannelTable() {
		address := c.Address(row.Name)
		if address == "" {
			continue
		}
		if row.Secret || !a.shows(p.ID) {
			address = ""
		}
		x.Channels[row.Name] = address
	}
	if a.shows(p.ID) {
		x.Slack = c.Slack
	}
	proofs, _ := s.Calls.Readiness(&s.Plan, a.now)
	for _, f := range proofs {
		if f.Person == p.ID && f.State != oncall.NoWayYet {
			x.Proofs[f.Channel] = f.State
		}
	}
	return x
}

// missing makes of what is not there the problem that says so.
func missing(err error) error {
	if desk.Unknown(err) {
		return errMissing
	}
	return err
}

// mailOperations are those of keys for sealed mail, and of PINs for calls.
func mailOperations(t *table) {
	own := func(path, id, sum string, need auth.Action) operation {
		o := post("/people/{id}/"+path, id, sum)
		o.need, o.web = need, "POST /people/{id}/"+path
		if path == "pin" || path == "key/confirm" || path == "key/remove" {
			o.proof, o.about = true, "A token cannot: it needs a person."
		}
		return o
	}
	add(t, own("key", "putKey", "Give the key that mail to somebody is encrypted to: one's own, or others' by the right team", auth.Ask), func(a ask, in *namedWith[keyBody]) (Said, error) {
		if err := a.member(in.ID); err != nil {
			return Said{}, err
		}
		says, err := a.desk.PutKey(a.actor, in.ID, []byte(in.Body.Key))
		return Said{says}, err
	})
	add(t, own("key/find", "findKey", "Look for somebody's key at their mail provider (WKD)", auth.Ask), func(a ask, in *named) (Said, error) {
		if err := a.member(in.ID); err != nil {
			return Said{}, err
		}
		says, err := a.desk.LookUpKey(a.ctx, a.actor, in.ID)
		return Said{says}, err
	})
	act(t, own("key/confirm", "confirmKey", "Confirm by its fingerprint that a key is somebody's", auth.Team), func(a ask, in *namedWith[fingerprintBody]) error {
		if err := a.member(in.ID); err != nil {
			return err
		}
		return a.desk.ConfirmKey(a.actor, in.ID, in.Body.Fingerprint)
	})
	act(t, own("key/remove", "removeKey", "Remove somebody's key", auth.Team), func(a ask, in *namedWith[keyEnd]) error {
		if err := a.member(in.ID); err != nil {
			return err
		}
		return a.desk.RemoveKey(a.actor, in.ID, in.Body.Fingerprint, in.Body.Why)
	})
	act(t, own("pin", "setPIN", "Set the PIN by which calls know somebody: one's own, or others' by the right team", auth.Ask), func(a ask, in *namedWith[pinBody]) error {
		if err := a.member(in.ID); err != nil {
			return err
		}
		return a.desk.SetPIN(a.ctx, a.actor, in.ID, in.Body.PIN)
	})
}
