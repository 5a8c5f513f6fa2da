package api

import (
	"net/http"
	"time"

	"tocsin/internal/client"
	"tocsin/internal/contact"
	"tocsin/internal/desk"
)

// contactRoutes are the routes of the plan's contact list.
func contactRoutes(d *desk.Desk) []route {
	return []route{
		{"GET /v1/contacts", func(_ http.ResponseWriter, r *http.Request) (any, error) { return contacts(d, r) }},
		{"POST /v1/contacts/import", func(w http.ResponseWriter, r *http.Request) (any, error) { return importContacts(d, w, r) }},
		{"POST /v1/contacts/export", func(w http.ResponseWriter, r *http.Request) (any, error) { return exportContacts(d, w, r) }},
	}
}

func contacts(d *desk.Desk, r *http.Request) ([]client.Contact, error) {
	actor, err := actorOf(d, r.URL.Query().Get("person"))
	if err != nil {
		return nil, err
	}
	list, err := d.Contacts(actor)
	if err != nil {
		return nil, err
	}
	now, out := time.Now(), []client.Contact{}
	for _, c := range list {
		x := client.Contact{ID: c.ID, Group: c.Group, Name: c.Card.Name, Role: c.Card.Role, Of: c.Card.Organisation, Hours: c.Card.Hours, Zone: c.Card.Zone, Languages: c.Card.Languages,
			Ways: []string{}, Checked: c.Checked.UTC().Format(time.DateOnly), Due: c.Due().UTC().Format(time.DateOnly), Overdue: c.Overdue(now)}
		for _, w := range c.Card.Ways {
			x.Ways = append(x.Ways, w.String())
		}
		out = append(out, x)
	}
	return out, nil
}

func importContacts(d *desk.Desk, w http.ResponseWriter, r *http.Request) (client.ImportedContacts, error) {
	var x client.Importing
	if err := read(w, r, 2*contact.MaxImport+1<<20, &x); err != nil {
		return client.ImportedContacts{}, err
	}
	actor, err := actorOf(d, x.Person)
	if err != nil {
		return client.ImportedContacts{}, err
	}
	p, _, err := d.PreviewContacts(actor, []byte(x.Data), x.Group)
	if err != nil {
		return client.ImportedContacts{}, err
	}
	out := client.ImportedContacts{New: p.New, Changed: p.Changed, Same: p.Same, Refused: p.Refused, Rows: []client.ImportContact{}}
	if x.Do && p.Refused == 0 {
		if _, err := d.ImportContacts(actor, []byte(x.Data), x.Group, -1); err != nil {
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

func exportContacts(d *desk.Desk, w http.ResponseWriter, r *http.Request) (client.Exported, error) {
	var x struct {
		Form    string `json:"form"`
		Secrets bool   `json:"secrets"`
		Person  string `json:"person"`
	}
	actor, err := readFrom(d, w, r, &x, &x.Person)
	if err != nil {
		return client.Exported{}, err
	}
	if x.Form == "card" {
		now := time.Now()
		sheet, err := d.Sheet(actor, x.Secrets, now)
		return client.Exported{Data: sheet.Plain()}, err
	}
	b, err := d.ExportContacts(actor, x.Form, x.Secrets)
	return client.Exported{Data: string(b)}, err
}
