package detect

import "time"

// A timekeeper follows the records' time. One line with a wrong clock must not end every alert and empty every window,
// so a time more than a day away from the newest is believed only when confirm records in a row agree on it.
type timekeeper struct {
	newest int64 // nanoseconds since 1970; 0: no record yet
	far    int64 // the time far away that records in a row are near to
	farN   int64
}

const (
	farAway = int64(24 * time.Hour)
	confirm = 3
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
	if k.farN == 0 || away(at, k.far) > farAway {
		k.far, k.farN = at, 0
	}
	if k.farN++; k.farN >= confirm {
		k.newest, k.farN = at, 0
	}
}

func away(a, b int64) int64 { return max(a-b, b-a) }
