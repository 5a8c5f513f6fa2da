package plan

import (
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"tocsin/internal/entry"
)

// t0 is a Black Friday.
var t0 = time.Date(2026, 11, 27, 9, 0, 0, 0, time.UTC)

func apply(t *testing.T, p *Plan, n int64, d entry.Draft, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	e, _, err := entry.Make(n, t0, d)
	if err != nil {
		t.Fatal(err)
	}
	if known, err := p.Apply(e); err != nil || !known {
		t.Fatalf("applying %s: known %v, %v", d.Kind, known, err)
	}
}

func team(t *testing.T) *Plan {
	p := new(Plan)
	for n, x := range []entry.Person{
		{ID: "anna", Roles: []string{Commander}, Channels: []string{Mail, Webhook}},
		{ID: "boris", Roles: []string{Engineer, Analyst}, Channels: []string{Mail}},
		{ID: "chen", Roles: []string{Legal}, Channels: []string{Mail}, Gone: true},
		{ID: "dora", Roles: []string{Analyst}},
	} {
		d, err := p.Put("test", x)
		apply(t, p, int64(n+1), d, err)
	}
	return p
}

func TestResolve(t *testing.T) {
	p := team(t)
	console := entry.CallRing{Channel: Console}
	for _, tt := range []struct {
		name string
		step entry.PolicyStep
		want []entry.CallRing
	}{
		{"a person on all channels", entry.PolicyStep{Who: []string{"anna"}}, []entry.CallRing{console, {Person: "anna", Channel: Mail}, {Person: "anna", Channel: Webhook}}},
		{"a person on one channel", entry.PolicyStep{Who: []string{"anna"}, By: []string{Webhook}}, []entry.CallRing{console, {Person: "anna", Channel: Webhook}}},
		{"a role", entry.PolicyStep{Who: []string{"role:analyst"}}, []entry.CallRing{console, {Person: "boris", Channel: Mail}}},
		{"everyone but who is gone", entry.PolicyStep{Who: []string{Everyone}}, []entry.CallRing{console, {Person: "anna", Channel: Mail}, {Person: "anna", Channel: Webhook}, {Person: "boris", Channel: Mail}}},
		{"named twice, rung once", entry.PolicyStep{Who: []string{"boris", "role:engineer"}}, []entry.CallRing{console, {Person: "boris", Channel: Mail}}},
		{"who left is not rung", entry.PolicyStep{Who: []string{"chen"}}, []entry.CallRing{console}},
	} {
		if got, _ := p.Resolve(Want{Policy: entry.Policy{Steps: []entry.PolicyStep{tt.step}, Rounds: 1}, At: t0}); !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
}

func TestStepOf(t *testing.T) {
	x := entry.Policy{Steps: []entry.PolicyStep{{Who: []string{"anna"}, Wait: time.Minute}, {Who: []string{Everyone}, Wait: 2 * time.Minute}}, Rounds: 2, Every: time.Hour}
	for n, want := range []time.Duration{time.Minute, 2 * time.Minute, time.Minute, 2 * time.Minute, time.Hour, time.Hour} {
		if got := StepOf(x, n).Wait; got != want {
			t.Errorf("step %d waits %v, want %v", n, got, want)
		}
	}
	if x.Steps[1].Wait != 2*time.Minute {
		t.Error("StepOf changed the policy")
	}
}

func TestPutRefuses(t *testing.T) {
	p := team(t)
	for says, x := range map[string]entry.Person{
		"staff id":              {ID: "Anna Keller", Roles: []string{Reader}},
		"means the whole team":  {ID: "everyone", Roles: []string{Reader}},
		"unknown role":          {ID: "emil", Roles: []string{"boss"}},
		"at least one role":     {ID: "emil"},
		"must stay commander":   {ID: "anna", Roles: []string{Reader}},
		"give that role to ano": {ID: "anna", Roles: []string{Commander}, Gone: true},
	} {
		if _, err := p.Put("test", x); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%+v: %v, want %q", x, err, says)
		}
	}
}

func TestSetPolicyRefuses(t *testing.T) {
	p := team(t)
	good := func() entry.Policy {
		return entry.Policy{Steps: []entry.PolicyStep{{Who: []string{Everyone}, Wait: time.Minute}}, Rounds: 1, Every: time.Minute}
	}
	for says, spoil := range map[string]func(*entry.Policy){
		"at least one step":     func(x *entry.Policy) { x.Steps = nil },
		"1 to 20 rounds":        func(x *entry.Policy) { x.Rounds = 0 },
		"repeats every":         func(x *entry.Policy) { x.Every = time.Second },
		"throttle":              func(x *entry.Policy) { x.Throttle = -1 },
		"nobody to ring":        func(x *entry.Policy) { x.Steps[0].Who = nil },
		"wait for an answer":    func(x *entry.Policy) { x.Steps[0].Wait = 0 },
		"neither a person":      func(x *entry.Policy) { x.Steps[0].Who = []string{"zoe"} },
		"unknown channel":       func(x *entry.Policy) { x.Steps[0].By = []string{"pigeon"} },
		"never ends unheard":    func(x *entry.Policy) { x.Steps[0].Who = []string{"anna"} },
		"not in the console":    func(x *entry.Policy) { x.Steps[0].By = []string{Console} },
		"neither a person, nor": func(x *entry.Policy) { x.Steps[0].Who = []string{"role:boss"} },
	} {
		x := good()
		spoil(&x)
		if _, err := p.SetPolicy("test", x); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%+v: %v, want %q", x, err, says)
		}
	}
	d, err := p.SetPolicy("test", good())
	apply(t, p, 9, d, err)
	if got := p.CurrentPolicy(); got.Rounds != 1 || p.PolicyN != 9 {
		t.Errorf("policy in force: %+v of entry %d", got, p.PolicyN)
	}
}

func TestDefaultPolicyIsTaken(t *testing.T) {
	if _, err := new(Plan).SetPolicy("test", DefaultPolicy()); err != nil {
		t.Error(err)
	}
}

func TestPasswordNeedsAPerson(t *testing.T) {
	p := team(t)
	for _, id := range []string{"zoe", "chen"} {
		if _, err := p.SetPassword("test", id, "v"); err == nil {
			t.Errorf("%s got a password", id)
		}
	}
	d, err := p.SetPassword("test", "anna", "v1")
	apply(t, p, 7, d, err)
	if p.Passwords["anna"] != "v1" {
		t.Error("anna has none")
	}
}

func TestIDsAndPasswordsOfThoseWhoWent(t *testing.T) {
	p := team(t)
	emil := entry.Person{ID: "emil", Roles: []string{Analyst}}
	d, err := p.Add("test", emil)
	apply(t, p, 5, d, err)
	d, err = p.SetPassword("test", "emil", "v1")
	apply(t, p, 6, d, err)
	gone := emil
	gone.Gone = true
	d, err = p.Put("test", gone)
	apply(t, p, 7, d, err)
	if _, has := p.Passwords["emil"]; has || p.Left["emil"] != 7 {
		t.Errorf("who went keeps a password (%v), and went at entry %d", has, p.Left["emil"])
	}
	for _, id := range []string{"emil", "chen", "anna"} {
		if _, err := p.Add("test", entry.Person{ID: id, Roles: []string{Reader}}); !errors.Is(err, ErrTaken) {
			t.Errorf("%s is added anew: %v", id, err)
		}
	}
	d, err = p.Put("test", emil)
	apply(t, p, 8, d, err)
	if _, has := p.Passwords["emil"]; has {
		t.Error("who comes back has the old password")
	}
}

func TestSomebodyWhoCanSignInStaysCommander(t *testing.T) {
	p := team(t)
	d, err := p.Put("test", entry.Person{ID: "dora", Roles: []string{Commander}})
	apply(t, p, 5, d, err)
	d, err = p.SetPassword("test", "anna", "v1")
	apply(t, p, 6, d, err)
	gone := entry.Person{ID: "anna", Roles: []string{Commander}, Gone: true}
	if _, err := p.Put("test", gone); err == nil || !strings.Contains(err.Error(), "can sign in") {
		t.Errorf("the only one who can sign in may go: %v", err)
	}
	d, err = p.SetPassword("test", "dora", "v2")
	apply(t, p, 7, d, err)
	if _, err := p.Put("test", gone); err != nil {
		t.Errorf("one of two may not go: %v", err)
	}
}
