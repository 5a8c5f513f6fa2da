package detect

import (
	"math"
	"math/bits"
)

// A sketch estimates how many different values a window of value_count has, once they are more than are kept one by one:
// HyperLogLog (Flajolet, Fusy, Gandouet and Meunier, 2007) in slices of the timespan. The standard error is 2.3 percent; a
// window's edge is off by a slice at most.
type sketch struct {
	Slices [sketchSlices]slice
	Fresh  int64 // number of the record that brought the last value that was new for sure
}

type slice struct {
	At    int64 // number of the slice since 1970
	Ranks []uint8
}

const (
	sketchSlices = 16
	sketchBits   = 11 // 2,048 registers: 2 KiB a slice
	sketchWeight = 400
)

// add takes in a value seen at a time by a record. span is the correlation's timespan.
func (s *sketch) add(value uint64, at, ord, span int64) {
	i, rank := value>>(64-sketchBits), uint8(bits.LeadingZeros64(value<<sketchBits|1<<(sketchBits-1)))+1
	k := sliceOf(at, span)
	known := uint8(0)
	for j := range s.Slices {
		if x := &s.Slices[j]; x.Ranks != nil && x.At > k-sketchSlices {
			known = max(known, x.Ranks[i])
		}
	}
	if rank > known {
		s.Fresh = ord
	}
	x := &s.Slices[int(uint64(k)%sketchSlices)]
	if x.Ranks == nil || x.At < k {
		x.At, x.Ranks = k, make([]uint8, 1<<sketchBits)
	}
	if x.At == k {
		x.Ranks[i] = max(x.Ranks[i], rank)
	}
}

func sliceOf(at, span int64) int64 { return at / max(span/(sketchSlices-1), 1) }

// count estimates the values of the slices that a window touches.
func (s *sketch) count(lo, hi, span int64) float64 {
	const m = 1 << sketchBits
	from, to := sliceOf(lo, span), sliceOf(hi, span)
	var all [m]uint8
	for j := range s.Slices {
		x := &s.Slices[j]
		if x.Ranks == nil || x.At < from || x.At > to {
			continue
		}
		for i, r := range x.Ranks {
			all[i] = max(all[i], r)
		}
	}
	sum, zeros := 0.0, 0
	for _, r := range all {
		sum += math.Ldexp(1, -int(r))
		if r == 0 {
			zeros++
		}
	}
	estimate := 0.7213 / (1 + 1.079/m) * m * m / sum
	if estimate <= 2.5*m && zeros > 0 {
		return m * math.Log(m/float64(zeros)) // linear counting
	}
	return estimate
}

func (s *sketch) clone() *sketch {
	if s == nil {
		return nil
	}
	c := *s
	for i := range c.Slices {
		c.Slices[i].Ranks = append([]uint8(nil), s.Slices[i].Ranks...)
	}
	return &c
}
