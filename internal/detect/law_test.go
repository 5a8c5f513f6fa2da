package detect

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"tocsin/internal/record"
)

// everything is a set with each kind of correlation, chains, aliases and generate.
const everything = failRule + loginRule + transferRule + `
title: tries
id: tries
correlation: {type: event_count, rules: [fail], group-by: [source.ip], timespan: 1m, condition: {gte: 3}, generate: true}
tocsin: {quiet: 20s}
---
title: stuffing
id: stuffing
correlation: {type: value_count, rules: [fail, login], group-by: [source.ip], timespan: 40s, condition: {field: user.name, gte: 2}}
---
title: travel
id: travel
correlation: {type: value_count, rules: [login], group-by: [user.name], timespan: 2m, condition: {field: source.geo.country_iso_code, gte: 2}}
tocsin: {parties: last, quiet: 10s}
---
title: much
id: much
correlation: {type: value_sum, rules: [transfer], timespan: 1m, condition: {field: transfer.bytes, gt: 20, lte: 1000}}
---
title: both
id: both
correlation: {type: temporal, rules: [fail, login, transfer], group-by: [source.ip], timespan: 30s, condition: {gte: 2}}
---
title: mean
id: mean
correlation: {type: value_avg, rules: [transfer], group-by: [user.name], timespan: 1m, condition: {field: transfer.bytes, gt: 12, neq: 20}}
tocsin: {quiet: 10s}
---
title: rare
id: rare
correlation: {type: value_percentile, rules: [fail, login, transfer], timespan: 2m, condition: {field: user.name, lte: 20}}
---
title: median
id: median
correlation: {type: value_percentile, rules: [transfer], group-by: [who], timespan: 1m, condition: {field: transfer.bytes, percentile: 50, gte: 10},
  aliases: {who: {transfer: source.ip}}}
tocsin: {quiet: 10s}
---
title: two
id: two
correlation: {type: temporal_ordered, rules: [fail, transfer, login], group-by: [source.ip], timespan: 40s, condition: {eq: 2}}
tocsin: {quiet: 10s}
---
title: no b
filter: {rules: [transfer], selection: {user.name: b}, condition: selection}
logsource: {category: application}
---
title: in
id: in
correlation: {type: temporal_ordered, rules: [tries, login, transfer], group-by: [source.ip], timespan: 2m}
`

const transferRule = `
title: transfer
id: transfer
logsource: {category: application}
detection: {s: {transfer.bytes|gt: 0}, condition: s}
tocsin: {quiet: 20s}
---
`

// stream draws records, mostly in order, some late, some of the far future.
func stream(t *rapid.T, late bool) []*record.Record {
	n := rapid.IntRange(1, 60).Draw(t, "records")
	now := 0.0
	var out []*record.Record
	for range n {
		now += float64(rapid.SampledFrom([]int{0, 0, 1, 3, 10, 45, 200}).Draw(t, "step"))
		when := now
		if late {
			when -= float64(rapid.SampledFrom([]int{0, 0, 0, 5, 50, 400, -9_000_000}).Draw(t, "late"))
		}
		ip := rapid.SampledFrom([]string{"1.1.1.1", "2.2.2.2"}).Draw(t, "ip")
		who := rapid.SampledFrom([]string{"a", "b", "C", "c"}).Draw(t, "who")
		r := sign(when, ip, who, rapid.SampledFrom([]string{"failure", "failure", "success"}).Draw(t, "outcome"))
		if rapid.Bool().Draw(t, "transfer") {
			r = at(when, "source.ip="+ip, "user.name="+who, fmt.Sprintf("transfer.bytes=%d", rapid.IntRange(0, 30).Draw(t, "bytes")))
		}
		if c := rapid.SampledFrom([]string{"", "DE", "VN"}).Draw(t, "country"); c != "" {
			from(r, c)
		}
		out = append(out, r)
	}
	return out
}

// TestRestartChangesNothing: a detector that is written down and read back before every record says the same as one
// that runs through, alert by alert, and its state has the same form.
func TestRestartChangesNothing(t *testing.T) {
	set := rules(t, everything)
	o := Options{MaxGroups: 9, MaxRecords: 40, MaxWaiting: 8, MaxAddresses: 1}
	rapid.Check(t, func(t *rapid.T) {
		through, again := New(set, o), New(set, o)
		for i, r := range stream(t, true) {
			r.Line.Seq = int64(i + 1)
			data, err := again.Snapshot()
			if err != nil {
				t.Fatal(err)
			}
			again = New(set, o)
			if err := again.Restore(data); err != nil {
				t.Fatal(err)
			}
			if twice, err := again.Snapshot(); err != nil || !bytes.Equal(data, twice) {
				t.Fatalf("record %d: the state read back has another form (%v)", i, err)
			}
			if d := cmp.Diff(through.Step(r), again.Step(r)); d != "" {
				t.Fatalf("record %d: %s", i, d)
			}
			if d := cmp.Diff(through.Stats(), again.Stats()); d != "" {
				t.Fatalf("record %d: %s", i, d)
			}
			if d := cmp.Diff(through.Alerts(), again.Alerts()); d != "" {
				t.Fatalf("record %d: %s", i, d)
			}
		}
	})
}

// TestLateIsLikeInTime: a stream in which records change places within the lateness ends with the same records told as the
// stream in order, for a count without an upper bound and without an end in between.
func TestLateIsLikeInTime(t *testing.T) {
	set := rules(t, strings.Replace(tries, "timespan: 1m", "timespan: 1m\n  generate: false", 1)+"tocsin: {quiet: 30d}\n")
	rapid.Check(t, func(t *rapid.T) {
		var records []*record.Record
		for i, n := 0, rapid.IntRange(1, 30).Draw(t, "n"); i < n; i++ {
			records = append(records, fail(float64(rapid.IntRange(0, 290).Draw(t, "second")), "1.1.1.1", fmt.Sprint("u", i)))
		}
		told := func(records []*record.Record) (names []string) {
			d := New(set, Options{})
			run(d, records...)
			for _, a := range d.Alerts() {
				for _, p := range a.Accounts {
					names = append(names, p.Name)
				}
			}
			slices.Sort(names)
			return names
		}
		inOrder := slices.Clone(records)
		slices.SortStableFunc(inOrder, func(a, b *record.Record) int { return a.Time.Compare(b.Time) })
		if d := cmp.Diff(told(inOrder), told(records)); d != "" {
			t.Fatal(d)
		}
	})
}

// TestAgainstTheDefinition holds the windows, with all their limits, against the definition applied to every record ever seen.
func TestAgainstTheDefinition(t *testing.T) {
	type definition func(seen []*record.Record) bool // of the records of one group within the timespan, the newest last
	count := func(seen []*record.Record, f record.Field) int {
		values := map[string]bool{}
		for _, r := range seen {
			values[strings.ToLower(r.Text(f))] = true
		}
		return len(values)
	}
	amounts := func(seen []*record.Record) (sorted []int64, mean float64) {
		for _, r := range seen {
			v, _ := r.Get(record.TransferBytes)
			sorted, mean = append(sorted, v.Int), mean+float64(v.Int)/float64(len(seen))
		}
		slices.Sort(sorted)
		return sorted, mean
	}
	signs := func(r *record.Record) bool { return r.Text(record.EventAction) == "login" }
	moves := func(r *record.Record) bool { v, _ := r.Get(record.TransferBytes); return v.Int > 0 }
	for _, c := range []struct {
		name        string
		correlation string
		seconds     float64
		reads       func(r *record.Record) bool
		def         definition
	}{
		{"event_count", "{type: event_count, rules: [fail, login], group-by: [source.ip], timespan: 50s, condition: {gte: 4}}", 50, signs,
			func(seen []*record.Record) bool { return len(seen) >= 4 }},
		{"value_count", "{type: value_count, rules: [fail, login], group-by: [source.ip], timespan: 50s, condition: {field: user.name, gte: 3}}", 50, signs,
			func(seen []*record.Record) bool {
				return count(seen, record.UserName) >= 3 && count(seen, record.UserName) > count(seen[:len(seen)-1], record.UserName)
			}},
		{"temporal", "{type: temporal, rules: [fail, login], group-by: [source.ip], timespan: 50s}", 50, signs,
			func(seen []*record.Record) bool { return count(seen, record.EventOutcome) == 2 }},
		{"temporal_ordered", "{type: temporal_ordered, rules: [fail, login], group-by: [source.ip], timespan: 50s}", 50, signs,
			func(seen []*record.Record) bool {
				last := seen[len(seen)-1]
				return slices.ContainsFunc(seen, func(r *record.Record) bool {
					was, is := r.Text(record.EventOutcome), last.Text(record.EventOutcome)
					return was == "failure" && is == "success" || was == "success" && is == "failure" && r.Time.Equal(last.Time)
				})
			}},
		{"temporal_ordered with a condition", "{type: temporal_ordered, rules: [fail, login], group-by: [source.ip], timespan: 50s, condition: {lt: 2}}", 50, signs,
			func(seen []*record.Record) bool {
				for i, r := range seen { // no success at or behind a failure, in the whole window
					for j, o := range seen {
						if i != j && r.Text(record.EventOutcome) == "failure" && o.Text(record.EventOutcome) == "success" && !o.Time.Before(r.Time) {
							return false
						}
					}
				}
				return true
			}},
		{"value_sum", "{type: value_sum, rules: [transfer], group-by: [source.ip], timespan: 50s, condition: {field: transfer.bytes, gte: 40}}", 50, moves,
			func(seen []*record.Record) bool { _, mean := amounts(seen); return mean*float64(len(seen)) > 39.5 }},
		{"value_avg", "{type: value_avg, rules: [transfer], group-by: [source.ip], timespan: 50s, condition: {field: transfer.bytes, gt: 20.0001}}", 50, moves,
			func(seen []*record.Record) bool { _, mean := amounts(seen); return mean > 20.0001 }},
		{"a percentile", "{type: value_percentile, rules: [transfer], group-by: [source.ip], timespan: 50s, condition: {field: transfer.bytes, percentile: 75, lte: 10}}", 50, moves,
			func(seen []*record.Record) bool {
				sorted, _ := amounts(seen)
				return sorted[(3*len(sorted)+3)/4-1] <= 10
			}},
		{"a share", "{type: value_percentile, rules: [fail, login], group-by: [source.ip], timespan: 50s, condition: {field: user.name, lte: 40}}", 50, signs,
			func(seen []*record.Record) bool {
				same := 0
				for _, r := range seen {
					if strings.EqualFold(r.Text(record.UserName), seen[len(seen)-1].Text(record.UserName)) {
						same++
					}
				}
				return 10*same <= 4*len(seen)
			}},
	} {
		t.Run(c.name, func(t *testing.T) {
			set := rules(t, failRule+loginRule+transferRule+"title: c\nid: c\ncorrelation: "+c.correlation+"\ntocsin: {quiet: 400d}\n")
			rapid.Check(t, func(t *rapid.T) {
				d := New(set, Options{})
				raised := map[string]bool{}
				seen := map[string][]*record.Record{}
				for i, r := range stream(t, false) {
					want := ""
					if ip := r.Text(record.SourceIP); c.reads(r) {
						seen[ip] = append(seen[ip], r)
						window := slices.DeleteFunc(slices.Clone(seen[ip]), func(o *record.Record) bool { return r.Time.Sub(o.Time).Seconds() > c.seconds })
						if !raised[ip] && c.def(window) {
							raised[ip], want = true, ip
						}
					}
					got := ""
					for _, x := range d.Step(r) {
						if x.Step == Raised && x.Alert.Rule == "c" {
							got = x.Alert.Group[0]
						}
					}
					if got != want {
						t.Fatalf("record %d: raised %q, by the definition %q", i, got, want)
					}
				}
			})
		})
	}
}

func TestRestoreRefuses(t *testing.T) {
	d := New(rules(t, failRule), Options{})
	run(d, fail(0, "1.1.1.1", "a"))
	data, err := d.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	other := New(rules(t, failRule+loginRule), Options{})
	if err := other.Restore(data); !errors.Is(err, ErrOtherRules) {
		t.Errorf("other rules: %v", err)
	}
	for i := range data {
		// a damaged snapshot is an error or another state, never a panic
		_ = New(rules(t, failRule), Options{}).Restore(data[:i])
	}
	if err := d.Restore(data[:len(data)/2]); err == nil || len(d.Alerts()) != 1 {
		t.Error("half a snapshot must be refused, and leave the state as it was")
	}
}

// TestRows holds the rows of temporal_ordered, which are found step by step, against trying every combination.
func TestRows(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := &group{tracks: make([]track, 3)}
		for range rapid.IntRange(0, 9).Draw(t, "marks") {
			ord := int64(rapid.IntRange(0, 4).Draw(t, "record"))
			g.tracks[rapid.IntRange(0, 2).Draw(t, "track")].insert(mark{At: ord / 2, Ord: ord})
		}
		want := make([][]int, 3)
		for i := range want {
			want[i] = make([]int, len(g.tracks[i].marks))
		}
		var try func(row [][2]int, from int)
		try = func(row [][2]int, from int) {
			for _, at := range row {
				want[at[0]][at[1]] = max(want[at[0]][at[1]], len(row))
			}
			for i := from; i < 3; i++ {
				for j, m := range g.tracks[i].marks {
					if len(row) > 0 {
						last := g.tracks[row[len(row)-1][0]].marks[row[len(row)-1][1]]
						if last.At > m.At || last.Ord == m.Ord {
							continue
						}
					}
					try(append(slices.Clone(row), [2]int{i, j}), i+1)
				}
			}
		}
		try(nil, 0)
		if d := cmp.Diff(want, g.rows(0, 9)); d != "" {
			t.Fatal(d)
		}
	})
}

// What Freeze took does not change while the Detector goes on: written late, it is the snapshot of then.
func TestFreezeHoldsStill(t *testing.T) {
	for seed := range uint64(20) {
		d := New(rules(t, tries), Options{})
		rng := rand.New(rand.NewPCG(seed, 1))
		step := func(from, to int) {
			for i := from; i < to; i++ {
				d.Step(fail(float64(i), fmt.Sprintf("10.0.0.%d", rng.IntN(5)), string(rune('a'+rng.IntN(6)))))
			}
		}
		step(0, 60)
		then, err := d.Snapshot()
		if err != nil {
			t.Fatal(err)
		}
		write := d.Freeze()
		step(60, 120)
		late, err := write()
		if err != nil || !bytes.Equal(then, late) {
			t.Fatalf("seed %d: what was frozen changed (%v)", seed, err)
		}
	}
}
