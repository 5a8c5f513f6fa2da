package desk

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"tocsin/internal/auth"
	"tocsin/internal/entry"
	"tocsin/internal/notify"
	"tocsin/internal/plan"
	"tocsin/internal/voice"
)

// installed fails the test when a counterpart is not installed.
func installed(t *testing.T, program, pkg string) {
	t.Helper()
	if _, err := exec.LookPath(program); err != nil {
		t.Fatalf("this test talks to a real %s, which is not installed: apt-get install %s", program, pkg)
	}
}

// phoneBook makes a certificate for 127.0.0.1 that is its own authority: all.pem has the key too.
func phoneBook(t *testing.T) (dir string) {
	t.Helper()
	dir = t.TempDir()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "127.0.0.1"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		BasicConstraintsValid: true, IsCA: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	der, err := x509.CreateCertificate(rand.Reader, c, c, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	cert := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	for name, text := range map[string][]byte{"ca.pem": cert, "all.pem": append(cert, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret})...)} {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// freePorts returns a port whose successor is free too, and a third.
func freePorts(t *testing.T) (pair, third int) {
	t.Helper()
	for range 100 {
		a, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		pair = a.Addr().(*net.TCPAddr).Port
		b, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", pair+1))
		a.Close()
		if err != nil {
			continue
		}
		c, err := net.Listen("tcp", "127.0.0.1:0")
		b.Close()
		if err == nil {
			third = c.Addr().(*net.TCPAddr).Port
			c.Close()
			return pair, third
		}
	}
	t.Fatal("no free ports")
	return 0, 0
}

// baresip starts a telephone that answers by itself, and returns its TLS port and what presses a key of it.
func baresip(t *testing.T, pki string) (port int, press func(key string)) {
	t.Helper()
	installed(t, "baresip", "baresip-core")
	dir, modules := t.TempDir(), "/usr/lib/baresip/modules"
	for _, d := range []string{"/usr/lib/x86_64-linux-gnu/baresip/modules", "/usr/lib/aarch64-linux-gnu/baresip/modules"} {
		if _, err := os.Stat(d); err == nil {
			modules = d
		}
	}
	pair, control := freePorts(t)
	config := fmt.Sprintf("poll_method epoll\nsip_listen 127.0.0.1:%d\nsip_certificate %s/all.pem\nsip_cafile %s/ca.pem\naudio_player aubridge,nulldev\naudio_source aubridge,nulldev\naudio_alert aubridge,nulldev\nmodule_path %s\nmodule g711.so\nmodule srtp.so\nmodule aubridge.so\nmodule_tmp uuid.so\nmodule_tmp account.so\nmodule_app menu.so\nmodule_app ctrl_tcp.so\nctrl_tcp_listen 127.0.0.1:%d\n", pair, pki, pki, modules, control)
	account := fmt.Sprintf("<sip:anna@127.0.0.1:%d;transport=tls>;regint=0;mediaenc=srtp-mand;answermode=auto;audio_codecs=PCMU;auth_pass=none\n", pair+1)
	for name, text := range map[string]string{"config": config, "accounts": account, "contacts": ""} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var said bytes.Buffer
	cmd := exec.Command("baresip", "-f", dir)
	cmd.Stdout, cmd.Stderr, cmd.SysProcAttr = &said, &said, &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("baresip said:\n%.3000s", said.String())
		}
	})
	for _, p := range []int{pair + 1, control} {
		eventually(t, fmt.Sprintf("baresip listens on port %d", p), func() bool {
			c, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", p))
			if err == nil {
				c.Close()
			}
			return err == nil
		})
	}
	return pair + 1, func(key string) {
		for _, k := range []string{key, " "} {
			c, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", control))
			if err != nil {
				return
			}
			text := fmt.Sprintf(`{"command":"sndcode","params":%q}`, k)
			fmt.Fprintf(c, "%d:%s,", len(text), text)
			_ = c.SetReadDeadline(time.Now().Add(300 * time.Millisecond))
			_, _ = c.Read(make([]byte, 512))
			c.Close()
		}
	}
}

func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for range 600 {
		if is() {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatal("it does not come to this: " + what)
}

// A line of a log rings a real telephone, the digit 1 answers, and the history tells how the call went.
func TestTelephoneAnswersCall(t *testing.T) {
	pki := phoneBook(t)
	port, press := baresip(t, pki)
	line, err := voice.New(voice.Options{CAFile: filepath.Join(pki, "ca.pem"), Speech: "-"})
	if err != nil {
		t.Fatal(err)
	}
	h := newHouse(t)
	h.o.Phone = line.Call
	d, stop := h.start()
	defer stop()
	h.team(d)
	if err := d.PutPerson(Local("test"), "anna", []string{plan.Commander}, Contact{Name: "Anna", Voice: fmt.Sprintf("sips:anna@127.0.0.1:%d", port)}, false); err != nil {
		t.Fatal(err)
	}
	h.feed(d, request(time.Now(), "192.0.2.7", "/evil"))
	eventually(t, "somebody answers by pressing 1", func() bool {
		press("1")
		return h.entries(d)[entry.CallAnswered] == 1
	})
	eventually(t, "the try is in the ledger", func() bool { return h.entries(d)[entry.CallSent] == 2 }) // the console, and the telephone
	d.Read(func(s *State) {
		c := s.Calls.Calls[0]
		if c.Answered.Person != "anna" || c.Answered.Via != plan.Voice {
			t.Errorf("answered %+v, want anna by voice", c.Answered)
		}
		for _, x := range c.Tries {
			if x.Channel == plan.Voice && (x.Failed || x.Result.Form != string(voice.EndToEnd)) {
				t.Errorf("the try is %+v, want one that was sent end to end", x.Result)
			}
			if x.Channel == plan.Voice {
				if text := d.Text(x.Result.Text); !strings.HasPrefix(text, "acknowledged") || strings.Count(text, "\n") < 5 {
					t.Errorf("the history says %q, want each moment of the call", text)
				}
			}
		}
	})
	if n := len(h.sent()); n != 0 {
		t.Errorf("%d further messages though anna answered", n)
	}
}

// A telephone that is not there is a failed try with a reason, and the next step rings at once.
func TestTelephoneAbsent(t *testing.T) {
	pki := phoneBook(t)
	line, err := voice.New(voice.Options{CAFile: filepath.Join(pki, "ca.pem"), Speech: "-"})
	if err != nil {
		t.Fatal(err)
	}
	free, _ := freePorts(t)
	h := newHouse(t)
	h.o.Phone = line.Call
	d, stop := h.start()
	defer stop()
	h.team(d)
	if err := d.PutPerson(Local("test"), "anna", []string{plan.Commander}, Contact{Name: "Anna", Voice: fmt.Sprintf("sips:anna@127.0.0.1:%d", free)}, false); err != nil {
		t.Fatal(err)
	}
	h.feed(d, request(time.Now(), "192.0.2.7", "/evil"))
	eventually(t, "the failure is in the ledger", func() bool { return h.entries(d)[entry.CallFailed] > 0 })
	d.Read(func(s *State) {
		for _, x := range s.Calls.Calls[0].Tries {
			if x.Failed && d.Text(x.Result.Text) == "" {
				t.Error("the failed call has no reason")
			}
		}
	})
}

// A mailbox is a real SMTP server that keeps what it takes.
type mailbox struct {
	mu   sync.Mutex
	mail []string
}

func (m *mailbox) NewSession(*smtp.Conn) (smtp.Session, error) { return m, nil }
func (m *mailbox) Mail(string, *smtp.MailOptions) error        { return nil }
func (m *mailbox) Rcpt(string, *smtp.RcptOptions) error        { return nil }
func (m *mailbox) Reset()                                      {}
func (m *mailbox) Logout() error                               { return nil }
func (m *mailbox) Data(r io.Reader) error {
	b, err := io.ReadAll(r)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.mail = append(m.mail, string(b))
	return err
}

func (m *mailbox) all() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([]string(nil), m.mail...)
}

// postbox starts a mailbox, and lets the house send its mail there.
func (h *house) postbox() *mailbox {
	h.t.Helper()
	box := &mailbox{}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		h.t.Fatal(err)
	}
	server := smtp.NewServer(box)
	server.Domain = "localhost"
	go func() { _ = server.Serve(l) }()
	h.t.Cleanup(func() { server.Close() })
	m, err := notify.NewMail(notify.MailOptions{Host: "127.0.0.1", Port: l.Addr().(*net.TCPAddr).Port, TLS: "none", From: "Tocsin <tocsin@shop.example>"})
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(m.Close)
	h.o.Senders[plan.Mail], h.o.Deliver, h.o.From = m.Send, m.Deliver, "Tocsin <tocsin@shop.example>"
	return box
}

// With a confirmed key a call's mail opens for its owner's gpg alone; without one, and with the policy required, it has no details.
func TestMailOfCallIsSealed(t *testing.T) {
	installed(t, "gpg", "gnupg")
	home, err := os.MkdirTemp("", "gpg") // short: the agent's socket lies in it
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = exec.Command("gpgconf", "--homedir", home, "--kill", "all").Run()
		os.RemoveAll(home)
	})
	gpg := func(in string, args ...string) (out, status string) {
		var o, e bytes.Buffer
		cmd := exec.CommandContext(t.Context(), "gpg", append([]string{"--homedir", home, "--batch", "--yes", "--pinentry-mode", "loopback", "--passphrase", "", "--trust-model", "always", "--status-fd", "2"}, args...)...)
		cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(in), &o, &e
		if err := cmd.Run(); err != nil {
			t.Fatalf("gpg %q: %v\n%s", args, err, e.String())
		}
		return o.String(), e.String()
	}
	gpg("", "--quick-generate-key", "Anna <anna@shop.example>", "default", "default", "1y")
	public, _ := gpg("", "--armor", "--export", "anna@shop.example")
	h := newHouse(t)
	box := h.postbox()
	d, stop := h.start()
	defer stop()
	h.team(d)
	us := auth.Actor{Name: "person:anna", ID: "anna", Roles: []string{plan.Commander}}
	if err := d.PutPerson(us, "anna", []string{plan.Commander}, Contact{Name: "Anna", Mail: "anna@shop.example", Sealing: "required"}, false); err != nil {
		t.Fatal(err)
	}
	h.feed(d, request(time.Now(), "192.0.2.7", "/evil"))
	eventually(t, "mail without details", func() bool { return len(box.all()) == 1 })
	if m := box.all()[0]; strings.Contains(m, "Request for evil") || strings.Contains(m, "/answer/") || !strings.Contains(m, "BEGIN PGP SIGNATURE") {
		t.Errorf("to somebody without a key, who is to get no details, left:\n%s", m)
	}
	eventually(t, "the downgrade is on the try", func() (is bool) {
		d.Read(func(s *State) {
			for _, x := range s.Calls.Calls[0].Tries {
				is = is || x.Channel == plan.Mail && x.Result.Less && x.Result.Form == "signed" && d.Text(x.Result.Text) != ""
			}
		})
		return is
	})
	if _, err := d.PutKey(us, "anna", []byte(public)); err != nil {
		t.Fatal(err)
	}
	var waits string
	d.Read(func(s *State) { waits = s.Seals.Of("anna").Keys[plan.OpenPGP].Candidate.Fingerprint })
	if err := d.ConfirmKey(us, "anna", strings.Repeat("A", 40)); err == nil {
		t.Error("another fingerprint than that of the key confirmed it")
	}
	if err := d.ConfirmKey(us, "anna", waits); err != nil {
		t.Fatal(err)
	}
	if err := d.RingNow(us, "anna", plan.Mail); err != nil {
		t.Fatal(err)
	}
	eventually(t, "sealed mail", func() bool { return len(box.all()) == 2 })
	m := box.all()[1]
	_, cipher, ok := strings.Cut(m, "-----BEGIN PGP MESSAGE-----")
	if !ok || strings.Contains(m, "/answer/") || !strings.Contains(m, "Subject: ...") {
		t.Fatalf("to somebody with a key left:\n%s", m)
	}
	gpg(d.OurKey(time.Now()).Armoured, "--import")
	cipher, _, _ = strings.Cut(cipher, "-----END PGP MESSAGE-----")
	clear, status := gpg("-----BEGIN PGP MESSAGE-----"+cipher+"-----END PGP MESSAGE-----\n", "--decrypt")
	if !strings.Contains(status, "GOODSIG") || !strings.Contains(status, "DECRYPTION_OKAY") || !strings.Contains(clear, "/answer/") {
		t.Errorf("gpg says %s\n%s", status, clear)
	}
	for kind, n := range map[entry.Kind]int{entry.KeyPut: 1, entry.KeyConfirmed: 1} {
		h.want(d, kind, n)
	}
}

// PINs that are guessed first are refused, and a right one is known again.
func TestPIN(t *testing.T) {
	h := newHouse(t)
	d, stop := h.start()
	defer stop()
	h.team(d)
	anna := auth.Actor{Name: "person:anna", ID: "anna", Roles: []string{plan.Commander}}
	for _, weak := range []string{"123", "1111", "1234", "9876", "12a4", "1234567890123"} {
		if err := d.SetPIN(t.Context(), anna, "anna", weak); err == nil {
			t.Errorf("the PIN %q was taken", weak)
		}
	}
	if err := d.SetPIN(t.Context(), anna, "anna", "2580"); err != nil {
		t.Fatal(err)
	}
	var ref string
	d.Read(func(s *State) { ref = s.Seals.Of("anna").PIN })
	if !d.rightPIN(t.Context(), "anna", ref, "2580") || d.rightPIN(t.Context(), "anna", ref, "2581") {
		t.Error("the PIN is not told from another")
	}
	if err := d.SetPIN(t.Context(), auth.Actor{Name: "person:boris", ID: "boris", Roles: []string{plan.Reader}}, "anna", "2581"); err == nil {
		t.Error("somebody else changed the PIN")
	}
}
