package desk

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"tocsin/internal/auth"
	"tocsin/internal/entry"
	"tocsin/internal/plan"
	"tocsin/internal/signin"
)

// The team of the settings file is taken once and whole: with a mistake in it nothing is.
func TestSeedPlan(t *testing.T) {
	anna := SeedPerson{ID: "anna", Roles: []string{plan.Commander}, Contact: Contact{Name: "Anna", Mail: "anna@shop.example"}}
	for _, x := range []struct {
		name string
		seed Seed
		took bool
		says string
	}{
		{"nothing", Seed{}, false, ""},
		{"a person", Seed{People: []SeedPerson{anna}}, true, ""},
		{"a person and a policy that names her", Seed{People: []SeedPerson{anna}, Policy: &entry.Policy{
			Steps:  []entry.PolicyStep{{Who: []string{"anna"}, Wait: time.Minute}, {Who: []string{plan.Everyone}, Wait: time.Minute}},
			Rounds: 1, Every: time.Minute}}, true, ""},
		{"a policy that names nobody", Seed{People: []SeedPerson{anna}, Policy: &entry.Policy{
			Steps: []entry.PolicyStep{{Who: []string{"boris"}, Wait: time.Minute}}, Rounds: 1, Every: time.Minute}}, false, `escalation: step 1: "boris" is neither`},
		{"a wrong address behind a right one", Seed{People: []SeedPerson{anna, {ID: "boris", Roles: []string{plan.Engineer}, Contact: Contact{Name: "Boris", Mail: "boris"}}}},
			false, `people: boris: "boris" is not a mail address`},
		{"a wrong role", Seed{People: []SeedPerson{anna, {ID: "boris", Roles: []string{"cook"}, Contact: Contact{Name: "Boris"}}}}, false, `people: boris: unknown role "cook"`},
		{"a wrong zone", Seed{People: []SeedPerson{{ID: "boris", Roles: []string{plan.Engineer}, Contact: Contact{Name: "Boris", Zone: "Mars"}}}}, false, `time zone "Mars"`},
	} {
		t.Run(x.name, func(t *testing.T) {
			h := newHouse(t)
			d, stop := h.start()
			defer stop()
			took, err := d.SeedPlan(x.seed)
			if took != x.took || x.says == "" && err != nil || x.says != "" && (err == nil || !strings.Contains(err.Error(), x.says)) {
				t.Fatalf("took %v, %v; want %v, %q", took, err, x.took, x.says)
			}
			people := 0
			d.Read(func(s *State) { people = len(s.Plan.People) })
			if !x.took && people != 0 {
				t.Errorf("%d people of a seed with a mistake were taken", people)
			}
			if again, err := d.SeedPlan(Seed{People: []SeedPerson{anna}}); again != !x.took || err != nil {
				t.Errorf("the mended file: took %v, %v", again, err)
			}
		})
	}
}

// The first setup works once, also when two do it at the same time.
func TestSetupOnce(t *testing.T) {
	h := newHouse(t)
	d, stop := h.start()
	defer stop()
	token := d.SetupLink(time.Now())
	token = token[strings.LastIndex(token, "/")+1:]
	if who, err := d.OpenSetup(token); err != nil || who.ID != "" {
		t.Fatalf("the link: %+v, %v", who, err)
	}
	done := make(chan error, 2)
	for n := range 2 {
		go func() {
			id := []string{"anna", "boris"}[n]
			done <- d.Setup(context.Background(), id, "a long and good sentence "+id[:1], Contact{Name: id})
		}()
	}
	first, second := <-done, <-done
	if first == nil {
		first, second = second, first
	}
	if !errors.Is(first, ErrSetUp) || second != nil {
		t.Errorf("two at once: %v and %v, want one ErrSetUp", first, second)
	}
	if _, err := d.OpenSetup(token); !errors.Is(err, ErrSetUp) {
		t.Errorf("the link afterwards: %v", err)
	}
	if d.NeedsSetup() {
		t.Error("still needs setup")
	}
}

// An invitation is used up by the password that it set.
func TestInvite(t *testing.T) {
	h := newHouse(t)
	d, stop := h.start()
	defer stop()
	h.team(d)
	link, err := d.Invite(Local("test"), "boris")
	if err != nil {
		t.Fatal(err)
	}
	token := link[strings.LastIndex(link, "/")+1:]
	if err := d.TakeInvite(t.Context(), token, "short"); err == nil {
		t.Error("a short password was taken")
	}
	if err := d.TakeInvite(t.Context(), token, "horses eat no cucumber salad"); err != nil {
		t.Fatal(err)
	}
	if err := d.TakeInvite(t.Context(), token, "and another one for the thief"); !errors.Is(err, signin.ErrExpired) {
		t.Errorf("the second use: %v, want ErrExpired", err)
	}
	if _, err := d.SignIn(t.Context(), "boris", "horses eat no cucumber salad", "192.0.2.1"); err != nil {
		t.Error(err)
	}
	if _, err := d.Invite(auth.Actor{Name: "person:eve", ID: "eve", Roles: []string{plan.Reader}}, "boris"); err == nil {
		t.Error("a reader may invite")
	}
}

// What an attacker can cause at will is collapsed: refused sign-ins are an entry per network and hour, and one at each tenfold.
func TestRefusedSigninsCollapse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		d, stop := h.start()
		defer stop()
		h.team(d)
		for n := range 12 {
			address := fmt.Sprintf("192.0.2.%d", n)
			if _, err := d.SignIn(t.Context(), []string{"anna", "nobody"}[n%2], "guess", address); !errors.Is(err, ErrWrong) {
				t.Fatalf("a guess: %v", err)
			}
		}
		for range 120 - 12 { // without the hashing, which takes long on purpose
			if err := d.refuse(d.vault.Hash("network", "192.0.2.0/24")); err != nil {
				t.Fatal(err)
			}
		}
		h.want(d, entry.SigninRefused, 3) // 1, 10, 100
		if _, err := d.SignIn(t.Context(), "anna", "guess", "2001:db8::1"); !errors.Is(err, ErrWrong) {
			t.Fatal(err)
		}
		h.want(d, entry.SigninRefused, 4)
		time.Sleep(time.Hour)
		if _, err := d.SignIn(t.Context(), "anna", "guess", "192.0.2.1"); !errors.Is(err, ErrWrong) {
			t.Fatal(err)
		}
		h.want(d, entry.SigninRefused, 5)
	})
}

// Given wrong tokens from more networks than are counted by themselves, when a password is guessed from another network, then that one is named.
func TestTokensTakeNoNamesFromSignins(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		d, stop := h.start()
		defer stop()
		for n := range networksNamed + 50 {
			if err := d.RefuseToken(fmt.Sprintf("2001:db8:%x::1", n)); err != nil {
				t.Fatal(err)
			}
		}
		h.want(d, entry.SigninRefused, networksNamed+2) // of all others the first and the tenth
		if err := d.refuse(d.vault.Hash("network", "192.0.2.0/24")); err != nil {
			t.Fatal(err)
		}
		h.want(d, entry.SigninRefused, networksNamed+3)
	})
}

// Given a person who was read, when somebody else changes them meanwhile, then a change made from what was read is refused and undoes nothing.
func TestChangeOfAPersonThatMoved(t *testing.T) {
	carla := Contact{Name: "Carla", Mail: "carla@shop.example"}
	for _, x := range []struct {
		name  string
		then  func(d *Desk) error
		roles []string // that the change is to give
	}{
		{"they are gone", func(d *Desk) error {
			return d.PutPerson(Local("test"), "carla", []string{plan.Analyst, plan.Legal}, carla, true)
		}, []string{plan.Analyst, plan.Legal}},
		{"a role was removed", func(d *Desk) error { return d.PutPerson(Local("test"), "carla", []string{plan.Legal}, carla, false) }, []string{plan.Analyst, plan.Legal}},
		{"they are gone, and power is given", func(d *Desk) error { return d.PutPerson(Local("test"), "carla", []string{plan.Legal}, carla, true) }, []string{plan.Commander}},
	} {
		t.Run(x.name, func(t *testing.T) {
			h := newHouse(t)
			d, stop := h.start()
			defer stop()
			h.team(d)
			read := func() (p entry.Person) { d.Read(func(s *State) { p = s.Plan.People["carla"] }); return p }
			if err := d.PutPerson(Local("test"), "carla", []string{plan.Analyst, plan.Legal}, carla, false); err != nil {
				t.Fatal(err)
			}
			was := read()
			if err := x.then(d); err != nil {
				t.Fatal(err)
			}
			since := read()
			anna, _ := d.Person("anna")
			if err := d.ChangePerson(Actor(anna), was, x.roles, carla, was.Gone); !errors.Is(err, ErrMoved) {
				t.Errorf("a change made from what was: %v", err)
			}
			if now := read(); !reflect.DeepEqual(now, since) {
				t.Errorf("%+v is %+v", since, now)
			}
			if err := d.ChangePerson(Local("test"), since, []string{plan.Legal}, carla, since.Gone); err != nil {
				t.Errorf("a change made from what is: %v", err)
			}
		})
	}
}

// What a person wrote is in the vault; when it is erased the timeline stays and says so. Who may not act leaves nothing there.
func TestTextErased(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		d, stop := h.start()
		defer stop()
		h.team(d)
		h.feed(d, request(time.Now(), "192.0.2.7", "/evil"))
		synctest.Wait()
		before := h.size(vaultDir)
		reader := auth.Actor{Name: "person:eve", ID: "eve", Roles: []string{plan.Reader}}
		if err := d.Note(reader, 1, strings.Repeat("x", 5000), time.Time{}); err == nil {
			t.Error("a reader may note")
		}
		if err := d.SetSeverity(reader, 1, "low", strings.Repeat("x", 5000)); err == nil {
			t.Error("a reader may change the severity")
		}
		if n := h.size(vaultDir) - before; n != 0 {
			t.Errorf("the refused left %d bytes in the vault", n)
		}
		if err := d.Note(Local("test"), 1, "Anna phoned the bank", time.Time{}); err != nil {
			t.Fatal(err)
		}
		var id string
		d.Read(func(s *State) {
			marks := s.Incidents.Incidents[0].Timeline
			id = marks[len(marks)-1].Ref
		})
		if got := d.Text(id); got != "Anna phoned the bank" {
			t.Errorf("the note: %q", got)
		}
		if err := d.vault.Erase(id); err != nil {
			t.Fatal(err)
		}
		if got := d.Text(id); got != "(erased)" {
			t.Errorf("the erased note: %q", got)
		}
		if err := d.Note(Local("test"), 1, strings.Repeat("x", 20_001), time.Time{}); err == nil {
			t.Error("a note beyond the limit was taken")
		}
		if err := d.Note(Local("test"), 1, "soon", time.Now().Add(time.Hour)); err == nil {
			t.Error("a note of the future was taken")
		}
	})
}
