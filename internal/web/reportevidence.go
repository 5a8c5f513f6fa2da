package web

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"

	"tocsin/internal/desk"
	"tocsin/internal/incident"
	"tocsin/internal/tlp"
	"tocsin/ui"
)

// evidenceForm makes attachments of a report evidence of its incident. Which they are the page shows above it.
func evidenceForm(x desk.OutsideReport, i *incident.Incident, told desk.ReportWords) []ui.Form {
	files := told.All()
	if len(files) == 0 || i.Closed {
		return nil
	}
	var ticks []ui.Option
	for k, f := range files {
		ticks = append(ticks, ui.Option{Value: strconv.Itoa(k + 1), Word: fmt.Sprintf("%d. %s, %s", k+1, ui.Visible(f.Name), desk.Size(f.Size)), Chosen: true})
	}
	return []ui.Form{{ID: "evidence", Action: fmt.Sprintf("/reports/%d/evidence", x.ID), Button: "Make it evidence", Hint: "Copies go into the vault, with their SHA-256 and their custody. What is there already is not brought twice.", Fields: []ui.Field{
		{Name: "files", Kind: "ticks", Label: "Which files", Options: ticks},
		{Name: "why", Label: "Why they matter", Hint: "or the name that the playbook gives it", Most: 500},
		{Name: "label", Kind: "choice", Label: "Who may hear of it", Options: labelOptions()}}}}
}

// labelOptions are the labels that a thing may get when it is brought.
func labelOptions() []ui.Option {
	out := []ui.Option{{Value: "", Word: "as the incident", Chosen: true}}
	for _, l := range tlp.Labels() {
		out = append(out, ui.Option{Value: string(l), Word: l.String()})
	}
	return out
}

// bringReportFiles makes the files that were ticked evidence.
func (s *Server) bringReportFiles(v *visit) error {
	id, err := number(v.r, "id")
	if err != nil {
		return err
	}
	x := desk.ReportEvidence{Report: id, Why: text(v.r, "why"), Label: v.r.PostFormValue("label")}
	for _, n := range v.r.PostForm["files"] {
		k, err := strconv.Atoi(n)
		if err != nil || k < 1 {
			return errMissing
		}
		x.Files = append(x.Files, k)
	}
	if len(x.Files) == 0 {
		err = desk.FieldError{Field: "files", Says: "Tick at least one file."}
	} else {
		var at int64
		at, _, err = s.desk.BringReportFiles(v.actor, x)
		if err == nil {
			return done(v, fmt.Sprintf("/incidents/%d/files", at), "evidence")
		}
	}
	if errors.Is(err, desk.ErrReportLocked) { // the time of the passphrase ended meanwhile: what was typed waits until it is given again
		return s.showReport(v, http.StatusUnprocessableEntity, nil, v.r.PostForm)
	}
	if errors.Is(err, desk.ErrNoOutsideReport) {
		return errMissing
	}
	if known(err) {
		return err
	}
	return s.showReport(v, http.StatusUnprocessableEntity, err, nil)
}

// evidenceAgain puts what was typed back into the form, when it is the one that was sent.
func evidenceAgain(v *visit, view *ui.ReportOneView, mistake error) bool {
	if len(view.Evidence) == 0 || v.r.PathValue("id") == "" || v.r.URL.Path != view.Evidence[0].Action {
		return false
	}
	view.Errors = deedErrors(mistake, "evidence", "files")
	view.Evidence[0] = view.Evidence[0].Again(v.r.PostForm, view.Errors)
	return true
}
