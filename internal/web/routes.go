package web

import (
	"net/http"
	"net/url"
	"strconv"
	"time"

	"tocsin/internal/auth"
	"tocsin/ui"
)

// A route is one path. Its need is what one must be allowed; "" is open to everybody.
type route struct {
	pattern string
	need    auth.Action
	handle  func(*Server, *visit) error
}

// routes is the whole console.
func routes() []route {
	return []route{
		{"GET /{$}", auth.See, (*Server).overview},
		{"GET /incidents", auth.See, (*Server).incidents},
		{"GET /incidents/{id}", auth.See, (*Server).incident},
		{"GET /incidents/{id}/lines", auth.See, (*Server).incidentLines}, // their text by auth.SearchLines, which the desk asks
		{"GET /incidents/{id}/trace", auth.SearchLines, (*Server).trace},
		{"POST /incidents/{id}/severity", auth.Handle, (*Server).setSeverity},
		{"POST /incidents/{id}/phase", auth.Handle, (*Server).setPhase},
		{"POST /incidents/{id}/note", auth.Note, (*Server).note},
		{"POST /incidents/{id}/assign", auth.Handle, (*Server).assign},
		{"GET /incidents/{id}/close", auth.Handle, (*Server).askClose},
		{"POST /incidents/{id}/close", auth.Handle, (*Server).closeIncident},
		{"POST /incidents/{id}/reopen", auth.Handle, (*Server).reopen},
		{"POST /incidents/{id}/hold", auth.Hold, (*Server).hold},
		{"POST /incidents/{id}/release", auth.Hold, (*Server).release},
		{"POST /incidents/{id}/mute", auth.Tune, (*Server).mute},
		{"POST /mutes/{id}/remove", auth.Tune, (*Server).unmute},
		{"GET /alerts", auth.See, (*Server).alerts},
		{"GET /alerts/{id}", auth.See, (*Server).alert},
		{"GET /search", auth.SearchLines, (*Server).search},
		{"GET /search/run", auth.SearchLines, (*Server).runSearch},
		{"GET /search/live", auth.SearchLines, (*Server).liveSearch},
		{"GET /search/complete", auth.SearchLines, (*Server).completeQuery},
		{"GET /search/line/{id}", auth.SearchLines, (*Server).line},
		{"GET /search/attach", auth.Handle, (*Server).askAttach}, // and by auth.SearchLines, which the desk asks, here and below
		{"POST /search/attach", auth.Handle, (*Server).attach},
		{"GET /sources", auth.See, (*Server).sources},
		{"GET /agents", auth.See, (*Server).agents},
		{"POST /agents", auth.Hosts, (*Server).inviteAgent},
		{"GET /agents/{id}", auth.See, (*Server).agent},
		{"POST /agents/{id}/revoke", auth.Hosts, (*Server).revokeAgent},
		{"GET /rules", auth.See, (*Server).rules},
		{"GET /rules/{id}", auth.See, (*Server).rule},
		{"GET /habits", auth.See, (*Server).habits},
		{"GET /habits/{id}", auth.See, (*Server).habit},
		{"POST /habits/{id}/forget", auth.Tune, (*Server).forgetHabit},
		{"GET /lists", auth.See, (*Server).lists},
		{"POST /lists", auth.Tune, (*Server).addWatched},
		{"GET /lists/{id}", auth.See, (*Server).list},
		{"POST /lists/{id}/remove", auth.Tune, (*Server).unwatch},
		{"POST /lists/{id}/end", auth.Tune, (*Server).endList},
		{"POST /never", auth.Tune, (*Server).addNever},
		{"GET /calls", auth.See, (*Server).calls},
		{"POST /calls/{id}/answer", auth.Ring, (*Server).answer},
		{"GET /people", auth.See, (*Server).people},
		{"POST /people", auth.Team, (*Server).addPerson},
		{"GET /people/{id}", auth.Team, (*Server).person},
		{"POST /people/{id}", auth.Team, (*Server).changePerson},
		{"POST /people/{id}/invite", auth.Team, (*Server).invite},
		{"POST /people/{id}/ring", auth.See, (*Server).ringNow}, // oneself; others by auth.TestRing, which the desk asks
		{"POST /policy", auth.Team, (*Server).setPolicy},
		{"GET /notices", auth.See, (*Server).notices},
		{"POST /notices", auth.See, (*Server).askNotice}, // for oneself; for others by auth.Team, which the desk asks, here and below
		{"POST /notices/{id}/remove", auth.See, (*Server).endNotice},
		{"POST /notices/{id}/test", auth.See, (*Server).testNotice},
		{"GET /webhooks", auth.See, (*Server).webhooks},
		{"POST /webhooks/{id}/test", auth.Hosts, (*Server).testWebhook},
		{"GET /ledger", auth.See, (*Server).ledger},
		{"POST /ledger/verify", auth.Verify, (*Server).verify},
		{"GET /live", auth.See, (*Server).live},
		{"POST /sign-out", auth.See, (*Server).signOut},
		{"GET /sign-in", "", (*Server).askSignIn},
		{"POST /sign-in", "", (*Server).signIn},
		{"GET /setup/{token}", "", (*Server).askSetup},
		{"POST /setup/{token}", "", (*Server).setup},
		{"GET /answer/{token}", "", (*Server).openLink},
		{"POST /answer/{token}", "", (*Server).answerLink},
		{"GET /healthz", "", (*Server).health},
		{"/", "", (*Server).missing},
	}
}

// Handler returns the console with all its headers.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /static/", ui.Static())
	for _, r := range routes() {
		mux.HandleFunc(r.pattern, func(w http.ResponseWriter, req *http.Request) { s.serve(r, w, req) })
	}
	h := ui.Secure(mux, s.o.TLS && s.o.HSTS == nil)
	if !s.o.TLS || s.o.HSTS == nil {
		return h
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if age := s.o.HSTS(r); age > 0 {
			w.Header().Set("Strict-Transport-Security", "max-age="+strconv.FormatInt(int64(age/time.Second), 10))
		}
		h.ServeHTTP(w, r)
	})
}

// serve asks who it is and whether they may, then handles. A panic costs the request, not the program.
func (s *Server) serve(route route, w http.ResponseWriter, r *http.Request) {
	s = s.today()
	v := s.visit(w, r)
	defer func() {
		if p := recover(); p != nil {
			if p == http.ErrAbortHandler {
				panic(p)
			}
			s.log.Error("a page panicked", "path", r.URL.Path, "panic", p)
			http.Error(w, "Tocsin made a mistake. The program's log says what happened.", http.StatusInternalServerError)
		}
	}()
	if route.need != "" {
		if !v.signed() {
			s.turnAway(v)
			return
		}
		if err := auth.May(v.actor, route.need); err != nil {
			s.fail(v, err)
			return
		}
	}
	if r.Method == http.MethodPost {
		r.Body = http.MaxBytesReader(w, r.Body, maxForm)
		if err := r.ParseForm(); err != nil {
			http.Error(w, "The form is too large or broken.", http.StatusBadRequest)
			return
		}
		_ = http.NewResponseController(w).SetReadDeadline(time.Time{}) // the form has come; its limit would end slow work, such as verifying
	}
	if err := route.handle(s, v); err != nil {
		s.fail(v, err)
	}
}

// turnAway sends who is not signed in to the sign-in, and remembers where they wanted to go. A post is not repeated after
// signing in; the live channel is no place to go to.
func (s *Server) turnAway(v *visit) {
	if v.r.URL.Path == "/live" {
		http.Error(v.w, "Nobody is signed in.", http.StatusUnauthorized)
		return
	}
	to := "/sign-in"
	if v.r.Method == http.MethodGet && v.r.URL.Path != "/" {
		to += "?next=" + url.QueryEscape(v.r.URL.RequestURI())
	}
	http.Redirect(v.w, v.r, to, http.StatusSeeOther)
}

func (s *Server) missing(*visit) error { return errMissing }
