package archive

import (
	"encoding/binary"
	"errors"
)

// A writer builds a payload: varints, and texts by their place in a table that stands in front.
type writer struct {
	places map[string]uint64
	texts  []string
	said   int // bytes of the texts
	b      []byte
}

func (w *writer) uint(n uint64) { w.b = binary.AppendUvarint(w.b, n) }
func (w *writer) int(n int64)   { w.b = binary.AppendVarint(w.b, n) }

func (w *writer) text(s string) {
	n, ok := w.places[s]
	if !ok {
		n = uint64(len(w.texts))
		w.places[s] = n
		w.texts = append(w.texts, s)
		w.said += len(s)
	}
	w.uint(n)
}

// finish returns the table and what was written, with room for more bytes.
func (w *writer) finish(more int) []byte {
	b := make([]byte, 0, len(w.b)+w.said+10*(len(w.texts)+1)+more)
	b = binary.AppendUvarint(b, uint64(len(w.texts)))
	for _, s := range w.texts {
		b = binary.AppendUvarint(b, uint64(len(s)))
		b = append(b, s...)
	}
	return append(b, w.b...)
}

var errShort = errors.New("the block ends too early")

// A reader is a writer backwards. After the first error it returns zeros.
type reader struct {
	texts []string
	rest  string
	err   error
}

// newReader reads the table of texts. The payload is copied: what is read from it may be kept.
func newReader(plain []byte) (*reader, error) {
	r := &reader{rest: string(plain)}
	n := r.count(1)
	texts := make([]string, n)
	for i := range texts {
		length := r.uint()
		if length > uint64(len(r.rest)) {
			return nil, errShort
		}
		texts[i], r.rest = r.rest[:length], r.rest[length:]
	}
	r.texts = texts
	return r, r.err
}

func (r *reader) uint() uint64 {
	var n uint64
	for i := 0; i < len(r.rest) && i < binary.MaxVarintLen64; i++ {
		c := r.rest[i]
		if c < 0x80 {
			if i == binary.MaxVarintLen64-1 && c > 1 || i > 0 && c == 0 {
				break
			}
			r.rest = r.rest[i+1:]
			return n | uint64(c)<<(7*i)
		}
		n |= uint64(c&0x7f) << (7 * i)
	}
	if r.err == nil {
		r.err = errShort
	}
	r.rest = ""
	return 0
}

func (r *reader) int() int64 {
	n := r.uint()
	return int64(n>>1) ^ -int64(n&1)
}

// count reads how many things follow, each of at least size bytes, so that no number makes us allocate more than came.
func (r *reader) count(size int) int {
	n := r.uint()
	if n > uint64(len(r.rest)/size) {
		if r.err == nil {
			r.err = errShort
		}
		return 0
	}
	return int(n)
}

func (r *reader) text() string {
	n := r.uint()
	if n >= uint64(len(r.texts)) {
		if r.err == nil {
			r.err = errors.New("the block names a text that it does not have")
		}
		return ""
	}
	return r.texts[n]
}
