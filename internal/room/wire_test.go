package room

import (
	"bytes"
	"math"
	"net"
	"sync"
	"testing"
)

// A wire is a socket that keeps what goes through it.
type wire struct {
	net.PacketConn
	mu   sync.Mutex
	went [][]byte
}

func (w *wire) keep(b []byte) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.went = append(w.went, bytes.Clone(b))
}

func (w *wire) WriteTo(b []byte, to net.Addr) (int, error) {
	w.keep(b)
	return w.PacketConn.WriteTo(b, to)
}

func (w *wire) ReadFrom(b []byte) (int, net.Addr, error) {
	n, from, err := w.PacketConn.ReadFrom(b)
	if err == nil {
		w.keep(b[:n])
	}
	return n, from, err
}

// What goes over the wire, both ways, is encrypted: no datagram holds what was said, which is the same byte sixty times, and its bytes look like chance.
func TestWireIsEncrypted(t *testing.T) {
	t.Parallel()
	h := newHouse(t, nil)
	c, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	a, b := h.enter(h.seal(Ticket{Name: "A"})), h.enter(h.seal(Ticket{Name: "B"}))
	a.wire = &wire{PacketConn: c}
	a.dial()
	b.dial()
	stop := make(chan struct{})
	var done sync.WaitGroup
	a.say('A', stop, &done)
	b.say('B', stop, &done)
	a.more('B', 50)
	close(stop)
	done.Wait()

	a.wire.mu.Lock()
	defer a.wire.mu.Unlock()
	var said []byte
	for _, d := range a.wire.went {
		for _, mark := range []byte("AB") {
			if bytes.Contains(d, bytes.Repeat([]byte{mark}, 6)) {
				t.Fatalf("a datagram holds what was said: %x", d)
			}
		}
		if d[0] >= 128 && d[0] <= 191 && d[1]&0x7f == byte(opus.PayloadType) { // RTP (RFC 7983), and not RTCP
			said = append(said, d[12:]...)
		}
	}
	if e := entropy(said); len(said) < 5000 || e < 7.9 {
		t.Errorf("%d bytes of sound with %.3f bits each", len(said), e)
	}
	if e := entropy(bytes.Repeat([]byte{0x78, 'A', 'A', 'A'}, 2000)); e > 7.9 {
		t.Errorf("the measure calls plain sound encrypted: %.3f", e)
	}
}

// entropy is Shannon's, in bits of a byte.
func entropy(b []byte) (e float64) {
	var n [256]float64
	for _, x := range b {
		n[x]++
	}
	for _, x := range n {
		if x > 0 {
			e -= x / float64(len(b)) * math.Log2(x/float64(len(b)))
		}
	}
	return e
}
