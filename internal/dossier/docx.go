package dossier

import (
	"archive/zip"
	"bytes"
	"fmt"
	"html"
	"strings"
	"time"
)

// A sheet is the text of a DOCX file under way: WordprocessingML of ECMA-376, transitional.
type sheet struct{ bytes.Buffer }

const (
	wordSpace = `xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"`
	xmlHead   = `<?xml version="1.0" encoding="UTF-8" standalone="yes"?>` + "\n"
	textWidth = 9866 // twentieths of a point between the margins of an A4 page
)

// DOCX shows the document as a file for word processors (ECMA-376), without macros, fields of others' text, links or outside parts. An error
// means that the archive could not be written.
func DOCX(d *Document) ([]byte, error) {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	made := d.Made
	if made.Year() < 1980 || made.Year() > 2107 { // what a ZIP archive can say
		made = time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)
	}
	for _, part := range []struct{ name, text string }{
		{"[Content_Types].xml", contentTypes},
		{"_rels/.rels", packageRels},
		{"docProps/core.xml", coreProperties(d)},
		{"word/document.xml", wordDocument(d)},
		{"word/_rels/document.xml.rels", documentRels},
		{"word/styles.xml", wordStyles},
		{"word/numbering.xml", wordNumbering},
		{"word/header1.xml", wordHeader(d)},
		{"word/footer1.xml", wordFooter(d)},
	} {
		w, err := z.CreateHeader(&zip.FileHeader{Name: part.name, Method: zip.Deflate, Modified: made.UTC()})
		if err == nil {
			_, err = w.Write([]byte(part.text))
		}
		if err != nil {
			return nil, fmt.Errorf("writing the part %s of the DOCX file: %w", part.name, err)
		}
	}
	if err := z.Close(); err != nil {
		return nil, fmt.Errorf("ending the DOCX file: %w", err)
	}
	return b.Bytes(), nil
}

func wordDocument(d *Document) string {
	w := &sheet{}
	w.WriteString(xmlHead + `<w:document ` + wordSpace + `><w:body>`)
	w.WriteString(wordLabel(d))
	if d.Restricted != "" {
		w.para("Restricted", d.Restricted)
	}
	if d.For != "" {
		w.para("Restricted", d.For)
	}
	if d.Organisation != "" {
		w.para("Organisation", d.Organisation)
	}
	w.para("Subtitle", d.Kind())
	w.para("Title", d.Title)
	w.pairs(d.Cover)
	for _, s := range d.Sections {
		w.para("Heading1", s.Heading)
		for _, x := range s.Blocks {
			w.block(x)
		}
	}
	w.WriteString(`<w:sectPr><w:headerReference w:type="default" r:id="rId3"/><w:footerReference w:type="default" r:id="rId4"/><w:footerReference w:type="first" r:id="rId4"/>` +
		`<w:pgSz w:w="11906" w:h="16838"/><w:pgMar w:top="1134" w:right="1020" w:bottom="1134" w:left="1020" w:header="567" w:footer="567" w:gutter="0"/><w:titlePg/></w:sectPr></w:body></w:document>`)
	return w.String()
}

func (w *sheet) block(x Block) {
	switch x.Kind {
	case Sub:
		w.para("Heading2", x.Text)
	case Paragraph:
		w.para("", x.Text)
	case Missing:
		w.para("Missing", x.Text)
	case LeftOut:
		w.para("LeftOut", x.Text)
	case Pairs:
		w.pairs(x.Pairs)
	case List:
		for _, t := range x.List {
			w.para("ListBullet", t)
		}
	case Tabular:
		w.table(x.Table)
	case Phases:
		w.chart(x.Chart)
	}
}

// para writes a paragraph. Right-to-left text gets its direction from its first letter.
func (w *sheet) para(style, text string) {
	w.WriteString(`<w:p>`)
	backward := rightToLeft(text)
	if style != "" || backward {
		w.WriteString(`<w:pPr>`)
		if style != "" {
			w.WriteString(`<w:pStyle w:val="` + style + `"/>`)
		}
		if backward {
			w.WriteString(`<w:bidi/>`)
		}
		w.WriteString(`</w:pPr>`)
	}
	if text != "" {
		w.WriteString(`<w:r>`)
		if backward {
			w.WriteString(`<w:rPr><w:rtl/></w:rPr>`)
		}
		w.WriteString(`<w:t xml:space="preserve">` + html.EscapeString(text) + `</w:t></w:r>`)
	}
	w.WriteString(`</w:p>`)
}

func (w *sheet) pairs(pairs []Pair) {
	w.grid([]int{textWidth * 28 / 100, textWidth - textWidth*28/100})
	for _, p := range pairs {
		w.WriteString(`<w:tr><w:trPr><w:cantSplit/></w:trPr>`)
		w.cell("", "CellName", p.Name)
		w.cell("", "Cell", p.Value)
		w.WriteString(`</w:tr>`)
	}
	w.endTable()
}

func (w *sheet) grid(widths []int) {
	w.WriteString(`<w:tbl><w:tblPr><w:tblStyle w:val="Grid"/>`)
	fmt.Fprintf(w, `<w:tblW w:w="%d" w:type="dxa"/><w:tblLayout w:type="fixed"/></w:tblPr><w:tblGrid>`, textWidth)
	for _, n := range widths {
		fmt.Fprintf(w, `<w:gridCol w:w="%d"/>`, n)
	}
	w.WriteString(`</w:tblGrid>`)
}

// endTable ends a table; Word joins two tables that have no paragraph between them.
func (w *sheet) endTable() {
	w.WriteString(`</w:tbl><w:p><w:pPr><w:pStyle w:val="Gap"/></w:pPr></w:p>`)
}

func (w *sheet) cell(shade, style, text string) {
	w.WriteString(`<w:tc><w:tcPr><w:tcW w:w="0" w:type="auto"/>`)
	if shade != "" {
		w.WriteString(`<w:tcBorders><w:left w:val="single" w:sz="48" w:space="0" w:color="` + shade + `"/></w:tcBorders>`)
	}
	w.WriteString(`</w:tcPr>`)
	w.para(style, text)
	w.WriteString(`</w:tc>`)
}

func (w *sheet) table(t *Table) {
	w.grid(shares(t.Columns, textWidth))
	w.WriteString(`<w:tr><w:trPr><w:cantSplit/><w:tblHeader/></w:trPr>`)
	for _, c := range t.Columns {
		w.cell("", "CellName", c.Name)
	}
	w.WriteString(`</w:tr>`)
	for _, r := range t.Rows {
		w.WriteString(`<w:tr>`)
		if !long(r) {
			w.WriteString(`<w:trPr><w:cantSplit/></w:trPr>`)
		}
		for k, c := range r.Cells {
			shade := ""
			if k == 0 {
				shade = r.Colour
			}
			w.cell(shade, "Cell", c)
		}
		w.WriteString(`</w:tr>`)
	}
	w.endTable()
}

// long reports whether a row may be higher than a page, so that it must be divided.
func long(r Row) bool {
	n := 0
	for _, c := range r.Cells {
		n = max(n, len(c))
	}
	return n > 1000
}

// shares divides a width among columns.
func shares(columns []Column, width int) []int {
	sum, out, left := 0, make([]int, len(columns)), width
	for _, c := range columns {
		sum += c.Width
	}
	for k, c := range columns {
		out[k] = width * c.Width / max(sum, 1)
		left -= out[k]
	}
	if len(out) > 0 {
		out[len(out)-1] += left
	}
	return out
}

// chart draws the bar as a row of shaded cells without text.
func (w *sheet) chart(c *Chart) {
	type piece struct {
		colour string
		width  int
	}
	var pieces []piece
	end := 0
	for _, s := range c.Segments {
		if s.From > end {
			pieces = append(pieces, piece{"ffffff", s.From - end})
		}
		from := max(s.From, end)
		pieces = append(pieces, piece{s.Colour, max(s.Upto-from, 5)})
		end = max(end, s.Upto)
		if len(pieces) >= 60 { // a table has at most 63 columns in Word
			break
		}
	}
	sum := 0
	for _, p := range pieces {
		sum += p.width
	}
	widths := make([]int, len(pieces))
	for k, p := range pieces {
		widths[k] = max(textWidth*p.width/max(sum, 1), 20)
	}
	w.WriteString(`<w:tbl><w:tblPr>`)
	fmt.Fprintf(w, `<w:tblW w:w="%d" w:type="dxa"/><w:tblLayout w:type="fixed"/><w:tblCellMar><w:left w:w="0" w:type="dxa"/><w:right w:w="0" w:type="dxa"/></w:tblCellMar></w:tblPr><w:tblGrid>`, textWidth)
	for _, n := range widths {
		fmt.Fprintf(w, `<w:gridCol w:w="%d"/>`, n)
	}
	w.WriteString(`</w:tblGrid><w:tr><w:trPr><w:trHeight w:val="360" w:hRule="exact"/></w:trPr>`)
	for k, p := range pieces {
		fmt.Fprintf(w, `<w:tc><w:tcPr><w:tcW w:w="%d" w:type="dxa"/><w:shd w:val="clear" w:color="auto" w:fill="%s"/></w:tcPr><w:p><w:pPr><w:pStyle w:val="Gap"/><w:keepNext/></w:pPr></w:p></w:tc>`, widths[k], p.colour)
	}
	w.WriteString(`</w:tr></w:tbl><w:p><w:pPr><w:pStyle w:val="Gap"/><w:keepNext/></w:pPr></w:p>`)
}

// wordLabel is the label in its colours: on the first page a part of the text, on the others in the head.
func wordLabel(d *Document) string {
	colour := map[string]string{"clear": "FFFFFF", "green": "33FF00", "amber": "FFC000", "red": "FF2B2B"}[d.Label.hue()]
	return `<w:p><w:pPr><w:pStyle w:val="Label"/></w:pPr><w:r><w:rPr><w:color w:val="` + colour + `"/><w:shd w:val="clear" w:color="auto" w:fill="000000"/></w:rPr><w:t xml:space="preserve"> ` + string(d.Label) + ` </w:t></w:r></w:p>`
}

func wordHeader(d *Document) string {
	restricted := ""
	if d.Restricted != "" {
		restricted = `<w:p><w:pPr><w:pStyle w:val="CellName"/></w:pPr><w:r><w:t>RESTRICTED</w:t></w:r></w:p>`
	}
	return xmlHead + `<w:hdr ` + wordSpace + `>` + restricted + wordLabel(d) + `</w:hdr>`
}

func wordFooter(d *Document) string {
	field := func(name string) string {
		return `<w:r><w:fldChar w:fldCharType="begin"/></w:r><w:r><w:instrText xml:space="preserve"> ` + name + ` </w:instrText></w:r><w:r><w:fldChar w:fldCharType="separate"/></w:r><w:r><w:t>1</w:t></w:r><w:r><w:fldChar w:fldCharType="end"/></w:r>`
	}
	return xmlHead + `<w:ftr ` + wordSpace + `><w:p><w:pPr><w:pStyle w:val="Foot"/></w:pPr><w:r><w:t xml:space="preserve">` + html.EscapeString(d.foot()) +
		`, page </w:t></w:r>` + field("PAGE") + `<w:r><w:t xml:space="preserve"> of </w:t></w:r>` + field("NUMPAGES") + `</w:p></w:ftr>`
}

// foot is what stands at the foot of each page, before its number.
func (d *Document) foot() string {
	text := cutTo("Incident "+d.Incident, 60)
	if d.Incident == "" {
		text = cutTo(d.Title, 60)
	}
	if d.For != "" {
		text += ". " + cutTo(d.For, 100)
	}
	return text
}

// cutTo cuts a text for a place that is small.
func cutTo(text string, most int) string {
	if r := []rune(text); len(r) > most {
		return string(r[:most]) + "…"
	}
	return text
}

func coreProperties(d *Document) string {
	when := d.Made.Format("2006-01-02T15:04:05Z")
	return xmlHead + `<cp:coreProperties xmlns:cp="http://schemas.openxmlformats.org/package/2006/metadata/core-properties" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:dcterms="http://purl.org/dc/terms/" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">` +
		`<dc:title>` + html.EscapeString(cutTo(d.Title, 250)) + `</dc:title><dc:creator>Tocsin</dc:creator><dcterms:created xsi:type="dcterms:W3CDTF">` + when + `</dcterms:created></cp:coreProperties>`
}

// styles writes one style of a paragraph: its name, that on which it stands, what the paragraph has and what its letters have.
func styles(list ...[4]string) string {
	var b strings.Builder
	for _, s := range list {
		fmt.Fprintf(&b, `<w:style w:type="paragraph" w:styleId="%s"><w:name w:val="%s"/><w:basedOn w:val="Normal"/><w:qFormat/><w:pPr>%s</w:pPr><w:rPr>%s</w:rPr></w:style>`, s[0], s[1], s[2], s[3])
	}
	return b.String()
}
