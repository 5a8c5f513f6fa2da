package desk

import (
	"bytes"
	"errors"
	"io/fs"
	"path"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"tocsin/internal/disk"
	"tocsin/internal/signin"
)

// race does something eight times at once and counts how often it was accepted.
func race(try func() error) (accepted int) {
	var wg sync.WaitGroup
	results := make(chan error, 8)
	for range cap(results) {
		wg.Go(func() { results <- try() })
	}
	wg.Wait()
	close(results)
	for err := range results {
		if err == nil {
			accepted++
		}
	}
	return accepted
}

// Given one code, when many show it at once, then one of them is in: of the app, on paper, and from the safe.
func TestOneCodeLetsOneIn(t *testing.T) {
	h := newHouse(t)
	d, stop := h.start()
	defer stop()
	anna, app := annaWithApp(t, h, d)
	codes, err := d.NewRecovery(anna)
	if err != nil {
		t.Fatal(err)
	}
	sheets, err := d.MakeSheets(Local("test"), 1)
	if err != nil {
		t.Fatal(err)
	}
	next := app.Code(time.Now().Add(30 * time.Second))
	for name, try := range map[string]func() error{
		"the app's code": func() error {
			return d.checkCode("anna", next, "", &Accepted{Actor: anna})
		},
		"a recovery code": func() error {
			return d.checkCode("anna", codes[0], "", &Accepted{Actor: anna})
		},
		"a sheet": func() error {
			_, _, err := d.UseSheet(sheets[0].Code, "192.0.2.1", "s")
			return err
		},
	} {
		if n := race(try); n != 1 {
			t.Errorf("%s let %d in", name, n)
		}
	}
}

// Given a password, when years go by, then it is still the password: nobody is made to change one (NIST SP 800-63B-4 3.1.1.2). A one-time link ends after a day.
func TestPasswordsDoNotEndAndLinksDo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		d, stop := h.start()
		defer func() { stop() }()
		h.team(d)
		if err := d.SetPassword(t.Context(), Local("test"), "anna", annasPassword); err != nil {
			t.Fatal(err)
		}
		link, err := d.Invite(Local("test"), "boris")
		if err != nil {
			t.Fatal(err)
		}
		token := link[strings.LastIndex(link, "/")+1:]
		if _, err := d.OpenSetup(token); err != nil {
			t.Errorf("the link at once: %v", err)
		}
		stop()
		time.Sleep(inviteWithin)
		d, stop = h.start()
		if _, err := d.OpenSetup(token); !errors.Is(err, signin.ErrExpired) {
			t.Errorf("the link a day later: %v", err)
		}
		stop()
		time.Sleep(3 * 365 * 24 * time.Hour)
		d, stop = h.start()
		if _, err := d.SignIn(t.Context(), "anna", annasPassword, "192.0.2.1"); err != nil {
			t.Errorf("the password after three years: %v", err)
		}
	})
}

// Given passwords, apps, codes, sheets and tokens, then no file of the data folder has one of them, or its hash, in a form that can be read without the key.
func TestNothingThatOpensIsInTheDataFolder(t *testing.T) {
	h := newHouse(t)
	d, stop := h.start()
	anna, app := annaWithApp(t, h, d)
	codes, err := d.NewRecovery(anna)
	if err != nil {
		t.Fatal(err)
	}
	sheets, err := d.MakeSheets(Local("test"), 1)
	if err != nil {
		t.Fatal(err)
	}
	c, err := d.Credentials("anna")
	if err != nil {
		t.Fatal(err)
	}
	stop()
	secrets := map[string][]byte{"the password": []byte(annasPassword), "its hash": []byte("$argon2id$"), "the app's secret": app.Secret, "a recovery code": []byte(codes[0]),
		"the hash of one": []byte(c.Recovery[0]), "a sheet": []byte(sheets[0].Code)}
	files := 0
	var look func(dir string)
	look = func(dir string) {
		entries, err := h.data.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			name := path.Join(dir, e.Name())
			if e.IsDir() {
				look(name)
				continue
			}
			b, err := disk.ReadFile(h.data, name)
			if err != nil && !errors.Is(err, fs.ErrNotExist) {
				t.Fatal(err)
			}
			files++
			for what, secret := range secrets {
				if bytes.Contains(b, secret) {
					t.Errorf("%s has %s", name, what)
				}
			}
		}
	}
	look(".")
	if files < 5 {
		t.Errorf("%d files were looked at", files)
	}
}
