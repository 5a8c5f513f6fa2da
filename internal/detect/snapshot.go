package detect

import (
	"bytes"
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
	Far, FarN int64
	Late      int64
	Evicted   int64
	Forgotten int64
	Sights    []*sight
	Bins      []binForm
	Near      []neighbourhood // those seen last at the end
}

type binForm struct {
	Rule    string // its key
	Version string
	Broken  string
	Stats   RuleStats
	Groups  []groupForm // those used last at the end
}

type groupForm struct {
	Key    string
	Values []string
	Newest int64
	Tracks []trackForm
	Live   *live
}

type trackForm struct {
	Key   string
	Marks []markForm
}

type markForm struct {
	At, Ord  int64
	Sight    int // place in Sights
	Raw      string
	Bytes, N int64
	X        float64
	Told     bool
	More     []markForm
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
		Newest: d.time.newest, Far: d.time.far, FarN: d.time.farN,
		Late: d.late, Evicted: d.evicted, Forgotten: d.forgotten,
	}
	d.freezes++
	w := &packer{number: d.freezes, sights: make([]*sight, 0, d.weight)}
	for i := range d.bins {
		b := &d.bins[i]
		m := d.rules.nodes[i].meta
		f := binForm{Rule: m.Key(), Version: m.Version, Broken: b.broken, Stats: b.stats}
		for e := b.order.Front(); e != nil; e = e.Next() {
			f.Groups = append(f.Groups, w.group(e.Value.(*group)))
		}
		s.Bins = append(s.Bins, f)
	}
	s.Sights = w.sights
	for e := d.near.order.Front(); e != nil; e = e.Next() {
		n := *e.Value.(*neighbourhood)
		n.Signins, n.Failures = slices.Clone(n.Signins), slices.Clone(n.Failures)
		s.Near = append(s.Near, n)
	}
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
	f := groupForm{Key: g.Key, Values: g.Values, Newest: g.Newest}
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
		out = append(out, markForm{m.At, m.Ord, m.Sight.place, m.Raw, m.Bytes, m.N, m.X, m.Told, w.marks(m.More)})
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
	n.restoreRest(s)
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

// restoreRest takes over what is known beside rules.
func (d *Detector) restoreRest(s *snapshot) {
	d.late, d.evicted, d.forgotten = s.Late, s.Evicted, s.Forgotten
	d.time = timekeeper{s.Newest, s.Far, s.FarN}
	d.near = newNeighbourhoods()
	for i := range s.Near {
		d.near.by[s.Near[i].IP] = d.near.order.PushBack(&s.Near[i])
	}
}

func (d *Detector) restoreBin(n *node, f *binForm, sights []*sight) error {
	d.bins[n.n].broken, d.bins[n.n].stats = f.Broken, f.Stats
	for _, x := range f.Groups {
		g := d.group(n, x.Key, x.Values)
		g.Newest = x.Newest
		tracks := make([]track, len(x.Tracks))
		for i, t := range x.Tracks {
			marks, err := unpack(t.Marks, sights)
			if err != nil {
				return err
			}
			tracks[i] = track{t.Key, marks}
		}
		if len(tracks) < len(g.tracks) {
			return errors.New("a group has too few tracks")
		}
		g.tracks = tracks
		d.weigh(n, g)
		if x.Live == nil {
			continue
		}
		g.live = x.Live
		g.live.link()
		d.lives++
		if n.raises {
			d.active++
		}
		d.watch(n, g)
	}
	return nil
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
		out = append(out, mark{m.At, m.Ord, sights[m.Sight], m.Raw, m.Bytes, m.N, m.X, m.Told, more})
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
