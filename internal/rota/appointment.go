package rota

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"
)

// An Appointment is one meeting as iCalendar (RFC 5545). Who takes a later one with the same Key over gets it moved, when its Sequence is larger.
type Appointment struct {
	Origin, Key    string // together they name it for ever
	Sequence       int64
	Stamp          time.Time // when it was said last
	At, Until      time.Time
	Summary, Words string // texts; Words may be ""
	URL            string
}

// Calendar writes it as a calendar of its own, to be added to that of a person.
func (a Appointment) Calendar() []byte {
	var b bytes.Buffer
	sum := sha256.Sum256(fmt.Appendf(nil, "%q %q", a.Origin, a.Key))
	for _, l := range [][2]string{{"BEGIN", "VCALENDAR"}, {"VERSION", "2.0"}, {"PRODID", "-//Tocsin//Review//EN"}, {"CALSCALE", "GREGORIAN"}, {"METHOD", "PUBLISH"},
		{"BEGIN", "VEVENT"}, {"UID", hex.EncodeToString(sum[:16])}, {"DTSTAMP", stamp(a.Stamp)}, {"SEQUENCE", fmt.Sprint(max(a.Sequence, 0) & 0x7fffffff)}, {"DTSTART", stamp(a.At)}, {"DTEND", stamp(a.Until)},
		{"SUMMARY", text(a.Summary)}, {"DESCRIPTION", text(a.Words)}, {"URL", a.URL}, {"CATEGORIES", "Review"}, {"STATUS", "CONFIRMED"}, {"TRANSP", "OPAQUE"}, {"END", "VEVENT"}, {"END", "VCALENDAR"}} {
		if l[1] != "" {
			writeLine(&b, l[0]+":"+l[1])
		}
	}
	return b.Bytes()
}
