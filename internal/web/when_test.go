package web

import (
	"testing"
	"time"
)

// Given moments and zones, then a sentence has the reader's time with UTC beside, and a form a time that is read back as the same moment, also in the hour that comes twice.
func TestTimesInSentencesAndForms(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	at := func(s string) time.Time {
		x, err := time.Parse(time.RFC3339, s)
		if err != nil {
			t.Fatal(err)
		}
		return x
	}
	for _, x := range []struct {
		zone               *time.Location
		at, sentence, form string
	}{
		{time.UTC, "2026-11-29T14:32:05Z", "29 Nov 2026, 14:32 UTC", "2026-11-29 14:32:05"},
		{berlin, "2026-11-29T14:32:05Z", "29 Nov 2026, 15:32 CET (14:32 UTC)", "2026-11-29 15:32:05"},
		{berlin, "2026-07-01T22:32:00Z", "2 Jul 2026, 00:32 CEST (1 Jul 22:32 UTC)", "2026-07-02 00:32:00"},
		{berlin, "2026-10-25T00:30:00Z", "25 Oct 2026, 02:30 CEST (00:30 UTC)", ""}, // which of the two a library reads it as, it does not say
		{berlin, "2026-10-25T01:30:00Z", "25 Oct 2026, 02:30 CET (01:30 UTC)", ""},
	} {
		v := &visit{zone: x.zone, now: at(x.at).Add(time.Hour)}
		if got := v.both(at(x.at)); got != x.sentence {
			t.Errorf("%s in %s is %q, want %q", x.at, x.zone, got, x.sentence)
		}
		form := v.typed(at(x.at), "2006-01-02 15:04:05")
		if x.form != "" && form != x.form {
			t.Errorf("%s in %s is typed %q, want %q", x.at, x.zone, form, x.form)
		}
		if again, err := v.when("x", form, false); err != nil || !again.Equal(at(x.at)) {
			t.Errorf("%q in %s is read back as %v, %v", form, x.zone, again, err)
		}
	}
}
