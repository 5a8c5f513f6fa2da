package intake

import (
	"strings"
	"time"

	"tocsin/internal/record"
)

// Known says whether a file that begins with these lines is a log in a format that is known here, and which. Fifty
// lines are enough. A quarter of the lines must be of one format: a few lines that look like a log by chance are none.
// A general log needs one line only, because it may begin amid a statement.
func Known(firstLines []string) (format string, ok bool) {
	p, err := New(Options{})
	if err != nil {
		return "", false
	}
	return p.known("", firstLines)
}

// Known is the same with the parser's mappings, for a file of that name. The parser itself does not change.
func (p *Parser) Known(file string, firstLines []string) (format string, ok bool) {
	fresh, err := New(Options{Maps: p.o.Maps, Zone: p.o.Zone})
	if err != nil {
		return "", false
	}
	return fresh.known(file, firstLines)
}

func (p *Parser) known(file string, firstLines []string) (format string, ok bool) {
	hint := time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC)
	counts := map[string]int{}
	lines := 0
	for _, text := range firstLines {
		for part := range Parts(text) {
			r := p.Parse(record.Line{File: file, Raw: part}, hint)
			if r.Class == record.Empty {
				continue
			}
			lines++
			// An unparsed line of a format has a good header: a daemon's log, with nothing yet that is known.
			if r.Format != "" {
				counts[r.Format]++
			}
		}
	}
	best := ""
	for name, n := range counts {
		if n > counts[best] || n == counts[best] && name < best {
			best = name
		}
	}
	if best == "" || best != "mysql-general" && counts[best]*4 < lines {
		return "", false
	}
	return best, true
}

// FullDate finds the date with year that a line begins with, in any of the known formats, for the hint of Parse. It
// looks only at places that the logger writes, so that no client can put a year there. Stamps without zone are UTC.
func FullDate(raw string) (time.Time, bool) {
	s := strings.TrimPrefix(raw, "\ufeff")
	if len(s) < 12 {
		return time.Time{}, false
	}
	t, ok := fullDate(s)
	if !ok || t.Year() < 1990 || t.Year() > 2199 {
		return time.Time{}, false
	}
	return t, true
}

func fullDate(s string) (time.Time, bool) {
	switch c := s[0]; {
	case c == '{':
		p := &Parser{zone: time.UTC}
		r := &record.Record{}
		if _, ok := p.object(s); !ok {
			return time.Time{}, false
		}
		f := p.sortedPairs()
		if p.when(&f, r) {
			return r.Time, true
		}
		return p.journalTime()
	case c == '[':
		if t, _, ok := ctime(s[1:], time.UTC); ok {
			return t, true
		}
		t, _, ok := isoTime(s[1:], time.UTC)
		return t, ok
	case c == '<':
		i := strings.IndexByte(s, '>')
		if i < 0 || i > 4 {
			return time.Time{}, false
		}
		t, _, ok := isoTime(strings.TrimPrefix(s[i+1:], "1 "), time.UTC)
		return t, ok
	}
	if strings.HasPrefix(s, "type=") || strings.HasPrefix(s, "node=") {
		_, rest, _ := strings.Cut(s[:min(len(s), 256)], " msg=audit(")
		seconds, _, ok := strings.Cut(rest, ".")
		t, fine := auditTime(seconds, "0")
		return t, ok && fine
	}
	if t, _, ok := isoTime(s, time.UTC); ok {
		return t, true
	}
	if t, _, ok := shortDate(s, time.UTC); ok {
		return t, true
	}
	if t, _, ok := slashTime(s, time.UTC); ok {
		return t, true
	}
	if t, _, ok := ctime(s, time.UTC); ok {
		return t, true
	}
	if _, _, ok := shortStamp(s); ok {
		return innerDate(s)
	}
	if t, _, ok := (&Parser{zone: time.UTC}).generalTime(s); ok && !t.IsZero() {
		return t, true
	}
	if _, t, _, ok := clfHead(s); ok {
		return t, true
	}
	// PostgreSQL may have the client's address first.
	first, rest := word(s)
	if len(first) <= 64 && rest != "" {
		t, _, ok := isoTime(rest, time.UTC)
		return t, ok
	}
	return time.Time{}, false
}

// innerDate finds the date of a web or database server's line inside a syslog line, whose own stamp has no year.
func innerDate(s string) (time.Time, bool) {
	m, _, ok := (&Parser{zone: time.UTC}).syslogHeader(s, time.Time{})
	if !ok || m.text == "" {
		return time.Time{}, false
	}
	switch m.program {
	case "nginx", "apache", "apache2", "httpd":
		if _, t, _, ok := clfHead(m.text); ok {
			return t, true
		}
		t, _, ok := slashTime(m.text, time.UTC)
		return t, ok
	case "mysql", "mysqld", "mariadb", "mariadbd", "postgres":
		t, _, ok := isoTime(m.text, time.UTC)
		return t, ok
	}
	return time.Time{}, false
}
