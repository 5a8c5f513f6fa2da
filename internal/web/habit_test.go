package web

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"tocsin/internal/desk"
)

// strangers are sign-ins of one account on six days, and one from another country: that account's name is hostile to read.
func strangers() fstest.MapFS {
	var ssh strings.Builder
	for day := range 6 {
		fmt.Fprintf(&ssh, "2026-11-%02dT10:00:00.000000+00:00 shop sshd[77]: Accepted password for <b>eve</b> from 192.0.2.33 port 41000 ssh2\n", day+1)
	}
	fmt.Fprint(&ssh, "2026-11-08T10:00:00.000000+00:00 shop sshd[77]: Accepted password for <b>eve</b> from 203.0.113.9 port 41000 ssh2\n")
	return fstest.MapFS{"auth.log": {Data: []byte(ssh.String())}}
}

func TestHabitPages(t *testing.T) {
	c := newConsole(t, strangers(), nil)
	alert := ""
	c.until(t, "an alert about a country", func(st *desk.State) bool {
		for _, id := range st.Incidents.Order {
			if strings.Contains(st.Incidents.Alerts[id].Title, "from a new country") {
				alert = id
			}
		}
		return alert != "" && len(st.Incidents.Incidents) > 0
	})
	anna, reader := c.as(t, "anna"), c.as(t, "reader")
	const words = "first sign-in of <b>eve</b> (ssh) from Brazil; 6 from the United States in 30 days"
	for _, path := range []string{"/alerts/" + alert, "/incidents/1"} {
		if p := readPage(t, anna.get(path).body); !strings.Contains(p.text, words) || len(p.wrong) > 0 {
			t.Errorf("%s does not say what is not normal: %q", path, p.wrong)
		}
	}
	id := c.desk.HabitID("ssh", "<b>eve</b>")
	if p := readPage(t, anna.get("/alerts/"+alert).body); !slices.Contains(p.links, "/habits/"+id) {
		t.Error("the alert does not lead to what is normal for its account")
	}
	list := readPage(t, anna.get("/habits?q=EVE&realm=ssh").body)
	if !strings.Contains(list.text, "<b>eve</b>") || !strings.Contains(list.text, "the United States 6") || strings.Contains(readPage(t, anna.get("/habits?realm=ftp").body).text, "eve") {
		t.Errorf("the list: %s", list.text)
	}
	shown := readPage(t, anna.get("/habits/"+id).body)
	for _, want := range []string{"What is normal for <b>eve</b>", "6 times on 6 days", "192.0.2.0/24", "10:00", "Not learnt yet", "203.0.113.0/24", "Forget and learn anew"} {
		if !strings.Contains(shown.text, want) {
			t.Errorf("no %q on the page of the account", want)
		}
	}
	if p := readPage(t, reader.get("/habits/"+id).body); len(p.posts) != 1 || strings.Contains(p.text, "Forget and learn anew") { // signing out
		t.Errorf("a reader is shown the forms %q", p.posts)
	}
	if got := reader.post("/habits/"+id+"/forget", "reason", "x"); got.code != http.StatusForbidden {
		t.Errorf("a reader forgets: %d", got.code)
	}
	if got := anna.post("/habits/"+id+"/forget", "reason", " "); got.code != http.StatusUnprocessableEntity || !strings.Contains(got.body, `href="#reason"`) {
		t.Errorf("without a reason: %d", got.code)
	}
	if got := anna.post("/habits/"+id+"/forget", "reason", "eve left"); got.code != http.StatusSeeOther || got.location != "/habits?done=forgotten" {
		t.Errorf("forgetting: %d to %q", got.code, got.location)
	}
	if got := anna.get("/habits/" + id); got.code != http.StatusNotFound {
		t.Errorf("what was forgotten is shown: %d", got.code)
	}
	if got := anna.get("/habits?done=forgotten"); !strings.Contains(got.body, "It is learnt anew") || strings.Contains(readPage(t, got.body).text, "eve") {
		t.Error("the list after it")
	}
}
