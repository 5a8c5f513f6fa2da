package record

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func sentBatch() Batch {
	return Batch{
		Received: time.Unix(1, 2).UTC(), Start: true,
		Lines: []Line{
			{File: "/a.log", Offset: 0, Raw: "one"}, {File: "/b.log", Offset: 70, Raw: "\xff\x00"}, {File: "/a.log", Offset: 4, Raw: ""}, {File: "/a.log", Offset: 3, Raw: "back"},
		},
		Positions: []Position{{File: "/a.log", Print: "0f", PrintLen: 1, Offset: 9}},
	}
}

// TestSent: given a batch, when it is packed and unpacked, then it is the same, without what the hub says itself.
func TestSent(t *testing.T) {
	b := sentBatch()
	b.Agent, b.Boot, b.Number = "a", "b", 3
	b.Lines[0].Host, b.Lines[0].Seq = "h", 5
	plain, err := PackBatch(b)
	if err != nil {
		t.Fatal(err)
	}
	got, err := UnpackBatch(plain)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(sentBatch(), got); d != "" {
		t.Error(d)
	}
	for n := range plain {
		if _, err := UnpackBatch(plain[:n]); err == nil {
			t.Errorf("%d bytes of %d are a batch", n, len(plain))
		}
	}
}

// TestSentLimits: given a batch beyond a limit, when it is packed, then it is an error.
func TestSentLimits(t *testing.T) {
	for name, b := range map[string]Batch{
		"lines":     {Lines: make([]Line, MaxSentLines+1)},
		"positions": {Positions: make([]Position, MaxSentLines+1)},
		"bytes":     {Lines: []Line{{File: "a", Raw: strings.Repeat("x", MaxSentPlain)}}},
	} {
		if _, err := PackBatch(b); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// TestFrames: given frames one after the other, when they are read, then each comes back, and none when a byte is missing or another.
func TestFrames(t *testing.T) {
	f := Frame{Boot: "0f", Number: 7, Plain: 30, Payload: []byte("payload")}
	one := AppendFrame(nil, f)
	got, rest, err := ParseFrame(append(bytes.Clone(one), one...))
	f.Sum = got.Sum
	if err != nil || !bytes.Equal(rest, one) {
		t.Fatalf("rest %q, error %v", rest, err)
	}
	if d := cmp.Diff(f, got); d != "" {
		t.Error(d)
	}
	for n := range one {
		if _, _, err := ParseFrame(one[:n]); err != ErrMore {
			t.Errorf("%d bytes: %v", n, err)
		}
	}
	for n := range one {
		b := bytes.Clone(one)
		b[n] ^= 0x80
		if x, _, err := ParseFrame(b); err == nil && (n < 4 || n >= 16) {
			t.Errorf("byte %d changed: %+v", n, x)
		}
	}
}

func TestToken(t *testing.T) {
	tok := Token{Secret: [32]byte{1, 2}, Fingerprint: [32]byte{3}}
	got, err := ParseToken(" " + tok.String() + "\n")
	if err != nil || got != tok || len(tok.String()) != 105 {
		t.Fatalf("%v, %d letters", err, len(tok.String()))
	}
	text := tok.String()
	for _, bad := range []string{"", ".", text[:104], text + "a", strings.ToUpper(text), strings.Replace(text, ".", "", 1), text[:51] + "b" + text[52:]} {
		if _, err := ParseToken(bad); err == nil {
			t.Errorf("%q is a token", bad)
		}
	}
}

// FuzzSent: what can be unpacked is packed to the same batch again.
func FuzzSent(f *testing.F) {
	plain, err := PackBatch(sentBatch())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(plain)
	f.Fuzz(func(t *testing.T, plain []byte) {
		b, err := UnpackBatch(plain)
		if err != nil {
			return
		}
		again, err := PackBatch(b)
		if err != nil {
			t.Fatal(err)
		}
		c, err := UnpackBatch(again)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(b, c); d != "" {
			t.Error(d)
		}
	})
}

// FuzzFrame: a frame has one form: what can be read is written the same way.
func FuzzFrame(f *testing.F) {
	f.Add(AppendFrame(nil, Frame{Boot: "0f", Number: 7, Plain: 30, Payload: []byte("payload")}))
	f.Fuzz(func(t *testing.T, b []byte) {
		x, rest, err := ParseFrame(b)
		if err != nil {
			return
		}
		if again := append(AppendFrame(nil, x), rest...); !bytes.Equal(again, b) {
			t.Errorf("%x\n%x", b, again)
		}
	})
}
