package detect

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// adopt returns a detector of other rules that takes over what d has seen.
func adopt(t rapid.TB, d *Detector, set *Rules) (*Detector, Adopted) {
	t.Helper()
	data, err := d.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	n := New(set, d.o)
	out, err := n.Adopt(data)
	if err != nil {
		t.Fatal(err)
	}
	return n, out
}

// half is what a rule file may hold: a count of failures by address, %d of them.
const halfRule = `
title: Tries %[1]s
id: %[1]s
level: medium
correlation: {type: event_count, rules: [fail], group-by: [source.ip], timespan: 10m, condition: {gte: %[2]d}}
`

func half(name string, n int) string { return "---" + fmt.Sprintf(halfRule, name, n) }

// Given half-filled windows, when one rule changes, then the windows of the others are completed, and those of the changed
// one begin anew.
func TestOtherRulesKeepTheirWindows(t *testing.T) {
	for _, tt := range []struct {
		name          string
		before, after string
		want          []string // rules that raise at the fourth try
		fresh, gone   []string
	}{
		{"nothing changes", half("x", 4) + half("y", 4), half("x", 4) + half("y", 4), []string{"x", "y"}, nil, nil},
		{"another order", half("x", 4) + half("y", 4), half("y", 4) + half("x", 4), []string{"y", "x"}, nil, nil},
		{"one changes", half("x", 4) + half("y", 4), half("x", 4) + half("y", 3), []string{"x"}, []string{"y"}, nil},
		{"one goes", half("x", 4) + half("y", 4), half("x", 4), []string{"x"}, nil, []string{"y"}},
		{"one comes", half("x", 4), half("z", 2) + half("x", 4), []string{"x"}, []string{"z"}, nil},
		{"all are others", half("x", 4), half("z", 4), nil, []string{"z"}, []string{"x"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := New(rules(t, failRule+tt.before), Options{})
			for n := range 3 {
				if got := d.Step(fail(float64(n), "1.1.1.1", "a")); len(got) > 0 {
					t.Fatalf("try %d raised %v", n, got)
				}
			}
			d, out := adopt(t, d, rules(t, failRule+tt.after))
			var got []string
			for _, c := range d.Step(fail(3, "1.1.1.1", "a")) {
				got = append(got, c.Alert.Rule)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
			if !slices.Equal(out.Fresh, tt.fresh) || !slices.Equal(out.Gone, tt.gone) || len(out.Ended) > 0 {
				t.Errorf("%+v", out)
			}
		})
	}
}

// A correlation that did not change keeps its windows when the rule that it reads does.
func TestACorrelationOutlivesAChangeBelowIt(t *testing.T) {
	d := New(rules(t, failRule+half("x", 4)), Options{})
	for n := range 3 {
		d.Step(fail(float64(n), "1.1.1.1", "a"))
	}
	d, out := adopt(t, d, rules(t, strings.Replace(failRule, "title: ", "title: The new ", 1)+half("x", 4)))
	if got := d.Step(fail(3, "1.1.1.1", "a")); len(got) != 1 || len(out.Fresh) != 1 || out.Kept != 1 {
		t.Errorf("%v, %+v", got, out)
	}
}

// An alert of a rule that is gone, changed, or only read by others now ends; those of the others go on as the same.
func TestAlertsOfRulesThatGoEnd(t *testing.T) {
	both := half("x", 2) + half("y", 2)
	for _, tt := range []struct {
		name, after string
		ended       []string
		active      []string
	}{
		{"unchanged", both, nil, []string{"x", "y"}},
		{"gone", half("x", 2), []string{"y"}, []string{"x"}},
		{"changed", half("x", 2) + half("y", 3), []string{"y"}, []string{"x"}},
		{"read by another", both + "---\ntitle: Above\nid: z\nlevel: high\ncorrelation: {type: event_count, rules: [y], group-by: [source.ip], timespan: 10m, condition: {gte: 9}}\n", []string{"y"}, []string{"x"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := New(rules(t, failRule+both), Options{})
			for n := range 2 {
				d.Step(fail(float64(n), "1.1.1.1", "a"))
			}
			before := d.Alerts()
			d, out := adopt(t, d, rules(t, failRule+tt.after))
			var ended, active []string
			for _, c := range out.Ended {
				if c.Step != Ended || !c.Alert.Ended {
					t.Errorf("%+v", c)
				}
				ended = append(ended, c.Alert.Rule)
			}
			for _, a := range d.Alerts() {
				active = append(active, a.Rule)
				if !slices.ContainsFunc(before, func(b Alert) bool { return b.ID == a.ID }) {
					t.Errorf("%s has another id", a.Rule)
				}
			}
			if !slices.Equal(ended, tt.ended) || !slices.Equal(active, tt.active) {
				t.Errorf("ended %v, active %v", ended, active)
			}
			if s := d.Stats(); s.Active != len(active) {
				t.Errorf("%d are counted as active", s.Active)
			}
			for _, c := range d.Step(fail(100_000, "9.9.9.9", "a")) { // long after: what goes on ends, and nothing ends twice
				if c.Step == Ended && slices.Contains(tt.ended, c.Alert.Rule) {
					t.Errorf("%s ended twice", c.Alert.Rule)
				}
			}
		})
	}
}

// A detector that takes over its own state before every record says what one says that runs through. With a rule more in
// every second set the others say the same still.
func TestAdoptingChangesNothing(t *testing.T) {
	more := "---" + fmt.Sprintf(halfRule, "extra", 2)
	sets := []*Rules{rules(t, everything), rules(t, everything+more)}
	rapid.Check(t, func(t *rapid.T) {
		through, again := New(sets[0], Options{}), New(sets[0], Options{})
		for i, r := range stream(t, true) {
			r.Line.Seq = int64(i + 1)
			var out Adopted
			again, out = adopt(t, again, sets[rapid.IntRange(0, 1).Draw(t, "set")])
			if len(out.Ended) > 0 && out.Ended[0].Alert.Rule != "extra" {
				t.Fatalf("record %d: %+v", i, out)
			}
			got := slices.DeleteFunc(again.Step(r), func(c Change) bool { return c.Alert.Rule == "extra" })
			if d := cmp.Diff(through.Step(r), got); len(got) > 0 && d != "" {
				t.Fatalf("record %d: %s", i, d)
			}
		}
	})
}

// Damage leaves the detector as it was.
func TestAdoptRefusesDamage(t *testing.T) {
	d := New(rules(t, failRule+half("x", 2)), Options{})
	for n := range 2 {
		d.Step(fail(float64(n), "1.1.1.1", "a"))
	}
	data, err := d.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(data); i += 7 {
		if _, err := d.Adopt(data[:i]); err == nil || len(d.Alerts()) != 1 {
			t.Fatalf("%d bytes: %v, %d alerts", i, err, len(d.Alerts()))
		}
	}
	if _, err := d.Adopt(nil); err == nil || errors.Is(err, ErrOtherRules) {
		t.Error(err)
	}
}

// BenchmarkAdopt is what a change of rules costs detection while a hundred thousand addresses are counted.
func BenchmarkAdopt(b *testing.B) {
	set := rules(b, failRule+half("x", 4)+half("y", 4))
	d := New(set, Options{})
	for n := range 100_000 {
		d.Step(fail(float64(n)/1000, fmt.Sprintf("10.%d.%d.%d", n>>16, n>>8&255, n&255), "a"))
	}
	for b.Loop() {
		data, err := d.Snapshot()
		if err != nil {
			b.Fatal(err)
		}
		if out, err := New(set, Options{}).Adopt(data); err != nil || out.Kept != 3 {
			b.Fatal(out, err)
		}
	}
}
