package web

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"
	"time"

	"tocsin/internal/desk"
	"tocsin/internal/signin"
	"tocsin/ui"
)

// # Step-up
//
// Dangerous acts ask for a second factor within the last ten minutes; of somebody who has none, for their password. A form that comes too late is
// answered with the page that asks for it, which holds what was typed; after the proof the page asks once more whether to do it.

// dangerous reports whether a route asks for a fresh proof. It is one list, beside that of the routes.
func dangerous(pattern string) bool {
	return slices.Contains([]string{
		"POST /people", "POST /people/{id}", "POST /people/{id}/invite", "POST /people/{id}/factors", "POST /people/{id}/link",
		"POST /agents", "POST /agents/{id}/revoke", "POST /break-glass", "POST /approvals/{id}",
		"POST /me/passkeys", "POST /me/passkeys/begin", "POST /me/passkeys/{id}/remove", "POST /me/app", "POST /me/app/confirm", "POST /me/app/remove", "POST /me/recovery",
		"POST /people/{id}/key/confirm", "POST /people/{id}/key/remove", "POST /people/{id}/pin",
		"POST /me/links/{id}/remove", "POST /me/tokens", "POST /me/password", "GET /me/link",
		"POST /plan/import", "POST /plan/{id}/edit", "POST /plan/{id}/retire", "POST /plan/{id}/offered", "POST /reports/key", "POST /reports/security-txt",
	}, pattern)
}

// liftsRed reports whether a form would let others than the people who are named hear what is TLP:RED: that asks for a fresh proof, too.
func (s *Server) liftsRed(v *visit, pattern string) bool {
	id, err := number(v.r, "id")
	switch {
	case err != nil:
		return false
	case pattern == "POST /incidents/{id}/label":
		return s.desk.LiftsRed(v.actor, id, text(v.r, "what"), text(v.r, "label"))
	case pattern == "POST /incidents/{id}/unmerge":
		return s.desk.PartsRed(v.actor, id)
	case pattern == "POST /reports/{id}" && text(v.r, "deed") == "join":
		return s.desk.ReportOfRed(v.actor, id)
	}
	return false
}

// fresh reports whether who asks has proved who they are lately, by the best that they have.
//
// Who came in by a sheet from the safe has nothing that could be proved once more: the sheet itself is the proof, for its four hours.
func (s *Server) fresh(v *visit) (bool, error) {
	if signin.Fresh(v.session, v.now) || strings.HasPrefix(v.actor.ID, signin.GlassPrefix) {
		return true, nil
	}
	c, err := s.desk.Credentials(v.actor.ID)
	if err != nil {
		return false, err
	}
	return !c.Second() && signin.Recent(v.session, v.now), nil
}

// secretFields are typed so that nobody else knows them: they stand in no page, not even in a hidden field. stepFields are of the page that asks for a proof itself.
var (
	secretFields = []string{"password", "passphrase", "again", "current", "pin", "code", "receipt"}
	stepFields   = []string{"response", "ceremony", "then", "next"}
)

const mostCarried = 100 // fields of a form

// stepUp answers a request that needs a fresh proof.
func (s *Server) stepUp(v *visit) error {
	if strings.Contains(v.r.Header.Get("Accept"), "application/json") { // a script
		http.Redirect(v.w, v.r, "/step-up?next=/me", http.StatusSeeOther)
		return nil
	}
	back := "/" + strings.Split(strings.TrimPrefix(v.r.URL.Path, "/"), "/")[0]
	if v.r.Method != http.MethodPost || v.r.PostForm.Get("passphrase") != "" { // which is in no page: without it, the act would be another one
		return done(v, "/step-up?next="+url.QueryEscape(back), "")
	}
	if v.r.PostForm.Get("pin") != "" { // without it, one would be taken away
		return s.showStepUp(v, http.StatusOK, nil, path.Dir(v.r.URL.Path), 0, "A PIN is in no page: prove that it is you, and type it again.")
	}
	fields := []ui.Option{{Word: "then", Value: v.r.URL.Path}}
	for name, values := range v.r.PostForm {
		if slices.Contains(secretFields, name) || slices.Contains(stepFields, name) {
			continue
		}
		for _, x := range values {
			fields = append(fields, ui.Option{Word: "f." + name, Value: x})
		}
	}
	return s.showStepUp(v, http.StatusOK, fields[:min(len(fields), mostCarried)], back, 0, "")
}

// carried returns what the page that asks for a proof holds of the form that asked for it.
func carried(v *visit) (fields []ui.Option) {
	for name, values := range v.r.PostForm {
		if name == "then" || strings.HasPrefix(name, "f.") {
			for _, x := range values {
				fields = append(fields, ui.Option{Word: name, Value: x})
			}
		}
	}
	return fields[:min(len(fields), mostCarried)]
}

func (s *Server) askStepUp(v *visit) error {
	return s.showStepUp(v, http.StatusOK, nil, v.r.FormValue("next"), 0, "")
}

func (s *Server) showStepUp(v *visit, code int, fields []ui.Option, next string, wait time.Duration, wrong string) error {
	c, err := s.desk.Credentials(v.actor.ID)
	if err != nil {
		return err
	}
	view := ui.StepUpView{Frame: s.frame(v, "door", "Prove that it is you"), Why: "This can do harm in wrong hands, so it asks once more: you proved who you are more than ten minutes ago.",
		Passkey: len(c.Passkeys) > 0 && s.desk.Passkeys() == nil, Code: c.App != nil || len(c.Recovery) > 0, Fields: fields, Next: local(next), Wait: seconds(wait)}
	view.Password = !c.Second() && s.desk.HasPassword(v.actor.ID)
	if p := s.desk.Provider(); p != nil && len(c.Links) > 0 && !c.Second() {
		view.Provider = p.Name()
	}
	if view.Next == "" {
		view.Next = "/me"
	}
	view.Path, view.Still = "/step-up", true
	if wrong != "" {
		view.Errors = ui.Errors{{Field: "", Says: wrong}}
	}
	retryAfter(v, view.Wait)
	return ui.StepUp.Show(v.w, code, view)
}

// proveAgain ends a step-up by code or password.
func (s *Server) proveAgain(v *visit) error {
	from := s.address(v.r)
	return s.proves(v, func() (bool, error) {
		ctx, done := context.WithTimeout(v.r.Context(), time.Minute)
		defer done()
		return s.desk.ProveAgain(ctx, v.actor, desk.Proof{Password: v.r.PostFormValue("password"), Code: text(v.r, "code"), Address: from.String()})
	})
}

func (s *Server) beginPasskeyAgain(v *visit) error {
	options, ch, err := s.desk.AskPasskey()
	if err != nil {
		return s.showStepUp(v, http.StatusUnprocessableEntity, nil, "/me", 0, sentence(err))
	}
	return s.challenge(v, forStepUp, options, ch)
}

// proveAgainByPasskey ends a step-up by a passkey.
func (s *Server) proveAgainByPasskey(v *visit) error {
	from := s.address(v.r)
	return s.proves(v, func() (bool, error) {
		ch, err := take[signin.Challenge](s, v, forStepUp, v.r.PostFormValue("ceremony"))
		if err != nil {
			return false, err
		}
		return s.desk.ProvePasskeyAgain(v.actor, ch, []byte(v.r.PostFormValue("response")), from.String())
	})
}

// proves has a proof checked. When it holds the session gets a new token, and the act that asked for it is offered.
func (s *Server) proves(v *visit, check func() (second bool, err error)) error {
	from, next := s.address(v.r), v.r.PostFormValue("next")
	account := "again " + v.actor.ID
	if wait := s.throttle.AllowDevice(v.now, account, from, v.session.ID); wait > 0 {
		return s.showStepUp(v, http.StatusTooManyRequests, carried(v), next, wait, tooMany)
	}
	second, err := check()
	if err != nil {
		if known(err) {
			return err
		}
		says := s.passkeyWords(err)
		for _, e := range []error{desk.ErrWrong, desk.ErrOldCode, desk.ErrCode, desk.ErrNeedCode} {
			if errors.Is(err, e) {
				says = sentence(e)
			}
		}
		if errors.Is(err, desk.ErrWrong) {
			says = "This is not your password."
		}
		return s.showStepUp(v, http.StatusUnprocessableEntity, carried(v), next, 0, says)
	}
	s.throttle.SucceededDevice(v.now, account, from, v.session.ID)
	cookie, err := s.sessions.Freshen(v.now, v.r, second)
	if err != nil {
		return err
	}
	http.SetCookie(v.w, cookie)
	then := local(v.r.PostFormValue("then"))
	if next = local(next); next == "" {
		next = "/me"
	}
	if then == "" {
		return done(v, next, "proved")
	}
	view := ui.ConfirmView{Frame: s.frame(v, "", "Go on?"), Effects: []string{"It is proved that it is you, for ten minutes. What you had asked for has not been done yet."}, Action: then, Button: "Do it now", Back: next}
	for _, f := range carried(v) {
		if name, ok := strings.CutPrefix(f.Word, "f."); ok {
			view.Fields = append(view.Fields, ui.Option{Word: name, Value: f.Value})
		}
	}
	view.Path, view.Still = next, true
	return ui.Confirm.Show(v.w, http.StatusOK, view)
}
