package intake

import (
	"strings"
	"time"

	"tocsin/internal/record"
)

// readAuditd reads a record of the Linux audit system, as auditd writes it (audit's documentation of the record format; the
// types and fields are those of its dictionaries):
//
//	[node=shop1 ]type=USER_LOGIN msg=audit(1492896301.818:19955): pid=1 uid=0 ... msg='op=login acct=28696E29 exe="/usr/sbin/sshd" addr=1.2.3.4 res=failed'
//
// Fields stay in Extra under auditd's names, which SigmaHQ's rules use, and the ones inside msg='...' beside them. What a user chose
// is in quotes, or in hexadecimal when it holds a quote, a blank or a control character, so nobody can add a field. With
// log_format=ENRICHED names in capitals follow, resolved by auditd (UID="root").
func readAuditd(p *Parser, _ *stream, r *record.Record, s string, _ time.Time) bool {
	node := ""
	if rest, ok := strings.CutPrefix(s, "node="); ok {
		node, s = word(rest)
	}
	kind, rest, ok := strings.Cut(s, " msg=audit(")
	kind, named := strings.CutPrefix(kind, "type=")
	if !ok || !named || kind == "" || len(kind) > 40 || strings.Contains(kind, " ") {
		return false
	}
	stamp, rest, ok := strings.Cut(rest, ")")
	seconds, serial, numbered := strings.Cut(stamp, ":")
	whole, milli, dot := strings.Cut(seconds, ".")
	t, good := auditTime(whole, milli)
	if !ok || !numbered || !dot || !good || !isWhole(serial) {
		return false
	}
	rest = strings.TrimLeft(strings.TrimPrefix(rest, ":"), " ")
	r.Grow(14)
	r.Time = t
	r.Class = record.Parsed
	r.Source = record.LogSource{Product: "linux", Service: "auditd"}
	if node != "" {
		r.SetText(record.HostName, node)
	}
	r.Set(record.Message, record.Text(rest))
	a := audit{r: r, kind: kind}
	extra(r, "type", record.Text(kind))
	extra(r, "auditd.sequence", connectionID(serial))
	a.fields(rest, 0)
	a.set(p)
	return true
}

func auditTime(seconds, milli string) (time.Time, bool) {
	n, ok := whole(seconds)
	m, fine := whole(milli)
	if !ok || !fine || n <= 0 || n > 1e11 || m < 0 || m > 999 {
		return time.Time{}, false
	}
	return time.Unix(n, m*1e6).UTC(), true
}

// An audit is one record being read.
type audit struct {
	r    *record.Record
	kind string
	args []string // of EXECVE
}

// fields reads key=value pairs. A word without "=" is passed over: some kernels write one before the fields.
func (a *audit) fields(s string, depth int) {
	for {
		s = strings.TrimLeft(s, " ,\x1d")
		if s == "" {
			return
		}
		i := strings.IndexAny(s, "= \x1d")
		if i < 0 {
			return
		}
		if s[i] != '=' {
			s = s[i+1:]
			continue
		}
		key := s[:i]
		s = s[i+1:]
		switch {
		case strings.HasPrefix(s, `"`):
			value, rest, closed := strings.Cut(s[1:], `"`)
			if !closed {
				rest = ""
			}
			a.field(key, value)
			s = rest
		case strings.HasPrefix(s, "'"):
			value, rest, closed := strings.Cut(s[1:], "'")
			if !closed {
				rest = ""
			}
			if key == "msg" && depth == 0 {
				a.fields(value, 1)
			} else {
				a.field(key, value)
			}
			s = rest
		default:
			end := strings.IndexAny(s, " \x1d")
			if end < 0 {
				end = len(s)
			}
			value := s[:end]
			// "op=adding user to group id=1": the words after the first belong to it.
			if key == "op" {
				value, end = auditWords(s)
			}
			a.field(key, auditDecoded(a.kind, key, value))
			s = s[end:]
		}
	}
}

// auditWords takes words up to the next key=value.
func auditWords(s string) (value string, end int) {
	for end < len(s) {
		next := strings.IndexAny(s[end:], " \x1d")
		if next < 0 {
			if strings.Contains(s[end:], "=") {
				break
			}
			return s, len(s)
		}
		if strings.Contains(s[end:end+next], "=") {
			break
		}
		end += next + 1
	}
	return strings.TrimRight(s[:end], " \x1d"), end
}

// auditDecoded undoes the hexadecimal that audit writes for text that would break the line.
func auditDecoded(kind, key, value string) string {
	switch key {
	case "acct", "cmd", "comm", "ocomm", "exe", "name", "cwd", "path", "dir", "file", "proctitle", "data", "key", "vm", "device", "unit", "grp", "new_group", "sw":
	default:
		if kind != "EXECVE" || key == "argc" || !strings.HasPrefix(key, "a") {
			return value
		}
	}
	if len(value) < 2 || len(value)%2 != 0 {
		return value
	}
	out := make([]byte, len(value)/2)
	for i := range out {
		hi, lo := value[2*i], value[2*i+1]
		b, ok := hexByte(hi, lo)
		if !ok || hi >= 'a' || lo >= 'a' {
			return value
		}
		out[i] = b
	}
	// Arguments in a title are divided by NUL.
	return strings.TrimRight(strings.ReplaceAll(string(out), "\x00", " "), " ")
}

// field keeps one field.
func (a *audit) field(key, value string) {
	if key == "" || len(key) > maxKey {
		return
	}
	if a.kind == "EXECVE" && len(key) >= 2 && key[0] == 'a' && key[1]-'0' <= 9 && !strings.HasSuffix(key, "_len") {
		// A long argument comes in parts: a1[0], a1[1].
		if _, part, _ := strings.Cut(key, "["); part != "" && part != "0]" && len(a.args) > 0 {
			a.args[len(a.args)-1] += value
		} else {
			a.args = append(a.args, value)
		}
	}
	if n, ok := whole(value); ok {
		extra(a.r, key, record.Int(n, value))
		return
	}
	extra(a.r, key, record.Text(value))
}

// text returns a field's text; what auditd writes for "none" is "".
func (a *audit) text(key string) string {
	v, _ := a.r.Named(key)
	switch v.Text {
	case "?", "(null)", "(none)", "unset":
		return ""
	}
	return v.Text
}

// set sets the fields that rules use over all logs.
func (a *audit) set(p *Parser) {
	r := a.r
	setInt(r, record.ProcessPID, a.text("pid"))
	if comm := a.text("comm"); comm != "" {
		r.Set(record.ProcessName, record.Text(comm))
	}
	for _, key := range []string{"addr", "hostname"} {
		if host := a.text(key); host != "" && p.client(r, host, "") {
			break
		}
	}
	a.outcome()
	switch {
	case strings.HasPrefix(a.kind, "USER_"), strings.HasPrefix(a.kind, "CRED_"), a.kind == "LOGIN":
		a.account()
		return
	}
	for _, w := range auditActions {
		if w.kind == a.kind {
			act(r, w.action)
			break
		}
	}
	switch a.kind {
	case "ADD_USER", "DEL_USER", "ADD_GROUP", "DEL_GROUP", "GRP_MGMT", "ROLE_ASSIGN", "ROLE_REMOVE", "ACCT_LOCK", "ACCT_UNLOCK":
		a.user()
		r.Set(record.UserRealm, systemRealm)
	case "EXECVE":
		r.Set(record.CommandLine, record.Text(strings.Join(a.args, " ")))
	case "PROCTITLE":
		r.Set(record.CommandLine, record.Text(a.text("proctitle")))
	case "PATH":
		a.path()
	}
	if _, has := r.Get(record.EventAction); !has {
		act(r, "audit")
	}
}

// auditActions are what records of a type tell.
var auditActions = []struct{ kind, action string }{
	{"EXECVE", "command"},
	{"SYSCALL", "syscall"},
	{"PROCTITLE", "process-title"},
	{"PATH", "path"},
	{"ADD_USER", "user-created"},
	{"DEL_USER", "user-deleted"},
	{"ADD_GROUP", "group-created"},
	{"DEL_GROUP", "group-deleted"},
	{"GRP_MGMT", "group-changed"},
	{"ACCT_LOCK", "user-changed"},
	{"ACCT_UNLOCK", "user-changed"},
	{"SERVICE_START", "unit-started"},
	{"SERVICE_STOP", "unit-stopped"},
	{"CONFIG_CHANGE", "audit-config"},
	{"DAEMON_START", "audit-config"},
	{"DAEMON_END", "audit-config"},
	{"DAEMON_CONFIG", "audit-config"},
	{"ANOM_LOGIN_FAILURES", "login-limit"},
	{"RESP_ACCT_LOCK", "account-locked"},
	{"TTY", "keystrokes"},
}

func (a *audit) outcome() {
	for _, key := range []string{"res", "success"} {
		switch a.text(key) {
		case "success", "yes", "1":
			a.r.Set(record.EventOutcome, record.Text("success"))
			return
		case "failed", "no", "0":
			a.r.Set(record.EventOutcome, record.Text("failure"))
			return
		}
	}
}

// user names the account. sshd hides the name of one that does not exist.
func (a *audit) user() {
	name := a.text("acct")
	switch name {
	case "(invalid user)", "(unknown user)", "(unknown)":
		a.r.Set(record.EventReason, record.Text("invalid user"))
		name = ""
	case "":
		for _, key := range []string{"ID", "grp"} {
			if name = a.text(key); name != "" {
				break
			}
		}
	}
	if name != "" {
		a.r.Set(record.UserName, record.Text(name))
	}
	if by := a.text("AUID"); by != "" && by != name {
		extra(a.r, "auditd.by", record.Text(by))
	}
}

// account reads what programs report of people. One attempt to sign in counts once in this log: sshd, login and the desktops report
// USER_LOGIN at its end, so their USER_AUTH is a step; su, sudo, vsftpd and others leave USER_AUTH alone.
func (a *audit) account() {
	r := a.r
	exe := a.text("exe")
	program := exe[strings.LastIndexByte(exe, '/')+1:]
	if program != "" {
		r.Set(record.ProcessName, record.Text(program))
	}
	a.user()
	r.Set(record.UserRealm, realmOf(program))
	action := "notice"
	switch a.kind {
	case "USER_LOGIN":
		action = "login"
	case "USER_AUTH", "USER_ERR":
		action = "login"
		if a.kind == "USER_ERR" || reportsLogin(program) {
			action = "pam-auth"
		}
		if op := a.text("op"); strings.HasPrefix(op, "pubkey") || strings.HasPrefix(op, "hostbased") || op == "key" {
			action = "key-offered"
		}
	case "USER_LOGOUT":
		action = "logout"
	case "USER_START":
		action = "session-opened"
	case "USER_END":
		action = "session-closed"
	case "USER_CHAUTHTOK":
		action = "password-change"
	case "USER_MGMT":
		action = "user-changed"
	case "USER_ACCT":
		action = "account-state"
	case "USER_CMD":
		action = "command"
		r.Set(record.CommandLine, record.Text(a.text("cmd")))
	}
	switch action {
	case "login", "pam-auth", "key-offered":
		r.Source.Categories = authCategory
	}
	act(r, action)
}

// reportsLogin knows the programs that report USER_LOGIN.
func reportsLogin(program string) bool {
	switch program {
	case "sshd", "sshd-session", "sshd-auth", "login", "gdm-session-worker", "lightdm", "sddm-helper", "cockpit-session":
		return true
	}
	return false
}

// path sets the file. What was made is also what Sigma calls a file event.
func (a *audit) path() {
	if name := a.text("name"); name != "" {
		setFile(a.r, name)
	}
	switch a.text("nametype") {
	case "CREATE":
		act(a.r, "create")
		a.r.Source.Categories = ftpCategory
	case "DELETE":
		act(a.r, "delete")
	}
}
