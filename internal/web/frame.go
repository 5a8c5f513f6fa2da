package web

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"tocsin/internal/agent"
	"tocsin/internal/auth"
	"tocsin/internal/desk"
	"tocsin/internal/incident"
	"tocsin/ui"
)

// frame builds what stands around every page.
func (s *Server) frame(v *visit, nav, title string) ui.Frame {
	f := ui.Frame{Title: title, Nav: nav, Path: v.r.URL.RequestURI(), Zone: v.zone.String(), Sample: s.desk.Sample(),
		AsOf: v.at(v.now), Notice: ui.Done(v.r.URL.Query().Get("done"))}
	if v.r.Method != http.MethodGet {
		f.Path = strings.TrimSuffix(v.r.URL.Path, "/")
	}
	if why := s.desk.CannotWrite(); why != "" {
		if !v.signed() {
			why = "to its disk" // strangers are told no paths
		}
		f.Problems = append(f.Problems, ui.Problem{Grave: true, Says: "Tocsin cannot write " + why,
			Mend: "Free the disk or mend it on the machine where Tocsin runs, then restart it. tocsin doctor says more."})
	}
	if !v.signed() {
		return f
	}
	f.Who = ui.Who{ID: v.actor.ID, Name: v.name}
	if id, err := number(v.r, "id"); err == nil && nav == "incidents" {
		f.TabDrafts = s.private(v, id)
	}
	f.Terms = s.explains()
	if auth.May(v.actor, auth.See) != nil {
		return f // a reporter sees nothing of what goes on
	}
	f.Search = auth.May(v.actor, auth.SearchLines) == nil
	f.Bell = s.bell(v)
	f.Ringing = s.ringing(v)
	f.Counts.Calls = len(f.Ringing)
	f.Counts.Rules = len(s.o.Set.Refused)
	f.Counts.Reports, f.Reports = s.desk.ReportsWaiting(v.actor), auth.May(v.actor, auth.Handle) == nil
	s.desk.ReadAs(v.actor, func(st *desk.State) {
		for _, i := range st.Incidents.Incidents {
			if !i.Closed {
				f.Counts.Incidents++
			}
		}
		f.Counts.Sources = len(st.Fleet.Silent)
		for _, a := range st.Fleet.Agents {
			if !a.Lost.IsZero() && a.Revoked.IsZero() {
				f.Counts.Agents++
			}
		}
	})
	f.Problems = append(append(f.Problems, s.problems()...), append(s.noticeProblems(v), s.updateProblems(v)...)...)
	f.Problems = append(f.Problems, s.bellProblems(v)...)
	f.Problems = append(f.Problems, s.onCallProblems(v)...)
	if nav != "incidents" { // there the incident comes first; every other page says it
		f.Problems = append(f.Problems, s.weakProblems(v)...)
	}
	f.Problems = append(f.Problems, s.reportProblems(v)...)
	if n := f.Counts.Agents; n > 0 {
		f.Problems = append(f.Problems, ui.Problem{Says: ui.Plural(int64(n), "agent is", "agents are") + " not heard of any more.", Mend: "See whether the host runs, and reaches this server.", Href: "/agents"})
	}
	f.News = ui.Plural(int64(f.Counts.Incidents), "open incident", "open incidents") + ", " + ui.Plural(int64(f.Counts.Calls), "call rings", "calls ring")
	return f
}

// private reports whether an incident, or what is one with it, is restricted or has something that may be TLP:RED: what is typed about it does not stay in the browser.
func (s *Server) private(v *visit, id int64) (is bool) {
	s.desk.ReadAs(v.actor, func(st *desk.State) { is = slices.ContainsFunc(st.Incidents.Parts(id), st.Incidents.MayBeRed) })
	return is
}

func (s *Server) bell(v *visit) ui.Bell {
	at := s.desk.Heartbeat()
	b := ui.Bell{Known: at.UnixNano() > 0, Alive: s.desk.Alive(v.now), At: v.at(at), Says: "it looks at what is owed every few seconds"}
	if !b.Alive {
		b.Says = "it has not looked at what is owed for " + ui.Span(v.now.Sub(at)) + ": restart Tocsin"
	}
	return b
}

// lagging is from how many waiting lines on detection counts as behind.
const lagging = 50_000

// problems says what of Tocsin's own does not work.
func (s *Server) problems() (ps []ui.Problem) {
	r := s.desk.Reading()
	add := func(says, mend, href string) {
		ps = append(ps, ui.Problem{Says: says, Mend: mend, Href: href})
	}
	if r.Fault != "" {
		ps = append(ps, ui.Problem{Grave: true, Says: "Detection stands still: " + r.Fault, Mend: "It tries again by itself; tocsin doctor says more.", Href: "/sources"})
	}
	if n := r.Lag(); n > lagging && !s.desk.Sample() {
		add("Detection is behind by "+ui.Number(n)+" lines.", "It catches up by itself unless lines keep coming faster than it reads.", "/sources")
	}
	if r.Gap > 0 {
		add(ui.Number(r.Gap)+" lines were removed by age before they were read.", "Raise the retention, or see why detection was behind.", "/sources")
	}
	if n := len(s.o.Set.Refused); n > 0 {
		add(ui.Plural(int64(n), "rule was refused and does not watch.", "rules were refused and do not watch."), "See which and why.", "/rules")
	}
	if n := len(s.o.Set.Kept); n > 0 {
		add(ui.Plural(int64(n), "rule is broken in its file; the old one stays.", "rules are broken in their files; the old ones stay."), "Mend the file: it is read again at once.", "/rules")
	}
	if why := s.o.Set.Trouble; why != "" {
		add("The rules could not be loaded again; the last ones stay: "+why, "Mend the folder: it is read again by itself.", "/rules")
	}
	if why := s.desk.SlackTrouble(time.Now()); why != "" {
		add("Slack: "+why+".", "Calls go on by other ways. Incidents are worked on here meanwhile.", "")
	}
	if w := s.desk.OurKey(time.Now()).Warning; w != "" {
		add(w, "On the server, tocsin mail renew makes the next key; give people its fingerprint.", "")
	}
	if x := s.desk.Registration(time.Now()); x.On && !x.Up {
		add("We are not registered at the telephone provider: "+firstLine(x.Why), "Calls out may go on; it is tried again by itself unless the settings are wrong. tocsin doctor says more.", "")
	}
	if x := s.desk.ReportsBox(time.Now()); x.On && !x.Up {
		add("Reports of mail that did not come cannot be read: "+firstLine(x.Why), "It is tried again by itself; a mail that comes back is not noticed meanwhile. tocsin doctor says more.", "")
	}
	if s.o.Warnings != nil {
		for _, w := range s.o.Warnings() {
			add(w.Says, w.Mend, "")
		}
	}
	for _, b := range r.Broken {
		add("The rule "+b.Rule+" was set aside: "+b.Why, "Mend the rule and restart.", "/rules")
	}
	for file, by := range r.Ahead {
		add("The stamps of "+file+" lie "+ui.Span(by)+" in the future.", "Its clock or zone is wrong: set zone in tocsin.yaml, or the clock of its host. Until then its lines count as of when they were read.", "/sources")
	}
	if r.Stats.Late > 0 {
		add(ui.Number(r.Stats.Late)+" records came so late that windows may have missed them.", "A log is behind the others: its clock or zone is wrong, or it is written late.", "/sources")
	}
	if r.Stats.Blunt > 0 {
		add(ui.Number(r.Stats.Blunt)+" counting windows that were half full were dropped, because there were too many.", "A flood of addresses may hide slow attacks; see the busiest rules.", "/rules")
	}
	for _, x := range s.desk.Sources() {
		if x.State != agent.OK {
			add(fmt.Sprintf("The source %s is %s.", x.Path, x.State), x.Why, "/sources")
		}
	}
	return ps
}

// ringing builds the banner of calls, worst first.
func (s *Server) ringing(v *visit) (out []ui.Ringing) {
	calls := s.desk.Ringing(v.actor)
	slices.SortStableFunc(calls, func(a, b desk.Rings) int { return incident.Rank(b.Severity) - incident.Rank(a.Severity) })
	for _, c := range calls {
		r := ui.Ringing{Severity: ui.Severity(c.Severity), Title: c.Title, Since: v.at(c.Since), Now: c.Now}
		if c.Not != nil {
			r.ID, r.Not = fmt.Sprint(c.ID), notAnswered(c.Not)
		} else if c.ID != 0 {
			r.ID, r.Action = fmt.Sprint(c.ID), fmt.Sprintf("/calls/%d/answer", c.ID)
		}
		if c.Test {
			r.Title = "Test call"
		}
		if c.Incident != 0 {
			r.Href = fmt.Sprintf("/incidents/%d", c.Incident)
		}
		if c.More > 0 {
			r.More = "and " + ui.Plural(int64(c.More), "more incident", "more incidents")
		}
		out = append(out, r)
	}
	return out
}

// name returns what a person is called, by id; the id itself when nobody has it.
func (s *Server) name(st *desk.State, id string) string {
	return s.desk.Called(st, id)
}

// actorName words who did something: "person:anna" is Anna Keller.
func (s *Server) actorName(st *desk.State, actor string) string {
	return s.desk.ActorCalled(st, actor)
}

// doerName names who did something in a run: those ids are of people, without a word before them.
func (s *Server) doerName(st *desk.State, by string) string {
	if w := s.actorName(st, by); w != by {
		return w
	}
	return s.name(st, by)
}

// A page pings at most once in pingApart, and after pingIdle without a change: "4 min ago" grows old, and so does a bell that stands still.
const (
	pingApart = time.Second
	pingIdle  = 20 * time.Second
)

// live tells the browser that something changed; the page then fetches itself again.
func (s *Server) live(v *visit) error {
	v.w.Header().Set("Content-Type", "text/event-stream")
	control := http.NewResponseController(v.w)
	_ = control.SetWriteDeadline(time.Time{}) // not every connection has one
	_ = control.SetReadDeadline(time.Time{})  // the request has come; its limit would end the answer
	send := func(line string) bool {
		_, err := fmt.Fprint(v.w, line)
		return err == nil && control.Flush() == nil
	}
	if !send("retry: 3000\n\n") {
		return nil
	}
	idle := time.NewTicker(pingIdle)
	defer idle.Stop()
	changed := s.desk.Changed()
	for wait := time.Duration(0); ; {
		select { // at most one ping in a while
		case <-v.r.Context().Done():
			return nil
		case <-s.quit:
			return nil
		case <-time.After(wait):
		}
		select {
		case <-v.r.Context().Done():
			return nil
		case <-s.quit:
			return nil
		case <-idle.C:
		case <-changed:
		}
		changed = s.desk.Changed() // before the ping: what changes from here on is a ping of its own
		if !send("event: changed\ndata: 1\n\n") {
			return nil
		}
		wait = pingApart
	}
}

// health answers a watcher from outside: 200 only while the bell looks at what is owed and all can be written.
func (s *Server) health(v *visit) error {
	if !s.desk.Alive(v.now) || s.desk.CannotWrite() != "" {
		http.Error(v.w, "the bell does not work", http.StatusServiceUnavailable)
		return nil
	}
	_, err := fmt.Fprintln(v.w, "the bell is alive")
	return err
}
