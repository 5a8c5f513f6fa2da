package web

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"tocsin/internal/auth"
	"tocsin/internal/desk"
	"tocsin/internal/entry"
	"tocsin/internal/oncall"
	"tocsin/internal/plan"
	"tocsin/ui"
)

const callsShown = 30

func (s *Server) calls(v *visit) error {
	view := ui.CallsView{Frame: s.frame(v, "calls", "Calls")}
	page := pageOf(v)
	s.desk.ReadAs(v.actor, func(st *desk.State) {
		all := st.Calls.Calls
		view.Pager = pager(v, page, callsShown, len(all))
		for k := len(all) - 1 - page*callsShown; k >= 0 && len(view.Calls) < callsShown; k-- {
			view.Calls = append(view.Calls, s.callRow(v, st, all[k]))
		}
	})
	return ui.Calls.Show(v.w, http.StatusOK, view)
}

// callRow words a call.
func (s *Server) callRow(v *visit, st *desk.State, c *oncall.Call) ui.CallRow {
	r := ui.CallRow{ID: fmt.Sprint(c.ID), Opened: v.at(c.Opened), Severity: ui.Severity(c.Severity), Title: "Test call"}
	if !c.Test {
		s.callTitle(st, c, &r)
	}
	switch {
	case c.Rings():
		r.State, r.Says = ui.State{Tone: "busy", Word: "ringing"}, "nobody has answered for "+ui.Span(v.now.Sub(c.Opened))
		if err := desk.MayAnswer(st, v.actor, c, v.now); err == nil {
			r.Action = fmt.Sprintf("/calls/%d/answer", c.ID)
		} else {
			r.Not = notAnswered(err)
		}
		if x, rests := c.Resting(); rests {
			r.State, r.Says = ui.State{Tone: "off", Word: "snoozed"}, "snoozed by "+s.whoAnswered(st, x.Person)+" until "+v.at(x.Until).Local
		}
	case c.Ended == "":
		who := s.name(st, c.Answered.Person)
		if c.Answered.Person == "" {
			who = "somebody at the command line"
		}
		r.State, r.Says = ui.State{Tone: "good", Word: "answered"}, "answered by "+who+" after "+ui.Span(c.At.Sub(c.Opened))+", by "+c.Answered.Via
	default:
		r.State, r.Says = ui.State{Tone: "off", Word: "ended"}, endedWords(c.Ended)
	}
	for _, t := range c.Tries {
		r.Tries = append(r.Tries, s.try(v, st, c, t))
	}
	return r
}

// notAnswered says to who looks at a call that they cannot answer it, and who can.
func notAnswered(err error) string {
	if r, ok := errors.AsType[auth.Refusal](err); ok && r.Action == auth.Ring {
		return "You cannot answer calls with your roles. Commanders, engineers, analysts, legal advisors and communications officers can."
	}
	return "You cannot answer this call: it rings because a sheet from the safe is in use, and you came in by that sheet, or your account was made or changed by it. Anybody else of the team who answers calls can."
}

// callTitle names the worst incident of a call.
func (s *Server) callTitle(st *desk.State, c *oncall.Call, r *ui.CallRow) {
	r.Title = "Incident"
	i := desk.WorstOf(st, c)
	if i == nil {
		return
	}
	r.Title, r.Href = i.Title, fmt.Sprintf("/incidents/%d", i.ID)
	if n := len(c.Incidents) - 1; n > 0 {
		r.More = "and " + ui.Plural(int64(n), "more incident", "more incidents")
	}
}

// try words one attempt to reach somebody.
func (s *Server) try(v *visit, st *desk.State, c *oncall.Call, t oncall.Try) ui.Try {
	x := ui.Try{Number: fmt.Sprint(t.Try), At: v.at(t.Wanted), Who: s.name(st, t.Person), Channel: t.Channel}
	if strings.HasPrefix(t.Channel, plan.Chat) {
		x.Who = "whoever reads it"
	} else if t.Person == "" {
		x.Who = "everybody who is signed in"
	}
	switch {
	case t.Done.IsZero() && c.Rings():
		x.State = ui.State{Tone: "busy", Word: "being sent"}
	case t.Done.IsZero():
		x.State = ui.State{Tone: "off", Word: "not sent"}
	case t.Failed:
		x.State, x.Says = ui.State{Tone: "bad", Word: "failed"}, firstLine(s.desk.Text(t.Result.Text))
		if t.Result.Why != "" {
			x.Says = strings.TrimPrefix(x.Says+": "+whyWord(t.Result.Why), ": ")
		}
		if t.Result.Temporary {
			x.Says += " (worth another try)"
		}
	case t.Result.Twice:
		x.State, x.Says = ui.State{Tone: "late", Word: "sent, possibly twice"}, "Tocsin was stopped while it was being sent"
	default:
		x.State = ui.State{Tone: "good", Word: "sent"}
	}
	return x
}

// answer takes a call in the console.
func (s *Server) answer(v *visit) error {
	id, err := number(v.r, "id")
	if err != nil {
		return err
	}
	if err := s.desk.Answer(v.actor, id, "console"); err != nil {
		if errors.Is(err, oncall.ErrTaken) {
			return done(v, fmt.Sprintf("/calls/%d", id), "taken")
		}
		if known(err) {
			return err
		}
		return errMissing
	}
	to, key := "/calls", "answered"
	s.desk.ReadAs(v.actor, func(st *desk.State) {
		if c, err := st.Calls.Get(id); err == nil {
			if c.Rings() {
				key = "taken"
			}
			if i := desk.WorstOf(st, c); i != nil {
				to = fmt.Sprintf("/incidents/%d", i.ID)
			}
		}
	})
	return done(v, to, key)
}

// openLink shows what an answer link is about. It changes nothing: programs that scan mail open every link.
func (s *Server) openLink(v *visit) error {
	l, err := s.desk.OpenLink(v.r.PathValue("token"))
	if err != nil {
		return errMissing
	}
	view := ui.AnswerView{Frame: s.frame(v, "", "Answer the call"), Action: v.r.URL.Path}
	found := s.ofLink(l, func(st *desk.State, c *oncall.Call, row ui.CallRow) {
		view.Pass = c.Rings() && !c.Test
		view.Severity, view.Call, view.More, view.Opened, view.To = row.Severity, row.Title, row.More, v.at(c.Opened), s.name(st, l.Person)
		if !c.Rings() {
			view.Action, view.Says = "", s.overWords(v, st, c)
		}
	})
	if !found {
		return errMissing
	}
	return ui.Answer.Show(v.w, http.StatusOK, view)
}

// ofLink shows the call of a link, as whom the link was sent to sees it, with the words for a page that asks nobody who they are. It reports whether
// there is such a call for them.
func (s *Server) ofLink(l desk.Link, show func(*desk.State, *oncall.Call, ui.CallRow)) (found bool) {
	p, ok := s.desk.Person(l.Person)
	if !ok {
		return false
	}
	s.desk.ReadAs(desk.Actor(p), func(st *desk.State) {
		c, err := st.Calls.Get(l.Call)
		if err != nil {
			return
		}
		found = true
		row := ui.CallRow{Severity: ui.Severity(c.Severity), Title: "Test call"}
		if !c.Test {
			s.callTitle(st, c, &row)
		}
		if i := desk.WorstOf(st, c); i != nil && i.Restricted() {
			row.Title = fmt.Sprintf("Restricted incident %d", i.ID) // no more than the message said
		}
		show(st, c, row)
	})
	return found
}

// overWords says why a call needs no answer any more.
func (s *Server) overWords(v *visit, st *desk.State, c *oncall.Call) string {
	if c.Ended != "" {
		return "This call is over: nobody needs to answer it any more."
	}
	return s.name(st, c.Answered.Person) + " answered " + ui.Span(v.now.Sub(c.At)) + " ago. Nobody else is rung."
}

func (s *Server) answerLink(v *visit) error {
	press := s.desk.AnswerLink
	passing := v.r.PostFormValue("act") == "pass"
	if passing {
		press = s.desk.PassLink
	}
	l, err := press(v.r.PathValue("token"))
	if err != nil && !errors.Is(err, oncall.ErrAnswered) && !errors.Is(err, oncall.ErrPassed) && !errors.Is(err, oncall.ErrRests) {
		if known(err) {
			return err
		}
		return errMissing
	}
	view := ui.AnsweredView{Frame: s.frame(v, "", "Answered"), You: err == nil && !passing}
	view.Still = true // this page is the answer to a form
	s.ofLink(l, func(st *desk.State, c *oncall.Call, row ui.CallRow) {
		view.Severity, view.Call, view.Href = row.Severity, row.Title, row.Href
		if c.Rings() {
			view.Says, view.Passed = s.pressedWords(err, passing), true
			view.You = false
			return
		}
		view.Says = s.overWords(v, st, c)
		if view.You || c.Ended == "" && c.Answered.Person == l.Person { // a second press says what the first did
			view.Says = "You answered at " + v.at(c.At).Local + ". Nobody else is rung."
		}
	})
	if view.Passed {
		return ui.Answered.Show(v.w, http.StatusOK, view)
	}
	view.Next = []string{"Open the incident and read what is known.", "Say in the notes what you see and do; the times are kept for you.", "If you cannot work on it now, tell somebody who can and assign it to them."}
	return ui.Answered.Show(v.w, http.StatusOK, view)
}

// pressedWords says what a press did that has not ended the call.
func (s *Server) pressedWords(err error, passing bool) string {
	switch {
	case errors.Is(err, oncall.ErrRests):
		return "The call is snoozed: nobody is rung until it rings again."
	case passing:
		return "You passed the call on. The next step rings now."
	}
	return "You have taken the call. It rings on, because it wants another answer besides yours."
}

// day is the start of the reader's day.
func (v *visit) day() time.Time {
	y, m, d := v.now.In(v.zone).Date()
	return time.Date(y, m, d, 0, 0, 0, 0, v.zone)
}

// kindWords words an entry's kind for the timeline and the ledger.
func kindWords(k entry.Kind) string {
	words := map[entry.Kind]string{
		entry.ProgramStarted: "Tocsin started", entry.ClockJumped: "the clock jumped", entry.RulesLoaded: "rules were loaded",
		entry.SourceSilent: "a source fell silent", entry.SourceBack: "a source spoke again", entry.VaultErased: "personal data was erased",
		entry.LinesSealed: "lines went to the shelf", entry.LinesJoined: "volumes of lines were joined", entry.LinesExpired: "lines expired", entry.LinesAside: "a damaged volume of lines was set aside", entry.LinesExported: "lines were exported", entry.DossierMade: "the report of an incident was made",
		entry.IncidentRoleTaken: "a role in an incident was taken", entry.IncidentRoleGiven: "a role in an incident was given", entry.IncidentRoleHanded: "a role in an incident was handed over",
		entry.IncidentRoleLeft: "a role in an incident was left", entry.IncidentRestricted: "an incident was restricted", entry.IncidentUnrestricted: "an incident is no longer restricted",
		entry.ApprovalAsked: "a second person is asked for", entry.ApprovalGiven: "something dangerous was approved", entry.ApprovalDenied: "something dangerous was denied",
		entry.ApprovalExpired: "an approval expired", entry.ApprovalDone: "something approved was done",
		entry.AlertRaised: "an alert was raised", entry.AlertGrew: "an alert grew", entry.AlertEnded: "an alert ended",
		entry.IncidentOpened: "an incident was opened", entry.IncidentSeverity: "a severity changed", entry.IncidentPhase: "a phase changed",
		entry.IncidentNoted: "a note was written", entry.IncidentAssigned: "an incident was assigned", entry.IncidentClosed: "an incident was closed",
		entry.IncidentReopened: "an incident was reopened", entry.IncidentHeld: "the lines of an incident were held", entry.IncidentReleased: "the lines of an incident are no longer held", entry.IncidentAttached: "lines were attached to an incident", entry.MuteAdded: "a rule was muted", entry.MuteRemoved: "a mute was removed",
		entry.ListPut: "a watch list was made, changed or ended", entry.ListAdded: "values were put on a watch list", entry.ListRemoved: "values were taken off a watch list",
		entry.PersonPut: "a person was added or changed", entry.PersonPassword: "a password was set", entry.PersonInvited: "a one-time link was made", entry.PolicyPut: "the policy was changed",
		entry.CredentialAdded: "a way to sign in was added", entry.CredentialRemoved: "a way to sign in was removed or used up", entry.TokenMade: "a token for programs was made",
		entry.TokenRevoked: "a token for programs was revoked", entry.SessionRevoked: "sessions were ended", entry.GlassMade: "break-glass sheets were made", entry.GlassUsed: "a break-glass sheet was used",
		entry.SignedIn: "somebody signed in", entry.SigninRefused: "sign-ins were refused", entry.CallOpened: "a call began",
		entry.CallJoined: "an incident joined a call", entry.CallWanted: "somebody is to be rung", entry.CallSent: "somebody was rung",
		entry.CallFailed: "ringing somebody failed", entry.CallAnswered: "a call was answered", entry.CallEnded: "a call ended",
		entry.CallStepped: "a step of a call began", entry.CallPutOff: "a ring was held back", entry.CallTaken: "a call was taken, and wants another answer", entry.CallPassed: "a call was passed on",
		entry.CallSnoozed: "a call was snoozed", entry.CallResumed: "a call rings again", entry.PolicyEnded: "a policy was removed", entry.PolicyChosen: "policies were chosen", entry.PersonWays: "the rules of a person were changed",
		entry.MaintenancePut: "maintenance was planned", entry.MaintenanceEnded: "maintenance was ended", entry.IncidentChannels: "channels were barred for an incident", entry.BeatLost: "another Tocsin fell silent", entry.BeatBack: "another Tocsin was heard again",
		entry.NoticeAsked: "somebody is to be told of sign-ins", entry.NoticeEnded: "a notice of sign-ins was removed", entry.NoticeWanted: "sign-ins are to be told",
		entry.SchedulePut: "a schedule was made or changed", entry.ScheduleEnded: "a schedule ended", entry.ScheduleOverridden: "a duty was taken over", entry.OverrideEnded: "an override ended",
		entry.PersonAbsent: "somebody is to be away", entry.PersonBack: "somebody is back, or does not go", entry.CalendarRenewed: "calendar links were made worthless",
		entry.ChatPlaced: "an incident got its place in a chat", entry.RoomJoined: "somebody came into the war room", entry.RoomLeft: "somebody left the war room", entry.RoomMuted: "a host of the war room muted somebody, or lifted that",
		entry.RoomRecorded: "a recording of the war room began or ended", entry.RoomEnded: "the war room ended for all",
		entry.NoticeSent: "sign-ins were told", entry.NoticeFailed: "telling of sign-ins failed",
		entry.CredentialReplayed: "a one-time code was used again", entry.ChangeWanted: "somebody is to be told of changes to how they sign in", entry.ChangeSent: "somebody was told of changes to how they sign in", entry.ChangeFailed: "telling somebody of changes to how they sign in failed",
		entry.WebhookBegun: "another program is told from now on", entry.WebhookFailed: "a webhook takes nothing", entry.WebhookBack: "a webhook takes what it is told again",
		entry.ReportFiled: "a report came from outside", entry.ReportBundled: "reports came from outside, and are kept together", entry.ReportRead: "a report from outside was opened", entry.ReportOpened: "an incident was made of a report from outside",
		entry.ReportJoined: "a report from outside joined an incident", entry.ReportAnswered: "a reporter was answered", entry.ReportClosed: "a report from outside was closed", entry.ReportSpam: "a report from outside was dropped", entry.ReportReopened: "a report from outside was taken up again",
		entry.ReportTold: "a reporter wrote back", entry.ReportRung: "the team is called for reports from outside", entry.ReportGrew: "many more reports came from outside", entry.ReportGuessed: "receipts of reports were wrong",
		entry.ReportKeyMade: "a key for reports from outside was made", entry.SecurityTextPut: "security.txt was made", entry.ReportMailWanted: "a reporter is to be answered by mail", entry.ReportMailSent: "a reporter was answered by mail", entry.ReportMailFailed: "answering a reporter by mail failed",
		entry.WebhookOff: "a webhook is told nothing more", entry.WebhookEnded: "another program is no longer told",
	}
	if w, ok := words[k]; ok {
		return w
	}
	return orElse(leadWords(k), string(k))
}
