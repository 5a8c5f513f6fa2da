package desk

import (
	"context"
	"fmt"
	"net/http"

	"tocsin/internal/inlet"
)

// Doors are ways by which lines come in that no watched file and no agent holds (package inlet).
type Doors struct {
	Syslog  inlet.SyslogOptions // no address is no such door
	Tokens  []inlet.Token       // who may send by HTTP; none is no such door
	Buckets []inlet.BucketOptions
}

// doorAgent is the agent of batches that come in by a door.
const doorAgent = "inlet"

// doors are those that are open.
type doors struct {
	runs   map[string]func(context.Context) error
	counts []func() []inlet.Count
	http   *inlet.HTTP
}

// openDoors opens them: from then on senders can connect, and wait until run.
func (d *Desk) openDoors() error {
	d.doors.runs = map[string]func(context.Context) error{}
	if o := d.o.Doors.Syslog; o.TLSAddr != "" || o.TCPAddr != "" || o.UDPAddr != "" {
		o.Append, o.Agent = d.keep, doorAgent
		s, err := inlet.NewSyslog(d.log, o)
		if err != nil {
			return err
		}
		d.doors.runs["syslog"] = s.Run
		d.doors.counts = append(d.doors.counts, s.Counts)
	}
	if len(d.o.Doors.Tokens) > 0 {
		h, err := inlet.NewHTTP(d.log, inlet.HTTPOptions{Append: d.keep, Agent: doorAgent, Tokens: d.o.Doors.Tokens})
		if err != nil {
			return err
		}
		d.doors.http = h
		d.doors.runs["http"] = h.Run
		d.doors.counts = append(d.doors.counts, h.Counts)
	}
	for _, o := range d.o.Doors.Buckets {
		o.Append, o.Agent, o.Start = d.keep, doorAgent, d.archive.Positions(doorAgent)
		b, err := inlet.NewBucket(d.log, o)
		if err != nil {
			return err
		}
		if _, twice := d.doors.runs["s3:"+o.Name]; twice {
			return fmt.Errorf("there are two buckets with the name %s: give each its own", o.Name)
		}
		d.doors.runs["s3:"+o.Name] = b.Run
		d.doors.counts = append(d.doors.counts, b.Counts)
	}
	return nil
}

// takeIn lets in what comes through the doors until ctx ends.
func (d *Desk) takeIn(ctx context.Context) error {
	if len(d.doors.runs) == 0 {
		<-ctx.Done()
		return nil
	}
	return runLoops(ctx, d.doors.runs)
}

// LineHandler takes in lines by HTTP, at inlet's paths; nil when nobody may send any.
func (d *Desk) LineHandler() http.Handler {
	if d.doors.http == nil {
		return nil
	}
	return d.doors.http
}

// Doors says what came through each door since the start.
func (d *Desk) Doors() (all []inlet.Count) {
	for _, f := range d.doors.counts {
		all = append(all, f()...)
	}
	return all
}
