package trace

import (
	"fmt"
	"strings"
	"time"

	"tocsin/internal/record"
)

const (
	refusals = 5 // from how many on somebody looks for what is not there
	fewUsers = 3 // accounts that are told one by one
	fewNames = 3 // names in one sentence
)

// address looks into one.
func (t *tracer) address(name string) {
	if !askable(name) {
		return
	}
	mine := t.window(is(addressField, name))
	first, ok := t.one(mine, false)
	if !ok {
		t.cut("No lines of %s are kept any more in the time that was looked at.", name)
		return
	}
	me := t.node(Address, name, first.Text(record.SourceCountry))
	if f, ok := t.find(t.like(mine, first), 0); ok {
		t.say(f, Statement{Step: First, Text: fmt.Sprintf("%s is seen first: %s.", t.called(me, name), deed(first))}, me)
	}
	deeds := map[string]int64{}
	for _, x := range t.top(mine, actionField, 30) {
		deeds[strings.ToLower(x.Value)] = x.N
	}
	if deeds["login"] > 0 {
		t.signIns(name, me, mine)
	}
	for _, m := range moves {
		if deeds[m.action] > 0 {
			t.moved(name, me, mine, m)
		}
	}
	for _, action := range others {
		if deeds[action] > 0 {
			t.did(name, me, mine, action)
		}
	}
	t.web(name, me, mine)
	t.alikeOf(name, me, mine, first.Time)
	if last, ok := t.one(mine, true); ok && !last.Time.Equal(first.Time) {
		if f, ok := t.find(t.like(mine, last), 0); ok {
			t.say(f, Statement{Step: Last, Text: fmt.Sprintf("%s is seen last: %s.", t.called(me, name), deed(last))}, me)
		}
	}
}

// one is the first line that an Ask finds, or the last one.
func (t *tracer) one(a Ask, last bool) (*record.Record, bool) {
	got := t.lines(a, 1, last)
	if len(got.Rows) == 0 {
		return nil, false
	}
	return got.Rows[0], true
}

// like narrows an Ask to a line, and to those of the same moment that say the same.
func (t *tracer) like(a Ask, r *record.Record) Ask {
	a = a.moment(r.Time)
	if askable(r.Line.File) {
		a = a.with(is(Log, r.Line.File))
	}
	for _, f := range []record.Field{record.EventAction, record.EventOutcome, record.UserName, record.HTTPMethod, record.HTTPStatus, record.URLPath, record.URLQuery, record.FilePath} {
		if text := r.Text(f); askable(text) && text != "request" {
			a = a.with(is(Field(f), text))
		}
	}
	return a
}

// signIns tells those of an address that failed and that worked.
func (t *tracer) signIns(name string, me int, mine Ask) {
	failed := mine.with(is(actionField, "login"), is(outcomeField, "failure"))
	users := t.top(failed, accountField, 1000)
	for _, u := range users[:min(len(users), fewUsers)] {
		if !askable(u.Value) {
			continue
		}
		if f, ok := t.inOneLog(failed.with(is(accountField, u.Value))); ok {
			who := t.node(Account, u.Value, realmOf(f))
			n := t.say(f, Statement{Step: Tried, Text: fmt.Sprintf("%s of %s as %s failed.", number(f.proof.all, "sign-in", "sign-ins"), t.called(me, name), t.called(who, u.Value))}, me, who)
			t.draw(me, who, "tried", n)
		}
	}
	if len(users) > fewUsers {
		if f, ok := t.inOneLog(failed); ok {
			t.say(f, Statement{Step: Tried, Text: fmt.Sprintf("%s of %s failed, as %s in all.", number(f.proof.all, "sign-in", "sign-ins"), t.called(me, name), number(int64(len(users)), "account", "accounts"))}, me)
		}
	}
	worked := mine.with(is(actionField, "login"), is(outcomeField, "success"))
	users = t.top(worked, accountField, maxAccounts+1)
	for _, u := range users {
		if !askable(u.Value) {
			continue
		}
		f, ok := t.inOneLog(worked.with(is(accountField, u.Value)))
		if !ok {
			continue
		}
		realm := realmOf(f)
		if _, said := t.entered[name+" "+realm+"/"+u.Value]; said {
			t.enter(u.Value, realm, name, f.first().Time)
			continue
		}
		who := t.node(Account, u.Value, realm)
		text := fmt.Sprintf("%s signs in as %s.", t.called(me, name), t.called(who, u.Value))
		if f.proof.all > 1 {
			text = fmt.Sprintf("%s signs in as %s, %s in all.", t.called(me, name), t.called(who, u.Value), number(f.proof.all, "time", "times"))
		}
		n := t.say(f, Statement{Step: Entered, Text: text}, me, who)
		t.draw(me, who, "signed in as", n)
		t.entered[name+" "+realm+"/"+u.Value] = n
		t.enter(u.Value, realm, name, f.first().Time)
	}
}

// inOneLog finds lines in that log which has the most of them: several logs may tell of the same.
func (t *tracer) inOneLog(a Ask) (found, bool) { return t.inOneLogHolding(a, 0) }

func (t *tracer) inOneLogHolding(a Ask, most int) (found, bool) {
	if logs := t.top(a, Log, 10); len(logs) > 1 && askable(logs[0].Value) {
		a = a.with(is(Log, logs[0].Value))
	}
	return t.find(a, most)
}

// realmOf is the kind of account that lines are about.
func realmOf(f found) string { return f.first().Text(record.UserRealm) }

// others are the actions that are told beside sign-ins and moves of files, in package record's words; never changed.
var others = [...]string{"register", "account-created", "account-deleted", "role-change", "user-created", "user-enumeration", "login-refused", "password-reset", "password-change",
	"address-change", "email-change", "payment", "refund", "price-mismatch", "order", "giftcard-check", "coupon-check", "plugin-install", "theme-install", "settings-change", "file-edit",
	"command", "query", "xmlrpc", "pingback"}

// did tells another thing that an address did: payments, codes that were tried, commands.
func (t *tracer) did(name string, me int, mine Ask, action string) {
	all := mine.with(is(actionField, action))
	f, ok := t.inOneLog(all)
	if !ok {
		return
	}
	text := fmt.Sprintf("%s: %s, %s", t.called(me, name), action, number(f.proof.all, "time", "times"))
	var how []string
	for _, x := range t.top(f.proof.ask, outcomeField, 3) {
		how = append(how, fmt.Sprintf("%s %s", thousands(x.N), x.Value))
	}
	if len(how) > 0 {
		text += " (" + strings.Join(how, ", ") + ")"
	}
	t.say(f, Statement{Step: Did, Text: text + "."}, me)
}

// web tells what an address asked the site for: what it did not get, the first thing that it got then, and what mostly.
func (t *tracer) web(name string, me int, mine Ask) {
	mine = mine.with(has(methodField))
	var refused, broken, all int64
	for _, x := range t.top(mine, statusField, 60) {
		all += x.N
		switch {
		case strings.HasPrefix(x.Value, "4"):
			refused += x.N
		case strings.HasPrefix(x.Value, "5"):
			broken += x.N
		}
	}
	if all == 0 {
		return
	}
	who := t.called(me, name)
	if refused >= refusals {
		if f, ok := t.find(mine.with(Term{statusField, Begins, []string{"4"}}), 0); ok {
			t.say(f, Statement{Step: Looked, Text: fmt.Sprintf("%s asks %s for what is not there or not allowed (4xx).", who, number(f.proof.all, "time", "times"))}, me)
			t.worked(who, me, mine, f.first().Time)
		}
	}
	if broken > 0 {
		if f, ok := t.find(mine.with(Term{statusField, Begins, []string{"5"}}), 0); ok {
			t.say(f, Statement{Step: Broke, Text: fmt.Sprintf("%s makes the site fail %s (5xx), first with %s.", who, number(f.proof.all, "time", "times"), deed(f.first()))}, me)
		}
	}
	paths := t.top(mine, pathField, 200)
	f, ok := t.find(mine, 0)
	if !ok || len(paths) == 0 {
		return
	}
	var names []string
	for _, p := range paths[:min(len(paths), fewNames)] {
		names = append(names, fmt.Sprintf("%s (%s)", clip(p.Value), thousands(p.N)))
	}
	text := fmt.Sprintf("%s makes %s to the site, for %s", who, number(f.proof.all, "request", "requests"), strings.Join(names, ", "))
	if more := len(paths) - len(names); more == 200-fewNames {
		text += " and many more"
	} else if more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	t.say(f, Statement{Step: Asked, Text: text + "."}, me)
	t.asking(who, me, mine, paths[0])
}

// worked tells what somebody who looked around was given first.
func (t *tracer) worked(who string, me int, mine Ask, since time.Time) {
	first, ok := t.one(mine.from(since).with(Term{statusField, Begins, []string{"2"}}), false)
	if !ok {
		return
	}
	if f, ok := t.find(t.like(mine, first), 0); ok {
		t.say(f, Statement{Step: Worked, Text: fmt.Sprintf("The first thing that %s is given among what it looks for: %s.", who, deed(first))}, me)
	}
}

// asking tells with which words an address asked for what it asked for most.
func (t *tracer) asking(who string, me int, mine Ask, path Counted) {
	if path.N < refusals || !askable(path.Value) || t.uploaded[path.Value] {
		return
	}
	mine = mine.with(is(pathField, path.Value), has(queryField))
	words := t.top(mine, queryField, 20)
	if len(words) == 0 {
		return
	}
	f, ok := t.find(mine, 0)
	if !ok {
		return
	}
	to := t.node(File, path.Value, "")
	n := t.say(f, Statement{Step: Asked, Text: fmt.Sprintf("%s asks for %s with %s.", who, clip(path.Value), listed(words, 5, 20))}, me, to)
	t.draw(me, to, "asked for", n)
}
