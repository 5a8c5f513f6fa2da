package intake

import (
	"cmp"
	"strings"
	"time"

	"tocsin/internal/record"
)

// A phrase is how a program says in its log that somebody signed in, or could not. Its mark is text that the program
// itself writes; account and address are looked for from there on.
//
// What a client typed may hold the same words: so a part says on which side of the client's text the program puts it.
// Where neither side is sure, a line with the words twice has no address.
type phrase struct {
	programs string // names in the header of syslog, with blanks between; "" for a log of its own that begins with a date
	mark     string // text that must be there; "^" before it: at the start of the message
	also     string // further text that must be there, or ""
	single   string // text that may be there but once: a client's would make two
	whole    bool   // account and address may stand before the mark
	action   string // event.action; "" is login
	outcome  string // event.outcome
	realm    record.Value
	user     part
	addr     part
}

// A part of a message stands between two texts. An empty after ends it at the next blank.
type part struct {
	before, after string
	side          side
}

// A side says which of several places is meant.
type side uint8

const (
	only  side = iota // there may be but one
	ahead             // the program writes it before what the client typed
	last              // the program writes it after what the client typed
)

// in finds the part in text.
func (x part) in(text string) (string, bool) {
	i := 0
	switch {
	case x.before == "" && x.after == "":
		return "", false
	case x.before == "":
	case x.side == last:
		i = strings.LastIndex(text, x.before)
	default:
		i = strings.Index(text, x.before)
		if x.side == only && i >= 0 && strings.Contains(text[i+len(x.before):], x.before) {
			return "", false
		}
	}
	if i < 0 {
		return "", false
	}
	text = text[i+len(x.before):]
	if x.after == "" {
		s, _ := word(text)
		return s, true
	}
	s, _, ok := strings.Cut(text, x.after)
	return s, ok
}

// says reports whether a message has the wording, and from where its parts are looked for.
func (w *phrase) says(text string) (string, bool) {
	if start, ok := strings.CutPrefix(w.mark, "^"); ok {
		if !strings.HasPrefix(text, start) {
			return "", false
		}
	} else {
		i := strings.Index(text, w.mark)
		if i < 0 {
			return "", false
		}
		if !w.whole {
			text = text[i:]
		}
	}
	return text, w.also == "" || strings.Contains(text, w.also)
}

// ownWords reports whether the mark may be the program's. In a log that has no program's name, what stands between the date and
// the mark must be such as loggers write (a level, a source file, logfmt pairs, the address of a peer): words behind a request,
// a quote that is not of msg=, or another address are a client's.
func (w *phrase) ownWords(text string) bool {
	if strings.HasPrefix(w.mark, "^") {
		return true
	}
	head := text[:strings.Index(text, w.mark)]
	if w.whole { // the program's text begins before the mark
		if strings.HasPrefix(strings.TrimLeft(text, " +-0123456789"), "] info [") {
			return true // cPanel writes the peer, then the request, then what became of it
		}
		return !strings.Contains(head, "?") && !strings.Contains(head, "HTTP/")
	}
	if quote := strings.LastIndexByte(head, '"'); quote >= 0 && !strings.HasSuffix(head[:quote], "msg=") && !strings.HasSuffix(head[:quote], "message=") {
		return false
	}
	return !strings.ContainsAny(head, "?&") && !strings.Contains(head, " /") && !strings.Contains(head, "HTTP/") && !dotted(head)
}

// dotted reports whether s has an IPv4 address in it.
func dotted(s string) bool {
	dots, digits := 0, 0
	for i := range len(s) {
		switch c := s[i]; {
		case c-'0' <= 9:
			if digits++; dots == 3 {
				return true
			}
		case c == '.' && digits > 0:
			dots, digits = dots+1, 0
		default:
			dots, digits = 0, 0
		}
	}
	return false
}

// wrote reports whether the wording is one of this program's.
func (w *phrase) wrote(program string) bool {
	for name := range strings.FieldsSeq(w.programs) {
		if name == program {
			return true
		}
	}
	return false
}

// worded reads a message in one of the wordings of a program, or, with program "", of a log that has no program's name. A
// message that has several, which name different addresses, has none: one of them is the client's.
func (p *Parser) worded(r *record.Record, program, text string) bool {
	var is *phrase
	from, addr := "", ""
	for i := range wordings {
		w := &wordings[i]
		if w.programs != "" && !w.wrote(cmp.Or(program, "*")) {
			continue
		}
		rest, ok := w.says(text)
		if !ok || w.single != "" && strings.Count(text, w.single) > 1 || program == "" && !w.ownWords(text) {
			continue
		}
		found, ok := w.addr.in(rest)
		if ok {
			found = tidyAddress(found)
			host, _ := splitPort(found)
			ok = p.placeOf(host).ok
		}
		switch {
		case is == nil:
			is, from = w, rest
			if ok {
				addr = found
			}
		case ok && found != addr:
			p.wordingSet(r, is, "", "")
			return true
		}
	}
	if is == nil {
		return false
	}
	p.wordingSet(r, is, from, addr)
	return true
}

func (p *Parser) wordingSet(r *record.Record, w *phrase, text, addr string) {
	if w.action == "" {
		signIn(r, "login", w.outcome, w.realm)
	} else {
		act(r, w.action)
		r.Set(record.EventOutcome, record.Text(w.outcome))
	}
	if user, ok := w.user.in(text); ok {
		r.SetText(record.UserName, strings.Trim(strings.TrimRight(user, ".,"), `'"`))
	}
	p.client(r, addr, "")
}

// tidyAddress takes off what programs write around an address: quotes or brackets, a port behind two colons, "IPV4/UDP/" and
// "/5060", "host/", a full stop or comma behind.
func tidyAddress(s string) string {
	s = strings.TrimRight(strings.Trim(s, `'"()[]<>`), ".,;:)]'\"")
	if rest, ok := strings.CutPrefix(s, "IPV"); ok {
		if parts := strings.Split(rest, "/"); len(parts) > 2 {
			s = parts[2]
		}
	}
	if host, port, ok := strings.Cut(s, "::"); ok && strings.Count(host, ".") == 3 {
		s = host + ":" + port
	}
	return s[strings.LastIndexByte(s, '/')+1:]
}

// wordedMember reads the message of an application's object. Nextcloud and ownCloud log objects, with a "reqId", and put the
// address that counts behind a proxy into the message. Other applications may write there what a client typed.
func (p *Parser) wordedMember(r *record.Record) {
	named := false
	for i := range p.pairs {
		named = named || p.pairs[i].key == "reqId"
	}
	if !named {
		return
	}
	for _, f := range []record.Field{record.Message, record.EventCode} {
		if text := r.Text(f); strings.HasPrefix(text, "Login failed: ") && strings.Contains(text, " (Remote IP: ") {
			p.worded(r, "nextcloud", text)
		}
	}
}

// drupal reads "base|time|type|address|request|referrer|uid|link|message" (the syslog module). A request or a referrer may
// hold any text but is no message: that stands behind the last "|".
func (p *Parser) drupal(r *record.Record, text string) bool {
	parts := strings.SplitN(text, "|", 5)
	if len(parts) < 5 || parts[2] != "user" {
		return false
	}
	message := text[strings.LastIndexByte(text, '|')+1:]
	for _, w := range [...]struct{ start, outcome string }{{"Login attempt failed ", "failure"}, {"Session opened for ", "success"}} {
		if rest, ok := strings.CutPrefix(message, w.start); ok {
			signIn(r, "login", w.outcome, systemRealm)
			rest = strings.TrimPrefix(rest, "for ")
			if !strings.HasPrefix(rest, "from ") {
				r.SetText(record.UserName, strings.TrimSuffix(rest, "."))
			}
			p.client(r, parts[3], "")
			return true
		}
	}
	return false
}

// readWorded reads the log of a program that begins its lines with a date and tells of sign-ins in one of the known
// wordings. Other lines of such a log are not known here.
func readWorded(p *Parser, _ *stream, r *record.Record, s string, hint time.Time) bool {
	// Behind a header of syslog the program's name says which wordings are its own.
	if m, _, ok := p.syslogHeader(s, hint); ok && m.program != "" {
		return false
	}
	t, text, ok := p.wordedStamp(s, hint)
	if !ok {
		return false
	}
	if !p.eximLine(r, text) && !p.dovecotLine(r, text) && !p.worded(r, "", text) {
		return false
	}
	r.Time = t
	r.Class = record.Parsed
	r.Set(record.Message, record.Text(strings.TrimLeft(text, " ")))
	r.Source.Product = "linux"
	return true
}

// wordedStamp reads the date at the start of a line, bare, in brackets, or as a logfmt pair (t=, ts=, time=).
func (p *Parser) wordedStamp(s string, hint time.Time) (t time.Time, rest string, ok bool) {
	if i := strings.Index(s[:min(len(s), 80)], " | "); i >= 0 {
		s = strings.TrimLeft(s[i+len(" | "):], " ")
	}
	for _, start := range []string{"time=", "ts=", "t=", "<W>", "[", `"`} {
		s = strings.TrimPrefix(s, start)
	}
	if len(s) < 12 {
		return t, "", false
	}
	if t, rest, ok = isoTime(s, p.zone); ok {
		return t, rest, true
	}
	if t, rest, ok = slashTime(s, p.zone); ok {
		return t, rest, true
	}
	if stamp, rest, ok := shortStamp(s); ok {
		t, _ = stamp.near(hint, p.zone)
		return t, rest, true
	}
	if s[8] == '-' { // xrdp: 20210506-10:00:00
		st := stamp{year: four(s, 0), month: two(s, 4), day: two(s, 6)}
		if rest, ok = st.hms(s[9:]); ok {
			t, ok = st.in(p.zone)
			return t, rest, ok
		}
	}
	return p.clockTime(s)
}

// readMongoDB reads the log of MongoDB 4.4 and later, an object with "t", "c" (component), "msg" and "attr".
func readMongoDB(p *Parser, _ *stream, r *record.Record, s string, _ time.Time) bool {
	if !strings.HasPrefix(s, `{"t":{"$date":"`) {
		return false
	}
	rest, ok := p.object(s)
	if !ok || strings.TrimSpace(rest) != "" {
		return false
	}
	member := map[string]string{}
	for _, q := range p.pairs {
		if _, had := member[q.key]; !had {
			member[q.key] = q.text
		}
	}
	t, _, ok := isoTime(member["t.$date"], p.zone)
	if !ok || member["msg"] == "" {
		return false
	}
	r.Time = t
	r.Class = record.Parsed
	r.Source = record.LogSource{Categories: []string{"database"}, Product: "mongodb"}
	r.SetText(record.Message, member["msg"])
	r.SetText(record.EventCode, member["id"])
	act(r, "notice")
	if member["c"] == "ACCESS" {
		switch {
		case strings.HasPrefix(member["msg"], "Authentication failed"):
			signIn(r, "login", "failure", databaseRealm)
		case strings.HasPrefix(member["msg"], "Authentication succeeded"), member["msg"] == "Successfully authenticated":
			signIn(r, "login", "success", databaseRealm)
		}
		r.Source.Categories = []string{"database", "authentication"}
		for _, name := range []string{"attr.principalName", "attr.user"} {
			if v := member[name]; v != "" {
				r.SetText(record.UserName, v)
				break
			}
		}
		r.SetText(record.EventReason, member["attr.result"])
	}
	for _, name := range []string{"attr.remote", "attr.client"} {
		if p.client(r, member[name], "") {
			break
		}
	}
	return true
}
