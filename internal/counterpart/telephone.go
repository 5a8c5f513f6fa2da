package counterpart

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// A Telephone is a running baresip.
type Telephone struct {
	Port    int           // of TLS, on loopback
	Sound   int           // the first of its four UDP ports for sound
	Said    func() string // its log so far
	dir     string
	control int
}

// NewTelephone starts one with account settings of baresip, such as "mediaenc=srtp-mand;answermode=auto", and the certificate of a folder that
// Authority made. It plays 440 Hz and keeps what it hears.
func NewTelephone(t *testing.T, pki, account string) *Telephone {
	t.Helper()
	p := &Telephone{dir: t.TempDir()}
	base := FreePair(t)
	p.Port, p.control = base+1, FreePair(t)
	tone := make([]int16, 20*8000)
	for i := range tone {
		tone[i] = int16(8000 * math.Sin(2*math.Pi*440*float64(i)/8000))
	}
	write(t, p.dir+"/tone.wav", wave(tone))
	modules := ""
	for _, d := range []string{"/usr/lib/baresip/modules", "/usr/lib/x86_64-linux-gnu/baresip/modules", "/usr/lib/aarch64-linux-gnu/baresip/modules"} {
		if _, err := os.Stat(d); err == nil {
			modules = d
		}
	}
	p.Sound = base - 11000 // no two telephones have the same, and no socket of ours gets one by chance
	write(t, p.dir+"/config", fmt.Appendf(nil, "poll_method epoll\nsip_listen 127.0.0.1:%d\nsip_certificate %s/all.pem\nsip_cafile %s/ca.pem\ncall_local_timeout 120\ncall_max_calls 4\naudio_player aubridge,nulldev\naudio_source aufile,%s/tone.wav\naudio_alert aubridge,nulldev\naudio_buffer 20-160\nrtp_ports %d-%d\nmodule_path %s\nmodule g711.so\nmodule srtp.so\nmodule sndfile.so\nmodule aubridge.so\nmodule aufile.so\nmodule_tmp uuid.so\nmodule_tmp account.so\nmodule_app menu.so\nmodule_app ctrl_tcp.so\nsnd_path %s\nctrl_tcp_listen 127.0.0.1:%d\n",
		base, pki, pki, p.dir, p.Sound, p.Sound+3, modules, p.dir, p.control))
	write(t, p.dir+"/accounts", fmt.Appendf(nil, "<sip:oncall@127.0.0.1:%d;transport=tls>;regint=0;%s;audio_codecs=PCMU;auth_pass=none\n", p.Port, account))
	write(t, p.dir+"/contacts", nil)
	p.Said = Start(t, "baresip-core", "baresip", "-f", p.dir)
	Reachable(t, p.Port)
	Reachable(t, p.control)
	return p
}

// Address is where it is called.
func (p *Telephone) Address() string { return fmt.Sprintf("sips:oncall@127.0.0.1:%d", p.Port) }

// Tell gives baresip a command of its menu, such as hangup.
func (p *Telephone) Tell(command, params string) {
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

// Press presses keys one after the other.
func (p *Telephone) Press(keys string) {
	for _, k := range keys {
		p.Tell("sndcode", string(k))
		time.Sleep(120 * time.Millisecond)
		p.Tell("sndcode", " ")
		time.Sleep(60 * time.Millisecond)
	}
}

// Heard returns what it heard: 8000 samples a second.
func (p *Telephone) Heard(t *testing.T) []int16 {
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
