package query_test

import (
	"testing"
	"time"

	"tocsin/internal/query"
)

// Given times around a change to winter time (2026-10-25 in Berlin), when they are put into buckets, then days begin at local midnight.
func TestBucket(t *testing.T) {
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Skip("this machine has no time zones")
	}
	for _, c := range []struct {
		at    string
		every time.Duration
		want  string
	}{
		{"2026-11-20T15:34:56+01:00", time.Minute, "2026-11-20T15:34:00+01:00"},
		{"2026-11-20T15:34:56+01:00", 6 * time.Hour, "2026-11-20T12:00:00+01:00"},
		{"2026-11-20T00:10:00+01:00", 24 * time.Hour, "2026-11-20T00:00:00+01:00"},
		{"2026-11-20T00:10:00+01:00", 7 * 24 * time.Hour, "2026-11-16T00:00:00+01:00"}, // a Monday
		{"2026-11-15T23:59:59+01:00", 7 * 24 * time.Hour, "2026-11-09T00:00:00+01:00"},
		{"2026-11-20T00:10:00+01:00", 2 * 24 * time.Hour, "2026-11-19T00:00:00+01:00"}, // the 20th is day 20,777 since 1970
		{"2026-10-25T23:30:00+01:00", 24 * time.Hour, "2026-10-25T00:00:00+02:00"},
		{"2026-10-25T02:30:00+02:00", time.Hour, "2026-10-25T02:00:00+02:00"},
		{"2026-10-25T02:30:00+01:00", time.Hour, "2026-10-25T02:00:00+01:00"},
		{"2026-10-25T23:30:00+01:00", 12 * time.Hour, "2026-10-25T23:00:00+01:00"}, // the hour that the day has more
		{"2026-03-29T23:30:00+02:00", 12 * time.Hour, "2026-03-29T13:00:00+02:00"},
		{"1969-12-31T10:00:00+01:00", 7 * 24 * time.Hour, "1969-12-29T00:00:00+01:00"},
	} {
		at, err := time.Parse(time.RFC3339, c.at)
		if err != nil {
			t.Fatal(err)
		}
		if got := query.Bucket(at, c.every, zone).Format(time.RFC3339); got != c.want {
			t.Errorf("%s in buckets of %s begins at %s, want %s", c.at, c.every, got, c.want)
		}
	}
}

// Given a year of hours, when a timeline counts them by any interval in a zone with daylight saving, then bars follow each other without a gap and every
// line is in its own.
func TestBarsHaveNoGaps(t *testing.T) {
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Skip("this machine has no time zones")
	}
	for _, every := range []string{"", " 3h", " 12h", " 1d", " 7d", " 30d"} {
		q, err := query.Parse("| timeline"+every, now, zone)
		if err != nil {
			t.Fatal(err)
		}
		f := query.NewFold(q)
		for h := range 365 * 24 {
			f.AddCounts(nil, now.Add(-time.Duration(h)*time.Hour), 1)
		}
		r, sum := f.Result(), int64(0)
		for i, b := range r.Bars {
			if sum += b.Count; i > 0 && !b.Start.Equal(r.Bars[i-1].End) || b.Count > int64(b.End.Sub(b.Start)/time.Hour) {
				t.Errorf("timeline%s: bar %s to %s with %d", every, b.Start, b.End, b.Count)
			}
		}
		if sum != 365*24 {
			t.Errorf("timeline%s: %d lines in bars", every, sum)
		}
	}
}
