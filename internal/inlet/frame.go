package inlet

import (
	"bytes"
	"fmt"
	"strings"

	"tocsin/internal/record"
)

// A framing says how the frames of a connection are told apart (RFC 6587, section 3.4).
type framing uint8

const (
	unknown   framing = iota
	counted           // 3.4.1: "83 <13>1 2026-..."
	delimited         // 3.4.2: a line feed ends each
)

const (
	maxDigits = 8        // of a frame's length
	maxFrame  = 16 << 20 // bytes that a counted frame may have; beyond record.MaxLine they are skipped
)

// A framer cuts one connection's stream into frames. Of a frame longer than its max, the beginning is taken and the rest skipped, so that
// the frames behind it are still found.
//
// The first bytes tell the framing: digits, a blank and "<" are octet counting, all else is line ends. TLS has octet counting only
// (RFC 5425, section 4.3), but devices send line ends there too, and are understood.
type framer struct {
	held
	framing    framing
	head       []byte // of the stream while the framing is unknown; then the digits of a length
	left       int    // bytes of the counted frame that did not come yet
	off, start int64
}

func newFramer(framing framing, max int) *framer {
	return &framer{framing: framing, held: held{max: max}}
}

// add takes the next bytes and appends the frames that end in them. After an error the stream has no framing any more.
func (f *framer) add(b []byte, out []piece) ([]piece, error) {
	if f.framing == unknown {
		var known bool
		if b, known = f.detect(b); !known {
			return out, nil
		}
	}
	if f.framing == counted {
		return f.addCounted(b, out)
	}
	return f.addDelimited(b, out), nil
}

// detect finds the framing in the first bytes, and returns all that came so far once it is known.
func (f *framer) detect(b []byte) ([]byte, bool) {
	for i, c := range b {
		at := len(f.head)
		digit := c >= '0' && c <= '9' && !(at == 0 && c == '0')
		switch {
		case digit && at < maxDigits && !bytes.HasSuffix(f.head, []byte(" ")), c == ' ' && at > 0 && f.head[at-1] != ' ':
			f.head = append(f.head, c)
			continue
		case c == '<' && at > 1 && f.head[at-1] == ' ':
			f.framing = counted
		default:
			f.framing = delimited
		}
		all := append(f.head, b[i:]...)
		f.head = nil
		return all, true
	}
	return nil, false
}

func (f *framer) addDelimited(b []byte, out []piece) []piece {
	for {
		i := bytes.IndexByte(b, '\n')
		if i < 0 {
			f.held.add(b)
			f.off += int64(len(b))
			return out
		}
		f.held.add(b[:i])
		f.off += int64(i) + 1
		out = f.end(out)
		b = b[i+1:]
	}
}

func (f *framer) addCounted(b []byte, out []piece) ([]piece, error) {
	for len(b) > 0 {
		if f.left > 0 {
			n := min(f.left, len(b))
			f.held.add(b[:n])
			f.off += int64(n)
			f.left -= n
			b = b[n:]
			if f.left == 0 {
				out = f.end(out)
			}
			continue
		}
		c := b[0]
		b = b[1:]
		f.off++
		switch {
		case len(f.head) == 0 && (c == '\n' || c == '\r'): // some senders end a counted frame with a line end, too
			f.start = f.off
		case c >= '0' && c <= '9' && len(f.head) < maxDigits && !(len(f.head) == 0 && c == '0'):
			f.head = append(f.head, c)
		case c == ' ' && len(f.head) > 0:
			n := 0
			for _, d := range f.head {
				n = 10*n + int(d-'0')
			}
			if f.head = f.head[:0]; n > maxFrame {
				return out, fmt.Errorf("a frame says that it has %d bytes, and %d is the most that is read: the sender counts wrongly, or is no sender of syslog", n, maxFrame)
			}
			f.left = n
		default:
			return out, fmt.Errorf("byte %d of the connection should belong to the length of a frame (octet counting, RFC 6587) and is %q: set the sender to one framing for all frames", f.off, string(rune(c)))
		}
	}
	return out, nil
}

// end takes the frame that is held. An empty one is none.
func (f *framer) end(out []piece) []piece {
	raw, cut := f.take()
	start := f.start
	f.start = f.off
	if raw = oneLine(raw); raw == "" {
		return out
	}
	if len(raw) > f.max {
		raw, cut = raw[:f.max], true
	}
	return append(out, piece{raw, start, f.off, cut})
}

// oneLine makes a line of a frame: without the line ends at its end, and with those inside it as rsyslog writes them.
func oneLine(raw string) string {
	raw = strings.TrimRight(raw, "\n")
	if strings.IndexByte(raw, '\n') < 0 {
		return raw
	}
	return strings.ReplaceAll(raw, "\n", "#012")
}

// open reports whether a frame has begun that did not end.
func (f *framer) open() bool { return len(f.head) > 0 || f.left > 0 || f.off > f.start }

// rest ends the stream in good order: of line ends, the last frame may lack its own. It reports whether a frame was torn.
func (f *framer) rest(out []piece) ([]piece, bool) {
	if f.framing == delimited && f.open() {
		return f.end(out), false
	}
	return out, f.open()
}

// oneFrame is a datagram as a line (RFC 5426, section 3.1).
func oneFrame(b []byte) (piece, bool) {
	raw := oneLine(string(b))
	cut := len(raw) > record.MaxLine
	if cut {
		raw = raw[:record.MaxLine]
	}
	return piece{raw: raw, end: int64(len(b)), cut: cut}, raw != ""
}
