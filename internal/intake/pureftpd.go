package intake

import (
	"strings"
	"time"

	"tocsin/internal/record"
)

// pureftpd reads "(user@1.2.3.4) [WARNING] Authentication failed for user [root]" (the texts are those of src/messages_en.h).
func (p *Parser) pureftpd(r *record.Record, s string) bool {
	r.Source.Service = "pure-ftpd"
	if !strings.HasPrefix(s, "(") {
		return false
	}
	who, rest, ok := strings.Cut(s[1:], ") [")
	if !ok {
		return false
	}
	_, text, ok := strings.Cut(rest, "] ")
	at := strings.LastIndexByte(who, '@')
	if !ok || at < 0 {
		return false
	}
	user := who[:at]
	switch {
	case strings.HasPrefix(text, "Authentication failed for user ["):
		signIn(r, "login", "failure", ftpRealm)
		user = strings.TrimSuffix(text[len("Authentication failed for user ["):], "]")
	case strings.HasSuffix(text, " is now logged in"):
		signIn(r, "login", "success", ftpRealm)
		user = strings.TrimSuffix(text, " is now logged in")
	case strings.HasPrefix(text, "New connection from "):
		act(r, "connect")
	case strings.HasPrefix(text, "Logout"), strings.HasPrefix(text, "Timeout"):
		act(r, "logout")
	case strings.HasPrefix(text, "Anonymous user logged in"):
		signIn(r, "login", "success", ftpRealm)
		user = "anonymous"
	case strings.HasPrefix(text, "Can't login as ["):
		signIn(r, "login-refused", "failure", ftpRealm)
		user, _ = between(text, "[", "]")
		r.Set(record.EventReason, record.Text(text))
	case strings.HasPrefix(text, "Too many authentication failures"):
		act(r, "login-limit")
	case strings.HasPrefix(text, "Too many connections"):
		act(r, "throttle")
	case strings.HasPrefix(text, "Command ["):
		act(r, "ftp-command")
		r.Set(record.CommandLine, record.Text(text[len("Command "):]))
	default:
		if !pureTransfer(r, text) {
			return false
		}
	}
	if user != "?" {
		r.Set(record.UserName, record.Text(user))
	}
	r.Set(record.UserRealm, ftpRealm)
	p.client(r, who[at+1:], "")
	return true
}

// pureTransfer reads "/file uploaded  (42 bytes, 1.00KB/sec)". A transfer that broke off is "partially uploaded".
func pureTransfer(r *record.Record, text string) bool {
	if path, ok := strings.CutPrefix(text, "Deleted "); ok {
		pureFile(r, "delete", "success", path, "")
		return true
	}
	for _, w := range []struct{ mark, action, outcome string }{
		{" partially uploaded ", "upload", "failure"}, {" partially downloaded ", "download", "failure"},
		{" uploaded ", "upload", "success"}, {" downloaded ", "download", "success"},
	} {
		i := strings.LastIndex(text, w.mark)
		if i < 0 {
			continue
		}
		size, _ := word(strings.TrimLeft(text[i+len(w.mark):], " ("))
		pureFile(r, w.action, w.outcome, text[:i], size)
		return true
	}
	return false
}

func pureFile(r *record.Record, action, outcome, path, size string) {
	act(r, action)
	r.Set(record.EventOutcome, record.Text(outcome))
	r.Source.Categories = ftpCategory
	setFile(r, path)
	setTransfer(r, action, size)
}

// readFTPCommon reads FTP servers' logs in the Common Log Format: Pure-FTPd's transfers (AltLog clf, src/altlog.c) and ProFTPD's
// commands (ExtendedLog):
//
//	203.0.113.7 - anna [10/Oct/2000:13:55:36 -0700] "PUT /home/anna/a%20b.php" 200 42
//	203.0.113.7 UNKNOWN anna [10/Oct/2000:13:55:36 -0700] "STOR a b.php" 226 42
//
// No web server writes such a line: a request without a version of HTTP has no header that could name a user.
func readFTPCommon(p *Parser, _ *stream, r *record.Record, s string, _ time.Time) bool {
	end := strings.LastIndexByte(s, '"')
	if end < 0 || len(s)-end > len(`" 226 18446744073709551615`) {
		return false
	}
	head, t, rest, ok := clfHead(s)
	if !ok || len(s)-end >= len(rest) {
		return false
	}
	request := rest[1 : len(rest)-(len(s)-end)]
	code, size := word(strings.TrimPrefix(s[end+1:], " "))
	peer, who := word(head)
	ident, user := word(who)
	if strings.Contains(request, " HTTP/") || ident == "" || size != "-" && !isWhole(size) {
		return false
	}
	r.Grow(16)
	verb, path := word(request)
	switch {
	case code == "200" && user != "-" && ident == "-" && strings.HasPrefix(path, "/") && (verb == "GET" || verb == "PUT"):
		r.Source = record.LogSource{Product: "linux", Service: "pure-ftpd"}
		action := "download"
		if verb == "PUT" {
			action = "upload"
		}
		path, _ = percentDecode(path, len(path))
		pureFile(r, action, "success", path, size)
		r.Set(record.UserRealm, ftpRealm)
	case !ftpCommand(r, request, code, size):
		return false
	}
	if _, named := r.Get(record.UserName); !named && user != "nobody" {
		r.SetText(record.UserName, user)
	}
	r.Time = t
	r.Class = record.Parsed
	if !p.client(r, peer, "") {
		extra(r, "source.address", record.Text(peer))
	}
	return true
}

func isWhole(s string) bool {
	_, ok := whole(s)
	return ok
}

// readPureFTPd reads Pure-FTPd's other transfer logs (AltLog stats and w3c, src/altlog.c):
//
//	1151826125 44a78f8a.6aa1 anna 203.0.113.7 U 42 1 /home/anna/a.php
//	2023-10-03 12:00:03 203.0.113.7 []created /home/anna/a.php 226 anna 42
func readPureFTPd(p *Parser, _ *stream, r *record.Record, s string, _ time.Time) bool {
	if s[0] == '#' {
		r.Class = record.Header
		return strings.HasPrefix(s, "#Software: Pure-FTPd") || s == "#Fields: date time c-ip cs-method cs-uri-stem sc-status cs-username sc-bytes"
	}
	var t time.Time
	var peer, user, action, path, size string
	if at, rest, ok := isoTime(s, time.UTC); ok {
		t = at
		peer, rest = word(strings.TrimPrefix(rest, " "))
		var verb string
		verb, rest = word(rest)
		switch verb {
		case "[]created":
			action = "upload"
		case "[]sent":
			action = "download"
		default:
			return false
		}
		var code string
		path, rest = word(rest) // is URL-encoded
		code, rest = word(rest)
		user, size = word(rest)
		if code != "226" {
			return false
		}
		path, _ = percentDecode(path, len(path))
	} else {
		var second, session, way, took string
		second, rest := word(s)
		session, rest = word(rest)
		user, rest = word(rest)
		peer, rest = word(rest)
		way, rest = word(rest)
		size, rest = word(rest)
		took, path = word(rest)
		action = map[string]string{"U": "upload", "D": "download"}[way]
		n, isNumber := whole(second)
		if t, ok = epochTime(0, n, true); !ok || !isNumber || len(second) > 11 || action == "" || !strings.Contains(session, ".") || !isWhole(took) {
			return false
		}
		setSpan(r, record.EventDuration, took, 1e9)
	}
	if !isWhole(size) || !p.client(r, peer, "") {
		return false
	}
	r.Time = t
	r.Class = record.Parsed
	r.Source = record.LogSource{Product: "linux", Service: "pure-ftpd"}
	pureFile(r, action, "success", path, size)
	r.Set(record.UserRealm, ftpRealm)
	r.SetText(record.UserName, user)
	return true
}
