package web

import (
	"bufio"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"tocsin/internal/desk"
)

// The limit of time for a request must not end the live channel, whose request has come long before.
func TestLiveOutlivesTheLimitOfRequests(t *testing.T) {
	c := newConsole(t, attacks(), nil)
	c.settled(t)
	anna := c.as(t, "anna")
	slow := httptest.NewUnstartedServer(c.web.Handler())
	slow.Config.ReadTimeout = 300 * time.Millisecond
	slow.Start()
	defer slow.Close()
	defer slow.CloseClientConnections()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, slow.URL+"/live", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.AddCookie(anna.cookie)
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	lines := make(chan string, 100)
	go func() {
		defer close(lines)
		for in := bufio.NewScanner(resp.Body); in.Scan(); {
			lines <- in.Text()
		}
	}()
	time.Sleep(900 * time.Millisecond)
	for len(lines) > 0 {
		<-lines
	}
	if err := c.desk.SetPhase(desk.Local("test"), 1, "containment"); err != nil {
		t.Fatal(err)
	}
	for late := time.After(10 * time.Second); ; {
		select {
		case line, open := <-lines:
			if !open {
				t.Fatal("the live channel ended with the limit of requests")
			}
			if line == "event: changed" {
				return
			}
		case <-late:
			t.Fatal("no ping")
		}
	}
}
