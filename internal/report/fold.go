package report

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"tocsin/internal/entry"
)

// A State is all reports, folded from the ledger. One goroutine at a time; what it hands out is not to be changed.
type State struct {
	cases    map[int64]*Case
	order    []int64 // ids, oldest first
	receipts map[string]int64
	once     map[string]bool // messages of reporters, by what they came as
	buckets  map[int64][]int64
	last     int64
	fresh    map[int64]bool // what came in the wave since somebody looked: reports, or those with new messages
	waits    map[int64]bool // see Waits

	hour   time.Time // beginning of the hour in which reports of their own are counted
	alone  int       // how many stood alone in it
	bucket int64     // the bucket of it; 0 has none yet

	Wave    Wave
	Key     entry.ReportKey   // to which reports are sealed now
	Keys    []entry.ReportKey // all, oldest first: older reports are opened with older ones
	Text    entry.SecurityText
	Guesses entry.ReportGuesses // of the last hour in which receipts were wrong
}

// NewState is the state before the first entry.
func NewState() *State {
	return &State{cases: map[int64]*Case{}, receipts: map[string]int64{}, once: map[string]bool{}, buckets: map[int64][]int64{}, fresh: map[int64]bool{}, waits: map[int64]bool{}}
}

// Fold takes one entry in. Kinds that are not of reports pass. An error means that the ledger holds what this program would not have
// written.
func (s *State) Fold(e entry.Entry) error {
	switch e.Kind {
	case entry.ReportFiled:
		r, err := entry.Body[entry.Report](e)
		if err != nil {
			return err
		}
		s.turn(e.Time)
		s.alone++
		return s.add(e, r)
	case entry.ReportBundled:
		b, err := entry.Body[entry.ReportBundle](e)
		if err != nil {
			return err
		}
		s.turn(e.Time)
		s.bucket = b.Bucket
		for _, r := range b.Reports {
			if err := s.add(e, r); err != nil {
				return err
			}
			s.buckets[b.Bucket] = append(s.buckets[b.Bucket], r.ID)
		}
		return nil
	case entry.ReportRead, entry.ReportOpened, entry.ReportJoined, entry.ReportAnswered, entry.ReportClosed, entry.ReportSpam, entry.ReportReopened:
		st, err := entry.Body[entry.ReportStep](e)
		if err != nil {
			return err
		}
		return s.step(e, st)
	case entry.ReportTold:
		m, err := entry.Body[entry.ReportMessage](e)
		if err != nil {
			return err
		}
		return s.told(e, m)
	case entry.ReportRung, entry.ReportGrew:
		w, err := entry.Body[entry.ReportWave](e)
		if err != nil {
			return err
		}
		s.rung(e, w)
		return nil
	}
	return s.foldRest(e)
}

func (s *State) foldRest(e entry.Entry) (err error) {
	switch e.Kind {
	case entry.ReportGuessed:
		s.Guesses, err = entry.Body[entry.ReportGuesses](e)
	case entry.ReportKeyMade:
		s.Key, err = entry.Body[entry.ReportKey](e)
		s.Keys = append(s.Keys, s.Key)
	case entry.SecurityTextPut:
		s.Text, err = entry.Body[entry.SecurityText](e)
	}
	return err
}

// turn begins a new hour of reports that stand alone.
func (s *State) turn(now time.Time) {
	if s.hour.IsZero() || now.Sub(s.hour) >= time.Hour || now.Before(s.hour) {
		s.hour, s.alone, s.bucket = now, 0, 0
	}
}

func (s *State) add(e entry.Entry, r entry.Report) error {
	if r.ID != s.last+1 {
		return fmt.Errorf("entry %d (%s): report %d does not follow report %d", e.N, e.Kind, r.ID, s.last)
	}
	s.wave(e.Time, r.ID)
	s.last = r.ID
	c := &Case{Report: r, Standing: New}
	s.cases[r.ID] = c
	s.order = append(s.order, r.ID)
	s.note(c)
	if r.Receipt != "" {
		s.receipts[r.Receipt] = r.ID
	}
	return nil
}

func (s *State) step(e entry.Entry, st entry.ReportStep) error {
	ids := []int64{st.ID}
	if st.Bucket {
		ids = s.buckets[st.ID]
	}
	for _, id := range ids {
		c, ok := s.cases[id]
		if !ok {
			return fmt.Errorf("entry %d (%s): there is no report %d", e.N, e.Kind, id)
		}
		if st.Bucket && (c.Apart || c.Done() && e.Kind != entry.ReportReopened || !covered(st.Spans, id)) {
			continue // somebody had dealt with it by itself, or it is not meant
		}
		c.take(e, st)
		s.note(c)
		s.looked(id)
		if st.Message != nil && st.Message.ID == id {
			c.Thread = append(c.Thread, Message{*st.Message, true, st.Person})
		}
	}
	return nil
}

// covered reports whether a step about a bucket holds for one of its reports.
func covered(spans []entry.ReportSpan, id int64) bool {
	k, is := slices.BinarySearchFunc(spans, id, func(x entry.ReportSpan, id int64) int { return cmp.Compare(x.From, id) })
	return len(spans) == 0 || is || k > 0 && id <= spans[k-1].To
}

// note keeps whether a report waits for somebody.
func (s *State) note(c *Case) {
	delete(s.waits, c.ID)
	if c.Waits() {
		s.waits[c.ID] = true
	}
}

// take changes the standing of one report.
func (c *Case) take(e entry.Entry, st entry.ReportStep) {
	c.Steps = append(c.Steps, Step{e.Time, e.Kind, st.Person, st.Incident, st.Text})
	if st.Bucket { // which opened none of them: what nobody has read waits again when the bucket is taken up again
		c.Passed += c.Unread
	} else {
		c.Passed = 0
		if c.Reader == "" {
			c.Reader = st.Person
		}
	}
	c.Unread = 0
	c.Apart = c.Apart || !st.Bucket && st.Incident != 0
	switch e.Kind {
	case entry.ReportRead:
		if c.Standing == New {
			c.Standing = Read
		}
	case entry.ReportOpened:
		c.Standing, c.Incident = Opened, st.Incident
	case entry.ReportJoined:
		c.Standing, c.Incident = Joined, st.Incident
	case entry.ReportAnswered:
		if c.Standing == New || c.Standing == Read {
			c.Standing = Answered
		}
	case entry.ReportClosed:
		c.Standing = Closed
	case entry.ReportSpam:
		c.Standing = Spam
	case entry.ReportReopened:
		c.Unread, c.Passed = c.Passed, 0
		switch {
		case c.Incident != 0:
			c.Standing = Joined
		case c.Reader == "":
			c.Standing = New
		default:
			c.Standing = Read
		}
	}
}

func (s *State) told(e entry.Entry, m entry.ReportMessage) error {
	c, ok := s.cases[m.ID]
	if !ok {
		return fmt.Errorf("entry %d (%s): there is no report %d", e.N, e.Kind, m.ID)
	}
	if m.Once != "" {
		s.once[m.Once] = true
	}
	c.Thread = append(c.Thread, Message{m, false, ""})
	c.Unread++
	if c.Standing == Answered {
		c.Standing = Read
	}
	s.note(c)
	if c.Standing != Spam { // who was taken for spam does not ring again
		s.wave(e.Time, m.ID)
	}
	return nil
}

// Case returns a report.
func (s *State) Case(id int64) (*Case, bool) { c, ok := s.cases[id]; return c, ok }

// Find returns the report of a receipt's keyed hash (Hash). The map's look-up takes no longer for a hash that is nearly right: what is
// looked up is a keyed hash, of which a stranger can choose no part.
func (s *State) Find(hash string) (*Case, bool) {
	id, ok := s.receipts[hash]
	if !ok || hash == "" {
		return nil, false
	}
	return s.cases[id], true
}

// Told reports whether a message of a reporter came as this already (Written.Once).
func (s *State) Told(once string) bool { return s.once[once] }

// Cases returns all reports, newest first. A bucket stands once, as its first report (Bucket has all).
func (s *State) Cases() []*Case {
	out := make([]*Case, 0, len(s.order))
	for _, id := range slices.Backward(s.order) {
		if c := s.cases[id]; c.Bucket == 0 || c.Bucket == id {
			out = append(out, c)
		}
	}
	return out
}

// Has reports whether an incident has a report.
func (s *State) Has(incident int64) bool {
	for _, c := range s.cases {
		if c.Incident == incident {
			return true
		}
	}
	return false
}

// Unfinished are the reports that belong to an incident and are not dealt with, oldest first.
func (s *State) Unfinished() (out []*Case) {
	for _, id := range s.order {
		if c := s.cases[id]; c.Incident != 0 && !c.Done() {
			out = append(out, c)
		}
	}
	return out
}

// Bucket returns the reports of a bucket, oldest first.
func (s *State) Bucket(first int64) []*Case {
	out := make([]*Case, 0, len(s.buckets[first]))
	for _, id := range s.buckets[first] {
		out = append(out, s.cases[id])
	}
	return out
}

// Waiting are the reports that nobody has opened, or that have messages that nobody has, in no order.
func (s *State) Waiting() []*Case {
	out := make([]*Case, 0, len(s.waits))
	for id := range s.waits {
		out = append(out, s.cases[id])
	}
	return out
}

func subject(id int64) string { return fmt.Sprintf("report:%d", id) }
