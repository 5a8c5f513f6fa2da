package web

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"tocsin/internal/desk"
	"tocsin/internal/incident"
	"tocsin/internal/tlp"
	"tocsin/ui"
)

// The page of labels: everything of an incident that can have one, and the form for each. A line of the timeline has its form on its own page, too.

func labelHref(id int64, what string) string {
	return fmt.Sprintf("/incidents/%d/label?what=%s", id, url.QueryEscape(what))
}

// labelled is the link from a thing to its label. It says the label when that is another than the incident's.
func labelled(st *desk.State, i *incident.Incident, of int64, noun string, n int64) (own ui.Label, link ui.Link) {
	what := fmt.Sprintf("%s:%d", noun, n)
	if l := st.Incidents.Label(of, what); l != st.Incidents.Label(i.ID, "") {
		own = label(l)
	}
	return own, ui.Link{Word: "Who may hear of it", Href: labelHref(of, what)}
}

func (s *Server) labels(v *visit) error {
	return s.showLabels(v, http.StatusOK, v.r.URL.Query().Get("what"), nil)
}

// showLabels shows the label of one thing with its form, or all of an incident when what is "".
func (s *Server) showLabels(v *visit, code int, what string, mistake error) error {
	id, err := number(v.r, "id")
	if err != nil {
		return err
	}
	things, err := s.desk.Labels(v.actor, id)
	if err != nil {
		return err
	}
	me := s.self(v, id)
	view := ui.LabelsView{All: ui.Link{Word: "All labels of this incident", Href: fmt.Sprintf("/incidents/%d/label", id)}}
	if what == "" {
		view.All = ui.Link{}
	}
	things = slices.DeleteFunc(things, func(x desk.LabelledThing) bool { return what != "" && (x.What != what || x.Incident != id) })
	if len(things) == 0 {
		return errMissing
	}
	s.desk.ReadAs(v.actor, func(st *desk.State) {
		i, e := st.Incidents.Get(id)
		if err = e; err != nil {
			return
		}
		view.CaseHead = s.caseHead(st, i, "")
		for _, x := range things {
			view.Rows = append(view.Rows, s.labelRow(v, st, x, id))
		}
		if what != "" && me.note {
			x := things[0]
			view.Form = []ui.Form{labelForm(fmt.Sprintf("/incidents/%d", id), what, x.Label, x.Own != "")}
		}
	})
	if err != nil {
		return err
	}
	view.Frame = s.frame(v, "incidents", fmt.Sprintf("Labels of incident %d", id))
	view.Path = fmt.Sprintf("/incidents/%d/label", id)
	if mistake != nil {
		view.Still, view.Errors = true, deedErrors(mistake, "label", "label")
		for k := range view.Form {
			view.Form[k] = view.Form[k].Again(v.r.PostForm, view.Errors)
		}
	}
	return ui.Labels.Show(v.w, code, view)
}

// labelRow words a thing with its label. A thing of another incident, which is part of this one, says so.
func (s *Server) labelRow(v *visit, st *desk.State, x desk.LabelledThing, at int64) ui.LabelRow {
	row := ui.LabelRow{Word: x.Word(), Href: labelHref(x.Incident, x.What), Label: label(x.Label), Text: ui.VisibleLines(clip(s.desk.Text(x.Text), 300))}
	if x.What == "" {
		row.Href = fmt.Sprintf("/incidents/%d", x.Incident)
	} else if n, ok := strings.CutPrefix(x.What, "note:"); ok {
		row.Href = fmt.Sprintf("/incidents/%d/moments/%s", x.Incident, n)
	}
	if x.Incident != at {
		row.Word += fmt.Sprintf(", of incident %d", x.Incident)
	}
	switch {
	case x.Own == "" && x.What != "":
		row.Says = "as the incident"
	case x.Own == "":
		row.Says = "nobody said anything: the usual one"
	default:
		row.Own, row.By, row.At, row.Why = true, s.actorName(st, x.By), v.at(x.At), ui.VisibleLines(s.desk.Text(x.Why))
		if x.Own != x.Label {
			row.Says = "it was given " + tlp.Label(x.Own).String() + "; the incident's holds, which is narrower and younger"
		}
	}
	return row
}
