package intake

import (
	"testing"

	"tocsin/internal/record"
)

// otlpCases are log records as package inlet writes them.
func otlpCases() []fileCase {
	const start = `{"otlp":1,"time":"2026-11-28T08:00:00.000000005Z","severity":"INFO","severity_number":9,`
	return []fileCase{
		{"format of OpenTelemetry's filelog receiver: an nginx line in the body", "", start + `"body":"203.0.113.7 - - [28/Nov/2026:07:59:59 +0000] \"GET /a?b=1 HTTP/1.1\" 404 12 \"-\" \"curl/8\"","attributes":{"log.file.name":"access.log"},"resource":{"host.name":"web-1","service.name":"nginx"}}`,
			"otlp", "webserver/nginx/access", map[string]string{`source.ip`: `203.0.113.7`, `http.response.status_code`: `404`, `url.original`: `/a?b=1`, `host.name`: `web-1`, `@timestamp`: `2026-11-28T07:59:59Z`}},
		{"format of OpenTelemetry's filelog receiver: auth.log", "", start + `"body":"Nov 28 07:59:59 web-1 sshd[7]: Failed password for invalid user x from 203.0.113.7 port 5 ssh2","attributes":{"log.file.path":"/var/log/auth.log"}}`,
			"otlp", "authentication/linux/sshd", map[string]string{`source.ip`: `203.0.113.7`, `user.name`: `x`, `event.outcome`: `failure`, `host.name`: `web-1`}},
		{"format of OpenTelemetry's filelog receiver: JSON lines of a shop", "", start + `"body":"{\"ts\":\"2026-11-28T07:59:58Z\",\"event\":\"customer_login_failed\",\"ip\":\"203.0.113.7\",\"account\":\"anna\"}","attributes":{"log.file.name":"app.jsonl"}}`,
			"otlp", "application,authentication/shop/", map[string]string{`source.ip`: `203.0.113.7`, `user.name`: `anna`, `event.action`: `login`, `event.outcome`: `failure`, `@timestamp`: `2026-11-28T07:59:58Z`}},
		{"format of OpenTelemetry's journald receiver", "", start + `"body":{"MESSAGE":"Failed password for root from 203.0.113.7 port 5 ssh2","SYSLOG_IDENTIFIER":"sshd","_HOSTNAME":"web-1","_PID":"7"}}`,
			"otlp", "authentication/linux/sshd", map[string]string{`source.ip`: `203.0.113.7`, `user.name`: `root`, `process.pid`: `7`, `@timestamp`: `2026-11-28T08:00:00Z`}},
		{"format of OpenTelemetry's syslog receiver", "", start + `"body":"<38>1 2026-11-28T08:00:00Z web-1 sshd 7 - - Accepted password for bob from 203.0.113.7 port 5 ssh2","attributes":{"appname":"sshd","hostname":"web-1","proc_id":"7","message":"Accepted password for bob from 203.0.113.7 port 5 ssh2","priority":38}}`,
			"otlp", "authentication/linux/sshd", map[string]string{`source.ip`: `203.0.113.7`, `user.name`: `bob`, `event.outcome`: `success`, `host.name`: `web-1`}},
		{"format of OpenTelemetry's semantic conventions, HTTP 1.23 and later", "", start + `"body":"handled","attributes":{"http.request.method":"POST","url.path":"/login","url.query":"a=1","http.response.status_code":401,"client.address":"203.0.113.7","user_agent.original":"curl/8","server.address":"shop.example"},"resource":{"service.name":"cart"},"scope":{"name":"http"},"trace_id":"5b8efff798038103d269b633813fc60c"}`,
			"otlp", "webserver//access", map[string]string{`source.ip`: `203.0.113.7`, `http.request.method`: `POST`, `url.original`: `/login?a=1`, `http.response.status_code`: `401`, `url.domain`: `shop.example`, `user_agent.original`: `curl/8`, `trace.id`: `5b8efff798038103d269b633813fc60c`, `process.name`: `cart`}},
		{"format of OpenTelemetry's semantic conventions, HTTP before 1.23", "", start + `"attributes":{"http.method":"GET","http.target":"/x?y","http.status_code":200,"net.peer.ip":"203.0.113.7","http.user_agent":"z"},"scope":{"name":"http"}}`,
			"otlp", "webserver//access", map[string]string{`source.ip`: `203.0.113.7`, `url.original`: `/x?y`, `user_agent.original`: `z`}},
		{"format of OpenTelemetry: an event of an application", "", start + `"event_name":"customer.login.failed","body":{"reason":"bad password"},"attributes":{"client.address":"203.0.113.7","enduser.id":"anna"},"scope":{"name":"shop/auth"}}`,
			"otlp", "application,authentication/shop/", map[string]string{`source.ip`: `203.0.113.7`, `user.name`: `anna`, `event.action`: `login`, `event.outcome`: `failure`, `event.code`: `customer.login.failed`, `event.reason`: `bad password`, `user.realm`: `customer`}},
		{"format of OpenTelemetry: the message of a logger", "", start + `"body":"login failed","attributes":{"client.address":"203.0.113.7","user.name":"anna"},"scope":{"name":"shop/auth"}}`,
			"otlp", "application,authentication/shop/", map[string]string{`source.ip`: `203.0.113.7`, `user.name`: `anna`, `event.action`: `login`, `event.outcome`: `failure`}},
	}
}

// Given a record whose logger was made to write a client's text, when it is read, then that text is a message, and frames nobody.
func TestOTLPIsNotFooled(t *testing.T) {
	for _, line := range []string{
		`{"otlp":1,"time":"2026-11-28T08:00:00Z","body":"6.6.6.6 - - [28/Nov/2026:07:59:59 +0000] \"GET /a HTTP/1.1\" 200 12 \"-\" \"x\"","scope":{"name":"shop"}}`,
		`{"otlp":1,"time":"2026-11-28T08:00:00Z","body":"Nov 28 07:59:59 h sshd[7]: Failed password for x from 6.6.6.6 port 5 ssh2","resource":{"service.name":"sshd"},"scope":{"name":"shop"}}`,
		`{"otlp":1,"body":"{\"otlp\":1,\"attributes\":{\"client.address\":\"6.6.6.6\"}}"}`,
		`{"otlp":1,"body":null}`, `{"otlp":1}`,
	} {
		r := parse(t, Options{}, line)
		if r.Format != "otlp" || r.Text(record.SourceIP) != "" {
			t.Errorf("%s names %q as %s", line, r.Text(record.SourceIP), r.Format)
		}
	}
	r := parse(t, Options{}, `{"otlp":1,"time":"2026-11-28T08:00:00Z","body":12,"resource":{"host.name":"web-1","service.name":"cart"}}`)
	if r.Class != record.Unparsed || r.Text(record.HostName) != "web-1" || r.Text(record.ProcessName) != "cart" || r.Time.IsZero() {
		t.Errorf("a record that nobody knows: %s", shown(r))
	}
}
