package api

import (
	"tocsin/internal/auth"
	"tocsin/internal/client"
	"tocsin/internal/desk"
	"tocsin/internal/report"
)

type (
	reportsQuery struct {
		All  bool `query:"all" doc:"also those that are dealt with"`
		From int  `query:"from" minimum:"0" default:"0" doc:"how many of the list are passed over"`
		Most int  `query:"most" minimum:"1" maximum:"1000" default:"100" doc:"how many the answer has at most"`
	}
	bundleQuery struct {
		ID   int64 `path:"id" minimum:"1" doc:"its number"`
		From int   `query:"from" minimum:"0" default:"0" doc:"how many of the list are passed over"`
		Most int   `query:"most" minimum:"1" maximum:"1000" default:"100" doc:"how many the answer has at most"`
	}
	reportOpeningBody struct {
		Passphrase string `json:"passphrase,omitempty" maxLength:"1000" doc:"of the key for reports, when it is kept under one; it is held for 15 minutes"`
		Files      bool   `json:"files,omitempty" doc:"the attachments, too, in base64"`
	}
	reportDeedBody struct {
		Deed     string `json:"deed" enum:"answer,open,join,close,spam,reopen" doc:"what becomes of it"`
		Incident int64  `json:"incident,omitempty" minimum:"0" doc:"of join: the incident"`
		Message  string `json:"message,omitempty" maxLength:"20000" doc:"what the reporter is told"`
		Reason   string `json:"reason,omitempty" maxLength:"10000" doc:"for us, and the ledger"`
		Bundle   bool   `json:"bundle,omitempty" doc:"all that are kept together with it, but for those that got an incident by themselves"`
		Last     int64  `json:"last,omitempty" minimum:"0" doc:"of bundle: the last of these that you saw, as the list names it; what came after it stays as it is"`
		Seen     *int   `json:"seen,omitempty" minimum:"0" doc:"the moves of the report as you saw them: it is refused when something was done with it since"`
		Unmailed bool   `json:"unmailed,omitempty" doc:"decide though the report cannot be opened now, so that nobody knows whether its reporter gave a mail address"`
	}
	reportEvidenceBody struct {
		Files      []int  `json:"files,omitempty" maxItems:"1000" doc:"numbers of the attachments, from 1 on: those of the report, then those of its messages; without it, all"`
		Why        string `json:"why,omitempty" maxLength:"10000" doc:"why they matter, or the name under which a step expects them"`
		Label      string `json:"label,omitempty" maxLength:"16" doc:"TLP; empty is that of the incident"`
		Passphrase string `json:"passphrase,omitempty" maxLength:"1000" doc:"of the key for reports, when it is kept under one"`
	}
	reportKeyBody struct {
		Passphrase string `json:"passphrase,omitempty" maxLength:"1000" doc:"12 characters at least; without one the vault alone protects the key"`
	}
	// ReportIncident is the incident to which a report belongs.
	ReportIncident struct {
		Incident int64 `json:"incident,omitempty"`
	}
	// ReportRecipient is the public half of the key for reports.
	ReportRecipient struct {
		Recipient string `json:"recipient"`
	}
)

// reportOperations are those of reports from outside, for the team.
func reportOperations(t *table) {
	o := get("/reports", "listReports", "List what people outside reported")
	o.need, o.web = auth.Handle, "GET /reports"
	add(t, o, func(a ask, in *reportsQuery) (client.ReportList, error) {
		out := client.ReportList{Reports: []client.Report{}, Waiting: a.desk.ReportsWaiting(a.actor)}
		rows, all, err := a.desk.OutsideReports(a.actor, !in.All, in.From, in.Most)
		for _, x := range rows {
			out.Reports = append(out.Reports, reportOf(a.desk, x))
		}
		out.All = all
		return out, err
	})
	o = get("/reports/{id}/bundle", "listBundle", "List the reports that are kept together with one")
	o.need, o.web, o.about = auth.Handle, "GET /reports/{id}", "The oldest first, itself left out. It opens none of them."
	add(t, o, func(a ask, in *bundleQuery) (client.ReportList, error) {
		out := client.ReportList{Reports: []client.Report{}, Waiting: a.desk.ReportsWaiting(a.actor)}
		rows, all, err := a.desk.OutsideBucket(a.actor, in.ID, in.From, in.Most)
		for _, x := range rows {
			out.Reports = append(out.Reports, reportOf(a.desk, x))
		}
		out.All = all
		return out, err
	})
	o = post("/reports/{id}/open", "openReport", "Open a report")
	o.need, o.web, o.about = auth.Handle, "GET /reports/{id}, POST /reports/{id}/unlock, GET /reports/{id}/files/{n}", "That it was opened is written down. All that it says is in a stranger's words."
	o.shown = true // no copy of what was told is kept under an idempotency key
	add(t, o, func(a ask, in *numberedWith[reportOpeningBody]) (client.OpenedReport, error) {
		return openReport(a, in.ID, in.Body)
	})
	o = post("/reports/{id}/decide", "decideReport", "Answer a report, make an incident of it, join it to one, close it, drop it, or take it up again")
	o.need, o.web = auth.Handle, "POST /reports/{id}, POST /reports/{id}/reopen"
	add(t, o, func(a ask, in *numberedWith[reportDeedBody]) (ReportIncident, error) {
		x := in.Body
		id, err := a.desk.DecideReport(held(a), desk.ReportDeed{Report: in.ID, Deed: x.Deed, Incident: x.Incident, Message: x.Message, Reason: x.Reason, Bucket: x.Bundle, Last: x.Last, Seen: x.Seen, Unmailed: x.Unmailed})
		return ReportIncident{id}, err
	})
	o = post("/reports/{id}/evidence", "bringReportFiles", "Make attachments of a report evidence of its incident, with their custody")
	o.need, o.web, o.about = auth.Handle, "POST /reports/{id}/evidence", "What is evidence of the incident already, byte for byte, is not brought twice."
	add(t, o, func(a ask, in *numberedWith[reportEvidenceBody]) (client.BroughtEvidence, error) {
		out, actor := client.BroughtEvidence{Files: []client.BroughtFile{}}, held(a)
		if in.Body.Passphrase != "" {
			if err := a.desk.UnlockReports(actor, in.Body.Passphrase); err != nil {
				return out, err
			}
		}
		at, files, err := a.desk.BringReportFiles(actor, desk.ReportEvidence{Report: in.ID, Files: in.Body.Files, Why: in.Body.Why, Label: in.Body.Label})
		out.Incident = at
		for _, f := range files {
			out.Files = append(out.Files, client.BroughtFile{File: f.File, Attachment: f.Attachment, Was: f.Was})
		}
		return out, err
	})
	o = post("/reports/key", "makeReportKey", "Make another key to which reports are sealed")
	o.need, o.web, o.about = auth.Team, "POST /reports/key", "Older reports stay readable with the older key."
	add(t, o, func(a ask, in *body[reportKeyBody]) (ReportRecipient, error) {
		err := a.desk.MakeReportKey(a.actor, in.Body.Passphrase)
		return ReportRecipient{a.desk.TeamKey()}, err
	})
	o = get("/reports/security-txt", "getSecurityTxt", "Show security.txt as it is served")
	o.need = auth.See
	add(t, o, func(a ask, _ *none) (client.SecurityText, error) {
		return securityText(a.desk.SecurityText(a.now)), nil
	})
	o = post("/reports/security-txt", "renewSecurityTxt", "Make security.txt anew, for nearly a year")
	o.need, o.web = auth.Team, "POST /reports/security-txt"
	add(t, o, func(a ask, _ *none) (client.SecurityText, error) {
		x, err := a.desk.RenewSecurityText(a.actor)
		return securityText(x), err
	})
}

func securityText(x desk.SecurityText) client.SecurityText {
	return client.SecurityText{Text: x.Text, Expires: x.Expires, Signed: x.Signed, Warning: x.Warning, Lacks: x.Lacks}
}

func reportOf(d *desk.Desk, x desk.OutsideReport) client.Report {
	out := client.Report{ID: x.ID, Day: x.Day, From: x.From, Way: x.Way, Size: x.Size, Readable: x.Plain, Lang: x.Lang, Standing: string(x.Standing), Incident: x.Incident, Unread: x.Unread, Bundled: x.Bundled, Bucket: x.Bucket, Moves: x.Moves()}
	if x.Bundled > 0 {
		out.Last = x.Last
	}
	for _, s := range x.Steps {
		out.Steps = append(out.Steps, client.ReportStep{At: s.At, Kind: string(s.Kind), Person: s.Person, Incident: s.Incident, Why: d.Text(s.Text)})
	}
	return out
}

// held is who asks, so that a key can be held for them: on the socket they have neither session nor token.
func held(a ask) auth.Actor {
	actor := a.actor
	if actor.Via == "" && !actor.Local {
		actor.Via = "socket:" + actor.ID
	}
	return actor
}

// mostAttached is how many bytes of attachments of messages one answer has; those beyond have a name and no bytes.
const mostAttached = 64 << 20

func reportFiles(files []report.File, data bool) (out []client.ReportFile) {
	for _, f := range files {
		x := client.ReportFile{Name: f.Name, Size: f.Size, Warning: report.Handed(f).Warning}
		if data && int64(len(f.Data)) == f.Size {
			x.Data = f.Data
		}
		out = append(out, x)
	}
	return out
}

func openReport(a ask, id int64, x reportOpeningBody) (out client.OpenedReport, err error) {
	actor := held(a)
	if x.Passphrase != "" {
		if err := a.desk.UnlockReports(actor, x.Passphrase); err != nil {
			return out, err
		}
	}
	held := int64(0)
	told, err := a.desk.OpenReportWith(actor, id, func(_ int, size int64) bool {
		held += size
		return x.Files && held <= mostAttached
	})
	if err != nil {
		return out, err
	}
	c, _, err := a.desk.OutsideReport(actor, id)
	if err != nil {
		return out, err
	}
	out = client.OpenedReport{Report: reportOf(a.desk, c), What: told.What, When: told.When, Where: told.Where, Contact: told.Contact}
	out.Files = reportFiles(told.Files, x.Files)
	mailed := a.desk.ReportMailed(c.Case)
	for k, m := range c.Thread {
		row := client.ReportMessage{Team: m.Team, By: m.By, Day: m.Day, Mail: mailed[m.N]}
		if k < len(told.Thread) {
			row.Text, row.Files = told.Thread[k].What, reportFiles(told.Thread[k].Files, x.Files)
		}
		out.Thread = append(out.Thread, row)
	}
	return out, nil
}
