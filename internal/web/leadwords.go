package web

import (
	"slices"
	"strings"

	"tocsin/internal/desk"
	"tocsin/internal/entry"
	"tocsin/internal/incident"
	"tocsin/internal/plan"
	"tocsin/internal/playbook"
	"tocsin/ui"
)

// leadWords words the kinds of entries of an incident's command and of the plan; "" of another.
func leadWords(k entry.Kind) string {
	return map[entry.Kind]string{
		entry.IncidentStated: "what is known was written", entry.IncidentLabelled: "a label was set", entry.IncidentMerged: "incidents were merged", entry.IncidentUnmerged: "an incident stands alone again",
		entry.IncidentAffected: "what is affected was written", entry.CausePut: "a root cause was written", entry.LessonsPut: "lessons were written",
		entry.DecisionAsked: "a decision was asked for", entry.DecisionMade: "something was decided", entry.DecisionWithdrawn: "a decision was withdrawn",
		entry.QuestionAsked: "a question was asked", entry.QuestionAnswered: "a question was answered", entry.QuestionWithdrawn: "a question was withdrawn",
		entry.HandoverGiven: "a shift is handed over", entry.HandoverTaken: "a shift was taken over", entry.HandoverWithdrawn: "a hand-over was withdrawn",
		entry.TaskAdded: "a task was added", entry.TaskChanged: "a task was changed", entry.TaskDone: "a task was done", entry.TaskDropped: "a task was dropped", entry.TaskReminded: "somebody was reminded of a task", entry.TaskUnreminded: "a reminder of a task did not reach somebody",
		entry.NoteEdited: "a note was edited", entry.NotePinned: "a line was pinned, or its pin taken out",
		entry.AttachmentAdded: "a file was brought as evidence", entry.AttachmentPassed: "a file went to somebody", entry.AttachmentRead: "a file was opened",
		entry.PlaybookPut: "a playbook was put into the plan", entry.PlaybookRetired: "a playbook is not begun any more", entry.RunBegun: "a playbook was begun", entry.RunMoved: "a playbook went on by another revision", entry.RunStopped: "a playbook was stopped",
		entry.StepTaken: "a step was taken", entry.StepLeft: "a step was left", entry.StepDone: "a step was done", entry.StepSkipped: "a step was skipped", entry.StepReopened: "a step was opened again",
		entry.StepApproved: "a step was agreed to", entry.StepDenied: "a step was refused", entry.StepLate: "a step was late", entry.FactAnswered: "a question of the plan was answered",
		entry.RecurrenceBegun: "a watch for signs of an incident began", entry.RecurrenceEnded: "a watch for signs of an incident ended", entry.RecurrenceExtended: "a watch for signs of an incident was extended", entry.RecurrenceHit: "signs of a closed incident were seen again",
	}[k]
}

// saidMoment fills in what the desk says of a moment.
func (s *Server) saidMoment(m desk.Moment, x *ui.Moment) {
	x.Icon, x.Tone, x.Says, x.Href, x.Note = m.Icon, m.Tone, m.Says, m.Href, ui.VisibleLines(s.desk.Text(m.Text))
	if m.Name != "" {
		x.Says += ": " + ui.Visible(s.desk.Text(m.Name)).String()
	}
}

// onPage makes of an anchor the address at which it is on the page, also when that shows a part of its list only (openFirst).
func onPage(anchor string) string {
	noun, _, _ := strings.Cut(strings.TrimPrefix(anchor, "#"), "-")
	if !strings.HasPrefix(anchor, "#") || !slices.Contains([]string{"decision", "question", "task", "handover"}, noun) {
		return anchor
	}
	return "?at=" + anchor[1:] + anchor
}

// moment words one line of an incident's timeline.
func (s *Server) moment(v *visit, st *desk.State, m incident.Mark) (x ui.Moment) {
	x = ui.Moment{Learned: v.at(m.Learned), Happened: v.at(m.Happened), Apart: m.Learned.Sub(m.Happened).Abs() >= 60e9, Who: s.actorName(st, m.Actor)}
	s.saidMoment(s.desk.Moment(st, m), &x)
	x.Says = orElse(x.Says, desk.Title(kindWords(m.Kind)))
	return x
}

// deedMoment words something that was done in a run of a playbook.
func (s *Server) deedMoment(v *visit, st *desk.State, r *playbook.Run, d playbook.Deed) (x ui.Moment) {
	x = ui.Moment{Learned: v.at(d.Time), Who: s.doerName(st, d.By)}
	m, role := desk.DeedMoment(r, d)
	if s.saidMoment(m, &x); role != "" {
		x.Role = plan.RoleWord(role)
	}
	return x
}
