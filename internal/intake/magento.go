package intake

import (
	"strings"
	"time"

	"tocsin/internal/record"
)

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
