package plan

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"tocsin/internal/entry"
)

var printA, printB, printC = strings.Repeat("A", 40), strings.Repeat("B", 40), strings.Repeat("C", 64)

// sealed folds a draft, as the desk does.
func sealed(t testing.TB, s *Seals, d entry.Draft, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	body, err := json.Marshal(d.Body)
	if err != nil {
		t.Fatal(err)
	}
	if known, err := s.Apply(entry.Entry{Kind: d.Kind, Subject: d.Subject, Actor: d.Actor, Time: time.Unix(1, 0), Body: body}); !known || err != nil {
		t.Fatalf("%s: %v, %v", d.Kind, known, err)
	}
}

func TestSeals(t *testing.T) {
	var s Seals
	put := func(x entry.Key) error {
		t.Helper()
		d, err := s.Put("us", x)
		if err == nil {
			sealed(t, &s, d, nil)
		}
		return err
	}
	pgp := func(print string) entry.Key {
		return entry.Key{Person: "anna", Form: OpenPGP, Fingerprint: print, Vault: "v" + print[:1], Found: "upload"}
	}
	if err := put(pgp("short")); err == nil {
		t.Error("what is no fingerprint was taken")
	}
	if err := put(entry.Key{Person: "anna", Form: "x25519", Fingerprint: printA}); err == nil {
		t.Error("a form that nobody knows was taken")
	}
	keep := pgp(printA)
	keep.Keep = true
	if err := put(keep); err == nil {
		t.Error("a newer copy of a key that nobody confirmed was taken")
	}
	if err := put(pgp(printA)); err != nil {
		t.Fatal(err)
	}
	if err := put(pgp(printA)); err == nil {
		t.Error("the same key waits twice")
	}
	if x := s.Of("anna"); x.Had || x.Keys[OpenPGP].Key.Vault != "" || x.Keys[OpenPGP].Candidate.Fingerprint != printA {
		t.Errorf("before somebody compared it: %+v", x)
	}
	for _, typed := range []string{"", "A", printB, strings.Repeat("A", 39)} {
		if _, err := s.Confirm("us", "anna", typed); err == nil {
			t.Errorf("%q confirmed another key", typed)
		}
	}
	if _, err := s.Confirm("us", "boris", printA); err == nil {
		t.Error("the key of somebody else was confirmed")
	}
	d, err := s.Confirm("us", "anna", "aaaa AAAA:aaaa\u00a0AAAA\taaaa AAAA AAAA AAAA AAAA AAAA")
	sealed(t, &s, d, err)
	if x := s.Of("anna"); !x.Had || x.Keys[OpenPGP].Key.Fingerprint != printA || x.Keys[OpenPGP].Candidate.Fingerprint != "" {
		t.Errorf("confirmed: %+v", x)
	}
	if err := put(pgp(printB)); err != nil {
		t.Fatal(err)
	}
	if x := s.Of("anna").Keys[OpenPGP]; x.Key.Fingerprint != printA || x.Candidate.Fingerprint != printB {
		t.Errorf("another key was found, and the confirmed one did not stay in use: %+v", x)
	}
	d, err = s.Remove("us", "anna", printA, "")
	sealed(t, &s, d, err)
	if x := s.Of("anna"); !x.Had || x.Keys[OpenPGP].Key.Fingerprint != "" || x.Keys[OpenPGP].Candidate.Fingerprint != printB {
		t.Errorf("removed: %+v", x)
	}
	for _, print := range []string{printA, "", "nothing"} {
		if _, err := s.Remove("us", "anna", print, ""); err == nil {
			t.Errorf("%q was removed twice", print)
		}
	}

	// A certificate of an authority that is named needs no comparison, and takes no place of one that was compared.
	smime := entry.Key{Person: "boris", Form: SMIME, Fingerprint: printC, Vault: "v", Issued: true}
	if err := put(smime); err != nil {
		t.Fatal(err)
	}
	if x := s.Of("boris"); !x.Had || x.Keys[SMIME].Key.Fingerprint != printC || x.Keys[SMIME].Candidate.Fingerprint != "" {
		t.Errorf("issued: %+v", x)
	}
	if err := put(entry.Key{Person: "boris", Form: OpenPGP, Fingerprint: printA, Issued: true}); err == nil {
		t.Error("nobody issues OpenPGP keys")
	}
	compared := smime
	compared.Person, compared.Issued = "chen", false
	if err := put(compared); err != nil {
		t.Fatal(err)
	}
	d, err = s.Confirm("us", "chen", printC)
	sealed(t, &s, d, err)
	compared.Issued, compared.Fingerprint = true, strings.Repeat("D", 64)
	if err := put(compared); err == nil {
		t.Error("a certificate that nobody compared took the place of one that somebody did")
	}
}

func TestOurKeysInTheLedger(t *testing.T) {
	var s Seals
	for _, d := range []entry.Draft{{Kind: entry.MailKeyMade, Body: entry.MailKey{Fingerprint: printA}}, {Kind: entry.MailKeyRevoked, Body: entry.MailKeyEnd{Fingerprint: printA, Compromised: true}},
		{Kind: entry.MailKeyMade, Body: entry.MailKey{Fingerprint: printB, Before: printA}}} {
		sealed(t, &s, d, nil)
	}
	if len(s.Ours) != 2 || s.Ours[0].Revoked.IsZero() || !s.Ours[1].Revoked.IsZero() || s.Ours[1].Before != printA {
		t.Errorf("%+v", s.Ours)
	}
}

// FuzzSeals: whatever is decided folds; nobody has a key in use that was not confirmed, or issued; and no key of one person is another's.
func FuzzSeals(f *testing.F) {
	f.Add([]byte{0, 1, 2, 3, 4, 5}, "AAAA")
	f.Add([]byte{0, 9, 18, 27, 1, 10, 19, 28}, " a:b ")
	f.Fuzz(func(t *testing.T, steps []byte, typed string) {
		var s Seals
		confirmed := map[string]bool{}
		for k, b := range steps {
			if k == 64 {
				break
			}
			person, print := string('a'+rune(b>>2&1)), strings.Repeat(string('A'+rune(b>>3&3)), 40)
			form := []string{OpenPGP, SMIME}[b>>5&1]
			x := entry.Key{Person: person, Form: form, Fingerprint: print, Vault: "v", Keep: b>>6&1 == 1, Issued: b>>7 == 1}
			switch b & 3 {
			case 0:
				if d, err := s.Put("us", x); err == nil {
					sealed(t, &s, d, nil)
					if x.Issued {
						confirmed[person+form+print] = true
					}
				}
			case 1:
				if d, err := s.Confirm("us", person, print); err == nil {
					for form, k := range s.Of(person).Keys {
						if k.Candidate.Fingerprint == print {
							confirmed[person+form+print] = true
						}
					}
					sealed(t, &s, d, nil)
				}
			case 2:
				if d, err := s.Remove("us", person, print, ""); err == nil {
					sealed(t, &s, d, nil)
				}
			case 3:
				if _, err := s.Confirm("us", person, typed); err == nil && s.Of(person).Keys == nil {
					t.Fatal("confirmed what is not there")
				}
			}
			for _, who := range []string{"a", "b"} {
				for form, k := range s.Of(who).Keys {
					if p := k.Key.Fingerprint; p != "" && !confirmed[who+form+p] {
						t.Fatalf("%s uses a key of form %s that nobody confirmed, after %v", who, form, steps[:min(len(steps), 64)])
					}
				}
			}
		}
	})
}
