package dossier

import (
	"cmp"
	"slices"
	"time"
)

// A draft is a document under way.
type draft struct {
	sieve
	c    Case
	zone *time.Location
	doc  *Document
	now  *Section
}

// Assemble decides what a document of that depth says to an audience, with times in the zone. It needs nothing of the case to be filled.
// A depth that is not known is Full; an audience that is not known is TLP:CLEAR, which is told least.
func Assemble(c Case, depth Depth, audience Label, zone *time.Location) *Document {
	if depth != Executive {
		depth = Full
	}
	if !slices.Contains(Labels(), audience) {
		audience = Clear
	}
	if zone == nil {
		zone = time.UTC
	}
	if c.Label == "" {
		c.Label = Amber
	}
	d := &draft{sieve: sieve{audience: audience, standard: c.Label, left: map[Label]int{}}, c: c, zone: zone}
	d.doc = &Document{
		Incident: or(c.Reference, number(c.ID)), Organisation: or(c.Organisation, ""), Depth: depth, Label: audience, Made: c.Made.UTC(),
	}
	d.cover()
	full := depth == Full
	for _, part := range []struct {
		id, heading string
		write       func()
		executive   bool
	}{
		{"summary", "Summary", d.summary, true},
		{"key-facts", "Key facts", d.facts, true},
		{"figures", "How fast it went", d.figures, true},
		{"classification", "Classification", d.classification, false},
		{"systems", "Affected systems", d.systems, true},
		{"data", "Data and people affected", d.data, true},
		{"cause", "Cause", d.cause, true},
		{"actions", "Response actions", d.actions, false},
		{"decisions", "Decisions", d.decisions, true},
		{"told", "Who was told, and who must be", d.told, true},
		{"costs", "Costs", d.costs, true},
		{"timeline", "Timeline", d.timeline, true},
		{"evidence", "Evidence", d.evidence, false},
		{"team", "Team", d.team, false},
		{"questions", "Questions and tasks", d.questions, true},
		{"well-badly", "What went well and what went badly", d.wellBadly, false},
		{"lessons", "Lessons learned", d.lessons, true},
		{"measures", "Measures", d.measures, true},
		{"proof", "How to check this report", d.proof, true},
	} {
		if !full && !part.executive {
			continue
		}
		d.now = &Section{ID: part.id, Heading: part.heading}
		part.write()
		if n := d.note(); n != "" {
			d.add(Block{Kind: LeftOut, Text: n})
		}
		d.doc.Sections = append(d.doc.Sections, *d.now)
	}
	return d.doc
}

func (d *draft) add(b Block) { d.now.Blocks = append(d.now.Blocks, b) }

func (d *draft) para(texts ...string) {
	for _, t := range texts {
		d.add(Block{Kind: Paragraph, Text: t})
	}
}

func (d *draft) list(texts []string) {
	if len(texts) > 0 {
		d.add(Block{Kind: List, List: texts})
	}
}

// missing says that nobody has filled something, and who does. When it is only left out for this audience, it is not missing.
func (d *draft) missing(what, who string) {
	if d.leftOut() {
		d.add(Block{Kind: Missing, Text: notTold})
		return
	}
	d.add(Block{Kind: Missing, Text: "Missing: " + what + " " + who})
}

func (d *draft) leftOut() bool { return len(d.left) > 0 }

func (d *draft) table(t *Table) { d.add(Block{Kind: Tabular, Table: t}) }

func (d *draft) at(t time.Time) string { return at(t, d.zone) }

// rows makes a table of what the audience may know, or says that it is missing.
func rows[T any](d *draft, list []T, label func(T) Label, columns []Column, row func(T) Row, what, who string) {
	kept := keep(&d.sieve, list, label)
	if len(kept) == 0 {
		d.missing(what, who)
		return
	}
	t := &Table{Columns: columns}
	for _, x := range kept {
		t.Rows = append(t.Rows, row(x))
	}
	d.table(t)
}

// reasons are the words for why an incident is restricted.
func reason(kind string) string {
	switch kind {
	case "insider":
		return "somebody inside may be involved"
	case "hr":
		return "a matter of personnel"
	case "legal":
		return "a matter of law"
	}
	return or(kind, "")
}

func (d *draft) cover() {
	c, doc := d.c, d.doc
	doc.Title = "Incident " + doc.Incident
	if c.ID == 0 && one(c.Reference) == "" {
		doc.Title = "Incident without a number"
	}
	title := one(c.Title.Says)
	switch {
	case title == "":
		title = "(it has no title yet)"
	case !d.may(c.Title.Label):
		title = "(its title is left out)"
	}
	doc.Title += ": " + title
	if c.Restricted != "" {
		doc.Restricted = "RESTRICTED: only people who are named in the incident may see this (" + reason(c.Restricted) + ")."
	}
	if c.For != "" {
		doc.For = "For the named recipient only: " + or(c.For, unknown) + ". Not to be passed on."
	}
	state := "open"
	if c.Closed {
		state = "closed"
	}
	pair := func(name, value string) { doc.Cover = append(doc.Cover, Pair{name, value}) }
	pair("Status", state)
	pair("Severity", d.own(or(c.Severity, "not classified yet")))
	pair("For", doc.Label.Meaning())
	pair("Written", d.at(c.Made))
	if c.By != "" {
		pair("Asked for by", one(c.By))
	}
	if c.Sample {
		pair("Sample", "This was played from sample data. Nothing of it happened.")
	}
	if n := d.note(); n != "" {
		pair("Left out", n)
	}
}

func (d *draft) summary() {
	if d.para(d.says(d.c.Summary...)...); len(d.now.Blocks) == 0 {
		d.missing("what is known, in three sentences.", "The Incident Commander writes it on the incident's page.")
	}
}

// facts are the fields of the template in the plan.
func (d *draft) facts() {
	c := d.c
	var by []string
	for _, r := range keep(&d.sieve, c.ReportedBy, func(r Reporter) Label { return r.Label }) {
		text := or(r.Name, "somebody without a name")
		if r.What != "" {
			text += " (" + one(r.What) + ")"
		}
		if !r.At.IsZero() {
			text += ", " + d.at(r.At)
		}
		by = append(by, text)
	}
	var systems []string
	for _, s := range keep(&d.sieve, c.Systems, func(s System) Label { return s.Label }) {
		systems = append(systems, or(s.Name, "a system without a name"))
	}
	none := func(texts []string, who string) string {
		switch {
		case len(texts) > 0:
			return joined(texts)
		case d.leftOut():
			return notTold
		}
		return "Missing. " + who
	}
	reported, touched := none(by, "The Security Analyst writes who told of it first."), none(systems, "The Platform Engineer names them.")
	d.add(Block{Kind: Pairs, Pairs: []Pair{
		{"Incident id", d.doc.Incident},
		{"Date and time", d.own(d.at(cmp.Or(c.Happened, c.Detected)))},
		{"Reported by", reported},
		{"Affected systems", touched},
		{"Classification", d.own(d.classified())},
		{"Response actions", d.own(plural(len(c.Actions), "is written down", "are written down"))},
		{"Lessons learned", d.own(d.learned())},
		{"Phase", d.own(phaseNow(c.Phase))},
		{"Playbook", d.own(or(c.Playbook, "none was begun"))},
	}})
}

// own is a fact of the incident itself, which has the label of the incident.
func (d *draft) own(fact string) string {
	if !d.may("") {
		return notTold
	}
	return fact
}

// notTold stands where something is left out.
const notTold = "Nothing of this may be told to this audience."

func (d *draft) classified() string {
	if d.c.Severity == "" {
		return "Missing. The Incident Commander classifies it."
	}
	return one(d.c.Severity) + "; touches " + d.touches()
}

func phaseNow(phase string) string {
	if phase == "" {
		return unknown
	}
	return phaseWord(phase)
}

func (d *draft) touches() string {
	switch d.c.Affected {
	case "site-only":
		return "the site only"
	case "customers":
		return "customers too"
	}
	return "not known whom: the Incident Commander answers this"
}

func (d *draft) learned() string {
	if len(d.c.Lessons) == 0 {
		return "Missing. The Incident Commander writes them in the review."
	}
	return plural(len(d.c.Lessons), "is written down", "are written down")
}

// joined is a list within one line, which may be long: after twenty it counts.
func joined(texts []string) string {
	const most = 20
	rest := ""
	if len(texts) > most {
		rest = "; and " + plural(len(texts)-most, "more", "more")
		texts = texts[:most]
	}
	out := ""
	for k, t := range texts {
		if k > 0 {
			out += "; "
		}
		out += t
	}
	return out + rest
}
