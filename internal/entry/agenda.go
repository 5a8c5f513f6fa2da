package entry

import (
	"container/heap"
	"maps"
	"time"
)

// An Agenda is what falls due when. Folds keep one, so that whoever asks what is due now looks at that, and not at all that is due some time. The zero
// Agenda is empty. Looking at it changes nothing.
type Agenda[K comparable] struct {
	at    map[K]time.Time
	slots slots[K] // a heap by time; one that at does not confirm was changed meanwhile
}

type slot[K comparable] struct {
	key K
	at  time.Time
}

type slots[K comparable] []slot[K]

func (s slots[K]) Len() int           { return len(s) }
func (s slots[K]) Less(i, j int) bool { return s[i].at.Before(s[j].at) }
func (s slots[K]) Swap(i, j int)      { s[i], s[j] = s[j], s[i] }
func (s *slots[K]) Push(x any)        { *s = append(*s, x.(slot[K])) }
func (s *slots[K]) Pop() any {
	last := (*s)[len(*s)-1]
	*s = (*s)[:len(*s)-1]
	return last
}

// Set says when a key falls due, in place of what was said before; the zero time is never.
func (a *Agenda[K]) Set(key K, at time.Time) {
	if was, there := a.at[key]; there && was.Equal(at) {
		return
	}
	if at.IsZero() {
		delete(a.at, key)
	} else {
		if a.at == nil {
			a.at = map[K]time.Time{}
		}
		a.at[key] = at
		heap.Push(&a.slots, slot[K]{key, at})
	}
	for len(a.slots) > 0 && !a.stands(a.slots[0]) {
		heap.Pop(&a.slots)
	}
	if len(a.slots) > 2*len(a.at)+64 {
		a.slots = a.slots[:0]
		for k, t := range a.at {
			a.slots = append(a.slots, slot[K]{k, t})
		}
		heap.Init(&a.slots)
	}
}

func (a *Agenda[K]) stands(s slot[K]) bool {
	at, there := a.at[s.key]
	return there && at.Equal(s.at)
}

// Next is when something falls due next; zero is never.
func (a *Agenda[K]) Next() time.Time {
	if len(a.slots) == 0 {
		return time.Time{}
	}
	return a.slots[0].at
}

// Due returns what is due at a time, in no order.
func (a *Agenda[K]) Due(now time.Time) (keys []K) {
	seen := map[K]bool{}
	for todo := []int{0}; len(todo) > 0; {
		n := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if n >= len(a.slots) || now.Before(a.slots[n].at) {
			continue // what is below it is later still
		}
		if s := a.slots[n]; a.stands(s) && !seen[s.key] {
			seen[s.key] = true
			keys = append(keys, s.key)
		}
		todo = append(todo, 2*n+1, 2*n+2)
	}
	return keys
}

// Equal reports whether two agendas say the same, however they came to it.
func (a Agenda[K]) Equal(b Agenda[K]) bool { return maps.EqualFunc(a.at, b.at, time.Time.Equal) }
