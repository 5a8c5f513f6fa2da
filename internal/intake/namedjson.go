package intake

import (
	"strings"
	"time"

	"tocsin/internal/record"
)

// A jsonProgram is the program whose JSON an object is, known by names that no other program uses together.
type jsonProgram uint8

const (
	anyProgram jsonProgram = iota
	cloudflareJSON
	traefikJSON
	caddyJSON
	cloudTrailJSON
	cloudFrontJSON
)

// jsonProgram finds whose object p.pairs is.
func (p *Parser) jsonProgram() jsonProgram {
	var has uint32
	for i := range p.pairs {
		q := &p.pairs[i]
		switch q.key {
		case "ClientRequestURI", "ClientRequestPath":
			has |= 1
		case "RayID", "EdgeStartTimestamp", "EdgeResponseStatus":
			has |= 2
		case "RequestPath":
			has |= 4
		case "RequestMethod":
			has |= 8
		case "ClientAddr", "ClientHost":
			has |= 16
		case "DownstreamStatus", "StartUTC", "StartLocal":
			has |= 32
		case "logger":
			if strings.HasPrefix(q.text, "http.log.access") {
				has |= 64
			}
		case "request.uri":
			has |= 128
		case "request.method":
			has |= 256
		case "eventSource":
			has |= 512
		case "eventName":
			has |= 1024
		case "eventTime":
			has |= 2048
		case "eventVersion", "awsRegion":
			has |= 4096
		case "cs-uri-stem":
			has |= 8192
		case "sc-status":
			has |= 16384
		case "c-ip", "x-edge-location":
			has |= 32768
		}
	}
	switch {
	case has&3 == 3:
		return cloudflareJSON
	case has&60 == 60:
		return traefikJSON
	case has&448 == 448:
		return caddyJSON
	case has&7680 == 7680:
		return cloudTrailJSON
	case has&57344 == 57344:
		return cloudFrontJSON
	}
	return anyProgram
}

// onlyJSON reports whether s is one JSON object, and reads it.
func (p *Parser) onlyJSON(s string) bool {
	if s[0] != '{' {
		return false
	}
	rest, ok := p.object(s)
	return ok && strings.TrimSpace(rest) == ""
}

// programJSON makes a reader of the objects of one program. sign is a text that each of them holds: most lines are told
// from them by it, before they are read.
func programJSON(of jsonProgram, sign string) reader {
	return func(p *Parser, st *stream, r *record.Record, s string, _ time.Time) bool {
		return s[0] == '{' && strings.Contains(s, sign) && p.onlyJSON(s) && p.jsonProgram() == of && p.readProgram(of, r, s)
	}
}

func (p *Parser) readProgram(of jsonProgram, r *record.Record, s string) bool {
	switch of {
	case cloudflareJSON:
		return p.cloudflare(r)
	case traefikJSON:
		return p.traefik(r)
	case caddyJSON:
		return p.caddy(r)
	case cloudTrailJSON:
		return p.cloudTrail(r, s)
	case cloudFrontJSON:
		return p.cloudFront(r)
	}
	return false
}

// first keeps the first value of a name: what broke out of its quotes stands behind the logger's own.
func first(to *string, text string) {
	if *to == "-" {
		*to = text
	}
}

func (p *Parser) firstTime(r *record.Record, text string, zone *time.Location) {
	if r.Time.IsZero() {
		r.Time, _ = textTime(text, zone)
	}
}

// generic reports whether the object that was just read is left to the formats for any program's JSON.
func (p *Parser) generic() bool { return len(p.formats) == 1 || p.jsonProgram() == anyProgram }

// cloudflare reads Logpush's data set http_requests (Cloudflare's documentation, Log fields), and firewall_events, which has the same
// names. The times come as RFC 3339, or as seconds or nanoseconds. ClientIP is the address of the connection to Cloudflare.
func (p *Parser) cloudflare(r *record.Record) bool {
	q := newRequest("cloudflare", "access")
	q.upstreamUnit, q.durationUnit = 1, 1
	var ended time.Time
	path := "-"
	for _, m := range p.pairs {
		if m.kind == jsonNull {
			continue
		}
		switch m.key {
		case "EdgeStartTimestamp", "Datetime":
			p.firstTime(r, m.text, time.UTC)
		case "EdgeEndTimestamp":
			ended, _ = textTime(m.text, time.UTC)
		case "ClientIP":
			first(&q.peer, m.text)
		case "ClientSrcPort":
			first(&q.port, m.text)
		case "ClientRequestMethod":
			first(&q.method, m.text)
		case "ClientRequestURI":
			first(&q.url, m.text)
		case "ClientRequestPath":
			first(&path, m.text)
		case "ClientRequestQuery":
			first(&q.query, strings.TrimPrefix(m.text, "?"))
		case "ClientRequestProtocol":
			first(&q.version, m.text)
		case "ClientRequestHost":
			first(&q.host, m.text)
		case "ClientRequestUserAgent":
			first(&q.agent, m.text)
		case "ClientRequestReferer":
			first(&q.referrer, m.text)
		case "EdgeResponseStatus":
			first(&q.status, m.text)
		case "OriginResponseStatus":
			first(&q.upstreamStatus, m.text)
		case "EdgeResponseBytes":
			first(&q.bytes, m.text)
		case "EdgeResponseBodyBytes":
			first(&q.bodyBytes, m.text)
		case "OriginResponseTime":
			first(&q.upstream, m.text)
		default:
			extra(r, m.key, m.typed())
		}
	}
	if q.url == "-" || q.url == "" {
		q.url = path
	} else {
		q.query = "-"
	}
	if q.version == "" {
		q.version = "-"
	}
	if !ended.IsZero() && ended.After(r.Time) && ended.Sub(r.Time) < time.Hour {
		nano := ended.Sub(r.Time).Nanoseconds()
		r.Set(record.EventDuration, record.Int(nano, ended.Sub(r.Time).String()))
	}
	return p.access(r, &q)
}

// traefik reads Traefik's access log as JSON (its documentation, Access Logs). ClientAddr is the connection's; ClientHost is the same
// address, or what X-Forwarded-For says. Duration is in nanoseconds.
func (p *Parser) traefik(r *record.Record) bool {
	q := newRequest("traefik", "access")
	q.durationUnit, q.upstreamUnit, q.local = 1, 1, true
	client := "-"
	for _, m := range p.pairs {
		if m.kind == jsonNull {
			continue
		}
		switch m.key {
		case "StartUTC", "StartLocal", "time":
			p.firstTime(r, m.text, p.zone)
		case "ClientAddr":
			first(&q.peer, m.text)
		case "ClientHost":
			first(&client, m.text)
		case "ClientPort":
		case "ClientUsername":
			first(&q.user, m.text)
		case "RequestMethod":
			first(&q.method, m.text)
		case "RequestPath":
			first(&q.url, m.text)
		case "RequestProtocol":
			first(&q.version, m.text)
		case "RequestHost":
			first(&q.host, m.text)
		case "DownstreamStatus":
			first(&q.status, m.text)
		case "DownstreamContentSize":
			first(&q.bodyBytes, m.text)
		case "OriginStatus":
			first(&q.upstreamStatus, m.text)
		case "Duration":
			first(&q.duration, m.text)
		case "OriginDuration":
			first(&q.upstream, m.text)
		case "request_User-Agent":
			first(&q.agent, m.text)
		case "request_Referer":
			first(&q.referrer, m.text)
		case "request_Cookie":
			first(&q.cookie, m.text)
		default:
			extra(r, m.key, m.typed())
		}
	}
	host, _ := splitPort(q.peer)
	switch {
	case q.peer == "-":
		q.peer = client
	case client != host:
		q.forwarded = client
	}
	return p.access(r, &q)
}

// caddy reads Caddy's access log (its documentation, log directive): JSON, or the console encoder's JSON behind a header. request.client_ip
// is the client as Caddy's own trusted_proxies say, else the connection's address.
func (p *Parser) caddy(r *record.Record) bool {
	q := newRequest("caddy", "access")
	q.local = true
	peer := "-"
	for _, m := range p.pairs {
		if m.kind == jsonNull {
			continue
		}
		switch m.key {
		case "ts":
			p.firstTime(r, m.text, p.zone)
		case "request.client_ip":
			first(&q.peer, m.text)
		case "request.remote_ip", "request.remote_addr":
			first(&peer, m.text)
		case "request.remote_port":
			first(&q.port, m.text)
		case "request.method":
			first(&q.method, m.text)
		case "request.uri":
			first(&q.url, m.text)
		case "request.proto":
			first(&q.version, m.text)
		case "request.host":
			first(&q.host, m.text)
		case "request.headers.User-Agent":
			first(&q.agent, m.text)
		case "request.headers.Referer":
			first(&q.referrer, m.text)
		case "request.headers.Cookie":
			first(&q.cookie, m.text)
		case "request.headers.X-Forwarded-For":
			first(&q.forwarded, m.text)
		case "user_id":
			if m.text != "" {
				first(&q.user, m.text)
			}
		case "status":
			first(&q.status, m.text)
		case "size":
			first(&q.bodyBytes, m.text)
		case "duration":
			first(&q.duration, m.text)
		default:
			extra(r, m.key, m.typed())
		}
	}
	if q.peer == "-" {
		q.peer = peer
	} else if peer != "-" && peer != q.peer {
		extra(r, "peer.address", record.Text(peer))
		q.port = "-"
	}
	return p.access(r, &q)
}

// readCaddy reads both encoders. The console's line is "2020/05/26 20:44:49.126<tab>INFO<tab>logger<tab>message<tab>{...}".
func readCaddy(p *Parser, st *stream, r *record.Record, s string, _ time.Time) bool {
	if s[0] == '{' {
		return strings.Contains(s, `"http.log.access`) && p.onlyJSON(s) && p.jsonProgram() == caddyJSON && p.caddy(r)
	}
	t, rest, ok := slashTime(s, p.zone)
	if !ok {
		return false
	}
	var at stamp
	rest = at.fraction(rest)
	level, rest, ok := strings.Cut(strings.TrimPrefix(rest, "\t"), "\t")
	if level = withoutColour(level); !ok || !zapLevel(level) {
		return false
	}
	logger, rest, _ := strings.Cut(rest, "\t")
	message, object, _ := strings.Cut(rest, "\t")
	t = t.Add(time.Duration(at.nsec))
	if strings.HasPrefix(logger, "http.log.access") && strings.HasPrefix(object, "{") && p.onlyJSON(object) {
		if p.caddy(r) {
			r.Time = t
			extra(r, "level", record.Text(strings.ToLower(level)))
			extra(r, "logger", record.Text(logger))
			return true
		}
		blank(r)
	}
	r.Time = t
	r.Source = record.LogSource{Product: "caddy"}
	r.Set(record.Message, record.Text(message))
	extra(r, "level", record.Text(strings.ToLower(level)))
	extra(r, "logger", record.Text(logger))
	return true
}

// zapLevel knows the names of the levels that Caddy's logger writes.
func zapLevel(s string) bool {
	switch s {
	case "DEBUG", "INFO", "WARN", "ERROR", "PANIC", "FATAL", "DPANIC":
		return true
	}
	return false
}

// withoutColour takes the escapes off that Caddy writes around a level on a terminal.
func withoutColour(s string) string {
	if !strings.HasPrefix(s, "\x1b[") {
		return s
	}
	_, s, _ = strings.Cut(s, "m")
	s, _, _ = strings.Cut(s, "\x1b")
	return s
}
