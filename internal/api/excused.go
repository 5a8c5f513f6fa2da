package api

// Excused are the routes of the console that no operation does, with the reason. A route that is neither here nor named by an operation fails a test.
func Excused() map[string]string {
	const (
		page    = "a page that asks before the act: a program asks by the act itself"
		browse  = "signing in is for people at a browser; programs have tokens"
		link    = "who has the link needs no account: it is for whom it was sent to"
		proof   = "it needs the person's own passkey, app or password, at their browser"
		live    = "for the page that is open; programs are told by webhooks, or follow a search"
		about   = "a page about these operations"
		outside = "for strangers, who have no token: they report and come back by a receipt"
		other   = "a protocol of its own, for other programs than those that use this one"
	)
	return map[string]string{
		"GET /report": outside, "POST /report": outside, "GET /report/thread": outside, "POST /report/thread": outside, "POST /report/answer": outside, "GET /.well-known/security.txt": other,
		"GET /incidents/{id}/close": page, "GET /plan/{id}/edit": page, "GET /proposals/{id}": page,
		"POST /incidents/{id}/triage/tune": "the form of exceptions with the incident's own filled in: a program adds the exception itself", "POST /incidents/{id}/seen": live,
		"GET /search/attach": page, "GET /step-up": browse, "POST /step-up": browse, "POST /step-up/passkey/begin": browse, "POST /step-up/passkey": browse,
		"GET /sign-in": browse, "POST /sign-in": browse, "POST /sign-in/passkey/begin": browse, "POST /sign-in/passkey": browse, "GET /sign-in/provider": browse, "GET /sign-in/provider/back": browse,
		"GET /sign-in/break-glass": browse, "POST /sign-in/break-glass": browse, "POST /sign-out": browse,
		"GET /setup/{token}": link, "POST /setup/{token}": link, "GET /answer/{token}": link, "POST /answer/{token}": link, "GET /calendar/{token}": link, "GET /status/{token}": link, "GET /room": link,
		"POST /me/passkeys/begin": proof, "POST /me/passkeys": proof, "POST /me/app": proof, "POST /me/app/confirm": proof, "POST /me/password": proof, "GET /me/link": proof,
		"GET /live": live, "GET /search/live": live, "GET /search/complete": live,
		"POST /beat/{id}": other, "GET /.well-known/openpgpkey/{path...}": other, "GET /healthz": other,
		"GET /api": about, "GET /api/{id}": about, "/": "what there is not",
	}
}
