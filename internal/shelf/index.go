package shelf

import (
	"hash/maphash"
	"math"
	"strings"
)

// A valueIndex finds the places of a column's values while it grows. It is a table with open addresses, at most half full, which is quicker than a map
// and keeps no text twice.
type valueIndex struct {
	seed  maphash.Seed
	slots []valueSlot
	used  int
	texts *arena

	numbered bool // a value has a number
}

type valueSlot struct {
	hash  uint32
	place uint32 // 1 + place; 0: free
}

func newValueIndex(texts *arena) *valueIndex {
	return &valueIndex{seed: maphash.MakeSeed(), slots: make([]valueSlot, 16), texts: texts}
}

// place is 1 + the place of a value; a new one gets one. Values are the same when their texts and their numbers are.
func (x *valueIndex) place(c *Column, text string, number float64, whole bool) uint32 {
	h := uint32(maphash.String(x.seed, text))
	if !whole && number == number {
		h ^= uint32(math.Float64bits(number)>>32) * 0x9e3779b1
	}
	mask := uint32(len(x.slots) - 1)
	at := h & mask
	for ; x.slots[at].place != 0; at = (at + 1) & mask {
		s := x.slots[at]
		if s.hash != h {
			continue
		}
		if c.Values[s.place-1] != text {
			continue
		}
		if !x.numbered { // no value has a number by now
			if number != number {
				return s.place
			}
		} else if n := c.Numbers[s.place-1]; n == number || n != n && number != number {
			return s.place
		}
	}
	c.Values, c.Numbers = append(c.Values, x.texts.clone(text)), append(c.Numbers, number)
	c.Whole = c.Whole && whole
	x.numbered = x.numbered || number == number
	place := uint32(len(c.Values))
	x.slots[at] = valueSlot{h, place}
	if x.used++; 2*x.used > len(x.slots) {
		x.grow()
	}
	return place
}

func (x *valueIndex) grow() {
	old := x.slots
	x.slots = make([]valueSlot, 4*len(old))
	mask := uint32(len(x.slots) - 1)
	for _, s := range old {
		if s.place == 0 {
			continue
		}
		at := s.hash & mask
		for x.slots[at].place != 0 {
			at = (at + 1) & mask
		}
		x.slots[at] = s
	}
}

// An arena keeps copies of texts, many in one piece of memory.
type arena struct {
	room *strings.Builder
}

const arenaBytes = 64 << 10

func (a *arena) clone(s string) string {
	if len(s) > arenaBytes/8 {
		return strings.Clone(s)
	}
	if a.room == nil || a.room.Cap()-a.room.Len() < len(s) {
		a.room = new(strings.Builder)
		a.room.Grow(arenaBytes)
	}
	from := a.room.Len()
	a.room.WriteString(s)
	return a.room.String()[from:]
}

// canonical reports whether a text is a number as strconv.FormatInt writes it.
func canonical(s string, n int64) bool {
	digits := s
	if n < 0 {
		if s == "" || s[0] != '-' {
			return false
		}
		digits = s[1:]
	}
	if digits == "" || len(digits) > 19 || digits[0] == '0' && s != "0" {
		return false
	}
	var x uint64
	for i := range len(digits) {
		d := digits[i] - '0'
		if d > 9 {
			return false
		}
		x = x*10 + uint64(d)
	}
	return n >= 0 && x == uint64(n) || n < 0 && x == -uint64(n)
}
