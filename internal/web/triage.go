package web

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"tocsin/internal/auth"
	"tocsin/internal/desk"
	"tocsin/internal/incident"
	"tocsin/internal/playbook"
	"tocsin/ui"
)

// What the page of triage shows at most.
const (
	triageAlerts  = 10
	triageLines   = 5 // of an alert
	triagePast    = 20
	triageMutes   = 6
	relatedShown  = 30
	mergesOffered = 100
)

func (s *Server) triage(v *visit) error { return s.showTriage(v, http.StatusOK, "", nil) }

// showTriage helps to judge an alarm; form names the one that comes back with a mistake.
func (s *Server) showTriage(v *visit, code int, form string, mistake error) error {
	id, err := number(v.r, "id")
	if err != nil {
		return err
	}
	view := ui.TriageView{}
	var details []alertDetails
	s.desk.ReadAs(v.actor, func(st *desk.State) {
		var i *incident.Incident
		if i, err = st.Incidents.Get(id); err == nil {
			details = alertsOf(st, i, triageAlerts)
		}
	})
	if err != nil {
		return err
	}
	s.openDetails(details)
	me := s.self(v, id)
	var tuned []desk.ExceptionRow
	if s.desk.MayOn(v.actor, auth.Tune, id) == nil {
		if tuned, err = s.desk.Exceptions(v.actor, id); err != nil {
			return err
		}
	}
	s.desk.ReadAs(v.actor, func(st *desk.State) {
		i, e := st.Incidents.Get(id)
		if e != nil {
			err = e
			return
		}
		s.fillTriage(v, st, i, details, me, tuned, &view)
	})
	if err != nil {
		return err
	}
	view.Frame = s.frame(v, "incidents", fmt.Sprintf("Triage of incident %d", id))
	view.Path = fmt.Sprintf("/incidents/%d/triage", id)
	if mistake != nil {
		view.Still = true
		view.Errors = deedErrors(mistake, form, "reason")
		gone := strings.HasPrefix(form, "tune-") && !slices.ContainsFunc(view.Tuned, func(f ui.Fold) bool { return f.Form.ID == form })
		if gone { // what it was about is not in the list any more
			for k := range view.Errors {
				view.Errors[k].Field = ""
			}
			if typed := text(v.r, "reason"); typed != "" {
				view.Tuned = append(view.Tuned, keptNote(id, typed))
			}
		}
		for _, list := range [][]ui.Form{view.Close, view.Judge} {
			for k := range list {
				if list[k].ID == form {
					list[k] = list[k].Again(v.r.PostForm, view.Errors)
				}
			}
		}
		for k := range view.Tuned {
			if view.Tuned[k].Form.ID == form {
				view.Tuned[k].Form, view.Tuned[k].Open = view.Tuned[k].Form.Again(v.r.PostForm, view.Errors), true
			}
		}
	}
	return ui.Triage.Show(v.w, code, view)
}

func (s *Server) fillTriage(v *visit, st *desk.State, i *incident.Incident, details []alertDetails, me oneself, tuned []desk.ExceptionRow, view *ui.TriageView) {
	view.CaseHead = s.caseHead(st, i, "Triage")
	at := fmt.Sprintf("/incidents/%d", i.ID)
	said, ok := i.Fact(incident.Verdict)
	if ok {
		view.Verdict, view.By, view.At = map[string]string{incident.Real: "A real attack.", incident.FalseAlarm: "A false alarm.", incident.Unknown: "Not known yet."}[said.What.Value], s.actorName(st, said.By), v.at(said.At)
		view.Reason = ui.VisibleLines(s.desk.Text(orElse(said.What.Why, said.What.Text)))
	}
	for _, d := range details {
		row := s.alertRow(v, st, d, true)
		row.Samples = row.Samples[:min(len(row.Samples), triageLines)]
		view.Alerts = append(view.Alerts, row)
	}
	if n := len(i.Alerts) - len(details); n > 0 {
		view.More = "and " + ui.Plural(int64(n), "earlier alert", "earlier alerts")
	}
	view.Unusual = unusual(details)
	past, cut := st.Incidents.History(i.ID, triagePast)
	for _, p := range past {
		row := s.relationRow(v, st, p.Relation)
		view.Past = append(view.Past, row)
	}
	if cut {
		view.PastMore = "There are more; these are the newest."
	}
	view.ScopeIs, _ = desk.ScopeWord(i.Scope())
	view.Criteria = s.criteria(st, i)
	if i.Closed || i.Merged != 0 {
		s.tuneForms(v, i, tuned, at, view)
		return
	}
	if i.Scope() == incident.Unknown && me.note {
		view.Scope = scopeAsk(i.ID)
	}
	if !me.handle {
		return
	}
	view.Classify = []ui.Form{{ID: "severity", Action: at + "/severity", Button: "Change severity", Fields: []ui.Field{{Name: "severity", Kind: "choice", Label: "Severity", Options: options(i.Severity, "critical", "Critical", "high", "High", "medium", "Medium", "low", "Low")}, why("Why")}}}
	if !ok || said.What.Value != incident.Real {
		view.Judge = []ui.Form{{ID: "judged", Action: at + "/triage", Button: "It is real", Main: true, Fields: []ui.Field{why("What shows it")}, Hidden: []ui.Option{{Word: "verdict", Value: incident.Real}}}}
	}
	kinds := options("looked", "looked", falseReasons["looked"], "ours", falseReasons["ours"], "partner", falseReasons["partner"], "rule", falseReasons["rule"])
	close := ui.Form{ID: "false-alarm", Action: at + "/triage", Button: "False alarm: close it", Danger: true, Hidden: []ui.Option{{Word: "verdict", Value: incident.FalseAlarm}},
		Fields: []ui.Field{{Name: "kind", Kind: "radios", Label: "Or was it nothing?", Need: true, Options: kinds}, {Name: "reason", Label: "More, in your words", Hint: "if you like"}}}
	if len(offered(tuned)) > 0 {
		mutes := []ui.Option{{Value: "", Word: "No: tell me when it comes again", Chosen: true}}
		for _, x := range offered(tuned) {
			mutes = append(mutes, ui.Option{Value: x.Key(), Word: exceptionWord(x)})
		}
		close.Fields = append(close.Fields, ui.Field{Name: "mute", Kind: "choice", Label: "Keep the rule quiet about it?", Options: mutes}, ui.Field{Name: "until", Kind: "choice", Label: "For how long", Options: spans("2592000", false)})
	}
	view.Close = []ui.Form{close}
}

// offered are the exceptions that the page names. One whose names cannot be read would read as one for everybody, and is refused.
func offered(all []desk.ExceptionRow) []desk.ExceptionRow {
	all = slices.DeleteFunc(slices.Clone(all), func(x desk.ExceptionRow) bool { return !x.Known })
	return all[:min(len(all), triageMutes)]
}

// falseReasons are the reasons for a false alarm that need no typing.
var falseReasons = map[string]string{
	"looked": "I looked at the lines, and nothing in them is harmful", "ours": "It was our own work, test or scan",
	"partner": "It was a partner or service that may do this", "rule": "The rule sees too much",
}

// exceptionWord names what an exception keeps quiet.
func exceptionWord(x desk.ExceptionRow) string {
	who := "for everybody (the last resort)"
	switch {
	case x.Address != "":
		who = "for " + ui.Visible(x.Address).String()
	case x.Account != "":
		who = "for the account " + ui.Visible(x.Account).String()
	}
	out := x.Title + ", " + who + ": " + ui.Plural(x.Count, "record", "records") + " of this incident"
	if x.Shared {
		out += "; many customers share the address"
	}
	return out
}

// tuneForms offer, after a false alarm, what could keep it from coming again.
func (s *Server) tuneForms(v *visit, i *incident.Incident, tuned []desk.ExceptionRow, at string, view *ui.TriageView) {
	if i.Verdict != "false" {
		return
	}
	for k, x := range offered(tuned) {
		view.Tuned = append(view.Tuned, ui.Fold{Summary: exceptionWord(x), Open: k == 0, Form: ui.Form{ID: "tune-" + x.Key(), Action: at + "/triage/tune", Button: "Keep quiet about it", Hidden: []ui.Option{{Word: "exception", Value: x.Key()}},
			Fields: []ui.Field{{Name: "until", Kind: "choice", Label: "For how long", Options: spans("2592000", false)}, why("Why it is harmless")}}})
	}
}

// relationRow words an incident that shares something with another.
func (s *Server) relationRow(v *visit, st *desk.State, r incident.Relation) ui.PastRow {
	row := ui.PastRow{ID: fmt.Sprint(r.Incident), Href: fmt.Sprintf("/incidents/%d", r.Incident), Title: "Incident"}
	if o, err := st.Incidents.Get(r.Incident); err == nil {
		row.Title, row.Severity, row.State, row.At = o.Title, ui.Severity(o.Severity), s.incidentState(st, o), v.at(o.Happened)
	}
	var shares []string
	for _, x := range []struct {
		n         int
		one, many string
	}{{len(r.Sessions), "session", "sessions"}, {len(r.Files), "file", "files"}, {len(r.Addresses), "address", "addresses"}, {len(r.Accounts), "account", "accounts"}, {len(r.Techniques), "technique", "techniques"}} {
		if x.n > 0 {
			shares = append(shares, ui.Plural(int64(x.n), x.one, x.many))
		}
	}
	row.Shares = "shares " + strings.Join(shares, ", ")
	return row
}

// criteria say when an incident has which severity: those of its playbook, or of all.
func (s *Server) criteria(st *desk.State, i *incident.Incident) (out []ui.CriterionRow) {
	of := map[string]string{incident.Critical: "Money or customers' data is going, or will any moment.", incident.High: "Something obeys an attacker; nothing is known to be lost yet.", incident.Medium: "Somebody tries, and could get in.", incident.Low: "Something is odd; most likely a false alarm."}
	for _, r := range st.RunsOf(i.ID) {
		if b := r.Book(); b != nil && !r.Stopped && len(b.Criteria) > 0 {
			of = b.Criteria
			break
		}
	}
	for _, sev := range slices.Backward(playbook.Severities()) {
		if of[sev] != "" {
			out = append(out, ui.CriterionRow{Severity: ui.Severity(sev), Says: of[sev], Is: sev == i.Severity})
		}
	}
	return out
}

// judge writes the verdict down. A false alarm closes the incident, and can keep the rule quiet.
func (s *Server) judge(v *visit) error {
	id, err := number(v.r, "id")
	if err != nil {
		return err
	}
	verdict, form, key, to := text(v.r, "verdict"), "judged", "triaged", fmt.Sprintf("/incidents/%d", id)
	reason := text(v.r, "reason")
	var mute *desk.TriageMute
	if verdict == incident.FalseAlarm {
		form, key, to = "false-alarm", "false-alarm", to+"/triage"
		if word := falseReasons[text(v.r, "kind")]; word != "" {
			reason = strings.TrimSpace(word + ". " + reason)
		}
		if key := text(v.r, "mute"); key != "" {
			until, e := exceptionEnd(v)
			if e != nil {
				return s.showTriage(v, http.StatusUnprocessableEntity, form, e)
			}
			mute = &desk.TriageMute{Exception: key, Until: until}
		}
	}
	if reason == "" {
		err = desk.FieldError{Field: "reason", Says: "Say how you know."}
	} else {
		err = s.desk.Triage(v.actor, id, verdict, reason, mute)
	}
	if wrong, ok := errors.AsType[desk.FieldError](err); ok && wrong.Field == "exception" {
		err = desk.FieldError{Field: "mute", Says: wrong.Says}
	}
	if err != nil {
		if known(err) {
			return err
		}
		return s.showTriage(v, http.StatusUnprocessableEntity, form, err)
	}
	return done(v, to, key)
}

// exceptionEnd reads when an exception ends; each does.
func exceptionEnd(v *visit) (time.Time, error) {
	until, err := typedSpan(v)
	if err == nil && until.IsZero() {
		err = desk.FieldError{Field: "until", Says: "Choose when the exception ends."}
	}
	return until, err
}

// tune keeps a rule quiet about what a false alarm was raised by.
func (s *Server) tune(v *visit) error {
	id, err := number(v.r, "id")
	if err != nil {
		return err
	}
	key := text(v.r, "exception")
	if err := s.tuneBy(v, id, key); err != nil {
		if known(err) {
			return err
		}
		return s.showTriage(v, http.StatusUnprocessableEntity, "tune-"+key, err)
	}
	return done(v, fmt.Sprintf("/incidents/%d/triage", id), "tuned")
}

func (s *Server) tuneBy(v *visit, id int64, key string) error {
	until, err := exceptionEnd(v)
	if err != nil {
		return err
	}
	if text(v.r, "reason") == "" {
		return desk.FieldError{Field: "reason", Says: "Say why it is harmless."}
	}
	return s.desk.Except(v.actor, id, desk.TriageMute{Exception: key, Until: until}, text(v.r, "reason"))
}
