package dossier

import (
	"archive/zip"
	"bytes"
	"encoding/xml"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/html"
)

var update = flag.Bool("update", false, "write the golden files anew")

func berlin(t testing.TB) *time.Location {
	t.Helper()
	z, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	return z
}

// formats renders a document in all four.
func formats(t testing.TB, d *Document) map[string][]byte {
	t.Helper()
	docx, err := DOCX(d)
	if err != nil {
		t.Fatal(err)
	}
	pdf, err := PDF(d)
	if err != nil {
		t.Fatal(err)
	}
	return map[string][]byte{".html": HTML(d), ".md": Markdown(d), ".docx": docx, ".pdf": pdf}
}

// squeeze leaves out what a format adds between texts: spaces, line ends, and the marks of direction that pdftotext writes.
func squeeze(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || unicode.Is(unicode.Cf, r) {
			return -1
		}
		return r
	}, text)
}

// htmlText is what a browser shows of a page. It fails when the page holds an element that a dossier never has.
func htmlText(t testing.TB, page []byte) string {
	t.Helper()
	root, err := html.Parse(bytes.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	var walk func(n *html.Node)
	walk = func(n *html.Node) {
		switch {
		case n.Type == html.TextNode:
			b.WriteString(n.Data + "\n")
		case n.Type == html.ElementNode:
			switch n.Data {
			case "script", "img", "a", "iframe", "form", "object", "link":
				t.Errorf("the page has an element %s", n.Data)
			case "head", "svg":
				return
			}
			for _, a := range n.Attr {
				if strings.HasPrefix(a.Key, "on") || a.Key == "style" || a.Key == "href" || a.Key == "src" {
					t.Errorf("the page has an attribute %s", a.Key)
				}
			}
		}
		for c := n.FirstChild; c != nil; c = c.NextSibling {
			walk(c)
		}
	}
	walk(root)
	return b.String()
}

// docxText is the text of the main part of a DOCX file. It fails when a part is not well-formed or a field is in the text.
func docxText(t testing.TB, file []byte) string {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		dec := xml.NewDecoder(r)
		inText := false
		for {
			tok, err := dec.Token()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatalf("%s: %v", f.Name, err)
			}
			if f.Name != "word/document.xml" {
				continue
			}
			switch x := tok.(type) {
			case xml.StartElement:
				inText = x.Name.Local == "t"
				switch x.Name.Local {
				case "instrText", "fldSimple", "hyperlink", "object", "altChunk":
					t.Fatalf("the document has an element %s", x.Name.Local)
				}
			case xml.EndElement:
				inText = false
			case xml.CharData:
				if inText {
					b.Write(x)
					b.WriteByte('\n')
				}
			}
		}
		r.Close()
	}
	return b.String()
}

// markdownPlain takes off what Markdown adds to texts.
func markdownPlain(file []byte) string {
	var b strings.Builder
	for l := range strings.Lines(string(file)) {
		l = strings.TrimRight(l, "\n")
		switch {
		case strings.HasPrefix(l, "|---"):
			continue
		case strings.HasPrefix(l, "- "), strings.HasPrefix(l, "> "):
			l = l[2:]
		case strings.HasPrefix(l, "#"):
			l = strings.TrimLeft(l, "#")
		}
		for k := 0; k < len(l); k++ {
			switch c := l[k]; {
			case c == '\\' && k+1 < len(l):
				k++
				b.WriteByte(l[k])
			case c == '|', c == '*':
			default:
				b.WriteByte(c)
			}
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// program fails the test when a program is absent, naming the package that has it.
func program(t testing.TB, name, pack string) {
	t.Helper()
	if _, err := exec.LookPath(name); err != nil {
		t.Fatalf("this test needs the program %s: install the Debian package %s", name, pack)
	}
}

// pdfPages is the text of each page of a PDF file, in the order in which it was drawn.
func pdfPages(t testing.TB, file []byte) []string {
	t.Helper()
	program(t, "pdftotext", "poppler-utils")
	cmd := exec.Command("pdftotext", "-raw", "-enc", "UTF-8", "-", "-")
	cmd.Stdin = bytes.NewReader(file)
	var complaint bytes.Buffer
	cmd.Stderr = &complaint
	out, err := cmd.Output()
	if err != nil || complaint.Len() > 0 {
		t.Fatalf("pdftotext: %v: %s", err, complaint.String())
	}
	return strings.Split(strings.TrimSuffix(string(out), "\f"), "\f")
}

// pdfText is what the pages say without their heads and feet, and without the heads of tables that stand again on a page.
func pdfText(t testing.TB, d *Document, pages []string, want string) string {
	t.Helper()
	var heads []string
	for _, s := range d.Sections {
		for _, x := range s.Blocks {
			if x.Table != nil {
				h := ""
				for _, c := range x.Table.Columns {
					h += squeeze(c.Name)
				}
				heads = append(heads, h)
			}
		}
	}
	var b strings.Builder
	for k, p := range pages {
		p = squeeze(p)
		p = strings.TrimPrefix(p, squeeze(string(d.Label)))
		if d.Restricted != "" {
			p = strings.TrimPrefix(p, "RESTRICTED")
		}
		foot := squeeze(fmt.Sprintf("%s, page %d of %d", d.foot(), k+1, len(pages)))
		body, ok := strings.CutSuffix(p, foot)
		if !ok {
			t.Errorf("page %d does not end with %q but with %q", k+1, foot, p[max(0, len(p)-60):])
		}
		if !strings.HasPrefix(want[min(b.Len(), len(want)):], body) {
			for _, h := range heads {
				if rest, ok := strings.CutPrefix(body, h); ok && strings.HasPrefix(want[min(b.Len(), len(want)):], rest) {
					body = rest
					break
				}
			}
		}
		b.WriteString(body)
	}
	return b.String()
}

// sameText compares squeezed texts, and shows where they part.
func sameText(t testing.TB, what, got, want string) {
	t.Helper()
	if got == want {
		return
	}
	k := 0
	for k < min(len(got), len(want)) && got[k] == want[k] {
		k++
	}
	from := max(0, k-40)
	t.Errorf("%s parts from the document at byte %d:\ngot  …%q\nwant …%q", what, k, got[from:min(len(got), k+80)], want[from:min(len(want), k+80)])
}

// TestFormats: twenty incidents say the same in each format, in both depths, and each entry of the timeline stands in all four.
func TestFormats(t *testing.T) {
	t.Parallel()
	zone := berlin(t)
	for _, c := range shown() {
		for _, depth := range []Depth{Full, Executive} {
			t.Run(c.name+", "+string(depth), func(t *testing.T) {
				d := Assemble(c.Case, depth, Red, zone)
				files := formats(t, d)
				if os.Getenv("TOCSIN_SOAK") != "" {
					inTime(t, d)
				}
				want := squeeze(d.Text())
				sameText(t, "HTML", squeeze(htmlText(t, files[".html"])), want)
				sameText(t, "DOCX", squeeze(docxText(t, files[".docx"])), want)
				sameText(t, "Markdown", strings.ReplaceAll(squeeze(markdownPlain(files[".md"])), "::", ":"), strings.ReplaceAll(colons(d), "::", ":"))
				pages := pdfPages(t, files[".pdf"])
				pdf := pdfText(t, d, pages, paperText(t, d))
				if c.name != "hostile" && (c.name != "tall rows" || depth != Full) { // there a cell that goes on on the next page parts its row
					sameText(t, "PDF", pdf, paperText(t, d))
				} else if lacks := lacking(pdf, paperText(t, d)); lacks != "" {
					t.Errorf("PDF lacks %q", lacks)
				}
				if depth != Full {
					return
				}
				stands := map[string]map[string]bool{}
				for format, text := range map[string]string{"HTML": string(files[".html"]), "Markdown": string(files[".md"]), "DOCX": docxText(t, files[".docx"]), "PDF": strings.Join(pages, "\n")} {
					stands[format] = map[string]bool{}
					for l := range strings.Lines(text) {
						if m := idAtFront.FindStringSubmatch(l); m != nil {
							stands[format][m[1]] = true
						}
					}
				}
				for _, m := range c.Timeline {
					for format, ids := range stands {
						if !ids[fmt.Sprint(m.N)] {
							t.Errorf("%s lacks entry %d of the timeline", format, m.N)
						}
					}
				}
			})
		}
	}
}

// inTime says how long each format takes, and fails when one takes more than two seconds.
func inTime(t *testing.T, d *Document) {
	t.Helper()
	for _, f := range []struct {
		name string
		make func() error
	}{{"HTML", func() error { HTML(d); return nil }}, {"Markdown", func() error { Markdown(d); return nil }}, {"DOCX", func() error { _, err := DOCX(d); return err }}, {"PDF", func() error { _, err := PDF(d); return err }}} {
		began := time.Now()
		err := f.make()
		took := time.Since(began)
		t.Logf("%s: %s", f.name, took.Round(time.Millisecond))
		if err != nil || took > 2*time.Second {
			t.Errorf("%s took %s: %v", f.name, took, err)
		}
	}
}

// idAtFront finds the number of an entry in front of a line: in HTML in its cell, in Markdown in a row, in the texts of DOCX and PDF alone.
var idAtFront = regexp.MustCompile(`^(?:<tr id="timeline-\d+"><td dir="auto">|\| )?(\d+)(?:</td>| \||\s)`)

// lacking returns the letters of want that got has less often.
func lacking(got, want string) string {
	n := map[rune]int{}
	for _, r := range want {
		n[r]++
	}
	for _, r := range got {
		n[r]--
	}
	out := ""
	for r, k := range n {
		if k > 0 {
			out += string(r)
		}
	}
	return out
}

// colons is the text of a document as Markdown shows it: with a colon behind the name of a pair.
func colons(d *Document) string {
	c := *d
	pairs := func(list []Pair) (out []Pair) {
		for _, p := range list {
			out = append(out, Pair{p.Name + ":", p.Value})
		}
		return out
	}
	c.Cover = pairs(d.Cover)
	c.Sections = nil
	for _, s := range d.Sections {
		n := s
		n.Blocks = nil
		for _, x := range s.Blocks {
			x.Pairs = pairs(x.Pairs)
			n.Blocks = append(n.Blocks, x)
		}
		c.Sections = append(c.Sections, n)
	}
	return squeeze(c.Text())
}

// paperText is the text of a document as its PDF file shows it: what the font lacks is named, and the label is in the head of the page.
func paperText(t testing.TB, d *Document) string {
	t.Helper()
	font, err := fonts.ReadFile(regular)
	if err != nil {
		t.Fatal(err)
	}
	covers, err := covered(font)
	if err != nil {
		t.Fatal(err)
	}
	p := &paper{covers: covers}
	return squeeze(p.printable(strings.TrimPrefix(strings.ReplaceAll(d.Text(), "\n", " "), string(d.Label))))
}

// TestLibreOffice: LibreOffice opens each DOCX file, and reads the text of the HTML in it.
func TestLibreOffice(t *testing.T) {
	t.Parallel()
	program(t, "soffice", "libreoffice-writer-nogui")
	dir, out := t.TempDir(), t.TempDir()
	want := map[string]string{}
	args := []string{"-env:UserInstallation=file://" + t.TempDir(), "--headless", "--convert-to", "txt:Text (encoded):UTF8", "--outdir", out}
	for k, c := range shown() {
		d := Assemble(c.Case, Full, Red, berlin(t))
		file, err := DOCX(d)
		if err != nil {
			t.Fatal(err)
		}
		name := fmt.Sprintf("%02d", k)
		want[name] = squeeze(htmlText(t, HTML(d)))
		path := filepath.Join(dir, name+".docx")
		if err := os.WriteFile(path, file, 0o600); err != nil {
			t.Fatal(err)
		}
		args = append(args, path)
	}
	if text, err := exec.Command("soffice", args...).CombinedOutput(); err != nil {
		t.Fatalf("soffice: %v: %s", err, text)
	}
	for name, want := range want {
		text, err := os.ReadFile(filepath.Join(out, name+".txt"))
		if err != nil {
			t.Errorf("LibreOffice does not open %s.docx: %v", name, err)
			continue
		}
		var b strings.Builder
		for l := range strings.Lines(string(text)) {
			b.WriteString(strings.TrimPrefix(strings.TrimLeft(l, " \t\ufeff"), "• "))
		}
		sameText(t, name+".docx as LibreOffice reads it", squeeze(b.String()), want)
	}
}

// TestGolden keeps what a small incident looks like.
func TestGolden(t *testing.T) {
	t.Parallel()
	c := skimmer()
	c.Timeline = c.Timeline[:3]
	d := Assemble(c, Full, Amber, berlin(t))
	for name, got := range map[string][]byte{"small.html": HTML(d), "small.md": Markdown(d)} {
		path := filepath.Join("testdata", name)
		if *update {
			if err := os.MkdirAll("testdata", 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, got, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), string(got)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// TestSameBytes: the same case gives the same bytes in each format, so that a signature can be made anew.
func TestSameBytes(t *testing.T) {
	zone := berlin(t)
	a, b := formats(t, Assemble(skimmer(), Full, Red, zone)), formats(t, Assemble(skimmer(), Full, Red, zone))
	for ending := range a {
		if !bytes.Equal(a[ending], b[ending]) {
			t.Errorf("two files %s of the same case differ", ending)
		}
	}
}
