package web

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"tocsin/internal/desk"
	"tocsin/ui"
)

// dossier asks which report of an incident is wanted.
func (s *Server) dossier(v *visit) error { return s.showDossier(v, http.StatusOK, nil) }

func (s *Server) showDossier(v *visit, code int, mistake error) error {
	id, title, severity, err := s.headed(v)
	if err != nil {
		return err
	}
	view := ui.DossierView{ID: fmt.Sprint(id), Incident: title, Severity: severity}
	view.Frame = s.frame(v, "incidents", fmt.Sprintf("Report of incident %d", id))
	view.Still = true // it is a form
	view.Exchange = ui.Form{ID: "exchange", Action: fmt.Sprintf("/incidents/%d/exchange", id), Button: "Write it for programs", Leaves: true, Fields: []ui.Field{
		{Name: "format", Kind: "choice", Label: "Format", Options: options("stix", "stix", "STIX 2.1, for threat intelligence", "veris", "VERIS, for statistics of incidents")},
		{Name: "audience", Kind: "choice", Label: "For whom (TLP)", Options: audiences("AMBER")}}}
	if strings.HasSuffix(v.r.URL.Path, "/exchange") {
		view.Exchange = view.Exchange.Again(v.r.PostForm, deedErrors(mistake, "exchange", "audience"))
		mistake = nil
	}
	choice := func(field, usual string, options ...ui.Option) []ui.Option {
		chosen := cmp.Or(v.r.PostFormValue(field), usual)
		for k := range options {
			options[k].Chosen = options[k].Value == chosen
		}
		return options
	}
	view.Formats = choice("format", "pdf", ui.Option{Value: "pdf", Word: "PDF"}, ui.Option{Value: "html", Word: "HTML"}, ui.Option{Value: "docx", Word: "Word (DOCX)"}, ui.Option{Value: "md", Word: "Markdown"})
	view.Depths = choice("depth", "full", ui.Option{Value: "full", Word: "everything"}, ui.Option{Value: "executive", Word: "a few pages for who decides"})
	view.Audiences = audiences(cmp.Or(v.r.PostFormValue("audience"), "AMBER"))
	if s.desk.MayReportRed(v.actor, id) {
		red := ui.Option{Value: "RED", Word: "TLP:RED, for my eyes only", Chosen: v.r.PostFormValue("audience") == "RED"}
		view.Audiences = append(view.Audiences, red)
	}
	if wrong, ok := errors.AsType[desk.FieldError](mistake); ok {
		view.Errors = ui.Errors{{Field: wrong.Field, Says: wrong.Says}}
	}
	return ui.Dossier.Show(v.w, code, view)
}

// makeDossier hands a report out, with its manifest, in a ZIP file.
func (s *Server) makeDossier(v *visit) error {
	id, err := number(v.r, "id")
	if err != nil {
		return err
	}
	m, err := s.desk.Dossier(v.actor, id, desk.DossierAsk{Form: v.r.PostFormValue("format"), Depth: v.r.PostFormValue("depth"), Audience: v.r.PostFormValue("audience"), Zone: v.zone})
	if err = leaves(err); mistyped(err) {
		return s.showDossier(v, http.StatusUnprocessableEntity, err)
	}
	if err != nil {
		return err
	}
	b, err := m.Packed(v.now)
	if err != nil {
		return err
	}
	name, _, _ := strings.Cut(m.Name, ".")
	v.w.Header().Set("Content-Type", "application/zip")
	v.w.Header().Set("Content-Disposition", `attachment; filename="`+name+`.zip"`)
	_, err = v.w.Write(b)
	return err
}

// audiences are the readers for whom something may be written, by their label.
func audiences(chosen string) []ui.Option {
	return options(chosen, "CLEAR", "TLP:CLEAR, everybody", "GREEN", "TLP:GREEN, our community", "AMBER", "TLP:AMBER, us and our clients", "AMBER+STRICT", "TLP:AMBER+STRICT, us only")
}

// leaves words a refusal to let an incident out, for whoever chose the readers.
func leaves(err error) error {
	if held, ok := errors.AsType[desk.Withheld](err); ok {
		return desk.FieldError{Field: "audience", Says: sentence(held)}
	}
	return err
}

func mistyped(err error) bool {
	_, ok := errors.AsType[desk.FieldError](err)
	return ok
}

// makeExchange hands an incident out for the programs of other teams.
func (s *Server) makeExchange(v *visit) error {
	id, err := number(v.r, "id")
	if err != nil {
		return err
	}
	form := v.r.PostFormValue("format")
	r, err := s.desk.Exchange(v.actor, id, form, v.r.PostFormValue("audience"))
	if err = leaves(err); mistyped(err) {
		return s.showDossier(v, http.StatusUnprocessableEntity, err)
	}
	if err != nil {
		return err
	}
	kind := "application/json"
	if form == "stix" {
		kind = "application/stix+json;version=2.1" // as TAXII 2.1 names it
	}
	v.w.Header().Set("Content-Type", kind)
	v.w.Header().Set("Content-Disposition", fmt.Sprintf(`attachment; filename="incident-%d.%s.json"`, id, form))
	_, err = v.w.Write(r.Data)
	return err
}
