package signin

import (
	"cmp"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// sessionKind is where sessions lie in scratch.
const sessionKind = "session"

// A Store is the part of scratch that sessions need, as func values. What was put may be lost at any time; what was
// deleted must be gone when Delete returns.
type Store struct {
	Put    func(kind, key string, value []byte, until time.Time) error
	Get    func(kind, key string, now time.Time) (value []byte, ok bool)
	Delete func(kind string, keys ...string) error // all of them, or none
	Each   func(kind string, now time.Time, yield func(key string, value []byte) bool)
}

// A Session is somebody signed in with one browser.
type Session struct {
	ID      string    `json:"id"`               // names it where it is listed and in the ledger; it opens nothing
	Person  string    `json:"person"`           // staff id, or "break-glass:3"
	Started time.Time `json:"started"`          // when they signed in
	Seen    time.Time `json:"seen"`             // last use, to the minute
	Proved  time.Time `json:"proved"`           // when they last proved who they are, by anything
	Second  time.Time `json:"second,omitzero"`  // when they last proved it by a second factor
	Until   time.Time `json:"until,omitzero"`   // ends then in any case: of a provider's session and of break-glass
	Method  string    `json:"method,omitempty"` // password, password+code, password+recovery, passkey, oidc, breakglass
	Net     string    `json:"net,omitempty"`    // from which network: "203.0.113.0/24"
	Device  string    `json:"device,omitempty"` // "Firefox on Linux"
	Roles   []string  `json:"roles,omitempty"`  // of a provider's groups, in place of those of the plan; nil is those of the plan
	Given   bool      `json:"given,omitempty"`  // Roles count, even when there are none
}

// ends returns when s ends if it is not used again: 12 hours after its last use, 7 days after its start, and at its own end.
func (s Session) ends() time.Time {
	end := s.Seen.Add(idleTime)
	if whole := s.Started.Add(wholeTime); whole.Before(end) {
		end = whole
	}
	if !s.Until.IsZero() && s.Until.Before(end) {
		end = s.Until
	}
	return end
}

// Fresh reports whether the person proved a second factor within the last ten minutes: what dangerous acts ask for.
func Fresh(s Session, now time.Time) bool { return within(s.Second, now) }

// Recent is Fresh for those who have no second factor: a proof of any sort within the last ten minutes.
func Recent(s Session, now time.Time) bool { return within(s.Proved, now) || within(s.Second, now) }

// within reports whether at lies in the last ten minutes; a clock that was set back makes nothing fresh that lies ahead.
func within(at, now time.Time) bool {
	return !at.IsZero() && !at.After(now.Add(time.Minute)) && now.Sub(at) < freshTime
}

// Sessions knows who is signed in. A session is a random token of 256 bits in a cookie; stored is only its SHA-256, so that a
// stolen folder signs nobody in.
type Sessions struct {
	store  Store
	secure bool
	mu     sync.Mutex // held while a session is written that was read before: one that was ended meanwhile must not come back
}

// NewSessions returns the sessions kept in store. secure says that the console is reached by TLS only.
func NewSessions(store Store, secure bool) *Sessions {
	return &Sessions{store: store, secure: secure}
}

// cookieName has the prefix __Host- with TLS: the browser then takes the cookie from this host only, by TLS only (RFC 6265bis 4.1.3.2).
func (s *Sessions) cookieName() string {
	if s.secure {
		return "__Host-tocsin"
	}
	return "tocsin"
}

// cookie returns the cookie with this value. It has no Expires: it goes with the browser, and the server ends sessions.
// SameSite is Lax, not Strict, so that a link in a call's mail opens the incident for somebody who is signed in.
func (s *Sessions) cookie(value string) *http.Cookie {
	return &http.Cookie{Name: s.cookieName(), Value: value, Path: "/", Secure: s.secure, HttpOnly: true, SameSite: http.SameSiteLaxMode}
}

// Start signs person in and returns the cookie to set. Each sign-in gets a new token, so that none can be set beforehand.
func (s *Sessions) Start(now time.Time, person string) (*http.Cookie, error) {
	return s.Begin(now, Session{Person: person})
}

// NewSessionID returns a name for a session that is about to begin, for its entry.
func NewSessionID() string { return shortID() }

// Begin is Start for a session of which more is known. Times that are not set are now.
func (s *Sessions) Begin(now time.Time, x Session) (*http.Cookie, error) {
	if x.ID == "" {
		x.ID = shortID()
	}
	x.Started, x.Seen = now.UTC(), now.UTC()
	if x.Proved.IsZero() {
		x.Proved = now.UTC()
	}
	return s.put(x)
}

// put keeps a session under a new token.
func (s *Sessions) put(x Session) (*http.Cookie, error) {
	token := make([]byte, 32)
	rand.Read(token) // never fails (crypto/rand)
	value := base64.RawURLEncoding.EncodeToString(token)
	if err := s.keep(key(value), x); err != nil {
		return nil, fmt.Errorf("signing %s in: %w", x.Person, err)
	}
	return s.cookie(value), nil
}

// Freshen notes that the person of a request has proved once more who they are; second says that it was by a second factor. Rights rise, so the
// session gets a new token, and the old one ends: whoever had seen it has nothing (session fixation). It returns the cookie to set.
func (s *Sessions) Freshen(now time.Time, r *http.Request, second bool) (*http.Cookie, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	x, ok := s.find(now, r)
	c, err := r.Cookie(s.cookieName())
	if !ok || err != nil {
		return nil, fmt.Errorf("proving anew who somebody is: nobody is signed in")
	}
	x.Proved = now.UTC()
	if second {
		x.Second = now.UTC()
	}
	fresh, err := s.put(x)
	if err != nil {
		return nil, err
	}
	if err := s.store.Delete(sessionKind, key(c.Value)); err != nil {
		return nil, fmt.Errorf("ending the old token of a session: %w", err)
	}
	return fresh, nil
}

// List returns the sessions of a person that have not ended, the one used last first.
func (s *Sessions) List(now time.Time, person string) (out []Session) {
	s.store.Each(sessionKind, now, func(_ string, raw []byte) bool {
		var x Session
		if json.Unmarshal(raw, &x) == nil && x.Person == person && now.Before(x.ends()) {
			out = append(out, x)
		}
		return true
	})
	slices.SortFunc(out, func(a, b Session) int {
		return cmp.Or(b.Seen.Compare(a.Seen), b.Started.Compare(a.Started), strings.Compare(a.ID, b.ID))
	})
	return out
}

// Find returns the session of a request. It counts as use of the session; that this was noted may fail unseen, as the
// session only ends sooner then.
func (s *Sessions) Find(now time.Time, r *http.Request) (Session, bool) {
	x, ok := s.find(now, r)
	if !ok || now.Sub(x.Seen) < touchTime {
		return x, ok
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if x, ok = s.find(now, r); !ok { // it was ended meanwhile
		return Session{}, false
	}
	x.Seen = now.UTC()
	if c, err := r.Cookie(s.cookieName()); err == nil {
		_ = s.keep(key(c.Value), x) // it only ends sooner
	}
	return x, true
}

// find is Find without the use.
func (s *Sessions) find(now time.Time, r *http.Request) (Session, bool) {
	c, err := r.Cookie(s.cookieName())
	if err != nil {
		return Session{}, false
	}
	raw, ok := s.store.Get(sessionKind, key(c.Value), now)
	if !ok {
		return Session{}, false
	}
	var x Session
	if json.Unmarshal(raw, &x) != nil || !now.Before(x.ends()) {
		return Session{}, false
	}
	return x, true
}

// End signs the request's browser out and returns the cookie that clears its own.
func (s *Sessions) End(r *http.Request) (*http.Cookie, error) {
	gone := s.cookie("")
	gone.MaxAge = -1
	c, err := r.Cookie(s.cookieName())
	if err != nil {
		return gone, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.store.Delete(sessionKind, key(c.Value)); err != nil {
		return gone, fmt.Errorf("signing out: %w", err)
	}
	return gone, nil
}

// EndAll signs person out everywhere: after a change of password, or when somebody leaves. It returns how many sessions ended.
func (s *Sessions) EndAll(now time.Time, person string) (n int, err error) {
	return s.endSome(now, person, func(Session) bool { return true })
}

// EndOne ends the session of a person that has an id. It returns false when there is none.
func (s *Sessions) EndOne(now time.Time, person, id string) (bool, error) {
	n, err := s.endSome(now, person, func(x Session) bool { return x.ID == id })
	return n > 0, err
}

// EndOthers ends all sessions of a person but one, and returns how many.
func (s *Sessions) EndOthers(now time.Time, person, id string) (int, error) {
	return s.endSome(now, person, func(x Session) bool { return x.ID != id })
}

func (s *Sessions) endSome(now time.Time, person string, which func(Session) bool) (n int, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var keys []string
	s.store.Each(sessionKind, now, func(k string, raw []byte) bool {
		var x Session
		if json.Unmarshal(raw, &x) != nil || x.Person == person && which(x) {
			keys = append(keys, k)
		}
		return true
	})
	if len(keys) == 0 {
		return 0, nil
	}
	if err := s.store.Delete(sessionKind, keys...); err != nil {
		return 0, fmt.Errorf("ending sessions of %s: %w", person, err)
	}
	return len(keys), nil
}

// key returns what a token is stored under. A token has 256 bits of chance, so a plain hash does (no password has that).
func key(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}

func (s *Sessions) keep(key string, x Session) error {
	raw, err := json.Marshal(x)
	if err != nil {
		return err
	}
	return s.store.Put(sessionKind, key, raw, x.ends())
}
