package intake

import (
	"strings"
	"time"

	"tocsin/internal/record"
)

// A slow is what the header of an entry of the slow query log said, for the statement behind it.
type slow struct {
	User     string    `json:"user,omitempty"`
	Host     string    `json:"host,omitempty"`
	Address  string    `json:"address,omitempty"`
	ID       string    `json:"id,omitempty"`
	Schema   string    `json:"schema,omitempty"`
	Seconds  string    `json:"seconds,omitempty"`
	Rows     string    `json:"rows,omitempty"`     // sent to the client
	Examined string    `json:"examined,omitempty"` // read
	At       time.Time `json:"at,omitzero"`
	Begun    bool      `json:"begun,omitempty"` // the statement has begun: what comes is more of it
	Ended    bool      `json:"ended,omitempty"` // its last line ended as a statement does
}

// readSlow reads the slow query log of MySQL, MariaDB and Percona (MySQL's manual, The Slow Query Log; MariaDB's, Slow Query Log Overview). An entry
// is some lines that begin with "#", "SET timestamp=...;", and the statement as it was sent:
//
//	# Time: 2018-08-07T16:27:47.169604+08:00
//	# User@Host: shop[shop] @ web1 [203.0.113.7]  Id: 10997316
//	# Query_time: 4.071491  Lock_time: 0.000212 Rows_sent: 1000  Rows_examined: 1489615
//	SET timestamp=1533630467;
//	SELECT ...;
//
// The record is the statement's first line; what goes before is a header, what follows goes on. A statement with line feeds can
// hold what looks like an entry: a header counts only where the statement before it has ended.
func readSlow(p *Parser, st *stream, r *record.Record, s string, _ time.Time) bool {
	if generalHeader(s) && st.Slow != nil {
		r.Class = record.Header
		return true
	}
	if strings.HasPrefix(s, "# ") && (st.Slow == nil || !st.Slow.Begun || st.Slow.Ended) && p.slowHeader(st, s) {
		r.Class = record.Header
		r.Time = st.Slow.At
		return true
	}
	e := st.Slow
	if e == nil || e.Seconds == "" {
		return false
	}
	ended := strings.HasSuffix(strings.TrimRight(s, " "), ";")
	if e.Begun {
		e.Ended = ended
		r.Class = record.Continuation
		r.Set(record.Message, record.Text(s))
		return true
	}
	if second, ok := between(s, "SET timestamp=", ";"); ok && strings.HasPrefix(s, "SET timestamp=") {
		if n, isNumber := whole(second); isNumber && e.At.IsZero() {
			e.At, _ = epochTime(0, n, true)
		}
		r.Class = record.Header
		return true
	}
	if name, ok := strings.CutPrefix(s, "use "); ok && ended && len(name) <= maxName {
		e.Schema = strings.Clone(strings.TrimSuffix(name, ";"))
		r.Class = record.Header
		return true
	}
	e.Begun, e.Ended = true, ended
	p.slowStatement(r, e, s)
	return true
}

// slowHeader reads a line that begins with "# ". It reports false for a comment of a statement.
func (p *Parser) slowHeader(st *stream, s string) bool {
	key, rest, _ := strings.Cut(s[2:], ": ")
	switch key {
	case "Time":
		t, ok := p.slowTime(strings.TrimLeft(rest, " "))
		if ok {
			st.Slow = &slow{At: t}
		}
		return ok
	case "User@Host":
		e := &slow{}
		if st.Slow != nil && !st.Slow.Begun {
			e.At = st.Slow.At // of the line before
		}
		if !e.who(rest) {
			return false
		}
		st.Slow = e
		return true
	}
	if st.Slow == nil || st.Slow.Begun {
		return false
	}
	st.Slow.numbers(s[2:])
	return true
}

// slowTime reads a full stamp, or "161209 14:37:59".
func (p *Parser) slowTime(s string) (time.Time, bool) {
	if t, rest, ok := isoTime(s, p.zone); ok && rest == "" {
		return t, true
	}
	t, rest, ok := shortDate(s, p.zone)
	return t, ok && rest == ""
}

// who reads "shop[shop] @ web1 [203.0.113.7]  Id: 7". The name of an account may hold anything, so the end is read first.
func (e *slow) who(s string) bool {
	if i := strings.LastIndex(s, "Id:"); i >= 0 && isWhole(strings.TrimSpace(s[i+3:])) {
		e.ID = kept(strings.TrimSpace(s[i+3:]))
		s = s[:i]
	}
	s = strings.TrimRight(s, " \t")
	i := strings.LastIndex(s, " @ ")
	if i < 0 || !strings.HasSuffix(s, "]") {
		return false
	}
	host, address, ok := strings.Cut(s[i+3:], "[")
	name := s[:i]
	// "shop[shop]": the account as the client said it, and as the server took it.
	if half := (len(name) - 2) / 2; strings.HasSuffix(name, "]") && len(name)%2 == 0 && half > 0 && name[half] == '[' && name[:half] == name[half+1:len(name)-1] {
		name = name[:half]
	} else if j := strings.LastIndexByte(name, '['); j >= 0 {
		name = name[:j]
	}
	e.User, e.Host, e.Address = kept(name), kept(strings.TrimSpace(host)), kept(strings.TrimSuffix(address, "]"))
	return ok
}

// kept is a text of one line that the next ones need, apart from the line. Names of accounts and hosts are no longer.
// What is no UTF-8 would not come through a snapshot.
func kept(s string) string {
	s = strings.ToValidUTF8(s[:min(len(s), maxName)], "?")
	return strings.Clone(s)
}

// numbers reads "Query_time: 4.071491  Lock_time: 0.000212 Rows_sent: 1000" and its kin.
func (e *slow) numbers(s string) {
	words := strings.Fields(s[:min(len(s), 1024)])
	for i := 0; i+1 < len(words); i++ {
		value := kept(words[i+1])
		switch words[i] {
		case "Query_time:":
			e.Seconds = value
		case "Rows_sent:":
			e.Rows = value
		case "Rows_examined:":
			e.Examined = value
		case "Thread_id:":
			e.ID = value
		case "Schema:":
			if !strings.HasSuffix(value, ":") {
				e.Schema = value
			}
		}
	}
}

func (p *Parser) slowStatement(r *record.Record, e *slow, s string) {
	r.Grow(12)
	r.Time = e.At
	r.Class = record.Parsed
	r.Source = record.LogSource{Categories: databaseCategory, Product: "mysql", Service: "slow"}
	act(r, "query")
	r.Set(record.Statement, record.Text(s))
	r.Set(record.UserRealm, databaseRealm)
	r.Set(record.UserName, record.Text(e.User))
	host := e.Address
	if host == "" {
		host = e.Host
	}
	p.dbClient(r, host)
	setSpan(r, record.EventDuration, e.Seconds, 1e9)
	setExtraInt(r, "db.connection_id", e.ID)
	textExtra(r, "db.name", e.Schema)
	setExtraInt(r, "db.rows_sent", e.Rows)
	setExtraInt(r, "db.rows_examined", e.Examined)
}
