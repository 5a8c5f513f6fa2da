package web

import (
	"bytes"
	"image"
	"image/jpeg"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"tocsin/internal/desk"
	"tocsin/internal/disk"
	"tocsin/internal/report"
	"tocsin/ui"
)

// locatedPhoto is a photo with a position (EXIF) and an owner beside its picture.
func locatedPhoto(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, image.NewRGBA(image.Rect(0, 0, 64, 48)), nil); err != nil {
		t.Fatal(err)
	}
	beside := "Exif\x00\x00II*\x00\x08\x00\x00\x00 52.5200N 13.4050E owner-of-the-camera"
	out := append([]byte{0xff, 0xd8, 0xff, 0xe1, 0, byte(len(beside) + 2)}, beside...)
	return append(out, b.Bytes()[2:]...)
}

// bytesBelow is every byte of every file below a folder.
func bytesBelow(t *testing.T, dir string) []byte {
	t.Helper()
	var all []byte
	err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || d.Name() == "ballast" {
			return err
		}
		b, err := os.ReadFile(name)
		all = append(append(all, name...), b...)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// TestBrowserReportsFromOutside is the page for strangers at the real console. Given a team whose key is kept under a passphrase, when somebody reports in a
// browser, with a photo: nothing readable is on the server's disk, the position is gone, the team opens it by the passphrase alone, the code opens the thread,
// a wrong one is throttled, and no log has an address. Then the same without JavaScript.
func TestBrowserReportsFromOutside(t *testing.T) {
	ctx := browser(t)
	dir := t.TempDir()
	set, err := shopRules()
	if err != nil {
		t.Fatal(err)
	}
	c := newConsoleOf(t, set, quietLog(), func(disk.Layer) disk.Layer {
		real, err := disk.Open(dir)
		if err != nil {
			t.Fatal(err)
		}
		return real
	}, reportsHere, func(o *desk.Options) {
		o.Outside.Limits = report.Usual()
		o.Outside.Limits.Tries = 4
	}).staffed(t)
	const phrase, told = "a phrase that only the team knows", "The payment page asks for the card twice; secret-marker-4711"
	if err := c.desk.MakeReportKey(desk.Local("test"), phrase); err != nil {
		t.Fatal(err)
	}
	anna := c.as(t, "anna")
	heard := overhear(t, ctx)
	photo := filepath.Join(t.TempDir(), "photo.jpg")
	if err := os.WriteFile(photo, locatedPhoto(t), 0o600); err != nil {
		t.Fatal(err)
	}
	in(t, ctx, wide(), chromedp.Navigate(c.URL+"/report?lang=de"), shown(".outside-sealed"), fill("#what", told), fill("#where", "/checkout"), fill("#contact", "mara@research.example"),
		chromedp.SetUploadFiles(chromedp.CSS("#files"), []string{photo}))
	shoot(t, ctx, "outside-form", chromedp.FullScreenshot(100))
	in(t, ctx, click("#send"), shown("#sent"))
	code := ask(t, ctx, chromedp.Text(chromedp.CSS("#receipt")))
	secret, err := report.ParseReceipt(code)
	if err != nil {
		t.Fatalf("the receipt %q: %v", code, err)
	}
	shoot(t, ctx, "outside-sent", chromedp.FullScreenshot(100))
	c.until(t, "a call for the report", func(st *desk.State) bool { return len(st.Calls.Ringing()) == 1 })

	page := anna.get("/reports/1")
	if !strings.Contains(page.body, "kept under a passphrase") || strings.Contains(page.body, "secret-marker") {
		t.Fatalf("without the passphrase: %s", page.body)
	}
	if got := anna.post("/reports/1/unlock", "passphrase", "another phrase of some length"); got.code != 422 {
		t.Errorf("a wrong passphrase: %d", got.code)
	}
	if got := anna.post("/reports/1/unlock", "passphrase", phrase); got.code != 303 {
		t.Fatalf("the passphrase: %d %s", got.code, got.body)
	}
	if page = anna.get("/reports/1"); !strings.Contains(page.body, told) || !strings.Contains(page.body, "without what stood beside the picture") || strings.Contains(page.body, "reached us readable") {
		t.Fatalf("with it: %s", page.body)
	}
	got := anna.get("/reports/1/files/1")
	if _, err := jpeg.Decode(strings.NewReader(got.body)); err != nil || strings.Contains(got.body, "owner-of-the-camera") || strings.Contains(got.body, "Exif") {
		t.Errorf("the photo: %v", err)
	}
	if got := c.as(t, "analyst").get("/reports/1"); strings.Contains(got.body, told) {
		t.Error("another session opens it without the passphrase")
	}
	if got := anna.post("/reports/1", "deed", "answer", "message", "Danke. Welcher Browser? marker-4712"); got.code != 303 {
		t.Fatalf("%d %s", got.code, got.body)
	}
	in(t, ctx, chromedp.Navigate(c.URL+"/report/thread?lang=de"), fill("#code", strings.ToLower(code)), click("#open"), shown("#messages li:nth-child(2)"))
	if says := ask(t, ctx, chromedp.Text(chromedp.CSS("#messages"))); !strings.Contains(says, "Welcher Browser? marker-4712") {
		t.Errorf("the thread says %q", says)
	}
	in(t, ctx, fill("#reply", "Firefox, marker-4713"), click("#answer button"))
	for end := time.Now().Add(20 * time.Second); c.unread(1) == 0; time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("the reporter's answer does not come")
		}
	}
	shoot(t, ctx, "outside-thread", chromedp.FullScreenshot(100))
	if got := anna.get("/reports/1"); !strings.Contains(got.body, "marker-4713") {
		t.Error("the team does not see the answer")
	}
	heard.Report(t, "reporting")

	wrong := report.NewReceipt([report.ReceiptBytes]byte{3}).String()
	last := ""
	for range 5 {
		in(t, ctx, chromedp.Navigate(c.URL+"/report/thread?lang=de"), fill("#code", wrong), click("#open"), shown("#wrongs"))
		last = ask(t, ctx, chromedp.Text(chromedp.CSS("#wrongs")))
	}
	if !strings.Contains(last, strings.Fields(ui.WordsIn("de").Tries.Other)[0]) || strings.Contains(last, ui.WordsIn("de").NoReport) {
		t.Errorf("after five wrong receipts: %q", last)
	}
	heard.Take() // the browser says 404 and 429, as it should

	in(t, ctx, narrow(), send(emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true}), chromedp.Navigate(c.URL+"/report?lang=pl"), shown(".outside-plain"),
		fill("#what", "bez skryptu secret-marker-4714"), chromedp.SetUploadFiles(chromedp.CSS("#files"), []string{photo}), click("#send"), shown("#receipt"))
	shoot(t, ctx, "outside-sent-plain-phone", chromedp.FullScreenshot(100))
	if page = anna.get("/reports/2"); !strings.Contains(page.body, "secret-marker-4714") || !strings.Contains(page.body, "reached us readable") {
		t.Errorf("the report without script: %s", page.body)
	}
	if got := anna.get("/reports/2/files/1"); strings.Contains(got.body, "owner-of-the-camera") {
		t.Error("the photo sent without script has its position")
	}
	all := bytesBelow(t, dir)
	for _, never := range []string{told, "secret-marker", "marker-4712", "marker-4713", "/checkout", "photo.jpg", "owner-of-the-camera", "52.5200N", "mara@research", string(secret), code, "127.0.0.1", "HeadlessChrome", "AGE-SECRET-KEY", phrase} {
		if bytes.Contains(all, []byte(never)) {
			t.Errorf("%q is on the disk", never)
		}
		if strings.Contains(c.log.String(), never) {
			t.Errorf("%q is in the log", never)
		}
	}
	if !strings.Contains(c.desk.SecurityText(time.Now()).Text, "BEGIN PGP SIGNED MESSAGE") {
		t.Error("security.txt is not signed")
	}
	in(t, ctx, wide(), send(network.SetCookie, network.SetCookieParams{Name: anna.cookie.Name, Value: anna.cookie.Value, URL: c.URL, Path: "/", SameSite: network.CookieSameSiteLax}), chromedp.Navigate(c.URL+"/reports"), shown("#list table"))
	shoot(t, ctx, "reports-team", chromedp.FullScreenshot(100))
	in(t, ctx, chromedp.Navigate(c.URL+"/reports/1"), shown("#told"))
	shoot(t, ctx, "report-team", chromedp.FullScreenshot(100))
	in(t, ctx, narrow(), theme("dark"), chromedp.Navigate(c.URL+"/reports/1"), shown("#told"))
	shoot(t, ctx, "report-team-phone-dark", chromedp.FullScreenshot(100))
}
