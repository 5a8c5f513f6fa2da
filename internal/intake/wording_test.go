package intake

import (
	"net/netip"
	"strings"
	"testing"

	"tocsin/internal/record"
)

// A saidCase is a line that tells of a sign-in, and who must be read from it.
type saidCase struct {
	origin, line      string
	format            string
	action, outcome   string
	realm, user, addr string
}

// Given lines of mail servers and other services, when each is read by content, then they name who tried to sign in and
// from where. Lines come from public bug reports and examples, with hosts and accounts changed; where only a program's
// source gives the wording, the origin says "format of".
func TestWordedLines(t *testing.T) {
	for _, c := range saidCases {
		r := parse(t, Options{}, c.line)
		got := saidCase{c.origin, c.line, r.Format, r.Text(record.EventAction), r.Text(record.EventOutcome), r.Text(record.UserRealm), r.Text(record.UserName), r.Text(record.SourceIP)}
		if got != c || r.Class != record.Parsed {
			t.Errorf("%s: %s\nis  %+v\nnot %+v", c.origin, r.Class, got, c)
		}
		if known, ok := Known([]string{c.line}); !ok || known != c.format {
			t.Errorf("%s: %.60q is known as %q", c.origin, c.line, known)
		}
		if !listed(r.Source) {
			t.Errorf("%s: Sources does not list %+v", c.origin, r.Source)
		}
	}
}

var saidCases = []saidCase{
	{"a report on Postfix", `Oct  7 06:52:59 v76075 postfix/smtpd[11163]: warning: unknown[203.0.113.7]: SASL LOGIN authentication failed: authentication failure`, "syslog", "login", "failure", "mail", "", realIP},
	{"a report on Postfix", `Oct  7 06:52:59 mx postfix/smtpd[1823363]: warning: unknown[203.0.113.7]: SASL LOGIN authentication failed: (reason unavailable), sasl_username=bob@example.com`, "syslog", "login", "failure", "mail", "bob@example.com", realIP},
	{"a report on Postfix", `May  6 09:00:38 remote postfix/smtpd[27309]: NOQUEUE: reject: RCPT from unknown[203.0.113.7]: 454 4.7.1 Service unavailable; Client host [203.0.113.7] blocked using zen.spamhaus.org; from=<x@example.com> to=<a@example.com> proto=ESMTP helo=<mx.example>`, "syslog", "mail-rejected", "failure", "", "", realIP},
	{"format of Postfix, postscreen", `May  6 09:00:38 mx postfix/postscreen[27309]: PREGREET 14 after 0.1 from [203.0.113.7]:4411: EHLO x\r\n`, "syslog", "probe", "", "", "", realIP},
	{"format of Postfix, smtpd", `May  6 09:00:38 mx postfix/smtpd[27309]: warning: non-SMTP command from unknown[203.0.113.7]: GET / HTTP/1.1`, "syslog", "probe", "", "", "", realIP},
	{"format of Postfix, smtpd", `May  6 09:00:38 mx postfix/smtpd[27309]: improper command pipelining after EHLO from unknown[203.0.113.7]: QUIT`, "syslog", "probe", "", "", "", realIP},
	{"format of Postfix, smtpd", `May  6 09:00:38 mx postfix/submission/smtpd[18]: 4C1A12F4D3: client=unknown[203.0.113.7], sasl_method=LOGIN, sasl_username=anna`, "syslog", "login", "success", "mail", "anna", realIP},
	{"a report on Dovecot", `May 11 10:02:23 server dovecot: pop3-login: Disconnected (auth failed, 1 attempts in 16 secs): user=<admin@example.com>, method=PLAIN, rip=203.0.113.7, lip=192.168.0.9, TLS: Disconnected, session=<3anhocoVjwBRamBc>`, "syslog", "login", "failure", "mail", "admin@example.com", realIP},
	{"a report on Dovecot 2.4", `Jun 12 20:02:23 kvm456 dovecot[996]: imap-login: Login aborted: Connection closed (auth failed, 2 attempts in 14 secs) (auth_failed): user=<jose>, method=PLAIN, rip=203.0.113.7, lip=192.0.2.93, TLS, session=<8oNSumM3A8mK/86a>`, "syslog", "login", "failure", "mail", "jose", realIP},
	{"a report on Dovecot's own log", `Jun 12 19:24:38 imap-login: Info: Login aborted: Connection closed (auth failed, 3 attempts in 15 secs) (auth_failed): user=<eft>, method=PLAIN, rip=203.0.113.7, lip=192.0.2.93, TLS, session=<25Nw4GQ3Ms9QM7WQ>`, "worded", "login", "failure", "mail", "eft", realIP},
	{"format of Dovecot, auth-worker", `Jun 12 20:02:23 h dovecot: auth-worker(123): conn unix:auth-worker (pid=1,uid=2): auth-worker<5>: sql(anna,203.0.113.7,<abc>): Password mismatch`, "syslog", "auth-check", "failure", "mail", "anna", realIP},
	{"format of Dovecot, login", `Jun 12 20:02:23 h dovecot: imap-login: Login: user=<anna>, method=PLAIN, rip=203.0.113.7, lip=192.0.2.93, mpid=5, TLS, session=<x>`, "syslog", "login", "success", "mail", "anna", realIP},
	{"a test of a shop's log reader, Exim", `2025-06-08 15:56:32 login authenticator failed for ([58.252.212.231]) [203.0.113.7]: 535 Incorrect authentication data (set_id=user1@example.com)`, "worded", "login", "failure", "mail", "user1@example.com", realIP},
	{"a report on Exim", `2017-04-24 00:06:31 fixed_login authenticator failed for (User) [203.0.113.7]: 435 Unable to authenticate at present (set_id=scanner): error in perl_startup code`, "worded", "login", "failure", "mail", "scanner", realIP},
	{"format of Exim, with ports and interface", `2026-04-14 12:00:00 dovecot_login authenticator failed for H=bot.example (x) [203.0.113.7]:54321 I=[192.0.2.5]:25: 535 Incorrect authentication data (set_id=a)`, "worded", "login", "failure", "mail", "a", realIP},
	{"format of Exim, rejected", `2026-04-14 12:00:00 H=(x) [203.0.113.7] F=<a@example.com> rejected RCPT <c@example.com>: relay not permitted`, "worded", "mail-rejected", "failure", "", "", realIP},
	{"format of Exim, protocol", `2026-04-14 12:00:00 SMTP protocol synchronization error (input sent without waiting for greeting): rejected connection from H=[203.0.113.7] input="GET"`, "worded", "probe", "", "", "", realIP},
	{"format of Cyrus", `Nov  9 01:00:00 h imaps[5]: badlogin: host.example [203.0.113.7] plaintext user SASL(-13): authentication failure: checkpass failed`, "syslog", "login", "failure", "mail", "", realIP},
	{"format of Courier", `Nov  9 01:00:00 h imapd-ssl: LOGIN FAILED, user=x, ip=[::ffff:203.0.113.7]`, "syslog", "login", "failure", "mail", "x", realIP},
	{"format of Dropbear", `Nov  9 01:00:00 h dropbear[5]: Bad password attempt for 'root' from 203.0.113.7:5678`, "syslog", "login", "failure", "ssh", "root", realIP},
	{"format of Dropbear", `Nov  9 01:00:00 h dropbear[5]: Login attempt for nonexistent user from 203.0.113.7:5678`, "syslog", "login", "failure", "ssh", "", realIP},
	{"format of util-linux login", `Nov  9 01:00:00 h login[5]: FAILED LOGIN 1 FROM 203.0.113.7 FOR root, Authentication failure`, "syslog", "login", "failure", "system", "root", realIP},
	{"format of shadow login", `Nov  9 01:00:00 h login[5]: FAILED LOGIN (1) on '/dev/pts/0' from '203.0.113.7' FOR 'root', Authentication failure`, "syslog", "login", "failure", "system", "root", realIP},
	{"format of BusyBox login", `Nov  9 01:00:00 h login[5]: invalid password for 'root' on 'pts/0' from '203.0.113.7'`, "syslog", "login", "failure", "system", "root", realIP},
	{"a report on Samba", `Nov  9 01:00:00 h smbd_audit[5]: Auth: [SMB2,(null)] user [WORKGROUP]\[admin] at [Thu, 04 Apr 2019 13:35:01.098140 SAST] with [NTLMv2] status [NT_STATUS_WRONG_PASSWORD] workstation [X] remote host [ipv4:203.0.113.7:5678] mapped to [W]\[a]. local host [ipv4:192.168.50.109:445]`, "syslog", "login", "failure", "system", "admin", realIP},
	{"format of OpenVPN", `Nov  9 01:00:00 h openvpn[5]: 203.0.113.7:5678 TLS Auth Error: Auth Username/Password verification failed for peer`, "syslog", "login", "failure", "system", "", realIP},
	{"format of Proxmox", `Nov  9 01:00:00 h pvedaemon[5]: authentication failure; rhost=::ffff:203.0.113.7 user=root@pam msg=Authentication failure`, "syslog", "login", "failure", "system", "root@pam", realIP},
	{"format of Webmin", `Nov  9 01:00:00 h webmin[5]: Invalid login as root from 203.0.113.7`, "syslog", "login", "failure", "system", "root", realIP},
	{"format of Roundcube", `Nov  9 01:00:00 h roundcube: <abc> IMAP Error: Login failed for admin against localhost from 203.0.113.7. AUTHENTICATE PLAIN: Authentication failed. in /x.php`, "syslog", "login", "failure", "mail", "admin", realIP},
	{"format of phpMyAdmin", `Nov  9 01:00:00 h phpMyAdmin[5]: user denied: root (mysql-denied) from 203.0.113.7`, "syslog", "login", "failure", "database", "root", realIP},
	{"format of Drupal", `Nov  9 01:00:00 h drupal: https://x.example|1638367200|user|203.0.113.7|https://x.example/user/login||0||Login attempt failed for admin.`, "syslog", "login", "failure", "system", "admin", realIP},
	{"format of Gitea", `2021/12/01 10:00:00 ...routers/user/auth.go:153:SignInPost() [I] Failed authentication attempt for bob from 203.0.113.7:0: user does not exist`, "worded", "login", "failure", "system", "bob", realIP},
	{"a report on Vaultwarden", `[2024-08-31 02:11:22.129][vaultwarden::api::identity][ERROR] Username or password is incorrect. Try again. IP: 203.0.113.7. Username: test@example.com.`, "worded", "login", "failure", "system", "test@example.com", realIP},
	{"format of Vaultwarden", `[2024-08-31 02:11:22.129][vaultwarden::api::admin][ERROR] Invalid admin token. IP: 203.0.113.7`, "worded", "login", "failure", "system", "", realIP},
	{"format of Home Assistant, ban.py", `2021-05-06 10:00:00 WARNING (MainThread) [homeassistant.components.http.ban] Login attempt or request with invalid authentication from host.example (203.0.113.7). Requested URL: '/auth/login_flow'. (Mozilla)`, "worded", "login", "failure", "system", "", realIP},
	{"format of Home Assistant, once", `2021-05-06 10:00:00.123 WARNING (MainThread) [homeassistant.components.http.ban] Login attempt or request with invalid authentication from 203.0.113.7`, "worded", "login", "failure", "system", "", realIP},
	{"format of Jellyfin", `[2021-05-06 10:00:00.123 +00:00] [INF] [29] Jellyfin.Server.Implementations.Users.UserManager: Authentication request for "bob" has been denied (IP: "203.0.113.7").`, "worded", "login", "failure", "system", "bob", realIP},
	{"format of Synology", `2021-05-06T10:00:00+02:00 nas System: System User [admin] from [203.0.113.7] failed to log in via [DSM] due to authorization failure.`, "syslog", "login", "failure", "system", "admin", realIP},
	{"format of Odoo", `2021-05-06 10:00:00,123 1234 INFO db odoo.addons.base.models.res_users: Login failed for db:x login:admin from 203.0.113.7`, "worded", "login", "failure", "system", "admin", realIP},
	{"format of Authelia", `time="2021-05-06T10:00:00Z" level=error msg="Unsuccessful 1FA authentication attempt by user 'john'" method=POST path=/api/firstfactor remote_ip=203.0.113.7`, "worded", "login", "failure", "system", "john", realIP},
	{"format of Grafana", `t=2021-05-06T10:00:00+0000 lvl=eror msg="Invalid username or password" logger=context userId=0 orgId=0 uname= error="Invalid Username or Password" remote_addr=203.0.113.7`, "worded", "login", "failure", "system", "", realIP},
	{"format of Keycloak", `2021-05-06 10:00:00,938 WARN  [org.keycloak.events] (default task-1) type=LOGIN_ERROR, realmId=m, clientId=c, userId=null, ipAddress=203.0.113.7, error=user_not_found, auth_method=openid-connect, username=admin`, "worded", "login", "failure", "system", "admin", realIP},
	{"format of Nextcloud", `{"reqId":"a","level":2,"time":"2021-05-06T10:00:00+00:00","remoteAddr":"203.0.113.7","user":"--","app":"core","method":"POST","url":"/login","message":"Login failed: admin (Remote IP: 203.0.113.7)","userAgent":"x"}`, "app-json", "login", "failure", "system", "admin", realIP},
	{"format of xrdp", `[20210506-10:00:00] [INFO ] AUTHFAIL: user=root ip=203.0.113.7 time=1620295200`, "worded", "login", "failure", "system", "root", realIP},
	{"format of RealVNC", `2021-05-06T10:00:00.123Z h vncserver-x11[5]: Connections: disconnected: 203.0.113.7::5678 (TCP) ([AuthFailure] Either the username was not recognised, or the password was incorrect)`, "syslog", "login", "failure", "system", "", realIP},
	{"format of Microsoft SQL Server", `2021-05-06 10:00:00.12 Logon       Login failed for user 'sa'. Reason: Password did not match that for the login provided. [CLIENT: 203.0.113.7]`, "worded", "login", "failure", "database", "sa", realIP},
	{"format of FreeSWITCH", `2021-05-06 10:00:00.123456 [WARNING] sofia_reg.c:1793 SIP auth failure (REGISTER) on sofia profile 'internal' for [100@192.0.2.4] from ip 203.0.113.7`, "worded", "login", "failure", "system", "100@192.0.2.4", realIP},
	{"format of Asterisk, chan_sip", `[2021-10-07 10:00:00] NOTICE[1234] chan_sip.c: Registration from '"100" <sip:100@192.0.2.9>' failed for '203.0.113.7:5060' - Wrong password`, "worded", "login", "failure", "system", "100", realIP},
	{"format of Asterisk, res_pjsip", `[2021-10-07 10:00:00] NOTICE[1234] res_pjsip/pjsip_distributor.c: Request 'REGISTER' from '"x" <sip:100@192.0.2.9>' failed for '203.0.113.7:5060' (callid: xx) - No matching endpoint found`, "worded", "login", "failure", "system", "100", realIP},
	{"format of Asterisk, security events", `[Jul 25 17:20:02] SECURITY[1234] res_security_log.c: SecurityEvent="InvalidPassword",EventTV="x",Severity="Error",Service="PJSIP",AccountID="2001",SessionID="s1",LocalAddress="IPV4/UDP/192.168.1.1/5060",RemoteAddress="IPV4/UDP/203.0.113.7/55060",Challenge="abc"`, "worded", "login", "failure", "system", "2001", realIP},
	{"format of MongoDB", `{"t":{"$date":"2021-05-06T10:00:00.000+00:00"},"s":"I","c":"ACCESS","id":20249,"ctx":"conn5","msg":"Authentication failed","attr":{"mechanism":"SCRAM-SHA-256","principalName":"admin","authenticationDatabase":"admin","client":"203.0.113.7:5678","result":"UserNotFound: x"}}`, "mongodb", "login", "failure", "database", "admin", realIP},
	{"format of scanlogd", `Nov  9 01:00:00 h scanlogd: 203.0.113.7:5678 to 192.0.2.8 ports 80, 81, 443, fSrpauxy, TOS 00 @10:00:00`, "syslog", "port-scan", "failure", "", "", realIP},
	{"format of LiteSpeed", `2021-05-06 10:00:00.123456 [NOTICE] [123] [STDERR] [WebAdmin Console] Failed Login Attempt - username:admin ip:203.0.113.7 url:http://192.0.2.1:7080/login.php`, "worded", "login", "failure", "system", "admin", realIP},
	{"format of Zimbra", `2021-05-06 10:00:00,123 WARN  [qtp-1] [name=x@example.com;ip=127.0.0.1;oip=203.0.113.7;ua=zclient;] security - cmd=Auth; account=x@example.com; protocol=soap; error=authentication failed for [x@example.com], invalid password;`, "worded", "login", "failure", "mail", "x@example.com", realIP},
	{"format of RouterOS", `Nov  9 01:00:00 router system,error,critical login failure for user admin from 203.0.113.7 via ssh`, "worded", "login", "failure", "system", "admin", realIP},
	{"format of Cisco IOS", `Nov  9 01:00:00 sw1 123: %SEC_LOGIN-4-LOGIN_FAILED: Login failed [user: admin] [Source: 203.0.113.7] [localport: 22] [Reason: Login Authentication Failed]`, "syslog", "login", "failure", "system", "admin", realIP},
	{"format of ejabberd", `2021-05-06 10:00:00.123 [warning] <0.1.0> (tls|<0.1.0>) Failed c2s PLAIN authentication for x@example.com from ::ffff:203.0.113.7: Invalid username or password`, "worded", "login", "failure", "system", "x@example.com", realIP},
	{"format of Mumble", `<W>2021-05-06 10:00:00.123 1 => <6:x(-1)> Rejected connection from 203.0.113.7:5678: Wrong certificate or password for existing user`, "worded", "login", "failure", "system", "", realIP},
	{"format of OPNsense", `Nov  9 01:00:00 fw audit[5]: /index.php: Web GUI authentication error for 'root' from 203.0.113.7`, "syslog", "login", "failure", "system", "root", realIP},
	{"format of TCP wrappers", `Nov  9 01:00:00 h sshd[5]: refused connect from host.example (203.0.113.7)`, "syslog", "connect-refused", "failure", "", "", realIP},
	{"format of cPanel", `[2021-05-06 10:00:00 +0000] info [cpaneld] 203.0.113.7 - root "POST /login/?login_only=1 HTTP/1.1" FAILED LOGIN cpaneld: user name not provided or invalid user`, "worded", "login", "failure", "system", "", realIP},
}

// Whatever name, greeting or password a client sends, a line names its address or none.
func FuzzWorded(f *testing.F) {
	templates := []string{
		`Oct  7 06:52:59 h postfix/smtpd[1]: warning: unknown[203.0.113.7]: SASL LOGIN authentication failed: x, sasl_username=%s`,
		`Oct  7 06:52:59 h postfix/smtpd[1]: NOQUEUE: reject: RCPT from unknown[203.0.113.7]: 554 5.7.1 <%s>: Relay access denied; from=<%s> to=<%s> proto=ESMTP helo=<%s>`,
		`Oct  7 06:52:59 h postfix/smtpd[1]: warning: non-SMTP command from unknown[203.0.113.7]: %s`,
		`Jun 12 20:02:23 h dovecot[996]: imap-login: Disconnected (auth failed, 2 attempts in 14 secs): user=<%s>, method=PLAIN, rip=203.0.113.7, lip=192.0.2.93`,
		`2026-04-14 12:00:00 login authenticator failed for (x) [203.0.113.7]:5: 535 Incorrect authentication data (set_id=%s)`,
		`Nov  9 01:00:00 h dropbear[5]: Bad password attempt for '%s' from 203.0.113.7:5678`,
		`Nov  9 01:00:00 h login[5]: invalid password for '%s' on 'pts/0' from '203.0.113.7'`,
		`Nov  9 01:00:00 h webmin[5]: Invalid login as %s from 203.0.113.7`,
		`Nov  9 01:00:00 h phpMyAdmin[5]: user denied: %s (mysql-denied) from 203.0.113.7`,
		`2021/12/01 10:00:00 auth.go:153:SignInPost() [I] Failed authentication attempt for %s from 203.0.113.7:0`,
		`[2024-08-31 02:11:22.129][vaultwarden::api::identity][ERROR] Username or password is incorrect. Try again. IP: 203.0.113.7. Username: %s.`,
		`[2021-05-06 10:00:00.123 +00:00] [INF] [29] Authentication request for "%s" has been denied (IP: "203.0.113.7").`,
		`2021-05-06 10:00:00,123 1234 INFO db odoo: Login failed for db:x login:%s from 203.0.113.7`,
		`time="2021-05-06T10:00:00Z" level=error msg="Unsuccessful 1FA authentication attempt by user '%s'" method=POST remote_ip=203.0.113.7`,
		`[2021-10-07 10:00:00] NOTICE[1234] chan_sip.c: Registration from '%s' failed for '203.0.113.7:5060' - Wrong password`,
		`[2021-10-07 10:00:00] SECURITY[1] res_security_log.c: SecurityEvent="InvalidPassword",AccountID="%s",RemoteAddress="IPV4/UDP/203.0.113.7/55060"`,
		`2021-05-06 10:00:00.12 Logon       Login failed for user '%s'. Reason: x. [CLIENT: 203.0.113.7]`,
		`Nov  9 01:00:00 h sshd[1]: Failed password for invalid user %s from 203.0.113.7 port 5 ssh2`,
		`Nov  9 01:00:00 h roundcube: <abc> IMAP Error: Login failed for %s against localhost from 203.0.113.7. AUTHENTICATE PLAIN`,
		`Nov  9 01:00:00 h drupal: https://x.example|1638367200|user|203.0.113.7|https://x.example/||0||Login attempt failed for %s.`,
		`Nov  9 01:00:00 h imapd-ssl: LOGIN FAILED, user=%s, ip=[::ffff:203.0.113.7]`,
	}
	for _, name := range []string{"root", "", "x' from 9.9.9.9:5", "x from 9.9.9.9", `x" has been denied (IP: "9.9.9.9").`, "x, rip=9.9.9.9, lip=1.1.1.1", "x>, rip=9.9.9.9,", "x [9.9.9.9]", "x (Remote IP: 9.9.9.9)",
		"x' failed for '9.9.9.9:1' - Wrong password", `x",RemoteAddress="IPV4/UDP/9.9.9.9/1"`, "x remote_ip=9.9.9.9", "x. [CLIENT: 9.9.9.9]", "9.9.9.9", "Login failed: x (Remote IP: 9.9.9.9)", "x (mysql-denied) from 9.9.9.9", "|user|9.9.9.9|",
		"Try again. IP: 9.9.9.9", "unknown[9.9.9.9]: SASL LOGIN authentication failed", "x, ip=[9.9.9.9]", " authenticator failed for [9.9.9.9]"} {
		for i := range templates {
			f.Add(name, byte(i))
		}
	}
	f.Fuzz(func(t *testing.T, name string, which byte) {
		if strings.ContainsAny(name, "\n\r") {
			t.Skip()
		}
		line := strings.ReplaceAll(templates[int(which)%len(templates)], "%s", name)
		r := parse(t, Options{}, line)
		if ip := r.Text(record.SourceIP); ip != "" && ip != realIP {
			t.Fatalf("%q\nsource.ip is %q (%s)", line, ip, r.Format)
		}
		if ip, ok := r.Get(record.SourceIP); ok {
			if _, err := netip.ParseAddr(ip.Text); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// What a client typed into a log that is not the program's, or into another column, is no sign-in and names nobody.
func TestWordsOfClients(t *testing.T) {
	for _, line := range []string{
		`2026-11-09 10:00:00 GET /search?q=Failed authentication attempt for root from 9.9.9.9`,
		`2026-11-09 10:00:00 INFO search q="Login failed: root (Remote IP: 9.9.9.9)" ip=203.0.113.7`,
		`2026-11-09 10:00:00 203.0.113.7 - search SecurityEvent="SuccessfulAuth",AccountID="root",RemoteAddress="9.9.9.9"`,
		`2026-11-09 10:00:00 203.0.113.7 asks /x?Host 9.9.9.9 failed MD5 authentication for 'root'`,
		`{"time":"2026-11-09T10:00:00Z","event":"search","message":"Login failed: root (Remote IP: 9.9.9.9)","remoteAddr":"203.0.113.7"}`,
		`Nov  9 01:00:00 h drupal: https://x.example|1638367200|page not found|203.0.113.7|https://x.example/|user|9.9.9.9||0||Session opened for admin.`,
		`Nov  9 01:00:00 h drupal: https://x.example|1638367200|user|203.0.113.7|https://x.example/|Session opened for admin.|0||Password reset instructions mailed.`,
	} {
		r := parse(t, Options{}, line)
		if ip := r.Text(record.SourceIP); ip != "" && ip != realIP {
			t.Errorf("%s: source.ip is %s", line, ip)
		}
		if r.Text(record.EventOutcome) != "" {
			t.Errorf("%s: is a sign-in", line)
		}
	}
	r := parse(t, Options{}, `Nov  9 01:00:00 h smbd_audit[5]: Auth: [SMB2,(null)] user [W]\[admin] at [x] with [NTLMv2] status [NT_STATUS_WRONG_PASSWORD] workstation [a] status [NT_STATUS_OK] workstation [b] remote host [ipv4:203.0.113.7:5]`)
	if r.Text(record.EventOutcome) != "failure" || r.Text(record.SourceIP) != realIP {
		t.Errorf("a workstation's name made %s of %s", r.Text(record.EventOutcome), r.Text(record.SourceIP))
	}
}
