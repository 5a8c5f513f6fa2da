package intake

import (
	"strings"
	"time"

	"tocsin/internal/record"
)

// webSlots are the meanings that an access log's line has.
var webSlots = []slot{slotTime, slotExactTime, slotClient, slotPeer, slotForwarded, slotPort, slotUser, slotSession, slotAgent, slotReferrer,
	slotMethod, slotURL, slotPath, slotQuery, slotRequest, slotProtocol, slotHost, slotStatus, slotBodyBytes, slotBytes,
	slotSeconds, slotMillis, slotNanos, slotUpstreamStatus, slotUpstreamSeconds, slotASN}

// readWebJSON reads a web server's access log in JSON: an object that tells of a request and its status.
func readWebJSON(p *Parser, st *stream, r *record.Record, s string, _ time.Time) bool {
	if !p.onlyJSON(s) || !p.generic() {
		return false
	}
	f := p.sortedPairs()
	return p.webObject(st, r, &f)
}

func (p *Parser) webObject(st *stream, r *record.Record, f *fields) bool {
	status, ok := whole(f.text(slotStatus))
	if !ok || status < 100 || status > 999 {
		return false
	}
	hasURL := f.has(slotMethod) && (f.has(slotURL) || f.has(slotPath))
	if !hasURL && !f.has(slotRequest) {
		return false
	}
	r.Grow(webFields)
	p.when(f, r)
	r.Class = record.Parsed
	r.Set(record.EventAction, httpAction)
	setInt(r, record.HTTPStatus, f.text(slotStatus))
	if q, ok := f.take(slotRequest); ok {
		setRequest(r, q.text)
	}
	if hasURL {
		setMethod(r, f.text(slotMethod))
		setURL(r, webURL(f))
		version := f.text(slotProtocol)
		if version != "" {
			r.SetText(record.HTTPVersion, strings.TrimPrefix(version, "HTTP/"))
		}
	}
	if host := f.text(slotHost); host != "" {
		name, _ := splitPort(host)
		r.SetText(record.URLDomain, name)
	}
	f.set(r, record.UserName, slotUser)
	f.set(r, record.SessionID, slotSession)
	f.set(r, record.UserAgent, slotAgent)
	f.set(r, record.HTTPReferrer, slotReferrer)
	setInt(r, record.HTTPBodyBytes, f.text(slotBodyBytes))
	if f.has(slotBytes) {
		setInt(r, record.HTTPBytes, f.text(slotBytes))
	} else if !f.has(slotBodyBytes) {
		setInt(r, record.HTTPBodyBytes, f.text(slotSize))
	}
	webTimings(r, f)
	p.objectClient(r, f)
	f.keepRest(r, webSlots)
	r.Source = webSource(st.Product)
	if st.Product == "" && f.has(slotUpstreamStatus) {
		r.Source.Product = "nginx"
	}
	return true
}

func webURL(f *fields) string {
	if q, ok := f.take(slotURL); ok {
		return q.text
	}
	url := f.text(slotPath)
	if url == "" {
		return ""
	}
	if query := f.text(slotQuery); query != "" && query != "-" && !strings.Contains(url, "?") {
		return url + "?" + strings.TrimPrefix(query, "?")
	}
	return url
}

func webTimings(r *record.Record, f *fields) {
	switch {
	case f.has(slotMillis):
		setSpan(r, record.EventDuration, f.text(slotMillis), 1e6)
	case f.has(slotNanos):
		setSpan(r, record.EventDuration, f.text(slotNanos), 1)
	default:
		text, unit := f.text(slotSeconds), 1e9
		if n, ok := whole(text); ok && n > 100_000 {
			unit = 1 // Traefik writes whole nanoseconds under the name that others use for seconds
		}
		setSpan(r, record.EventDuration, text, unit)
	}
	status := f.text(slotUpstreamStatus)
	// Of several upstreams the last one answered.
	if i := strings.LastIndexAny(status, " ,"); i >= 0 {
		status = status[i+1:]
	}
	setInt(r, record.UpstreamStatus, status)
	if text := f.text(slotUpstreamSeconds); text != "" {
		if total, ok := sum(text); ok {
			r.Set(record.UpstreamDuration, record.Int(int64(total*1e9+0.5), text))
		}
	}
}

// objectClient sets the source of a JSON line: the address as the application takes it, else the connection's.
func (p *Parser) objectClient(r *record.Record, f *fields) {
	peer := f.text(slotClient)
	if peer == "" || peer == "-" {
		peer = f.text(slotPeer)
		if peer != "" {
			f.drop(slotClient)
		}
	} else if f.has(slotPeer) {
		extra(r, "peer.address", record.Text(f.text(slotPeer)))
	}
	if !p.client(r, peer, f.text(slotForwarded)) && peer != "" && peer != "-" {
		extra(r, "source.address", record.Text(peer))
	}
	setPort(r, record.SourcePort, f.text(slotPort))
	if _, known := r.Get(record.SourceASNumber); !known {
		setInt(r, record.SourceASNumber, strings.TrimPrefix(f.text(slotASN), "AS"))
	}
}
