package dossier

import (
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"tocsin/internal/playbook"
)

// Plan is the emergency plan as a document of this package, so that it can be a PDF too: cover, contents, contacts, roles, playbooks, glossary, revision
// history, in the order of w.Document. Its texts are made harmless as those of an incident's report are. Each part begins on a new page.
func Plan(w playbook.Whole) *Document {
	zone := w.Zone
	if zone == nil {
		zone = time.UTC
	}
	from := w.Document()
	d := &Document{Title: or(from.Title, "Emergency plan"), Subject: "For the day on which no screen works", Organisation: one(w.Organisation), Label: Label(one(w.Label)), Made: w.Printed.UTC()}
	if !w.Printed.IsZero() {
		d.Cover = append(d.Cover, Pair{"Printed", at(w.Printed, zone)})
	}
	if w.Head != "" {
		d.Cover = append(d.Cover, Pair{"Made of the ledger", one(w.Head)})
	}
	d.Cover = append(d.Cover, Pair{"Playbooks", strconv.Itoa(len(w.Playbooks))})
	if n := len(w.History); n > 0 {
		d.Cover = append(d.Cover, Pair{"Last change", w.History[n-1].At.In(zone).Format("2006-01-02") + ", " + or(w.History[n-1].Part, unknown)})
	}
	d.Cover = append(d.Cover, Pair{"What counts", "What is on the screen. Print the plan anew after each change, and throw this away then."})
	contents := Section{ID: "contents", Heading: "Contents", Blocks: []Block{{Kind: List}}}
	var parts []Section
	for _, s := range from.Sections {
		if s.Level > 1 && len(parts) > 0 {
			last := &parts[len(parts)-1]
			last.Blocks = append(append(last.Blocks, Block{Kind: Sub, Text: one(s.Title)}), planBlocks(s.Blocks)...)
			continue
		}
		parts = append(parts, Section{ID: s.ID, Heading: one(s.Title), Apart: true, Blocks: planBlocks(s.Blocks)})
		contents.Blocks[0].List = append(contents.Blocks[0].List, one(s.Title))
	}
	d.Sections = append([]Section{contents}, parts...)
	return d
}

// planBlocks words the blocks of a section of the plan.
func planBlocks(blocks []playbook.Block) (out []Block) {
	for _, x := range blocks {
		switch {
		case x.Step != nil:
			b := Block{Kind: Pairs, Pairs: []Pair{{"Role", or(x.Step.Role, unknown)}}}
			for _, f := range x.Step.Fields {
				b.Pairs = append(b.Pairs, Pair{one(f.Name), one(f.Text)})
			}
			out = append(out, Block{Kind: Sub, Text: "[  ] " + one(x.Step.Number+". "+x.Step.What)}, b)
		case len(x.Head) > 0 && len(x.Rows) > 0:
			out = append(out, Block{Kind: Tabular, Table: planTable(x.Head, x.Rows)})
		case len(x.List) > 0:
			b := Block{Kind: List}
			for _, t := range x.List {
				b.List = append(b.List, one(t))
			}
			out = append(out, b)
		default:
			out = append(out, planText(x.Text)...)
		}
	}
	return out
}

// planText is a text as paragraphs; lines that begin with a dash are a list.
func planText(text string) (out []Block) {
	for _, t := range lines(text) {
		point, listed := strings.CutPrefix(t, "- ")
		switch {
		case !listed:
			out = append(out, Block{Kind: Paragraph, Text: t})
		case len(out) == 0 || out[len(out)-1].Kind != List:
			out = append(out, Block{Kind: List, List: []string{point}})
		default:
			out[len(out)-1].List = append(out[len(out)-1].List, point)
		}
	}
	return out
}

// Bounds of how wide a column of the plan counts against the others, in characters.
const planNarrow, planWide = 10, 45

// planTable is a table whose columns are as wide as what stands in them.
func planTable(head []string, rows [][]string) *Table {
	t := &Table{}
	for k, name := range head {
		wide := utf8.RuneCountInString(name)
		for _, r := range rows {
			if k < len(r) {
				for _, l := range lines(r[k]) {
					wide = max(wide, utf8.RuneCountInString(l))
				}
			}
		}
		t.Columns = append(t.Columns, Column{Name: one(name), Width: min(max(wide, planNarrow), planWide)})
	}
	for _, r := range rows {
		row := Row{}
		for k := range head {
			text := ""
			if k < len(r) {
				text = one(r[k])
			}
			row.Cells = append(row.Cells, text)
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}
