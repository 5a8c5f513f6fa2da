package desk

import (
	"io"
	"strings"
	"time"

	"tocsin/internal/intake"
	"tocsin/internal/record"
)

// # Replay from a time on
//
// ReplayOptions.Since asks for the alerts since a time. Records before it fill windows silently, but only those that a window can
// still reach (detect.Rules.Reach): what is older need not be read. In a plain file whose lines are in order of time the place
// is found by looking at some of them; a file that ends before is passed over. A packed file, or one that is not in order, is
// read, and its older records do no harm. So is one whose columns a line names: these may have changed before the place.

const (
	leastSought = 1 << 20   // bytes of a file in which a place is looked for
	probes      = 32        // places of a file at which lines are looked at, to see whether they are in order
	probeReach  = 128 << 10 // bytes in which a line with a time must be found
	probeNear   = 256 << 10 // bytes to which the place is narrowed down
	outOfOrder  = 5 * time.Minute
)

// A seeker looks at lines anywhere in a file.
type seeker struct {
	feed   *feed
	file   io.ReadSeeker
	parser *intake.Parser
	state  intake.State // of the file's lines, without a time
	size   int64
}

// seek finds how many bytes at the start of a file lie before a time, as far as that can be told quickly: whole files, and parts
// of files in order. The state is that with which the line there is to be parsed, at its time.
func (f *feed) seek(before time.Time, parser *intake.Parser) (skip int64, state intake.State, at time.Time) {
	if f.packed || before.IsZero() {
		return 0, state, f.at
	}
	file, err := f.files.Open(f.path)
	if err != nil {
		return 0, state, f.at // reading it says why
	}
	defer file.Close()
	in, ok := file.(io.ReadSeeker)
	if !ok {
		return 0, state, f.at
	}
	s := &seeker{feed: f, file: in, parser: parser, size: f.size}
	if !s.prime() {
		return 0, state, f.at
	}
	if newest := s.tail(); !newest.IsZero() && newest.Before(before) && s.ordered(nil) {
		return f.size, state, newest
	}
	if f.size < leastSought || s.state.Headed() {
		return 0, state, f.at
	}
	var marks []landmark
	if !s.ordered(&marks) {
		return 0, state, f.at
	}
	low, high := landmark{}, landmark{place: f.size}
	for _, m := range marks {
		if m.at.Before(before) {
			low = m
		} else {
			high = m
			break
		}
	}
	for low.place > 0 && high.place-low.place > probeNear {
		m, ok := s.probe(low.place + (high.place-low.place)/2)
		switch {
		case !ok || m.place >= high.place:
			high.place = low.place + (high.place-low.place)/2
		case m.at.Before(before):
			low = m
		default:
			high = m
		}
	}
	if low.place == 0 {
		return 0, state, f.at
	}
	return low.place, s.state, low.at
}

// A landmark is a line with a time of its own.
type landmark struct {
	place int64
	at    time.Time
}

// prime learns the file's format from its first lines: some formats say at the top how the rest is to be read.
func (s *seeker) prime() bool {
	head := make([]byte, peek)
	n, err := io.ReadFull(s.file, head)
	if n == 0 || err != nil && n < peek && n < int(s.size) {
		return false
	}
	s.parser.Begin(s.feed.name, intake.State{})
	for l := range strings.Lines(string(head[:n])) {
		if strings.HasSuffix(l, "\n") {
			s.parser.Parse(record.Line{File: s.feed.name, Raw: strings.TrimSuffix(l, "\n")}, s.feed.hint)
		}
	}
	state, _ := s.parser.End(s.feed.name)
	s.state = state.Timeless()
	return true
}

// probe finds the first line at or after a place that tells a time.
func (s *seeker) probe(place int64) (landmark, bool) {
	from := max(place-1, 0)
	if _, err := s.file.Seek(from, io.SeekStart); err != nil {
		return landmark{}, false
	}
	b, err := io.ReadAll(io.LimitReader(s.file, probeReach))
	if err != nil {
		return landmark{}, false
	}
	text := string(b)
	if place > 0 { // what stands before the next line end belongs to another line
		i := strings.IndexByte(text, '\n')
		if i < 0 {
			return landmark{}, false
		}
		from, text = from+int64(i)+1, text[i+1:]
	}
	for l := range strings.Lines(text) {
		if t := s.time(l); !t.IsZero() {
			return landmark{from, t}, true
		}
		from += int64(len(l))
	}
	return landmark{}, false
}

// time is when a whole line says that it was written.
func (s *seeker) time(l string) time.Time {
	if !strings.HasSuffix(l, "\n") {
		return time.Time{}
	}
	s.parser.Begin(s.feed.name, s.state)
	var at time.Time
	for part := range intake.Parts(strings.TrimSuffix(l, "\n")) { // the newest of a line of several
		if r := s.parser.Parse(record.Line{File: s.feed.name, Raw: part}, s.feed.hint); r.Class == record.Parsed {
			at = later(at, r.Time)
		}
	}
	if _, lent := s.parser.End(s.feed.name); lent {
		return time.Time{}
	}
	return at
}

// tail is the newest time near the end; zero when it cannot be told.
func (s *seeker) tail() (newest time.Time) {
	from := max(s.size-tailPeek, 0)
	if _, err := s.file.Seek(from, io.SeekStart); err != nil {
		return newest
	}
	b, err := io.ReadAll(io.LimitReader(s.file, tailPeek))
	if err != nil {
		return newest
	}
	_, text, _ := strings.Cut(string(b), "\n")
	if from == 0 {
		text = string(b)
	}
	for l := range strings.Lines(text) {
		newest = later(newest, s.time(strings.TrimSuffix(l, "\n")+"\n"))
	}
	return newest
}

// ordered reports whether lines in many places of the file are in order of time, and gives them if marks are wanted.
func (s *seeker) ordered(marks *[]landmark) bool {
	var last landmark
	for n := range int64(probes) {
		m, ok := s.probe(s.size / probes * n)
		if !ok {
			if s.size < leastSought {
				continue
			}
			return false
		}
		if m.at.Before(last.at.Add(-outOfOrder)) {
			return false
		}
		last = m
		if marks != nil {
			*marks = append(*marks, m)
		}
	}
	return !last.at.IsZero()
}
