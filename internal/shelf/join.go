package shelf

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"tocsin/internal/disk"
)

// Bounds of a volume that is made of others. Neither its lines nor its columns are ever in memory whole; what is, is of one column four bytes a
// value, and its values packed.
const (
	joinRows    = 1 << 20
	joinBytes   = 512 << 20 // of lines
	joinVolumes = 24
)

// Joined is what one Join did.
type Joined struct {
	Came []Volume
	Gone []string // names of volumes
}

// Join makes one volume of those of one source and hour that are small, when the newest line of them came before a moment: then few
// more are to be expected. It does the first such hour that it finds, and returns false when there is none. Nothing is lost by a crash
// at any step. Errors: as of Seal; a *DamageError when one of them cannot be read.
func (s *Shelf) Join(ctx context.Context, before time.Time) (Joined, error) {
	s.work.Lock()
	defer s.work.Unlock()
	if s.o.ReadOnly {
		return Joined{}, ErrReadOnly
	}
	view := s.View()
	defer view.Close()
	some := joinable(slices.DeleteFunc(slices.Clone(view.Volumes), func(v *Volume) bool { return s.passed[v.Name] }), before.UnixNano())
	if some == nil {
		return Joined{}, nil
	}
	if err := s.room(); err != nil {
		return Joined{}, err
	}
	b := s.newBinder()
	came, err := b.join(ctx, some)
	var gone []string
	for _, v := range some {
		gone = append(gone, v.Name)
	}
	if err == nil {
		err = s.do(deed{Deed: joined, Came: came, Gone: gone, At: stampOf(came)})
	}
	if err != nil {
		if !errors.Is(err, ErrBroken) {
			b.undo()
		}
		if disk.Full(err) {
			return Joined{}, errors.Join(ErrFull, err)
		}
		if _, damage := errors.AsType[*DamageError](err); !damage && !errors.Is(err, errUnindexed) && ctx.Err() == nil && !errors.Is(err, ErrBroken) {
			s.pass(some) // so that others are joined all the same
		}
		return Joined{}, err
	}
	s.drop(some)
	return Joined{came, gone}, nil
}

// pass leaves volumes out of joins, until the program starts again.
func (s *Shelf) pass(some []*Volume) {
	if s.passed == nil {
		s.passed = map[string]bool{}
	}
	for _, v := range some {
		s.passed[v.Name] = true
	}
}

// errUnindexed says of a volume that its index cannot be read though its bytes are those that were written: it is searched without, and not joined.
var errUnindexed = errors.New("the index of a volume cannot be read")

// joinable returns volumes of one source and hour that are to become one, nil when there are none.
func joinable(all []*Volume, before int64) []*Volume {
	type key struct {
		source, wrote string
		hour          int64
	}
	groups := map[key][]*Volume{}
	for _, v := range all {
		if v.Form == formIndexed && v.Rows < joinRows/2 {
			k := key{v.Source, v.Wrote.Key(), v.Hour.Unix()}
			groups[k] = append(groups[k], v)
		}
	}
	var best []*Volume
	for _, g := range groups {
		rows, bytes, n, received := 0, int64(0), 0, int64(0)
		for n < len(g) && n < joinVolumes && rows+g[n].Rows <= joinRows && bytes+g[n].Raw <= joinBytes {
			rows, bytes, received = rows+g[n].Rows, bytes+g[n].Raw, max(received, g[n].Received)
			n++
		}
		full := n < len(g) || rows >= joinRows*3/4 // what is to come belongs to another
		if g = g[:n]; n > 1 && (full || received < before) && (best == nil || g[0].First < best[0].First || g[0].First == best[0].First && g[0].Name < best[0].Name) {
			best = g
		}
	}
	return best
}

// join makes a volume of volumes, which are in the order of their lines.
func (b *binder) join(ctx context.Context, some []*Volume) ([]Volume, error) {
	s := b.shelf
	d, err := b.begin(some[0].Source, some[0].Wrote, some[0].Hour, some[0].First)
	if err != nil {
		return nil, err
	}
	v := &d.v
	var chunks []*Chunk
	var opened []*Columns
	defer func() {
		for _, c := range opened {
			_ = c.Close()
		}
	}()
	v.First, v.From, v.Until = some[0].First, some[0].From, some[0].Until
	for _, o := range some {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if err := d.copyLines(s, o); err != nil {
			return nil, err
		}
		if err := s.checkSum(o, columnsEnd, o.Columns); err != nil { // what is joined is believed from then on
			return nil, err
		}
		c, err := s.OpenColumns(o)
		if err != nil {
			return nil, err
		}
		opened = append(opened, c)
		for _, chunk := range c.Chunks {
			if chunk.Unindexed {
				s.pass([]*Volume{o})
				return nil, fmt.Errorf("joining %s: %w", o.Name, errUnindexed)
			}
		}
		chunks = append(chunks, c.Chunks...)
		v.Rows += o.Rows
		v.Kept += o.Kept
		v.Last, v.From, v.Until, v.Received = max(v.Last, o.Last), min(v.From, o.From), max(v.Until, o.Until), max(v.Received, o.Received)
	}
	d.columns = func(w io.Writer) error { return mergeColumns(w, chunks, s.packer) }
	return b.finish(ctx)
}

// copyLines takes the frames of a volume over as they are.
func (d *draft) copyLines(s *Shelf, o *Volume) error {
	l, err := s.OpenLines(o)
	if err != nil {
		return err
	}
	defer l.Close()
	var buf []byte
	for _, f := range l.x.frames {
		h, stored, err := l.x.frameAt(f.offset, kindFrame, buf)
		if err != nil {
			return s.damaged(o, linesEnd, err)
		}
		if err := d.lines.copyFrame(f, h.flags, h.plain, stored); err != nil {
			return err
		}
		buf = stored
	}
	d.lines.raw += o.Raw
	return nil
}

// A Keep says how long volumes are kept. Zero values set no limit.
type Keep struct {
	Source string // "" is the sum of all
	Age    time.Duration
	Bytes  int64 // on the disk
}

// Due returns the volumes that are older than what keeps of their source say, or, where they are too large together, the oldest; but none that is held.
func (s *Shelf) Due(now time.Time, keeps []Keep, held func(*Volume) bool) (out []*Volume) {
	view := s.View()
	defer view.Close()
	all := slices.SortedStableFunc(slices.Values(view.Volumes), func(a, b *Volume) int {
		return cmp.Or(cmp.Compare(a.Received, b.Received), strings.Compare(a.Name, b.Name))
	})
	gone := map[string]bool{}
	for _, k := range keeps {
		size := int64(0)
		for _, v := range slices.Backward(all) {
			if gone[v.Name] || k.Source != "" && k.Source != v.Source {
				continue
			}
			size += v.Bytes()
			if (k.Age > 0 && now.UnixNano()-v.Received > int64(k.Age) || k.Bytes > 0 && size > k.Bytes) && !held(v) {
				gone[v.Name] = true
				out = append(out, v)
				size -= v.Bytes()
			}
		}
	}
	return out
}

// Expire takes volumes away for good. Those that are not there any more are passed over.
func (s *Shelf) Expire(now time.Time, some []*Volume) error {
	s.work.Lock()
	defer s.work.Unlock()
	if s.o.ReadOnly {
		return ErrReadOnly
	}
	s.mu.RLock()
	some = slices.DeleteFunc(slices.Clone(some), func(v *Volume) bool { return s.state.volumes[v.Name] == nil })
	s.mu.RUnlock()
	if len(some) == 0 {
		return nil
	}
	d := deed{Deed: expired, At: now.UTC().Format(time.RFC3339)}
	for _, v := range some {
		d.Gone = append(d.Gone, v.Name)
	}
	if err := s.do(d); err != nil {
		return err
	}
	s.drop(some)
	return nil
}
