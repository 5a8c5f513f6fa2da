package voice

import (
	"encoding/binary"
	"errors"
	"math"
	"strconv"
	"strings"
)

// keys are the sixteen keys of a telephone in the order of RFC 4733, section 3.2.
const keys = "0123456789*#ABCD"

// A press remembers what RFC 4733 packets told, so that one press counts once: a press is sent in several packets, of which
// the first may be lost, all with the timestamp of its beginning.
type press struct {
	begun bool
	stamp uint32
}

// packet takes the payload of one packet of telephone-event and the packet's timestamp. It returns the key and true when
// this is the first packet of its press. A tone that is no key, a short payload, and a late packet of an older press are no press.
func (p *press) packet(stamp uint32, payload []byte) (key byte, fresh bool) {
	if len(payload) < 4 || payload[0] > 15 {
		return 0, false
	}
	if p.begun && int32(stamp-p.stamp) <= 0 { // timestamps run around at 2^32
		return 0, false
	}
	p.begun, p.stamp = true, stamp
	return keys[payload[0]], true
}

// infoDigit reads the body of a SIP INFO that carries one key: application/dtmf-relay ("Signal=5", a line "Duration=160") or
// application/dtmf (the key alone). Errors: another type, no key, a key that no telephone has.
func infoDigit(kind string, body []byte) (byte, error) {
	if len(body) > 256 {
		return 0, errors.New("the body of the INFO is longer than 256 bytes, so it is no key")
	}
	kind, _, _ = strings.Cut(kind, ";")
	text := ""
	switch strings.ToLower(strings.TrimSpace(kind)) {
	case "application/dtmf":
		text = strings.TrimSpace(string(body))
	case "application/dtmf-relay":
		for line := range strings.Lines(string(body)) {
			name, value, ok := strings.Cut(line, "=")
			if ok && strings.EqualFold(strings.TrimSpace(name), "signal") {
				text = strings.TrimSpace(value)
				break
			}
		}
	default:
		return 0, errors.New("the INFO carries no keys: its type is neither application/dtmf-relay nor application/dtmf")
	}
	if n, err := strconv.Atoi(text); err == nil && len(text) == 2 && n >= 10 && n <= 15 { // some send * as 10 and # as 11
		return keys[n], nil
	}
	text = strings.ToUpper(text)
	if len(text) != 1 || !strings.Contains(keys, text) {
		return 0, errors.New("the INFO names no key of a telephone")
	}
	return text[0], nil
}

// goertzel returns which share of the power of pcm, at 8 kHz, lies at the frequency in Hz: 1 for a pure tone, 0 for silence.
func goertzel(pcm []int16, frequency float64) float64 {
	c := 2 * math.Cos(2*math.Pi*frequency/8000)
	var a, b, power float64
	for _, v := range pcm {
		x := float64(v)
		a, b = x+c*a-b, a
		power += x * x
	}
	if power == 0 {
		return 0
	}
	return (a*a + b*b - c*a*b) / (power * float64(len(pcm)) / 2)
}

// Frequencies of keys in Hz (ITU-T Q.23).
var (
	rows    = [4]float64{697, 770, 852, 941}
	columns = [4]float64{1209, 1336, 1477, 1633}
)

const keypad = "123A456B789C*0#D"

// tones hears keys as tones in the speech itself, for telephones that send no telephone-event. A key counts once both of its
// tones held two blocks of 25.6 ms (ITU-T Q.24 asks for 40 ms), and again only after a block without it.
type tones struct {
	block   []int16
	last    byte
	counted bool
}

const toneBlock = 205

// hear takes samples at 8 kHz and returns the keys that were pressed.
func (t *tones) hear(pcm []int16) (pressed []byte) {
	for len(pcm) > 0 {
		n := min(toneBlock-len(t.block), len(pcm))
		t.block, pcm = append(t.block, pcm[:n]...), pcm[n:]
		if len(t.block) < toneBlock {
			break
		}
		key := toneKey(t.block)
		t.block = t.block[:0]
		if key != t.last {
			t.last, t.counted = key, false
		} else if key != 0 && !t.counted {
			t.counted = true
			pressed = append(pressed, key)
		}
	}
	return pressed
}

// toneKey returns the key whose two tones hold nearly all power of the block, 0 when there is none. Speech spreads its power.
func toneKey(block []int16) byte {
	loud := 0.0
	for _, v := range block {
		loud += float64(v) * float64(v)
	}
	if loud/float64(len(block)) < 100*100 {
		return 0
	}
	best := func(list [4]float64) (at int, share float64) {
		for i, f := range list {
			if g := goertzel(block, f); g > share {
				at, share = i, g
			}
		}
		return at, share
	}
	row, low := best(rows)
	column, high := best(columns)
	if low+high < 0.8 || low < 0.12 || high < 0.12 {
		return 0
	}
	return keypad[4*row+column]
}

// eventPayload is one packet of a press as RFC 4733 lays it out: the key's number, whether it ended, and its duration so far
// in samples.
func eventPayload(number byte, ended bool, duration uint16) []byte {
	p := []byte{number, 10, 0, 0}
	if ended {
		p[1] |= 0x80
	}
	binary.BigEndian.PutUint16(p[2:], duration)
	return p
}
