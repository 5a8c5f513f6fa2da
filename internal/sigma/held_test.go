package sigma

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tocsin/internal/record"
)

func TestHeld(t *testing.T) {
	for _, x := range []struct {
		name, detection string
		matches         bool
		want            []Held
	}{
		{"of a list only what is there", `
  path: {url.path|contains: [/shop, /admin, /backend, /login]}
  condition: path`, true,
			[]Held{{"path", true, []string{`the path has "/admin" in it: "/Admin/login"`}}}},
		{"one value has no list", `
  path: {url.path|contains: [/shop, /admin]}
  condition: path`, true,
			[]Held{{"path", true, []string{`the path has "/admin" in it: "/Admin/login"`}}}},
		{"all of a map, one of a list", `
  path:
    http.request.method: [GET, POST]
    url.path|startswith: /admin
  agent:
    - user_agent.original: null
    - user_agent.original|contains: curl
  condition: path and agent`, true,
			[]Held{{"path", true, []string{`the method is "POST"`, `the path begins with "/admin": "/Admin/login"`}},
				{"agent", true, []string{`the line does not give the user agent`}}}},
		{"what a filter asks for is not there", `
  path: {url.path|contains: /admin}
  office: {source.ip: 192.0.2.1}
  condition: path and not office`, true,
			[]Held{{"path", true, []string{`the path has "/admin" in it: "/Admin/login"`}}, {"office", false, nil}}},
		{"all of several stay together", `
  path: {url.path|contains|all: [/admin, login]}
  condition: path`, true,
			[]Held{{"path", true, []string{`the path is "/Admin/login", which does have '/admin' and login`}}}},
		{"what must be there, or missing", `
  path: {url.path|exists: true, http.request.referrer|exists: false}
  condition: path`, true,
			[]Held{{"path", true, []string{`the line gives the path`, `the line does not give the page before it (referrer)`}}}},
		{"no match", `
  path: {url.path|contains: /shop}
  condition: path`, false,
			[]Held{{"path", false, nil}}},
	} {
		t.Run(x.name, func(t *testing.T) {
			docs, err := Parse("x.yml", []byte("title: t\nlogsource: {category: webserver}\ndetection:"+x.detection+"\n"))
			if err != nil {
				t.Fatal(err)
			}
			r := &record.Record{Line: record.Line{Raw: "x"}}
			r.SetText(record.URLPath, "/Admin/login")
			r.SetText(record.HTTPMethod, "POST")
			r.SetText(record.SourceIP, "192.0.2.9")
			got, matches := docs[0].Rule.Held(r, nil)
			if d := cmp.Diff(x.want, got); d != "" || matches != x.matches {
				t.Errorf("%v\n%s", matches, d)
			}
		})
	}
}

// A record that fulfils a thousand values does not fill the screen.
func TestHeldIsBounded(t *testing.T) {
	var list strings.Builder
	for n := range 1000 {
		fmt.Fprintf(&list, "    - url.path|contains: '%d'\n", n%10)
	}
	docs, err := Parse("x.yml", []byte("title: t\nlogsource: {category: webserver}\ndetection:\n  path:\n"+list.String()+"  condition: path\n"))
	if err != nil {
		t.Fatal(err)
	}
	r := &record.Record{Line: record.Line{Raw: "x"}}
	r.SetText(record.URLPath, "/0123456789")
	if got, _ := docs[0].Rule.Held(r, nil); len(got[0].Parts) > maxParts {
		t.Errorf("%d parts", len(got[0].Parts))
	}
}
