package web

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"tocsin/internal/desk"
)

// TestFormsComeBackWithWhatWasTyped posts each form with a mistake: nothing is done, the mistake names its field, and what was
// typed stands there again.
func TestFormsComeBackWithWhatWasTyped(t *testing.T) {
	c := newConsole(t, attacks(), nil)
	c.settled(t)
	anna := c.as(t, "anna")
	future := time.Now().Add(48 * time.Hour).UTC().Format("2006-01-02T15:04")
	for _, x := range []struct {
		name, path string
		form       []string
		field      string
		typed      []string
	}{
		{"a severity without a reason", "/incidents/1/severity", []string{"severity", "low", "reason", " "}, "severity-reason", []string{`<option value="low" selected>`}},
		{"an unknown severity", "/incidents/1/severity", []string{"severity", "awful", "reason", "because <b>"}, "severity", []string{"because &lt;b&gt;</textarea>"}},
		{"an unknown phase", "/incidents/1/phase", []string{"phase", "holiday"}, "phase", nil},
		{"the phase that it has", "/incidents/1/phase", []string{"phase", "identification"}, "phase", nil},
		{"an empty note", "/incidents/1/note", []string{"note", "\r\n "}, "note", nil},
		{"a note of the future", "/incidents/1/note", []string{"note", "It will rain", "happened", future}, "note", []string{"It will rain</textarea>", `value="` + future + `"`}},
		{"a note of no time", "/incidents/1/note", []string{"note", "It rained", "happened", "yesterday"}, "happened", []string{"It rained</textarea>"}},
		{"a note too long", "/incidents/1/note", []string{"note", strings.Repeat("long ", 5000)}, "note", []string{"long long long"}},
		{"assigned to a stranger", "/incidents/1/assign", []string{"person", "eve"}, "person", nil},
		{"muted without a reason", "/incidents/1/mute", []string{"rule", "tocsin-source-silent", "until", "3600", "reason", ""}, "mute-reason", []string{`<option value="3600" selected>`}},
		{"muted for ever", "/incidents/1/mute", []string{"rule", "tocsin-source-silent", "until", "99999999999", "reason", "noise"}, "mute-until", []string{"noise</textarea>"}},
		{"muted until no number", "/incidents/1/mute", []string{"rule", "tocsin-source-silent", "until", "soon", "reason", "noise"}, "mute-until", []string{"noise</textarea>"}},
		{"muted in the past", "/incidents/1/mute", []string{"rule", "tocsin-source-silent", "until", "-5", "reason", "noise"}, "mute-until", []string{"noise</textarea>"}},
		{"closed without a verdict", "/incidents/1/close", []string{"reason", "it was me"}, "verdict", []string{"it was me</textarea>"}},
		{"closed without a reason", "/incidents/1/close", []string{"verdict", "false"}, "reason", []string{`value="false" checked`}},
		{"a person without a name", "/people", []string{"id", "boris", "mail", "boris@shop.example", "roles", "analyst"}, "name", []string{`value="boris"`, `value="boris@shop.example"`, `value="analyst" checked`}},
		{"a person with a bad id", "/people", []string{"name", "Boris", "id", "Boris!", "roles", "analyst"}, "id", []string{`value="Boris!"`}},
		{"a person that is there", "/people", []string{"name", "Boris", "id", "anna", "roles", "analyst"}, "id", []string{`value="Boris"`}},
		{"a person with a bad zone", "/people", []string{"name", "Boris", "id", "boris", "zone", "Moon/Base", "roles", "analyst"}, "zone", []string{`value="Moon/Base"`}},
		{"a person with a bad webhook", "/people", []string{"name", "Boris", "id", "boris", "webhook", "ftp://x", "roles", "analyst"}, "webhook", []string{`value="ftp://x"`}},
		{"a person without a role", "/people", []string{"name", "Boris", "id", "boris"}, "", []string{`value="Boris"`}},
		{"the last commander goes", "/people/anna", []string{"name", "Anna Keller", "roles", "engineer"}, "", []string{`value="engineer" checked`}},
		{"changed to a bad mail", "/people/anna", []string{"name", "Anna K", "mail", "anna", "roles", "commander"}, "mail", []string{`value="Anna K"`, `value="anna"`}},
		{"a policy without everyone", "/policy", []string{"who.0", "anna", "wait.0", "7", "rounds", "3", "every", "9", "throttle", "1", "medium", "yes"}, "", []string{`value="7"`, `value="3"`, `value="9"`, `name="medium" value="yes" checked`, `name="who.0" value="anna" checked`}},
		{"a policy that waits for words", "/policy", []string{"who.0", "everyone", "wait.0", "long", "rounds", "1", "every", "5", "throttle", "2"}, "wait-0", []string{`value="long"`}},
		{"a policy of no rounds", "/policy", []string{"who.0", "everyone", "wait.0", "5", "rounds", "", "every", "5", "throttle", "2"}, "rounds", nil},
	} {
		before := c.acts(t)
		got := anna.post(x.path, x.form...)
		p := readPage(t, got.body)
		if got.code != http.StatusUnprocessableEntity {
			t.Errorf("%s: %d", x.name, got.code)
			continue
		}
		if !strings.Contains(got.body, `class="wrongs"`) || x.field != "" && !strings.Contains(got.body, `href="#`+x.field+`"`) {
			at := strings.Index(got.body, `class="wrongs"`)
			t.Errorf("%s: does not name %q: %s", x.name, x.field, got.body[max(0, at):min(len(got.body), max(0, at)+400)])
		}
		for _, want := range x.typed {
			if !strings.Contains(got.body, want) {
				t.Errorf("%s: no %q on the page that comes back", x.name, want)
			}
		}
		for _, w := range p.wrong {
			t.Errorf("%s: %s", x.name, w)
		}
		if strings.Contains(got.body, "data-live") {
			t.Errorf("%s: the page follows changes, and would lose what was typed", x.name)
		}
		for _, l := range p.links {
			if strings.HasSuffix(l, "/severity") || strings.HasSuffix(l, "/note") || strings.HasSuffix(l, "/policy") {
				t.Errorf("%s: a link to %s, which only takes forms", x.name, l)
			}
		}
		if n := c.acts(t) - before; n != 0 {
			t.Errorf("%s: %d entries were written", x.name, n)
		}
	}
}

// TestFormsDoWhatTheySay posts each form right: one entry, a redirect with a notice, and the page shows it.
func TestFormsDoWhatTheySay(t *testing.T) {
	c := newConsole(t, attacks(), nil)
	c.settled(t)
	anna := c.as(t, "anna")
	call := ""
	c.desk.Read(func(st *desk.State) {
		if rs := st.Calls.Ringing(); len(rs) > 0 {
			call = "/calls/1/answer"
		}
	})
	for _, x := range []struct {
		name, path string
		form       []string
		to         string
		shows      string
	}{
		{"answer", call, nil, "?done=answered", "answered by Anna Keller"},
		{"note", "/incidents/1/note", []string{"note", "Seen at the till", "happened", "2026-11-10T09:30"}, "/incidents/1?done=note", "Seen at the till"},
		{"assign", "/incidents/1/assign", []string{"person", "analyst"}, "/incidents/1?done=assigned", "Assigned to The analyst"},
		{"take away", "/incidents/1/assign", []string{"person", ""}, "/incidents/1?done=unassigned", "Taken from The analyst"},
		{"phase", "/incidents/1/phase", []string{"phase", "recovery"}, "/incidents/1?done=phase", "Phase identification to recovery"},
		{"severity", "/incidents/1/severity", []string{"severity", "low", "reason", "our own scanner"}, "/incidents/1?done=severity", "a person set it: our own scanner"},
		{"mute", "/incidents/1/mute", []string{"rule", "tocsin-source-silent", "address", "198.51.100.7", "until", "3600", "reason", "noise"}, "/incidents/1?done=muted", ""},
		{"unmute", "/mutes/1/remove", nil, "/people?done=unmuted", "Nothing is muted"},
		{"hold", "/incidents/1/hold", []string{"reason", "the lawyer wants them"}, "/incidents/1?done=held", "held beyond their time"},
		{"release", "/incidents/1/release", []string{"reason", "the case is over"}, "/approvals?done=asked", "the case is over"},
		{"close", "/incidents/1/close", []string{"verdict", "false", "reason", "a test of ours"}, "/incidents/1?done=closed", "Closed as a false alarm"},
		{"reopen", "/incidents/1/reopen", []string{"reason", "it was not"}, "/incidents/1?done=reopened", "Reopened"},
		{"person", "/people", []string{"name", "Boris Lang", "id", "boris", "mail", "boris@shop.example", "zone", "Europe/Berlin", "roles", "analyst", "roles", "legal"}, "/people/boris?done=person", "Boris Lang"},
		{"ring", "/people/boris/ring", []string{"channel", "mail"}, "/people?done=rung", "Boris Lang"},
		{"change", "/people/boris", []string{"name", "Boris L.", "roles", "analyst", "gone", "yes"}, "/people?done=person", "Boris L."},
		{"policy", "/policy", []string{"who.0", "role:analyst", "by.0", "mail", "wait.0", "3", "who.2", "everyone", "wait.2", "0.5", "rounds", "2", "every", "10", "throttle", "0", "medium", "yes"}, "/people?done=policy", "Every analyst, by mail; wait 3 min"},
		{"verify", "/ledger/verify", nil, "/ledger?done=verified", "intact"},
	} {
		got := anna.post(x.path, x.form...)
		if got.code != http.StatusSeeOther || !strings.HasSuffix(got.location, x.to) {
			t.Errorf("%s: %d to %q, want 303 to %q\n%s", x.name, got.code, got.location, x.to, got.body)
			continue
		}
		page := anna.get(got.location)
		p := readPage(t, page.body)
		if page.code != http.StatusOK || !strings.Contains(p.text, x.shows) || !strings.Contains(page.body, `class="notice"`) {
			t.Errorf("%s: the page after it (%d) does not show %q, or no notice", x.name, page.code, x.shows)
		}
	}
	// Given a page that was loaded before another's change, when its form is sent, then it does not undo that change, and says so.
	form := []string{"name", "The legal", "roles", "legal", "read", hiddenField(t, anna.get("/people/legal").body, "read")}
	if got := c.as(t, "engineer").post("/people/legal", "name", "The legal", "roles", "legal", "gone", "yes"); got.code != http.StatusSeeOther {
		t.Fatalf("without the mark of a page: %d", got.code)
	}
	if got := anna.post("/people/legal", form...); got.code != http.StatusConflict || !strings.Contains(got.body, "omebody else changed this person") {
		t.Errorf("a page of before: %d", got.code)
	}
	if _, there := c.desk.Person("legal"); there {
		t.Error("a page of before brought somebody back")
	}
	form[len(form)-1] = hiddenField(t, anna.get("/people/legal").body, "read")
	if got := anna.post("/people/legal", form...); got.code != http.StatusSeeOther {
		t.Errorf("the page as it is now: %d", got.code)
	}
	if got := anna.post(call); got.code != http.StatusConflict || !strings.Contains(got.body, "Somebody was faster") {
		t.Errorf("answering again: %d", got.code)
	}
	if got := anna.post("/people/boris/ring", "channel", "mail"); got.code != http.StatusNotFound {
		t.Errorf("ringing who is gone: %d", got.code)
	}
}

// hiddenField is the value of a hidden field of a page.
func hiddenField(t *testing.T, page, name string) string {
	t.Helper()
	_, after, ok := strings.Cut(page, `<input type="hidden" name="`+name+`" value="`)
	value, _, _ := strings.Cut(after, `"`)
	if !ok || value == "" {
		t.Fatalf("the page has no hidden field %s", name)
	}
	return value
}
