package intake

import (
	"strings"

	"tocsin/internal/record"
)

// proftpd reads "server (host[1.2.3.4])[ -]: USER x (Login failed): Incorrect password" (ProFTPD's doc/howto/LogMessages). The
// client stands at the left, before all that it can write.
func (p *Parser) proftpd(r *record.Record, s string) bool {
	r.Source.Service = "proftpd"
	_, rest, ok := strings.Cut(s, " (")
	if !ok {
		return false
	}
	peer, rest, ok := strings.Cut(rest, "])")
	if !ok {
		return false
	}
	peer = peer[strings.LastIndexByte(peer, '[')+1:]
	text := strings.TrimLeft(rest, " :-")
	r.Set(record.UserRealm, ftpRealm)
	p.client(r, peer, "")
	for _, start := range []string{"USER ", "ANON "} {
		if user, ok := strings.CutPrefix(text, start); ok {
			return proftpdSignIn(r, user)
		}
	}
	for _, w := range proftpdWordings {
		if strings.HasPrefix(text, w.start) {
			act(r, w.action)
			r.Set(record.EventReason, record.Text(text))
			return true
		}
	}
	if strings.HasPrefix(text, "SECURITY VIOLATION") {
		signIn(r, "login-refused", "failure", ftpRealm)
		r.Set(record.EventReason, record.Text(text))
		return true
	}
	return false
}

// proftpdWordings are what ProFTPD says of a connection.
var proftpdWordings = []struct{ start, action string }{
	{"FTP session opened", "connect"},
	{"SSH2 session opened", "connect"},
	{"FTP session closed", "disconnect"},
	{"SSH2 session closed", "disconnect"},
	{"FTP login timed out", "disconnect"},
	{"FTP no transfer timeout", "disconnect"},
	{"FTP session idle timeout", "disconnect"},
	{"FTP stalled transfer timeout", "disconnect"},
	{"Login timeout exceeded", "disconnect"},
	{"Client session idle timeout", "disconnect"},
	{"Maximum login attempts", "login-limit"},
	{"Preparing to chroot to directory", "notice"},
}

// proftpdSignIn reads what follows USER or ANON. The name is the client's own text; the reason is not.
func proftpdSignIn(r *record.Record, s string) bool {
	if user, _, ok := strings.Cut(s, ": no such user found"); ok {
		signIn(r, "login", "failure", ftpRealm)
		r.Set(record.UserName, record.Text(user))
		r.Set(record.EventReason, record.Text("no such user"))
		return true
	}
	if i := strings.LastIndex(s, " (Login failed): "); i >= 0 {
		signIn(r, "login", "failure", ftpRealm)
		r.Set(record.UserName, record.Text(s[:i]))
		r.Set(record.EventReason, record.Text(s[i+len(" (Login failed): "):]))
		return true
	}
	if user, _, ok := strings.Cut(s, ": Login successful"); ok {
		signIn(r, "login", "success", ftpRealm)
		r.Set(record.UserName, record.Text(user))
		return true
	}
	return false
}

// ftpCommand reads a command with its answer, as ProFTPD's ExtendedLog has it. A web server that was sent such a line answers
// with a code of HTTP, so only codes that HTTP does not have are taken (RFC 959, section 4.2; RFC 9110, section 15).
func ftpCommand(r *record.Record, command, code, size string) bool {
	outcome := ""
	switch code {
	case "211", "212", "213", "214", "215", "220", "221", "225", "227", "228", "229", "230", "232", "234", "250", "257":
		outcome = "success"
	case "331", "332", "334", "350":
	case "430", "434", "530", "532", "533", "534", "535", "536", "537", "550", "551", "552", "553":
		outcome = "failure"
	default:
		if code != "226" || !strings.HasPrefix(command, "STOR ") && !strings.HasPrefix(command, "RETR ") && !strings.HasPrefix(command, "APPE ") &&
			!strings.HasPrefix(command, "LIST") && !strings.HasPrefix(command, "NLST") && !strings.HasPrefix(command, "MLSD") {
			return false
		}
		outcome = "success"
	}
	verb, argument := word(command)
	if len(verb) < 3 || len(verb) > 4 || strings.ToUpper(verb) != verb {
		return false
	}
	r.Source = record.LogSource{Product: "linux", Service: "proftpd"}
	r.Set(record.UserRealm, ftpRealm)
	r.Set(record.CommandLine, record.Text(command))
	r.Set(record.EventCode, record.Text(code))
	action := "ftp-command"
	switch verb {
	case "USER":
		r.Set(record.UserName, record.Text(argument)) // nobody has signed in yet
	case "PASS":
		if outcome != "" {
			signIn(r, "login", outcome, ftpRealm)
			return true
		}
	case "RETR":
		action = "download"
	case "STOR", "APPE", "STOU":
		action = "upload"
	case "DELE", "RMD", "XRMD":
		action = "delete"
	case "MKD", "XMKD":
		action = "mkdir"
	case "RNTO":
		action = "rename"
	}
	act(r, action)
	if outcome != "" {
		r.Set(record.EventOutcome, record.Text(outcome))
	}
	if action != "ftp-command" {
		r.Source.Categories = ftpCategory
		setFile(r, argument)
		setTransfer(r, action, size)
	}
	return true
}
