package desk

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"tocsin/internal/auth"
	"tocsin/internal/entry"
	"tocsin/internal/letterbox"
	"tocsin/internal/report"
)

// TestOutsideBadRecipient: a report whose key for answers is none, or one to which nothing can be sealed, is refused; one that is there from before is closed, and
// only words to its reporter are refused.
func TestOutsideBadRecipient(t *testing.T) {
	d := outsideDesk(t, report.Usual())
	const smallOrder = "age1qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq3290gq" // of 32 zeros
	for k, bad := range []string{"age1x", smallOrder, "", strings.Repeat("age1", 20)} {
		x := sealedFor(t, d)
		x.Token, x.Recipient = []byte(fmt.Sprintf("%032d", k)), bad
		challenge, bits := d.Challenge(time.Now())
		if err := d.FileSealed("a", Solved{challenge, report.Work(challenge, bits)}, x); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
	for k, bad := range []string{"age1x", smallOrder} {
		err := d.write(func(s *State, now time.Time) ([]entry.Draft, error) {
			return report.Take(s.reports, now, 50, []report.Filing{{From: report.Unknown, Way: report.Form, Vault: "-", Size: 9, Receipt: bad, Reply: bad}})
		})
		if err != nil {
			t.Fatal(err)
		}
		id := int64(k + 1)
		_, err = d.DecideReport(Local("test"), ReportDeed{Report: id, Deed: "close", Message: "Thank you."})
		if f, ok := errors.AsType[FieldError](err); !ok || f.Field != "message" {
			t.Errorf("%s: words that nobody can read: %v", bad, err)
		}
		if _, err := d.DecideReport(Local("test"), ReportDeed{Report: id, Deed: "close"}); err != nil {
			t.Errorf("%s cannot be closed: %v", bad, err)
		}
	}
}

// TestOutsideOnce: given a form that is sent again because its answer was lost, then it is one report with one receipt, and one message; other words, or another
// form, are others.
func TestOutsideOnce(t *testing.T) {
	d := outsideDesk(t, report.Usual())
	p := report.Parcel{What: "odd", Files: []report.File{{Name: "a.txt", Size: 1, Data: []byte("x")}}}
	file := func(once string, p report.Parcel) report.Receipt {
		t.Helper()
		r, err := d.FilePlainOnce("a", once, p)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	first := file("one", p)
	if again := file("one", p); again != first {
		t.Error("the same form has another receipt")
	}
	other := p
	other.What = "odder"
	if without := file("", p); file("one", other) == first || file("two", p) == first || file("", p) == without {
		t.Error("other words, or another form, have the same receipt")
	}
	if _, all, _ := d.OutsideReports(Local("test"), false, 0, 10); all != 5 {
		t.Errorf("%d reports, want 5", all)
	}
	for _, x := range []struct{ once, what string }{{"a", "more"}, {"a", "more"}, {"b", "more"}, {"a", "other"}} {
		if _, err := d.TellPlain("a", first, x.once, x.what); err != nil {
			t.Fatal(err)
		}
	}
	own, err := letterbox.Derive(first)
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := letterbox.Post(report.Parcel{What: "sealed"}, d.TeamKey(), own.Key.Recipient())
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		challenge, bits := d.Challenge(time.Now())
		th, err := d.TellSealed("a", own.Token[:], Solved{challenge, report.Work(challenge, bits)}, sealed)
		if err != nil || len(th.Rows) != 1+4 {
			t.Fatalf("%d in the thread, %v", len(th.Rows), err)
		}
	}
	lines := ""
	d.Read(func(s *State) { lines = fmt.Sprintf("%+v", s.reports.Waiting()) })
	if hexed := hex.EncodeToString([]byte("one")); strings.Contains(lines, hexed) {
		t.Error("the chance of the form is kept")
	}
}

// TestOutsideAtOnce: given the same report twice in the same moment, when they are written together, then it is one, and of the other nothing is left in the vault.
func TestOutsideAtOnce(t *testing.T) {
	h := newHouse(t)
	l := report.Usual()
	l.Own = 0 // so that they are gathered
	h.o.Outside = &OutsideOptions{Limits: l}
	d, stop := h.start()
	defer stop()
	x := sealedFor(t, d)
	erased := func() int64 {
		st, err := h.data.Stat(vaultDir + "/erased")
		if err != nil {
			t.Fatal(err)
		}
		return st.Size()
	}
	before := erased()
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			f := report.Filing{From: x.From, Way: report.Form, Receipt: "the same", Reply: x.Recipient}
			if err := d.file(time.Now(), "a", f, x.Sealed); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	kept := 0
	d.Read(func(s *State) { kept = len(s.reports.Waiting()) })
	if kept != 1 || erased() <= before {
		t.Errorf("%d reports; of those that came twice nothing was erased: %d bytes, before %d", kept, erased(), before)
	}
}

// TestLetterOnce: given a letter that answers ours, when the connection breaks before it is marked as seen, then it is one message, also for the next start.
func TestLetterOnce(t *testing.T) {
	h := newHouse(t)
	h.o.Outside = &OutsideOptions{Limits: report.Usual()}
	d, stop := h.start()
	head := "From: Mara <mara@research.example>\r\nMessage-ID: <1@research.example>\r\n"
	answer := head + "In-Reply-To: <" + reportMessage(d.vault.Hash, 1, 1) + "@" + d.origin() + ">\r\n\r\nFirefox."
	take := func(raw string) {
		t.Helper()
		if err := d.takeLetter([]byte(raw)); err != nil {
			t.Fatal(err)
		}
	}
	look := func(when string) {
		t.Helper()
		x, _, err := d.OutsideReport(Local("test"), 1)
		_, all, _ := d.OutsideReports(Local("test"), false, 0, 10)
		if err != nil || len(x.Thread) != 1 || x.Unread != 1 || all != 1 {
			t.Errorf("%s: %d messages, %d reports, %v", when, len(x.Thread), all, err)
		}
	}
	take(head + "Subject: A hole\r\n\r\nThe till asks twice.")
	take(answer)
	take(answer)
	look("at once")
	stop()
	d, stop = h.start()
	defer stop()
	take(answer)
	look("after a start")
}

// TestReportMailKept: given an answer that goes by mail, when the disk cannot be read for a while, then the mail is not given up: it goes when the disk is back.
func TestReportMailKept(t *testing.T) {
	h := newHouse(t)
	h.o.Outside = &OutsideOptions{Limits: report.Usual()}
	d := h.still()
	if _, err := d.FilePlain("x", report.Parcel{What: "odd", Contact: "mara@research.example"}); err != nil {
		t.Fatal(err)
	}
	if _, err := d.DecideReport(Local("test"), ReportDeed{Report: 1, Deed: "answer", Message: "Thank you."}); err != nil {
		t.Fatal(err)
	}
	mail := func() (m reportMail) {
		d.Read(func(s *State) {
			for _, x := range s.reportMails {
				m = *x
			}
		})
		return m
	}
	packs := func(from, to string) {
		t.Helper()
		all, err := h.data.ReadDir(vaultDir)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range all {
			if rest, ok := strings.CutPrefix(e.Name(), from); ok {
				if err := h.data.Rename(vaultDir+"/"+e.Name(), vaultDir+"/"+to+rest); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	packs("pack", "away-pack")
	for range 2 * reportMailTries {
		d.sendReportMail(t.Context(), mail())
	}
	if m := mail(); m.done || m.tries != 0 || m.unread != 2*reportMailTries || time.Until(m.again) > reportMailLongest {
		t.Fatalf("after it could not be read: %+v", m)
	}
	packs("away-pack", "pack")
	d.sendReportMail(context.WithoutCancel(t.Context()), mail())
	if m, sent := mail(), h.sent(); !m.done || m.failed || len(sent) != 1 || !strings.Contains(sent[0].Body, "Thank you.") || sent[0].Twice {
		t.Errorf("%+v, sent %+v", m, sent)
	}
}

// TestReportMailOnce: given a list of mails that are owed, when one of them has gone since the list was made, then it is not sent again.
func TestReportMailOnce(t *testing.T) {
	h := newHouse(t)
	h.o.Outside = &OutsideOptions{Limits: report.Usual()}
	d := h.still()
	if _, err := d.FilePlain("x", report.Parcel{What: "odd", Contact: "mara@research.example"}); err != nil {
		t.Fatal(err)
	}
	if _, err := d.DecideReport(Local("test"), ReportDeed{Report: 1, Deed: "answer", Message: "Thank you."}); err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	owed, _ := d.owedReportMails(now)
	for range 2 {
		d.flyReportMails(t.Context(), now, owed)
		d.sending.Wait()
	}
	if n := len(h.sent()); len(owed) != 1 || n != 1 {
		t.Errorf("%d were owed, %d mails went", len(owed), n)
	}
}

// TestUnlockThrottled: who gives too many passphrases that open nothing waits, even with the right one; others do not, and what was right forgets what was wrong.
func TestUnlockThrottled(t *testing.T) {
	_, d, anna, boris, stop := outsideTeam(t, 50)
	defer stop()
	if err := d.MakeReportKey(Local("test"), "the passphrase of ours"); err != nil {
		t.Fatal(err)
	}
	try := func(actor auth.Actor, phrase string) bool { return d.UnlockReports(actor, phrase) == nil }
	for range mostWrong - 1 {
		if try(anna, "another passphrase") {
			t.Fatal("it opens")
		}
	}
	if !try(anna, "the passphrase of ours") {
		t.Error("the right one opens nothing")
	}
	for range mostWrong {
		try(anna, "another passphrase")
	}
	if try(anna, "the passphrase of ours") || !try(boris, "the passphrase of ours") {
		t.Error("anna is not held back, or boris is")
	}
	x := &d.outside
	x.tried[anna.Name].since = time.Now().Add(-wrongFor)
	if !try(anna, "the passphrase of ours") {
		t.Error("an hour later she is still held back")
	}
	tried, err := x.try("carla", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := x.try("carla", time.Now().Add(2*wrongFor)); err == nil {
		t.Error("two are tried at once")
	}
	tried(true)
	if x.tried["carla"].wrong != 1 || x.tried["carla"].now {
		t.Errorf("%+v", x.tried["carla"])
	}
}

// TestFileRefusedEarly: an attachment whose words are too long leaves nothing in the vault, nor does one whose bytes somebody brought meanwhile.
func TestFileRefusedEarly(t *testing.T) {
	h, d, anna, _, stop := outsideTeam(t, 50)
	defer stop()
	id, err := d.Report(anna, "smoke")
	if err != nil {
		t.Fatal(err)
	}
	long := strings.Repeat("x", textAtMost+1)
	for field, x := range map[string]FileText{"from": {Name: "a", From: long}, "why": {Name: "a", From: "shop1", Why: long}} {
		before := h.size(vaultDir)
		_, err := d.AddFile(anna, id, x, strings.NewReader(strings.Repeat("evidence", 1000)))
		if f, ok := errors.AsType[FieldError](err); !ok || f.Field != field {
			t.Errorf("%s: %v", field, err)
		}
		if n := h.size(vaultDir) - before; n != 0 {
			t.Errorf("%s: %d bytes are left in the vault", field, n)
		}
	}
	for name, want := range map[string]string{`C:\shop\.htaccess`: ".htaccess", "a\u202eb\x00.txt": "a_b_.txt", strings.Repeat("ä", 200) + ".log": strings.Repeat("ä", 98) + ".log"} {
		n, err := d.AddFile(anna, id, FileText{Name: name, From: "shop1"}, strings.NewReader(name))
		if err != nil {
			t.Fatal(err)
		}
		if f, err := d.OpenFile(anna, id, n, ""); err != nil || f.Name != want {
			t.Errorf("%q is called %q, want %q (%v)", name, f.Name, want, err)
		}
	}
}
