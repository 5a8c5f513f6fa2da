package web

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"time"

	"tocsin/internal/agent"
	"tocsin/internal/desk"
	"tocsin/internal/incident"
	"tocsin/internal/intake"
	"tocsin/ui"
)

const (
	openShown    = 8
	callsFirst   = 4
	chartHours   = 72
	sourcesFirst = 20 // on the overview
	sourcesShown = 50 // on a page of all of them
)

// overview is the first page.
func (s *Server) overview(v *visit) error {
	view := ui.OverviewView{Frame: s.frame(v, "overview", "Overview")}
	reading := s.desk.Reading()
	view.Mine = s.needed(v)
	s.desk.ReadAs(v.actor, func(st *desk.State) {
		var open []*incident.Incident
		count := map[string]int{}
		today := 0
		for _, i := range st.Incidents.Incidents {
			if !i.Closed {
				open = append(open, i)
				count[i.Severity]++
			}
			if !i.Opened.Before(v.day()) {
				today++
			}
		}
		for _, sev := range []string{"critical", "high", "medium", "low"} {
			view.Tally = append(view.Tally, ui.Tally{Severity: ui.Severity(sev), Count: count[sev], Href: "/incidents?severity=" + sev})
		}
		order(open, "")
		view.More = max(0, len(open)-openShown)
		for _, i := range open[:min(len(open), openShown)] {
			view.Open = append(view.Open, s.incidentRow(v, st, i))
		}
		for _, c := range slices.Backward(st.Calls.Calls) {
			if len(view.Calls) < callsFirst {
				view.Calls = append(view.Calls, s.callRow(v, st, c))
			}
		}
		view.Duties = s.duties(v, st)
		view.Ready = s.readiness(v, st)
		view.Figures = s.figures(v, st, reading, today)
		view.Chart = ui.NewChart("Records and alerts by the hour", points(v, st, reading))
	})
	sources := s.sourceList(v, reading)
	for _, x := range sources[:min(len(sources), sourcesFirst)] {
		view.Sources = append(view.Sources, x.SourceRow)
	}
	view.MoreSources = len(sources) - len(view.Sources)
	return ui.Overview.Show(v.w, http.StatusOK, view)
}

// needed leads to the incident in which the reader has something to do, when there is one: what is late or due first.
func (s *Server) needed(v *visit) *ui.Next {
	work, all := s.desk.MyWork(v.actor, 1)
	if len(work) == 0 {
		return nil
	}
	n := &ui.Next{Says: fmt.Sprintf("Incident %d, %s. First: %s", work[0].Incident, work[0].Title, work[0].Text), Button: fmt.Sprintf("Go to incident %d", work[0].Incident), Action: fmt.Sprintf("/incidents/%d", work[0].Incident), Get: true, Mine: true}
	if all > 1 {
		n.Says += " (and " + ui.Number(int64(all-1)) + " more)"
	}
	return n
}

// figures are the numbers of the reader's day.
func (s *Server) figures(v *visit, st *desk.State, r desk.Reading, incidents int) []ui.Figure {
	var records, unparsed int64
	for _, h := range r.Hours {
		if !h.At.Before(v.day()) {
			records += h.Records
			unparsed += h.Unparsed
		}
	}
	alerts, calls := int64(0), int64(0)
	for _, id := range slices.Backward(st.Incidents.Order) {
		if st.Incidents.Alerts[id].Learned.Before(v.day()) {
			break
		}
		alerts++
	}
	for _, c := range slices.Backward(st.Calls.Calls) {
		if c.Opened.Before(v.day()) {
			break
		}
		calls++
	}
	return []ui.Figure{
		{Name: "Records", Value: ui.Number(records), Says: ui.Number(unparsed) + " not parsed", Href: "/sources"},
		{Name: "Alerts", Value: ui.Number(alerts), Href: "/alerts"},
		{Name: "Incidents", Value: ui.Number(int64(incidents)), Href: "/incidents?state=all"},
		{Name: "Calls", Value: ui.Number(calls), Href: "/calls"},
	}
}

// points are the hours of the chart: the newest that have records.
func points(v *visit, st *desk.State, r desk.Reading) (out []ui.Point) {
	hours := r.Hours[max(0, len(r.Hours)-chartHours):]
	if len(hours) == 0 {
		return nil
	}
	first := hours[0].At
	for _, h := range hours {
		out = append(out, ui.Point{At: v.at(h.At), Records: h.Records,
			Span: h.At.In(v.zone).Format("2 Jan 15:04") + " to " + h.At.Add(time.Hour).In(v.zone).Format("15:04")})
	}
	for _, id := range st.Incidents.Order {
		a := st.Incidents.Alerts[id]
		if k := int(a.Raised.Sub(first) / time.Hour); !a.Raised.Before(first) && k < len(out) {
			for n, level := range ui.Levels {
				if string(level) == a.Level {
					out[k].Alerts[n]++
				}
			}
		}
	}
	return out
}

// sources shows every source in full.
func (s *Server) sources(v *visit) error {
	view := ui.SourcesView{Frame: s.frame(v, "sources", "Sources")}
	all := s.sourceList(v, s.desk.Reading())
	page := pageOf(v)
	from := min(page*sourcesShown, len(all))
	view.Sources = all[from:min(from+sourcesShown, len(all))]
	if len(all) > sourcesShown {
		view.Pager = pager(v, page, sourcesShown, len(all))
	}
	bad, unparsed := 0, 0
	for _, x := range all {
		if x.State.Tone == "bad" || x.State.Tone == "late" {
			bad++
		}
		if x.Bad {
			unparsed++
		}
	}
	view.Summary = fmt.Sprintf("%s, %d silent, missing or behind, %d with lines that could not be parsed", ui.Plural(int64(len(all)), "source", "sources"), bad, unparsed)
	return ui.Sources.Show(v.w, http.StatusOK, view)
}

// sourceList joins what the watcher sees and what the parsers counted, worst state first.
func (s *Server) sourceList(v *visit, r desk.Reading) (out []ui.Source) {
	counts := map[string]intake.Count{}
	for _, c := range r.Counts {
		counts[sourceName(c.Host, c.File)] = c
	}
	silent, doors := s.desk.Silent(), s.doorSays()
	seen := map[string]bool{}
	for host, sources := range s.allSources() {
		for _, x := range sources {
			name := sourceName(host, x.Path)
			seen[name] = true
			o := s.source(v, host, x, counts[name], silent, r)
			if d, is := doors[x.Path]; is && host == "" {
				o.Door, o.Note, o.Refused, o.LastRefused, o.Host = true, d.note, d.refused, ui.Visible(clipped(d.why)), d.host
				if o.State.Tone == "good" {
					o.State.Word = "open"
				}
			}
			out = append(out, o)
		}
	}
	for _, c := range r.Counts { // what the archive has from files that are not watched now, and the bundled sample
		if !seen[sourceName(c.Host, c.File)] {
			state := agent.State("archived")
			if throughDoor(doors, c.File) {
				state = "sent"
			}
			out = append(out, s.source(v, c.Host, agent.Source{Path: c.File, State: state, Lines: c.Lines}, c, silent, r))
		}
	}
	tones := []string{"bad", "late", "busy", "good", "off"}
	slices.SortStableFunc(out, func(a, b ui.Source) int {
		return cmp.Or(cmp.Compare(slices.Index(tones, a.State.Key()), slices.Index(tones, b.State.Key())), cmp.Compare(a.Host, b.Host), cmp.Compare(a.Path, b.Path))
	})
	for k := range out {
		out[k].ID = fmt.Sprintf("source-%d", k+1)
		out[k].Href = "/sources#" + out[k].ID
		if page := k / sourcesShown; page > 0 {
			out[k].Href = fmt.Sprintf("/sources?page=%d#%s", page+1, out[k].ID)
		}
	}
	return out
}

// sourceName is how the log sources of all hosts are told apart: those of others have their host in front.
func sourceName(host, file string) string {
	if host == "" {
		return file
	}
	return host + ":" + file
}

// allSources are what is watched on this host (""), the doors, and what agents say that they watch, by host.
func (s *Server) allSources() map[string][]agent.Source {
	all := map[string][]agent.Source{"": s.desk.Sources()}
	for _, c := range s.desk.Doors() {
		x := agent.Source{Path: c.Door, State: agent.OK, Lines: c.Lines, Bytes: c.Bytes, LastLine: c.Last, Cut: c.Cut}
		if c.Stuck != "" {
			x.State, x.Why = "stuck", c.Stuck
		}
		all[""] = append(all[""], x)
	}
	agents, _ := s.desk.Agents()
	for _, a := range agents {
		if !a.Revoked.IsZero() {
			continue
		}
		for _, f := range worstFeeds(a.Host.Sources) {
			x := agent.Source{Path: f.Path, Pattern: f.Pattern, State: agent.State(f.State), Why: f.Why, Lines: f.Lines, Lag: f.Lag, LastLine: f.Last, Gaps: f.Gaps}
			if !a.Lost.IsZero() {
				x.State, x.Why = "agent lost", "Its agent is not heard of any more: see Agents."
			}
			all[a.Name] = append(all[a.Name], x)
		}
	}
	return all
}

// source words one source.
func (s *Server) source(v *visit, host string, x agent.Source, c intake.Count, silent map[string]time.Time, r desk.Reading) ui.Source {
	name := sourceName(host, x.Path)
	o := ui.Source{Path: x.Path, Host: cmp.Or(host, "this host"), Format: cmp.Or(c.Format, "not known yet"), Limit: "never", Lines: ui.Number(x.Lines), Says: x.Why}
	o.Name, o.Unparsed, o.Bad = bases([]string{x.Path})[0], ui.Number(c.Unparsed), c.Unparsed > 0
	if host != "" {
		o.Name = sourceName(host, o.Name)
	}
	o.Last, o.Lag = v.at(x.LastLine), ui.Plural(x.Lag, "byte behind", "bytes behind")
	if x.Lag == 0 {
		o.Lag = "none"
	}
	if s.o.Limit != nil {
		if l := s.o.Limit(name); l > 0 {
			o.Limit = ui.Span(l)
		}
	}
	switch since, is := silent[name]; {
	case is:
		o.State, o.Says = ui.State{Tone: "bad", Word: "silent for " + ui.Span(v.now.Sub(since))}, "No line came for longer than its limit. See whether the service still writes there, and whether somebody stopped it."
	case x.State == "ok" && x.Lag > 10<<20:
		o.State = ui.State{Tone: "late", Word: "behind"}
	case x.State == "ok":
		o.State = ui.State{Tone: "good", Word: "reading"}
	case x.State == "sent":
		o.State, o.Last = ui.State{Tone: "good", Word: "comes by a door"}, v.at(c.Last)
	case x.State == "archived":
		o.State, o.Last = ui.State{Tone: "off", Word: "in the archive"}, v.at(c.Last)
		if s.desk.Sample() {
			o.State = ui.State{Tone: "good", Word: "sample"}
		}
	default:
		o.State = ui.State{Tone: "bad", Word: string(x.State)}
	}
	for _, line := range r.Unparsed[name] {
		o.Rejected = append(o.Rejected, ui.Rejected{Number: "Not parsed", Line: ui.Visible(line), Why: "no parser knew it"})
	}
	return o
}
