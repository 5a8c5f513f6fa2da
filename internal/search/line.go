package search

import (
	"cmp"
	"context"
	"slices"

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
		if err := s.lineIn(v, n, &out); err != nil {
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
func (s *Searcher) lineIn(v *shelf.Volume, n int64, out *FoundLine) error {
	o, err := s.use(v)
	if err != nil {
		return err
	}
	defer s.letGo([]*volume{o})
	var said Scanned
	before := len(out.Records)
	for place := range o.columns.Chunks {
		c := newScan(s, o, place, &said)
		for row := range c.chunk.Rows {
			seq, err := c.seq(row)
			if err != nil {
				return err
			}
			if seq != n {
				continue
			}
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
			if err != nil {
				return err
			}
			out.Records = append(out.Records, e)
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
