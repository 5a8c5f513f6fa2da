package api

import (
	"errors"
	"time"

	"tocsin/internal/auth"
	"tocsin/internal/cacao"
	"tocsin/internal/client"
	"tocsin/internal/desk"
	"tocsin/internal/playbook"
)

type diffQuery struct {
	ID   string `path:"id" maxLength:"200" doc:"its id"`
	From string `query:"from" maxLength:"64" doc:"a revision; without it, the one before"`
	To   string `query:"to" maxLength:"64" doc:"a revision, or offered; without it, the current one"`
}

type printQuery struct {
	Format string `query:"format" enum:"pdf,html,md" doc:"html, if it is not said"`
	Zone   string `query:"zone" maxLength:"64" doc:"of the times in it, as Europe/Berlin; UTC, if it is not said"`
}

// bookBody is how many bytes a request with a playbook has at most: its text, escaped as JSON.
const bookBody = 4 * playbook.MaxFile

// playbookOperations are the playbooks of the plan.
func playbookOperations(t *table) {
	o := get("/playbooks", "listPlaybooks", "List the playbooks of the plan")
	o.need = auth.See
	add(t, o, func(a ask, _ *none) ([]client.Playbook, error) {
		out := []client.Playbook{}
		for _, x := range a.desk.Playbooks() {
			out = append(out, bookOf(x))
		}
		return out, nil
	})
	o = get("/playbooks/{id}", "getPlaybook", "Show a playbook with its text and its revisions")
	o.need = auth.See
	add(t, o, func(a ask, in *named) (out client.PlaybookFile, err error) {
		history, err := a.desk.PlaybookHistory(in.ID)
		if err != nil {
			return out, err
		}
		for _, x := range a.desk.Playbooks() {
			if x.ID == in.ID {
				out.Playbook = bookOf(x)
			}
		}
		for _, h := range history {
			out.History = append(out.History, client.PlaybookRevision{Revision: h.Revision, At: h.Time, From: h.From, By: h.By, Approver: h.Approver, Why: h.Why})
		}
		text, err := a.desk.PlaybookText(history[0].Revision)
		out.Text = string(text)
		return out, err
	})
	o = get("/playbooks/{id}/diff", "diffPlaybook", "Say how two revisions of a playbook differ")
	o.need = auth.See
	add(t, o, func(a ask, in *diffQuery) ([]client.PlaybookDifference, error) {
		changes, err := a.desk.PlaybookDiff(in.ID, in.From, in.To)
		return differences(changes), err
	})
	o = post("/playbooks", "putPlaybook", "Change a playbook, or add one")
	o.need, o.most, o.about = auth.Playbooks, bookBody, "It is refused when the playbook moved on since the revision that before names."
	act(t, o, func(a ask, in *body[client.PlaybookChange]) error {
		return a.desk.PutPlaybook(a.actor, desk.PlaybookChange{Text: []byte(in.Body.Text), Before: in.Body.Before, From: "file", Why: in.Body.Why})
	})
	for _, x := range []struct {
		path, id, sum string
		do            func(*desk.Desk, auth.Actor, string, string) error
	}{{"take", "takeOffered", "Take the revision that came with the program", (*desk.Desk).TakeOffered}, {"retire", "retirePlaybook", "Say that a playbook is not begun any more", (*desk.Desk).RetirePlaybook}} {
		o = post("/playbooks/{id}/"+x.path, x.id, x.sum)
		o.need = auth.Playbooks
		act(t, o, func(a ask, in *namedWith[client.Reason]) error { return x.do(a.desk, a.actor, in.ID, in.Body.Why) })
	}
	o = post("/playbook-check", "checkPlaybook", "Say what is wrong with a playbook, and what in it is done by hand")
	o.need, o.most = auth.See, bookBody
	add(t, o, func(a ask, in *body[client.PlaybookText]) ([]client.PlaybookFinding, error) {
		out := []client.PlaybookFinding{}
		for _, f := range a.desk.CheckPlaybook("", []byte(in.Body.Text)) {
			out = append(out, client.PlaybookFinding{Line: f.Line, Column: f.Column, Says: f.Says, Warning: f.Warning})
		}
		return out, nil
	})
	o = get("/playbooks/{id}/cacao", "exportPlaybook", "Write a playbook as CACAO 2.0")
	o.need = auth.See
	add(t, o, func(a ask, in *named) (client.ExportedPlaybook, error) {
		text, findings, err := a.desk.ExportPlaybook(in.ID, "")
		return client.ExportedPlaybook{Source: string(text), Says: saysOf(findings)}, err
	})
	o = get("/plan/print", "printPlan", "Write the whole plan as one document: cover, contents, contacts, roles, playbooks, glossary, revision history")
	o.need, o.web, o.about = auth.See, "GET /plan/print", "How people and contacts are reached stands in it for those who have the right reach."
	add(t, o, func(a ask, in *printQuery) (out client.PrintedPlan, err error) {
		zone := time.UTC
		if in.Zone != "" {
			if zone, err = time.LoadLocation(in.Zone); err != nil {
				return out, desk.FieldError{Field: "zone", Says: "No zone has that name; an example is Europe/Berlin."}
			}
		}
		x, err := a.desk.PrintPlan(a.actor, in.Format, zone)
		return client.PrintedPlan{Name: x.Name, Type: x.Type, Bytes: x.Bytes}, err
	})
	o = post("/playbooks/cacao", "importPlaybook", "Take a file of CACAO 2.0 over as a playbook")
	o.need, o.most = auth.Playbooks, bookBody
	add(t, o, func(a ask, in *body[client.ForeignPlaybook]) (client.TakenOver, error) {
		id, findings, err := a.desk.ImportPlaybook(a.actor, []byte(in.Body.Source), in.Body.Why)
		out := client.TakenOver{ID: id, Says: saysOf(findings)}
		if w, ok := errors.AsType[desk.Asked](err); ok { // what was taken over otherwise is said, too
			out.Waits, err = w.ID, nil
		}
		return out, err
	})
}

func saysOf(findings []cacao.Finding) []string {
	out := []string{}
	for _, f := range findings {
		out = append(out, f.String())
	}
	return out
}

func bookOf(x desk.PlaybookRow) client.Playbook {
	return client.Playbook{ID: x.ID, Title: x.Title, Summary: x.Summary, Owner: x.Owner, Revision: x.Revision, From: x.From, By: x.By, Approver: x.Approver, Changed: x.Changed, Revisions: x.Revisions,
		Retired: x.Retired, Offered: x.Offered, Waits: x.Waits}
}

// differences are those of two revisions of a playbook.
func differences(all []playbook.Change) []client.PlaybookDifference {
	out := []client.PlaybookDifference{}
	for _, c := range all {
		x := client.PlaybookDifference{Kind: c.Kind, Of: c.Of, ID: c.ID, What: c.What}
		for _, f := range c.Fields {
			x.Fields = append(x.Fields, client.PlaybookFields{Name: f.Name, From: f.From, To: f.To})
		}
		out = append(out, x)
	}
	return out
}
