package intake

import (
	"strings"
	"time"

	"tocsin/internal/record"
)

var ftpCategory = []string{"file_event"}

// readVsftpd reads vsftpd.log: "Mon Nov  9 01:38:58 2026 [pid 14215] [feeds] OK LOGIN: Client "1.2.3.4"".
func readVsftpd(p *Parser, _ *stream, r *record.Record, s string, _ time.Time) bool {
	t, rest, ok := ctime(s, p.zone)
	if !ok || !strings.HasPrefix(rest, " [pid ") {
		return false
	}
	pid, rest, ok := strings.Cut(rest[len(" [pid "):], "] ")
	if !ok {
		return false
	}
	r.Grow(18)
	r.Time = t
	r.Source.Product = "linux"
	r.Set(record.ProcessName, record.Text("vsftpd"))
	setInt(r, record.ProcessPID, pid)
	r.Set(record.Message, record.Text(rest))
	if p.vsftpd(r, rest) {
		r.Class = record.Parsed
	}
	return true
}

// vsftpdAction knows vsftpd's words for what was done.
func vsftpdAction(word string) string {
	switch word {
	case "LOGIN":
		return "login"
	case "UPLOAD", "APPEND":
		return "upload"
	case "DOWNLOAD":
		return "download"
	case "DELETE", "RMDIR":
		return "delete"
	case "MKDIR":
		return "mkdir"
	case "RENAME":
		return "rename"
	case "CHMOD":
		return "chmod"
	}
	return ""
}

// vsftpd reads what stands behind the pid: "[user] OK LOGIN: Client "1.2.3.4"", "CONNECT: Client "1.2.3.4"",
// "[user] OK UPLOAD: Client "1.2.3.4", "/file", 42 bytes, 1.00Kbyte/sec", "FTP command: Client "1.2.3.4", "USER x"".
func (p *Parser) vsftpd(r *record.Record, s string) bool {
	r.Source.Service = "vsftpd"
	if !strings.HasPrefix(s, "[") {
		return p.vsftpdNobody(r, s)
	}
	user, verb, client, rest, sure := vsftpdParts(s)
	if verb == "" {
		return false
	}
	if !sure {
		// Whose line this is cannot be told; only that it is a sign-in or a transfer.
		r.Set(record.UserRealm, ftpRealm)
		r.Set(record.EventReason, record.Text("ambiguous"))
		return true
	}
	r.Set(record.UserRealm, ftpRealm)
	r.Set(record.UserName, record.Text(user))
	p.client(r, client, "")
	if verb == "FTP command" || verb == "FTP response" {
		return vsftpdProtocol(r, verb, rest)
	}
	result, what := word(verb)
	action := vsftpdAction(what)
	act(r, action)
	r.Set(record.EventOutcome, record.Text(outcomeOf(result == "OK")))
	if action == "login" {
		r.Source.Categories = authCategory
		return true
	}
	r.Source.Categories = ftpCategory
	vsftpdFile(r, action, rest)
	return true
}

// vsftpdParts splits "[user] OK VERB: Client "address"rest". A failed sign-in's user name is the client's own text and
// may itself look like a whole line, so a sign-in is read from the right. A file's name is the user's text too: a line
// that is a sign-in from the right and a file from the left, or that has an anonymous password, is not sure.
func vsftpdParts(s string) (user, verb, client, rest string, sure bool) {
	left := vsftpdAt(s, strings.Index(s, "] "))
	for from := 0; left.verb == "" && from >= 0; {
		next := strings.Index(s[from+1:], "] ")
		if next < 0 {
			return "", "", "", "", false
		}
		from += 1 + next
		left = vsftpdAt(s, from)
	}
	right := left
	for _, mark := range []string{`] OK LOGIN: Client "`, `] FAIL LOGIN: Client "`} {
		if i := strings.LastIndex(s, mark); i > right.at {
			right = vsftpdAt(s, i)
		}
	}
	if right.at == left.at {
		return left.user, left.verb, left.client, left.rest, true
	}
	if strings.HasSuffix(left.verb, " LOGIN") && !strings.Contains(s, `", anon password "`) {
		return right.user, right.verb, right.client, right.rest, true
	}
	return "", left.verb, "", "", false
}

// A vsftpdLine is one way to read a line of vsftpd, with the user's name ending before byte at.
type vsftpdLine struct {
	at                       int
	user, verb, client, rest string
}

func vsftpdAt(s string, at int) vsftpdLine {
	if at < 1 {
		return vsftpdLine{}
	}
	const mark = `: Client "`
	// The verb is short: looking further would cost a hostile line's length at each of its brackets.
	i := strings.Index(s[at+2:min(len(s), at+2+len("FTP response"+mark))], mark)
	if i < 0 {
		return vsftpdLine{}
	}
	verb, after := s[at+2:at+2+i], s[at+2+i+len(mark):]
	if verb != "FTP command" && verb != "FTP response" {
		result, what := word(verb)
		if result != "OK" && result != "FAIL" || vsftpdAction(what) == "" {
			return vsftpdLine{}
		}
	}
	client, rest, ok := strings.Cut(after, `"`)
	if !ok {
		return vsftpdLine{}
	}
	return vsftpdLine{at: at, user: s[1:at], verb: verb, client: client, rest: strings.TrimPrefix(rest, ", ")}
}

// vsftpdNobody reads lines from before a sign-in.
func (p *Parser) vsftpdNobody(r *record.Record, s string) bool {
	verb, after, ok := strings.Cut(s, `: Client "`)
	if !ok || verb != "CONNECT" && verb != "FTP command" && verb != "FTP response" {
		return false
	}
	client, rest, ok := strings.Cut(after, `"`)
	if !ok {
		return false
	}
	p.client(r, client, "")
	r.Set(record.UserRealm, ftpRealm)
	rest = strings.TrimPrefix(rest, ", ")
	if verb != "CONNECT" {
		return vsftpdProtocol(r, verb, rest)
	}
	act(r, "connect")
	if rest != "" {
		r.Set(record.EventReason, record.Text(strings.Trim(rest, `"`)))
	}
	return true
}

func vsftpdProtocol(r *record.Record, verb, rest string) bool {
	act(r, strings.ReplaceAll(strings.ToLower(verb), " ", "-"))
	r.Set(record.CommandLine, record.Text(strings.Trim(rest, `"`)))
	return true
}

// vsftpdFile reads ""/file", 42 bytes, 1.00Kbyte/sec". The name may hold anything, the figures come last.
func vsftpdFile(r *record.Record, action, s string) {
	i := strings.LastIndexByte(s, '"')
	if i < 1 || s[0] != '"' {
		return
	}
	path, figures := s[1:i], strings.TrimPrefix(s[i+1:], ", ")
	if action == "rename" {
		if from, to, ok := strings.Cut(path, " "); ok {
			extra(r, "file.old_path", record.Text(from))
			path = to
		}
	}
	setFile(r, path)
	count, unit := word(figures)
	if strings.HasPrefix(unit, "bytes") {
		setTransfer(r, action, count)
	}
}

func setTransfer(r *record.Record, action, bytes string) {
	setInt(r, record.FileSize, bytes)
	if action == "upload" || action == "download" {
		setInt(r, record.TransferBytes, bytes)
	}
}

// readXferlog reads wu-ftpd's transfer log, which vsftpd, proftpd and pure-ftpd write too:
// time seconds host bytes path type flag direction mode user service method id status.
func readXferlog(p *Parser, _ *stream, r *record.Record, s string, _ time.Time) bool {
	t, rest, ok := ctime(s, p.zone)
	if !ok || rest == "" || rest[0] != ' ' {
		return false
	}
	seconds, rest := word(strings.TrimLeft(rest, " "))
	host, rest := word(rest)
	size, rest := word(rest)
	if _, isNumber := whole(seconds); !isNumber {
		return false
	}
	if _, isNumber := whole(size); !isNumber {
		return false
	}
	// The path may hold blanks: the other nine words are taken from the right.
	var tail [9]string
	for i := len(tail) - 1; i >= 0; i-- {
		j := strings.LastIndexByte(rest, ' ')
		if j < 0 {
			return false
		}
		tail[i], rest = rest[j+1:], rest[:j]
	}
	action := xferAction(tail[2])
	status := tail[8]
	if action == "" || status != "c" && status != "i" {
		return false
	}
	r.Grow(16)
	r.Time = t
	r.Class = record.Parsed
	r.Source = record.LogSource{Categories: ftpCategory, Product: "linux", Service: "xferlog"}
	act(r, action)
	r.Set(record.EventOutcome, record.Text(outcomeOf(status == "c")))
	r.Set(record.UserRealm, ftpRealm)
	user := tail[4]
	if tail[3] == "a" {
		user = "anonymous" // what stands there is the password that was typed
	}
	r.SetText(record.UserName, user)
	setFile(r, rest)
	setTransfer(r, action, size)
	setSpan(r, record.EventDuration, seconds, 1e9)
	if !p.client(r, host, "") {
		extra(r, "source.address", record.Text(host))
	}
	return true
}

func xferAction(direction string) string {
	switch direction {
	case "i":
		return "upload"
	case "o":
		return "download"
	case "d":
		return "delete"
	}
	return ""
}
