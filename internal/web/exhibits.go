package web

import (
	"fmt"
	"slices"
	"strings"

	"tocsin/internal/desk"
	"tocsin/internal/incident"
	"tocsin/internal/playbook"
	"tocsin/ui"
)

// What is read of attachments at most for one page: a step looks for its evidence among the newest, and offers fewer to tick.
const (
	exhibitsRead   = 1000
	exhibitsOffer  = 100
	filesShown     = 25
	custodianShown = 20
)

// An exhibit is an attachment with what is said of it in words. Words lie in the vault: they are read once for a page, while nobody waits for the state.
type exhibit struct {
	incident.File
	name, why string
}

// exhibits are the newest attachments of an incident and of what is part of it, oldest first.
func (s *Server) exhibits(v *visit, id int64) (out []exhibit) {
	s.desk.ReadAs(v.actor, func(st *desk.State) {
		files := st.FilesOf(id)
		for _, f := range files[max(0, len(files)-exhibitsRead):] {
			out = append(out, exhibit{File: f})
		}
	})
	for k := range out {
		out[k].name, out[k].why = s.desk.Text(out[k].Name), strings.TrimSpace(s.desk.Text(out[k].Why))
	}
	return out
}

// expects reports whether an exhibit is evidence that a step expects: it was brought under that name.
func (x *exhibit) expects(w working) bool {
	return slices.ContainsFunc(w.Evidence, func(name string) bool { return strings.EqualFold(x.why, name) })
}

func (x *exhibit) link(st *desk.State, at int64) ui.Link {
	return ui.Link{Word: place(st, x.Incident, x.ID) + ". " + ui.Visible(x.name).String(), Href: fileHref(st, at, &x.File)}
}

// fileHref leads to an attachment in the list of an incident, on whichever page of it that stands.
func fileHref(st *desk.State, at int64, f *incident.File) string {
	return fmt.Sprintf("/incidents/%d/files?file=%d/%d#file-%s", at, f.Incident, f.ID, place(st, f.Incident, f.ID))
}

// fillEvidence says which evidence a step expects, and what is there.
func (s *Server) fillEvidence(st *desk.State, w working, files []exhibit, view *ui.StepView) {
	for _, name := range w.Evidence {
		row := ui.EvidenceRow{Name: name, State: ui.State{Tone: "late", Word: "expected"}}
		for k := range files {
			if strings.EqualFold(files[k].why, name) {
				row.State, row.Files = ui.State{Tone: "good", Word: "here"}, append(row.Files, files[k].link(st, w.at))
			}
		}
		if len(row.Files) == 0 && !playbook.Settled(w.State) {
			row.Files = []ui.Link{{Word: "Bring it", Href: fmt.Sprintf("/incidents/%d/files?for=%s&step=%d/%s#add", w.at, escaped(name), w.run.ID, w.ID)}}
		}
		view.Evidence = append(view.Evidence, row)
	}
	if playbook.Settled(w.State) && len(w.Mark.Evidence) > 0 {
		row := ui.EvidenceRow{Name: "Attached to this step", State: ui.State{Tone: "good", Word: "here"}}
		for _, n := range w.Mark.Evidence {
			for k := range files {
				if files[k].Named(w.run.Incident) == n {
					row.Files = append(row.Files, files[k].link(st, w.at))
				}
			}
		}
		view.Evidence = append(view.Evidence, row)
	}
}

// evidenceTicks are the attachments that whoever does a step may name as its evidence, those under the names that it expects first.
func evidenceTicks(st *desk.State, w working, files []exhibit) (out []ui.Option) {
	if len(w.Evidence) == 0 {
		return nil
	}
	var others []ui.Option
	for k := range files {
		x := &files[k]
		o := ui.Option{Value: x.Named(w.run.Incident), Word: x.link(st, w.at).Word, Chosen: x.expects(w)}
		if o.Chosen {
			out = append(out, o)
		} else {
			others = append(others, o)
		}
	}
	return append(out, others[max(0, len(others)-exhibitsOffer):]...)
}
