// Package record holds what a log line is before and after parsing.
//
// A Line is raw text with the place it came from. A Record is a parsed line: ECS field names
// (Elastic Common Schema 8.17), typed values. A Batch is what a watcher hands to the archive: lines, and how far
// each watched file has been read, so that both are kept in one block or neither is.
//
// Everything in a Line is hostile text: it may hold control and bidirectional characters, NUL and invalid UTF-8.
// Values are substrings of the line; nothing here is safe to show without escaping.
package record

import (
	"fmt"
	"slices"
	"time"
)

// A Line is one line of a log, without its line end.
type Line struct {
	Host   string // host that the file lies on; "" is this one
	File   string // path of the file as watched, or its path below the folder that is replayed
	Offset int64  // bytes from the start of the file to the line
	Seq    int64  // number of the line in the archive, from 1; 0 while it is not archived
	Raw    string // the bytes as read, at most MaxLine
}

// MaxLine is how many bytes of a line are kept; a longer line is cut there and marked Cut in its Record.
const MaxLine = 1 << 20

// A Position says how far a watched file has been read. The file is known again by its content, not by its name:
// Print is the SHA-256 of its first PrintLen bytes.
type Position struct {
	File     string `json:"file"`
	Print    string `json:"print"`     // hex
	PrintLen int64  `json:"print_len"` // bytes, at most 1024
	Offset   int64  `json:"offset"`    // bytes read and archived
}

// A Batch is what is appended to the archive at once: all of it is kept, or nothing.
type Batch struct {
	Agent     string // who read the lines; "" is the agent inside this program
	Boot      string // one start of the agent
	Number    uint64 // of the batch since that start, from 1; 0 means that repeats need not be dropped
	Received  time.Time
	Lines     []Line
	Positions []Position
	Start     bool // watching of the named files starts with this batch: what is older is history
}

// A Receipt says that a batch is kept, with fsync.
type Receipt struct {
	First, Last int64 // numbers of the lines in the archive; Last < First when the batch had no lines or was a repeat
}

// Watched is the category that the log source of a record has besides its own when something of it is on a watch list.
const Watched = "watched"

// A Class says what kind of line a record was made from.
type Class uint8

const (
	Unparsed     Class = iota // no parser knew it: kept, counted, shown
	Parsed                    // the message's own fields are set
	Header                    // a line that only says how to read others ("Time Id Command Argument")
	Continuation              // more of the line before it
	Empty                     // nothing but white space
)

func (c Class) String() string {
	switch c {
	case Unparsed:
		return "unparsed"
	case Parsed:
		return "parsed"
	case Header:
		return "header"
	case Continuation:
		return "continuation"
	case Empty:
		return "empty"
	}
	return fmt.Sprintf("Class(%d)", uint8(c))
}

// A LogSource says what wrote a record, in the words of Sigma's log source taxonomy (specification 2.1.0, appendix).
// A rule's log source fits when each of its three parts is empty or found here.
type LogSource struct {
	Categories []string // "webserver", "authentication", "database", "application", "file_event"; never changed once set
	Product    string   // "nginx", "apache", "linux", "wordpress", "mysql", "postgresql", "shop"
	Service    string   // "access", "nginx", "sshd", "sudo", "vsftpd", "auditd", "auth", "syslog", "general"
}

// Fits reports whether a rule with this category, product and service (each may be empty) reads records from s.
func (s LogSource) Fits(category, product, service string) bool {
	if product != "" && product != s.Product || service != "" && service != s.Service {
		return false
	}
	if category == "" {
		return true
	}
	for _, c := range s.Categories {
		if c == category {
			return true
		}
	}
	return false
}

// A Record is a parsed line. Asking for a field may work it out, so one goroutine at a time may use a Record.
type Record struct {
	Line   Line
	Time   time.Time // of what the line tells, UTC; zero when the line does not say and nothing near it does
	Class  Class
	Format string // the parser that read it: "combined", "syslog", ...; doc/logs.md lists them
	Source LogSource
	Cut    bool // the line was longer than MaxLine

	index  [numFields]uint8 // 1 + place in values; 0 is missing, later: derive knows
	values []Value
	derive func(*Record, Field)
	Extra  []Pair // fields that have no Field, as named by the application, in the line's order
}

// later marks a field that is worked out when somebody asks for it.
const later = 255

// shared marks a field that has another's value.
const shared = 1 << 7

const _ = uint(shared - 16 - numFields) // fields, and views that got a value of their own after all, find room below it

// Reset makes r an empty record of a line. It keeps the memory of its values, so what was taken out of it before must
// have been copied.
func (r *Record) Reset(l Line) {
	clear(r.Extra)
	*r = Record{Line: l, values: r.values[:0], Extra: r.Extra[:0]}
}

// Defer says that fields follow from others: derive is called when one of them is asked for, and sets it, or leaves it missing.
// A field that is set afterwards is not deferred any more. A record has one derive.
func (r *Record) Defer(derive func(*Record, Field), fields ...Field) {
	r.derive = derive
	for _, f := range fields {
		r.index[f] = later
	}
}

// known works out a field that was deferred.
func (r *Record) known(f Field) {
	if r.index[f] == later {
		r.index[f] = 0
		r.derive(r, f)
	}
}

// A Pair is a field that only this application knows.
type Pair struct {
	Name  string
	Value Value
}

// Set gives field f the value v; a second Set of one field replaces the first.
func (r *Record) Set(f Field, v Value) {
	if i := r.index[f]; i != 0 && i < shared {
		r.values[i-1] = v
		return
	}
	r.values = append(r.values, v)
	r.index[f] = uint8(len(r.values))
}

// Share gives fields the value of another, which is there, without a copy. Set gives a field one of its own again; of the other it
// changes them all.
func (r *Record) Share(of Field, fields ...Field) {
	i := r.Place(of) | shared
	for _, f := range fields {
		r.index[f] = i
	}
}

// Place says where f's value is kept, which tells fields that share one from those that do not: the number is good until the
// next change. 0 is a field that is missing.
func (r *Record) Place(f Field) uint8 {
	if r.index[f] == later {
		r.known(f)
	}
	return r.index[f] &^ shared
}

// Grow makes room for n fields in all. A parser that knows how many it will set allocates once then.
func (r *Record) Grow(n int) {
	if n > cap(r.values) {
		values := make([]Value, len(r.values), n)
		copy(values, r.values)
		r.values = values
	}
}

// Clone returns a copy that shares nothing with r but texts.
func (r *Record) Clone() *Record {
	for f := range numFields {
		r.known(f)
	}
	c := *r
	c.derive = nil
	c.values = slices.Clone(r.values)
	c.Extra = slices.Clone(r.Extra)
	return &c
}

// SetText sets a text field. "-" is how most logs say missing: SetText leaves the field out then. "" is a value.
func (r *Record) SetText(f Field, s string) {
	if s != "-" {
		r.Set(f, Text(s))
	}
}

// Get returns the value of f and whether the line had one.
func (r *Record) Get(f Field) (Value, bool) {
	i := r.Place(f)
	if i == 0 {
		return Value{}, false
	}
	return r.values[i-1], true
}

// Has reports whether f is there, or may turn out to be.
func (r *Record) Has(f Field) bool { return r.index[f] != 0 }

// Each goes over the values of the fields that are chosen and set, in the order of the Field constants.
func (r *Record) Each(chosen *[NumFields]bool) func(yield func(Value) bool) {
	return func(yield func(Value) bool) {
		for f := range r.index {
			if r.index[f] == 0 || !chosen[f] {
				continue
			}
			r.known(Field(f))
			if i := r.Place(Field(f)); i != 0 && !yield(r.values[i-1]) {
				return
			}
		}
	}
}

// Text returns the text of f, "" when it is missing.
func (r *Record) Text(f Field) string {
	v, _ := r.Get(f)
	return v.Text
}

// Named returns the value of the field with an ECS name or an application's own name.
func (r *Record) Named(name string) (Value, bool) {
	if f, ok := FieldNamed(name); ok {
		return r.Get(f)
	}
	for _, p := range r.Extra {
		if p.Name == name {
			return p.Value, true
		}
	}
	return Value{}, false
}

// Fields calls yield with each field that is set, in the order of the Field constants, then with the Extra ones. Views are left
// out: they say nothing new.
func (r *Record) Fields(yield func(name string, v Value) bool) {
	for f := range numFields {
		if f.View() {
			continue
		}
		r.known(f)
		if i := r.Place(f); i != 0 && !yield(f.String(), r.values[i-1]) {
			return
		}
	}
	for _, p := range r.Extra {
		if !yield(p.Name, p.Value) {
			return
		}
	}
}
