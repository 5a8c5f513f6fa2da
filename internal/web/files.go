package web

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"tocsin/internal/desk"
	"tocsin/internal/entry"
	"tocsin/internal/incident"
	"tocsin/ui"
)

// maxFields is how many bytes the fields of a form that brings a file may have beside the file.
const maxFields = 64 << 10

func escaped(s string) string { return url.QueryEscape(s) }

func (s *Server) files(v *visit) error { return s.showFiles(v, http.StatusOK, "", nil) }

// showFiles shows the evidence of an incident; form names the one that comes back with a mistake.
func (s *Server) showFiles(v *visit, code int, form string, mistake error) error {
	id, err := number(v.r, "id")
	if err != nil {
		return err
	}
	me := s.self(v, id)
	view := ui.FilesView{}
	exhibits, words := s.exhibits(v, id), map[string]string{}
	s.desk.ReadAs(v.actor, func(st *desk.State) {
		for _, f := range filesOn(v, st.FilesOf(id), nil) {
			words[f.Name], words[f.From], words[f.Why] = "", "", ""
			for _, c := range f.Chain[max(0, len(f.Chain)-custodianShown):] {
				words[c.From], words[c.To], words[c.Why] = "", "", ""
			}
		}
	})
	for id := range words {
		words[id] = s.desk.Text(id)
	}
	s.desk.ReadAs(v.actor, func(st *desk.State) {
		i, e := st.Incidents.Get(id)
		if e != nil {
			err = e
			return
		}
		view.CaseHead = s.caseHead(st, i, "Files")
		for _, f := range filesOn(v, st.FilesOf(id), &view.Pager) {
			view.Rows = append(view.Rows, s.fileRow(v, st, &f, words, me))
		}
		view.Wants = s.wanted(v, st, i, exhibits)
		if me.note && !i.Closed && i.Merged == 0 {
			view.Add = []ui.Fold{{Summary: "Bring a file", Open: v.r.URL.Query().Get("for") != "" || len(view.Rows) == 0, Form: s.fileForm(v, i)}}
		}
	})
	if err != nil {
		return err
	}
	view.Frame = s.frame(v, "incidents", fmt.Sprintf("Files of incident %d", id))
	view.Path = fmt.Sprintf("/incidents/%d/files", id)
	if mistake != nil {
		view.Still = true
		view.Errors = deedErrors(mistake, form, map[bool]string{true: "file", false: "to"}[form == "add"])
		folds := [][]ui.Fold{view.Add}
		for k := range view.Rows {
			folds = append(folds, view.Rows[k].Folds)
			for j := range view.Rows[k].Open {
				if f := &view.Rows[k].Open[j]; f.ID == form {
					view.Errors = deedErrors(mistake, form, "why")
					*f = f.Again(v.r.PostForm, view.Errors)
				}
			}
		}
		for _, list := range folds {
			for k := range list {
				if list[k].Form.ID == form {
					list[k].Form, list[k].Open = list[k].Form.Again(v.r.PostForm, view.Errors), true
				}
			}
		}
	}
	return ui.Files.Show(v.w, code, view)
}

// filesOn are the files of a page of the list, the newest first. A form of a file that comes back with a mistake brings the page with it.
func filesOn(v *visit, all []incident.File, p *ui.Pager) []incident.File {
	slices.Reverse(all)
	page := pageOf(v)
	for k := range all {
		if at := fmt.Sprintf("%d/%d", all[k].Incident, all[k].ID); v.r.PathValue("file") == at || v.r.URL.Query().Get("file") == at {
			page = k / filesShown
		}
	}
	if p != nil {
		*p = pager(v, page, filesShown, len(all))
	}
	first := min(page*filesShown, len(all))
	return all[first:min(first+filesShown, len(all))]
}

// fileForm brings a file. The file is last, so that what is said of it is known when it comes.
func (s *Server) fileForm(v *visit, i *incident.Incident) ui.Form {
	var kinds []ui.Option
	for _, k := range incident.FileKinds() {
		kinds = append(kinds, ui.Option{Value: k, Word: desk.Title(k)})
	}
	f := ui.Form{ID: "add", Action: fmt.Sprintf("/incidents/%d/files", i.ID), Files: true, Button: "Bring it", Main: true, Fields: []ui.Field{
		{Name: "kind", Kind: "choice", Label: "What it is", Options: kinds},
		{Name: "from", Label: "Where it is from", Hint: "a server and path, a mail, a person", Need: true},
		{Name: "why", Label: "Why it matters", Value: v.r.URL.Query().Get("for"), Hint: "or the name that the playbook gives it"},
		{Name: "label", Kind: "choice", Label: "Who may hear of it", Options: labelOptions()},
		{Name: "file", Kind: "file", Label: "File", Need: true, Hint: fmt.Sprintf("At most %d MB. Larger ones: seal them where they are, and note their SHA-256.", desk.FileAtMost>>20)}}}
	if step := orElse(v.r.PostForm.Get("step"), v.r.URL.Query().Get("step")); step != "" { // of a form with a file, FormValue knows the address alone
		f.Hidden = []ui.Option{{Word: "step", Value: step}}
	}
	return f
}

// wanted is the evidence that steps expect and nobody brought.
func (s *Server) wanted(v *visit, st *desk.State, i *incident.Incident, files []exhibit) (out []ui.EvidenceRow) {
	for _, r := range st.RunsOf(i.ID) {
		if r.Stopped {
			continue
		}
		for _, x := range r.Open(v.now) {
			view := ui.StepView{}
			s.fillEvidence(st, working{r, i.ID, x}, files, &view)
			for _, e := range view.Evidence {
				if e.State.Tone == "late" {
					out = append(out, e)
				}
			}
		}
	}
	return out
}

// fileRow words a file; words has its texts by their ids in the vault.
func (s *Server) fileRow(v *visit, st *desk.State, f *incident.File, words map[string]string, me oneself) ui.FileRow {
	id := place(st, f.Incident, f.ID)
	row := ui.FileRow{ID: id, Name: ui.Visible(words[f.Name]), Kind: f.Kind, Size: size(f.Bytes), SHA256: f.SHA256, From: ui.Visible(words[f.From]), Why: ui.Visible(words[f.Why]),
		Label: label(st.Incidents.Label(f.Incident, fmt.Sprintf("attachment:%d", f.ID))), State: ui.State{Tone: "good", Word: "whole whenever somebody looked"}}
	if !f.Sound() {
		row.State = ui.State{Tone: "bad", Word: "changed: it is not what was brought"}
	}
	if n := len(f.Chain) - custodianShown; n > 0 {
		row.Earlier = "These are the newest; " + ui.Plural(int64(n), "earlier line stands", "earlier lines stand") + " in the report of the incident."
	}
	for _, c := range f.Chain[max(0, len(f.Chain)-custodianShown):] {
		link := ui.CustodyRow{At: v.at(c.At), Who: s.name(st, c.Person), From: ui.Visible(words[c.From]), To: ui.Visible(words[c.To]), Why: ui.Visible(words[c.Why]), SHA256: c.SHA256}
		switch c.Kind {
		case entry.AttachmentAdded:
			link.What = "brought"
		case entry.AttachmentPassed:
			link.What = "passed on"
		case entry.AttachmentRead:
			link.What = "looked at"
			link.State = ui.State{Tone: "good", Word: "whole"}
			if c.SHA256 != f.SHA256 {
				link.State = ui.State{Tone: "bad", Word: "changed"}
			}
			if c.SHA256 == "" {
				link.State.Word = "could not be read"
			}
		}
		row.Chain = append(row.Chain, link)
	}
	row.Mark = ui.Link{Word: "Who may hear of it", Href: labelHref(f.Incident, fmt.Sprintf("attachment:%d", f.ID))}
	at := fmt.Sprintf("/incidents/%d/files/%d/", f.Incident, f.ID)
	if me.note {
		row.Open = []ui.Form{{ID: "read-" + id, Action: at + "read", Button: "Open it", Leaves: true, Fields: []ui.Field{{Name: "why", Label: "Why you open it", Hint: "It is hashed, and written down."}}}}
		row.Folds = []ui.Fold{{Summary: "It went to somebody", Form: ui.Form{ID: "pass-" + id, Action: at + "pass", Button: "Write it down", Fields: []ui.Field{{Name: "to", Label: "To whom", Hint: "police, expert, insurer: name and way", Need: true}, {Name: "from", Label: "From where", Hint: "if not from here"}, {Name: "why", Label: "Why", Need: true}}}}}
	}
	return row
}

// size words a number of bytes.
func size(n int64) string {
	switch {
	case n >= 10<<20:
		return fmt.Sprintf("%d MB", n>>20)
	case n >= 10<<10:
		return fmt.Sprintf("%d kB", n>>10)
	}
	return ui.Plural(n, "byte", "bytes")
}

// addFile takes a file as it comes: the fields first, then the bytes, which go to the desk without being held here.
func (s *Server) addFile(v *visit) error {
	id, err := number(v.r, "id")
	if err != nil {
		return err
	}
	err = s.brought(v, id)
	if err != nil {
		if known(err) {
			return err
		}
		return s.showFiles(v, http.StatusUnprocessableEntity, "add", err)
	}
	run, step, ok := strings.Cut(v.r.PostForm.Get("step"), "/")
	if n, e := strconv.ParseInt(run, 10, 64); ok && e == nil && onlyName(step) {
		return done(v, fmt.Sprintf("/incidents/%d/steps/%d/%s", id, n, step), "file")
	}
	return done(v, fmt.Sprintf("/incidents/%d/files", id), "file")
}

// onlyName reports whether a text may be the id of a step.
func onlyName(s string) bool {
	return s != "" && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789-") == ""
}

// brought takes a file within a time.
func (s *Server) brought(v *visit, id int64) error {
	control := http.NewResponseController(v.w)
	_ = control.SetReadDeadline(time.Now().Add(desk.BringWithin)) // not every connection has one
	err := s.takeFile(v, id)
	if err == nil {
		_ = control.SetReadDeadline(time.Time{})
	}
	return err
}

func (s *Server) takeFile(v *visit, id int64) error {
	none := desk.FieldError{Field: "file", Says: "Choose a file."}
	r, err := v.r.MultipartReader()
	if err != nil {
		return none
	}
	v.r.PostForm = url.Values{}
	left := int64(maxFields)
	for {
		part, err := r.NextPart()
		if errors.Is(err, io.EOF) {
			return none
		}
		if err != nil {
			return desk.FieldError{Field: "file", Says: "The file did not come whole. Try it again."}
		}
		if part.FormName() == "file" {
			return s.keepFile(v, id, part, none)
		}
		b, err := io.ReadAll(io.LimitReader(part, left+1))
		if left -= int64(len(b)); err != nil || left < 0 {
			return desk.FieldError{Field: "why", Says: "The form is too large or broken."}
		}
		v.r.PostForm.Add(part.FormName(), string(b))
	}
}

func (s *Server) keepFile(v *visit, id int64, part *multipart.Part, none error) error {
	name := part.FileName()
	if name == "" {
		return none
	}
	if v.r.ContentLength < 0 || v.r.ContentLength > desk.BringLarge { // it lies in memory until it is kept; what was typed beside it has come, and stays
		wait, stop := context.WithTimeout(v.r.Context(), desk.BringWait)
		defer stop()
		giveBack, ok := s.desk.Bringing().Take(wait, v.actor.Name)
		if !ok {
			return desk.FieldError{Field: "file", Says: "Other files are being brought at this moment. Choose the file again, and send it in a minute."}
		}
		defer giveBack()
	}
	said := func(field string) string { return strings.TrimSpace(v.r.PostForm.Get(field)) }
	_, err := s.desk.AddFile(v.actor, id, desk.FileText{Name: name, Kind: said("kind"), From: said("from"), Why: said("why"), Label: said("label")}, part)
	if _, big := errors.AsType[*http.MaxBytesError](err); big {
		return desk.FieldError{Field: "file", Says: fmt.Sprintf("The file is larger than %d MB. Seal it where it is, and note its SHA-256.", desk.FileAtMost>>20)}
	}
	return err
}

// showFileAgain shows the page of a list on which a file stands, with a mistake in one of its forms.
func (s *Server) showFileAgain(v *visit, id, n int64, form string, mistake error) error {
	v.r.SetPathValue("file", fmt.Sprintf("%d/%d", id, n))
	_, form = s.atRoot(v, id, fmt.Sprintf("%s-%d", form, n))
	return s.showFiles(v, http.StatusUnprocessableEntity, form, mistake)
}

func (s *Server) passFile(v *visit) error {
	id, err := number(v.r, "id")
	if err != nil {
		return err
	}
	n := v.second()
	if err := s.desk.PassFile(v.actor, id, n, text(v.r, "from"), text(v.r, "to"), text(v.r, "why")); err != nil {
		if known(err) {
			return err
		}
		return s.showFileAgain(v, id, n, "pass", err)
	}
	id, _ = s.atRoot(v, id, "")
	return done(v, fmt.Sprintf("/incidents/%d/files", id), "passed-on")
}

// readFile hands a file out. It is never shown in the browser: what somebody brought as evidence may be made to attack whoever looks.
func (s *Server) readFile(v *visit) error {
	id, err := number(v.r, "id")
	if err != nil {
		return err
	}
	n := v.second()
	f, err := s.desk.OpenFile(v.actor, id, n, text(v.r, "why"))
	if err == nil && !f.Sound {
		err = errors.New("the bytes are not what was brought: this is written down, and they are not handed out as evidence")
	}
	if err != nil {
		if known(err) {
			return err
		}
		return s.showFileAgain(v, id, n, "read", err)
	}
	v.w.Header().Set("Content-Type", "application/octet-stream")
	v.w.Header().Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": ui.Visible(f.Name).String()}))
	v.w.Header().Set("Content-Length", strconv.Itoa(len(f.Bytes)))
	_, err = io.Copy(v.w, bytes.NewReader(f.Bytes))
	if err != nil {
		s.log.Debug("handing out a file", "error", err)
	}
	return nil
}

func (s *Server) related(v *visit) error { return s.showRelated(v, http.StatusOK, "", nil) }

// showRelated shows what shares something with an incident, and merges.
func (s *Server) showRelated(v *visit, code int, form string, mistake error) error {
	id, err := number(v.r, "id")
	if err != nil {
		return err
	}
	me := s.self(v, id)
	view := ui.RelatedView{}
	s.desk.ReadAs(v.actor, func(st *desk.State) {
		i, e := st.Incidents.Get(id)
		if e != nil {
			err = e
			return
		}
		view.CaseHead = s.caseHead(st, i, "Related")
		s.fillRelated(v, st, i, me, &view)
	})
	if err != nil {
		return err
	}
	view.Frame = s.frame(v, "incidents", fmt.Sprintf("Incidents near incident %d", id))
	view.Path = fmt.Sprintf("/incidents/%d/related", id)
	if mistake != nil {
		view.Still = true
		view.Errors = deedErrors(mistake, form, map[bool]string{true: "into", false: "reason"}[form == "merge"])
		for _, list := range [][]ui.Fold{view.Merge, view.Unmerge} {
			for k := range list {
				if list[k].Form.ID == form {
					list[k].Form, list[k].Open = list[k].Form.Again(v.r.PostForm, view.Errors), true
				}
			}
		}
	}
	return ui.Related.Show(v.w, code, view)
}

func (s *Server) fillRelated(v *visit, st *desk.State, i *incident.Incident, me oneself, view *ui.RelatedView) {
	at := fmt.Sprintf("/incidents/%d", i.ID)
	if i.Merged != 0 {
		view.Merged = ui.Link{Word: fmt.Sprintf("incident %d", i.Merged), Href: fmt.Sprintf("/incidents/%d", i.Merged)}
		if me.handle {
			view.Unmerge = []ui.Fold{{Summary: "Take it out again", Form: ui.Form{ID: "unmerge", Action: at + "/unmerge", Button: "Take it out", Fields: []ui.Field{why("Why they are not one")}}}}
		}
	}
	for _, o := range st.Incidents.Incidents {
		if o.Merged == i.ID {
			view.Parts = append(view.Parts, ui.PastRow{ID: fmt.Sprint(o.ID), Href: fmt.Sprintf("/incidents/%d", o.ID), Title: o.Title, Severity: ui.Severity(o.Severity), State: s.incidentState(st, o), At: v.at(o.Happened), Shares: "part of this one"})
		}
	}
	rows, cut := st.Incidents.Related(i.ID, relatedShown)
	var into []ui.Option
	offered := map[int64]bool{i.ID: true}
	for _, r := range rows {
		row := s.relationRow(v, st, r)
		view.Rows = append(view.Rows, row)
		if o, err := st.Incidents.Get(r.Incident); err == nil && o.Merged == 0 {
			into, offered[r.Incident] = append(into, ui.Option{Value: row.ID, Word: row.ID + ": " + row.Title}), true
		}
	}
	if cut {
		view.More = "There may be more; these are the nearest."
	}
	if i.Merged != 0 || !me.handle {
		return
	}
	for _, o := range slices.Backward(st.Incidents.Incidents) {
		if !offered[o.ID] && o.Merged == 0 && !o.Closed && len(into) < mergesOffered {
			into = append(into, ui.Option{Value: fmt.Sprint(o.ID), Word: fmt.Sprintf("%d: %s", o.ID, o.Title)})
		}
	}
	if len(into) > 0 {
		view.Merge = []ui.Fold{{Summary: "Make this incident part of another", Form: ui.Form{ID: "merge", Action: at + "/merge", Button: "Merge it", Hint: "Both keep all that they have. It can be taken out again.", Fields: []ui.Field{{Name: "into", Kind: "choice", Label: "Part of", Options: into}, why("Why they are one")}}}}
	}
}

func (s *Server) merge(v *visit) error {
	into, _ := strconv.ParseInt(text(v.r, "into"), 10, 64)
	return s.relate(v, "merge", "merged", func(id int64) error { return s.desk.Merge(v.actor, id, into, text(v.r, "reason")) })
}

func (s *Server) unmerge(v *visit) error {
	return s.relate(v, "unmerge", "unmerged", func(id int64) error { return s.desk.Unmerge(v.actor, id, text(v.r, "reason")) })
}

func (s *Server) relate(v *visit, form, key string, do func(id int64) error) error {
	id, err := number(v.r, "id")
	if err != nil {
		return err
	}
	if err := do(id); err != nil {
		if known(err) {
			return err
		}
		return s.showRelated(v, http.StatusUnprocessableEntity, form, err)
	}
	return done(v, fmt.Sprintf("/incidents/%d/related", id), key)
}
