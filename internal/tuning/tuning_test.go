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
	hour := t0.Add(time.Hour)
	for n, m := range []entry.Mute{
		{Rule: "r1", Address: "a1", Until: hour},
		{Rule: "r2", Until: hour},
		{Address: "a5", Until: hour},
		{Network: "n24", Bits: 24, Until: hour},
		{Account: "backup", Until: hour},
		{Rule: "r7", Network: "n24", Bits: 24, Account: "x", Until: hour},
		{Address: "a8", Account: "y", Until: hour},
	} {
		d, err := b.Add("anna", t0, m)
		write(t, &b, int64(n+1), d, err)
	}
	net := map[int]string{24: "n24"}
	for _, tt := range []struct {
		name      string
		rule      string
		addresses []Place
		accounts  []string
		at        time.Duration
		want      int64
	}{
		{"the address", "r1", []Place{{"a1", nil}}, nil, 0, 1},
		{"another address", "r1", []Place{{"a2", nil}}, nil, 0, 0},
		{"the address among others", "r1", []Place{{"a1", nil}, {"a2", nil}}, nil, 0, 0},
		{"no address", "r1", nil, nil, 0, 0},
		{"another rule", "r3", []Place{{"a1", nil}}, nil, 0, 0},
		{"every address", "r2", []Place{{"a9", nil}}, nil, 0, 2},
		{"every address, none named", "r2", nil, nil, 0, 2},
		{"over", "r1", []Place{{"a1", nil}}, nil, time.Hour, 0},
		{"an address, every rule", "r3", []Place{{"a5", nil}}, []string{"anna"}, 0, 3},
		{"a network", "r3", []Place{{"a6", net}, {"a7", net}}, nil, 0, 4},
		{"a network and an address of it", "r3", []Place{{"a5", nil}, {"a7", net}}, nil, 0, 3},
		{"somebody outside of the network", "r3", []Place{{"a6", net}, {"a9", map[int]string{24: "other"}}}, nil, 0, 0},
		{"an account", "r3", []Place{{"a9", nil}}, []string{"backup"}, 0, 5},
		{"an account among others", "r3", []Place{{"a9", nil}}, []string{"backup", "anna"}, 0, 0},
		{"rule, network and account", "r7", []Place{{"a6", map[int]string{24: "n24"}}}, []string{"x"}, 0, 6},
		{"address and account", "r3", []Place{{"a8", nil}}, []string{"y"}, 0, 7},
		{"address with another account", "r3", []Place{{"a8", nil}}, []string{"z"}, 0, 0},
		{"address and account, and one more address", "r3", []Place{{"a8", nil}, {"a9", nil}}, []string{"y"}, 0, 0},
	} {
		if got := b.Silences(t0.Add(tt.at), tt.rule, Parties{tt.addresses, tt.accounts}); got != tt.want {
			t.Errorf("%s: mute %d, want %d", tt.name, got, tt.want)
		}
	}
	if bits := b.Bits(t0); len(bits) != 1 || bits[0] != 24 || len(b.Bits(hour)) != 0 {
		t.Errorf("prefixes %v", bits)
	}
	d, err := b.Remove("anna", t0, 1)
	write(t, &b, 9, d, err)
	if b.Silences(t0, "r1", Parties{Addresses: []Place{{"a1", nil}}}) != 0 {
		t.Error("a removed mute silences")
	}
	if _, err := b.Remove("anna", t0, 1); err == nil {
		t.Error("removed twice")
	}
}

// Every alert that a mute kept quiet is counted with it.
func TestSuppressedAlertsAreCounted(t *testing.T) {
	var b Book
	d, err := b.Add("anna", t0, entry.Mute{Rule: "r1", Until: t0.Add(time.Hour)})
	write(t, &b, 1, d, err)
	for n, mute := range []int64{1, 0, 1, 7} {
		e, _, err := entry.Make(int64(n+2), t0.Add(time.Minute), entry.Draft{Kind: entry.AlertRaised, Body: entry.Alert{Title: `"mute":1`, Mute: mute}})
		if err != nil {
			t.Fatal(err)
		}
		if known, err := b.Apply(e); known || err != nil {
			t.Fatalf("known %v, %v", known, err)
		}
	}
	if m := b.Mutes[0]; m.Suppressed != 2 || !m.Last.Equal(t0.Add(time.Minute)) {
		t.Errorf("%d alerts, the last at %v", m.Suppressed, m.Last)
	}
}

func TestAddRefuses(t *testing.T) {
	var b Book
	for name, m := range map[string]entry.Mute{
		"nobody":   {Until: t0.Add(time.Hour)},
		"the past": {Rule: "r", Until: t0},
		"too long": {Rule: "r", Until: t0.Add(Longest + time.Second)},
		"a year":   {Address: "a", Until: t0.Add(LongestParty + time.Second)},
		"both":     {Address: "a", Network: "n", Bits: 24, Until: t0.Add(time.Hour)},
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
