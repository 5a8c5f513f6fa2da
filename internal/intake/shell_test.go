package intake

import (
	"strings"
	"testing"

	"tocsin/internal/record"
)

func TestShell(t *testing.T) {
	for _, x := range []struct{ name, given, want string }{
		{"nothing for a shell", "/shop/shoes?size=42&colour=red+blue&q=caf%C3%A9", ""},
		{"an ampersand that parts values", "/?a=1&id=2", ""},
		{"an ampersand that was encoded", "/?a=1%26id&b=2", "/?a=1;id&b=2"},
		{"separators", "/?a=x%20;%20cat%20%20/etc/x%20||%0aid", "/?a=x;cat /etc/x;id"},
		{"substitution", "/?a=$(id)x`uname -a`", "/?a=;id;x;uname -a;"},
		{"brackets that are none", "/?a=;f(x)%20y", "/?a=;f(x) y"},
		{"quotes and backslashes", `/?a=;c'a'"t"+/et\c/x`, "/?a=;cat /etc/x"},
		{"cmd.exe", "/?a=%26w%5eh%5eoami", "/?a=;whoami"},
		{"ANSI-C", `/?a=;$'\x69\x64'`, "/?a=;id"},
		{"IFS", "/?a=;cat$IFS$9/x;ls${IFS}-l", "/?a=;cat /x;ls -l"},
		{"empty expansions", "/?a=;wh$@oa$*mi;pi``ng;wh$1oami;i${@}d;c$()at", "/?a=;whoami;ping;whoami;id;cat"},
		{"a price", "/?a=;$1.50", "/?a=;$1.50"},
		{"arithmetic", "/?a=$((7))z;x", "/?a=z;x"},
		{"redirection", "/?a=;cat</etc/x", "/?a=;cat /etc/x"},
		{"process substitution", "/?a=cat<(id)", "/?a=cat;id;"},
		{"braces", "/?a={cat,/etc/x}", "/?a=;cat /etc/x"},
		{"braces in a word", "/?a=c{a,}t", "/?a=;cat ct"},
		{"JSON", `/?a={"id":1,"b":[2]}`, "/?a={id:1,b:[2]}"},
		{"GraphQL", "/?query={products{id,name}}", "/?query=;{productsid {productsname }"},
		{"encoded twice", "/?a=%253Bid", "/?a=;id"},
		{"the path too", "/cgi/x;id", "/cgi/x;id"},
	} {
		t.Run(x.name, func(t *testing.T) {
			if got := shell(x.given); got != x.want {
				t.Errorf("got %q, want %q", got, x.want)
			}
		})
	}
}

func TestMarked(t *testing.T) {
	for given, want := range map[string]bool{
		"/shop/shoes?size=42&colour=red+blue-green_x.y,z": false,
		"/shop/caf%C3%A9?q=m%C3%BCtze%20gro%C3%9F":        false,
		"/?q=tom%26jerry": false,
		"/a:b?x=1":        false,
		"/?x=a:b":         true,
		"/?x=a%3Ab":       true,
		"/?filter[a]=1":   true,
		"/?q=o%27x":       true,
		"/?q=%2527":       true,
		"/?q=%u0027":      true,
		"/a%0ab":          true,
		"/..%c0%afx":      true,
		"/?q=100%":        false,
		"/?q=100%zz":      false,
		"/?next=/account%3Ftab=orders&amp=1&lt=2": false,
	} {
		if got := marked(given); got != want {
			t.Errorf("%s: got %v, want %v", given, got, want)
		}
	}
	p := parser(t, Options{})
	for url, want := range map[string]string{"/?q=1%2527+x": "/?q=1' x", "/?q=shoes": ""} {
		r := p.Parse(record.Line{File: "a", Raw: `198.51.100.7 - - [10/Nov/2026:10:00:01 +0000] "GET ` + url + ` HTTP/1.1" 200 512 "-" "a"`}, hint)
		if got := r.Text(record.URLMarked); got != want {
			t.Errorf("url.marked of %s is %q, want %q", url, got, want)
		}
	}
}

// What a shell makes of a text has nothing left that only hides words, and is not much longer than the text.
func FuzzShell(f *testing.F) {
	for _, s := range []string{"/?a=;c'a't", "/?a=$(id)`x`", "/?{a,b}c{d,e}", "/?a=$IFS${IFS}$((1))", "/?a=<(x)>(y)", "/?%2527&%26", "/?a={,,}{,,}{,,}", "/?$'\\x27'"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := shell(s)
		if len(got) > 16*len(s)+16 {
			t.Fatalf("%q became much longer: %q", s, got)
		}
		for _, bad := range []string{";;", "  ", "\n", "\x00"} {
			if strings.Contains(got, bad) {
				t.Fatalf("%q became %q, which has %q", s, got, bad)
			}
		}
	})
}
