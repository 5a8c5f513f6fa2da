package web

import (
	"net/http"
	"strings"
	"testing"
)

// Given two who change a contact at once, when the second sends, then they are told, the first one's change stands, what they typed is in the form, and they may send it again.
func TestTwoChangeAContact(t *testing.T) {
	c := newConsole(t, boring(), nil)
	anna := c.as(t, "anna")
	if got := anna.post("/contacts", "group", "providers", "name", "Hoster", "ways", "phone: +49 30 1234567"); got.location != "/contacts/1?done=contact" {
		t.Fatalf("%d to %q: %s", got.code, got.location, middle(got.body))
	}
	hash := hiddenField(t, anna.get("/contacts/1").body, "hash")
	if got := anna.post("/contacts/1", "group", "providers", "name", "Hoster", "ways", "phone: +49 30 7654321", "hash", hash); got.code != http.StatusSeeOther {
		t.Fatalf("the first: %d %s", got.code, middle(got.body))
	}
	got := anna.post("/contacts/1", "group", "providers", "name", "Hoster", "ways", "phone: +49 30 1234567", "duties", "restores snapshots", "hash", hash)
	if got.code != http.StatusConflict || !strings.Contains(got.body, "somebody else changed") && !strings.Contains(got.body, "Somebody else changed") || !strings.Contains(got.body, "restores snapshots") || !strings.Contains(got.body, "765 43 21") && !strings.Contains(got.body, "7654321") {
		t.Errorf("the second: %d %s", got.code, middle(got.body))
	}
	if page := anna.get("/contacts/1").body; strings.Contains(page, "restores snapshots") {
		t.Error("the first one's change is undone")
	}
	if got := anna.post("/contacts/1", "group", "providers", "name", "Hoster", "ways", "phone: +49 30 7654321", "duties", "restores snapshots", "hash", hiddenField(t, got.body, "hash")); got.code != http.StatusSeeOther {
		t.Errorf("again: %d %s", got.code, middle(got.body))
	}
}
