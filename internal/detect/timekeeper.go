package detect

import "time"

// A timekeeper follows the records' time. One line with a wrong clock must not end every alert and empty every window,
// so a time more than a day away from the newest is believed only when confirm records in a row agree on it: each is within
// a day of the one before it, or, of times ahead, later than that by no more than farAhead, which is how a log goes on that has
// a line a day or a week.
type timekeeper struct {
	newest int64 // nanoseconds since 1970; 0: no record yet
	far    int64 // the time far away of the last record
	farN   int64 // how many in a row agree on it
}

const (
	farAway = int64(24 * time.Hour)
	confirm = 3

	// timeless is how many seconds from 1970 a time is none: nanoseconds beyond would not fit into 64 bits with a timespan added.
	timeless = 7_500_000_000
)

func (k *timekeeper) see(at int64) {
	if k.newest == 0 {
		k.newest = at
		return
	}
	if away(at, k.newest) <= farAway {
		k.newest = max(k.newest, at)
		k.farN = 0
		return
	}
	if goesOn := k.far > k.newest && at > k.far && at-k.far <= farAhead; away(at, k.far) > farAway && !goesOn {
		k.farN = 0
	}
	k.far = at
	if k.farN++; k.farN >= confirm {
		k.newest, k.farN = at, 0
	}
}

func away(a, b int64) int64 { return max(a-b, b-a) }

// sound reports whether a time is one that can be reckoned with.
func sound(t time.Time) bool {
	s := t.Unix()
	return !t.IsZero() && s > -timeless && s < timeless
}
