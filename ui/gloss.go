package ui

import (
	"bytes"
	stdhtml "html"
	"io"
	"slices"

	"golang.org/x/net/html"
)

// A Term is where a word of the glossary stands in a text, and what it means.
type Term struct {
	From, To int    // bytes
	Word     string // as the glossary has it
	Says     string
}

func (f Frame) finds() func(string) []Term { return f.Terms }

// unexplained are the elements in whose text no term is marked: what is typed, copied or clicked, headings, and lines from outside. A section with
// data-plain is such a one, too; it holds no other section.
var unexplained = []string{"a", "abbr", "button", "code", "h1", "h2", "h3", "label", "legend", "nav", "option", "pre", "script", "select", "summary", "svg", "textarea", "th", "time", "title"}

// explain marks the terms of the glossary within main, each where it stands first, with what it means on hovering. A page that cannot be read is
// returned as it is.
func explain(page []byte, find func(string) []Term) []byte {
	var out bytes.Buffer
	out.Grow(len(page) + len(page)/8)
	seen := map[string]bool{}
	var within []string // elements that are open and in which nothing is marked
	main := false
	for z := html.NewTokenizer(bytes.NewReader(page)); ; {
		kind := z.Next()
		raw := z.Raw()
		switch kind {
		case html.ErrorToken:
			if z.Err() != io.EOF {
				return page
			}
			return out.Bytes()
		case html.StartTagToken, html.EndTagToken:
			raw = slices.Clone(raw) // TagName changes it
			name, more := z.TagName()
			tag, plain := string(name), false
			for more {
				var key []byte
				key, _, more = z.TagAttr()
				plain = plain || string(key) == "data-plain"
			}
			switch {
			case tag == "main":
				main = kind == html.StartTagToken
			case kind == html.StartTagToken && (plain || slices.Contains(unexplained, tag)):
				within = append(within, tag)
			case kind == html.StartTagToken:
			case len(within) > 0 && within[len(within)-1] == tag:
				within = within[:len(within)-1]
			}
		case html.TextToken:
			if main && len(within) == 0 && len(bytes.TrimSpace(raw)) > 2 {
				mark(&out, stdhtml.UnescapeString(string(raw)), find, seen)
				continue
			}
		}
		out.Write(raw)
	}
}

// mark writes a text with its terms marked.
func mark(out *bytes.Buffer, text string, find func(string) []Term, seen map[string]bool) {
	at := 0
	for _, t := range find(text) {
		if seen[t.Word] || t.From < at || t.To > len(text) {
			continue
		}
		seen[t.Word] = true
		out.WriteString(stdhtml.EscapeString(text[at:t.From]))
		out.WriteString(`<abbr title="` + stdhtml.EscapeString(t.Says) + `">` + stdhtml.EscapeString(text[t.From:t.To]) + `</abbr>`)
		at = t.To
	}
	out.WriteString(stdhtml.EscapeString(text[at:]))
}
