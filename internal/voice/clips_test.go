package voice

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"os"
	"slices"
	"testing"
)

// TestWriteClips is the generator of the bundled clips: TOCSIN_WRITE_CLIPS=1 go test -run TestWriteClips ./internal/voice speaks the
// vocabulary with espeak-ng and writes clips/. What espeak-ng speaks is no copy of it, so the clips are free of its licence.
func TestWriteClips(t *testing.T) {
	if os.Getenv("TOCSIN_WRITE_CLIPS") == "" {
		t.Skip("writes the clips only when TOCSIN_WRITE_CLIPS is set")
	}
	for code, l := range vocabulary() {
		var head, body bytes.Buffer
		for _, name := range slices.Sorted(maps.Keys(l.Words)) {
			pcm, err := speak(context.Background(), "espeak-ng", l.Voice, l.Words[name])
			if err != nil {
				t.Fatal(err)
			}
			clip := encode(trim(pcm))
			fmt.Fprintf(&head, "%s %d\n", name, len(clip))
			body.Write(clip)
		}
		if err := os.WriteFile("clips/"+code+".clips", slices.Concat(head.Bytes(), []byte("\n"), body.Bytes()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// trim cuts the silence around and leaves 30 ms.
func trim(pcm []int16) []int16 {
	loud := func(s int16) bool { return s > 300 || s < -300 }
	begin := slices.IndexFunc(pcm, loud)
	if begin < 0 {
		return nil
	}
	end := len(pcm)
	for end > begin && !loud(pcm[end-1]) {
		end--
	}
	return pcm[max(begin-240, 0):min(end+240, len(pcm))]
}

func TestClips(t *testing.T) {
	total := 0
	for _, code := range Languages() {
		got, err := clips(code)
		if err != nil {
			t.Fatal(err)
		}
		for name := range vocabulary()["en"].Words {
			if len(vocabulary()[code].Words[name]) == 0 {
				t.Errorf("%s has no words for %s", code, name)
			}
			if n := len(got[name]); n < 1000 || n > 10*8000 {
				t.Errorf("%s: the clip %s has %d samples", code, name, n)
			}
			total += len(got[name])
		}
	}
	if total > 3<<20 {
		t.Errorf("the clips have %d bytes, more than 3 MB", total)
	}
}
