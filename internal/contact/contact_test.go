package contact

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tocsin/internal/entry"
)

var t0 = time.Date(2026, 11, 27, 9, 0, 0, 0, time.UTC) // a Black Friday

func zones(name string) bool { return name == "Europe/Berlin" || name == "UTC" }

func staff(id string) bool { return id == "anna" || id == "boris" }

func night() Card {
	return Card{Name: "Night desk", Organisation: "Hoster GmbH", Role: "Support", Duties: "switch the shop's network off\nrestore snapshots", Hours: "24/7", Zone: "Europe/Berlin",
		Languages: []string{"de", "en"}, CallBack: "+49 30 123456", Phrase: "blue heron", Number: "K-77, old", Note: "=1+1",
		Ways: []Way{{Phone, "+49 (30) 12-3456", "switchboard"}, {Mail, "noc@hoster.example", ""}, {SIP, "sips:noc@hoster.example:5061", ""}, {Chat, "#shop-noc", ""}, {Form, "https://hoster.example/form?a=1,2;3", ""}}}
}

func TestCheck(t *testing.T) {
	c := night()
	if wrong := Check(&c, zones); len(wrong) > 0 {
		t.Fatalf("a good card: %v", wrong)
	}
	if c.Ways[0].Value != "+4930123456" || c.CallBack != "+4930123456" || c.Version != CardVersion {
		t.Errorf("not in its one form: %+v", c)
	}
	for _, x := range []struct {
		name, field, says string
		change            func(*Card)
	}{
		{"no name", "name", "needs a name", func(c *Card) { c.Name = " \t" }},
		{"zero before the area", "way.1", "begins with a zero", func(c *Card) { c.Ways[0].Value = "030 123456" }},
		{"zero in brackets", "way.1", "zero in brackets", func(c *Card) { c.Ways[0].Value = "+49 (0)30 123456" }},
		{"letters in a number", "way.1", "E.164", func(c *Card) { c.Ways[0].Value = "+49 SHOP" }},
		{"mail with a name", "way.2", "address alone", func(c *Card) { c.Ways[1].Value = "NOC <noc@hoster.example>" }},
		{"mail with a line end", "way.2", "address", func(c *Card) { c.Ways[1].Value = "a@b.example\r\nBcc: x@y.example" }},
		{"mail without a dot", "way.2", "not a mail address", func(c *Card) { c.Ways[1].Value = "noc@hoster" }},
		{"sip in the clear", "way.3", "encrypted", func(c *Card) { c.Ways[2].Value = "sip:noc@hoster.example" }},
		{"script as a form", "way.5", "https://", func(c *Card) { c.Ways[4].Value = "javascript:alert(1)" }},
		{"password in a form", "way.5", "https://", func(c *Card) { c.Ways[4].Value = "https://a:b@hoster.example/" }},
		{"twice", "way.2", "twice", func(c *Card) { c.Ways[1] = c.Ways[0] }},
		{"unknown way", "way.1", `Unknown way "fax"`, func(c *Card) { c.Ways[0].Kind = "fax" }},
		{"zone", "zone", "Europe/Berlin", func(c *Card) { c.Zone = "Berlin" }},
		{"language", "languages", "BCP 47", func(c *Card) { c.Languages = []string{"deutsch"} }},
		{"hours", "hours", "24/7", func(c *Card) { c.Hours = "always" }},
		{"hours of no day", "hours", "no day has", func(c *Card) { c.Hours = "Mo 25:00-26:00" }},
		{"hidden text", "name", "U+202E", func(c *Card) { c.Name = "a\u202eb" }},
		{"too long", "note", "longer", func(c *Card) { c.Note = strings.Repeat("x", 2001) }},
		{"no way", "way.1", "at least one", func(c *Card) { c.Ways = nil }},
	} {
		c := night()
		c.Ways = slices.Clone(c.Ways)
		x.change(&c)
		wrong := Check(&c, zones)
		if len(wrong) != 1 || wrong[0].Field != x.field || !strings.Contains(wrong[0].Says, x.says) || !strings.HasSuffix(wrong[0].Says, ".") {
			t.Errorf("%s: %+v, want %s: …%s….", x.name, wrong, x.field, x.says)
		}
	}
}

func TestHours(t *testing.T) {
	berlin := time.FixedZone("CET", 3600)
	for _, x := range []struct {
		text, form string
		at         string
		open       bool
	}{
		{"24/7", "24/7", "2026-11-27T03:00:00Z", true},
		{"Mo-Fr 8:00-18:00", "Mo-Fr 08:00-18:00", "2026-11-27T07:00:00Z", true},     // a Friday, 08:00 in Berlin
		{"Mo-Fr 8:00-18:00", "Mo-Fr 08:00-18:00", "2026-11-27T17:00:00Z", false},    // 18:00
		{"mo-do,fr 8.00–18.00", "Mo-Fr 08:00-18:00", "2026-11-28T09:00:00Z", false}, // a Saturday
		{"Fr 22:00-06:00", "Fr 22:00-06:00", "2026-11-28T04:59:00Z", true},
		{"Fr 22:00-06:00", "Fr 22:00-06:00", "2026-11-28T05:00:00Z", false},
		{"00:00-24:00", "00:00-24:00", "2026-11-28T22:59:00Z", true},
		{"Sa-Mo 09:00-10:00; We 9:00-10:00", "Mo,Sa,Su 09:00-10:00; We 09:00-10:00", "2026-11-29T08:30:00Z", true},
	} {
		h, err := ParseHours(x.text)
		if err != nil || h.String() != x.form {
			t.Errorf("%q: %q, %v, want %q", x.text, h, err, x.form)
			continue
		}
		at, err := time.Parse(time.RFC3339, x.at)
		if err != nil {
			t.Fatal(err)
		}
		if open, known := h.Open(at, berlin); open != x.open || !known {
			t.Errorf("%q at %s: open %v, want %v", x.text, x.at, open, x.open)
		}
	}
	if open, known := (Hours{}).Open(t0, berlin); open || known {
		t.Error("unknown hours are known")
	}
}

// A ledger folds entries as the real one does.
type ledger struct {
	t *testing.T
	b Book
	n int64
}

func (l *ledger) add(at time.Time, d entry.Draft, err error) {
	l.t.Helper()
	if err != nil {
		l.t.Fatal(err)
	}
	l.n++
	e, _, err := entry.Make(l.n, at, d)
	if err == nil {
		_, err = l.b.Apply(e)
	}
	if err != nil {
		l.t.Fatal(err)
	}
}

func (l *ledger) put(at time.Time, x entry.Contact) {
	l.t.Helper()
	x.Vault, x.Hash = "v", "h"
	d, err := l.b.Put("person:anna", x, staff)
	l.add(at, d, err)
}

// fact folds an entry of an incident.
func (l *ledger) fact(at time.Time, k entry.Kind, body any) {
	l.t.Helper()
	l.add(at, entry.Draft{Actor: "desk", Kind: k, Subject: "x", Body: body}, nil)
}

func TestList(t *testing.T) {
	l := &ledger{t: t}
	l.put(t0, entry.Contact{Group: Providers, Ways: []string{Phone}})
	l.put(t0, entry.Contact{Group: Team, Person: "anna", Days: 10})
	c, err := l.b.Get(1)
	if err != nil || c.Overdue(t0.AddDate(0, 0, 89)) || !c.Overdue(t0.AddDate(0, 0, 90)) {
		t.Errorf("a check holds 90 days: %+v, %v", c, err)
	}
	if got := l.b.Standing(); len(got) != 2 || got[0].ID != 2 {
		t.Errorf("the team stands first: %v", got)
	}
	if _, err := l.b.Check("person:boris", 1, "other"); err == nil || !strings.Contains(err.Error(), "changed while you looked") {
		t.Errorf("a check of what was changed meanwhile: %v", err)
	}
	d, err := l.b.Check("person:boris", 1, "h")
	l.add(t0.AddDate(0, 0, 80), d, err)
	if c.Overdue(t0.AddDate(0, 0, 100)) || c.Checker != "person:boris" {
		t.Errorf("after a check: %+v", c)
	}
	for _, x := range []entry.Contact{{Group: "friends", Vault: "v", Hash: "h"}, {Group: Team, Person: "eve", Vault: "v", Hash: "h"}, {Group: Providers, Person: "anna", Vault: "v", Hash: "h"},
		{ID: 9, Group: Team, Vault: "v", Hash: "h"}, {Group: Team}, {Group: Team, Days: -1, Vault: "v", Hash: "h"}} {
		if _, err := l.b.Put("a", x, staff); err == nil {
			t.Errorf("%+v was taken", x)
		}
	}
	d, err = l.b.Remove("person:anna", 1, "")
	l.add(t0, d, err)
	if _, err := l.b.Get(1); err == nil {
		t.Error("a removed contact stands")
	}
}

func TestLinks(t *testing.T) {
	l := &ledger{t: t}
	l.put(t0, entry.Contact{Group: Stakeholders})
	old, now := Key{1, []byte(strings.Repeat("k", 32))}, Key{2, []byte(strings.Repeat("n", 32))}
	c := Claim{Incident: 4, Contact: 1, Expires: t0.Add(time.Hour)}
	token := SignLink(old, c)
	got, err := OpenLink([]Key{now, old}, token, t0)
	if err != nil || !cmp.Equal(got, c) || !l.b.Honours(got) {
		t.Fatalf("%+v, %v", got, err)
	}
	if _, err := OpenLink([]Key{now}, token, t0); err != ErrLink {
		t.Errorf("a key that was thrown away: %v", err)
	}
	if _, err := OpenLink([]Key{old}, token, t0.Add(time.Hour)); err != ErrExpired {
		t.Errorf("after its time: %v", err)
	}
	for i := range len(token) {
		bad := []byte(token)
		bad[i] ^= 1
		if _, err := OpenLink([]Key{old, now}, string(bad), t0); err != ErrLink {
			t.Fatalf("with byte %d changed: %v", i, err)
		}
	}
	d, err := l.b.Revoke("person:anna", 1, "v")
	l.add(t0, d, err)
	if l.b.Honours(got) {
		t.Error("a revoked link is honoured")
	}
	c.Nonce = 1
	if !l.b.Honours(c) {
		t.Error("a link made after that is not honoured")
	}
}

func TestTemplates(t *testing.T) {
	text := Text{Name: "First word", Versions: []Version{{"en", "Incident {incident.number}", "Dear {contact.name},\n{status}\n{{braces}}"}, {"DE", "Vorfall {incident.number}", "{status}"}}}
	if wrong := CheckText(&text); len(wrong) > 0 {
		t.Fatal(wrong)
	}
	if v := text.For([]string{"fr", "de-AT"}); v.Lang != "de" {
		t.Errorf("a reader of fr and de-AT reads %s", v.Lang)
	}
	if v := text.For([]string{"fr"}); v.Lang != "en" {
		t.Errorf("a reader of fr reads %s", v.Lang)
	}
	subject, body, err := text.Versions[0].FillBoth(map[string]string{"incident.number": "4", "contact.name": "{status}", "status": "All is well."})
	if err != nil || subject != "Incident 4" || body != "Dear {status},\nAll is well.\n{braces}" {
		t.Errorf("%q %q %v", subject, body, err)
	}
	for bad, says := range map[string]string{
		"one\ntwö {incdent.number}": "line 2, column 5: there is no placeholder {incdent.number}; known: {incident.number}",
		"{status":                   "line 1, column 1: a brace is opened",
		"a } b":                     "line 1, column 3: a brace is closed",
		"{a{b}":                     "column 1",
		"{}":                        "no placeholder {}",
	} {
		if _, err := Fill(bad, nil); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: %v, want %s", bad, err, says)
		}
	}
	if _, err := Fill("ok\n{status}", map[string]string{"status": " \n"}); err == nil || !strings.Contains(err.Error(), "line 2, column 1: {status} has no value yet: write") {
		t.Errorf("an empty value: %v", err)
	}
	if _, _, err := (Version{"en", "{status}", "x"}).FillBoth(map[string]string{"status": "a\r\nBcc: b"}); err != nil {
		t.Error(err)
	}
	if s, _, _ := (Version{"en", "{status}", "x"}).FillBoth(map[string]string{"status": "a\r\nBcc: b"}); strings.ContainsAny(s, "\r\n") {
		t.Errorf("a subject of two lines: %q", s)
	}
}

func TestSheet(t *testing.T) {
	var rows []Row
	for i := range 30 {
		c := night()
		Check(&c, zones)
		rows = append(rows, Row{Entry: entry.Contact{ID: int64(i + 1), Group: Groups()[i%4]}, Card: c, Checked: "2026-11-28", Checker: "Anna"})
	}
	s := Draw(rows, DefaultCard(), 7, t0, false)
	if len(s.People) != SheetRows || s.Left != 30-SheetRows || s.People[0].Group != Team || len(s.Steps) != FirstSteps {
		t.Errorf("%d rows, %d left, first %s", len(s.People), s.Left, s.People[0].Group)
	}
	if s.People[0].Phrase != "" || s.People[0].Number != "" || s.People[0].CallBack != "+49 30 123 456" || s.People[0].Checked != "2026-11-28, Anna" {
		t.Errorf("%+v", s.People[0])
	}
	with := Draw(rows, DefaultCard(), 7, t0.Add(time.Hour), true)
	if with.People[0].Phrase != "blue heron" || with.Fingerprint == s.Fingerprint {
		t.Error("phrases that were asked for are not there")
	}
	rows[0].Checked = "2026-11-29"
	if again := Draw(rows, DefaultCard(), 9, t0.Add(time.Hour), false); again.Fingerprint != s.Fingerprint {
		t.Error("the same card has another fingerprint an hour later, when somebody had checked it")
	}
	text := CardText{Steps: []string{"a\nb", "", "c"}, Envelope: "the safe"}
	if wrong := CheckCard(&text); len(wrong) > 0 || !slices.Equal(text.Steps, []string{"a b", "c"}) {
		t.Errorf("%+v %v", text, wrong)
	}
}

func TestSpaced(t *testing.T) {
	for given, want := range map[string]string{
		"+4930123456": "+49 30 123 456", "+493090182012": "+49 3090 182 012", "+12025550134": "+1 202 555 0134", "+4712345678": "+47 12 345 678", "+33612345678": "+33 612 345 678",
		"+35312345678": "+353 12 345 678", "+74951234567": "+7 4951 234 567", "+49110": "+49 110", "+4930": "+4930", "+35312": "+353 12", "112": "112", "": "", "+49 30": "+49 30", "+491x345": "+491x345",
	} {
		if got := Spaced(given); got != want {
			t.Errorf("%q: %q, want %q", given, got, want)
		}
	}
}

// Given a list that is full, when a contact on it is changed, then it is; one more is refused.
func TestAFullListIsKeptRight(t *testing.T) {
	l := &ledger{t: t}
	for range maxContacts {
		l.put(t0, entry.Contact{Group: Providers})
	}
	l.put(t0, entry.Contact{ID: 7, Group: Regulators})
	if c, err := l.b.Get(7); err != nil || c.Group != Regulators {
		t.Errorf("%+v, %v", c, err)
	}
	x := entry.Contact{Group: Providers, Vault: "v", Hash: "h"}
	if _, err := l.b.Put("person:anna", x, staff); err == nil {
		t.Error("one too many is taken")
	}
	x.ID = 8
	if _, err := l.b.PutAll("person:anna", []entry.Contact{x}, staff); err != nil {
		t.Errorf("an import that changes one: %v", err)
	}
}
