package desk

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"tocsin/internal/letterbox"
	"tocsin/internal/notify"
	"tocsin/internal/report"
)

// outsideDesk is a desk that runs, with the page for reports.
func outsideDesk(t *testing.T, limits report.Limits) *Desk {
	t.Helper()
	h := newHouse(t)
	h.o.Outside = &OutsideOptions{Limits: limits, Addresses: []string{"security@shop.example"}}
	d, stop := h.start()
	t.Cleanup(stop)
	return d
}

// TestManyReports: given a flood from many networks, when more come than people can look at, then all are taken, those beyond the first are kept together, and
// the team is called once. TOCSIN_SOAK=1 takes 10,000.
func TestManyReports(t *testing.T) {
	many := 260
	if os.Getenv("TOCSIN_SOAK") != "" {
		many = 10000
	}
	l := report.Usual()
	d := outsideDesk(t, l)
	x := sealedFor(t, d)
	at := make(chan int)
	var wg sync.WaitGroup
	var mu sync.Mutex
	var failed error
	for range 220 {
		wg.Go(func() {
			for n := range at { // without the work, of which package report has tests
				err := d.file(time.Now(), fmt.Sprint("network ", n/10), report.Filing{From: x.From, Way: report.Form, Receipt: d.receiptHash([]byte(fmt.Sprintf("%032d", n))), Reply: x.Recipient}, x.Sealed)
				mu.Lock()
				failed = errors.Join(failed, err)
				mu.Unlock()
			}
		})
	}
	for n := range many {
		if n == many-1 { // the team works meanwhile; the first ones are written by now
			if _, err := d.DecideReport(Local("test"), ReportDeed{Report: 1, Deed: "answer", Message: "Thank you."}); err != nil {
				t.Error(err)
			}
		}
		at <- n
	}
	close(at)
	wg.Wait()
	if failed != nil {
		t.Fatal(failed)
	}
	rows, all, err := d.OutsideReports(Local("test"), true, 0, 1000)
	if err != nil || all != l.Own+1 || rows[0].Bundled != many-l.Own || d.ReportsWaiting(Local("test")) != many-1 { // one was answered
		t.Fatalf("%d rows, the first %+v, %v", all, rows[0], err)
	}
	rung := func() (n int) {
		d.Read(func(s *State) {
			for _, a := range s.Incidents.Alerts {
				if a.Rule == ReportRule {
					n++
				}
			}
		})
		return n
	}
	for end := time.Now().Add(20 * time.Second); rung() == 0 && time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
	}
	var m runtime.MemStats
	if runtime.ReadMemStats(&m); m.HeapAlloc > 400<<20 { // with the disk of this test, which is in memory
		t.Errorf("%d reports take %d MB", many, m.HeapAlloc>>20)
	}
	if wave, _ := d.ReportFlood(time.Now()); wave != many || rung() != 1 {
		t.Errorf("a wave of %d, called for %d times", wave, rung())
	}
	if _, err := d.DecideReport(Local("test"), ReportDeed{Report: rows[0].ID, Deed: "spam", Bucket: true}); err != nil {
		t.Fatal(err)
	}
	if n := d.ReportsWaiting(Local("test")); n != l.Own-1 {
		t.Errorf("%d wait after the bucket was dropped, want %d", n, l.Own)
	}
}

// sealedFor is a report as the page's script seals it.
func sealedFor(t *testing.T, d *Desk) SealedReport {
	t.Helper()
	own, err := letterbox.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	b, err := letterbox.Post(report.Parcel{What: "x"}, d.TeamKey(), own.Recipient())
	if err != nil {
		t.Fatal(err)
	}
	return SealedReport{From: report.Unknown, Recipient: own.Recipient(), Sealed: b}
}

// TestOutsideDoor: what is no work, no seal or too much is refused, and counts nothing; what was sent twice is taken once.
func TestOutsideDoor(t *testing.T) {
	limits := report.Usual()
	limits.Net, limits.Wrong = 2, 3
	d := outsideDesk(t, limits)
	x := sealedFor(t, d)
	x.Token = make([]byte, 32)
	work := func() Solved {
		challenge, bits := d.Challenge(time.Now())
		return Solved{challenge, report.Work(challenge, bits)}
	}
	used := work()
	if err := d.FileSealed("a", used, x); err != nil {
		t.Fatal(err)
	}
	if err := d.FileSealed("a", work(), x); err != nil {
		t.Errorf("the same once more: %v", err)
	}
	other := x
	other.Token = []byte(strings.Repeat("b", 32))
	plain := x
	plain.Sealed = []byte("readable")
	for name, c := range map[string]struct {
		w    Solved
		x    SealedReport
		want error
	}{"used work": {used, other, ErrNotWorked}, "no work": {Solved{}, other, ErrNotWorked}, "full": {work(), other, report.Refusal{}}, "readable": {work(), plain, nil}} {
		err := d.FileSealed("a", c.w, c.x)
		_, full := errors.AsType[report.Refusal](err)
		if err == nil || c.want == ErrNotWorked && !errors.Is(err, ErrNotWorked) || name == "full" && !full {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, all, _ := d.OutsideReports(Local("test"), false, 0, 10); all != 1 {
		t.Errorf("%d reports, want 1", all)
	}
	for n := range 3 {
		if _, err := d.ReportThread("b", []byte(fmt.Sprintf("%032d", n)), Solved{}); !errors.Is(err, report.ErrReceipt) {
			t.Errorf("a wrong receipt: %v", err)
		}
	}
	if _, err := d.ReportThread("c", x.Token, Solved{}); !errors.Is(err, ErrNotWorked) {
		t.Errorf("while many are wrong a look-up costs work: %v", err)
	}
	if th, err := d.ReportThread("c", x.Token, work()); err != nil || len(th.Rows) != 1 {
		t.Errorf("with work: %+v, %v", th, err)
	}
}

// TestLettersWait: strangers at the page's plain form do not shut the mailbox, and a letter for which there is no room yet waits in it.
func TestLettersWait(t *testing.T) {
	limits := report.Usual()
	limits.Plain = 2
	d := outsideDesk(t, limits)
	for k := range 3 {
		_, err := d.FilePlain(fmt.Sprint("net ", k), report.Parcel{What: "x"})
		if _, refused := errors.AsType[report.Refusal](err); refused != (k == 2) {
			t.Fatal(k, err)
		}
	}
	for k, want := range []error{nil, nil, notify.ErrLater} {
		if err := d.takeLetter(fmt.Appendf(nil, "From: a%d@b.example\r\nSubject: %d\r\n\r\nhi", k, k)); err != want {
			t.Errorf("letter %d: %v, want %v", k, err, want)
		}
	}
}

// TestLettersAreReports: mail becomes a report; an answer to ours goes on in its thread; what is automatic, our own or forged does not.
func TestLettersAreReports(t *testing.T) {
	d := outsideDesk(t, report.Usual())
	take := func(raw string) {
		t.Helper()
		if err := d.takeLetter([]byte(raw)); err != nil {
			t.Fatal(err)
		}
	}
	count := func() int { _, all, _ := d.OutsideReports(Local("test"), false, 0, 10); return all }
	head := "From: Mara <mara@research.example>\r\nMessage-ID: <1@research.example>\r\n"
	take(head + "Subject: A hole\r\n\r\nThe till asks twice.")
	take(head + "Subject: A hole\r\n\r\nThe till asks twice.") // the connection broke before it was marked as seen
	if count() != 1 {
		t.Fatal("the mail is no report, or two")
	}
	told, err := d.OpenOutsideReport(Local("test"), 1)
	if err != nil || told.What != "A hole\n\nThe till asks twice." || told.Contact != "mara@research.example" {
		t.Fatalf("%+v, %v", told, err)
	}
	take(head + "Auto-Submitted: auto-replied\r\n\r\nI am on leave.")
	take("From: security@shop.example\r\nMessage-ID: <2@x>\r\n\r\nours")
	take("From: a@b.example\r\nMessage-ID: <report-1-1-x@" + d.origin() + ">\r\n\r\nours, too")
	take("not even a mail")
	if count() != 1 {
		t.Errorf("%d reports, want 1", count())
	}
	ours := reportMessage(d.vault.Hash, 1, 1)
	take(head + "In-Reply-To: <" + ours + "@" + d.origin() + ">\r\n\r\nFirefox.")
	take(head + "In-Reply-To: <report-1-1-" + strings.Repeat("a", 20) + "@" + d.origin() + ">\r\n\r\nforged")
	x, _, err := d.OutsideReport(Local("test"), 1)
	if err != nil || len(x.Thread) != 1 || x.Unread != 1 || count() != 2 {
		t.Errorf("%d messages, %d unread, %d reports, %v", len(x.Thread), x.Unread, count(), err)
	}
	if to := mailAddress("write to <mara@research.example>, or call"); to != "mara@research.example" {
		t.Errorf("the address is %q", to)
	}
}
