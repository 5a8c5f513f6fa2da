// Package api is what programs may ask of the running server. Its first route answers a call; it listens on a socket in
// the data folder that only its owner may open (mode 0600), which is the permission.
//
//	POST /v1/calls/{call}/answer   {"person": "anna"}   -> {"call": 3}
//	POST /v1/calls/{call}/pass     {"person": "anna"}   -> {"call": 3}: the next step rings at once
//	POST /v1/calls/{call}/snooze   {"person": "anna", "lasts_ns": 900000000000} -> {"call": 3}
//	GET  /v1/oncall                                     -> client.OnCall: who would be rung now, and which channels are proven
//	POST /v1/oncall/simulate       client.Simulation    -> client.Moment, a list
//	POST /v1/habits/forget         {"realm": "ssh", "account": "anna", "why": "...", "person": "anna"}   -> {}
//	GET  /v1/rules                                      -> which rules are in use, refused, broken
//	GET  /v1/watch                                      -> the watch lists
//	POST /v1/watch[/import|/remove]  client.Watching    -> client.Watched
//	GET  /v1/never                                      -> the mutes in force
//	POST /v1/never                   client.Never       -> client.Never
//	POST /v1/never/{id}/remove       {"person": "anna"} -> {}
//	GET  /v1/agents                                     -> client.AgentList, its agents without host and gaps
//	GET  /v1/agents/{agent}                             -> client.Agent; {agent} is an id or a name
//	POST /v1/agents                  {"name": "web-1", "valid_ns": 86400000000000, "person": "anna"} -> client.Invitation
//	POST /v1/agents/{agent}/revoke   {"why": "...", "person": "anna"} -> {}
//	GET  /v1/webhooks                                   -> client.WebhookList
//	POST /v1/webhooks/{name}/test    {"person": "anna"} -> {}, or why it was not taken
//	GET  /v1/contacts?person=anna                       -> client.Contact, all of them
//	POST /v1/contacts/import         client.Importing   -> client.ImportedContacts: what would change, or did
//	POST /v1/contacts/export         {"form": "csv", "secrets": false, "person": "anna"} -> client.Exported; csv, vcard or card
//	GET  /v1/schedules?schedule=&days=14&person=anna    -> client.Schedule, all of them
//	GET  /v1/schedules/calendar?schedule=&person=anna      -> client.Exported: iCalendar; without a schedule the person's own duties
//	POST /v1/schedules/overrides        client.Cover       -> client.Covered; with id and end it ends one
//	POST /v1/schedules/absences         client.Cover       -> client.Covered; the same
//	POST /v1/search                  client.Search      -> client.Found, one a line (NDJSON), until all is told or the client goes
//	POST /v1/incidents/{id}/lines    client.Search      -> client.Attached: what it finds is part of the incident from then on
//	POST /v1/incidents/{id}/trace    client.Tracing     -> client.Story
//	POST /v1/export                  client.Search      -> an export of lines (doc/formats/export.md)
//	GET  /v1/rights?person=anna                         -> client.Rights: the table, and who has which role
//	GET  /v1/incidents/{id}/roles?person=anna           -> client.HeldRole, one for each role
//	POST /v1/incidents/{id}/roles    client.RoleChange  -> client.HeldRole, as they are then
//	GET  /v1/approvals?person=anna                      -> client.Approval, newest first
//	GET  /healthz                                       -> 200 while the bell works, else 503
//
// {call} is a number, or "ringing": the one that rings longest. Errors are application/problem+json (RFC 9457).
package api

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strconv"
	"time"

	"tocsin/internal/auth"
	"tocsin/internal/client"
	"tocsin/internal/desk"
	"tocsin/internal/fleet"
	"tocsin/internal/incident"
	"tocsin/internal/oncall"
)

// maxBody is how many bytes a request may have.
const maxBody = 64 << 10

// Handler returns the routes, for the local socket.
func Handler(log *slog.Logger, d *desk.Desk) http.Handler {
	mux := http.NewServeMux()
	for _, r := range append(slices.Concat(listRoutes(d), agentRoutes(d), webhookRoutes(d), contactRoutes(d), oncallRoutes(d), scheduleRoutes(d), rightRoutes(d)), route{"POST /v1/calls/{call}/answer", func(w http.ResponseWriter, r *http.Request) (any, error) {
		id, err := answer(d, w, r)
		return client.Answered{Call: id}, err
	}}, route{"POST /v1/habits/forget", func(w http.ResponseWriter, r *http.Request) (any, error) {
		return struct{}{}, forget(d, w, r)
	}}, route{"POST /v1/incidents/{id}/lines", func(w http.ResponseWriter, r *http.Request) (any, error) {
		n, err := attach(d, w, r)
		return client.Attached{Lines: n}, err
	}}, route{"POST /v1/incidents/{id}/trace", func(w http.ResponseWriter, r *http.Request) (any, error) { return traced(d, w, r) }}) {
		mux.HandleFunc(r.pattern, func(w http.ResponseWriter, req *http.Request) {
			out, err := r.handle(w, req)
			if err != nil {
				problem(log, w, err)
				return
			}
			w.Header().Set("Content-Type", "application/json")
			if err := json.NewEncoder(w).Encode(out); err != nil {
				log.Debug("answering on the socket", "error", err)
			}
		})
	}
	mux.Handle("POST /v1/search", SearchHandler(log, d))
	mux.HandleFunc("POST /v1/export", func(w http.ResponseWriter, r *http.Request) {
		if err := export(log, d, w, r); err != nil {
			problem(log, w, err)
		}
	})
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		if !d.Alive(time.Now()) || d.CannotWrite() != "" {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	})
	return mux
}

// A route answers with a value that becomes JSON, or an error that becomes a problem.
type route struct {
	pattern string
	handle  func(http.ResponseWriter, *http.Request) (any, error)
}

// read decodes a request's body, strictly.
func read(w http.ResponseWriter, r *http.Request, most int64, into any) error {
	dec := json.NewDecoder(http.MaxBytesReader(w, r.Body, most))
	dec.DisallowUnknownFields()
	if err := dec.Decode(into); err != nil {
		return fmt.Errorf("the request is not the JSON object that was expected: %w", err)
	}
	return nil
}

// readFrom decodes a request's body, of which person is a part, and says who asks.
func readFrom(d *desk.Desk, w http.ResponseWriter, r *http.Request, into any, person *string) (auth.Actor, error) {
	if err := read(w, r, maxBody, into); err != nil {
		return auth.Actor{}, err
	}
	return actorOf(d, *person)
}

// actorOf is the person who asks, or whoever sits at this machine.
func actorOf(d *desk.Desk, person string) (auth.Actor, error) {
	if person == "" {
		return desk.Local("command"), nil
	}
	p, ok := d.Person(person)
	if !ok {
		return auth.Actor{}, fmt.Errorf("nobody on the team has the id %q", person)
	}
	return desk.Actor(p), nil
}

var errNothingRings = errors.New("no call is ringing")

func answer(d *desk.Desk, w http.ResponseWriter, r *http.Request) (int64, error) {
	var body struct {
		Person string `json:"person"`
	}
	actor, err := readFrom(d, w, r, &body, &body.Person)
	if err != nil {
		return 0, err
	}
	id, err := pick(d, r.PathValue("call"))
	if err != nil {
		return 0, err
	}
	return id, d.Answer(actor, id, "command")
}

func forget(d *desk.Desk, w http.ResponseWriter, r *http.Request) error {
	var body struct {
		Realm   string `json:"realm"`
		Account string `json:"account"`
		Why     string `json:"why"`
		Person  string `json:"person"`
	}
	actor, err := readFrom(d, w, r, &body, &body.Person)
	if err != nil {
		return err
	}
	return d.ForgetHabit(actor, body.Realm, body.Account, body.Why)
}

func pick(d *desk.Desk, name string) (int64, error) {
	if name == "ringing" {
		rs := d.Ringing(desk.Local("command"))
		if len(rs) == 0 {
			return 0, errNothingRings
		}
		for _, r := range rs {
			if !r.Test {
				return r.ID, nil
			}
		}
		return rs[0].ID, nil
	}
	id, err := strconv.ParseInt(name, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("%q is not the number of a call", name)
	}
	return id, nil
}

// problem maps an error to RFC 9457, in one place.
func problem(log *slog.Logger, w http.ResponseWriter, err error) {
	status := http.StatusBadRequest
	switch {
	case errors.Is(err, oncall.ErrAnswered), errors.Is(err, oncall.ErrPassed), errors.Is(err, oncall.ErrRests), errors.Is(err, errNothingRings):
		status = http.StatusConflict
	case errors.Is(err, desk.ErrNoHabit), errors.Is(err, fleet.ErrNoAgent), errors.Is(err, incident.ErrNotFound), errors.Is(err, auth.ErrNoApproval):
		status = http.StatusNotFound
	case errors.Is(err, desk.ErrBroken):
		status = http.StatusServiceUnavailable
	}
	if _, ok := errors.AsType[auth.Refusal](err); ok {
		status = http.StatusForbidden
	}
	if _, ok := errors.AsType[auth.Closed](err); ok {
		status = http.StatusForbidden
	}
	if _, ok := errors.AsType[desk.Asked](err); ok {
		status = http.StatusAccepted
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	if err := json.NewEncoder(w).Encode(map[string]any{"status": status, "title": http.StatusText(status), "detail": err.Error()}); err != nil {
		log.Debug("answering on the socket", "error", err)
	}
}
