package web

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"tocsin/internal/desk"
	"tocsin/internal/plan"
)

// The bell's forms, one after the other, as somebody who keeps the team fills them.
func TestBellForms(t *testing.T) {
	c := newConsole(t, attacks(), nil)
	c.settled(t)
	anna := c.as(t, "anna")
	until := time.Now().UTC().Add(3 * time.Hour).Format(fieldTime)
	for _, x := range []struct {
		path  string
		form  url.Values
		code  int
		says  string // of the page that comes then
		where string
	}{
		{"/maintenance", url.Values{"until": {until}, "severities": {"high", "medium"}, "why": {"New database"}}, http.StatusSeeOther, "New database", "/bell"},
		{"/maintenance", url.Values{"until": {until}, "severities": {"critical"}, "why": {"x"}}, http.StatusUnprocessableEntity, "critical rings all the same", ""},
		{"/maintenance", url.Values{"until": {"soon"}, "severities": {"high"}, "why": {"x"}}, http.StatusUnprocessableEntity, "Write the moment as", ""},
		{"/maintenance", url.Values{"until": {until}, "severities": {"high"}}, http.StatusUnprocessableEntity, "Say what is done", ""},
		{"/maintenance/1/end", url.Values{}, http.StatusSeeOther, "No maintenance is planned", "/bell"},
		{"/policies/new", url.Values{"name": {"night"}, "rounds": {"1"}, "every": {"5"}, "throttle": {"2"}, "attend": {"30"}, "who.0": {"everyone"}, "wait.0": {"5"}, "answers.0": {"2"}}, http.StatusSeeOther, "wait 5 min for 2 answers", "/bell"},
		{"/policies/new", url.Values{"rounds": {"1"}, "every": {"5"}, "throttle": {"2"}, "who.0": {"everyone"}, "wait.0": {"5"}}, http.StatusUnprocessableEntity, "needs a name", ""},
		{"/policies/new", url.Values{"name": {"Night!"}, "rounds": {"1"}, "every": {"5"}, "throttle": {"2"}, "who.0": {"everyone"}, "wait.0": {"5"}}, http.StatusUnprocessableEntity, "the name of a policy", ""},
		{"/policies", url.Values{"for.critical": {"night"}}, http.StatusSeeOther, "night", "/bell"},
		{"/policies", url.Values{"for.critical": {"nowhere"}}, http.StatusUnprocessableEntity, "no policy named", ""},
		{"/policies/night/end", url.Values{}, http.StatusUnprocessableEntity, "rings for critical", ""},
		{"/people/anna/ways", url.Values{"channel.0": {"mail"}, "after.0": {"2"}, "quiet-from": {"22:00"}, "quiet-until": {"07:00"}}, http.StatusSeeOther, "By mail after 2 min", "/people/anna"},
		{"/people/anna/ways", url.Values{"channel.0": {"mail"}, "from.0": {"08:00"}, "until.0": {"20:00"}}, http.StatusUnprocessableEntity, "must ring for Critical at any hour", ""},
		{"/people/anna/ways", url.Values{"channel.0": {"voice"}}, http.StatusUnprocessableEntity, "has no address for", ""},
		{"/incidents/1/channels", url.Values{"not": {"webhook", "chat"}, "reason": {"Slack may be theirs"}}, http.StatusSeeOther, "Slack may be theirs", "/incidents/1"},
		{"/incidents/1/channels", url.Values{"not": {"console"}}, http.StatusUnprocessableEntity, "console cannot be barred", ""},
		{"/calls/1/snooze", url.Values{"lasts": {"x"}}, http.StatusUnprocessableEntity, "how many minutes", ""},
		{"/calls/1/snooze", url.Values{"lasts": {"999"}}, http.StatusUnprocessableEntity, "can be snoozed for", ""},
		{"/calls/1/pass", url.Values{}, http.StatusSeeOther, "passed on", "/calls/1"},
		{"/calls/1/pass", url.Values{}, http.StatusUnprocessableEntity, "passed this call on already", ""},
		{"/calls/1/snooze", url.Values{"lasts": {"5"}}, http.StatusSeeOther, "snoozed by", "/calls/1"},
		{"/calls/1/answer", url.Values{}, http.StatusSeeOther, "answered", "/calls/1"},
	} {
		got := anna.do(http.MethodPost, x.path, x.form, nil)
		if got.code != x.code {
			t.Errorf("%s %v: %d, want %d\n%s", x.path, x.form, got.code, x.code, got.body)
			continue
		}
		body := got.body
		if x.where != "" {
			body = anna.get(x.where).body
		}
		if !strings.Contains(strings.ToLower(body), strings.ToLower(x.says)) {
			t.Errorf("%s %v: the page does not say %q", x.path, x.form, x.says)
		}
	}
	for _, query := range []string{"", "?severity=critical", "?severity=high&policy=night&at=2027-01-01T03:10", "?severity=medium"} {
		if got := anna.get("/simulate" + query); got.code != http.StatusOK {
			t.Errorf("/simulate%s: %d", query, got.code)
		}
	}
	for _, query := range []string{"?severity=low", "?severity=high&policy=nowhere", "?severity=high&at=tomorrow"} {
		if got := anna.get("/simulate" + query); got.code != http.StatusUnprocessableEntity {
			t.Errorf("/simulate%s: %d", query, got.code)
		}
	}
}

// Whoever may not keep the team sees and changes the own rules, and no others.
func TestOwnRules(t *testing.T) {
	c := newConsole(t, attacks(), nil)
	c.settled(t)
	who := ""
	c.desk.Read(func(st *desk.State) {
		for id, p := range st.Plan.People {
			if len(p.Roles) == 1 && p.Roles[0] == plan.Legal {
				who = id
			}
		}
	})
	x := c.as(t, who)
	if got := x.get("/people/" + who); got.code != http.StatusOK || strings.Contains(got.body, `name="roles"`) {
		t.Errorf("the own page: %d, or it offers more than the own rules", got.code)
	}
	form := url.Values{"quiet-from": {"22:00"}, "quiet-until": {"06:00"}}
	if got := x.do(http.MethodPost, "/people/"+who+"/ways", form, nil); got.code != http.StatusSeeOther {
		t.Errorf("the own rules: %d\n%s", got.code, got.body)
	}
	if got := x.do(http.MethodPost, "/people/anna/ways", form, nil); got.code != http.StatusForbidden {
		t.Errorf("the rules of somebody else: %d", got.code)
	}
}

func TestBeatNeedsItsSignature(t *testing.T) {
	c := newConsole(t, attacks(), nil)
	if got := c.as(t, "").do(http.MethodPost, "/beat/shop", url.Values{"x": {"y"}}, nil); got.code != http.StatusNotFound {
		t.Errorf("%d, want 404: no beats are taken here", got.code)
	}
}
