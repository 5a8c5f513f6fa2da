package desk

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"sync"
	"time"

	"tocsin/internal/auth"
	"tocsin/internal/disk"
	"tocsin/internal/entry"
)

// # Asked for once
//
// A program that got no answer asks again under the same key (draft-ietf-httpapi-idempotency-key-header), and what it asked for is done once. One
// small file for each key lies in the folder once/ of the data folder, sealed with a key of the vault: what was asked for (as a hash) and how long
// the ledger was, written before the act; the answer, written before it is sent. When the program was killed between act and answer, the ledger
// decides: it has no entry by who asked between the key and the next start, so nothing was done and it is done now; or it has some, and the answer
// says that it is uncertain and names them. An act that writes no entry (Silent) is not known to be done, and the answer says so. Nothing is done twice.
//
// Only answers that it was done are kept. What was refused has done nothing, unless the ledger says otherwise, and its key is free again; so is one
// whose request waits for a second person: asked for again after the approval, it is done. What is silent and failed with 500 or above may have been
// done, and keeps its key. A file that cannot be read keeps its key until it is old. An erasure takes the bodies of all answers that are kept.
//
// Who has used too many keys goes on: the oldest that is finished gives way (room), so a key is kept for 24 hours or until 2,000 newer ones.

const (
	onceDir     = "once"
	onceLasts   = 24 * time.Hour
	onceAtMost  = 10_000   // keys
	onceEach    = 2_000    // of one who asks
	onceMost    = 16 << 10 // bytes of an answer that is kept
	onceAll     = 32 << 20 // bytes of all of them
	onceVersion = 1
)

// A Reply is what was answered to a request.
type Reply struct {
	Status int    `json:"status"`
	Type   string `json:"type"`
	Body   []byte `json:"body,omitempty"`
	Shown  bool   `json:"shown,omitempty"` // a secret that was shown once: there is no body
	Gone   bool   `json:"gone,omitempty"`  // too long to keep, or erased: there is no body
}

// asked is one key, as its file has it.
type asked struct {
	Version int       `json:"version"`
	Actor   string    `json:"actor"`
	Print   string    `json:"print"` // SHA-256 of the request
	At      time.Time `json:"at"`
	After   int64     `json:"after"` // entries of the ledger when it was asked
	Silent  bool      `json:"silent,omitempty"`
	Reply   *Reply    `json:"reply,omitempty"` // in memory without its body

	size     int  // of the body
	broken   bool // its file could not be read
	erasures int  // that were before it
}

// once is what is known of keys. Replies stay in their files.
type once struct {
	mu     sync.Mutex
	loaded bool
	keys   map[string]asked
	busy   map[string]bool
	bytes  int // of all bodies
	swept  time.Time

	erasures int // since the start
}

// Errors of a key.
var (
	ErrUnderWay = errors.New("what was asked for under this idempotency key is under way: ask again in a moment")
	ErrOtherAsk = errors.New("this idempotency key was used for another request: use a new key for what is new")
	ErrManyKeys = errors.New("too many requests under idempotency keys are under way or have no known end: wait, or leave the header out")
	ErrNotKnown = errors.New("this request failed, or the program ended before it could answer, and whether it was done is written nowhere: look, and use a new idempotency key to ask for it again")
	ErrOnceFile = errors.New("what was asked for under this idempotency key cannot be read, so it is not known whether it was done: look, and use a new idempotency key to ask for it again")
)

// Uncertain says that the program ended between what was asked for and its answer, and what was written meanwhile by who asked.
type Uncertain struct{ Entries []int64 }

func (u Uncertain) Error() string {
	return fmt.Sprintf("Tocsin ended before it could answer this request, and it may have been done: see the ledger's entries %v, and use a new idempotency key if it was not", u.Entries)
}

// ManyKeys is ErrManyKeys, with how long it takes until there is room again.
type ManyKeys struct{ Wait time.Duration }

func (m ManyKeys) Error() string { return ErrManyKeys.Error() }

// Unwrap is for errors.Is.
func (m ManyKeys) Unwrap() error { return ErrManyKeys }

func (d *Desk) onceSeal() cipher.AEAD {
	m := hmac.New(sha256.New, d.secret)
	m.Write([]byte("once"))
	block, err := aes.NewCipher(m.Sum(nil))
	if err != nil {
		panic(err) // 32 bytes are a key
	}
	a, err := cipher.NewGCM(block)
	if err != nil {
		panic(err) // AES has blocks of 16 bytes
	}
	return a
}

// readOnce opens the file of a key.
func (d *Desk) readOnce(name string) (x asked, err error) {
	b, err := disk.ReadFile(d.o.Data, onceDir+"/"+name)
	if err != nil {
		return x, err
	}
	a := d.onceSeal()
	if len(b) < a.NonceSize() {
		return x, errors.New("it is cut")
	}
	plain, err := a.Open(nil, b[:a.NonceSize()], b[a.NonceSize():], []byte(name))
	if err == nil {
		err = json.Unmarshal(plain, &x)
	}
	if err == nil && x.Version != onceVersion {
		err = fmt.Errorf("version %d, and this program knows version %d", x.Version, onceVersion)
	}
	return x, err
}

func (d *Desk) writeOnce(name string, x asked) error {
	plain, err := json.Marshal(x)
	if err != nil {
		return err
	}
	a := d.onceSeal()
	nonce := make([]byte, a.NonceSize())
	rand.Read(nonce) // never fails (crypto/rand)
	if err := disk.Replace(d.o.Data, onceDir+"/"+name, a.Seal(nonce, nonce, plain, []byte(name))); err != nil {
		return fmt.Errorf("keeping an idempotency key: %w", err)
	}
	return nil
}

// loadOnce reads the keys of earlier starts, once. d.replies.mu is held.
func (d *Desk) loadOnce(now time.Time) error {
	o := &d.replies
	if o.loaded {
		return nil
	}
	o.keys, o.busy, o.bytes = map[string]asked{}, map[string]bool{}, 0
	if err := d.o.Data.MkdirAll(onceDir, 0o700); err != nil {
		return fmt.Errorf("making the folder of idempotency keys: %w", err)
	}
	if err := d.o.Data.SyncDir("."); err != nil {
		return fmt.Errorf("making the folder of idempotency keys: %w", err)
	}
	names, err := d.o.Data.ReadDir(onceDir)
	if err != nil {
		return fmt.Errorf("reading the folder of idempotency keys: %w", err)
	}
	var erased time.Time
	d.Read(func(s *State) { erased = s.LastErased })
	for _, f := range names {
		x, err := d.readOnce(f.Name())
		if err != nil {
			d.log.Error("an idempotency key of an earlier start cannot be read: it stays taken for a day", "file", f.Name(), "error", err)
			x = asked{At: now, broken: true}
			if i, err := f.Info(); err == nil && i.ModTime().Unix() > 0 && i.ModTime().Before(now) {
				x.At = i.ModTime()
			}
		}
		if x.Reply != nil && x.Reply.Body != nil && !x.At.After(erased) { // the program ended before the erasure reached it
			if x, err = d.dropBody(f.Name(), x); err != nil {
				return err
			}
		}
		o.remember(f.Name(), x)
	}
	o.loaded, o.swept = true, time.Time{}
	return nil
}

// remember notes what is known of a key. Its body stays in the file.
func (o *once) remember(name string, x asked) {
	o.bytes -= o.keys[name].size
	if x.size = 0; x.Reply != nil {
		x.size = len(x.Reply.Body)
		x.Reply = &Reply{Status: x.Reply.Status, Type: x.Reply.Type, Shown: x.Reply.Shown, Gone: x.Reply.Gone}
	}
	o.keys[name], o.bytes = x, o.bytes+x.size
}

// forgetKey frees a key.
func (d *Desk) forgetKey(name string) error {
	if err := d.o.Data.Remove(onceDir + "/" + name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("dropping an idempotency key: %w", err)
	}
	d.replies.bytes -= d.replies.keys[name].size
	delete(d.replies.keys, name)
	return nil
}

// sweepOnce drops keys that are a day old, at the start and then once a minute.
func (d *Desk) sweepOnce(now time.Time) error {
	o := &d.replies
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.loaded && now.Sub(o.swept) < time.Minute {
		return nil
	}
	if err := d.loadOnce(now); err != nil {
		return err
	}
	o.swept = now
	for name, x := range o.keys {
		if now.Sub(x.At) < onceLasts || o.busy[name] {
			continue
		}
		if err := d.forgetKey(name); err != nil {
			return err
		}
	}
	return nil
}

// dropBody writes a key anew without the body of its answer, and returns it so.
func (d *Desk) dropBody(name string, x asked) (asked, error) {
	r := *x.Reply
	r.Body, r.Gone = nil, true
	x.Reply = &r
	return x, d.writeOnce(name, x)
}

// forgetAnswers drops the bodies of all answers that are kept, because something was erased that they may name. Answers to what was begun before are
// kept without a body.
func (d *Desk) forgetAnswers(now time.Time) error {
	o := &d.replies
	o.mu.Lock()
	defer o.mu.Unlock()
	o.erasures++
	if err := d.loadOnce(now); err != nil {
		return err
	}
	var errs []error
	for name, x := range o.keys {
		if x.size == 0 {
			continue
		}
		x, err := d.dropBody(name, x)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		o.remember(name, x)
	}
	return errors.Join(errs...)
}

func onceName(actor auth.Actor, key string) string {
	sum := sha256.Sum256([]byte(actor.Name + "\x00" + key))
	return hex.EncodeToString(sum[:])
}

// An Asking is what somebody asks for under a key.
type Asking struct {
	Actor  auth.Actor
	Key    string
	Print  string // a hash of the request
	Silent bool   // what it asks for writes no entry
}

// Once begins what is asked for under a key. With a Reply it was done before, and nothing is to be done. Without one, Answered must be called when it
// is done. Errors: ErrUnderWay, ErrOtherAsk, ManyKeys, ErrNotKnown, ErrOnceFile, Uncertain, or of the disk.
func (d *Desk) Once(a Asking, now time.Time) (*Reply, error) {
	o := &d.replies
	if err := d.sweepOnce(now); err != nil {
		return nil, err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	name := onceName(a.Actor, a.Key)
	x, known := o.keys[name]
	if known = known && now.Sub(x.At) < onceLasts; known && x.broken {
		full, err := d.readOnce(name)
		if err != nil {
			d.log.Error("an idempotency key cannot be read", "file", name, "error", err)
			return nil, ErrOnceFile
		}
		o.remember(name, full)
		x = o.keys[name]
	}
	switch {
	case known && x.Print != a.Print:
		return nil, ErrOtherAsk
	case known && o.busy[name]:
		return nil, ErrUnderWay
	case known && x.Reply != nil && x.size == 0:
		return x.Reply, nil
	case known && x.Reply != nil:
		full, err := d.readOnce(name)
		if err != nil {
			d.log.Error("an answer that was kept cannot be read", "file", name, "error", err)
			return nil, ErrOnceFile
		}
		return full.Reply, nil
	case known && x.Silent:
		return nil, ErrNotKnown
	case known:
		if did, err := d.didSince(a.Actor.Name, x.After); err != nil || len(did) > 0 {
			return nil, errors.Join(err, uncertain(did))
		}
	default:
		old, wait := o.room(a.Actor.Name, now)
		if wait > 0 {
			return nil, ManyKeys{wait}
		}
		if old != "" {
			if err := d.forgetKey(old); err != nil {
				return nil, err
			}
		}
	}
	x = asked{Version: onceVersion, Actor: a.Actor.Name, Print: a.Print, At: now.UTC(), After: d.ledger.Head().Size, Silent: a.Silent, erasures: o.erasures}
	if err := d.writeOnce(name, x); err != nil {
		return nil, err
	}
	o.remember(name, x)
	o.busy[name] = true
	return nil, nil
}

// room makes room for a new key. It returns the name of the finished key that gives way, "" when there is room; or, when none is finished, how long it takes until
// there is room. Who has too many gives up the oldest of their own. When all together are too many, who has most finished ones does. One that is unfinished
// never gives way: it would be done twice.
func (o *once) room(actor string, now time.Time) (old string, wait time.Duration) {
	own, finished := 0, map[string]int{}
	done := func(name string, x asked) bool {
		return !o.busy[name] && (x.Reply != nil || now.Sub(x.At) >= onceLasts)
	}
	for name, x := range o.keys {
		if x.Actor == actor {
			own++
		}
		if done(name, x) {
			finished[x.Actor]++
		}
	}
	if own < onceEach && len(o.keys) < onceAtMost {
		return "", 0
	}
	from := actor
	if own < onceEach {
		for who, n := range finished {
			if n > finished[from] {
				from = who
			}
		}
	}
	wait = onceLasts
	for name, x := range o.keys {
		switch {
		case done(name, x):
			if x.Actor == from && (old == "" || x.At.Before(o.keys[old].At)) {
				old = name
			}
		case own >= onceEach && x.Actor != actor:
		case o.busy[name]:
			wait = min(wait, time.Second)
		default:
			wait = min(wait, onceLasts-now.Sub(x.At))
		}
	}
	if old != "" {
		wait = 0
	}
	return old, wait
}

func uncertain(did []int64) error {
	if len(did) == 0 {
		return nil
	}
	return Uncertain{did}
}

// Answered says what was answered to what was asked for under a key. That it was done (200 and above, but 202) is kept. Anything else frees the key if the
// ledger has no entry by who asked since; otherwise the next time it answers that it is uncertain. nil is no answer at all: of what is silent it is then not
// known whether it was done, and neither is it when it failed with 500 or above.
func (d *Desk) Answered(a Asking, r *Reply) error {
	o := &d.replies
	name := onceName(a.Actor, a.Key)
	o.mu.Lock()
	defer o.mu.Unlock()
	delete(o.busy, name)
	x, known := o.keys[name]
	switch {
	case !known, x.Silent && (r == nil || r.Status >= 500):
		return nil
	case r != nil && r.Status == http.StatusAccepted:
		return d.forgetKey(name)
	case r == nil || r.Status < 200 || r.Status > 299:
		if did, err := d.didSince(a.Actor.Name, x.After); err != nil || len(did) > 0 {
			return err
		}
		return d.forgetKey(name)
	case r.Shown:
		r = &Reply{Status: r.Status, Type: r.Type, Shown: true}
	case len(r.Body) > onceMost, o.bytes+len(r.Body) > onceAll, x.erasures != o.erasures && len(r.Body) > len("{}"): // it may name what was erased meanwhile
		r = &Reply{Status: r.Status, Type: r.Type, Gone: true}
	}
	x.Reply = r
	if err := d.writeOnce(name, x); err != nil {
		return err
	}
	o.remember(name, x)
	return nil
}

// didSince returns the entries by an actor behind a place in the ledger, up to the next start of the program: at most ten.
func (d *Desk) didSince(actor string, after int64) (did []int64, err error) {
	for e, err := range d.ledger.Entries(after + 1) {
		if err != nil {
			return nil, err
		}
		if e.Kind == entry.ProgramStarted || len(did) == 10 {
			break
		}
		if e.Actor == actor {
			did = append(did, e.N)
		}
	}
	return did, nil
}
