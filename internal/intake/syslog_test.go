package intake

import (
	"testing"

	"tocsin/internal/record"
)

// Given a line with a syslog header, when it is read, then these are its fields.
func TestSyslogLines(t *testing.T) {
	checkShown(t, []shownCase{
		{"failed password", Options{}, `Nov  9 06:51:41 shop1 sshd[14158]: Failed password for invalid user pi from 177.35.254.207 port 37965 ssh2`, `
parsed syslog 2026-11-09T06:51:41Z
from authentication/linux/sshd
source.ip=177.35.254.207
source.port=37965
user.name=pi
user.realm=ssh
host.name=shop1
process.name=sshd
process.pid=14158
event.action=login
event.outcome=failure
event.reason=invalid user
event.code=password`},
		{"repeated, RFC 3339", Options{}, `2026-11-09T06:51:41.5+01:00 shop1 sshd[1]: message repeated 4 times: [ Failed password for root from 2001:db8::7 port 2 ssh2]`, `
parsed syslog 2026-11-09T05:51:41.5Z
from authentication/linux/sshd
source.ip=2001:db8::7
source.port=2
user.name=root
user.realm=ssh
host.name=shop1
process.name=sshd
process.pid=1
event.action=login
event.outcome=failure
event.code=password
repeat=4`},
		{"RFC 5424", Options{}, `<86>1 2026-11-09T06:51:41.003Z shop1 sshd 77 - [a@1 x="]\"["] ` + "\ufeff" + `Accepted password for bob from 203.0.113.7 port 5 ssh2`, `
parsed syslog 2026-11-09T06:51:41.003Z
from authentication/linux/sshd
source.ip=203.0.113.7
source.port=5
user.name=bob
user.realm=ssh
host.name=shop1
process.name=sshd
process.pid=77
event.action=login
event.outcome=success
event.code=password
log.syslog.structured_data.a@1.x=]"[`},
		{"RFC 5424 as rsyslog forwards it, with a blank more", Options{}, `<38>1 2026-11-28T08:12:39.742827+00:00 vm sshd - - -  Failed password for invalid user admin from 203.0.113.7 port 1000 ssh2`, `
parsed syslog 2026-11-28T08:12:39.742827Z
from authentication/linux/sshd
source.ip=203.0.113.7
source.port=1000
user.name=admin
user.realm=ssh
host.name=vm
process.name=sshd
event.action=login
event.outcome=failure
event.reason=invalid user
event.code=password`},
		{"priority before RFC 3164", Options{}, `<38>Nov 10 06:51:41 shop1 sshd[1]: Server listening on :: port 22.`, `
parsed syslog 2026-11-10T06:51:41Z
from /linux/sshd
host.name=shop1
process.name=sshd
process.pid=1
event.action=listen
event.reason=Server listening on :: port 22.`},
		{"PAM of a service that writes no line of its own here", Options{}, `Nov  9 13:06:59 shop1 vsftpd: pam_unix(vsftpd:auth): authentication failure; logname= uid=0 euid=0 tty=ftp ruser=lager rhost=203.0.113.7  user=lager`, `
parsed syslog 2026-11-09T13:06:59Z
from authentication/linux/auth
source.ip=203.0.113.7
user.name=lager
user.realm=ftp
host.name=shop1
process.name=vsftpd
event.action=login
event.outcome=failure
pam.module=pam_unix
pam.service=vsftpd
pam.type=auth`},
		{"PAM as older systems name it", Options{}, `Jun 14 15:16:01 combo sshd(pam_unix)[19939]: authentication failure; logname= uid=0 euid=0 tty=NODEVssh ruser= rhost=218.188.2.4 `, `
parsed syslog 2026-06-14T15:16:01Z
from authentication/linux/auth
source.ip=218.188.2.4
user.realm=ssh
host.name=combo
process.name=sshd
process.pid=19939
event.action=pam-auth
event.outcome=failure
pam.module=pam_unix
pam.service=sshd`},
		{"sudo", Options{}, `Nov  9 13:06:59 shop1 sudo:   bob : TTY=pts/0 ; PWD=/home/bob ; USER=root ; COMMAND=/bin/sh -c echo a ; id`, `
parsed syslog 2026-11-09T13:06:59Z
from /linux/sudo
user.name=bob
user.realm=system
user.effective.name=root
host.name=shop1
process.name=sudo
event.action=command
event.outcome=success
process.command_line=/bin/sh -c echo a ; id
sudo.tty=pts/0
sudo.pwd=/home/bob`},
		{"sudo with wrong passwords", Options{}, `Nov  9 13:06:59 shop1 sudo: bob : 3 incorrect password attempts ; TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/bin/ls`, `
parsed syslog 2026-11-09T13:06:59Z
from authentication/linux/sudo
user.name=bob
user.realm=system
user.effective.name=root
host.name=shop1
process.name=sudo
event.action=login
event.outcome=failure
event.reason=3 incorrect password attempts
process.command_line=/bin/ls
sudo.tty=pts/0
sudo.pwd=/
repeat=3`},
		{"su", Options{}, `Nov  9 13:06:59 shop1 su[5]: FAILED SU (to root) bob on pts/1`, `
parsed syslog 2026-11-09T13:06:59Z
from authentication/linux/auth
user.name=bob
user.realm=system
user.effective.name=root
host.name=shop1
process.name=su
process.pid=5
event.action=login
event.outcome=failure`},
		{"cron", Options{}, `Nov  9 13:06:59 shop1 CRON[5]: (www-data) CMD (php /srv/cron.php)`, `
parsed syslog 2026-11-09T13:06:59Z
from /linux/cron
user.name=www-data
user.realm=system
host.name=shop1
process.name=CRON
process.pid=5
event.action=command
process.command_line=php /srv/cron.php`},
		{"WordPress", Options{}, `Nov  9 13:06:59 shop1 wordpress(shop.example)[5]: Authentication attempt for unknown user x from 203.0.113.7`, `
parsed syslog 2026-11-09T13:06:59Z
from application,authentication/wordpress/
source.ip=203.0.113.7
user.name=x
user.realm=admin
host.name=shop1
process.name=wordpress
process.pid=5
event.action=login
event.outcome=failure
url.domain=shop.example`},
		{"WordPress user enumeration", Options{}, `Nov  9 13:06:59 shop1 wordpress(shop.example)[5]: Blocked user enumeration attempt from 203.0.113.7`, `
parsed syslog 2026-11-09T13:06:59Z
from application,authentication/wordpress/
source.ip=203.0.113.7
user.realm=admin
host.name=shop1
process.name=wordpress
process.pid=5
event.action=user-enumeration
event.outcome=failure
url.domain=shop.example`},
		{"an access line inside", Options{}, `Sep 15 16:13:46 h nginx[9]: 81.150.104.130 - - [15/Sep/2021:16:13:46 +0000] "GET /a HTTP/1.1" 200 4 "-" "-"`, `
parsed syslog 2021-09-15T16:13:46Z
from webserver/nginx/access
source.ip=81.150.104.130
host.name=h
process.name=nginx
process.pid=9
event.action=request
http.request.method=GET
http.version=1.1
http.response.status_code=200
http.response.body.bytes=4
url.original=/a`},
		{"JSON inside", Options{}, `Nov  9 13:06:59 shop1 shopd[5]: {"event":"customer.signIn.failed","client_ip":"203.0.113.7","email":"a@b.example"}`, `
parsed syslog 2026-11-09T13:06:59Z
from application,authentication/shop/
source.ip=203.0.113.7
user.name=a@b.example
user.realm=customer
host.name=shop1
process.name=shopd
process.pid=5
event.action=login
event.outcome=failure
event.code=customer.signIn.failed`},
		{"firewall", Options{}, `Nov  9 13:06:59 shop1 kernel: [1.2] [UFW BLOCK] IN=eth0 OUT= MAC=00 SRC=203.0.113.7 DST=10.0.0.1 LEN=40 PROTO=TCP SPT=5 DPT=22 `, `
parsed syslog 2026-11-09T13:06:59Z
from /linux/firewall
source.ip=203.0.113.7
source.port=5
destination.ip=10.0.0.1
destination.port=22
host.name=shop1
process.name=kernel
event.action=packet
event.outcome=failure
event.code=[1.2] [UFW BLOCK]
network.transport=tcp`},
		{"a program that nobody knows", Options{}, `Nov  9 13:06:59 shop1 frobd[5]: frobbed from 203.0.113.7`, `
unparsed syslog 2026-11-09T13:06:59Z
from /linux/syslog
host.name=shop1
process.name=frobd
process.pid=5`},
		{"a wording that nobody knows", Options{}, `Nov  9 13:06:59 shop1 sshd[5]: frobbed from 203.0.113.7`, `
unparsed syslog 2026-11-09T13:06:59Z
from /linux/sshd
host.name=shop1
process.name=sshd
process.pid=5`},
		{"syslogd's own repetition", Options{}, `Nov  9 13:06:59 shop1 last message repeated 5 times`, `
continuation syslog 2026-11-09T13:06:59Z
from /linux/syslog
host.name=shop1
repeat=5`},
	})
}

// Given the wordings of sshd, when one is read, then action, outcome, account and address are these.
func TestSSHWordings(t *testing.T) {
	for _, c := range []struct{ text, action, outcome, user, ip, port string }{
		{"Accepted publickey for bob from 203.0.113.7 port 5 ssh2: ED25519 SHA256:abc", "login", "success", "bob", "203.0.113.7", "5"},
		{"Accepted publickey for bob from 203.0.113.7 port 5 ssh2: RSA-CERT SHA256:abc ID bob@x (serial 0) CA RSA SHA256:def", "login", "success", "bob", "203.0.113.7", "5"},
		{"Failed publickey for bob from 203.0.113.7 port 5 ssh2: RSA SHA256:abc", "key-offered", "failure", "bob", "203.0.113.7", "5"},
		{"Failed none for invalid user x from 203.0.113.7 port 5 ssh2", "key-offered", "failure", "x", "203.0.113.7", "5"},
		{"Failed keyboard-interactive/pam for bob from 203.0.113.7 port 5 ssh2", "login", "failure", "bob", "203.0.113.7", "5"},
		{"Failed password for invalid user  from 203.0.113.7 port 5 ssh2", "login", "failure", "", "203.0.113.7", "5"},
		{"Invalid user  from 203.0.113.7 port 5", "invalid-user", "failure", "", "203.0.113.7", "5"},
		{"Invalid user x from 203.0.113.7", "invalid-user", "failure", "x", "203.0.113.7", ""},
		{"Connection closed by invalid user a b 203.0.113.7 port 5 [preauth]", "disconnect", "", "a b", "203.0.113.7", "5"},
		{"Connection closed by 203.0.113.7", "disconnect", "", "", "203.0.113.7", ""},
		{"Connection reset by authenticating user root 203.0.113.7 port 5 [preauth]", "disconnect", "", "root", "203.0.113.7", "5"},
		{"Disconnected from user bob 203.0.113.7 port 5", "disconnect", "", "bob", "203.0.113.7", "5"},
		{"Disconnecting invalid user root 203.0.113.7 port 5: Too many authentication failures [preauth]", "disconnect", "", "root", "203.0.113.7", "5"},
		{"Disconnecting: Too many authentication failures for root [preauth]", "disconnect", "", "", "", ""},
		{"Received disconnect from 203.0.113.7: 11: Bye Bye [preauth]", "disconnect", "", "", "203.0.113.7", ""},
		{"error: Received disconnect from 203.0.113.7 port 5:14: No more [preauth]", "disconnect", "", "", "203.0.113.7", "5"},
		{"error: maximum authentication attempts exceeded for root from 203.0.113.7 port 5 ssh2 [preauth]", "login-limit", "failure", "root", "203.0.113.7", "5"},
		{"User bob from 203.0.113.7 not allowed because not listed in AllowUsers", "login-refused", "failure", "bob", "203.0.113.7", ""},
		{"User bob not allowed because account is locked", "login-refused", "failure", "bob", "", ""},
		{"fatal: Timeout before authentication for 203.0.113.7 port 5", "login-timeout", "failure", "", "203.0.113.7", "5"},
		{"Timeout before authentication for connection from 203.0.113.7 to 10.0.0.1, pid = 9", "login-timeout", "failure", "", "203.0.113.7", ""},
		{"Bad protocol version identification 'GET / HTTP/1.1' from 203.0.113.7 port 5", "probe", "", "", "203.0.113.7", "5"},
		{"Did not receive identification string from 203.0.113.7", "probe", "", "", "203.0.113.7", ""},
		{"banner exchange: Connection from 203.0.113.7 port 5: invalid format", "probe", "", "", "203.0.113.7", "5"},
		{"fatal: Unable to negotiate with 203.0.113.7 port 5: no matching cipher found. Their offer: x [preauth]", "probe", "", "", "203.0.113.7", "5"},
		{"error: kex_exchange_identification: Connection closed by remote host", "probe", "", "", "", ""},
		{"error: PAM: Authentication failure for illegal user x from 203.0.113.7", "pam-auth", "failure", "x", "203.0.113.7", ""},
		{"reverse mapping checking getaddrinfo for a.example [203.0.113.7] failed - POSSIBLE BREAK-IN ATTEMPT!", "name-mismatch", "", "", "203.0.113.7", ""},
		{"Starting session: shell on pts/0 for bob from 203.0.113.7 port 5 id 0", "session-opened", "", "bob", "203.0.113.7", "5"},
		{"Starting session: command for bob from 203.0.113.7 port 5 id 0", "session-opened", "", "bob", "203.0.113.7", "5"},
		{"input_userauth_request: invalid user x [preauth]", "login-step", "", "x", "", ""},
	} {
		r := parse(t, Options{}, "Nov  9 06:51:41 h sshd[1]: "+c.text)
		got := [5]string{r.Text(record.EventAction), r.Text(record.EventOutcome), r.Text(record.UserName), r.Text(record.SourceIP), r.Text(record.SourcePort)}
		if want := [5]string{c.action, c.outcome, c.user, c.ip, c.port}; got != want || r.Class != record.Parsed {
			t.Errorf("%s\n got %s %q\nwant %q", c.text, r.Class, got, want)
		}
	}
}
