package room

import (
	"bytes"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestTickets(t *testing.T) {
	h := newHouse(t, nil)
	for name, x := range map[string]Ticket{
		"no room":           {Until: time.Now().Add(time.Hour)},
		"too long":          {Room: "12", Until: time.Now().Add(25 * time.Hour)},
		"over before":       {Room: "12", Until: time.Now().Add(-time.Hour)},
		"a name of lines":   {Room: "12", Name: "a\nb", Until: time.Now().Add(time.Hour)},
		"a name too long":   {Room: "12", Name: strings.Repeat("é", 61), Until: time.Now().Add(time.Hour)},
		"a name of nothing": {Room: "12", Name: "\xff", Until: time.Now().Add(time.Hour)},
	} {
		if code, err := h.Seal(x); err == nil {
			t.Errorf("%s: sealed as %s", name, code)
		}
	}
	code := h.seal(Ticket{Name: "Ünal", Person: "ünal", Host: true})
	now := time.Now()
	x, err := unseal(h.o.Key, code, now)
	if err != nil || x.Name != "Ünal" || !x.Host || x.Nonce == "" {
		t.Fatalf("%+v, %v", x, err)
	}
	if _, err := unseal(h.o.Key, code, now.Add(2*time.Hour)); err == nil || !strings.Contains(err.Error(), "run out") {
		t.Errorf("a code that has run out: %v", err)
	}
	if _, err := unseal(bytes.Repeat([]byte{8}, 32), code, now); err != errCode {
		t.Errorf("with another key: %v", err)
	}
	for i := range len(code) { // no byte can be another
		for _, c := range []byte{code[i] ^ 1, 'A', '.', 0} {
			if b := []byte(code); c != b[i] {
				b[i] = c
				if _, err := unseal(h.o.Key, string(b), now); err != errCode {
					t.Fatalf("byte %d as %q: %v", i, c, err)
				}
			}
		}
	}
}

// A one-time link is of the first browser that comes with it, which may come back.
func TestOneTimeLink(t *testing.T) {
	h := newHouse(t, nil)
	code := h.seal(Ticket{Name: "Guest", Once: true})
	c := h.enter(code)
	if status, says := h.ask("/join", "", map[string]string{"code": code}, nil); status != http.StatusForbidden || !strings.Contains(says, "used already") {
		t.Errorf("another browser: %d %s", status, says)
	}
	var again struct{ Seat int }
	if status, says := h.ask("/join", "", map[string]string{"code": code, "secret": c.secret}, &again); status != http.StatusOK || again.Seat != c.seat {
		t.Errorf("a reload: %d %s, seat %d", status, says, again.Seat)
	}
	h.sweep(time.Now().Add(Silence + time.Second))
	var later struct {
		Seat   int
		Secret string
	}
	if status, says := h.ask("/join", "", map[string]string{"code": code, "secret": c.secret}, &later); status != http.StatusOK || later.Secret == c.secret {
		t.Errorf("back after the network was away: %d %s", status, says)
	}
	if status, _ := h.ask("/join", "", map[string]string{"code": code, "secret": c.secret}, nil); status != http.StatusForbidden {
		t.Errorf("with the secret before: %d", status)
	}
	old := h.seal(Ticket{Name: "Guest", Once: true, Made: time.Now().Add(-time.Minute)})
	if status, says := h.ask("/join", "", map[string]string{"code": old}, nil); status != http.StatusForbidden || !strings.Contains(says, "started again") {
		t.Errorf("a one-time link from before the start: %d %s", status, says)
	}
}

// Two browsers that come at once with a one-time link: one gets in.
func TestOneTimeLinkRaced(t *testing.T) {
	h := newHouse(t, nil)
	code := h.seal(Ticket{Name: "Guest", Once: true})
	got := make(chan error)
	for range 8 {
		go func() {
			_, _, err := h.Enter(code, "")
			got <- err
		}()
	}
	in := 0
	for range 8 {
		if err := <-got; err == nil {
			in++
		} else if err != errUsed {
			t.Error(err)
		}
	}
	if in != 1 {
		t.Errorf("%d came in", in)
	}
}

// Guessed codes: each answer is the same, and after ten in a minute none is looked at, for a while, from that network only.
func TestGuessedCodes(t *testing.T) {
	from := netip.MustParseAddr("198.51.100.7")
	h := newHouse(t, func(o *Options) { o.Address = func(*http.Request) netip.Addr { return from } })
	right := h.seal(Ticket{Name: "Guest"})
	said := map[string]bool{}
	for i := range wrongCodes {
		status, says := h.ask("/join", "", map[string]string{"code": []string{"", "r1.e30.AAAA", right + "A", right[:len(right)-2], strings.Repeat("a", 60000)}[i%5]}, nil)
		if said[says] = true; status != http.StatusForbidden || len(said) != 1 {
			t.Errorf("%d %v", status, said)
		}
	}
	if status, says := h.ask("/join", "", map[string]string{"code": right}, nil); status != http.StatusTooManyRequests || !strings.Contains(says, "Try again in") {
		t.Errorf("%d %s", status, says)
	}
	from = netip.MustParseAddr("198.51.100.8")
	if status, _ := h.ask("/join", "", map[string]string{"code": right}, nil); status != http.StatusOK {
		t.Errorf("from another network: %d", status)
	}
}

func TestThrottleForgets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var x throttle
		a, b, other := netip.MustParseAddr("2001:db8::1"), netip.MustParseAddr("2001:db8::2"), netip.MustParseAddr("2001:db8:0:1::1")
		for range wrongCodes {
			x.failed(a, time.Now())
			time.Sleep(time.Second)
		}
		if w := x.wait(b, time.Now()); w != 50*time.Second {
			t.Errorf("the same /64 waits %v", w)
		}
		if w := x.wait(other, time.Now()); w != 0 {
			t.Errorf("another /64 waits %v", w)
		}
		time.Sleep(50 * time.Second)
		if w := x.wait(a, time.Now()); w != 0 {
			t.Errorf("it still waits %v", w)
		}
		for i := range knownNetworks + 500 {
			x.failed(netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}), time.Now())
		}
		if len(x.wrong) > knownNetworks {
			t.Errorf("%d networks are known", len(x.wrong))
		}
		x.failed(netip.Addr{}, time.Now()) // an address that is none
	})
}

// FuzzUnseal holds a law: what is taken was sealed by us, byte for byte.
func FuzzUnseal(f *testing.F) {
	key := bytes.Repeat([]byte{7}, 32)
	rs := &Rooms{o: Options{Key: key}}
	made := time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)
	code, err := rs.Seal(Ticket{Room: "12", Name: "x", Made: made, Until: made.Add(time.Hour), Nonce: "n"})
	if err != nil {
		f.Fatal(err)
	}
	for _, s := range []string{"", ".", "..", "r1.e30.", "r1.e30.AAAA", strings.Repeat(".", 3000)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if x, err := unseal(key, s, made); err == nil && s != code {
			t.Fatalf("%q opens %+v", s, x)
		}
		if _, err := unseal(key, code+s, made); (err == nil) != (s == "") {
			t.Fatalf("with %q behind it: %v", s, err)
		}
	})
}
