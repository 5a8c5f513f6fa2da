package desk

import (
	"errors"
	"testing"
	"time"

	"tocsin/internal/auth"
	"tocsin/internal/disk"
	"tocsin/internal/entry"
	"tocsin/internal/vault"
)

// What was erased stays erased: while the alert goes on, after a restart, and when vault and keys come back from a backup.
func TestEraseAlert(t *testing.T) {
	h := newHouse(t)
	d, stop := h.start()
	now := time.Now()
	h.watching(d, now.Add(-time.Hour))
	attack := func(n int) (lines []string) {
		for range n {
			lines = append(lines, request(now, "203.0.113.9", "/evil"))
		}
		return lines
	}
	h.feed(d, attack(1)...)
	h.feed(d, request(now, "198.51.100.7", "/odd"))
	h.soon(func() bool { return h.entries(d)[entry.AlertRaised] == 2 })
	h.feed(d, attack(9)...)
	h.soon(func() bool { return h.entries(d)[entry.AlertGrew] == 1 })
	id, newest := h.alertOf(d, evilRule)
	_, other := h.alertOf(d, oddRule)
	all, err := d.detailsOf(id)
	if err != nil || len(all) != 2 {
		t.Fatalf("the ledger names %d objects of the alert, %v", len(all), err)
	}
	backup := map[disk.Layer]map[string][]byte{h.data: h.copied(h.data, vaultDir), h.keys: h.copied(h.keys, ".")}

	reader := auth.Actor{Name: "person:rita", ID: "rita", Roles: []string{"analyst"}}
	if _, ok := errors.AsType[auth.Refusal](d.EraseAlert(reader, id, "asked by the customer")); !ok {
		t.Error("an analyst may erase")
	}
	for name, err := range map[string]error{"no reason": d.EraseAlert(Local("test"), id, " "), "no such alert": d.EraseAlert(Local("test"), "none", "asked")} {
		if err == nil {
			t.Errorf("%s: erased", name)
		}
	}
	h.want(d, entry.VaultErased, 0)
	if err := d.EraseAlert(Local("test"), id, "asked by the customer"); err != nil {
		t.Fatal(err)
	}
	erased := func(when string) {
		t.Helper()
		for _, ref := range append(all, newest) {
			if _, err := d.Details(ref); !errors.Is(err, vault.ErrErased) {
				t.Errorf("%s: the details can be read: %v", when, err)
			}
		}
		if _, err := d.Details(other); err != nil {
			t.Errorf("%s: details of another alert: %v", when, err)
		}
		h.want(d, entry.VaultErased, 1)
	}
	erased("at once")
	h.feed(d, attack(90)...)
	h.soon(func() bool { return h.entries(d)[entry.AlertGrew] == 2 })
	if again, err := d.detailsOf(id); err != nil || len(again) != 2 {
		t.Errorf("the alert that goes on has %d details, %v", len(again), err)
	}
	stop()

	d, stop = h.start()
	erased("after a restart")
	stop()
	for layer, files := range backup {
		for name, b := range files {
			if err := disk.Replace(layer, name, b); err != nil {
				t.Fatal(err)
			}
		}
	}
	v, _, err := vault.Open(h.data, vaultDir, h.keys, vault.Options{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := v.Get(newest); err != nil {
		t.Fatalf("the backup does not hold what was erased, so this test shows nothing: %v", err)
	}
	if err := v.Close(); err != nil {
		t.Fatal(err)
	}
	d, stop = h.start()
	defer stop()
	erased("after a backup came back")
}

// alertOf returns the id and details of the alert of a rule.
func (h *house) alertOf(d *Desk, rule string) (id, ref string) {
	h.t.Helper()
	d.Read(func(s *State) {
		for _, a := range s.Incidents.Alerts {
			if a.Rule == rule {
				id, ref = a.ID, a.Vault
			}
		}
	})
	if id == "" {
		h.t.Fatalf("no alert of rule %s", rule)
	}
	return id, ref
}

// copied returns the files of a folder.
func (h *house) copied(l disk.Layer, dir string) map[string][]byte {
	h.t.Helper()
	names, err := l.ReadDir(dir)
	if err != nil {
		h.t.Fatal(err)
	}
	out := map[string][]byte{}
	for _, e := range names {
		if e.IsDir() {
			continue
		}
		name := e.Name()
		if dir != "." {
			name = dir + "/" + name
		}
		if out[name], err = disk.ReadFile(l, name); err != nil {
			h.t.Fatal(err)
		}
	}
	return out
}

// soon waits until something is true.
func (h *house) soon(is func() bool) {
	h.t.Helper()
	for end := time.Now().Add(20 * time.Second); !is(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			h.t.Fatal("it did not come true")
		}
	}
}
