package intake

import (
	"bufio"
	"io"
	"iter"
	"strings"
)

// wrapped is how a file begins that CloudTrail delivered: one object, whose only member is the list of events.
const wrapped = `{"Records":[`

// Wrapped reports whether a line holds more than one event: all those of a file that CloudTrail delivered.
func Wrapped(raw string) bool { return strings.HasPrefix(raw, wrapped) }

// Parts calls yield with each event of a line that holds several, and with any other line itself. What was cut off in the middle is left out.
func Parts(raw string) iter.Seq[string] {
	return func(yield func(string) bool) {
		if !Wrapped(raw) {
			yield(raw)
			return
		}
		depth, from, any := 0, 0, false
		s := raw[len(wrapped):]
		for i := 0; i < len(s); i++ {
			switch s[i] {
			case '"':
				i = stringEnd(s, i)
			case '{', '[':
				if depth == 0 {
					from = i
				}
				depth++
			case '}', ']':
				if depth--; depth < 0 {
					i = len(s)
				} else if depth == 0 {
					any = true
					if !yield(s[from : i+1]) {
						return
					}
				}
			}
		}
		if !any {
			yield(raw)
		}
	}
}

// Unwrap returns a reader of in with one event a line, when in begins as a file that CloudTrail delivered, on one line or printed over many; else in.
func Unwrap(in *bufio.Reader) *bufio.Reader {
	if !wraps(in) {
		return in
	}
	return bufio.NewReaderSize(&unwrapper{in: in}, in.Size())
}

// wraps reports whether what comes next in a file holds a list of events.
func wraps(in *bufio.Reader) bool {
	head, _ := in.Peek(64)
	return strings.HasPrefix(strings.Map(withoutBlanks, string(head)), wrapped)
}

func withoutBlanks(c rune) rune {
	if c == ' ' || c == '\n' || c == '\r' || c == '\t' {
		return -1
	}
	return c
}

// An unwrapper writes each object of a list on a line of its own. Files may have been put together: what follows the list is another one, or
// lines as they are.
type unwrapper struct {
	in      *bufio.Reader
	depth   int
	quoted  bool
	escaped bool
	ended   bool // the list is over, and its object not yet
	plain   bool // a line as it is
}

// Read implements io.Reader.
func (u *unwrapper) Read(p []byte) (n int, err error) {
	for n == 0 || n < len(p) && u.in.Buffered() > 0 {
		if n+1 >= len(p) {
			break // an event's end takes two bytes
		}
		c, err := u.in.ReadByte()
		if err != nil {
			return n, err
		}
		switch {
		case u.plain:
			u.plain = c != '\n'
			p[n] = c
			n++
			continue
		case u.depth > 0:
		case withoutBlanks(rune(c)) < 0:
			continue
		default:
			if err := u.in.UnreadByte(); err != nil {
				return n, err
			}
			if u.plain = !wraps(u.in); u.plain {
				continue
			}
			if c, err = u.in.ReadByte(); err != nil {
				return n, err
			}
		}
		n += u.take(c, p[n:])
	}
	if n == 0 && len(p) < 2 {
		return 0, io.ErrShortBuffer
	}
	return n, nil
}

// take writes what becomes of a byte. Events lie in the list of the object: two deep.
func (u *unwrapper) take(c byte, to []byte) int {
	inside := u.depth > 2
	switch {
	case u.escaped:
		u.escaped = false
	case u.quoted:
		u.escaped, u.quoted = c == '\\', c != '"'
	case c == '"':
		u.quoted = true
	case c == '{' || c == '[':
		u.depth++
		inside = u.depth > 2
	case c == '}' || c == ']':
		u.depth--
		if u.ended = u.depth > 0 && (u.ended || u.depth < 2); inside && !u.ended && u.depth == 2 {
			to[0], to[1] = c, '\n'
			return 2
		}
	}
	if !inside || u.ended {
		return 0
	}
	if c == '\n' || c == '\r' || c == '\t' {
		c = ' '
	}
	to[0] = c
	return 1
}
