package agent

import (
	"testing"
	"time"
)

func TestTimeIn(t *testing.T) {
	berlin := time.FixedZone("", 3600)
	now := time.Date(2026, 1, 10, 12, 0, 0, 0, time.UTC)
	utc := func(y int, m time.Month, d, h, min, s int) time.Time {
		return time.Date(y, m, d, h, min, s, 0, time.UTC)
	}
	for line, want := range map[string]time.Time{
		`203.0.113.9 - - [10/Nov/2025:10:00:01 +0100] "GET / HTTP/1.1" 200 5`:      utc(2025, 11, 10, 9, 0, 1),
		`shop.example:443 203.0.113.9 - "a b" [10/Nov/2025:10:00:01 +0000] "GET /`: utc(2025, 11, 10, 10, 0, 1),
		`2025-11-10T10:00:01Z web-1 sshd[1]: x`:                                    utc(2025, 11, 10, 10, 0, 1),
		`2025-11-10T10:00:01.5+02:00 web-1 sshd[1]: x`:                             utc(2025, 11, 10, 8, 0, 1).Add(time.Second / 2),
		`2025-11-10 10:00:01,123 INFO x`:                                           utc(2025, 11, 10, 9, 0, 1).Add(123 * time.Millisecond),
		`2025/11/10 10:00:01 [error] 12#12: x`:                                     utc(2025, 11, 10, 9, 0, 1),
		`<34>1 2025-11-10T10:00:01Z web-1 su - - - x`:                              utc(2025, 11, 10, 10, 0, 1),
		`<34>Nov 10 10:00:01 web-1 su: x`:                                          utc(2025, 11, 10, 9, 0, 1),
		`Jan  9 10:00:01 web-1 sshd[1]: x`:                                         utc(2026, 1, 9, 9, 0, 1),
		`Dec 31 10:00:01 web-1 sshd[1]: x`:                                         utc(2025, 12, 31, 9, 0, 1),
		`Mon Nov 10 10:00:01 2025 [pid 2] [lager] OK LOGIN: Client "x"`:            utc(2025, 11, 10, 9, 0, 1),
		`{"level":"info","time":"2025-11-10T10:00:01Z","x":1}`:                     utc(2025, 11, 10, 10, 0, 1),
		`{"ts": 1762768801.25, "x": 1}`:                                            time.Unix(1762768801, 25e7),
		`{"timestamp":1762768801250}`:                                              time.Unix(1762768801, 25e7),
	} {
		if got, ok := timeIn(line, now, berlin); !ok || !got.Equal(want) {
			t.Errorf("%s: %v, %v; want %v", line, got, ok, want)
		}
	}
	for _, line := range []string{"", "x", "<", "<34", "<34>", "{", `{"time"`, `{"time":`, `{"time":"`, `{"ts":1}`, "2025", "2025-13-40T99:00:00", "[", "[10/Nov/2025:10:00:01 +0000", "Foo 10 10:00:01 x"} {
		if got, ok := timeIn(line, now, berlin); ok {
			t.Errorf("%q has the time %v", line, got)
		}
	}
}

func FuzzTimeIn(f *testing.F) {
	for _, line := range []string{"<34>1 2025-11-10T10:00:01Z x", "Nov 10 10:00:01 x", `{"ts": 1762768801.25}`, "[10/Nov/2025:10:00:01 +0000]", "2025/11/10 10:00:01,", "Mon Nov 10 10:00:01 2025"} {
		f.Add(line)
	}
	now := time.Date(2026, 1, 10, 12, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, line string) {
		got, ok := timeIn(line, now, time.UTC)
		if again, ok2 := timeIn(line, now, time.UTC); ok != ok2 || !got.Equal(again) {
			t.Errorf("%v, then %v", got, again)
		}
		if !ok && !got.IsZero() && got.Year() > 10000 {
			t.Errorf("no time, but %v", got)
		}
	})
}
