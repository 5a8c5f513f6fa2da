package web

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"tocsin/internal/auth"
	"tocsin/internal/desk"
	"tocsin/internal/incident"
	"tocsin/ui"
)

// What a page shows at most, so that a storm cannot make it slow: each alert that is opened is read from the vault.
const (
	incidentsShown = 50
	alertsOpened   = 100 // whose addresses and accounts are summed
	incidentAlerts = 15  // of them, that stand on the page
	momentsShown   = 50
)

// incidents lists incidents by filter, order and page.
func (s *Server) incidents(v *visit) error {
	q := v.r.URL.Query()
	state, severity, sort := q.Get("state"), q.Get("severity"), q.Get("sort")
	if state == "" {
		state = "open"
	}
	view := ui.IncidentsView{Frame: s.frame(v, "incidents", "Incidents"), Query: q.Get("q"), Sort: sort,
		States:     options(state, "open", "Open", "closed", "Closed", "all", "All"),
		Severities: options(severity, "", "Every severity", "critical", "Critical", "high", "High", "medium", "Medium", "low", "Low"),
		Filtered:   state != "open" || severity != "" || q.Get("q") != ""}
	view.Headings = headings(v, sort)
	page := pageOf(v)
	s.desk.ReadAs(v.actor, func(st *desk.State) {
		var list []*incident.Incident
		for _, i := range st.Incidents.Incidents {
			if (state == "all" || i.Closed == (state == "closed")) && (severity == "" || i.Severity == severity) && matches(i, view.Query) {
				list = append(list, i)
			}
		}
		order(list, sort)
		view.Pager = pager(v, page, incidentsShown, len(list))
		for k := page * incidentsShown; k < len(list) && len(view.Rows) < incidentsShown; k++ {
			view.Rows = append(view.Rows, s.incidentRow(v, st, list[k]))
		}
	})
	return ui.Incidents.Show(v.w, http.StatusOK, view)
}

// matches reports whether an incident has what was searched for: its number, or a part of its title.
func matches(i *incident.Incident, q string) bool {
	q = strings.ToLower(strings.TrimSpace(strings.TrimPrefix(q, "#")))
	return q == "" || strings.Contains(strings.ToLower(i.Title), q) || strconv.FormatInt(i.ID, 10) == q
}

// headings are the columns of the list, with the links that sort by them.
func headings(v *visit, sort string) []ui.Heading {
	hs := []ui.Heading{{Word: "Severity"}, {Word: "Incident"}, {Word: "State"}, {Word: "Assigned"}, {Word: "Alerts", Number: true}, {Word: "Began"}, {Word: "Last seen"}}
	for k, key := range []string{"severity", "title", "", "", "alerts", "began", "last"} {
		if key == "" {
			continue
		}
		to := "-" + key
		switch sort {
		case key:
			hs[k].Sorted = "ascending"
		case "-" + key:
			hs[k].Sorted, to = "descending", key
		}
		hs[k].Href = with(v, "sort", to)
	}
	return hs
}

// order sorts incidents that come by id; without a wish the worst come first, then the newest. What is equal stays by id.
func order(list []*incident.Incident, sort string) {
	key, down := strings.CutPrefix(sort, "-")
	by := map[string]func(a, b *incident.Incident) int{
		"severity": func(a, b *incident.Incident) int { return incident.Rank(a.Severity) - incident.Rank(b.Severity) },
		"title":    func(a, b *incident.Incident) int { return cmp.Compare(a.Title, b.Title) },
		"alerts":   func(a, b *incident.Incident) int { return len(a.Alerts) - len(b.Alerts) },
		"began":    func(a, b *incident.Incident) int { return a.Happened.Compare(b.Happened) },
		"last":     func(a, b *incident.Incident) int { return a.Last.Compare(b.Last) },
	}[key]
	if by == nil {
		by, down = func(a, b *incident.Incident) int {
			return cmp.Or(cmp.Compare(incident.Rank(b.Severity), incident.Rank(a.Severity)), b.Last.Compare(a.Last))
		}, false
	}
	slices.SortFunc(list, func(a, b *incident.Incident) int {
		d := by(a, b)
		if down {
			d = -d
		}
		return cmp.Or(d, cmp.Compare(a.ID, b.ID))
	})
}

// incidentRow words an incident in short.
func (s *Server) incidentRow(v *visit, st *desk.State, i *incident.Incident) ui.IncidentRow {
	r := ui.IncidentRow{ID: fmt.Sprint(i.ID), Href: fmt.Sprintf("/incidents/%d", i.ID), Title: i.Title, Says: desk.Sentence(st, i), Severity: ui.Severity(i.Severity),
		State: s.incidentState(st, i), Phase: i.Phase, Alerts: ui.Number(int64(len(i.Alerts))), Began: v.at(i.Happened), Last: v.at(i.Last)}
	if i.Person != "" {
		r.Assigned = s.name(st, i.Person)
	}
	if i.History {
		r.Mark = "history"
	}
	return r
}

func (s *Server) incidentState(st *desk.State, i *incident.Incident) ui.State {
	c := st.Calls.Of(i.ID)
	switch {
	case i.Closed && i.Verdict == "false":
		return ui.State{Tone: "off", Word: "closed: false alarm"}
	case i.Closed:
		return ui.State{Tone: "off", Word: "closed: true alarm"}
	case c != nil && c.Rings():
		return ui.State{Tone: "bad", Word: "ringing"}
	case i.Person != "":
		return ui.State{Tone: "busy", Word: "open, in work"}
	}
	return ui.State{Tone: "late", Word: "open"}
}

func (s *Server) incident(v *visit) error {
	if list := v.r.URL.Query().Get("list"); list != "" {
		return s.namedByIncident(v, list)
	}
	return s.showIncident(v, http.StatusOK, "", nil)
}

// showIncident shows one incident; again names the form that comes back with an error.
func (s *Server) showIncident(v *visit, code int, again string, mistake error) error {
	id, err := number(v.r, "id")
	if err != nil {
		return err
	}
	view := ui.IncidentView{ID: fmt.Sprint(id)}
	var details []alertDetails
	shown := int64(0) // what is written later may not be on this page
	s.desk.ReadAs(v.actor, func(st *desk.State) {
		shown = st.Entries
		var i *incident.Incident
		if i, err = st.Incidents.Get(id); err == nil {
			details = alertsOf(st, i, alertsOpened)
		}
	})
	if err != nil {
		return err
	}
	s.openDetails(details)
	me := s.self(v, id)
	var suggested []string
	if me.handle {
		suggested = s.desk.SuggestedPlaybooks(v.actor, id)
	}
	seen := s.desk.LookedAt(v.actor, id)
	if seen == 0 {
		s.desk.Looked(v.actor, id, shown)
	}
	s.desk.ReadAs(v.actor, func(st *desk.State) {
		i, e := st.Incidents.Get(id)
		if e != nil {
			err = e
			return
		}
		view.Frame = ui.Frame{Title: fmt.Sprintf("Incident %d: %s", i.ID, i.Title)}
		s.fillIncident(v, st, i, details, &view)
		s.fillLead(v, st, i, me, &view)
		s.fillSince(v, st, i.ID, seen, &view.Lead)
		s.fillNext(v, st, i, me, suggested, &view)
		view.Suggest = s.suggestion(st, i, me)
		s.fillTimeline(v, st, i, me, &view)
	})
	if err != nil {
		return err
	}
	view.Parties = s.parties(v, details, "incident", fmt.Sprintf("/incidents/%d", id)) // asks the reader, so not inside of Read
	view.Facts = append(view.Facts, s.linesOf(v, details)...)
	if view.Lines, view.AllLines, err = s.firstLines(v, id); err != nil {
		return err
	}
	s.roomOf(v, id, &view)
	if s.desk.MayOn(v.actor, auth.Reach, id) == nil {
		view.Updates = fmt.Sprintf("/incidents/%d/updates", id)
	}
	if s.desk.MayOn(v.actor, auth.Note, id) == nil {
		view.Report = fmt.Sprintf("/incidents/%d/report", id)
	}
	view.Frame = s.frame(v, "incidents", view.Frame.Title)
	view.Path = fmt.Sprintf("/incidents/%d", id)
	if mistake != nil {
		found := false
		view.Errors, found = putBack(&view.Lead, v, again, mistake)
		if !found && firstField(again) == "" {
			view.Errors, found = orphan(v, &view.Forms, mistake)
		}
		if !found {
			typedAgain(v, &view.Forms, again)
			view.Errors = formErrors(mistake, again)
		}
		view.Still = true
	}
	return ui.Incident.Show(v.w, code, view)
}

// typedAgain puts what was typed back into the form that had a mistake.
func typedAgain(v *visit, f *ui.IncidentForms, again string) {
	f.Again, f.Reason, f.Note, f.Happened, f.Learned = again, text(v.r, "reason"), text(v.r, "note"), text(v.r, "happened"), text(v.r, "learned")
	for field, choices := range map[string][]ui.Option{"severity": f.Severities, "phase": f.Phases, "person": f.People, "role": f.Roles, "rule": f.Rules, "address": f.Addresses, "until": f.Until} {
		typed, sent := v.r.PostForm[field]
		for k := range choices {
			if sent {
				choices[k].Chosen = choices[k].Value == typed[0]
			}
		}
	}
}

// formErrors words what was wrong with one of an incident's forms. Without a field of its own a mistake is shown at the
// form's first; several forms have a reason, so its id begins with the form's name.
func formErrors(mistake error, form string) ui.Errors {
	es, first := fieldErrors(mistake), firstField(form)
	for k := range es {
		switch {
		case es[k].Field == "":
			es[k].Field = first
		case es[k].Field == "reason" && form == "release":
			es[k].Field = first
		case es[k].Field == "reason" && form != "close":
			es[k].Field = form + "-reason"
		}
	}
	return es
}

// firstField is the first field of a form that an incident's page always has; "" of a form that may be gone by the time it is sent.
func firstField(form string) string {
	return map[string]string{"severity": "severity", "phase": "phase", "note": "note", "assign": "person", "mute": "mute-until", "reopen": "reopen-reason", "hold": "hold-reason", "hand": "hand-note", "role": "take-role", "restrict": "restrict-kind", "unrestrict": "lift-reason", "release": "hold-reason", "close": "verdict", "channels": "channels-reason"}[form]
}

// orphan puts what was typed into a form that is gone, because somebody else was first, into the form of a note.
func orphan(v *visit, f *ui.IncidentForms, mistake error) (ui.Errors, bool) {
	var typed []string
	for _, field := range []string{"text", "title", "chosen", "options", "reason"} {
		if t := text(v.r, field); t != "" {
			typed = append(typed, t)
		}
	}
	if len(typed) == 0 {
		return nil, false
	}
	f.Note = strings.Join(typed, "\n")
	return ui.Errors{{Field: "note", Says: sentence(mistake) + " What you typed stands here: add it as a note if it says more."}}, true
}

// fillIncident words an incident in full.
func (s *Server) fillIncident(v *visit, st *desk.State, i *incident.Incident, details []alertDetails, view *ui.IncidentView) {
	row := s.incidentRow(v, st, i)
	view.Severity, view.State, view.Open, view.Phase, view.Assigned, view.Known = row.Severity, row.State, !i.Closed, i.Phase, row.Assigned, row.Says
	for _, code := range i.Why {
		view.Why = append(view.Why, incident.Words(code))
	}
	if i.WhyText != "" {
		view.Why = append(view.Why, "a person set it: "+s.desk.Text(i.WhyText))
	}
	past := true
	for _, p := range incident.Phases() {
		past = past && p != i.Phase
		view.Phases = append(view.Phases, ui.Phase{Word: desk.Title(p), Done: past, Current: p == i.Phase})
	}
	if i.History {
		view.Marks = append(view.Marks, "history: it was over before watching began, and rings nobody")
	}
	if i.Sample {
		view.Marks = append(view.Marks, "sample: made from the bundled logs")
	}
	view.Held = i.Held
	if !i.Closed && auth.May(v.actor, auth.Handle) == nil {
		view.Channels = barrable(st, i.ID, s.desk.Groups(st))
	}
	if not := st.Calls.Barred(i.ID); len(not) > 0 {
		view.Marks = append(view.Marks, "not to be used for it: "+strings.Join(not, ", "))
	}
	if n := st.Calls.HeldBy(i.ID); n > 0 && !i.Closed {
		view.Marks = append(view.Marks, fmt.Sprintf("maintenance %d keeps it from ringing", n))
	}
	if i.Held {
		view.Marks = append(view.Marks, "held: its log lines are kept beyond their time")
	}
	if w := st.Returns.Of(i.ID, v.now); w != nil && w.Stands(v.now) {
		view.Marks = append(view.Marks, "watched for signs of its return until "+w.Until.In(v.zone).Format("2 Jan 2006")+": "+ui.Plural(int64(len(w.Signs)), "sign", "signs")+" so far")
	}
	if i.Closed {
		view.Verdict = desk.Title(i.Verdict) + " alarm"
	}
	view.Roles = s.rolesPart(st, i)
	if i.Restricted() {
		view.Marks = append(view.Marks, "restricted ("+i.Restriction.Kind+"): only the people who are named see it")
	}
	view.Times = []ui.TimeFact{{Name: "Began", At: v.at(i.Happened)}, {Name: "Learned", At: v.at(i.Opened)}, {Name: "Last seen", At: v.at(i.Last)}}
	if i.Closed {
		view.Times = append(view.Times, ui.TimeFact{Name: "Closed", At: v.at(i.Ended)})
	}
	if n := len(i.Alerts) - len(details); n > 0 {
		view.Facts = append(view.Facts, ui.Fact{Name: "Alerts", Value: "the newest " + ui.Number(alertsOpened) + " with their addresses; " + ui.Number(int64(n)) + " earlier ones are in the list of alerts", Href: fmt.Sprintf("/alerts?incident=%d", i.ID)})
	}
	if c := st.Calls.Of(i.ID); c != nil {
		view.Calls = append(view.Calls, s.callRow(v, st, c))
	}
	view.HasAlerts = ui.Number(int64(len(i.Alerts)))
	if len(i.Alerts) > incidentAlerts {
		view.AllAlerts = ui.Link{Word: "All " + view.HasAlerts, Href: fmt.Sprintf("/alerts?incident=%d", i.ID)}
	}
	for _, d := range details[:min(len(details), incidentAlerts)] {
		view.Alerts = append(view.Alerts, s.alertRow(v, st, d, true))
	}
	view.Unusual = unusual(details)
	view.Forms = s.incidentForms(v, st, i, details)
}

// unusualShown is how many sentences about habits an incident shows.
const unusualShown = 5

// unusual is what the alerts say is not normal, each sentence once, oldest first.
func unusual(details []alertDetails) (out []ui.Text) {
	seen := map[string]bool{}
	for _, d := range slices.Backward(details) {
		if why := d.full.Why; why != "" && !seen[why] && len(out) < unusualShown {
			seen[why] = true
			out = append(out, ui.Visible(why))
		}
	}
	return out
}

// next is the one thing to do now.
func (s *Server) next(v *visit, st *desk.State, i *incident.Incident) ui.Next {
	c := st.Calls.Of(i.ID)
	switch {
	case c != nil && c.Rings() && desk.MayAnswer(st, v.actor, c, v.now) != nil:
		return ui.Next{Says: "Nobody has answered for " + ui.Span(v.now.Sub(c.Opened)) + ". " + notAnswered(desk.MayAnswer(st, v.actor, c, v.now)), Urgent: true}
	case c != nil && c.Rings():
		return ui.Next{Says: "Nobody has answered for " + ui.Span(v.now.Sub(c.Opened)) + ". Answering stops the calls to everybody else.", Button: "Answer the call",
			Action: fmt.Sprintf("/calls/%d/answer", c.ID), Urgent: true, Fields: []ui.Option{}}
	case i.Closed:
		return ui.Next{Says: "This incident is closed. Reopen it below if it is not over."}
	case i.Merged != 0:
		return ui.Next{Says: fmt.Sprintf("This incident is part of incident %d, and worked on there.", i.Merged), Button: fmt.Sprintf("Go to incident %d", i.Merged), Action: fmt.Sprintf("/incidents/%d", i.Merged), Get: true}
	case i.Person == "":
		return ui.Next{Says: "Nobody works on this incident yet.", Button: "I work on it", Action: fmt.Sprintf("/incidents/%d/assign", i.ID),
			Fields: []ui.Option{{Word: "person", Value: v.actor.ID}}}
	}
	phases := incident.Phases()
	k := slices.Index(phases, i.Phase)
	if k >= 0 && k+1 < len(phases) {
		return ui.Next{Says: "When " + i.Phase + " is done, go on to " + phases[k+1] + ".", Button: "Go on to " + phases[k+1],
			Action: fmt.Sprintf("/incidents/%d/phase", i.ID), Fields: []ui.Option{{Word: "phase", Value: phases[k+1]}}}
	}
	return ui.Next{Says: "When the lessons are written down, close the incident.", Button: "Close the incident", Action: fmt.Sprintf("/incidents/%d/close", i.ID), Get: true}
}

// incidentForms are the choices of the page's forms.
func (s *Server) incidentForms(v *visit, st *desk.State, i *incident.Incident, details []alertDetails) ui.IncidentForms {
	f := ui.IncidentForms{
		Severities: options(i.Severity, "critical", "Critical", "high", "High", "medium", "Medium", "low", "Low"),
		People:     []ui.Option{{Value: "", Word: "Nobody", Chosen: i.Person == ""}},
		Until:      options("86400", "3600", "1 hour", "28800", "8 hours", "86400", "1 day", "604800", "7 days", "2592000", "30 days"),
		Addresses:  []ui.Option{{Value: "", Word: "Every address"}},
	}
	for _, p := range incident.Phases() {
		f.Phases = append(f.Phases, ui.Option{Value: p, Word: desk.Title(p), Chosen: p == i.Phase})
	}
	for _, id := range staff(st) {
		f.People = append(f.People, ui.Option{Value: id, Word: s.name(st, id), Chosen: id == i.Person})
	}
	rules, addresses := map[string]bool{}, map[string]bool{}
	for _, d := range details {
		if !rules[d.state.Rule] {
			rules[d.state.Rule] = true
			f.Rules = append(f.Rules, ui.Option{Value: d.state.Rule, Word: d.state.Title})
		}
		for _, p := range d.full.Sources {
			if !addresses[p.Name] && len(addresses) < 100 {
				addresses[p.Name] = true
				f.Addresses = append(f.Addresses, ui.Option{Value: p.Name, Word: p.Name})
			}
		}
	}
	return f
}

// act does one thing to an incident and shows the page again, with a notice or with the mistake.
func (s *Server) act(v *visit, form string, do func(id int64) error, key string) error {
	id, err := number(v.r, "id")
	if err != nil {
		return err
	}
	if err = needsReason(v, form); err == nil {
		err = do(id)
	}
	if err != nil {
		if known(err) {
			return err
		}
		return s.showIncident(v, http.StatusUnprocessableEntity, form, err)
	}
	return done(v, fmt.Sprintf("/incidents/%d", id), key)
}

// needsReason names the field of a form that needs a reason and has none. What needs one is the desk's to say; it refuses, too.
func needsReason(v *visit, form string) error {
	says := map[string]string{"severity": "A changed severity needs a reason.", "mute": "A mute needs a reason.", "close": "Closing an incident needs a reason.", "hold": "Say why the lines are held.", "release": "Say why the lines are no longer held."}[form]
	if says == "" || text(v.r, "reason") != "" {
		return nil
	}
	return desk.FieldError{Field: "reason", Says: says}
}

func (s *Server) setSeverity(v *visit) error {
	return s.act(v, "severity", func(id int64) error {
		return s.desk.SetSeverity(v.actor, id, text(v.r, "severity"), text(v.r, "reason"))
	}, "severity")
}

func (s *Server) setPhase(v *visit) error {
	return s.act(v, "phase", func(id int64) error { return s.desk.SetPhase(v.actor, id, text(v.r, "phase")) }, "phase")
}

func (s *Server) note(v *visit) error {
	return s.act(v, "note", func(id int64) error {
		happened, err := v.when("happened", text(v.r, "happened"), false)
		if err != nil {
			return err
		}
		learned, err := v.when("learned", text(v.r, "learned"), false)
		if err != nil {
			return err
		}
		return s.desk.Write(v.actor, id, desk.NoteText{Text: text(v.r, "note"), Role: text(v.r, "role"), Happened: happened, Learned: learned})
	}, "note")
}

func (s *Server) assign(v *visit) error {
	key := "assigned"
	if text(v.r, "person") == "" {
		key = "unassigned"
	}
	return s.act(v, "assign", func(id int64) error { return s.desk.Assign(v.actor, id, text(v.r, "person")) }, key)
}

func (s *Server) reopen(v *visit) error {
	return s.act(v, "reopen", func(id int64) error { return s.desk.Reopen(v.actor, id, text(v.r, "reason")) }, "reopened")
}

func (s *Server) hold(v *visit) error {
	return s.act(v, "hold", func(id int64) error { return s.desk.Hold(v.actor, id, text(v.r, "reason")) }, "held")
}

func (s *Server) release(v *visit) error {
	return s.act(v, "release", func(id int64) error { return s.desk.Release(v.actor, id, text(v.r, "reason")) }, "released")
}

func (s *Server) mute(v *visit) error {
	return s.act(v, "mute", func(int64) error {
		seconds, err := strconv.Atoi(text(v.r, "until"))
		if err != nil {
			return fmt.Errorf("choose until when the rule is muted")
		}
		return s.desk.AddMute(v.actor, text(v.r, "rule"), text(v.r, "address"), text(v.r, "reason"), v.now.Add(time.Duration(seconds)*time.Second))
	}, "muted")
}

func (s *Server) askClose(v *visit) error { return s.showClose(v, http.StatusOK, nil) }

func (s *Server) showClose(v *visit, code int, mistake error) error {
	id, err := number(v.r, "id")
	if err != nil {
		return err
	}
	closed := false
	view := ui.CloseView{Frame: s.frame(v, "incidents", fmt.Sprintf("Close incident %d", id)), ID: fmt.Sprint(id), Verdict: v.r.PostFormValue("verdict"), Reason: text(v.r, "reason"),
		Effects: []string{"It no longer rings anybody and leaves the list of open incidents."},
		Undo:    "It can be reopened at any time; both are kept in the ledger."}
	if n := len(s.desk.ReportsLeft(v.actor, id)); n > 0 {
		view.Effects = append(view.Effects, ui.Plural(int64(n), "report from outside belongs to it and stays open", "reports from outside belong to it and stay open")+": the page Reports names them then, to be closed with words to their reporters.")
	}
	s.desk.ReadAs(v.actor, func(st *desk.State) {
		i, e := st.Incidents.Get(id)
		if e != nil {
			err = e
			return
		}
		view.Severity, view.Incident = ui.Severity(i.Severity), i.Title
		if c := st.Calls.Of(id); c != nil && c.Rings() {
			view.Effects = append(view.Effects, fmt.Sprintf("Call %d stops ringing if it rings for nothing else.", c.ID))
		}
		closed = i.Closed
		for _, what := range st.Incidents.Lacking(id, "true") {
			at := fmt.Sprintf("/incidents/%d/cause", i.ID)
			view.Lacking = append(view.Lacking, map[string]ui.Link{"cause": {Word: "Write the root cause", Href: at}, "lessons": {Word: "Write the lessons", Href: at + "#lessons"}}[what])
		}
		view.Excuse = text(v.r, "excuse")
		if w, ok := i.Fact(incident.Verdict); ok && view.Verdict == "" {
			view.Verdict = map[string]string{incident.Real: "true", incident.FalseAlarm: "false"}[w.What.Value]
		}
	})
	if err != nil {
		return err
	}
	switch {
	case closed && mistake == nil:
		return done(v, fmt.Sprintf("/incidents/%d", id), "")
	case closed: // by somebody else, while this one was typed
		v.r.PostForm.Set("note", strings.TrimSpace(text(v.r, "reason")+"\n"+text(v.r, "excuse")))
		v.r.Form.Set("note", v.r.PostForm.Get("note"))
		return s.showIncident(v, code, "note", desk.FieldError{Field: "note", Says: "Somebody else closed it meanwhile. What you typed stands here: add it as a note if it says more."})
	}
	if mistake != nil {
		if lacks(mistake) {
			mistake = desk.FieldError{Field: "excuse", Says: sentence(mistake)}
		}
		view.Errors, view.Still = formErrors(mistake, "close"), true
	}
	return ui.Close.Show(v.w, code, view)
}

func (s *Server) closeIncident(v *visit) error {
	id, err := number(v.r, "id")
	if err != nil {
		return err
	}
	if err = needsReason(v, "close"); err == nil || v.r.PostFormValue("verdict") == "" {
		err = s.desk.Finish(v.actor, id, v.r.PostFormValue("verdict"), text(v.r, "reason"), text(v.r, "excuse"))
	}
	if err != nil {
		if known(err) {
			return err
		}
		return s.showClose(v, http.StatusUnprocessableEntity, err)
	}
	return done(v, fmt.Sprintf("/incidents/%d", id), "closed")
}
