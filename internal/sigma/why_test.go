package sigma

import (
	"strings"
	"testing"
	"time"

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
	want := []string{"the line does not give the user agent"}
	if d := cmp.Diff(want, got); d != "" || matches {
		t.Errorf("%v\n%s", matches, d)
	}
	r.SetText(record.UserAgent, strings.Repeat("é", 200))
	got, matches = docs[0].Rule.Why(r, nil)
	want = []string{
		`the path has "/admin" in it: "/Admin/login"`,
		`the method is "POST"`,
		`the user agent is "` + strings.Repeat("é", 60) + `...", which does not begin with curl`,
		`the user agent is there: "` + strings.Repeat("é", 60) + `..."`,
	}
	if d := cmp.Diff(want, got); d != "" || !matches {
		t.Errorf("%v\n%s", matches, d)
	}
}

// Given each kind of term, when a record has or lacks what it asks for, then the reason reads as somebody would say it.
func TestReasons(t *testing.T) {
	r := &record.Record{Line: record.Line{Raw: "GET /a?q=1 drop table x"}, Time: time.Date(2026, 11, 10, 2, 5, 0, 0, time.UTC)}
	r.SetText(record.SourceIP, "192.0.2.7")
	r.SetText(record.URLDecoded, "/shop?pid=7 UNION ALL SELECT 1")
	r.SetText(record.EventOutcome, "failure")
	r.Set(record.HTTPStatus, record.Int(404, "404"))
	r.Set(record.CodeValid, record.Bool(false))
	r.Set(record.TransferBytes, record.Int(56320000, "56320000"))
	for _, x := range []struct {
		term    string
		matches bool
		want    string
	}{
		{"http.response.status_code: 404", true, "the server's answer is 404"},
		{"http.response.status_code: [200, 206]", false, "the server's answer is 404, not 200 or 206"},
		{"http.response.status_code: [200, 201, 202, 204, 206, 301, 302]", false, "the server's answer is 404, not 200, 201, 202, 204 or 3 others that the rule names"},
		{"http.response.status_code|gte: 400", true, "the server's answer is 404, at least 400"},
		{"transfer.bytes|gte: 100000000", false, "the number of bytes moved is 56320000, not at least 100,000,000"},
		{"url.decoded|re|i: ['\\bunion\\b.{1,9}select', b]", true, `the URL, decoded, has "UNION ALL SELECT" in it: "/shop?pid=7 UNION ALL SELECT 1"`},
		{"url.decoded|re: ['a{9}', 'b{9}']", false, `the URL, decoded, is "/shop?pid=7 UNION ALL SELECT 1", which does not fit any of the rule's 2 patterns`},
		{"url.decoded|contains|all: [union, select]", true, `the URL, decoded, is "/shop?pid=7 UNION ALL SELECT 1", which does have union and select`},
		{"url.decoded|startswith: /shop", true, `the URL, decoded, begins with "/shop": "/shop?pid=7 UNION ALL SELECT 1"`},
		{"source.ip|cidr: 192.0.2.0/24", true, `the address is "192.0.2.7", which lies in 192.0.2.0/24`},
		{"source.ip|cidr: 10.0.0.0/8", false, `the address is "192.0.2.7", which does not lie in 10.0.0.0/8`},
		{"source.ip|neq: 192.0.2.7", false, `the address is "192.0.2.7"`},
		{"event.outcome: success", false, "it failed"},
		{"code.valid: false", true, "the code does not exist"},
		{"user.name: anna", false, "the line does not give the account"},
		{"user.name|exists: true", false, "the line does not give the account"},
		{"source.ip|exists: true", true, "the line gives the address"},
		{"source.geo.country_iso_code: DE", false, "the line does not give the country of the address: that comes from the geo file, which may not be read here"},
		{"'@timestamp|hour|lt': 5", true, "the hour of 2026-11-10 02:05:00 UTC is less than 5"},
		{"'@timestamp|hour|gte': 5", false, "the hour is 2026-11-10 02:05:00 UTC, not at least 5"},
	} {
		docs, err := Parse("x.yml", []byte("title: t\nlogsource: {category: application}\ndetection:\n  s:\n    "+x.term+"\n  condition: s\n"))
		if err != nil {
			t.Fatal(err)
		}
		got, matches := docs[0].Rule.Why(r, nil)
		if d := cmp.Diff([]string{x.want}, got); d != "" || matches != x.matches {
			t.Errorf("%s: %v\n%s", x.term, matches, d)
		}
	}
	docs, err := Parse("x.yml", []byte("title: t\nlogsource: {category: application}\ndetection:\n  s: [select, drop table]\n  condition: s\n"))
	if err != nil {
		t.Fatal(err)
	}
	if got, _ := docs[0].Rule.Why(r, nil); got[0] != `the line has "select" in it` {
		t.Error(got)
	}
}
