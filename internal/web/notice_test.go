package web

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"tocsin/internal/auth"
	"tocsin/internal/desk"
	"tocsin/internal/plan"
)

// Somebody without any right but to see asks for notices, is told, and ends them.
func TestNoticesPage(t *testing.T) {
	c := newConsole(t, attacks(), nil)
	c.settled(t)
	reader := c.as(t, plan.Reader)
	if got := reader.get("/notices"); !strings.Contains(got.body, "You are told of no sign-in.") || strings.Contains(got.body, "What others are told") {
		t.Errorf("before: %d", got.code)
	}
	got := reader.post("/notices", "person", plan.Reader, "channel", "mail", "mode", "digest", "hour", "7", "realms", "ssh", "realms", "admin", "account", venom)
	if got.code != http.StatusSeeOther || got.location != "/notices?done=told" {
		t.Fatalf("asking: %d to %q\n%s", got.code, got.location, got.body)
	}
	page := reader.get("/notices?done=told")
	p := readPage(t, page.body)
	for _, want := range []string{"a digest of the sign-ins by SSH or to the administration, daily at 07:00, by mail", "&lt;script&gt;alert(1)", "nothing told yet", "0 sign-ins told since"} {
		if !strings.Contains(page.body, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	if len(p.wrong) > 0 || strings.Contains(page.body, "<script>alert") || strings.Contains(page.body, "\u202e") {
		t.Errorf("the page is wrong: %q", p.wrong)
	}
	if got := reader.post("/notices/1/test"); got.code != http.StatusSeeOther {
		t.Fatalf("testing: %d", got.code)
	}
	for end := time.Now().Add(20 * time.Second); ; {
		select {
		case m := <-c.mails:
			if m.To != "reader@shop.example" || !strings.HasPrefix(m.Subject, "[Tocsin test] Sign-in notice") {
				if time.Now().After(end) {
					t.Fatal("no test came")
				}
				continue // a call
			}
		case <-time.After(20 * time.Second):
			t.Fatal("no test came")
		}
		break
	}
	c.until(t, "the test is sent", func(st *desk.State) bool { return !st.Notices.List[0].Tries[0].Done.IsZero() })
	if got := reader.get("/notices"); !strings.Contains(got.body, "sent") || !strings.Contains(got.body, "a test") {
		t.Error("the result of the test is not shown")
	}
	if got := reader.post("/notices/1/remove"); got.code != http.StatusSeeOther || got.location != "/notices?done=untold" {
		t.Fatalf("removing: %d", got.code)
	}
	if got := reader.get("/notices"); !strings.Contains(got.body, "You are told of no sign-in.") {
		t.Error("it is still there")
	}
	if got := reader.post("/notices/1/remove"); got.code != http.StatusNotFound {
		t.Errorf("removing it twice: %d", got.code)
	}
}

// Each role decides on its own notices; on others' only who keeps the team.
func TestNoticesOfOthers(t *testing.T) {
	c := newConsole(t, attacks(), nil)
	c.settled(t)
	anna := c.as(t, "anna")
	if got := anna.post("/notices", "person", "anna", "channel", "mail", "mode", "each"); got.code != http.StatusSeeOther {
		t.Fatalf("anna: %d\n%s", got.code, got.body)
	}
	for _, role := range plan.Roles()[1:] {
		if auth.May(auth.Actor{Roles: []string{role}}, auth.Ask) != nil {
			if got := c.as(t, role).post("/notices", "person", role, "channel", "mail", "mode", "each"); got.code != http.StatusForbidden {
				t.Errorf("%s asks for a notice: %d", role, got.code)
			}
			continue
		}
		v := c.as(t, role)
		team := auth.May(auth.Actor{Roles: []string{role}}, auth.Team) == nil
		for path, form := range map[string][]string{"/notices": {"person", "anna", "channel", "mail", "mode", "new", "new", "hour", "realms", "ssh", "account", role}, "/notices/1/test": nil} {
			want := http.StatusForbidden
			if team {
				want = http.StatusSeeOther
			}
			if got := v.post(path, form...); got.code != want {
				t.Errorf("%s by %s: %d, want %d", path, role, got.code, want)
			}
		}
		if !team {
			if got := v.post("/notices/1/remove"); got.code != http.StatusForbidden {
				t.Errorf("removing by %s: %d", role, got.code)
			}
			if got := v.get("/notices"); strings.Contains(got.body, "What others are told") || strings.Contains(got.body, `value="anna"`) {
				t.Errorf("%s sees what anna is told", role)
			}
		}
		if got := v.post("/notices", "person", role, "channel", "mail", "mode", "each"); got.code != http.StatusSeeOther {
			t.Errorf("%s for themselves: %d\n%s", role, got.code, got.body)
		}
	}
	if got := anna.get("/notices"); !strings.Contains(got.body, "What others are told") || !strings.Contains(got.body, "The reader") {
		t.Error("anna does not see the notices of her team")
	}
}

func TestNoticeFormComesBack(t *testing.T) {
	c := newConsole(t, attacks(), nil)
	v := c.as(t, "anna")
	for _, x := range []struct {
		name string
		form []string
		says string
	}{
		{"no mode", []string{"person", "anna", "channel", "mail", "account", "typed before"}, "A notice is of each sign-in"},
		{"no webhook", []string{"person", "anna", "channel", "webhook", "mode", "each", "account", "typed before"}, "has no address for webhook"},
		{"nothing new", []string{"person", "anna", "channel", "mail", "mode", "new", "account", "typed before"}, "Say what must be new"},
		{"no hour", []string{"person", "anna", "channel", "mail", "mode", "digest", "hour", "soon", "account", "typed before"}, "Say at which hour"},
		{"nobody", []string{"person", "eve", "channel", "mail", "mode", "each", "account", "typed before"}, "Nobody on the team"},
		{"an odd realm", []string{"person", "anna", "channel", "mail", "mode", "each", "realms", "mars", "account", "typed before"}, "unknown kind of sign-in"},
	} {
		got := v.post("/notices", x.form...)
		p := readPage(t, got.body)
		if got.code != http.StatusUnprocessableEntity || !strings.Contains(strings.ToLower(got.body), strings.ToLower(x.says)) || !strings.Contains(got.body, `value="typed before"`) || len(p.wrong) > 0 {
			t.Errorf("%s: %d %q", x.name, got.code, p.wrong)
		}
	}
}

// A notice that does not reach its reader is a problem that everybody sees.
func TestAFailedNoticeIsShown(t *testing.T) {
	c := newConsole(t, attacks(), nil)
	c.settled(t)
	if err := c.desk.PutPerson(desk.Local("config"), "anna", []string{plan.Commander, plan.Engineer}, desk.Contact{Name: "Anna Keller", Webhook: "https://chat.example/hook"}, false); err != nil {
		t.Fatal(err)
	}
	anna := c.as(t, "anna")
	if got := anna.post("/notices", "person", "anna", "channel", "webhook", "mode", "new", "new", "country", "new", "hour"); got.code != http.StatusSeeOther {
		t.Fatalf("asking: %d\n%s", got.code, got.body)
	}
	if got := anna.get("/notices"); !strings.Contains(got.body, "each sign-in of every kind at which the country or the hour of the day is new, in a chat") {
		t.Error("the notice is not in words")
	}
	if got := anna.post("/notices/1/test"); got.code != http.StatusSeeOther {
		t.Fatalf("testing: %d", got.code)
	}
	c.until(t, "the test failed", func(st *desk.State) bool { return st.Notices.List[0].Tries[0].Failed })
	if got := anna.get("/"); !strings.Contains(got.body, "A notice of sign-ins to Anna Keller by webhook failed.") {
		t.Error("the overview does not say so")
	}
	if got := anna.get("/notices"); !strings.Contains(got.body, "no webhook sender is configured") {
		t.Error("the page does not say why")
	}
	if got := anna.get("/ledger"); !strings.Contains(got.body, "telling of sign-ins failed") {
		t.Error("the ledger has no words for it")
	}
}
