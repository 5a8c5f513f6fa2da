package web

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"tocsin/internal/desk"
	"tocsin/internal/entry"
	"tocsin/internal/plan"
	"tocsin/ui"
)

// ringingSeverities are the severities that can ring, the worst first.
func ringingSeverities() []string { return []string{"critical", "high", "medium"} }

// waysForm words a person's rules and fills their form, with two rows to spare.
func waysForm(p entry.Person, w entry.Ways, zone string) ui.WaysForm {
	f := ui.WaysForm{Action: "/people/" + p.ID + "/ways", Zone: zone}
	if f.Zone == "" {
		f.Zone = "UTC"
	}
	for _, r := range w.Rules {
		f.Says = append(f.Says, wayWords(r))
	}
	if len(w.Rules) == 0 {
		f.Says = []string{"Every channel at once, at any hour."}
	}
	if w.Quiet != nil {
		f.QuietFrom, f.QuietUntil = w.Quiet.From, w.Quiet.Until
		f.Says = append(f.Says, fmt.Sprintf("Quiet from %s to %s (%s): only Critical rings.", w.Quiet.From, w.Quiet.Until, f.Zone))
	}
	for k := range len(w.Rules) + 2 {
		var r entry.Way
		if k < len(w.Rules) {
			r = w.Rules[k]
		}
		f.Rules = append(f.Rules, wayRow(p, k, r))
	}
	return f
}

func wayWords(r entry.Way) string {
	says := "By " + channelWord(r.Channel)
	if r.After > 0 {
		says += " after " + minutes(r.After) + " min"
	}
	if len(r.Severities) > 0 {
		var which []string
		for _, s := range r.Severities {
			which = append(which, desk.Title(s))
		}
		says += ", for " + strings.Join(which, " and ")
	}
	if r.Hours != nil {
		says += ", from " + r.Hours.From + " to " + r.Hours.Until
	}
	return says + "."
}

func wayRow(p entry.Person, k int, r entry.Way) ui.WayRow {
	x := ui.WayRow{N: k, Word: fmt.Sprintf("Rule %d", k+1), Channels: []ui.Option{{Value: "", Word: "no rule"}}}
	for _, c := range p.Channels {
		x.Channels = append(x.Channels, ui.Option{Value: c, Word: channelWord(c), Chosen: c == r.Channel})
	}
	if r.Channel != "" {
		x.After = minutes(r.After)
	}
	for _, s := range ringingSeverities() {
		x.Severities = append(x.Severities, ui.Option{Value: s, Word: desk.Title(s), Chosen: slices.Contains(r.Severities, s)})
	}
	if r.Hours != nil {
		x.From, x.Until = r.Hours.From, r.Hours.Until
	}
	return x
}

// typedWays reads the form. A rule without a channel is left out.
func typedWays(v *visit, id string) (entry.Ways, error) {
	x := entry.Ways{ID: id}
	hours := func(from, until string) *entry.Hours {
		h := entry.Hours{From: text(v.r, from), Until: text(v.r, until)}
		if h == (entry.Hours{}) {
			return nil
		}
		return &h
	}
	x.Quiet = hours("quiet-from", "quiet-until")
	for n := range 22 {
		channel := v.r.PostFormValue(fmt.Sprintf("channel.%d", n))
		if channel == "" {
			continue
		}
		r := entry.Way{Channel: channel, Severities: v.r.PostForm[fmt.Sprintf("severities.%d", n)], Hours: hours(fmt.Sprintf("from.%d", n), fmt.Sprintf("until.%d", n))}
		if text(v.r, fmt.Sprintf("after.%d", n)) != "" {
			var err error
			if r.After, err = typedMinutes(v, fmt.Sprintf("after.%d", n)); err != nil {
				return x, err
			}
		}
		x.Rules = append(x.Rules, r)
	}
	return x, nil
}

func (s *Server) setWays(v *visit) error {
	id := v.r.PathValue("id")
	if p, ok := s.desk.Person(id); !ok || p.ID == "" {
		return errMissing
	}
	x, err := typedWays(v, id)
	if err == nil {
		err = s.desk.SetWays(v.actor, x)
	}
	if err != nil {
		if known(err) {
			return err
		}
		return s.showPerson(v, http.StatusUnprocessableEntity, nil, err, "")
	}
	return done(v, "/people/"+id, "ways")
}

// typedAgainWays puts what was typed back into the form of a person's rules.
func typedAgainWays(v *visit, f *ui.WaysForm) {
	f.Open, f.QuietFrom, f.QuietUntil = true, text(v.r, "quiet-from"), text(v.r, "quiet-until")
	choose := func(list []ui.Option, typed []string) {
		for k := range list {
			list[k].Chosen = slices.Contains(typed, list[k].Value)
		}
	}
	for k := range f.Rules {
		x := &f.Rules[k]
		typed := func(field string) string { return fmt.Sprintf("%s.%d", field, x.N) }
		x.After, x.From, x.Until = text(v.r, typed("after")), text(v.r, typed("from")), text(v.r, typed("until"))
		choose(x.Channels, v.r.PostForm[typed("channel")])
		choose(x.Severities, v.r.PostForm[typed("severities")])
	}
}

// barChannels says which channels must not be used for an incident.
func (s *Server) barChannels(v *visit) error {
	return s.act(v, "channels", func(id int64) error {
		return s.desk.BarChannels(v.actor, id, v.r.PostForm["not"], text(v.r, "reason"))
	}, "barred")
}

// barrable lists the channels that can be barred for an incident.
func barrable(st *desk.State, incident int64, chats []string) (out []ui.Option) {
	not := st.Calls.Barred(incident)
	for _, c := range plan.Channels() {
		if c != plan.Console {
			out = append(out, ui.Option{Value: c, Word: desk.Title(channelWord(c)), Chosen: slices.Contains(not, c)})
		}
	}
	for _, c := range append([]string{"chat", "room"}, chats...) {
		if strings.HasPrefix(c, "schedule:") {
			continue
		}
		word := desk.Title(channelWord(c))
		switch c {
		case "chat":
			word = "Every chat (Slack and others)"
		case "room":
			word = "The war room"
		}
		out = append(out, ui.Option{Value: c, Word: word, Chosen: slices.Contains(not, c)})
	}
	for _, c := range not { // what an earlier form or the API barred stays to be seen
		if !slices.ContainsFunc(out, func(o ui.Option) bool { return o.Value == c }) {
			out = append(out, ui.Option{Value: c, Word: c, Chosen: true})
		}
	}
	return out
}
