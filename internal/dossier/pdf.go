package dossier

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"

	"codeberg.org/go-pdf/fpdf"
)

// A4 in millimetres, and where text stands on it.
const (
	pageWidth, pageHeight = 210.0, 297.0
	side                  = 18.0
	top, bottom           = 24.0, 278.0
	column                = pageWidth - 2*side
	point                 = 25.4 / 72 // a point in millimetres
)

// A face is a cut of the font at a size in points.
type face struct {
	style string // "" or "B"
	size  float64
}

func (f face) line() float64 { return f.size * point * 1.32 } // height of a line, mm

var (
	bodyFace = face{"", 9.5}
	nameFace = face{"B", 8}
	cellFace = face{"", 8}
	h1Face   = face{"B", 14}
	h2Face   = face{"B", 10.5}
)

// pages stands for the number of pages until that is known. The writer of PDF puts the number in its place wherever its bytes are, so it is made of a sign for private use,
// which no text of a document has (visible): also not across the bytes of two letters, for one of them would be no character.
const pages = "\uf8ff\uf8ff"

// A paper is a PDF file under way.
type paper struct {
	*fpdf.Fpdf
	d      *Document
	covers coverage
	widths map[string][]uint16 // of each code point in each style, thousandths of the size, +1; 0 is not asked yet
	y      float64
}

// PDF shows the document as pages of A4. What the font has no picture of is shown by its code point, as [U+4E2D]. An error means that the
// writer of PDF refused something.
func PDF(d *Document) ([]byte, error) {
	text, err := fonts.ReadFile(regular)
	if err != nil {
		return nil, err
	}
	heavy, err := fonts.ReadFile(bold)
	if err != nil {
		return nil, err
	}
	covers, err := covered(text)
	if err != nil {
		return nil, err
	}
	p := &paper{Fpdf: fpdf.New("P", "mm", "A4", ""), d: d, covers: covers, widths: map[string][]uint16{"": make([]uint16, 1<<16), "B": make([]uint16, 1<<16)}}
	made := d.Made
	if made.IsZero() {
		made = time.Unix(0, 0).UTC() // a zero date would be the machine's clock
	}
	p.SetCreationDate(made)
	p.SetModificationDate(made)
	p.SetCatalogSort(true)
	p.SetTitle(p.printable(cutTo(d.Title, 250)), true)
	p.SetCreator("Tocsin", false)
	p.SetLang("en")
	p.SetAutoPageBreak(false, 0)
	p.SetMargins(side, top, side)
	p.AddUTF8FontFromBytes("d", "", text)
	p.AddUTF8FontFromBytes("d", "B", heavy)
	p.AliasNbPages(pages)
	p.SetHeaderFunc(p.header)
	p.SetFooterFunc(p.footer)
	p.page()
	p.cover()
	for _, s := range d.Sections {
		p.section(s)
	}
	var b bytes.Buffer
	if err := p.Output(&b); err != nil {
		return nil, fmt.Errorf("writing the PDF file: %w", err)
	}
	return b.Bytes(), nil
}

func (p *paper) page() {
	p.AddPage()
	p.y = top
}

// use sets the font.
func (p *paper) use(f face) { p.SetFont("d", f.style, f.size) }

// printable replaces what the font cannot show.
func (p *paper) printable(text string) string {
	if strings.IndexFunc(text, func(r rune) bool { return !p.covers.has(r) }) < 0 {
		return text
	}
	var b strings.Builder
	for _, r := range text {
		if p.covers.has(r) {
			b.WriteRune(r)
		} else {
			fmt.Fprintf(&b, "[U+%04X]", r)
		}
	}
	return b.String()
}

// width is how wide r is, in thousandths of the size.
func (p *paper) width(style string, r rune) float64 {
	w := p.widths[style]
	if w[r&0xffff] == 0 {
		w[r&0xffff] = uint16(min(p.GetStringSymbolWidth(string(r)), 5000)) + 1
	}
	return float64(w[r&0xffff] - 1)
}

// wrap divides a text into lines that are at most so wide, at spaces, and within a word that is wider than a line.
func (p *paper) wrap(text string, f face, mm float64) [][]rune {
	p.use(f)
	most := mm / (f.size * point) * 1000
	runes := []rune(p.printable(text))
	var out [][]rune
	begin, space, wide := 0, -1, 0.0
	for k := 0; k < len(runes); k++ {
		if runes[k] == ' ' {
			space = k
		}
		wide += p.width(f.style, runes[k])
		if wide <= most || k == begin || unicode.Is(unicode.Mn, runes[k]) {
			continue
		}
		if space > begin {
			out = append(out, runes[begin:space])
			begin = space + 1
		} else {
			out = append(out, runes[begin:k])
			begin = k
		}
		k, space, wide = begin-1, -1, 0
	}
	if begin < len(runes) {
		out = append(out, runes[begin:])
	}
	return out
}

// put draws lines from the height y downwards. Right-to-left text stands at the right.
func (p *paper) put(lines [][]rune, f face, x, y, mm float64) {
	p.use(f)
	for _, l := range lines {
		left := x
		if rightToLeft(string(l)) {
			wide := 0.0
			for _, r := range l {
				wide += p.width(f.style, r)
			}
			left += max(mm-wide*f.size*point/1000, 0)
		}
		p.Text(left, y+f.size*point, string(drawn(l)))
		y += f.line()
	}
}

// text writes a paragraph, over as many pages as it needs. At least two of its lines stand together.
func (p *paper) text(text string, f face, indent, after float64) {
	lines := p.wrap(text, f, column-indent)
	for len(lines) > 0 {
		n := int((bottom - p.y) / f.line())
		if n < min(2, len(lines)) {
			p.page()
			continue
		}
		if n = min(n, len(lines)); len(lines)-n == 1 && n > 2 {
			n--
		}
		p.put(lines[:n], f, side+indent, p.y, column-indent)
		p.y += float64(n) * f.line()
		lines = lines[n:]
	}
	p.y += after
}

// need begins a page when less than so many millimetres are left.
func (p *paper) need(mm float64) {
	if p.y+mm > bottom {
		p.page()
	}
}

func (p *paper) header() {
	label := string(p.d.Label)
	if label == "" {
		return
	}
	f := face{"B", 12} // TLP 2.0 asks for 12 points, at the right, on black
	p.use(f)
	w := p.GetStringWidth(label) + 4
	p.SetFillColor(0, 0, 0)
	p.Rect(pageWidth-side-w, 9, w, 7, "F")
	switch p.d.Label.hue() {
	case "clear":
		p.SetTextColor(255, 255, 255)
	case "green":
		p.SetTextColor(0x33, 255, 0)
	case "amber":
		p.SetTextColor(255, 0xc0, 0)
	default:
		p.SetTextColor(255, 0x2b, 0x2b)
	}
	p.Text(pageWidth-side-w+2, 14, label)
	p.SetTextColor(0, 0, 0)
	p.use(face{"B", 9})
	if p.d.Restricted != "" {
		p.Text(side, 14, "RESTRICTED")
	}
}

func (p *paper) footer() {
	p.use(face{"", 8})
	p.SetTextColor(90, 90, 90)
	p.Text(side, 287, p.printable(p.d.foot())+", page "+strconv.Itoa(p.PageNo())+" of "+pages)
	p.SetTextColor(0, 0, 0)
}

func (p *paper) cover() {
	d := p.d
	for _, text := range []string{d.Restricted, d.For} {
		if text == "" {
			continue
		}
		lines := p.wrap(text, face{"B", 9.5}, column-6)
		high := float64(len(lines))*face{"B", 9.5}.line() + 4
		p.SetDrawColor(0xcc, 0x33, 0x11)
		p.SetLineWidth(0.6)
		p.Rect(side, p.y, column, high, "D")
		p.put(lines, face{"B", 9.5}, side+3, p.y+2, column-6)
		p.y += high + 4
	}
	if d.Organisation != "" {
		p.text(d.Organisation, face{"B", 11}, 0, 1)
	}
	p.SetTextColor(90, 90, 90)
	p.text(d.Kind(), face{"", 11}, 0, 1)
	p.SetTextColor(0, 0, 0)
	title := face{"B", 20}
	if len(d.Title) > 200 {
		title.size = 12
	}
	p.text(d.Title, title, 0, 4)
	p.pairs(d.Cover)
	p.SetDrawColor(0, 0, 0)
	p.SetLineWidth(0.8)
	p.Line(side, p.y, pageWidth-side, p.y)
	p.y += 2
}

func (p *paper) section(s Section) {
	if s.Apart {
		p.page()
	}
	first := 2 * bodyFace.line()
	if len(s.Blocks) > 0 {
		first = p.least(s.Blocks, 0)
	}
	p.y += 5
	p.need(h1Face.line() + 4 + first)
	p.Bookmark(s.Heading, 0, p.y)
	p.text(s.Heading, h1Face, 0, 1)
	p.SetDrawColor(0x99, 0x99, 0x99)
	p.SetLineWidth(0.25)
	p.Line(side, p.y, pageWidth-side, p.y)
	p.y += 2.5
	for k, x := range s.Blocks {
		switch x.Kind {
		case Sub:
			p.y += 1.5
			p.need(p.least(s.Blocks, k))
			p.text(x.Text, h2Face, 0, 1)
		case Paragraph:
			p.text(x.Text, bodyFace, 0, 2)
		case Missing:
			p.aside(x.Text, 0xcc, 0x99, 0)
		case LeftOut:
			p.aside(x.Text, 0x88, 0x88, 0x88)
		case Pairs:
			p.pairs(x.Pairs)
		case List:
			for _, t := range x.List {
				p.need(min(2*bodyFace.line(), 10))
				p.SetFillColor(0, 0, 0)
				p.Circle(side+1.8, p.y+bodyFace.line()*0.5, 0.55, "F")
				p.text(t, bodyFace, 5, 0.8)
			}
			p.y += 1.5
		case Tabular:
			p.table(x.Table)
		case Phases:
			p.chart(x.Chart)
		}
	}
}

// least is how high a block must at least be begun, so that no heading and no head of a table stands alone at the end of a page.
func (p *paper) least(blocks []Block, k int) float64 {
	x := blocks[k]
	next := 0.0
	if k+1 < len(blocks) && (x.Kind == Sub || x.Kind == Phases) {
		next = p.least(blocks, k+1)
	}
	switch x.Kind {
	case Sub:
		return h2Face.line() + 2.5 + next
	case Phases:
		return chartHigh(x.Chart) + next
	case Tabular:
		g := p.grid(x.Table)
		high := g.headHigh
		for n := range min(2, len(x.Table.Rows)) {
			high += p.row(g, x.Table.Rows[n]).high
		}
		return min(high, (bottom-top)/2)
	case Pairs:
		return 20
	}
	return 2 * bodyFace.line()
}

// aside writes a paragraph with a stroke at its left.
func (p *paper) aside(text string, r, g, b int) {
	lines := p.wrap(text, bodyFace, column-5)
	high := float64(len(lines)) * bodyFace.line()
	p.need(min(high, bottom-top))
	p.SetFillColor(r, g, b)
	if p.y+high <= bottom {
		p.Rect(side, p.y, 1, high, "F")
	}
	p.SetFillColor(0, 0, 0)
	p.text(text, bodyFace, 4, 2.5)
}

// chart draws the bar of the phases with its marks.
func (p *paper) chart(c *Chart) {
	p.need(chartHigh(c))
	lift := 4.0 * float64(levels(c)) // marks that are close stand above each other
	at := func(thousandths int) float64 { return side + column*float64(thousandths)/1000 }
	bar, high := p.y+6+lift, 7.0
	for _, s := range c.Segments {
		p.fill(s.Colour)
		p.Rect(at(s.From), bar, max(at(s.Upto)-at(s.From), 0.4), high, "F")
	}
	p.SetFillColor(0, 0, 0)
	p.SetDrawColor(0, 0, 0)
	p.SetLineWidth(0.4)
	for _, m := range c.Marks {
		x, y := at(m.At), p.y+2.5+lift-4*float64(m.Level)
		p.Line(x, y+1.5, x, bar+high)
		switch m.Shape {
		case "●":
			p.Circle(x, y, 1.4, "F")
		case "■":
			p.Rect(x-1.3, y-1.3, 2.6, 2.6, "F")
		case "◆":
			p.Polygon([]fpdf.PointType{{X: x, Y: y - 1.8}, {X: x + 1.8, Y: y}, {X: x, Y: y + 1.8}, {X: x - 1.8, Y: y}}, "F")
		default:
			p.Polygon([]fpdf.PointType{{X: x, Y: y - 1.6}, {X: x + 1.7, Y: y + 1.4}, {X: x - 1.7, Y: y + 1.4}}, "F")
		}
	}
	p.y = bar + high + 3
}

// levels is how many levels of marks stand above the lowest.
func levels(c *Chart) int {
	n := 0
	for _, m := range c.Marks {
		n = max(n, m.Level)
	}
	return n
}

func chartHigh(c *Chart) float64 { return 16 + 4*float64(levels(c)) }

// fill sets the colour of areas to six hexadecimal digits.
func (p *paper) fill(colour string) {
	n, err := strconv.ParseUint(colour, 16, 24)
	if err != nil {
		n = 0x888888
	}
	p.SetFillColor(int(n>>16), int(n>>8&0xff), int(n&0xff))
}
