package api

import (
	"time"

	"tocsin/internal/auth"
	"tocsin/internal/client"
	"tocsin/internal/contact"
	"tocsin/internal/desk"
	"tocsin/internal/entry"
)

type (
	contactBody struct {
		Group  string       `json:"group" maxLength:"40" doc:"team, stakeholders, providers, regulators"`
		Person string       `json:"person,omitempty" maxLength:"64" doc:"staff id, when it is a member of the team"`
		Owner  string       `json:"owner,omitempty" maxLength:"64" doc:"staff id of who keeps it right"`
		Days   int          `json:"days,omitempty" minimum:"0" maximum:"3650" doc:"from check to check; 0 is 90"`
		Card   contact.Card `json:"card"`
		Hash   string       `json:"hash,omitempty" maxLength:"200" doc:"of the card from which a change is made: it is refused when another stands by now"`
	}
	// A FullContact is one with its card.
	FullContact struct {
		ID      int64        `json:"id"`
		Group   string       `json:"group"`
		Person  string       `json:"person,omitempty"`
		Owner   string       `json:"owner,omitempty"`
		Days    int          `json:"days,omitempty"`
		Hash    string       `json:"hash" doc:"to be sent when it is checked: the check is of this very card"`
		Checked time.Time    `json:"checked,omitzero"`
		Checker string       `json:"checker,omitempty"`
		Due     time.Time    `json:"due"`
		Removed time.Time    `json:"removed,omitzero"`
		Card    contact.Card `json:"card"`
		Fault   string       `json:"fault,omitempty" doc:"why the card cannot be read"`
	}
	checkBody struct {
		Hash string `json:"hash" maxLength:"200" doc:"of the card that was checked"`
	}
	removal struct {
		Why   string `json:"why" minLength:"1" maxLength:"10000"`
		Erase bool   `json:"erase,omitempty" doc:"destroy every card that it ever had, too"`
	}
	exportBody struct {
		Form    string `json:"form" enum:"csv,vcard,card" doc:"card is the emergency card as text"`
		Secrets bool   `json:"secrets,omitempty" doc:"with phrases and customer numbers, which needs the right contacts"`
	}
)

// contactOperations are those of the plan's contact list.
func contactOperations(t *table) {
	o := get("/contacts", "listContacts", "List the contacts of the plan")
	o.need, o.web = auth.Reach, "GET /contacts"
	add(t, o, contacts)
	o = get("/contacts/{id}", "getContact", "Show a contact with its whole card")
	o.need, o.web = auth.Reach, "GET /contacts/{id}"
	add(t, o, func(a ask, in *numbered) (FullContact, error) {
		c, err := a.desk.ContactOf(a.actor, in.ID)
		if err != nil {
			return FullContact{}, err
		}
		return FullContact{ID: c.ID, Group: c.Group, Person: c.Person, Owner: c.Owner, Days: c.Days, Hash: c.Hash, Checked: c.Checked, Checker: c.Checker, Due: c.Due(), Removed: c.Removed, Card: c.Card, Fault: c.Fault}, nil
	})
	o = post("/contacts", "addContact", "Add a contact")
	o.need, o.web = auth.Contacts, "POST /contacts"
	add(t, o, func(a ask, in *body[contactBody]) (client.Opened, error) {
		id, err := a.desk.PutContact(a.actor, in.Body.entry(0), in.Body.Card)
		return client.Opened{ID: id}, err
	})
	o = post("/contacts/{id}", "changeContact", "Change a contact")
	o.need, o.web = auth.Contacts, "POST /contacts/{id}"
	act(t, o, func(a ask, in *numberedWith[contactBody]) error {
		if _, err := a.desk.ContactOf(a.actor, in.ID); err != nil {
			return err
		}
		x := in.Body.entry(in.ID)
		x.Hash = in.Body.Hash
		_, err := a.desk.PutContact(a.actor, x, in.Body.Card)
		return err
	})
	o = post("/contacts/{id}/check", "checkContact", "Say that a card was checked, and is right")
	o.need, o.web = auth.Contacts, "POST /contacts/{id}/check"
	act(t, o, func(a ask, in *numberedWith[checkBody]) error {
		return a.desk.CheckContact(a.actor, in.ID, in.Body.Hash)
	})
	o = post("/contacts/{id}/remove", "removeContact", "Take a contact off the list")
	o.need, o.web = auth.Contacts, "POST /contacts/{id}/remove"
	act(t, o, func(a ask, in *numberedWith[removal]) error {
		return a.desk.RemoveContact(a.actor, in.ID, in.Body.Why, in.Body.Erase)
	})
	o = post("/contacts/{id}/revoke", "revokeLinks", "Make every status link worthless that a contact has")
	o.need, o.web = auth.Inform, "POST /contacts/{id}/revoke"
	act(t, o, func(a ask, in *numberedWith[client.Reason]) error {
		return a.desk.RevokeLinks(a.actor, in.ID, in.Body.Why)
	})
	o = post("/contacts/import", "importContacts", "Say what a file of contacts (CSV, vCard) would change, or do it")
	o.need, o.web, o.most = auth.Contacts, "POST /contacts/import", 2*contact.MaxImport+1<<20
	add(t, o, importContacts)
	o = post("/contacts/export", "exportContacts", "Export the contacts, or the emergency card as text")
	o.reads = true
	o.need, o.web = auth.Reach, "GET /contacts/export, GET /contacts/card"
	add(t, o, func(a ask, in *body[exportBody]) (client.Exported, error) {
		if in.Body.Form == "card" {
			sheet, err := a.desk.Sheet(a.actor, in.Body.Secrets, a.now)
			return client.Exported{Data: sheet.Plain()}, err
		}
		b, err := a.desk.ExportContacts(a.actor, in.Body.Form, in.Body.Secrets)
		return client.Exported{Data: string(b)}, err
	})
	o = get("/contacts/card", "getCard", "Show the words of the emergency card")
	o.need = auth.Reach
	add(t, o, func(a ask, _ *none) (contact.CardText, error) {
		text, _ := a.desk.CardText()
		return text, nil
	})
	o = post("/contacts/card", "putCard", "Set the words of the emergency card")
	o.need, o.web = auth.Contacts, "POST /contacts/card"
	act(t, o, func(a ask, in *body[contact.CardText]) error { return a.desk.PutCardText(a.actor, in.Body) })
}

func (x contactBody) entry(id int64) entry.Contact {
	return entry.Contact{ID: id, Group: x.Group, Person: x.Person, Owner: x.Owner, Days: x.Days}
}

func contacts(a ask, _ *none) ([]client.Contact, error) {
	list, err := a.desk.Contacts(a.actor)
	if err != nil {
		return nil, err
	}
	out := []client.Contact{}
	for _, c := range list {
		x := client.Contact{ID: c.ID, Group: c.Group, Name: c.Card.Name, Role: c.Card.Role, Of: c.Card.Organisation, Hours: c.Card.Hours, Zone: c.Card.Zone, Languages: c.Card.Languages,
			Ways: []string{}, Checked: c.Checked.UTC().Format(time.DateOnly), Due: c.Due().UTC().Format(time.DateOnly), Overdue: c.Overdue(a.now)}
		for _, w := range c.Card.Ways {
			x.Ways = append(x.Ways, w.String())
		}
		out = append(out, x)
	}
	return out, nil
}

func importContacts(a ask, in *body[client.Importing]) (client.ImportedContacts, error) {
	x := in.Body
	p, _, err := a.desk.PreviewContacts(a.actor, []byte(x.Data), x.Group)
	if err != nil {
		return client.ImportedContacts{}, err
	}
	out := client.ImportedContacts{New: p.New, Changed: p.Changed, Same: p.Same, Refused: p.Refused, Rows: []client.ImportContact{}}
	if x.Do && p.Refused == 0 {
		if _, err := a.desk.ImportContacts(a.actor, []byte(x.Data), x.Group, -1); err != nil {
			return out, err
		}
		out.Done = true
	}
	for _, c := range p.Changes {
		row := client.ImportContact{Line: c.Line, Name: c.Card.Name, What: c.What, Fields: c.Fields}
		for _, p := range c.Wrong {
			row.Wrong = append(row.Wrong, p.Says)
		}
		out.Rows = append(out.Rows, row)
	}
	return out, nil
}

type (
	// A StakeholderWish is what a rule says.
	StakeholderWish struct {
		Group    string        `json:"group,omitempty" maxLength:"40" doc:"everybody in it,"`
		Contact  int64         `json:"contact,omitempty" doc:"or one contact"`
		Least    string        `json:"least" enum:"critical,high,medium,low" doc:"of this severity or a worse one"`
		Impacts  []string      `json:"impacts,omitempty" maxItems:"10" doc:"of one of these kinds: attempt, compromise, loss; none is every one"`
		Within   time.Duration `json:"within_ns" minimum:"0" doc:"of the opening, and of the close"`
		Every    time.Duration `json:"every_ns,omitempty" minimum:"0"`
		Close    bool          `json:"close,omitempty" doc:"at the close, too"`
		Template int64         `json:"template" doc:"number of the text"`
		Auto     bool          `json:"auto,omitempty" doc:"sent when due, without a person's look"`
	}
	// A StakeholderRule says who must hear of what by when.
	StakeholderRule struct {
		ID int64 `json:"id"`
		StakeholderWish
		By string `json:"by"`
	}
	// A Text is one for stakeholders.
	Text struct {
		ID    int64        `json:"id,omitempty" doc:"of a new one, 0"`
		Text  contact.Text `json:"text"`
		Fault string       `json:"fault,omitempty"`
	}
	// Stakeholders are rules and texts.
	Stakeholders struct {
		Rules []StakeholderRule `json:"rules"`
		Texts []Text            `json:"texts"`
	}
)

// stakeholderOperations are those of who must hear of what, and in which words.
func stakeholderOperations(t *table) {
	o := get("/stakeholders", "getStakeholders", "Show who must hear of which incidents by when, and the texts")
	o.need, o.web = auth.Reach, "GET /stakeholders"
	add(t, o, func(a ask, _ *none) (Stakeholders, error) {
		out := Stakeholders{Rules: []StakeholderRule{}, Texts: []Text{}}
		a.desk.ReadAs(a.actor, func(s *desk.State) {
			for _, r := range s.Contacts.Rules {
				if !r.Gone {
					out.Rules = append(out.Rules, StakeholderRule{r.ID, StakeholderWish{r.Group, r.Contact, r.Least, r.Impacts, r.Within, r.Every, r.Close, r.Template, r.Auto}, r.By})
				}
			}
		})
		for _, x := range a.desk.Templates() {
			out.Texts = append(out.Texts, Text{x.ID, x.Text, x.Fault})
		}
		return out, nil
	})
	o = post("/stakeholders/rules", "addStakeholderRule", "Say who must hear of which incidents by when")
	o.need, o.web = auth.Contacts, "POST /stakeholders/rules"
	act(t, o, func(a ask, in *body[StakeholderWish]) error {
		x := in.Body
		return a.desk.PutRule(a.actor, entry.StakeholderRule{Group: x.Group, Contact: x.Contact, Least: x.Least, Impacts: x.Impacts, Within: x.Within, Every: x.Every, Close: x.Close, Template: x.Template, Auto: x.Auto})
	})
	o = post("/stakeholders/links", "turnLinkKey", "Make every status link worthless that anybody has")
	o.need, o.web = auth.Inform, "POST /stakeholders/links"
	act(t, o, func(a ask, in *body[client.Reason]) error { return a.desk.TurnLinkKey(a.actor, in.Body.Why) })
	o = post("/stakeholders/texts", "putText", "Keep a text for stakeholders")
	o.need, o.web = auth.Contacts, "POST /stakeholders/texts"
	act(t, o, func(a ask, in *body[Text]) error { return a.desk.PutTemplate(a.actor, in.Body.ID, in.Body.Text) })
	o = post("/stakeholders/rules/{id}/end", "endStakeholderRule", "End a rule of stakeholders")
	o.need, o.web = auth.Contacts, "POST /stakeholders/rules/{id}/end"
	act(t, o, func(a ask, in *numbered) error { return a.desk.EndRule(a.actor, in.ID) })
	o = post("/stakeholders/texts/{id}/end", "endText", "Take a text away that no rule uses")
	o.need, o.web = auth.Contacts, "POST /stakeholders/texts/{id}/end"
	act(t, o, func(a ask, in *numbered) error { return a.desk.EndTemplate(a.actor, in.ID) })
}
