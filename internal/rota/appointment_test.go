package rota

import (
	"strings"
	"testing"
	"time"
)

// Given a meeting with hostile words, when it is written as iCalendar, then no word becomes a property, no line is longer than 75 bytes, and the same meeting moved has the same name.
func TestAppointment(t *testing.T) {
	at := time.Date(2026, 12, 1, 15, 0, 0, 0, time.FixedZone("CET", 3600))
	e := Appointment{Origin: "tocsin.shop", Key: "review 4", Sequence: 7, Stamp: at, At: at, Until: at.Add(time.Hour), Summary: "Review; of 4\r\nATTENDEE:x", Words: strings.Repeat("ö, ", 100), URL: "https://tocsin.example/incidents/4/review"}
	got := string(e.Calendar())
	for _, want := range []string{"METHOD:PUBLISH\r\n", "DTSTART:20261201T140000Z\r\n", "DTEND:20261201T150000Z\r\n", `SUMMARY:Review\; of 4\nATTENDEE:x` + "\r\n", "SEQUENCE:7\r\n", "URL:https://tocsin.example/incidents/4/review\r\n"} {
		if !strings.Contains(got, want) {
			t.Errorf("it lacks %q:\n%s", want, got)
		}
	}
	for l := range strings.SplitSeq(strings.TrimSuffix(got, "\r\n"), "\r\n") {
		if len(l) > 75 || strings.HasPrefix(l, "ATTENDEE") {
			t.Errorf("the line %q", l)
		}
	}
	uid := func(s string) string {
		_, rest, _ := strings.Cut(s, "UID:")
		id, _, _ := strings.Cut(rest, "\r\n")
		return id
	}
	e.At, e.Until = at.Add(24*time.Hour), at.Add(25*time.Hour)
	if moved := string(e.Calendar()); uid(moved) != uid(got) || uid(got) == "" {
		t.Errorf("a meeting that was moved is another: %q, %q", uid(moved), uid(got))
	}
	e.Key = "review 5"
	if other := string(e.Calendar()); uid(other) == uid(got) {
		t.Error("two meetings have one name")
	}
}
