package web

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"tocsin/internal/api"
	"tocsin/internal/contact"
	"tocsin/internal/desk"
	"tocsin/internal/entry"
	"tocsin/internal/hook"
	"tocsin/internal/incident"
	"tocsin/internal/notify"
	"tocsin/internal/oncall"
	"tocsin/internal/plan"
	"tocsin/internal/voice"
)

// What is restricted must leave by no way. The ways are a table, each with what carries marks: words that people wrote (mark), and what came from
// the logs (the title of the incident's rule, and the address of its alerts), which the archive and the rules show to those who may read them.
const mark = "zebra"

// marks are the words of the restricted incident: each is unique, and each must be seen by who is named.
var marks = []string{"zebra-note", "zebra-reason", "zebra-handover", "zebra-hold", "zebra-status", "zebra-guest", "zebra-decision", "zebra-spoken", "zebra-known", "zebra-choice", "zebra-question", "zebra-task", "zebra-lesson", "zebra-file"}

// fromLogs are the pages of rules, sources and the archive: "The lines of the archive are not part of an incident" (doc/rights.md).
var fromLogs = []string{"/rules", "/search", "/sources", "/habits", "/lists", "/notices", "/people"}

// A capture is every message that left, by channel.
type capture struct {
	mu   sync.Mutex
	sent []string // "mail anna@shop.example: subject and body"
}

func (c *capture) add(channel, to string, words ...string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sent = append(c.sent, channel+" "+to+": "+strings.Join(words, "\n"))
}

// since are the messages behind the first n.
func (c *capture) since(n int) []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.sent[n:])
}

// captured are senders for every channel.
func (c *capture) options(t *testing.T, url string) func(*desk.Options) {
	return func(o *desk.Options) {
		o.Senders = map[string]desk.Sender{}
		for _, channel := range []string{plan.Mail, plan.Webhook, plan.SMS, "ntfy", "pushover", "telegram", plan.Chat + "ops"} {
			o.Senders[channel] = func(_ context.Context, m notify.Message) error {
				c.add(channel, m.To, m.Subject, m.Body, m.Link, m.Severity)
				return nil
			}
		}
		o.Phone = func(_ context.Context, x voice.Order) voice.Outcome {
			c.add(plan.Voice, x.To, x.Number, x.Severity, x.Detail)
			return voice.Outcome{Result: voice.NoAnswer}
		}
		o.Room = &desk.RoomOptions{UDP: "127.0.0.1:0"}
		o.Webhooks = []desk.Webhook{{Hook: hook.Hook{Name: "tickets", What: []string{"incident", "alert", "call"}}, Host: "tickets.example", Send: func(_ context.Context, b []byte) error {
			c.add("out", "tickets", string(b))
			return nil
		}}}
	}
}

// A secret is the restricted incident of a console, and what may be asked for of it.
type secret struct {
	*console
	*capture
	id       int64
	alert    string
	call     int64
	title    string
	address  string
	status   string // link
	joined   map[string]string
	invited  string // a guest's code
	approval int64
	answers  map[string]string // links, by person
}

// restricted opens incidents, lets people work on the first one, and restricts it to anna, a commander, and legal.
func restricted(t *testing.T) *secret {
	t.Helper()
	set, err := shopRules()
	if err != nil {
		t.Fatal(err)
	}
	x := &secret{capture: &capture{}, id: 1, address: "198.51.100.7", joined: map[string]string{}, answers: map[string]string{}}
	x.console = newConsoleOf(t, set, attacks(), nil, x.options(t, ""), planned).staffed(t)
	x.settled(t)
	x.scheduled(t)
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	d, local, anna := x.desk, desk.Local("test"), desk.Actor(mustPerson(t, x.console, "anna"))
	legal := desk.Actor(mustPerson(t, x.console, "legal"))
	must(d.PutPerson(local, "anna", []string{plan.Commander}, desk.Contact{Name: "Anna Keller", Mail: "anna@shop.example", SMS: "+4930111", Voice: "+4930112"}, false))
	must(d.PutPerson(local, "engineer", []string{plan.Engineer}, desk.Contact{Name: "The engineer", Mail: "engineer@shop.example", SMS: "+4930211", Voice: "+4930212", Webhook: "https://hook.example/engineer"}, false))
	must(d.Note(anna, 1, marks[0], time.Time{}))
	must(d.SetSeverity(anna, 1, incident.Critical, marks[1]))
	must(d.TakeRole(anna, 1, plan.Commander, false))
	must(d.HandRole(anna, 1, plan.Commander, "legal", marks[2]))
	must(d.Hold(anna, 1, marks[3]))
	must(d.State(legal, 1, 0, marks[8]))
	_, err = d.AskDecision(anna, 1, desk.DecisionAsk{Question: marks[9], Options: []string{"yes", "no"}})
	must(err)
	_, err = d.AskQuestion(anna, 1, plan.Legal, marks[10])
	must(err)
	_, err = d.AddTask(anna, 1, desk.TaskAsk{Title: marks[11], Role: plan.Engineer})
	must(err)
	must(d.PutLessons(anna, 1, desk.LessonsText{Well: marks[12]}))
	_, err = d.AddFile(anna, 1, desk.FileText{Name: marks[13], Kind: "log", From: "shop1"}, strings.NewReader("x"))
	must(err)
	board, err := d.PutContact(local, entry.Contact{Group: contact.Stakeholders}, contact.Card{Name: "Board", Ways: []contact.Way{{Kind: contact.Mail, Value: "board@shop.example"}}})
	must(err)
	must(d.PutTemplate(local, 0, contact.Text{Name: "Word", Versions: []contact.Version{{Lang: "en", Subject: "Incident {{incident.number}}", Body: "{{status}} {{status.link}}"}}}))
	must(d.PutRule(local, entry.StakeholderRule{Group: contact.Stakeholders, Least: incident.Low, Within: time.Hour, Template: 1}))
	must(d.SetStatus(anna, 1, contact.Sentences{Versions: []contact.Version{{Lang: "en", Body: marks[4]}}}, time.Time{}))
	must(d.BarChannels(anna, 1, []string{"teams"}, marks[6]))
	must(d.ToldUpdate(anna, desk.Owing{Incident: 1, Rule: 1, Contact: board, Stage: contact.Opened}, contact.Phone, marks[7]))
	x.status, err = d.StatusLink(anna, 1, board)
	must(err)
	x.status = strings.TrimPrefix(x.status, x.URL)
	for _, id := range []string{"anna", "engineer"} {
		code, err := d.RoomTicket(desk.Actor(mustPerson(t, x.console, id)), id, 1)
		must(err)
		_, x.joined[id] = joinRoom(t, x.console, code)
	}
	guest, err := d.RoomLink(anna, 1, marks[5], time.Hour)
	must(err)
	_, code, _ := strings.Cut(guest, "#")
	_, x.joined["guest"] = joinRoom(t, x.console, code)
	late, err := d.RoomLink(anna, 1, "late", time.Hour)
	must(err)
	_, x.invited, _ = strings.Cut(late, "#")
	if got := x.as(t, "").get(x.status); got.code != http.StatusOK || !strings.Contains(got.body, marks[4]) {
		t.Fatalf("the status page before: %d", got.code)
	}
	for _, s := range x.since(0) {
		for _, id := range []string{"anna", "engineer"} {
			if strings.HasPrefix(s, "mail "+id+"@") && strings.Contains(s, "/answer/") && x.answers[id] == "" {
				x.answers[id] = link(t, s)
			}
		}
	}
	before := len(x.since(0))
	must(d.Restrict(anna, 1, "insider", []string{"legal"}))
	x.until(t, "a call of its own", func(st *desk.State) bool {
		c := st.Calls.Of(1)
		if c == nil || !c.Rings() || len(c.Incidents) != 1 || len(c.Tries) < 4 {
			return false
		}
		x.call, x.alert, x.title = c.ID, st.Incidents.Incidents[0].Alerts[0], st.Incidents.Incidents[0].Title
		return !slices.ContainsFunc(c.Tries, func(t oncall.Try) bool { return t.Done.IsZero() })
	})
	if err := d.Release(legal, 1, mark+"-asked"); err == nil {
		t.Fatal("what needs a second person was done at once")
	}
	x.until(t, "an approval", func(st *desk.State) bool { x.approval = int64(len(st.Approvals.All)); return x.approval > 0 })
	x.heard(t, before)
	return x
}

// heard checks what left when the incident was restricted: to those who are named number and severity, and to nobody else anything.
func (x *secret) heard(t *testing.T, before int) {
	t.Helper()
	named := 0
	for _, s := range x.since(before) {
		to, words, _ := strings.Cut(s, ": ")
		about := strings.Contains(words, "restricted incident") || strings.Contains(words, fmt.Sprintf("/incidents/%d", x.id)) || strings.HasPrefix(words, "1\n")
		for _, secret := range []string{mark, x.title, x.address} {
			if strings.Contains(words, secret) && !(secret == x.title && !about) {
				t.Errorf("%s was told %q:\n%s", to, secret, words)
			}
		}
		if !about && !strings.Contains(words, "needs you") {
			continue
		}
		if !strings.Contains(to, "anna@") && !strings.Contains(to, "legal@") && !strings.Contains(to, "+493011") {
			t.Errorf("%s is not named and was told:\n%s", to, words)
		}
		named++
	}
	if named < 3 {
		t.Errorf("only %d messages reached those who are named", named)
	}
}

// leaks says what of the incident a text has that came by a path.
func (x *secret) leaks(path, text string) (found []string) {
	for _, m := range append(slices.Clone(marks), mark) {
		if strings.Contains(text, m) {
			found = append(found, m)
		}
	}
	if slices.ContainsFunc(fromLogs, func(p string) bool { return strings.HasPrefix(path, p) }) {
		return found
	}
	for _, m := range []string{x.address, x.alert} {
		if strings.Contains(text, m) {
			found = append(found, m)
		}
	}
	if strings.Contains(text, x.title) {
		found = append(found, x.title)
	}
	if regexp.MustCompile(`/incidents/1\b|/calls/` + fmt.Sprint(x.call) + `\b|incident:1\b|[Ii]ncident 1\b`).MatchString(text) {
		found = append(found, "its number")
	}
	return found
}

// numbers are what two answers about different numbers may differ in.
var numbers = regexp.MustCompile(`\d+`)

// agos are times that pass while a test runs.
var agos = regexp.MustCompile(`just now|\d+ (s|min|h) ago`)

// shape is an answer without its numbers, ids and times.
func shape(a answer, path, id string) string {
	text := strings.NewReplacer(path, "PATH", url.QueryEscape(path), "PATH").Replace(fmt.Sprint(a.code, " ", a.location, "\n", a.body))
	if len(id) > 10 { // of an alert; others are numbers
		text = strings.ReplaceAll(text, id, "ID")
	}
	return numbers.ReplaceAllString(agos.ReplaceAllString(text, "T"), "0")
}

// ofIncident returns the paths of a route for what is restricted, and for what never was: they must be alike.
func (x *secret) ofIncident(pattern string) (method, hidden, absent, id string) {
	method, path, found := strings.Cut(pattern, " ")
	if !found {
		return method, "", "", ""
	}
	noun := strings.Split(path, "/")[1]
	ids := map[string][2]string{"incidents": {"1", "9"}, "calls": {fmt.Sprint(x.call), "99"}, "alerts": {x.alert, strings.Repeat("0", len(x.alert))}, "approvals": {fmt.Sprint(x.approval), "99"}}
	pair, ok := ids[noun]
	if !ok || !strings.Contains(path, "{id}") {
		return method, "", "", ""
	}
	path = strings.NewReplacer("{n}", "1", "{step}", "look-at-page").Replace(path)
	return method, strings.Replace(path, "{id}", pair[0], 1), strings.Replace(path, "{id}", pair[1], 1), pair[0]
}

// form has every field that a form of an incident has, so that each route comes as far as it can.
func form() url.Values {
	f := url.Values{}
	for k, v := range map[string]string{"severity": "low", "phase": "containment", "reason": "r", "note": "n", "person": "engineer", "verdict": "true", "rule": "1", "contact": "1", "stage": "opened", "way": "phone",
		"until": "60", "channel": "mail", "role": plan.Engineer, "kind": "hr", "people": "engineer", "name": "n", "hours": "1", "lasts": "15", "decision": "yes", "line": "1", "incident": "1", "lang.1": "en", "body.1": "x", "next": "4"} {
		f.Set(k, v)
	}
	return f
}

func others() []string {
	return []string{"", "engineer", "analyst", "communications", "administrator", "reader", "auditor", "reporter"}
}

// Given a restricted incident with marks in all that can have one, when every page is read and every form is sent by everybody who is not named,
// then no mark is seen, and each answer is that of a number that never was; who is named sees every mark.
func TestNothingRestrictedLeaves(t *testing.T) {
	t.Parallel()
	x := restricted(t)
	seen := map[string]bool{}
	for _, id := range append(others(), "anna", "legal") {
		who, named := x.as(t, id), id == "anna" || id == "legal"
		for _, r := range routes() {
			method, path := x.pathOf(r.pattern)
			if method != http.MethodGet || strings.HasSuffix(path, "/live") || path == "/me/link" || strings.HasPrefix(path, "/sign-in/provider") {
				continue
			}
			_, hidden, absent, number := x.ofIncident(r.pattern)
			if hidden != "" {
				path = hidden
			}
			got := who.get(path)
			if named {
				for _, m := range append(slices.Clone(marks), x.title, x.address) {
					seen[m] = seen[m] || strings.Contains(got.body, m)
				}
				continue
			}
			if found := x.leaks(path, got.body); len(found) > 0 && (hidden == "" || got.code == http.StatusOK) {
				t.Errorf("%s to %q: %v", path, id, found)
			}
			if hidden != "" {
				if a, b := shape(got, path, number), shape(who.get(absent), absent, number); a != b {
					t.Errorf("%s to %q differs from what was never there: %s", path, id, difference(a, b))
				}
			}
		}
	}
	for _, m := range append(slices.Clone(marks), x.title, x.address) {
		if !seen[m] {
			t.Errorf("nobody who is named sees %q, so that nobody else does proves nothing", m)
		}
	}
	for _, path := range []string{"/incidents?state=all", "/alerts?state=all", "/calls", "/", "/ledger", "/oncall/shop.ics", "/search/complete?q=inc", x.status} {
		for _, id := range others() {
			if got := x.as(t, id).get(path); len(x.leaks(path, got.body)) > 0 {
				t.Errorf("%s to %q: %v", path, id, x.leaks(path, got.body))
			}
		}
	}
	for _, id := range append(others(), "legal") { // what a page asks for by a parameter
		who := x.as(t, id)
		for _, pair := range [][2]string{{"/incidents/1?list=addresses", "/incidents/9?list=addresses"}, {"/incidents/1?list=none", "/incidents/9?list=none"},
			{"/alerts?incident=1", "/alerts?incident=9"}, {"/alerts/" + x.alert + "?list=addresses", "/alerts/" + strings.Repeat("0", len(x.alert)) + "?list=addresses"}} {
			got, never := who.get(pair[0]), who.get(pair[1])
			switch same := shape(got, pair[0], x.alert) == shape(never, pair[1], strings.Repeat("0", len(x.alert))); {
			case id == "legal" && same != strings.Contains(pair[0], "none"):
				t.Errorf("%s says to who is named what %s says", pair[0], pair[1])
			case id != "legal" && !same:
				t.Errorf("%s to %q differs from what was never there", pair[0], id)
			}
		}
		if got := who.get("/alerts?q=" + x.address); strings.Contains(got.body, x.alert) != (id == "legal") {
			t.Errorf("searching for its address shows its alert to %q: %v", id, id != "legal")
		}
	}
	if page := x.as(t, "auditor").get("/ledger").body; !strings.Contains(page, "restricted to others") {
		t.Error("the ledger does not show that there are entries which are not for the reader")
	}
	x.formsAreAlike(t)
}

// formsAreAlike sends every form about what is restricted, and about what never was.
func (x *secret) formsAreAlike(t *testing.T) {
	t.Helper()
	entries := func() (n int) {
		all, err := x.desk.LastEntries(1 << 30)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range all {
			if e.Subject == "incident:1" && strings.HasPrefix(e.Actor, "person:") {
				n++
			}
		}
		return n
	}
	before := entries()
	for _, id := range others() {
		who := x.as(t, id)
		for _, r := range routes() {
			method, hidden, absent, number := x.ofIncident(r.pattern)
			if method != http.MethodPost || hidden == "" {
				continue
			}
			got, never := who.do(method, hidden, form(), nil), who.do(method, absent, form(), nil)
			if a, b := shape(got, hidden, number), shape(never, absent, number); a != b {
				t.Errorf("%s by %q differs from what was never there: %s", hidden, id, difference(a, b))
			}
			if found := x.leaks(hidden, strings.ReplaceAll(got.body, hidden, "")); len(found) > 0 {
				t.Errorf("%s by %q: %v", hidden, id, found)
			}
		}
		for _, ask := range []func(n string) answer{
			func(n string) answer { return who.post("/search/attach", "incident", n, "line", "1") },
			func(n string) answer { return who.get("/search/attach?line=1&incident=" + n) },
		} {
			if a, b := shape(ask("1"), "-", "-"), shape(ask("9"), "-", "-"); a != b {
				t.Errorf("attaching by %q differs from what was never there: %s", id, difference(a, b))
			}
		}
	}
	if after := entries(); after != before {
		t.Errorf("people who are not named wrote %d entries about it", after-before)
	}
}

// difference is the first place in which two texts differ.
func difference(a, b string) string {
	k := 0
	for k < len(a) && k < len(b) && a[k] == b[k] {
		k++
	}
	cut := func(s string) string { return s[max(0, k-40):min(len(s), k+80)] }
	return fmt.Sprintf("\n  %q\n  %q", cut(a), cut(b))
}

// Given the same, when programs ask over the socket for somebody, then they are told what the person would be, and no more.
func TestNothingRestrictedLeavesByTheInterface(t *testing.T) {
	x := restricted(t)
	h := api.Handler(slog.New(slog.DiscardHandler), x.desk, nil)
	send := func(method, path, body string) (int, string) {
		w := httptest.NewRecorder()
		var in io.Reader
		if body != "" {
			in = strings.NewReader(body)
		}
		r := httptest.NewRequestWithContext(t.Context(), method, path, in)
		r.Header.Set("Content-Type", "application/json")
		h.ServeHTTP(w, r)
		return w.Code, w.Body.String()
	}
	known, _ := send("POST", "/v1/calls/99/answer?person=reader", "")
	byQuery := known != http.StatusBadRequest // who asks stands in the address, else in what is sent
	ask := func(method, path, body string) (int, string) {
		if m := whoAsks.FindStringSubmatch(body); m != nil && byQuery {
			path, body = path+"?person="+m[1], strings.Replace(strings.Replace(whoAsks.ReplaceAllString(body, ""), "{,", "{", 1), "{}", "", 1)
		}
		return send(method, path, body)
	}
	operations := []struct{ method, path, body string }{ // PERSON, ID, CALL and ALERT stand for who asks and what for
		{"GET", "/v1/incidents/ID/roles?person=PERSON", ""},
		{"POST", "/v1/incidents/ID/roles", `{"do":"take","role":"engineer","person":"PERSON"}`},
		{"POST", "/v1/incidents/ID/roles", `{"do":"give","role":"engineer","to":"engineer","person":"PERSON"}`},
		{"POST", "/v1/incidents/ID/lines", `{"query":"ip = 198.51.100.7","person":"PERSON"}`},
		{"POST", "/v1/incidents/ID/trace", `{"person":"PERSON"}`},
		{"POST", "/v1/calls/CALL/answer", `{"person":"PERSON"}`},
		{"POST", "/v1/calls/CALL/pass", `{"person":"PERSON"}`},
		{"POST", "/v1/calls/CALL/snooze", `{"person":"PERSON","lasts_ns":900000000000}`},
		{"GET", "/v1/incidents?state=all&person=PERSON", ""},
		{"GET", "/v1/incidents/ID?person=PERSON", ""},
		{"GET", "/v1/incidents/ID/updates?person=PERSON", ""},
		{"GET", "/v1/incidents/ID/room?person=PERSON", ""},
		{"POST", "/v1/incidents/ID/report", `{"format":"md","person":"PERSON"}`},
		{"POST", "/v1/incidents/ID/note", `{"note":"n","person":"PERSON"}`},
		{"POST", "/v1/incidents/ID/severity", `{"severity":"low","why":"w","person":"PERSON"}`},
		{"POST", "/v1/incidents/ID/close", `{"verdict":"true","why":"w","person":"PERSON"}`},
		{"POST", "/v1/incidents/ID/restrict", `{"kind":"hr","people":["engineer"],"person":"PERSON"}`},
		{"POST", "/v1/incidents/ID/unrestrict", `{"why":"w","person":"PERSON"}`},
		{"POST", "/v1/incidents/ID/channels", `{"not":[],"why":"w","person":"PERSON"}`},
		{"POST", "/v1/incidents/ID/room/invite", `{"name":"n","lasts_ns":3600000000000,"person":"PERSON"}`},
		{"POST", "/v1/incidents/ID/updates/link", `{"contact":1,"person":"PERSON"}`},
		{"GET", "/v1/calls?person=PERSON", ""},
		{"GET", "/v1/calls/CALL?person=PERSON", ""},
		{"GET", "/v1/calls/ringing?person=PERSON", ""},
		{"GET", "/v1/alerts?person=PERSON", ""},
		{"GET", "/v1/alerts?incident=1&person=PERSON", ""},
		{"GET", "/v1/alerts?q=198.51.100.7&person=PERSON", ""},
		{"GET", "/v1/incidents/ID/named?list=addresses&person=PERSON", ""},
		{"GET", "/v1/alerts/ALERT?person=PERSON", ""},
		{"POST", "/v1/alerts/ALERT/erase", `{"why":"w","person":"PERSON"}`},
		{"GET", "/v1/ledger?person=PERSON", ""},
		{"GET", "/v1/approvals?person=PERSON", ""},
		{"GET", "/v1/rights?person=PERSON", ""},
		{"GET", "/v1/schedules?person=PERSON", ""},
		{"GET", "/v1/contacts?person=PERSON", ""},
		{"GET", "/v1/oncall?person=PERSON", ""},
	}
	fill := strings.NewReplacer
	for _, id := range others()[1:] {
		for _, o := range operations {
			hidden, absent := fill("PERSON", id, "ID", "1", "CALL", fmt.Sprint(x.call), "ALERT", x.alert), fill("PERSON", id, "ID", "9", "CALL", "99", "ALERT", strings.Repeat("0", len(x.alert)))
			code, got := ask(o.method, hidden.Replace(o.path), hidden.Replace(o.body))
			if found := x.leaks("", numbered.ReplaceAllString(strings.ReplaceAll(got, hidden.Replace(o.path), ""), "")); len(found) > 0 {
				t.Errorf("%s %s for %s: %v\n%s", o.method, o.path, id, found, got)
			}
			if o.path != absent.Replace(o.path) && regexp.MustCompile("/(ID|CALL|ALERT)").MatchString(o.path) {
				never, text := ask(o.method, absent.Replace(o.path), absent.Replace(o.body))
				text = strings.ReplaceAll(text, strings.Repeat("0", len(x.alert)), x.alert)
				if a, b := numbers.ReplaceAllString(got, "0"), numbers.ReplaceAllString(text, "0"); code != never || a != b {
					t.Errorf("%s %s for %s: %d %s, of what never was: %d %s", o.method, o.path, id, code, a, never, b)
				}
				if code < 400 {
					t.Errorf("%s %s for %s was done: %d", o.method, o.path, id, code)
				}
			}
		}
		if _, got := ask("GET", "/v1/incidents/1/roles?person="+id, ""); x.title != "" && strings.Contains(got, "legal") {
			t.Errorf("%s learns who holds a role in it: %s", id, got)
		}
		if code, got := ask("POST", "/v1/calls/ringing/answer", `{"person":"`+id+`"}`); strings.Contains(got, fmt.Sprintf(`"call":%d`, x.call)) {
			t.Errorf("ringing answered the call for %s: %d %s", id, code, got)
		}
	}
	x.desk.Read(func(st *desk.State) {
		if c := st.Calls.Of(1); !c.Rings() {
			t.Error("somebody who is not named silenced the call")
		}
	})
	if code, got := ask("GET", "/v1/approvals?person=legal", ""); code != http.StatusOK || !strings.Contains(got, mark+"-asked") {
		t.Errorf("who is named does not see the approval: %d %s", code, got)
	}
	if code, got := ask("GET", "/v1/incidents/1?person=anna", ""); byQuery && (code != http.StatusOK || !strings.Contains(got, marks[0])) {
		t.Errorf("who is named does not see the incident: %d %s", code, got)
	}
	if code, got := ask("GET", "/v1/incidents/1/roles?person=anna", ""); code != http.StatusOK {
		t.Errorf("who is named does not see the roles: %d %s", code, got)
	}
	if code, got := ask("POST", fmt.Sprintf("/v1/calls/%d/answer", x.call), `{"person":"anna"}`); code != http.StatusOK {
		t.Errorf("who is named cannot answer: %d %s", code, got)
	}
}

// whoAsks is the person in what is sent.
var whoAsks = regexp.MustCompile(`,?"person":"([a-z]+)"`)

// numbered are the words in which an error repeats the number that was asked for.
var numbered = regexp.MustCompile(`no (such )?incident:? 1\b|no call \d+`)
