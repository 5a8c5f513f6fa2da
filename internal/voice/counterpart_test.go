package voice

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/binary"
	"encoding/pem"
	"fmt"
	"math"
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
)

// authority makes an authority and a certificate for 127.0.0.1, as files in a folder: ca.pem, srv.pem, srv.key, all.pem.
func authority(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	make := func(name string, parent *x509.Certificate, signer *ecdsa.PrivateKey) (*x509.Certificate, *ecdsa.PrivateKey, []byte, []byte) {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		c := &x509.Certificate{SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign}
		if parent == nil {
			c.IsCA, parent, signer = true, c, key
		} else {
			c.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1)}
		}
		der, err := x509.CreateCertificate(rand.Reader, c, parent, &key.PublicKey, signer)
		if err != nil {
			t.Fatal(err)
		}
		pkcs, err := x509.MarshalPKCS8PrivateKey(key)
		if err != nil {
			t.Fatal(err)
		}
		return c, key, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs})
	}
	ca, caKey, caText, _ := make("test authority", nil, nil)
	_, _, cert, key := make("127.0.0.1", ca, caKey)
	for name, text := range map[string][]byte{"ca.pem": caText, "srv.pem": cert, "srv.key": key, "all.pem": bytes.Join([][]byte{cert, key}, nil)} {
		write(t, filepath.Join(dir, name), text)
	}
	return dir
}

func write(t *testing.T, name string, b []byte) {
	t.Helper()
	if err := os.WriteFile(name, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

// ports hands out ports that were free just now, in pairs: even and odd.
var ports struct {
	sync.Mutex
	next int
}

func freePair(t *testing.T) int {
	t.Helper()
	ports.Lock()
	defer ports.Unlock()
	if ports.next == 0 {
		ports.next = 21000 + os.Getpid()%4000*2
	}
	for ; ports.next < 32000; ports.next += 2 {
		a, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", ports.next))
		if err != nil {
			continue
		}
		b, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", ports.next+1))
		a.Close()
		if err == nil {
			b.Close()
			ports.next += 2
			return ports.next - 2
		}
	}
	t.Fatal("no two free ports")
	return 0
}

// run starts a program and stops it at the end of the test.
func run(t *testing.T, pkg, name string, args ...string) *bytes.Buffer {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		if path, err = exec.LookPath("/usr/sbin/" + name); err != nil {
			t.Fatalf("%s is not installed; install the Debian package %s", name, pkg)
		}
	}
	cmd := exec.Command(path, args...)
	out := &bytes.Buffer{}
	cmd.Stdout, cmd.Stderr = out, out
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM)
		done := make(chan struct{})
		go func() { cmd.Wait(); close(done) }()
		select {
		case <-done:
		case <-time.After(3 * time.Second):
			syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
			<-done
		}
		if t.Failed() {
			t.Logf("%s said:\n%.4000s", name, out)
		}
	})
	return out
}

func reachable(t *testing.T, port int) {
	t.Helper()
	for range 200 {
		if c, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port)); err == nil {
			c.Close()
			return
		}
		time.Sleep(25 * time.Millisecond)
	}
	t.Fatalf("nothing listens on port %d", port)
}

// A telephone is a running baresip.
type telephone struct {
	dir     string
	port    int // of TLS
	control int
}

// startTelephone starts baresip with account settings such as "mediaenc=srtp-mand;answermode=auto". It plays 440 Hz and keeps what it hears.
func startTelephone(t *testing.T, pki, account string) *telephone {
	t.Helper()
	p := &telephone{dir: t.TempDir()}
	base := freePair(t)
	p.port, p.control = base+1, freePair(t)
	tone := make([]int16, 20*8000)
	for i := range tone {
		tone[i] = int16(8000 * math.Sin(2*math.Pi*440*float64(i)/8000))
	}
	write(t, p.dir+"/tone.wav", wave(tone))
	modules := ""
	for _, d := range []string{"/usr/lib/baresip/modules", "/usr/lib/x86_64-linux-gnu/baresip/modules"} {
		if _, err := os.Stat(d); err == nil {
			modules = d
		}
	}
	rtp := 40000 + base%10000
	write(t, p.dir+"/config", fmt.Appendf(nil, "poll_method epoll\nsip_listen 127.0.0.1:%d\nsip_certificate %s/all.pem\nsip_cafile %s/ca.pem\ncall_local_timeout 120\ncall_max_calls 4\naudio_player aubridge,nulldev\naudio_source aufile,%s/tone.wav\naudio_alert aubridge,nulldev\naudio_buffer 20-160\nrtp_ports %d-%d\nmodule_path %s\nmodule g711.so\nmodule srtp.so\nmodule sndfile.so\nmodule aubridge.so\nmodule aufile.so\nmodule_tmp uuid.so\nmodule_tmp account.so\nmodule_app menu.so\nmodule_app ctrl_tcp.so\nsnd_path %s\nctrl_tcp_listen 127.0.0.1:%d\n",
		base, pki, pki, p.dir, rtp, rtp+20, modules, p.dir, p.control))
	write(t, p.dir+"/accounts", fmt.Appendf(nil, "<sip:oncall@127.0.0.1:%d;transport=tls>;regint=0;%s;audio_codecs=PCMU;auth_pass=none\n", p.port, account))
	write(t, p.dir+"/contacts", nil)
	run(t, "baresip-core", "baresip", "-f", p.dir)
	reachable(t, p.port)
	reachable(t, p.control)
	return p
}

// tell gives baresip a command.
func (p *telephone) tell(command, params string) {
	c, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", p.control))
	if err != nil {
		return // the test is over, or its call will show it
	}
	defer c.Close()
	text := fmt.Sprintf(`{"command":%q,"params":%q}`, command, params)
	fmt.Fprintf(c, "%d:%s,", len(text), text)
	c.SetReadDeadline(time.Now().Add(time.Second))
	c.Read(make([]byte, 512))
}

// press presses keys one after the other.
func (p *telephone) press(keys string) {
	for _, k := range keys {
		p.tell("sndcode", string(k))
		time.Sleep(120 * time.Millisecond)
		p.tell("sndcode", " ")
		time.Sleep(60 * time.Millisecond)
	}
}

// heardFile returns what baresip heard.
func (p *telephone) heardFile(t *testing.T) []int16 {
	t.Helper()
	for range 40 {
		names, _ := filepath.Glob(p.dir + "/*dec.wav")
		if len(names) > 0 {
			b, err := os.ReadFile(names[0])
			if err == nil && len(b) > 44 {
				if i := bytes.Index(b, []byte("data")); i > 0 {
					b = b[i+8:]
					pcm := make([]int16, len(b)/2)
					for i := range pcm {
						pcm[i] = int16(binary.LittleEndian.Uint16(b[2*i:]))
					}
					return pcm
				}
			}
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatal("baresip kept no sound")
	return nil
}

func wave(pcm []int16) []byte {
	b := []byte("RIFF\x00\x00\x00\x00WAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00\x40\x1f\x00\x00\x80\x3e\x00\x00\x02\x00\x10\x00data")
	b = binary.LittleEndian.AppendUint32(b, uint32(2*len(pcm)))
	for _, s := range pcm {
		b = binary.LittleEndian.AppendUint16(b, uint16(s))
	}
	binary.LittleEndian.PutUint32(b[4:], uint32(len(b)-8))
	return b
}

// startTrunk starts Kamailio with digest over TLS; it relays to a telephone. The account is tocsin, the password s3cret.
func startTrunk(t *testing.T, pki string, phone int) int {
	t.Helper()
	dir, port := t.TempDir(), freePair(t)
	modules := ""
	for _, d := range []string{"/usr/lib/x86_64-linux-gnu/kamailio/modules/", "/usr/lib/aarch64-linux-gnu/kamailio/modules/"} {
		if _, err := os.Stat(d); err == nil {
			modules = d
		}
	}
	write(t, dir+"/tls.cfg", []byte(strings.NewReplacer("PKI", pki).Replace("[server:default]\nmethod = TLSv1.2+\nverify_certificate = no\nrequire_certificate = no\nprivate_key = PKI/srv.key\ncertificate = PKI/srv.pem\n[client:default]\nmethod = TLSv1.2+\nverify_certificate = yes\nrequire_certificate = yes\nca_list = PKI/ca.pem\n")))
	write(t, dir+"/kam.cfg", []byte(strings.NewReplacer("PORT", fmt.Sprint(port), "PHONE", fmt.Sprint(phone), "MODULES", modules, "DIR", dir).Replace(`#!KAMAILIO
debug=1
log_stderror=yes
children=1
disable_tcp=no
enable_tls=yes
tcp_children=1
listen=tls:127.0.0.1:PORT
mpath="MODULES"
loadmodule "tm.so"
loadmodule "sl.so"
loadmodule "rr.so"
loadmodule "pv.so"
loadmodule "maxfwd.so"
loadmodule "textops.so"
loadmodule "siputils.so"
loadmodule "auth.so"
loadmodule "tls.so"
modparam("tls", "config", "DIR/tls.cfg")
modparam("auth", "nonce_count", 0)
modparam("auth", "qop", "auth")
request_route {
  if (is_method("REGISTER")) {
    if (!pv_www_authenticate("127.0.0.1", "s3cret", "0")) { www_challenge("127.0.0.1", "1"); exit; }
    append_to_reply("Contact: $ct;expires=300\r\n");
    sl_send_reply("200", "OK"); exit;
  }
  if (has_totag()) { loose_route(); if (!t_relay()) sl_reply_error(); exit; }
  if (is_method("CANCEL")) { if (t_check_trans()) t_relay(); exit; }
  if (is_method("INVITE")) {
    if (!pv_proxy_authenticate("127.0.0.1", "s3cret", "0")) { proxy_challenge("127.0.0.1", "1"); exit; }
    consume_credentials();
    record_route();
    $rU = "oncall";
    $du = "sip:127.0.0.1:PHONE;transport=tls";
    if (!t_relay()) sl_reply_error();
    exit;
  }
  if (is_method("ACK")) { t_relay(); exit; }
  sl_send_reply("405", "No");
}
`)))
	run(t, "kamailio kamailio-tls-modules", "kamailio", "-f", dir+"/kam.cfg", "-DD", "-E", "-m", "32", "-M", "4", "-Y", dir)
	reachable(t, port)
	return port
}
