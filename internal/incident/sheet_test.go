package incident

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tocsin/internal/entry"
)

// Given rows as people type them, when they are read, then each part is in its place; and they are printed so that they read back.
func TestSheet(t *testing.T) {
	x, err := ParseSheet("web-1; shop front; checkout.js was changed; restored\n\n  db-1 ;; read;\r\n", "card numbers; copied; 312; orders\nnone", "customers; ?; Germany, Poland\nstaff; 1 200", "sales lost; 12 500,5 EUR; estimate\nteam; 32 h 10 min\nforensics; 4800.50 eur; 2:30 h\nrefund; -3 PLN\nwait; 90 min")
	want := Sheet{
		Systems: []System{{"web-1", "shop front", "checkout.js was changed", "restored"}, {"db-1", "", "read", ""}},
		Data:    []Data{{"card numbers", "copied", 312, "orders"}, {"none", "", -1, ""}},
		People:  []People{{"customers", -1, "Germany, Poland", ""}, {"staff", 1200, "", ""}},
		Costs:   []Cost{{"sales lost", 1_250_050, "EUR", 0, true}, {"team", 0, "", 1930, false}, {"forensics", 480_050, "EUR", 150, false}, {"refund", -300, "PLN", 0, false}, {"wait", 0, "", 90, false}},
	}
	if diff := cmp.Diff(want, x); err != nil || diff != "" {
		t.Fatalf("%v (-want +got):\n%s", err, diff)
	}
	if y, err := ReadSheet(x.Text()); err != nil || cmp.Diff(x, y) != "" {
		t.Errorf("reads back as %+v, %v", y, err)
	}
}

// Given rows that cannot be read, when they are refused, then the sentence names the field, the row and what is wrong.
func TestSheetRefuses(t *testing.T) {
	for _, x := range []struct {
		systems, data, people, costs string
		field, says                  string
		row                          int
	}{
		{systems: "a\n; b", field: "systems", row: 2, says: "first part is empty"},
		{systems: "a;b;c;d;e", field: "systems", row: 1, says: "5 parts"},
		{systems: strings.Repeat("x", 501), field: "systems", row: 1, says: "longer than 500"},
		{systems: strings.Repeat("x\n", 201), field: "systems", row: 201, says: "more than 200"},
		{data: "cards; copied; many", field: "data", row: 1, says: `"many" is no number`},
		{people: "all; -3", field: "people", row: 1, says: "no number"},
		{costs: "fee; 12.345 EUR", field: "costs", row: 1, says: "no amount"},
		{costs: "fee; 1 EUR; 2 EUR", field: "costs", row: 1, says: "one too many"},
		{costs: "fee; 99999999999999 EUR", field: "costs", row: 1, says: "more money"},
	} {
		_, err := ParseSheet(x.systems, x.data, x.people, x.costs)
		m, ok := errors.AsType[SheetMistake](err)
		if !ok || m.Field != x.field || m.Row != x.row || !strings.Contains(m.Says, x.says) {
			t.Errorf("%+v: %#v", x, err)
		}
	}
	if _, err := ReadSheet("(erased)"); err == nil {
		t.Error("what was erased is read")
	}
}

// FuzzSheet: a sheet that is read is printed so that it reads back the same, from the fields and from the vault.
func FuzzSheet(f *testing.F) {
	f.Add("web-1; shop", "cards;copied;3;x", "all;?", "fee; 1,5 EUR; 3 h; estimate")
	f.Add("a\u2028b;\x00", "data: x", ";", "x; -0.00 abc; 0 min")
	f.Fuzz(func(t *testing.T, a, b, c, d string) {
		x, err := ParseSheet(a, b, c, d)
		if err != nil {
			return
		}
		y, err := ReadSheet(x.Text())
		if diff := cmp.Diff(x, y); err != nil || diff != "" {
			t.Fatalf("%v: %q\n%s", err, x.Text(), diff)
		}
	})
}

// Given two who write what is affected at once, when the second comes, then they are shown the first's, and nothing is lost; closed incidents take it too.
func TestAffected(t *testing.T) {
	var b Book
	apply := func(e entry.Entry) {
		t.Helper()
		if _, err := b.Apply(e); err != nil {
			t.Fatal(err)
		}
	}
	made := func(n int64, k entry.Kind, body any) entry.Entry {
		e, _, err := entry.Make(n, time.Date(2026, 11, 27, 9, 0, 0, 0, time.UTC), entry.Draft{Actor: "desk", Kind: k, Subject: "incident:1", Body: body})
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	apply(made(1, entry.IncidentOpened, entry.Opened{ID: 1, Title: "x", Severity: "high"}))
	d, err := b.PutAffected("person:anna", entry.Affected{Incident: 1, Person: "anna", Text: "v1", Systems: 1})
	if err != nil {
		t.Fatal(err)
	}
	apply(made(2, d.Kind, d.Body))
	_, err = b.PutAffected("person:bob", entry.Affected{Incident: 1, Person: "bob", Text: "v2", Systems: 1})
	if o, ok := errors.AsType[*Overtaken](err); !ok || o.Text != "v1" {
		t.Errorf("the second is told %v", err)
	}
	if x, n := b.Incidents[0].Affects(); x.Text != "v1" || n != 2 {
		t.Errorf("%+v of entry %d", x, n)
	}
	if _, err := b.PutAffected("person:bob", entry.Affected{Incident: 1, Person: "bob", Text: "v2", Before: 2}); err == nil {
		t.Error("an empty sheet is kept")
	}
	if l := b.Label(1, "affected"); l == "RED" {
		t.Error("it cannot be labelled")
	}
}
