package dossier

import (
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Bounds of one text. What is longer stands whole in the ledger's vault, and the document says how much it leaves to it.
const (
	textAtMost  = 64 << 10 // bytes
	marksAtMost = 4        // combining marks on one letter
)

// visible makes a text harmless: what a reader cannot see, or what would move other text, is shown by its code point. Tabs and spaces of
// all kinds become plain spaces, line ends become "\n". The result is UTF-8 that XML 1.0 may hold.
func visible(text string) string {
	cut := 0
	if len(text) > textAtMost {
		k := textAtMost
		for !utf8.RuneStart(text[k]) && k > textAtMost-utf8.UTFMax {
			k--
		}
		cut, text = utf8.RuneCountInString(text[k:]), text[:k]
	}
	var b strings.Builder
	b.Grow(len(text))
	marks := 0
	text = strings.ReplaceAll(text, "\r\n", "\n")
	for _, r := range text {
		if unicode.In(r, unicode.Mn, unicode.Me) {
			marks++
		} else {
			marks = 0
		}
		switch {
		case r >= ' ' && r < 0x7f:
			b.WriteRune(r)
		case r == '\n', r == '\r', r == '\v', r == '\f', r == 0x85, r == 0x2028, r == 0x2029:
			b.WriteByte('\n')
		case r == '\t', unicode.Is(unicode.Zs, r):
			b.WriteByte(' ')
		case marks > marksAtMost, !plain(r):
			fmt.Fprintf(&b, "[U+%04X]", r)
		default:
			b.WriteRune(r)
		}
	}
	if cut > 0 {
		fmt.Fprintf(&b, " [%d more characters stand in the ledger]", cut)
	}
	return b.String()
}

// plain reports whether a reader sees r, or sees what it does to the letter before it.
func plain(r rune) bool {
	switch {
	case r >= 0xfdd0 && r <= 0xfdef, r&0xfffe == 0xfffe: // no characters
		return false
	case r == 0x115f, r == 0x1160, r == 0x3164, r == 0xffa0, r == 0x2800, r == 0x034f: // letters and signs that look like nothing
		return false
	case r >= 0xfe00 && r <= 0xfe0f, r >= 0xe0100 && r <= 0xe01ef, r >= 0x180b && r <= 0x180f: // choose a variant, and are seen alone
		return false
	}
	return unicode.IsGraphic(r) && !unicode.In(r, unicode.Cf, unicode.Co)
}

// one makes a text harmless for a place that has one line: a cell, a name.
func one(text string) string {
	return strings.Join(lines(text), " ¶ ")
}

// lines makes a text harmless and divides it at its line ends; none of them is empty.
func lines(text string) []string {
	var out []string
	for l := range strings.SplitSeq(visible(text), "\n") {
		if l = strings.Join(strings.Fields(l), " "); l != "" {
			out = append(out, l)
		}
	}
	return out
}

// or returns text made harmless for one line, or what stands for none.
func or(text, none string) string {
	if t := one(text); t != "" {
		return t
	}
	return none
}

const unknown = "not known"

// at says a time in the zone, with UTC beside it. The spaces within UTC's part do not break, so that a narrow cell has a line for each.
func at(t time.Time, zone *time.Location) string {
	if t.IsZero() {
		return unknown
	}
	const day, clock, fixed = "2006-01-02 ", "15:04:05", "\u00a0"
	here, utc := t.In(zone), t.UTC()
	name, seconds := here.Zone()
	switch {
	case seconds == 0 && (name == "UTC" || name == ""):
		return utc.Format(day+clock) + " UTC"
	case here.Format(day) == utc.Format(day):
		return here.Format(day+clock+" MST") + " (" + utc.Format(clock) + fixed + "UTC)"
	}
	return here.Format(day+clock+" MST") + " (" + strings.ReplaceAll(utc.Format(day+clock)+" UTC)", " ", fixed)
}

// took says how long it was from one time to another.
func took(from, to time.Time) string {
	switch d := to.Sub(from).Round(time.Second); {
	case from.IsZero() || to.IsZero():
		return unknown
	case d < 0:
		return "not known: the times contradict each other"
	case d < time.Second:
		return "under 1 s"
	case d < time.Minute:
		return fmt.Sprintf("%d s", d/time.Second)
	case d < time.Hour:
		return fmt.Sprintf("%d min %d s", d/time.Minute, d%time.Minute/time.Second)
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h %d min", d/time.Hour, d%time.Hour/time.Minute)
	default:
		return fmt.Sprintf("%d d %d h", d/(24*time.Hour), d%(24*time.Hour)/time.Hour)
	}
}

// count says a number that may not be known.
func count(n int64) string {
	if n < 0 {
		return unknown
	}
	return fmt.Sprint(n)
}

// number says which entry of the ledger.
func number(n int64) string {
	if n == 0 {
		return "–"
	}
	return fmt.Sprint(n)
}

// money says an amount.
func money(cents int64, currency string) string {
	sign := ""
	if cents < 0 {
		sign, cents = "−", -cents
	}
	return fmt.Sprintf("%s%d.%02d %s", sign, uint64(cents)/100, uint64(cents)%100, or(currency, "(currency not given)"))
}

// plural says how many of something.
func plural(n int, single, many string) string {
	if n == 1 {
		return "1 " + single
	}
	return fmt.Sprintf("%d %s", n, many)
}
