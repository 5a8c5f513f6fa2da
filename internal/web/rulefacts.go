package web

import (
	"cmp"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"tocsin/internal/desk"
	"tocsin/internal/detect"
	"tocsin/internal/sigma"
	"tocsin/ui"
)

// costWords says what a rule costs.
func costWords(x detect.RuleStats) string { return meanWords(meanCost(x)) }

// meanCost is what one record of its log source costs a rule on average; 0 is not measured.
func meanCost(x detect.RuleStats) time.Duration { return x.Mean() }

func meanWords(mean time.Duration) string {
	switch {
	case mean <= 0:
		return "not measured yet"
	case mean < time.Microsecond:
		return ui.Plural(int64(mean), "nanosecond", "nanoseconds") + " a record on average"
	}
	return strconv.FormatFloat(mean.Seconds()*1e6, 'f', 1, 64) + " µs a record on average"
}

// levelWords says what a rule's level means, and what an alert of it does.
func levelWords(m *sigma.Meta) string {
	word := desk.Title(m.Level) + ": "
	switch m.Level {
	case "critical":
		word += "money or data is about to go, or going. An alert opens an incident, which rings"
	case "high":
		word += "a targeted attack that can succeed, or a part of the shop that obeys somebody else. An alert opens an incident, which rings"
	case "medium":
		word += "potentially malicious. An alert opens an incident; whether that rings says the policy"
	case "low":
		word += "one probe or one odd request, of which every host sees some a day. An alert is shown and opens no incident"
	default:
		word += "it marks records for other rules, and raises no alert of its own"
	}
	return word + ". " + desk.Title(impactWords(m.Tocsin.Impact)) + "."
}

// licenceWords names the licence under which a rule's author is credited.
func licenceWords(m *sigma.Meta) string {
	switch l := strings.TrimSpace(m.License); {
	case strings.HasPrefix(strings.ToUpper(l), "DRL"):
		return "Detection Rule License (DRL) 1.1, which asks to name the author with each alert"
	case l != "":
		return l
	case m.Author == "Tocsin":
		return "Apache-2.0"
	case m.Author != "":
		return "not named in the rule. SigmaHQ's are under the Detection Rule License (DRL) 1.1, which asks to name the author with each alert"
	}
	return ""
}

// A stretch is how far back a rule's chart may reach.
type stretch struct {
	key, word  string
	hours, bar int // in all, and of one bar
}

func stretches() []stretch {
	return []stretch{{"48h", "48 hours", 48, 1}, {"14d", "14 days", 14 * 24, 6}}
}

// hitsChart draws the matches and alerts of a rule. Without a wish it reaches back two days, or two weeks when there was nothing in two days.
func (s *Server) hitsChart(v *visit, m *sigma.Meta, view *ui.RuleView) {
	all := stretches()
	chosen, longest := all[0], all[len(all)-1]
	hits := s.desk.RuleHours(m.Key(), longest.hours, v.now)[m.Key()]
	if len(hits) == 0 {
		hits = make([]int64, longest.hours)
	}
	if wish := slices.IndexFunc(all, func(x stretch) bool { return x.key == v.r.URL.Query().Get("over") }); wish >= 0 {
		chosen = all[wish]
	} else if sum(hits[longest.hours-chosen.hours:]) == 0 {
		chosen = longest
	}
	for _, x := range all {
		view.Stretches = append(view.Stretches, ui.Stretch{Word: x.word, Href: "/rules/" + url.PathEscape(m.Key()) + "?over=" + x.key + "#hits", Current: x == chosen})
	}
	hits = hits[longest.hours-chosen.hours:]
	points := make([]ui.Point, 0, chosen.hours/chosen.bar)
	first := v.now.Truncate(time.Hour).Add(-time.Duration(chosen.hours-1) * time.Hour)
	for k := 0; k < chosen.hours; k += chosen.bar {
		at := first.Add(time.Duration(k) * time.Hour)
		points = append(points, ui.Point{At: v.at(at), Records: sum(hits[k : k+chosen.bar]),
			Span: at.In(v.zone).Format("2 Jan 15:04") + " to " + at.Add(time.Duration(chosen.bar)*time.Hour).In(v.zone).Format("15:04")})
	}
	alerts := int64(0)
	s.desk.ReadAs(v.actor, func(st *desk.State) {
		for _, id := range st.Incidents.Order {
			a := st.Incidents.Alerts[id]
			if a.Rule != m.Key() || a.Raised.Before(first) {
				continue
			}
			if k := int(a.Raised.Sub(first)/time.Hour) / chosen.bar; k < len(points) {
				for n, level := range ui.Levels {
					if string(level) == a.Level {
						points[k].Alerts[n]++
						alerts++
					}
				}
			}
		}
	})
	if sum(hits)+alerts == 0 {
		view.Quiet = "It has matched nothing in the last " + chosen.word + "."
		return
	}
	view.Chart = ui.NewHits("Matches and alerts of this rule in the last "+chosen.word, points)
}

func sum(counts []int64) (n int64) {
	for _, c := range counts {
		n += c
	}
	return n
}

// ranked is a row of the list of rules with the numbers that it can be sorted by.
type ranked struct {
	row          ui.RuleRow
	rank         int // of the level
	day          int64
	matches      int64
	alerts, last int64
}

// ruleHeadings are the columns of the list of rules, with the links that sort by them.
func ruleHeadings(v *visit, sort string) []ui.Heading {
	hs := []ui.Heading{{Word: "Level"}, {Word: "Rule"}, {Word: "State"}, {Word: "Last 24 hours", Number: true}, {Word: "Matches", Number: true}, {Word: "Alerts", Number: true}, {Word: "Last alert"}}
	for k, key := range []string{"level", "title", "", "day", "matches", "alerts", "last"} {
		if key == "" {
			continue
		}
		to := "-" + key // numbers: the most first
		if key == "title" {
			to = key
		}
		switch sort {
		case key:
			hs[k].Sorted, to = "ascending", "-"+key
		case "-" + key:
			hs[k].Sorted, to = "descending", key
		}
		hs[k].Href = with(v, "sort", to)
	}
	return hs
}

// orderRules sorts the list; without a wish the worst levels come first.
func orderRules(list []ranked, sort string) {
	key, down := strings.CutPrefix(sort, "-")
	by := map[string]func(a, b ranked) int{
		"level": func(a, b ranked) int { return cmp.Compare(a.rank, b.rank) },
		"title": func(a, b ranked) int {
			return strings.Compare(strings.ToLower(a.row.Title), strings.ToLower(b.row.Title))
		},
		"day":     func(a, b ranked) int { return cmp.Compare(a.day, b.day) },
		"matches": func(a, b ranked) int { return cmp.Compare(a.matches, b.matches) },
		"alerts":  func(a, b ranked) int { return cmp.Compare(a.alerts, b.alerts) },
		"last":    func(a, b ranked) int { return cmp.Compare(a.last, b.last) },
	}[key]
	if by == nil {
		by, down = func(a, b ranked) int { return cmp.Compare(a.rank, b.rank) }, true
	}
	slices.SortStableFunc(list, func(a, b ranked) int {
		if down {
			a, b = b, a
		}
		return by(a, b)
	})
}

// credit names the author of an alert's rule and the licence that asks for it.
func (s *Server) credit(rule, author string) string {
	if d, ok := s.o.Set.Find(rule); ok && author != "" {
		if l := licenceWords(d.Meta()); l != "" {
			return author + " (licence: " + l + ")"
		}
	}
	return author
}
