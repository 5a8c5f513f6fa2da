// Package hub is the server side of the agents on other hosts: it lets them join, takes their lines, and tells them how far the ledger is.
//
// It is an authority of its own (authority.go): agents know it by the fingerprint that their token carries, and it knows them by
// certificates that it signed, over TLS 1.3 alone. Who an agent is says its certificate and nothing that it sends: the hub sets
// Batch.Agent and Line.Host. An agent can only add lines to its own; it can read nothing but the newest head of the ledger and its own
// receipts. Whether it was revoked is asked at every request, and again before its lines are kept, so a revocation holds at once, on
// open connections too.
//
// Batches of an agent come in strict order: the next number of the same boot, or number 1 of a new one. The last that was kept is written
// down as the position of a file "queue:" in the same block of the archive as its lines (Print is its boot and hash, Offset
// its number), so the hub itself keeps nothing and knows after a crash exactly what it acknowledged.
//
// Memory is bounded: what all requests together hold in batches stays below Options.InFlight. Of it one half is for requests as they come:
// who finds no room there is told to come again (429, Retry-After). The other is for batches that are unpacked and kept, which wait for
// their turn. Everything refused is counted by agent and reason.
package hub

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/klauspost/compress/zstd"

	"tocsin/internal/entry"
	"tocsin/internal/record"
)

// Options are what a hub needs of the program around it. CA, Append, Positions and Save are needed.
type Options struct {
	Log *slog.Logger
	// CA is what NewCA gave: keep it in a file of mode 0600, and a copy of it with the other keys.
	CA []byte
	// State is what Save was last given. Save must have made it durable when it returns; what it fails on is not done. It is called
	// when a token is made, and when an agent joins or renews.
	State State
	Save  func(State) error
	// Append makes a batch durable before it returns.
	Append func(record.Batch) (record.Receipt, error)
	// Positions says how far each file of an agent was archived (archive.Positions).
	Positions func(agent string) map[string]record.Position
	// Revoked reports whether an agent is not to be heard any more; nil is never. It is asked at every request.
	Revoked func(agent string) bool
	// Head returns the newest signed head of the ledger and the proof that it extends the one of so many entries, which an agent has
	// (ledger.Prove); 0 needs none. Nil, and an empty Ledger, is no ledger. Ledger is its public key as text.
	Head   func(from int64) (signed []byte, proof entry.Proof, err error)
	Ledger string

	Version  string
	InFlight int64            // bytes of batches that all requests together may hold; 0 is 64 MiB
	Now      func() time.Time // nil is time.Now
}

// A Hub is open. All its methods may be called at the same time.
type Hub struct {
	o         Options
	log       *slog.Logger
	authority *authority
	open      *zstd.Decoder
	room      *room // for what comes in
	desk      *room // for what is being unpacked and kept

	mu     sync.Mutex
	state  State
	lives  map[string]*live
	counts map[Count]int64
	busy   map[string]bool // agents of which a batch is being taken
}

// State is what must outlive the program.
type State struct {
	Tokens []Pending `json:"tokens,omitempty"`
	Agents []Joined  `json:"agents,omitempty"`
}

// A Pending token was given out and not used yet.
type Pending struct {
	Hash    []byte    `json:"hash"` // SHA-256 of its secret
	Name    string    `json:"name,omitempty"`
	Made    time.Time `json:"made"`
	Expires time.Time `json:"expires"`
}

// A Joined agent has, or had, a certificate.
type Joined struct {
	ID      string    `json:"id"`
	Name    string    `json:"name"` // Line.Host of its lines
	Joined  time.Time `json:"joined"`
	From    string    `json:"from"`    // address from which it joined
	Token   []byte    `json:"token"`   // Pending.Hash of the one that it spent
	Key     string    `json:"key"`     // SHA-256 of its public key (PKIX, DER), hex
	Expires time.Time `json:"expires"` // of its newest certificate
}

// An Agent is what is known of one, for screens. What is not in Joined is since this start of the program.
type Agent struct {
	Joined
	Revoked bool
	Seen    time.Time // last request that counted; zero when there was none
	Address string    // from which it came
	Newest  record.SentReceipt
	Lines   int64
	Batches int64
	Host    record.Host // its own words: hostile text
	HostAt  time.Time   // when they came
}

// A Count is one kind of refusal. Agent is "" when nobody proved who it was.
type Count struct {
	Agent  string
	Reason record.Reason
}

// live is what the hub knows of an agent since its start.
type live struct {
	seen    time.Time
	address string
	host    record.Host
	hostAt  time.Time
	lines   int64
	batches int64

	// Of the request that has the agent (Hub.busy):
	known  bool // newest and files were asked for
	newest record.SentReceipt
	boots  []string // before the newest, at most keptBoots
	files  map[[8]byte]bool
	names  int // bytes of their names
}

// New makes a hub.
func New(o Options) (*Hub, error) {
	if o.Append == nil || o.Positions == nil || o.Save == nil {
		return nil, errors.New("making the hub: Append, Positions and Save are needed")
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.InFlight <= 0 {
		o.InFlight = 64 << 20
	}
	if o.Revoked == nil {
		o.Revoked = func(string) bool { return false }
	}
	a, err := readAuthority(o.CA)
	if err != nil {
		return nil, err
	}
	open, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(2), zstd.WithDecoderMaxMemory(record.MaxSentPlain), zstd.WithDecoderLowmem(true))
	if err != nil {
		return nil, fmt.Errorf("making the hub: %w", err)
	}
	return &Hub{
		o: o, log: o.Log, authority: a, open: open, room: newRoom(o.InFlight / 2), desk: newRoom(o.InFlight / 2), state: o.State.clone(),
		lives: map[string]*live{}, counts: map[Count]int64{}, busy: map[string]bool{},
	}, nil
}

func (s State) clone() State {
	return State{Tokens: slices.Clone(s.Tokens), Agents: slices.Clone(s.Agents)}
}

// Serve answers agents on l until ctx ends, and gives requests under way ten seconds then. It speaks TLS 1.3 and nothing else.
func (h *Hub) Serve(ctx context.Context, l net.Listener) error {
	s := &http.Server{
		Handler: h.Handler(), TLSConfig: h.TLS(), ReadHeaderTimeout: 10 * time.Second, ReadTimeout: time.Minute, WriteTimeout: 2 * time.Minute,
		IdleTimeout: 3 * time.Minute, MaxHeaderBytes: 16 << 10, ErrorLog: slog.NewLogLogger(h.log.Handler(), slog.LevelDebug),
		BaseContext: func(net.Listener) context.Context { return context.WithoutCancel(ctx) },
	}
	ended := make(chan error, 1)
	go func() { ended <- s.ServeTLS(l, "", "") }()
	select {
	case err := <-ended:
		return fmt.Errorf("listening for agents: %w", err)
	case <-ctx.Done():
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	err := s.Shutdown(last)
	if err != nil {
		err = s.Close()
	}
	<-ended
	return err
}

// TLS is how agents are to be spoken to.
func (h *Hub) TLS() *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS13,
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
			return h.authority.server(h.o.Now())
		},
		ClientAuth:             tls.VerifyClientCertIfGiven, // who joins has none; every other request asks for it
		ClientCAs:              h.authority.pool(),
		Time:                   h.o.Now,
		SessionTicketsDisabled: true,
		NextProtos:             []string{"h2", "http/1.1"},
	}
}

// Counts are the refusals since the start of the program.
func (h *Hub) Counts() map[Count]int64 {
	h.mu.Lock()
	defer h.mu.Unlock()
	return maps.Clone(h.counts)
}

// Fingerprint is what tokens carry: the SHA-256 of the authority's certificate.
func (h *Hub) Fingerprint() [32]byte { return h.authority.fingerprint }

// Agents are all that ever joined, by name.
func (h *Hub) Agents() []Agent {
	h.mu.Lock()
	all := make([]Agent, 0, len(h.state.Agents))
	for _, j := range h.state.Agents {
		a := Agent{Joined: j}
		if l := h.lives[j.ID]; l != nil {
			a.Seen, a.Address, a.Host, a.HostAt, a.Lines, a.Batches, a.Newest = l.seen, l.address, l.host, l.hostAt, l.lines, l.batches, l.newest
		}
		all = append(all, a)
	}
	h.mu.Unlock()
	for i := range all {
		all[i].Revoked = h.o.Revoked(all[i].ID)
	}
	slices.SortFunc(all, func(a, b Agent) int { return strings.Compare(a.Name+"\x00"+a.ID, b.Name+"\x00"+b.ID) })
	return all
}

// Tokens are those that may still be used.
func (h *Hub) Tokens() []Pending {
	h.mu.Lock()
	defer h.mu.Unlock()
	now := h.o.Now()
	return slices.DeleteFunc(slices.Clone(h.state.Tokens), func(p Pending) bool { return !now.Before(p.Expires) })
}

// save makes a change of the state durable, or does not make it. The lock is held.
func (h *Hub) save(next State) error {
	if err := h.o.Save(next.clone()); err != nil {
		return err
	}
	h.state = next
	return nil
}

// room is bytes that requests may hold together.
type room struct {
	mu    sync.Mutex
	used  int64
	most  int64
	freed chan struct{} // closed and replaced when bytes came back
}

func newRoom(most int64) *room { return &room{most: most, freed: make(chan struct{})} }

// wait reserves bytes as soon as there is room, or says after a while that there is none.
func (r *room) wait(ctx context.Context, n int64) bool {
	ctx, cancel := context.WithTimeout(ctx, waitRoom)
	defer cancel()
	for {
		r.mu.Lock()
		turn := r.freed
		fits := r.used+n <= r.most || r.used == 0
		if fits {
			r.used += n
		}
		r.mu.Unlock()
		if fits {
			return true
		}
		select {
		case <-ctx.Done():
			return false
		case <-turn:
		}
	}
}

// take reserves bytes, or says that there is no room now.
func (r *room) take(n int64) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.used+n > r.most {
		return false
	}
	r.used += n
	return true
}

func (r *room) give(n int64) {
	r.mu.Lock()
	r.used -= n
	close(r.freed)
	r.freed = make(chan struct{})
	r.mu.Unlock()
}

// body reads what a request carries, at most so many bytes.
func body(w http.ResponseWriter, r *http.Request, most int64) ([]byte, error) {
	b, err := io.ReadAll(http.MaxBytesReader(w, r.Body, most))
	if err != nil {
		return nil, fmt.Errorf("reading the request: %w", err)
	}
	return b, nil
}
