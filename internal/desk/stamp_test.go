package desk

import (
	"testing"
	"time"
)

func TestMove(t *testing.T) {
	const day = 24 * time.Hour
	for _, tt := range []struct {
		name, line, want string
		by               time.Duration
	}{
		{"access log", `192.0.2.7 - - [31/Dec/2026:23:59:59 +0000] "GET /?d=2026-12-31 HTTP/1.1" 200 3`, `192.0.2.7 - - [01/Jan/2027:23:59:59 +0000] "GET /?d=2026-12-31 HTTP/1.1" 200 3`, day},
		{"by hours", `192.0.2.7 - - [31/Dec/2026:23:59:59 +0000] "GET / HTTP/1.1" 200 3`, `192.0.2.7 - - [31/Dec/2026:21:59:59 +0000] "GET / HTTP/1.1" 200 3`, -2 * time.Hour},
		{"vsftpd keeps its weekday true", `Mon Nov  9 01:38:58 2026 [pid 14217] CONNECT: Client "185.12.64.10"`, `Tue Nov 10 01:38:58 2026 [pid 14217] CONNECT: Client "185.12.64.10"`, day},
		{"syslog", `Nov  9 01:03:56 shop1 sshd[1]: x`, `Nov 10 02:03:56 shop1 sshd[1]: x`, day + time.Hour},
		{"syslog with a priority", `<38>Nov  9 01:03:56 shop1 sshd[1]: x`, `<38>Nov 10 01:03:56 shop1 sshd[1]: x`, day},
		{"ISO stamp", `2026-11-09T01:03:56.125793+00:00 shop1 sshd[1]: x`, `2026-11-10T01:03:56.125793+00:00 shop1 sshd[1]: x`, day},
		{"JSON of an application", `{"ts":"2026-11-09T00:21:34.345Z","event":"x","on":"2026-11-09T00:21:34Z"}`, `{"ts":"2026-11-10T00:21:34.345Z","event":"x","on":"2026-11-09T00:21:34Z"}`, day},
		{"JSON with Unix seconds", `{"ts":"2026-11-09T00:00:01+00:00","msec":1794182401.155}`, `{"ts":"2026-11-10T00:00:01+00:00","msec":1794268801.155}`, day},
		{"general log", "261109 15:40:00\t  2499 Quit\t", "261110 15:40:00\t  2499 Quit\t", day},
		{"general log, one digit", "261109  9:40:00\t  2499 Quit\t", "261109 10:40:00\t  2499 Quit\t", time.Hour},
		{"no stamp", "\t\t  2500 Connect\tshop@localhost on shop", "\t\t  2500 Connect\tshop@localhost on shop", day},
		{"no time", "Nov 99 01:03:56 shop1 sshd[1]: x", "Nov 99 01:03:56 shop1 sshd[1]: x", day},
	} {
		if got := Move(tt.line, tt.by, 2026); got != tt.want {
			t.Errorf("%s:\n got %q\nwant %q", tt.name, got, tt.want)
		}
	}
}

// What is moved there and back is the same line, and nothing but the stamp changes length.
func FuzzShift(f *testing.F) {
	for _, line := range []string{
		`192.0.2.7 - - [31/Dec/2026:23:59:59 +0000] "GET / HTTP/1.1" 200 3`, `Mon Nov  9 01:38:58 2026 [pid 1] CONNECT`, `Nov  9 01:03:56 shop1 sshd[1]: x`,
		`2026-11-09T01:03:56.1+00:00 shop1 x`, `{"ts":"2026-11-09T00:00:01+00:00","msec":1794182401.155}`, "261109  9:40:00\t1 Quit", "\x00[", "",
	} {
		f.Add(line, 7)
	}
	f.Fuzz(func(t *testing.T, line string, days int) {
		days %= 60
		there := Shift(line, days, 2026)
		if len(there) != len(line) {
			t.Fatalf("%q became %q", line, there)
		}
		if there == line {
			return // no stamp, or one that cannot go there
		}
		if syslogStamp.MatchString(line) || ctimeStamp.MatchString(line) {
			return // their year or weekday need not have been true
		}
		if back := Shift(there, -days, 2026); back != line {
			t.Fatalf("%q moved by %d days is %q, and back %q", line, days, there, back)
		}
	})
}
