package agent

import (
	"fmt"
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
		`203.0.113.9 - - [10/Nov/2025:10:00:01 +0100] "GET / HTTP/1.1" 200 5`:                    utc(2025, 11, 10, 9, 0, 1),
		`[Mon Nov 10 10:00:01.123456 2025] [core:error] [pid 12:tid 3] [client 203.0.113.9:1] x`: utc(2025, 11, 10, 9, 0, 1).Add(123456 * time.Microsecond),
		`[Mon Nov 10 10:00:01 2025] [error] x`:                                                   utc(2025, 11, 10, 9, 0, 1),
		`[2001:db8::1]:443 203.0.113.9 - [x] [10/Nov/2025:10:00:01 +0000] "GET /`:                utc(2025, 11, 10, 10, 0, 1),
		`[pid 12] [Sat Nov 08 10:00:01 2025] x`:                                                  utc(2025, 11, 8, 9, 0, 1),
		`shop.example:443 203.0.113.9 - "a b" [10/Nov/2025:10:00:01 +0000] "GET /`:               utc(2025, 11, 10, 10, 0, 1),
		`2025-11-10T10:00:01Z web-1 sshd[1]: x`:                                                  utc(2025, 11, 10, 10, 0, 1),
		`2025-11-10T10:00:01.5+02:00 web-1 sshd[1]: x`:                                           utc(2025, 11, 10, 8, 0, 1).Add(time.Second / 2),
		`2025-11-10 10:00:01,123 INFO x`:                                                         utc(2025, 11, 10, 9, 0, 1).Add(123 * time.Millisecond),
		`2025/11/10 10:00:01 [error] 12#12: x`:                                                   utc(2025, 11, 10, 9, 0, 1),
		`<34>1 2025-11-10T10:00:01Z web-1 su - - - x`:                                            utc(2025, 11, 10, 10, 0, 1),
		`<34>Nov 10 10:00:01 web-1 su: x`:                                                        utc(2025, 11, 10, 9, 0, 1),
		`Jan  9 10:00:01 web-1 sshd[1]: x`:                                                       utc(2026, 1, 9, 9, 0, 1),
		`Dec 31 10:00:01 web-1 sshd[1]: x`:                                                       utc(2025, 12, 31, 9, 0, 1),
		`Mon Nov 10 10:00:01 2025 [pid 2] [lager] OK LOGIN: Client "x"`:                          utc(2025, 11, 10, 9, 0, 1),
		`{"level":"info","time":"2025-11-10T10:00:01Z","x":1}`:                                   utc(2025, 11, 10, 10, 0, 1),
		`{"ts": 1762768801.25, "x": 1}`:                                                          time.Unix(1762768801, 25e7),
		`{"timestamp":1762768801250}`:                                                            time.Unix(1762768801, 25e7),
	} {
		if got, ok := timeIn(line, now, berlin); !ok || !got.Equal(want) {
			t.Errorf("%s: %v, %v; want %v", line, got, ok, want)
		}
	}
	for _, line := range []string{"", "x", "<", "<34", "<34>", "{", `{"time"`, `{"time":`, `{"time":"`, `{"ts":1}`, "2025", "2025-13-40T99:00:00", "[", "[10/Nov/2025:10:00:01 +0000", "0000-01-01 00:00:00", "9999-12-31T23:59:59-01:00", "[[[[[[[[[10/Nov/2025:10:00:01 +0000]", "Foo 10 10:00:01 x"} {
		if got, ok := timeIn(line, now, berlin); ok {
			t.Errorf("%q has the time %v", line, got)
		}
	}
}

// TestNewYear: given a line without a year from around New Year, when its host's clock is a little ahead or it is read late, then it is of the right year.
func TestNewYear(t *testing.T) {
	for _, x := range []struct{ now, stamp, want string }{
		{"2025-12-31T23:59:30Z", "Jan  1 00:00:10", "2026-01-01T00:00:10Z"},
		{"2026-01-01T00:00:10Z", "Dec 31 23:59:30", "2025-12-31T23:59:30Z"},
		{"2026-03-01T00:00:00Z", "Mar  3 00:00:00", "2025-03-03T00:00:00Z"},
		{"2024-03-01T00:00:00Z", "Feb 29 00:00:00", "2024-02-29T00:00:00Z"},
	} {
		now, err := time.Parse(time.RFC3339, x.now)
		if err != nil {
			t.Fatal(err)
		}
		if got, ok := timeIn(x.stamp+" web-1 x", now, time.UTC); !ok || got.Format(time.RFC3339) != x.want {
			t.Errorf("%s, read %s: %v, want %s", x.stamp, x.now, got, x.want)
		}
	}
}

// FuzzTimeIn: whatever a line is, its time can be written in each shape that is known, and is read from there again, to the second.
func FuzzTimeIn(f *testing.F) {
	for _, line := range []string{"<34>1 2025-11-10T10:00:01Z x", "Nov 10 10:00:01 x", `{"ts": 1762768801.25}`, "[10/Nov/2025:10:00:01 +0000]", "2025/11/10 10:00:01,", "Mon Nov 10 10:00:01 2025",
		"[Sat Nov 28 11:00:00.123456 2026]", "[a] [b] [10/Nov/2025:10:00:01 +0000]", "0000-01-01 00:00:00", "0001-01-01T00:00:00+14:00"} {
		f.Add(line)
	}
	now := time.Date(2026, 1, 10, 12, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, line string) {
		got, ok := timeIn(line, now, time.UTC)
		if !ok {
			if !got.IsZero() {
				t.Errorf("no time, but %v", got)
			}
			return
		}
		got = got.UTC().Truncate(time.Second)
		if got.Year() < 1 || got.Year() > 9999 {
			t.Fatalf("the year %d", got.Year())
		}
		shapes := []struct{ before, layout string }{ // what stands before is no part of a layout
			{"", time.RFC3339}, {"", "2006-01-02T15:04:05.000Z"}, {"", "2006-01-02 15:04:05,000"}, {"", "2006/01/02 15:04:05"}, {"<34>1 ", "2006-01-02T15:04:05-07:00"},
			{"x - u ", "[02/Jan/2006:15:04:05 -0700]"}, {"[::1] [x] ", "[02/Jan/2006:15:04:05 -0700]"}, {"", ctime}, {"", "[Mon Jan 02 15:04:05.000000 2006]"},
			{`{"x":1,"time":`, `"2006-01-02T15:04:05Z07:00"}`}, {`{"@timestamp" : `, `"2006-01-02 15:04:05"}`},
		}
		if got.Before(now.Add(24*time.Hour)) && got.After(now.AddDate(-1, 0, 2)) {
			shapes = append(shapes, struct{ before, layout string }{"", "Jan _2 15:04:05"}, struct{ before, layout string }{"<34>", "Jan _2 15:04:05"})
		}
		for _, shape := range shapes {
			line := shape.before + got.Format(shape.layout) + " x"
			if again, ok := timeIn(line, now, time.UTC); !ok || !again.Equal(got) {
				t.Errorf("%q of %v: %v, %v", line, got, again, ok)
			}
		}
		if n := got.Unix(); n > 1e9 && n < 1e11 {
			if again, ok := timeIn(fmt.Sprintf(`{"ts":%d}`, n), now, time.UTC); !ok || !again.Equal(got) {
				t.Errorf("%d: %v, %v", n, again, ok)
			}
		}
	})
}
