package dossier

import (
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"
)

// FuzzVisible: what was made harmless is UTF-8 that XML may hold, has nothing that a reader cannot see, and is not changed by making it harmless again.
func FuzzVisible(f *testing.F) {
	for _, h := range hostiles {
		f.Add(h)
	}
	f.Fuzz(func(t *testing.T, text string) {
		v := visible(text)
		if !utf8.ValidString(v) {
			t.Fatalf("%q gives %q, which is no UTF-8", text, v)
		}
		for _, r := range v {
			if r != '\n' && (!unicode.IsGraphic(r) || unicode.In(r, unicode.Cf, unicode.Co)) {
				t.Fatalf("%q gives %q, which holds %U", text, v, r)
			}
		}
		if o := one(text); len(text) < textAtMost && one(o) != o {
			t.Errorf("%q gives %q, and that %q", text, o, one(o))
		}
	})
}

// FuzzMarkdownText: taking the backslashes off gives the text again, and no sign that means something stands without one.
func FuzzMarkdownText(f *testing.F) {
	for _, h := range hostiles {
		f.Add(h)
	}
	f.Fuzz(func(t *testing.T, text string) {
		text = one(text)
		esc := markdownText(text)
		var back strings.Builder
		for k := 0; k < len(esc); k++ {
			if esc[k] == '\\' {
				if k++; k == len(esc) {
					t.Fatalf("%q ends with a backslash", esc)
				}
			} else if strings.IndexByte("`*_{}[]<>#|~&$^!@", esc[k]) >= 0 {
				t.Fatalf("%q leaves %q bare in %q", text, esc[k], esc)
			}
			back.WriteByte(esc[k])
		}
		if back.String() != text {
			t.Errorf("%q is read as %q", text, back.String())
		}
	})
}

// FuzzFormats: whatever people write, HTML and DOCX say the same as the document, and PDF and Markdown are made.
func FuzzFormats(f *testing.F) {
	for _, h := range hostiles {
		f.Add(h, int64(1), "TLP:RED")
	}
	f.Add("محمد (3) عبد", int64(-1), "")
	f.Fuzz(func(t *testing.T, text string, n int64, label string) {
		if len(text) > 2000 {
			return
		}
		c := Case{
			ID: n, Title: Text{text, Label(label)}, Severity: text, Restricted: text, Label: Label(label), Summary: []Text{{Says: text}}, Organisation: text,
			Happened: time.Unix(n, 0), Detected: time.Unix(0, n), Phases: []Span{{text, time.Unix(n, 0), time.Unix(0, n)}, {"recovery", time.Unix(0, n), time.Time{}}},
			Timeline: []Moment{{N: n, Happened: time.Unix(n, 0), Who: text, What: text, Pinned: true}}, Costs: []Cost{{text, n, text, n, true, Label(label)}},
			Systems: []System{{text, text, text, text, ""}},
		}
		d := Assemble(c, Depth(label), Red, nil)
		files := formats(t, d)
		want := squeeze(d.Text())
		sameText(t, "HTML", squeeze(htmlText(t, files[".html"])), want)
		sameText(t, "DOCX", squeeze(docxText(t, files[".docx"])), want)
	})
}

// FuzzDrawn: drawing a line loses no letter, but for the shapes of Arabic.
func FuzzDrawn(f *testing.F) {
	f.Add("محمد عبد الله (3 سنوات) abc 12:30 שלום")
	f.Add("a\u05b0\u05b1 b")
	f.Fuzz(func(t *testing.T, text string) {
		in := []rune(one(text))
		if out := drawn(in); len(out) != len(in) {
			t.Errorf("%q has %d letters, drawn %d", text, len(in), len(out))
		}
	})
}

// FuzzOwn: a template is refused with a sentence, or ends.
func FuzzOwn(f *testing.F) {
	f.Add("{{.Title}}{{range .Sections}}{{.Heading}}{{end}}")
	f.Add(`{{define "a"}}{{template "a"}}{{end}}{{template "a"}}`)
	f.Add(`{{range $i, $e := .Cover}}{{if $i}}{{break}}{{else}}{{continue}}{{end}}{{end}}`)
	d := Assemble(skimmer(), Full, Red, nil)
	f.Fuzz(func(t *testing.T, text string) {
		if o, err := ParseOwn("own", text, AsHTML); err == nil {
			_, _ = o.Render(d)
		}
	})
}

// TestDrawn is how right-to-left text stands on a page.
func TestDrawn(t *testing.T) {
	for text, want := range map[string]string{
		"Anna":       "Anna",
		"שלום":       "םולש",
		"a שלום b":   "a םולש b",
		"שלום 12:30": "םולש 12:30",
		"א (ב 34) ג": "ג (34 ב) א",
		"لا":         "\ufe8e\ufedf",
		"سلم":        "\ufee2\ufee0\ufeb3",
		"דוד, Smith": "דוד, Smith",
	} {
		if got := string(drawn([]rune(text))); got != want {
			t.Errorf("%q is drawn %q (%+q), want %q (%+q)", text, got, got, want, want)
		}
	}
}
