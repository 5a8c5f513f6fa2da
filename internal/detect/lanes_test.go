package detect

import (
	"fmt"
	"testing"
	"time"

	"tocsin/internal/record"
)

// on puts a record on a host.
func on(host string, r *record.Record) *record.Record {
	r.Line.Host = host
	return r
}

// Three failed sign-ins of one minute are an attack, whatever the others' time is when their host tells of them.
func TestAHostThatComesLateIsHeard(t *testing.T) {
	for _, c := range []struct {
		name string
		late time.Duration
	}{{"a quarter of an hour", 15 * time.Minute}, {"six hours", 6 * time.Hour}, {"three weeks, before it joined", 21 * 24 * time.Hour}} {
		d := New(rules(t, tries), Options{})
		now := c.late.Seconds() + 1000
		run(d, on("web-1", at(0)), on("web-2", at(now)))
		run(d, on("web-2", at(now+1)), on("web-2", at(now+2)))
		var got []string
		for i := range 3 {
			got = append(got, run(d, on("web-1", fail(900+float64(i), "1.1.1.1", fmt.Sprint("u", i))), on("web-2", at(now+10+float64(i))))...)
		}
		if a := d.Alerts(); len(a) != 1 || a[0].Count != 3 {
			t.Errorf("%s late: %v, alerts %+v", c.name, got, a)
		}
		if s := d.Stats(); s.Late != 0 {
			t.Errorf("%s late: %d count as late", c.name, s.Late)
		}
		// It has caught up: the watermark goes on.
		run(d, on("web-1", at(now+20)), on("web-1", at(now+21)), on("web-1", at(now+22))) // three must agree on a leap of weeks
		if got := d.watermark(); got != d.newest-int64(5*time.Minute) || len(d.lanes.behind) != 0 {
			t.Errorf("%s late: the watermark stays %v behind", c.name, time.Duration(d.newest-got))
		}
	}
}

// A host whose clock is wrong for good holds the others back for a while only.
func TestAWrongClockDoesNotHoldAllBack(t *testing.T) {
	d := New(rules(t, tries), Options{})
	const wrong = 10 * 24 * 3600.0
	for minute := range 120 {
		now := wrong + float64(minute)*60
		run(d, on("good", at(now)), on("bad", at(now-wrong)), on("bad", at(now-wrong+1)), on("bad", at(now-wrong+2)))
		held := d.watermark() < d.newest-int64(5*time.Minute)
		if want := minute < 76; minute > 2 && held != want { // three must agree before ten days ahead are believed
			t.Fatalf("in minute %d the watermark is held back: %v", minute, held)
		}
	}
	if d.Stats().Late == 0 {
		t.Error("nothing counts as late")
	}
	run(d, on("bad", at(wrong+7200)), on("bad", at(wrong+7201)), on("bad", at(wrong+7202)))
	if l := d.lanes.by["bad"]; l.slow || l.behind {
		t.Errorf("it is at the present again, and is %+v", l)
	}
}

// Lanes outlive a restart, and the state of a program that had none is read.
func TestLanesAreKept(t *testing.T) {
	set := rules(t, tries)
	d := New(set, Options{})
	run(d, on("a", at(0)), on("b", at(4000)), on("a", fail(1, "1.1.1.1", "x")))
	b, err := d.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	again := New(set, Options{})
	if err := again.Restore(b); err != nil {
		t.Fatal(err)
	}
	if d.watermark() != again.watermark() || len(again.lanes.behind) != 1 {
		t.Errorf("the watermark was %d, is %d", d.watermark(), again.watermark())
	}
	check(t, run(again, on("a", fail(2, "1.1.1.1", "y")), on("a", fail(3, "1.1.1.1", "z"))), "raised tries [1.1.1.1] x3 1.1.1.1/3 x/v y/v z/v")
	old := lanesOf(&snapshot{Newest: 7, Far: 8, FarN: 2})
	if l := old.by[""]; l == nil || l.time != (timekeeper{7, 8, 2}) {
		t.Errorf("lanes of an older state: %+v", l)
	}
}

// Names of hosts cannot fill the memory.
func TestLanesAreBounded(t *testing.T) {
	d := New(rules(t, tries), Options{})
	for n := range 2 * maxLanes {
		run(d, on(fmt.Sprint("h", n), at(float64(n))))
	}
	if n := len(d.lanes.by); n != maxLanes {
		t.Errorf("%d lanes", n)
	}
}

// What a host does to the others has a bound: one that leaps to and fro each hour holds them back for a tenth of the time, and a line with a wrong
// clock, or a quiet host's line a day, for a minute.
func TestWhatAHostHoldsBack(t *testing.T) {
	held := func(minutes int, bad func(d *Detector, m int, now float64)) (n int) {
		d := New(rules(t, tries), Options{})
		const base = 40 * 24 * 3600.0
		for i := range 3 {
			run(d, on("good", at(base+float64(i))), on("bad", at(base+float64(i))))
		}
		for m := range minutes {
			now := base + 10 + float64(m)*60
			bad(d, m, now)
			run(d, on("good", at(now+30)))
			if d.watermark() < d.newest-int64(5*time.Minute) {
				n++
			}
		}
		return n
	}
	const days = 10 * 24 * 60
	if n := held(days, func(d *Detector, m int, now float64) {
		if m%60 == 0 {
			for _, back := range []float64{0, 40 * 24 * 3600} {
				for i := range 3 {
					run(d, on("bad", at(now-back+float64(i))))
				}
			}
		}
	}); n == 0 || n > days/7 {
		t.Errorf("to and fro: held back in %d of %d minutes", n, days)
	}
	if n := held(days, func(d *Detector, m int, now float64) {
		if m%(30*60) == 0 {
			run(d, on("bad", at(now)))
		}
	}); n > 5 {
		t.Errorf("a line each 30 hours: held back in %d minutes", n)
	}
	if n := held(200, func(d *Detector, m int, _ float64) {
		if m == 50 {
			run(d, on("fresh", at(0)))
		}
	}); n > 2 {
		t.Errorf("one line of long ago: held back in %d minutes", n)
	}
}

// BenchmarkLanes is a record while many hosts come late.
func BenchmarkLanes(b *testing.B) {
	for _, n := range []int{1, 1000, 4000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			d := New(rules(b, tries), Options{})
			for k := range n {
				d.Step(on(fmt.Sprint("h", k), at(float64(k)/1000)))
			}
			d.Step(on("now", at(3600)))
			for i := 0; b.Loop(); i++ {
				d.Step(on(fmt.Sprint("h", i%n), at(10)))
			}
		})
	}
}
