package plan

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"tocsin/internal/entry"
)

// Changes: a person is told when a way in of theirs, or an address at which they are reached, was changed, and when a one-time code of theirs was used
// again. That is no wish: nobody can end it. It goes by all of their ways that were not changed themselves, and by mail always, to the address from before.
// Changes that come close together are told in one message, and messages to a person lie ten minutes apart, so that nobody can flood them.

const (
	changeGather = 20 * time.Second // changes that come within it are told together
	changeApart  = 10 * time.Minute
	changeOld    = 24 * time.Hour // what nobody could be told for so long is not told any more
	changesTold  = 20             // of one message, one by one
	changeTries  = 50             // that are over and remembered, of everybody
)

// A ChangeTry is one message that was to be sent.
type ChangeTry struct {
	entry.ChangeTry
	Wanted time.Time
	Done   time.Time // zero: not known to be sent or failed
	Failed bool
	Result entry.NoticeResult
}

// Changes holds what people are to be told. The zero value is empty.
type Changes struct {
	by    map[string]*changed
	tries []*ChangeTry
	last  int // number of the last try
}

// changed is one person.
type changed struct {
	now     entry.Person
	way     bool // they had a way in: a password, or anything else that proves who they are
	untold  []entry.Change
	latest  time.Time // when the newest change was that is to be told
	left    time.Time // when they were marked as gone, zero: they are not
	more    int
	through int64
	moved   []string      // channels of which the address changed since it was told last
	before  *entry.Person // before the first of these
	told    time.Time
}

func (b *Changes) of(person string) *changed {
	if b.by == nil {
		b.by = map[string]*changed{}
	}
	c := b.by[person]
	if c == nil {
		c = &changed{}
		b.by[person] = c
	}
	return c
}

// note remembers a change that is to be told.
func (b *Changes) note(e entry.Entry, person, what string) {
	c := b.of(person)
	c.through, c.latest = e.N, e.Time
	fresh := slices.DeleteFunc(slices.Clone(c.untold), func(x entry.Change) bool { return e.Time.Sub(x.At) > changeOld })
	c.more += len(c.untold) - len(fresh) // of these only the count is told: there was no way to tell them in time
	c.untold = fresh
	if len(c.untold) >= changesTold {
		c.more++
		return
	}
	c.untold = append(c.untold, entry.Change{At: e.Time, By: e.Actor, Kind: e.Kind, What: what})
}

// Apply folds an entry and reports whether it was of a kind that nobody else folds.
func (b *Changes) Apply(e entry.Entry) (bool, error) {
	switch e.Kind {
	case entry.PersonPut:
		x, err := entry.Body[entry.Person](e)
		if err == nil {
			b.put(e, x)
		}
		return false, err
	case entry.PersonPassword:
		x, err := entry.Body[entry.Password](e)
		if c := b.of(x.ID); c.way && e.Actor != "desk" { // the desk only hashes it anew
			b.note(e, x.ID, "")
		} else {
			c.way = true // the first password of who had no way in is told by who hands it over
		}
		return false, err
	case entry.PersonInvited:
		x, err := entry.Body[entry.Invitation](e)
		if b.of(x.ID).way {
			b.note(e, x.ID, "")
		}
		return false, err
	case entry.KeyPut:
		x, err := entry.Body[entry.Key](e)
		if x.Keep || x.Issued { // else it is a candidate, and nothing changes before it is confirmed
			b.note(e, x.Person, x.Form)
		}
		return false, err
	case entry.KeyConfirmed:
		x, err := entry.Body[entry.KeyCheck](e)
		b.note(e, x.Person, "")
		return false, err
	case entry.KeyRemoved:
		x, err := entry.Body[entry.KeyEnd](e)
		b.note(e, x.Person, "")
		return false, err
	case entry.PersonPIN:
		x, err := entry.Body[entry.PIN](e)
		b.note(e, x.ID, "")
		return false, err
	case entry.CredentialAdded, entry.CredentialRemoved:
		x, err := entry.Body[entry.Credential](e)
		what := x.Kind
		if x.Used {
			what += " used"
		}
		b.of(x.ID).way = true
		b.note(e, x.ID, what)
		return false, err
	case entry.TokenMade, entry.TokenRevoked:
		x, err := entry.Body[entry.Token](e)
		b.note(e, x.Person, "")
		return false, err
	case entry.CredentialReplayed:
		x, err := entry.Body[entry.Replay](e)
		b.note(e, x.ID, x.Kind)
		return true, err
	case entry.ChangeWanted:
		x, err := entry.Body[entry.ChangeTry](e)
		b.want(x, e.Time)
		return true, err
	case entry.ChangeSent, entry.ChangeFailed:
		x, err := entry.Body[entry.NoticeResult](e)
		for _, t := range b.tries {
			if t.Try == x.Try {
				t.Done, t.Failed, t.Result = e.Time, e.Kind == entry.ChangeFailed, x
			}
		}
		return true, err
	}
	return false, nil
}

// Back is what is told of who was marked as gone and put back on the team.
const Back = "back"

// Sealing stands among what moved of a person when the choice changed of what mail they get while nothing can be encrypted to them.
const Sealing = "sealing"

// put folds a person. Who is gone hears nothing; who is back within a day hears all that was not told before, and that they were away, at the
// addresses from before: else two clicks would silence what came first. Who is back later begins anew.
func (b *Changes) put(e entry.Entry, x entry.Person) {
	c := b.of(x.ID)
	switch {
	case x.Gone:
		if c.left.IsZero() {
			if c.left = e.Time; c.before == nil && c.now.ID != "" {
				was := c.now
				c.before = &was
			}
		}
		c.now = x
		return
	case !c.left.IsZero() && e.Time.Sub(c.left) > changeOld:
		*c = changed{now: x}
		return
	case !c.left.IsZero():
		c.left = time.Time{}
		b.note(e, x.ID, Back)
		c.now = x
		return
	}
	if len(x.Moved) > 0 && c.now.ID != "" {
		if c.before == nil {
			was := c.now
			c.before = &was
		}
		for _, m := range x.Moved {
			if !slices.Contains(c.moved, m) {
				c.moved = append(c.moved, m)
			}
		}
		b.note(e, x.ID, strings.Join(x.Moved, " "))
	}
	c.now = x
}

func (b *Changes) want(x entry.ChangeTry, at time.Time) {
	b.last = max(b.last, x.Try)
	b.tries = append(b.tries, &ChangeTry{ChangeTry: x, Wanted: at})
	if c := b.of(x.Person); x.Again == 0 && x.Through >= c.through {
		c.untold, c.more, c.moved, c.before, c.told = nil, 0, nil, nil, at
	}
	over := 0
	for _, t := range b.tries {
		if !t.Done.IsZero() {
			over++
		}
	}
	b.tries = slices.DeleteFunc(b.tries, func(t *ChangeTry) bool {
		if _, again := b.againAt(t); over <= changeTries || t.Done.IsZero() || again {
			return false
		}
		over--
		return true
	})
}

// whom returns by which channels a person is told now, and which contact has the addresses.
func (c *changed) whom() (vault string, channels []string) {
	quiet := []string{Voice, Console} // a call is for emergencies
	p := c.now
	if c.before != nil && slices.ContainsFunc(c.before.Channels, func(x string) bool { return !slices.Contains(quiet, x) }) {
		p = *c.before // who could not be told before is told where they are now
	}
	for _, x := range p.Channels {
		if !slices.Contains(quiet, x) && (x == Mail || !slices.Contains(c.moved, x)) {
			channels = append(channels, x)
		}
	}
	if len(channels) == 0 { // nothing else is left: their addresses from before
		channels = slices.DeleteFunc(slices.Clone(p.Channels), func(x string) bool { return slices.Contains(quiet, x) })
	}
	return p.Vault, channels
}

// Ways lists by which channels a person would be told of a change now.
func (b *Changes) Ways(person string) []string {
	_, channels := b.of(person).whom()
	return channels
}

// Try returns one of the messages, while it is remembered.
func (b *Changes) Try(n int) (ChangeTry, bool) {
	for _, t := range b.tries {
		if t.Try == n {
			return *t, true
		}
	}
	return ChangeTry{}, false
}

// Owed says which messages must be wanted, which must be sent now, and when to look again if nothing changes before.
func (b *Changes) Owed(now time.Time) (drafts []entry.Draft, sends []ChangeTry, again time.Time) {
	sooner := func(t time.Time) {
		if again.IsZero() || t.Before(again) {
			again = t
		}
	}
	last := b.last
	want := func(x entry.ChangeTry) {
		last++
		if x.Try = last; x.Message == "" {
			x.Message = fmt.Sprintf("change-%d", x.Try)
		}
		drafts = append(drafts, entry.Draft{Actor: "desk", Kind: entry.ChangeWanted, Subject: "person:" + x.Person, Body: x})
	}
	for _, id := range slices.Sorted(maps.Keys(b.by)) {
		c := b.by[id]
		if len(c.untold) == 0 || c.now.ID == "" || c.now.Gone || now.Sub(c.latest) > changeOld {
			continue
		}
		due := c.untold[0].At.Add(changeGather)
		if t := c.told.Add(changeApart); !c.told.IsZero() && t.After(due) {
			due = t
		}
		if now.Before(due) && due.Sub(now) <= changeApart { // a clock that was set back holds nothing up
			sooner(due)
			continue
		}
		vault, channels := c.whom()
		for _, channel := range channels {
			want(entry.ChangeTry{Person: id, Channel: channel, Vault: vault, Through: c.through, Changes: c.untold, More: c.more})
		}
	}
	for _, t := range b.tries {
		if c := b.by[t.Person]; c == nil || c.now.Gone {
			continue
		}
		if t.Done.IsZero() {
			sends = append(sends, *t)
			continue
		}
		at, ok := b.againAt(t)
		switch {
		case !ok:
		case now.Before(at) && !t.Done.After(now.Add(time.Minute)):
			sooner(at)
		default:
			x := t.ChangeTry
			x.Again, x.Twice = t.Try, t.Twice || t.Result.Uncertain
			want(x)
		}
	}
	return drafts, sends, again
}

// againAt says when a failed message is worth another try.
func (b *Changes) againAt(t *ChangeTry) (time.Time, bool) {
	if !t.Failed {
		return time.Time{}, false
	}
	return t.attempt().repeatAt(t.Done, t.Result, func(yield func(attempt) bool) {
		for _, o := range b.tries {
			if !yield(o.attempt()) {
				return
			}
		}
	})
}

func (t *ChangeTry) attempt() attempt { return attempt{t.Try, t.Again, t.Message} }
