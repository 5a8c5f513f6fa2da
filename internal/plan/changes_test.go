package plan

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tocsin/internal/entry"
)

// A teller is a ledger of changes in a test's time.
type teller struct {
	*testing.T
	b   Changes
	n   int64
	now time.Time
}

func (l *teller) put(kind entry.Kind, actor string, body any) {
	l.Helper()
	l.n++
	e, _, err := entry.Make(l.n, l.now, entry.Draft{Actor: actor, Kind: kind, Subject: "person:anna", Body: body})
	if err == nil {
		_, err = l.b.Apply(e)
	}
	if err != nil {
		l.Fatal(err)
	}
}

// settle writes what is to be wanted, and returns it: channel, contact, and how many changes.
func (l *teller) settle() (out [][3]any) {
	l.Helper()
	drafts, _, _ := l.b.Owed(l.now)
	for _, d := range drafts {
		x := d.Body.(entry.ChangeTry)
		out = append(out, [3]any{x.Channel, x.Vault, len(x.Changes) + x.More})
		l.put(d.Kind, d.Actor, d.Body)
	}
	return out
}

func (l *teller) want(what string, want ...[3]any) {
	l.Helper()
	if diff := cmp.Diff(want, l.settle()); diff != "" {
		l.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

func newTeller(t *testing.T) *teller {
	l := &teller{T: t, now: time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)}
	l.put(entry.PersonPut, "setup", entry.Person{ID: "anna", Roles: []string{Commander}, Channels: []string{Mail, SMS, Voice}, Vault: "v1"})
	l.put(entry.PersonPassword, "setup", entry.Password{ID: "anna", Vault: "p1"})
	return l
}

func TestChangesAreTold(t *testing.T) {
	mail, sms := [3]any{Mail, "v1", 1}, [3]any{SMS, "v1", 1}
	for _, x := range []struct {
		name  string
		kind  entry.Kind
		actor string
		body  any
		want  [][3]any
	}{
		{"a password", entry.PersonPassword, "person:anna", entry.Password{ID: "anna", Vault: "p2"}, [][3]any{mail, sms}},
		{"the same password, hashed anew", entry.PersonPassword, "desk", entry.Password{ID: "anna", Vault: "p2"}, nil},
		{"a passkey", entry.CredentialAdded, "person:anna", entry.Credential{ID: "anna", Kind: "passkey", Vault: "v2"}, [][3]any{mail, sms}},
		{"an app that somebody else removed", entry.CredentialRemoved, "person:boris", entry.Credential{ID: "anna", Kind: "all", Vault: "v2"}, [][3]any{mail, sms}},
		{"recovery codes", entry.CredentialAdded, "person:anna", entry.Credential{ID: "anna", Kind: "recovery", Vault: "v2"}, [][3]any{mail, sms}},
		{"a token", entry.TokenMade, "person:anna", entry.Token{ID: "t1", Person: "anna", Vault: "v2"}, [][3]any{mail, sms}},
		{"a PIN", entry.PersonPIN, "person:anna", entry.PIN{ID: "anna", Vault: "v3"}, [][3]any{mail, sms}},
		{"a code used again", entry.CredentialReplayed, "desk", entry.Replay{ID: "anna", Kind: "totp"}, [][3]any{mail, sms}},
		{"another number", entry.PersonPut, "person:boris", entry.Person{ID: "anna", Channels: []string{Mail, SMS, Voice}, Vault: "v9", Moved: []string{SMS}}, [][3]any{mail}},
		{"another mail address: the old one hears of it", entry.PersonPut, "person:boris", entry.Person{ID: "anna", Channels: []string{Mail, SMS, Voice}, Vault: "v9", Moved: []string{Mail}}, [][3]any{mail, sms}},
		{"all addresses taken away", entry.PersonPut, "person:boris", entry.Person{ID: "anna", Vault: "v9", Moved: []string{Mail, SMS, Voice}}, [][3]any{mail}},
		{"another role", entry.PersonPut, "person:boris", entry.Person{ID: "anna", Roles: []string{Engineer}, Channels: []string{Mail}, Vault: "v1"}, nil},
		{"they left", entry.PersonPut, "person:boris", entry.Person{ID: "anna", Gone: true, Vault: "v1", Moved: []string{Mail}}, nil},
	} {
		t.Run(x.name, func(t *testing.T) {
			l := newTeller(t)
			l.put(x.kind, x.actor, x.body)
			l.want("at once")
			l.now = l.now.Add(changeGather)
			l.want("after a moment", x.want...)
			l.now = l.now.Add(time.Hour)
			l.want("again") // once
		})
	}
}

// Who had no address that could be told is told at the one they get.
func TestWhoHadNoAddressIsTold(t *testing.T) {
	l := newTeller(t)
	l.put(entry.PersonPut, "person:boris", entry.Person{ID: "carla", Channels: []string{Voice}, Vault: "v1"})
	l.put(entry.PersonPut, "person:boris", entry.Person{ID: "carla", Channels: []string{Voice, Mail}, Vault: "v2", Moved: []string{Mail}})
	l.now = l.now.Add(changeGather)
	l.want("the first address", [3]any{Mail, "v2", 1})
	l.now = l.now.Add(time.Hour)
	l.put(entry.CredentialAdded, "person:boris", entry.Credential{ID: "carla", Kind: "passkey", Vault: "v3"})
	l.now = l.now.Add(changeGather)
	l.want("a passkey later", [3]any{Mail, "v2", 1})
}

// What comes close together is one message, and messages lie apart; nothing that was told is told after a restart.
func TestChangesAreThrottled(t *testing.T) {
	l := newTeller(t)
	passkey := entry.Credential{ID: "anna", Kind: "passkey", Vault: "v2"}
	for range 30 {
		l.put(entry.CredentialAdded, "person:anna", passkey)
	}
	l.now = l.now.Add(changeGather)
	l.want("a burst", [3]any{Mail, "v1", 30}, [3]any{SMS, "v1", 30})
	l.put(entry.CredentialAdded, "person:anna", passkey)
	l.now = l.now.Add(time.Minute)
	l.want("too soon")
	l.now = l.now.Add(changeApart)
	l.want("later", [3]any{Mail, "v1", 1}, [3]any{SMS, "v1", 1})
	_, sends, _ := l.b.Owed(l.now)
	if len(sends) != 4 {
		t.Errorf("%d messages are owed, want the four that nobody has sent", len(sends))
	}
	for _, s := range sends {
		l.put(entry.ChangeSent, "desk", entry.NoticeResult{Try: s.Try})
	}
	if _, sends, _ = l.b.Owed(l.now); len(sends) != 0 {
		t.Errorf("%d are still owed", len(sends))
	}
}

// A failure that may pass is tried again with the same Message-ID, at most so often.
func TestChangesAreTriedAgain(t *testing.T) {
	l := newTeller(t)
	l.put(entry.PersonPut, "config", entry.Person{ID: "anna", Channels: []string{Mail}, Vault: "v1"})
	l.put(entry.TokenMade, "person:anna", entry.Token{ID: "t1", Person: "anna"})
	l.now = l.now.Add(changeGather)
	l.want("first", [3]any{Mail, "v1", 1})
	tries, ids := 0, map[string]bool{}
	for range 200 {
		_, sends, again := l.b.Owed(l.now)
		for _, s := range sends {
			tries, ids[s.Message] = tries+1, true
			l.put(entry.ChangeFailed, "desk", entry.NoticeResult{Try: s.Try, Temporary: true})
		}
		if len(sends) == 0 && again.IsZero() && len(l.settle()) == 0 {
			break
		}
		if again.After(l.now) {
			l.now = again
		}
		l.settle()
	}
	if tries != noticeAgains+1 || len(ids) != 1 {
		t.Errorf("%d tries of %d messages, want %d of one", tries, len(ids), noticeAgains+1)
	}
}

// What a thief does to keep an owner from hearing of it changes nothing: they hear of it, at the addresses from before.
func TestChangesCannotBeSilenced(t *testing.T) {
	passkey := entry.Credential{ID: "anna", Kind: "passkey", Vault: "v2"}
	person := entry.Person{ID: "anna", Roles: []string{Commander}, Channels: []string{Mail}, Vault: "v1"}
	gone, back := person, person
	gone.Gone, back.Vault = true, "v9"

	l := newTeller(t)
	l.put(entry.CredentialAdded, "person:boris", passkey)
	l.put(entry.PersonPut, "person:boris", gone)
	l.put(entry.PersonPut, "person:boris", back)
	l.now = l.now.Add(changeGather)
	l.want("gone and back", [3]any{Mail, "v1", 2}, [3]any{SMS, "v1", 2})

	l = newTeller(t)
	l.put(entry.PersonPut, "person:boris", gone)
	l.now = l.now.Add(changeOld + time.Hour)
	l.put(entry.PersonPut, "person:boris", back)
	l.now = l.now.Add(changeGather)
	l.want("back after a long time")

	l = newTeller(t)
	l.put(entry.PersonPut, "config", entry.Person{ID: "anna", Vault: "v1"}) // nothing by which to tell
	for range changesTold + 3 {
		l.put(entry.CredentialAdded, "person:anna", passkey)
	}
	l.now = l.now.Add(changeOld + time.Hour)
	l.put(entry.PersonPut, "config", person)
	l.put(entry.CredentialAdded, "person:anna", passkey)
	l.now = l.now.Add(changeGather)
	l.want("after many that nobody could be told", [3]any{Mail, "v1", changesTold + 4})

	l = newTeller(t)
	l.put(entry.PersonInvited, "person:boris", entry.Invitation{ID: "anna"})
	l.put(entry.KeyConfirmed, "person:boris", entry.KeyCheck{Person: "anna"})
	l.put(entry.PersonPut, "person:boris", entry.Person{ID: "anna", Channels: []string{Mail}, Vault: "v1", Moved: []string{Sealing}})
	l.put(entry.CredentialAdded, "person:carla", entry.Credential{ID: "carla", Kind: "oidc", Vault: "v2"})
	l.put(entry.PersonPassword, "person:boris", entry.Password{ID: "carla", Vault: "p"})
	l.now = l.now.Add(changeGather)
	l.want("a link, a key, and sealing", [3]any{Mail, "v1", 3}, [3]any{SMS, "v1", 3})
	if n := len(l.b.of("carla").untold); n != 2 {
		t.Errorf("of the first password of who had a provider %d changes are to be told, want 2", n)
	}
}
