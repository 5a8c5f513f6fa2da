package web

import (
	"errors"
	"net/http"

	"tocsin/internal/desk"
	"tocsin/internal/signin"
)

// departs sends the browser to the provider. It is a GET, because browsers hold redirects of forms to our policy; nothing happens by it, and
// what comes back is bound to this browser.
func (s *Server) departs(v *visit, j signin.Journey) error {
	p := s.desk.Provider()
	if p == nil {
		return errMissing
	}
	to, err := p.Depart(v.r.Context(), v.now, func(j signin.Journey) string {
		return s.ceremonies.Begin(v.now, forProvider, s.bound(v), signin.Network(s.address(v.r)), j)
	}, j)
	if err != nil {
		return s.providerFails(v, j, err)
	}
	http.Redirect(v.w, v.r, to, http.StatusSeeOther)
	return nil
}

func (s *Server) signInElsewhere(v *visit) error {
	return s.departs(v, signin.Journey{Next: local(v.r.FormValue("next"))})
}

// linkElsewhere begins to link one's own account.
//
// Only our own page may begin it: another site could send somebody here whom it has signed in at the provider as itself, and so get a way into their
// account. Browsers say from where a request comes (W3C Fetch Metadata).
func (s *Server) linkElsewhere(v *visit) error {
	if from := v.r.Header.Get("Sec-Fetch-Site"); from != "" && from != "same-origin" && from != "none" {
		return done(v, "/me", "")
	}
	return s.departs(v, signin.Journey{Person: v.actor.ID, Next: "/me"})
}

// providerFails says why somebody who came from the provider is not in, on the page from which they left.
func (s *Server) providerFails(v *visit, j signin.Journey, err error) error {
	if down, ok := errors.AsType[signin.ErrProvider](err); ok {
		s.log.Warn("the provider of single sign-on does not work", "why", down.Why)
		if v.signed() {
			return s.showMe(v, http.StatusServiceUnavailable, meExtra{mistake: desk.FieldError{Says: down.Error() + "."}})
		}
		return s.wrongSignIn(v, http.StatusServiceUnavailable, 0, sentence(down))
	}
	if known(err) {
		return err
	}
	s.log.Info("a sign-in by the provider was refused", "why", err)
	says := err
	for _, e := range []error{signin.ErrForeign, signin.ErrCeremony, desk.ErrStranger, desk.ErrWaits, desk.ErrNoGroup} {
		if errors.Is(err, e) {
			says = e
		}
	}
	if v.signed() {
		return s.showMe(v, http.StatusUnprocessableEntity, meExtra{mistake: says})
	}
	return s.wrongSignIn(v, http.StatusUnprocessableEntity, 0, sentence(says))
}

// arrives takes who comes back from the provider. What is not ours (state of another browser, used, too old) changes nothing.
func (s *Server) arrives(v *visit) error {
	p := s.desk.Provider()
	if p == nil {
		return errMissing
	}
	q := v.r.URL.Query()
	j, err := take[signin.Journey](s, v, forProvider, q.Get("state"))
	if err != nil {
		return s.providerFails(v, j, signin.ErrForeign)
	}
	if q.Get("error") != "" {
		return s.providerFails(v, j, desk.FieldError{Says: "The provider did not sign you in. Try again, or sign in another way."})
	}
	if iss := q.Get("iss"); iss != "" && iss != p.Issuer() { // RFC 9207
		return s.providerFails(v, j, signin.ErrForeign)
	}
	who, err := p.Arrive(v.r.Context(), v.now, j, q.Get("code"))
	if err != nil {
		return s.providerFails(v, j, err)
	}
	if j.Person != "" {
		if v.actor.ID != j.Person {
			return s.providerFails(v, j, signin.ErrForeign)
		}
		if err := s.desk.LinkOwn(v.actor, who); err != nil {
			return s.providerFails(v, j, err)
		}
		return done(v, "/me", "linked")
	}
	session := signin.NewSessionID()
	a, err := s.desk.Welcome(who, s.address(v.r).String(), session)
	if err != nil {
		return s.providerFails(v, j, err)
	}
	return s.enter(v, a, session, j.Next, "")
}
