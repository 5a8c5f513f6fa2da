package detect

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// What gives way is remembered: when the address comes again, its count goes on.
func TestWaitingGoesOn(t *testing.T) {
	// given an address that failed once, and a flood of others that each fail once
	d := New(rules(t, tries), Options{MaxGroups: 10})
	run(d, fail(0, "9.9.9.9", "anna"))
	for i := range 500 {
		check(t, run(d, fail(1, fmt.Sprintf("10.0.%d.%d", i/250, i%250), "a")))
	}
	// when it fails again, then the third time raises the alert, which counts the first too
	check(t, run(d, fail(2, "9.9.9.9", "anna")))
	check(t, run(d, fail(3, "9.9.9.9", "anna")), "raised tries [9.9.9.9] x3 9.9.9.9/3 anna/2/v")
	if s := d.Stats(); s.Evicted != 0 {
		t.Errorf("%d lost", s.Evicted)
	}
}

// Somebody slow is not made fast by a flood that takes the memory.
func TestWaitingGrowsOld(t *testing.T) {
	d := New(rules(t, strings.Replace(strings.Replace(tries, "gte: 3", "gte: 10", 1), "timespan: 1m", "timespan: 10m", 1)), Options{MaxGroups: 10})
	n := 0
	for i := range 60 { // one a third of the timespan: never more than four in it
		for _, c := range run(d, fail(float64(i)*200, "9.9.9.9", "anna")) {
			if strings.Contains(c, "9.9.9.9") {
				t.Fatalf("try %d: %s", i, c)
			}
		}
		for range 50 {
			n++
			other := fmt.Sprintf("10.0.%d.%d", n/250, n%250)
			run(d, fail(float64(i)*200+1, other, "a"), fail(float64(i)*200+1, other, "a"))
		}
	}
}

// A flood that fills the waiting room too costs what came once, not what comes again and again.
func TestTheFrequentKeepTheirPlace(t *testing.T) {
	d := New(rules(t, strings.Replace(tries, "timespan: 1m", "timespan: 1d", 1)), Options{MaxGroups: 8, MaxWaiting: 512})
	found := map[string]bool{}
	n := 0
	for round := range 30 {
		for i := range 16 { // sixteen that try once a round
			for _, c := range run(d, fail(float64(round*60+i), fmt.Sprintf("9.9.9.%d", i), "a")) {
				if strings.HasPrefix(c, "raised tries") {
					found[strings.Fields(c)[2]] = true
				}
			}
		}
		for range 200 {
			n++
			run(d, fail(float64(round*60+20), fmt.Sprintf("10.%d.%d.%d", n>>16, n>>8&255, n&255), "a"))
		}
	}
	if len(found) != 16 {
		t.Errorf("%d of 16 found", len(found))
	}
	if s := d.Stats(); s.Groups > 8 || s.Evicted == 0 {
		t.Errorf("%+v", s)
	}
}

// When groups that were half of the way are lost, that is an alert, once, and it ends.
func TestBlunt(t *testing.T) {
	text := strings.Replace(failRule+"title: names\nid: names\ncorrelation: {type: value_count, rules: [fail], group-by: [source.ip], timespan: 1h, condition: {field: user.name, gte: 4}}\n", "level: low", "level: informational", 1)
	d := New(rules(t, text), Options{MaxGroups: 10, MaxWaiting: 8})
	var steps []Step
	for i := range 100 {
		ip := fmt.Sprintf("10.0.0.%d", i)
		for _, r := range []string{"a", "b", "c"} {
			for _, c := range d.Step(fail(float64(i), ip, r)) {
				if c.Alert.Rule == BluntRule {
					steps = append(steps, c.Step)
				}
			}
		}
	}
	for h := range 3 {
		for _, c := range d.Step(at(float64(3600 * (h + 1)))) {
			if c.Alert.Rule == BluntRule {
				steps = append(steps, c.Step)
			}
		}
	}
	if fmt.Sprint(steps) != "[raised tenfold ended]" {
		t.Errorf("%v, %d lost", steps, d.Stats().Evicted)
	}
}

// Counts above what is kept each are joined by slices of time, and stay right to that.
func TestLargeCounts(t *testing.T) {
	d := New(rules(t, strings.Replace(strings.Replace(tries, "gte: 3", "gte: 5000", 1), "timespan: 1m", "timespan: 1h", 1)), Options{})
	raised := 0
	for i := range 12_000 {
		for _, c := range d.Step(fail(float64(i)/4, "1.1.1.1", "a")) { // four a second, 14,400 an hour
			if c.Step == Raised && c.Alert.Rule == "tries" {
				raised = i + 1
				if c.Alert.Count != 5000 {
					t.Errorf("the alert counts %d", c.Alert.Count)
				}
			}
		}
		if d.weight > 3*exactMarks {
			t.Fatalf("%d held", d.weight)
		}
	}
	if raised != 5000 {
		t.Errorf("raised at %d", raised)
	}
	// and a slow one that never has so many in an hour raises nothing
	d = New(d.rules, Options{})
	for i := range 12_000 {
		if c := d.Step(fail(float64(i), "1.1.1.1", "a")); len(c) > 0 && c[0].Alert.Rule == "tries" {
			t.Fatalf("raised at %d", i)
		}
	}
}

// Values above what is kept each are estimated, to a few percent.
func TestManyValues(t *testing.T) {
	text := failRule + "title: names\nid: names\ncorrelation: {type: value_count, rules: [fail], group-by: [source.ip], timespan: 1h, condition: {field: user.name, gte: 5000}}\n"
	d := New(rules(t, text), Options{})
	raised := 0
	for i := range 6000 {
		for _, c := range d.Step(fail(float64(i)/4, "1.1.1.1", fmt.Sprint("user", i))) {
			if c.Step == Raised && c.Alert.Rule == "names" {
				raised = i + 1
			}
		}
	}
	if raised < 4600 || raised > 5400 {
		t.Errorf("5,000 names were seen at %d", raised)
	}
	if d.weight > sketchWeight+valueTracks*valueMarks {
		t.Errorf("%d held", d.weight)
	}
	// the same few names again and again are no 5,000
	d = New(d.rules, Options{})
	for i := range 20_000 {
		if c := d.Step(fail(float64(i)/8, "1.1.1.1", fmt.Sprint("user", i%1500))); len(c) > 0 && c[0].Alert.Rule == "names" {
			t.Fatalf("raised at %d by 1,500 names", i)
		}
	}
}

func TestSketchEstimates(t *testing.T) {
	for _, n := range []int{100, 1000, 5000, 50_000} {
		s, span := &sketch{}, int64(3600e9)
		for i := range n {
			s.add(hashText(hashStart, fmt.Sprint("value ", i)), int64(i)*1e6, int64(i), span)
		}
		if got := s.count(0, span, span); got < 0.93*float64(n) || got > 1.07*float64(n) {
			t.Errorf("%d values are estimated as %.0f", n, got)
		}
	}
}

// hashText does not regard case, in any script, and tells where a text ends.
func TestHashTextFolds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.String().Draw(t, "s")
		if a, b := hashText(hashStart, s), hashText(hashStart, strings.ToLower(strings.ToUpper(s))); a != b && sameText(s, strings.ToLower(strings.ToUpper(s))) {
			t.Fatalf("%q: %x and %x", s, a, b)
		}
		if s != "" && hashValues("", []string{s, ""}) == hashValues("", []string{"", s}) {
			t.Fatal("the place of a value must count")
		}
	})
}

// Thousands of addresses that each match a rule once are some alerts, and one that counts the rest.
func TestAStormOfAddressesIsOneAlert(t *testing.T) {
	d := New(rules(t, failRule), Options{})
	raised, storm := 0, Alert{}
	for i := range 3 * stormGroups {
		for _, c := range d.Step(fail(float64(i)/1000, fmt.Sprintf("10.0.%d.%d", i/250, i%250), "a")) {
			if c.Step == Raised {
				raised++
			}
			if len(c.Alert.Group) == 0 {
				storm = c.Alert
			}
		}
	}
	if raised != stormGroups+1 || storm.Count < 1000 || len(storm.Sources) != MaxParties {
		t.Errorf("%d raised; the last counts %d and names %d", raised, storm.Count, len(storm.Sources))
	}
	// an address that has an alert of its own goes on with it
	n := len(d.Alerts())
	check(t, run(d, fail(60, "10.0.0.0", "b")), "joined fail [10.0.0.0] x2 10.0.0.0/2 a/v b/v")
	if len(d.Alerts()) != n {
		t.Error("it has another alert now")
	}
}
