package intake

// action is what a name says was tried, in the words of event.action ("" when it says none of them). It is read for what
// shops, their platforms and payment providers usually write: noun and verb, in either order, in whatever spelling. What stands
// first wins: "email address changed" is about the mail address, "password of the admin account changed" about the password.
func (w *words) action() string {
	for _, read := range []func(*words) string{(*words).accountDeed, (*words).signInDeed, (*words).moneyDeed, (*words).siteDeed} {
		if a := read(w); a != "" {
			return a
		}
	}
	return ""
}

// Verbs that say that something is another thing now.
func (w *words) changed() bool {
	return w.any("changed", "change", "changes", "updated", "update", "modified", "edited", "saved", "set", "replaced")
}

// accountDeed reads what happens to an account.
func (w *words) accountDeed() string {
	switch {
	case w.any("password", "passwort", "pwd") && w.any("reset", "resets", "forgot", "forgotten", "recover", "recovery", "retrieve", "lost"):
		return "password-reset"
	case w.any("password", "pwd") && w.changed():
		return "password-change"
	case w.any("email", "mail", "emailaddress") && w.changed() && !w.any("newsletter", "template"):
		return "email-change"
	case w.any("address", "addresses") && (w.changed() || w.any("added", "new", "created")):
		return "address-change"
	case w.any("role", "roles", "permission", "permissions", "privilege", "privileges", "capabilities", "acl") &&
		(w.changed() || w.any("assigned", "granted", "grant", "added", "raised", "elevated", "escalated")),
		w.any("promoted", "elevated") && w.any("user", "admin", "administrator", "account"):
		return "role-change"
	case w.happened([]string{"created", "create", "added", "add", "new", "invited"}):
		return "account-created"
	case w.happened([]string{"deleted", "delete", "removed", "remove"}):
		return "account-deleted"
	}
	return ""
}

// happened reports whether a verb stands beside a word for an account and no other thing is meant: "user_created", "new admin
// user", "created account for", but not "admin session created" or "user created order".
func (w *words) happened(verbs []string) bool {
	noun := func(i int) bool {
		return i >= 0 && i < w.n && w.is(i, "user", "users", "account", "accounts", "admin", "admins", "administrator", "employee", "staff", "operator", "customer")
	}
	ends := func(i int) bool {
		return i >= w.n || w.is(i, "by", "for", "from", "via", "in", "with", "to", "success", "successfully", "ok", "failed", "event", "account", "user")
	}
	for i := range w.n {
		if !w.is(i, verbs...) {
			continue
		}
		last := i + 1
		for noun(last) {
			last++
		}
		if last > i+1 && ends(last) || noun(i-1) && ends(i+1) {
			return true
		}
	}
	return false
}

// signInDeed reads who comes and goes.
func (w *words) signInDeed() string {
	switch {
	case w.any("logout", "signout", "logoff") || w.both("log", "out") || w.both("sign", "out") || w.both("logged", "out") || w.both("signed", "out"):
		return "logout"
	case w.any("login", "logins", "signin", "logon", "authentication", "authenticated", "authenticate", "auth"), w.both("log", "in"), w.both("sign", "in"),
		w.both("logged", "in"), w.both("signed", "in"):
		return "login"
	}
	return ""
}

// moneyDeed reads what has to do with money and what stands for it.
func (w *words) moneyDeed() string {
	switch {
	case w.any("price", "prices", "amount", "amounts", "total", "totals", "subtotal", "grandtotal") &&
		w.any("mismatch", "mismatched", "tampered", "tampering", "manipulated", "manipulation", "discrepancy", "differs", "altered"):
		return "price-mismatch"
	case w.any("refund", "refunds", "refunded", "creditmemo", "chargeback"), w.both("credit", "memo"):
		return "refund"
	case w.any("giftcard", "giftcards", "giftvoucher", "storecredit"), w.both("gift", "card"), w.both("gift", "cards"), w.both("gift", "voucher"),
		w.both("gift", "certificate"), w.both("gift", "code"), w.both("store", "credit"):
		return "giftcard-check"
	case w.any("coupon", "coupons", "voucher", "vouchers", "promo", "discount", "promocode", "promotion"):
		return "coupon-check"
	case w.any("payment", "payments", "charge", "charged", "authorisation", "authorization", "card", "transaction") && !w.any("address", "page"):
		return "payment"
	}
	return ""
}

// siteDeed reads what happens to the site and its data.
func (w *words) siteDeed() string {
	installed := w.any("installed", "install", "uploaded", "upload", "activated", "activate", "enabled", "added")
	switch {
	case w.any("plugin", "plugins", "extension", "extensions", "module", "modules", "addon") && installed:
		return "plugin-install"
	case w.any("theme", "themes") && installed:
		return "theme-install"
	case w.any("setting", "settings", "config", "configuration", "option", "options") && w.changed():
		return "settings-change"
	case w.any("export", "exports", "exported", "dump", "dumped"):
		return "export"
	case w.any("upload", "uploaded", "uploads"), w.any("attachment", "attachments", "file", "media") && w.any("added", "received"):
		return "upload"
	case w.any("download", "downloaded", "downloads"):
		return "download"
	case w.any("delete", "deleted", "remove", "removed"):
		return "delete"
	case w.any("register", "registered", "signup", "registration"):
		return "register"
	case w.any("order") && w.any("placed", "created", "new", "completed"):
		return "order"
	}
	return ""
}

// is reports whether word i is one of them.
func (w *words) is(i int, of ...string) bool {
	for _, want := range of {
		if w.list[i] == want {
			return true
		}
	}
	return false
}
