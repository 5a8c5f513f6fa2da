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
	Tail  Tail // nil: there are no lines but those on the shelf
	// Views lets a record that was made of columns work out the fields that follow from others (intake.Views). nil: it has none.
	Views func(*record.Record)
	// Network returns the network of an address (intake.Network). nil: source.network has no values.
	Network func(ip string) (string, bool)
	// Parts goes over the events of a line (intake.Parts). nil: a line is one.
	Parts func(raw string) iter.Seq[string]
	// Late says that lines wait for what reads them for good, detection before all. While they do, a search leaves it a core. nil: they never do.
	Late    func() bool
	Workers int   // goroutines; 0 is one a core
	Memory  int64 // bytes of columns that are kept for the next search; 0 is 96 MiB
	Fresh   int64 // bytes of lines that are not on the shelf and are kept parsed; 0 is 96 MiB
}

// A Tail goes over the lines behind a number that are not on the shelf yet, in order: of each the records in it, which are all taken before the next line, and each
// of which is good until the next. It is asked to go on behind the last line that it told of, or to begin behind the last one that the shelf has. With aside it goes
// beyond the last line that it told of, and the next time without it knows nothing of that. It ends when ctx does.
type Tail func(ctx context.Context, behind int64, aside bool) iter.Seq2[iter.Seq[*record.Record], error]

// A Searcher searches. Any number of goroutines may.
type Searcher struct {
	o  Options
	mu sync.Mutex
	// open are volumes that were searched last, the newest use last.
	open    []*volume
	cache   *cache
	seed    maphash.Seed           // of tallies
	tallies sync.Pool              // *tally, that can be used again
	words   map[query.Field]*words // guarded by mu
	fresh   *fresh
	life    context.Context // ends with Close
	end     context.CancelFunc
	kept    sync.WaitGroup
	keeping bool          // somebody keeps up with the lines that come; guarded by mu, as is the next
	asked   time.Time     // when somebody searched last
	rest    chan struct{} // has room for the one that reads lines beyond those that are kept parsed
}

// New returns a Searcher.
func New(o Options) *Searcher {
	if o.Workers <= 0 {
		o.Workers = runtime.GOMAXPROCS(0)
	}
	life, end := context.WithCancel(context.Background())
	return &Searcher{o: o, life: life, end: end, cache: newCache(cmp.Or(o.Memory, 96<<20)), seed: maphash.MakeSeed(), words: map[query.Field]*words{}, fresh: newFresh(cmp.Or(o.Fresh, 96<<20)), rest: make(chan struct{}, 1)}
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

// chunksAtMost is more than one volume has: lines of one in the order of their volumes, and of its chunks.
const chunksAtMost = 1 << 20

// A job is a volume to search, or a piece.
type job struct {
	number int
	v      *shelf.Volume
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
	cut     string   // why not all was searched
}

// Run searches. Seen is told now and then how far it is; it may be nil. The error is of a disk that cannot be read; when ctx ends, what was
// found so far is returned without one.
func (s *Searcher) Run(ctx context.Context, q *query.Query, seen func(Progress)) (Result, error) {
	begin := time.Now()
	x := &run{s: s, q: q, fold: query.NewFold(q), seen: seen, alone: true}
	x.lo, x.hi = bounds(q)
	if keep, last, ok := q.Listing(); ok {
		x.picks = newPicks(keep, last)
	}
	defer func() { s.letGo(x.used) }()
	defer s.keepUp()
	view, fresh, err := s.look(ctx)
	defer func() { view.Close() }()
	x.said.Of, x.last = len(view.Volumes), max(view.Through, fresh.last)
	if err == nil {
		err = x.volumes(ctx, view, fresh.some)
	}
	if err == nil && fresh.full && ctx.Err() == nil {
		err = x.beyond(ctx, fresh.last)
	}
	if err == nil {
		err = x.materialize()
	}
	x.pour()
	slices.Sort(x.slow)
	out := Result{Result: x.fold.Result(), Scanned: x.said, Damaged: x.damaged, Slow: slices.Compact(x.slow), Last: x.last, Cut: x.cut, Took: time.Since(begin)}
	if err != nil {
		return out, err
	}
	if ctx.Err() != nil {
		out.Cut = fmt.Sprintf("The search was ended after %s; this is what was found until then.", out.Took.Round(10*time.Millisecond))
	}
	return out, nil
}

// workers is how many goroutines search now.
func (s *Searcher) workers() int {
	if s.late() {
		return max(1, s.o.Workers-1)
	}
	return s.o.Workers
}

func (s *Searcher) late() bool { return s.o.Late != nil && s.o.Late() }

// pour puts what was counted in a tally into the fold.
func (x *run) pour() {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.tally == nil {
		return
	}
	stage, _ := x.q.Folding()
	x.census.pour(x.fold, stage, x.tally, x.alone)
	x.s.done(x.tally)
	x.tally = nil
}

// look is what there is to search: the shelf, and behind it the lines that are kept parsed.
func (s *Searcher) look(ctx context.Context) (*shelf.View, taken, error) {
	for {
		view := s.o.Shelf.View()
		if s.o.Tail == nil {
			return view, taken{last: view.Through}, nil
		}
		fresh, err := s.take(ctx, view.Through)
		if !fresh.late {
			return view, fresh, err
		}
		view.Close()
	}
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

// volumes searches the shelf, and what is not there yet.
func (x *run) volumes(ctx context.Context, view *shelf.View, fresh []found) error {
	var jobs []job
	for i := range fresh {
		jobs = append(jobs, job{fresh: &fresh[i]})
	}
	for _, v := range slices.Backward(view.Volumes) { // the newest first: that is mostly what is meant
		if v.Until >= x.lo && v.From < x.hi {
			jobs = append(jobs, job{v: v})
		}
	}
	x.jobs = len(jobs)
	queue := make(chan job)
	errs := make([]error, x.s.workers())
	var wait sync.WaitGroup
	for n := range errs {
		wait.Go(func() { errs[n] = x.work(ctx, queue) })
	}
	for n, j := range jobs {
		j.number = n * chunksAtMost
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
		w.x.tally = w.x.s.tally()
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
	w.x.s.done(w.tally)
	w.tally = w.x.s.tally()
}

// work searches volumes and pieces. What panics in it costs the search, not the program.
func (x *run) work(ctx context.Context, queue <-chan job) (failed error) {
	defer func() {
		failed = cmp.Or(panicked(recover()), failed)
		for range queue { // the sender must not wait
		}
	}()
	w := &worker{x: x, fold: query.NewFold(x.q)}
	if tallied(x.q) {
		w.tally = x.s.tally()
	}
	for j := range queue {
		if ctx.Err() != nil {
			continue
		}
		if failed = x.note(w.job(ctx, j)); failed != nil {
			return failed
		}
		x.did(w)
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	w.handOver()
	if w.tally != nil {
		x.s.done(w.tally)
	}
	return nil
}

// panicked is the error of what was recovered.
func panicked(e any) error {
	if e == nil {
		return nil
	}
	return fmt.Errorf("searching a part of the kept lines went wrong: %v", e)
}

// did notes that a worker is done with a job.
func (x *run) did(w *worker) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.done++
	if x.seen != nil {
		w.handOver()
		x.tell()
	}
}

// job searches a piece, or the chunks of a volume, which is open for that long, or when some of its lines may be listed until the end.
func (w *worker) job(ctx context.Context, j job) error {
	x := w.x
	if j.fresh != nil {
		c := newFreshScan(x.s, j.fresh, new(Scanned))
		c.number = j.number
		_, err := w.chunk(c)
		return err
	}
	o, err := x.s.use(j.v)
	if err != nil {
		return err
	}
	listed := false
	defer func() {
		if !listed {
			x.s.letGo([]*volume{o})
		}
	}()
	x.mu.Lock()
	x.said.Volumes++
	for _, c := range o.columns.Chunks {
		if j.v.Indexed() && c.Unindexed {
			x.slow = append(x.slow, j.v.Name)
		}
	}
	x.mu.Unlock()
	for place := range o.columns.Chunks {
		if ctx.Err() != nil {
			return nil
		}
		c := newScan(x.s, o, place, new(Scanned))
		c.number = j.number + place
		some, err := w.chunk(c)
		if some && !listed {
			listed = true
			x.mu.Lock()
			x.used = append(x.used, o)
			x.mu.Unlock()
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// tell reports progress; mu is held.
func (x *run) tell() {
	x.seen(Progress{Scanned: x.said, Done: float64(x.done) / float64(x.jobs+1), So: x.soFar})
}

// chunk searches one, and reports whether rows of it may be listed.
func (w *worker) chunk(c *scan) (listed bool, err error) {
	x := w.x
	some, err := w.matched(c)
	x.mu.Lock()
	defer x.mu.Unlock()
	if c.slow {
		x.slow = append(x.slow, c.v.Name)
	}
	x.said.add(*c.said)
	if err != nil || some == nil {
		return false, err
	}
	x.picks.merge(some)
	return len(some.rows) > 0, nil
}

func (w *worker) matched(c *scan) (*picks, error) {
	rows, err := c.matching(w.x.q)
	if err != nil || rows.empty() {
		return nil, err
	}
	if w.x.picks != nil {
		return c.pick(w.fold, rows, w.x.picks)
	}
	return nil, c.fold(w.x.q, w, rows)
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

// beyond searches lines that are neither on the shelf nor kept parsed, because too many came for that. One search does it at a time: it takes a core from what
// reads them for good.
func (x *run) beyond(ctx context.Context, behind int64) error {
	select {
	case x.s.rest <- struct{}{}:
		defer func() { <-x.s.rest }()
	default:
		x.cut = fmt.Sprintf("The newest lines, those behind line %d, were not searched: more come than are read, and another search goes through them just now. Search again in a moment.", behind)
		return nil
	}
	x.alone = false
	for line, err := range x.s.o.Tail(ctx, behind, true) {
		if err != nil {
			return err
		}
		for r := range line {
			x.said.Tail++
			x.last = max(x.last, r.Line.Seq)
			if x.q.Match(r) {
				x.fold.Add(r)
			}
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
