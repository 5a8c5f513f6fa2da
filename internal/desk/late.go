package desk

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"time"

	"tocsin/internal/archive"
	"tocsin/internal/auth"
	"tocsin/internal/disk"
	"tocsin/internal/intake"
	"tocsin/internal/query"
	"tocsin/internal/record"
	"tocsin/internal/search"
	"tocsin/internal/shelf"
)

// A search parses the lines that are not on the shelf yet each time, which is fair for one question. Who asks fifty puts them on a shelf in memory
// first, and asks both.
const (
	fewLate    = 4000     // lines that are not worth it
	lateBytes  = 64 << 20 // of lines that are held so
	lateMemory = 16 << 20 // bytes of their columns that are kept
)

// An inquiry is many searches by one person, of lines as they were at its beginning. One goroutine uses it.
type inquiry struct {
	d       *Desk
	actor   auth.Actor
	through int64 // lines up to this number are on the desk's shelf,
	last    int64 // those up to this one on that in memory
	late    *search.Searcher
	shelf   *shelf.Shelf
	cut     string // why not all late lines are
}

// noTail says to a search, in its context, to leave lines out that are not on the shelf.
type noTail struct{}

func (d *Desk) newInquiry(actor auth.Actor) *inquiry {
	return &inquiry{d: d, actor: actor, through: -1}
}

// run searches: the results are of different lines.
func (x *inquiry) run(ctx context.Context, q *query.Query) ([]search.Result, error) {
	for range looks { // while segments go to the shelf
		if err := x.hold(ctx); errors.Is(err, archive.ErrExpired) {
			continue
		} else if err != nil {
			return nil, err
		}
		if x.late == nil {
			res, err := x.d.Search(ctx, x.actor, q, nil)
			return []search.Result{res}, err
		}
		kept, err := x.d.Search(context.WithValue(ctx, noTail{}, true), x.actor, q, nil)
		if err != nil {
			return nil, err
		}
		if x.d.shelf.Through() != x.through {
			continue // else lines that went there meanwhile would count twice
		}
		late, err := x.late.Run(ctx, q, nil)
		late.Cut = cmp.Or(late.Cut, x.cut)
		return []search.Result{kept, late}, err
	}
	return nil, errors.New("lines go to the shelf faster than they can be searched; try again")
}

// hold puts the lines that are not on the desk's shelf on one in memory, unless they are there or are few.
func (x *inquiry) hold(ctx context.Context) error {
	through := x.d.shelf.Through()
	if through == x.through {
		return nil
	}
	if err := x.close(); err != nil {
		return err
	}
	x.through, x.last = through, max(x.last, x.d.archive.Last())
	if x.last-max(through, x.d.archive.First()-1) <= fewLate || ctx.Err() != nil {
		return nil
	}
	err := x.fill(ctx)
	if err != nil {
		x.through = -1
		err = errors.Join(err, x.close())
	}
	if ctx.Err() != nil {
		return nil // the searches say so
	}
	return err
}

func (x *inquiry) fill(ctx context.Context) error {
	d := x.d
	p, err := d.newParser()
	if err != nil {
		return err
	}
	if known := d.shelf.Parser(); len(known) > 0 {
		if err := p.Restore(known); err != nil {
			return err
		}
	}
	parse := func(l record.Line, received time.Time) iter.Seq[*record.Record] { return recordsOf(p, l, received) }
	x.shelf, _, err = shelf.Open(disk.NewLossy(), shelfDir, shelf.Options{Parser: shelf.Parser{Parse: parse, Save: p.Snapshot, Restore: p.Restore}})
	if err != nil {
		return err
	}
	if _, err := x.shelf.Seal(ctx, x.last, x.lines()); err != nil {
		return fmt.Errorf("holding the lines that are not on the shelf yet: %w", err)
	}
	views, err := d.newParser()
	if err != nil {
		return err
	}
	x.late = search.New(search.Options{Shelf: x.shelf, Views: views.Views, Network: intake.Network, Parts: intake.Parts, Memory: lateMemory})
	return nil
}

// lines goes over those lines.
func (x *inquiry) lines() iter.Seq2[[]shelf.Line, error] {
	return func(yield func([]shelf.Line, error) bool) {
		bytes := 0
		for next := max(x.through+1, x.d.archive.First()); next <= x.last; {
			blocks, err := x.d.archive.Read(next, readAtOnce)
			if err != nil {
				yield(nil, err)
				return
			}
			for _, b := range blocks {
				var some []shelf.Line
				for _, l := range b.Lines {
					if next = l.Seq + 1; l.Seq > x.last {
						break
					}
					bytes += len(l.Raw)
					some = append(some, shelf.Line{Line: l, Received: b.Received.UnixNano(), Agent: b.Agent})
				}
				if !yield(some, nil) {
					return
				}
			}
			if bytes > lateBytes && next <= x.last {
				x.cut = fmt.Sprintf("The last %d lines were not searched, because so many came and are not on the shelf yet; try again in a while.", x.last-next+1)
				return
			}
		}
	}
}

func (x *inquiry) close() (err error) {
	if x.late != nil {
		x.late.Close()
	}
	if x.shelf != nil {
		err = x.shelf.Close()
	}
	x.late, x.shelf, x.cut = nil, nil, ""
	return err
}

// joinedLines are the rows of results of different lines, in order of time, with the numbers of their lines; the first or last ones.
func joinedLines(results []search.Result, most int, last bool) (rows [][]query.Cell, numbers []int64) {
	type line struct {
		cells  []query.Cell
		number int64
	}
	var all []line
	for _, r := range results {
		for n, cells := range r.Rows {
			all = append(all, line{cells, r.Numbers[n]})
		}
	}
	slices.SortStableFunc(all, func(a, b line) int {
		return cmp.Or(a.cells[0].Time.Compare(b.cells[0].Time), cmp.Compare(a.number, b.number))
	})
	if over := len(all) - most; over > 0 && last {
		all = all[over:]
	} else if over > 0 {
		all = all[:most]
	}
	for _, l := range all {
		rows, numbers = append(rows, l.cells), append(numbers, l.number)
	}
	return rows, numbers
}
