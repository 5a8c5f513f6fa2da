package detect

import "time"

const (
	doubtSets     = 1024
	doubtWays     = 8
	doubtFailures = 5
	doubtFailing  = time.Hour
)

// doubts are the addresses under suspicion: a table of fixed size, in which an address stands in one of the ways of its set. A full
// set loses the address that nothing was heard of for longest.
type doubts struct {
	sets []doubt
	lost int64
}

// A doubt is what speaks against an address.
type doubt struct {
	Key    uint64
	Named  int64 // when an alert named it as suspect last
	Failed int64 // when it failed to sign in last
	Fails  int64 // in a row, with at most doubtFailing between two
	Broke  int64 // when it had failed doubtFailures times, the last time
}

func newDoubts() doubts { return doubts{} }

func (x *doubt) last() int64 { return max(x.Named, x.Failed) }

// textKey is a number for a text.
func textKey(s string) uint64 {
	key := uint64(14695981039346656037) // FNV-1a
	for i := range len(s) {
		key = (key ^ uint64(s[i])) * 1099511628211
	}
	return max(key, 1) // 0 is nobody
}

// set is where an address may stand.
func (t *doubts) set(key uint64) []doubt {
	if t.sets == nil {
		t.sets = make([]doubt, doubtSets*doubtWays)
	}
	i := int(key%doubtSets) * doubtWays
	return t.sets[i : i+doubtWays]
}

// of returns the place of an address, a new one if it has none. Places that say nothing any more are free.
func (t *doubts) of(ip string, at int64) *doubt {
	key := textKey(ip)
	set := t.set(key)
	oldest := &set[0]
	for i := range set {
		if set[i].Key == key {
			return &set[i]
		}
		if set[i].last() < oldest.last() {
			oldest = &set[i]
		}
	}
	if oldest.Key != 0 && at-oldest.last() < int64(doubtSpan) {
		t.lost++
	}
	*oldest = doubt{Key: key}
	return oldest
}

// failed notes a sign-in that failed.
func (t *doubts) failed(ip string, at int64) {
	x := t.of(ip, at)
	if at-x.Failed > int64(doubtFailing) {
		x.Fails = 0
	}
	x.Failed = max(x.Failed, at)
	if x.Fails++; x.Fails >= doubtFailures {
		x.Broke = x.Failed
	}
}

// named notes that an alert names an address as suspect.
func (t *doubts) named(ip string, at int64) {
	x := t.of(ip, at)
	x.Named = max(x.Named, at)
}

// doubtful reports whether an address is under suspicion.
func (t *doubts) doubtful(ip string, at int64) bool {
	if t.sets == nil || ip == "" {
		return false
	}
	key := textKey(ip)
	for _, x := range t.set(key) {
		if x.Key == key {
			return x.Named != 0 && at-x.Named < int64(doubtSpan) || x.Broke != 0 && at-x.Broke < int64(doubtSpan)
		}
	}
	return false
}
