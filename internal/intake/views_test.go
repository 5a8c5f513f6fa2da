package intake

import (
	"strings"
	"testing"

	"tocsin/internal/record"
)

func TestNormal(t *testing.T) {
	for _, x := range []struct{ name, given, want string }{
		{"plain", "/shop/shoes?size=42&colour=red", "/shop/shoes?size=42&colour=red"},
		{"encoded once more", "%3Cscript%3E", "<script>"},
		{"encoded three times more", "%25253Cscript%25253E", "<script>"},
		{"IIS", "%u003cscript%u003e", "<script>"},
		{"references", "&lt;script&#62;&#x28;&#40)", "<script>(()"},
		{"no references", "a=1&lt=5&copy=2&x;y", "a=1&lt=5&copy=2&x;y"},
		{"references behind percent", "%26lt%3Bimg", "<img"},
		{"script", `\u003cscript\x3e \u{3c}b`, "<script> <b"},
		{"no script", `C:\users\x\unknown`, `C:\users\x\unknown`},
		{"comments", "un/**/ion/*x*/select/**/1", "un ion select 1"},
		{"conditional comment", "1/*!50000union*/select", "1 union select"},
		{"open comment", "1 or 1=1/* ", "1 or 1=1 "},
		{"blanks", "union\t \r\n\vselect\u00a0 1", "union select 1"},
		{"NUL", "sel\x00ect", "select"},
		{"overlong", "..\xc0\xaf..\xe0\x80\xaf", "../../"},
		{"two bytes that are right", "caf\u00e9 \u0100", "caf\u00e9 \u0100"},
		{"broken", "%zz&#;&#x;\\u12\\x1%", "%zz&#;&#x;\\u12\\x1%"},
	} {
		t.Run(x.name, func(t *testing.T) {
			if got := normal(x.given); got != x.want {
				t.Errorf("got %q, want %q", got, x.want)
			}
		})
	}
}

func TestViews(t *testing.T) {
	p := parser(t, Options{})
	r := p.Parse(record.Line{File: "a", Raw: `198.51.100.7 - - [10/Nov/2026:10:00:01 +0000] "GET /a+b?q=1%2527+union%252f**/select HTTP/1.1" 200 512 "https://x.example/?q=%2522+x" "a%2541+\x22b"`}, hint)
	for f, want := range map[record.Field]string{
		record.URLDecoded: "/a+b?q=1%27 union%2f**/select", record.URLDecodedTwice: "/a+b?q=1' union/**/select", record.URLNormal: "/a+b?q=1' union select",
		record.QueryDecoded: "q=1%27 union%2f**/select", record.QueryDecodedTwice: "q=1' union/**/select", record.QueryNormal: "q=1' union select",
		record.ReferrerDecoded: "https://x.example/?q=%22 x", record.ReferrerDecodedTwice: `https://x.example/?q=" x`, record.ReferrerNormal: `https://x.example/?q=" x`,
		record.AgentDecoded: `a%41+"b`, record.AgentDecodedTwice: `aA+"b`, record.AgentNormal: `aA+"b`,
	} {
		if got := r.Text(f); got != want {
			t.Errorf("%v is %q, want %q", f, got, want)
		}
	}
	if r.Has(record.CookieNormal) {
		t.Error("a view of a cookie that is not there")
	}
}

// What is made normal is not longer, and nothing is left to decode but what is nested too deeply.
func FuzzNormal(f *testing.F) {
	for _, s := range []string{"%253C", "&lt;&#60;&amp;lt;", `\u003c\x3c\u{3c}`, "/*!50000x*/", "\xc0\xaf\xe0\x80\xaf", "&&&&;#", "\\u{10ffff}", "*/*/*/"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := normal(s)
		if len(got) > len(s) {
			t.Fatalf("%q became longer: %q", s, got)
		}
		if strings.ContainsAny(got, "\x00\t\r\n") || strings.Contains(got, "  ") {
			t.Fatalf("%q is untidy: %q", s, got)
		}
		if untidy(s) != (tidy(s) != s) && !untidy(s) {
			t.Fatalf("%q would be tidied to %q, and is said to be tidy", s, tidy(s))
		}
	})
}

// The law of plain URLs: each view is the URL itself, or missing.
func FuzzPlainURL(f *testing.F) {
	for _, s := range []string{"/", "/a/b-c.html?x=1&y=2", "/a--b", "/a%20b", "/?q=a+b", "/?x=1&amp;y", "/a;b", "/a/*b", "/?a=b:c", "/~x"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, url string) {
		if !plainURL(url) {
			return
		}
		query := len(url)
		if i := strings.IndexByte(url, '?'); i >= 0 {
			query = i + 1
		}
		once, at := percentDecode(url, query)
		twice, _ := percentDecode(once, at)
		if once != url || twice != url || normal(once) != url || marked(url) || shell(url) != "" {
			t.Fatalf("%q: %q, %q, %q, %v, %q", url, once, twice, normal(once), marked(url), shell(url))
		}
	})
}
