package intake

import (
	"strings"

	"tocsin/internal/record"
)

var (
	systemRealm = record.Text("system")
	ftpRealm    = record.Text("ftp")
)

// pam reads "pam_unix(sshd:auth): text", and "sshd(pam_unix)[1]: text" as older systems write it.
func (p *Parser) pam(r *record.Record, program, text string) bool {
	r.Source.Service = "auth"
	var module, service, kind string
	if rest, ok := strings.CutSuffix(program, "(pam_unix)"); ok {
		module, service = "pam_unix", rest
		r.Set(record.ProcessName, record.Text(rest))
	} else {
		head, rest, ok := strings.Cut(text, "): ")
		name, inner, open := strings.Cut(head, "(")
		if !ok || !open || strings.ContainsAny(head, " \t") {
			return false
		}
		module, text = name, rest
		service, kind, _ = strings.Cut(inner, ":")
	}
	extra(r, "pam.module", record.Text(module))
	extra(r, "pam.service", record.Text(service))
	if kind != "" {
		extra(r, "pam.type", record.Text(kind))
	}
	switch {
	case strings.HasPrefix(text, "authentication failure; "):
		p.pamFailure(r, service, text[len("authentication failure; "):])
	case strings.HasPrefix(text, "session opened for user "), strings.HasPrefix(text, "session closed for user "):
		pamSession(r, service, text)
	case strings.HasPrefix(text, "check pass; "):
		act(r, "pam-check")
		r.Set(record.EventReason, record.Text(text[len("check pass; "):]))
		r.Set(record.UserRealm, realmOf(service))
	case strings.HasPrefix(text, "password changed for "):
		act(r, "password-change")
		r.Set(record.EventOutcome, record.Text("success"))
		r.Set(record.UserName, record.Text(text[len("password changed for "):]))
		r.Set(record.UserRealm, systemRealm)
	default:
		return pamNotice(r, text)
	}
	return true
}

// realmOf says where the accounts of a PAM service live.
func realmOf(service string) record.Value {
	switch service {
	case "sshd", "sshd-session":
		return sshRealm
	case "vsftpd", "proftpd", "pure-ftpd", "ftp":
		return ftpRealm
	case "dovecot", "smtp", "imap", "pop3", "exim4":
		return mailRealm
	}
	return systemRealm
}

// ownLine reports whether the service itself writes a line for each failure into the log that PAM writes to. PAM's line
// does not count there, so that one attempt is one login.
func ownLine(service string) bool {
	switch service {
	case "sshd", "sshd-session", "sudo", "sudo-i", "su", "su-l", "login", "runuser":
		return true
	}
	return false
}

// pamFailure reads "logname= uid=0 euid=0 tty=ssh ruser= rhost=1.2.3.4  user=root". ruser may be the client's own text
// (vsftpd's is), so rhost is looked for at the right; user is named only when the account exists.
func (p *Parser) pamFailure(r *record.Record, service, s string) {
	action := "login"
	if ownLine(service) {
		action = "pam-auth"
	}
	signIn(r, action, "failure", realmOf(service))
	i := strings.LastIndex(s, " rhost=")
	if i < 0 {
		return
	}
	host, rest := word(s[i+len(" rhost="):])
	user, named := strings.CutPrefix(strings.TrimLeft(rest, " "), "user=")
	if !named {
		if j := strings.Index(s[:i], " ruser="); j >= 0 {
			user = s[j+len(" ruser=") : i]
			named = user != ""
		}
	}
	if named {
		r.Set(record.UserName, record.Text(user))
	}
	if host != "" && !p.client(r, host, "") {
		extra(r, "source.address", record.Text(host))
	}
}

// pamSummary reads what libpam says for sshd at the end of a connection. The attempts it sums up had lines of their own.
func (p *Parser) pamSummary(r *record.Record, service, s string) bool {
	r.Source.Service = "auth"
	if strings.HasPrefix(s, "service(") {
		act(r, "login-limit")
		r.Set(record.EventReason, record.Text(s))
		return true
	}
	count, rest := word(s)
	_, rest, ok := strings.Cut(rest, "; ")
	n, isNumber := whole(count)
	if !ok || !isNumber {
		return false
	}
	p.pamFailure(r, service, rest)
	act(r, "pam-summary")
	extra(r, "repeat", record.Int(n, count))
	return true
}

// pamSession reads "session opened for user root(uid=0) by bob(uid=1000)". With sudo and su, bob is who acts.
func pamSession(r *record.Record, service, s string) {
	action := "session-opened"
	if strings.HasPrefix(s, "session closed") {
		action = "session-closed"
	}
	act(r, action)
	r.Set(record.EventOutcome, record.Text("success"))
	r.Set(record.UserRealm, realmOf(service))
	user, by, _ := strings.Cut(s[len("session opened for user "):], " by ")
	user, by = bareUser(user), bareUser(by)
	if by == "" || by == user {
		r.Set(record.UserName, record.Text(user))
		return
	}
	r.Set(record.UserName, record.Text(by))
	r.Set(record.UserEffective, record.Text(user))
}

func bareUser(s string) string {
	if i := strings.LastIndex(s, "(uid="); i >= 0 {
		s = s[:i]
	}
	return s
}

// pamNotices are wordings of PAM modules that change nothing.
var pamNotices = []struct{ start, action string }{
	{"deprecated reading of user environment enabled", "notice"},
	{"Cannot create session: ", "notice"},
	{"Failed to create session: ", "notice"},
	{"Failed to connect to system bus: ", "notice"},
	{"Failed to release session: ", "notice"},
	{"Unable to open env file: ", "notice"},
	{"Unable to open config file", "notice"},
	{"requirement ", "pam-requirement"},
	{"error reading login count ", "notice"},
	{"auth could not identify password for ", "pam-check"},
	{"conversation failed", "pam-check"},
	{"account ", "account-state"},
	{"expired password for user ", "account-state"},
	{"Consecutive login failures for user ", "account-locked"},
	{"User unknown", "pam-check"},
	{"unrecognized option ", "notice"},
	{"unknown option: ", "notice"},
}

func pamNotice(r *record.Record, s string) bool {
	if rest, ok := strings.CutPrefix(s, "user "); ok {
		if user, why, ok := strings.Cut(rest, " does not exist in "); ok {
			act(r, "password-change")
			r.Set(record.EventOutcome, record.Text("failure"))
			r.Set(record.EventReason, record.Text("does not exist in "+why))
			r.Set(record.UserName, record.Text(strings.Trim(user, `"'`)))
			r.Set(record.UserRealm, systemRealm)
			return true
		}
	}
	for _, n := range pamNotices {
		if strings.HasPrefix(s, n.start) {
			act(r, n.action)
			r.Set(record.EventReason, record.Text(s))
			return true
		}
	}
	return false
}
