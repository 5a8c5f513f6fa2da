// Package notify carries a message out of the program: by mail (mail.go), to a chat (webhook.go for Slack, mattermost.go, teams.go, discord.go,
// telegram.go), to a phone (ntfy.go, pushover.go, sms.go), and to a program (signed.go). All but mail go through post.go. text.go words a call.
// What mail servers write back is read by report.go; which message it is of is proved by verp.go. What protects a message on its
// way is made by internal/envelope and comes with the message (Seal).
//
// A sender tries once and says how it went. It knows no schedule and repeats nothing: what is still owed is decided from
// the ledger, and whoever asks again gives the same Message.ID again, so that a repeat after a crash can be told from
// a second call. What went wrong comes as a *Failure, which says whether trying again can help:
//
//	if f, ok := errors.AsType[*notify.Failure](err); ok && f.Temporary { ... }
//
// Titles, names and what servers answer are hostile text: they are made safe here (one line, no control or bidirectional
// characters, bounded). Passwords and webhook addresses are secrets and never stand in a Failure.
package notify

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"tocsin/internal/envelope"
)

// The limits of this package.
const (
	connectTimeout = 10 * time.Second // to connect, TLS included where it starts at once
	sendTimeout    = 30 * time.Second // for the whole of Send or Check, waiting for a free connection included
	keepOpen       = 5 * time.Second  // how long a mail connection waits for a next message
	mailConns      = 4                // mail connections at once to one server
	maxSubject     = 200              // bytes
	maxBody        = 20_000           // bytes
	maxReply       = 300              // bytes of a server's answer that are kept
	maxAfter       = time.Hour        // a server may not hold us back for longer
	maxHeard       = 1 << 20          // bytes that a mail server may say during one message
)

// A Message is one thing to tell one person or room.
type Message struct {
	To       string // mail: one address, a name before it allowed. A webhook with an address of its own ignores it; without one, this is the address
	Subject  string // one line; longer than 200 bytes is cut
	Body     string // plain text, UTF-8; longer than 20,000 bytes is cut
	ID       string // Message-ID without brackets (RFC 5322 3.6.4): letters, digits and .+-_=$ on both sides of one "@"; made by the caller so that a repeat has the same one
	Call     string // the call that the message is of, for the header X-Tocsin-Call; "" has no header
	Severity string // Critical, High, Medium or Low: how loud a phone is; "" is as Medium
	Link     string // where to answer, shown as a link in a chat; "" is none. Mail has it in its Body
	Twice    bool   // it may be the second copy; adds the header X-Tocsin-Repeat. The words say so themselves (see Call)
	Ref      string // mail: which message to whom, for reports of non-delivery (Bounces); "" has none. Lower-case letters, digits, dots, underscores; at most 40

	// Seal makes what is sent instead of Subject and Body: usually Sealer.Seal for one reader. nil sends them readable. When it fails, nothing is sent.
	Seal func(envelope.Plain) (envelope.Sealed, error)
}

// A Failure says why a message was not sent.
type Failure struct {
	Temporary bool          // trying again later can help: no connection, an SMTP reply of 4xx, HTTP 408, 425, 429 and 5xx
	Uncertain bool          // it broke off when the other side may already have taken the message
	After     time.Duration // do not try before; 0 when the other side did not say. At most one hour
	Reason    string        // for people: one line, bounded, without secrets
}

func (f *Failure) Error() string { return f.Reason }

// permanent returns a Failure that trying again does not mend.
func permanent(format string, args ...any) *Failure {
	return &Failure{Reason: fmt.Sprintf(format, args...)}
}

// network returns the Failure of an exchange that broke off: what was being done, and err without what net puts around it.
func network(ctx context.Context, doing string, err error) *Failure {
	why := oneLine(err.Error(), maxReply)
	if e, ok := errors.AsType[*net.OpError](err); ok && e.Err != nil {
		why = oneLine(e.Err.Error(), maxReply)
	}
	if e, ok := errors.AsType[*net.DNSError](err); ok {
		why = fmt.Sprintf("the name %s was not found (%s)", oneLine(e.Name, maxReply), oneLine(e.Err, maxReply))
	}
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		why = "no answer in time"
	case ctx.Err() != nil:
		why = "broken off from our side"
	}
	return &Failure{Temporary: true, Reason: doing + ": " + why}
}

// oneLine makes s safe to stand in a header or a log line: no control, format or bidirectional character, every run of
// white space one space, nothing that a mail reader would decode (RFC 2047), at most limit bytes.
func oneLine(s string, limit int) string {
	s = strings.Join(strings.Fields(visible(s, "")), " ")
	s = strings.ReplaceAll(s, "=?", "= ?")
	return cut(s, limit)
}

// lines makes s safe as the body of a message: as oneLine, but line ends stay, and spaces at the start of a line. At most one
// line in a row is empty.
func lines(s string, limit int) string {
	s = strings.ReplaceAll(s, "\r\n", "\n")
	s = strings.ReplaceAll(s, "\r", "\n")
	var out []string
	for l := range strings.SplitSeq(visible(s, "\n"), "\n") {
		l = strings.TrimRightFunc(l, unicode.IsSpace)
		if l != "" || len(out) > 0 && out[len(out)-1] != "" {
			out = append(out, l)
		}
	}
	return cut(strings.TrimRight(strings.Join(out, "\n"), "\n"), limit)
}

// visible drops what cannot be seen and what changes how other text is seen. Characters of keep stay; a tab becomes a space.
func visible(s, keep string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case strings.ContainsRune(keep, r):
			return r
		case r == '\n' || r == '\r' || r == '\t' || r == '\u2028' || r == '\u2029':
			return ' '
		case unicode.Is(unicode.C, r):
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
}

// cut shortens s to at most limit bytes, at a character's edge, and shows that it did.
func cut(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	const mark = "…"
	if limit < len(mark) {
		return ""
	}
	n := limit - len(mark)
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return strings.TrimRightFunc(s[:n], unicode.IsSpace) + mark
}
