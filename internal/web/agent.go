package web

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"time"

	"tocsin/internal/agent"
	"tocsin/internal/auth"
	"tocsin/internal/desk"
	"tocsin/internal/query"
	"tocsin/internal/record"
	"tocsin/ui"
)

// Everything in record.Host is the host's own words, and so an attacker's when the host is theirs: texts are made visible and cut, lists
// are cut, and nothing here adds or takes times without a bound.

const (
	feedsShown = 100
	toldShown  = 100 // of each list that a host tells
	textShown  = 200 // bytes of each text
)

// clockOff is from where on a clock is worth a word, clockWild from where on it is an alarm.
const (
	clockOff  = 2 * time.Second
	clockWild = time.Hour
)

// visibleShort is Visible of the beginning of a text.
func visibleShort(text string) ui.Text {
	if len(text) > textShown {
		text = cutText(text, textShown) + "…"
	}
	return ui.Visible(text)
}

// agent shows one agent and its host.
func (s *Server) agent(v *visit) error {
	a, err := s.agentOf(v)
	if err != nil {
		return err
	}
	return s.showAgent(v, a, http.StatusOK, nil)
}

func (s *Server) showAgent(v *visit, a desk.Agent, code int, mistake error) error {
	view := ui.AgentView{Frame: s.frame(v, "agents", a.Name), Agent: s.agentRow(v, a), Alarms: agentAlarms(a), Refused: refusals(a.Refused), Told: v.at(a.HostAt)}
	view.Path = "/agents/" + a.ID
	view.Facts = s.agentFacts(v, a)
	if !a.HostAt.IsZero() {
		view.Host, view.Lists = hostFacts(v, a.Host), hostLists(a.Host)
	}
	for _, f := range worstFeeds(a.Host.Sources) {
		view.Sources = append(view.Sources, s.feed(v, a, f))
	}
	if n := len(a.Host.Sources) - len(view.Sources); n > 0 {
		view.MoreFeed = "And " + ui.Plural(int64(n), "more log", "more logs") + ": tocsin agents show names them all."
	}
	view.Losses, view.MoreLoss = s.losses(v, []desk.Agent{a}, false)
	if a.Revoked.IsZero() && auth.May(v.actor, auth.Hosts) == nil {
		view.Revoke = "/agents/" + a.ID + "/revoke"
	}
	if mistake != nil {
		view.Errors, view.Still, view.Reason = fieldErrors(mistake), true, text(v.r, "reason")
	}
	return ui.AgentPage.Show(v.w, code, view)
}

// agentFacts is what this server knows of an agent by itself.
func (s *Server) agentFacts(v *visit, a desk.Agent) (out []ui.AgentFact) {
	by, ended := "", ""
	s.desk.ReadAs(v.actor, func(st *desk.State) { by, ended = s.actorName(st, a.By), s.actorName(st, a.Ended) })
	out = []ui.AgentFact{
		{Name: "Heard last", Says: map[bool]string{true: "not since Tocsin started"}[a.Seen.IsZero()], At: v.at(a.Seen)},
		{Name: "From", Text: ui.Visible(a.Address)},
		{Name: "Lines since Tocsin started", Says: ui.Number(a.Lines)},
		{Name: "Joined", At: v.at(a.Joined)},
		{Name: "Let in by", Says: by},
		{Name: "It joined from", Text: ui.Visible(s.desk.Text(a.From))},
		{Name: "Certificate until", At: v.at(a.Expires)},
		{Name: "Fingerprint of its key", Text: ui.Visible(a.Key)},
		{Name: "Id", Text: ui.Visible(a.ID)},
	}
	if !a.Lost.IsZero() {
		out = append(out, ui.AgentFact{Name: "Lost: nothing was heard since", At: v.at(a.Lost)})
	}
	if !a.Revoked.IsZero() {
		out = append(out, ui.AgentFact{Name: "Revoked", At: v.at(a.Revoked)}, ui.AgentFact{Name: "Revoked by", Says: ended}, ui.AgentFact{Name: "Why", Text: ui.VisibleLines(s.desk.Text(a.Why))})
	}
	return slices.DeleteFunc(out, func(f ui.AgentFact) bool { return f.Says == "" && len(f.Text) == 0 && f.At.UTC == "" })
}

// hostFacts is what the agent says of its host in single words.
func hostFacts(v *visit, h record.Host) (out []ui.AgentFact) {
	add := func(name, says, told string, at time.Time) {
		out = append(out, ui.AgentFact{Name: name, Says: says, Text: visibleShort(told), At: v.at(at)})
	}
	add("System", "", cmp.Or(h.System, "not told"), time.Time{})
	add("Kernel", "", h.Kernel+" "+h.Arch, time.Time{})
	add("Started", map[bool]string{true: "not told"}[h.Booted.IsZero()], "", h.Booted)
	add("Agent's version", "", cmp.Or(h.Version, "not told"), time.Time{})
	add("Its time when it told this", "", "", h.At)
	add("Clock", clockWord(h.Clock), "", time.Time{})
	switch {
	case !h.Updates.Known:
		add("Updates that wait", "not known:", cmp.Or(h.Updates.Why, "it did not say why"), time.Time{})
	default:
		add("Updates that wait", fmt.Sprintf("%s for security, %s in all", ui.Number(int64(len(h.Updates.Security))), ui.Number(int64(h.Updates.All))), "", time.Time{})
	}
	add("Waits there to be sent", waiting(h.Spool), "", time.Time{})
	add("Ledger head that it keeps", ui.Plural(h.Head, "entry", "entries"), "", time.Time{})
	return out
}

// hostLists is what the agent lists of its host, folded.
func hostLists(h record.Host) (out []ui.AgentList) {
	add := func(title string, n int, row func(k int) string) {
		if n == 0 {
			return
		}
		l := ui.AgentList{Title: title}
		for k := range min(n, toldShown) {
			l.Rows = append(l.Rows, visibleShort(row(k)))
		}
		if n > toldShown {
			l.More = "And " + ui.Number(int64(n-toldShown)) + " more: tocsin agents show names them all."
		}
		out = append(out, l)
	}
	count := func(n int, one, many string) string { return ui.Plural(int64(n), one, many) }
	add(count(len(h.Updates.Security), "update for security waits", "updates for security wait"), len(h.Updates.Security), func(k int) string { return h.Updates.Security[k] })
	add(count(len(h.Software), "server, database or shop", "servers, databases and shops"), len(h.Software), func(k int) string {
		x := h.Software[k]
		return fmt.Sprintf("%s: %s %s  %s", cmp.Or(x.Kind, "?"), x.Name, cmp.Or(x.Version, "of a version that it does not tell"), x.Path)
	})
	add(count(len(h.Ports), "port is listened on", "ports are listened on"), len(h.Ports), func(k int) string {
		x := h.Ports[k]
		return fmt.Sprintf("%s %s:%d  %s", x.Protocol, x.Address, x.Port, x.Program)
	})
	add(count(len(h.Disks), "file system", "file systems"), len(h.Disks), func(k int) string {
		x := h.Disks[k]
		return fmt.Sprintf("%s: %s of %s free", x.Path, bytesWord(x.Free), bytesWord(x.Bytes))
	})
	return out
}

// worstFeeds are the logs of a host that are shown: those first that are not followed.
func worstFeeds(all []record.Feed) []record.Feed {
	sorted := slices.Clone(all)
	rank := func(f record.Feed) int {
		if f.State == string(agent.OK) {
			return 1
		}
		return 0
	}
	slices.SortStableFunc(sorted, func(a, b record.Feed) int { return rank(a) - rank(b) })
	return sorted[:min(len(sorted), feedsShown)]
}

// feed words a log that an agent follows, with a way to its lines for who may search.
func (s *Server) feed(v *visit, a desk.Agent, f record.Feed) ui.Feed {
	x := ui.Feed{Path: visibleShort(f.Path), Why: visibleShort(f.Why), Lines: ui.Number(f.Lines), Lag: "no", Last: v.at(f.Last), State: ui.State{Tone: "bad", Word: visibleShort(f.State).String()}}
	if f.Pattern != "" && f.Pattern != f.Path {
		x.Of = visibleShort(f.Pattern)
	}
	if f.Lag > 0 {
		x.Lag = ui.Plural(f.Lag, "byte", "bytes")
	}
	switch {
	case !a.Revoked.IsZero():
		x.State = ui.State{Tone: "off", Word: "not heard any more"}
	case !a.Lost.IsZero():
		x.State = ui.State{Tone: "bad", Word: "agent lost"}
	case f.State == string(agent.OK) && f.Lag > 10<<20:
		x.State = ui.State{Tone: "late", Word: "behind"}
	case f.State == string(agent.OK):
		x.State = ui.State{Tone: "good", Word: "reading"}
	case f.State == "":
		x.State = ui.State{Tone: "late", Word: "not told"}
	}
	if auth.May(v.actor, auth.SearchLines) == nil && f.Lines > 0 && len(f.Path) <= linksFitted {
		x.Href = queryLink(&query.Query{Zone: v.zone, Where: query.All(query.Is(query.Host, a.Name), query.Is(query.File, f.Path))})
	}
	return x
}
