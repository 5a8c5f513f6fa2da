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

// readMagentoActions reads the Action Logs report of Adobe Commerce as it is exported to CSV (Adobe Commerce Admin Systems Guide, Action Logs
// report), behind the line that names the columns. Who saved a user may have made a new one: Commerce does not tell these apart.
func readMagentoActions(p *Parser, st *stream, r *record.Record, s string, _ time.Time) bool {
	if names, ok := tableHeader(s); ok {
		if !hasColumn(names, "action group") || !hasColumn(names, "full action name") || !hasColumn(names, "time") {
			return false
		}
		st.Fields = names
		r.Class = record.Header
		return true
	}
	if !hasColumn(st.Fields, "full action name") {
		return false
	}
	cells, ok := tableCells(s, len(st.Fields))
	if !ok {
		return false
	}
	get := func(name string) string { return cell(st.Fields, cells, name) }
	if r.Time, ok = p.gridTime(get("time")); !ok {
		return false
	}
	r.Grow(12)
	r.Class = record.Parsed
	name := lower(get("full action name"))
	action := magentoAction(name, lower(get("action group")), lower(get("action")))
	v := verdict{action: action, realm: "admin"}
	switch lower(get("result")) {
	case "success":
		v.outcome = "success"
	case "failure", "failed":
		v.outcome = "failure"
	}
	v.set(r)
	shopSource(r, "magento", "admin-actions")
	r.SetText(record.EventCode, get("full action name"))
	r.SetText(record.UserName, get("username"))
	if !p.client(r, get("ip address"), "") {
		textExtra(r, "source.address", get("ip address"))
	}
	textExtra(r, "magento.action_group", get("action group"))
	textExtra(r, "magento.action", get("action"))
	textExtra(r, "magento.details", get("details"))
	return true
}

// magentoAction says what an action of the administration does, by its route (module, controller, action) first.
func magentoAction(name, group, action string) string {
	switch {
	case strings.HasPrefix(name, "adminhtml_user_role_"):
		return "role-changed"
	case name == "adminhtml_user_delete":
		return "user-deleted"
	case strings.HasPrefix(name, "adminhtml_user_") && strings.HasSuffix(name, "save"):
		return "user-changed"
	case strings.HasPrefix(name, "adminhtml_system_config_save"), name == "adminhtml_system_config_savesection":
		return "settings-changed"
	case strings.Contains(name, "_export"), action == "export":
		return "export"
	case action == "login", strings.Contains(group, "sign in"):
		return "login"
	case action == "logout":
		return "logout"
	case action == "delete":
		return "delete"
	}
	return "admin-action"
}

// gridTime reads a stamp of Magento's grids: "2021-07-12 10:20:31", or in the words of the locale, "Jul 12, 2021, 10:20:31 AM".
func (p *Parser) gridTime(s string) (time.Time, bool) {
	if t, rest, ok := isoTime(s, p.zone); ok {
		return t, rest == ""
	}
	t, err := time.ParseInLocation("Jan 2, 2006, 3:04:05 PM", strings.Replace(s, "\u202f", " ", 1), p.zone)
	return t.UTC(), err == nil && t.Year() >= 1970
}

// tableHeader reads the names of a table's columns, in lower case. It reports false for a line whose cells are not all names.
func tableHeader(s string) (names []string, ok bool) {
	if len(s) > maxColumns*maxColumnName || !strings.ContainsAny(s, "\t,;") || s[0]-'0' <= 9 || s[0] == '{' || s[0] == '#' {
		return nil, false
	}
	for _, by := range []byte{'\t', ',', ';'} {
		cells := splitCells(s, by)
		if len(cells) < 4 {
			continue
		}
		for i, c := range cells {
			if cells[i] = lower(strings.TrimSpace(c)); cells[i] == "" || !columnName(cells[i]) {
				return nil, false
			}
		}
		return columnNames(cells)
	}
	return nil, false
}

func columnName(s string) bool {
	for i := range len(s) {
		if c := s[i]; !alphanumeric(c) && c != ' ' && c != '_' && c != '-' && c != '(' && c != ')' {
			return false
		}
	}
	return true
}

// tableCells splits a line of a table with n columns, whatever stands between them.
func tableCells(s string, n int) ([]string, bool) {
	for _, by := range []byte{'\t', ',', ';'} {
		if strings.Count(s, string(by)) < n-1 {
			continue
		}
		if cells := splitCells(s, by); len(cells) == n {
			return cells, true
		}
	}
	return nil, false
}

// splitCells splits at by, outside of quotes; a quote in quotes is doubled (RFC 4180).
func splitCells(s string, by byte) []string {
	var cells []string
	for len(cells) <= maxColumns {
		if strings.HasPrefix(s, `"`) && by != '\t' {
			end := 1
			for {
				i := strings.IndexByte(s[end:], '"')
				if i < 0 {
					return append(cells, s[1:])
				}
				if end += i; end+1 < len(s) && s[end+1] == '"' {
					end += 2
					continue
				}
				break
			}
			cells = append(cells, strings.ReplaceAll(s[1:end], `""`, `"`))
			s = s[end+1:]
			if s == "" {
				return cells
			}
			if s[0] != by {
				return nil
			}
			s = s[1:]
			continue
		}
		i := strings.IndexByte(s, by)
		if i < 0 {
			return append(cells, s)
		}
		cells = append(cells, s[:i])
		s = s[i+1:]
	}
	return nil
}

// cell returns the value of a column.
func cell(names, cells []string, name string) string {
	for i, n := range names {
		if n == name && i < len(cells) {
			return cells[i]
		}
	}
	return ""
}
