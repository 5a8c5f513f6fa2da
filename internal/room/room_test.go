package room

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"
)

func rtpPacket(seq uint16, payload []byte) *rtp.Packet {
	return &rtp.Packet{Header: rtp.Header{Version: 2, SequenceNumber: seq}, Payload: payload}
}

// Three hear each other; a muted one is not heard; ICE restarts; a new connection takes the place of an old one; who leaves is not heard.
func TestConference(t *testing.T) {
	t.Parallel()
	h := newHouse(t, nil)
	anna := h.enter(h.seal(Ticket{Name: "Anna", Person: "anna", Host: true}))
	boris := h.enter(h.seal(Ticket{Name: "Boris", Person: "boris"}))
	guest := h.enter(h.seal(Ticket{Name: "Specialist"}))
	var done sync.WaitGroup
	stop := make(chan struct{})
	defer func() { close(stop); done.Wait() }()
	for i, c := range []*client{anna, boris, guest} {
		c.follow()
		c.dial()
		c.say("ABG"[i], stop, &done)
	}
	others := func(n int) {
		t.Helper()
		anna.more('B', n)
		anna.more('G', n)
		boris.more('A', n)
		guest.more('A', n)
	}
	others(5)
	if n := anna.count('A'); n > 0 {
		t.Errorf("Anna heard %d packets of herself", n)
	}
	h.soon("everybody shown as connected, and as speaking", func() bool {
		v := guest.view()
		ok := len(v.People) == 3 && v.You == 3 && !v.Host
		for _, p := range v.People {
			ok = ok && p.Connected && p.Speaking
		}
		return ok && len(v.Lanes) == 2
	})

	t.Run("muted by oneself, one is not heard", func(t *testing.T) {
		h.ask("/mute", boris.secret, map[string]any{"seat": boris.seat, "muted": true}, nil)
		time.Sleep(100 * time.Millisecond) // what was under way
		was := anna.count('B')
		anna.more('G', 10)
		if n := anna.count('B') - was; n > 0 {
			t.Errorf("%d packets of the muted one were heard", n)
		}
		h.ask("/mute", boris.secret, map[string]any{"seat": boris.seat, "muted": false}, nil)
		anna.more('B', 5)
	})
	t.Run("muted by the host, one cannot lift it", func(t *testing.T) {
		if status, _ := h.ask("/mute", boris.secret, map[string]any{"seat": guest.seat, "muted": true}, nil); status != http.StatusForbidden {
			t.Errorf("who is no host mutes another: %d", status)
		}
		h.ask("/mute", anna.secret, map[string]any{"seat": guest.seat, "muted": true}, nil)
		if status, says := h.ask("/mute", guest.secret, map[string]any{"seat": guest.seat, "muted": false}, nil); status != http.StatusForbidden || !strings.Contains(says, "host") {
			t.Errorf("%d %s", status, says)
		}
		time.Sleep(100 * time.Millisecond)
		was := boris.count('G')
		boris.more('A', 10)
		if n := boris.count('G') - was; n > 0 {
			t.Errorf("%d packets of the muted one were heard", n)
		}
		h.ask("/mute", anna.secret, map[string]any{"seat": guest.seat, "muted": false}, nil)
		boris.more('G', 5)
	})
	t.Run("after ICE was restarted all go on", func(t *testing.T) {
		old := boris.pc.LocalDescription().SDP
		boris.negotiate(&webrtc.OfferOptions{ICERestart: true}, false)
		if ufrag(old) == ufrag(boris.pc.LocalDescription().SDP) {
			t.Error("ICE was not restarted")
		}
		boris.more('A', 10)
		others(10)
	})
	t.Run("a connection made anew takes the old one's place", func(t *testing.T) {
		was := boris.pc
		boris.dial()
		h.soon("the end of the old connection", func() bool { return was.ConnectionState() == webrtc.PeerConnectionStateClosed })
		boris.more('A', 5)
		anna.more('B', 5)
		if len(h.People("12")) != 3 {
			t.Errorf("%+v", h.People("12"))
		}
	})
	t.Run("sequence numbers of a lane follow each other, whoever speaks", func(t *testing.T) {
		guest.mu.Lock()
		defer guest.mu.Unlock()
		late := 0
		for i := 1; i < len(guest.order); i++ {
			if guest.order[i]-guest.order[i-1] != 1 {
				late++
			}
		}
		if len(guest.order) < 50 || late > len(guest.order)/20 {
			t.Errorf("%d of %d numbers are out of order", late, len(guest.order))
		}
	})
	t.Run("one who leaves is gone for the others", func(t *testing.T) {
		h.ask("/leave", guest.secret, struct{}{}, nil)
		h.soon("two left", func() bool { return len(anna.view().People) == 2 })
		if status, _ := h.ask("/alive", guest.secret, struct{}{}, nil); status != http.StatusUnauthorized {
			t.Errorf("the secret of a seat that was given up is taken: %d", status)
		}
	})
	t.Run("the host ends it for all, and old links open it no more", func(t *testing.T) {
		old := h.seal(Ticket{Name: "Late"})
		if status, _ := h.ask("/end", boris.secret, struct{}{}, nil); status != http.StatusForbidden {
			t.Errorf("who is no host ends the room: %d", status)
		}
		h.ask("/end", anna.secret, struct{}{}, nil)
		h.soon("the word of the end", func() bool { boris.mu.Lock(); defer boris.mu.Unlock(); return boris.gone != "" })
		if status, says := h.ask("/join", "", map[string]string{"code": old}, nil); status != http.StatusForbidden || !strings.Contains(says, "ended") {
			t.Errorf("%d %s", status, says)
		}
		if h.People("12") != nil {
			t.Errorf("%+v", h.People("12"))
		}
	})
	want := "joined Anna, joined Boris, joined Specialist, silenced Specialist, heard Specialist, left Specialist, ended Anna, ended Boris, ended"
	if got := h.kinds(); got != want && got != strings.Replace(want, "ended Anna, ended Boris", "ended Boris, ended Anna", 1) {
		t.Errorf("marks: %s", got)
	}
}

func ufrag(sdp string) string {
	_, rest, _ := strings.Cut(sdp, "a=ice-ufrag:")
	u, _, _ := strings.Cut(rest, "\r\n")
	return u
}

// Where no UDP goes out, TCP carries it.
func TestConferenceOverTCP(t *testing.T) {
	t.Parallel()
	h := newHouse(t, func(o *Options) { o.TCP = "127.0.0.1:0" })
	a, b := h.enter(h.seal(Ticket{Name: "A"})), h.enter(h.seal(Ticket{Name: "B"}))
	a.dial(webrtc.NetworkTypeTCP4)
	b.dial()
	stop := make(chan struct{})
	var done sync.WaitGroup
	a.say('A', stop, &done)
	b.say('B', stop, &done)
	a.more('B', 5)
	b.more('A', 5)
	close(stop)
	done.Wait()
}

// Who vanishes is out after 15 s; who only has no sound, but a page that says it is there, is not.
func TestVanished(t *testing.T) {
	t.Parallel()
	h := newHouse(t, nil)
	a, b := h.enter(h.seal(Ticket{Name: "A"})), h.enter(h.seal(Ticket{Name: "B"}))
	b.follow()
	for _, c := range []*client{a, b} {
		s, err := h.find(c.secret)
		if err != nil {
			t.Fatal(err)
		}
		s.alive.Store(time.Now().Add(-time.Minute).UnixNano())
		if c == b {
			h.ask("/alive", b.secret, struct{}{}, nil)
		}
	}
	now := time.Now()
	h.sweep(now)
	h.soon("A is out", func() bool { v := b.view(); return len(v.People) == 1 && v.People[0].Name == "B" })
	h.sweep(now.Add(Silence - time.Second))
	if h.People("12") == nil {
		t.Error("B is out after less than 15 s")
	}
	h.sweep(now.Add(Silence + time.Second))
	h.soon("B is told", func() bool { b.mu.Lock(); defer b.mu.Unlock(); return strings.Contains(b.gone, "lost for 15s") })
	if got := h.kinds(); got != "joined A, joined B, vanished A, vanished B" {
		t.Errorf("marks: %s", got)
	}
}

func TestSeatsAreLimited(t *testing.T) {
	t.Parallel()
	h := newHouse(t, nil)
	code := h.seal(Ticket{Name: "Many", Person: "many"})
	for range Seats {
		h.enter(code)
	}
	if status, says := h.ask("/join", "", map[string]string{"code": code}, nil); status != http.StatusServiceUnavailable || !strings.Contains(says, "full") {
		t.Errorf("%d %s", status, says)
	}
	for i, p := range h.People("12") {
		if p.Device != i+1 {
			t.Errorf("seat %d is device %d of a person who has come %d times", p.Seat, p.Device, i+1)
		}
	}
	for i := 1; i < Open; i++ {
		h.enter(h.seal(Ticket{Room: fmt.Sprint("r", i), Name: "x"}))
	}
	if status, says := h.ask("/join", "", map[string]string{"code": h.seal(Ticket{Room: "more"})}, nil); status != http.StatusServiceUnavailable || !strings.Contains(says, "rooms") {
		t.Errorf("%d %s", status, says)
	}
}

// What cannot be written down does not begin, and can be tried again with the same one-time link.
func TestNoMarkNoJoin(t *testing.T) {
	h := newHouse(t, nil)
	code := h.seal(Ticket{Name: "A", Once: true})
	h.mu.Lock()
	h.refuse = true
	h.mu.Unlock()
	if status, says := h.ask("/join", "", map[string]string{"code": code}, nil); status != http.StatusServiceUnavailable || !strings.Contains(says, "timeline") {
		t.Errorf("%d %s", status, says)
	}
	if p := h.People("12"); p != nil {
		t.Errorf("%+v are in", p)
	}
	h.mu.Lock()
	h.refuse = false
	h.mu.Unlock()
	h.enter(code)
}

// Who was muted by the host cannot lift that by leaving and coming back.
func TestMuteOutlivesTheSeat(t *testing.T) {
	h := newHouse(t, nil)
	host, code := h.enter(h.seal(Ticket{Name: "Host", Host: true})), h.seal(Ticket{Name: "Loud"})
	loud := h.enter(code)
	h.ask("/mute", host.secret, map[string]any{"seat": loud.seat, "muted": true}, nil)
	h.ask("/leave", loud.secret, struct{}{}, nil)
	h.enter(code)
	if p := h.People("12"); len(p) != 2 || !p[1].Silenced {
		t.Errorf("%+v", p)
	}
}

// Somebody sent out does not come back with the same link.
func TestRemoved(t *testing.T) {
	h := newHouse(t, nil)
	host := h.enter(h.seal(Ticket{Name: "Host", Host: true}))
	code := h.seal(Ticket{Name: "Wrong"})
	wrong := h.enter(code)
	wrong.follow()
	if status, _ := h.ask("/remove", wrong.secret, map[string]any{"seat": host.seat}, nil); status != http.StatusForbidden {
		t.Errorf("who is no host sends out the host: %d", status)
	}
	h.ask("/remove", host.secret, map[string]any{"seat": wrong.seat}, nil)
	h.soon("the word", func() bool {
		wrong.mu.Lock()
		defer wrong.mu.Unlock()
		return strings.Contains(wrong.gone, "sent you out")
	})
	if status, _ := h.ask("/join", "", map[string]string{"code": code, "secret": wrong.secret}, nil); status != http.StatusForbidden {
		t.Errorf("%d", status)
	}
}

func TestOptionsThatCannotBe(t *testing.T) {
	key := make([]byte, 32)
	for want, o := range map[string]Options{
		"at least 32 bytes":                          {Key: key[:8]},
		"cannot listen on UDP":                       {Key: key, UDP: "192.0.2.1:7443"},
		"cannot listen on UDP \"nonsense\"":          {Key: key, UDP: "nonsense"},
		"cannot listen on TCP":                       {Key: key, UDP: "127.0.0.1:0", TCP: "192.0.2.1:1"},
		"cannot announce \"room.example\": a public": {Key: key, UDP: "127.0.0.1:0", Public: []string{"room.example"}},
	} {
		rs, err := New(o)
		if err == nil {
			rs.Close()
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q: %v", want, err)
		}
	}
}

// The answer names the public addresses beside the machine's own.
func TestPublicAddress(t *testing.T) {
	t.Parallel()
	h := newHouse(t, func(o *Options) { o.Public = []string{"198.51.100.7"} })
	c := h.enter(h.seal(Ticket{Name: "A"}))
	c.dial()
	if got := c.pc.RemoteDescription().SDP; !strings.Contains(got, "198.51.100.7") || !strings.Contains(got, "127.0.0.1") || !strings.Contains(got, "a=ice-lite") {
		t.Error(got)
	}
}
