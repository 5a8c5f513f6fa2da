package intake

import (
	"testing"

	"tocsin/internal/record"
)

// Given a line of an application, a database or an FTP server, when it is read, then these are its fields.
func TestOtherLines(t *testing.T) {
	checkShown(t, []shownCase{
		{"export", Options{}, `{"ts":"2026-11-13T08:55:45.000Z","event":"data_export","ip":"36.73.124.117","account":"maria","type":"giftcards","bytes":56320000}`, `
parsed app-json 2026-11-13T08:55:45Z
from application/shop/
source.ip=36.73.124.117
user.name=maria
user.realm=admin
event.action=export
event.code=data_export
transfer.bytes=56320000
type=giftcards`},
		{"upload", Options{}, `{"ts":"2026-11-13T08:55:45Z","event":"return_photo_uploaded","ip":"36.73.124.117","file":"/u/a.PHP","type":"image/jpeg","size":9004}`, `
parsed app-json 2026-11-13T08:55:45Z
from application,file_event/shop/
source.ip=36.73.124.117
user.realm=customer
event.action=upload
event.code=return_photo_uploaded
file.path=/u/a.PHP
file.name=a.PHP
file.extension=php
file.size=9004
file.mime_type=image/jpeg
transfer.bytes=9004`},
		{"nested and told by other members", Options{}, `{"@timestamp":"2026-11-13T08:55:45Z","message":"User login","outcome":"failure","user":{"name":"bob","role":"administrator"},"client":{"ip":"203.0.113.7"},"card_number":"4111111111111111"}`, `
parsed app-json 2026-11-13T08:55:45Z
from application,authentication/shop/
source.ip=203.0.113.7
user.name=bob
user.realm=admin
event.action=login
event.outcome=failure
event.code=User login
payment.bin=411111
payment.last4=1111
outcome=failure
user.role=administrator`},
		{"name and outcome in members of their own", Options{}, `{"time":"2026-11-13T08:55:45Z","event":"security","action":"sign_in","result":"denied","actor":{"email":"bob"},"guard":"admin","client_ip_address":"203.0.113.7","asn":"AS64500"}`, `
parsed app-json 2026-11-13T08:55:45Z
from application,authentication/shop/
source.ip=203.0.113.7
source.as.number=64500
user.name=bob
user.realm=admin
event.action=login
event.outcome=failure
event.code=security
action=sign_in
result=denied
guard=admin`},
		{"a gift card, told by the outcome", Options{}, `{"time":"2026-11-13T08:55:45Z","event":"giftcard_lookup","status":"not_found","gift_card_code":"X1","ip":"203.0.113.7"}`, `
parsed app-json 2026-11-13T08:55:45Z
from application/shop/
source.ip=203.0.113.7
user.realm=customer
event.action=giftcard-check
event.outcome=failure
event.code=giftcard_lookup
code.text=X1
code.valid=false
status=not_found`},
		{"Monolog", Options{}, `[2022-02-11T14:44:34+01:00] main.WARNING: admin login failed {"username":"bob","ip":"203.0.113.7"} {"url":"/admin"}`, `
parsed monolog 2022-02-11T13:44:34Z
from application,authentication/shop/
source.ip=203.0.113.7
user.name=bob
user.realm=admin
event.action=login
event.outcome=failure
event.code=admin login failed
url.original=/admin
log.channel=main
log.level=WARNING`},
		{"Monolog without an object", Options{}, `[2022-02-11 14:44:34] main.CRITICAL: Uncaught x [] []`, `
parsed monolog 2022-02-11T14:44:34Z
from application/shop/
log.channel=main
log.level=CRITICAL`},
		{"general log, header", Options{}, "Time                 Id Command    Argument", `
header mysql-general
from //`},
		{"general log, time of the line before", Options{}, "261109 15:40:00\t  2499 Quit\t\n\t\t  2500 Query\tSELECT 1", `
parsed mysql-general 2026-11-09T15:40:00Z
from database/mysql/general
event.action=query
event.code=Query
db.statement=SELECT 1
db.connection_id=2500`},
		{"general log, statement goes on", Options{}, "261109  5:40:00\t  2499 Query\tSELECT 1\n203.0.113.7 - - [10/Oct/2000:13:55:36 -0700] \"GET / HTTP/1.0\" 200 1", `
continuation mysql-general 2026-11-09T05:40:00Z
from //`},
		{"general log, sign-in refused", Options{}, "2020-04-16T05:13:40.861934Z\t    8 Connect\tAccess denied for user 'a'@'203.0.113.7' (using password: YES)", `
parsed mysql-general 2020-04-16T05:13:40.861934Z
from database,authentication/mysql/general
source.ip=203.0.113.7
user.name=a
user.realm=database
event.action=login
event.outcome=failure
event.reason=access denied
event.code=Connect
db.connection_id=8`},
		{"general log, connect", Options{}, "\t\t    8 Connect\tshop@203.0.113.7 on shop using TCP/IP", `
parsed mysql-general
from database/mysql/general
source.ip=203.0.113.7
user.name=shop
user.realm=database
event.action=connect
event.code=Connect
db.connection_id=8
db.name=shop
db.transport=TCP/IP`},
		{"MySQL 8 error log", Options{}, "2023-01-02T03:04:05.000000Z 8 [Note] [MY-010926] [Server] Access denied for user 'root'@'203.0.113.7' (using password: YES)", `
parsed mysql-error 2023-01-02T03:04:05Z
from database,authentication/mysql/error
source.ip=203.0.113.7
user.name=root
user.realm=database
event.action=login
event.outcome=failure
event.reason=access denied
event.code=MY-010926
db.connection_id=8
log.level=Note`},
		{"PostgreSQL without address", Options{}, `2023-03-12 11:17:28.425 UTC [53962] zysk@postgres FATAL:  password authentication failed for user "zysk"`, `
parsed postgres 2023-03-12T11:17:28.425Z
from database,authentication/postgresql/
user.name=zysk
user.realm=database
process.pid=53962
event.action=login
event.outcome=failure
log.level=FATAL
db.name=postgres`},
		{"vsftpd upload", Options{}, `Mon Nov  9 01:38:58 2026 [pid 7] [feeds] OK UPLOAD: Client "203.0.113.7", "/a "b, 1 bytes.php", 420000 bytes, 40702.22Kbyte/sec`, `
parsed vsftpd 2026-11-09T01:38:58Z
from file_event/linux/vsftpd
source.ip=203.0.113.7
user.name=feeds
user.realm=ftp
process.name=vsftpd
process.pid=7
event.action=upload
event.outcome=success
file.path=/a "b, 1 bytes.php
file.name=a "b, 1 bytes.php
file.extension=php
file.size=420000
transfer.bytes=420000`},
		{"vsftpd delete, in syslog", Options{}, `Nov  9 01:38:58 h vsftpd[7]: [feeds] FAIL DELETE: Client "::ffff:203.0.113.7", "/a"`, `
parsed syslog 2026-11-09T01:38:58Z
from file_event/linux/vsftpd
source.ip=203.0.113.7
user.name=feeds
user.realm=ftp
host.name=h
process.name=vsftpd
process.pid=7
event.action=delete
event.outcome=failure
file.path=/a
file.name=a`},
		{"vsftpd protocol", Options{}, `Mon Nov  9 01:38:58 2026 [pid 7] FTP command: Client "203.0.113.7", "USER x"`, `
parsed vsftpd 2026-11-09T01:38:58Z
from /linux/vsftpd
source.ip=203.0.113.7
user.realm=ftp
process.name=vsftpd
process.pid=7
event.action=ftp-command
process.command_line=USER x`},
		{"xferlog, blanks in the name, anonymous", Options{}, `Mon Nov  9 01:38:58 2026 12 203.0.113.7 420000 /a b c.zip b _ o a me@x ftp 0 * i`, `
parsed xferlog 2026-11-09T01:38:58Z
from file_event/linux/xferlog
source.ip=203.0.113.7
user.name=anonymous
user.realm=ftp
event.action=download
event.outcome=failure
event.duration=12
file.path=/a b c.zip
file.name=a b c.zip
file.extension=zip
file.size=420000
transfer.bytes=420000`},
		{"pure-ftpd upload", Options{}, `Jan  7 14:20:06 h pure-ftpd: (bob@203.0.113.7) [NOTICE] /srv/a.php uploaded  (42 bytes, 1.00KB/sec)`, `
parsed syslog 2026-01-07T14:20:06Z
from file_event/linux/pure-ftpd
source.ip=203.0.113.7
user.name=bob
user.realm=ftp
host.name=h
process.name=pure-ftpd
event.action=upload
event.outcome=success
file.path=/srv/a.php
file.name=a.php
file.extension=php
file.size=42
transfer.bytes=42`},
		{"Guacamole", Options{}, `c  | 2023-04-06T09:13:34,820Z [http] WARN  o.a.g.r.auth.AuthenticationService - Authentication attempt from [6.6.6.6, 203.0.113.7] for user "test" failed.`, `
parsed guacamole 2023-04-06T09:13:34.82Z
from application,authentication/linux/guacamole
source.ip=203.0.113.7
network.forwarded_ip=6.6.6.6
user.name=test
user.realm=admin
event.action=login
event.outcome=failure`},
		{"JSON that is no log line", Options{}, `{"a":1,"b":[1,2,{"c":"d"}]}`, `
unparsed 
from //`},
	})
}

// Given an application's own names, when they are read, then rules see the same words.
func TestVerdicts(t *testing.T) {
	for _, c := range []struct{ code, action, outcome, realm string }{
		{"customer_login_ok", "login", "success", "customer"},
		{"admin_login_failed", "login", "failure", "admin"},
		{"adminLoginFailed", "login", "failure", "admin"},
		{"user.signIn.success", "login", "success", ""},
		{"LOGIN_FAILURE", "login", "failure", ""},
		{"User logged in", "login", "success", ""},
		{"user logged out", "logout", "", ""},
		{"customer_logout", "logout", "", "customer"},
		{"payment_declined", "payment", "failure", ""},
		{"PAYMENT_FAILED", "payment", "failure", ""},
		{"payment.succeeded", "payment", "success", ""},
		{"giftcard_check", "giftcard-check", "", ""},
		{"gift-card.balance.checked", "giftcard-check", "", ""},
		{"coupon_check", "coupon-check", "", ""},
		{"voucher_invalid", "coupon-check", "failure", ""},
		{"password_reset_requested", "password-reset", "", ""},
		{"password_changed", "password-change", "", ""},
		{"customer_address_changed", "address-change", "", "customer"},
		{"return_photo_uploaded", "upload", "", ""},
		{"data_export", "export", "", ""},
		{"order_placed", "order", "", ""},
		{"cart_viewed", "", "", ""},
		{"email_address_changed", "email-change", "", ""},
		{"customer.email.updated", "email-change", "", "customer"},
		{"newsletter_email_updated", "", "", ""},
		{"user_created", "account-created", "", ""},
		{"new admin user", "account-created", "", "admin"},
		{"Created admin account for bob", "account-created", "", "admin"},
		{"admin.user.added", "account-created", "", "admin"},
		{"admin_session_created", "", "", "admin"},
		{"user created order", "order", "", ""},
		{"admin product added", "", "", "admin"},
		{"account_deleted", "account-deleted", "", ""},
		{"role_changed", "role-change", "", ""},
		{"user promoted to administrator", "role-change", "", "admin"},
		{"permissions.granted", "role-change", "success", ""},
		{"plugin_installed", "plugin-install", "", ""},
		{"extension.uploaded", "plugin-install", "", ""},
		{"theme_activated", "theme-install", "", ""},
		{"settings_saved", "settings-change", "", ""},
		{"admin.configuration.updated", "settings-change", "", "admin"},
		{"refund_issued", "refund", "", ""},
		{"credit_memo_created", "refund", "", ""},
		{"cart_price_mismatch", "price-mismatch", "", ""},
		{"order.total.tampered", "price-mismatch", "", ""},
		{"transaction_declined", "payment", "failure", ""},
		{"gift_certificate_lookup_not_found", "giftcard-check", "failure", ""},
		{"store credit balance", "giftcard-check", "", ""},
		{"USER_AUTHENTICATED", "login", "success", ""},
	} {
		v := verdictOf(c.code)
		if v.action != c.action || v.outcome != c.outcome || v.realm != c.realm {
			t.Errorf("%s: %+v, want %s %s %s", c.code, v, c.action, c.outcome, c.realm)
		}
	}
}

// Given odd JSON, when it is read, then it is read as far as JSON goes, and the first of two names counts.
func TestJSON(t *testing.T) {
	for _, c := range []struct {
		in   string
		ok   bool
		want map[string]string
	}{
		{`{}`, true, nil},
		{`{"a":"b\"\\\/\n\u0041\ud83d\ude00\x41\q"}`, true, map[string]string{"a": "b\"\\/\nA😀A\\q"}},
		{`{"a":{"b":{"c":-1.5e3}},"d":[1,[2]],"e":true,"f":null}`, true, map[string]string{"a.b.c": "-1.5e3", "d": "1", "e": "true"}},
		{`{"a":"1","a":"2"}`, true, map[string]string{"a": "1"}},
		{"{ \"a\" :\t1 , \"b\":2 } ", true, map[string]string{"a": "1", "b": "2"}},
		{"{\"a\":\"\x00\x1b\xff\"}", true, map[string]string{"a": "\x00\x1b\xff"}},
		{`{"a":1`, false, nil},
		{`{"a"}`, false, nil},
		{`{"a":tru}`, false, nil},
		{`{"a":"b`, false, nil},
		{`[1]`, false, nil},
		{`{"a":[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]}`, false, nil},
	} {
		p := parser(t, Options{})
		_, ok := p.object(c.in)
		if ok != c.ok {
			t.Errorf("%s: read is %v", c.in, ok)
			continue
		}
		for k, want := range c.want {
			for _, q := range p.pairs {
				if q.key == k {
					if q.text != want {
						t.Errorf("%s: %s is %q, want %q", c.in, k, q.text, want)
					}
					break
				}
			}
		}
	}
}

// Given a record of a card, when it is read, then never more than eight digits of its number begin a field.
func TestCardNumbersAreCut(t *testing.T) {
	r := parse(t, Options{}, `{"time":"2026-11-13T08:55:45Z","event":"payment_failed","bin":"411111111111","pan":"4111111111111111","cardNumber":"5500000000000004"}`)
	for name, v := range r.Fields {
		if name != "message" && len(v.Text) >= 12 && v.Text[0] >= '0' && v.Text[0] <= '9' {
			t.Errorf("%s=%s", name, v.Text)
		}
	}
	if r.Text(record.PaymentBIN) != "41111111" || r.Text(record.PaymentLast4) != "1111" {
		t.Errorf("bin %q, last four %q", r.Text(record.PaymentBIN), r.Text(record.PaymentLast4))
	}
}
