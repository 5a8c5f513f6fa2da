package trace

import (
	"fmt"
	"strings"
	"time"

	"tocsin/internal/record"
)

// alikeOf tells which other addresses have a session, a program or a path of an address that few have.
func (t *tracer) alikeOf(name string, me int, mine Ask, since time.Time) {
	for _, x := range t.top(mine, sessionField, 5) {
		t.alike(name, me, sessionField, x.Value, since)
	}
	for _, x := range t.top(mine, agentField, 3) {
		if len(x.Value) >= 8 { // "-" and the like say nothing
			t.alike(name, me, agentField, x.Value, since)
		}
	}
	for _, x := range t.top(mine, pathField, 5) {
		if len(strings.Trim(x.Value, "/")) >= 8 && !t.uploaded[x.Value] { // nor do short paths; who calls what was uploaded is told already
			t.alike(name, me, pathField, x.Value, since)
		}
	}
}

// telling says what is alike, and what speaks against it.
func telling(f Field) (kind NodeKind, what, doubt string) {
	switch f {
	case agentField:
		return Program, "program", "Others may use the same program; few do here."
	case pathField:
		return File, "path", "Others may ask for the same without knowing of each other; few do here."
	}
	return Session, "session", "The session may have been copied, or the visitor may have changed networks."
}

// alike tells it of one value. What many have is not telling.
func (t *tracer) alike(name string, me int, f Field, value string, since time.Time) {
	if !askable(value) {
		return
	}
	all := t.window(is(f, value))
	list := t.top(all, addressField, fewOthers+2)
	if len(list) < 2 || len(list) > fewOthers+1 {
		return
	}
	kind, what, doubt := telling(f)
	for _, x := range list {
		pair := fmt.Sprint(f, " ", value, " ", min(name, x.Value), " ", max(name, x.Value))
		if t.said[pair] || x.Value == name || !askable(x.Value) || t.ours(x.Value) || f != sessionField && t.regular(x.Value, since) {
			continue
		}
		theirs, ok := t.find(all.with(is(addressField, x.Value)), 0)
		if !ok {
			continue
		}
		t.said[pair] = true // the other way round it is the same
		it := t.node(kind, value, "")
		from := t.node(Address, x.Value, theirs.first().Text(record.SourceCountry))
		n := t.say(theirs, Statement{Step: Alike, Text: fmt.Sprintf("%s has the same %s as %s in %s: %s.", t.called(from, x.Value), what, t.called(me, name), number(theirs.proof.all, "line", "lines"), clip(value))}, from, it)
		t.draw(from, it, "has", n)
		both, ok := t.find(all.with(is(addressField, name, x.Value)), 0)
		if !ok || t.drawn[same(from, me)] {
			continue
		}
		n = t.say(both, Statement{Kind: Guess, Step: Same, At: theirs.first().Time, Text: fmt.Sprintf("%s and %s are the same visitor, or work together.", t.called(me, name), t.called(from, x.Value)),
			Why: fmt.Sprintf("Only %d addresses have this %s: %s. %s", len(list), what, clip(value), doubt)}, me, from)
		t.draw(me, it, "has", n)
		t.guess(from, me, n)
		if f == sessionField {
			t.follow(x.Value)
		}
	}
}

// same is the key of a guess about two nodes, in either order.
func same(a, b int) string { return fmt.Sprint("same ", min(a, b), " ", max(a, b)) }

// guess draws that two nodes may be one.
func (t *tracer) guess(from, to, statement int) {
	if !t.drawn[same(from, to)] {
		t.drawn[same(from, to)] = true
		t.draw(from, to, "may be", statement)
	}
}

// regular reports whether an address signed in to an account before a time: it has reasons of its own to be here.
func (t *tracer) regular(address string, since time.Time) bool {
	_, ok := t.one(t.window(is(addressField, address), is(actionField, "login"), is(outcomeField, "success")).before(since), false)
	return ok
}
