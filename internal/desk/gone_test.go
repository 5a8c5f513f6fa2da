package desk

import (
	"errors"
	"strings"
	"testing"

	"tocsin/internal/plan"
)

// An id stays one person's for ever, and who comes back comes back without the old password and without old invitations.
func TestGoneAndBack(t *testing.T) {
	h := newHouse(t)
	d, stop := h.start()
	defer stop()
	h.team(d)
	token := func() string {
		t.Helper()
		link, err := d.Invite(Local("test"), "boris")
		if err != nil {
			t.Fatal(err)
		}
		return link[strings.LastIndex(link, "/")+1:]
	}
	const password = "correct horse battery"
	signIn := func() error {
		_, err := d.SignIn(t.Context(), "boris", password, "192.0.2.1")
		return err
	}
	put := func(gone bool) {
		t.Helper()
		if err := d.PutPerson(Local("test"), "boris", []string{plan.Engineer}, Contact{Name: "Boris", Mail: "boris@shop.example"}, gone); err != nil {
			t.Fatal(err)
		}
	}
	first := token()
	if err := errors.Join(d.TakeInvite(t.Context(), first, password), signIn()); err != nil {
		t.Fatal(err)
	}
	second := token()
	put(true)
	for _, id := range []string{"boris", "anna"} {
		err := d.AddPerson(Local("test"), id, []string{plan.Commander}, Contact{Name: "Somebody else"})
		if f, ok := errors.AsType[FieldError](err); !ok || f.Field != "id" {
			t.Errorf("%s is added anew: %v", id, err)
		}
	}
	put(false)
	if err := signIn(); !errors.Is(err, ErrWrong) {
		t.Errorf("back, with the old password: %v", err)
	}
	for name, old := range map[string]string{"used": first, "not used": second} {
		if err := d.TakeInvite(t.Context(), old, password); err == nil {
			t.Errorf("back, with the invitation of before (%s)", name)
		}
	}
	if err := errors.Join(d.TakeInvite(t.Context(), token(), password), signIn()); err != nil {
		t.Errorf("back, with a new password: %v", err)
	}
	if err := d.AddPerson(Local("test"), "emil", []string{plan.Reader}, Contact{Name: "Emil"}); err != nil {
		t.Error(err)
	}
}
