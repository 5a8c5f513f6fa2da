package intake

import (
	"strings"
	"testing"
	"time"

	"tocsin/internal/record"
)

// Given a text of the client's that forges another line, when the line is read, then 9.9.9.9 is never the source.
func TestForgedLinesNameNobody(t *testing.T) {
	const real = "203.0.113.7"
	for _, c := range []struct{ name, line, want string }{
		{"sshd, name like the rest of a line", `Nov  9 01:00:00 h sshd[1]: Failed password for invalid user x from 9.9.9.9 port 22 ssh2 from 203.0.113.7 port 5 ssh2`, real},
		{"sshd, invalid user", `Nov  9 01:00:00 h sshd[1]: Invalid user x from 9.9.9.9 port 22 from 203.0.113.7 port 5`, real},
		{"sshd, invalid user, no port", `Nov  9 01:00:00 h sshd[1]: Invalid user x from 9.9.9.9 from 203.0.113.7`, real},
		{"sshd, name with a key", `Nov  9 01:00:00 h sshd[1]: Failed password for invalid user x from 9.9.9.9 port 22 ssh2: RSA SHA256:a from 203.0.113.7 port 5 ssh2`, real},
		{"sshd, name with preauth", `Nov  9 01:00:00 h sshd[1]: Failed password for invalid user x from 9.9.9.9 port 22 ssh2 [preauth] from 203.0.113.7 port 5 ssh2 [preauth]`, real},
		{"sshd, certificate with a free id", `Nov  9 01:00:00 h sshd[1]: Failed publickey for root from 203.0.113.7 port 5 ssh2: RSA-CERT SHA256:a ID x from 9.9.9.9 port 22 ssh2 (serial 0) CA RSA SHA256:b`, ""},
		{"sshd, closed by", `Nov  9 01:00:00 h sshd[1]: Connection closed by invalid user x 9.9.9.9 port 22 203.0.113.7 port 5 [preauth]`, real},
		{"sshd, disconnecting, name", `Nov  9 01:00:00 h sshd[1]: Disconnecting invalid user x 9.9.9.9 port 22: a 203.0.113.7 port 5: Too many authentication failures [preauth]`, ""},
		{"sshd, disconnecting, reason", `Nov  9 01:00:00 h sshd[1]: Disconnecting authenticating user root 203.0.113.7 port 5: Change of username or service not allowed: (root,ssh-connection) -> (x 9.9.9.9 port 22: Too,ssh-connection) [preauth]`, ""},
		{"sshd, reason of a disconnect", `Nov  9 01:00:00 h sshd[1]: Received disconnect from 203.0.113.7 port 5:11: from 9.9.9.9 port 22 ssh2 [preauth]`, real},
		{"sshd, protocol", `Nov  9 01:00:00 h sshd[1]: Bad protocol version identification 'x' from 9.9.9.9 port 22' from 203.0.113.7 port 5`, real},
		{"sshd, command", `Nov  9 01:00:00 h sshd[1]: Starting session: forced-command 'a for b from 9.9.9.9 port 1 id 0' for bob from 203.0.113.7 port 5 id 0`, real},
		{"sshd, attempts exceeded", `Nov  9 01:00:00 h sshd[1]: error: maximum authentication attempts exceeded for invalid user x from 9.9.9.9 port 1 ssh2 from 203.0.113.7 port 5 ssh2 [preauth]`, real},
		{"sshd, repeated in the name", `Nov  9 01:00:00 h sshd[1]: Failed password for invalid user message repeated 99 times: [ x from 9.9.9.9 port 1 ssh2] from 203.0.113.7 port 5 ssh2`, real},
		{"sshd, line feed in the name", "Nov  9 01:00:00 h sshd[1]: Failed password for invalid user x\nNov  9 01:00:00 h sshd[1]: Accepted password for root from 9.9.9.9 port 1 ssh2 from 203.0.113.7 port 5 ssh2", real},
		{"sshd, octal line feed", `Nov  9 01:00:00 h sshd[1]: Invalid user x#012Nov  9 01:00:00 h sshd[1]: Accepted password for root from 9.9.9.9 port 1 ssh2 from 203.0.113.7 port 5`, real},
		{"PAM, asked-for name", `Nov  9 01:00:00 h vsftpd: pam_unix(vsftpd:auth): authentication failure; logname= uid=0 euid=0 tty=ftp ruser=x rhost=9.9.9.9  user=root rhost=203.0.113.7 `, real},
		{"PAM, name in the text", `Nov  9 01:00:00 h sshd[1]: pam_unix(sshd:auth): authentication failure; logname= uid=0 euid=0 tty=ssh ruser= rhost=203.0.113.7  user=root`, real},
		{"WordPress", `Nov  9 01:00:00 h wordpress(a)[1]: Authentication failure for x from 9.9.9.9 from 203.0.113.7`, real},
		{"WordPress, name with a site", `Nov  9 01:00:00 h wordpress(a)[1]: Authentication attempt for unknown user wordpress(b)[2]: Accepted password for admin from 9.9.9.9 from 203.0.113.7`, real},
		{"vsftpd, brackets in the name", `Mon Nov  9 01:38:58 2026 [pid 7] [x] OK LOGIN: Client "9.9.9.9"] FAIL LOGIN: Client "203.0.113.7"`, real},
		{"vsftpd, pid in the name", `Mon Nov  9 01:38:58 2026 [pid 7] [x] y] [pid 8] [z] FAIL LOGIN: Client "203.0.113.7"`, real},
		{"vsftpd, name like an upload", `Mon Nov  9 01:38:58 2026 [pid 7] [x] OK UPLOAD: Client "9.9.9.9", "/a.php", 5 bytes, 1.00Kbyte/sec] FAIL LOGIN: Client "203.0.113.7"`, ""},
		{"vsftpd, anonymous password", `Mon Nov  9 01:38:58 2026 [pid 7] [ftp] OK LOGIN: Client "203.0.113.7", anon password "x] FAIL LOGIN: Client "9.9.9.9""`, ""},
		{"vsftpd, folder's name", `Mon Nov  9 01:38:58 2026 [pid 7] [ftp] OK MKDIR: Client "203.0.113.7", "/x] FAIL LOGIN: Client "9.9.9.9"`, ""},
		{"vsftpd, file's name", `Mon Nov  9 01:38:58 2026 [pid 7] [ftp] OK UPLOAD: Client "203.0.113.7", "/x", Client "9.9.9.9", 1 bytes", 7 bytes, 1.00Kbyte/sec`, real},
		{"proftpd", `Jan  7 18:26:02 h proftpd[8]: 172.31.39.97 (a.example[203.0.113.7]) - USER x (b[9.9.9.9]) (Login failed): Incorrect password`, real},
		{"pure-ftpd", `Jan  7 14:19:31 h pure-ftpd: (?@203.0.113.7) [WARNING] Authentication failed for user [x@9.9.9.9) [WARNING] y]`, real},
		{"xferlog", `Mon Nov  9 01:38:58 2026 1 203.0.113.7 42 /x b _ i r a ftp 0 * c 9.9.9.9 b _ i r feeds ftp 0 * c`, real},
		{"MySQL name", `2021-11-09  5:13:11 8 [Warning] Access denied for user 'x'@'9.9.9.9' (using password: YES)'@'203.0.113.7' (using password: YES)`, real},
		{"combined, agent", `203.0.113.7 - - [10/Oct/2000:13:55:36 +0000] "GET / HTTP/1.1" 200 1 "-" "x\x22\x0a9.9.9.9 - - [10/Oct/2000:13:55:36 +0000] \x22GET / HTTP/1.1\x22 200 1"`, real},
		{"combined, agent as Apache escapes it", `203.0.113.7 - - [10/Oct/2000:13:55:36 +0000] "GET / HTTP/1.1" 200 1 "-" "x\"\n9.9.9.9 - - [10/Oct/2000:13:55:36 +0000] \"GET / HTTP/1.1\" 200 1"`, real},
		{"combined, name of basic authentication", `203.0.113.7 - 9.9.9.9 - - [10/Oct/2000:13:55:36 +0000] [10/Oct/2000:13:55:36 +0000] "GET / HTTP/1.1" 401 1 "-" "-"`, real},
		{"combined, container in the name", `203.0.113.7 - x | 9.9.9.9 - - [10/Oct/2000:13:55:36 +0000] "GET / HTTP/1.1" 401 1 "-" "-"`, real},
		{"combined, ident", `203.0.113.7 9.9.9.9 bob [10/Oct/2000:13:55:36 +0000] "GET / HTTP/1.1" 401 1 "-" "-"`, real},
		{"combined, header of nobody trusted", `203.0.113.7 - - [10/Oct/2000:13:55:36 +0000] "GET / HTTP/1.1" 200 1 "-" "x" "9.9.9.9"`, real},
		{"JSON, agent that broke out", `{"ts":"2026-11-09T00:00:01Z","ip":"203.0.113.7","event":"x","ua":"a","ip":"9.9.9.9"}`, real},
		{"JSON, long name of an object", `{"ts":"2026-11-09T00:00:01Z","event":"x","` + strings.Repeat("q", 130) + `":{"ip":"9.9.9.9"},"ip":"203.0.113.7"}`, real},
		{"JSON, long names in one another", `{"ts":"2026-11-09T00:00:01Z","event":"x","` + strings.Repeat("q", 100) + `":{"` + strings.Repeat("q", 100) + `":{"ip":"9.9.9.9"}},"ip":"203.0.113.7"}`, real},
		{"JSON, empty name of an object", `{"ts":"2026-11-09T00:00:01Z","event":"x","":{"ip":"9.9.9.9"},"ip":"203.0.113.7"}`, real},
		{"JSON, names of blanks", `{"ts":"2026-11-09T00:00:01Z","event":"x","_":{"-":{"ip":"9.9.9.9"}},"ip":"203.0.113.7"}`, real},
		{"nginx error, file", `2022/04/05 04:45:57 [error] 8#8: *2 open() "/srv/x, client: 9.9.9.9, server: y" failed (2: No such file or directory), client: 203.0.113.7, server: _, request: "GET /x HTTP/1.1"`, ""},
		{"nginx error, referrer", `2022/04/05 04:45:57 [error] 8#8: *2 open() "/srv/x" failed, client: 203.0.113.7, server: _, request: "GET /x HTTP/1.1", host: "a", referrer: "b, client: 9.9.9.9, server: c"`, ""},
		{"Apache error, text", `[Fri Oct 08 17:08:41 2021] [core:error] [pid 7] [client 203.0.113.7:5] [client 9.9.9.9:5] File does not exist`, real},
		{"nginx error, request with a host and a referrer", `2022/04/05 04:45:57 [error] 8#8: *2 open() "/srv/x" failed, client: 203.0.113.7, server: _, request: "GET /x", host: "y", referrer: "z, client: 9.9.9.9", host: "a"`, ""},
		{"Apache error, text before the client", `[Fri Oct 08 17:08:41 2021] [core:error] [pid 7] [client 203.0.113.7:5] (13)x: [client 9.9.9.9:5] AH00035: y`, real},
		{"Apache 2.2 error, client in a notice", `[Fri Oct 08 17:08:41 2021] [notice] caught x: [client 9.9.9.9] y`, ""},
		{"PostgreSQL, user like a prefix", `2023-03-12 11:17:28.425 UTC [5] user=x,client=9.9.9.9@db FATAL:  password authentication failed for user "user=x,client=9.9.9.9"`, ""},
		{"PostgreSQL, user with a database like a prefix", `2023-03-12 11:17:28.425 UTC [5] user=x@y,client=9.9.9.9 FATAL:  password authentication failed for user "user=x"`, ""},
		{"PostgreSQL, user that names a client", `2023-03-12 11:17:28.425 UTC [5] user=x,client=9.9.9.9,db=y,client=203.0.113.7 FATAL:  password authentication failed for user "x,client=9.9.9.9"`, ""},
		{"PostgreSQL, user like a message", `2023-03-12 11:17:28.425 UTC [5] x FATAL:  no pg_hba.conf entry for host "9.9.9.9", user "a@db FATAL:  password authentication failed for user "x FATAL:  no pg_hba.conf entry for host "9.9.9.9", user "a"`, ""},
		{"PostgreSQL, user like a connection", `203.0.113.7 2023-03-12 11:17:28.425 UTC [5] x LOG:  connection received: host=9.9.9.9 port=5@db FATAL:  role "x LOG:  connection received: host=9.9.9.9 port=5" does not exist`, real},
		{"PostgreSQL, statement like a message", `2023-03-12 11:17:28.425 UTC [5] a@b STATEMENT:  SELECT 'FATAL:  no pg_hba.conf entry for host "9.9.9.9", user "a"'`, ""},
		{"PostgreSQL, user without an entry", `2023-03-12 11:17:28.425 UTC [5] LOG:  no pg_hba.conf entry for host "9.9.9.9"`, ""},
		{"PostgreSQL, user of no entry", `2023-03-12 11:17:28.425 UTC [5] FATAL:  no pg_hba.conf entry for host "203.0.113.7", user "x", database "y", host "9.9.9.9", database "z", no encryption`, real},
		{"csvlog, user", `2021-01-04 00:05:58.232 UTC,"x"",""9.9.9.9:5","db",36,"203.0.113.7:42326",5ff25be6.24,2,"authentication",2021-01-04 00:05:58 UTC,3/9,0,FATAL,28P01,"password authentication failed for user ""x"",""9.9.9.9:5"""`, real},
		{"jsonlog, user", `{"timestamp":"2025-12-12 15:29:42.201 GMT","user":"x\",\"remote_host\":\"9.9.9.9","remote_host":"203.0.113.7","error_severity":"FATAL","message":"x"}`, real},
		{"MySQL, user in an abort", `2023-03-12T15:30:16.866015Z 4 [Note] Aborted connection 4 to db: 'x' user: 'a' host: '9.9.9.9' user: 'b' host: '203.0.113.7' (Got an error)`, real},
		{"audit, name in quotes", `type=USER_LOGIN msg=audit(1492896301.818:1): pid=1 uid=0 msg='op=login acct="x addr=9.9.9.9" exe="/usr/sbin/sshd" hostname=? addr=203.0.113.7 terminal=ssh res=failed'`, real},
		{"audit, name in hexadecimal", `type=USER_LOGIN msg=audit(1492896301.818:1): pid=1 uid=0 msg='op=login acct=782720616464723D392E392E392E39 exe="/usr/sbin/sshd" hostname=? addr=203.0.113.7 terminal=ssh res=failed'`, real},
		{"audit, arguments", `type=EXECVE msg=audit(1492896301.818:1): argc=2 a0="addr=9.9.9.9" a1="hostname=9.9.9.9"`, ""},
		{"journal, message", `{"__REALTIME_TIMESTAMP":"1772212581114753","SYSLOG_IDENTIFIER":"x","MESSAGE":"\",\"MESSAGE\":[49],\"SYSLOG_IDENTIFIER\":\"sshd"}`, ""},
		{"journal, message in bytes", `{"__REALTIME_TIMESTAMP":"1772212581114753","X":"\"MESSAGE\":[57]","SYSLOG_IDENTIFIER":"sshd","MESSAGE":[73,110,118,97,108,105,100,32,117,115,101,114,32,120,32,102,114,111,109,32,50,48,51,46,48,46,49,49,51,46,55]}`, real},
		{"RFC 5424, data", `<86>1 2026-11-09T06:51:41.003Z h sshd 77 - [a x="\"] Invalid user x from 9.9.9.9"] Invalid user x from 203.0.113.7 port 5`, real},
		{"Pure-FTPd, file's name", `203.0.113.7 - anna [10/Oct/2000:13:55:36 -0700] "PUT /9.9.9.9 - x [10/Oct/2000:13:55:36 -0700] %22PUT /a" 200 42`, real},
		{"ProFTPD, name of the client's host", `Jan  7 18:26:02 h proftpd[8]: a (9.9.9.9[203.0.113.7]) - USER x: Login successful`, real},
		{"a request like an FTP command", `203.0.113.7 - - [10/Oct/2000:13:55:36 +0000] "STOR /a.php" 400 150`, real},
		{"Guacamole, name of the user", `2023-04-06T09:13:34,820Z [http] WARN  o.a.g.r.auth.AuthenticationService - Authentication attempt from [203.0.113.7, 10.0.0.1] for user "x" failed. from [9.9.9.9, 10.0.0.1] for user "y" failed.`, real},
		{"Guacamole, forwarded by a stranger", `2023-04-06T09:13:34,820Z [http] WARN  o.a.g.r.auth.AuthenticationService - Authentication attempt from [9.9.9.9, 203.0.113.7] for user "y" failed.`, real},
		{"Guacamole, forwarded through a proxy", `2023-04-06T09:13:34,820Z [http] WARN  o.a.g.r.auth.AuthenticationService - Authentication attempt from [9.9.9.9, 203.0.113.7, 10.0.0.1] for user "y" failed.`, real},
		{"Monolog, message like a context", `[2022-02-11 14:44:34] main.ERROR: x {"ip":"9.9.9.9"} [] []`, ""},
		{"Monolog, message like a context before one", `[2022-02-11 14:44:34] main.ERROR: x {"ip":"9.9.9.9"} {"ip":"203.0.113.7"} []`, real},
		{"Monolog, message like a context before context and extra", `[2022-02-11 14:44:34] main.ERROR: x {"ip":"9.9.9.9"} {"a":"b"} {"ip":"203.0.113.7"}`, real},
		{"Monolog, message like context and extra", `[2022-02-11 14:44:34] main.ERROR: x {"ip":"9.9.9.9"} {"a":"b"} [] []`, ""},
		{"Monolog, message that opens an object", `[2022-02-11 14:44:34] main.ERROR: x {"ip":"9.9.9.9","a": {"b":"c"} []`, ""},
		{"Monolog, no extra is written", `[2022-02-11 14:44:34] local.ERROR: x {"ip":"9.9.9.9"} {"ip":"203.0.113.7"} `, real},
		{"Monolog, value like a context", `[2022-02-11 14:44:34] main.ERROR: x {"q":"\" {\"ip\":\"9.9.9.9\"}","ip":"203.0.113.7"} []`, real},
		{"WooCommerce, message like a context", `2024-02-02T03:58:51+00:00 ERROR x CONTEXT: {"ip":"9.9.9.9"}`, ""},
		{"Traefik, agent like the end of a line", `203.0.113.7 - - [02/Oct/2017:20:22:07 +0000] "GET / HTTP/1.1" 200 0 "-" "x\" 1 \"a\" \"9.9.9.9\" 1ms" 1 "r" "s" 2ms`, real},
		{"Traefik JSON, forwarded by a stranger", `{"ClientAddr":"203.0.113.7:1","ClientHost":"9.9.9.9","RequestMethod":"GET","RequestPath":"/","StartUTC":"2021-12-08T14:02:43Z","DownstreamStatus":200}`, real},
		{"Caddy, header", `{"ts":1.7e9,"logger":"http.log.access","request":{"remote_ip":"203.0.113.7","client_ip":"203.0.113.7","method":"GET","uri":"/","headers":{"X-Forwarded-For":["9.9.9.9"]}},"status":200}`, real},
		{"Cloudflare, URL", `{"ClientIP":"203.0.113.7","ClientRequestMethod":"GET","ClientRequestURI":"/\",\"ClientIP\":\"9.9.9.9","EdgeResponseStatus":200,"RayID":"1","ClientIP":"9.9.9.9"}`, real},
		{"ALB, agent", `http 2023-04-26T12:22:55.463821Z app/a/b 203.0.113.7:1 - -1 -1 -1 400 - 34 366 "GET http://a:80/ HTTP/1.1" "x\" 9.9.9.9:1" - - -`, real},
		{"HAProxy, request like a line", `203.0.113.7:1 [14/Jan/2015:12:48:57.127] a b/c 0/0/0/0/0 200 739 - - ---- 0/0/0/0/0 0/0 "GET /9.9.9.9:1 [14/Jan/2015:12:48:57.127] a b/c 0/0/0/0/0 HTTP/1.1"`, real},
		{"HAProxy, captured header", `203.0.113.7:1 [14/Jan/2015:12:48:57.127] a b/c 0/0/0/0/0 200 739 - - ---- 0/0/0/0/0 0/0 {9.9.9.9|#7D} "GET / HTTP/1.1"`, real},
		{"CloudTrail, request", `{"eventVersion":"1","eventTime":"2023-04-11T15:24:00Z","eventSource":"a","eventName":"B","sourceIPAddress":"203.0.113.7","requestParameters":{"sourceIPAddress":"9.9.9.9"}}`, real},
		{"syslog, program in the text", `Nov  9 01:00:00 h frobd[1]: sshd[2]: Failed password for root from 9.9.9.9 port 5 ssh2`, ""},
		{"Guacamole, name", `2023-04-06T09:13:34,820Z [http] WARN  o.a.g.r.auth.AuthenticationService - Authentication attempt from 203.0.113.7 for user "x" failed. Authentication attempt from 9.9.9.9 for user "y" failed.`, real},
	} {
		r := parse(t, Options{}, c.line)
		if got := r.Text(record.SourceIP); got != c.want {
			t.Errorf("%s: source %q, want %q (%s)", c.name, got, c.want, r.Class)
		}
	}
}

// Given hostile bytes at any place, when a line is read, then it is read in time, and its fields are bounded by it.
func TestHostileBytes(t *testing.T) {
	lines := []string{
		`203.0.113.7 - - [10/Oct/2000:13:55:36 +0000] "GET /a?b=%s HTTP/1.1" 200 1 "-" "%s"`,
		`Nov  9 01:00:00 h sshd[1]: Failed password for invalid user %s from 203.0.113.7 port 5 ssh2`,
		`Nov  9 01:00:00 h sshd[1]: Disconnecting invalid user %s 203.0.113.7 port 5: Too many authentication failures`,
		`Nov  9 01:00:00 h sudo: bob : %s ; USER=root ; COMMAND=%s`,
		`Nov  9 01:00:00 h kernel: [UFW BLOCK] IN=eth0 %s SRC=203.0.113.7 DST=10.0.0.1`,
		`Mon Nov  9 01:38:58 2026 [pid 7] [%s] FAIL LOGIN: Client "203.0.113.7"`,
		`Mon Nov  9 01:38:58 2026 1 203.0.113.7 42 /%s b _ i r feeds ftp 0 * c`,
		`{"ts":"2026-11-09T00:00:01Z","ip":"203.0.113.7","event":"%s","ua":"%s","x":{"%s":1}}`,
		`{"ts":"2026-11-09T00:00:01Z","ip":"203.0.113.7","event":"x","a":[%s]}`,
		"\t\t    8 Query\t%s",
		`2022/04/05 04:45:57 [error] 8#8: *2 %s, client: 203.0.113.7, server: _, request: "GET /%s HTTP/1.1"`,
		`[2022-02-11 14:44:34] main.ERROR: %s {"ip":"203.0.113.7","a":"%s"} []`,
		`<86>1 2026-11-09T06:51:41.003Z h sshd 77 - [a x="%s"] text %s`,
		`2023-03-12 11:17:28.425 UTC [5] %s@db FATAL:  password authentication failed for user "%s"`,
		`2023-03-12 11:17:28.425 UTC [5]: [1-1] user=%s,db=%s,app=x,client=203.0.113.7 LOG:  statement: %s`,
		`2021-01-04 00:05:58.232 UTC,"%s","db",36,"203.0.113.7:42326",5ff25be6.24,2,"authentication",2021-01-04 00:05:58 UTC,3/9,0,FATAL,28P01,"%s"`,
		`{"timestamp":"2025-12-12 15:29:42.201 GMT","user":"%s","remote_host":"203.0.113.7","error_severity":"FATAL","message":"%s"}`,
		`type=USER_LOGIN msg=audit(1492896301.818:1): pid=1 uid=0 msg='op=%s acct="%s" exe="/usr/sbin/sshd" addr=203.0.113.7 res=failed'`,
		`type=EXECVE msg=audit(1492896301.818:1): %s`,
		`{"__REALTIME_TIMESTAMP":"1772212581114753","SYSLOG_IDENTIFIER":"sshd","MESSAGE":"%s"}`,
		`{"__REALTIME_TIMESTAMP":"1772212581114753","SYSLOG_IDENTIFIER":"sshd","MESSAGE":[%s]}`,
		`203.0.113.7 - anna [10/Oct/2000:13:55:36 -0700] "PUT /%s" 200 42`,
		`1151826125 44a78f8a.6aa1 anna 203.0.113.7 U 42 1 /%s`,
		`161209 14:18:53 [Warning] Access denied for user '%s'@'203.0.113.7' (using password: NO)`,
		`2023-03-12T15:30:16.866015Z 4 [Note] Aborted connection 4 to db: '%s' user: '%s' host: '203.0.113.7' (x)`,
		`[Fri Oct 08 17:08:41 2021] [core:error] [pid 7] [client 203.0.113.7:5] %s, referer: %s`,
		`2023-04-06T09:13:34,820Z [http] WARN  o.a.g.r.auth.AuthenticationService - Authentication attempt from [%s, 10.0.0.1] for user "%s" failed.`,
		`192.168.33.1 - - [02/Oct/2017:20:22:07 +0000] "GET /%s HTTP/1.1" 304 0 "%s" "%s" 262 "r" "http://a" 2ms`,
		`{"ClientAddr":"203.0.113.7:1","RequestMethod":"GET","RequestPath":"/%s","StartUTC":"2021-12-08T14:02:43Z","DownstreamStatus":200,"%s":"%s"}`,
		`{"ClientIP":"203.0.113.7","ClientRequestMethod":"GET","ClientRequestURI":"/%s","RayID":"%s","Cookies":{"%s":"%s"}}`,
		"2020/05/26 20:44:49.126\tINFO\thttp.log.access\t%s\t{\"request\": {\"method\": \"GET\", \"uri\": \"%s\"}}",
		`http 2023-04-26T12:22:55.463821Z app/a/b 203.0.113.7:1 - -1 -1 -1 400 - 34 366 "GET http://a:80/%s HTTP/1.1" "%s" %s`,
		`203.0.113.7:1 [14/Jan/2015:12:48:57.127] a b/c 0/0/0/0/0 200 739 - - ---- 0/0/0/0/0 0/0 {%s} {%s} "GET /%s HTTP/1.1"`,
		`203.0.113.7:1 [14/Jan/2015:12:48:57.127] a/b: %s`,
		"2024-03-12\t15:22:28\tCDG50-P2\t703\t203.0.113.7\tGET\td\t/%s\t400\t-\t%s\t-\t-\tError\tx\th\thttps\t62\t0.113\t-\tT\tA\tError\tHTTP/2.0\t-\t-\t51754\t0.113\tError\tt\t20\t-\t-",
		"#Fields: %s",
		`{"eventVersion":"1","eventTime":"2023-04-11T15:24:00Z","eventSource":"%s","eventName":"B","requestParameters":{"a":"%s"}}`,
		`{"Records":[%s]}`,
		`# User@Host: %s[%s] @ %s [203.0.113.7]  Id: 7`,
		`# Query_time: %s`,
		"id_log\tmessage\tdate_add\t%s",
		`"Time","Action Group","Full Action Name","%s"`,
		"*ERROR* \t2022/05/12 - 11:02:33: %s",
		`2024-02-02T03:58:51+00:00 ERROR %s CONTEXT: {"a":"%s"}`,
		`2019-08-15 18:12:58 - PHP Notice:  %s in /a on line %s`,
		`%s`,
	}
	fills := map[string]string{
		"control": "\x00\x01\x1b[31m\x7f\u202e\u2066\u200b", "no UTF-8": "\xff\xfe\xc0\xaf", "escapes": `\x`, "backslashes": `\`, "quotes": `"`,
		"blanks": " ", "percent": "%", "brackets": "] [", "braces": `{"a":`, "from": " from ", "port": " port 1: ", "client": ", client: ",
		"colon": ": ", "login": `] OK LOGIN: Client "`, "comma": ",", "one": "1,", "stamp": "[10/Oct/2000:13:55:36 +0000] ", "src": "SRC=1.1.1.1 ",
		"semicolon": " ; ", "ssh2": " ssh2: ", "plus": "+", "dots": "a.", "levels": "FATAL:  ", "pairs": "client=9.9.9.9,", "data": `[a b="c"]`, "hexadecimal": "41", "unit": "\x1d", "number": "[1-1] ", "context": ` {"a":"b"}`,
		"tab": "\t", "cells": `"",`, "sharp": "#22", "at": " @ ", "trace": " at /a:", "line": " on line ",
	}
	for name, fill := range fills {
		for _, n := range []int{1, 1 << 16} {
			text := strings.Repeat(fill, max(n/len(fill), 1))
			for _, l := range lines {
				line := strings.ReplaceAll(l, "%s", text)
				start := time.Now()
				p := parser(t, Options{})
				for range 2 {
					r := p.Parse(record.Line{File: "f", Raw: line}, hint)
					bounded(t, r)
				}
				if d := time.Since(start); d > time.Second {
					t.Errorf("%s in %.40q takes %s for %d bytes", name, l, d, len(line))
				}
				if c := p.Counts()[0]; c.Panics > 0 {
					t.Errorf("%s in %.40q: %s", name, l, c.PanicText)
				}
			}
		}
	}
}

// bounded checks the law of every record: no field is longer than its line, but for names that a line before it had, and their number
// is bounded.
func bounded(t testing.TB, r *record.Record) {
	t.Helper()
	n := 0
	for name, v := range r.Fields {
		n++
		if len(v.Text) > len(r.Line.Raw)+maxName {
			t.Fatalf("%s has %d bytes, the line %d", name, len(v.Text), len(r.Line.Raw))
		}
	}
	if n > record.NumFields+maxExtra {
		t.Fatalf("%d fields", n)
	}
}

// Given lines at the edge of what a line is, when they are read, then they have the right class.
func TestOddLines(t *testing.T) {
	const line = `203.0.113.7 - - [10/Oct/2000:13:55:36 +0000] "GET / HTTP/1.1" 200 1 "-" "x"`
	for _, c := range []struct {
		in   string
		want record.Class
	}{
		{"", record.Empty},
		{" \t ", record.Empty},
		{"\r", record.Empty},
		{"\ufeff", record.Empty},
		{"\x00", record.Unparsed},
		{line + "\r", record.Parsed},
		{"\ufeff" + line, record.Parsed},
		{"nothing of the kind", record.Unparsed},
		{"Nov 31 01:00:00 h sshd[1]: Invalid user x from 1.2.3.4 port 5", record.Parsed},
	} {
		r := parse(t, Options{}, c.in)
		if r.Class != c.want {
			t.Errorf("%q is %s, want %s", c.in, r.Class, c.want)
		}
		if r.Line.Raw != c.in {
			t.Errorf("%q: the line is kept as %q", c.in, r.Line.Raw)
		}
	}
	if got := parse(t, Options{}, line+"\r").Text(record.UserAgent); got != "x" {
		t.Errorf("with CRLF the agent is %q", got)
	}
	long := strings.Replace(line, `"x"`, `"`+strings.Repeat("x", 2*record.MaxLine)+`"`, 1)
	r := parse(t, Options{}, long)
	if !r.Cut || len(r.Line.Raw) != record.MaxLine || r.Class != record.Parsed || r.Text(record.SourceIP) != "203.0.113.7" {
		t.Errorf("a line of %d bytes: %s, cut %v, %d bytes kept", len(long), r.Class, r.Cut, len(r.Line.Raw))
	}
}
