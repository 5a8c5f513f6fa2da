package review

import (
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write golden files that do not exist yet; never changes one that does")

// full is a case of which much is known.
func full() Case {
	at := func(h float64) time.Time { return t0.Add(time.Duration(h * float64(time.Hour))) }
	return Case{ID: 4, Title: "Skimmer in the checkout", Kind: "skimmer", Severity: "critical", Verdict: "true", Happened: at(-200), Detected: at(0), Answered: at(0.1), Contained: at(2),
		Recovered: at(9), Closed: at(30), ToldBy: "customer", NightShift: true,
		Timeline:  []Moment{{at(0), "A customer's bank asked", "anna"}, {at(1), "The script was *removed* <b>", "boris"}},
		Decisions: []Decision{{at(0.5), "Close the shop?", "Yes, for an hour", "cards are stolen meanwhile", "anna"}},
		Steps:     []Worked{{"Save the page", "analyst", "done", 30 * time.Minute, 20 * time.Minute}, {"Close the checkout", "engineer", "done", 15 * time.Minute, 65 * time.Minute}, {"Tell the bank", "legal", "skipped", 0, 0}},
		Reopened:  1, Unanswered: 1, LateWords: 2, Unheld: []string{"legal"}, Alone: []string{"anna"}, Dropped: 12, Undone: []string{"block 203.0.113.9"}, Backup: "the backup of the night before",
		Measures: []string{"Hash every script of the checkout"}}
}

func TestAgenda(t *testing.T) {
	got := Make(full(), time.UTC).Text()
	name := filepath.Join("testdata", "agenda.md")
	want, err := os.ReadFile(name)
	if os.IsNotExist(err) && *update {
		err = os.WriteFile(name, []byte(got), 0o644)
		want = []byte(got)
	}
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("the agenda is another one:\n%s", got)
	}
}

// An agenda of nothing asks all the same; one of a huge and hostile case stays readable.
func TestAgendaBounds(t *testing.T) {
	empty := Make(Case{ID: 1}, time.UTC)
	if len(empty.Items) != 8 || !strings.Contains(empty.Text(), "Time to recover: not known") {
		t.Errorf("%+v", empty)
	}
	c := full()
	c.Title = "a\u202eb\x00\n# c"
	for range 10_000 {
		c.Timeline = append(c.Timeline, Moment{t0, strings.Repeat("](x", 5000), "eve"})
	}
	text := Make(c, time.UTC).Text()
	if len(text) > 60_000 || strings.ContainsAny(text, "\u202e\x00") || !strings.HasPrefix(text, "# Internal review of incident 4: ab \\# c\n") {
		t.Errorf("%d bytes, %.200q", len(text), text)
	}
}

// What is not known is not praised.
func TestTheAgendaPraisesOnlyWhatItKnows(t *testing.T) {
	praise := []string{"Every call was answered in its time.", "Every role was held.", "Every role was held, by different people.", "1 step was done within the plan's time."}
	for name, tt := range map[string]struct {
		c    Case
		want []string
	}{
		"nobody was rung":           {Case{Answered: t0, Unheld: []string{"legal"}}, nil},
		"all were answered":         {Case{Calls: 2, Unheld: []string{"legal"}}, praise[:1]},
		"one was not":               {Case{Calls: 2, Unanswered: 1, Unheld: []string{"legal"}}, nil},
		"one held two roles":        {Case{Twice: true}, praise[1:2]},
		"one held three":            {Case{Twice: true, Alone: []string{"anna"}}, nil},
		"each held one":             {Case{}, praise[2:3]},
		"nobody knows how long":     {Case{Twice: true, Steps: []Worked{{State: "done", Took: time.Hour}}}, praise[1:2]},
		"it was done in its time":   {Case{Twice: true, Steps: []Worked{{State: "done", Within: time.Hour, Took: time.Hour}}}, []string{praise[1], praise[3]}},
		"it was done after its end": {Case{Twice: true, Steps: []Worked{{State: "done", Within: time.Hour, Took: 2 * time.Hour}}}, praise[1:2]},
	} {
		var got []string
		for _, says := range tt.c.well() {
			if slices.Contains(praise, says) {
				got = append(got, says)
			}
		}
		slices.Sort(got)
		if want := slices.Sorted(slices.Values(tt.want)); !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if got := (Case{ToldBy: "employee"}).luck(); !slices.Contains(got, "It was an employee who told us, and no rule.") {
		t.Errorf("%q", got)
	}
}

func TestFigures(t *testing.T) {
	from, until := QuarterOf(t0)
	if from.Format(time.DateOnly) != "2026-10-01" || until.Format(time.DateOnly) != "2027-01-01" {
		t.Errorf("the quarter is %v to %v", from, until)
	}
	var cases []Case
	for n := 1; n <= 10; n++ {
		cases = append(cases, Case{Severity: "high", Kind: "skimmer", Verdict: "true", Happened: t0.Add(-time.Duration(n) * time.Hour), Detected: t0, Answered: t0.Add(time.Minute), Closed: days(1)})
	}
	cases = append(cases, Case{Drill: true, Detected: t0}, Case{Verdict: "false", Detected: t0}, Case{Severity: "critical", Detected: t0, Answered: t0.Add(-time.Hour)}, Case{Detected: until})
	f := Sum(cases, from, until)
	if f.Incidents != 11 || f.Open != 1 || f.False != 1 || f.Drills != 1 || len(f.Groups) != 2 || f.Groups[0] != (Group{"critical", "", 1}) || f.Groups[1] != (Group{"high", "skimmer", 10}) {
		t.Errorf("%+v", f)
	}
	if x := f.Times[0]; x != (Figure{"detect", 10, 1, 5 * time.Hour, 9 * time.Hour}) {
		t.Errorf("%+v", x)
	}
	if x := f.Times[1]; x != (Figure{"answer", 10, 1, time.Minute, time.Minute}) {
		t.Errorf("%+v", x)
	}
	if x := f.Times[3]; x != (Figure{"recover", 0, 11, 0, 0}) {
		t.Errorf("%+v", x)
	}
	if x := Sum(nil, from, until); x.Incidents != 0 || len(x.Times) != 4 {
		t.Errorf("%+v", x)
	}
}

func TestSpan(t *testing.T) {
	for d, want := range map[time.Duration]string{0: "0 s", 40 * time.Second: "40 s", 90 * time.Second: "1 min", 125 * time.Minute: "2 h 5 min", 26 * time.Hour: "1 day 2 h", 48 * time.Hour: "2 days", -time.Hour: "-1 h"} {
		if got := Span(d); got != want {
			t.Errorf("%v is %q, want %q", d, got, want)
		}
	}
}
