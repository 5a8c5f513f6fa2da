package auth

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"

	"tocsin/internal/entry"
)

// How long an approval can be given, and how long one waits that nobody else can give.
const (
	ApprovalLasts = 24 * time.Hour
	AloneWaits    = 10 * time.Minute
)

// An Approval is something that needs a second person, and what became of it.
type Approval struct {
	entry.Approval
	At      time.Time // when it was asked
	State   string    // asked, approved, denied, expired, done, failed
	Decided entry.Approved
	Ended   time.Time // when it was decided
	Text    string    // vault object: why it could not be done
}

// Approvals is every approval, by id, ascending: from 1 without a gap, but for one that lacks some (Without). The zero Approvals is empty.
type Approvals struct{ All []*Approval }

// ErrNoApproval says that there is none of that number.
var ErrNoApproval = errors.New("nothing of that number waits for an approval")

// Get returns approval id.
func (b *Approvals) Get(id int64) (*Approval, error) {
	k, found := slices.BinarySearchFunc(b.All, id, func(x *Approval, id int64) int { return cmp.Compare(x.ID, id) })
	if !found {
		return nil, fmt.Errorf("%w: %d", ErrNoApproval, id)
	}
	return b.All[k], nil
}

// Without returns the approvals as they look to somebody from whom some incidents are hidden: what is about these is not there. It is to be read only.
func (b *Approvals) Without(hidden func(incident int64) bool) Approvals {
	return Approvals{All: slices.DeleteFunc(slices.Clone(b.All), func(x *Approval) bool { return hidden(x.Incident) })}
}

// Ask decides that something waits for a second person; alone says that there is none who could approve.
func (b *Approvals) Ask(x entry.Approval, actor Actor, alone bool, now time.Time) (entry.Draft, error) {
	if !TwoPersons(Action(x.Action)) {
		return entry.Draft{}, fmt.Errorf("%s needs no second person", x.Action)
	}
	for _, o := range b.All {
		if o.State == "asked" && o.Action == x.Action && o.About == x.About && o.Person == actor.ID && o.Hash == x.Hash {
			return entry.Draft{}, fmt.Errorf("you asked for this already: approval %d waits for a second person", o.ID)
		}
	}
	x.ID, x.Person, x.Via, x.Alone = int64(len(b.All))+1, actor.ID, actor.Via, alone
	x.Until = now.Add(ApprovalLasts).UTC()
	if alone {
		x.Due = now.Add(AloneWaits).UTC()
	}
	return approving(actor.Name, entry.ApprovalAsked, x.ID, x), nil
}

// Decide decides that second approves or denies what waits under id; who asked may deny it, too, which takes it back. hash is that
// of what second read.
func (b *Approvals) Decide(second Actor, id int64, approve bool, hash, text string, c Case, now time.Time) (entry.Draft, error) {
	x, err := b.Get(id)
	switch {
	case err != nil:
		return entry.Draft{}, err
	case x.State != "asked":
		return entry.Draft{}, fmt.Errorf("approval %d is %s already", id, x.State)
	case !now.Before(x.Until):
		return entry.Draft{}, fmt.Errorf("approval %d has expired: it must be asked for again", id)
	case hash != x.Hash:
		return entry.Draft{}, fmt.Errorf("what approval %d is about is not what was asked for: somebody changed it in the vault, so it is not approved", id)
	}
	kind := entry.ApprovalGiven
	if !approve {
		kind = entry.ApprovalDenied
	}
	first := Actor{Name: "person:" + x.Person, ID: x.Person, Via: x.Via}
	if approve || second.ID != x.Person {
		if err := MayApprove(first, second, Action(x.Action), c); err != nil {
			return entry.Draft{}, err
		}
	}
	return approving(second.Name, kind, id, entry.Approved{ID: id, Person: second.ID, Via: second.Via, Hash: hash, Text: text}), nil
}

// Owed says what time alone decides: what expired, and what passes because nobody else could approve it. alone says whether that
// is still so. again is when to look next, zero if not by time.
func (b *Approvals) Owed(now time.Time, alone func(*Approval) bool) (drafts []entry.Draft, again time.Time) {
	for _, x := range b.All {
		if x.State != "asked" {
			continue
		}
		due := x.Until
		switch {
		case !now.Before(x.Until):
			drafts = append(drafts, approving("desk", entry.ApprovalExpired, x.ID, entry.Approved{ID: x.ID}))
			continue
		case x.Alone && !now.Before(x.Due) && alone(x):
			drafts = append(drafts, approving("desk", entry.ApprovalGiven, x.ID, entry.Approved{ID: x.ID, Hash: x.Hash, Alone: true}))
			continue
		case x.Alone && now.Before(x.Due):
			due = x.Due
		}
		if again.IsZero() || due.Before(again) {
			again = due
		}
	}
	return drafts, again
}

// Done is the entry that stands with the act itself; text is a vault object with why it could not be done, "" if it was.
func (x *Approval) Done(text string) entry.Draft {
	return approving("desk", entry.ApprovalDone, x.ID, entry.ApprovalResult{ID: x.ID, Failed: text != "", Text: text})
}

func approving(actor string, kind entry.Kind, id int64, body any) entry.Draft {
	return entry.Draft{Actor: actor, Kind: kind, Subject: fmt.Sprintf("approval:%d", id), Body: body}
}

// Apply folds an entry and reports whether it was about an approval.
func (b *Approvals) Apply(e entry.Entry) (bool, error) {
	change := func(id int64, f func(*Approval)) error {
		x, err := b.Get(id)
		if err != nil {
			return fmt.Errorf("entry %d: %w", e.N, err)
		}
		f(x)
		return nil
	}
	states := map[entry.Kind]string{entry.ApprovalGiven: "approved", entry.ApprovalDenied: "denied", entry.ApprovalExpired: "expired"}
	switch e.Kind {
	case entry.ApprovalAsked:
		x, err := entry.Body[entry.Approval](e)
		if err == nil && x.ID != int64(len(b.All))+1 {
			err = fmt.Errorf("entry %d: approval %d does not follow %d", e.N, x.ID, len(b.All))
		}
		if err == nil {
			b.All = append(b.All, &Approval{Approval: x, At: e.Time, State: "asked"})
		}
		return true, err
	case entry.ApprovalGiven, entry.ApprovalDenied, entry.ApprovalExpired:
		x, err := entry.Body[entry.Approved](e)
		if err != nil {
			return true, err
		}
		return true, change(x.ID, func(a *Approval) { a.State, a.Decided, a.Ended = states[e.Kind], x, e.Time })
	case entry.ApprovalDone:
		x, err := entry.Body[entry.ApprovalResult](e)
		if err != nil {
			return true, err
		}
		return true, change(x.ID, func(a *Approval) {
			a.State, a.Text = "done", x.Text
			if x.Failed {
				a.State = "failed"
			}
		})
	}
	return false, nil
}
