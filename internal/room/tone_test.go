package room

import (
	"bytes"
	"encoding/binary"
	"math"
	"os"
	"testing"
)

// A tone is what one fake microphone says, for ever: a pitch, keyed on and off by a pattern of its own. Who hears the pitch in the
// rhythm of the pattern hears this microphone and no other.
type tone struct {
	pitch float64 // Hz
	keys  string  // one a fifth of a second
}

var tones = map[string]tone{
	"anna":       {700, "1101000110"},
	"boris":      {1300, "1011100010"},
	"specialist": {2100, "1000101101"},
}

const (
	keyLong   = .2  // seconds
	frameLong = .02 // seconds: of the envelope
)

// wav writes one round of the tone as 16-bit mono.
func (x tone) wav(t *testing.T, name string) {
	t.Helper()
	const rate = 48000
	n := int(float64(len(x.keys)) * keyLong * rate)
	var b bytes.Buffer
	b.WriteString("RIFF")
	binary.Write(&b, binary.LittleEndian, uint32(36+2*n))
	b.WriteString("WAVEfmt ")
	for _, v := range []any{uint32(16), uint16(1), uint16(1), uint32(rate), uint32(2 * rate), uint16(2), uint16(16)} {
		binary.Write(&b, binary.LittleEndian, v)
	}
	b.WriteString("data")
	binary.Write(&b, binary.LittleEndian, uint32(2*n))
	for i := range n {
		at := float64(i) / rate
		v := 0.
		if x.keys[int(at/keyLong)] == '1' {
			v = 12000 * math.Sin(2*math.Pi*x.pitch*at)
		}
		binary.Write(&b, binary.LittleEndian, int16(v))
	}
	if err := os.WriteFile(name, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
}

// envelope returns how loud a pitch is in each frame (Goertzel's algorithm): 1 is a sine of full scale.
func envelope(samples []float64, rate, pitch float64) []float64 {
	n := int(rate * frameLong)
	w := 2 * math.Cos(2*math.Pi*pitch/rate)
	var out []float64
	for ; len(samples) >= n; samples = samples[n:] {
		var a, b float64
		for _, x := range samples[:n] {
			a, b = x+w*a-b, a
		}
		out = append(out, 2*math.Sqrt(max(0, a*a+b*b-w*a*b))/float64(n))
	}
	return out
}

// heard returns how well what was heard fits the tone, from -1 to 1, in the best whole round of its pattern, at the best of all shifts;
// and how loud the pitch is on average. One round is enough: a machine under load drops a moment of sound now and then, which shifts the rest.
func (x tone) heard(samples []float64, rate float64) (fits, loud float64) {
	e := envelope(samples, rate, x.pitch)
	for _, v := range e {
		loud += v / float64(len(e))
	}
	round := int(float64(len(x.keys)) * keyLong / frameLong)
	key := make([]float64, 2*round)
	for i := range key {
		key[i] = float64(x.keys[i%round*len(x.keys)/round] - '0')
	}
	fits = -1
	for from := 0; from+round <= len(e); from += 5 {
		for shift := range round {
			fits = max(fits, correlation(e[from:from+round], key[shift:shift+round]))
		}
	}
	return fits, loud
}

// correlation is Pearson's; 0 where one side never changes.
func correlation(a, b []float64) float64 {
	var ma, mb, ab, aa, bb float64
	for i := range a {
		ma += a[i] / float64(len(a))
		mb += b[i] / float64(len(b))
	}
	for i := range a {
		ab += (a[i] - ma) * (b[i] - mb)
		aa += (a[i] - ma) * (a[i] - ma)
		bb += (b[i] - mb) * (b[i] - mb)
	}
	if aa == 0 || bb == 0 {
		return 0
	}
	return ab / math.Sqrt(aa*bb)
}

// The measure itself: a tone fits itself, and no other.
func TestToneIsMeasured(t *testing.T) {
	const rate = 48000
	for name, x := range tones {
		samples := make([]float64, 5*rate)
		for i := range samples {
			at := float64(i)/rate + .73
			if x.keys[int(at/keyLong)%len(x.keys)] == '1' {
				samples[i] = .3 * math.Sin(2*math.Pi*x.pitch*at)
			}
		}
		for other, y := range tones {
			fits, loud := y.heard(samples, rate)
			swapped, _ := tone{x.pitch, y.keys}.heard(samples, rate)
			if (fits > .9 && loud > .05) != (name == other) || (swapped > .9) != (name == other) {
				t.Errorf("%s measured as %s: fits %.3f, loud %.4f; with the other's keys %.3f", name, other, fits, loud, swapped)
			}
		}
	}
}
