package intake

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"testing"

	"tocsin/internal/record"
)

const realIP = "203.0.113.7"

// seeds are one line or more of every format.
var seeds = []string{
	`203.0.113.7 - bob [10/Oct/2000:13:55:36 -0700] "GET /a?b=%27+c HTTP/1.1" 200 1 "-" "x\x22" "6.6.6.6, 10.0.0.1" rt=0.2 0.1`,
	`shop.example:443 203.0.113.7 - - [10/Oct/2000:13:55:36 +0000] "\x16\x03" 400 - "-" "-"`,
	`{"ts":"2026-11-09T00:00:01Z","msec":1794182401.155,"ip":"203.0.113.7","xff":"6.6.6.6","m":"GET","uri":"/a?b","st":200,"us":"200, 404","ut":"0.1, 0.2"}`,
	`{"time":1794182401,"event":"payment_declined","user":{"email":"a@b"},"amount":1.5,"bin":"411111111","tags":["a",{"b":null}],"valid":false}`,
	"261109 15:40:00\t  2499 Connect\tshop@203.0.113.7 on shop using TCP/IP\n\t\t 2499 Query\tSELECT 1\nFROM a",
	"2021-11-09  5:13:11 8 [Warning] Access denied for user 'a'@'203.0.113.7' (using password: YES)",
	`203.0.113.7 2023-03-12 11:17:28.425 UTC [53962] zysk@postgres FATAL:  password authentication failed for user "zysk"`,
	`2022/04/05 04:45:57 [error] 8#8: *2 user "x": password mismatch, client: 203.0.113.7, server: _, request: "GET /x HTTP/1.1", host: "a"` + "\nStack trace:",
	`[Fri Oct 08 17:08:41.203277 2021] [core:error] [pid 7005:tid 1] [client [2001:db8::1]:14532] AH00126: Invalid URI in request GET /%2e HTTP/1.1`,
	`[2022-02-11 14:44:34] main.ERROR: PAYMENT_FAILED {"ip":"203.0.113.7"} []`,
	`Mon Nov  9 01:38:58 2026 [pid 7] [x] OK UPLOAD: Client "203.0.113.7", "/a", 5 bytes, 1.00Kbyte/sec`,
	`Mon Nov  9 01:38:58 2026 1 203.0.113.7 42 /a b b _ i r feeds ftp 0 * c`,
	`c | 2023-04-06T09:13:34,820Z [http] WARN  o.a.AuthenticationService - Authentication attempt from [6.6.6.6, 203.0.113.7] for user "test" failed.`,
	"Nov  9 01:00:00 h sshd[1]: message repeated 2 times: [ Failed password for invalid user x from 203.0.113.7 port 5 ssh2]",
	`<86>1 2026-11-09T06:51:41.003Z h sshd 77 - [a x="]"] Disconnecting invalid user x 203.0.113.7 port 5: Too many [preauth]`,
	"Nov  9 01:00:00 h sudo: bob : 3 incorrect password attempts ; TTY=a ; USER=root ; COMMAND=/bin/ls\nNov  9 01:00:00 h su: (to root) bob on x\nNov  9 01:00:00 h CRON[1]: (root) CMD (x)",
	"Nov  9 01:00:00 h wordpress(a)[1]: Authentication failure for x from 203.0.113.7\nNov  9 01:00:00 h kernel: IN=a SRC=203.0.113.7 DST=10.0.0.1",
	"Jan  7 18:26:02 h proftpd[8]: a (b[203.0.113.7]) - USER x (Login failed): y\nJan  7 18:26:02 h pure-ftpd: (?@203.0.113.7) [WARNING] Authentication failed for user [x]",
	"Nov  9 01:00:00 h x: pam_unix(vsftpd:auth): authentication failure; logname= uid=0 ruser=a rhost=203.0.113.7  user=b",
	`type=USER_LOGIN msg=audit(1492896301.818:19955): pid=1 uid=0 msg='op=login to acct=28696E29 exe="/usr/sbin/sshd" hostname=? addr=203.0.113.7 res=failed'` + "\x1dUID=\"root\"",
	`node=h type=EXECVE msg=audit(1669615313.901:5538): argc=3 a0="sh" a1[0]=6563 a1[1]=6869 a2_len=5`,
	`{"__REALTIME_TIMESTAMP":"1772212581114753","SYSLOG_IDENTIFIER":"sshd","_HOSTNAME":"h","PRIORITY":"6","MESSAGE":[73,110],"X":["a",null]}`,
	`2021-01-04 00:05:58.232 UTC,"a","b",36,"203.0.113.7:42326",5ff.24,2,"x",2021-01-04 00:05:58 UTC,3/9,0,FATAL,28P01,"password authentication failed for user ""a""","x` + "\ny\",,,,,",
	`{"timestamp":"2025-12-12 15:29:42.201 GMT","user":"a","remote_host":"::1","remote_port":5,"error_severity":"LOG","message":"duration: 1.5 ms  execute x: SELECT 1"}`,
	`2019-05-21 08:51:09 GMT:203.0.113.7(52834):a@b:[5]:FATAL:  no pg_hba.conf entry for host "203.0.113.7", user "a", database "b", SSL off`,
	`< 2019-05-21 08:51:09 GMT >LOG:  disconnection: session time: 0:01:04.968 user=a database=b host=203.0.113.7 port=45126`,
	`161209 14:18:50  InnoDB: x` + "\n" + `2019-03-24T13:44:31Z 0 [Note] [MY-1] [Server] Aborted connection 8 to db: 'a' user: 'b' host: '203.0.113.7' (x)`,
	`203.0.113.7 - anna [10/Oct/2000:13:55:36 -0700] "PUT /a%20b" 200 42` + "\n" + `203.0.113.7 UNKNOWN anna [10/Oct/2000:13:55:36 -0700] "STOR a b" 226 42`,
	"#Software: Pure-FTPd\n1151826125 44a78f8a.6aa1 anna 203.0.113.7 U 42 1 /a b\n2023-10-03 12:00:03 203.0.113.7 []sent /a 226 anna 42",
	`<165>1 2003-10-11T22:14:15.003Z h e - ID47 [a@1 b="c\]" d="e"][f g="h"]`,
	`[Fri Sep 09 10:42:29 2011] [core:error] [pid 3:tid 1] (13)x: [client 203.0.113.7:5] AH00035: y, referer: z`,
	`203.0.113.7 - - [02/Oct/2017:20:22:07 +0000] "GET /a HTTP/1.1" - - "-" "x" 262 "r" "http://172.19.0.3:5601" 2ms`,
	`{"ClientAddr":"203.0.113.7:1","ClientHost":"6.6.6.6","RequestMethod":"GET","RequestPath":"/a","StartUTC":"2021-12-08T14:02:43Z","DownstreamStatus":200,"Duration":1,"OriginStatus":0}`,
	`{"otlp":1,"time":"2026-11-28T08:00:00Z","body":"a","attributes":{"http.method":"GET","http.target":"/x","http.status_code":200,"net.peer.ip":"203.0.113.7"},"scope":{"name":"h"}}`,
	`{"ClientIP":"203.0.113.7","ClientRequestMethod":"GET","ClientRequestURI":"/a?b","EdgeStartTimestamp":1545067628044000000,"EdgeEndTimestamp":"2023-03-03T05:30:05Z","EdgeResponseStatus":200,"RayID":"1"}`,
	`{"level":"info","ts":1693840791.7,"logger":"http.log.access","request":{"remote_ip":"203.0.113.7","method":"GET","uri":"/","headers":{"User-Agent":["x"]}},"status":0}` + "\n2020/05/26 20:44:49.126\tINFO\thttp.log.access\thandled request\t{\"request\": {\"method\": \"GET\", \"uri\": \"/\", \"remote_addr\": \"[::1]:5\"}, \"status\": 200}",
	`https 2023-04-26T12:22:55.463821Z app/a/b 203.0.113.7:44740 10.0.0.1:80 0.000 0.001 0.000 200 200 34 366 "GET https://a:443/x HTTP/1.1" "c" - - arn "Root=1" "a" "-" 0 2018-07-02T22:22:48Z "waf" "-" "-"`,
	`203.0.113.7:14853 [14/Jan/2015:12:48:57.127] f~ b/s 170/0/0/3/173 200 739 - - --NN 0/0/0/0/0 0/0 {a|#22} "GET /x HTTP/2.0"` + "\n203.0.113.7:1 [14/Jan/2015:12:48:57.127] f b/s 0/0/1 212 SC 1/1/0/0/0 0/0\nConnect from ::1:5 to 10.0.0.1:80 (a/HTTP)\n203.0.113.7:1 [28/Feb/2025:02:43:10.123] a/b: SSL handshake failure",
	"#Version: 1.0\n#Fields: date time x-edge-location c-ip cs-method cs-uri-stem sc-status cs-uri-query\n2024-03-12\t15:22:28\tC\t203.0.113.7\tGET\t/a%2527\t200\tq",
	`{"date":"2024-11-14","time":"22:34:06","c-ip":"203.0.113.7","cs-method":"GET","cs-uri-stem":"/a","sc-status":"304","x-edge-location":"x"}`,
	"#Software: Microsoft IIS\n#Fields: date time c-ip cs-method cs-uri-stem cs-uri-query sc-status time-taken\n2018-01-01 08:09:10 203.0.113.7 GET / - 200 5",
	`{"eventVersion":"1","eventTime":"2023-04-11T15:24:00Z","eventSource":"a","eventName":"ConsoleLogin","sourceIPAddress":"203.0.113.7","userIdentity":{"arn":"a:b/c"},"requestParameters":{"a":[{"b":1}]},"responseElements":{"ConsoleLogin":"Failure"}}`,
	"# Time: 161209 14:37:59\n# User@Host: a[a] @  [203.0.113.7]  Id: 7\n# Query_time: 1.5  Lock_time: 0 Rows_sent: 1\nuse x;\nSET timestamp=1481294279;\nSELECT 1\n# User@Host: b[b] @  [9.9.9.9];\n# User@Host: c[c] @ h []",
	"id_log\tmessage\tdate_add\tid_employee\n1\tBack office connection from 203.0.113.7\t2025-10-09 13:38:21\t1\n*ERROR* \tv1.7\t2022/05/12 - 11:02:33: x",
	`"Time","Action Group","Action","IP Address","Username","Result","Full Action Name"` + "\n" + `"Jul 12, 2021, 10:20:31 AM","a","Login","203.0.113.7","b ""c""","Failure","adminhtml_user_save"`,
	`2024-02-02T03:58:51+00:00 ERROR Your card was declined in /a/wp-content/x.php on line 5 CONTEXT: {"source":"x","order_id":5}` + "\n03-06-2018 @ 21:56:54 - ====Start Log====\nmore",
	`2019-08-15 8:12:58 - PHP Notice:  x in /a/b.php on line 5`,
	`[2022-02-11T14:44:34.5+01:00] a.b.ERROR: Uncaught PHP Exception A\B: "x {"y":1}" at /a.php line 5 {"exception":"[object] (A\\B(code: 0): x at /a.php:5)"} {"ip":"203.0.113.7"}`,
	"\ufeff\r\n \n\x00\xff\u202e",
}

// The law, for every format: reading never panics; it is the same each time and over a restart between any two lines;
// the line is kept as it came; no field is longer than the line; source.ip is an address in its usual spelling.
func FuzzParse(f *testing.F) {
	names := append([]string{""}, Formats()...)
	for i, s := range seeds {
		f.Add(s, byte(0))
		f.Add(s, byte(i))
	}
	o := Options{Trusted: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}}
	f.Fuzz(func(t *testing.T, text string, as byte) {
		o.As = names[int(as)%len(names)]
		one, two := parser(t, o), parser(t, o)
		for i, l := range strings.Split(text, "\n") {
			line := record.Line{File: "f", Raw: l, Seq: int64(i)}
			r := one.Parse(line, hint)
			if r.Line != line || r.Class > record.Empty {
				t.Fatalf("the line became %+v", r.Line)
			}
			bounded(t, r)
			if r.Class == record.Parsed && !listed(r.Source) {
				t.Fatalf("Sources does not list %+v", r.Source)
			}
			if ip, ok := r.Get(record.SourceIP); ok {
				if a, err := netip.ParseAddr(ip.Text); err != nil || a.String() != ip.Text || a.Is4In6() {
					t.Fatalf("source.ip is %q", ip.Text)
				}
			}
			if again := two.Parse(line, hint); !reflect.DeepEqual(r.Clone(), again.Clone()) {
				t.Fatalf("%q is read in two ways:\n%s\n\n%s", l, shown(r), shown(again))
			}
			snap, err := two.Snapshot()
			if err != nil {
				t.Fatal(err)
			}
			two = parser(t, o)
			if err := two.Restore(snap); err != nil {
				t.Fatal(err)
			}
		}
		for _, c := range one.Counts() {
			if c.Panics > 0 {
				t.Fatal(c.PanicText)
			}
		}
	})
}

// nginxEscape is what nginx does to a variable in a log (escape=default).
func nginxEscape(s string) string {
	var b strings.Builder
	for i := range len(s) {
		if c := s[i]; c < 0x20 || c > 0x7e || c == '"' || c == '\\' {
			fmt.Fprintf(&b, `\x%02X`, c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}

// The law: what nginx prints is read back as it was, and names the client.
func FuzzCombined(f *testing.F) {
	f.Add("bob", "/a?b=c d", "http://x/", "agent \"x\"\n", "6.6.6.6, 7.7.7.7", uint16(200), int64(42))
	f.Add("9.9.9.9 - - [10/Oct/2000:13:55:36 +0000] \"", "/ HTTP/1.1\" 200 1", `\x22`, `\\"`, "", uint16(404), int64(0))
	f.Fuzz(func(t *testing.T, user, url, ref, agent, forwarded string, status uint16, size int64) {
		status = 100 + status%900
		if size < 0 || url == "" || user == "" {
			t.Skip()
		}
		line := fmt.Sprintf(`%s - %s [10/Oct/2000:13:55:36 -0700] "GET %s HTTP/1.1" %d %d "%s" "%s" "%s"`,
			realIP, nginxEscape(user), nginxEscape(url), status, size, nginxEscape(ref), nginxEscape(agent), nginxEscape(forwarded))
		r := parse(t, Options{}, line)
		want := map[record.Field]string{
			record.SourceIP: realIP, record.UserName: user, record.URLOriginal: url, record.HTTPReferrer: ref, record.UserAgent: agent,
			record.HTTPStatus: fmt.Sprint(status), record.HTTPBodyBytes: fmt.Sprint(size), record.HTTPMethod: "GET", record.HTTPVersion: "1.1",
		}
		if r.Class != record.Parsed || r.Format != "combined" {
			t.Fatalf("%s is %s as %s", line, r.Class, r.Format)
		}
		for field, w := range want {
			if w == "-" && field != record.URLOriginal {
				w = "" // a whole field that is a dash is missing
			}
			if got := r.Text(field); got != w {
				t.Fatalf("%s\n%s is %q, want %q", line, field, got, w)
			}
		}
		if fw := r.Text(record.ForwardedIP); fw != "" && fw != forwarded {
			t.Fatalf("%s\nforwarded is %q", line, fw)
		}
	})
}

// The law: whatever a client calls itself, the address is the real one or none, and where it is there so is the name.
func FuzzNames(f *testing.F) {
	templates := []struct {
		line  string
		exact bool // the address is always found
	}{
		{"Nov  9 01:00:00 h sshd[1]: Failed password for invalid user %s from 203.0.113.7 port 5 ssh2", true},
		{"Nov  9 01:00:00 h sshd[1]: Invalid user %s from 203.0.113.7 port 5", true},
		{"Nov  9 01:00:00 h sshd[1]: Connection closed by invalid user %s 203.0.113.7 port 5 [preauth]", true},
		{"Nov  9 01:00:00 h sshd[1]: Disconnecting invalid user %s 203.0.113.7 port 5: Too many authentication failures [preauth]", false},
		{"Nov  9 01:00:00 h sshd[1]: error: maximum authentication attempts exceeded for invalid user %s from 203.0.113.7 port 5 ssh2 [preauth]", true},
		{"Nov  9 01:00:00 h wordpress(a)[1]: Authentication attempt for unknown user %s from 203.0.113.7", true},
		{`Mon Nov  9 01:38:58 2026 [pid 7] [%s] FAIL LOGIN: Client "203.0.113.7"`, false},
		{"2021-11-09  5:13:11 8 [Warning] Access denied for user '%s'@'203.0.113.7' (using password: YES)", true},
		{"\t\t    8 Connect\tAccess denied for user '%s'@'203.0.113.7' (using password: YES)", true},
		{"Jan  7 18:26:02 h proftpd[8]: a (b[203.0.113.7]) - USER %s (Login failed): Incorrect password", false},
		{`2023-03-12 11:17:28.425 UTC [5] %s@db FATAL:  password authentication failed for user "%s"`, false},
		{`2023-03-12 11:17:28.425 UTC [5]: [1-1] user=%s,db=db,app=[unknown],client=203.0.113.7 FATAL:  password authentication failed for user "%s"`, false},
		{`2023-03-12 11:17:28.425 UTC [5] FATAL:  no pg_hba.conf entry for host "203.0.113.7", user "%s", database "x", no encryption`, false},
		{"161209 14:18:53 [Warning] Access denied for user '%s'@'203.0.113.7' (using password: NO)", true},
		{`2023-04-06T09:13:34,820Z [http] WARN  o.a.g.r.auth.AuthenticationService - Authentication attempt from [203.0.113.7, 10.0.0.1] for user "%s" failed.`, false},
		{`[2022-02-11 14:44:34] main.ERROR: %s {"ip":"203.0.113.7"} []`, false},
		{`[2022-02-11 14:44:34] main.ERROR: %s {"a":"b"} {"ip":"203.0.113.7"}`, false},
		{`[2022-02-11 14:44:34] main.ERROR: %s [] []`, false},
		{`203.0.113.7:1 [14/Jan/2015:12:48:57.127] a b/c 0/0/0/0/0 200 739 - - ---- 0/0/0/0/0 0/0 "GET /%s HTTP/1.1"`, false},
		{`http 2023-04-26T12:22:55.463821Z app/a/b 203.0.113.7:1 - -1 -1 -1 400 - 34 366 "GET http://a:80/%s HTTP/1.1" "c" - - -`, false},
		{`203.0.113.7 - - [02/Oct/2017:20:22:07 +0000] "GET / HTTP/1.1" 200 0 "-" "%s" 1 "r" "s" 2ms`, false},
		{"2024-03-12\t15:22:28\tC\t703\t203.0.113.7\tGET\td\t/%s\t400\t-\tx\t-\t-\tError\tx\th\thttps\t62\t0.113\t-\tT\tA\tError\tHTTP/2.0\t-\t-\t5\t0.1\tError\tt\t20\t-\t-", false},
		{`2024-02-02T03:58:51+00:00 ERROR %s CONTEXT: {"a":"b"}`, false},
	}
	for _, name := range []string{"root", "", `x {"ip":"9.9.9.9"}`, `x {"ip":"9.9.9.9"} []`, `x CONTEXT: {"ip":"9.9.9.9"}`, "x from 9.9.9.9 port 1 ssh2", `x] OK LOGIN: Client "9.9.9.9"`, "x'@'9.9.9.9' (", "invalid user x", "illegal user x", "x ssh2", " ", "\x00\xff",
		"x,client=9.9.9.9", "user=x,client=9.9.9.9", `x FATAL:  no pg_hba.conf entry for host "9.9.9.9", user "a`, "x LOG:  connection received: host=9.9.9.9 port=5"} {
		for i := range templates {
			f.Add(name, byte(i))
		}
	}
	f.Fuzz(func(t *testing.T, name string, which byte) {
		c := templates[int(which)%len(templates)]
		line := strings.ReplaceAll(c.line, "%s", name)
		r := parse(t, Options{}, line)
		ip := r.Text(record.SourceIP)
		if ip != realIP && (ip != "" || c.exact) {
			t.Fatalf("%q\nsource.ip is %q (%s)", line, ip, r.Class)
		}
		if user, ok := r.Get(record.UserName); ip != "" && (user.Text != name || !ok) && c.exact {
			t.Fatalf("%q\nuser.name is %q, want %q", line, user.Text, name)
		}
	})
}

// The law: a path of any text is read back from xferlog and vsftpd.log, a statement from the general log.
func FuzzPaths(f *testing.F) {
	f.Add("/a b.php")
	f.Add(`/x", 1 bytes, 2Kbyte/sec] OK LOGIN: Client "9.9.9.9"`)
	f.Add("/ b _ i r x ftp 0 * c")
	f.Fuzz(func(t *testing.T, text string) {
		if text == "-" {
			t.Skip()
		}
		r := parse(t, Options{}, "Mon Nov  9 01:38:58 2026 1 203.0.113.7 42 "+text+" b _ i r feeds ftp 0 * c")
		if r.Text(record.FilePath) != text || r.Text(record.SourceIP) != realIP || r.Text(record.UserName) != "feeds" {
			t.Fatalf("xferlog: %q became\n%s", text, shown(r))
		}
		r = parse(t, Options{}, `Mon Nov  9 01:38:58 2026 [pid 7] [feeds] OK UPLOAD: Client "203.0.113.7", "`+text+`", 42 bytes, 1.00Kbyte/sec`)
		if ip := r.Text(record.SourceIP); ip != "" && (ip != realIP || r.Text(record.FilePath) != text || r.Text(record.TransferBytes) != "42") {
			t.Fatalf("vsftpd: %q became\n%s", text, shown(r))
		}
		if strings.HasSuffix(text, "\r") {
			t.Skip() // is a line end
		}
		r = parse(t, Options{}, "\t\t    8 Query\t"+text)
		if got := r.Text(record.Statement); got != text || r.Class != record.Parsed {
			t.Fatalf("general log: %q became %q", text, got)
		}
	})
}

// The law: what encoding/json writes is read as encoding/json reads it.
func FuzzJSON(f *testing.F) {
	f.Add("event", "a\"b\\c\n\u2028😀<", "k", 1.5, true)
	f.Fuzz(func(t *testing.T, k1, v1, k2 string, n float64, b bool) {
		in, err := json.Marshal(map[string]any{k1: v1, k2 + "2": map[string]any{"n": n, "b": []any{b, nil, "x"}}})
		if err != nil {
			t.Skip()
		}
		p := parser(t, Options{})
		if rest, ok := p.object(string(in)); !ok || rest != "" {
			t.Fatalf("%s is not read; rest %q", in, rest)
		}
		want := map[string]any{}
		if err := json.Unmarshal(in, &want); err != nil {
			t.Fatal(err)
		}
		got := map[string]pair{}
		for _, q := range p.pairs {
			if _, had := got[q.key]; !had {
				got[q.key] = q
			}
		}
		for k, v := range want {
			switch v := v.(type) {
			case string:
				if len(k) <= maxKey && got[k].text != v && !strings.Contains(k, ".") {
					t.Fatalf("%s: %q is %q, want %q", in, k, got[k].text, v)
				}
			case map[string]any:
				key := k + ".n"
				if x := got[key].typed(); len(key) <= maxKey && x.Float != v["n"] && len(x.Text) <= 32 && !strings.Contains(k, ".") {
					t.Fatalf("%s: %q is %v, want %v", in, key, x, v["n"])
				}
			}
		}
	})
}

// The law: escaping as nginx does is undone; decoding never grows a text, and a text without escapes stays.
func FuzzDecode(f *testing.F) {
	f.Add(`/a%27?b+c%2B`)
	f.Add(`\x41\\"%u0041%`)
	f.Fuzz(func(t *testing.T, s string) {
		if got := unescape(nginxEscape(s)); got != s {
			t.Fatalf("%q became %q", s, got)
		}
		if got := unescape(s); len(got) > len(s) {
			t.Fatalf("%q grew to %q", s, got)
		}
		query := len(s)
		if i := strings.IndexByte(s, '?'); i >= 0 {
			query = i + 1
		}
		once, start := percentDecode(s, query)
		if len(once) > len(s) || start > len(once) || !strings.ContainsAny(s, "%+") && once != s {
			t.Fatalf("%q became %q, query at %d", s, once, start)
		}
		var b strings.Builder
		for i := range len(s) {
			fmt.Fprintf(&b, "%%%02x", s[i])
		}
		if got, _ := percentDecode(b.String(), b.Len()); got != s {
			t.Fatalf("%q became %q", b.String(), got)
		}
	})
}

// listed reports whether Sources has a log source with all of its categories.
func listed(s record.LogSource) bool {
	return slices.ContainsFunc(Sources(), func(o record.LogSource) bool {
		return o.Product == s.Product && o.Service == s.Service &&
			!slices.ContainsFunc(s.Categories, func(c string) bool { return !slices.Contains(o.Categories, c) })
	})
}
