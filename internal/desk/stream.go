package desk

import (
	"container/heap"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"tocsin/internal/intake"
	"tocsin/internal/record"
)

// A stream is the lines of folders in order of time, as a merge gives them, made by a crew.
type stream struct {
	*merge // for listing, and what is skipped
	crew   *crew
	feeds  feedHeap
	taken  *feed // whose row was given out last

	done atomic.Int64 // bytes of the files that were read, packed ones as they lie there
	all  int64        // bytes of all files

	before time.Time // older records reach no window any more,
	passed int64     // and so many bytes of them were not read,
	gone   int       // those of so many whole files among them
}

// newStream looks at the files of folders. What is no log that we know is skipped and named.
func newStream(folders []folder, o ReplayOptions) (*stream, error) {
	s := &stream{merge: &merge{}}
	var feeds []*feed
	seen := map[string]bool{}
	for _, f := range folders {
		for _, name := range s.list(f) {
			full := path.Join(f.name, name)
			if !seen[full] { // it may be named twice, as by its folder and by itself
				seen[full] = true
				feeds = append(feeds, &feed{name: full, files: f.files, path: name, done: &s.done})
			}
		}
	}
	hints := map[string]time.Time{}
	newest, why := lookAt(feeds, o)
	for n, f := range feeds {
		if why[n] != nil {
			s.skip(f.name, why[n])
			continue
		}
		f.place = len(s.feeds)
		s.feeds = append(s.feeds, f)
		s.all += f.size
		if dir := path.Dir(f.name); newest[n].After(hints[dir]) {
			hints[dir] = newest[n]
		}
	}
	s.read = len(s.feeds)
	for _, f := range s.feeds {
		if h := hints[path.Dir(f.name)]; !h.IsZero() {
			f.hint = h
		}
	}
	if err := s.begin(o); err != nil {
		return nil, err
	}
	heap.Init(&s.feeds)
	return s, nil
}

// begin finds where each file begins. Those that end before any window reaches are left out.
func (s *stream) begin(o ReplayOptions) error {
	if !o.Since.IsZero() && !o.whole {
		s.before = o.Since.Add(-o.Rules.Reach(0))
		if o.Compare != nil {
			s.before = o.Since.Add(-max(o.Rules.Reach(0), o.Compare.Reach(0)))
		}
	}
	failed := make([]error, len(s.feeds))
	eachOf(len(s.feeds), o.workers(), func(n int) {
		parser, err := o.parser()
		if err != nil {
			failed[n] = err
			return
		}
		f := s.feeds[n]
		f.begin(parser)
		f.skip, f.end, f.at = f.seek(s.before, parser)
	})
	if err := errors.Join(failed...); err != nil {
		return err
	}
	s.feeds = slices.DeleteFunc(s.feeds, func(f *feed) bool {
		s.passed += f.skip
		s.all -= f.skip
		if f.skip > 0 && f.skip == f.size {
			s.gone++
			return true
		}
		return false
	})
	return nil
}

// lookAt looks at files side by side: of a year of them each takes a moment.
func lookAt(feeds []*feed, o ReplayOptions) (newest []time.Time, why []error) {
	newest, why = make([]time.Time, len(feeds)), make([]error, len(feeds))
	eachOf(len(feeds), o.workers(), func(n int) { newest[n], why[n] = feeds[n].look(o) })
	return newest, why
}

// eachOf calls act with 0 to n-1, in some goroutines.
func eachOf(n, goroutines int, act func(int)) {
	var next atomic.Int64
	var wg sync.WaitGroup
	for range min(goroutines, n) {
		wg.Go(func() {
			for k := next.Add(1) - 1; k < int64(n); k = next.Add(1) - 1 {
				act(int(k))
			}
		})
	}
	wg.Wait()
}

// begin finds the time of the first line, by which the file waits for its turn.
func (f *feed) begin(parser *intake.Parser) {
	parser.Begin(f.name, intake.State{})
	if r := parser.Parse(record.Line{File: f.name, Raw: f.first}, f.hint); r.Time.After(f.at) {
		f.at = r.Time
	}
	parser.End(f.name)
	f.first = ""
}

// start starts the workers.
func (s *stream) start(workers []*worker, piece int) {
	feeds := slices.Clone(s.feeds)
	slices.SortFunc(feeds, func(a, b *feed) int {
		if c := a.at.Compare(b.at); c != 0 {
			return c
		}
		return a.place - b.place
	})
	s.crew = newCrew(feeds, workers, piece)
}

// next returns the piece and the row of the next line; both are good until the next call. False after the last one.
func (s *stream) next() (*piece, row, bool) {
	if f := s.taken; f != nil {
		s.taken = nil
		if f.row++; f.row < len(f.piece.rows) {
			s.order(f)
		} else {
			s.crew.consumed(f.piece)
			f.piece = nil
			s.fetch(f)
		}
	}
	for len(s.feeds) > 0 {
		f := s.feeds[0]
		if f.piece == nil {
			s.fetch(f)
			continue
		}
		s.taken = f
		s.seq++
		return f.piece, f.piece.rows[f.row], true
	}
	return nil, row{}, false
}

// first reports whether the row that was given out is the first of its piece.
func (s *stream) first() bool { return s.taken.row == 0 }

// fetch gets the next piece of the first file, or takes the file out at its end. A file that breaks off, as a packed one that is
// still written does, ends there and is named.
func (s *stream) fetch(f *feed) {
	f.piece, f.row = s.crew.piece(f), 0
	if f.piece != nil {
		s.order(f)
		return
	}
	heap.Pop(&s.feeds)
	switch {
	case errors.Is(f.err, io.EOF):
	case f.in == nil:
		s.skip(f.name, f.err)
	default:
		s.skip(f.name, fmt.Errorf("read only to byte %d, because it breaks off there: %w", f.offset, f.err))
	}
}

// order puts the first file where the time of its next row belongs.
func (s *stream) order(f *feed) {
	if t := f.piece.rows[f.row].time(); t.After(f.at) {
		f.at = t
		heap.Fix(&s.feeds, 0)
	}
}

// stop ends the workers.
func (s *stream) stop() {
	if s.crew != nil {
		s.crew.stop()
	}
}

// feedHeap orders files by the time of their next line, then by place.
type feedHeap []*feed

func (h feedHeap) Len() int { return len(h) }
func (h feedHeap) Less(i, j int) bool {
	if c := h[i].at.Compare(h[j].at); c != 0 {
		return c < 0
	}
	return h[i].place < h[j].place
}
func (h feedHeap) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h *feedHeap) Push(x any)   { *h = append(*h, x.(*feed)) }
func (h *feedHeap) Pop() any {
	old := *h
	x := old[len(old)-1]
	*h = old[:len(old)-1]
	return x
}
