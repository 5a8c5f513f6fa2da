package incident

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"tocsin/internal/entry"
)

// Given a root cause, when its parts lead nowhere or are none, then it is refused with a word on where; what is right is kept in every version.
func TestCause(t *testing.T) {
	d := opened(t, 2)
	lines := d.do(d.book.Attach("person:anna", entry.Attached{ID: 1, Lines: 2, First: 1, Last: 2, Vault: "v", Hash: "h"}))
	d.do(d.book.AddFile("person:anna", entry.File{Incident: 1, SHA256: sum('a'), Vault: "v", Name: "n", Kind: "code", Person: "anna", From: "f"}))
	why := func(links ...entry.Link) entry.Cause {
		return entry.Cause{Incident: 1, Class: "own-code", Whys: []entry.Reason{{Text: "y", Links: links}}}
	}
	for name, tt := range map[string]struct {
		x    entry.Cause
		says string
	}{
		"empty":                 {entry.Cause{Incident: 1}, "is empty"},
		"no class":              {entry.Cause{Incident: 1, Class: "magic", Text: "w"}, "no class"},
		"a why without words":   {entry.Cause{Incident: 1, Whys: []entry.Reason{{Text: "y"}, {}}}, "why 2"},
		"a why with a branch":   {entry.Cause{Incident: 1, Whys: []entry.Reason{{Text: "y", Branch: "people"}}}, "why 1 has a branch"},
		"ten whys":              {entry.Cause{Incident: 1, Whys: make([]entry.Reason, 10)}, "at most 9"},
		"sixty-one bones":       {entry.Cause{Incident: 1, Bones: make([]entry.Reason, 61)}, "at most 60"},
		"no branch":             {entry.Cause{Incident: 1, Bones: []entry.Reason{{Text: "y", Branch: "weather\u202e"}}}, `"weather\u202e"`},
		"lines of another":      {why(entry.Link{Kind: "lines", Ref: "3"}), "attach it first"},
		"lines by another form": {why(entry.Link{Kind: "lines", Ref: "0" + fmt.Sprint(lines.N)}), "attach it first"},
		"no attachment":         {why(entry.Link{Kind: "attachment", Ref: "2"}), "attach it first"},
		"attachment +1":         {why(entry.Link{Kind: "attachment", Ref: "+1"}), "attach it first"},
		"alert of another":      {why(entry.Link{Kind: "alert", Ref: "a2"}), "attach it first"},
		"no file":               {why(entry.Link{Kind: "file"}), "names no file"},
		"no CVE":                {why(entry.Link{Kind: "cve", Ref: "CVE-24-1"}), "CVE-2024-12345"},
		"no CWE":                {why(entry.Link{Kind: "cwe", Ref: "79"}), "CWE-79"},
		"no commit":             {why(entry.Link{Kind: "commit", Ref: "HEAD"}), "hexadecimal"},
		"no kind":               {why(entry.Link{Kind: "url", Ref: "x"}), "no kind of link"},
		"21 links":              {why(make([]entry.Link, 21)...), "21 links"},
		"a version that is not": {entry.Cause{Incident: 1, Text: "w", Before: 99}, "no version"},
		"no incident":           {entry.Cause{Incident: 9, Text: "w"}, "no such incident"},
	} {
		_, err := d.book.PutCause("person:anna", tt.x)
		refused(t, name, err, tt.says)
	}
	links := []entry.Link{{Kind: "lines", Ref: fmt.Sprint(lines.N)}, {Kind: "attachment", Ref: "1"}, {Kind: "alert", Ref: "a1"}, {Kind: "file", Ref: "v"}, {Kind: "commit", Ref: "ABCDEF0"},
		{Kind: "cve", Ref: "cve-2024-12345"}, {Kind: "cwe", Ref: "cwe-79"}}
	x := why(links...)
	x.Bones = []entry.Reason{{Branch: "process", Text: "b"}}
	first := d.do(d.book.PutCause("person:anna", x))
	if links[4].Ref != "ABCDEF0" {
		t.Error("what the caller holds was changed")
	}
	_, err := d.book.PutCause("person:boris", x)
	overtaken(t, err, first.N, "person:anna", "")
	x.Before, x.Class = first.N, "third-party"
	d.do(d.book.PutCause("person:boris", x))
	i := d.book.Incidents[0]
	got, n := i.Cause()
	if n != first.N+1 || got.Class != "third-party" || got.Whys[0].Links[4].Ref != "abcdef0" || got.Whys[0].Links[5].Ref != "CVE-2024-12345" || len(i.Command().Causes) != 2 {
		t.Errorf("%+v of entry %d", got, n)
	}
	// A merged incident's evidence is evidence here.
	d.doAll(d.book.Merge("person:anna", 2, 1, "m"))
	if _, err := d.book.PutCause("person:anna", entry.Cause{Incident: 1, Text: "w", Before: n, Whys: []entry.Reason{{Text: "y", Links: []entry.Link{{Kind: "alert", Ref: "a2"}}}}}); err != nil {
		t.Error(err)
	}
}

func TestRefs(t *testing.T) {
	hash := strings.Repeat("0123456789abcdef", 4)
	for _, tt := range []struct {
		read func(string) (string, error)
		text string
		want string // "" is refused
	}{
		{ParseCVE, "CVE-2024-1234", "CVE-2024-1234"}, {ParseCVE, "cve-1999-0001", "CVE-1999-0001"}, {ParseCVE, "CVE-2024-1234567890123456789", "CVE-2024-1234567890123456789"},
		{ParseCVE, "CVE-1998-1234", ""}, {ParseCVE, "CVE-2024-123", ""}, {ParseCVE, "CVE-2024-01234", ""}, {ParseCVE, "CVE-2024-12345678901234567890", ""},
		{ParseCVE, "CVE-2024-1234 ", ""}, {ParseCVE, " CVE-2024-1234", ""}, {ParseCVE, "CVE-2024-12a4", ""}, {ParseCVE, "CVE-２０２４-1234", ""}, {ParseCVE, "2024-1234", ""}, {ParseCVE, "", ""},
		{ParseCVE, "CVE-2024-1234-5", ""}, {ParseCVE, "CVE-2024-1234\n", ""},
		{ParseCWE, "CWE-79", "CWE-79"}, {ParseCWE, "cwe-1321", "CWE-1321"}, {ParseCWE, "CWE-0", ""}, {ParseCWE, "CWE-079", ""}, {ParseCWE, "CWE-", ""}, {ParseCWE, "CWE-123456", ""}, {ParseCWE, "CWE-7x", ""}, {ParseCWE, "79", ""},
		{ParseCommit, "abcdef0", "abcdef0"}, {ParseCommit, hash[:40], hash[:40]}, {ParseCommit, hash, hash}, {ParseCommit, "ABCDEF0123", "abcdef0123"},
		{ParseCommit, "abcdef", ""}, {ParseCommit, hash[:41], ""}, {ParseCommit, hash + "0", ""}, {ParseCommit, "main~12", ""}, {ParseCommit, "abcdefg", ""}, {ParseCommit, "", ""}, {ParseCommit, "abcdef0\x00", ""},
	} {
		got, err := tt.read(tt.text)
		if got != tt.want || (err == nil) != (tt.want != "") {
			t.Errorf("%q: %q, %v", tt.text, got, err)
		}
	}
}

// What is read is printed in one form, reads as itself again, and has none but letters, digits and dashes; a refusal never has the text as it came.
func FuzzRefs(f *testing.F) {
	for _, s := range []string{"CVE-2024-12345", "cwe-79", "ABCDEF0", "CVE-2024-\u202e1234", "\x1b[31m", "ſVE-2024-1234", "CVE-2024-1234\n", strings.Repeat("a", 64)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for k, read := range []func(string) (string, error){ParseCVE, ParseCWE, ParseCommit} {
			got, err := read(s)
			if err != nil {
				if strings.ContainsFunc(err.Error(), func(r rune) bool { return r < ' ' || r > '~' }) || len(err.Error()) > 1200 {
					t.Fatalf("%d refuses %q with %q", k, s, err)
				}
				continue
			}
			if again, err := read(got); err != nil || again != got || len(got) > 64 || !strings.EqualFold(got, s) {
				t.Fatalf("%d reads %q as %q, and that as %q (%v)", k, s, got, again, err)
			}
			if strings.ContainsFunc(got, func(r rune) bool { return !strings.ContainsRune("0123456789abcdefCVEW-", r) }) {
				t.Fatalf("%d reads %q as %q", k, s, got)
			}
		}
	})
}

// Given evidence, when it is brought, passed on and looked at, then the chain is whole, and bytes that are not what was brought are a fault for ever.
func TestFiles(t *testing.T) {
	d := opened(t, 1)
	good := entry.File{Incident: 1, SHA256: sum('a'), Bytes: 9, Vault: "v", Name: "n", Kind: "log", Label: "tlp:amber+strict", Person: "anna", From: "f1", Why: "w1"}
	for name, change := range map[string]func(*entry.File){
		"no hash":        func(x *entry.File) { x.SHA256 = "" },
		"a hash in caps": func(x *entry.File) { x.SHA256 = strings.Repeat("A", 64) },
		"no bytes":       func(x *entry.File) { x.Vault = "" },
		"fewer than 0":   func(x *entry.File) { x.Bytes = -1 },
		"no name":        func(x *entry.File) { x.Name = "" },
		"no kind":        func(x *entry.File) { x.Kind = "virus" },
		"no label":       func(x *entry.File) { x.Label = "SECRET" },
		"nobody":         func(x *entry.File) { x.Person = "" },
		"from nowhere":   func(x *entry.File) { x.From = "" },
		"nowhere":        func(x *entry.File) { x.Incident = 4 },
	} {
		x := good
		change(&x)
		_, err := d.book.AddFile("person:anna", x)
		refused(t, name, err, "")
	}
	d.do(d.book.AddFile("person:anna", good))
	_, err := d.book.AddFile("person:anna", good)
	refused(t, "the same bytes", err, "attachment 1 of incident 1 already")
	pass := entry.FilePass{Incident: 1, ID: 1, Person: "anna", From: "f2", To: "t2", Why: "w2"}
	d.do(d.book.PassFile("person:anna", pass))
	pass.Why = ""
	_, err = d.book.PassFile("person:anna", pass)
	refused(t, "passed without a reason", err, "chain of custody")
	look := func(found string, sound bool) {
		t.Helper()
		x, ok, err := d.book.ReadFile("person:boris", entry.FileRead{Incident: 1, ID: 1, Person: "boris", SHA256: found, Why: "w3"})
		if ok != sound {
			t.Errorf("%s: sound %v", found, ok)
		}
		d.do(x, err)
	}
	look(sum('a'), true)
	look(sum('b'), false)
	d.do(d.book.Close("person:anna", 1, "true", "w")) // evidence of a closed one is looked at too
	look("", false)
	look(sum('a'), true)
	_, _, err = d.book.ReadFile("person:boris", entry.FileRead{Incident: 1, ID: 1, Person: "boris", SHA256: "x"})
	refused(t, "a hash that is none", err, "no SHA-256")
	_, _, err = d.book.ReadFile("person:boris", entry.FileRead{Incident: 1, ID: 2, Person: "boris", SHA256: sum('a')})
	refused(t, "no such one", err, "no attachment 2")
	f := d.book.Incidents[0].Command().Files[0]
	var kinds []string
	for _, c := range f.Chain {
		kinds = append(kinds, fmt.Sprint(strings.TrimPrefix(string(c.Kind), "attachment."), " ", c.Person))
	}
	if want := []string{"added anna", "passed anna", "read boris", "read boris", "read boris", "read boris"}; !slices.Equal(kinds, want) || f.Sound() || len(f.Faults) != 2 || f.Label != "AMBER+STRICT" {
		t.Errorf("%v with faults %v: %+v", kinds, f.Faults, f.File)
	}
}
