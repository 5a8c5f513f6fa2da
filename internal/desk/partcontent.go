package desk

import (
	"encoding/json"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"tocsin/internal/auth"
	"tocsin/internal/plan"
	"tocsin/internal/playbook"
	"tocsin/internal/review"
)

// What a part of the plan holds at this moment, in sections that are ticked one by one. Of a section the ledger and the vault keep a keyed hash only, so that the next
// review knows which differ; words and names are put together when a page asks for them.

// A PartSection is a section of a part as it is read.
type PartSection struct {
	Name  string // within the part
	Title string
	Lines []string
	State string // new, changed, same; "" when nothing was approved yet
}

// A section is one while the state is held.
type section struct {
	name, title string
	lines       []string
	print       string // keyed hash of all that it holds
	card        string // vault object of a contact
	text        string // vault object of a text for stakeholders
}

// partContent is all of a part.
type partContent struct {
	revision string
	by       string // who changed it last, where that is known
	sections []section
	playbook *playbook.Playbook
}

func (c partContent) content() review.Content {
	x := review.Content{Revision: c.revision, By: c.by}
	for _, s := range c.sections {
		x.Sections = append(x.Sections, s.name)
	}
	return x
}

// prints are the keyed hashes of the sections, by name.
func (c partContent) prints() map[string]string {
	out := map[string]string{}
	for _, s := range c.sections {
		out[s.name] = s.print
	}
	return out
}

// snapshot reads the prints of what was approved last; of none it is nil.
func (d *Desk) snapshot(object string) map[string]string {
	was := map[string]string{}
	if object == "" || d.fromVault(object, &was) != nil {
		return nil
	}
	return was
}

func sectionState(was map[string]string, x section) string {
	switch print, known := was[x.name]; {
	case was == nil:
		return ""
	case !known:
		return "new"
	case print != x.print:
		return "changed"
	}
	return "same"
}

// bookOf is the playbook that a part is, as it stands; nil of another part, and of one that cannot be read.
func (d *Desk) bookOf(s *State, id string) *playbook.Playbook {
	name, ok := strings.CutPrefix(id, playbookSubject)
	if b := s.Runs.Books[name]; ok && b != nil {
		return d.readRevision(b.Current())
	}
	return nil
}

// partTitle is what people call a part.
func (d *Desk) partTitle(s *State, id string) string {
	if p := d.bookOf(s, id); p != nil {
		return p.Title
	}
	if words := map[string]string{"roles": "Roles and who has them", "contacts": "Contacts", "letters": "Texts for stakeholders", "schedules": "On-call and escalation", "rules": "Detection rules", "glossary": "Glossary"}[id]; words != "" {
		return words
	}
	return id
}

// partContent puts a part together. d.mu is held.
func (d *Desk) partContent(s *State, id string) (c partContent) {
	add := func(name, title string, holds any, lines ...string) *section {
		b, err := json.Marshal(holds)
		if err != nil {
			b = fmt.Appendf(nil, "%+v", holds)
		}
		c.sections = append(c.sections, section{name: name, title: title, lines: lines, print: d.vault.Hash("part", name+"\n"+string(b))})
		return &c.sections[len(c.sections)-1]
	}
	switch id {
	case "roles":
		for _, role := range plan.Roles() {
			ids := holders(s, role)
			add(role, plan.RoleWord(role), ids, d.namesOf(s, ids)...)
		}
	case "contacts":
		for _, x := range s.Contacts.Standing() {
			add(fmt.Sprintf("contact-%d", x.ID), fmt.Sprintf("Contact %d", x.ID), []any{x.Group, x.Hash, x.Person, x.Owner, x.Days}, "Group: "+x.Group, "Reached by: "+strings.Join(x.Ways, ", ")).card = x.Vault
		}
		add("card", "Emergency card", s.Contacts.Card)
	case "letters":
		for _, x := range s.Contacts.Templates {
			if !x.Gone {
				add(fmt.Sprintf("text-%d", x.ID), fmt.Sprintf("Text %d", x.ID), x.Template, "Languages: "+strings.Join(x.Langs, ", ")).text = x.Vault
			}
		}
		for _, x := range s.Contacts.Rules {
			if !x.Gone {
				add(fmt.Sprintf("rule-%d", x.ID), fmt.Sprintf("Who hears of what: rule %d", x.ID), x.StakeholderRule, stakeholderWords(x.Group, x.Contact, x.Least, playbook.PrintSpan(x.Within)))
			}
		}
		if len(c.sections) == 0 {
			add("none", "Nothing is written", nil, "There is no text for stakeholders, and no rule who hears of what. Is that right?")
		}
	case "schedules":
		for _, x := range s.Rota.Schedules() {
			add("schedule-"+x.ID, "Schedule "+x.ID, x.Schedule, "Time zone: "+x.Schedule.Zone, fmt.Sprintf("%d layers of turns", len(x.Layers)))
		}
		for _, x := range append([]string{""}, slices.Sorted(maps.Keys(s.Plan.Policies))...) {
			p, name, title := s.Plan.Policies[x], "policy-"+x, "Escalation policy "+x
			if x == "" {
				p, name, title = s.Plan.Policy, "policy", "The default escalation policy"
			}
			var lines []string
			for k, step := range p.Steps {
				lines = append(lines, fmt.Sprintf("%d. %s, then wait %s", k+1, strings.Join(step.Who, ", "), review.Span(step.Wait)))
			}
			add(name, title, p, lines...)
		}
	case "rules":
		d.ruleSections(add)
	case "glossary":
		var lines []string
		for _, t := range d.Glossary().Terms {
			lines = append(lines, t.Word+": "+t.Says)
		}
		add("words", "All words", d.Glossary().Terms, lines...)
	default:
		if c.playbook = d.bookOf(s, id); c.playbook == nil {
			return c
		}
		doc := playbook.Whole{Playbooks: []playbook.Edition{{Playbook: c.playbook}}}.Document()
		for _, x := range doc.Sections {
			if name, ok := strings.CutPrefix(x.ID, "playbook-"); ok {
				add(name, x.Title, x.Blocks, blockLines(x.Blocks)...)
			}
		}
		b := s.Runs.Books[strings.TrimPrefix(id, playbookSubject)]
		c.revision = b.Current()
		if r := b.Revisions[len(b.Revisions)-1]; r.From != Shipped {
			c.by = strings.TrimPrefix(r.By, "person:")
		}
		return c
	}
	var all strings.Builder
	for _, x := range c.sections {
		fmt.Fprintf(&all, "%s %s\n", x.name, x.print)
	}
	c.revision = d.vault.Hash("part", id+"\n"+all.String())
	return c
}

// ruleSections are the rules that watch, by their folder.
func (d *Desk) ruleSections(add func(name, title string, holds any, lines ...string) *section) {
	by := map[string][]string{}
	for _, x := range d.rules.Load().Rules.Documents() {
		m := x.Meta()
		dir := path.Dir(m.File)
		by[dir] = append(by[dir], fmt.Sprintf("%s (%s) %s", m.Title, m.Level, m.Version))
	}
	for _, dir := range slices.Sorted(maps.Keys(by)) {
		slices.Sort(by[dir])
		add(dir, "Rules in "+dir, by[dir], by[dir]...)
	}
}

func (d *Desk) namesOf(s *State, ids []string) (out []string) {
	for _, id := range ids {
		name := d.nameOf(s, id)
		if name == "" {
			name = id
		}
		out = append(out, name)
	}
	if len(out) == 0 {
		out = []string{"Nobody."}
	}
	return out
}

func stakeholderWords(group string, contact int64, least, within string) string {
	whom := "everybody in the group " + group
	if contact != 0 {
		whom = fmt.Sprintf("contact %d", contact)
	}
	return fmt.Sprintf("Of incidents from %s on, within %s: %s", least, within, whom)
}

// blockLines is what is printed of a playbook, as lines.
func blockLines(blocks []playbook.Block) (out []string) {
	for _, b := range blocks {
		if b.Text != "" {
			out = append(out, b.Text)
		}
		out = append(out, b.List...)
		for _, r := range b.Rows {
			out = append(out, strings.Join(r, ": "))
		}
		if b.Step != nil {
			out = append(out, fmt.Sprintf("%s. %s (%s)", b.Step.Number, b.Step.What, plan.RoleWord(b.Step.Role)))
			for _, f := range b.Step.Fields {
				out = append(out, f.Name+": "+f.Text)
			}
		}
	}
	return out
}

// nameSection gives a section the names that lie in the vault, to those who may see them.
func (d *Desk) nameSection(actor auth.Actor, x section, row *PartSection) {
	if x.card != "" && auth.May(actor, auth.Reach) == nil {
		if c, err := d.card(x.card); err == nil {
			row.Title = strings.Join(slices.DeleteFunc([]string{c.Name, c.Role, c.Organisation}, func(s string) bool { return s == "" }), ", ")
			for _, w := range c.Ways {
				row.Lines = append(row.Lines, w.Kind+": "+w.Value)
			}
			if c.Hours != "" {
				row.Lines = append(row.Lines, "Hours: "+c.Hours+" "+c.Zone)
			}
		}
	}
	if x.text != "" {
		for _, t := range d.Templates() {
			if t.Vault != x.text {
				continue
			}
			row.Title = "Text: " + t.Text.Name
			for _, v := range t.Text.Versions {
				row.Lines = append(row.Lines, v.Lang+": "+v.Subject, v.Body)
			}
		}
	}
}
