package desk

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"tocsin/internal/auth"
	"tocsin/internal/entry"
	"tocsin/internal/notify"
	"tocsin/internal/plan"
	"tocsin/internal/report"
)

// TestOutsideAnswersInTwoNumbers: given two answers that were made at once, when the second is written, then its mail has the number of its own message.
func TestOutsideAnswersInTwoNumbers(t *testing.T) {
	s := newState()
	fold := func(n int64, kind entry.Kind, body any) {
		e, _, err := entry.Make(n, time.Now(), entry.Draft{Actor: "desk", Kind: kind, Subject: "report:1", Body: body})
		if err == nil {
			err = s.reports.Fold(e)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	hash := func(_, text string) string { return fmt.Sprintf("%040x", text) }
	m := entry.ReportMail{Report: 1}
	fold(1, entry.ReportFiled, entry.Report{ID: 1, Day: "2026-11-28", From: report.Unknown, Way: report.Mail, Vault: "v", Size: 4096})
	first := wantReportMail(s, hash, m).Body.(entry.ReportMail)
	fold(2, entry.ReportAnswered, entry.ReportStep{ID: 1, Person: "anna", Message: &entry.ReportMessage{ID: 1, N: 1, Vault: "v2"}})
	second := wantReportMail(s, hash, m).Body.(entry.ReportMail)
	if first.N != 1 || second.N != 2 || first.Message == second.Message || reportMessage(hash, 1, 2) != second.Message {
		t.Errorf("%+v and %+v", first, second)
	}
}

// outsideTeam is a desk with reports, and two people of the team.
func outsideTeam(t *testing.T, own int) (h *house, d *Desk, anna, boris auth.Actor, stop func()) {
	t.Helper()
	h = newHouse(t)
	l := report.Usual()
	l.Own = own
	h.o.Outside = &OutsideOptions{Limits: l}
	d, stop = h.start()
	h.team(d)
	anna, boris = h.person(d, "anna"), h.person(d, "boris")
	anna.Via, boris.Via = "s1", "s2"
	return h, d, anna, boris, stop
}

// TestOutsideBucketForTheTeam: given a bucket, when its first report is dealt with, or joins an incident that is restricted to others, then the others
// still wait, are reached, and are decided about together; the one that is hidden stays where it is, and nobody else learns its incident's number.
func TestOutsideBucketForTheTeam(t *testing.T) {
	_, d, anna, boris, stop := outsideTeam(t, 1)
	defer stop()
	var some []report.Filing
	for n := range 5 {
		some = append(some, report.Filing{From: report.Unknown, Way: report.Form, Vault: "-", Size: 9, Receipt: fmt.Sprint("r", n), Reply: "age1x"})
	}
	if err := d.write(func(s *State, now time.Time) ([]entry.Draft, error) { return report.Take(s.reports, now, 1, some) }); err != nil {
		t.Fatal(err)
	}
	do := func(actor auth.Actor, r ReportDeed) int64 {
		t.Helper()
		id, err := d.DecideReport(actor, r)
		if err != nil {
			t.Fatal(err)
		}
		return id
	}
	do(anna, ReportDeed{Report: 1, Deed: "close"})
	secret := do(anna, ReportDeed{Report: 3, Deed: "open"})
	other := do(anna, ReportDeed{Report: 1, Deed: "reopen"}) + do(anna, ReportDeed{Report: 1, Deed: "open"})
	do(anna, ReportDeed{Report: 4, Deed: "join", Incident: secret})
	do(anna, ReportDeed{Report: 4, Deed: "join", Incident: other})
	do(anna, ReportDeed{Report: 2, Deed: "join", Incident: secret})
	if err := d.Restrict(anna, secret, "insider", nil); err != nil {
		t.Fatal(err)
	}
	row := func(actor auth.Actor) OutsideReport {
		t.Helper()
		rows, _, err := d.OutsideReports(actor, true, 0, 10)
		if err != nil || len(rows) == 0 {
			t.Fatalf("%d rows, %v", len(rows), err)
		}
		return rows[0]
	}
	if r := row(anna); r.ID != 5 || r.Bundled != 4 || r.New != 1 {
		t.Errorf("anna sees %d with %d, %d new", r.ID, r.Bundled, r.New)
	}
	r := row(boris)
	if _, all, err := d.OutsideBucket(boris, 5, 0, 10); r.ID != 5 || r.Bundled != 2 || r.New != 1 || all != 1 || err != nil || d.ReportsWaiting(boris) != 1 {
		t.Errorf("boris sees %d with %d, %d new, %d others, %d wait, %v", r.ID, r.Bundled, r.New, all, d.ReportsWaiting(boris), err)
	}
	four, _, err := d.OutsideReport(boris, 4)
	for _, step := range four.Steps {
		if step.Incident == secret || err != nil {
			t.Errorf("boris learns of incident %d: %v", step.Incident, err)
		}
	}
	do(boris, ReportDeed{Report: 5, Deed: "spam", Bucket: true})
	two, _, err := d.OutsideReport(anna, 2)
	if err != nil || two.Done() || two.Incident != secret || d.ReportsWaiting(anna) != 0 {
		t.Errorf("the hidden one: %s, incident %d, %v", two.Standing, two.Incident, err)
	}
	if err := d.Finish(anna, other, "false", "it was nothing", "nothing to learn"); err != nil {
		t.Fatal(err)
	}
	if left := d.ReportsLeft(boris, 0); len(left) != 2 || left[0] != 1 || len(d.ReportsLeft(boris, secret)) != 0 {
		t.Errorf("of closed incidents boris has left %v", left)
	}
}

// TestOutsideKeysAndOff: two keys under two passphrases open what was sealed to each; who would tell a reporter, and cannot read where, is told so; two who
// decide at once; attachments of messages; then, with reports off, all goes on that is under way, and what was to be erased is.
func TestOutsideKeysAndOff(t *testing.T) {
	h, d, anna, boris, stop := outsideTeam(t, 50)
	ok := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	file := func(what string) {
		t.Helper()
		_, err := d.FilePlain("x", report.Parcel{What: what, Contact: "mara@research.example"})
		ok(err)
	}
	ok(d.MakeReportKey(Local("test"), "first passphrase of ours"))
	file("old")
	ok(d.MakeReportKey(Local("test"), "second passphrase of ours"))
	file("new")
	ok(d.UnlockReports(anna, "second passphrase of ours"))
	if _, err := d.OpenOutsideReport(anna, 1); !errors.Is(err, ErrReportLocked) {
		t.Errorf("with the other key: %v", err)
	}
	if _, err := d.DecideReport(anna, ReportDeed{Report: 1, Deed: "close"}); !errors.Is(err, ErrReportLocked) {
		t.Errorf("closed without a word to its reporter: %v", err)
	}
	ok(d.UnlockReports(anna, "first passphrase of ours"))
	for _, id := range []int64{1, 2} {
		if _, err := d.OpenOutsideReport(anna, id); err != nil {
			t.Errorf("report %d with both keys: %v", id, err)
		}
	}
	ok(d.tellByLetter("x", d.hashOf(1), "", report.Parcel{What: "see file", Files: []report.File{{Name: "log.txt", Size: 8, Data: []byte("EVIDENCE")}}}))
	told, err := d.OpenReportWith(anna, 1, func(n int, _ int64) bool { return n == 1 })
	if all := told.All(); err != nil || len(all) != 1 || string(all[0].Data) != "EVIDENCE" || told.Thread[0].What != "see file" {
		t.Errorf("attachments of the thread: %+v, %v", all, err)
	}

	one, _, err := d.OutsideReport(anna, 1)
	ok(err)
	seen := one.Moves()
	_, err = d.DecideReport(boris, ReportDeed{Report: 1, Deed: "open", Reason: "mine", Seen: &seen})
	ok(err)
	erased := func() int64 {
		st, err := h.data.Stat(vaultDir + "/erased")
		ok(err)
		return st.Size()
	}
	before := erased()
	late, second := errors.AsType[*Overtaken](func() error {
		_, err := d.DecideReport(anna, ReportDeed{Report: 1, Deed: "close", Message: "It is mended.", Seen: &seen})
		return err
	}())
	if !second || late.Yours != "It is mended." || late.First != "mine" {
		t.Errorf("the second of two: %+v", late)
	}
	if erased() == before {
		t.Error("what a refused decision kept is still there")
	}

	block := make(chan struct{})
	h.failing(func(ctx context.Context, _ notify.Message) error { // the mail goes at the next start
		select {
		case <-block:
		case <-ctx.Done():
		}
		return ctx.Err()
	})
	_, err = d.DecideReport(anna, ReportDeed{Report: 1, Deed: "close"})
	ok(err)
	var sent entry.ReportMail
	d.Read(func(s *State) {
		for _, m := range s.reportMails {
			sent = m.ReportMail
		}
	})
	ok(d.write(func(*State, time.Time) ([]entry.Draft, error) { // as if the program ended before it erased
		return []entry.Draft{{Actor: "desk", Kind: entry.ReportMailSent, Subject: "report:1", Body: entry.ReportMailEnd{Report: 1, N: sent.N}}}, nil
	}))
	stop()
	close(block)
	h.failing(nil)
	h.o.Outside = nil
	d, stop = h.start()
	defer stop()
	if _, err := d.vault.Get(sent.Vault); sent.Vault == "" || err == nil {
		t.Errorf("the address of a reporter whose mail has gone is still there: %q, %v", sent.Vault, err)
	}
	ok(d.UnlockReports(anna, "second passphrase of ours"))
	if _, err := d.DecideReport(anna, ReportDeed{Report: 2, Deed: "close", Message: "Done."}); err != nil || d.o.Senders[plan.Mail] == nil {
		t.Errorf("with reports off: %v", err)
	}
	if told, err := d.OpenOutsideReport(anna, 2); err != nil || len(told.Thread) != 1 || told.Thread[0].What != "Done." {
		t.Errorf("our answer: %+v, %v", told, err)
	}
	if _, err := d.FilePlain("x", report.Parcel{What: "late"}); !errors.Is(err, ErrNoReportKey) {
		t.Errorf("with reports off one is taken: %v", err)
	}
}

func (d *Desk) hashOf(id int64) (hash string) {
	d.Read(func(s *State) {
		if c, ok := s.reports.Case(id); ok {
			hash = c.Receipt
		}
	})
	return hash
}
