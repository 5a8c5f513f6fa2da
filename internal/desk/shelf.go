package desk

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"sync"
	"time"

	"tocsin/internal/archive"
	"tocsin/internal/entry"
	"tocsin/internal/incident"
	"tocsin/internal/intake"
	"tocsin/internal/record"
	"tocsin/internal/search"
	"tocsin/internal/shelf"
	"tocsin/internal/vault"
)

// Keep is a limit of the lines on the shelf.
type Keep = shelf.Keep

const (
	shelfDir   = "shelf"
	shelveTick = time.Second      // how often complete segments are looked for
	joinTick   = 30 * time.Second // and small volumes
	joinAfter  = 10 * time.Minute // since the last line of a volume came, when Options say nothing else
	shelfCheck = time.Hour        // how often what is too old is looked for
)

// openShelf opens what keeps lines for months, and what searches them.
func (d *Desk) openShelf() error {
	parser, err := d.newParser()
	if err != nil {
		return err
	}
	var said shelf.Opened
	d.shelf, said, err = shelf.Open(d.o.Data, shelfDir, shelf.Options{ReadOnly: d.readOnly, Reserve: d.o.Reserve, Parser: shelf.Parser{
		Parse: func(l record.Line, received time.Time) iter.Seq[*record.Record] {
			return recordsOf(parser, l, received)
		},
		Save: parser.Snapshot, Restore: parser.Restore,
	}})
	if err != nil {
		return err
	}
	d.log.Debug("shelf", "volumes", said.Volumes, "rows", said.Rows, "through", said.Through, "removed", len(said.Removed))
	for _, name := range said.Missing {
		d.log.Error("a volume of lines is not there whole and was set aside: bring its files back from a backup", "volume", name)
	}
	views, err := d.newParser()
	if err != nil {
		return err
	}
	d.searcher = search.New(search.Options{Shelf: d.shelf, Views: views.Views, Network: intake.Network, Parts: intake.Parts, Tail: (&follower{desk: d}).tail,
		Late: d.Late})
	return nil
}

func (d *Desk) newParser() (*intake.Parser, error) {
	return intake.New(intake.Options{Geo: d.o.Geo, Trusted: d.o.Trusted, Zone: d.o.Zone, Maps: d.o.Maps})
}

// recordsOf parses each event of a line. A stamp that lies in the future counts as the time of receipt, as detection takes it.
func recordsOf(p *intake.Parser, l record.Line, received time.Time) iter.Seq[*record.Record] {
	var r record.Record
	return func(yield func(*record.Record) bool) {
		for part := range intake.Parts(l.Raw) {
			l.Raw = part
			p.ParseInto(&r, l, received)
			if by := r.Time.Sub(received); !r.Time.IsZero() && by > aheadAtMost {
				r.Time = received
			}
			if !yield(&r) {
				return
			}
		}
	}
}

// A follower goes over the records of lines that are not on the shelf yet, and goes on where it ended when it is asked to: so a line is parsed once,
// however often is searched.
type follower struct {
	desk   *Desk
	mu     sync.Mutex
	parser *intake.Parser // as it was behind the last line that was told; nil while it is used
	last   int64
}

// take returns a parser that goes on behind a line, and behind which one it does: that of the shelf's begins there. Aside it is another one than that which goes on the
// next time.
func (f *follower) take(behind int64, aside bool) (p *intake.Parser, last int64, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.parser == nil || f.last != behind {
		return f.desk.tailParser()
	}
	if !aside {
		p, f.parser = f.parser, nil
		return p, behind, nil
	}
	known, err := f.parser.Snapshot()
	if err == nil {
		p, err = f.desk.newParser()
	}
	if err == nil {
		err = p.Restore(known)
	}
	return p, behind, err
}

func (f *follower) give(p *intake.Parser, last int64) {
	f.mu.Lock()
	f.parser, f.last = p, last
	f.mu.Unlock()
}

// tail is a search.Tail. When lines go to the shelf meanwhile, the error is archive.ErrExpired.
func (f *follower) tail(ctx context.Context, behind int64, aside bool) iter.Seq2[iter.Seq[*record.Record], error] {
	return func(yield func(iter.Seq[*record.Record], error) bool) {
		p, last, err := f.take(behind, aside)
		if err == nil && last > behind {
			err = fmt.Errorf("line %d went to the shelf: %w", behind+1, archive.ErrExpired)
		}
		if err == nil {
			last, err = f.desk.followLines(ctx, p, last, func(l shelf.Line, records iter.Seq[*record.Record]) bool {
				if l.Seq > behind {
					return yield(records, nil)
				}
				for range records { // the parser learns from them
				}
				return true
			})
		}
		if err != nil {
			yield(nil, err)
		} else if !aside {
			f.give(p, last)
		}
	}
}

// tailParser is a parser that knows what that of the shelf does, and the last line that is there.
func (d *Desk) tailParser() (p *intake.Parser, last int64, err error) {
	last, known := d.shelf.Known()
	if p, err = d.newParser(); err == nil && len(known) > 0 {
		err = p.Restore(known)
	}
	return p, last, err
}

// unshelved calls act with each record of the lines behind a number that are not on the shelf yet, and the line that it stands in. The parser
// begins with what that of the shelf knew.
func (d *Desk) unshelved(ctx context.Context, behind int64, act func(shelf.Line, *record.Record) error) error {
	p, last, err := d.tailParser()
	if err == nil && last > behind && d.shelf.Through() > behind {
		err = fmt.Errorf("line %d went to the shelf: %w", behind+1, archive.ErrExpired)
	}
	if err == nil {
		err = d.follow(ctx, p, behind, act)
	}
	return err
}

// follow goes over the records of the lines behind one with a parser that has read up to there.
func (d *Desk) follow(ctx context.Context, p *intake.Parser, last int64, act func(shelf.Line, *record.Record) error) error {
	var ended error
	_, err := d.followLines(ctx, p, last, func(l shelf.Line, records iter.Seq[*record.Record]) bool {
		for r := range records {
			if ended = act(l, r); ended != nil {
				return false
			}
		}
		return true
	})
	return cmp.Or(ended, err)
}

// followLines goes over the lines behind one with a parser that has read up to there, and returns the last of them. Act takes all records of a line, and says whether to go on.
func (d *Desk) followLines(ctx context.Context, p *intake.Parser, last int64, act func(shelf.Line, iter.Seq[*record.Record]) bool) (int64, error) {
	end := d.archive.Last() // not what comes meanwhile: that might never end
	next := max(last+1, d.archive.First())
	if next > last+1 && d.shelf.Through() > last {
		return last, fmt.Errorf("line %d went to the shelf: %w", last+1, archive.ErrExpired)
	}
	for next <= end && ctx.Err() == nil {
		blocks, err := d.archive.Read(next, readAtOnce)
		for _, b := range blocks {
			for _, l := range b.Lines {
				more := act(shelf.Line{Line: l, Received: b.Received.UnixNano(), Agent: b.Agent}, recordsOf(p, l, b.Received))
				last, next = l.Seq, l.Seq+1
				if !more {
					return last, nil
				}
			}
		}
		if err != nil {
			return last, err
		}
	}
	return last, nil
}

// firstLine is the number of the oldest line that is kept.
func (d *Desk) firstLine() int64 {
	first := d.archive.First()
	if s := d.shelf.First(); s > 0 {
		first = min(first, s)
	}
	return first
}

// readLines is archive.Read for all lines that are kept: from the shelf while it has them. Next is where to go on when there are none: behind those that are gone. The error is
// archive.ErrExpired when lines went that never were on the shelf.
func (d *Desk) readLines(from int64, max int) (blocks []archive.Block, next int64, err error) {
	for {
		first := d.archive.First() // before the shelf is looked at: what leaves the log then is there
		if from > d.shelf.Through() || from >= first {
			blocks, err := d.archive.Read(from, max)
			if !errors.Is(err, archive.ErrExpired) {
				return blocks, from, err
			}
			if next := d.archive.First(); from > d.shelf.Through() {
				return nil, next, err
			}
			continue // they went to the shelf meanwhile
		}
		lines, err := d.shelf.Read(from, max)
		if damage, ok := errors.AsType[*shelf.DamageError](err); ok {
			d.damaged(damage)
			if len(lines) == 0 {
				continue // the shelf goes on without that volume
			}
			err = nil
		}
		if err != nil {
			return nil, from, err
		}
		if len(lines) > 0 && lines[0].Seq <= first {
			return blocksOf(lines), from, nil
		}
		if blocks, err = d.archive.Read(first, max); !errors.Is(err, archive.ErrExpired) {
			return blocks, first, err
		}
	}
}

// blocksOf makes batches of lines again: of each what was received at once and has no gap.
func blocksOf(lines []shelf.Line) (blocks []archive.Block) {
	for i := range lines {
		l := &lines[i]
		n := len(blocks) - 1
		if i == 0 || l.Received != lines[i-1].Received || l.Agent != lines[i-1].Agent || l.Seq != lines[i-1].Seq+1 {
			blocks = append(blocks, archive.Block{First: l.Seq, Received: time.Unix(0, l.Received).UTC(), Agent: l.Agent})
			n++
		}
		blocks[n].Lines = append(blocks[n].Lines, l.Line)
	}
	return blocks
}

// damaged sets a volume aside, and says so in the ledger.
func (d *Desk) damaged(e *shelf.DamageError) {
	if d.readOnly {
		return
	}
	d.log.Error("a volume of lines is damaged and was set aside: bring its files back from a backup", "volume", e.Volume.Name, "because", e.Why)
	d.saying.Lock()
	defer d.saying.Unlock()
	did, err := d.shelf.SetAside(e.Volume, e.Why)
	if did { // else another did, or it was joined or went meanwhile
		err = errors.Join(err, d.writeLines(entry.LinesAside, entry.Lines{Gone: []string{e.Volume.Name}, Why: e.Why}))
	}
	if err != nil {
		d.log.Error("setting a damaged volume aside", "volume", e.Volume.Name, "error", err)
	}
}

func (d *Desk) writeLines(k entry.Kind, body entry.Lines) error {
	return d.write(func(*State, time.Time) ([]entry.Draft, error) {
		return []entry.Draft{{Actor: "desk", Kind: k, Subject: "lines", Body: body}}, nil
	})
}

func volumes(came []shelf.Volume) (out []entry.Volume) {
	for _, v := range came {
		out = append(out, entry.Volume{Name: v.Name, Rows: v.Rows, First: v.First, Last: v.Last, Lines: v.Lines.SHA256, Columns: v.Columns.SHA256})
	}
	return out
}

// shelve puts complete segments on the shelf when detection has read them, and keeps the shelf in order.
func (d *Desk) shelve(ctx context.Context) error {
	if err := d.sayUnsaid(true); err != nil {
		d.log.Error("writing down which lines are on the shelf", "error", err)
	}
	var checked, joined time.Time
	tick := time.NewTicker(shelveTick)
	defer tick.Stop()
	for {
		if d.Broken() != nil { // what cannot be said is not done
			return nil
		}
		err := d.sayUnsaid(d.unsaid)
		if err == nil && time.Since(checked) > shelfCheck { // before anything that a full disk refuses
			checked = time.Now()
			err = d.expireShelf(checked)
		}
		if !d.unsaid && d.Broken() == nil {
			err = errors.Join(err, d.shelveOnce(ctx))
		}
		if err == nil && time.Since(joined) > joinTick {
			joined = time.Now()
			err = d.joinShelf(ctx)
		}
		if err != nil && ctx.Err() == nil {
			d.log.Error("putting lines on the shelf: it is tried again, nothing is lost", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// sealAtOnce is how many lines of small segments, as a log has them that was left behind, are sealed together: each sealing costs the same few fsyncs.
const sealAtOnce = 50_000

// together puts spans that lie below a line into groups of at most so many lines, but for one that has more by itself.
func together(spans []archive.Span, below, most int64) (groups []archive.Span) {
	for _, s := range spans {
		if s.Last >= below {
			break
		}
		if n := len(groups); n > 0 && s.Last-groups[n-1].First < most {
			groups[n-1].Last = s.Last
		} else {
			groups = append(groups, s)
		}
	}
	return groups
}

// shelveOnce seals what can be sealed: complete segments that the saved state of detection has behind it.
func (d *Desk) shelveOnce(ctx context.Context) error {
	for _, s := range together(d.archive.Complete(), d.reader.saved.Load(), cmp.Or(d.o.SealLines, sealAtOnce)) {
		if ctx.Err() != nil {
			return nil
		}
		if s.Last > d.shelf.Through() {
			came, err := d.shelf.Seal(ctx, s.Last, d.linesOf(max(s.First, d.shelf.Through()+1), s.Last))
			if err != nil {
				return err
			}
			d.searcher.Forget(s.Last)
			if err := d.writeLines(entry.LinesSealed, entry.Lines{Through: s.Last, Came: volumes(came)}); err != nil {
				return err
			}
		}
		if err := d.archive.Drop(s.Last); err != nil {
			return err
		}
	}
	return nil
}

// linesOf goes over lines of the write-ahead log.
func (d *Desk) linesOf(first, last int64) iter.Seq2[[]shelf.Line, error] {
	return func(yield func([]shelf.Line, error) bool) {
		for next := first; next <= last; {
			blocks, err := d.archive.Read(next, readAtOnce)
			var some []shelf.Line
			for _, b := range blocks {
				for _, l := range b.Lines {
					if l.Seq <= last {
						some = append(some, shelf.Line{Line: l, Received: b.Received.UnixNano(), Agent: b.Agent})
					}
					next = l.Seq + 1
				}
			}
			if err == nil && len(blocks) == 0 {
				err = fmt.Errorf("line %d is not there", next)
			}
			if !yield(some, err) || err != nil {
				return
			}
		}
	}
}

// joinShelf joins small volumes, one hour at a time.
func (d *Desk) joinShelf(ctx context.Context) error {
	for ctx.Err() == nil {
		j, err := d.shelf.Join(ctx, time.Now().Add(-cmp.Or(d.o.JoinAfter, joinAfter)))
		if damage, ok := errors.AsType[*shelf.DamageError](err); ok {
			d.damaged(damage)
			continue
		}
		if err != nil || len(j.Gone) == 0 {
			return err
		}
		if err := d.writeLines(entry.LinesJoined, entry.Lines{Came: volumes(j.Came), Gone: j.Gone}); err != nil {
			d.unsaid = true
			return err
		}
		d.searcher.CloseGone()
	}
	return nil
}

// expireShelf lets volumes go that are too old, or too many, but none that a held incident needs, for its time or for lines that are attached to it. The entry comes before the act; what a crash or a full disk leaves
// undone is done the next time, or at the next start.
func (d *Desk) expireShelf(now time.Time) error {
	keeps := slices.Clone(d.o.Keeps)
	if d.o.Retention > 0 {
		keeps = append(keeps, shelf.Keep{Age: d.o.Retention})
	}
	defer d.searcher.CloseGone()
	if err := d.shelf.Expire(now, d.toExpire); err != nil { // of these the entry stands already
		return err
	}
	attached := d.heldLines()
	d.toExpire = d.shelf.Due(now, keeps, func(v *shelf.Volume) (held bool) {
		if slices.ContainsFunc(attached, func(s archive.Span) bool { return s.First <= v.Last && s.Last >= v.First }) {
			return true
		}
		d.Read(func(s *State) { held = s.Incidents.Holds(time.Unix(0, v.From), time.Unix(0, v.Until)) })
		return held
	})
	if len(d.toExpire) == 0 {
		return nil
	}
	var names []string
	for _, v := range d.toExpire {
		names = append(names, v.Name)
	}
	if err := d.writeLines(entry.LinesExpired, entry.Lines{Gone: names}); err != nil { // no record, no act
		d.toExpire = nil
		return err
	}
	return d.shelf.Expire(now, d.toExpire)
}

// heldLines are the lines that are attached to incidents that are held, each a span. Where it cannot be read which these are, it is all between the first and the last.
func (d *Desk) heldLines() (spans []archive.Span) {
	var attached []incident.Attachment
	d.Read(func(s *State) {
		for _, i := range s.Incidents.Incidents {
			if i.Held {
				attached = append(attached, i.Lines...)
			}
		}
	})
	for _, a := range attached {
		lines, err := d.attachedIn(a)
		if err != nil && !errors.Is(err, vault.ErrErased) {
			spans = append(spans, archive.Span{First: a.First, Last: a.Last})
			continue
		}
		for _, l := range lines {
			spans = append(spans, archive.Span{First: l.Number, Last: l.Number})
		}
	}
	return spans
}
