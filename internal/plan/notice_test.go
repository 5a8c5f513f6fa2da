package plan

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tocsin/internal/entry"
)

var monday = time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)

func noticeTeam() *Plan {
	return &Plan{People: map[string]entry.Person{
		"anna": {ID: "anna", Roles: []string{Commander}, Channels: []string{Mail}},
		"gone": {ID: "gone", Roles: []string{Analyst}, Channels: []string{Mail}, Gone: true},
	}}
}

// tell writes an entry into the book.
func tell(t *testing.T, b *Notices, at time.Time, d entry.Draft) {
	t.Helper()
	e, _, err := entry.Make(1, at, d)
	if err != nil {
		t.Fatal(err)
	}
	if ok, err := b.Apply(e); !ok || err != nil {
		t.Fatal(ok, err)
	}
}

func TestAskNotice(t *testing.T) {
	good := entry.Notice{Person: "anna", Channel: Mail, Mode: Each, Realms: []string{"ssh"}}
	for _, x := range []struct {
		name   string
		change func(*entry.Notice)
		says   string
	}{
		{"good", func(*entry.Notice) {}, ""},
		{"a digest", func(n *entry.Notice) { n.Mode, n.Hour = Digest, 23 }, ""},
		{"new countries, of every realm", func(n *entry.Notice) { n.Mode, n.New, n.Realms = New, []string{NewCountry}, nil }, ""},
		{"nobody", func(n *entry.Notice) { n.Person = "eve" }, "nobody on the team"},
		{"somebody who went", func(n *entry.Notice) { n.Person = "gone" }, "nobody on the team"},
		{"no address", func(n *entry.Notice) { n.Channel = Webhook }, "no address for webhook"},
		{"the console", func(n *entry.Notice) { n.Channel = Console }, "by mail or by webhook"},
		{"no mode", func(n *entry.Notice) { n.Mode = "" }, "each sign-in"},
		{"nothing new", func(n *entry.Notice) { n.Mode = New }, "what must be new"},
		{"something else new", func(n *entry.Notice) { n.Mode, n.New = New, []string{"moon"} }, `"moon" cannot be new`},
		{"an hour too late", func(n *entry.Notice) { n.Mode, n.Hour = Digest, 24 }, "0 to 23"},
		{"an hour too early", func(n *entry.Notice) { n.Mode, n.Hour = Digest, -1 }, "0 to 23"},
		{"an unknown realm", func(n *entry.Notice) { n.Realms = []string{"ssh", "mars"} }, `"mars"`},
	} {
		var b Notices
		n := good
		x.change(&n)
		d, err := b.Ask("person:anna", noticeTeam(), n)
		if x.says == "" && (err != nil || d.Kind != entry.NoticeAsked || d.Subject != "notice:1") || x.says != "" && (err == nil || !strings.Contains(err.Error(), x.says)) {
			t.Errorf("%s: %+v, %v", x.name, d, err)
		}
	}
}

func TestNoticesAreBoundedAndEnd(t *testing.T) {
	var b Notices
	p := noticeTeam()
	for k := range noticesEach {
		d, err := b.Ask("a", p, entry.Notice{Person: "anna", Channel: Mail, Mode: Digest, Hour: k})
		if err != nil {
			t.Fatal(err)
		}
		tell(t, &b, monday, d)
	}
	if _, err := b.Ask("a", p, entry.Notice{Person: "anna", Channel: Mail, Mode: Digest, Hour: 3}); err == nil || !strings.Contains(err.Error(), "the same") {
		t.Errorf("the same twice: %v", err)
	}
	if _, err := b.Ask("a", p, entry.Notice{Person: "anna", Channel: Mail, Mode: Each}); err == nil || !strings.Contains(err.Error(), "at most") {
		t.Errorf("too many: %v", err)
	}
	d, err := b.End("a", 3)
	if err != nil {
		t.Fatal(err)
	}
	tell(t, &b, monday, d)
	if _, err := b.End("a", 3); err == nil {
		t.Error("ended twice")
	}
	for _, id := range []int64{0, -1, 99} {
		if _, err := b.Get(id); err == nil {
			t.Errorf("notice %d", id)
		}
	}
	if _, err := b.Ask("a", p, entry.Notice{Person: "anna", Channel: Mail, Mode: Each}); err != nil {
		t.Error(err)
	}
}

func TestCovers(t *testing.T) {
	for _, x := range []struct {
		name  string
		n     entry.Notice
		realm string
		hash  string
		news  []string
		want  bool
	}{
		{"everything", entry.Notice{Mode: Each}, "customer", "", nil, true},
		{"a realm", entry.Notice{Mode: Each, Realms: []string{"ssh", "ftp"}}, "ftp", "", nil, true},
		{"another realm", entry.Notice{Mode: Each, Realms: []string{"ssh", "ftp"}}, "admin", "", nil, false},
		{"no realm", entry.Notice{Mode: Each, Realms: []string{"ssh"}}, "", "", nil, false},
		{"an account", entry.Notice{Mode: Digest, Account: "aa"}, "ssh", "aa", nil, true},
		{"another account", entry.Notice{Mode: Digest, Account: "aa"}, "ssh", "bb", nil, false},
		{"nothing new", entry.Notice{Mode: New, New: []string{NewCountry}}, "ssh", "", nil, false},
		{"something else new", entry.Notice{Mode: New, New: []string{NewCountry}}, "ssh", "", []string{NewAddress}, false},
		{"it is new", entry.Notice{Mode: New, New: []string{NewCountry, NewHour}}, "ssh", "", []string{NewAddress, NewHour}, true},
	} {
		n := Notice{Notice: x.n}
		if got := n.Covers(x.realm, x.hash, x.news); got != x.want {
			t.Errorf("%s: %v", x.name, got)
		}
	}
}

func TestDue(t *testing.T) {
	berlin := time.FixedZone("CET", 3600)
	told := func(ago time.Duration, count int64) NoticeTry {
		return NoticeTry{NoticeTry: entry.NoticeTry{Try: 1, Count: count}, Wanted: monday.Add(-ago), Done: monday.Add(-ago)}
	}
	failing := told(time.Second, 1)
	failing.Failed, failing.Result.Temporary = true, true
	lost := failing
	lost.Result.Temporary = false
	flying := told(time.Second, 1)
	flying.Done = time.Time{}
	for _, x := range []struct {
		name  string
		n     Notice
		count int64
		first time.Duration // before monday
		due   bool
		again time.Duration // after monday; 0 is not by time
	}{
		{"nothing", Notice{Notice: entry.Notice{Mode: Each}}, 0, 0, false, 0},
		{"the first", Notice{Notice: entry.Notice{Mode: Each}}, 1, 0, true, 0},
		{"a flood at first", Notice{Notice: entry.Notice{Mode: Each}}, 1000, 0, true, 0},
		{"the tenth", Notice{Notice: entry.Notice{Mode: Each}, Tries: []NoticeTry{told(2*time.Minute, 9)}}, 1, 0, true, 0},
		{"the eleventh", Notice{Notice: entry.Notice{Mode: Each}, Tries: []NoticeTry{told(2*time.Minute, 10)}}, 1, 0, false, 8 * time.Minute},
		{"after a flood", Notice{Notice: entry.Notice{Mode: New}, Tries: []NoticeTry{told(3*time.Minute, 500)}}, 1, 0, false, 7 * time.Minute},
		{"the flood is over", Notice{Notice: entry.Notice{Mode: New}, Tries: []NoticeTry{told(10*time.Minute, 500)}}, 30, 0, true, 0},
		{"a clock that was set back", Notice{Notice: entry.Notice{Mode: Each}, Tries: []NoticeTry{told(-time.Hour, 500)}}, 1, 0, true, 0},
		{"one is under way", Notice{Notice: entry.Notice{Mode: Each}, Tries: []NoticeTry{flying}}, 1, 0, false, 0},
		{"one will be tried again", Notice{Notice: entry.Notice{Mode: Each}, Tries: []NoticeTry{failing}}, 1, 0, false, 0},
		{"one failed for good", Notice{Notice: entry.Notice{Mode: Each}, Tries: []NoticeTry{lost}}, 1, 0, true, 0},
		{"a digest waits for its hour", Notice{Notice: entry.Notice{Mode: Digest, Hour: 18}}, 3, time.Hour, false, 8 * time.Hour},
		{"its hour has come", Notice{Notice: entry.Notice{Mode: Digest, Hour: 10}}, 3, 2 * time.Hour, true, 0},
		{"at its hour", Notice{Notice: entry.Notice{Mode: Digest, Hour: 10}}, 3, 0, false, 24 * time.Hour},
		{"tomorrow", Notice{Notice: entry.Notice{Mode: Digest, Hour: 7}}, 3, time.Hour, false, 21 * time.Hour},
		{"yesterday's", Notice{Notice: entry.Notice{Mode: Digest, Hour: 7}}, 3, 26 * time.Hour, true, 0},
	} {
		due, again := x.n.Due(x.count, monday.Add(-x.first), monday, berlin)
		if due != x.due || !due && x.again == 0 != again.IsZero() || x.again != 0 && !again.Equal(monday.Add(x.again)) {
			t.Errorf("%s: %v, again %v", x.name, due, again)
		}
	}
}

// A digest's hour is the reader's, also on the day on which clocks change.
func TestDigestWhenClocksChange(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Skip(err)
	}
	n := Notice{Notice: entry.Notice{Mode: Digest, Hour: 8}}
	first := time.Date(2026, 10, 24, 12, 0, 0, 0, berlin) // the night after, it is three o'clock twice
	if _, again := n.Due(1, first, first, berlin); !again.Equal(time.Date(2026, 10, 25, 7, 0, 0, 0, time.UTC)) {
		t.Errorf("due at %v", again)
	}
}

func TestFailedNoticesAreTriedAgain(t *testing.T) {
	var b Notices
	p := noticeTeam()
	d, err := b.Ask("a", p, entry.Notice{Person: "anna", Channel: Mail, Mode: Each})
	if err != nil {
		t.Fatal(err)
	}
	tell(t, &b, monday, d)
	now := monday
	tell(t, &b, now, b.List[0].Want("desk", entry.NoticeTry{Count: 4, Through: 44, Text: "v1"}))
	var waits []time.Duration
	for range 100 {
		drafts, sends, again := b.Owed(p, now)
		switch {
		case len(sends) == 1 && len(drafts) == 0:
			x := sends[0]
			if x.Message != "notice-1-1" || x.Text != "v1" || x.Count != 4 {
				t.Fatalf("sends %+v", x)
			}
			tell(t, &b, now, noticeDraft("desk", entry.NoticeFailed, 1, entry.NoticeResult{ID: 1, Try: x.Try, Temporary: true, Uncertain: x.Try == 1}))
		case len(drafts) == 1 && len(sends) == 0:
			tell(t, &b, now, drafts[0])
		case !again.IsZero():
			waits = append(waits, again.Sub(now))
			now = again
		default:
			if n := b.List[0]; n.Through != 44 || n.Told != 4 || n.Last != noticeAgains+1 || !n.Tries[1].Twice {
				t.Errorf("%+v", n)
			}
			want := []time.Duration{5 * time.Second, 10 * time.Second, 20 * time.Second, 40 * time.Second, 80 * time.Second, 160 * time.Second, 320 * time.Second, 10 * time.Minute, 10 * time.Minute, 10 * time.Minute}
			if diff := cmp.Diff(want, waits); diff != "" {
				t.Error(diff)
			}
			if due, _ := b.List[0].Due(1, now, now, time.UTC); !due {
				t.Error("after it was given up, nothing new is told")
			}
			return
		}
	}
	t.Fatal("it is tried for ever")
}

// What is remembered of a wish is bounded, and what is owed is not forgotten.
func TestTriesAreForgotten(t *testing.T) {
	var b Notices
	p := noticeTeam()
	d, err := b.Ask("a", p, entry.Notice{Person: "anna", Channel: Mail, Mode: Each})
	if err != nil {
		t.Fatal(err)
	}
	tell(t, &b, monday, d)
	n := b.List[0]
	for k := range 100 {
		tell(t, &b, monday, n.Want("desk", entry.NoticeTry{Count: 1, Through: int64(k)}))
		if k != 50 {
			tell(t, &b, monday, noticeDraft("desk", entry.NoticeSent, 1, entry.NoticeResult{ID: 1, Try: n.Last}))
		}
	}
	_, sends, _ := b.Owed(p, monday)
	if len(n.Tries) > noticeTries+50 || len(sends) != 1 || sends[0].Try != 51 {
		t.Errorf("%d tries, %d owed", len(n.Tries), len(sends))
	}
	delete(p.People, "anna")
	if _, sends, _ := b.Owed(p, monday); len(sends) != 0 {
		t.Error("somebody who is not there is owed a notice")
	}
}
