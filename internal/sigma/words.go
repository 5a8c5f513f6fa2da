package sigma

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Words for people: fields, spans and figures as somebody would say them.

var fieldWords = map[string]string{
	"source.ip": "the address", "source.network": "the network", "source.geo.country_iso_code": "the country of the address",
	"source.geo.continent_code": "the continent of the address", "source.geo.city_name": "the town of the address",
	"source.as.number": "the provider (autonomous system)", "source.as.organization.name": "the provider", "source.port": "the port that it came from",
	"network.forwarded_ip": "the address that the proxy names", "destination.ip": "the address that was called", "destination.port": "the port that was called",
	"user.name": "the account", "user.realm": "the kind of account", "user.effective.name": "the account that it acted as",
	"host.name": "the host", "process.name": "the program", "process.command_line": "the command", "process.pid": "the number of the process",
	"event.action": "what was tried", "event.outcome": "the outcome", "event.reason": "the reason that the log gives", "event.code": "the application's name for it",
	"event.duration":      "how long it took",
	"http.request.method": "the method", "http.version": "the version of HTTP", "http.response.status_code": "the server's answer",
	"http.response.body.bytes": "the size of the answer in bytes", "http.response.bytes": "the size of the answer in bytes",
	"http.request.referrer": "the page before it (referrer)", "http.request.cookie": "the cookie",
	"user_agent.original": "the user agent",
	"url.original":        "the URL", "url.path": "the path", "url.query": "the query", "url.domain": "the host that was asked for",
	"url.extension": "the kind of file asked for", "url.decoded": "the URL, decoded,", "url.decoded_twice": "the URL, decoded twice,",
	"url.normal": "the URL, decoded and cleaned,", "url.marked": "the URL, decoded and cleaned,", "url.shell": "the URL, as a shell would read it,", "url.query.decoded": "the query, decoded,", "url.query.decoded_twice": "the query, decoded twice,",
	"url.query.normal": "the query, decoded and cleaned,", "http.request.referrer.decoded": "the page before it, decoded,",
	"http.request.referrer.decoded_twice": "the page before it, decoded twice,", "http.request.referrer.normal": "the page before it, decoded and cleaned,",
	"user_agent.original.decoded": "the user agent, decoded,", "user_agent.original.decoded_twice": "the user agent, decoded twice,",
	"user_agent.original.normal": "the user agent, decoded and cleaned,", "http.request.cookie.decoded": "the cookie, decoded,",
	"http.request.cookie.decoded_twice": "the cookie, decoded twice,", "http.request.cookie.normal": "the cookie, decoded and cleaned,",
	"upstream.status_code": "the answer of the server behind", "upstream.duration": "how long the server behind took",
	"session.id": "the session", "file.path": "the file", "file.name": "the name of the file", "file.extension": "the kind of file", "file.size": "the size of the file",
	"file.mime_type": "what the file says it is", "transfer.bytes": "the number of bytes moved",
	"payment.amount": "the amount", "payment.bin": "the issuer of the card (first digits)", "payment.last4": "the card (last digits)", "order.id": "the order",
	"code.text": "the code", "code.valid": "whether the code exists", "db.statement": "the SQL statement", "message": "the text of the line", "@timestamp": "the time",
}

// FieldWords names a field as a person would, the field itself where nobody has a word for it.
func FieldWords(name string) string {
	if w := fieldWords[name]; w != "" {
		return w
	}
	return name
}

// manyWords names several values of a field: "accounts (user.name)".
func manyWords(name string) string {
	many := map[string]string{"source.ip": "addresses", "source.network": "networks", "source.geo.country_iso_code": "countries", "source.geo.continent_code": "continents",
		"source.as.number": "providers", "user.name": "accounts", "session.id": "sessions", "url.path": "paths", "url.original": "URLs", "file.path": "files",
		"payment.last4": "cards", "payment.bin": "issuers of cards", "order.id": "orders", "code.text": "codes", "user_agent.original": "user agents",
		"host.name": "hosts"}[name]
	if many == "" {
		return "values of " + name
	}
	return many + " (" + name + ")"
}

// spanWords says a time span: "10 minutes", "an hour", "a day", "90 minutes".
func spanWords(d time.Duration) string {
	for _, u := range []struct {
		one, many string
		unit      time.Duration
	}{{"a day", "days", 24 * time.Hour}, {"an hour", "hours", time.Hour}, {"a minute", "minutes", time.Minute}, {"a second", "seconds", time.Second}} {
		switch {
		case d == u.unit:
			return u.one
		case d > u.unit && d%u.unit == 0:
			return fmt.Sprintf("%d %s", d/u.unit, u.many)
		}
	}
	return d.String()
}

// figure writes a number without an exponent, with commas between thousands: 20,000,000.
func figure(x float64) string {
	s := strconv.FormatFloat(x, 'f', -1, 64)
	whole, rest, point := strings.Cut(s, ".")
	sign := ""
	if strings.HasPrefix(whole, "-") {
		sign, whole = "-", whole[1:]
	}
	for i := len(whole) - 3; i > 0 && len(whole) > 4; i -= 3 {
		whole = whole[:i] + "," + whole[i:]
	}
	if point {
		rest = "." + rest
	}
	return sign + whole + rest
}

// sourceWords says which logs a log source is.
func (l LogSource) words() string {
	kinds := map[string]string{"webserver": "access logs of web servers", "authentication": "logs of sign-ins", "application": "logs of applications",
		"database": "logs of databases", "file_event": "logs of files (uploads, downloads, deletions)", "payment": "logs of payments"}
	what := kinds[l.Category]
	if what == "" {
		return "records of " + l.String()
	}
	for _, p := range []string{l.Product, l.Service} {
		if p != "" {
			what += ", " + p
		}
	}
	return what
}

const maxSaid = 80 // bytes of a rule's value that are shown

// cutWords cuts a value of a rule, as it is written there. A quoted one keeps its quotes.
func cutWords(s string) string {
	if len(s) <= maxSaid {
		return s
	}
	cut := strings.ToValidUTF8(s[:maxSaid], "") + "..."
	if s[0] == '\'' && s[len(s)-1] == '\'' {
		cut += "'"
	}
	return cut
}
