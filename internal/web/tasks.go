package web

import (
	"fmt"
	"net/http"

	"tocsin/internal/desk"
	"tocsin/internal/plan"
	"tocsin/ui"
)

// What a page of one's tasks has.
const (
	tasksShown = 50
	tasksMost  = 2000
)

// tasks shows what the reader has to do in every incident.
func (s *Server) tasks(v *visit) error {
	page := pageOf(v)
	work, all := s.desk.MyWork(v.actor, min((page+1)*tasksShown, tasksMost))
	view := ui.TasksView{Frame: s.frame(v, "tasks", "My tasks"), Pager: pager(v, page, tasksShown, min(all, tasksMost))}
	late := 0
	s.desk.ReadAs(v.actor, func(st *desk.State) {
		for _, w := range work[min(page*tasksShown, len(work)):] {
			if w.Late {
				late++
			}
			at := fmt.Sprintf("/incidents/%d", w.Incident)
			where := ui.Link{Word: fmt.Sprintf("Incident %d: %s", w.Incident, w.Title), Href: at}
			switch w.What {
			case "step", "approval":
				c := ui.StepCard{Href: fmt.Sprintf("%s/steps/%d/%s", at, w.ID, w.Step), What: w.Text, Why: where.Word, Role: plan.RoleWord(w.Role), State: ui.State{Tone: "late", Word: "to do"}, Due: v.at(w.Due), Late: w.Late, Button: "Do this step"}
				if w.What == "approval" {
					c.State.Word, c.Button = "asks for your agreement", "Agree or refuse"
				}
				view.Steps = append(view.Steps, c)
			default:
				row := ui.TaskRow{ID: fmt.Sprintf("%s-%d-%d", w.What, w.Incident, w.ID), Incident: where, Text: ui.Visible(w.Text), Who: plan.RoleWord(w.Role), Due: v.at(w.Due), Late: w.Late, Since: v.at(w.Since), Href: at + onPage("#"+w.What+"-"+place(st, w.Incident, w.ID)),
					State: ui.State{Tone: "late", Word: map[string]string{"task": "to do", "question": "question to answer", "handover": "hand-over to take"}[w.What]}}
				view.Rows = append(view.Rows, row)
			}
		}
	})
	if len(view.Steps) > 0 {
		view.Steps[0].Main, view.Steps[0].Next = true, true
	}
	if late > 0 {
		view.Late = ui.Plural(int64(late), "is late.", "are late.")
	}
	return ui.Tasks.Show(v.w, http.StatusOK, view)
}
