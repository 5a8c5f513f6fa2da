package api_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"tocsin/internal/agent"
	"tocsin/internal/api"
	"tocsin/internal/client"
	"tocsin/internal/desk"
	"tocsin/internal/disk"
	"tocsin/internal/record"
)

// hearing starts a desk that hears agents, and returns a client of its routes and the address for agents.
func hearing(t *testing.T) (*client.Client, string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	set, err := shopRules()
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.DiscardHandler)
	d, err := desk.Open(log, desk.Options{Version: "test", Ballast: 1 << 16, Rules: set.Rules, Data: disk.NewLossy(), Keys: disk.NewLossy(), URL: "http://localhost", Hub: &desk.HubOptions{Listener: l, Address: l.Addr().String()}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan error, 1)
	go func() { ended <- d.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Errorf("the desk ended: %v", err)
		}
		_ = d.Close()
	})
	return client.Of(api.Handler(log, d, nil)), "https://" + l.Addr().String()
}

// says sends what an agent says of its host.
func says(t *testing.T, id agent.Identity, h record.Host) {
	t.Helper()
	key, err := x509.ParsePKCS8PrivateKey(id.Key)
	if err != nil {
		t.Fatal(err)
	}
	tr := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true, Certificates: []tls.Certificate{{Certificate: [][]byte{id.Certificate}, PrivateKey: key}}}}
	defer tr.CloseIdleConnections()
	b, err := json.Marshal(h)
	if err != nil {
		t.Fatal(err)
	}
	got, err := (&http.Client{Transport: tr}).Post(id.URL+"/agent/v1/state", "application/json", bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	got.Body.Close()
	if got.StatusCode != http.StatusOK {
		t.Fatal(got.Status)
	}
}

// Given an agent that says much of its host and that lines were lost, then the list has neither, and what is shown of it has both, by id and by name.
func TestAgentsThroughTheSocket(t *testing.T) {
	c, url := hearing(t)
	i, err := c.InviteAgent(t.Context(), "web-1", time.Hour, "")
	if err != nil {
		t.Fatal(err)
	}
	id, err := agent.Join(t.Context(), t.TempDir(), url, i.Token, "", "")
	if err != nil {
		t.Fatal(err)
	}
	since := time.Now().Add(-time.Hour).UTC().Truncate(time.Second)
	gap := record.Gap{File: "/var/log/access.log", From: 5, To: 9, Since: since, Until: since.Add(time.Minute), Why: "it was removed"}
	says(t, id, record.Host{System: strings.Repeat("Debian ", 100), Gaps: []record.Gap{gap}})
	var a client.Agent
	for end := time.Now().Add(30 * time.Second); len(a.Gaps) == 0; time.Sleep(10 * time.Millisecond) {
		if a, err = c.Agent(t.Context(), "web-1"); err != nil || time.Now().After(end) {
			t.Fatalf("%+v, %v", a, err)
		}
	}
	var h record.Host
	if err := json.Unmarshal(a.Host, &h); err != nil || !strings.HasPrefix(h.System, "Debian") || len(a.Gaps) != 1 || a.Gaps[0].To != 9 || !a.Gaps[0].Since.Equal(since) || a.Gaps[0].Why != gap.Why || a.Gaps[0].Told.IsZero() {
		t.Errorf("%+v, %v", a, err)
	}
	if b, err := c.Agent(t.Context(), a.ID); err != nil || b.Name != "web-1" || len(b.Host) == 0 {
		t.Errorf("by its id: %+v, %v", b, err)
	}
	all, err := c.Agents(t.Context())
	if err != nil || len(all.Agents) != 1 || all.Agents[0].ID != a.ID || len(all.Agents[0].Host)+len(all.Agents[0].Gaps) > 0 {
		t.Errorf("%+v, %v", all, err)
	}
	if _, err := c.Agent(t.Context(), "nobody"); err == nil || !strings.Contains(err.Error(), "no such agent") {
		t.Errorf("%v", err)
	}
	if err := c.RevokeAgent(t.Context(), "nobody", "", ""); err == nil {
		t.Error("nobody is revoked")
	}
}
