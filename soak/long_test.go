//go:build soak

package soak

import (
	"flag"
	"testing"
	"time"
)

var (
	kills = flag.Int("kills", 200, "how many kills")
	rate  = flag.Int("rate", 20_000, "lines per second")
	most  = flag.Duration("life", 3*time.Second, "longest life between two kills")
)

// TestSiege is the long form: 200 kills under 20,000 lines a second.
func TestSiege(t *testing.T) {
	s := newSiege(t, *rate, 80*time.Millisecond, 25*time.Second, *most)
	s.run(*kills, 20*time.Minute)
}
