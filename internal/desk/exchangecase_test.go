package desk

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"tocsin/internal/detect"
	"tocsin/internal/entry"
	"tocsin/internal/exchange"
	"tocsin/internal/incident"
	"tocsin/internal/intake"
	"tocsin/internal/record"
)

// Given lines of an attack, when their signs are asked for, then what anybody's line could have is none.
func TestSignsOf(t *testing.T) {
	p, err := intake.New(intake.Options{})
	must(t, err)
	line := func(path, agent string) string {
		return `192.0.2.7 - - [27/Nov/2026:09:00:00 +0000] "GET ` + path + ` HTTP/1.1" 200 9 "-" "` + agent + `"`
	}
	for name, tt := range map[string]struct {
		line string
		want map[string][]string
	}{
		"a page and a browser":   {line("/checkout", "Mozilla/5.0 (X11)"), map[string][]string{}},
		"a program":              {line("/media/x.php?c=id", "Mozilla/5.0"), map[string][]string{"request": {"/media/x.php"}}},
		"a tool":                 {line("/checkout", "sqlmap/1.7"), map[string][]string{"agent": {"sqlmap/1.7"}}},
		"no agent":               {line("/checkout", "-"), map[string][]string{}},
		"what it is to fetch":    {line("/checkout?u=https%3A%2F%2Fevil.example%2Fs.js", "Mozilla/5.0"), map[string][]string{"url": {"https://evil.example/s.js"}, "domain": {"evil.example"}}},
		"from a bare address":    {line("/checkout?u=http://203.0.113.9/s", "Mozilla/5.0"), map[string][]string{"url": {"http://203.0.113.9/s"}, "address": {"203.0.113.9"}}},
		"no line that we know":   {"x\x00y", map[string][]string{}},
		"a tool with ill manner": {line("/checkout", `x\" \x1b[31m`), nil},
	} {
		got := signsOf(p.Parse(record.Line{File: "/log/access.log", Raw: tt.line}, time.Now()))
		for kind, texts := range tt.want {
			if !slices.Equal(got[kind], texts) {
				t.Errorf("%s: %s is %q, want %q", name, kind, got[kind], texts)
			}
		}
		if tt.want != nil && len(got) != len(tt.want) {
			t.Errorf("%s: %q", name, got)
		}
	}
}

// Given an address that is a suspect's in one incident and a victim's in another that is one with it, then it is none that other teams are told, in whatever order they are read.
func TestAVictimAnywhereIsNoSuspect(t *testing.T) {
	theirs := &incident.Incident{ID: 1, Sources: []incident.Known{{Party: entry.Party{Hash: "h", Role: "suspect"}}, {Party: entry.Party{Hash: "g", Role: "suspect"}}}}
	victims := &incident.Incident{ID: 2, Sources: []incident.Known{{Party: entry.Party{Hash: "h", Role: "victim"}}}}
	for _, family := range [][]*incident.Incident{{theirs, victims}, {victims, theirs}} {
		r := exchangeReader{suspect: map[string]bool{}}
		for _, i := range family {
			r.member(&State{}, i)
		}
		if r.suspect["h"] || !r.suspect["g"] {
			t.Errorf("%d first: %v", family[0].ID, r.suspect)
		}
	}
}

// Given an incident with evidence and a cause, when it is written for other teams, then the attacker's signs are in it, a victim's are not, and a hash or a file has the label of its
// attachment or of the cause.
func TestExchangeTellsTheSigns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, d, stop := burns(t)
		defer stop()
		anna := Local("anna")
		anna.ID = "anna"
		h.feed(d, strings.Replace(request(time.Now(), "192.0.2.7", "/evil/x.php"), "Mozilla/5.0", "sqlmap/1.7", 1))
		time.Sleep(10 * time.Second)
		synctest.Wait()
		_, err := d.AddFile(anna, 1, FileText{Name: "x.php", Kind: "code", From: "shop1"}, strings.NewReader("<?php"))
		must(t, err)
		_, err = d.AddFile(anna, 1, FileText{Name: "y.php", Kind: "code", From: "shop1", Label: "RED"}, strings.NewReader("<?php 2"))
		must(t, err)
		must(t, d.PutCause(anna, 1, CauseText{Class: "configuration", Sum: "s", Whys: []ReasonText{{Text: "w", Links: []entry.Link{{Kind: "file", Ref: "/srv/shop/z.php"}}}}}), d.SetLabel(anna, 1, "cause", "AMBER+STRICT", ""))
		r, err := d.Exchange(anna, 1, "stix", "AMBER")
		must(t, err)
		text := string(r.Data)
		for _, want := range []string{"192.0.2.7", sumOf([]byte("<?php"))} {
			if !strings.Contains(text, want) {
				t.Errorf("it lacks %s", want)
			}
		}
		for _, gone := range []string{sumOf([]byte("<?php 2")), "z.php"} {
			if strings.Contains(text, gone) {
				t.Errorf("it tells %s", gone)
			}
		}
		r, err = d.Exchange(anna, 1, "stix", "AMBER+STRICT")
		must(t, err)
		if !strings.Contains(string(r.Data), "z.php") || strings.Contains(string(r.Data), sumOf([]byte("<?php 2"))) {
			t.Error("for our own organisation: the file of the cause is missing, or what is RED is told")
		}
		r, err = d.Exchange(anna, 1, "veris", "AMBER+STRICT")
		must(t, err)
		if !strings.Contains(string(r.Data), "Misconfiguration") {
			t.Errorf("VERIS does not know the cause: %s", r.Data)
		}
	})
}

// Given incidents that are one, of which one names somebody as a victim, or as ours, when they are written for other teams, then whoever is a victim in any of them is not named, in whatever
// order they are read; an attacker's account is named by its realm.
func TestExchangeNamesNoVictimOfAnyPart(t *testing.T) {
	h := newHouse(t)
	d := h.still()
	defer d.Close()
	ref, err := d.toVault(detect.Alert{ID: "a", Impact: detect.Attempt,
		Sources:  []detect.Party{{Name: "192.0.2.1", Role: detect.Suspect}, {Name: "192.0.2.2", Role: detect.Suspect}, {Name: "192.0.2.3", Role: detect.Suspect}},
		Accounts: []detect.Party{{Name: "eve", Realm: "admin", Role: detect.Suspect}, {Name: "adam", Realm: "ssh", Role: detect.Suspect}}})
	must(t, err)
	party := func(kind, name, role string, own bool) incident.Known {
		p := incident.Known{}
		p.Hash, p.Role, p.Own, p.Country = d.vault.Hash(kind, name), role, own, "NL"
		return p
	}
	one := &incident.Incident{ID: 1, Sources: []incident.Known{party("address", "192.0.2.1", "suspect", false), party("address", "192.0.2.2", "suspect", false), party("address", "192.0.2.3", "victim", false)},
		Accounts: []incident.Known{party("account", "admin/eve", "suspect", false), party("account", "admin/adam", "suspect", false)}}
	two := &incident.Incident{ID: 2, Sources: []incident.Known{party("address", "192.0.2.2", "suspect", true), party("address", "192.0.2.3", "suspect", false)}}
	for _, order := range [][]*incident.Incident{{one, two}, {two, one}} {
		r := exchangeReader{d: d, suspect: map[string]bool{}, places: map[string]int{}}
		d.Read(func(s *State) {
			for _, i := range order {
				r.member(s, i)
			}
		})
		r.value(exchange.Value{Kind: "address", Text: "192.0.2.3"}) // somebody wrote it into a line
		r.alert(incident.Alert{Alert: entry.Alert{ID: "a", Vault: ref}})
		victim := func(v exchange.Value) bool { // as package exchange reads one that stands there twice
			return slices.ContainsFunc(r.c.Values, func(x exchange.Value) bool { return x.Victim && x.Kind == v.Kind && x.Text == v.Text })
		}
		var named []string
		for _, v := range r.c.Values {
			if !victim(v) {
				named = append(named, v.Kind+" "+v.Text)
			}
		}
		slices.Sort(named)
		if !slices.Equal(named, []string{"account eve", "address 192.0.2.1"}) {
			t.Errorf("named are %q", named)
		}
	}
}
