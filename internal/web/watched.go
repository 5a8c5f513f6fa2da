package web

import (
	"fmt"
	"strconv"
	"time"

	"tocsin/internal/auth"
	"tocsin/internal/desk"
	"tocsin/internal/incident"
	"tocsin/internal/playbook"
	"tocsin/internal/tuning"
	"tocsin/ui"
)

// fillWatch words the watch for the return of an incident, with the forms that let it go on or end it.
func (s *Server) fillWatch(v *visit, st *desk.State, i *incident.Incident, me oneself, l *ui.Lead) {
	w := st.Returns.Of(i.ID, v.now)
	if w == nil {
		l.Watch.Wrong = s.desk.ReturnFault(i.ID, 0)
		return
	}
	l.Watch = ui.WatchRow{Wrong: s.desk.ReturnFault(i.ID, w.ID), Until: v.at(w.Until), Says: "What its attacker left is looked for in each line: " + ui.Plural(int64(w.Count), "value", "values") + ", " + ui.Plural(int64(len(w.Signs)), "sign", "signs") + " so far. When one comes back, the incident opens again."}
	if !me.handle {
		return
	}
	at := fmt.Sprintf("/incidents/%d/watch/", i.ID)
	var longer []ui.Option
	for _, days := range []int{7, 14, 30, 90} {
		if until := w.Until.AddDate(0, 0, days); until.Sub(w.From) <= tuning.LongestReturn {
			longer = append(longer, ui.Option{Value: strconv.FormatInt(until.Unix(), 10), Word: fmt.Sprintf("%d days longer, until %s", days, until.In(v.zone).Format("2 Jan 2006"))})
		}
	}
	if len(longer) > 0 {
		l.Watch.Folds = append(l.Watch.Folds, ui.Fold{Summary: "Watch longer", Form: ui.Form{ID: "watch-longer", Action: at + "longer", Button: "Watch longer", Fields: []ui.Field{{Name: "until", Kind: "choice", Label: "How much longer", Options: longer}, why("Why")}}})
	}
	l.Watch.Folds = append(l.Watch.Folds, ui.Fold{Summary: "Stop watching now", Form: ui.Form{ID: "watch-end", Action: at + "end", Button: "Stop watching", Danger: true, Hint: "Whoever comes back is then seen by the rules alone.", Fields: []ui.Field{why("Why")}}})
}

func (s *Server) watchLonger(v *visit) error {
	return s.deed(v, "watch-longer", "watch-longer", "#watch", func(id int64) error {
		sec, wrong := strconv.ParseInt(text(v.r, "until"), 10, 64)
		until, is := time.Unix(sec, 0).UTC(), time.Time{}
		err := s.desk.MayOn(v.actor, auth.Handle, id)
		s.desk.ReadAs(v.actor, func(st *desk.State) {
			if w := st.Returns.Of(id, v.now); w != nil {
				is = w.Until
			}
		})
		switch {
		case err != nil:
			return err
		case wrong != nil:
			return desk.FieldError{Field: "until", Says: "Choose how much longer it is watched."}
		case text(v.r, "reason") == "":
			return desk.FieldError{Field: "reason", Says: "Say why it is watched longer."}
		case is.Unix() == sec: // the same press again: the end stands in the form, so that two presses are one
			return nil
		}
		return s.desk.ExtendWatch(v.actor, id, until.Add(time.Duration(is.Nanosecond())), text(v.r, "reason"))
	})
}

func (s *Server) watchEnd(v *visit) error {
	return s.deed(v, "watch-end", "watch-ended", "", func(id int64) error { return s.desk.EndWatch(v.actor, id, text(v.r, "reason")) })
}

// suggestion is the severity that the playbooks of an incident speak for, when it is another one and no person has set one. Nobody need take it.
func (s *Server) suggestion(st *desk.State, i *incident.Incident, me oneself) (out ui.Suggestion) {
	if i.Closed || i.Merged != 0 || i.WhyText != "" || !me.handle {
		return out
	}
	var best *playbook.Playbook
	for _, r := range st.Runs.Of(i.ID) {
		b := r.Book()
		if b != nil && !r.Stopped && b.Severity != "" && (best == nil || incident.Rank(b.Severity) > incident.Rank(best.Severity)) {
			best = b
		}
	}
	if best == nil || best.Severity == i.Severity {
		return out
	}
	out = ui.Suggestion{Severity: ui.Severity(best.Severity), Book: best.Title, Says: best.Criteria[best.Severity], Is: ui.Severity(i.Severity), IsSays: best.Criteria[i.Severity], Action: fmt.Sprintf("/incidents/%d/severity", i.ID), More: fmt.Sprintf("/incidents/%d/triage#classify", i.ID)}
	reason := "As the playbook “" + best.Title + "” says"
	if out.Says != "" {
		reason += ": " + out.Says
	}
	out.Fields = []ui.Option{{Word: "severity", Value: best.Severity}, {Word: "reason", Value: reason}}
	return out
}

// switchRun ends a playbook and begins another one in its place.
func (s *Server) switchRun(v *visit) error {
	return s.deed(v, fmt.Sprintf("switch-%d", v.second()), "switched", "", func(id int64) error {
		if err := s.ofRun(v, id, v.second()); err != nil {
			return err
		}
		next := text(v.r, "playbook")
		switch {
		case next == "":
			return desk.FieldError{Field: "playbook", Says: "Choose the playbook that fits better."}
		case text(v.r, "reason") == "":
			return desk.FieldError{Field: "reason", Says: "A switch needs a reason."}
		}
		_, err := s.desk.SwitchRun(v.actor, v.second(), next, text(v.r, "reason"))
		return err
	})
}
