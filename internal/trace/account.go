package trace

import (
	"fmt"
	"slices"
	"time"

	"tocsin/internal/record"
)

// A use is the sign-ins to an account from one address.
type use struct {
	address, country string
	first, last      time.Time
	place            int // of its node
}

// account tells from where an account is used otherwise, and from where it was used after it was opened from the address by; with by
// "", from where at all.
func (t *tracer) account(name, realm, by string, at time.Time) {
	if !askable(name) {
		return
	}
	who := t.node(Account, name, realm)
	mine := t.window(is(accountField, name), is(actionField, "login"))
	if realm != "" {
		mine = mine.with(is(realmField, realm))
	}
	worked := mine.with(is(outcomeField, "success"))
	from := t.top(worked, addressField, maxAddresses+1)
	if len(from) > maxAddresses {
		t.cut("%s was used from more than %d addresses; the %d with the most sign-ins were looked at.", clip(name), maxAddresses, maxAddresses)
		from = from[:maxAddresses]
	}
	var before, after []use
	for _, x := range from {
		u, ok := t.useOf(worked, x.Value)
		switch {
		case !ok:
		case by == "":
			t.used(name, who, worked, u)
		case u.address == by:
		case u.first.Before(at):
			before = append(before, u)
		case u.first.Before(at.Add(nextUse)):
			after = append(after, u)
		}
	}
	if by != "" {
		t.usual(name, who, worked, before, by, at)
		t.next(name, realm, who, worked, before, after, by, at)
	}
	t.guessers(name, who, mine, by, before)
}

// useOf looks up the first and last sign-in from an address.
func (t *tracer) useOf(worked Ask, address string) (u use, ok bool) {
	if !askable(address) {
		return u, false
	}
	worked = worked.with(is(addressField, address))
	first, ok := t.one(worked, false)
	if !ok {
		return u, false
	}
	u = use{address: address, country: first.Text(record.SourceCountry), first: first.Time, last: first.Time, place: -1}
	if last, ok := t.one(worked, true); ok {
		u.last = last.Time
	}
	return u, true
}

// used tells one use of an account that nobody is suspected of.
func (t *tracer) used(name string, who int, worked Ask, u use) {
	f, ok := t.find(worked.with(is(addressField, u.address)), 0)
	if !ok {
		return
	}
	from := t.node(Address, u.address, u.country)
	n := t.say(f, Statement{Step: Usual, Text: fmt.Sprintf("%s is used from %s.", t.called(who, name), t.called(from, u.address))}, who, from)
	t.draw(from, who, "signed in as", n)
}

// usual tells from where an account was used before it was opened: the use that comes closest first, others in short.
func (t *tracer) usual(name string, who int, worked Ask, before []use, by string, at time.Time) {
	nearest := make([]time.Time, len(before))
	for i, u := range before {
		nearest[i] = u.last
		if last, ok := t.one(worked.with(is(addressField, u.address)).before(at), true); ok {
			nearest[i] = last.Time
		}
	}
	places := make([]int, len(before))
	for i := range places {
		places[i] = i
	}
	slices.SortStableFunc(places, func(a, b int) int { return nearest[b].Compare(nearest[a]) })
	for k, i := range places {
		u := before[i]
		if k == fewNames {
			t.cut("%s was used from %s more before.", clip(name), number(int64(len(before)-fewNames), "address", "addresses"))
			return
		}
		f, ok := t.find(worked.with(is(addressField, u.address)).before(at), 0)
		if !ok {
			continue
		}
		from := t.node(Address, u.address, u.country)
		text := fmt.Sprintf("%s was used from %s before: first %s, last %s before %s signs in.", t.called(who, name), t.called(from, u.address),
			span(at.Sub(f.first().Time)), span(at.Sub(nearest[i])), by)
		n := t.say(f, Statement{Step: Usual, At: nearest[i], Until: nearest[i], Text: text}, who, from)
		t.draw(from, who, "used before", n)
	}
}

// next tells from where an account was used after it was opened, as far as nobody had used it from there: that it is the same account is
// a fact, that it is the same intruder a guess.
func (t *tracer) next(name, realm string, who int, worked Ask, before, after []use, by string, at time.Time) {
	slices.SortStableFunc(after, func(a, b use) int { return a.first.Compare(b.first) })
	me := t.node(Address, by, "")
	for k, u := range after {
		if k == fewNames {
			t.cut("%s was used from %s more afterwards.", clip(name), number(int64(len(after)-fewNames), "new address", "new addresses"))
			return
		}
		mine := worked.with(is(addressField, u.address))
		f, ok := t.find(mine, 0)
		if !ok {
			continue
		}
		from := t.node(Address, u.address, u.country)
		gap := span(u.first.Sub(at))
		next := Statement{Step: Next, Text: fmt.Sprintf("%s signs in as %s, the account that %s had signed in to %s before.", t.called(from, u.address), t.called(who, name), t.called(me, by), gap)}
		n, known := t.entered[u.address+" "+realm+"/"+name]
		if known && n >= 0 { // said already, but not that it follows
			said := &t.story.Statements[n]
			said.Step, said.Text = next.Step, next.Text
		} else {
			n = t.say(f, next, from, who)
			t.entered[u.address+" "+realm+"/"+name] = n
		}
		t.draw(from, who, "signed in as", n)
		home := slices.ContainsFunc(before, func(b use) bool { return b.country != "" && b.country == u.country })
		if home || t.ours(u.address) {
			continue // most likely whoever the account belongs to
		}
		both, ok := t.find(worked.with(is(addressField, by, u.address)).from(at), 0)
		if !ok {
			continue
		}
		n = t.say(both, Statement{Kind: Guess, Step: Same, At: u.first, Text: fmt.Sprintf("%s and %s are the same intruder, or work together.", t.called(me, by), t.called(from, u.address)),
			Why: fmt.Sprintf("Both sign in as %s, %s apart, and nobody had used it from either before. It may also be whoever the account belongs to, from another place.", clip(name), gap)}, me, from, who)
		t.guess(from, me, n)
		t.follow(u.address)
	}
}

// guessers tells who else tried passwords of an account; who is used to using it mistypes some.
func (t *tracer) guessers(name string, who int, mine Ask, by string, usual []use) {
	failed := mine.with(is(outcomeField, "failure"))
	others := 0
	for _, x := range t.top(failed, addressField, maxAddresses) {
		known := x.Value == by || t.looked[string(Address)+x.Value] || slices.ContainsFunc(usual, func(u use) bool { return u.address == x.Value })
		if known || x.N < refusals || !askable(x.Value) {
			continue
		}
		if others++; others > fewNames {
			t.cut("More than %d other addresses tried passwords of %s.", fewNames, clip(name))
			return
		}
		if f, ok := t.inOneLog(failed.with(is(addressField, x.Value))); ok {
			from := t.node(Address, x.Value, f.first().Text(record.SourceCountry))
			n := t.say(f, Statement{Step: Tried, Text: fmt.Sprintf("%s of %s as %s failed.", number(f.proof.all, "sign-in", "sign-ins"), t.called(from, x.Value), t.called(who, name))}, from, who)
			t.draw(from, who, "tried", n)
		}
	}
}
