package detect

import (
	"bytes"
	"container/list"
	"encoding/binary"
	"encoding/gob"
	"errors"
	"fmt"
	"slices"
)

// ErrOtherRules says that a snapshot was made with another set of rules: its windows mean nothing to this one, and the records
// of the longest timespan must be read again.
var ErrOtherRules = errors.New("the snapshot belongs to another set of rules")

// snapshotVersion changes whenever the form below or the meaning of windows does; an older snapshot is then refused like one of
// other rules.
const snapshotVersion = 2

// The form of a snapshot, written by encoding/gob. It holds no maps, so one state has one form.
type snapshot struct {
	Version   int
	Rules     string // hash
	Ord       int64
	Newest    int64
	Far       int64 // of a program that had no lanes
	FarN      int64
	Lanes     []laneForm
	Late      int64
	Evicted   int64
	Forgotten int64
	Sights    []*sight
	Bins      []binForm
	Near      []neighbourhood // those seen last at the end
	Waiters   []byte          // the waiting room, 48 bytes each; none: there is no room
	Counts    []byte
	Adds      int
	Blunt     bluntness
	Habits    habitsForm
}

type binForm struct {
	Rule    string // its key
	Version string
	Broken  string
	Stats   RuleStats
	Groups  []groupForm // those used last at the end
}

type groupForm struct {
	Hash   uint64
	Kind   string
	Values []string
	Newest int64
	Single bool
	Tracks []trackForm
	Sketch *sketch
	Live   *live
}

type trackForm struct {
	Key   uint64
	Marks []markForm
}

type markForm struct {
	At, Ord int64
	Seq     int64
	Sight   int // place in Sights
	Raw     string
	Bytes   int64
	N       int32
	X       float64
	Told    bool
	More    []markForm
}

// Snapshot returns the whole state. A Detector of the same rules that is given it by Restore goes on as this one would.
// The caller keeps it together with the archive position of the last record stepped through.
func (d *Detector) Snapshot() ([]byte, error) { return d.Freeze()() }

// Freeze takes the state as it is now, and returns what writes it: that may be called later, once, by another goroutine, while
// this Detector goes on. Taking is some ten times faster than writing, so that detection need not wait for it.
func (d *Detector) Freeze() func() ([]byte, error) {
	d.settle()
	s := &snapshot{
		Version: snapshotVersion, Rules: d.rules.hash, Ord: d.ord,
		Newest: d.newest, Lanes: d.lanes.form(),
		Late: d.late, Evicted: d.evicted, Forgotten: d.forgotten, Blunt: d.blunt,
	}
	s.Waiters, s.Counts, s.Adds = d.waiting.freeze()
	d.freezes++
	w := &packer{number: d.freezes, sights: make([]*sight, 0, d.weight)}
	for i := range d.bins {
		b := &d.bins[i]
		m := d.rules.nodes[i].meta
		f := binForm{Rule: m.Key(), Version: m.Version, Broken: b.broken, Stats: b.stats}
		b.each(func(g *group) bool {
			f.Groups = append(f.Groups, w.group(g))
			return true
		})
		s.Bins = append(s.Bins, f)
	}
	s.Sights = w.sights
	for _, l := range []*list.List{d.near.failing, d.near.order} {
		for e := l.Front(); e != nil; e = e.Next() {
			n := *e.Value.(*neighbourhood)
			n.Signins, n.Failures = slices.Clone(n.Signins), slices.Clone(n.Failures)
			s.Near = append(s.Near, n)
		}
	}
	s.Habits = d.habits.form()
	return func() ([]byte, error) {
		var out bytes.Buffer
		if err := gob.NewEncoder(&out).Encode(s); err != nil {
			return nil, fmt.Errorf("writing the state of detection: %w", err)
		}
		return out.Bytes(), nil
	}
}

// A packer gives each sight a place, so that marks that share one still do after Restore. What it returns shares nothing
// with the Detector that changes: texts do not, nor do a group's values.
type packer struct {
	number int64 // of this freeze
	sights []*sight
}

func (w *packer) group(g *group) groupForm {
	f := groupForm{Hash: g.Hash, Kind: g.Kind, Values: g.Values, Newest: g.Newest, Single: g.single, Sketch: g.sketch.clone()}
	if g.live != nil {
		l := *g.live
		l.Alert, l.sources, l.accounts = g.live.copied(), nil, nil
		f.Live = &l
	}
	for _, t := range g.tracks {
		f.Tracks = append(f.Tracks, trackForm{t.key, w.marks(t.marks)})
	}
	return f
}

func (w *packer) marks(all []mark) []markForm {
	if len(all) == 0 {
		return nil
	}
	out := make([]markForm, 0, len(all))
	for _, m := range all {
		if m.Sight.frozen != w.number {
			m.Sight.frozen, m.Sight.place = w.number, len(w.sights)
			w.sights = append(w.sights, m.Sight)
		}
		r := m.of()
		out = append(out, markForm{m.At, m.Ord, m.Seq, m.Sight.place, r.Raw, r.Bytes, m.N, r.X, m.Told, w.marks(r.More)})
	}
	return out
}

// Restore replaces the whole state by a snapshot's. ErrOtherRules and damage leave the Detector as it was.
func (d *Detector) Restore(data []byte) error {
	s, err := decode(data)
	if err != nil {
		return err
	}
	if s.Rules != d.rules.hash {
		return ErrOtherRules
	}
	if len(s.Bins) != len(d.rules.nodes) {
		return fmt.Errorf("reading the state of detection: it has %d rules, not %d", len(s.Bins), len(d.rules.nodes))
	}
	n := New(d.rules, d.o)
	n.ord = s.Ord
	for i := range s.Bins {
		if err := n.restoreBin(n.rules.nodes[i], &s.Bins[i], s.Sights); err != nil {
			return damaged(n.rules.nodes[i], err)
		}
	}
	same := func(old int) (int, bool) { return old, old < len(n.rules.nodes) && n.rules.nodes[old].corr != nil }
	if err := n.restoreRest(s, d.habits, same); err != nil {
		return err
	}
	*d = *n
	return nil
}

// decode reads a snapshot of this program's form.
func decode(data []byte) (*snapshot, error) {
	var s snapshot
	if err := gob.NewDecoder(bytes.NewReader(data)).Decode(&s); err != nil {
		return nil, fmt.Errorf("reading the state of detection: %w", err)
	}
	if s.Version != snapshotVersion {
		return nil, ErrOtherRules
	}
	return &s, nil
}

func damaged(n *node, err error) error {
	return fmt.Errorf("reading the state of detection: rule %s: %w", n.meta.Key(), err)
}

// restoreRest takes over what is known beside rules. place says where a rule of the snapshot stands now. A snapshot without
// habits, of a program that learnt none, leaves those that are given. An error leaves the Detector as it was.
func (d *Detector) restoreRest(s *snapshot, learnt *habits, place func(old int) (int, bool)) error {
	waiting, err := thaw(s.Waiters, s.Counts, s.Adds, place)
	if err != nil {
		return fmt.Errorf("reading the state of detection: %w", err)
	}
	if s.Habits.Version != 0 {
		learnt = newHabits(d.o)
		if err := learnt.take(s.Habits); err != nil {
			return fmt.Errorf("reading the state of detection: %w", err)
		}
	}
	d.habits, d.waiting, d.blunt = learnt, waiting, s.Blunt
	d.late, d.evicted, d.forgotten = s.Late, s.Evicted, s.Forgotten
	d.newest, d.lanes = s.Newest, lanesOf(s)
	d.near = newNeighbourhoods()
	for i := range s.Near {
		d.near.add(&s.Near[i])
	}
	return nil
}

func (d *Detector) restoreBin(n *node, f *binForm, sights []*sight) error {
	d.bins[n.n].broken, d.bins[n.n].stats = f.Broken, f.Stats
	for _, x := range f.Groups {
		if err := n.sound(&x); err != nil {
			return err
		}
		if d.bins[n.n].groups[x.Hash] != nil {
			return errors.New("two groups have one number")
		}
		g := d.restoreGroup(n, &x)
		tracks := make([]track, len(x.Tracks))
		for i, t := range x.Tracks {
			marks, err := unpack(t.Marks, sights)
			if err != nil {
				return err
			}
			tracks[i] = track{t.Key, marks}
		}
		g.tracks, g.sketch = tracks, x.Sketch
		g.recount()
		if x.Live == nil {
			d.weigh(n, g)
			continue
		}
		g.live = x.Live
		g.live.link()
		d.lives++
		if n.raises {
			d.active++
		}
		d.weigh(n, g)
		d.watch(n, g)
	}
	return nil
}

// sound reports what no group of n can be.
func (n *node) sound(x *groupForm) error {
	values := max(len(n.group), 1)
	if n.corr != nil {
		values = len(n.corr.GroupBy)
		if len(x.Tracks) < n.tracks() {
			return errors.New("a group has too few tracks")
		}
	}
	if len(x.Values) != values {
		return fmt.Errorf("a group has %d values, not %d", len(x.Values), values)
	}
	if x.Sketch != nil {
		for i := range x.Sketch.Slices {
			if l := len(x.Sketch.Slices[i].Ranks); l != 0 && l != 1<<sketchBits {
				return fmt.Errorf("an estimate has %d registers", l)
			}
		}
	}
	for _, t := range x.Tracks {
		for _, m := range t.Marks {
			if m.N < 1 {
				return errors.New("a match stands for no record")
			}
		}
	}
	return nil
}

// restoreGroup makes a group anew, at the back of the list that it was in.
func (d *Detector) restoreGroup(n *node, x *groupForm) *group {
	b := &d.bins[n.n]
	g := &group{Hash: x.Hash, Kind: x.Kind, Values: x.Values, Newest: x.Newest, single: x.Single}
	if n.corr != nil {
		g.tracks = make([]track, n.tracks())
	}
	b.groups[g.Hash] = g
	g.place = b.order.PushBack(g)
	if g.single {
		b.order.Remove(g.place)
		g.place = b.singles.PushBack(g)
	}
	d.groups++
	return g
}

const waiterSize = 48

// freeze writes the waiting room down.
func (w *waitingRoom) freeze() (waiters, counts []byte, adds int) {
	if w == nil {
		return nil, nil, 0
	}
	waiters = make([]byte, 0, len(w.waiters)*waiterSize)
	for i := range w.waiters {
		x := &w.waiters[i]
		for _, v := range [...]uint64{x.key, uint64(x.at), uint64(x.ord), uint64(x.seq), x.value,
			uint64(x.n) | uint64(x.node)<<16 | uint64(x.slot)<<32 | uint64(x.often)<<40} {
			waiters = binary.LittleEndian.AppendUint64(waiters, v)
		}
	}
	return waiters, bytes.Clone(w.counts), w.adds
}

// thaw reads it back. place says where a rule stands now.
func thaw(waiters, counts []byte, adds int, place func(old int) (int, bool)) (*waitingRoom, error) {
	if len(waiters) == 0 {
		return nil, nil
	}
	w := newWaitingRoom(len(waiters) / waiterSize)
	if len(waiters) != len(w.waiters)*waiterSize || len(counts) != len(w.counts) {
		return nil, errors.New("the waiting room has another size")
	}
	for i := range w.waiters {
		v := func(k int) uint64 { return binary.LittleEndian.Uint64(waiters[i*waiterSize+8*k:]) }
		x := waiter{key: v(0), at: int64(v(1)), ord: int64(v(2)), seq: int64(v(3)), value: v(4),
			n: uint16(v(5)), node: uint16(v(5) >> 16), slot: uint8(v(5) >> 32), often: uint8(v(5) >> 40)}
		if x.key == 0 {
			continue
		}
		at, ok := place(int(x.node))
		if !ok { // its rule is gone
			continue
		}
		x.node = uint16(at)
		w.waiters[i] = x
		w.used++
	}
	copy(w.counts, counts)
	w.adds = adds
	return w, nil
}

func unpack(all []markForm, sights []*sight) ([]mark, error) {
	var out []mark
	for _, m := range all {
		if m.Sight < 0 || m.Sight >= len(sights) {
			return nil, errors.New("a match has no record")
		}
		more, err := unpack(m.More, sights)
		if err != nil {
			return nil, err
		}
		x := mark{At: m.At, Ord: m.Ord, Seq: m.Seq, Sight: sights[m.Sight], N: m.N, Told: m.Told}
		x.set(rest{m.Raw, m.Bytes, m.X, more})
		out = append(out, x)
	}
	return out, nil
}

// link makes the maps of an alert that was read back.
func (l *live) link() {
	l.sources, l.accounts = map[string]int{}, map[account]int{}
	for i, p := range l.Alert.Sources {
		l.sources[p.Name] = i
	}
	for i, p := range l.Alert.Accounts {
		l.accounts[account{p.Name, p.Realm}] = i
	}
}
