package web

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"tocsin/internal/auth"
	"tocsin/internal/desk"
	"tocsin/internal/fleet"
	"tocsin/internal/record"
	"tocsin/ui"
)

// What the pages of agents show of each at most: an agent that an attacker has may tell as much as the hub takes.
const (
	agentsShown = 50
	lossesShown = 20
)

func (s *Server) agents(v *visit) error {
	return s.showAgents(v, http.StatusOK, nil, ui.Joining{})
}

// showAgents shows the agents; a form that was wrong comes back with what was typed. What was just made is shown once.
func (s *Server) showAgents(v *visit, code int, mistake error, made ui.Joining) error {
	all, tokens := s.desk.Agents()
	view := ui.AgentsView{Frame: s.frame(v, "agents", "Agents"), May: auth.May(v.actor, auth.Hosts) == nil, Joining: made, Form: s.agentForm(v, mistake != nil)}
	view.Path = "/agents"
	view.Address, view.Fingerprint, view.Heard = s.desk.Hub()
	view.Refused = refusals(s.desk.Strangers())
	view.Summary = agentSummary(all)
	slices.SortStableFunc(all, func(a, b desk.Agent) int { return stateRank(a) - stateRank(b) })
	page := pageOf(v)
	from := min(page*agentsShown, len(all))
	view.Pager = pager(v, page, agentsShown, len(all))
	if len(all) <= agentsShown {
		view.Pager = ui.Pager{}
	}
	for _, a := range all[from:min(from+agentsShown, len(all))] {
		view.Agents = append(view.Agents, s.agentRow(v, a))
	}
	view.Losses, view.MoreLosses = s.losses(v, all, true)
	s.desk.ReadAs(v.actor, func(st *desk.State) {
		for _, t := range tokens {
			view.Tokens = append(view.Tokens, ui.TokenRow{Name: t.Name, By: s.actorName(st, t.By), Made: v.at(t.Made), Until: v.at(t.Expires)})
		}
	})
	if mistake != nil {
		view.Errors, view.Still = fieldErrors(mistake), true
	}
	if made.Command != "" {
		view.Still = true // the token is shown once
	}
	return ui.Agents.Show(v.w, code, view)
}

func agentSummary(all []desk.Agent) string {
	if len(all) == 0 {
		return "Programs that follow the logs of your other hosts and send them here."
	}
	count := map[string]int64{}
	for _, a := range all {
		count[a.State()]++
	}
	words := []string{ui.Plural(count["heard"], "agent is heard", "agents are heard")}
	if n := count["lost"]; n > 0 {
		words = append(words, ui.Number(n)+" lost")
	}
	if n := count["not heard yet"]; n > 0 {
		words = append(words, ui.Number(n)+" not heard since Tocsin started")
	}
	if n := count["revoked"]; n > 0 {
		words = append(words, ui.Number(n)+" revoked")
	}
	return strings.Join(words, ", ") + "."
}

// stateRank puts what is to be seen to first.
func stateRank(a desk.Agent) int {
	return slices.Index([]string{"lost", "not heard yet", "heard", "revoked"}, a.State())
}

// agentForm offers how long a token may be used.
func (s *Server) agentForm(v *visit, again bool) ui.AgentForm {
	name, valid := "", "86400"
	if again {
		name, valid = text(v.r, "name"), text(v.r, "valid")
	}
	return ui.AgentForm{Name: name, Valid: options(valid, "3600", "an hour", "86400", "a day", "604800", "7 days"), Open: again}
}

// inviteAgent makes a token and shows the command that spends it, once. The answer is no redirect: the token must not be in an address.
func (s *Server) inviteAgent(v *visit) error {
	valid, ok := map[string]time.Duration{"3600": time.Hour, "86400": 24 * time.Hour, "604800": 7 * 24 * time.Hour}[text(v.r, "valid")]
	var i desk.Invitation
	err := error(desk.FieldError{Field: "agent-valid", Says: "Choose how long the token may be used."})
	if ok {
		i, err = s.desk.InviteAgent(v.actor, text(v.r, "name"), valid)
	}
	switch {
	case err == nil:
		return s.showAgents(v, http.StatusOK, nil, ui.Joining{Command: i.Command(), Join: "sudo " + i.Command() + " && sudo systemctl enable --now tocsin-agent",
			Until: v.at(i.Expires), Unknown: i.Address == ""})
	case known(err):
		return err
	case errors.Is(err, desk.ErrNoHub):
		err = desk.FieldError{Says: "Agents are not heard here yet. How to turn that on is written below."}
	default:
		if _, ok := errors.AsType[desk.FieldError](err); !ok {
			err = desk.FieldError{Field: "agent-name", Says: err.Error()}
		}
	}
	return s.showAgents(v, http.StatusUnprocessableEntity, err, ui.Joining{})
}

// agentRow words an agent in short.
func (s *Server) agentRow(v *visit, a desk.Agent) ui.AgentRow {
	x := ui.AgentRow{ID: a.ID, Href: "/agents/" + a.ID, Name: ui.Visible(a.Name), System: visibleShort(a.Host.System), State: agentState(v, a), Address: ui.Visible(a.Address),
		Last: v.at(later(a.Seen, a.Lost)), Lines: ui.Number(a.Lines), Waiting: waiting(a.Host.Spool), Signs: agentSigns(v, a)}
	if a.HostAt.IsZero() {
		x.Waiting = "not known"
	}
	return x
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

func agentState(v *visit, a desk.Agent) ui.State {
	switch a.State() {
	case "revoked":
		return ui.State{Tone: "off", Word: "revoked"}
	case "lost":
		return ui.State{Tone: "bad", Word: "lost for " + ui.Span(v.now.Sub(a.Lost))}
	case "not heard yet":
		return ui.State{Tone: "late", Word: "not heard yet"}
	}
	return ui.State{Tone: "good", Word: "heard"}
}

// losses words what hosts lost, the newest first, and how many are left out. On the page of one agent its name is left out.
func (s *Server) losses(v *visit, all []desk.Agent, named bool) (out []ui.Loss, more string) {
	type lost struct {
		desk.Loss
		of desk.Agent
	}
	var list []lost
	for _, a := range all {
		for _, g := range a.Gaps {
			list = append(list, lost{g, a})
		}
	}
	slices.SortStableFunc(list, func(a, b lost) int { return b.Told.Compare(a.Told) })
	for _, g := range list[:min(len(list), lossesShown)] {
		x := ui.Loss{File: visibleShort(g.File), Bounds: bounds(g.Gap), Why: visibleShort(g.Why), Since: v.at(g.Since), Until: v.at(g.Until), Told: v.at(g.Told)}
		if named {
			x.Agent = ui.Link{Word: g.of.Name, Href: "/agents/" + g.of.ID}
		}
		out = append(out, x)
	}
	if n := len(list) - len(out); n > 0 {
		more = "And " + ui.Plural(int64(n), "older loss", "older losses") + ": tocsin agents show names them all."
	}
	return out, more
}

// bounds words which lines are missing: bytes of a file, or numbers of what has no bytes (record.Gap).
func bounds(g record.Gap) string {
	of := "bytes"
	switch {
	case strings.HasPrefix(g.File, "spool:"):
		of = "batches"
	case strings.HasPrefix(g.File, "syslog:"):
		of = "datagrams"
	case strings.HasPrefix(g.File, "journal:"):
		of = "entries"
	}
	if g.To == 0 {
		return fmt.Sprintf("%s from %s on; nobody knows how many", of, ui.Number(g.From))
	}
	return fmt.Sprintf("%s %s to %s", of, ui.Number(g.From), ui.Number(g.To-1))
}

// refusals words what the hub refused, by reason.
func refusals(counts map[record.Reason]int64) (out []ui.Fact) {
	for _, r := range slices.Sorted(maps.Keys(counts)) {
		out = append(out, ui.Fact{Name: reasonWord(r), Value: ui.Plural(counts[r], "time", "times")})
	}
	return out
}

func reasonWord(r record.Reason) string {
	words := map[record.Reason]string{
		record.Garbage: "what cannot be read", record.Oversize: "too large", record.Changed: "damaged on the way", record.Replayed: "sent again after it was kept",
		record.Reordered: "out of order", record.Conflict: "a number that was used for something else", record.Files: "too many names of files", record.Busy: "no room for it at that moment",
		record.Unkept: "could not be kept here; it was sent again", record.Revoked: "after it was revoked", record.Unknown: "no certificate of ours", record.BadToken: "a token that is wrong, used or too old",
		record.Request: "a request that cannot be read", record.Replaced: "with a certificate that was replaced", record.Soon: "a new certificate too soon after the last"}
	return cmp.Or(words[r], ui.Visible(string(r)).String())
}

// agentOf finds the agent that a path names by its id.
func (s *Server) agentOf(v *visit) (desk.Agent, error) {
	all, _ := s.desk.Agents()
	for _, a := range all {
		if a.ID == v.r.PathValue("id") {
			return a, nil
		}
	}
	return desk.Agent{}, errMissing
}

// revokeAgent asks before it puts an agent out: the first post answers with the question, the second, which says sure, does it.
func (s *Server) revokeAgent(v *visit) error {
	a, err := s.agentOf(v)
	if err != nil {
		return err
	}
	why := text(v.r, "reason")
	switch {
	case why == "":
		return s.showAgent(v, a, http.StatusUnprocessableEntity, desk.FieldError{Field: "revoke-reason", Says: "Say why. Whoever asks later finds it in the ledger."})
	case v.r.PostFormValue("sure") == "":
		return s.askRevoke(v, a, why)
	}
	if err := s.desk.RevokeAgent(v.actor, a.ID, why); err != nil {
		if known(err) {
			return err
		}
		if errors.Is(err, fleet.ErrRevoked) {
			return done(v, "/agents/"+a.ID, "revoked")
		}
		return s.showAgent(v, a, http.StatusUnprocessableEntity, desk.FieldError{Field: "revoke-reason", Says: err.Error()})
	}
	return done(v, "/agents/"+a.ID, "revoked")
}

// askRevoke shows what putting an agent out does.
func (s *Server) askRevoke(v *visit, a desk.Agent, why string) error {
	view := ui.ConfirmView{Frame: s.frame(v, "agents", "Put the agent on "+a.Name+" out?"), Action: "/agents/" + a.ID + "/revoke", Button: "Revoke it", Back: "/agents/" + a.ID,
		Fields: []ui.Option{{Word: "reason", Value: why}, {Word: "sure", Value: "yes"}}, Undo: "let the host join again with a new token. It is then another agent.",
		Effects: []string{"Nothing more is heard from it, at once: an attack on that host is not seen here any more.", "What it sent before stays, and so do its alerts.",
			"Lines that wait on the host are not sent. They stay in its spool and its logs.", "That you did it and why stands in the ledger for ever: " + clipped(why)}}
	view.Path, view.Still = "/agents/"+a.ID, true
	return ui.Confirm.Show(v.w, http.StatusOK, view)
}
