package playbook

import (
	"fmt"
	"html"
	"strings"
	"unicode"
)

// How the printed plan looks: A4 or Letter as the printer has it, black on white, no step cut by a page's end, the label and the page's number on each page.
const wholeSheet = `
@page { margin: 18mm 16mm 20mm; @bottom-right { content: counter(page) " / " counter(pages); font: 9pt sans-serif } }
body { font: 10.5pt/1.4 "Noto Sans", "DejaVu Sans", Arial, sans-serif; color: #000; background: #fff; max-width: 48em; margin: auto; overflow-wrap: anywhere }
header { break-after: page; padding-top: 30vh; text-align: center }
header h1 { font-size: 30pt; line-height: 1.15; margin: 0 0 8mm }
nav { break-after: page } nav ol { list-style: none; padding: 0; columns: 2; column-gap: 10mm } nav a { color: inherit } nav .deep { padding-left: 1.5em }
section.new { break-before: page } nav + section.new { break-before: auto }
h2 { font-size: 18pt; border-bottom: 2pt solid #000; padding-bottom: 1mm } h3 { font-size: 13pt; margin-top: 7mm } h2, h3 { break-after: avoid }
p { white-space: pre-line; orphans: 3; widows: 3 }
table { border-collapse: collapse; width: 100%; margin: 3mm 0 } thead { display: table-header-group } tr { break-inside: avoid }
th, td { border: .5pt solid #555; padding: 1.2mm 2mm; text-align: left; vertical-align: top; white-space: pre-line } th { background: #eee; overflow-wrap: normal; white-space: nowrap }
.step { border: .75pt solid #000; padding: 2mm 3mm; margin: 3mm 0; break-inside: avoid }
.step h4 { margin: 0 0 1mm; font-size: 11.5pt } .step .box { display: inline-block; width: 3.5mm; height: 3.5mm; border: 1pt solid #000; margin-right: 2mm; vertical-align: -0.5mm }
.step .role { float: right; border: .75pt solid #000; padding: 0 2mm; font-weight: bold; margin-left: 2mm }
.step dl { display: grid; grid-template-columns: 6.5em 1fr; gap: .5mm 2mm; margin: 0 } .step dt { font-weight: bold } .step dd { margin: 0; white-space: pre-line }
.lead { break-after: avoid; font-weight: bold } @media screen { body { padding: 1em } header { padding-top: 4em } }
`

// HTML writes the document as one page for the printer, with nothing in it that is fetched or runs. Every text is escaped.
func (d Document) HTML() []byte {
	var b strings.Builder
	title := seen(d.Title)
	fmt.Fprintf(&b, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>%s</title>\n<style>%s%s</style>\n</head>\n<body>\n<header>\n<h1>%s</h1>\n", title, wholeSheet, d.everyPage(), title)
	for _, l := range d.Lines {
		if l != "" {
			fmt.Fprintf(&b, "<p>%s</p>\n", seen(l))
		}
	}
	b.WriteString("</header>\n<nav>\n<h2>Contents</h2>\n<ol>\n")
	for _, s := range d.Sections {
		deep := ""
		if s.Level > 1 {
			deep = ` class="deep"`
		}
		fmt.Fprintf(&b, "<li%s><a href=\"#%s\">%s</a></li>\n", deep, seen(s.ID), seen(s.Title))
	}
	b.WriteString("</ol>\n</nav>\n")
	for _, s := range d.Sections {
		begin, h := "<section>", "h3"
		if s.Level == 1 {
			begin, h = "<section class=\"new\">", "h2"
		}
		fmt.Fprintf(&b, "%s\n<%s id=\"%s\">%s</%s>\n", begin, h, seen(s.ID), seen(s.Title), h)
		for _, x := range s.Blocks {
			x.html(&b)
		}
		b.WriteString("</section>\n")
	}
	b.WriteString("</body>\n</html>\n")
	return []byte(b.String())
}

// everyPage is the style that puts the label on every page. Of a label only what TLP has in its labels comes into it.
func (d Document) everyPage() string {
	label := strings.Map(func(r rune) rune {
		if r >= 'A' && r <= 'Z' || strings.ContainsRune(":+ ", r) {
			return r
		}
		return -1
	}, d.Label)
	if label == "" {
		return ""
	}
	return fmt.Sprintf("@page { @bottom-left { content: \"%s\"; font: bold 9pt sans-serif } }\n", label)
}

func (x Block) html(b *strings.Builder) {
	switch {
	case x.Step != nil:
		fmt.Fprintf(b, "<div class=\"step\">\n<span class=\"role\">%s</span>\n<h4><span class=\"box\"></span>%s. %s</h4>\n<dl>\n", seen(x.Step.Role), seen(x.Step.Number), seen(x.Step.What))
		for _, f := range x.Step.Fields {
			fmt.Fprintf(b, "<dt>%s</dt><dd>%s</dd>\n", seen(f.Name), seen(f.Text))
		}
		b.WriteString("</dl>\n</div>\n")
	case len(x.Head) > 0:
		b.WriteString("<table>\n<thead><tr>")
		for _, h := range x.Head {
			fmt.Fprintf(b, "<th>%s</th>", seen(h))
		}
		b.WriteString("</tr></thead>\n<tbody>\n")
		for _, row := range x.Rows {
			b.WriteString("<tr>")
			for _, c := range row {
				fmt.Fprintf(b, "<td>%s</td>", seen(c))
			}
			b.WriteString("</tr>\n")
		}
		b.WriteString("</tbody>\n</table>\n")
	case len(x.List) > 0:
		b.WriteString("<ul>\n")
		for _, l := range x.List {
			fmt.Fprintf(b, "<li>%s</li>\n", seen(l))
		}
		b.WriteString("</ul>\n")
	case x.Text != "" && x.Lead:
		fmt.Fprintf(b, "<p class=\"lead\">%s</p>\n", seen(x.Text))
	case x.Text != "":
		fmt.Fprintf(b, "<p>%s</p>\n", seen(x.Text))
	}
}

// seen is a text as HTML, without signs that nobody sees.
func seen(s string) string { return html.EscapeString(visible(s)) }

func visible(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '\n' || unicode.IsPrint(r) && r != unicode.ReplacementChar {
			return r
		}
		return -1
	}, strings.ReplaceAll(s, "\t", " "))
}

// Markdown writes the document as Markdown (CommonMark, with GitHub's tables). Every text is escaped: it makes no heading, link or markup.
func (d Document) Markdown() []byte {
	var b strings.Builder
	fmt.Fprintf(&b, "# %s\n", marked(d.Title))
	for _, l := range d.Lines {
		if l != "" {
			fmt.Fprintf(&b, "\n%s\n", marked(l))
		}
	}
	b.WriteString("\n## Contents\n\n")
	for _, s := range d.Sections {
		fmt.Fprintf(&b, "%s- %s\n", strings.Repeat("  ", s.Level-1), marked(s.Title))
	}
	for _, s := range d.Sections {
		fmt.Fprintf(&b, "\n%s %s\n", strings.Repeat("#", s.Level+1), marked(s.Title))
		for _, x := range s.Blocks {
			x.markdown(&b)
		}
	}
	return []byte(b.String())
}

func (x Block) markdown(b *strings.Builder) {
	switch {
	case x.Step != nil:
		fmt.Fprintf(b, "\n- [ ] **%s\\. %s** (%s)\n", marked(x.Step.Number), marked(x.Step.What), marked(x.Step.Role))
		for _, f := range x.Step.Fields {
			fmt.Fprintf(b, "  - %s: %s\n", marked(f.Name), strings.ReplaceAll(marked(f.Text), "\n", "\\\n    "))
		}
	case len(x.Head) > 0:
		row := func(cells []string) {
			for _, c := range cells {
				fmt.Fprintf(b, "| %s ", strings.ReplaceAll(marked(c), "\n", "<br>"))
			}
			b.WriteString("|\n")
		}
		b.WriteString("\n")
		row(x.Head)
		b.WriteString(strings.Repeat("|---", len(x.Head)) + "|\n")
		for _, r := range x.Rows {
			row(r)
		}
	case len(x.List) > 0:
		b.WriteString("\n")
		for _, l := range x.List {
			fmt.Fprintf(b, "- %s\n", strings.ReplaceAll(marked(l), "\n", "\\\n  "))
		}
	case x.Text != "":
		fmt.Fprintf(b, "\n%s\n", strings.ReplaceAll(marked(x.Text), "\n", "\\\n"))
	}
}

// marked is a text as Markdown: every sign that could mean something has a backslash, and what could be HTML is escaped.
func marked(s string) string {
	var b strings.Builder
	lines := strings.Split(strings.TrimSpace(visible(s)), "\n")
	for i, l := range lines {
		l = strings.TrimSpace(l)
		if i > 0 && l != "" {
			b.WriteByte('\n')
		}
		for k, r := range l {
			switch {
			case r == '<':
				b.WriteString("&lt;")
				continue
			case r == '>':
				b.WriteString("&gt;")
				continue
			case r == '&':
				b.WriteString("&amp;")
				continue
			case strings.ContainsRune("\\`*_[]#|!~", r), r == ':' && strings.HasPrefix(l[k:], "://"), k == 0 && strings.ContainsRune("-+=", r), r == '.' && k > 0 && strings.Trim(l[:k], "0123456789") == "", r == ')' && k > 0 && strings.Trim(l[:k], "0123456789") == "":
				b.WriteByte('\\')
			}
			b.WriteRune(r)
		}
	}
	return b.String()
}
