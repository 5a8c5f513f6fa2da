package intake

import "testing"

// A quotedCase is a line as a program wrote it, from a public source, and what must be read from it.
type quotedCase struct {
	origin string // where the line is published, and its licence
	line   string
	format string
	from   string // category/product/service
	want   map[string]string
}

// Given real lines of servers' logs, when each is read by content, then it has its format, its log source and these fields; and it
// names no other client. Sources: elastic/beats filebeat/module and filebeat/input (Apache-2.0), elastic/go-libaudit
// auparse/testdata (Apache-2.0), open-telemetry/opentelemetry-collector-contrib pkg/stanza (Apache-2.0), grafana/alloy
// database_observability (Apache-2.0), openfaas/faasd pkg/logs (MIT), CrowdSec's hub tests (MIT), RFC 5424 section 6.5 (IETF Trust),
// the manual of Pure-FTPd and its src/altlog.c (ISC), the manual of ProFTPD, the manual of PostgreSQL. Where only a format is
// published and no line, the origin says "format of", and the values are ours.
func TestQuotedLines(t *testing.T) {
	for _, c := range quotedCases() {
		r := parse(t, Options{}, c.line)
		got := values(r)
		from := ""
		if len(r.Source.Categories) > 0 {
			from = r.Source.Categories[0]
		}
		from += "/" + r.Source.Product + "/" + r.Source.Service
		if r.Format != c.format || from != c.from {
			t.Errorf("%s: %.60q is %s from %s, want %s from %s", c.origin, c.line, r.Format, from, c.format, c.from)
		}
		if _, wants := c.want["source.ip"]; !wants && got["source.ip"] != "" {
			t.Errorf("%s: %.60q names %s", c.origin, c.line, got["source.ip"])
		}
		if known, ok := Known([]string{c.line}); !ok || known != c.format {
			t.Errorf("%s: %.60q is known as %q", c.origin, c.line, known)
		}
		for name, want := range c.want {
			if got[name] != want {
				t.Errorf("%s: %.60q: %s is %q, want %q", c.origin, c.line, name, got[name], want)
			}
		}
	}
}

func quotedCases() []quotedCase {
	return []quotedCase{
		{"RFC 5424, 6.5", `<34>1 2003-10-11T22:14:15.003Z mymachine.example.com su - ID47 - 'su root' failed for lonvick on /dev/pts/8`,
			"syslog", "authentication/linux/auth", map[string]string{"event.action": "login", "event.outcome": "failure", "user.name": "lonvick", "user.effective.name": "root", "log.syslog.msgid": "ID47", "host.name": "mymachine.example.com"}},
		{"RFC 5424, 6.5", `<165>1 2003-08-24T05:14:15.000003-07:00 192.0.2.1 myproc 8710 - - %% It's time to make the do-nuts.`,
			"syslog", "/linux/syslog", map[string]string{"host.name": "192.0.2.1", "process.name": "myproc", "process.pid": "8710", "message": "%% It's time to make the do-nuts."}},
		{"RFC 5424, 6.5", `<165>1 2003-10-11T22:14:15.003Z mymachine.example.com evntslog - ID47 [exampleSDID@32473 iut="3" eventSource="Application" eventID="1011"] An application event log entry...`,
			"syslog", "/linux/syslog", map[string]string{"log.syslog.structured_data.exampleSDID@32473.iut": "3", "log.syslog.structured_data.exampleSDID@32473.eventSource": "Application", "log.syslog.structured_data.exampleSDID@32473.eventID": "1011", "message": "An application event log entry..."}},
		{"RFC 5424, 6.5", `<165>1 2003-10-11T22:14:15.003Z mymachine.example.com evntslog - ID47 [exampleSDID@32473 iut="3" eventSource="Application" eventID="1011"][examplePriority@32473 class="high"]`,
			"syslog", "/linux/syslog", map[string]string{"log.syslog.structured_data.exampleSDID@32473.iut": "3", "log.syslog.structured_data.exampleSDID@32473.eventSource": "Application", "log.syslog.structured_data.exampleSDID@32473.eventID": "1011", "log.syslog.structured_data.examplePriority@32473.class": "high"}},
		{"CrowdSec hub, MIT", `2021-05-28 18:08:01,124 mantis proftpd[498625] mantis (192.168.1.142[192.168.1.142]): USER asd: no such user found from 192.168.1.142 [192.168.1.142] to ::ffff:192.168.1.23:21`,
			"syslog", "authentication/linux/proftpd", map[string]string{"event.action": "login", "event.outcome": "failure", "user.realm": "ftp", "source.ip": "192.168.1.142", "user.name": "asd", "event.reason": "no such user"}},
		{"CrowdSec hub, MIT", `Jan  7 18:26:52 amazing-ishizaka proftpd[80686]: 172.31.39.97 (1.1.1.1[1.1.1.1]) - USER unruffled-feynman (Login failed): Incorrect password`,
			"syslog", "authentication/linux/proftpd", map[string]string{"event.action": "login", "event.outcome": "failure", "user.realm": "ftp", "source.ip": "1.1.1.1", "user.name": "unruffled-feynman", "event.reason": "Incorrect password"}},
		{"CrowdSec hub, MIT", `2023-09-05 19:07:03,851 server03 proftpd[127258] localhost (2a02:8070:e186:16e1:1111:222:3333:b173[2a02:8070:e186:16e1:1111:222:3333:b173]): USER ccvv_ftp1 (Login failed): No such user found`,
			"syslog", "authentication/linux/proftpd", map[string]string{"event.action": "login", "event.outcome": "failure", "user.realm": "ftp", "source.ip": "2a02:8070:e186:16e1:1111:222:3333:b173", "user.name": "ccvv_ftp1"}},
		{"format of ProFTPD, doc/howto/LogMessages", `Jan  7 18:26:52 h proftpd[80686]: 172.31.39.97 (a.example[203.0.113.7]) - USER anna: Login successful.`,
			"syslog", "authentication/linux/proftpd", map[string]string{"source.ip": "203.0.113.7", "user.name": "anna", "event.action": "login", "event.outcome": "success"}},
		{"format of ProFTPD, doc/howto/LogMessages", `Jan  7 18:26:52 h proftpd[80686]: 172.31.39.97 (a.example[203.0.113.7]) - ANON ftp: Login successful.`,
			"syslog", "authentication/linux/proftpd", map[string]string{"source.ip": "203.0.113.7", "user.name": "ftp", "event.outcome": "success"}},
		{"format of ProFTPD, doc/howto/LogMessages", `Jan  7 18:26:52 h proftpd[80686]: 172.31.39.97 (a.example[203.0.113.7]) - FTP session opened.`,
			"syslog", "/linux/proftpd", map[string]string{"source.ip": "203.0.113.7", "event.action": "connect"}},
		{"format of ProFTPD, LogFormat default in contrib/dist", `203.0.113.7 UNKNOWN anna [10/Oct/2000:13:55:36 -0700] "STOR a b.php" 226 42`,
			"ftp-clf", "file_event/linux/proftpd", map[string]string{"source.ip": "203.0.113.7", "user.name": "anna", "event.action": "upload", "event.outcome": "success", "file.path": "a b.php", "file.extension": "php", "transfer.bytes": "42", "user.realm": "ftp"}},
		{"format of ProFTPD, LogFormat default in contrib/dist", `203.0.113.7 UNKNOWN nobody [10/Oct/2000:13:55:36 -0700] "PASS (hidden)" 530 -`,
			"ftp-clf", "authentication/linux/proftpd", map[string]string{"source.ip": "203.0.113.7", "event.action": "login", "event.outcome": "failure", "user.name": ""}},
		{"format of ProFTPD, LogFormat default in contrib/dist", `203.0.113.7 UNKNOWN nobody [10/Oct/2000:13:55:36 -0700] "USER anna" 331 -`,
			"ftp-clf", "/linux/proftpd", map[string]string{"source.ip": "203.0.113.7", "event.action": "ftp-command", "user.name": "anna"}},
		{"CrowdSec hub, MIT", `Jan  7 14:19:31 ftpcdr pure-ftpd: (?@172.21.10.2) [WARNING] Authentication failed for user [root]`,
			"syslog", "authentication/linux/pure-ftpd", map[string]string{"event.action": "login", "event.outcome": "failure", "user.realm": "ftp", "source.ip": "172.21.10.2", "user.name": "root"}},
		{"CrowdSec hub, MIT", `Jan  7 14:20:06 ftpcdr pure-ftpd: (?@172.21.10.2) [INFO] user@test.com is now logged in`,
			"syslog", "authentication/linux/pure-ftpd", map[string]string{"source.ip": "172.21.10.2", "user.name": "user@test.com", "event.action": "login", "event.outcome": "success"}},
		{"format of Pure-FTPd, src/altlog.c and src/messages_en.h, ISC", `Jan  7 14:20:06 h pure-ftpd: (anna@203.0.113.7) [NOTICE] /home/anna//a b.php uploaded  (42 bytes, 1.00KB/sec)`,
			"syslog", "file_event/linux/pure-ftpd", map[string]string{"source.ip": "203.0.113.7", "user.name": "anna", "event.action": "upload", "event.outcome": "success", "file.path": "/home/anna//a b.php", "transfer.bytes": "42"}},
		{"format of Pure-FTPd, src/altlog.c and src/messages_en.h, ISC", `Jan  7 14:20:06 h pure-ftpd: (anna@203.0.113.7) [NOTICE] /home/anna/a.php partially uploaded  (42 bytes, 1.00KB/sec)`,
			"syslog", "file_event/linux/pure-ftpd", map[string]string{"source.ip": "203.0.113.7", "event.action": "upload", "event.outcome": "failure", "file.path": "/home/anna/a.php"}},
		{"format of Pure-FTPd, src/altlog.c and src/messages_en.h, ISC", `Jan  7 14:20:06 h pure-ftpd: (anna@203.0.113.7) [NOTICE] Deleted /home/anna/a.php`,
			"syslog", "file_event/linux/pure-ftpd", map[string]string{"source.ip": "203.0.113.7", "event.action": "delete", "event.outcome": "success", "file.path": "/home/anna/a.php"}},
		{"format of Pure-FTPd, src/altlog.c and src/messages_en.h, ISC", `Jan  7 14:20:06 h pure-ftpd: (?@203.0.113.7) [WARNING] Can't login as [root]: account disabled`,
			"syslog", "authentication/linux/pure-ftpd", map[string]string{"source.ip": "203.0.113.7", "event.action": "login-refused", "user.name": "root"}},
		{"format of Pure-FTPd, src/altlog.c and src/messages_en.h, ISC", `203.0.113.7 - anna [10/Oct/2000:13:55:36 -0700] "PUT /home/anna/a%20b.php" 200 42`,
			"ftp-clf", "file_event/linux/pure-ftpd", map[string]string{"source.ip": "203.0.113.7", "user.name": "anna", "event.outcome": "success", "transfer.bytes": "42", "user.realm": "ftp", "event.action": "upload", "file.path": "/home/anna/a b.php"}},
		{"format of Pure-FTPd, src/altlog.c and src/messages_en.h, ISC", `203.0.113.7 - anna [10/Oct/2000:13:55:36 -0700] "GET /home/anna/a.zip" 200 42`,
			"ftp-clf", "file_event/linux/pure-ftpd", map[string]string{"source.ip": "203.0.113.7", "user.name": "anna", "event.outcome": "success", "transfer.bytes": "42", "user.realm": "ftp", "event.action": "download", "file.path": "/home/anna/a.zip"}},
		{"format of Pure-FTPd, src/altlog.c and src/messages_en.h, ISC", `1151826125 44a78f8a.6aa1 anna 203.0.113.7 U 42 1 /home/anna/a b.php`,
			"pure-ftpd", "file_event/linux/pure-ftpd", map[string]string{"source.ip": "203.0.113.7", "user.name": "anna", "event.outcome": "success", "transfer.bytes": "42", "user.realm": "ftp", "event.action": "upload", "file.path": "/home/anna/a b.php"}},
		{"format of Pure-FTPd, src/altlog.c and src/messages_en.h, ISC", `2023-10-03 12:00:03 203.0.113.7 []sent /home/anna/a%20b.zip 226 anna 42`,
			"pure-ftpd", "file_event/linux/pure-ftpd", map[string]string{"source.ip": "203.0.113.7", "user.name": "anna", "event.outcome": "success", "transfer.bytes": "42", "user.realm": "ftp", "event.action": "download", "file.path": "/home/anna/a b.zip"}},
		{"elastic/beats, Apache-2.0", `2016/10/25 14:49:34 [error] 54053#0: *1 open() "/usr/local/Cellar/nginx/1.10.2_1/html/favicon.ico" failed (2: No such file or directory), client: 127.0.0.1, server: localhost, request: "GET /favicon.ico HTTP/1.1", host: "localhost:8080", referrer: "http://localhost:8080/"`,
			"nginx-error", "webserver/nginx/nginx", map[string]string{"source.ip": "127.0.0.1", "http.request.method": "GET", "url.original": "/favicon.ico", "url.domain": "localhost", "http.request.referrer": "http://localhost:8080/", "nginx.server": "localhost", "file.path": "/usr/local/Cellar/nginx/1.10.2_1/html/favicon.ico", "log.level": "error", "process.pid": "54053"}},
		{"elastic/beats, Apache-2.0", `2016/10/25 14:50:44 [error] 54053#0: *3 open() "/usr/local/Cellar/nginx/1.10.2_1/html/adsasd" failed (2: No such file or directory), client: 127.0.0.1, server: localhost, request: "GET /adsasd HTTP/1.1", host: "localhost:8080"`,
			"nginx-error", "webserver/nginx/nginx", map[string]string{"source.ip": "127.0.0.1", "url.original": "/adsasd", "http.request.referrer": ""}},
		{"elastic/beats, Apache-2.0", `2019/10/30 23:26:34 [error] 205860#205860: *180289 FastCGI sent in stderr: "PHP message: PHP Warning:  Declaration of FEE_Field_Terms::wrap($content, $taxonomy, $before, $sep, $after) should be compatible with FEE_Field_Post::wrap($content, $post_id = 0) in /var/www/xxx/web/wp-content/plugins/front-end-editor/php/fields/post.php on line 0`,
			"nginx-error", "webserver/nginx/nginx", map[string]string{"nginx.connection": "180289"}},
		{"elastic/beats, Apache-2.0", `[Mon Dec 26 16:22:00 2016] [error] [client 192.168.33.1] File does not exist: /var/www/favicon.ico, referer: http://192.168.33.72/`,
			"apache-error", "webserver/apache/apache", map[string]string{"source.ip": "192.168.33.1", "log.level": "error", "message": "File does not exist: /var/www/favicon.ico", "file.path": "/var/www/favicon.ico", "http.request.referrer": "http://192.168.33.72/"}},
		{"elastic/beats, Apache-2.0", `[Mon Dec 26 16:15:55.103786 2016] [core:notice] [pid 11379] AH00094: Command line: '/usr/local/Cellar/httpd24/2.4.23_2/bin/httpd'`,
			"apache-error", "webserver/apache/apache", map[string]string{"event.code": "AH00094", "apache.module": "core", "log.level": "notice", "process.pid": "11379"}},
		{"elastic/beats, Apache-2.0", `[Fri Sep 09 10:42:29.902022 2011] [core:error] [pid 35708:tid 4328636416] [client 72.15.99.187] File does not exist: /usr/local/apache2/htdocs/favicon.ico`,
			"apache-error", "webserver/apache/apache", map[string]string{"source.ip": "72.15.99.187", "apache.module": "core", "process.thread.id": "4328636416", "file.path": "/usr/local/apache2/htdocs/favicon.ico"}},
		{"format of Apache HTTP Server, ErrorLogFormat", `[Fri Sep 09 10:42:29.902022 2011] [core:error] [pid 35708:tid 1] (13)Permission denied: [client 203.0.113.7:5] AH00035: access to /x denied (filesystem path '/srv/x') because search permissions are missing, referer: http://a.example/`,
			"apache-error", "webserver/apache/apache", map[string]string{"source.ip": "203.0.113.7", "source.port": "5", "event.code": "AH00035", "http.request.referrer": "http://a.example/"}},
		{"CrowdSec hub, MIT", `2021-11-09  5:13:11 8 [Warning] Access denied for user 'example-user'@'172.17.0.1' (using password: YES)`,
			"mysql-error", "database/mysql/error", map[string]string{"event.action": "login", "event.outcome": "failure", "user.realm": "database", "source.ip": "172.17.0.1", "user.name": "example-user", "event.reason": "access denied"}},
		{"CrowdSec hub, MIT", `Apr 16 05:13:40 ip-172-31-36-243.ap-northeast-2.compute.internal mysql[2769]: 2020-04-16T05:13:40.861934Z 344 [Note] Access denied for user 'root'@'27.155.87.54' (using password: YES)`,
			"syslog", "database/mysql/error", map[string]string{"event.action": "login", "event.outcome": "failure", "user.realm": "database", "source.ip": "27.155.87.54", "user.name": "root", "process.pid": "2769"}},
		{"elastic/beats, Apache-2.0", `161209 14:18:53 [ERROR] Aborting`,
			"mysql-error", "database/mysql/error", map[string]string{"log.level": "ERROR", "event.reason": "Aborting"}},
		{"elastic/beats, Apache-2.0", `161209 14:18:50  InnoDB: Setting file ./ibdata1 size to 10 MB`,
			"mysql-error", "database/mysql/error", map[string]string{"event.action": "notice"}},
		{"elastic/beats, Apache-2.0", `2019-03-24T13:44:31.533096Z 0 [Warning] [MY-010068] [Server] CA certificate ca.pem is self signed.`,
			"mysql-error", "database/mysql/error", map[string]string{"event.code": "MY-010068", "message": "CA certificate ca.pem is self signed."}},
		{"elastic/beats, Apache-2.0", `2023-03-12T15:30:16.866015Z 4016575 [Note] Aborted connection 4016575 to db: 'testdb' user: 'sherlock' host: 'localhost' (Got an error reading communication packets)`,
			"mysql-error", "database/mysql/error", map[string]string{"event.action": "disconnect", "user.name": "sherlock", "db.connection_id": "4016575"}},
		{"format of MySQL 5.5, by the lines above", `161209 14:18:53 [Warning] Access denied for user 'root'@'203.0.113.7' (using password: NO)`,
			"mysql-error", "database/mysql/error", map[string]string{"event.action": "login", "event.outcome": "failure", "user.realm": "database", "source.ip": "203.0.113.7", "user.name": "root"}},
		{"CrowdSec hub, MIT", `65.2.129.7 2023-03-12 11:17:28.425 UTC [53962] zysk@postgres FATAL:  password authentication failed for user "zysk"`,
			"postgres", "database/postgresql/", map[string]string{"event.action": "login", "event.outcome": "failure", "user.realm": "database", "source.ip": "65.2.129.7", "user.name": "zysk", "db.name": "postgres"}},
		{"elastic/beats, Apache-2.0", `2017-04-07 22:45:30.218 CEST [22603] postgres@mydb STATEMENT:  SELECT id, user FROM users WHERE NOT user @> %s`,
			"postgres", "database/postgresql/", map[string]string{"event.action": "query", "db.statement": "SELECT id, user FROM users WHERE NOT user @> %s", "user.name": "postgres"}},
		{"elastic/beats, Apache-2.0", `2017-04-08 21:56:03.362 CEST [891] [unknown]@[unknown] LOG:  incomplete startup packet`,
			"postgres", "database/postgresql/", map[string]string{"user.name": "", "process.pid": "891"}},
		{"elastic/beats, Apache-2.0", `2017-05-27 14:08:13.661 UTC [1308] postgres@mydb FATAL:  database "mydb" does not exist`,
			"postgres", "database/postgresql/", map[string]string{"event.outcome": "failure", "event.action": "notice", "event.reason": `database "mydb" does not exist`}},
		{"elastic/beats, Apache-2.0", `2021-01-04 00:05:06.011 UTC,,,34,"172.24.0.1:42304",5ff25bb2.22,1,"",2021-01-04 00:05:06 UTC,,0,LOG,00000,"connection received: host=172.24.0.1 port=42304",,,,,,,,,""`,
			"postgres-csv", "database/postgresql/", map[string]string{"source.ip": "172.24.0.1", "source.port": "42304", "event.action": "connect"}},
		{"elastic/beats, Apache-2.0", `2021-01-04 01:06:21.083 UTC,"postgres","postgres",86,"172.24.0.1:45126",5ff26a0c.56,2,"authentication",2021-01-04 01:06:20 UTC,3/1,0,LOG,00000,"connection authorized: user=postgres database=postgres application_name=psql",,,,,,,,,"","client backend"`,
			"postgres-csv", "database/postgresql/", map[string]string{"source.ip": "172.24.0.1", "event.action": "login", "event.outcome": "success", "user.name": "postgres"}},
		{"elastic/beats, Apache-2.0", `2021-01-04 01:07:24.374 UTC,"postgres","postgres",86,"172.24.0.1:45126",5ff26a0c.56,13,"CHECKPOINT",2021-01-04 01:06:20 UTC,3/0,0,LOG,00000,"duration: 15.136 ms  statement: checkpoint;",,,,,,,,,"psql","client backend"`,
			"postgres-csv", "database/postgresql/", map[string]string{"source.ip": "172.24.0.1", "event.action": "query", "event.duration": "15.136", "db.statement": "checkpoint;"}},
		{"elastic/beats, Apache-2.0", `2021-01-04 00:05:58.232 UTC,"azlev","azlev",36,"172.24.0.1:42326",5ff25be6.24,2,"authentication",2021-01-04 00:05:58 UTC,3/9,0,FATAL,28P01,"password authentication failed for user ""azlev""","Role ""azlev"" does not exist.`,
			"postgres-csv", "database/postgresql/", map[string]string{"event.action": "login", "event.outcome": "failure", "user.realm": "database", "source.ip": "172.24.0.1", "user.name": "azlev", "event.code": "28P01"}},
		{"grafana/alloy, Apache-2.0", `{"timestamp":"2025-12-12 15:29:42.201 GMT","user":"app-user","dbname":"books_store","pid":9589,"remote_host":"::1","remote_port":52860,"session_id":"693c34e6.2575","line_num":2,"ps":"authentication","session_start":"2025-12-12 15:29:42 GMT","vxid":"159/363","txid":0,"error_severity":"FATAL","state_code":"28P01","message":"password authentication failed for user \"app-user\"","detail":"Connection matched file \"/etc/postgresql/pg_hba_cluster.conf\" line 4: \"host    all             all             ::1/128                md5\"","backend_type":"client backend","query_id":225649433808025698}`,
			"postgres-json", "database/postgresql/", map[string]string{"event.action": "login", "event.outcome": "failure", "user.realm": "database", "source.ip": "::1", "source.port": "52860", "user.name": "app-user", "event.code": "28P01", "db.name": "books_store"}},
		{"grafana/alloy, Apache-2.0", `{"timestamp":"2025-12-12 15:29:31.529 GMT","user":"conn_limited","dbname":"books_store","pid":9449,"remote_host":"[local]","session_id":"693c34db.24e9","line_num":4,"ps":"startup","session_start":"2025-12-12 15:29:31 GMT","vxid":"91/57","txid":0,"error_severity":"FATAL","state_code":"53300","message":"too many connections for role \"conn_limited\"","backend_type":"client backend","query_id":-6883023751393440299}`,
			"postgres-json", "database/postgresql/", map[string]string{"user.name": "conn_limited", "event.action": "notice", "event.outcome": "failure"}},
		{"grafana/alloy, Apache-2.0", `{"timestamp":"2025-12-12 15:29:16.068 GMT","user":"app-user","dbname":"books_store","pid":9112,"remote_host":"[local]","session_id":"693c34cb.2398","line_num":4,"ps":"SELECT","session_start":"2025-12-12 15:29:15 GMT","vxid":"25/112","txid":0,"error_severity":"ERROR","state_code":"57014","message":"canceling statement due to statement timeout","statement":"SELECT pg_sleep(5);","application_name":"psql","backend_type":"client backend","query_id":5457019535816659310}`,
			"postgres-json", "database/postgresql/", map[string]string{"db.statement": "SELECT pg_sleep(5);", "event.outcome": "failure"}},
		{"format of PostgreSQL, log_line_prefix, and its messages", `2019-05-21 08:51:09 GMT [11212]: [1-1] user=postgres,db=testdb,app=[unknown],client=203.0.113.7 FATAL:  no pg_hba.conf entry for host "203.0.113.7", user "postgres", database "testdb", no encryption`,
			"postgres", "database/postgresql/", map[string]string{"event.action": "login", "event.outcome": "failure", "user.realm": "database", "source.ip": "203.0.113.7", "user.name": "postgres", "event.reason": "no pg_hba.conf entry"}},
		{"format of PostgreSQL, log_line_prefix, and its messages", `2019-05-21 08:51:09 GMT:203.0.113.7(52834):anna@shop:[5]:FATAL:  role "anna" does not exist`,
			"postgres", "database/postgresql/", map[string]string{"event.action": "login", "event.outcome": "failure", "user.realm": "database", "source.ip": "203.0.113.7", "source.port": "52834", "user.name": "anna", "event.reason": "role does not exist"}},
		{"format of PostgreSQL, log_line_prefix, and its messages", `2019-05-21 08:51:09 GMT:2001:db8::7(52834):anna@shop:[5]:FATAL:  password authentication failed for user "anna"`,
			"postgres", "database/postgresql/", map[string]string{"event.action": "login", "event.outcome": "failure", "user.realm": "database", "source.ip": "2001:db8::7", "source.port": "52834", "user.name": "anna"}},
		{"format of PostgreSQL, log_line_prefix, and its messages", `2019-05-21 08:51:09 GMT:[local]:anna@shop:[5]:LOG:  statement: SELECT 1`,
			"postgres", "database/postgresql/", map[string]string{"db.statement": "SELECT 1", "user.name": "anna", "db.name": "shop"}},
		{"format of PostgreSQL, log_line_prefix, and its messages", `2019-05-21 08:51:09.123 GMT [5] [unknown]@[unknown] LOG:  connection received: host=203.0.113.7 port=52834`,
			"postgres", "database/postgresql/", map[string]string{"source.ip": "203.0.113.7", "source.port": "52834", "event.action": "connect"}},
		{"format of PostgreSQL, log_line_prefix, and its messages", `2019-05-21 08:51:09.123 GMT [5] LOG:  disconnection: session time: 0:01:04.968 user=postgres database=postgres host=203.0.113.7 port=45126`,
			"postgres", "database/postgresql/", map[string]string{"source.ip": "203.0.113.7", "event.action": "disconnect"}},
		{"format of PostgreSQL, log_line_prefix, and its messages", `< 2019-05-21 08:51:09.123 GMT >LOG:  connection received: host=203.0.113.7 port=52834`,
			"postgres", "database/postgresql/", map[string]string{"source.ip": "203.0.113.7", "event.action": "connect"}},
		{"format of PostgreSQL, log_line_prefix, and its messages", `Nov  9 01:00:00 h postgres[5]: [3-1] 2026-11-09 01:00:00.123 UTC [5] a@b LOG:  execute <unnamed>: SELECT 1`,
			"syslog", "database/postgresql/", map[string]string{"event.action": "query", "db.statement": "SELECT 1", "user.name": "a", "db.name": "b"}},
		{"elastic/go-libaudit, Apache-2.0", `type=USER_LOGIN msg=audit(1492896301.818:19955): pid=12635 uid=0 auid=4294967295 ses=4294967295 msg='op=login acct=28696E76616C6964207573657229 exe="/usr/sbin/sshd" hostname=? addr=179.38.151.221 terminal=sshd res=failed'`,
			"auditd", "authentication/linux/auditd", map[string]string{"source.ip": "179.38.151.221", "event.action": "login", "event.outcome": "failure", "event.reason": "invalid user", "user.realm": "ssh", "user.name": "", "acct": "(invalid user)", "type": "USER_LOGIN", "process.name": "sshd"}},
		{"elastic/go-libaudit, Apache-2.0", `type=USER_AUTH msg=audit(1481077043.046:408): pid=1298 uid=0 auid=4294967295 ses=4294967295 subj=system_u:system_r:sshd_t:s0-s0:c0.c1023 msg='op=pubkey_auth rport=63927 acct="andrew_kroh" exe="/usr/sbin/sshd" hostname=? addr=96.241.146.97 terminal=? res=success'`,
			"auditd", "authentication/linux/auditd", map[string]string{"source.ip": "96.241.146.97", "event.action": "key-offered", "event.outcome": "success", "user.name": "andrew_kroh"}},
		{"elastic/go-libaudit, Apache-2.0", `type=SYSCALL msg=audit(1490801406.273:512226): arch=c000003e syscall=42 success=no exit=-115 a0=6 a1=7ffeb50e4570 a2=10 a3=fe items=0 ppid=1 pid=1170 auid=4294967295 uid=0 gid=0 euid=0 suid=0 fsuid=0 egid=0 sgid=0 fsgid=0 tty=(none) ses=4294967295 comm="google_ip_forwa" exe=2F7573722F62696E2F707974686F6E322E373B3538643163636662202864656C6574656429 subj=system_u:system_r:unconfined_service_t:s0 key=(null)`,
			"auditd", "/linux/auditd", map[string]string{"event.outcome": "failure", "exe": "/usr/bin/python2.7;58d1ccfb (deleted)", "process.name": "google_ip_forwa", "a0": "6", "event.action": "syscall"}},
		{"elastic/go-libaudit, Apache-2.0", `type=PATH msg=audit(1492037291.036:59): item=0 name="/usr/bin/grep" inode=2512 dev=08:01 mode=0100755 ouid=0 ogid=0 rdev=00:00 obj=system_u:object_r:bin_t:s0 objtype=NORMAL`,
			"auditd", "/linux/auditd", map[string]string{"name": "/usr/bin/grep", "file.path": "/usr/bin/grep", "type": "PATH"}},
		{"elastic/beats, Apache-2.0", `type=EXECVE msg=audit(1669615313.901:5538): argc=3 a0="sh" a1="-c" a2=6563686F205C226172672068657820656E636F6465645C22`,
			"auditd", "/linux/auditd", map[string]string{"a0": "sh", "a1": "-c", "a2": `echo \"arg hex encoded\"`, "process.command_line": `sh -c echo \"arg hex encoded\"`, "event.action": "command"}},
		{"elastic/beats, Apache-2.0", `type=ADD_USER msg=audit(1610903553.730:591): pid=2945 uid=0 auid=1000 ses=14 msg='op=adding user id=1004 exe="/usr/sbin/useradd" hostname=ubuntu-bionic addr=127.0.0.1 terminal=pts/2 res=success'`,
			"auditd", "/linux/auditd", map[string]string{"source.ip": "127.0.0.1", "event.action": "user-created", "event.outcome": "success", "op": "adding user", "id": "1004", "exe": "/usr/sbin/useradd"}},
		{"elastic/beats, Apache-2.0", `type=USER_CMD msg=audit(1489519256.192:19600329): user pid=4151 uid=497 auid=700 ses=11988 msg='cwd="/" cmd=2F7573722F6C696236342F6E6167696F732F706C7567696E732F636865636B5F617374657269736B5F7369705F7065657273202D7020323032 terminal=? res=success'`,
			"auditd", "/linux/auditd", map[string]string{"event.action": "command", "process.command_line": "/usr/lib64/nagios/plugins/check_asterisk_sip_peers -p 202", "event.outcome": "success"}},
		{"elastic/beats, Apache-2.0", `type=PROCTITLE msg=audit(1451781471.394:194440): proctitle=737368643A206275726E205B707269765D`,
			"auditd", "/linux/auditd", map[string]string{"process.command_line": "sshd: burn [priv]"}},
		{"open-telemetry/opentelemetry-collector-contrib, Apache-2.0", `{ "_BOOT_ID": "c4fa36de06824d21835c05ff80c54468", "_CAP_EFFECTIVE": "0", "_TRANSPORT": "journal", "_UID": "1000", "_EXE": "/usr/lib/systemd/systemd", "_AUDIT_LOGINUID": "1000", "MESSAGE": "run-docker-netns-4f76d707d45f.mount: Succeeded.", "_PID": "13894", "_CMDLINE": "/lib/systemd/systemd --user", "_MACHINE_ID": "d777d00e7caf45fbadedceba3975520d", "_SELINUX_CONTEXT": "unconfined\n", "CODE_FUNC": "unit_log_success", "SYSLOG_IDENTIFIER": "systemd", "_HOSTNAME": "myhostname", "MESSAGE_ID": "7ad2d189f7e94e70a38c781354912448", "_SYSTEMD_CGROUP": "/user.slice/user-1000.slice/user@1000.service/init.scope", "_SOURCE_REALTIME_TIMESTAMP": "1587047866229317", "USER_UNIT": "run-docker-netns-4f76d707d45f.mount", "SYSLOG_FACILITY": "3", "_SYSTEMD_SLICE": "user-1000.slice", "_AUDIT_SESSION": "286", "CODE_FILE": "../src/core/unit.c", "_SYSTEMD_USER_UNIT": "init.scope", "_COMM": "systemd", "USER_INVOCATION_ID": "88f7ca6bbf244dc8828fa901f9fe9be1", "CODE_LINE": "5487", "_SYSTEMD_INVOCATION_ID": "83f7fc7799064520b26eb6de1630429c", "PRIORITY": "6", "_GID": "1000", "__REALTIME_TIMESTAMP": "1587047866229555", "_SYSTEMD_UNIT": "user@1000.service", "_SYSTEMD_USER_SLICE": "-.slice", "__CURSOR": "s=b1e713b587ae4001a9ca482c4b12c005;i=1eed30;b=c4fa36de06824d21835c05ff80c54468;m=9f9d630205;t=5a369604ee333;x=16c2d4fd4fdb7c36", "__MONOTONIC_TIMESTAMP": "685540311557", "_SYSTEMD_OWNER_UID": "1000" }`,
			"journal-json", "/linux/syslog", map[string]string{"host.name": "myhostname", "process.name": "systemd", "process.pid": "13894", "event.action": "unit-state", "systemd.unit": "run-docker-netns-4f76d707d45f.mount", "journald.unit": "user@1000.service", "log.syslog.severity.code": "6"}},
		{"openfaas/faasd, MIT", `{ "__CURSOR" : "s=71c4550142d14ace8e2959e3540cc15c;i=133c;b=44864010f0d94baba7b6bf8019f82a56;m=2945cd3;t=5a00d4eb59180;x=8ed47f7f9b3d798", "__REALTIME_TIMESTAMP" : "1583353899094400", "__MONOTONIC_TIMESTAMP" : "43277523", "_BOOT_ID" : "44864010f0d94baba7b6bf8019f82a56", "SYSLOG_IDENTIFIER" : "openfaas-fn:nodeinfo", "_PID" : "2254", "MESSAGE" : "2020/03/04 20:31:39 POST / - 200 OK - ContentLength: 83", "_SOURCE_REALTIME_TIMESTAMP" : "1583353899094372" }`,
			"journal-json", "/linux/syslog", map[string]string{"process.name": "openfaas-fn:nodeinfo", "message": "2020/03/04 20:31:39 POST / - 200 OK - ContentLength: 83"}},
		{"elastic/beats, Apache-2.0", `{"MESSAGE": [85,110,97,98,108,101,32,116,111,32,112,97,114,115,101,32,105,110,100,105,99,97,116,111,114,32,111,102,32,65,84,43,66,73,65,32,99,111,109,109,97,110,100,58,32,65,84,43,66,73,65,61,49,44,49,44,48,44,48,44,48,13,65,84,43,66,67,83,61,50], "PRIORITY": "3", "PULSE_BACKTRACE": "", "SYSLOG_IDENTIFIER": "pulseaudio", "_COMM": "pulseaudio", "_EXE": "/usr/bin/pulseaudio", "_HOSTNAME": "millennium-falcon", "_PID": "3728", "__REALTIME_TIMESTAMP": "1719859366807141"}`,
			"journal-json", "/linux/syslog", map[string]string{"message": "Unable to parse indicator of AT+BIA command: AT+BIA=1,1,0,0,0\rAT+BCS=2", "process.name": "pulseaudio"}},
		{"format of systemd, Journal Export Formats", `{"__REALTIME_TIMESTAMP":"1772212581114753","_TRANSPORT":"syslog","SYSLOG_IDENTIFIER":"sshd-session","_HOSTNAME":"shop1","_PID":"378","PRIORITY":"6","MESSAGE":"Failed password for invalid user x from 203.0.113.7 port 37670 ssh2"}`,
			"journal-json", "authentication/linux/sshd", map[string]string{"source.ip": "203.0.113.7", "source.port": "37670", "user.name": "x", "event.action": "login", "event.outcome": "failure", "host.name": "shop1"}},
		{"CrowdSec hub, MIT", `guacamole_compose           | 2023-04-06T09:13:34,820Z [http-nio-8080-exec-5] WARN  o.a.g.r.auth.AuthenticationService - Authentication attempt from [127.0.0.1, 172.18.0.2] for user "test" failed.`,
			"guacamole", "application/linux/guacamole", map[string]string{"source.ip": "127.0.0.1", "network.forwarded_ip": "127.0.0.1", "event.action": "login", "event.outcome": "failure", "user.realm": "admin", "user.name": "test"}},
		{"CrowdSec hub, MIT", `guacamole_compose           | 2023-04-06T09:14:10,979Z [http-nio-8080-exec-8] WARN  o.a.g.r.auth.AuthenticationService - Authentication attempt from [127.0.0.1, 172.18.0.2] for user "test@example.com" failed.`,
			"guacamole", "application/linux/guacamole", map[string]string{"source.ip": "127.0.0.1", "network.forwarded_ip": "127.0.0.1", "event.action": "login", "event.outcome": "failure", "user.realm": "admin", "user.name": "test@example.com"}},
		{"CrowdSec hub, MIT", `guacamole_compose           | 2023-04-06T09:13:38,651Z [http-nio-8080-exec-7] WARN  o.a.g.r.auth.AuthenticationService - Authentication attempt from [127.0.0.1, 172.18.0.2] for user "test" failed.`,
			"guacamole", "application/linux/guacamole", map[string]string{"source.ip": "127.0.0.1", "network.forwarded_ip": "127.0.0.1", "event.action": "login", "event.outcome": "failure", "user.realm": "admin"}},
		{"format of Apache Guacamole, AuthenticationService", `Nov  9 01:00:00 h tomcat9[5]: 09:13:38.651 [http-nio-8080-exec-7] INFO  o.a.g.r.auth.AuthenticationService - User "guacadmin" successfully authenticated from [203.0.113.7, 127.0.0.1].`,
			"syslog", "application/linux/guacamole", map[string]string{"source.ip": "203.0.113.7", "user.name": "guacadmin", "event.action": "login", "event.outcome": "success"}},
		{"format of Apache Guacamole, guacd", `Nov  9 01:00:00 h guacd[5]: User "@7a" joined connection "$9b" (2 users now present)`,
			"syslog", "application/linux/guacamole", map[string]string{"event.action": "session-opened"}},
	}
}
