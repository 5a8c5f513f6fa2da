package web

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"tocsin/internal/auth"
	"tocsin/internal/desk"
	"tocsin/internal/entry"
	"tocsin/internal/incident"
	"tocsin/internal/letterbox"
	"tocsin/internal/report"
	"tocsin/ui"
)

const reportsShown = 50

// reports lists what people outside told.
func (s *Server) reports(v *visit) error { return s.showReports(v, http.StatusOK, nil) }

func (s *Server) showReports(v *visit, code int, mistake error) error {
	page, all := pageOf(v), v.r.URL.Query().Get("state") == "all"
	rows, total, err := s.desk.OutsideReports(v.actor, !all, page*reportsShown, reportsShown)
	if err != nil {
		return err
	}
	view := ui.ReportsView{Frame: s.frame(v, "reports", "Reports from outside"), Pager: pager(v, page, reportsShown, total), Warnings: s.reportWarnings(v), Facts: s.reportFacts(v),
		MayKey: auth.May(v.actor, auth.Team) == nil && s.desk.TakesReports(), None: "Nothing waits.",
		Filters: []ui.LangLink{{Word: "To do", Href: "/reports", Current: !all}, {Word: "All", Href: "/reports?state=all", Current: all}}}
	view.Path = "/reports"
	switch n := s.desk.ReportsWaiting(v.actor); {
	case !s.desk.TakesReports():
		view.Summary = "People outside cannot report here: reports is off in tocsin.yaml."
	case n > 0:
		view.Summary = ui.Plural(int64(n), "waits for somebody to open it.", "wait for somebody to open them.")
	default:
		view.Summary = "Nothing waits for somebody to open it."
	}
	if all {
		view.None = "Nobody has reported anything."
	}
	s.desk.ReadAs(v.actor, func(st *desk.State) {
		for _, x := range rows {
			view.Rows = append(view.Rows, s.reportRow(st, x))
		}
	})
	if mistake != nil {
		view.Errors, view.Still = fieldErrors(mistake), true
	}
	return ui.Reports.Show(v.w, code, view)
}

func (s *Server) reportWarnings(v *visit) (ps []ui.Problem) {
	wave, wrong := s.desk.ReportFlood(v.now)
	if wave > report.Usual().Own {
		ps = append(ps, ui.Problem{Says: ui.Number(int64(wave)) + " reports and messages came in since the team was called.", Mend: "Those beyond the first 50 of an hour are kept together, and nobody is called again for them."})
	}
	if left := s.desk.ReportsLeft(v.actor, 0); len(left) > 0 {
		ps = append(ps, ui.Problem{Says: ui.Plural(int64(len(left)), "report belongs to an incident that is closed", "reports belong to incidents that are closed") + ", and the reporter still reads that somebody is at work.", Mend: "Close each, with a word to its reporter.", Href: fmt.Sprintf("/reports/%d#decide", left[0])})
	}
	if wrong >= 10 {
		ps = append(ps, ui.Problem{Says: "At least " + ui.Number(int64(wrong)) + " wrong receipts were tried in an hour.", Mend: "A receipt has a hundred bits, so none is guessed; who tries is slowed down."})
	}
	if x := s.desk.SecurityText(v.now); x.Warning != "" {
		ps = append(ps, ui.Problem{Says: x.Warning, Mend: "Look whether it is still right, then renew it below.", Href: "/reports#page"})
	}
	return ps
}

// reportProblems are those that the problems bar has of reports.
func (s *Server) reportProblems(v *visit) (ps []ui.Problem) {
	if x := s.desk.SecurityText(v.now); x.Warning != "" {
		ps = append(ps, ui.Problem{Says: x.Warning, Mend: "Look whether it is still right, then renew it.", Href: "/reports#page"})
	}
	if x := s.desk.LettersBox(v.now); x.On && !x.Up {
		ps = append(ps, ui.Problem{Says: "The mailbox for reports from outside cannot be read: " + firstLine(x.Why), Mend: "It is tried again by itself. tocsin doctor says more.", Href: "/reports"})
	}
	return ps
}

func (s *Server) reportFacts(v *visit) (out []ui.Fact) {
	if !s.desk.TakesReports() {
		return nil
	}
	at, _ := s.desk.OutsideURL()
	out = append(out, ui.Fact{Name: "Address", Value: at + "/report", Href: at + "/report"})
	if key, wrapped, err := s.desk.ReportKey(); err != nil {
		out = append(out, ui.Fact{Name: "Sealed to", Value: sentence(err)})
	} else if wrapped {
		out = append(out, ui.Fact{Name: "Sealed to", Value: key + ", kept under a passphrase"})
	} else {
		out = append(out, ui.Fact{Name: "Sealed to", Value: key + ", kept in the vault"})
	}
	x := s.desk.SecurityText(v.now)
	fact := ui.Fact{Name: "security.txt", Value: x.Lacks}
	if x.Text != "" {
		fact.Value, fact.Href = "not signed, expires "+v.at(x.Expires).Local, "/.well-known/security.txt"
		if x.Signed {
			fact.Value = strings.TrimPrefix(fact.Value, "not ")
		}
	}
	out = append(out, fact)
	if x := s.desk.LettersBox(v.now); x.On {
		word := "is read"
		if !x.Up {
			word = "cannot be read: " + firstLine(x.Why)
		}
		out = append(out, ui.Fact{Name: "Mailbox", Value: word})
	}
	return out
}

// reportRow words a report, or a bucket of many.
func (s *Server) reportRow(st *desk.State, x desk.OutsideReport) ui.ReportRow {
	r := ui.ReportRow{ID: fmt.Sprint(x.ID), Href: fmt.Sprintf("/reports/%d", x.ID), Word: fmt.Sprintf("Report %d", x.ID), From: senderWords(x.From), Day: ui.WordsIn("en").Day(x.Day), Plain: x.Plain,
		State: reportState(x.Case), Says: x.Way + ", up to " + desk.Size(x.Size)}
	if n := len(x.Thread); n > 0 {
		r.Says += ", " + ui.Plural(int64(n), "message", "messages")
	}
	if x.Unread > 0 {
		r.Unread = ui.Plural(int64(x.Unread), "new message", "new messages")
	}
	if x.Bundled > 1 {
		r.Word = fmt.Sprintf("Reports %s to %s", ui.Number(x.ID), ui.Number(x.Last))
		r.Says = x.Way + ", kept together: " + ui.Number(int64(x.Bundled)) + " came in one hour"
		if x.New > 0 {
			r.Unread, r.State = ui.Number(int64(x.New))+" not opened", ui.State{Tone: "bad", Word: "new"}
		}
	}
	if i, err := st.Incidents.Get(x.Incident); err == nil {
		r.Incident = ui.Link{Word: fmt.Sprintf("Incident %d", i.ID), Href: fmt.Sprintf("/incidents/%d", i.ID)}
	}
	return r
}

func senderWords(from string) string {
	if from == report.Researcher {
		return "security researcher"
	}
	return from
}

func reportState(c report.Case) ui.State {
	switch {
	case c.Unread > 0:
		return ui.State{Tone: "late", Word: "new words"}
	case c.Standing == report.New:
		return ui.State{Tone: "bad", Word: "new"}
	case c.Standing == report.Read:
		return ui.State{Tone: "late", Word: "read"}
	case c.Standing == report.Answered:
		return ui.State{Tone: "busy", Word: "answered"}
	case c.Standing == report.Opened, c.Standing == report.Joined:
		return ui.State{Tone: "busy", Word: "in an incident"}
	case c.Standing == report.Spam:
		return ui.State{Tone: "off", Word: "dropped"}
	}
	return ui.State{Tone: "off", Word: "closed"}
}

func (s *Server) outsideReport(v *visit) error { return s.showReport(v, http.StatusOK, nil, nil) }

// reportTyped are the fields in which somebody writes what becomes of a report.
func reportTyped() []string {
	return []string{"deed", "incident", "message", "reason", "bucket", "unmailed"}
}

// evidenceTyped are those of evidenceForm.
func evidenceTyped() []string { return []string{"files", "why", "label"} }

// typedIn reports whether one of either was sent with something in it.
func typedIn(form url.Values) bool {
	return slices.ContainsFunc(append(reportTyped(), evidenceTyped()...), func(name string) bool { return strings.TrimSpace(form.Get(name)) != "" })
}

// showReport shows one report; to open it is written down. typed is what was written below and not done, nil when nothing was.
func (s *Server) showReport(v *visit, code int, mistake error, typed url.Values) error {
	id, err := number(v.r, "id")
	if err != nil {
		return err
	}
	told, locked := s.desk.OpenOutsideReport(v.actor, id)
	if locked != nil && !errors.Is(locked, desk.ErrReportLocked) && !errors.Is(locked, letterbox.ErrSealed) && !errors.Is(locked, desk.ErrBroken) {
		return notReport(locked)
	}
	x, _, err := s.desk.OutsideReport(v.actor, id)
	if err != nil {
		return notReport(err)
	}
	page := pageOf(v)
	bucket, together, err := s.desk.OutsideBucket(v.actor, id, page*reportsShown, reportsShown)
	if err != nil {
		return notReport(err)
	}
	view := ui.ReportOneView{Frame: s.frame(v, "reports", fmt.Sprintf("Report %d", id)), Action: fmt.Sprintf("/reports/%d", id), May: true, Done: x.Done(),
		CanAnswer: x.Reply != "", Pager: pager(v, page, reportsShown, together), Seen: x.Moves(), Deeds: []ui.Option{{Value: "answer", Word: "Answer only"}, {Value: "open", Word: "Open an incident for it"}, {Value: "join", Word: "Join an incident"}, {Value: "close", Word: "Close it: dealt with"}, {Value: "spam", Word: "Drop it: no report"}}}
	view.Path = view.Action
	s.reportTold(&view, told, locked)
	view.MayUnmailed = view.Asks && view.CanAnswer
	view.Message, view.Reason, view.AllTicked, view.Unmailed = typed.Get("message"), typed.Get("reason"), typed.Get("bucket") == "yes", typed.Get("unmailed") == "yes"
	mailed := s.desk.ReportMailed(x.Case)
	s.desk.ReadAs(v.actor, func(st *desk.State) {
		view.Row = s.reportRow(st, x)
		for _, o := range bucket {
			view.Bucket = append(view.Bucket, s.reportRow(st, o))
		}
		s.reportThreadRows(st, &view, x, told, mailed)
		s.reportSteps(v, st, &view, x)
		view.Incidents = joinable(st, x.Incident)
		if i, err := st.Incidents.Get(st.Incidents.Root(x.Incident)); err == nil && i.Closed && !x.Done() {
			for k := range view.Deeds { // its incident is over, so this is likely
				view.Deeds[k].Chosen = view.Deeds[k].Value == "close"
			}
		}
		if i, err := st.Incidents.Get(st.Incidents.Root(x.Incident)); err == nil && locked == nil {
			view.Evidence = evidenceForm(x, i, told)
		}
	})
	for k := range view.Deeds {
		view.Deeds[k].Chosen = view.Deeds[k].Chosen && typed.Get("deed") == "" || view.Deeds[k].Value == typed.Get("deed")
	}
	for k := range view.Incidents {
		view.Incidents[k].Chosen = view.Incidents[k].Value == typed.Get("incident")
	}
	for _, name := range append(reportTyped(), evidenceTyped()...) {
		for _, value := range typed[name] {
			if view.Asks && strings.TrimSpace(value) != "" {
				view.Kept = append(view.Kept, ui.KeptField{Name: name, Value: value})
			}
		}
	}
	if len(view.Evidence) > 0 && slices.ContainsFunc(evidenceTyped(), typed.Has) {
		view.Evidence[0] = view.Evidence[0].Again(typed, nil)
	}
	if came, wait := s.desk.ReportTally(v.actor, id, v.now); came > 1 {
		view.Tally = ui.Number(int64(came)) + " reports came since the team was called, of which this is one: " + ui.Plural(int64(wait), "waits to be opened.", "wait to be opened.")
	}
	if x.Together > 1 {
		view.Last = x.Last
		which := ""
		if 0 < x.Free && x.Free < x.Together {
			which = fmt.Sprintf(" (to open an incident: the %s that belong to none)", ui.Number(int64(x.Free)))
		}
		view.All = fmt.Sprintf("All %s that are kept together%s. Nobody of them gets a mail: who gave an address is written to one by one.", ui.Number(int64(x.Together)), which)
	}
	if view.CanAnswer {
		view.AnswerHint = "It is sealed to the reporter's receipt. They wrote in " + languageWord(x.Lang) + "."
		if x.Way == report.Mail {
			view.AnswerHint = "It goes by mail to the address from which they wrote."
		} else if told.Contact != "" {
			view.AnswerHint += " If they gave a mail address, it goes there, too."
		}
	}
	view.Still = typedIn(typed)
	if mistake != nil {
		view.Still = true
		if !evidenceAgain(v, &view, mistake) {
			view.Errors = fieldErrors(mistake)
		}
	}
	return ui.ReportOne.Show(v.w, code, view)
}

// notReport makes a missing page of a missing report.
func notReport(err error) error {
	if errors.Is(err, desk.ErrNoOutsideReport) {
		return errMissing
	}
	return err
}

func languageWord(lang string) string {
	if name := map[string]string{"de": "German", "fr": "French", "es": "Spanish", "it": "Italian", "nl": "Dutch", "pl": "Polish", "pt": "Portuguese", "en": "English"}[lang]; name != "" {
		return name
	}
	return "a language that we do not know"
}

// reportTold shows what was told, in a stranger's words.
func (s *Server) reportTold(view *ui.ReportOneView, told desk.ReportWords, locked error) {
	if locked != nil {
		view.Locked, view.Asks = sentence(locked), errors.Is(locked, desk.ErrReportLocked)
		return
	}
	for _, x := range []struct{ name, text string }{{"What happened", told.What}, {"When", told.When}, {"Where", told.Where}, {"How to reach them", told.Contact}} {
		if x.text != "" {
			view.Told = append(view.Told, ui.ToldText{Name: x.name, Text: ui.VisibleLines(x.text)})
		}
	}
	for k, f := range told.Files {
		view.Files = append(view.Files, reportFileRow(view.Action, k+1, f))
	}
	if told.Locked {
		view.Locked, view.Asks = "Some of the messages below are sealed to a key whose passphrase was not given.", true
	}
}

func reportFileRow(action string, n int, f report.File) ui.ReportFile {
	return ui.ReportFile{Name: ui.Visible(f.Name), Size: desk.Size(f.Size), Href: fmt.Sprintf("%s/files/%d", action, n), State: fileState(f)}
}

func fileState(f report.File) ui.State {
	switch report.Handed(f).Warning {
	case "image":
		if f.Clean {
			return ui.State{Tone: "good", Word: "image, without what stood beside the picture"}
		}
		return ui.State{Tone: "late", Word: "image, as it came"}
	case "false":
		return ui.State{Tone: "late", Word: "claims to be an image, and is none"}
	case "script":
		return ui.State{Tone: "bad", Word: "program or script"}
	case "archive":
		return ui.State{Tone: "late", Word: "archive: it may unpack to more than a disk holds"}
	case "office":
		return ui.State{Tone: "late", Word: "office document: it may hold macros"}
	case "pdf":
		return ui.State{Tone: "late", Word: "PDF"}
	}
	return ui.State{Tone: "off", Word: "other"}
}

func (s *Server) reportThreadRows(st *desk.State, view *ui.ReportOneView, x desk.OutsideReport, told desk.ReportWords, mailed map[int]string) {
	view.Silent = "Nobody has written anything."
	if x.Reply == "" {
		view.Silent = "This report has no receipt."
	}
	n := len(told.Files)
	for k, m := range x.Thread {
		row := ui.ThreadRow{Team: m.Team, Who: "Reporter", Day: ui.WordsIn("en").Day(m.Day)}
		if m.Team {
			row.Who = "Response team"
			if m.By != "" {
				row.Who += ", " + s.personWord(st, m.By)
			}
		}
		switch mailed[m.N] {
		case "sent":
			row.Day += ", sent by mail, too"
		case "waits":
			row.Day += ", waits to be sent by mail, too"
		case "failed":
			row.Day += ", could not be sent by mail"
		}
		if k < len(told.Thread) {
			row.Text = ui.VisibleLines(told.Thread[k].What)
			for _, f := range told.Thread[k].Files {
				n++
				row.Files = append(row.Files, reportFileRow(view.Action, n, f))
			}
		}
		view.Thread = append(view.Thread, row)
	}
}

func (s *Server) personWord(st *desk.State, id string) string {
	if _, ok := st.Plan.People[id]; ok {
		return s.name(st, id)
	}
	return s.actorName(st, id)
}

func (s *Server) reportSteps(v *visit, st *desk.State, view *ui.ReportOneView, x desk.OutsideReport) {
	says := map[entry.Kind]string{entry.ReportRead: "opened it", entry.ReportAnswered: "answered", entry.ReportClosed: "closed it", entry.ReportSpam: "dropped it: no report", entry.ReportReopened: "took it up again"}
	for _, step := range x.Steps {
		word := says[step.Kind]
		switch step.Kind {
		case entry.ReportOpened:
			word = fmt.Sprintf("opened incident %d for it", step.Incident)
		case entry.ReportJoined:
			word = fmt.Sprintf("joined it to incident %d", step.Incident)
		}
		if joins := step.Kind == entry.ReportOpened || step.Kind == entry.ReportJoined; joins && step.Incident == 0 {
			word = "joined it to an incident" // which is restricted to others
		}
		view.Steps = append(view.Steps, ui.ReportStep{At: v.at(step.At), Says: s.personWord(st, step.Person) + " " + word, Why: s.desk.Text(step.Text)})
	}
}

const joinableMost = 200

// joinable are the open incidents, the newest first.
func joinable(st *desk.State, not int64) (out []ui.Option) {
	all := st.Incidents.Incidents
	for k := len(all) - 1; k >= 0 && len(out) < joinableMost; k-- {
		if i := all[k]; i.Working() && i.ID != not {
			out = append(out, ui.Option{Value: fmt.Sprint(i.ID), Word: fmt.Sprintf("%d: %s", i.ID, i.Title)})
		}
	}
	return out
}

// decideReport decides about a report, in one step.
func (s *Server) decideReport(v *visit) error { return s.reportDeed(v, v.r.PostFormValue("deed")) }

func (s *Server) reopenReport(v *visit) error { return s.reportDeed(v, "reopen") }

func (s *Server) reportDeed(v *visit, deed string) error {
	id, err := number(v.r, "id")
	if err != nil {
		return err
	}
	x := desk.ReportDeed{Report: id, Deed: deed, Message: text(v.r, "message"), Reason: text(v.r, "reason"), Bucket: v.r.PostFormValue("bucket") == "yes",
		Unmailed: v.r.PostFormValue("unmailed") == "yes"}
	if n, err := strconv.Atoi(v.r.PostFormValue("seen")); err == nil {
		x.Seen = &n
	}
	x.Last, _ = strconv.ParseInt(v.r.PostFormValue("last"), 10, 64)         // a page of before the update says nothing
	x.Incident, _ = strconv.ParseInt(v.r.PostFormValue("incident"), 10, 64) // none is no incident, which the desk says
	_, err = s.desk.DecideReport(v.actor, x)
	switch {
	case err == nil:
		return done(v, fmt.Sprintf("/reports/%d", id), "report-"+deed)
	case errors.Is(err, desk.ErrNoOutsideReport):
		return errMissing
	case known(err) && !errors.Is(err, incident.ErrNotFound):
		return err
	}
	return s.showReport(v, http.StatusUnprocessableEntity, reportMistake(err), v.r.PostForm)
}

// reportMistake words what a person of the team can mend.
func reportMistake(err error) error {
	if errors.Is(err, desk.ErrReportLocked) {
		return desk.FieldError{Field: "unmailed", Says: "The reporter may have given a mail address, and it cannot be read: the key for reports is kept under a passphrase. Give it above, or say below that nobody is told by mail."}
	}
	return err
}

// unlockReport opens the key for this session.
func (s *Server) unlockReport(v *visit) error {
	id, err := number(v.r, "id")
	if err != nil {
		return err
	}
	if _, _, err := s.desk.OutsideReport(v.actor, id); err != nil {
		return notReport(err)
	}
	if err := s.desk.UnlockReports(v.actor, v.r.PostFormValue("passphrase")); err != nil {
		if known(err) {
			return err
		}
		return s.showReport(v, http.StatusUnprocessableEntity, err, v.r.PostForm)
	}
	if typedIn(v.r.PostForm) { // what was written below before the passphrase was asked for
		return s.showReport(v, http.StatusOK, nil, v.r.PostForm)
	}
	return done(v, fmt.Sprintf("/reports/%d", id), "")
}

// reportFile hands over an attachment: always as a download of bytes.
func (s *Server) reportFile(v *visit) error {
	id, err := number(v.r, "id")
	if err != nil {
		return err
	}
	n, err := number(v.r, "n")
	if err != nil {
		return err
	}
	told, err := s.desk.OpenReportWith(v.actor, id, func(k int, _ int64) bool { return int64(k) == n })
	files := told.All()
	if err != nil || n > int64(len(files)) {
		if errors.Is(err, desk.ErrReportLocked) {
			return done(v, fmt.Sprintf("/reports/%d", id), "")
		}
		if err == nil || errors.Is(err, letterbox.ErrSealed) {
			err = errMissing
		}
		return notReport(err)
	}
	f := files[n-1]
	h := report.Handed(f)
	v.w.Header().Set("Content-Type", h.Type)
	v.w.Header().Set("Content-Disposition", h.Disposition)
	v.w.Header().Set("Content-Security-Policy", "default-src 'none'; sandbox")
	_, err = v.w.Write(f.Data)
	return err
}

// newReportKey makes another key to which reports are sealed.
func (s *Server) newReportKey(v *visit) error {
	err := s.desk.MakeReportKey(v.actor, v.r.PostFormValue("passphrase"))
	switch {
	case err == nil:
		return done(v, "/reports", "report-key")
	case known(err):
		return err
	}
	return s.showReports(v, http.StatusUnprocessableEntity, err)
}

// renewSecurityTxt makes security.txt anew.
func (s *Server) renewSecurityTxt(v *visit) error {
	_, err := s.desk.RenewSecurityText(v.actor)
	switch {
	case err == nil:
		return done(v, "/reports", "security-txt")
	case known(err):
		return err
	}
	return s.showReports(v, http.StatusUnprocessableEntity, err)
}
