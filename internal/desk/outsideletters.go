package desk

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"tocsin/internal/letterbox"
	"tocsin/internal/notify"
	"tocsin/internal/report"
)

// Mail to abuse@ and security@ becomes reports. It came readable, so it is sealed here and marked so; it stays in its mailbox, marked as read. No answer is sent by
// itself: that would begin loops, and reach whoever a forged sender names. Who answers our mail writes on in the thread.

// hearLetters stays connected to the mailbox for people's mail.
func (d *Desk) hearLetters(ctx context.Context) error {
	if d.o.Outside == nil || d.o.Outside.Letters == nil {
		return nil
	}
	box := &d.outside.box
	d.stayConnected(ctx, box, "the mailbox for reports from outside", func() error {
		return d.o.Outside.Letters(ctx, d.takeLetter, func() {
			if box.is(time.Now(), true, time.Time{}, "") {
				d.log.Info("the mailbox for reports from outside is read")
				d.changed.say()
			}
		})
	})
	return nil
}

// LettersBox says how the mailbox for reports from outside does.
func (d *Desk) LettersBox(now time.Time) Standby { return d.outside.box.state(now) }

// ourAddress reports whether a mail address is one of ours: mail to it would come back as a report.
func (d *Desk) ourAddress(address string) bool {
	if name, mine, err := keyName(d.o.From); err == nil && name != "" && strings.EqualFold(mine, address) {
		return true
	}
	if d.o.Outside == nil { // reports are off, and those that came before are still decided about
		return false
	}
	for _, a := range d.o.Outside.Addresses {
		if strings.EqualFold(a, address) {
			return true
		}
	}
	return false
}

// takeLetter makes a report of a letter, or a message of the thread that it answers. notify.ErrLater means that it cannot be taken yet.
func (d *Desk) takeLetter(raw []byte) error {
	l, err := notify.ReadLetter(raw, func(s string) bool {
		return strings.HasSuffix(strings.ToLower(s), "@"+strings.ToLower(d.origin())) || d.ourAddress(s)
	})
	if err != nil {
		why := "broken"
		if u, ok := errors.AsType[notify.Unwanted](err); ok {
			why = u.Why
		}
		d.log.Info("mail to the mailbox for reports was left there", "why", why, "count", d.outside.left.add(why))
		return nil
	}
	once := d.vault.Hash("report letter", string(raw))
	if d.toldOnce(once) { // the program ended, or the connection broke, before it was marked as seen
		return nil
	}
	network := "mail " + d.vault.Hash("report sender", strings.ToLower(l.From))
	p := parcelOf(l)
	told := errNoThread
	if hash := d.answersReport(l.Answers); hash != "" {
		told = d.tellByLetter(network, hash, once, p)
	}
	if errors.Is(told, report.ErrTwice) {
		return nil
	}
	full, refused := errors.AsType[report.Refusal](told)
	if err = told; told != nil && !refused && !errors.Is(told, ErrBroken) { // it answers nothing, or a thread that takes no more
		_, err = d.filePlain(network, report.Mail, p, "", once)
		full, refused = errors.AsType[report.Refusal](err)
	}
	switch {
	case err == nil:
		return nil
	case refused && full.Wait > 0:
		d.log.Warn("mail to the mailbox for reports waits there: too much came", "why", full.Why, "count", d.outside.left.add("too much"))
		return notify.ErrLater
	case refused:
		d.log.Warn("mail to the mailbox for reports was left there: it is too large", "count", d.outside.left.add("size"))
		return nil
	case errors.Is(err, ErrBroken):
		return notify.ErrLater
	}
	d.log.Error("making a report of a mail", "error", err)
	return notify.ErrLater
}

// errNoThread says that a letter answers none of ours.
var errNoThread = errors.New("it answers no mail of ours")

// parcelOf is a letter as a report.
func parcelOf(l notify.Letter) report.Parcel {
	text := strings.TrimSpace(l.Subject + "\n\n" + l.Text)
	if r := []rune(text); len(r) > report.MostText-100 {
		text, l.Shortened = string(r[:report.MostText-100]), true
	}
	if l.Shortened {
		text += "\n\n[It was longer. The whole mail is in the mailbox.]"
	}
	if text == "" {
		text = "[The mail has no text.]"
	}
	p := report.Parcel{From: report.Unknown, What: text, Contact: l.From}
	for _, f := range l.Files {
		b, clean := letterbox.Bare(f.Data)
		p.Files = append(p.Files, report.File{Name: report.SafeName(f.Name), Size: int64(len(b)), Clean: clean, Data: b})
	}
	return p
}

// answersReport is the receipt's hash of the report whose mail a letter answers, "" when it answers none of ours.
func (d *Desk) answersReport(ids []string) (hash string) {
	for _, id := range ids {
		local, at, _ := strings.Cut(id, "@")
		m := reportMessageForm.FindStringSubmatch(local)
		if m == nil || !strings.EqualFold(at, d.origin()) {
			continue
		}
		of, oerr := strconv.ParseInt(m[1], 10, 64)
		n, nerr := strconv.Atoi(m[2])
		if oerr != nil || nerr != nil || reportMessage(d.vault.Hash, of, n) != local {
			continue
		}
		d.Read(func(s *State) {
			if c, ok := s.reports.Case(of); ok {
				hash = c.Receipt
			}
		})
		if hash != "" {
			return hash
		}
	}
	return ""
}

// tellByLetter adds a letter to the thread that it answers. once is a keyed hash of the letter.
func (d *Desk) tellByLetter(network, hash, once string, p report.Parcel) error {
	reply := ""
	d.Read(func(s *State) {
		if c, ok := s.reports.Find(hash); ok {
			reply = c.Reply
		}
	})
	sealed, err := letterbox.Post(p, d.TeamKey(), replyTo(reply))
	if err != nil {
		return err
	}
	now := time.Now()
	if err := d.admit(now, network, report.Mail, true, int64(len(sealed))); err != nil {
		return err
	}
	return d.keepMessage(now, hash, true, once, sealed)
}
