package web

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
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

// What a ceremony is begun for, and may be ended for.
const (
	forSignIn   = "sign-in"
	forStepUp   = "step-up"
	forPasskey  = "passkey"
	forApp      = "app"
	forProvider = "provider"
)

func (s *Server) askSignIn(v *visit) error {
	if v.signed() {
		return done(v, "/", "")
	}
	return ui.SignIn.Show(v.w, http.StatusOK, s.signInView(v, v.r.FormValue("next")))
}

// signInView is the page with every way in that there is here.
func (s *Server) signInView(v *visit, next string) ui.SignInView {
	view := ui.SignInView{Frame: s.frame(v, "door", "Sign in"), Next: local(next), Passkeys: s.desk.Passkeys() == nil}
	view.Path = "/sign-in"
	if p := s.desk.Provider(); p != nil {
		view.Provider = p.Name()
	}
	if s.desk.NeedsSetup() {
		view.Problems = append(view.Problems, ui.Problem{Grave: true, Says: "Nobody can sign in yet.",
			Mend: "Open the setup link that Tocsin printed where it was started; each start prints a new one."})
	}
	return view
}

// local returns a path of ours, or "": a sign-in never leads to another host.
func local(next string) string {
	u, err := url.Parse(next) // refuses tabs and line ends, which browsers drop: "/\t/host" would be "//host"
	if err != nil || u.IsAbs() || u.Host != "" || !strings.HasPrefix(next, "/") || strings.HasPrefix(next, "//") || strings.Contains(next, "\\") {
		return ""
	}
	return next
}

// wrongSignIn shows the page again.
func (s *Server) wrongSignIn(v *visit, code int, wait time.Duration, says string) error {
	view := s.signInView(v, v.r.FormValue("next"))
	view.ID, view.Wait = text(v.r, "id"), seconds(wait)
	view.Errors = ui.Errors{{Field: "", Says: says}}
	retryAfter(v, view.Wait)
	return ui.SignIn.Show(v.w, code, view)
}

func seconds(wait time.Duration) int { return int((wait + time.Second - 1) / time.Second) }

func retryAfter(v *visit, wait int) {
	if wait > 0 {
		v.w.Header().Set("Retry-After", fmt.Sprint(wait))
	}
}

// tooMany is what is said to who has to wait.
const tooMany = "Too many tries. Wait before the next one."

func (s *Server) signIn(v *visit) error {
	id, from := text(v.r, "id"), s.address(v.r)
	device := signin.Device(s.desk.Secret(), s.o.TLS, v.r, id, v.now)
	if wait := s.throttle.AllowDevice(v.now, id, from, device); wait > 0 {
		return s.wrongSignIn(v, http.StatusTooManyRequests, wait, tooMany)
	}
	session := signin.NewSessionID()
	a, err := s.desk.Prove(v.r.Context(), desk.Proof{ID: id, Password: v.r.PostFormValue("password"), Code: text(v.r, "code"), Address: from.String(), Session: session})
	switch {
	case errors.Is(err, desk.ErrWrong):
		return s.wrongSignIn(v, http.StatusUnprocessableEntity, 0, "The id or the password is wrong.")
	case errors.Is(err, desk.ErrNeedCode):
		return s.wrongSignIn(v, http.StatusUnprocessableEntity, 0, sentence(desk.ErrNeedCode))
	case errors.Is(err, desk.ErrOldCode):
		return s.wrongSignIn(v, http.StatusUnprocessableEntity, 0, sentence(desk.ErrOldCode))
	case errors.Is(err, desk.ErrCode):
		return s.wrongSignIn(v, http.StatusUnprocessableEntity, 0, sentence(desk.ErrCode))
	case errors.Is(err, signin.ErrBusy):
		return s.wrongSignIn(v, http.StatusTooManyRequests, 2*time.Second, sentence(err))
	case err != nil:
		return err
	}
	s.throttle.SucceededDevice(v.now, id, from, device)
	notice := ""
	if a.Method == "password+recovery" {
		notice = "recovered"
	}
	return s.enter(v, a, session, v.r.PostFormValue("next"), notice)
}

// enter begins the session of an accepted sign-in and leads to where it was wanted. The session that this browser had ends, and its token with it.
func (s *Server) enter(v *visit, a desk.Accepted, session, next, notice string) error {
	x := signin.Session{ID: session, Person: a.Actor.ID, Method: a.Method, Until: a.Until, Net: signin.Network(s.address(v.r)), Device: signin.DeviceWords(v.r.UserAgent())}
	if a.Second {
		x.Second = v.now.UTC()
	}
	if a.Given {
		x.Roles, x.Given = a.Actor.Roles, true
	}
	if err := s.begin(v, x); err != nil {
		return err
	}
	if next = local(next); next == "" {
		next = "/"
	}
	return done(v, next, notice)
}

// begin starts a session, gives the browser its cookie, and the one by which it is known again.
func (s *Server) begin(v *visit, x signin.Session) error {
	if _, err := s.sessions.End(v.r); err != nil {
		return err
	}
	cookie, err := s.sessions.Begin(v.now, x)
	if err != nil {
		return err
	}
	http.SetCookie(v.w, cookie)
	if !strings.HasPrefix(x.Person, signin.GlassPrefix) {
		http.SetCookie(v.w, signin.DeviceCookie(s.desk.Secret(), s.o.TLS, x.Person, v.now))
	}
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

// bound names the browser for ceremonies: by its session, or by a cookie of its own before there is one.
func (s *Server) bound(v *visit) string {
	if v.signed() {
		return "session:" + v.session.ID
	}
	name := "tocsin-door"
	if s.o.TLS {
		name = "__Host-tocsin-door"
	}
	if c, err := v.r.Cookie(name); err == nil && len(c.Value) == 22 {
		return "door:" + c.Value
	}
	raw := make([]byte, 16)
	rand.Read(raw) // never fails (crypto/rand)
	value := base64.RawURLEncoding.EncodeToString(raw)
	http.SetCookie(v.w, &http.Cookie{Name: name, Value: value, Path: "/", Secure: s.o.TLS, HttpOnly: true, SameSite: http.SameSiteLaxMode, MaxAge: 600})
	return "door:" + value
}

// challenge answers a script with a ceremony that has begun: {"ceremony": "...", "publicKey": {...}}.
func (s *Server) challenge(v *visit, purpose string, options []byte, data any) error {
	id := s.ceremonies.Begin(v.now, purpose, s.bound(v), signin.Network(s.address(v.r)), data)
	v.w.Header().Set("Content-Type", "application/json")
	return json.NewEncoder(v.w).Encode(map[string]any{"ceremony": id, "publicKey": json.RawMessage(options)})
}

// take returns what was begun, if it was begun for this in this browser.
func take[T any](s *Server, v *visit, purpose, id string) (x T, err error) {
	data, err := s.ceremonies.Take(v.now, purpose, s.bound(v), id)
	if err != nil {
		return x, err
	}
	x, ok := data.(T)
	if !ok {
		return x, signin.ErrCeremony
	}
	return x, nil
}

// browser names who tries a way in that nobody can guess, passkeys and sheets: the browser, if it signed in before, else its network. Tries of passwords do
// not count here, so that whoever spends those of an office keeps nobody there from a passkey or from the safe; the longest wait is a minute.
func (s *Server) browser(v *visit) string {
	if known := signin.KnownBrowser(s.desk.Secret(), s.o.TLS, v.r, v.now); known != "" {
		return known
	}
	return "network " + signin.Network(s.address(v.r))
}

func (s *Server) beginPasskeySignIn(v *visit) error {
	options, ch, err := s.desk.AskPasskey()
	if err != nil {
		return s.wrongSignIn(v, http.StatusUnprocessableEntity, 0, sentence(err))
	}
	return s.challenge(v, forSignIn, options, ch)
}

func (s *Server) signInByPasskey(v *visit) error {
	from := s.address(v.r)
	browser := s.browser(v)
	if wait := s.throttle.AllowDevice(v.now, "passkey", from, browser); wait > 0 {
		return s.wrongSignIn(v, http.StatusTooManyRequests, wait, tooMany)
	}
	session := signin.NewSessionID()
	ch, err := take[signin.Challenge](s, v, forSignIn, v.r.PostFormValue("ceremony"))
	var a desk.Accepted
	if err == nil {
		a, err = s.desk.ProvePasskey(ch, []byte(v.r.PostFormValue("response")), from.String(), session)
	}
	if err != nil {
		if known(err) {
			return err
		}
		return s.wrongSignIn(v, http.StatusUnprocessableEntity, 0, s.passkeyWords(err))
	}
	s.throttle.SucceededDevice(v.now, "passkey", from, browser)
	return s.enter(v, a, session, v.r.PostFormValue("next"), "")
}

// passkeyWords is what a person is told of a passkey that proved nothing; the log has the reason.
func (s *Server) passkeyWords(err error) string {
	if signin.ErrPasskey(err) {
		s.log.Info("a passkey was refused", "why", err)
		return "The passkey could not be verified. Try again, or sign in another way."
	}
	if errors.Is(err, signin.ErrUnknown) {
		return "The passkey belongs to nobody who is on the team."
	}
	return sentence(err)
}

func (s *Server) askGlass(v *visit) error {
	return ui.Glass.Show(v.w, http.StatusOK, ui.GlassView{Frame: s.frame(v, "", "A sheet from the safe")})
}

// breakGlass signs in by a code from the safe; the desk rings everyone.
func (s *Server) breakGlass(v *visit) error {
	again := func(code int, wait time.Duration, says string) error {
		view := ui.GlassView{Frame: s.frame(v, "", "A sheet from the safe"), Wait: seconds(wait)}
		view.Path, view.Errors, view.Still = "/sign-in/break-glass", ui.Errors{{Field: "sheet", Says: says}}, true
		retryAfter(v, view.Wait)
		return ui.Glass.Show(v.w, code, view)
	}
	from := s.address(v.r)
	browser := s.browser(v)
	if wait := s.throttle.AllowDevice(v.now, "break-glass", from, browser); wait > 0 {
		return again(http.StatusTooManyRequests, wait, tooMany)
	}
	session := signin.NewSessionID()
	a, fact, err := s.desk.UseSheet(v.r.PostFormValue("code"), from.String(), session)
	if err != nil {
		if known(err) {
			return err
		}
		return again(http.StatusUnprocessableEntity, 0, sentence(err))
	}
	s.log.Warn("a break-glass sheet was used", "sheet", fact.Sheet, "until", fact.Until, "session", session)
	s.throttle.SucceededDevice(v.now, "break-glass", from, browser)
	return s.enter(v, a, session, "/", "glass")
}

func (s *Server) askSetup(v *visit) error {
	invited, err := s.desk.OpenSetup(v.r.PathValue("token"))
	if err != nil {
		return errMissing
	}
	return ui.Setup.Show(v.w, http.StatusOK, s.setupView(v, invited))
}

func (s *Server) setupView(v *visit, invited desk.Invited) ui.SetupView {
	return ui.SetupView{Frame: s.frame(v, "door", "Set up Tocsin"), Action: v.r.URL.Path, Known: invited.ID != "", ID: invited.ID, Name: invited.Name}
}

// setup makes the first person of a new Tocsin, or gives an invited one a password. Either way they are signed in, unless they have a second factor: a link
// alone does not stand in for it.
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
	c, err := s.desk.Credentials(id)
	if err != nil {
		return err
	}
	if c.Second() {
		return done(v, "/sign-in", "")
	}
	if err := s.begin(v, signin.Session{Person: id, Method: "invite", Net: signin.Network(s.address(v.r)), Device: signin.DeviceWords(v.r.UserAgent())}); err != nil {
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
	if m, ok := errors.AsType[signin.Mistake](err); ok {
		return ui.Errors{{Field: m.Field, Says: sentence(m)}}
	}
	return ui.Errors{{Field: "", Says: sentence(err)}}
}
