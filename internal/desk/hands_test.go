package desk

import (
	"errors"
	"testing"
	"time"

	"tocsin/internal/entry"
	"tocsin/internal/notify"
	"tocsin/internal/plan"
)

// Given accounts that one person made, invited or changed, when time passes, then the hand counts from when the link was made until a day after its use or end,
// and what a sheet's user did reaches as far as they reach by it.
func TestHands(t *testing.T) {
	t0 := time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)
	at := func(h float64) time.Time { return t0.Add(time.Duration(h * float64(time.Hour))) }
	x, n := newIdentity(), int64(0)
	put := func(h float64, kind entry.Kind, actor string, body any) {
		t.Helper()
		n++
		e, _, err := entry.Make(n, at(h), entry.Draft{Actor: actor, Kind: kind, Subject: "person:x", Body: body})
		if err == nil {
			_, err = x.Apply(e)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	put(0, entry.PersonInvited, "person:boris", entry.Invitation{ID: "carla", Until: at(24)})
	put(0, entry.PersonInvited, "person:boris", entry.Invitation{ID: "dmitri", Until: at(24)})
	put(10, entry.PersonPassword, "person:carla", entry.Password{ID: "carla", Vault: "p"})
	for _, c := range []struct {
		who  string
		h    float64
		want bool
	}{{"carla", 10, true}, {"carla", 33, true}, {"carla", 35, false}, {"dmitri", 1, true}, {"dmitri", 47, true}, {"dmitri", 49, false}} {
		if got := x.sameHand("boris", c.who, at(c.h)); got != c.want {
			t.Errorf("boris and %s after %v hours: same hand %v", c.who, c.h, got)
		}
	}
	glass := "person:break-glass:1"
	put(50, entry.PersonPut, "person:boris", entry.Person{ID: "emil", Roles: []string{plan.Analyst}})
	put(50, entry.PersonPut, glass, entry.Person{ID: "mallory", Roles: []string{plan.Analyst}})
	put(50, entry.PersonInvited, "person:mallory", entry.Invitation{ID: "nina", Until: at(74)})
	for id, want := range map[string]bool{"break-glass:1": true, "mallory": true, "nina": true, "emil": false, "boris": false} {
		if got := x.handOfGlass(id, at(51)); got != want {
			t.Errorf("%s is a hand of the sheet: %v", id, got)
		}
	}
	if x.handOfGlass("mallory", at(75)) {
		t.Error("it never ends")
	}
}

// Given a provider that gave somebody the role of a commander, when only they could approve, then it does not pass by time alone.
func TestProvidersRolesApprove(t *testing.T) {
	now := time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)
	s := newState()
	s.Plan.People = map[string]entry.Person{"anna": {ID: "anna", Roles: []string{plan.Commander}}, "boris": {ID: "boris", Roles: []string{plan.Reader}}}
	s.Identity.Ways["boris"] = "v"
	anna := Actor(s.Plan.People["anna"])
	if got := othersWhoMay(s, anna, "give-power", 0, now); len(got) != 0 {
		t.Errorf("a reader could approve: %v", got)
	}
	s.Identity.Given["boris"] = Given{[]string{plan.Commander}, now.Add(-time.Hour)}
	if got := othersWhoMay(s, anna, "give-power", 0, now); len(got) != 1 {
		t.Errorf("who has the role by the provider counts for nothing: %v", got)
	}
	if !power(s, entry.Person{ID: "boris", Roles: []string{plan.Engineer}}) {
		t.Error("to make somebody engineer is no power")
	}
}

// Given a mail by which somebody was told of a change, when a report says that it came back, then that try failed, once; a report that names another person or a
// message that was never sent does nothing.
func TestAReportOfAChangeThatCameBack(t *testing.T) {
	now := time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)
	s, n := newState(), int64(0)
	put := func(x entry.Draft) {
		t.Helper()
		n++
		e, _, err := entry.Make(n, now, x)
		if err == nil {
			_, err = s.Factors.Apply(e)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, x := range []entry.Draft{
		{Kind: entry.PersonPut, Body: entry.Person{ID: "anna-k", Roles: []string{plan.Commander}, Channels: []string{plan.Mail}, Vault: "v1"}},
		{Kind: entry.PersonPassword, Body: entry.Password{ID: "anna-k", Vault: "p1"}},
		{Kind: entry.CredentialAdded, Body: entry.Credential{ID: "anna-k", Kind: "passkey", Vault: "v2"}},
	} {
		x.Actor, x.Subject = "setup", "person:anna-k"
		put(x)
	}
	now = now.Add(time.Hour)
	drafts, _, _ := s.Factors.Owed(now)
	for _, x := range drafts {
		put(x)
	}
	tried, ok := s.Factors.Try(1)
	if !ok || tried.Channel != plan.Mail {
		t.Fatalf("nobody is told: %+v", tried)
	}
	report := func(ref string) (*entry.Draft, error) {
		at := bounceForm.FindStringSubmatch(ref)
		if at == nil {
			t.Fatalf("%q names no message", ref)
		}
		return bounceOf(s, ref, at, "words")
	}
	ref := changeMail(1, "anna-k")
	if _, err := report(ref); !errors.Is(err, notify.ErrLater) {
		t.Errorf("before it was sent: %v", err)
	}
	put(entry.Draft{Actor: "desk", Kind: entry.ChangeSent, Subject: "person:anna-k", Body: entry.NoticeResult{Try: 1}})
	for _, other := range []string{changeMail(1, "boris"), changeMail(2, "anna-k"), "change999999999.anna.k"} {
		if x, err := report(other); x != nil || err != nil {
			t.Errorf("%s: %+v, %v", other, x, err)
		}
	}
	x, err := report(ref)
	if err != nil || x == nil || x.Kind != entry.ChangeFailed || x.Subject != "person:anna-k" || x.Body.(entry.NoticeResult).Try != 1 {
		t.Fatalf("it came back: %+v, %v", x, err)
	}
	x.Actor = "desk"
	put(*x)
	if x, err := report(ref); x != nil || err != nil {
		t.Errorf("the second report: %+v, %v", x, err)
	}
}
