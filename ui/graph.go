package ui

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// A GraphNode is somebody or something in a graph.
type GraphNode struct {
	Kind    string // address, account, session, program, file: the column that it stands in; what is of another kind is in the list alone
	Name    string // hostile
	Note    string // "DE"
	Suspect bool
}

// A GraphEdge leads from one node to another.
type GraphEdge struct {
	From, To int // places of the nodes
	Verb     string
	Told     int // number of the statement that says so, from 1
	Guess    bool
}

// A Graph is a drawing of nodes in columns with lines between, and the same as a list. It is built of SVG attributes only, as the policy has no
// inline style.
type Graph struct {
	Box   Curve // the view box: "0 0 980 400"
	Nodes []GraphBox
	Lines []GraphLine // that are drawn
	Ties  []GraphLine // all, for the list
	More  string      // "and 4 more names, which the statements tell"; "" when all are drawn
}

// A Curve is a path or another attribute made of numbers alone.
type Curve string

// A GraphBox is a node as it is drawn.
type GraphBox struct {
	Kind    string
	Name    Text // whole
	Short   Text // as much as fits
	Note    string
	Suspect bool
	Box     Bar
	Text    Curve // x of its words
	First   Curve // y of the name
	Second  Curve // and of the note
}

// A GraphLine is the edges from one node to another.
type GraphLine struct {
	From, To Text
	Says     string // "uploaded, asked for"
	Href     string // the first statement that says so: "#told-3"
	Told     string // "3, 4"
	Guess    bool
	Path     Curve
	Label    Bar // what lies under the words
	TextX    Curve
	TextY    Curve
}

// How a graph is drawn, in units of its view box: about a pixel each on a desk.
const (
	graphWidth  = 980.0
	outside     = 96.0 // left of the first column, for lines from it to itself
	boxWidth    = 190.0
	boxHeight   = 46.0
	rowHeight   = 68.0
	graphMargin = 6.0
	labelHeight = 18.0
	labelLetter = 6.5 // width of a letter of a label
	nameLetters = 20
	mostBoxes   = 30
	mostLines   = 45
)

// graphColumns are the columns, from left to right.
var graphColumns = [...][]string{{"address"}, {"account", "session", "program"}, {"file"}}

// A layout is a graph under way.
type layout struct {
	nodes   []GraphNode
	edges   []GraphEdge // in order of their statements
	columns [][]int     // places of nodes
	column  []int       // of each node; -1 is not drawn
	step    float64     // from one column to the next
	x, y    []float64   // left and middle of each box
	labels  [][4]float64
}

// NewGraph draws nodes and edges. Of many those are drawn that edges name first.
func NewGraph(nodes []GraphNode, edges []GraphEdge) Graph {
	l := &layout{nodes: nodes, edges: slices.Clone(edges)}
	slices.SortStableFunc(l.edges, func(a, b GraphEdge) int { return cmp.Compare(a.Told, b.Told) })
	left := l.choose()
	height := l.place()
	g := Graph{Box: Curve(fmt.Sprintf("0 0 %.0f %.0f", graphWidth, height))}
	if left > 0 {
		g.More = "and " + Plural(int64(left), "more name", "more names") + ", which the statements tell"
	}
	for i, c := range l.column {
		if c >= 0 {
			g.Nodes = append(g.Nodes, l.box(i))
		}
	}
	var ends [][2]int
	g.Ties, ends = l.ties()
	g.Lines = l.lines(g.Ties, ends)
	return g
}

// choose finds who is drawn, in which column, and returns how many there is no room for.
func (l *layout) choose() (left int) {
	l.column = make([]int, len(l.nodes))
	for i := range l.column {
		l.column[i] = -1
	}
	l.columns = make([][]int, len(graphColumns))
	drawn, seen := 0, map[int]bool{}
	add := func(i int) {
		c := slices.IndexFunc(graphColumns[:], func(kinds []string) bool { return slices.Contains(kinds, l.nodes[i].Kind) })
		switch {
		case seen[i] || c < 0:
		case drawn == mostBoxes:
			left++
		default:
			drawn++
			l.column[i] = c
			l.columns[c] = append(l.columns[c], i)
		}
		seen[i] = true
	}
	for _, e := range l.edges {
		if slices.ContainsFunc(graphColumns[:], func(kinds []string) bool { return slices.Contains(kinds, l.nodes[e.To].Kind) }) {
			add(e.From)
			add(e.To)
		}
	}
	return left
}

// place gives each node its place: in its column as high as those that it has to do with. The middle column is half a row lower, so
// that lines from the first to the last pass between its boxes. It returns the height of the drawing.
func (l *layout) place() float64 {
	most := 1
	for _, c := range l.columns {
		most = max(most, len(c))
	}
	used := 0 // columns
	for _, c := range l.columns {
		used += min(len(c), 1)
	}
	left := graphMargin
	if slices.ContainsFunc(l.edges, func(e GraphEdge) bool { return l.column[e.From] >= 0 && l.column[e.From] == l.column[e.To] }) {
		left = outside
	}
	l.step = (graphWidth - left - graphMargin - boxWidth) / float64(max(1, used-1))
	l.x, l.y = make([]float64, len(l.nodes)), make([]float64, len(l.nodes))
	for c, list := range l.columns {
		if c > 0 {
			l.sort(list, c)
		}
		first := float64((most - len(list)) / 2)
		for k, i := range list {
			l.x[i], l.y[i] = left, graphMargin+(first+float64(k)+.5)*rowHeight
			if c == 1 && used > 2 {
				l.y[i] += rowHeight / 2
			}
		}
		if len(list) > 0 {
			left += l.step
		}
	}
	low := 0.0
	for i, c := range l.column {
		if c >= 0 {
			low = max(low, l.y[i]+boxHeight/2)
		}
	}
	return low + rowHeight/2 - boxHeight/2 + graphMargin
}

// sort puts the nodes of a column in order of the mean height of those to their left.
func (l *layout) sort(list []int, column int) {
	mean := map[int]float64{}
	for _, i := range list {
		sum, n := 0.0, 0.0
		for _, e := range l.edges {
			if e.To == i && l.column[e.From] >= 0 && l.column[e.From] < column {
				sum, n = sum+l.y[e.From], n+1
			}
		}
		if mean[i] = math.MaxFloat64; n > 0 {
			mean[i] = sum / n
		}
	}
	slices.SortStableFunc(list, func(a, b int) int { return cmp.Compare(mean[a], mean[b]) })
}

func (l *layout) box(i int) GraphBox {
	n := l.nodes[i]
	note := n.Kind
	if n.Note != "" {
		note += " · " + n.Note
	}
	if n.Suspect {
		note += " · suspect"
	}
	top := l.y[i] - boxHeight/2
	return GraphBox{Kind: n.Kind, Name: Visible(n.Name), Short: Visible(shortened(n.Name, n.Kind == "file")), Note: note, Suspect: n.Suspect, Box: bar(l.x[i], top, boxWidth, boxHeight, ""),
		Text: unit(l.x[i] + 10), First: unit(top + 19), Second: unit(top + 36)}
}

// shortened is as much of a name as fits into a box: of a path the end.
func shortened(name string, end bool) string {
	r := []rune(Visible(name).String())
	switch {
	case len(r) <= nameLetters:
		return string(r)
	case end:
		return "…" + string(r[len(r)-nameLetters+1:])
	}
	return string(r[:nameLetters-1]) + "…"
}

func unit(v float64) Curve { return Curve(strconv.FormatFloat(v, 'f', 1, 64)) }

// ties joins the edges between the same two nodes, and returns these.
func (l *layout) ties() (out []GraphLine, ends [][2]int) {
	for _, e := range l.edges {
		k := slices.Index(ends, [2]int{e.From, e.To})
		switch {
		case k >= 0 && !slices.Contains(strings.Split(out[k].Says, ", "), e.Verb):
			out[k].Says += ", " + e.Verb
			out[k].Told += ", " + strconv.Itoa(e.Told)
			out[k].Guess = out[k].Guess && e.Guess
		case k < 0 && len(out) < mostLines:
			ends = append(ends, [2]int{e.From, e.To})
			out = append(out, GraphLine{From: Visible(listed(l.nodes[e.From].Name)), To: Visible(listed(l.nodes[e.To].Name)), Says: e.Verb, Told: strconv.Itoa(e.Told),
				Href: fmt.Sprintf("#told-%d", e.Told), Guess: e.Guess})
		}
	}
	return out, ends
}

// listed is as much of a name as the list shows.
func listed(name string) string {
	if r := []rune(strings.ToValidUTF8(name, "\ufffd")); len(r) > 120 {
		return string(r[:119]) + "…"
	}
	return name
}

// lines draws those ties whose ends are both drawn.
func (l *layout) lines(ties []GraphLine, ends [][2]int) (out []GraphLine) {
	var drawn [][2]int
	for k, e := range ends {
		if l.column[e[0]] >= 0 && l.column[e[1]] >= 0 {
			drawn = append(drawn, e)
			out = append(out, ties[k])
		}
	}
	for k, e := range drawn {
		y0 := l.port(drawn, k, 0, 1)
		y1 := l.port(drawn, k, 1, 0)
		if l.column[e[0]] == l.column[e[1]] {
			l.around(&out[k], l.x[e[0]], y0, y1)
		} else {
			l.across(&out[k], e[0], e[1], y0, y1)
		}
	}
	return out
}

// port is the height at which a line meets a box at one of its ends: those that do on the same side are spread, in order of where they come from.
func (l *layout) port(drawn [][2]int, k, end, other int) float64 {
	me := drawn[k]
	side := func(e [2]int, end int) int { return cmp.Compare(l.column[e[1-end]], l.column[e[end]]) }
	var there []int
	for i, e := range drawn {
		if e[end] == me[end] && side(e, end) == side(me, end) {
			there = append(there, i)
		}
	}
	slices.SortStableFunc(there, func(a, b int) int { return cmp.Compare(l.y[drawn[a][other]], l.y[drawn[b][other]]) })
	spread := min(9, (boxHeight-10)/float64(max(1, len(there)-1)))
	return l.y[me[end]] + (float64(slices.Index(there, k))-float64(len(there)-1)/2)*spread
}

// around draws a line from a column to itself, on the outside.
func (l *layout) around(line *GraphLine, x, y0, y1 float64) {
	line.Path = Curve(fmt.Sprintf("M%.1f %.1fC%.1f %.1f %.1f %.1f %.1f %.1f", x, y0, x-64, y0, x-64, y1, x-3, y1))
	l.label(line, func(t float64) (float64, float64) { return x - 48, cubic(y0, y0, y1, y1, t) })
}

// across draws one between columns. It keeps its height until the last gap, so that it passes between the boxes of other columns.
func (l *layout) across(line *GraphLine, from, to int, y0, y1 float64) {
	x0, x1, sign := l.x[from]+boxWidth, l.x[to]-3, 1.0
	if l.column[from] > l.column[to] {
		x0, x1, sign = l.x[from], l.x[to]+boxWidth+3, -1
	}
	bend := x1 - sign*(l.step-boxWidth-3)
	if sign*(bend-x0) < 1 {
		bend = x0
	}
	pass := y0
	if bend != x0 { // between the rows
		pass = l.rowBetween(y0)
	}
	half := (x1 - bend) / 2
	line.Path = Curve(fmt.Sprintf("M%.1f %.1fC%.1f %.1f %.1f %.1f %.1f %.1fH%.1fC%.1f %.1f %.1f %.1f %.1f %.1f", x0, y0, x0+sign*40, y0, x0+sign*40, pass, x0+sign*80, pass, bend, bend+half, pass, x1-half, y1, x1, y1))
	if bend == x0 {
		line.Path = Curve(fmt.Sprintf("M%.1f %.1fC%.1f %.1f %.1f %.1f %.1f %.1f", x0, y0, x0+half, y0, x1-half, y1, x1, y1))
	}
	l.label(line, func(t float64) (float64, float64) {
		return cubic(bend, bend+half, x1-half, x1, t), cubic(pass, pass, y1, y1, t)
	})
}

// rowBetween is the height nearest to y at which the middle column has no box, give or take what spreads lines.
func (l *layout) rowBetween(y float64) float64 {
	middle := graphMargin + (math.Floor((y-graphMargin)/rowHeight)+.5)*rowHeight
	return middle + (y-middle)/3
}

// label puts the words of a line on it, where there is room.
func (l *layout) label(line *GraphLine, at func(t float64) (x, y float64)) {
	words := line.Says
	if line.Guess {
		words = "guess: " + words
	}
	wide := float64(utf8.RuneCountInString(words))*labelLetter + 8
	var box [4]float64
	for _, t := range []float64{.5, .4, .6, .3, .7, .2, .8} {
		x, y := at(t)
		x = max(x, wide/2+1)
		box = [4]float64{x - wide/2, y - labelHeight/2, x + wide/2, y + labelHeight/2}
		if !slices.ContainsFunc(l.labels, func(o [4]float64) bool { return box[0] < o[2] && o[0] < box[2] && box[1] < o[3] && o[1] < box[3] }) {
			break
		}
	}
	l.labels = append(l.labels, box)
	line.Label = bar(box[0], box[1], wide, labelHeight, "")
	line.TextX, line.TextY = unit(box[0]+wide/2), unit(box[1]+labelHeight/2+4)
}

// cubic is a curve of Bezier's at t.
func cubic(a, b, c, d, t float64) float64 {
	u := 1 - t
	return u*u*u*a + 3*u*u*t*b + 3*u*t*t*c + t*t*t*d
}
