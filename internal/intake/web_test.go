package intake

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"tocsin/internal/record"
)

type shownCase struct {
	name string
	o    Options
	in   string
	want string
}

func checkShown(t *testing.T, cases []shownCase) {
	t.Helper()
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got := shown(parse(t, c.o, strings.Split(c.in, "\n")...))
			if want := strings.TrimSpace(c.want); got != want {
				t.Errorf("given %s\ngot\n%s\nwant\n%s", c.in, got, want)
			}
		})
	}
}

// Given a line of an access log, when it is read, then these are its fields.
func TestAccessLines(t *testing.T) {
	checkShown(t, []shownCase{
		{"common", Options{}, `172.17.0.1 - frank [10/Oct/2000:13:55:36 -0700] "GET /a.gif HTTP/1.0" 200 2326`, `
parsed combined 2000-10-10T20:55:36Z
from webserver//access
source.ip=172.17.0.1
user.name=frank
event.action=request
http.request.method=GET
http.version=1.0
http.response.status_code=200
http.response.body.bytes=2326
url.original=/a.gif
url.extension=gif`},
		{"combined, dashes are missing, empty is empty", Options{}, `172.17.0.1 - - [10/Oct/2000:13:55:36 +0000] "GET / HTTP/1.1" 304 - "" "-"`, `
parsed combined 2000-10-10T13:55:36Z
from webserver//access
source.ip=172.17.0.1
event.action=request
http.request.method=GET
http.version=1.1
http.response.status_code=304
http.request.referrer=
url.original=/`},
		{"virtual host before, request time behind", Options{}, `shop.example:443 2001:db8::1 - - [10/Oct/2000:13:55:36 +0000] "POST /wp-login.php?x=1 HTTP/2.0" 302 0 "https://shop.example/" "curl/8" 0.123`, `
parsed combined 2000-10-10T13:55:36Z
from webserver/apache/access
source.ip=2001:db8::1
destination.port=443
user.realm=admin
event.action=request
event.duration=0.123
http.request.method=POST
http.version=2.0
http.response.status_code=302
http.response.body.bytes=0
http.request.referrer=https://shop.example/
user_agent.original=curl/8
url.original=/wp-login.php?x=1
url.query=x=1
url.domain=shop.example
url.extension=php`},
		{"named times and forwarded for", Options{}, `10.0.0.9 - - [10/Oct/2000:13:55:36 +0000] "GET /x HTTP/1.1" 200 1 "-" "a \x22b\x22" "203.0.113.7, 10.0.0.1" rt=0.250 urt="0.100" us=200`, `
parsed combined 2000-10-10T13:55:36Z
from webserver//access
source.ip=10.0.0.9
network.forwarded_ip=203.0.113.7, 10.0.0.1
event.action=request
event.duration=0.250
http.request.method=GET
http.version=1.1
http.response.status_code=200
http.response.body.bytes=1
user_agent.original=a "b"
url.original=/x
upstream.status_code=200
upstream.duration=0.100`},
		{"malformed request", Options{}, `1.2.3.4 - - [29/Jul/2023:10:26:06 -0700] "\x16\x03\x01" 400 157 "-" "-"`, `
parsed combined 2023-07-29T17:26:06Z
from webserver//access
source.ip=1.2.3.4
event.action=request
http.response.status_code=400
http.response.body.bytes=157`},
		{"container's name and a quote that nobody escaped", Options{}, `web_1  | 1.2.3.4 - - [29/Jul/2023:10:26:06 +0000] "GET /a"b HTTP/1.1" 404 9 "-" "x`, `
parsed combined 2023-07-29T10:26:06Z
from webserver//access
source.ip=1.2.3.4
event.action=request
http.request.method=GET
http.version=1.1
http.response.status_code=404
http.response.body.bytes=9
user_agent.original=x
url.original=/a"b`},
		{"nginx JSON with usual names", Options{}, `{"time_iso8601":"2026-11-09T00:00:01+01:00","remote_addr":"203.0.113.7","remote_user":"-","request":"GET /a?b=c HTTP/1.1","status":"200","body_bytes_sent":"512","request_time":"0.010","upstream_response_time":"0.004, 0.005","http_user_agent":"x","host":"shop.example:8080","ssl":"TLSv1.3"}`, `
parsed nginx-json 2026-11-08T23:00:01Z
from webserver//access
source.ip=203.0.113.7
event.action=request
event.duration=0.010
http.request.method=GET
http.version=1.1
http.response.status_code=200
http.response.body.bytes=512
user_agent.original=x
url.original=/a?b=c
url.query=b=c
url.domain=shop.example
upstream.duration=0.004, 0.005
ssl=TLSv1.3`},
		{"Caddy", Options{}, `{"level":"info","ts":1700000000.5,"logger":"http.log.access","msg":"handled request","request":{"remote_ip":"10.0.0.1","client_ip":"203.0.113.7","proto":"HTTP/2.0","method":"GET","host":"a.example","uri":"/p","headers":{"User-Agent":["curl/8"]}},"duration":0.002,"size":5,"status":200}`, `
parsed caddy 2023-11-14T22:13:20.5Z
from webserver/caddy/access
source.ip=203.0.113.7
event.action=request
event.duration=0.002
http.request.method=GET
http.version=2.0
http.response.status_code=200
http.response.body.bytes=5
user_agent.original=curl/8
url.original=/p
url.domain=a.example
level=info
logger=http.log.access
msg=handled request
peer.address=10.0.0.1`},
		{"nginx error", Options{}, `2022/04/05 04:45:57 [error] 8#8: *23638 directory index of "/static/" is forbidden, client: 34.77.162.21, server: , request: "GET /?a=%27 HTTP/1.1", host: "mail.example.com"`, `
parsed nginx-error 2022-04-05T04:45:57Z
from webserver/nginx/nginx
source.ip=34.77.162.21
process.pid=8
event.action=notice
http.request.method=GET
http.version=1.1
url.original=/?a=%27
url.query=a=%27
url.domain=mail.example.com
nginx.connection=23638
log.level=error`},
		{"nginx error goes on", Options{}, "2022/04/05 04:45:57 [error] 8#8: *1 FastCGI sent in stderr: \"PHP message: x\nStack trace:", `
continuation nginx-error 2022-04-05T04:45:57Z
from //`},
		{"nginx basic authentication", Options{}, `2022/04/05 04:45:57 [error] 8#8: *2 user "admin": password mismatch, client: 203.0.113.7, server: _, request: "GET /admin/ HTTP/1.1"`, `
parsed nginx-error 2022-04-05T04:45:57Z
from webserver,authentication/nginx/nginx
source.ip=203.0.113.7
user.name=admin
user.realm=admin
process.pid=8
event.action=login
event.outcome=failure
http.request.method=GET
http.version=1.1
url.original=/admin/
nginx.connection=2
log.level=error
nginx.server=_`},
		{"Apache error", Options{}, `[Fri Oct 08 17:08:41.203277 2021] [auth_basic:error] [pid 7005:tid 1406] [client [2001:db8::7]:14532] AH01617: user bob: authentication failure for "/": Password Mismatch`, `
parsed apache-error 2021-10-08T17:08:41.203277Z
from webserver,authentication/apache/apache
source.ip=2001:db8::7
source.port=14532
user.name=bob
user.realm=admin
process.pid=7005
event.action=login
event.outcome=failure
event.reason="/": Password Mismatch
event.code=AH01617
log.level=error
apache.module=auth_basic
process.thread.id=1406`},
		{"Apache 2.2 error", Options{}, `[Fri Oct 08 17:08:41 2021] [error] [client 1.2.3.4] File does not exist: /x`, `
parsed apache-error 2021-10-08T17:08:41Z
from webserver/apache/apache
source.ip=1.2.3.4
event.action=notice
file.path=/x
file.name=x
log.level=error`},
	})
}

// Given a URL, when it is set, then the decoded ones follow and nothing breaks on bad escapes.
func TestURL(t *testing.T) {
	for _, c := range []struct{ url, path, query, once, twice, ext string }{
		{"/a/b.PHP?x=1", "/a/b.PHP", "x=1", "/a/b.PHP?x=1", "/a/b.PHP?x=1", "php"},
		{"/a+b?c+d=%2B", "/a+b", "c+d=%2B", "/a+b?c d=+", "/a+b?c d= ", ""},
		{"/%2e%2e%2fetc", "/%2e%2e%2fetc", "", "/../etc", "/../etc", ""},
		{"/%252e%252e%252f", "/%252e%252e%252f", "", "/%2e%2e%2f", "/../", ""},
		{"/%", "/%", "", "/%", "/%", ""},
		{"/%4?%zz=%", "/%4", "%zz=%", "/%4?%zz=%", "/%4?%zz=%", ""},
		{"/x%u0027y", "/x%u0027y", "", "/x'y", "/x'y", ""},
		{"/%c0%ae%c0%ae/", "/%c0%ae%c0%ae/", "", "/\xc0\xae\xc0\xae/", "/\xc0\xae\xc0\xae/", ""},
		{"/sh%65ll.p%68p", "/sh%65ll.p%68p", "", "/shell.php", "/shell.php", "php"},
		{"/%3fa+b?c+d", "/%3fa+b", "c+d", "/?a+b?c d", "/?a+b?c d", ""},
		{"http://a.example:80/p.js?q", "/p.js", "q", "http://a.example:80/p.js?q", "http://a.example:80/p.js?q", "js"},
		{"/a.b/c.", "/a.b/c.", "", "/a.b/c.", "/a.b/c.", ""},
		{"*", "*", "", "*", "*", ""},
	} {
		r := &record.Record{}
		setURL(r, c.url)
		for f, want := range map[record.Field]string{record.URLOriginal: c.url, record.URLPath: c.path, record.URLQuery: c.query,
			record.URLDecoded: c.once, record.URLDecodedTwice: c.twice, record.URLExtension: c.ext} {
			if got := r.Text(f); got != want {
				t.Errorf("%q: %s is %q, want %q", c.url, f, got, want)
			}
		}
	}
	r := &record.Record{}
	setURL(r, "/a?")
	if v, ok := r.Get(record.URLQuery); !ok || v.Text != "" {
		t.Error("an empty query is a query")
	}
}

// Given a peer and its X-Forwarded-For, when the peer is trusted or not, then this is the client.
func TestClientBehindProxies(t *testing.T) {
	trusted := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}
	for _, c := range []struct{ peer, forwarded, want, network string }{
		{"203.0.113.7", "", "203.0.113.7", "203.0.113.0/24"},
		{"203.0.113.7", "198.51.100.1", "203.0.113.7", "203.0.113.0/24"},
		{"10.0.0.1", "198.51.100.1", "198.51.100.1", "198.51.100.0/24"},
		{"10.0.0.1", "6.6.6.6, 198.51.100.1", "198.51.100.1", "198.51.100.0/24"},
		{"10.0.0.1", "6.6.6.6, 198.51.100.1, 10.2.2.2", "198.51.100.1", "198.51.100.0/24"},
		{"10.0.0.1:443", "[2001:db8::5]:99", "2001:db8::5", "2001:db8::/64"},
		{"10.0.0.1", "nonsense", "10.0.0.1", "10.0.0.0/24"},
		{"10.0.0.1", "198.51.100.1, nonsense, 10.0.0.2", "10.0.0.2", "10.0.0.0/24"},
		{"10.0.0.1", "10.0.0.2", "10.0.0.2", "10.0.0.0/24"},
		{"10.0.0.1", "-", "10.0.0.1", "10.0.0.0/24"},
		{"10.0.0.1", ",,,,", "10.0.0.1", "10.0.0.0/24"},
		{"::ffff:10.0.0.1", "::ffff:198.51.100.1", "198.51.100.1", "198.51.100.0/24"},
		{"fe80::1%eth0", "", "fe80::1", "fe80::/64"},
		{"[2001:DB8:0::1]", "", "2001:db8::1", "2001:db8::/64"},
		{"host.example", "198.51.100.1", "", ""},
		{"1.2.3.4.5", "", "", ""},
		{"010.1.1.1", "", "", ""},
	} {
		p := parser(t, Options{Trusted: trusted})
		r := &record.Record{}
		p.client(r, c.peer, c.forwarded)
		if got := r.Text(record.SourceIP); got != c.want {
			t.Errorf("%s with %q: %q, want %q", c.peer, c.forwarded, got, c.want)
		}
		if got := r.Text(record.SourceNetwork); got != c.network {
			t.Errorf("%s with %q: network %q, want %q", c.peer, c.forwarded, got, c.network)
		}
		if c.forwarded != "" && c.forwarded != "-" && r.Text(record.ForwardedIP) != c.forwarded {
			t.Errorf("%s: the header %q is not kept", c.peer, c.forwarded)
		}
	}
}

// Given a combined line from a trusted proxy, when it has the header, then the client is the one behind.
func TestForwardedInLines(t *testing.T) {
	o := Options{Trusted: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}}
	for _, in := range []string{
		`10.0.0.9 - - [10/Oct/2000:13:55:36 +0000] "GET /x HTTP/1.1" 200 1 "-" "a" "6.6.6.6, 203.0.113.7"`,
		`{"ts":"2000-10-10T13:55:36Z","ip":"10.0.0.9","xff":"6.6.6.6, 203.0.113.7","m":"GET","uri":"/x","st":200}`,
		`{"ts":"2000-10-10T13:55:36Z","event":"login_failed","ip":"10.0.0.9","x-forwarded-for":"6.6.6.6, 203.0.113.7"}`,
	} {
		if got := parse(t, o, in).Text(record.SourceIP); got != "203.0.113.7" {
			t.Errorf("%s: %q", in, got)
		}
	}
}

// Given times in the ways that JSON logs write them, when they are read, then they are one.
func TestJSONTimes(t *testing.T) {
	want := time.Date(2026, 11, 9, 0, 0, 1, 0, time.UTC)
	for _, text := range []string{`"2026-11-09T00:00:01Z"`, `"2026-11-09T01:00:01+01:00"`, `"2026-11-09 00:00:01"`, `"2026-11-09T00:00:01,000Z"`,
		`"09/Nov/2026:00:00:01 +0000"`, `1794182401`, `1794182401000`, `1794182401000000`, `1794182401000000000`, `"1794182401"`, `1794182401.0`} {
		r := parse(t, Options{}, `{"time":`+text+`,"event":"x"}`)
		if !r.Time.Equal(want) || r.Class != record.Parsed {
			t.Errorf("%s: %s %s", text, r.Class, r.Time)
		}
	}
}
