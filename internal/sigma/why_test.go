package sigma

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tocsin/internal/record"
)

func TestWhy(t *testing.T) {
	docs, err := Parse("x.yml", []byte(`
title: t
logsource: {category: webserver}
detection:
  path:
    url.path|contains: [/admin, /backend]
    http.request.method: POST
  agent:
    - user_agent.original|startswith: curl
    - user_agent.original: null
  condition: path and not agent
`))
	if err != nil {
		t.Fatal(err)
	}
	r := &record.Record{Line: record.Line{Raw: "x"}}
	r.SetText(record.URLPath, "/Admin/login")
	r.SetText(record.HTTPMethod, "POST")
	got, matches := docs[0].Rule.Why(r, nil)
	want := []string{
		`yes  path: all of`,
		`  yes  url.path contains any of '/admin', '/backend'; it is "/Admin/login"`,
		`  yes  http.request.method is POST; it is "POST"`,
		`yes  agent: one of`,
		`  no   user_agent.original starts with curl; the line has none`,
		`  yes  user_agent.original is missing; the line has none`,
		`no   condition: path and not agent`,
	}
	if d := cmp.Diff(want, got); d != "" || matches {
		t.Errorf("%v\n%s", matches, d)
	}
	r.SetText(record.UserAgent, strings.Repeat("é", 200))
	if got, matches := docs[0].Rule.Why(r, nil); !matches || len(got[4]) > 500 {
		t.Errorf("%v %q", matches, got)
	}
}
