package web

import (
	"bytes"
	"context"
	"fmt"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"tocsin/internal/desk"
	"tocsin/internal/report"
	"tocsin/ui"
)

var onceIn = regexp.MustCompile(`name="once" value="([^"]+)"`)

// TestReportSentTwice: given a form of somebody without script, when it is sent again because its answer was lost, then it is one report with one receipt, and one
// message; each form that is drawn has a chance of its own, and what is refused keeps it.
func TestReportSentTwice(t *testing.T) {
	c := outsideConsole(t)
	out := c.as(t, "")
	drawn := func(body string) string {
		t.Helper()
		m := onceIn.FindStringSubmatch(body)
		if m == nil {
			t.Fatalf("no chance in %s", body)
		}
		return m[1]
	}
	once := drawn(out.get("/report").body)
	if drawn(out.get("/report").body) == once {
		t.Error("two forms have the same chance")
	}
	if a := out.sendForm("/report", map[string]string{"once": once}, nil); a.code != 422 || drawn(a.body) != once {
		t.Errorf("an empty form: %d", a.code)
	}
	receipt := ""
	for range 2 {
		a := out.sendForm("/report", map[string]string{"once": once, "what": "odd", "from": "customer"}, map[string][]byte{"a.txt": []byte("x")})
		m := receiptIn.FindStringSubmatch(a.body)
		if a.code != 200 || m == nil || receipt != "" && m[1] != receipt {
			t.Fatalf("%d, receipt %v, before %q", a.code, m, receipt)
		}
		receipt = m[1]
	}
	once = drawn(out.sendForm("/report/thread", map[string]string{"receipt": receipt}, nil).body)
	for range 2 {
		if a := out.sendForm("/report/answer", map[string]string{"receipt": receipt, "once": once, "what": "one thing more"}, nil); a.code != 200 || strings.Count(a.body, "one thing more") != 1 {
			t.Errorf("%d %s", a.code, a.body)
		}
	}
	if rows, all, err := c.desk.OutsideReports(desk.Local("test"), false, 0, 10); err != nil || all != 1 || len(rows[0].Thread) != 1 {
		t.Errorf("%d reports, %+v, %v", all, rows, err)
	}
}

// TestReportWordsStay: what somebody typed about a report is still there when it is refused, and goes through the form that asks for a passphrase.
func TestReportWordsStay(t *testing.T) {
	c := outsideConsole(t)
	anna := c.as(t, "anna")
	if err := c.desk.MakeReportKey(desk.Local("test"), "a passphrase of ours"); err != nil {
		t.Fatal(err)
	}
	c.told(t, report.Parcel{What: "odd", Contact: "mara@research.example"})
	has := func(a answer, code int, want ...string) {
		t.Helper()
		for _, w := range want {
			if a.code != code || !strings.Contains(a.body, w) {
				t.Errorf("%d without %s", a.code, w)
			}
		}
	}
	typed := []string{"deed", "close", "message", "It is <mended>.", "reason", "because of x"}
	stay := []string{`name="reason" maxlength="500" autocomplete="off" value="because of x"`, `>It is &lt;mended&gt;.</textarea>`, `value="close" checked`}
	has(anna.post("/reports/1", typed...), 422, append(slices.Clip(stay), `type="hidden" name="message" value="It is &lt;mended&gt;."`)...)
	has(anna.post("/reports/1/unlock", append(slices.Clip(typed), "passphrase", "another passphrase")...), 422, append(slices.Clip(stay), `type="hidden" name="reason" value="because of x"`)...)
	has(anna.post("/reports/1/unlock", append(slices.Clip(typed), "passphrase", "a passphrase of ours")...), 200, stay...)
	has(anna.post("/reports/1", "deed", "join", "incident", "77", "reason", "because of x"), 422, stay[0], `value="join" checked`)
	if a := anna.post("/reports/1", append(typed, "seen", "0")...); a.code != 303 {
		t.Errorf("%d %s", a.code, a.body)
	}
	has(anna.post("/reports/1", append(typed, "seen", "0")...), 422, `readonly>It is &lt;mended&gt;.</textarea>`, stay[0])
}

// TestAnswerWordsStay: what a reporter without script answered stands in the form again when their thread does not open, and nothing of a thread beside it.
func TestAnswerWordsStay(t *testing.T) {
	c := outsideConsole(t, func(o *desk.Options) { o.Outside.Limits = report.Usual(); o.Outside.Limits.Wrong = 2 })
	out := c.as(t, "")
	receipt := report.NewReceipt([report.ReceiptBytes]byte{1, 2, 3}).String()
	a := out.sendForm("/report/answer", map[string]string{"receipt": receipt, "what": "It is <worse>.", "once": "AAAAAAAAAAAAAAAAAAAAAA"}, nil)
	for _, want := range []string{"It is &lt;worse&gt;.</textarea>", receipt, ui.WordsIn("en").NoReport, `name="once" value="AAAAAAAAAAAAAAAAAAAAAA"`} {
		if !strings.Contains(a.body, want) {
			t.Errorf("%d without %s:\n%s", a.code, want, a.body)
		}
	}
	if a.code != http.StatusNotFound || strings.Contains(a.body, "<dl") {
		t.Errorf("%d, or a thread is shown", a.code)
	}
	if a := out.sendForm("/report/thread", map[string]string{"receipt": receipt}, nil); a.code != http.StatusNotFound { // after two wrong ones it would be refused unseen
		t.Errorf("one wrong receipt counts as two: %d", a.code)
	}
}

// TestEvidenceWordsStay: what somebody typed to make files evidence goes through the form that asks for a passphrase.
func TestEvidenceWordsStay(t *testing.T) {
	c := outsideConsole(t)
	anna := c.as(t, "anna")
	if err := c.desk.MakeReportKey(desk.Local("test"), "a passphrase of ours"); err != nil {
		t.Fatal(err)
	}
	c.toldFiles(t)
	if a := anna.post("/reports/1", "deed", "open"); a.code != http.StatusSeeOther {
		t.Fatalf("%d %s", a.code, a.body)
	}
	typed := []string{"files", "2", "why", "zebra <why>", "label", "AMBER+STRICT"}
	a := anna.post("/reports/1/evidence", typed...)
	for _, want := range []string{`type="hidden" name="files" value="2"`, `type="hidden" name="why" value="zebra &lt;why&gt;"`, `type="hidden" name="label" value="AMBER&#43;STRICT"`} {
		if a.code != http.StatusUnprocessableEntity || !strings.Contains(a.body, want) {
			t.Errorf("%d without %s", a.code, want)
		}
	}
	a = anna.post("/reports/1/unlock", append(typed, "passphrase", "a passphrase of ours")...)
	for _, want := range []string{`value="zebra &lt;why&gt;"`, `value="2" checked`, `value="AMBER&#43;STRICT" selected`} {
		if a.code != http.StatusOK || !strings.Contains(a.body, want) {
			t.Errorf("%d without %s:\n%s", a.code, want, a.body)
		}
	}
	if strings.Contains(a.body, `value="1" checked`) {
		t.Error("a file is ticked that was not")
	}
}

// TestBucketUnseenOnThePage: given the page of a bucket, when another report comes into it before the form is sent, then the form decides about those that were shown.
func TestBucketUnseenOnThePage(t *testing.T) {
	c := outsideConsole(t, func(o *desk.Options) { o.Outside.Limits = report.Usual(); o.Outside.Limits.Own = 1 })
	anna := c.as(t, "anna")
	for k := range 3 {
		c.told(t, report.Parcel{What: fmt.Sprint("report ", k)})
	}
	page := anna.get("/reports/2")
	if !strings.Contains(page.body, `name="last" value="3"`) || !strings.Contains(page.body, "All 2 that are kept together") {
		t.Fatalf("the page: %s", page.body)
	}
	c.told(t, report.Parcel{What: "late"})
	if a := anna.post("/reports/2", "deed", "spam", "bucket", "yes", "last", "3"); a.code != 303 {
		t.Fatalf("%d %s", a.code, a.body)
	}
	rows, _, err := c.desk.OutsideBucket(desk.Local("test"), 2, 0, 10)
	if err != nil || len(rows) != 2 || rows[0].Standing != report.Spam || rows[1].Standing != report.New {
		t.Errorf("%+v, %v", rows, err)
	}
	c.until(t, "a call for the reports", func(st *desk.State) bool { return len(st.Calls.Ringing()) > 0 })
	if page := anna.get("/reports/4"); !strings.Contains(page.body, "4 reports came since the team was called") {
		t.Error("the page does not say what came together")
	}
}

// A clocked answer remembers until when a request may come.
type clocked struct {
	*httptest.ResponseRecorder
	until []time.Time
}

func (c *clocked) SetReadDeadline(at time.Time) error {
	c.until = append(c.until, at)
	return nil
}

// TestFilesComeInSlots: a file that is brought has a time to come in, and waits for a slot; who has too many under way is told so, and keeps what they typed.
func TestFilesComeInSlots(t *testing.T) {
	c := outsideConsole(t)
	anna := c.as(t, "anna")
	id, err := c.desk.Report(c.actorOf(t, "anna"), "smoke")
	if err != nil {
		t.Fatal(err)
	}
	bring := func(name string) *clocked {
		var b bytes.Buffer
		w := multipart.NewWriter(&b)
		for _, f := range [][2]string{{"kind", "log"}, {"from", "shop <1>"}} {
			if err := w.WriteField(f[0], f[1]); err != nil {
				t.Fatal(err)
			}
		}
		part, err := w.CreateFormFile("file", name)
		if err == nil {
			_, err = part.Write(bytes.Repeat([]byte(name), desk.BringLarge))
		}
		if err == nil {
			err = w.Close()
		}
		if err != nil {
			t.Fatal(err)
		}
		r := httptest.NewRequest(http.MethodPost, fmt.Sprintf("%s/incidents/%d/files", anna.URL, id), &b)
		r.Header.Set("Content-Type", w.FormDataContentType())
		r.AddCookie(anna.cookie)
		out := &clocked{ResponseRecorder: httptest.NewRecorder()}
		c.web.Handler().ServeHTTP(out, r)
		return out
	}
	a := bring("one")
	limited := false
	for _, at := range a.until {
		limited = limited || time.Until(at) > 0 && time.Until(at) <= desk.BringWithin
	}
	if a.Code != 303 || !limited || c.desk.Bringing().Taken() != 0 {
		t.Errorf("%d, it may come until %v, %d slots are taken", a.Code, a.until, c.desk.Bringing().Taken())
	}
	who := c.actorOf(t, "anna").Name
	ctx, stop := context.WithCancel(t.Context())
	var under sync.WaitGroup
	for range desk.PerPerson { // some have a slot, the others wait
		under.Go(func() {
			if giveBack, ok := c.desk.Bringing().Take(ctx, who); ok {
				<-ctx.Done()
				giveBack()
			}
		})
	}
	for end := time.Now().Add(5 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if giveBack, ok := c.desk.Bringing().Try(who); ok {
			giveBack()
		} else if c.desk.Bringing().Taken() == 2 {
			time.Sleep(50 * time.Millisecond)
			break
		}
	}
	if a := bring("two"); a.Code != 422 || !strings.Contains(a.Body.String(), "Other files are being brought") || !strings.Contains(a.Body.String(), `value="shop &lt;1&gt;"`) {
		t.Errorf("%d while others are under way: %.300s", a.Code, a.Body.String())
	}
	stop()
	under.Wait()
	if a := bring("three"); a.Code != 303 {
		t.Errorf("%d afterwards", a.Code)
	}
}
