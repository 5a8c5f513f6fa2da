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
	return fmt.Sprintf("/incidents/%d", st.Incidents.Root(id)) + onPage("#"+what+"-"+place(st, id, n))
}
