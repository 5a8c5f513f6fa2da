package dossier

import (
	"bytes"
	"fmt"
	"strings"
)

// Markdown shows the document as CommonMark with tables of GFM. What people wrote is escaped, so that it is only text.
func Markdown(d *Document) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "**%s**\n\n", markdownText(string(d.Label)))
	if d.Restricted != "" {
		fmt.Fprintf(&b, "**%s**\n\n", markdownText(d.Restricted))
	}
	if d.For != "" {
		fmt.Fprintf(&b, "**%s**\n\n", markdownText(d.For))
	}
	if d.Organisation != "" {
		fmt.Fprintf(&b, "%s\n\n", markdownText(d.Organisation))
	}
	fmt.Fprintf(&b, "%s\n\n# %s\n\n", markdownText(d.Kind()), markdownText(d.Title))
	pairsMarkdown(&b, d.Cover)
	for _, s := range d.Sections {
		fmt.Fprintf(&b, "## %s\n\n", markdownText(s.Heading))
		for _, x := range s.Blocks {
			switch x.Kind {
			case Sub:
				fmt.Fprintf(&b, "### %s\n\n", markdownText(x.Text))
			case Paragraph:
				fmt.Fprintf(&b, "%s\n\n", markdownText(x.Text))
			case Missing, LeftOut:
				fmt.Fprintf(&b, "> %s\n\n", markdownText(x.Text))
			case Pairs:
				pairsMarkdown(&b, x.Pairs)
			case List:
				for _, t := range x.List {
					fmt.Fprintf(&b, "- %s\n", markdownText(t))
				}
				b.WriteByte('\n')
			case Tabular:
				tableMarkdown(&b, x.Table)
			}
		}
	}
	return append(bytes.TrimRight(b.Bytes(), "\n"), '\n')
}

func pairsMarkdown(b *bytes.Buffer, pairs []Pair) {
	for _, p := range pairs {
		fmt.Fprintf(b, "- **%s**: %s\n", markdownText(p.Name), markdownText(p.Value))
	}
	b.WriteByte('\n')
}

func tableMarkdown(b *bytes.Buffer, t *Table) {
	for _, c := range t.Columns {
		fmt.Fprintf(b, "| %s ", markdownText(c.Name))
	}
	b.WriteString("|\n")
	b.WriteString(strings.Repeat("|---", len(t.Columns)))
	b.WriteString("|\n")
	for _, r := range t.Rows {
		for _, c := range r.Cells {
			fmt.Fprintf(b, "| %s ", markdownText(c))
		}
		b.WriteString("|\n")
	}
	b.WriteByte('\n')
}

// markdownText escapes one line, so that CommonMark 0.31 with the extensions of GFM (tables, links by themselves, strikethrough, mentions)
// and of others (mathematics, footnotes) shows it as it is: each sign that may mean something stands behind a backslash.
func markdownText(text string) string {
	var b strings.Builder
	digits := true // only digits so far
	for k, r := range text {
		switch {
		case strings.ContainsRune("\\`*_{}[]<>#|~&$^!@", r),
			strings.ContainsRune("+-=:", r) && k == 0,
			(r == '.' || r == ')') && digits && k > 0,
			r == ':' && strings.HasPrefix(text[k:], "://"),
			r == '.' && k >= 3 && strings.EqualFold(text[k-3:k], "www"):
			b.WriteByte('\\')
		}
		digits = digits && r >= '0' && r <= '9'
		b.WriteRune(r)
	}
	return b.String()
}
