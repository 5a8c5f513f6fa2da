package ui

import (
	"fmt"
	"time"
)

// A Time is a moment as a reader needs it: in the reader's zone, with UTC beside, and how long ago.
// The zero Time is shown as a dash.
type Time struct {
	UTC    string // RFC 3339, for <time datetime>
	Local  string // "03:12:05" today, "9 Nov 03:12:05" this year, else with the year
	Zone   string // "CET"; "" when the reader's zone is UTC
	Beside string // the same moment in UTC, "02:12:05Z" (ISO 8601), with the day when it is another one
	Ago    string // "4 min ago", "in 2 h"
}

// At words t for a reader in zone at now.
func At(t, now time.Time, zone *time.Location) Time {
	if t.IsZero() {
		return Time{}
	}
	local, utc, today := t.In(zone), t.UTC(), now.In(zone)
	v := Time{UTC: utc.Format(time.RFC3339), Ago: ago(t, now)}
	layout := time.TimeOnly
	switch {
	case local.Year() != today.Year():
		layout = "2 Jan 2006 15:04:05"
	case local.YearDay() != today.YearDay():
		layout = "2 Jan 15:04:05"
	}
	v.Local = local.Format(layout)
	name, offset := local.Zone()
	if offset == 0 {
		v.Local += " UTC"
		return v
	}
	v.Zone = name
	if local.Day() == utc.Day() {
		layout = time.TimeOnly
	} else {
		layout = "2 Jan 15:04:05"
	}
	v.Beside = utc.Format(layout) + "Z"
	return v
}

// ago words the distance of t from now, in one unit.
func ago(t, now time.Time) string {
	d := now.Sub(t)
	if d < 0 {
		return "in " + Span(-d)
	}
	if d < 2*time.Second {
		return "just now"
	}
	return Span(d) + " ago"
}

// Span words a length of time in one unit, rounded down: "45 s", "4 min", "3 h", "12 days".
func Span(d time.Duration) string {
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%d s", d/time.Second)
	case d < time.Hour:
		return fmt.Sprintf("%d min", d/time.Minute)
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h", d/time.Hour)
	}
	return fmt.Sprintf("%d days", d/(24*time.Hour))
}
