package trace

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"tocsin/internal/record"
)

// alerts tells the alerts themselves, those that were raised in the same moment together. Of many moments the worst are told.
func (t *tracer) alerts() {
	var moments [][]Alert
	seen := map[string]bool{}
	for _, a := range t.c.Alerts {
		switch last := len(moments) - 1; {
		case seen[a.Title]:
			continue
		case last >= 0 && moments[last][0].Raised.Equal(a.Raised):
			moments[last] = append(moments[last], a)
		default:
			moments = append(moments, []Alert{a})
		}
		seen[a.Title] = true
	}
	if slices.ContainsFunc(t.c.Alerts, isWorse) {
		moments = slices.DeleteFunc(moments, func(m []Alert) bool { return !slices.ContainsFunc(m, isWorse) })
	}
	for _, m := range moments {
		slices.SortStableFunc(m, func(a, b Alert) int { return cmp.Compare(level(b.Level), level(a.Level)) })
	}
	if len(moments) > maxAlerts {
		t.cut("Alerts were raised in %d moments; the %d with the worst are told.", len(moments), maxAlerts)
		slices.SortStableFunc(moments, func(a, b []Alert) int { return cmp.Compare(level(b[0].Level), level(a[0].Level)) })
		moments = moments[:maxAlerts]
	}
	for _, m := range moments {
		t.alert(m)
	}
}

// isWorse reports whether an alert is more than a low one; those are told only when there are no others.
func isWorse(a Alert) bool { return level(a.Level) > level("low") }

func level(s string) int {
	return slices.Index([]string{"informational", "low", "medium", "high", "critical"}, s)
}

// alert tells those of a moment, the worst first, by the lines of their parties then.
func (t *tracer) alert(list []Alert) {
	ask := t.window().moment(list[0].Raised)
	addresses, accounts := parties(list)
	logs := list[0].Logs
	switch {
	case len(addresses) > 0:
		ask = ask.with(is(addressField, addresses...))
	case len(accounts) > 0:
		ask = ask.with(is(accountField, accounts...))
	case len(logs) > 0 && askable(logs[0]):
		ask = ask.with(Term{Log, Ends, logs[:1]})
	default:
		return
	}
	f, ok := t.find(ask, 0)
	if !ok {
		t.cut("The lines that raised “%s” are not kept, or have no time.", clip(list[0].Title))
		return
	}
	var about []int
	for _, r := range f.rows {
		if name := r.Text(record.SourceIP); slices.Contains(addresses, name) {
			about = append(about, t.node(Address, name, ""))
		} else if name := r.Text(record.UserName); len(addresses) == 0 && slices.Contains(accounts, name) {
			about = append(about, t.node(Account, name, r.Text(record.UserRealm)))
		}
	}
	n := t.say(f, Statement{Step: Alarm, Text: alarmText(list)}, about...)
	it := t.node(Warning, list[0].Title, list[0].Level)
	for _, from := range about {
		t.draw(from, it, "set off", n)
	}
}

// parties are the names of some alerts, as many as may be asked for.
func parties(list []Alert) (addresses, accounts []string) {
	add := func(to []string, some []Party) []string {
		bytes := 0 // of a question that is written down
		for _, p := range some {
			if bytes += len(p.Name) + 2; bytes < maxNames && askable(p.Name) && !slices.Contains(to, p.Name) {
				to = append(to, p.Name)
			}
		}
		return to
	}
	for _, a := range list {
		addresses, accounts = add(addresses, a.Addresses), add(accounts, a.Accounts)
	}
	return addresses, accounts
}

// alarmText words them.
func alarmText(list []Alert) string {
	var names []string
	for _, a := range list[:min(len(list), fewNames)] {
		names = append(names, fmt.Sprintf("“%s” (%s)", clip(a.Title), clip(a.Level)))
	}
	text := "Tocsin raises " + number(int64(len(list)), "alert", "alerts") + ": " + strings.Join(names, ", ")
	if more := len(list) - len(names); more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text + "."
}
