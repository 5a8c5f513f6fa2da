package room

import (
	"fmt"
	"net/http"
)

// These are what people in a room may ask for. All but leaving and muting oneself are the host's.

func (s *seat) host() error {
	if !s.ticket.Host {
		return Refusal{Status: http.StatusForbidden, Says: "Only a host of this room may do that."}
	}
	return nil
}

// other returns a seat of the same room by its number.
func (s *seat) other(number int) (*seat, error) {
	s.room.mu.Lock()
	defer s.room.mu.Unlock()
	o, ok := s.room.seats[number]
	if !ok {
		return nil, Refusal{Status: http.StatusNotFound, Says: fmt.Sprintf("Nobody has seat %d any more.", number)}
	}
	return o, nil
}

// mute makes a seat heard or not heard by the others. A host's mute can be lifted by a host only, and stands in the timeline.
func (s *seat) mute(number int, muted bool) error {
	r := s.room
	if number == s.number && !(s.ticket.Host && !muted) {
		r.mu.Lock()
		defer r.mu.Unlock()
		if !muted && s.silenced {
			return Refusal{Status: http.StatusForbidden, Says: "A host has muted you, and only a host can lift that."}
		}
		s.muted = muted
		r.hush(s)
		return nil
	}
	if err := s.host(); err != nil {
		return err
	}
	o, err := s.other(number)
	if err != nil {
		return err
	}
	r.door.Lock()
	defer r.door.Unlock()
	r.mu.Lock()
	was := o.silenced
	o.silenced = muted
	r.hushed[o.owner()] = muted
	if o == s {
		o.muted = muted
	}
	r.hush(o)
	r.mu.Unlock()
	if was == muted {
		return nil
	}
	kind := "heard"
	if muted {
		kind = "silenced"
	}
	return r.rs.tell(o.mark(kind, s.doer(), ""))
}

// hush takes a muted seat off the stage; mu is held.
func (r *Room) hush(s *seat) {
	if s.muted || s.silenced {
		r.stage.give(s.number)
		s.speaking = false
	}
	r.stir()
}

func (s *seat) remove(number int) error {
	if err := s.host(); err != nil {
		return err
	}
	o, err := s.other(number)
	if err != nil {
		return err
	}
	s.room.leave(o, s.doer(), "removed", "The host has sent you out of this room.")
	return nil
}

func (s *seat) endRoom() error {
	if err := s.host(); err != nil {
		return err
	}
	s.room.end(s.doer(), "The host has ended the conference.")
	return nil
}

// record begins or ends a recording. It begins only once it is written down and every page has been told.
func (s *seat) record(on bool) error {
	if err := s.host(); err != nil {
		return err
	}
	r := s.room
	r.door.Lock()
	defer r.door.Unlock()
	if !on {
		return r.stopTape(s.doer(), "")
	}
	r.mu.Lock()
	running, over := r.tape != nil, r.over
	r.mu.Unlock()
	switch {
	case over:
		return Refusal{Status: http.StatusGone, Says: "This room has ended."}
	case running:
		return nil
	case r.rs.o.Folder == nil:
		return Refusal{Status: http.StatusForbidden, Says: "Recording is not set up on this server: it has no folder for recordings."}
	}
	t, err := newRecording(r, shownName(s.ticket))
	if err != nil {
		r.rs.o.Log.Error("A recording of the war room cannot begin.", "room", r.name, "error", err)
		return Refusal{Status: http.StatusServiceUnavailable, Says: "The recording cannot begin: its folder cannot be written. Nothing is recorded."}
	}
	m := s.mark("recording", s.doer(), "")
	m.Folder = t.dir
	if err := r.rs.tell(m); err != nil {
		t.drop()
		return err
	}
	r.mu.Lock()
	r.tape, r.fault = t, ""
	r.stir()
	r.mu.Unlock()
	return nil
}

// stopTape ends the recording, if there is one, and tells its manifest; the door is held.
func (r *Room) stopTape(by doer, says string) error {
	r.mu.Lock()
	t := r.tape
	r.tape = nil
	r.stir()
	r.mu.Unlock()
	if t == nil {
		return nil
	}
	sum, err := t.finish(by.name)
	if err != nil {
		r.rs.o.Log.Error("A recording of the war room could not be finished.", "room", r.name, "folder", t.dir, "error", err)
		says = "It is not whole: " + err.Error() + "."
		r.mu.Lock()
		r.fault = "The recording is not whole; the server's log says why."
		r.mu.Unlock()
	}
	return r.rs.tell(Mark{Kind: "recorded", Room: r.name, At: now(), By: by.name, ByPerson: by.person, Says: says, Folder: t.dir, SHA256: sum})
}
