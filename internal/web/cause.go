package web

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"tocsin/internal/desk"
	"tocsin/internal/entry"
	"tocsin/internal/incident"
	"tocsin/ui"
)

// whysAsked is how many whys the form asks at least: five, as the custom is.
const whysAsked, whysMost = 5, 9

func (s *Server) cause(v *visit) error { return s.showCause(v, http.StatusOK, "", nil) }

// showCause shows the root cause and the lessons; form names the one that comes back with a mistake.
func (s *Server) showCause(v *visit, code int, form string, mistake error) error {
	id, err := number(v.r, "id")
	if err != nil {
		return err
	}
	cause, err := s.desk.Cause(v.actor, id)
	if err != nil {
		return err
	}
	lessons, err := s.desk.Lessons(v.actor, id)
	if err != nil {
		return err
	}
	me := s.self(v, id)
	view := ui.CauseView{}
	s.desk.ReadAs(v.actor, func(st *desk.State) {
		i, e := st.Incidents.Get(id)
		if e != nil {
			err = e
			return
		}
		s.fillCause(v, st, i, cause, lessons, me, &view)
	})
	if err != nil {
		return err
	}
	view.Frame = s.frame(v, "incidents", fmt.Sprintf("Cause of incident %d", id))
	view.Path = fmt.Sprintf("/incidents/%d/cause", id)
	if mistake != nil {
		view.Still, view.Other = true, firstWords(mistake)
		for _, list := range [][]ui.Form{view.Edit, view.Learn} {
			for k := range list {
				if f := &list[k]; f.ID == form {
					view.Errors = deedErrors(mistake, form, f.Fields[0].Name)
					*f = f.Again(v.r.PostForm, view.Errors)
				}
			}
		}
		if len(view.Errors) == 0 {
			view.Errors = fieldErrors(mistake)
		}
	}
	return ui.CausePage.Show(v.w, code, view)
}

func (s *Server) fillCause(v *visit, st *desk.State, i *incident.Incident, x desk.CauseText, lessons desk.LessonsText, me oneself, view *ui.CauseView) {
	view.CaseHead = s.caseHead(st, i, "Cause and lessons")
	all := each(st, i, func(c *incident.Command) []incident.Written[entry.Cause] { return c.Causes })
	if own := i.Command().Causes; len(own) > 0 {
		all = own
	}
	if n := len(all); n > 0 {
		view.Class, view.Sum, view.By, view.At = desk.ClassWord(x.Class), ui.Visible(x.Sum), s.actorName(st, all[n-1].By), v.at(all[n-1].At)
		if n > 1 {
			view.Versions = fmt.Sprintf("written %d times; all are in the ledger", n)
		}
	}
	for _, w := range x.Whys {
		view.Whys = append(view.Whys, s.reasonRow(st, i, w))
	}
	var branches []ui.FishBranch
	for _, b := range incident.Branches() {
		branch := ui.FishBranch{Word: desk.Title(b)}
		for _, r := range x.Bones {
			if r.Branch == b {
				branch.Reasons = append(branch.Reasons, ui.FishReason{Row: s.reasonRow(st, i, r)})
			}
		}
		branches = append(branches, branch)
	}
	view.Fish = ui.NewFishbone(i.Title, branches)
	for _, l := range []struct{ word, text string }{{"What went well", lessons.Well}, {"What went badly", lessons.Badly}, {"What follows from it", lessons.Follows}} {
		if l.text == "" {
			continue
		}
		row := ui.LessonRow{Word: l.word}
		for line := range strings.Lines(l.text) {
			row.Text = append(row.Text, ui.Visible(strings.TrimSpace(line)))
		}
		view.Lessons = append(view.Lessons, row)
	}
	view.Marks = causeMarks(st, i)
	if me.note && i.Merged == 0 {
		lacking := st.Incidents.Lacking(i.ID, "true")
		view.Edit = []ui.Form{causeForm(i.ID, x, slices.Contains(lacking, "cause"))}
		view.Learn = []ui.Form{{ID: "lessons", Action: fmt.Sprintf("/incidents/%d/lessons", i.ID), Button: "Write them down", Hidden: []ui.Option{{Word: "seen", Value: fmt.Sprint(lessons.Before)}}, Next: !slices.Contains(lacking, "cause") && slices.Contains(lacking, "lessons"),
			Fields: []ui.Field{{Name: "well", Kind: "lines", Label: "What went well", Value: lessons.Well, Most: 10000}, {Name: "badly", Kind: "lines", Label: "What went badly", Value: lessons.Badly, Most: 10000}, {Name: "text", Kind: "lines", Label: "What follows from it", Value: lessons.Follows, Most: 10000}}}}
	}
}

// causeMarks lead to the labels of what was written here, and to what was written of incidents that are part of this one, where the page shows this one's own.
func causeMarks(st *desk.State, i *incident.Incident) (out []ui.Link) {
	_, own := i.Cause()
	_, learnt := i.Lesson()
	for _, p := range st.Incidents.Parts(i.ID) {
		_, c := p.Cause()
		_, l := p.Lesson()
		if p.ID != i.ID && (own > 0 && c > 0 || learnt > 0 && l > 0) {
			out = append(out, ui.Link{Word: fmt.Sprintf("What was written of incident %d, which is part of this one", p.ID), Href: fmt.Sprintf("/incidents/%d/cause", p.ID)})
		}
		if c > 0 && (p.ID == i.ID || own == 0) {
			out = append(out, ui.Link{Word: "Who may hear of the cause", Href: labelHref(p.ID, "cause")})
		}
		if l > 0 && (p.ID == i.ID || learnt == 0) {
			out = append(out, ui.Link{Word: "Who may hear of the lessons", Href: labelHref(p.ID, "lessons")})
		}
	}
	return out
}

// causeForm is the form of the root cause: its class, the whys, a field for each branch of the fishbone.
func causeForm(id int64, x desk.CauseText, next bool) ui.Form {
	classes := []ui.Option{{Value: "", Word: "not known yet", Chosen: x.Class == ""}}
	for _, c := range incident.CauseClasses() {
		classes = append(classes, ui.Option{Value: c, Word: desk.ClassWord(c), Chosen: c == x.Class})
	}
	f := ui.Form{ID: "cause", Action: fmt.Sprintf("/incidents/%d/cause", id), Button: "Write it down", Main: true, Next: next, Hidden: []ui.Option{{Word: "seen", Value: fmt.Sprint(x.Before)}},
		Fields: []ui.Field{{Name: "class", Kind: "choice", Label: "Kind of cause", Options: classes}, {Name: "text", Kind: "lines", Label: "In sum", Value: x.Sum, Most: 10000}}}
	for k := range min(max(whysAsked, len(x.Whys)+1), whysMost) {
		w := ui.Field{Name: fmt.Sprintf("why%d", k+1), Label: fmt.Sprintf("Why %d", k+1), Most: 2000}
		if k == 0 {
			w.Hint = "Why did it happen? Each answer says why the one before was so."
		}
		if k < len(x.Whys) {
			w.Value = reasonText(x.Whys[k])
		}
		f.Fields = append(f.Fields, w)
	}
	for _, b := range incident.Branches() {
		w := ui.Field{Name: b, Kind: "lines", Label: desk.Title(b), Rows: 2, Hint: "One reason a line.", Most: 10000}
		for _, r := range x.Bones {
			if r.Branch == b {
				w.Value += reasonText(r) + "\n"
			}
		}
		w.Value = strings.TrimSpace(w.Value)
		f.Fields = append(f.Fields, w)
	}
	return f
}

// linkWords are the words before a link, as people type them, and the kinds that the ledger keeps.
var linkWords = [...]struct{ word, kind string }{{"lines", "lines"}, {"attachment", "attachment"}, {"alert", "alert"}, {"file", "file"}, {"commit", "commit"}}

// reasonText writes a reason so that it reads back: its links behind it, in brackets.
func reasonText(r desk.ReasonText) string {
	out := strings.Join(strings.Fields(r.Text), " ")
	for _, l := range r.Links {
		out += " [" + linkText(l) + "]"
	}
	return out
}

func linkText(l entry.Link) string {
	if l.Kind == "cve" || l.Kind == "cwe" {
		return l.Ref
	}
	return l.Kind + " " + l.Ref
}

// readReason reads a reason as it was typed. Brackets at its end that name a link are links; anything else is text.
func readReason(branch, typed string) desk.ReasonText {
	r := desk.ReasonText{Branch: branch, Text: strings.TrimSpace(typed)}
	for {
		k := strings.LastIndex(r.Text, "[")
		if k < 0 || !strings.HasSuffix(r.Text, "]") {
			return r
		}
		l, ok := readLink(strings.TrimSpace(r.Text[k+1 : len(r.Text)-1]))
		if !ok {
			return r
		}
		r.Text, r.Links = strings.TrimSpace(r.Text[:k]), append([]entry.Link{l}, r.Links...)
	}
}

func readLink(s string) (entry.Link, bool) {
	upper := strings.ToUpper(s)
	switch {
	case strings.HasPrefix(upper, "CVE-"):
		return entry.Link{Kind: "cve", Ref: upper}, true
	case strings.HasPrefix(upper, "CWE-"):
		return entry.Link{Kind: "cwe", Ref: upper}, true
	}
	word, ref, _ := strings.Cut(s, " ")
	for _, w := range linkWords {
		if ref = strings.TrimSpace(ref); strings.EqualFold(word, w.word) && ref != "" {
			return entry.Link{Kind: w.kind, Ref: ref}, true
		}
	}
	return entry.Link{}, false
}

// reasonRow words a reason with what it rests on.
func (s *Server) reasonRow(st *desk.State, i *incident.Incident, r desk.ReasonText) ui.ReasonRow {
	row := ui.ReasonRow{Text: ui.Visible(r.Text)}
	for _, l := range r.Links {
		x := ui.Link{Word: ui.Visible(linkText(l)).String()}
		switch l.Kind {
		case "alert":
			x.Href = "/alerts/" + l.Ref
		case "lines":
			x.Href = fmt.Sprintf("/incidents/%d/lines", i.ID)
		case "attachment":
			if f := st.Incidents.FileOf(i.ID, l.Ref); f != nil {
				x.Href = fileHref(st, i.ID, f)
			}
		}
		row.Links = append(row.Links, x)
	}
	return row
}

func (s *Server) putCause(v *visit) error {
	id, err := number(v.r, "id")
	if err != nil {
		return err
	}
	x := desk.CauseText{Class: text(v.r, "class"), Sum: text(v.r, "text"), Before: v.seen()}
	for k := range whysMost {
		if w := text(v.r, fmt.Sprintf("why%d", k+1)); w != "" {
			x.Whys = append(x.Whys, readReason("", w))
		}
	}
	for _, b := range incident.Branches() {
		for _, l := range lines(v, b) {
			x.Bones = append(x.Bones, readReason(b, l))
		}
	}
	if err := s.desk.PutCause(v.actor, id, x); err != nil {
		if known(err) {
			return err
		}
		return s.showCause(v, http.StatusUnprocessableEntity, "cause", err)
	}
	return s.afterCause(v, id, "cause")
}

func (s *Server) putLessons(v *visit) error {
	id, err := number(v.r, "id")
	if err != nil {
		return err
	}
	err = s.desk.PutLessons(v.actor, id, desk.LessonsText{Well: text(v.r, "well"), Badly: text(v.r, "badly"), Follows: text(v.r, "text"), Before: v.seen()})
	if err != nil {
		if known(err) {
			return err
		}
		return s.showCause(v, http.StatusUnprocessableEntity, "lessons", err)
	}
	return s.afterCause(v, id, "lessons")
}

// afterCause goes on where something still lacks, or else to the incident.
func (s *Server) afterCause(v *visit, id int64, key string) error {
	var lacking []string
	s.desk.ReadAs(v.actor, func(st *desk.State) {
		if i, err := st.Incidents.Get(id); err == nil {
			lacking = st.Incidents.Lacking(i.ID, "true")
		}
	})
	if len(lacking) > 0 {
		return done(v, fmt.Sprintf("/incidents/%d/cause", id), key)
	}
	return done(v, fmt.Sprintf("/incidents/%d", id), key)
}

// lacks reports whether a refusal to close an incident names.
func lacks(err error) bool {
	_, ok := errors.AsType[*incident.Lacks](err)
	return ok
}
