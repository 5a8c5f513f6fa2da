package web

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"tocsin/internal/auth"
	"tocsin/internal/cacao"
	"tocsin/internal/desk"
	"tocsin/internal/playbook"
	"tocsin/ui"
)

// bookMost is how many characters a playbook has in a form: its file with a foreign one kept in it.
const bookMost = playbook.MaxFile

// example is where a new playbook begins.
const example = `playbook: name-of-it
title: What happened, in a few words
summary: What it is, and what it costs to wait.
signs:
  - How people recognise it.
owner: commander
review: 90
severity: high
ends: verdict = false-alarm
phases:
  - phase: identification
    steps:
      - step: look
        role: analyst
        what: Look whether it is real
        why: A false alarm at night costs sleep, a missed one costs the shop.
        how: |
          1. Look at the lines of the alert.
        done: You know whether it is real, and have answered.
        asks: [verdict]
        within: 30m
  - phase: lessons
    steps:
      - step: lessons
        role: commander
        what: Write down what was learnt
        why: So that it does not come again.
        done: The lessons are written.
`

func (s *Server) askEditBook(v *visit) error {
	if v.r.PathValue("id") == "new" {
		return s.showBookEdit(v, http.StatusOK, bookTyped{text: example}, nil)
	}
	b, _, _, err := s.bookOfPath(v)
	if err != nil {
		return err
	}
	text, err := s.desk.PlaybookText(b.Revision)
	if err != nil {
		return err
	}
	return s.showBookEdit(v, http.StatusOK, bookTyped{text: string(text), before: b.Revision}, nil)
}

// bookTyped is what somebody typed of a playbook.
type bookTyped struct {
	text, before, from, why string
	said                    []string // of the place that an imported file got
	checked                 bool
}

// typedBook reads the form.
func typedBook(v *visit) bookTyped {
	x := bookTyped{text: strings.ReplaceAll(v.r.PostFormValue("text"), "\r\n", "\n"), before: text(v.r, "before"), from: "console", why: text(v.r, "reason")}
	if text(v.r, "from") == "cacao" {
		x.from = "cacao"
	}
	return x
}

// editBook checks what was typed, or proposes it.
func (s *Server) editBook(v *visit) error {
	if v.r.PathValue("id") != "new" {
		if _, _, _, err := s.bookOfPath(v); err != nil {
			return err
		}
	}
	x := typedBook(v)
	switch v.r.PostFormValue("deed") {
	case "example":
		return done(v, "/plan/new/edit", "")
	case "propose":
	default:
		x.checked = true
		return s.showBookEdit(v, http.StatusOK, x, nil)
	}
	if x.why == "" {
		return s.showBookEdit(v, http.StatusUnprocessableEntity, x, desk.FieldError{Field: "reason", Says: "Say why it is changed: whoever agrees, and whoever reads it in a year, wants to know."})
	}
	if err := s.namesItself(v.r.PathValue("id"), x.text); err != nil {
		return s.showBookEdit(v, http.StatusUnprocessableEntity, x, err)
	}
	err := s.desk.PutPlaybook(v.actor, desk.PlaybookChange{Text: []byte(x.text), Before: x.before, From: x.from, Why: x.why})
	if asked, ok := errors.AsType[desk.Asked](err); ok {
		return done(v, fmt.Sprintf("/proposals/%d", asked.ID), "proposed")
	}
	if err != nil {
		if known(err) {
			return err
		}
		return s.showBookEdit(v, http.StatusUnprocessableEntity, x, err)
	}
	return done(v, "/plan", "book")
}

// namesItself refuses a text that would become another playbook than the one that its page is about: who changes the id in it would have another one overwritten,
// which they did not look at.
func (s *Server) namesItself(page, text string) error {
	p, _ := playbook.Read("", []byte(text))
	switch {
	case p == nil || p.ID == page:
		return nil
	case page != "new":
		return desk.FieldError{Field: "text", Says: fmt.Sprintf("This page changes the playbook %s, and the text says that it is %s: begin it with “playbook: %s” again. A new playbook is written from the page of the plan.", page, p.ID, page)}
	}
	for _, b := range s.desk.Playbooks() {
		if b.ID == p.ID && !b.Retired {
			return desk.FieldError{Field: "text", Says: fmt.Sprintf("There is a playbook %s already: give the new one another id in its first line, or edit that one from its page.", p.ID)}
		}
	}
	return nil
}

// leftOut names what our format has no place for of the foreign file that a playbook was made of. It is read from the file that the playbook keeps, so it is said
// wherever the playbook is looked at, and to whoever has to agree to it.
func leftOut(p *playbook.Playbook) (out []string) {
	if p == nil || p.Foreign == nil {
		return nil
	}
	in, findings := cacao.Read([]byte(p.Foreign.Source))
	for _, f := range findings {
		out = append(out, f.String())
	}
	if in != nil && in.Signatures > 0 {
		out = append(out, ui.Plural(int64(in.Signatures), "signature", "signatures")+", which nobody verified")
	}
	return out
}

// showBookEdit shows the form with what was typed, what the check says of it, and what it changes.
func (s *Server) showBookEdit(v *visit, code int, x bookTyped, mistake error) error {
	id := v.r.PathValue("id")
	p, _ := playbook.Read("", []byte(x.text))
	view := ui.BookEditView{Back: ui.Link{Word: "The plan", Href: "/plan"}, Refused: append(x.said, leftOut(p)...)}
	title := "A new playbook"
	if id != "new" && id != "" {
		title, view.Back = "Edit "+id, ui.Link{Word: "Back to the playbook", Href: "/plan/" + id}
	}
	action := "/plan/" + orElse(id, "new") + "/edit"
	view.Form = ui.Form{ID: "book", Action: action, Button: "Check it", Also: []ui.Option{{Value: "propose", Word: "Propose it"}}, Hidden: []ui.Option{{Word: "before", Value: x.before}, {Word: "from", Value: x.from}},
		Fields: []ui.Field{{Name: "text", Kind: "lines", Label: "The playbook (YAML)", Need: true, Code: true, Rows: 24, Most: bookMost, Value: x.text}, {Name: "reason", Label: "Why it is changed", Hint: "needed to propose it", Value: x.why}}}
	if x.checked || mistake != nil {
		s.checkBook(v, id, x, &view)
	}
	view.Frame = s.frame(v, "plan", title)
	view.Path = action
	if mistake != nil {
		view.Still = true
		if moved, ok := errors.AsType[*desk.PlaybookMoved](mistake); ok {
			s.movedBook(moved, &view)
		}
		if _, bad := errors.AsType[*desk.BadPlaybook](mistake); bad {
			mistake = desk.FieldError{Field: "text", Says: "The check below says what is wrong, and in which line."}
		}
		view.Errors = deedErrors(mistake, "book", "text")
		for k := range view.Form.Fields {
			view.Form.Fields[k].Wrong = view.Errors.For("book-" + view.Form.Fields[k].Name)
		}
	}
	return ui.BookEdit.Show(v.w, code, view)
}

// checkBook says what tocsin plan check says of it, and what it changes.
func (s *Server) checkBook(v *visit, id string, x bookTyped, view *ui.BookEditView) {
	view.Usable = true
	typed := strings.Split(x.text, "\n")
	wrong, warned := 0, 0
	for _, f := range s.desk.CheckPlaybook("the form", []byte(x.text)) {
		if view.Findings = append(view.Findings, findingRow(f, typed)); f.Warning {
			warned++
		} else {
			wrong++
		}
	}
	view.Usable = wrong == 0
	view.Checked = "It can be used."
	if wrong > 0 {
		view.Checked = "It cannot be used yet: " + ui.Plural(int64(wrong), "mistake", "mistakes") + "."
	}
	if warned > 0 {
		view.Checked += " " + ui.Plural(int64(warned), "thing", "things") + " to know."
	}
	p, _ := playbook.Read("the form", []byte(x.text))
	was := s.desk.Playbook(x.before)
	if p == nil || was == nil {
		return
	}
	view.Changes = changeViews(playbook.Diff(was, p))
}

// movedBook shows what somebody else put in meanwhile; sending again then goes on from there.
func (s *Server) movedBook(m *desk.PlaybookMoved, view *ui.BookEditView) {
	was, now := s.desk.Playbook(view.Form.Hidden[0].Value), s.desk.Playbook(m.Now)
	if was != nil && now != nil {
		for _, c := range playbook.Diff(was, now) {
			view.Other = append(view.Other, ui.Visible(strings.TrimSpace(c.Kind+": "+orElse(c.What, "the playbook itself"))))
		}
	}
	if len(view.Other) == 0 {
		view.Other = []ui.Text{ui.Visible("Another revision stands now.")}
	}
	view.Form.Hidden[0].Value = m.Now
}

// changeViews words differences.
func changeViews(all []playbook.Change) (out []ui.ChangeView) {
	cut := func(s string) (lines []ui.Text) {
		for l := range strings.Lines(s) {
			lines = append(lines, ui.Visible(strings.TrimRight(l, "\n")))
		}
		return lines
	}
	for _, c := range all {
		x := ui.ChangeView{Kind: c.Kind, What: orElse(c.What, "The playbook itself"), Place: c.Place}
		if c.Was != "" {
			x.Place += ", before: " + c.Was
		}
		for _, f := range c.Fields {
			x.Fields = append(x.Fields, ui.FieldView{Name: desk.Title(f.Name), From: cut(f.From), To: cut(f.To)})
		}
		out = append(out, x)
	}
	return out
}

// importBook reads a file of another program, or ours, and shows what it becomes. Nothing is changed by it.
func (s *Server) importBook(v *visit) error {
	data := []byte(v.r.PostFormValue("text"))
	if len(bytes.TrimSpace(data)) == 0 {
		return s.showPlan(v, http.StatusUnprocessableEntity, desk.FieldError{Field: "text", Says: "Paste the text of the file."})
	}
	x := bookTyped{text: string(data), from: "console", checked: true}
	if bytes.TrimSpace(data)[0] == '{' {
		in, findings := cacao.Read(data)
		if in == nil {
			var says []string
			for _, f := range findings {
				if !f.Warning {
					says = append(says, f.String())
				}
			}
			return s.showPlan(v, http.StatusUnprocessableEntity, desk.FieldError{Field: "text", Says: "This CACAO playbook cannot be taken over: " + strings.Join(says[:min(len(says), 5)], "; ")})
		}
		before, said := s.desk.Placed(in)
		x.text, x.from, x.before = string(in.Playbook.Print()), "cacao", before
		for _, f := range said {
			x.said = append(x.said, f.String())
		}
	}
	if p, _ := playbook.Read("the form", []byte(x.text)); p != nil {
		for _, b := range s.desk.Playbooks() {
			if b.ID == p.ID && !b.Retired {
				x.before = b.Revision
				v.r.SetPathValue("id", p.ID)
			}
		}
	}
	if v.r.PathValue("id") == "" {
		v.r.SetPathValue("id", "new")
	}
	return s.showBookEdit(v, http.StatusOK, x, nil)
}

// exportBook hands a playbook out.
func (s *Server) exportBook(v *visit) error {
	b, p, revision, err := s.bookOfPath(v)
	if err != nil {
		return err
	}
	name, kind := b.ID+".json", "application/json"
	var data []byte
	if v.r.URL.Query().Get("as") == "yaml" {
		name, kind = b.ID+".yaml", "application/yaml"
		if data, err = s.desk.PlaybookText(revision); err != nil {
			data, err = p.Print(), nil
		}
	} else {
		data, _, err = s.desk.ExportPlaybook(b.ID, revision)
	}
	if err != nil {
		if known(err) {
			return err
		}
		return s.showBook(v, http.StatusUnprocessableEntity, err) // its label keeps it inside, or its text cannot be read
	}
	v.w.Header().Set("Content-Type", kind)
	v.w.Header().Set("Content-Disposition", `attachment; filename="`+name+`"`)
	_, err = v.w.Write(data)
	return err
}

// bookDiff shows what differs between two revisions.
func (s *Server) bookDiff(v *visit) error {
	b, p, _, err := s.bookOfPath(v)
	if err != nil {
		return err
	}
	q := v.r.URL.Query()
	from, to := q.Get("from"), q.Get("to")
	changes, err := s.desk.PlaybookDiff(b.ID, from, to)
	if err != nil {
		if errors.Is(err, desk.ErrNoPlaybook) {
			return errMissing
		}
		return err
	}
	view := ui.BookDiffView{Back: ui.Link{Word: p.Title, Href: "/plan/" + b.ID}, Changes: changeViews(changes)}
	all, err := s.revisions(v, b.ID, "")
	if err != nil {
		return err
	}
	view.To = ui.RevisionRow{Revision: orElse(shortRevision(to), shortRevision(b.Revision))}
	for k, r := range all {
		if r.Revision == shortRevision(orElse(to, b.Revision)) {
			view.To = s.reasoned(r)
			if k+1 < len(all) && from == "" {
				view.From = s.reasoned(all[k+1])
			}
		}
		if from != "" && r.Revision == shortRevision(from) {
			view.From = s.reasoned(r)
		}
	}
	if to == "offered" {
		view.From, view.To = ui.RevisionRow{Revision: shortRevision(b.Revision)}, ui.RevisionRow{Revision: "offered", By: "Tocsin"}
	}
	view.Frame = s.frame(v, "plan", "What changed in "+p.Title)
	return ui.BookDiff.Show(v.w, http.StatusOK, view)
}

// proposalPage shows a change that waits for a second person, with its differences; deciding it is the page of approvals' work.
func (s *Server) proposalPage(v *visit) error {
	id, err := number(v.r, "id")
	if err != nil {
		return err
	}
	x, err := s.desk.PlaybookAsked(v.actor, id)
	if err != nil {
		if errors.Is(err, auth.ErrNoApproval) {
			return errMissing
		}
		return err
	}
	view := ui.BookDiffView{Back: ui.Link{Word: "The plan", Href: "/plan"}, Changes: changeViews(x.Changes), From: ui.RevisionRow{Revision: shortRevision(x.Before)}, To: ui.RevisionRow{Revision: "proposed", Why: ui.VisibleLines(x.Why)}}
	for _, f := range x.Findings {
		view.Findings = append(view.Findings, findingRow(f, nil))
	}
	title := x.ID
	waits := false
	s.desk.ReadAs(v.actor, func(st *desk.State) {
		view.To.By = s.name(st, x.By)
		if p := bookOf(st, x.ID); p != nil {
			title = p.Title
			view.Back = ui.Link{Word: p.Title, Href: "/plan/" + x.ID}
		}
		if a, e := st.Approvals.Get(id); e == nil {
			view.To.At, view.Note, waits = v.at(a.At), approvalState(a.State), a.State == "asked"
		}
	})
	if p, _ := playbook.Read("", x.Text); p != nil {
		title = p.Title
	}
	if x.Retire {
		view.Changes = []ui.ChangeView{{Kind: playbook.Removed, What: "The whole playbook: it is not begun any more"}}
	}
	for _, p := range s.desk.Approvals(v.actor, approvalsShown) {
		if p.ID != id || !waits {
			continue
		}
		if p.Mine {
			view.Says = "You proposed it, so another person agrees."
		}
		if p.May {
			at := fmt.Sprintf("/approvals/%d", id)
			view.Decide = []ui.Form{{ID: "agree", Action: at, Button: "I agree: it stands from now on", Main: true, Next: true, Hidden: []ui.Option{{Word: "decision", Value: "yes"}}},
				{ID: "refuse", Action: at, Button: "Refuse", Danger: true, Hidden: []ui.Option{{Word: "decision", Value: "no"}}, Fields: []ui.Field{why("Why not")}}}
		}
	}
	view.Frame = s.frame(v, "plan", "Proposed change: "+title)
	return ui.BookDiff.Show(v.w, http.StatusOK, view)
}

func (s *Server) retireBook(v *visit) error {
	return s.bookDeed(v, func(id string) error { return s.desk.RetirePlaybook(v.actor, id, text(v.r, "reason")) }, "retired")
}

func (s *Server) takeOffered(v *visit) error {
	return s.bookDeed(v, func(id string) error { return s.desk.TakeOffered(v.actor, id, text(v.r, "reason")) }, "book")
}

// bookDeed does one thing to a playbook, which mostly waits for a second person then.
func (s *Server) bookDeed(v *visit, do func(id string) error, key string) error {
	b, _, _, err := s.bookOfPath(v)
	if err != nil {
		return err
	}
	if text(v.r, "reason") == "" {
		return s.showBook(v, http.StatusUnprocessableEntity, desk.FieldError{Field: "reason", Says: "Say why."})
	}
	err = do(b.ID)
	if asked, ok := errors.AsType[desk.Asked](err); ok {
		return done(v, fmt.Sprintf("/proposals/%d", asked.ID), "proposed")
	}
	if err != nil {
		if known(err) {
			return err
		}
		return s.showBook(v, http.StatusUnprocessableEntity, err)
	}
	return done(v, "/plan/"+b.ID, key)
}
