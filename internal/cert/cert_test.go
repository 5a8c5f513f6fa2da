package cert

import (
	"strings"
	"testing"
	"time"
)

var noon = time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)

func TestJudge(t *testing.T) {
	year := State{Name: "tocsin.shop.example", NotBefore: noon.AddDate(-1, 0, 0)}
	quarter := State{Name: "tocsin.shop.example", NotBefore: noon.Add(-60 * day), Managed: true}
	week := State{Name: "tocsin.shop.example", NotBefore: noon.Add(-5 * day), Managed: true}
	failed := func(s State) State {
		s.Fault, s.FaultAt = "rateLimited: too many", noon.Add(-time.Hour)
		return s
	}
	for _, tt := range []struct {
		name  string
		state State
		left  time.Duration
		step  int
		says  string
	}{
		{"own, fresh", year, 200 * day, 0, "is good until 15 June 2027, 12:00 UTC"},
		{"own, a month", year, 30 * day, 1, "expires on 27 December 2026"},
		{"own, a month and a second", year, 30*day + time.Second, 0, "is good until"},
		{"own, two weeks", year, 14 * day, 2, "expires on 11 December 2026"},
		{"own, three days", year, 3 * day, 3, "expires on 30 November 2026"},
		{"own, over", year, 0, 4, "expired on 27 November 2026, 12:00 UTC: browsers refuse"},
		{"managed, about to be renewed", quarter, 30 * day, 0, "is good until"},
		{"managed, the renewal failed", failed(quarter), 30 * day, 1, "(tried last on 27 November, 11:00 UTC: rateLimited: too many)"},
		{"managed, failed once long before the end", failed(quarter), 40 * day, 0, "renewing it failed"},
		{"managed, nobody renews it", quarter, 10 * day, 2, "expires on 7 December"},
		{"managed, of a week, in its last third", week, 2 * day, 0, "is good until"},
		{"managed, of a week, failed", failed(week), 2 * day, 1, "expires on"},
		{"managed, of a week, ten hours", week, 10 * time.Hour, 3, "expires on"},
	} {
		s := tt.state
		s.NotAfter = noon.Add(tt.left)
		v := s.Judge(noon)
		if v.Step != tt.step || !strings.Contains(v.Says, tt.says) || (v.Step > 0) != (v.Level() != "") || v.Step > 0 && v.Mend == "" || v.Since.After(noon) {
			t.Errorf("%s: %+v", tt.name, v)
		}
	}
	future := State{Name: "x", NotBefore: noon.Add(time.Hour), NotAfter: noon.Add(90 * day)}
	if v := future.Judge(noon); v.Step != 4 || !strings.Contains(v.Mend, "clock") {
		t.Errorf("a clock that is behind: %+v", v)
	}
	if v := failed(State{Name: "x"}).Judge(noon); v.Step != 4 || !strings.Contains(v.Says, "there is no certificate for x") {
		t.Errorf("none: %+v", v)
	}
}

func TestPlain(t *testing.T) {
	if got := plain("a\nb\x1b[31m\u202ec" + strings.Repeat("x", 1000)); strings.ContainsAny(got, "\n\x1b\u202e") || len([]rune(got)) != 400 {
		t.Errorf("%q", got)
	}
}
