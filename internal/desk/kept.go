package desk

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"tocsin/internal/archive"
	"tocsin/internal/auth"
	"tocsin/internal/intake"
	"tocsin/internal/query"
	"tocsin/internal/record"
	"tocsin/internal/search"
	"tocsin/internal/shelf"
)

// OpenToRead opens the kept lines of a folder for Search alone: without a lock, beside a server too, and nothing is changed. The ledger and
// the vault stay closed. The caller closes the desk.
func OpenToRead(log *slog.Logger, o Options) (*Desk, error) {
	d := &Desk{log: log, o: o, state: newState(), changed: newBroadcast(), owing: make(chan struct{}, 1), offline: true, readOnly: true, seeking: newSlots(seekers), exporting: newSlots(downloads), following: newSlots(followers), bringing: newSlots(uploads)}
	if err := d.openLines(); err != nil {
		return nil, errors.Join(err, d.Close())
	}
	return d, nil
}

// openLines opens what keeps lines, for reading, as it is now.
func (d *Desk) openLines() (err error) {
	if d.shelf != nil {
		d.searcher.Close() // before what it reads
		if err := errors.Join(d.shelf.Close(), d.archive.Close()); err != nil {
			return err
		}
	}
	// The log is opened before the shelf: what leaves it in between is then on both, and told once, and nothing is on neither.
	if d.archive, _, err = archive.Open(d.o.Data, archiveDir, archive.Options{ReadOnly: true}); err != nil {
		return err
	}
	return d.openShelf()
}

// movesAtMost is how often a search begins anew because lines were moved.
const movesAtMost = 4

// searchMoved searches, and again when lines were moved meanwhile: by this server, or by one beside which the folder is only read.
func (d *Desk) searchMoved(ctx context.Context, q *query.Query, seen func(search.Progress)) (search.Result, error) {
	var out search.Result
	var lookErr error
	for range movesAtMost {
		var err error
		var again bool
		out, err = d.searcher.Run(ctx, q, seen)
		if again, lookErr = d.moved(out.Damaged, err); !again || ctx.Err() != nil || lookErr != nil {
			return out, errors.Join(err, lookErr)
		}
	}
	out.Cut = "While lines were searched, a server moved them; search again to find them all."
	out.Damaged = nil
	return out, lookErr
}

// moved reports whether what could not be read is elsewhere now. On a folder that is only read it looks again what there is.
func (d *Desk) moved(damaged []*shelf.DamageError, failed error) (bool, error) {
	gone := errors.Is(failed, archive.ErrExpired)
	if !d.readOnly || !gone && len(damaged) == 0 {
		return gone, nil
	}
	if err := d.openLines(); err != nil {
		return false, err
	}
	there := d.shelf.View()
	defer there.Close()
	for _, x := range damaged {
		gone = gone || !hasVolume(there, x.Volume.Name)
	}
	return gone, nil
}

// hasVolume reports whether a view has a volume.
func hasVolume(v *shelf.View, name string) bool {
	for _, x := range v.Volumes {
		if x.Name == name {
			return true
		}
	}
	return false
}

// Followable says why a query cannot be followed; "" when it can: what folds, sorts or cuts needs all lines.
func Followable(q *query.Query) string {
	for _, s := range q.Stages {
		if s.Kind != query.Session && s.Kind != query.Columns {
			return "Lines that come later cannot be followed through the stage " + s.Kind.String() + ", which needs all of them; leave it out."
		}
	}
	return ""
}

// followAtMost is how many lines that went to the shelf are told of who follows from behind one of them.
const followAtMost = 100_000

// Follow tells found of each line behind a number that a query finds, as it comes, until ctx ends, which is no error. Lines that came meanwhile are told too, whether they went to
// the shelf or not, unless they are too many: then it says so.
func (d *Desk) Follow(ctx context.Context, actor auth.Actor, q *query.Query, behind int64, found func(query.Result) error) error {
	if err := auth.May(actor, auth.SearchLines); err != nil {
		return err
	}
	if why := Followable(q); why != "" {
		return errors.New(why)
	}
	p, next, err := d.followFrom(behind)
	for err == nil {
		if err = d.archive.Wait(ctx, next); err != nil {
			break
		}
		var blocks []archive.Block
		if blocks, next, err = d.readLines(next, readAtOnce); errors.Is(err, archive.ErrExpired) {
			err = nil
		}
		for _, b := range blocks {
			for _, l := range b.Lines {
				for r := range recordsOf(p, l, b.Received) {
					if l.Seq > behind && q.Match(r) {
						if err := tellOne(q, r, found); err != nil {
							return err
						}
					}
				}
				next = l.Seq + 1
			}
		}
	}
	if ctx.Err() != nil || errors.Is(err, archive.ErrClosed) {
		return nil
	}
	return err
}

// followFrom is where reading begins for who wants the lines behind one, and a parser for it: what the shelf's knows, which is right behind the shelf, and a guess that
// mostly is before its end.
func (d *Desk) followFrom(behind int64) (*intake.Parser, int64, error) {
	p, last, err := d.tailParser()
	switch {
	case err != nil || behind >= last:
		return p, max(last+1, d.archive.First()), err
	case last-behind > followAtMost:
		return nil, 0, fmt.Errorf("%d lines came since, which are too many to tell one by one: search again", last-behind)
	}
	return p, max(behind+1, d.firstLine()), nil
}

// tellOne tells of one record.
func tellOne(q *query.Query, r *record.Record, found func(query.Result) error) error {
	f := query.NewFold(q)
	f.Add(r)
	return found(f.Result())
}
