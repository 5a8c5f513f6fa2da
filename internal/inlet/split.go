package inlet

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
)

// A piece is one line as it was found in a stream of bytes.
type piece struct {
	raw        string // without its line end; at most max bytes of what found it
	start, end int64  // bytes from the start of the stream to the line, and to what follows it
	cut        bool   // the line was longer
}

// A held is the line that has no end yet: its first max bytes. What comes beyond is left out and remembered as cut.
type held struct {
	max  int
	part []byte
	long bool
}

func (h *held) add(b []byte) {
	if room := h.max - len(h.part); len(b) > room {
		b, h.long = b[:room], true
	}
	h.part = append(h.part, b...)
}

// take returns what is held and holds nothing. The memory of a long line is given back.
func (h *held) take() (raw string, cut bool) {
	raw, cut = string(h.part), h.long
	h.long = false
	if cap(h.part) > 64<<10 {
		h.part = nil
	}
	h.part = h.part[:0]
	return raw, cut
}

// A textSplitter cuts a stream into the lines that "\n" ends, as the watcher of files does: a "\r" before it belongs to the line.
type textSplitter struct {
	held
	off, start int64
}

func (s *textSplitter) add(b []byte, out []piece) ([]piece, error) {
	for {
		i := bytes.IndexByte(b, '\n')
		if i < 0 {
			s.held.add(b)
			s.off += int64(len(b))
			return out, nil
		}
		s.held.add(b[:i])
		s.off += int64(i) + 1
		raw, cut := s.take()
		out = append(out, piece{raw, s.start, s.off, cut})
		s.start = s.off
		b = b[i+1:]
	}
}

// rest returns the last line, which has no end, when nothing more will come.
func (s *textSplitter) rest(out []piece) ([]piece, error) {
	if s.off == s.start {
		return out, nil
	}
	raw, cut := s.take()
	out = append(out, piece{raw, s.start, s.off, cut})
	s.start = s.off
	return out, nil
}

// How a list of objects begins and ends; white space may stand between any two bytes but in the name.
const (
	listOpen, listClose   = `[`, `]`
	cloudOpen, cloudClose = `{"Records":[`, `]}` // of a file that CloudTrail delivered
)

// maxDepth is how deep objects and lists in an object may lie to be parsed. A deeper one is taken as it stands: who makes a program log
// such an object must not keep the lines around it out.
const maxDepth = 64

// An objectSplitter cuts JSON into the objects of a list, or of a sequence of objects (open and close are "" then). An object that stands
// on one line comes byte for byte, another one without its line ends.
type objectSplitter struct {
	held
	open, close string // what is still expected around the list
	off, start  int64
	depth       int // inside the object
	quoted      bool
	escaped     bool
	comma       bool // must come before the next object of a list
	list        bool
	ended       bool // the list is over
	broken      bool // the object has line ends,
	deep        bool // or is deeper than maxDepth
	number      int  // objects so far
	most        int  // of these; 0 is any number
}

func newObjectSplitter(open, close string, max int) *objectSplitter {
	return &objectSplitter{held: held{max: max}, open: open, close: close, list: open != ""}
}

// A jsonError says where JSON is not what it must be.
type jsonError struct {
	at   int64 // bytes from the start
	says string
}

func (e *jsonError) Error() string { return fmt.Sprintf("byte %d: %s", e.at+1, e.says) }

func (s *objectSplitter) fail(format string, args ...any) error {
	return &jsonError{at: s.off, says: fmt.Sprintf(format, args...)}
}

func white(c byte) bool { return c == ' ' || c == '\n' || c == '\r' || c == '\t' }

func (s *objectSplitter) add(b []byte, out []piece) ([]piece, error) {
	from := 0 // of the object's bytes in b
	for i, c := range b {
		if s.depth == 0 {
			if err := s.between(c); err != nil {
				return out, err
			}
			if s.depth > 0 {
				from, s.start = i, s.off
			}
			s.off++
			continue
		}
		s.off++
		switch {
		case s.escaped:
			s.escaped = false
		case s.quoted:
			s.escaped, s.quoted = c == '\\', c != '"'
		case c == '"':
			s.quoted = true
		case c == '{' || c == '[':
			s.depth++
			s.deep = s.deep || s.depth > maxDepth
		case c == '\n' || c == '\r':
			s.broken = true
		case c == '}' || c == ']':
			if s.depth--; s.depth > 0 {
				continue
			}
			s.held.add(b[from : i+1])
			p, err := s.object()
			if err != nil {
				return out, err
			}
			out = append(out, p)
		}
	}
	if s.depth > 0 {
		s.held.add(b[from:])
	}
	return out, nil
}

// between takes a byte that is in no object.
func (s *objectSplitter) between(c byte) error {
	switch {
	case s.open != "":
		if white(c) && !s.named() {
			return nil
		}
		if c != s.open[0] {
			return s.fail("%q was expected here", s.open)
		}
		s.open = s.open[1:]
	case white(c):
	case s.ended && s.close != "" && c == s.close[0]:
		s.close = s.close[1:]
	case s.ended:
		return s.fail("something follows the list")
	case s.list && c == s.close[0] && (s.comma || s.number == 0):
		s.close, s.ended = s.close[1:], true
	case c == ',' && s.comma:
		s.comma = false
	case c == '{' && s.comma:
		return s.fail("a comma is missing before this object")
	case c == '{':
		s.depth, s.broken, s.deep = 1, false, false
	default:
		return s.fail("an object was expected here, and %q begins none", string(rune(c)))
	}
	return nil
}

// named reports whether the next bytes that open wants are inside a name, where white space would be another name.
func (s *objectSplitter) named() bool { return strings.Count(s.open, `"`) == 1 }

// object ends the object that is held.
func (s *objectSplitter) object() (piece, error) {
	if s.number++; s.most > 0 && s.number > s.most {
		return piece{}, s.fail("there are more than %d objects", s.most)
	}
	s.comma = s.list
	raw, cut := s.take()
	if cut || s.deep { // not parsed, but a line must not have line ends
		return piece{strings.NewReplacer("\n", " ", "\r", " ").Replace(raw), s.start, s.off, cut}, nil
	}
	if !json.Valid([]byte(raw)) {
		return piece{}, &jsonError{at: s.start, says: fmt.Sprintf("object %d, which begins here, is not valid JSON", s.number)}
	}
	if s.broken {
		var b bytes.Buffer
		if err := json.Compact(&b, []byte(raw)); err != nil {
			return piece{}, &jsonError{at: s.start, says: err.Error()}
		}
		raw = b.String()
	}
	return piece{raw, s.start, s.off, cut}, nil
}

// rest says whether the JSON was whole.
func (s *objectSplitter) rest(out []piece) ([]piece, error) {
	if s.depth > 0 || s.open != "" || s.close != "" {
		return out, s.fail("the JSON ends in the middle")
	}
	return out, nil
}
