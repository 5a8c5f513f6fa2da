package ui

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// A Segment is a piece of a log line: plain text, or a sign that stands for a character one could not see.
type Segment struct {
	Text string
	Ctl  bool // stands for something invisible; shown in another colour
}

// A Text is a line from outside, fit to be shown.
type Text []Segment

// String returns what is shown, without the difference of colour.
func (t Text) String() string {
	var b strings.Builder
	for _, s := range t {
		b.WriteString(s.Text)
	}
	return b.String()
}

// Visible splits a line from outside so that nothing in it is invisible or changes the reading order: a control
// character or a byte that is no UTF-8 becomes its value (\x00, \xff; \t, \n and \r are so written), any other unseen
// character its number (\u202e). Unicode has pictures for control characters (␀), but many fonts lack them.
func Visible(s string) Text { return visible(s, "") }

// VisibleLines is Visible for what people wrote in lines, such as a note or a rule: line ends and tabs stay as they are.
func VisibleLines(s string) Text { return visible(strings.ReplaceAll(s, "\r\n", "\n"), "\n\t") }

func visible(s, keep string) Text {
	var t Text
	start := 0
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		shown := ""
		if r == utf8.RuneError && n == 1 {
			shown = fmt.Sprintf(`\x%02x`, s[i])
		} else if unseen(r) && !strings.ContainsRune(keep, r) {
			shown = sign(r)
		}
		if shown != "" {
			if start < i {
				t = append(t, Segment{Text: s[start:i]})
			}
			if k := len(t); k > 0 && t[k-1].Ctl {
				t[k-1].Text += shown
			} else {
				t = append(t, Segment{Text: shown, Ctl: true})
			}
			start = i + n
		}
		i += n
	}
	if start < len(s) {
		t = append(t, Segment{Text: s[start:]})
	}
	return t
}

// unseen reports whether r leaves no mark of its own or turns the reading order.
func unseen(r rune) bool {
	switch {
	case r >= ' ' && r < 0x7f:
		return false
	case !unicode.IsGraphic(r), unicode.Is(unicode.Zs, r), unicode.Is(unicode.Variation_Selector, r):
		return true
	case r == 0x034f, r == 0x115f, r == 0x1160, r == 0x2800, r == 0x3164, r == 0xffa0: // letters and marks drawn as nothing
		return true
	}
	return false
}

// sign returns what stands for r.
func sign(r rune) string {
	switch {
	case r == '\t':
		return `\t`
	case r == '\n':
		return `\n`
	case r == '\r':
		return `\r`
	case r < 0x80:
		return fmt.Sprintf(`\x%02x`, r)
	case r > 0xffff:
		return fmt.Sprintf(`\U%08x`, r)
	}
	return fmt.Sprintf(`\u%04x`, r)
}

// turns reports whether r turns the reading order or is a control character that no page of ours writes. Unlike
// unseen it leaves what names and notes may rightly hold: joiners, no-break spaces, emoji.
func turns(r rune) bool {
	switch {
	case r == '\n', r == '\t', r == '\r':
		return false
	case unicode.IsControl(r), unicode.Is(unicode.Bidi_Control, r):
		return true
	case r == 0x2028, r == 0x2029, r == 0xfeff, r >= 0xfff9 && r <= 0xfffb, r >= 0xe0000 && r <= 0xe007f:
		return true
	}
	return false
}

// scrub writes the characters of turns as signs in a whole rendered page. It works on the page and not on the views,
// so that no field can be forgotten. The page stays as it is when there are none, which is nearly always.
func scrub(html []byte) []byte {
	var out []byte
	start := 0
	for i := 0; i < len(html); {
		if c := html[i]; c >= ' ' && c < 0x7f || c == '\n' {
			i++
			continue
		}
		r, n := utf8.DecodeRune(html[i:])
		if turns(r) {
			out = append(out, html[start:i]...)
			out = append(out, sign(r)...)
			start = i + n
		}
		i += n
	}
	if start == 0 {
		return html
	}
	return append(out, html[start:]...)
}

// Number words a count with its thousands apart: 1204 is "1,204".
func Number(n int64) string {
	s := strconv.FormatInt(n, 10)
	minus := ""
	if n < 0 {
		minus, s = "-", s[1:]
	}
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return minus + s
}

// Plural words a count of things: Plural(1, "alert", "alerts") is "1 alert".
func Plural(n int64, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return Number(n) + " " + many
}
