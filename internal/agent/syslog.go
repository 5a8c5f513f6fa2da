package agent

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"strconv"
	"sync"
	"time"

	"tocsin/internal/record"
)

const (
	syslogFile  = "syslog:"
	maxDatagram = 64 << 10
	maxSenders  = 64 // TCP connections at once
)

// A syslog takes RFC 3164 and RFC 5424 lines on loopback, as they come: a datagram is a line (RFC 5426), over TCP a line ends
// with "\n" or has its length before it (RFC 6587, 3.4). Over TCP the writer waits when the spool is full; a datagram
// cannot wait, so those that are lost are counted, and reported with the times of the first and the last.
type syslog struct {
	log   *slog.Logger
	feeds *feed
	gap   func(record.Gap)
	udp   net.PacketConn
	tcp   net.Listener

	mu      sync.Mutex
	open    map[net.Conn]bool
	lost    int64
	dropped record.Gap
}

func newSyslog(log *slog.Logger, address string, was record.Position, append func(record.Batch) (record.Receipt, error), gap func(record.Gap)) (*syslog, error) {
	a, err := netip.ParseAddrPort(address)
	if err != nil || !a.Addr().IsLoopback() {
		return nil, fmt.Errorf("%.100q is no address of this machine alone: syslog is taken on loopback, such as 127.0.0.1:1514", address)
	}
	s := &syslog{log: log, feeds: newFeed(log, syslogFile, was, was.File != "", append), gap: gap, open: map[net.Conn]bool{}}
	if s.tcp, err = net.Listen("tcp", address); err != nil {
		return nil, fmt.Errorf("listening for syslog: %w", err)
	}
	if s.udp, err = net.ListenPacket("udp", s.tcp.Addr().String()); err != nil {
		s.tcp.Close()
		return nil, fmt.Errorf("listening for syslog: %w", err)
	}
	return s, nil
}

// address is where it listens.
func (s *syslog) address() string { return s.tcp.Addr().String() }

func (s *syslog) feed() record.Feed {
	f := s.feeds.now()
	s.mu.Lock()
	defer s.mu.Unlock()
	if f.Path = syslogFile + s.address(); s.lost > 0 {
		f.Gaps, f.Why = 1, fmt.Sprintf("%d datagrams were lost because the spool was full: use TCP, whose writers wait", s.lost)
	}
	return f
}

func (s *syslog) close() {
	s.tcp.Close()
	s.udp.Close()
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.open {
		c.Close()
	}
}

func (s *syslog) run(ctx context.Context) {
	var all sync.WaitGroup
	all.Go(func() { s.feeds.run(ctx) })
	all.Go(func() { <-ctx.Done(); s.close() })
	all.Go(func() { s.datagrams() })
	for {
		c, err := s.tcp.Accept()
		if errors.Is(err, net.ErrClosed) {
			break
		}
		if err != nil {
			time.Sleep(soon)
			continue
		}
		s.mu.Lock()
		many := len(s.open) >= maxSenders || ctx.Err() != nil
		if !many {
			s.open[c] = true
		}
		s.mu.Unlock()
		if many {
			c.Close()
			continue
		}
		all.Go(func() {
			s.stream(ctx, c)
			c.Close()
			s.mu.Lock()
			delete(s.open, c)
			s.mu.Unlock()
		})
	}
	all.Wait()
	s.tellLost()
}

func (s *syslog) datagrams() {
	buf := make([]byte, maxDatagram)
	for {
		n, _, err := s.udp.ReadFrom(buf)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		line := trimEnd(buf[:n])
		if err != nil || len(line) == 0 {
			continue
		}
		if s.feeds.add(string(line), "") != nil {
			s.drop()
		} else {
			s.tellLost()
		}
	}
}

// drop counts a datagram that is lost.
func (s *syslog) drop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.dropped.To == 0 {
		s.dropped = record.Gap{File: syslogFile, Print: s.feeds.boot, From: s.lost + 1, Since: time.Now(), Why: "the spool was full, and datagrams cannot wait; From and To number the lost ones"}
	}
	s.lost++
	s.dropped.To, s.dropped.Until = s.lost+1, time.Now()
}

// tellLost reports the datagrams lost since the last one that was taken.
func (s *syslog) tellLost() {
	s.mu.Lock()
	g := s.dropped
	s.dropped = record.Gap{}
	s.mu.Unlock()
	if g.To > 0 {
		s.log.Warn("syslog datagrams were lost because the spool was full", "lost", g.To-g.From, "from", g.Since, "until", g.Until)
		s.gap(g)
	}
}

// stream takes the lines of one connection. What is longer than a line may be is cut.
func (s *syslog) stream(ctx context.Context, c net.Conn) {
	in := bufio.NewReaderSize(c, 64<<10)
	for {
		line, err := nextSyslog(in)
		if len(line) > 0 && s.feeds.wait(ctx, string(line), "") != nil {
			return
		}
		if err != nil {
			return
		}
	}
}

// nextSyslog reads one line, however it is framed. At the end of the stream the last one may lack its end.
func nextSyslog(in *bufio.Reader) ([]byte, error) {
	if n, ok := counted(in); ok {
		line := make([]byte, 0, min(n, 8<<10))
		for len(line) < n {
			piece := make([]byte, min(n-len(line), 8<<10))
			m, err := io.ReadFull(in, piece)
			if line = append(line, piece[:m]...); err != nil {
				return trimEnd(line), err
			}
		}
		return trimEnd(line), nil
	}
	var line []byte
	for {
		piece, err := in.ReadSlice('\n')
		if room := record.MaxLine - len(line); room > 0 {
			line = append(line, piece[:min(len(piece), room)]...)
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			return trimEnd(line), err
		}
	}
}

// counted reads the length before a line, as in "83 <34>1 ...", if there is one.
func counted(in *bufio.Reader) (int, bool) {
	if b, err := in.Peek(1); err != nil || b[0] < '1' || b[0] > '9' {
		return 0, false
	}
	for have := 2; have <= 8; have++ {
		b, err := in.Peek(have)
		if err != nil {
			return 0, false
		}
		switch last := b[have-1]; {
		case last == ' ':
			more, err := in.Peek(have + 1)
			n, nerr := strconv.Atoi(string(b[:have-1]))
			if err != nil || nerr != nil || more[have] != '<' || n > record.MaxLine {
				return 0, false
			}
			_, _ = in.Discard(have)
			return n, true
		case last < '0' || last > '9':
			return 0, false
		}
	}
	return 0, false
}

func trimEnd(b []byte) []byte {
	for len(b) > 0 && (b[len(b)-1] == '\n' || b[len(b)-1] == '\r' || b[len(b)-1] == 0) {
		b = b[:len(b)-1]
	}
	return b
}
