package signin

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

var start = time.Date(2026, 5, 5, 3, 0, 0, 0, time.UTC)

// shelf is a Store in memory.
type shelf struct {
	kept map[string][]byte
	fail error
}

func (s *shelf) store() Store {
	return Store{
		Put: func(kind, key string, value []byte, until time.Time) error {
			if s.fail == nil {
				s.kept[kind+" "+key] = value
			}
			return s.fail
		},
		Get: func(kind, key string, now time.Time) ([]byte, bool) {
			v, ok := s.kept[kind+" "+key]
			return v, ok
		},
		Delete: func(kind string, keys ...string) error {
			for _, key := range keys {
				delete(s.kept, kind+" "+key)
			}
			return s.fail
		},
		Each: func(kind string, now time.Time, yield func(string, []byte) bool) {
			for k, v := range s.kept {
				if !yield(strings.TrimPrefix(k, kind+" "), v) {
					return
				}
			}
		},
	}
}

func with(c *http.Cookie) *http.Request {
	r := httptest.NewRequest("GET", "/", nil)
	if c != nil {
		r.AddCookie(c)
	}
	return r
}

func TestSessions(t *testing.T) {
	sh := &shelf{kept: map[string][]byte{}}
	s := NewSessions(sh.store(), true)
	c, err := s.Start(start, "anna")
	if err != nil {
		t.Fatal(err)
	}
	if got, want := c.String(), "__Host-tocsin="+c.Value+"; Path=/; HttpOnly; Secure; SameSite=Lax"; got != want || len(c.Value) != 43 {
		t.Errorf("cookie is %s", got)
	}
	for k, v := range sh.kept {
		if strings.Contains(k+string(v), c.Value) {
			t.Error("the token itself is stored")
		}
	}
	if x, ok := s.Find(start.Add(time.Hour), with(c)); !ok || x.Person != "anna" || !x.Started.Equal(start) {
		t.Errorf("got %+v, %v", x, ok)
	}
	for name, r := range map[string]*http.Request{
		"no cookie":    with(nil),
		"other token":  with(&http.Cookie{Name: c.Name, Value: strings.Repeat("A", 43)}),
		"without TLS":  with(&http.Cookie{Name: "tocsin", Value: c.Value}),
		"stored hash":  with(&http.Cookie{Name: c.Name, Value: key(c.Value)}),
		"empty cookie": with(&http.Cookie{Name: c.Name}),
	} {
		if x, ok := s.Find(start, r); ok {
			t.Errorf("%s: found %+v", name, x)
		}
	}
	if plain, _ := NewSessions(sh.store(), false).Start(start, "anna"); plain.Name != "tocsin" || plain.Secure || !plain.HttpOnly {
		t.Errorf("cookie without TLS: %s", plain)
	}
}

func TestSessionsEnd(t *testing.T) {
	sh := &shelf{kept: map[string][]byte{}}
	s := NewSessions(sh.store(), true)
	c, _ := s.Start(start, "anna")

	// Unused, it ends after 12 hours; used, it goes on, and ends after 7 days.
	if _, ok := s.Find(start.Add(idleTime), with(c)); ok {
		t.Error("found after 12 hours without use")
	}
	for now := start; now.Before(start.Add(wholeTime)); now = now.Add(11 * time.Hour) {
		if _, ok := s.Find(now, with(c)); !ok {
			t.Fatalf("gone after %v", now.Sub(start))
		}
	}
	if _, ok := s.Find(start.Add(wholeTime), with(c)); ok {
		t.Error("found after 7 days")
	}

	// Signing out ends this one; ending all ends the person's others and nobody else's.
	a, _ := s.Start(start, "anna")
	b, _ := s.Start(start, "anna")
	other, _ := s.Start(start, "ben")
	gone, err := s.End(with(a))
	if err != nil || gone.Name != a.Name || gone.MaxAge != -1 || gone.Value != "" {
		t.Errorf("got %v, %v", gone, err)
	}
	if _, ok := s.Find(start, with(a)); ok {
		t.Error("found after signing out")
	}
	if n, err := s.EndAll(start, "anna"); n != 2 || err != nil { // c and b
		t.Errorf("ended %d, %v", n, err)
	}
	if _, ok := s.Find(start, with(b)); ok {
		t.Error("found after ending all")
	}
	if _, ok := s.Find(start, with(other)); !ok {
		t.Error("ben was signed out with anna")
	}

	// When scratch cannot write, signing in says so, and being signed in goes on.
	sh.fail = errors.New("disk full")
	if _, err := s.Start(start, "anna"); !errors.Is(err, sh.fail) {
		t.Errorf("got %v", err)
	}
	if _, ok := s.Find(start.Add(time.Hour), with(other)); !ok {
		t.Error("a full disk signed ben out")
	}
}

// Given a request that counts as use of a session, when the session is ended between its look and its note, then it stays ended: a sign-out, a revocation and a
// change of password are final.
func TestAnEndedSessionStaysEnded(t *testing.T) {
	for name, end := range map[string]func(s *Sessions, r *http.Request) error{
		"sign-out": func(s *Sessions, r *http.Request) error { _, err := s.End(r); return err },
		"all":      func(s *Sessions, _ *http.Request) error { _, err := s.EndAll(start, "anna"); return err },
	} {
		for _, by := range []string{"a use", "a proof"} {
			sh := &shelf{kept: map[string][]byte{}}
			s := NewSessions(sh.store(), true)
			c, err := s.Start(start, "anna")
			if err != nil {
				t.Fatal(err)
			}
			ended := make(chan error, 1)
			racing := NewSessions(sh.store(), true)
			get, once := racing.store.Get, true
			racing.store.Get = func(kind, key string, now time.Time) ([]byte, bool) {
				v, ok := get(kind, key, now)
				if once { // the other request comes now; where it must wait, it comes right afterwards
					once = false
					if racing.mu.TryLock() {
						racing.mu.Unlock()
						ended <- end(racing, with(c))
					} else {
						old := *c // what the other request has
						go func() { ended <- end(racing, with(&old)) }()
					}
				}
				return v, ok
			}
			now := start.Add(time.Hour)
			if by == "a use" {
				racing.Find(now, with(c))
			} else if fresh, err := racing.Freshen(now, with(c), true); err == nil {
				c = fresh
			}
			if err := <-ended; err != nil {
				t.Fatal(err)
			}
			if _, ok := s.Find(now, with(c)); ok && !(by == "a proof" && name == "sign-out") { // who signs out with the old token has not ended the new one
				t.Errorf("%s during %s: the session lives on", name, by)
			}
		}
	}
}
