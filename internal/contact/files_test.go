package contact

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tocsin/internal/entry"
)

func whole1() Row {
	c := night()
	Check(&c, zones)
	return Row{Entry: entry.Contact{ID: 7, Group: Providers, Owner: "anna", Days: 30, Ways: c.Kinds()}, Card: c}
}

// form is what a round trip keeps.
func form(rows []Row) (out []Row) {
	for _, r := range rows {
		r.Line, r.Has, r.Checked = 0, nil, ""
		if len(r.Card.Languages) == 0 {
			r.Card.Languages = nil
		}
		out = append(out, r)
	}
	return out
}

func TestCSV(t *testing.T) {
	file := WriteCSV([]Row{whole1()}, true)
	for _, bad := range []string{"\n=1", ",=1", ",+49", "blue\r\n\r\n"} {
		if bytes.Contains(file, []byte(bad)) {
			t.Errorf("a spreadsheet would run %q of\n%s", bad, file)
		}
	}
	rows, err := ReadCSV(file, "", zones)
	if err != nil || cmp.Diff(form(rows), form([]Row{whole1()})) != "" {
		t.Fatalf("%v %s\n%s", err, cmp.Diff(form(rows), form([]Row{whole1()})), file)
	}
	if plain := WriteCSV([]Row{whole1()}, false); bytes.Contains(plain, []byte("heron")) || bytes.Contains(plain, []byte("K-77")) {
		t.Errorf("secrets that nobody asked for:\n%s", plain)
	}
	for name, text := range map[string]string{
		"semicolons": "Name;Phone;group\r\nNOC;'+49 30 123456;providers\r\n",
		"sep":        "sep=;\r\nname;phone;group\r\nNOC;+49 30 123456;providers",
		"tabs":       "name\tphone\tgroup\rNOC\t+49 30 123456\tproviders\r",
		"quoted":     "\ufeff\"name\",\"phone\",\"group\"\n\n\"NOC\",\"+49 30 123456\",\"providers\"\n,,\n",
	} {
		rows, err := ReadCSV([]byte(text), "", zones)
		if err != nil || len(rows) != 1 || len(rows[0].Wrong) > 0 || rows[0].Card.Name != "NOC" || rows[0].Card.Ways[0].Value != "+4930123456" {
			t.Errorf("%s: %+v, %v", name, rows, err)
		}
	}
	for text, says := range map[string]string{
		"":               "line 1: the file is empty",
		"phone\n1":       `line 1: the first line must name the columns`,
		"name,fone\nx,1": `line 1: unknown column "fone"`,
		"name,name\nx,1": "twice",
		"name\n\"a\nb":   "line 2: a quote is opened",
		"name\na\nb\"c":  "line 3: a quote stands inside",
		"name\n\"a\"b":   "line 2: text stands behind",
		"name\na\n\xff":  "line 3: the text is not UTF-8",
		"\xff\xfen\x00":  "UTF-16",
		"name\n" + strings.Repeat("x", maxCell+1): "longer than",
		strings.Repeat(",", maxColumns+1):         "columns",
	} {
		if _, err := ReadCSV([]byte(text), Team, zones); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%.40q: %v, want %s", text, err, says)
		}
	}
	rows, err = ReadCSV([]byte("name,group,phone\nNOC,providers,+49301234567\n,friends,030\n"), "", zones)
	if err != nil || len(rows[0].Wrong) > 0 || len(rows[1].Wrong) != 3 || rows[1].Line != 3 {
		t.Errorf("%+v %v", rows, err)
	}
}

func TestVCards(t *testing.T) {
	file := WriteVCards([]Row{whole1(), whole1()}, true)
	for l := range bytes.SplitSeq(file, []byte("\r\n")) {
		if len(l) > 75 {
			t.Errorf("a line of %d bytes: %s", len(l), l)
		}
	}
	rows, err := ReadVCards(file, "", zones)
	if err != nil || cmp.Diff(form(rows), form([]Row{whole1(), whole1()})) != "" {
		t.Fatalf("%v %s\n%s", err, cmp.Diff(form(rows), form([]Row{whole1(), whole1()})), file)
	}
	if plain := WriteVCards([]Row{whole1()}, false); bytes.Contains(plain, []byte("heron")) {
		t.Errorf("secrets that nobody asked for:\n%s", plain)
	}
	old := "BEGIN:VCARD\nVERSION:3.0\nN:Keller;Anna;;;\nORG:Shop;Security\nitem1.TEL;TYPE=\"cell\";TYPE=pref:+49 170 1234567\nEMAIL;TYPE=INTERNET,work:anna@shop.example\nPHOTO;ENCODING=b:AAA\n AAA\nEND:VCARD\n"
	rows, err = ReadVCards([]byte(old), Team, zones)
	want := Card{Version: 1, Name: "Anna Keller", Organisation: "Shop, Security", Ways: []Way{{Phone, "+491701234567", "cell"}, {Mail, "anna@shop.example", "work"}}}
	if err != nil || len(rows[0].Wrong) > 0 || cmp.Diff(rows[0].Card, want) != "" {
		t.Errorf("%v %v %s", err, rows[0].Wrong, cmp.Diff(rows[0].Card, want))
	}
	for text, says := range map[string]string{
		"":                                    "no vCard",
		"hello\n":                             "line 1: \"hello\" is no line",
		"FN:x\n":                              "outside of",
		"BEGIN:VCARD\nFN:x\n":                 "line 1: the vCard that begins here",
		"BEGIN:VCARD\nBEGIN:VCARD\n":          "line 2: a vCard begins inside",
		"BEGIN:VCARD\nVERSION:2.1\nEND:VCARD": `version "2.1"`,
	} {
		if _, err := ReadVCards([]byte(text), Team, zones); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: %v, want %s", text, err, says)
		}
	}
}

func TestCompare(t *testing.T) {
	standing := []Row{whole1()}
	file := "id,group,name,organisation,role,phone\n7,providers,Night desk,Hoster GmbH,Boss,+49301\n,providers,Bank,,,+49305555555\n"
	rows, err := ReadCSV([]byte(file), "", zones)
	if err != nil {
		t.Fatal(err)
	}
	p := Compare(standing, rows, staff)
	if p.New != 1 || p.Refused != 1 || p.Ready() {
		t.Errorf("%+v", p)
	}
	rows, _ = ReadCSV([]byte("name,organisation,group,role,owner\nnight  desk,Hoster GmbH,providers,Boss,boris\n"), "", zones)
	p = Compare(standing, rows, staff)
	if p.Changed != 1 || !p.Ready() || cmp.Diff(p.Changes[0].Fields, []string{"name", "role", "owner"}) != "" || p.Changes[0].Card.Phrase != "blue heron" || len(p.Changes[0].Card.Ways) != 5 {
		t.Errorf("%+v", p)
	}
	rows, _ = ReadCSV(WriteCSV(standing, false), "", zones)
	if p = Compare(standing, rows, staff); p.Same != 1 || p.Ready() {
		t.Errorf("%+v", p)
	}
	rows, _ = ReadCSV([]byte("name,group,phone,owner\nA,team,+49305555555,eve\na,team,+49305555556,\n"), "", zones)
	if p = Compare(standing, rows, staff); p.Refused != 2 || !strings.Contains(p.Changes[0].Wrong[0].Says, "eve") || !strings.Contains(p.Changes[1].Wrong[0].Says, "Line 2") {
		t.Errorf("%+v", p)
	}
}

// What was read and is right, is written and read again as the same, in both forms; and no cell of a CSV begins as a formula.
func roundTrip(t *testing.T, rows []Row) {
	var good []Row
	for _, r := range rows {
		if len(r.Wrong) == 0 && len(r.Card.Ways) > 0 {
			good = append(good, r)
		}
	}
	if len(good) == 0 {
		return
	}
	file := WriteCSV(good, true)
	again, err := ReadCSV(file, "", zones)
	if err != nil || cmp.Diff(form(again), form(good)) != "" {
		t.Fatalf("CSV: %v %s\n%s", err, cmp.Diff(form(again), form(good)), file)
	}
	file = WriteVCards(good, true)
	again, err = ReadVCards(file, "", zones)
	if err != nil || cmp.Diff(form(again), form(good)) != "" {
		t.Fatalf("vCard: %v %s\n%s", err, cmp.Diff(form(again), form(good)), file)
	}
}

func FuzzCSV(f *testing.F) {
	f.Add(WriteCSV([]Row{whole1()}, true))
	f.Add([]byte("sep=;\nname;mail\na;b@c.example\n"))
	f.Add([]byte("name,chat\n\"'=x\",\"a\"\"b\"\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		rows, err := ReadCSV(data, Team, zones)
		if err == nil {
			roundTrip(t, rows)
		}
	})
}

func FuzzVCard(f *testing.F) {
	f.Add(WriteVCards([]Row{whole1()}, true))
	f.Add([]byte("BEGIN:VCARD\nVERSION:3.0\nFN:a\\;b\nTEL;TYPE=pref:+49301234567\nEND:VCARD"))
	f.Fuzz(func(t *testing.T, data []byte) {
		rows, err := ReadVCards(data, Team, zones)
		if err == nil {
			roundTrip(t, rows)
		}
	})
}

// A text that can be filled has its placeholders' values and nothing of theirs is read as a placeholder.
func FuzzTemplate(f *testing.F) {
	f.Add("a {status} {{b}}", "x{status}")
	f.Fuzz(func(t *testing.T, text, value string) {
		values := map[string]string{}
		for _, p := range Placeholders() {
			values[p.Name] = value
		}
		got, err := Fill(text, values)
		if err == nil && !strings.ContainsAny(text, "{}") && got != text {
			t.Fatalf("%q became %q", text, got)
		}
	})
}

// Hours that are read are written so that they are read again as the same.
func FuzzHours(f *testing.F) {
	f.Add("Mo-Fr 08:00-18:00; Sa 10:00-14:00")
	f.Fuzz(func(t *testing.T, text string) {
		h, err := ParseHours(text)
		if err != nil {
			return
		}
		again, err := ParseHours(h.String())
		if err != nil || cmp.Diff(h, again) != "" {
			t.Fatalf("%q is %q, which is %v (%v)", text, h, again, err)
		}
	})
}

// No token opens that was not signed, and each opens as what was signed.
func FuzzLink(f *testing.F) {
	key := Key{9, bytes.Repeat([]byte("k"), 32)}
	f.Add(SignLink(key, Claim{Incident: 1, Contact: 2, Expires: t0}))
	f.Fuzz(func(t *testing.T, token string) {
		c, err := OpenLink([]Key{key}, token, t0.AddDate(-1, 0, 0))
		if err == nil && SignLink(key, c) != token {
			t.Fatalf("%q opens as %+v, which signs as another", token, c)
		}
	})
}
