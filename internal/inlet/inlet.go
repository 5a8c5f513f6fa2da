// Package inlet takes in lines that no watched file holds: from senders of syslog, by HTTP, and out of buckets in the cloud.
//
// A door is one way in: syslog:tls, syslog:tcp, syslog:udp, http:lines, http:json, http:otlp, and s3:NAME for each bucket. All doors keep one
// rule: nothing is acknowledged before Append has returned without error, and Append returns when the lines are on the disk. While Append
// refuses, a door does not read on: a syslog connection fills up and its sender waits, an HTTP request is answered 503 with Retry-After,
// a bucket is left as it is. Only a datagram has no sender that waits: what the kernel drops of them is counted. What a door refuses
// it counts by reason, and tells (Count, and the log at most once a minute for each reason).
//
// # Syslog
//
// A frame is archived as it came, with its priority. Its line ends are left out, and line feeds inside it are written #012, as rsyslog
// does, so that no sender can make one frame into two lines. Line.Host is the peer's configured name, else the name in its
// certificate (TLS), else its address; Line.File is the door. Line.Offset counts the bytes of the connection, and is 0 for datagrams.
//
//	TLS   RFC 5425: TLS 1.2 or later, a client certificate of a known authority or with a pinned fingerprint
//	TCP   RFC 6587: octet counting or line ends, found out for each connection, and only from listed addresses
//	UDP   RFC 5426: a frame a datagram, and only from listed addresses
//
// A frame that was cut off, because its connection broke, is not taken: half an address would be another's address.
//
// # HTTP
//
//	POST /in/lines  text, one line each; gzip and zstd may pack it
//	POST /in/json   an object, an array of objects, or objects one after the other (NDJSON); each is one line, byte for byte when it
//	                stood on one line, and else without its line ends
//	POST /v1/logs   OTLP 1.x over HTTP, protobuf and JSON
//
// A bearer token says who sends; only its SHA-256 is known here. A request is one batch: all of it is kept, or nothing, and then its
// answer says so. OTLP alone knows a partial success: records that cannot become a line are left out and counted in the answer.
//
// A request with the header Idempotency-Key that was kept is not kept again (Keys).
//
// # OTLP as lines
//
// A LogRecord becomes one line of JSON. Members come in this order, those without a value are left out, and names are only ever added:
//
//	{"otlp":1,                               the version of this form
//	 "time":"2026-11-28T08:00:00.000000001Z" time_unix_nano, else observed_time_unix_nano
//	 "observed":"..."                        observed_time_unix_nano
//	 "severity":"ERROR"                      severity_text, else the name of the number's range
//	 "severity_number":17
//	 "event_name":"device.app.lifecycle"
//	 "body":"..."                            any JSON: text, number, object, list
//	 "attributes":{"http.route":"/cart"}     a member each
//	 "resource":{"service.name":"shop"}      attributes of the resource
//	 "scope":{"name":"...","version":"...","attributes":{}}
//	 "trace_id":"5b8e...","span_id":"eee1..." lower-case hexadecimal
//	 "flags":1, "dropped_attributes":2,
//	 "cut":true}                             the body was longer, and its end is left out
//
// Text that is no UTF-8 has U+FFFD in its place. Bytes are base64, numbers that JSON has not ("NaN", "Infinity", "-Infinity") are text. Package intake reads this form.
//
// # Buckets
//
// bucket.go says how an S3 bucket is read once and whole.
package inlet

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"log/slog"
	"maps"
	"sync"
	"sync/atomic"
	"time"

	"tocsin/internal/record"
)

// Bounds of a batch that a door puts together; a single line may be longer.
const (
	batchLines = 8000
	batchBytes = 4 << 20
)

// Waits between two tries to append a batch, and how often a reason is logged.
const (
	retryFirst = 250 * time.Millisecond // doubles up to retryLast
	retryLast  = 5 * time.Second
	tellAgain  = time.Minute
)

// A Reason says why something was refused; Count counts by it.
type Reason string

// The reasons of all doors.
const (
	BadPeer        Reason = "unknown peer"          // the address or certificate is not on the list
	TooMany        Reason = "too many at once"      // connections of one peer, or of all; requests at the same time
	BadHandshake   Reason = "TLS handshake"         // no TLS, an old version, no certificate
	BadFrame       Reason = "framing"               // the stream lost its framing
	Torn           Reason = "torn frame"            // the connection ended inside a frame
	Slow           Reason = "too slow"              // a frame or body did not end in time
	Dropped        Reason = "dropped by the kernel" // datagrams
	NoToken        Reason = "no token"
	BadToken       Reason = "unknown token"
	WrongDoor      Reason = "token is for another door"
	BadRequest     Reason = "malformed"       // method, type, body
	TooLarge       Reason = "too large"       // body, unpacked body, lines, depth, object
	KeyUsed        Reason = "key used before" // an Idempotency-Key with another body
	NotKept        Reason = "not kept"        // Append refused; the sender is told to try again
	RejectedRecord Reason = "rejected record" // of an OTLP request that was kept otherwise
	Damaged        Reason = "damaged object"  // its packing is broken; what came before is kept
	Unreadable     Reason = "unreadable object"
	Gone           Reason = "object gone"
)

// A Count is what came through one door since its start.
type Count struct {
	Door    string
	Note    string           // what is to be known of the door always; "" is nothing
	Lines   int64            // kept
	Bytes   int64            // of those lines
	Cut     int64            // lines longer than record.MaxLine, of which the beginning was kept
	Refused map[Reason]int64 // frames, connections, requests, records or objects
	Why     string           // the last refusal, in words for people
	Open    int              // connections or requests now
	Last    time.Time        // when lines were kept last; zero when none were
	Stuck   string           // why lines cannot be kept now; "" while they can
}

// A tally counts one door.
type tally struct {
	log *slog.Logger

	mu    sync.Mutex
	count Count
	told  map[Reason]time.Time // when the reason was logged last
	since map[Reason]int64     // refusals since
}

func newTally(log *slog.Logger, door string) *tally {
	return &tally{log: log, count: Count{Door: door, Refused: map[Reason]int64{}}, told: map[Reason]time.Time{}, since: map[Reason]int64{}}
}

func (t *tally) read() Count {
	t.mu.Lock()
	defer t.mu.Unlock()
	c := t.count
	c.Refused = maps.Clone(c.Refused)
	return c
}

func (t *tally) kept(lines []record.Line, cut int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for i := range lines {
		t.count.Bytes += int64(len(lines[i].Raw))
	}
	t.count.Lines += int64(len(lines))
	t.count.Cut += cut
	if len(lines) > 0 {
		t.count.Last = time.Now()
	}
}

// refuse counts n refusals from a peer. why is a whole sentence: what it was, and how to mend it.
func (t *tally) refuse(r Reason, n int64, peer, why string) {
	now := time.Now()
	t.mu.Lock()
	t.count.Refused[r] += n
	t.count.Why = why
	if peer != "" {
		t.count.Why = peer + ": " + why
	}
	t.since[r] += n
	since, tell := t.since[r], now.Sub(t.told[r]) >= tellAgain
	if tell {
		t.told[r], t.since[r] = now, 0
	}
	t.mu.Unlock()
	if tell {
		t.log.Warn("something that wanted to come in was refused", "door", t.count.Door, "reason", string(r), "peer", peer, "times", since, "why", why)
	}
}

// enter counts what is open; the func that it returns takes that back.
func (t *tally) enter() (leave func()) {
	t.mu.Lock()
	t.count.Open++
	t.mu.Unlock()
	return func() {
		t.mu.Lock()
		t.count.Open--
		t.mu.Unlock()
	}
}

// stuck shows that lines cannot be kept, and that they can again.
func (t *tally) stuck(err error) {
	now := ""
	if err != nil {
		now = err.Error()
	}
	t.mu.Lock()
	was := t.count.Stuck
	t.count.Stuck = now
	t.mu.Unlock()
	switch {
	case now == was:
	case now != "":
		t.log.Error("lines that came in cannot be kept; the door waits and tries again, and its senders wait with it", "door", t.count.Door, "err", err)
	default:
		t.log.Info("lines that come in are kept again", "door", t.count.Door)
	}
}

// A sender numbers batches of one start of the program and hands them over. Many goroutines may send.
type sender struct {
	append func(record.Batch) (record.Receipt, error)
	agent  string
	boot   string
	number atomic.Uint64
}

func newSender(appendTo func(record.Batch) (record.Receipt, error), agent string) *sender {
	var boot [8]byte
	rand.Read(boot[:])
	return &sender{append: appendTo, agent: agent, boot: hex.EncodeToString(boot[:])}
}

// send hands a batch over, again and again with the same number, until it is kept. After ctx ended it is tried once more only: what was
// taken from a sender is not left behind by a stop in good order.
func (s *sender) send(ctx context.Context, t *tally, b record.Batch, cut int64) error {
	b.Agent, b.Boot, b.Number = s.agent, s.boot, s.number.Add(1)
	if b.Received.IsZero() {
		b.Received = time.Now()
	}
	for wait := retryFirst; ; wait = min(2*wait, retryLast) {
		last := ctx.Err() != nil
		_, err := s.append(b)
		t.stuck(err)
		if err == nil {
			t.kept(b.Lines, cut)
			return nil
		}
		if last {
			t.refuse(NotKept, int64(len(b.Lines)), "", "The door was closed while lines could not be kept, so these are lost unless their sender has them still: "+err.Error())
			return err
		}
		select {
		case <-ctx.Done():
		case <-time.After(wait):
		}
	}
}
