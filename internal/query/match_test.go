package query_test

import (
	"strings"
	"testing"

	"tocsin/internal/query"
	"tocsin/internal/record"
)

// given are the records that the tables ask about, by a letter each.
func given() map[string]*record.Record {
	return map[string]*record.Record{
		"a": make1(`@raw=203.0.113.7 - anna [20/Nov/2026:10:00:00 +0100] "GET /wp-login.php?redirect=/a HTTP/1.1" 200 5120 "https://shop.example/" "Mozilla/5.0 (X11)"`,
			"@host=web1", "@file=/var/log/nginx/access.log", "@format=combined", "@product=nginx", "@category=webserver", "@time=2026-11-20T09:00:00Z",
			"source.ip=203.0.113.7", "source.network=203.0.113.0/24", "source.geo.country_iso_code=DE", "source.as.number=64500", "user.name=Anna", "http.request.method=GET",
			"http.response.status_code=200", "http.response.body.bytes=5120", "url.original=/wp-login.php?redirect=/a", "url.path=/wp-login.php", "url.query=redirect=/a",
			"http.request.referrer=https://shop.example/", "user_agent.original=Mozilla/5.0 (X11)", "event.duration=250000000"),
		"b": make1(`@raw=10.1.2.3 - - [20/Nov/2026:11:00:00 +0100] "POST /Checkout/Pay HTTP/1.1" 503 10240 "-" "sqlmap/1.7"`,
			"@host=web2", "@file=/var/log/nginx/access.log", "@format=combined", "@product=nginx", "@category=webserver", "@time=2026-11-20T10:00:00Z",
			"source.ip=10.1.2.3", "source.network=10.1.2.0/24", "http.request.method=POST", "http.response.status_code=503", "http.response.body.bytes=10240",
			"url.original=/Checkout/Pay", "url.path=/Checkout/Pay", "user_agent.original=sqlmap/1.7", "event.duration=2000000000", "session.id=s-42"),
		"c": make1("@raw=Nov 19 23:10:00 web1 sshd[99]: Failed password for invalid user root from 2001:db8::1 port 4711 ssh2",
			"@host=web1", "@file=/var/log/auth.log", "@format=syslog", "@product=linux", "@time=2026-11-19T22:10:00Z",
			"source.ip=2001:db8::1", "source.network=2001:db8::/64", "source.port=4711", "user.name=root", "user.realm=ssh", "host.name=web1", "process.name=sshd", "process.pid=99",
			"event.action=login", "event.outcome=failure", "event.reason=invalid user"),
		"d": make1(`@raw={"event":"refund","user":"bob","Total":99.5,"tags":"a*b","note":"","id":"0012","n":12,"ok":true}`,
			"@host=app1", "@file=/srv/shop/app.jsonl", "@format=app-json", "@product=shop", "@category=application", "@time=2026-11-18T12:00:00Z",
			"user.name=bob", "event.action=refund", "event.outcome=success", "payment.amount=99.5", "session.id=s-42", "'order.id=4711",
			"~Total=99.5", "'~tags=a*b", "~note=", "'~id=0012", "~n=12", "~ok=true", "~my field=x y", "~role=admin", "~role=editor", `'~path\own=C:\temp`),
		"e": make1("@raw=ÄRGER über Größe | (pipe) \"quoted\" and or not 50% /x/", "@time=2026-11-20T14:20:00Z", "message=ÄRGER über Größe"),
		"f": make1("@raw="),
	}
}

// Each line is a query, and which of the given records it finds.
const meanings = `
| everything
                                   | abcdef
*                                  | abcdef
raw=*                              | abcdef
not *                              |
| words of the line
failed                             | c
FAILED                             | c
"failed password"                  | c
"password failed"                  |
failed password                    | c
password failed                    | c
failed and root                    | c
failed or refund                   | cd
failed || refund                   | cd
failed && root                     | c
FAILED AND NOT anna                | c
not failed                         | abdef
-failed                            | abdef
-failed -refund                    | abef
-(failed or refund)                | abef
not not failed                     | c
not -failed                        | c
failed or refund anna              | c
(failed or refund) bob             | d
failed or (refund and bob)         | cd
not failed or anna                 | abdef
not (failed or anna)               | bdef
ärger                              | e
größe                              | e
GRÖSSE                             |
"größe | (pipe)"                   | e
"\"quoted\""                       | e
“quoted”                           | e
"and or not"                       | e
"and"                              | e
"or" "not"                         | e
50%                                | e
"/x/"                              | e
wp-*.php                           | a
wp*redirect                        | a
"wp-*.php"                         |
"a*b"                              | d
a\*b                               | d
*failed*                           | c
sshd*root                          | c
root*sshd                          |
203.0.113.7                        | a
2001:db8::1                        | c
http://none                        |
https://shop.example               | a
10.1.2.3                           | b
--                                 |
-                                  | ab
/var/log                           |
/wp-login.php?redirect=/a          | a
| regular expressions in the line
/failed password/                  |
/failed password/i                 | c
/Failed\s+password/                | c
/failed|refund/i                   | cd
/^Nov/                             | c
/"GET [^"]*\/a HTTP/               | a
/wp-login\.php\?redirect=\/a/      | a
not /./                            | f
/\x{c4}RGER/                       | e
/ärger/i                           | e
raw~/refund/                       | d
raw~refund                         | d
raw!~refund                        | abcef
raw=""                             | f
| equal
user=anna                          | a
user:anna                          | a
user==anna                         | a
user:=anna                         | a
user = anna                        | a
user : anna                        | a
USER=ANNA                          | a
User.Name=anna                     | a
username=anna                      | a
account=anna                       | a
user.name=anna                     | a
user_name=anna                     | a
src_ip=203.0.113.7                 | a
client_ip=203.0.113.7              | a
status_code=503                    | b
user_agent=sqlmap*                 | b
"user.name"=anna                   |
user=ann                           |
user="anna"                        | a
user=ann*                          | a
user=*nn*                          | a
user="ann*"                        |
user=*                             | acd
user:*                             | acd
user=**                            | acd
not user=*                         | bef
-user:*                            | bef
user!=anna                         | cd
user<>anna                         | cd
user!:anna                         | cd
not user=anna                      | bcdef
-user=anna                         | bcdef
user!=*                            | bef
user!=a*                           | cd
not user!=anna                     | abef
user=(anna or bob)                 | ad
user:(anna, bob)                   | ad
user in (anna, bob)                | ad
user in (anna bob)                 | !
user IN ("anna", b*)               | ad
user in (anna)                     | a
user in anna                       | a
user not in (anna, bob)            | c
user!=(anna or bob)                | c
not user in (anna, bob)            | bcef
user=anna or user=bob              | ad
user=anna user=bob                 |
outcome=failure                    | c
action=login outcome=failure       | c
realm=ssh                          | c
reason="invalid user"              | c
reason=invalid*                    | c
method=post                        | b
path=/wp-login.php                 | a
path=/WP-LOGIN.PHP                 | a
path=/wp-*                         | a
path=*.php                         | a
path=/checkout/*                   | b
path="/checkout/pay"               | b
url=/wp-login.php?redirect=/a      | a
url=*redirect*                     | a
query=redirect=/a                  | a
uri=/checkout/pay                  | b
agent=sqlmap*                      | b
ua=sqlmap*                         | b
useragent:sqlmap/1.7               | b
agent="Mozilla/5.0 (X11)"          | a
agent=Mozilla/5.0\ \(X11\)         | a
agent=Mozilla*\(X11\)              | a
referrer=https://shop.example/     | a
referer=https*                     | a
country=de                         | a
as=64500                           | a
asn=64500                          | a
session=s-42                       | bd
host=web1                          | ac
host=WEB*                          | abc
host=*                             | abcd
host!=web1                         | bd
host.name=web1                     | c
file=/var/log/auth.log             | c
file=*.jsonl                       | d
file~nginx                         | ab
log.file.path=*auth*               | c
log=combined                       | ab
log=nginx                          | ab
log=webserver                      | ab
log=linux                          | c
log=application                    | d
log!=nginx                         | cd
process=sshd                       | c
message=*größe                     | e
order.id=4711                      | d
event.original=*refund*            | d
| contains
path~login                         | a
path~LOGIN                         | a
path~/wp                           | a
path!~login                        | b
path~"/wp"                         | a
path~wp*php                        | a
path~/^\/wp/                       | a
path=~/^\/wp/                      | a
path~/^\/WP/                       |
path~/^\/WP/i                      | a
path!~/^\/wp/                      | b
path~/pay$/i                       | b
agent~map                          | b
agent~"1.7"                        | b
agent~(x)                          | !
user~n                             | a
user~o                             | cd
status~0                           | ab
| numbers
status=200                         | a
status=200.0                       | a
status="200"                       | a
status="200.0"                     |
status!=200                        | b
not status=200                     | bcdef
status=5*                          | b
status=5xx                         | b
status=2XX                         | a
status!=5xx                        | a
status="5xx"                       |
status>=500                        | b
status>503                         |
status>=503                        | b
status<503                         | a
status<=503                        | ab
status:>=500                       | b
status >= 500                      | b
status>200 status<600              | b
status in (200, 5xx)               | ab
status in (200 or 503)             | ab
status not in (200)                | b
not status<500                     | bcdef
bytes=5120                         | a
bytes=5120b                        | a
bytes=5.12kB                       | a
bytes=5KiB                         | a
bytes>5kib                         | b
bytes>=5kib                        | ab
bytes>10k                          | b
bytes<1MB                          | ab
bytes>10kib                        |
bytes>=10kib                       | b
bytes>=0.01MB                      | b
duration=250ms                     | a
duration=0.25s                     | a
duration<1s                        | a
duration>=2s                       | b
duration>2s                        |
duration>1999ms                    | b
duration>0                         | ab
event.duration<1min                | ab
payment.amount>=99.5               | d
payment.amount=99.50               | d
payment.amount>1e2                 |
source.port=4711                   | c
process.pid<100                    | c
amount=99.5                        | d
total=99.5                         | d
TOTAL>99                           | d
n=12                               | d
n=12.0                             | d
id=0012                            | d
id=12                              |
id>11                              | d
ok=true                            | d
ok>0                               |
user>5                             |
| an application's own
tags=a*b                           | d
tags="a*b"                         | d
tags=a\*b                          | d
tags="a*"                          |
note=""                            | d
note=*                             | d
note!=x                            | d
nothing=*                          |
nothing!=x                         |
not nothing=x                      | abcdef
"my field"=x*                      | d
"my field"="x y"                   | d
"my field"~y                       | d
"MY FIELD"=*                       | d
"my field" in ("x y", z)           | d
"path\\own"=C:\temp                | d
"path\\own"="C:\\temp"             | d
"path\\own"~C:\t                   | d
role=admin                         | d
role=editor                        | d
role!=editor                       |
role!=owner                        | d
role=(owner or editor)             | d
"role"=admin                       | d
"ip"=203.0.113.7                   |
| addresses
ip=203.0.113.7                     | a
ip=203.0.113.*                     | a
ip=203.0.113.0/24                  | a
ip in 203.0.113.0/24               | a
ip in 203.0.113.9/24               | a
ip:10.0.0.0/8                      | b
ip=10.1.2.3/32                     | b
ip in (10.0.0.0/8, 2001:db8::/32)  | bc
ip not in (10.0.0.0/8, 2001:db8::/32) | a
ip!=10.0.0.0/8                     | ac
ip=2001:db8::1                     | c
ip=2001:DB8:0::1                   | c
ip=2001:db8::/32                   | c
ip=::ffff:10.1.2.3                 | b
ip=::ffff:10.0.0.0/104             | b
ip="10.0.0.0/8"                    |
ip=0.0.0.0/0                       | ab
ip=::/0                            | c
ip=*                               | abc
source.ip=10.*                     | b
ip~10.1                            | b
net=203.0.113.0/24                 | a
net=203.0.113.99                   | a
net=203.0.0.0/16                   | a
net in 10.0.0.0/8                  | b
net=203.0.113.128/25               |
net=2001:db8::99                   | c
net=2001:db8::/32                  | c
| times
since 2h                           | e
since 1m                           |
since "30m"                        | !
last 2h                            | e
last 6h                            | abe
last 6 hours                       | abe
last day                           | abce
last week                          | abcde
since 6h ago                       | abe
since 6 hours ago                  | abe
since 1h30m                        | e
since today                        | abe
since yesterday                    | abce
since 10:00                        | abe
since 10:00:01                     | be
since 09:00Z                       | abe
since 09:00 UTC                    | abe
since 23:00                        | abce
since 2026-11-20                   | abe
since 2026-11-20 10:00             | abe
since 2026-11-20 10:30             | be
since 2026-11-20T10:00             | abe
since 2026-11-20T10:00:00.001      | be
since 2026-11-20T09:00:00Z         | abe
since 2026-11-20t09:00:00z         | abe
since 2026-11-20T10:00+01:00       | abe
since 2026-11-20T10:00:00+0100     | abe
since 2026-11-20 10:00 CET         | abe
since 2026-11-20 10:00 +02:00      | abe
since 2026-11-20 12:00 +0200       | be
since 2026-11-20 10:00 UTC         | be
since 20/Nov/2026:10:00:00 +0100   | abe
since 20/nov/2026                  | abe
since 20.11.2026                   | abe
since 2026/11/20                   | abe
since 1795082400                   | abce
since 1795165200                   | abe
since 1795165200000                | abe
since friday                       | abe
since thu                          | abce
since Wednesday                    | abcde
until 2026-11-19                   | cd
until 2026-11-18                   | d
until 2026-11-18 13:00             |
until 2026-11-18 13:01             | d
until yesterday                    | cd
until 10:00                        | cd
until now                          | abcde
on 2026-11-19                      | c
on yesterday                       | c
on today                           | abe
on wednesday                       | d
between 2026-11-18 and 2026-11-19  | cd
between wednesday and thursday     | cd
between 2026-11-20 10:00 and 2026-11-20 11:00 | a
between yesterday and 10:30        | ac
since 2026-11-19 until 2026-11-19  | c
failed since 2026-11-01            | c
since 2026-11-01 failed            | c
since 2026-11-01 failed until 10:00 or refund | cd
since 2026-11-01 and failed        | c
failed and since 2026-11-01        | c
time=*                             | abcde
time!=*                            | f
not time=*                         | f
time=2026-11-20                    | abe
time!=2026-11-20                   | cdf
time>2026-11-19                    | abe
time>=2026-11-19                   | abce
time<2026-11-19                    | d
time<=2026-11-19                   | cd
time>10:00                         | be
time>=10:00                        | abe
time=10:00                         | a
time=2026-11-20T10:00              | a
time<2h                            | abcd
time<2026-11-19 or time>=2026-11-20 11:30 | de
(time<2026-11-19 or failed) host=* | cd
@timestamp>=2026-11-20             | abe
| sessions
\| session s-42                    | bd
\| session "s-42"                  | bd
\| session 203.0.113.7             | a
\| session 2001:db8:0::1           | c
refund \| session s-42             | d
| precedence
user=anna or user=bob outcome=success | ad
user=anna outcome=success or user=bob | d
not user=anna or user=anna         | abcdef
not (user=anna or user=bob) user=* | c
user=* -user=anna -user=bob        | c
user=* and not (user=anna or user=root) | d
((((user=anna))))                  | a
not (not (user=anna))              | a
-(-(-user=anna))                   | bcdef
`

// Given these records, when a query is asked, then it finds these. And what it is printed as finds the same, the leaves' needs are there, and
// copies of records without memory of the line are found the same way.
func TestMeaning(t *testing.T) {
	records := given()
	n := 0
	for line := range strings.Lines(meanings) {
		text, want, ok := cutLast(strings.TrimRight(line, "\n"))
		if !ok {
			continue
		}
		n++
		q, err := query.Parse(text, now, berlin)
		if want == "!" {
			if err == nil {
				t.Errorf("%s\nis read as %s, but it is to be refused", text, q)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s", err.(*query.Error).Show(text))
			continue
		}
		again := parse(t, q.String())
		if !again.Same(q) {
			t.Errorf("%s\nis printed %s\nwhich is %s", text, q, again)
		}
		got := ""
		for _, name := range []string{"a", "b", "c", "d", "e", "f"} {
			if q.Match(records[name]) {
				got += name
			}
			checkNeeds(t, q.Where, records[name])
		}
		if got != want {
			t.Errorf("%s\nfinds %q, want %q\nit is read as %s", text, got, want, q)
		}
	}
	if n < 250 {
		t.Errorf("only %d cases", n)
	}
}

// cutLast cuts a line of the table at its last "|"; a "\|" before it is one of the query's own. Lines that begin with "| " and a word are headings.
func cutLast(line string) (text, want string, ok bool) {
	i := strings.LastIndex(line, "|")
	if i <= 0 {
		return "", "", false
	}
	return strings.ReplaceAll(strings.TrimSpace(line[:i]), `\|`, "|"), strings.TrimSpace(line[i+1:]), true
}

// checkNeeds holds what a leaf says that it needs against what it matches.
func checkNeeds(t *testing.T, e *query.Expr, r *record.Record) {
	t.Helper()
	e.Walk(func(e *query.Expr) bool {
		if e.Op <= query.Not || e.Field == query.Time {
			return true
		}
		e.Field.Each(r, func(v record.Value) bool {
			if need := e.Needs(); need != nil && e.MatchValue(v) {
				found := false
				for _, s := range need {
					found = found || strings.Contains(query.Folded(v.Text), s)
				}
				if !found {
					t.Errorf("%s holds for %q, but says that it needs one of %q", e, v.Text, need)
				}
			}
			return true
		})
		return true
	})
}
