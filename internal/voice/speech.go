package voice

import (
	"bytes"
	"context"
	"embed"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
)

//go:embed clips/*.clips
var bundled embed.FS

// Languages returns the codes of the languages that calls are spoken in, sorted.
func Languages() []string {
	var codes []string
	for code := range vocabulary() {
		codes = append(codes, code)
	}
	slices.Sort(codes)
	return codes
}

// known returns the language of a code such as "de" or "de-AT"; English when there is none.
func known(code string) string {
	code, _, _ = strings.Cut(strings.ToLower(code), "-")
	if slices.Contains(Languages(), code) {
		return code
	}
	return "en"
}

// clips reads the prepared phrases of a language: mu-law at 8 kHz under their names.
func clips(code string) (map[string][]byte, error) {
	data, err := bundled.ReadFile("clips/" + code + ".clips")
	if err != nil {
		return nil, err
	}
	return readClips(data)
}

// readClips reads lines "name bytes" up to an empty one, then the clips one after the other.
func readClips(data []byte) (map[string][]byte, error) {
	head, body, ok := bytes.Cut(data, []byte("\n\n"))
	if !ok {
		return nil, errors.New("the file of clips has no empty line after its list")
	}
	out := map[string][]byte{}
	for line := range strings.Lines(string(head)) {
		name, size, _ := strings.Cut(strings.TrimSpace(line), " ")
		n, err := strconv.ParseUint(size, 10, 31)
		if err != nil || int(n) > len(body) {
			return nil, fmt.Errorf("the file of clips is cut off or broken at %q", name)
		}
		out[name], body = body[:n:n], body[n:]
	}
	return out, nil
}

// Limits of what is spoken freely: runes of text, and seconds of speech.
const (
	maxDetail = 600
	maxSpeech = 60
)

// speak has espeak-ng speak a text and returns it as samples at 8 kHz. The text goes to the program's input, never to its arguments,
// and holds neither control characters nor its mark-up. Errors: the program is not installed, took longer than 10 s, or spoke nothing.
func speak(ctx context.Context, program, voice, text string) ([]int16, error) {
	text = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == '<' || r == '>' || r == '[' || r == ']' || r == '&' {
			return ' '
		}
		return r
	}, text)
	if r := []rune(text); len(r) > maxDetail {
		text = string(r[:maxDetail])
	}
	ctx, stop := context.WithTimeout(ctx, 10*time.Second)
	defer stop()
	cmd := exec.CommandContext(ctx, program, "-v", voice, "-s", "150", "-b", "1", "--stdin", "--stdout")
	cmd.Stdin = strings.NewReader(text)
	cmd.WaitDelay = time.Second
	cmd.Env = []string{"LC_ALL=C.UTF-8", "PATH=/usr/bin:/bin"}
	out := &limited{left: 44 + 2*48000*maxSpeech}
	cmd.Stdout = out
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("%s did not speak: %w", program, err)
	}
	pcm, rate, err := readWave(out.Bytes())
	if err != nil {
		return nil, fmt.Errorf("%s: %w", program, err)
	}
	return resample(pcm, rate), nil
}

// limited keeps what is written up to a limit and then refuses more.
type limited struct {
	bytes.Buffer
	left int
}

func (l *limited) Write(p []byte) (int, error) {
	if l.left -= len(p); l.left < 0 {
		return 0, fmt.Errorf("it spoke for more than %d s", maxSpeech)
	}
	return l.Buffer.Write(p)
}

// readWave reads RIFF with PCM of 16 bit and one channel; a program that writes to a pipe cannot know the length, so the data go up to the end.
func readWave(b []byte) (pcm []int16, rate int, err error) {
	if len(b) < 44 || string(b[:4]) != "RIFF" || string(b[8:12]) != "WAVE" {
		return nil, 0, errors.New("the sound is no RIFF file")
	}
	for at := 12; at+8 <= len(b); {
		size := int(binary.LittleEndian.Uint32(b[at+4:]))
		body := b[at+8:]
		switch string(b[at : at+4]) {
		case "fmt ":
			if len(body) < 16 || binary.LittleEndian.Uint16(body) != 1 || binary.LittleEndian.Uint16(body[2:]) != 1 || binary.LittleEndian.Uint16(body[14:]) != 16 {
				return nil, 0, errors.New("the sound is not PCM of 16 bit with one channel")
			}
			rate = int(binary.LittleEndian.Uint32(body[4:]))
		case "data":
			if rate < 8000 || rate > 48000 {
				return nil, 0, fmt.Errorf("the sound has %d samples a second; 8000 to 48000 are read", rate)
			}
			body = body[:min(size, len(body))]
			pcm = make([]int16, len(body)/2)
			for i := range pcm {
				pcm[i] = int16(binary.LittleEndian.Uint16(body[2*i:]))
			}
			return pcm, rate, nil
		}
		if size < 0 || size > len(b) {
			break
		}
		at += 8 + size + size&1
	}
	return nil, 0, errors.New("the sound has no data")
}

// resample brings sound from its rate in Hz down to 8 kHz, with a low pass below 3.8 kHz (a windowed sinc).
func resample(in []int16, rate int) []int16 {
	if rate == 8000 {
		return in
	}
	step := float64(rate) / 8000
	const half = 16 // zero crossings on each side
	cut := 0.95 / step
	width := half / cut
	out := make([]int16, int(float64(len(in))/step))
	for i := range out {
		centre := float64(i) * step
		sum, weight := 0.0, 0.0
		for j := max(int(centre-width), 0); j <= min(int(centre+width), len(in)-1); j++ {
			x := float64(j) - centre
			w := 0.5 + 0.5*math.Cos(math.Pi*x/width)
			if x != 0 {
				w *= math.Sin(math.Pi*x*cut) / (math.Pi * x * cut)
			}
			sum += w * float64(in[j])
			weight += w
		}
		out[i] = int16(max(min(sum/weight, 32767), -32768))
	}
	return out
}

// encode turns samples into mu-law.
func encode(pcm []int16) []byte {
	b := make([]byte, len(pcm))
	for i, s := range pcm {
		b[i] = mulaw(s)
	}
	return b
}

// quiet is silence of a length, in mu-law.
func quiet(d time.Duration) []byte { return bytes.Repeat([]byte{0xff}, int(d/(time.Second/8000))) }
