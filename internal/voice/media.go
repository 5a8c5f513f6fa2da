package voice

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/pion/rtp"
	"github.com/pion/srtp/v3"
)

// A media is the sound of one call: a UDP socket, SRTP both ways, keys heard. send belongs to the call's loop, receive to a goroutine.
type media struct {
	sock  *net.UDPConn
	key   masterKey
	out   *srtp.Context
	ssrc  uint32
	seq   uint16
	stamp uint32
	sent  int
	begun bool
	keys  chan byte
	heard func([]int16)

	mu       sync.Mutex
	in       *srtp.Context
	inKey    masterKey
	audio    uint8
	events   uint8
	remote   netip.AddrPort
	latched  bool
	received int
	forged   int // packets that failed their authentication, or came twice
}

// openMedia opens a socket on our address, within the range of ports when there is one, and makes a fresh key.
func openMedia(own netip.Addr, low, high uint16) (*media, error) {
	m := &media{keys: make(chan byte, 32)}
	var chance [10]byte
	rand.Read(m.key[:])
	rand.Read(chance[:])
	m.ssrc, m.seq, m.stamp = binary.BigEndian.Uint32(chance[:]), binary.BigEndian.Uint16(chance[4:])&0x7fff, binary.BigEndian.Uint32(chance[6:])
	var err error
	if m.out, err = srtp.CreateContext(m.key[:16], m.key[16:], srtp.ProtectionProfileAes128CmHmacSha1_80); err != nil {
		return nil, fmt.Errorf("making the key of the sound: %w", err)
	}
	if low == 0 {
		m.sock, err = net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(own, 0)))
		if err != nil {
			return nil, fmt.Errorf("opening a port for the sound: %w", err)
		}
		return m, nil
	}
	span := int(high) - int(low) + 1
	first := int(m.stamp % uint32(span))
	for i := range span {
		port := low + uint16((first+i)%span)
		if m.sock, err = net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(own, port))); err == nil {
			return m, nil
		}
	}
	return nil, fmt.Errorf("no port between %d and %d is free for the sound; widen the range in the settings of calls: %w", low, high, err)
}

func (m *media) port() uint16 { return uint16(m.sock.LocalAddr().(*net.UDPAddr).Port) }

// use takes the far side's description: its key, codec and address. A new key begins a new context; the same one keeps its memory of
// what came (against replays). After packets were authenticated, the address that they came from stays until a description names another.
func (m *media) use(d description) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.in == nil || m.inKey != d.Key {
		if d.Key == m.key {
			return errors.New("the far side sent our own key back; the call is refused")
		}
		in, err := srtp.CreateContext(d.Key[:16], d.Key[16:], srtp.ProtectionProfileAes128CmHmacSha1_80, srtp.SRTPReplayProtection(128))
		if err != nil {
			return fmt.Errorf("the far side's key of the sound: %w", err)
		}
		m.in, m.inKey, m.latched = in, d.Key, false
	}
	m.audio, m.events = d.Audio[0], d.Digits
	if !m.latched && !d.Media.Addr().IsUnspecified() {
		m.remote = d.Media
	}
	return nil
}

// receive takes packets until the socket is closed. What is not SRTP of this call is counted and dropped.
func (m *media) receive() {
	buf := make([]byte, 2048)
	var p press
	var t tones
	events := false // the far side sends telephone-event, so its tones are not heard twice
	for {
		n, from, err := m.sock.ReadFromUDPAddrPort(buf)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil { // an ICMP refusal of an earlier packet
			continue
		}
		h := &rtp.Header{}
		plain, kind, number, ok := m.open(buf[:n], h, netip.AddrPortFrom(from.Addr().Unmap(), from.Port()))
		if !ok {
			continue
		}
		var pressed []byte
		switch {
		case number != 0 && h.PayloadType == number:
			if key, fresh := p.packet(h.Timestamp, plain); fresh {
				events, pressed = true, []byte{key}
			}
		case h.PayloadType == kind:
			pcm := decode(kind, plain)
			if m.heard != nil {
				m.heard(pcm)
			}
			if !events {
				pressed = t.hear(pcm)
			}
		}
		for _, key := range pressed {
			select {
			case m.keys <- key:
			default: // more keys than a person presses: the call's loop counts those it got
			}
		}
	}
}

// open decrypts one packet. It tells the payload without padding, and the payload types in force.
func (m *media) open(packet []byte, h *rtp.Header, from netip.AddrPort) (payload []byte, audio, events uint8, ok bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.in == nil {
		return nil, 0, 0, false
	}
	plain, err := m.in.DecryptRTP(nil, packet, h)
	if err != nil {
		m.forged++
		return nil, 0, 0, false
	}
	whole := rtp.Packet{}
	if err := whole.Unmarshal(plain); err != nil {
		m.forged++
		return nil, 0, 0, false
	}
	m.received++
	m.remote, m.latched = from, true
	return whole.Payload, m.audio, m.events, true
}

// frame is how much sound one packet carries: 20 ms.
const frame = 160

// send sends one frame of mu-law, as A-law when that was agreed.
func (m *media) send(mu []byte) error {
	m.mu.Lock()
	to, kind := m.remote, m.audio
	m.mu.Unlock()
	payload := mu
	if kind == 8 {
		payload = make([]byte, len(mu))
		for i, b := range mu {
			payload[i] = alaw(unmulaw(b))
		}
	}
	p := rtp.Packet{Header: rtp.Header{Version: 2, PayloadType: kind, SequenceNumber: m.seq, Timestamp: m.stamp, SSRC: m.ssrc, Marker: !m.begun}, Payload: payload}
	m.begun = true
	m.seq++
	m.stamp += frame
	raw, err := p.Marshal()
	if err != nil {
		return err
	}
	sealed, err := m.out.EncryptRTP(nil, raw, nil)
	if err != nil {
		return err
	}
	if !to.IsValid() {
		return nil
	}
	if _, err := m.sock.WriteToUDPAddrPort(sealed, to); err == nil {
		m.sent++
	}
	return nil
}

// skip lets a frame's time pass without sending, while the far side holds the call.
func (m *media) skip() { m.stamp += frame; m.begun = false }

func (m *media) close() { _ = m.sock.SetDeadline(time.Now()); _ = m.sock.Close() }

// counts are the packets sent, received, and failed in their authentication or repeated.
func (m *media) counts() (sent, received, forged int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.sent, m.received, m.forged
}
