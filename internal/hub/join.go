package hub

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"tocsin/internal/record"
)

const (
	maxJoin   = 16 << 10 // bytes of a request to join or renew
	maxTokens = 1000
	maxAgents = 10000
	maxName   = 63             // letters of a host's name, as of a label in DNS (RFC 1035, 2.3.4)
	renewRest = 24 * time.Hour // between two keys of an agent
)

// NewToken makes a token that lets one agent join within a time. With a name, the agent gets it; without, it names itself. by is who
// makes it, for the record (Pending.By). The secret is in the answer and nowhere else.
func (h *Hub) NewToken(name, by string, valid time.Duration) (string, error) {
	if name != "" {
		if err := CheckName(name); err != nil {
			return "", err
		}
	}
	if valid < time.Minute || valid > 30*24*time.Hour {
		return "", fmt.Errorf("a token is good for a minute at least and 30 days at most, not %v", valid)
	}
	t := record.Token{Fingerprint: h.authority.fingerprint}
	rand.Read(t.Secret[:])
	hash := t.Hash()
	h.mu.Lock()
	defer h.mu.Unlock()
	now := h.o.Now()
	next := h.state.clone()
	next.Tokens = slices.DeleteFunc(next.Tokens, func(p Pending) bool { return !now.Before(p.Expires) })
	if len(next.Tokens) >= maxTokens {
		return "", fmt.Errorf("%d tokens wait to be used: wait until some have expired", maxTokens)
	}
	next.Tokens = append(next.Tokens, Pending{Hash: hash[:], Name: name, By: by, Made: now.UTC(), Expires: now.Add(valid).UTC()})
	if err := h.save(next); err != nil {
		return "", fmt.Errorf("making a token: %w", err)
	}
	return t.String(), nil
}

// CheckName says whether a host may be called so: letters, digits, dots and dashes; not as a door of the server is, as the server itself, or as an id.
func CheckName(name string) error {
	ok := name != "" && len(name) <= maxName && strings.Trim(name, "-.") == name
	for _, r := range name {
		ok = ok && (r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '.' || r == '_')
	}
	if !ok {
		return fmt.Errorf("%.80q cannot name a host: use letters, digits, dots and dashes, at most %d", name, maxName)
	}
	small := strings.ToLower(name)
	switch small {
	case "syslog", "s3", "http", "inlet", "journal", "queue", "this":
		return fmt.Errorf("a host cannot be called %s, because something on the server is: give it another name", name)
	}
	if digits, is := strings.CutPrefix(small, "agent-"); is && len(digits) == 16 && strings.Trim(digits, "0123456789abcdef") == "" {
		return fmt.Errorf("a host cannot be called %s, because ids of agents look like that: give it another name", name)
	}
	return nil
}

// join answers POST /agent/v1/join.
func (h *Hub) join(w http.ResponseWriter, r *http.Request) {
	var j record.JoinRequest
	b, err := body(w, r, maxJoin)
	if err == nil {
		err = json.Unmarshal(b, &j)
	}
	if err != nil {
		h.refuse(w, "", http.StatusBadRequest, record.Request, "the request to join cannot be read")
		return
	}
	t, err := record.ParseToken(j.Secret + "." + strings.SplitN(record.Token{Fingerprint: h.authority.fingerprint}.String(), ".", 2)[1])
	if err != nil {
		h.refuse(w, "", http.StatusForbidden, record.BadToken, badToken)
		return
	}
	a, status, why := h.admit(t, j, r.RemoteAddr)
	if status != http.StatusOK {
		reason := record.Request
		if status == http.StatusForbidden {
			reason = record.BadToken
		}
		if status >= 500 {
			reason = record.Unkept
		}
		h.refuse(w, "", status, reason, why)
		return
	}
	h.log.Info("an agent joined", "agent", a.Agent, "name", a.Name, "from", r.RemoteAddr)
	answer(w, a)
}

const badToken = "the token is not known, was used already or has expired: make a new one on the server (tocsin agents add NAME). If this host joined " +
	"with it, but does not know that, put that agent out first (tocsin agents revoke NAME)"

// admit spends a token: certificate and spending are one change of the state, so a token never gives two.
func (h *Hub) admit(t record.Token, j record.JoinRequest, from string) (a record.Admission, status int, why string) {
	hash := t.Hash()
	h.mu.Lock()
	defer h.mu.Unlock()
	now := h.o.Now()
	if a, status, why, again := h.again(hash[:], j.Request, now); again {
		return a, status, why
	}
	at := slices.IndexFunc(h.state.Tokens, func(p Pending) bool { return subtle.ConstantTimeCompare(p.Hash, hash[:]) == 1 })
	if at < 0 || !now.Before(h.state.Tokens[at].Expires) {
		return a, http.StatusForbidden, badToken
	}
	name := h.state.Tokens[at].Name
	if name == "" {
		name = j.Name
	}
	if err := CheckName(name); err != nil {
		return a, http.StatusBadRequest, err.Error()
	}
	taken := func(other Joined) bool { return strings.EqualFold(other.Name, name) && !h.o.Revoked(other.ID) }
	if slices.ContainsFunc(h.state.Agents, taken) {
		return a, http.StatusConflict, fmt.Sprintf("there is an agent called %s. If it is this host, put it out on the server (tocsin agents revoke %s) and run this again with the same token; "+
			"if not, join under another name (--name, with a token that gives none)", name, name)
	}
	if len(h.state.Agents) >= maxAgents {
		return a, http.StatusConflict, fmt.Sprintf("there are %d agents, and no more are taken", maxAgents)
	}
	id := newID()
	public, key, err := readRequest(j.Request)
	if err != nil {
		return a, http.StatusBadRequest, err.Error()
	}
	until := now.Add(agentLife).UTC()
	der, err := h.authority.admit(public, id, now, until)
	if err != nil {
		h.log.Error("an agent cannot join", "err", err)
		return a, http.StatusServiceUnavailable, "the server cannot make a certificate now: try again"
	}
	next := h.state.clone()
	spent := next.Tokens[at].Expires
	next.Tokens = slices.Delete(next.Tokens, at, at+1)
	next.Agents = append(next.Agents, Joined{ID: id, Name: name, Joined: now.UTC(), From: from, Token: hash[:], Until: spent, Key: key, Expires: until})
	if err := h.save(next); err != nil {
		h.log.Error("an agent cannot join: the state of the hub cannot be kept", "err", err)
		return a, http.StatusServiceUnavailable, "the server cannot write now: try again"
	}
	return h.admission(id, name, der), http.StatusOK, ""
}

// again answers who joined with a token and did not hear the answer: it comes with the same token and the same key, which nobody else has, and gets
// its certificate once more. Nothing is changed by that. again is false when it is not so. The lock is held.
func (h *Hub) again(hash, request []byte, now time.Time) (a record.Admission, status int, why string, again bool) {
	at := slices.IndexFunc(h.state.Agents, func(j Joined) bool { return len(j.Token) > 0 && subtle.ConstantTimeCompare(j.Token, hash) == 1 })
	if at < 0 {
		return a, 0, "", false
	}
	was := h.state.Agents[at]
	public, key, err := readRequest(request)
	if err != nil || key != was.Key || !now.Before(was.Until) || h.o.Revoked(was.ID) {
		return a, 0, "", false
	}
	der, err := h.authority.admit(public, was.ID, now, was.Expires)
	if err != nil {
		h.log.Error("an agent cannot join", "agent", was.ID, "err", err)
		return a, http.StatusServiceUnavailable, "the server cannot make a certificate now: try again", true
	}
	return h.admission(was.ID, was.Name, der), http.StatusOK, "", true
}

func (h *Hub) admission(id, name string, der []byte) record.Admission {
	return record.Admission{Agent: id, Name: name, Certificate: der, Ledger: h.o.Ledger, Server: h.o.Version, RenewAfter: int64((agentLife - agentLife/3) / time.Second)}
}

func newID() string {
	var b [8]byte
	rand.Read(b[:])
	return "agent-" + hex.EncodeToString(b[:])
}

// renew answers POST /agent/v1/renew: a certificate for the same agent, for the key of the request. From then on only that key is heard. An agent that did
// not hear the answer asks again with the certificate that it has and the same new key: who can sign with that key is the agent.
func (h *Hub) renew(w http.ResponseWriter, r *http.Request) {
	me, status, reason := h.who(r)
	if status != http.StatusOK && reason != record.Replaced {
		h.deny(w, me, status, reason)
		return
	}
	var j record.JoinRequest
	b, err := body(w, r, maxJoin)
	if err == nil {
		err = json.Unmarshal(b, &j)
	}
	if err != nil {
		h.refuse(w, me.ID, http.StatusBadRequest, record.Request, "the request to renew cannot be read")
		return
	}
	public, key, err := readRequest(j.Request)
	if err != nil {
		h.refuse(w, me.ID, http.StatusBadRequest, record.Request, err.Error())
		return
	}
	a, refused := h.next(me.ID, keyOf(r.TLS.VerifiedChains[0][0].RawSubjectPublicKeyInfo), key, public)
	if refused != nil {
		if refused.reason == record.Soon {
			w.Header().Set("Retry-After", "3600")
		}
		h.refuse(w, me.ID, refused.status, refused.reason, refused.why)
		return
	}
	h.see(me.ID, r.RemoteAddr)
	answer(w, a)
}

// next gives an agent that showed a certificate of the key has the certificate for another key.
func (h *Hub) next(id, has, key string, public any) (a record.Admission, refused *refusal) {
	h.mu.Lock()
	defer h.mu.Unlock()
	now := h.o.Now()
	next := h.state.clone()
	at := slices.IndexFunc(next.Agents, func(j Joined) bool { return j.ID == id })
	if at < 0 || h.o.Revoked(id) {
		return a, no(http.StatusForbidden, record.Revoked, sayRevoked)
	}
	me := &next.Agents[at]
	young := now.Before(me.Expires.Add(renewRest - agentLife))
	until := now.Add(agentLife).UTC()
	switch {
	case key == me.Key && (has != me.Key || young):
		until = me.Expires // it did not hear the answer: this is the same once more
	case has != me.Key:
		return a, no(http.StatusUnauthorized, record.Replaced, sayReplaced)
	case young:
		return a, no(http.StatusTooManyRequests, record.Soon, "the newest certificate is less than a day old: use it")
	}
	der, err := h.authority.admit(public, id, now, until)
	if err != nil {
		h.log.Error("a certificate cannot be renewed", "agent", id, "err", err)
		return a, no(http.StatusServiceUnavailable, record.Unkept, "the server cannot make a certificate now: try again")
	}
	if me.Key != key || !me.Expires.Equal(until) {
		me.Key, me.Expires = key, until
		if err := h.save(next); err != nil {
			h.log.Error("a certificate cannot be renewed: the state of the hub cannot be kept", "agent", id, "err", err)
			return a, no(http.StatusServiceUnavailable, record.Unkept, "the server cannot write now: try again")
		}
	}
	return h.admission(id, me.Name, der), nil
}
