package web

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"time"

	"tocsin/internal/auth"
	"tocsin/internal/desk"
	"tocsin/ui"
)

// roomBase is where the war room's own routes are mounted; they ask for the secret of a seat.
const roomBase = "/room"

// located tells the war room who is at the other end of a proxy, as the console sees it.
func (s *Server) located(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, stop := context.WithCancel(r.Context())
		defer stop()
		go func() {
			select {
			case <-s.quit: // who follows a room would hold up the end of the program
				stop()
			case <-ctx.Done():
			}
		}()
		a := s.address(r)
		r = r.WithContext(ctx)
		if a.IsValid() {
			r.RemoteAddr = netip.AddrPortFrom(a, 0).String()
		}
		h.ServeHTTP(w, r)
	})
}

func (s *Server) room(v *visit) error { return s.showRoom(v, http.StatusOK, ui.Invite{}, nil) }

// showRoom shows the war room of an incident to somebody who is signed in; invite has a link that was just made, or what was typed.
func (s *Server) showRoom(v *visit, code int, invite ui.Invite, mistake error) error {
	id, err := number(v.r, "id")
	if err != nil {
		return err
	}
	view := ui.RoomView{Href: fmt.Sprintf("/incidents/%d", id), Base: roomBase, Insecure: s.insecure(v)}
	view.Phone = fmt.Sprintf("Without it, take part by telephone, and ask for incident %d.", id)
	restricted := false
	s.desk.ReadAs(v.actor, func(st *desk.State) {
		i, e := st.Incidents.Get(id)
		if err = e; err == nil {
			view.Incident, restricted = i.Title, i.Restricted()
		}
	})
	if err != nil {
		return err
	}
	view.Frame = s.frame(v, "incidents", fmt.Sprintf("War room of incident %d", id))
	view.Path = view.Href + "/room"
	view.Code, err = s.desk.RoomTicket(v.actor, v.name, id)
	switch {
	case errors.Is(err, desk.ErrNoRoom) || desk.SentOut(err):
		view.Closed = sentence(err)
	case err != nil:
		return err
	}
	if auth.May(v.actor, auth.Handle) == nil && view.Closed == "" && !restricted {
		view.Invite = invite
		view.Invite.Action = view.Path + "/invite"
		if view.Invite.Hours == nil {
			view.Invite.Hours = hours("1")
		}
	}
	if mistake != nil {
		view.Errors = mistakes(mistake)
	}
	view.Still = true // a page that was shown anew would lose the sound, or the link
	return ui.Room.Show(v.w, code, view)
}

func hours(chosen string) []ui.Option {
	return options(chosen, "1", "1 hour", "4", "4 hours", "12", "12 hours", "24", "24 hours")
}

// inviteToRoom makes a one-time link for a guest and shows it once. It is never an address of ours: its code would stand in histories.
func (s *Server) inviteToRoom(v *visit) error {
	id, err := number(v.r, "id")
	if err != nil {
		return err
	}
	name, long := text(v.r, "name"), text(v.r, "hours")
	n, _ := strconv.Atoi(long) // what is no number is refused as a time
	link, err := s.desk.RoomLink(v.actor, id, name, time.Duration(min(max(n, 0), 25))*time.Hour)
	switch {
	case errors.Is(err, desk.ErrNoRoom):
		return s.showRoom(v, http.StatusUnprocessableEntity, ui.Invite{}, nil)
	case err != nil && known(err):
		return err
	case err != nil:
		return s.showRoom(v, http.StatusUnprocessableEntity, ui.Invite{Name: name, Hours: hours(long)}, err)
	}
	return s.showRoom(v, http.StatusOK, ui.Invite{Hours: hours(long), Link: link, For: name}, nil)
}

// guestRoom is the room for who has a link. What the link opens, only the page's script and the room know.
func (s *Server) guestRoom(v *visit) error {
	view := ui.RoomView{Frame: s.frame(v, "door", "War room"), Base: roomBase, Insecure: s.insecure(v)}
	view.Path, view.Still = "/room", true
	if s.desk.RoomHandler() == nil {
		view.Closed = sentence(desk.ErrNoRoom)
	}
	return ui.Room.Show(v.w, http.StatusOK, view)
}

// insecure says why no browser gives a microphone to this page, "" when it does.
func (s *Server) insecure(v *visit) string {
	host := v.r.Host
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	a, err := netip.ParseAddr(host)
	if s.o.TLS || host == "localhost" || err == nil && a.IsLoopback() {
		return ""
	}
	return "This page came without TLS, so the browser gives it no microphone: you can listen here, and not speak. Open it by https, or as localhost on the machine itself."
}

// roomOf fills what an incident's page says of its war room.
func (s *Server) roomOf(v *visit, id int64, view *ui.IncidentView) {
	if in, is := s.desk.InRoom(id); is && auth.May(v.actor, auth.Ring) == nil {
		view.Room = "War room"
		if n := len(in); n > 0 {
			view.Room += ", " + ui.Number(int64(n)) + " in it"
		}
	}
	s.desk.ReadAs(v.actor, func(st *desk.State) {
		for _, t := range slices.Backward(st.Rooms.Tapes[id]) {
			x := ui.RoomTape{Folder: t.Folder, From: v.at(t.From), SHA256: t.SHA256, State: ui.State{Tone: "busy", Word: "is being recorded"}}
			if !t.Until.IsZero() {
				x.State, x.Says = ui.State{Tone: "good", Word: "recorded"}, s.desk.Text(t.Text)
			} else if !t.From.After(st.Started) {
				x.State, x.Says = ui.State{Tone: "bad", Word: "broken off"}, "Tocsin stopped while it ran: the files have no manifest."
			}
			view.Tapes = append(view.Tapes, x)
		}
	})
}
