package desk

import (
	"errors"
	"slices"
	"strings"
	"time"

	"tocsin/internal/auth"
	"tocsin/internal/entry"
	"tocsin/internal/notify"
	"tocsin/internal/plan"
)

// mayNotice asks whether somebody may decide on the notices of a person: on their own everybody may, on others' who keeps the team.
func mayNotice(actor auth.Actor, person string) error {
	if actor.ID == person && person != "" {
		return auth.May(actor, auth.Ask)
	}
	return auth.May(actor, auth.Team)
}

// AskNotice has a person told of sign-ins from now on. account names one account, "" is all; it goes to the vault.
func (d *Desk) AskNotice(actor auth.Actor, x entry.Notice, account string) error {
	if err := errors.Join(mayNotice(actor, x.Person), d.Broken()); err != nil {
		return err
	}
	x.Realms, x.New = inOrder(x.Realms, plan.NoticeRealms()), inOrder(x.New, []string{plan.NewAddress, plan.NewCountry, plan.NewHour})
	if x.Mode != plan.New {
		x.New = nil
	}
	if x.Mode != plan.Digest {
		x.Hour = 0
	}
	if account = strings.TrimSpace(account); len(account) > loginText {
		return FieldError{"account", "The account's name is too long."}
	}
	if account != "" {
		x.Account = d.accountHash(account)
	}
	x.After = d.archive.Last()
	ask := func(s *State) (entry.Draft, error) { return s.Notices.Ask(actor.Name, &s.Plan, x) }
	var err error
	d.Read(func(s *State) { _, err = ask(s) }) // before anything is kept of it
	if err == nil {
		x.Vault, err = d.text(account)
	}
	if err != nil {
		return err
	}
	return d.write(func(s *State, _ time.Time) ([]entry.Draft, error) {
		e, err := ask(s)
		return []entry.Draft{e}, err
	})
}

// inOrder returns the values of a form, each once, known ones in their order first.
func inOrder(values, order []string) (out []string) {
	for _, o := range order {
		if slices.Contains(values, o) {
			out = append(out, o)
		}
	}
	for _, v := range values { // what is not known is refused by its name
		if !slices.Contains(out, v) {
			out = append(out, v)
		}
	}
	return out
}

// EndNotice ends a notice.
func (d *Desk) EndNotice(actor auth.Actor, id int64) error {
	return d.write(func(s *State, _ time.Time) ([]entry.Draft, error) {
		n, err := s.Notices.Get(id)
		if err == nil {
			err = mayNotice(actor, n.Person)
		}
		if err != nil {
			return nil, err
		}
		e, err := s.Notices.End(actor.Name, id)
		return []entry.Draft{e}, err
	})
}

// TestNotice sends one message now, which says that it is a test.
func (d *Desk) TestNotice(actor auth.Actor, id int64) error {
	var err error
	d.Read(func(s *State) {
		n, missing := s.Notices.Get(id)
		if err = missing; err == nil {
			err = mayNotice(actor, n.Person)
		}
	})
	if err = errors.Join(err, d.Broken()); err != nil {
		return err
	}
	text, err := d.keepNotice(noticeText{Test: true, Sample: d.Sample()})
	if err != nil {
		return err
	}
	return d.write(func(s *State, _ time.Time) ([]entry.Draft, error) {
		n, err := s.Notices.Get(id)
		if err != nil {
			return nil, err
		}
		for _, t := range n.Tries {
			if t.Test && t.Done.IsZero() {
				return nil, errors.New("a test of this notice is under way: wait for its result")
			}
		}
		return []entry.Draft{n.Want(actor.Name, entry.NoticeTry{Text: text, Test: true})}, nil
	})
}

// Waiting is how much a notice is still to tell.
type Waiting struct {
	Count int64
	First time.Time // when the first of them came
}

// NoticesWaiting returns what waits to be told, by notice, and how many accounts were forgotten because there were too many.
func (d *Desk) NoticesWaiting() (waits map[int64]Waiting, forgot int64) {
	r := d.reader
	r.mu.Lock()
	defer r.mu.Unlock()
	waits = map[int64]Waiting{}
	for id, w := range r.gathered.Waiting {
		x := Waiting{Count: w.Fresh.Count, First: w.Fresh.First}
		if w.Taken != nil {
			x = Waiting{x.Count + w.Taken.Count, w.Taken.First}
		}
		waits[id] = x
	}
	return waits, r.gathered.Firsts.Forgot
}

// RealmWords says how somebody signs in to a realm, in the words of the notices: "by SSH".
func RealmWords(realm string) string { return notify.RealmWords(realm) }
