package query

import (
	"math"
	"strconv"
	"strings"

	"tocsin/internal/record"
)

const maxNumber = 1e30 // what is greater is no number here, so that sums stay exact and finite

// NumberOf returns the number that a value is: a typed one, or a text that reads as a decimal number.
func NumberOf(v record.Value) (float64, bool) {
	switch v.Kind {
	case record.KindInt, record.KindFloat:
		return v.Float, math.Abs(v.Float) <= maxNumber // false for NaN
	case record.KindText:
		return decimal(v.Text)
	}
	return 0, false
}

// decimal reads a number as people write it: 12, -0.5, 1e6. No hexadecimal, no infinity.
func decimal(s string) (float64, bool) {
	if s == "" || len(s) > 40 || strings.Trim(s, "0123456789+-.eE") != "" {
		return 0, false
	}
	n, err := strconv.ParseFloat(s, 64)
	return n, err == nil && math.Abs(n) <= maxNumber
}

// A scale is what a unit counts in the unit that the field has.
type scale struct {
	name string
	of   float64
}

// byteScales follow IEC 80000-13: kB is 1,000 bytes, KiB 1,024. Case does not count.
var byteScales = []scale{
	{"kib", 1 << 10}, {"mib", 1 << 20}, {"gib", 1 << 30}, {"tib", 1 << 40}, {"kb", 1e3}, {"mb", 1e6}, {"gb", 1e9}, {"tb", 1e12},
	{"k", 1e3}, {"m", 1e6}, {"g", 1e9}, {"t", 1e12}, {"b", 1},
}

var nanoScales = []scale{
	{"ns", 1}, {"us", 1e3}, {"µs", 1e3}, {"μs", 1e3}, {"ms", 1e6}, {"min", 60e9}, {"s", 1e9}, {"m", 60e9}, {"h", 3600e9}, {"d", 86400e9},
}

// number reads a number as the field counts: with a unit where it has one. A duration must say its unit, because nobody means nanoseconds.
func (f Field) number(text string) (float64, bool) {
	n, plain := decimal(text)
	low := strings.ToLower(text)
	switch f.unit() {
	case byteUnit:
		if !plain {
			return scaled(low, byteScales)
		}
	case nanoUnit:
		if !plain {
			return scaled(low, nanoScales)
		}
		return n, n == 0
	}
	return n, plain
}

func scaled(text string, scales []scale) (float64, bool) {
	for _, s := range scales {
		if digits, ok := strings.CutSuffix(text, s.name); ok {
			n, ok := decimal(strings.TrimSpace(digits))
			return n * s.of, ok && math.Abs(n*s.of) <= maxNumber
		}
	}
	return 0, false
}

// numbersMend says how the field's numbers are written.
func (f Field) numbersMend() string {
	switch f.unit() {
	case byteUnit:
		return "Write bytes, or a number with kB, MB, GB, KiB, MiB or GiB: 10MB."
	case nanoUnit:
		return "Write a number with its unit, ns, us, ms, s, m, h or d: 250ms."
	}
	return "Write a plain number: 42 or 0.5."
}

// figure writes a number as the field counts it, so that number reads it back exactly.
func (f Field) figure(n float64) string {
	plain := strconv.FormatFloat(n, 'f', -1, 64)
	if len(plain) > 40 { // decimal reads at most that
		plain = strconv.FormatFloat(n, 'g', -1, 64)
	}
	if f.unit() != nanoUnit || n == 0 {
		return plain
	}
	for _, s := range []scale{{"h", 3600e9}, {"m", 60e9}, {"s", 1e9}, {"ms", 1e6}, {"us", 1e3}} {
		if m := n / s.of; m == math.Trunc(m) && m*s.of == n {
			return strconv.FormatFloat(m, 'f', -1, 64) + s.name
		}
	}
	return plain + "ns"
}
