package playbook

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// The whole plan as one document that is printed and lies in a drawer, for the day on which no screen works: cover, contents, contacts, roles, playbooks,
// glossary, and how it came to be so. Whole says what is in it, Document gives it sections, and HTML and Markdown write them.

// Whole is the plan as it is printed. The desk makes it; texts are data.
type Whole struct {
	Organisation string
	Title        string // "" is "Emergency plan"
	Printed      time.Time
	Zone         *time.Location // nil is UTC
	Head         string         // of the ledger when it was printed, so that one sees later what it was made of
	Label        string         // of TLP: it stands on every page
	First        []string       // what to do first of all
	Contacts     []ContactGroup
	Roles        []RoleText
	Playbooks    []Edition
	Glossary     []Term
	History      []HistoryLine
}

// A ContactGroup is contacts that belong together.
type ContactGroup struct {
	Name     string
	Contacts []Contact
}

// A Contact is somebody to call, and how.
type Contact struct {
	Name, Role, Hours, Note string
	Ways                    []string
}

// A RoleText is what a role of the response team does, and who can.
type RoleText struct {
	Name, Duties string
	People       []string
}

// An Edition is a playbook as it stands, and when it was reviewed last.
type Edition struct {
	*Playbook
	Revision   string // SHA-256 in hex
	Reviewed   time.Time
	ReviewedBy string
}

// A HistoryLine is one change of the plan.
type HistoryLine struct {
	At                              time.Time
	Part, What, By, Why, ApprovedBy string
}

// A Document is text in sections, for printing.
type Document struct {
	Title    string
	Lines    []string // of the cover
	Label    string
	Sections []Section
}

// A Section has a heading and blocks. Level 1 begins on a new page.
type Section struct {
	ID     string // within the document, of small letters, digits and -
	Title  string
	Level  int
	Blocks []Block
}

// A Block is one of: text, a list, a table, a step.
type Block struct {
	Text string // lines are kept
	Lead bool   // the text belongs to what follows
	List []string
	Head []string // of a table
	Rows [][]string
	Step *PrintedStep
}

// A PrintedStep is a step, with a box to tick.
type PrintedStep struct {
	Number, What, Role string
	Fields             []FieldLine
}

// A FieldLine is a word and a text.
type FieldLine struct{ Name, Text string }

// Document gives the plan its sections. It is never empty: of what is not there it says so.
func (w Whole) Document() Document {
	zone := w.Zone
	if zone == nil {
		zone = time.UTC
	}
	d := Document{Title: orElse(w.Title, "Emergency plan"), Label: w.Label, Lines: []string{orElse(w.Organisation, "")}}
	if !w.Printed.IsZero() {
		d.Lines = append(d.Lines, "Printed on "+w.Printed.In(zone).Format("2 January 2006, 15:04 MST")+". What is on the screen counts; this is for when no screen works.")
	}
	if w.Head != "" {
		d.Lines = append(d.Lines, "Head of the ledger: "+w.Head)
	}
	if w.Label != "" {
		d.Lines = append(d.Lines, w.Label)
	}
	add := func(id, title string, level int, blocks ...Block) {
		d.Sections = append(d.Sections, Section{id, title, level, blocks})
	}
	if len(w.First) > 0 {
		add("first", "First of all", 1, Block{List: w.First})
	}
	add("contacts", "Contacts", 1, emptyIf(len(w.Contacts) == 0, "The plan names no contacts.")...)
	for i, g := range w.Contacts {
		t := Block{Head: []string{"Who", "Role", "How", "When"}}
		for _, c := range g.Contacts {
			name := c.Name
			if c.Note != "" {
				name += "\n" + c.Note
			}
			t.Rows = append(t.Rows, []string{name, c.Role, strings.Join(c.Ways, "\n"), c.Hours})
		}
		add(fmt.Sprintf("contacts-%d", i+1), g.Name, 2, t)
	}
	add("roles", "Roles", 1, emptyIf(len(w.Roles) == 0, "The plan describes no roles.")...)
	for i, r := range w.Roles {
		add(fmt.Sprintf("role-%d", i+1), r.Name, 2, Block{Text: r.Duties}, Block{Text: "Who can: " + orElse(strings.Join(r.People, ", "), "nobody yet") + "."})
	}
	for _, e := range w.Playbooks {
		if e.Playbook != nil {
			d.Sections = append(d.Sections, e.sections(zone)...)
		}
	}
	if len(w.Playbooks) == 0 {
		add("playbooks", "Playbooks", 1, Block{Text: "The plan has no playbooks."})
	}
	if len(w.Glossary) > 0 {
		terms := slices.Clone(w.Glossary)
		slices.SortStableFunc(terms, func(a, b Term) int { return strings.Compare(strings.ToLower(a.Word), strings.ToLower(b.Word)) })
		t := Block{Head: []string{"Word", "Means"}}
		for _, x := range terms {
			t.Rows = append(t.Rows, []string{x.Word, x.Says})
		}
		add("glossary", "Glossary", 1, t)
	}
	t := Block{Head: []string{"Date", "Part", "Change", "By", "Why", "Approved by"}}
	for _, h := range w.History {
		t.Rows = append(t.Rows, []string{h.At.In(zone).Format("2006-01-02"), h.Part, h.What, h.By, h.Why, h.ApprovedBy})
	}
	if len(w.History) == 0 {
		t = Block{Text: "The plan was not changed yet."}
	}
	add("history", "Revision history", 1, t)
	return d
}

func orElse(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

func emptyIf(empty bool, says string) []Block {
	if empty {
		return []Block{{Text: says}}
	}
	return nil
}

// sections are those of one playbook: what it is for, its questions, and a section for each phase.
func (e Edition) sections(zone *time.Location) (out []Section) {
	id := "playbook-" + e.ID
	head := Section{ID: id, Title: e.Title, Level: 1, Blocks: []Block{{Text: e.Summary}}}
	if len(e.Signs) > 0 {
		head.Blocks = append(head.Blocks, Block{Text: "Signs:"}, Block{List: e.Signs})
	}
	about := fmt.Sprintf("The %s keeps it right; it is reviewed every %d days", e.Owner, e.Review)
	if e.Reviewed.IsZero() {
		about += ", and was never."
	} else {
		about += ", and was last on " + e.Reviewed.In(zone).Format("2006-01-02")
		if e.ReviewedBy != "" {
			about += " by " + e.ReviewedBy
		}
		about += "."
	}
	if e.Revision != "" {
		about += " Revision " + e.Revision[:min(len(e.Revision), 12)] + "."
	}
	head.Blocks = append(head.Blocks, Block{Text: about})
	if len(e.Criteria) > 0 {
		t := Block{Head: []string{"Severity", "When"}}
		for _, s := range slices.Backward(Severities()) {
			if e.Criteria[s] != "" {
				t.Rows = append(t.Rows, []string{s, e.Criteria[s]})
			}
		}
		head.Blocks = append(head.Blocks, t)
	}
	if len(e.Facts) > 0 {
		t := Block{Head: []string{"Question", "Answers", "Answer"}}
		for _, f := range e.Facts {
			t.Rows = append(t.Rows, []string{f.Ask, strings.Join(f.Of, ", "), ""})
		}
		head.Blocks = append(head.Blocks, t)
	}
	if ends := e.Ends.String(); ends != "" {
		head.Blocks = append(head.Blocks, Block{Text: "It ends when: " + ends + "."})
	}
	out = append(out, head)
	n := 0
	for i, f := range e.Phases {
		s := Section{ID: fmt.Sprintf("%s-%d", id, i+1), Title: PhaseWord(f.Name), Level: 2}
		s.Blocks = e.printNodes(nil, f.Nodes, &n)
		out = append(out, s)
	}
	return out
}

func (e Edition) printNodes(out []Block, nodes []Node, n *int) []Block {
	for _, x := range nodes {
		if x.Step != nil {
			*n++
			out = append(out, Block{Step: e.printed(x.Step, *n)})
			continue
		}
		var names []string
		for _, b := range x.Together {
			names = append(names, b.Name)
		}
		out = append(out, Block{Text: "At the same time: " + strings.Join(names, "; ") + ".", Lead: true})
		for _, b := range x.Together {
			out = e.printNodes(append(out, Block{Text: "In the branch: " + b.Name, Lead: true}), b.Nodes, n)
		}
		out = append(out, Block{Text: "What follows waits for every branch."})
	}
	return out
}

func (e Edition) printed(s *Step, n int) *PrintedStep {
	p := &PrintedStep{Number: fmt.Sprint(n), What: s.What, Role: s.Role}
	put := func(name, text string) {
		if text != "" {
			p.Fields = append(p.Fields, FieldLine{name, text})
		}
	}
	put("Only if", s.If.String())
	put("Why", s.Why)
	put("How", s.How)
	put("Done when", s.Done)
	if s.Within > 0 {
		put("Within", PrintSpan(s.Within))
	}
	if s.Approve != "" {
		put("Needs", "the approval of another person, who is "+s.Approve)
	}
	var asks []string
	for _, id := range s.Asks {
		if f, ok := e.Fact(id); ok {
			asks = append(asks, f.Ask)
		}
	}
	put("Answer", strings.Join(asks, "\n"))
	put("Keep", strings.Join(s.Evidence, ", "))
	if s.Early || len(s.After) > 0 {
		var after []string
		for _, id := range s.After {
			if b := e.Step(id); b != nil {
				after = append(after, b.What)
			}
		}
		put("After", orElse(strings.Join(after, "; "), "nothing: at once"))
	}
	if s.Always {
		put("Always", "also when the rest is over")
	}
	return p
}
