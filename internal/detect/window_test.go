package detect

import (
	"fmt"
	"strings"
	"testing"

	"tocsin/internal/record"
)

// What a group keeps is bounded, and the counts stay right: of a share 1,024 marks, of a mean or a percentile 512.
func TestValueWindowsAreBounded(t *testing.T) {
	text := func(condition string) string {
		return transferRule + "title: c\nid: c\ncorrelation: {" + condition + ", rules: [transfer], timespan: 1d}\n"
	}
	moves := func(n int, account func(i int) string, bytes string) []*record.Record {
		var out []*record.Record
		for i := range n {
			out = append(out, at(float64(i), "user.name="+account(i), "transfer.bytes="+bytes))
		}
		return out
	}
	raised := func(d *Detector, records ...*record.Record) (n int) {
		for _, r := range records {
			for _, x := range d.Step(r) {
				if x.Step == Raised && x.Alert.Rule == "c" {
					n++
				}
			}
		}
		return n
	}
	one := func(int) string { return "a" }
	each := func(i int) string { return fmt.Sprint(i) }

	t.Run("a frequent value is joined, and counts in full", func(t *testing.T) {
		d := New(rules(t, text("type: value_percentile, condition: {field: user.name, lte: 0.05}")), Options{})
		if n := raised(d, moves(2500, one, "1")...); n != 0 || d.weight > shareMarks {
			t.Errorf("%d raised, %d held", n, d.weight)
		}
		if n := raised(d, at(2500, "user.name=b", "transfer.bytes=1")); n != 1 {
			t.Error("one of 2,501 is 0.04 percent")
		}
	})
	t.Run("many values forget the oldest", func(t *testing.T) {
		d := New(rules(t, text("type: value_percentile, condition: {field: user.name, eq: 50}")), Options{})
		if raised(d, moves(2000, each, "1")...); d.weight > shareMarks || len(d.bins[1].groups) != 1 {
			t.Errorf("%d held in %d groups", d.weight, len(d.bins[1].groups))
		}
	})
	t.Run("an alert of a share tells the records of the value", func(t *testing.T) {
		d := New(rules(t, text("type: value_percentile, condition: {field: user.name, lte: 10}")), Options{})
		raised(d, moves(20, one, "1")...)
		raised(d, at(20, "user.name=b", "transfer.bytes=1"), at(21, "user.name=b", "transfer.bytes=1"))
		if a := d.Alerts(); len(a) != 1 || a[0].Count != 2 || a[0].Accounts[0].Name != "b" {
			t.Errorf("%+v", a)
		}
	})
	t.Run("a mean and a percentile of more records than are kept", func(t *testing.T) {
		for _, c := range []string{"type: value_avg, condition: {field: transfer.bytes, gt: 4.9, lt: 5}", "type: value_percentile, condition: {field: transfer.bytes, percentile: 90, gt: 5}"} {
			d := New(rules(t, text(c)), Options{})
			// given 1,500 transfers of 4 bytes, then 1,490 of 6: joined marks stand for as many as they are
			if n := raised(d, moves(1500, one, "4")...); n != 0 || d.weight > sumMarks {
				t.Errorf("%s: %d raised, %d held", c, n, d.weight)
			}
			later := moves(1490, one, "6")
			for _, r := range later {
				r.Time = r.Time.Add(1500e9)
			}
			if n := raised(d, later...); n != 1 {
				t.Errorf("%s: %d raised", c, n)
			}
		}
	})
}

// What is joined leaves a window when it is too old, however many records come.
func TestJoinedMarksGrowOld(t *testing.T) {
	for _, c := range []string{
		"type: value_sum, group-by: [source.ip], condition: {field: transfer.bytes, gt: 2100}",     // 2,001 an hour
		"type: value_percentile, group-by: [source.ip], condition: {field: user.name, gt: 51}",     // each half of all
		"type: value_avg, group-by: [source.ip], condition: {field: transfer.bytes, gt: 1, lt: 2}", // 1 before, 2 from the middle on
	} {
		d := New(rules(t, transferRule+"title: c\nid: c\ncorrelation: {"+c+", rules: [transfer], timespan: 1h}\n"), Options{})
		raised, last := 0, 0
		for i := range 20_000 { // 2,000 an hour, ten hours
			bytes := "1"
			if strings.Contains(c, "avg") && i >= 10_000 {
				bytes = "2"
			}
			r := at(1.8*float64(i), "source.ip=1.1.1.1", "user.name="+[]string{"a", "b"}[i%2], "transfer.bytes="+bytes)
			for _, x := range d.Step(r) {
				if x.Step == Raised && x.Alert.Rule == "c" && i > 10 {
					raised++
				}
			}
			if d.matchedNow("c") {
				last = i
			}
		}
		switch {
		case strings.Contains(c, "avg"):
			if raised != 1 || last > 12_100 {
				t.Errorf("%s: %d raised, the mean is between until record %d", c, raised, last)
			}
		case raised > 0:
			t.Errorf("%s: %d raised", c, raised)
		}
	}
}

// matchedNow reports whether the record that was stepped through last matched a rule.
func (d *Detector) matchedNow(rule string) (yes bool) {
	for key := range d.Matched {
		yes = yes || key == rule
	}
	return yes
}
