package api

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"tocsin/internal/auth"
	"tocsin/internal/client"
	"tocsin/internal/desk"
	"tocsin/internal/entry"
	"tocsin/internal/incident"
	"tocsin/internal/playbook"
	"tocsin/internal/tlp"
)

// How an incident is commanded, for programs. A token is no person who signed in, so what is labelled RED is not told to it: in place of the words stands why.

// relatedAtMost is how many related incidents one answer has.
const relatedAtMost = 50

// What requests say.
type (
	workQuery struct {
		Most int `query:"most" minimum:"1" maximum:"1000" default:"100" doc:"how many the answer has at most"`
	}
	part2With[B any] struct {
		ID     int64 `path:"id" minimum:"1" doc:"its number"`
		Number int64 `path:"number" minimum:"1" doc:"of the decision, question, task, hand-over, note or attachment"`
		Body   B
	}
	stating struct {
		Text string `json:"text" minLength:"1" maxLength:"2000" doc:"what is known, in at most three sentences"`
		Seen int64  `json:"seen,omitempty" doc:"entry of the version that you looked at; 0 is none"`
	}
	triaging struct {
		Verdict   string    `json:"verdict" enum:"real,false-alarm,unknown"`
		Why       string    `json:"why" minLength:"1" maxLength:"10000" doc:"the reason, for the ledger"`
		Exception string    `json:"exception,omitempty" maxLength:"100" doc:"of a false alarm: the key of the exception that keeps the rule quiet; empty is none"`
		Until     time.Time `json:"until,omitzero" doc:"when the exception ends"`
	}
	scoping struct {
		Scope string `json:"scope" enum:"site-only,customers,unknown" doc:"whom it touches"`
		Why   string `json:"why,omitempty" maxLength:"10000" doc:"why it is another answer now"`
	}
	labelling struct {
		What  string `json:"what,omitempty" maxLength:"60" doc:"empty is the incident; note:N, attachment:N, decision:N, question:N, task:N, handover:N, statement, cause, lessons, affected"`
		Label string `json:"label" maxLength:"16" doc:"CLEAR, GREEN, AMBER, AMBER+STRICT, RED; empty takes the thing's own away"`
		Why   string `json:"why,omitempty" maxLength:"10000" doc:"the reason; needed when more people may hear it than before"`
	}
	merging struct {
		Into int64  `json:"into" minimum:"1" doc:"the incident of which it becomes part"`
		Why  string `json:"why" minLength:"1" maxLength:"10000" doc:"the reason, for the ledger"`
	}
	watching struct {
		Until time.Time `json:"until,omitzero" doc:"until when; without it the watch ends now"`
		Why   string    `json:"why" minLength:"1" maxLength:"10000" doc:"the reason, for the ledger"`
	}
	timelineQuery struct {
		ID     int64  `path:"id" minimum:"1" doc:"its number"`
		After  int64  `query:"after" minimum:"0" doc:"behind this entry only: what changed since"`
		Role   string `query:"role" maxLength:"20" doc:"whose work it is about"`
		Pinned bool   `query:"pinned" doc:"what is pinned only"`
		Lived  bool   `query:"lived" doc:"in the order in which it happened, in place of that in which it was learned"`
		ListQuery
	}
	// A Timeline is the lines of an incident, and of those that are one with it.
	Timeline struct {
		Lines []TimelineLine `json:"lines"`
		All   int            `json:"all"`
	}
	// A TimelineLine is one of them.
	TimelineLine struct {
		client.IncidentMoment
		Incident int64  `json:"incident"`
		Role     string `json:"role,omitempty"`
		Pinned   bool   `json:"pinned,omitempty"`
		Edited   int    `json:"edited,omitempty"` // how often a note was edited
	}
	// An Exception is what could keep a rule quiet about somebody.
	Exception struct {
		Key     string `json:"key"` // names it while its rule and whom it is about stay the same
		Rule    string `json:"rule"`
		Title   string `json:"title"`
		Address string `json:"address,omitempty"`
		Account string `json:"account,omitempty"`
		Own     bool   `json:"own,omitempty"`    // the address is in our own network
		Shared  bool   `json:"shared,omitempty"` // many customers share it
		Alerts  int    `json:"alerts"`           // that it would have kept quiet
		Known   bool   `json:"known"`            // without its names nothing can be excepted
	}
)

// commandOperations are those of an incident as a whole.
func commandOperations(t *table) {
	o := get("/work", "listWork", "List what one has to do across incidents, what is late first")
	o.need = auth.See
	add(t, o, func(a ask, in *workQuery) (client.Works, error) {
		out := client.Works{Work: []client.Work{}}
		work, all := a.desk.MyWork(a.actor, in.Most)
		out.All = all
		for _, w := range work {
			x := client.Work{Incident: w.Incident, Title: w.Title, What: w.What, ID: w.ID, Step: w.Step, Text: w.Text, Role: w.Role, Due: w.Due, Since: w.Since, Late: w.Late}
			if says := a.kept(w.Incident, ""); says != "" {
				x.Title, x.Text = says, ""
			} else if says := a.kept(w.Incident, subject(w.What, w.ID)); says != "" && w.Step == "" {
				x.Text = says
			}
			out.Work = append(out.Work, x)
		}
		return out, nil
	})
	o = get("/incidents/{id}/command", "getCommand", "Show what people wrote of an incident, and its runs of playbooks")
	o.need = auth.See
	add(t, o, func(a ask, in *numbered) (client.Command, error) { return command(a, in.ID) })
	o = get("/incidents/{id}/timeline", "getTimeline", "Show the timeline of an incident, and of those that are one with it")
	o.need = auth.See
	add(t, o, timeline)
	o = get("/incidents/{id}/exceptions", "listExceptions", "List what could keep the rules of an incident quiet about somebody")
	o.need = auth.Tune
	add(t, o, func(a ask, in *numbered) ([]Exception, error) {
		rows, err := a.desk.Exceptions(a.actor, in.ID)
		out := []Exception{}
		for _, x := range rows {
			out = append(out, Exception{Key: x.Key(), Rule: x.Rule, Title: x.Title, Address: x.Address, Account: x.Account, Own: x.Own, Shared: x.Shared, Alerts: len(x.Alerts), Known: x.Known})
		}
		return out, err
	})
	onIncident(t, "state", "putKnown", "Say what is known of an incident, in at most three sentences", auth.Note, func(a ask, id int64, x stating) error {
		if err := a.unshown(id, "statement"); err != nil {
			return err
		}
		return a.desk.State(a.actor, id, x.Seen, x.Text)
	})
	onIncident(t, "triage", "triage", "Say whether an incident is real or a false alarm", auth.Handle, func(a ask, id int64, x triaging) error {
		var mute *desk.TriageMute
		if x.Exception != "" {
			mute = &desk.TriageMute{Exception: x.Exception, Until: x.Until}
		}
		return a.desk.Triage(a.actor, id, x.Verdict, x.Why, mute)
	})
	onIncident(t, "scope", "setScope", "Say whom an incident touches", auth.Note, func(a ask, id int64, x scoping) error {
		return a.desk.SetScope(a.actor, id, x.Scope, x.Why)
	})
	onIncident(t, "cause", "putCause", "Say what an incident came from: whys and a fishbone", auth.Note, func(a ask, id int64, x client.Cause) error {
		if err := a.unshown(id, "cause"); err != nil {
			return err
		}
		return a.desk.PutCause(a.actor, id, desk.CauseText{Class: x.Class, Sum: x.Sum, Whys: grounds(x.Whys), Bones: grounds(x.Bones), Before: x.Seen})
	})
	onIncident(t, "lessons", "putLessons", "Say what was learnt from an incident", auth.Note, func(a ask, id int64, x client.Lessons) error {
		if err := a.unshown(id, "lessons"); err != nil {
			return err
		}
		return a.desk.PutLessons(a.actor, id, desk.LessonsText{Well: x.Well, Badly: x.Badly, Follows: x.Follows, Before: x.Seen})
	})
	onIncident(t, "affected", "putAffected", "Say which systems, data and people an incident touched, and what it cost", auth.Note, func(a ask, id int64, x client.Affected) error {
		if err := a.unshown(id, "affected"); err != nil {
			return err
		}
		return a.desk.PutAffected(a.actor, id, desk.AffectedText{Systems: strings.Join(x.Systems, "\n"), Data: strings.Join(x.Data, "\n"), People: strings.Join(x.People, "\n"), Costs: strings.Join(x.Costs, "\n"), Before: x.Seen})
	})
	onIncident(t, "label", "setLabel", "Say to whom an incident, or a thing in it, may be told (TLP 2.0)", auth.Note, func(a ask, id int64, x labelling) error {
		return a.desk.SetLabel(a.actor, id, x.What, x.Label, x.Why)
	})
	onIncident(t, "merge", "mergeIncident", "Make an incident part of another", auth.Handle, func(a ask, id int64, x merging) error {
		return a.desk.Merge(a.actor, id, x.Into, x.Why)
	})
	onIncident(t, "unmerge", "unmergeIncident", "Make a merged incident stand alone again", auth.Handle, func(a ask, id int64, x client.Reason) error {
		return a.desk.Unmerge(a.actor, id, x.Why)
	})
	onIncident(t, "watch", "watchReturn", "Extend the watch for the return of an incident, or end it", auth.Handle, func(a ask, id int64, x watching) error {
		if x.Until.IsZero() {
			return a.desk.EndWatch(a.actor, id, x.Why)
		}
		return a.desk.ExtendWatch(a.actor, id, x.Until, x.Why)
	})
}

// onIncident registers an act on an incident.
func onIncident[B any](t *table, path, id, sum string, need auth.Action, do func(a ask, id int64, x B) error) {
	o := post("/incidents/{id}/"+path, id, sum)
	o.need = need
	act(t, o, func(a ask, in *numberedWith[B]) error { return do(a, in.ID, in.Body) })
}

// onPart registers an act on a numbered part of an incident.
func onPart[B any](t *table, path, id, sum string, do func(a ask, id, number int64, x B) error) {
	o := post("/incidents/{id}/"+path, id, sum)
	o.need = auth.Note
	act(t, o, func(a ask, in *part2With[B]) error { return do(a, in.ID, in.Number, in.Body) })
}

// makes registers an act that numbers what it makes.
func makes[B any](t *table, path, id, sum string, do func(a ask, id int64, x B) (int64, error)) {
	o := post("/incidents/{id}/"+path, id, sum)
	o.need = auth.Note
	add(t, o, func(a ask, in *numberedWith[B]) (client.Numbered, error) {
		n, err := do(a, in.ID, in.Body)
		return client.Numbered{ID: n}, err
	})
}

// makesOn registers an act on a numbered part that numbers what it makes.
func makesOn[B any](t *table, path, id, sum string, do func(a ask, id, number int64, x B) (int64, error)) {
	o := post("/incidents/{id}/"+path, id, sum)
	o.need = auth.Note
	add(t, o, func(a ask, in *part2With[B]) (client.Numbered, error) {
		n, err := do(a, in.ID, in.Number, in.Body)
		return client.Numbered{ID: n}, err
	})
}

func grounds(of []client.Ground) (out []desk.ReasonText) {
	for _, g := range of {
		r := desk.ReasonText{Branch: g.Branch, Text: g.Text}
		for _, l := range g.Links {
			r.Links = append(r.Links, entry.Link{Kind: l.Kind, Ref: l.Ref})
		}
		out = append(out, r)
	}
	return out
}

// kept says why words of an incident are not told to a token, "" if they are.
func (a ask) kept(id int64, what string) (says string) {
	if a.actor.Scope == nil {
		return ""
	}
	a.desk.Read(func(s *desk.State) {
		if l := s.Incidents.Label(id, what); !tlp.MayLeave(l, tlp.Export) {
			says = tlp.Refusal(l, tlp.Export)
		}
	})
	return says
}

// unshown refuses to write in the place of words that are not told to a token: who did not see them would erase them, and what they are would come back as what
// another wrote first. Where nothing is written yet, anybody who may writes the first.
func (a ask) unshown(id int64, what string) (err error) {
	if a.actor.Scope == nil {
		return nil
	}
	a.desk.ReadAs(a.actor, func(s *desk.State) {
		for _, part := range s.Incidents.Parts(id) { // what is written of a part stands for the whole
			c := part.Command()
			written := map[string]int{"statement": len(c.Statements), "cause": len(c.Causes), "lessons": len(c.Lessons), "affected": len(c.Affected)}[what] > 0
			if part.ID == id { // a number is the incident's own
				written = written || slices.ContainsFunc(c.Tasks, func(t incident.Task) bool { return subject("task", t.ID) == what }) ||
					slices.ContainsFunc(part.Timeline, func(m incident.Mark) bool { return subject("note", m.N) == what })
			}
			if l := s.Incidents.Label(part.ID, what); written && !tlp.MayLeave(l, tlp.Export) {
				err = desk.Withheld{Incident: part.ID, Label: l, Exit: tlp.Export}
			}
		}
	})
	return err
}

// word reads what a person wrote, or says why it is not told.
func (a ask) word(id int64, what, vault string) string {
	if says := a.kept(id, what); says != "" && vault != "" {
		return says
	}
	return a.desk.Text(vault)
}

// timeline answers with a part of a timeline, the oldest first.
func timeline(a ask, in *timelineQuery) (Timeline, error) {
	out := Timeline{Lines: []TimelineLine{}}
	var lines []incident.Line
	var err error
	a.desk.ReadAs(a.actor, func(s *desk.State) {
		lines, err = s.Incidents.Timeline(in.ID, incident.Filter{After: in.After, Role: in.Role, Pinned: in.Pinned, Lived: in.Lived})
	})
	out.All = len(lines)
	for _, l := range part(lines, in.ListQuery) {
		x := TimelineLine{IncidentMoment: client.IncidentMoment{Entry: l.N, At: l.Happened, Learned: l.Learned, Kind: string(l.Kind), By: l.Actor, From: l.From, To: l.To, Severity: l.Why},
			Incident: l.Incident, Role: l.Role, Pinned: l.Pinned != nil, Edited: len(l.Edits)}
		switch {
		case l.Kind == entry.AlertRaised:
			x.Alert = l.Ref
		case hasWords(l.Kind):
			x.Text = a.word(l.Incident, "note:"+strconv.FormatInt(l.N, 10), l.Ref)
		}
		out.Lines = append(out.Lines, x)
	}
	return out, err
}

// hasWords reports whether the reference of a timeline's line is what a person wrote.
func hasWords(k entry.Kind) bool {
	switch k {
	case entry.IncidentSeverity, entry.IncidentNoted, entry.IncidentClosed, entry.IncidentReopened, entry.IncidentHeld, entry.IncidentReleased, entry.IncidentChannels, entry.IncidentUnrestricted,
		entry.IncidentRoleTaken, entry.IncidentRoleGiven, entry.IncidentRoleHanded, entry.IncidentRoleLeft:
		return true
	}
	noun, _, _ := strings.Cut(string(k), ".")
	return slices.Contains([]string{"decision", "question", "handover", "task", "note", "attachment", "cause", "lessons", "fact", "step", "run"}, noun) ||
		slices.Contains([]entry.Kind{entry.IncidentStated, entry.IncidentAffected, entry.IncidentLabelled, entry.IncidentMerged, entry.IncidentUnmerged}, k)
}

// command puts together what people wrote of an incident.
func command(a ask, id int64) (out client.Command, err error) {
	var c incident.Command
	var runs []client.PlaybookRun
	a.desk.ReadAs(a.actor, func(s *desk.State) {
		var i *incident.Incident
		if i, err = s.Incidents.Get(id); err != nil {
			return
		}
		out.Label, out.Scope, out.Verdict, out.Merged, out.Family, out.Lacking = s.Incidents.Label(id, "").String(), i.Scope(), incident.Unknown, i.Merged, s.Incidents.Family(id), s.Incidents.Lacking(id, "true")
		if f, ok := i.Fact(incident.Verdict); ok {
			out.Verdict = f.What.Value
		}
		if r := s.Returns.Of(id, a.now); r != nil {
			out.Watch = &client.ReturnWatch{Until: r.Until, Count: r.Count, Signs: len(r.Signs)}
		}
		related, _ := s.Incidents.Related(id, relatedAtMost)
		out.Related = relatedTo(related)
		for _, r := range s.RunsOf(id) {
			x := runIs(s, r, a.now)
			x.Incident = elsewhere(id, r.Incident)
			runs = append(runs, x)
		}
		c = incident.Command{}
		for _, p := range s.Incidents.Parts(id) {
			x := p.Command()
			if len(c.Statements) == 0 || p == i {
				c.Statements = x.Statements
			}
			c.Decisions, c.Questions, c.Handovers = append(c.Decisions, x.Decisions...), append(c.Questions, x.Questions...), append(c.Handovers, x.Handovers...)
			c.Tasks, c.Files = append(c.Tasks, x.Tasks...), append(c.Files, x.Files...)
		}
	})
	if err != nil {
		return out, err
	}
	if n := len(c.Statements); n > 0 {
		x := c.Statements[n-1]
		out.Known = client.Known{Entry: x.N, Text: a.word(x.What.Incident, "statement", x.What.Text), By: x.By, At: x.At}
		if x.What.Incident != id {
			out.Known.Entry = 0 // it is that of a part: nobody said what is known of this one
		}
	}
	for k := range runs {
		for j := range runs[k].Steps {
			runs[k].Steps[j].Text = a.word(cmp.Or(runs[k].Incident, id), "", runs[k].Steps[j].Text)
		}
	}
	out.Runs = append([]client.PlaybookRun{}, runs...)
	out.Decisions, out.Questions, out.Handovers, out.Tasks, out.Files = decisions(a, id, c.Decisions), questions(a, id, c.Questions), handovers(a, id, c.Handovers), tasks(a, id, c.Tasks), files(a, id, c.Files)
	cause, e1 := a.desk.Cause(a.actor, id)
	lessons, e2 := a.desk.Lessons(a.actor, id)
	out.Cause, out.Lessons = client.Cause{Class: cause.Class, Sum: cause.Sum, Whys: groundsOf(cause.Whys), Bones: groundsOf(cause.Bones), Seen: cause.Before},
		client.Lessons{Well: lessons.Well, Badly: lessons.Badly, Follows: lessons.Follows, Seen: lessons.Before}
	for _, part := range out.Family { // either may be that of a part
		if says := a.kept(part, "cause"); says != "" {
			out.Cause = client.Cause{Sum: says, Seen: cause.Before}
		}
		if says := a.kept(part, "lessons"); says != "" {
			out.Lessons = client.Lessons{Follows: says, Seen: lessons.Before}
		}
	}
	affected, e3 := a.desk.Affected(a.actor, id)
	rows := func(text string) []string {
		return append([]string{}, strings.FieldsFunc(text, func(r rune) bool { return r == '\n' })...)
	}
	out.Affected = client.Affected{Systems: rows(affected.Systems), Data: rows(affected.Data), People: rows(affected.People), Costs: rows(affected.Costs), Seen: affected.Before}
	if says := a.kept(id, "affected"); says != "" {
		out.Affected = client.Affected{Systems: []string{}, Data: []string{}, People: []string{}, Costs: []string{}, Seen: affected.Before, Kept: says}
	}
	return out, cmp.Or(e1, e2, e3)
}

// elsewhere is the number of an incident that is one with the one asked for, 0 of that itself.
func elsewhere(asked, of int64) int64 {
	if of == asked {
		return 0
	}
	return of
}

func relatedTo(all []incident.Relation) []client.RelatedNumber {
	out := []client.RelatedNumber{}
	for _, r := range all {
		x := client.RelatedNumber{Incident: r.Incident, Shares: []string{}}
		for _, of := range []struct {
			word string
			n    int
		}{{"session", len(r.Sessions)}, {"file", len(r.Files)}, {"address", len(r.Addresses)}, {"account", len(r.Accounts)}, {"technique", len(r.Techniques)}} {
			if of.n > 0 {
				x.Shares = append(x.Shares, of.word)
			}
		}
		out = append(out, x)
	}
	return out
}

func groundsOf(of []desk.ReasonText) (out []client.Ground) {
	for _, r := range of {
		g := client.Ground{Branch: r.Branch, Text: r.Text}
		for _, l := range r.Links {
			g.Links = append(g.Links, client.RestsOn{Kind: l.Kind, Ref: l.Ref})
		}
		out = append(out, g)
	}
	return out
}

// runIs is where a run stands. What was found in a step is a vault object still.
func runIs(s *desk.State, r *playbook.Run, now time.Time) client.PlaybookRun {
	x := client.PlaybookRun{ID: r.ID, Playbook: r.Playbook, Revision: r.Revision, Stopped: r.Stopped, Over: r.Over(), Waits: append([]string{}, r.Waits(now)...), Steps: []client.StepIs{}, Answers: []client.AnswerIs{}}
	if b := s.Runs.Books[r.Playbook]; b != nil {
		x.Newer = b.Current() != r.Revision
	}
	for _, y := range r.Look(now) {
		x.Steps = append(x.Steps, client.StepIs{ID: y.ID, Phase: y.Phase, Role: y.Role, What: y.What, State: y.State, Person: y.Person, Due: y.Due, Late: y.Late, Approval: y.Approval, Asks: y.Asks, Text: y.Mark.Text})
	}
	if r.Book() == nil {
		return x
	}
	for _, f := range r.Book().Facts {
		x.Answers = append(x.Answers, client.AnswerIs{Fact: f.ID, Ask: f.Ask, Of: f.Of, Value: r.Answer(f.ID).Value})
	}
	return x
}

func subject(noun string, id int64) string { return fmt.Sprintf("%s:%d", noun, id) }
