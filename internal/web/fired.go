package web

import (
	"strings"
	"unicode/utf8"

	"tocsin/internal/desk"
	"tocsin/internal/detect"
	"tocsin/ui"
)

const (
	firedAlerts = 3   // of a rule's page
	firedText   = 400 // bytes of one reason
)

// fired says why an alert was raised. own is the key of the rule whose page it stands on, "" on the alert's page.
func (s *Server) fired(v *visit, d alertDetails, own string) (out ui.FiredAlert, ok bool) {
	a := d.state
	doc, found := s.o.Set.Find(a.Rule)
	if !found || d.gone != "" || len(d.full.Samples) == 0 {
		return out, false
	}
	lines, err := s.desk.Fired(s.o.Set, doc, d.full, detect.MaxSamples)
	if err != nil {
		s.log.Error("reading the sample lines of an alert", "alert", a.ID, "error", err)
		return out, false
	}
	out = ui.FiredAlert{Says: countedWords(doc.Meta().Title, d)}
	if own != "" {
		out.Alert, out.At = ui.Link{Word: "Alert of " + v.at(a.First).Local, Href: "/alerts/" + a.ID}, v.at(a.Last)
	}
	if a.RuleVersion != doc.Meta().Version {
		out.Note = "The rule has changed since: this is what it says of these lines today."
	}
	seen := map[string]bool{}
	for _, f := range lines {
		key := strings.Join(ruleKeys(f), "\x00")
		if seen[key] {
			out.More = append(out.More, ui.Visible(f.Line))
			continue
		}
		seen[key] = true
		out.Lines = append(out.Lines, s.firedLine(f, own))
	}
	return out, true
}

// countedWords says what was counted: "21 log lines, counted together by source.ip: 203.0.113.9".
func countedWords(title string, d alertDetails) string {
	says := ui.Plural(d.state.Count, "log line", "log lines") + " of “" + title + "”"
	if len(d.full.Group) > 0 {
		says += ", counted together for " + ui.Visible(strings.Join(d.full.Group, ", ")).String()
	}
	return says + "."
}

func ruleKeys(f desk.Fired) (keys []string) {
	for _, r := range f.Rules {
		keys = append(keys, r.Key)
	}
	return keys
}

func (s *Server) firedLine(f desk.Fired, own string) ui.FiredLine {
	x := ui.FiredLine{Line: ui.Visible(f.Line)}
	switch {
	case f.Format == "":
		x.Says = "By itself this line cannot be read: what it is was known from the lines before it."
	case len(f.Rules) == 0:
		x.Says = "Read by itself, this line matches nothing today: the rule has changed, or what matched was known from the lines before it."
	}
	for _, r := range f.Rules {
		y := ui.FiredRule{Rule: s.ruleLink(r.Key, r.Title)}
		if r.Key == own {
			y.Rule = ui.Link{Word: r.Title}
		}
		var absent []string
		for _, h := range r.Held {
			if !h.Yes {
				absent = append(absent, h.Selection)
				continue
			}
			p := ui.FiredPart{Name: h.Selection}
			for _, t := range h.Parts {
				p.Says = append(p.Says, ui.Visible(shortened(t, firedText)))
			}
			y.Parts = append(y.Parts, p)
		}
		y.Absent = strings.Join(absent, ", ")
		x.Rules = append(x.Rules, y)
	}
	return x
}

// shortened cuts a text between two characters, and shows that it did.
func shortened(s string, most int) string {
	if len(s) <= most {
		return s
	}
	for most > 0 && !utf8.RuneStart(s[most]) {
		most--
	}
	return s[:most] + "…"
}
