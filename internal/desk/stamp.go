package desk

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Log lines carry their dates in few forms. Each is found by its shape at the place where the format has it, so that
// a date inside a message stays as it is.
var (
	isoStamp    = regexp.MustCompile(`^(?:<\d+>)?(\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d)|"(?:ts|time|timestamp|@timestamp|date|datetime)"\s*:\s*"(\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d)`)
	clfStamp    = regexp.MustCompile(`\[(\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d) [+-]\d{4}\]`)
	syslogStamp = regexp.MustCompile(`^(?:<\d+>)?([A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d)`)
	ctimeStamp  = regexp.MustCompile(`^([A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \d{4})`)
	mysqlStamp  = regexp.MustCompile(`^(\d{6} [ \d]\d:\d\d:\d\d)`)
	unixField   = regexp.MustCompile(`("(?:msec|epoch)"\s*:\s*)(\d{10})(\.\d+)?`)
)

// Shift moves the stamp of a log line by whole days. See Move.
func Shift(raw string, days, year int) string {
	return Move(raw, time.Duration(days)*24*time.Hour, year)
}

// Move moves the stamp of a log line by whole seconds. year is of stamps that have none. Lines without a stamp, or with
// one that is no time, come back as they are.
func Move(raw string, by time.Duration, year int) string {
	if m := clfStamp.FindStringSubmatchIndex(raw); m != nil {
		return moved(raw, m[2], m[3], "02/Jan/2006:15:04:05", by)
	}
	if m := ctimeStamp.FindStringSubmatchIndex(raw); m != nil {
		return moved(raw, m[2], m[3], "Mon Jan _2 15:04:05 2006", by)
	}
	if m := syslogStamp.FindStringSubmatchIndex(raw); m != nil {
		t, err := time.Parse("2006 Jan _2 15:04:05", fmt.Sprintf("%d %s", year, raw[m[2]:m[3]]))
		if err != nil {
			return raw
		}
		return raw[:m[2]] + t.Add(by).Format("Jan _2 15:04:05") + raw[m[3]:]
	}
	if m := mysqlStamp.FindStringSubmatchIndex(raw); m != nil {
		return movedMySQL(raw, m[2], m[3], by)
	}
	if m := isoStamp.FindStringSubmatchIndex(raw); m != nil {
		from, to := m[2], m[3]
		if from < 0 {
			from, to = m[4], m[5]
		}
		raw = moved(raw, from, to, "2006-01-02"+raw[from+10:from+11]+"15:04:05", by)
	}
	if !strings.HasPrefix(raw, "{") {
		return raw
	}
	return unixField.ReplaceAllStringFunc(raw, func(s string) string {
		m := unixField.FindStringSubmatch(s)
		n, err := strconv.ParseInt(m[2], 10, 64)
		if n += int64(by / time.Second); err != nil || n < 0 || n > 9_999_999_999 {
			return s
		}
		return fmt.Sprintf("%s%010d%s", m[1], n, m[3])
	})
}

// moved replaces the stamp at from..to.
func moved(raw string, from, to int, layout string, by time.Duration) string {
	t, err := time.Parse(layout, raw[from:to])
	if err != nil {
		return raw
	}
	return raw[:from] + t.Add(by).Format(layout) + raw[to:]
}

// movedMySQL is moved for the general log, which pads the hour with a space.
func movedMySQL(raw string, from, to int, by time.Duration) string {
	const layout = "060102 15:04:05"
	stamp := []byte(raw[from:to])
	zeros := stamp[7] == '0'
	if stamp[7] == ' ' {
		stamp[7] = '0'
	}
	t, err := time.Parse(layout, string(stamp))
	if err != nil {
		return raw
	}
	out := []byte(t.Add(by).Format(layout))
	if out[7] == '0' && !zeros {
		out[7] = ' '
	}
	return raw[:from] + string(out) + raw[to:]
}

// sampleHint dates the sample lines of rules that name no year.
var sampleHint = time.Date(2026, 12, 31, 0, 0, 0, 0, time.UTC)
