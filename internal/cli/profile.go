package cli

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
	"time"

	"tocsin/internal/desk"
	"tocsin/internal/detect"
)

// profileEvery is one record of how many replay --profile measures: the clock costs as much as a record.
const profileEvery = 8

// stopwatch is the clock by which rules are measured.
func stopwatch() func() time.Duration {
	begun := time.Now()
	return func() time.Duration { return time.Since(begun) }
}

// A cost is what one rule took, as `replay --profile --json` prints it. The names are scripted against: they stay.
type cost struct {
	Kind     string  `json:"kind"` // "cost"
	Rule     string  `json:"rule"` // "" is what all rules share: finding which of them may match
	Title    string  `json:"title"`
	Records  int64   `json:"records"`  // of its log source; of a correlation, matches of its rules
	Measured int64   `json:"measured"` // of those
	Tried    float64 `json:"tried"`    // share of the measured ones that the index did not rule out
	Matches  int64   `json:"matches"`
	Seconds  float64 `json:"seconds"` // of all records, reckoned from those that were measured
	MeanNS   int64   `json:"mean_ns"` // for one record
	Share    float64 `json:"share"`   // of all seconds here
}

const sharedCost = "all rules together: finding which of them may match"

// costs lists what each rule took, the most costly first.
func costs(out desk.Replay) []cost {
	s := out.Stats
	var all []cost
	if s.Costs > 0 {
		mean := s.Scan / time.Duration(s.Costs)
		total := float64(mean) * float64(s.Records)
		all = append(all, cost{Kind: "cost", Title: sharedCost, Records: s.Records, Measured: s.Costs, Seconds: total / 1e9, MeanNS: int64(mean)})
	}
	for _, r := range s.Rules {
		if r.CostRecords > 0 {
			all = append(all, costOf(r))
		}
	}
	sum := 0.0
	for _, c := range all {
		sum += c.Seconds
	}
	for n := range all {
		all[n].Share = all[n].Seconds / max(sum, 1e-12)
	}
	slices.SortStableFunc(all, func(a, b cost) int { return cmp.Compare(b.Seconds, a.Seconds) })
	return all
}

func costOf(r detect.RuleStats) cost {
	return cost{Kind: "cost", Rule: r.Rule, Title: r.Title, Records: r.Seen, Measured: r.CostRecords, Tried: float64(r.Tried) / float64(r.CostRecords),
		Matches: r.Matches, Seconds: r.Total().Seconds(), MeanNS: int64(r.Mean())}
}

func profileJSON(e *json.Encoder, out desk.Replay) error {
	for _, c := range costs(out) {
		if err := e.Encode(c); err != nil {
			return err
		}
	}
	return nil
}

// profileText prints the rules that cost something.
func profileText(w io.Writer, out desk.Replay) error {
	all := costs(out)
	if len(all) == 0 {
		fmt.Fprintf(w, "\nNo rule was measured: one record of %d is, once some dozens of its log source were read.\n", profileEvery)
		return nil
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "\nSHARE\tSECONDS\tMEAN\tRECORDS\tTRIED\tMATCHES\t  RULE")
	free := 0
	for _, c := range all {
		if c.MeanNS == 0 && c.Seconds < 0.0005 {
			free++
			continue
		}
		tried := fmt.Sprintf("%.1f%%", 100*c.Tried)
		if c.Rule == "" || c.Tried == 0 {
			tried = ""
		}
		fmt.Fprintf(t, "%.1f%%\t%.3f\t%s\t%d\t%s\t%d\t  %s\n", 100*c.Share, c.Seconds, time.Duration(c.MeanNS), c.Records, tried, c.Matches, Safe(c.Title))
	}
	if err := t.Flush(); err != nil {
		return err
	}
	fmt.Fprintf(w, "One record of %d was measured; seconds are of one core. %s cost nothing that could be measured.\n", profileEvery, counted(free, "rule"))
	return nil
}
