package detect

import (
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
// time. A host must not hold the others back for ever: it has an hour and a quarter of their time at most, and a quarter of what it was late
// and a quarter of an hour when that is less. Then its records count as late (Stats.Late), until it is at the present again:
// its clock is wrong, most likely.

const (
	catchUp   = 15 * time.Minute // that a lane has in any case
	catchMost = time.Hour        // that it has besides, when a quarter of what it is late is more
	maxLanes  = 4096             // hosts beyond share a lane
)

// A lane is one host's time.
type lane struct {
	host   string
	time   timekeeper
	behind bool  // it holds the watermark back
	slow   bool  // it may not any more
	until  int64 // the time of all at which it becomes slow
}

type lanes struct {
	by     map[string]*lane
	last   *lane   // that was seen last
	behind []*lane // those that hold the watermark back
}

func newLanes() lanes { return lanes{by: map[string]*lane{}} }

// of returns the lane of a host.
func (ls *lanes) of(host string) *lane {
	if ls.last != nil && ls.last.host == host {
		return ls.last
	}
	l := ls.by[host]
	if l == nil {
		if len(ls.by) >= maxLanes {
			host = "..."
		}
		if l = ls.by[host]; l == nil {
			l = &lane{host: strings.Clone(host)}
			ls.by[l.host] = l
		}
	}
	ls.last = l
	return l
}

// see goes on to the time of a record of a host, and returns the time of all.
func (ls *lanes) see(host string, at, newest, lateness int64) int64 {
	l := ls.of(host)
	was := l.time.newest
	l.time.see(at)
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
	ls.judge(l, newest, lateness)
	return newest
}

// judge says which lanes hold the watermark back. l is the one that a record came from.
func (ls *lanes) judge(l *lane, newest, lateness int64) {
	late := newest - l.time.newest
	switch {
	case late <= lateness:
		l.slow = false
	case !l.behind && !l.slow:
		l.behind = true
		l.until = newest + int64(catchUp) + min(late/4, int64(catchMost))
		ls.behind = append(ls.behind, l)
	}
	if len(ls.behind) == 0 {
		return
	}
	ls.behind = slices.DeleteFunc(ls.behind, func(o *lane) bool {
		caught := newest-o.time.newest <= lateness
		over := newest > o.until
		if caught || over {
			o.behind, o.slow = false, over && !caught
		}
		return !o.behind
	})
}

// oldest is the time of the lane that holds the watermark back furthest, or newest when none does.
func (ls *lanes) oldest(newest int64) int64 {
	for _, l := range ls.behind {
		newest = min(newest, l.time.newest)
	}
	return newest
}

// laneForm is a lane in a snapshot.
type laneForm struct {
	Host      string
	Newest    int64
	Far, FarN int64
	Behind    bool
	Slow      bool
	Until     int64
}

func (ls *lanes) form() (out []laneForm) {
	for _, l := range ls.by {
		out = append(out, laneForm{l.host, l.time.newest, l.time.far, l.time.farN, l.behind, l.slow, l.until})
	}
	slices.SortFunc(out, func(a, b laneForm) int {
		if a.Host < b.Host {
			return -1
		}
		return 1
	})
	return out
}

// lanesOf makes lanes of a snapshot. One without lanes, of a program that had none, has the lane of this host.
func lanesOf(s *snapshot) lanes {
	ls := newLanes()
	if len(s.Lanes) == 0 && s.Newest != 0 {
		s.Lanes = []laneForm{{Newest: s.Newest, Far: s.Far, FarN: s.FarN}}
	}
	for _, f := range s.Lanes {
		l := &lane{host: f.Host, time: timekeeper{f.Newest, f.Far, f.FarN}, behind: f.Behind, slow: f.Slow, until: f.Until}
		if ls.by[f.Host] = l; l.behind {
			ls.behind = append(ls.behind, l)
		}
	}
	return ls
}
