package cli

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"tocsin/internal/client"
	"tocsin/internal/record"
)

// Given an agent that was refused and lost lines, when it is shown, then the reasons stand in order, and each loss once, those that are written down first.
func TestAgentIsShown(t *testing.T) {
	at := time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)
	host, err := json.Marshal(record.Host{System: "Debian\x1b[2J", Gaps: []record.Gap{
		{File: "/a.log", From: 5, To: 12, Why: "told again"}, {File: "/b.log", From: 1, To: 2, Why: "not written down"}}})
	if err != nil {
		t.Fatal(err)
	}
	a := client.Agent{ID: "agent-1", Name: "web-1", Host: host, Refused: map[string]int64{"unknown": 1, "busy": 2, "replaced": 3, "changed": 4},
		Gaps: []client.Loss{{File: "/a.log", From: 5, To: 9, Since: at, Until: at.Add(time.Minute), Told: at.Add(time.Hour), Why: "it was removed"}}}
	var first bytes.Buffer
	if err := sayAgent(&first, a); err != nil {
		t.Fatal(err)
	}
	for range 10 {
		var again bytes.Buffer
		if err := sayAgent(&again, a); err != nil || again.String() != first.String() {
			t.Fatalf("it is shown otherwise: %s, %v", again.String(), err)
		}
	}
	text := first.String()
	behind := -1
	for _, want := range []string{"2 times: busy", "4 times: changed", "3 times: replaced", "1 times: unknown",
		"/a.log from 5 to 9, between 2026-11-28 12:00 and 2026-11-28 12:01: it was removed (told 2026-11-28 13:00)", "/b.log from 1 to 2, between - and -: not written down"} {
		next := strings.Index(text, want)
		if next <= behind {
			t.Errorf("%q is missing or in the wrong place:\n%s", want, text)
		}
		behind = next
	}
	if strings.Contains(text, "told again") || strings.Contains(text, "\x1b") {
		t.Errorf("%s", text)
	}
}
