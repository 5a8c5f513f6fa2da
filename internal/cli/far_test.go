package cli

import (
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tocsin/internal/config"
)

// farServer answers as an OpenID provider, an ACME server and Slack do.
func farServer(t *testing.T) (server *httptest.Server, ca string) {
	mux := http.NewServeMux()
	server = httptest.NewTLSServer(mux)
	t.Cleanup(server.Close)
	mux.HandleFunc("/.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, `{"issuer":%q,"jwks_uri":"x","token_endpoint":"y"}`, server.URL)
	})
	mux.HandleFunc("/other/.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintf(w, `{"issuer":%q}`, server.URL) })
	mux.HandleFunc("/directory", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{"newOrder":"x"}`) })
	mux.HandleFunc("/api/auth.test", func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer xoxb-good" {
			fmt.Fprint(w, `{"ok":false,"error":"invalid_auth"}`)
			return
		}
		fmt.Fprint(w, `{"ok":true,"team":"Shop","user":"tocsin"}`)
	})
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		t.Errorf("the doctor sent %s %s", r.Method, r.URL.Path)
	})
	ca = filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	return server, ca
}

// The doctor asks far sides without sending anything, and says what was proved and what was not.
func TestDoctorAsksFarSides(t *testing.T) {
	far, ca := farServer(t)
	over := far.Client().Transport
	for name, c := range map[string]struct {
		ask  func() (string, error)
		want string // "!" before what an error says
	}{
		"a provider":                 {func() (string, error) { return discovery(t.Context(), over, far.URL) }, "answers"},
		"a provider of another name": {func() (string, error) { return discovery(t.Context(), over, far.URL+"/other") }, "!to the letter"},
		"an ACME server":             {func() (string, error) { return acmeDirectory(t.Context(), far.URL+"/directory", ca) }, "answers"},
		"no ACME server": {func() (string, error) {
			return acmeDirectory(t.Context(), far.URL+"/.well-known/openid-configuration", ca)
		}, "!newOrder"},
		"Slack":                    {func() (string, error) { return slackTest(t.Context(), over, far.URL+"/api/", "xoxb-good") }, "Shop"},
		"Slack with another token": {func() (string, error) { return slackTest(t.Context(), over, far.URL+"/api/", "xoxb-bad") }, "!invalid_auth"},
		"a gateway":                {func() (string, error) { return greetTLS(t.Context(), far.URL+"/secret?to={{to}}", ca) }, "certificate holds"},
		"one that is not trusted":  {func() (string, error) { return greetTLS(t.Context(), far.URL+"/secret", "") }, "!TLS does not hold"},
		"one that is not there":    {func() (string, error) { return greetTLS(t.Context(), "https://127.0.0.1:1/secret", "") }, "!cannot be reached"},
	} {
		says, err := c.ask()
		want, bad := strings.CutPrefix(c.want, "!")
		if err != nil {
			says = err.Error()
		}
		if bad != (err != nil) || !strings.Contains(says, want) || strings.Contains(says, "secret") || strings.Contains(says, "xoxb") {
			t.Errorf("%s: %q, %v; want %q", name, says, err, c.want)
		}
	}
}

func TestDoctorChecksWhatIsSetUp(t *testing.T) {
	far, ca := farServer(t)
	s := settings{Config: config.Default()}
	if found := (Program{}).examineFar(t.Context(), s); len(found) != 0 {
		t.Errorf("nothing is set up, and was asked: %+v", found)
	}
	s.Config.SMS = config.SMS{URL: far.URL + "/{{to}}/{{text}}", CAFile: ca}
	s.Config.Webhooks = []config.Hook{{Name: "x", URL: "https://127.0.0.1:1/token"}}
	found := (Program{}).examineFar(t.Context(), s)
	if len(found) != 2 || !found[0].OK || found[1].OK || found[1].Mend == "" || strings.Contains(found[1].Says, "token") {
		t.Errorf("%+v", found)
	}
}
