package auth

import (
	"strings"
	"testing"
	"time"

	"tocsin/internal/entry"
)

// t0 is a Black Friday.
var t0 = time.Date(2026, 11, 27, 9, 0, 0, 0, time.UTC)

func fold(t *testing.T, b *Approvals, at time.Time, d entry.Draft, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	e, _, err := entry.Make(1, at, d)
	if err != nil {
		t.Fatal(err)
	}
	if known, err := b.Apply(e); err != nil || !known {
		t.Fatalf("folding %s: known %v, %v", d.Kind, known, err)
	}
}

// Given something that was asked for, when people and time decide, then it is approved once, denied, expired, or passes alone.
func TestApprovals(t *testing.T) {
	first := Actor{Name: "person:anna", ID: "anna", Roles: []string{"commander"}, Via: "s1"}
	second := Actor{Name: "person:boris", ID: "boris", Roles: []string{"engineer"}, Via: "s2"}
	asked := entry.Approval{Action: "erase", About: "alert:a", Vault: "v", Hash: "h"}
	nobody := func(*Approval) bool { return true }
	somebody := func(*Approval) bool { return false }
	begin := func(alone bool) *Approvals {
		b := &Approvals{}
		d, err := b.Ask(asked, first, alone, t0)
		fold(t, b, t0, d, err)
		return b
	}
	t.Run("approved once", func(t *testing.T) {
		b := begin(false)
		d, err := b.Decide(second, 1, true, "h", "", Case{}, t0.Add(time.Hour))
		fold(t, b, t0, d, err)
		if x, _ := b.Get(1); x.State != "approved" || x.Decided.Person != "boris" {
			t.Errorf("%+v", x)
		}
		if _, err := b.Decide(second, 1, true, "h", "", Case{}, t0); err == nil || !strings.Contains(err.Error(), "already") {
			t.Errorf("a second time: %v", err)
		}
		x, _ := b.Get(1)
		fold(t, b, t0, x.Done(""), nil)
		if x.State != "done" {
			t.Errorf("state %s", x.State)
		}
	})
	for _, tt := range []struct {
		name string
		by   Actor
		yes  bool
		hash string
		at   time.Time
		says string
	}{
		{"by the same person", first, true, "h", t0, "another person"},
		{"of something else", second, true, "other", t0, "not what was asked"},
		{"too late", second, true, "h", t0.Add(ApprovalLasts), "expired"},
		{"taken back", first, false, "h", t0, ""},
		{"denied", second, false, "h", t0, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := begin(false).Decide(tt.by, 1, tt.yes, tt.hash, "", Case{}, tt.at)
			if (err == nil) != (tt.says == "") || err != nil && !strings.Contains(err.Error(), tt.says) {
				t.Errorf("%v, want %q", err, tt.says)
			}
		})
	}
	for _, tt := range []struct {
		name  string
		alone bool
		after time.Duration
		still func(*Approval) bool
		want  entry.Kind
		again time.Duration
	}{
		{"waits for somebody", false, time.Hour, somebody, "", ApprovalLasts},
		{"nobody came", false, ApprovalLasts, somebody, entry.ApprovalExpired, 0},
		{"alone, too early", true, AloneWaits - 1, nobody, "", AloneWaits},
		{"alone", true, AloneWaits, nobody, entry.ApprovalGiven, 0},
		{"alone, but somebody joined the team", true, AloneWaits, somebody, "", ApprovalLasts},
	} {
		t.Run(tt.name, func(t *testing.T) {
			drafts, again := begin(tt.alone).Owed(t0.Add(tt.after), tt.still)
			got := entry.Kind("")
			if len(drafts) > 0 {
				got = drafts[0].Kind
			}
			if got != tt.want || tt.again > 0 && !again.Equal(t0.Add(tt.again)) {
				t.Errorf("%q, again %v; want %q, %v", got, again, tt.want, t0.Add(tt.again))
			}
		})
	}
	if _, err := begin(false).Ask(asked, first, false, t0); err == nil {
		t.Error("the same was asked twice")
	}
	if _, err := begin(false).Ask(entry.Approval{Action: "note"}, first, false, t0); err == nil {
		t.Error("a note waits for a second person")
	}
}
