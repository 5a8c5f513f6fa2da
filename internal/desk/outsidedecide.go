package desk

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"tocsin/internal/auth"
	"tocsin/internal/entry"
	"tocsin/internal/incident"
	"tocsin/internal/letterbox"
	"tocsin/internal/report"
)

// ReportDeeds are what may be decided about a report.
func ReportDeeds() []string { return []string{"answer", "open", "join", "close", "spam", "reopen"} }

// A ReportDeed is what somebody of the team decides about a report, in one step.
type ReportDeed struct {
	Report   int64
	Deed     string // see ReportDeeds
	Incident int64  // of join
	Message  string // to the reporter; "" is none
	Reason   string // for us
	Bucket   bool   // all that are kept together with it, but for those of other incidents
	Last     int64  // of Bucket: the last of these that they saw; what came after it stays as it is. 0 does not say
	Unmailed bool   // decide though the report cannot be opened now, so that nobody knows whether its reporter gave a mail address
	Seen     *int   // report.Case.Moves as they saw it; nil does not say
}

// DecideReport decides about a report, tells its reporter, and returns the incident to which it belongs then, 0 for none. A reporter who gave a mail address
// is told there, too; of a closing always.
//
// Errors: auth.Refusal; ErrNoOutsideReport; ErrReportLocked when the reporter would be told, and nobody can read where; an Overtaken; a FieldError of deed,
// incident or message; incident.ErrNotFound; ErrBroken; else it cannot be, in a sentence.
func (d *Desk) DecideReport(actor auth.Actor, x ReportDeed) (id int64, err error) {
	if err := errors.Join(auth.May(actor, auth.Handle), d.Broken()); err != nil {
		return 0, err
	}
	c, _, err := d.OutsideReport(actor, x.Report)
	if err != nil {
		return 0, err
	}
	if err := d.mayDecide(actor, c, &x); err != nil {
		return 0, err
	}
	var kept []string // in the vault, until the entry that names it is written
	defer func() { d.unkept(err, kept...) }()
	deed := report.Deed{Person: personOf(actor), Report: x.Report, Bucket: x.Bucket, Incident: x.Incident}
	deed.Text, err = d.text(strings.TrimSpace(x.Reason))
	if kept = append(kept, deed.Text); err != nil {
		return 0, err
	}
	mail, err := d.answerFor(actor, c, &x, &deed, &kept)
	if err != nil {
		return 0, err
	}
	link := ""
	if x.Deed == "open" || x.Deed == "join" {
		link, err = d.text(fmt.Sprintf("Report %d from outside is part of this incident. What was told is sealed: %s/reports/%d opens it.", x.Report, d.o.URL, x.Report))
		if kept = append(kept, link); err != nil {
			return 0, err
		}
	}
	err = d.write(func(s *State, now time.Time) ([]entry.Draft, error) {
		c, err := seenReport(s, actor, x.Report)
		if err != nil {
			return nil, err
		}
		if x.Seen != nil && *x.Seen != c.Moves() {
			return nil, movedReport(c)
		}
		if x.Bucket {
			deed.Covers = bucketCovers(s, actor, c, x.Last, x.Deed == "open")
		}
		if actor.Scope != nil && x.Deed == "join" && takesFromRed(s, c, deed) {
			return nil, ErrRedByToken
		}
		drafts, err := decideReport(s, now, actor, x.Deed, &deed, link)
		if err == nil && mail != nil {
			drafts = append(drafts, wantReportMail(s, d.vault.Hash, *mail))
		}
		id = deed.Incident
		return drafts, err
	})
	return id, d.late(actor, c.Incident, err, x.Message, x.Reason)
}

// takesFromRed reports whether a deed that lets reports join an incident takes one of them out of another that is TLP:RED: then more people may hear of it.
func takesFromRed(s *State, c *report.Case, deed report.Deed) bool {
	some := []*report.Case{c}
	if deed.Bucket {
		some = append(some, slices.DeleteFunc(s.reports.Bucket(c.Bucket), func(o *report.Case) bool { return !deed.Covers(o) })...)
	}
	for _, o := range some {
		if i, err := s.Incidents.Get(o.Incident); err == nil && s.Incidents.IsRed(i) && s.Incidents.Root(o.Incident) != s.Incidents.Root(deed.Incident) {
			return true
		}
	}
	return false
}

// ReportOfRed reports whether a report belongs to an incident that is TLP:RED: who lets it join another lets more people hear of it.
func (d *Desk) ReportOfRed(actor auth.Actor, id int64) (red bool) {
	d.ReadAs(actor, func(s *State) {
		if o, ok := s.reports.Case(id); ok {
			i, err := s.Incidents.Get(o.Incident)
			red = err == nil && s.Incidents.IsRed(i)
		}
	})
	return red
}

// unkept erases what was put into the vault for an entry that was then refused. When the ledger broke, the entry may be in it, and all stays.
func (d *Desk) unkept(refused error, kept ...string) {
	if refused == nil || errors.Is(refused, ErrBroken) {
		return
	}
	if err := d.erase(slices.DeleteFunc(kept, func(id string) bool { return id == "" })); err != nil {
		d.log.Error("erasing what was kept for something that was refused", "error", err)
	}
}

// answerFor seals what the reporter is told into the deed, and keeps the mail that brings it, nil when there is none.
func (d *Desk) answerFor(actor auth.Actor, c OutsideReport, x *ReportDeed, deed *report.Deed, kept *[]string) (mail *entry.ReportMail, err error) {
	to := ""
	if c.Reply != "" && !x.Bucket && (x.Deed == "close" || x.Message != "") {
		to, err = d.reporterAddress(actor, c)
		if errors.Is(err, ErrReportLocked) && x.Unmailed {
			err = nil
		}
		if err != nil {
			return nil, err
		}
	}
	if x.Deed == "close" && x.Message == "" && to != "" { // who is named hears how it ended
		x.Message = closingWords(c.Lang)
	}
	if x.Message == "" {
		return nil, nil
	}
	reply := replyTo(c.Reply)
	if reply == "" && to == "" {
		return nil, FieldError{"message", "This report came with a key to which nothing can be sealed, and nobody knows a mail address of its reporter: leave the message empty."}
	}
	sealed, err := letterbox.Post(report.Parcel{What: x.Message}, d.TeamKey(), reply)
	if err != nil {
		return nil, err
	}
	if deed.Message.Vault, err = d.vault.Put(sealed); err != nil {
		return nil, fmt.Errorf("keeping an answer: %w", err)
	}
	*kept = append(*kept, deed.Message.Vault)
	deed.Message.Size = int64(len(sealed))
	if to == "" {
		return nil, nil
	}
	if mail, err = d.mailFor(to, c, x.Message); err == nil {
		*kept = append(*kept, mail.Vault)
	}
	return mail, err
}

// replyTo is to whom answers are sealed beside the team: the key that came with a report, or "" when nothing can be sealed to it. Then the team alone reads what
// it wrote, and the reporter is told by mail or not at all; but what is decided about the report never hangs on what a stranger sent.
func replyTo(recipient string) string {
	if letterbox.CheckRecipient(recipient) != nil {
		return ""
	}
	return recipient
}

// movedReport is the refusal of who decides about a report that somebody else did something with since they looked.
func movedReport(c *report.Case) error {
	o := &incident.Overtaken{What: fmt.Sprintf("something was done with report %d", c.ID), By: "another", Then: "look at it, and decide again where that is still right"}
	for _, step := range c.Steps {
		if step.Kind != entry.ReportRead {
			o.By, o.At, o.Text = "person:"+step.Person, step.At, step.Text
		}
	}
	if n := len(c.Thread); n > 0 && !c.Thread[n-1].Team && c.Unread > 0 {
		return &incident.Overtaken{What: fmt.Sprintf("something was written to report %d", c.ID), By: "its reporter", At: dayOf(c.Thread[n-1].Day), Then: o.Then}
	}
	return o
}

// dayOf is the beginning of a day as entries keep it.
func dayOf(day string) time.Time {
	t, _ := time.Parse(time.DateOnly, day) // what was written is one
	return t
}

// mayDecide says what cannot be before anything is kept.
func (d *Desk) mayDecide(actor auth.Actor, c OutsideReport, x *ReportDeed) error {
	x.Message = strings.TrimSpace(strings.ReplaceAll(x.Message, "\r\n", "\n"))
	switch {
	case !slices.Contains(ReportDeeds(), x.Deed):
		return FieldError{"deed", "Choose what becomes of the report."}
	case x.Deed == "answer" && x.Message == "":
		return FieldError{"message", "Write what the reporter is told."}
	case x.Message != "" && (x.Deed == "spam" || x.Deed == "reopen"):
		return FieldError{"message", "With this nobody is told anything: leave the message empty, or answer first."}
	case x.Bucket && c.Bucket == 0:
		return FieldError{"bucket", "This report stands alone."}
	case x.Message != "" && x.Bucket:
		return FieldError{"message", "Reporters that are kept together are answered one by one: leave the message empty, or do it for this report alone."}
	case x.Message != "" && c.Reply == "":
		return FieldError{"message", "This report has no receipt, so its reporter cannot be answered."}
	case len([]rune(x.Message)) > report.MostText:
		return FieldError{"message", fmt.Sprintf("A message has at most %d characters.", report.MostText)}
	}
	if x.Deed != "join" {
		x.Incident = 0
		return nil
	}
	if err := d.MayOn(actor, auth.Handle, x.Incident); errors.Is(err, incident.ErrNotFound) {
		return FieldError{"incident", "Choose an incident that is open."}
	} else if err != nil {
		return err
	}
	return nil
}

// bucketCovers says which reports of the bucket of c a decision about all of them is about: those that stand alone or belong to the incident of c, up to the last
// one that was seen. So it reaches none that is hidden from who decides. alone leaves out those of any incident.
func bucketCovers(s *State, actor auth.Actor, c *report.Case, last int64, alone bool) func(*report.Case) bool {
	of := int64(0)
	if !alone {
		of = s.Incidents.Root(c.Incident)
	}
	return func(c *report.Case) bool {
		return (last == 0 || c.ID <= last) && (c.Incident == 0 || of != 0 && s.Incidents.Root(c.Incident) == of && !reportHidden(s, actor, c))
	}
}

// decideReport returns the drafts of a deed, and puts the incident into it.
func decideReport(s *State, now time.Time, actor auth.Actor, what string, deed *report.Deed, link string) (drafts []entry.Draft, err error) {
	var x entry.Draft
	switch what {
	case "answer":
		x, err = report.Answer(s.reports, now, *deed)
	case "close":
		x, err = report.Close(s.reports, now, *deed)
	case "spam":
		x, err = report.Drop(s.reports, now, *deed)
	case "reopen":
		x, err = report.Reopen(s.reports, now, *deed)
	case "open":
		var opened entry.Draft
		if deed.Incident = waveIncident(s, deed.Report); deed.Incident == 0 {
			if opened, deed.Incident, err = s.Incidents.Report(actor.Name, incident.High, now); err != nil {
				return nil, err
			}
			drafts = append(drafts, opened)
		}
		x, err = report.Open(s.reports, now, *deed)
	case "join":
		x, err = report.Join(s.reports, now, *deed, func(id int64) bool {
			i, err := s.Incidents.Get(id)
			return err == nil && i.Working() && !hides(s, i, actor)
		})
	}
	if err != nil {
		return nil, err
	}
	x.Actor = actor.Name
	if what == "open" || what == "join" {
		drafts = append(drafts, entry.Draft{Actor: actor.Name, Kind: entry.IncidentNoted, Subject: fmt.Sprintf("incident:%d", deed.Incident), Body: entry.Note{ID: deed.Incident, Text: link}})
	}
	return append(drafts, x), nil
}

// waveIncident is the open incident that the call for reports has made, if the report is of that wave and no other report has it yet: it becomes the
// incident of the report, so that one thing is not worked on twice.
func waveIncident(s *State, id int64) int64 {
	w := s.reports.Wave
	if w.First == 0 || w.Rung.IsZero() || id < w.First {
		return 0
	}
	a := s.Incidents.Alerts[waveAlert(w, "", w.Rung).ID]
	if a == nil {
		return 0
	}
	i, err := s.Incidents.Get(a.Incident)
	if err != nil || !i.Working() || i.Restricted() || len(i.Alerts) > 1 {
		return 0
	}
	if s.reports.Has(i.ID) {
		return 0
	}
	return i.ID
}
