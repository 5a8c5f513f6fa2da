package web

import (
	"cmp"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"tocsin/internal/desk"
	"tocsin/internal/entry"
	"tocsin/internal/incident"
	"tocsin/internal/plan"
	"tocsin/internal/playbook"
	"tocsin/ui"
)

// fillNext decides what the reader does next; one thing of the page alone is marked so.
func (s *Server) fillNext(v *visit, st *desk.State, i *incident.Incident, me oneself, suggested []string, view *ui.IncidentView) {
	view.Next = s.next(v, st, i)
	c := st.Calls.Of(i.ID)
	switch {
	case c != nil && c.Rings():
		view.Next.Mine = true
	case i.Closed, i.Merged != 0:
		view.Lead.Steps = nil
		view.Next.Mine = !i.Closed
		if i.Closed && me.note {
			view.Next = ui.Next{Says: "This incident is closed. Write its report for those who need it. Not over after all? Reopen it under Actions.", Button: "Write the report", Action: fmt.Sprintf("/incidents/%d/report", i.ID), Get: true, Mine: me.has(plan.Commander)}
		}
	case i.Person == "" && me.handle:
		view.Next.Mine = true
	default:
		if n, ok := s.nextForMe(v, st, i, me, suggested, &view.Lead); ok {
			view.Next = n
			view.Next.Mine = n.Button != ""
		} else if len(view.Lead.Steps) > 0 || !me.handle {
			view.Next = ui.Next{}
		}
	}
	if len(view.Lead.Steps) > 0 {
		view.Lead.Steps[0].Next = !view.Next.Mine
	}
}

// fillTimeline words the lines of the timeline that the reader asked for.
func (s *Server) fillTimeline(v *visit, st *desk.State, i *incident.Incident, me oneself, view *ui.IncidentView) {
	show := v.r.URL.Query().Get("show")
	f := incident.Filter{Pinned: show == "pinned"}
	pairs := []string{"", "Everything", "pinned", "Pinned", "notes", "Notes"}
	for _, r := range plan.ResponseRoles() {
		pairs = append(pairs, r, plan.RoleWord(r))
	}
	view.Lead.Filters = options(show, pairs...)
	switch {
	case show == "notes":
		f.Kinds = []entry.Kind{entry.IncidentNoted}
	case slices.Contains(plan.ResponseRoles(), show):
		f.Role = show
	}
	if me.note {
		view.Forms.Roles = append([]ui.Option{{Value: "", Word: "nobody's in particular"}}, view.Lead.Filters[3:]...)
		for k := range view.Forms.Roles {
			view.Forms.Roles[k].Chosen = k == 0
		}
	}
	before, err := strconv.ParseInt(v.r.URL.Query().Get("before"), 10, 64)
	if err != nil || before < 1 {
		before = math.MaxInt64
	}
	all := len(i.Timeline)
	var wanted []incident.Line
	if f.Pinned || f.Role != "" || len(f.Kinds) > 0 || len(st.Incidents.Family(i.ID)) > 1 {
		wanted, _ = st.Incidents.Timeline(i.ID, f)
		all = len(wanted)
		wanted = slices.DeleteFunc(wanted, func(l incident.Line) bool { return l.N >= before })
		wanted = wanted[max(0, len(wanted)-momentsShown):]
		view.Lead.FilterSays = ui.Plural(int64(all), "line", "lines")
	} else {
		older, _ := slices.BinarySearchFunc(i.Timeline, before, func(m incident.Mark, n int64) int { return cmp.Compare(m.N, n) })
		for _, m := range i.Timeline[max(0, older-momentsShown):older] {
			wanted = append(wanted, lineOf(i, m))
		}
	}
	var deeds []deed
	if show == "" || f.Role != "" {
		deeds = slices.DeleteFunc(deedsOf(st, i.ID, 0, f.Role), func(d deed) bool { return d.N >= before })
		all += len(deeds)
		deeds = deeds[max(0, len(deeds)-momentsShown):]
	}
	last := int64(0)
	for k := len(wanted) - 1; len(view.Timeline) < momentsShown && (k >= 0 || len(deeds) > 0); {
		if n := len(deeds) - 1; n >= 0 && (k < 0 || deeds[n].N >= wanted[k].N) {
			last = deeds[n].N
			view.Timeline = append(view.Timeline, s.deedMoment(v, st, deeds[n].run, deeds[n].Deed))
			deeds = deeds[:n]
			continue
		}
		last = wanted[k].N
		view.Timeline = append(view.Timeline, s.lineMoment(v, st, wanted[k], i.ID, me.note))
		k--
	}
	if before != math.MaxInt64 {
		view.Facts = append(view.Facts, ui.Fact{Name: "Timeline", Value: "to its newest lines", Href: with(v, "before", "") + "#timeline-h"})
	}
	if len(view.Timeline) == momentsShown && all > momentsShown {
		view.Facts = append(view.Facts, ui.Fact{Name: "Timeline", Value: ui.Number(momentsShown) + " of " + ui.Number(int64(all)) + " lines; to the earlier ones", Href: with(v, "before", strconv.FormatInt(last, 10)) + "#timeline-h"})
	}
}

// A deed is something that was done in a run.
type deed struct {
	playbook.Deed
	run *playbook.Run
}

// deedsOf returns what was done in the runs of an incident behind an entry, for a role or all, in the order of the ledger.
func deedsOf(st *desk.State, id, after int64, role string) (out []deed) {
	for _, r := range st.RunsOf(id) {
		b := r.Book()
		for _, d := range r.History {
			if d.Kind == entry.FactAnswered || d.N <= after {
				continue // the timeline has it
			}
			if role != "" && (b == nil || b.Step(d.Step) == nil || b.Step(d.Step).Role != role) {
				continue
			}
			out = append(out, deed{d, r})
		}
	}
	slices.SortStableFunc(out, func(a, b deed) int { return cmp.Compare(a.N, b.N) })
	return out
}

// lineOf is a line with what was added to it.
func lineOf(i *incident.Incident, m incident.Mark) incident.Line {
	l := incident.Line{Mark: m, Incident: i.ID}
	if t := i.Command().Lines[m.N]; t != nil {
		l.Tag = *t
	}
	return l
}

// lineMoment words a line of a timeline with what was added to it. Id is the incident on whose page it stands.
func (s *Server) lineMoment(v *visit, st *desk.State, l incident.Line, id int64, may bool) ui.Moment {
	m := s.moment(v, st, l.Mark)
	if l.Incident != id {
		m.Says = fmt.Sprintf("Incident %d: %s", l.Incident, m.Says)
		if strings.HasPrefix(m.Href, "#") && st.Incidents.Root(l.Incident) != l.Incident {
			m.Href = ofPart(m.Href, l.Incident)
		}
	}
	if crowded(st, id, m.Href) {
		m.Href = fmt.Sprintf("/incidents/%d%s", id, onPage(m.Href))
	}
	if l.Role != "" {
		m.Role = plan.RoleWord(l.Role)
	}
	m.Pinned = l.Pinned != nil
	if n := len(l.Edits); n > 0 {
		m.Edited = "edited " + map[bool]string{true: "once", false: ui.Number(int64(n)) + " times"}[n == 1]
	}
	if may {
		m.Open, m.N = fmt.Sprintf("/incidents/%d/moments/%d", l.Incident, l.N), ui.Number(l.N)
	}
	return m
}

// crowded reports whether what an anchor names may be missing on the first page of its list.
func crowded(st *desk.State, id int64, anchor string) bool {
	noun, _, _ := strings.Cut(strings.TrimPrefix(anchor, "#"), "-")
	n := 0
	for _, p := range st.Incidents.Parts(id) {
		c := p.Command()
		n += map[string]int{"decision": len(c.Decisions), "question": len(c.Questions), "task": len(c.Tasks), "handover": len(c.Handovers)}[noun]
	}
	return n > settledShown
}

// lineAt finds the line of an entry.
func lineAt(i *incident.Incident, n int64) (incident.Line, bool) {
	k := slices.IndexFunc(i.Timeline, func(m incident.Mark) bool { return m.N == n })
	if k < 0 {
		return incident.Line{}, false
	}
	return lineOf(i, i.Timeline[k]), true
}

func (s *Server) lineOfPage(v *visit) error { return s.showLineOf(v, http.StatusOK, "", nil) }

// showLineOf shows one line of a timeline, with its history and the forms that edit, pin and label it.
func (s *Server) showLineOf(v *visit, code int, form string, mistake error) error {
	id, err := number(v.r, "id")
	if err != nil {
		return err
	}
	n := v.second()
	if v.r.Method == http.MethodPost && n == 0 {
		n = v.seen()
	}
	me := s.self(v, id)
	view := ui.LineOfView{N: fmt.Sprint(n)}
	s.desk.ReadAs(v.actor, func(st *desk.State) {
		var i *incident.Incident
		if i, err = st.Incidents.Get(id); err != nil {
			return
		}
		l, ok := lineAt(i, n)
		if !ok {
			err = errMissing
			return
		}
		view.CaseHead = s.caseHead(st, i, "")
		view.Moment = s.lineMoment(v, st, l, id, false)
		if !me.note {
			return
		}
		at := fmt.Sprintf("/incidents/%d/moments/%d/", id, n)
		if l.Kind == entry.IncidentNoted {
			now := l.N
			for k := range l.Edits {
				e := l.Edits[len(l.Edits)-1-k]
				if k == 0 {
					now = e.N
				} else {
					view.Versions = append(view.Versions, ui.VersionRow{By: s.actorName(st, e.By), At: v.at(e.At), Text: ui.VisibleLines(s.desk.Text(e.What.Text))})
				}
			}
			if l.First != nil {
				view.Versions = append(view.Versions, ui.VersionRow{By: s.actorName(st, l.First.Actor), At: v.at(l.First.Learned), Text: ui.VisibleLines(s.desk.Text(l.First.Ref))})
			}
			view.Edit = []ui.Form{{ID: "edit", Action: at + "edit", Button: "Keep it so", Hidden: []ui.Option{{Word: "seen", Value: fmt.Sprint(now)}}, Fields: []ui.Field{{Name: "note", Kind: "lines", Label: "Note", Need: true, Most: 10000, Rows: 4, Value: s.desk.Text(l.Ref)},
				{Name: "happened", Label: "Happened at", Hint: v.zoned("now, 14:32, 10 min ago, 2026-11-27 14:32"), Most: 40, Value: v.typed(l.Happened, "2006-01-02 15:04:05")}}}}
			if l.Role != "" {
				view.Edit[0].Hidden = append(view.Edit[0].Hidden, ui.Option{Word: "role", Value: l.Role})
			}
			what := fmt.Sprintf("note:%d", n)
			own := st.Incidents.Label(id, what)
			view.Mark = []ui.Form{labelForm(fmt.Sprintf("/incidents/%d", id), what, own, own != st.Incidents.Label(id, ""))}
		}
		pin := ui.Form{ID: "pin", Action: at + "pin", Button: "Pin it"}
		if l.Pinned != nil {
			pin.Button, pin.Hidden = "Take the pin out", []ui.Option{{Word: "off", Value: "yes"}}
		}
		view.Pin = []ui.Form{pin}
	})
	if err != nil {
		return err
	}
	view.Frame = s.frame(v, "incidents", fmt.Sprintf("A line of incident %d", id))
	view.Path = fmt.Sprintf("/incidents/%d/moments/%d", id, n)
	if mistake != nil {
		view.Still = true
		for _, list := range []*[]ui.Form{&view.Edit, &view.Pin, &view.Mark} {
			for k := range *list {
				if f := &(*list)[k]; f.ID == form {
					first := ""
					if len(f.Fields) > 0 {
						first = f.Fields[0].Name
					}
					view.Errors = deedErrors(mistake, form, first)
					*f = f.Again(v.r.PostForm, view.Errors)
				}
			}
		}
		if len(view.Errors) == 0 {
			view.Errors = fieldErrors(mistake)
		}
		view.Other = firstWords(mistake)
	}
	return ui.LineOf.Show(v.w, code, view)
}

// lineDeed does one thing to a line.
func (s *Server) lineDeed(v *visit, form, key string, do func(id, n int64) error) error {
	id, err := number(v.r, "id")
	if err != nil {
		return err
	}
	if err := do(id, v.second()); err != nil {
		if known(err) {
			return err
		}
		return s.showLineOf(v, http.StatusUnprocessableEntity, form, err)
	}
	return done(v, fmt.Sprintf("/incidents/%d/moments/%d", id, v.second()), key)
}

func (s *Server) editNote(v *visit) error {
	return s.lineDeed(v, "edit", "edited", func(id, n int64) error {
		happened, err := v.when("happened", text(v.r, "happened"), false)
		if err != nil {
			return err
		}
		return s.desk.EditNote(v.actor, id, n, v.seen(), desk.NoteText{Text: text(v.r, "note"), Role: text(v.r, "role"), Happened: happened})
	})
}

func (s *Server) pinLine(v *visit) error {
	off, key := v.r.PostFormValue("off") == "yes", "pinned"
	if off {
		key = "unpinned"
	}
	return s.lineDeed(v, "pin", key, func(id, n int64) error { return s.desk.Pin(v.actor, id, n, off) })
}
