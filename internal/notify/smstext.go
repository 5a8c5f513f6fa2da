package notify

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"unicode/utf16"
)

// gsm7 and gsm7more are the characters that a text message holds in 7 bits, and those that it holds in twice 7 (3GPP TS 23.038, 6.2.1). A text
// with any other is sent as UCS-2, and holds less than half as much.
const (
	gsm7     = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
	gsm7more = "\f^{}\\[~]|€"
)

// Segments returns in how many parts a text goes out, each of which is paid for, and whether it holds a character that GSM-7 does not have. One part
// holds 160 characters, or 70; of several, each holds 153, or 67. What takes two units stands in one part (3GPP TS 23.040, 9.2.3.24).
func Segments(text string) (parts int, ucs2 bool) {
	var sizes []int
	for _, r := range text {
		switch {
		case strings.ContainsRune(gsm7, r):
			sizes = append(sizes, 1)
		case strings.ContainsRune(gsm7more, r):
			sizes = append(sizes, 2)
		default:
			ucs2 = true
		}
	}
	whole, each := 160, 153
	if ucs2 {
		whole, each = 70, 67
		sizes = sizes[:0]
		for _, r := range text {
			sizes = append(sizes, max(1, utf16.RuneLen(r)))
		}
	}
	sum := 0
	for _, n := range sizes {
		sum += n
	}
	if sum <= whole {
		return min(1, sum), ucs2
	}
	parts, room := 1, each
	for _, n := range sizes {
		if n > room {
			parts, room = parts+1, each
		}
		room -= n
	}
	return parts, ucs2
}

// simple are characters that cost a text its 7 bits, and how they are written without.
var simple = strings.NewReplacer("’", "'", "‘", "'", "“", `"`, "”", `"`, "„", `"`, "–", "-", "—", "-", "…", "...", "\u00a0", " ", "ç", "Ç", "`", "'")

// SMSText returns the words of a message as a text of at most that many parts: its subject and its link. The subject is cut, the link never; it
// is an error when the link alone is too long.
func SMSText(msg Message, parts int) (string, error) {
	tail := ""
	if link := oneLine(msg.Link, maxBody); link != "" {
		tail = "\n" + link
	}
	subject := simple.Replace(oneLine(msg.Subject, maxSubject))
	fits := func(s string) bool { n, _ := Segments(s + tail); return n <= parts }
	if fits(subject) {
		return strings.TrimPrefix(subject+tail, "\n"), nil
	}
	r := []rune(subject)
	for n := len(r) - 1; n > 0; n-- {
		if s := strings.TrimRight(string(r[:n]), " ") + "..."; fits(s) {
			return s + tail, nil
		}
	}
	return "", fmt.Errorf("the link does not fit into %d parts of a text message: allow more, or give the console a shorter address", parts)
}

// Describe says to whoever configures it what a gateway will send of a message, and at what price.
func (g *Gateway) Describe(msg Message) string {
	text, err := SMSText(msg, g.o.MaxParts)
	if err != nil {
		return err.Error()
	}
	n, ucs2 := Segments(text)
	out := fmt.Sprintf("%s of %d at most", count(n, "part", "parts"), g.o.MaxParts)
	if ucs2 {
		out += "; it holds a character that is not in GSM-7, so a part holds 70 characters in place of 160"
	}
	return out
}

// Send sends one text message. nil means that the gateway took it. Every error is a *Failure.
func (g *Gateway) Send(ctx context.Context, msg Message) error {
	_, err := g.Text(ctx, msg)
	return err
}

// Text is Send, and returns the gateway's id of the message, "" when the options do not say where it stands.
func (g *Gateway) Text(ctx context.Context, msg Message) (id string, _ error) {
	if !e164.MatchString(msg.To) {
		return "", permanent("%s: the number must be international: a plus sign, the country's code and at most 15 digits in all, such as +491701234567", g.name)
	}
	text, err := SMSText(msg, g.o.MaxParts)
	if err != nil {
		return "", permanent("%s: %v", g.name, err)
	}
	a, fail := g.do(ctx, g.fill(msg.To, text, oneLine(msg.ID, 200)))
	if fail != nil {
		fail.Reason = hideNumber(fail.Reason, msg.To)
		return "", fail
	}
	id, fail = g.accepted(a)
	if fail != nil {
		fail.Reason = hideNumber(fail.Reason, msg.To)
		return "", fail
	}
	return id, nil
}

// hideNumber takes a phone number out of a text: a Failure may stand where everybody on the team reads it.
func hideNumber(s, to string) string {
	return strings.ReplaceAll(s, strings.TrimPrefix(to, "+"), "[number]")
}

// accepted reads an answer.
func (g *Gateway) accepted(a answer) (id string, _ *Failure) {
	if !slices.Contains(g.o.Status, a.code) {
		if f := g.judge(a); f != nil {
			return "", f
		}
		if len(g.o.Status) > 0 {
			return "", permanent("%s: it answered %d, which is not among what means that it took the message: %s", g.name, a.code, a.shown)
		}
	}
	if g.o.Path != "" {
		got, found := look(a.body, g.o.Path)
		if !found {
			return "", g.lied(a, "a value at "+oneLine(g.o.Path, 80))
		}
		if !slices.ContainsFunc(g.o.Value, func(v string) bool { return strings.EqualFold(v, got) }) {
			return "", permanent("%s: it refused: %s is %q: %s", g.name, oneLine(g.o.Path, 80), oneLine(got, 80), a.shown)
		}
	}
	if g.o.IDPath == "" {
		return "", nil
	}
	id, found := look(a.body, g.o.IDPath)
	if id = oneLine(id, 200); !found || id == "" {
		return "", g.lied(a, "the message's id")
	}
	return id, nil
}
