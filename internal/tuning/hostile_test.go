package tuning

import (
	"strings"
	"testing"
	"time"
)

// Files that are made to cost much cost no more than their size.
func TestHostileFilesAreCheap(t *testing.T) {
	for name, data := range map[string]string{
		"a column of quotation marks": `"` + strings.Repeat(`""`, 4<<20),
		"comparisons of nothing known": `{"type":"bundle","objects":[` + strings.Repeat(`{"type":"indicator","pattern":"[`+strings.TrimSuffix(strings.Repeat("a:b=1 OR ", 200), " OR ")+`]"},`, 3000) +
			`{"type":"indicator","pattern":"[ipv4-addr:value='203.0.113.9']"}]}`,
		"columns": strings.Repeat(",", 8<<20),
	} {
		t.Run(name, func(t *testing.T) {
			begun := time.Now()
			x, err := ParseImport([]byte(data), time.Now(), time.Time{})
			if took := time.Since(begun); took > time.Minute { // what grows as the square of the length takes many
				t.Errorf("it took %v", took)
			}
			bytes := 0
			for _, r := range x.Refused {
				bytes += len(r.Where) + len(r.Feature) + len(r.Why)
			}
			if len(x.Refused) > MaxRefused || bytes > 1<<20 {
				t.Errorf("%d refusals of %d bytes, %v", len(x.Refused), bytes, err)
			}
		})
	}
}
