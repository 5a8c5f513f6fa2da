package notify

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/emersion/go-smtp"
)

// needs fails the test when a counterpart is not installed.
func needs(t testing.TB, program, pkg string) string {
	t.Helper()
	for _, dir := range []string{"", "/usr/sbin/", "/usr/lib/postfix/sbin/", "/usr/libexec/postfix/"} {
		if p, err := exec.LookPath(dir + program); err == nil {
			return p
		}
	}
	t.Fatalf("this test talks to a real %s, which is not installed: apt-get install %s", program, pkg)
	return ""
}

// needsRoot skips the test where a server's daemons cannot change their user.
func needsRoot(t testing.TB, program string) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skipf("this test starts a real %s, whose parts run as several users: only root can do that", program)
	}
}

// open returns a folder that a server's other users can enter.
func open(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "tocsin")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

func put(t testing.TB, name, text string) string {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return name
}

// ports returns ports of this machine that were free a moment ago.
func ports(t testing.TB, n int) (out []int) {
	t.Helper()
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		out = append(out, l.Addr().(*net.TCPAddr).Port)
	}
	return out
}

// serve runs a server in the foreground, waits until it listens, and ends it and its children after the test.
func serve(t testing.TB, log string, port int, program string, args ...string) {
	t.Helper()
	var said bytes.Buffer
	cmd := exec.Command(program, args...)
	cmd.Stdout, cmd.Stderr = &said, &said
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		cmd.Wait()
		close(ended)
	}()
	t.Cleanup(func() {
		syscall.Kill(cmd.Process.Pid, syscall.SIGTERM)
		select {
		case <-ended:
		case <-time.After(5 * time.Second):
			syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
			<-ended
		}
		if t.Failed() {
			b, _ := os.ReadFile(log)
			t.Logf("%s said:\n%s", filepath.Base(program), b)
		}
	})
	for range 400 {
		if c, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port)); err == nil {
			c.Close()
			return
		}
		select {
		case <-ended:
			t.Fatalf("%s ended: %s", program, said.String())
		case <-time.After(25 * time.Millisecond):
		}
	}
	t.Fatalf("%s does not listen: %s", program, said.String())
}

// eventually waits until a log or a mailbox says something.
func eventually(t testing.TB, what string, done func() bool) {
	t.Helper()
	for range 800 {
		if done() {
			return
		}
		time.Sleep(25 * time.Millisecond)
	}
	t.Fatalf("after 20 seconds still not: %s", what)
}

func logged(t testing.TB, log string, words ...string) func() bool {
	return func() bool {
		b, _ := os.ReadFile(log)
		for l := range strings.Lines(string(b)) {
			all := true
			for _, w := range words {
				all = all && strings.Contains(l, w)
			}
			if all {
				return true
			}
		}
		return false
	}
}

// postfix starts a real Postfix with a configuration, a queue and a log of its own; mail to a domain goes to the port on this machine.
func postfix(t testing.TB, to map[string]int) (port int, log string) {
	t.Helper()
	master := needs(t, "master", "postfix")
	needsRoot(t, "postfix")
	dir := open(t)
	port = ports(t, 1)[0]
	log = filepath.Join(dir, "log")
	var transport []string
	for domain, p := range to {
		transport = append(transport, fmt.Sprintf("%s=smtp:[127.0.0.1]:%d", domain, p))
	}
	put(t, filepath.Join(dir, "main.cf"), fmt.Sprintf(`compatibility_level = 3.6
queue_directory = %[1]s/spool
data_directory = %[1]s/data
command_directory = /usr/sbin
daemon_directory = %[2]s
mail_owner = postfix
setgid_group = postdrop
myhostname = mail.shop.example
mydestination =
local_recipient_maps =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
smtpd_relay_restrictions = permit_mynetworks, reject
smtpd_recipient_restrictions = permit_mynetworks, reject
alias_maps =
alias_database =
maillog_file = %[3]s
maillog_file_prefixes = %[1]s
transport_maps = inline:{ %[4]s }
smtp_dns_support_level = disabled
smtp_host_lookup = native
double_bounce_sender = double-bounce
notify_classes =
`, dir, filepath.Dir(master), log, strings.Join(transport, ", ")))
	table := fmt.Sprintf("127.0.0.1:%d inet n - n - - smtpd\npostlog unix-dgram n - n - 1 postlogd\nqmgr unix n - n 300 1 qmgr\n", port)
	for service, program := range map[string]string{
		"cleanup": "cleanup", "rewrite": "trivial-rewrite", "bounce": "bounce", "defer": "bounce", "trace": "bounce", "verify": "verify", "flush": "flush", "proxymap": "proxymap",
		"smtp": "smtp", "relay": "smtp", "error": "error", "retry": "error", "discard": "discard", "anvil": "anvil", "scache": "scache", "showq": "showq",
	} {
		private := "-"
		if service == "cleanup" || service == "flush" || service == "showq" {
			private = "n"
		}
		table += service + " unix " + private + " - n - 0 " + program + "\n"
	}
	put(t, filepath.Join(dir, "master.cf"), table)
	for _, d := range strings.Fields("active bounce corrupt defer deferred flush hold incoming maildrop pid private public saved trace") {
		if err := os.MkdirAll(filepath.Join(dir, "spool", d), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.MkdirAll(filepath.Join(dir, "data"), 0o755); err != nil {
		t.Fatal(err)
	}
	put(t, log, "")
	for _, args := range []string{"chown -R postfix spool data", "chown root spool spool/pid", "chgrp postdrop spool/maildrop spool/public", "chmod 730 spool/maildrop", "chmod 710 spool/public"} {
		cmd := exec.Command("sh", "-c", "cd "+dir+" && "+args)
		if b, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%s: %s", args, b)
		}
	}
	serve(t, log, port, master, "-c", dir, "-d")
	return port, log
}

// TestBounceRoundTrip: what Postfix cannot deliver comes back as a report, and the report names the message and the person.
func TestBounceRoundTrip(t *testing.T) {
	dead, inbox := start(t, kind{}), start(t, kind{})
	dead.utf8, inbox.utf8 = true, true
	dead.onRcpt = &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "no such user here"}
	port, log := postfix(t, map[string]int{"bad.example": dead.port, "shop.example": inbox.port})
	b := &Bounces{Domain: "shop.example", Secret: []byte("a secret of sixteen bytes")}
	m := sender(t, MailOptions{Host: "127.0.0.1", Port: port, TLS: "none", From: "Tocsin <tocsin@shop.example>", DSN: true, Bounces: b})

	got, err := m.Deliver(t.Context(), Message{To: "ben@bad.example", Subject: "x", Body: "y", ID: "call-3.2.ben+1@shop.example", Ref: "call3.2.ben"})
	if err != nil {
		t.Fatal(err)
	}
	_, queued, ok := strings.Cut(got.Reply, "queued as ")
	if !ok || !strings.HasPrefix(got.Reply, "250 2.0.0 ") || !got.DSN {
		t.Fatalf("accepted: %+v", got)
	}
	eventually(t, "Postfix's log names the message by what it told us", logged(t, log, queued+": to=<ben@bad.example>", "status=bounced"))

	inbound := func(n int) func() bool { return func() bool { c, _ := inbox.count(); return c >= n } }
	eventually(t, "the report came", inbound(1))
	inbox.mu.Lock()
	report, to := inbox.received[0], inbox.to[0]
	inbox.mu.Unlock()
	r, err := ReadReport(strings.NewReader(report), to, b)
	if err != nil {
		t.Fatalf("%v in\n%s", err, report)
	}
	if r.Ref != "call3.2.ben" || r.MessageID != "call-3.2.ben+1@shop.example" || r.Envelope != "call-3.2.ben+1@shop.example" || len(r.Outcomes) != 1 {
		t.Fatalf("%+v", r)
	}
	if o := r.Outcomes[0]; o.Recipient != "ben@bad.example" || o.Original != "ben@bad.example" || !o.Failed() || !o.Dead() || o.Status != "5.1.1" || !strings.Contains(o.Words, "no such user here") {
		t.Errorf("%+v", o)
	}
	if strings.Contains(report, "\r\ny\r\n") {
		t.Error("the report holds the message's body, although only its header was asked for")
	}

	// A report with another's token, or none, is refused.
	forged := strings.ReplaceAll(report, "call3.2.ben-", "call9.2.eve-")
	if r, err := ReadReport(strings.NewReader(forged), strings.Replace(to, "call3.2.ben-", "call9.2.eve-", 1), b); err != ErrForged {
		t.Errorf("forged: %+v, %v", r, err)
	}
	if _, err := ReadReport(strings.NewReader(report), to, &Bounces{Domain: "shop.example", Secret: []byte("another secret of its own")}); err != ErrForged {
		t.Errorf("with another secret: %v", err)
	}

	// With SMTPUTF8, Postfix writes the other form (RFC 6533); it is read too.
	t.Run("global", func(t *testing.T) {
		from, err := b.Address("call4.1.ben")
		if err != nil {
			t.Fatal(err)
		}
		c, err := smtp.Dial(fmt.Sprintf("127.0.0.1:%d", port))
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if err := c.Mail(from, &smtp.MailOptions{UTF8: true}); err != nil {
			t.Fatal(err)
		}
		if err := c.Rcpt("bän@bad.example", nil); err != nil {
			t.Fatal(err)
		}
		w, err := c.Data()
		if err != nil {
			t.Fatal(err)
		}
		w.Write([]byte("Subject: ä\r\nMessage-ID: <4.1@shop.example>\r\n\r\nx\r\n"))
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		eventually(t, "the second report came", inbound(2))
		inbox.mu.Lock()
		report, to := inbox.received[1], inbox.to[1]
		inbox.mu.Unlock()
		if !strings.Contains(report, "message/global-delivery-status") {
			t.Fatalf("Postfix wrote another form:\n%s", report)
		}
		r, err := ReadReport(strings.NewReader(report), to, b)
		if err != nil || r.Ref != "call4.1.ben" || r.MessageID != "4.1@shop.example" || len(r.Outcomes) != 1 || r.Outcomes[0].Recipient != "bän@bad.example" || !r.Outcomes[0].Failed() {
			t.Errorf("%+v, %v in\n%s", r, err, report)
		}
	})
}

// pki makes an authority, and certificates of it for three addresses of this machine: one that holds, one that has expired, and one for
// another name.
func pki(t testing.TB, dir string) (caFile string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	put(t, filepath.Join(dir, "key.pem"), string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})))
	ca := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test authority"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), KeyUsage: x509.KeyUsageCertSign}
	write := func(name string, c *x509.Certificate) {
		der, err := x509.CreateCertificate(rand.Reader, c, ca, &key.PublicKey, key)
		if err != nil {
			t.Fatal(err)
		}
		put(t, filepath.Join(dir, name), string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})))
	}
	write("ca.pem", ca)
	for name, address := range map[string]string{"good": "127.0.0.1", "expired": "127.0.0.2", "other": "127.9.9.9"} {
		c := &x509.Certificate{SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
			KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}, IPAddresses: []net.IP{net.ParseIP(address)}, DNSNames: []string{"other.example"}}
		if name == "expired" {
			c.NotAfter = time.Now().Add(-time.Minute)
		}
		write(name+".pem", c)
	}
	return filepath.Join(dir, "ca.pem")
}

// dovecot starts a real Dovecot as a submission server that takes SCRAM-SHA-256 over STARTTLS only, and relays to the port.
func dovecot(t testing.TB, relay int) (port int, caFile, log string) {
	t.Helper()
	program := needs(t, "dovecot", "dovecot-submissiond")
	if _, err := os.Stat("/usr/lib/dovecot/submission"); err != nil {
		t.Fatal("this test talks to a real dovecot with submission, which is not installed: apt-get install dovecot-submissiond")
	}
	needsRoot(t, "dovecot")
	dir := open(t)
	port, caFile, log = ports(t, 1)[0], pki(t, dir), filepath.Join(dir, "log")
	put(t, log, "")
	put(t, filepath.Join(dir, "users"), "tocsin:{PLAIN}a good password\n")
	conf := put(t, filepath.Join(dir, "dovecot.conf"), fmt.Sprintf(`protocols = submission
listen = 127.0.0.1
base_dir = %[1]s/run
state_dir = %[1]s/state
log_path = %[1]s/log
ssl = required
ssl_cert = <%[1]s/good.pem
ssl_key = <%[1]s/key.pem
auth_mechanisms = scram-sha-256
auth_failure_delay = 0 secs
auth_verbose = yes
mail_location = maildir:%[1]s/mail
first_valid_uid = 1
passdb {
  driver = passwd-file
  args = username_format=%%u %[1]s/users
}
userdb {
  driver = static
  args = uid=nobody gid=nogroup home=%[1]s/home
}
hostname = mail.shop.example
submission_relay_host = 127.0.0.1
submission_relay_port = %[3]d
local 127.0.0.2 {
  ssl_cert = <%[1]s/expired.pem
}
local 127.0.0.3 {
  ssl_cert = <%[1]s/other.pem
}
service submission-login {
  chroot =
  inet_listener submission {
    address = 127.0.0.1, 127.0.0.2, 127.0.0.3
    port = %[2]d
  }
}
service anvil {
  chroot =
  unix_listener anvil-auth-penalty {
    mode = 0
  }
}
service stats {
  chroot =
}
`, dir, port, relay))
	for _, d := range []string{"home", "mail"} {
		if err := os.Mkdir(filepath.Join(dir, d), 0o777); err != nil {
			t.Fatal(err)
		}
		os.Chmod(filepath.Join(dir, d), 0o777)
	}
	serve(t, log, port, program, "-F", "-c", conf)
	return port, caFile, log
}

// TestSubmission: the mail goes only through the server that it is for, to which we prove that we know the password without telling it.
func TestSubmission(t *testing.T) {
	relay := start(t, kind{})
	port, caFile, log := dovecot(t, relay.port)
	good := MailOptions{Host: "127.0.0.1", Port: port, CAFile: caFile, Username: "tocsin", Password: "a good password", From: "tocsin@shop.example"}
	got, err := sender(t, good).Deliver(t.Context(), hello)
	if err != nil {
		t.Fatal(err)
	}
	if n, _ := relay.count(); n != 1 || !strings.HasPrefix(got.TLS, "TLS 1.3 ") {
		t.Errorf("relayed %d, %+v", n, got)
	}
	if !logged(t, log, "Login: user=<tocsin>", "method=SCRAM-SHA-256", "TLS")() {
		t.Error("Dovecot's log shows no sign-in by SCRAM-SHA-256 over TLS")
	}
	for _, c := range []struct {
		name   string
		change func(*MailOptions)
		words  string   // in our reason
		log    []string // in one line of Dovecot's log
	}{
		{"wrong password", func(o *MailOptions) { o.Password = "a bad password" }, "535 5.7.8", []string{"submission-login", "auth failed", "user=<tocsin>", "TLS"}},
		{"no such user", func(o *MailOptions) { o.Username = "eve" }, "535 5.7.8", []string{"unknown user"}},
		{"in the clear", func(o *MailOptions) { o.TLS, o.Host = "none", "127.0.0.2" }, "no way to sign in", []string{"submission-login", "no auth attempts", "user=<>", "lip=127.0.0.2"}},
		{"expired certificate", func(o *MailOptions) { o.Host = "127.0.0.2" }, "expired", []string{"lip=127.0.0.2", "alert bad certificate"}},
		{"certificate for another name", func(o *MailOptions) { o.Host = "127.0.0.3" }, "certificate does not hold", []string{"lip=127.0.0.3", "alert bad certificate"}},
		{"unknown authority", func(o *MailOptions) { o.CAFile = "" }, "certificate does not hold", []string{"lip=127.0.0.1", "alert bad certificate"}},
		{"unknown authority, opportunistic", func(o *MailOptions) { o.CAFile, o.TLS = "", "opportunistic" }, "certificate does not hold", []string{"lip=127.0.0.1", "alert bad certificate"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := good
			c.change(&o)
			f := failure(t, sender(t, o).Send(t.Context(), hello))
			if f.Temporary || !strings.Contains(f.Reason, c.words) || strings.Contains(f.Reason, "bad password") {
				t.Errorf("%+v", f)
			}
			eventually(t, fmt.Sprintf("Dovecot's log says %q", c.log), logged(t, log, c.log...))
			if n, _ := relay.count(); n != 1 {
				t.Errorf("relayed %d", n)
			}
		})
	}
}

// TestOpenDKIMVerifies: a real verifier takes what we sign, sealed or not, and refuses it changed.
func TestOpenDKIMVerifies(t *testing.T) {
	program := needs(t, "opendkim", "opendkim")
	dir := t.TempDir()
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	_, edKey, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	keys := []DKIMKey{{"shop.example", "r1", rsaKey}, {"shop.example", "e1", edKey}}
	dns := ""
	for _, k := range keys {
		name, text, err := k.Record()
		if err != nil {
			t.Fatal(err)
		}
		dns += name + " " + text + "\n"
	}
	conf := put(t, filepath.Join(dir, "conf"), "Mode v\nTestDNSData "+put(t, filepath.Join(dir, "dns"), dns)+"\n")
	verify := func(raw string) string {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		b, _ := exec.CommandContext(ctx, program, "-x", conf, "-vv", "-t", put(t, filepath.Join(dir, "message"), raw)).CombinedOutput()
		return string(b)
	}
	for name, c := range map[string]struct {
		keys []DKIMKey
		msg  Message
	}{
		"RSA":          {keys[:1], hello},
		"Ed25519":      {keys[1:], hello},
		"both":         {keys, hello},
		"not ASCII":    {keys[:1], Message{To: "anna@shop.example", Subject: strings.Repeat("Größe – ", 20), Body: ".\nFrom here\n.\n \n€", ID: "1@h"}},
		"RSA, sealed":  {keys[:1], sealedMessage(t)},
		"both, sealed": {keys, sealedMessage(t)},
	} {
		t.Run(name, func(t *testing.T) {
			s := start(t, kind{})
			o := s.options()
			o.TLS, o.DKIM = "none", c.keys
			if err := sender(t, o).Send(t.Context(), c.msg); err != nil {
				t.Fatal(err)
			}
			raw := s.received[0]
			if said := verify(raw); !strings.Contains(said, "verification (s=") || !strings.Contains(said, "succeeded") || strings.Contains(said, "failed") {
				t.Errorf("opendkim: %s\n%s", said, raw)
			}
			head, body, _ := strings.Cut(raw, "\r\n\r\n")
			for what, changed := range map[string]string{
				"body":           head + "\r\n\r\n" + body + "One line more.\r\n",
				"subject":        strings.Replace(raw, "\r\nSubject:", "\r\nSubject: Re:", 1),
				"second subject": "Subject: another\r\n" + raw,
			} {
				if said := verify(changed); strings.Contains(said, "succeeded") {
					t.Errorf("%s changed, opendkim: %s", what, said)
				}
			}
		})
	}
}
