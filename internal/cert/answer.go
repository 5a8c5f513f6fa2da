package cert

import (
	"context"
	"crypto/tls"
	"net"
	"sync"
	"time"

	"github.com/mholt/acmez/v3"
)

const (
	shakeWithin = 10 * time.Second // a handshake of a challenge
	shakesMost  = 64               // of them at once; further ones wait in the listener's queue
)

// answer shakes hands with ACME servers that look for tls-alpn-01 at l, and with nobody else: there is nothing to be shown yet. The returned func ends it and waits; l
// stays open for the console. A listener that cannot be given a deadline is left alone: then the other challenge must do.
func (a *ACME) answer(l net.Listener) (stop func()) {
	timed, ok := l.(interface{ SetDeadline(time.Time) error })
	if !ok || timed.SetDeadline(time.Time{}) != nil {
		return func() {}
	}
	only := a.TLS()
	only.NextProtos = []string{acmez.ACMETLS1Protocol}
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	free := make(chan struct{}, shakesMost)
	wg.Go(func() {
		for ctx.Err() == nil {
			conn, err := l.Accept()
			if err != nil {
				return // the deadline of stop, or the listener is gone, which the console will say
			}
			select {
			case free <- struct{}{}:
			case <-ctx.Done():
				_ = conn.Close()
				return
			}
			wg.Go(func() {
				defer func() { <-free }()
				shake(ctx, conn, only)
			})
		}
	})
	return func() {
		cancel()
		_ = timed.SetDeadline(time.Unix(1, 0)) // wakes Accept
		wg.Wait()
		_ = timed.SetDeadline(time.Time{})
	}
}

// shake makes one handshake, and closes. What it says of a failure is of no use to anybody.
func shake(ctx context.Context, conn net.Conn, c *tls.Config) {
	defer conn.Close()
	ctx, cancel := context.WithTimeout(ctx, shakeWithin)
	defer cancel()
	_ = conn.SetDeadline(time.Now().Add(shakeWithin))
	s := tls.Server(conn, c)
	if s.HandshakeContext(ctx) == nil {
		_ = s.Close()
	}
}
