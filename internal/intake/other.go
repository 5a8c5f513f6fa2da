package intake

import (
	"strings"
	"time"

	"tocsin/internal/record"
)

// readMonolog reads PHP's Monolog as Magento, Shopware, Laravel and Symfony write it:
// "[2022-02-11 14:44:40] channel.LEVEL: text {"ip":"1.2.3.4"} []".
func readMonolog(p *Parser, _ *stream, r *record.Record, s string, _ time.Time) bool {
	if s[0] != '[' {
		return false
	}
	t, rest, ok := isoTime(s[1:], p.zone)
	if !ok || !strings.HasPrefix(rest, "] ") {
		return false
	}
	name, text, ok := strings.Cut(rest[2:], ": ")
	channel, level, dot := strings.Cut(name, ".")
	if !ok || !dot || channel == "" || strings.ContainsAny(name, " \t") || strings.ToUpper(level) != level {
		return false
	}
	text = strings.TrimLeft(text, " ")
	r.Grow(20)
	if i := strings.IndexByte(text, '{'); i >= 0 {
		if _, ok := p.object(text[i:]); ok {
			f := p.sortedPairs()
			said := strings.TrimRight(text[:i], " ")
			if !f.has(slotCode) && said != "" {
				p.keep(pair{"message", said, jsonText})
				f = p.sortedPairs()
			}
			p.appObject(r, &f, false) // what it does not understand is still a line of this format
		}
	}
	r.Time = t
	if _, has := r.Get(record.EventAction); !has && r.Class != record.Parsed {
		v := verdictOf(text[:min(len(text), maxCode)])
		v.set(r)
	}
	r.Source.Product = "shop"
	r.Class = record.Parsed
	r.Set(record.Message, record.Text(text))
	extra(r, "log.channel", record.Text(channel))
	extra(r, "log.level", record.Text(level))
	return true
}

// readPostgres reads PostgreSQL's log with the usual prefixes:
// "[1.2.3.4 ]2023-03-12 11:17:28.425 UTC [53962] [user@db ]FATAL:  text".
func readPostgres(p *Parser, _ *stream, r *record.Record, s string, _ time.Time) bool {
	peer := ""
	t, rest, ok := isoTime(s, p.zone)
	if !ok {
		if peer, rest = word(s); len(peer) > 64 {
			return false
		}
		if t, rest, ok = isoTime(rest, p.zone); !ok {
			return false
		}
	}
	rest = strings.TrimPrefix(rest, " ")
	if zone, after := word(rest); zone == "UTC" || zone == "GMT" || len(zone) >= 2 && len(zone) <= 5 && strings.ToUpper(zone) == zone && zone[0] >= 'A' {
		rest = after
	}
	if !strings.HasPrefix(rest, "[") {
		return false
	}
	pid, rest, ok := strings.Cut(rest[1:], "] ")
	if _, isNumber := whole(pid); !ok || !isNumber {
		return false
	}
	who, level, text, ok := postgresLevel(rest)
	if !ok {
		return false
	}
	r.Grow(12)
	r.Time = t
	r.Class = record.Parsed
	r.Source = record.LogSource{Categories: databaseCategory, Product: "postgresql"}
	setInt(r, record.ProcessPID, pid)
	extra(r, "log.level", record.Text(level))
	r.Set(record.Message, record.Text(text))
	act(r, "notice")
	if at := strings.LastIndexByte(who, '@'); at > 0 {
		r.Set(record.UserName, record.Text(who[:at]))
		r.Set(record.UserRealm, databaseRealm)
		extra(r, "db.name", record.Text(who[at+1:]))
	}
	if user, ok := between(text, `authentication failed for user "`, `"`); ok {
		signIn(r, "login", "failure", databaseRealm)
		r.Source.Categories = databaseSignIn
		r.Set(record.UserName, record.Text(user))
	} else if strings.HasPrefix(text, "connection authorized: ") {
		act(r, "connect")
	} else if sql, ok := strings.CutPrefix(text, "statement: "); ok {
		act(r, "query")
		r.Set(record.Statement, record.Text(sql))
	}
	if host, port, ok := strings.Cut(peer, "("); ok {
		peer = host
		setPort(r, record.SourcePort, strings.TrimSuffix(port, ")"))
	}
	p.client(r, peer, "")
	return true
}

// postgresLevel finds "LEVEL:  " and what stands before it.
func postgresLevel(s string) (who, level, text string, ok bool) {
	i := strings.Index(s, ":  ")
	if i < 0 {
		return "", "", "", false
	}
	head := s[:i]
	level = head[strings.LastIndexByte(head, ' ')+1:]
	who = strings.TrimSuffix(head[:len(head)-len(level)], " ")
	switch level {
	case "DEBUG", "INFO", "NOTICE", "WARNING", "ERROR", "LOG", "FATAL", "PANIC", "STATEMENT", "DETAIL", "HINT", "CONTEXT":
		return who, level, s[i+3:], true
	}
	return "", "", "", false
}

// readGuacamole reads Apache Guacamole's line for a sign-in, with a container's name before it or not:
// "2023-04-06T09:13:34,820Z [thread] WARN  o.a.g.r.auth.AuthenticationService - Authentication attempt from [a, b] for user "x" failed.".
// In the brackets stand X-Forwarded-For as it came and, last, the peer.
func readGuacamole(p *Parser, _ *stream, r *record.Record, s string, _ time.Time) bool {
	if i := strings.Index(s[:min(len(s), 80)], " | "); i >= 0 {
		s = s[i+len(" | "):]
	}
	t, rest, ok := isoTime(s, p.zone)
	if !ok {
		t, rest, ok = p.clockTime(s)
	}
	if !ok || !strings.HasPrefix(rest, " [") {
		return false
	}
	head, text, ok := strings.Cut(rest, " - ")
	if !ok || !strings.Contains(head, "AuthenticationService") {
		return false
	}
	r.Grow(14)
	r.Time = t
	r.Source = record.LogSource{Categories: appCategory, Product: "guacamole"}
	r.Set(record.Message, record.Text(text))
	var user, from string
	outcome := "failure"
	if rest, ok := strings.CutPrefix(text, "Authentication attempt from "); ok {
		if from, rest, ok = strings.Cut(rest, " for user \""); !ok {
			return true
		}
		user = strings.TrimSuffix(rest, "\" failed.")
	} else if rest, ok := strings.CutPrefix(text, "User \""); ok {
		i := strings.LastIndex(rest, "\" successfully authenticated from ")
		if i < 0 {
			return true
		}
		user, from = rest[:i], strings.TrimSuffix(rest[i+len("\" successfully authenticated from "):], ".")
		outcome = "success"
	} else {
		return true
	}
	r.Class = record.Parsed
	signIn(r, "login", outcome, adminRealm)
	r.Source.Categories = signInCategory
	r.Set(record.UserName, record.Text(user))
	forwarded := strings.Trim(from, "[]")
	i := strings.LastIndexByte(forwarded, ',')
	p.client(r, strings.TrimSpace(forwarded[i+1:]), forwarded[:max(i, 0)])
	return true
}

// clockTime reads "09:13:34.820", logback's default, which has no date: the stream's last time gives none either.
func (p *Parser) clockTime(s string) (time.Time, string, bool) {
	var st stamp
	rest, ok := st.hms(s)
	return time.Time{}, st.fraction(rest), ok
}
