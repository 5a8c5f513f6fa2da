package query

import (
	"maps"
	"slices"
	"time"
)

const (
	maxMoments = 20000 // buckets that are held while folding
	maxBars    = 120   // of a timeline that chooses its interval
	maxFilled  = 5000  // bars up to which those without lines are shown
)

// bars counts lines by time. Until the interval is chosen, it counts by second; when that are too many it counts by
// minute, then by hour, then by day, each of which is a multiple of the one before and a divisor of what will be chosen then. When that
// happens depends only on which seconds there are, so the result does not depend on the order.
type bars struct {
	zone   *time.Location
	asked  time.Duration // 0: as fits
	every  time.Duration // what is counted by now
	counts map[int64]int64
}

func newBars(asked time.Duration, zone *time.Location) bars {
	return bars{zone: zone, asked: asked, every: max(asked, time.Second), counts: map[int64]int64{}}
}

func (b *bars) add(at time.Time, n int64) {
	b.counts[Bucket(at, b.every, b.zone).Unix()] += n
	for len(b.counts) > maxMoments && b.coarser() {
	}
}

// coarser counts by the next larger step; false when there is none.
func (b *bars) coarser() bool {
	for _, step := range []time.Duration{time.Minute, time.Hour, day, 7 * day, 364 * day} {
		if step > b.every && step%b.every == 0 {
			b.count(step)
			return true
		}
	}
	return false
}

func (b *bars) count(every time.Duration) {
	old := b.counts
	b.every, b.counts = every, map[int64]int64{}
	for at, n := range old {
		b.counts[Bucket(time.Unix(at, 0), every, b.zone).Unix()] += n
	}
}

func (b *bars) merge(o *bars) {
	if o.every > b.every {
		b.count(o.every)
	}
	for at, n := range o.counts {
		b.counts[Bucket(time.Unix(at, 0), b.every, b.zone).Unix()] += n
	}
	for len(b.counts) > maxMoments && b.coarser() {
	}
}

// intervals are what a timeline chooses from, such that there are 30 to 120 bars where time is long enough.
var intervals = []time.Duration{
	time.Second, 2 * time.Second, 5 * time.Second, 10 * time.Second, 15 * time.Second, 30 * time.Second,
	time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute, 15 * time.Minute, 30 * time.Minute,
	time.Hour, 2 * time.Hour, 3 * time.Hour, 6 * time.Hour, 12 * time.Hour,
	day, 2 * day, 7 * day, 14 * day, 28 * day, 84 * day, 364 * day,
}

// Interval returns the interval that a timeline over [from, to] chooses.
func Interval(from, to time.Time) time.Duration {
	for _, d := range intervals {
		if to.Sub(from) <= (maxBars-1)*d { // one more, for where the first begins
			return d
		}
	}
	return intervals[len(intervals)-1]
}

func (b *bars) result(res *Result, q *Query) {
	starts := slices.Sorted(maps.Keys(b.counts))
	from, to := q.Since, q.Until
	if len(starts) > 0 {
		first, last := time.Unix(starts[0], 0), time.Unix(starts[len(starts)-1], 0)
		if from.IsZero() {
			from = first
		}
		if to.IsZero() {
			to = bucketEnd(last, b.every, b.zone)
		}
	}
	if from.IsZero() || to.IsZero() || !from.Before(to) {
		return
	}
	every := b.every
	switch {
	case b.asked == 0:
		every = max(Interval(from, to), b.every)
	case b.every > b.asked:
		res.truncate("There are too many bars of %s: they are of %s.", interval(b.asked), interval(b.every))
	}
	counts := bars{zone: b.zone, every: b.every, counts: b.counts}
	counts.count(every)
	if to.Sub(from)/every <= maxFilled {
		for start := Bucket(from, every, b.zone); start.Before(to); start = bucketEnd(start, every, b.zone) {
			counts.counts[start.Unix()] += 0
		}
	} else {
		res.truncate("Bars without lines are left out.")
	}
	for _, at := range slices.Sorted(maps.Keys(counts.counts)) {
		start := time.Unix(at, 0).In(b.zone)
		n := counts.counts[at]
		res.Bars = append(res.Bars, Bar{start, bucketEnd(start, every, b.zone), n})
		res.Rows = append(res.Rows, []Cell{timeCell(start, b.zone), countCell(n)})
	}
}
