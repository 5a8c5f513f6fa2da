package desk

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"tocsin/internal/auth"
	"tocsin/internal/entry"
	"tocsin/internal/incident"
	"tocsin/internal/ledger"
	"tocsin/internal/plan"
)

// Given an incident of which people wrote, when its report is made, then it says so in each format, is signed, stands in the ledger, and a changed byte is found.
func TestDossier(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, d, stop := burns(t)
		defer stop()
		anna := auth.Actor{Name: "anna", ID: "anna", Local: true}
		must(t, d.Write(anna, 1, NoteText{Text: "the host is imaged"}))
		n, err := d.AddMeasure(anna, 1, MeasureText{Text: "patch the shop", Owner: "anna", Due: time.Now().Add(24 * time.Hour)})
		must(t, err, d.StepMeasure(anna, 1, n, "done", "it is patched"))
		if list, err := d.Measures(anna, 1); err != nil || len(list) != 1 || list[0].Text != "patch the shop" || list[0].State != "done" {
			t.Errorf("measures: %+v, %v", list, err)
		}
		if err := d.StepMeasure(anna, 1, n, "verified", "I looked"); err == nil {
			t.Error("who carried it out verifies it")
		}
		must(t, d.PutAffected(anna, 1, AffectedText{Systems: "shop-9; front; was changed; restored", Data: "card numbers; copied; 312", People: "customers; ?; Germany", Costs: "sales lost; 1250 EUR; estimate"}))
		if err := d.PutAffected(anna, 1, AffectedText{Costs: "a lot; many EUR"}); err == nil {
			t.Error("what is no amount is kept")
		}
		must(t, d.Answer(anna, 1, "console"))
		_, err = d.AddTask(anna, 1, TaskAsk{Title: "ask the acquirer", Person: "anna"})
		must(t, err)
		key, err := ledger.ParseVerifier(d.key.Public().String())
		must(t, err)
		for _, form := range []string{"html", "md", "docx", "pdf"} {
			m, err := d.Dossier(anna, 1, DossierAsk{Form: form})
			must(t, err)
			for _, want := range []string{"the host is imaged", "patch the shop", "shop-9", "card numbers", "312", "Germany", "1250.00 EUR", "call 1 was answered by", "the first alert was raised (entry", "no containment is marked as done",
				"What is affected: system: shop-9", "rung", "ask the acquirer", "1 log line; it opened the incident"} {
				if text := strings.NewReplacer(`\`, "", "&#34;", `"`).Replace(string(m.Bytes)); (form == "html" || form == "md") && !strings.Contains(text, want) {
					t.Errorf("%s lacks %q", form, want)
				}
			}
			if _, err := VerifyDossier("renamed."+form, m.Bytes, m.Manifest, key); err != nil {
				t.Errorf("%s: %v", form, err)
			}
			changed := bytes.Clone(m.Bytes)
			changed[len(changed)/2] ^= 1
			if _, err := VerifyDossier(m.Name, changed, m.Manifest, key); err == nil {
				t.Errorf("%s: a changed byte is not found", form)
			}
			c, err := VerifyDossier(m.Name, m.Bytes, m.Manifest, key)
			must(t, err)
			o := Offline{Data: d.o.Data, key: key}
			if e, err := o.AgainstLedger(c, m.Bytes); err != nil || e.Kind != entry.DossierMade {
				t.Errorf("%s does not fit the ledger: %v", form, err)
			}
			c.Manifest.Head.Root = "AAAArqSuTCJzUKDNIrCDK7hNmIt3slCZ6Hw+4DnvjpE="
			if _, err := o.AgainstLedger(c, m.Bytes); err == nil || !strings.Contains(err.Error(), "forked") {
				t.Errorf("a head of another history: %v", err)
			}
			packed, err := m.Packed(time.Now())
			must(t, err)
			if name, report, manifest, err := UnpackDossier(packed); err != nil || name != m.Name || !bytes.Equal(report, m.Bytes) || !bytes.Equal(manifest, m.Manifest) {
				t.Errorf("%s does not come out of its ZIP file: %v", form, err)
			}
		}
		for _, form := range []string{"stix", "veris"} {
			r, err := d.Exchange(anna, 1, form, "")
			must(t, err)
			if r.Objects == 0 {
				t.Errorf("%s is empty", form)
			}
		}
		if n := made(t, d); n != 6 {
			t.Errorf("%d reports stand in the ledger, want 6", n)
		}
		for _, x := range []DossierAsk{{Form: "exe"}, {Depth: "deep"}, {Audience: "RED"}, {Audience: "WHITE"}, {Form: "pdf", Own: "x"}, {Form: "md", Own: "{{"}} {
			if _, err := d.Dossier(anna, 1, x); err == nil {
				t.Errorf("%+v is made", x)
			} else if _, ok := errors.AsType[FieldError](err); !ok {
				t.Errorf("%+v: %v is not of a field", x, err)
			}
		}
		must(t, d.SetLabel(anna, 1, "", "RED", "named people only"))
		if _, err := d.Dossier(anna, 1, DossierAsk{}); !errors.Is(err, ErrLabel) {
			t.Errorf("of a RED incident: %v", err)
		}
		if _, err := d.Exchange(anna, 1, "stix", "GREEN"); !errors.Is(err, ErrLabel) {
			t.Errorf("a RED incident is exchanged: %v", err)
		}
		if _, err := d.Dossier(anna, 9, DossierAsk{}); !errors.Is(err, incident.ErrNotFound) {
			t.Errorf("of no incident: %v", err)
		}
		if n := made(t, d); n != 6 {
			t.Errorf("what was refused stands in the ledger: %d", n)
		}
	})
}

// Given a restricted incident, when those who are named on it, and others, ask for its report, then only they get one, for their own eyes, with their name; and no wider audience has it.
func TestDossierOfRestricted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, d, stop := burns(t)
		defer stop()
		anna, boris := person("anna", plan.Commander), person("boris", plan.Engineer)
		must(t, d.Write(anna, 1, NoteText{Text: "it may be Carl"}))
		must(t, d.Restrict(anna, 1, "insider", []string{"anna"}))
		if d.MayReportRed(boris, 1) || !d.MayReportRed(anna, 1) {
			t.Error("who is named may, others may not")
		}
		for _, form := range []string{"html", "md", "docx", "pdf"} {
			m, err := d.Dossier(anna, 1, DossierAsk{Form: form, Audience: "RED"})
			must(t, err)
			if text := string(m.Bytes); (form == "html" || form == "md") && (!strings.Contains(text, "it may be Carl") || !strings.Contains(text, "For the named recipient only: ")) {
				t.Errorf("%s does not say for whom it is", form)
			}
		}
		if _, err := d.Dossier(boris, 1, DossierAsk{Audience: "RED"}); !errors.Is(err, incident.ErrNotFound) {
			t.Errorf("boris: %v", err)
		}
		for _, l := range []string{"CLEAR", "GREEN", "AMBER", "AMBER+STRICT"} {
			if _, err := d.Dossier(anna, 1, DossierAsk{Audience: l}); !errors.Is(err, ErrLabel) {
				t.Errorf("for %s: %v", l, err)
			}
		}
	})
}

// FuzzUnpackDossier: whatever comes as a packed report is refused, or comes out as it is packed again.
func FuzzUnpackDossier(f *testing.F) {
	good, err := MadeDossier{Name: "incident-4-full.md", Bytes: []byte("# x"), Manifest: []byte("m")}.Packed(time.Unix(0, 0))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add(good[:len(good)/2])
	f.Add([]byte("PK\x05\x06"))
	f.Fuzz(func(t *testing.T, b []byte) {
		name, report, manifest, err := UnpackDossier(b)
		if err != nil {
			return
		}
		again, err := MadeDossier{Name: name, Bytes: report, Manifest: manifest}.Packed(time.Unix(0, 0))
		if err != nil {
			return // a name that no ZIP file can have
		}
		if n, r, m, err := UnpackDossier(again); err != nil || n != name || !bytes.Equal(r, report) || !bytes.Equal(m, manifest) {
			t.Errorf("%q comes out as %q: %v", name, n, err)
		}
	})
}

// made counts the reports that the ledger knows.
func made(t *testing.T, d *Desk) (n int) {
	t.Helper()
	for e, err := range d.ledger.Entries(1) {
		must(t, err)
		if e.Kind == entry.DossierMade {
			n++
		}
	}
	return n
}
