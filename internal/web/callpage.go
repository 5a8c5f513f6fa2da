package web

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"tocsin/internal/desk"
	"tocsin/internal/entry"
	"tocsin/internal/oncall"
	"tocsin/internal/plan"
	"tocsin/ui"
)

// callMoments is how much of a call's history a page has.
const callMoments = 300

// call shows one call with all that became of it.
func (s *Server) call(v *visit) error {
	id, err := number(v.r, "id")
	if err != nil {
		return err
	}
	return s.showCall(v, id, http.StatusOK, nil)
}

func (s *Server) showCall(v *visit, id int64, code int, mistake error) error {
	view := ui.CallView{}
	found := false
	s.desk.ReadAs(v.actor, func(st *desk.State) {
		c, err := st.Calls.Get(id)
		if err != nil {
			return
		}
		found = true
		view.Call = s.callRow(v, st, c)
		view.Facts = s.callFacts(st, c)
		view.History = s.history(v, st, c)
		_, rests := c.Resting()
		if c.Rings() && !c.Test && view.Call.Action != "" && !rests {
			view.Pass, view.Snooze = fmt.Sprintf("/calls/%d/pass", id), fmt.Sprintf("/calls/%d/snooze", id)
			for _, m := range []int{5, 15, 30, 60, 120, 240} {
				lasts := time.Duration(m) * time.Minute
				if view.Call.Severity != "critical" || lasts <= oncall.CriticalSnooze {
					view.Lasts = append(view.Lasts, ui.Option{Value: strconv.Itoa(m), Word: ui.Span(lasts), Chosen: m == 15})
				}
			}
		}
	})
	if !found {
		return errMissing
	}
	view.Frame = s.frame(v, "calls", fmt.Sprintf("Call %d", id))
	view.Path = fmt.Sprintf("/calls/%d", id)
	if n := len(view.History); n > callMoments {
		view.History, view.More = view.History[:callMoments], "The oldest "+ui.Number(int64(n-callMoments))+" are not shown; the ledger has them."
	}
	if mistake != nil {
		view.Errors, view.Still = fieldErrors(mistake), true
	}
	return ui.CallPage.Show(v.w, code, view)
}

func (s *Server) callFacts(st *desk.State, c *oncall.Call) (fs []ui.Fact) {
	if c.Test {
		return []ui.Fact{{Name: "Test of", Value: s.name(st, c.Person) + " by " + channelWord(c.Channel)}}
	}
	name := cmp.Or(c.Call.Policy, plan.DefaultName)
	fs = append(fs, ui.Fact{Name: "Policy", Value: name, Href: "/bell#policies"})
	if n := st.Calls.Needed(&st.Plan, c); n > 1 {
		fs = append(fs, ui.Fact{Name: "Answers", Value: fmt.Sprintf("%d of %d", len(c.Taken), n)})
	}
	for _, id := range c.Incidents {
		if not := st.Calls.Barred(id); len(not) > 0 {
			fs = append(fs, ui.Fact{Name: "Not to be used", Value: strings.Join(not, ", "), Href: fmt.Sprintf("/incidents/%d#channels", id)})
		}
	}
	if c.Before > 0 {
		fs = append(fs, ui.Fact{Name: "Rings again for", Value: fmt.Sprintf("call %d", c.Before), Href: fmt.Sprintf("/calls/%d", c.Before)})
	}
	return fs
}

// history is all that happened to a call, newest first.
func (s *Server) history(v *visit, st *desk.State, c *oncall.Call) (out []ui.CallMoment) {
	type dated struct {
		at time.Time
		ui.CallMoment
	}
	var all []dated
	add := func(at time.Time, tone, word, says string, left ...string) {
		all = append(all, dated{at, ui.CallMoment{At: v.at(at), State: ui.State{Tone: tone, Word: word}, Says: says, Left: left}})
	}
	add(c.Opened, "busy", "began", openedWords(c))
	for _, x := range c.Steps {
		var left []string
		for _, l := range x.Left {
			left = append(left, s.leftWords(st, l))
		}
		for _, r := range x.Rings {
			if r.Due.After(x.At) {
				left = append(left, s.name(st, r.Person)+" by "+channelWord(r.Channel)+" only at "+v.at(r.Due).Local+": "+whyWord(r.Why))
			}
		}
		tone := "busy"
		if x.Empty {
			tone = "bad"
			left = append([]string{"It reaches nobody but the console, so the next one does not wait."}, left...)
		}
		add(x.At, tone, fmt.Sprintf("step %d", x.Step+1), stepWords(x.Why), left...)
	}
	for _, t := range c.Tries {
		x := s.try(v, st, c, t)
		says := x.Who + " by " + channelWord(x.Channel)
		if x.Says != "" {
			says += ": " + x.Says
		}
		if t.Ring > 0 && t.Ring <= len(c.Asked) {
			if why := c.Asked[t.Ring-1].Why; why != "" {
				says += " (" + whyWord(why) + ")"
			}
		}
		at := t.Wanted
		if !t.Done.IsZero() {
			at = t.Done
		}
		add(at, x.State.Tone, x.State.Word, says, s.tryLines(t)...)
	}
	for _, h := range c.Held {
		r := c.Asked[h.Ring-1]
		says := s.name(st, r.Person) + " by " + channelWord(r.Channel) + ": " + whyWord(h.Why)
		if h.Instead != "" {
			says += "; " + channelWord(h.Instead) + " is used instead"
		} else if !h.Until.IsZero() {
			says += ", until " + v.at(h.Until).Local
		}
		add(h.At, "late", "held back", says)
	}
	for _, x := range c.Passed {
		add(x.At, "late", "passed on", "by "+s.whoAnswered(st, x.Person)+", "+viaWord(x.Via))
	}
	for _, x := range c.Taken {
		add(x.At, "good", "taken", "by "+s.whoAnswered(st, x.Person)+", "+viaWord(x.Via)+"; another answer is wanted")
	}
	for _, x := range c.Rests {
		add(x.At, "off", "snoozed", "by "+s.whoAnswered(st, x.Person)+", "+viaWord(x.Via)+", until "+v.at(x.Until).Local)
		if !x.Over.IsZero() {
			add(x.Over, "busy", "rings again", map[string]string{"worse": "its incident became worse", "snoozed": "the time was over"}[x.Why])
		}
	}
	switch {
	case c.Rings():
	case c.Ended != "":
		add(c.At, "off", "ended", endedWords(c.Ended))
	default:
		add(c.At, "good", "answered", "by "+s.whoAnswered(st, c.Answered.Person)+", "+viaWord(c.Answered.Via))
	}
	slices.SortStableFunc(all, func(a, b dated) int { return b.at.Compare(a.at) })
	for _, x := range all {
		out = append(out, x.CallMoment)
	}
	return out
}

func openedWords(c *oncall.Call) string {
	switch {
	case c.Why == oncall.Monthly:
		return "the test that each channel has once a month"
	case c.Test:
		return "a test that somebody asked for"
	case c.Why == "unattended":
		return fmt.Sprintf("call %d was answered, and for %s nobody has noted, changed or attached anything", c.Before, ui.Span(c.Policy.Attend))
	case c.Why == "maintenance":
		return "maintenance held it back, and is over"
	}
	return "for " + ui.Plural(int64(len(c.Incidents)), "incident", "incidents")
}

func stepWords(why string) string {
	switch why {
	case "due":
		return "nobody answered in time"
	case "passed":
		return "the call was passed on"
	case "unheard":
		return "the step before reached nobody"
	case "again":
		return "it rings again from the first step"
	}
	return "the first one"
}

func endedWords(why string) string {
	return map[string]string{"closed": "every incident of it was closed", "lowered": "its incidents no longer need a call", "tested": "the test is over", "apart": "its incident was restricted, or is no longer, and has a call of its own"}[why]
}

// leftWords says whom a step names and does not ring, and why.
func (s *Server) leftWords(st *desk.State, l entry.CallSkip) string {
	who := l.Target
	if l.Person != "" {
		who = s.name(st, l.Person)
	}
	if l.Channel != "" && l.Channel != l.Target {
		who += " by " + channelWord(l.Channel)
	}
	return who + ": " + whyWord(l.Why)
}

// whyWord words why somebody is not rung, or not now, or all the same.
func whyWord(why string) string {
	words := map[string]string{
		plan.Nobody: "nobody is in it now", plan.Gone: "has left the team", plan.Unknown: "there is none", plan.Unreachable: "has no address for a channel of this step",
		plan.IsBarred: "not to be used for this incident", plan.OutOfHours: "no rule of theirs holds at this hour", plan.Waits: "is put off already, to the end of quiet hours",
		plan.Taken: "has answered already", "throttle": "was rung too often lately", "maintenance": "maintenance", plan.ByRule: "their own rule waits so long",
		plan.Quiet: "quiet hours", plan.Loud: "in spite of quiet hours, because nobody else would be rung", plan.NoRule: "no rule of theirs fits, so every channel rings",
		plan.Instead: "in place of a channel that was held back", "again": "the call began anew", "over": "somebody answered meanwhile", oncall.NotAnswered: "nobody pressed a key that answers",
		oncall.Bounced: "the mail came back",
	}
	if w, ok := words[why]; ok {
		return w
	}
	return why
}

func channelWord(c string) string {
	if name, ok := strings.CutPrefix(c, plan.Chat); ok {
		return "the chat " + name
	}
	if x, ok := plan.ChannelOf(c); ok {
		return x.Word
	}
	return c
}

func viaWord(via string) string {
	switch via {
	case "command":
		return "at the command line"
	case "console":
		return "in the console"
	}
	return "by " + via
}

func (s *Server) whoAnswered(st *desk.State, person string) string {
	if person == "" {
		return "somebody on this machine"
	}
	return s.name(st, person)
}

// pressed answers a form of a call: a second press of the same person is none, and says how it stands.
func (s *Server) pressed(v *visit, id int64, err error, key string) error {
	if err != nil {
		if known(err) {
			return err
		}
		return s.showCall(v, id, http.StatusUnprocessableEntity, err)
	}
	return done(v, fmt.Sprintf("/calls/%d", id), key)
}

// callOf reads the number of a call that exists.
func (s *Server) callOf(v *visit) (id int64, err error) {
	if id, err = number(v.r, "id"); err != nil {
		return 0, err
	}
	s.desk.ReadAs(v.actor, func(st *desk.State) {
		if _, gerr := st.Calls.Get(id); gerr != nil {
			err = errMissing
		}
	})
	return id, err
}

func (s *Server) passOn(v *visit) error {
	id, err := s.callOf(v)
	if err != nil {
		return err
	}
	return s.pressed(v, id, s.desk.PassOn(v.actor, id, "console"), "passed")
}

func (s *Server) snooze(v *visit) error {
	id, err := s.callOf(v)
	if err != nil {
		return err
	}
	minutes, err := strconv.Atoi(text(v.r, "lasts"))
	if err != nil {
		return s.showCall(v, id, http.StatusUnprocessableEntity, desk.FieldError{Field: "lasts", Says: "Say how many minutes it shall be quiet."})
	}
	return s.pressed(v, id, s.desk.Snooze(v.actor, id, "console", time.Duration(minutes)*time.Minute), "snoozed")
}
