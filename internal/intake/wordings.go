package intake

import "tocsin/internal/record"

var mailRealm = record.Text("mail")

// wordings are those of programs that tell of a sign-in in one line, from their sources and manuals. A "*" among the
// programs says that the wording stands in a log of its own too.
var wordings = []phrase{
	// Dropbear, svr-authpasswd.c and svr-auth.c
	{programs: "dropbear", mark: "password attempt for '", outcome: "failure", realm: sshRealm, user: part{"for '", "' from ", only}, addr: part{"' from ", "", last}},
	{programs: "dropbear", mark: "^Login attempt for nonexistent user", outcome: "failure", realm: sshRealm, addr: part{" from ", "", last}},
	{programs: "dropbear", mark: "assword auth succeeded for '", outcome: "success", realm: sshRealm, user: part{"for '", "' from ", only}, addr: part{"' from ", "", last}},
	{programs: "dropbear", mark: "^Pubkey auth succeeded for '", outcome: "success", realm: sshRealm, user: part{"for '", "' with ", only}, addr: part{" from ", "", last}},
	// login of util-linux, shadow and BusyBox, behind telnetd and at consoles
	{programs: "login", mark: "^FAILED LOGIN ", also: " on ", outcome: "failure", realm: systemRealm, user: part{" FOR ", ", ", last}, addr: part{"' from ", " FOR ", only}},
	{programs: "login", mark: "^FAILED LOGIN ", outcome: "failure", realm: systemRealm, user: part{" FOR ", ", ", last}, addr: part{" FROM ", " FOR ", only}},
	{programs: "login", mark: "^invalid password for ", outcome: "failure", realm: systemRealm, user: part{"password for ", " on ", only}, addr: part{" from ", "", last}},
	// Samba, auth_log.c
	{programs: "smbd samba smbd_audit", mark: "status [NT_STATUS_OK]", also: "Auth: [", single: "status [NT_STATUS_", whole: true, outcome: "success", realm: systemRealm, user: part{`]\[`, "] at [", ahead}, addr: part{"remote host [ipv4:", "]", only}},
	{programs: "smbd samba smbd_audit", mark: "status [NT_STATUS_", also: "Auth: [", whole: true, outcome: "failure", realm: systemRealm, user: part{`]\[`, "] at [", ahead}, addr: part{"remote host [ipv4:", "]", only}},
	// OpenVPN, ssl_verify.c
	{programs: "openvpn ovpn-server *", mark: " TLS Auth Error: Auth Username/Password verification failed for peer", whole: true, outcome: "failure", realm: systemRealm, addr: part{"", " TLS Auth Error", ahead}},
	// Proxmox, Webmin, Plesk, cPanel
	{programs: "pvedaemon pveproxy pmgdaemon pmgproxy proxmox-backup-proxy proxmox-backup-api", mark: "authentication failure; rhost=", outcome: "failure", realm: systemRealm, user: part{" user=", " msg=", only}, addr: part{"rhost=", "", ahead}},
	{programs: "webmin", mark: "nvalid login as ", outcome: "failure", realm: systemRealm, user: part{"login as ", " from ", ahead}, addr: part{" from ", "", last}},
	{programs: "webmin", mark: "^Non-existent login as ", outcome: "failure", realm: systemRealm, user: part{"login as ", " from ", ahead}, addr: part{" from ", "", last}},
	{programs: "webmin", mark: "^Successful login as ", outcome: "success", realm: systemRealm, user: part{"login as ", " from ", ahead}, addr: part{" from ", "", last}},
	{programs: "plesk sw-cp-server panel *", mark: "ailed login attempt with login '", outcome: "failure", realm: systemRealm, user: part{"login '", "' from IP ", only}, addr: part{"' from IP ", "", last}},
	{mark: `" FAILED LOGIN `, also: "d] ", whole: true, outcome: "failure", realm: systemRealm, addr: part{"d] ", " - ", ahead}},
	// Odoo, Microsoft SQL Server
	{programs: "odoo *", mark: "Login failed for db:", outcome: "failure", realm: systemRealm, user: part{" login:", " from ", ahead}, addr: part{" from ", "", last}},
	{programs: "sqlservr MSSQLSERVER *", mark: "Login failed for user '", outcome: "failure", realm: databaseRealm, user: part{"user '", "'. ", ahead}, addr: part{"[CLIENT: ", "]", last}},
	// Roundcube, Horde, SOGo, phpMyAdmin
	{programs: "roundcube *", mark: "Login failed for ", also: "IMAP Error: ", whole: true, outcome: "failure", realm: mailRealm, user: part{"failed for ", " ", ahead}, addr: part{" from ", "", only}},
	{programs: "roundcube *", mark: "FAILED login for ", outcome: "failure", realm: mailRealm, user: part{"login for ", " from ", only}, addr: part{" from ", "", only}},
	{programs: "HORDE horde *", mark: "FAILED LOGIN for ", outcome: "failure", realm: mailRealm, user: part{"LOGIN for ", " [", only}, addr: part{" [", "]", only}},
	{programs: "sogod sogo *", mark: "SOGoRootPage Login from '", outcome: "failure", realm: mailRealm, user: part{"for user '", "' might not", only}, addr: part{"from '", "'", ahead}},
	{programs: "phpMyAdmin phpmyadmin", mark: "^user denied: ", outcome: "failure", realm: databaseRealm, user: part{"denied: ", " (", ahead}, addr: part{") from ", "", last}},
	// Gitea and Forgejo, GitLab, Vaultwarden, Authelia, Keycloak
	{programs: "gitea forgejo *", mark: "Failed authentication attempt for ", outcome: "failure", realm: systemRealm, user: part{"attempt for ", " from ", ahead}, addr: part{" from ", "", only}},
	{mark: "Failed Login: username=", outcome: "failure", realm: systemRealm, user: part{"username=", " ip=", only}, addr: part{" ip=", "", last}},
	{programs: "vaultwarden bitwarden_rs *", mark: "Username or password is incorrect. Try again. IP: ", outcome: "failure", realm: systemRealm, user: part{". Username: ", "", ahead}, addr: part{"again. IP: ", "", ahead}},
	{programs: "vaultwarden bitwarden_rs *", mark: "Invalid admin token. IP: ", outcome: "failure", realm: systemRealm, addr: part{"token. IP: ", "", ahead}},
	{programs: "vaultwarden bitwarden_rs *", mark: "Invalid TOTP code! ", outcome: "failure", realm: systemRealm, addr: part{" IP: ", "", last}},
	{programs: "authelia *", mark: "Unsuccessful 1FA authentication attempt by user ", outcome: "failure", realm: systemRealm, user: part{"by user '", "'", ahead}, addr: part{" remote_ip=", "", last}},
	{programs: "keycloak *", mark: `type="LOGIN_ERROR"`, also: `error="`, outcome: "failure", realm: systemRealm, user: part{`username="`, `"`, only}, addr: part{`ipAddress="`, `"`, ahead}},
	{programs: "keycloak *", mark: "type=LOGIN_ERROR", also: "user_", outcome: "failure", realm: systemRealm, user: part{" username=", "", only}, addr: part{"ipAddress=", ",", ahead}},
	// Nextcloud and ownCloud, Home Assistant, Jellyfin, Emby, Synology, Grafana
	{programs: "nextcloud Nextcloud ownCloud owncloud *", mark: "Login failed: ", also: "(Remote IP: ", outcome: "failure", realm: systemRealm, user: part{"failed: ", " (Remote IP: ", only}, addr: part{"(Remote IP: ", ")", last}},
	{programs: "hass homeassistant *", mark: "invalid authentication from ", also: " (", outcome: "failure", realm: systemRealm, addr: part{" (", ")", ahead}},
	{programs: "hass homeassistant *", mark: "invalid authentication from ", outcome: "failure", realm: systemRealm, addr: part{"authentication from ", "", ahead}},
	{programs: "jellyfin *", mark: `Authentication request for "`, outcome: "failure", realm: systemRealm, user: part{`for "`, `" has been denied`, ahead}, addr: part{`(IP: "`, `"`, last}},
	{programs: "emby *", mark: "AUTH-ERROR: ", outcome: "failure", realm: systemRealm, addr: part{"ERROR: ", " ", ahead}},
	{programs: "synologynas System Connection *", mark: "] failed to log in via [", whole: true, outcome: "failure", realm: systemRealm, user: part{"User [", "] from [", ahead}, addr: part{"] from [", "] failed", last}},
	{programs: "grafana *", mark: "Invalid username or password", also: "remote_addr=", outcome: "failure", realm: systemRealm, user: part{" uname=", " ", only}, addr: part{" remote_addr=", "", only}},
	// Remote desktops: xrdp, RealVNC, LibVNCServer
	{programs: "xrdp-sesman xrdp *", mark: "AUTHFAIL: user=", outcome: "failure", realm: systemRealm, user: part{"user=", " ip=", only}, addr: part{" ip=", "", only}},
	{programs: "vncserver-x11 vncserver winvnc *", mark: "Connections: disconnected: ", also: "[AuthFailure]", outcome: "failure", realm: systemRealm, addr: part{"disconnected: ", "", ahead}},
	{programs: "x11vnc Xvnc vnc *", mark: "rfbAuthProcessClientMessage: authentication failed from ", outcome: "failure", realm: systemRealm, addr: part{" failed from ", "", last}},
	// LiteSpeed, Zimbra, OPNsense, pfSense, RouterOS, Cisco IOS, ejabberd, Mumble
	{programs: "lshttpd litespeed *", mark: "Failed Login Attempt - username:", outcome: "failure", realm: systemRealm, user: part{"username:", " ip:", only}, addr: part{" ip:", "", only}},
	{programs: "zimbra *", mark: "cmd=Auth;", also: "error=authentication failed for", whole: true, outcome: "failure", realm: mailRealm, user: part{" account=", ";", only}, addr: part{"oip=", ";", ahead}},
	{programs: "opnsense php php-fpm audit", mark: "Web GUI authentication error for '", outcome: "failure", realm: systemRealm, user: part{"for '", "' from ", only}, addr: part{"' from ", "", last}},
	{programs: "php php-fpm", mark: "webConfigurator authentication error for user '", outcome: "failure", realm: systemRealm, user: part{"user '", "' from: ", only}, addr: part{"' from: ", "", last}},
	{programs: "system,error,critical *", mark: "login failure for user ", also: " via ", outcome: "failure", realm: systemRealm, user: part{"for user ", " from ", only}, addr: part{" from ", " via ", last}},
	{mark: "Login failed [user: ", outcome: "failure", realm: systemRealm, user: part{"[user: ", "]", ahead}, addr: part{"[Source: ", "]", only}},
	{programs: "ejabberd *", mark: "Failed c2s ", also: " authentication for ", outcome: "failure", realm: systemRealm, user: part{"authentication for ", " from ", only}, addr: part{" from ", ": ", only}},
	{programs: "murmurd mumble-server *", mark: "Rejected connection from ", also: "password", outcome: "failure", realm: systemRealm, addr: part{"connection from ", ": ", ahead}},
	// FreeSWITCH, Asterisk
	{programs: "freeswitch *", mark: "SIP auth failure (", outcome: "failure", realm: systemRealm, user: part{" for [", "] from ip ", only}, addr: part{" from ip ", "", last}},
	{programs: "asterisk *", mark: "Registration from '", outcome: "failure", realm: systemRealm, user: part{"<sip:", "@", ahead}, addr: part{"' failed for '", "'", last}},
	{programs: "asterisk *", mark: "Request '", also: "' failed for '", outcome: "failure", realm: systemRealm, user: part{"<sip:", "@", ahead}, addr: part{"' failed for '", "'", last}},
	{programs: "asterisk *", mark: `SecurityEvent="InvalidPassword"`, outcome: "failure", realm: systemRealm, user: part{`AccountID="`, `"`, ahead}, addr: part{`RemoteAddress="`, `"`, only}},
	{programs: "asterisk *", mark: `SecurityEvent="ChallengeResponseFailed"`, outcome: "failure", realm: systemRealm, user: part{`AccountID="`, `"`, ahead}, addr: part{`RemoteAddress="`, `"`, only}},
	{programs: "asterisk *", mark: `SecurityEvent="InvalidAccountID"`, outcome: "failure", realm: systemRealm, user: part{`AccountID="`, `"`, ahead}, addr: part{`RemoteAddress="`, `"`, only}},
	{programs: "asterisk *", mark: `SecurityEvent="FailedACL"`, outcome: "failure", realm: systemRealm, user: part{`AccountID="`, `"`, ahead}, addr: part{`RemoteAddress="`, `"`, only}},
	{programs: "asterisk *", mark: `SecurityEvent="SuccessfulAuth"`, outcome: "success", realm: systemRealm, user: part{`AccountID="`, `"`, ahead}, addr: part{`RemoteAddress="`, `"`, only}},
	{programs: "asterisk *", mark: "failed MD5 authentication for '", whole: true, outcome: "failure", realm: systemRealm, user: part{"for '", "'", last}, addr: part{"Host ", " failed", only}},
	{programs: "asterisk *", mark: "rejected because extension not found in context", whole: true, action: "call-rejected", outcome: "failure", addr: part{"' (", ") to extension", only}},
	// Cyrus, Courier, sendmail, saslauthd of Plesk
	{programs: "imap imaps pop3 pop3s lmtp sieve cyrus/imap cyrus/pop3", mark: "^badlogin: ", outcome: "failure", realm: mailRealm, addr: part{"[", "]", ahead}},
	{programs: "imapd pop3d imapd-ssl pop3d-ssl courier-imapd courier-pop3d", mark: "^LOGIN FAILED, ", outcome: "failure", realm: mailRealm, user: part{"user=", ", ip=", ahead}, addr: part{"ip=[", "]", last}},
	{programs: "sm-mta sendmail sm-msp-queue", mark: "AUTH failure (", outcome: "failure", realm: mailRealm, user: part{"user=", ",", only}, addr: part{"[", "]", last}},
	// What looks for open ports, and what access lists (TCP wrappers) refuse
	{programs: "scanlogd", mark: " ports ", whole: true, action: "port-scan", outcome: "failure", addr: part{"", " to ", ahead}},
	{programs: "portsentry", mark: "^attackalert: ", action: "port-scan", outcome: "failure", addr: part{"host: ", "", ahead}},
	{programs: "sshd vsftpd proftpd xinetd in.telnetd telnetd sendmail tcpd", mark: "^refused connect from ", action: "connect-refused", outcome: "failure", addr: part{"(", ")", last}},
}
