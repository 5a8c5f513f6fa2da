package intake

import (
	"strings"
	"time"

	"tocsin/internal/record"
)

// readJournal reads an entry of the systemd journal as `journalctl -o json` prints it (systemd's Journal Export Formats): one
// object with MESSAGE and __REALTIME_TIMESTAMP, all values texts. A value that is no UTF-8, or has control characters, is
// an array of its bytes; one above 4 KiB is null unless --all was given. Names that begin with "_" are the journal's own;
// the others are what the program said of itself.
func readJournal(p *Parser, st *stream, r *record.Record, s string, hint time.Time) bool {
	if !p.onlyJSON(s) {
		return false
	}
	t, ok := p.journalTime()
	if _, has := p.member("MESSAGE"); !ok || !has {
		return false
	}
	m := message{host: p.text("_HOSTNAME"), program: p.text("SYSLOG_IDENTIFIER"), pid: p.text("_PID"), text: p.text("MESSAGE")}
	if q, _ := p.member("MESSAGE"); q.kind == jsonNumber {
		m.text = journalBytes(s, "MESSAGE")
	}
	if m.program == "" {
		m.program = p.text("_COMM")
	}
	if m.pid == "" {
		m.pid = p.text("SYSLOG_PID")
	}
	if level, ok := whole(p.text("PRIORITY")); ok {
		m.data = append(m.data, record.Pair{Name: "log.syslog.severity.code", Value: record.Int(level, p.text("PRIORITY"))})
	}
	for _, f := range []struct{ key, name string }{{"_SYSTEMD_UNIT", "journald.unit"}, {"_TRANSPORT", "journald.transport"}, {"_EXE", "process.executable"}} {
		if text := p.text(f.key); text != "" {
			m.data = append(m.data, record.Pair{Name: f.name, Value: record.Text(text)})
		}
	}
	p.logged(st, r, m, t, hint)
	return true
}

// member returns the object's member of a name, as object left it in p.pairs.
func (p *Parser) member(key string) (pair, bool) {
	for _, q := range p.pairs {
		if q.key == key {
			return q, true
		}
	}
	return pair{}, false
}

// text returns the text of a member, "" when there is none.
func (p *Parser) text(key string) string {
	q, _ := p.member(key)
	return q.text
}

// journalTime is when the journal received the entry, in microseconds: what the program says of the time does not count.
func (p *Parser) journalTime() (time.Time, bool) {
	n, ok := whole(p.text("__REALTIME_TIMESTAMP"))
	if !ok || n <= 0 || n > 1<<53 {
		return time.Time{}, false
	}
	return time.UnixMicro(n).UTC(), true
}

// journalBytes reads the array of bytes that a member is. In an object a quote inside a text is escaped, so the name in
// quotes with a colon behind it is the member itself.
func journalBytes(s, key string) string {
	name := `"` + key + `"`
	for {
		i := strings.Index(s, name)
		if i < 0 {
			return ""
		}
		s = blanks(s[i+len(name):])
		if list, ok := strings.CutPrefix(s, ":"); ok {
			if list, ok = strings.CutPrefix(blanks(list), "["); ok {
				return byteList(list)
			}
		}
	}
}

func byteList(s string) string {
	list, _, _ := strings.Cut(s, "]")
	out := make([]byte, 0, len(list)/3+1)
	for part := range strings.SplitSeq(list, ",") {
		n, ok := whole(strings.Trim(part, " \t"))
		if !ok || n < 0 || n > 255 {
			return ""
		}
		out = append(out, byte(n))
	}
	return string(out)
}
