package dossier

import (
	"fmt"
	"slices"
	"strings"
)

func (d *draft) classification() {
	c := d.c
	verdict := unknown + ": the Security Analyst decides it"
	switch c.Verdict {
	case "true":
		verdict = "a real attack"
	case "false":
		verdict = "a false alarm"
	}
	d.add(Block{Kind: Pairs, Pairs: []Pair{
		{"Severity", d.own(or(c.Severity, "Missing. The Incident Commander classifies it."))},
		{"Touches", d.own(d.touches())},
		{"The alarm was", d.own(verdict)},
		{"TLP label of what has no label", string(Labels()[c.Label.rank()])},
	}})
	d.add(Block{Kind: Sub, Text: "Why it is of this severity"})
	if criteria := d.each(c.Criteria); len(criteria) > 0 {
		d.list(criteria)
	} else {
		d.missing("the criteria that were met.", "The Incident Commander gives them with the severity.")
	}
	if related := d.each(c.Related); len(related) > 0 {
		d.add(Block{Kind: Sub, Text: "Related incidents"})
		d.list(related)
	}
}

func (d *draft) systems() {
	rows(d, d.c.Systems, func(s System) Label { return s.Label },
		[]Column{{"System", 30}, {"What it is for", 30}, {"What happened to it", 40}, {"State", 20}},
		func(s System) Row {
			return Row{Cells: []string{or(s.Name, "(without a name)"), or(s.Role, unknown), or(s.Effect, unknown), or(s.State, unknown)}}
		}, "the systems that it touches.", "The Platform Engineer names them.")
}

func (d *draft) data() {
	d.add(Block{Kind: Sub, Text: "Data"})
	rows(d, d.c.Data, func(x Data) Label { return x.Label },
		[]Column{{"Data", 40}, {"What happened to it", 25}, {"Records", 15}, {"How we know", 40}},
		func(x Data) Row {
			return Row{Cells: []string{or(x.What, unknown), or(x.Fate, unknown), count(x.Records), or(x.Basis, unknown)}}
		}, "which data it touches.", "The Security Analyst writes it; the Legal Advisor reads it. If none, write that.")
	if n := d.note(); n != "" {
		d.add(Block{Kind: LeftOut, Text: n})
	}
	d.add(Block{Kind: Sub, Text: "People"})
	rows(d, d.c.People, func(p People) Label { return p.Label },
		[]Column{{"Who", 40}, {"How many", 15}, {"Where", 25}, {"How we know", 40}},
		func(p People) Row {
			return Row{Cells: []string{or(p.Who, unknown), count(p.Count), or(p.Where, unknown), or(p.Basis, unknown)}}
		}, "whom it touches, and how many.", "The Legal Advisor writes it. If nobody, write that.")
}

func (d *draft) cause() {
	c := d.c.Cause
	says := d.says(c.Says...)
	if d.para(says...); len(says) == 0 {
		d.missing("the root cause.", "The Security Analyst and the Platform Engineer write it.")
	}
	if c.Class != "" && d.may(c.Label) {
		d.add(Block{Kind: Pairs, Pairs: []Pair{{"Kind of cause", one(c.Class)}}})
	}
	if d.doc.Depth == Executive {
		return
	}
	if whys := d.each(c.Whys); len(whys) > 0 {
		d.add(Block{Kind: Sub, Text: "Asked why, and why again"})
		for k := range whys {
			whys[k] = fmt.Sprintf("Why %d: %s", k+1, whys[k])
		}
		d.list(whys)
	}
	var bones []string
	for _, b := range keep(&d.sieve, c.Bones, func(b Bone) Label { return b.Label }) {
		bones = append(bones, or(b.Heading, "Other")+": "+or(b.Says, unknown))
	}
	if len(bones) > 0 {
		d.add(Block{Kind: Sub, Text: "What contributed"})
		d.list(bones)
	}
	if links := d.each(c.Links); len(links) > 0 {
		d.add(Block{Kind: Sub, Text: "What shows it"})
		d.list(links)
	}
}

func (d *draft) actions() {
	rows(d, d.c.Actions, func(a Action) Label { return a.Label },
		[]Column{{"Entry", 12}, {"When", 34}, {"Who", 16}, {"What", 40}, {"Result", 30}, {"Undo", 18}},
		func(a Action) Row {
			return Row{ID: a.N, Cells: []string{number(a.N), d.at(a.At), or(a.Who, "–"), or(a.What, unknown), or(a.Result, unknown), or(a.Undo, "–")}}
		}, "what was done.", "Steps and orders that are done appear by themselves; others are written by who did them.")
}

func (d *draft) decisions() {
	rows(d, d.c.Decisions, func(x Decision) Label { return x.Label },
		[]Column{{"Entry", 12}, {"When", 36}, {"Question", 32}, {"Decided", 30}, {"By", 17}, {"Why", 32}},
		func(x Decision) Row {
			question := or(x.Question, unknown)
			if len(x.Options) > 0 && d.doc.Depth == Full {
				var of []string
				for _, o := range x.Options {
					of = append(of, or(o, "–"))
				}
				question += " (" + strings.Join(of, "; ") + ")"
			}
			return Row{ID: x.N, Cells: []string{number(x.N), d.at(x.At), question, or(x.Decided, "not decided yet"), or(x.By, "–"), or(x.Why, unknown)}}
		}, "the decisions.", "The Incident Commander writes each with its reason.")
}

func (d *draft) told() {
	rows(d, d.c.Told, func(x Told) Label { return x.Label },
		[]Column{{"Whom", 28}, {"By which law or promise", 26}, {"Due", 34}, {"Told", 34}, {"State", 16}},
		func(x Told) Row {
			sent, due := "not yet", "no time is set"
			if !x.Sent.IsZero() {
				sent = d.at(x.Sent)
			}
			if !x.Due.IsZero() {
				due = d.at(x.Due)
			}
			if !x.Due.IsZero() && x.Sent.After(x.Due) {
				sent += ", " + took(x.Due, x.Sent) + " late"
			}
			return Row{ID: x.N, Cells: []string{or(x.Whom, unknown), or(x.Law, "–"), due, sent, or(x.State, unknown)}}
		}, "who must be told, and who was.", "The Legal Advisor decides it. If nobody, write why.")
}

func (d *draft) costs() {
	costs := keep(&d.sieve, d.c.Costs, func(c Cost) Label { return c.Label })
	if len(costs) == 0 {
		d.missing("what it cost.", "The Incident Commander collects it: sales lost, hours, outside help, fines.")
		return
	}
	t := &Table{Columns: []Column{{"What", 60}, {"Amount", 24}, {"Work", 20}, {"How sure", 20}}}
	sums, minutes := map[string]int64{}, int64(0)
	work := func(m int64) string {
		if m == 0 {
			return "–"
		}
		return fmt.Sprintf("%d h %d min", m/60, m%60)
	}
	for _, c := range costs {
		amount, sure := "–", "counted"
		if c.Cents != 0 || c.Currency != "" {
			amount = money(c.Cents, c.Currency)
			sums[one(c.Currency)] += c.Cents
		}
		if c.Estimate {
			sure = "estimated"
		}
		minutes += c.Minutes
		t.Rows = append(t.Rows, Row{Cells: []string{or(c.What, unknown), amount, work(c.Minutes), sure}})
	}
	var total []string
	for currency, sum := range sums {
		total = append(total, money(sum, currency))
	}
	slices.Sort(total)
	t.Rows = append(t.Rows, Row{Cells: []string{"Together", or(joined(total), "–"), work(minutes), ""}})
	d.table(t)
	if d.leftOut() {
		d.para("The sum is of what this audience may know.")
	}
}

func (d *draft) evidence() {
	rows(d, d.c.Evidence, func(x Exhibit) Label { return x.Label },
		[]Column{{"Entry", 12}, {"What", 26}, {"From where", 24}, {"Taken", 36}, {"SHA-256", 34}, {"Custody", 24}},
		func(x Exhibit) Row {
			taken := d.at(x.At)
			if x.By != "" {
				taken += ", " + one(x.By)
			}
			return Row{ID: x.N, Cells: []string{number(x.N), or(x.Name, unknown), or(x.From, unknown), taken, or(x.SHA256, "not hashed"), or(x.Custody, unknown)}}
		}, "evidence.", "The Security Analyst attaches it. If none was kept, write why.")
}

func (d *draft) team() {
	rows(d, d.c.Team, func(h Holder) Label { return h.Label },
		[]Column{{"Role", 30}, {"Person", 36}, {"From", 36}, {"Until", 36}},
		func(h Holder) Row {
			until := "still"
			if !h.Until.IsZero() {
				until = d.at(h.Until)
			}
			return Row{Cells: []string{or(h.Role, unknown), or(h.Person, unknown), d.at(h.From), until}}
		}, "who had which role.", "Each takes a role on the incident's page.")
	d.handovers()
}

func (d *draft) questions() {
	kept := keep(&d.sieve, d.c.Questions, func(q Question) Label { return q.Label })
	var open, answered []string
	for _, q := range kept {
		switch {
		case q.Answer == "":
			open = append(open, or(q.Ask, unknown)+" (asked of "+or(q.Whom, "nobody yet")+")")
		case d.doc.Depth == Full:
			answered = append(answered, or(q.Ask, unknown)+" – "+or(q.Answer, unknown)+" ("+or(q.By, "somebody")+")")
		}
	}
	if d.list(open); len(open) == 0 {
		if d.leftOut() {
			d.missing("", "")
		} else {
			d.para("No question is open.")
		}
	}
	if len(answered) > 0 {
		d.add(Block{Kind: Sub, Text: "Questions that were answered"})
		d.list(answered)
	}
	d.tasks()
}

// tasks lists what is still to be done beside the playbook.
func (d *draft) tasks() {
	var texts []string
	for _, t := range keep(&d.sieve, d.c.Tasks, func(t Task) Label { return t.Label }) {
		text := or(t.What, unknown) + " (" + or(t.Whom, "nobody yet")
		if !t.Due.IsZero() {
			text += ", due " + d.at(t.Due)
		}
		texts = append(texts, text+")")
	}
	if len(texts) > 0 {
		d.add(Block{Kind: Sub, Text: "Tasks that are open"})
		d.list(texts)
	}
}

// handovers tells what the shifts told each other.
func (d *draft) handovers() {
	kept := keep(&d.sieve, d.c.Handovers, func(h Handover) Label { return h.Label })
	if len(kept) == 0 {
		return
	}
	t := &Table{Columns: []Column{{"Entry", 12}, {"Given", 34}, {"From", 18}, {"To", 18}, {"Roles", 24}, {"What was said", 46}}}
	for _, h := range kept {
		given := d.at(h.Given)
		if h.Taken.IsZero() {
			given += ", not taken over yet"
		}
		t.Rows = append(t.Rows, Row{ID: h.N, Cells: []string{number(h.N), given, or(h.From, unknown), or(h.To, unknown), or(h.Roles, "–"), or(h.Says, "–")}})
	}
	d.add(Block{Kind: Sub, Text: "Shifts that were handed over"})
	d.table(t)
}

func (d *draft) wellBadly() {
	for _, part := range []struct {
		name, what string
		texts      []Text
	}{
		{"Well", "what went well.", d.c.Well},
		{"Badly", "what went badly.", d.c.Badly},
	} {
		d.add(Block{Kind: Sub, Text: part.name})
		if texts := d.each(part.texts); len(texts) > 0 {
			d.list(texts)
		} else {
			d.missing(part.what, "Everybody of the team says it in the review.")
		}
		if n := d.note(); n != "" {
			d.add(Block{Kind: LeftOut, Text: n})
		}
	}
}

func (d *draft) lessons() {
	if texts := d.each(d.c.Lessons); len(texts) > 0 {
		d.list(texts)
	} else {
		d.missing("the lessons learned.", "The Incident Commander writes them in the review.")
	}
}

func (d *draft) measures() {
	rows(d, d.c.Measures, func(m Measure) Label { return m.Label },
		[]Column{{"Measure", 50}, {"Owner", 22}, {"Due", 30}, {"State", 18}, {"How it is checked", 34}},
		func(m Measure) Row {
			due := "no date is set"
			if !m.Due.IsZero() {
				due = m.Due.In(d.zone).Format("2006-01-02")
			}
			return Row{Cells: []string{or(m.What, unknown), or(m.Owner, "nobody yet"), due, or(m.State, "open"), or(m.Verified, "not said yet")}}
		}, "what is to be changed.", "The review decides each measure with its owner and a date.")
}

// proof says how to check later that the document is what was written then.
func (d *draft) proof() {
	h := d.c.Head
	if h.Origin == "" {
		d.add(Block{Kind: Missing, Text: "Missing: the head of the ledger. This copy cannot be checked; ask for a new one from the console."})
		return
	}
	d.para("This report was written from the ledger as it was then. The manifest that came with it names its SHA-256 and this head, and is signed with the ledger's key.",
		"To check it, keep both together as they came, and run: tocsin ledger verify FILE. Where the ledger is at hand, it is checked too that the ledger goes on from this head and says that the report was made.")
	d.add(Block{Kind: Pairs, Pairs: []Pair{
		{"Ledger", or(h.Origin, unknown)},
		{"Entries then", count(h.Size)},
		{"Head", or(h.Root, unknown)},
	}})
}
