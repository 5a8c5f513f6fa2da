package desk

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"tocsin/internal/auth"
	"tocsin/internal/detect"
	"tocsin/internal/disk"
	"tocsin/internal/entry"
	"tocsin/internal/intake"
	"tocsin/internal/record"
	"tocsin/internal/sigma"
)

// strangeRule tells of a country that is new for an account.
const strangeRule = `title: New country
id: 11111111-1111-4111-8111-000000000077
status: test
level: medium
logsource: {category: authentication}
detection: {s: {habit.country: new}, condition: s}
tocsin: {account: victim, quiet: 1h}
`

// accepted is an SSH sign-in so many days after the first of November 2025.
func accepted(day int, account, from string) string {
	at := time.Date(2025, 11, 1, 9, 0, 0, 0, time.UTC).AddDate(0, 0, day)
	return fmt.Sprintf("%s shop1 sshd[12]: Accepted publickey for %s from %s port 5 ssh2: ED25519 SHA256:x", at.Format(time.RFC3339), account, from)
}

func (h *house) learns(d *Desk, lines ...string) {
	h.t.Helper()
	b := record.Batch{Received: time.Now()}
	for _, l := range lines {
		b.Lines = append(b.Lines, record.Line{File: "/log/auth.log", Raw: l})
	}
	if _, err := d.keep(b); err != nil {
		h.t.Fatal(err)
	}
	h.soon(func() bool { return d.Reading().Lag() == 0 })
}

func habitHouse(t *testing.T) *house {
	h := newHouse(t)
	geo, err := intake.ReadGeo(strings.NewReader(sigma.SampleCountries))
	if err != nil {
		t.Fatal(err)
	}
	h.o.Geo, h.o.Rules = geo, testRules(t, strangeRule).Rules
	return h
}

func ofAccount(t *testing.T, d *Desk, realm, name string) (detect.Habit, bool) {
	t.Helper()
	for _, x := range d.Habits() {
		if x.Realm == realm && x.Account == name {
			return x, true
		}
	}
	return detect.Habit{}, false
}

// Habits outlive a change of rules and the loss of what is derived, and no line teaches twice.
func TestHabitsOutliveRules(t *testing.T) {
	h := habitHouse(t)
	d, stop := h.start()
	for day := range 6 {
		h.learns(d, accepted(day, "deploy", "192.0.2.7"))
	}
	stop()
	for _, x := range []struct {
		name   string
		before func()
	}{
		{"a plain restart", func() {}},
		{"other rules", func() { h.o.Rules = testRules(t, strangeRule, countRule).Rules }},
		{"nothing derived", func() {
			if err := h.data.Remove(readerFile); err != nil {
				t.Fatal(err)
			}
		}},
	} {
		x.before()
		d, stop := h.start()
		h.soon(func() bool { return d.Reading().Lag() == 0 })
		got, ok := ofAccount(t, d, "ssh", "deploy")
		if !ok || got.Signins != 6 || got.Days != 6 || got.Learning {
			t.Errorf("%s: %v %+v", x.name, ok, got)
		}
		h.want(d, entry.AlertRaised, 0)
		stop()
	}
	offline, err := ReadHabits(h.data)
	if err != nil || len(offline) != 1 || offline[0].Signins != 6 {
		t.Errorf("read beside it: %v %+v", err, offline)
	}
	d, stop = h.start()
	defer stop()
	h.learns(d, accepted(7, "deploy", "198.51.100.7"))
	h.soon(func() bool { return h.entries(d)[entry.AlertRaised] == 1 })
	_, ref := h.alertOf(d, "11111111-1111-4111-8111-000000000077")
	full, err := d.Details(ref)
	if want := "first sign-in of deploy (ssh) from Brazil; 6 from Germany in 30 days"; err != nil || !strings.HasPrefix(full.Why, want) {
		t.Errorf("the alert says %q, %v", full.Why, err)
	}
	for e, err := range d.ledger.Entries(1) {
		if err != nil || strings.Contains(string(e.Body), "Brazil") || strings.Contains(string(e.Body), "deploy") {
			t.Errorf("the ledger holds the alert's words: %s %v", e.Body, err)
		}
	}
}

func TestForgetHabit(t *testing.T) {
	h := habitHouse(t)
	d, stop := h.start()
	for day := range 6 {
		h.learns(d, accepted(day, "deploy", "192.0.2.7"), accepted(day, "backup", "192.0.2.9"))
	}
	stop() // what is written now is older than the order below
	older := map[string][]byte{}
	for _, name := range []string{readerFile, habitsFile} {
		b, err := disk.ReadFile(h.data, name)
		if err != nil {
			t.Fatal(err)
		}
		older[name] = b
	}
	d, stop = h.start()
	reader := auth.Actor{Name: "person:rita", ID: "rita", Roles: []string{"reader"}}
	if _, ok := errors.AsType[auth.Refusal](d.ForgetHabit(reader, "ssh", "deploy", "because")); !ok {
		t.Error("a reader may forget")
	}
	if err := d.ForgetHabit(Local("test"), "ssh", "deploy", " "); err == nil {
		t.Error("it is forgotten without a reason")
	}
	if err := d.ForgetHabit(Local("test"), "ftp", "deploy", "because"); !errors.Is(err, ErrNoHabit) {
		t.Errorf("an account of which nothing is known: %v", err)
	}
	h.want(d, entry.HabitForgotten, 0)
	if err := d.ForgetHabit(Local("test"), "ssh", "deploy", "the account was abused"); err != nil {
		t.Fatal(err)
	}
	forgotten := func(when string) {
		t.Helper()
		if _, ok := ofAccount(t, d, "ssh", "deploy"); ok {
			t.Errorf("%s: it is remembered", when)
		}
		if x, ok := ofAccount(t, d, "ssh", "backup"); !ok || x.Signins != 6 {
			t.Errorf("%s: another account: %v %+v", when, ok, x)
		}
		h.want(d, entry.HabitForgotten, 1)
	}
	forgotten("at once")
	if offline, err := ReadHabits(h.data); err != nil || len(offline) != 1 {
		t.Errorf("beside it: %v %+v", err, offline)
	}
	for e, err := range d.ledger.Entries(1) {
		if err != nil || strings.Contains(string(e.Body), "deploy") || strings.Contains(e.Subject, "deploy") || strings.Contains(string(e.Body), "abused") {
			t.Errorf("the ledger names the account: %s %v", e.Body, err)
		}
	}
	stop()
	for name, b := range older {
		if err := disk.Replace(h.data, name, b); err != nil {
			t.Fatal(err)
		}
	}
	d, stop = h.start()
	forgotten("after a restart on an older state")
	h.learns(d, accepted(8, "deploy", "192.0.2.7"))
	if x, ok := ofAccount(t, d, "ssh", "deploy"); !ok || x.Signins != 1 {
		t.Errorf("it is not learnt anew: %v %+v", ok, x)
	}
	stop()
	d, stop = h.start()
	defer stop()
	if x, ok := ofAccount(t, d, "ssh", "deploy"); !ok || x.Signins != 1 {
		t.Errorf("what was learnt after the order is forgotten too: %v %+v", ok, x)
	}
}

// A file of habits that cannot be read stops nothing: it is named, set aside, and learning begins anew.
func TestDamagedHabits(t *testing.T) {
	for name, damage := range map[string]func([]byte) []byte{
		"cut":         func(b []byte) []byte { return b[:len(b)-3] },
		"empty":       func([]byte) []byte { return nil },
		"another":     func([]byte) []byte { return []byte("hello\nworld") },
		"a newer one": func(b []byte) []byte { return []byte(strings.Replace(string(b), `"form":1`, `"form":9`, 1)) },
		"flipped":     func(b []byte) []byte { b[len(b)/2] ^= 0xff; b[len(b)/3] ^= 0xff; return b },
	} {
		h := habitHouse(t)
		d, stop := h.start()
		for day := range 6 {
			h.learns(d, accepted(day, "deploy", "192.0.2.7"))
		}
		stop()
		b, err := disk.ReadFile(h.data, habitsFile)
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(disk.Replace(h.data, habitsFile, damage(b)), h.data.Remove(readerFile)); err != nil {
			t.Fatal(err)
		}
		if _, err := ReadHabits(h.data); err == nil && name != "flipped" {
			t.Errorf("%s: it is read beside the server", name)
		}
		d, stop = h.start()
		h.soon(func() bool { return d.Reading().Lag() == 0 })
		if x, ok := ofAccount(t, d, "ssh", "deploy"); name != "flipped" && (!ok || x.Signins != 6) { // read again from the archive
			t.Errorf("%s: %v %+v", name, ok, x)
		}
		stop()
		if _, err := h.data.Stat(habitsFile + ".damaged"); err != nil && name != "flipped" {
			t.Errorf("%s: it is not set aside: %v", name, err)
		}
	}
}
