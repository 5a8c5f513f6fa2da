package ui

import "strconv"

// OnCall says who is on call now, and what the next weeks lack. GET /oncall; posts to /oncall, /absences, /calendar/renew.
var OnCall = page[OnCallView]("oncall")

// OnCallView is what OnCall shows.
type OnCallView struct {
	Frame
	May       bool // the reader keeps schedules
	Now       []Duty
	Faults    []Problem // gaps and warnings, first what hurts first
	Week      Link      // this week; zero while it is shown
	Prev      string
	Next      string
	Says      string // "23 to 29 November 2026"
	Rotas     []RotaRow
	Absences  []CoverRow
	Away      CoverForm // zero Action: the reader may not
	Calendars []Calendar
	Renew     string // "/calendar/renew"; "" when the reader has no calendar
	Add       RotaForm
}

// A Duty is one schedule now.
type Duty struct {
	ID    string
	Name  string
	Href  string
	Who   string // "" in a gap
	Until Time
	Why   string // beside the name, when it is not simply their turn
	Next  string // "" is nobody in sight
	After string // who comes then: "Boris Lang", "nobody"
	Gap   bool   // what comes then is a gap
}

// A RotaRow is one schedule with its week and its month.
type RotaRow struct {
	ID, Name, Says string
	Href           string
	Strip          RotaStrip
	Month          string
	Loads          []LoadRow
}

// A LoadRow is what somebody carries in a month, in hours.
type LoadRow struct {
	Who                          string
	Gap                          bool
	All, Night, Weekend, Holiday string
	Shifts                       string
	Part                         Bar // of whoever carries most
}

// A RotaStrip is a drawing of a schedule's week.
type RotaStrip struct {
	ID    string
	Title string
	Zone  string
	Days  []StripDay
	Rows  []StripRow
	Now   Coordinate // x of the present instant, "" when it is not on the strip
	High  Coordinate // of the view box
	Table []ShiftRow
}

// A Coordinate is a number of a drawing as text, made by NewStrip.
type Coordinate string

// A StripDay is a day of the strip.
type StripDay struct {
	Word  string
	Place Bar
	Off   bool // a day of the weekend, or a holiday
}

// A StripRow is a layer, the overrides, or what comes of all.
type StripRow struct {
	Word  string
	Final bool
	Y     Coordinate // of its name
	Bars  []StripBar
}

// A StripBar is a shift on the strip.
type StripBar struct {
	Says  string // "Anna Keller, Mon 23 Nov 09:00 to Tue 24 Nov 09:00"
	Word  string // that fits into it; may be empty
	Place Bar
	X     Coordinate // of the word
	Y     Coordinate
	Hue   string // "0" to "7", which person; "gap"
}

// A ShiftRow is a shift as a row of the table beside the picture.
type ShiftRow struct {
	Who         string
	Gap         bool
	From, Until Time
	Why         string
}

// A Calendar is a link for calendar programs.
type Calendar struct{ Name, Link string }

// A CoverRow is an override or an absence that is not over.
type CoverRow struct {
	ID          string
	Says        string
	From, Until Time
	Why         string
	By          string
	End         string // "" when the reader may not
}

// A CoverForm asks for an override, a swap or an absence.
type CoverForm struct {
	Action      string
	Open        bool
	People      []Option
	Instead     []Option
	Swap        bool
	From, Until string // local to Zone: 2006-01-02T15:04
	Zone        string
	Why         string
	Hint        string
}

// CoverFields is a form with its mistakes.
type CoverFields struct {
	CoverForm
	Errors Errors
}

// AwayFields returns the form of an absence with its mistakes.
func (v OnCallView) AwayFields() CoverFields { return CoverFields{v.Away, v.Errors} }

// AddFields returns the form of a new schedule with its mistakes.
func (v OnCallView) AddFields() RotaFields { return RotaFields{v.Add, v.Errors} }

// Rota is one schedule. GET /oncall/{id}; posts to /oncall/{id}, /oncall/{id}/end, /oncall/{id}/override and /overrides/{id}/end.
var Rota = page[RotaView]("rota")

// RotaView is what Rota shows.
type RotaView struct {
	Frame
	May       bool
	ID        string
	Name, For string
	Ended     Time
	Duty      Duty
	Faults    []Problem
	Prev      string
	Next      string
	Says      string
	Row       RotaRow
	Preview   *RotaPreview // of what was typed and is not put yet
	Overrides []CoverRow
	Cover     CoverForm
	Form      RotaForm
	Changes   []ChangeRow
	Calendar  string // the file for who is signed in
	Link      Calendar
	End       string
	Handovers []ShiftRow
}

// A RotaPreview is what a schedule would mean.
type RotaPreview struct {
	Strip  RotaStrip
	Faults []Problem
	New    bool
}

// CoverFields returns the form of an override with its mistakes.
func (v RotaView) CoverFields() CoverFields { return CoverFields{v.Cover, v.Errors} }

// FormFields returns the form of the schedule with its mistakes.
func (v RotaView) FormFields() RotaFields { return RotaFields{v.Form, v.Errors} }

// A ChangeRow is one change of a schedule.
type ChangeRow struct {
	At   Time
	By   string
	Says string
	Why  string
	N    string // of the entry
}

// A RotaForm is what stands in the form of a schedule. It is never less than one layer, and ends with an empty one.
type RotaForm struct {
	Action    string
	Open      bool
	Fresh     bool // the id is asked for
	ID        string
	Name, For string
	Why       string
	Zone      string
	Layers    []LayerForm
	Holidays  string // one a line
	People    string // "anna (Anna Keller), boris (Boris Lang)"
	Ready     bool   // it was previewed: the button puts it
}

// RotaFields is a form with its mistakes.
type RotaFields struct {
	RotaForm
	Errors Errors
}

// A LayerForm is one layer.
type LayerForm struct {
	N         int
	Word      string
	ID        string
	People    string
	Rotations []Option
	Days      string
	Weekdays  []Option
	At        string
	Start     string
	Hours     string
	Absent    []Option
	Spare     bool
}

// The strip's view box: words stand left of the bars, and are not stretched, because the whole drawing keeps its form.
const (
	stripWidth = 960.0
	stripLeft  = 120.0
	stripTop   = 26.0
	stripRow   = 30.0
)

// A StripPart is a stretch of a strip, placed from 0 to 1.
type StripPart struct {
	X, W      float64
	Says      string
	Word      string
	Hue       int // below 0 is a gap
	Off       bool
	Unlabeled bool
}

// A StripLine is a row of a strip that is to be drawn.
type StripLine struct {
	Word  string
	Final bool
	Parts []StripPart
}

// NewStrip draws days and rows. now is where the present is, below 0 when it is not on it.
func NewStrip(id, title, zone string, now float64, days []StripPart, lines []StripLine) RotaStrip {
	s := RotaStrip{ID: id, Title: title, Zone: zone}
	at := func(x float64) float64 { return stripLeft + x*(stripWidth-stripLeft) }
	num := func(x float64) Coordinate { return Coordinate(strconv.FormatFloat(x, 'f', 1, 64)) }
	high := stripTop + float64(len(lines))*stripRow + 4
	s.High = num(high)
	for _, d := range days {
		s.Days = append(s.Days, StripDay{Word: d.Word, Off: d.Off, Place: bar(at(d.X), 0, at(d.X+d.W)-at(d.X), high, "")})
	}
	for n, l := range lines {
		y := stripTop + float64(n)*stripRow
		row := StripRow{Word: cut(l.Word, 15), Final: l.Final, Y: num(y + 18)}
		for _, p := range l.Parts {
			w := max(at(p.X+p.W)-at(p.X)-1, 1)
			b := StripBar{Says: p.Says, Place: bar(at(p.X), y, w, stripRow-4, ""), X: num(at(p.X) + 5), Y: num(y + 18), Hue: "gap"}
			if p.Hue >= 0 {
				b.Hue = strconv.Itoa(p.Hue % stripHues)
			}
			if room := int(w-8) / 8; room >= 2 { // a letter is 8 wide at most, nearly always
				b.Word = cut(p.Word, room)
			}
			row.Bars = append(row.Bars, b)
		}
		s.Rows = append(s.Rows, row)
	}
	if now >= 0 {
		s.Now = num(at(now))
	}
	return s
}

// stripHues is how many colours tell people apart; the names stand there too.
const stripHues = 8

// cut shortens a word to so many characters.
func cut(s string, most int) string {
	r := []rune(s)
	if len(r) <= most {
		return s
	}
	return string(r[:most-1]) + "…"
}

// LoadPart is how much of the longest bar a load is, in a drawing 100 wide.
func LoadPart(part float64) Bar { return bar(0, 0, part*100, 8, "") }
