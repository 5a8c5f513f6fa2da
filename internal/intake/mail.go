package intake

import (
	"strings"

	"tocsin/internal/record"
)

// mailer sets what every line of a mail server has.
func mailer(r *record.Record, action string) {
	r.Source.Service = "mail"
	act(r, action)
}

// peerInBrackets reads the "name[1.2.3.4]" at the start of s; Postfix writes a name that it has looked up, or
// "unknown", and postscreen the brackets alone with a port behind.
func peerInBrackets(s string) (addr, rest string, ok bool) {
	i := strings.IndexByte(s, '[')
	if i < 0 || strings.Contains(s[:i], " ") {
		return "", "", false
	}
	addr, rest, ok = strings.Cut(s[i+1:], "]")
	return addr, rest, ok
}

// postfixProbes are what smtpd and postscreen say of clients that do not speak as mail servers do. The peer follows.
var postfixProbes = []string{"non-SMTP command from ", "improper command pipelining after ", "too many errors after ", "Illegal address syntax from ",
	"PREGREET ", "BARE NEWLINE from ", "COMMAND LENGTH LIMIT from ", "NON-SMTP COMMAND from ", "COMMAND PIPELINING from ", "COMMAND TIME LIMIT from "}

// postfix reads the messages of Postfix (smtpd.c, smtpd_sasl_glue.c, postscreen). Peers stand before what the client said.
func (p *Parser) postfix(r *record.Record, text string) bool {
	mailer(r, "mail")
	said := strings.TrimPrefix(text, "warning: ")
	if p.postfixLogin(r, said) {
		return true
	}
	for _, start := range postfixProbes {
		if rest, ok := strings.CutPrefix(said, start); ok {
			if _, after, found := strings.Cut(rest, " from "); found && !strings.HasSuffix(start, " from ") {
				rest = after
			}
			mailer(r, "probe")
			r.Set(record.EventReason, record.Text(strings.TrimSuffix(start, " from ")))
			p.postfixPeer(r, rest)
			return true
		}
	}
	for _, w := range [...]struct{ start, before, action string }{
		{"connect from ", "", "connect"},
		{"disconnect from ", "", "disconnect"},
		{"lost connection after ", " from ", "disconnect"},
		{"DNSBL rank ", " for ", "mail-rejected"},
	} {
		rest, ok := strings.CutPrefix(said, w.start)
		if !ok {
			continue
		}
		if w.before != "" {
			_, rest, ok = strings.Cut(rest, w.before)
		}
		if ok {
			mailer(r, w.action)
			p.postfixPeer(r, rest)
		}
		return true
	}
	p.postfixMail(r, said)
	return true
}

// postfixLogin reads "name[1.2.3.4]: SASL LOGIN authentication failed: reason, sasl_username=anna".
func (p *Parser) postfixLogin(r *record.Record, said string) bool {
	i := strings.Index(said, "]: SASL ")
	if i < 0 || !strings.Contains(said[i:], " authentication failed") {
		return false
	}
	addr, rest, ok := peerInBrackets(said)
	if !ok {
		return false
	}
	signIn(r, "login", "failure", mailRealm)
	method, rest := word(strings.TrimPrefix(rest, ": SASL "))
	r.Set(record.EventCode, record.Text(method))
	_, reason, _ := strings.Cut(rest, ": ")
	if j := strings.LastIndex(reason, ", sasl_username="); j >= 0 {
		r.SetText(record.UserName, reason[j+len(", sasl_username="):])
		reason = reason[:j]
	}
	r.SetText(record.EventReason, reason)
	p.client(r, addr, "")
	return true
}

func (p *Parser) postfixPeer(r *record.Record, s string) (rest string, ok bool) {
	addr, rest, ok := peerInBrackets(s)
	if ok {
		p.client(r, addr, "")
		if port, found := strings.CutPrefix(rest, ":"); found {
			port, _, _ = strings.Cut(port, ":")
			setPort(r, record.SourcePort, port)
		}
	}
	return rest, ok
}

// postfixMail reads what begins with the number of a mail, or NOQUEUE: "reject: RCPT from name[1.2.3.4]: 554 5.7.1 ...",
// "client=name[1.2.3.4], sasl_method=LOGIN, sasl_username=anna".
func (p *Parser) postfixMail(r *record.Record, s string) {
	id, rest, ok := strings.Cut(s, ": ")
	if !ok || strings.Contains(id, " ") {
		return
	}
	extra(r, "mail.id", record.Text(id))
	if client, found := strings.CutPrefix(rest, "client="); found {
		after, _ := p.postfixPeer(r, client)
		if i := strings.LastIndex(after, ", sasl_username="); i >= 0 {
			signIn(r, "login", "success", mailRealm)
			user, _, _ := strings.Cut(after[i+len(", sasl_username="):], ", ")
			r.SetText(record.UserName, user)
		}
		return
	}
	kind, rest, ok := strings.Cut(rest, ": ")
	if !ok || kind != "reject" && kind != "milter-reject" {
		return
	}
	_, peer, ok := strings.Cut(rest, " from ")
	if !ok {
		return
	}
	mailer(r, "mail-rejected")
	r.Set(record.EventOutcome, record.Text("failure"))
	if after, ok := p.postfixPeer(r, peer); ok {
		if _, why, found := strings.Cut(after, ": "); found {
			why, _, _ = strings.Cut(why, "; from=<")
			r.SetText(record.EventReason, why)
		}
	}
}

// dovecot reads Dovecot's messages: "imap-login: Disconnected (auth failed, 1 attempts in 2 secs): user=<a>, method=PLAIN,
// rip=1.2.3.4, lip=5.6.7.8", "imap-login: Login: user=<a>, ...", and what auth says of one password,
// "auth-worker(5): sql(a,1.2.3.4,<id>): Password mismatch", which does not count beside the first.
func (p *Parser) dovecot(r *record.Record, text string) bool {
	mailer(r, "mail")
	p.dovecotLine(r, text)
	return true
}

func (p *Parser) dovecotLine(r *record.Record, text string) bool {
	service, rest, ok := strings.Cut(strings.TrimLeft(text, " "), ": ")
	if !ok || strings.Contains(service, " ") {
		return false
	}
	for _, level := range []string{"Info: ", "Warning: ", "Error: ", "Debug: "} {
		rest = strings.TrimPrefix(rest, level)
	}
	switch {
	case strings.HasSuffix(service, "-login") && strings.Contains(rest, "rip="):
		return p.dovecotLogin(r, rest)
	case service == "auth" || strings.HasPrefix(service, "auth-worker"):
		return p.dovecotAuth(r, rest)
	}
	return false
}

func (p *Parser) dovecotLogin(r *record.Record, s string) bool {
	mailer(r, "disconnect")
	head, _, _ := strings.Cut(s, "user=<")
	switch {
	case strings.HasPrefix(head, "Login: "):
		signIn(r, "login", "success", mailRealm)
	case strings.Contains(head, "auth failed"):
		signIn(r, "login", "failure", mailRealm)
		if count, ok := between(head, "auth failed, ", " attempts"); ok {
			if n, isNumber := whole(count); isNumber && n > 1 {
				extra(r, "repeat", record.Int(n, count))
			}
		}
	}
	if user, ok := between(s, "user=<", ">, "); ok {
		r.SetText(record.UserName, user)
	}
	// The name is the client's: a line that says rip= twice may name somebody else.
	if addr, ok := (part{"rip=", ",", only}).in(s + ","); ok {
		p.client(r, addr, "")
	}
	return true
}

// dovecotFailures begin what a password database says of a wrong name or password.
var dovecotFailures = []string{"Password mismatch", "unknown user", "pam_authenticate() failed", "Invalid credentials", "invalid credentials", "No such user", "user not found"}

func (p *Parser) dovecotAuth(r *record.Record, s string) bool {
	i := strings.LastIndex(s, "): ")
	if i < 0 {
		return false
	}
	open := strings.LastIndexByte(s[:i], '(')
	fields := strings.Split(s[open+1:i], ",")
	if open < 0 || len(fields) < 2 || len(fields) > 3 {
		return false
	}
	for _, start := range dovecotFailures {
		if strings.HasPrefix(s[i+len("): "):], start) {
			mailer(r, "auth-check")
			r.Source.Categories = authCategory
			r.Set(record.EventOutcome, record.Text("failure"))
			r.Set(record.UserRealm, mailRealm)
			r.Set(record.EventReason, record.Text(start))
			r.SetText(record.UserName, fields[0])
			p.client(r, fields[1], "")
			return true
		}
	}
	return false
}

// exim reads Exim's messages that came by syslog.
func (p *Parser) exim(r *record.Record, text string) bool {
	mailer(r, "mail")
	p.eximLine(r, text)
	return true
}

// eximLine reads what Exim's main and reject logs say of clients, behind the date: "login authenticator failed for
// H=name (helo) [1.2.3.4]:5 I=[5.6.7.8]:25: 535 Incorrect authentication data (set_id=anna)", "H=(helo) [1.2.3.4] F=<a@b>
// rejected RCPT <c@d>: relay not permitted", "SMTP protocol synchronization error (...): rejected ... H=[1.2.3.4]".
func (p *Parser) eximLine(r *record.Record, text string) bool {
	text = strings.TrimLeft(text, " ")
	if strings.HasPrefix(text, "[") {
		if _, rest, ok := strings.Cut(text, "] "); ok {
			text = rest // the process
		}
	}
	const failed = " authenticator failed for "
	if i := strings.Index(text, failed); i >= 0 && !strings.Contains(text[:i], " ") {
		mailer(r, "login")
		signIn(r, "login", "failure", mailRealm)
		r.Set(record.EventCode, record.Text(text[:i]))
		rest := text[i+len(failed):]
		if user, ok := (part{"(set_id=", ")", last}).in(rest); ok {
			r.SetText(record.UserName, user)
		}
		p.eximPeer(r, rest)
		return true
	}
	if strings.HasPrefix(text, "H=") {
		for _, what := range []string{" rejected ", " temporarily rejected "} {
			if head, why, ok := strings.Cut(text, what); ok {
				mailer(r, "mail-rejected")
				r.Set(record.EventOutcome, record.Text("failure"))
				r.SetText(record.EventReason, why)
				p.eximPeer(r, head[len("H="):])
				return true
			}
		}
	}
	if strings.HasPrefix(text, "SMTP protocol ") || strings.HasPrefix(text, "SMTP syntax error ") || strings.HasPrefix(text, "SMTP call from ") {
		mailer(r, "probe")
		for _, start := range []string{" H=", " call from "} {
			if _, peer, ok := strings.Cut(text, start); ok {
				p.eximPeer(r, peer)
				break
			}
		}
		return true
	}
	return false
}

// eximPeer reads "[H=][name ][(helo) ][1.2.3.4][:5]". The greeting in parentheses is the client's and may hold an address in
// brackets; it has no blanks, so that the address is what follows the blank behind it, or stands first.
func (p *Parser) eximPeer(r *record.Record, s string) {
	s = strings.TrimPrefix(s, "H=")
	for range 3 {
		if strings.HasPrefix(s, "[") {
			addr, rest, ok := strings.Cut(s[1:], "]")
			if !ok {
				return
			}
			p.client(r, addr, "")
			if port, found := strings.CutPrefix(rest, ":"); found {
				end := 0
				for end < len(port) && port[end]-'0' <= 9 {
					end++
				}
				setPort(r, record.SourcePort, port[:end])
			}
			return
		}
		_, rest, ok := strings.Cut(s, " ")
		if !ok {
			return
		}
		s = rest
	}
}
