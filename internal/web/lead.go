package web

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"tocsin/internal/auth"
	"tocsin/internal/desk"
	"tocsin/internal/entry"
	"tocsin/internal/incident"
	"tocsin/internal/plan"
	"tocsin/internal/playbook"
	"tocsin/internal/tlp"
	"tocsin/ui"
)

// What the page of an incident shows of its command at most.
const (
	cardsShown   = 3  // steps that the reader could do
	laneShown    = 5  // steps of a role
	sinceShown   = 12 // lines of a kind
	settledShown = 20 // decisions, questions, tasks that are over, the newest
	eachShown    = 50 // of each that are open
)

// tabs are the pages of an incident.
func tabs(st *desk.State, i *incident.Incident, current string) []ui.Tab {
	at := fmt.Sprintf("/incidents/%d", i.ID)
	count := func(n int) string {
		if n == 0 {
			return ""
		}
		return ui.Number(int64(n))
	}
	files := 0
	for _, p := range st.Incidents.Parts(i.ID) {
		files += len(p.Command().Files)
	}
	near, _ := st.Incidents.Related(i.ID, 9)
	out := []ui.Tab{{Word: "Work", Href: at}, {Word: "Triage", Href: at + "/triage"}, {Word: "Cause and lessons", Href: at + "/cause"},
		{Word: "Review", Href: at + "/review", Count: count(len(st.Reviews.MeasuresOf(i.ID)))}, {Word: "Files", Href: at + "/files", Count: count(files)}, {Word: "Related", Href: at + "/related", Count: count(len(near))}}
	for k := range out {
		out[k].Current = out[k].Word == current
	}
	return out
}

// caseHead is what stands above the further pages of an incident.
func (s *Server) caseHead(st *desk.State, i *incident.Incident, current string) ui.CaseHead {
	return ui.CaseHead{ID: fmt.Sprint(i.ID), Severity: ui.Severity(i.Severity), Incident: i.Title, State: s.incidentState(st, i), Label: label(st.Incidents.Label(i.ID, "")), Tabs: tabs(st, i, current)}
}

// label words a label of the Traffic Light Protocol.
func label(l tlp.Label) ui.Label { return ui.Label{Word: l.String(), Says: l.Says()} }

// oneself is what the reader may do in an incident, and as whom.
type oneself struct {
	roles   []string // whose steps are theirs: those that they hold in the incident, and those of theirs on the team that nobody holds there and nobody else has
	speaks  []string // for which they may agree: those that they hold or have on the team
	sole    []string // of these, for which nobody else can
	holds   bool     // they hold one in the incident
	handle  bool
	note    bool
	command bool // they keep what only the Commander keeps
}

// self says who the reader is in an incident. It asks the desk, so it is called outside of Read.
func (s *Server) self(v *visit, id int64) oneself {
	me := oneself{handle: s.desk.MayOn(v.actor, auth.Handle, id) == nil, note: s.desk.MayOn(v.actor, auth.Note, id) == nil}
	s.desk.ReadAs(v.actor, func(st *desk.State) {
		i, err := st.Incidents.Get(st.Incidents.Root(id))
		if err != nil {
			return
		}
		held := i.RolesOf(v.actor.ID)
		me.roles, me.speaks, me.holds = desk.OwnRoles(st, v.actor, i), slices.Concat(held, v.actor.Roles), len(held) > 0
		if me.holds { // who has a role here leaves those that nobody holds yet to others on the team, if there are any: one person is not to do all
			me.roles = slices.DeleteFunc(me.roles, func(role string) bool { return !slices.Contains(held, role) && anotherHas(st, v.actor.ID, role) })
		}
		for _, role := range slices.Compact(slices.Sorted(slices.Values(me.speaks))) {
			if h := i.Roles[role]; !anotherHas(st, v.actor.ID, role) && (h.Person == "" || h.Person == v.actor.ID) && !slices.ContainsFunc(h.Deputies, func(id string) bool { return id != v.actor.ID }) {
				me.sole = append(me.sole, role)
			}
		}
		me.command = me.note && i.Commands(v.actor.ID, desk.CanHold(st, id))
	})
	return me
}

// anotherHas reports whether somebody else on the team has a role.
func anotherHas(st *desk.State, id, role string) bool {
	for _, p := range st.Plan.People {
		if p.ID != id && !p.Gone && slices.Contains(p.Roles, role) {
			return true
		}
	}
	return false
}

// has reports whether the reader has a role.
func (me oneself) has(role string) bool { return slices.Contains(me.roles, role) }

// A working is a step of a run.
type working struct {
	run *playbook.Run
	at  int64 // the incident that it is worked on in
	playbook.Status
}

func (w working) href() string {
	return fmt.Sprintf("/incidents/%d/steps/%d/%s", w.at, w.run.ID, w.ID)
}

// agrees reports whether somebody with the roles may agree to the step now.
func (w working) agrees(me oneself, id string) bool {
	return w.Approval != "" && slices.Contains(me.speaks, w.Approval) && !(w.State == playbook.Taken && w.Person == id)
}

// mine orders what a reader can do: an agreement that somebody waits for, what they have taken, what is ready for their roles. What only they can agree to is
// for another to do, because they must be two.
func mine(runs []*playbook.Run, at int64, me oneself, id string, now time.Time) (out []working) {
	var all []working
	for _, r := range runs {
		if r.Stopped {
			continue
		}
		for _, x := range r.Open(now) {
			all = append(all, working{r, at, x})
		}
	}
	for _, is := range []func(working) bool{
		func(w working) bool { return w.State == playbook.Taken && w.agrees(me, id) },
		func(w working) bool { return w.State == playbook.Taken && w.Person == id && w.Approval == "" },
		func(w working) bool {
			return w.State == playbook.Ready && w.Approval == "" && me.has(w.Role) && !w.agreed(id) && !slices.Contains(me.sole, w.Approve)
		},
		func(w working) bool {
			return w.State == playbook.Ready && w.Approval != "" && me.has(w.Role) && !w.agrees(me, id)
		},
		func(w working) bool { return w.State == playbook.Ready && w.agrees(me, id) },
	} {
		for _, w := range all {
			if is(w) {
				out = append(out, w)
			}
		}
	}
	return out
}

// agreed reports whether a person agreed to a step: another does it then.
func (w working) agreed(id string) bool {
	m := w.run.Marks[w.ID]
	return m != nil && m.Approved == id
}

// stepState words where a step stands.
func (s *Server) stepState(v *visit, st *desk.State, x playbook.Status) ui.State {
	switch {
	case x.State == playbook.Done:
		return ui.State{Tone: "good", Word: "done"}
	case x.State == playbook.Skipped || x.State == playbook.NotNeeded:
		return ui.State{Tone: "off", Word: x.State}
	case x.State == playbook.Denied:
		return ui.State{Tone: "bad", Word: "refused"}
	case x.State == playbook.Waiting:
		return ui.State{Tone: "off", Word: "waits"}
	case x.Late:
		return ui.State{Tone: "bad", Word: "late"}
	case x.Approval != "" && x.State == playbook.Taken:
		return ui.State{Tone: "late", Word: "waits for agreement"}
	case x.State == playbook.Taken && x.Person == v.actor.ID:
		return ui.State{Tone: "busy", Word: "you do it"}
	case x.State == playbook.Taken:
		return ui.State{Tone: "busy", Word: "in work"}
	}
	return ui.State{Tone: "late", Word: "ready"}
}

func (s *Server) stepCard(v *visit, st *desk.State, w working, me oneself) ui.StepCard {
	c := ui.StepCard{Href: w.href(), What: w.What, Why: w.Why, Done: w.Done, Role: plan.RoleWord(w.Role), State: s.stepState(v, st, w.Status), Due: v.at(w.Due), Late: w.Late, Button: "Do this step"}
	switch {
	case w.agrees(me, v.actor.ID) && (w.State == playbook.Taken || !me.has(w.Role)):
		c.Button, c.Role = "Agree or refuse", c.Role+" asks the "+plan.RoleWord(w.Approval)
	case w.State == playbook.Taken:
		c.Button = "Go on with this step"
	}
	return c
}

// fillLead words how an incident is commanded. Without a playbook in the plan and without anything written it still has its forms.
func (s *Server) fillLead(v *visit, st *desk.State, i *incident.Incident, me oneself, view *ui.IncidentView) {
	l := &view.Lead
	l.Tabs, l.Label = tabs(st, i, "Work"), label(st.Incidents.Label(i.ID, ""))
	for _, p := range st.Incidents.Parts(i.ID) {
		n := len(p.Command().Statements)
		if n == 0 || len(l.Statement) > 0 {
			continue
		}
		w := p.Command().Statements[n-1]
		for line := range strings.Lines(s.desk.Text(w.What.Text)) {
			l.Statement = append(l.Statement, ui.Visible(strings.TrimSpace(line)))
		}
		l.StatedBy, l.Stated = s.actorName(st, w.By), v.at(w.At)
	}
	l.Scope, l.ScopeTone = desk.ScopeWord(i.Scope())
	runs := st.RunsOf(i.ID)
	open := mine(runs, i.ID, me, v.actor.ID, v.now)
	if !i.Closed && i.Merged == 0 {
		if i.Scope() == incident.Unknown && me.note {
			l.Ask = scopeAsk(i.ID)
		}
		for k, w := range open[:min(len(open), cardsShown)] {
			card := s.stepCard(v, st, w, me)
			card.Main = k == 0
			l.Steps = append(l.Steps, card)
		}
		s.fillLanes(v, st, i, runs, me, l)
	}
	for _, r := range runs {
		l.Runs = append(l.Runs, s.runRow(v, st, r, me))
	}
	s.fillWatch(v, st, i, me, l)
	l.Decisions = s.decisionRows(v, st, i, me, l)
	l.Questions = s.questionRows(v, st, i, me, l)
	l.Handovers = s.handoverRows(v, st, i, me, l)
	l.Tasks = s.taskRows(v, st, i, me, l)
	l.More = openPager(v, l.Open)
	s.leadForms(v, st, i, me, l)
	if me.note && i.Merged == 0 {
		l.State = append(l.State, s.affectedFold(i))
	}
}

// fillLanes fills the lanes of the roles and the clocks.
func (s *Server) fillLanes(v *visit, st *desk.State, i *incident.Incident, runs []*playbook.Run, me oneself, l *ui.Lead) {
	canHold := desk.CanHold(st, i.ID)
	going := false
	for _, role := range plan.ResponseRoles() {
		lane := ui.Lane{Role: plan.RoleWord(role), Mine: me.has(role)}
		holder := ""
		if p, gap := i.Roles[role].Held(canHold); !gap {
			holder = s.name(st, p)
		}
		lane.Holder = holder
		done, all, waits := 0, 0, 0
		for _, r := range runs {
			if r.Stopped {
				continue
			}
			going = true
			for _, x := range r.Look(v.now) {
				if x.Role != role || x.State == playbook.NotNeeded {
					continue
				}
				all++
				w := working{r, i.ID, x}
				switch {
				case playbook.Settled(x.State):
					done++
				case x.State == playbook.Waiting || len(lane.Rows) >= laneShown:
					waits++
				default:
					row := ui.LaneStep{Href: w.href(), What: x.What, State: s.stepState(v, st, x), Due: v.at(x.Due)}
					if x.State == playbook.Taken {
						row.Who = s.name(st, x.Person)
					}
					lane.Rows = append(lane.Rows, row)
				}
				if !playbook.Settled(x.State) && x.State != playbook.Waiting && !x.Due.IsZero() {
					l.Clocks = append(l.Clocks, ui.Clock{What: x.What, Href: w.href(), Who: lane.Role + ": " + orElse(holder, "nobody"), Due: v.at(x.Due), Late: x.Late})
				}
			}
		}
		if all > 0 {
			lane.Count = fmt.Sprintf("%d of %d done", done, all)
		}
		if waits > 0 {
			lane.More = ui.Plural(int64(waits), "more waits for others", "more wait for others")
		}
		l.Lanes = append(l.Lanes, lane)
	}
	if !going {
		l.Lanes = nil // who holds which role stands below
	}
	tasks := slices.DeleteFunc(each(st, i, func(c *incident.Command) []incident.Task { return c.Tasks }), func(t incident.Task) bool { return !t.Open() || t.Due.IsZero() })
	slices.SortStableFunc(tasks, func(a, b incident.Task) int { return a.Due.Compare(b.Due) })
	for _, t := range tasks[:min(len(tasks), eachShown)] {
		l.Clocks = append(l.Clocks, ui.Clock{What: s.desk.Text(t.Title), Href: onPage("#task-" + place(st, t.Incident, t.ID)), Who: s.taskWho(st, t.Person, t.Role), Due: v.at(t.Due), Late: v.now.After(t.Due)})
	}
	slices.SortStableFunc(l.Clocks, func(a, b ui.Clock) int { return strings.Compare(a.Due.UTC, b.Due.UTC) })
}

// runRow words a run of a playbook.
func (s *Server) runRow(v *visit, st *desk.State, r *playbook.Run, me oneself) ui.RunRow {
	row := ui.RunRow{Title: r.Playbook, Href: "/plan/" + r.Playbook + "?revision=" + r.Revision, Revision: shortRevision(r.Revision), State: ui.State{Tone: "busy", Word: playbook.PhaseWord(r.Phase())}}
	if b := r.Book(); b != nil {
		row.Title = b.Title
	}
	done, all := 0, 0
	for _, x := range r.Look(v.now) {
		if x.State != playbook.NotNeeded {
			all++
		}
		if x.State != playbook.NotNeeded && playbook.Settled(x.State) {
			done++
		}
	}
	row.Says = fmt.Sprintf("%d of %d steps done", done, all)
	switch {
	case r.Stopped:
		row.State = ui.State{Tone: "off", Word: "stopped"}
	case r.Over():
		row.State = ui.State{Tone: "good", Word: "all done"}
	}
	if i, err := st.Incidents.Get(r.Incident); err != nil || i.Closed || r.Stopped || !me.handle {
		return row
	}
	at := fmt.Sprintf("/incidents/%d/runs/%d/", r.Incident, r.ID)
	if b := st.Runs.Books[r.Playbook]; b != nil && b.Current() != r.Revision {
		row.Folds = append(row.Folds, ui.Fold{Summary: "A newer revision stands: take this incident to it", Form: ui.Form{ID: fmt.Sprintf("move-%d", r.ID), Action: at + "move", Button: "Go on by the newer one", Hint: "What is done stays done. Steps that are new are to be done, too.",
			Hidden: []ui.Option{{Word: "to", Value: b.Current()}}, Fields: []ui.Field{why("Why")}}})
	}
	if others := s.idle(st, r.Incident); len(others) > 0 {
		row.Folds = append(row.Folds, ui.Fold{Summary: "Another playbook fits better", Form: ui.Form{ID: fmt.Sprintf("switch-%d", r.ID), Action: at + "switch", Button: "Switch to it", Hint: "This one stops. What was done stays in the timeline; answers and evidence stay with the incident.", Fields: []ui.Field{{Name: "playbook", Kind: "choice", Label: "Go on by", Options: others}, why("Why")}}})
	}
	row.Folds = append(row.Folds, ui.Fold{Summary: "Stop it: no playbook fits", Form: ui.Form{ID: fmt.Sprintf("stop-%d", r.ID), Action: at + "stop", Button: "Stop it", Danger: true, Fields: []ui.Field{why("Why")}}})
	return row
}

// shortRevision is as much of a revision as people compare.
func shortRevision(r string) string { return r[:min(8, len(r))] }

// why is the field for a reason.
func why(labelled string) ui.Field {
	return ui.Field{Name: "reason", Kind: "lines", Label: labelled, Rows: 2, Need: true}
}

func scopeAsk(id int64) ui.ScopeAsk {
	return ui.ScopeAsk{Action: fmt.Sprintf("/incidents/%d/scope", id), Answers: options("", "site-only", "Only the site", "customers", "Customers too")}
}

// fillSince words what changed since the reader looked.
func (s *Server) fillSince(v *visit, st *desk.State, id, n int64, l *ui.Lead) {
	groups, err := st.Incidents.Since(id, n)
	if err != nil || n == 0 {
		return
	}
	count := 0
	for _, g := range groups {
		x := ui.SinceGroup{Word: desk.Title(kindWords(g.Kind))}
		count += len(g.Lines)
		for _, line := range slices.Backward(g.Lines[max(0, len(g.Lines)-sinceShown):]) {
			x.Lines = append(x.Lines, s.moment(v, st, line.Mark))
		}
		if more := len(g.Lines) - len(x.Lines); more > 0 {
			x.More = "and " + ui.Number(int64(more)) + " earlier"
		}
		l.Since.Groups = append(l.Since.Groups, x)
	}
	if deeds := deedsOf(st, id, n, ""); len(deeds) > 0 {
		x := ui.SinceGroup{Word: "Steps of the playbook"}
		count += len(deeds)
		for _, d := range slices.Backward(deeds[max(0, len(deeds)-sinceShown):]) {
			x.Lines = append(x.Lines, s.deedMoment(v, st, d.run, d.Deed))
		}
		if more := len(deeds) - len(x.Lines); more > 0 {
			x.More = "and " + ui.Number(int64(more)) + " earlier"
		}
		l.Since.Groups = append([]ui.SinceGroup{x}, l.Since.Groups...)
	}
	if count > 0 {
		l.Since.Says = ui.Plural(int64(count), "change", "changes") + " since you looked last"
		l.Since.Seen = ui.Form{ID: "seen", Action: fmt.Sprintf("/incidents/%d/seen", id), Hidden: []ui.Option{{Word: "seen", Value: fmt.Sprint(st.Entries)}}, Button: "I have seen it"}
	}
}

// nextForMe is the one thing that the reader does now, when it is no step of a playbook; ok is false when it is one, or nothing.
func (s *Server) nextForMe(v *visit, st *desk.State, i *incident.Incident, me oneself, suggested []string, l *ui.Lead) (n ui.Next, ok bool) {
	at := fmt.Sprintf("/incidents/%d", i.ID)
	for _, h := range each(st, i, func(c *incident.Command) []incident.Handover { return c.Handovers }) {
		if h.Open() && h.To == v.actor.ID {
			return ui.Next{Says: s.name(st, h.From) + " hands over to you: " + s.desk.Text(h.Text), Button: "I have read it and take over", Action: fmt.Sprintf("/incidents/%d/handovers/%d/take", h.Incident, h.ID), Fields: []ui.Option{}, Urgent: true}, true
		}
	}
	runs := st.RunsOf(i.ID)
	going := slices.ContainsFunc(runs, func(r *playbook.Run) bool { return !r.Stopped })
	if !going && me.handle && len(suggested) > 0 {
		if b := bookOf(st, suggested[0]); b != nil {
			return ui.Next{Says: "This looks like: " + b.Title + ". " + b.Summary, Button: "Begin the playbook", Action: at + "/begin", Fields: []ui.Option{{Word: "playbook", Value: suggested[0]}}}, true
		}
	}
	if going && !me.holds {
		canHold := desk.CanHold(st, i.ID)
		for _, role := range me.roles {
			if _, gap := i.Roles[role].Held(canHold); gap && slices.ContainsFunc(runs, func(r *playbook.Run) bool { return waitsFor(r, role, v.now) }) {
				return ui.Next{Says: "Nobody is " + plan.RoleWord(role) + " in this incident yet, and its steps wait.", Button: "I am " + plan.RoleWord(role), Action: at + "/role/take", Fields: []ui.Option{{Word: "role", Value: role}, {Word: "deputy"}}}, true
			}
		}
	}
	if phase, ok := ahead(runs, i.Phase); ok && me.handle && me.has(plan.Commander) {
		return ui.Next{Says: "The steps of " + i.Phase + " are done. The times of the report hang on the phase.", Button: "Go on to " + phase, Action: at + "/phase", Fields: []ui.Option{{Word: "phase", Value: phase}}}, true
	}
	if len(l.Steps) > 0 {
		return ui.Next{}, false
	}
	if going && me.command && me.has(plan.Commander) && len(i.Command().Statements) == 0 && i.Phase != incident.Phases()[0] && len(l.State) > 0 {
		l.State[0].Open, l.State[0].Form.Main, l.State[0].Form.Next = true, true, true // nothing else waits for them: everybody who comes later reads it first
		return ui.Next{}, true
	}
	for _, q := range each(st, i, func(c *incident.Command) []incident.Question { return c.Questions }) {
		if q.Open() && q.Role != "" && me.has(q.Role) {
			return ui.Next{Says: "A question for you: " + s.desk.Text(q.Text), Button: "Answer it", Action: "#question-" + place(st, q.Incident, q.ID), Get: true, Fields: []ui.Option{{Word: "at", Value: "question-" + place(st, q.Incident, q.ID)}}}, true
		}
	}
	for _, d := range each(st, i, func(c *incident.Command) []incident.Decision { return c.Decisions }) {
		if d.Open() && me.has(plan.Commander) {
			return ui.Next{Says: "To be decided: " + s.desk.Text(d.Text), Button: "Decide it", Action: "#decision-" + place(st, d.Incident, d.ID), Get: true, Fields: []ui.Option{{Word: "at", Value: "decision-" + place(st, d.Incident, d.ID)}}}, true
		}
	}
	if over := going && !slices.ContainsFunc(runs, func(r *playbook.Run) bool { return !r.Stopped && !r.Over() }); over && me.handle {
		return s.nextToClose(st, i, at), true
	}
	for _, r := range runs {
		if !r.Stopped {
			for _, w := range r.Waits(v.now) {
				l.Waits = append(l.Waits, s.named(st, w))
			}
		}
	}
	l.Waits = l.Waits[:min(len(l.Waits), 8)]
	return ui.Next{}, going
}

// ahead is the phase in which the playbooks are, when it is behind the phase in which the incident is.
func ahead(runs []*playbook.Run, now string) (phase string, ok bool) {
	phases := incident.Phases()
	least := len(phases)
	for _, r := range runs {
		if r.Stopped {
			continue
		}
		p := r.Phase()
		if p == playbook.Short || p == playbook.Long {
			p = "containment"
		}
		if k := slices.Index(phases, p); k >= 0 {
			least = min(least, k)
		}
	}
	if least == len(phases) || least <= slices.Index(phases, now) {
		return "", false
	}
	return phases[least], true
}

// nextToClose leads through what an incident needs to be closed.
func (s *Server) nextToClose(st *desk.State, i *incident.Incident, at string) ui.Next {
	lacking := st.Incidents.Lacking(i.ID, "true")
	if v, ok := i.Fact(incident.Verdict); ok && v.What.Value == incident.FalseAlarm {
		lacking = nil
	}
	switch {
	case slices.Contains(lacking, "cause"):
		return ui.Next{Says: "All steps are done. Next: write down what it came from.", Button: "Write the root cause", Action: at + "/cause", Get: true}
	case slices.Contains(lacking, "lessons"):
		return ui.Next{Says: "All steps are done. Next: write down what was learnt.", Button: "Write the lessons", Action: at + "/cause#lessons", Get: true}
	}
	return ui.Next{Says: "All steps are done. Close the incident.", Button: "Close the incident", Action: at + "/close", Get: true}
}

// waitsFor reports whether a step of a role can be done now.
func waitsFor(r *playbook.Run, role string, now time.Time) bool {
	return !r.Stopped && slices.ContainsFunc(r.Open(now), func(x playbook.Status) bool { return x.Role == role && x.State == playbook.Ready || x.Approval == role })
}

// bookOf is the current revision of a playbook; nil when there is none that can be read.
func bookOf(st *desk.State, id string) *playbook.Playbook {
	b := st.Runs.Books[id]
	if b == nil || st.Runs.Text == nil {
		return nil
	}
	return st.Runs.Text(b.Current())
}

// named puts the names of people and roles into a sentence of a run, which names them by their ids.
func (s *Server) named(st *desk.State, sentence string) string {
	for _, r := range plan.ResponseRoles() {
		sentence = strings.ReplaceAll(sentence, "the "+r+".", "the "+plan.RoleWord(r)+".")
	}
	if head, id, ok := strings.Cut(strings.TrimSuffix(sentence, "."), " is being done by "); ok {
		return head + " is being done by " + s.name(st, id) + "."
	}
	return sentence
}

// taskWho is who has a task.
func (s *Server) taskWho(st *desk.State, person, role string) string {
	if person != "" {
		return s.name(st, person)
	}
	return plan.RoleWord(role)
}

// openFirst returns a page of what is open, the newest first, and on the first page the newest of what is over. A form that comes back with a mistake is on the
// page whatever its place: then all that is open is there. What the address asks for by at (question-5, as name has it) is on the page, too, whatever its place.
func openFirst[T any](v *visit, l *ui.Lead, all []T, open func(*T) bool, name func(*T) string) (out []*T) {
	var over []*T
	at := v.r.URL.Query().Get("at")
	for k := len(all) - 1; k >= 0; k-- {
		switch {
		case open(&all[k]):
			out = append(out, &all[k])
		case len(over) < settledShown || at != "" && name(&all[k]) == at:
			over = append(over, &all[k])
		}
	}
	page := 0
	if v.r.Method == http.MethodGet {
		page, _ = strconv.Atoi(v.r.URL.Query().Get("open"))
		page = min(max(page-1, 0), pagesMost)
		if k := slices.IndexFunc(out, func(x *T) bool { return at != "" && name(x) == at }); k >= 0 {
			page = k / eachShown
		}
		l.Open = max(l.Open, len(out))
		out = out[min(page*eachShown, len(out)):min((page+1)*eachShown, len(out))]
	}
	if page == 0 {
		out = append(out, over...)
	}
	return out
}

// openPager leads through what is open, when it is more than a page shows of one list.
func openPager(v *visit, most int) (p ui.Pager) {
	page, _ := strconv.Atoi(v.r.URL.Query().Get("open"))
	page = max(page-1, 0)
	if most <= eachShown && page == 0 {
		return p
	}
	p.Says = fmt.Sprintf("Decisions, questions, hand-overs and tasks that are open: page %d, the newest first.", page+1)
	if page > 0 {
		p.Prev = with(v, "open", strconv.Itoa(page))
	}
	if (page+1)*eachShown < most {
		p.Next = with(v, "open", strconv.Itoa(page+2))
	}
	return p
}

// reply names who answered, decided or ended something.
func (s *Server) reply(st *desk.State, w *incident.Written[entry.Reply]) string {
	return s.name(st, orElse(w.What.Person, strings.TrimPrefix(w.By, "person:")))
}
