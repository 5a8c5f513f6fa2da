package notify

import (
	"errors"
	"strings"
	"testing"
	"unicode/utf8"
)

func ourMail(s string) bool {
	return strings.HasSuffix(s, "@tocsin.test") || s == "security@shop.example"
}

const letterHead = "From: Mara <mara@research.example>\r\nTo: security@shop.example\r\nMessage-ID: <1@research.example>\r\nSubject: =?utf-8?q?L=C3=BCcke?=\r\n"

func TestReadLetter(t *testing.T) {
	for name, c := range map[string]struct {
		raw  string
		want Letter
	}{
		"plain":       {letterHead + "\r\nThe till asks twice.\r\nSecond line.\r\n", Letter{Subject: "Lücke", Text: "The till asks twice.\nSecond line."}},
		"an answer":   {letterHead + "In-Reply-To: <report-3-1-x@tocsin.test>\r\nReferences: <a@b> <report-3-1-x@tocsin.test>\r\n\r\nhi", Letter{Subject: "Lücke", Text: "hi", Answers: []string{"report-3-1-x@tocsin.test", "report-3-1-x@tocsin.test", "a@b"}}},
		"Polish":      {letterHead + "Content-Type: text/plain; charset=iso-8859-2\r\n\r\nza\xbf\xf3\xb3\xe6", Letter{Subject: "Lücke", Text: "zażółć"}},
		"quotes":      {letterHead + "Content-Type: text/plain; charset=windows-1252\r\n\r\n\x93hi\x94", Letter{Subject: "Lücke", Text: "“hi”"}},
		"HTML":        {letterHead + "Content-Type: text/html\r\n\r\n<head><style>p{}</style></head><p>One &lt;b&gt;</p><p>Two<script>alert(1)</script>", Letter{Subject: "Lücke", Text: "One <b>\nTwo"}},
		"a file":      {letterHead + "Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n\r\ntext\r\n--x\r\nContent-Disposition: attachment; filename=\"../a.jpg\"\r\nContent-Transfer-Encoding: base64\r\n\r\naGVsbG8=\r\n--x--\r\n", Letter{Subject: "Lücke", Text: "text", Files: []LetterFile{{"../a.jpg", []byte("hello")}}}},
		"cut short":   {letterHead + "Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n\r\ntext", Letter{Subject: "Lücke", Text: "text"}},
		"no boundary": {letterHead + "Content-Type: multipart/mixed\r\n\r\nlost", Letter{Subject: "Lücke"}},
	} {
		got, err := ReadLetter([]byte(c.raw), ourMail)
		if err != nil || got.From != "mara@research.example" || got.Subject != c.want.Subject || got.Text != c.want.Text || strings.Join(got.Answers, " ") != strings.Join(c.want.Answers, " ") || len(got.Files) != len(c.want.Files) {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
		for k, f := range c.want.Files {
			if got.Files[k].Name != f.Name || string(got.Files[k].Data) != string(f.Data) {
				t.Errorf("%s: %+v", name, got.Files[k])
			}
		}
	}
}

// TestUnwantedLetters: what no person wrote, or what would begin a loop.
func TestUnwantedLetters(t *testing.T) {
	for head, why := range map[string]string{
		"Auto-Submitted: auto-replied\r\n": "automatic", "Auto-Submitted: auto-generated; x=y\r\n": "automatic", "X-Autoreply: yes\r\n": "automatic", "Precedence: bulk\r\n": "list", "List-Id: <a.b>\r\n": "list",
		"Content-Type: multipart/report; boundary=x\r\n": "bounce", "Content-Type: multipart/report; report-type=delivery-status; boundary=x\r\n": "bounce", "Return-Path: <>\r\n": "bounce", "X-Spam-Flag: YES\r\n": "spam", "X-Tocsin-Call: call:3\r\n": "our own", strings.Repeat("Received: by x\r\n", 31): "circle",
	} {
		if _, err := ReadLetter([]byte(letterHead+head+"\r\nhi"), ourMail); err != (Unwanted{why}) {
			t.Errorf("%.40q: %v, want %s", head, err, why)
		}
	}
	for raw, want := range map[string]error{
		"From: a@b.example\r\nMessage-ID: <x@tocsin.test>\r\n\r\nhi": Unwanted{"our own"}, "From: security@shop.example\r\n\r\nhi": Unwanted{"our own"},
		"From: MAILER-DAEMON@mx.example\r\n\r\nhi": Unwanted{"bounce"}, "Subject: x\r\n\r\nhi": Unwanted{"sender"}, "no header": ErrLetter, "": ErrLetter,
		letterHead + "Auto-Submitted: no\r\n\r\nhi": nil,
		letterHead + "Content-Type: multipart/report; report-type=feedback-report; boundary=x\r\n\r\n--x\r\n\r\nspam from you\r\n--x--": nil, // RFC 5965
		letterHead + "List-Id: Abuse <security.shop.example>\r\nPrecedence: list\r\n\r\nhi":                                             nil, letterHead + "List-Post: <mailto:security@shop.example>\r\nList-Id: <x.y>\r\n\r\nhi": nil,
		letterHead + "List-Id: Abuse <security.shop.example>\r\nX-Spam-Flag: YES\r\n\r\nhi": Unwanted{"spam"},
		"From: Postmaster <postmaster@provider.example>\r\n\r\nyour server floods us":       nil, "From: =?windows-1252?Q?J=FCrgen?= <j@b.example>\r\n\r\nhi": nil, "From: =?koi8-r?B?8M/Qz9c=?= <p@b.example>\r\n\r\nhi": nil,
		"From: =?x-unknown?Q?=FF?= , <p@b.example>\r\n\r\nhi": nil, "From: =?iso-8859-2?Q?Micha=B3?= <security@shop.example>\r\n\r\nhi": Unwanted{"our own"},
	} {
		if _, err := ReadLetter([]byte(raw), ourMail); !errors.Is(err, want) {
			t.Errorf("%.60q: %v, want %v", raw, err, want)
		}
	}
}

// FuzzReadLetter: whatever comes is bounded and readable.
func FuzzReadLetter(f *testing.F) {
	f.Add([]byte(letterHead + "Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n\r\ntext\r\n--x\r\nContent-Type: multipart/mixed; boundary=y\r\n\r\n--y\r\n\r\nz\r\n"))
	f.Add([]byte(letterHead + "Content-Type: text/html; charset=iso-8859-1\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n<p>=E4<br>"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		l, err := ReadLetter(raw, ourMail)
		if err != nil {
			return
		}
		if !utf8.ValidString(l.Text) || !utf8.ValidString(l.Subject) || strings.ContainsAny(l.Subject, "\r\n") || len(l.Files) > letterFiles || len(l.Answers) > 50 || len(l.Text) > 4*letterText {
			t.Fatalf("%+v", l)
		}
	})
}
