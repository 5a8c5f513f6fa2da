package intake

import (
	"strings"
	"time"

	"tocsin/internal/record"
)

// Columns of PostgreSQL's csvlog, from 0 (manual, section 19.8.4). Version 13 added one at the end, 14 two more.
const (
	csvTime = iota
	csvUser
	csvDatabase
	csvPID
	csvPeer
	csvLevel     = 11
	csvCode      = 12
	csvText      = 13
	csvDetail    = 14
	csvStatement = 19
	csvColumns   = 26
)

// maxQuoted is how many lines one entry of a csvlog may have. A file that was cut amid an entry is read again behind as many.
const maxQuoted = 1000

// readPostgresCSV reads PostgreSQL's csvlog. A statement may have line feeds of its own: its further lines are the client's text,
// and none is read until the quote ends that it began with.
func readPostgresCSV(p *Parser, st *stream, r *record.Record, s string, _ time.Time) bool {
	if st.Quoted > 0 {
		st.Quoted++
		if strings.Count(s, `"`)%2 == 1 || st.Quoted > maxQuoted {
			st.Quoted = 0
		}
		r.Class = record.Continuation
		r.SetText(record.Message, s)
		return true
	}
	t, rest, ok := isoTime(s, p.zone)
	if !ok || !strings.HasPrefix(rest, " ") || !strings.HasPrefix(strings.TrimLeft(rest, " ABCDEFGHIJKLMNOPQRSTUVWXYZ+-0123456789:"), ",") {
		return false
	}
	columns, n, open := csvLine(s)
	if n <= csvText || !knownLevel(columns[csvLevel]) || !isWhole(columns[csvPID]) || len(columns[csvCode]) != 5 {
		return false
	}
	if open && !r.Cut {
		st.Quoted = 1
	}
	r.Time = t
	l := pgLine{
		user: columns[csvUser], db: columns[csvDatabase], pid: columns[csvPID], level: columns[csvLevel], code: columns[csvCode],
		text: columns[csvText], detail: columns[csvDetail], statement: columns[csvStatement],
	}
	l.host, l.port = splitPort(columns[csvPeer])
	if i := strings.LastIndexByte(columns[csvPeer], ':'); l.port == "" && i > 0 {
		// IPv6 comes without brackets: the last part is the port.
		l.host, l.port = columns[csvPeer][:i], columns[csvPeer][i+1:]
	}
	p.postgres(r, &l)
	return true
}

// csvLine splits a line of comma-separated values (RFC 4180). open says that the last one's quote does not end.
func csvLine(s string) (columns [csvColumns]string, n int, open bool) {
	for n < csvColumns {
		if !strings.HasPrefix(s, `"`) {
			value, rest, more := strings.Cut(s, ",")
			columns[n] = value
			if n++; !more {
				return columns, n, false
			}
			s = rest
			continue
		}
		value, rest, closed := csvQuoted(s[1:])
		columns[n] = value
		if n++; !closed {
			return columns, n, true
		}
		var more bool
		if s, more = strings.CutPrefix(rest, ","); !more {
			return columns, n, false
		}
	}
	return columns, n, strings.Count(s, `"`)%2 == 1
}

// csvQuoted reads up to the quote that ends the value; two quotes stand for one.
func csvQuoted(s string) (value, rest string, closed bool) {
	double := false
	for i := 0; i < len(s); i++ {
		if s[i] != '"' {
			continue
		}
		if i+1 < len(s) && s[i+1] == '"' {
			double = true
			i++
			continue
		}
		value, rest, closed = s[:i], s[i+1:], true
		break
	}
	if !closed {
		value = s
	}
	if double {
		value = strings.ReplaceAll(value, `""`, `"`)
	}
	return value, rest, closed
}

// readPostgresJSON reads PostgreSQL's jsonlog (manual, section 19.8.5).
func readPostgresJSON(p *Parser, _ *stream, r *record.Record, s string, _ time.Time) bool {
	if s[0] != '{' {
		return false
	}
	rest, ok := p.object(s)
	if !ok || strings.TrimSpace(rest) != "" || !knownLevel(p.text("error_severity")) {
		return false
	}
	t, _, ok := isoTime(p.text("timestamp"), p.zone)
	if _, has := p.member("message"); !ok || !has {
		return false
	}
	r.Time = t
	p.postgres(r, &pgLine{
		user: p.text("user"), db: p.text("dbname"), host: p.text("remote_host"), port: p.text("remote_port"), pid: p.text("pid"),
		level: p.text("error_severity"), code: p.text("state_code"), text: p.text("message"), detail: p.text("detail"), statement: p.text("statement"),
	})
	return true
}
