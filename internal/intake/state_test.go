package intake

import (
	"net/netip"
	"strings"
	"testing"

	"tocsin/internal/record"
)

// Given lines of one file, when the program restarts between any two, then each is read as it would have been: names of columns and the entry of a slow
// log are kept. Lines of another file do not have them.
func TestColumnsAndEntriesOverRestarts(t *testing.T) {
	for _, c := range fileCases() {
		lines := strings.Split(c.lines, "\n")
		p := parser(t, Options{})
		var r *record.Record
		for _, l := range lines {
			r = p.Parse(record.Line{File: c.file, Raw: l}, hint)
			snap, err := p.Snapshot()
			if err != nil {
				t.Fatal(err)
			}
			p = parser(t, Options{})
			if err := p.Restore(snap); err != nil {
				t.Fatal(err)
			}
		}
		if want := c.read(t, parser(t, Options{})); shown(r) != shown(want) {
			t.Errorf("%s: over restarts\n%s\nwant\n%s", c.origin, shown(r), shown(want))
		}
	}
	p := parser(t, Options{})
	p.Parse(record.Line{File: "a", Raw: "#Fields: date time c-ip cs-method cs-uri-stem sc-status"}, hint)
	const line = "2018-01-01 08:09:10 203.0.113.7 GET / 200"
	if r := p.Parse(record.Line{File: "a", Raw: line}, hint); r.Format != "w3c" || r.Text(record.SourceIP) != realIP {
		t.Error(shown(r))
	}
	if r := p.Parse(record.Line{File: "b", Raw: line}, hint); r.Format == "w3c" {
		t.Error(shown(r))
	}
	p.Parse(record.Line{File: "a", Raw: "#Fields: date time cs-method cs-uri-stem c-ip sc-status"}, hint)
	if r := p.Parse(record.Line{File: "a", Raw: "2018-01-01 08:09:10 GET /b 203.0.113.8 200"}, hint); r.Text(record.SourceIP) != "203.0.113.8" {
		t.Error(shown(r))
	}
}

// Given a slow query log whose statement holds what looks like an entry, when it is read, then the statement goes on; an entry without a stamp of its own has
// that of its SET timestamp.
func TestSlowStatements(t *testing.T) {
	lines := strings.Split(`# Time: 161209 14:37:59
# User@Host: a[a] @  [203.0.113.7]  Id: 7
# Query_time: 1.5  Lock_time: 0 Rows_sent: 1
SET timestamp=1481294279;
SELECT 1,
# User@Host: evil[evil] @  [9.9.9.9]
203.0.113.9 - - [10/Oct/2000:13:55:36 +0000] "GET / HTTP/1.1" 200 1 "-" "x"
2;
# User@Host: b]@ [x[b]@ [x] @ web1 [203.0.113.8]
# Query_time: 0.5  Lock_time: 0 Rows_sent: 1
use shop;
SET timestamp=1481294300;
SELECT 2;`, "\n")
	want := []string{"header", "header", "header", "header", "parsed 203.0.113.7 a SELECT 1,", "continuation", "continuation", "continuation", "header", "header", "header", "header",
		"parsed 203.0.113.8 b]@ [x SELECT 2;"}
	p := parser(t, Options{})
	for i, l := range lines {
		r := p.Parse(record.Line{File: "slow.log", Raw: l}, hint)
		got := r.Class.String()
		if r.Class == record.Parsed {
			got += " " + r.Text(record.SourceIP) + " " + r.Text(record.UserName) + " " + r.Text(record.Statement)
		}
		if got != want[i] {
			t.Errorf("%q is %s, want %s", l, got, want[i])
		}
		if i == len(lines)-1 && r.Time.Unix() != 1481294300 {
			t.Errorf("the time is %s", r.Time)
		}
	}
}

// Given a connection of a trusted proxy, when its log names the client that the proxy told of, then that is the source.
func TestForwardedByProxies(t *testing.T) {
	o := Options{Trusted: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}}
	for _, in := range []string{
		`{"ClientAddr":"10.0.0.9:5","ClientHost":"6.6.6.6, 203.0.113.7","RequestMethod":"GET","RequestPath":"/","StartUTC":"2021-12-08T14:02:43Z","DownstreamStatus":200}`,
		`{"ts":1.7e9,"logger":"http.log.access","request":{"remote_ip":"10.0.0.9","client_ip":"10.0.0.9","method":"GET","uri":"/","headers":{"X-Forwarded-For":["6.6.6.6, 203.0.113.7"]}},"status":200}`,
		`{"date":"2024-11-14","time":"22:34:06","c-ip":"10.0.0.9","cs-method":"GET","cs-uri-stem":"/a","sc-status":"304","x-forwarded-for":"6.6.6.6,%20203.0.113.7"}`,
		"#Fields: date time c-ip cs-method cs-uri-stem sc-status X-Forwarded-For\n2018-01-01 08:09:10 10.0.0.9 GET / 200 6.6.6.6,+203.0.113.7",
	} {
		if got := parse(t, o, strings.Split(in, "\n")...).Text(record.SourceIP); got != realIP {
			t.Errorf("%s: %q", in, got)
		}
		if got := parse(t, Options{}, strings.Split(in, "\n")...).Text(record.SourceIP); got != "10.0.0.9" {
			t.Errorf("without trust, %s: %q", in, got)
		}
	}
}
