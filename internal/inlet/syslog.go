package inlet

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"sync"
	"time"

	"tocsin/internal/record"
)

// The doors of syslog.
const (
	syslogTLS = "syslog:tls"
	syslogTCP = "syslog:tcp"
	syslogUDP = "syslog:udp"
)

// SyslogOptions say where syslog is listened for and who may send. Append and one address are needed.
type SyslogOptions struct {
	Append func(record.Batch) (record.Receipt, error) // must be durable when it returns
	Agent  string                                     // for Batch.Agent; "" is this program

	TLSAddr string // "192.0.2.1:6514"; "" is no such door
	TCPAddr string // "127.0.0.1:601"
	UDPAddr string // "127.0.0.1:514"
	TLS     TLS    // for the door of TLS
	Peers   []Peer // who may send over TCP and UDP

	Connections int           // at a time over each of TLS and TCP; 0 is 256. Each takes 64 KiB, and up to 1 MiB while a long frame comes
	PerPeer     int           // of these from one address; 0 is 16
	FrameTime   time.Duration // in which a frame that has begun must end; 0 is 30 s. Between frames a connection may wait for ever
}

// stopTime is how long a connection is read on after a stop, so that what lies in the kernel is not lost. Syslog has no answer that
// would tell a sender what was taken.
const stopTime = 500 * time.Millisecond

// shakeTime is how long a handshake may take.
const shakeTime = 10 * time.Second

// A Syslog is the doors of syslog.
type Syslog struct {
	log     *slog.Logger
	o       SyslogOptions
	send    *sender
	clients *clients
	pair    *keyPair
	tallies []*tally

	streams map[string]net.Listener // by door
	packets *net.UDPConn
}

// NewSyslog opens the addresses: when it returns without error, senders can connect, and wait until Run. Errors say which setting or
// address is wrong and how to mend it.
func NewSyslog(log *slog.Logger, o SyslogOptions) (*Syslog, error) {
	o.Connections = cmp.Or(max(o.Connections, 0), 256)
	o.PerPeer = cmp.Or(max(o.PerPeer, 0), 16)
	o.FrameTime = cmp.Or(max(o.FrameTime, 0), 30*time.Second)
	if o.Append == nil {
		return nil, errors.New("listening for syslog: there is nowhere to put lines")
	}
	if o.TLSAddr == "" && o.TCPAddr == "" && o.UDPAddr == "" {
		return nil, errors.New("listening for syslog: no address is named; name one such as 192.0.2.1:6514 for TLS")
	}
	s := &Syslog{log: log, o: o, send: newSender(o.Append, o.Agent), streams: map[string]net.Listener{}}
	if err := s.open(); err != nil {
		return nil, errors.Join(err, s.close())
	}
	return s, nil
}

func (s *Syslog) open() (err error) {
	if s.o.TLSAddr != "" {
		if s.clients, err = newClients(s.o.TLS); err != nil {
			return err
		}
		if s.pair, err = newKeyPair(s.o.TLS.Cert, s.o.TLS.Key); err != nil {
			return err
		}
		if err = s.listen(syslogTLS, s.o.TLSAddr); err != nil {
			return err
		}
	}
	if s.o.TCPAddr != "" {
		if err = checkPeers(syslogTCP, s.o.Peers); err != nil {
			return err
		}
		if err = s.listen(syslogTCP, s.o.TCPAddr); err != nil {
			return err
		}
	}
	if s.o.UDPAddr == "" {
		return nil
	}
	if err = checkPeers(syslogUDP, s.o.Peers); err != nil {
		return err
	}
	return s.openUDP()
}

func (s *Syslog) listen(door, addr string) error {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return fmt.Errorf("listening for %s at %s: %w. Choose an address of this machine that no other program has; ports below 1024 need the right CAP_NET_BIND_SERVICE", door, addr, err)
	}
	s.streams[door] = l
	s.tallies = append(s.tallies, newTally(s.log, door))
	return nil
}

func (s *Syslog) close() error {
	var errs []error
	for _, l := range s.streams {
		errs = append(errs, l.Close())
	}
	return errors.Join(errs...)
}

// Addr returns where a door listens ("syslog:tls"), nil when it is closed to all.
func (s *Syslog) Addr(door string) net.Addr {
	if l := s.streams[door]; l != nil {
		return l.Addr()
	}
	if door == syslogUDP && s.packets != nil {
		return s.packets.LocalAddr()
	}
	return nil
}

// Counts returns what came through each door. It may be called at any time.
func (s *Syslog) Counts() []Count {
	var all []Count
	for _, t := range s.tallies {
		all = append(all, t.read())
	}
	return all
}

// Run takes lines in until ctx ends. Then it takes no new connection, reads what has already come, and returns when all of that is kept or
// refused. It returns nil; run it once.
func (s *Syslog) Run(ctx context.Context) error {
	var doors sync.WaitGroup
	for _, t := range s.tallies {
		switch door := t.count.Door; door {
		case syslogUDP:
			doors.Go(func() { s.datagrams(ctx, t) })
		default:
			doors.Go(func() { s.accept(ctx, t, s.streams[door]) })
		}
	}
	<-ctx.Done()
	_ = s.close()
	doors.Wait()
	return nil
}

// accept takes connections of one door, within the limits.
func (s *Syslog) accept(ctx context.Context, t *tally, l net.Listener) {
	var open sync.WaitGroup
	defer open.Wait()
	// Who has not yet shown a certificate takes no room from those that have.
	before, in := newGate(s.o), newGate(s.o)
	for {
		c, err := l.Accept()
		if ctx.Err() != nil {
			if err == nil {
				_ = c.Close()
			}
			return
		}
		if err != nil { // out of file handles, mostly
			t.refuse(TooMany, 1, "", "No connection can be accepted: "+err.Error())
			select {
			case <-ctx.Done():
			case <-time.After(retryFirst):
			}
			continue
		}
		open.Go(func() {
			defer t.enter()()
			defer func() { _ = c.Close() }()
			addr := addrOf(c)
			if !before.enter(addr) {
				s.crowded(t, addr)
				return
			}
			known, name, ok := s.admit(ctx, t, c, addr)
			before.leave(addr)
			if !ok {
				return
			}
			if !in.enter(addr) {
				s.crowded(t, addr)
				return
			}
			defer in.leave(addr)
			s.receive(ctx, t, known, name, addr)
		})
	}
}

func (s *Syslog) crowded(t *tally, addr netip.Addr) {
	t.refuse(TooMany, 1, addr.String(), fmt.Sprintf("There are too many connections: %d are allowed, and %d from one address.", s.o.Connections, s.o.PerPeer))
}

// admit finds out whether a connection may speak, and the name of its host. The connection that it returns is the one to read.
func (s *Syslog) admit(ctx context.Context, t *tally, c net.Conn, addr netip.Addr) (net.Conn, string, bool) {
	if t.count.Door == syslogTLS {
		return s.secure(ctx, t, c, addr)
	}
	name, listed := peerOf(s.o.Peers, addr)
	if !listed {
		t.refuse(BadPeer, 1, addr.String(), notListed)
	}
	return c, name, listed
}

// notListed is told of an address that may not speak.
const notListed = "This address is not on the list of those that may send syslog without a certificate. If it is a sender of yours, add it."

// secure shakes hands.
func (s *Syslog) secure(ctx context.Context, t *tally, c net.Conn, addr netip.Addr) (net.Conn, string, bool) {
	sc := tls.Server(c, s.clients.config(s.pair))
	limit, cancel := context.WithTimeout(ctx, min(s.o.FrameTime, shakeTime))
	defer cancel()
	if err := sc.HandshakeContext(limit); err != nil {
		switch {
		case ctx.Err() != nil:
		case errors.Is(err, errNotListed), errors.Is(err, errNoCertificate):
			t.refuse(BadPeer, 1, addr.String(), fmt.Sprintf("The certificate may not send: %v. Pin it, or let it be signed by an authority of the file that is set.", err))
		default:
			t.refuse(BadHandshake, 1, addr.String(), fmt.Sprintf("TLS did not come about: %v. The sender needs TLS 1.2 or later, a client certificate, and the authority of ours.", err))
		}
		return nil, "", false
	}
	name, err := s.clients.name(sc.ConnectionState().PeerCertificates, time.Now())
	if err != nil {
		t.refuse(BadPeer, 1, addr.String(), err.Error())
		return nil, "", false
	}
	return sc, cmp.Or(name, addr.String()), true
}

// receive reads one connection to its end. Reading waits while lines are being kept: that is the back-pressure.
func (s *Syslog) receive(ctx context.Context, t *tally, c net.Conn, host string, addr netip.Addr) {
	stop := context.AfterFunc(ctx, func() { _ = c.SetReadDeadline(time.Now().Add(stopTime)) })
	defer stop()
	f := newFramer(unknown, record.MaxLine)
	buf := make([]byte, 64<<10)
	var begun time.Time // when we began to wait for the end of the frame that is open
	for {
		var until time.Time
		if f.open() {
			if begun.IsZero() {
				begun = time.Now()
			}
			until = begun.Add(s.o.FrameTime)
		}
		_ = c.SetReadDeadline(until)
		if ctx.Err() != nil {
			_ = c.SetReadDeadline(time.Now().Add(stopTime))
		}
		n, err := c.Read(buf)
		pieces, bad := f.add(buf[:n], nil)
		if err == io.EOF && bad == nil {
			var torn bool
			if pieces, torn = f.rest(pieces); torn {
				t.refuse(Torn, 1, addr.String(), "The connection ended inside a frame, which is not taken.")
			}
		}
		if len(pieces) > 0 {
			begun = time.Time{}
			if s.keep(ctx, t, host, pieces) != nil {
				return
			}
		}
		switch {
		case bad != nil:
			t.refuse(BadFrame, 1, addr.String(), "The connection is closed, because its frames cannot be told apart any more: "+bad.Error()+".")
			return
		case err == nil:
			continue
		case err == io.EOF:
			return
		}
		s.ended(ctx, t, f, addr, err)
		return
	}
}

// ended counts what a connection left that did not end in good order.
func (s *Syslog) ended(ctx context.Context, t *tally, f *framer, addr netip.Addr, err error) {
	late := errors.Is(err, os.ErrDeadlineExceeded)
	switch {
	case late && ctx.Err() == nil:
		t.refuse(Slow, 1, addr.String(), fmt.Sprintf("A frame had begun and did not end within %s, so the connection was closed.", s.o.FrameTime))
	case f.open():
		t.refuse(Torn, 1, addr.String(), fmt.Sprintf("The connection broke inside a frame, which is not taken: %v.", err))
	}
}

// keep appends frames, in batches of bounded size.
func (s *Syslog) keep(ctx context.Context, t *tally, host string, pieces []piece) error {
	for len(pieces) > 0 {
		var b record.Batch
		var cut int64
		size := 0
		for len(pieces) > 0 && len(b.Lines) < batchLines && (size == 0 || size+len(pieces[0].raw) <= batchBytes) {
			p := pieces[0]
			pieces = pieces[1:]
			size += len(p.raw)
			if p.cut {
				cut++
			}
			b.Lines = append(b.Lines, record.Line{Host: host, File: t.count.Door, Offset: p.start, Raw: p.raw})
		}
		if err := s.send.send(ctx, t, b, cut); err != nil {
			return err
		}
	}
	return nil
}
