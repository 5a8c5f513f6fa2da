package intake

import (
	"strings"

	"tocsin/internal/record"
)

// A request is what a proxy, a load balancer or a content network says of one request, collected before it is set. "-" is
// missing, as in most of their logs; "" is empty.
type request struct {
	peer, port, forwarded               string // of the connection; X-Forwarded-For counts from trusted proxies only
	line                                string // "GET /a HTTP/1.1", instead of the next four
	method, url, query, version         string
	host, user, agent, referrer, cookie string
	status, upstreamStatus              string
	bodyBytes, bytes                    string
	duration, upstream                  string
	durationUnit, upstreamUnit          float64 // nanoseconds of one
	local                               bool    // scheme and host of an absolute URL are the log's addition
	destination                         string  // address that was connected to, with its port or without
	category                            []string
	product, service                    string
}

func newRequest(product, service string) request {
	return request{
		peer: "-", port: "-", forwarded: "-", line: "-", method: "-", url: "-", query: "-", version: "-", host: "-", user: "-", agent: "-",
		referrer: "-", cookie: "-", status: "-", upstreamStatus: "-", bodyBytes: "-", bytes: "-", duration: "-", upstream: "-",
		durationUnit: 1e9, upstreamUnit: 1e9, destination: "-", category: webCategory, product: product, service: service,
	}
}

// access sets what a request tells. It reports false when it is none: a log that a rule reads as a web server's has a request or a status.
func (p *Parser) access(r *record.Record, q *request) bool {
	if q.line == "-" && q.method == "-" && q.url == "-" && !httpStatus(q.status) {
		return false
	}
	r.Grow(webFields)
	r.Class = record.Parsed
	r.Source = record.LogSource{Categories: q.category, Product: q.product, Service: q.service}
	r.Set(record.EventAction, httpAction)
	if httpStatus(q.status) {
		setInt(r, record.HTTPStatus, q.status)
	}
	if httpStatus(q.upstreamStatus) {
		setInt(r, record.UpstreamStatus, q.upstreamStatus)
	}
	if host, port := splitPort(q.host); host != "-" {
		r.SetText(record.URLDomain, host)
		setPort(r, record.DestinationPort, port)
	}
	if q.line != "-" {
		setRequest(r, q.line)
		if q.local {
			localURL(r)
		}
	} else {
		q.setURL(r)
	}
	r.SetText(record.UserName, q.user)
	r.SetText(record.UserAgent, q.agent)
	r.SetText(record.HTTPReferrer, q.referrer)
	r.SetText(record.Cookie, q.cookie)
	setInt(r, record.HTTPBytes, q.bytes)
	if q.bodyBytes == "-" {
		q.bodyBytes = q.bytes // of some logs only the whole is told: its header counts too then
	}
	setInt(r, record.HTTPBodyBytes, q.bodyBytes)
	setSpan(r, record.EventDuration, q.duration, q.durationUnit)
	setSpan(r, record.UpstreamDuration, q.upstream, q.upstreamUnit)
	if q.destination != "-" {
		p.destination(r, q.destination)
	}
	if !p.client(r, q.peer, q.forwarded) && q.peer != "-" && q.peer != "" {
		extra(r, "source.address", record.Text(q.peer))
	}
	setPort(r, record.SourcePort, q.port)
	return true
}

func (q *request) setURL(r *record.Record) {
	if q.method != "-" && isMethod(q.method) {
		setMethod(r, q.method)
	}
	if version := strings.TrimPrefix(q.version, "HTTP/"); version != "" {
		r.SetText(record.HTTPVersion, version)
	}
	if q.url == "-" || q.url == "" {
		return
	}
	url := q.url
	if q.query != "-" && q.query != "" {
		url += "?" + q.query
	}
	setURL(r, url)
	if q.local {
		localURL(r)
	}
}

// localURL takes scheme and host off url.original: the log put them there, the client sent path and query only.
func localURL(r *record.Record) {
	url := r.Text(record.URLOriginal)
	i := strings.Index(url, "://")
	if i < 0 || i > 10 {
		return
	}
	rest := url[i+3:]
	end := strings.IndexAny(rest, "/?")
	if end < 0 {
		end = len(rest)
	}
	if _, port := splitPort(rest[:end]); port != "" {
		setPort(r, record.DestinationPort, port)
	}
	path := rest[end:]
	if path == "" || path[0] == '?' {
		path = "/" + path
	}
	setURL(r, path)
}

// httpStatus tells a status from "-", 0 and 000, which stand for none.
func httpStatus(s string) bool {
	n, ok := whole(s)
	return ok && len(s) == 3 && n >= 100 && n <= 999
}
