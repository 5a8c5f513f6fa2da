package desk

import (
	"context"
	"errors"
	"time"

	"tocsin/internal/intake"
	"tocsin/internal/record"
)

const (
	samplePace  = 20 * time.Second // how long all of it plays
	sampleBlock = 200              // lines in a batch
)

// play puts the bundled logs into the archive in fast motion, as if they came from this host. Their stamps are moved so that
// they end when this ledger began. What an earlier start has played stays played.
func (d *Desk) play(ctx context.Context) error {
	by, year, total := d.bundled.by, d.bundled.year, d.bundled.lines
	parser, err := intake.New(intake.Options{})
	if err != nil {
		return err
	}
	m := newMerge([]folder{{"sample", d.o.Sample}}, parser, "", func(raw string) string { return Move(raw, by, year) })
	defer m.Close()
	for _, s := range m.skipped {
		d.log.Debug("not played", "file", s.File, "why", s.Why)
	}
	played := d.archive.Last()
	pace := d.o.Pace
	if pace == 0 {
		pace = samplePace
	}
	batch := record.Batch{}
	begun := time.Now()
	for n := int64(1); ; n++ {
		r, more := m.Next()
		end := !more
		if !end && n > played {
			batch.Lines = append(batch.Lines, record.Line{File: r.Line.File, Offset: r.Line.Offset, Raw: r.Line.Raw})
		}
		if len(batch.Lines) >= sampleBlock || end && len(batch.Lines) > 0 {
			batch.Received = time.Now()
			if err := d.appendPatiently(ctx, batch); err != nil {
				return nil // ctx ended
			}
			batch.Lines = nil
		}
		if end {
			d.log.Info("the bundled sample has been played", "lines", n-1)
			return nil
		}
		if n%sampleBlock == 0 && n > played {
			due := begun.Add(time.Duration(float64(pace) * float64(n-played) / float64(max(1, total-played))))
			select {
			case <-ctx.Done():
				return nil
			case <-time.After(time.Until(due)):
			}
		}
	}
}

// A measure is what is known of the bundled logs before they are played.
type measure struct {
	lines int64
	year  int           // of their last line
	by    time.Duration // by how much their stamps are moved
}

// measureSample reads the sample once. It is to end at a time that stays the same over restarts.
func (d *Desk) measureSample(end time.Time) error {
	parser, err := intake.New(intake.Options{})
	if err != nil {
		return err
	}
	m := newMerge([]folder{{"sample", d.o.Sample}}, parser, "", nil)
	defer m.Close()
	var last time.Time
	for r, more := m.Next(); more; r, more = m.Next() {
		last = later(last, r.Time)
		d.bundled.lines++
	}
	if last.IsZero() {
		return errors.New("the bundled sample has no line with a time")
	}
	d.bundled.year, d.bundled.by = last.Year(), end.Sub(last).Truncate(time.Second)
	return nil
}

// sampleZone is the zone in which the moved lines have the hour that they were recorded at: rules look at the hour, and a night
// must stay a night.
func (d *Desk) sampleZone() *time.Location {
	return time.FixedZone("sample", -int((d.bundled.by%(24*time.Hour))/time.Second))
}

// appendPatiently appends until it works or ctx ends: a full disk is waited out.
func (d *Desk) appendPatiently(ctx context.Context, b record.Batch) error {
	for {
		_, err := d.keep(b)
		if err == nil {
			return nil
		}
		d.log.Error("the archive takes no lines; trying again", "error", err)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(heartbeat):
		}
	}
}
