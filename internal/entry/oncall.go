package entry

import "time"

// Schedule says who is on call when, as from now on: what was so before stays as it was. Dates are days such as "2026-11-30" and times of
// day are "09:00", both by the clocks of Zone; package rota says what they mean when clocks change.
type Schedule struct {
	ID       string            `json:"id"`
	Vault    string            `json:"vault,omitempty"` // its name and what it is for, and the names of its holidays
	Zone     string            `json:"zone"`            // of IANA: Europe/Berlin
	Layers   []ScheduleLayer   `json:"layers"`          // later ones win over earlier ones
	Holidays []ScheduleHoliday `json:"holidays,omitempty"`
}

// ScheduleLayer is people who take turns.
type ScheduleLayer struct {
	ID       string          `json:"id"`                // unique in its schedule
	People   []string        `json:"people"`            // in order; who stands in it twice has two turns
	Rotation string          `json:"rotation"`          // daily, weekly, days
	Days     int             `json:"days,omitempty"`    // of rotation days: how many local days a turn has
	Weekday  string          `json:"weekday,omitempty"` // of rotation weekly: mon, tue, wed, thu, fri, sat, sun
	At       string          `json:"at"`                // when a turn is handed over
	Start    string          `json:"start"`             // the day of the first turn; weekly: the first such weekday from it on
	Hours    []ScheduleHours `json:"hours,omitempty"`   // none is always
	Absent   string          `json:"absent,omitempty"`  // when whose turn it is is away: "" the next in order takes it, gap leaves nobody on call
	Spare    bool            `json:"spare,omitempty"`   // it counts only where a holiday names it
}

// ScheduleHours is a part of the week.
type ScheduleHours struct {
	Days  []string `json:"days"`  // on which it begins: mon, tue, ...
	From  string   `json:"from"`  // 00:00 to 23:59
	Until string   `json:"until"` // up to 24:00; not after From means on the next day
}

// ScheduleHoliday is days on which another layer counts before all others, or one person is on call.
type ScheduleHoliday struct {
	ID     string `json:"id"`               // unique in its schedule, such as christmas
	From   string `json:"from"`             // its first day
	Until  string `json:"until"`            // its last day
	At     string `json:"at,omitempty"`     // when it begins on the first day, and ends on the day after the last; "" is 00:00
	Yearly bool   `json:"yearly,omitempty"` // every year on these days, before and after
	Layer  string `json:"layer,omitempty"`  // one of Layer and Person
	Person string `json:"person,omitempty"`
}

// ScheduleEnd says that nobody is on call by a schedule any more.
type ScheduleEnd struct {
	ID string `json:"id"`
}

// Override puts a person on call for a time, whatever the rotation says. What of the time is over when it is written does not count.
type Override struct {
	ID       int64     `json:"id"`
	Schedule string    `json:"schedule"`
	Person   string    `json:"person"`
	From     time.Time `json:"from"`
	Until    time.Time `json:"until"`
	Instead  string    `json:"instead,omitempty"` // only where this person would be on call; "" is whoever is, or nobody
	Swap     bool      `json:"swap,omitempty"`    // and this person where that one would be
	Text     string    `json:"text,omitempty"`    // vault object: who asked for it, and why
}

// OverrideEnd ends an override before its time, or before it began.
type OverrideEnd struct {
	ID int64 `json:"id"`
}

// Absence says that a person cannot be on call for a time.
type Absence struct {
	ID     int64     `json:"id"`
	Person string    `json:"person"`
	From   time.Time `json:"from"`
	Until  time.Time `json:"until"`
	Text   string    `json:"text,omitempty"` // vault object
}

// AbsenceEnd says that the person is back before the time, or does not go.
type AbsenceEnd struct {
	ID int64 `json:"id"`
}

// Calendar says that every link to a calendar is worthless that a person was given before.
type Calendar struct {
	Person string `json:"person"`
}
