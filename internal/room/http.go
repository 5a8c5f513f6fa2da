package room

import (
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

const (
	largestBody = 64 << 10
	beat        = 5 * time.Second // between two signs of life, each way
	streams     = 3               // of changes to one seat at once
)

// Handler serves what the page's script asks for; mount it behind http.StripPrefix, as /room. Bodies are JSON of 64 KB at most. All but join want the
// secret of a seat as "Authorization: Bearer ...". What goes wrong is {"says": "a sentence", "after": seconds} with a status of 4xx or 5xx.
//
//	POST /join    {"code","secret"}     -> {"seat","secret","beat"}   secret: of an earlier join from the same window, or ""
//	POST /offer   {"sdp","anew"}        -> {"sdp"}                    anew: a new connection; else ICE is restarted
//	POST /alive                         -> 204                        every beat seconds, or the seat is given up after Silence
//	POST /mute    {"seat","muted"}      -> 204                        another's seat: hosts only
//	POST /leave, POST /end              -> 204                        end: hosts only
//	POST /remove  {"seat"}              -> 204                        hosts only
//	POST /record  {"on"}                -> 204                        hosts only
//	GET  /changes                       -> text/event-stream: "room" with a View at first and after each change, "gone" with {"says"} at the end
func (rs *Rooms) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /join", rs.join)
	mux.HandleFunc("POST /offer", post(rs, func(r *http.Request, s *seat, ask struct {
		SDP  string
		Anew bool
	}) (any, error) {
		answer, err := s.connect(r.Context(), ask.SDP, ask.Anew)
		return map[string]string{"sdp": answer}, err
	}))
	mux.HandleFunc("POST /alive", post(rs, func(*http.Request, *seat, struct{}) (any, error) { return nil, nil }))
	mux.HandleFunc("POST /mute", post(rs, func(_ *http.Request, s *seat, ask struct {
		Seat  int
		Muted bool
	}) (any, error) {
		return nil, s.mute(ask.Seat, ask.Muted)
	}))
	mux.HandleFunc("POST /leave", post(rs, func(_ *http.Request, s *seat, _ struct{}) (any, error) {
		s.room.leave(s, doer{}, "left", "")
		return nil, nil
	}))
	mux.HandleFunc("POST /end", post(rs, func(_ *http.Request, s *seat, _ struct{}) (any, error) { return nil, s.endRoom() }))
	mux.HandleFunc("POST /remove", post(rs, func(_ *http.Request, s *seat, ask struct{ Seat int }) (any, error) { return nil, s.remove(ask.Seat) }))
	mux.HandleFunc("POST /record", post(rs, func(_ *http.Request, s *seat, ask struct{ On bool }) (any, error) { return nil, s.record(ask.On) }))
	mux.HandleFunc("GET /changes", rs.changes)
	return mux
}

// post reads a body, finds the seat, and answers: the one way of everything that a seat asks for.
func post[T any](rs *Rooms, do func(*http.Request, *seat, T) (any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var ask T
		s, err := rs.bearer(r)
		if err == nil {
			err = body(w, r, &ask)
		}
		var answer any
		if err == nil {
			s.alive.Store(time.Now().UnixNano())
			answer, err = do(r, s, ask)
		}
		rs.reply(w, answer, err)
	}
}

// bearer returns the seat whose secret the request carries (RFC 6750).
func (rs *Rooms) bearer(r *http.Request) (*seat, error) {
	scheme, secret, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") || len(secret) > 100 {
		secret = ""
	}
	return rs.find(secret)
}

// body reads JSON; an empty body is an empty object.
func body(w http.ResponseWriter, r *http.Request, into any) error {
	if r.ContentLength == 0 {
		return nil
	}
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
		return Refusal{Status: http.StatusUnsupportedMediaType, Says: "This takes application/json."}
	}
	err := json.NewDecoder(http.MaxBytesReader(w, r.Body, largestBody)).Decode(into)
	if _, big := errors.AsType[*http.MaxBytesError](err); big {
		return Refusal{Status: http.StatusRequestEntityTooLarge, Says: "This takes 64 KB at most."}
	}
	if err != nil {
		return Refusal{Status: http.StatusBadRequest, Says: "This is not the JSON that is wanted here."}
	}
	return nil
}

// reply writes what came of it.
func (rs *Rooms) reply(w http.ResponseWriter, answer any, err error) {
	status := http.StatusOK
	if err != nil {
		refusal, ok := errors.AsType[Refusal](err)
		if !ok {
			rs.o.Log.Error("The war room failed.", "error", err)
			refusal = Refusal{Status: http.StatusInternalServerError, Says: "The war room failed; the server's log says why. Try again.", After: time.Second}
		}
		status = refusal.Status
		wait := int((refusal.After + time.Second - 1) / time.Second)
		if wait > 0 {
			w.Header().Set("Retry-After", strconv.Itoa(wait))
		}
		answer = map[string]any{"says": refusal.Says, "after": wait}
	}
	if answer == nil {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(answer) // an error is a browser that went away
}

// join takes a seat. Wrong codes are counted by network, and after ten in a minute no code from there is looked at for a while.
func (rs *Rooms) join(w http.ResponseWriter, r *http.Request) {
	var ask struct{ Code, Secret string }
	err := body(w, r, &ask)
	if err != nil {
		rs.reply(w, nil, err)
		return
	}
	from := rs.address(r)
	if wait := rs.tries.wait(from, time.Now()); wait > 0 {
		rs.reply(w, nil, Refusal{Status: http.StatusTooManyRequests, Says: fmt.Sprintf("Too many wrong codes came from your network. Try again in %d s.", int(wait.Seconds())+1), After: wait})
		return
	}
	number, secret, err := rs.Enter(ask.Code, ask.Secret)
	if errors.Is(err, errCode) {
		rs.tries.failed(from, time.Now())
	}
	rs.reply(w, map[string]any{"seat": number, "secret": secret, "beat": beat.Seconds()}, err)
}

func (rs *Rooms) address(r *http.Request) netip.Addr {
	if rs.o.Address != nil {
		return rs.o.Address(r)
	}
	p, _ := netip.ParseAddrPort(r.RemoteAddr) // the zero address counts as a network too
	return p.Addr()
}

// changes tells a page what it shows, as long as it listens.
func (rs *Rooms) changes(w http.ResponseWriter, r *http.Request) {
	s, err := rs.bearer(r)
	if err == nil {
		err = s.stream(1)
	}
	if err != nil {
		rs.reply(w, nil, err)
		return
	}
	defer s.stream(-1)
	c := http.NewResponseController(w)
	_ = c.SetReadDeadline(time.Time{}) // the request has come; the server's limit of it would end the answer
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Accel-Buffering", "no") // of proxies
	send := func(format string, args ...any) bool {
		c.SetWriteDeadline(time.Now().Add(2 * beat)) // who reads no more is gone; a writer without deadlines has the server's
		_, err := fmt.Fprintf(w, format, args...)
		return err == nil && c.Flush() == nil
	}
	t := time.NewTicker(beat)
	defer t.Stop()
	for ok := rs.show(s, send); ok; {
		select {
		case <-s.changed:
			ok = rs.show(s, send)
		case <-s.gone:
			rs.show(s, send)
			return
		case <-t.C:
			ok = send(":\n\n")
		case <-r.Context().Done():
			return
		}
	}
}

// show sends what the page shows now. False: there is nothing more to come.
func (rs *Rooms) show(s *seat, send func(string, ...any) bool) bool {
	kind, value := "room", any(nil)
	v, why, here := s.view()
	if value = v; !here {
		kind, value = "gone", map[string]string{"says": why}
	}
	b, err := json.Marshal(value)
	if err != nil {
		rs.o.Log.Error("The war room cannot word its state.", "error", err)
		return false
	}
	return send("event: %s\ndata: %s\n\n", kind, b) && here
}

// stream counts the streams of a seat.
func (s *seat) stream(by int) error {
	s.room.mu.Lock()
	defer s.room.mu.Unlock()
	if by > 0 && s.streams >= streams {
		return Refusal{Status: http.StatusTooManyRequests, Says: "This page is followed too often already.", After: beat}
	}
	s.streams += by
	return nil
}
