package web

import (
	"net/http/httptest"
	"testing"
	"time"

	"tocsin/internal/signin"
)

// Given wrong tokens from a network, then it waits with tokens, and with nothing else.
func TestWrongTokensMakeNobodyWaitWhoSignsIn(t *testing.T) {
	s := &Server{throttle: signin.NewThrottle(), tokens: signin.NewThrottle(), quit: make(chan struct{})}
	r := httptest.NewRequest("GET", "/api/v1/incidents", nil)
	r.RemoteAddr = "203.0.113.9:4711"
	k, waits := s.knock(), false
	for range 50 {
		waits = k.Failed(r) > 0
	}
	if wait := s.throttle.Allow(time.Now(), "anna", s.address(r)); !waits || wait > 0 {
		t.Errorf("tokens wait: %v; who signs in waits %v", waits, wait)
	}
}
