package room

import (
	"slices"
	"time"
)

// A View is what a page shows of its room.
type View struct {
	Room      string         `json:"room"`
	You       int            `json:"you"`  // your seat
	Host      bool           `json:"host"` // you are one
	People    []Person       `json:"people"`
	Lanes     map[string]int `json:"lanes"` // the seat that is heard in each of your lanes, by its name (mid) in the session description
	Recording *Recording     `json:"recording,omitempty"`
	Fault     string         `json:"fault,omitempty"` // of the last recording
	Records   bool           `json:"records"`         // it can be recorded at all
}

// A Person is somebody in a room, with one browser.
type Person struct {
	Seat      int       `json:"seat"`
	Name      string    `json:"name"`
	Device    int       `json:"device"` // 1, and 2 and more for further browsers of the same person
	Guest     bool      `json:"guest"`  // came by a link, without an account
	Host      bool      `json:"host"`
	Since     time.Time `json:"since"`
	Muted     bool      `json:"muted"`
	Silenced  bool      `json:"silenced"` // muted by a host
	Connected bool      `json:"connected"`
	Speaking  bool      `json:"speaking"`
}

// A Recording goes on.
type Recording struct {
	Since time.Time `json:"since"`
	By    string    `json:"by"`
}

// view returns what the page of a seat shows, or false with the reason if the seat is given up.
func (s *seat) view() (View, string, bool) {
	r := s.room
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.seats[s.number] != s {
		return View{}, s.why, false
	}
	v := View{Room: r.name, You: s.number, Host: s.ticket.Host, People: r.people(), Lanes: map[string]int{}, Fault: r.fault, Records: r.rs.o.Folder != nil}
	if r.tape != nil {
		v.Recording = &Recording{Since: r.tape.from, By: r.tape.by}
	}
	if s.peer != nil {
		for i, p := range r.stage.places {
			if p.seat != 0 && p.seat != s.number {
				v.Lanes[s.peer.mids[i]] = p.seat
			}
		}
	}
	return v, "", true
}

// people returns who is in the room, in the order they came; mu is held.
func (r *Room) people() []Person {
	out := []Person{}
	for _, s := range r.seats {
		out = append(out, Person{Seat: s.number, Name: shownName(s.ticket), Device: s.device, Guest: s.ticket.Person == "", Host: s.ticket.Host, Since: s.since, Muted: s.muted, Silenced: s.silenced, Connected: s.connected, Speaking: s.speaking})
	}
	slices.SortFunc(out, func(a, b Person) int { return a.Seat - b.Seat })
	return out
}

// People returns who is in the room of an incident now, in the order they came; none, if it is not open.
func (rs *Rooms) People(room string) []Person {
	rs.mu.Lock()
	r, ok := rs.rooms[room]
	rs.mu.Unlock()
	if !ok {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.people()
}
