package inlet

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strconv"
	"strings"
	"sync"
)

// maxKeys is how many keys are remembered in memory, of all sources together.
const maxKeys = 8192

// A key is what the header Idempotency-Key of a request says: the same request is not kept twice.
//
// A key BOOT/NUMBER, such as web-1.7f3a/12, is for senders that count their requests since a start of theirs: the archive knows them as
// it knows an agent's batches, for as many numbers as there are, and for the last 16 starts of each source. Any other key (a
// UUID, say) is known by the archive for the last 16 requests of the source, and here for the last 8,192 of all.
type key struct {
	text   string // with its source and log; "" is no key
	boot   string
	number uint64
	body   [sha256.Size]byte
}

// keyOf reads a request's key. source is part of it: two sources may use the same keys.
func keyOf(r *http.Request, source string, body []byte) (key, error) {
	text := strings.Trim(r.Header.Get("Idempotency-Key"), `" `)
	if text == "" {
		return key{}, nil
	}
	for _, c := range []byte(text) {
		if c <= ' ' || c > '~' || len(text) > 200 {
			return key{}, refuse(http.StatusBadRequest, BadRequest, "The Idempotency-Key is none: use up to 200 letters, digits and signs without blanks, such as a UUID.")
		}
	}
	k := key{text: source + " " + text, body: sha256.Sum256(body)}
	if boot, number, ok := strings.Cut(text, "/"); ok && plainName(boot) && len(boot) <= 64 {
		if n, err := strconv.ParseUint(number, 10, 63); err == nil && n > 0 {
			k.boot, k.number = "boot "+boot, n
			return k, nil
		}
	}
	// The body is part of the hash: should a key be used for another body after it was forgotten here, nothing is lost.
	sum := sha256.Sum256([]byte(k.text + "\x00" + string(k.body[:])))
	k.boot, k.number = "key "+hex.EncodeToString(sum[:16]), 1
	return k, nil
}

// A keys remembers the keys of requests that were kept.
type keys struct {
	mu     sync.Mutex
	bodies map[string][sha256.Size]byte
	order  []string // a ring, once it is full
	next   int
}

// known reports whether the request was kept before. One with the same key and another body is an error of the sender.
func (k *keys) known(key key) (bool, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	body, ok := k.bodies[key.text]
	if ok && body != key.body {
		return false, refuse(http.StatusUnprocessableEntity, KeyUsed, "The Idempotency-Key was used for another body before: give each request its own.")
	}
	return ok, nil
}

func (k *keys) add(key key) {
	if key.text == "" {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.bodies == nil {
		k.bodies = map[string][sha256.Size]byte{}
	}
	if _, ok := k.bodies[key.text]; ok {
		return
	}
	if len(k.order) < maxKeys {
		k.order = append(k.order, key.text)
	} else {
		delete(k.bodies, k.order[k.next])
		k.order[k.next] = key.text
		k.next = (k.next + 1) % maxKeys
	}
	k.bodies[key.text] = key.body
}
