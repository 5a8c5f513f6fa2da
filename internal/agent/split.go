package agent

import "strings"

// A line is one line of a file, and where it stands there.
type line struct {
	raw        string // without its line end; at most max bytes of the splitter
	start, end int64  // bytes from the start of the file to the line, and to what follows it
	cut        bool   // the line was longer
}

// A splitter cuts the content of one file into lines, however it is handed over. Only "\n" ends a line: a "\r" before
// it and NULs belong to the line. Lines never overlap and leave nothing out but what a cut line has beyond max.
type splitter struct {
	max   int
	off   int64  // how far the content was handed over
	start int64  // where the line begins that has no end yet
	part  []byte // its first bytes, at most max
	long  bool   // and it has more than that
}

// newSplitter returns a splitter for content that is handed over from offset on, which is the start of a line.
func newSplitter(offset int64, max int) splitter {
	return splitter{max: max, off: offset, start: offset}
}

// add takes the next piece of content and appends the lines that end in it. They share the memory of piece.
func (s *splitter) add(piece string, lines []line) []line {
	for {
		i := strings.IndexByte(piece, '\n')
		if i < 0 {
			s.hold(piece)
			return lines
		}
		raw := piece[:i]
		if len(s.part) > 0 || s.long || len(raw) > s.max {
			s.hold(raw)
			raw = string(s.part)
		} else {
			s.off += int64(i)
		}
		s.off++
		lines = append(lines, line{raw: raw, start: s.start, end: s.off, cut: s.long})
		s.begin()
		piece = piece[i+1:]
	}
}

// rest returns the line that has no end, as it is when nothing more will come, and whether there is one.
func (s *splitter) rest() (line, bool) {
	if s.off == s.start {
		return line{}, false
	}
	l := line{raw: string(s.part), start: s.start, end: s.off, cut: s.long}
	s.begin()
	return l, true
}

// hold adds to the line that has no end yet.
func (s *splitter) hold(piece string) {
	s.off += int64(len(piece))
	room := s.max - len(s.part)
	if len(piece) > room {
		piece, s.long = piece[:room], true
	}
	s.part = append(s.part, piece...)
}

// begin makes off the start of a line. The memory of a long line is given back.
func (s *splitter) begin() {
	s.start, s.long = s.off, false
	if cap(s.part) > 64<<10 {
		s.part = nil
	}
	s.part = s.part[:0]
}
