// Package search finds lines: those on the shelf by their columns, and those that are not there yet by what the parser reads in
// them. What a query means, package query says; this is only faster.
//
// A chunk of a volume is passed over when its time, or the filters of its columns, say that nothing in it can be meant. Of the others
// each condition is asked of the different values of a column, not of each row; lines are read only where a query asks for their
// text, or lists them. Chunks are searched side by side, and their folds merged.
//
// A search says how much it looked at. It ends when its context does, with what was found until then and a sentence that says so. A
// volume that is damaged is named, and the rest is searched.
package search

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"iter"
	"math"
	"runtime"
	"slices"
	"sync"
	"time"

	"tocsin/internal/query"
	"tocsin/internal/record"
	"tocsin/internal/shelf"
)

// Options are what a Searcher needs.
type Options struct {
	Shelf *shelf.Shelf
	// Tail goes over the records of lines behind a number, in order, each good until the next: those that are not on the shelf yet. It is asked to go on
	// behind the last line that it told of, or to begin behind the last one that the shelf has. nil: there are none.
	Tail func(ctx context.Context, behind int64) iter.Seq2[*record.Record, error]
	// Views lets a record that was made of columns work out the fields that follow from others (intake.Views). nil: it has none.
	Views func(*record.Record)
	// Network returns the network of an address (intake.Network). nil: source.network has no values.
	Network func(ip string) (string, bool)
	// Parts goes over the events of a line (intake.Parts). nil: a line is one.
	Parts   func(raw string) iter.Seq[string]
	Workers int   // goroutines; 0 is one a core
	Memory  int64 // bytes of columns that are kept for the next search; 0 is 96 MiB
}

// A Searcher searches. Any number of goroutines may.
type Searcher struct {
	o  Options
	mu sync.Mutex // of open
	// open are volumes that were searched last, the newest use last.
	open  []*volume
	cache *cache
	seed  maphash.Seed           // of tallies
	words map[query.Field]*words // guarded by mu
	fresh fresh
}

// New returns a Searcher.
func New(o Options) *Searcher {
	if o.Workers <= 0 {
		o.Workers = runtime.GOMAXPROCS(0)
	}
	return &Searcher{o: o, cache: newCache(cmp.Or(o.Memory, 96<<20)), seed: maphash.MakeSeed(), words: map[query.Field]*words{}}
}

// Scanned says how much was looked at.
type Scanned struct {
	Volumes int   // that may have what is meant
	Of      int   // all of them
	Rows    int64 // records in the chunks that were looked into
	Lines   int64 // whose text was read
	Tail    int64 // records that were not on the shelf yet
}

func (s *Scanned) add(o Scanned) {
	s.Rows += o.Rows
	s.Lines += o.Lines
	s.Tail += o.Tail
}

// A Progress is how far a search is.
type Progress struct {
	Scanned Scanned
	Done    float64 // of 1
	So      func() query.Result
}

// A Result is what was found.
type Result struct {
	query.Result
	Scanned Scanned
	Cut     string               // a sentence that says why not all was searched; "" when it was
	Damaged []*shelf.DamageError // volumes that could not be searched
	Slow    []string             // names of volumes that were searched without their index, because it could not be read; the answer is right all the same
	Last    int64                // number of the last line that there was
	Took    time.Duration
}

// A job is a chunk to search.
type job struct {
	number int
	v      *volume
	place  int
	fresh  *found // or this
}

// A run is one search under way.
type run struct {
	s    *Searcher
	q    *query.Query
	lo   int64
	hi   int64
	seen func(Progress)

	used []*volume // open until the end

	mu      sync.Mutex
	fold    *query.Fold
	tally   *tally // instead, of a query that counts the values of one field; nil when there is none yet
	census  census // and this
	picks   *picks // of a query that lists lines in order of time
	said    Scanned
	damaged []*shelf.DamageError
	jobs    int
	done    int
	last    int64
	slow    []string // volumes whose index could not be read
	alone   bool     // everything that is counted is in the tally
}

// Run searches. Seen is told now and then how far it is; it may be nil. The error is of a disk that cannot be read; when ctx ends, what was
// found so far is returned without one.
func (s *Searcher) Run(ctx context.Context, q *query.Query, seen func(Progress)) (Result, error) {
	begin := time.Now()
	view := s.o.Shelf.View()
	defer view.Close()
	x := &run{s: s, q: q, fold: query.NewFold(q), seen: seen, alone: true}
	x.lo, x.hi = bounds(q)
	if keep, last, ok := q.Listing(); ok {
		x.picks = newPicks(keep, last)
	}
	x.said.Of, x.last = len(view.Volumes), view.Through
	defer func() { s.letGo(x.used) }()
	some, kept, err := x.freshLines(ctx, view.Through)
	if err == nil {
		err = x.volumes(ctx, view, some)
	}
	if err == nil && !kept && ctx.Err() == nil {
		err = x.tail(ctx, view.Through)
	}
	if err == nil {
		err = x.materialize()
	}
	if x.tally != nil {
		stage, _ := q.Folding()
		x.census.pour(x.fold, stage, x.tally, x.alone)
	}
	slices.Sort(x.slow)
	out := Result{Result: x.fold.Result(), Scanned: x.said, Damaged: x.damaged, Slow: slices.Compact(x.slow), Last: x.last, Took: time.Since(begin)}
	if err != nil {
		return out, err
	}
	if ctx.Err() != nil {
		out.Cut = fmt.Sprintf("The search was ended after %s; this is what was found until then.", out.Took.Round(10*time.Millisecond))
	}
	return out, nil
}

// bounds are the window of a query in nanoseconds.
func bounds(q *query.Query) (lo, hi int64) {
	lo, hi = math.MinInt64, math.MaxInt64
	if !q.Since.IsZero() {
		lo = clamped(q.Since)
	}
	if !q.Until.IsZero() {
		hi = clamped(q.Until)
	}
	return lo, hi
}

func clamped(t time.Time) int64 {
	switch y := t.Year(); {
	case y < 1678:
		return math.MinInt64 + 1
	case y > 2261:
		return math.MaxInt64
	}
	return t.UnixNano()
}

// freshLines takes what is not on the shelf yet, when it is kept parsed.
func (x *run) freshLines(ctx context.Context, through int64) (some []found, kept bool, err error) {
	if x.s.o.Tail == nil {
		return nil, true, nil
	}
	some, last, kept, err := x.s.take(ctx, through)
	if ctx.Err() != nil {
		err = nil // the search was ended
	}
	if kept {
		x.last = max(x.last, last)
	}
	return some, kept, err
}

// volumes searches the shelf, and what is not there yet.
func (x *run) volumes(ctx context.Context, view *shelf.View, fresh []found) error {
	var jobs []job
	for i := range fresh {
		jobs = append(jobs, job{fresh: &fresh[i]})
	}
	for _, v := range slices.Backward(view.Volumes) { // the newest first: that is mostly what is meant
		if v.Until < x.lo || v.From >= x.hi {
			continue
		}
		o, err := x.s.use(v)
		if err = x.note(err); err != nil {
			return err
		}
		if o == nil {
			continue
		}
		x.used = append(x.used, o)
		x.said.Volumes++
		for n := range o.columns.Chunks {
			jobs = append(jobs, job{v: o, place: n})
			if v.Indexed() && o.columns.Chunks[n].Unindexed {
				x.slow = append(x.slow, v.Name)
			}
		}
	}
	x.jobs = len(jobs)
	queue := make(chan job)
	errs := make([]error, x.s.o.Workers)
	var wait sync.WaitGroup
	for n := range errs {
		wait.Go(func() { errs[n] = x.work(ctx, queue) })
	}
	for n, j := range jobs {
		j.number = n
		if ctx.Err() != nil {
			break
		}
		queue <- j
	}
	close(queue)
	wait.Wait()
	return errors.Join(errs...)
}

// note takes damage for what it is: one volume less. It is for one goroutine at a time.
func (x *run) note(err error) error {
	d, ok := errors.AsType[*shelf.DamageError](err)
	if !ok {
		return err
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if !slices.ContainsFunc(x.damaged, func(o *shelf.DamageError) bool { return o.Volume.Name == d.Volume.Name }) {
		x.damaged = append(x.damaged, d)
	}
	return nil
}

// A worker is one of those that search chunks side by side. What it counts it hands over in the end, or after each chunk when somebody watches.
type worker struct {
	x      *run
	fold   *query.Fold
	tally  *tally
	census census
	over   bool // there were too many texts for a tally
}

// count counts rows that have one value of the field that is counted by, or none.
func (w *worker) count(text string, n int64, none bool) {
	switch {
	case none:
		w.tally.none += n
	case w.over || len(text) > tallyText:
		w.fold.AddCounts([]string{text}, time.Time{}, n)
		w.over = w.over || w.tally.full()
		w.loose()
	default:
		w.tally.add(text, n)
		w.over = w.tally.full()
	}
}

// loose notes that not everything is in tallies.
func (w *worker) loose() {
	w.x.mu.Lock()
	w.x.alone = false
	w.x.mu.Unlock()
}

// handOver gives the run what was counted; its mu is held.
func (w *worker) handOver() {
	w.x.fold.Merge(w.fold)
	w.fold = query.NewFold(w.x.q)
	if w.tally == nil {
		return
	}
	if w.x.tally == nil {
		w.x.tally = newTally(w.x.s.seed)
	}
	w.x.census.merge(&w.census, w.tally)
	switch t := w.x.tally; {
	case t.full() || w.tally.full():
		stage, _ := w.x.q.Folding()
		w.tally.pour(w.x.fold, stage, false)
		w.x.alone = false
	default:
		t.merge(w.tally)
	}
	w.tally = newTally(w.x.s.seed)
}

// work searches chunks.
func (x *run) work(ctx context.Context, queue <-chan job) error {
	var failed error
	w := &worker{x: x, fold: query.NewFold(x.q)}
	if tallied(x.q) {
		w.tally = newTally(x.s.seed)
	}
	for j := range queue {
		if failed != nil || ctx.Err() != nil {
			continue // the sender must not wait
		}
		some, said, err := w.chunk(j)
		if failed = x.note(err); failed != nil {
			continue
		}
		x.mu.Lock()
		x.said.add(said)
		if err == nil && x.picks != nil {
			x.picks.merge(some)
		}
		x.done++
		if x.seen != nil {
			w.handOver()
			x.tell()
		}
		x.mu.Unlock()
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	w.handOver()
	return failed
}

// tell reports progress; mu is held.
func (x *run) tell() {
	x.seen(Progress{Scanned: x.said, Done: float64(x.done) / float64(x.jobs+1), So: x.soFar})
}

// chunk searches one. What panics in it costs the search, not the program.
func (w *worker) chunk(j job) (some *picks, said Scanned, err error) {
	defer func() {
		if e := recover(); e != nil {
			err = fmt.Errorf("searching a part of the kept lines went wrong: %v", e)
		}
	}()
	var c *scan
	if j.fresh != nil {
		c = newFreshScan(w.x.s, j.fresh, &said)
	} else {
		c = newScan(w.x.s, j.v, j.place, &said)
	}
	c.number = j.number
	rows, err := c.matching(w.x.q)
	if c.slow {
		w.x.mu.Lock()
		w.x.slow = append(w.x.slow, c.v.Name)
		w.x.mu.Unlock()
	}
	if err != nil || rows.empty() {
		return nil, said, err
	}
	if w.x.picks != nil {
		some, err = c.pick(w.fold, rows, w.x.picks)
		return some, said, err
	}
	return nil, said, c.fold(w.x.q, w, rows)
}

// matching returns the rows of the chunk that a query finds.
func (c *scan) matching(q *query.Query) (rows rowSet, err error) {
	filter := q.Filter()
	may, err := c.may(filter)
	if err != nil || !may {
		return rows, err
	}
	if c.fresh != nil {
		c.said.Tail += int64(c.chunk.Rows - c.fresh.skip)
	} else {
		c.said.Rows += int64(c.chunk.Rows)
	}
	if rows, err = c.window(q); err != nil {
		return rows, err
	}
	return c.eval(filter, rows)
}

// tail searches what is not on the shelf yet.
func (x *run) tail(ctx context.Context, behind int64) error {
	if x.s.o.Tail == nil {
		return nil
	}
	x.alone = false
	for r, err := range x.s.o.Tail(ctx, behind) {
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return err
		}
		x.said.Tail++
		x.last = max(x.last, r.Line.Seq)
		if x.q.Match(r) {
			x.fold.Add(r)
		}
	}
	return nil
}

// may reports whether a row of the chunk may be what a condition asks for: false is certain. It looks at no row.
func (c *scan) may(e *query.Expr) (bool, error) {
	if e == nil {
		return true, nil
	}
	switch e.Op {
	case query.And:
		for _, k := range e.Kids {
			if ok, err := c.may(k); !ok || err != nil {
				return false, err
			}
		}
		return true, nil
	case query.Or:
		for _, k := range e.Kids {
			if ok, err := c.may(k); ok || err != nil {
				return ok, err
			}
		}
		return false, nil
	case query.Not:
		return true, nil
	}
	if !c.chunk.Unindexed {
		return true, nil // its dictionaries say it as quickly
	}
	o := c.sourceOf(e.Field)
	if o.time || o.raw || o.slow || len(o.fixed) > 0 {
		return true, nil
	}
	for _, name := range o.columns {
		if !c.has(name) {
			continue
		}
		if e.Op != query.Equal || e.Numeric || lettered(e.Text) || name == network {
			return true, nil
		}
		ok, err := c.chunk.May(name, e.Text)
		if err != nil {
			return false, c.damage(err)
		}
		if ok {
			return true, nil
		}
	}
	return false, nil
}

// lettered reports whether case matters to a text: then it may stand in a column in other forms.
func lettered(s string) bool {
	for _, r := range s {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= 0x80 {
			return true
		}
	}
	return false
}
