package cli

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
)

// Given a server elsewhere, then searches, traces and what is normal are asked there with the token, and a list is ended only by --all.
func TestAskingElsewhere(t *testing.T) {
	var mu sync.Mutex
	var asked []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body) // of a client that is there
		mu.Lock()
		asked = append(asked, r.Method+" "+r.URL.String()+" "+r.Header.Get("Authorization")+" "+string(b))
		mu.Unlock()
		switch r.URL.Path {
		case "/api/v1/search":
			_, _ = io.WriteString(w, `{"kind":"row","fields":{"raw":"found elsewhere"}}`+"\n"+`{"kind":"summary","query":"x","matched":1,"scanned":{}}`+"\n")
		case "/api/v1/incidents/7/trace":
			_, _ = io.WriteString(w, `{"incident":7,"title":"elsewhere","statements":[]}`)
		case "/api/v1/habits":
			_, _ = io.WriteString(w, `{"habits":[{"realm":"ssh","account":"deploy","signins":3}],"all":1}`)
		default:
			_, _ = io.WriteString(w, `{}`)
		}
	}))
	defer server.Close()
	t.Setenv(tokenName, "tcs_1")
	for _, x := range []struct {
		args, out, asked string
		status           int
	}{
		{"search x --json", "found elsewhere", "POST /api/v1/search Bearer tcs_1", 0},
		{"trace 7", "Incident 7: elsewhere", "POST /api/v1/incidents/7/trace Bearer tcs_1", 0},
		{"habits", "ssh/deploy", "GET /api/v1/habits?from=0&most=500 Bearer tcs_1", 0},
		{"habits reset deploy --why moved", "ssh/deploy", `POST /api/v1/habits/forget Bearer tcs_1 {"realm":"ssh"`, 0},
		{"watch remove --list x", "--all", "", 2},
		{"watch remove --list x --all 203.0.113.9", "--all", "", 2},
		{"watch remove --list x --all", "", `"end":true`, 0},
	} {
		var out, wrong bytes.Buffer
		asked = nil
		status := Main(append(strings.Fields(x.args), "--server", server.URL), Program{Files: os.DirFS("../.."), Out: &out, Err: &wrong})
		if status != x.status || !strings.Contains(out.String()+wrong.String(), x.out) || !strings.Contains(strings.Join(asked, "\n"), x.asked) || x.asked == "" && len(asked) > 0 {
			t.Errorf("%s: %d\n%s%s\nasked %q", x.args, status, &out, &wrong, asked)
		}
	}
}
