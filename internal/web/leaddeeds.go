package web

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"tocsin/internal/desk"
	"tocsin/ui"
)

// deed does one thing of a form on an incident's page, whose id the form's begins, and shows the page again: with a notice, at the place, or with the mistake
// and all that was typed.
func (s *Server) deed(v *visit, form, key, place string, do func(id int64) error) error {
	id, err := number(v.r, "id")
	if err != nil {
		return err
	}
	err = do(id)
	id, form = s.atRoot(v, id, form)
	if err != nil {
		if known(err) {
			return err
		}
		return s.showIncident(v, http.StatusUnprocessableEntity, form, err)
	}
	return done(v, fmt.Sprintf("/incidents/%d", id), key+place)
}

// second reads the number behind the incident's in a path.
func (v *visit) second() int64 {
	n, err := strconv.ParseInt(v.r.PathValue("n"), 10, 64)
	if err != nil || n < 1 {
		return 0
	}
	return n
}

// seen is the entry that the person looked at when they began to type.
func (v *visit) seen() int64 {
	n, _ := strconv.ParseInt(v.r.PostFormValue("seen"), 10, 64)
	return n
}

// deedErrors names the fields of a form by its id. A mistake without a field stands at the form's first.
func deedErrors(mistake error, form, first string) ui.Errors {
	if o, ok := errors.AsType[*desk.Overtaken](mistake); ok {
		says := sentence(o)
		if o.First != "" {
			says += " It says: “" + clip(o.First, 300) + "”"
		}
		if o.Yours != "" {
			says += " Your text stands below as you typed it."
		}
		return ui.Errors{{Field: form + "-" + first, Says: says}}
	}
	es := fieldErrors(mistake)
	for k := range es {
		if es[k].Field == "" {
			es[k].Field = first
		}
		es[k].Field = form + "-" + es[k].Field
	}
	return es
}

// clip is as much of a text as a message shows.
func clip(s string, letters int) string {
	if r := []rune(s); len(r) > letters {
		return string(r[:letters-1]) + "…"
	}
	return s
}

// putBack finds the form of an incident's page that was wrong, opens it, and puts back what was typed; it reports whether it was there.
func putBack(l *ui.Lead, v *visit, form string, mistake error) (es ui.Errors, found bool) {
	if n, ok := strings.CutPrefix(form, "choose-"); ok {
		if _, late := errors.AsType[*desk.Overtaken](mistake); late {
			form = "anew-" + n // it is decided: the form that chooses is gone, and what was typed goes into the one that replaces
		}
	}
	put := func(f *ui.Form) bool {
		if f.ID != form || found {
			return false
		}
		found = true
		first := ""
		if len(f.Fields) > 0 {
			first = f.Fields[0].Name
		}
		es = deedErrors(mistake, form, first)
		*f = f.Again(v.r.PostForm, es)
		return true
	}
	folds := [][]ui.Fold{l.State, l.Labels, l.Begin, l.Deciding, l.Asking, l.Handing, l.Tasking, l.Watch.Folds}
	for k := range l.Runs {
		folds = append(folds, l.Runs[k].Folds)
	}
	for k := range l.Decisions {
		folds = append(folds, l.Decisions[k].Choose, l.Decisions[k].Folds)
	}
	for k := range l.Questions {
		folds = append(folds, l.Questions[k].Folds)
	}
	for k := range l.Tasks {
		folds = append(folds, l.Tasks[k].Folds)
		for j := range l.Tasks[k].Done {
			put(&l.Tasks[k].Done[j])
		}
	}
	for k := range l.Handovers {
		for j := range l.Handovers[k].Take {
			put(&l.Handovers[k].Take[j])
		}
		folds = append(folds, l.Handovers[k].Folds)
	}
	for _, list := range folds {
		for k := range list {
			if put(&list[k].Form) {
				list[k].Open = true
			}
		}
	}
	return es, found
}

func (s *Server) state(v *visit) error {
	return s.deed(v, "state", "stated", "", func(id int64) error { return s.desk.State(v.actor, id, v.seen(), text(v.r, "text")) })
}

func (s *Server) setScope(v *visit) error {
	return s.deed(v, "scope-again", "scope", "", func(id int64) error {
		return s.desk.SetScope(v.actor, id, text(v.r, "value"), text(v.r, "reason"))
	})
}

func (s *Server) looked(v *visit) error {
	return s.deed(v, "seen", "seen", "", func(id int64) error { s.desk.Looked(v.actor, id, v.seen()); return nil })
}

func (s *Server) beginRun(v *visit) error {
	return s.deed(v, "begin", "begun", "", func(id int64) error {
		_, err := s.desk.BeginRun(v.actor, id, text(v.r, "playbook"))
		return err
	})
}

// ofRun checks that a run is the incident's: the right to it was asked for that incident.
func (s *Server) ofRun(v *visit, id, run int64) error {
	err := errMissing
	s.desk.ReadAs(v.actor, func(st *desk.State) {
		if r, e := st.Runs.Get(run); e == nil && r.Incident == id {
			err = nil
		}
	})
	return err
}

func (s *Server) stopRun(v *visit) error {
	return s.deed(v, fmt.Sprintf("stop-%d", v.second()), "stopped", "", func(id int64) error {
		if err := s.ofRun(v, id, v.second()); err != nil {
			return err
		}
		return s.desk.StopRun(v.actor, v.second(), text(v.r, "reason"))
	})
}

func (s *Server) moveRun(v *visit) error {
	return s.deed(v, fmt.Sprintf("move-%d", v.second()), "moved", "", func(id int64) error {
		if err := s.ofRun(v, id, v.second()); err != nil {
			return err
		}
		return s.desk.MoveRun(v.actor, v.second(), text(v.r, "to"), text(v.r, "reason"))
	})
}

// lines are the lines of a field that are not empty.
func lines(v *visit, field string) (out []string) {
	for l := range strings.Lines(text(v.r, field)) {
		if l = strings.TrimSpace(l); l != "" {
			out = append(out, l)
		}
	}
	return out
}

// askDecision asks for a decision, or writes one down that was made.
func (s *Server) askDecision(v *visit) error {
	if v.r.PostFormValue("made") == "yes" {
		return s.deed(v, "log", "decided", "#decisions", func(id int64) error {
			if text(v.r, "chosen") == "" {
				return desk.FieldError{Field: "chosen", Says: "Say what was decided."}
			}
			_, err := s.desk.LogDecision(v.actor, id, desk.DecisionAsk{Question: text(v.r, "text"), Options: append([]string{text(v.r, "chosen")}, lines(v, "options")...)}, 1, text(v.r, "reason"))
			return err
		})
	}
	return s.deed(v, "ask", "decision-asked", "#decisions", func(id int64) error {
		_, err := s.desk.AskDecision(v.actor, id, desk.DecisionAsk{Question: text(v.r, "text"), Options: lines(v, "options")})
		return err
	})
}

func (s *Server) choose(v *visit) error {
	n := v.second()
	option, _ := strconv.Atoi(text(v.r, "option"))
	form := fmt.Sprintf("choose-%d", n)
	return s.deed(v, form, "decided", "#decisions", func(id int64) error {
		if option == 0 {
			return desk.FieldError{Field: "option", Says: "Choose what you decide."}
		}
		return s.desk.Choose(v.actor, id, n, v.seen(), option, text(v.r, "reason"))
	})
}

// chooseAnew lets another choice take the place of one that was made.
func (s *Server) chooseAnew(v *visit) error {
	n := v.second()
	option, _ := strconv.Atoi(text(v.r, "option"))
	return s.deed(v, fmt.Sprintf("anew-%d", n), "decided", "#decisions", func(id int64) error {
		x := desk.DecisionAsk{Replaces: n}
		err := errMissing
		s.desk.ReadAs(v.actor, func(st *desk.State) {
			if i, e := st.Incidents.Get(id); e == nil && n >= 1 && n <= int64(len(i.Command().Decisions)) {
				d := i.Command().Decisions[n-1]
				x.Question, err = s.desk.Text(d.Text), nil
				for _, o := range d.Options {
					x.Options = append(x.Options, s.desk.Text(o))
				}
			}
		})
		switch {
		case err != nil:
			return err
		case option == 0:
			return desk.FieldError{Field: "option", Says: "Choose what you decide."}
		}
		_, err = s.desk.LogDecision(v.actor, id, x, option, text(v.r, "reason"))
		return err
	})
}

func (s *Server) withdrawDecision(v *visit) error {
	n := v.second()
	return s.deed(v, fmt.Sprintf("undecide-%d", n), "withdrawn", "#decisions", func(id int64) error {
		return s.desk.WithdrawDecision(v.actor, id, n, v.seen(), text(v.r, "reason"))
	})
}

func (s *Server) askQuestion(v *visit) error {
	return s.deed(v, "question", "question-asked", "#questions", func(id int64) error {
		_, err := s.desk.AskQuestion(v.actor, id, text(v.r, "role"), text(v.r, "text"))
		return err
	})
}

func (s *Server) answerQuestion(v *visit) error {
	n := v.second()
	return s.deed(v, fmt.Sprintf("answer-%d", n), "question-answered", "#questions", func(id int64) error { return s.desk.AnswerQuestion(v.actor, id, n, text(v.r, "text")) })
}

func (s *Server) withdrawQuestion(v *visit) error {
	n := v.second()
	return s.deed(v, fmt.Sprintf("unask-%d", n), "withdrawn", "#questions", func(id int64) error { return s.desk.WithdrawQuestion(v.actor, id, n, text(v.r, "reason")) })
}

// handOver hands all roles that one holds to the next shift.
func (s *Server) handOver(v *visit) error {
	return s.deed(v, "shift", "handed", "#handovers", func(id int64) error {
		var held []string
		s.desk.ReadAs(v.actor, func(st *desk.State) {
			if i, err := st.Incidents.Get(id); err == nil {
				held = i.RolesOf(v.actor.ID)
			}
		})
		_, err := s.desk.HandOver(v.actor, id, text(v.r, "to"), held, text(v.r, "text"))
		return err
	})
}

func (s *Server) takeOver(v *visit) error {
	n := v.second()
	return s.deed(v, fmt.Sprintf("take-%d", n), "taken-over", "", func(id int64) error { return s.desk.TakeOver(v.actor, id, n, text(v.r, "text")) })
}

func (s *Server) correctHandover(v *visit) error {
	n := v.second()
	return s.deed(v, fmt.Sprintf("rehand-%d", n), "handed", "#handovers", func(id int64) error {
		_, err := s.desk.CorrectHandover(v.actor, id, n, text(v.r, "to"), text(v.r, "text"))
		return err
	})
}

func (s *Server) withdrawHandover(v *visit) error {
	n := v.second()
	return s.deed(v, fmt.Sprintf("unhand-%d", n), "withdrawn", "#handovers", func(id int64) error { return s.desk.WithdrawHandover(v.actor, id, n, text(v.r, "reason")) })
}

// typedTask reads the fields of a task.
func (v *visit) typedTask() (desk.TaskAsk, error) {
	x := desk.TaskAsk{Title: text(v.r, "title")}
	if id, ok := strings.CutPrefix(text(v.r, "who"), "person:"); ok {
		x.Person = id
	} else {
		x.Role = strings.TrimPrefix(text(v.r, "who"), "role:")
	}
	var err error
	x.Due, err = v.when("due", text(v.r, "due"), true)
	return x, err
}

func (s *Server) addTask(v *visit) error {
	return s.deed(v, "task", "task", "#tasks", func(id int64) error {
		x, err := v.typedTask()
		if err == nil {
			_, err = s.desk.AddTask(v.actor, id, x)
		}
		return err
	})
}

func (s *Server) changeTask(v *visit) error {
	n := v.second()
	return s.deed(v, fmt.Sprintf("change-%d", n), "task", "#tasks", func(id int64) error {
		x, err := v.typedTask()
		if err == nil {
			err = s.desk.ChangeTask(v.actor, id, n, v.seen(), x, text(v.r, "reason"))
		}
		return err
	})
}

func (s *Server) finishTask(v *visit) error {
	n := v.second()
	return s.deed(v, fmt.Sprintf("done-%d", n), "task-done", "#tasks", func(id int64) error { return s.desk.FinishTask(v.actor, id, n, text(v.r, "text")) })
}

func (s *Server) dropTask(v *visit) error {
	n := v.second()
	return s.deed(v, fmt.Sprintf("drop-%d", n), "task", "#tasks", func(id int64) error { return s.desk.DropTask(v.actor, id, n, text(v.r, "reason")) })
}

// setLabel labels an incident or a thing in it.
func (s *Server) setLabel(v *visit) error {
	what := text(v.r, "what")
	id, err := number(v.r, "id")
	if err != nil {
		return err
	}
	if err := s.desk.SetLabel(v.actor, id, what, text(v.r, "label"), text(v.r, "reason")); err != nil {
		if known(err) {
			return err
		}
		if n, ok := strings.CutPrefix(what, "note:"); ok {
			v.r.SetPathValue("n", n)
			return s.showLineOf(v, http.StatusUnprocessableEntity, "label", err)
		}
		if what != "" {
			return s.showLabels(v, http.StatusUnprocessableEntity, what, err)
		}
		return s.showIncident(v, http.StatusUnprocessableEntity, "label", err)
	}
	if n, ok := strings.CutPrefix(what, "note:"); ok {
		return done(v, fmt.Sprintf("/incidents/%d/moments/%s", id, n), "labelled")
	}
	if what != "" {
		return done(v, labelHref(id, what), "labelled")
	}
	return done(v, fmt.Sprintf("/incidents/%d", id), "labelled")
}

// firstWords is what another person wrote meanwhile, when a mistake is that.
func firstWords(mistake error) (out []ui.Text) {
	o, ok := errors.AsType[*desk.Overtaken](mistake)
	if !ok {
		return nil
	}
	for l := range strings.Lines(o.First) {
		out = append(out, ui.Visible(strings.TrimSpace(l)))
	}
	return out
}
