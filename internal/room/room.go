// Package room is the war room: an audio conference for each incident, in the browser.
//
//	browser --offer--> answer.go: one Opus track in, Speakers lanes out, negotiated once
//	        --RTP----> media.go: muted? whose turn? (stage.go) -> every other seat's lane, payload untouched
//	        <-changes- state.go: who is in it, who speaks in which lane, whether it is recorded (server-sent)
//
// The browser always offers and the room answers, so signalling is one POST and works behind any proxy. The room is an ICE-lite
// agent (RFC 8445, section 2.5) on one UDP port and, if wanted, one TCP port (RFC 6544): it says where it is and answers whoever proves the password
// of the offer. It never sends to an address that an offer names, so mDNS names and candidates in offers need no resolving and cannot aim
// packets at others, and no STUN or TURN server is asked. A new offer on the same seat restarts ICE, or makes the connection anew.
//
// Each seat gets Speakers outgoing lanes once. Who speaks takes a lane for everybody; joining, leaving and a change of speaker
// renumber packets in a lane (media.go) and need no new negotiation. So a room of thirty costs no more than Speakers streams to each of them.
//
// Sound is encrypted between each browser and this server (DTLS-SRTP, RFC 5764). The server decrypts and encrypts what it forwards: it does not
// decode it, but whoever owns the server could hear it. The page says so.
//
// A seat is taken with a ticket (ticket.go) and kept by a secret of its own. It is given up by leaving, by the host, or when nothing
// came of it for Silence. What must be remembered is handed to Options.Told before it is done: what cannot be written down, does not begin.
//
// Locks: Room.door orders the commands of one room, together with their marks; Room.mu guards what the commands and the packets
// share, and is never held while something is written to a network, a file or the caller. seat.offers holds one negotiation at a time.
package room

import (
	"cmp"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"github.com/pion/webrtc/v4"
)

const (
	Speakers = 8                // forwarded at once
	Seats    = 30               // of one room
	Open     = 20               // rooms at once
	Silence  = 15 * time.Second // without a sign of life, after which a seat is given up
)

// Options say where the room is reached and whom it tells. Key is needed.
type Options struct {
	UDP    string   // where media comes in, as in "0.0.0.0:7443"; "" is a port of the system's choice on every address
	TCP    string   // the same for networks that let no UDP out; "" is none
	Public []string // the addresses that browsers see, where they differ from the machine's own (NAT 1:1); no names
	Key    []byte   // signs tickets: 32 random bytes or more, kept by the caller

	// Told is given each mark before what it says is done, in order for each room. An error refuses a join and a recording;
	// what can only be noticed, such as somebody gone, is then done all the same, and logged. Who is refused is told the sentence of a Refusal. nil tells nobody.
	Told func(Mark) error
	// Folder names a new, empty folder for a recording of a room; nil is: nothing can be recorded.
	Folder func(room string) (string, error)
	// Address says who is at the other end of a request, for throttling; nil is the peer of the connection.
	Address func(*http.Request) netip.Addr
	Log     *slog.Logger // nil logs nothing
}

// Rooms are all rooms of a server. Close ends them.
type Rooms struct {
	o       Options
	api     *webrtc.API
	sockets []io.Closer
	began   time.Time
	tries   throttle
	quit    chan struct{}
	running sync.WaitGroup

	mu      sync.Mutex
	rooms   map[string]*Room
	seats   map[[32]byte]*seat    // by the hash of their secret
	used    map[string]usedTicket // by nonce: one-time tickets that were used, and tickets of those sent out
	ended   map[string]time.Time  // when the host ended a room: tickets from before open it no more
	closing bool
}

// A usedTicket remembers whose a one-time ticket is now.
type usedTicket struct {
	key    [32]byte // of the seat
	barred bool     // its owner was sent out
	until  time.Time
}

// New opens the ports. An error says which address cannot be listened on or announced.
func New(o Options) (*Rooms, error) {
	if len(o.Key) < 32 {
		return nil, fmt.Errorf("the war room needs a key of at least 32 bytes to sign tickets; it was given %d", len(o.Key))
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Told == nil {
		o.Told = func(Mark) error { return nil }
	}
	api, sockets, err := listen(o)
	if err != nil {
		return nil, err
	}
	rs := &Rooms{o: o, api: api, sockets: sockets, began: time.Now(), quit: make(chan struct{}), rooms: map[string]*Room{}, seats: map[[32]byte]*seat{}, used: map[string]usedTicket{}, ended: map[string]time.Time{}}
	rs.running.Go(func() { rs.every(time.Second, rs.sweep) })
	rs.running.Go(func() { rs.every(250*time.Millisecond, rs.listenIn) })
	return rs, nil
}

// Close sends everybody out, ends recordings with their manifests, and frees the ports. It is called once.
func (rs *Rooms) Close() error {
	close(rs.quit)
	rs.running.Wait()
	rs.mu.Lock()
	rs.closing = true
	all := rs.all()
	rs.mu.Unlock()
	for _, r := range all {
		r.end(doer{}, "Tocsin stops. Reload this page in a minute.")
	}
	var errs []error
	for _, c := range rs.sockets {
		errs = append(errs, c.Close())
	}
	return errors.Join(errs...)
}

// all returns the rooms; rs.mu is held.
func (rs *Rooms) all() []*Room {
	var all []*Room
	for _, r := range rs.rooms {
		all = append(all, r)
	}
	return all
}

// every does f until Close.
func (rs *Rooms) every(d time.Duration, f func(time.Time)) {
	t := time.NewTicker(d)
	defer t.Stop()
	for {
		select {
		case <-rs.quit:
			return
		case <-t.C:
			f(time.Now())
		}
	}
}

// sweep gives up seats without a sign of life, closes empty rooms, and forgets tickets that have run out.
func (rs *Rooms) sweep(now time.Time) {
	rs.mu.Lock()
	all := rs.all()
	for n, u := range rs.used {
		if now.After(u.until) {
			delete(rs.used, n)
		}
	}
	for name, at := range rs.ended {
		if now.Sub(at) > longestTicket {
			delete(rs.ended, name)
		}
	}
	rs.mu.Unlock()
	for _, r := range all {
		r.checkTape(now)
		for _, s := range r.vanished(now) {
			r.leave(s, doer{}, "vanished", "The connection was lost for "+Silence.String()+".")
		}
	}
}

// listenIn tells pages who speaks.
func (rs *Rooms) listenIn(now time.Time) {
	rs.mu.Lock()
	all := rs.all()
	rs.mu.Unlock()
	for _, r := range all {
		r.voices(now)
	}
}

// find returns the seat of a secret.
func (rs *Rooms) find(secret string) (*seat, error) {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	s, ok := rs.seats[sha256.Sum256([]byte(secret))]
	if !ok {
		return nil, Refusal{Status: http.StatusUnauthorized, Says: "You are not in this room any more. Join again."}
	}
	return s, nil
}

// A Refusal is an error for who asked: a sentence, and when to come back.
type Refusal struct {
	Status int // of HTTP
	Says   string
	After  time.Duration // 0: waiting does not help
}

func (r Refusal) Error() string { return r.Says }

// A Mark is something that the timeline of the incident should know.
type Mark struct {
	Kind     string // "joined", "left", "vanished", "removed", "restricted", "silenced", "heard", "recording", "recorded", "ended"
	Room     string // the incident
	At       time.Time
	Person   string // who it is about, by staff id; "" is a guest
	Name     string // as shown to the others
	Seat     int    // 0: the room as a whole
	Guest    bool   // came by a link
	By       string // who did it, by name, if somebody else
	ByPerson string // and by staff id
	Says     string // why, in a sentence; may be empty
	Folder   string // of a recording
	SHA256   string // of its manifest, once it is written
}

// tell hands over a mark. An error is logged; who can refuse, does.
func (rs *Rooms) tell(m Mark) error {
	if err := rs.o.Told(m); err != nil {
		if refusal, ok := errors.AsType[Refusal](err); ok {
			return refusal // it could be written, and shall not be done
		}
		rs.o.Log.Error("The war room cannot write down what happened in it.", "room", m.Room, "kind", m.Kind, "error", err)
		return Refusal{Status: http.StatusServiceUnavailable, Says: "This cannot be written into the timeline now, so it is not done. Try again; if it stays so, see the overview.", After: 5 * time.Second}
	}
	return nil
}

// now is the time of a mark, without its monotonic part.
func now() time.Time { return time.Now().UTC().Round(0) }

// shownName is a name as others see it.
func shownName(t Ticket) string { return cmp.Or(t.Name, t.Person, "Guest") }
