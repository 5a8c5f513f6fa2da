package desk

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"tocsin/internal/auth"
	"tocsin/internal/entry"
)

// Given somebody whose ways in change, when the bell goes round, then they hear of it by each of their ways, once, also over a restart, and no secret is in it.
func TestOwnersAreToldOfChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		d, stop := h.start()
		defer func() { stop() }()
		h.team(d)
		if err := d.SetPassword(t.Context(), Local("test"), "boris", annasPassword); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Hour)
		if n := len(h.sent()); n != 0 {
			t.Fatalf("%d messages of the first password", n)
		}
		boris := h.person(d, "boris")
		token, err := d.MakeToken(boris, "export", []auth.Action{auth.See}, 30)
		if err != nil {
			t.Fatal(err)
		}
		next := "cucumbers eat no horse salad"
		if err := d.SetPassword(t.Context(), Local("test"), "boris", next); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		stop()
		d, stop = h.start()
		time.Sleep(time.Hour)
		got := h.sent()
		if to := receivers(got); len(to) != 2 || !slices.Contains(to, "boris@shop.example") || !slices.Contains(to, "https://chat.example/hook") {
			t.Fatalf("told %v", to)
		}
		for _, m := range got {
			if text := m.Subject + m.Body; !strings.Contains(text, "a token for programs was made") || !strings.Contains(text, "the password was changed") ||
				strings.Contains(text, token) || strings.Contains(text, next) || strings.Contains(text, "boris@") {
				t.Errorf("told:\n%s\n%s", m.Subject, m.Body)
			}
		}
		h.want(d, entry.ChangeWanted, 2)
		h.want(d, entry.ChangeSent, 2)

		// Somebody gives him another mail address: the old one hears of it.
		if err := d.PutPerson(Local("test"), "boris", boris.Roles, Contact{Name: "Boris", Mail: "mallory@shop.example", Webhook: "https://chat.example/hook"}, false); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Hour)
		to := receivers(h.sent()[2:])
		if len(to) != 2 || !slices.Contains(to, "boris@shop.example") || slices.Contains(to, "mallory@shop.example") {
			t.Errorf("of another mail address %v were told", to)
		}
	})
}

// A code of an app that is used again is refused, written down once, and its owner is told.
func TestCodeUsedAgainIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		d, stop := h.start()
		defer stop()
		_, app := annaWithApp(t, h, d)
		time.Sleep(time.Hour)
		before := len(h.sent())
		code := app.Code(time.Now())
		prove := func() error {
			_, err := d.Prove(t.Context(), Proof{ID: "anna", Password: annasPassword, Code: code, Address: "192.0.2.1"})
			return err
		}
		if err := prove(); err != nil {
			t.Fatal(err)
		}
		for range 3 {
			if err := prove(); !errors.Is(err, ErrCode) {
				t.Errorf("the code again: %v", err)
			}
		}
		time.Sleep(time.Hour)
		h.want(d, entry.CredentialReplayed, 1)
		got := h.sent()[before:]
		if len(got) != 1 || got[0].To != "anna@shop.example" || !strings.Contains(got[0].Body, "used a second time") || strings.Contains(got[0].Body, code) {
			t.Errorf("told %+v", got)
		}
	})
}

// Given codes of an app of which a newer one was used, when an older one comes, then it is refused; only if exactly it was used before that is a second use.
func TestOlderCodes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		d, stop := h.start()
		defer stop()
		_, app := annaWithApp(t, h, d)
		time.Sleep(time.Hour)
		began := time.Now()
		for _, x := range []struct {
			name        string
			after, code time.Duration // since began: when, and of when the code is
			want, not   error
			replays     int
		}{
			{"the next one", 0, 30 * time.Second, nil, nil, 0},
			{"the one of now, which nobody used", 0, 0, ErrOldCode, nil, 0},
			{"again the next one", 30 * time.Second, time.Minute, nil, nil, 0},
			{"an older one that was used", 30 * time.Second, 30 * time.Second, ErrCode, ErrOldCode, 1},
			{"once more", 30 * time.Second, 30 * time.Second, ErrCode, ErrOldCode, 1},
			{"the last one that was used", 30 * time.Second, time.Minute, ErrCode, ErrOldCode, 2},
		} {
			time.Sleep(time.Until(began.Add(x.after)))
			_, err := d.Prove(t.Context(), Proof{ID: "anna", Password: annasPassword, Code: app.Code(began.Add(x.code)), Address: "192.0.2.1"})
			if !errors.Is(err, x.want) || x.not != nil && errors.Is(err, x.not) {
				t.Errorf("%s: %v", x.name, err)
			}
			h.want(d, entry.CredentialReplayed, x.replays)
		}
	})
}

// The first person may administer without a second factor for a day, or until somebody else can sign in; a token of theirs no longer.
func TestGraceOfTheFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		d, stop := h.start()
		defer stop()
		if err := d.Setup(t.Context(), "anna", annasPassword, Contact{Name: "Anna"}); err != nil {
			t.Fatal(err)
		}
		anna := h.person(d, "anna")
		token, err := d.MakeToken(anna, "hosts", []auth.Action{auth.Hosts}, 30)
		if err != nil {
			t.Fatal(err)
		}
		may := func() error {
			a, err := d.TokenActor(token, time.Now())
			if err != nil {
				t.Fatal(err)
			}
			return auth.May(a, auth.Hosts)
		}
		if d.Grace("anna", time.Now().Add(-30*time.Second)).IsZero() || !d.Grace("anna", time.Now().Add(-2*time.Minute)).IsZero() {
			t.Error("by a clock that was set back by more than a minute there is grace, or by less there is none")
		}
		if d.Grace("anna", time.Now()).IsZero() || !d.Grace("boris", time.Now()).IsZero() || may() != nil {
			t.Error("the first person cannot begin")
		}
		time.Sleep(23 * time.Hour)
		if d.Grace("anna", time.Now()).IsZero() {
			t.Error("no grace after 23 hours")
		}
		h.team2(d)
		if !d.Grace("anna", time.Now()).IsZero() {
			t.Error("there is grace though somebody else can sign in")
		}
		if err := d.PutPerson(Local("test"), "boris", []string{"engineer"}, Contact{Name: "Boris"}, true); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Hour)
		if r, ok := errors.AsType[auth.Refusal](may()); !ok || !r.Weak || !d.Grace("anna", time.Now()).IsZero() {
			t.Error("there is grace after a day")
		}
	})
}

// team2 adds a second person who can sign in.
func (h *house) team2(d *Desk) {
	h.t.Helper()
	err := d.PutPerson(Local("test"), "boris", []string{"engineer"}, Contact{Name: "Boris"}, false)
	if err = errors.Join(err, d.SetPassword(h.t.Context(), Local("test"), "boris", annasPassword)); err != nil {
		h.t.Fatal(err)
	}
}

// A schedule that a policy names does not end: the step would ring nobody.
func TestScheduleThatAPolicyNamesStays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		d, stop := h.start()
		defer stop()
		h.onCall(d)
		policy := entry.Policy{ID: "night", Steps: []entry.PolicyStep{{Who: []string{"schedule:shop"}, Wait: time.Minute}, {Who: []string{"everyone"}, Wait: time.Minute}}, Rounds: 1, Every: time.Minute}
		if err := d.SetPolicy(Local("test"), policy); err != nil {
			t.Fatal(err)
		}
		if err := d.EndSchedule(Local("test"), "shop"); err == nil || !strings.Contains(err.Error(), "the policy night names it") {
			t.Fatalf("ended: %v", err)
		}
		if err := errors.Join(d.EndPolicy(Local("test"), "night"), d.EndSchedule(Local("test"), "shop")); err != nil {
			t.Error(err)
		}
	})
}
