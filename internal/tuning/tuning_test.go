package tuning

import (
	"testing"
	"time"

	"tocsin/internal/entry"
)

// t0 is a Black Friday.
var t0 = time.Date(2026, 11, 27, 9, 0, 0, 0, time.UTC)

func write(t *testing.T, b *Book, n int64, d entry.Draft, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	e, _, err := entry.Make(n, t0, d)
	if err != nil {
		t.Fatal(err)
	}
	if known, err := b.Apply(e); err != nil || !known {
		t.Fatalf("known %v, %v", known, err)
	}
}

func TestSilences(t *testing.T) {
	var b Book
	d, err := b.Add("anna", t0, entry.Mute{Rule: "r1", Address: "a1", Until: t0.Add(time.Hour)})
	write(t, &b, 1, d, err)
	d, err = b.Add("anna", t0, entry.Mute{Rule: "r2", Until: t0.Add(time.Hour)})
	write(t, &b, 2, d, err)
	for _, tt := range []struct {
		name      string
		rule      string
		addresses []string
		at        time.Duration
		want      int64
	}{
		{"the address", "r1", []string{"a1"}, 0, 1},
		{"another address", "r1", []string{"a2"}, 0, 0},
		{"the address among others", "r1", []string{"a1", "a2"}, 0, 0},
		{"no address", "r1", nil, 0, 0},
		{"another rule", "r3", []string{"a1"}, 0, 0},
		{"every address", "r2", []string{"a9"}, 0, 2},
		{"every address, none named", "r2", nil, 0, 2},
		{"over", "r1", []string{"a1"}, time.Hour, 0},
	} {
		if got := b.Silences(t0.Add(tt.at), tt.rule, tt.addresses); got != tt.want {
			t.Errorf("%s: mute %d, want %d", tt.name, got, tt.want)
		}
	}
	d, err = b.Remove("anna", t0, 1)
	write(t, &b, 3, d, err)
	if b.Silences(t0, "r1", []string{"a1"}) != 0 {
		t.Error("a removed mute silences")
	}
	if _, err := b.Remove("anna", t0, 1); err == nil {
		t.Error("removed twice")
	}
}

func TestAddRefuses(t *testing.T) {
	var b Book
	for name, m := range map[string]entry.Mute{
		"no rule":  {Until: t0.Add(time.Hour)},
		"the past": {Rule: "r", Until: t0},
		"too long": {Rule: "r", Until: t0.Add(Longest + time.Second)},
	} {
		if _, err := b.Add("anna", t0, m); err == nil {
			t.Errorf("%s was taken", name)
		}
	}
}

func TestApplyRefusesGaps(t *testing.T) {
	var b Book
	e, _, err := entry.Make(1, t0, entry.Draft{Kind: entry.MuteAdded, Body: entry.Mute{ID: 2}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.Apply(e); err == nil {
		t.Error("mute 2 came before mute 1")
	}
}
