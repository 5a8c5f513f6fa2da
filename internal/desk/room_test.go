package desk

import (
	"testing"
	"time"

	"tocsin/internal/entry"
	"tocsin/internal/plan"
	"tocsin/internal/room"
)

// TestRoom: who may gets a code; joins and leaves are entries, with names of guests in the vault; who was sent out stays out until a host has
// ended it for all; a start of the program keeps all that.
func TestRoom(t *testing.T) {
	h := newHouse(t)
	h.o.Room = &RoomOptions{UDP: "127.0.0.1:0", Folder: t.TempDir()}
	d, stop := h.start()
	h.team(d)
	id, err := d.Report(Local("test"), "somebody calls")
	if err != nil {
		t.Fatal(err)
	}
	p, _ := d.Person("boris")
	anna, _ := d.Person("anna")
	code, err := d.RoomTicket(Actor(p), "Boris", id)
	if err != nil {
		t.Fatal(err)
	}
	reader := Actor(p)
	reader.Roles = []string{plan.Reader}
	if _, err := d.RoomTicket(reader, "Boris", id); err == nil {
		t.Error("a reader got a code")
	}
	if _, err := d.RoomTicket(Actor(p), "Boris", 99); err == nil {
		t.Error("there is a room of an incident that is none")
	}
	if _, err := d.RoomLink(Actor(p), id, "Dr. \x00", time.Hour); err == nil {
		t.Error("a guest's name had a control character")
	}
	if _, _, err := d.rooms.Enter(code, ""); err != nil {
		t.Fatal(err)
	}
	if in, is := d.InRoom(id); !is || len(in) != 1 {
		t.Errorf("%v are in the room", in)
	}
	h.want(d, entry.RoomJoined, 1)
	mark := room.Mark{Room: roomName(id), Person: "boris", Name: "Boris", Seat: 1, ByPerson: "anna", By: "Anna"}
	mark.Kind = "removed"
	if err := d.roomTold(mark); err != nil {
		t.Fatal(err)
	}
	stop()
	d, stop = h.start()
	defer func() { stop() }()
	if _, err := d.RoomTicket(Actor(p), "Boris", id); !SentOut(err) {
		t.Errorf("who was sent out got a new code: %v", err)
	}
	if _, _, err := d.rooms.Enter(code, ""); !SentOut(err) {
		t.Errorf("who was sent out came in by an old code: %v", err)
	}
	if err := d.roomTold(room.Mark{Kind: "ended", Room: roomName(id), Person: "anna", By: "Anna", ByPerson: "anna"}); err != nil {
		t.Fatal(err)
	}
	if _, err := d.RoomTicket(Actor(p), "Boris", id); err != nil {
		t.Errorf("after the end for all: %v", err)
	}
	if err := d.roomTold(room.Mark{Kind: "joined", Room: roomName(id), Name: "Dr. Öztürk", Guest: true, Seat: 4}); err != nil {
		t.Fatal(err)
	}
	d.Read(func(s *State) {
		i, _ := s.Incidents.Get(id)
		last := i.Timeline[len(i.Timeline)-1]
		if last.Kind != entry.RoomJoined || last.Ref == "" || last.Ref == "Dr. Öztürk" {
			t.Errorf("the timeline ends with %+v", last)
		}
	})
	if err := d.PutPerson(Actor(anna), "boris", []string{plan.Engineer}, Contact{Name: "Boris", Mail: "boris@shop.example"}, true); err != nil {
		t.Fatal(err)
	}
	if _, _, err := d.rooms.Enter(code, ""); err == nil {
		t.Error("who is gone came in")
	}
}
