package query_test

import (
	"testing"
	"time"

	"tocsin/internal/query"
)

// seeds are texts that reach every part of the language.
var seeds = []string{
	"", "*", "anna", `"failed password"`, "/union.*select/i", "-bot not (a or b) c", "ip=10.0.0.0/8 and status>=500", "user!=root user!~x", "ip not in (::1, 10.0.0.0/8)",
	"path=/wp-*.php agent~curl", "bytes>10kb duration<=250ms", `"my.field"="x y" since 2h until now`, "between 2026-11-18 and 2026-11-20 14:00 CET on", "last 30m | top ip 5 | sort count desc | head 3",
	"| count by user, ip, 5m", "| sum(bytes) by session", "session abc | fields time, raw | tail 20", "time>=yesterday or time<10:00", "| timeline 1h", "fe80::1 http://x C:\\x a\\*b", "x=(a or b)",
	"status=5xx", "took>3", "time!=2026-11-20", "| rare url.path", "| p95(duration) by host every 1d", "raw=*a\\ b*", "| session 10.0.0.1", "a||b&&c",
}

// Whatever the text, parsing ends with a query or an error with a place in the text; a query is printed such that it is read back, and is printed the
// same again.
func FuzzParse(f *testing.F) {
	for _, s := range seeds {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		q, err := query.Parse(text, now, berlin)
		if err != nil {
			e := err.(*query.Error)
			if n := len([]rune(text)); e.At < 0 || e.At > n || e.End < e.At || e.Why == "" || e.Mend == "" {
				t.Fatalf("Parse(%q) says %+v, outside of %d runes", text, e, n)
			}
			e.Show(text)
			return
		}
		printed := q.String()
		again, err := query.Parse(printed, now.Add(72*time.Hour), berlin)
		if err != nil {
			t.Fatalf("Parse(%q) is printed %q, which is refused:\n%s", text, printed, err.(*query.Error).Show(printed))
		}
		if !again.Same(q) || again.String() != printed {
			t.Fatalf("Parse(%q) is printed %q, which is read as %q", text, printed, again.String())
		}
		query.NewFold(q).Result()
	})
}
