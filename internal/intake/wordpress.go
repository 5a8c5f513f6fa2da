package intake

import (
	"strings"

	"tocsin/internal/record"
)

var wordpressCategory = []string{"application", "authentication"}

// wpWordings are what wp-fail2ban and WP Fail2Ban Redux write. With a user, the name stands between start and " from ".
var wpWordings = []struct {
	start, action, outcome string
	user                   bool
}{
	{"Accepted password for ", "login", "success", true},
	{"Authentication failure for ", "login", "failure", true},
	{"Authentication attempt for unknown user ", "login", "failure", true},
	{"Authentication attempt from ", "login", "failure", false},
	{"REST authentication failure for ", "login", "failure", true},
	{"REST authentication attempt for unknown user ", "login", "failure", true},
	{"XML-RPC authentication failure for ", "login", "failure", true},
	{"XML-RPC authentication attempt for unknown user ", "login", "failure", true},
	{"XML-RPC multicall authentication failure for ", "login", "failure", true},
	{"XML-RPC multicall authentication failure from ", "login", "failure", false},
	{"XML-RPC authentication failure from ", "login", "failure", false},
	{"XML-RPC request from ", "xmlrpc", "", false},
	{"XML-RPC pingback", "pingback", "", false},
	{"Blocked authentication attempt for ", "login-refused", "failure", true},
	{"Blocked username authentication attempt for ", "login-refused", "failure", true},
	{"Blocked user enumeration attempt from ", "user-enumeration", "failure", false},
	{"Empty username from ", "login", "failure", false},
	{"Password reset requested for ", "password-reset", "", true},
	{"Password retrieve requested for ", "password-reset", "", true},
	{"Pingback requested from ", "pingback", "", false},
	{"Pingback requested for ", "pingback", "", false},
	{"Pingback error ", "pingback", "failure", false},
	{"Untrusted X-Forwarded-For header", "notice", "", false},
	{"Spammed comment from ", "comment-spam", "", false},
	{"Spam comment ", "comment-spam", "", false},
	{"Comment ", "comment", "", false},
	{"User created ", "account-created", "success", false},
	{"File editor", "file-edit", "", false},
}

// wordpress reads wp-fail2ban's messages. The address stands at the right, behind a user name that may hold " from ".
func (p *Parser) wordpress(r *record.Record, text string) bool {
	r.Source = record.LogSource{Categories: wordpressCategory, Product: "wordpress"}
	for _, w := range wpWordings {
		if !strings.HasPrefix(text, w.start) {
			continue
		}
		act(r, w.action)
		if w.outcome != "" {
			r.Set(record.EventOutcome, record.Text(w.outcome))
		}
		r.Set(record.UserRealm, adminRealm)
		i := strings.LastIndex(text, " from ")
		if i < 0 {
			return true
		}
		if w.user && i >= len(w.start) {
			r.Set(record.UserName, record.Text(text[len(w.start):i]))
		} else if w.user {
			r.Set(record.UserName, record.Text(""))
		}
		p.client(r, text[i+len(" from "):], "")
		return true
	}
	return false
}
