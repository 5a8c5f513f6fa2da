package desk

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"tocsin/internal/contact"
	"tocsin/internal/entry"
	"tocsin/internal/notify"
)

// bank puts a stakeholder, a text and a rule into the plan.
func (h *house) bank(d *Desk, auto bool) {
	h.t.Helper()
	me := Local("test")
	_, err := d.PutContact(me, entry.Contact{Group: contact.Stakeholders}, contact.Card{Name: "Frau Vogt", Languages: []string{"de"}, Zone: "Europe/Berlin", Ways: []contact.Way{{Kind: contact.Mail, Value: "vogt@board.example"}}})
	text := contact.Text{Name: "First word", Versions: []contact.Version{{Lang: "en", Subject: "Incident {incident.number}", Body: "{status}"},
		{Lang: "de", Subject: "Vorfall {incident.number}", Body: "{status} Schwere: {severity}.\n{status.link}"}}}
	err = errors.Join(err, d.PutTemplate(me, 0, text))
	err = errors.Join(err, d.PutRule(me, entry.StakeholderRule{Group: contact.Stakeholders, Least: "high", Within: time.Hour, Every: 4 * time.Hour, Close: true, Template: 1, Auto: auto}))
	if err != nil {
		h.t.Fatal(err)
	}
}

// toBoard are the mails that the stakeholder got.
func (h *house) toBoard() (out []notify.Message) {
	for _, m := range h.sent() {
		if m.To == "vogt@board.example" {
			out = append(out, m)
		}
	}
	return out
}

// An automatic rule sends when due, in the reader's language, with a link that opens; what cannot be filled waits, and is sent once it can.
func TestUpdateByItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		d, stop := h.start()
		defer stop()
		h.bank(d, true)
		h.feed(d, request(time.Now(), "192.0.2.7", "/evil"))
		time.Sleep(time.Hour + time.Minute)
		synctest.Wait()
		if n := len(h.toBoard()); n != 0 || len(d.Owed(Local("test"), 1, time.Now())) != 1 || !d.Owed(Local("test"), 1, time.Now())[0].Overdue {
			t.Fatalf("%d mails although nothing was written; owed %+v", n, d.Owed(Local("test"), 1, time.Now()))
		}
		err := d.SetStatus(Local("test"), 1, contact.Sentences{Versions: []contact.Version{{Lang: "de", Body: "Wir arbeiten daran."}}}, time.Now().Add(time.Hour))
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		got := h.toBoard()
		if len(got) != 1 || got[0].Subject != "Vorfall 1" || !strings.Contains(got[0].Body, "Wir arbeiten daran. Schwere: hoch.") || strings.Contains(got[0].Body, "192.0.2.7") {
			t.Fatalf("%+v", got)
		}
		h.want(d, entry.UpdateSent, 1)
		_, token, _ := strings.Cut(got[0].Body, "/status/")
		p, err := d.OpenStatus(token)
		if err != nil || p.Lang != "de" || p.Text.Body != "Wir arbeiten daran." || p.Name != "Frau Vogt" {
			t.Errorf("the page: %+v, %v", p, err)
		}
		if err := d.RevokeLinks(Local("test"), 1, "she left"); err != nil {
			t.Fatal(err)
		}
		if _, err := d.OpenStatus(token); !errors.Is(err, contact.ErrLink) {
			t.Errorf("a revoked link opens: %v", err)
		}
		time.Sleep(4 * time.Hour)
		synctest.Wait()
		if n := len(h.toBoard()); n != 2 {
			t.Errorf("after four hours %d mails, want 2", n)
		}
	})
}

// An update that was wanted and has no end when the program dies is sent again with the same Message-ID, and says so.
func TestUpdateAfterRestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		d, stop := h.start()
		h.bank(d, false)
		h.feed(d, request(time.Now(), "192.0.2.7", "/evil"))
		synctest.Wait()
		if err := d.SetStatus(Local("test"), 1, contact.Sentences{Versions: []contact.Version{{Lang: "en", Body: "We work on it."}}}, time.Time{}); err != nil {
			t.Fatal(err)
		}
		var first notify.Message
		h.failing(func(ctx context.Context, m notify.Message) error {
			if m.To == "vogt@board.example" {
				first = m
			}
			<-ctx.Done()
			return &notify.Failure{Temporary: true, Reason: "broken off from our side"}
		})
		o := Owing{Incident: 1, Rule: 1, Contact: 1, Stage: contact.Opened}
		if err := d.SendUpdate(Local("test"), o); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if err := d.SendUpdate(Local("test"), o); err == nil {
			t.Error("it is sent twice while the first is under way")
		}
		stop()
		h.failing(nil)
		time.Sleep(10 * time.Second)
		d, stop = h.start()
		defer stop()
		time.Sleep(time.Second)
		synctest.Wait()
		got := h.toBoard()
		if len(got) != 1 || got[0].ID != first.ID || !got[0].Twice || first.Twice || !strings.Contains(got[0].Subject, "(möglicherweise doppelt)") {
			t.Fatalf("after the restart %+v, want once %q", got, first.ID)
		}
		h.want(d, entry.UpdateSent, 1)
	})
}

// A file is imported as a whole or not at all, and never over a list that changed since its preview.
func TestImportContacts(t *testing.T) {
	h := newHouse(t)
	d, stop := h.start()
	defer stop()
	me := Local("test")
	bad := []byte("name,group,phone\nNOC,providers,+49301234567\nBank,providers,030\n")
	if p, err := d.ImportContacts(me, bad, "", -1); err == nil || p.Refused != 1 {
		t.Errorf("%+v, %v", p, err)
	}
	h.want(d, entry.ContactPut, 0)
	good := []byte("name;group;phone;phrase\nNOC;providers;'+49 30 1234567;blue heron\n")
	_, revision, err := d.PreviewContacts(me, good, "")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.ImportContacts(me, good, "", revision); err != nil {
		t.Fatal(err)
	}
	if _, err := d.ImportContacts(me, []byte("name,group,phone\nNew,providers,+49301234568\n"), "", revision); err == nil || !strings.Contains(err.Error(), "changed since the preview") {
		t.Errorf("over a changed list: %v", err)
	}
	for e, err := range d.ledger.Entries(1) {
		if err != nil {
			t.Fatal(err)
		}
		for _, secret := range []string{"NOC", "1234567", "heron"} {
			if strings.Contains(string(e.Body), secret) {
				t.Errorf("entry %d has %q: %s", e.N, secret, e.Body)
			}
		}
	}
	out, err := d.ExportContacts(me, "csv", false)
	if err != nil || strings.Contains(string(out), "heron") || !strings.Contains(string(out), "NOC") {
		t.Errorf("%s %v", out, err)
	}
	sheet, err := d.Sheet(me, true, time.Now())
	if err != nil || len(sheet.People) != 1 || sheet.People[0].Phrase != "blue heron" {
		t.Errorf("%+v %v", sheet, err)
	}
	if err := d.RemoveContact(me, 1, "asked for it", true); err != nil {
		t.Fatal(err)
	}
	for _, id := range d.state.Contacts.Contacts[0].Objects {
		if _, err := d.vault.Get(id); err == nil {
			t.Error("the card of an erased contact can be read")
		}
	}
}

// Given a link to a status page, when the key of links is turned, then it opens nothing, also after a restart, and a new one does.
func TestStatusLinkKeyIsTurned(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		now := time.Now()
		d, stop := h.start()
		defer func() { stop() }()
		h.bank(d, false)
		h.watching(d, now.Add(-time.Hour))
		h.feed(d, request(now, "203.0.113.9", "/evil"))
		time.Sleep(time.Minute)
		link := func() string {
			l, err := d.StatusLink(Local("test"), 1, 1)
			if err != nil {
				t.Fatal(err)
			}
			return strings.TrimPrefix(l, h.o.URL+"/status/")
		}
		opens := func(when, token string, want error) {
			t.Helper()
			if _, err := d.OpenStatus(token); !errors.Is(err, want) {
				t.Errorf("%s: %v, want %v", when, err, want)
			}
		}
		old := link()
		opens("at first", old, nil)
		if err := d.TurnLinkKey(Local("test"), " "); err == nil {
			t.Error("the key was turned without a reason")
		}
		if err := d.TurnLinkKey(Local("test"), "a link went astray"); err != nil {
			t.Fatal(err)
		}
		opens("the old link", old, contact.ErrLink)
		next := link()
		opens("a new link", next, nil)
		stop()
		d, stop = h.start()
		opens("the old link after a restart", old, contact.ErrLink)
		opens("the new link after a restart", next, nil)
	})
}
