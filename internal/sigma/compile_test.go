package sigma

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"tocsin/internal/record"
	"tocsin/internal/tree"
)

// rulesOf reads the rules of a folder that load.
func rulesOf(t testing.TB, folder string) (rules []*Rule) {
	t.Helper()
	err := filepath.WalkDir(folder, func(name string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(name, ".yml") {
			return err
		}
		b, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		docs, _ := Parse(name, b)
		for _, d := range docs {
			if d.Rule != nil {
				rules = append(rules, d.Rule)
			}
		}
		return nil
	})
	if os.IsNotExist(err) {
		t.Skip("the rules are not here")
	}
	if err != nil {
		t.Fatal(err)
	}
	return rules
}

// A brewer makes records that come near to what rules look for.
type brewer struct {
	rng    *rand.Rand
	rules  []*Rule
	fields []Field
	texts  []string
}

func newBrewer(rules []*Rule, seed uint64) *brewer {
	b := &brewer{rules: rules, rng: rand.New(rand.NewPCG(seed, 7)), texts: []string{"", "-", "a", "200", "404", "3.50", "/", "%20", "\x00", "\xff\xfe", "é", "K", "ſ", "ÀÉ", "192.0.2.7", "2001:db8::1", "2026-11-25T03:04:05Z", "true", "FALSE"}}
	seen := map[Field]bool{}
	for _, u := range rules {
		u.expr.terms(func(t *term) {
			if f := t.field; !t.keyword && !seen[f] {
				seen[f] = true
				b.fields = append(b.fields, f)
			}
			for i := range t.wants {
				w := &t.wants[i]
				for _, m := range w.pattern.marks {
					b.texts = append(b.texts, m.text)
				}
				if w.kind == wantRegex {
					b.texts = append(b.texts, regexNeed(w.regex.String())...)
				}
				if w.kind == wantNumber && w.num.Whole {
					b.texts = append(b.texts, scalarOf(w.num.I))
				}
			}
		})
	}
	return b
}

func scalarOf(n int64) string { return strconv.FormatInt(n, 10) }

// text is some texts in a row, their case changed.
func (b *brewer) text() string {
	var s strings.Builder
	for range 1 + b.rng.IntN(3) {
		x := b.texts[b.rng.IntN(len(b.texts))]
		switch b.rng.IntN(8) {
		case 0:
			x = strings.ToUpper(x)
		case 1:
			x = strings.ToUpper(x[:min(1, len(x))]) + x[min(1, len(x)):]
		case 2:
			if len(x) > 1 {
				x = x[b.rng.IntN(len(x)):]
			}
		case 3:
			x = strings.ReplaceAll(strings.ReplaceAll(x, "k", "K"), "s", "ſ")
		}
		s.WriteString(x)
		if b.rng.IntN(4) == 0 {
			s.WriteString(string(rune(b.rng.IntN(300))))
		}
	}
	return s.String()
}

// fulfil makes a text that a want may take.
func (b *brewer) fulfil(w *want) string {
	switch w.kind {
	case wantNumber, wantOrder:
		return scalarOf(w.num.I + b.rng.Int64N(3) - 1)
	case wantRegex:
		if n := regexNeed(w.regex.String()); n != nil {
			return n[b.rng.IntN(len(n))] + b.text()
		}
	case wantText:
		var s strings.Builder
		for _, m := range w.pattern.marks {
			if m.kind == literal {
				s.WriteString(m.text)
			} else {
				s.WriteString(b.text())
			}
		}
		return s.String()
	}
	return b.text()
}

// record makes a record. About half of its values are slices of its line.
func (b *brewer) record() *record.Record {
	r := &record.Record{Time: time.Date(2026, 11, 1+b.rng.IntN(28), b.rng.IntN(24), b.rng.IntN(60), 0, 0, time.UTC)}
	type part struct {
		f        Field
		from, to int
		own      string
	}
	var line strings.Builder
	var parts []part
	type wish struct {
		f    Field
		text string
	}
	var wishes []wish
	if b.rng.IntN(3) > 0 { // what a rule would like
		b.rules[b.rng.IntN(len(b.rules))].expr.terms(func(t *term) {
			if !t.keyword && len(t.wants) > 0 && b.rng.IntN(4) > 0 {
				wishes = append(wishes, wish{t.field, b.fulfil(&t.wants[b.rng.IntN(len(t.wants))])})
			}
		})
	}
	for range b.rng.IntN(4) {
		if len(b.fields) == 0 {
			break
		}
		wishes = append(wishes, wish{b.fields[b.rng.IntN(len(b.fields))], b.text()})
	}
	b.rng.Shuffle(len(wishes), func(i, j int) { wishes[i], wishes[j] = wishes[j], wishes[i] })
	for _, w := range wishes {
		p, x := part{f: w.f}, w.text
		if b.rng.IntN(2) == 0 {
			p.own = x
		} else {
			line.WriteString(" \"")
			p.from = line.Len()
			line.WriteString(x)
			p.to = line.Len()
		}
		parts = append(parts, p)
	}
	r.Line = record.Line{Raw: line.String(), File: "/log/access.log"}
	for _, p := range parts {
		text := p.own
		if p.to > 0 {
			text = r.Line.Raw[p.from:p.to]
		}
		v := record.Text(text)
		if n, ok := tree.Decimal(text); ok && n.Whole && b.rng.IntN(2) == 0 {
			v = record.Int(n.I, text)
		}
		switch p.f.place {
		case placeKnown:
			r.Set(p.f.known, v)
		case placeExtra:
			r.Extra = append(r.Extra, record.Pair{Name: p.f.name, Value: v})
		}
	}
	return r
}

// sameAsRules compares a set with its rules, each by itself, over records.
func sameAsRules(t *testing.T, rules []*Rule, seed uint64, records int) {
	t.Helper()
	b := newBrewer(rules, seed)
	var sample []*record.Record
	for range int(seed) * 10 {
		sample = append(sample, b.record())
	}
	set := Compile(rules, sample)
	m, v := set.NewMatcher(nil), NewView(nil)
	hits := 0
	for n := range records {
		r := b.record()
		v.Reset(r)
		var want []int32
		for i, u := range rules {
			if u.MatchView(v) {
				want = append(want, int32(i))
			}
		}
		hits += len(want)
		if got := m.Match(r); !slices.Equal(got, want) {
			t.Fatalf("seed %d, record %d: the set matches %v, the rules %v\n%q\n%v", seed, n, titles(rules, got), titles(rules, want), r.Line.Raw, r)
		}
	}
	if records > 100 && testing.Verbose() {
		t.Logf("%d records, %d matches: %v", records, hits, set)
	}
}

func titles(rules []*Rule, which []int32) (out []string) {
	for _, i := range which {
		out = append(out, rules[i].Title)
	}
	return out
}

func TestSetIsItsRules(t *testing.T) {
	for name, folder := range map[string]string{
		"shop": "../../rules", "web": "../../../shared/data/sigma/rules/web", "linux": "../../../shared/data/sigma/rules/linux",
		"application": "../../../shared/data/sigma/rules/application", "windows": "../../../shared/data/sigma/rules/windows/process_creation",
	} {
		t.Run(name, func(t *testing.T) {
			rules := rulesOf(t, folder)
			for seed := range uint64(3) {
				sameAsRules(t, rules, seed, 300)
			}
		})
	}
}

// A keyword that a rule looks for in the log's words is not found where another rule looks for it: in what was added to them.
func TestKeywordsAreNotFoundInViews(t *testing.T) {
	words := rule(t, "webserver", "  words: ['union select', 'ab']\n  condition: words")
	view := rule(t, "webserver", "  s: {url.query.decoded|contains: ['union select', 'ab']}\n  condition: s")
	action := rule(t, "webserver", "  s: {event.action|contains: ['union select', 'ab']}\n  condition: s")
	rules := []*Rule{words, view, action}
	m := Compile(rules, nil).NewMatcher(nil)
	for _, c := range []struct {
		raw, field string
		want       []int32
	}{
		{"GET /?q=union%20select 200", "url.query.decoded=q=union select", []int32{1}},
		{"GET / 200", "event.action=union select", []int32{2}},
		{"é / 200", "event.action=union select", []int32{2}},
		{"GET / 200", "url.path=/union select", []int32{0}},
		{"é union select", "url.path=/", []int32{0}},
	} {
		r := rec(c.raw, c.field)
		var plain []int32
		for i, u := range rules {
			if u.Match(r) {
				plain = append(plain, int32(i))
			}
		}
		if got := m.Match(r); !slices.Equal(got, c.want) || !slices.Equal(plain, c.want) {
			t.Errorf("%q, %q: %v, each by itself %v, want %v", c.raw, c.field, got, plain, c.want)
		}
	}
}
