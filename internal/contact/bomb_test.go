package contact

import (
	"fmt"
	"strings"
	"testing"
)

// TestBombs: a file of the largest size that is all one card with as many lines as fit is refused at the line that is too much, and nothing is
// compared with everything (this took over a minute).
func TestBombs(t *testing.T) {
	for _, given := range []struct{ name, line, want string }{
		{"ways", "TEL:+%d", "line 104: the vCard of line 1 has more than 100 ways"},
		{"languages", "LANG:%d", "line 104: the vCard of line 1 has more than 100 ways or languages"},
		{"parameters", "TEL;" + strings.Repeat("a=;", 1000) + "b=1:+%d", "has more than 50 parameters"},
		{"lines of nothing", "A:%.0d", ""},
	} {
		t.Run(given.name, func(t *testing.T) {
			var b strings.Builder
			b.WriteString("BEGIN:VCARD\nVERSION:4.0\nFN:x\n")
			for n := 0; b.Len() < MaxImport-len(given.line)-40; n++ {
				fmt.Fprintf(&b, given.line+"\n", n)
			}
			b.WriteString("END:VCARD\n")
			rows, err := ReadVCards([]byte(b.String()), Providers, func(string) bool { return true })
			if given.want == "" && (err != nil || len(rows) != 1) || given.want != "" && (err == nil || !strings.Contains(err.Error(), given.want)) {
				t.Errorf("%d cards, %v", len(rows), err)
			}
		})
	}
}
