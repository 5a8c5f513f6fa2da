package rota

import (
	"strconv"
	"time"
)

// A Strip is what a drawing of a schedule needs: a row for each layer as if it were alone, one for overrides, and one for what comes
// of them all. Places and widths are parts of the strip, from 0 to 1, by time as it passes: a day in which clocks change is wider or narrower.
type Strip struct {
	Schedule    string
	Zone        *time.Location // by which its days are
	From, Until time.Time
	Now         float64 // where the instant that was given as now is; -1 when it is not on the strip
	Days        []StripDay
	Rows        []StripRow
	Cut         bool // there was more than can be drawn: rows end early
}

// A StripDay is a day's place.
type StripDay struct {
	Date    time.Time // its begin
	X, W    float64
	Weekend bool
	Holiday string // the one that covers its noon; "" is none
}

// What a row shows.
const (
	RowLayer    = "layer"
	RowOverride = "override"
	RowFinal    = "final"
)

// A StripRow is a row.
type StripRow struct {
	Kind  string // RowLayer, RowOverride, RowFinal
	ID    string // of the layer
	Spare bool   // the layer counts only on holidays
	Bars  []StripBar
}

// A StripBar is a shift's place. In the last row gaps are bars too, of nobody.
type StripBar struct {
	X, W  float64
	Shift Shift
}

// maxBars is how many bars a row has at most: beyond, nobody sees anything.
const maxBars = 2000

// maxStrip is how long a strip can be.
const maxStrip = 100 * 24 * time.Hour

// Week makes the strip of the week, from Monday to Sunday, in which t lies by the schedule's clock.
func (b *Book) Week(id string, t, now time.Time) (*Strip, error) {
	s, err := b.Get(id)
	if err != nil {
		return nil, err
	}
	d := dayOf(t, s.Zone())
	d -= day((int(d.weekday()) + 6) % 7)
	return b.Strip(id, wall(s.Zone(), d, 0), wall(s.Zone(), d+7, 0), now)
}

// Strip makes one of any time up to a hundred days; longer ones are cut. A schedule that was not made yet or has ended leaves its rows empty.
func (b *Book) Strip(id string, from, until, now time.Time) (*Strip, error) {
	s, err := b.Get(id)
	if err != nil {
		return nil, err
	}
	x := &Strip{Schedule: id, Zone: s.Zone(), From: from.UTC().Round(0), Until: until.UTC().Round(0), Now: -1}
	if x.Until.Sub(x.From) > maxStrip {
		x.Until, x.Cut = x.From.Add(maxStrip), true
	}
	v, lo, hi, err := b.span(id, x.From, x.Until)
	if err != nil {
		return nil, err
	}
	if !now.Before(x.From) && now.Before(x.Until) {
		x.Now = x.place(now)
	}
	x.days(v)
	for n, l := range s.Layers {
		alone := func(t time.Time) Shift {
			y := Shift{Schedule: id}
			if now := s.version(t); v.stands(t) {
				if k := now.find(l.ID); k >= 0 {
					v.layer(&y, now, &now.layers[k], t)
				}
			}
			return y
		}
		x.Rows = append(x.Rows, StripRow{Kind: RowLayer, ID: s.Layers[n].ID, Spare: l.Spare, Bars: x.bars(v, lo, hi, alone, false)})
	}
	if row := (StripRow{Kind: RowOverride}); len(v.overrides) > 0 {
		for _, o := range v.overrides {
			if row.Bars = append(row.Bars, x.override(o)); len(row.Bars) == maxBars {
				x.Cut = true
				break
			}
		}
		x.Rows = append(x.Rows, row)
	}
	x.Rows = append(x.Rows, StripRow{Kind: RowFinal, Bars: x.bars(v, lo, hi, v.at, true)})
	return x, nil
}

// place returns where an instant is.
func (x *Strip) place(t time.Time) float64 {
	if x.Until.Equal(x.From) {
		return 0
	}
	return float64(t.Sub(x.From)) / float64(x.Until.Sub(x.From))
}

func (x *Strip) bar(y Shift) StripBar {
	at := x.place(y.Since)
	return StripBar{X: at, W: x.place(y.Until) - at, Shift: y}
}

// override draws one that was asked for, whether it counts or not.
func (x *Strip) override(o *Override) StripBar {
	return x.bar(Shift{Schedule: o.Schedule, Person: o.Person, By: ByOverride, ID: strconv.FormatInt(o.ID, 10), Instead: o.Instead, Turn: o.From,
		Since: later(o.From, x.From), Until: earlier(o.Until, x.Until)})
}

func (x *Strip) bars(v *view, lo, hi time.Time, at func(time.Time) Shift, gaps bool) (list []StripBar) {
	v.walk(lo, hi, at, func(y Shift) bool {
		if y.Person == "" && !gaps {
			return true
		}
		if len(list) == maxBars {
			x.Cut = true
			return false
		}
		list = append(list, x.bar(y))
		return true
	})
	return list
}

func (x *Strip) days(v *view) {
	for d := dayOf(x.From, x.Zone); ; d++ {
		from, until := later(wall(x.Zone, d, 0), x.From), earlier(wall(x.Zone, d+1, 0), x.Until)
		if !from.Before(x.Until) {
			return
		}
		if !from.Before(until) { // a day that was left out
			continue
		}
		at, w := x.place(from), d.weekday()
		y := StripDay{Date: from, X: at, W: x.place(until) - at, Weekend: w == time.Saturday || w == time.Sunday}
		noon := wall(x.Zone, d, 12*60)
		now := v.s.version(noon)
		for n := range now.holidays {
			if _, _, ok := now.holidays[n].span(now.zone, noon); ok {
				y.Holiday = now.holidays[n].id
			}
		}
		x.Days = append(x.Days, y)
	}
}
