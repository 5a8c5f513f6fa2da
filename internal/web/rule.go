package web

import (
	"net/http"
	"slices"
	"strings"

	"tocsin/internal/desk"
	"tocsin/internal/detect"
	"tocsin/internal/incident"
	"tocsin/internal/sigma"
	"tocsin/ui"
)

// title returns a rule's title, or its key when there is no such rule any more.
func (s *Server) title(key string) string {
	if t := desk.StandingTitle(key); t != "" {
		return t
	}
	if d, ok := s.o.Set.Find(key); ok {
		return d.Meta().Title
	}
	return key
}

// ruleLink leads to what documents a rule. A rule that raised an alert once may be gone today.
func (s *Server) ruleLink(key, word string) ui.Link {
	switch key {
	case desk.SilentRule:
		return ui.Link{Word: word, Href: "/sources"}
	case desk.LostRule, desk.GapRule:
		return ui.Link{Word: word, Href: "/agents"}
	case desk.HookRule:
		return ui.Link{Word: word, Href: "/webhooks"}
	case desk.CertRule:
		return ui.Link{Word: word, Href: "/"} // what does not work stands there
	}
	if _, ok := s.o.Set.Find(key); !ok {
		return ui.Link{Word: word + " (no such rule now)", Href: "/rules"}
	}
	return ui.Link{Word: word, Href: "/rules/" + key}
}

const (
	rulesShown = 50  // on a page
	namesShown = 150 // in each list of rules that matched nothing
	notesShown = 30  // of rules that cannot match, with the reason
)

// rules lists the rules: what watches, how often it matched, and what was refused, failed, or has matched nothing.
func (s *Server) rules(v *visit) error {
	q := v.r.URL.Query()
	level, state, query, sort := q.Get("level"), q.Get("state"), strings.ToLower(strings.TrimSpace(q.Get("q"))), q.Get("sort")
	view := ui.RulesView{Frame: s.frame(v, "rules", "Rules"), Query: q.Get("q"), Filtered: level != "" || state != "" || query != "",
		Levels: options(level, "", "Every level", "critical", "Critical", "high", "High", "medium", "Medium", "low", "Low", "informational", "Informational"),
		States: options(state, "", "Every rule that raises alerts", "part", "Parts of other rules", "watching", "Watching", "quiet", "No source for it", "never", "Matched nothing yet", "muted", "Muted", "broken", "Set aside")}
	stats, hours, raising := s.ruleStats(), s.desk.RuleHours("", 24, v.now), s.o.Set.Rules.Raising()
	view.Headings = ruleHeadings(v, sort)
	var list []ranked
	s.desk.ReadAs(v.actor, func(st *desk.State) {
		last := lastAlerts(st)
		for _, d := range s.o.Set.Rules.Documents() {
			m := d.Meta()
			x := stats[m.Key()]
			row, key := s.ruleRow(v, st, m, x, last)
			nameRule(&view, m, x)
			if !raising[m.Key()] {
				row.State, key = ui.State{Tone: "off", Word: "part of other rules"}, "part"
			}
			if state == "" && key == "part" || level != "" && level != m.Level || state != "" && state != key && !(state == "never" && x.Seen > 0 && x.Matches == 0) || query != "" && !strings.Contains(strings.ToLower(m.Title+" "+m.Description+" "+strings.Join(m.Tags, " ")), query) {
				continue
			}
			r := ranked{row: row, rank: incident.Rank(m.Level), day: sum(hours[m.Key()]), matches: x.Matches, alerts: x.Alerts}
			r.row.Day, r.row.Spark = ui.Number(r.day), ui.NewSpark(hours[m.Key()])
			if a := last[m.Key()]; a != nil {
				r.last = a.Last.Unix()
			}
			list = append(list, r)
		}
	})
	orderRules(list, sort)
	page := pageOf(v)
	view.Pager = pager(v, page, rulesShown, len(list))
	for k := page * rulesShown; k < len(list) && k < (page+1)*rulesShown; k++ {
		view.Rows = append(view.Rows, list[k].row)
	}
	s.sumUp(&view)
	return ui.Rules.Show(v.w, http.StatusOK, view)
}

// sumUp names what was refused, and keeps the lists of names short.
func (s *Server) sumUp(view *ui.RulesView) {
	for _, r := range s.o.Set.Refused {
		view.Refused = append(view.Refused, ui.RefusedRule{File: r.File, Name: r.Title, Why: r.Feature + ": " + r.Why})
	}
	for _, w := range s.o.Set.Warned {
		view.Warned.Notes = append(view.Warned.Notes, ui.RefusedRule{File: w.File, Name: w.Rule, Why: w.Why})
	}
	if view.Filtered { // the lists are of all rules
		view.Warned, view.Never, view.Unread = ui.NamedRules{}, ui.NamedRules{}, ui.NamedRules{}
	}
	for _, x := range []*ui.NamedRules{&view.Warned, &view.Never, &view.Unread} {
		all := len(x.Links) + len(x.Notes)
		x.Links, x.Notes = x.Links[:min(len(x.Links), namesShown)], x.Notes[:min(len(x.Notes), notesShown)]
		if all > 0 {
			x.Count = ui.Number(int64(all))
		}
		if rest := all - len(x.Links) - len(x.Notes); rest > 0 {
			x.More = "and " + ui.Number(int64(rest)) + " more. Filter by state to see them; tocsin rules check names every one."
		}
	}
	view.Kept, view.Trouble = keptRules(s.o.Set.Kept), s.o.Set.Trouble
	view.Summary = ui.Plural(int64(len(s.o.Set.Rules.Documents())), "rule watches", "rules watch") + ", " + ui.Number(int64(len(view.Refused))) + " refused, " +
		ui.Number(int64(len(view.Broken))) + " set aside"
}

// nameRule puts a rule into the lists of those that failed or have matched nothing.
func nameRule(view *ui.RulesView, m *sigma.Meta, x detect.RuleStats) {
	link := ui.Link{Word: m.Title, Href: "/rules/" + m.Key()}
	switch {
	case x.Broken != "":
		view.Broken = append(view.Broken, ui.RefusedRule{File: m.File, Name: m.Title, Why: x.Broken})
	case x.Seen == 0:
		view.Unread.Links = append(view.Unread.Links, link)
	case x.Matches == 0:
		view.Never.Links = append(view.Never.Links, link)
	}
}

func (s *Server) ruleStats() map[string]detect.RuleStats {
	out := map[string]detect.RuleStats{}
	for _, r := range s.desk.Reading().Stats.Rules {
		out[r.Rule] = r
	}
	return out
}

// lastAlerts returns the newest alert of each rule.
func lastAlerts(st *desk.State) map[string]*incident.Alert {
	out := map[string]*incident.Alert{}
	for _, id := range st.Incidents.Order {
		a := st.Incidents.Alerts[id]
		out[a.Rule] = a
	}
	return out
}

// ruleRow words a rule in short; key is its state for the filter.
func (s *Server) ruleRow(v *visit, st *desk.State, m *sigma.Meta, x detect.RuleStats, last map[string]*incident.Alert) (row ui.RuleRow, key string) {
	row = ui.RuleRow{ID: m.Key(), Href: "/rules/" + m.Key(), Title: m.Title, Says: firstSentence(m.Description), Level: ui.Severity(m.Level),
		Matches: ui.Number(x.Matches), Alerts: ui.Number(x.Alerts)}
	if a := last[m.Key()]; a != nil {
		row.Last = v.at(a.Last)
	}
	muted := 0
	for _, mute := range st.Tuning.Mutes {
		if mute.Rule == m.Key() && mute.Holds(v.now) {
			muted++
		}
	}
	switch {
	case x.Broken != "":
		row.State, key = ui.State{Tone: "bad", Word: "set aside"}, "broken"
	case muted > 0:
		row.State, key = ui.State{Tone: "late", Word: "muted by " + ui.Plural(int64(muted), "mute", "mutes")}, "muted"
	case x.Seen == 0:
		row.State, key = ui.State{Tone: "off", Word: "no source for it yet"}, "quiet"
	default:
		row.State, key = ui.State{Tone: "good", Word: "watching"}, "watching"
	}
	return row, key
}

func firstSentence(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	if k := strings.Index(s, ". "); k > 0 {
		return s[:k+1]
	}
	return s
}

const recentShown = 10

// rule documents one rule.
func (s *Server) rule(v *visit) error {
	d, ok := s.o.Set.Find(v.r.PathValue("id"))
	if !ok {
		return errMissing
	}
	m := d.Meta()
	stats := s.ruleStats()
	view := ui.RuleView{Frame: s.frame(v, "rules", "Rule: "+m.Title), Explained: d.Explain(), FalsePositives: m.FalsePositives, LogSource: logSource(d),
		Author: m.Author, Licence: licenceWords(m), LevelWhy: levelWords(m), Cost: costWords(stats[m.Key()]), Tags: tagFacts(m.Tags), Date: m.Date, File: m.File, References: m.References, YAML: ui.VisibleLines(s.o.Set.Texts[m.File])}
	for p := range strings.SplitSeq(m.Description, "\n\n") {
		view.Description = append(view.Description, strings.Join(strings.Fields(p), " "))
	}
	s.hitsChart(v, m, &view)
	for _, x := range m.Tocsin.Samples {
		for _, line := range x.Match[:min(len(x.Match), 5)] {
			view.Hits = append(view.Hits, ui.Visible(line))
		}
		for _, line := range x.NoMatch[:min(len(x.NoMatch), 5)] {
			view.Misses = append(view.Misses, ui.Visible(line))
		}
	}
	day := s.desk.RuleHours(m.Key(), 24, v.now)[m.Key()]
	var recent []alertDetails
	s.desk.ReadAs(v.actor, func(st *desk.State) {
		view.Row, _ = s.ruleRow(v, st, m, stats[m.Key()], lastAlerts(st))
		view.Row.Day, view.Row.Spark = ui.Number(sum(day)), ui.NewSpark(day)
		for _, mute := range st.Tuning.Mutes {
			if mute.Rule == m.Key() && mute.Holds(v.now) {
				view.Mutes = append(view.Mutes, s.muteView(v, st, mute))
			}
		}
		for _, id := range slices.Backward(st.Incidents.Order) {
			if a := st.Incidents.Alerts[id]; a.Rule == m.Key() && len(recent) < recentShown {
				recent = append(recent, alertDetails{state: *a})
			}
		}
	})
	s.openDetails(recent)
	for _, a := range recent {
		if f, ok := s.fired(v, a, m.Key()); ok && len(view.Fired) < firedAlerts {
			view.Fired = append(view.Fired, f)
		}
	}
	s.desk.ReadAs(v.actor, func(st *desk.State) {
		for _, a := range recent {
			view.Recent = append(view.Recent, s.alertRow(v, st, a, false))
		}
	})
	return ui.Rule.Show(v.w, http.StatusOK, view)
}

// logSource words what a rule reads.
func logSource(d sigma.Document) string {
	if d.Rule == nil {
		return "what other rules matched"
	}
	var parts []string
	for _, p := range []string{d.Rule.LogSource.Category, d.Rule.LogSource.Product, d.Rule.LogSource.Service} {
		if p != "" {
			parts = append(parts, p)
		}
	}
	return strings.Join(parts, ", ")
}
