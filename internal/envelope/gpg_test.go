package envelope

import (
	"bytes"
	"io"
	"mime"
	"mime/multipart"
	"net/mail"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// needs fails the test when a counterpart is not installed.
func needs(t testing.TB, program, pkg string) {
	t.Helper()
	if _, err := exec.LookPath(program); err != nil {
		t.Fatalf("this test talks to a real %s, which is not installed: apt-get install %s", program, pkg)
	}
}

// A gnupg is a keyring of the real GnuPG.
type gnupg struct {
	t    testing.TB
	home string
}

func newGnuPG(t testing.TB) *gnupg {
	t.Helper()
	needs(t, "gpg", "gnupg")
	home, err := os.MkdirTemp("", "gpg") // short: the agent's socket lies in it
	if err != nil {
		t.Fatal(err)
	}
	g := &gnupg{t, home}
	t.Cleanup(func() {
		exec.Command("gpgconf", "--homedir", home, "--kill", "all").Run()
		os.RemoveAll(home)
	})
	return g
}

// run runs gpg and returns what it writes, its status lines, and whether it was content.
func (g *gnupg) run(in []byte, args ...string) (out, status string, ok bool) {
	g.t.Helper()
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(g.t.Context(), "gpg", append([]string{"--homedir", g.home, "--batch", "--no-tty", "--yes", "--status-fd", "2",
		"--pinentry-mode", "loopback", "--passphrase", "", "--trust-model", "always"}, args...)...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(in), &stdout, &stderr
	err := cmd.Run()
	return stdout.String(), stderr.String(), err == nil
}

func (g *gnupg) must(in []byte, args ...string) string {
	g.t.Helper()
	out, status, ok := g.run(in, args...)
	if !ok {
		g.t.Fatalf("gpg %q: %s", args, status)
	}
	return out
}

// person makes a key with a subkey for encryption.
func (g *gnupg) person(address string) (fingerprint string) {
	g.t.Helper()
	g.must(nil, "--quick-generate-key", "Anna <"+address+">", "ed25519", "cert,sign", "1y")
	fingerprint = g.fingerprint(address)
	g.must(nil, "--quick-add-key", fingerprint, "cv25519", "encr", "1y")
	return fingerprint
}

func (g *gnupg) fingerprint(of string) string {
	g.t.Helper()
	for l := range strings.Lines(g.must(nil, "--with-colons", "--list-keys", of)) {
		if f := strings.Split(l, ":"); f[0] == "fpr" {
			return f[9]
		}
	}
	g.t.Fatal("gpg lists no fingerprint of " + of)
	return ""
}

func (g *gnupg) export(of string) []byte { return []byte(g.must(nil, "--armor", "--export", of)) }

func parse(t testing.TB, b []byte) *Key {
	t.Helper()
	k, err := ParseKey(b)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func identity(t testing.TB, now time.Time) *Identity {
	t.Helper()
	i, err := NewIdentity("Tocsin", "tocsin@shop.example", now, 365*24*time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	return i
}

var incident = Plain{
	From: "Tocsin <tocsin@shop.example>", To: "anna@shop.example", ID: "call-3.2@shop.example", Date: time.Date(2026, 5, 5, 3, 0, 0, 0, time.UTC),
	Subject: "Critical: a skimmer on the checkout – card data",
	Body:    "A page skimmer was found.  \nFrom now on the shop is closed.\n- €1 000 were taken\n.\nFrom " + strings.Repeat("x", 90) + "\n",
}

// parts cuts a multipart body.
func parts(t testing.TB, header string, body []byte) (kind string, heads []string, bodies [][]byte) {
	t.Helper()
	m, err := mail.ReadMessage(io.MultiReader(strings.NewReader(header+"\r\n"), bytes.NewReader(body)))
	if err != nil {
		t.Fatal(err)
	}
	kind, p, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil {
		t.Fatal(err)
	}
	for r := multipart.NewReader(m.Body, p["boundary"]); ; {
		part, err := r.NextRawPart()
		if err == io.EOF {
			return kind, heads, bodies
		}
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(part)
		if err != nil {
			t.Fatal(err)
		}
		heads, bodies = append(heads, part.Header.Get("Content-Type")), append(bodies, b)
	}
}

// covered returns the bytes of the first part of multipart/signed, with its headers: what the signature covers.
func covered(t testing.TB, header string, body []byte) []byte {
	t.Helper()
	_, edge, _ := strings.Cut(header, `boundary="`)
	edge, _, _ = strings.Cut(edge, `"`)
	_, rest, ok := bytes.Cut(body, []byte("--"+edge+"\r\n"))
	entity, _, ok2 := bytes.Cut(rest, []byte("\r\n--"+edge+"\r\n"))
	if !ok || !ok2 {
		t.Fatal("no first part")
	}
	return entity
}

// readEntity demands the message of incident.
func readEntity(t testing.TB, entity string) {
	t.Helper()
	m, err := mail.ReadMessage(strings.NewReader(entity))
	if err != nil {
		t.Fatalf("%v in %q", err, entity)
	}
	subject, err := new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject"))
	if err != nil || subject != incident.Subject {
		t.Errorf("the protected subject is %q (%v)", subject, err)
	}
	kind, p, _ := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if kind != "text/plain" || p["protected-headers"] != "v1" || m.Header.Get("From") != incident.From || m.Header.Get("Message-ID") != "<"+incident.ID+">" {
		t.Errorf("headers are %v", m.Header)
	}
	text, err := io.ReadAll(qp(m.Body))
	if got := strings.ReplaceAll(string(text), "\r\n", "\n"); err != nil || got != incident.Body {
		t.Errorf("the body is %q (%v)", got, err)
	}
	for l := range strings.SplitSeq(strings.TrimSuffix(entity, "\r\n"), "\r\n") {
		if len(l) > 200 || strings.ContainsAny(l, "\r\n") || strings.HasSuffix(l, " ") || strings.HasPrefix(l, "From ") {
			t.Errorf("a line that mail servers change: %q", l)
		}
	}
}

func TestGnuPGReads(t *testing.T) {
	g := newGnuPG(t)
	now := time.Now()
	us := identity(t, now)
	armoured, err := us.Armoured()
	if err != nil {
		t.Fatal(err)
	}
	g.must([]byte(armoured), "--import")
	print := g.person("anna@shop.example")
	anna := parse(t, g.export("anna@shop.example"))
	now = time.Now().Add(time.Second) // gpg's keys are of this second
	if anna.Fingerprint() != print || us.Public().Fingerprint() != g.fingerprint("tocsin@shop.example") {
		t.Errorf("fingerprints are %s and %s; gpg says otherwise", anna.Fingerprint(), us.Public().Fingerprint())
	}
	s := Sealer{Identity: us}
	sealed, err := s.Seal(incident, Reader{Address: "anna@shop.example", Key: anna}, now)
	if err != nil {
		t.Fatal(err)
	}
	if sealed.Form != OpenPGP || sealed.Subject != "..." || sealed.Downgraded {
		t.Errorf("sealed as %s, subject %q, downgraded %v", sealed.Form, sealed.Subject, sealed.Downgraded)
	}
	kind, heads, bodies := parts(t, sealed.Header, sealed.Body)
	if kind != "multipart/encrypted" || len(bodies) != 2 || heads[0] != "application/pgp-encrypted" || strings.TrimSpace(string(bodies[0])) != "Version: 1" {
		t.Fatalf("%s of %q", kind, heads)
	}
	for _, secret := range []string{"skimmer", "checkout", "Critical", "card"} {
		if strings.Contains(sealed.Header+string(sealed.Body), secret) {
			t.Errorf("%q stands outside", secret)
		}
	}
	text, status, ok := g.run(bodies[1], "--decrypt")
	if !ok || !strings.Contains(status, "GOODSIG") || !strings.Contains(status, "DECRYPTION_OKAY") || !strings.Contains(status, us.Public().Fingerprint()) {
		t.Fatalf("gpg: %s", status)
	}
	readEntity(t, text)

	t.Run("changed on the way", func(t *testing.T) {
		raw := []byte(g.must(bodies[1], "--dearmor"))
		raw[len(raw)-30] ^= 1
		if _, status, ok := g.run(raw, "--decrypt"); ok || strings.Contains(status, "GOODSIG") {
			t.Errorf("gpg took it: %s", status)
		}
	})
	t.Run("signed only", func(t *testing.T) {
		sealed, err := s.Seal(incident, Reader{Address: "ben@shop.example", Policy: Opportunistic}, now)
		if err != nil {
			t.Fatal(err)
		}
		if sealed.Form != Signed || !sealed.Downgraded || sealed.Why == "" || sealed.Subject != incident.Subject {
			t.Errorf("%+v", sealed.Form)
		}
		_, heads, bodies := parts(t, sealed.Header, sealed.Body)
		if len(bodies) != 2 || !strings.HasPrefix(heads[1], "application/pgp-signature") {
			t.Fatalf("parts are %q", heads)
		}
		file := filepath.Join(t.TempDir(), "part")
		entity := covered(t, sealed.Header, sealed.Body)
		readEntity(t, string(entity))
		verify := func(entity []byte) string {
			if err := os.WriteFile(file, entity, 0o600); err != nil {
				t.Fatal(err)
			}
			_, status, _ := g.run(bodies[1], "--verify", "-", file)
			return status
		}
		if status := verify(entity); !strings.Contains(status, "GOODSIG") {
			t.Errorf("gpg: %s", status)
		}
		if status := verify(bytes.Replace(entity, []byte("closed"), []byte("opened"), 1)); !strings.Contains(status, "BADSIG") || strings.Contains(status, "GOODSIG") {
			t.Errorf("changed, gpg: %s", status)
		}
	})
	t.Run("rotation", func(t *testing.T) {
		now := time.Now()
		next, err := us.Rotate("Tocsin", now, 365*24*time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		armoured, err := next.Armoured()
		if err != nil {
			t.Fatal(err)
		}
		g.must([]byte(armoured), "--import")
		id := us.Public().Fingerprint()[24:]
		if list := g.must(nil, "--with-colons", "--check-signatures", next.Public().Fingerprint()); !strings.Contains(list, "sig:!::22:"+id) {
			t.Errorf("gpg finds no good signature by the old key %s in\n%s", id, list)
		}
		revoked, err := us.Revoke(false, now)
		if err != nil {
			t.Fatal(err)
		}
		g.must([]byte(revoked), "--import")
		if list := g.must(nil, "--with-colons", "--list-keys", us.Public().Fingerprint()); !strings.Contains(list, "pub:r:") {
			t.Errorf("gpg does not see the revocation:\n%s", list)
		}
	})
}

// TestGnuPGKeysThatCannotEncrypt: whatever the policy, the reader of such a key gets no details.
func TestGnuPGKeysThatCannotEncrypt(t *testing.T) {
	g := newGnuPG(t)
	now := time.Now()
	s := Sealer{Identity: identity(t, now), SignIn: "https://tocsin.shop.example/"}

	g.must(nil, "--quick-generate-key", "Ben <ben@shop.example>", "ed25519", "cert,sign", "1y")
	var cases []struct {
		name string
		key  []byte
		at   time.Time
		to   string
		want Reason
	}
	add := func(name string, key []byte, at time.Time, to string, want Reason) {
		cases = append(cases, struct {
			name string
			key  []byte
			at   time.Time
			to   string
			want Reason
		}{name, key, at, to, want})
	}
	dora := g.person("dora@shop.example")
	now = time.Now().Add(time.Second) // gpg's keys are of this second
	add("without an encryption subkey", g.export("ben@shop.example"), now, "ben@shop.example", NoEncryption)
	good := g.export(dora)
	add("expired", good, now.AddDate(2, 0, 0), "dora@shop.example", Expired)
	add("not yet valid", good, now.AddDate(-1, 0, 0), "dora@shop.example", NotYet)
	add("somebody else's", good, now, "eve@shop.example", OtherAddress)
	b, err := os.ReadFile(filepath.Join(g.home, "openpgp-revocs.d", dora+".rev"))
	if err != nil {
		t.Fatal(err)
	}
	g.must(bytes.Replace(b, []byte(":-----BEGIN"), []byte("-----BEGIN"), 1), "--import")
	add("revoked", g.export(dora), now, "dora@shop.example", Revoked)

	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			k := parse(t, c.key)
			err := k.Check(c.to, c.at)
			r, ok := err.(*Refusal)
			if !ok || r.Reason != c.want {
				t.Fatalf("got %v, want %s", err, c.want)
			}
			for _, policy := range []Policy{"", Required, Opportunistic} {
				sealed, err := s.Seal(incident, Reader{Address: c.to, Policy: policy, Key: k}, now)
				if c.want == Expired || c.want == NotYet {
					sealed, err = Sealer{SignIn: s.SignIn}.Seal(incident, Reader{Address: c.to, Policy: policy, Key: k}, c.at)
				}
				if err != nil {
					t.Fatal(err)
				}
				all := sealed.Subject + sealed.Header + string(sealed.Body)
				if !sealed.Downgraded || !strings.Contains(sealed.Why, r.Words) || strings.Contains(all, "skimmer") || strings.Contains(all, "Critical") || !strings.Contains(all, "Sign in") {
					t.Errorf("policy %q: %q, because %q", policy, all, sealed.Why)
				}
			}
		})
	}
}

// TestGnuPGNamesTheSameFile: gpg and we agree where a key lies in a Web Key Directory.
func TestGnuPGNamesTheSameFile(t *testing.T) {
	g := newGnuPG(t)
	for _, local := range []string{"anna", "Joe.Doe", "a+b", "ÄNNE"} {
		g.must(nil, "--quick-generate-key", local+"@shop.example", "ed25519", "sign", "1y")
	}
	list := g.must(nil, "--with-wkd-hash", "--list-keys")
	for _, local := range []string{"anna", "Joe.Doe", "a+b", "ÄNNE"} {
		if want := WKDHash(local) + "@shop.example"; !strings.Contains(list, want) {
			t.Errorf("%s: gpg does not name %s in\n%s", local, want, list)
		}
	}
	if got := WKDHash("Joe.Doe"); got != "iy9q119eutrkn8s1mk4r39qejnbu3n5q" { // the example of the draft
		t.Errorf("Joe.Doe is %s", got)
	}
}
