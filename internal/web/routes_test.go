package web

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"tocsin/internal/auth"
	"tocsin/internal/contact"
	"tocsin/internal/desk"
	"tocsin/internal/entry"
	"tocsin/internal/plan"
	"tocsin/internal/report"
	"tocsin/internal/tuning"
)

// needs is what each route asks for, written down a second time: to change one is a decision. "" is open to everybody.
var needs = map[string]auth.Action{
	"GET /{$}":                                      auth.See,
	"GET /incidents/{id}/review":                    auth.See,
	"GET /incidents/{id}/review/calendar":           auth.See,
	"POST /incidents/{id}/review/call":              auth.Note,
	"POST /incidents/{id}/review/held":              auth.Note,
	"POST /incidents/{id}/review/measures":          auth.Note,
	"GET /review":                                   auth.See,
	"POST /review/ask":                              auth.Note,
	"POST /review/measures":                         auth.Note,
	"GET /review/measures/{n}":                      auth.See,
	"POST /review/measures/{n}/step":                auth.Note,
	"POST /review/measures/{n}/change":              auth.Note,
	"POST /review/measures/{n}/link":                auth.Note,
	"GET /review/parts/{part}":                      auth.See,
	"POST /review/parts/{part}/read":                auth.Note,
	"POST /review/parts/{part}/approve":             auth.Note,
	"POST /review/parts/{part}/refuse":              auth.Note,
	"POST /review/parts/{part}/keep":                auth.Playbooks,
	"GET /incidents":                                auth.See,
	"GET /incidents/{id}":                           auth.See,
	"GET /incidents/{id}/trace":                     auth.SearchLines,
	"POST /incidents/{id}/severity":                 auth.Handle,
	"POST /incidents/{id}/phase":                    auth.Handle,
	"POST /incidents/{id}/note":                     auth.Note,
	"POST /incidents/{id}/assign":                   auth.Handle,
	"GET /incidents/{id}/close":                     auth.Handle,
	"POST /incidents/{id}/close":                    auth.Handle,
	"POST /incidents/{id}/reopen":                   auth.Handle,
	"POST /incidents/{id}/hold":                     auth.Hold,
	"POST /incidents/{id}/release":                  auth.Release,
	"POST /incidents/{id}/mute":                     auth.Tune,
	"POST /mutes/{id}/remove":                       auth.Tune,
	"GET /alerts":                                   auth.See,
	"GET /alerts/{id}":                              auth.See,
	"GET /search":                                   auth.SearchLines,
	"GET /search/run":                               auth.SearchLines,
	"GET /search/live":                              auth.SearchLines,
	"GET /search/complete":                          auth.SearchLines,
	"GET /search/line/{id}":                         auth.SearchLines,
	"GET /search/attach":                            auth.Handle,
	"POST /search/attach":                           auth.Handle,
	"GET /incidents/{id}/lines":                     auth.See,
	"GET /sources":                                  auth.See,
	"GET /agents":                                   auth.See,
	"POST /agents":                                  auth.Hosts,
	"GET /agents/{id}":                              auth.See,
	"POST /agents/{id}/revoke":                      auth.Hosts,
	"GET /rules":                                    auth.See,
	"GET /rules/{id}":                               auth.See,
	"GET /habits":                                   auth.See,
	"GET /habits/{id}":                              auth.See,
	"POST /habits/{id}/forget":                      auth.Tune,
	"GET /lists":                                    auth.See,
	"POST /lists":                                   auth.Tune,
	"GET /lists/{id}":                               auth.See,
	"POST /lists/{id}/remove":                       auth.Tune,
	"POST /lists/{id}/end":                          auth.Tune,
	"POST /never":                                   auth.Tune,
	"GET /calls":                                    auth.See,
	"POST /calls/{id}/answer":                       auth.Ring,
	"GET /people":                                   auth.See,
	"POST /people":                                  auth.Team,
	"GET /people/{id}":                              auth.See,
	"POST /people/{id}":                             auth.Team,
	"POST /people/{id}/invite":                      auth.Team,
	"POST /people/{id}/ring":                        auth.Ask,
	"POST /policy":                                  auth.Team,
	"GET /oncall":                                   auth.See,
	"POST /oncall":                                  auth.Team,
	"GET /oncall/{id}":                              auth.See,
	"POST /oncall/{id}":                             auth.Team,
	"POST /oncall/{id}/end":                         auth.Team,
	"POST /oncall/{id}/override":                    auth.Ring,
	"POST /overrides/{id}/end":                      auth.Ring,
	"POST /absences":                                auth.Ring,
	"POST /absences/{id}/end":                       auth.Ring,
	"POST /calendar/renew":                          auth.Ring,
	"GET /calendar/{token}":                         "",
	"GET /notices":                                  auth.See,
	"POST /notices":                                 auth.Ask,
	"POST /notices/{id}/remove":                     auth.Ask,
	"POST /notices/{id}/test":                       auth.Ask,
	"GET /incidents/{id}/updates":                   auth.Reach,
	"POST /incidents/{id}/updates/send":             auth.Inform,
	"POST /incidents/{id}/updates/told":             auth.Inform,
	"POST /incidents/{id}/updates/waive":            auth.Inform,
	"POST /incidents/{id}/updates/status":           auth.Inform,
	"POST /incidents/{id}/updates/link":             auth.Inform,
	"GET /contacts":                                 auth.Reach,
	"POST /contacts":                                auth.Contacts,
	"POST /contacts/import":                         auth.Contacts,
	"GET /contacts/export":                          auth.Reach,
	"GET /contacts/card":                            auth.Reach,
	"POST /contacts/card":                           auth.Contacts,
	"GET /contacts/{id}":                            auth.Reach,
	"POST /contacts/{id}":                           auth.Contacts,
	"POST /contacts/{id}/check":                     auth.Contacts,
	"POST /contacts/{id}/remove":                    auth.Contacts,
	"POST /contacts/{id}/revoke":                    auth.Inform,
	"GET /stakeholders":                             auth.Reach,
	"POST /stakeholders/rules":                      auth.Contacts,
	"POST /stakeholders/rules/{id}/end":             auth.Contacts,
	"POST /stakeholders/links":                      auth.Inform,
	"POST /stakeholders/texts":                      auth.Contacts,
	"POST /stakeholders/texts/{id}/end":             auth.Contacts,
	"GET /status/{token}":                           "",
	"GET /ledger":                                   auth.See,
	"POST /ledger/verify":                           auth.Verify,
	"GET /live":                                     auth.See,
	"POST /sign-out":                                auth.Own,
	"GET /sign-in":                                  "",
	"POST /sign-in":                                 "",
	"GET /setup/{token}":                            "",
	"POST /setup/{token}":                           "",
	"GET /answer/{token}":                           "",
	"POST /answer/{token}":                          "",
	"GET /healthz":                                  "",
	"/":                                             "",
	"GET /calls/{id}":                               auth.See,
	"POST /calls/{id}/pass":                         auth.Ring,
	"POST /calls/{id}/snooze":                       auth.Ring,
	"GET /bell":                                     auth.See,
	"GET /simulate":                                 auth.See,
	"POST /maintenance":                             auth.Team,
	"POST /maintenance/{id}/end":                    auth.Team,
	"POST /policies":                                auth.Team,
	"GET /policies/{id}":                            auth.Team,
	"POST /policies/{id}":                           auth.Team,
	"POST /policies/{id}/end":                       auth.Team,
	"POST /incidents/{id}/channels":                 auth.Handle,
	"POST /people/{id}/ways":                        auth.Ask,
	"POST /beat/{id}":                               "",
	"POST /people/{id}/factors":                     auth.Team,
	"POST /people/{id}/link":                        auth.Team,
	"GET /break-glass":                              auth.Sheets,
	"POST /break-glass":                             auth.Sheets,
	"GET /me":                                       auth.Own,
	"POST /me/passkeys/begin":                       auth.Own,
	"POST /me/passkeys":                             auth.Own,
	"POST /me/passkeys/{id}/remove":                 auth.Own,
	"POST /me/app":                                  auth.Own,
	"POST /me/app/confirm":                          auth.Own,
	"POST /me/app/remove":                           auth.Own,
	"POST /me/recovery":                             auth.Own,
	"POST /me/password":                             auth.Own,
	"GET /me/link":                                  auth.Own,
	"POST /me/links/{id}/remove":                    auth.Own,
	"POST /me/sessions/end":                         auth.Own,
	"POST /me/sessions/{id}/end":                    auth.Own,
	"POST /me/tokens":                               auth.Own,
	"POST /me/tokens/{id}/revoke":                   auth.Own,
	"GET /step-up":                                  auth.Own,
	"POST /step-up":                                 auth.Own,
	"POST /step-up/passkey/begin":                   auth.Own,
	"POST /step-up/passkey":                         auth.Own,
	"POST /sign-in/passkey/begin":                   "",
	"POST /sign-in/passkey":                         "",
	"GET /sign-in/provider":                         "",
	"GET /sign-in/provider/back":                    "",
	"GET /sign-in/break-glass":                      "",
	"POST /sign-in/break-glass":                     "",
	"POST /people/{id}/key":                         auth.Ask,
	"POST /people/{id}/key/find":                    auth.Ask,
	"POST /people/{id}/key/confirm":                 auth.Team,
	"POST /people/{id}/key/remove":                  auth.Team,
	"POST /people/{id}/pin":                         auth.Ask,
	"GET /.well-known/openpgpkey/{path...}":         "",
	"GET /rights":                                   auth.See,
	"GET /approvals":                                auth.See,
	"POST /approvals/{id}":                          auth.See,
	"POST /incidents/{id}/role/take":                auth.Note,
	"POST /incidents/{id}/role/give":                auth.Lead,
	"POST /incidents/{id}/role/hand":                auth.Note,
	"POST /incidents/{id}/role/leave":               auth.Note,
	"POST /incidents/{id}/restrict":                 auth.Restrict,
	"POST /incidents/{id}/unrestrict":               auth.Unrestrict,
	"GET /incidents/{id}/room":                      auth.Ring,
	"POST /incidents/{id}/room/invite":              auth.Handle,
	"GET /room":                                     "",
	"GET /webhooks":                                 auth.See,
	"POST /webhooks/{id}/test":                      auth.Hosts,
	"GET /api":                                      auth.Own,
	"GET /api/{id}":                                 auth.Own,
	"POST /incidents/{id}/state":                    auth.Note,
	"POST /incidents/{id}/scope":                    auth.Note,
	"POST /incidents/{id}/seen":                     auth.See,
	"POST /incidents/{id}/begin":                    auth.Handle,
	"POST /incidents/{id}/runs/{n}/stop":            auth.Handle,
	"POST /incidents/{id}/runs/{n}/move":            auth.Handle,
	"GET /incidents/{id}/steps/{n}/{step}":          auth.See,
	"POST /incidents/{id}/steps/{n}/{step}/take":    auth.Note,
	"POST /incidents/{id}/steps/{n}/{step}/leave":   auth.Note,
	"POST /incidents/{id}/steps/{n}/{step}/done":    auth.Note,
	"POST /incidents/{id}/steps/{n}/{step}/skip":    auth.Note,
	"POST /incidents/{id}/steps/{n}/{step}/reopen":  auth.Note,
	"POST /incidents/{id}/steps/{n}/{step}/approve": auth.Note,
	"POST /incidents/{id}/steps/{n}/{step}/deny":    auth.Note,
	"POST /incidents/{id}/steps/{n}/{step}/correct": auth.Note,
	"POST /incidents/{id}/decisions":                auth.Note,
	"POST /incidents/{id}/decisions/{n}/choose":     auth.Note,
	"POST /incidents/{id}/decisions/{n}/anew":       auth.Note,
	"POST /incidents/{id}/decisions/{n}/withdraw":   auth.Note,
	"POST /incidents/{id}/questions":                auth.Note,
	"POST /incidents/{id}/questions/{n}/answer":     auth.Note,
	"POST /incidents/{id}/questions/{n}/withdraw":   auth.Note,
	"POST /incidents/{id}/handovers":                auth.Note,
	"GET /incidents/{id}/label":                     auth.See,
	"POST /incidents/{id}/handovers/{n}/take":       auth.Note,
	"POST /incidents/{id}/handovers/{n}/correct":    auth.Note,
	"POST /incidents/{id}/handovers/{n}/withdraw":   auth.Note,
	"POST /incidents/{id}/tasks":                    auth.Note,
	"POST /incidents/{id}/tasks/{n}/change":         auth.Note,
	"POST /incidents/{id}/tasks/{n}/done":           auth.Note,
	"POST /incidents/{id}/tasks/{n}/drop":           auth.Note,
	"GET /incidents/{id}/moments/{n}":               auth.See,
	"POST /incidents/{id}/moments/{n}/edit":         auth.Note,
	"POST /incidents/{id}/moments/{n}/pin":          auth.Note,
	"POST /incidents/{id}/label":                    auth.Note,
	"GET /incidents/{id}/triage":                    auth.See,
	"POST /incidents/{id}/triage":                   auth.Handle,
	"POST /incidents/{id}/triage/tune":              auth.Tune,
	"GET /incidents/{id}/cause":                     auth.See,
	"POST /incidents/{id}/cause":                    auth.Note,
	"POST /incidents/{id}/lessons":                  auth.Note,
	"POST /incidents/{id}/affected":                 auth.Note,
	"GET /incidents/{id}/files":                     auth.See,
	"POST /incidents/{id}/files":                    auth.Note,
	"POST /incidents/{id}/files/{n}/pass":           auth.Note,
	"POST /incidents/{id}/files/{n}/read":           auth.Note,
	"GET /incidents/{id}/related":                   auth.See,
	"POST /incidents/{id}/merge":                    auth.Handle,
	"POST /incidents/{id}/unmerge":                  auth.Handle,
	"GET /tasks":                                    auth.See,
	"GET /plan":                                     auth.See,
	"GET /plan/print":                               auth.See,
	"GET /plan/glossary":                            auth.See,
	"POST /plan/import":                             auth.Playbooks,
	"GET /plan/{id}":                                auth.See,
	"GET /plan/{id}/export":                         auth.See,
	"GET /plan/{id}/diff":                           auth.See,
	"GET /plan/{id}/edit":                           auth.Playbooks,
	"POST /plan/{id}/edit":                          auth.Playbooks,
	"POST /plan/{id}/retire":                        auth.Playbooks,
	"POST /plan/{id}/offered":                       auth.Playbooks,
	"GET /proposals/{id}":                           auth.See,
	"GET /report":                                   "",
	"POST /report":                                  "",
	"GET /report/thread":                            "",
	"POST /report/thread":                           "",
	"POST /report/answer":                           "",
	"GET /.well-known/security.txt":                 "",
	"GET /reports":                                  auth.Handle,
	"GET /reports/{id}":                             auth.Handle,
	"POST /reports/{id}":                            auth.Handle,
	"POST /reports/{id}/reopen":                     auth.Handle,
	"POST /reports/{id}/evidence":                   auth.Handle,
	"POST /reports/{id}/unlock":                     auth.Handle,
	"GET /reports/{id}/files/{n}":                   auth.Handle,
	"POST /reports/key":                             auth.Team,
	"POST /reports/security-txt":                    auth.Team,
	"GET /incidents/{id}/report":                    auth.Note,
	"POST /incidents/{id}/report":                   auth.Note,
	"POST /incidents/{id}/exchange":                 auth.Note,
	"POST /incidents/{id}/runs/{n}/switch":          auth.Handle,
	"POST /incidents/{id}/watch/longer":             auth.Handle,
	"POST /incidents/{id}/watch/end":                auth.Handle,
}

// pathOf puts something that exists into a route's pattern.
func (c *console) pathOf(pattern string) (method, path string) {
	method, path, found := strings.Cut(pattern, " ")
	if !found {
		return http.MethodGet, "/no/such/page"
	}
	alert, line, proposal, step := "", "1", "1", "none-such"
	c.desk.Read(func(st *desk.State) {
		alert = st.Incidents.Order[0]
		if strings.Contains(path, "/moments/") {
			line = fmt.Sprint(st.Incidents.Incidents[0].Timeline[0].N)
		}
		if of := st.Runs.Of(1); len(of) > 0 && of[0].Book() != nil && (strings.Contains(path, "/steps/") || strings.Contains(path, "/runs/")) {
			line, step = fmt.Sprint(of[0].ID), of[0].Book().Steps[0].ID
		}
	})
	for _, b := range c.desk.Playbooks() {
		if b.Waits != 0 {
			proposal = fmt.Sprint(b.Waits)
		}
	}
	set, _ := shopRules() // newConsole has seen its error
	ids := map[string]string{"alerts": alert, "rules": set.Rules.Documents()[0].Meta().Key(), "people": "anna", "policies": "new", "oncall": "shop", "api": "incidents", "plan": "skimmer", "proposals": proposal}
	if agents, _ := c.desk.Agents(); len(agents) > 0 {
		ids["agents"] = agents[0].ID
	}
	if habits := c.desk.Habits(); len(habits) > 0 {
		ids["habits"] = c.desk.HabitID(habits[0].Realm, habits[0].Account)
	}
	id, ok := ids[strings.Split(path, "/")[1]]
	if !ok {
		id = "1"
	}
	return method, strings.NewReplacer("{$}", "", "{id}", id, "{n}", line, "{step}", step, "{part}", "playbook:skimmer", "{token}", "none", "{path...}", "none").Replace(path)
}

func TestEveryRouteAsksWhoItIs(t *testing.T) {
	t.Parallel()
	set, err := shopRules()
	if err != nil {
		t.Fatal(err)
	}
	c := newConsoleOf(t, set, attacks(), nil, heardHere(t), planned, reportsHere).staffed(t)
	c.settled(t)
	c.commanded(t)
	if _, err := c.desk.AddMeasure(desk.Local("test"), 1, desk.MeasureText{Text: "patch it", Owner: "anna", Due: time.Now().Add(time.Hour)}); err != nil {
		t.Fatal(err)
	}
	if err := c.desk.CallReview(desk.Actor(mustPerson(t, c, "anna")), 1, desk.ReviewCalling{At: time.Now().Add(time.Hour), Chair: "anna", Invited: []string{"anna"}}); err != nil {
		t.Fatal(err)
	}
	c.told(t, report.Parcel{What: "the till asks twice", Files: []report.File{{Name: "a.txt", Size: 1, Data: []byte("a")}}})
	c.letIn(t, t.TempDir(), "web-1")
	if _, err := c.desk.Watch(desk.Local("test"), desk.Listing{List: "suspects", Values: []tuning.Listed{{Kind: tuning.Account, Text: "eve"}}}); err != nil {
		t.Fatal(err)
	}
	if _, err := c.desk.PutContact(desk.Local("test"), entry.Contact{Group: contact.Stakeholders}, contact.Card{Name: "Bank", Ways: []contact.Way{{Kind: contact.Mail, Value: "desk@bank.example"}}}); err != nil {
		t.Fatal(err)
	}
	c.scheduled(t)
	who := map[string][]string{"": nil, "anna": {plan.Commander, plan.Engineer}}
	for _, r := range plan.Roles()[1:] {
		who[r] = []string{r}
	}
	if len(routes()) != len(needs) {
		t.Errorf("%d routes, and the test knows %d", len(routes()), len(needs))
	}
	for _, r := range routes() {
		method, path := c.pathOf(r.pattern)
		if need, ok := needs[r.pattern]; !ok || need != r.need {
			t.Errorf("%s needs %q, and the test says %q", r.pattern, r.need, need)
		}
		for id, roles := range who {
			form := url.Values(nil)
			if method == http.MethodPost {
				form = url.Values{}
			}
			got := c.as(t, id).do(method, path, form, nil)
			name := r.pattern + " by " + id
			switch {
			case r.need != "" && id == "" && path == "/live":
				if got.code != http.StatusUnauthorized {
					t.Errorf("%s: %d, want 401", name, got.code)
				}
			case r.need != "" && id == "":
				if got.code != http.StatusSeeOther || !strings.HasPrefix(got.location, "/sign-in") {
					t.Errorf("%s: %d to %q, want to be sent to the sign-in", name, got.code, got.location)
				}
			case r.need != "" && auth.May(auth.Actor{Roles: roles}, r.need) != nil:
				if got.code != http.StatusForbidden {
					t.Errorf("%s: %d, want 403", name, got.code)
				}
			case slices.Contains([]string{"GET /people/{id}", "POST /people/{id}/ways", "POST /people/{id}/key", "POST /people/{id}/key/find", "POST /people/{id}/pin"}, r.pattern) && id != "anna" && auth.May(auth.Actor{Roles: roles}, auth.Team) != nil:
				if got.code != http.StatusForbidden {
					t.Errorf("%s is of somebody else: %d, want 403", name, got.code)
				}
			case r.pattern == "POST /people/{id}/ring" && id != "anna" && auth.May(auth.Actor{Roles: roles}, auth.TestRing) != nil:
				if got.code != http.StatusForbidden {
					t.Errorf("%s rings somebody else: %d, want 403", name, got.code)
				}
			case strings.Contains(path, "/role/") && auth.May(auth.Actor{Roles: roles}, auth.Lead) != nil: // what one has not, or what is another's
				if got.code != http.StatusForbidden && got.code != http.StatusUnprocessableEntity {
					t.Errorf("%s: %d, want 403 or 422", name, got.code)
				}
			case r.pattern == "POST /approvals/{id}" && auth.May(auth.Actor{Roles: roles}, auth.Playbooks) != nil: // what waits is a change of the plan
				if got.code != http.StatusForbidden && got.code != http.StatusConflict { // or what was decided meanwhile
					t.Errorf("%s: %d, want 403 or 409", name, got.code)
				}
			case method == http.MethodPost:
				if !slices.Contains([]int{http.StatusSeeOther, http.StatusUnprocessableEntity, http.StatusNotFound, http.StatusConflict, http.StatusOK, http.StatusTooManyRequests}, got.code) {
					t.Errorf("%s: %d\n%s", name, got.code, got.body)
				}
			case strings.Contains(path, "none") || r.pattern == "/" || strings.HasPrefix(path, "/sign-in/provider") || path == "/me/link": // there is no provider here
				if got.code != http.StatusNotFound {
					t.Errorf("%s: %d, want 404", name, got.code)
				}
			case r.pattern == "GET /sign-in" && id != "":
				if got.code != http.StatusSeeOther {
					t.Errorf("%s: %d, want 303: they are in", name, got.code)
				}
			case got.code != http.StatusOK:
				t.Errorf("%s: %d, want 200\n%s", name, got.code, got.body)
			}
			if csp := got.header.Get("Content-Security-Policy"); !strings.Contains(csp, "default-src 'none'") {
				t.Errorf("%s: policy %q", name, csp)
			}
		}
	}
}

func TestPostsFromElsewhereAreRefused(t *testing.T) {
	c := newConsole(t, attacks(), nil)
	c.settled(t)
	anna := c.as(t, "anna")
	for _, r := range routes() {
		method, path := c.pathOf(r.pattern)
		if method != http.MethodPost {
			continue
		}
		before := c.acts(t)
		for name, header := range map[string]map[string]string{"fetch metadata": {"Sec-Fetch-Site": "cross-site"}, "origin": {"Origin": "https://evil.example"}} {
			if got := anna.do(method, path, url.Values{"phase": {"containment"}, "password": {"x"}}, header); got.code != http.StatusForbidden {
				t.Errorf("%s by %s: %d, want 403", r.pattern, name, got.code)
			}
		}
		if after := c.acts(t); after != before {
			t.Errorf("%s: %d entries were written", r.pattern, after-before)
		}
	}
	if anna.get("/").code != http.StatusOK {
		t.Error("a refused sign-out signed out")
	}
}

func TestUnknownIdsAreNotFound(t *testing.T) {
	c := newConsole(t, attacks(), nil)
	c.settled(t)
	anna := c.as(t, "anna")
	for _, id := range []string{"999999", "0", "-1", "x", "%2e%2e", "99999999999999999999", "%00"} {
		for _, r := range routes() {
			method, path, _ := strings.Cut(r.pattern, " ")
			if !strings.Contains(path, "{id}") {
				continue
			}
			form := url.Values(nil)
			if method == http.MethodPost {
				form = url.Values{"reason": {"a reason"}, "note": {"a note"}, "phase": {"containment"}, "severity": {"low"}, "verdict": {"true"}, "rule": {"x"}, "until": {"60"}, "channel": {"mail"}}
			}
			got := anna.do(method, strings.NewReplacer("{id}", id, "{n}", "1", "{step}", "look-at-page").Replace(path), form, nil)
			if got.code != http.StatusNotFound {
				t.Errorf("%s with %q: %d", r.pattern, id, got.code)
			}
		}
	}
}
