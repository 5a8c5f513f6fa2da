package detect

import (
	"math"
	"slices"
	"strings"
	"time"
)

// # Hosts that come late
//
// The lines of one host come in order, more or less. Those of different hosts need not: an agent that was cut off for an hour sends that
// hour while others are at the present, and one that has just joined tells of the weeks before. So each host has its own clock, a lane.
// The time of all is that of the lane furthest ahead. A lane that is later than Options.Lateness holds the watermark back at its
// own time until it has caught up, so that windows reach what it brings, and what is learnt of its hour is learnt as if it had come in
// time.
//
// A host must not hold the others back for ever, by a wrong clock or by intent. It may for a minute of their time at first; when three
// records have come, for a quarter of an hour, and a quarter of what it is late but no more than an hour; and all that it held comes off the next
// time, until it was at the present for eight times as long. Then its records count as late (Stats.Late), until it is at the present again.

const (
	firstHold = time.Minute      // that a lane may hold back for whatever it brought
	catchUp   = 15 * time.Minute // that it may when it has brought some records
	catchMost = time.Hour        // that it may besides, when a quarter of what it is late is more
	payBack   = 8                // times what it held, until that is forgotten
	maxLanes  = 4096             // hosts beyond take the place of the one that was not heard of for longest
	sweepLane = 10 * time.Second // of the time of all, between two looks at all that hold back
)

// A lane is one host's time.
type lane struct {
	host   string
	time   timekeeper
	behind bool  // it holds the watermark back
	slow   bool  // it may not any more
	came   int   // records since it fell behind
	late   int64 // how much it was then
	since  int64 // the time of all since when it is behind; or, when it is not, since when it is at the present
	debt   int64 // how long it held, not yet forgotten
	ord    int64 // when it was seen last
}

// most is how long it may hold back.
func (l *lane) most() int64 {
	if l.came < confirm {
		return int64(firstHold) - l.debt
	}
	return int64(catchUp) + min(l.late/4, int64(catchMost)) - l.debt
}

type lanes struct {
	by     map[string]*lane
	last   *lane   // that was seen last
	behind []*lane // those that hold the watermark back
	oldest int64   // the time of the one furthest back of them
	swept  int64   // the time of all when they were last looked at
	ord    int64
}

func newLanes() lanes { return lanes{by: map[string]*lane{}} }

// of returns the lane of a host.
func (ls *lanes) of(host string) *lane {
	ls.ord++
	if ls.last != nil && ls.last.host == host {
		ls.last.ord = ls.ord
		return ls.last
	}
	l := ls.by[host]
	if l == nil {
		if len(ls.by) >= maxLanes {
			ls.forget()
		}
		l = &lane{host: strings.Clone(host)}
		ls.by[l.host] = l
	}
	l.ord = ls.ord
	ls.last = l
	return l
}

// forget gives up the lane that was not seen for longest.
func (ls *lanes) forget() {
	var old *lane
	for _, l := range ls.by {
		if old == nil || l.ord < old.ord {
			old = l
		}
	}
	delete(ls.by, old.host)
	if old.behind {
		ls.behind = slices.DeleteFunc(ls.behind, func(l *lane) bool { return l == old })
		ls.measure()
	}
}

// see goes on to the time of a record of a host, and returns the time of all.
func (ls *lanes) see(host string, at, newest, lateness int64) int64 {
	l := ls.of(host)
	was := l.time.newest
	if at > was && at <= newest && was != 0 { // others were there before: nobody else must agree
		l.time.newest, l.time.farN = at, 0
	} else {
		l.time.see(at)
	}
	switch now := l.time.newest; {
	case len(ls.by) == 1:
		return now
	case now > newest:
		newest = now
	case now < was && was == newest: // the one furthest ahead has gone back
		newest = now
		for _, o := range ls.by {
			newest = max(newest, o.time.newest)
		}
	}
	ls.judge(l, was, newest, lateness)
	return newest
}

// judge says which lanes hold the watermark back. l is the one that a record came from, and was at a time before it.
func (ls *lanes) judge(l *lane, was, newest, lateness int64) {
	late := newest - l.time.newest
	switch {
	case late <= lateness && l.behind:
		ls.release(l, newest, lateness)
	case late <= lateness && l.slow:
		l.slow, l.since = false, newest
	case late > lateness && !l.behind && !l.slow:
		l.debt = max(0, l.debt-(newest-l.since)/payBack)
		l.came, l.late = 0, late
		if l.slow = l.most() <= 0; !l.slow {
			l.behind, l.since = true, newest
			ls.behind = append(ls.behind, l)
			ls.measure()
		}
	}
	if l.behind {
		if l.came++; l.came == 1 || was == ls.oldest || l.time.newest < ls.oldest {
			ls.measure()
		}
		if newest-l.since > l.most() {
			ls.release(l, newest, lateness)
		}
	}
	if len(ls.behind) > 0 && (newest-ls.swept > int64(sweepLane) || newest < ls.swept) {
		ls.swept = newest
		for _, o := range slices.Clone(ls.behind) {
			if newest-o.time.newest <= lateness || newest-o.since > o.most() {
				ls.release(o, newest, lateness)
			}
		}
	}
}

// release lets the watermark go on without a lane.
func (ls *lanes) release(l *lane, newest, lateness int64) {
	l.debt += max(0, newest-l.since)
	l.behind, l.slow, l.since = false, newest-l.time.newest > lateness, newest
	ls.behind = slices.DeleteFunc(ls.behind, func(o *lane) bool { return o == l })
	ls.measure()
}

// measure finds how far back the watermark is held.
func (ls *lanes) measure() {
	ls.oldest = math.MaxInt64
	for _, l := range ls.behind {
		ls.oldest = min(ls.oldest, l.time.newest)
	}
}

// holds is the time at which the watermark is held, or newest when nobody holds it.
func (ls *lanes) holds(newest int64) int64 {
	if len(ls.behind) == 0 {
		return newest
	}
	return min(newest, ls.oldest)
}

// laneForm is a lane in a snapshot.
type laneForm struct {
	Host              string
	Newest            int64
	Far, FarN         int64
	Behind, Slow      bool
	Came              int
	Late, Since, Debt int64
	Ord               int64
}

func (ls *lanes) form() (out []laneForm) {
	for _, l := range ls.by {
		out = append(out, laneForm{l.host, l.time.newest, l.time.far, l.time.farN, l.behind, l.slow, l.came, l.late, l.since, l.debt, l.ord})
	}
	slices.SortFunc(out, func(a, b laneForm) int { return strings.Compare(a.Host, b.Host) })
	return out
}

// lanesOf makes lanes of a snapshot. One without lanes, of a program that had none, has the lane of this host.
func lanesOf(s *snapshot) lanes {
	ls := newLanes()
	if len(s.Lanes) == 0 && s.Newest != 0 {
		s.Lanes = []laneForm{{Newest: s.Newest, Far: s.Far, FarN: s.FarN}}
	}
	for _, f := range s.Lanes {
		l := &lane{host: f.Host, time: timekeeper{f.Newest, f.Far, f.FarN}, behind: f.Behind, slow: f.Slow, came: f.Came, late: f.Late, since: f.Since, debt: f.Debt, ord: f.Ord}
		if ls.by[f.Host] = l; l.behind {
			ls.behind = append(ls.behind, l)
		}
		ls.ord = max(ls.ord, l.ord)
	}
	ls.swept = s.Newest
	ls.measure()
	return ls
}
