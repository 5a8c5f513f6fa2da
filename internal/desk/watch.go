package desk

import (
	"context"
	"errors"
	"time"

	"tocsin/internal/agent"
	"tocsin/internal/archive"
	"tocsin/internal/intake"
	"tocsin/internal/record"
)

// watch fills the archive: from the watched files, or from the bundled sample.
func (d *Desk) watch(ctx context.Context) error {
	if d.Sample() {
		return d.play(ctx)
	}
	if d.watcher == nil {
		<-ctx.Done()
		return nil
	}
	return d.watcher.Run(ctx)
}

// newWatcher makes the built-in agent, if there is something to watch. History is merged by the time that parsers find.
func (d *Desk) newWatcher() (*agent.Watcher, error) {
	if len(d.o.Watch) == 0 {
		return nil, nil
	}
	stamps, err := intake.New(intake.Options{Zone: d.o.Zone, Maps: d.o.Maps})
	if err != nil {
		return nil, err
	}
	return agent.New(d.log, agent.Options{
		Paths: d.o.Watch, Start: d.archive.Positions(""), Since: d.state.Started, Append: d.keep, Poll: d.o.Poll,
		Stamp: func(file, raw string) (time.Time, bool) {
			r := stamps.Parse(record.Line{File: file, Raw: raw}, time.Now())
			return r.Time, !r.Time.IsZero()
		},
	}), nil
}

// keep appends a batch to the archive. When the archive is broken the bell says so.
func (d *Desk) keep(b record.Batch) (record.Receipt, error) {
	receipt, err := d.archive.Append(b)
	switch {
	case err == nil:
		d.alarm.quiet(archiveFails)
	case !errors.Is(err, archive.ErrClosed) && !errors.Is(err, archive.ErrTooLarge): // a batch that is too large says nothing of the archive
		d.alarm.sound(archiveFails, "its archive of log lines: "+err.Error())
	}
	return receipt, err
}

// Sources returns what the watcher sees, for screens.
func (d *Desk) Sources() []agent.Source {
	if d.watcher == nil {
		return nil
	}
	return d.watcher.Sources()
}
