package desk

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"tocsin/internal/auth"
	"tocsin/internal/detect"
	"tocsin/internal/entry"
	"tocsin/internal/incident"
	"tocsin/internal/report"
	"tocsin/internal/tlp"
)

// ErrNoOutsideReport says that there is no such report, or that it belongs to an incident that is restricted to others.
var ErrNoOutsideReport = errors.New("there is no such report")

// An OutsideReport is a report as the team sees it before it is opened.
type OutsideReport struct {
	report.Case
	Bundled  int   // of the one that stands for a bucket: how many are kept together with it, itself among them; 0 it stands alone
	Together int   // how many of a bucket are decided about at once: see report.Case.Apart
	Free     int   // how many of those belong to no incident: for these one is opened
	Last     int64 // the last of the bucket
	New      int   // how many of these wait for somebody to open them
}

// reportHidden reports whether a report belongs to an incident that is restricted to others.
func reportHidden(s *State, actor auth.Actor, c *report.Case) bool {
	if c.Incident == 0 {
		return false
	}
	i, err := s.Incidents.Get(c.Incident)
	return err == nil && hides(s, i, actor)
}

// seenReport finds a report for an actor.
func seenReport(s *State, actor auth.Actor, id int64) (*report.Case, error) {
	c, ok := s.reports.Case(id)
	if !ok || reportHidden(s, actor, c) {
		return nil, ErrNoOutsideReport
	}
	return c, nil
}

// aloneReport is a report without those that are kept together with it.
func aloneReport(s *State, actor auth.Actor, c *report.Case) OutsideReport {
	x := OutsideReport{Case: *c}
	x.Thread, x.Steps = slices.Clone(c.Thread), slices.Clone(c.Steps)
	for k := range x.Steps {
		step := &x.Steps[k]
		switch i, err := s.Incidents.Get(step.Incident); {
		case err != nil:
		case hides(s, i, actor):
			step.Incident, step.Text = 0, "" // they may not know its number, nor why
		case step.Text != "" && s.Incidents.IsRed(i) && !hears(i, actor):
			step.Text = incident.Covered
		}
	}
	if i, err := s.Incidents.Get(c.Incident); err == nil && s.Incidents.IsRed(i) && !hears(i, actor) {
		for k := range x.Steps { // of what was said before it had an incident, too
			if x.Steps[k].Text != "" {
				x.Steps[k].Text = incident.Covered
			}
		}
	}
	return x
}

func outsideReport(s *State, actor auth.Actor, c *report.Case) OutsideReport {
	x := aloneReport(s, actor, c)
	if c.Bucket == 0 {
		return x
	}
	all, first := bucketOf(s, actor, c.Bucket)
	stands := first == c
	if !stands && (c.Apart || s.Incidents.Root(c.Incident) == s.Incidents.Root(first.Incident)) {
		return x // another one stands for it
	}
	covers := bucketCovers(s, actor, c, 0, false)
	for _, o := range all {
		x.Last = o.ID
		if stands {
			x.Bundled++
			if o.Waits() {
				x.New++
			}
		}
		if o.Apart || !covers(o) || o.Done() && !c.Done() {
			continue
		}
		if x.Together++; o.Incident == 0 {
			x.Free++
		}
	}
	return x
}

// bucketOf are the reports of a bucket that an actor may see, oldest first, and the one that stands for them: the first that does not stand apart.
func bucketOf(s *State, actor auth.Actor, bucket int64) (all []*report.Case, first *report.Case) {
	all = slices.DeleteFunc(s.reports.Bucket(bucket), func(c *report.Case) bool { return reportHidden(s, actor, c) })
	if k := slices.IndexFunc(all, func(c *report.Case) bool { return !c.Apart }); k >= 0 {
		return all, all[k]
	}
	if len(all) > 0 {
		return all, all[0]
	}
	return nil, nil
}

// OutsideReports lists reports, the newest first; of a bucket one stands for all. waiting has those that are not dealt with alone: a bucket is while one of
// its reports is.
func (d *Desk) OutsideReports(actor auth.Actor, waiting bool, from, most int) (out []OutsideReport, all int, err error) {
	if err := auth.May(actor, auth.Handle); err != nil {
		return nil, 0, err
	}
	d.Read(func(s *State) {
		for _, c := range s.reports.Cases() {
			of := []*report.Case{c}
			if c.Bucket != 0 {
				of, c = bucketOf(s, actor, c.Bucket)
			}
			if c == nil || reportHidden(s, actor, c) || waiting && !slices.ContainsFunc(of, func(c *report.Case) bool { return !c.Done() || c.Unread > 0 }) {
				continue
			}
			if all++; all > from && len(out) < most {
				out = append(out, outsideReport(s, actor, c))
			}
		}
	})
	return out, all, nil
}

// ReportsWaiting is how many reports nobody has opened, or have new words of their writers; 0 for who may not read them.
func (d *Desk) ReportsWaiting(actor auth.Actor) (n int) {
	if auth.May(actor, auth.Handle) != nil {
		return 0
	}
	d.Read(func(s *State) {
		for _, c := range s.reports.Waiting() {
			if !reportHidden(s, actor, c) {
				n++
			}
		}
	})
	return n
}

// ReportsLeft are the reports of an incident that are not dealt with, oldest first, or with 0 those of all incidents that are closed: their reporters still
// read that somebody is at work.
func (d *Desk) ReportsLeft(actor auth.Actor, of int64) (ids []int64) {
	if auth.May(actor, auth.Handle) != nil {
		return nil
	}
	d.Read(func(s *State) {
		for _, c := range s.reports.Unfinished() {
			i, err := s.Incidents.Get(s.Incidents.Root(c.Incident)) // one that is merged was never closed by itself
			if err == nil && !reportHidden(s, actor, c) && !hides(s, i, actor) && (of != 0 && i.ID == s.Incidents.Root(of) || of == 0 && i.Closed) {
				ids = append(ids, c.ID)
			}
		}
	})
	return ids
}

// OutsideBucket lists the reports that are kept together with one, itself left out, oldest first, and how many these are. Errors as of OutsideReport.
func (d *Desk) OutsideBucket(actor auth.Actor, id int64, from, most int) (out []OutsideReport, all int, err error) {
	if err := auth.May(actor, auth.Handle); err != nil {
		return nil, 0, err
	}
	d.Read(func(s *State) {
		var c *report.Case
		if c, err = seenReport(s, actor, id); err != nil || c.Bucket == 0 {
			return
		}
		of, _ := bucketOf(s, actor, c.Bucket)
		for _, o := range of {
			if o.ID == id {
				continue
			}
			if all++; all > from && len(out) < most {
				out = append(out, aloneReport(s, actor, o))
			}
		}
	})
	return out, all, err
}

// OutsideReport returns one report, and those that are kept together with it, at most 200 (OutsideBucket has all). Errors: auth.Refusal, ErrNoOutsideReport.
func (d *Desk) OutsideReport(actor auth.Actor, id int64) (x OutsideReport, bucket []OutsideReport, err error) {
	if bucket, _, err = d.OutsideBucket(actor, id, 0, 200); err != nil {
		return x, nil, err
	}
	d.Read(func(s *State) {
		var c *report.Case
		if c, err = seenReport(s, actor, id); err == nil {
			x = outsideReport(s, actor, c)
		}
	})
	return x, bucket, err
}

// ReportWords is what a report says, opened.
type ReportWords struct {
	report.Parcel
	Thread []report.Parcel // of each message of the thread what it says; without words when it cannot be opened
	Locked bool            // some of these open with a passphrase that was not given
	Lost   bool            // some of these cannot be read just now, for another reason
}

// All are the attachments of the report, then those of its messages, in their order.
func (w ReportWords) All() []report.File {
	all := slices.Clone(w.Files)
	for _, m := range w.Thread {
		all = append(all, m.Files...)
	}
	return all
}

// OpenOutsideReport opens what was told, and writes that somebody of the team has read it. Of the attachments of messages only the beginnings are there, since
// a thread may have more of them than memory: OpenReportWith has them. Errors: auth.Refusal, ErrNoOutsideReport, ErrReportLocked, letterbox.ErrSealed when none
// of our keys opens it.
func (d *Desk) OpenOutsideReport(actor auth.Actor, id int64) (ReportWords, error) {
	return d.OpenReportWith(actor, id, func(int, int64) bool { return false })
}

// fileHead is how much of an attachment tells what it claims to be.
const fileHead = 4 << 10

// OpenReportWith is OpenOutsideReport with those attachments of messages whole that keep wants. It is asked with their number, from 1 on behind those of the
// report itself (ReportWords.All), and their bytes. To a token what belongs to an incident that is TLP:RED is a Withheld.
func (d *Desk) OpenReportWith(actor auth.Actor, id int64, keep func(n int, size int64) bool) (ReportWords, error) {
	x, _, err := d.OutsideReport(actor, id)
	if err == nil {
		d.Read(func(s *State) { err = reportWithheld(s, actor, x.Incident) })
	}
	if err != nil {
		return ReportWords{}, err
	}
	keys, locked, err := d.reportKeys(actor)
	if err != nil {
		return ReportWords{}, err
	}
	t := ReportWords{}
	if t.Parcel, err = d.openParcel(x.Vault, keys, locked); err != nil {
		return t, err
	}
	n := len(t.Files)
	for _, m := range x.Thread {
		p, err := d.openParcel(m.Vault, keys, locked)
		if err != nil {
			is := errors.Is(err, ErrReportLocked)
			p, t.Locked, t.Lost = report.Parcel{}, t.Locked || is, t.Lost || !is
		}
		for k := range p.Files {
			f := &p.Files[k]
			if n++; !keep(n, f.Size) {
				f.Data = slices.Clone(f.Data[:min(len(f.Data), fileHead)]) // so that the rest is given back
			}
		}
		t.Thread = append(t.Thread, p)
	}
	return t, d.sawReport(actor, id)
}

// reportWithheld refuses to tell a token what a report says that belongs to an incident which is TLP:RED: a Withheld.
func reportWithheld(s *State, actor auth.Actor, id int64) error {
	i, err := s.Incidents.Get(id)
	if err != nil || !s.Incidents.IsRed(i) || hears(i, actor) {
		return nil // of no incident, or for those for whom it is
	}
	return Withheld{id, tlp.Red, tlp.Export}
}

// sawReport writes that somebody opened a report, once.
func (d *Desk) sawReport(actor auth.Actor, id int64) error {
	return d.write(func(s *State, _ time.Time) ([]entry.Draft, error) {
		x, news, err := report.See(s.reports, report.Deed{Person: personOf(actor), Report: id})
		if !news || err != nil {
			return nil, err
		}
		x.Actor = actor.Name
		return []entry.Draft{x}, nil
	})
}

// personOf is who decides: a person, or whoever sits at the machine.
func personOf(actor auth.Actor) string {
	if actor.ID != "" {
		return actor.ID
	}
	return actor.Name
}

// ReportRule is the rule of the alert that a report waits to be read.
const ReportRule = "tocsin-report-waits"

// waitingReports is the alert of reports that nobody has looked at: one for all that came together (report.Wave).
func (d *Desk) waitingReports(now time.Time) (out []detect.Alert) {
	if d.o.Outside == nil {
		return nil
	}
	d.Read(func(s *State) {
		if w := s.reports.Wave; w.First != 0 && !w.Rung.IsZero() && !w.Seen {
			out = append(out, waveAlert(w, d.o.Outside.Severity, now))
		}
	})
	return out
}

func waveAlert(w report.Wave, severity string, now time.Time) detect.Alert {
	a := standing(ReportRule, fmt.Sprint(w.First), w.Rung.UTC(), now, "reports", "")
	a.Samples = []string{fmt.Sprintf("report %d came from outside, and nobody has opened it since %s: read it on the page Reports", w.First, w.Rung.UTC().Format(time.RFC3339))}
	if a.Level = severity; severity == "" {
		a.Level = incident.High
	}
	return a
}

// ReportTally says how many reports came in the wave that goes on, and how many of these wait for somebody to open them, if a report is of that wave: of those
// that the actor may see.
func (d *Desk) ReportTally(actor auth.Actor, id int64, now time.Time) (came, wait int) {
	if auth.May(actor, auth.Handle) != nil {
		return 0, 0
	}
	d.Read(func(s *State) {
		w := s.reports.Wave
		if w.First == 0 || w.Rung.IsZero() || w.Over(now) || id < w.First {
			return
		}
		for n := w.First; ; n++ {
			c, ok := s.reports.Case(n)
			if !ok {
				return
			}
			if reportHidden(s, actor, c) {
				continue
			}
			if came++; c.Waits() {
				wait++
			}
		}
	})
	return came, wait
}

// ReportFlood is how many reports came together in the wave that goes on, and how many receipts were wrong in the last hour that some were.
func (d *Desk) ReportFlood(now time.Time) (wave, wrong int) {
	d.Read(func(s *State) {
		if w := s.reports.Wave; !w.Rung.IsZero() && !w.Over(now) {
			wave = w.Count
		}
		if g := s.reports.Guesses; now.Sub(g.Since) < 2*time.Hour {
			wrong = g.Count
		}
	})
	return wave, wrong
}
