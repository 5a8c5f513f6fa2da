// Package rota decides who is on call: schedules of people who take turns.
//
// A schedule is layers, one above the other. Each layer is people in an order; a turn lasts a day, a week or so many days, begins at
// a time of day, and may be confined to hours of the week. At each instant the answer is found from above:
//
//	overrides   in the order in which they were asked for, each seeing what the one before made
//	holidays    a layer that a holiday names, or its one person, before all other layers
//	layers      the last one first; the first that has somebody decides
//	nobody      a gap: it is shown, and counted, and whoever rings must go on to somebody else
//
// Who is away, or has left the team, is passed over: in a layer the next in order stands in (or nobody, when the layer wants
// the gap to be seen), an override or a holiday for them does not count, and what lies beneath does. Each answer says who was passed over and why.
//
// What was so stays so: a change counts from the entry that made it, never earlier, so that what this package says of the past is what
// it said then. A schedule has a version per entry schedule.put, an override does not reach back, and an absence does not either.
//
// The clock is the one on the wall of the schedule's zone; clock.go says what that means when clocks change. A turn is so many days of the
// calendar, not so many times 24 hours. All instants that this package returns are UTC, exact, and half open: since is in, until is not.
//
// A Book is the state, folded from entries; it asks for zones by a func, because their data is a file. Of what it holds nothing may be changed by callers.
package rota

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"tocsin/internal/entry"
)

// Limits. They bound what a question costs: one of OnCall is well under a millisecond with all of them reached but the longest turn.
const (
	maxSchedules = 200
	maxLayers    = 16
	maxPeople    = 100 // in a layer
	maxHours     = 21  // parts of the week, in a layer
	maxHolidays  = 200
	maxTurn      = 366 // days
	maxOverride  = 366 * 24 * time.Hour
	maxAbsence   = 3 * 366 * 24 * time.Hour
	maxAhead     = 3 * 366 * 24 * time.Hour // from now to the beginning of an override or absence
	maxStanding  = 500                      // overrides that are not over, of a schedule; absences that are not over, of a person
)

// MaxRange is how long a time can be asked for at once.
const MaxRange = 10 * 366 * 24 * time.Hour

// horizon is how far around an instant OnCall looks for where its shift begins and ends: beyond any turn, override and holiday.
const horizon = 400 * 24 * time.Hour

// What put somebody on call, or would have.
const (
	ByLayer    = "layer"
	ByOverride = "override"
	ByHoliday  = "holiday" // its one person; a layer that a holiday names is ByLayer
)

// Why somebody was passed over.
const (
	Absent = "absent"
	Left   = "left"
)

// ErrUnknown says that no schedule has an id.
var ErrUnknown = errors.New("there is no such schedule")

// A Shift is a time in which the same person is on call for the same reason, or nobody is.
type Shift struct {
	Schedule string
	Person   string    // "" is nobody: a gap
	By       string    // ByLayer, ByOverride, ByHoliday; "" in a gap
	ID       string    // of the layer or holiday, or the number of the override
	Holiday  string    // the holiday that named the layer; "" is none
	Turn     time.Time // when the person's turn, override or holiday begins, which may be before Since
	Instead  string    // of an override instead of somebody, or of a swap: who would be on call without it
	Passed   []Passed  // who would have been on call before this person, and could not
	Since    time.Time // zero in a gap that began more than a year before
	Until    time.Time // zero in a gap that does not end within a year
}

// Passed is somebody who would be on call and cannot.
type Passed struct {
	Person string
	Why    string // Absent, Left
	By     string // as in Shift
	ID     string
}

// same reports whether two instants are in one shift.
func (s *Shift) same(o *Shift) bool {
	return s.Person == o.Person && s.By == o.By && s.ID == o.ID && s.Holiday == o.Holiday && s.Turn.Equal(o.Turn) && s.Instead == o.Instead && slices.Equal(s.Passed, o.Passed)
}

// Why says in a sentence why this person is on call. It names people by their ids.
func (s *Shift) Why() string {
	var b strings.Builder
	switch s.By {
	case ByLayer:
		fmt.Fprintf(&b, "turn in layer %s", s.ID)
		if s.Holiday != "" {
			fmt.Fprintf(&b, ", because of holiday %s", s.Holiday)
		}
	case ByOverride:
		fmt.Fprintf(&b, "override %s", s.ID)
		if s.Instead != "" {
			fmt.Fprintf(&b, ", instead of %s", s.Instead)
		}
	case ByHoliday:
		fmt.Fprintf(&b, "holiday %s", s.ID)
	default:
		b.WriteString("nobody is on call")
	}
	for _, p := range s.Passed {
		fmt.Fprintf(&b, "; %s (%s %s) %s", p.Person, p.By, p.ID, map[string]string{Absent: "is absent", Left: "has left the team"}[p.Why])
	}
	return b.String()
}

// A Schedule is one, with all that it ever was.
type Schedule struct {
	entry.Schedule           // the newest version
	Made           time.Time // when it was made; nothing is said of before
	Ended          time.Time // zero while it stands
	ZoneLost       bool      // this machine does not know the zone, so that all is reckoned in UTC: to be shown
	versions       []version
	overrides      []*Override // in order
}

// A version is a schedule from one entry to the next.
type version struct {
	since    time.Time
	zone     *time.Location
	layers   []layer
	holidays []holiday
	daily    bool // it has hours or holidays
}

// An Override is one, and what became of it.
type Override struct {
	entry.Override           // From is not before it was asked for, Until not after it was ended
	By             string    // who entered it, as entries name actors
	At             time.Time // when
	Ended          bool      // before its time
}

// An Absence is one, and what became of it.
type Absence struct {
	entry.Absence // From is not before it was told, Until not after its end
	By            string
	At            time.Time
	Ended         bool
}

// away is a time in which a person cannot be on call.
type away struct {
	from, until time.Time // until zero: for good
	why         string
}

// covers reports whether t is in it.
func (a away) covers(t time.Time) bool {
	return !t.Before(a.from) && (a.until.IsZero() || t.Before(a.until))
}

// A Book is every schedule, override and absence. NewBook makes one.
type Book struct {
	zone      func(name string) (*time.Location, error)
	schedules map[string]*Schedule
	overrides []*Override // by id, from 1
	absences  []*Absence  // by id, from 1
	people    map[string]bool
	left      map[string][]away
	n         int64
	changed   time.Time
}

// NewBook makes an empty book. zone finds a time zone by its IANA name, as time.LoadLocation does.
func NewBook(zone func(name string) (*time.Location, error)) *Book {
	return &Book{zone: zone, schedules: map[string]*Schedule{}, people: map[string]bool{}, left: map[string][]away{}}
}

// Changed returns the number and time of the last entry that changed anything here: what a calendar gives as SEQUENCE and DTSTAMP.
func (b *Book) Changed() (n int64, at time.Time) { return b.n, b.changed }

// Schedules returns the schedules that stand, by id.
func (b *Book) Schedules() (list []*Schedule) {
	for _, id := range slices.Sorted(maps.Keys(b.schedules)) {
		if s := b.schedules[id]; s.Ended.IsZero() {
			list = append(list, s)
		}
	}
	return list
}

// Get returns a schedule, whether it stands or has ended.
func (b *Book) Get(id string) (*Schedule, error) {
	s, ok := b.schedules[id]
	if !ok {
		return nil, fmt.Errorf("%w: %.40q", ErrUnknown, id)
	}
	return s, nil
}

// Zone returns the zone of the newest version.
func (s *Schedule) Zone() *time.Location { return s.versions[len(s.versions)-1].zone }

// Overrides returns those of the schedule that are not over at t, in their order.
func (s *Schedule) Overrides(t time.Time) (list []*Override) {
	for _, o := range s.overrides {
		if t.Before(o.Until) && o.From.Before(o.Until) {
			list = append(list, o)
		}
	}
	return list
}

// FindOverride returns one by its number.
func (b *Book) FindOverride(id int64) (*Override, error) {
	if id < 1 || id > int64(len(b.overrides)) {
		return nil, fmt.Errorf("there is no override %d", id)
	}
	return b.overrides[id-1], nil
}

// Absences returns those that are not over at t, in their order; of one person, or of everybody ("").
func (b *Book) Absences(person string, t time.Time) (list []*Absence) {
	for _, a := range b.absences {
		if t.Before(a.Until) && a.From.Before(a.Until) && (person == "" || a.Person == person) {
			list = append(list, a)
		}
	}
	return list
}

var nameForm = regexp.MustCompile(`^[a-z][a-z0-9._-]{0,31}$`)

// checkName says in words why s cannot be an id, or returns nil.
func checkName(what, s string) error {
	if !nameForm.MatchString(s) {
		return fmt.Errorf("%s is a small letter, then up to 31 of a-z 0-9 . _ -; got %.40q", what, s)
	}
	return nil
}
