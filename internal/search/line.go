package search

import (
	"cmp"
	"context"
	"slices"
	"sort"

	"tocsin/internal/record"
	"tocsin/internal/shelf"
)

// A FoundLine is a line on the shelf, with what was read in it.
type FoundLine struct {
	shelf.Line
	Volumes []shelf.Volume // mostly one; the events of a line may lie in several
	Records []FoundRecord  // as they stand in the line; one where it is no container
}

// A FoundRecord is one record of a line. Its Line.Raw is its part of the line.
type FoundRecord struct {
	Part   int64 // place among the events of the line, from 1; 0: the line is one
	Record *record.Record
}

// Line returns the line with a number; false when the shelf does not have it. It looks into the volumes that the number may lie in, and no other. Errors:
// of ctx, *shelf.DamageError, a disk that cannot be read.
func (s *Searcher) Line(ctx context.Context, view *shelf.View, n int64) (out FoundLine, ok bool, err error) {
	for _, v := range view.Volumes {
		if n < v.First || n > v.Last {
			continue
		}
		if err := ctx.Err(); err != nil {
			return out, false, err
		}
		if err := s.lineIn(ctx, v, n, &out); err != nil {
			return out, false, err
		}
		if len(out.Records) > 0 && out.Records[0].Part == 0 {
			break
		}
	}
	slices.SortFunc(out.Records, func(a, b FoundRecord) int { return cmp.Compare(a.Part, b.Part) })
	return out, len(out.Records) > 0, nil
}

// lineIn adds what one volume has of a line.
func (s *Searcher) lineIn(ctx context.Context, v *shelf.Volume, n int64, out *FoundLine) error {
	o, err := s.use(v)
	if err != nil {
		return err
	}
	defer s.letGo([]*volume{o})
	var said Scanned
	before := len(out.Records)
	for place := range o.columns.Chunks {
		c := newScan(s, o, place, &said)
		err := c.rowsWith(ctx, n, func(row int) error {
			e := FoundRecord{Record: new(record.Record)}
			part, err := c.column(shelf.PartColumn)
			if err == nil {
				err = c.rebuild(e.Record, row, true, c.chunk.Names())
			}
			if err == nil && part != nil {
				var v record.Value
				v, _, err = c.value(part, row)
				e.Part = v.Int
			}
			if err == nil {
				out.Records = append(out.Records, e)
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	if len(out.Records) == before {
		return nil
	}
	frame, lines := -1, []shelf.Line(nil)
	l, err := o.line(n, true, &frame, &lines, &said)
	if err != nil {
		return err
	}
	out.Line = *l
	out.Volumes = append(out.Volumes, *v)
	return nil
}

// rowsWith calls act with each row of a line. Rows of a volume that has an index are in the order of their lines, so of these only the pages are read that may have it.
func (c *scan) rowsWith(ctx context.Context, n int64, act func(row int) error) error {
	row := 0
	if !c.chunk.Unindexed {
		var failed error
		pages := (c.chunk.Rows + shelf.PageRows - 1) / shelf.PageRows
		after := sort.Search(pages, func(p int) bool { // the first page that begins at the line or behind it
			seq, err := c.seq(p * shelf.PageRows)
			failed = cmp.Or(failed, err)
			return seq >= n
		})
		if failed != nil {
			return failed
		}
		row = max(0, after-1) * shelf.PageRows
	}
	for ; row < c.chunk.Rows; row++ {
		if row%shelf.PageRows == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		seq, err := c.seq(row)
		if err != nil {
			return err
		}
		if seq == n {
			err = act(row)
		}
		if err != nil || seq > n && !c.chunk.Unindexed {
			return err
		}
	}
	return nil
}
