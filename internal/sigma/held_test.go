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
		yes             []string   // of each selection: y or n
		says            [][]string // of each part: what it says; with "!" before it what it does not
	}{
		{"of a list only what is there", `
  path: {url.path|contains: [/shop, /admin, /backend, /login]}
  condition: path`, true, []string{"path y"}, [][]string{{"/admin", "/login", `"/Admin/login"`, "!/shop", "!/backend"}}},
		{"one value has no list", `
  path: {url.path|contains: [/shop, /admin]}
  condition: path`, true, []string{"path y"}, [][]string{{"/admin", "!/shop"}}},
		{"all of a map, one of a list", `
  path:
    http.request.method: [GET, POST]
    url.path|startswith: /admin
  agent:
    - user_agent.original: null
    - user_agent.original|contains: curl
  condition: path and agent`, true, []string{"path y", "agent y"}, [][]string{{"POST", "!GET"}, {"/admin"}, {"!curl"}}},
		{"what a filter asks for is not there", `
  path: {url.path|contains: /admin}
  office: {source.ip: 192.0.2.1}
  condition: path and not office`, true, []string{"path y", "office n"}, [][]string{{"/admin"}}},
		{"all of several stay together", `
  path: {url.path|contains|all: [/admin, login]}
  condition: path`, true, []string{"path y"}, [][]string{{"/admin", "login"}}},
		{"no match", `
  path: {url.path|contains: /shop}
  condition: path`, false, []string{"path n"}, nil},
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
			var yes, parts []string
			for _, h := range got {
				yes, parts = append(yes, h.Selection+map[bool]string{true: " y", false: " n"}[h.Yes]), append(parts, h.Parts...)
			}
			if d := cmp.Diff(x.yes, yes); d != "" || matches != x.matches || len(parts) != len(x.says) {
				t.Fatalf("%v %q\n%s", matches, parts, d)
			}
			for k, says := range x.says {
				for _, w := range says {
					not, forbidden := strings.CutPrefix(w, "!")
					if forbidden && strings.Contains(parts[k], not) || !forbidden && !strings.Contains(parts[k], w) {
						t.Errorf("part %d is %q, want %q", k, parts[k], w)
					}
				}
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
