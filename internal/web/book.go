package web

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"tocsin/internal/auth"
	"tocsin/internal/desk"
	"tocsin/internal/plan"
	"tocsin/internal/playbook"
	"tocsin/ui"
)

// revisionsShown is how many revisions a page has.
const revisionsShown = 100

// bookRow words a playbook in short.
func bookRow(v *visit, b desk.PlaybookRow) ui.BookRow {
	row := ui.BookRow{ID: b.ID, Href: "/plan/" + b.ID, Title: orElse(b.Title, b.ID), Summary: b.Summary, Owner: plan.RoleWord(b.Owner), Severity: ui.Severity(b.Severity), Steps: ui.Plural(int64(b.Steps), "step", "steps"), Revision: shortRevision(b.Revision), Reviewed: v.at(b.Changed)}
	due := b.Changed.AddDate(0, 0, b.Review)
	row.Due, row.Review = v.at(due), ui.State{Tone: "good", Word: "review by " + due.In(v.zone).Format("2 Jan 2006")}
	switch {
	case b.Retired:
		row.Review = ui.State{Tone: "off", Word: "not begun any more"}
	case v.now.After(due):
		row.Review = ui.State{Tone: "late", Word: "review is late since " + due.In(v.zone).Format("2 Jan 2006")}
	}
	return row
}

// planPage lists the playbooks of the plan.
func (s *Server) planPage(v *visit) error { return s.showPlan(v, http.StatusOK, nil) }

func (s *Server) showPlan(v *visit, code int, mistake error) error {
	view := ui.PlanView{May: auth.May(v.actor, auth.Playbooks) == nil}
	var history []dated
	for _, b := range s.desk.Playbooks() {
		row := bookRow(v, b)
		if b.Retired {
			view.Retired = append(view.Retired, row)
			continue
		}
		view.Rows = append(view.Rows, row)
		if b.Waits != 0 {
			if p, err := s.proposal(v, b.Waits); err == nil {
				view.Proposals = append(view.Proposals, p)
			}
		}
		revisions, err := s.revisions(v, b.ID, row.Title)
		if err != nil {
			return err
		}
		history = append(history, revisions...)
	}
	slices.SortStableFunc(history, func(a, b dated) int { return b.when.Compare(a.when) })
	for _, r := range history[:min(len(history), revisionsShown)] {
		view.History = append(view.History, s.reasoned(r))
	}
	view.Built = s.builtSays()
	if view.May {
		view.Forms = []ui.Fold{{Summary: "Write a new playbook", Form: ui.Form{ID: "new", Action: "/plan/new/edit", Button: "Begin with an example", Hidden: []ui.Option{{Word: "deed", Value: "example"}}}},
			{Summary: "Import a playbook (CACAO 2.0, or our YAML)", Form: ui.Form{ID: "import", Action: "/plan/import", Button: "Read it", Hint: "Nothing is changed yet: you see first what it becomes.", Fields: []ui.Field{{Name: "text", Kind: "lines", Label: "The file", Need: true, Code: true, Rows: 6, Most: bookMost}}}}}
	}
	view.Frame = s.frame(v, "plan", "The plan")
	view.Path = "/plan"
	if mistake != nil {
		view.Still, view.Errors = true, deedErrors(mistake, "import", "text")
		for k := range view.Forms {
			if view.Forms[k].Form.ID == "import" {
				view.Forms[k].Form, view.Forms[k].Open = view.Forms[k].Form.Again(v.r.PostForm, view.Errors), true
			}
		}
	}
	return ui.PlanPage.Show(v.w, code, view)
}

// builtSays counts the actions of the plan that the program can do.
func (s *Server) builtSays() string {
	built := s.desk.BuiltActions()
	named := map[string]bool{}
	for _, b := range s.desk.Playbooks() {
		if p := s.desk.Playbook(b.Revision); p != nil && !b.Retired {
			for _, x := range p.Steps {
				if x.Action != nil {
					named[x.Action.Do] = slices.Contains(built, x.Action.Do)
				}
			}
		}
	}
	n := 0
	for _, is := range named {
		if is {
			n++
		}
	}
	if len(named) == 0 {
		return ""
	}
	return fmt.Sprintf("%d of %d actions are built; steps with the others are done by hand.", n, len(named))
}

// A dated is a row with its time.
type dated struct {
	ui.RevisionRow
	when time.Time
	of   desk.PlaybookRevision // its reason is read when it is shown
}

// revisions are those of a playbook, newest first.
func (s *Server) revisions(v *visit, id, title string) (out []dated, err error) {
	all, err := s.desk.PlaybookRevisions(id)
	if err != nil {
		return nil, err
	}
	s.desk.ReadAs(v.actor, func(st *desk.State) {
		for k, r := range all {
			row := ui.RevisionRow{Revision: shortRevision(r.Revision), Title: title, Href: "/plan/" + id + "?revision=" + r.Revision, At: v.at(r.Time), By: s.writer(st, r.By), Approver: s.approver(st, r.Approver), From: r.From, Current: k == 0}
			if k+1 < len(all) {
				row.Diff = fmt.Sprintf("/plan/%s/diff?from=%s&to=%s", id, all[k+1].Revision, r.Revision)
			}
			out = append(out, dated{row, r.Time, r})
		}
	})
	return out, nil
}

// reasoned is a row with the reason of its revision.
func (s *Server) reasoned(r dated) ui.RevisionRow {
	r.Why = ui.Visible(s.desk.RevisionWhy(r.of))
	return r.RevisionRow
}

// writer words who wrote a revision.
func (s *Server) writer(st *desk.State, by string) string {
	if by == "" {
		return "Tocsin"
	}
	return s.name(st, strings.TrimPrefix(by, "person:"))
}

func (s *Server) approver(st *desk.State, by string) string {
	if by == "" {
		return ""
	}
	return s.name(st, by)
}

// proposal words a change that waits for a second person.
func (s *Server) proposal(v *visit, approval int64) (row ui.ProposalRow, err error) {
	x, err := s.desk.PlaybookAsked(v.actor, approval)
	if err != nil {
		return row, err
	}
	s.desk.ReadAs(v.actor, func(st *desk.State) {
		row = ui.ProposalRow{Href: fmt.Sprintf("/proposals/%d", approval), Title: x.ID, By: s.name(st, x.By), Why: ui.VisibleLines(x.Why), State: ui.State{Tone: "late", Word: "waits for you"}}
		if p := bookOf(st, x.ID); p != nil {
			row.Title = p.Title
		}
		if a, e := st.Approvals.Get(approval); e == nil {
			row.At = v.at(a.At)
		}
		if x.Retire {
			row.Title += ": not to be begun any more"
		}
		if x.By == v.actor.ID {
			row.State.Word = "waits for another person"
		}
	})
	return row, nil
}

// bookOfPath is the playbook that a path names, and the revision that is asked for.
func (s *Server) bookOfPath(v *visit) (b desk.PlaybookRow, p *playbook.Playbook, revision string, err error) {
	for _, x := range s.desk.Playbooks() {
		if x.ID == v.r.PathValue("id") {
			b = x
		}
	}
	if b.ID == "" {
		return b, nil, "", errMissing
	}
	if revision = v.r.FormValue("revision"); revision == "" {
		revision = b.Revision
	}
	all, err := s.desk.PlaybookHistory(b.ID)
	if err != nil {
		return b, nil, "", err
	}
	if !slices.ContainsFunc(all, func(r desk.PlaybookRevision) bool { return r.Revision == revision }) {
		return b, nil, "", errMissing
	}
	if p = s.desk.Playbook(revision); p == nil {
		return b, nil, "", errors.New("the text of this revision cannot be read: run tocsin doctor, and work from the printed plan")
	}
	return b, p, revision, nil
}

func (s *Server) book(v *visit) error { return s.showBook(v, http.StatusOK, nil) }

// showBook shows one playbook as a picture of its phases, and its steps as text.
func (s *Server) showBook(v *visit, code int, mistake error) error {
	b, p, revision, err := s.bookOfPath(v)
	if err != nil {
		return err
	}
	view := ui.BookView{Row: bookRow(v, b), Current: revision == b.Revision, Signs: p.Signs, Phases: flow(p)}
	view.Row.Title, view.Row.Summary, view.Row.Revision, view.Row.Severity, view.Row.Steps = p.Title, p.Summary, shortRevision(revision), ui.Severity(p.Severity), ui.Plural(int64(len(p.Steps)), "step", "steps")
	for _, sev := range slices.Backward(playbook.Severities()) {
		if says := p.Criteria[sev]; says != "" {
			view.Criteria = append(view.Criteria, ui.CriterionRow{Severity: ui.Severity(sev), Says: says})
		}
	}
	for _, f := range p.Facts {
		view.Asks = append(view.Asks, ui.Fact{Name: f.ID, Value: strings.TrimSpace(f.Ask + " " + strings.Join(f.Of, ", "))})
	}
	if !p.Ends.Always() {
		view.Ends = p.Ends.String()
	}
	for _, f := range p.Unbuilt(p.ID+".yaml", s.desk.BuiltActions()) {
		view.Findings = append(view.Findings, findingRow(f, nil))
	}
	at := "/plan/" + b.ID
	view.Exports = []ui.Link{{Word: "Export as CACAO 2.0", Href: at + "/export?revision=" + revision}, {Word: "Export as YAML", Href: at + "/export?as=yaml&revision=" + revision}}
	if b.Waits != 0 {
		view.Exports = append(view.Exports, ui.Link{Word: "A change waits: look at it", Href: fmt.Sprintf("/proposals/%d", b.Waits)})
	}
	if auth.May(v.actor, auth.Playbooks) == nil && view.Current && !b.Retired {
		view.Edit = at + "/edit"
		if b.Offered != "" {
			view.Exports = append(view.Exports, ui.Link{Word: "What the new version of Tocsin brings", Href: at + "/diff?to=offered"})
			view.Folds = append(view.Folds, ui.Fold{Summary: "Take what the new version of Tocsin brings", Form: ui.Form{ID: "offered", Action: at + "/offered", Button: "Propose to take it", Fields: []ui.Field{why("Why")}}})
		}
		view.Folds = append(view.Folds, ui.Fold{Summary: "Do not begin it any more", Form: ui.Form{ID: "retire", Action: at + "/retire", Button: "Propose it", Danger: true, Hint: "A second person agrees. Incidents that run by it go on.", Fields: []ui.Field{why("Why")}}})
	}
	revisions, err := s.revisions(v, b.ID, "")
	if err != nil {
		return err
	}
	for _, r := range revisions[:min(len(revisions), revisionsShown)] {
		view.Revisions = append(view.Revisions, s.reasoned(r))
	}
	view.Frame = s.frame(v, "plan", p.Title)
	if mistake != nil {
		view.Still = true
		view.Errors = deedErrors(mistake, v.r.PostFormValue("form"), "reason")
		for k := range view.Folds {
			if strings.HasSuffix(v.r.URL.Path, "/"+view.Folds[k].Form.ID) {
				view.Errors = deedErrors(mistake, view.Folds[k].Form.ID, "reason")
				view.Folds[k].Form, view.Folds[k].Open = view.Folds[k].Form.Again(v.r.PostForm, view.Errors), true
			}
		}
	}
	return ui.BookPage.Show(v.w, code, view)
}

// flow is the picture of a playbook.
func flow(p *playbook.Playbook) (out []ui.PhaseFlow) {
	number := map[string]int{}
	for k, x := range p.Steps {
		number[x.ID] = k + 1
	}
	one := func(x *playbook.Step) ui.StepFlow {
		f := ui.StepFlow{Number: fmt.Sprint(number[x.ID]), ID: x.ID, What: x.What, Role: plan.RoleWord(x.Role), RoleKey: x.Role, Why: x.Why, How: ui.NewProse(x.How), Done: x.Done, Evidence: x.Evidence}
		if !x.If.Always() {
			f.If = x.If.String()
		}
		for _, id := range x.Asks {
			if a, ok := p.Fact(id); ok {
				f.Facts = append(f.Facts, ui.Fact{Name: "Asks", Value: a.Ask})
			}
		}
		if x.Within > 0 {
			f.Facts = append(f.Facts, ui.Fact{Name: "Within", Value: playbook.PrintSpan(x.Within)})
		}
		if x.Approve != "" {
			f.Facts = append(f.Facts, ui.Fact{Name: "Must agree", Value: plan.RoleWord(x.Approve)})
		}
		if x.Action != nil {
			f.Facts = append(f.Facts, ui.Fact{Name: "Action", Value: x.Action.Do})
		}
		for _, a := range x.After {
			if y := p.Step(a); y != nil {
				f.Facts = append(f.Facts, ui.Fact{Name: "After", Value: y.What, Href: "#step-" + a})
			}
		}
		return f
	}
	for _, ph := range p.Phases {
		phase := ui.PhaseFlow{ID: ph.Name, Word: playbook.PhaseWord(ph.Name)}
		for _, n := range ph.Nodes {
			node := ui.NodeFlow{}
			if n.Step != nil {
				node.Steps = []ui.StepFlow{one(n.Step)}
			}
			for _, br := range n.Together {
				branch := ui.BranchFlow{Word: br.Name}
				for _, x := range stepsOf(br.Nodes) {
					branch.Steps = append(branch.Steps, one(x))
				}
				node.Branches = append(node.Branches, branch)
			}
			phase.Nodes = append(phase.Nodes, node)
		}
		out = append(out, phase)
	}
	return out
}

// stepsOf are the steps of nodes, also of branches within branches, as written.
func stepsOf(nodes []playbook.Node) (out []*playbook.Step) {
	for _, n := range nodes {
		if n.Step != nil {
			out = append(out, n.Step)
		}
		for _, br := range n.Together {
			out = append(out, stepsOf(br.Nodes)...)
		}
	}
	return out
}

// findingRow words a finding, with the line that it is about.
func findingRow(f playbook.Finding, lines []string) ui.FindingRow {
	row := ui.FindingRow{Says: sentence(errors.New(f.Says)), Warning: f.Warning}
	if f.Line > 0 {
		row.Line = fmt.Sprint(f.Line)
		if f.Line <= len(lines) {
			row.Text = clip(ui.Visible(strings.TrimRight(lines[f.Line-1], "\r\n")).String(), 200)
		}
	}
	return row
}

// glossary says what words mean.
func (s *Server) glossary(v *visit) error {
	view := ui.GlossaryView{Frame: s.frame(v, "plan", "Glossary")}
	view.Terms = nil
	terms := slices.Clone(s.desk.Glossary().Terms)
	slices.SortStableFunc(terms, func(a, b playbook.Term) int { return strings.Compare(strings.ToLower(a.Word), strings.ToLower(b.Word)) })
	for k, t := range terms {
		view.Terms = append(view.Terms, ui.TermRow{ID: fmt.Sprintf("term-%d", k+1), Word: t.Word, Also: strings.Join(t.Also, ", "), Says: t.Says})
	}
	view.Frame.Terms = nil // all of them stand here
	return ui.GlossaryPage.Show(v.w, http.StatusOK, view)
}

// explains finds words of the glossary in a text, for the frame of every page.
func (s *Server) explains() func(string) []ui.Term {
	g := s.desk.Glossary()
	if len(g.Terms) == 0 {
		return nil
	}
	return func(text string) (out []ui.Term) {
		for _, f := range g.Find(text) {
			out = append(out, ui.Term{From: f.From, To: f.To, Word: f.Term.Word, Says: f.Term.Says})
		}
		return out
	}
}

// printPlan is the whole plan as one document, for the printer, as PDF or as Markdown.
func (s *Server) printPlan(v *visit) error {
	form := v.r.URL.Query().Get("as")
	if form != "md" && form != "pdf" {
		form = "html"
	}
	x, err := s.desk.PrintPlan(v.actor, form, v.zone)
	if err != nil {
		return err
	}
	v.w.Header().Set("Content-Type", x.Type)
	if form == "html" {
		v.w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src '"+styleHash(x.Bytes)+"'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
	} else {
		v.w.Header().Set("Content-Disposition", `attachment; filename="`+x.Name+`"`)
	}
	_, err = v.w.Write(x.Bytes)
	return err
}

// styleHash names the one sheet of a document that has it within itself, so that the policy lets this one in and no other (W3C CSP level 3).
func styleHash(html []byte) string {
	_, rest, _ := bytes.Cut(html, []byte("<style>"))
	sheet, _, _ := bytes.Cut(rest, []byte("</style>"))
	sum := sha256.Sum256(sheet)
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}
