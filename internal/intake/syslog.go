package intake

import (
	"strings"
	"time"

	"tocsin/internal/record"
)

// A message is what stands behind a syslog header.
type message struct {
	host    string
	program string // as the header has it: "sshd", "wordpress(shop.example)"
	pid     string
	text    string
	data    []record.Pair // what else the header says (RFC 5424)
}

// readSyslog reads lines with a header of RFC 3164 ("Nov  9 01:03:56 host sshd[1]: ..."), the same with an RFC 3339
// stamp, or RFC 5424; with priority or without. A line whose program or wording is unknown stays Unparsed, with time,
// host, program and message set.
func readSyslog(p *Parser, st *stream, r *record.Record, s string, hint time.Time) bool {
	m, t, ok := p.syslogHeader(s, hint)
	if !ok {
		return false
	}
	p.logged(st, r, m, t, hint)
	return true
}

// logged reads the message of a log of the system, whatever carried it.
func (p *Parser) logged(st *stream, r *record.Record, m message, t, hint time.Time) {
	r.Grow(16)
	r.Time = t
	if m.host != "" {
		r.SetText(record.HostName, m.host)
	}
	if m.program != "" {
		r.SetText(record.ProcessName, m.program)
	}
	setInt(r, record.ProcessPID, m.pid)
	r.Set(record.Message, record.Text(m.text))
	r.Source = record.LogSource{Product: "linux", Service: "syslog"}
	text, repeat := repeated(m.text)
	if times, ok := strings.CutPrefix(m.text, "last message repeated "); ok {
		r.Class = record.Continuation
		repeat, _ = word(times)
	} else if p.program(st, r, m.program, text, hint) {
		r.Class = record.Parsed
	}
	if n, ok := whole(repeat); ok {
		extra(r, "repeat", record.Int(n, repeat))
	}
	for _, d := range m.data {
		extra(r, d.Name, d.Value)
	}
}

// repeated unpacks rsyslog's "message repeated 5 times: [ Failed password ...]".
func repeated(text string) (inner, times string) {
	rest, ok := strings.CutPrefix(text, "message repeated ")
	if !ok {
		return text, ""
	}
	times, inner, ok = strings.Cut(rest, " times: [")
	if _, isNumber := whole(times); !ok || !isNumber {
		return text, ""
	}
	return strings.TrimPrefix(strings.TrimSuffix(inner, "]"), " "), times
}

func (p *Parser) syslogHeader(s string, hint time.Time) (m message, t time.Time, ok bool) {
	if s[0] == '<' {
		i := strings.IndexByte(s, '>')
		if i < 2 || i > 4 {
			return m, t, false
		}
		if _, isNumber := whole(s[1:i]); !isNumber || len(s) < i+3 {
			return m, t, false
		}
		s = s[i+1:]
		if s[0] == '1' && s[1] == ' ' {
			return p.syslog5424(s[2:])
		}
	}
	rest := ""
	if stamp, after, found := shortStamp(s); found {
		t, _ = stamp.near(hint, p.zone)
		rest = after
	} else if t, rest, ok = isoTime(s, p.zone); !ok {
		return m, t, false
	}
	if rest == "" || rest[0] != ' ' {
		return m, t, false
	}
	m.host, rest = word(rest[1:])
	if m.host == "" || rest == "" || strings.HasPrefix(m.host, "[") || strings.HasSuffix(m.host, ":") {
		return m, t, false
	}
	m.tag(rest)
	return m, t, true
}

// tag splits "sshd[14162]: text", "vsftpd: text" and "proftpd[498625] text".
func (m *message) tag(s string) {
	name, rest := word(s)
	bare := strings.TrimSuffix(name, ":")
	if i := strings.LastIndexByte(bare, '['); i > 0 && bare[len(bare)-1] == ']' {
		m.program, m.pid, m.text = bare[:i], bare[i+1:len(bare)-1], rest
	} else if bare != name {
		m.program, m.text = bare, rest
	} else {
		m.text = s
		return
	}
	if !strings.HasPrefix(m.program, "postfix") {
		m.program = m.program[strings.LastIndexByte(m.program, '/')+1:]
	}
}

// program reads the message of a program that is known here. Its answer is whether the message's own fields are set.
func (p *Parser) program(st *stream, r *record.Record, program, text string, hint time.Time) bool {
	if name, site, ok := sitedName(program); ok {
		r.Set(record.ProcessName, record.Text(name))
		if site != "" {
			r.Set(record.URLDomain, record.Text(site))
		}
		return p.wordpress(r, text)
	}
	if strings.HasPrefix(text, "pam_") || strings.HasSuffix(program, "(pam_unix)") {
		return p.pam(r, program, text)
	}
	switch program {
	case "sshd", "sshd-session", "sshd-auth":
		return p.sshd(r, text) || p.worded(r, "sshd", text)
	case "sudo":
		return sudo(r, text)
	case "su", "su-l":
		return su(r, text)
	case "CRON", "cron", "crond", "crontab", "anacron":
		return cron(r, text)
	case "audispd", "audisp-syslog", "auditd", "audit":
		return p.inner(st, r, text, hint, readAuditd) || p.worded(r, program, text)
	case "vsftpd":
		return p.vsftpd(r, text)
	case "proftpd":
		return p.proftpd(r, text)
	case "pure-ftpd":
		return p.pureftpd(r, text)
	case "nginx", "apache", "apache2", "httpd":
		return p.webServer(st, r, program, text, hint)
	case "mysql", "mysqld", "mariadb", "mariadbd":
		return p.inner(st, r, text, hint, readMySQLError) || p.mysqlBare(r, text)
	case "postgres", "postgresql":
		return p.inner(st, r, withoutNumber(text), hint, readPostgres)
	case "tomcat", "tomcat8", "tomcat9", "tomcat10", "guacamole", "catalina.sh", "java":
		return p.inner(st, r, text, hint, readGuacamole)
	case "haproxy":
		return p.inner(st, r, text, hint, readHAProxy)
	case "traefik":
		if p.inner(st, r, text, hint, readTraefik) {
			return true
		}
	case "caddy":
		if !strings.HasPrefix(text, "{") {
			return p.inner(st, r, text, hint, readCaddy)
		}
	case "guacd":
		return guacd(r, text)
	case "useradd", "usermod", "userdel", "groupadd", "groupdel", "gpasswd", "passwd", "chpasswd", "chage":
		return accounts(r, text)
	case "systemd", "systemd-logind":
		return system(r, text)
	case "kernel":
		return p.firewall(r, text)
	case "dovecot":
		return p.dovecot(r, text)
	case "exim", "exim4":
		return p.exim(r, text)
	}
	if strings.HasPrefix(program, "postfix") {
		return p.postfix(r, text)
	}
	if program == "drupal" && p.drupal(r, text) || program != "" && p.worded(r, program, text) {
		return true
	}
	if strings.HasPrefix(text, "{") || strings.HasPrefix(text, "@cee:") {
		return p.structured(st, r, strings.TrimSpace(strings.TrimPrefix(text, "@cee:")))
	}
	return false
}

// sitedName splits "wordpress(shop.example)", as wp-fail2ban names itself.
func sitedName(program string) (name, site string, ok bool) {
	name, site, found := strings.Cut(program, "(")
	if name != "wordpress" && name != "wp" && name != "wp-fail2ban" {
		return "", "", false
	}
	return name, strings.TrimSuffix(site, ")"), found || name != "wp"
}

// webServer reads an access or error line that a web server sent to syslog.
func (p *Parser) webServer(st *stream, r *record.Record, program, text string, hint time.Time) bool {
	product := program
	if program != "nginx" {
		product = "apache"
	}
	for _, read := range []reader{readCombined, readNginxError, readApacheError, readWebJSON} {
		if p.inner(st, r, text, hint, read) {
			r.Source.Product = product
			return true
		}
	}
	return false
}

// inner reads a message that is a whole line of another format. What the header said stays where the line says nothing.
func (p *Parser) inner(st *stream, r *record.Record, text string, hint time.Time, read reader) bool {
	if text == "" {
		return false
	}
	in := &record.Record{Line: r.Line, Cut: r.Cut}
	if !read(p, st, in, text, hint) || in.Class != record.Parsed {
		return false
	}
	for _, f := range []record.Field{record.HostName, record.ProcessName, record.ProcessPID} {
		if _, has := in.Get(f); has {
			continue
		}
		if v, ok := r.Get(f); ok {
			in.Set(f, v)
		}
	}
	if in.Time.IsZero() {
		in.Time = r.Time
	}
	*r = *in
	return true
}

// structured reads a message that is a JSON object.
func (p *Parser) structured(st *stream, r *record.Record, text string) bool {
	rest, ok := p.object(text)
	if !ok || strings.TrimSpace(rest) != "" {
		return false
	}
	t := r.Time
	if of := p.jsonProgram(); of != anyProgram && p.readProgram(of, r, text) {
		if r.Time.IsZero() {
			r.Time = t
		}
		return true
	}
	f := p.sortedPairs()
	ok = p.webObject(st, r, &f) || p.appObject(r, &f, false)
	if r.Time.IsZero() {
		r.Time = t
	}
	return ok
}
