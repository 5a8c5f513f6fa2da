package query

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"tocsin/internal/record"
)

const maxCell = 4096 // bytes of a line or value that a row shows

// cellOf returns a field of a record as a cell that shares no text with it.
func cellOf(f Field, r *record.Record, zone *time.Location) Cell {
	if f.Place == PlaceTime {
		if r.Time.IsZero() {
			return Cell{}
		}
		return timeCell(r.Time, zone)
	}
	v, ok := f.Value(r)
	if !ok {
		return Cell{}
	}
	c := Cell{Kind: CellText, Text: strings.Clone(cut(v.Text, maxCell))}
	if v.Kind == record.KindInt || v.Kind == record.KindFloat {
		c.Kind, c.Number = CellNumber, v.Float
	}
	return c
}

func timeCell(t time.Time, zone *time.Location) Cell {
	return Cell{Kind: CellTime, Text: stamp(t, zone), Time: t.In(zone)}
}

func textCell(s string) Cell { return Cell{Kind: CellText, Text: s} }

func countCell(n int64) Cell {
	return Cell{Kind: CellNumber, Text: fmt.Sprint(n), Number: float64(n)}
}

// cut shortens a text, with a sign that it does.
func cut(s string, most int) string {
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}

// compare puts cells in order: times, numbers, texts. What is missing comes last either way.
func (c Cell) compare(o Cell, descending bool) int {
	if c.Kind == CellMissing || o.Kind == CellMissing {
		return cmp.Compare(missingLast(c), missingLast(o))
	}
	sign := cmp.Or(cmp.Compare(rank(c), rank(o)), c.Time.Compare(o.Time), cmp.Compare(c.Number, o.Number))
	if sign == 0 && c.Kind == CellText {
		sign = strings.Compare(c.Text, o.Text)
	}
	if descending {
		return -sign
	}
	return sign
}

func missingLast(c Cell) int {
	if c.Kind == CellMissing {
		return 1
	}
	return 0
}

// rank puts texts behind times and numbers.
func rank(c Cell) int { return [...]int{0, 3, 2, 1}[c.Kind] }

// truncate adds a sentence to what the result says was cut.
func (res *Result) truncate(format string, args ...any) {
	res.Truncated = strings.TrimSpace(res.Truncated + " " + fmt.Sprintf(format, args...))
}
