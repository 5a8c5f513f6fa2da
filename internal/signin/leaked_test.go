package signin

import (
	"bytes"
	"crypto/sha256"
	"flag"
	"os"
	"slices"
	"strings"
	"testing"
)

// words is a file with one leaked password a line, of which the filter is written anew.
var words = flag.String("words", "", "write leaked.bin anew from the words of this file, one a line")

func TestLeakedFilter(t *testing.T) {
	if *words != "" {
		b, err := os.ReadFile(*words)
		if err != nil {
			t.Fatal(err)
		}
		var all [][]byte
		for w := range strings.SplitSeq(string(b), "\n") {
			if w = strings.ToLower(strings.TrimSpace(w)); len(w) >= leakedWord {
				sum := sha256.Sum256([]byte(w))
				all = append(all, sum[:leakedBytes])
			}
		}
		slices.SortFunc(all, bytes.Compare)
		all = slices.CompactFunc(all, bytes.Equal)
		if err := os.WriteFile("leaked.bin", bytes.Join(all, nil), 0o644); err != nil {
			t.Fatal(err)
		}
		leaked = bytes.Join(all, nil)
	}
	n := len(leaked) / leakedBytes
	if n < 40_000 || len(leaked)%leakedBytes != 0 {
		t.Fatalf("the filter has %d bytes", len(leaked))
	}
	for k := 1; k < n; k++ {
		if bytes.Compare(leaked[(k-1)*leakedBytes:k*leakedBytes], leaked[k*leakedBytes:(k+1)*leakedBytes]) >= 0 {
			t.Fatalf("hash %d is not behind the one before it", k)
		}
	}
}

func TestLeakedPasswords(t *testing.T) {
	for _, x := range []struct {
		password string
		refused  bool
	}{
		{"1qaz2wsx3edc", true},
		{"1QAZ2wsx3edc", true},
		{"123456qwerty", true},
		{"leavemealone", true},
		{"--leavemealone2026!", true},
		{"liverpool2026!", true},
		{"liverpoolliverpool", true},
		{"tidal copper wagon", false},
		{"grau-himmel-7-laterne", false},
		{"mhzqvtbwkrfd", false},
	} {
		if got := fromLeaks(x.password); got != x.refused {
			t.Errorf("%q: leaked %v, want %v", x.password, got, x.refused)
		}
		if x.refused && Refuse("anna", x.password) == "" {
			t.Errorf("%q may become a password", x.password)
		}
	}
}

// The meter's words; the browser's own reckoning is held against the same table (TestBrowserPasswordForm).
func TestStrength(t *testing.T) {
	for password, want := range map[string]int{"short": 0, "aaaaaaaaaaaa": 1, "abcabcabcabc": 1, "tidal copper": 2, "tidal copper wagon": 3, "Quiet-Harbour+72 lamps?": 4} {
		if got := Strength(password); got != want {
			t.Errorf("%q is %d (%s), want %d", password, got, Strengths()[got], want)
		}
	}
}
