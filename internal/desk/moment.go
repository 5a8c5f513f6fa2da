package desk

import (
	"strconv"
	"strings"

	"tocsin/internal/entry"
	"tocsin/internal/incident"
	"tocsin/internal/plan"
	"tocsin/internal/signin"
)

// A Moment is a line of an incident's timeline in words: the console and the incident report show the same ones.
type Moment struct {
	Icon, Tone string // for a screen
	Href       string
	Says       string
	Name       string // vault object with a name or a choice that stands behind Says; "" is none
	Text       string // vault object with what a person wrote; "" is none
}

// Words are a moment as plain text: what it says, and behind it what a person wrote.
func (m Moment) Words(text func(vault string) string) string {
	out := m.Says
	for _, id := range []string{m.Name, m.Text} {
		if t := text(id); t != "" {
			out += ": " + t
		}
	}
	return out
}

// Called is what a person is called, by staff id; the id itself when nobody has it.
func (d *Desk) Called(s *State, id string) string {
	if p, ok := s.Plan.People[id]; ok {
		if n := d.People.Get(p.Vault).Name; n != "" {
			return n
		}
	}
	return id
}

// ActorCalled words who did something: "person:anna" is Anna Keller.
func (d *Desk) ActorCalled(s *State, actor string) string {
	if id, ok := strings.CutPrefix(actor, "person:"); ok {
		if strings.HasPrefix(id, signin.GlassPrefix) {
			return GlassName(id)
		}
		return d.Called(s, id)
	}
	switch actor {
	case "desk", "detect":
		return "Tocsin"
	case "command":
		return "the command line"
	case "config":
		return "the configuration file"
	case "setup":
		return "the first setup"
	}
	return actor
}

// counted words a count of things, with commas between thousands.
func counted(n int64, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	s := strconv.FormatInt(n, 10)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s + " " + many
}

// Moment words one line of an incident's timeline. It is called inside of Read.
func (d *Desk) Moment(st *State, m incident.Mark) Moment {
	x := Moment{Tone: "off", Icon: "check"}
	switch m.Kind {
	case entry.IncidentOpened:
		x.Icon, x.Tone, x.Says = "incident", "late", "Opened as "+Title(m.To)
	case entry.AlertRaised:
		x.Icon, x.Tone, x.Says = "alert", "late", "An alert was added"
		if a := st.Incidents.Alerts[m.Ref]; a != nil {
			x.Says, x.Href = a.Title+": "+counted(a.Count, "log line", "log lines")+"; "+JoinWords(m.To), "/alerts/"+a.ID
		}
	case entry.IncidentSeverity:
		x.Icon, x.Tone, x.Says = "severity", "late", "Severity "+Title(m.From)+" to "+Title(m.To)
		var why []string
		for _, code := range m.Why {
			why = append(why, incident.Words(code))
		}
		if len(why) > 0 {
			x.Says += ": " + strings.Join(why, ", ")
		}
		x.Text = m.Ref
	case entry.IncidentPhase:
		x.Says = "Phase " + m.From + " to " + m.To
	case entry.IncidentNoted:
		x.Icon, x.Says, x.Text = "note", "Note", m.Ref
	case entry.IncidentAssigned:
		x.Icon, x.Says = "user", "Assigned to "+d.Called(st, m.To)
		if m.To == "" {
			x.Says = "Taken from " + d.Called(st, m.From)
		}
	case entry.IncidentClosed:
		x.Tone, x.Says, x.Text = "good", "Closed as a "+m.To+" alarm", m.Ref
	case entry.IncidentRoleTaken, entry.IncidentRoleGiven, entry.IncidentRoleHanded, entry.IncidentRoleLeft:
		x.Icon, x.Text = "user", m.Ref
		what := plan.RoleWord(m.Why[0])
		if len(m.Why) > 1 {
			what = "deputy of the " + what
		}
		switch m.Kind {
		case entry.IncidentRoleLeft:
			x.Says = d.Called(st, m.To) + " is no longer " + what
		case entry.IncidentRoleHanded:
			x.Says = what + ": " + d.Called(st, m.From) + " handed over to " + d.Called(st, m.To)
		default:
			x.Says = d.Called(st, m.To) + " is " + what
		}
	case entry.IncidentRestricted:
		var who []string
		for _, id := range m.Why {
			who = append(who, d.Called(st, id))
		}
		x.Icon, x.Tone, x.Says = "user", "late", "Restricted ("+m.To+") to "+strings.Join(who, ", ")
	case entry.IncidentUnrestricted:
		x.Icon, x.Says, x.Text = "user", "No longer restricted", m.Ref
	case entry.IncidentHeld:
		x.Icon, x.Says, x.Text = "note", "Its log lines are held beyond their time", m.Ref
	case entry.IncidentReleased:
		x.Icon, x.Says, x.Text = "note", "Its log lines are no longer held", m.Ref
	case entry.IncidentAttached:
		n, _ := strconv.ParseInt(m.To, 10, 64)
		x.Icon, x.Says, x.Href = "search", counted(n, "log line", "log lines")+" attached", "#lines"
	case entry.IncidentChannels:
		x.Icon, x.Says, x.Text = "call", "Not to be used for it: "+m.To, m.Ref
		if m.To == "" {
			x.Says = "Every channel may be used for it again"
		}
	case entry.RoomJoined, entry.RoomLeft, entry.RoomMuted, entry.RoomRecorded, entry.RoomEnded:
		d.roomMoment(st, m, &x)
	case entry.IncidentReopened:
		x.Tone, x.Says, x.Text = "late", "Reopened", m.Ref
	default:
		d.leadMoment(st, m, &x)
	}
	return x
}

// roomMoment words what happened in the war room, for the timeline.
func (d *Desk) roomMoment(st *State, m incident.Mark, x *Moment) {
	who := d.Called(st, m.From)
	if m.From == "" {
		who = "a guest (" + d.Text(m.Ref) + ")"
	}
	switch m.Kind {
	case entry.RoomJoined:
		x.Icon, x.Says = "user", "War room: "+who+" came in"
	case entry.RoomLeft:
		x.Icon, x.Says = "leave", "War room: "+who+map[string]string{"vanished": " lost the connection", "removed": " was sent out", "restricted": " had to leave, because the incident is restricted to others", "ended": " left, as it ended"}[m.To]
		if m.To == "left" {
			x.Says += " left"
		}
	case entry.RoomMuted:
		x.Icon, x.Says = "mic-off", "War room: a host muted "+who
		if m.To == "heard" {
			x.Icon, x.Says = "mic", "War room: a host gave "+who+" their voice back"
		}
	case entry.RoomRecorded:
		x.Icon, x.Tone, x.Says = "record", "late", "War room: recording began"
		if m.To != "on" {
			x.Tone, x.Says, x.Text = "off", "War room: recording ended", m.Ref
		}
	case entry.RoomEnded:
		x.Icon, x.Says = "leave", "War room: it ended for all"
	}
}
