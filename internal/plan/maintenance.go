package plan

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"tocsin/internal/entry"
)

// A Window is a time of maintenance, and what became of it.
type Window struct {
	entry.Maintenance        // Until is not after its end
	By                string // who entered it, as entries name actors
	At                time.Time
	Ended             bool // before its time
}

// Limits of maintenance windows.
const (
	maxWindow  = 7 * 24 * time.Hour
	maxAhead   = 366 * 24 * time.Hour
	maxWindows = 50 // that are not over
)

// Holds returns the window that keeps incidents of a severity from ringing at t: the one that lasts longest.
func (p *Plan) Holds(severity string, t time.Time) (Window, bool) {
	var found Window
	for k := len(p.Windows) - 1; k >= 0; k-- {
		w := p.Windows[k]
		if !t.Before(w.From) && t.Before(w.Until) && slices.Contains(w.Severities, severity) && w.Until.After(found.Until) {
			found = w
		}
	}
	return found, found.ID != 0
}

// Standing returns the windows that are not over at t.
func (p *Plan) Standing(t time.Time) (ws []Window) {
	for _, w := range p.Windows {
		if t.Before(w.Until) {
			ws = append(ws, w)
		}
	}
	return ws
}

// Maintain decides that some severities do not ring for a time. Critical always rings.
func (p *Plan) Maintain(actor string, x entry.Maintenance, now time.Time) (entry.Draft, error) {
	x.ID = int64(len(p.Windows)) + 1
	switch {
	case len(x.Severities) == 0:
		return entry.Draft{}, errors.New("say which severities do not ring: high, medium")
	case !x.From.Before(x.Until):
		return entry.Draft{}, errors.New("a maintenance window ends after it begins")
	case !x.Until.After(now):
		return entry.Draft{}, errors.New("this maintenance window is over already")
	case x.Until.Sub(later(x.From, now)) > maxWindow:
		return entry.Draft{}, errors.New("a maintenance window lasts 7 days at most: whoever needs more mutes the rule")
	case x.From.Sub(now) > maxAhead:
		return entry.Draft{}, errors.New("a maintenance window begins within a year")
	case len(p.Standing(now)) >= maxWindows:
		return entry.Draft{}, fmt.Errorf("there are %d maintenance windows that are not over: end one first", maxWindows)
	}
	for _, s := range x.Severities {
		if s != "high" && s != "medium" {
			return entry.Draft{}, fmt.Errorf("a maintenance window holds high and medium back, not %.40q: critical rings all the same", s)
		}
	}
	if x.From.Before(now) {
		x.From = now
	}
	x.From, x.Until = x.From.UTC(), x.Until.UTC()
	return entry.Draft{Actor: actor, Kind: entry.MaintenancePut, Subject: fmt.Sprintf("maintenance:%d", x.ID), Body: x}, nil
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// EndMaintenance decides that a window is over before its time: what it held back rings now.
func (p *Plan) EndMaintenance(actor string, id int64, now time.Time) (entry.Draft, error) {
	if id < 1 || id > int64(len(p.Windows)) || !now.Before(p.Windows[id-1].Until) {
		return entry.Draft{}, fmt.Errorf("no maintenance window %d stands", id)
	}
	return entry.Draft{Actor: actor, Kind: entry.MaintenanceEnded, Subject: fmt.Sprintf("maintenance:%d", id), Body: entry.MaintenanceEnd{ID: id}}, nil
}

func (p *Plan) applyMaintenance(e entry.Entry) (bool, error) {
	switch e.Kind {
	case entry.MaintenancePut:
		x, err := entry.Body[entry.Maintenance](e)
		if err == nil && x.ID != int64(len(p.Windows))+1 {
			err = fmt.Errorf("entry %d: maintenance %d does not follow %d", e.N, x.ID, len(p.Windows))
		}
		if err == nil {
			p.Windows = append(p.Windows, Window{Maintenance: x, By: e.Actor, At: e.Time})
		}
		return true, err
	case entry.MaintenanceEnded:
		x, err := entry.Body[entry.MaintenanceEnd](e)
		if err == nil && (x.ID < 1 || x.ID > int64(len(p.Windows))) {
			err = fmt.Errorf("entry %d: no maintenance window %d", e.N, x.ID)
		}
		if err != nil {
			return true, err
		}
		w := &p.Windows[x.ID-1]
		w.Ended = true
		if e.Time.Before(w.Until) {
			w.Until = e.Time
		}
		return true, nil
	}
	return false, nil
}
