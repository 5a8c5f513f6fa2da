package chat

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// short makes s one line of at most limit bytes, without control, format or bidirectional characters.
func short(s string, limit int) string {
	return cut(strings.Join(strings.Fields(visible(s)), " "), limit)
}

// visible drops what cannot be seen and what changes how other text is seen; line ends stay.
func visible(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n':
			return r
		case r == '\r' || r == '\t' || r == '\u2028' || r == '\u2029':
			return ' '
		case unicode.Is(unicode.C, r):
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
}

// cut shortens s to at most limit bytes, at a character's edge, and shows that it did.
func cut(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	n := max(0, limit-len("…"))
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return strings.TrimRightFunc(s[:n], unicode.IsSpace) + "…"
}

// words is text of ours or of a caller's, as a message may hold it: harmless, and at most limit bytes before escaping.
func words(s string, limit int) string { return escape(cut(defang(visible(s)), limit)) }

// escape writes the three characters that Slack reads as its own, so that no text can mention anybody or hide a link; and parts what would
// be read as layout. https://docs.slack.dev/messaging/formatting-message-text
func escape(s string) string {
	s = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(s)
	return strings.NewReplacer("*", "∗", "`", "'", "~", "∼").Replace(s)
}

// defang breaks web addresses, so that only our own link can be followed.
func defang(s string) string {
	return strings.ReplaceAll(s, "://", "[:]//")
}

var marks = regexp.MustCompile(`<([^<>\n]*)>`)

// plain turns Slack's marks in a message into text: <@U1> into who that is, <#C1|name> into #name, <!here> into @here, links into
// their address. It returns at most maxText bytes.
func plain(s string, who func(user string) string) string {
	s = marks.ReplaceAllStringFunc(cut(s, 4*maxText), func(m string) string {
		m = m[1 : len(m)-1]
		target, label, labelled := strings.Cut(m, "|")
		switch {
		case strings.HasPrefix(target, "@"):
			return "@" + who(target[1:])
		case strings.HasPrefix(target, "#") && labelled:
			return "#" + label
		case strings.HasPrefix(target, "#"):
			return target
		case strings.HasPrefix(target, "!subteam^") && labelled:
			return label
		case strings.HasPrefix(target, "!"):
			return "@" + target[1:]
		case labelled && label != target:
			return label + " (" + target + ")"
		}
		return target
	})
	s = strings.NewReplacer("&lt;", "<", "&gt;", ">", "&amp;", "&").Replace(s)
	return cut(strings.TrimSpace(visible(s)), maxText)
}
