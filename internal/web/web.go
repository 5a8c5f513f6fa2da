// Package web is the console: it reads forms, calls the desk, and shows pages of package ui.
//
// routes.go is the whole list of routes, with what each needs. A handler makes four moves: read the form, call the desk,
// turn the error into a page, redirect or build the view. There is one file per noun. Every post ends in a redirect
// (303), so that a reload repeats nothing; a form with a mistake comes back with what was typed.
package web

import (
	"errors"
	"log/slog"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"tocsin/internal/auth"
	"tocsin/internal/desk"
	"tocsin/internal/incident"
	"tocsin/internal/oncall"
	"tocsin/internal/review"
	"tocsin/internal/signin"
	"tocsin/ui"
)

// maxForm is how many bytes a form may have.
const maxForm = 256 << 10

// Options are what the command line decides.
type Options struct {
	TLS      bool                              // reached by https only: secure cookies, HSTS
	HSTS     func(*http.Request) time.Duration // how long a browser shall remember that, 0 says nothing of it; nil is a year
	Set      desk.RuleSet                      // for the pages of rules
	Trusted  []netip.Prefix                    // proxies whose X-Forwarded-For is believed
	Limit    func(string) time.Duration        // of silence of a source; nil is none
	Warnings func() []Warning                  // what the settings lack, asked for each page; nil is nothing
	Programs func(Knock) http.Handler          // what is below /api/v1: another face serves it; nil is nothing
	Document func() ([]byte, error)            // of it: OpenAPI 3.1 as JSON; nil: there is none
}

// A Knock is what the console knows of a program that knocks with a token.
type Knock struct {
	Failed func(*http.Request) time.Duration // counts a token that opens nothing, and says how long its network has to wait; 0 is not at all
	Remote func(*http.Request) string        // its address
	Quit   <-chan struct{}                   // closed when the console ends
}

// A Warning is a setting that will not do what people expect of it.
type Warning struct{ Says, Mend string }

// A Server is the console.
type Server struct {
	log        *slog.Logger
	desk       *desk.Desk
	o          Options
	sessions   *signin.Sessions
	throttle   *signin.Throttle
	tokens     *signin.Throttle // of tokens that open nothing: they make nobody wait who signs in
	ceremonies *signin.Ceremonies
	checked    *verdict
	quit       chan struct{}

	outsiders *outsiders // strangers who report
	ownOrigin bool       // this is the reports' own origin

	seeking    *desk.Slots   // of requests that search
	following  *desk.Slots   // and that follow lines
	completing chan struct{} // holds one for each request that looks for values
}

// New returns the console of a desk.
func New(log *slog.Logger, d *desk.Desk, o Options) *Server {
	return &Server{log: log, desk: d, o: o, sessions: signin.NewSessions(d.Sessions(), o.TLS), throttle: signin.NewThrottle(), tokens: signin.NewThrottle(), ceremonies: signin.NewCeremonies(), checked: &verdict{}, quit: make(chan struct{}), outsiders: newOutsiders(),
		seeking: d.Seeking(), following: d.Following(), completing: make(chan struct{}, completing)}
}

// today is s with the rules that are in use now: one page shows one set, whatever is loaded meanwhile.
func (s *Server) today() *Server {
	set, ok := s.desk.RuleSet()
	if !ok {
		return s
	}
	c := *s
	c.o.Set = set
	return &c
}

// Stop ends the live connections, so that the HTTP server can shut down.
func (s *Server) Stop() { close(s.quit) }

// A visit is one request of one person. Who is not signed in has no actor.
type visit struct {
	w     http.ResponseWriter
	r     *http.Request
	now   time.Time
	actor auth.Actor
	grace time.Time // until when the first person may administer without a second factor; zero is no such time
	name  string
	zone  *time.Location

	session signin.Session
	said    string // what became of a key that somebody brought, for the page that answers
}

// at words a time for the reader.
func (v *visit) at(t time.Time) ui.Time { return ui.At(t, v.now, v.zone) }

// signed reports whether somebody is signed in.
func (v *visit) signed() bool { return v.actor.ID != "" }

// visit says who asks.
func (s *Server) visit(w http.ResponseWriter, r *http.Request) *visit {
	v := &visit{w: w, r: r, now: time.Now(), zone: time.UTC}
	session, ok := s.sessions.Find(v.now, r)
	if !ok {
		return v
	}
	if a, ok := s.desk.GlassActor(session.Person, v.now); ok {
		a.Via = session.ID
		v.actor, v.name, v.session = a, desk.GlassName(a.ID), session
		return v
	}
	p, ok := s.desk.Person(session.Person)
	if !ok || s.desk.BeforeReturn(p.ID, session.Started, v.now) {
		return v
	}
	contact := s.desk.People.Get(p.Vault)
	v.actor, v.name, v.zone, v.session = desk.Actor(p), contact.Name, contact.Location(), session
	v.actor.Via = session.ID
	if session.Second.IsZero() {
		v.grace = s.desk.Grace(p.ID, v.now)
		v.actor.Weak = v.grace.IsZero()
	}
	if session.Given {
		v.actor.Roles = session.Roles
	}
	return v
}

// address returns who is at the other end, for throttling. A trusted proxy says it in X-Forwarded-For, to which each proxy adds
// its peer at the right: the client is the first from there that is not trusted; what stands left of it anybody can write.
func (s *Server) address(r *http.Request) netip.Addr {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	a := plainAddress(peer.Addr())
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for k := len(hops) - 1; k >= 0 && s.trusted(a); k-- {
		next, err := netip.ParseAddr(strings.TrimSpace(hops[k]))
		if err != nil {
			break
		}
		a = plainAddress(next)
	}
	return a
}

// plainAddress has one form for each address.
func plainAddress(a netip.Addr) netip.Addr { return a.Unmap().WithZone("") }

func (s *Server) trusted(a netip.Addr) bool {
	return slices.ContainsFunc(s.o.Trusted, func(p netip.Prefix) bool { return p.Contains(a) })
}

// errMissing is a page that does not exist.
var errMissing = errors.New("no such page")

// fail shows an error as a page, in one place.
func (s *Server) fail(v *visit, err error) {
	code := http.StatusInternalServerError
	switch {
	case errors.Is(err, errMissing), errors.Is(err, review.ErrNotFound), errors.Is(err, incident.ErrNotFound), errors.Is(err, auth.ErrNoApproval), errors.Is(err, desk.ErrNoPlaybook):
		code = http.StatusNotFound
	case errors.Is(err, oncall.ErrAnswered):
		code = http.StatusConflict
	case errors.Is(err, desk.ErrBroken):
		code = http.StatusServiceUnavailable
	}
	if _, ok := errors.AsType[desk.Asked](err); ok {
		_ = done(v, "/approvals", "asked")
		return
	}
	if _, ok := errors.AsType[auth.Refusal](err); ok {
		code = http.StatusForbidden
	}
	if code == http.StatusInternalServerError {
		s.log.Error("a page failed", "path", v.r.URL.Path, "error", err)
	}
	page := ui.ErrorFor(code)
	if r, ok := errors.AsType[auth.Refusal](err); ok && r.Weak {
		page = ui.ErrorWeak()
	}
	page.Frame = s.frame(v, "", page.Title)
	page.Still = true
	if err := ui.Error.Show(v.w, code, page); err != nil {
		s.log.Debug("showing an error page", "error", err)
	}
}

// known reports whether fail has a page of its own for err; anything else is a mistake in a form.
func known(err error) bool {
	_, refused := errors.AsType[auth.Refusal](err)
	_, asked := errors.AsType[desk.Asked](err)
	return refused || asked || errors.Is(err, errMissing) || errors.Is(err, review.ErrNotFound) || errors.Is(err, incident.ErrNotFound) || errors.Is(err, desk.ErrNoPlaybook) || errors.Is(err, oncall.ErrAnswered) || errors.Is(err, desk.ErrBroken)
}

// done redirects after a form, with a notice.
func done(v *visit, to, key string) error {
	if key != "" {
		sep := "?"
		if strings.Contains(to, "?") {
			sep = "&"
		}
		to += sep + "done=" + key
		if n := v.r.PostForm.Get("draft"); n != "" && len(n) < 20 && strings.Trim(n, "0123456789") == "" {
			to += "&took=" + n // whose draft may go
		}
	}
	http.Redirect(v.w, v.r, to, http.StatusSeeOther)
	return nil
}

// sentence writes an error of ours as a sentence of a form.
func sentence(err error) string {
	t := strings.TrimSpace(err.Error())
	if t == "" {
		return ""
	}
	t = desk.Title(t)
	if !strings.HasSuffix(t, ".") {
		t += "."
	}
	return t
}

// text returns what was typed, without line ends of Windows.
func text(r *http.Request, field string) string {
	return strings.TrimSpace(strings.ReplaceAll(r.PostFormValue(field), "\r\n", "\n"))
}

// number reads the id in a path.
func number(r *http.Request, name string) (int64, error) {
	n, err := strconv.ParseInt(r.PathValue(name), 10, 64)
	if err != nil || n < 1 {
		return 0, errMissing
	}
	return n, nil
}
