package report

import (
	"time"

	"tocsin/internal/entry"
)

// A Wave is what came since the team was last called for reports.
//
//	something comes ── call ── somebody opens one of it: Seen ── more comes ── the wave is over: call again for what nobody opened
type Wave struct {
	First int64         // the report with which it began; 0 is none
	Count int           // reports and messages in it
	Told  int           // the count that was last written down
	Rung  time.Time     // when the team was called; zero when it was not yet
	Seen  bool          // somebody of the team has opened one of it since
	Lasts time.Duration // from Rung on; see WaveLasts
}

// WaveLasts is how long a wave takes in what comes, once the team was called: in that time nobody is called again for reports. After a wave
// of which all was dropped as no report it is twice as long, up to WaveLongest, so that one stranger with a report an hour is no bell every hour.
const (
	WaveLasts   = time.Hour
	WaveLongest = 4 * time.Hour
)

// aheadMost is how far ahead of the clock a call may lie: whoever asks looked at the clock a little before the call was written. One that lies further
// ahead was timed by a clock that ran ahead, and was set back since.
const aheadMost = time.Minute

// Over reports whether a wave takes in no more. One whose call lies in the time to come is over, too: else nobody would be called until the clock gets there.
func (w Wave) Over(now time.Time) bool {
	past := now.Sub(w.Rung)
	return !w.Rung.IsZero() && (past >= w.Lasts || past < -aheadMost)
}

// wave counts what came. After a wave's end it begins the next one, and so it does when somebody saw all of it before anybody was called.
func (s *State) wave(now time.Time, id int64) {
	if w := s.Wave; w.First == 0 || w.Seen && w.Rung.IsZero() || w.Over(now) {
		first, late := s.late()
		if !w.Seen || late == 0 {
			first, late = id, 0
			clear(s.fresh)
		}
		s.Wave = Wave{First: first, Count: late, Lasts: s.nextLasts()}
	}
	s.Wave.Count++
	s.fresh[id] = true
}

// late are the first report of those that came since somebody looked at the wave, and how many they are.
func (s *State) late() (first int64, count int) {
	for id := range s.fresh {
		if first == 0 || id < first {
			first = id
		}
	}
	return first, len(s.fresh)
}

// nextLasts is how long the wave after the present one takes.
func (s *State) nextLasts() time.Duration {
	w := s.Wave
	if !w.Seen || w.Rung.IsZero() {
		return WaveLasts
	}
	for id := w.First; id <= s.last; id++ {
		if s.cases[id].Standing != Spam && !s.fresh[id] {
			return WaveLasts
		}
	}
	return min(2*w.Lasts, WaveLongest)
}

// rung folds that the team was called, or that the count was written down.
func (s *State) rung(e entry.Entry, w entry.ReportWave) {
	if e.Kind == entry.ReportRung {
		if !s.Wave.Rung.IsZero() || w.First != s.Wave.First { // called again, for what came after somebody had looked
			s.Wave = Wave{First: w.First, Count: w.Count, Lasts: s.nextLasts()}
		}
		s.Wave.Rung = e.Time
	}
	s.Wave.Told = w.Count
}

// looked folds that somebody of the team did something with a report. Only one of the wave counts: who closes a report of last week has
// not seen what came tonight.
func (s *State) looked(id int64) {
	switch {
	case !s.fresh[id]:
	case s.Wave.Seen:
		delete(s.fresh, id)
	default:
		s.Wave.Seen = true
		clear(s.fresh)
	}
}

// A Debt is what must be done next about reports as a whole.
type Debt struct {
	Ring  bool // call the team; else only write the count down, and show it on the call that rings
	First int64
	Count int
}

// Owed returns what is due, and when to ask again; zero is when something comes. A wave is called for once; then its count is written down at
// each tenfold. What comes after somebody had looked is called for when the wave is over, if nobody has opened it until then.
func Owed(s *State, now time.Time) (debts []Debt, again time.Time) {
	w := s.Wave
	switch {
	case w.First == 0 || w.Seen && w.Rung.IsZero():
		return nil, again
	case w.Rung.IsZero():
		return []Debt{{true, w.First, w.Count}}, again
	}
	if first, count := s.late(); w.Seen && count > 0 {
		if w.Over(now) {
			return []Debt{{true, first, count}}, again
		}
		again = w.Rung.Add(w.Lasts)
	}
	if w.Count >= 10*max(w.Told, 1) {
		return []Debt{{false, w.First, w.Count}}, again
	}
	return nil, again
}

// Draft is the entry that says that the debt is done.
func (d Debt) Draft() entry.Draft {
	kind := entry.ReportGrew
	if d.Ring {
		kind = entry.ReportRung
	}
	return entry.Draft{Actor: "desk", Kind: kind, Subject: subject(d.First), Body: entry.ReportWave{First: d.First, Count: d.Count}}
}
