package web

import (
	"io/fs"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"tocsin/internal/signin"
)

var (
	typedHere  = regexp.MustCompile(`<input[^>]*>`)
	fieldName  = regexp.MustCompile(` name="([^"]*)"`)
	typedBlind = regexp.MustCompile(` type="password"| autocomplete="(new-password|current-password|one-time-code)"`)
	soundsSo   = regexp.MustCompile(`^(pass(word|phrase|code)?|pin|secret|token|receipt|otp|code|current|again)\b`)
)

// Given all pages, then each field in which something secret is typed is one of secretFields, so that the page that asks for a proof does not hold it.
func TestSecretFieldsAreListed(t *testing.T) {
	found := map[string]bool{}
	err := fs.WalkDir(os.DirFS("../../ui"), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".html") {
			return err
		}
		b, err := os.ReadFile("../../ui/" + path)
		for _, tag := range typedHere.FindAllString(string(b), -1) {
			name := fieldName.FindStringSubmatch(tag)
			if name == nil || !typedBlind.MatchString(tag) && !soundsSo.MatchString(name[1]) {
				continue
			}
			if found[name[1]] = true; !slices.Contains(secretFields, name[1]) {
				t.Errorf("%s: the field %q is secret, and not in secretFields", path, name[1])
			}
		}
		return err
	})
	if err != nil || len(found) < 6 {
		t.Errorf("%d fields were found: %v", len(found), err)
	}
	for _, name := range secretFields {
		if !found[name] {
			t.Errorf("%q is in secretFields, and in no page", name)
		}
	}
}

// Given a proof that is old, when somebody sets a PIN or a password, then what they typed is on no page; setting a PIN is not even offered, for without the digits it would
// take one away, and they are told to type it again.
func TestASecretIsTypedAgain(t *testing.T) {
	t.Parallel()
	c := quiet(t)
	v := c.as(t, "")
	old := time.Now().Add(-time.Hour)
	v.cookie = must(c.web.sessions.Begin(time.Now(), signin.Session{Person: "anna", Second: old, Proved: old}))
	for path, name := range map[string]string{"/people/anna/pin": "pin", "/me/password": "password"} {
		got := v.post(path, name, "73519264", "current", "73519264", "again", "73519264")
		if got.code != http.StatusOK || strings.Contains(got.body, "73519264") || name == "pin" && (strings.Contains(got.body, `name="then"`) || !strings.Contains(got.body, "type it again")) {
			t.Errorf("%s: %d\n%s", path, got.code, middle(got.body))
		}
	}
	if got := v.post("/people/anna/pin", "pin", ""); !strings.Contains(got.body, `name="then" value="/people/anna/pin"`) { // it is to be taken away
		t.Errorf("without one: %d\n%s", got.code, middle(got.body))
	}
}
