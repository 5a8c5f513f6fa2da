package web

import (
	"fmt"
	"net/http"

	"tocsin/internal/desk"
	"tocsin/internal/detect"
	"tocsin/internal/incident"
	"tocsin/ui"
)

// A page shows the first of each list, so that a storm cannot make it long, and a link to all of them: namedShown on a page of their own.
const (
	partiesShown = 15
	namedShown   = 50
)

// parties are the tables of who some alerts name, of an incident or an alert whose page is at.
func (s *Server) parties(v *visit, list []alertDetails, of, at string) (out []ui.PartyTable) {
	var sum desk.Sum
	for k := range list {
		sum.Add(&list[k].state, &list[k].full)
	}
	all := sum.Named()
	for _, key := range []string{"addresses", "accounts", "sessions"} {
		rows, _ := all.List(key)
		if len(rows) == 0 {
			continue
		}
		t := ui.PartyTable{Key: key, Of: of, Rows: s.partyRows(v, key, rows[:min(len(rows), partiesShown)]), Count: ui.Number(int64(len(rows)))}
		if len(rows) > partiesShown {
			t.All = ui.Link{Word: "All " + t.Count, Href: at + "?list=" + key}
		}
		out = append(out, t)
	}
	return out
}

// partyRows words the rows of a list by its name.
func (s *Server) partyRows(v *visit, key string, rows []desk.Seen) (out []ui.Party) {
	for _, x := range rows {
		p := ui.Party{Name: ui.Visible(x.Name), Role: string(x.Role), Country: x.Country, Realm: x.Realm, Own: x.Own, Shared: x.Shared, First: v.at(x.First), Last: v.at(x.Last)}
		if key != "sessions" {
			p.Count = ui.Number(x.Count)
		}
		if key == "accounts" {
			p.Habit = s.habitHref(x.Party)
		}
		out = append(out, p)
	}
	return out
}

// namedByIncident lists all addresses, accounts or sessions of an incident.
func (s *Server) namedByIncident(v *visit, list string) error {
	id, err := number(v.r, "id")
	if err != nil {
		return err
	}
	all, err := s.desk.Named(v.actor, id)
	if err != nil {
		return err
	}
	view := ui.NamedView{Over: ui.Link{Word: fmt.Sprintf("Incident %d", id), Href: fmt.Sprintf("/incidents/%d", id)}}
	if all.Alerts < all.Of {
		view.Note = fmt.Sprintf("Of the newest %s of its %s alerts.", ui.Number(int64(all.Alerts)), ui.Number(int64(all.Of)))
	}
	return s.showNamed(v, "incidents", fmt.Sprintf("incident %d", id), list, all, view)
}

// namedByAlert lists all that an alert names.
func (s *Server) namedByAlert(v *visit, list string) error {
	var a incident.Alert
	s.desk.ReadAs(v.actor, func(st *desk.State) {
		if x := st.Incidents.Alerts[v.r.PathValue("id")]; x != nil {
			a = *x
		}
	})
	if a.ID == "" {
		return errMissing
	}
	full, err := s.desk.Details(a.Vault)
	view := ui.NamedView{Over: ui.Link{Word: "Alert: " + a.Title, Href: "/alerts/" + a.ID}}
	if err != nil {
		view.Note, full = sentence(err), detect.Alert{}
	}
	var sum desk.Sum
	sum.Add(&a, &full)
	return s.showNamed(v, "alerts", "an alert", list, sum.Named(), view)
}

func (s *Server) showNamed(v *visit, part, of, list string, all desk.Named, view ui.NamedView) error {
	rows, ok := all.List(list)
	if !ok {
		return errMissing
	}
	page := pageOf(v)
	view.Pager = pager(v, page, namedShown, len(rows))
	rows = rows[min(page*namedShown, len(rows)):]
	view.Table = ui.PartyTable{Key: list, Of: map[string]string{"incidents": "incident", "alerts": "alert"}[part], Rows: s.partyRows(v, list, rows[:min(len(rows), namedShown)])}
	view.Frame = s.frame(v, part, view.Table.Title()+" of "+of)
	return ui.Named.Show(v.w, http.StatusOK, view)
}
