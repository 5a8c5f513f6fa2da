package intake

import (
	"strings"

	"tocsin/internal/record"
)

// sudo reads "bob : 3 incorrect password attempts ; TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/bin/ls".
func sudo(r *record.Record, text string) bool {
	r.Source.Service = "sudo"
	user, rest, ok := strings.Cut(strings.TrimLeft(text, " "), " : ")
	if !ok || strings.Contains(user, " ") {
		return false
	}
	outcome, reason, known := "success", "", false
	for rest != "" {
		part, after, _ := strings.Cut(rest, " ; ")
		name, value, pair := strings.Cut(part, "=")
		switch {
		case pair && name == "COMMAND":
			r.Set(record.CommandLine, record.Text(rest[len("COMMAND="):]))
			known, after = true, ""
		case pair && name == "USER":
			r.Set(record.UserEffective, record.Text(value))
			known = true
		case pair && (name == "TTY" || name == "PWD" || name == "GROUP" || name == "TSID" || name == "CHROOT"):
			extra(r, "sudo."+strings.ToLower(name), record.Text(value))
		case pair && (name == "ENV" || name == "LOG" || name == "EXIT"):
		default:
			outcome, reason = "failure", part
		}
		rest = after
	}
	if !known && reason == "" {
		return false
	}
	act(r, "command")
	if count, what := word(reason); strings.HasPrefix(what, "incorrect password attempt") {
		signIn(r, "login", "failure", systemRealm)
		if n, ok := whole(count); ok && n > 1 {
			extra(r, "repeat", record.Int(n, count))
		}
	}
	r.Set(record.UserName, record.Text(user))
	r.Set(record.UserRealm, systemRealm)
	r.Set(record.EventOutcome, record.Text(outcome))
	if reason != "" {
		r.Set(record.EventReason, record.Text(reason))
	}
	return true
}

// su reads the wordings of shadow's and util-linux's su: "Successful su for root by bob", "FAILED SU (to root) bob on
// pts/0", "(to root) bob on pts/0", "+ /dev/pts/0 bob:root"; and System V's "'su root' failed for bob on /dev/pts/8".
func su(r *record.Record, text string) bool {
	r.Source.Service = "auth"
	outcome := "success"
	if rest, ok := strings.CutPrefix(text, "'su "); ok {
		to, rest, ok := strings.Cut(rest, "' ")
		how, rest := word(rest)
		who, place, found := strings.Cut(strings.TrimPrefix(rest, "for "), " on ")
		if !ok || !found || how != "failed" && how != "succeeded" || strings.Contains(who+place, " ") {
			return false
		}
		signIn(r, "login", outcomeOf(how == "succeeded"), systemRealm)
		r.Set(record.UserName, record.Text(who))
		r.Set(record.UserEffective, record.Text(to))
		return true
	}
	rest, failed := strings.CutPrefix(text, "FAILED su for ")
	if !failed {
		rest, failed = strings.CutPrefix(text, "FAILED SU ")
	}
	if failed {
		outcome = "failure"
	} else {
		rest = strings.TrimPrefix(text, "Successful su for ")
	}
	var who, to string
	ok := false
	switch {
	case strings.HasPrefix(rest, "(to "):
		to, rest, ok = strings.Cut(rest[len("(to "):], ") ")
		who, _, _ = strings.Cut(rest, " on ")
	case strings.HasPrefix(rest, "+ ") || strings.HasPrefix(rest, "- "):
		i := strings.LastIndexByte(rest, ' ')
		who, to, ok = strings.Cut(rest[i+1:], ":")
		if rest[0] == '-' {
			outcome = "failure"
		}
		act(r, "su-terminal")
		r.Set(record.UserName, record.Text(who))
		r.Set(record.UserEffective, record.Text(to))
		return ok
	default:
		to, who, ok = strings.Cut(rest, " by ")
		ok = ok && (failed || len(rest) != len(text))
	}
	if !ok || strings.Contains(who, " ") {
		return false
	}
	signIn(r, "login", outcome, systemRealm)
	r.Set(record.UserName, record.Text(who))
	r.Set(record.UserEffective, record.Text(to))
	return true
}

// cron reads "(root) CMD (command)" and the like.
func cron(r *record.Record, text string) bool {
	r.Source.Service = "cron"
	if !strings.HasPrefix(text, "(") {
		return false
	}
	user, rest, ok := strings.Cut(text[1:], ") ")
	if !ok {
		return false
	}
	verb, rest, ok := strings.Cut(rest, " (")
	if !ok || verb == "" || strings.ToUpper(verb) != verb {
		return false
	}
	rest = strings.TrimSuffix(rest, ")")
	act(r, "cron-"+strings.ReplaceAll(strings.ToLower(verb), " ", "-"))
	r.Set(record.UserName, record.Text(user))
	r.Set(record.UserRealm, systemRealm)
	if verb == "CMD" {
		act(r, "command")
		r.Set(record.CommandLine, record.Text(rest))
	} else {
		r.Set(record.EventReason, record.Text(rest))
	}
	return true
}

// accountWordings are what the shadow tools say. The account stands between before and after.
var accountWordings = []struct{ start, action, before, after string }{
	{"new user: ", "user-created", "name=", ","},
	{"new group: ", "group-created", "name=", ","},
	{"failed adding user ", "user-created", "'", "'"},
	{"add '", "group-joined", "'", "'"},
	{"delete user ", "user-deleted", "'", "'"},
	{"removed group ", "group-deleted", "'", "'"},
	{"removed shadow group ", "group-deleted", "'", "'"},
	{"remove group ", "group-deleted", "'", "'"},
	{"delete '", "group-left", "'", "'"},
	{"change user ", "user-changed", "'", "'"},
	{"lock user ", "user-changed", "'", "'"},
	{"unlock user ", "user-changed", "'", "'"},
	{"group added to ", "group-created", "name=", ","},
	{"password for ", "password-change", "'", "'"},
	{"password changed for ", "password-change", " for ", ""},
	{"changed password expiry for ", "user-changed", " for ", ""},
	{"changed expiry for ", "user-changed", " for ", ""},
}

// accounts reads what useradd, usermod, passwd and their kin say.
func accounts(r *record.Record, text string) bool {
	r.Source.Service = "auth"
	for _, w := range accountWordings {
		if !strings.HasPrefix(text, w.start) {
			continue
		}
		act(r, w.action)
		_, name, _ := strings.Cut(text, w.before)
		if w.after != "" {
			name, _, _ = strings.Cut(name, w.after)
		}
		r.Set(record.UserName, record.Text(name))
		r.Set(record.UserRealm, systemRealm)
		r.Set(record.EventOutcome, record.Text(outcomeOf(!strings.HasPrefix(text, "failed "))))
		r.Set(record.EventReason, record.Text(text))
		return true
	}
	return false
}

// systemStarts are the beginnings of what systemd says of units, and logind of sessions.
var systemStarts = []struct{ start, action string }{
	{"New session ", "session-opened"},
	{"Removed session ", "session-closed"},
	{"Session ", "session-closed"},
	{"New seat ", "notice"},
	{"Watching system buttons on ", "notice"},
	{"Started ", "unit-started"},
	{"Starting ", "unit-starting"},
	{"Stopped ", "unit-stopped"},
	{"Stopping ", "unit-stopping"},
	{"Finished ", "unit-finished"},
	{"Reloading", "unit-reloading"},
	{"Reloaded ", "unit-reloaded"},
	{"Reached target ", "unit-started"},
	{"Created slice ", "unit-started"},
	{"Removed slice ", "unit-stopped"},
	{"Listening on ", "unit-started"},
	{"Closed ", "unit-stopped"},
	{"Mounted ", "unit-started"},
	{"Startup finished in ", "notice"},
	{"Power key pressed", "notice"},
	{"System is powering down", "notice"},
	{"System is rebooting", "notice"},
}

// system reads systemd and systemd-logind: the text itself is what they tell.
func system(r *record.Record, text string) bool {
	for _, w := range systemStarts {
		if !strings.HasPrefix(text, w.start) {
			continue
		}
		act(r, w.action)
		r.Set(record.EventReason, record.Text(text))
		if w.start == "New session " {
			if _, user, ok := strings.Cut(text, " of user "); ok {
				r.Set(record.UserName, record.Text(strings.TrimSuffix(user, ".")))
				r.Set(record.UserRealm, systemRealm)
			}
		}
		return true
	}
	// Units report as "name.service: Succeeded."
	unit, what, ok := strings.Cut(text, ": ")
	if !ok || strings.Contains(unit, " ") || !strings.Contains(unit, ".") {
		return false
	}
	act(r, "unit-state")
	extra(r, "systemd.unit", record.Text(unit))
	r.Set(record.EventReason, record.Text(what))
	return true
}

// firewall reads what netfilter's LOG target writes: "[UFW BLOCK] IN=eth0 OUT= SRC=1.2.3.4 DST=5.6.7.8 ... PROTO=TCP
// SPT=1234 DPT=22". The rest of the kernel's text is not read.
func (p *Parser) firewall(r *record.Record, text string) bool {
	i := strings.Index(text, "IN=")
	if i < 0 || !strings.Contains(text[i:], " SRC=") || !strings.Contains(text[i:], " DST=") {
		return false
	}
	act(r, "packet")
	r.Source.Service = "firewall"
	label := strings.TrimSpace(text[:i])
	r.Set(record.EventCode, record.Text(label))
	for _, refused := range []string{"BLOCK", "DROP", "REJECT", "DENY"} {
		if strings.Contains(label, refused) {
			r.Set(record.EventOutcome, record.Text("failure"))
		}
	}
	for part := range strings.FieldsSeq(text[i:]) {
		name, value, _ := strings.Cut(part, "=")
		switch name {
		case "SRC":
			p.client(r, value, "")
		case "DST":
			p.destination(r, value)
		case "SPT":
			setPort(r, record.SourcePort, value)
		case "DPT":
			setPort(r, record.DestinationPort, value)
		case "PROTO":
			extra(r, "network.transport", record.Text(lower(value)))
		}
	}
	return true
}
