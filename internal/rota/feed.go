package rota

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"
)

// A Feed is a calendar of shifts, for people's own calendars (RFC 5545, with the names of RFC 7986):
//
//	BEGIN:VCALENDAR ... NAME, REFRESH-INTERVAL, and X-WR-CALNAME and X-PUBLISHED-TTL for readers that know only these
//	BEGIN:VEVENT    one a shift: UID, DTSTAMP, SEQUENCE, DTSTART, DTEND, SUMMARY, DESCRIPTION, CATEGORIES, TRANSP
//
// Times are UTC (form 2 of section 3.3.5), so that no reader has to know a zone's rules to ring when we do; it shows them by its own clock.
// Being on call does not make busy: TRANSP is TRANSPARENT. A shift keeps its UID while it begins when it did, whoever has it, and says nothing of
// persons or hosts, as section 5.3 of RFC 7986 wants; what changed is told by SEQUENCE and DTSTAMP. Fractions of a second are cut.
type Feed struct {
	Origin   string        // of the ledger: two installations make different UIDs
	Name     string        // of the calendar
	Stamp    time.Time     // when what it says was changed last: Book.Changed
	Sequence int64         // and how often: Book.Changed; above 2^31-1, the largest that RFC 5545 knows, it begins again
	Refresh  time.Duration // how often to ask again, in whole minutes; 0 says nothing of it
	Words    func(Shift) (summary, description string)
}

// maxText is how many bytes of a text are told.
const maxText = 4096

// Calendar writes shifts, gaps among them where they are to be seen. Without a shift there is a calendar with the zone UTC in it, since section 3.6 asks for
// at least one component.
func (f Feed) Calendar(shifts []Shift) []byte {
	var b bytes.Buffer
	put := func(name, value string) { writeLine(&b, name+":"+value) }
	put("BEGIN", "VCALENDAR")
	put("VERSION", "2.0")
	put("PRODID", "-//Tocsin//On call//EN")
	put("CALSCALE", "GREGORIAN")
	put("NAME", text(f.Name))
	put("X-WR-CALNAME", text(f.Name))
	if m := f.Refresh / time.Minute; m > 0 {
		put("REFRESH-INTERVAL;VALUE=DURATION", fmt.Sprintf("PT%dM", m))
		put("X-PUBLISHED-TTL", fmt.Sprintf("PT%dM", m))
	}
	told := 0
	for _, x := range shifts {
		if !x.Until.Truncate(time.Second).After(x.Since.Truncate(time.Second)) || x.Until.Year() > 9999 {
			continue // DTEND must be later than DTSTART
		}
		told++
		f.shift(put, x)
	}
	if told == 0 {
		for _, l := range []string{"BEGIN:VTIMEZONE", "TZID:Etc/UTC", "BEGIN:STANDARD", "DTSTART:19700101T000000", "TZOFFSETFROM:+0000", "TZOFFSETTO:+0000", "END:STANDARD", "END:VTIMEZONE"} {
			writeLine(&b, l)
		}
	}
	put("END", "VCALENDAR")
	return b.Bytes()
}

func (f Feed) shift(put func(name, value string), x Shift) {
	summary, description := x.Person, ""
	if f.Words != nil {
		summary, description = f.Words(x)
	}
	put("BEGIN", "VEVENT")
	put("UID", f.uid(x))
	put("DTSTAMP", stamp(f.Stamp))
	put("SEQUENCE", fmt.Sprint(max(f.Sequence, 0)&0x7fffffff))
	put("DTSTART", stamp(x.Since))
	put("DTEND", stamp(x.Until))
	put("SUMMARY", text(summary))
	if description != "" {
		put("DESCRIPTION", text(description))
	}
	category := "On call"
	if x.Person == "" {
		category = "Nobody on call"
	}
	put("CATEGORIES", category)
	put("STATUS", "CONFIRMED")
	put("TRANSP", "TRANSPARENT")
	put("END", "VEVENT")
}

// uid is made of what makes a shift itself: its schedule, and when it begins.
func (f Feed) uid(x Shift) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%q %q %d", f.Origin, x.Schedule, x.Since.Unix()))
	return hex.EncodeToString(sum[:16])
}

func stamp(t time.Time) string { return t.UTC().Format("20060102T150405Z") }

// text escapes a TEXT (section 3.3.11). What no text can hold, control characters and bytes that are no UTF-8, is shown as U+FFFD.
func text(s string) string {
	if len(s) > maxText {
		s = strings.ToValidUTF8(s[:maxText], "") + "…"
	}
	var b strings.Builder
	for n, r := range s {
		switch {
		case r == '\\' || r == ';' || r == ',':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\r' && strings.HasPrefix(s[n:], "\r\n"):
		case r == '\n' || r == '\r':
			b.WriteString(`\n`)
		case r == '\t':
			b.WriteByte('\t')
		case r < ' ' || r >= 0x7f && r < 0xa0 || r == utf8.RuneError || r == '\u2028' || r == '\u2029':
			b.WriteRune(utf8.RuneError)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// writeLine writes a content line in pieces of at most 75 bytes (section 3.1), and never cuts a character.
func writeLine(b *bytes.Buffer, line string) {
	const most = 75
	room := most
	for len(line) > room {
		n := room
		for !utf8.RuneStart(line[n]) {
			n--
		}
		b.WriteString(line[:n])
		b.WriteString("\r\n ")
		line, room = line[n:], most-1
	}
	b.WriteString(line)
	b.WriteString("\r\n")
}
