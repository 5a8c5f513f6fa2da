package signin

import (
	"fmt"
	"net/netip"
	"testing"
	"time"
)

func TestThrottleDelays(t *testing.T) {
	th := NewThrottle()
	addr := netip.MustParseAddr("203.0.113.9")
	for range freeTries {
		if w := th.Allow(start, "anna", addr); w != 0 {
			t.Fatalf("waits %v within the free tries", w)
		}
	}
	now := start
	for _, want := range []time.Duration{1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900} {
		want *= time.Second
		if w := th.Allow(now, "anna", netip.MustParseAddr("203.0.113.77")); w != want { // same /24
			t.Fatalf("waits %v, want %v", w, want)
		}
		now = now.Add(want)
		if w := th.Allow(now, "anna", addr); w != 0 {
			t.Fatalf("still waits %v after %v", w, want)
		}
	}
	if w := th.Allow(now.Add(forgetTime+time.Second), "anna", addr); w != 0 {
		t.Errorf("not forgotten after an hour: %v", w)
	}
}

func TestThrottleUnderAttack(t *testing.T) {
	// Given Anna, who signed in from home, and an attacker with 2,000 networks who tries her account all day.
	th := NewThrottle()
	home := netip.MustParseAddr("198.51.100.20")
	th.Allow(start, "anna", home)
	th.Succeeded(start, "anna", home)
	tried := 0
	for s := range 24 * 60 * 60 {
		now := start.Add(time.Duration(s) * time.Second)
		from := netip.AddrFrom4([4]byte{10, byte(s % 2000 >> 8), byte(s % 2000), 1})
		if th.Allow(now, "Anna", from) == 0 {
			tried++
		}
	}
	// Then they get about one try a minute, and she signs in at once, even after two typing errors.
	if tried > 24*60+20 {
		t.Errorf("the attacker had %d tries", tried)
	}
	now := start.Add(24 * time.Hour)
	for range 3 {
		if w := th.Allow(now, "anna", home); w != 0 {
			t.Errorf("anna waits %v at home", w)
		}
	}
	if w := th.Allow(now, "anna", netip.MustParseAddr("192.0.2.1")); w == 0 || w > maxAccountWait {
		t.Errorf("from elsewhere anna waits %v", w)
	}
}

func TestThrottleOwnAccountHelpsNobody(t *testing.T) {
	// Given an attacker with an account of their own, who signs in with it between tries of others.
	th := NewThrottle()
	addr := netip.MustParseAddr("203.0.113.9")
	allowed := 0
	for i := range 1000 {
		now := start.Add(time.Duration(i) * time.Second)
		if th.Allow(now, "mallory", addr) == 0 {
			th.Succeeded(now, "mallory", addr)
		}
		if th.Allow(now, fmt.Sprint("victim", i), addr) == 0 {
			allowed++
		}
	}
	if allowed > freeTries+10 {
		t.Errorf("%d tries of others' accounts in 1000 s", allowed)
	}
}

func TestThrottleIsBounded(t *testing.T) {
	th := NewThrottle()
	for i := range maxCounters + 50 {
		addr := netip.AddrFrom16([16]byte{0x20, 1, byte(i >> 16), byte(i >> 8), byte(i)})
		th.Allow(start.Add(time.Duration(i)*time.Millisecond), fmt.Sprint("a", i), addr)
	}
	for name, m := range map[string]map[string]tries{"accounts": th.accounts, "networks": th.networks, "pairs": th.pairs} {
		if len(m) > maxCounters {
			t.Errorf("%d %s", len(m), name)
		}
	}
	if th.Evicted() != 150 {
		t.Errorf("%d evicted, want 3 x 50", th.Evicted())
	}
}

func TestNetwork(t *testing.T) {
	for in, want := range map[string]string{
		"203.0.113.9": "203.0.113.0/24", "::ffff:203.0.113.9": "203.0.113.0/24", "2001:db8:1:2:3::4": "2001:db8:1:2::/64", "fe80::1%eth0": "fe80::/64",
	} {
		if got := Network(netip.MustParseAddr(in)); got != want {
			t.Errorf("%s: got %s, want %s", in, got, want)
		}
	}
	if got := Network(netip.Addr{}); got != "unknown" {
		t.Errorf("no address: got %s", got)
	}
}
