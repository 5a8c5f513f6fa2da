package web

import (
	"net/http"
	"net/url"
	"testing"
)

// TestTypedHours: what is no number of hours is refused, and so is what a computer calls a number.
func TestTypedHours(t *testing.T) {
	for typed, want := range map[string]float64{"4": 4, "0,5": 0.5, "10000": 10000, "NaN": -1, "Inf": -1, "-1": -1, "1e9": -1, "": -1, "four": -1} {
		got, err := typedHours(&visit{r: &http.Request{PostForm: url.Values{"every": {typed}}}}, "every")
		if (err == nil) != (want >= 0) || err == nil && got != want {
			t.Errorf("%q: %v, %v", typed, got, err)
		}
		if m, err := typedMinutes(&visit{r: &http.Request{PostForm: url.Values{"every": {typed}}}}, "every"); (err == nil) != (want >= 0) || m < 0 {
			t.Errorf("%q minutes: %v, %v", typed, m, err)
		}
	}
}
