package hub

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"tocsin/internal/record"
)

const (
	queueFile  = "queue:"                    // the position that says which batch was kept last
	maxBatches = record.MaxSentPlain + 1<<20 // bytes of a request
	maxFrames  = 1024                        // in one request
	maxFiles   = 10000                       // that an agent may name
	maxNames   = 4 << 20                     // bytes of their names
	keptBoots  = 32
	waitRoom   = 5 * time.Second
)

// hold makes this request the only one that has to do with an agent's batches.
func (h *Hub) hold(id string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.busy[id] {
		return false
	}
	h.busy[id] = true
	return true
}

func (h *Hub) release(id string) {
	h.mu.Lock()
	delete(h.busy, id)
	h.mu.Unlock()
}

// recall returns what is known of an agent, asking the archive the first time. Only who holds the agent may.
func (h *Hub) recall(id string) *live {
	h.mu.Lock()
	l := h.live(id)
	h.mu.Unlock()
	if l.known {
		return l
	}
	l.files = map[[8]byte]bool{}
	var newest record.SentReceipt
	for name, p := range h.o.Positions(id) {
		if name != queueFile {
			l.file(name)
			continue
		}
		if boot, sum, ok := strings.Cut(p.Print, " "); ok {
			newest = record.SentReceipt{Boot: boot, Number: uint64(p.Offset), Sum: sum, First: 1}
		}
	}
	h.mu.Lock()
	l.known, l.newest = true, newest
	h.mu.Unlock()
	return l
}

// file counts a name that an agent uses, and says whether it has not too many.
func (l *live) file(name string) bool {
	sum := sha256.Sum256([]byte(name))
	k := [8]byte(sum[:8])
	if l.files[k] {
		return true
	}
	if len(l.files) >= maxFiles || l.names+len(name) > maxNames {
		return false
	}
	l.files[k] = true
	l.names += len(name)
	return true
}

// A refusal is why a batch is not taken.
type refusal struct {
	status int
	reason record.Reason
	why    string
}

func (r *refusal) Error() string { return r.why }

func no(status int, reason record.Reason, format string, args ...any) *refusal {
	return &refusal{status, reason, fmt.Sprintf(format, args...)}
}

// batches answers POST /agent/v1/batches: frames, one after the other. Each is kept before the next is looked at.
func (h *Hub) batches(w http.ResponseWriter, r *http.Request, me Joined) {
	if r.ContentLength < 0 {
		h.refuse(w, me.ID, http.StatusLengthRequired, record.Request, "batches must come with their length")
		return
	}
	if r.ContentLength > maxBatches {
		h.refuse(w, me.ID, http.StatusRequestEntityTooLarge, record.Oversize, fmt.Sprintf("a request of %d bytes, at most %d", r.ContentLength, maxBatches))
		return
	}
	if !h.hold(me.ID) {
		h.refuse(w, me.ID, http.StatusTooManyRequests, record.Busy, "a request of this agent is still being answered")
		return
	}
	defer h.release(me.ID)
	if !h.room.take(r.ContentLength) {
		h.refuse(w, me.ID, http.StatusTooManyRequests, record.Busy, "the server has no room for more batches now")
		return
	}
	defer h.room.give(r.ContentLength)
	b := make([]byte, r.ContentLength)
	_, err := io.ReadFull(http.MaxBytesReader(w, r.Body, r.ContentLength), b)
	if err != nil {
		h.refuse(w, me.ID, http.StatusBadRequest, record.Garbage, "the request ended too early")
		return
	}
	late := h.late(r)
	l := h.recall(me.ID)
	var a record.Receipts
	for n := 0; len(b) > 0; n++ {
		var f record.Frame
		var refused *refusal
		if f, b, err = record.ParseFrame(b); err != nil {
			reason := record.Garbage
			if err == record.ErrChanged {
				reason = record.Changed
			}
			refused = no(http.StatusBadRequest, reason, "%v", err)
		} else if n == maxFrames {
			refused = no(http.StatusRequestEntityTooLarge, record.Oversize, "more than %d batches in one request", maxFrames)
		} else {
			refused = h.one(r, me, l, f, late, &a)
		}
		if refused != nil {
			h.count(me.ID, refused.reason)
			a.Refused, a.Why = refused.reason, refused.why
			if refused.status == http.StatusConflict && l.newest.Number > 0 {
				newest := l.newest
				a.Newest = &newest
			}
			if refused.reason == record.Busy || refused.reason == record.Unkept {
				w.Header().Set("Retry-After", "2")
			}
			write(w, refused.status, a)
			return
		}
	}
	answer(w, a)
}

// late is what is to be added to the agent's times to get the server's, by what the agent says is its time now.
func (h *Hub) late(r *http.Request) time.Duration {
	n, err := strconv.ParseInt(r.Header.Get("Tocsin-Now"), 10, 64)
	if err != nil {
		return 0
	}
	return h.o.Now().Sub(time.Unix(0, n))
}

// one keeps one batch and adds its receipt.
func (h *Hub) one(r *http.Request, me Joined, l *live, f record.Frame, late time.Duration, a *record.Receipts) *refusal {
	sum := hex.EncodeToString(f.Sum[:])
	if same := f.Boot == l.newest.Boot; same && f.Number == l.newest.Number && sum == l.newest.Sum {
		a.Receipts = append(a.Receipts, l.newest)
		return nil
	}
	if refused := order(l, f); refused != nil {
		return refused
	}
	weight := weightOf(f)
	if !h.desk.wait(r.Context(), weight) {
		return no(http.StatusTooManyRequests, record.Busy, "the server has no room for more batches now")
	}
	defer h.desk.give(weight)
	b, refused := h.read(me, l, f, late)
	if refused != nil {
		return refused
	}
	if _, status, reason := h.who(r); status != http.StatusOK { // it may have been revoked while it sent, or while it waited for room
		return no(status, reason, "%s", notHeard(reason))
	}
	b.Positions = append(b.Positions, record.Position{File: queueFile, Print: f.Boot + " " + sum, Offset: int64(f.Number)})
	kept, err := h.o.Append(b)
	if err != nil {
		h.log.Error("a batch of an agent cannot be kept; the agent sends it again", "agent", me.ID, "err", err)
		return no(http.StatusServiceUnavailable, record.Unkept, "the server cannot keep lines now")
	}
	newest := record.SentReceipt{Boot: f.Boot, Number: f.Number, Sum: sum, First: kept.First, Last: kept.Last}
	h.mu.Lock()
	if l.newest.Boot != f.Boot && l.newest.Boot != "" {
		l.boots = append(l.boots, l.newest.Boot)
		l.boots = l.boots[max(0, len(l.boots)-keptBoots):]
	}
	l.newest = newest
	l.batches++
	l.lines += int64(len(b.Lines))
	h.mu.Unlock()
	a.Receipts = append(a.Receipts, newest)
	return nil
}

// order says whether a batch is the next of its agent.
func order(l *live, f record.Frame) *refusal {
	if f.Number > 1<<62 {
		return no(http.StatusBadRequest, record.Garbage, "a batch cannot have the number %d", f.Number)
	}
	switch last := l.newest; {
	case f.Boot == last.Boot && f.Number == last.Number:
		return no(http.StatusConflict, record.Conflict, "batch %d of boot %s is kept, and it has another content", f.Number, f.Boot)
	case f.Boot == last.Boot && f.Number < last.Number, f.Boot != last.Boot && slices.Contains(l.boots, f.Boot):
		return no(http.StatusConflict, record.Replayed, "batch %d of boot %s came before", f.Number, f.Boot)
	case f.Boot == last.Boot && f.Number != last.Number+1:
		return no(http.StatusConflict, record.Reordered, "batch %d of boot %s should follow, and %d came", last.Number+1, f.Boot, f.Number)
	case f.Boot != last.Boot && f.Number != 1:
		return no(http.StatusConflict, record.Reordered, "boot %s is new here, so its batch 1 should come, and %d came", f.Boot, f.Number)
	}
	return nil
}

// weightOf is how many bytes a batch may take while it is being taken: unpacked twice, and what is made of its lines.
func weightOf(f record.Frame) int64 {
	return 2*int64(f.Plain) + 100*min(int64(f.Plain)/3, record.MaxSentLines)
}

// read unpacks a batch and makes it the agent's own.
func (h *Hub) read(me Joined, l *live, f record.Frame, late time.Duration) (record.Batch, *refusal) {
	plain, err := h.open.DecodeAll(f.Payload, make([]byte, 0, min(f.Plain, 32*len(f.Payload))))
	if err != nil {
		return record.Batch{}, no(http.StatusBadRequest, record.Garbage, "the payload cannot be unpacked")
	}
	if len(plain) != f.Plain {
		return record.Batch{}, no(http.StatusBadRequest, record.Garbage, "the payload unpacks to %d bytes instead of %d", len(plain), f.Plain)
	}
	b, err := record.UnpackBatch(plain)
	if err != nil {
		return record.Batch{}, no(http.StatusBadRequest, record.Garbage, "%v", err)
	}
	now := h.o.Now()
	received := now
	if b.Start { // since when a file is watched decides what is history: the spool may have held it for days
		received = b.Received.Add(late)
		if received.Before(me.Joined) {
			received = me.Joined
		}
		if received.After(now) {
			received = now
		}
	}
	b.Received = received
	b.Agent, b.Boot, b.Number = me.ID, f.Boot, f.Number
	for i := range b.Lines {
		b.Lines[i].Host = me.Name
		if i > 0 && b.Lines[i].File == b.Lines[i-1].File {
			continue
		}
		if b.Lines[i].File == queueFile || !l.file(b.Lines[i].File) {
			return record.Batch{}, tooMany(b.Lines[i].File)
		}
	}
	for _, p := range b.Positions {
		if p.File == queueFile || !l.file(p.File) {
			return record.Batch{}, tooMany(p.File)
		}
	}
	return b, nil
}

func tooMany(name string) *refusal {
	if name == queueFile {
		return no(http.StatusBadRequest, record.Garbage, "no file can be called %s", queueFile)
	}
	return no(http.StatusUnprocessableEntity, record.Files, "the agent names more than %d files, or %d bytes of names", maxFiles, maxNames)
}
