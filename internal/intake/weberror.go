package intake

import (
	"strings"
	"time"

	"tocsin/internal/record"
)

// errorSource is the log source of an error log. SigmaHQ's rules for it name the server as the service.
func errorSource(product string) record.LogSource {
	return record.LogSource{Categories: webCategory, Product: product, Service: product}
}

// readNginxError reads "2022/04/02 15:45:23 [error] 8#8: *15950 text, client: 1.2.3.4, server: x, request: "GET / HTTP/1.1"".
func readNginxError(p *Parser, st *stream, r *record.Record, s string, _ time.Time) bool {
	t, rest, ok := slashTime(s, p.zone)
	if !ok || !strings.HasPrefix(rest, " [") {
		return false
	}
	level, rest, ok := strings.Cut(rest[2:], "] ")
	if !ok || len(level) > 10 {
		return false
	}
	process, text, ok := strings.Cut(rest, ": ")
	pid, thread, hash := strings.Cut(process, "#")
	if _, isNumber := whole(pid); !ok || !hash || !isNumber || len(thread) > 18 {
		return false
	}
	if strings.HasPrefix(text, "*") {
		connection, after := word(text[1:])
		if _, isNumber := whole(connection); isNumber {
			text = after
			extra(r, "nginx.connection", connectionID(connection))
		}
	}
	r.Grow(20)
	r.Time = t
	r.Class = record.Parsed
	st.Product = "nginx"
	r.Source = errorSource("nginx")
	setInt(r, record.ProcessPID, pid)
	extra(r, "log.level", record.Text(level))
	r.Set(record.Message, record.Text(text))
	act(r, "notice")
	p.nginxContext(r, text)
	nginxText(r, text)
	return true
}

// nginxContext reads what nginx appends: ", client: 1.2.3.4, server: x, request: "...", host: "..."". The text before it
// and the request in it are the client's own and not escaped, so an address counts only when the line names no other.
func (p *Parser) nginxContext(r *record.Record, text string) {
	const mark = ", client: "
	addr, at := "", -1
	for from := 0; ; {
		i := strings.Index(text[from:], mark)
		if i < 0 {
			break
		}
		i += from
		from = i + len(mark)
		found, _ := word(text[from:])
		found = strings.TrimSuffix(found, ",")
		if addr != "" && found != addr {
			return
		}
		if addr == "" {
			addr, at = found, i
		}
	}
	if at < 0 {
		// "client 1.2.3.4:53044 connected to 0.0.0.0:25"
		if rest, ok := strings.CutPrefix(text, "client "); ok {
			if peer, to, ok := strings.Cut(rest, " connected to "); ok {
				act(r, "connect")
				p.client(r, peer, "")
				p.destination(r, to)
			}
		}
		return
	}
	p.client(r, addr, "")
	r.Set(record.Message, record.Text(text[:at]))
	context := text[at+len(mark):]
	if _, rest, ok := strings.Cut(context, ", server: "); ok {
		server, _, _ := strings.Cut(rest, ", ")
		if server != "" {
			extra(r, "nginx.server", record.Text(server))
		}
	}
	if request, ok := nginxQuoted(context, ", request: \""); ok {
		setRequest(r, request)
	}
	// Host and referrer come last: what stands before them may be in the request.
	if i := strings.LastIndex(context, "\", referrer: \""); i >= 0 {
		referrer, _ := nginxQuoted(context[i:], ", referrer: \"")
		r.SetText(record.HTTPReferrer, referrer)
		context = context[:i+1]
	}
	if i := strings.LastIndex(context, ", host: \""); i >= 0 {
		host, _ := nginxQuoted(context[i:], ", host: \"")
		name, _ := splitPort(host)
		r.SetText(record.URLDomain, name)
		context = context[:i]
	}
	if i := strings.LastIndex(context, ", upstream: \""); i >= 0 {
		upstream, _ := nginxQuoted(context[i:], ", upstream: \"")
		extra(r, "nginx.upstream", record.Text(upstream))
	}
	if login, ok := nginxQuoted(context, ", login: \""); ok {
		r.Set(record.UserName, record.Text(login))
	}
}

// nginxQuoted reads a quoted part of the context. It ends at the quote that a comma or the end follows.
func nginxQuoted(s, start string) (string, bool) {
	i := strings.Index(s, start)
	if i < 0 {
		return "", false
	}
	s = s[i+len(start):]
	if j := strings.Index(s, `", `); j >= 0 {
		return s[:j], true
	}
	return strings.TrimSuffix(s, `"`), true
}

// nginxText reads refused passwords (of the basic authentication module, and of the mail proxy), files and limits.
func nginxText(r *record.Record, text string) {
	switch {
	case strings.HasPrefix(text, `open() "`):
		if path, ok := between(text, `"`, `" failed (`); ok {
			setFile(r, path)
		}
	case strings.HasPrefix(text, "limiting requests"), strings.HasPrefix(text, "limiting connections"):
		act(r, "throttle")
	case strings.HasPrefix(text, "client login failed: "):
		signIn(r, "login", "failure", mailRealm)
		reason, _ := between(text, `: "`, `" while `)
		r.Set(record.EventReason, record.Text(reason))
	case strings.HasPrefix(text, "client logged in"):
		signIn(r, "login", "success", mailRealm)
	case strings.HasPrefix(text, `user "`):
		user, rest, ok := strings.Cut(text[len(`user "`):], `": password mismatch`)
		if !ok {
			user, rest, ok = strings.Cut(text[len(`user "`):], `" was not found in "`)
		}
		if !ok || rest == "" {
			return
		}
		signIn(r, "login", "failure", adminRealm)
		r.Source.Categories = webSignIn
		r.Set(record.UserName, record.Text(user))
	}
}

var webSignIn = []string{"webserver", "authentication"}

// readApacheError reads "[Fri Oct 08 17:08:41.203277 2021] [core:error] [pid 7005:tid 1] [client 1.2.3.4:14532] AH00126: text".
func readApacheError(p *Parser, st *stream, r *record.Record, s string, _ time.Time) bool {
	if s[0] != '[' {
		return false
	}
	t, rest, ok := ctime(s[1:], p.zone)
	if !ok || !strings.HasPrefix(rest, "] [") {
		return false
	}
	rest = rest[2:]
	r.Grow(18)
	r.Time = t
	st.Product = "apache"
	r.Source = errorSource("apache")
	act(r, "notice")
	for part := 0; part < 6 && strings.HasPrefix(rest, "["); part++ {
		inner, after, ok := apacheGroup(rest)
		if !ok {
			break
		}
		name, value := word(inner)
		rest = after
		switch {
		case part == 0:
			apacheLevel(r, inner)
		case name == "pid":
			pid, tid, _ := strings.Cut(value, ":tid ")
			setInt(r, record.ProcessPID, pid)
			if n, ok := whole(tid); ok {
				extra(r, "process.thread.id", record.Int(n, tid))
			}
			rest = withoutSource(rest)
		}
		if name == "client" || name == "remote" {
			p.client(r, value, "")
			break // what follows may be the client's text
		}
		if part == 0 {
			rest = withoutSource(rest) // 2.2 has no process
		}
	}
	r.Class = record.Parsed
	if i := strings.LastIndex(rest, ", referer: "); i >= 0 {
		r.SetText(record.HTTPReferrer, unescape(rest[i+len(", referer: "):]))
		rest = rest[:i]
	}
	r.Set(record.Message, record.Text(rest))
	if code, text, ok := strings.Cut(rest, ": "); ok && len(code) == 7 && strings.HasPrefix(code, "AH") {
		r.Set(record.EventCode, record.Text(code))
		rest = text
	}
	p.apacheText(r, rest)
	return true
}

// apacheLevel splits "core:error"; 2.2 has the level alone.
func apacheLevel(r *record.Record, s string) {
	module, level, ok := strings.Cut(s, ":")
	if !ok {
		module, level = "", s
	}
	extra(r, "log.level", record.Text(level))
	if module != "" && module != "-" {
		extra(r, "apache.module", record.Text(module))
	}
}

// withoutSource takes "core.c(123): " and "(13)Permission denied: " off what stands before "[client", where the server puts them
// (ErrorLogFormat, %F and %E).
func withoutSource(s string) string {
	i := strings.Index(s[:min(len(s), 200)], ": [client ")
	if i < 0 {
		return s
	}
	if before := s[:i]; strings.HasPrefix(before, "(") || strings.HasSuffix(before, ")") || strings.Contains(before, "): (") {
		return s[i+len(": "):]
	}
	return s
}

// apacheGroup takes "[...] " off s. An IPv6 client has brackets of its own.
func apacheGroup(s string) (inner, rest string, ok bool) {
	depth := 0
	for i := 0; i < min(len(s), 200); i++ {
		switch s[i] {
		case '[':
			depth++
		case ']':
			if depth--; depth == 0 {
				return s[1:i], strings.TrimPrefix(s[i+1:], " "), true
			}
		}
	}
	return "", "", false
}

func (p *Parser) apacheText(r *record.Record, text string) {
	if rest, ok := strings.CutPrefix(text, "Invalid URI in request "); ok {
		setRequest(r, strings.TrimSuffix(unescape(rest), " "))
		return
	}
	for _, start := range []string{"File does not exist: ", "client denied by server configuration: ", "script not found or unable to stat: "} {
		if path, ok := strings.CutPrefix(text, start); ok {
			setFile(r, unescape(path))
			return
		}
	}
	rest, ok := strings.CutPrefix(text, "user ")
	if !ok {
		return
	}
	user, reason, ok := strings.Cut(rest, ": authentication failure for ")
	if !ok {
		if user, reason, ok = strings.Cut(rest, " not found: "); !ok {
			return
		}
	}
	signIn(r, "login", "failure", adminRealm)
	r.Source.Categories = webSignIn
	r.Set(record.UserName, record.Text(unescape(user)))
	r.Set(record.EventReason, record.Text(reason))
}
