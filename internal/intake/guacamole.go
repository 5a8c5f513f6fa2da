package intake

import (
	"strings"
	"time"

	"tocsin/internal/record"
)

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
	r.Source = guacamoleSource(appCategory)
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
	r.Source = guacamoleSource(signInCategory)
	r.Set(record.UserName, record.Text(user))
	forwarded := strings.Trim(from, "[]")
	i := strings.LastIndexByte(forwarded, ',')
	p.clientBehind(r, strings.TrimSpace(forwarded[i+1:]), forwarded[:max(i, 0)])
	return true
}

// guacamoleSource is what SigmaHQ's rules call Guacamole: a service of Linux.
func guacamoleSource(categories []string) record.LogSource {
	return record.LogSource{Categories: categories, Product: "linux", Service: "guacamole"}
}

// clientBehind is client for a program whose manual puts a proxy in front of it, on the same host or network: a peer
// with a private address that forwards for somebody is that proxy, and the last address it forwarded is the client. To name
// the proxy would have everybody barred for one. Guacamole takes the header only when it is a list of addresses.
func (p *Parser) clientBehind(r *record.Record, peer, forwarded string) {
	pl := p.placeOf(peer)
	if !pl.private || forwarded == "" {
		p.client(r, peer, forwarded)
		return
	}
	r.SetText(record.ForwardedIP, forwarded)
	p.source(r, p.behind(pl, forwarded))
}

// guacd reads what Guacamole's proxy daemon says of desktops in the system's log: 'User "@x" joined connection "$y" (1 users
// now present)'.
func guacd(r *record.Record, text string) bool {
	r.Source = guacamoleSource(appCategory)
	rest, ok := strings.CutPrefix(text, `User "`)
	if !ok {
		return false
	}
	user, rest, ok := strings.Cut(rest, `" `)
	switch {
	case !ok:
		return false
	case strings.HasPrefix(rest, "joined connection "):
		act(r, "session-opened")
	case strings.HasPrefix(rest, "disconnected "):
		act(r, "session-closed")
	default:
		return false
	}
	extra(r, "guacamole.user", record.Text(user))
	return true
}

// clockTime reads "09:13:34.820", logback's default, which has no date: the stream's last time gives none either.
func (p *Parser) clockTime(s string) (time.Time, string, bool) {
	var st stamp
	rest, ok := st.hms(s)
	return time.Time{}, st.fraction(rest), ok
}
