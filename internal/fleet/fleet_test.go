package fleet

import (
	"testing"
	"time"

	"tocsin/internal/entry"
)

// t0 is a Black Friday.
var t0 = time.Date(2026, 11, 27, 9, 0, 0, 0, time.UTC)

func TestOwed(t *testing.T) {
	var b Book
	at := func(d time.Duration, last time.Time, want entry.Kind, wantAgain time.Time) {
		t.Helper()
		drafts, again := b.Owed([]Heard{{Hash: "a", Vault: "v", Last: last, Limit: time.Hour}, {Hash: "free", Last: t0}}, t0.Add(d))
		if !again.Equal(wantAgain) {
			t.Errorf("at %v again %v, want %v", d, again, wantAgain)
		}
		if want == "" {
			if len(drafts) != 0 {
				t.Errorf("at %v owed %v", d, drafts)
			}
			return
		}
		if len(drafts) != 1 || drafts[0].Kind != want {
			t.Fatalf("at %v owed %v, want %s", d, drafts, want)
		}
		e, _, err := entry.Make(1, t0.Add(d), drafts[0])
		if err != nil {
			t.Fatal(err)
		}
		if known, err := b.Apply(e); err != nil || !known {
			t.Fatalf("known %v, %v", known, err)
		}
	}
	at(59*time.Minute, t0, "", t0.Add(time.Hour))
	at(time.Hour, t0, entry.SourceSilent, time.Time{})
	at(2*time.Hour, t0, "", time.Time{}) // told once
	spoke := t0.Add(3 * time.Hour)
	at(3*time.Hour, spoke, entry.SourceBack, spoke.Add(time.Hour))
	at(3*time.Hour, spoke, "", spoke.Add(time.Hour))
	if len(b.Silent) != 0 {
		t.Errorf("silent: %v", b.Silent)
	}
}
