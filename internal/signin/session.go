package signin

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"time"
)

// sessionKind is where sessions lie in scratch.
const sessionKind = "session"

// A Store is the part of scratch that sessions need, as func values. What was put may be lost at any time; what was
// deleted must be gone when Delete returns.
type Store struct {
	Put    func(kind, key string, value []byte, until time.Time) error
	Get    func(kind, key string, now time.Time) (value []byte, ok bool)
	Delete func(kind, key string) error
	Each   func(kind string, now time.Time, yield func(key string, value []byte) bool)
}

// A Session is somebody signed in with one browser.
type Session struct {
	Person  string    `json:"person"`  // staff id
	Started time.Time `json:"started"` // when they signed in
	Seen    time.Time `json:"seen"`    // last use, to the minute
}

// ends returns when s ends if it is not used again: 12 hours after its last use, 7 days after its start.
func (s Session) ends() time.Time {
	idle, whole := s.Seen.Add(idleTime), s.Started.Add(wholeTime)
	if idle.Before(whole) {
		return idle
	}
	return whole
}

// Sessions knows who is signed in. A session is a random token of 256 bits in a cookie; stored is only its SHA-256, so that a
// stolen folder signs nobody in.
type Sessions struct {
	store  Store
	secure bool
}

// NewSessions returns the sessions kept in store. secure says that the console is reached by TLS only.
func NewSessions(store Store, secure bool) *Sessions {
	return &Sessions{store, secure}
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
	token := make([]byte, 32)
	rand.Read(token) // never fails (crypto/rand)
	value := base64.RawURLEncoding.EncodeToString(token)
	if err := s.keep(key(value), Session{Person: person, Started: now.UTC(), Seen: now.UTC()}); err != nil {
		return nil, fmt.Errorf("signing %s in: %w", person, err)
	}
	return s.cookie(value), nil
}

// Find returns the session of a request. It counts as use of the session; that this was noted may fail unseen, as the
// session only ends sooner then.
func (s *Sessions) Find(now time.Time, r *http.Request) (Session, bool) {
	c, err := r.Cookie(s.cookieName())
	if err != nil {
		return Session{}, false
	}
	k := key(c.Value)
	raw, ok := s.store.Get(sessionKind, k, now)
	if !ok {
		return Session{}, false
	}
	var x Session
	if json.Unmarshal(raw, &x) != nil || !now.Before(x.ends()) {
		return Session{}, false
	}
	if now.Sub(x.Seen) >= touchTime {
		x.Seen = now.UTC()
		s.keep(k, x)
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
	if err := s.store.Delete(sessionKind, key(c.Value)); err != nil {
		return gone, fmt.Errorf("signing out: %w", err)
	}
	return gone, nil
}

// EndAll signs person out everywhere: after a change of password, or when somebody leaves. It returns how many sessions ended.
func (s *Sessions) EndAll(now time.Time, person string) (n int, err error) {
	var keys []string
	s.store.Each(sessionKind, now, func(k string, raw []byte) bool {
		var x Session
		if json.Unmarshal(raw, &x) != nil || x.Person == person {
			keys = append(keys, k)
		}
		return true
	})
	for _, k := range keys {
		if err := s.store.Delete(sessionKind, k); err != nil {
			return n, fmt.Errorf("signing %s out everywhere: %w", person, err)
		}
		n++
	}
	return n, nil
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
