package intake

import (
	"strings"
	"time"

	"tocsin/internal/record"
)

// A pgLine is a message of PostgreSQL with what the log's prefix or columns say around it.
type pgLine struct {
	user, db   string // "" and "[unknown]" before a connection says who it is
	host, port string // of the client; "[local]" is the socket
	pid        string
	level      string // LOG, FATAL, ...
	code       string // SQLSTATE
	text       string
	detail     string
	statement  string
	unsure     bool // the line can be read in two ways
}

// readPostgres reads PostgreSQL's log with the usual values of log_line_prefix (manual, section 19.8.3):
//
//	2017-04-07 22:45:30.218 CEST [22603] postgres@mydb ERROR:  text               %m [%p] %q%u@%d (Debian; without %q... the default)
//	2017-04-07 22:45:30 UTC [5]: [1-1] user=a,db=b,app=c,client=1.2.3.4 LOG:  text   %t [%p]: [%l-1] user=%u,db=%d,app=%a,client=%h
//	2017-04-07 22:45:30 UTC:1.2.3.4(52834):a@b:[5]:ERROR:  text                      %t:%r:%u@%d:[%p]: (Amazon RDS)
//	1.2.3.4 2017-04-07 22:45:30.218 UTC [5] a@b FATAL:  text                         %h %m [%p] %q%u@%d
//	< 2017-04-07 22:45:30.218 UTC >LOG:  text                                        < %m > (old Red Hat)
//
// Names of users and databases in the prefix are the client's own text until it has signed in.
func readPostgres(p *Parser, _ *stream, r *record.Record, s string, _ time.Time) bool {
	var l pgLine
	s = strings.TrimPrefix(s, "< ")
	t, rest, ok := isoTime(s, p.zone)
	if !ok {
		first, after := word(s)
		if len(first) > 64 {
			return false
		}
		if t, rest, ok = isoTime(after, p.zone); !ok {
			return false
		}
		l.host, l.port = pgPeer(first)
	}
	rest = withoutZone(rest)
	if !l.prefix(rest) {
		return false
	}
	r.Time = t
	p.postgres(r, &l)
	return true
}

// withoutZone takes " CEST" off, the abbreviation that PostgreSQL writes for log_timezone. The stamp is read in the zone of the
// settings: abbreviations are not unique.
func withoutZone(s string) string {
	trimmed := strings.TrimPrefix(s, " ")
	n := 0
	for n < len(trimmed) && n < 6 && 'A' <= trimmed[n] && trimmed[n] <= 'Z' {
		n++
	}
	if n >= 2 && n < len(trimmed) && strings.IndexByte(" :[", trimmed[n]) >= 0 {
		return trimmed[n:]
	}
	return s
}

// pgPeer splits "1.2.3.4(52834)", which %r writes.
func pgPeer(s string) (host, port string) {
	host, port, _ = strings.Cut(s, "(")
	return host, strings.TrimSuffix(port, ")")
}

// prefix reads what stands between the stamp and the message.
func (l *pgLine) prefix(s string) bool {
	at, end, level := pgLevel(s)
	if at < 0 {
		return false
	}
	l.level, l.text = level, strings.TrimLeft(s[end:], " ")
	if second, _, _ := pgLevel(l.text); second >= 0 {
		l.unsure = true
	}
	head := s[:at]
	if rest, ok := strings.CutPrefix(head, ":"); ok { // Amazon's: the address stands before the names
		peer, rest, ok := strings.Cut(rest, ":")
		// An IPv6 address has colons of its own, up to its port.
		if i := strings.Index(head, "):"); i > 0 && !strings.ContainsAny(head[:i], "@ ") {
			peer, rest, ok = head[1:i+1], head[i+2:], true
		}
		if !ok {
			return false
		}
		l.host, l.port = pgPeer(peer)
		who, pid, ok := strings.Cut(rest, ":[")
		l.pid, _, _ = strings.Cut(pid, "]")
		l.names(who)
		return ok && isWhole(l.pid)
	}
	closed := strings.HasSuffix(head, ">")
	head = strings.Trim(head, " >:")
	if rest, ok := strings.CutPrefix(head, "["); ok {
		l.pid, rest, ok = strings.Cut(rest, "]")
		if pid, _, sub := strings.Cut(l.pid, "-"); sub {
			l.pid = pid // %p-%l
		}
		if !ok || !isWhole(l.pid) {
			return false
		}
		head = strings.TrimLeft(rest, " :")
	} else if head != "" || !closed {
		return false // many programs write a stamp and a level
	}
	head = withoutNumber(head)
	if strings.HasPrefix(head, "user=") || strings.HasPrefix(head, "db=") || strings.HasPrefix(head, "app=") || strings.HasPrefix(head, "client=") || strings.HasPrefix(head, "host=") {
		l.pairs(head)
		return true
	}
	l.names(head)
	return true
}

// withoutNumber takes "[3-1] " off, the number of the line in its session.
func withoutNumber(s string) string {
	rest, ok := strings.CutPrefix(s, "[")
	if !ok {
		return s
	}
	number, rest, ok := strings.Cut(rest, "]")
	n, part, _ := strings.Cut(number, "-")
	if !ok || !isWhole(n) || part != "" && !isWhole(part) {
		return s
	}
	return strings.TrimLeft(rest, " :")
}

// names reads "user@database".
func (l *pgLine) names(s string) {
	if i := strings.LastIndexByte(s, '@'); i > 0 {
		l.user, l.db = s[:i], s[i+1:]
	}
}

// pairs reads "user=a,db=b,app=c,client=1.2.3.4". A prefix that only looks so, because a user calls itself that way, names
// another user than the message does, or the client twice: no address then.
func (l *pgLine) pairs(s string) {
	clients := 0
	for part := range strings.SplitSeq(s, ",") {
		key, value, _ := strings.Cut(strings.TrimLeft(part, " "), "=")
		switch key {
		case "user":
			l.user = value
		case "db":
			l.db = value
		case "client", "host":
			clients++
			l.host, l.port = pgPeer(strings.TrimRight(value, " "))
		}
	}
	named, ok := pgUser(l.text)
	if clients != 1 || ok && named != l.user || l.unsure {
		l.host, l.port = "", ""
	}
}

// pgUser is whom a message about a sign-in names.
func pgUser(text string) (string, bool) {
	if _, user, ok := strings.Cut(text, ` authentication failed for user "`); ok {
		return strings.TrimSuffix(user, `"`), true
	}
	if user, ok := strings.CutPrefix(text, `role "`); ok && strings.HasSuffix(user, `" does not exist`) {
		return strings.TrimSuffix(user, `" does not exist`), true
	}
	return "", false
}

// maxPrefix bounds where the level is looked for, in bytes.
const maxPrefix = 1024

// pgLevel finds the first "LEVEL:  ", with the two blanks of PostgreSQL, and returns where it begins and where the message does.
func pgLevel(s string) (at, end int, level string) {
	for from := 0; from < min(len(s), maxPrefix); {
		i := strings.Index(s[from:min(len(s), maxPrefix)], ":  ")
		if i < 0 {
			break
		}
		i += from
		begin := i
		for begin > 0 && ('A' <= s[begin-1] && s[begin-1] <= 'Z' || '1' <= s[begin-1] && s[begin-1] <= '5') {
			begin--
		}
		if knownLevel(s[begin:i]) && (begin == 0 || strings.IndexByte(" >:]", s[begin-1]) >= 0) {
			return begin, i + 3, s[begin:i]
		}
		from = i + 1
	}
	return -1, 0, ""
}

func knownLevel(s string) bool {
	switch s {
	case "DEBUG", "DEBUG1", "DEBUG2", "DEBUG3", "DEBUG4", "DEBUG5", "INFO", "NOTICE", "WARNING", "ERROR", "LOG", "FATAL", "PANIC",
		"STATEMENT", "DETAIL", "HINT", "CONTEXT", "QUERY", "LOCATION":
		return true
	}
	return false
}

// postgres sets the fields of a message.
func (p *Parser) postgres(r *record.Record, l *pgLine) {
	r.Grow(16)
	r.Class = record.Parsed
	r.Source = record.LogSource{Categories: databaseCategory, Product: "postgresql"}
	setInt(r, record.ProcessPID, l.pid)
	extra(r, "log.level", record.Text(l.level))
	if l.code != "" && l.code != "00000" {
		r.Set(record.EventCode, record.Text(l.code))
	}
	r.Set(record.Message, record.Text(l.text))
	act(r, "notice")
	if l.user != "" && l.user != "[unknown]" {
		r.Set(record.UserName, record.Text(l.user))
		r.Set(record.UserRealm, databaseRealm)
	}
	if l.db != "" && l.db != "[unknown]" {
		extra(r, "db.name", record.Text(l.db))
	}
	if l.detail != "" {
		extra(r, "postgresql.detail", record.Text(l.detail))
	}
	if p.client(r, l.host, "") {
		setPort(r, record.SourcePort, l.port)
	}
	if l.statement != "" {
		r.Set(record.Statement, record.Text(l.statement))
	}
	p.postgresText(r, l)
}

func (p *Parser) postgresText(r *record.Record, l *pgLine) {
	if _, statement, ok := pgStatement(l.text); l.unsure && !(l.level == "LOG" && ok && statement != "") {
		// A level is in the name of a user or in a statement. Whose words follow which cannot be told.
		r.Set(record.EventReason, record.Text("ambiguous"))
		return
	}
	switch l.level {
	case "FATAL":
		p.postgresRefused(r, l.text)
	case "ERROR", "PANIC":
		r.Set(record.EventOutcome, record.Text("failure"))
		r.Set(record.EventReason, record.Text(l.text))
	case "STATEMENT":
		act(r, "query")
		r.Set(record.EventOutcome, record.Text("failure")) // follows an error
		r.Set(record.Statement, record.Text(l.text))
	case "LOG":
		p.postgresLog(r, l.text)
	}
}

// postgresRefused reads why a connection was refused.
func (p *Parser) postgresRefused(r *record.Record, text string) {
	user, named := pgUser(text)
	if !named {
		for _, start := range []string{"no pg_hba.conf entry for ", "pg_hba.conf rejects "} {
			if rest, ok := strings.CutPrefix(text, start); ok {
				p.postgresNoEntry(r, rest)
				return
			}
		}
		r.Set(record.EventOutcome, record.Text("failure"))
		r.Set(record.EventReason, record.Text(text))
		return
	}
	signIn(r, "login", "failure", databaseRealm)
	r.Source.Categories = databaseSignIn
	r.Set(record.UserName, record.Text(user))
	if strings.HasPrefix(text, `role "`) {
		r.Set(record.EventReason, record.Text("role does not exist"))
	} else if method, _, ok := strings.Cut(text, " authentication failed for user "); ok && method != "password" {
		r.Set(record.EventReason, record.Text(method))
	}
}

// postgresNoEntry reads what follows "no pg_hba.conf entry for": `host "1.2.3.4", user "x", database "y", no encryption`. The host
// stands before the client's own text.
func (p *Parser) postgresNoEntry(r *record.Record, text string) {
	signIn(r, "login", "failure", databaseRealm)
	r.Source.Categories = databaseSignIn
	r.Set(record.EventReason, record.Text("no pg_hba.conf entry"))
	_, text, ok := strings.Cut(text, `host "`)
	if !ok {
		return
	}
	host, rest, _ := strings.Cut(text, `"`)
	p.dbClient(r, host)
	rest, ok = strings.CutPrefix(rest, `, user "`)
	if i := strings.LastIndex(rest, `", database "`); ok && i >= 0 {
		rest = rest[:i]
	} else if i := strings.LastIndex(rest, `", `); ok && i >= 0 {
		rest = rest[:i] // of a replication connection
	}
	if user := strings.TrimSuffix(rest, `"`); ok {
		r.Set(record.UserName, record.Text(user))
	}
}

// postgresLog reads what log_connections, log_disconnections, log_statement and log_duration write.
func (p *Parser) postgresLog(r *record.Record, text string) {
	switch {
	case strings.HasPrefix(text, "connection received: host="):
		act(r, "connect")
		host, port, _ := strings.Cut(text[len("connection received: host="):], " port=")
		p.postgresPeer(r, host, port)
	case strings.HasPrefix(text, "connection authorized: "), strings.HasPrefix(text, "replication connection authorized: "):
		signIn(r, "login", "success", databaseRealm)
		r.Source.Categories = databaseSignIn
	case strings.HasPrefix(text, "connection authenticated: "):
		signIn(r, "login-step", "", databaseRealm)
	case strings.HasPrefix(text, "disconnection: "):
		act(r, "disconnect")
		if i := strings.LastIndex(text, " host="); i >= 0 {
			host, port, _ := strings.Cut(text[i+len(" host="):], " port=")
			p.postgresPeer(r, host, port)
		}
	default:
		took, statement, ok := pgStatement(text)
		if !ok {
			return
		}
		act(r, "query")
		if took != "" {
			setSpan(r, record.EventDuration, took, 1e6)
		}
		if statement != "" {
			r.Set(record.Statement, record.Text(statement))
		}
	}
}

// postgresPeer sets the client from a message, unless the prefix named one.
func (p *Parser) postgresPeer(r *record.Record, host, port string) {
	if _, has := r.Get(record.SourceIP); !has && p.client(r, host, "") {
		setPort(r, record.SourcePort, port)
	}
}

// pgStatement reads "statement: SQL", "execute name: SQL", "duration: 15.136 ms" and "duration: 15.136 ms  statement: SQL".
func pgStatement(text string) (took, statement string, ok bool) {
	if rest, timed := strings.CutPrefix(text, "duration: "); timed {
		took, rest, ok = strings.Cut(rest, " ms")
		text = strings.TrimLeft(rest, " ")
		if text == "" {
			return took, "", ok
		}
	}
	for _, start := range []string{"statement: ", "execute ", "parse ", "bind "} {
		if rest, found := strings.CutPrefix(text, start); found {
			if start != "statement: " {
				_, rest, found = strings.Cut(rest, ": ")
			}
			return took, rest, found
		}
	}
	return took, "", ok
}
