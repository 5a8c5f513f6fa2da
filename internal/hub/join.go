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
	maxName   = 63 // letters of a host's name, as of a label in DNS (RFC 1035, 2.3.4)
)

// NewToken makes a token that lets one agent join within a time. With a name, the agent gets it; without, it names itself. The
// secret is in the answer and nowhere else.
func (h *Hub) NewToken(name string, valid time.Duration) (string, error) {
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
	next.Tokens = append(next.Tokens, Pending{Hash: hash[:], Name: name, Made: now.UTC(), Expires: now.Add(valid).UTC()})
	if err := h.save(next); err != nil {
		return "", fmt.Errorf("making a token: %w", err)
	}
	return t.String(), nil
}

// CheckName says whether a host may be called so: letters, digits, dots and dashes.
func CheckName(name string) error {
	ok := name != "" && len(name) <= maxName && strings.Trim(name, "-.") == name
	for _, r := range name {
		ok = ok && (r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '.' || r == '_')
	}
	if !ok {
		return fmt.Errorf("%.80q cannot name a host: use letters, digits, dots and dashes, at most %d", name, maxName)
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

const badToken = "the token is not known, was used already or has expired: ask the server for a new one"

// admit spends a token: certificate and spending are one change of the state, so a token never gives two.
func (h *Hub) admit(t record.Token, j record.JoinRequest, from string) (a record.Admission, status int, why string) {
	hash := t.Hash()
	h.mu.Lock()
	defer h.mu.Unlock()
	now := h.o.Now()
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
		return a, http.StatusConflict, fmt.Sprintf("there is an agent called %s: join under another name (--name), or revoke that one first", name)
	}
	if len(h.state.Agents) >= maxAgents {
		return a, http.StatusConflict, fmt.Sprintf("there are %d agents, and no more are taken", maxAgents)
	}
	id := newID()
	der, key, err := h.authority.admit(j.Request, id, now)
	if err != nil {
		return a, http.StatusBadRequest, err.Error()
	}
	next := h.state.clone()
	next.Tokens = slices.Delete(next.Tokens, at, at+1)
	next.Agents = append(next.Agents, Joined{ID: id, Name: name, Joined: now.UTC(), From: from, Token: hash[:], Key: key, Expires: now.Add(agentLife).UTC()})
	if err := h.save(next); err != nil {
		h.log.Error("an agent cannot join: the state of the hub cannot be kept", "err", err)
		return a, http.StatusServiceUnavailable, "the server cannot write now: try again"
	}
	return h.admission(id, name, der), http.StatusOK, ""
}

func (h *Hub) admission(id, name string, der []byte) record.Admission {
	return record.Admission{Agent: id, Name: name, Certificate: der, Ledger: h.o.Ledger, Server: h.o.Version, RenewAfter: int64((agentLife - agentLife/3) / time.Second)}
}

func newID() string {
	var b [8]byte
	rand.Read(b[:])
	return "agent-" + hex.EncodeToString(b[:])
}

// renew answers POST /agent/v1/renew: a certificate for the same agent, for the key of the request.
func (h *Hub) renew(w http.ResponseWriter, r *http.Request, me Joined) {
	var j record.JoinRequest
	b, err := body(w, r, maxJoin)
	if err == nil {
		err = json.Unmarshal(b, &j)
	}
	if err != nil {
		h.refuse(w, me.ID, http.StatusBadRequest, record.Request, "the request to renew cannot be read")
		return
	}
	now := h.o.Now()
	der, key, err := h.authority.admit(j.Request, me.ID, now)
	if err != nil {
		h.refuse(w, me.ID, http.StatusBadRequest, record.Request, err.Error())
		return
	}
	h.mu.Lock()
	next := h.state.clone()
	for i := range next.Agents {
		if next.Agents[i].ID == me.ID {
			next.Agents[i].Key, next.Agents[i].Expires = key, now.Add(agentLife).UTC()
		}
	}
	err = h.save(next)
	h.mu.Unlock()
	if err != nil {
		h.log.Error("a certificate cannot be renewed: the state of the hub cannot be kept", "agent", me.ID, "err", err)
		h.refuse(w, me.ID, http.StatusServiceUnavailable, record.Unkept, "the server cannot write now: try again")
		return
	}
	answer(w, h.admission(me.ID, me.Name, der))
}
