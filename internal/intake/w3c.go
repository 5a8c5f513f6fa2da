package intake

import (
	"strings"
	"time"

	"tocsin/internal/record"
)

const (
	maxColumns    = 64 // of one header line; a longer one is not read
	maxColumnName = 64 // bytes
)

// readW3C reads the W3C extended log file format (its working draft WD-logfile-960323) as IIS and HTTP.sys write it. A #Fields line
// names the columns of the lines behind it; without one none is read. The times are UTC, blanks in values are "+".
func readW3C(p *Parser, st *stream, r *record.Record, s string, _ time.Time) bool {
	if s[0] == '#' {
		return w3cHeader(st, r, s)
	}
	if len(st.Fields) == 0 || !w3cColumns(st.Fields) || edgeColumns(st.Fields) {
		return false
	}
	l := newW3C("iis")
	if !l.columns(r, st.Fields, s, ' ') {
		return false
	}
	l.millis = true
	l.plus()
	return l.finish(p, r)
}

// readCloudFront reads the standard log of AWS's CloudFront (Amazon CloudFront Developer Guide, Standard logging reference): version 1 and the
// W3C form of version 2 with tabs, and version 2 as JSON, with the same names. Values are percent-encoded once more than they came.
func readCloudFront(p *Parser, st *stream, r *record.Record, s string, _ time.Time) bool {
	switch {
	case s[0] == '#':
		return edgeHeader(st, r, s)
	case s[0] == '{':
		return strings.Contains(s, `"cs-uri-stem"`) && p.onlyJSON(s) && p.jsonProgram() == cloudFrontJSON && p.cloudFront(r)
	case strings.Count(s[:min(len(s), 64)], "\t") < 3:
		return false
	}
	names := st.Fields
	if !edgeColumns(names) {
		names = cloudFrontColumns
	}
	l := newW3C("aws")
	if !l.columns(r, names, s, '\t') {
		return false
	}
	l.decode()
	return l.finish(p, r)
}

// cloudFrontColumns are those of version 1, in their order. Never changed.
var cloudFrontColumns = strings.Fields(`date time x-edge-location sc-bytes c-ip cs-method cs(Host) cs-uri-stem sc-status cs(Referer) cs(User-Agent)
	cs-uri-query cs(Cookie) x-edge-result-type x-edge-request-id x-host-header cs-protocol cs-bytes time-taken x-forwarded-for ssl-protocol ssl-cipher
	x-edge-response-result-type cs-protocol-version fle-status fle-encrypted-fields c-port time-to-first-byte x-edge-detailed-result-type
	sc-content-type sc-content-len sc-range-start sc-range-end`)

func (p *Parser) cloudFront(r *record.Record) bool {
	l := newW3C("aws")
	for _, m := range p.pairs {
		if m.kind != jsonNull && !l.set(m.key, m.text) && m.text != "-" {
			extra(r, m.key, m.typed())
		}
	}
	l.decode()
	return l.finish(p, r)
}

func w3cHeader(st *stream, r *record.Record, s string) bool {
	names, ok := strings.CutPrefix(s, "#Fields:")
	if !ok {
		for _, start := range []string{"#Software: Microsoft", "#Version: 1.0", "#Version: 2.0", "#Date: ", "#Start-Date: ", "#End-Date: ", "#Remark: "} {
			if strings.HasPrefix(s, start) {
				r.Class = record.Header
				return true
			}
		}
		return false
	}
	list, ok := columnNames(strings.Fields(names))
	if !ok || edgeColumns(list) {
		return false
	}
	st.Fields = list
	r.Class = record.Header
	return true
}

func edgeHeader(st *stream, r *record.Record, s string) bool {
	names, ok := strings.CutPrefix(s, "#Fields:")
	if !ok {
		return false
	}
	list, ok := columnNames(strings.Fields(names))
	if !ok || !edgeColumns(list) {
		return false
	}
	st.Fields = list
	r.Class = record.Header
	return true
}

// columnNames keeps the names of a header line, apart from the line. It reports false for more, or longer ones, than a log has.
func columnNames(names []string) ([]string, bool) {
	if len(names) == 0 || len(names) > maxColumns {
		return nil, false
	}
	out := make([]string, len(names))
	for i, n := range names {
		if len(n) > maxColumnName || !printable(n) {
			return nil, false
		}
		out[i] = strings.Clone(n)
	}
	return out, true
}

// printable knows names that a snapshot gives back as they were: printing characters of ASCII.
func printable(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

// edgeColumns tells CloudFront's columns from a server's.
func edgeColumns(names []string) bool { return hasColumn(names, "x-edge-location") }

// w3cColumns tells a web server's columns from those of other programs that write the same format.
func w3cColumns(names []string) bool {
	return hasColumn(names, "c-ip") || hasColumn(names, "cs-method")
}

func hasColumn(names []string, name string) bool {
	for _, n := range names {
		if n == name {
			return true
		}
	}
	return false
}

// A w3cLine is a line of the format, by its names.
type w3cLine struct {
	q           request
	date, clock string
	millis      bool   // time-taken is in milliseconds, as IIS has it, not in seconds
	epoch       string // timestamp(ms)
	destIP      string
	destPort    string
}

func newW3C(product string) w3cLine {
	service := "access"
	if product == "aws" {
		service = "cloudfront"
	}
	return w3cLine{q: newRequest(product, service), date: "-", clock: "-", epoch: "-", destIP: "-", destPort: "-"}
}

// columns sets the values of a line. It reports false unless there are as many as names.
func (l *w3cLine) columns(r *record.Record, names []string, s string, by byte) bool {
	if strings.Count(s, string(by)) != len(names)-1 {
		return false
	}
	for _, name := range names {
		i := strings.IndexByte(s, by)
		value := s
		if i >= 0 {
			value, s = s[:i], s[i+1:]
		}
		if !l.set(name, value) && value != "-" {
			if v, ok := number(value); ok {
				extra(r, name, v)
			} else {
				extra(r, name, record.Text(value))
			}
		}
	}
	return true
}

// set takes a value that has a field. It reports false for the others.
func (l *w3cLine) set(name, value string) bool {
	to := l.field(name)
	if to == nil {
		return false
	}
	if name == "x-host-header" && value != "-" {
		*to = value // what the viewer asked for, behind the distribution's own name
		return true
	}
	first(to, value)
	return true
}

func (l *w3cLine) field(name string) *string {
	switch name {
	case "date":
		return &l.date
	case "time":
		return &l.clock
	case "timestamp(ms)":
		return &l.epoch
	case "c-ip":
		return &l.q.peer
	case "c-port":
		return &l.q.port
	case "s-ip":
		return &l.destIP
	case "s-port":
		return &l.destPort
	case "cs-method":
		return &l.q.method
	case "cs-uri-stem", "cs-uri":
		return &l.q.url
	case "cs-uri-query":
		return &l.q.query
	case "cs-username":
		return &l.q.user
	case "cs(User-Agent)":
		return &l.q.agent
	case "cs(Referer)":
		return &l.q.referrer
	case "cs(Cookie)":
		return &l.q.cookie
	case "cs-version", "cs-protocol-version":
		return &l.q.version
	case "sc-status":
		return &l.q.status
	case "sc-bytes":
		return &l.q.bytes
	case "time-taken":
		return &l.q.duration
	case "cs-host", "cs(Host)", "x-host-header":
		return &l.q.host
	case "x-forwarded-for", "X-Forwarded-For", "cs(X-Forwarded-For)":
		return &l.q.forwarded
	}
	return nil
}

// plus undoes IIS's way to write blanks.
func (l *w3cLine) plus() {
	for _, s := range []*string{&l.q.agent, &l.q.referrer, &l.q.cookie, &l.q.forwarded} {
		*s = strings.ReplaceAll(*s, "+", " ")
	}
}

// decode undoes CloudFront's way to write what would break the line.
func (l *w3cLine) decode() {
	for _, s := range []*string{&l.q.agent, &l.q.referrer, &l.q.cookie, &l.q.url, &l.q.query, &l.q.forwarded} {
		*s, _ = percentDecode(*s, len(*s))
	}
}

func (l *w3cLine) finish(p *Parser, r *record.Record) bool {
	if host, _ := splitPort(l.q.peer); l.q.peer != "-" && !p.placeOf(host).ok || l.q.status != "-" && !isWhole(l.q.status) {
		return false // as many columns by chance
	}
	t, rest, ok := isoTime(l.date+" "+l.clock, time.UTC)
	if !ok || rest != "" {
		if t, ok = textTime(l.epoch, time.UTC); !ok && (l.date != "-" || l.clock != "-") {
			return false
		}
	}
	if l.millis {
		l.q.durationUnit = 1e6
	}
	if !p.access(r, &l.q) {
		// HTTP.sys tells of connections without a request.
		if _, told := r.Named("s-reason"); !told {
			return false
		}
		r.Class = record.Parsed
		r.Source = record.LogSource{Categories: webCategory, Product: l.q.product, Service: l.q.service}
		act(r, "connect")
		p.client(r, l.q.peer, "")
		setPort(r, record.SourcePort, l.q.port)
	}
	if reason, told := r.Named("s-reason"); told {
		r.Set(record.EventReason, reason)
	}
	p.destination(r, l.destIP)
	setPort(r, record.DestinationPort, l.destPort)
	r.Time = t
	return true
}
