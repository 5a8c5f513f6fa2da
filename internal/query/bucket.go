package query

import "time"

const day = 24 * time.Hour

// Bucket returns where the bucket of a time begins. Buckets below a day are counted from the local midnight, so a day with 23 or 25 hours ends with a
// shorter or a further one; every must be a divisor of 24 h. Whole days are those of the calendar in zone: 7 days begin on a
// Monday, other numbers are counted from 1970-01-01.
func Bucket(t time.Time, every time.Duration, zone *time.Location) time.Time {
	t = t.In(zone)
	y, m, d := t.Date()
	midnight := time.Date(y, m, d, 0, 0, 0, 0, zone)
	if every < day {
		past := t.Sub(midnight)
		rest := past % every
		if rest < 0 {
			rest += every
		}
		return midnight.Add(past - rest)
	}
	n := int64(every / day)
	back := (civil(y, m, d) - weekBegin(n)) % n
	if back < 0 {
		back += n
	}
	return time.Date(y, m, d-int(back), 0, 0, 0, 0, zone)
}

// civil is the number of days since 1970-01-01.
func civil(y int, m time.Month, d int) int64 {
	return time.Date(y, m, d, 0, 0, 0, 0, time.UTC).Unix() / 86400
}

// weekBegin is the day that buckets of n days are counted from: of weeks the first Monday of 1970.
func weekBegin(n int64) int64 {
	if n%7 == 0 {
		return 4
	}
	return 0
}

// bucketEnd returns where the bucket that begins at start ends, which is where the next one begins.
func bucketEnd(start time.Time, every time.Duration, zone *time.Location) time.Time {
	y, m, d := start.In(zone).Date()
	if every >= day {
		return time.Date(y, m, d+int(every/day), 0, 0, 0, 0, zone)
	}
	next := time.Date(y, m, d+1, 0, 0, 0, 0, zone)
	if end := start.Add(every); end.Before(next) || !next.After(start) {
		return end
	}
	return next
}
