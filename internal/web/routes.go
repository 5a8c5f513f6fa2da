package web

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"tocsin/internal/auth"
	"tocsin/internal/desk"
	"tocsin/ui"
)

// A route is one path. Its need is what one must be allowed; "" is open to everybody.
type route struct {
	pattern string
	need    auth.Action
	handle  func(*Server, *visit) error
}

// routes is the whole console.
func routes() []route {
	return append(outsideRoutes(), []route{
		{"GET /reports", auth.Handle, (*Server).reports},
		{"GET /reports/{id}", auth.Handle, (*Server).outsideReport},
		{"POST /reports/{id}", auth.Handle, (*Server).decideReport},
		{"POST /reports/{id}/evidence", auth.Handle, (*Server).bringReportFiles},
		{"POST /reports/{id}/reopen", auth.Handle, (*Server).reopenReport},
		{"POST /reports/{id}/unlock", auth.Handle, (*Server).unlockReport},
		{"GET /reports/{id}/files/{n}", auth.Handle, (*Server).reportFile},
		{"POST /reports/key", auth.Team, (*Server).newReportKey},
		{"POST /reports/security-txt", auth.Team, (*Server).renewSecurityTxt},
		{"GET /{$}", auth.See, (*Server).overview},
		{"GET /incidents", auth.See, (*Server).incidents},
		{"GET /incidents/{id}", auth.See, (*Server).incident},
		{"GET /incidents/{id}/lines", auth.See, (*Server).incidentLines}, // their text by auth.SearchLines, which the desk asks
		{"GET /incidents/{id}/trace", auth.SearchLines, (*Server).trace},
		{"POST /incidents/{id}/severity", auth.Handle, (*Server).setSeverity},
		{"POST /incidents/{id}/phase", auth.Handle, (*Server).setPhase},
		{"POST /incidents/{id}/note", auth.Note, (*Server).note},
		{"POST /incidents/{id}/assign", auth.Handle, (*Server).assign},
		{"GET /incidents/{id}/close", auth.Handle, (*Server).askClose},
		{"POST /incidents/{id}/close", auth.Handle, (*Server).closeIncident},
		{"POST /incidents/{id}/reopen", auth.Handle, (*Server).reopen},
		{"POST /incidents/{id}/hold", auth.Hold, (*Server).hold},
		{"POST /incidents/{id}/release", auth.Release, (*Server).release},
		{"POST /incidents/{id}/mute", auth.Tune, (*Server).mute},
		{"POST /mutes/{id}/remove", auth.Tune, (*Server).unmute},
		{"POST /incidents/{id}/state", auth.Note, (*Server).state}, // the Commander, which the desk asks
		{"POST /incidents/{id}/scope", auth.Note, (*Server).setScope},
		{"POST /incidents/{id}/seen", auth.See, (*Server).looked},
		{"POST /incidents/{id}/begin", auth.Handle, (*Server).beginRun},
		{"POST /incidents/{id}/runs/{n}/stop", auth.Handle, (*Server).stopRun},
		{"POST /incidents/{id}/runs/{n}/move", auth.Handle, (*Server).moveRun},
		{"POST /incidents/{id}/runs/{n}/switch", auth.Handle, (*Server).switchRun},
		{"POST /incidents/{id}/watch/longer", auth.Handle, (*Server).watchLonger},
		{"POST /incidents/{id}/watch/end", auth.Handle, (*Server).watchEnd},
		{"GET /incidents/{id}/steps/{n}/{step}", auth.See, (*Server).step},
		{"POST /incidents/{id}/steps/{n}/{step}/take", auth.Note, (*Server).takeStep},
		{"POST /incidents/{id}/steps/{n}/{step}/leave", auth.Note, (*Server).leaveStep},
		{"POST /incidents/{id}/steps/{n}/{step}/done", auth.Note, (*Server).finishStep},
		{"POST /incidents/{id}/steps/{n}/{step}/skip", auth.Note, (*Server).skipStep},
		{"POST /incidents/{id}/steps/{n}/{step}/reopen", auth.Note, (*Server).reopenStep},
		{"POST /incidents/{id}/steps/{n}/{step}/approve", auth.Note, (*Server).approveStep}, // by its role, which the desk asks, here and below
		{"POST /incidents/{id}/steps/{n}/{step}/deny", auth.Note, (*Server).denyStep},
		{"POST /incidents/{id}/steps/{n}/{step}/correct", auth.Note, (*Server).correctAnswer},
		{"POST /incidents/{id}/decisions", auth.Note, (*Server).askDecision},
		{"POST /incidents/{id}/decisions/{n}/choose", auth.Note, (*Server).choose},
		{"POST /incidents/{id}/decisions/{n}/anew", auth.Note, (*Server).chooseAnew},
		{"POST /incidents/{id}/decisions/{n}/withdraw", auth.Note, (*Server).withdrawDecision},
		{"POST /incidents/{id}/questions", auth.Note, (*Server).askQuestion},
		{"POST /incidents/{id}/questions/{n}/answer", auth.Note, (*Server).answerQuestion},
		{"POST /incidents/{id}/questions/{n}/withdraw", auth.Note, (*Server).withdrawQuestion},
		{"POST /incidents/{id}/handovers", auth.Note, (*Server).handOver},
		{"POST /incidents/{id}/handovers/{n}/take", auth.Note, (*Server).takeOver},
		{"POST /incidents/{id}/handovers/{n}/correct", auth.Note, (*Server).correctHandover}, // one's own, which the desk asks
		{"POST /incidents/{id}/handovers/{n}/withdraw", auth.Note, (*Server).withdrawHandover},
		{"POST /incidents/{id}/tasks", auth.Note, (*Server).addTask},
		{"POST /incidents/{id}/tasks/{n}/change", auth.Note, (*Server).changeTask},
		{"POST /incidents/{id}/tasks/{n}/done", auth.Note, (*Server).finishTask},
		{"POST /incidents/{id}/tasks/{n}/drop", auth.Note, (*Server).dropTask},
		{"GET /incidents/{id}/moments/{n}", auth.See, (*Server).lineOfPage},
		{"POST /incidents/{id}/moments/{n}/edit", auth.Note, (*Server).editNote},
		{"POST /incidents/{id}/moments/{n}/pin", auth.Note, (*Server).pinLine},
		{"GET /incidents/{id}/label", auth.See, (*Server).labels},
		{"POST /incidents/{id}/label", auth.Note, (*Server).setLabel},
		{"GET /incidents/{id}/triage", auth.See, (*Server).triage},
		{"POST /incidents/{id}/triage", auth.Handle, (*Server).judge},
		{"POST /incidents/{id}/triage/tune", auth.Tune, (*Server).tune},
		{"GET /incidents/{id}/cause", auth.See, (*Server).cause},
		{"POST /incidents/{id}/cause", auth.Note, (*Server).putCause},
		{"POST /incidents/{id}/lessons", auth.Note, (*Server).putLessons},
		{"POST /incidents/{id}/affected", auth.Note, (*Server).putAffected},
		{"GET /incidents/{id}/files", auth.See, (*Server).files},
		{"POST /incidents/{id}/files", auth.Note, (*Server).addFile},
		{"POST /incidents/{id}/files/{n}/pass", auth.Note, (*Server).passFile},
		{"POST /incidents/{id}/files/{n}/read", auth.Note, (*Server).readFile},
		{"GET /incidents/{id}/related", auth.See, (*Server).related},
		{"POST /incidents/{id}/merge", auth.Handle, (*Server).merge},
		{"POST /incidents/{id}/unmerge", auth.Handle, (*Server).unmerge},
		{"GET /incidents/{id}/review", auth.See, (*Server).meeting},
		{"GET /incidents/{id}/review/calendar", auth.See, (*Server).meetingCalendar},
		{"POST /incidents/{id}/review/call", auth.Note, (*Server).callMeeting},
		{"POST /incidents/{id}/review/held", auth.Note, (*Server).holdMeeting},
		{"POST /incidents/{id}/review/measures", auth.Note, (*Server).addMeasureOf},
		{"GET /review", auth.See, (*Server).reviews},
		{"POST /review/ask", auth.Note, (*Server).askReview},
		{"POST /review/measures", auth.Note, (*Server).addMeasure},
		{"GET /review/measures/{n}", auth.See, (*Server).measure},
		{"POST /review/measures/{n}/step", auth.Note, (*Server).stepMeasure},
		{"POST /review/measures/{n}/change", auth.Note, (*Server).changeMeasure},
		{"POST /review/measures/{n}/link", auth.Note, (*Server).linkMeasure},
		{"GET /review/parts/{part}", auth.See, (*Server).planPart},
		{"POST /review/parts/{part}/read", auth.Note, (*Server).readPart},
		{"POST /review/parts/{part}/approve", auth.Note, (*Server).approvePart},
		{"POST /review/parts/{part}/refuse", auth.Note, (*Server).refusePart},
		{"POST /review/parts/{part}/keep", auth.Playbooks, (*Server).keepPart},
		{"GET /tasks", auth.See, (*Server).tasks},
		{"GET /plan", auth.See, (*Server).planPage},
		{"GET /plan/print", auth.See, (*Server).printPlan},
		{"GET /plan/glossary", auth.See, (*Server).glossary},
		{"POST /plan/import", auth.Playbooks, (*Server).importBook},
		{"GET /plan/{id}", auth.See, (*Server).book},
		{"GET /plan/{id}/export", auth.See, (*Server).exportBook},
		{"GET /plan/{id}/diff", auth.See, (*Server).bookDiff},
		{"GET /plan/{id}/edit", auth.Playbooks, (*Server).askEditBook},
		{"POST /plan/{id}/edit", auth.Playbooks, (*Server).editBook},
		{"POST /plan/{id}/retire", auth.Playbooks, (*Server).retireBook},
		{"POST /plan/{id}/offered", auth.Playbooks, (*Server).takeOffered},
		{"GET /proposals/{id}", auth.See, (*Server).proposalPage},
		{"GET /alerts", auth.See, (*Server).alerts},
		{"GET /alerts/{id}", auth.See, (*Server).alert},
		{"GET /search", auth.SearchLines, (*Server).search},
		{"GET /search/run", auth.SearchLines, (*Server).runSearch},
		{"GET /search/live", auth.SearchLines, (*Server).liveSearch},
		{"GET /search/complete", auth.SearchLines, (*Server).completeQuery},
		{"GET /search/line/{id}", auth.SearchLines, (*Server).line},
		{"GET /search/attach", auth.Handle, (*Server).askAttach}, // and by auth.SearchLines, which the desk asks, here and below
		{"POST /search/attach", auth.Handle, (*Server).attach},
		{"GET /sources", auth.See, (*Server).sources},
		{"GET /agents", auth.See, (*Server).agents},
		{"POST /agents", auth.Hosts, (*Server).inviteAgent},
		{"GET /agents/{id}", auth.See, (*Server).agent},
		{"POST /agents/{id}/revoke", auth.Hosts, (*Server).revokeAgent},
		{"GET /rules", auth.See, (*Server).rules},
		{"GET /rules/{id}", auth.See, (*Server).rule},
		{"GET /habits", auth.See, (*Server).habits},
		{"GET /habits/{id}", auth.See, (*Server).habit},
		{"POST /habits/{id}/forget", auth.Tune, (*Server).forgetHabit},
		{"GET /lists", auth.See, (*Server).lists},
		{"POST /lists", auth.Tune, (*Server).addWatched},
		{"GET /lists/{id}", auth.See, (*Server).list},
		{"POST /lists/{id}/remove", auth.Tune, (*Server).unwatch},
		{"POST /lists/{id}/end", auth.Tune, (*Server).endList},
		{"POST /never", auth.Tune, (*Server).addNever},
		{"GET /calls", auth.See, (*Server).calls},
		{"GET /calls/{id}", auth.See, (*Server).call},
		{"POST /calls/{id}/answer", auth.Ring, (*Server).answer},
		{"POST /calls/{id}/pass", auth.Ring, (*Server).passOn},
		{"POST /calls/{id}/snooze", auth.Ring, (*Server).snooze},
		{"GET /bell", auth.See, (*Server).bellPage},
		{"GET /simulate", auth.See, (*Server).simulate},
		{"POST /maintenance", auth.Team, (*Server).maintain},
		{"POST /maintenance/{id}/end", auth.Team, (*Server).endMaintenance},
		{"POST /policies", auth.Team, (*Server).choosePolicies},
		{"GET /policies/{id}", auth.Team, (*Server).policyPage},
		{"POST /policies/{id}", auth.Team, (*Server).setNamedPolicy},
		{"POST /policies/{id}/end", auth.Team, (*Server).endPolicy},
		{"POST /incidents/{id}/channels", auth.Handle, (*Server).barChannels},
		{"POST /beat/{id}", "", (*Server).takeBeat},
		{"GET /people", auth.See, (*Server).people},
		{"POST /people", auth.Team, (*Server).addPerson},
		{"GET /people/{id}", auth.See, (*Server).person},        // oneself; others by auth.Team
		{"POST /people/{id}/ways", auth.Ask, (*Server).setWays}, // one's own; those of others by auth.Team, which the desk asks
		{"POST /people/{id}", auth.Team, (*Server).changePerson},
		{"POST /people/{id}/invite", auth.Team, (*Server).invite},
		{"POST /people/{id}/factors", auth.Team, (*Server).removeFactors},
		{"POST /people/{id}/link", auth.Team, (*Server).confirmLink},
		{"POST /people/{id}/ring", auth.Ask, (*Server).ringNow}, // oneself; others by auth.TestRing, which the desk asks
		{"POST /people/{id}/key", auth.Ask, (*Server).putKey},   // one's own; those of others by auth.Team, which the desk asks, here and below
		{"POST /people/{id}/key/find", auth.Ask, (*Server).findKey},
		{"POST /people/{id}/key/confirm", auth.Team, (*Server).confirmKey},
		{"POST /people/{id}/key/remove", auth.Team, (*Server).removeKey},
		{"POST /people/{id}/pin", auth.Ask, (*Server).setPIN},
		{"GET /.well-known/openpgpkey/{path...}", "", (*Server).directory},
		{"POST /policy", auth.Team, (*Server).setPolicy},
		{"GET /oncall", auth.See, (*Server).oncall},
		{"POST /oncall", auth.Team, (*Server).addSchedule},
		{"GET /oncall/{id}", auth.See, (*Server).rota}, // with .ics behind the id: its calendar
		{"POST /oncall/{id}", auth.Team, (*Server).changeSchedule},
		{"POST /oncall/{id}/end", auth.Team, (*Server).endSchedule},
		{"POST /oncall/{id}/override", auth.Ring, (*Server).putOverride}, // with oneself in it; of others by auth.Team, which the desk asks, here and below
		{"POST /overrides/{id}/end", auth.Ring, (*Server).endOverride},
		{"POST /absences", auth.Ring, (*Server).putAbsence},
		{"POST /absences/{id}/end", auth.Ring, (*Server).endAbsence},
		{"POST /calendar/renew", auth.Ring, (*Server).renewCalendars},
		{"GET /calendar/{token}", "", (*Server).calendar},
		{"GET /notices", auth.See, (*Server).notices},
		{"POST /notices", auth.Ask, (*Server).askNotice}, // for oneself; for others by auth.Team, which the desk asks, here and below
		{"POST /notices/{id}/remove", auth.Ask, (*Server).endNotice},
		{"POST /notices/{id}/test", auth.Ask, (*Server).testNotice},
		{"GET /incidents/{id}/room", auth.Ring, (*Server).room},
		{"GET /incidents/{id}/report", auth.Note, (*Server).dossier},
		{"POST /incidents/{id}/report", auth.Note, (*Server).makeDossier},
		{"POST /incidents/{id}/exchange", auth.Note, (*Server).makeExchange},
		{"POST /incidents/{id}/room/invite", auth.Handle, (*Server).inviteToRoom},
		{"GET /room", "", (*Server).guestRoom},
		{"GET /webhooks", auth.See, (*Server).webhooks},
		{"POST /webhooks/{id}/test", auth.Hosts, (*Server).testWebhook},
		{"GET /incidents/{id}/updates", auth.Reach, (*Server).updates},
		{"POST /incidents/{id}/updates/send", auth.Inform, (*Server).sendUpdate},
		{"POST /incidents/{id}/updates/told", auth.Inform, (*Server).toldUpdate},
		{"POST /incidents/{id}/updates/waive", auth.Inform, (*Server).waiveUpdate},
		{"POST /incidents/{id}/updates/status", auth.Inform, (*Server).setStatus},
		{"POST /incidents/{id}/updates/link", auth.Inform, (*Server).statusLink},
		{"GET /contacts", auth.Reach, (*Server).contacts},
		{"POST /contacts", auth.Contacts, (*Server).addContact},
		{"POST /contacts/import", auth.Contacts, (*Server).importContacts},
		{"GET /contacts/export", auth.Reach, (*Server).exportContacts},
		{"GET /contacts/card", auth.Reach, (*Server).card},
		{"POST /contacts/card", auth.Contacts, (*Server).changeCard},
		{"GET /contacts/{id}", auth.Reach, (*Server).contact},
		{"POST /contacts/{id}", auth.Contacts, (*Server).changeContact},
		{"POST /contacts/{id}/check", auth.Contacts, (*Server).checkContact},
		{"POST /contacts/{id}/remove", auth.Contacts, (*Server).removeContact},
		{"POST /contacts/{id}/revoke", auth.Inform, (*Server).revokeLinks},
		{"GET /stakeholders", auth.Reach, (*Server).stakeholders},
		{"POST /stakeholders/rules", auth.Contacts, (*Server).addRule},
		{"POST /stakeholders/rules/{id}/end", auth.Contacts, (*Server).endRule},
		{"POST /stakeholders/links", auth.Inform, (*Server).turnLinkKey},
		{"POST /stakeholders/texts", auth.Contacts, (*Server).putText},
		{"POST /stakeholders/texts/{id}/end", auth.Contacts, (*Server).endText},
		{"GET /status/{token}", "", (*Server).status},
		{"GET /ledger", auth.See, (*Server).ledger},
		{"POST /ledger/verify", auth.Verify, (*Server).verify},
		{"GET /rights", auth.See, (*Server).rights},
		{"GET /approvals", auth.See, (*Server).approvals},
		{"POST /approvals/{id}", auth.See, (*Server).approve}, // by who may do it too, which the desk asks
		{"POST /incidents/{id}/role/take", auth.Note, (*Server).takeRole},
		{"POST /incidents/{id}/role/give", auth.Lead, (*Server).giveRole},
		{"POST /incidents/{id}/role/hand", auth.Note, (*Server).handRole}, // one's own; of others by auth.Lead, which the desk asks, here and below
		{"POST /incidents/{id}/role/leave", auth.Note, (*Server).leaveRole},
		{"POST /incidents/{id}/restrict", auth.Restrict, (*Server).restrict},
		{"POST /incidents/{id}/unrestrict", auth.Unrestrict, (*Server).unrestrict},
		{"GET /live", auth.See, (*Server).live},
		{"GET /api", auth.Own, (*Server).operations}, // the operations themselves are below /api/v1, and ask for a token
		{"GET /api/{id}", auth.Own, (*Server).chapter},
		{"GET /break-glass", auth.Sheets, (*Server).sheets},
		{"POST /break-glass", auth.Sheets, (*Server).makeSheets},
		{"GET /me", auth.Own, (*Server).me}, // of oneself, as all below it
		{"POST /me/passkeys/begin", auth.Own, (*Server).beginPasskey},
		{"POST /me/passkeys", auth.Own, (*Server).addPasskey},
		{"POST /me/passkeys/{id}/remove", auth.Own, (*Server).removePasskey},
		{"POST /me/app", auth.Own, (*Server).beginApp},
		{"POST /me/app/confirm", auth.Own, (*Server).addApp},
		{"POST /me/app/remove", auth.Own, (*Server).removeApp},
		{"POST /me/recovery", auth.Own, (*Server).newRecovery},
		{"POST /me/password", auth.Own, (*Server).changePassword},
		{"GET /me/link", auth.Own, (*Server).linkElsewhere},
		{"POST /me/links/{id}/remove", auth.Own, (*Server).unlink},
		{"POST /me/sessions/end", auth.Own, (*Server).endOtherSessions},
		{"POST /me/sessions/{id}/end", auth.Own, (*Server).endSession},
		{"POST /me/tokens", auth.Own, (*Server).makeToken},
		{"POST /me/tokens/{id}/revoke", auth.Own, (*Server).revokeToken},
		{"GET /step-up", auth.Own, (*Server).askStepUp},
		{"POST /step-up", auth.Own, (*Server).proveAgain},
		{"POST /step-up/passkey/begin", auth.Own, (*Server).beginPasskeyAgain},
		{"POST /step-up/passkey", auth.Own, (*Server).proveAgainByPasskey},
		{"POST /sign-out", auth.Own, (*Server).signOut},
		{"GET /sign-in", "", (*Server).askSignIn},
		{"POST /sign-in", "", (*Server).signIn},
		{"POST /sign-in/passkey/begin", "", (*Server).beginPasskeySignIn},
		{"POST /sign-in/passkey", "", (*Server).signInByPasskey},
		{"GET /sign-in/provider", "", (*Server).signInElsewhere},
		{"GET /sign-in/provider/back", "", (*Server).arrives},
		{"GET /sign-in/break-glass", "", (*Server).askGlass},
		{"POST /sign-in/break-glass", "", (*Server).breakGlass},
		{"GET /setup/{token}", "", (*Server).askSetup},
		{"POST /setup/{token}", "", (*Server).setup},
		{"GET /answer/{token}", "", (*Server).openLink},
		{"POST /answer/{token}", "", (*Server).answerLink},
		{"GET /healthz", "", (*Server).health},
		{"/", "", (*Server).missing},
	}...)
}

// Handler returns the console with all its headers.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /static/", ui.Static())
	for _, r := range routes() {
		mux.HandleFunc(r.pattern, func(w http.ResponseWriter, req *http.Request) { s.serve(r, w, req) })
	}
	if rooms := s.desk.RoomHandler(); rooms != nil {
		mux.Handle("/room/", http.StripPrefix("/room", s.located(rooms)))
	}
	if s.o.Programs != nil {
		mux.Handle("/api/v1/", s.o.Programs(s.knock()))
	}
	h := ui.Secure(mux, s.o.TLS && s.o.HSTS == nil)
	if !s.o.TLS || s.o.HSTS == nil {
		return h
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if age := s.o.HSTS(r); age > 0 {
			w.Header().Set("Strict-Transport-Security", "max-age="+strconv.FormatInt(int64(age/time.Second), 10))
		}
		h.ServeHTTP(w, r)
	})
}

// serve asks who it is and whether they may, then handles. A panic costs the request, not the program.
func (s *Server) serve(route route, w http.ResponseWriter, r *http.Request) {
	s = s.today()
	v := s.visit(w, r)
	defer func() {
		if p := recover(); p != nil {
			if p == http.ErrAbortHandler {
				panic(p)
			}
			s.log.Error("a page panicked", "path", r.URL.Path, "panic", p)
			http.Error(w, "Tocsin made a mistake. The program's log says what happened.", http.StatusInternalServerError)
		}
	}()
	if route.need != "" {
		if !v.signed() {
			s.turnAway(v)
			return
		}
		if err := s.may(v, route); err != nil {
			s.fail(v, err)
			return
		}
	}
	if r.Method == http.MethodPost && !readsItself(route.pattern) {
		r.Body = http.MaxBytesReader(w, r.Body, formMost(route.pattern))
		if err := r.ParseForm(); err != nil {
			http.Error(w, "The form is too large or broken.", http.StatusBadRequest)
			return
		}
		_ = http.NewResponseController(w).SetReadDeadline(time.Time{}) // the form has come; its limit would end slow work, such as verifying
	}
	if route.need != "" && (dangerous(route.pattern) || s.liftsRed(v, route.pattern)) {
		if fresh, err := s.fresh(v); err != nil || !fresh {
			if err == nil {
				err = s.stepUp(v)
			}
			if err != nil {
				s.fail(v, err)
			}
			return
		}
	}
	err := route.handle(s, v)
	switch {
	case err == nil:
	case strangerLeft(route.pattern, err):
		s.log.Debug("the connection of a stranger broke off", "page", route.pattern)
	default:
		s.fail(v, err)
	}
}

// formMost is how many bytes a form of a route may have.
func formMost(pattern string) int64 {
	switch pattern {
	case "POST /incidents/{id}/files":
		return desk.FileAtMost + maxFields
	case "POST /plan/{id}/edit", "POST /plan/import", "POST /step-up", "POST /step-up/passkey": // these hold what is to be done after the proof
		return 3*bookMost + maxFields // what is no letter or digit has three bytes in a form
	}
	return maxForm
}

// may says whether who is signed in may use a route: on an incident, a role that they hold in it counts, and a restriction.
func (s *Server) may(v *visit, route route) error {
	if _, path, _ := strings.Cut(route.pattern, " "); strings.HasPrefix(path, "/incidents/{id}") {
		if id, err := number(v.r, "id"); err == nil {
			return s.desk.MayOn(v.actor, route.need, id)
		}
	}
	return auth.May(v.actor, route.need)
}

// turnAway sends who is not signed in to the sign-in, and remembers where they wanted to go. A post is not repeated after
// signing in; the live channel is no place to go to.
func (s *Server) turnAway(v *visit) {
	if v.r.URL.Path == "/live" {
		http.Error(v.w, "Nobody is signed in.", http.StatusUnauthorized)
		return
	}
	to := "/sign-in"
	if v.r.Method == http.MethodGet && v.r.URL.Path != "/" {
		to += "?next=" + url.QueryEscape(v.r.URL.RequestURI())
	}
	http.Redirect(v.w, v.r, to, http.StatusSeeOther)
}

func (s *Server) missing(*visit) error { return errMissing }
