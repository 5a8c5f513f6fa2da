package room

import (
	"net/netip"
	"sync"
	"time"
)

const (
	wrongCodes    = 10          // from one network
	wrongWindow   = time.Minute // in which they count
	knownNetworks = 4096
)

// A throttle counts wrong codes by network: an IPv4 address, or an IPv6 /64.
type throttle struct {
	mu    sync.Mutex
	wrong map[netip.Prefix][]time.Time
}

func network(a netip.Addr) netip.Prefix {
	a = a.Unmap().WithZone("")
	bits := 32
	if a.Is6() {
		bits = 64
	}
	p, err := a.Prefix(bits)
	if err != nil {
		return netip.Prefix{} // an address that is none: all of these are one network
	}
	return p
}

// wait says how long the network must wait before its next code is looked at; 0 is not at all.
func (t *throttle) wait(a netip.Addr, now time.Time) time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	w := t.wrong[network(a)]
	if len(w) < wrongCodes {
		return 0
	}
	return max(0, wrongWindow-now.Sub(w[len(w)-wrongCodes]))
}

// failed counts a wrong code.
func (t *throttle) failed(a netip.Addr, now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.wrong == nil {
		t.wrong = map[netip.Prefix][]time.Time{}
	}
	n := network(a)
	if _, known := t.wrong[n]; !known && len(t.wrong) >= knownNetworks {
		t.forget(now)
	}
	w := append(t.wrong[n], now)
	t.wrong[n] = w[max(0, len(w)-wrongCodes):]
}

// forget drops the networks whose last wrong code counts no more, and if all still count, the one that has been still for longest.
func (t *throttle) forget(now time.Time) {
	var oldest netip.Prefix
	least := now.Add(time.Hour)
	for n, w := range t.wrong {
		last := w[len(w)-1]
		if now.Sub(last) > wrongWindow {
			delete(t.wrong, n)
		} else if last.Before(least) {
			oldest, least = n, last
		}
	}
	if len(t.wrong) >= knownNetworks {
		delete(t.wrong, oldest)
	}
}
