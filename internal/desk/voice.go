package desk

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"tocsin/internal/auth"
	"tocsin/internal/entry"
	"tocsin/internal/notify"
	"tocsin/internal/oncall"
	"tocsin/internal/plan"
	"tocsin/internal/tlp"
	"tocsin/internal/voice"
)

const (
	lastWords = 10 * time.Second // that a call goes on after its answer is in the ledger, whatever ends
	busyAgain = time.Minute      // a busy telephone is called again
	wrongPINs = 9                // of one person in a day, over all calls; then none is right until another is set, or the day is over
	wrongKind = "pin.wrong"      // by person: the wrong PINs since the last right one
	maxMarks  = 200              // of a call's trail
)

// orderOf is the telephone call of a try. What is confidential is in Detail, which is spoken after the PIN only.
func (d *Desk) orderOf(s *State, c *oncall.Call, words notify.Call, person string, contact Contact) *voice.Order {
	o := &voice.Order{To: contact.Voice, Through: !strings.HasPrefix(contact.Voice, "sips:"), Language: contact.Language, Test: c.Test}
	if i, _ := worstOf(s, c); i != nil {
		o.Number, o.Severity, o.Detail = fmt.Sprint(i.ID), strings.ToLower(words.Severity), strings.TrimSpace(words.Title+". "+words.Known)
		if i.Hides(person) || quietOf(s, c, tlp.Voice) {
			o.Number = ""
		}
	}
	if ref := s.Seals.Of(person).PIN; ref != "" {
		o.PIN = func(ctx context.Context, pin string) bool { return d.rightPIN(ctx, person, ref, pin) }
	}
	return o
}

// rightPIN checks a PIN; one that cannot be read is never right. Each call bears some wrong ones, and whoever has the telephone of somebody is called often: so wrong ones
// are counted over all calls, before they are looked at, and a telephone on which they were too many says nothing more.
func (d *Desk) rightPIN(ctx context.Context, person, ref, pin string) bool {
	d.pins.Lock()
	defer d.pins.Unlock()
	now, key, wrong := time.Now(), person+" "+ref, 0
	d.scratch.Get(wrongKind, key, now, &wrong)
	if wrong++; wrong > wrongPINs {
		d.log.Error("too many wrong PINs were typed in calls to a person: none is taken for a day, or until they have another", "person", person)
		return false
	}
	if err := errors.Join(d.scratch.Put(wrongKind, key, wrong, now.Add(24*time.Hour)), d.scratch.Flush(now)); err != nil {
		d.log.Error("counting the wrong PINs of a person", "person", person, "error", err)
	}
	b, err := d.vault.Get(ref)
	if err != nil {
		d.log.Error("reading the PIN of a person", "person", person, "error", err)
		return false
	}
	ok, _, err := d.passwords.Check(ctx, string(b), pin)
	if err != nil || !ok {
		return false
	}
	d.scratch.Delete(wrongKind, key)
	return true
}

// phone calls a person by telephone. The answer is in the ledger before it is confirmed to them, and whoever answered hears so, though the
// answer ends all other tries of the call.
func (d *Desk) phone(ctx context.Context, f flight, j job, twice bool) landing {
	var answered atomic.Bool
	calling, hangUp := context.WithCancel(context.WithoutCancel(ctx))
	defer hangUp()
	stop := context.AfterFunc(ctx, func() {
		if answered.Load() {
			time.AfterFunc(lastWords, hangUp)
		} else {
			hangUp()
		}
	})
	defer stop()
	o := *j.order
	o.Record = func(_ context.Context, r voice.Result) error {
		answered.Store(true)
		err := d.keyed(f.call, j.person, r)
		if err != nil {
			answered.Store(false)
			if ctx.Err() != nil {
				hangUp()
			}
		}
		return err
	}
	return d.hungUp(f, d.o.Phone(calling, o), twice)
}

// keyed does what a key of the person means.
func (d *Desk) keyed(call int64, person string, r voice.Result) error {
	p, ok := d.Person(person)
	if !ok {
		return fmt.Errorf("%s is no longer on the team", person)
	}
	if r == voice.PassedOn {
		return d.PassOn(Actor(p), call, plan.Voice)
	}
	return d.Answer(Actor(p), call, plan.Voice)
}

// hungUp is the landing of a telephone call that is over.
func (d *Desk) hungUp(f flight, out voice.Outcome, twice bool) landing {
	l := landing{flight: f, kind: entry.CallFailed, result: entry.CallResult{ID: f.call, Try: f.try, Twice: twice, Form: string(out.Privacy)}}
	switch out.Result {
	case voice.Acknowledged, voice.PassedOn:
		l.kind = entry.CallSent
	case voice.NoAnswer, voice.Refused:
		l.result.Why = oncall.NotAnswered
	case voice.Busy:
		l.result.Temporary, l.result.After, l.result.Why = true, max(out.After, busyAgain), oncall.NotAnswered
	default:
		l.result.Temporary, l.result.After = out.Temporary, min(max(out.After, 0), time.Hour)
	}
	if l.kind == entry.CallFailed {
		d.log.Warn("a telephone call reached nobody", "call", f.call, "try", f.try, "result", out.Result, "reason", out.Reason)
	}
	text, err := d.text(trail(out))
	if err != nil {
		d.log.Error("keeping what became of a telephone call", "error", err)
	}
	l.result.Text = text
	return l
}

// trail words a telephone call: what became of it, then a line for each moment.
func trail(out voice.Outcome) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s\n", out.Result, oneLine(out.Reason, 500))
	for k, m := range out.Trail {
		if k == maxMarks {
			fmt.Fprintf(&b, "... and %d more\n", len(out.Trail)-k)
			break
		}
		fmt.Fprintf(&b, "%s %s\n", m.At.UTC().Format("15:04:05.0"), oneLine(m.What, 80))
	}
	return b.String()
}

// oneLine shortens a text to at most n bytes, between characters, on one line.
func oneLine(s string, n int) string {
	s = strings.Join(strings.Fields(s), " ")
	if len(s) > n {
		s = strings.ToValidUTF8(s[:n], "") + "..."
	}
	return s
}

// SetPIN gives a person a PIN for calls, 4 to 12 digits; "" takes it away. People may change their own; those who keep the team, everybody's.
func (d *Desk) SetPIN(ctx context.Context, actor auth.Actor, person, pin string) error {
	if actor.ID != person || person == "" {
		if err := auth.May(actor, auth.Team); err != nil {
			return err
		}
	}
	if _, ok := d.Person(person); !ok {
		return fmt.Errorf("nobody on the team has the id %.40q", person)
	}
	if why := weakPIN(pin); pin != "" && why != "" {
		return FieldError{"pin", why}
	}
	x := entry.PIN{ID: person}
	if pin != "" {
		phc, err := d.passwords.Hash(ctx, pin)
		if err != nil {
			return err
		}
		if x.Vault, err = d.vault.Put([]byte(phc)); err != nil {
			return fmt.Errorf("keeping the PIN: %w", err)
		}
	}
	return d.write(func(*State, time.Time) ([]entry.Draft, error) {
		return []entry.Draft{{Actor: actor.Name, Kind: entry.PersonPIN, Subject: "person:" + person, Body: x}}, nil
	})
}

// weakPIN says in words why a PIN is none, or too easy; "" when it will do.
func weakPIN(pin string) string {
	if len(pin) < 4 || len(pin) > 12 || strings.Trim(pin, "0123456789") != "" {
		return "A PIN is 4 to 12 digits."
	}
	same, up, down := true, true, true
	for k := 1; k < len(pin); k++ {
		same = same && pin[k] == pin[k-1]
		up = up && pin[k] == pin[k-1]+1
		down = down && pin[k] == pin[k-1]-1
	}
	if same || up || down {
		return "This PIN is guessed first: take digits that are neither all the same nor in a row."
	}
	return ""
}
