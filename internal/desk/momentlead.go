package desk

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"

	"tocsin/internal/entry"
	"tocsin/internal/incident"
	"tocsin/internal/plan"
	"tocsin/internal/playbook"
	"tocsin/internal/tlp"
)

// leadMoment words a line of the timeline that tells of an incident's command. Of a kind that it does not know it says nothing.
func (d *Desk) leadMoment(st *State, m incident.Mark, x *Moment) {
	x.Text = m.Ref
	about := func(word string) string { return word + " " + m.To }
	switch m.Kind {
	case entry.IncidentStated:
		x.Icon, x.Says = "note", "What is known"
	case entry.IncidentLabelled:
		x.Icon, x.Says = "check", "Label of "+labelled(m.From)+": "+cmp.Or(tlp.Label(m.To).String(), "as the incident")
	case entry.IncidentMerged:
		x.Icon, x.Says, x.Href = "incident", fmt.Sprintf("Incident %s is part of incident %s now", m.From, m.To), "/incidents/"+m.To
	case entry.IncidentUnmerged:
		x.Icon, x.Says = "incident", fmt.Sprintf("Incident %s stands alone again", m.From)
	case entry.CausePut:
		x.Icon, x.Tone, x.Says = "check", "good", "Root cause: "+cmp.Or(ClassWord(m.To), "not known yet")
	case entry.LessonsPut:
		x.Icon, x.Says = "note", "Lessons learned"
	case entry.DecisionAsked:
		x.Icon, x.Tone, x.Says, x.Href = "note", "late", "To be decided", "#decision-"+m.To
	case entry.DecisionMade:
		x.Icon, x.Tone, x.Says, x.Href = "check", "good", about("Decided: decision"), "#decision-"+m.To
		if option := decided(st, m); option != "" {
			x.Says, x.Name = "Decided", option
		}
	case entry.DecisionWithdrawn:
		x.Says, x.Href = about("Withdrawn: decision"), "#decision-"+m.To
	case entry.QuestionAsked:
		x.Icon, x.Tone, x.Says, x.Href = "note", "late", "Question", "#question-"+m.To
	case entry.QuestionAnswered:
		x.Icon, x.Says, x.Href = "note", about("Answer to question"), "#question-"+m.To
	case entry.QuestionWithdrawn:
		x.Says, x.Href = about("Withdrawn: question"), "#question-"+m.To
	case entry.HandoverGiven:
		x.Icon, x.Tone, x.Says = "user", "late", d.Called(st, m.From)+" hands over to "+d.Called(st, m.To)+": "+RoleWords(m.Why)
	case entry.HandoverTaken:
		x.Icon, x.Tone, x.Says = "user", "good", d.Called(st, m.To)+" took over from "+d.Called(st, m.From)
	case entry.HandoverWithdrawn:
		x.Icon, x.Says = "user", "Withdrawn: "+d.Called(st, m.From)+" hands over to "+d.Called(st, m.To)
	case entry.TaskAdded:
		x.Icon, x.Tone, x.Says, x.Href = "list", "late", about("Task"), "#task-"+m.To
	case entry.TaskChanged:
		x.Icon, x.Says, x.Href = "list", about("Changed: task"), "#task-"+m.To
	case entry.TaskDone:
		x.Icon, x.Tone, x.Says, x.Href = "check", "good", about("Done: task"), "#task-"+m.To
	case entry.TaskDropped:
		x.Icon, x.Says, x.Href = "list", about("Dropped: task"), "#task-"+m.To
	case entry.TaskReminded:
		x.Icon, x.Says, x.Href = "call", about("Reminded of task"), "#task-"+m.To
	case entry.TaskUnreminded:
		x.Icon, x.Tone, x.Says, x.Href = "call", "late", about("Not reached by the reminder of task"), "#task-"+m.To
		if len(m.Why) > 0 {
			x.Says = about("Not everybody has an address at which they may be reminded of task")
		}
	case entry.NoteEdited:
		x.Icon, x.Says = "note", "A note was edited"
	case entry.NotePinned:
		x.Says = "A line was pinned"
		if len(m.Why) > 0 && m.Why[0] == "off" {
			x.Says = "A pin was taken out"
		}
	case entry.AttachmentAdded:
		x.Icon, x.Says, x.Name, x.Text = "source", about("File"), m.Ref, ""
	case entry.AttachmentPassed:
		x.Icon, x.Says = "source", about("Went to somebody: file")
	case entry.AttachmentRead:
		x.Icon, x.Says = "source", about("Opened: file")
		if len(m.Why) > 0 {
			x.Tone, x.Says = "bad", x.Says+". Its bytes are not what was brought"
		}
	case entry.FactAnswered, entry.StepDone:
		x.Says = factSays(m)
	case entry.IncidentAffected:
		x.Icon, x.Says = "note", "What is affected"
	default:
		x.Text = ""
	}
}

// factSays words an answer to a question about the whole incident.
func factSays(m incident.Mark) string {
	switch m.From {
	case incident.Affected:
		word, _ := ScopeWord(m.To)
		return cmp.Or(word, "Whom it touches: not known")
	case incident.Verdict:
		return map[string]string{incident.Real: "Judged: a real attack", incident.FalseAlarm: "Judged: a false alarm"}[m.To] + map[bool]string{true: "Judged: not known yet"}[m.To == incident.Unknown]
	}
	return m.From + ": " + FactWord(m.To)
}

// decided is the option that a decision chose: a vault object.
func decided(st *State, m incident.Mark) string {
	n, _ := strconv.Atoi(m.To)
	for _, i := range st.Incidents.Incidents {
		all := i.Command().Decisions
		if n < 1 || n > len(all) || all[n-1].Made == nil || all[n-1].Made.N != m.N {
			continue
		}
		if k := all[n-1].Made.What.Option; k >= 1 && k <= len(all[n-1].Options) {
			return all[n-1].Options[k-1]
		}
	}
	return ""
}

// labelled words what a label is of.
func labelled(what string) string {
	kind, n, ok := strings.Cut(what, ":")
	switch {
	case what == "":
		return "the incident"
	case ok && kind == "note":
		return "a note"
	case ok:
		return kind + " " + n
	}
	return "the " + what
}

// DeedMoment words something that was done in a run of a playbook, and says whose work it is ("" is nobody's in particular).
func DeedMoment(r *playbook.Run, d playbook.Deed) (m Moment, role string) {
	m = Moment{Icon: "check", Tone: "off", Text: d.Text}
	what := ""
	if b := r.Book(); b != nil {
		if x := b.Step(d.Step); x != nil {
			what, role, m.Href = x.What, x.Role, fmt.Sprintf("/incidents/%d/steps/%d/%s", r.Incident, r.ID, x.ID)
		}
		if what == "" {
			what = b.Title
		}
	}
	switch d.Kind {
	case entry.RunBegun:
		m.Icon, m.Says = "list", "Playbook begun: "+what
	case entry.RunMoved:
		m.Icon, m.Says = "list", "Playbook taken to another revision: "+what
	case entry.RunStopped:
		m.Icon, m.Tone, m.Says = "list", "late", "Playbook stopped: "+what
	case entry.StepTaken:
		m.Icon, m.Tone, m.Says = "user", "busy", "Begun: "+what
	case entry.StepLeft:
		m.Icon, m.Says = "user", "Left: "+what
	case entry.StepDone:
		m.Tone, m.Says = "good", "Done: "+what
	case entry.StepSkipped:
		m.Tone, m.Says = "late", "Skipped: "+what
	case entry.StepReopened:
		m.Tone, m.Says = "late", "To be done again: "+what
	case entry.StepApproved:
		m.Tone, m.Says = "good", "Agreed: "+what
	case entry.StepDenied:
		m.Tone, m.Says = "bad", "Refused: "+what
	case entry.StepLate:
		m.Icon, m.Tone, m.Says = "late", "bad", "Late: "+what
	}
	return m, role
}

// JoinWords says why an alert is in its incident, or in none.
func JoinWords(by string) string {
	switch by {
	case "opened":
		return "it opened the incident"
	case "address":
		return "joined by a suspect address"
	case "session":
		return "joined by a session"
	case "account":
		return "joined by an account within 24 hours"
	case "network":
		return "joined by the same rule from the same network within an hour"
	case "wave":
		return "joined by the same technique against accounts of the same kind: an attack from many addresses"
	case "technique":
		return "joined by the same technique within minutes; it names nobody itself"
	case "low":
		return "low alerts open no incident"
	case "muted":
		return "a mute covers it"
	}
	return by
}

// ClassWord words a class of causes.
func ClassWord(class string) string {
	return map[string]string{"own-code": "Our own code", "third-party": "Somebody else's software", "credentials": "Credentials", "configuration": "Configuration", "supplier": "A supplier", "person": "A person"}[class]
}

// RoleWords words several roles, comma apart.
func RoleWords(roles []string) string {
	var out []string
	for _, r := range roles {
		out = append(out, plan.RoleWord(r))
	}
	return strings.Join(out, ", ")
}

// ScopeWord says whom an incident touches.
func ScopeWord(scope string) (word, tone string) {
	switch scope {
	case "customers":
		return "Customers are affected", "bad"
	case "site-only":
		return "Only the site", "good"
	}
	return "", ""
}

// FactWord is an answer as people read it.
func FactWord(value string) string { return strings.ReplaceAll(value, "-", " ") }
