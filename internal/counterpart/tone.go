package counterpart

import (
	"bytes"
	"encoding/binary"
	"math"
	"testing"
)

// A Tone is what one fake microphone says, for ever: a pitch, keyed on and off by a pattern of its own. Who hears the pitch in the
// rhythm of the pattern hears this microphone and no other.
type Tone struct {
	Pitch float64 // Hz
	Keys  string  // one a fifth of a second: 1 is loud, 0 is silent
}

// Tones returns three that are told from each other.
func Tones() [3]Tone {
	return [3]Tone{{700, "1101000110"}, {1300, "1011100010"}, {2100, "1000101101"}}
}

// A Sound is what was heard, as samples from -1 to 1.
type Sound struct {
	Rate    float64 // samples a second
	Samples []float64
}

const (
	keyLong   = .2  // seconds
	frameLong = .02 // seconds: of the envelope
)

// wav writes one round of the tone as 16-bit mono.
func (x Tone) wav(t *testing.T, name string) {
	t.Helper()
	const rate = 48000
	n := int(float64(len(x.Keys)) * keyLong * rate)
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
		if x.Keys[int(at/keyLong)] == '1' {
			v = 12000 * math.Sin(2*math.Pi*x.Pitch*at)
		}
		binary.Write(&b, binary.LittleEndian, int16(v))
	}
	write(t, name, b.Bytes())
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

// In returns how well a sound fits the tone, from -1 to 1, in the best whole round of its pattern, at the best of all shifts;
// and how loud the pitch is on average. One round is enough: a machine under load drops a moment of sound now and then, which shifts the rest.
func (x Tone) In(s Sound) (fits, loud float64) {
	e := envelope(s.Samples, s.Rate, x.Pitch)
	for _, v := range e {
		loud += v / float64(len(e))
	}
	round := int(float64(len(x.Keys)) * keyLong / frameLong)
	key := make([]float64, 2*round)
	for i := range key {
		key[i] = float64(x.Keys[i%round*len(x.Keys)/round] - '0')
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
