package desk

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"tocsin/internal/archive"
	"tocsin/internal/detect"
	"tocsin/internal/disk"
	"tocsin/internal/intake"
	"tocsin/internal/record"
	"tocsin/internal/tuning"
)

const (
	readAtOnce   = 4000      // lines
	hoursKept    = 24 * 14   // of the chart
	rewindAtMost = 2_000_000 // lines read again to fill the windows of new rules
)

// An Hour counts what the records of one hour were.
type Hour struct {
	Records  int64 `json:"records"`
	Unparsed int64 `json:"unparsed,omitempty"`
	Alerts   int64 `json:"alerts,omitempty"`
}

// A reader takes lines from the archive and makes alerts of them. One goroutine runs it; mu is for those who look.
type reader struct {
	d *Desk

	mu        sync.Mutex
	parser    *intake.Parser
	detector  *detect.Detector
	next      int64                    // the line to read next
	mute      int64                    // lines before this were heard before: they fill windows and raise nothing; 0 when it is passed
	counted   int64                    // lines before this are in hours already
	ahead     map[string]time.Duration // by how much the newest stamp of a file lay in the future when it was read
	hours     map[int64]*Hour
	hits      ruleHits            // matches by rule and hour
	refill    ruleHits            // those of them that lines fill which were counted before
	gathered  gathered            // sign-ins that somebody is to be told of
	watchHits map[int64]*Hits     // by watch list
	unparsed  map[string][]string // the last unparsed lines of a file
	fault     string              // why reading stands still, "" if it does not
	gap       int64               // lines that expired before they were read
	others    *RuleSet            // rules to go on with; nil: the same
	turn      context.CancelFunc  // ends the wait for lines, because there are other rules

	kept   []byte // windows of rules that did not change, taken over when the others' are filled again
	owing  []told // ends of alerts whose rules are gone, not yet written down
	saver  saver
	late   atomic.Bool  // more lines wait to be read than lateLines
	saved  atomic.Int64 // the line that the snapshot on the disk says is to be read next; what comes before may go to the shelf
	keeper keeper
	back   []comeback    // what of closed incidents was seen again in the lines of a step
	record record.Record // of the line that is matched, used again
}

// Late reports whether detection is so far behind that other work should make room.
func (d *Desk) Late() bool { return d.reader != nil && d.reader.late.Load() }

// lateLines is how many lines may wait to be read before searches make room: about one second of what a large shop has at most.
const lateLines = 20_000

func newReader(d *Desk) (*reader, error) {
	r := &reader{d: d, next: d.beginning(), hours: map[int64]*Hour{}, hits: ruleHits{}, watchHits: map[int64]*Hits{}, unparsed: map[string][]string{}, ahead: map[string]time.Duration{}}
	if err := r.reset(); err != nil {
		return nil, err
	}
	b, err := disk.ReadFile(d.o.Data, readerFile)
	if errors.Is(err, fs.ErrNotExist) {
		r.mute = d.heardUpTo()
		r.forgetAgain()
		return r, nil
	}
	var s snapshot
	if err == nil {
		s, err = parseSnapshot(b)
	}
	if err == nil && s.Next > d.archive.Last()+1 {
		err = fmt.Errorf("it says that line %d was read, but the archive ends with %d", s.Next-1, d.archive.Last())
	}
	if err != nil {
		d.log.Warn("the detection snapshot cannot be used: all kept lines are read again, silently as far as the ledger knows alerts of them", "error", err)
		r.mute = d.heardUpTo()
		r.forgetAgain()
		return r, nil
	}
	r.restore(s)
	r.forgetAgain()
	return r, nil
}

// reset begins with empty windows.
func (r *reader) reset() error {
	var err error
	r.parser, err = intake.New(intake.Options{Geo: r.d.o.Geo, Trusted: r.d.o.Trusted, Zone: r.d.o.Zone, Maps: r.d.o.Maps})
	r.detector = detect.New(r.d.rules.Load().Rules, r.d.detectOptions())
	r.recall()
	return err
}

func (d *Desk) detectOptions() detect.Options {
	begun := time.Now()
	o := detect.Options{Own: d.o.Own, Shared: d.o.Shared, Zone: d.o.Zone, Clock: func() time.Duration { return time.Since(begun) }}
	if d.Sample() {
		o.Zone = d.sampleZone()
	}
	return o
}

// restore goes on from s. With other rules, those that did not change go on; the windows of the others are filled again from
// the lines before, silently.
func (r *reader) restore(s snapshot) {
	if s.Hours != nil {
		r.hours = s.Hours
	}
	if s.WatchHits != nil {
		r.watchHits = s.WatchHits
	}
	r.hits = s.Hits.fit()
	var err error
	if r.gathered, err = parseGathered(s.Notices); err != nil {
		r.d.log.Warn("what waits to be told of sign-ins cannot be read from the snapshot: it is lost", "error", err)
	}
	err = r.parser.Restore(s.Intake)
	if err == nil {
		err = r.detector.Restore(s.Detect)
	}
	if err == nil {
		r.next, r.saver.next = max(s.Next, r.next), s.Next
		r.saved.Store(s.Next)
		return
	}
	r.kept = nil
	if adopted, err := detect.New(r.d.rules.Load().Rules, r.d.detectOptions()).Adopt(s.Detect); err == nil {
		r.kept = s.Detect
		if len(adopted.Fresh) == 0 && r.parser.Restore(s.Intake) == nil { // rules only went
			r.next, r.saver.next = max(s.Next, r.next), 0
			r.takeOver()
			return
		}
	}
	r.d.log.Info("windows of detection are filled again from the archive", "because", err)
	if err := r.reset(); err != nil {
		panic("desk: a parser that could be made a moment ago: " + err.Error())
	}
	r.mute, r.counted = s.Next, s.Next
	r.next = max(r.next, s.Next-rewindAtMost)
}

// beginning is the line to begin with when nothing is known of what was read: lines on the shelf were read before, and only fill windows.
func (d *Desk) beginning() int64 {
	return max(1, d.firstLine(), d.archive.First()-rewindAtMost)
}

// heardUpTo is the number after the last archived line that the ledger knows an alert of: what comes before was heard.
func (d *Desk) heardUpTo() (next int64) {
	if through := d.shelf.Through(); through > 0 {
		next = through + 1
	}
	d.Read(func(s *State) {
		for _, a := range s.Incidents.Alerts {
			next = max(next, a.Seq+1)
		}
	})
	return next
}

// run reads until ctx ends. What it cannot do it says, and tries again.
func (r *reader) run(ctx context.Context) error {
	for {
		turn, end := context.WithCancel(ctx)
		r.mu.Lock()
		r.turn = end
		r.mu.Unlock()
		err := r.change()
		if err == nil {
			err = r.rest(turn)
		}
		changes := turn.Err() != nil
		end()
		if ctx.Err() != nil {
			r.saveLast()
			return nil
		}
		if changes {
			continue
		}
		if err == nil {
			err = r.step()
		}
		r.fail(err)
		if err == nil {
			continue
		}
		r.d.log.Error("detection stands still and tries again", "error", err)
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(heartbeat):
		}
	}
}

func (r *reader) fail(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.fault = ""
	if err != nil {
		r.fault = err.Error()
	}
}

// step reads some lines, raises what they make, and saves now and then.
func (r *reader) step() error {
	r.late.Store(r.d.archive.Last()-r.next > lateLines)
	blocks, first, err := r.d.readLines(r.next, readAtOnce)
	expired := errors.Is(err, archive.ErrExpired)
	r.mu.Lock()
	if expired {
		r.gap += first - r.next
	}
	r.next = first
	r.mu.Unlock()
	if expired {
		return nil
	}
	if err != nil {
		r.d.alarm.sound(readingFails, "its archive of log lines: "+err.Error())
		return err
	}
	r.d.alarm.quiet(readingFails)
	changes, next := r.match(blocks)
	if changes = append(r.owing, changes...); len(changes) > 0 {
		if err := r.d.raise(changes); err != nil {
			return errors.Join(err, r.rewind())
		}
	}
	if len(r.back) > 0 {
		if err := r.d.returned(r.back); err != nil {
			return errors.Join(err, r.rewind())
		}
		r.back = nil
	}
	r.mu.Lock()
	r.next, r.owing = next, nil
	r.mu.Unlock()
	r.d.changed.say()
	r.saveWhenDue()
	return nil
}

// rewind goes back to the last snapshot, because what was read since could not be written down.
func (r *reader) rewind() error {
	r.saver.wait()
	fresh, err := newReader(r.d)
	if err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.parser, r.detector, r.next, r.mute, r.hours = fresh.parser, fresh.detector, fresh.next, fresh.mute, fresh.hours
	r.kept, r.owing, r.watchHits, r.saver.next = fresh.kept, fresh.owing, fresh.watchHits, fresh.saver.next
	r.counted, r.hits, r.refill, r.gathered = fresh.counted, fresh.hits, fresh.refill, fresh.gathered
	r.forgetAgain() // what was ordered meanwhile
	return nil
}

// match runs lines through parser and rules.
func (r *reader) match(blocks []archive.Block) (changes []told, next int64) {
	wishes := r.d.wishes()
	r.mu.Lock()
	defer r.mu.Unlock()
	lists := r.d.lists.set.Load()
	next = r.next
	for _, b := range blocks {
		for _, l := range b.Lines {
			if l.Seq >= r.mute {
				changes = append(changes, r.unmute()...)
			}
			for part := range intake.Parts(l.Raw) {
				l.Raw = part
				changes = append(changes, r.matchLine(l, b, wishes, lists)...)
			}
			next = l.Seq + 1
		}
	}
	if next >= r.mute {
		changes = append(changes, r.unmute()...)
	}
	return changes, next
}

// matchLine runs one line of a block, or one event of a line that holds several.
func (r *reader) matchLine(l record.Line, b archive.Block, wishes []wish, lists *tuning.Set) (changes []told) {
	rec, received := &r.record, b.Received
	r.parser.ParseInto(rec, l, received)
	r.clamp(rec, received)
	start, watched := r.d.archive.StartedAt(b.Agent, l.File)
	if l.Seq >= r.counted {
		r.count(rec)
		if r.signin(rec, received, start, wishes) {
			r.d.owes()
		}
	}
	r.mark(lists, rec, l.Seq >= r.counted)
	if l.Seq >= r.mute {
		r.back = append(r.back, comebacks(r.d.returns.set.Load(), rec, l.Seq)...)
	}
	// Logs tell the second: what comes in that of the start is live, not history.
	start = start.Truncate(time.Second)
	step := r.detector.Step
	if at := cmp.Or(rec.Time, r.detector.Newest()); watched && at.Before(start) {
		step = r.detector.StepPast
	}
	changed := step(rec)
	r.countHits(rec, l.Seq < r.counted)
	for _, c := range changed {
		if l.Seq < r.mute {
			continue
		}
		if c.Step == detect.Raised {
			r.hour(rec.Time).Alerts++
		}
		changes = append(changes, told{c, c.Alert.Past && watched && c.Alert.Last.Before(start)})
	}
	return changes
}

// unmute raises, once, what the windows that were filled silently hold: attacks that go on. Those that the ledger knows are
// dropped by it; those of a new or changed rule are new to it.
func (r *reader) unmute() (changes []told) {
	if r.mute == 0 {
		return nil
	}
	r.mute = 0
	r.takeOver()
	start, watched := r.d.archive.FirstStart()
	for _, a := range r.detector.Alerts() {
		changes = append(changes, told{detect.Change{Step: detect.Raised, Alert: a}, a.Past || watched && a.Last.Before(start)})
	}
	return changes
}

// aheadAtMost is how far in the future a stamp may lie when its line is read: more is a wrong clock or zone.
const aheadAtMost = 2 * time.Minute

// clamp takes a stamp that lies in the future as the time at which its line was read: one log with a wrong clock must not push
// the records of all others out of their windows.
func (r *reader) clamp(rec *record.Record, received time.Time) {
	by := rec.Time.Sub(received)
	if rec.Time.IsZero() || by <= aheadAtMost {
		if len(r.ahead) > 0 {
			delete(r.ahead, lineSource(rec.Line))
		}
		return
	}
	if name := lineSource(rec.Line); roomFor(rec.Line, len(r.ahead)) || r.ahead[name] != 0 {
		r.ahead[name] = by
	}
	rec.Time = received.UTC()
}

func (r *reader) hour(t time.Time) *Hour {
	k := t.Unix() / 3600
	h := r.hours[k]
	if h == nil {
		h = &Hour{}
		r.hours[k] = h
		if len(r.hours) > hoursKept {
			oldest := k
			for o := range r.hours {
				oldest = min(oldest, o)
			}
			delete(r.hours, oldest)
		}
	}
	return h
}

// lineSource is how a line's log is called on screens: its file, with the host when it is another.
func lineSource(l record.Line) string {
	if l.Host == "" {
		return l.File
	}
	return l.Host + ":" + l.File
}

// roomFor reports whether something of one more log is kept for screens. Half of the room is this host's own.
func roomFor(l record.Line, has int) bool {
	return has < maxSources/2 || l.Host == "" && has < maxSources
}

const (
	maxSources   = 1000 // of which screens show such things
	unparsedKept = 10   // of a file
	unparsedLong = 500  // bytes of each
)

func (r *reader) count(rec *record.Record) {
	if rec.Class == record.Empty || rec.Class == record.Header {
		return
	}
	if !rec.Time.IsZero() {
		r.hour(rec.Time).Records++
	}
	if rec.Class != record.Unparsed {
		return
	}
	if !rec.Time.IsZero() {
		r.hour(rec.Time).Unparsed++
	}
	raw := rec.Line.Raw[:min(len(rec.Line.Raw), unparsedLong)]
	name := lineSource(rec.Line)
	if _, there := r.unparsed[name]; !there && !roomFor(rec.Line, len(r.unparsed)) {
		return
	}
	list := append(r.unparsed[name], strings.Clone(raw))
	r.unparsed[name] = list[max(0, len(list)-unparsedKept):]
}

// A Reading is how far detection is, for screens.
type Reading struct {
	Next, Last int64 // the line to read next, the last archived one
	Gap        int64 // lines that expired unread
	Fault      string
	Hours      []HourAt // oldest first, without holes
	Counts     []intake.Count
	Unparsed   map[string][]string
	Stats      detect.Stats
	Broken     []detect.Broken
	Ahead      map[string]time.Duration // files whose clock or zone is wrong, and by how much they are ahead
}

// An HourAt is an Hour and when it began.
type HourAt struct {
	At time.Time
	Hour
}

// Lag is how many archived lines wait to be read.
func (r Reading) Lag() int64 { return max(0, r.Last+1-r.Next) }

// Reading returns how far detection is.
func (d *Desk) Reading() Reading {
	r := d.reader
	r.mu.Lock()
	defer r.mu.Unlock()
	x := Reading{Next: r.next, Last: d.archive.Last(), Gap: r.gap, Fault: r.fault, Unparsed: map[string][]string{},
		Counts: r.parser.Counts(), Stats: r.detector.Stats(), Broken: r.detector.Broken(), Ahead: maps.Clone(r.ahead)}
	for f, l := range r.unparsed {
		x.Unparsed[f] = slices.Clone(l)
	}
	var keys []int64
	for k := range r.hours {
		keys = append(keys, k)
	}
	if len(keys) == 0 {
		return x
	}
	slices.Sort(keys)
	last := keys[len(keys)-1]
	for k := max(keys[0], last-hoursKept+1); k <= last; k++ {
		h := HourAt{At: time.Unix(k*3600, 0).UTC()}
		if v := r.hours[k]; v != nil {
			h.Hour = *v
		}
		x.Hours = append(x.Hours, h)
	}
	return x
}
