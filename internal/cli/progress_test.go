package cli

import (
	"strings"
	"testing"
	"time"

	"tocsin/internal/desk"
)

func TestMeterLine(t *testing.T) {
	for _, x := range []struct {
		progress desk.Progress
		rate     float64
		took     time.Duration
		want     string
	}{
		{desk.Progress{Lines: 1000, Bytes: 0, Of: 10e9}, 999, time.Second, "[                              ]   0% of 10 GB, 999 lines/s, ? left"},
		{desk.Progress{Lines: 12_345_678, Bytes: 5e9, Of: 10e9}, 1_234_567.8, time.Minute, "[===============               ]  50% of 10 GB, 1,234,567 lines/s, 1:00 left"},
		{desk.Progress{Lines: 1, Bytes: 1e6, Of: 100e6}, 50, time.Minute, "[                              ]   1% of 100 MB, 50 lines/s, 1:39:00 left"},
		{desk.Progress{Lines: 1, Bytes: 12, Of: 10}, 50, time.Minute, "[==============================] 100% of 10 bytes, 50 lines/s, 0:00 left"},
		{desk.Progress{Lines: 1_000_000}, 50, time.Minute, "1,000,000 lines, 50 lines/s"},
	} {
		if got := meterLine(x.progress, x.rate, x.took); got != x.want || len(got) > 79 {
			t.Errorf("%+v:\n%s, want\n%s", x.progress, got, x.want)
		}
	}
}

// The meter draws a few times a second, however often it is told.
func TestMeterDrawsSeldom(t *testing.T) {
	var out strings.Builder
	begun := time.Date(2026, 11, 9, 14, 0, 0, 0, time.UTC)
	m := &meter{out: &out, begun: begun}
	for n := range int64(1000) {
		m.seen(desk.Progress{Lines: n * 1000, Bytes: n, Of: 1000}, begun.Add(time.Duration(n)*time.Millisecond))
	}
	if n := strings.Count(out.String(), "\r"); n != 5 {
		t.Errorf("drew %d times in a second", n)
	}
	m.clear()
	if !strings.HasSuffix(out.String(), "\r\033[K") {
		t.Errorf("%q", out.String())
	}
}
