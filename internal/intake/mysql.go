package intake

import (
	"strings"
	"time"

	"tocsin/internal/record"
)

var (
	databaseCategory = []string{"database"}
	databaseRealm    = record.Text("database")
)

// readGeneral reads the general query log of MariaDB and MySQL. A line has a time only when the second changed:
//
//	261109 15:40:00<tab>  2499 Quit<tab>
//	<tab><tab>  2500 Query<tab>SELECT 1
//	2020-04-16T05:13:40.861934Z<tab>    8 Query<tab>SELECT 1
//
// Statements go on over lines as they were sent.
func readGeneral(p *Parser, st *stream, r *record.Record, s string, _ time.Time) bool {
	if generalHeader(s) {
		r.Class = record.Header
		return true
	}
	t, rest, ok := p.generalTime(s)
	if !ok {
		return false
	}
	rest = strings.TrimLeft(rest, " ")
	id, rest := word(rest)
	command, argument, ok := strings.Cut(rest, "\t")
	if _, isNumber := whole(id); !isNumber || !ok || !generalCommand(command) {
		return false
	}
	if t.IsZero() {
		t = st.lend()
	}
	r.Grow(10)
	r.Time = t
	r.Class = record.Parsed
	r.Source = record.LogSource{Categories: databaseCategory, Product: "mysql", Service: "general"}
	extra(r, "db.connection_id", connectionID(id))
	r.Set(record.EventCode, record.Text(command))
	p.generalArgument(r, command, argument)
	return true
}

func connectionID(s string) record.Value {
	n, _ := whole(s)
	return record.Int(n, s)
}

// generalHeader knows the three lines that a server writes when it opens the log.
func generalHeader(s string) bool {
	if s[0] == 'T' {
		columns := strings.HasPrefix(s, "Time") && strings.Contains(s, " Command") && strings.HasSuffix(s, "Argument")
		return columns && len(s) < 80 || strings.HasPrefix(s, "Tcp port: ") || strings.HasPrefix(s, "TCP Port: ")
	}
	return strings.HasSuffix(strings.TrimRight(s, " "), "started with:") && strings.Contains(s, ", Version: ")
}

// generalTime reads what stands before the connection's number. The time is zero when the line has none.
func (p *Parser) generalTime(s string) (t time.Time, rest string, ok bool) {
	if rest, ok = strings.CutPrefix(s, "\t\t"); ok {
		return t, rest, true
	}
	before, _, ok := strings.Cut(s[:min(len(s), 48)], "\t")
	if !ok {
		return t, "", false
	}
	rest = s[len(before)+1:]
	if len(before) >= 14 && before[6] == ' ' {
		t, after, ok := shortDate(before, p.zone)
		return t, rest, ok && after == ""
	}
	t, after, ok := isoTime(before, p.zone)
	return t, rest, ok && after == ""
}

// generalCommand knows the names of the protocol's commands (MySQL's sql/protocol_classic.cc, MariaDB's sql_parse.cc).
func generalCommand(s string) bool {
	switch s {
	case "Sleep", "Quit", "Init DB", "Query", "Field List", "Create DB", "Drop DB", "Refresh", "Shutdown", "Statistics",
		"Processlist", "Connect", "Kill", "Debug", "Ping", "Time", "Delayed insert", "Change user", "Binlog Dump",
		"Table Dump", "Connect Out", "Register Slave", "Register Replica", "Prepare", "Execute", "Long Data",
		"Close stmt", "Reset stmt", "Set option", "Fetch", "Daemon", "Binlog Dump GTID", "Reset Connection", "clone",
		"Group Replication Data Stream subscription", "Bulk_execute", "Bulk execute", "Unimpl get tid", "Error":
		return true
	}
	return false
}

func (p *Parser) generalArgument(r *record.Record, command, argument string) {
	switch command {
	case "Connect", "Change user":
		p.generalConnect(r, argument)
	case "Query", "Prepare", "Execute":
		act(r, "query")
		r.Set(record.Statement, record.Text(argument))
	case "Quit":
		act(r, "disconnect")
	case "Init DB", "Create DB", "Drop DB":
		act(r, "query")
		extra(r, "db.name", record.Text(argument))
	default:
		act(r, "command")
		if argument != "" {
			r.Set(record.CommandLine, record.Text(argument))
		}
	}
}

// generalConnect reads "shop@localhost on shop using Socket" and "Access denied for user 'x'@'1.2.3.4' (...)".
func (p *Parser) generalConnect(r *record.Record, s string) {
	if strings.HasPrefix(s, "Access denied for user ") {
		p.accessDenied(r, s)
		return
	}
	act(r, "connect")
	r.Set(record.UserRealm, databaseRealm)
	s, using, _ := strings.Cut(s, " using ")
	who, name, _ := strings.Cut(s, " on ")
	if i := strings.LastIndexByte(who, '@'); i >= 0 {
		r.Set(record.UserName, record.Text(strings.Trim(who[:i], "'")))
		p.dbClient(r, strings.Trim(who[i+1:], "'"))
	}
	if name = strings.TrimSpace(name); name != "" {
		extra(r, "db.name", record.Text(name))
	}
	if using != "" {
		extra(r, "db.transport", record.Text(using))
	}
}

func (p *Parser) dbClient(r *record.Record, host string) {
	if !p.client(r, host, "") && host != "" {
		extra(r, "source.address", record.Text(host))
	}
}

// accessDenied reads "Access denied for user 'x'@'1.2.3.4' (using password: YES)". The name is the client's own text.
func (p *Parser) accessDenied(r *record.Record, s string) {
	signIn(r, "login", "failure", databaseRealm)
	r.Source.Categories = databaseSignIn
	r.Set(record.EventReason, record.Text("access denied"))
	s = s[len("Access denied for user "):]
	i := strings.LastIndex(s, "'@'")
	if i < 1 {
		return
	}
	host, _, ok := strings.Cut(s[i+len("'@'"):], "'")
	r.Set(record.UserName, record.Text(strings.TrimPrefix(s[:i], "'")))
	if ok {
		p.dbClient(r, host)
	}
}

var databaseSignIn = []string{"database", "authentication"}
