package counterpart

import (
	"math"
	"testing"
)

// The measure itself: a tone fits itself, and no other.
func TestToneIsMeasured(t *testing.T) {
	const rate = 48000
	for name, x := range Tones() {
		samples := make([]float64, 5*rate)
		for i := range samples {
			at := float64(i)/rate + .73
			if x.Keys[int(at/keyLong)%len(x.Keys)] == '1' {
				samples[i] = .3 * math.Sin(2*math.Pi*x.Pitch*at)
			}
		}
		for other, y := range Tones() {
			fits, loud := y.In(Sound{rate, samples})
			swapped, _ := Tone{x.Pitch, y.Keys}.In(Sound{rate, samples})
			if (fits > .9 && loud > .05) != (name == other) || (swapped > .9) != (name == other) {
				t.Errorf("tone %d measured as %d: fits %.3f, loud %.4f; with the other's keys %.3f", name, other, fits, loud, swapped)
			}
		}
	}
}
