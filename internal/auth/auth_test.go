package auth

import (
	"errors"
	"strings"
	"testing"
)

// The whole table, written out: who reads a change here sees what it opens.
const table = `
	            commander engineer analyst legal communications reader
	answer      yes       yes      yes     yes   yes            no
	contacts    yes       yes      no      yes   yes            no
	handle      yes       yes      yes     no    no             no
	hold        yes       yes      yes     yes   no             no
	hosts       yes       yes      no      no    no             no
	inform      yes       no       no      yes   yes            no
	note        yes       yes      yes     yes   yes            no
	reach       yes       yes      yes     yes   yes            no
	ring-now    yes       yes      no      no    no             no
	search      yes       yes      yes     no    no             no
	see         yes       yes      yes     yes   yes            yes
	team        yes       yes      no      no    no             no
	tune        yes       yes      yes     no    no             no
	verify      yes       yes      yes     yes   no             no
`

func TestMay(t *testing.T) {
	lines := strings.Split(strings.TrimSpace(table), "\n")
	roles := strings.Fields(lines[0])
	if len(lines)-1 != len(Actions()) {
		t.Errorf("%d actions in the table, %d in the program", len(lines)-1, len(Actions()))
	}
	for n, line := range lines[1:] {
		f := strings.Fields(line)
		if Actions()[n] != Action(f[0]) {
			t.Fatalf("row %d is %s, want %s", n, f[0], Actions()[n])
		}
		for k, role := range roles {
			err := May(Actor{Name: "person:x", ID: "x", Roles: []string{role}}, Action(f[0]))
			if (err == nil) != (f[k+1] == "yes") {
				t.Errorf("%s may %s: %v, want %s", role, f[0], err, f[k+1])
			}
		}
	}
}

func TestNobodyMayNothing(t *testing.T) {
	for _, a := range Actions() {
		err := May(Actor{}, a)
		if r, ok := errors.AsType[Refusal](err); !ok || r.Action != a {
			t.Errorf("%s: %v", a, err)
		}
		if err := May(Actor{Local: true}, a); err != nil {
			t.Errorf("the program itself may not %s: %v", a, err)
		}
	}
}

func TestRolesAddUp(t *testing.T) {
	a := Actor{Roles: []string{"reader", "engineer"}}
	if May(a, Team) != nil || May(a, See) != nil {
		t.Error("a second role takes away what the first allows")
	}
}
