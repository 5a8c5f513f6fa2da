package web

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"tocsin/internal/auth"
	"tocsin/internal/desk"
	"tocsin/internal/entry"
	"tocsin/internal/oncall"
	"tocsin/internal/plan"
	"tocsin/ui"
)

// fieldTime is how a field of type datetime-local writes a moment.
const fieldTime = "2006-01-02T15:04"

func (s *Server) bellPage(v *visit) error { return s.showBell(v, http.StatusOK, nil, nil) }

func (s *Server) showBell(v *visit, code int, typed *ui.MaintenanceForm, mistake error) error {
	view := ui.BellView{Frame: s.frame(v, "bell", "The bell"), Change: auth.May(v.actor, auth.Team) == nil,
		Form: ui.MaintenanceForm{Severities: heldBack([]string{"high", "medium"})}}
	s.desk.ReadAs(v.actor, func(st *desk.State) {
		proofs, percent := st.Calls.Readiness(&st.Plan, v.now)
		view.Ready = fmt.Sprintf("%d %% proven", percent)
		for _, f := range proofs {
			view.Proofs = append(view.Proofs, s.proof(v, st, f))
		}
		for _, w := range slices.Backward(st.Plan.Standing(v.now)) {
			view.Windows = append(view.Windows, s.window(v, st, w, view.Change))
		}
		s.policies(st, &view)
	})
	for _, w := range s.desk.Watchers() {
		view.Watchers = append(view.Watchers, watcherPulse(v, w))
	}
	for _, w := range s.desk.Watches() {
		view.Watches = append(view.Watches, watchPulse(v, w))
	}
	if typed != nil {
		view.Form = *typed
	}
	view.Path = "/bell"
	if mistake != nil {
		view.Errors, view.Still = fieldErrors(mistake), true
	}
	return ui.BellPage.Show(v.w, code, view)
}

func heldBack(chosen []string) (out []ui.Option) {
	for _, x := range []string{"high", "medium"} {
		out = append(out, ui.Option{Value: x, Word: desk.Title(x), Chosen: slices.Contains(chosen, x)})
	}
	return out
}

func (s *Server) proof(v *visit, st *desk.State, f oncall.Proof) ui.Proof {
	x := ui.Proof{Who: ui.Link{Word: s.name(st, f.Person), Href: "/people#person-" + f.Person}, Channel: channelWord(f.Channel), At: v.at(f.At)}
	switch f.State {
	case oncall.Proven:
		x.State = ui.State{Tone: "good", Word: "proven"}
	case oncall.Testing:
		x.State = ui.State{Tone: "busy", Word: "a test rings"}
	case oncall.Failing:
		x.State, x.Says = ui.State{Tone: "bad", Word: "unproven"}, "the last test could not be sent"
	case oncall.CameBack:
		x.State, x.Says = ui.State{Tone: "bad", Word: "unproven"}, "mail to them came back since the last test: see whether the address is right, then test it"
	case oncall.Silent:
		x.State, x.Says = ui.State{Tone: "late", Word: "unproven"}, "the last test was sent, and nobody answered it"
	case oncall.TooOld:
		x.State, x.Says = ui.State{Tone: "late", Word: "unproven"}, "the last test is too old"
	case oncall.NoWayYet:
		x.State, x.Channel = ui.State{Tone: "bad", Word: "cannot be rung"}, "nothing"
	default:
		x.State = ui.State{Tone: "late", Word: "never tested"}
	}
	return x
}

func (s *Server) window(v *visit, st *desk.State, w plan.Window, change bool) ui.Window {
	var which []string
	for _, x := range w.Severities {
		which = append(which, desk.Title(x))
	}
	x := ui.Window{ID: fmt.Sprint(w.ID), Says: strings.Join(which, " and ") + " do not ring", State: ui.State{Tone: "off", Word: "planned"}, From: v.at(w.From), Until: v.at(w.Until),
		By: s.actorName(st, w.By), Why: ui.VisibleLines(s.desk.Text(w.Text))}
	if !v.now.Before(w.From) {
		x.State = ui.State{Tone: "late", Word: "lasts now"}
	}
	if change {
		x.End = fmt.Sprintf("/maintenance/%d/end", w.ID)
	}
	return x
}

// policies words every policy, and which is chosen for which severity.
func (s *Server) policies(st *desk.State, view *ui.BellView) {
	names := slices.Sorted(maps.Keys(st.Plan.Policies))
	add := func(name, href, end string, p entry.Policy) {
		if !view.Change {
			end = ""
		}
		view.Policies = append(view.Policies, ui.NamedPolicy{Name: name, Href: href, End: end, Says: s.policyForm(st, p).Says})
	}
	add(plan.DefaultName, "/people#policy", "", st.Plan.CurrentPolicy())
	for _, name := range names {
		add(name, "/policies/"+name, "/policies/"+name+"/end", st.Plan.Policies[name])
	}
	for _, severity := range []string{"critical", "high", "medium"} {
		c := ui.Choice{Severity: ui.Severity(severity), Key: severity, Options: []ui.Option{{Value: "", Word: plan.DefaultName}}}
		for _, name := range names {
			c.Options = append(c.Options, ui.Option{Value: name, Word: name, Chosen: st.Plan.Table[severity] == name})
		}
		view.Chosen = append(view.Chosen, c)
	}
}

func watcherPulse(v *visit, w desk.Told) ui.Pulse {
	x := ui.Pulse{Name: w.Name, State: ui.State{Tone: "good", Word: "told"}, At: v.at(w.OK)}
	switch {
	case w.Last.IsZero():
		x.State = ui.State{Tone: "off", Word: "not told yet"}
	case w.Why != "":
		x.State, x.Says = ui.State{Tone: "bad", Word: "cannot be told"}, w.Why
	}
	return x
}

func watchPulse(v *visit, w desk.WatchedBell) ui.Pulse {
	x := ui.Pulse{Name: w.ID, State: ui.State{Tone: "good", Word: "heard"}, At: v.at(w.Last), Says: w.From}
	switch {
	case !w.Lost.IsZero():
		x.State, x.At, x.Says = ui.State{Tone: "bad", Word: "silent"}, v.at(w.Lost), "nothing was heard for more than "+ui.Span(w.Limit)
	case w.Last.IsZero():
		x.State = ui.State{Tone: "off", Word: "not heard yet"}
	}
	return x
}

// bellProblems says on every page what keeps the bell quiet, and who cannot be told that it works.
func (s *Server) bellProblems(v *visit) (ps []ui.Problem) {
	s.desk.ReadAs(v.actor, func(st *desk.State) {
		for _, w := range st.Plan.Standing(v.now) {
			if !v.now.Before(w.From) {
				ps = append(ps, ui.Problem{Grave: true, Says: "Maintenance until " + v.at(w.Until).Local + ": new incidents of " + strings.Join(w.Severities, " and ") + " severity do not ring.",
					Mend: "Critical rings all the same; what is open at the end rings then.", Href: "/bell#maintenance"})
			}
		}
		for id := range st.Beats {
			ps = append(ps, ui.Problem{Says: "The bell " + id + " is not heard of any more.", Mend: "See whether that Tocsin runs, and reaches this one.", Href: "/bell#watches"})
		}
	})
	for _, w := range s.desk.Watchers() {
		if w.Why != "" {
			ps = append(ps, ui.Problem{Says: "The watcher " + w.Name + " could not be told that the bell works.", Mend: "It rings when it hears nothing: " + w.Why, Href: "/bell#watchers"})
		}
	}
	return ps
}

// typedClock reads a datetime-local field by the reader's clocks. Empty is the zero time.
func typedClock(v *visit, field, value string) (time.Time, error) {
	if value == "" {
		return time.Time{}, nil
	}
	t, err := time.ParseInLocation(fieldTime, value, v.zone)
	if err != nil {
		return t, desk.FieldError{Field: field, Says: "Write the moment as 2026-11-27T22:30."}
	}
	return t, nil
}

func (s *Server) maintain(v *visit) error {
	f := ui.MaintenanceForm{From: text(v.r, "from"), Until: text(v.r, "until"), Why: text(v.r, "why"), Severities: heldBack(v.r.PostForm["severities"]), Open: true}
	from, err := typedClock(v, "from", f.From)
	if err == nil && from.IsZero() {
		from = v.now
	}
	var until time.Time
	if err == nil {
		until, err = typedClock(v, "until", f.Until)
	}
	if err == nil && until.IsZero() {
		err = desk.FieldError{Field: "until", Says: "Say when the maintenance ends."}
	}
	if err == nil {
		err = s.desk.Maintain(v.actor, entry.Maintenance{From: from, Until: until, Severities: v.r.PostForm["severities"]}, f.Why)
	}
	if err != nil {
		if known(err) {
			return err
		}
		return s.showBell(v, http.StatusUnprocessableEntity, &f, err)
	}
	return done(v, "/bell", "maintenance")
}

func (s *Server) endMaintenance(v *visit) error {
	id, err := number(v.r, "id")
	if err != nil {
		return err
	}
	if err := s.desk.EndMaintenance(v.actor, id); err != nil {
		if known(err) {
			return err
		}
		return errMissing
	}
	return done(v, "/bell", "maintained")
}

func (s *Server) choosePolicies(v *visit) error {
	table := map[string]string{}
	for _, severity := range []string{"critical", "high", "medium"} {
		table[severity] = v.r.PostFormValue("for." + severity)
	}
	if err := s.desk.ChoosePolicies(v.actor, table); err != nil {
		if known(err) {
			return err
		}
		return s.showBell(v, http.StatusUnprocessableEntity, nil, err)
	}
	return done(v, "/bell", "chosen")
}

// policyPage shows the form of a named policy; "new" is one that is not yet.
func (s *Server) policyPage(v *visit) error { return s.showPolicy(v, http.StatusOK, nil) }

func (s *Server) showPolicy(v *visit, code int, mistake error) error {
	name := v.r.PathValue("id")
	view := ui.PolicyView{Name: name, New: name == "new"}
	found := false
	s.desk.ReadAs(v.actor, func(st *desk.State) {
		p, ok := st.Plan.Policies[name]
		if found = ok || view.New; !found {
			return
		}
		if !ok {
			p = plan.DefaultPolicy()
		}
		view.Policy = s.policyForm(st, p)
	})
	if !found {
		return errMissing
	}
	view.Frame = s.frame(v, "bell", "Policy "+name)
	view.Policy.Action, view.Policy.Named, view.Path = "/policies/"+name, view.New, "/policies/"+name
	if mistake != nil {
		typedAgainPolicy(v, &view.Policy)
		view.Policy.Name = text(v.r, "name")
		view.Errors, view.Still = fieldErrors(mistake), true
	}
	return ui.PolicyPage.Show(v.w, code, view)
}

func (s *Server) setNamedPolicy(v *visit) error {
	name := v.r.PathValue("id")
	exists := name == "new"
	s.desk.ReadAs(v.actor, func(st *desk.State) { _, ok := st.Plan.Policies[name]; exists = exists || ok })
	if !exists {
		return errMissing
	}
	p, err := typedPolicy(v)
	if p.ID = name; name == "new" {
		if p.ID = text(v.r, "name"); p.ID == "" && err == nil {
			err = desk.FieldError{Field: "policy-name", Says: "A policy needs a name."}
		}
	}
	if err == nil {
		err = s.desk.SetPolicy(v.actor, p)
	}
	if err != nil {
		if known(err) {
			return err
		}
		return s.showPolicy(v, http.StatusUnprocessableEntity, err)
	}
	return done(v, "/bell", "policy")
}

func (s *Server) endPolicy(v *visit) error {
	name := v.r.PathValue("id")
	exists := false
	s.desk.ReadAs(v.actor, func(st *desk.State) { _, exists = st.Plan.Policies[name] })
	if !exists {
		return errMissing
	}
	if err := s.desk.EndPolicy(v.actor, name); err != nil {
		if known(err) {
			return err
		}
		return s.showBell(v, http.StatusUnprocessableEntity, nil, err)
	}
	return done(v, "/bell", "policygone")
}

// simulatedFor is how far the page of a simulation looks.
const simulatedFor = 2 * time.Hour

func (s *Server) simulate(v *visit) error {
	q := v.r.URL.Query()
	severity, policy := q.Get("severity"), q.Get("policy")
	view := ui.SimulateView{Frame: s.frame(v, "bell", "Who would be rung?"), When: q.Get("at"), Policies: []ui.Option{{Value: "", Word: "the one for the severity"}, {Value: plan.DefaultName, Word: plan.DefaultName, Chosen: policy == plan.DefaultName}}}
	s.desk.ReadAs(v.actor, func(st *desk.State) {
		for _, name := range slices.Sorted(maps.Keys(st.Plan.Policies)) {
			view.Policies = append(view.Policies, ui.Option{Value: name, Word: name, Chosen: name == policy})
		}
	})
	for _, x := range []string{"critical", "high", "medium"} {
		view.Severities = append(view.Severities, ui.Option{Value: x, Word: desk.Title(x), Chosen: x == severity})
	}
	if severity == "" {
		return ui.Simulate.Show(v.w, http.StatusOK, view)
	}
	at, err := typedClock(v, "at", view.When)
	if at.IsZero() {
		at = v.now
	}
	var ms []oncall.Moment
	if err == nil {
		ms, err = s.desk.Simulate(policy, severity, at, simulatedFor)
	}
	if err != nil {
		view.Errors, view.Still = fieldErrors(err), true
		return ui.Simulate.Show(v.w, http.StatusUnprocessableEntity, view)
	}
	s.desk.ReadAs(v.actor, func(st *desk.State) {
		rings := 0
		for _, m := range ms {
			if m.What == "ring" && m.Channel != plan.Console {
				rings++
			}
			view.Rows = append(view.Rows, s.simulated(v, st, m))
		}
		view.Says = fmt.Sprintf("%s in the first %s", ui.Plural(int64(rings), "ring", "rings"), ui.Span(simulatedFor))
		if len(ms) == 0 {
			view.Says, view.Rows = "Nobody would be rung", []ui.SimulatedRow{{After: "0 min", At: v.at(at), State: ui.State{Tone: "off", Word: "nothing"}, Says: "no policy rings for " + desk.Title(severity)}}
		}
	})
	view.Strip = stripOf(ms, view.Says)
	return ui.Simulate.Show(v.w, http.StatusOK, view)
}

// simulated words one moment of a simulation.
func (s *Server) simulated(v *visit, st *desk.State, m oncall.Moment) ui.SimulatedRow {
	x := ui.SimulatedRow{After: strconv.FormatFloat(m.After.Minutes(), 'f', -1, 64) + " min", At: v.at(m.At)}
	who := s.name(st, m.Person) + " by " + channelWord(m.Channel)
	if m.Person == "" {
		who = channelWord(m.Channel)
	}
	switch m.What {
	case "step":
		x.State, x.Says = ui.State{Tone: "busy", Word: fmt.Sprintf("step %d", m.Step+1)}, stepWords(m.Why)
	case "ring":
		x.State, x.Says = ui.State{Tone: "good", Word: "rings"}, who
		if m.Why != "" {
			x.Says += " (" + whyWord(m.Why) + ")"
		}
	case "later":
		x.State, x.Says = ui.State{Tone: "late", Word: "later"}, who+" at "+v.at(m.Until).Local+": "+whyWord(m.Why)
	case "left":
		x.State, x.Says = ui.State{Tone: "bad", Word: "not rung"}, s.leftWords(st, entry.CallSkip{Target: m.Target, Person: m.Person, Channel: m.Channel, Why: m.Why})
	case "maintenance":
		x.State, x.Says = ui.State{Tone: "off", Word: "maintenance"}, "it does not ring until "+v.at(m.Until).Local
	default:
		x.State, x.Says = ui.State{Tone: "late", Word: "held back"}, who+": "+whyWord(m.Why)
		if m.Instead != "" {
			x.Says += "; " + channelWord(m.Instead) + " is used instead"
		}
	}
	return x
}

// stripOf draws when the rings of a simulation come.
func stripOf(ms []oncall.Moment, title string) ui.Strip {
	strip := ui.Strip{Title: title}
	place := func(d time.Duration) float64 { return math.Round(12 + 616*d.Minutes()/simulatedFor.Minutes()) }
	for d := time.Duration(0); d <= simulatedFor; d += 15 * time.Minute {
		strip.Ticks = append(strip.Ticks, ui.StripMark{X: place(d), Word: fmt.Sprint(int(d.Minutes()))})
	}
	at := map[time.Duration]int{}
	for _, m := range ms {
		if m.What != "ring" && m.What != "held" || m.Channel == plan.Console || at[m.After] >= 4 {
			continue
		}
		kind := "ring"
		if m.What == "held" {
			kind = "held"
		}
		strip.Marks = append(strip.Marks, ui.StripMark{X: place(m.After), Y: float64(36 - 9*at[m.After]), Kind: kind, Word: fmt.Sprintf("%v: %s by %s", m.After, m.Person, channelWord(m.Channel))})
		at[m.After]++
	}
	return strip
}

// takeBeat hears another Tocsin. Its signature says who it is; nobody signs in.
func (s *Server) takeBeat(v *visit) error {
	body, err := io.ReadAll(io.LimitReader(v.r.Body, beatMost+1))
	if err != nil {
		return err
	}
	err = s.desk.TakeBeat(v.r.PathValue("id"), v.r.Header.Get("Tocsin-Signature"), body)
	switch {
	case errors.Is(err, desk.ErrNoWatch):
		return errMissing
	case err != nil:
		http.Error(v.w, err.Error(), http.StatusForbidden)
	default:
		v.w.WriteHeader(http.StatusNoContent)
	}
	return nil
}

// beatMost is how many bytes of a beat are read.
const beatMost = 2 << 10
