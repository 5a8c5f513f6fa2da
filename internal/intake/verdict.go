package intake

import (
	"strings"

	"tocsin/internal/record"
)

// A verdict is what an application's own name for something means in the words that rules use.
type verdict struct {
	action  string
	outcome string
	realm   string
}

var (
	appCategory     = []string{"application"}
	signInCategory  = []string{"application", "authentication"}
	paymentCategory = []string{"application", "payment"}
	fileCategory    = []string{"application", "file_event"}
)

// maxWords bounds the words of a name that are looked at.
const maxWords = 16

// verdictOf reads a name such as customer_login_failed, admin.signIn.success or PAYMENT_FAILED.
func verdictOf(code string) verdict {
	var w words
	w.read(code)
	v := verdict{outcome: w.outcome()}
	v.action = w.action()
	if v.action == "login" && v.outcome == "" && w.any("logged", "signed", "authenticated") {
		v.outcome = "success"
	}
	switch {
	case w.any("admin", "backend", "staff", "backoffice", "wp", "administrator", "superadmin", "employee", "operator"):
		v.realm = "admin"
	case w.any("customer", "shopper", "buyer", "member", "storefront"):
		v.realm = "customer"
	}
	return v
}

// refine adds what other members of the object tell. code is the one that v was read from.
func (v *verdict) refine(f *fields, code pair) {
	for _, s := range []slot{slotAction, slotType} {
		q, ok := f.take(s)
		if !ok || q.kind != jsonText || q.text == code.text || strings.Contains(q.text, "/") {
			continue
		}
		more := verdictOf(q.text)
		if v.action == "" {
			v.action = more.action
		}
		if v.outcome == "" {
			v.outcome = more.outcome
		}
		if v.realm == "" && v.action == "login" { // an export of "customers" is no customer's
			v.realm = more.realm
		}
	}
	if v.outcome == "" {
		v.outcome = toldOutcome(f)
	}
	if valid, ok := f.truth(slotValid); ok && v.outcome == "" {
		v.outcome = outcomeOf(valid)
	}
	if v.realm == "" {
		v.realm = toldRealm(f)
	}
	if v.realm != "" {
		return
	}
	// Only the back office does these; other accounts of a shop are its customers'.
	switch v.action {
	case "export", "role-change", "plugin-install", "theme-install", "settings-change", "refund":
		v.realm = "admin"
	case "":
	default:
		v.realm = "customer"
	}
}

func toldOutcome(f *fields) string {
	if good, ok := f.truth(slotSuccess); ok {
		return outcomeOf(good)
	}
	for _, s := range []slot{slotOutcome, slotStatus} {
		if q, ok := f.take(s); ok && q.kind == jsonText {
			var w words
			w.read(q.text)
			if o := w.outcome(); o != "" {
				return o
			}
		}
	}
	return ""
}

func toldRealm(f *fields) string {
	for _, s := range []slot{slotRealm, slotVia, slotPath, slotURL} {
		q, ok := f.take(s)
		if !ok {
			continue
		}
		var w words
		w.read(q.text)
		switch {
		case w.any("admin", "administrator", "superadmin", "wp", "backend", "staff", "backoffice"):
			return "admin"
		case w.any("customer", "shop", "storefront"):
			return "customer"
		}
	}
	return ""
}

func outcomeOf(good bool) string {
	if good {
		return "success"
	}
	return "failure"
}

func (v *verdict) set(r *record.Record) {
	if v.action != "" {
		r.Set(record.EventAction, record.Text(v.action))
	}
	if v.outcome != "" {
		r.Set(record.EventOutcome, record.Text(v.outcome))
	}
	if v.realm != "" {
		r.Set(record.UserRealm, record.Text(v.realm))
	}
	r.Source = record.LogSource{Categories: appCategory, Product: "shop"}
	switch v.action {
	case "login", "logout":
		r.Source.Categories = signInCategory
	case "payment", "refund", "price-mismatch":
		r.Source.Categories = paymentCategory
	case "upload", "download", "delete":
		r.Source.Categories = fileCategory
	}
}

// words are the lower-case words of a name.
type words struct {
	list [maxWords]string
	n    int
}

// read splits at what is no letter or digit, and before a capital that follows a small letter.
func (w *words) read(s string) {
	s = s[:min(len(s), 256)]
	start := 0
	for i := 0; i <= len(s); i++ {
		if i < len(s) && alphanumeric(s[i]) {
			if i > start && 'A' <= s[i] && s[i] <= 'Z' && 'a' <= s[i-1] && s[i-1] <= 'z' {
				w.add(s[start:i])
				start = i
			}
			continue
		}
		w.add(s[start:i])
		start = i + 1
	}
}

func (w *words) add(s string) {
	if s != "" && w.n < maxWords {
		w.list[w.n] = lower(s)
		w.n++
	}
}

func alphanumeric(c byte) bool {
	return c-'0' <= 9 || c|0x20 >= 'a' && c|0x20 <= 'z' || c >= 0x80
}

func (w *words) any(of ...string) bool {
	for _, have := range w.list[:w.n] {
		for _, want := range of {
			if have == want {
				return true
			}
		}
	}
	return false
}

// both reports whether second follows first.
func (w *words) both(first, second string) bool {
	for i := 1; i < w.n; i++ {
		if w.list[i-1] == first && w.list[i] == second {
			return true
		}
	}
	return false
}

// outcome reads success or failure; what says both failed.
func (w *words) outcome() string {
	switch {
	case w.any("failed", "failure", "fail", "fails", "denied", "invalid", "bad", "wrong", "incorrect", "error", "unsuccessful",
		"rejected", "reject", "blocked", "locked", "declined", "decline", "refused", "unauthorized", "forbidden", "unknown", "expired", "not",
		"missing", "nonexistent", "notfound", "unsuccessfully", "failing"):
		return "failure"
	case w.any("ok", "success", "succeeded", "successful", "successfully", "accepted", "passed", "granted", "approved", "approve",
		"captured", "paid", "completed", "complete", "authorized", "authorised", "valid"):
		return "success"
	}
	return ""
}
