package query

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A span is a time as somebody said it: a moment, or a whole day.
type span struct {
	from, to time.Time // of a moment they are the same
}

func (s span) day() bool { return !s.from.Equal(s.to) }

const timesMend = "Write 2h (ago), 14:05, yesterday, monday, 2026-11-20, 2026-11-20T14:05 or 2026-11-20T14:05+01:00."

// clause reads since, until, between, on and last. They hold for the whole query, wherever they stand.
func (p *parser) clause(word string) *Error {
	at := p.pos
	end := at + len(word)
	switch word {
	case "in":
		return p.fail(at, end, `Before "in" a field is missing.`, `Write ip in 10.0.0.0/8; to search for the word itself, write it in quotes: "in".`)
	case "and", "or", "not":
		return p.missing(at)
	}
	if p.closed > 0 {
		return p.fail(at, end, fmt.Sprintf("%s holds for the whole query, so it cannot stand in parentheses or behind not.", word), "Compare instead: time>=2026-11-20.")
	}
	p.pos = end
	p.space()
	var err *Error
	switch word {
	case "since":
		var s span
		if s, err = p.moment(word, at); err == nil {
			err = p.setSince(s.from, at)
		}
	case "until":
		var s span
		if s, err = p.moment(word, at); err == nil {
			err = p.setUntil(s.to, at)
		}
	case "between":
		err = p.between(at)
	case "on":
		err = p.onDay(at)
	case "last":
		err = p.last(at)
	}
	return err
}

func (p *parser) setSince(t time.Time, at int) *Error {
	if !p.q.Since.IsZero() {
		return p.fail(at, p.pos, "The query says twice when it begins.", "Keep one of the two.")
	}
	p.q.Since = t
	return nil
}

func (p *parser) setUntil(t time.Time, at int) *Error {
	if !p.q.Until.IsZero() {
		return p.fail(at, p.pos, "The query says twice when it ends.", "Keep one of the two.")
	}
	p.q.Until = t
	return nil
}

func (p *parser) setBoth(s span, at int) *Error {
	if err := p.setSince(s.from, at); err != nil {
		return err
	}
	return p.setUntil(s.to, at)
}

func (p *parser) between(at int) *Error {
	from, err := p.moment("between", at)
	if err != nil {
		return err
	}
	p.space()
	if !p.take("and") {
		return p.fail(at, p.pos, `"between" needs two times with "and" between them.`, "Write between 2026-11-20 and 2026-11-22.")
	}
	p.space()
	to, err := p.moment("between", at)
	if err != nil {
		return err
	}
	return p.setBoth(span{from.from, to.to}, at)
}

func (p *parser) onDay(at int) *Error {
	from := p.pos
	s, err := p.moment("on", at)
	if err != nil {
		return err
	}
	if !s.day() {
		return p.fail(from, p.pos, `"on" needs a day.`, "Write on 2026-11-20, on yesterday or on monday; from a moment on is since, up to one until.")
	}
	return p.setBoth(s, at)
}

func (p *parser) last(at int) *Error {
	from := p.pos
	w := p.takeBare()
	d, ok := duration(w)
	if !ok && allDigits(w, 1, 5) {
		p.space()
		d, ok = duration(w + p.takeBare())
	}
	if !ok {
		d, ok = duration("1" + w)
		ok = ok && len(w) >= 3 // last hour, last day; not last m
	}
	if !ok {
		return p.fail(from, max(p.pos, from+1), `"last" needs how long.`, `Write last 30m, last 2h or last 3d; to search for the word itself, write it in quotes: "last".`)
	}
	t, err := p.ago(d, from)
	if err != nil {
		return err
	}
	return p.setSince(t, at)
}

// takeBare takes the bare text ahead, "" if there is none.
func (p *parser) takeBare() string {
	w := p.word()
	p.pos += len([]rune(w))
	return w
}

func (p *parser) ago(d time.Duration, at int) (time.Time, *Error) {
	t := p.now.Add(-d)
	return t, p.inCalendar(t, at)
}

// inCalendar refuses times that no log has, and that are not printed as they are read.
func (p *parser) inCalendar(t time.Time, at int) *Error {
	if y := t.UTC().Year(); y < 1970 || y > 2200 {
		return p.fail(at, p.pos, "This time lies outside of the years 1970 to 2200.", timesMend)
	}
	return nil
}

// moment reads a time; word is what it belongs to, and stands at.
func (p *parser) moment(word string, at int) (span, *Error) {
	from := p.pos
	w := p.takeBare()
	low := strings.ToLower(w)
	if w == "" {
		return span{}, p.fail(at, p.pos, fmt.Sprintf("Behind %s a time is missing.", said(word)), timesMend+fmt.Sprintf(" To search for the word itself, write it in quotes: %s.", said(word)))
	}
	if s, ok := p.namedDay(low); ok {
		return p.atClock(s, from)
	}
	if d, ok := p.relative(low); ok {
		t, err := p.ago(d, from)
		return span{t, t}, err
	}
	if t, ok := unixTime(w, p.zone); ok {
		return span{t, t}, p.inCalendar(t, from)
	}
	if c, ok := clockOf(w); ok {
		return p.clockToday(c, from)
	}
	for _, layout := range []string{"2006-01-02", "2006/01/02", "02/Jan/2006", "02.01.2006"} {
		if t, err := time.ParseInLocation(layout, w, p.zone); err == nil {
			return p.atClock(dayOf(t), from)
		}
	}
	upper := strings.ToUpper(w)
	for _, layout := range []string{"2006-01-02T15:04:05", "2006-01-02T15:04", "02/Jan/2006:15:04:05"} {
		if t, err := time.ParseInLocation(layout, upper, time.UTC); err == nil {
			return p.inZone(t, from)
		}
		for _, zoned := range []string{layout + "Z07:00", layout + "Z0700", layout + "Z07"} {
			if t, err := time.ParseInLocation(zoned, upper, time.UTC); err == nil {
				t = t.In(p.zone)
				return span{t, t}, p.inCalendar(t, from)
			}
		}
	}
	return span{}, p.fail(from, p.pos, fmt.Sprintf("%s is no time.", said(w)), timesMend+fmt.Sprintf(" To search for the word %s itself, write it in quotes.", said(word)))
}

// dayOf is the day that begins at t.
func dayOf(t time.Time) span { return span{t, t.AddDate(0, 0, 1)} }

// namedDay reads now, today, yesterday and the days of the week; of these the last that began.
func (p *parser) namedDay(w string) (span, bool) {
	today := time.Date(p.now.Year(), p.now.Month(), p.now.Day(), 0, 0, 0, 0, p.zone)
	switch w {
	case "now":
		return span{p.now, p.now}, true
	case "today":
		return dayOf(today), true
	case "yesterday":
		return dayOf(today.AddDate(0, 0, -1)), true
	}
	for back := range 7 {
		day := today.AddDate(0, 0, -back)
		if name := strings.ToLower(day.Weekday().String()); w == name || w == name[:3] {
			return dayOf(day), true
		}
	}
	return span{}, false
}

// relative reads 2h, 2h ago and 2 hours ago; the first word of it was taken.
func (p *parser) relative(w string) (time.Duration, bool) {
	d, ok := duration(w)
	before := p.pos
	if !ok && allDigits(w, 1, 5) {
		p.space()
		d, ok = duration(w + strings.ToLower(p.takeBare()))
	}
	if !ok {
		p.pos = before
		return 0, false
	}
	before = p.pos
	if p.space(); !p.take("ago") {
		p.pos = before
	}
	return d, true
}

// units of durations, longest names first.
var units = []struct {
	name string
	of   time.Duration
}{
	{"seconds", time.Second}, {"second", time.Second}, {"sec", time.Second}, {"s", time.Second},
	{"minutes", time.Minute}, {"minute", time.Minute}, {"min", time.Minute}, {"m", time.Minute},
	{"hours", time.Hour}, {"hour", time.Hour}, {"h", time.Hour},
	{"days", 24 * time.Hour}, {"day", 24 * time.Hour}, {"d", 24 * time.Hour},
	{"weeks", 7 * 24 * time.Hour}, {"week", 7 * 24 * time.Hour}, {"w", 7 * 24 * time.Hour},
}

// duration reads 30m, 1h30m, 3d and 2weeks; at most a hundred years.
func duration(s string) (time.Duration, bool) {
	var sum time.Duration
	for s != "" {
		digits := 0
		for digits < len(s) && s[digits] >= '0' && s[digits] <= '9' {
			digits++
		}
		n, err := strconv.ParseInt(s[:digits], 10, 32)
		if err != nil {
			return 0, false
		}
		s = strings.ToLower(s[digits:])
		letters := strings.IndexAny(s, "0123456789")
		if letters < 0 {
			letters = len(s)
		}
		i := slices.IndexFunc(units, func(u struct {
			name string
			of   time.Duration
		}) bool {
			return u.name == s[:letters]
		})
		if i < 0 || n > int64(100*365*24*time.Hour/units[i].of) {
			return 0, false
		}
		s = s[letters:]
		if sum += time.Duration(n) * units[i].of; sum > 100*365*24*time.Hour {
			return 0, false
		}
	}
	return sum, sum > 0
}

func allDigits(s string, least, most int) bool {
	return len(s) >= least && len(s) <= most && strings.Trim(s, "0123456789") == ""
}

// unixTime reads seconds or milliseconds since 1970, as applications log them.
func unixTime(w string, zone *time.Location) (time.Time, bool) {
	n, err := strconv.ParseInt(w, 10, 64)
	switch {
	case err == nil && allDigits(w, 10, 10):
		return time.Unix(n, 0).In(zone), true
	case err == nil && allDigits(w, 13, 13):
		return time.UnixMilli(n).In(zone), true
	}
	return time.Time{}, false
}

// A clock is a time of the day, with the zone that was written behind it.
type clock struct {
	t    time.Time // of the first day of the year 0
	zone *time.Location
}

func clockOf(w string) (clock, bool) {
	if len(w) < 4 || w[0] < '0' || w[0] > '9' {
		return clock{}, false
	}
	for _, layout := range []string{"15:04", "15:04:05"} {
		if t, err := time.ParseInLocation(layout, w, time.UTC); err == nil {
			return clock{t, nil}, true
		}
		for _, zoned := range []string{layout + "Z07:00", layout + "Z0700", layout + "Z07"} {
			if t, err := time.ParseInLocation(zoned, strings.ToUpper(w), time.UTC); err == nil {
				_, offset := t.Zone()
				return clock{t, time.FixedZone("", offset)}, true
			}
		}
	}
	return clock{}, false
}

// on is the clock's time on a day.
func (c clock) on(day time.Time, zone *time.Location) time.Time {
	return time.Date(day.Year(), day.Month(), day.Day(), c.t.Hour(), c.t.Minute(), c.t.Second(), c.t.Nanosecond(), zone)
}

// atClock adds the time of the day that may follow a day.
func (p *parser) atClock(s span, from int) (span, *Error) {
	if !s.day() {
		return s, nil
	}
	before := p.pos
	p.space()
	c, ok := clockOf(p.word())
	if !ok {
		p.pos = before
		return s, p.inCalendar(s.from, from)
	}
	p.takeBare()
	zone, err := p.zoned(c)
	if err != nil {
		return span{}, err
	}
	t := c.on(s.from, zone).In(p.zone)
	return span{t, t}, p.inCalendar(t, from)
}

// clockToday is the last time that a clock showed this.
func (p *parser) clockToday(c clock, from int) (span, *Error) {
	zone, err := p.zoned(c)
	if err != nil {
		return span{}, err
	}
	now := p.now.In(zone)
	t := c.on(now, zone)
	if t.After(now) {
		t = c.on(now.AddDate(0, 0, -1), zone)
	}
	t = t.In(p.zone)
	return span{t, t}, p.inCalendar(t, from)
}

// inZone reads the zone that may follow a time without one; t has its figures in UTC.
func (p *parser) inZone(t time.Time, from int) (span, *Error) {
	zone, err := p.zoned(clock{})
	if err != nil {
		return span{}, err
	}
	t = time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), zone).In(p.zone)
	return span{t, t}, p.inCalendar(t, from)
}

// zoneNames are abbreviations that mean one thing to most people; IST and the like do not. Daylight saving has a name of its own. Names such as
// Europe/Berlin need a table that the reader's machine may not have, so an offset is written for them.
var zoneNames = map[string]int{
	"UTC": 0, "GMT": 0, "Z": 0, "WET": 0, "WEST": 3600, "BST": 3600, "CET": 3600, "CEST": 7200, "EET": 7200, "EEST": 10800, "MSK": 10800, "JST": 32400,
	"EST": -18000, "EDT": -14400, "CST": -21600, "CDT": -18000, "MST": -25200, "MDT": -21600, "PST": -28800, "PDT": -25200, "AEST": 36000, "AEDT": 39600,
}

// zoned takes the zone that may follow a time: an abbreviation or an offset. Without one it is the clock's own or the reader's.
func (p *parser) zoned(c clock) (*time.Location, *Error) {
	if c.zone != nil {
		return c.zone, nil
	}
	before := p.pos
	p.space()
	from := p.pos
	w := p.takeBare()
	if offset, ok := zoneNames[strings.ToUpper(w)]; ok {
		return time.FixedZone("", offset), nil
	}
	if len(w) > 1 && (w[0] == '+' || w[0] == '-') {
		for _, layout := range []string{"-07:00", "-0700", "-07"} {
			if t, err := time.ParseInLocation(layout, w, time.UTC); err == nil {
				_, offset := t.Zone()
				return time.FixedZone("", offset), nil
			}
		}
	}
	if area, city, ok := strings.Cut(w, "/"); ok && area != "" && city != "" && slices.Contains([]string{"Africa", "America", "Asia", "Atlantic", "Australia", "Etc", "Europe", "Indian", "Pacific"}, area) {
		return nil, p.fail(from, p.pos, "Zones are not known by the names of towns.", "Write an offset, such as +01:00, or an abbreviation, such as UTC or CET; without one it is your own zone.")
	}
	p.pos = before
	return p.zone, nil
}

// askTime reads a comparison with a time. A day is all of it: time=2026-11-20 is any time on it, time>2026-11-20 any after it.
func (p *parser) askTime(r relation, at int) (*Expr, *Error) {
	if p.peek(0) == '(' || isQuote(p.peek(0)) {
		return nil, p.fail(p.pos, p.pos+1, "A time stands without quotes and parentheses.", timesMend)
	}
	if r.op == Contains {
		return nil, p.fail(at, p.pos, "A time is no text.", "Write time>=2026-11-20, or search the line for how the log writes it.")
	}
	if r.op == Equal && p.take("*") {
		e, err := p.leaf(Has(Time), at)
		if err == nil && r.negate {
			e = None(e)
		}
		return e, err
	}
	s, err := p.moment("time", at)
	if err != nil {
		return nil, err
	}
	to := s.to
	if !s.day() {
		to = s.from.Add(time.Second)
	}
	leaf := func(op Op, t time.Time) *Expr {
		e, bad := p.leaf(CompareTime(op, t), at)
		if bad != nil {
			err = bad
		}
		return e
	}
	var e *Expr
	switch {
	case r.op == Equal:
		e = All(leaf(AtLeast, s.from), leaf(Less, to))
	case s.day() && r.op == More:
		e = leaf(AtLeast, s.to)
	case s.day() && r.op == AtMost:
		e = leaf(Less, s.to)
	default:
		e = leaf(r.op, s.from)
	}
	if err != nil {
		return nil, err
	}
	if r.negate {
		e = None(e)
	}
	return e, nil
}
