package dossier

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"tocsin/internal/playbook"
)

// Given a plan with hostile words, when it becomes a document and a PDF, then each part is there once, in order, harmless, and begins a page.
func TestPlan(t *testing.T) {
	w := playbook.Whole{Organisation: "Shop\u202e & Sons", Printed: time.Date(2026, 11, 29, 8, 0, 0, 0, time.UTC), Head: "12 entries, abc",
		Contacts:  []playbook.ContactGroup{{Name: "Team", Contacts: []playbook.Contact{{Name: "Anna\nKeller", Role: "Commander", Ways: []string{"voice: +49 170 1", "mail: a@b.example"}}}}},
		Roles:     []playbook.RoleText{{Name: "Commander", Duties: "- may decide\n- may close", People: []string{"Anna"}}},
		Playbooks: []playbook.Edition{{Playbook: &playbook.Playbook{ID: "skimmer", Title: "Skimmer", Summary: "Foreign code.", Owner: "analyst", Review: 90, Signs: []string{"a new script"}}, Revision: strings.Repeat("ab", 32)}},
		Glossary:  []playbook.Term{{Word: "IOC", Says: "a sign"}},
		History:   []playbook.HistoryLine{{At: time.Date(2026, 10, 1, 8, 0, 0, 0, time.UTC), Part: "Skimmer", What: "added", By: "anna", Why: "new <b>shop</b>", ApprovedBy: "boris"}},
	}
	d := Plan(w)
	var ids []string
	for _, s := range d.Sections {
		ids = append(ids, s.ID)
		if s.Apart == (s.ID == "contents") {
			t.Errorf("%s: apart is %v", s.ID, s.Apart)
		}
	}
	if got, want := strings.Join(ids, " "), "contents contacts roles playbook-skimmer glossary history"; got != want {
		t.Errorf("the parts are %s, want %s", got, want)
	}
	text := d.Text()
	for _, want := range []string{"Shop[U+202E] & Sons", "12 entries, abc", "Anna ¶ Keller", "+49 170 1", "may close", "Foreign code.", "a new script", "a sign", "new <b>shop</b>", "boris"} {
		if !strings.Contains(text, want) {
			t.Errorf("it lacks %q:\n%s", want, text)
		}
	}
	pdf, err := PDF(d)
	if err != nil || !bytes.HasPrefix(pdf, []byte("%PDF-")) {
		t.Fatalf("%v, %.20q", err, pdf)
	}
	if pages := bytes.Count(pdf, []byte("/Type /Page\n")); pages < len(ids) {
		t.Errorf("%d pages for %d parts", pages, len(ids))
	}
	if again, err := PDF(Plan(w)); err != nil || !bytes.Equal(again, pdf) {
		t.Errorf("the same plan is another PDF: %v", err)
	}
	if empty := Plan(playbook.Whole{}); len(empty.Sections) < 3 || empty.Title == "" {
		t.Errorf("an empty plan: %+v", empty)
	}
}
