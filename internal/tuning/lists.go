package tuning

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"tocsin/internal/entry"
)

// A List is a watch list. Its name and values are in the vault; here is in which order they came and went.
type List struct {
	entry.List
	By      string // who made it
	Made    time.Time
	Batches []Batch
	Cuts    []Cut
}

// A Batch is values that were put on a list at once.
type Batch struct {
	entry.ListBatch
	By string
	At time.Time
}

// A Cut is values that were taken off a list at once.
type Cut struct {
	Batches int      // that came before it: what comes after it is put on again
	Hashes  []string // keyed
}

// PutList decides on a list: a new one when its id is 0, or another level, name or end of one that there is.
func (b *Book) PutList(actor string, x entry.List) (entry.Draft, error) {
	if !slices.Contains(Levels(), x.Level) {
		return entry.Draft{}, fmt.Errorf("%q is no level of a watch list; known: low, medium, high", x.Level)
	}
	if x.ID == 0 {
		x.ID = int64(len(b.Lists)) + 1
	} else if _, err := b.List(x.ID); err != nil {
		return entry.Draft{}, err
	}
	return entry.Draft{Actor: actor, Kind: entry.ListPut, Subject: fmt.Sprintf("list:%d", x.ID), Body: x}, nil
}

// List returns a list that is not gone.
func (b *Book) List(id int64) (List, error) {
	if id < 1 || id > int64(len(b.Lists)) || b.Lists[id-1].Gone {
		return List{}, fmt.Errorf("there is no watch list %d", id)
	}
	return b.Lists[id-1], nil
}

// AddToList decides to put values on a list. One that the same command makes has the next id.
func (b *Book) AddToList(actor string, x entry.ListBatch) (entry.Draft, error) {
	if _, err := b.List(x.List); err != nil && x.List != int64(len(b.Lists))+1 {
		return entry.Draft{}, err
	}
	if x.Count < 1 {
		return entry.Draft{}, errors.New("there is no value to put on the list")
	}
	return entry.Draft{Actor: actor, Kind: entry.ListAdded, Subject: fmt.Sprintf("list:%d", x.List), Body: x}, nil
}

// CutAtMost is how many values one entry may take off a list: an entry of the ledger may have a million bytes.
const CutAtMost = 8000

// CutFromList decides to take values off a list.
func (b *Book) CutFromList(actor string, x entry.ListCut) (entry.Draft, error) {
	if _, err := b.List(x.List); err != nil {
		return entry.Draft{}, err
	}
	if len(x.Hashes) == 0 {
		return entry.Draft{}, errors.New("none of these values is on the list")
	}
	if len(x.Hashes) > CutAtMost {
		return entry.Draft{}, fmt.Errorf("one entry takes at most %d values off a list, not %d", CutAtMost, len(x.Hashes))
	}
	return entry.Draft{Actor: actor, Kind: entry.ListRemoved, Subject: fmt.Sprintf("list:%d", x.List), Body: x}, nil
}

func (b *Book) applyList(e entry.Entry) (bool, error) {
	switch e.Kind {
	case entry.ListPut:
		x, err := entry.Body[entry.List](e)
		if err != nil {
			return true, err
		}
		switch {
		case x.ID == int64(len(b.Lists))+1:
			b.Lists = append(b.Lists, List{List: x, By: e.Actor, Made: e.Time})
		case x.ID >= 1 && x.ID <= int64(len(b.Lists)):
			b.Lists[x.ID-1].List = x
		default:
			return true, fmt.Errorf("entry %d: list %d does not follow %d", e.N, x.ID, len(b.Lists))
		}
		return true, nil
	case entry.ListAdded:
		x, err := entry.Body[entry.ListBatch](e)
		if err == nil {
			err = b.has(e, x.List)
		}
		if err == nil {
			l := &b.Lists[x.List-1]
			l.Batches = append(l.Batches, Batch{ListBatch: x, By: e.Actor, At: e.Time})
		}
		return true, err
	case entry.ListRemoved:
		x, err := entry.Body[entry.ListCut](e)
		if err == nil {
			err = b.has(e, x.List)
		}
		if err == nil {
			l := &b.Lists[x.List-1]
			l.Cuts = append(l.Cuts, Cut{Batches: len(l.Batches), Hashes: x.Hashes})
		}
		return true, err
	}
	return false, nil
}

func (b *Book) has(e entry.Entry, list int64) error {
	if list < 1 || list > int64(len(b.Lists)) {
		return fmt.Errorf("entry %d: there is no list %d", e.N, list)
	}
	return nil
}
