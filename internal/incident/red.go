package incident

import (
	"cmp"
	"maps"
	"slices"
	"strconv"

	"tocsin/internal/entry"
	"tocsin/internal/tlp"
)

// Covered stands in the place of a vault object whose words a reader may not have, because they are TLP:RED and nobody named the reader.
const Covered = "covered"

// about is the thing that a line of a timeline tells of, "" of none: what holds for the thing holds for the line's words.
func (i *Incident) about(m *Mark) string {
	switch noun := nounOfKind(m.Kind); noun {
	case "attachment", "decision", "question", "task":
		return noun + ":" + m.To
	case "note":
		return "note:" + m.To
	case "handover":
		for k := range i.Command().Handovers {
			if h := &i.command.Handovers[k]; h.Given.N == m.N || h.Taken != nil && h.Taken.N == m.N || h.Gone != nil && h.Gone.N == m.N {
				return thing("handover", h.ID)
			}
		}
	}
	switch m.Kind {
	case entry.IncidentStated:
		return "statement"
	case entry.CausePut:
		return "cause"
	case entry.LessonsPut:
		return "lessons"
	case entry.IncidentAffected:
		return "affected"
	case entry.IncidentLabelled:
		return m.From // why a thing is for so many people may say what it is
	}
	return ""
}

// sides are the two incidents of a line that tells of their merging, none of another.
func (m *Mark) sides() (ids []int64) {
	if m.Kind != entry.IncidentMerged && m.Kind != entry.IncidentUnmerged {
		return nil
	}
	for _, s := range []string{m.From, m.To} {
		if id, err := strconv.ParseInt(s, 10, 64); err == nil {
			ids = append(ids, id)
		}
	}
	return ids
}

// MayBeRed reports whether something in an incident can be TLP:RED. It is cheap: of most incidents nothing ever was.
func (b *Book) MayBeRed(i *Incident) bool {
	return i.Restricted() || b.reds[i.ID]
}

// Guarded lists the incidents of which somebody may not see all, by id: the restricted ones, and those with something that may be TLP:RED. They are few, and are
// asked for at every page.
func (b *Book) Guarded() []*Incident {
	if len(b.reds) == 0 {
		return b.limited
	}
	out := slices.Clone(b.limited)
	for id := range b.reds {
		if i, err := b.Get(id); err == nil && !i.Restricted() {
			out = append(out, i)
		}
	}
	slices.SortFunc(out, func(a, c *Incident) int { return cmp.Compare(a.ID, c.ID) })
	return out
}

// IsRed reports whether an incident as a whole is TLP:RED.
func (b *Book) IsRed(i *Incident) bool { return b.whole(i) == tlp.Red }

// mayBeRed keeps in mind that something in an incident, and in those that are one with it, was labelled so.
func (b *Book) mayBeRed(i *Incident, label string) {
	if tlp.Label(label) != tlp.Red {
		return
	}
	if b.reds == nil {
		b.reds = map[int64]bool{}
	}
	for _, m := range b.family(i.ID) {
		b.reds[m.ID] = true
	}
}

// joinRed keeps in mind that incidents became one, of which one has something labelled so.
func (b *Book) joinRed(i *Incident) {
	all := b.family(i.ID)
	if slices.ContainsFunc(all, func(m *Incident) bool { return b.reds[m.ID] }) {
		b.mayBeRed(i, string(tlp.Red))
	}
}

// Covering returns the book as it looks to somebody who may not have what is TLP:RED in some incidents: in the place of its words stands Covered, and of an
// incident that is so as a whole the title, alerts, addresses and accounts are missing, too. What it returns is to be read only.
func (b *Book) Covering(is func(incident int64) bool) *Book {
	out := *b
	out.Incidents = slices.Clone(b.Incidents)
	whole := map[int64]bool{}
	for k, i := range out.Incidents {
		if is(i.ID) {
			out.Incidents[k] = b.covered(i)
			whole[i.ID] = b.IsRed(i)
		}
	}
	out.Alerts, out.Order = make(map[string]*Alert, len(b.Alerts)), nil
	for _, id := range b.Order {
		if a := b.Alerts[id]; !whole[a.Incident] {
			out.Alerts[id] = a
			out.Order = append(out.Order, id)
		}
	}
	return &out
}

// covered is an incident without the words of what is RED in it.
func (b *Book) covered(i *Incident) *Incident {
	out, c := *i, *i.Command()
	is := func(what string) bool { return b.Label(i.ID, what) == tlp.Red }
	hide := func(ids ...*string) {
		for _, id := range ids {
			if *id != "" {
				*id = Covered
			}
		}
	}
	reply := func(of **Written[entry.Reply]) {
		if *of != nil {
			x := **of
			hide(&x.What.Text)
			*of = &x
		}
	}
	if b.IsRed(i) {
		out.Title, out.Why = "What is "+tlp.Red.String(), nil
		out.Alerts, out.Sources, out.Accounts, out.Sessions, out.Lines = nil, nil, nil, nil, nil
		hide(&out.WhyText)
	}
	out.Timeline = slices.Clone(i.Timeline)
	if b.IsRed(i) {
		out.Timeline = slices.DeleteFunc(out.Timeline, func(m Mark) bool { return m.Kind == entry.AlertRaised })
	}
	for k := range out.Timeline {
		if m := &out.Timeline[k]; m.Kind != entry.AlertRaised && is(thing("note", m.N)) {
			if m.Kind == entry.IncidentSeverity && m.Ref == i.WhyText {
				hide(&out.WhyText)
			}
			hide(&m.Ref)
			if m.Kind == entry.NoteEdited {
				hide(&m.From)
			}
		}
	}
	c.Lines = maps.Clone(c.Lines)
	for n, t := range c.Lines {
		if !is(thing("note", n)) {
			continue
		}
		x := *t
		x.Edits = slices.Clone(x.Edits)
		for k := range x.Edits {
			hide(&x.Edits[k].What.Text)
		}
		if x.First != nil {
			first := *x.First
			hide(&first.Ref)
			x.First = &first
		}
		c.Lines[n] = &x
	}
	c.Labels = slices.Clone(c.Labels)
	for k := range c.Labels {
		if is(c.Labels[k].What.What) {
			hide(&c.Labels[k].What.Text)
		}
	}
	c.Facts, c.Merges = slices.Clone(c.Facts), slices.Clone(c.Merges)
	for k := range c.Facts {
		if x := &c.Facts[k]; is(thing("note", x.N)) {
			hide(&x.What.Text, &x.What.Why)
		}
	}
	for k := range c.Merges {
		if x := &c.Merges[k]; is(thing("note", x.N)) {
			hide(&x.What.Text)
		}
	}
	if is("statement") {
		c.Statements = slices.Clone(c.Statements)
		for k := range c.Statements {
			hide(&c.Statements[k].What.Text)
		}
	}
	if is("affected") {
		c.Affected = slices.Clone(c.Affected)
		for k := range c.Affected {
			hide(&c.Affected[k].What.Text)
		}
	}
	c.coverReasons(is, hide)
	c.coverAsked(is, hide, reply)
	c.coverWork(is, hide, reply)
	out.command = &c
	return &out
}

// coverReasons covers the cause and the lessons.
func (c *Command) coverReasons(is func(string) bool, hide func(...*string)) {
	if is("cause") {
		c.Causes = slices.Clone(c.Causes)
		for k := range c.Causes {
			x := &c.Causes[k].What
			hide(&x.Text)
			x.Class = "" // what it came from is what is kept
			for _, of := range []*[]entry.Reason{&x.Whys, &x.Bones} {
				*of = slices.Clone(*of)
				for j := range *of {
					hide(&(*of)[j].Text)
					(*of)[j].Links = nil
				}
			}
		}
	}
	if is("lessons") {
		c.Lessons = slices.Clone(c.Lessons)
		for k := range c.Lessons {
			x := &c.Lessons[k].What
			hide(&x.Well, &x.Badly, &x.Text)
		}
	}
}

// coverAsked covers decisions and questions.
func (c *Command) coverAsked(is func(string) bool, hide func(...*string), reply func(**Written[entry.Reply])) {
	c.Decisions, c.Questions = slices.Clone(c.Decisions), slices.Clone(c.Questions)
	for k := range c.Decisions {
		x := &c.Decisions[k]
		if !is(thing("decision", x.ID)) {
			continue
		}
		hide(&x.Text)
		x.Options = slices.Clone(x.Options)
		for j := range x.Options {
			hide(&x.Options[j])
		}
		if x.Made != nil {
			made := *x.Made
			hide(&made.What.Text)
			x.Made = &made
		}
		reply(&x.Gone)
	}
	for k := range c.Questions {
		if x := &c.Questions[k]; is(thing("question", x.ID)) {
			hide(&x.Text)
			reply(&x.Answer)
			reply(&x.Gone)
		}
	}
}

// coverWork covers hand-overs, tasks and evidence.
func (c *Command) coverWork(is func(string) bool, hide func(...*string), reply func(**Written[entry.Reply])) {
	c.Handovers, c.Tasks, c.Files = slices.Clone(c.Handovers), slices.Clone(c.Tasks), slices.Clone(c.Files)
	for k := range c.Handovers {
		if x := &c.Handovers[k]; is(thing("handover", x.ID)) {
			hide(&x.Text)
			reply(&x.Taken)
			reply(&x.Gone)
		}
	}
	for k := range c.Tasks {
		x := &c.Tasks[k]
		if !is(thing("task", x.ID)) {
			continue
		}
		hide(&x.Title, &x.Text)
		reply(&x.Ended)
		x.Versions = slices.Clone(x.Versions)
		for j := range x.Versions {
			hide(&x.Versions[j].What.Title, &x.Versions[j].What.Text)
		}
	}
	for k := range c.Files {
		x := &c.Files[k]
		if !is(thing("attachment", x.ID)) {
			continue
		}
		hide(&x.Vault, &x.Name, &x.From, &x.Why)
		x.Chain = slices.Clone(x.Chain)
		for j := range x.Chain {
			hide(&x.Chain[j].From, &x.Chain[j].To, &x.Chain[j].Why)
		}
	}
}
