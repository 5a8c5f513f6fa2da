package desk

import (
	"cmp"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"tocsin/internal/auth"
	"tocsin/internal/disk"
	"tocsin/internal/entry"
	"tocsin/internal/incident"
	"tocsin/internal/room"
	"tocsin/internal/tlp"
)

// roomKeyFile, in the key folder, is what signs tickets to the war room.
const roomKeyFile = "room.key"

// ticketFor is how long the code on the page of somebody who is signed in opens the room: it is asked for anew with each page.
const ticketFor = 12 * time.Hour

// RoomOptions say where the war room is reached. doc/room.md.
type RoomOptions struct {
	UDP    string   // where sound comes in; "" is a port of the system's choice
	TCP    string   // the same for networks that let no UDP out; "" is none
	Public []string // addresses that browsers see, where they are not the machine's own
	Folder string   // of recordings; "" lets nobody record
}

// A Tape is a recording of an incident's war room.
type Tape struct {
	entry.RoomTape
	From  time.Time
	Until time.Time // zero: it goes on, or the program was killed meanwhile
	Text  string    // vault object: why it ended
}

// Conferences are what the ledger says of war rooms.
type Conferences struct {
	Out   map[int64]map[string]bool // who was sent out of an incident's room, by staff id, until a host ends the conference for all
	Tapes map[int64][]Tape
}

func newConferences() Conferences {
	return Conferences{Out: map[int64]map[string]bool{}, Tapes: map[int64][]Tape{}}
}

// Apply folds an entry, and reports whether it was one that nobody else remembers. The timeline is the incident's.
func (c *Conferences) Apply(e entry.Entry) (bool, error) {
	switch e.Kind {
	case entry.RoomLeft:
		x, err := entry.Body[entry.RoomSeat](e)
		if x.Why == "removed" && x.Person != "" {
			if c.Out[x.ID] == nil {
				c.Out[x.ID] = map[string]bool{}
			}
			c.Out[x.ID][x.Person] = true
		}
		return true, err
	case entry.RoomEnded:
		x, err := entry.Body[entry.RoomEnd](e)
		if e.Actor != roomActor {
			delete(c.Out, x.ID)
		}
		return true, err
	case entry.RoomRecorded:
		x, err := entry.Body[entry.RoomTape](e)
		if x.On {
			c.Tapes[x.ID] = append(c.Tapes[x.ID], Tape{RoomTape: x, From: e.Time})
			return true, err
		}
		for k := range c.Tapes[x.ID] {
			if t := &c.Tapes[x.ID][k]; t.Folder == x.Folder {
				t.RoomTape, t.Until, t.Text = x, e.Time, x.Text
			}
		}
		return true, err
	case entry.RoomJoined, entry.RoomMuted:
		return true, nil
	}
	return false, nil
}

// roomActor is who speaks in entries when no person did it.
const roomActor = "room"

// openRoom opens the war room's ports, if it is set up.
func (d *Desk) openRoom() error {
	if d.o.Room == nil {
		return nil
	}
	key, err := openRoomKey(d.o.Keys)
	if err != nil {
		return err
	}
	o := room.Options{UDP: d.o.Room.UDP, TCP: d.o.Room.TCP, Public: d.o.Room.Public, Key: key, Told: d.roomTold, Log: d.log}
	if d.o.Room.Folder != "" {
		o.Folder = func(incident string) (string, error) {
			return filepath.Join(d.o.Room.Folder, incident, time.Now().UTC().Format("20060102T150405.000Z")), nil
		}
	}
	d.rooms, err = room.New(o)
	return err
}

// openRoomKey reads the key that signs tickets, or makes one.
func openRoomKey(keys disk.Layer) ([]byte, error) {
	b, err := disk.ReadFile(keys, roomKeyFile)
	if err == nil && len(b) >= 32 {
		return b, nil
	}
	if err == nil || errors.Is(err, fs.ErrNotExist) { // a key that is cut opens nothing: with a new one, only links that were made before are lost
		b = make([]byte, 32)
		rand.Read(b)
		err = disk.Replace(keys, roomKeyFile, b)
	}
	if err != nil {
		return nil, fmt.Errorf("the key of the war room, %s in the key folder: %w", roomKeyFile, err)
	}
	return b, nil
}

// RoomHandler serves what the war room's page asks for, below /room; nil when there is no war room.
func (d *Desk) RoomHandler() http.Handler {
	if d.rooms == nil {
		return nil
	}
	return d.rooms.Handler()
}

// InRoom returns how many seats are taken in an incident's war room, and whether there is a war room at all.
func (d *Desk) InRoom(incident int64) (seats []room.Person, is bool) {
	if d.rooms == nil {
		return nil, false
	}
	return d.rooms.People(roomName(incident)), true
}

func roomName(incident int64) string { return strconv.FormatInt(incident, 10) }

// ErrNoRoom says that there is no war room here.
var ErrNoRoom = errors.New("there is no war room on this server: name its port under room in tocsin.yaml (doc/room.md), or take part by telephone")

// RoomTicket returns the code with which somebody who is signed in comes into an incident's war room. Who works on incidents is a host.
// Who was sent out gets none, until a host has ended the conference for all.
func (d *Desk) RoomTicket(actor auth.Actor, name string, incident int64) (string, error) {
	if err := cmp.Or(d.MayOn(actor, auth.See, incident), d.MayOn(actor, auth.Ring, incident)); err != nil {
		return "", err
	}
	if d.rooms == nil {
		return "", ErrNoRoom
	}
	var err error
	d.Read(func(s *State) {
		if s.Rooms.Out[incident][actor.ID] {
			err = errOut
		}
	})
	if err != nil {
		return "", err
	}
	return d.rooms.Seal(room.Ticket{Room: roomName(incident), Name: fitting(name), Person: actor.ID, Host: auth.May(actor, auth.Handle) == nil, Until: time.Now().Add(ticketFor)})
}

var errOut = room.Refusal{Status: http.StatusForbidden, Says: "A host has sent you out of this room. Ask a host to end the conference for all; then you can come in again."}

// SentOut reports whether err says that a host sent the reader out of the room.
func SentOut(err error) bool { return errors.Is(err, errOut) }

// RoomLink returns a one-time link for a guest, who learns nothing but what is said in the room.
func (d *Desk) RoomLink(actor auth.Actor, incident int64, name string, long time.Duration) (string, error) {
	if err := d.MayOn(actor, auth.Handle, incident); err != nil {
		return "", err
	}
	if d.rooms == nil {
		return "", ErrNoRoom
	}
	var err error
	d.Read(func(s *State) {
		if i, gone := s.Incidents.Get(incident); gone == nil && i.Restricted() {
			err = FieldError{"invite-name", "This incident is restricted: only the people who are named in it come into its war room."}
		} else if gone == nil {
			err = withheld(s, incident, "", tlp.Invitation)
		}
	})
	switch {
	case err != nil:
		return "", err
	case name == "" || fitting(name) != name:
		return "", FieldError{"invite-name", "A guest needs a name of 60 letters at most, as the others shall see it."}
	case long < time.Minute || long > 24*time.Hour:
		return "", FieldError{"invite-hours", "A link is good for a day at most."}
	}
	code, err := d.rooms.Seal(room.Ticket{Room: roomName(incident), Name: name, Once: true, Until: time.Now().Add(long)})
	if err != nil {
		return "", err
	}
	return d.o.URL + "/room#" + code, nil
}

// fitting makes a name one that may stand on a ticket.
func fitting(name string) string {
	out := make([]rune, 0, 60)
	for _, r := range name {
		if len(out) < 60 && r >= ' ' && (r < 0x7f || r > 0x9f) && r != '\ufffd' {
			out = append(out, r)
		}
	}
	return string(out)
}

// told writes a mark of the war room into the ledger, before what it says is done.
func (d *Desk) roomTold(m room.Mark) error {
	id, err := strconv.ParseInt(m.Room, 10, 64)
	if err != nil {
		return fmt.Errorf("the war room speaks of an incident %q", m.Room)
	}
	x := entry.Draft{Actor: roomActor, Subject: "incident:" + m.Room}
	if who := m.Person; m.ByPerson != "" {
		x.Actor = "person:" + m.ByPerson
	} else if who != "" && slices.Contains([]string{"joined", "left"}, m.Kind) {
		x.Actor = "person:" + who
	}
	seat := entry.RoomSeat{ID: id, Person: m.Person, Seat: m.Seat, Why: m.Kind}
	switch m.Kind {
	case "joined":
		if err := d.mayEnter(id, m.Person); err != nil {
			return err
		}
		x.Kind, seat.Why = entry.RoomJoined, ""
	case "left", "vanished", "removed", "restricted":
		x.Kind = entry.RoomLeft
	case "silenced", "heard":
		x.Kind = entry.RoomMuted
	case "ended":
		x.Kind, x.Body = entry.RoomEnded, entry.RoomEnd{ID: id}
		if m.Seat > 0 {
			x.Kind, x.Body = entry.RoomLeft, nil
		}
	case "recording", "recorded":
		tape := entry.RoomTape{ID: id, On: m.Kind == "recording", SHA256: m.SHA256}
		if tape.Folder, err = filepath.Rel(d.o.Room.Folder, m.Folder); err != nil {
			return err
		}
		if m.Kind == "recorded" {
			if tape.Text, err = d.text(m.Says); err != nil {
				return err
			}
		}
		x.Kind, x.Body = entry.RoomRecorded, tape
	default:
		return fmt.Errorf("the war room tells of the unknown kind %q", m.Kind)
	}
	if x.Body == nil {
		if m.Guest {
			if seat.Name, err = d.text(m.Name); err != nil {
				return err
			}
		}
		x.Body = seat
	}
	return d.write(func(s *State, _ time.Time) ([]entry.Draft, error) {
		i, err := s.Incidents.Get(id)
		switch {
		case err != nil:
			return nil, err
		case m.Kind == "joined" && !mayListen(s, i, m.Person):
			return nil, room.Refusal{Status: http.StatusForbidden, Says: closedRoom}
		}
		return []entry.Draft{x}, nil
	})
}

// mayListen reports whether somebody may be in the room of an incident. A guest ("") is nobody who is named, and stays as long as its label lets guests in.
func mayListen(s *State, i *incident.Incident, person string) bool {
	return !i.Hides(person) && (person != "" || mayTell(s, i.ID, "", tlp.Invitation))
}

// closedRoom is said to who must leave a room, and to who may not come in. It is as of a room that was ended.
const closedRoom = "This conference is over."

// clearRoom sends everybody out of the room of an incident who may not see it.
func (d *Desk) clearRoom(id int64) {
	if d.rooms == nil {
		return
	}
	d.rooms.Keep(roomName(id), func(person string) (stays bool) {
		d.Read(func(s *State) {
			i, err := s.Incidents.Get(id)
			stays = err == nil && mayListen(s, i, person)
		})
		return stays
	}, closedRoom)
}

// mayEnter refuses who was sent out, and who is not of the team any more, whatever code they have.
func (d *Desk) mayEnter(incident int64, person string) error {
	if person == "" {
		return nil // a guest: the ticket says all
	}
	_, glass := d.GlassActor(person, time.Now())
	if _, ok := d.Person(person); !ok && !glass {
		return room.Refusal{Status: http.StatusForbidden, Says: "You are not on the team any more."}
	}
	out := false
	d.Read(func(s *State) { out = s.Rooms.Out[incident][person] })
	if out {
		return errOut
	}
	return nil
}
