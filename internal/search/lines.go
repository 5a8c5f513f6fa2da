package search

import (
	"context"
	"errors"

	"tocsin/internal/query"
	"tocsin/internal/shelf"
)

// Lines tells found of each line on the shelf that a query finds, by its volume and number, volume by volume; of a line that holds several
// events it may tell more than once. Stages do not count, but for whom a session stage names. It returns the volumes that could not be
// searched. The error is of ctx, of found, or of a disk that cannot be read.
func (s *Searcher) Lines(ctx context.Context, q *query.Query, view *shelf.View, found func(v *shelf.Volume, seq int64) error) (damaged []*shelf.DamageError, err error) {
	lo, hi := bounds(q)
	for _, v := range view.Volumes {
		if v.Until < lo || v.From >= hi {
			continue
		}
		err := s.linesOf(ctx, q, v, found)
		if d, ok := errors.AsType[*shelf.DamageError](err); ok {
			damaged = append(damaged, d)
		} else if err != nil {
			return damaged, err
		}
	}
	return damaged, nil
}

// linesOf does it for a volume.
func (s *Searcher) linesOf(ctx context.Context, q *query.Query, v *shelf.Volume, found func(*shelf.Volume, int64) error) error {
	o, err := s.use(v)
	if err != nil {
		return err
	}
	defer s.letGo([]*volume{o})
	var said Scanned
	for n := range o.columns.Chunks {
		if err := ctx.Err(); err != nil {
			return err
		}
		c := newScan(s, o, n, &said)
		rows, err := c.matching(q)
		if err != nil {
			return err
		}
		if rows.empty() {
			continue
		}
		rows.each(func(row int) bool {
			var seq int64
			if seq, err = c.seq(row); err == nil {
				err = found(v, seq)
			}
			return err == nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}
