package desk

import (
	"errors"
	"fmt"
	"slices"

	"tocsin/internal/auth"
	"tocsin/internal/incident"
	"tocsin/internal/oncall"
	"tocsin/internal/plan"
	"tocsin/internal/tlp"
)

// # What leaves the program
//
// Every exit asks here before it hands out words about an incident. Where people must hear that they are needed (mail, chats, telephone), a label that keeps the words
// inside leaves only that: an incident needs them, and they sign in. Where nobody must (exports, updates, webhooks, links for guests), it is refused by name, or
// nothing is told. The console is behind signing in, and shows its label. What is RED is seen there by the people who are named, by restricting the incident; where nobody is
// named, by the response team: readers, auditors and administrators do not get it, and no token does (hears, in rights.go). doc/tlp.md has the table of all exits.

// The exits, as far as the desk has them.
const (
	teamMail  = tlp.TeamMail
	bareTitle = "An incident needs you: sign in"
	bareWords = "What it is about is kept inside by its label (TLP). Sign in to read it."
)

// mayTell reports whether what belongs to an incident may leave by an exit; what is "" or as incident.SetLabel names it.
func mayTell(s *State, id int64, what string, exit tlp.Exit) bool {
	return tlp.MayLeave(s.Incidents.Label(id, what), exit)
}

// A Withheld is the refusal to let something out because of its label.
type Withheld struct {
	Incident int64
	Label    tlp.Label
	Exit     tlp.Exit
}

func (w Withheld) Error() string {
	return fmt.Sprintf("incident %d: %s", w.Incident, tlp.Refusal(w.Label, w.Exit))
}

// MayLeave returns nil if what belongs to an incident may leave by an exit, else a Withheld.
func (d *Desk) MayLeave(id int64, what string, exit tlp.Exit) (err error) {
	d.Read(func(s *State) { err = withheld(s, id, what, exit) })
	return err
}

func withheld(s *State, id int64, what string, exit tlp.Exit) error {
	if l := s.Incidents.Label(id, what); !tlp.MayLeave(l, exit) {
		return Withheld{id, l, exit}
	}
	return nil
}

// quietOf reports whether a call may not say by an exit what it is about: one of its open incidents has a label that keeps it inside.
func quietOf(s *State, c *oncall.Call, exit tlp.Exit) bool {
	for _, id := range c.Incidents {
		if i, err := s.Incidents.Get(id); err == nil && i.Working() && !mayTell(s, id, "", exit) {
			return true
		}
	}
	return false
}

// exitOf is the exit by which a try of a call leaves. What goes to somebody else's servers is a chat, also where it reaches one person alone; so is a channel that is not
// named here.
func exitOf(t oncall.Try) tlp.Exit {
	switch t.Channel {
	case plan.Voice:
		return tlp.Voice
	case plan.Mail, plan.SMS:
		return tlp.TeamMail
	case plan.Webhook, plan.Signed:
		return tlp.Webhook
	case plan.Console:
		return tlp.Page
	}
	return tlp.Chat
}

// statusWithheld refuses the status page of an incident that is kept inside. What stands there was written for stakeholders, so it is GREEN whatever is usual for the
// rest of an incident; once somebody has labelled the incident, that holds for the page, too, unless they labelled its "status".
func statusWithheld(s *State, id int64) error { return withheld(s, id, "status", tlp.StatusPage) }

// evidenceWithheld refuses to hand out an attachment. What is RED goes to the people who are named, who are its recipients, and to nobody where none are.
func evidenceWithheld(s *State, i *incident.Incident, file int64, actor auth.Actor) error {
	what := attachmentOf(file)
	if actor.Local || s.Incidents.Label(i.ID, what) == tlp.Red && i.Restricted() && hears(i, actor) {
		return nil
	}
	return withheld(s, i.ID, what, tlp.Export)
}

// timelineLine names a line of an incident's timeline by its entry, as labels know it; what has no line, as a step of a playbook, has the label of the incident: "".
func timelineLine(s *State, id, n int64) string {
	i, err := s.Incidents.Get(id)
	if err != nil || !slices.ContainsFunc(i.Timeline, func(m incident.Mark) bool { return m.N == n }) {
		return ""
	}
	return fmt.Sprintf("note:%d", n)
}

// attachmentOf names an attachment, as labels know it.
func attachmentOf(file int64) string { return fmt.Sprintf("attachment:%d", file) }

// ErrRedByToken is the refusal to let a program decide that what is TLP:RED may be told to more people. It is an ErrLabel.
var ErrRedByToken = fmt.Errorf("what is TLP:RED stays so for a token, which is no person: sign in to the console, and say it there (%w)", ErrLabel)

// ErrLabel is what every Withheld is to errors.Is.
var ErrLabel = errors.New("its label keeps it inside")

// Is lets callers branch on a refusal by a label.
func (w Withheld) Is(err error) bool { return err == ErrLabel }
