package desk

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"tocsin/internal/auth"
	"tocsin/internal/entry"
	"tocsin/internal/plan"
	"tocsin/internal/report"
)

// tokenOf is somebody by a token that may do all that they may.
func tokenOf(a auth.Actor) auth.Actor {
	a.Scope, a.Via = auth.Actions(), "token:1"
	return a
}

// Given what is TLP:RED, when a token says that more people may hear it, then it stays as it is; when its owner says so, signed in, it is done. To make it narrower a token may.
func TestNoTokenLiftsRed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, d, stop := burns(t)
		defer stop()
		anna := person("anna", plan.Commander)
		token := tokenOf(anna)
		refused := func(what, label string) {
			t.Helper()
			if !d.LiftsRed(anna, 1, what, label) {
				t.Errorf("%q as %q is not known to lift RED", what, label)
			}
			if err := d.SetLabel(token, 1, what, label, "let them read"); !errors.Is(err, ErrLabel) || !strings.Contains(err.Error(), "token") {
				t.Errorf("%q as %q by a token: %v", what, label, err)
			}
		}
		must(t, d.State(anna, 1, 0, "it was Carl"), d.SetLabel(token, 1, "statement", "RED", ""))
		refused("statement", "GREEN")
		refused("statement", "")
		must(t, d.SetLabel(token, 1, "", "RED", ""))
		for _, label := range []string{"CLEAR", "GREEN", "AMBER", "AMBER+STRICT", "tlp:amber", ""} {
			refused("", label)
		}
		refused("cause", "AMBER") // which had none of its own
		if err := d.SetLabel(token, 1, "", "RED", ""); err == nil || errors.Is(err, ErrLabel) {
			t.Errorf("what it has already: %v", err)
		}
		h.feed(d, request(time.Now(), "198.51.100.9", "/odd"))
		time.Sleep(time.Minute)
		synctest.Wait()
		must(t, d.Merge(anna, 2, 1, "the same hand"))
		if err := d.Unmerge(token, 2, "another"); !errors.Is(err, ErrLabel) || !d.PartsRed(anna, 2) {
			t.Errorf("a part of what is RED taken out by a token: %v", err)
		}
		must(t, d.Unmerge(anna, 2, "another"), d.SetLabel(anna, 1, "", "AMBER", "it is over"), d.SetLabel(anna, 1, "statement", "AMBER", "he was told"), d.SetLabel(token, 1, "", "GREEN", "partners may know"))
		if d.PartsRed(anna, 2) || d.LiftsRed(anna, 1, "", "CLEAR") || d.LiftsRed(anna, 9, "", "CLEAR") || d.LiftsRed(anna, 1, "task:7", "CLEAR") {
			t.Error("what is not RED is lifted from it")
		}
		if err := d.SetLabel(anna, 1, "statement", "RED", ""); err != nil {
			t.Error(err)
		}
		_, seen := d.known(1)
		must(t, d.State(anna, 1, seen, "it was Dora"))
		late, ok := errors.AsType[*Overtaken](d.State(token, 1, seen, "I think it was Carl"))
		if !ok || strings.Contains(late.First+late.Error(), "Dora") || !strings.Contains(late.First, "TLP:RED") {
			t.Errorf("a token that comes second is shown %+v", late)
		}
		if late, ok := errors.AsType[*Overtaken](d.State(anna, 1, seen, "I think it was Carl")); !ok || late.First != "it was Dora" {
			t.Errorf("a person who comes second is shown %+v", late)
		}
	})
}

// known is what is known of an incident, and by which entry.
func (d *Desk) known(id int64) (text string, n int64) {
	d.Read(func(s *State) {
		i, _ := s.Incidents.Get(id)
		all := i.Command().Statements
		text, n = all[len(all)-1].What.Text, all[len(all)-1].N
	})
	return d.Text(text), n
}

// Given a report that belongs to an incident, when that becomes RED or restricted, then no token opens the report, and nobody else reads the reason for which it was joined.
func TestReportsOfRedAndRestricted(t *testing.T) {
	_, d, anna, boris, stop := outsideTeam(t, 1)
	defer stop()
	for _, what := range []string{"first", "second", "it is Carl, he sells our data"} {
		_, err := d.FilePlain("x", report.Parcel{What: what})
		must(t, err)
	}
	id, err := d.Report(anna, "an insider")
	must(t, err)
	other, err := d.Report(anna, "something else")
	must(t, err)
	for _, x := range []ReportDeed{{Report: 1, Deed: "join", Incident: other, Reason: "it is the other"}, {Report: 3, Deed: "join", Incident: id, Reason: "Carl was seen"}} {
		_, err := d.DecideReport(anna, x)
		must(t, err)
	}
	reasons := func(actor auth.Actor, number int64) (out string) {
		x, _, err := d.OutsideReport(actor, number)
		for _, s := range x.Steps {
			out += d.Text(s.Text) + "\n"
		}
		return fmt.Sprint(out, err)
	}
	token := tokenOf(boris)
	if _, err := d.OpenOutsideReport(token, 3); err != nil || !strings.Contains(reasons(token, 3), "Carl") {
		t.Fatalf("a report that nobody keeps inside, to a token: %v", err)
	}
	must(t, d.SetLabel(anna, id, "", "RED", ""))
	if x, err := d.OpenOutsideReport(token, 3); !errors.Is(err, ErrLabel) || x.What != "" {
		t.Errorf("a token opens a report of what is RED: %q, %v", x.What, err)
	}
	if s := reasons(token, 3); strings.Contains(s, "Carl") || !strings.Contains(s, "TLP:RED") {
		t.Errorf("a token reads why it was joined: %s", s)
	}
	if _, err := d.DecideReport(tokenOf(anna), ReportDeed{Report: 3, Deed: "join", Incident: other, Reason: "it is that one"}); !errors.Is(err, ErrRedByToken) || !d.ReportOfRed(anna, 3) || d.ReportOfRed(anna, 1) {
		t.Errorf("a token takes a report out of what is RED: %v", err)
	}
	if x, err := d.OpenOutsideReport(boris, 3); err != nil || x.What != "it is Carl, he sells our data" || !strings.Contains(reasons(boris, 3), "Carl") {
		t.Errorf("one of the team: %q, %v", x.What, err)
	}
	_, err = d.DecideReport(anna, ReportDeed{Report: 3, Deed: "join", Incident: other, Reason: "after all"})
	must(t, err, d.Restrict(anna, id, "insider", []string{"anna"}))
	if err := d.Restrict(tokenOf(anna), id, "insider", []string{"anna", "boris"}); !errors.Is(err, ErrRedByToken) {
		t.Errorf("a token names others for what is RED: %v", err)
	}
	if s := reasons(boris, 3); strings.Contains(s, "Carl") || !strings.Contains(s, "after all") {
		t.Errorf("who is not named reads why it was joined to what is restricted: %s", s)
	}
	_, bucket, err := d.OutsideReport(boris, 2) // with which the third is kept together
	for _, o := range bucket {
		for _, s := range o.Steps {
			if s.Incident == id || strings.Contains(d.Text(s.Text), "Carl") {
				t.Errorf("by the others of its bucket boris learns of incident %d: %q", s.Incident, d.Text(s.Text))
			}
		}
	}
	if err != nil || len(bucket) == 0 {
		t.Errorf("%d in the bucket, %v", len(bucket), err)
	}
	if s := reasons(anna, 3); !strings.Contains(s, "Carl was seen") {
		t.Errorf("who is named does not: %s", s)
	}
}

// Given evidence that is RED, and incidents that are one, when the report is written, then what was done names the evidence by its number alone, each name is that of the right file, and
// the cause of a part has the part's label.
func TestTheReportNamesTheRightFiles(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, d, stop := burns(t)
		defer stop()
		anna := person("anna", plan.Commander)
		h.feed(d, request(time.Now(), "198.51.100.9", "/odd"))
		time.Sleep(time.Minute)
		synctest.Wait()
		file := func(id int64, name, label string) {
			t.Helper()
			_, err := d.AddFile(anna, id, FileText{Name: name, Kind: "code", From: "shop1", Label: label}, strings.NewReader(name))
			must(t, err)
		}
		file(1, "carl.php", "RED")
		file(1, "open.php", "")
		file(2, "dora.php", "RED")
		file(2, "part.php", "")
		must(t, d.PutCause(anna, 2, CauseText{Class: "person", Sum: "a letter was opened", Whys: []ReasonText{{Text: "nobody looked", Links: []entry.Link{{Kind: "attachment", Ref: "1"}, {Kind: "attachment", Ref: "2"}}}}}))
		must(t, d.Merge(anna, 2, 1, "the same hand"))
		must(t, d.FinishStep(anna, StepDone{Run: 1, Step: "look", Found: "a letter", Answers: map[string]string{"where": "the cellar", "big": "no"}, Evidence: []string{"1", "2", "2/1", "2/2"}}))
		says := func(id int64) string {
			t.Helper()
			m, err := d.Dossier(anna, id, DossierAsk{Form: "md", Audience: "AMBER"})
			must(t, err)
			return strings.ReplaceAll(string(m.Bytes), `\`, "")
		}
		text := says(1)
		for _, want := range []string{"evidence 1;", "evidence 2: open.php", "evidence 2/1;", "evidence 2/2: part.php", "Why 1: attachment 2/1", "attachment 2/2: part.php", "a letter was opened"} {
			if !strings.Contains(text, want) {
				t.Errorf("it lacks %q", want)
			}
		}
		for _, never := range []string{"carl.php", "dora.php", "2/1:", "evidence 1:"} {
			if strings.Contains(text, never) {
				t.Errorf("it says %q", never)
			}
		}
		must(t, d.SetLabel(anna, 2, "cause", "RED", ""))
		for _, id := range []int64{1, 2} {
			if text := says(id); strings.Contains(text, "a letter was opened") || strings.Contains(text, "nobody looked") || strings.Contains(text, "attachment 2/") {
				t.Errorf("the report of incident %d has the cause of a part, which is RED", id)
			}
		}
	})
}

// Given measures, a review and reminders of an incident that is restricted, or RED for the team, and an exception that was made in it, when others read the ledger or the
// exceptions, then none of it is there; nor does a token get the exception's words.
func TestTheLedgerHidesWhatFollows(t *testing.T) {
	anna, boris, rita := person("anna", plan.Commander), person("boris", plan.Engineer), person("rita", plan.Reader)
	for _, x := range []struct {
		name    string
		keep    func(d *Desk) error
		other   auth.Actor   // who may not know
		hearing []auth.Actor // who reads the exception
	}{
		{"restricted", func(d *Desk) error { return d.Restrict(anna, 1, "insider", []string{"anna"}) }, boris, []auth.Actor{anna}},
		{"RED", func(d *Desk) error { return d.SetLabel(anna, 1, "", "RED", "") }, rita, []auth.Actor{anna, boris}},
	} {
		t.Run(x.name, func(t *testing.T) { ledgerHides(t, x.keep, x.other, x.hearing) })
	}
}

func ledgerHides(t *testing.T, keep func(d *Desk) error, other auth.Actor, hearing []auth.Actor) {
	synctest.Test(t, func(t *testing.T) {
		_, d, stop := burns(t)
		defer stop()
		anna := person("anna", plan.Commander)
		n, err := d.AddMeasure(anna, 1, MeasureText{Text: "watch Carl", Owner: "anna", Due: time.Now().Add(time.Hour)})
		must(t, err, d.StepMeasure(anna, 1, n, "done", "he is watched"), d.CallReview(anna, 1, ReviewCalling{At: time.Now().Add(time.Hour), Chair: "anna"}))
		_, err = d.AddMeasure(anna, 1, MeasureText{Text: "lock Carl out", Owner: "anna", Due: time.Now().Add(time.Hour)})
		must(t, err)
		rows, err := d.Exceptions(anna, 1)
		must(t, err)
		must(t, d.Triage(anna, 1, "false-alarm", "Carl was told to do it", &TriageMute{Exception: rows[0].Key(), Until: time.Now().Add(24 * time.Hour)}), keep(d))
		time.Sleep(3 * 24 * time.Hour)
		synctest.Wait()
		read := func(actor auth.Actor) (kinds map[entry.Kind]int, hidden int) {
			all, err := d.EntriesFor(actor, 10_000)
			must(t, err)
			kinds = map[entry.Kind]int{}
			for _, e := range all {
				if e.Kind == "" {
					hidden++
				}
				noun, number, _ := strings.Cut(e.Subject, ":")
				if noun == "reminder" { // its subject is what was reminded of, which may be a part of the plan
					d.Read(func(s *State) {
						n, _ := strconv.Atoi(number)
						noun, _, _ = strings.Cut(s.Reviews.Reminders[n-1].About, ":")
					})
				}
				if slices.Contains([]string{"measure", "review", "incident", "mute"}, noun) {
					kinds[e.Kind]++
				}
			}
			return kinds, hidden
		}
		mine, _ := read(anna)
		for _, k := range []entry.Kind{entry.MeasurePut, entry.MeasureDone, entry.ReviewCalled, entry.ReminderWanted, entry.ReminderSent, entry.MuteAdded} {
			if mine[k] == 0 {
				t.Errorf("who is named sees no %s, so that others do not proves nothing", k)
			}
		}
		if theirs, hidden := read(other); len(theirs) != 0 || hidden == 0 {
			t.Errorf("who is not named reads %v, and %d entries that say nothing", theirs, hidden)
		}
		says := func(actor auth.Actor) (out string) {
			d.ReadAs(actor, func(s *State) {
				for _, m := range s.Tuning.Mutes {
					x := d.MuteText(m.Vault)
					out += x.Address + " " + x.Account + " " + x.Why
				}
			})
			return out
		}
		for _, actor := range []auth.Actor{other, tokenOf(anna)} {
			if s := says(actor); strings.Contains(s, "Carl") || strings.Contains(s, "192.0.2.7") || s == "" {
				t.Errorf("the exception says to others %q", s)
			}
		}
		for _, actor := range hearing {
			if s := says(actor); !strings.Contains(s, "Carl was told") || !strings.Contains(s, "192.0.2.7") {
				t.Errorf("the exception says to %s %q", actor.ID, s)
			}
		}
	})
}
