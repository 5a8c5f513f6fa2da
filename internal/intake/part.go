package intake

import (
	"encoding/json"
	"time"

	"tocsin/internal/record"
)

// A State is what a parser carries from one line of a file to the next: all of the file's part of a Snapshot, but for the counts.
// It lets one file be read in parts by several parsers at once: a part is begun with the state that is likely, and is
// right when the part before it ended in a state that fits. The zero State is that of a file of which nothing was read.
type State struct {
	form string // the stream as JSON
	last time.Time
}

// Fits reports whether lines that were read beginning with s say the same beginning with o. borrowed is what End said of them.
func (s State) Fits(o State, borrowed bool) bool {
	return s.form == o.form && (!borrowed || s.last.Equal(o.last))
}

// Timeless is s without the time of the last line: a line without a time then has none.
func (s State) Timeless() State {
	s.last = time.Time{}
	return s
}

// Headed reports whether a line of the file said how those behind it are to be read, as the columns of a W3C log: another such line, anywhere
// further down, says it anew.
func (s State) Headed() bool {
	var st struct {
		Fields []string `json:"fields"`
	}
	return s.form != "" && (json.Unmarshal([]byte(s.form), &st) != nil || len(st.Fields) > 0)
}

// Begin puts a file of this host into a state.
func (p *Parser) Begin(file string, s State) {
	st := &stream{Count: Count{File: file}, Product: productOf(file)}
	if s.form != "" {
		st = &stream{}
		if err := json.Unmarshal([]byte(s.form), st); err != nil {
			panic("intake: a state that End wrote cannot be read: " + err.Error())
		}
		st.Last = s.last
	}
	p.key, p.stream = streamKey{file: file}, st
	p.streams[p.key] = st
}

// End says in which state the lines since Begin left a file, and whether one of them took its time from a line before
// Begin. The parser forgets the file.
func (p *Parser) End(file string) (s State, borrowed bool) {
	st := p.streamOf("", file)
	s.last, borrowed = st.Last, st.borrowed
	st.Count = Count{File: file, Format: st.Format}
	form, err := json.Marshal(st)
	if err != nil {
		panic("intake: a state cannot be written: " + err.Error())
	}
	s.form = string(form)
	delete(p.streams, p.key)
	p.stream = nil
	return s, borrowed
}

// lend gives the time of the last line that had one to a line without.
func (st *stream) lend() time.Time {
	st.borrowed = st.borrowed || !st.timed
	return st.Last
}

// time notes whether a line of these told its time.
func (st *stream) time(r *record.Record) {
	if !r.Time.IsZero() {
		st.Last, st.timed = r.Time, true
	}
}
