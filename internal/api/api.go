// Package api is what programs may ask of the running server.
//
// Every operation is registered once, with what it takes and answers, the right that it needs (x-tocsin-action) and the routes of the console that
// do the same (x-tocsin-console); from that come the routes, the checks, the OpenAPI 3.1 document and the console's page /api. It is served twice:
//
//   - On a socket in the data folder, below /v1, which only the folder's owner may open (mode 0600): that is the permission. Who acts is the
//     person that the query names (?person=anna), or whoever sits at the machine.
//   - At the console's address, below /api/v1, to whoever has a token: "Authorization: Bearer tcs_...". A token acts as its owner, with the rights
//     of its owner that are in its scope, and asks for nothing that needs a second person. Neither a cookie nor a query is taken for one, so another site
//     cannot use what a browser remembers. Failures are throttled by network, and counted in the ledger as refused sign-ins are.
//
// gate (operation.go) stands before each operation: who asks, whether they may, that the body is not too long, and whether it was asked for before
// (Idempotency-Key; desk/once.go says how that outlives a crash). Then huma holds the body against its schema; unknown members and parameters are
// refused. What is decided is decided by the desk, by the same functions that the console calls. Errors are application/problem+json (RFC 9457).
//
// What the console does and a program cannot is in Excused, with the reason.
package api

import (
	"log/slog"
	"net/http"
	"time"

	"tocsin/internal/desk"
)

// Handler returns all operations below /v1, for the local socket. What is under way ends when quit is closed; nil is never.
func Handler(log *slog.Logger, d *desk.Desk, quit <-chan struct{}) http.Handler {
	t := all(log, d)
	t.quit = quit
	t.mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		if !d.Alive(time.Now()) || d.CannotWrite() != "" {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	})
	return t.mux
}

// SearchHandler returns the operation of searches alone, for a desk that was opened to read.
func SearchHandler(log *slog.Logger, d *desk.Desk) http.Handler {
	t := newTable(log, d)
	searchOperation(t)
	return t.mux
}

// all registers every operation.
func all(log *slog.Logger, d *desk.Desk) *table {
	t := newTable(log, d)
	for _, register := range []func(*table){incidentOperations, roleOperations, commandOperations, decisionOperations, labelOperations, taskOperations, evidenceOperations, dossierOperations, measureOperations, reviewOperations, runOperations, playbookOperations, alertOperations, callOperations, oncallOperations, policyOperations, scheduleOperations, coverOperations, searchOperation, searchOperations,
		ruleOperations, habitOperations, listOperations, agentOperations, webhookOperations, reportOperations, contactOperations, stakeholderOperations, updateOperations, peopleOperations, mailOperations, ownOperations,
		mailKeyOperations, noticeOperations, rightOperations, ledgerOperations} {
		register(t)
	}
	t.finish()
	return t
}
