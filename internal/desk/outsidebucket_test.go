package desk

import (
	"fmt"
	"testing"
	"time"

	"tocsin/internal/auth"
	"tocsin/internal/entry"
	"tocsin/internal/report"
)

// bundled puts reports into the bucket of the hour.
func bundled(t *testing.T, d *Desk, from, n int) {
	t.Helper()
	var some []report.Filing
	for k := range n {
		some = append(some, report.Filing{From: report.Unknown, Way: report.Form, Vault: "-", Size: 9, Receipt: fmt.Sprint("r", from+k), Reply: "age1x"})
	}
	if err := d.write(func(s *State, now time.Time) ([]entry.Draft, error) { return report.Take(s.reports, now, 1, some) }); err != nil {
		t.Fatal(err)
	}
}

// decide returns what decides about a report, and the incident that comes of it.
func decide(t *testing.T, d *Desk) func(actor auth.Actor, r ReportDeed) int64 {
	return func(actor auth.Actor, r ReportDeed) int64 {
		t.Helper()
		id, err := d.DecideReport(actor, r)
		if err != nil {
			t.Fatal(err)
		}
		return id
	}
}

// standings are where reports stand, by the first letter of each.
func standings(d *Desk, ids ...int64) (out string) {
	d.Read(func(s *State) {
		for _, id := range ids {
			c, _ := s.reports.Case(id)
			out += string(c.Standing[0])
		}
	})
	return out
}

// TestOutsideBucketOfOthers: given a bucket whose reports were joined together to an incident that is restricted to others, when more come into it and who may
// not see the incident decides about all that are kept together, then those of the incident stay as they are, and so do those of one that is open to all.
func TestOutsideBucketOfOthers(t *testing.T) {
	_, d, anna, boris, stop := outsideTeam(t, 1)
	defer stop()
	do := decide(t, d)
	bundled(t, d, 1, 4) // 2 to 4 are the bucket
	secret := do(anna, ReportDeed{Report: 1, Deed: "open"})
	do(anna, ReportDeed{Report: 2, Deed: "join", Incident: secret, Bucket: true})
	bundled(t, d, 5, 3) // 5 to 7, too
	if err := d.Restrict(anna, secret, "insider", nil); err != nil {
		t.Fatal(err)
	}
	rows, _, err := d.OutsideReports(boris, true, 0, 10)
	if err != nil || len(rows) != 1 || rows[0].ID != 5 || rows[0].Together != 3 {
		t.Fatalf("boris sees %+v, %v", rows, err)
	}
	do(boris, ReportDeed{Report: 5, Deed: "spam", Bucket: true})
	if got := standings(d, 2, 3, 4, 5, 6, 7); got != "jjjsss" {
		t.Errorf("boris dropped the bucket: %s", got)
	}
	bundled(t, d, 8, 1)
	if id := do(boris, ReportDeed{Report: 8, Deed: "open", Bucket: true}); id == secret {
		t.Error("another incident is the same")
	}
	if got := standings(d, 2, 3, 4, 5, 8); got != "jjjso" {
		t.Errorf("boris opened an incident for the bucket: %s", got)
	}
	bundled(t, d, 9, 1)
	do(boris, ReportDeed{Report: 9, Deed: "close", Bucket: true})
	if got := standings(d, 2, 3, 4, 5, 8, 9); got != "jjjsoc" {
		t.Errorf("boris closed what belongs to no incident: %s", got)
	}
	do(anna, ReportDeed{Report: 2, Deed: "close", Bucket: true})
	if got := standings(d, 2, 3, 4, 8); got != "ccco" {
		t.Errorf("anna closed those of the incident: %s", got)
	}
}

// TestOutsideBucketSteps: given a report of a bucket that belonged to an incident that is restricted to others, when the bucket is listed, then its number is not told.
func TestOutsideBucketSteps(t *testing.T) {
	_, d, anna, boris, stop := outsideTeam(t, 1)
	defer stop()
	bundled(t, d, 1, 3)
	do := decide(t, d)
	secret, other := do(anna, ReportDeed{Report: 1, Deed: "open"}), do(anna, ReportDeed{Report: 3, Deed: "open"})
	do(anna, ReportDeed{Report: 3, Deed: "join", Incident: secret})
	do(anna, ReportDeed{Report: 3, Deed: "join", Incident: other})
	if err := d.Restrict(anna, secret, "insider", nil); err != nil {
		t.Fatal(err)
	}
	rows, all, err := d.OutsideBucket(boris, 2, 0, 10)
	if err != nil || all != 1 || len(rows[0].Steps) != 3 {
		t.Fatalf("%+v, %v", rows, err)
	}
	for _, step := range rows[0].Steps {
		if step.Incident == secret {
			t.Error("boris learns of the incident")
		}
	}
}

// TestOutsideBucketUnseen: given a bucket, when more come into it after somebody has looked, then their decision about all that are kept together leaves those
// that came later to be read.
func TestOutsideBucketUnseen(t *testing.T) {
	_, d, anna, _, stop := outsideTeam(t, 1)
	defer stop()
	bundled(t, d, 1, 3)
	x, _, err := d.OutsideReport(anna, 2)
	if err != nil || x.Last != 3 || x.Together != 2 {
		t.Fatalf("%+v, %v", x, err)
	}
	bundled(t, d, 4, 2)
	if _, err := d.DecideReport(anna, ReportDeed{Report: 2, Deed: "spam", Bucket: true, Last: x.Last}); err != nil {
		t.Fatal(err)
	}
	if got := standings(d, 2, 3, 4, 5); got != "ssnn" || d.ReportsWaiting(anna) != 3 {
		t.Errorf("they stand %s, %d wait", got, d.ReportsWaiting(anna))
	}
	if _, err := d.DecideReport(anna, ReportDeed{Report: 4, Deed: "spam", Bucket: true, Last: 3}); err == nil {
		t.Error("what was seen is dropped twice")
	}
}

// TestOutsideBucketInParts: given a bucket of which some got an incident together, when the others get one of their own, then what is decided about either part together
// leaves the other as it is, and each says how many it is.
func TestOutsideBucketInParts(t *testing.T) {
	_, d, anna, _, stop := outsideTeam(t, 1)
	defer stop()
	count := func(id int64, together, free int) {
		t.Helper()
		if x, _, err := d.OutsideReport(anna, id); err != nil || x.Together != together || x.Free != free {
			t.Errorf("report %d: %d together, %d of no incident; %v", id, x.Together, x.Free, err)
		}
	}
	do := decide(t, d)
	bundled(t, d, 1, 5) // 2 to 5 are the bucket
	count(2, 4, 4)
	count(4, 0, 0)
	first := do(anna, ReportDeed{Report: 2, Deed: "open", Bucket: true, Last: 3})
	count(2, 4, 2)
	count(4, 2, 2)
	if second := do(anna, ReportDeed{Report: 4, Deed: "open", Bucket: true}); second == first {
		t.Fatal("they are one incident")
	}
	count(2, 2, 0)
	count(5, 2, 0)
	do(anna, ReportDeed{Report: 5, Deed: "close", Bucket: true})
	if got := standings(d, 2, 3, 4, 5); got != "oocc" {
		t.Errorf("they stand %s", got)
	}
}

// TestReportsLeftOfMerged: given a report of an incident that was merged into another, when that one is closed, then the report is named as left, by either number.
func TestReportsLeftOfMerged(t *testing.T) {
	_, d, anna, boris, stop := outsideTeam(t, 1)
	defer stop()
	bundled(t, d, 1, 2)
	open := func(id int64) int64 {
		t.Helper()
		i, err := d.DecideReport(anna, ReportDeed{Report: id, Deed: "open"})
		if err != nil {
			t.Fatal(err)
		}
		return i
	}
	one, two := open(1), open(2)
	if err := d.Merge(anna, one, two, "the same hand"); err != nil {
		t.Fatal(err)
	}
	if a, b := d.ReportsLeft(boris, one), d.ReportsLeft(boris, two); len(a) != 2 || len(b) != 2 {
		t.Errorf("before it is closed: %v, %v", a, b)
	}
	if err := d.Finish(anna, two, "false", "it was nothing", "nothing to learn"); err != nil {
		t.Fatal(err)
	}
	if left := d.ReportsLeft(boris, 0); len(left) != 2 {
		t.Errorf("of closed incidents are left %v", left)
	}
}
