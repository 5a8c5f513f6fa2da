package counterpart

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// Trunk starts Kamailio with digest over TLS; it relays to the telephone at a port. The account is tocsin, the password s3cret. said is its log: a line for each request that
// it took or refused.
func Trunk(t *testing.T, pki string, phone int) (port int, said func() string) {
	t.Helper()
	dir := t.TempDir()
	port = FreePair(t)
	modules := ""
	for _, d := range []string{"/usr/lib/x86_64-linux-gnu/kamailio/modules/", "/usr/lib/aarch64-linux-gnu/kamailio/modules/"} {
		if _, err := os.Stat(d); err == nil {
			modules = d
		}
	}
	write(t, dir+"/tls.cfg", []byte(strings.NewReplacer("PKI", pki).Replace("[server:default]\nmethod = TLSv1.2+\nverify_certificate = no\nrequire_certificate = no\nprivate_key = PKI/srv.key\ncertificate = PKI/srv.pem\n[client:default]\nmethod = TLSv1.2+\nverify_certificate = yes\nrequire_certificate = yes\nca_list = PKI/ca.pem\n")))
	write(t, dir+"/kam.cfg", []byte(strings.NewReplacer("PORT", fmt.Sprint(port), "PHONE", fmt.Sprint(phone), "MODULES", modules, "DIR", dir).Replace(`#!KAMAILIO
debug=1
log_stderror=yes
children=1
disable_tcp=no
enable_tls=yes
tcp_children=1
listen=tls:127.0.0.1:PORT
mpath="MODULES"
loadmodule "tm.so"
loadmodule "sl.so"
loadmodule "rr.so"
loadmodule "pv.so"
loadmodule "maxfwd.so"
loadmodule "textops.so"
loadmodule "siputils.so"
loadmodule "auth.so"
loadmodule "tls.so"
loadmodule "xlog.so"
modparam("tls", "config", "DIR/tls.cfg")
modparam("auth", "nonce_count", 0)
modparam("auth", "qop", "auth")
request_route {
  if (is_method("REGISTER")) {
    if (!pv_www_authenticate("127.0.0.1", "s3cret", "0")) { if ($au != $null) xlog("L_ERR", "trunk: refused REGISTER of $au\n"); www_challenge("127.0.0.1", "1"); exit; }
    xlog("L_ERR", "trunk: took REGISTER of $au over $proto\n");
    append_to_reply("Contact: $ct;expires=300\r\n");
    sl_send_reply("200", "OK"); exit;
  }
  if (has_totag()) { loose_route(); if (!t_relay()) sl_reply_error(); exit; }
  if (is_method("CANCEL")) { if (t_check_trans()) t_relay(); exit; }
  if (is_method("INVITE")) {
    if (!pv_proxy_authenticate("127.0.0.1", "s3cret", "0")) { proxy_challenge("127.0.0.1", "1"); exit; }
    xlog("L_ERR", "trunk: took INVITE of $au to $rU over $proto\n");
    consume_credentials();
    record_route();
    $rU = "oncall";
    $du = "sip:127.0.0.1:PHONE;transport=tls";
    if (!t_relay()) sl_reply_error();
    exit;
  }
  if (is_method("ACK")) { t_relay(); exit; }
  sl_send_reply("405", "No");
}
`)))
	said = Start(t, "kamailio kamailio-tls-modules", "kamailio", "-f", dir+"/kam.cfg", "-DD", "-E", "-m", "32", "-M", "4", "-Y", dir)
	Reachable(t, port)
	return port, said
}
