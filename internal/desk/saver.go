package desk

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"tocsin/internal/disk"
)

const (
	readerFile = "derived/reader"
	saveEvery  = 2 * time.Second // the snapshot, while lines come
	saveShare  = 20              // and not more often than so many times as long as the last one took
)

// A snapshot is the cursor and the windows of detection, as one: what a restart goes on from. It is derived: when it is gone
// or of other rules, the archive is read again. In the file it is a line of JSON, then the windows, which may be
// tens of megabytes, as they are.
type snapshot struct {
	Next      int64           `json:"next"` // the archive line to read next
	Intake    []byte          `json:"intake"`
	Hours     map[int64]*Hour `json:"hours"` // by Unix time / 3600 of the records
	Hits      ruleHits        `json:"hits,omitempty"`
	Notices   json.RawMessage `json:"notices,omitempty"`
	WatchHits map[int64]*Hits `json:"watch_hits,omitempty"` // by watch list
	Size      int             `json:"size"`                 // bytes of Detect
	Detect    []byte          `json:"-"`
}

func (s snapshot) bytes() ([]byte, error) {
	s.Size = len(s.Detect)
	b, err := json.Marshal(s)
	return append(append(b, '\n'), s.Detect...), err
}

func parseSnapshot(b []byte) (s snapshot, err error) {
	head, rest, ok := bytes.Cut(b, []byte("\n"))
	if !ok {
		return s, errors.New("it has no windows")
	}
	if err := json.Unmarshal(head, &s); err != nil {
		return s, err
	}
	if s.Size != len(rest) {
		return s, fmt.Errorf("its windows have %d bytes instead of %d", len(rest), s.Size)
	}
	s.Detect = rest
	return s, nil
}

// A saver writes snapshots beside the reader, one at a time, so that detection does not wait for the disk. The reader's
// goroutine owns it.
type saver struct {
	next int64         // what the last written snapshot says
	due  time.Time     // the next one
	done chan struct{} // closed when the one under way is written; nil: none is
}

// wait returns when no snapshot is being written.
func (s *saver) wait() {
	if s.done != nil {
		<-s.done
		s.done = nil
	}
}

// saveWhenDue takes the state when it is time, and has it written.
func (r *reader) saveWhenDue() {
	s := &r.saver
	select {
	case <-s.done:
		s.done = nil
	default:
	}
	now := time.Now()
	if s.done != nil || now.Before(s.due) {
		return
	}
	write := r.freeze()
	if write == nil {
		return
	}
	done := make(chan struct{})
	s.done = done
	go func() { // run waits for it
		defer close(done)
		write()
		s.due = time.Now().Add(max(saveEvery, saveShare*time.Since(now)))
	}()
}

// rest waits for lines to read. While none come the state is saved when that is due: whoever is killed after a quiet hour has
// nothing to read again.
func (r *reader) rest(ctx context.Context) error {
	for r.unsaved() {
		if r.saver.done == nil && !time.Now().Before(r.saver.due) {
			r.saveWhenDue()
			continue
		}
		wait := saveEvery // a snapshot is being written
		if r.saver.done == nil {
			wait = time.Until(r.saver.due)
		}
		short, stop := context.WithTimeout(ctx, wait)
		err := r.d.archive.Wait(short, r.next)
		quiet := short.Err() != nil && ctx.Err() == nil
		stop()
		if !quiet {
			return err
		}
		r.saveWhenDue()
	}
	return r.d.archive.Wait(ctx, r.next)
}

// unsaved reports whether there is a state to save. Only the reader's goroutine changes it.
func (r *reader) unsaved() bool {
	return r.next != r.saver.next && (r.mute == 0 || r.next >= r.mute)
}

// saveLast writes the state when the program ends.
func (r *reader) saveLast() {
	r.saver.wait()
	if write := r.freeze(); write != nil {
		write()
	}
}

// freeze takes the state, and returns what writes it; nil when there is nothing new. What the state says was read has been
// raised and written before.
func (r *reader) freeze() (write func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.unsaved() {
		return nil
	}
	x := snapshot{Next: r.next, Hours: map[int64]*Hour{}, Hits: r.hits.copied()}
	for k, h := range r.hours {
		x.Hours[k] = new(*h)
	}
	x.WatchHits = map[int64]*Hits{}
	for k, h := range r.watchHits {
		x.WatchHits[k] = new(*h)
	}
	var err error
	if x.Notices, err = r.gathered.bytes(); err == nil {
		x.Intake, err = r.parser.Snapshot()
	}
	windows, learnt := r.detector.Freeze(), r.freezeHabits()
	r.saver.next = x.Next
	return func() {
		if err == nil {
			x.Detect, err = windows()
		}
		var b []byte
		if err == nil {
			b, err = x.bytes()
		}
		if err == nil {
			err = disk.Replace(r.d.o.Data, readerFile, b)
		}
		if err == nil {
			r.saved.Store(x.Next)
		}
		if err != nil { // it is derived: without it the next start reads more lines again
			r.d.log.Error("saving the windows of detection: the next start will read lines again", "because", err)
		}
		learnt()
	}
}
