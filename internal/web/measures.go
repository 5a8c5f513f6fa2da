package web

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"tocsin/internal/auth"
	"tocsin/internal/desk"
	"tocsin/internal/review"
	"tocsin/ui"
)

// measureForm is the form of a new measure; gap is what it closes, "" is typed.
func (s *Server) measureForm(v *visit, st *desk.State, action, gap string) ui.Form {
	return ui.Form{ID: "measure", Action: action, Button: "Put it down", Fields: []ui.Field{
		{Name: "gap", Kind: "lines", Label: "The gap", Need: true, Rows: 2, Value: gap}, {Name: "does", Kind: "lines", Label: "What is done about it", Need: true, Rows: 2},
		{Name: "seen", Kind: "lines", Label: "How another person will see that it is closed", Need: true, Rows: 2}, {Name: "owner", Kind: "choice", Label: "By whom", Options: s.teamOptions(st)},
		{Name: "due", Label: "By when", Hint: v.zoned("in 14 d, 2026-11-27 14:32"), Need: true, Most: 40}, {Name: "remind", Label: "Remind them so many days before", Value: "3", Most: 2}}}
}

func (s *Server) measureFold(v *visit, st *desk.State, action, summary, gap string) ui.Fold {
	return ui.Fold{Summary: summary, Form: s.measureForm(v, st, action, gap), Open: gap != ""}
}

// typedMeasure reads the form of a new measure.
func (v *visit) typedMeasure() (x desk.MeasureText, err error) {
	gap, does, seen := text(v.r, "gap"), text(v.r, "does"), text(v.r, "seen")
	for field, said := range map[string]string{"gap": gap, "does": does, "seen": seen} {
		if said == "" {
			return x, desk.FieldError{Field: field, Says: "Say what the gap is, what is done, and how one will see that it is closed."}
		}
	}
	if x.Due, err = v.when("due", text(v.r, "due"), true); err != nil {
		return x, err
	}
	if d := text(v.r, "remind"); d != "" {
		span, ok := spanOf(d + " d")
		if !ok {
			return x, desk.FieldError{Field: "remind", Says: "Say a number of days, or leave it empty."}
		}
		x.Remind = span
	}
	x.Owner = v.r.PostFormValue("owner")
	x.Text = gap + "\nWhat is done: " + does + "\nHow it is seen: " + seen
	return x, nil
}

func (s *Server) addMeasure(v *visit) error {
	x, err := v.typedMeasure()
	if err == nil {
		_, err = s.desk.AddMeasure(v.actor, 0, x)
	}
	return s.reviewed(v, err, "/review#measures", func(code int, mistake error) error { return s.showReviews(v, code, "measure", mistake) })
}

func (s *Server) measure(v *visit) error { return s.showMeasure(v, http.StatusOK, "", nil) }

// showMeasure shows a measure, what people said of it, and what may be said next.
func (s *Server) showMeasure(v *visit, code int, form string, mistake error) error {
	n, err := number(v.r, "n")
	if err != nil {
		return err
	}
	m, err := s.desk.MeasureOf(v.actor, n)
	if err != nil {
		return err
	}
	at := fmt.Sprintf("/review/measures/%d", n)
	view := ui.ReviewView{Frame: s.frame(v, "review", fmt.Sprintf("Measure %d", n)), Over: ui.Link{Word: "Reviews", Href: "/review"}, State: measureState(m)}
	view.Path = at
	if m.Incident != 0 {
		view.TabDrafts = s.private(v, m.Incident)
		view.Over = ui.Link{Word: fmt.Sprintf("Review of incident %d", m.Incident), Href: fmt.Sprintf("/incidents/%d/review", m.Incident)}
	}
	paper := ui.ReviewPaper{ID: "text", Title: "The gap, and what is done", Open: true}
	for line := range strings.Lines(m.Text) {
		paper.Lines = append(paper.Lines, ui.Visible(strings.TrimSpace(line)))
	}
	s.desk.ReadAs(v.actor, func(st *desk.State) {
		view.Intro = ui.Visible(fmt.Sprintf("%s does it by %s.", s.name(st, m.Owner), v.both(m.Due)))
		for _, l := range m.Links {
			link := ui.Link{Word: "Carried out by a change of the playbook " + l.Ref + ", revision " + shortRevision(l.Revision), Href: "/plan/" + l.Ref + "?revision=" + l.Revision}
			if l.Kind == "rule" {
				link = ui.Link{Word: "Carried out by the rule " + l.Ref, Href: "/rules/" + l.Ref}
			}
			paper.Links = append(paper.Links, link)
		}
		view.Papers = []ui.ReviewPaper{paper}
		for k, y := range m.Said {
			_, did, _ := strings.Cut(string(y.Kind), ".")
			view.Papers = append(view.Papers, ui.ReviewPaper{ID: fmt.Sprintf("said-%d", k+1), Title: fmt.Sprintf("%s by %s on %s", desk.Title(did), s.name(st, y.Person), v.both(y.At)), Open: true, Says: ui.VisibleLines(y.Text)})
		}
		if auth.May(v.actor, auth.Note) == nil {
			s.measureForms(v, st, m, at, &view)
		}
	})
	return s.showReview(v, code, view, form, mistake)
}

// measureForms are what may be said of a measure next.
func (s *Server) measureForms(v *visit, st *desk.State, m desk.MeasureRow, at string, view *ui.ReviewView) {
	step := func(id, title, button, label string, main bool) ui.Titled {
		return ui.Titled{Title: title, Form: ui.Form{ID: id, Action: at + "/step", Button: button, Main: main, Next: main, Hidden: []ui.Option{{Word: "step", Value: id}}, Fields: []ui.Field{{Name: "reason", Kind: "lines", Label: label, Need: true}}}}
	}
	fold := func(x ui.Titled) { view.Folds = append(view.Folds, ui.Fold{Summary: x.Title, Form: x.Form}) }
	switch m.State {
	case review.Open:
		view.Forms = append(view.Forms, step("done", "It is done", "It is done", "What was done", m.Owner == v.actor.ID))
		fold(ui.Titled{Title: "Change who does it, or by when", Form: ui.Form{ID: "change", Action: at + "/change", Button: "Change it", Fields: []ui.Field{{Name: "owner", Kind: "choice", Label: "By whom", Options: s.teamOptions(st, m.Owner)},
			{Name: "due", Label: "By when", Hint: v.zoned("in 14 d, 2026-11-27 14:32"), Value: v.typed(m.Due, typedLayout), Need: true, Most: 40},
			{Name: "remind", Label: "Remind them so many days before", Hint: "empty: not before it is due", Value: remindDays(m), Most: 2}, why("Why")}}})
		fold(step("dropped", "Nothing is done about it", "Drop it", "Why", false))
	case review.Done:
		did := ""
		for _, y := range m.Said {
			did = y.Person
		}
		if m.Owner != v.actor.ID && did != v.actor.ID {
			view.Forms = append(view.Forms, step("verified", "See whether the gap is closed", "I saw it: the gap is closed", "How you saw it", true))
		}
		fold(step("reopened", "The gap is still there", "Open it again", "What you saw", false))
	default:
		fold(step("reopened", "The gap is still there", "Open it again", "What you saw", false))
	}
	if m.State != review.Dropped {
		fold(ui.Titled{Title: "Link the change of the plan or of a rule by which it is done", Form: ui.Form{ID: "link", Action: at + "/link", Button: "Link it", Fields: []ui.Field{{Name: "kind", Kind: "choice", Label: "What was changed", Options: options("playbook", "playbook", "A playbook", "rule", "A rule")},
			{Name: "ref", Label: "Its id", Hint: "as in its address: skimmer", Need: true, Most: 100}, {Name: "revision", Label: "Revision of a playbook; empty is the one that stands", Most: 64, Code: true}}}})
	}
}

func (s *Server) ofMeasure(v *visit, form string, do func(n int64) error) error {
	n, err := number(v.r, "n")
	if err != nil {
		return err
	}
	return s.reviewed(v, renamed(do(n), "text", "reason"), fmt.Sprintf("/review/measures/%d", n), func(code int, mistake error) error { return s.showMeasure(v, code, form, mistake) })
}

func (s *Server) stepMeasure(v *visit) error {
	step := v.r.PostFormValue("step")
	return s.ofMeasure(v, step, func(n int64) error { return s.desk.StepMeasure(v.actor, 0, n, step, text(v.r, "reason")) })
}

func (s *Server) changeMeasure(v *visit) error {
	return s.ofMeasure(v, "change", func(n int64) error {
		m, err := s.desk.MeasureOf(v.actor, n)
		if err != nil {
			return err
		}
		x := desk.MeasureChange{Owner: v.r.PostFormValue("owner")}
		if typed := text(v.r, "due"); typed != m.Due.In(v.zone).Format(typedLayout) { // else it stays, also when it is over
			if x.Due, err = v.when("due", typed, true); err != nil {
				return err
			}
		}
		if typed, sent := v.r.PostForm["remind"]; sent && typed[0] != remindDays(m) {
			span := time.Duration(0)
			if days := text(v.r, "remind"); days != "" {
				ok := false
				if span, ok = spanOf(days + " d"); !ok {
					return desk.FieldError{Field: "remind", Says: "Say a number of days, or leave it empty."}
				}
			}
			x.Remind = &span
		}
		return renamed(s.desk.ChangeMeasure(v.actor, n, x, text(v.r, "reason")), "why", "reason")
	})
}

// remindDays is in how many whole days before it is due the owner of a measure is reminded; "" is not at all.
func remindDays(m desk.MeasureRow) string {
	if m.Remind <= 0 {
		return ""
	}
	const day = 24 * time.Hour
	return fmt.Sprint(int64((m.Remind + day - 1) / day))
}

func (s *Server) linkMeasure(v *visit) error {
	return s.ofMeasure(v, "link", func(n int64) error {
		return s.desk.LinkMeasure(v.actor, 0, n, v.r.PostFormValue("kind"), text(v.r, "ref"), text(v.r, "revision"))
	})
}

func (s *Server) meeting(v *visit) error { return s.showMeeting(v, http.StatusOK, "", nil) }

// showMeeting shows the review of an incident: its agenda, when it is, what was said, and the measures.
func (s *Server) showMeeting(v *visit, code int, form string, mistake error) error {
	id, err := number(v.r, "id")
	if err != nil {
		return err
	}
	x, err := s.desk.ReviewOf(v.actor, id, v.zone)
	if err != nil {
		return err
	}
	me := s.self(v, id)
	at := fmt.Sprintf("/incidents/%d/review", id)
	view := ui.ReviewView{State: ui.State{Tone: "off", Word: "no review yet"}, Intro: ui.Visible("What is learnt from it: nobody is blamed, and each gap becomes a measure with an owner, a day and somebody else who looks.")}
	switch {
	case x.Reviewed:
		view.State = ui.State{Tone: "good", Word: "reviewed"}
	case x.Owed && v.now.After(x.Due):
		view.State = ui.State{Tone: "late", Word: "review is late since " + x.Due.In(v.zone).Format("2 Jan 2006")}
	case x.Owed:
		view.State = ui.State{Tone: "late", Word: "to be reviewed by " + x.Due.In(v.zone).Format("2 Jan 2006")}
	}
	s.desk.ReadAs(v.actor, func(st *desk.State) {
		i, e := st.Incidents.Get(id)
		if err = e; e != nil {
			return
		}
		view.Case = []ui.CaseHead{s.caseHead(st, i, "Review")}
		if c := x.Call; c != nil {
			var who []string
			for _, p := range c.Invited {
				who = append(who, s.name(st, p))
			}
			view.Papers = append(view.Papers, ui.ReviewPaper{ID: "call", Title: "It is held on " + v.both(c.At), Open: true, Says: ui.Visible(s.name(st, c.Chair) + " leads it. Invited: " + strings.Join(who, ", ")), Links: []ui.Link{{Word: "For your calendar", Href: at + "/calendar"}}})
		}
		s.minutes(v, st, x, at, &view)
		for k, t := range x.Agenda.Items {
			paper := ui.ReviewPaper{ID: fmt.Sprintf("topic-%d", k+1), Title: fmt.Sprintf("%d. %s", k+1, t.Name), Open: len(x.Meetings) == 0, Says: ui.Visible(t.Ask)}
			for _, f := range t.Facts {
				paper.Lines = append(paper.Lines, ui.Visible(f))
			}
			view.Papers = append(view.Papers, paper)
		}
		view.Lists = []ui.ReviewList{{ID: "measures", Title: "Measures", Empty: "No measure was put down yet.", Rows: s.measureRows(v, st, x.Measures, false)}}
		if me.note {
			s.meetingForms(v, st, x, at, &view)
		}
	})
	if err != nil {
		return err
	}
	view.Frame = s.frame(v, "incidents", fmt.Sprintf("Review of incident %d", id))
	view.Path = at
	return s.showReview(v, code, view, form, mistake)
}

// minutes are what was said in reviews, with a way from each gap to its measure.
func (s *Server) minutes(v *visit, st *desk.State, x desk.ReviewPage, at string, view *ui.ReviewView) {
	for k, m := range x.Meetings {
		var who []string
		for _, p := range m.Attendees {
			who = append(who, s.name(st, p))
		}
		paper := ui.ReviewPaper{ID: fmt.Sprintf("held-%d", k+1), Title: "Held on " + v.both(m.At) + " by " + strings.Join(who, ", "), Open: true, Says: ui.VisibleLines(m.Says)}
		for j, g := range m.Gaps {
			paper.Lines = append(paper.Lines, ui.Visible("Gap: "+g))
			paper.Links = append(paper.Links, ui.Link{Word: fmt.Sprintf("Make a measure of gap %d: %s", j+1, clip(g, 60)), Href: fmt.Sprintf("%s?meeting=%d&gap=%d#measure", at, k+1, j+1)})
		}
		view.Papers = append(view.Papers, paper)
	}
}

// meetingForms are what may be said of a review next.
func (s *Server) meetingForms(v *visit, st *desk.State, x desk.ReviewPage, at string, view *ui.ReviewView) {
	held := ui.Form{ID: "held", Action: at + "/held", Button: "Write it down", Main: true, Next: x.Call != nil && len(x.Meetings) == 0, Fields: []ui.Field{{Name: "at", Label: "When it was held", Hint: v.zoned("14:32, 2026-11-27 14:32"), Value: v.typed(v.now, typedLayout), Need: true, Most: 40}, {Name: "attendees", Kind: "ticks", Label: "Who was there", Options: s.teamOptions(st, v.actor.ID)},
		{Name: "minutes", Kind: "lines", Label: "What was found", Need: true, Rows: 6, Most: 15000}, {Name: "gaps", Kind: "lines", Label: "Gaps", Hint: "One a line. Each becomes a measure.", Rows: 4, Most: 15000}}}
	call := ui.Form{ID: "call", Action: at + "/call", Button: "Call it", Main: len(x.Meetings) == 0 && x.Call == nil, Next: x.Owed && x.Call == nil, Fields: []ui.Field{{Name: "at", Label: "When", Hint: v.zoned("in 2 d, 2026-11-27 14:32"), Need: true, Most: 40}, {Name: "chair", Kind: "choice", Label: "Who leads it", Options: s.teamOptions(st, v.actor.ID)},
		{Name: "invited", Kind: "ticks", Label: "Who is invited", Options: s.teamOptions(st)}}}
	if x.Call == nil && len(x.Meetings) == 0 {
		view.Forms = append(view.Forms, ui.Titled{Title: "Call the review", Form: call})
		held.Main = false
		view.Folds = append(view.Folds, ui.Fold{Summary: "It was held already", Form: held})
	} else {
		view.Forms = append(view.Forms, ui.Titled{Title: "It was held", Form: held})
		view.Folds = append(view.Folds, ui.Fold{Summary: "Call it for another time", Form: call})
	}
	view.Folds = append(view.Folds, s.measureFold(v, st, at+"/measures", "Put a measure down", v.askedGap(x)))
}

// askedGap is the gap of a review that the address names, "" of none.
func (v *visit) askedGap(x desk.ReviewPage) string {
	q := v.r.URL.Query()
	for k, m := range x.Meetings {
		for j, g := range m.Gaps {
			if q.Get("meeting") == fmt.Sprint(k+1) && q.Get("gap") == fmt.Sprint(j+1) {
				return g
			}
		}
	}
	return ""
}

func (s *Server) ofMeeting(v *visit, form string, do func(id int64) error) error {
	id, err := number(v.r, "id")
	if err != nil {
		return err
	}
	return s.reviewed(v, do(id), fmt.Sprintf("/incidents/%d/review", id), func(code int, mistake error) error { return s.showMeeting(v, code, form, mistake) })
}

func (s *Server) callMeeting(v *visit) error {
	return s.ofMeeting(v, "call", func(id int64) error {
		at, err := v.when("at", text(v.r, "at"), true)
		if err != nil {
			return err
		}
		return s.desk.CallReview(v.actor, id, desk.ReviewCalling{At: at, Chair: v.r.PostFormValue("chair"), Invited: v.r.PostForm["invited"]})
	})
}

func (s *Server) holdMeeting(v *visit) error {
	return s.ofMeeting(v, "held", func(id int64) error {
		at, err := v.when("at", text(v.r, "at"), false)
		if err != nil {
			return err
		}
		return s.desk.HoldReview(v.actor, id, desk.ReviewNotes{At: at, Attendees: v.r.PostForm["attendees"], Says: text(v.r, "minutes"), Gaps: slices.Collect(strings.Lines(text(v.r, "gaps")))})
	})
}

func (s *Server) addMeasureOf(v *visit) error {
	return s.ofMeeting(v, "measure", func(id int64) error {
		x, err := v.typedMeasure()
		if err == nil {
			_, err = s.desk.AddMeasure(v.actor, id, x)
		}
		return err
	})
}
