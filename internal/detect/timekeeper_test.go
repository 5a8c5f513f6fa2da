package detect

import (
	"fmt"
	"testing"
	"time"
)

// Which times are believed: each row is hours after the first record, and where the clock stands at the end.
func TestTimekeeper(t *testing.T) {
	for _, c := range []struct {
		name  string
		hours []float64
		want  float64
	}{
		{"time goes on", []float64{0, 1, 25}, 25},
		{"one wrong clock is not believed", []float64{0, 1, 90_000, 1.5, 90_001, 2}, 2},
		{"two in a row are not either", []float64{0, 90_000, 90_000}, 0},
		{"three that agree are", []float64{0, 90_000, 90_000, 90_001}, 90_001},
		{"three that do not agree are not", []float64{0, 90_000, -90_000, 180_000}, 0},
		{"one record a day, a little later each day", []float64{0, 24.5, 49, 73.5}, 73.5},
		{"one record a week", []float64{0, 170, 340, 510, 680, 850, 1020}, 1020},
		{"a pause, then one record every ten hours", []float64{0, 300, 310, 320}, 320},
		{"back to where time was before a wrong clock was believed", []float64{0, 90_000, 90_000, 90_000, 1, 2, 3}, 3},
		{"records of a day long ago, newest first", []float64{0, -1000, -1001, -1002}, -1002},
		{"years apart they do not agree", []float64{0, 20_000, 40_000, 60_000}, 0},
	} {
		var k timekeeper
		base := start.UnixNano()
		for _, h := range c.hours {
			k.see(base + int64(h*float64(time.Hour)))
		}
		if got := float64(k.newest-base) / float64(time.Hour); got != c.want {
			t.Errorf("%s: the clock stands at %v, want %v", c.name, got, c.want)
		}
	}
}

// Times that do not fit into nanoseconds are none: the record counts as of the newest time.
func TestTimesBeyondReckoning(t *testing.T) {
	d := New(rules(t, tries), Options{})
	run(d, fail(0, "1.1.1.1", "a"))
	for _, year := range []int{1500, 2280, 9999} {
		r := fail(1, "2.2.2.2", "a")
		r.Time = time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC)
		d.Step(r)
	}
	if a := d.Alerts(); d.newest != start.UnixNano() || len(a) != 1 || a[0].Count != 3 {
		t.Errorf("the clock stands at %v; %+v", fromNano(d.newest), a)
	}
}

// A match with a wrong clock does not keep an alert open for ever, nor old windows in memory.
func TestOneWrongClockHoldsNothing(t *testing.T) {
	hour := float64(3600)
	d := New(rules(t, failRule), Options{})
	check(t, run(d, fail(0, "1.1.1.1", "a")), "raised fail [1.1.1.1] x1 1.1.1.1 a/v")
	run(d, fail(100_000*hour, "1.1.1.1", "a"))
	check(t, run(d, at(20*hour)), "ended fail [1.1.1.1] x2 1.1.1.1/2 a/2/v")
	// nor one that it raised itself
	check(t, run(d, fail(100_000*hour, "2.2.2.2", "a")), "raised fail [2.2.2.2] x1 2.2.2.2 a/v")
	check(t, run(d, at(40*hour)), "ended fail [2.2.2.2] x1 2.2.2.2 a/v")

	d = New(rules(t, tries), Options{})
	run(d, fail(0, "1.1.1.1", "a"), fail(100_000*hour, "2.2.2.2", "a"))
	for i := range 10 {
		run(d, fail(1, fmt.Sprintf("3.3.3.%d", i), "a"))
	}
	for i := range 3000 {
		d.Step(at(20*hour + float64(i)))
	}
	if n := len(d.bins[1].groups); n != 1 {
		t.Errorf("%d windows are kept, one of them of a wrong clock", n)
	}
}

// An alert that begins after days of silence is one.
func TestAlertAfterSilence(t *testing.T) {
	day := float64(86400)
	d := New(rules(t, failRule), Options{})
	check(t, run(d, fail(0, "2.2.2.2", "a"), fail(5*day, "1.1.1.1", "a")), "raised fail [2.2.2.2] x1 2.2.2.2 a/v", "raised fail [1.1.1.1] x1 1.1.1.1 a/v")
	check(t, run(d, fail(5*day+1, "1.1.1.1", "a"), at(5*day+2)), "ended fail [2.2.2.2] x1 2.2.2.2 a/v")

	d = New(rules(t, tries), Options{})
	run(d, fail(0, "2.2.2.2", "a"), fail(5*day, "1.1.1.1", "a"), fail(5*day+1, "1.1.1.1", "a"))
	var all []string
	for i := range 5 {
		all = append(all, run(d, fail(5*day+2+float64(i), "1.1.1.1", "a"))...)
	}
	check(t, all, "raised tries [1.1.1.1] x3 1.1.1.1/3 a/3/v")
	check(t, run(d, fail(5.9*day, "2.2.2.2", "a")), "ended tries [1.1.1.1] x7 1.1.1.1/7 a/7/v")
}
