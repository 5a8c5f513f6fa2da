package intake

import (
	"strings"
	"time"

	"tocsin/internal/record"
)

// readCombined reads the Common and Combined Log Formats of nginx and Apache:
//
//	[host[:port] ]client ident user [time] "request" status bytes["referrer" "agent"["forwarded for"]] ...
//
// Behind them may stand the request's time in seconds, as a decimal number (0.123) or as rt=0.123, and the upstream's
// as a second one or as urt=. A bare whole number there is not read: it may be microseconds, a port or a counter.
func readCombined(p *Parser, st *stream, r *record.Record, s string, _ time.Time) bool {
	if _, _, ok := shortStamp(s); ok {
		return false // syslog carries it
	}
	if _, _, ok := isoTime(s, time.UTC); ok {
		return false
	}
	head, t, rest, ok := clfHead(s)
	if !ok {
		return false
	}
	head = withoutContainer(head)
	request, rest, ok := clfRequest(rest)
	if !ok || len(rest) < 4 {
		return false
	}
	status, rest := word(rest[1:])
	size, rest := word(rest)
	code, ok := whole(status)
	if !ok || len(status) != 3 {
		return false
	}
	r.Grow(webFields)
	r.Time = t
	r.Class = record.Parsed
	r.Set(record.EventAction, httpAction)
	r.Set(record.HTTPStatus, record.Int(code, status))
	setInt(r, record.HTTPBodyBytes, size)
	setRequest(r, unescape(request))

	peer := p.clfPeer(st, r, head)
	forwarded := p.clfTail(r, rest)
	if !p.client(r, peer, forwarded) && peer != "" && peer != "-" {
		extra(r, "source.address", record.Text(peer))
	}
	r.Source = webSource(st.Product)
	return true
}

// withoutContainer takes "nginx_1  | " off, which docker compose puts before each line.
func withoutContainer(head string) string {
	name, rest := word(head)
	if after, ok := strings.CutPrefix(strings.TrimLeft(rest, " "), "| "); ok && name != "" {
		return after
	}
	return head
}

// clfHead finds ` [time] "`. Only the server writes a quote unescaped, so the first such place is the real one,
// whatever the user's name says.
func clfHead(s string) (head string, t time.Time, rest string, ok bool) {
	for from := 0; ; {
		i := strings.IndexByte(s[from:], '[')
		if i < 0 {
			return "", time.Time{}, "", false
		}
		i += from
		end := i + 1 + clfLen
		if i > 0 && s[i-1] == ' ' && end+2 < len(s) && s[end:end+3] == `] "` {
			if t, ok := clfTime(s[i+1 : end]); ok {
				return s[:i-1], t, s[end+2:], true
			}
		}
		from = i + 1
	}
}

// clfRequest reads the quoted request. A server that does not escape quotes is borne with: the request then ends where
// a status follows.
func clfRequest(s string) (request, rest string, ok bool) {
	request, rest, ok = quoted(s)
	if ok && statusNext(rest) {
		return request, rest, true
	}
	for from := 1; ; {
		i := strings.IndexByte(s[from:], '"')
		if i < 0 {
			return "", "", false
		}
		i += from
		if statusNext(s[i+1:]) {
			return s[1:i], s[i+1:], true
		}
		from = i + 1
	}
}

func statusNext(s string) bool {
	if len(s) < 4 || s[0] != ' ' || len(s) > 4 && s[4] != ' ' {
		return false
	}
	return s[1] >= '1' && s[1] <= '9' && two(s, 2) >= 0
}

// clfPeer reads what stands before the time, sets host and user, and returns the client. A virtual host may stand
// first; the second word is an address then.
func (p *Parser) clfPeer(st *stream, r *record.Record, head string) string {
	first, rest := word(head)
	second, user := word(rest)
	if second != "-" {
		peer, _ := splitPort(second)
		if p.placeOf(peer).ok && p.vhostFirst(first, user) {
			clfHost(st, r, first)
			_, user = word(user)
			r.SetText(record.UserName, unescape(user))
			return second
		}
	}
	r.SetText(record.UserName, unescape(user))
	return first
}

// vhostFirst tells "host client ident user" from "client ident user" with an ident that looks like an address.
func (p *Parser) vhostFirst(first, rest string) bool {
	return !p.placeOf(first).ok || strings.HasPrefix(rest, "- ")
}

func clfHost(st *stream, r *record.Record, text string) {
	if strings.HasSuffix(text, ",") {
		return // the end of an X-Forwarded-For in place of a host
	}
	name, port := splitPort(text)
	if name != "" {
		r.SetText(record.URLDomain, name)
	}
	if port != "" {
		setPort(r, record.DestinationPort, port)
		if st.Product == "" {
			st.Product = "apache" // only Apache's vhost_combined has the port
		}
	}
}

// maxTail bounds the fields behind the bytes.
const maxTail = 24

// clfTail reads referrer, user agent and what follows, and returns X-Forwarded-For.
func (p *Parser) clfTail(r *record.Record, s string) (forwarded string) {
	quotes := 0
	for range maxTail {
		s = strings.TrimLeft(s, " ")
		if s == "" {
			return forwarded
		}
		if s[0] != '"' {
			var token string
			token, s = clfToken(s)
			clfTiming(r, token)
			continue
		}
		var text string
		text, s, _ = quoted(s)
		quotes++
		switch quotes {
		case 1:
			r.SetText(record.HTTPReferrer, unescape(text))
		case 2:
			r.SetText(record.UserAgent, unescape(text))
		case 3:
			if _, isNumber := number(text); isNumber {
				clfTiming(r, text)
			} else if text = unescape(text); p.endsInAddress(text) {
				forwarded = text
			}
		}
	}
	return forwarded
}

// endsInAddress tells X-Forwarded-For from a virtual host or a cipher's name, which others write in its place: the
// proxy before this server has appended an address.
func (p *Parser) endsInAddress(list string) bool {
	host, _ := splitPort(strings.TrimLeft(list[strings.LastIndexByte(list, ',')+1:], " "))
	return p.placeOf(host).ok
}

// clfToken takes the next word; in key="value" the quotes belong to it.
func clfToken(s string) (token, rest string) {
	i := strings.IndexAny(s, ` "`)
	if i < 0 {
		return s, ""
	}
	if s[i] == '"' && i > 0 && s[i-1] == '=' {
		text, rest, _ := quoted(s[i:])
		return s[:i] + text, rest
	}
	if s[i] == '"' {
		return s[:i], s[i:]
	}
	return s[:i], s[i+1:]
}

// clfTiming reads a time behind the quoted fields.
func clfTiming(r *record.Record, token string) {
	name, value, named := strings.Cut(token, "=")
	if !named {
		value = token
		if strings.IndexByte(value, '.') < 0 {
			return
		}
		name = "rt"
		if _, had := r.Get(record.EventDuration); had {
			name = "urt"
		}
	}
	switch name {
	case "rt", "request_time", "rtime":
		setSpan(r, record.EventDuration, value, 1e9)
	case "urt", "upstream_response_time", "ut":
		setSpan(r, record.UpstreamDuration, value, 1e9)
	case "us", "upstream_status":
		setInt(r, record.UpstreamStatus, value)
	}
}
