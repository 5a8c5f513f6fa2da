package notify

import (
	"fmt"
	"regexp"
	"strings"
	"time"
)

// www begins what mail programs make a link of.
var www = regexp.MustCompile(`(?i)(www)\.`)

// A Call is what the words of a call are made from. What stands in it may come from a log: it is made safe here, and what
// looks like a web address in it is broken, so that only our own two links can be followed.
type Call struct {
	Severity string         // Critical, High, Medium or Low
	Title    string         // of the incident
	At       time.Time      // when it began; of a test, when it was sent
	Zone     *time.Location // of the reader; nil shows UTC alone
	Known    string         // what is known, in a sentence or a few lines
	Answer   string         // link that answers the call; "" when it is answered in the console only
	Incident string         // link to the incident
	More     int            // further incidents that this call stands for
	Twice    bool           // the same call may have been sent before
	Sample   bool           // the logs are the bundled ones
	Test     bool           // somebody pressed "ring me now"
}

// MaxText is how long the words of a call may be, in bytes: what a phone shows without opening a second part.
const MaxText = 1600

const maxTitle = 120 // bytes

// Subject returns one line, at most 200 bytes.
func (c Call) Subject() string {
	var b strings.Builder
	switch {
	case c.Test:
		b.WriteString("[Tocsin test] ")
	case c.Sample:
		b.WriteString("[Tocsin sample] ")
	default:
		b.WriteString("[Tocsin] ")
	}
	if s := oneLine(c.Severity, 20); s != "" {
		b.WriteString(s + ": ")
	}
	b.WriteString(c.title())
	if c.More > 0 {
		fmt.Fprintf(&b, " (and %d more)", c.More)
	}
	if c.Twice {
		b.WriteString(" (possibly twice)")
	}
	return b.String()
}

// Body returns the words, at most MaxText bytes whenever the two links leave 500 for them. When it gets too long, what is
// known is cut first; links never are.
func (c Call) Body() string {
	var head, tail strings.Builder
	if c.Test {
		head.WriteString("This is a test. Nothing has happened. It shows that this way of reaching you works.\n\n")
	}
	if c.Sample {
		head.WriteString("SAMPLE: this was found in the logs that come with Tocsin. Nothing has happened to your shop.\n\n")
	}
	if s := oneLine(c.Severity, 20); s != "" {
		head.WriteString(s + ": ")
	}
	head.WriteString(c.title() + "\n")
	switch {
	case c.At.IsZero():
	case c.Test:
		head.WriteString("Sent: " + when(c.At, c.Zone) + "\n")
	default:
		head.WriteString("Began: " + when(c.At, c.Zone) + "\n")
	}
	if c.More > 0 {
		fmt.Fprintf(&tail, "\nThis call also stands for %s.\n", count(c.More, "more open incident", "more open incidents"))
	}
	if c.Answer != "" {
		tail.WriteString("\nAnswer (the first answer stops the calls to everybody):\n" + c.Answer + "\n")
	}
	if c.Incident != "" {
		tail.WriteString("\nThe incident:\n" + c.Incident + "\n")
	}
	if c.Twice {
		tail.WriteString("\nYou may have got this call before: Tocsin was stopped while it was being sent.\n")
	}
	known := lines(defang(visible(c.Known, "\r\n")), max(0, MaxText-head.Len()-tail.Len()-len("\n\n")))
	if known != "" {
		head.WriteString("\n" + known + "\n")
	}
	return head.String() + tail.String()
}

// Message returns the message with these words.
func (c Call) Message(to, id, call string) Message {
	return Message{To: to, Subject: c.Subject(), Body: c.Body(), ID: id, Call: call, Severity: c.Severity, Link: c.Answer, Twice: c.Twice}
}

// when shows a time as the reader's clock had it, with UTC beside.
func when(t time.Time, zone *time.Location) string {
	utc := t.UTC()
	if zone == nil || zone == time.UTC {
		return utc.Format("Monday 2 January 2006, 15:04 UTC")
	}
	local := t.In(zone)
	beside := utc.Format("15:04 UTC")
	if utc.YearDay() != local.YearDay() {
		beside = utc.Format("2 January 15:04 UTC")
	}
	return local.Format("Monday 2 January 2006, 15:04 MST") + " (" + beside + ")"
}

// count words a number of things.
func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// title returns the incident's title, safe; a call without one still says what it is about.
func (c Call) title() string {
	if s := harmless(c.Title, maxTitle); s != "" {
		return s
	}
	return "an incident without a title"
}

// harmless is oneLine without anything that a mail reader or chat makes a link of.
func harmless(s string, limit int) string { return oneLine(defang(visible(s, "")), limit) }

// defang breaks web addresses, in the way that security people write them. It must see what visible leaves: an address
// may have been hidden by a character that is dropped.
func defang(s string) string {
	return www.ReplaceAllString(strings.ReplaceAll(s, "://", "[:]//"), "$1[.]")
}
