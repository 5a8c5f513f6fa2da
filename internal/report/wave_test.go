package report

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tocsin/internal/entry"
)

// pay does what is owed for reports, and returns how often the team was called.
func (b *book) pay(now time.Time) (rang int) {
	b.t.Helper()
	debts, _ := Owed(b.s, now)
	for _, d := range debts {
		if d.Ring {
			rang++
		}
		b.write(now, d.Draft())
	}
	return rang
}

func (b *book) see(now time.Time, id int64) {
	b.t.Helper()
	d, news, err := See(b.s, Deed{Person: "anna", Report: id})
	if err != nil || !news {
		b.t.Fatal(news, err)
	}
	b.write(now, d)
}

// TestWaveRingsAgain: given a report that somebody has opened, when another comes within the hour and nobody opens it, then the team is called for it at
// the end of the hour, and the debt loop knows when.
func TestWaveRingsAgain(t *testing.T) {
	for _, c := range []struct {
		name string
		acts func(b *book) // from 10 minutes on
		rang int           // at the end of the hour
	}{
		{"another that nobody opens", func(b *book) { b.take(t0.Add(20*time.Minute), 50, filing(2)) }, 1},
		{"another that somebody opens", func(b *book) { b.take(t0.Add(20*time.Minute), 50, filing(2)); b.see(t0, 2) }, 0},
		{"two of which somebody opens one", func(b *book) { b.take(t0.Add(20*time.Minute), 50, filing(2), filing(3)); b.see(t0, 2) }, 1},
		{"new words in the first", func(b *book) {
			b.write(t0, must(b.t)(Tell(b.s, t0, "r1", Written{"v", 10, false, ""})))
		}, 1},
		{"none", func(*book) {}, 0},
	} {
		b := newBook(t)
		b.take(t0, 50, filing(1))
		if b.pay(t0) != 1 {
			t.Fatal("the first rings not")
		}
		b.see(t0.Add(10*time.Minute), 1)
		if !b.s.Wave.Seen {
			t.Errorf("%s: the first was opened, and its alert goes on", c.name)
		}
		c.acts(b)
		if n := b.pay(t0.Add(30 * time.Minute)); n != 0 || !b.s.Wave.Seen {
			t.Errorf("%s: within the hour it rings %d times, seen %v", c.name, n, b.s.Wave.Seen)
		}
		if _, again := Owed(b.s, t0.Add(30*time.Minute)); (c.rang > 0) != again.Equal(t0.Add(time.Hour)) {
			t.Errorf("%s: asks again at %v", c.name, again)
		}
		if n := b.pay(t0.Add(time.Hour)); n != c.rang || b.s.Wave.Seen == (n > 0) {
			t.Errorf("%s: rang %d times, want %d, seen %v", c.name, n, c.rang, b.s.Wave.Seen)
		}
		if n := b.pay(t0.Add(time.Hour)); n != 0 {
			t.Errorf("%s: rang again at once", c.name)
		}
	}
}

// TestWaveOfTonight: given a report of last week, when somebody closes it, then the call for the report of tonight goes on; what was opened before anybody
// was called calls nobody.
func TestWaveOfTonight(t *testing.T) {
	b := newBook(t)
	b.take(t0, 50, filing(1))
	b.see(t0, 1)
	if n := b.pay(t0); n != 0 {
		t.Error("what somebody has opened rings")
	}
	tonight := t0.Add(7 * 24 * time.Hour)
	b.take(tonight, 50, filing(2))
	if n := b.pay(tonight); n != 1 {
		t.Errorf("rang %d times", n)
	}
	b.write(tonight, must(t)(Close(b.s, tonight, Deed{Person: "anna", Report: 1})))
	if b.s.Wave.Seen {
		t.Error("closing last week's report ends the call for tonight's")
	}
	b.see(tonight, 2)
	if !b.s.Wave.Seen {
		t.Error("it goes on though it was opened")
	}
}

// TestWaveOfSpam: given one report an hour that the team drops, then it is called ever less often, and at once as before after the first that is kept.
func TestWaveOfSpam(t *testing.T) {
	b := newBook(t)
	rang, now := 0, t0
	for n := range 24 {
		b.take(now, 50, filing(n+1))
		if b.pay(now) > 0 {
			rang++
		}
		b.write(now, must(t)(Drop(b.s, now, Deed{Person: "anna", Report: int64(n + 1)})))
		now = now.Add(time.Hour)
	}
	if rang > 8 || rang < 6 {
		t.Errorf("24 reports, all dropped, rang %d times", rang)
	}
	now = now.Add(4 * time.Hour)
	b.take(now, 50, filing(100))
	if b.pay(now) != 1 {
		t.Error("a report after them rings not")
	}
	b.see(now, 25)
	for n := range 3 {
		now = now.Add(WaveLongest)
		b.take(now, 50, filing(200+n))
		if b.pay(now) != 1 || n > 0 && b.s.Wave.Lasts != WaveLasts {
			t.Errorf("after one that was kept a wave lasts %v", b.s.Wave.Lasts)
		}
		b.see(now, int64(26+n))
	}
}

// TestBucketApart: given a bucket of which one report was joined to an incident by itself, when the others are decided about together, then it stays where it
// is; the others move together, and any of them speaks for the bucket.
func TestBucketApart(t *testing.T) {
	b, ok := newBook(t), must(t)
	known := func(int64) bool { return true }
	b.take(t0, 1, filing(1), filing(2), filing(3), filing(4))
	b.write(t0, ok(Join(b.s, t0, Deed{Person: "anna", Report: 2, Incident: 9}, known)), ok(Drop(b.s, t0, Deed{Person: "anna", Report: 3})))
	b.write(t0, ok(Join(b.s, t0, Deed{Person: "anna", Report: 4, Bucket: true, Incident: 5}, known)))
	stands := func(what string, want ...int64) {
		t.Helper()
		for k, id := range []int64{2, 3, 4} {
			if c, _ := b.s.Case(id); c.Incident != want[k] {
				t.Errorf("%s: report %d is in incident %d, want %d", what, id, c.Incident, want[k])
			}
		}
	}
	stands("joined", 9, 0, 5)
	b.write(t0, ok(Join(b.s, t0, Deed{Person: "anna", Report: 2, Bucket: true, Incident: 6}, known)))
	stands("joined to another", 9, 0, 6)
	b.write(t0, ok(Close(b.s, t0, Deed{Person: "anna", Report: 2, Bucket: true})))
	if c, _ := b.s.Case(2); c.Done() {
		t.Error("the one that stands apart was closed with the others")
	}
	if c, _ := b.s.Case(4); !c.Done() {
		t.Error("the others were not closed")
	}
	if _, err := Close(b.s, t0, Deed{Person: "anna", Report: 2, Bucket: true}); err == nil {
		t.Error("a bucket without an open report is closed again")
	}
}

// TestWaveOfAClockAhead: given a call for reports that a clock which ran ahead has timed, when the clock is set back and something comes, then the team is
// called for it as ever; a second between looking at the clock and writing ends no wave.
func TestWaveOfAClockAhead(t *testing.T) {
	for _, c := range []struct {
		name  string
		ahead time.Duration
		late  bool // it came before the clock was set back
		rang  int
	}{{"three days, and another comes", 72 * time.Hour, false, 1}, {"three days, and another came", 72 * time.Hour, true, 1}, {"a second", time.Second, false, 0}} {
		b := newBook(t)
		b.take(t0.Add(c.ahead), 50, filing(1))
		if b.pay(t0.Add(c.ahead)) != 1 {
			t.Fatal("the first rings not")
		}
		b.see(t0.Add(c.ahead), 1)
		if c.late {
			b.take(t0.Add(c.ahead), 50, filing(2))
		} else {
			b.take(t0, 50, filing(2))
		}
		if n := b.pay(t0); n != c.rang {
			t.Errorf("%s: rang %d times, want %d", c.name, n, c.rang)
		}
		if n := b.pay(t0); n != 0 {
			t.Errorf("%s: rang again", c.name)
		}
	}
}

// TestBucketCovers: given a bucket, when a decision covers some of its reports alone, then the others stay as they are, and so they do in a state that is
// folded anew.
func TestBucketCovers(t *testing.T) {
	b, ok := newBook(t), must(t)
	known := func(int64) bool { return true }
	var some []Filing
	for n := range 8 {
		some = append(some, filing(n))
	}
	b.take(t0, 1, some...) // 2 to 8 are the bucket
	not := func(ids ...int64) func(*Case) bool {
		return func(c *Case) bool { return !slices.Contains(ids, c.ID) }
	}
	stands := func(what string, want string) {
		t.Helper()
		got := ""
		for _, c := range b.s.Bucket(2) {
			got += string(c.Standing[0])
		}
		if got != want {
			t.Errorf("%s: they stand %s, want %s", what, got, want)
		}
	}
	b.write(t0, ok(Drop(b.s, t0, Deed{Person: "anna", Report: 2, Bucket: true, Covers: not(2, 5, 8)})))
	stands("dropped but for three", "nssnssn")
	b.write(t0, ok(Join(b.s, t0, Deed{Person: "anna", Report: 3, Bucket: true, Incident: 9, Covers: not(8)}, known)))
	stands("joined but for one", "jssjssn")
	b.write(t0, ok(Close(b.s, t0, Deed{Person: "anna", Report: 2, Bucket: true, Covers: not()})))
	stands("closed", "csscssc")
	if _, err := Reopen(b.s, t0, Deed{Person: "anna", Report: 2, Bucket: true, Covers: not(2, 3, 4, 5, 6, 7, 8)}); err == nil {
		t.Error("what covers none is decided")
	}
	last := b.all[len(b.all)-1]
	if st, err := entry.Body[entry.ReportStep](last); err != nil || st.Spans != nil {
		t.Errorf("what covers all says of whom: %+v, %v", st, err)
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

// TestBucketReopened: given a bucket of which nobody opened anything but one report, when it is dropped and taken up again, then those that nobody read are
// new, and the words that nobody read are unread.
func TestBucketReopened(t *testing.T) {
	b, ok := newBook(t), must(t)
	b.take(t0, 1, filing(1), filing(2), filing(3), filing(4))
	b.see(t0, 3)
	b.write(t0, ok(Tell(b.s, t0, "r3", Written{"v", 10, false, ""})), ok(Tell(b.s, t0, "r4", Written{"v", 10, false, ""})))
	b.see(t0, 4)
	b.write(t0, ok(Drop(b.s, t0, Deed{Person: "anna", Report: 2, Bucket: true})))
	if n := len(b.s.Waiting()); n != 1 {
		t.Errorf("%d wait though the bucket is dropped", n-1)
	}
	b.write(t0, ok(Tell(b.s, t0, "r3", Written{"v", 10, false, ""})), ok(Reopen(b.s, t0, Deed{Person: "anna", Report: 2, Bucket: true})))
	for _, want := range []struct {
		id     int64
		stands Standing
		unread int
	}{{2, New, 0}, {3, Read, 2}, {4, Read, 0}} {
		if c, _ := b.s.Case(want.id); c.Standing != want.stands || c.Unread != want.unread {
			t.Errorf("report %d is %s with %d unread, want %s with %d", want.id, c.Standing, c.Unread, want.stands, want.unread)
		}
	}
	if n := len(b.s.Waiting()); n != 3 {
		t.Errorf("%d wait, want 3", n)
	}
}

// TestToldOnce: given a message that came, when the same comes again, then it is refused as one that is there; another is taken.
func TestToldOnce(t *testing.T) {
	b, ok := newBook(t), must(t)
	b.take(t0, 1, filing(1))
	w := Written{"v", 10, false, "aa"}
	b.write(t0, ok(Tell(b.s, t0, "r1", w)))
	if _, err := Tell(b.s, t0, "r1", w); !errors.Is(err, ErrTwice) {
		t.Errorf("the same once more: %v", err)
	}
	w.Once = "bb"
	b.write(t0, ok(Tell(b.s, t0, "r1", w)))
	w.Once = ""
	b.write(t0, ok(Tell(b.s, t0, "r1", w)), ok(Tell(b.s, t0, "r1", w)))
	if c, _ := b.s.Case(1); len(c.Thread) != 4 {
		t.Errorf("%d messages", len(c.Thread))
	}
}
