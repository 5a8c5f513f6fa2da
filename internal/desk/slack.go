package desk

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"tocsin/internal/chat"
	"tocsin/internal/entry"
	"tocsin/internal/incident"
	"tocsin/internal/plan"
	"tocsin/internal/tlp"
)

// Slack: each incident that is severe enough has one channel with one card. Which card is owed follows from the state: it is
// the card of now, where that differs from the one that was shown last. What was shown last may be forgotten (it is scratch): then it is shown once more,
// which changes nothing there. Where the card stands may not, so it is an entry, written when Show says so; a program that is killed in
// between finds channel and card again by their marks. All this has a loop of its own: Slack may be as slow as it likes, and the bell rings.

const (
	apart       = 2 * time.Second  // between two updates of one card, so that what happens at once is one update
	cardsAtOnce = 4                // incidents
	againAfter  = 10 * time.Second // a card that failed is tried again, then after twice as long
	againAtMost = 10 * time.Minute
	chatKept    = 30 * 24 * time.Hour // what was shown and heard is remembered
	shownKind   = "chat.shown"        // by incident: the hash of the card that stands there
	askedKind   = "chat.invited"      // by incident: Slack ids that were invited
)

// SlackOptions are the workspace and what of it is used. doc/chat.md.
type SlackOptions struct {
	BotToken string
	AppToken string
	API      string // "" is Slack's
	Prefix   string // of channel names; "" is inc
	Private  bool
	Least    string              // incidents of this severity and worse have a channel; "" is high
	Invite   map[string][]string // by severity: staff ids, role:<role>, everyone
	Timeline bool                // what people say in the channels comes into the timeline
}

// Chats are where incidents stand in Slack, as the ledger says.
type Chats map[int64]chat.Place

// Apply folds an entry.
func (c Chats) Apply(e entry.Entry) (bool, error) {
	if e.Kind != entry.ChatPlaced {
		return false, nil
	}
	x, err := entry.Body[entry.ChatPlace](e)
	c[x.ID] = chat.Place{Channel: x.Channel, Name: x.Name, Card: x.Card, Pinned: x.Pinned}
	return true, err
}

// chatting is the app and what it is doing.
type chatting struct {
	slack *chat.Slack // nil: there is none

	mu     sync.Mutex
	flying map[int64]bool // cards that are being shown
	due    map[int64]time.Time
	wait   map[int64]time.Duration
	up     bool
	why    string           // the socket is down, or the app cannot work
	faults map[int64]string // why a card could not be shown
	woken  chan struct{}
	begun  time.Time
}

func (d *Desk) openSlack() (err error) {
	if d.o.Slack == nil {
		return nil
	}
	o := chat.Options{BotToken: d.o.Slack.BotToken, AppToken: d.o.Slack.AppToken, API: d.o.Slack.API, Prefix: d.o.Slack.Prefix, Private: d.o.Slack.Private,
		Who: d.inSlack, Room: d.channelOf, Press: d.pressed, Command: d.commanded,
		State: func(up bool, why string) {
			d.chat.mu.Lock()
			d.chat.up, d.chat.why = up, why
			d.chat.mu.Unlock()
			d.changed.say()
			d.log.Info("slack", "connected", up, "why", why)
		},
		Trouble: func(err error) { d.log.Error("slack", "error", err) }}
	if d.o.Slack.Timeline {
		o.Heard = d.heardInSlack
	}
	d.chat.flying, d.chat.due, d.chat.wait, d.chat.faults = map[int64]bool{}, map[int64]time.Time{}, map[int64]time.Duration{}, map[int64]string{}
	d.chat.woken, d.chat.begun = make(chan struct{}, 1), time.Now()
	d.chat.slack, err = chat.New(o)
	return err
}

func (d *Desk) closeSlack() {
	if d.chat.slack != nil {
		d.chat.slack.Close()
	}
}

// hearSlack keeps the socket. An app that cannot work any more ends nothing but itself: that is on every page.
func (d *Desk) hearSlack(ctx context.Context) error {
	if d.chat.slack == nil {
		return nil
	}
	if err := d.chat.slack.Run(ctx); err != nil {
		d.chat.mu.Lock()
		d.chat.up, d.chat.why = false, err.Error()
		d.chat.mu.Unlock()
		d.log.Error("slack: presses, commands and messages do not come any more until Tocsin is started again", "error", err)
	}
	return nil
}

// SlackTrouble says what is wrong with Slack, "" when nothing is. The first minute after a start is none.
func (d *Desk) SlackTrouble(now time.Time) string {
	if d.chat.slack == nil || now.Sub(d.chat.begun) < time.Minute {
		return ""
	}
	d.chat.mu.Lock()
	defer d.chat.mu.Unlock()
	for _, why := range d.chat.faults {
		return why
	}
	if !d.chat.up {
		return cmp.Or(d.chat.why, "Slack cannot be reached")
	}
	return ""
}

// mayUse reports whether an incident may be shown in a channel: one that may itself be part of it is left out of it.
func mayUse(s *State, i *incident.Incident) bool {
	if i.Restricted() || !mayTell(s, i.ID, "", tlp.Chat) { // others read the chat
		return false
	}
	barred := s.Calls.Barred(i.ID)
	return !plan.Bars(barred, "slack") && !plan.Bars(barred, "chat:slack")
}

// A cardDebt is an incident whose card is not the one of now.
type cardDebt struct {
	card chat.Card
	at   chat.Place
	open bool
	gone bool // the incident is restricted: nothing is to be read of it there, and its channel is closed
}

// showCards is the loop that brings cards up to date.
func (d *Desk) showCards(ctx context.Context) error {
	if d.chat.slack == nil {
		return nil
	}
	var flights sync.WaitGroup
	defer flights.Wait()
	for {
		changed := d.Changed() // before the look: what changes from here on is another
		now := time.Now()
		wait := time.Minute
		for _, x := range d.owedCards(now) {
			id := int64(x.card.Number)
			d.chat.mu.Lock()
			due, flying, many := d.chat.due[id], d.chat.flying[id], len(d.chat.flying)
			if flying || many >= cardsAtOnce || due.After(now) {
				if due.After(now) {
					wait = min(wait, due.Sub(now))
				}
				d.chat.mu.Unlock()
				continue
			}
			d.chat.flying[id] = true
			d.chat.mu.Unlock()
			flights.Go(func() { d.showCard(ctx, x) })
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil
		case <-changed:
		case <-d.chat.woken:
		case <-timer.C:
		}
		timer.Stop()
	}
}

// owedCards returns the incidents whose card is not the one that was shown last.
func (d *Desk) owedCards(now time.Time) (out []cardDebt) {
	least := incident.Rank(cmp.Or(d.o.Slack.Least, incident.High))
	d.Read(func(s *State) {
		for _, i := range s.Incidents.Incidents {
			at, placed := s.Chat[i.ID]
			switch {
			case placed && (i.Restricted() || !mayTell(s, i.ID, "", tlp.Chat)): // what others read there goes
				out = append(out, cardDebt{card: d.blankCard(i.ID), at: at, gone: true})
			case !placed && (!i.Working() || incident.Rank(i.Severity) < least), i.Sample, i.History, !mayUse(s, i):
			default:
				out = append(out, cardDebt{card: d.cardOf(s, i), at: at, open: i.Working()})
			}
		}
	})
	return slices.DeleteFunc(out, func(x cardDebt) bool {
		var shown string
		return d.scratch.Get(shownKind, fmt.Sprint(x.card.Number), now, &shown) && shown == hashOf(x.card)
	})
}

// hashOf tells cards apart.
func hashOf(c chat.Card) string {
	b, _ := json.Marshal(c) // texts and numbers: it always works
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:16])
}

// showCard brings one card up to date.
func (d *Desk) showCard(ctx context.Context, x cardDebt) {
	id := int64(x.card.Number)
	at, err := d.chat.slack.Show(ctx, x.at, x.card)
	if at != x.at && at.Channel != "" {
		err = errors.Join(d.write(func(*State, time.Time) ([]entry.Draft, error) {
			return []entry.Draft{{Actor: "desk", Kind: entry.ChatPlaced, Subject: fmt.Sprintf("incident:%d", id),
				Body: entry.ChatPlace{ID: id, Channel: at.Channel, Name: at.Name, Card: at.Card, Pinned: at.Pinned}}}, nil
		}), err)
	}
	switch {
	case x.gone:
		if f, failed := errors.AsType[*chat.Failure](err); err == nil || failed && !f.Temporary { // a channel that is archived already takes no card
			err = errors.Join(err, d.chat.slack.Archive(ctx, at))
		}
	case err == nil:
		err = d.inviteTo(ctx, id, at)
	}
	wait := apart
	f, failed := errors.AsType[*chat.Failure](err)
	d.chat.mu.Lock()
	switch {
	case err == nil, failed && !f.Temporary && !x.open: // a channel that people archived after all was over is none to be mended
		delete(d.chat.wait, id)
		delete(d.chat.faults, id)
	default:
		wait = min(againAtMost, max(againAfter, 2*d.chat.wait[id]))
		d.chat.wait[id] = wait
		if failed {
			wait = max(wait, f.After)
		}
		d.chat.faults[id] = fmt.Sprintf("The card of incident %d is not up to date in Slack: %v", id, err)
		if x.gone {
			d.chat.faults[id] = fmt.Sprintf("A card that must not be read any more still stands in Slack: %v", err)
		}
	}
	_, bad := d.chat.faults[id]
	delete(d.chat.flying, id)
	d.chat.due[id] = time.Now().Add(wait)
	d.chat.mu.Unlock()
	if !bad {
		if err := d.scratch.Put(shownKind, fmt.Sprint(id), hashOf(x.card), time.Now().Add(chatKept)); err != nil {
			d.log.Error("slack: remembering what was shown", "error", err)
		}
	} else if ctx.Err() == nil {
		d.log.Error("slack", "incident", id, "again_in", wait, "error", err)
	}
	select {
	case d.chat.woken <- struct{}{}:
	default:
	}
}

// inviteTo brings those into a new channel whom the settings name for the severity, each once.
func (d *Desk) inviteTo(ctx context.Context, id int64, at chat.Place) error {
	var ids, had []string
	now, key := time.Now(), fmt.Sprint(id)
	d.scratch.Get(askedKind, key, now, &had)
	d.Read(func(s *State) {
		i, err := s.Incidents.Get(id)
		if err != nil || !i.Working() {
			return
		}
		for _, who := range d.o.Slack.Invite[i.Severity] {
			for pid, p := range s.Plan.People {
				role, byRole := strings.CutPrefix(who, "role:")
				if p.Gone || who != pid && who != plan.Everyone && !(byRole && slices.Contains(p.Roles, role)) {
					continue
				}
				if u := d.People.Get(p.Vault).Slack; u != "" && !slices.Contains(had, u) && !slices.Contains(ids, u) {
					ids = append(ids, u)
				}
			}
		}
	})
	if len(ids) == 0 {
		return nil
	}
	slices.Sort(ids)
	if err := d.chat.slack.Invite(ctx, at, ids...); err != nil {
		if f, ok := errors.AsType[*chat.Failure](err); ok && f.Temporary {
			return err
		}
		d.log.Error("slack: somebody cannot be invited; see whether their Slack id is right", "incident", id, "error", err)
	}
	return d.scratch.Put(askedKind, key, append(had, ids...), now.Add(chatKept))
}

// cardKey tells an incident from one of the same number elsewhere, and says nothing to others.
func (d *Desk) cardKey(id int64) string { return d.vault.Hash("chat", fmt.Sprint("incident:", id)) }

// blankCard stands where a card was of an incident that is restricted now.
func (d *Desk) blankCard(id int64) chat.Card {
	return chat.Card{Number: int(id), Key: d.cardKey(id), Redacted: true}
}

// workTask is the task that stands on a card while nobody works on the incident.
const workTask = "work"

// cardOf is the state of an incident, as the channel shows it: a rule's title and names of staff, nothing from a log.
func (d *Desk) cardOf(s *State, i *incident.Incident) chat.Card {
	c := chat.Card{Number: int(i.ID), Key: d.cardKey(i.ID), Title: i.Title, Severity: Title(i.Severity), Phase: Title(i.Phase), Open: i.Working(), Link: fmt.Sprintf("%s/incidents/%d", d.o.URL, i.ID)}
	name := func(id string) string {
		if p, ok := s.Plan.People[id]; ok {
			return d.People.Get(p.Vault).Name
		}
		return id
	}
	call := s.Calls.Of(i.ID)
	if call != nil && !call.Rings() {
		c.Answered = name(call.Answered.Person)
	}
	if !i.Working() {
		return c
	}
	c.Holders = []chat.Holder{{Role: "Works on it", Name: name(i.Person)}}
	switch {
	case call != nil && call.Rings():
		c.Next = "Nobody has acknowledged yet: people are being called."
	case i.Person == "":
		c.Next = "Somebody has to take this incident."
	default:
		c.Next = "When " + i.Phase + " is done, change the phase in Tocsin."
	}
	if i.Person == "" {
		c.Tasks = []chat.Task{{ID: workTask, Text: "Work on this incident"}}
	}
	return c
}
