package report

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tocsin/internal/entry"
)

var t0 = time.Date(2026, 11, 28, 9, 0, 0, 0, time.UTC)

// A book folds what is decided, as the desk does.
type book struct {
	t     *testing.T
	s     *State
	n     int64
	kinds []entry.Kind
	all   []entry.Entry
}

func (b *book) write(now time.Time, drafts ...entry.Draft) {
	b.t.Helper()
	for _, d := range drafts {
		b.n++
		e, _, err := entry.Make(b.n, now, d)
		if err != nil {
			b.t.Fatal(err)
		}
		b.kinds = append(b.kinds, d.Kind)
		b.all = append(b.all, e)
		if err := b.s.Fold(e); err != nil {
			b.t.Fatal(err)
		}
	}
}

func (b *book) take(now time.Time, own int, f ...Filing) {
	b.t.Helper()
	drafts, err := Take(b.s, now, own, f)
	if err != nil {
		b.t.Fatal(err)
	}
	b.write(now, drafts...)
}

func newBook(t *testing.T) *book { return &book{t: t, s: NewState()} }

func filing(n int) Filing {
	return Filing{From: Customer, Way: Form, Vault: fmt.Sprintf("v%d", n), Size: 5000, Receipt: fmt.Sprintf("r%d", n), Reply: "age1x", Lang: "de"}
}

func must(t *testing.T) func(entry.Draft, error) entry.Draft {
	return func(d entry.Draft, err error) entry.Draft {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
}

// TestStory walks one report from its filing to its end, with words from both sides.
func TestStory(t *testing.T) {
	b, ok := newBook(t), must(t)
	b.take(t0, 5, filing(1))
	c, found := b.s.Find("r1")
	if !found || c.ID != 1 || c.Standing != New || c.Size != 16<<10 || c.Day != "2026-11-28" {
		t.Fatalf("found %+v", c)
	}
	stands := func(want Standing, seen Standing) {
		t.Helper()
		if c.Standing != want || c.Seen() != seen {
			t.Errorf("it stands %s, seen as %s; want %s, %s", c.Standing, c.Seen(), want, seen)
		}
	}
	d, news, err := See(b.s, Deed{Person: "anna", Report: 1})
	if err != nil || !news {
		t.Fatal(news, err)
	}
	b.write(t0, d)
	stands(Read, Read)
	if _, news, err := See(b.s, Deed{Person: "boris", Report: 1}); news || err != nil {
		t.Errorf("read a second time: %v, %v", news, err)
	}
	b.write(t0, ok(Answer(b.s, t0, Deed{Person: "anna", Report: 1, Message: Written{"v2", 100, false, ""}})))
	stands(Answered, Answered)
	b.write(t0.Add(24*time.Hour), ok(Tell(b.s, t0.Add(24*time.Hour), "r1", Written{"v3", 100, true, ""})))
	stands(Read, Read)
	if c.Unread != 1 || len(b.s.Waiting()) != 1 {
		t.Errorf("%d unread, %d wait", c.Unread, len(b.s.Waiting()))
	}
	b.write(t0, ok(Open(b.s, t0, Deed{Person: "anna", Report: 1, Incident: 12, Text: "v4", Message: Written{"v5", 100, false, ""}})))
	stands(Opened, Opened)
	b.write(t0, ok(Join(b.s, t0, Deed{Person: "anna", Report: 1, Incident: 9}, func(i int64) bool { return i == 9 })))
	stands(Joined, Opened)
	b.write(t0, ok(Close(b.s, t0, Deed{Person: "anna", Report: 1, Message: Written{"v6", 100, false, ""}})))
	stands(Closed, Closed)
	b.write(t0, ok(Tell(b.s, t0, "r1", Written{"v7", 100, false, ""})))
	stands(Closed, Closed)
	b.write(t0, ok(Reopen(b.s, t0, Deed{Person: "anna", Report: 1})))
	stands(Joined, Opened)
	b.write(t0, ok(Drop(b.s, t0, Deed{Person: "anna", Report: 1, Message: Written{"v8", 1, false, ""}})))
	stands(Spam, Closed)

	var thread []string
	for _, m := range c.Thread {
		thread = append(thread, fmt.Sprint(m.N, m.Team, m.Vault, m.Day))
	}
	want := []string{"1 true v2 2026-11-28", "2 false v3 2026-11-29", "3 true v5 2026-11-28", "4 true v6 2026-11-28", "5 false v7 2026-11-28"}
	for i := range want {
		want[i] = strings.ReplaceAll(want[i], " ", "")
		thread[i] = strings.ReplaceAll(thread[i], " ", "")
	}
	if d := cmp.Diff(want, thread); d != "" {
		t.Error(d)
	}
	again := NewState()
	for _, e := range b.all {
		if err := again.Fold(e); err != nil {
			t.Fatal(err)
		}
	}
	if d := cmp.Diff(b.s, again, cmp.AllowUnexported(State{})); d != "" {
		t.Error("folded anew it is another state:", d)
	}
}

// TestRefused: what cannot be decided, and why.
func TestRefused(t *testing.T) {
	b, ok := newBook(t), must(t)
	silent := filing(2)
	silent.Receipt, silent.Reply = "", ""
	b.take(t0, 2, filing(1), silent, filing(3), filing(4))
	b.write(t0, ok(Close(b.s, t0, Deed{Person: "anna", Report: 1})))
	known := func(i int64) bool { return i == 9 }
	word := Written{"v", 10, false, ""}
	for _, c := range []struct {
		name string
		try  func() (entry.Draft, error)
		want string
	}{
		{"no such report", func() (entry.Draft, error) { return Close(b.s, t0, Deed{Person: "anna", Report: 99}) }, "no report 99"},
		{"nobody", func() (entry.Draft, error) { return Close(b.s, t0, Deed{Report: 2}) }, "who decides"},
		{"closed", func() (entry.Draft, error) { return Open(b.s, t0, Deed{Person: "anna", Report: 1, Incident: 3}) }, "is closed; reopen"},
		{"closed twice", func() (entry.Draft, error) { return Close(b.s, t0, Deed{Person: "anna", Report: 1}) }, "is closed"},
		{"open", func() (entry.Draft, error) { return Reopen(b.s, t0, Deed{Person: "anna", Report: 2}) }, "is not closed"},
		{"no incident", func() (entry.Draft, error) {
			return Join(b.s, t0, Deed{Person: "anna", Report: 2, Incident: 8}, known)
		}, "no incident 8"},
		{"no number", func() (entry.Draft, error) { return Open(b.s, t0, Deed{Person: "anna", Report: 2}) }, "an incident is needed"},
		{"no words", func() (entry.Draft, error) { return Answer(b.s, t0, Deed{Person: "anna", Report: 3}) }, "needs words"},
		{"no receipt", func() (entry.Draft, error) {
			return Answer(b.s, t0, Deed{Person: "anna", Report: 2, Message: word})
		}, "has no receipt"},
		{"words to a bucket", func() (entry.Draft, error) {
			return Answer(b.s, t0, Deed{Person: "anna", Report: 3, Bucket: true, Message: word})
		}, "one by one"},
		{"no bucket", func() (entry.Draft, error) { return Close(b.s, t0, Deed{Person: "anna", Report: 2, Bucket: true}) }, "in no bucket"},
		{"a wrong receipt", func() (entry.Draft, error) { return Tell(b.s, t0, "other", word) }, "no report of this receipt"},
		{"an empty receipt", func() (entry.Draft, error) { return Tell(b.s, t0, "", word) }, "no report of this receipt"},
		{"too long", func() (entry.Draft, error) { return Tell(b.s, t0, "r3", Written{"v", 1 << 40, false, ""}) }, "larger than we take"},
	} {
		if d, err := c.try(); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %+v, %v; want %q", c.name, d, err, c.want)
		}
	}
	for _, c := range []struct {
		change func(*Filing)
		want   string
	}{
		{func(f *Filing) { f.From = "<script>" + strings.Repeat("x", 500) }, "unknown sender"}, {func(f *Filing) { f.Size = 1 << 40 }, "larger"}, {func(f *Filing) { f.Receipt = "r1" }, ErrTwice.Error()},
		{func(f *Filing) { f.Reply = "x" }, "needs the key"}, {func(f *Filing) { f.Vault = "" }, "without its text"}, {func(f *Filing) { f.Way = "fax" }, "unknown way"}, {func(f *Filing) { f.Reply = "age1" + strings.Repeat("x", 200) }, "longer than one"},
	} {
		f := filing(9)
		c.change(&f)
		if _, err := Take(b.s, t0, 5, []Filing{f}); err == nil || !strings.Contains(err.Error(), c.want) || len(err.Error()) > 300 {
			t.Errorf("%+v: %v, want %q", f, err, c.want)
		}
	}
	if _, err := Take(b.s, t0, 5, make([]Filing, MostBundle+1)); err == nil {
		t.Error("more than a bundle is taken")
	}
	if err := b.s.Fold(entry.Entry{N: 9, Kind: entry.ReportFiled, Body: []byte(`{"id":99}`)}); err == nil {
		t.Error("a report out of turn is folded")
	}
	if err := errors.Join(b.s.Fold(entry.Entry{Kind: "call.opened", Body: []byte(`x`)})); err != nil {
		t.Errorf("what is none of ours: %v", err)
	}
}

// TestFlood: 10,000 reports in an hour are all kept and all readable, stand as 51 in the list, and call once.
func TestFlood(t *testing.T) {
	b := newBook(t)
	door := Door{Limits: Usual()}
	rang, grew, now := 0, 0, t0
	pay := func() {
		debts, _ := Owed(b.s, now)
		for _, d := range debts {
			if d.Ring {
				rang++
			} else {
				grew++
			}
			b.write(now, d.Draft())
		}
	}
	for i := 0; i < 10000; {
		var some []Filing
		for range 20 {
			if err := door.Admit(now, fmt.Sprint(i/20), false, 5000); err != nil {
				t.Fatal(i, err)
			}
			i++
			some = append(some, filing(i))
		}
		b.take(now, door.Limits.Own, some...)
		pay()
		now = now.Add(7 * time.Second)
		if i == 5000 { // somebody looks in the middle of it, which ends nothing
			d, _, err := See(b.s, Deed{Person: "anna", Report: 1})
			if err != nil {
				t.Fatal(err)
			}
			b.write(now, d)
		}
	}
	if now.Sub(t0) > time.Hour {
		t.Fatal("it took longer than an hour")
	}
	if rang != 1 || grew != 2 || b.s.Wave.Count != 10000 {
		t.Errorf("rang %d times, wrote the growth down %d times, counts %d", rang, grew, b.s.Wave.Count)
	}
	if n := len(b.s.Cases()); n != 51 {
		t.Errorf("%d stand in the list", n)
	}
	if n := len(b.s.Bucket(51)); n != 9950 || len(b.s.Waiting()) != 9999 {
		t.Errorf("the bucket has %d, %d wait", n, len(b.s.Waiting()))
	}
	if err := door.Admit(now, "another", false, 5000); err == nil {
		t.Error("the door takes more than it may")
	}
	if c, ok := b.s.Find("r9000"); !ok || c.Bucket != 51 || c.Vault != "v9000" {
		t.Error("a report of the bucket is lost to its reporter")
	}
	if n := len(b.kinds); n > 700 {
		t.Errorf("%d entries", n)
	}
	d, err := Drop(b.s, now, Deed{Person: "anna", Report: 51, Bucket: true})
	if err != nil {
		t.Fatal(err)
	}
	b.write(now, d)
	if len(b.s.Waiting()) != 49 {
		t.Errorf("after the bucket was dropped %d wait", len(b.s.Waiting()))
	}
	now = t0.Add(2 * time.Hour) // later something comes again: that is worth a call
	b.take(now, door.Limits.Own, filing(20000))
	pay()
	if rang != 2 || slices.Index(b.kinds, entry.ReportRung) < 0 {
		t.Errorf("rang %d times", rang)
	}
	if got := len(b.s.Cases()); got != 52 {
		t.Errorf("%d stand in the list", got)
	}
}
