package record

import (
	"encoding/binary"
	"errors"
)

// A Packer builds a payload: varints, and texts by their place in a table that stands in front. The zero value is empty.
type Packer struct {
	places map[string]uint64
	texts  []string
	said   int // bytes of the texts
	b      []byte
}

// Uint adds a number, Int one that may be negative (zigzag), as encoding/binary does.
func (w *Packer) Uint(n uint64) { w.b = binary.AppendUvarint(w.b, n) }
func (w *Packer) Int(n int64)   { w.b = binary.AppendVarint(w.b, n) }

// Text adds a text, which is stored once.
func (w *Packer) Text(s string) {
	if w.places == nil {
		w.places = map[string]uint64{}
	}
	n, ok := w.places[s]
	if !ok {
		n = uint64(len(w.texts))
		w.places[s] = n
		w.texts = append(w.texts, s)
		w.said += len(s)
	}
	w.Uint(n)
}

// Bytes adds a text where it is used, which suits those that differ.
func (w *Packer) Bytes(s string) {
	w.Uint(uint64(len(s)))
	w.b = append(w.b, s...)
}

// Said is how many bytes the texts have.
func (w *Packer) Said() int { return w.said }

// Finish returns the table and what was added, with room for more bytes.
func (w *Packer) Finish(more int) []byte {
	b := make([]byte, 0, len(w.b)+w.said+10*(len(w.texts)+1)+more)
	b = binary.AppendUvarint(b, uint64(len(w.texts)))
	for _, s := range w.texts {
		b = binary.AppendUvarint(b, uint64(len(s)))
		b = append(b, s...)
	}
	return append(b, w.b...)
}

// ErrShort says that a payload has less than it says.
var ErrShort = errors.New("the block ends too early")

// An Unpacker is a Packer backwards. After the first error it returns zeros.
type Unpacker struct {
	texts []string
	rest  string
	err   error
}

// NewUnpacker reads the table of texts. The payload is copied: what is read from it may be kept.
func NewUnpacker(plain []byte) (*Unpacker, error) {
	r := &Unpacker{rest: string(plain)}
	n := r.Count(1)
	texts := make([]string, n)
	for i := range texts {
		length := r.Uint()
		if length > uint64(len(r.rest)) {
			return nil, ErrShort
		}
		texts[i], r.rest = r.rest[:length], r.rest[length:]
	}
	r.texts = texts
	return r, r.err
}

// Uint reads a number; one with needless bytes is refused.
func (r *Unpacker) Uint() uint64 {
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
		r.err = ErrShort
	}
	r.rest = ""
	return 0
}

// Int reads a number that may be negative.
func (r *Unpacker) Int() int64 {
	n := r.Uint()
	return int64(n>>1) ^ -int64(n&1)
}

// Count reads how many things follow, each of at least size bytes, so that no number makes us allocate more than came.
func (r *Unpacker) Count(size int) int {
	n := r.Uint()
	if n > uint64(len(r.rest)/size) {
		if r.err == nil {
			r.err = ErrShort
		}
		return 0
	}
	return int(n)
}

// Text reads a text of the table.
func (r *Unpacker) Text() string {
	n := r.Uint()
	if n >= uint64(len(r.texts)) {
		if r.err == nil {
			r.err = errors.New("the block names a text that it does not have")
		}
		return ""
	}
	return r.texts[n]
}

// Bytes reads a text that stands where it is used.
func (r *Unpacker) Bytes() string {
	n := r.Count(1)
	s := r.rest[:n]
	r.rest = r.rest[n:]
	return s
}

// Rest is what was not read yet.
func (r *Unpacker) Rest() string { return r.rest }

// Err is the first error.
func (r *Unpacker) Err() error { return r.err }

// Fail notes an error that a caller found, unless there was one before.
func (r *Unpacker) Fail(err error) {
	if r.err == nil {
		r.err = err
	}
}
