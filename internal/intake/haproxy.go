package intake

import (
	"strings"
	"time"

	"tocsin/internal/record"
)

// readHAProxy reads HAProxy's log as its manual has it (configuration.txt, section 8.2), without a syslog header; behind one, syslog
// hands the message on:
//
//	HTTP     10.0.1.2:33317 [06/Feb/2009:12:14:14.655] http-in static/srv1 10/0/30/69/109 200 2750 - - ---- 1/1/1/1/0 0/0 {1wt.eu} {} "GET /index.html HTTP/1.1"
//	TCP      10.0.1.2:33313 [06/Feb/2009:12:12:51.443] fnt bck/srv1 0/0/5007 212 -- 0/0/0/0/3 0/0
//	default  Connect from 10.0.1.2:33312 to 10.0.3.31:8012 (www/HTTP)
//	error    10.0.1.2:33321 [03/Dec/2012:08:14:54.943] fe/1: Connection error during SSL handshake
//
// The stamp is in local time. What the client sent stands at the right, in quotes; captured headers have their braces, bars and quotes encoded.
func readHAProxy(p *Parser, _ *stream, r *record.Record, s string, _ time.Time) bool {
	return p.haproxy(r, s)
}

// haStampLen is the length of "[06/Feb/2009:12:14:14.655] ".
const haStampLen = 27

func (p *Parser) haproxy(r *record.Record, s string) bool {
	if strings.HasPrefix(s, "Connect from ") {
		return p.haConnect(r, s)
	}
	client, rest := word(s)
	if strings.LastIndexByte(client, ':') < 1 || len(rest) < haStampLen || rest[0] != '[' || rest[haStampLen-2:haStampLen] != "] " || rest[21] != '.' {
		return false
	}
	t, ok := haTime(rest[1:haStampLen-2], p.zone)
	if !ok {
		return false
	}
	rest = rest[haStampLen:]
	client = haAddress(client)
	frontend, rest := word(rest)
	if strings.HasSuffix(frontend, ":") {
		return p.haError(r, client, strings.TrimSuffix(frontend, ":"), rest, t)
	}
	backend, rest := word(rest)
	timers, rest := word(rest)
	capture := ""
	if strings.Count(timers, "/") < 2 { // some put a captured name between
		capture = timers
		timers, rest = word(rest)
	}
	if strings.IndexByte(backend, '/') < 0 || !haNumbers(timers) {
		return false
	}
	r.Time = t
	textExtra(r, "haproxy.frontend", strings.TrimSuffix(frontend, "~"))
	textExtra(r, "haproxy.backend", backend)
	textExtra(r, "haproxy.captured", capture)
	if strings.Count(timers, "/") == 2 {
		return p.haTCP(r, client, timers, rest)
	}
	return p.haHTTP(r, client, timers, rest)
}

// haTime reads "06/Feb/2009:12:14:14.655".
func haTime(s string, zone *time.Location) (time.Time, bool) {
	if len(s) != 24 || s[2] != '/' || s[6] != '/' || s[11] != ':' {
		return time.Time{}, false
	}
	st := stamp{year: four(s, 7), month: monthOf(s[3:6]), day: two(s, 0)}
	rest, ok := st.hms(s[12:20])
	if !ok || rest != "" {
		return time.Time{}, false
	}
	if rest = st.fraction(s[20:]); rest != "" {
		return time.Time{}, false
	}
	return st.in(zone)
}

// haNumbers knows "10/0/30/69/109": numbers, perhaps with a sign, between slashes.
func haNumbers(s string) bool {
	digits := 0
	for i := range len(s) {
		switch c := s[i]; {
		case c-'0' <= 9:
			digits++
		case c == '/' || c == '-' || c == '+':
		default:
			return false
		}
	}
	return digits > 0 && strings.Count(s, "/") >= 2
}

func (p *Parser) haHTTP(r *record.Record, client, timers, rest string) bool {
	q := newRequest("haproxy", "access")
	q.peer, q.durationUnit = client, 1e6
	q.status, rest = word(rest)
	q.bytes, rest = word(rest)
	_, rest = word(rest)
	_, rest = word(rest)
	state, rest := word(rest)
	connections, rest := word(rest)
	_, rest = word(rest)
	if len(state) != 4 || !haNumbers(connections) {
		return false
	}
	q.bytes = strings.TrimPrefix(q.bytes, "+")
	q.duration = strings.TrimPrefix(timers[strings.LastIndexByte(timers, '/')+1:], "+")
	textExtra(r, "haproxy.termination_state", state)
	for _, name := range []string{"haproxy.request_headers", "haproxy.response_headers"} {
		if strings.HasPrefix(rest, "{") {
			end := strings.IndexByte(rest, '}')
			if end < 0 {
				return false
			}
			textExtra(r, name, rest[1:end])
			rest = strings.TrimPrefix(rest[end+1:], " ")
		}
	}
	if !strings.HasPrefix(rest, `"`) {
		return false
	}
	// A request that was too long for the line has no end.
	line := strings.TrimSuffix(rest[1:], `"`)
	q.line = unsharp(line)
	q.local = strings.HasSuffix(line, " HTTP/2.0") || strings.HasSuffix(line, " HTTP/3.0")
	return p.access(r, &q)
}

// unsharp undoes #XX, HAProxy's way to write bytes that would break the line; a "#" itself is #23.
func unsharp(s string) string {
	if strings.IndexByte(s, '#') < 0 {
		return s
	}
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] == '#' && i+2 < len(s) {
			if b, ok := hexByte(s[i+1], s[i+2]); ok {
				out = append(out, b)
				i += 2
				continue
			}
		}
		out = append(out, s[i])
	}
	return string(out)
}

func (p *Parser) haTCP(r *record.Record, client, timers, rest string) bool {
	size, rest := word(rest)
	state, rest := word(rest)
	connections, _ := word(rest)
	if len(state) != 2 || !haNumbers(connections) || !isWhole(strings.TrimPrefix(size, "+")) {
		return false
	}
	r.Class = record.Parsed
	r.Source = record.LogSource{Product: "haproxy", Service: "tcp"}
	act(r, "connect")
	setInt(r, record.HTTPBytes, strings.TrimPrefix(size, "+"))
	setSpan(r, record.EventDuration, strings.TrimPrefix(timers[strings.LastIndexByte(timers, '/')+1:], "+"), 1e6)
	textExtra(r, "haproxy.termination_state", state)
	p.haClient(r, client)
	return true
}

// haAddress puts brackets around an IPv6 address before its port. A client that is not told is "-".
func haAddress(s string) string {
	if strings.HasPrefix(s, "-:") {
		return "-"
	}
	if i := strings.LastIndexByte(s, ':'); i > 0 && s[0] != '[' && strings.IndexByte(s, ':') < i {
		return "[" + s[:i] + "]" + s[i:]
	}
	return s
}

func (p *Parser) haClient(r *record.Record, client string) {
	if !p.client(r, client, "") && client != "-" {
		extra(r, "source.address", record.Text(client))
	}
}

func (p *Parser) haError(r *record.Record, client, frontend, text string, t time.Time) bool {
	if strings.IndexByte(frontend, '/') < 0 || text == "" {
		return false
	}
	r.Time = t
	r.Class = record.Parsed
	r.Source = record.LogSource{Product: "haproxy", Service: "tcp"}
	act(r, "notice")
	r.Set(record.EventOutcome, record.Text("failure"))
	r.SetText(record.EventReason, text)
	textExtra(r, "haproxy.frontend", frontend)
	p.haClient(r, client)
	return true
}

func (p *Parser) haConnect(r *record.Record, s string) bool {
	from, rest, ok := strings.Cut(s[len("Connect from "):], " to ")
	to, what, found := strings.Cut(rest, " (")
	if !ok || !found || !strings.HasSuffix(what, ")") || strings.Contains(from, " ") || strings.Contains(to, " ") {
		return false
	}
	r.Class = record.Parsed
	r.Source = record.LogSource{Product: "haproxy", Service: "tcp"}
	act(r, "connect")
	textExtra(r, "haproxy.frontend", strings.TrimSuffix(what, ")"))
	p.haClient(r, haAddress(from))
	p.destination(r, haAddress(to))
	return true
}
