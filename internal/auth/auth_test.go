package auth

import (
	"errors"
	"strings"
	"testing"
)

// The whole table, written out: who reads a change here sees what it opens.
const table = `
	            commander engineer analyst legal communications administrator reader auditor reporter two
	answer      yes       yes      yes     yes   yes            no            no     no      no       no
	ask         yes       yes      yes     yes   yes            yes           yes    no      no       no
	break-glass yes       yes      no      no    no             yes           no     no      no       yes
	contacts    yes       yes      no      yes   yes            no            no     no      no       no
	erase       yes       yes      no      no    no             yes           no     no      no       yes
	give-power  yes       yes      no      no    no             yes           no     no      no       yes
	handle      yes       yes      yes     no    no             no            no     no      no       no
	hold        yes       yes      yes     yes   no             no            no     no      no       no
	hosts       yes       yes      no      no    no             yes           no     no      no       no
	inform      yes       no       no      yes   yes            no            no     no      no       no
	lead        yes       yes      yes     no    no             no            no     no      no       no
	note        yes       yes      yes     yes   yes            no            no     no      no       no
	order       yes       yes      no      no    no             no            no     no      no       yes
	own         yes       yes      yes     yes   yes            yes           yes    yes     yes      no
	playbooks   yes       yes      yes     no    no             no            no     no      no       yes
	reach       yes       yes      yes     yes   yes            no            no     yes     no       no
	release     yes       yes      yes     yes   no             no            no     no      no       yes
	report      yes       yes      yes     yes   yes            yes           yes    no      yes      no
	restrict    yes       no       yes     yes   no             no            no     no      no       no
	ring-now    yes       yes      no      no    no             yes           no     no      no       no
	search      yes       yes      yes     no    no             no            no     yes     no       no
	see         yes       yes      yes     yes   yes            yes           yes    yes     no       no
	shorten     yes       no       no      no    no             yes           no     no      no       yes
	team        yes       yes      no      no    no             yes           no     no      no       no
	tune        yes       yes      yes     no    no             no            no     no      no       no
	unrestrict  yes       no       yes     yes   no             no            no     no      no       yes
	verify      yes       yes      yes     yes   no             no            no     yes     no       no
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
		if TwoPersons(Action(f[0])) != (f[len(f)-1] == "yes") {
			t.Errorf("%s needs a second person: %v, want %s", f[0], TwoPersons(Action(f[0])), f[len(f)-1])
		}
		for k, role := range roles[:len(roles)-1] {
			err := May(Actor{Name: "person:x", ID: "x", Roles: []string{role}}, Action(f[0]))
			if (err == nil) != (f[k+1] == "yes") {
				t.Errorf("%s may %s: %v, want %s", role, f[0], err, f[k+1])
			}
		}
	}
}

// Who has no role, or one that there is not, may nothing; and nobody may what is no action, whatever they are.
func TestNobodyMayNothing(t *testing.T) {
	all := Actor{ID: "x"}
	for _, r := range Table() {
		all.Roles = append(all.Roles, r.Roles...)
	}
	for _, a := range []Action{"fly", "", "See", "see "} {
		if May(all, a) == nil || MayOn(all, a, Case{Roles: all.Roles}) == nil {
			t.Errorf("with every role one may %q", a)
		}
	}
	for _, a := range Actions() {
		if err := May(Actor{ID: "x", Roles: []string{"king", "", "Commander", "commander "}}, a); err == nil {
			t.Errorf("a king may %s", a)
		}
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

// Given a role held in one incident, when an action on it is asked for, then it counts there, and never against a restriction.
func TestMayOn(t *testing.T) {
	legal := Actor{Name: "person:l", ID: "l", Roles: []string{"legal"}}
	audits := Actor{Name: "person:a", ID: "a", Roles: []string{"auditor"}}
	scoped := legal
	scoped.Scope = []Action{See}
	for _, tt := range []struct {
		name  string
		actor Actor
		a     Action
		c     Case
		want  bool
	}{
		{"her role on the team", legal, Note, Case{}, true},
		{"what that role may not", legal, Handle, Case{}, false},
		{"a role held here", legal, Handle, Case{Roles: []string{"commander"}}, true},
		{"a token that may less", scoped, Handle, Case{Roles: []string{"commander"}}, false},
		{"restricted to others", legal, See, Case{Hidden: true, Roles: []string{"commander"}}, false},
		{"an auditor changes nothing", audits, Note, Case{Roles: []string{"commander"}}, false},
		{"an auditor sees", audits, See, Case{}, true},
		{"the program itself", Actor{Local: true}, Handle, Case{Hidden: true}, true},
	} {
		if got := MayOn(tt.actor, tt.a, tt.c) == nil; got != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
}

// Given what a first person asked for, when somebody approves, then it is another person, another session, and one who may do it.
func TestMayApprove(t *testing.T) {
	commander := func(id, via string) Actor {
		return Actor{Name: "person:" + id, ID: id, Roles: []string{"commander"}, Via: via}
	}
	token := commander("b", "token:1")
	token.Scope = Actions()
	for _, tt := range []struct {
		name          string
		first, second Actor
		c             Case
		want          bool
	}{
		{"another commander", commander("a", "s1"), commander("b", "s2"), Case{}, true},
		{"the same person", commander("a", "s1"), commander("a", "s2"), Case{}, false},
		{"the same session", commander("a", "s1"), commander("b", "s1"), Case{}, false},
		{"two break-glass sheets are one person", commander("break-glass:1", "s1"), commander("break-glass:2", "s2"), Case{}, false},
		{"a person and a sheet", commander("a", "s1"), commander("break-glass:2", "s2"), Case{}, true},
		{"a token", commander("a", "s1"), token, Case{}, false},
		{"the command line", commander("a", "s1"), Actor{Name: "command", Local: true}, Case{}, false},
		{"who may not do it", commander("a", "s1"), Actor{Name: "person:b", ID: "b", Roles: []string{"reader"}}, Case{}, false},
		{"who is not named", commander("a", "s1"), commander("b", "s2"), Case{Hidden: true}, false},
	} {
		if got := MayApprove(tt.first, tt.second, Forget, tt.c) == nil; got != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
}

// Who signed in without a second factor may do all that does not administer; a refusal says how to mend it.
func TestWeakMayNotAdminister(t *testing.T) {
	for _, a := range Actions() {
		for _, r := range []string{"commander", "engineer", "administrator"} {
			strong, weak := Actor{Name: "person:anna", ID: "anna", Roles: []string{r}}, Actor{Name: "person:anna", ID: "anna", Roles: []string{r}, Weak: true}
			err := May(weak, a)
			refusal, refused := errors.AsType[Refusal](err)
			if want := May(strong, a) == nil && Administers(a); refused != (want || May(strong, a) != nil) || want && !refusal.Weak {
				t.Errorf("%s as %s without a second factor: %v", a, r, err)
			}
		}
	}
	if err := MayOn(Actor{ID: "anna", Roles: []string{"reader"}, Weak: true}, Forget, Case{Roles: []string{"commander"}}); err == nil {
		t.Error("a role in an incident stands in for a second factor")
	}
}
