package detect

import (
	"crypto/sha256"
	"fmt"
	"time"
)

// BluntRule is the id under which Tocsin reports that it had to forget groups that were on their way to an alert. It has no
// Sigma rule: it is about detection itself.
const BluntRule = "tocsin-detection-blunt"

// A bluntness is what was lost in the running hour, and the alert about it.
type bluntness struct {
	Since int64 // record time of the first loss of this hour; 0: none
	Last  int64
	Count int64
	Told  int64 // Count when the last change was told; 0: no alert
}

const bluntQuiet = time.Hour

func (b *bluntness) lose(at int64) {
	if b.Count == 0 {
		b.Since = at
	}
	b.Count++
	b.Last = max(b.Last, at)
}

// dull tells when losses that matter begin, grow tenfold, and end.
func (d *Detector) dull(changes []Change) []Change {
	b := &d.blunt
	switch {
	case b.Count == 0:
	case b.Count > bluntAfter && b.Told == 0:
		b.Told = b.Count
		changes = append(changes, Change{Raised, b.alert(false)})
	case b.Told > 0 && b.Count >= 10*b.Told:
		b.Told = b.Count
		changes = append(changes, Change{Tenfold, b.alert(false)})
	case d.watermark()-b.Last > int64(bluntQuiet):
		if b.Told > 0 {
			changes = append(changes, Change{Ended, b.alert(true)})
		}
		*b = bluntness{}
	}
	return changes
}

func (b *bluntness) alert(ended bool) Alert {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s\x00%d", BluntRule, b.Since))
	return Alert{
		ID: fmt.Sprintf("%x", sum[:16]), Rule: BluntRule, RuleVersion: "1", Title: "Too many visitors to watch each of them", Level: "medium",
		Author: "Tocsin", Impact: Attempt, First: fromNano(b.Since), Last: fromNano(b.Last), Raised: fromNano(b.Last), Count: b.Count,
		Samples: []string{fmt.Sprintf("%d counting windows that were half full or more had to be forgotten; a slow attack may hide behind a flood", b.Count)},
		Ended:   ended,
	}
}
