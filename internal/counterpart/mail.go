package counterpart

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
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
	"testing"
	"time"
)

// Password is that of the account tocsin at a MailServer.
const Password = `a "good" \password`

// A MailServer is a running Dovecot. On 127.0.0.2 it shows a certificate that has expired, on 127.0.0.3 (submission alone) one for another name.
type MailServer struct {
	Port    int    // with STARTTLS, on 127.0.0.1
	Secure  int    // with TLS at once, of IMAP
	CAFile  string // of its certificate's authority
	Log     string // file
	Maildir string // that it shows as INBOX
}

// Logged returns a func that says whether a line of a log has all these words.
func Logged(log string, words ...string) func() bool {
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

// opened returns a folder that a server's other users can enter, and a log in it that is shown when the test fails. Only root can start such a server.
func opened(t *testing.T, program string) (dir, log string) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skipf("this test starts a real %s, whose parts run as several users: only root can do that", program)
	}
	dir, err := os.MkdirTemp("", "tocsin")
	if err != nil {
		t.Fatal(err)
	}
	log = filepath.Join(dir, "log")
	t.Cleanup(func() {
		if b, _ := os.ReadFile(log); t.Failed() {
			t.Logf("%s wrote into its log:\n%s", program, b)
		}
		os.RemoveAll(dir)
	})
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	public(t, log, "")
	return dir, log
}

func public(t *testing.T, name, text string) string {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return name
}

// Postfix starts a real Postfix with a configuration, a queue and a log of its own. Mail to a domain goes to a port of this machine; that to the domain home goes into
// a Maildir, when there is one.
func Postfix(t *testing.T, to map[string]int, home, maildir string) (port int, caFile, log string) {
	t.Helper()
	master := Installed(t, "master", "postfix")
	dir, log := opened(t, "postfix")
	port, caFile = FreePair(t), threeCertificates(t, dir)
	var transport []string
	for domain, p := range to {
		transport = append(transport, fmt.Sprintf("%s=smtp:[127.0.0.1]:%d", domain, p))
	}
	conf := fmt.Sprintf(`compatibility_level = 3.6
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
smtpd_tls_security_level = may
smtpd_tls_loglevel = 1
smtpd_tls_cert_file = %[1]s/good.pem
smtpd_tls_key_file = %[1]s/key.pem
`, dir, filepath.Dir(master), log, strings.Join(transport, ", "))
	if home != "" { // nobody's, as Dovecot reads it
		conf += fmt.Sprintf("virtual_mailbox_domains = %s\nvirtual_mailbox_base = /\nvirtual_mailbox_maps = static:%s/\nvirtual_uid_maps = static:65534\nvirtual_gid_maps = static:65534\nvirtual_minimum_uid = 1\n", home, strings.TrimPrefix(maildir, "/"))
	}
	public(t, filepath.Join(dir, "main.cf"), conf)
	table := fmt.Sprintf("127.0.0.1:%d inet n - n - - smtpd\npostlog unix-dgram n - n - 1 postlogd\ntlsmgr unix - - n - 1 tlsmgr\nqmgr unix n - n 300 1 qmgr\nvirtual unix - n n - - virtual\n", port)
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
	public(t, filepath.Join(dir, "master.cf"), table)
	folders := strings.Fields("data spool/active spool/bounce spool/corrupt spool/defer spool/deferred spool/flush spool/hold spool/incoming spool/maildrop spool/pid spool/private spool/public spool/saved spool/trace")
	for _, d := range folders {
		if err := os.MkdirAll(filepath.Join(dir, d), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command("sh", "-c", "chown -R postfix spool data && chown root spool spool/pid && chgrp postdrop spool/maildrop spool/public && chmod 730 spool/maildrop && chmod 710 spool/public")
	cmd.Dir = dir
	if b, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("giving Postfix its folders: %v: %s", err, b)
	}
	Start(t, "postfix", "master", "-c", dir, "-d")
	Reachable(t, port)
	return port, caFile, log
}

// Submission starts a real Dovecot as a submission server that takes SCRAM-SHA-256 over STARTTLS only, and relays to a port.
func Submission(t *testing.T, relay int) MailServer {
	t.Helper()
	return dovecot(t, "submission", func(m MailServer) string {
		return fmt.Sprintf(`hostname = mail.shop.example
submission_relay_host = 127.0.0.1
submission_relay_port = %d
service submission-login {
  chroot =
  inet_listener submission {
    address = 127.0.0.1, 127.0.0.2, 127.0.0.3
    port = %d
  }
}
`, relay, m.Port)
	})
}

// IMAP starts a real Dovecot with one mailbox: IMAP with STARTTLS and SCRAM-SHA-256 alone.
func IMAP(t *testing.T) MailServer {
	t.Helper()
	return dovecot(t, "imap", func(m MailServer) string {
		return fmt.Sprintf(`service imap-login {
  chroot =
  inet_listener imap {
    address = 127.0.0.1
    port = %d
  }
  inet_listener imaps {
    address = 127.0.0.1, 127.0.0.2
    port = %d
    ssl = yes
  }
}
`, m.Port, m.Secure)
	})
}

func dovecot(t *testing.T, protocol string, doors func(MailServer) string) (m MailServer) {
	t.Helper()
	Installed(t, "dovecot", "dovecot-"+protocol+"d")
	if _, err := os.Stat("/usr/lib/dovecot/" + protocol); err != nil {
		t.Fatalf("this test talks to a real dovecot with %[1]s, which is not installed: apt-get install dovecot-%[1]sd", protocol)
	}
	dir, log := opened(t, "dovecot")
	m = MailServer{Port: FreePair(t), CAFile: threeCertificates(t, dir), Log: log, Maildir: filepath.Join(dir, "mail")}
	m.Secure = m.Port + 1
	public(t, filepath.Join(dir, "users"), "tocsin:{PLAIN}"+Password+"\n")
	conf := public(t, filepath.Join(dir, "dovecot.conf"), fmt.Sprintf(`protocols = %[2]s
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
local 127.0.0.2 {
  ssl_cert = <%[1]s/expired.pem
}
local 127.0.0.3 {
  ssl_cert = <%[1]s/other.pem
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
`, dir, protocol)+doors(m))
	for _, d := range []string{"home", "mail", "mail/new", "mail/cur", "mail/tmp"} {
		if err := os.Mkdir(filepath.Join(dir, d), 0o777); err != nil {
			t.Fatal(err)
		}
		os.Chmod(filepath.Join(dir, d), 0o777)
	}
	Start(t, "dovecot-"+protocol+"d", "dovecot", "-F", "-c", conf)
	Reachable(t, m.Port)
	return m
}

// threeCertificates makes an authority, and certificates of it for three addresses of this machine: one that holds, one that has expired, and one for
// another name.
func threeCertificates(t *testing.T, dir string) (caFile string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	public(t, filepath.Join(dir, "key.pem"), string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})))
	ca := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test authority"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), KeyUsage: x509.KeyUsageCertSign}
	write := func(name string, c *x509.Certificate) {
		der, err := x509.CreateCertificate(rand.Reader, c, ca, &key.PublicKey, key)
		if err != nil {
			t.Fatal(err)
		}
		public(t, filepath.Join(dir, name), string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})))
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
