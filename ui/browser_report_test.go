package ui

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/binary"
	"image"
	"image/color"
	"image/jpeg"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"tocsin/internal/letterbox"
	"tocsin/internal/report"
)

const told = "The payment page asks for the card twice; secret-marker-4711"

// gpsPhoto is a JPEG with an EXIF position (CIPA DC-008, IFD 0x8825) and an owner's name beside the picture.
func gpsPhoto(t *testing.T) []byte {
	t.Helper()
	m := image.NewRGBA(image.Rect(0, 0, 64, 48))
	for i := range 64 * 48 {
		m.Set(i%64, i/64, color.RGBA{uint8(i), uint8(i / 64), 90, 255})
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, m, nil); err != nil {
		t.Fatal(err)
	}
	le := binary.LittleEndian
	tiff := []byte("II*\x00\x08\x00\x00\x00")
	tiff = le.AppendUint16(tiff, 1)
	tiff = append(le.AppendUint32(le.AppendUint16(le.AppendUint16(tiff, 0x8825), 4), 1), 26, 0, 0, 0)
	tiff = le.AppendUint32(tiff, 0)
	tiff = le.AppendUint16(tiff, 2)
	tiff = append(le.AppendUint32(le.AppendUint16(le.AppendUint16(tiff, 1), 2), 2), 'N', 0, 0, 0)
	tiff = append(le.AppendUint32(le.AppendUint16(le.AppendUint16(tiff, 2), 5), 3), 56, 0, 0, 0)
	tiff = le.AppendUint32(tiff, 0)
	for _, v := range []uint32{52, 1, 31, 1, 12, 1} {
		tiff = le.AppendUint32(tiff, v)
	}
	exif := append([]byte("Exif\x00\x00"), append(tiff, "owner-of-the-camera"...)...)
	out := append([]byte{0xff, 0xd8, 0xff, 0xe1}, binary.BigEndian.AppendUint16(nil, uint16(len(exif)+2))...)
	return append(append(out, exif...), b.Bytes()[2:]...)
}

func writeFile(t *testing.T, name string, b []byte) string {
	t.Helper()
	name = filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(name, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// TestBrowserReport: what is written and attached leaves the browser encrypted, opens for the team alone, and its receipt opens the thread.
func TestBrowserReport(t *testing.T) {
	ctx := browser(t)
	s, server := newSlot(t)
	complaints := listen(t, ctx)
	photo := gpsPhoto(t)
	if !bytes.Contains(photo, []byte("owner-of-the-camera")) {
		t.Fatal("the test's photo has no position")
	}
	pdf := writeFile(t, "bill.pdf", []byte("%PDF-1.7 written-by-somebody"))
	run(t, ctx, desk(), chromedp.Navigate(server.URL+"/report?lang=de"), chromedp.WaitVisible(chromedp.CSS(".outside-sealed")))
	if got := get(t, ctx, chromedp.Evaluate[string](`document.documentElement.lang + document.cookie`)); got != "de" {
		t.Errorf("language and cookies: %q", got)
	}
	run(t, ctx, // by keyboard alone, from the first field on
		chromedp.Focus(chromedp.CSS("#what")), chromedp.KeyEvent(told), chromedp.KeyEvent("\t"), chromedp.KeyEvent("today"), chromedp.KeyEvent("\t"), chromedp.KeyEvent("/checkout"),
		chromedp.SetUploadFiles(chromedp.CSS("#files"), []string{writeFile(t, "photo.jpg", photo), pdf}))
	if got := get(t, ctx, chromedp.Evaluate[string](`document.getElementById('chosen').innerText`)); !strings.Contains(got, "photo.jpg: Ort und Gerät werden entfernt") || !strings.Contains(got, "bill.pdf: bleibt") {
		t.Errorf("of the files the page says %q", got)
	}
	if got := get(t, ctx, chromedp.Evaluate[int](`sessionStorage.length + localStorage.length`)); got != 0 {
		t.Errorf("%d things are kept on a computer of others", got)
	}
	keepShots(t, ctx, "form")
	run(t, ctx, chromedp.Focus(chromedp.CSS("#send")), chromedp.KeyEvent("\r"), chromedp.WaitVisible(chromedp.CSS("#sent")))
	receipt := get(t, ctx, chromedp.Evaluate[string](`document.getElementById('receipt').textContent`))
	secret, err := report.ParseReceipt(receipt)
	if err != nil {
		t.Fatalf("the receipt %q: %v", receipt, err)
	}
	keepShots(t, ctx, "sent")

	t.Run("nothing readable is on the disk, nor went over the wire", func(t *testing.T) {
		for _, never := range []string{told, "secret-marker", "/checkout", "photo.jpg", "owner-of-the-camera", "written-by-somebody", "Exif", string(secret), receipt, "127.0.0.1", "Mozilla", "Chrome", "AGE-SECRET-KEY"} {
			if bytes.Contains(s.disk(), []byte(never)) {
				t.Errorf("%q is on the disk", never)
			}
			if bytes.Contains(bytes.Join(s.seen, nil), []byte(never)) {
				t.Errorf("%q was sent", never)
			}
		}
	})
	t.Run("the team reads it, without the position", func(t *testing.T) {
		p, c := s.read(1)
		if p.What != told || p.When != "today" || p.Where != "/checkout" || p.Lang != "de" || c.Plain || len(p.Files) != 2 {
			t.Fatalf("read %+v of %+v", p, c)
		}
		if class, ok := report.Class(int64(len(s.object(c.Vault)))); !ok || class != int64(len(s.object(c.Vault))) {
			t.Errorf("it has %d bytes, which is no class", len(s.object(c.Vault)))
		}
		f := p.Files[0]
		m, err := jpeg.Decode(bytes.NewReader(f.Data))
		if err != nil || m.Bounds().Dx() != 64 || !f.Clean || bytes.Contains(f.Data, []byte("Exif")) || bytes.Contains(f.Data, []byte("owner")) {
			t.Errorf("the photo: %v, clean %v, %q", err, f.Clean, f.Data[:min(40, len(f.Data))])
		}
		if g := p.Files[1]; g.Clean || g.Name != "bill.pdf" || string(g.Data) != "%PDF-1.7 written-by-somebody" {
			t.Errorf("the other file: %+v", g)
		}
	})
	t.Run("the receipt opens the thread, and an answer is read and written", func(t *testing.T) {
		s.answer(1, "Thank you.\nWhich browser? \u202e<img src=x onerror=alert(1)>")
		openThread(t, ctx, server.URL, strings.ToLower(receipt))
		got := get(t, ctx, chromedp.Evaluate[string](`document.getElementById('messages').innerText`))
		if !strings.Contains(got, "Which browser? \\u202e<img src=x onerror=alert(1)>") || strings.Contains(got, "\u202e") {
			t.Errorf("the thread says %q", got)
		}
		if got := get(t, ctx, chromedp.Evaluate[string](`document.getElementById('standing').innerText`)); got != WordsIn("pl").Answered {
			t.Errorf("it stands: %q", got)
		}
		run(t, ctx, chromedp.SendKeys(chromedp.CSS("#reply"), "Firefox, marker-4712"), chromedp.Click(chromedp.CSS("#answer button")), chromedp.WaitVisible(chromedp.CSS("#messages li:nth-child(2)")),
			js(`new Promise(done => { const look = () => document.getElementById('messages').innerText.includes('marker-4712') ? done() : setTimeout(look, 20); look() })`))
		keepShots(t, ctx, "thread")
		if bytes.Contains(s.disk(), []byte("marker-4712")) {
			t.Error("the message is readable on the disk")
		}
		_, c := s.read(1)
		for end := time.Now().Add(20 * time.Second); c.Unread == 0 && time.Now().Before(end); _, c = s.read(1) {
			time.Sleep(50 * time.Millisecond) // the page shows it while it is on its way
		}
		if m := c.Thread[len(c.Thread)-1]; m.Team || m.Plain || c.Unread != 1 {
			t.Errorf("the last message is %+v, %d unread", m, c.Unread)
		}
	})
	for _, m := range complaints.Take() {
		t.Error(m)
	}
	t.Run("a wrong receipt says so, and is throttled", func(t *testing.T) {
		run(t, ctx, chromedp.Navigate(server.URL+"/report/thread?lang=en"), chromedp.SendKeys(chromedp.CSS("#code"), receipt[:len(receipt)-1]+"#"), chromedp.Click(chromedp.CSS("#open")), chromedp.WaitVisible(chromedp.CSS("#wrongs")))
		if got := get(t, ctx, chromedp.Evaluate[string](`document.getElementById('wrongs-list').innerText`)); got != english().Mistyped {
			t.Errorf("mistyped: %q", got)
		}
		last := ""
		for range s.door.Limits.Tries + 1 {
			run(t, ctx, chromedp.Navigate(server.URL+"/report/thread?lang=en"), chromedp.SendKeys(chromedp.CSS("#code"), report.NewReceipt([20]byte{1, 2}).String()), chromedp.Click(chromedp.CSS("#open")), chromedp.WaitVisible(chromedp.CSS("#wrongs")))
			last = get(t, ctx, chromedp.Evaluate[string](`document.getElementById('wrongs-list').innerText`))
		}
		if !strings.HasPrefix(last, "Too many wrong receipts.") {
			t.Errorf("after many wrong receipts: %q", last)
		}
	})
}

func openThread(t *testing.T, ctx context.Context, url, receipt string) {
	t.Helper()
	run(t, ctx, chromedp.Navigate(url+"/report/thread?lang=pl"), chromedp.SendKeys(chromedp.CSS("#code"), receipt), chromedp.Click(chromedp.CSS("#open")), chromedp.WaitVisible(chromedp.CSS("#messages")))
}

// TestBrowserReportFalseImage: a file that claims to be an image is not sent as one, and what was typed stays; a draft is kept only when
// asked for.
func TestBrowserReportFalseImage(t *testing.T) {
	ctx := browser(t)
	s, server := newSlot(t)
	fake := writeFile(t, "cat.jpg", []byte("MZ\x90\x00 this is a program"))
	run(t, ctx, phone(), chromedp.Navigate(server.URL+"/report?lang=en"), chromedp.WaitVisible(chromedp.CSS(".outside-sealed")),
		chromedp.Click(chromedp.CSS("#send")), chromedp.WaitVisible(chromedp.CSS("#wrongs")))
	if got := get(t, ctx, chromedp.Evaluate[string](`document.getElementById('wrongs-list').innerText`)); got != english().Empty {
		t.Errorf("an empty report: %q", got)
	}
	run(t, ctx, chromedp.SendKeys(chromedp.CSS("#what"), told), chromedp.SetUploadFiles(chromedp.CSS("#files"), []string{fake}), chromedp.Click(chromedp.CSS("#send")),
		js(`new Promise(done => { const look = () => document.getElementById('wrongs-list').innerText.includes('cat.jpg') ? done() : setTimeout(look, 20); look() })`))
	keepShots(t, ctx, "false-image")
	if got := get(t, ctx, chromedp.Evaluate[string](`document.getElementById('what').value`)); got != told {
		t.Errorf("what was typed is %q", got)
	}
	if len(s.disk()) != 0 {
		t.Error("something was filed")
	}
	run(t, ctx, js(`document.getElementById('keep').click()`), chromedp.SendKeys(chromedp.CSS("#where"), "x"), js(`window.onbeforeunload = null; document.getElementById('report').reset()`), chromedp.Navigate(server.URL+"/report?lang=en"), chromedp.WaitVisible(chromedp.CSS(".outside-sealed")))
	if got := get(t, ctx, chromedp.Evaluate[string](`document.getElementById('what').value`)); got != told {
		t.Errorf("the draft is %q", got)
	}
}

// TestBrowserReportWithoutScript: the plain form is taken, sealed on arrival and marked; its receipt opens the thread.
func TestBrowserReportWithoutScript(t *testing.T) {
	ctx := browser(t)
	s, server := newSlot(t)
	run(t, ctx, send(emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true}), phone(),
		chromedp.Navigate(server.URL+"/report?lang=es"), chromedp.WaitVisible(chromedp.CSS(".outside-plain")))
	keepShots(t, ctx, "plain-form")
	run(t, ctx, chromedp.SendKeys(chromedp.CSS("#what"), told), chromedp.SetUploadFiles(chromedp.CSS("#files"), []string{writeFile(t, "photo.jpg", gpsPhoto(t))}), chromedp.Click(chromedp.CSS("#send")), chromedp.WaitVisible(chromedp.CSS("output")))
	receipt := get(t, ctx, chromedp.Text(chromedp.CSS("output")))
	keepShots(t, ctx, "plain-sent")
	if bytes.Contains(s.disk(), []byte(told)) || bytes.Contains(s.disk(), []byte("owner-of-the-camera")) {
		t.Error("it is readable on the disk")
	}
	p, c := s.read(1)
	if p.What != told || !c.Plain || len(p.Files) != 1 || bytes.Contains(p.Files[0].Data, []byte("Exif")) || !p.Files[0].Clean {
		t.Errorf("read %+v of %+v", p, c)
	}
	s.answer(1, "Gracias")
	run(t, ctx, chromedp.Navigate(server.URL+"/report/thread?lang=es"), chromedp.SendKeys(chromedp.CSS("#code"), receipt), chromedp.Click(chromedp.CSS("#open")), chromedp.WaitVisible(chromedp.CSS(".outside-team")))
	run(t, ctx, chromedp.SendKeys(chromedp.CSS("#what"), "marker-4713"), chromedp.Click(chromedp.CSS("form button")), chromedp.WaitVisible(chromedp.CSS(".notice")))
	keepShots(t, ctx, "plain-thread")
	if got := get(t, ctx, chromedp.Text(chromedp.CSS(".outside-thread"))); !strings.Contains(got, "Gracias") || !strings.Contains(got, "marker-4713") {
		t.Errorf("the thread says %q", got)
	}
}

// TestReportIsOneFormat: what Go derives from a receipt, the page's script derives too, and each opens what the other sealed.
func TestReportIsOneFormat(t *testing.T) {
	ctx := browser(t)
	_, server := newSlot(t)
	receipt := report.NewReceipt([20]byte{31, 30, 29, 28, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15})
	own, err := letterbox.Derive(receipt)
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := letterbox.Seal([]byte("by Go"), own.Key.Recipient())
	if err != nil {
		t.Fatal(err)
	}
	run(t, ctx, chromedp.Navigate(server.URL+"/report"))
	type derived struct{ Token, Identity, Recipient, Opened, Sealed string }
	got := get(t, ctx, chromedp.Evaluate[derived](`(async () => {
		const age = await import(document.getElementById('report').dataset.age), utf8 = new TextEncoder(), b64 = b => btoa(String.fromCharCode(...b));
		const key = await crypto.subtle.importKey('raw', utf8.encode('`+string(receipt)+`'), 'HKDF', false, ['deriveBits']);
		const bits = async label => new Uint8Array(await crypto.subtle.deriveBits({name: 'HKDF', hash: 'SHA-256', salt: new Uint8Array(0), info: utf8.encode(label)}, key, 256));
		const Identity = age.bech32.encodeFromBytes('AGE-SECRET-KEY-', await bits('tocsin report key')).toUpperCase(), Recipient = await age.identityToRecipient(Identity);
		const d = new age.Decrypter(), e = new age.Encrypter(); d.addIdentity(Identity); e.addRecipient(Recipient);
		return {Token: b64(await bits('tocsin report token')), Identity, Recipient, Opened: await d.decrypt(Uint8Array.from(atob('`+base64.StdEncoding.EncodeToString(sealed)+`'), c => c.charCodeAt(0)), 'text'), Sealed: b64(await e.encrypt('by the script'))};
	})()`, chromedp.EvalAwaitPromise))
	back, err := base64.StdEncoding.DecodeString(got.Sealed)
	if err != nil {
		t.Fatal(err)
	}
	plain, err := letterbox.Open(back, own.Key)
	if err != nil || string(plain) != "by the script" || got.Opened != "by Go" || got.Token != base64.StdEncoding.EncodeToString(own.Token[:]) || got.Identity != string(own.Key.Secret()) || got.Recipient != own.Key.Recipient() {
		t.Errorf("the script derived %+v and sealed %q (%v)", got, plain, err)
	}
}

// keepShots draws the page at both widths where TOCSIN_SHOTS says, for people to look at.
func keepShots(t *testing.T, ctx context.Context, name string) {
	t.Helper()
	dir := os.Getenv("TOCSIN_SHOTS")
	if dir == "" {
		return
	}
	for size, act := range map[string]step{"desk": desk(), "phone": phone()} {
		run(t, ctx, act, chromedp.Sleep(50*time.Millisecond))
		if err := os.WriteFile(filepath.Join(dir, "live-report-"+name+"-"+size+".png"), get(t, ctx, chromedp.FullScreenshot(100)), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}
