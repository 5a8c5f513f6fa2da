package web

import (
	"fmt"
	"strings"

	"tocsin/internal/desk"
	"tocsin/internal/incident"
)

// The pages of an incident show what people wrote of it and of what is part of it. A number of its own stands as it is; one of a part has the part's number before
// it, 2-7, in anchors and in ids of forms.

// each collects a noun of an incident and of those that are one with it: its own first.
func each[T any](st *desk.State, i *incident.Incident, of func(*incident.Command) []T) (out []T) {
	for _, p := range st.Incidents.Parts(i.ID) {
		out = append(out, of(p.Command())...)
	}
	return out
}

// place is how a page names number n of an incident.
func place(st *desk.State, id, n int64) string {
	if st.Incidents.Root(id) == id {
		return fmt.Sprint(n)
	}
	return fmt.Sprintf("%d-%d", id, n)
}

// ofPart puts the number of a part into what ends in a number of it: answer-7 is answer-2-7 of incident 2. Runs are numbered over all incidents, and stay.
func ofPart(form string, id int64) string {
	k := strings.LastIndex(form, "-")
	if k < 0 || strings.Trim(form[k+1:], "0123456789") != "" || strings.HasPrefix(form, "stop-") || strings.HasPrefix(form, "move-") || strings.HasPrefix(form, "switch-") {
		return form
	}
	return fmt.Sprintf("%s-%d%s", form[:k], id, form[k:])
}

// atRoot is the incident whose page is shown after something was done to another that may be part of it, and the form's id there.
func (s *Server) atRoot(v *visit, id int64, form string) (root int64, there string) {
	root = id
	s.desk.ReadAs(v.actor, func(st *desk.State) { root = st.Incidents.Root(id) })
	if root != id {
		form = ofPart(form, id)
		v.r.SetPathValue("id", fmt.Sprint(root))
	}
	return root, form
}

// workHref leads to a task, question or hand-over: to the page of the incident as which its own is worked on, and there to the page of what is open that has it.
func workHref(st *desk.State, what string, id, n int64) string {
	root := st.Incidents.Root(id)
	at := fmt.Sprintf("/incidents/%d", root)
	page := 1
	if i, err := st.Incidents.Get(root); err == nil {
		switch what {
		case incident.Tasked:
			page = openPage(each(st, i, func(c *incident.Command) []incident.Task { return c.Tasks }), (*incident.Task).Open, func(t *incident.Task) bool { return t.Incident == id && t.ID == n })
		case incident.Asked:
			page = openPage(each(st, i, func(c *incident.Command) []incident.Question { return c.Questions }), (*incident.Question).Open, func(q *incident.Question) bool { return q.Incident == id && q.ID == n })
		case incident.Given:
			page = openPage(each(st, i, func(c *incident.Command) []incident.Handover { return c.Handovers }), func(h *incident.Handover) bool { return h.Taken == nil }, func(h *incident.Handover) bool { return h.Incident == id && h.ID == n })
		}
	}
	if page > 1 {
		at += fmt.Sprintf("?open=%d", page)
	}
	return at + "#" + what + "-" + place(st, id, n)
}

// openPage is the page of what is open, from 1, on which openFirst has one of a list.
func openPage[T any](all []T, open, is func(*T) bool) int {
	before := 0
	for k := len(all) - 1; k >= 0; k-- {
		switch {
		case is(&all[k]):
			return before/eachShown + 1
		case open(&all[k]):
			before++
		}
	}
	return 1
}
