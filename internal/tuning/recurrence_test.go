package tuning

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tocsin/internal/entry"
)

func TestRecurrence(t *testing.T) {
	sha := strings.Repeat("ab", 32)
	w := Recurrence(4, []Trail{
		{Kind: Address, Text: "203.0.113.9", Seen: 9}, {Kind: Address, Text: "::ffff:203.0.113.9", Seen: 1}, {Kind: Address, Text: "2001:DB8::9"},
		{Kind: Hash, Text: strings.ToUpper(sha), Seen: 3}, {Kind: Path, Text: "/media/../pub/X.php?cmd=id", Seen: 5}, {Kind: Account, Text: "Eve"},
		{Kind: Address, Text: "198.51.100.1", Own: true}, {Kind: Address, Text: "10.0.0.7"}, {Kind: Address, Text: "127.0.0.1"}, {Kind: Address, Text: "100.64.0.1"},
		{Kind: Address, Text: "198.51.100.2", Shared: true}, {Kind: Account, Text: "anna", Victim: true}, {Kind: Account, Text: "ANNA"}, {Kind: Account, Text: "root"},
		{Kind: Hash, Text: "d41d8cd98f00b204e9800998ecf8427e"}, {Kind: Path, Text: "/"}, {Kind: Path, Text: "index.php"}, {Kind: Network, Text: "203.0.113.0/24"}, {Kind: Account, Text: "a\x00b"},
	}, t0)
	var got []string
	for _, v := range w.Values {
		got = append(got, v.Key())
		if !v.From.Equal(t0) || !v.Until.Equal(t0.AddDate(0, 0, 14)) || v.Note != "incident 4" {
			t.Errorf("%+v", v)
		}
	}
	if want := "[address 203.0.113.9 path /pub/x.php hash " + sha + " account eve address 2001:db8::9]"; fmt.Sprint(got) != want {
		t.Errorf("%v\nwant %v", got, want)
	}
	if want := map[string]int{LeftOwn: 4, LeftShared: 1, LeftVictim: 1, LeftEveryday: 3, LeftWrong: 3}; !reflect.DeepEqual(w.Left, want) {
		t.Errorf("left out %v, want %v", w.Left, want)
	}
	var many []Trail
	for i := range MaxReturn + 7 {
		many = append(many, Trail{Kind: Address, Text: fmt.Sprintf("198.51.%d.%d", i>>8, i&255), Seen: i})
	}
	if w := Recurrence(4, many, t0); len(w.Values) != MaxReturn || w.Left[LeftMany] != 7 || w.Values[0].Text != many[len(many)-1].Text {
		t.Errorf("%d values, %v", len(w.Values), w.Left)
	}
}

// returns is watches and the entries that made them.
type returns struct {
	t     rapid.TB
	b     Recurrences
	lines [][]byte
}

func (l *returns) add(at time.Time, d entry.Draft, err error) {
	l.t.Helper()
	if err != nil {
		l.t.Fatal(err)
	}
	e, text, err := entry.Make(int64(len(l.lines))+1, at, d)
	if err == nil {
		_, err = l.b.Apply(e)
	}
	if err != nil {
		l.t.Fatal(err)
	}
	l.lines = append(l.lines, text)
}

func (l *returns) fact(at time.Time, k entry.Kind, body any) {
	l.t.Helper()
	l.add(at, entry.Draft{Actor: "a", Kind: k, Subject: "x", Body: body}, nil)
}

func TestAnIncidentComesBack(t *testing.T) {
	l := &returns{t: t}
	days := func(n float64) time.Time { return t0.Add(time.Duration(n * 24 * float64(time.Hour))) }
	w := Recurrence(4, []Trail{{Kind: Address, Text: "203.0.113.9"}, {Kind: Path, Text: "/x.php"}}, t0)
	refuse := func(err error, says string) {
		t.Helper()
		if err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%v; want %q", err, says)
		}
	}
	_, err := l.b.Begin("a", w, "v1", t0)
	refuse(err, "incident 4 is open")
	l.fact(t0, entry.IncidentClosed, entry.Closed{ID: 4, Verdict: "true"})
	_, err = l.b.Begin("a", Watch{Incident: 4}, "v1", t0)
	refuse(err, "left nothing")
	d, err := l.b.Begin("a", w, "v1", t0)
	l.add(t0, d, err)
	kept := map[string][]Listed{"v1": w.Values}
	values := func(vault string) ([]Listed, error) {
		if kept[vault] == nil {
			return nil, errors.New("not there")
		}
		return kept[vault], nil
	}
	set := func(now time.Time) *Set {
		lists, lost := l.b.Listers(now, values)
		if len(lost) > 0 {
			t.Fatalf("lost: %v", lost)
		}
		return NewSet(lists)
	}
	if hit, ok := set(days(1)).Address("203.0.113.9", days(1)); !ok || hit != (Hit{1, "high", Address}) {
		t.Errorf("%+v", hit)
	}
	if hit, ok := set(days(1)).Text(Path, PathKey("/X.php?c=1"), days(1)); !ok || hit.List != 1 {
		t.Errorf("%+v", hit)
	}
	if _, ok := set(days(1)).Address("203.0.113.9", days(-1)); ok {
		t.Error("a line from before the watch is a sign")
	}
	sign := entry.RecurrenceSign{ID: 1, Kind: "address", Value: "h1", Vault: "v2", At: days(3)}
	d, reopen, why, ok := l.b.Sign(sign, days(3))
	if !ok || reopen != 4 || why != "A sign of incident 4 came back, 3 days after it was closed: the same address was seen again." {
		t.Errorf("%v %d %q", ok, reopen, why)
	}
	l.add(days(3), d, nil)
	if _, _, _, ok := l.b.Sign(sign, days(3)); ok {
		t.Error("the same sign is news twice")
	}
	l.fact(days(3), entry.IncidentReopened, entry.Reopened{ID: 4})
	sign.Value = "h2"
	if d, reopen, _, ok := l.b.Sign(sign, days(4)); !ok || reopen != 0 {
		t.Errorf("while it is open: %v %d", ok, reopen)
	} else {
		l.add(days(4), d, nil)
	}
	_, err = l.b.Extend("a", 1, days(10), "v", days(5))
	refuse(err, "to a later time")
	_, err = l.b.Extend("a", 1, days(181), "v", days(5))
	refuse(err, "180 days")
	_, err = l.b.Extend("a", 1, days(20), "", days(5))
	refuse(err, "needs a reason")
	d, err = l.b.Extend("a", 1, days(20), "v3", days(5))
	l.add(days(5), d, err)
	if _, ok := set(days(19)).Address("203.0.113.9", days(19)); !ok {
		t.Error("an extended watch watches no more")
	}
	l.fact(days(6), entry.IncidentClosed, entry.Closed{ID: 4, Verdict: "true"})
	if _, reopen, _, ok := l.b.Sign(entry.RecurrenceSign{ID: 1, Kind: "address", Value: "h1", At: days(7)}, days(7)); !ok || reopen != 4 {
		t.Error("what came back before is no news after the next close")
	}
	w.From, w.Until = days(6), days(20)
	d, err = l.b.Begin("a", w, "v1", days(6))
	l.add(days(6), d, err)
	if l.b.All[0].Stands(days(6)) || l.b.Of(4, days(6)).ID != 2 {
		t.Error("the earlier watch stands beside the new one")
	}
	_, err = l.b.End("a", 1, "v", days(7))
	refuse(err, "no watch 1")
	_, err = l.b.End("a", 2, "", days(7))
	refuse(err, "needs a reason")
	d, err = l.b.End("a", 2, "v4", days(7))
	l.add(days(7), d, err)
	if set(days(7)) != nil {
		t.Error("an ended watch watches")
	}
	if _, _, _, ok := l.b.Sign(entry.RecurrenceSign{ID: 2, Kind: "address", Value: "h9", At: days(8)}, days(8)); ok {
		t.Error("an ended watch has signs")
	}
}

// Whatever is decided, the fold of the ledger is the live state, and no incident has two watches at once.
func TestRecurrencesReplay(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		l, now := &returns{t: rt}, t0
		try := func(d entry.Draft, err error) {
			if err == nil {
				l.add(now, d, nil)
			}
		}
		incident := rapid.Int64Range(1, 2)
		rt.Repeat(map[string]func(*rapid.T){
			"wait":   func(rt *rapid.T) { now = now.Add(time.Duration(rapid.IntRange(1, 200).Draw(rt, "hours")) * time.Hour) },
			"close":  func(rt *rapid.T) { l.fact(now, entry.IncidentClosed, entry.Closed{ID: incident.Draw(rt, "i")}) },
			"reopen": func(rt *rapid.T) { l.fact(now, entry.IncidentReopened, entry.Reopened{ID: incident.Draw(rt, "i")}) },
			"begin": func(rt *rapid.T) {
				try(l.b.Begin("a", Recurrence(incident.Draw(rt, "i"), []Trail{{Kind: Address, Text: "203.0.113.9"}}, now), "v", now))
			},
			"extend": func(rt *rapid.T) {
				try(l.b.Extend("a", rapid.Int64Range(0, 9).Draw(rt, "id"), now.Add(time.Duration(rapid.IntRange(1, 99).Draw(rt, "days"))*24*time.Hour), "v", now))
			},
			"end": func(rt *rapid.T) { try(l.b.End("a", rapid.Int64Range(0, 9).Draw(rt, "id"), "v", now)) },
			"sign": func(rt *rapid.T) {
				x := entry.RecurrenceSign{ID: rapid.Int64Range(0, 9).Draw(rt, "id"), Kind: "address", Value: rapid.SampledFrom([]string{"a", "b"}).Draw(rt, "value"), At: now}
				if d, reopen, _, ok := l.b.Sign(x, now); ok {
					if (reopen != 0) != l.b.closed[l.b.All[x.ID-1].Incident] {
						rt.Fatal("an open incident is opened again, or a closed one is not")
					}
					l.add(now, d, nil)
				}
			},
			"": func(rt *rapid.T) {
				standing := map[int64]int{}
				for _, r := range l.b.All {
					if r.Stands(now) {
						if standing[r.Incident]++; standing[r.Incident] > 1 {
							rt.Fatal("two watches of one incident")
						}
					}
				}
			},
		})
		var again Recurrences
		for _, text := range l.lines {
			e, err := entry.Parse(text)
			if err == nil {
				_, err = again.Apply(e)
			}
			if err != nil {
				rt.Fatal(err)
			}
		}
		if !reflect.DeepEqual(l.b, again) {
			rt.Fatalf("live\n%+v\nreplayed\n%+v", l.b, again)
		}
	})
}

// FuzzTrail: whatever an attacker calls things, a value that is watched reads back as itself, and hits itself.
func FuzzTrail(f *testing.F) {
	f.Add("/x/../y.php?q", "eve")
	f.Add("/İ", "a\u202eb")
	f.Add("//", "\xff")
	f.Fuzz(func(t *testing.T, file, account string) {
		w := Recurrence(1, []Trail{{Kind: Path, Text: file}, {Kind: Account, Text: account}}, t0)
		set := NewSet([]Lister{{1, "high", w.Values}})
		for _, v := range w.Values {
			if _, ok := set.Text(v.Kind, v.Text, t0); !ok {
				t.Errorf("%q is watched and not found", v.Text)
			}
		}
		if key := PathKey(file); key != "" && PathKey(key) != key {
			t.Errorf("%q is %q, and that is %q", file, key, PathKey(key))
		}
	})
}

// Given paths that every visitor asks for, then they are not watched for in whatever folder they lie; a path that came back is news once, however often the incident is closed.
func TestPathsOfVisitors(t *testing.T) {
	for path, watched := range map[string]bool{
		"/index.php": false, "/shop/index.php": false, "/wp-admin/admin-ajax.php": false, "/var/www/html/index.php": false, "/pub/get.php": false, "/media/x.php": true, "/index.php.bak.php": true,
	} {
		if w := Recurrence(4, []Trail{{Kind: Path, Text: path}}, t0); len(w.Values) == 1 != watched {
			t.Errorf("%s: %+v", path, w)
		}
	}
	l := &returns{t: t}
	day := 24 * time.Hour
	for n, tt := range []struct {
		kind, value string
		news        bool
	}{{"path", "h1", true}, {"path", "h1", false}, {"address", "h2", true}, {"address", "h2", true}, {"path", "h3", true}} {
		at := t0.Add(time.Duration(n) * day)
		l.fact(at, entry.IncidentClosed, entry.Closed{ID: 4, Verdict: "true"})
		d, err := l.b.Begin("a", Recurrence(4, []Trail{{Kind: Path, Text: "/x.php"}}, at), "v1", at)
		l.add(at, d, err)
		at = at.Add(time.Hour)
		d, reopen, _, ok := l.b.Sign(entry.RecurrenceSign{ID: int64(n) + 1, Kind: tt.kind, Value: tt.value, Vault: "v2", At: at}, at)
		if ok != tt.news || ok && reopen != 4 {
			t.Errorf("close %d, %s %s: news %v, opens %d", n+1, tt.kind, tt.value, ok, reopen)
		}
		if ok {
			l.add(at, d, nil)
			l.fact(at, entry.IncidentReopened, entry.Reopened{ID: 4})
		}
	}
}
