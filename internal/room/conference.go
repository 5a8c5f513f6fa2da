package room

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// A Room is the conference of one incident. It is there while somebody is in it.
type Room struct {
	rs   *Rooms
	name string

	door sync.Mutex // orders commands and their marks

	mu        sync.Mutex
	seats     map[int]*seat
	last      int // the number of the seat that was taken last
	stage     stage
	listeners []listener      // replaced when it changes, so that it may be read without mu once taken
	tape      *recording      // nil: not recorded
	fault     string          // why the last recording ended by itself
	hushed    map[string]bool // who a host has muted, by owner: who leaves and comes back is still muted
	over      bool            // nobody comes in any more
}

// A listener is a seat with a connection.
type listener struct {
	seat int
	peer *peer
}

// A seat is one browser of one person.
type seat struct {
	room    *Room
	number  int
	key     [32]byte // SHA-256 of its secret
	ticket  Ticket
	device  int // counts the seats of one person from 1
	since   time.Time
	alive   atomic.Int64  // when its last sign of life came, in nanoseconds since 1970
	changed chan struct{} // holds one: its page shows something old
	gone    chan struct{} // closed when it is given up

	offers sync.Mutex // one negotiation at a time

	// Under Room.mu:
	peer      *peer
	muted     bool // by itself
	silenced  bool // by the host
	connected bool
	heard     time.Time // when it was last loud
	speaking  bool      // as last told
	streams   int
	why       string // it is gone
}

// Enter takes a seat with a code from a ticket, and returns the secret that it is known by from now on. A secret from an earlier
// Enter with the same ticket takes that seat again if it is still there, and is needed to use a one-time ticket again.
func (rs *Rooms) Enter(code, secret string) (seatNumber int, newSecret string, err error) {
	t, err := unseal(rs.o.Key, code, time.Now())
	if err != nil {
		return 0, "", err
	}
	key := sha256.Sum256([]byte(secret))
	r, s, err := rs.admit(t, key)
	if err != nil {
		return 0, "", err
	}
	if s != nil {
		s.alive.Store(time.Now().UnixNano())
		return s.number, secret, nil
	}
	secret = rand.Text() + rand.Text() // 256 bits
	s, err = r.enter(t, key, sha256.Sum256([]byte(secret)))
	if err != nil {
		return 0, "", err
	}
	return s.number, secret, nil
}

var errUsed = Refusal{Status: http.StatusForbidden, Says: "This link was used already, in another browser or window. Ask for a new one."}

// admit holds a ticket against what is known of its like, and returns its room, and the seat if it is taken already by who asks.
func (rs *Rooms) admit(t Ticket, key [32]byte) (*Room, *seat, error) {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	if s, ok := rs.seats[key]; ok && s.ticket.Nonce == t.Nonce {
		return nil, s, nil
	}
	u, used := rs.used[t.Nonce]
	ended, wasEnded := rs.ended[t.Room]
	switch {
	case rs.closing:
		return nil, nil, Refusal{Status: http.StatusServiceUnavailable, Says: "Tocsin stops. Try again in a minute.", After: time.Minute}
	case u.barred:
		return nil, nil, Refusal{Status: http.StatusForbidden, Says: "The host has sent you out of this room."}
	case used && t.Once && subtle.ConstantTimeCompare(u.key[:], key[:]) != 1:
		return nil, nil, errUsed
	case t.Once && t.Made.Before(rs.began):
		return nil, nil, Refusal{Status: http.StatusForbidden, Says: "This one-time link was made before Tocsin was started again. Ask for a new one."}
	case wasEnded && !t.Host && !t.Made.After(ended):
		return nil, nil, Refusal{Status: http.StatusForbidden, Says: "The host has ended this conference. Ask for a new link if it goes on."}
	}
	r, ok := rs.rooms[t.Room]
	if !ok {
		if len(rs.rooms) >= Open {
			return nil, nil, Refusal{Status: http.StatusServiceUnavailable, Says: "Too many rooms are open. End one, then try again.", After: time.Minute}
		}
		r = &Room{rs: rs, name: t.Room, seats: map[int]*seat{}, hushed: map[string]bool{}}
		rs.rooms[t.Room] = r
	}
	return r, nil, nil
}

// enter seats somebody, once that is written down. had is the hash of the secret they came with, key that of their new one.
func (r *Room) enter(t Ticket, had, key [32]byte) (*seat, error) {
	r.door.Lock()
	defer r.door.Unlock()
	defer r.closeIfEmpty()
	r.mu.Lock()
	count, over := len(r.seats), r.over
	r.mu.Unlock()
	switch {
	case over:
		return nil, Refusal{Status: http.StatusServiceUnavailable, Says: "The room closes just now. Try again.", After: time.Second}
	case count >= Seats:
		return nil, Refusal{Status: http.StatusServiceUnavailable, Says: "The room is full: it has 30 seats. Somebody has to leave first.", After: time.Minute}
	}
	s := &seat{room: r, number: r.last + 1, key: key, ticket: t, device: 1, since: now(), changed: make(chan struct{}, 1), gone: make(chan struct{})}
	s.alive.Store(time.Now().UnixNano())
	again, err := r.claim(s, had)
	if err != nil {
		return nil, err
	}
	if err := r.rs.tell(s.mark("joined", doer{}, "")); err != nil {
		r.rs.mu.Lock()
		delete(r.rs.seats, key)
		delete(r.rs.used, t.Nonce)
		if again {
			r.rs.used[t.Nonce] = usedTicket{key: had, until: t.Until}
		}
		r.rs.mu.Unlock()
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for r.taken(s) {
		s.device++
	}
	r.last = s.number
	s.silenced = r.hushed[s.owner()]
	r.seats[s.number] = s
	r.stir()
	return s, nil
}

// taken reports whether the person has a seat with the same number of device.
func (r *Room) taken(s *seat) bool {
	for _, o := range r.seats {
		if shownName(o.ticket) == shownName(s.ticket) && o.ticket.Person == s.ticket.Person && o.device == s.device {
			return true
		}
	}
	return false
}

// owner says whose seat it is: a person's, or a ticket's.
func (s *seat) owner() string {
	if s.ticket.Person != "" {
		return "person " + s.ticket.Person
	}
	return "ticket " + s.ticket.Nonce
}

// claim makes the seat findable, and a one-time ticket its own; again: it was so before, by the secret that somebody had.
func (r *Room) claim(s *seat, had [32]byte) (again bool, err error) {
	rs := r.rs
	rs.mu.Lock()
	defer rs.mu.Unlock()
	if s.ticket.Once {
		u, used := rs.used[s.ticket.Nonce]
		switch {
		case used && subtle.ConstantTimeCompare(u.key[:], had[:]) != 1:
			return false, errUsed
		case !used && len(rs.used) >= 10_000:
			return false, Refusal{Status: http.StatusServiceUnavailable, Says: "Too many one-time links were used today. Ask for a link that is not one-time."}
		}
		again = used
		rs.used[s.ticket.Nonce] = usedTicket{key: s.key, until: s.ticket.Until}
	}
	rs.seats[s.key] = s
	return again, nil
}

// stir tells every page that it shows something old; mu is held.
func (r *Room) stir() {
	for _, s := range r.seats {
		s.stir()
	}
}

func (s *seat) stir() {
	select {
	case s.changed <- struct{}{}:
	default:
	}
}

// mark is a mark about the seat.
func (s *seat) mark(kind string, by doer, says string) Mark {
	return Mark{Kind: kind, Room: s.room.name, At: now(), Person: s.ticket.Person, Name: shownName(s.ticket), Seat: s.number, Guest: s.ticket.Person == "", By: by.name, ByPerson: by.person, Says: says}
}

// A doer is who did something; the zero doer is Tocsin, or whom it is about.
type doer struct{ name, person string }

func (s *seat) doer() doer { return doer{shownName(s.ticket), s.ticket.Person} }

// vanished returns the seats without a sign of life.
func (r *Room) vanished(now time.Time) (gone []*seat) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, s := range r.seats {
		if now.Sub(time.Unix(0, s.alive.Load())) >= Silence {
			gone = append(gone, s)
		}
	}
	slices.SortFunc(gone, func(a, b *seat) int { return a.number - b.number })
	return gone
}

// leave gives up a seat: kind is "left", "vanished", "removed" or "ended", and why is told to its page.
func (r *Room) leave(s *seat, by doer, kind, why string) {
	r.door.Lock()
	defer r.door.Unlock()
	r.out(s, by, kind, why)
	r.closeIfEmpty()
}

// out is leave, with the door held.
func (r *Room) out(s *seat, by doer, kind, why string) {
	r.mu.Lock()
	if r.seats[s.number] != s {
		r.mu.Unlock()
		return
	}
	delete(r.seats, s.number)
	r.stage.give(s.number)
	s.why = why
	p := s.peer
	s.peer = nil
	r.relist()
	r.stir()
	r.mu.Unlock()

	r.rs.mu.Lock()
	delete(r.rs.seats, s.key)
	if kind == "removed" {
		r.rs.used[s.ticket.Nonce] = usedTicket{barred: true, until: s.ticket.Until}
	}
	r.rs.mu.Unlock()
	close(s.gone)
	p.close(r.rs.o.Log)
	r.rs.tell(s.mark(kind, by, why)) // it is a fact already: an error is logged
}

// relist makes the list of listeners anew; mu is held.
func (r *Room) relist() {
	var l []listener
	for _, s := range r.seats {
		if s.peer != nil {
			l = append(l, listener{s.number, s.peer})
		}
	}
	r.listeners = l
}

// closeIfEmpty forgets a room that nobody is in; the door is held.
func (r *Room) closeIfEmpty() {
	r.mu.Lock()
	empty := len(r.seats) == 0 && !r.over
	r.over = r.over || empty
	r.mu.Unlock()
	if !empty {
		return
	}
	r.stopTape(doer{}, "Everybody has left.")
	r.rs.mu.Lock()
	if r.rs.rooms[r.name] == r {
		delete(r.rs.rooms, r.name)
	}
	r.rs.mu.Unlock()
}

// end sends everybody out. The zero doer is Tocsin.
func (r *Room) end(by doer, why string) {
	r.door.Lock()
	defer r.door.Unlock()
	r.mu.Lock()
	var all []*seat
	for _, s := range r.seats {
		all = append(all, s)
	}
	r.mu.Unlock()
	if by != (doer{}) {
		r.rs.mu.Lock()
		r.rs.ended[r.name] = now()
		r.rs.mu.Unlock()
	}
	r.stopTape(by, why)
	for _, s := range all {
		r.out(s, by, "ended", why)
	}
	r.rs.tell(Mark{Kind: "ended", Room: r.name, At: now(), Person: by.person, By: by.name, ByPerson: by.person, Says: why})
	r.closeIfEmpty()
}

// Keep sends everybody out of the room of an incident for whom stays says no: it is asked with a staff id, and with "" for a guest. why is told to
// their pages. Who asks for a seat meanwhile is refused by Told, so nobody slips in.
func (rs *Rooms) Keep(room string, stays func(person string) bool, why string) {
	rs.mu.Lock()
	r, open := rs.rooms[room]
	rs.mu.Unlock()
	if !open {
		return
	}
	r.door.Lock()
	defer r.door.Unlock()
	r.mu.Lock()
	var out []*seat
	for _, s := range r.seats {
		if !stays(s.ticket.Person) {
			out = append(out, s)
		}
	}
	r.mu.Unlock()
	for _, s := range out {
		r.out(s, doer{}, "restricted", why)
	}
	r.closeIfEmpty()
}
