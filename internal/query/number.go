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
