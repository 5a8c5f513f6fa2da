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
	if key == desk.SilentRule {
		return "A log source fell silent"
	}
	if d, ok := s.o.Set.Find(key); ok {
		return d.Meta().Title
	}
	return key
}

// ruleLink leads to what documents a rule. A rule that raised an alert once may be gone today.
func (s *Server) ruleLink(key, word string) ui.Link {
	if key == desk.SilentRule {
		return ui.Link{Word: word, Href: "/sources"}
	}
	if _, ok := s.o.Set.Find(key); !ok {
		return ui.Link{Word: word + " (no such rule now)", Href: "/rules"}
	}
	return ui.Link{Word: word, Href: "/rules/" + key}
}

// rules lists the rules: what watches, how often it matched, and what was refused.
func (s *Server) rules(v *visit) error {
	q := v.r.URL.Query()
	level, state, query := q.Get("level"), q.Get("state"), strings.ToLower(strings.TrimSpace(q.Get("q")))
	view := ui.RulesView{Frame: s.frame(v, "rules", "Rules"), Query: q.Get("q"), Filtered: level != "" || state != "" || query != "",
		Levels: options(level, "", "Every level", "critical", "Critical", "high", "High", "medium", "Medium", "low", "Low", "informational", "Informational"),
		States: options(state, "", "Every rule that raises alerts", "part", "Parts of other rules", "watching", "Watching", "quiet", "No source for it", "muted", "Muted", "broken", "Set aside")}
	stats := s.ruleStats()
	s.desk.Read(func(st *desk.State) {
		last := lastAlerts(st)
		for _, d := range s.o.Set.Rules.Documents() {
			m := d.Meta()
			row, key := s.ruleRow(v, st, m, stats[m.Key()], last)
			if part := !s.o.Set.Rules.Raises(m.Key()); part {
				row.State, key = ui.State{Tone: "off", Word: "part of other rules"}, "part"
			}
			if state == "" && key == "part" || level != "" && level != m.Level || state != "" && state != key || query != "" && !strings.Contains(strings.ToLower(m.Title+" "+m.Description), query) {
				continue
			}
			view.Rows = append(view.Rows, row)
		}
	})
	slices.SortStableFunc(view.Rows, func(a, b ui.RuleRow) int { return incident.Rank(string(b.Level)) - incident.Rank(string(a.Level)) })
	for _, r := range s.o.Set.Refused {
		view.Refused = append(view.Refused, ui.RefusedRule{File: r.File, Name: r.Title, Why: r.Feature + ": " + r.Why})
	}
	view.Kept, view.Trouble = keptRules(s.o.Set.Kept), s.o.Set.Trouble
	view.Summary = ui.Plural(int64(len(s.o.Set.Rules.Documents())), "rule watches", "rules watch") + ", " + ui.Number(int64(len(view.Refused))) + " refused"
	return ui.Rules.Show(v.w, http.StatusOK, view)
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
	view := ui.RuleView{Frame: s.frame(v, "rules", "Rule: "+m.Title), Explained: d.Explain(), FalsePositives: m.FalsePositives, LogSource: logSource(d),
		Author: m.Author, Licence: m.License, Date: m.Date, File: m.File, References: m.References, YAML: ui.VisibleLines(s.o.Set.Texts[m.File])}
	for p := range strings.SplitSeq(m.Description, "\n\n") {
		view.Description = append(view.Description, strings.Join(strings.Fields(p), " "))
	}
	for _, t := range m.Tags {
		name, _ := strings.CutPrefix(t, "attack.")
		view.Tags = append(view.Tags, ui.Fact{Name: strings.ToUpper(name), Value: t})
	}
	for _, x := range m.Tocsin.Samples {
		for _, line := range x.Match[:min(len(x.Match), 5)] {
			view.Hits = append(view.Hits, ui.Visible(line))
		}
		for _, line := range x.NoMatch[:min(len(x.NoMatch), 5)] {
			view.Misses = append(view.Misses, ui.Visible(line))
		}
	}
	stats := s.ruleStats()
	var recent []alertDetails
	s.desk.Read(func(st *desk.State) {
		view.Row, _ = s.ruleRow(v, st, m, stats[m.Key()], lastAlerts(st))
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
	s.desk.Read(func(st *desk.State) {
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
