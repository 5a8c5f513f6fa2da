package dossier

// A grid is how a table stands on the page.
type grid struct {
	head     [][][]rune
	headHigh float64
	widths   []float64 // mm
	x        []float64
}

// A laid row is one with its cells divided into lines.
type laid struct {
	colour string
	cells  [][][]rune
	high   float64
}

const (
	cellPad  = 1.2 // mm at the left and the right of a cell
	rowPad   = 1.0 // mm above and below
	pageMost = bottom - top
)

func (p *paper) grid(t *Table) grid {
	var g grid
	x := side
	for _, w := range shares(t.Columns, 100_000) {
		mm := column * float64(w) / 100_000
		g.widths, g.x = append(g.widths, mm), append(g.x, x)
		x += mm
	}
	var cells []string
	for _, c := range t.Columns {
		cells = append(cells, c.Name)
	}
	head := p.lay(g, cells, nameFace)
	g.head, g.headHigh = head.cells, head.high
	return g
}

func (p *paper) lay(g grid, cells []string, f face) laid {
	var l laid
	most := 1
	for k, c := range cells {
		lines := p.wrap(c, f, g.widths[k]-2*cellPad)
		l.cells = append(l.cells, lines)
		most = max(most, len(lines))
	}
	l.high = float64(most)*f.line() + 2*rowPad
	return l
}

func (p *paper) row(g grid, r Row) laid {
	l := p.lay(g, r.Cells, cellFace)
	l.colour = r.Colour
	return l
}

// table writes rows. Its head stands again on each page; no row is divided that fits a page; neither the first row nor the last stands alone.
func (p *paper) table(t *Table) {
	g := p.grid(t)
	var ahead laid
	if len(t.Rows) > 0 {
		ahead = p.row(g, t.Rows[0])
	}
	headed := false
	for k := range t.Rows {
		l := ahead
		pair := l.high
		if k+1 < len(t.Rows) {
			ahead = p.row(g, t.Rows[k+1])
			if k == 0 || k+2 == len(t.Rows) {
				pair += ahead.high
			}
		}
		if !headed {
			pair += g.headHigh
		}
		if pair > pageMost-2*g.headHigh { // they do not fit a page together
			pair = min(l.high, pageMost/2)
		}
		if p.y+pair > bottom {
			p.page()
			headed = false
		}
		if !headed {
			p.head(g)
			headed = true
		}
		p.draw(g, l)
	}
	if len(t.Rows) == 0 {
		p.need(g.headHigh)
		p.head(g)
	}
	p.y += 2.5
}

func (p *paper) head(g grid) {
	p.SetFillColor(0xe8, 0xe8, 0xe8)
	p.Rect(side, p.y, column, g.headHigh, "F")
	for k, lines := range g.head {
		p.put(lines, nameFace, g.x[k]+cellPad, p.y+rowPad, g.widths[k]-2*cellPad)
	}
	p.y += g.headHigh
}

// draw writes a row, over pages when it is higher than one.
func (p *paper) draw(g grid, l laid) {
	from := 0
	for {
		most := 1
		for _, lines := range l.cells {
			most = max(most, len(lines)-from)
		}
		fit := int((bottom - p.y - 2*rowPad) / cellFace.line())
		n := min(most, max(fit, 1))
		high := float64(n)*cellFace.line() + 2*rowPad
		if l.colour != "" {
			p.fill(l.colour)
			p.Rect(g.x[0]-1.6, p.y+0.4, 1.6, high-0.8, "F")
		}
		for k, lines := range l.cells {
			if from < len(lines) {
				p.put(lines[from:min(from+n, len(lines))], cellFace, g.x[k]+cellPad, p.y+rowPad, g.widths[k]-2*cellPad)
			}
		}
		p.y += high
		p.SetDrawColor(0xbb, 0xbb, 0xbb)
		p.SetLineWidth(0.15)
		p.Line(side, p.y, pageWidth-side, p.y)
		if from += n; n == most {
			return
		}
		p.page()
		p.head(g)
	}
}

// pairs writes names with what they are beside them.
func (p *paper) pairs(pairs []Pair) {
	name := 42.0
	for _, x := range pairs {
		left := p.wrap(x.Name, face{"B", 9}, name-3)
		right := p.wrap(x.Value, face{"", 9}, column-name)
		high := float64(max(len(left), len(right), 1))*face{"", 9}.line() + 0.8
		if high > pageMost/2 { // too long to stand beside
			p.need(20)
			p.text(x.Name, face{"B", 9}, 0, 0)
			p.text(x.Value, face{"", 9}, 5, 0.8)
			continue
		}
		p.need(high)
		p.put(left, face{"B", 9}, side, p.y, name-3)
		p.put(right, face{"", 9}, side+name, p.y, column-name)
		p.y += high
	}
	p.y += 2
}
