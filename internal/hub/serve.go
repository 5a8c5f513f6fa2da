package hub

import (
	"bytes"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"time"

	"tocsin/internal/record"
)

// Handler answers agents. It must be served by the settings of TLS: Serve does it, or a server that has others to serve as well.
func (h *Hub) Handler() http.Handler {
	m := http.NewServeMux()
	m.HandleFunc("POST /agent/v1/join", h.join)
	m.HandleFunc("POST /agent/v1/renew", h.renew)
	m.HandleFunc("POST /agent/v1/batches", h.known(h.batches))
	m.HandleFunc("GET /agent/v1/receipts", h.known(h.receipts))
	m.HandleFunc("POST /agent/v1/state", h.known(h.hostState))
	m.HandleFunc("GET /agent/v1/time", h.known(h.time))
	m.HandleFunc("GET /agent/v1/head", h.known(h.head))
	return m
}

// who returns the agent that the certificate of a request names, if it may be heard now. Only a certificate of its newest key is good: an older one, which
// somebody may have copied, ends when the next is given out.
func (h *Hub) who(r *http.Request) (Joined, int, record.Reason) {
	if r.TLS == nil || len(r.TLS.VerifiedChains) == 0 || len(r.TLS.VerifiedChains[0]) == 0 {
		return Joined{}, http.StatusUnauthorized, record.Unknown
	}
	c := r.TLS.VerifiedChains[0][0]
	now := h.o.Now()
	if now.After(c.NotAfter) || now.Before(c.NotBefore) { // the connection may be older than that
		return Joined{}, http.StatusUnauthorized, record.Unknown
	}
	id := c.Subject.CommonName
	h.mu.Lock()
	at := slices.IndexFunc(h.state.Agents, func(j Joined) bool { return j.ID == id })
	var me Joined
	if at >= 0 {
		me = h.state.Agents[at]
	}
	h.mu.Unlock()
	switch {
	case at < 0:
		return Joined{}, http.StatusUnauthorized, record.Unknown
	case h.o.Revoked(id):
		return Joined{ID: id}, http.StatusForbidden, record.Revoked
	case keyOf(c.RawSubjectPublicKeyInfo) != me.Key:
		return Joined{ID: id}, http.StatusUnauthorized, record.Replaced
	}
	return me, http.StatusOK, ""
}

const (
	sayRevoked  = "this agent was revoked: it has to join again, with a new token"
	sayUnknown  = "no valid certificate of an agent of this server: join first"
	sayReplaced = "this certificate was replaced by a newer one. If this host was brought back from a copy, revoke the agent and join again with a new token; " +
		"if not, somebody else has its key: revoke the agent now"
)

// deny refuses whom who does not let in.
func (h *Hub) deny(w http.ResponseWriter, me Joined, status int, reason record.Reason) {
	h.refuse(w, me.ID, status, reason, notHeard(reason))
}

// notHeard says in a sentence why who does not let somebody in.
func notHeard(reason record.Reason) string {
	switch reason {
	case record.Revoked:
		return sayRevoked
	case record.Replaced:
		return sayReplaced
	}
	return sayUnknown
}

// known asks for the certificate of an agent that may be heard.
func (h *Hub) known(next func(http.ResponseWriter, *http.Request, Joined)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		me, status, reason := h.who(r)
		if status != http.StatusOK {
			h.deny(w, me, status, reason)
			return
		}
		h.see(me.ID, r.RemoteAddr)
		defer h.see(me.ID, r.RemoteAddr) // a long upload is no silence
		next(w, r, me)
	}
}

// see notes that an agent was heard.
func (h *Hub) see(id, address string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	l := h.live(id)
	l.seen, l.address = h.o.Now(), address
}

// live returns what is known of an agent since the start. The lock is held.
func (h *Hub) live(id string) *live {
	l := h.lives[id]
	if l == nil {
		l = &live{}
		h.lives[id] = l
	}
	return l
}

// refuse counts and answers. Who is unknown gets no detail that is not for everybody.
func (h *Hub) refuse(w http.ResponseWriter, id string, status int, reason record.Reason, why string) {
	h.count(id, reason)
	if id == "" {
		w.Header().Set("Connection", "close") // who is not known holds no connection
	}
	if again := status == http.StatusTooManyRequests || status == http.StatusServiceUnavailable; again && w.Header().Get("Retry-After") == "" {
		w.Header().Set("Retry-After", "2")
	}
	write(w, status, record.Receipts{Refused: reason, Why: why})
}

func (h *Hub) count(id string, reason record.Reason) {
	h.mu.Lock()
	h.counts[Count{id, reason}]++
	h.mu.Unlock()
	h.log.Debug("refused", "agent", id, "reason", reason)
}

func answer(w http.ResponseWriter, v any) { write(w, http.StatusOK, v) }

func write(w http.ResponseWriter, status int, v any) {
	var b bytes.Buffer
	if err := json.NewEncoder(&b).Encode(v); err != nil {
		status = http.StatusInternalServerError
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Content-Length", strconv.Itoa(b.Len()))
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes()) // who does not read it asks again
}

// receipts answers GET /agent/v1/receipts: the newest batch that is kept of this agent, if there is one.
func (h *Hub) receipts(w http.ResponseWriter, r *http.Request, me Joined) {
	if !h.hold(me.ID) {
		h.refuse(w, me.ID, http.StatusTooManyRequests, record.Busy, "a request of this agent is still being answered")
		return
	}
	defer h.release(me.ID)
	l := h.recall(me.ID)
	var a record.Receipts
	if l.newest.Number > 0 {
		newest := l.newest
		a.Newest = &newest
	}
	answer(w, a)
}

// hostState answers POST /agent/v1/state: what an agent says of its host, kept for screens.
func (h *Hub) hostState(w http.ResponseWriter, r *http.Request, me Joined) {
	one := "state of " + me.ID // beside its batches: a slow one holds up neither them nor, more than once, our room
	if !h.hold(one) {
		h.refuse(w, me.ID, http.StatusTooManyRequests, record.Busy, "a state of this host is still being read")
		return
	}
	defer h.release(one)
	size := min(r.ContentLength, maxState)
	if size < 0 {
		size = maxState
	}
	if !h.room.take(size) {
		h.refuse(w, me.ID, http.StatusTooManyRequests, record.Busy, "the server has no room now")
		return
	}
	defer h.room.give(size)
	b, err := body(w, r, maxState)
	var host record.Host
	if err == nil {
		host, err = readHost(b, h.o.Now())
	}
	if err != nil {
		h.refuse(w, me.ID, http.StatusBadRequest, record.Request, "what the agent says of its host cannot be read")
		return
	}
	if _, status, reason := h.who(r); status != http.StatusOK {
		h.deny(w, me, status, reason)
		return
	}
	h.mu.Lock()
	l := h.live(me.ID)
	l.host, l.hostAt = host, h.o.Now()
	h.mu.Unlock()
	answer(w, struct{}{})
}

// time answers GET /agent/v1/time, so that an agent can measure its clock.
func (h *Hub) time(w http.ResponseWriter, r *http.Request, me Joined) {
	answer(w, struct {
		Now time.Time `json:"now"`
	}{h.o.Now().UTC()})
}

// head answers GET /agent/v1/head?from=N.
func (h *Hub) head(w http.ResponseWriter, r *http.Request, me Joined) {
	from, err := strconv.ParseInt(r.URL.Query().Get("from"), 10, 64)
	if err != nil || from < 0 {
		h.refuse(w, me.ID, http.StatusBadRequest, record.Request, "from must be the number of entries of the head that the agent has")
		return
	}
	if h.o.Head == nil {
		answer(w, record.SignedHead{})
		return
	}
	signed, proof, err := h.o.Head(from)
	if err != nil { // a ledger shorter than that: the agent shall see its head, and judge
		if signed, proof, err = h.o.Head(0); err != nil {
			h.log.Error("an agent gets no head of the ledger", "agent", me.ID, "err", err)
			h.refuse(w, me.ID, http.StatusServiceUnavailable, record.Unkept, "the server's ledger cannot be read now")
			return
		}
	}
	s := record.SignedHead{Head: string(signed)}
	for _, p := range proof {
		s.Proof = append(s.Proof, p[:])
	}
	answer(w, s)
}
