package desk

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"tocsin/internal/auth"
	"tocsin/internal/entry"
	"tocsin/internal/plan"
	"tocsin/internal/vault"
)

// pair makes two people who can approve for each other.
func (h *house) pair(d *Desk) (anna, boris auth.Actor) {
	h.t.Helper()
	h.team(d)
	err := errors.Join(d.SetPassword(h.t.Context(), Local("test"), "anna", annasPassword), d.SetPassword(h.t.Context(), Local("test"), "boris", annasPassword))
	if err != nil {
		h.t.Fatal(err)
	}
	anna, boris = h.person(d, "anna"), h.person(d, "boris")
	anna.Via, boris.Via = "s1", "s2"
	return anna, boris
}

// approval is the approval that an error speaks of.
func (h *house) approval(err error) int64 {
	h.t.Helper()
	a, ok := errors.AsType[Asked](err)
	if !ok {
		h.t.Fatalf("nothing was asked for: %v", err)
	}
	return a.ID
}

// Giving the roles that can do everything, and destroying details, wait for another person; who asked cannot approve, nor who may not do it; a denial ends it.
func TestDangerousActsNeedTwo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		now := time.Now()
		d, stop := h.start()
		defer stop()
		anna, boris := h.pair(d)
		h.watching(d, now.Add(-time.Hour))
		h.feed(d, request(now, "203.0.113.9", "/evil"))
		time.Sleep(time.Minute)
		alert, ref := h.alertOf(d, evilRule)
		acts := map[string]struct {
			ask  func(a auth.Actor) error
			done func() bool
		}{
			"commander": {func(a auth.Actor) error {
				return d.PutPerson(a, "boris", []string{plan.Engineer, plan.Commander}, Contact{Name: "Boris", Mail: "boris@shop.example"}, false)
			}, func() bool { p, _ := d.Person("boris"); return slices.Contains(p.Roles, plan.Commander) }},
			"administrator": {func(a auth.Actor) error {
				return d.AddPerson(a, "carla", []string{"administrator"}, Contact{Name: "Carla"})
			}, func() bool { _, ok := d.Person("carla"); return ok }},
			"erase": {func(a auth.Actor) error { return d.EraseAlert(a, alert, "asked by the customer") },
				func() bool { _, err := d.vault.Get(ref); return errors.Is(err, vault.ErrErased) }},
		}
		for name, act := range acts {
			id := h.approval(act.ask(anna))
			time.Sleep(time.Minute)
			if act.done() {
				t.Errorf("%s: done without a second person", name)
			}
			analyst := auth.Actor{Name: "person:rita", ID: "rita", Roles: []string{"analyst"}, Via: "s3"}
			token := boris
			token.Scope = auth.Actions()
			weak := boris
			weak.Weak = true
			objects := h.size(vaultDir)
			for who, a := range map[string]auth.Actor{"who asked": anna, "an analyst": analyst, "a token": token, "somebody without a second factor": weak} {
				if err := d.Approve(a, id, true, "I say so"); err == nil {
					t.Errorf("%s: %s may approve", name, who)
				}
			}
			if n := h.size(vaultDir) - objects; n != 0 {
				t.Errorf("%s: what was refused left %d bytes in the vault", name, n)
			}
			if err := d.Approve(boris, id, false, "no"); err != nil {
				t.Errorf("%s: denying: %v", name, err)
			}
			time.Sleep(time.Minute)
			if err := d.Approve(boris, id, true, ""); err == nil || act.done() {
				t.Errorf("%s: approved after it was denied", name)
			}
			id = h.approval(act.ask(anna))
			if err := d.Approve(boris, id, true, ""); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			time.Sleep(time.Minute)
			if !act.done() {
				t.Errorf("%s: not done after the approval", name)
			}
		}
		h.want(d, entry.ApprovalDone, 3)
		if _, ok := errors.AsType[Asked](d.PutPerson(anna, "carla", []string{"reader"}, Contact{Name: "Carla"}, false)); ok {
			t.Error("taking a dangerous role away needs a second person")
		}
	})
}

// Given something that is approved, when the program is killed at each step of doing it, then the next start does it once, and one after that not again.
func TestApprovedIsDoneOnceOverACrash(t *testing.T) {
	for n := 0; ; n++ {
		over := false
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			h := newHouse(t)
			h.rough = true
			o := h.o
			o.Data, o.Keys = h.data, h.keys
			d, err := Open(slog.New(slog.NewTextHandler(h, nil)), o) // its bell does not run
			if err != nil {
				t.Fatal(err)
			}
			anna, boris := h.pair(d)
			id := h.approval(d.PutPerson(anna, "boris", []string{plan.Engineer, plan.Commander}, Contact{Name: "Boris"}, false))
			if err := d.Approve(boris, id, true, ""); err != nil {
				t.Fatal(err)
			}
			before := h.entries(d)[entry.PersonPut]
			h.data.FailAfter(h.data.Ops() + n)
			d.settleApprovals()
			d.Read(func(s *State) {
				x, err := s.Approvals.Get(id)
				over = d.broken == nil && err == nil && x.State != "approved"
			})
			h.data = h.data.Crash()
			_ = d.Close() // the folder is gone
			for start := range 2 {
				d, stop := h.start()
				h.soon(func() bool { return h.entries(d)[entry.ApprovalDone] > 0 })
				h.want(d, entry.ApprovalDone, 1)
				h.want(d, entry.PersonPut, before+1)
				if p, _ := d.Person("boris"); !slices.Contains(p.Roles, plan.Commander) {
					t.Errorf("start %d: not done", start+1)
				}
				stop()
			}
		})
		if t.Failed() || over {
			return
		}
		if n > 40 {
			t.Fatal("the act never ends")
		}
	}
}
