package web

import (
	"encoding/json"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"tocsin/internal/desk"
)

// joinRoom takes a seat with a code, as the page's script does.
func joinRoom(t *testing.T, c *console, code string) (status int, secret string) {
	t.Helper()
	body, _ := json.Marshal(map[string]string{"code": code})
	r, err := http.Post(c.URL+"/room/join", "application/json", strings.NewReader(string(body)))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	var answer struct{ Secret string }
	if err := json.NewDecoder(r.Body).Decode(&answer); err != nil {
		t.Fatal(err)
	}
	return r.StatusCode, answer.Secret
}

var codeForm = regexp.MustCompile(`data-code="([^"]+)"`)

// TestRoomThroughTheConsole: two who are signed in, and a guest, come in by what the console shows; the incident says who is in it and that they came.
func TestRoomThroughTheConsole(t *testing.T) {
	set, err := shopRules()
	if err != nil {
		t.Fatal(err)
	}
	c := newConsoleOf(t, set, attacks(), nil, func(o *desk.Options) { o.Room = &desk.RoomOptions{UDP: "127.0.0.1:0"} }).staffed(t)
	c.settled(t)
	anna := c.as(t, "anna")
	for _, who := range []string{"anna", "engineer"} {
		m := codeForm.FindStringSubmatch(c.as(t, who).get("/incidents/1/room").body)
		if m == nil {
			t.Fatalf("the page shows no code to %s", who)
		}
		if status, secret := joinRoom(t, c, m[1]); status != http.StatusOK || secret == "" {
			t.Fatalf("%s did not come in: %d", who, status)
		}
	}
	if got := c.as(t, "reader").get("/incidents/1/room"); got.code != http.StatusForbidden {
		t.Errorf("a reader: %d, want 403", got.code)
	}
	made := anna.post("/incidents/1/room/invite", "name", "Dr. <b>Oz</b>", "hours", "1")
	at := strings.Index(made.body, "/room#r1.")
	if made.code != http.StatusOK || at < 0 || made.location != "" {
		t.Fatalf("the invitation: %d %q", made.code, made.location)
	}
	link := made.body[at+len("/room#"):]
	link = link[:strings.IndexByte(link, '<')]
	if strings.Contains(anna.get("/incidents/1/room").body, link) {
		t.Error("the link is shown twice")
	}
	if status, _ := joinRoom(t, c, link); status != http.StatusOK {
		t.Errorf("the guest did not come in: %d", status)
	}
	if status, _ := joinRoom(t, c, link); status != http.StatusForbidden {
		t.Errorf("the one-time link opened twice: %d", status)
	}
	page := anna.get("/incidents/1").body
	for _, want := range []string{"War room, 3 in it", "War room: Anna Keller came in", "War room: The engineer came in", "a guest (Dr. &lt;b&gt;Oz&lt;/b&gt;) came in"} {
		if !strings.Contains(page, want) {
			t.Errorf("the incident does not say %q", want)
		}
	}
	for _, want := range []string{"too long a time", "no name"} {
		form := map[string][]string{"too long a time": {"name", "X", "hours", "99"}, "no name": {"name", "", "hours", "1"}}[want]
		if got := anna.post("/incidents/1/room/invite", form...); got.code != http.StatusUnprocessableEntity {
			t.Errorf("%s: %d, want 422", want, got.code)
		}
	}
}
