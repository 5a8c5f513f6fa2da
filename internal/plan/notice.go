package plan

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"tocsin/internal/entry"
)

// Notices: "tell me whenever somebody signs in by SSH, by FTP or to the administration". A notice goes by mail or to a chat. It
// never calls: nobody has to answer it, and it does not escalate. What waits to be told is not here but derived from the
// archive; here stand who wants to know what, what was told and up to which line, and what is still owed. A burst is told
// with its first sign-ins and a count, so that neither a mailbox nor the ledger can be flooded.

// The modes of a notice.
const (
	Each   = "each"   // at once
	Digest = "digest" // once a day, if there was any
	New    = "new"    // at once, but only what the account did not do before
)

// What can be new of a sign-in.
const (
	NewAddress = "address"
	NewCountry = "country"
	NewHour    = "hour"
)

// NoticeRealms lists the realms that a notice can name, in the order in which screens show them.
func NoticeRealms() []string {
	return []string{"ssh", "ftp", "admin", "system", "database", "customer"}
}

const (
	// Burst is how many sign-ins are told as they come within BurstSpan; more wait until its end and are told in one message.
	Burst     = 10
	BurstSpan = 10 * time.Minute

	noticesEach  = 20 // that stand, of one person
	noticeTries  = 30 // that are remembered of each, beside those that are owed
	noticeAgains = 10 // repeats of a message
	firstAgain   = 5 * time.Second
	lastAgain    = 10 * time.Minute
)

// A NoticeTry is one message that was to be sent.
type NoticeTry struct {
	entry.NoticeTry
	Wanted time.Time
	Done   time.Time // zero: not known to be sent or failed
	Failed bool
	Result entry.NoticeResult
}

// A Notice is a wish and what came of it.
type Notice struct {
	entry.Notice
	By      string // who asked for it
	Asked   time.Time
	Ended   time.Time   // zero while it stands
	Tries   []NoticeTry // the newest
	Last    int         // number of the last try
	Through int64       // the last line that was told of
	Told    int64       // sign-ins, in all
}

// Notices holds every wish ever, by id from 1. The zero value is empty.
type Notices struct{ List []*Notice }

// Get returns the wish with an id if it stands.
func (b *Notices) Get(id int64) (*Notice, error) {
	if id < 1 || id > int64(len(b.List)) || !b.List[id-1].Ended.IsZero() {
		return nil, fmt.Errorf("no notice %d is in force", id)
	}
	return b.List[id-1], nil
}

// Standing calls yield with each wish that stands and whose person is on the team.
func (b *Notices) Standing(p *Plan) func(yield func(*Notice) bool) {
	return func(yield func(*Notice) bool) {
		for _, n := range b.List {
			x, ok := p.People[n.Person]
			if n.Ended.IsZero() && ok && !x.Gone && !yield(n) {
				return
			}
		}
	}
}

// Ask decides that somebody is told from now on.
func (b *Notices) Ask(actor string, p *Plan, x entry.Notice) (entry.Draft, error) {
	person, ok := p.People[x.Person]
	switch {
	case !ok || person.Gone:
		return entry.Draft{}, fmt.Errorf("nobody on the team has the id %q", x.Person)
	case x.Channel != Mail && x.Channel != Webhook:
		return entry.Draft{}, errors.New("a notice goes by mail or by webhook")
	case !slices.Contains(person.Channels, x.Channel):
		return entry.Draft{}, fmt.Errorf("%s has no address for %s", x.Person, x.Channel)
	case x.Mode != Each && x.Mode != Digest && x.Mode != New:
		return entry.Draft{}, errors.New("a notice is of each sign-in, a daily digest, or of what is new")
	case x.Mode == New && len(x.New) == 0:
		return entry.Draft{}, errors.New("say what must be new: the address, the country or the hour")
	case x.Hour < 0 || x.Hour > 23:
		return entry.Draft{}, errors.New("the hour of a digest is 0 to 23")
	}
	for _, r := range x.Realms {
		if !slices.Contains(NoticeRealms(), r) {
			return entry.Draft{}, fmt.Errorf("unknown kind of sign-in %q; known: %s", r, strings.Join(NoticeRealms(), ", "))
		}
	}
	for _, w := range x.New {
		if w != NewAddress && w != NewCountry && w != NewHour {
			return entry.Draft{}, fmt.Errorf("%q cannot be new; known: address, country, hour", w)
		}
	}
	mine := 0
	for n := range b.Standing(p) {
		if n.Person == x.Person {
			mine++
			if same(n.Notice, x) {
				return entry.Draft{}, errors.New("the same notice is in force already")
			}
		}
	}
	if mine >= noticesEach {
		return entry.Draft{}, fmt.Errorf("a person has at most %d notices: remove one first", noticesEach)
	}
	x.ID = int64(len(b.List)) + 1
	return noticeDraft(actor, entry.NoticeAsked, x.ID, x), nil
}

// same reports whether two wishes tell the same in the same way.
func same(a, b entry.Notice) bool {
	return a.Channel == b.Channel && a.Account == b.Account && a.Mode == b.Mode && a.Hour == b.Hour && slices.Equal(a.Realms, b.Realms) && slices.Equal(a.New, b.New)
}

// End decides that nobody is told any more.
func (b *Notices) End(actor string, id int64) (entry.Draft, error) {
	if _, err := b.Get(id); err != nil {
		return entry.Draft{}, err
	}
	return noticeDraft(actor, entry.NoticeEnded, id, entry.NoticeEnd{ID: id}), nil
}

func noticeDraft(actor string, k entry.Kind, id int64, body any) entry.Draft {
	return entry.Draft{Actor: actor, Kind: k, Subject: fmt.Sprintf("notice:%d", id), Body: body}
}

// Covers reports whether a sign-in to an account of a realm, whose name has a keyed hash, is one that is wished for. news says
// what is new of it.
func (n *Notice) Covers(realm, hash string, news []string) bool {
	if len(n.Realms) > 0 && !slices.Contains(n.Realms, realm) || n.Account != "" && n.Account != hash {
		return false
	}
	return n.Mode != New || slices.ContainsFunc(news, func(w string) bool { return slices.Contains(n.New, w) })
}

// Due reports whether count sign-ins, the first of which came at first, are to be told now; if not, when to ask again (zero: when
// something else has happened). zone is that of the person.
func (n *Notice) Due(count int64, first, now time.Time, zone *time.Location) (due bool, again time.Time) {
	if count == 0 || n.busy() {
		return false, time.Time{}
	}
	if n.Mode == Digest {
		local := first.In(zone)
		at := time.Date(local.Year(), local.Month(), local.Day(), n.Hour, 0, 0, 0, zone)
		if !at.After(first) {
			at = time.Date(local.Year(), local.Month(), local.Day()+1, n.Hour, 0, 0, 0, zone)
		}
		return !now.Before(at), at
	}
	told, last := int64(0), time.Time{}
	for _, t := range n.Tries {
		since := now.Sub(t.Wanted)
		if t.Again == 0 && !t.Test && since < BurstSpan && since > -time.Minute { // a clock that was set back holds nothing up
			told, last = told+t.Count, t.Wanted
		}
	}
	if last.IsZero() || told+count <= Burst {
		return true, time.Time{}
	}
	return false, last.Add(BurstSpan)
}

// busy reports whether a message is under way, or will be tried again: what comes meanwhile waits, and is told with the next.
func (n *Notice) busy() bool {
	for _, t := range n.Tries {
		if t.Done.IsZero() {
			return true
		}
		if _, again := n.againAt(t); again {
			return true
		}
	}
	return false
}

// Want decides to tell: of x it needs Count, Accounts, Through, Text and Test.
func (n *Notice) Want(actor string, x entry.NoticeTry) entry.Draft {
	x.ID, x.Try, x.Person, x.Channel = n.ID, n.Last+1, n.Person, n.Channel
	x.Message = fmt.Sprintf("notice-%d-%d", x.ID, x.Try)
	return noticeDraft(actor, entry.NoticeWanted, n.ID, x)
}

// againAt says when a failed message is worth another try.
func (n *Notice) againAt(t NoticeTry) (time.Time, bool) {
	if !t.Failed {
		return time.Time{}, false
	}
	return t.attempt().repeatAt(t.Done, t.Result, func(yield func(attempt) bool) {
		for i := range n.Tries {
			if !yield(n.Tries[i].attempt()) {
				return
			}
		}
	})
}

func (t *NoticeTry) attempt() attempt { return attempt{t.Try, t.Again, t.Message} }

// Owed says which messages must be sent, which failed ones must be wanted again, and when to look again if nothing changes before.
func (b *Notices) Owed(p *Plan, now time.Time) (drafts []entry.Draft, sends []NoticeTry, again time.Time) {
	for n := range b.Standing(p) {
		last := n.Last
		for _, t := range n.Tries {
			if t.Done.IsZero() {
				sends = append(sends, t)
				continue
			}
			at, ok := n.againAt(t)
			switch {
			case !ok:
			case now.Before(at) && !t.Done.After(now.Add(time.Minute)):
				if again.IsZero() || at.Before(again) {
					again = at
				}
			default:
				last++
				x := t.NoticeTry
				x.Try, x.Again, x.Twice = last, t.Try, t.Twice || t.Result.Uncertain
				drafts = append(drafts, noticeDraft("desk", entry.NoticeWanted, n.ID, x))
			}
		}
	}
	return drafts, sends, again
}

// Apply folds an entry and reports whether it was a notice's.
func (b *Notices) Apply(e entry.Entry) (bool, error) {
	switch e.Kind {
	case entry.NoticeAsked:
		x, err := entry.Body[entry.Notice](e)
		if err == nil && x.ID != int64(len(b.List))+1 {
			err = fmt.Errorf("entry %d: notice %d does not follow %d", e.N, x.ID, len(b.List))
		}
		b.List = append(b.List, &Notice{Notice: x, By: e.Actor, Asked: e.Time})
		return true, err
	case entry.NoticeEnded:
		x, err := entry.Body[entry.NoticeEnd](e)
		n, err := b.of(e, x.ID, err)
		if err == nil {
			n.Ended = e.Time
		}
		return true, err
	case entry.NoticeWanted:
		x, err := entry.Body[entry.NoticeTry](e)
		n, err := b.of(e, x.ID, err)
		if err == nil {
			n.want(x, e.Time)
		}
		return true, err
	case entry.NoticeSent, entry.NoticeFailed:
		x, err := entry.Body[entry.NoticeResult](e)
		n, err := b.of(e, x.ID, err)
		if err == nil {
			n.end(x, e.Time, e.Kind == entry.NoticeFailed)
		}
		return true, err
	}
	return false, nil
}

// of returns the wish that an entry is about, whether it stands or not.
func (b *Notices) of(e entry.Entry, id int64, err error) (*Notice, error) {
	if err == nil && (id < 1 || id > int64(len(b.List))) {
		err = fmt.Errorf("entry %d: no notice %d", e.N, id)
	}
	if err != nil {
		return nil, err
	}
	return b.List[id-1], nil
}

func (n *Notice) want(x entry.NoticeTry, at time.Time) {
	n.Last, n.Through = max(n.Last, x.Try), max(n.Through, x.Through)
	if x.Again == 0 {
		n.Told += x.Count
	}
	n.Tries = append(n.Tries, NoticeTry{NoticeTry: x, Wanted: at})
	for len(n.Tries) > noticeTries && !n.Tries[0].Done.IsZero() {
		n.Tries = slices.Delete(n.Tries, 0, 1)
	}
}

func (n *Notice) end(x entry.NoticeResult, at time.Time, failed bool) {
	for k := range n.Tries {
		if t := &n.Tries[k]; t.Try == x.Try {
			t.Done, t.Failed, t.Result = at, failed, x
		}
	}
}
