package web

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"tocsin/internal/desk"
	"tocsin/internal/signin"
	"tocsin/ui"
)

func (s *Server) askSignIn(v *visit) error {
	if v.signed() {
		return done(v, "/", "")
	}
	view := ui.SignInView{Frame: s.frame(v, "", "Sign in"), Next: local(v.r.FormValue("next"))}
	if s.desk.NeedsSetup() {
		view.Problems = append(view.Problems, ui.Problem{Grave: true, Says: "Nobody can sign in yet.",
			Mend: "Open the setup link that Tocsin printed where it was started; each start prints a new one."})
	}
	return ui.SignIn.Show(v.w, http.StatusOK, view)
}

// local returns a path of ours, or "": a sign-in never leads to another host.
func local(next string) string {
	u, err := url.Parse(next) // refuses tabs and line ends, which browsers drop: "/\t/host" would be "//host"
	if err != nil || u.IsAbs() || u.Host != "" || !strings.HasPrefix(next, "/") || strings.HasPrefix(next, "//") || strings.Contains(next, "\\") {
		return ""
	}
	return next
}

func (s *Server) signIn(v *visit) error {
	id, next := text(v.r, "id"), local(v.r.PostFormValue("next"))
	again := func(code int, wait time.Duration, says string) error {
		view := ui.SignInView{Frame: s.frame(v, "", "Sign in"), ID: id, Next: next, Wait: int((wait + time.Second - 1) / time.Second)}
		view.Errors = ui.Errors{{Field: "", Says: says}}
		if wait > 0 {
			v.w.Header().Set("Retry-After", fmt.Sprint(view.Wait))
		}
		return ui.SignIn.Show(v.w, code, view)
	}
	from := s.address(v.r)
	if wait := s.throttle.Allow(v.now, id, from); wait > 0 {
		return again(http.StatusTooManyRequests, wait, "Too many tries. Wait before the next one.")
	}
	actor, err := s.desk.SignIn(v.r.Context(), id, v.r.PostFormValue("password"), from.String())
	if errors.Is(err, desk.ErrWrong) {
		return again(http.StatusUnprocessableEntity, 0, "The id or the password is wrong.")
	}
	if errors.Is(err, signin.ErrBusy) {
		return again(http.StatusTooManyRequests, 2*time.Second, sentence(err))
	}
	if err != nil {
		return err
	}
	s.throttle.Succeeded(v.now, id, from)
	if err := s.begin(v, actor.ID); err != nil {
		return err
	}
	if next == "" {
		next = "/"
	}
	return done(v, next, "")
}

// begin starts a session and gives the browser its cookie.
func (s *Server) begin(v *visit, id string) error {
	cookie, err := s.sessions.Start(v.now, id)
	if err != nil {
		return err
	}
	http.SetCookie(v.w, cookie)
	return nil
}

func (s *Server) signOut(v *visit) error {
	cookie, err := s.sessions.End(v.r)
	if err != nil {
		return err
	}
	http.SetCookie(v.w, cookie)
	return done(v, "/sign-in", "out")
}

func (s *Server) askSetup(v *visit) error {
	invited, err := s.desk.OpenSetup(v.r.PathValue("token"))
	if err != nil {
		return errMissing
	}
	return ui.Setup.Show(v.w, http.StatusOK, s.setupView(v, invited))
}

func (s *Server) setupView(v *visit, invited desk.Invited) ui.SetupView {
	return ui.SetupView{Frame: s.frame(v, "", "Set up Tocsin"), Action: v.r.URL.Path, Known: invited.ID != "", ID: invited.ID, Name: invited.Name}
}

// setup makes the first person of a new Tocsin, or gives an invited one a password. Either way they are signed in.
func (s *Server) setup(v *visit) error {
	invited, err := s.desk.OpenSetup(v.r.PathValue("token"))
	if err != nil {
		return errMissing
	}
	view := s.setupView(v, invited)
	id, password := invited.ID, v.r.PostFormValue("password")
	if id == "" {
		id = text(v.r, "id")
		view.ID, view.Name, view.Mail, view.Zone = id, text(v.r, "name"), text(v.r, "mail"), text(v.r, "zone")
	}
	switch {
	case password != v.r.PostFormValue("again"):
		err = desk.FieldError{Field: "again", Says: "The two passwords differ."}
	case invited.ID != "":
		err = s.desk.TakeInvite(v.r.Context(), v.r.PathValue("token"), password)
	default:
		err = s.desk.Setup(v.r.Context(), id, password, desk.Contact{Name: view.Name, Mail: view.Mail, Zone: view.Zone})
	}
	if err != nil && known(err) {
		return err
	}
	if err != nil {
		view.Errors = fieldErrors(err)
		return ui.Setup.Show(v.w, http.StatusUnprocessableEntity, view)
	}
	if invited.ID != "" {
		if _, err := s.sessions.EndAll(v.now, id); err != nil { // who has the old password is out
			return err
		}
	}
	if err := s.begin(v, id); err != nil {
		return err
	}
	if invited.ID != "" {
		return done(v, "/", "")
	}
	return done(v, "/people", "setup")
}

// fieldErrors words what was wrong with a form, beside its field where the error knows it.
func fieldErrors(err error) ui.Errors {
	if f, ok := errors.AsType[desk.FieldError](err); ok {
		return ui.Errors{{Field: f.Field, Says: sentence(f)}}
	}
	return ui.Errors{{Field: "", Says: sentence(err)}}
}
