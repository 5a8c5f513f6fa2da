package web

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"tocsin/internal/desk"
	"tocsin/internal/incident"
	"tocsin/internal/plan"
	"tocsin/internal/playbook"
	"tocsin/internal/tlp"
	"tocsin/ui"
)

// decisionRows words the decisions of an incident, open ones first.
func (s *Server) decisionRows(v *visit, st *desk.State, i *incident.Incident, me oneself, l *ui.Lead) (out []ui.DecisionRow) {
	for _, d := range openFirst(v, l, each(st, i, func(c *incident.Command) []incident.Decision { return c.Decisions }), (*incident.Decision).Open, func(x *incident.Decision) string { return "decision-" + place(st, x.Incident, x.ID) }) {
		id := place(st, d.Incident, d.ID)
		at := fmt.Sprintf("/incidents/%d/decisions/%d/", d.Incident, d.ID)
		row := ui.DecisionRow{ID: id, Text: ui.Visible(s.desk.Text(d.Text)), Asked: s.actorName(st, d.Asked.By), At: v.at(d.Asked.At), State: ui.State{Tone: "late", Word: "open since " + ui.Span(d.Waits(v.now))}}
		row.Label, row.Mark = labelled(st, i, d.Incident, "decision", d.ID)
		var choices []ui.Option
		for k, o := range d.Options {
			t := s.desk.Text(o)
			row.Options = append(row.Options, ui.OptionRow{Text: ui.Visible(t), Chosen: d.Made != nil && d.Made.What.Option == k+1})
			choices = append(choices, ui.Option{Value: fmt.Sprint(k + 1), Word: t})
		}
		seen := []ui.Option{{Word: "seen", Value: fmt.Sprint(d.N)}}
		switch {
		case d.Made != nil:
			row.State, row.By, row.Made, row.Why = ui.State{Tone: "good", Word: "decided"}, s.name(st, d.Made.What.Person), v.at(d.Made.At), ui.VisibleLines(s.desk.Text(d.Made.What.Text))
			if k := d.Made.What.Option - 1; k >= 0 && k < len(row.Options) {
				row.Chosen = row.Options[k].Text
			}
			if d.Later != 0 {
				row.State, row.Note = ui.State{Tone: "off", Word: "replaced"}, fmt.Sprintf("Decision %d took its place.", d.Later)
			} else if me.note && !i.Closed {
				row.Folds = append(row.Folds, ui.Fold{Summary: "Decide it anew", Form: s.decideAnew(id, d, choices)})
			}
		case d.Gone != nil:
			row.State, row.Why = ui.State{Tone: "off", Word: "withdrawn by " + s.reply(st, d.Gone)}, ui.VisibleLines(s.desk.Text(d.Gone.What.Text))
		case me.note && !i.Closed:
			row.Choose = []ui.Fold{{Summary: "Decide it", Open: me.has(plan.Commander), Form: ui.Form{ID: "choose-" + id, Action: at + "choose", Hidden: seen, Button: "Decide", Main: me.has(plan.Commander),
				Fields: []ui.Field{{Name: "option", Kind: "radios", Label: "We do this", Need: true, Options: choices}, why("Why")}}}}
			row.Folds = []ui.Fold{{Summary: "It need not be decided", Form: ui.Form{ID: "undecide-" + id, Action: at + "withdraw", Hidden: seen, Button: "Withdraw it", Fields: []ui.Field{why("Why")}}}}
		}
		out = append(out, row)
	}
	return out
}

// decideAnew is the form that lets another choice take the place of one that was made. Of two who decide at once, the second finds it with their own text.
func (s *Server) decideAnew(id string, d *incident.Decision, choices []ui.Option) ui.Form {
	return ui.Form{ID: "anew-" + id, Action: fmt.Sprintf("/incidents/%d/decisions/%d/anew", d.Incident, d.ID), Button: "Let this take its place", Fields: []ui.Field{{Name: "option", Kind: "radios", Label: "We do this instead", Need: true, Options: choices}, why("Why")}}
}

func (s *Server) questionRows(v *visit, st *desk.State, i *incident.Incident, me oneself, l *ui.Lead) (out []ui.QuestionRow) {
	for _, q := range openFirst(v, l, each(st, i, func(c *incident.Command) []incident.Question { return c.Questions }), (*incident.Question).Open, func(x *incident.Question) string { return "question-" + place(st, x.Incident, x.ID) }) {
		at := fmt.Sprintf("/incidents/%d/questions/%d/", q.Incident, q.ID)
		row := ui.QuestionRow{ID: place(st, q.Incident, q.ID), Text: ui.Visible(s.desk.Text(q.Text)), For: "everybody", Asked: s.name(st, q.Person), At: v.at(q.Asked.At), State: ui.State{Tone: "late", Word: "open"}}
		row.Label, row.Mark = labelled(st, i, q.Incident, "question", q.ID)
		if q.Role != "" {
			row.For = plan.RoleWord(q.Role)
		}
		switch {
		case q.Answer != nil:
			row.State, row.Answer, row.By, row.Answered = ui.State{Tone: "good", Word: "answered"}, ui.VisibleLines(s.desk.Text(q.Answer.What.Text)), s.reply(st, q.Answer), v.at(q.Answer.At)
		case q.Gone != nil:
			row.State, row.Answer, row.By, row.Answered = ui.State{Tone: "off", Word: "withdrawn"}, ui.VisibleLines(s.desk.Text(q.Gone.What.Text)), s.reply(st, q.Gone), v.at(q.Gone.At)
		case me.note:
			row.Folds = []ui.Fold{{Summary: "Answer it", Open: q.Role != "" && me.has(q.Role), Form: ui.Form{ID: "answer-" + row.ID, Action: at + "answer", Button: "Answer", Fields: []ui.Field{{Name: "text", Kind: "lines", Label: "Answer", Need: true, Most: 10000}}}},
				{Summary: "It need not be answered", Form: ui.Form{ID: "unask-" + row.ID, Action: at + "withdraw", Button: "Withdraw it", Fields: []ui.Field{why("Why")}}}}
		}
		out = append(out, row)
	}
	return out
}

func (s *Server) handoverRows(v *visit, st *desk.State, i *incident.Incident, me oneself, l *ui.Lead) (out []ui.HandoverRow) {
	for _, h := range openFirst(v, l, each(st, i, func(c *incident.Command) []incident.Handover { return c.Handovers }), (*incident.Handover).Open, func(x *incident.Handover) string { return "handover-" + place(st, x.Incident, x.ID) }) {
		row := ui.HandoverRow{ID: place(st, h.Incident, h.ID), From: s.name(st, h.From), To: s.name(st, h.To), Roles: desk.RoleWords(h.Roles), Text: ui.VisibleLines(s.desk.Text(h.Text)), At: v.at(h.Given.At), State: ui.State{Tone: "late", Word: "not taken yet"}}
		row.Label, row.Mark = labelled(st, i, h.Incident, "handover", h.ID)
		switch {
		case h.Taken != nil:
			row.State, row.Answer = ui.State{Tone: "good", Word: "taken " + v.at(h.Taken.At).Ago}, ui.VisibleLines(s.desk.Text(h.Taken.What.Text))
		case h.Gone != nil:
			row.State, row.Gone = ui.State{Tone: "off", Word: "withdrawn by " + s.reply(st, h.Gone)}, ui.VisibleLines(s.desk.Text(h.Gone.What.Text))
		case h.To == v.actor.ID:
			row.State = ui.State{Tone: "late", Word: "waits for you"}
			row.Take = []ui.Form{{ID: "take-" + row.ID, Action: fmt.Sprintf("/incidents/%d/handovers/%d/take", h.Incident, h.ID), Button: "I have read it and take over", Main: true, Fields: []ui.Field{{Name: "text", Label: "Answer", Hint: "if something is unclear"}}}}
		case me.note && h.From == v.actor.ID:
			row.Folds = append(s.correctForm(st, i, h, row.ID), row.Folds...)
		}
		if h.Open() && me.note && (h.From == v.actor.ID || me.command) {
			row.Folds = append(row.Folds, ui.Fold{Summary: "Withdraw it", Form: ui.Form{ID: "unhand-" + row.ID, Action: fmt.Sprintf("/incidents/%d/handovers/%d/withdraw", h.Incident, h.ID), Button: "Withdraw it", Danger: true, Fields: []ui.Field{why("Why nobody need take it any more")}}})
		}
		out = append(out, row)
	}
	return out
}

// correctForm puts another note in the place of a hand-over that waits.
func (s *Server) correctForm(st *desk.State, i *incident.Incident, h *incident.Handover, id string) []ui.Fold {
	if i.Closed || h.Incident != i.ID { // nothing new is written in what is part of another: it is withdrawn there, and written anew here
		return nil
	}
	to := s.takers(st, i, h.From, h.To)
	return []ui.Fold{{Summary: "Correct it", Form: ui.Form{ID: "rehand-" + id, Action: fmt.Sprintf("/incidents/%d/handovers/%d/correct", h.Incident, h.ID), Button: "Correct it", Fields: []ui.Field{{Name: "to", Kind: "choice", Label: "To", Options: to},
		{Name: "text", Kind: "lines", Label: "What stands, what comes next, what worries you", Need: true, Rows: 5, Most: 10000, Value: s.desk.Text(h.Text)}}}}}
}

// takers are the people to whom somebody may hand over.
func (s *Server) takers(st *desk.State, i *incident.Incident, from, chosen string) (to []ui.Option) {
	for _, id := range staff(st) {
		if id != from && !i.Hides(id) {
			to = append(to, ui.Option{Value: id, Word: s.name(st, id), Chosen: id == chosen})
		}
	}
	return to
}

func (s *Server) taskRows(v *visit, st *desk.State, i *incident.Incident, me oneself, l *ui.Lead) (out []ui.TaskRow) {
	for _, t := range openFirst(v, l, each(st, i, func(c *incident.Command) []incident.Task { return c.Tasks }), (*incident.Task).Open, func(x *incident.Task) string { return "task-" + place(st, x.Incident, x.ID) }) {
		id := place(st, t.Incident, t.ID)
		at := fmt.Sprintf("/incidents/%d/tasks/%d/", t.Incident, t.ID)
		row := ui.TaskRow{ID: "task-" + id, Text: ui.Visible(s.desk.Text(t.Title)), Who: s.taskWho(st, t.Person, t.Role), State: ui.State{Tone: "late", Word: "to do"}, Due: v.at(t.Due), Late: t.Open() && !t.Due.IsZero() && v.now.After(t.Due)}
		row.Label, row.Mark = labelled(st, i, t.Incident, "task", t.ID)
		switch {
		case t.Ended != nil && t.Ended.Kind == "task.done":
			row.State, row.Result = ui.State{Tone: "good", Word: "done by " + s.reply(st, t.Ended)}, ui.VisibleLines(s.desk.Text(t.Ended.What.Text))
		case t.Ended != nil:
			row.State, row.Result = ui.State{Tone: "off", Word: "dropped by " + s.reply(st, t.Ended)}, ui.VisibleLines(s.desk.Text(t.Ended.What.Text))
		case me.note:
			row.Done = []ui.Form{{ID: "done-" + id, Action: at + "done", Button: "Done", Fields: []ui.Field{{Name: "text", Label: "What was done", Hint: "in a few words"}}}}
			title, who, due := t.Title, "role:"+t.Role, ""
			if t.Person != "" {
				who = "person:" + t.Person
			}
			if !t.Due.IsZero() {
				due = v.typed(t.Due, typedLayout)
			}
			row.Folds = []ui.Fold{{Summary: "Change it", Form: ui.Form{ID: "change-" + id, Action: at + "change", Button: "Change it", Hidden: []ui.Option{{Word: "seen", Value: fmt.Sprint(t.Versions[len(t.Versions)-1].N)}},
				Fields: append(s.taskFields(v, st, i, s.desk.Text(title), who, due), why("Why it changes"))}},
				{Summary: "It is not done", Form: ui.Form{ID: "drop-" + id, Action: at + "drop", Button: "Drop it", Danger: true, Fields: []ui.Field{why("Why")}}}}
		}
		out = append(out, row)
	}
	return out
}

// taskFields are the fields of a task.
func (s *Server) taskFields(v *visit, st *desk.State, i *incident.Incident, title, who, due string) []ui.Field {
	var whom []ui.Option
	for _, r := range plan.ResponseRoles() {
		whom = append(whom, ui.Option{Value: "role:" + r, Word: plan.RoleWord(r)})
	}
	for _, id := range staff(st) {
		if !i.Hides(id) {
			whom = append(whom, ui.Option{Value: "person:" + id, Word: s.name(st, id)})
		}
	}
	for k := range whom {
		whom[k].Chosen = whom[k].Value == who
	}
	return []ui.Field{{Name: "title", Label: "What is to be done", Need: true, Value: title, Most: 500}, {Name: "who", Kind: "choice", Label: "By whom", Options: whom}, {Name: "due", Label: "By when", Hint: v.zoned("in 2 h, 14:32, 2026-11-27 14:32; empty: no hurry"), Value: due, Most: 40}}
}

// leadForms are the forms below the lists.
func (s *Server) leadForms(v *visit, st *desk.State, i *incident.Incident, me oneself, l *ui.Lead) {
	at := fmt.Sprintf("/incidents/%d", i.ID)
	if me.note {
		l.Marks = ui.Link{Word: "All labels", Href: at + "/label"}
		l.Labels = []ui.Fold{{Summary: "Change the label", Form: labelForm(at, "", st.Incidents.Label(i.ID, ""), false)}}
	}
	if i.Closed || i.Merged != 0 || !me.note {
		return
	}
	if me.command {
		seen, old, summary := int64(0), "", "Say what is known"
		if n := len(i.Command().Statements); n > 0 {
			summary = "Say it anew"
			seen, old = i.Command().Statements[n-1].N, s.desk.Text(i.Command().Statements[n-1].What.Text)
		}
		l.State = []ui.Fold{{Summary: summary, Form: ui.Form{ID: "state", Action: at + "/state", Button: "This is what we know", Hidden: []ui.Option{{Word: "seen", Value: fmt.Sprint(seen)}},
			Fields: []ui.Field{{Name: "text", Kind: "lines", Label: "What is known, in three sentences at most", Hint: "What happened. Whom it touches. What we do now.", Need: true, Value: old, Most: 1000}}}}}
	}
	if l.Ask.Action == "" {
		l.State = append(l.State, ui.Fold{Summary: "Correct whom it touches", Form: ui.Form{ID: "scope-again", Action: at + "/scope", Button: "Correct it", Fields: []ui.Field{{Name: "value", Kind: "choice", Label: "It touches", Options: options(i.Scope(), "site-only", "Only the site", "customers", "Customers too", "unknown", "Not known")}, why("Why it is another answer now")}}})
	}
	if me.handle {
		s.beginForm(st, i, at, l)
	}
	l.Deciding = []ui.Fold{{Summary: "Ask for a decision", Form: ui.Form{ID: "ask", Action: at + "/decisions", Button: "Ask for it", Fields: []ui.Field{{Name: "text", Label: "What is to be decided", Need: true, Most: 500}, {Name: "options", Kind: "lines", Label: "Options, one a line", Hint: "Two to six.", Need: true}}}},
		{Summary: "Write down what was decided", Form: ui.Form{ID: "log", Action: at + "/decisions", Button: "Write it down", Hidden: []ui.Option{{Word: "made", Value: "yes"}}, Fields: []ui.Field{{Name: "text", Label: "What was to be decided", Need: true, Most: 500}, {Name: "chosen", Label: "What was decided", Need: true, Most: 500}, {Name: "options", Kind: "lines", Label: "What else was possible, one a line", Need: true, Rows: 2}, why("Why")}}}}
	var roles []ui.Option
	roles = append(roles, ui.Option{Value: "", Word: "Everybody", Chosen: true})
	for _, r := range plan.ResponseRoles() {
		roles = append(roles, ui.Option{Value: r, Word: plan.RoleWord(r)})
	}
	l.Asking = []ui.Fold{{Summary: "Ask something", Form: ui.Form{ID: "question", Action: at + "/questions", Button: "Ask", Fields: []ui.Field{{Name: "text", Label: "What do you want to know?", Need: true, Most: 1000}, {Name: "role", Kind: "choice", Label: "Whom do you ask?", Options: roles}}}}}
	l.Tasking = []ui.Fold{{Summary: "Add a task", Form: ui.Form{ID: "task", Action: at + "/tasks", Button: "Add the task", Fields: s.taskFields(v, st, i, "", "person:"+v.actor.ID, "")}}}
	if held := i.RolesOf(v.actor.ID); len(held) > 0 {
		to := s.takers(st, i, v.actor.ID, "")
		l.Handing = []ui.Fold{{Summary: "Hand over your shift", Form: ui.Form{ID: "shift", Action: at + "/handovers", Button: "Hand over", Hint: "You hand over: " + desk.RoleWords(held) + ". Until the other takes it, you hold it.", Fields: []ui.Field{{Name: "to", Kind: "choice", Label: "To", Options: to}, {Name: "text", Kind: "lines", Label: "What stands, what comes next, what worries you", Need: true, Rows: 5, Most: 10000}}}}}
		s.remindShift(v, st, i, &l.Handing[0])
	}
}

// beginForm offers the playbooks that are not begun.
func (s *Server) beginForm(st *desk.State, i *incident.Incident, at string, l *ui.Lead) {
	if books := s.idle(st, i.ID); len(books) > 0 {
		l.Begin = []ui.Fold{{Summary: "Begin a playbook", Open: len(st.RunsOf(i.ID)) == 0, Form: ui.Form{ID: "begin", Action: at + "/begin", Button: "Begin it", Fields: []ui.Field{{Name: "playbook", Kind: "choice", Label: "Playbook", Options: books}}}}}
	}
}

// idle are the playbooks by which an incident is not worked on, by title.
func (s *Server) idle(st *desk.State, id int64) (books []ui.Option) {
	begun := st.RunsOf(id)
	for id, b := range st.Runs.Books {
		if b.Retired || slices.ContainsFunc(begun, func(r *playbook.Run) bool { return r.Playbook == id && !r.Stopped }) {
			continue
		}
		word := id
		if p := bookOf(st, id); p != nil {
			word = p.Title
		}
		books = append(books, ui.Option{Value: id, Word: word})
	}
	slices.SortFunc(books, func(a, b ui.Option) int { return strings.Compare(a.Word, b.Word) })
	return books
}

// labelForm sets the label of an incident or of a thing in it.
func labelForm(at, what string, now tlp.Label, own bool) ui.Form {
	var choices []ui.Option
	if what != "" {
		choices = append(choices, ui.Option{Value: "", Word: "as the incident"})
	}
	for _, l := range tlp.Labels() {
		choices = append(choices, ui.Option{Value: string(l), Word: l.String() + ": " + l.Says(), Chosen: l == now && (what == "" || own)})
	}
	return ui.Form{ID: "label", Action: at + "/label", Button: "Set the label", Hidden: []ui.Option{{Word: "what", Value: what}}, Fields: []ui.Field{{Name: "label", Kind: "choice", Label: "Who may hear of it", Options: choices}, {Name: "reason", Label: "Why", Hint: "needed when more people may hear it than before"}}}
}

// typedLayout is how a form shows a time, in the reader's zone.
const typedLayout = "2006-01-02 15:04"

// when reads a time as people type it, in the reader's zone: now, 10 min ago, in 2 h, 14:32 (of today, or the last one when it is behind, the next when it is ahead), 2026-11-27
// 14:32, with Z at its end in UTC. Empty is zero.
func (v *visit) when(field, typed string, ahead bool) (time.Time, error) {
	t := strings.ToLower(strings.TrimSpace(typed))
	if t == "" {
		return time.Time{}, nil
	}
	if t == "now" {
		return v.now, nil
	}
	wrong := desk.FieldError{Field: field, Says: fmt.Sprintf("%q is no time; write now, 14:32, 10 min ago, in 2 h or 2026-11-27 14:32", typed)}
	if rest, ok := strings.CutSuffix(t, " ago"); ok {
		d, ok := spanOf(rest)
		if !ok {
			return time.Time{}, wrong
		}
		return v.now.Add(-d), nil
	}
	if rest, ok := strings.CutPrefix(t, "in "); ok {
		d, ok := spanOf(rest)
		if !ok {
			return time.Time{}, wrong
		}
		return v.now.Add(d), nil
	}
	zone := v.zone
	for _, utc := range []string{"z", " utc"} {
		if rest, ok := strings.CutSuffix(t, utc); ok {
			t, zone = rest, time.UTC
		}
	}
	for _, layout := range []string{"15:04", "15:04:05"} {
		if c, err := time.ParseInLocation(layout, t, zone); err == nil {
			now := v.now.In(zone)
			at := time.Date(now.Year(), now.Month(), now.Day(), c.Hour(), c.Minute(), c.Second(), 0, zone)
			switch {
			case ahead && at.Before(v.now):
				at = at.AddDate(0, 0, 1)
			case !ahead && at.After(v.now.Add(time.Minute)):
				at = at.AddDate(0, 0, -1)
			}
			return at, nil
		}
	}
	for _, layout := range []string{typedLayout, "2006-01-02 15:04:05", "2006-01-02t15:04", "2006-01-02t15:04:05"} {
		if at, err := time.ParseInLocation(layout, t, zone); err == nil {
			return at, nil
		}
	}
	return time.Time{}, wrong
}

// spanOf reads how long: 10 min, 2 h, 3 days.
func spanOf(s string) (time.Duration, bool) {
	n, unit := 0, ""
	if _, err := fmt.Sscanf(strings.TrimSpace(s), "%d%s", &n, &unit); err != nil {
		return 0, false
	}
	if n < 0 || n > 100_000 {
		return 0, false
	}
	switch strings.TrimSuffix(unit, "s") {
	case "", "s", "sec", "second":
		return time.Duration(n) * time.Second, true
	case "m", "min", "minute":
		return time.Duration(n) * time.Minute, true
	case "h", "hour":
		return time.Duration(n) * time.Hour, true
	case "d", "day":
		return time.Duration(n) * 24 * time.Hour, true
	}
	return 0, false
}
