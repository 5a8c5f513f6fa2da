// Package intake turns a log line into a record: ECS field names, typed values.
//
// Parser.Parse never fails. It answers a record of one of five classes: Parsed (the message's own fields are set),
// Header, Continuation, Empty, and Unparsed (kept and counted). The format is found from the line's content; the
// format that read the last line of a file is tried first, because a file seldom changes its format. Options.As fixes
// it. Formats are a table of functions over the text of one line; each slices, none uses a regular expression.
//
// What the text says is hostile, what the logger put around it is not. So each format is anchored at the side that
// the logger wrote: sshd's and wp-fail2ban's address at the right end behind a free user name, a web server's at the
// left. Where a line can be read in two ways that name different addresses, source.ip stays missing: no address is
// better than a framed one. Two things cannot be told from the text alone: a logger that writes line feeds of a user's
// text unescaped (the MariaDB general log does inside statements), and a web server told to log X-Forwarded-For in
// place of the peer's address.
//
// Fields that rules use over all logs: event.action, event.outcome, user.realm, transfer.bytes, file.*, and the
// Record's log source. One failed sign-in counts once within one log: sshd's and sudo's own line is
// event.action=login, PAM's line beside it is pam-auth. Services that leave only PAM's line in that log (vsftpd,
// proftpd, dovecot) get login from PAM. "message repeated N times" and "PAM N more authentication failures" carry N
// in the extra field "repeat".
//
// JSON is read by what its names mean (json.go), unless they are those of one program (namedjson.go). What no format knows, a Mapping of the
// user's tells. A line of a file that CloudTrail delivered holds many events: who reads lines takes them apart with Parts or Unwrap.
//
// A Parser keeps, per host and file, the format, the time of the last line, the names of columns that a header line gave, the entry of a
// slow query log that goes on, and counts; that state is its Snapshot.
// It reads no clock: a stamp without year is placed by the caller's hint. It is not safe for concurrent use.
package intake

import (
	"fmt"
	"net/netip"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"tocsin/internal/record"
)

// Options say how lines are read. The zero value finds formats by content and takes stamps without zone as UTC.
type Options struct {
	As      string         // one of Formats(); "" finds the format from the content
	Geo     *Geo           // place and owner of addresses; nil sets none
	Trusted []netip.Prefix // proxies whose X-Forwarded-For is believed
	Zone    *time.Location // of stamps that name no zone; nil is UTC
	Maps    []Mapping      // of JSON that no format knows; tried first, in this order
}

// A Parser reads lines of many files. One goroutine at a time may use it.
type Parser struct {
	o       Options
	formats []format
	maps    int // how many of the formats, the first ones, are mappings
	geo     *Geo
	trusted []netip.Prefix
	zone    *time.Location

	streams map[streamKey]*stream
	key     streamKey // of the last line, so that a run of lines of one file costs no look-up
	stream  *stream

	places map[string]place // what is known of an address text, at most maxPlaces
	pairs  []pair           // of the JSON object being read, reused

	quick  bool // lines in the usual form are read by readQuick
	stamp  [clfLen]byte
	at     time.Time // of stamp
	derive func(*record.Record, record.Field)
	layout *record.Layout // of what readQuick reads
}

// A reader reads text, the line without byte order mark and line end, into r. It reports false when the line is not
// of its format; what it has set by then is thrown away.
type reader func(p *Parser, st *stream, r *record.Record, text string, hint time.Time) bool

// A format is one way to write a log.
type format struct {
	name  string
	read  reader
	lines bool // an entry may go on over further lines
	sole  bool // once a file is of this format, none of its lines is tried as another
}

// The order matters where two formats could take one line: the stricter comes first.
func allFormats() []format {
	return []format{
		{name: "otlp", read: readOTLP},
		{name: "ftp-clf", read: readFTPCommon},
		{name: "traefik", read: readTraefik},
		{name: combinedName, read: readCombined},
		{name: "cloudflare", read: programJSON(cloudflareJSON, `"ClientRequest`)},
		{name: "traefik-json", read: programJSON(traefikJSON, `"RequestPath"`)},
		{name: "caddy", read: readCaddy},
		{name: "cloudtrail", read: programJSON(cloudTrailJSON, `"eventSource"`)},
		{name: "cloudfront", read: readCloudFront},
		{name: "aws-alb", read: readALB},
		{name: "haproxy", read: readHAProxy},
		{name: "journal-json", read: readJournal},
		{name: "postgres-json", read: readPostgresJSON},
		{name: "mongodb", read: readMongoDB},
		{name: "nginx-json", read: readWebJSON},
		{name: "app-json", read: readAppJSON, lines: true},
		{name: "mysql-general", read: readGeneral, lines: true, sole: true},
		{name: "mysql-slow", read: readSlow, lines: true, sole: true},
		{name: "mysql-error", read: readMySQLError, lines: true},
		{name: "postgres-csv", read: readPostgresCSV},
		{name: "postgres", read: readPostgres, lines: true},
		{name: "nginx-error", read: readNginxError, lines: true},
		{name: "apache-error", read: readApacheError, lines: true},
		{name: "monolog", read: readMonolog, lines: true},
		{name: "vsftpd", read: readVsftpd},
		{name: "xferlog", read: readXferlog},
		{name: "pure-ftpd", read: readPureFTPd},
		{name: "w3c", read: readW3C},
		{name: "woocommerce", read: readWoo, lines: true},
		{name: "opencart", read: readOpenCart, lines: true},
		{name: "prestashop", read: readPrestaShop, lines: true},
		{name: "magento-actions", read: readMagentoActions},
		{name: "auditd", read: readAuditd},
		{name: "guacamole", read: readGuacamole, lines: true},
		{name: "worded", read: readWorded},
		{name: "syslog", read: readSyslog},
	}
}

// Formats returns the names that Options.As may have, sorted.
func Formats() []string {
	all := allFormats()
	names := make([]string, len(all))
	for i, f := range all {
		names[i] = f.name
	}
	slices.Sort(names)
	return names
}

// New makes a parser. The error names the known formats when o.As is none of them.
func New(o Options) (*Parser, error) {
	p := &Parser{
		o:       o,
		formats: allFormats(),
		geo:     o.Geo,
		trusted: o.Trusted,
		zone:    o.Zone,
		streams: map[streamKey]*stream{},
		places:  map[string]place{},
	}
	if p.zone == nil {
		p.zone = time.UTC
	}
	p.derive, p.quick = p.follow, len(p.trusted) == 0
	var mapped []format
	for _, m := range o.Maps {
		w, err := newMapper(m, p.zone)
		if err != nil {
			return nil, err
		}
		mapped = append(mapped, format{name: mapPrefix + m.Name, read: w.read})
	}
	p.formats, p.maps = append(mapped, p.formats...), len(mapped)
	later := quickLater[:]
	if p.geo != nil {
		later = append(slices.Clone(later), record.SourceCountry, record.SourceContinent)
	}
	p.layout = record.NewLayout(quickFields[:], later)
	if o.As == "" {
		return p, nil
	}
	p.maps = 0
	for _, f := range p.formats {
		if f.name == o.As {
			p.formats = []format{f}
			return p, nil
		}
	}
	return nil, fmt.Errorf("no log format is called %q; known are %s", o.As, strings.Join(Formats(), ", "))
}

// Parse reads one line. hint places a stamp that has no year: the newest full date near the line (of its folder),
// else the file's time, else when the line was received; the year is the newest one that puts the stamp at most a day
// after the hint. A zero hint leaves such a line without a time.
//
// The order of the lines of one file matters, nothing else does. A panic in a format costs this line only: it is
// Unparsed then, and counted with its text in Counts.
func (p *Parser) Parse(l record.Line, hint time.Time) *record.Record {
	r := &record.Record{}
	p.ParseInto(r, l, hint)
	return r
}

// ParseInto is Parse into a record that the caller uses again for line after line: it allocates nothing for most of them. What
// the record held before is gone.
func (p *Parser) ParseInto(r *record.Record, l record.Line, hint time.Time) {
	st := p.streamOf(l.Host, l.File)
	if p.quick && st.Format == combinedName && len(l.Raw) < record.MaxLine && p.readQuick(st, r, &l) {
		st.count(r)
		return
	}
	r.Reset(l)
	if len(l.Raw) >= record.MaxLine {
		r.Line.Raw = l.Raw[:record.MaxLine]
		r.Cut = true
	}
	text := strings.TrimSuffix(strings.TrimPrefix(r.Line.Raw, "\ufeff"), "\r")
	switch {
	case strings.TrimSpace(text) == "":
		r.Class = record.Empty
	default:
		p.guarded(st, r, text, hint)
		p.views(r)
	}
	if r.Time.IsZero() {
		r.Time = st.lend()
	}
	st.count(r)
}

// guarded keeps a panic from costing more than its line.
func (p *Parser) guarded(st *stream, r *record.Record, text string, hint time.Time) {
	defer func() {
		if v := recover(); v != nil {
			blank(r)
			st.Panics++
			st.PanicText = panicText(v, debug.Stack())
		}
	}()
	p.read(st, r, text, hint)
}

// blank takes everything out of a record but its line.
func blank(r *record.Record) {
	cut := r.Cut
	r.Reset(r.Line)
	r.Cut = cut
}

// read tries the file's own format, then the others.
func (p *Parser) read(st *stream, r *record.Record, text string, hint time.Time) {
	if p.maps > 0 && text[0] == '{' && p.mapped(st, r, text, hint) {
		return
	}
	own := p.formatOf(st)
	if own >= 0 {
		if p.try(own, st, r, text, hint) {
			return
		}
		if p.formats[own].sole && st.Parsed > 0 {
			p.carryOn(own, st, r, text)
			return
		}
	}
	for i := p.maps; i < len(p.formats); i++ {
		// A line that hostile text started must not turn a file for good into one whose lines are never tried as others.
		if i == own || own >= 0 && p.formats[i].sole && !(p.formats[own].sole && st.Parsed == 0) {
			continue
		}
		if p.try(i, st, r, text, hint) {
			st.Format = p.formats[i].name
			return
		}
	}
	if own >= 0 {
		p.carryOn(own, st, r, text)
	}
}

// mapped tries the mappings. They come before the file's own format, which may be any program's JSON.
func (p *Parser) mapped(st *stream, r *record.Record, text string, hint time.Time) bool {
	for i := range p.maps {
		if p.try(i, st, r, text, hint) {
			st.Format = p.formats[i].name
			return true
		}
	}
	return false
}

// try reads text in one format, and leaves r as it was when that fails.
func (p *Parser) try(i int, st *stream, r *record.Record, text string, hint time.Time) bool {
	f := &p.formats[i]
	if !f.read(p, st, r, text, hint) {
		blank(r)
		return false
	}
	r.Format = f.name
	return true
}

// carryOn decides whether a line that nobody knows is more of the line before it.
func (p *Parser) carryOn(own int, st *stream, r *record.Record, text string) {
	f := &p.formats[own]
	if !f.lines || !st.Open {
		return
	}
	if f.sole || f.name == "nginx-error" || f.name == "woocommerce" || continues(text) {
		r.Class = record.Continuation
		r.Format = f.name
		r.SetText(record.Message, text)
	}
}

// continues knows the ways in which PHP, Java and databases go on with an entry.
func continues(text string) bool {
	switch text[0] {
	case ' ', '\t', '#', '}':
		return true
	}
	for _, start := range []string{"Stack trace:", "[stacktrace]", "Caused by:", "\"}", "Traceback "} {
		if strings.HasPrefix(text, start) {
			return true
		}
	}
	return false
}

func (p *Parser) formatOf(st *stream) int {
	if st.Format == "" {
		return -1
	}
	for i := range p.formats {
		if p.formats[i].name == st.Format {
			return i
		}
	}
	return -1
}
