package detect

import (
	"bytes"
	"container/list"
	"encoding/gob"
	"errors"
	"fmt"
	"slices"
	"time"
)

// habitsVersion changes when the form below or its meaning does. Habits outlive retention, so a newer program must go on reading the
// older forms: fields are only added.
const habitsVersion = 1

// The form of what was learnt, written by encoding/gob: in a snapshot, and in a file of its own that outlives changes of rules. It
// holds no maps, so that one state has one form.
type habitsForm struct {
	Version   int
	UpTo      int64 // archive number of the last line that was taken in
	Newest    int64
	Forgotten int64
	Lost      int64
	Accounts  []habit // those seen last at the end
	Doubts    []doubt
	Places    []int32 // of Doubts, in the table
}

// form copies the state, so that it can be written while detection goes on.
func (h *habits) form() habitsForm {
	f := habitsForm{Version: habitsVersion, UpTo: h.upTo, Newest: h.newest, Forgotten: h.forgotten, Lost: h.doubts.lost}
	f.Accounts = make([]habit, 0, len(h.by))
	for _, l := range []*list.List{h.staff, h.customers} {
		for e := l.Front(); e != nil; e = e.Next() {
			f.Accounts = append(f.Accounts, e.Value.(*habit).copied())
		}
	}
	for i, x := range h.doubts.sets {
		if x.Key != 0 {
			f.Doubts, f.Places = append(f.Doubts, x), append(f.Places, int32(i))
		}
	}
	return f
}

func (x *habit) copied() habit {
	c := *x
	c.Countries, c.Networks, c.Devices = slices.Clone(x.Countries), slices.Clone(x.Networks), slices.Clone(x.Devices)
	for i := range c.Countries {
		c.Countries[i].Recent = slices.Clone(c.Countries[i].Recent)
	}
	c.Waiting, c.Series = slices.Clone(x.Waiting), slices.Clone(x.Series)
	for i := range c.Series {
		c.Series[i].Past = slices.Clone(c.Series[i].Past)
	}
	return c
}

// take replaces the state by a form. A form that no program of ours can have written is refused.
func (h *habits) take(f habitsForm) error {
	if f.Version != habitsVersion {
		return fmt.Errorf("what was learnt of accounts has the form %d, and this program reads %d; use the program that wrote it, or a newer one", f.Version, habitsVersion)
	}
	if len(f.Doubts) != len(f.Places) {
		return errors.New("what was learnt of accounts is damaged: addresses without places")
	}
	n := &habits{zone: h.zone, most: h.most, by: map[account]*list.Element{}, staff: list.New(), customers: list.New(), upTo: f.UpTo, newest: f.Newest, forgotten: f.Forgotten}
	n.doubts.lost = f.Lost
	for i := range f.Accounts {
		x := &f.Accounts[i]
		who := account{x.Name, x.Realm}
		if err := x.sound(); err != nil || n.by[who] != nil {
			return errors.Join(fmt.Errorf("what was learnt of accounts is damaged at the account %d", i+1), err)
		}
		n.by[who] = n.listOf(x.Realm).PushBack(x)
	}
	for len(n.by) > n.most { // the limit was lowered
		oldest := n.customers.Front()
		if oldest == nil {
			oldest = n.staff.Front()
		}
		n.drop(oldest)
		n.forgotten++
	}
	for i, x := range f.Doubts {
		p := int(f.Places[i])
		if x.Key == 0 || p < 0 || p >= doubtSets*doubtWays || p/doubtWays != int(x.Key%doubtSets) {
			return errors.New("what was learnt of accounts is damaged: an address stands in the wrong place")
		}
		n.doubts.set(x.Key)
		n.doubts.sets[p] = x
	}
	*h = *n
	return nil
}

var errHabit = errors.New("it holds more than an account can have")

// sound reports what learning never makes.
func (x *habit) sound() error {
	if len(x.Name) > maxHabitName || len(x.Realm) > maxText || len(x.Countries) > maxCountries || len(x.Networks) > maxNetworks ||
		len(x.Devices) > maxDevices || len(x.Waiting) > maxWaiting || len(x.Series) > maxSeries || x.Signins < 0 || x.Days < 0 {
		return errHabit
	}
	for _, l := range [][]seen{x.Countries, x.Networks, x.Devices} {
		for _, s := range l {
			if len(s.Key) > maxHabitKey || s.N < 0 || len(s.Recent) != 0 && len(s.Recent) != recentDays {
				return errHabit
			}
		}
	}
	for _, s := range x.Series {
		if len(s.Past) > volumeKept+1 {
			return errHabit
		}
	}
	for _, n := range x.Hours {
		if !(n >= 0 && n < 1e12) { // NaN neither
			return errHabit
		}
	}
	return nil
}

func (f *habitsForm) bytes() ([]byte, error) {
	var out bytes.Buffer
	if err := gob.NewEncoder(&out).Encode(f); err != nil {
		return nil, fmt.Errorf("writing what was learnt of accounts: %w", err)
	}
	return out.Bytes(), nil
}

func parseHabits(data []byte) (f habitsForm, err error) {
	if err := gob.NewDecoder(bytes.NewReader(data)).Decode(&f); err != nil {
		return f, fmt.Errorf("reading what was learnt of accounts: %w", err)
	}
	return f, nil
}

// FreezeHabits takes what was learnt as it is now, and returns what writes it: that may be called later, once, by another goroutine.
func (d *Detector) FreezeHabits() func() ([]byte, error) {
	f := d.habits.form()
	return f.bytes
}

// RestoreHabits replaces what was learnt by what FreezeHabits wrote, with whatever rules. Damage leaves the Detector as it was.
func (d *Detector) RestoreHabits(data []byte) error {
	f, err := parseHabits(data)
	if err != nil {
		return err
	}
	return d.habits.take(f)
}

// LearntUpTo is the archive number of the last line that was taken in.
func (d *Detector) LearntUpTo() int64 { return d.habits.upTo }

// HabitsUpTo says that the archive ends with a line: what was learnt came from a longer one, of which only a backup is left, and the lines
// that come now are new.
func (d *Detector) HabitsUpTo(last int64) { d.habits.upTo = min(d.habits.upTo, last) }

// A Habit is what is normal for an account, for people.
type Habit struct {
	Account   string      `json:"account"`
	Realm     string      `json:"realm"`
	First     time.Time   `json:"first"` // of the sign-ins and transfers that were learnt
	Last      time.Time   `json:"last"`
	Signins   int64       `json:"signins"`
	Days      int64       `json:"days"`     // on which somebody signed in
	Learning  bool        `json:"learning"` // too little is known to call anything new
	Countries []Known     `json:"countries,omitempty"`
	Networks  []Known     `json:"networks,omitempty"`
	Devices   []Known     `json:"devices,omitempty"`
	Hours     [24]float64 `json:"hours"`             // sign-ins by hour in the shop's zone; they halve in 30 days
	Waiting   []string    `json:"waiting,omitempty"` // networks of odd sign-ins that are not learnt yet
	Volumes   []Volume    `json:"volumes,omitempty"`
}

// A Known is a country, network or device of an account.
type Known struct {
	Name   string `json:"name"` // of a country its code
	Count  int64  `json:"count"`
	Recent int64  `json:"recent,omitempty"` // of a country: in the last 30 days of it
	First  string `json:"first"`            // days, as 2006-01-02
	Last   string `json:"last"`
}

// A Volume is how much an account usually moves.
type Volume struct {
	What        string  `json:"what"`   // download, upload, export, by day; session: downloads and exports by session
	Past        int     `json:"past"`   // days or sessions that are remembered
	Median      float64 `json:"median"` // bytes
	P95         float64 `json:"p95"`    // bytes: one in twenty has more
	Far         float64 `json:"far"`    // bytes, from where on it is far above
	MedianFiles float64 `json:"median_files"`
	FarFiles    float64 `json:"far_files"`
	Enough      bool    `json:"enough"` // enough is remembered to judge by it
	Latest      int64   `json:"latest"` // bytes of the newest day or session
}

func (x *habit) shown() Habit {
	out := Habit{Account: x.Name, Realm: x.Realm, First: fromNano(x.First), Last: fromNano(x.Last), Signins: x.Signins, Days: int64(x.Days), Learning: !x.learnt()}
	out.Countries, out.Networks, out.Devices = known(x.Countries), known(x.Networks), known(x.Devices)
	for i, n := range x.Hours {
		out.Hours[i] = float64(n)
	}
	for _, w := range x.Waiting {
		out.Waiting = append(out.Waiting, w.Network)
	}
	for i := range x.Series {
		s := &x.Series[i]
		if len(s.Past) == 0 {
			continue
		}
		newest := s.Past[len(s.Past)-1]
		b, f := s.past(newest.Key)
		out.Volumes = append(out.Volumes, Volume{s.What, b.n, b.median, b.p95, b.far, f.median, f.far, b.n >= volumeDays, newest.Bytes})
	}
	return out
}

func known(all []seen) (out []Known) {
	day := func(n int32) string { return time.Unix(int64(n)*86400, 0).UTC().Format("2006-01-02") }
	for i := range all {
		s := &all[i]
		out = append(out, Known{s.Key, s.N, int64(s.within(s.Last)), day(s.First), day(s.Last)})
	}
	slices.SortStableFunc(out, func(a, b Known) int { return int(min(max(b.Count-a.Count, -1), 1)) })
	return out
}

// Habits lists what is normal for each account, staff first, then those seen last first.
func (d *Detector) Habits() []Habit { f := d.habits.form(); return f.shown() }

// Habit returns what is normal for one account.
func (d *Detector) Habit(realm, name string) (Habit, bool) {
	if x := d.habits.find(account{cut(name, maxHabitName), realm}); x != nil && name != "" {
		return x.shown(), true
	}
	return Habit{}, false
}

func (f *habitsForm) shown() (out []Habit) {
	for _, staff := range []bool{true, false} {
		for i := len(f.Accounts) - 1; i >= 0; i-- {
			if x := &f.Accounts[i]; x.Name != "" && staffRealm(x.Realm) == staff {
				out = append(out, x.shown())
			}
		}
	}
	return out
}

// ReadHabits reads what FreezeHabits wrote, for people, and up to which line of the archive it was learnt.
func ReadHabits(data []byte) (list []Habit, upTo int64, err error) {
	f, err := parseHabits(data)
	if err == nil {
		err = (&habits{most: max(len(f.Accounts), 1)}).take(f)
	}
	if err != nil {
		return nil, 0, err
	}
	return f.shown(), f.UpTo, nil
}
