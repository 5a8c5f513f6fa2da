package inlet

import (
	"cmp"
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"tocsin/internal/record"
)

// The doors of HTTP, and where they are.
const (
	httpLines = "http:lines"
	httpJSON  = "http:json"
	httpOTLP  = "http:otlp"
)

// A Token lets one source in. The token itself is known to the source alone.
type Token struct {
	Name  string            // of the source; letters, digits, dots, - and _
	Hash  [sha256.Size]byte // TokenHash of the token
	Doors []string          // "lines", "json", "otlp"; none is all of them
	Host  string            // for Line.Host; "" is Name
}

// TokenHash returns what is kept of a token. A token is chance of at least 128 bits, so it needs no salt and no slow hash.
func TokenHash(token string) [sha256.Size]byte { return sha256.Sum256([]byte(token)) }

// HTTPOptions say who may send by HTTP. Append and one token are needed.
type HTTPOptions struct {
	Append func(record.Batch) (record.Receipt, error) // must be durable when it returns
	Agent  string                                     // for Batch.Agent; "" is this program
	Tokens []Token

	MaxBody  int64         // bytes of a request, as sent and unpacked; 0 is 8 MiB
	MaxLines int           // of a request; 0 is 50,000
	Requests int           // taken in at the same time; 0 is 8. More are answered 429
	BodyTime time.Duration // in which a body must have come; 0 is 60 s
}

// busyTime is how long a request waits for others before it is told to come again.
const busyTime = 2 * time.Second

// maxBatch is how many bytes the lines of a request may have: OTLP names its resource once, and its lines each.
const maxBatch = 24 << 20

// An HTTP is the doors of HTTP. It is an http.Handler of /in/lines, /in/json and /v1/logs, to be mounted where TLS is, and as it is for
// all paths: others are answered 404.
type HTTP struct {
	log     *slog.Logger
	o       HTTPOptions
	send    *sender
	tallies map[string]*tally
	busy    chan struct{}
	keys    keys

	mu     sync.Mutex
	closed bool
	open   sync.WaitGroup
}

// NewHTTP makes the doors. Errors say which setting is wrong and how to mend it.
func NewHTTP(log *slog.Logger, o HTTPOptions) (*HTTP, error) {
	o.MaxBody = cmp.Or(max(o.MaxBody, 0), 8<<20)
	o.MaxLines = cmp.Or(max(o.MaxLines, 0), 50_000)
	o.Requests = cmp.Or(max(o.Requests, 0), 8)
	o.BodyTime = cmp.Or(max(o.BodyTime, 0), time.Minute)
	switch {
	case o.Append == nil:
		return nil, errors.New("taking lines by HTTP: there is nowhere to put them")
	case len(o.Tokens) == 0:
		return nil, errors.New("taking lines by HTTP: nobody may send; make a token for each source")
	case o.MaxBody > maxBatch:
		return nil, fmt.Errorf("taking lines by HTTP: a request may have %d bytes at most", maxBatch)
	case o.MaxLines > 100_000:
		return nil, errors.New("taking lines by HTTP: a request may have 100000 lines at most")
	}
	names := map[string]bool{}
	for _, t := range o.Tokens {
		if !plainName(t.Name) || t.Host != "" && !plainName(t.Host) {
			return nil, fmt.Errorf("a token has the name %q and the host %q: use letters, digits, dots, - and _", t.Name, t.Host)
		}
		if names[t.Name] {
			return nil, fmt.Errorf("two tokens have the name %q: give each source its own", t.Name)
		}
		names[t.Name] = true
		for _, d := range t.Doors {
			if d != "lines" && d != "json" && d != "otlp" {
				return nil, fmt.Errorf("the token of %q names the door %q: there are lines, json and otlp", t.Name, d)
			}
		}
	}
	h := &HTTP{log: log, o: o, send: newSender(o.Append, o.Agent), tallies: map[string]*tally{}, busy: make(chan struct{}, o.Requests)}
	for _, door := range []string{httpLines, httpJSON, httpOTLP} {
		h.tallies[door] = newTally(log, door)
	}
	return h, nil
}

// Counts returns what came through each door. It may be called at any time.
func (h *HTTP) Counts() []Count {
	return []Count{h.tallies[httpLines].read(), h.tallies[httpJSON].read(), h.tallies[httpOTLP].read()}
}

// Run waits until ctx ends, then refuses new requests with 503 and returns when those under way are answered. It returns nil.
func (h *HTTP) Run(ctx context.Context) error {
	<-ctx.Done()
	h.mu.Lock()
	h.closed = true
	h.mu.Unlock()
	h.open.Wait()
	return nil
}

// begin counts a request in, unless the doors are closed.
func (h *HTTP) begin() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.closed {
		h.open.Add(1)
	}
	return !h.closed
}

// A refusal is an answer that is no 200.
type refusal struct {
	status int
	reason Reason
	says   string
	retry  time.Duration // after which to try again; 0 says nothing of it
}

func (r *refusal) Error() string { return r.says }

func refuse(status int, reason Reason, format string, args ...any) *refusal {
	return &refusal{status: status, reason: reason, says: fmt.Sprintf(format, args...)}
}

// ServeHTTP implements http.Handler.
func (h *HTTP) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	door := map[string]string{"/in/lines": httpLines, "/in/json": httpJSON, "/v1/logs": httpOTLP}[r.URL.Path]
	if door == "" {
		http.NotFound(w, r)
		return
	}
	t := h.tallies[door]
	answer := plainAnswer(w)
	if door == httpOTLP {
		answer = otlpAnswer(w, r)
	}
	name, n, rejected, err := h.take(t, w, r)
	if err == nil {
		if rejected.count > 0 {
			t.refuse(RejectedRecord, rejected.count, name, rejected.says)
		}
		answer.kept(n, rejected)
		return
	}
	refused, ok := errors.AsType[*refusal](err)
	if !ok {
		refused = refuse(http.StatusInternalServerError, NotKept, "%v", err)
	}
	t.refuse(refused.reason, 1, cmp.Or(name, r.RemoteAddr), refused.says)
	if refused.retry > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(max(refused.retry/time.Second, 1))))
	}
	if refused.status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", `Bearer realm="tocsin"`)
	}
	answer.refused(refused)
}

// take does all that comes before the answer: it returns the source's name, how many lines are kept, and what of them was rejected.
func (h *HTTP) take(t *tally, w http.ResponseWriter, r *http.Request) (name string, n int, rejected rejection, err error) {
	if !h.begin() {
		return "", 0, rejected, &refusal{http.StatusServiceUnavailable, NotKept, "The program is stopping; send this again in a moment.", 5 * time.Second}
	}
	defer h.open.Done()
	defer t.enter()()
	token, err := h.who(t.count.Door, r)
	if err != nil {
		return "", 0, rejected, err
	}
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		return token.Name, 0, rejected, refuse(http.StatusMethodNotAllowed, BadRequest, "Lines come in by POST.")
	}
	select {
	case h.busy <- struct{}{}:
		defer func() { <-h.busy }()
	case <-time.After(busyTime):
		return token.Name, 0, rejected, &refusal{http.StatusTooManyRequests, TooMany, fmt.Sprintf("%d requests are being taken in already; send this again in a moment.", h.o.Requests), time.Second}
	}
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(h.o.BodyTime)) // a writer that cannot has a server that does
	body, err := unpack(w, r, h.o.MaxBody)
	if err != nil {
		return token.Name, 0, rejected, err
	}
	var pieces []piece
	switch t.count.Door {
	case httpLines:
		pieces, err = linesOf(body, h.o.MaxLines)
	case httpJSON:
		pieces, err = objectsOf(body, h.o.MaxLines)
	case httpOTLP:
		pieces, rejected, err = otlpOf(body, r.Header.Get("Content-Type"), h.o.MaxLines)
	}
	if err != nil {
		return token.Name, 0, rejected, err
	}
	file, err := fileOf(t.count.Door, r)
	if err != nil {
		return token.Name, 0, rejected, err
	}
	return token.Name, len(pieces), rejected, h.keep(t, r, token, file, body, pieces)
}

// who finds the token of a request. Every hash is compared, so that time tells nothing.
func (h *HTTP) who(door string, r *http.Request) (*Token, error) {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") || token == "" {
		return nil, refuse(http.StatusUnauthorized, NoToken, "The request has no token: send the header Authorization: Bearer TOKEN.")
	}
	hash := TokenHash(strings.TrimSpace(token))
	var found *Token
	for i := range h.o.Tokens {
		if subtle.ConstantTimeCompare(hash[:], h.o.Tokens[i].Hash[:]) == 1 {
			found = &h.o.Tokens[i]
		}
	}
	switch {
	case found == nil:
		return nil, refuse(http.StatusUnauthorized, BadToken, "The token is not known here: it was taken back, or not copied whole.")
	case len(found.Doors) > 0 && !slices.Contains(found.Doors, strings.TrimPrefix(door, "http:")):
		return found, refuse(http.StatusForbidden, WrongDoor, "The token of %s is for %s alone.", found.Name, strings.Join(found.Doors, ", "))
	}
	return found, nil
}

// fileOf names the log that the lines are of, for Line.File: the query's log, so that logs of one source stay apart.
func fileOf(door string, r *http.Request) (string, error) {
	log := r.URL.Query().Get("log")
	switch {
	case log == "":
		return door, nil
	case len(log) > 64 || !plainName(log):
		return "", refuse(http.StatusBadRequest, BadRequest, "%.80q is no name of a log: use up to 64 letters, digits, dots, - and _.", log)
	}
	return door + "/" + log, nil
}

// keep appends a request as one batch.
func (h *HTTP) keep(t *tally, r *http.Request, token *Token, file string, body []byte, pieces []piece) error {
	if len(pieces) == 0 {
		return nil
	}
	b := record.Batch{Agent: h.send.agent, Boot: h.send.boot, Received: time.Now(), Lines: make([]record.Line, len(pieces))}
	var cut int64
	host := cmp.Or(token.Host, token.Name)
	for i, p := range pieces {
		b.Lines[i] = record.Line{Host: host, File: file, Offset: p.start, Raw: p.raw}
		if p.cut {
			cut++
		}
	}
	key, err := keyOf(r, token.Name+" "+file, body)
	switch {
	case err != nil:
		return err
	case key.text == "":
		b.Number = h.send.number.Add(1)
	default:
		b.Agent, b.Boot, b.Number = strings.TrimPrefix(h.send.agent+"/http/"+token.Name, "/"), key.boot, key.number
		if before, err := h.keys.known(key); before || err != nil {
			return err
		}
	}
	_, err = h.o.Append(b)
	t.stuck(err)
	if err != nil {
		h.log.Debug("a request was not kept", "door", t.count.Door, "err", err)
		return &refusal{http.StatusServiceUnavailable, NotKept, "The lines cannot be kept now; send them again in a moment.", 5 * time.Second}
	}
	h.keys.add(key)
	t.kept(b.Lines, cut)
	return nil
}

// slow reports whether a body did not come in time.
func slow(err error) bool { return errors.Is(err, os.ErrDeadlineExceeded) }
