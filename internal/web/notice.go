package web

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"tocsin/internal/auth"
	"tocsin/internal/desk"
	"tocsin/internal/entry"
	"tocsin/internal/plan"
	"tocsin/ui"
)

func (s *Server) notices(v *visit) error { return s.showNotices(v, http.StatusOK, nil) }

// showNotices shows who is told of which sign-ins; a form that was wrong comes back with what was typed.
func (s *Server) showNotices(v *visit, code int, mistake error) error {
	view := ui.NoticesView{Frame: s.frame(v, "notices", "Notices of sign-ins")}
	view.Path = "/notices"
	waits, forgot := s.desk.NoticesWaiting()
	team := auth.May(v.actor, auth.Team) == nil
	s.desk.ReadAs(v.actor, func(st *desk.State) {
		view.Form = s.noticeForm(v, st, team)
		for _, n := range st.Notices.List {
			if !n.Ended.IsZero() || n.Person != v.actor.ID && !team {
				continue
			}
			x := s.noticeView(v, st, n, waits[n.ID])
			if n.Person == v.actor.ID {
				view.Mine = append(view.Mine, x)
			} else {
				view.Others = append(view.Others, x)
			}
		}
	})
	view.Form.Open = len(view.Mine) == 0
	if forgot > 0 {
		view.Forgot = ui.Plural(forgot, "account was", "accounts were") + " forgotten because too many sign in: what they do next counts as new."
	}
	if mistake != nil {
		view.Errors, view.Still, view.Form.Open = fieldErrors(mistake), true, true
	}
	return ui.Notices.Show(v.w, code, view)
}

// noticeForm is the form that asks for a notice, with what was typed if it comes back.
func (s *Server) noticeForm(v *visit, st *desk.State, team bool) ui.NoticeForm {
	typed := v.r.PostForm
	value := func(key, standard string) string {
		if typed == nil || !typed.Has(key) {
			return standard
		}
		return text(v.r, key)
	}
	f := ui.NoticeForm{Account: value("account", "")}
	person := value("person", v.actor.ID)
	for _, id := range staff(st) {
		if team || id == v.actor.ID {
			f.People = append(f.People, ui.Option{Value: id, Word: s.name(st, id), Chosen: id == person})
		}
	}
	f.Ways = options(value("channel", plan.Mail), plan.Mail, "Mail", plan.Webhook, "Chat webhook")
	realms := []string{"ssh", "ftp", "admin"}
	if typed != nil {
		realms = typed["realms"]
	}
	for _, r := range plan.NoticeRealms() {
		f.Realms = append(f.Realms, ui.Option{Value: r, Word: desk.Title(desk.RealmWords(r)), Chosen: slices.Contains(realms, r)})
	}
	f.Modes = options(value("mode", plan.Each), plan.Each, "Each one, at once", plan.New, "Only what is new for the account, at once", plan.Digest, "Once a day, as a digest")
	for h := range 24 {
		f.Hours = append(f.Hours, ui.Option{Value: strconv.Itoa(h), Word: fmt.Sprintf("%02d:00", h), Chosen: value("hour", "8") == strconv.Itoa(h)})
	}
	news := []string{plan.NewAddress, plan.NewCountry, plan.NewHour}
	for _, w := range news {
		chosen := typed == nil || slices.Contains(typed["new"], w)
		f.New = append(f.New, ui.Option{Value: w, Word: desk.Title(newWords(w)), Chosen: chosen})
	}
	return f
}

func newWords(w string) string {
	switch w {
	case plan.NewAddress:
		return "the address"
	case plan.NewCountry:
		return "the country"
	}
	return "the hour of the day"
}

// noticeView words a notice.
func (s *Server) noticeView(v *visit, st *desk.State, n *plan.Notice, w desk.Waiting) ui.Notice {
	x := ui.Notice{ID: fmt.Sprint(n.ID), Who: s.name(st, n.Person), Says: noticeWords(n.Notice), State: ui.State{Tone: "off", Word: "nothing told yet"},
		Told: ui.Plural(n.Told, "sign-in", "sign-ins") + " told since " + v.at(n.Asked).Local, Remove: fmt.Sprintf("/notices/%d/remove", n.ID), Test: fmt.Sprintf("/notices/%d/test", n.ID)}
	x.Send = "Send " + x.Who + " one now"
	if n.Person == v.actor.ID {
		x.Who, x.Send = "You", "Send me one now"
	}
	if n.Vault != "" {
		x.Account = ui.Visible(s.desk.Text(n.Vault))
	}
	if p := st.Plan.People[n.Person]; p.Gone {
		x.State = ui.State{Tone: "off", Word: "is gone: told nothing"}
	}
	for _, t := range slices.Backward(n.Tries) {
		x.Tries = append(x.Tries, s.noticeTry(v, st, t))
	}
	if len(x.Tries) > 0 {
		x.State, x.At, x.Detail = x.Tries[0].State, x.Tries[0].At, x.Tries[0].Says
	}
	if w.Count > 0 {
		x.Waits = ui.Plural(w.Count, "sign-in waits", "sign-ins wait") + " to be told"
		if _, at := n.Due(w.Count, w.First, v.now, s.desk.People.Get(st.Plan.People[n.Person].Vault).Location()); !at.IsZero() {
			x.Waits += ", until " + v.at(at).Local
		}
		x.Waits += "."
	}
	return x
}

// noticeTry words one message of a notice.
func (s *Server) noticeTry(v *visit, st *desk.State, t plan.NoticeTry) ui.Try {
	x := ui.Try{Number: fmt.Sprint(t.Try), At: v.at(t.Wanted), Who: s.name(st, t.Person), Channel: t.Channel}
	what := ui.Plural(t.Count, "sign-in", "sign-ins")
	if t.Test {
		what = "a test"
	}
	switch {
	case t.Done.IsZero():
		x.State = ui.State{Tone: "busy", Word: "under way"}
	case t.Failed:
		x.State, x.At = ui.State{Tone: "bad", Word: "failed"}, v.at(t.Done)
		what += ": " + s.desk.Text(t.Result.Text)
	default:
		x.State, x.At = ui.State{Tone: "good", Word: "sent"}, v.at(t.Done)
	}
	if t.Result.Twice || t.Twice {
		what += " (possibly twice)"
	}
	x.Says = what
	return x
}

// noticeWords words a wish: "each sign-in by SSH or by FTP, by mail".
func noticeWords(n entry.Notice) string {
	var realms, news []string
	for _, r := range n.Realms {
		realms = append(realms, desk.RealmWords(r))
	}
	of := "of every kind"
	if len(realms) > 0 {
		of = listed(realms)
	}
	for _, w := range n.New {
		news = append(news, newWords(w))
	}
	by := ", by mail"
	if n.Channel == plan.Webhook {
		by = ", in a chat"
	}
	switch n.Mode {
	case plan.Digest:
		return fmt.Sprintf("a digest of the sign-ins %s, daily at %02d:00%s", of, n.Hour, by)
	case plan.New:
		return "each sign-in " + of + " at which " + listed(news) + " is new" + by
	}
	return "each sign-in " + of + by
}

// listed joins words: "a, b or c".
func listed(words []string) string {
	if n := len(words); n > 1 {
		return strings.Join(words[:n-1], ", ") + " or " + words[n-1]
	}
	return strings.Join(words, "")
}

// askNotice reads the form of a notice.
func (s *Server) askNotice(v *visit) error {
	x := entry.Notice{Person: text(v.r, "person"), Channel: text(v.r, "channel"), Mode: text(v.r, "mode"), Realms: v.r.PostForm["realms"], New: v.r.PostForm["new"]}
	if x.Person == "" {
		x.Person = v.actor.ID
	}
	var err error
	if x.Mode == plan.Digest {
		if x.Hour, err = strconv.Atoi(text(v.r, "hour")); err != nil {
			err = desk.FieldError{Field: "hour", Says: "Say at which hour the digest comes, 0 to 23."}
		}
	}
	if err == nil {
		err = s.desk.AskNotice(v.actor, x, v.r.PostFormValue("account"))
	}
	if err != nil {
		if known(err) {
			return err
		}
		return s.showNotices(v, http.StatusUnprocessableEntity, err)
	}
	return done(v, "/notices", "told")
}

func (s *Server) endNotice(v *visit) error { return s.onNotice(v, s.desk.EndNotice, "untold") }

func (s *Server) testNotice(v *visit) error { return s.onNotice(v, s.desk.TestNotice, "noticed") }

// onNotice does something with the notice in the path.
func (s *Server) onNotice(v *visit, act func(auth.Actor, int64) error, key string) error {
	id, err := number(v.r, "id")
	if err != nil {
		return err
	}
	missing := false
	s.desk.ReadAs(v.actor, func(st *desk.State) { _, err := st.Notices.Get(id); missing = err != nil })
	if missing {
		return errMissing
	}
	if err := act(v.actor, id); err != nil {
		if known(err) {
			return err
		}
		return s.showNotices(v, http.StatusUnprocessableEntity, err)
	}
	return done(v, "/notices", key)
}

// noticeProblems says which notices do not reach whom they are for.
func (s *Server) noticeProblems(v *visit) (out []ui.Problem) {
	s.desk.ReadAs(v.actor, func(st *desk.State) {
		for n := range st.Notices.Standing(&st.Plan) {
			if k := len(n.Tries) - 1; k >= 0 && n.Tries[k].Failed {
				out = append(out, ui.Problem{Says: "A notice of sign-ins to " + s.name(st, n.Person) + " by " + n.Channel + " failed.",
					Mend: "See what the other side said, and whether the address is right.", Href: "/notices"})
			}
		}
	})
	return out
}
