package desk

import (
	"fmt"

	"tocsin/internal/detect"
	"tocsin/internal/intake"
	"tocsin/internal/record"
	"tocsin/internal/sigma"
)

// A Fired line is a sample line of an alert, read again and held against the rules as they are now.
type Fired struct {
	Line   string
	Format string      // as which it was read; "" when it cannot be read by itself
	Rules  []FiredRule // that match it: the alert's own, or those that its correlation counts
}

// A FiredRule is a rule that matches the line, and what makes it do so.
type FiredRule struct {
	Key, Title string
	Held       []sigma.Held
}

// Fired says why the first sample lines of an alert, at most so many, matched: of a correlation, for each rule that it reads, directly or
// through others. A line is read by itself, as of the alert's beginning, with what the desk knows of places, proxies, mappings and
// watch lists; what only the lines before it said is not there.
func (d *Desk) Fired(set RuleSet, doc sigma.Document, a detect.Alert, most int) ([]Fired, error) {
	o := d.detectOptions()
	p, err := intake.New(intake.Options{Geo: d.o.Geo, Trusted: d.o.Trusted, Zone: d.o.Zone, Maps: d.o.Maps})
	if err != nil {
		return nil, err
	}
	below := rulesBelow(set, doc, nil)
	var out []Fired
	for n, line := range a.Samples[:min(len(a.Samples), most)] {
		file := fmt.Sprintf("sample %d", n) // of several logs it is not known which: what one line says of its format is nothing for the next
		if len(a.Logs) == 1 {
			file = a.Logs[0]
		}
		r := p.Parse(record.Line{File: file, Raw: line}, a.First)
		MarkListed(d.lists.set.Load(), r)
		f := Fired{Line: line, Format: r.Format}
		for _, u := range below {
			if held, yes := u.Held(r, o.Zone); yes && u.Routed(r.Source) {
				f.Rules = append(f.Rules, FiredRule{Key: u.Key(), Title: u.Title, Held: held})
			}
		}
		out = append(out, f)
	}
	return out, nil
}
