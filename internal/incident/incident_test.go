package incident

import (
	"errors"
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"tocsin/internal/entry"
)

// t0 is a Black Friday.
var t0 = time.Date(2026, 11, 27, 9, 0, 0, 0, time.UTC)

// A desk decides, writes and folds, as the real one does.
type desk struct {
	t    *testing.T
	book Book
	all  []entry.Entry
	now  time.Time
}

func (d *desk) write(drafts ...entry.Draft) {
	d.t.Helper()
	for _, x := range drafts {
		e, _, err := entry.Make(int64(len(d.all))+1, d.now, x)
		if err != nil {
			d.t.Fatal(err)
		}
		d.all = append(d.all, e)
		if _, err := d.book.Apply(e); err != nil {
			d.t.Fatal(err)
		}
	}
}

func (d *desk) tell(changes ...Change) {
	d.t.Helper()
	d.write(d.book.Decide(changes)...)
}

func newDesk(t *testing.T) *desk { return &desk{t: t, now: t0} }

// alert makes an alert of a rule from an address ("net.host") about accounts, m minutes after t0.
func alert(id, rule, level string, m int, address string, accounts ...string) entry.Alert {
	at := t0.Add(time.Duration(m) * time.Minute)
	a := entry.Alert{ID: id, Rule: rule, RuleVersion: "v", Title: rule, Level: level, Impact: "attempt", First: at, Last: at, Raised: at, Count: 1, Vault: "v-" + id}
	if address != "" {
		a.Sources = []entry.Party{{Hash: address, Net: address[:1], Role: "suspect"}}
	}
	for _, n := range accounts {
		a.Accounts = append(a.Accounts, entry.Party{Hash: n, Role: "victim"})
	}
	return a
}

func raised(a entry.Alert) Change { return Change{Step: "raised", Alert: a} }

func TestJoining(t *testing.T) {
	own := alert("b", "r2", "high", 1, "a1")
	own.Sources[0].Own = true
	shared := alert("b", "r2", "high", 1, "a1")
	shared.Sources[0].Shared = true
	victim := alert("b", "r2", "high", 1, "a1")
	victim.Sources[0].Role = "victim"
	session := alert("b", "r2", "high", 1, "c9")
	session.Sessions = []string{"s"}
	first := alert("a", "r1", "high", 0, "a1", "anna")
	first.Sessions = []string{"s"}
	stuffed := alert("b", "r2", "high", 1, "c9", "anna", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10")

	first.Techniques = []string{"attack.t1190"}
	nobody := alert("b", "r2", "high", 9, "")
	nobody.Techniques = first.Techniques
	somebody := alert("b", "r2", "high", 9, "c9")
	somebody.Techniques = first.Techniques
	late := alert("b", "r2", "high", 11, "")
	late.Techniques = first.Techniques

	for _, tt := range []struct {
		name   string
		second entry.Alert
		by     string
	}{
		{"nobody, same technique, minutes later", nobody, "technique"},
		{"nobody, same technique, later", late, "opened"},
		{"somebody else with the same technique", somebody, "opened"},
		{"same suspect address", alert("b", "r2", "high", 60, "a1"), "address"},
		{"same suspect address a week later", alert("b", "r2", "high", 8*24*60, "a1"), "opened"},
		{"an own network never joins", own, "opened"},
		{"a shared address never joins", shared, "opened"},
		{"a victim's address never joins", victim, "opened"},
		{"same session", session, "session"},
		{"same account within a day", alert("b", "r2", "high", 23*60, "c9", "anna"), "account"},
		{"same account after a day", alert("b", "r2", "high", 25*60, "c9", "anna"), "opened"},
		{"an account among many says nothing", stuffed, "opened"},
		{"same rule, same network, within the hour", alert("b", "r1", "high", 59, "a2"), "network"},
		{"same rule, same network, later", alert("b", "r1", "high", 61, "a2"), "opened"},
		{"another rule, same network", alert("b", "r2", "high", 1, "a2"), "opened"},
		{"nothing in common", alert("b", "r1", "high", 1, "c9"), "opened"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, batched := range []bool{false, true} {
				d := newDesk(t)
				if batched {
					d.tell(raised(first), raised(tt.second))
				} else {
					d.tell(raised(first))
					d.tell(raised(tt.second))
				}
				want := 1
				if tt.by == "opened" {
					want = 2
				}
				if got := d.book.Alerts["b"]; got.By != tt.by || len(d.book.Incidents) != want {
					t.Errorf("batched %v: joined by %q into %d of %d incidents, want by %q", batched, got.By, got.Incident, len(d.book.Incidents), tt.by)
				}
			}
		})
	}
}

// Given an attack from many addresses, when a further alert comes, then it joins by the technique if it is about accounts of
// the same kind, soon enough.
func TestWaves(t *testing.T) {
	wave := func(addresses int) entry.Alert {
		a := alert("a", "r1", "high", 0, "", "anna")
		for i := range addresses {
			a.Sources = append(a.Sources, entry.Party{Hash: fmt.Sprint("b", i), Net: "b", Role: "suspect"})
		}
		a.Accounts[0].Realm = "customer"
		a.Techniques = []string{"attack.t1110.004"}
		return a
	}
	shared := wave(20)
	for i := range shared.Sources {
		shared.Sources[i].Shared = true
	}
	accounts := func(n int) entry.Alert {
		a := wave(0)
		a.Accounts = nil
		for i := range n {
			a.Accounts = append(a.Accounts, entry.Party{Hash: fmt.Sprint("u", i), Role: "victim", Realm: "customer"})
		}
		return a
	}
	other := func(m int, realm, technique string) entry.Alert {
		a := alert("b", "r2", "medium", m, "c9", "berta")
		a.Accounts[0].Realm = realm
		a.Techniques = []string{"attack.t1078", technique}
		return a
	}
	nameless := other(1, "customer", "attack.t1110.001")
	nameless.Accounts = nil
	for _, tt := range []struct {
		name          string
		first, second entry.Alert
		by            string
	}{
		{"same technique, customers too", wave(8), other(60, "customer", "attack.t1110.001"), "wave"},
		{"the technique as a whole", wave(8), other(60, "customer", "attack.t1110"), "wave"},
		{"hours later", wave(8), other(7*60, "customer", "attack.t1110.004"), "opened"},
		{"other accounts", wave(8), other(1, "admin", "attack.t1110.004"), "opened"},
		{"another technique", wave(8), other(1, "customer", "attack.t1657"), "opened"},
		{"no account", wave(8), nameless, "opened"},
		{"too few addresses for a wave", wave(7), other(1, "customer", "attack.t1110.004"), "opened"},
		{"many accounts and no address", accounts(11), other(1, "customer", "attack.t1110.004"), "wave"},
		{"a few accounts and no address", accounts(10), other(1, "customer", "attack.t1110.004"), "opened"},
		{"shared addresses are no wave", shared, other(1, "customer", "attack.t1110.004"), "opened"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := newDesk(t)
			d.tell(raised(tt.first), raised(tt.second))
			if got := d.book.Alerts["b"].By; got != tt.by {
				t.Errorf("joined by %q, want %q", got, tt.by)
			}
		})
	}
}

func TestClosedIncidentsAreNotJoined(t *testing.T) {
	d := newDesk(t)
	d.tell(raised(alert("a", "r1", "high", 0, "a1")))
	x, err := d.book.Close("person:anna", 1, "false", "v")
	if err != nil {
		t.Fatal(err)
	}
	d.write(x)
	d.tell(raised(alert("b", "r1", "high", 1, "a1")))
	if len(d.book.Incidents) != 2 {
		t.Errorf("%d incidents", len(d.book.Incidents))
	}
}

func TestAnAttackThatGoesOnAfterClosing(t *testing.T) {
	for verdict, want := range map[string]int{"true": 2, "false": 1} {
		d := newDesk(t)
		a := alert("a", "r1", "high", 0, "a1")
		d.tell(raised(a))
		x, _ := d.book.Close("person:anna", 1, verdict, "v")
		d.write(x)
		a.Count = 10
		d.tell(Change{Step: "tenfold", Alert: a})
		if len(d.book.Incidents) != want {
			t.Errorf("closed as %s alarm: %d incidents, want %d", verdict, len(d.book.Incidents), want)
		}
	}
}

func TestLowAndMutedOpenNothing(t *testing.T) {
	d := newDesk(t)
	d.tell(raised(alert("a", "r1", "low", 0, "a1")), Change{Step: "raised", Alert: alert("b", "r1", "critical", 0, "b1"), Mute: 3})
	if len(d.book.Incidents) != 0 || d.book.Alerts["a"].By != "low" || d.book.Alerts["b"].By != "muted" || d.book.Alerts["b"].Mute != 3 {
		t.Errorf("incidents %v, alerts %+v %+v", d.book.Incidents, d.book.Alerts["a"], d.book.Alerts["b"])
	}
	a := alert("a", "r1", "high", 0, "a1")
	a.Count = 2
	d.tell(Change{Step: "level", Alert: a})
	if len(d.book.Incidents) != 1 || d.book.Alerts["a"].Incident != 1 {
		t.Error("a low alert that became high opened nothing")
	}
}

// A mute that comes while an alert goes on leaves its incident as it is: nothing of it rings anew. Without the mute it would.
func TestAMutedAlertWorsensNothing(t *testing.T) {
	for mute, want := range map[int64]string{0: Critical, 3: High} {
		d := newDesk(t)
		a := alert("a", "r1", "high", 0, "a1")
		d.tell(raised(a))
		a.Level, a.Count = "critical", 2
		d.tell(Change{Step: "level", Alert: a, Mute: mute})
		if i := d.book.Incidents[0]; i.Severity != want {
			t.Errorf("mute %d: the incident is %s, want %s", mute, i.Severity, want)
		}
	}
}

func TestKnownChangesDecideNothing(t *testing.T) {
	d := newDesk(t)
	a := alert("a", "r1", "high", 0, "a1")
	changes := []Change{raised(a)}
	a.Count = 10
	changes = append(changes, Change{Step: "tenfold", Alert: a}, Change{Step: "ended", Alert: a})
	d.tell(changes...)
	n := len(d.all)
	d.tell(changes...)
	if len(d.all) != n {
		t.Errorf("the same changes again wrote %d entries", len(d.all)-n)
	}
}

func TestPropose(t *testing.T) {
	for _, tt := range []struct {
		name string
		a    func(*entry.Alert)
		want string
	}{
		{"low stays low whatever happened", func(a *entry.Alert) { a.Level = "low"; a.Impact = "loss" }, Low},
		{"medium attempt", func(a *entry.Alert) { a.Level = "medium" }, Medium},
		{"medium attempt that worked", func(a *entry.Alert) { a.Level = "medium"; a.Succeeded = true }, High},
		{"compromise is high at least", func(a *entry.Alert) { a.Level = "medium"; a.Impact = "compromise" }, High},
		{"loss is critical", func(a *entry.Alert) { a.Impact = "loss" }, Critical},
		{"a taken admin account is critical", func(a *entry.Alert) {
			a.Succeeded = true
			a.Accounts = []entry.Party{{Hash: "x", Realm: "admin"}}
		}, Critical},
		{"an attacked admin account is not", func(a *entry.Alert) { a.Accounts = []entry.Party{{Hash: "x", Realm: "admin"}} }, High},
		{"much data after a success", func(a *entry.Alert) { a.Succeeded = true; a.Bytes = 20 << 20 }, Critical},
		{"from our own network one less", func(a *entry.Alert) { a.Sources[0].Own = true }, Medium},
	} {
		a := alert("a", "r1", "high", 0, "a1")
		tt.a(&a)
		got, why := Propose(a)
		if got != tt.want || len(why) == 0 {
			t.Errorf("%s: %s because %v, want %s", tt.name, got, why, tt.want)
		}
		for _, code := range why {
			if Words(code) == code {
				t.Errorf("reason %q has no words", code)
			}
		}
	}
}

func TestWhatAPersonLoweredStaysUntilSomethingWorseComes(t *testing.T) {
	d := newDesk(t)
	d.tell(raised(alert("a", "r1", "high", 0, "a1")))
	x, err := d.book.SetSeverity("person:anna", 1, Low, "v")
	if err != nil {
		t.Fatal(err)
	}
	d.write(x)
	d.tell(raised(alert("b", "r2", "high", 1, "a1")))
	if s := d.book.Incidents[0].Severity; s != Low {
		t.Errorf("the same again made it %s", s)
	}
	d.tell(raised(alert("c", "r3", "critical", 2, "a1")))
	if s := d.book.Incidents[0].Severity; s != Critical {
		t.Errorf("something worse left it %s", s)
	}
}

func TestWork(t *testing.T) {
	d := newDesk(t)
	d.tell(raised(alert("a", "r1", "high", 0, "a1")))
	must := func(x entry.Draft, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		d.write(x)
	}
	must(d.book.SetPhase("p", 1, "containment"))
	must(d.book.Assign("p", 1, "anna"))
	must(d.book.Note("p", 1, "v", t0.Add(-time.Hour)))
	must(d.book.Close("p", 1, "true", "v"))
	i := d.book.Incidents[0]
	if !i.Closed || i.Phase != "containment" || i.Person != "anna" || len(i.Timeline) != 6 || !i.Timeline[4].Happened.Equal(t0.Add(-time.Hour)) {
		t.Errorf("incident: %+v", i)
	}
	refused := func(_ entry.Draft, err error) {
		t.Helper()
		if err == nil {
			t.Error("was not refused")
		}
	}
	refused(d.book.SetPhase("p", 1, "recovery"))
	refused(d.book.Close("p", 1, "true", "v"))
	refused(d.book.Close("p", 9, "true", "v"))
	must(d.book.Reopen("p", 1, ""))
	refused(d.book.Reopen("p", 1, ""))
	refused(d.book.SetSeverity("p", 1, "terrible", "v"))
	refused(d.book.SetSeverity("p", 1, "low", ""))
	refused(d.book.Close("p", 1, "maybe", "v"))
	refused(d.book.Close("p", 1, "true", ""))
	refused(d.book.Note("p", 1, "", time.Time{}))
	if _, err := d.book.Get(7); !errors.Is(err, ErrNotFound) {
		t.Errorf("got %v", err)
	}
}

// Replay equals live, and a batch decides what its parts decide.
func FuzzReplay(f *testing.F) {
	f.Add([]byte{1, 2, 3, 4, 5, 6, 7, 8, 9, 1, 2, 200, 100})
	f.Fuzz(func(t *testing.T, choices []byte) {
		one, all := newDesk(t), newDesk(t)
		var changes []Change
		for n, c := range choices[:min(len(choices), 60)] {
			a := alert(fmt.Sprint("a", c%7), fmt.Sprint("r", c%3), []string{"low", "medium", "high", "critical"}[c/64], n*10, fmt.Sprintf("%c%d", 'a'+c%4, c%5), fmt.Sprint("u", c%6))
			a.Count = int64(n + 1)
			step := []string{"raised", "tenfold", "level", "ended", "raised"}[c%5]
			changes = append(changes, Change{Step: step, Alert: a})
		}
		for _, c := range changes {
			one.tell(c)
		}
		all.tell(changes...)
		if !reflect.DeepEqual(one.all, all.all) {
			t.Fatalf("one by one:\n%v\nin a batch:\n%v", one.all, all.all)
		}
		again := newDesk(t)
		for _, e := range one.all {
			if _, err := again.book.Apply(e); err != nil {
				t.Fatal(err)
			}
		}
		if d := cmp.Diff(one.book, again.book, cmpopts.EquateComparable(), cmp.AllowUnexported(Book{}, entry.Words{}, Incident{}, index{}, seen{}, kin{}, kinLink{}, todo{})); d != "" {
			t.Fatalf("replay differs: %s", d)
		}
	})
}

// Given an incident with a long timeline, when it is closed, then its lists keep no room to grow: ten thousand of them would keep it for nothing.
func TestAClosedIncidentKeepsNoRoom(t *testing.T) {
	var b Book
	n := int64(0)
	apply := func(k entry.Kind, body any) {
		t.Helper()
		n++
		e, _, err := entry.Make(n, time.Unix(n, 0), entry.Draft{Actor: "person:anna", Kind: k, Subject: "incident:1", Body: body})
		if err == nil {
			_, err = b.Apply(e)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	apply(entry.IncidentOpened, entry.Opened{ID: 1, Title: "t", Severity: High, Why: []string{}})
	for range 36 {
		apply(entry.IncidentNoted, entry.Note{ID: 1, Text: "v"})
	}
	apply(entry.IncidentClosed, entry.Closed{ID: 1, Verdict: "true", Text: "v"})
	if i := b.Incidents[0]; len(i.Timeline) != 38 || cap(i.Timeline) > len(i.Timeline)+3 {
		t.Errorf("a timeline of %d lines has room for %d", len(i.Timeline), cap(i.Timeline))
	}
}
