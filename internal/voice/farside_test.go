package voice

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"math"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/emiago/sipgo/sip"

	"tocsin/internal/counterpart"
)

// A farSide is a telephone of our own making, for what real ones do only by chance: races, refusals, changes within a call.
type farSide struct {
	*link
	t     *testing.T
	media *media
	tag   string
}

// startFarSide listens and plays the script on the first connection.
func startFarSide(t *testing.T, pki string, script func(f *farSide)) int {
	t.Helper()
	cert, err := tls.LoadX509KeyPair(pki+"/srv.pem", pki+"/srv.key")
	if err != nil {
		t.Fatal(err)
	}
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{cert}})
	if err != nil {
		t.Fatal(err)
	}
	m, err := openMedia(netip.MustParseAddr("127.0.0.1"), 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		c, err := l.Accept()
		if err != nil {
			return
		}
		f := &farSide{link: &link{conn: c.(*tls.Conn), in: make(chan sip.Message, 16), done: make(chan struct{})}, t: t, media: m, tag: token(4)}
		go f.read()
		defer f.close()
		script(f)
	}()
	t.Cleanup(func() { l.Close(); m.close(); <-done })
	return l.Addr().(*net.TCPAddr).Port
}

// next waits for a request of a method and passes over others.
func (f *farSide) next(method sip.RequestMethod) *sip.Request {
	for m := range f.in {
		if r, ok := m.(*sip.Request); ok && r.Method == method {
			return r
		}
	}
	f.t.Errorf("no %s came", method)
	return sip.NewRequest(method, sip.Uri{})
}

func (f *farSide) answer(r *sip.Request, status int, body []byte, more ...[2]string) {
	m := reply(r, status, "As Told", append(more, [2]string{"Contact", "<sip:far@127.0.0.1:1;transport=tls>"})...)
	for i, h := range m.heads {
		if h[0] == "To" && tagOf(header(r, "To")) == "" {
			m.heads[i][1] = header(r, "To") + ";tag=" + f.tag
		}
	}
	m.kind, m.body = "application/sdp", body
	f.write(m.bytes())
}

func (f *farSide) plan() description {
	d := offer()
	d.Key, d.Media, d.Audio = f.media.key, netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), f.media.port()), []uint8{0}
	return d
}

// ask sends a request within the call and returns the status of its answer.
func (f *farSide) ask(invite *sip.Request, method string, number int, kind string, body []byte, more ...[2]string) *sip.Response {
	m := &message{first: method + " sips:tocsin@127.0.0.1 SIP/2.0", heads: [][2]string{{"Via", "SIP/2.0/TLS 127.0.0.1:1;branch=z9hG4bK" + token(6)}, {"From", header(invite, "To") + ";tag=" + f.tag}, {"To", header(invite, "From")}, {"Call-ID", header(invite, "Call-ID")}, {"CSeq", fmt.Sprint(number, " ", method)}, {"Max-Forwards", "70"}}, kind: kind, body: body}
	m.heads = append(m.heads, more...)
	f.write(m.bytes())
	for m := range f.in {
		if r, ok := m.(*sip.Response); ok {
			return r
		}
	}
	return sip.NewResponse(0, "none")
}

func TestFarSide(t *testing.T) {
	pki := counterpart.Authority(t)
	for _, given := range []struct {
		name          string
		script        func(f *farSide)
		want          Result
		temporary     bool
		after         time.Duration
		reason, trail string
		options       func(*Options)
	}{
		{name: "declined", want: Refused, script: func(f *farSide) { f.answer(f.next("INVITE"), 603, nil); f.next("ACK") }},
		{name: "redirected", want: Failed, reason: "another address", script: func(f *farSide) { f.answer(f.next("INVITE"), 302, nil); f.next("ACK") }},
		{name: "overloaded", want: Failed, temporary: true, after: time.Minute, script: func(f *farSide) {
			f.answer(f.next("INVITE"), 503, nil, [2]string{"Retry-After", "60"})
			f.next("ACK")
		}},
		{name: "a session too short", want: Busy, script: func(f *farSide) {
			f.answer(f.next("INVITE"), 422, nil, [2]string{"Min-SE", "3600"})
			f.next("ACK")
			r := f.next("INVITE")
			if header(r, "Min-SE") != "3600" || header(r, "Session-Expires", "x") != "3600" {
				f.t.Errorf("asked again with %s and %s", header(r, "Min-SE"), header(r, "Session-Expires", "x"))
			}
			f.answer(r, 486, nil)
		}},
		{name: "answered while we cancel", want: NoAnswer, trail: "answered while we gave up", options: func(o *Options) { o.Ring = 200 * time.Millisecond }, script: func(f *farSide) {
			r := f.next("INVITE")
			f.answer(r, 183, f.plan().text())
			c := f.next("CANCEL")
			f.answer(r, 200, f.plan().text())
			f.answer(c, 200, nil)
			f.next("ACK")
			f.answer(f.next("BYE"), 200, nil)
		}},
		{name: "answers without encryption", want: Failed, reason: "without encryption", script: func(f *farSide) {
			f.answer(f.next("INVITE"), 200, bytes.Replace(f.plan().text(), []byte("a=crypto"), []byte("a=nothing"), 1))
			f.next("ACK")
			f.answer(f.next("BYE"), 200, nil)
		}},
		{name: "changes within the call", want: Acknowledged, trail: "refused a change of the call", script: func(f *farSide) {
			r := f.next("INVITE")
			f.answer(r, 200, f.plan().text(), [2]string{"Session-Expires", "1800;refresher=uas"})
			f.next("ACK")
			held := f.plan()
			held.Direction, held.Version = "sendonly", 2
			if got := f.ask(r, "INVITE", 1, "application/sdp", held.text()); got.StatusCode != 200 || !strings.Contains(string(got.Body()), "a=recvonly") || !strings.Contains(string(got.Body()), "a=crypto:1") {
				f.t.Errorf("hold: %d\n%s", got.StatusCode, got.Body())
			}
			plain := bytes.ReplaceAll(f.plan().text(), []byte("SAVP"), []byte("AVP"))
			if got := f.ask(r, "INVITE", 2, "application/sdp", plain); got.StatusCode != 488 {
				f.t.Errorf("a change to plain sound: %d", got.StatusCode)
			}
			if got := f.ask(r, "UPDATE", 3, "", nil, [2]string{"Session-Expires", "1800;refresher=uac"}); got.StatusCode != 200 || header(got, "Session-Expires") != "1800;refresher=uac" {
				f.t.Errorf("update: %d %s", got.StatusCode, header(got, "Session-Expires"))
			}
			if got := f.ask(r, "INVITE", 4, "application/sdp", f.plan().text()); got.StatusCode != 200 {
				f.t.Errorf("taken from hold: %d", got.StatusCode)
			}
			if got := f.ask(r, "INFO", 5, "application/dtmf-relay", []byte("Signal=1\r\nDuration=160\r\n")); got.StatusCode != 200 {
				f.t.Errorf("info: %d", got.StatusCode)
			}
			f.answer(f.next("BYE"), 200, nil)
		}},
		{name: "hangs up", want: NoAnswer, reason: "hung up", trail: "hung up by the far side", script: func(f *farSide) {
			r := f.next("INVITE")
			f.answer(r, 200, f.plan().text())
			f.next("ACK")
			f.ask(r, "BYE", 1, "", nil)
		}},
		{name: "refreshed by us", want: NoAnswer, trail: "session refreshed", script: func(f *farSide) {
			r := f.next("INVITE")
			f.answer(r, 200, f.plan().text(), [2]string{"Session-Expires", "1;refresher=uac"})
			f.next("ACK")
			f.answer(f.next("INVITE"), 200, f.plan().text())
			f.next("ACK")
			f.ask(r, "BYE", 1, "", nil)
		}},
	} {
		t.Run(given.name, func(t *testing.T) {
			t.Parallel()
			port := startFarSide(t, pki, given.script)
			l, _ := lineTo(t, pki, given.options)
			got := l.Call(context.Background(), Order{To: fmt.Sprintf("sips:far@127.0.0.1:%d", port), Number: "7"})
			if got.Result != given.want || got.Temporary != given.temporary || got.After != given.after || !strings.Contains(got.Reason, given.reason) || !strings.Contains(trail(got), given.trail) {
				t.Errorf("got %+v\n%s", got, trail(got))
			}
		})
	}
}

// TestWire looks at a call's packets as they arrive at the far side's socket: their payload is near chance and none equals what was said. The same
// detector flags the same words without SRTP.
func TestWire(t *testing.T) {
	t.Parallel()
	pki := counterpart.Authority(t)
	var sealed [][]byte
	caught := make(chan struct{})
	port := startFarSide(t, pki, func(f *farSide) {
		r := f.next("INVITE")
		f.answer(r, 200, f.plan().text())
		f.next("ACK")
		for buf := make([]byte, 400); len(sealed) < 120; {
			n, _, err := f.media.sock.ReadFromUDPAddrPort(buf)
			if err != nil {
				break
			}
			sealed = append(sealed, slices.Clone(buf[12:n]))
		}
		close(caught)
		f.ask(r, "BYE", 1, "", nil)
	})
	l, _ := lineTo(t, pki, nil)
	l.Call(context.Background(), Order{To: fmt.Sprintf("sips:far@127.0.0.1:%d", port)})
	<-caught
	plain := framesSaid(t)
	if e, same := wire(sealed, plain); len(sealed) < 120 || e < 7.9 || same > 0 {
		t.Errorf("%d packets, %.3f bits a byte, %d equal to what was said", len(sealed), e, same)
	}
	if e, same := wire(plain[:120], plain); e > 7.5 || same != 120 {
		t.Errorf("the detector did not flag the plain call: %.3f bits a byte, %d packets equal", e, same)
	}
}

// framesSaid are the frames of an order without number and severity, as they would go over the wire without SRTP.
func framesSaid(t *testing.T) (plain [][]byte) {
	t.Helper()
	words, err := clips("en")
	if err != nil {
		t.Fatal(err)
	}
	return slices.Collect(slices.Chunk(slices.Concat(quiet(400*time.Millisecond), words["hello"], quiet(120*time.Millisecond), words["incident"], quiet(120*time.Millisecond), words["menu"]), frame))
}

// wire returns the entropy of payloads in bits a byte, and how many begin with a frame that was said.
func wire(payloads, said [][]byte) (entropy float64, same int) {
	var count [256]float64
	total := 0.0
	for _, p := range payloads {
		for _, b := range p {
			count[b]++
			total++
		}
		if slices.ContainsFunc(said, func(s []byte) bool { return len(s) <= len(p) && bytes.Equal(s, p[:len(s)]) }) {
			same++
		}
	}
	for _, n := range count {
		if n > 0 {
			entropy -= n / total * math.Log2(n/total)
		}
	}
	return entropy, same
}
