package notify

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	netmail "net/mail"
	"regexp"
	"strconv"
	"strings"
)

// The limits of a report.
const (
	maxReport  = 2 << 20 // bytes; most hold the whole message that did not come
	maxParts   = 20
	maxStatus  = 256 << 10 // bytes of the part that programs read
	maxOutcome = 100       // recipients
)

// A Report is what a mail server wrote back about a message of ours: of its delivery (RFC 3464, and RFC 6533 where SMTPUTF8 was
// in use), or a complaint (RFC 5965). All but Ref was written by others.
type Report struct {
	Ref       string    // the reference of the message, proved by its token
	Complaint string    // kind of a complaint ("abuse"); "" in a report of delivery
	MessageID string    // of the message, without brackets, as the report has it; "" if it has none
	Envelope  string    // ENVID of the message (RFC 3461)
	By        string    // the server that reports, "dns; mx.example.org"
	Outcomes  []Outcome // at least one in a report of delivery
}

// An Outcome is what became of the message for one recipient.
type Outcome struct {
	Recipient string // address, as the reporting server had it
	Original  string // address, as we wrote it; "" when it is not told
	Action    string // failed, delayed, delivered, relayed, expanded
	Status    string // RFC 3463: "5.1.1"; "" when it has another form
	Words     string // diagnostic code: what the last server said
	Remote    string // the server that said so
}

// Failed reports whether the message did not come and will not: trying again does not help.
func (o Outcome) Failed() bool { return o.Action == "failed" }

// Waits reports whether a server still tries.
func (o Outcome) Waits() bool { return o.Action == "delayed" }

// Dead reports whether the address itself is wrong (RFC 3463: 5.1.x; 5.2.1 disabled): mail to it has no use until somebody mends it.
func (o Outcome) Dead() bool {
	return o.Failed() && (strings.HasPrefix(o.Status, "5.1.") || o.Status == "5.2.1")
}

// ErrNoReport: a message that is no report, such as an answer of somebody who is on leave.
var ErrNoReport = errors.New("this message is no report of delivery")

// ReadReport reads a message that came to the mailbox for reports, at most 2 MiB of it. to is where it was delivered, if known. A report is
// believed only if a token of ours stands where the message was delivered, in its header, or in what it tells of the message; otherwise it
// is ErrForged. What is no report is ErrNoReport.
func ReadReport(raw io.Reader, to string, b *Bounces) (Report, error) {
	text, err := io.ReadAll(io.LimitReader(raw, maxReport+1))
	if err != nil {
		return Report{}, fmt.Errorf("reading a report of delivery: %w", err)
	}
	if len(text) > maxReport {
		return Report{}, fmt.Errorf("a report of delivery has more than %d bytes", maxReport)
	}
	m, err := netmail.ReadMessage(bytes.NewReader(text))
	if err != nil {
		return Report{}, fmt.Errorf("a report of delivery cannot be read: %s", oneLine(err.Error(), maxReply))
	}
	r := &reading{b: b, left: maxParts}
	for _, h := range []string{"To", "Delivered-To", "X-Original-To", "Envelope-To", "X-Envelope-To"} {
		for _, v := range m.Header[h] {
			r.try(v)
		}
	}
	r.try(to)
	if err := r.part(m.Header.Get("Content-Type"), m.Header.Get("Content-Transfer-Encoding"), m.Body, 0); err != nil {
		return Report{}, err
	}
	if len(r.Outcomes) == 0 && r.Complaint == "" {
		return Report{}, ErrNoReport
	}
	if r.Ref == "" {
		return Report{}, ErrForged
	}
	return r.Report, nil
}

// A reading is a report as far as it was read.
type reading struct {
	Report
	b    *Bounces
	left int // parts that may still be read
}

// addressIn finds what looks like an address in a header.
var addressIn = regexp.MustCompile(`[0-9A-Za-z.+=_-]{1,64}@[0-9A-Za-z.-]{1,253}`)

// try looks for a token of ours. The first that holds counts.
func (r *reading) try(s string) {
	for _, a := range addressIn.FindAllString(s[:min(len(s), 4096)], 16) {
		if r.Ref == "" {
			r.Ref, _ = r.b.Read(a)
		}
	}
}

// part reads one part, and those in it to a depth of three.
func (r *reading) part(kind, encoding string, body io.Reader, depth int) error {
	kind, p, err := mime.ParseMediaType(kind)
	if err != nil {
		return nil // a part that nobody can read; others may do
	}
	switch kind {
	case "message/delivery-status", "message/global-delivery-status":
		r.delivery(fields(plainText(encoding, body)))
	case "message/feedback-report":
		r.complaint(fields(plainText(encoding, body)))
	case "text/rfc822-headers", "message/rfc822", "message/global-headers", "message/global":
		if list := fields(plainText(encoding, body)); len(list) > 0 {
			r.MessageID = pick(r.MessageID, strings.Trim(list[0]["message-id"], "<> "))
			r.try(list[0]["return-path"])
		}
	}
	if !strings.HasPrefix(kind, "multipart/") || depth == 3 || p["boundary"] == "" {
		return nil
	}
	for m := multipart.NewReader(body, p["boundary"]); r.left > 0; r.left-- {
		x, err := m.NextRawPart()
		if err != nil {
			return nil // its end, or where it broke off: what came before counts
		}
		if err := r.part(x.Header.Get("Content-Type"), x.Header.Get("Content-Transfer-Encoding"), x, depth+1); err != nil {
			return err
		}
	}
	return nil
}

// plainText undoes the encoding and returns the start of the text.
func plainText(encoding string, body io.Reader) string {
	switch strings.ToLower(strings.TrimSpace(encoding)) {
	case "base64":
		body = base64.NewDecoder(base64.StdEncoding, body)
	case "quoted-printable":
		body = quotedprintable.NewReader(body)
	}
	b, _ := io.ReadAll(io.LimitReader(body, maxStatus))
	return string(b)
}

// fields reads groups of fields, which empty lines part (RFC 3464 section 2.1). Names are in lower case; the first of a name counts.
func fields(text string) (groups []map[string]string) {
	var group map[string]string
	last := ""
	for l := range strings.Lines(text) {
		l = strings.TrimRight(l, "\r\n")
		if strings.TrimSpace(l) == "" {
			group, last = nil, ""
			continue
		}
		if l[0] == ' ' || l[0] == '\t' {
			if last != "" && len(group[last]) < 4096 {
				group[last] += " " + strings.TrimSpace(l)
			}
			continue
		}
		name, value, ok := strings.Cut(l, ":")
		if name = strings.ToLower(strings.TrimSpace(name)); !ok || name == "" || len(name) > 64 {
			last = ""
			continue
		}
		if group == nil {
			if len(groups) > maxOutcome {
				return groups
			}
			group = map[string]string{}
			groups = append(groups, group)
		}
		if _, twice := group[name]; twice || len(group) > 100 {
			last = ""
			continue
		}
		group[name], last = strings.TrimSpace(value), name
	}
	return groups
}

// delivery reads the fields of RFC 3464: one group of the message, then one of each recipient.
func (r *reading) delivery(groups []map[string]string) {
	for _, g := range groups {
		r.Envelope = pick(r.Envelope, unxtext(g["original-envelope-id"]))
		r.By = pick(r.By, g["reporting-mta"])
		if g["final-recipient"] == "" && g["original-recipient"] == "" || len(r.Outcomes) == maxOutcome {
			continue
		}
		o := Outcome{
			Recipient: recipient(g["final-recipient"]), Original: unxtext(recipient(g["original-recipient"])),
			Action: strings.ToLower(oneLine(g["action"], 20)), Words: oneLine(g["diagnostic-code"], maxReply), Remote: oneLine(g["remote-mta"], maxReply),
		}
		if s, _, _ := strings.Cut(strings.TrimSpace(g["status"]), " "); statusForm.MatchString(s) {
			o.Status = s
		}
		r.Outcomes = append(r.Outcomes, o)
	}
}

var statusForm = regexp.MustCompile(`^[245]\.[0-9]{1,3}\.[0-9]{1,3}$`)

// complaint reads the fields of RFC 5965.
func (r *reading) complaint(groups []map[string]string) {
	for _, g := range groups {
		if g["feedback-type"] == "" {
			continue
		}
		r.Complaint = pick(r.Complaint, strings.ToLower(g["feedback-type"]))
		r.Envelope = pick(r.Envelope, g["original-envelope-id"])
		r.By = pick(r.By, g["reporting-mta"])
		r.try(g["original-mail-from"])
	}
}

// pick keeps the first that is not empty, made safe.
func pick(before, s string) string {
	if before != "" {
		return before
	}
	return oneLine(s, maxReply)
}

// recipient reads "rfc822; anna@shop.example" and "utf-8; ann\x{E4}@shop.example" (RFC 6533 section 3).
func recipient(s string) string {
	kind, address, ok := strings.Cut(s, ";")
	if !ok {
		kind, address = "rfc822", s
	}
	address = strings.Trim(strings.TrimSpace(address), "<>")
	if strings.EqualFold(strings.TrimSpace(kind), "utf-8") {
		address = embedded.ReplaceAllStringFunc(address, func(x string) string {
			n, err := strconv.ParseUint(x[3:len(x)-1], 16, 32)
			if err != nil || n > 0x10FFFF {
				return x
			}
			return string(rune(n))
		})
	}
	return oneLine(address, maxReply)
}

var (
	embedded = regexp.MustCompile(`\\x\{[0-9A-Fa-f]{1,6}\}`)
	xcoded   = regexp.MustCompile(`\+(2B|3D)`) // all that xtext writes of what we send
)

// unxtext undoes xtext.
func unxtext(s string) string {
	return xcoded.ReplaceAllStringFunc(s, func(x string) string {
		n, _ := strconv.ParseUint(x[1:], 16, 8)
		return string([]byte{byte(n)})
	})
}
