package web

import (
	"cmp"
	"fmt"
	"maps"
	"net/http"
	"path"
	"slices"
	"strconv"
	"strings"

	"tocsin/internal/desk"
	"tocsin/internal/detect"
	"tocsin/internal/incident"
	"tocsin/ui"
)

// alertDetails is an alert with what the vault knows of it.
type alertDetails struct {
	state incident.Alert
	full  detect.Alert // names and sample lines
	gone  string       // why full is empty
}

// alertsOf returns the newest alerts of an incident, newest first, at most so many. Their details are still to be opened.
func alertsOf(st *desk.State, i *incident.Incident, most int) (out []alertDetails) {
	for _, id := range slices.Backward(i.Alerts[max(0, len(i.Alerts)-most):]) {
		if a := st.Incidents.Alerts[id]; a != nil {
			out = append(out, alertDetails{state: *a})
		}
	}
	return out
}

// openDetails reads the details from the vault, outside of the desk's lock.
func (s *Server) openDetails(list []alertDetails) {
	for k := range list {
		full, err := s.desk.Details(list[k].state.Vault)
		if err != nil {
			list[k].gone = err.Error()
		}
		list[k].full = full
	}
}

const alertsShown = 50

// alerts lists alerts, newest first.
func (s *Server) alerts(v *visit) error {
	q := v.r.URL.Query()
	wanted := desk.AlertFilter{Rule: q.Get("rule"), Level: q.Get("level"), Text: strings.TrimSpace(q.Get("q"))}
	view := ui.AlertsView{Frame: s.frame(v, "alerts", "Alerts"), Query: q.Get("q"), Incident: q.Get("incident"),
		Levels: options(wanted.Level, "", "Every level", "critical", "Critical", "high", "High", "medium", "Medium", "low", "Low", "informational", "Informational")}
	if view.Incident != "" {
		id, err := strconv.ParseInt(view.Incident, 10, 64)
		if err != nil || id < 1 {
			id = -1 // no incident has it, and no alert is of it
		}
		wanted.Incident = id
	}
	view.Filtered = wanted != desk.AlertFilter{}
	page := pageOf(v)
	var shown []alertDetails
	s.desk.ReadAs(v.actor, func(st *desk.State) {
		titles := map[string]string{}
		for _, id := range slices.Backward(st.Incidents.Order) {
			a := st.Incidents.Alerts[id]
			titles[a.Rule] = a.Title
		}
		var list []*incident.Alert
		s.desk.Alerts(st, wanted, func(a *incident.Alert) { list = append(list, a) })
		view.Pager = pager(v, page, alertsShown, len(list))
		for k := page * alertsShown; k < len(list) && len(shown) < alertsShown; k++ {
			shown = append(shown, alertDetails{state: *list[k]})
		}
		view.Rules = []ui.Option{{Word: "Every rule", Chosen: wanted.Rule == ""}}
		for _, id := range slices.SortedFunc(maps.Keys(titles), func(a, b string) int { return cmp.Compare(titles[a], titles[b]) }) {
			view.Rules = append(view.Rules, ui.Option{Value: id, Word: titles[id], Chosen: id == wanted.Rule})
		}
	})
	s.openDetails(shown)
	s.desk.ReadAs(v.actor, func(st *desk.State) {
		for _, d := range shown {
			view.Rows = append(view.Rows, s.alertRow(v, st, d, false))
		}
	})
	return ui.Alerts.Show(v.w, http.StatusOK, view)
}

// alertRow words an alert in short.
func (s *Server) alertRow(v *visit, st *desk.State, d alertDetails, samples bool) ui.AlertRow {
	a := d.state
	r := ui.AlertRow{ID: a.ID, Href: "/alerts/" + a.ID, Title: a.Title, Level: ui.Severity(a.Level), Count: ui.Number(a.Count), First: v.at(a.First), Last: v.at(a.Last),
		Sources: few(d.full.Sources, true), Accounts: few(d.full.Accounts, false), State: ui.State{Tone: "busy", Word: "goes on"}, Why: desk.JoinWords(a.By)}
	if d.gone != "" {
		r.Sources = d.gone
	}
	if a.Ended {
		r.State = ui.State{Tone: "off", Word: "ended"}
	}
	if a.Mute != 0 {
		r.State = ui.State{Tone: "off", Word: "muted"}
	}
	if a.Incident != 0 {
		r.Incident = ui.Link{Word: fmt.Sprintf("Incident %d", a.Incident), Href: fmt.Sprintf("/incidents/%d", a.Incident)}
	}
	if a.History {
		r.Mark = "history"
	}
	if d.full.Why != "" {
		r.Unusual = ui.Visible(d.full.Why)
	}
	if samples {
		for _, line := range d.full.Samples {
			r.Samples = append(r.Samples, ui.Visible(line))
		}
	}
	return r
}

// few names the first of some parties and counts the rest.
func few(ps []detect.Party, place bool) string {
	if len(ps) == 0 {
		return ""
	}
	t := ui.Visible(ps[0].Name).String()
	if place && ps[0].Country != "" {
		t += " (" + ps[0].Country + ")"
	}
	if n := len(ps) - 1; n > 0 {
		t += " and " + ui.Number(int64(n)) + " more"
	}
	return t
}

// alert shows one alert.
func (s *Server) alert(v *visit) error {
	if list := v.r.URL.Query().Get("list"); list != "" {
		return s.namedByAlert(v, list)
	}
	var d []alertDetails
	s.desk.ReadAs(v.actor, func(st *desk.State) {
		if a := st.Incidents.Alerts[v.r.PathValue("id")]; a != nil {
			d = []alertDetails{{state: *a}}
		}
	})
	if len(d) == 0 {
		return errMissing
	}
	s.openDetails(d)
	a := d[0].state
	view := ui.AlertView{Frame: s.frame(v, "alerts", "Alert: "+a.Title), Rule: s.ruleLink(a.Rule, a.Title), Impact: impactWords(a.Impact)}
	var quiet []ui.Fact
	s.desk.ReadAs(v.actor, func(st *desk.State) { view.Row, quiet = s.alertRow(v, st, d[0], true), s.why(st, a.Mute) })
	view.Says = ui.Plural(a.Count, "log line", "log lines") + " between " + view.Row.First.Local + " and " + view.Row.Last.Local
	if n := len(a.Sources); n > 0 {
		view.Says += ", from " + ui.Plural(int64(n), "address", "addresses")
	}
	if n := len(a.Accounts); n > 0 {
		view.Says += ", about " + ui.Plural(int64(n), "account", "accounts")
	}
	view.Says += "."
	full := d[0].full
	if f, ok := s.fired(v, d[0], ""); ok {
		view.Fired = append(view.Fired, f)
	}
	view.Facts = []ui.Fact{{Name: "Logs", Value: strings.Join(bases(full.Logs), ", ")}, {Name: "Grouped by", Value: ui.Visible(strings.Join(full.Group, ", ")).String()},
		{Name: "Author of the rule", Value: s.credit(a.Rule, full.Author)}, {Name: "Version of the rule", Value: a.RuleVersion}, {Name: "Id", Value: a.ID}}
	if n := len(full.Hosts); n > 0 { // of agents, or as the lines name them
		names := ui.Visible(strings.Join(full.Hosts, ", ")).String()
		view.Facts = slices.Insert(view.Facts, 0, ui.Fact{Name: map[bool]string{true: "Host", false: "Hosts"}[n == 1], Value: names})
	}
	view.Facts = slices.Concat(s.linesOf(v, d), s.onLists(full), quiet, view.Facts)
	if a.Bytes > 0 {
		view.Facts = append(view.Facts, ui.Fact{Name: "Moved", Value: desk.Size(a.Bytes)})
	}
	if full.Dropped > 0 {
		view.Dropped = "and " + ui.Number(full.Dropped) + " more addresses or accounts, counted but not named"
	}
	view.Parties = s.parties(v, d, "alert", "/alerts/"+a.ID)
	return ui.Alert.Show(v.w, http.StatusOK, view)
}

func bases(files []string) (out []string) {
	for _, f := range files {
		out = append(out, path.Base(f))
	}
	return out
}

func impactWords(impact string) string {
	switch impact {
	case "compromise":
		return "compromise: something of the shop now obeys them"
	case "loss":
		return "loss: money or personal data is going, or will at once"
	}
	return "attempt: nothing says that it worked"
}
