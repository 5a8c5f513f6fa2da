package web

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"tocsin/internal/auth"
	"tocsin/internal/desk"
	"tocsin/internal/plan"
	"tocsin/internal/review"
	"tocsin/ui"
)

// Reviews: of the plan part by part, of incidents, and the measures that come of them. All pages are of one form (ui.ReviewPage).

// measuresShown is how many measures the list has: those that wait for something first.
const measuresShown = 200

func (s *Server) reviews(v *visit) error { return s.showReviews(v, http.StatusOK, "", nil) }

// showReviews lists the parts of the plan, the incidents to be reviewed and the measures.
func (s *Server) showReviews(v *visit, code int, form string, mistake error) error {
	parts, err := s.desk.Parts(v.actor, v.now)
	if err != nil {
		return err
	}
	measures, err := s.desk.AllMeasures(v.actor)
	if err != nil {
		return err
	}
	open, err := s.desk.UnreviewedIncidents(v.actor)
	if err != nil {
		return err
	}
	view := ui.ReviewView{Frame: s.frame(v, "review", "Reviews"), Intro: ui.Visible("The plan is only as good as its last review. Who keeps a part right is reminded when it is due; who commands hears of it when nobody does it.")}
	s.desk.ReadAs(v.actor, func(st *desk.State) {
		view.Next = s.nextReview(v, parts, measures)
		list := ui.ReviewList{ID: "parts", Title: "Parts of the plan", Empty: "The plan has no parts."}
		for _, p := range parts {
			list.Rows = append(list.Rows, s.partRow(v, st, p))
		}
		meetings := ui.ReviewList{ID: "incidents", Title: "Incidents to be reviewed", Empty: "Every grave incident was reviewed."}
		for _, i := range open {
			row := ui.ReviewRow{ID: fmt.Sprintf("incident-%d", i.Incident), Href: fmt.Sprintf("/incidents/%d/review", i.Incident), Title: ui.Visible(fmt.Sprintf("Incident %d: %s", i.Incident, i.Title)), Due: v.at(i.Due), Late: v.now.After(i.Due), State: ui.State{Tone: "late", Word: "no review yet"}}
			if !i.Called.IsZero() {
				row.State.Word = "called for " + v.both(i.Called)
			}
			meetings.Rows = append(meetings.Rows, row)
		}
		view.Lists = []ui.ReviewList{list, meetings, {ID: "measures", Title: "Measures", Empty: "No measure was put down. One comes of each gap that a review finds.", Rows: s.measureRows(v, st, measures, true)}}
		if auth.May(v.actor, auth.Note) == nil {
			view.Folds = []ui.Fold{s.measureFold(v, st, "/review/measures", "Put a measure down that comes of no incident", ""), {Summary: "Ask for a review before its time", Form: askForm(v, parts)}}
		}
	})
	for _, u := range s.desk.Unreached(v.now) {
		view.Frame.Problems = append(view.Frame.Problems, ui.Problem{Says: fmt.Sprintf("%s cannot be reminded of %s: no channel reaches them.", u.Person, u.About), Mend: "Give them a mail address.", Href: "/people"})
		if len(view.Frame.Problems) >= 5 {
			break
		}
	}
	return s.showReview(v, code, view, form, mistake)
}

// showReview puts a mistake to its form, and shows the page.
func (s *Server) showReview(v *visit, code int, view ui.ReviewView, form string, mistake error) error {
	if mistake != nil {
		view.Still, view.Errors = true, fieldErrors(mistake)
		again := func(f *ui.Form) bool {
			if f.ID != form || len(f.Fields) == 0 {
				return false
			}
			view.Errors = deedErrors(mistake, form, f.Fields[0].Name)
			*f = f.Again(v.r.PostForm, view.Errors)
			return true
		}
		for k := range view.Forms {
			again(&view.Forms[k].Form)
		}
		for k := range view.Folds {
			view.Folds[k].Open = again(&view.Folds[k].Form) || view.Folds[k].Open
		}
	}
	return ui.ReviewPage.Show(v.w, code, view)
}

// reviewed ends a form: it goes on to a page, or shows the mistake.
func (s *Server) reviewed(v *visit, err error, to string, show func(code int, mistake error) error) error {
	if err == nil {
		return done(v, to, "review-kept")
	}
	if known(err) {
		return err
	}
	return show(http.StatusUnprocessableEntity, err)
}

// nextReview is the one thing that the reader does next: approve what another read, verify what another did, read what is late and theirs, do what is theirs.
func (s *Server) nextReview(v *visit, parts []desk.PartRow, measures []desk.MeasureRow) []ui.StepCard {
	if auth.May(v.actor, auth.Note) != nil {
		return nil
	}
	card := func(href, what, why, word, button string) []ui.StepCard {
		return []ui.StepCard{{Href: href, What: what, Why: why, State: ui.State{Tone: "late", Word: word}, Button: button, Main: true, Next: true}}
	}
	me := v.actor.ID
	for _, p := range parts {
		if len(p.ReadBy) > 0 && !slices.Contains(p.ReadBy, me) {
			return card(partPath(p.ID), "Approve of: "+p.Title, "Somebody read all of it. It counts as reviewed when another person approves.", "waits for you", "Look at it, and approve")
		}
	}
	for _, m := range measures {
		at := fmt.Sprintf("/review/measures/%d", m.ID)
		switch {
		case m.State == review.Open && m.Owner == me && m.Overdue:
			return card(at, "Do: "+clip(firstLine(m.Text), 120), "It is yours, and late.", "late", "Do it, and say so")
		case m.State == review.Done && m.Owner != me && m.Steps[len(m.Steps)-1].Person != me:
			return card(at, "See whether it is done: "+clip(firstLine(m.Text), 120), "Its owner says that it is done. Another person looks.", "waits for another person", "Look at it")
		}
	}
	for _, p := range parts {
		if p.Over && slices.Contains(p.Keepers, me) && !slices.Contains(p.ReadBy, me) {
			return card(partPath(p.ID), "Read: "+p.Title, p.Why, "review is late", "Read it")
		}
	}
	return nil
}

func partPath(id string) string { return "/review/parts/" + id }

func (s *Server) partRow(v *visit, st *desk.State, p desk.PartRow) ui.ReviewRow {
	return ui.ReviewRow{ID: strings.NewReplacer(":", "-").Replace("part-" + p.ID), Href: partPath(p.ID), Title: ui.Visible(p.Title), State: partState(v, p), Who: s.keeperWords(st, p), Due: v.at(p.Due), Late: p.Over, Why: ui.Visible(p.Why)}
}

// partState says in words where the review of a part stands.
func partState(v *visit, p desk.PartRow) ui.State {
	switch {
	case len(p.ReadBy) > 0:
		return ui.State{Tone: "late", Word: "read, waits for an approval"}
	case p.Over && p.Approved == "":
		return ui.State{Tone: "late", Word: "never reviewed, late"}
	case p.Over:
		return ui.State{Tone: "late", Word: "review is late"}
	case p.Approved == "":
		return ui.State{Tone: "off", Word: "not reviewed yet"}
	case p.Approved != p.Revision:
		return ui.State{Tone: "off", Word: "changed since it was approved"}
	}
	return ui.State{Tone: "good", Word: "reviewed " + p.ApprovedAt.In(v.zone).Format("2 Jan 2006")}
}

func (s *Server) keeperWords(st *desk.State, p desk.PartRow) string {
	var names []string
	for _, id := range p.Keepers {
		names = append(names, s.name(st, id))
	}
	who := strings.Join(names, ", ")
	switch {
	case p.Role == "":
		return "kept by " + who
	case who == "":
		return "kept by the " + plan.RoleWord(p.Role) + ", which nobody is"
	}
	return "kept by the " + plan.RoleWord(p.Role) + " (" + who + ")"
}

// measureRows words measures: what waits for something stands first, by when it is due.
func (s *Server) measureRows(v *visit, st *desk.State, list []desk.MeasureRow, where bool) (out []ui.ReviewRow) {
	rank := func(m desk.MeasureRow) int {
		return slices.Index([]review.State{review.Open, review.Done, review.Verified, review.Dropped}, m.State)
	}
	list = slices.Clone(list)
	slices.SortStableFunc(list, func(a, b desk.MeasureRow) int { return cmp.Or(cmp.Compare(rank(a), rank(b)), a.Due.Compare(b.Due)) })
	for _, m := range list[:min(len(list), measuresShown)] {
		row := ui.ReviewRow{ID: fmt.Sprintf("measure-%d", m.ID), Href: fmt.Sprintf("/review/measures/%d", m.ID), Title: ui.Visible(clip(firstLine(m.Text), 200)), State: measureState(m), Who: s.name(st, m.Owner)}
		if m.State == review.Open {
			row.Due, row.Late = v.at(m.Due), m.Overdue
		}
		if where && m.Incident != 0 {
			row.Where = ui.Link{Word: fmt.Sprintf("Incident %d: %s", m.Incident, m.Title), Href: fmt.Sprintf("/incidents/%d/review", m.Incident)}
		}
		out = append(out, row)
	}
	return out
}

func measureState(m desk.MeasureRow) ui.State {
	switch {
	case m.State == review.Verified:
		return ui.State{Tone: "good", Word: "verified by another person"}
	case m.State == review.Dropped:
		return ui.State{Tone: "off", Word: "dropped"}
	case m.State == review.Done:
		return ui.State{Tone: "late", Word: "done, another person is to look"}
	case m.Overdue:
		return ui.State{Tone: "late", Word: "open, late"}
	}
	return ui.State{Tone: "late", Word: "open"}
}

func askForm(v *visit, parts []desk.PartRow) ui.Form {
	var which []ui.Option
	for _, p := range parts {
		which = append(which, ui.Option{Value: p.ID, Word: p.Title})
	}
	return ui.Form{ID: "ask", Action: "/review/ask", Button: "Ask for it", Fields: []ui.Field{{Name: "parts", Kind: "ticks", Label: "Which parts", Options: which},
		{Name: "cause", Kind: "choice", Label: "Because of", Options: options(review.ByPerson, review.ByPerson, "something that I noticed", review.ByArchitecture, "a change in our architecture", review.ByThreat, "a new threat")}, why("What it is"),
		{Name: "due", Label: "By when", Hint: v.zoned("2026-11-27 14:32; empty: in two weeks"), Most: 40}}}
}

func (s *Server) askReview(v *visit) error {
	due, err := v.when("due", text(v.r, "due"), true)
	if err == nil {
		err = s.desk.AskReview(v.actor, v.r.PostForm["parts"], v.r.PostFormValue("cause"), text(v.r, "reason"), due)
	}
	return s.reviewed(v, renamed(err, "text", "reason"), "/review", func(code int, mistake error) error { return s.showReviews(v, code, "ask", mistake) })
}

// renamed gives a mistake the name that its field has in a form.
func renamed(err error, from, to string) error {
	if f, ok := err.(desk.FieldError); ok && f.Field == from {
		f.Field = to
		return f
	}
	return err
}

func (s *Server) planPart(v *visit) error { return s.showPart(v, http.StatusOK, "", nil) }

// showPart shows a part as it stands, to be read section by section and approved.
func (s *Server) showPart(v *visit, code int, form string, mistake error) error {
	p, err := s.desk.Part(v.actor, v.r.PathValue("part"), v.now)
	if err != nil {
		return err
	}
	at := partPath(p.ID)
	view := ui.ReviewView{Frame: s.frame(v, "review", p.Title), Over: ui.Link{Word: "Reviews", Href: "/review"}, State: partState(v, p.PartRow), Change: changeViews(p.Changes)}
	view.Path = at
	var ticks []ui.Option
	words := map[string]ui.State{"new": {Tone: "late", Word: "new"}, "changed": {Tone: "late", Word: "changed since it was approved"}, "same": {Tone: "good", Word: "as it was approved"}}
	for k, x := range p.Sections {
		paper := ui.ReviewPaper{ID: fmt.Sprintf("section-%d", k+1), Title: x.Title, State: words[x.State], Open: x.State != "same" && k < 3}
		for _, l := range x.Lines {
			paper.Lines = append(paper.Lines, ui.Visible(l))
		}
		view.Papers = append(view.Papers, paper)
		word := x.Title
		if x.State == "new" || x.State == "changed" {
			word += " (" + words[x.State].Word + ")"
		}
		ticks = append(ticks, ui.Option{Value: x.Name, Word: word, Chosen: slices.Contains(p.Ticked, x.Name)})
	}
	says := p.Why + " It is due on " + p.Due.In(v.zone).Format("2 Jan 2006") + "."
	if len(p.Gone) > 0 {
		says += " " + ui.Plural(int64(len(p.Gone)), "section is", "sections are") + " not there any more: " + strings.Join(p.Gone, ", ") + "."
	}
	s.desk.ReadAs(v.actor, func(st *desk.State) {
		view.Intro = ui.Visible("It is " + s.keeperWords(st, p.PartRow) + ". " + says)
		if auth.May(v.actor, auth.Note) != nil {
			return
		}
		hidden := []ui.Option{{Word: "revision", Value: p.Revision}, {Word: "against", Value: p.Approved}}
		if slices.ContainsFunc(p.ReadBy, func(id string) bool { return id != v.actor.ID || p.Alone }) {
			var who []string
			for _, id := range p.ReadBy {
				who = append(who, s.name(st, id))
			}
			view.Forms = append(view.Forms, ui.Titled{Title: "Approve", Form: ui.Form{ID: "approve", Action: at + "/approve", Button: "Approve: it was reviewed", Main: true, Next: true, Hidden: hidden, Hint: strings.Join(who, ", ") + " read all of it as it stands. You approve when what they read is right."}})
			view.Folds = append(view.Folds, ui.Fold{Summary: "Something is not right", Form: ui.Form{ID: "refuse", Action: at + "/refuse", Button: "Do not approve", Danger: true, Hidden: hidden, Fields: []ui.Field{why("What is not right")}}})
		}
		if !slices.Contains(p.ReadBy, v.actor.ID) {
			view.Forms = append(view.Forms, ui.Titled{Title: "Say what you have read", Form: ui.Form{ID: "read", Action: at + "/read", Button: "I have read these", Main: len(view.Forms) == 0, Next: len(view.Forms) == 0, Hidden: hidden,
				Hint: "Tick each section that you read and found right. When all are ticked, another person approves.", Fields: []ui.Field{{Name: "sections", Kind: "ticks", Label: "Sections", Options: ticks}}}})
		}
		if auth.May(v.actor, auth.Playbooks) == nil {
			view.Folds = append(view.Folds, ui.Fold{Summary: "Who keeps it right, and how often it is reviewed", Form: ui.Form{ID: "keep", Action: at + "/keep", Button: "Set it", Fields: []ui.Field{
				{Name: "owner", Kind: "choice", Label: "Kept by", Options: append([]ui.Option{{Value: "", Word: "its role"}}, s.teamOptions(st, p.Owner)...)},
				{Name: "days", Label: "Reviewed every so many days", Value: strconv.Itoa(cmp.Or(p.Days, review.Quarter)), Most: 3}}}})
		}
	})
	return s.showReview(v, code, view, form, mistake)
}

// teamOptions are the people on the team, to choose from. The state is held.
func (s *Server) teamOptions(st *desk.State, chosen ...string) (out []ui.Option) {
	for _, id := range staff(st) {
		out = append(out, ui.Option{Value: id, Word: s.name(st, id), Chosen: slices.Contains(chosen, id)})
	}
	return out
}

func (s *Server) readPart(v *visit) error {
	err := s.desk.ReadPart(v.actor, v.r.PathValue("part"), desk.PartRead{Revision: v.r.PostFormValue("revision"), Against: v.r.PostFormValue("against"), Sections: v.r.PostForm["sections"]})
	return s.ofPart(v, "read", err)
}

func (s *Server) approvePart(v *visit) error {
	return s.ofPart(v, "approve", s.desk.ApprovePart(v.actor, v.r.PathValue("part"), v.r.PostFormValue("revision")))
}

func (s *Server) refusePart(v *visit) error {
	return s.ofPart(v, "refuse", renamed(s.desk.RefusePart(v.actor, v.r.PathValue("part"), v.r.PostFormValue("revision"), text(v.r, "reason")), "text", "reason"))
}

func (s *Server) keepPart(v *visit) error {
	days, err := strconv.Atoi(text(v.r, "days"))
	if err != nil {
		err = desk.FieldError{Field: "days", Says: "A part is reviewed every 1 to 730 days."}
	} else {
		err = s.desk.KeepPart(v.actor, v.r.PathValue("part"), v.r.PostFormValue("owner"), days)
	}
	return s.ofPart(v, "keep", err)
}

func (s *Server) ofPart(v *visit, form string, err error) error {
	return s.reviewed(v, err, partPath(v.r.PathValue("part")), func(code int, mistake error) error { return s.showPart(v, code, form, mistake) })
}
