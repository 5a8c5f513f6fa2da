package desk

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unicode"

	"tocsin/internal/auth"
	"tocsin/internal/entry"
	"tocsin/internal/tuning"
)

// lists holds the watch lists as they are looked up, and the values that were read from the vault.
type lists struct {
	changing sync.Mutex                 // one command at a time
	set      atomic.Pointer[tuning.Set] // that the reader marks records by; swapped as a whole
	mu       sync.Mutex
	all      []WatchList          // those that are not gone
	batches  map[string]listBatch // by vault id
}

// A WatchList is a list as faces show it.
type WatchList struct {
	ID      int64
	Name    string
	About   string // what it is for
	Level   string
	By      string
	Made    time.Time
	Values  []Watched // in the order in which they came
	Fault   string    // why some of it cannot be read, "" if all can
	Refused int       // parts of imported files that could not be taken
	Hits    Hits
}

// A Watched value stands on a list.
type Watched struct {
	tuning.Listed
	By    string
	Added time.Time
	Of    string // the file that it was imported from
}

// A listText is what the vault keeps of a list, a listBatch of values that were put on it.
type listText struct {
	Name  string `json:"name"`
	About string `json:"about,omitempty"`
}
type listBatch struct {
	Of     string          `json:"of,omitempty"` // the file
	Values []tuning.Listed `json:"values"`
}

// WatchLists returns the lists that are not gone, with their values and how often they hit.
func (d *Desk) WatchLists() []WatchList {
	hits := d.hits()
	d.lists.mu.Lock()
	defer d.lists.mu.Unlock()
	out := slices.Clone(d.lists.all)
	for i := range out {
		out[i].Hits = hits[out[i].ID]
	}
	return out
}

// relist builds the lists anew from the ledger's state and the vault.
func (d *Desk) relist() {
	var state []tuning.List
	d.Read(func(s *State) {
		for _, l := range s.Tuning.Lists {
			l.Batches, l.Cuts = slices.Clone(l.Batches), slices.Clone(l.Cuts)
			state = append(state, l)
		}
	})
	d.lists.mu.Lock() // not before: faces ask for lists while they read the state
	defer d.lists.mu.Unlock()
	if d.lists.batches == nil {
		d.lists.batches = map[string]listBatch{}
	}
	d.lists.all = nil
	var build []tuning.Lister
	for _, l := range state {
		if l.Gone {
			continue
		}
		w := d.readList(l)
		if w.Fault != "" {
			d.log.Error("a watch list cannot be read whole", "list", l.ID, "because", w.Fault)
		}
		d.lists.all = append(d.lists.all, w)
		x := tuning.Lister{List: l.ID, Level: l.Level}
		for _, v := range w.Values {
			x.Values = append(x.Values, v.Listed)
		}
		build = append(build, x)
	}
	d.lists.set.Store(tuning.NewSet(build))
}

// readList reads what the vault has of a list. A value that was put on it twice is what it was last.
func (d *Desk) readList(l tuning.List) WatchList {
	w := WatchList{ID: l.ID, Level: l.Level, By: l.By, Made: l.Made}
	var text listText
	if err := d.fromVault(l.Vault, &text); err != nil {
		w.Fault = "its name: " + err.Error()
		text.Name = fmt.Sprintf("list %d", l.ID)
	}
	w.Name, w.About = text.Name, text.About
	place, cut := map[string]int{}, map[string]int{} // by hash: batches before the last cut
	for _, c := range l.Cuts {
		for _, h := range c.Hashes {
			cut[h] = c.Batches
		}
	}
	for n, b := range l.Batches {
		w.Refused += b.Refused
		x, ok := d.lists.batches[b.Vault]
		if !ok {
			if err := d.fromVault(b.Vault, &x); err != nil {
				w.Fault = fmt.Sprintf("%d values: %v", b.Count, err)
				continue
			}
			d.lists.batches[b.Vault] = x
		}
		for _, v := range x.Values {
			if len(cut) > 0 && n < cut[d.hashListed(v)] {
				continue
			}
			at, known := place[v.Key()]
			if !known {
				at = len(w.Values)
				place[v.Key()] = at
				w.Values = append(w.Values, Watched{})
			}
			w.Values[at] = Watched{v, b.By, b.At, x.Of}
		}
	}
	return w
}

func (d *Desk) fromVault(id string, to any) error {
	b, err := d.vault.Get(id)
	if err != nil {
		return err
	}
	return json.Unmarshal(b, to)
}

func (d *Desk) toVault(x any) (string, error) {
	b, err := json.Marshal(x)
	if err != nil {
		return "", err
	}
	id, err := d.vault.Put(b)
	if err != nil {
		return "", fmt.Errorf("keeping the watch list: %w", err)
	}
	return id, nil
}

func (d *Desk) hashListed(v tuning.Listed) string { return d.vault.Hash("listed", v.Key()) }

// A Listing is values to put on a list, and to take off it.
type Listing struct {
	List    string // its name or number; a new name makes a list
	Level   string // of the list: low, medium, high; "" leaves it, a new list is medium
	About   string // of a new list; "" leaves it
	Values  []tuning.Listed
	Cut     []tuning.Listed
	Refused int    // parts of a file that could not be taken
	Of      string // the file
}

// A ListChange is what a Listing did.
type ListChange struct {
	List    int64 `json:"list"`
	Added   int   `json:"added"`
	Known   int   `json:"known"` // stood on it already
	Removed int   `json:"removed"`
}

// Watch puts values on a watch list and takes others off, in one command. Errors of one thing that was said are FieldErrors of
// list, level or values.
func (d *Desk) Watch(actor auth.Actor, x Listing) (ListChange, error) {
	var out ListChange
	if err := errors.Join(auth.May(actor, auth.Tune), d.Broken()); err != nil {
		return out, err
	}
	d.lists.changing.Lock()
	defer d.lists.changing.Unlock()
	list, old, err := d.listFor(x)
	if err != nil {
		return out, err
	}
	out.List = list.ID
	fresh, cuts := d.sort(&x, old, &out)
	if len(fresh)+len(cuts) == 0 && list.Vault == "" {
		if len(x.Values)+len(x.Cut) == 0 {
			return out, FieldError{"values", "Say what is to be watched, one value a line."}
		}
		return out, nil // all of it is as it was
	}
	var drafts []func(*State) (entry.Draft, error)
	if list.Vault != "" {
		drafts = append(drafts, func(s *State) (entry.Draft, error) { return s.Tuning.PutList(actor.Name, list) })
	}
	drafts = append(drafts, cutting(actor, out.List, cuts)...)
	if len(fresh) > 0 {
		if err := d.roomFor(len(fresh)); err != nil {
			return out, err
		}
		ref, err := d.toVault(listBatch{x.Of, fresh})
		if err != nil {
			return out, err
		}
		drafts = append(drafts, func(s *State) (entry.Draft, error) {
			if out.List == 0 {
				out.List = int64(len(s.Tuning.Lists)) + 1
			}
			return s.Tuning.AddToList(actor.Name, entry.ListBatch{List: out.List, Count: len(fresh), Refused: x.Refused, Vault: ref})
		})
	}
	return out, d.writeLists(drafts)
}

// writeLists writes decisions on lists as one, and looks records up by them from then on.
func (d *Desk) writeLists(decide []func(*State) (entry.Draft, error)) error {
	err := d.write(func(s *State, _ time.Time) (drafts []entry.Draft, err error) {
		for _, f := range decide {
			x, err := f(s)
			if err != nil {
				return nil, err
			}
			drafts = append(drafts, x)
		}
		return drafts, nil
	})
	if err == nil {
		d.relist()
	}
	return err
}

// listFor finds the list that is meant, or makes one. What is written of it has a vault object when there is something to write.
func (d *Desk) listFor(x Listing) (list entry.List, old *WatchList, err error) {
	name := strings.Join(strings.Fields(x.List), " ")
	if x.Level != "" && !slices.Contains(tuning.Levels(), x.Level) {
		return list, nil, FieldError{"level", fmt.Sprintf("%q is no level of a watch list; known: low, medium, high.", x.Level)}
	}
	if old = d.findList(name); old != nil {
		list = entry.List{ID: old.ID, Level: old.Level}
		about := strings.TrimSpace(x.About)
		if (x.Level == "" || x.Level == old.Level) && (about == "" || about == old.About) {
			return list, old, nil
		}
		if x.Level != "" {
			list.Level = x.Level
		}
		if about == "" {
			about = old.About
		}
		list.Vault, err = d.toVault(listText{old.Name, about})
		return list, old, err
	}
	const longest = 80
	switch {
	case name == "":
		return list, nil, FieldError{"list", "A watch list needs a name."}
	case strings.Trim(name, "0123456789") == "":
		return list, nil, FieldError{"list", fmt.Sprintf("There is no watch list %s.", name)}
	case len(name) > longest || strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) }):
		return list, nil, FieldError{"list", fmt.Sprintf("The name of a watch list is text of at most %d bytes.", longest)}
	case len(x.Values) == 0:
		return list, nil, FieldError{"values", "Say what is to be watched, one value a line."}
	}
	list.Level = x.Level
	if list.Level == "" {
		list.Level = "medium"
	}
	list.Vault, err = d.toVault(listText{name, strings.TrimSpace(x.About)})
	return list, nil, err
}

// findList finds a list by number or name, nil if there is none.
func (d *Desk) findList(name string) *WatchList {
	for _, l := range d.WatchLists() {
		if fmt.Sprint(l.ID) == name || strings.EqualFold(l.Name, name) {
			return &l
		}
	}
	return nil
}

// sort says which values are new to a list, and which of its own go.
func (d *Desk) sort(x *Listing, old *WatchList, out *ListChange) (fresh []tuning.Listed, cuts []string) {
	have := map[string]tuning.Listed{}
	if old != nil {
		for _, v := range old.Values {
			have[v.Key()] = v.Listed
		}
	}
	for _, v := range x.Values {
		if h, known := have[v.Key()]; known && h.From.Equal(v.From) && h.Until.Equal(v.Until) {
			out.Known++
			continue
		}
		have[v.Key()] = v
		fresh = append(fresh, v)
	}
	for _, v := range x.Cut {
		if _, known := have[v.Key()]; known {
			delete(have, v.Key())
			cuts = append(cuts, d.hashListed(v))
		}
	}
	out.Added, out.Removed = len(fresh), len(cuts)
	return fresh, cuts
}

// Unwatch takes values off a list, or ends the whole list when none is given.
func (d *Desk) Unwatch(actor auth.Actor, list string, values []tuning.Listed) (ListChange, error) {
	var out ListChange
	if err := errors.Join(auth.May(actor, auth.Tune), d.Broken()); err != nil {
		return out, err
	}
	d.lists.changing.Lock()
	defer d.lists.changing.Unlock()
	old := d.findList(strings.Join(strings.Fields(list), " "))
	if old == nil {
		return out, FieldError{"list", fmt.Sprintf("There is no watch list %q.", list)}
	}
	out.List = old.ID
	if len(values) == 0 {
		out.Removed = len(old.Values)
		ref, err := d.toVault(listText{old.Name, old.About})
		if err != nil {
			return out, err
		}
		return out, d.writeLists([]func(*State) (entry.Draft, error){func(s *State) (entry.Draft, error) {
			return s.Tuning.PutList(actor.Name, entry.List{ID: old.ID, Level: old.Level, Vault: ref, Gone: true})
		}})
	}
	_, cuts := d.sort(&Listing{Cut: values}, old, &out)
	if len(cuts) == 0 {
		return out, FieldError{"values", fmt.Sprintf("%q is not on the list %s.", values[0].String(), old.Name)}
	}
	return out, d.writeLists(cutting(actor, old.ID, cuts))
}

// cutting are the decisions that take values off a list, each of as many as an entry may have.
func cutting(actor auth.Actor, list int64, cuts []string) (out []func(*State) (entry.Draft, error)) {
	for part := range slices.Chunk(cuts, tuning.CutAtMost) {
		out = append(out, func(s *State) (entry.Draft, error) {
			return s.Tuning.CutFromList(actor.Name, entry.ListCut{List: list, Hashes: part})
		})
	}
	return out
}

// roomFor says whether all lists together may hold so many values more.
func (d *Desk) roomFor(more int) error {
	total := more
	for _, l := range d.WatchLists() {
		total += len(l.Values)
	}
	if total > tuning.MaxListed {
		return FieldError{"values", fmt.Sprintf("All watch lists together would hold %d values, and at most %d are kept: remove some first.", total, tuning.MaxListed)}
	}
	return nil
}

// An Imported file is what became of it.
type Imported struct {
	ListChange
	Format  string           `json:"format"`
	Refused []tuning.Refusal `json:"refused,omitempty"`
	More    int              `json:"refused_more,omitempty"` // that were refused and are not named
	Passed  map[string]int   `json:"passed,omitempty"`       // objects of a bundle that are no indicators, by type
	Expired int              `json:"expired,omitempty"`      // values whose time is over
}

// ImportWatch reads a file, a STIX 2.1 bundle or text, and puts its values on a list. What cannot be taken is named; the rest goes on
// the list. Until ends values that name no end of their own.
func (d *Desk) ImportWatch(actor auth.Actor, x Listing, data []byte, until time.Time) (Imported, error) {
	if err := auth.May(actor, auth.Tune); err != nil {
		return Imported{}, err
	}
	got, err := tuning.ParseImport(data, time.Now(), until)
	out := Imported{Format: got.Format, Refused: got.Refused, More: got.More, Passed: got.Passed, Expired: got.Expired}
	if err != nil {
		return out, FieldError{"values", Title(err.Error()) + "."}
	}
	x.Values, x.Cut, x.Refused = got.Values, got.Cut, len(got.Refused)+got.More
	out.ListChange, err = d.Watch(actor, x)
	return out, err
}
