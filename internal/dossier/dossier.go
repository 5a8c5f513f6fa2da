// Package dossier writes the incident report: what happened, what was done, what it cost and what is learnt, out of what the ledger knows
// at any moment. It is never empty: a part that nobody has filled says what is missing and who fills it.
//
//	Case (facts, each with its TLP label) -> Assemble(case, depth, audience, zone) -> Document (one model)
//	    -> HTML | Markdown | DOCX | PDF        four ways to show the one model, so that they cannot disagree
//	    -> Own.Render                          a shop's own template over the same model
//	files -> Manifest{SHA-256 of each, head of the ledger} -> Seal (a note of the ledger's key) -> Verify(files, manifest)
//
// # What is left out
//
// A document is for an audience, named by a label of TLP 2.0 (FIRST, https://www.first.org/tlp/). What is labelled higher is not in the Document
// at all, so no renderer and no template can show it; the section says how many entries are left out, and why, but nothing of their
// length. What has no label has that of the case; a label that is not known counts as TLP:RED.
//
// # Hostile text
//
// Texts come from logs, visitors and strangers. Assemble makes every text harmless once, for all formats (visible): controls, signs
// that turn the direction of text, and code points that are no characters are shown as [U+202E]; line ends become paragraphs, or a ¶ within a
// cell. Renderers then only escape for their format. No text becomes a link, a field or markup; formulas stay text.
//
// The same Case, depth, audience and zone give the same bytes in each format.
package dossier

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// A Depth says how much a document tells.
type Depth string

const (
	Executive Depth = "executive" // for who decides and pays: a few pages
	Full      Depth = "full"      // everything
)

// A Label is one of TLP 2.0. The zero Label has none.
type Label string

const (
	Clear       Label = "TLP:CLEAR"
	Green       Label = "TLP:GREEN"
	Amber       Label = "TLP:AMBER"
	AmberStrict Label = "TLP:AMBER+STRICT"
	Red         Label = "TLP:RED"
)

// Labels lists them from what everybody may know to what only the people present may know.
func Labels() []Label { return []Label{Clear, Green, Amber, AmberStrict, Red} }

// ParseLabel reads a label as people write it, with or without "TLP:".
func ParseLabel(text string) (Label, error) {
	l := Label("TLP:" + strings.TrimPrefix(strings.ToUpper(strings.TrimSpace(text)), "TLP:"))
	if !slices.Contains(Labels(), l) {
		return "", fmt.Errorf("%.40q is no label of TLP 2.0: write CLEAR, GREEN, AMBER, AMBER+STRICT or RED", text)
	}
	return l, nil
}

// Meaning is what a label allows, in one sentence after the standard.
func (l Label) Meaning() string {
	switch l {
	case Clear:
		return "Everybody may know this."
	case Green:
		return "For the community of those who receive it; not for publication."
	case Amber:
		return "For those in the organisation and its clients who need to know it."
	case AmberStrict:
		return "For those in the organisation who need to know it; not for its clients."
	}
	return "For the eyes and ears of the people named only; not to be passed on."
}

// rank orders labels; what is not known is the highest.
func (l Label) rank() int {
	if k := slices.Index(Labels(), l); k >= 0 {
		return k
	}
	return len(Labels()) - 1
}

// A Document is what a dossier says, in the order in which it says it. All its texts are harmless as plain text and have no line ends.
type Document struct {
	Title        string // of the incident, as people call it
	Incident     string // its number, as people say it
	Organisation string
	Subject      string // what stands over the title; "" is what Kind says of an incident's report
	Depth        Depth
	Label        Label  // the audience
	Restricted   string // a sentence; "" when the incident is for everybody of the team
	For          string // "For Anna Keller only": for one person's eyes; stands on each page
	Made         time.Time
	Cover        []Pair
	Sections     []Section
}

// A Section is a part under a heading.
type Section struct {
	ID      string // small letters and "-", the same in each document
	Heading string
	Apart   bool // on paper it begins a page
	Blocks  []Block
}

// What a Block is.
const (
	Paragraph = "paragraph" // Text
	Sub       = "sub"       // Text: a heading within the section
	Missing   = "missing"   // Text: what nobody has filled yet, and who fills it
	LeftOut   = "left-out"  // Text: what this audience is not told
	Pairs     = "pairs"     // Pairs
	List      = "list"      // List
	Tabular   = "table"     // Table
	Phases    = "chart"     // Chart
)

// A Block is one thing of a section.
type Block struct {
	Kind  string
	Text  string
	Pairs []Pair
	List  []string
	Table *Table
	Chart *Chart
}

// A Pair is a name and what it is.
type Pair struct{ Name, Value string }

// A Table has as many cells in each row as it has columns.
type Table struct {
	Columns []Column
	Rows    []Row
}

// A Column is a heading, and how wide it is against the others.
type Column struct {
	Name  string
	Width int
}

// A Row is one of a table.
type Row struct {
	ID     int64  // the entry of the ledger that the row is about; 0 is none
	Colour string // six hexadecimal digits, of a segment of the chart; "" is none
	Cells  []string
}

// A Chart is a bar of phases in time, with marks on it. It has no text: the table below it says the same.
type Chart struct {
	Segments []Segment
	Marks    []Mark
}

// A Segment is a phase in the bar.
type Segment struct {
	Colour     string
	From, Upto int // thousandths of the bar
}

// A Mark is a moment in the bar.
type Mark struct {
	Shape string // one of Shapes
	At    int    // thousandths of the bar
	Level int    // from 0, higher above the bar when another mark is near
}

// Shapes are the marks of the chart, as they stand in the table of figures too.
func Shapes() []string { return []string{"▲", "●", "■", "◆"} }

// Text is everything that the document says, one text a line, in order: what a reader of any format reads.
func (d *Document) Text() string {
	var b strings.Builder
	put := func(texts ...string) {
		for _, t := range texts {
			if t != "" {
				b.WriteString(t)
				b.WriteByte('\n')
			}
		}
	}
	put(string(d.Label), d.Restricted, d.For, d.Organisation, d.Kind(), d.Title)
	for _, p := range d.Cover {
		put(p.Name, p.Value)
	}
	for _, s := range d.Sections {
		put(s.Heading)
		for _, x := range s.Blocks {
			put(x.Text)
			for _, p := range x.Pairs {
				put(p.Name, p.Value)
			}
			put(x.List...)
			if x.Table != nil {
				for _, c := range x.Table.Columns {
					put(c.Name)
				}
				for _, r := range x.Table.Rows {
					put(r.Cells...)
				}
			}
		}
	}
	return b.String()
}

// Kind is what stands over the title.
func (d *Document) Kind() string {
	if d.Subject != "" {
		return d.Subject
	}
	if d.Depth == Executive {
		return "Incident report: executive summary"
	}
	return "Incident report"
}
