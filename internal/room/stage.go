package room

import "time"

const (
	restBefore = 500 * time.Millisecond // of silence, before another may take over a speaker's place
	pause      = 200 * time.Millisecond // between two packets, after which the next begins a new turn
)

// A stage decides who is forwarded. Each of its places is a lane to every listener. Whoever sends gets a free place;
// when none is free, who is loud gets the place of whoever has been quiet for longest.
type stage struct {
	places [Speakers]place
	turns  uint64 // counts up with each turn
}

type place struct {
	seat int // 0: free
	turn uint64
	loud time.Time // when it was last loud, or taken
	last time.Time // when its last packet came
}

// take returns the place of a seat whose packet has come, and the number of its turn: packets of one turn follow each other, and
// between two turns there is a gap. False: the packet is not forwarded.
func (s *stage) take(seat int, loud bool, now time.Time) (at int, turn uint64, ok bool) {
	at, free, rested := -1, -1, -1
	for i, p := range s.places {
		switch {
		case p.seat == seat:
			at = i
		case p.seat == 0:
			if free < 0 {
				free = i
			}
		case now.Sub(p.loud) >= restBefore && (rested < 0 || p.loud.Before(s.places[rested].loud)):
			rested = i
		}
	}
	if at < 0 {
		switch {
		case free >= 0:
			at = free
		case loud && rested >= 0:
			at = rested
		default:
			return 0, 0, false
		}
		s.turns++
		s.places[at] = place{seat: seat, turn: s.turns, loud: now, last: now}
		return at, s.turns, true
	}
	p := &s.places[at]
	if now.Sub(p.last) > pause {
		s.turns++
		p.turn = s.turns
	}
	p.last = now
	if loud {
		p.loud = now
	}
	return at, p.turn, true
}

// give frees the place of a seat that is muted or gone.
func (s *stage) give(seat int) {
	for i := range s.places {
		if s.places[i].seat == seat {
			s.places[i] = place{}
		}
	}
}
