package ui

import "strconv"

// A Point is one stretch of time of a chart.
type Point struct {
	At      Time     // its beginning
	Span    string   // "14:00 to 14:30"
	Records int64    // read in it
	Alerts  [5]int64 // raised in it, by level, in the order of Levels
}

// Levels are the five levels of a rule (Sigma 2.1), worst first; a severity is one of the first four.
var Levels = [5]Severity{"critical", "high", "medium", "low", "informational"}

// A Bar is one rectangle of a chart, in the units of its view box.
type Bar struct {
	X, Y, W, H string
	Level      Severity // of an alert's bar
}

// A Column is what a chart draws for one point; the browser shows Says when the pointer rests on it.
type Column struct {
	Says    string
	Hit     Bar // the whole height, invisible
	Records Bar
	Alerts  []Bar // stacked, worst at the bottom
}

// A ChartRow is a point as a row of the table beside the picture.
type ChartRow struct {
	At      Time
	Records string
	Alerts  string // "2 (1 critical, 1 low)"
}

// A Chart is a drawing of records and alerts over time: two bands over one axis, each with a scale of its own, since
// there are thousands of records for one alert. It is built of SVG attributes only, as the policy has no inline style.
type Chart struct {
	Title, Desc            string // what a screen reader says
	Of                     string // what the upper band counts: "records"
	Columns                []Column
	Rows                   []ChartRow
	From, Middle, To       Time
	MostRecords, MostAlert string // the tops of the two scales
}

// Legend returns the levels that the alerts' bars are coloured by.
func (c Chart) Legend() []Severity { return Levels[:] }

// The chart's view box. The picture is stretched to its place; words stand beside it in HTML and are not.
const (
	chartWidth   = 960.0
	recordsTop   = 4.0
	recordsFloor = 104.0
	alertsTop    = 116.0
	alertsFloor  = 176.0
)

// NewChart draws points, which must be in order of time. No points give an empty chart, which the page words.
func NewChart(title string, points []Point) Chart {
	return newChart(title, "record", "records", points)
}

// NewHits draws how often a rule matched; Records of the points are its matches.
func NewHits(title string, points []Point) Chart { return newChart(title, "match", "matches", points) }

func newChart(title, one, many string, points []Point) Chart {
	c := Chart{Title: title, Of: many}
	if len(points) == 0 {
		return c
	}
	var records, alerts, mostRecords, mostAlerts int64
	for _, p := range points {
		records += p.Records
		alerts += p.total()
		mostRecords = max(mostRecords, p.Records)
		mostAlerts = max(mostAlerts, p.total())
	}
	c.MostRecords, c.MostAlert = Number(mostRecords), Number(mostAlerts)
	c.From, c.Middle, c.To = points[0].At, points[len(points)/2].At, points[len(points)-1].At
	c.Desc = Plural(records, one, many) + " and " + Plural(alerts, "alert", "alerts") +
		"; at most " + c.MostRecords + " " + many + " and " + c.MostAlert + " alerts in one bar. The table below has every bar."
	step := chartWidth / float64(len(points))
	gap := min(2, step/4)
	for i, p := range points {
		x, w := float64(i)*step, step-gap
		words := p.words()
		col := Column{
			Says:    p.Span + ": " + Plural(p.Records, one, many) + ", " + words,
			Hit:     bar(float64(i)*step, 0, step, alertsFloor, ""),
			Records: rise(x, w, recordsTop, recordsFloor, 0, p.Records, mostRecords, ""),
		}
		var below int64
		for k, level := range Levels {
			if n := p.Alerts[k]; n > 0 {
				col.Alerts = append(col.Alerts, rise(x, w, alertsTop, alertsFloor, below, n, mostAlerts, level))
				below += n
			}
		}
		c.Columns = append(c.Columns, col)
		c.Rows = append(c.Rows, ChartRow{At: p.At, Records: Number(p.Records), Alerts: words})
	}
	return c
}

func (p Point) total() (n int64) {
	for _, a := range p.Alerts {
		n += a
	}
	return n
}

// words says the alerts of a point with their levels.
func (p Point) words() string {
	n := p.total()
	if n == 0 {
		return "no alerts"
	}
	s := Plural(n, "alert", "alerts")
	sep := " ("
	for k, level := range Levels {
		if p.Alerts[k] > 0 {
			s += sep + Number(p.Alerts[k]) + " " + string(level)
			sep = ", "
		}
	}
	return s + ")"
}

// rise is a bar for n of most, standing on below of most. What is there is at least 2 units high, so that one shows.
func rise(x, w, top, floor float64, below, n, most int64, level Severity) Bar {
	if n == 0 || most == 0 {
		return bar(x, floor, w, 0, level)
	}
	scale := (floor - top) / float64(most)
	h := max(2, float64(n)*scale)
	return bar(x, max(top, floor-float64(below)*scale-h), w, h, level)
}

func bar(x, y, w, h float64, level Severity) Bar {
	f := func(v float64) string { return strconv.FormatFloat(v, 'f', 1, 64) }
	return Bar{X: f(x), Y: f(y), W: f(w), H: f(h), Level: level}
}
