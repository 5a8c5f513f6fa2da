package intake

import (
	"strconv"
	"strings"
	"time"

	"tocsin/internal/record"
)

// readTraefik reads Traefik's access log in its default form, an extended Common Log Format (its documentation, Access Logs):
//
//	client - user [time] "request" status bytes "referrer" "agent" count "router" "server" 2ms
//
// A status that was never sent is "-". The first field is the address of the connection, or what X-Forwarded-For says.
func readTraefik(p *Parser, _ *stream, r *record.Record, s string, _ time.Time) bool {
	if !strings.HasSuffix(s, "ms") {
		return false
	}
	head, t, rest, ok := clfHead(s)
	if !ok {
		return false
	}
	head = withoutContainer(head)
	line, rest, ok := quoted(rest)
	if !ok || !strings.HasPrefix(rest, " ") {
		return false
	}
	q := newRequest("traefik", "access")
	q.line, q.durationUnit = line, 1e6 // its URL is percent-encoded as Go does it, and nothing else is escaped
	q.status, rest = word(rest[1:])
	q.bodyBytes, rest = word(rest)
	if q.status != "-" && !httpStatus(q.status) || !strings.HasPrefix(rest, `"`) {
		return false
	}
	q.referrer, rest, ok = quoted(rest)
	agent := strings.TrimPrefix(rest, " ")
	if !ok || !strings.HasPrefix(agent, `"`) {
		return false
	}
	q.agent, rest, ok = quoted(agent)
	count, rest := word(strings.TrimPrefix(rest, " "))
	i := strings.LastIndexByte(rest, ' ')
	if !ok || !isWhole(count) || i < 0 || !strings.HasPrefix(rest, `"`) {
		return false
	}
	q.duration = strings.TrimSuffix(rest[i+1:], "ms")
	if !isWhole(q.duration) {
		return false
	}
	router, server, _ := strings.Cut(strings.Trim(rest[:i], `"`), `" "`)
	q.referrer, q.agent = unquoteGo(q.referrer), unquoteGo(q.agent)
	q.peer, rest = word(head)
	for hops := 0; strings.HasSuffix(q.peer, ",") && hops < maxHops; hops++ {
		var hop string
		hop, rest = word(rest)
		q.peer += " " + hop
	}
	_, q.user = word(rest)
	// A list in place of the client is a header that passed through other proxies: none of it counts, because no proxy is named.
	if strings.Contains(q.peer, ",") {
		q.forwarded, q.peer = q.peer, "-"
	}
	if !p.access(r, &q) {
		return false
	}
	r.Time = t
	for _, f := range []struct{ name, text string }{{"RequestCount", count}, {"RouterName", router}, {"ServiceURL", server}} {
		if f.text != "" && f.text != "-" {
			extra(r, f.name, record.Text(f.text))
		}
	}
	return true
}

// unquoteGo undoes what Go does to a text in quotes (strconv.Quote).
func unquoteGo(s string) string {
	if strings.IndexByte(s, '\\') < 0 {
		return s
	}
	if plain, err := strconv.Unquote(`"` + s + `"`); err == nil {
		return plain
	}
	return unescape(s)
}
