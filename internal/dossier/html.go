package dossier

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"html"
	"strconv"
)

// style is the look of the one file that HTML makes. For whom it is stands on each page that is printed: a browser repeats what is fixed. mso-number-format keeps a spreadsheet from reading a pasted cell as a formula.
const style = `
:root{color-scheme:light dark}
body{font:1rem/1.5 system-ui,sans-serif;max-width:72rem;margin:0 auto;padding:1rem}
header{border-bottom:3px solid currentColor;margin-bottom:1.5rem;padding-bottom:1rem}
.tlp{display:inline-block;background:#000;padding:.2rem .6rem;font-weight:700;float:right}
.tlp-clear{color:#fff}.tlp-green{color:#3f0}.tlp-amber{color:#ffc000}.tlp-red{color:#ff2b2b}
.restricted{border:2px solid #c31;padding:.5rem;font-weight:700;clear:both}
.kind{margin:0;text-transform:uppercase;letter-spacing:.05em;font-size:.85rem}
h1{margin:.2rem 0 1rem;line-height:1.2;overflow-wrap:anywhere}
h2{border-bottom:1px solid;margin-top:2rem;break-after:avoid}
h3{margin-bottom:.3rem;break-after:avoid}
p,li,dd,td,th{overflow-wrap:anywhere}
dl{display:grid;grid-template-columns:minmax(8rem,14rem) 1fr;gap:.2rem 1rem}
dt{font-weight:600}dd{margin:0}
.missing{border-left:4px solid #c90;padding:.2rem .6rem}
.left-out{border-left:4px solid #888;padding:.2rem .6rem;font-style:italic}
table{border-collapse:collapse;width:100%;margin:.5rem 0}
th,td{border:1px solid #8888;padding:.25rem .4rem;text-align:start;vertical-align:top;min-width:3ch;mso-number-format:"\@"}
th{background:#8883}
thead{display:table-header-group}tr{break-inside:avoid}
svg.bar{width:100%;height:auto;display:block}
svg.key{width:.8em;height:.8em;margin-inline-end:.4em}
@media print{body{max-width:none}.for{position:fixed;bottom:0;left:0;right:0;margin:0;background:#fff;color:#000}}
`

// HTML shows the document as one file without script, address or picture from elsewhere; its policy (CSP) forbids them.
func HTML(d *Document) []byte {
	var b bytes.Buffer
	esc := html.EscapeString
	sum := sha256.Sum256([]byte(style))
	fmt.Fprintf(&b, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'sha256-%s'\">\n",
		base64.StdEncoding.EncodeToString(sum[:]))
	fmt.Fprintf(&b, "<meta name=\"viewport\" content=\"width=device-width\">\n<title>%s</title>\n<style>%s</style>\n</head>\n<body>\n<header>\n", esc(d.Title), style)
	fmt.Fprintf(&b, "<p class=\"tlp tlp-%s\">%s</p>\n", d.Label.hue(), esc(string(d.Label)))
	if d.Restricted != "" {
		fmt.Fprintf(&b, "<p class=\"restricted\">%s</p>\n", esc(d.Restricted))
	}
	if d.For != "" {
		fmt.Fprintf(&b, "<p class=\"restricted for\" dir=\"auto\">%s</p>\n", esc(d.For))
	}
	if d.Organisation != "" {
		fmt.Fprintf(&b, "<p class=\"organisation\" dir=\"auto\">%s</p>\n", esc(d.Organisation))
	}
	fmt.Fprintf(&b, "<p class=\"kind\">%s</p>\n<h1 dir=\"auto\">%s</h1>\n", d.Kind(), esc(d.Title))
	pairsHTML(&b, d.Cover)
	b.WriteString("</header>\n<main>\n")
	for _, s := range d.Sections {
		fmt.Fprintf(&b, "<section id=\"%s\">\n<h2>%s</h2>\n", s.ID, esc(s.Heading))
		for _, x := range s.Blocks {
			blockHTML(&b, s.ID, x)
		}
		b.WriteString("</section>\n")
	}
	b.WriteString("</main>\n</body>\n</html>\n")
	return b.Bytes()
}

// hue is the colour of a label by TLP 2.0.
func (l Label) hue() string {
	switch l {
	case Clear:
		return "clear"
	case Green:
		return "green"
	case Amber, AmberStrict:
		return "amber"
	}
	return "red"
}

func pairsHTML(b *bytes.Buffer, pairs []Pair) {
	b.WriteString("<dl>\n")
	for _, p := range pairs {
		fmt.Fprintf(b, "<dt>%s</dt><dd dir=\"auto\">%s</dd>\n", html.EscapeString(p.Name), html.EscapeString(p.Value))
	}
	b.WriteString("</dl>\n")
}

func blockHTML(b *bytes.Buffer, section string, x Block) {
	esc := html.EscapeString
	switch x.Kind {
	case Sub:
		fmt.Fprintf(b, "<h3>%s</h3>\n", esc(x.Text))
	case Paragraph, Missing, LeftOut:
		fmt.Fprintf(b, "<p class=\"%s\" dir=\"auto\">%s</p>\n", x.Kind, esc(x.Text))
	case Pairs:
		pairsHTML(b, x.Pairs)
	case List:
		b.WriteString("<ul>\n")
		for _, t := range x.List {
			fmt.Fprintf(b, "<li dir=\"auto\">%s</li>\n", esc(t))
		}
		b.WriteString("</ul>\n")
	case Tabular:
		tableHTML(b, section, x.Table)
	case Phases:
		chartSVG(b, x.Chart)
	}
}

func tableHTML(b *bytes.Buffer, section string, t *Table) {
	b.WriteString("<table>\n<thead><tr>")
	for _, c := range t.Columns {
		fmt.Fprintf(b, "<th scope=\"col\">%s</th>", html.EscapeString(c.Name))
	}
	b.WriteString("</tr></thead>\n<tbody>\n")
	for _, r := range t.Rows {
		b.WriteString("<tr")
		if r.ID != 0 {
			fmt.Fprintf(b, " id=\"%s-%s\"", section, strconv.FormatInt(r.ID, 10))
		}
		b.WriteString(">")
		for k, c := range r.Cells {
			b.WriteString("<td dir=\"auto\">")
			if k == 0 && r.Colour != "" {
				fmt.Fprintf(b, "<svg class=\"key\" viewBox=\"0 0 1 1\" aria-hidden=\"true\"><rect width=\"1\" height=\"1\" fill=\"#%s\"/></svg>", r.Colour)
			}
			b.WriteString(html.EscapeString(c))
			b.WriteString("</td>")
		}
		b.WriteString("</tr>\n")
	}
	b.WriteString("</tbody>\n</table>\n")
}

// chartSVG draws the bar: a thousand wide, the marks above it, and those that are close above each other.
func chartSVG(b *bytes.Buffer, c *Chart) {
	bar := 22 + 18*levels(c)
	fmt.Fprintf(b, "<svg class=\"bar\" viewBox=\"-10 0 1020 %d\" role=\"img\" aria-label=\"Bar of the phases; the table below it says the same\">\n", bar+28)
	for _, s := range c.Segments {
		fmt.Fprintf(b, "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"26\" fill=\"#%s\"/>\n", s.From, bar, max(s.Upto-s.From, 2), s.Colour)
	}
	for _, m := range c.Marks {
		y := bar - 12 - 18*m.Level
		fmt.Fprintf(b, "<path d=\"M%d %dV%d\" stroke=\"currentColor\" stroke-width=\"1.5\"/>\n", m.At, y, bar+26)
		switch m.Shape {
		case "●":
			fmt.Fprintf(b, "<circle cx=\"%d\" cy=\"%d\" r=\"6\" fill=\"currentColor\"/>\n", m.At, y)
		case "■":
			fmt.Fprintf(b, "<rect x=\"%d\" y=\"%d\" width=\"12\" height=\"12\" fill=\"currentColor\"/>\n", m.At-6, y-6)
		case "◆":
			fmt.Fprintf(b, "<path d=\"M%d %dl7 7l-7 7l-7 -7z\" fill=\"currentColor\"/>\n", m.At, y-7)
		default:
			fmt.Fprintf(b, "<path d=\"M%d %dl7 13h-14z\" fill=\"currentColor\"/>\n", m.At, y-7)
		}
	}
	b.WriteString("</svg>\n")
}
