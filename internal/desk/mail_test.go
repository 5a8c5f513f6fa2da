package desk

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"tocsin/internal/auth"
	"tocsin/internal/counterpart"
	"tocsin/internal/entry"
	"tocsin/internal/envelope"
	"tocsin/internal/notify"
	"tocsin/internal/oncall"
	"tocsin/internal/plan"
	"tocsin/internal/voice"
)

// keyring is a real GnuPG with a home of its own; its func fails the test when gpg does.
func keyring(t *testing.T) func(in string, args ...string) (out, status string) {
	t.Helper()
	counterpart.Installed(t, "gpg", "gnupg")
	home, err := os.MkdirTemp("", "gpg") // short: the agent's socket lies in it
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = exec.Command("gpgconf", "--homedir", home, "--kill", "all").Run()
		os.RemoveAll(home)
	})
	return func(in string, args ...string) (string, string) {
		t.Helper()
		var o, e bytes.Buffer
		cmd := exec.CommandContext(t.Context(), "gpg", append([]string{"--homedir", home, "--batch", "--yes", "--pinentry-mode", "loopback", "--passphrase", "", "--trust-model", "always", "--status-fd", "2"}, args...)...)
		cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(in), &o, &e
		if err := cmd.Run(); err != nil {
			t.Fatalf("gpg %q: %v\n%s", args, err, e.String())
		}
		return o.String(), e.String()
	}
}

func commander() auth.Actor {
	return auth.Actor{Name: "person:anna", ID: "anna", Roles: []string{plan.Commander}}
}

// Given mail that was taken, when it comes back, then the try failed, the next step rings at once, and the channel is unproven.
func TestBounceRingsTheNext(t *testing.T) {
	h := newHouse(t)
	reports, taken, stuck := make(chan notify.Report), make(chan error), make(chan notify.Look)
	h.o.Reports = func(ctx context.Context, take func(notify.Report) error, looked func(notify.Look)) error {
		looked(notify.Look{Forged: 1})
		for {
			select {
			case <-ctx.Done():
				return nil
			case r := <-reports:
				taken <- take(r)
			case l := <-stuck:
				looked(l)
			}
		}
	}
	d, stop := h.start()
	defer stop()
	h.team(d)
	h.feed(d, request(time.Now(), "192.0.2.7", "/evil"))
	eventually(t, "mail to anna", func() bool { return len(h.sent()) == 1 })
	ref := h.sent()[0].Ref
	if !strings.HasPrefix(ref, "call1.") || !strings.HasSuffix(ref, ".anna") {
		t.Fatalf("the mail is named %q", ref)
	}
	report := func(ref, action string) notify.Report {
		return notify.Report{Ref: ref, By: "dns; mx.example", Outcomes: []notify.Outcome{{Recipient: "x@shop.example", Action: action, Status: "5.1.1", Words: "smtp; 550 no such user here"}}}
	}
	for _, r := range []notify.Report{report("call9.1.anna", "failed"), report("call1.99.anna", "failed"), report(strings.Replace(ref, "anna", "boris", 1), "failed"), report(ref, "delayed"),
		report("update7", "failed"), report("notice3.1.anna", "failed"), report("nothing", "failed"), {Ref: ref, Complaint: "abuse"}} {
		reports <- r
		if err := <-taken; err != nil {
			t.Errorf("%+v: %v", r, err)
		}
	}
	h.want(d, entry.CallFailed, 0)
	eventually(t, "the try is done", func() bool { return h.entries(d)[entry.CallSent] > 0 })
	for range 2 { // the second is known already
		for err := error(notify.ErrLater); errors.Is(err, notify.ErrLater); {
			reports <- report(ref, "failed")
			err = <-taken
		}
	}
	stuck <- notify.Look{Waiting: 1, Tries: stuckAfter}
	eventually(t, "what cannot be taken stands among the problems", func() bool {
		x := d.ReportsBox(time.Now())
		return !x.Up && strings.Contains(x.Why, "could not be taken")
	})
	stuck <- notify.Look{}
	eventually(t, "the next step rings boris", func() bool { return slices.Contains(receivers(h.sent()), "boris@shop.example") })
	h.want(d, entry.CallFailed, 1)
	d.Read(func(s *State) {
		for _, x := range s.Calls.Calls[0].Tries {
			if x.Person == "anna" && x.Channel == plan.Mail && x.Step == 0 && (!x.Failed || x.Result.Why != oncall.Bounced || !strings.Contains(d.Text(x.Result.Text), "no such user here")) {
				t.Errorf("the try is %+v", x)
			}
		}
		proofs, _ := s.Calls.Readiness(&s.Plan, time.Now())
		if k := slices.IndexFunc(proofs, func(f oncall.Proof) bool { return f.Person == "anna" && f.Channel == plan.Mail }); k < 0 || proofs[k].State != oncall.CameBack {
			t.Errorf("anna's mail is %+v", proofs)
		}
	})
	eventually(t, "the mailbox is well", func() bool { x := d.ReportsBox(time.Now()); return x.On && x.Up })
	kept := h.size(vaultDir)
	for range 5 {
		reports <- report(ref, "failed")
		if err := <-taken; err != nil {
			t.Error(err)
		}
	}
	if n := h.size(vaultDir); n != kept {
		t.Errorf("a report that is known put %d bytes into the vault", n-kept)
	}
}

// A far side that does not answer holds up nothing, stands among the problems, and is gone from there when it answers.
func TestRegistrationIsKept(t *testing.T) {
	h := newHouse(t)
	tell := make(chan voice.Registration)
	h.o.Register = func(ctx context.Context, changed func(voice.Registration)) error {
		for {
			select {
			case <-ctx.Done():
				return nil
			case r := <-tell:
				changed(r)
				if !r.Registered && !r.Temporary {
					return errors.New("the password is wrong")
				}
			}
		}
	}
	d, stop := h.start()
	defer stop()
	if x := d.Registration(time.Now().Add(2 * standbyGrace)); x.Up {
		t.Error("after two minutes without a word it is said to stand")
	}
	for _, c := range []struct {
		r   voice.Registration
		up  bool
		why string
	}{
		{voice.Registration{Temporary: true, Reason: "no route"}, false, "no route"},
		{voice.Registration{Registered: true, Until: time.Now().Add(time.Hour)}, true, ""},
		{voice.Registration{Reason: "refused"}, false, "the password is wrong"},
	} {
		tell <- c.r
		eventually(t, "the registration is "+c.why, func() bool { x := d.Registration(time.Now()); return x.On && x.Up == c.up && x.Why == c.why })
	}
}

// Notices leave by the same path as calls: sealed where somebody has a key, without details where one is required.
func TestNoticesAreSealed(t *testing.T) {
	gpg := keyring(t)
	gpg("", "--quick-generate-key", "Anna <anna@shop.example>", "default", "default", "1y")
	public, _ := gpg("", "--export", "anna@shop.example") // binary
	h := newHouse(t)
	box := h.postbox()
	d, stop := h.start()
	defer stop()
	h.team(d)
	us := commander()
	if err := d.PutPerson(us, "anna", []string{plan.Commander}, Contact{Name: "Anna", Mail: "anna@shop.example", Sealing: "required"}, false); err != nil {
		t.Fatal(err)
	}
	h.ask(d, entry.Notice{Mode: plan.Each}, "")
	if err := d.TestNotice(us, 1); err != nil {
		t.Fatal(err)
	}
	eventually(t, "a notice without details", func() bool { return len(box.all()) == 1 })
	if m := box.all()[0]; !strings.Contains(m, "A notice waits for you") || strings.Contains(m, "ccount") || !strings.Contains(m, "BEGIN PGP SIGNATURE") {
		t.Errorf("to somebody without a key, who is to get no details, left:\n%s", m)
	}
	eventually(t, "the downgrade is on the try", func() (is bool) {
		d.Read(func(s *State) {
			for _, x := range s.Notices.List[0].Tries {
				is = is || x.Result.Less && x.Result.Form == "signed"
			}
		})
		return is
	})
	if _, err := d.PutKey(us, "anna", []byte(public)); err != nil {
		t.Fatal(err)
	}
	var waits string
	d.Read(func(s *State) { waits = s.Seals.Of("anna").Keys[plan.OpenPGP].Candidate.Fingerprint })
	if err := d.ConfirmKey(us, "anna", waits); err != nil {
		t.Fatal(err)
	}
	if err := d.TestNotice(us, 1); err != nil {
		t.Fatal(err)
	}
	eventually(t, "a sealed notice", func() bool { return len(box.all()) == 2 })
	_, cipher, ok := strings.Cut(box.all()[1], "-----BEGIN PGP MESSAGE-----")
	if !ok {
		t.Fatalf("to somebody with a key left:\n%s", box.all()[1])
	}
	gpg(d.OurKey(time.Now()).Armoured, "--import")
	cipher, _, _ = strings.Cut(cipher, "-----END PGP MESSAGE-----")
	if _, status := gpg("-----BEGIN PGP MESSAGE-----"+cipher+"-----END PGP MESSAGE-----\n", "--decrypt"); !strings.Contains(status, "GOODSIG") || !strings.Contains(status, "DECRYPTION_OKAY") {
		t.Errorf("gpg says %s", status)
	}
	for to, want := range map[string]envelope.Form{"Anna <ANNA@shop.example>": envelope.OpenPGP, "press@paper.example": envelope.Signed} {
		m := d.forAddress(notify.Message{To: to}, updateMail(1))
		s, err := m.Seal(envelope.Plain{From: "tocsin@shop.example", To: to, ID: "1@x", Date: time.Now(), Subject: "s", Body: "the shop is open again\n"})
		if err != nil || s.Form != want || m.Ref != "update1" {
			t.Errorf("an update to %s is %s, %v", to, s.Form, err)
		}
	}
}

// Given two on the team with one mailbox, when news goes to its address, then it is sealed by the key that both have, and tells nothing when their keys differ: never by chance.
func TestSharedMailbox(t *testing.T) {
	h := newHouse(t)
	h.postbox()
	d, stop := h.start()
	defer stop()
	h.team(d)
	us := commander()
	put := func(id string, key []byte) {
		t.Helper()
		if _, err := d.PutKey(us, id, key); err != nil {
			t.Fatal(err)
		}
		var waits string
		d.Read(func(s *State) { waits = s.Seals.Of(id).Keys[plan.OpenPGP].Candidate.Fingerprint })
		if err := d.ConfirmKey(us, id, waits); err != nil {
			t.Fatal(err)
		}
	}
	key := func() []byte {
		i, err := envelope.NewIdentity("The desk", "desk@shop.example", time.Now(), time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		return i.Public().Marshal()
	}
	share := func(id, address, sealing string) {
		t.Helper()
		if err := d.PutPerson(Local("test"), id, []string{plan.Commander}, Contact{Name: Title(id), Mail: address, Sealing: sealing}, false); err != nil {
			t.Fatal(err)
		}
	}
	first, second := key(), key()
	for _, c := range []struct {
		given   string
		do      func()
		want    envelope.Form
		tells   bool
		agree   bool
		sharing int
	}{
		{"neither has a key", func() { share("anna", "desk@shop.example", ""); share("boris", "DESK@shop.example", "") }, envelope.Signed, true, true, 1},
		{"one wants no readable mail", func() { share("boris", "DESK@shop.example", "required") }, envelope.Signed, false, true, 1},
		{"one has a key", func() { put("anna", first) }, envelope.Signed, false, false, 1},
		{"both have it", func() { put("boris", first) }, envelope.OpenPGP, false, true, 1},
		{"each has another", func() { put("boris", second) }, envelope.Signed, false, false, 1},
		{"each has an address of their own", func() { share("boris", "boris@shop.example", "required") }, envelope.OpenPGP, false, true, 0},
	} {
		c.do()
		for range 20 { // a map's order is another each time
			s, err := d.forAddress(notify.Message{To: "desk@shop.example"}, updateMail(1)).Seal(envelope.Plain{From: "tocsin@shop.example", To: "desk@shop.example", ID: "1@x", Date: time.Now(), Subject: "s", Body: "the shell lies in pub\n"})
			if err != nil || s.Form != c.want || strings.Contains(string(s.Body), "the shell") != c.tells {
				t.Fatalf("%s: %s, %v\n%s", c.given, s.Form, err, s.Body)
			}
		}
		d.Read(func(s *State) {
			if others, agree := d.Sharing(s, "anna"); agree != c.agree || len(others) != c.sharing {
				t.Errorf("%s: shared with %v, agree %v", c.given, others, agree)
			}
		})
	}
}

// Our key is renewed with the trust of the one before, revoked with its revocation served, and both stand in the ledger and hold after a restart.
func TestOurKeyIsRenewedAndRevoked(t *testing.T) {
	gpg := keyring(t)
	h := newHouse(t)
	h.postbox()
	d, stop := h.start()
	us := commander()
	h.team(d)
	first := d.OurKey(time.Now())
	revocation, err := d.Revocation(us)
	if err != nil || !strings.Contains(revocation, "BEGIN PGP PUBLIC KEY BLOCK") {
		t.Fatalf("%v %q", err, revocation)
	}
	if _, err := d.RenewMailKey(auth.Actor{Name: "person:boris", ID: "boris", Roles: []string{plan.Reader}}, ""); err == nil {
		t.Error("a reader renewed our key")
	}
	if _, err := d.RevokeMailKey(us, " ", false); err == nil {
		t.Error("a key was revoked without a reason")
	}
	second, err := d.RenewMailKey(us, "it ends in March")
	if err != nil {
		t.Fatal(err)
	}
	plainPrint := func(k OurKey) string { return strings.ReplaceAll(k.Fingerprint, " ", "") }
	gpg(first.Armoured, "--import")
	gpg(second.Armoured, "--import")
	if sigs, _ := gpg("", "--with-colons", "--check-sigs", plainPrint(second)); !strings.Contains(sigs, "sig:!::22:"+plainPrint(first)[24:]) {
		t.Errorf("the next key is not certified by the one before:\n%s", sigs)
	}
	third, err := d.RevokeMailKey(us, "the server was stolen", true)
	if err != nil {
		t.Fatal(err)
	}
	stop()
	d, stop = h.start()
	defer stop()
	if k := d.OurKey(time.Now()); k.Fingerprint != third.Fingerprint || len(k.Past) != 2 || k.Past[0].Revoked || !k.Past[1].Revoked {
		t.Errorf("after a restart: %+v", k)
	}
	h.want(d, entry.MailKeyMade, 3)
	h.want(d, entry.MailKeyRevoked, 1)
	w := httptest.NewRecorder()
	d.Directory().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/.well-known/openpgpkey/shop.example/hu/"+envelope.WKDHash("tocsin"), nil))
	gpg(w.Body.String(), "--import")
	list, _ := gpg("", "--with-colons", "--list-keys")
	for print, want := range map[string]bool{plainPrint(first): false, plainPrint(second): true, plainPrint(third): false} {
		got := false
		for l := range strings.Lines(list) {
			got = got || strings.HasPrefix(l, "pub:r:") && strings.Contains(l, print[24:])
		}
		if got != want {
			t.Errorf("%s is revoked: %v, want %v\n%s", print, got, want, list)
		}
	}
	gpg(revocation, "--import") // that of the safe
	if list, _ := gpg("", "--with-colons", "--list-keys", plainPrint(first)); !strings.Contains(list, "pub:r:") {
		t.Errorf("the kept revocation does not revoke:\n%s", list)
	}
}

// issue makes a certificate for mail to an address, in DER form, and its authority.
func issue(t *testing.T, address string) (der []byte, roots *x509.CertPool) {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	ca := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "an authority for mail"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), KeyUsage: x509.KeyUsageCertSign}
	root, err := x509.CreateCertificate(rand.Reader, ca, ca, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	if ca, err = x509.ParseCertificate(root); err != nil {
		t.Fatal(err)
	}
	leaf := &x509.Certificate{SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "x"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		KeyUsage: x509.KeyUsageKeyEncipherment, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageEmailProtection}, EmailAddresses: []string{address}}
	if der, err = x509.CreateCertificate(rand.Reader, leaf, ca, &key.PublicKey, key); err != nil {
		t.Fatal(err)
	}
	roots = x509.NewCertPool()
	roots.AddCert(ca)
	return der, roots
}

// A certificate in DER form of an authority that is named is used at once; of another, and for another address, it is not; and each refusal says why.
func TestCertificateOfAnAuthority(t *testing.T) {
	h := newHouse(t)
	h.postbox()
	good, roots := issue(t, "anna@shop.example")
	other, _ := issue(t, "anna@shop.example")
	wrong, _ := issue(t, "eve@shop.example")
	h.o.Authorities = roots
	d, stop := h.start()
	defer stop()
	h.team(d)
	us := commander()
	if _, err := d.PutKey(us, "anna", wrong); err == nil || !strings.Contains(err.Error(), "anna@shop.example") {
		t.Errorf("for another address: %v", err)
	}
	for _, junk := range []string{"", "hello", "-----BEGIN CERTIFICATE-----\nAAAA\n", string(good[:100])} {
		if _, err := d.PutKey(us, "anna", []byte(junk)); err == nil {
			t.Errorf("%.20q was taken", junk)
		}
	}
	of := func() (x plan.Pinned) {
		d.Read(func(s *State) { x = s.Seals.Of("anna").Keys[plan.SMIME] })
		return x
	}
	if says, err := d.PutKey(us, "anna", other); err != nil || !strings.Contains(says, "Compare the fingerprint") || of().Key.Fingerprint != "" {
		t.Errorf("of an authority that nobody named: %v %q %+v", err, says, of())
	}
	if says, err := d.PutKey(us, "anna", good); err != nil || !strings.Contains(says, "authority") || !of().Key.Issued {
		t.Errorf("of the authority: %v %q %+v", err, says, of())
	}
	if why := d.Unfit(of().Key, "anna@shop.example", time.Now()); why != "" {
		t.Errorf("it cannot be used: %s", why)
	}
	if why := d.Unfit(of().Key, "anna@shop.example", time.Now().Add(2*time.Hour)); !strings.Contains(why, "expired") {
		t.Errorf("after its end: %q", why)
	}
	m := d.forPerson(notify.Message{To: "anna@shop.example"}, "anna", Contact{Mail: "anna@shop.example"}, envelope.IncidentNeeds, "")
	if s, err := m.Seal(envelope.Plain{From: "tocsin@shop.example", To: "anna@shop.example", ID: "1@x", Date: time.Now(), Subject: "s", Body: "the shell lies in pub\n"}); err != nil || s.Form == envelope.SMIME || strings.Contains(string(s.Body), "shell") {
		t.Errorf("without a certificate of our own it is %s, %v", s.Form, err) // we could not sign: so no details
	}
}
