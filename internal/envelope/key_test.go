package envelope

import (
	"bytes"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ProtonMail/gopenpgp/v3/armor"
	"github.com/ProtonMail/gopenpgp/v3/crypto"
)

func TestUploadsRefused(t *testing.T) {
	now := time.Now()
	us, other := identity(t, now), identity(t, now)
	armoured, err := us.Armoured()
	if err != nil {
		t.Fatal(err)
	}
	secret, err := armor.ArmorWithType(us.Marshal(), "PGP PRIVATE KEY BLOCK")
	if err != nil {
		t.Fatal(err)
	}
	disguised, err := armor.ArmorWithType(us.Marshal(), "PGP PUBLIC KEY BLOCK")
	if err != nil {
		t.Fatal(err)
	}
	h, err := crypto.PGP().Encryption().Password([]byte("x")).New()
	if err != nil {
		t.Fatal(err)
	}
	m, err := h.Encrypt([]byte("x"))
	if err != nil {
		t.Fatal(err)
	}
	message, err := m.Armor()
	if err != nil {
		t.Fatal(err)
	}
	pub := us.Public().Marshal()
	for _, c := range []struct {
		name   string
		upload []byte
		want   Reason // "" is taken
	}{
		{"armoured", []byte(armoured), ""},
		{"armoured, with words before", []byte("Here is my key:\r\n\r\n" + crlf(armoured)), ""},
		{"not armoured", pub, ""},
		{"empty", []byte(" \n"), Unreadable},
		{"too large", bytes.Repeat([]byte("x"), maxUpload+1), TooLarge},
		{"words", []byte("my key is under the mat"), Unreadable},
		{"two armoured", []byte(armoured + armoured), Several},
		{"two not armoured", append(us.Public().Marshal(), other.Public().Marshal()...), Several},
		{"secret, armoured", []byte(secret), Secret},
		{"secret, armoured as public", []byte(disguised), Secret},
		{"secret", us.Marshal(), Secret},
		{"a message", []byte(message), Unreadable},
		{"cut off", pub[:len(pub)-5], Unreadable},
		{"armour cut off", []byte(armoured[:len(armoured)/2]), Unreadable},
		{"armour changed", []byte(strings.Replace(armoured, "\n\n", "\n\nAAAA", 1)), Unreadable},
		{"very many parts", append(bytes.Clone(pub), bytes.Repeat([]byte{0xca, 3, 'P', 'G', 'P'}, maxPackets)...), TooLarge},
		{"a compressed packet", append(bytes.Clone(pub), 0xc8, 1, 0), Unreadable},
		{"no end", append(bytes.Clone(pub), 0xcb, 0xe1), Unreadable},
		{"a subkey first", []byte{0xce, 1, 4}, Unreadable},
	} {
		k, err := ParseKey(c.upload)
		r, _ := errors.AsType[*Refusal](err)
		if c.want == "" {
			if err != nil || k.Fingerprint() != us.Public().Fingerprint() || k.Check("tocsin@shop.example", now) != nil {
				t.Errorf("%s: %v", c.name, err)
			}
		} else if r == nil || r.Reason != c.want || !strings.HasSuffix(strings.TrimRight(r.Words, ")"), ".") {
			t.Errorf("%s: got %v, want %s", c.name, err, c.want)
		}
	}
}

func TestIdentityIsKept(t *testing.T) {
	now := time.Now()
	us := identity(t, now)
	again, err := LoadIdentity(us.Marshal())
	if err != nil || again.Address() != us.Address() || !bytes.Equal(again.Public().Marshal(), us.Public().Marshal()) || !bytes.Equal(again.Marshal(), us.Marshal()) {
		t.Errorf("it did not come back: %v", err)
	}
	if v := us.Public().packets; v[2] != 4 && v[1] != 4 {
		t.Errorf("the key begins with % x; it must be of version 4", v[:6])
	}
	if _, err := LoadIdentity(us.Public().Marshal()); err == nil {
		t.Error("a public key was taken for ours")
	}
	for days, want := range map[int]string{0: "", 300: "", 310: "expires on", 366: "expired on"} {
		if got := us.Warning(now.AddDate(0, 0, days)); (got == "") != (want == "") || !strings.Contains(got, want) {
			t.Errorf("after %d days: %q", days, got)
		}
	}
	for _, bad := range []struct {
		address string
		life    time.Duration
	}{{"nobody", time.Hour}, {"a@b.example", time.Minute}, {"a@b.example", 30 * 365 * 24 * time.Hour}} {
		if _, err := NewIdentity("x", bad.address, now, bad.life); err == nil {
			t.Errorf("%+v was taken", bad)
		}
	}
}

// TestNothingWithoutAKey: the table of Seal, without a counterpart.
func TestNothingWithoutAKey(t *testing.T) {
	now := time.Now()
	us := identity(t, now)
	late := now.AddDate(2, 0, 0)
	fresh, err := NewIdentity("Anna", "anna@shop.example", late.Add(-time.Hour), 24*time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	anna, err := NewIdentity("Anna", "anna@shop.example", now, 24*time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name    string
		s       Sealer
		to      Reader
		at      time.Time
		form    Form
		details bool
		down    bool
		inWhy   string
	}{
		{"a key", Sealer{Identity: us}, Reader{Key: anna.Public()}, now, OpenPGP, false, false, ""},
		{"no key", Sealer{Identity: us}, Reader{}, now, Signed, false, true, "no key of this person"},
		{"no key, any policy", Sealer{Identity: us}, Reader{Policy: "sure"}, now, Signed, false, true, "no key of this person"},
		{"no key, opportunistic", Sealer{Identity: us}, Reader{Policy: Opportunistic}, now, Signed, true, true, "allows"},
		{"no key of anybody, opportunistic", Sealer{}, Reader{Policy: Opportunistic}, now, Clear, true, true, "allows"},
		{"no key of ours", Sealer{}, Reader{Key: anna.Public(), Policy: Opportunistic}, now, Clear, false, true, "of our own"},
		{"an expired key, opportunistic", Sealer{Identity: us}, Reader{Key: anna.Public(), Policy: Opportunistic}, late, Clear, false, true, "expired"},
		{"our key expired", Sealer{Identity: us}, Reader{Key: fresh.Public(), Policy: Opportunistic}, late, Clear, false, true, "Our OpenPGP key expired"},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.to.Address = "anna@shop.example"
			got, err := c.s.Seal(incident, c.to, c.at)
			if err != nil {
				t.Fatal(err)
			}
			all := got.Subject + got.Header + string(got.Body)
			if got.Form != c.form || strings.Contains(all, "skimmer") != c.details || got.Downgraded != c.down || !strings.Contains(got.Why, c.inWhy) {
				t.Errorf("form %s, downgraded %v because %q:\n%s", got.Form, got.Downgraded, got.Why, all)
			}
			if got.Form.Words() == "" {
				t.Error("no words for the form")
			}
		})
	}
	if _, err := (Sealer{Identity: us}).Seal(Plain{Body: strings.Repeat("x", maxBody+1)}, Reader{}, now); err != nil {
		t.Errorf("the bare message does not depend on how long the other is: %v", err)
	}
	if _, err := (Sealer{Identity: us}).Seal(Plain{Body: strings.Repeat("x", maxBody+1)}, Reader{Policy: Opportunistic}, now); err == nil {
		t.Error("a body without bounds was taken")
	}
}

// TestManyAtOnce: keys are shared by goroutines; the race detector watches.
func TestManyAtOnce(t *testing.T) {
	now := time.Now()
	us := identity(t, now)
	s := Sealer{Identity: us}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for _, p := range []Policy{Required, Opportunistic} {
				if _, err := s.Seal(incident, Reader{Address: us.Address(), Key: us.Public(), Policy: p}, now); err != nil {
					t.Error(err)
				}
				if _, err := s.Seal(incident, Reader{Policy: p}, now); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
}

// FuzzParseKey: what is taken comes back the same, and can be asked whether it can be used; what is not says why.
func FuzzParseKey(f *testing.F) {
	now := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	us, err := NewIdentity("a", "a@b.example", now, time.Hour)
	if err != nil {
		f.Fatal(err)
	}
	armoured, err := us.Armoured()
	if err != nil {
		f.Fatal(err)
	}
	f.Add([]byte(armoured))
	f.Add(us.Public().Marshal())
	f.Add(us.Marshal())
	f.Add([]byte("-----BEGIN PGP PUBLIC KEY BLOCK-----\n\n=aaaa\n-----END PGP PUBLIC KEY BLOCK-----"))
	f.Fuzz(func(t *testing.T, b []byte) {
		k, err := ParseKey(b)
		if err != nil {
			if r, ok := errors.AsType[*Refusal](err); !ok || r.Reason == "" || r.Words == "" || len(r.Words) > 1000 {
				t.Fatalf("not a good refusal: %v", err)
			}
			return
		}
		again, err := ParseKey(k.Marshal())
		if err != nil || again.Fingerprint() != k.Fingerprint() || !again.Expires().Equal(k.Expires()) {
			t.Fatalf("it did not come back: %v", err)
		}
		if k.Check("", now) == nil {
			if s, err := (Sealer{Identity: us}).Seal(incident, Reader{Key: k}, now); err != nil || s.Form != OpenPGP {
				t.Fatalf("it can be used, and could not be: %v", err)
			}
		}
	})
}

// FuzzWKD: an answer gives a key that is for the address and can be used, or says why not.
func FuzzWKD(f *testing.F) {
	now := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	us, err := NewIdentity("a", "a@b.example", now, time.Hour)
	if err != nil {
		f.Fatal(err)
	}
	gone, err := us.Revoke(true, now)
	if err != nil {
		f.Fatal(err)
	}
	k, err := ParseKey([]byte(gone))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(us.Public().Marshal())
	f.Add(append(k.Marshal(), us.Public().Marshal()...))
	f.Add([]byte(gone))
	f.Fuzz(func(t *testing.T, b []byte) {
		k, err := parseFound(b, "a@b.example", now)
		if err != nil {
			return
		}
		if err := k.Check("a@b.example", now); err != nil {
			t.Fatal(err)
		}
	})
}

// FuzzCertificate: what is taken comes back the same.
func FuzzCertificate(f *testing.F) {
	a := newAuthority(f)
	f.Add(pemOf(f, a.cert, nil))
	f.Add(a.cert.Raw)
	f.Add([]byte("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := ParseCertificate(b)
		if err != nil {
			return
		}
		again, err := ParseCertificate(c.Marshal())
		if err != nil || again.Fingerprint() != c.Fingerprint() {
			t.Fatalf("it did not come back: %v", err)
		}
		c.Check("a@b.example", Trust{Pinned: c.Fingerprint()}, time.Now())
	})
}
