package desk

import (
	"errors"
	"fmt"
	"time"

	"tocsin/internal/entry"
	"tocsin/internal/letterbox"
	"tocsin/internal/report"
)

// Limits of a thread as the reporter sees it.
const (
	mostMessage  = 256 << 10 // bytes of one sealed message: it has words, and no files
	mostReturned = 64 << 10  // of a first report that is sent back with its thread: with files it is too much
	mostThread   = 4 << 20   // bytes of all messages that are sent back; the oldest are left out
)

// An OutsideThread is a thread for whoever showed its receipt.
type OutsideThread struct {
	Standing string // see report.Case.Seen
	Filed    string // day
	Rows     []SealedMessage
}

// A SealedMessage is one of it, sealed to the receipt and to the team.
type SealedMessage struct {
	Team   bool
	Day    string
	Sealed []byte
}

// HeldBack is a wrong receipt: the answer waits that long.
type HeldBack struct{ Wait time.Duration }

func (h HeldBack) Error() string { return report.ErrReceipt.Error() }

func (h HeldBack) Unwrap() error { return report.ErrReceipt }

// ReportThread opens a thread by the token of its receipt. w is work, asked for while many receipts are wrong; without script there is none, and then
// nobody without script comes in.
//
// Errors: report.Refusal; ErrNotWorked; HeldBack.
func (d *Desk) ReportThread(network string, token []byte, w Solved) (OutsideThread, error) {
	c, err := d.findReport(network, token, w)
	if err != nil {
		return OutsideThread{}, err
	}
	return d.threadOf(c), nil
}

// findReport finds a report by the token of its receipt, and counts those that are wrong.
func (d *Desk) findReport(network string, token []byte, w Solved) (report.Case, error) {
	now, o := time.Now(), &d.outside
	o.mu.Lock()
	err, costs := o.door.Try(now, network), o.door.Costs(now)
	o.mu.Unlock()
	if err == nil && costs {
		err = d.work(now, w)
	}
	if err != nil {
		return report.Case{}, err
	}
	c, known := report.Case{}, false
	hash := d.receiptHash(token)
	d.Read(func(s *State) {
		if x, ok := s.reports.Find(hash); ok {
			c, known = *x, true
		}
	})
	if known {
		return c, nil
	}
	o.mu.Lock()
	count, write, hold := o.door.Wrong(now, network)
	since := o.door.Since()
	o.mu.Unlock()
	if write {
		err := d.write(func(*State, time.Time) ([]entry.Draft, error) {
			return []entry.Draft{{Actor: "desk", Kind: entry.ReportGuessed, Subject: "reports", Body: entry.ReportGuesses{Since: since.UTC().Round(0), Count: count}}}, nil
		})
		if err != nil && !errors.Is(err, ErrBroken) {
			d.log.Error("writing that receipts of reports are wrong", "error", err)
		}
	}
	return report.Case{}, HeldBack{hold}
}

func (d *Desk) threadOf(c report.Case) OutsideThread {
	t := OutsideThread{Standing: string(c.Seen()), Filed: c.Day}
	all := c.Thread
	if c.Size <= mostReturned {
		all = append([]report.Message{{ReportMessage: entry.ReportMessage{Day: c.Day, Vault: c.Vault}}}, all...)
	}
	left := mostThread
	first := len(all)
	objects := make([][]byte, len(all))
	for k := len(all) - 1; k >= 0 && left > 0; k-- {
		b, err := d.vault.Get(all[k].Vault)
		if err != nil {
			d.log.Error("a message of a report cannot be read", "report", c.ID, "error", err)
		}
		if left -= len(b); left >= 0 {
			objects[k], first = b, k
		}
	}
	for k, m := range all[first:] {
		t.Rows = append(t.Rows, SealedMessage{m.Team, m.Day, objects[first+k]})
	}
	return t
}

// TellSealed takes a message of the reporter that the browser has sealed, and returns the thread. Errors as of ReportThread, and report.Refusal of the door.
func (d *Desk) TellSealed(network string, token []byte, w Solved, sealed []byte) (OutsideThread, error) {
	if err := letterbox.CheckSealed(sealed); err != nil {
		return OutsideThread{}, err
	}
	if len(sealed) > mostMessage {
		return OutsideThread{}, report.Refusal{Why: "size"}
	}
	d.outside.mu.Lock()
	costs := d.outside.door.Costs(time.Now())
	d.outside.mu.Unlock()
	if !costs { // else finding it takes the work
		if err := d.work(time.Now(), w); err != nil {
			return OutsideThread{}, err
		}
	}
	// what was sealed is unlike any other, even if it says the same
	return d.tellReport(network, token, w, false, d.vault.Hash("report message", string(sealed)), func(report.Case) ([]byte, error) { return sealed, nil })
}

// TellPlain takes one that reached us readable, and seals it. once is the chance of the form in which it was written, see FilePlainOnce.
func (d *Desk) TellPlain(network string, receipt report.Receipt, once, what string) (OutsideThread, error) {
	own, err := letterbox.Derive(receipt)
	if err != nil {
		return OutsideThread{}, err
	}
	if once != "" {
		once = d.vault.Hash("report message", string(own.Token[:])+once+"\x00"+what)
	}
	return d.tellReport(network, own.Token[:], Solved{}, true, once, func(c report.Case) ([]byte, error) {
		return letterbox.Post(report.Parcel{What: what}, d.TeamKey(), replyTo(c.Reply))
	})
}

// tellReport takes a message. One that came already is taken once, and the thread is the answer, as it was.
func (d *Desk) tellReport(network string, token []byte, w Solved, plain bool, once string, seal func(report.Case) ([]byte, error)) (OutsideThread, error) {
	c, err := d.findReport(network, token, w)
	if err != nil {
		return OutsideThread{}, err
	}
	if d.toldOnce(once) {
		return d.threadOf(c), nil
	}
	sealed, err := seal(c)
	if err != nil {
		return OutsideThread{}, err
	}
	now := time.Now()
	if err := d.admit(now, network, report.Form, plain, int64(len(sealed))); err != nil {
		return OutsideThread{}, err
	}
	if err := d.keepMessage(now, c.Receipt, plain, once, sealed); err != nil && !errors.Is(err, report.ErrTwice) {
		return OutsideThread{}, err
	}
	d.Read(func(s *State) {
		if x, ok := s.reports.Find(c.Receipt); ok {
			c = *x
		}
	})
	return d.threadOf(c), nil
}

// toldOnce reports whether a message of a reporter came as this already.
func (d *Desk) toldOnce(once string) (is bool) {
	d.Read(func(s *State) { is = s.reports.Told(once) })
	return is
}

// keepMessage keeps a message of a reporter, and writes its entry. once is a keyed hash of what it came as: the same is kept once, and then a report.ErrTwice.
func (d *Desk) keepMessage(now time.Time, hash string, plain bool, once string, sealed []byte) error {
	m := report.Written{Vault: "-", Size: int64(len(sealed)), Plain: plain, Once: once}
	d.mu.RLock()
	_, err := report.Tell(d.state.reports, now, hash, m)
	d.mu.RUnlock()
	if err != nil { // before anything is kept of it
		return err
	}
	if m.Vault, err = d.vault.Put(sealed); err != nil {
		return fmt.Errorf("keeping a message of a reporter: %w", err)
	}
	err = d.write(func(s *State, now time.Time) ([]entry.Draft, error) { return one(report.Tell(s.reports, now, hash, m)) })
	d.unkept(err, m.Vault)
	return err
}
