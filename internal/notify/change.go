package notify

import (
	"fmt"
	"strings"
	"time"
)

// A Change is one thing that was changed of how a person signs in or is reached.
type Change struct {
	At   time.Time
	What string // "a passkey was added"
	By   string // "by you", "by Anna Keller"
}

// Changes tells a person of them. It holds no secret, and no address.
type Changes struct {
	Changes []Change
	More    int            // that are only counted
	Zone    *time.Location // nil is UTC
	Manage  string         // where they look
	Twice   bool           // possibly the second time
}

// Subject is its line.
func (c Changes) Subject() string {
	if len(c.Changes) == 1 && c.More == 0 {
		return "Tocsin: " + harmless(c.Changes[0].What, maxPart)
	}
	return "Tocsin: how you sign in or are reached was changed"
}

// Body returns the words.
func (c Changes) Body() string {
	var b strings.Builder
	b.WriteString("Of your account in Tocsin:\n\n")
	for _, x := range c.Changes {
		fmt.Fprintf(&b, "  %s, %s.\n    %s\n", harmless(x.What, maxPart), harmless(x.By, maxPart), moment(x.At, c.Zone))
	}
	if c.More > 0 {
		fmt.Fprintf(&b, "  and %s\n", many(int64(c.More), "further change", "further changes"))
	}
	b.WriteString("\nIf that was you, or you know of it, there is nothing to do. If not, sign in, end the other sessions, change your password, and tell your team at once: somebody else may be acting as you.\n")
	if c.Manage != "" {
		b.WriteString(c.Manage + "\n")
	}
	if c.Twice {
		b.WriteString("\nYou may have got this message before: Tocsin was stopped while it was being sent.\n")
	}
	return lines(b.String(), maxBody)
}

// Message is the words as they are sent. id is the Message-ID without its angle brackets.
func (c Changes) Message(to, id string) Message {
	return Message{To: to, Subject: c.Subject(), Body: c.Body(), ID: id, Twice: c.Twice}
}
