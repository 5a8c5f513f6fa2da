package api_test

import (
	"net/http"
	"strings"
	"testing"

	"tocsin/internal/plan"
)

// Given evidence and reports, when they are asked for again under the same key, then they are not told again: no copy of them is kept under it.
func TestNoCopyOfEvidenceIsKeptUnderAKey(t *testing.T) {
	g := elsewhere(t)
	token := g.token(plan.Commander)
	if w := g.ask(token, http.MethodPost, "/incidents/1/attachments", `{"name":"a.log","kind":"log","from":"web-1","bytes":"U0VDUkVU"}`); w.Code != 200 {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	for path, body := range map[string]string{"attachments/1/open": `{}`, "report": `{"format":"md","depth":"executive","audience":"AMBER"}`, "exchange": `{"format":"veris","audience":"AMBER"}`} {
		if w := g.ask(token, http.MethodPost, "/incidents/1/"+path, body, "Idempotency-Key", path); w.Code != 200 {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
		if w := g.ask(token, http.MethodPost, "/incidents/1/"+path, body, "Idempotency-Key", path); w.Code != 409 || !strings.Contains(w.Body.String(), "shown only once") {
			t.Errorf("%s again: %d %s", path, w.Code, w.Body)
		}
	}
}
