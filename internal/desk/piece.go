package desk

import (
	"slices"
	"strings"
	"time"

	"tocsin/internal/detect"
	"tocsin/internal/intake"
	"tocsin/internal/record"
	"tocsin/internal/tuning"
)

// A piece is some whole lines of one file, and what the workers made of them. Its memory is used again.
type piece struct {
	feed   *feed
	text   string // until the piece is certain
	offset int64
	start  intake.State // with which it was parsed
	end    intake.State
	parsed bool
	lent   bool // a line took its time from before the piece

	rows  []row
	whole []sifted // records that a detector must see; the first wholes are in use
	count int      // of whole
	hits  []int32
	heard []heard
	buf   []byte
}

// heard counts the records of one log source, for the figures of rules.
type heard struct {
	source record.LogSource
	n      int64
}

// A row is one line of a piece. Most lines match nothing: only their time is needed.
type row struct {
	sec   int64 // of the time, since 1970
	nsec  int32
	whole int32 // place in piece.whole, -1
	class record.Class
}

func (o row) time() time.Time { return time.Unix(o.sec, int64(o.nsec)).UTC() }

// A sifted record is one that a rule matches, or from which detection learns.
type sifted struct {
	record record.Record // a copy of what detectors ask for
	lanes  [maxLanes]sieved
}

// sieved is what one set of rules says of a record: a stretch of piece.hits.
type sieved struct {
	from, to int32
	faults   []detect.Fault
}

// maxLanes is how many sets of rules one replay can run: the standing one, and one to compare with it.
const maxLanes = 2

// A worker parses and sifts. It is one goroutine's.
type worker struct {
	parser  *intake.Parser
	listed  *tuning.Set      // what is watched for; nil is nothing
	sifters []*detect.Sifter // one a lane
	keeper  detect.Keeper
	record  record.Record
}

// parse makes the rows of a piece.
func (w *worker) parse(p *piece) {
	p.rows, p.count, p.hits, p.heard = p.rows[:0], 0, p.hits[:0], p.heard[:0]
	w.parser.Begin(p.feed.name, p.start)
	for at := 0; at < len(p.text); {
		raw := p.text[at:]
		n := len(raw)
		if i := strings.IndexByte(raw, '\n'); i >= 0 {
			raw, n = raw[:i], i+1
		}
		for part := range intake.Parts(raw) {
			w.parser.ParseInto(&w.record, record.Line{File: p.feed.name, Offset: p.offset + int64(at), Raw: part}, p.feed.hint)
			MarkListed(w.listed, &w.record)
			w.sift(p)
		}
		at += n
	}
	p.end, p.lent = w.parser.End(p.feed.name)
}

// sift adds the record to the piece.
func (w *worker) sift(p *piece) {
	r := &w.record
	o := row{sec: r.Time.Unix(), nsec: int32(r.Time.Nanosecond()), whole: -1, class: r.Class}
	var lanes [maxLanes]sieved
	need := false
	for i, s := range w.sifters {
		hits, faults := s.Sift(r)
		from := int32(len(p.hits))
		p.hits = append(p.hits, hits...)
		lanes[i] = sieved{from, int32(len(p.hits)), faults}
		need = need || len(hits)+len(faults) > 0 || s.Whole(r)
	}
	if need {
		if p.count == len(p.whole) {
			p.whole = append(p.whole, sifted{})
		}
		x := &p.whole[p.count]
		w.keeper.Keep(r, &x.record)
		x.lanes = lanes
		o.whole = int32(p.count)
		p.count++
	}
	p.rows = append(p.rows, o)
	if r.Class != record.Header && r.Class != record.Empty {
		p.hear(r.Source)
	}
}

// hear counts a record of a log source.
func (p *piece) hear(s record.LogSource) {
	for i := range p.heard {
		if o := &p.heard[i]; o.source.Product == s.Product && o.source.Service == s.Service && slices.Equal(o.source.Categories, s.Categories) {
			o.n++
			return
		}
	}
	p.heard = append(p.heard, heard{record.LogSource{Categories: s.Categories, Product: strings.Clone(s.Product), Service: strings.Clone(s.Service)}, 1})
}
