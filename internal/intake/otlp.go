package intake

import (
	"strings"
	"time"

	"tocsin/internal/record"
)

// otlpStart is how each line begins that package inlet makes of an OTLP log record; its package comment has the whole form.
const otlpStart = `{"otlp":1`

// readOTLP reads a log record of OpenTelemetry. In this order, what it holds is
//
//   - a line of the journal or of syslog that a collector took apart (receivers journald and syslog of the Collector),
//   - a line of a file that a collector followed: then its body is read as any line,
//   - what a program says of itself: attributes in the words of OpenTelemetry's semantic conventions, old and new, and an event's name.
//
// A body is taken for a line only when the record names a file, or no logger (scope.name) wrote it: a program's own message may be a client's
// text, which must not pass for a web server's line. Records of one inlet come from many programs, so none says how the next is read. What is not understood stays Unparsed, with time, host, service and message.
func readOTLP(p *Parser, _ *stream, r *record.Record, s string, hint time.Time) bool {
	if !strings.HasPrefix(s, otlpStart) || !p.onlyJSON(s) {
		return false
	}
	t, _, _ := isoTime(p.text("time"), time.UTC)
	host, service := p.text("resource.host.name"), p.text("resource.service.name")
	st := &stream{Product: productOf(p.text("attributes.log.file.path") + " " + service)}
	if m, ok := p.otlpMessage(); ok {
		if m.host == "" {
			m.host = host
		}
		p.logged(st, r, m, t, hint)
		return true
	}
	r.Time = t
	if host != "" {
		r.SetText(record.HostName, host)
	}
	if service != "" {
		r.SetText(record.ProcessName, service)
	}
	body, _ := p.member("body")
	if body.kind != jsonText {
		body.text = ""
	}
	attributes := p.otlpPairs()
	if p.otlpFollowed() && p.otlpLine(st, r, body.text, hint) {
		return true
	}
	p.pairs = append(p.pairs[:0], attributes...)
	f := p.sortedPairs()
	if p.webObject(st, r, &f) {
		return true
	}
	f = p.sortedPairs()
	if p.appObject(r, &f, false) {
		return true
	}
	r.Class = record.Unparsed
	r.Source = record.LogSource{Categories: appCategory, Product: "shop"}
	if body.text != "" {
		r.SetText(record.Message, body.text)
	}
	return true
}

// otlpMessage returns the message of a record that the receivers journald (a body of the journal's fields) or syslog (attributes) made.
func (p *Parser) otlpMessage() (m message, ok bool) {
	if text := p.text("body.MESSAGE"); text != "" {
		m = message{host: p.text("body._HOSTNAME"), program: p.text("body.SYSLOG_IDENTIFIER"), pid: p.text("body._PID"), text: text}
		if m.program == "" {
			m.program = p.text("body._COMM")
		}
		return m, true
	}
	program := p.text("attributes.appname")
	text := p.text("attributes.message")
	if program == "" || text == "" {
		return m, false
	}
	return message{host: p.text("attributes.hostname"), program: program, pid: p.text("attributes.proc_id"), text: text}, true
}

// otlpFollowed reports whether the body is what stood in a file.
func (p *Parser) otlpFollowed() bool {
	for _, key := range []string{"attributes.log.file.name", "attributes.log.file.path"} {
		if _, ok := p.member(key); ok {
			return true
		}
	}
	_, logger := p.member("scope.name")
	return !logger
}

// otlpLine reads a body as a line of a format in which each line tells all of itself.
func (p *Parser) otlpLine(st *stream, r *record.Record, text string, hint time.Time) bool {
	if strings.HasPrefix(text, otlpStart) {
		return false // once is enough
	}
	for _, read := range []reader{readTraefik, readCombined, readCaddy, readALB, readHAProxy, readJournal, readPostgresJSON, readMongoDB, readWebJSON, readAppJSON,
		readMySQLError, readPostgres, readNginxError, readApacheError, readMonolog, readVsftpd, readAuditd, readWorded, readSyslog} {
		if p.inner(st, r, text, hint, read) {
			return true
		}
	}
	return false
}

// otlpNames are names of OpenTelemetry's semantic conventions, of now and of before 1.23, whose meaning other names have here.
var otlpNames = map[string]string{
	"client.address": "client.ip", "source.address": "source.ip", "network.peer.address": "remote_addr", "net.sock.peer.addr": "remote_addr", "net.peer.ip": "remote_addr",
	"client.port": "client_port", "network.peer.port": "remote_port", "net.sock.peer.port": "remote_port", "net.peer.port": "remote_port",
	"http.request.header.x-forwarded-for": "x_forwarded_for", "http.request.header.referer": "referer", "http.request.header.user-agent": "user_agent",
	"http.user_agent": "user_agent", "http.method": "method", "http.target": "uri", "http.status_code": "status", "http.host": "http_host", "server.address": "server_name",
	"http.response.body.size": "body_bytes_sent", "http.response_content_length": "body_bytes_sent",
	"enduser.id": "user.id", "exception.message": "error.message",
}

// otlpPairs returns what the record says of itself, under names whose meaning is known here. They must be taken before a body is read as JSON.
func (p *Parser) otlpPairs() (out []pair) {
	_, hasPath := p.member("attributes.url.path")
	if q, ok := p.member("event_name"); ok {
		out = append(out, pair{key: "event.name", text: q.text})
	}
	for _, q := range p.pairs {
		name, ok := strings.CutPrefix(q.key, "attributes.")
		if !ok {
			if name, ok = strings.CutPrefix(q.key, "body."); !ok {
				continue
			}
		}
		if known := otlpNames[name]; known != "" {
			name = known
		}
		if (name == "url.full" || name == "http.url") && !hasPath {
			name = "url"
		}
		q.key = name
		out = append(out, q)
	}
	for _, x := range []struct{ from, to string }{{"body", "message"}, {"severity", "log.level"}, {"trace_id", "trace.id"}, {"span_id", "span.id"}} {
		if q, ok := p.member(x.from); ok && q.kind == jsonText {
			q.key = x.to
			out = append(out, q)
		}
	}
	return out
}
