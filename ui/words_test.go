package ui

import (
	"crypto/sha256"
	"encoding/hex"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var blank = regexp.MustCompile(`\{[a-z]+\}`)

// slots are the places of a text where something is put in.
func slots(s string) []string {
	found := blank.FindAllString(s, -1)
	slices.Sort(found)
	return found
}

// optional are the fields that a language may leave empty.
var optional = []string{"First"}

// TestEveryMessage renders every message of every language, those with a number in every class of its plural, and finds what is missing, what
// has other places than the English one, and what was left English.
func TestEveryMessage(t *testing.T) {
	en := reflect.ValueOf(english())
	if n := len(Languages()); n != 8 {
		t.Fatalf("%d languages", n)
	}
	for _, w := range Languages() {
		v := reflect.ValueOf(w)
		same := 0
		for i := range v.NumField() {
			name, field := v.Type().Field(i).Name, v.Field(i)
			switch x := field.Interface().(type) {
			case string:
				if x == "" && !slices.Contains(optional, name) {
					t.Errorf("%s: %s is missing", w.Lang, name)
				}
				if is, want := slots(x), slots(en.Field(i).String()); !slices.Equal(is, want) {
					t.Errorf("%s: %s has the places %q, in English %q", w.Lang, name, is, want)
				}
				if x == en.Field(i).String() && name != "Date" && len(x) > 12 {
					same++
				}
			case Numbered:
				for _, class := range []string{"one", "few", "many", "other"} {
					text, needs := x.form(class), slices.Contains(classes(w.Lang), class)
					if needs && (!strings.Contains(text, "{n}") || len(slots(text)) != 1) {
						t.Errorf("%s: %s for %s is %q", w.Lang, name, class, text)
					}
					if !needs && text != "" {
						t.Errorf("%s: %s has a form for %s, which the language has not", w.Lang, name, class)
					}
				}
				for _, n := range []int{0, 1, 2, 3, 4, 5, 11, 12, 14, 21, 22, 25, 100, 101, 112, 122, 9412} {
					if text := w.Say(x, n); text == "" || strings.Contains(text, "{") {
						t.Errorf("%s: %s of %d is %q", w.Lang, name, n, text)
					}
				}
			case [12]string:
				for m, month := range x {
					if month == "" {
						t.Errorf("%s: month %d is missing", w.Lang, m+1)
					}
				}
			default:
				t.Fatalf("%s is a %T", name, x)
			}
		}
		if w.Lang != "en" && same > 0 {
			t.Errorf("%s: %d messages are the English ones", w.Lang, same)
		}
		if WordsIn(w.Lang).Name != w.Name {
			t.Errorf("%s is not found", w.Lang)
		}
	}
}

func TestPlurals(t *testing.T) {
	for _, c := range []struct {
		lang string
		want map[string][]int
	}{
		{"en", map[string][]int{"one": {1}, "other": {0, 2, 5, 21, 101}}},
		{"de", map[string][]int{"one": {1}, "other": {0, 2, 11}}},
		{"fr", map[string][]int{"one": {0, 1}, "other": {2, 17, 100}}},
		{"pt", map[string][]int{"one": {0, 1}, "other": {2, 17}}},
		{"es", map[string][]int{"one": {1}, "other": {0, 2, 21}}},
		{"it", map[string][]int{"one": {1}, "other": {0, 2, 21}}},
		{"nl", map[string][]int{"one": {1}, "other": {0, 2, 21}}},
		{"pl", map[string][]int{"one": {1}, "few": {2, 3, 4, 22, 33, 104, 122}, "many": {0, 5, 11, 12, 13, 14, 21, 25, 101, 112, 1000}}},
	} {
		for want, numbers := range c.want {
			for _, n := range numbers {
				if got := class(c.lang, n); got != want {
					t.Errorf("%s: %d is %s, want %s", c.lang, n, got, want)
				}
			}
		}
	}
	pl := polish()
	for n, want := range map[int]string{1: "1 wiadomość", 3: "3 wiadomości", 5: "5 wiadomości"} {
		if got := pl.Say(pl.Count, n); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestDays(t *testing.T) {
	for lang, want := range map[string][2]string{
		"en": {"1 May 2026", "23 November 2026"}, "de": {"1. Mai 2026", "23. November 2026"}, "fr": {"1er mai 2026", "23 novembre 2026"}, "es": {"1 de mayo de 2026", "23 de noviembre de 2026"},
		"it": {"1º maggio 2026", "23 novembre 2026"}, "nl": {"1 mei 2026", "23 november 2026"}, "pl": {"1 maja 2026", "23 listopada 2026"}, "pt": {"1 de maio de 2026", "23 de novembro de 2026"},
	} {
		w := WordsIn(lang)
		if got := [2]string{w.Day("2026-05-01"), w.Day("2026-11-23")}; got != want {
			t.Errorf("%s: %q, want %q", lang, got, want)
		}
	}
	if got := english().Day("yesterday"); got != "yesterday" {
		t.Errorf("a day that is none became %q", got)
	}
}

func TestChoose(t *testing.T) {
	for _, c := range []struct{ asked, accept, want string }{
		{"", "", "en"}, {"de", "fr", "de"}, {"DE-at", "", "de"}, {"xx", "pl;q=0.9, fr;q=0.8", "pl"},
		{"", "fr;q=0.5,nl;q=0.7", "nl"}, {"", "ja, pt-BR;q=0.4", "pt"}, {"", "es;q=nan, it;q=2, de;q=-1, pl;q=0", "en"},
		{"<script>", "*", "en"}, {"", strings.Repeat("de;q=0.1,", 500) + "fr", "de"},
	} {
		if got := Choose(c.asked, c.accept); got != c.want {
			t.Errorf("Choose(%q, %.40q) is %q, want %q", c.asked, c.accept, got, c.want)
		}
	}
}

// TestAgeIsWhatItsSourcesMake holds the bundle of others' code against the hash that script/bundle-age.sh printed. A new version: run it, read
// what changed, and put the new hash here.
func TestAgeIsWhatItsSourcesMake(t *testing.T) {
	const want = "2d274cdce287a66093c36e44e0d6b3c5c6629bf094d21593192589e7f076a0a1"
	b, err := files.ReadFile("static/age.js")
	if err != nil {
		t.Fatal(err)
	}
	if got := sha256.Sum256(b); hex.EncodeToString(got[:]) != want {
		t.Errorf("static/age.js has the hash %x; run script/bundle-age.sh", got)
	}
	for _, never := range []string{"WebAssembly", "eval(", "new Function", "import(", "fetch(", "XMLHttpRequest", "importScripts"} {
		if strings.Contains(string(b), never) {
			t.Errorf("static/age.js has %s, which the page's policy or its promise does not let", never)
		}
	}
}
