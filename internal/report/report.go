// Package report decides about what people outside tell us: employees, customers, researchers, suppliers.
//
//	browser: WriteParcel (text, files, padded) ── age ──┐           Challenge, Solved: work instead of a riddle
//	no script, or a mailbox: plain ── letterbox seals ──┤
//	                                                    v
//	Door.Admit (how many, how large) ── Take ── entry report.filed | report.bundled ── State.Fold
//	                                                    │
//	Owed(state, now): one call for all that come together, a count that grows
//	Open, Join, Answer, Close, Spam: one entry per step, the reporter's message within it
//	Receipt ── Find: the thread, for whoever holds the code
//
// What was told never is here: a report is a vault object of ciphertext, with the class of its size, and the day. Who wrote it is
// not kept: no address, no user agent, no moment. (The ledger itself numbers and times each entry as it is written: it says when the
// program took a report, and that cannot be blurred without giving up the order of things. Pages show the day alone.)
//
// A receipt is a hundred bits, made where the report is made. Two things are derived from it (package letterbox): a token, which opens
// the thread and of which only a keyed hash is kept, and a key, to which answers are sealed. So a stolen disk gives neither.
package report

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"time"

	"tocsin/internal/entry"
)

// Who tells us something, in their own word: nothing proves it.
const (
	Employee   = "employee"
	Customer   = "customer"
	Researcher = "researcher"
	Supplier   = "supplier"
	Unknown    = "unknown"
)

// Senders returns who a report may be from, as the form lists them.
func Senders() []string { return []string{Employee, Customer, Researcher, Supplier, Unknown} }

// How a report came.
const (
	Form = "form"
	Mail = "mail"
)

// A Standing is where a report stands.
type Standing string

const (
	New      Standing = "new"
	Read     Standing = "read"
	Answered Standing = "answered" // the reporter was written to, and has not written back
	Opened   Standing = "opened"   // an incident was opened for it
	Joined   Standing = "joined"   // it belongs to an incident
	Closed   Standing = "closed"
	Spam     Standing = "spam"
)

// A Case is one report with all that became of it.
type Case struct {
	entry.Report
	Standing Standing
	Incident int64 // 0 belongs to none
	Thread   []Message
	Unread   int    // messages of the reporter that nobody of the team has opened
	Passed   int    // of those that were unread: dealt with unopened, by a decision about the whole bucket
	Reader   string // who of the team opened it first
	Steps    []Step
	Apart    bool // of a bucket: it got an incident by itself, so what is decided about the bucket passes it by
}

// A Message is one of the thread.
type Message struct {
	entry.ReportMessage
	Team bool   // the team wrote it; else the reporter
	By   string // who of the team
}

// A Step is what a person of the team did, for the history of the report.
type Step struct {
	At       time.Time
	Kind     entry.Kind
	Person   string
	Incident int64
	Text     string
}

// Done reports whether nobody need look at it any more.
func (c *Case) Done() bool { return c.Standing == Closed || c.Standing == Spam }

// Waits reports whether somebody must open it: nobody has, or it has new words of its reporter.
func (c *Case) Waits() bool { return c.Standing == New || c.Unread > 0 && !c.Done() }

// Moves counts what was decided and written about it: who decides names the count that they saw, so that of two who decide at once the
// second is told of the first.
func (c *Case) Moves() (n int) {
	for _, s := range c.Steps {
		if s.Kind != entry.ReportRead {
			n++
		}
	}
	return n + len(c.Thread)
}

// Seen is what the reporter may know of where a report stands: that it came, was read, is worked on, or is dealt with. That it was
// taken for spam they learn as "closed": it tells a flooder nothing.
func (c *Case) Seen() Standing {
	switch c.Standing {
	case Opened, Joined:
		return Opened
	case Closed, Spam:
		return Closed
	}
	return c.Standing
}

// Day is the day of a moment, as entries keep it.
func Day(t time.Time) string { return t.UTC().Format(time.DateOnly) }

// Hash is what is kept of a receipt's token: HMAC-SHA256 under a key of the installation, which lies outside of the ledger.
func Hash(key []byte, token []byte) string {
	m := hmac.New(sha256.New, key)
	m.Write([]byte("tocsin report token\x00"))
	m.Write(token)
	return hex.EncodeToString(m.Sum(nil))
}

// Classes are the sizes that a ciphertext may seem to have, in bytes: whoever sees the disk learns no more than the class.
func Classes() []int64 {
	return []int64{4 << 10, 16 << 10, 64 << 10, 256 << 10, 1 << 20, 4 << 20, 8 << 20, 12 << 20, 16 << 20, 20 << 20, 24 << 20}
}

// Class is the class of a size, and false for what is larger than the largest.
func Class(size int64) (int64, bool) {
	all := Classes()
	i, _ := slices.BinarySearch(all, size)
	if i == len(all) || size < 0 {
		return 0, false
	}
	return all[i], true
}
