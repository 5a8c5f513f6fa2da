package web

import (
	"reflect"
	"testing"
	"time"

	"tocsin/internal/desk"
	"tocsin/internal/entry"
)

// Given what people type into a field for a time, when it is read, then it is that moment in their zone.
func TestTimesAsPeopleTypeThem(t *testing.T) {
	zone := time.FixedZone("CET", 3600)
	v := &visit{now: time.Date(2026, 11, 27, 3, 14, 20, 0, zone), zone: zone}
	at := func(day, hour, minute int) time.Time { return time.Date(2026, 11, day, hour, minute, 0, 0, zone) }
	for _, c := range []struct {
		typed string
		ahead bool
		want  time.Time // zero: it is none
	}{
		{"now", false, v.now},
		{"10 min ago", false, v.now.Add(-10 * time.Minute)},
		{"2h ago", false, v.now.Add(-2 * time.Hour)},
		{"3 days ago", false, v.now.Add(-72 * time.Hour)},
		{"in 2 h", true, v.now.Add(2 * time.Hour)},
		{"02:50", false, at(27, 2, 50)},
		{"22:10", false, at(26, 22, 10)}, // of yesterday: it is not to come
		{"22:10", true, at(27, 22, 10)},
		{"02:50", true, at(28, 2, 50)},
		{"2026-11-20 14:32", false, at(20, 14, 32)},
		{"2026-11-20T14:32", false, at(20, 14, 32)},
		{"2026-11-20 13:32Z", false, at(20, 14, 32)},
		{"2026-11-20 13:32 UTC", false, at(20, 14, 32)},
		{"yesterday", false, time.Time{}},
		{"25:00", false, time.Time{}},
		{"10 fortnights ago", false, time.Time{}},
		{"-5 min ago", false, time.Time{}},
	} {
		got, err := v.when("happened", c.typed, c.ahead)
		if c.want.IsZero() != (err != nil) || err == nil && !got.Equal(c.want) {
			t.Errorf("%q: %v, %v; want %v", c.typed, got, err, c.want)
		}
	}
	if got, err := v.when("due", " ", true); err != nil || !got.IsZero() {
		t.Errorf("nothing: %v, %v", got, err)
	}
}

// FuzzWhen holds the law that a time which is read, and printed as forms print it, is read as the same minute.
func FuzzWhen(f *testing.F) {
	for _, s := range []string{"now", "14:32", "10 min ago", "in 2 h", "2026-11-27 14:32", "2026-11-27T14:32Z", "9999999999 h ago", "24:00", "٣ h ago"} {
		f.Add(s, true)
	}
	f.Fuzz(func(t *testing.T, s string, ahead bool) {
		v := &visit{now: time.Date(2026, 11, 27, 3, 14, 20, 0, time.UTC), zone: time.FixedZone("", 5*3600+1800)}
		at, err := v.when("x", s, ahead)
		if err != nil || at.IsZero() || at.Year() < 1000 || at.Year() > 9000 {
			return
		}
		again, err := v.when("x", at.In(v.zone).Format(typedLayout), ahead)
		if err != nil || !again.Equal(at.Truncate(time.Minute)) {
			t.Errorf("%q is %v, and printed it reads as %v (%v)", s, at, again, err)
		}
	})
}

// Given a reason as people type it, when it is read, then brackets at its end that name something are links.
func TestReasonsAsPeopleTypeThem(t *testing.T) {
	for _, c := range []struct {
		typed string
		want  desk.ReasonText
	}{
		{"Old version", desk.ReasonText{Text: "Old version"}},
		{"Old version [cve-2026-31337] [commit 1a2b3c4d]", desk.ReasonText{Text: "Old version", Links: []entry.Link{{Kind: "cve", Ref: "CVE-2026-31337"}, {Kind: "commit", Ref: "1a2b3c4d"}}}},
		{"It came by mail [lines 812][Attachment 3]", desk.ReasonText{Text: "It came by mail", Links: []entry.Link{{Kind: "lines", Ref: "812"}, {Kind: "attachment", Ref: "3"}}}},
		{"Somebody wrote [sic]", desk.ReasonText{Text: "Somebody wrote [sic]"}},
		{"a [file /var/www/x.php] b", desk.ReasonText{Text: "a [file /var/www/x.php] b"}},
	} {
		if got := readReason("", c.typed); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%q: %+v, want %+v", c.typed, got, c.want)
		}
	}
}

// FuzzReason holds the law that a reason which was read, and written into the form again, is read as the same.
func FuzzReason(f *testing.F) {
	for _, s := range []string{"a [CVE-2026-1]", "[commit 1a2b]", "a [[lines 1]]", "a [file a]b]", "]", "[", "x [alert a] "} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		r := readReason("people", s)
		again := readReason("people", reasonText(r))
		if !reflect.DeepEqual(readReason("people", reasonText(again)), again) {
			t.Errorf("%q: %+v, then %+v", s, r, again)
		}
	})
}
