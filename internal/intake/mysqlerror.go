package intake

import (
	"strings"
	"time"

	"tocsin/internal/record"
)

// readMySQLError reads the error log of MariaDB and MySQL:
//
//	2019-03-24T13:44:31.533096Z 0 [Warning] [MY-010068] [Server] text     MySQL 5.7 and 8 (8 has code and subsystem)
//	2021-11-09  5:13:11 8 [Warning] text                                  MariaDB since 10.1, MySQL 5.6
//	161209 14:18:50 [Note] text                                           before
//	161209 14:18:50  InnoDB: text
func readMySQLError(p *Parser, _ *stream, r *record.Record, s string, _ time.Time) bool {
	t, rest, ok := isoTime(s, p.zone)
	id := ""
	if ok {
		id, rest = word(strings.TrimLeft(rest, " "))
		if !threadID(id) {
			return false
		}
	} else if t, rest, ok = shortDate(s, p.zone); !ok {
		return false
	}
	rest = strings.TrimLeft(rest, " ")
	level, text, ok := mysqlLevel(rest)
	if !ok {
		return false
	}
	r.Time = t
	if isWhole(id) {
		extra(r, "db.connection_id", connectionID(id))
	}
	p.mysqlText(r, level, text)
	return true
}

// mysqlBare reads a message without stamp, as a server in the system's log writes it: "[Warning] text".
func (p *Parser) mysqlBare(r *record.Record, s string) bool {
	level, text, ok := mysqlLevel(s)
	if ok && level != "" {
		p.mysqlText(r, level, text)
		return true
	}
	return false
}

// threadID knows a connection's number, and InnoDB's thread in hexadecimal.
func threadID(s string) bool {
	if isWhole(s) {
		return s[0] != '-'
	}
	for i := range len(s) {
		if hexDigit(s[i]) > 15 {
			return false
		}
	}
	return s != "" && len(s) <= 16
}

// shortDate reads "161209 14:18:50": year, month and day in two digits each.
func shortDate(s string, zone *time.Location) (t time.Time, rest string, ok bool) {
	if len(s) < 14 || s[6] != ' ' {
		return t, "", false
	}
	st := stamp{year: two(s, 0), month: two(s, 2), day: two(s, 4)}
	if st.year < 0 {
		return t, "", false
	}
	st.year += 2000
	if rest, ok = st.hms(s[7:]); !ok || rest != "" && rest[0] != ' ' {
		return t, "", false
	}
	t, ok = st.in(zone)
	return t, rest, ok
}

// mysqlLevel splits "[Warning] text"; InnoDB and mysqld_safe write no level.
func mysqlLevel(s string) (level, text string, ok bool) {
	if strings.HasPrefix(s, "InnoDB: ") || strings.HasPrefix(s, "mysqld_safe ") {
		return "", s, true
	}
	level, text, ok = strings.Cut(strings.TrimPrefix(s, "["), "] ")
	if !ok || !strings.HasPrefix(s, "[") {
		return "", "", false
	}
	switch level {
	case "Note", "Warning", "ERROR", "Error", "System":
		return level, text, true
	}
	return "", "", false
}

func (p *Parser) mysqlText(r *record.Record, level, text string) {
	r.Grow(12)
	r.Class = record.Parsed
	r.Source = record.LogSource{Categories: databaseCategory, Product: "mysql", Service: "error"}
	if level != "" {
		extra(r, "log.level", record.Text(level))
	}
	// MySQL 8 adds "[MY-010926] [Server] ".
	for strings.HasPrefix(text, "[") {
		code, after, ok := strings.Cut(text[1:], "] ")
		if !ok {
			break
		}
		if strings.HasPrefix(code, "MY-") {
			r.Set(record.EventCode, record.Text(code))
		}
		text = after
	}
	r.Set(record.Message, record.Text(text))
	switch {
	case strings.HasPrefix(text, "Access denied for user "):
		p.accessDenied(r, text)
		return
	case strings.HasPrefix(text, "Aborted connection "):
		act(r, "disconnect")
		p.mysqlAborted(r, text)
	case strings.HasPrefix(text, "Got an error reading communication packets"):
		act(r, "disconnect")
	case strings.HasPrefix(text, "IP address '"):
		act(r, "notice")
		addr, _ := between(text, "'", "'")
		p.dbClient(r, addr)
	default:
		// The rest is about the server itself; its text is what it has.
		act(r, "notice")
	}
	r.Set(record.EventReason, record.Text(text))
}

// mysqlAborted reads "Aborted connection 8 to db: 'a' user: 'b' host: '1.2.3.4' (why)". The host stands at the right.
func (p *Parser) mysqlAborted(r *record.Record, text string) {
	i := strings.LastIndex(text, "' host: '")
	if i < 0 {
		return
	}
	j := strings.LastIndex(text[:i], "' user: '")
	if j < 0 {
		return
	}
	if user := text[j+len("' user: '") : i]; user != "unauthenticated" {
		r.Set(record.UserName, record.Text(user))
		r.Set(record.UserRealm, databaseRealm)
	}
	host, _, _ := strings.Cut(text[i+len("' host: '"):], "'")
	p.dbClient(r, host)
}
