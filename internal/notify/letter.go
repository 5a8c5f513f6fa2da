package notify

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"html"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	netmail "net/mail"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/net/html/charset"
)

// The limits of a letter.
const (
	letterParts  = 30
	letterFiles  = 5
	letterText   = 256 << 10 // bytes of its text
	letterHops   = 30        // servers on its way: beyond, it runs in a circle
	letterHeader = 1000      // bytes of one header that is kept
)

// A Letter is mail that a person wrote to us. All of it was written by others.
type Letter struct {
	From      string // address
	Subject   string
	Text      string // of its plain part, or of its HTML without the marks
	Files     []LetterFile
	Answers   []string // Message-IDs that it answers or refers to, without brackets, the newest first; at most 50
	Shortened bool     // it was longer than is read
}

// A LetterFile is an attachment.
type LetterFile struct {
	Name string
	Data []byte
}

// An Unwanted letter is one that no person wrote to us, or that would begin a loop. Why is "automatic", "list", "bounce", "our own", "circle", "spam" or "sender".
type Unwanted struct{ Why string }

func (u Unwanted) Error() string { return "this is no letter of a person: " + u.Why }

// ErrLetter is mail that cannot be read.
var ErrLetter = errors.New("this mail cannot be read")

// ReadLetter reads mail that came to a mailbox for people, at most 2 MiB of it. ours reports whether a Message-ID or an address is our own.
//
// What is automatic is left alone: Auto-Submitted (RFC 3834 section 2), Precedence, List-Id (RFC 2919), reports of delivery and an empty return path
// (RFC 5321 section 4.5.5), what we sent ourselves, what passed too many servers, and what the receiving server marked as spam.
//
// Errors: Unwanted, ErrLetter.
func ReadLetter(raw []byte, ours func(string) bool) (Letter, error) {
	short := len(raw) >= maxReport
	m, err := netmail.ReadMessage(bytes.NewReader(raw[:min(len(raw), maxReport)]))
	if err != nil {
		return Letter{}, fmt.Errorf("%w: its header is none", ErrLetter)
	}
	if why := unwanted(m.Header, ours); why != "" {
		return Letter{}, Unwanted{why}
	}
	l := Letter{Subject: headerWords(m.Header.Get("Subject")), Shortened: short, From: writtenBy(m.Header)}
	if l.From == "" {
		return Letter{}, Unwanted{"sender"}
	}
	for _, h := range []string{"In-Reply-To", "References"} {
		found := messageIDs.FindAllStringSubmatch(m.Header.Get(h)[:min(len(m.Header.Get(h)), 8192)], 50)
		for _, f := range slices.Backward(found) {
			if len(l.Answers) < 50 {
				l.Answers = append(l.Answers, f[1])
			}
		}
	}
	r := &letterReading{Letter: l, left: letterParts}
	r.part(m.Header.Get("Content-Type"), m.Header.Get("Content-Transfer-Encoding"), m.Header.Get("Content-Disposition"), m.Body, 0)
	if r.Text == "" && r.marked != "" {
		r.Text = withoutMarks(r.marked)
	}
	r.Text = strings.TrimSpace(strings.ReplaceAll(strings.ToValidUTF8(r.Text, "\uFFFD"), "\r\n", "\n"))
	return r.Letter, nil
}

// writtenBy is the address in From, "" of a letter without one: whatever the name beside it is written in, it is no reason to lose the letter.
func writtenBy(h netmail.Header) string {
	from := h.Get("From")
	if a, err := (&netmail.AddressParser{WordDecoder: words()}).Parse(from); err == nil {
		return a.Address
	}
	found := bareAddress.FindAllString(from, -1)
	if len(found) == 0 {
		return ""
	}
	return found[len(found)-1]
}

var bareAddress = regexp.MustCompile("[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,250}[A-Za-z0-9])?")

var messageIDs = regexp.MustCompile(`<([^<>\s]{1,250})>`)

// unwanted says why a letter is none of a person's, "" when it is one.
func unwanted(h netmail.Header, ours func(string) bool) string {
	low := func(name string) string { return strings.ToLower(strings.TrimSpace(h.Get(name))) }
	auto, _, _ := strings.Cut(low("Auto-Submitted"), ";")
	from := low("From")
	id := strings.Trim(strings.TrimSpace(h.Get("Message-Id")), "<>")
	address := writtenBy(h)
	switch {
	case id != "" && ours(id), address != "" && ours(address), low("X-Loop") != "", h.Get("X-Tocsin-Call") != "":
		return "our own"
	case deliveryReport(h.Get("Content-Type")), low("Return-Path") == "<>", strings.Contains(from, "mailer-daemon@"):
		return "bounce"
	case auto != "" && strings.TrimSpace(auto) != "no", low("X-Autoreply") != "", low("X-Autorespond") != "", low("X-Auto-Response-Suppress") != "" && auto != "":
		return "automatic"
	case slices.Contains([]string{"bulk", "junk", "list"}, low("Precedence")) || h.Get("List-Id") != "" || h.Get("List-Unsubscribe") != "":
		if !ownList(h, ours) {
			return "list"
		}
	}
	switch {
	case len(h["Received"]) > letterHops:
		return "circle"
	case low("X-Spam-Flag") == "yes", strings.HasPrefix(low("X-Spam-Status"), "yes"), strings.HasPrefix(low("X-Spam"), "yes"):
		return "spam"
	}
	return ""
}

// deliveryReport reports whether a letter says what became of another (RFC 3464, RFC 8098). A report of abuse (RFC 5965) is what this mailbox is for.
func deliveryReport(kind string) bool {
	media, p, err := mime.ParseMediaType(kind)
	if err != nil {
		return strings.HasPrefix(strings.ToLower(strings.TrimSpace(kind)), "multipart/report")
	}
	return media == "multipart/report" && !strings.EqualFold(p["report-type"], "feedback-report")
}

// ownList reports whether the list by which a letter came is one of our own addresses: many have abuse@ as a group (RFC 2919, RFC 2369).
func ownList(h netmail.Header, ours func(string) bool) bool {
	for _, m := range append(messageIDs.FindAllStringSubmatch(h.Get("List-Id")[:min(len(h.Get("List-Id")), 1000)], 2), messageIDs.FindAllStringSubmatch(h.Get("List-Post")[:min(len(h.Get("List-Post")), 1000)], 2)...) {
		list := strings.TrimPrefix(m[1], "mailto:")
		if ours(list) || ours(strings.Replace(list, ".", "@", 1)) {
			return true
		}
	}
	return false
}

// words decodes the words of headers (RFC 2047); what is in no known charset is shown as it came.
func words() *mime.WordDecoder {
	return &mime.WordDecoder{CharsetReader: func(label string, in io.Reader) (io.Reader, error) {
		if r, err := charset.NewReaderLabel(label, in); err == nil {
			return r, nil
		}
		return in, nil
	}}
}

// headerWords decodes a header into one line.
func headerWords(s string) string {
	d := words()
	if out, err := d.DecodeHeader(s); err == nil {
		s = out
	}
	return oneLine(strings.ToValidUTF8(s, "\uFFFD"), letterHeader)
}

// A letterReading is a letter as far as it was read.
type letterReading struct {
	Letter
	marked string // the HTML, when there is no plain text
	left   int
}

// part reads one part, and those in it to a depth of four. What is broken ends the reading of that part, and the rest stays.
func (r *letterReading) part(kind, encoding, disposition string, body io.Reader, depth int) {
	if r.left--; r.left < 0 || depth > 4 {
		r.Shortened = true
		return
	}
	media, p, err := mime.ParseMediaType(kind)
	if err != nil {
		media, p = "text/plain", nil // RFC 2045 section 5.2
	}
	if strings.HasPrefix(media, "multipart/") {
		parts := multipart.NewReader(body, p["boundary"])
		for p["boundary"] != "" && r.left > 0 {
			x, err := parts.NextRawPart()
			if err != nil {
				return
			}
			r.part(x.Header.Get("Content-Type"), x.Header.Get("Content-Transfer-Encoding"), x.Header.Get("Content-Disposition"), x, depth+1)
		}
		return
	}
	data, _ := io.ReadAll(io.LimitReader(decoded(encoding, body), maxReport)) // what came before a mistake counts
	way, dp, _ := mime.ParseMediaType(disposition)
	name := dp["filename"]
	if name == "" {
		name = p["name"]
	}
	text := media == "text/plain" || media == "text/html"
	switch {
	case text && way != "attachment" && name == "" && media == "text/plain" && r.Text == "":
		r.Text = inUTF8(p["charset"], data[:min(len(data), letterText)])
		r.Shortened = r.Shortened || len(data) > letterText
	case text && way != "attachment" && name == "" && media == "text/html" && r.marked == "":
		r.marked = inUTF8(p["charset"], data[:min(len(data), letterText)])
	case len(data) == 0:
	case len(r.Files) >= letterFiles:
		r.Shortened = true
	default:
		if name = headerWords(name); name == "" {
			name = "part"
		}
		r.Files = append(r.Files, LetterFile{name, data})
	}
}

// decoded undoes a transfer encoding (RFC 2045 section 6).
func decoded(encoding string, body io.Reader) io.Reader {
	switch strings.ToLower(strings.TrimSpace(encoding)) {
	case "base64":
		return base64.NewDecoder(base64.StdEncoding, body)
	case "quoted-printable":
		return quotedprintable.NewReader(body)
	}
	return body
}

// inUTF8 makes UTF-8 of another charset; what cannot be read so is replaced later.
func inUTF8(label string, b []byte) string {
	if r, err := charset.NewReaderLabel(label, bytes.NewReader(b)); label != "" && err == nil {
		if out, err := io.ReadAll(io.LimitReader(r, 4*letterText)); err == nil {
			return string(out)
		}
	}
	return string(b)
}

var (
	hiddenMarks = regexp.MustCompile(`(?is)<(style|script|head)\b.*?</(style|script|head)\s*>|<!--.*?-->`)
	lineMarks   = regexp.MustCompile(`(?i)<(br|/p|/div|/tr|/li|/h[1-6])\b[^>]*>`)
	anyMark     = regexp.MustCompile(`<[^>]*>`)
	emptyLines  = regexp.MustCompile(`\n\s*\n\s*\n+`)
)

// withoutMarks is the text of an HTML part. It is shown as text alone.
func withoutMarks(s string) string {
	s = lineMarks.ReplaceAllString(hiddenMarks.ReplaceAllString(s, ""), "\n")
	return emptyLines.ReplaceAllString(html.UnescapeString(anyMark.ReplaceAllString(s, "")), "\n\n")
}
