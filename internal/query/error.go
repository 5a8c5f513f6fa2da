package query

import (
	"strings"
	"unicode"
)

// An Error says what in a text cannot be read, and how to mend it. Why and Mend are whole sentences; they may quote the text, which is
// as hostile as whoever wrote it.
type Error struct {
	At, End int    // runes from the start of the text: the place is [At, End), empty at the end of the text
	Why     string // what is wrong
	Mend    string // what to write instead
}

func (e *Error) Error() string { return strings.TrimSpace(e.Why + " " + e.Mend) }

const (
	shownBefore = 60 // runes of the text before the place, in Show
	shownBehind = 40
)

// Show draws the text with a caret below the place, and says what is wrong below that. Characters that do not show are shown as
// "·", so that the caret stands where it belongs. Of a long text it shows what is near the place.
func (e *Error) Show(text string) string {
	runes := []rune(text)
	at := min(max(e.At, 0), len(runes))
	end := min(max(e.End, at+1), max(len(runes), at+1))
	from, to := max(0, at-shownBefore), min(len(runes), max(at+shownBehind, min(end, at+shownBefore)))
	var line strings.Builder
	if from > 0 {
		line.WriteString("…")
	}
	before := at - from + len([]rune(line.String()))
	for _, c := range runes[from:to] {
		if !unicode.IsPrint(c) {
			c = '·'
		}
		line.WriteRune(c)
	}
	if to < len(runes) {
		line.WriteString("…")
	}
	carets := max(1, min(end, max(to, at+1))-at)
	return line.String() + "\n" + strings.Repeat(" ", before) + strings.Repeat("^", carets) + "\n" + e.Error()
}

const maxSaid = 40 // runes of a text that an error quotes

// said quotes what somebody wrote, in an error.
func said(s string) string {
	if r := []rune(s); len(r) > maxSaid {
		s = string(r[:maxSaid]) + "…"
	}
	return `"` + strings.Map(func(c rune) rune {
		if unicode.IsPrint(c) {
			return c
		}
		return '·'
	}, s) + `"`
}
