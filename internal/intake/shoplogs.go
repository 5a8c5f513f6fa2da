package intake

import (
	"strings"
	"time"

	"tocsin/internal/record"
)

// readWoo reads WooCommerce's log files (wc-logs, fatal-errors among them; its documentation, Logging in WooCommerce), which its class WC_Log_Handler
// formats:
//
//	2019-10-30T02:16:30+00:00 CRITICAL message CONTEXT: {"source":"fatal-errors"}
//	03-06-2018 @ 21:56:54 - message
//
// Other programs write lines that begin so: one is taken only with the file's name, with a context, or when it tells of a plug-in.
func readWoo(p *Parser, st *stream, r *record.Record, s string, _ time.Time) bool {
	if len(s) < 25 {
		return false
	}
	level, text := "", ""
	t, ok := time.Time{}, false
	if s[11] == '@' {
		t, text, ok = wooOld(s, p.zone)
	} else if s[10] == 'T' && (s[19] == '+' || s[19] == 'Z' || s[19] == '-') {
		var rest string
		if t, rest, ok = isoTime(s, time.UTC); ok {
			level, text = word(strings.TrimPrefix(rest, " "))
			ok = wooLevel(level)
		}
	}
	if !ok || !p.wooFile(st, text) {
		return false
	}
	r.Grow(16)
	r.Time = t
	message, context := text, ""
	if i := strings.LastIndex(text, " CONTEXT: {"); i >= 0 {
		message, context = text[:i], text[i+len(" CONTEXT: "):]
	}
	p.pairs = p.pairs[:0]
	if context != "" {
		if rest, ok := p.object(context); !ok || strings.TrimSpace(rest) != "" {
			p.pairs = p.pairs[:0]
		}
	}
	p.wooContext()
	p.shopMessage(r, message, "wordpress", "woocommerce")
	textExtra(r, "log.level", level)
	return true
}

// wooContext takes the addresses of a context for what they are: text that the message, which may be a client's, could have brought along, because
// the older log files have no context.
func (p *Parser) wooContext() {
	for i := range p.pairs {
		switch slotOf(p.pairs[i].key) {
		case slotClient, slotPeer, slotForwarded, slotPort:
			p.pairs[i].key = "woocommerce." + p.pairs[i].key
		}
	}
}

// wooOld reads "03-06-2018 @ 21:56:54 - message", as WooCommerce wrote it before its version 3.
func wooOld(s string, zone *time.Location) (t time.Time, text string, ok bool) {
	if s[2] != '-' || s[5] != '-' || s[10] != ' ' || s[12] != ' ' || s[21:24] != " - " {
		return t, "", false
	}
	at := stamp{year: four(s, 6), month: two(s, 0), day: two(s, 3)}
	rest, ok := at.hms(s[13:21])
	if !ok || rest != "" {
		return t, "", false
	}
	t, ok = at.in(zone)
	return t, s[24:], ok
}

func wooLevel(s string) bool {
	switch s {
	case "EMERGENCY", "ALERT", "CRITICAL", "ERROR", "WARNING", "NOTICE", "INFO", "DEBUG":
		return true
	}
	return false
}

func (p *Parser) wooFile(st *stream, text string) bool {
	return st.Format == "woocommerce" || len(p.formats) == 1 || strings.Contains(st.File, "wc-logs") || strings.Contains(st.File, "woocommerce") ||
		strings.Contains(st.File, "fatal-errors") || strings.Contains(text, " CONTEXT: {") || strings.Contains(text, "/wp-content/") ||
		strings.HasPrefix(text, "Uncaught ") || strings.HasPrefix(text, "====Start Log") || strings.Contains(text, "WC_")
}

// shopMessage sets what a shop's message tells, and what p.pairs, its context, adds.
func (p *Parser) shopMessage(r *record.Record, text, product, service string) {
	v := shopVerdict(text)
	if len(p.pairs) > 0 {
		p.keep(pair{"message", text, jsonText})
		f := p.sortedPairs()
		told := v
		p.appObject(r, &f, false)
		if told.action != "" {
			if told.outcome == "" {
				told.outcome = r.Text(record.EventOutcome)
			}
			v = told
		} else {
			v = verdict{r.Text(record.EventAction), r.Text(record.EventOutcome), r.Text(record.UserRealm)}
		}
		if v.realm == "" {
			v.realm = r.Text(record.UserRealm)
		}
	}
	v.set(r)
	r.Class = record.Parsed
	shopSource(r, product, service)
	if from, ok := strings.CutPrefix(text, "Back office connection from "); ok {
		address, _ := word(from)
		p.client(r, address, "")
	}
	shopFile(r, text)
	r.Set(record.Message, record.Text(text))
}

// readOpenCart reads OpenCart's error.log (its class Log): "2017-02-19 11:33:56 - PHP Notice:  Undefined index: x in /srv/a.php on line 84". Lines of
// other programs begin so too: the text must be PHP's, or the file OpenCart's.
func readOpenCart(p *Parser, st *stream, r *record.Record, s string, _ time.Time) bool {
	if len(s) < 21 || s[4] != '-' || s[10] != ' ' {
		return false
	}
	t, rest, ok := isoTime(s, p.zone)
	text, found := strings.CutPrefix(rest, " - ")
	if !ok || !found || text == "" {
		return false
	}
	kind, what, _ := strings.Cut(text, ":")
	kind, isPHP := strings.CutPrefix(kind, "PHP ")
	if !isPHP && st.Format != "opencart" && len(p.formats) != 1 && !strings.Contains(st.File, "opencart") && !strings.Contains(st.File, "storage/logs/error.log") {
		return false
	}
	r.Grow(12)
	r.Time = t
	p.pairs = p.pairs[:0]
	p.shopMessage(r, text, "opencart", "")
	if isPHP {
		extra(r, "log.level", record.Text(kind))
		r.SetText(record.EventReason, strings.TrimLeft(what, " "))
	}
	return true
}

// readPrestaShop reads PrestaShop's own logs: the files of its FileLogger (classes/log/FileLogger.php), and its table ps_log as
// `mysql --batch` and CSV exports print it, behind the line that names the columns:
//
//	*ERROR*  <tab>2022/05/12 - 11:02:33: message
//	id_log<tab>severity<tab>error_code<tab>message<tab>object_type<tab>object_id<tab>id_employee<tab>date_add<tab>date_upd
//
// What it writes with Monolog (var/logs/prod.log) is of the format monolog.
func readPrestaShop(p *Parser, st *stream, r *record.Record, s string, _ time.Time) bool {
	if s[0] == '*' {
		return p.prestaFile(r, s)
	}
	if names, ok := tableHeader(s); ok {
		if !hasColumn(names, "id_log") || !hasColumn(names, "message") || !hasColumn(names, "date_add") {
			return false
		}
		st.Fields = names
		r.Class = record.Header
		return true
	}
	if len(st.Fields) == 0 || !hasColumn(st.Fields, "id_log") {
		return false
	}
	cells, ok := tableCells(s, len(st.Fields))
	if !ok {
		return false
	}
	t, rest, ok := isoTime(cell(st.Fields, cells, "date_add"), p.zone)
	if !ok || rest != "" {
		return false
	}
	r.Grow(14)
	r.Time = t
	p.pairs = p.pairs[:0]
	p.shopMessage(r, cell(st.Fields, cells, "message"), "prestashop", "")
	if id := cell(st.Fields, cells, "id_employee"); id != "" && id != "0" && id != "NULL" {
		r.Set(record.UserName, record.Text(id))
	}
	for i, name := range st.Fields {
		switch name {
		case "message", "date_add", "date_upd", "id_employee":
		default:
			if cells[i] != "NULL" {
				textExtra(r, name, cells[i])
			}
		}
	}
	return true
}

func (p *Parser) prestaFile(r *record.Record, s string) bool {
	level, rest, ok := strings.Cut(s[1:], "* \t")
	switch level {
	case "DEBUG", "INFO", "WARNING", "ERROR":
	default:
		return false
	}
	if strings.HasPrefix(rest, "v") { // since 1.7.5 the version stands before the stamp
		_, rest, _ = strings.Cut(rest, "\t")
	}
	if !ok || len(rest) < 23 || rest[4] != '/' || rest[10:13] != " - " || rest[21:23] != ": " {
		return false
	}
	t, after, ok := slashTime(rest[:10]+rest[12:21], p.zone)
	if !ok || after != "" {
		return false
	}
	r.Grow(12)
	r.Time = t
	p.pairs = p.pairs[:0]
	p.shopMessage(r, rest[23:], "prestashop", "")
	extra(r, "log.level", record.Text(level))
	return true
}
