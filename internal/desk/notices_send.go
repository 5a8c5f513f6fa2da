package desk

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"time"

	"tocsin/internal/entry"
	"tocsin/internal/envelope"
	"tocsin/internal/notify"
	"tocsin/internal/plan"
)

// Notices of sign-ins, the part of the debt loop: what waits and is due becomes an entry (notice.wanted, with the names in the vault),
// what is wanted is sent, and what became of it is an entry again. There is one message under way of each wish at most; what
// comes meanwhile waits. So a mail server that is down costs one entry a try, however many people sign in.

// A courier is a notice on its way.
type courier struct {
	notice int64 // 0 is what somebody is told of their own ways in
	try    int
}

// A delivery is what became of one.
type delivery struct {
	courier
	kind   entry.Kind // NoticeSent, NoticeFailed, ChangeSent, ChangeFailed
	result entry.NoticeResult
}

func (l delivery) subject() string {
	if l.notice == 0 {
		return fmt.Sprintf("change:%d", l.try)
	}
	return fmt.Sprintf("notice:%d", l.notice)
}

func (l delivery) failed() bool { return l.kind == entry.NoticeFailed || l.kind == entry.ChangeFailed }

// couriers are the notices that are being sent; the debt loop owns them.
type couriers struct {
	flying map[courier]bool
	landed chan delivery
}

func newCouriers() couriers {
	return couriers{flying: map[courier]bool{}, landed: make(chan delivery, 64)}
}

// sooner returns the earlier of two times that may be zero.
func sooner(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// noticeText is what the vault keeps of a notice.
type noticeText struct {
	Bundle bundle `json:"bundle"`
	Digest bool   `json:"digest,omitempty"`
	Test   bool   `json:"test,omitempty"`
	Sample bool   `json:"sample,omitempty"`
}

// settleNotices wants what is due, and sends what is wanted. It returns when to look again.
func (d *Desk) settleNotices(ctx context.Context, now time.Time) (again time.Time) {
	again = d.wantNotices(now)
	var sends []plan.NoticeTry
	err := d.write(func(s *State, now time.Time) ([]entry.Draft, error) {
		drafts, owed, next := s.Notices.Owed(&s.Plan, now)
		sends, again = owed, sooner(again, next)
		return drafts, nil
	})
	if err != nil {
		if !errors.Is(err, ErrBroken) {
			d.log.Error("notices of sign-ins cannot be written", "error", err)
		}
		return now.Add(heartbeat)
	}
	for _, t := range sends {
		d.sendNotice(ctx, t)
	}
	return again
}

// wantNotices writes down that what waits and is due is to be sent.
func (d *Desk) wantNotices(now time.Time) (again time.Time) {
	waits := d.reader.waits()
	if len(waits) == 0 {
		return time.Time{}
	}
	var due []int64
	gone := map[int64]int64{}
	d.Read(func(s *State) {
		for id, w := range waits {
			n, err := s.Notices.Get(id)
			switch {
			case err != nil || s.Plan.People[n.Person].Gone:
				gone[id] = math.MaxInt64
				continue
			case w.Through <= n.Through: // told before the last stop
				gone[id] = n.Through
				continue
			}
			zone := d.People.Get(s.Plan.People[n.Person].Vault).Location()
			yes, next := n.Due(w.Count, w.First, now, zone)
			if yes {
				due = append(due, id)
			}
			again = sooner(again, next)
		}
	})
	for id, through := range gone {
		d.reader.drop(id, through)
	}
	for _, id := range due {
		if err := d.wantNotice(id); err != nil {
			if !errors.Is(err, ErrBroken) {
				d.log.Error("a notice of sign-ins cannot be kept: it is tried again", "notice", id, "error", err)
			}
			again = sooner(again, now.Add(heartbeat))
		}
	}
	return again
}

// wantNotice puts what waits for a wish into vault and ledger.
func (d *Desk) wantNotice(id int64) error {
	if err := d.Broken(); err != nil {
		return err // else each try would leave an object in the vault that no entry names
	}
	digest := false
	d.Read(func(s *State) {
		if n, err := s.Notices.Get(id); err == nil {
			digest = n.Mode == plan.Digest
		}
	})
	b, ok := d.reader.take(id)
	if !ok {
		return nil
	}
	text, err := d.keepNotice(noticeText{Bundle: b, Digest: digest, Sample: d.Sample()})
	if err != nil {
		return err
	}
	err = d.write(func(s *State, _ time.Time) ([]entry.Draft, error) {
		n, err := s.Notices.Get(id)
		if err != nil || b.Through <= n.Through {
			return nil, nil
		}
		return []entry.Draft{n.Want("desk", entry.NoticeTry{Count: b.Count, Accounts: b.accounts(), Through: b.Through, Text: text})}, nil
	})
	if err == nil {
		d.reader.drop(id, b.Through)
	}
	return err
}

func (d *Desk) keepNotice(x noticeText) (id string, err error) {
	b, err := json.Marshal(x)
	if err != nil {
		return "", err
	}
	if id, err = d.vault.Put(b); err != nil {
		return "", fmt.Errorf("keeping a notice of sign-ins: %w", err)
	}
	return id, nil
}

// sendNotice starts a notice that is owed, once.
func (d *Desk) sendNotice(ctx context.Context, t plan.NoticeTry) {
	c := courier{t.ID, t.Try}
	if d.notices.flying[c] {
		return
	}
	twice := t.Twice || t.Wanted.Before(d.started())
	m, err := d.composeNotice(t, twice)
	d.dispatch(ctx, c, t.Channel, m, err, twice)
}

// dispatch sends a notice on its way; err says why it could not be worded.
func (d *Desk) dispatch(ctx context.Context, c courier, channel string, m notify.Message, err error, twice bool) {
	d.notices.flying[c] = true
	d.sending.Go(func() {
		var said receipt
		if err == nil {
			said, err = d.carry(ctx, channel, m)
		}
		l := d.delivered(c, said, err, twice)
		if l.failed() && ctx.Err() != nil {
			return // the end of the program broke it off: the next start owes it
		}
		select {
		case d.notices.landed <- l:
		case <-ctx.Done():
			d.landNotice(l)
		}
	})
}

// delivered words what became of a notice.
func (d *Desk) delivered(c courier, said receipt, err error, twice bool) delivery {
	r := entry.NoticeResult{ID: c.notice, Try: c.try, Twice: twice, Form: said.form, Less: said.less}
	sent, failed := entry.NoticeSent, entry.NoticeFailed
	if c.notice == 0 {
		sent, failed = entry.ChangeSent, entry.ChangeFailed
	}
	if err == nil {
		return delivery{c, sent, r}
	}
	d.log.Warn("a notice failed", "notice", c.notice, "try", c.try, "error", err)
	if x, ok := errors.AsType[*notify.Failure](err); ok {
		r.Temporary, r.Uncertain, r.After = x.Temporary, x.Uncertain, x.After
	}
	text, verr := d.text(err.Error())
	if verr != nil {
		d.log.Error("keeping why a notice failed", "error", verr)
	}
	r.Text = text
	return delivery{c, failed, r}
}

// landNotice writes what became of a notice. When that cannot be written it stays owed, and is sent again after the next start, marked
// possibly twice. It leaves couriers alone: at the end of the program many may land at once.
func (d *Desk) landNotice(l delivery) bool {
	err := d.write(func(*State, time.Time) ([]entry.Draft, error) {
		return []entry.Draft{{Actor: "desk", Kind: l.kind, Subject: l.subject(), Body: l.result}}, nil
	})
	if err != nil {
		d.log.Error("writing what became of a notice", "notice", l.notice, "try", l.try, "error", err)
	}
	return err == nil
}

// landNotices writes what became of notices that ended while the program did. The loops have ended.
func (d *Desk) landNotices() {
	for {
		select {
		case l := <-d.notices.landed:
			d.landNotice(l)
		default:
			return
		}
	}
}

// composeNotice words a notice: to whom, and what.
func (d *Desk) composeNotice(t plan.NoticeTry, twice bool) (notify.Message, error) {
	b, err := d.vault.Get(t.Text)
	if err != nil {
		return notify.Message{}, fmt.Errorf("reading the notice: %w", err)
	}
	var x noticeText
	if err := json.Unmarshal(b, &x); err != nil {
		return notify.Message{}, fmt.Errorf("reading the notice: %w", err)
	}
	var contact Contact
	d.Read(func(s *State) {
		if p, ok := s.Plan.People[t.Person]; ok {
			contact = d.People.Get(p.Vault)
		}
	})
	to := contact.Mail
	if t.Channel == plan.Webhook {
		to = contact.Webhook
	}
	if to == "" {
		return notify.Message{}, fmt.Errorf("%s has no address for %s any more", t.Person, t.Channel)
	}
	words := x.words()
	words.Zone, words.Twice, words.Manage = contact.Location(), twice, d.o.URL+"/notices"
	m := words.Message(to, t.Message+"@"+d.origin())
	if t.Channel == plan.Mail {
		m = d.forPerson(m, t.Person, contact, envelope.NoticeWaits, noticeMail(t.ID, t.Try, t.Person))
	}
	return m, nil
}

// words is a kept notice, ready to be worded.
func (x noticeText) words() notify.Notice {
	n := notify.Notice{Digest: x.Digest, Test: x.Test, Sample: x.Sample, AtLeast: x.Bundle.Uncounted}
	for _, l := range x.Bundle.Logins {
		n.Signins = append(n.Signins, notify.Signin{At: l.At, Account: l.Account, Realm: l.Realm, Address: l.Address, Country: l.Country, City: l.City, Network: l.Network,
			How: l.How, Agent: l.Agent, Host: l.Host, Log: l.Log, New: l.New})
	}
	if !x.Digest {
		n.More, n.Of = x.Bundle.More, len(x.Bundle.Accounts)
		return n
	}
	const most = 100
	list := x.Bundle.list()
	n.More = x.Bundle.Count
	for k, a := range list {
		if k == most {
			n.Rest = len(list) - most
			break
		}
		n.More -= a.Count // what is left is only counted
		n.Accounts = append(n.Accounts, notify.Account{Account: a.Account, Realm: a.Realm, Count: a.Count, Last: a.Last, From: a.From, More: a.More})
	}
	return n
}

// waits returns how much each wish is still to be told, without the sign-ins themselves.
func (r *reader) waits() map[int64]bundle {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := map[int64]bundle{}
	for id, w := range r.gathered.Waiting {
		b := &w.Fresh
		if w.Taken != nil {
			b = w.Taken
		}
		if b.Count > 0 {
			out[id] = bundle{First: b.First, Through: b.Through, Count: b.Count}
		}
	}
	return out
}

// take sets apart what a wish is to be told now. Nothing is added to it any more; it is taken again until it is dropped.
func (r *reader) take(id int64) (bundle, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	w := r.gathered.Waiting[id]
	if w == nil || w.Taken == nil && w.Fresh.Count == 0 {
		return bundle{}, false
	}
	r.gathered.form = nil
	if w.Taken == nil {
		b := w.Fresh
		w.Taken, w.Fresh = &b, bundle{}
	}
	return *w.Taken, true
}

// drop forgets what a wish was told up to a line: that is in the ledger.
func (r *reader) drop(id, through int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	w := r.gathered.Waiting[id]
	if w == nil {
		return
	}
	r.gathered.form = nil
	if w.Taken != nil && w.Taken.Through <= through {
		w.Taken = nil
	}
	if w.Fresh.Through <= through {
		w.Fresh = bundle{}
	}
	if w.Taken == nil && w.Fresh.Count == 0 {
		delete(r.gathered.Waiting, id)
	}
}
