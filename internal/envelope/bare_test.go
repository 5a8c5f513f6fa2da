package envelope

import (
	"strings"
	"testing"
)

// Given somebody to whom nothing can be encrypted, then each kind of message says in words of its own what to do, and nothing of what it was to say.
func TestBareWords(t *testing.T) {
	seen := map[string]bool{}
	for kind, says := range map[Bare]string{IncidentNeeds: "incident needs you", NoticeWaits: "notice", ChangeTold: "tell your team at once if it was not you", UpdateWaits: "Call us"} {
		p := bare(Plain{Subject: "a passkey of anna", Body: "a passkey of anna was added"}, kind, "https://console.example/me")
		if strings.Contains(p.Subject+p.Body, "passkey") || !strings.Contains(p.Body, says) || seen[p.Subject] {
			t.Errorf("%s:\n%s\n%s", kind, p.Subject, p.Body)
		}
		if strings.Contains(p.Body, "https://console.example/me") != (kind != UpdateWaits) {
			t.Errorf("%s: where to sign in is told to who has no account, or to nobody:\n%s", kind, p.Body)
		}
		seen[p.Subject] = true
	}
}
