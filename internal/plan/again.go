package plan

import (
	"iter"
	"time"

	"tocsin/internal/entry"
)

// An attempt is a try to reach a person: its number, the failed one that it repeats, and the message, which stays the same over its repeats.
type attempt struct {
	try, again int
	message    string
}

// repeatAt says when a failed attempt is worth another one, if its failure passes and all the others do not repeat it yet.
func (a attempt) repeatAt(done time.Time, r entry.NoticeResult, others iter.Seq[attempt]) (time.Time, bool) {
	if !r.Temporary {
		return time.Time{}, false
	}
	before := 0
	for o := range others {
		if o.again == a.try {
			return time.Time{}, false
		}
		if o.message == a.message && o.try < a.try {
			before++
		}
	}
	if before >= noticeAgains {
		return time.Time{}, false
	}
	return done.Add(max(min(firstAgain<<before, lastAgain), r.After)), true
}
