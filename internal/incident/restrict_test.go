package incident

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"tocsin/internal/entry"
)

// Given roles in an incident, when they are taken, handed on and left, then one holds each, and who left the team is a gap.
func TestRoles(t *testing.T) {
	d := newDesk(t)
	d.tell(raised(alert("a", "r1", "high", 0, "a1")))
	all := func(string) bool { return true }
	step := func(x entry.Draft, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		d.write(x)
	}
	step(d.book.TakeRole("person:anna", all, 1, "commander", "anna", false))
	if _, err := d.book.TakeRole("person:boris", all, 1, "commander", "boris", false); err == nil {
		t.Error("two hold one role")
	}
	step(d.book.TakeRole("person:boris", all, 1, "commander", "boris", true))
	if _, err := d.book.HandRole("person:anna", 1, "commander", "anna", "boris", ""); err == nil {
		t.Error("a hand-over without a note")
	}
	step(d.book.HandRole("person:anna", 1, "commander", "anna", "boris", "v"))
	i := d.book.Incidents[0]
	if h := i.Roles["commander"]; h.Person != "boris" || len(h.Deputies) != 0 || !slices.Equal(i.RolesOf("boris"), []string{"commander"}) || i.RolesOf("anna") != nil {
		t.Errorf("%+v", h)
	}
	if _, gap := i.Roles["commander"].Held(func(string) bool { return false }); !gap {
		t.Error("who left the team still holds it")
	}
	step(d.book.LeaveRole("person:boris", 1, "commander", "boris", ""))
	if _, gap := i.Roles["commander"].Held(all); !gap {
		t.Error("who left it still holds it")
	}
	if _, err := d.book.TakeRole("person:anna", all, 1, "auditor", "anna", false); err == nil {
		t.Error("a role that nobody holds in an incident")
	}
}

// Given a restricted incident, when the book is looked at without it, then it is as one that never was.
func TestWithout(t *testing.T) {
	d := newDesk(t)
	d.tell(raised(alert("a", "r1", "high", 0, "a1")))
	d.tell(raised(alert("b", "r2", "high", 0, "b1")))
	x, err := d.book.Restrict("person:anna", entry.Restriction{ID: 1, Kind: "insider", People: []string{"boris", "anna", "anna"}})
	if err != nil {
		t.Fatal(err)
	}
	d.write(x)
	if i := d.book.Incidents[0]; i.Hides("anna") || !i.Hides("carla") || !i.Hides("") {
		t.Error("it hides from the wrong people")
	}
	got := d.book.Without(func(id int64) bool { return d.book.Incidents[id-1].Hides("carla") })
	if len(got.Incidents) != 1 || got.Incidents[0].ID != 2 {
		t.Errorf("%+v", got.Incidents)
	}
	_, hidden := got.Get(1)
	_, absent := got.Get(9)
	if !errors.Is(hidden, ErrNotFound) || strings.ReplaceAll(hidden.Error(), "1", "9") != absent.Error() {
		t.Errorf("%v, and of one that never was %v", hidden, absent)
	}
	if i, err := got.Get(2); err != nil || i.ID != 2 {
		t.Errorf("the other is not found: %v", err)
	}
	if got.Alerts["a"] != nil || got.Alerts["b"] == nil || !slices.Equal(got.Order, []string{"b"}) {
		t.Errorf("alerts %v", got.Order)
	}
	if same := d.book.Without(func(int64) bool { return false }); same != &d.book {
		t.Error("a book of which nothing is hidden is copied")
	}
	for _, x := range []entry.Restriction{{ID: 1, Kind: "secret", People: []string{"anna"}}, {ID: 1, Kind: "hr"}, {ID: 9, Kind: "hr", People: []string{"anna"}}} {
		if _, err := d.book.Restrict("person:anna", x); err == nil {
			t.Errorf("%+v was taken", x)
		}
	}
}
