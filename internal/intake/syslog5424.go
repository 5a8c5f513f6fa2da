package intake

import (
	"strings"
	"time"

	"tocsin/internal/record"
)

// syslog5424 reads what follows the version in a line of RFC 5424, section 6:
//
//	2003-10-11T22:14:15.003Z host app pid msgid [id name="value" ...][id ...] text
//
// Each of the words may be "-", and so may the structured data; the text may be missing.
func (p *Parser) syslog5424(s string) (m message, t time.Time, ok bool) {
	stamp, s := word(s)
	if stamp != "-" {
		if t, _, ok = isoTime(stamp, time.UTC); !ok {
			return m, t, false
		}
	}
	m.host, s = word(s)
	m.program, s = word(s)
	m.pid, s = word(s)
	id, s := word(s)
	for _, f := range []*string{&m.host, &m.program, &m.pid, &id} {
		if *f == "-" {
			*f = ""
		}
	}
	m.program = m.program[strings.LastIndexByte(m.program, '/')+1:]
	if id != "" {
		m.data = append(m.data, record.Pair{Name: "log.syslog.msgid", Value: record.Text(id)})
	}
	switch {
	case strings.HasPrefix(s, "["):
		if s, ok = m.structured(s); !ok {
			return m, t, false
		}
	case s != "-" && !strings.HasPrefix(s, "- "):
		return m, t, false
	default:
		s = s[1:]
	}
	m.text = strings.TrimPrefix(strings.TrimPrefix(s, " "), "\ufeff")
	m.text = strings.TrimPrefix(m.text, " ") // rsyslog's own blank behind the tag of RFC 3164
	return m, t, m.text != "" || len(m.data) > 0
}

// maxName bounds a name of structured data; RFC 5424 has 32 bytes.
const maxName = 64

// structured reads structured data into fields named as ECS does: log.syslog.structured_data.ID.NAME. It returns what
// follows.
func (m *message) structured(s string) (rest string, ok bool) {
	for strings.HasPrefix(s, "[") {
		end := strings.IndexAny(s, " ]")
		if end < 0 {
			return "", false
		}
		id := s[1:end]
		s = s[end:]
		for s[0] == ' ' {
			eq := strings.Index(s, `="`)
			if eq < 0 || strings.ContainsAny(s[1:eq], ` ]"`) {
				return "", false
			}
			name := s[1:eq]
			value, after, closed := quoted(s[eq+1:])
			if !closed || after == "" {
				return "", false
			}
			if len(id) <= maxName && len(name) <= maxName && len(m.data) < maxExtra {
				m.data = append(m.data, record.Pair{Name: "log.syslog.structured_data." + id + "." + name, Value: record.Text(dataValue(value))})
			}
			s = after
		}
		if s[0] != ']' {
			return "", false
		}
		s = s[1:]
	}
	return s, s == "" || s[0] == ' '
}

// dataValue undoes \", \\ and \]: no other escape is one (RFC 5424, 6.3.3).
func dataValue(s string) string {
	if strings.IndexByte(s, '\\') < 0 {
		return s
	}
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+1 < len(s) && (s[i+1] == '"' || s[i+1] == '\\' || s[i+1] == ']') {
			i++
		}
		out = append(out, s[i])
	}
	return string(out)
}
