package signin

import (
	"errors"
	"math"
	"strings"
	"testing"
	"time"
)

var (
	tokenKey = []byte("0123456789abcdef0123456789abcdef")
	otherKey = []byte("0123456789abcdef0123456789abcdeF")
)

func TestTokens(t *testing.T) {
	expires := start.Add(time.Hour)
	token := Sign(tokenKey, "answer", "call:3", "anna", expires)
	for _, c := range []struct {
		name    string
		key     []byte
		purpose string
		token   string
		now     time.Time
		want    error
	}{
		{"good", tokenKey, "answer", token, start, nil},
		{"good to the end", tokenKey, "answer", token, expires.Add(-1), nil},
		{"expired", tokenKey, "answer", token, expires, ErrExpired},
		{"other key", otherKey, "answer", token, start, ErrToken},
		{"other purpose", tokenKey, "setup", token, start, ErrToken},
		{"cut", tokenKey, "answer", token[:len(token)-1], start, ErrToken},
		{"longer", tokenKey, "answer", token + "A", start, ErrToken},
		{"padded", tokenKey, "answer", token + "=", start, ErrToken},
		{"with a line end", tokenKey, "answer", token + "\n", start, ErrToken},
		{"empty", tokenKey, "answer", "", start, ErrToken},
		{"huge", tokenKey, "answer", strings.Repeat("A", 1<<20), start, ErrToken},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := Open(c.key, c.purpose, c.token, c.now)
			if !errors.Is(err, c.want) {
				t.Fatalf("got %v, want %v", err, c.want)
			}
			if want := (Claim{"answer", "call:3", "anna", expires}); err == nil && got != want {
				t.Errorf("got %+v", got)
			}
		})
	}
	long := strings.Repeat("x", maxField)
	if _, err := Open(tokenKey, long, Sign(tokenKey, long, long, long, expires), start); err != nil {
		t.Errorf("the longest token: %v", err)
	}
	// No one character can be changed.
	for i := range token {
		for _, r := range "Az09-_" {
			if b := token[:i] + string(r) + token[i+1:]; b != token {
				if _, err := Open(tokenKey, "answer", b, start); err == nil {
					t.Fatalf("%q opens", b)
				}
			}
		}
	}
}

// FuzzOpen: only what Sign made opens, and opens to what it was made from.
func FuzzOpen(f *testing.F) {
	f.Add(Sign(tokenKey, "answer", "call:3", "anna", start), "answer", "call:3", "anna", start.Unix())
	f.Add("", "", "", "", int64(math.MinInt64))
	f.Add("AQ", "setup", "", "", int64(math.MaxInt64))
	f.Fuzz(func(t *testing.T, token, purpose, subject, person string, expires int64) {
		if c, err := Open(tokenKey, purpose, token, time.Time{}); err == nil && Sign(tokenKey, c.Purpose, c.Subject, c.Person, c.Expires) != token {
			t.Fatalf("%q opens as %+v, but was not made so", token, c)
		}
		if expires < -1<<50 || expires > 1<<50 || len(purpose) > maxField || len(subject) > maxField || len(person) > maxField {
			return
		}
		made := Sign(tokenKey, purpose, subject, person, time.Unix(expires, 0))
		c, err := Open(tokenKey, purpose, made, time.Unix(expires, 0).Add(-time.Second))
		if err != nil || c.Purpose != purpose || c.Subject != subject || c.Person != person || c.Expires.Unix() != expires {
			t.Fatalf("made from %q %q %q %d, got %+v, %v", purpose, subject, person, expires, c, err)
		}
		if _, err := Open(otherKey, purpose, made, time.Time{}); err != ErrToken {
			t.Fatalf("opens with another key: %v", err)
		}
	})
}
