package intake

import (
	"strings"

	"tocsin/internal/record"
)

var (
	authCategory = []string{"authentication"}
	sshRealm     = record.Text("ssh")
)

// sshd reads OpenSSH's messages. User names are the client's own text and may hold " from 1.2.3.4 port 22 ssh2": the
// address is looked for at the right, where OpenSSH puts it, and left out when a line can be read in two ways.
func (p *Parser) sshd(r *record.Record, text string) bool {
	r.Source.Service = "sshd"
	if rest, ok := strings.CutPrefix(text, "PAM "); ok {
		return p.pamSummary(r, "sshd", rest)
	}
	for _, level := range []string{"error: ", "fatal: ", "debug1: ", "debug2: "} {
		text = strings.TrimPrefix(text, level)
	}
	body := strings.TrimSuffix(strings.TrimSuffix(text, " [preauth]"), " [postauth]")
	first, rest := word(body)
	switch first {
	case "Accepted", "Failed", "Postponed", "Partial":
		if method, after := word(rest); strings.HasPrefix(after, "for ") {
			return p.sshAttempt(r, first, method, after[len("for "):])
		}
	case "Invalid", "Illegal":
		if after, ok := strings.CutPrefix(rest, "user "); ok {
			signIn(r, "invalid-user", "failure", sshRealm)
			return p.sshUserFrom(r, after)
		}
	case "Connection", "Disconnected", "Received", "Disconnecting", "Disconnecting:":
		if p.sshConnection(r, body) {
			return true
		}
	case "User":
		if p.sshRefused(r, rest) {
			return true
		}
	}
	return p.sshOther(r, body)
}

// signIn sets what every attempt to sign in has. A step of one has no outcome yet.
func signIn(r *record.Record, action, outcome string, realm record.Value) {
	r.Set(record.EventAction, record.Text(action))
	r.Set(record.UserRealm, realm)
	if outcome != "" {
		r.Set(record.EventOutcome, record.Text(outcome))
		r.Source.Categories = authCategory
	}
}

func act(r *record.Record, action string) {
	r.Set(record.EventAction, record.Text(action))
}

// sshAttempt reads "Failed password for [invalid user ]NAME from 1.2.3.4 port 22 ssh2[: KEY]". A key that is refused
// is no failed sign-in: clients offer one key after the other before they ask for a password.
func (p *Parser) sshAttempt(r *record.Record, result, method, rest string) bool {
	action, outcome := "login", "success"
	switch {
	case result == "Postponed" || result == "Partial":
		action, outcome = "login-step", ""
	case result == "Failed":
		outcome = "failure"
		if method == "none" || method == "publickey" || method == "hostbased" || strings.HasPrefix(method, "gssapi") {
			action = "key-offered"
		}
	}
	signIn(r, action, outcome, sshRealm)
	r.Set(record.EventCode, record.Text(method))
	end, key, sure := sshKeyTail(rest)
	if key != "" {
		extra(r, "ssh.key", record.Text(key))
	}
	user, unknown := withoutInvalid(rest[:end])
	if unknown {
		r.Set(record.EventReason, record.Text("invalid user"))
	}
	if !sure {
		return true
	}
	return p.sshUserFrom(r, strings.TrimSuffix(strings.TrimSuffix(user, " ssh2"), " ssh1"))
}

// withoutInvalid takes off what sshd puts before the name of an account that does not exist; once, because the name is
// the client's.
func withoutInvalid(s string) (rest string, unknown bool) {
	if rest, ok := strings.CutPrefix(s, "invalid user "); ok {
		return rest, true
	}
	return strings.CutPrefix(s, "illegal user ")
}

// sshKeyTail finds where "... port 22 ssh2" ends and what key follows. A certificate's id is the client's own text, so
// with one the line is sure only when it names one connection.
func sshKeyTail(s string) (end int, key string, sure bool) {
	if strings.HasSuffix(s, " ssh2") || strings.HasSuffix(s, " ssh1") {
		return len(s), "", true
	}
	i := strings.LastIndex(s, " ssh2: ")
	if i < 0 {
		return len(s), "", true
	}
	end, key = i+len(" ssh2"), s[i+len(" ssh2: "):]
	if kind, print := word(key); print != "" && !strings.Contains(print, " ") && kind != "" {
		return end, key, true
	}
	return end, key, strings.Count(s, " ssh2: ") == 1 && strings.Count(s, " from ") == 1
}

// sshUserFrom reads "NAME from 1.2.3.4[ port 22]" from the right.
func (p *Parser) sshUserFrom(r *record.Record, s string) bool {
	i := strings.LastIndex(s, " from ")
	user, peer := "", ""
	switch {
	case i >= 0:
		user, peer = s[:i], s[i+len(" from "):]
	case strings.HasPrefix(s, "from "):
		peer = s[len("from "):]
	default:
		return false
	}
	r.Set(record.UserName, record.Text(user))
	addr, port, _ := strings.Cut(peer, " port ")
	p.sshPeer(r, addr, port)
	return true
}

// sshPeer sets the client. With UseDNS sshd writes a host's name.
func (p *Parser) sshPeer(r *record.Record, addr, port string) {
	if !p.client(r, addr, "") {
		if addr != "" && addr != "UNKNOWN" && !strings.Contains(addr, " ") {
			extra(r, "source.address", record.Text(addr))
		}
		return
	}
	setPort(r, record.SourcePort, port)
}

// sshConnection reads the begin and the end of connections.
func (p *Parser) sshConnection(r *record.Record, s string) bool {
	if rest, ok := strings.CutPrefix(s, "Connection from "); ok {
		act(r, "connect")
		addr, rest := word(rest)
		rest, _ = strings.CutPrefix(rest, "port ")
		port, rest := word(rest)
		p.sshPeer(r, addr, port)
		if rest, ok := strings.CutPrefix(rest, "on "); ok {
			addr, rest := word(rest)
			rest, _ = strings.CutPrefix(rest, "port ")
			port, _ := word(rest)
			p.destination(r, addr)
			setPort(r, record.DestinationPort, port)
		}
		return true
	}
	if rest, ok := strings.CutPrefix(s, "Received disconnect from "); ok {
		act(r, "disconnect")
		addr, rest := word(rest)
		if after, ok := strings.CutPrefix(rest, "port "); ok {
			port, reason, _ := strings.Cut(after, ":")
			p.sshPeer(r, addr, port)
			r.Set(record.EventReason, record.Text(reason))
			return true
		}
		p.sshPeer(r, strings.TrimSuffix(addr, ":"), "")
		r.Set(record.EventReason, record.Text(rest))
		return true
	}
	for _, start := range []string{"Connection closed by ", "Connection reset by ", "Disconnected from "} {
		if rest, ok := strings.CutPrefix(s, start); ok {
			act(r, "disconnect")
			p.sshEndpoint(r, rest)
			return true
		}
	}
	if reason, ok := strings.CutPrefix(s, "Disconnecting: "); ok {
		act(r, "disconnect")
		r.Set(record.EventReason, record.Text(reason))
		return true
	}
	if rest, ok := strings.CutPrefix(s, "Disconnecting "); ok {
		act(r, "disconnect")
		p.sshEndpointReason(r, rest)
		return true
	}
	return false
}

// sshEndpoint reads "[invalid user NAME |authenticating user NAME |user NAME ]1.2.3.4[ port 22]" from the right.
func (p *Parser) sshEndpoint(r *record.Record, s string) {
	port := ""
	if i := strings.LastIndex(s, " port "); i >= 0 {
		s, port = s[:i], s[i+len(" port "):]
	}
	i := strings.LastIndexByte(s, ' ')
	if i >= 0 {
		sshWho(r, s[:i])
	}
	p.sshPeer(r, s[i+1:], port)
}

func sshWho(r *record.Record, s string) {
	for _, start := range []string{"invalid user ", "authenticating user ", "user "} {
		if name, ok := strings.CutPrefix(s, start); ok {
			r.Set(record.UserName, record.Text(name))
			r.Set(record.UserRealm, sshRealm)
			return
		}
	}
}

// sshEndpointReason reads "... 1.2.3.4 port 22: reason". Name and reason may both hold the client's text, so that an
// address is taken only when the line has one place that looks like it.
func (p *Parser) sshEndpointReason(r *record.Record, s string) {
	found, end := -1, 0
	for from := 0; ; {
		i := strings.Index(s[from:], " port ")
		if i < 0 {
			break
		}
		i += from
		from = i + len(" port ")
		colon := from
		for colon < len(s) && s[colon]-'0' <= 9 {
			colon++
		}
		if colon == from || !strings.HasPrefix(s[colon:], ": ") {
			continue
		}
		if found >= 0 {
			return
		}
		found, end = i, colon
	}
	if found < 0 {
		return
	}
	r.Set(record.EventReason, record.Text(s[end+2:]))
	p.sshEndpoint(r, s[:end])
}

// sshRefused reads "User NAME from 1.2.3.4 not allowed because ...": NAME is an account of the host.
func (p *Parser) sshRefused(r *record.Record, s string) bool {
	if pid, ok := strings.CutPrefix(s, "child is on pid "); ok {
		act(r, "session-child")
		if n, ok := whole(pid); ok {
			extra(r, "process.child_pid", record.Int(n, pid))
		}
		return true
	}
	user, rest, ok := strings.Cut(s, " from ")
	if !ok {
		user, rest, ok = strings.Cut(s, " ")
		if !ok || !strings.HasPrefix(rest, "not allowed because ") {
			return false
		}
		rest = " " + rest
	}
	addr, reason, ok := strings.Cut(rest, " not allowed because ")
	if !ok || strings.Contains(user, " ") {
		return false
	}
	signIn(r, "login-refused", "failure", sshRealm)
	r.Set(record.UserName, record.Text(user))
	r.Set(record.EventReason, record.Text(reason))
	p.sshPeer(r, strings.TrimSpace(addr), "")
	return true
}

// sshOther reads the rest of the known wordings.
func (p *Parser) sshOther(r *record.Record, s string) bool {
	switch {
	case strings.HasPrefix(s, "maximum authentication attempts exceeded for "):
		act(r, "login-limit")
		r.Set(record.EventOutcome, record.Text("failure"))
		r.Set(record.UserRealm, sshRealm)
		rest := strings.TrimPrefix(s[len("maximum authentication attempts exceeded for "):], "invalid user ")
		return p.sshUserFrom(r, strings.TrimSuffix(rest, " ssh2"))
	case strings.HasPrefix(s, "Starting session: "), strings.HasPrefix(s, "Close session: "):
		return p.sshSession(r, s)
	case strings.HasPrefix(s, "Accepted key "):
		return sshKey(r, s[len("Accepted key "):])
	case strings.HasPrefix(s, "input_userauth_request: invalid user "):
		act(r, "login-step")
		r.Set(record.UserName, record.Text(s[len("input_userauth_request: invalid user "):]))
		r.Set(record.UserRealm, sshRealm)
		return true
	case strings.HasPrefix(s, "Timeout before authentication for "):
		return p.sshTimeout(r, s[len("Timeout before authentication for "):])
	case strings.HasPrefix(s, "Bad protocol version identification "), strings.HasPrefix(s, "Did not receive identification string from "),
		strings.HasPrefix(s, "Protocol major versions differ for "):
		return p.sshProbe(r, s)
	case strings.HasPrefix(s, "banner exchange: Connection from "), strings.HasPrefix(s, "ssh_dispatch_run_fatal: Connection from "),
		strings.HasPrefix(s, "Unable to negotiate with "):
		_, rest, _ := strings.Cut(s, " from ")
		if rest == "" {
			rest = s[len("Unable to negotiate with "):]
		}
		act(r, "probe")
		p.sshEndpointReason(r, rest)
		return true
	case strings.HasPrefix(s, "PAM: Authentication failure for "), strings.HasPrefix(s, "PAM: User not known to the underlying authentication module for "):
		signIn(r, "pam-auth", "failure", sshRealm)
		_, rest, _ := strings.Cut(s, " for ")
		rest, _ = withoutInvalid(rest)
		return p.sshUserFrom(r, rest)
	case strings.HasPrefix(s, "reverse mapping checking getaddrinfo for "), strings.HasPrefix(s, "Address "):
		return p.sshName(r, s)
	}
	return sshNotice(r, s)
}

// sshSession reads "Starting session: WHAT for NAME from 1.2.3.4 port 22 id 0" and "Close session: user NAME from ...".
func (p *Parser) sshSession(r *record.Record, s string) bool {
	i := strings.LastIndex(s, " id ")
	if i < 0 {
		return false
	}
	if rest, ok := strings.CutPrefix(s[:i], "Close session: user "); ok {
		act(r, "session-closed")
		r.Set(record.UserRealm, sshRealm)
		return p.sshUserFrom(r, rest)
	}
	rest := strings.TrimPrefix(s[:i], "Starting session: ")
	f := strings.LastIndex(rest, " from ")
	if f < 0 {
		return false
	}
	w := strings.LastIndex(rest[:f], " for ")
	if w < 0 {
		return false
	}
	act(r, "session-opened")
	r.Set(record.UserRealm, sshRealm)
	r.Set(record.CommandLine, record.Text(rest[:w]))
	return p.sshUserFrom(r, rest[w+len(" for "):])
}

// sshKey reads "ED25519 SHA256:... found at FILE:LINE".
func sshKey(r *record.Record, s string) bool {
	key, place, ok := strings.Cut(s, " found at ")
	if !ok {
		return false
	}
	act(r, "key-accepted")
	r.Set(record.UserRealm, sshRealm)
	extra(r, "ssh.key", record.Text(key))
	if i := strings.LastIndexByte(place, ':'); i > 0 {
		place = place[:i]
	}
	setFile(r, place)
	return true
}

// sshTimeout reads "1.2.3.4 port 22" and, since OpenSSH 9.8, "connection from 1.2.3.4 to 5.6.7.8, pid = 9".
func (p *Parser) sshTimeout(r *record.Record, s string) bool {
	act(r, "login-timeout")
	r.Set(record.EventOutcome, record.Text("failure"))
	r.Set(record.UserRealm, sshRealm)
	if rest, ok := strings.CutPrefix(s, "connection from "); ok {
		addr, rest := word(rest)
		p.sshPeer(r, addr, "")
		if rest, ok := strings.CutPrefix(rest, "to "); ok {
			to, _, _ := strings.Cut(rest, ",")
			p.destination(r, to)
		}
		return true
	}
	addr, port, _ := strings.Cut(s, " port ")
	p.sshPeer(r, addr, port)
	return true
}

// sshProbe reads "... from 1.2.3.4[ port 22]" from the right: what stands before is the client's text.
func (p *Parser) sshProbe(r *record.Record, s string) bool {
	if i := strings.LastIndex(s, ": "); i >= 0 && strings.HasPrefix(s, "Protocol") {
		s = s[:i]
	}
	i := strings.LastIndex(s, " from ")
	if i < 0 {
		return false
	}
	act(r, "probe")
	r.Set(record.EventReason, record.Text(s[:i]))
	addr, port, _ := strings.Cut(s[i+len(" from "):], " port ")
	p.sshPeer(r, addr, port)
	return true
}

// sshName reads complaints about the name of an address: the address is in brackets or stands first.
func (p *Parser) sshName(r *record.Record, s string) bool {
	act(r, "name-mismatch")
	if rest, ok := strings.CutPrefix(s, "Address "); ok {
		addr, rest := word(rest)
		r.Set(record.EventReason, record.Text(rest))
		return p.client(r, addr, "")
	}
	addr, ok := between(s, " [", "] failed")
	r.Set(record.EventReason, record.Text("reverse mapping failed"))
	return ok && p.client(r, addr, "")
}

// sshNotices are sshd's wordings that name nobody: the text is all there is.
var sshNotices = []struct{ start, action string }{
	{"Server listening on ", "listen"},
	{"Received signal ", "stop"},
	{"Received SIGHUP", "restart"},
	{"Exiting on signal", "stop"},
	{"kex_exchange_identification: ", "probe"},
	{"kex_protocol_error: ", "probe"},
	{"banner exchange: ", "probe"},
	{"client sent invalid protocol identifier", "probe"},
	{"send_error: ", "probe"},
	{"beginning MaxStartups throttling", "throttle"},
	{"exited MaxStartups throttling", "throttle"},
	{"drop connection ", "throttle"},
	{"Authentication refused: ", "login-refused"},
	{"Could not get shadow information for ", "login-step"},
	{"subsystem request for ", "session-opened"},
	{"userauth_pubkey: ", "login-step"},
	{"Changed root directory to ", "session-opened"},
	{"Transferred: ", "session-closed"},
	{"session opened for ", "session-opened"},
	{"Unable to negotiate a key exchange method", "probe"},
	{"no hostkey alg", "probe"},
	{"no matching ", "probe"},
}

func sshNotice(r *record.Record, s string) bool {
	for _, n := range sshNotices {
		if strings.HasPrefix(s, n.start) {
			act(r, n.action)
			r.Set(record.EventReason, record.Text(s))
			return true
		}
	}
	return false
}
