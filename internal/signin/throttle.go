package signin

import (
	"net/netip"
	"strings"
	"sync"
	"time"
)

// A Throttle says how long the next try to sign in has to wait. It counts per account, per network (/24 of IPv4, /64 of IPv6)
// and per pair of them. After five failures the wait is one second and doubles with each further one: up to a minute for
// an account, 15 minutes for a network.
//
// Anybody can make an account wait by trying it, and in an emergency the team must get in. So a network from which the
// account has signed in within 30 days does not wait for what others did to the account, only for what it did itself.
//
// A browser that has signed in to the account before (see Device) has a counter of its own, and waits for nothing else: not for what others did
// to the account, nor for what somebody else behind the same address did. So nobody can lock an owner out of their own browser.
//
// It lies in memory: a restart forgives, and an attacker cannot cause one. Safe for use by many goroutines.
type Throttle struct {
	mu       sync.Mutex
	accounts map[string]tries
	networks map[string]tries
	pairs    map[string]tries
	known    map[string]tries // pairs that signed in; n is not used
	devices  map[string]tries // by account and device
	evicted  int64
}

// tries are failures, and when the last one was.
type tries struct {
	n    int
	last time.Time
}

// wait returns how long after now the next try may be.
func (t tries) wait(now time.Time, limit time.Duration) time.Duration {
	if t.n < freeTries || now.Sub(t.last) > forgetTime {
		return 0
	}
	delay := limit
	if n := t.n - freeTries; n < 20 {
		delay = min(limit, time.Second<<n)
	}
	return max(0, delay-max(0, now.Sub(t.last))) // a clock that was set back makes nobody wait for longer
}

// more returns t with one failure more.
func (t tries) more(now time.Time) tries {
	if now.Sub(t.last) > forgetTime {
		t.n = 0
	}
	return tries{t.n + 1, now}
}

// NewThrottle returns an empty Throttle.
func NewThrottle() *Throttle {
	return &Throttle{accounts: map[string]tries{}, networks: map[string]tries{}, pairs: map[string]tries{}, known: map[string]tries{}, devices: map[string]tries{}}
}

// Network returns the network of an address as the throttle counts it: "203.0.113.0/24", "2001:db8::/64".
func Network(a netip.Addr) string {
	a = a.Unmap().WithZone("")
	bits := 64
	if a.Is4() {
		bits = 24
	}
	p, err := a.Prefix(bits)
	if err != nil || !p.IsValid() {
		return "unknown" // no address at all: these share a counter
	}
	return p.String()
}

// Allow returns 0 when account may be tried from addr now, else how long to wait before. With 0 the try counts as failed, so that
// many at once do not slip through before the first is known to be wrong; call Succeeded when it was right. account is what
// was typed, whether it exists or not; those of more than 64 bytes share a counter.
func (t *Throttle) Allow(now time.Time, account string, addr netip.Addr) (wait time.Duration) {
	return t.AllowDevice(now, account, addr, "")
}

// AllowDevice is Allow for a browser that has signed in to this account before; "" is one that has not.
func (t *Throttle) AllowDevice(now time.Time, account string, addr netip.Addr, device string) (wait time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if device != "" {
		own := strings.ToLower(account) + " " + device
		if wait := t.devices[own].wait(now, maxAccountWait); wait > 0 {
			return wait
		}
		t.put(t.devices, own, t.devices[own].more(now), now)
		return 0
	}
	account, network, pair := keys(account, addr)
	wait = t.networks[network].wait(now, maxNetworkWait)
	known, ok := t.known[pair]
	ok = ok && now.Sub(known.last) <= knownTime
	if ok {
		wait = max(wait, t.pairs[pair].wait(now, maxAccountWait))
	} else {
		wait = max(wait, t.accounts[account].wait(now, maxAccountWait))
	}
	if wait > 0 {
		return wait
	}
	t.put(t.networks, network, t.networks[network].more(now), now)
	t.put(t.pairs, pair, t.pairs[pair].more(now), now)
	if !ok {
		t.put(t.accounts, account, t.accounts[account].more(now), now)
	}
	return 0
}

// Succeeded forgives the account, and the network as far as it had tried this account: an attacker's own account does not
// help them to try others.
func (t *Throttle) Succeeded(now time.Time, account string, addr netip.Addr) {
	t.SucceededDevice(now, account, addr, "")
}

// SucceededDevice is Succeeded after AllowDevice. It forgives the browser, too.
func (t *Throttle) SucceededDevice(now time.Time, account string, addr netip.Addr, device string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if device != "" {
		delete(t.devices, strings.ToLower(account)+" "+device)
	}
	account, network, pair := keys(account, addr)
	n := t.networks[network]
	n.n -= t.pairs[pair].n
	if n.n > 0 {
		t.networks[network] = n
	} else {
		delete(t.networks, network)
	}
	delete(t.pairs, pair)
	delete(t.accounts, account)
	t.put(t.known, pair, tries{last: now}, now)
}

// Evicted returns how many counters were dropped because there were too many: each is an address or account that could try
// again sooner than it should.
func (t *Throttle) Evicted() int64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.evicted
}

func keys(account string, addr netip.Addr) (string, string, string) {
	account = strings.ToLower(account)
	if len(account) > 64 {
		account = "(long)"
	}
	network := Network(addr)
	return account, network, account + " " + network
}

// put sets a counter. When there are too many, those that say nothing any more go, else the one that rested longest.
func (t *Throttle) put(m map[string]tries, key string, v tries, now time.Time) {
	if _, ok := m[key]; !ok && len(m) >= maxCounters {
		t.sweep(m, now)
	}
	m[key] = v
}

func (t *Throttle) sweep(m map[string]tries, now time.Time) {
	var oldest string
	for k, v := range m {
		// What of known is dropped here only costs its account the exemption.
		if now.Sub(v.last) > forgetTime {
			delete(m, k)
		} else if oldest == "" || v.last.Before(m[oldest].last) {
			oldest = k
		}
	}
	if len(m) >= maxCounters {
		delete(m, oldest)
		t.evicted++
	}
}
