package web

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"tocsin/internal/desk"

	"tocsin/internal/incident"
	"tocsin/internal/plan"
	"tocsin/internal/playbook"
	"tocsin/ui"
)

func (s *Server) step(v *visit) error { return s.showStep(v, http.StatusOK, "", nil) }

// findStep finds the step that a path names; it must be the incident's.
func findStep(v *visit, st *desk.State, id int64) (*incident.Incident, working, error) {
	i, err := st.Incidents.Get(st.Incidents.Root(id))
	if err != nil {
		return nil, working{}, err
	}
	r, err := st.Runs.Get(v.second())
	if err != nil || st.Incidents.Root(r.Incident) != i.ID {
		return nil, working{}, errMissing
	}
	for _, x := range r.Look(v.now) {
		if x.ID == v.r.PathValue("step") {
			return i, working{r, i.ID, x}, nil
		}
	}
	return nil, working{}, errMissing
}

// showStep shows one step with what its reader can do; form names the one that comes back with a mistake.
func (s *Server) showStep(v *visit, code int, form string, mistake error) error {
	id, err := number(v.r, "id")
	if err != nil {
		return err
	}
	me := s.self(v, id)
	built := s.desk.BuiltActions()
	view := ui.StepView{ID: fmt.Sprint(id)}
	title, path, files := "", "", []exhibit(nil)
	var asked []playbook.Fact
	wants := false
	s.desk.ReadAs(v.actor, func(st *desk.State) {
		_, w, e := findStep(v, st, id)
		wants = e == nil && len(w.Evidence)+len(w.Mark.Evidence) > 0
	})
	if wants {
		files = s.exhibits(v, id)
	}
	s.desk.ReadAs(v.actor, func(st *desk.State) {
		i, w, e := findStep(v, st, id)
		if e != nil {
			err = e
			return
		}
		title, path = w.What, w.href()
		for _, f := range w.Asks {
			if b := w.run.Book(); b != nil {
				if x, ok := b.Fact(f); ok {
					asked = append(asked, x)
				}
			}
		}
		s.fillStep(v, st, i, w, files, me, built, &view)
	})
	if err != nil {
		return err
	}
	view.Frame = s.frame(v, "incidents", title)
	view.Path = path
	if mistake != nil {
		view.Still = true
		view.Errors = s.stepMistake(v, id, &view, asked, form, mistake)
	}
	return ui.StepPage.Show(v.w, code, view)
}

// stepMistake puts back what was typed into the form that was wrong; asked are the questions of the step.
func (s *Server) stepMistake(v *visit, id int64, view *ui.StepView, asked []playbook.Fact, form string, mistake error) ui.Errors {
	put := func(f *ui.Form) ui.Errors {
		first := "reason"
		if len(f.Fields) > 0 {
			first = f.Fields[0].Name
		}
		es := deedErrors(mistake, form, first)
		*f = f.Again(v.r.PostForm, es)
		return es
	}
	for k := range view.Main {
		if view.Main[k].ID == form {
			return put(&view.Main[k])
		}
	}
	for k := range view.Folds {
		if f := &view.Folds[k]; f.Form.ID == form {
			f.Open = true
			return put(&f.Form)
		}
	}
	es := fieldErrors(mistake) // the form is gone, because somebody else settled the step
	for k := range es {
		es[k].Field = ""
	}
	if typed := stepTyped(v, asked); typed != "" {
		view.Folds = append(view.Folds, keptNote(id, typed))
	}
	return es
}

// stepTyped is all that was typed into a form of a step, in words: the answers with their questions, and the texts.
func stepTyped(v *visit, asked []playbook.Fact) string {
	var out []string
	say := func(front, said string) {
		if said != "" {
			out = append(out, front+said)
		}
	}
	for _, f := range asked {
		for _, field := range []string{"fact." + f.ID, "value"} {
			if field == "value" && text(v.r, "fact") != f.ID {
				continue
			}
			said := text(v.r, field)
			if slices.Contains(f.Of, said) {
				said = desk.FactWord(said)
			}
			say(f.Ask+" ", said)
		}
	}
	say("Without the evidence, because: ", text(v.r, "without"))
	say("", text(v.r, "text"))
	say("", text(v.r, "reason"))
	return strings.Join(out, "\n")
}

// keptNote gives what was typed into a form that is gone back, to be kept as a note of the incident.
func keptNote(id int64, typed string) ui.Fold {
	return ui.Fold{Summary: "What you typed", Open: true, Form: ui.Form{ID: "kept", Action: fmt.Sprintf("/incidents/%d/note", id), Button: "Keep it as a note", Fields: []ui.Field{{Name: "note", Kind: "lines", Label: "Note", Value: typed, Need: true, Most: 10000}}}}
}

// fillStep words a step.
func (s *Server) fillStep(v *visit, st *desk.State, i *incident.Incident, w working, files []exhibit, me oneself, built []string, view *ui.StepView) {
	view.Severity, view.Incident, view.State = ui.Severity(i.Severity), i.Title, s.stepState(v, st, w.Status)
	all := w.run.Look(v.now)
	k := slices.IndexFunc(all, func(x playbook.Status) bool { return x.ID == w.ID })
	view.Place = fmt.Sprintf("Step %d of %d · %s", k+1, len(all), playbook.PhaseWord(w.Phase))
	if len(w.Branches) > 0 {
		view.Place += " · " + strings.Join(w.Branches, ", ")
	}
	view.Book = ui.Link{Word: w.run.Playbook, Href: "/plan/" + w.run.Playbook + "?revision=" + w.run.Revision}
	if b := w.run.Book(); b != nil {
		view.Book.Word = b.Title
	}
	view.Role = plan.RoleWord(w.Role)
	if p, gap := i.Roles[w.Role].Held(desk.CanHold(st, i.ID)); !gap {
		view.Holder = s.name(st, p)
	}
	if w.Person != "" {
		view.Doer = s.name(st, w.Person)
	}
	view.What, view.Why, view.How, view.Done = w.What, w.Why, ui.NewProse(w.How), w.Step.Done
	if !playbook.Settled(w.State) {
		view.Due, view.Late = v.at(w.Due), w.Late
	} else {
		view.At = v.at(w.Mark.At)
	}
	for _, need := range w.WaitsFor {
		if b := w.run.Book(); b != nil && b.Step(need) != nil {
			view.Waits = append(view.Waits, ui.Link{Word: b.Step(need).What, Href: fmt.Sprintf("/incidents/%d/steps/%d/%s", i.ID, w.run.ID, need)})
		}
	}
	if w.Action != nil {
		view.Action = s.actionOf(i, w.Action.Do, built)
	}
	if w.Approve != "" {
		view.Agree = "The " + plan.RoleWord(w.Approve) + " must agree before it is done."
		if w.Mark.Approved != "" {
			view.Agree = s.name(st, w.Mark.Approved) + " agreed, as " + plan.RoleWord(w.Approve) + "."
		}
	}
	s.fillEvidence(st, w, files, view)
	if w.Mark.Text != "" {
		view.Result = ui.VisibleLines(s.desk.Text(w.Mark.Text))
	}
	for _, d := range slices.Backward(w.run.History) {
		if d.Step == w.ID {
			view.Moments = append(view.Moments, ui.Moment{Icon: "check", Tone: "off", Learned: v.at(d.Time), Who: s.doerName(st, d.By), Says: desk.Title(kindWords(d.Kind)), Note: ui.VisibleLines(s.desk.Text(d.Text))})
		}
	}
	s.stepForms(v, st, i, w, files, me, view)
	settled := playbook.Settled(w.State) || len(view.Main) == 0
	if settled {
		view.Asks = s.answers(v, st, w)
		if open := mine(st.RunsOf(i.ID), i.ID, me, v.actor.ID, v.now); len(open) > 0 && !i.Closed {
			view.Onward = ui.Link{Word: "Your next step: " + open[0].What, Href: open[0].href()}
		} else {
			view.Onward = ui.Link{Word: "Back to the incident", Href: fmt.Sprintf("/incidents/%d", i.ID)}
		}
	}
}

// answers are the questions of a step, as they are answered.
func (s *Server) answers(v *visit, st *desk.State, w working) (out []ui.AnswerRow) {
	b := w.run.Book()
	for _, id := range w.Asks {
		f, ok := b.Fact(id)
		if !ok {
			continue
		}
		a := w.run.Answer(id)
		row := ui.AnswerRow{Ask: f.Ask}
		switch {
		case a.Text != "":
			row.Answer = ui.VisibleLines(s.desk.Text(a.Text))
		case a.Value != "":
			row.Answer = ui.Visible(a.Value)
		}
		if len(row.Answer) > 0 && a.Person != "" {
			row.By, row.At = s.name(st, a.Person), v.at(a.Time)
		}
		out = append(out, row)
	}
	return out
}

// actionOf words what the program does for a step.
func (s *Server) actionOf(i *incident.Incident, do string, built []string) ui.ActionRow {
	row := ui.ActionRow{Says: "The action " + do + "."}
	at := fmt.Sprintf("/incidents/%d", i.ID)
	for _, a := range []struct{ do, says, word, href string }{
		{"archive.search", "Searches the kept lines.", "Search", "/search"},
		{"contacts.call", "Shows the contacts with their numbers.", "Contacts", "/contacts"},
		{"incident.hold", "Keeps the incident's lines from going when their time is over.", "Hold its log lines", at + "#actions"},
		{"incident.restrict", "Shows the incident only to named people.", "Restrict it", at + "#roles"},
		{"report.dossier", "Writes the report of all that stands in the ledger.", "Write the report", at + "/report"},
		{"room.open", "Opens the war room.", "Open the war room", at + "/room"},
		{"rules.mute", "Excepts something harmless from a rule, with an end.", "Keep it quiet", at + "/triage#judge"},
		{"trace.incident", "Follows the addresses and accounts through the lines.", "How it came to this", at + "/trace"},
		{"updates.send", "Tells stakeholders where the incident stands.", "Updates to stakeholders", at + "/updates"},
	} {
		if a.do == do {
			row.Says, row.Link = a.says, ui.Link{Word: a.word, Href: a.href}
		}
	}
	if !slices.Contains(built, do) {
		row.Says, row.Hand, row.Link = "Nothing for this step yet.", "Do it by hand, as written under How.", ui.Link{}
	}
	return row
}

// stepForms are what the reader can do with a step now.
func (s *Server) stepForms(v *visit, st *desk.State, i *incident.Incident, w working, files []exhibit, me oneself, view *ui.StepView) {
	at := w.href() + "/"
	skip := ui.Fold{Summary: "Skip this step", Form: ui.Form{ID: "skip", Action: at + "skip", Button: "Skip it", Danger: true, Fields: []ui.Field{why("Why it is not done")}}}
	switch {
	case i.Closed:
		view.Next = "The incident is closed."
	case w.run.Stopped:
		view.Next = "This playbook was stopped: it was the wrong one."
	case w.State == playbook.NotNeeded:
		view.Next = "This step is not needed, as the questions are answered now."
	case playbook.Settled(w.State):
		view.Next = "This step is " + view.State.Word + "."
		if w.Mark.Settled != "" && me.note {
			view.Folds = append(s.correctForms(w), ui.Fold{Summary: "It must be done again", Form: ui.Form{ID: "reopen", Action: at + "reopen", Button: "Open it again", Fields: []ui.Field{why("Why")}}})
		}
	case w.State == playbook.Waiting:
		view.Next = "It is not its turn yet: other steps come first."
		if me.note {
			view.Folds = []ui.Fold{skip}
		}
	case w.agrees(me, v.actor.ID) && (w.State == playbook.Taken || !me.has(w.Role)):
		view.Next = "You are asked, as " + plan.RoleWord(w.Approval) + ": may this be done?"
		view.Main = []ui.Form{{ID: "approve", Action: at + "approve", Button: "I agree", Main: true, Next: true}}
		view.Folds = []ui.Fold{{Summary: "I do not agree", Form: ui.Form{ID: "deny", Action: at + "deny", Button: "Refuse", Danger: true, Fields: []ui.Field{why("Why not")}}}}
	case !me.note:
		view.Next = "You read this. The " + view.Role + " does it."
	case w.State == playbook.Taken && w.Person == v.actor.ID:
		s.doingForms(st, w, files, at, view)
		if w.Approval == "" {
			view.Folds = append(view.Folds, s.correctForms(w)...)
		}
		view.Folds = append(view.Folds, ui.Fold{Summary: "I do not do it any more", Form: ui.Form{ID: "leave", Action: at + "leave", Button: "Leave it", Fields: []ui.Field{{Name: "reason", Label: "Why"}}}}, skip)
	case w.State == playbook.Taken:
		view.Next = view.Doer + " does it now."
		view.Folds = []ui.Fold{{Summary: "Do it in their place", Form: ui.Form{ID: "take", Action: at + "take", Button: "I do it", Hidden: []ui.Option{{Word: "from", Value: w.Person}}}}, skip}
	default:
		view.Next = "Nobody does it yet. Say that you do it, then do what is written below."
		form := ui.Form{ID: "take", Action: at + "take", Button: "I do it now", Main: true, Next: me.has(w.Role)}
		if me.has(w.Role) {
			view.Main = []ui.Form{form}
		} else {
			view.Next = "It waits for the " + view.Role + "."
			form.Main = false
			view.Folds = append(view.Folds, ui.Fold{Summary: "Do it in their place", Form: form})
		}
		view.Folds = append(view.Folds, skip)
	}
}

// correctForms correct the answers to what a step asks: steps that hang on them follow. Of a step that is being done these are what others answered, which it does not write over.
func (s *Server) correctForms(w working) (out []ui.Fold) {
	for _, id := range w.Asks {
		f, ok := w.run.Book().Fact(id)
		a := w.run.Answer(id)
		if !ok || !playbook.Settled(w.State) && (a.Value+a.Text == "" || a.Value == "unknown") {
			continue
		}
		x := ui.Field{Name: "value", Kind: "radios", Label: "The right answer", Need: true}
		for _, o := range f.Of {
			x.Options = append(x.Options, ui.Option{Value: o, Word: desk.FactWord(o), Chosen: a.Value == o})
		}
		if len(f.Of) == 0 {
			x.Kind, x.Value = "lines", s.desk.Text(a.Text)
		}
		out = append(out, ui.Fold{Summary: "Correct the answer: " + f.Ask, Form: ui.Form{ID: "correct-" + id, Action: w.href() + "/correct", Button: "Correct it", Hint: "Steps that hang on the answer follow it. What was done stays done.",
			Hidden: []ui.Option{{Word: "fact", Value: id}}, Fields: []ui.Field{x, why("Why it is another answer now")}}})
	}
	return out
}

// doingForms are for whoever does a step: questions, evidence, what was found.
func (s *Server) doingForms(st *desk.State, w working, files []exhibit, at string, view *ui.StepView) {
	if w.Approval != "" {
		view.Next = "Wait for the " + plan.RoleWord(w.Approval) + ": they must agree before you do it. Their page shows it as their next step."
		return
	}
	view.Next = "Do what is written below. Then press Done."
	done := ui.Form{ID: "finish", Action: at + "done", Button: "Done", Main: true, Next: true}
	for _, id := range w.Asks {
		f, ok := w.run.Book().Fact(id)
		if !ok {
			continue
		}
		view.Next = "Do what is written below. Then answer and press Done."
		a := w.run.Answer(id)
		x := ui.Field{Name: "fact." + id, Kind: "radios", Label: f.Ask, Need: true}
		for _, o := range f.Of {
			x.Options = append(x.Options, ui.Option{Value: o, Word: desk.FactWord(o), Chosen: a.Value == o})
		}
		if len(f.Of) == 0 {
			x.Kind, x.Value = "lines", s.desk.Text(a.Text)
		}
		done.Fields = append(done.Fields, x)
	}
	if ticks := evidenceTicks(st, w, files); len(ticks) > 0 {
		done.Fields = append(done.Fields, ui.Field{Name: "evidence", Kind: "ticks", Label: "Evidence for this step", Options: ticks})
	}
	if len(w.Evidence) > 0 {
		here := map[string]bool{}
		for _, n := range w.Mark.Evidence {
			here[n] = true
		}
		for k := range files {
			if files[k].expects(w) {
				here[files[k].Named(w.run.Incident)] = true
			}
		}
		lacks := len(here) < len(w.Evidence)
		if lacks {
			view.Next = "Do what is written below. Bring the evidence, or say why there is none. Then press Done."
		}
		done.Fields = append(done.Fields, ui.Field{Name: "without", Label: "Without it because", Hint: "when you have not all the evidence: " + strings.Join(w.Evidence, ", "), Need: lacks && len(files) == 0, Most: 2000})
	}
	done.Fields = append(done.Fields, ui.Field{Name: "text", Kind: "lines", Label: "What you found", Rows: 3, Most: 10000})
	view.Main = []ui.Form{done}
}

// stepDeed does one thing with a step and shows it again.
func (s *Server) stepDeed(v *visit, form, key string, do func(run int64, step string) error) error {
	id, err := number(v.r, "id")
	if err != nil {
		return err
	}
	s.desk.ReadAs(v.actor, func(st *desk.State) { _, _, err = findStep(v, st, id) })
	if err != nil {
		return err
	}
	if err := do(v.second(), v.r.PathValue("step")); err != nil {
		if known(err) {
			return err
		}
		return s.showStep(v, http.StatusUnprocessableEntity, form, err)
	}
	return done(v, fmt.Sprintf("/incidents/%d/steps/%d/%s", id, v.second(), v.r.PathValue("step")), key)
}

func (s *Server) takeStep(v *visit) error {
	return s.stepDeed(v, "take", "step-taken", func(run int64, step string) error { return s.desk.TakeStep(v.actor, run, step, text(v.r, "from")) })
}

func (s *Server) leaveStep(v *visit) error {
	return s.stepDeed(v, "leave", "step-left", func(run int64, step string) error { return s.desk.LeaveStep(v.actor, run, step, text(v.r, "reason")) })
}

func (s *Server) finishStep(v *visit) error {
	return s.stepDeed(v, "finish", "step-done", func(run int64, step string) error {
		x := desk.StepDone{Run: run, Step: step, Found: text(v.r, "text"), Answers: map[string]string{}, Evidence: v.r.PostForm["evidence"], Without: text(v.r, "without")}
		for name := range v.r.PostForm {
			if fact, ok := strings.CutPrefix(name, "fact."); ok {
				if a := text(v.r, name); a != "" {
					x.Answers[fact] = a
				}
			}
		}
		return s.desk.FinishStep(v.actor, x)
	})
}

func (s *Server) skipStep(v *visit) error {
	return s.stepDeed(v, "skip", "step-skipped", func(run int64, step string) error { return s.desk.SkipStep(v.actor, run, step, text(v.r, "reason")) })
}

func (s *Server) reopenStep(v *visit) error {
	return s.stepDeed(v, "reopen", "step-reopened", func(run int64, step string) error { return s.desk.ReopenStep(v.actor, run, step, text(v.r, "reason")) })
}

func (s *Server) approveStep(v *visit) error {
	return s.stepDeed(v, "approve", "step-approved", func(run int64, step string) error { return s.desk.ApproveStep(v.actor, run, step) })
}

func (s *Server) denyStep(v *visit) error {
	return s.stepDeed(v, "deny", "step-denied", func(run int64, step string) error { return s.desk.DenyStep(v.actor, run, step, text(v.r, "reason")) })
}

func (s *Server) correctAnswer(v *visit) error {
	fact := text(v.r, "fact")
	return s.stepDeed(v, "correct-"+fact, "answered-fact", func(run int64, _ string) error {
		return s.desk.AnswerFact(v.actor, run, fact, text(v.r, "value"), text(v.r, "reason"))
	})
}
