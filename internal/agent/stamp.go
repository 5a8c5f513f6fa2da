package agent

import (
	"strconv"
	"strings"
	"time"
)

// The agent on a shop host links no parsers: it finds the time of a line by the usual shapes, only to put lines of several files in order while
// it tells of what was there before it came. What a line means, the server says.

// stampFar is how many bytes of a line are looked at.
const stampFar = 1024

// timeIn returns the time that stands in a line, false when there is none in a usual form: RFC 3339 and its like at the beginning, the time of
// web servers in brackets ([10/Oct/2000:13:55:36 -0700]), that of syslog (RFC 3164) and of ctime at the beginning, a member time, ts, timestamp, @timestamp,
// date or datetime of a JSON object. Times without a zone are zone's; those without a year are of the year before now.
func timeIn(line string, now time.Time, zone *time.Location) (time.Time, bool) {
	line = line[:min(len(line), stampFar)]
	if strings.HasPrefix(line, "<") {
		if _, rest, ok := strings.Cut(line[:min(len(line), 6)], ">"); ok {
			line = rest + line[min(len(line), 6):]
		}
		line = strings.TrimPrefix(line, "1 ") // the version of RFC 5424
	}
	if t, ok := isoAt(line, zone); ok {
		return t, true
	}
	if t, ok := wordsAt(line, now, zone); ok {
		return t, true
	}
	if i := strings.IndexByte(line, '['); i >= 0 && len(line) > i+27 {
		if t, err := time.Parse("02/Jan/2006:15:04:05 -0700", line[i+1:i+27]); err == nil {
			return t, true
		}
	}
	if strings.HasPrefix(line, "{") {
		return memberOf(line, zone)
	}
	return time.Time{}, false
}

// isoAt reads a date and time at the beginning of a text, with T or a blank between, with or without a zone, dashes or slashes.
func isoAt(s string, zone *time.Location) (time.Time, bool) {
	if len(s) < 19 || s[0] < '0' || s[0] > '9' {
		return time.Time{}, false
	}
	layout, end := "2006-01-02T15:04:05", 19
	if s[4] == '/' {
		layout = "2006/01/02 15:04:05"
	} else if s[10] == ' ' {
		layout = "2006-01-02 15:04:05"
	}
	for end < len(s) && (s[end] >= '0' && s[end] <= '9' || s[end] == '.' || s[end] == ',') {
		end++
	}
	text := strings.TrimRight(s[:end], ".,")
	if end < len(s) && s[end] == 'Z' {
		t, err := time.ParseInLocation(layout, text, time.UTC)
		return t, err == nil
	}
	for _, offset := range []string{"-07:00", "-0700"} {
		if n := end + len(offset); n <= len(s) && (s[end] == '+' || s[end] == '-') {
			if t, err := time.Parse(layout+offset, text+s[end:n]); err == nil {
				return t, true
			}
		}
	}
	t, err := time.ParseInLocation(layout, text, zone)
	return t, err == nil
}

// wordsAt reads the time of syslog or ctime at the beginning of a text.
func wordsAt(s string, now time.Time, zone *time.Location) (time.Time, bool) {
	if len(s) >= 24 && s[3] == ' ' && s[7] == ' ' {
		if t, err := time.ParseInLocation("Mon Jan _2 15:04:05 2006", s[:24], zone); err == nil {
			return t, true
		}
	}
	if len(s) < 15 || s[3] != ' ' {
		return time.Time{}, false
	}
	year := now.In(zone).Year()
	for _, y := range []int{year, year - 1} {
		t, err := time.ParseInLocation("2006 Jan _2 15:04:05", strconv.Itoa(y)+" "+s[:15], zone)
		if err == nil && t.Before(now.Add(24*time.Hour)) {
			return t, true
		}
	}
	return time.Time{}, false
}

// memberOf reads the member of a JSON object that tells the time, without reading the whole object.
func memberOf(line string, zone *time.Location) (time.Time, bool) {
	for _, name := range [...]string{`"@timestamp"`, `"timestamp"`, `"time"`, `"ts"`, `"datetime"`, `"date"`} {
		_, rest, ok := strings.Cut(line, name)
		if !ok {
			continue
		}
		rest = strings.TrimLeft(rest, " \t")
		if rest, ok = strings.CutPrefix(rest, ":"); !ok {
			continue
		}
		rest = strings.TrimLeft(rest, " \t")
		if text, quoted := strings.CutPrefix(rest, `"`); quoted {
			if t, ok := isoAt(text, zone); ok {
				return t, true
			}
			continue
		}
		end := 0
		for end < len(rest) && (rest[end] >= '0' && rest[end] <= '9' || rest[end] == '.') {
			end++
		}
		if n, err := strconv.ParseFloat(rest[:end], 64); err == nil && n > 1e9 && n < 1e14 {
			for n > 1e11 { // milliseconds, not seconds
				n /= 1000
			}
			return time.UnixMicro(int64(n * 1e6)), true
		}
	}
	return time.Time{}, false
}
