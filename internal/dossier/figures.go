package dossier

import (
	"cmp"
	"slices"
	"time"

	"tocsin/internal/playbook"
)

// figures are the times that a response is measured by, and the bar of phases.
func (d *draft) figures() {
	c := d.c
	if !d.may("") { // when it was, and for how long, has the label of the incident
		d.missing("", "")
		return
	}
	shapes := Shapes()
	t := &Table{Columns: []Column{{"", 4}, {"Moment", 17}, {"When", 38}, {"Time to get there", 27}, {"How we know", 40}}}
	put := func(shape, name string, when time.Time, from time.Time, since, how string) {
		long := "–"
		if since != "" {
			if long = took(from, when); !from.IsZero() && !when.IsZero() {
				long += " " + since
			}
		}
		t.Rows = append(t.Rows, Row{Cells: []string{shape, name, d.at(when), long, or(how, "–")}})
	}
	put("", "Began", c.Happened, time.Time{}, "", c.How.Happened)
	put(shapes[0], "Detected", c.Detected, c.Happened, "after it began", c.How.Detected)
	put(shapes[1], "Answered", c.Answered, c.Detected, "after detection", c.How.Answered)
	put(shapes[2], "Contained", c.Contained, c.Detected, "after detection", c.How.Contained)
	put(shapes[3], "Recovered", c.Recovered, c.Detected, "after detection", c.How.Recovered)
	put("", "Closed", c.Ended, c.Detected, "after detection", c.How.Ended)
	d.table(t)
	d.bar()
}

// colours are those of the phases: they differ in lightness too, and the table has them in the order of the bar.
func colour(phase string) string {
	switch phase {
	case "identification":
		return "4477aa"
	case "containment", playbook.Short:
		return "cc3311"
	case playbook.Long:
		return "ee7733"
	case "eradication":
		return "aa3377"
	case "recovery":
		return "228833"
	case "lessons":
		return "bbaa33"
	}
	return "888888"
}

func phaseWord(phase string) string {
	if phase == "containment" {
		return "Containment"
	}
	return or(playbook.PhaseWord(phase), "a phase without a name")
}

// bar draws the phases between the first moment and the last that are known.
func (d *draft) bar() {
	spans := slices.DeleteFunc(slices.Clone(d.c.Phases), func(s Span) bool { return s.From.IsZero() })
	if len(spans) == 0 {
		d.add(Block{Kind: Missing, Text: "Missing: the phases of the response. They are drawn when the Incident Commander moves the incident through them."})
		return
	}
	slices.SortStableFunc(spans, func(a, b Span) int { return a.From.Compare(b.From) })
	marks := []time.Time{d.c.Detected, d.c.Answered, d.c.Contained, d.c.Recovered}
	first, last := spans[0].From, spans[0].From
	underWay := false
	for k, s := range spans {
		switch {
		case !s.Until.IsZero():
		case k+1 < len(spans):
			spans[k].Until = spans[k+1].From
		case d.c.Closed && !d.c.Ended.IsZero():
			spans[k].Until = d.c.Ended
		default:
			spans[k].Until, underWay = d.c.Made, true
		}
		if spans[k].Until.Before(s.From) {
			spans[k].Until = s.From
		}
		last = later(last, spans[k].Until)
	}
	for _, m := range marks {
		if !m.IsZero() {
			last = later(last, m)
			if m.Before(first) {
				first = m
			}
		}
	}
	place := func(t time.Time) int {
		if !last.After(first) {
			return 0
		}
		return min(max(int(1000*t.Sub(first).Seconds()/last.Sub(first).Seconds()), 0), 1000)
	}
	chart := &Chart{}
	table := &Table{Columns: []Column{{"Phase", 30}, {"From", 40}, {"Until", 40}, {"Took", 18}}}
	for k, s := range spans {
		chart.Segments = append(chart.Segments, Segment{Colour: colour(s.Phase), From: place(s.From), Upto: place(s.Until)})
		until := d.at(s.Until)
		if underWay && k == len(spans)-1 {
			until = "under way"
		}
		table.Rows = append(table.Rows, Row{Colour: colour(s.Phase), Cells: []string{phaseWord(s.Phase), d.at(s.From), until, took(s.From, s.Until)}})
	}
	for k, m := range marks {
		if !m.IsZero() {
			chart.Marks = append(chart.Marks, apart(chart.Marks, Mark{Shape: Shapes()[k], At: place(m)}))
		}
	}
	d.add(Block{Kind: Sub, Text: "Phases"})
	d.add(Block{Kind: Phases, Chart: chart})
	d.table(table)
}

// apart lifts a mark above those that are near it.
func apart(marks []Mark, m Mark) Mark {
	const near = 22 // thousandths, a little more than a mark is wide
	for slices.ContainsFunc(marks, func(x Mark) bool { return x.Level == m.Level && max(x.At-m.At, m.At-x.At) < near }) {
		m.Level++
	}
	return m
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// timeline lists what happened; of executive depth, what people pinned.
func (d *draft) timeline() {
	const most = 20 // in an executive summary
	list := slices.Clone(d.c.Timeline)
	slices.SortStableFunc(list, func(a, b Moment) int {
		return cmp.Or(cmp.Or(a.Happened, a.Learned).Compare(cmp.Or(b.Happened, b.Learned)), cmp.Compare(a.N, b.N))
	})
	if d.doc.Depth == Executive {
		all := len(list)
		list = slices.DeleteFunc(list, func(m Moment) bool { return !m.Pinned })
		if all > 0 && len(list) == 0 {
			d.para("The timeline has " + plural(all, "entry", "entries") + "; none is pinned. The full report has them.")
			return
		}
		if len(list) > most {
			list = list[:most]
		}
		if all > 0 {
			d.para("These are the pinned entries, at most 20, of " + plural(all, "entry", "entries") + ". The full report has the others.")
		}
	}
	rows(d, list, func(m Moment) Label { return m.Label },
		[]Column{{"Entry", 12}, {"Happened", 33}, {"Learned", 33}, {"Who", 17}, {"What", 50}},
		func(m Moment) Row {
			what := or(m.What, "(nothing was written)")
			if m.Corrects != 0 {
				what += " (corrects entry " + number(m.Corrects) + ")"
			}
			return Row{ID: m.N, Cells: []string{number(m.N), d.at(m.Happened), d.at(m.Learned), or(m.Who, "–"), what}}
		}, "the timeline.", "It fills itself from the ledger; the Security Analyst adds what people saw.")
}
