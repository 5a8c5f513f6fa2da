package ui

import (
	"bytes"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

// finding finds one word of a glossary.
func finding(word, says string) func(string) []Term {
	return func(text string) (out []Term) {
		for at := 0; ; {
			k := strings.Index(text[at:], word)
			if k < 0 || word == "" {
				return out
			}
			out = append(out, Term{at + k, at + k + len(word), word, says})
			at += k + len(word)
		}
	}
}

// Given a page, when the words of a glossary are explained, then the first one in running text is, and none in what is clicked, typed or copied.
func TestExplain(t *testing.T) {
	for _, c := range []struct{ page, want string }{
		{`<main><p>A skimmer, a skimmer.</p></main>`, `<main><p>A <abbr title="reads &#34;cards&#34;">skimmer</abbr>, a skimmer.</p></main>`},
		{`<p>skimmer</p><main><a href="/x">skimmer</a><pre>skimmer</pre><button>skimmer</button><textarea>skimmer</textarea></main>`, ``},
		{`<main><h1>skimmer</h1><svg><text>skimmer</text></svg><p>a &lt;b&gt; skimmer &amp; c</p></main><p>skimmer</p>`, `<main><h1>skimmer</h1><svg><text>skimmer</text></svg><p>a &lt;b&gt; <abbr title="reads &#34;cards&#34;">skimmer</abbr> &amp; c</p></main><p>skimmer</p>`},
	} {
		want := c.want
		if want == "" {
			want = c.page
		}
		if got := string(explain([]byte(c.page), finding("skimmer", `reads "cards"`))); got != want {
			t.Errorf("%s\ngot  %s\nwant %s", c.page, got, want)
		}
	}
}

// FuzzExplain holds the law that explaining words changes no word of a page and adds nothing but abbr.
func FuzzExplain(f *testing.F) {
	f.Add("<main><p>a skimmer</p></main>")
	f.Add("<main>&lt;script&gt;skimmer</main>")
	f.Add("<main><svg><a>skimmer</svg>skimmer")
	f.Add("<main><textarea>skimmer</p></textarea>skimmer")
	f.Fuzz(func(t *testing.T, s string) {
		if strings.Contains(strings.ToLower(s), "abbr") {
			return
		}
		out := explain([]byte(s), finding("skimmer", "x"))
		if got, want := tokens(out), tokens([]byte(s)); got != want {
			t.Errorf("%q became %q", s, out)
		}
		if n := bytes.Count(out, []byte("<abbr")); n > 1 {
			t.Errorf("%q: explained %d times", s, n)
		}
	})
}

// tokens are the tags and texts of a page, without abbr.
func tokens(page []byte) string {
	var b strings.Builder
	for z := html.NewTokenizer(bytes.NewReader(page)); z.Next() != html.ErrorToken; {
		t := z.Token()
		switch {
		case t.Data == "abbr" && t.Type != html.TextToken:
		case t.Type == html.TextToken:
			b.WriteString(strings.ReplaceAll(t.Data, "\r", "\n"))
		default:
			b.WriteString(t.String())
		}
	}
	return b.String()
}

// FuzzProse holds the law that a text of a plan loses no letter when it is cut into pieces.
func FuzzProse(f *testing.F) {
	for _, s := range []string{"1. a\n2. b\nc", "- a\n- b", "1.a", "999. x", "\n\n", "12345. x"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		n := 0
		for _, p := range NewProse(s) {
			if len(p.Lines) == 0 {
				t.Fatal("a piece without lines")
			}
			n += len(p.Lines)
		}
		want := 0
		for l := range strings.Lines(s) {
			if strings.TrimSpace(l) != "" {
				want++
			}
		}
		if n != want {
			t.Errorf("%q: %d lines, want %d", s, n, want)
		}
	})
}

// Given reasons, when a fishbone is drawn, then all branches are, in the box, and what does not fit is in the list alone.
func TestFishbone(t *testing.T) {
	many := FishBranch{Word: "People"}
	for range 40 {
		many.Reasons = append(many.Reasons, FishReason{Row: ReasonRow{Text: Visible(strings.Repeat("W", 300))}})
	}
	g := NewFishbone(strings.Repeat("W", 300)+" "+strings.Repeat("x ", 300), []FishBranch{many, {Word: "Process"}, {Word: "Technology"}, {Word: "Supplier"}, {Word: "Configuration"}, {Word: "Environment"}})
	drawn := 0
	for _, r := range g.Branches[0].Reasons {
		if r.Twig != "" {
			drawn++
		}
	}
	if len(g.Branches) != 6 || drawn != mostFishRows || len(g.Branches[0].Reasons) != 40 || len(g.HeadY) > headLines {
		t.Errorf("%d branches, %d of %d reasons drawn, %d lines of the effect", len(g.Branches), drawn, len(g.Branches[0].Reasons), len(g.HeadY))
	}
}
