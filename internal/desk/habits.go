package desk

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"sync"
	"time"

	"tocsin/internal/auth"
	"tocsin/internal/detect"
	"tocsin/internal/disk"
	"tocsin/internal/entry"
)

// What is normal for accounts is a file of its own in the data folder: it took weeks to learn, so it outlives the lines that it was learnt
// from, the windows of detection and changes of rules, and belongs into a backup. It is a line of JSON, then what detection
// wrote. The snapshot of the windows holds it too, as of its own cursor; the file counts where there is no snapshot that can be used.
const (
	habitsDir  = "habits"
	habitsFile = habitsDir + "/state"
)

// habitsHead is the line of JSON.
type habitsHead struct {
	Form int `json:"form"`
	Size int `json:"size"` // bytes that follow
}

// A keeper writes habits, one file at a time. What was taken before an account was forgotten must not be written after.
type keeper struct {
	mu      sync.Mutex
	forgets int // how many accounts were forgotten by hand
}

// keep writes what write returns, unless an account was forgotten since it was taken.
func (k *keeper) keep(d *Desk, forgets int, write func() ([]byte, error)) error {
	b, err := write()
	if err != nil {
		return err
	}
	head, err := json.Marshal(habitsHead{1, len(b)})
	if err != nil {
		return err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if forgets != k.forgets {
		return nil
	}
	return disk.Replace(d.o.Data, habitsFile, append(append(head, '\n'), b...))
}

// freezeHabits takes what was learnt, and returns what writes it. Call it with r.mu held.
func (r *reader) freezeHabits() (write func()) {
	r.keeper.mu.Lock()
	forgets := r.keeper.forgets
	r.keeper.mu.Unlock()
	learnt := r.detector.FreezeHabits()
	return func() {
		if err := r.keeper.keep(r.d, forgets, learnt); err != nil {
			r.d.log.Error("saving what is normal for accounts: without it a change of rules forgets what was learnt since", "because", err)
		}
	}
}

// readHabits reads the file; nil when there is none.
func readHabits(data disk.Layer) ([]byte, error) {
	b, err := disk.ReadFile(data, habitsFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", habitsFile, err)
	}
	head, rest, ok := bytes.Cut(b, []byte("\n"))
	var h habitsHead
	switch {
	case !ok || json.Unmarshal(head, &h) != nil:
		err = errors.New("it does not begin as such a file does")
	case h.Form != 1:
		err = fmt.Errorf("it has the form %d, which this program does not know", h.Form)
	case h.Size != len(rest):
		err = fmt.Errorf("%d bytes follow its first line instead of %d", len(rest), h.Size)
	}
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w; bring it back from a backup, or remove it: what is normal is then learnt anew", habitsFile, err)
	}
	return rest, nil
}

// recall gives a detector that begins anew what was learnt before. A file that cannot be used is set aside, and learning begins anew.
func (r *reader) recall() {
	b, err := readHabits(r.d.o.Data)
	if err == nil && b != nil {
		err = r.detector.RestoreHabits(b)
	}
	if err == nil {
		r.detector.HabitsUpTo(r.d.archive.Last())
		return
	}
	r.d.log.Error("what is normal for accounts is learnt anew; the file is kept as "+habitsFile+".damaged", "because", err)
	if err := r.d.o.Data.Rename(habitsFile, habitsFile+".damaged"); err != nil {
		r.d.log.Error("setting the file aside", "error", err)
	}
}

// forgetAgain forgets what was ordered to be forgotten after the state was written that was read back.
func (r *reader) forgetAgain() {
	forgotten := map[string]int64{}
	r.d.Read(func(s *State) {
		for hash, seq := range s.Unlearnt {
			if seq >= r.detector.LearntUpTo() {
				forgotten[hash] = seq
			}
		}
	})
	if len(forgotten) == 0 {
		return
	}
	for _, h := range r.detector.Habits() {
		if _, ok := forgotten[r.d.HabitID(h.Realm, h.Account)]; ok {
			r.detector.ForgetHabit(h.Realm, h.Account)
		}
	}
}

// HabitID is the keyed hash of an account: by it the ledger and the console's addresses name it.
func (d *Desk) HabitID(realm, account string) string {
	return d.vault.Hash("account", realm+"/"+account)
}

// HabitZone is the zone of the hours of habits.
func (d *Desk) HabitZone() *time.Location {
	if z := d.detectOptions().Zone; z != nil {
		return z
	}
	return time.UTC
}

// Habits lists what is normal for each account, staff first, then those seen last first.
func (d *Desk) Habits() []detect.Habit {
	d.reader.mu.Lock()
	defer d.reader.mu.Unlock()
	return d.reader.detector.Habits()
}

// HasHabit reports whether something is known of an account.
func (d *Desk) HasHabit(realm, account string) bool {
	d.reader.mu.Lock()
	defer d.reader.mu.Unlock()
	_, ok := d.reader.detector.Habit(realm, account)
	return ok
}

// Habit finds what is normal for the account with an id of HabitID.
func (d *Desk) Habit(id string) (detect.Habit, bool) {
	for _, h := range d.Habits() {
		if d.HabitID(h.Realm, h.Account) == id {
			return h, true
		}
	}
	return detect.Habit{}, false
}

// A HabitText is what the vault keeps of an order to forget what is normal for an account.
type HabitText struct {
	Realm   string `json:"realm"`
	Account string `json:"account"`
	Why     string `json:"why"`
}

// ErrNoHabit says that nothing is known of an account.
var ErrNoHabit = errors.New("nothing is known of that account")

// ForgetHabit forgets what is normal for an account, so that it is learnt anew: after somebody else used it, or when its owner's ways have
// changed for good. Errors: a Refusal, ErrBroken, ErrNoHabit, or no reason.
func (d *Desk) ForgetHabit(actor auth.Actor, realm, account, why string) error {
	if err := errors.Join(auth.May(actor, auth.Tune), d.Broken()); err != nil {
		return err
	}
	why = strings.TrimSpace(why)
	if why == "" {
		return errors.New("forgetting what is normal for an account needs a reason")
	}
	r := d.reader
	r.mu.Lock() // no line is read between the entry and the act
	defer r.mu.Unlock()
	if _, ok := r.detector.Habit(realm, account); !ok {
		return ErrNoHabit
	}
	b, err := json.Marshal(HabitText{realm, account, why})
	if err != nil {
		return err
	}
	id, err := d.vault.Put(b)
	if err != nil {
		return fmt.Errorf("keeping the reason: %w", err)
	}
	hash := d.HabitID(realm, account)
	err = d.do(actor, auth.Tune, func(*State, time.Time) (entry.Draft, error) {
		return entry.Draft{Actor: actor.Name, Kind: entry.HabitForgotten, Subject: "account:" + hash,
			Body: entry.Unlearnt{Hash: hash, Realm: realm, Seq: r.detector.LearntUpTo(), Vault: id}}, nil
	})
	if err != nil {
		return err
	}
	r.detector.ForgetHabit(realm, account)
	r.keeper.mu.Lock()
	r.keeper.forgets++
	forgets := r.keeper.forgets
	r.keeper.mu.Unlock()
	if err := r.keeper.keep(d, forgets, r.detector.FreezeHabits()); err != nil { // the next start does it again
		d.log.Error("saving what is normal for accounts", "because", err)
	}
	return nil
}

// ReadHabits lists what is normal for each account as it was written last. It changes nothing, and works beside a running server.
func ReadHabits(data disk.Layer) ([]detect.Habit, error) {
	b, err := readHabits(data)
	if err != nil || b == nil {
		return nil, err
	}
	list, _, err := detect.ReadHabits(b)
	return list, err
}
