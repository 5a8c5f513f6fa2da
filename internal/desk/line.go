package desk

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"tocsin/internal/archive"
	"tocsin/internal/auth"
	"tocsin/internal/record"
	"tocsin/internal/search"
	"tocsin/internal/shelf"
)

// lineLimit is how long looking for one line may take.
const lineLimit = 10 * time.Second

// A MissingLine is a number that no kept line has.
type MissingLine struct {
	Number int64
	Came   bool // there was such a line: it has expired, or its volume was set aside
}

func (e MissingLine) Error() string {
	if e.Came {
		return fmt.Sprintf("the line %d is not kept any more: its time was over, or the volume with it was set aside", e.Number)
	}
	return fmt.Sprintf("there is no line %d", e.Number)
}

// A Line is one kept line with what was read in it.
type Line struct {
	record.Line                // as it came; Seq is its number
	Received    time.Time      // UTC
	Agent       string         // who read it; "" is this program
	SHA256      string         // of its bytes, in hex
	Volumes     []shelf.Volume // that it lies in; none: it is not on the shelf yet
	Records     []*record.Record
}

// Line returns the line with a number. Errors: MissingLine, auth.Refusal, a disk that cannot be read, ctx.
func (d *Desk) Line(ctx context.Context, actor auth.Actor, number int64) (Line, error) {
	if err := auth.May(actor, auth.SearchLines); err != nil {
		return Line{}, err
	}
	ctx, stop := context.WithTimeout(ctx, lineLimit)
	defer stop()
	for range looks { // while segments go to the shelf
		l, err := d.line(ctx, number)
		if damage, ok := errors.AsType[*shelf.DamageError](err); ok {
			d.damaged(damage)
			continue
		}
		if !errors.Is(err, archive.ErrExpired) {
			return l, err
		}
	}
	return Line{}, MissingLine{number, true}
}

func (d *Desk) line(ctx context.Context, number int64) (Line, error) {
	view := d.shelf.View()
	defer view.Close()
	switch {
	case number < 1 || number > d.archive.Last():
		return Line{}, MissingLine{number, false}
	case number > view.Through:
		return d.waitingLine(ctx, view.Through, number)
	}
	found, ok, err := d.searcher.Line(ctx, view, number)
	if err != nil {
		return Line{}, err
	}
	if !ok {
		return Line{}, MissingLine{number, true}
	}
	l := lineOf(found)
	l.Volumes = found.Volumes
	return l, nil
}

func lineOf(f search.FoundLine) Line {
	l := Line{Line: ownLine(f.Line.Line), Received: time.Unix(0, f.Received).UTC(), Agent: strings.Clone(f.Agent), SHA256: digest(f.Raw)}
	for _, e := range f.Records {
		l.Records = append(l.Records, e.Record)
	}
	return l
}

// ownLine is a line that does not hold on to what it was read with.
func ownLine(l record.Line) record.Line {
	l.Raw, l.File, l.Host = strings.Clone(l.Raw), strings.Clone(l.File), strings.Clone(l.Host)
	return l
}

func digest(raw string) string {
	sum := sha256.Sum256([]byte(raw))
	return hex.EncodeToString(sum[:])
}

// waitingLine finds a line that is not on the shelf yet.
func (d *Desk) waitingLine(ctx context.Context, behind, number int64) (Line, error) {
	found, err := d.waitingLines(ctx, behind, []int64{number})
	if err != nil {
		return Line{}, err
	}
	return found[number], nil
}

// waitingLines finds lines that are not on the shelf yet, by their numbers, which are in order. What stands before the last of them there is parsed, too, because formats depend
// on it.
func (d *Desk) waitingLines(ctx context.Context, behind int64, numbers []int64) (map[int64]Line, error) {
	out := map[int64]Line{}
	past := errors.New("the last line was passed")
	err := d.unshelved(ctx, behind, func(x shelf.Line, r *record.Record) error {
		if x.Seq > numbers[len(numbers)-1] {
			return past
		}
		if _, ok := slices.BinarySearch(numbers, x.Seq); !ok {
			return nil
		}
		l, ok := out[x.Seq]
		if !ok {
			l = lineOf(search.FoundLine{Line: x})
		}
		l.Records = append(l.Records, r.Clone())
		out[x.Seq] = l
		return nil
	})
	if err == past {
		err = nil
	}
	if err = errors.Join(err, ctx.Err()); err != nil {
		return nil, err
	}
	for _, n := range numbers {
		if _, ok := out[n]; !ok {
			return nil, MissingLine{n, true}
		}
	}
	return out, nil
}

// linesBy returns lines by their numbers, which are in order. Errors: as of Line.
func (d *Desk) linesBy(ctx context.Context, actor auth.Actor, numbers []int64) (out []Line, err error) {
	through := d.shelf.Through()
	for _, n := range numbers {
		if n < 1 || n > d.archive.Last() {
			return nil, MissingLine{n, false}
		}
	}
	var waiting map[int64]Line
	if first, _ := slices.BinarySearch(numbers, through+1); first < len(numbers) {
		waiting, err = d.waitingLines(ctx, through, numbers[first:])
		if err != nil && !errors.Is(err, archive.ErrExpired) { // they went to the shelf: they are looked for there
			return nil, err
		}
	}
	for _, n := range numbers {
		l, ok := waiting[n]
		if !ok {
			if l, err = d.Line(ctx, actor, n); err != nil {
				return nil, err
			}
		}
		out = append(out, l)
	}
	return out, nil
}
