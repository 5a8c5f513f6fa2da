package desk

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"tocsin/internal/incident"
)

// TestSlackForgetsARestrictedIncident: when an incident becomes restricted, its card and topic say nothing any more, its channel is archived, and Slack
// can neither list it, nor press its card, nor note on it, also for who is named.
func TestSlackForgetsARestrictedIncident(t *testing.T) {
	w, h := newWorkspace(t), newHouse(t)
	var mu sync.Mutex
	topic, archived := "", []string{}
	front := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) { // what the workspace of the tests does not look at
		r.ParseForm()
		mu.Lock()
		switch strings.TrimPrefix(r.URL.Path, "/api/") {
		case "conversations.setTopic":
			topic = r.Form.Get("topic")
		case "conversations.archive":
			archived = append(archived, r.Form.Get("channel"))
		}
		mu.Unlock()
		r.Body = http.NoBody
		w.Config.Handler.ServeHTTP(rw, r)
	}))
	t.Cleanup(front.Close)
	h.o.Slack = slackOf(w)
	h.o.Slack.API = front.URL + "/api/"
	d, stop := h.start()
	defer func() { stop() }()
	h.slackTeam(d)
	id, err := d.Report(Local("test"), "the shop shows another's orders")
	if err != nil {
		t.Fatal(err)
	}
	c := w.connected()
	w.until("the card", func() bool { return strings.Contains(w.blocks, "Reported by a person") })
	if err := d.SetSeverity(Local("test"), id, incident.Critical, "worse"); err != nil {
		t.Fatal(err)
	}
	w.until("the card of now", func() bool { return strings.Contains(w.blocks, "Critical") })
	if err := d.Restrict(Local("test"), id, "insider", []string{"anna"}); err != nil {
		t.Fatal(err)
	}
	w.until("the card says nothing", func() bool {
		return strings.Contains(w.blocks, "not shown here") && !strings.Contains(w.blocks, "Critical") && !strings.Contains(w.blocks, "Reported") && !strings.Contains(w.blocks, "/incidents/") && !strings.Contains(w.blocks, "tocsin_a")
	})
	w.until("the channel is archived", func() bool {
		mu.Lock()
		defer mu.Unlock()
		return len(archived) == 1 && archived[0] == "C01" && !strings.Contains(topic, "Critical") && strings.Contains(topic, "closed")
	})
	value := fmt.Sprintf("%d/%s/", id, d.cardKey(id))
	said := len(w.shown)
	w.send(c, pressing("U0ANNA", "tocsin_acknowledge", value, "1.1"))
	w.until("the press is refused", func() bool { return len(w.shown) > said })
	command := func(n, text, user string) {
		w.send(c, fmt.Sprintf(`{"envelope_id":"k%[1]s","type":"slash_commands","payload":{"command":"/tocsin","text":%[2]q,"user_id":%[3]q,"channel_id":"C09","trigger_id":"t%[1]s"}}`, n, text, user))
	}
	ask := func(n, text, user string) (reply string) {
		w.mu.Lock()
		said := len(w.shown)
		w.mu.Unlock()
		command(n, text, user)
		w.until("an answer to "+text, func() bool {
			if len(w.shown) > said {
				reply = w.shown[len(w.shown)-1]
			}
			return len(w.shown) > said
		})
		return reply
	}
	for k, user := range []string{"U0ANNA", "U0RITA"} {
		if got := ask(fmt.Sprint("s", k), "status", user); !strings.Contains(got, "No incident is open") {
			t.Errorf("the list for %s: %q", user, got)
		}
	}
	if got := ask("n1", fmt.Sprintf("note %d it was him", id), "U0ANNA"); !strings.Contains(got, "not used for this incident") {
		t.Errorf("a note by who is named: %q", got)
	}
	d.Read(func(s *State) {
		if call := s.Calls.Of(id); call == nil || !call.Rings() {
			t.Error("a press in Slack ended the call")
		}
	})
}

// A token that may do little is no named person, and neither is a part of the program that has no name of its own.
func TestWhoSeesWhatIsRestricted(t *testing.T) {
	h := newHouse(t)
	d, stop := h.start()
	defer stop()
	h.team(d)
	id, err := d.Report(Local("test"), "a strange invoice")
	if err != nil {
		t.Fatal(err)
	}
	if err := d.PutPerson(Local("test"), "rolf", []string{"reporter"}, Contact{Name: "Rolf"}, false); err != nil {
		t.Fatal(err)
	}
	for _, who := range []string{"rolf", "nobody"} {
		if err := d.Restrict(Local("test"), id, "legal", []string{"anna", who}); err == nil {
			t.Errorf("it is restricted to %s", who)
		}
	}
	if err := d.Restrict(Local("test"), id, "legal", []string{"anna"}); err != nil {
		t.Fatal(err)
	}
	anna, _ := d.Person("anna")
	boris, _ := d.Person("boris")
	for name, tt := range map[string]struct {
		see  bool
		may  error
		look func(func(*State))
	}{
		"who is named":             {true, d.MayOn(Actor(anna), "see", id), func(f func(*State)) { d.ReadAs(Actor(anna), f) }},
		"who is not":               {false, d.MayOn(Actor(boris), "see", id), func(f func(*State)) { d.ReadAs(Actor(boris), f) }},
		"the owner of the folder":  {true, d.MayOn(Local("command"), "see", id), func(f func(*State)) { d.ReadAs(Local("command"), f) }},
		"nobody, who is signed in": {false, d.MayOn(Actor(boris), "see", 99), func(f func(*State)) { d.ReadAs(Actor(boris), f) }},
	} {
		sees := false
		tt.look(func(s *State) { _, err := s.Incidents.Get(id); sees = err == nil })
		if sees != tt.see || (tt.may == nil) != tt.see {
			t.Errorf("%s: sees %v, may %v; want %v", name, sees, tt.may, tt.see)
		}
	}
	hidden, absent := d.MayOn(Actor(boris), "see", id), d.MayOn(Actor(boris), "see", 99)
	if strings.ReplaceAll(hidden.Error(), fmt.Sprint(id), "99") != absent.Error() {
		t.Errorf("%v, of what never was: %v", hidden, absent)
	}
}
