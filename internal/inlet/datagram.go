package inlet

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"time"

	"tocsin/internal/record"
)

const (
	datagramsHeld = 16384   // that were read and are not kept yet; when there are more, the kernel holds and then drops them
	datagramsRoom = 8 << 20 // bytes asked of the kernel; it gives net.core.rmem_max at most
)

// lossy is what a door of datagrams says of itself.
const lossy = "Datagrams can be lost on the way and here, and nobody is told of those lost on the way: syslog over UDP has no acknowledgement (RFC 5426). Use TLS or TCP where the sender can."

// openUDP opens the door of datagrams.
func (s *Syslog) openUDP() error {
	addr, err := net.ResolveUDPAddr("udp", s.o.UDPAddr)
	if err == nil {
		s.packets, err = net.ListenUDP("udp", addr)
	}
	if err != nil {
		return fmt.Errorf("listening for %s at %s: %w. Choose an address of this machine that no other program has; ports below 1024 need the right CAP_NET_BIND_SERVICE", syslogUDP, s.o.UDPAddr, err)
	}
	t := newTally(s.log, syslogUDP)
	t.count.Note = lossy
	if err := s.packets.SetReadBuffer(datagramsRoom); err != nil {
		s.log.Warn("the kernel gives datagrams no more room", "door", syslogUDP, "err", err)
	}
	if err := countDrops(s.packets); err != nil {
		t.count.Note += " How many the kernel drops cannot be read here: " + err.Error() + "."
	}
	s.tallies = append(s.tallies, t)
	return nil
}

// datagrams takes datagrams in until ctx ends. One goroutine reads, so that the kernel's room is used for as long as possible; this one
// appends.
func (s *Syslog) datagrams(ctx context.Context, t *tally) {
	s.log.Warn("syslog is taken over UDP: "+lossy, "addr", s.packets.LocalAddr().String())
	held := make(chan datagram, datagramsHeld)
	go s.readDatagrams(t, held) // ends some time after the stop, and then closes held, which ends this
	stop := context.AfterFunc(ctx, func() { _ = s.packets.SetReadDeadline(time.Now().Add(stopTime)) })
	defer stop()
	for first := range held {
		batch, cut := gather(first, held)
		_ = s.send.send(ctx, t, batch, cut) // what could not be kept at the stop is counted
	}
}

// A datagram is a line, and whether its end was left out.
type datagram struct {
	line record.Line
	cut  bool
}

// gather makes a batch of what is held now.
func gather(first datagram, held <-chan datagram) (b record.Batch, cut int64) {
	size := 0
	for d, ok := first, true; ok; {
		b.Lines = append(b.Lines, d.line)
		if size += len(d.line.Raw); d.cut {
			cut++
		}
		if len(b.Lines) == batchLines || size >= batchBytes {
			return b, cut
		}
		select {
		case d, ok = <-held:
		default:
			return b, cut
		}
	}
	return b, cut
}

// readDatagrams reads until the time of the stop, and closes the socket.
func (s *Syslog) readDatagrams(t *tally, held chan<- datagram) {
	defer close(held)
	defer func() { _ = s.packets.Close() }()
	buf := make([]byte, 64<<10)
	side := make([]byte, 256) // what the kernel says beside a datagram
	var drops uint32
	for {
		n, sideN, _, from, err := s.packets.ReadMsgUDPAddrPort(buf, side)
		if err != nil {
			if errors.Is(err, net.ErrClosed) || errors.Is(err, os.ErrDeadlineExceeded) {
				return
			}
			time.Sleep(time.Millisecond) // an error of an earlier answer; the next read tells more
			continue
		}
		if now, ok := dropsIn(side[:sideN]); ok && now != drops {
			t.refuse(Dropped, int64(now-drops), "", "The kernel had no room for datagrams, so they are lost: keep fewer senders on UDP, or give it more room with sysctl net.core.rmem_max=8388608.")
			drops = now
		}
		if d, ok := s.datagram(t, buf[:n], from.Addr()); ok {
			held <- d
		}
	}
}

func (s *Syslog) datagram(t *tally, b []byte, from netip.Addr) (d datagram, ok bool) {
	name, listed := peerOf(s.o.Peers, from)
	if !listed {
		t.refuse(BadPeer, 1, from.Unmap().String(), notListed)
		return d, false
	}
	p, ok := oneFrame(b)
	if !ok {
		t.refuse(BadFrame, 1, from.Unmap().String(), "The datagram was empty.")
		return d, false
	}
	return datagram{record.Line{Host: name, File: syslogUDP, Raw: p.raw}, p.cut}, true
}
