package ui

import "strconv"

// Habits lists accounts of which is known what is normal. GET /habits
var Habits = page[HabitsView]("habits")

// HabitsView is what Habits shows.
type HabitsView struct {
	Frame
	Summary  string // "214 accounts, 180 of them known well enough to call something new"
	Query    string
	Realms   []Option
	Filtered bool
	Rows     []HabitRow
	Pager    Pager
}

// A HabitRow is an account in short.
type HabitRow struct {
	ID      string
	Href    string
	Account Text
	Realm   string
	State   State  // "known", "learning"
	Signins string // how many were learnt
	Days    string // on how many days
	Places  string // "Germany 41, Austria 2"
	Last    Time
}

// Habit shows what is normal for one account. GET /habits/{id}; posts to /habits/{id}/forget.
var Habit = page[HabitView]("habit")

// HabitView is what Habit shows.
type HabitView struct {
	Frame
	Row       HabitRow
	Says      string // in a sentence
	Began     Time
	Countries []HabitKnown
	Networks  []HabitKnown
	Devices   []HabitKnown
	Waiting   []Text // networks of odd sign-ins that are not learnt yet
	Volumes   []HabitVolume
	Hours     HourChart
	Action    string // "/habits/1f.../forget"; "" when the reader may not
	Reason    string // as typed, when the form comes back
}

// A HabitKnown is a country, network or device of an account.
type HabitKnown struct {
	Name  Text
	Count string
	Says  string // "3 in the last 30 days"
	Last  string // a day
}

// A HabitVolume is how much an account usually moves.
type HabitVolume struct {
	What   string // "Downloads in a day"
	Past   string // "28 days"
	Median string // "2.1 MB, 3 files"
	Far    string // "31 MB or 100 files"
	Latest string
}

// An HourChart is a histogram of the hours of the day.
type HourChart struct {
	Desc string // what a screen reader says
	Zone string // in which the hours are
	Bars []HourBar
}

// An HourBar is one hour.
type HourBar struct {
	Bar
	Hour  string // "09:00"
	Count string
}

// The histogram's view box.
const (
	hoursWidth = 960.0
	hoursTop   = 4.0
	hoursFloor = 104.0
)

// NewHourChart draws how often something happened in each hour.
func NewHourChart(hours [24]float64, zone string) HourChart {
	c := HourChart{Zone: zone}
	most, at := 0.0, 0
	for i, n := range hours {
		if n > most {
			most, at = n, i
		}
	}
	if most <= 0 {
		return c
	}
	c.Desc = "Most sign-ins were at " + hourWord(at) + ". The table below has every hour."
	step := hoursWidth / 24
	for i, n := range hours {
		h := 0.0
		if n > 0 {
			h = max(2, n/most*(hoursFloor-hoursTop))
		}
		c.Bars = append(c.Bars, HourBar{bar(float64(i)*step+1, hoursFloor-h, step-2, h, ""), hourWord(i), strconv.FormatFloat(n, 'f', 1, 64)})
	}
	return c
}

func hourWord(h int) string {
	s := strconv.Itoa(h) + ":00"
	if h < 10 {
		s = "0" + s
	}
	return s
}
