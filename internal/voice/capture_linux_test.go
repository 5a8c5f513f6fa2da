package voice

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"tocsin/internal/counterpart"
)

// A capture is what goes over the loopback interface by UDP, as the kernel shows it to a third party.
type capture struct {
	mu   sync.Mutex
	data [][]byte // IPv4 packets
}

// startCapture listens in until the test ends. It needs root (CAP_NET_RAW), and skips the test without: TestWire looks at the far side's socket then.
func startCapture(t *testing.T) *capture {
	t.Helper()
	order := uint16(syscall.ETH_P_IP<<8&0xff00 | syscall.ETH_P_IP>>8)
	fd, err := syscall.Socket(syscall.AF_PACKET, syscall.SOCK_DGRAM|syscall.SOCK_CLOEXEC, int(order))
	if errors.Is(err, syscall.EPERM) {
		t.Skip("listening in on the loopback interface needs root (CAP_NET_RAW)")
	}
	lo, missing := net.InterfaceByName("lo")
	if err != nil || missing != nil {
		t.Fatal(err, missing)
	}
	err = errors.Join(syscall.Bind(fd, &syscall.SockaddrLinklayer{Protocol: order, Ifindex: lo.Index}), syscall.SetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_RCVBUF, 8<<20),
		syscall.SetsockoptTimeval(fd, syscall.SOL_SOCKET, syscall.SO_RCVTIMEO, &syscall.Timeval{Usec: 100_000}))
	if err != nil {
		t.Fatal(err)
	}
	c := &capture{}
	quit, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		buf := make([]byte, 2048)
		for {
			select {
			case <-quit:
				return
			default:
			}
			n, from, err := syscall.Recvfrom(fd, buf, 0)
			if a, ok := from.(*syscall.SockaddrLinklayer); err != nil || !ok || a.Pkttype == syscall.PACKET_OUTGOING || n < 28 || buf[9] != syscall.IPPROTO_UDP { // loopback shows each twice
				continue
			}
			c.mu.Lock()
			c.data = append(c.data, slices.Clone(buf[:n]))
			c.mu.Unlock()
		}
	}()
	t.Cleanup(func() { close(quit); <-done; syscall.Close(fd) })
	return c
}

// sound returns the payloads of RTP with mu-law that went to, and came from, the four ports from first on.
func (c *capture) sound(first int) (to, from [][]byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, p := range c.data {
		p = p[int(p[0]&15)*4:]
		source, target := int(p[0])<<8|int(p[1]), int(p[2])<<8|int(p[3])
		rtp := p[8:]
		if len(rtp) < 13 || rtp[0] != 0x80 || rtp[1]&0x7f != 0 {
			continue
		}
		if target >= first && target <= first+3 {
			to = append(to, rtp[12:])
		}
		if source >= first && source <= first+3 {
			from = append(from, rtp[12:])
		}
	}
	return to, from
}

// TestCapture listens in on calls of real telephones. What we say to one, and what it says to us, is near chance; none of our words stands in a packet. Two
// telephones without SRTP are flagged by the same detector.
func TestCapture(t *testing.T) {
	t.Parallel()
	c := startCapture(t)
	pki := counterpart.Authority(t)
	p := counterpart.NewTelephone(t, pki, "mediaenc=srtp-mand;answermode=auto")
	l, h := lineTo(t, pki, func(o *Options) { o.Limit = 4 * time.Second; o.Pause = 3 * time.Second })
	l.Call(context.Background(), Order{To: fmt.Sprintf("sips:oncall@127.0.0.1:%d", p.Port)})
	select {
	case <-h.came:
	default:
		t.Fatal("no sound came")
	}
	ours, theirs := c.sound(p.Sound)
	for name, packets := range map[string][][]byte{"ours": ours, "the telephone's": theirs} {
		if e, same := wire(packets, framesSaid(t)); len(packets) < 120 || e < 7.9 || same > 0 {
			t.Errorf("%s: %d packets, %.3f bits a byte, %d equal to what was said", name, len(packets), e, same)
		}
	}
	a, b := counterpart.NewTelephone(t, pki, "answermode=auto"), counterpart.NewTelephone(t, pki, "answermode=manual")
	b.Tell("dial", fmt.Sprintf("sip:oncall@127.0.0.1:%d;transport=tls", a.Port))
	for range 100 {
		if ours, _ = c.sound(a.Sound); len(ours) >= 120 {
			break
		}
		time.Sleep(100 * time.Millisecond)
	}
	if e, _ := wire(ours, nil); len(ours) < 120 || e > 7.5 {
		t.Errorf("the detector did not flag a call without SRTP: %d packets, %.3f bits a byte", len(ours), e)
	}
}
