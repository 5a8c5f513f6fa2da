package intake

import (
	"strings"
	"time"

	"tocsin/internal/record"
)

// readALB reads the access log of AWS's Application Load Balancer (Elastic Load Balancing, Access logs for your Application Load
// Balancer): at least 29 fields between blanks, of which some stand in quotes. New ones come at the end.
//
//	type time elb client:port target:port t1 t2 t3 elb_status target_status received sent "request" "user_agent" cipher protocol target_group "trace" "domain" ...
//
// The URL is logged with scheme, host and port, which the balancer adds.
func readALB(p *Parser, _ *stream, r *record.Record, s string, _ time.Time) bool {
	kind, rest := word(s)
	switch kind {
	case "http", "https", "h2", "grpcs", "ws", "wss":
	default:
		return false
	}
	var f [11]string // time, elb, client, target, three times, two statuses, two sizes
	for i := range f {
		f[i], rest = word(rest)
	}
	t, after, ok := isoTime(f[0], time.UTC)
	if !ok || after != "" || !strings.HasPrefix(rest, `"`) || strings.IndexByte(f[2], ':') < 0 || f[7] != "-" && !isWhole(f[7]) {
		return false
	}
	q := newRequest("aws", "alb")
	q.local = true
	q.peer, q.status, q.upstreamStatus, q.bytes = f[2], f[7], f[8], f[10]
	q.duration, q.upstream = f[5], f[5]
	if total, ok := sum(f[4] + " " + f[5] + " " + f[6]); ok {
		nano := int64(total*1e9 + 0.5)
		r.Set(record.EventDuration, record.Int(nano, time.Duration(nano).String()))
	}
	q.duration = "-"
	q.line, rest, ok = quoted(rest)
	agent := strings.TrimPrefix(rest, " ")
	if !ok || !strings.HasPrefix(agent, `"`) {
		return false
	}
	q.agent, rest, _ = quoted(agent)
	q.line, q.agent = unescape(q.line), unescape(q.agent)
	if q.line == "- - -" || strings.HasPrefix(q.line, "- ") {
		q.line = "-" // a request that could not be read
	}
	if !p.access(r, &q) {
		r.Class = record.Parsed
		r.Source = record.LogSource{Categories: webCategory, Product: "aws", Service: "alb"}
		r.Set(record.EventAction, httpAction)
		p.client(r, q.peer, "")
	}
	r.Time = t
	extra(r, "type", record.Text(kind))
	textExtra(r, "elb", f[1])
	textExtra(r, "target:port", f[3])
	setExtraInt(r, "received_bytes", f[9])
	albTail(r, rest)
	return true
}

// albFields are those behind the user agent that say something of an attack; "" is passed over.
var albFields = [...]string{"ssl_cipher", "ssl_protocol", "", "trace_id", "domain_name", "", "matched_rule_priority", "", "actions_executed", "redirect_url", "error_reason",
	"", "", "classification", "classification_reason"}

func albTail(r *record.Record, s string) {
	for _, name := range albFields {
		s = strings.TrimLeft(s, " ")
		if s == "" {
			return
		}
		var text string
		if s[0] == '"' {
			text, s, _ = quoted(s)
		} else {
			text, s = word(s)
		}
		if name != "" {
			textExtra(r, name, text)
		}
	}
}
