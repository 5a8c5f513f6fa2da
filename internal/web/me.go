package web

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"tocsin/internal/auth"
	"tocsin/internal/desk"
	"tocsin/internal/signin"
	"tocsin/ui"
)

// meExtra is what the page of one's own ways in shows besides what is: what is shown once, and what was wrong.
type meExtra struct {
	codes   []string
	token   string
	mistake error
}

func (s *Server) me(v *visit) error { return s.showMe(v, http.StatusOK, meExtra{}) }

// strong is an actor as if they had signed in with a second factor.
func strong(a auth.Actor) auth.Actor {
	a.Weak = false
	return a
}

// weakProblems says on every page of who would administer that it needs a second factor, or will.
func (s *Server) weakProblems(v *visit) []ui.Problem {
	if !v.session.Second.IsZero() || strings.HasPrefix(v.actor.ID, signin.GlassPrefix) || auth.May(strong(v.actor), auth.Team) != nil {
		return nil
	}
	p := ui.Problem{Grave: v.grace.IsZero(), Says: "You keep the team, and are signed in by a password alone.", Mend: "Add a passkey or an authenticator app; until then you may not change the team.", Href: "/me"}
	if !v.grace.IsZero() {
		p.Mend = "Add a passkey or an authenticator app before " + v.at(v.grace).Local + ", and before somebody else can sign in; afterwards you may not change the team by the password."
	}
	return []ui.Problem{p}
}

// showMe shows how the reader signs in.
func (s *Server) showMe(v *visit, code int, more meExtra) error {
	id := v.actor.ID
	c, err := s.desk.Credentials(id)
	if err != nil {
		return err
	}
	view := ui.MeView{Frame: s.frame(v, "me", "How you sign in"), Password: s.desk.HasPassword(id), Recover: c.Second(), Recovery: len(c.Recovery), Codes: more.codes, Token: more.token,
		KeyName: text(v.r, "name"), TokenFor: text(v.r, "name"), Days: text(v.r, "days")}
	view.Path, view.Still = "/me", true
	if view.Days == "" {
		view.Days = "90"
	}
	if err := s.desk.Passkeys(); err != nil {
		view.NoKeys = sentence(err)
	}
	switch {
	case strings.HasPrefix(id, signin.GlassPrefix):
		view.Weak = "You are in by a sheet from the safe, until its four hours are over. Help the people whose place this is to sign in again, under People and policy."
	case !c.Second() && auth.May(strong(v.actor), auth.Team) == nil && !v.grace.IsZero():
		view.Weak = "Your password alone opens everything that you may do. You may keep the team by it only until " + v.at(v.grace).Local + ", and only while nobody else can sign in: add a passkey or an authenticator app before."
	case !c.Second() && v.actor.Weak && auth.May(strong(v.actor), auth.Team) == nil:
		view.Weak = "You may not keep the team, let agents in or destroy anything before you have added a passkey or an authenticator app. All else works by your password."
	case v.actor.Weak && auth.May(strong(v.actor), auth.Team) == nil:
		view.Weak = "You signed in here before you had a second factor. To keep the team, sign out, and sign in with it."
	case !c.Second() && view.Password:
		view.Weak = "Your password alone opens everything that you may do. Add a passkey or an authenticator app."
	case c.Second() && len(c.Recovery) == 0:
		view.Weak = "You have no recovery codes: who loses the phone is locked out until somebody helps. Make some below."
	}
	for _, p := range c.Passkeys {
		u := s.desk.LastUse(id, p.ID)
		w := ui.WayIn{ID: p.ID, Name: p.Name, Made: v.at(p.Made), Remove: "/me/passkeys/" + p.ID + "/remove"}
		if !u.At.IsZero() {
			w.Last = v.at(u.At)
		}
		if p.Synced() {
			w.Says = "may be on several devices of yours"
		}
		if u.Cloned {
			w.Warn = "Its counter did not grow at a sign-in: somebody may have a copy of it. Remove it, unless you know why."
		}
		view.Passkeys = append(view.Passkeys, w)
	}
	if c.App != nil {
		view.App = &ui.WayIn{ID: "app", Name: "Authenticator app", Made: v.at(time.Unix(c.App.Since, 0)), Remove: "/me/app/remove"}
	}
	for n, l := range c.Links {
		view.Accounts = append(view.Accounts, ui.WayIn{ID: fmt.Sprint("link-", n+1), Name: l.Issuer, Says: "account " + short(l.Subject), Made: v.at(l.Made), Remove: fmt.Sprintf("/me/links/%d/remove", n+1)})
	}
	if p := s.desk.Provider(); p != nil {
		view.Provider = p.Name()
	}
	for _, x := range s.sessions.List(v.now, id) {
		view.Sessions = append(view.Sessions, ui.SessionRow{ID: x.ID, Device: orElse(x.Device, "an unknown browser"), Net: orElse(x.Net, "an unknown network"), How: methodWords(x.Method),
			Since: v.at(x.Started), Seen: v.at(x.Seen), Here: x.ID == v.session.ID, End: "/me/sessions/" + x.ID + "/end"})
	}
	s.tokensOf(v, c, &view)
	if told := s.desk.ToldBy(id); len(told) > 0 {
		view.Told = "When something here is changed, you are told by " + strings.Join(told, ", ") + "."
	} else if !strings.HasPrefix(id, signin.GlassPrefix) {
		view.Told = "Nobody can tell you when something here is changed: you have no mail address, and no other way than calls."
	}
	if auth.May(v.actor, auth.Sheets) == nil {
		view.Glass = "/break-glass"
	}
	if more.mistake != nil {
		view.Errors = fieldErrors(more.mistake)
	}
	return ui.Me.Show(v.w, code, view)
}

func (s *Server) tokensOf(v *visit, c signin.Credentials, view *ui.MeView) {
	for _, t := range c.Tokens {
		var may []string
		for _, a := range t.Scope {
			may = append(may, string(a))
		}
		row := ui.ProgramToken{ID: t.ID, Name: t.Name, May: strings.Join(may, ", "), Made: v.at(t.Made), Expires: v.at(t.Expires), Last: "never", Revoke: "/me/tokens/" + t.ID + "/revoke"}
		if u := s.desk.LastUse(v.actor.ID, t.ID); !u.At.IsZero() {
			row.Last = u.At.UTC().Format(time.DateOnly)
		}
		view.Tokens = append(view.Tokens, row)
	}
	chosen := map[string]bool{}
	for _, x := range v.r.PostForm["scope"] {
		chosen[x] = true
	}
	for _, a := range auth.Actions() {
		if auth.May(v.actor, a) == nil {
			view.Scopes = append(view.Scopes, ui.Option{Value: string(a), Word: string(a), Chosen: chosen[string(a)]})
		}
	}
}

func orElse(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

// short shows the beginning of an id that says nothing to people.
func short(s string) string {
	if r := []rune(s); len(r) > 24 {
		return string(r[:24]) + "…"
	}
	return s
}

func methodWords(method string) string {
	switch method {
	case "password":
		return "by password"
	case "password+code":
		return "by password and code"
	case "password+recovery":
		return "by password and recovery code"
	case "passkey":
		return "by a passkey"
	case "oidc":
		return "by the provider"
	case "breakglass":
		return "by a sheet from the safe"
	case "invite":
		return "by a one-time link"
	}
	return "signed in"
}

// mine ends a form of the page: with a notice, or with the page and what was wrong. What does not exist is not found.
func (s *Server) mine(v *visit, err error, notice string) error {
	switch {
	case err == nil:
		return done(v, "/me", notice)
	case errors.Is(err, signin.ErrUnknown):
		return errMissing
	case known(err):
		return err
	}
	if signin.ErrPasskey(err) {
		err = desk.FieldError{Says: s.passkeyWords(err)}
	}
	return s.showMe(v, http.StatusUnprocessableEntity, meExtra{mistake: err})
}

func (s *Server) beginPasskey(v *visit) error {
	options, r, err := s.desk.BeginPasskey(v.actor)
	if err != nil {
		return s.mine(v, err, "")
	}
	return s.challenge(v, forPasskey, options, r)
}

func (s *Server) addPasskey(v *visit) error {
	r, err := take[desk.Registration](s, v, forPasskey, v.r.PostFormValue("ceremony"))
	if err == nil {
		err = s.desk.AddPasskey(v.actor, r, text(v.r, "name"), []byte(v.r.PostFormValue("response")))
	}
	if err == nil {
		err = s.raised(v)
	}
	return s.mine(v, err, "passkey")
}

// raised gives the session a new token after the person proved a second factor by adding it.
func (s *Server) raised(v *visit) error {
	cookie, err := s.sessions.Freshen(v.now, v.r, true)
	if err == nil {
		http.SetCookie(v.w, cookie)
	}
	return err
}

func (s *Server) removePasskey(v *visit) error {
	return s.mine(v, s.desk.RemovePasskey(v.actor, v.r.PathValue("id")), "wayless")
}

// beginApp makes a secret for an authenticator app and shows it; nothing is kept until a code proves it.
func (s *Server) beginApp(v *visit) error {
	if _, ok := s.desk.Person(v.actor.ID); !ok {
		return auth.Refusal{Actor: v.actor.Name, Action: "change how they sign in"}
	}
	return s.showApp(v, http.StatusOK, signin.NewAuthenticator(v.now), nil)
}

func (s *Server) showApp(v *visit, code int, a signin.Authenticator, mistake error) error {
	drawn, err := signin.Draw(a.URI("Tocsin", v.actor.ID))
	if err != nil {
		return err
	}
	view := ui.AppView{Frame: s.frame(v, "me", "Add an authenticator app"), Size: drawn.Size, Path: ui.Stroke(drawn.Path), Secret: a.Text(), Account: v.actor.ID,
		Ceremony: s.ceremonies.Begin(v.now, forApp, s.bound(v), signin.Network(s.address(v.r)), a)}
	view.Frame.Path, view.Still = "/me", true
	if mistake != nil {
		view.Errors = fieldErrors(mistake)
	}
	return ui.App.Show(v.w, code, view)
}

func (s *Server) addApp(v *visit) error {
	a, err := take[signin.Authenticator](s, v, forApp, v.r.PostFormValue("ceremony"))
	if err != nil {
		return s.mine(v, err, "")
	}
	if err := s.desk.AddApp(v.actor, a, text(v.r, "code")); err != nil {
		if _, ok := errors.AsType[desk.FieldError](err); ok {
			return s.showApp(v, http.StatusUnprocessableEntity, a, err)
		}
		return s.mine(v, err, "")
	}
	return s.mine(v, s.raised(v), "app")
}

func (s *Server) removeApp(v *visit) error {
	return s.mine(v, s.desk.RemoveApp(v.actor), "wayless")
}

func (s *Server) newRecovery(v *visit) error {
	codes, err := s.desk.NewRecovery(v.actor)
	if err != nil {
		return s.mine(v, err, "")
	}
	return s.showMe(v, http.StatusOK, meExtra{codes: codes})
}

// changePassword gives the reader another password; all their other sessions end.
func (s *Server) changePassword(v *visit) error {
	from, account := s.address(v.r), "password of "+v.actor.ID
	if wait := s.throttle.AllowDevice(v.now, account, from, v.session.ID); wait > 0 {
		retryAfter(v, seconds(wait))
		return s.showMe(v, http.StatusTooManyRequests, meExtra{mistake: desk.FieldError{Field: "current", Says: tooMany}})
	}
	password := v.r.PostFormValue("password")
	err := error(desk.FieldError{Field: "again", Says: "The two passwords differ."})
	if password == v.r.PostFormValue("again") {
		err = s.desk.ChangePassword(v.r.Context(), v.actor, v.r.PostFormValue("current"), password)
	}
	if err == nil {
		s.throttle.SucceededDevice(v.now, account, from, v.session.ID)
		_, err = s.endOthers(v)
	}
	return s.mine(v, err, "password")
}

func (s *Server) endOthers(v *visit) (int, error) {
	n, err := s.sessions.EndOthers(v.now, v.actor.ID, v.session.ID)
	if err == nil && n > 0 {
		err = s.desk.EndedSessions(v.actor, v.actor.ID, "", n)
	}
	return n, err
}

func (s *Server) endOtherSessions(v *visit) error {
	_, err := s.endOthers(v)
	return s.mine(v, err, "unsession")
}

func (s *Server) endSession(v *visit) error {
	id := v.r.PathValue("id")
	ended, err := s.sessions.EndOne(v.now, v.actor.ID, id)
	if err == nil && !ended {
		return errMissing
	}
	if err == nil {
		err = s.desk.EndedSessions(v.actor, v.actor.ID, id, 1)
	}
	return s.mine(v, err, "unsession")
}

func (s *Server) makeToken(v *visit) error {
	var scope []auth.Action
	for _, a := range v.r.PostForm["scope"] {
		scope = append(scope, auth.Action(a))
	}
	days, err := strconv.Atoi(text(v.r, "days"))
	if err != nil {
		return s.mine(v, signin.Mistake{Field: "token-days", Says: "Say for how many days, as a number."}, "")
	}
	token, err := s.desk.MakeToken(v.actor, text(v.r, "name"), scope, days)
	if err != nil {
		return s.mine(v, err, "")
	}
	return s.showMe(v, http.StatusOK, meExtra{token: token})
}

func (s *Server) revokeToken(v *visit) error {
	return s.mine(v, s.desk.RevokeToken(v.actor, v.actor.ID, v.r.PathValue("id")), "untoken")
}

func (s *Server) unlink(v *visit) error {
	n, err := number(v.r, "id")
	if err != nil {
		return err
	}
	return s.mine(v, s.desk.Unlink(v.actor, int(min(n, 1000))-1), "wayless")
}

// removeFactors takes from somebody who has lost them all ways in but the password.
func (s *Server) removeFactors(v *visit) error {
	id := v.r.PathValue("id")
	err := s.desk.RemoveFactors(v.actor, id)
	if errors.Is(err, signin.ErrUnknown) {
		return errMissing
	}
	if err == nil {
		_, err = s.sessions.EndAll(v.now, id)
	}
	if err != nil {
		return err
	}
	return done(v, "/people/"+id, "factors")
}

// confirmLink links the account that waits to a person.
func (s *Server) confirmLink(v *visit) error {
	id := v.r.PathValue("id")
	err := s.desk.ConfirmLink(v.actor, id, v.r.PostFormValue("subject"))
	switch {
	case errors.Is(err, signin.ErrUnknown):
		return errMissing
	case err != nil && known(err):
		return err
	case err != nil:
		return s.showPerson(v, http.StatusUnprocessableEntity, nil, err, "")
	}
	return done(v, "/people/"+id, "linked")
}

func (s *Server) sheets(v *visit) error { return s.showSheets(v, http.StatusOK, nil, nil) }

func (s *Server) showSheets(v *visit, code int, pages []signin.SheetPage, mistake error) error {
	all, err := s.desk.Sheets()
	if err != nil {
		return err
	}
	view := ui.SheetsView{Frame: s.frame(v, "people", "Break-glass sheets"), Count: orElse(text(v.r, "count"), "5")}
	view.Path, view.Still = "/break-glass", true
	by := func(actor string) (name string) {
		s.desk.ReadAs(v.actor, func(st *desk.State) { name = s.actorName(st, actor) })
		return name
	}
	for _, p := range pages {
		view.New = append(view.New, ui.PrintedSheet{Number: p.Number, Code: p.Code, Address: p.Address, Made: v.at(p.Made), By: by(p.By)})
	}
	for k := len(all.Sheets) - 1; k >= 0; k-- {
		x := all.Sheets[k]
		row := ui.SheetRow{Number: x.Number, Made: v.at(x.Made), By: by(x.By), State: ui.State{Tone: map[string]string{"sealed": "good", "used": "bad"}[x.State()], Word: x.State()}}
		if !x.Used.IsZero() {
			row.Ended = v.at(x.Used)
		} else if !x.Void.IsZero() {
			row.Ended = v.at(x.Void)
		}
		view.Sheets = append(view.Sheets, row)
	}
	if mistake != nil {
		view.Errors = fieldErrors(mistake)
	}
	return ui.Sheets.Show(v.w, code, view)
}

func (s *Server) makeSheets(v *visit) error {
	n, err := strconv.Atoi(text(v.r, "count"))
	if err != nil {
		err = desk.FieldError{Field: "count", Says: "Say how many sheets, as a number."}
	}
	var pages []signin.SheetPage
	if err == nil {
		pages, err = s.desk.MakeSheets(v.actor, n)
	}
	if err != nil && known(err) {
		return err
	}
	if err != nil {
		return s.showSheets(v, http.StatusUnprocessableEntity, nil, err)
	}
	return s.showSheets(v, http.StatusOK, pages, nil)
}

// factorsOf says on a person's page what those who keep the team may do about how they sign in.
func (s *Server) factorsOf(id string, view *ui.PersonView) {
	if c, err := s.desk.Credentials(id); err == nil && (c.Second() || len(c.Tokens) > 0) {
		view.Factors = "/people/" + id + "/factors"
	}
	if w, ok := s.desk.Wish(id); ok {
		view.Wish = ui.LinkWish{Action: "/people/" + id + "/link", Subject: w.Subject, Says: strings.TrimSpace(w.Name + " (" + short(w.Subject) + ") at " + w.Issuer)}
	}
}
