package intake

import (
	"strings"
	"time"

	"tocsin/internal/record"
)

// A stamp is a date and time as a log has it; year 0 means that it has none.
type stamp struct {
	year, month, day, hour, min, sec, nsec int
}

// in places the stamp in a zone. It reports false for a day or hour that does not exist.
func (s stamp) in(zone *time.Location) (time.Time, bool) {
	if s.month < 1 || s.month > 12 || s.day < 1 || s.day > daysIn(s.month, s.year) || s.hour > 23 || s.min > 59 || s.sec > 60 ||
		s.hour < 0 || s.min < 0 || s.sec < 0 || s.year < 1970 || s.year > 9999 {
		return time.Time{}, false
	}
	return time.Date(s.year, time.Month(s.month), s.day, s.hour, s.min, s.sec, s.nsec, zone).UTC(), true
}

func daysIn(month, year int) int {
	switch month {
	case 4, 6, 9, 11:
		return 30
	case 2:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	}
	return 31
}

// near places a stamp without year: the newest year that puts it at most one day after the hint. Syslog (RFC 3164)
// leaves the year out. Ten years back are tried, because 29 February may be eight years from the next.
func (s stamp) near(hint time.Time, zone *time.Location) (time.Time, bool) {
	if hint.IsZero() {
		return time.Time{}, false
	}
	limit := hint.Add(24 * time.Hour)
	newest := limit.In(zone).Year()
	for s.year = newest; s.year > newest-10; s.year-- {
		if t, ok := s.in(zone); ok && !t.After(limit) {
			return t, true
		}
	}
	return time.Time{}, false
}

// monthOf reads "Jan" to "Dec".
func monthOf(s string) int {
	switch s {
	case "Jan":
		return 1
	case "Feb":
		return 2
	case "Mar":
		return 3
	case "Apr":
		return 4
	case "May":
		return 5
	case "Jun":
		return 6
	case "Jul":
		return 7
	case "Aug":
		return 8
	case "Sep":
		return 9
	case "Oct":
		return 10
	case "Nov":
		return 11
	case "Dec":
		return 12
	}
	return 0
}

// two reads two digits at s[i:], -1 when they are none.
func two(s string, i int) int {
	a, b := s[i]-'0', s[i+1]-'0'
	if a > 9 || b > 9 {
		return -1
	}
	return int(a)*10 + int(b)
}

// four reads four digits at s[i:], -1 when they are none.
func four(s string, i int) int {
	a, b := two(s, i), two(s, i+2)
	if a < 0 || b < 0 {
		return -1
	}
	return a*100 + b
}

// hms reads "01:38:58" at the start of s; a single digit or a blank may stand for the hour's first.
func (s *stamp) hms(text string) (rest string, ok bool) {
	if len(text) >= 7 && text[1] == ':' && text[0]-'0' <= 9 {
		s.hour = int(text[0] - '0')
		text = text[1:]
	} else if len(text) >= 8 && text[2] == ':' {
		if text[0] == ' ' && text[1]-'0' <= 9 {
			s.hour = int(text[1] - '0')
		} else {
			s.hour = two(text, 0)
		}
		text = text[2:]
	} else {
		return "", false
	}
	if text[3] != ':' {
		return "", false
	}
	s.min, s.sec = two(text, 1), two(text, 4)
	return text[6:], s.hour >= 0 && s.min >= 0 && s.sec >= 0
}

// fraction reads ".125793" or ",125" at the start of s, to the nanosecond.
func (s *stamp) fraction(text string) (rest string) {
	if len(text) < 2 || text[0] != '.' && text[0] != ',' || text[1]-'0' > 9 {
		return text
	}
	unit, i := 100_000_000, 1
	for ; i < len(text) && text[i]-'0' <= 9; i++ {
		s.nsec += int(text[i]-'0') * unit
		unit /= 10
	}
	return text[i:]
}

// zoneAt reads "Z", "+01:00", "+0100" or "-07" at the start of s. found is false when there is none.
func zoneAt(s string) (east time.Duration, rest string, found bool) {
	if s == "" {
		return 0, s, false
	}
	if s[0] == 'Z' || s[0] == 'z' {
		return 0, s[1:], true
	}
	if s[0] != '+' && s[0] != '-' || len(s) < 3 || two(s, 1) < 0 {
		return 0, s, false
	}
	east, rest = time.Duration(two(s, 1))*time.Hour, s[3:]
	if len(rest) >= 3 && rest[0] == ':' && two(rest, 1) >= 0 {
		east += time.Duration(two(rest, 1)) * time.Minute
		rest = rest[3:]
	} else if len(rest) >= 2 && two(rest, 0) >= 0 {
		east += time.Duration(two(rest, 0)) * time.Minute
		rest = rest[2:]
	}
	if s[0] == '-' {
		east = -east
	}
	return east, rest, true
}

// clfLen is the length of "09/Nov/2026:00:00:01 +0000", the stamp of the Common Log Format.
const clfLen = 26

// clfTime reads a stamp of the Common Log Format at the start of s.
func clfTime(s string) (time.Time, bool) {
	if len(s) < clfLen || s[2] != '/' || s[6] != '/' || s[11] != ':' || s[20] != ' ' {
		return time.Time{}, false
	}
	st := stamp{year: four(s, 7), month: monthOf(s[3:6]), day: two(s, 0)}
	if rest, ok := st.hms(s[12:20]); !ok || rest != "" {
		return time.Time{}, false
	}
	east, rest, found := zoneAt(s[21:clfLen])
	if !found || rest != "" {
		return time.Time{}, false
	}
	t, ok := st.in(time.UTC)
	return t.Add(-east), ok
}

// isoTime reads "2026-11-09T01:03:56.125793+00:00" (RFC 3339 and ISO 8601) at the start of s, also with a blank for
// T, a comma before the fraction, and without zone.
func isoTime(s string, zone *time.Location) (t time.Time, rest string, ok bool) {
	if len(s) < 18 || s[4] != '-' || s[7] != '-' || s[10] != 'T' && s[10] != ' ' && s[10] != 't' {
		return time.Time{}, "", false
	}
	st := stamp{year: four(s, 0), month: two(s, 5), day: two(s, 8)}
	rest, ok = st.hms(s[11:])
	if !ok {
		return time.Time{}, "", false
	}
	rest = st.fraction(rest)
	if east, after, found := zoneAt(rest); found {
		t, ok = st.in(time.UTC)
		return t.Add(-east), after, ok
	}
	t, ok = st.in(zone)
	return t, rest, ok
}

// slashTime reads "2022/04/02 15:45:23", the stamp of nginx's error log.
func slashTime(s string, zone *time.Location) (t time.Time, rest string, ok bool) {
	if len(s) < 19 || s[4] != '/' || s[7] != '/' || s[10] != ' ' {
		return time.Time{}, "", false
	}
	st := stamp{year: four(s, 0), month: two(s, 5), day: two(s, 8)}
	if rest, ok = st.hms(s[11:]); !ok {
		return time.Time{}, "", false
	}
	t, ok = st.in(zone)
	return t, rest, ok
}

// ctime reads "Mon Nov  9 01:38:58 2026", "Mon Jun 8 12:08:53 2020" or "Fri Oct 08 17:08:41.203277 2021", as C's
// asctime and Apache's error log write it.
func ctime(s string, zone *time.Location) (t time.Time, rest string, ok bool) {
	if len(s) < 23 || s[3] != ' ' || !weekday(s[:3]) {
		return time.Time{}, "", false
	}
	st, rest, ok := shortStamp(s[4:])
	if !ok {
		return time.Time{}, "", false
	}
	rest = st.fraction(rest)
	if len(rest) < 5 || rest[0] != ' ' {
		return time.Time{}, "", false
	}
	st.year = four(rest, 1)
	t, ok = st.in(zone)
	return t, rest[5:], ok
}

func weekday(s string) bool {
	switch s {
	case "Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun":
		return true
	}
	return false
}

// shortStamp reads "Nov  9 01:03:56" (RFC 3164), which has no year.
func shortStamp(s string) (st stamp, rest string, ok bool) {
	if len(s) < 14 || s[3] != ' ' {
		return stamp{}, "", false
	}
	st.month = monthOf(s[:3])
	rest = s[4:]
	switch {
	case rest[0] == ' ' && rest[2] == ' ':
		st.day, rest = int(rest[1]-'0'), rest[3:]
	case rest[1] == ' ':
		st.day, rest = int(rest[0]-'0'), rest[2:]
	case rest[2] == ' ':
		st.day, rest = two(rest, 0), rest[3:]
	default:
		return stamp{}, "", false
	}
	if st.month == 0 || st.day < 1 || st.day > 31 {
		return stamp{}, "", false
	}
	rest, ok = st.hms(rest)
	return st, rest, ok
}

// epochTime reads seconds, milliseconds, microseconds or nanoseconds since 1970, told apart by their size: seconds
// reach 1e11 in the year 5138.
func epochTime(v float64, n int64, whole bool) (time.Time, bool) {
	if !whole {
		if v < 1e8 || v > 1e18 {
			return time.Time{}, false
		}
		if v < 1e11 {
			sec := int64(v)
			// A float64 holds today's seconds to a quarter of a microsecond: the rest is noise.
			return time.Unix(sec, int64((v-float64(sec))*1e6+0.5)*1000).UTC(), true
		}
		n = int64(v)
	}
	switch {
	case n < 1e8:
		return time.Time{}, false
	case n < 1e11:
		return time.Unix(n, 0).UTC(), true
	case n < 1e14:
		return time.UnixMilli(n).UTC(), true
	case n < 1e17:
		return time.UnixMicro(n).UTC(), true
	}
	return time.Unix(0, n).UTC(), true
}

// textTime reads the stamps that JSON logs have as text.
func textTime(s string, zone *time.Location) (time.Time, bool) {
	s = strings.TrimSpace(s)
	if t, rest, ok := isoTime(s, zone); ok && (rest == "" || rest == " UTC") {
		return t, true
	}
	if len(s) == clfLen {
		return clfTime(s)
	}
	if t, rest, ok := slashTime(s, zone); ok && rest == "" {
		return t, true
	}
	if t, rest, ok := ctime(s, zone); ok && rest == "" {
		return t, true
	}
	if v, ok := number(s); ok {
		return epochTime(v.Float, v.Int, v.Kind == record.KindInt)
	}
	return time.Time{}, false
}
