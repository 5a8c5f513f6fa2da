package detect

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"tocsin/internal/record"
)

const (
	firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:131.0) Gecko/20100101 Firefox/131.0"
	phone   = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.0 Mobile/15E148 Safari/604.1"
)

// did makes a record of a line "day hh:mm:ss account realm action word..."; day 1 is 2 November 2026. A word is an address, a country of
// two letters, failure, AS64500=name, place=lat,lon, agent (firefox, phone), bytes=N or session=text; an address brings its network.
func did(t interface {
	Helper()
	Fatalf(string, ...any)
}, text string) *record.Record {
	t.Helper()
	f := strings.Fields(text)
	day, err := strconv.Atoi(f[0])
	clock, err2 := time.Parse("15:04:05", f[1])
	if err != nil || err2 != nil || len(f) < 5 {
		t.Fatalf("%q: %v %v", text, err, err2)
	}
	when := time.Date(2026, 11, 1+day, clock.Hour(), clock.Minute(), clock.Second(), 0, time.UTC)
	r := at(when.Sub(start).Seconds(), "user.name="+f[2], "user.realm="+f[3], "event.action="+f[4], "event.outcome=success")
	for _, w := range f[5:] {
		name, value, _ := strings.Cut(w, "=")
		switch {
		case w == "failure":
			r.Set(record.EventOutcome, record.Text("failure"))
		case w == "firefox":
			r.Set(record.UserAgent, record.Text(firefox))
		case w == "phone":
			r.Set(record.UserAgent, record.Text(phone))
		case strings.HasPrefix(name, "AS"):
			n, _ := strconv.ParseInt(name[2:], 10, 64)
			r.Set(record.SourceASNumber, record.Int(n, name[2:]))
			r.Set(record.SourceASName, record.Text(strings.ReplaceAll(value, "_", " ")))
		case name == "place":
			lat, lon, _ := strings.Cut(value, ",")
			x, _ := strconv.ParseFloat(lat, 64)
			y, _ := strconv.ParseFloat(lon, 64)
			r.Set(record.SourceLat, record.Float(x, lat))
			r.Set(record.SourceLon, record.Float(y, lon))
		case name == "bytes":
			n, _ := strconv.ParseInt(value, 10, 64)
			r.Set(record.TransferBytes, record.Int(n, value))
		case name == "session":
			r.Set(record.SessionID, record.Text(value))
		case len(w) == 2:
			r.Set(record.SourceCountry, record.Text(w))
		default:
			r.Set(record.SourceIP, record.Text(w))
			r.Set(record.SourceNetwork, record.Text(w[:strings.LastIndexByte(w, '.')]+".0/24"))
		}
	}
	return r
}

// daily repeats a line that begins with "*" on each of some days.
func daily(from, to int, line string) (out []string) {
	for d := from; d <= to; d++ {
		out = append(out, strings.ReplaceAll(line, "*", strconv.Itoa(d)))
	}
	return out
}

// odd raises an alert for whatever is not normal.
const oddRule = `
title: odd
id: odd
level: medium
logsource: {category: application}
detection:
  a: {habit.country: [new, rare]}
  b: {habit.network: new}
  c: {habit.device: new}
  d: {habit.hour: [new, rare]}
  e: {habit.travel: [impossible, fast]}
  f: {habit.volume: [far above, above]}
  g: {habit.session_volume: far above}
  h: {habit.realm_country: new}
  condition: 1 of them
tocsin: {quiet: 1m}
---
title: attack
id: attack
level: high
logsource: {category: application}
detection: {s: {event.action: attack}, condition: s}
tocsin: {quiet: 1m}
`

func TestHabits(t *testing.T) {
	office := daily(1, 8, "* 09:00:00 anna ssh login 192.0.2.7 DE")
	shop := daily(1, 20, "* 09:30:00 anna admin login 192.0.2.7 DE firefox")
	fetch := daily(1, 10, "* 10:00:00 feed ftp download 192.0.2.7 bytes=2000000")
	for _, x := range []struct {
		name  string
		given []string
		when  string
		want  string // fields that are not unknown, without habit.
		why   string
	}{
		{"nothing is known", nil, "1 09:00:00 anna ssh login 192.0.2.7 DE", "", ""},
		{"a new account is learning", daily(1, 2, "* 09:00:00 anna ssh login 192.0.2.7 DE"), "3 09:00:00 anna ssh login 203.0.113.7 ID", "seen_days=2 travel=possible speed_kmh=392", ""},
		{"many sign-ins on one day are no habit", []string{"1 09:00:00 anna ssh login 192.0.2.7 DE", "1 10:00:00 anna ssh login 192.0.2.7 DE", "1 11:00:00 anna ssh login 192.0.2.7 DE",
			"1 12:00:00 anna ssh login 192.0.2.7 DE", "1 13:00:00 anna ssh login 192.0.2.7 DE", "1 14:00:00 anna ssh login 192.0.2.7 DE"},
			"3 09:00:00 anna ssh login 203.0.113.7 ID", "seen_days=2 travel=possible speed_kmh=219", ""},
		{"as always", office, "9 09:00:00 anna ssh login 192.0.2.99 DE", "country=usual network=usual seen_days=8 travel=possible", ""},
		{"a new country", office, "10 11:00:00 anna ssh login 203.0.113.7 ID", "country=new network=new seen_days=9 travel=possible speed_kmh=188",
			"first sign-in of anna (ssh) from Indonesia; 8 from Germany in 30 days"},
		{"what another account does says nothing", office, "9 09:00:00 bert ssh login 203.0.113.7 ID", "", ""},
		{"nor does the same name elsewhere", office, "9 09:00:00 anna ftp login 203.0.113.7 ID", "", ""},
		{"an old country is new again after 90 days", slices.Concat(daily(1, 5, "* 09:00:00 anna ssh login 198.51.100.7 BR"), daily(10, 95, "* 09:00:00 anna ssh login 192.0.2.7 DE")),
			"96 12:00:00 anna ssh login 198.51.100.7 BR", "country=new network=new hour=new realm_country=new seen_days=95 travel=possible speed_kmh=222",
			"first sign-in of anna (ssh) from Brazil; 29 from Germany in 30 days; nobody else signed in to ssh from there either; at 12:00, while nine of ten sign-ins are between 09:00 and 10:00"},
		{"a rare country", slices.Concat([]string{"1 09:00:00 anna ssh login 198.51.100.7 BR"}, daily(3, 40, "* 09:00:00 anna ssh login 192.0.2.7 DE")),
			"42 09:00:00 anna ssh login 198.51.100.7 BR", "country=rare network=rare hour=usual realm_country=rare seen_days=41 travel=usual speed_kmh=125",
			"anna (ssh) was in Brazil only 1 time before, last 41 days ago; 28 from Germany in 30 days, 1 country before"},
		{"the same autonomous system is no new network", daily(1, 8, "* 09:00:00 anna ssh login 192.0.2.7 DE AS64500=Example"), "9 09:00:00 anna ssh login 198.51.100.7 DE AS64500=Example",
			"country=usual network=usual seen_days=8 travel=possible", ""},
		{"a new device", shop, "21 09:30:00 anna admin login 192.0.2.7 DE phone", "country=usual network=usual device=new hour=usual realm_country=usual seen_days=20 travel=possible",
			"never before with Safari on iPhone, mostly with Firefox on Linux"},
		{"a new version is no new device", shop, "21 09:30:00 anna admin login 192.0.2.7 DE firefox", "country=usual network=usual device=usual hour=usual realm_country=usual seen_days=20 travel=possible", ""},
		{"an unusual hour", shop, "21 03:12:00 anna admin login 192.0.2.7 DE firefox", "country=usual network=usual device=usual hour=new realm_country=usual seen_days=20 travel=possible",
			"at 03:12, while nine of ten sign-ins are between 09:00 and 10:00"},
		{"the hour beside is usual", shop, "21 10:12:00 anna admin login 192.0.2.7 DE firefox", "country=usual network=usual device=usual hour=usual realm_country=usual seen_days=20 travel=possible", ""},
		{"impossible travel by countries", shop, "20 10:15:00 anna admin login 203.0.113.7 VN firefox",
			"country=new network=new device=usual hour=usual realm_country=new seen_days=19 travel=impossible speed_kmh=11089",
			"first sign-in of anna (admin) from Vietnam; 20 from Germany in 30 days; nobody else signed in to admin from there either; 45 minutes after a sign-in from Germany, at least 8,317 km away: 11,089 km/h"},
		{"neighbours are never far", shop, "20 10:15:00 anna admin login 203.0.113.7 AT firefox", "country=new network=new device=usual hour=usual realm_country=new seen_days=19 travel=possible",
			"first sign-in of anna (admin) from Austria; 20 from Germany in 30 days; nobody else signed in to admin from there either"},
		{"impossible travel by places, within one country", daily(1, 8, "* 09:00:00 anna ssh login 192.0.2.7 US place=40.7,-74.0"), "8 09:45:00 anna ssh login 198.51.100.7 US place=34.1,-118.2",
			"country=usual network=new seen_days=7 travel=impossible speed_kmh=5240",
			"its network 198.51.100.0/24 is new, 1 other is known; 45 minutes after a sign-in from the United States, some 3,931 km away: 5,240 km/h"},
		{"a relay says nothing of a place", shop, "20 10:15:00 anna admin login 203.0.113.7 VN AS64501=Example_Cloud_VPN firefox",
			"country=new network=new device=usual hour=usual realm_country=new seen_days=19 travel=relayed speed_kmh=11089",
			"first sign-in of anna (admin) from Vietnam; 20 from Germany in 30 days; nobody else signed in to admin from there either; its network 203.0.113.0/24 (AS64501 Example Cloud VPN) is new, 1 other is known"},
		{"nor do two addresses of one autonomous system", daily(1, 8, "* 09:00:00 anna ssh login 192.0.2.7 DE AS64500=Example"), "8 09:45:00 anna ssh login 203.0.113.7 VN AS64500=Example",
			"country=new network=usual seen_days=7 travel=possible speed_kmh=11089", "first sign-in of anna (ssh) from Vietnam; 8 from Germany in 30 days"},
		{"who goes to and fro may", slices.Concat(shop, []string{"21 09:30:00 anna admin login 203.0.113.7 VN firefox", "22 09:40:00 anna admin login 203.0.113.7 VN firefox", "22 20:00:00 anna admin login 192.0.2.7 DE firefox"}),
			"22 20:30:00 anna admin login 203.0.113.7 VN firefox", "country=rare network=rare device=usual hour=usual realm_country=rare seen_days=21 travel=usual speed_kmh=16633",
			"anna (admin) was in Vietnam only 1 time before, last 0 days ago; 21 from Germany and 1 from Vietnam in 30 days"},
		{"a stranger in a realm that is known", daily(1, 25, "* 09:00:00 anna ssh login 192.0.2.7 DE"), "26 09:00:00 bert ssh login 203.0.113.7 ID", "realm_country=new",
			"first sign-in of anybody to ssh from Indonesia, by bert (ssh); 25 from Germany in 30 days"},
		{"as much as ever", fetch, "11 10:00:00 feed ftp download 192.0.2.7 bytes=2500000", "volume=usual seen_days=10", ""},
		{"far more than ever", fetch, "11 10:00:00 feed ftp download 192.0.2.7 bytes=200000000", "volume=far above seen_days=10",
			"feed (ftp) fetched 191 MB on this day so far; in 10 days before the median was 1.91 MB, and one in twenty had more than 1.91 MB"},
		{"more, and nobody's business", fetch, "11 10:00:00 feed ftp download 192.0.2.7 bytes=12000000", "volume=usual seen_days=10", ""},
		{"uploads are another habit", fetch, "11 10:00:00 feed ftp upload 192.0.2.7 bytes=200000000", "seen_days=10", ""},
		{"a session against sessions", slices.Concat(daily(1, 10, "* 10:00:00 anna admin export 192.0.2.7 bytes=4000000 session=a*"), daily(1, 10, "* 11:00:00 anna admin export 192.0.2.7 bytes=4000000 session=b*")),
			"11 10:00:00 anna admin export 192.0.2.7 bytes=34000000 session=z", "volume=above session_volume=far above seen_days=10",
			"anna (admin) exported 32.4 MB on this day so far; in 10 days before the median was 7.63 MB, and one in twenty had more than 7.63 MB; " +
				"anna (admin) fetched 32.4 MB in this session so far; in 20 sessions before the median was 3.81 MB, and one in twenty had more than 3.81 MB"},
		{"an address that failed teaches nothing", slices.Concat(office,
			[]string{"8 10:00:00 anna ssh login 198.51.100.7 BR failure", "8 10:00:01 anna ssh login 198.51.100.7 BR failure", "8 10:00:02 bert ssh login 198.51.100.7 BR failure",
				"8 10:00:03 anna ssh login 198.51.100.7 BR failure", "8 10:00:04 anna ssh login 198.51.100.7 BR failure", "8 10:00:05 anna ssh login 198.51.100.7 BR"},
			daily(8, 8, "* 20:00:00 anna ssh login 198.51.100.7 BR")), "8 23:00:00 anna ssh login 198.51.100.7 BR", "country=new network=new seen_days=7 travel=fast speed_kmh=430",
			"first sign-in of anna (ssh) from Brazil; 8 from Germany in 30 days; 14 hours after a sign-in from Germany, at least 6,020 km away: 430 km/h"},
		{"nor does one that an alert names", slices.Concat(office, []string{"9 02:00:00 x x login 198.51.100.7 failure", "9 10:00:00 y y attack 198.51.100.7"},
			daily(9, 10, "* 10:30:00 anna ssh login 198.51.100.7 BR")), "10 23:00:00 anna ssh login 198.51.100.7 BR", "country=new network=new seen_days=9 travel=possible speed_kmh=97",
			"first sign-in of anna (ssh) from Brazil; 8 from Germany in 30 days"},
		{"what is odd is learnt a day later", slices.Concat(office, daily(9, 11, "* 10:30:00 anna ssh login 198.51.100.7 BR")), "11 12:00:00 anna ssh login 198.51.100.7 BR",
			"country=usual network=usual seen_days=10 travel=possible", ""},
		{"a new account does not learn its attacker's country", slices.Concat(daily(1, 2, "* 09:00:00 anna ssh login 192.0.2.7 DE"), []string{"2 23:00:00 anna ssh login 203.0.113.7 ID"},
			daily(3, 6, "* 09:00:00 anna ssh login 192.0.2.7 DE")), "7 23:00:00 anna ssh login 203.0.113.8 BR", "country=new network=new seen_days=6 travel=possible speed_kmh=158",
			"first sign-in of anna (ssh) from Brazil; 6 from Germany in 30 days"},
		{"two logs tell of one sign-in", slices.Concat(daily(1, 3, "* 09:00:00 anna ssh login 192.0.2.7 DE"), daily(1, 3, "* 09:00:01 anna ssh login 192.0.2.7 DE")),
			"4 09:00:00 anna ssh login 203.0.113.7 ID", "seen_days=3 travel=possible speed_kmh=392", ""},
		{"the account may look like anything", nil, "1 09:00:00 \x1b[31m\u202e ssh login 192.0.2.7 DE", "", ""},
	} {
		t.Run(x.name, func(t *testing.T) {
			d := New(rules(t, oddRule), Options{})
			var history []*record.Record
			for _, s := range x.given {
				history = append(history, did(t, s))
			}
			slices.SortStableFunc(history, func(a, b *record.Record) int { return a.Time.Compare(b.Time) })
			for _, r := range history {
				d.Step(r)
			}
			r := did(t, x.when)
			changes := d.Step(r)
			if got := verdicts(r); got != normalized(x.want) {
				t.Errorf("got  %s\nwant %s", got, normalized(x.want))
			}
			why := ""
			for _, c := range changes {
				if c.Step == Raised && c.Alert.Rule == "odd" {
					why = c.Alert.Why
				}
			}
			if d := cmp.Diff(x.why, why); d != "" {
				t.Error(d)
			}
		})
	}
}

// verdicts lists the habit fields of a record that say something.
func verdicts(r *record.Record) string {
	var out []string
	for f := range record.NumFields {
		if v, ok := r.Get(record.Field(f)); ok && record.Field(f).Habit() && v.Text != "unknown" {
			out = append(out, strings.TrimPrefix(record.Field(f).String(), "habit.")+"="+v.Text)
		}
	}
	return normalized(strings.Join(out, "\x00"))
}

// normalized sorts the pairs of a text; a value may have a blank.
func normalized(s string) string {
	s = strings.ReplaceAll(strings.ReplaceAll(s, "\x00", " "), "far above", "far-above")
	f := slices.DeleteFunc(strings.Fields(s), func(w string) bool { return strings.HasSuffix(w, "=unknown") })
	slices.Sort(f)
	return strings.Join(f, " ")
}

// Hours are those of the shop, and days begin and end there.
func TestHabitsInTheShopsZone(t *testing.T) {
	d := New(rules(t, oddRule), Options{Zone: time.FixedZone("there", 9*3600)})
	for _, s := range daily(1, 14, "* 00:30:00 anna ssh login 192.0.2.7 DE") {
		d.Step(did(t, s))
	}
	r := did(t, "15 15:10:00 anna ssh login 192.0.2.7 DE")
	why := ""
	for _, c := range d.Step(r) {
		why = c.Alert.Why
	}
	if want := "at 00:10, while nine of ten sign-ins are between 09:00 and 10:00"; why != want {
		t.Errorf("it says %q", why)
	}
	if h, _ := d.Habit("ssh", "anna"); h.Days != 15 || h.Hours[9] < 10 || h.Hours[0] == 0 || h.Countries[0].Last != "2026-11-17" {
		t.Errorf("%+v", h)
	}
}

// The doubts about addresses are a table of fixed size; what it loses is counted.
func TestDoubtsAreBounded(t *testing.T) {
	h := newDoubts()
	for i := range 100_000 {
		h.failed(fmt.Sprintf("10.%d.%d.%d", i>>16, i>>8&255, i&255), int64(i))
	}
	if len(h.sets) != doubtSets*doubtWays || h.lost != 100_000-doubtSets*doubtWays {
		t.Errorf("%d places, %d lost", len(h.sets), h.lost)
	}
	for i := range doubtFailures {
		h.failed("192.0.2.7", int64(200_000+i))
	}
	if !h.doubtful("192.0.2.7", 200_100) || h.doubtful("192.0.2.7", 200_100+int64(doubtSpan)) || h.doubtful("192.0.2.8", 200_100) || h.doubtful("", 1) {
		t.Error("the wrong ones are under suspicion")
	}
}

func TestWhyOnlyOfRulesAboutHabits(t *testing.T) {
	d := New(rules(t, strings.Replace(oddRule, "event.action: attack", "event.action: login", 1)), Options{})
	for _, s := range daily(1, 8, "* 09:00:00 anna ssh login 192.0.2.7 DE") {
		d.Step(did(t, s))
	}
	for _, c := range d.Step(did(t, "9 09:00:00 anna ssh login 203.0.113.7 ID")) {
		if c.Step == Raised && (c.Alert.Why != "") != (c.Alert.Rule == "odd") {
			t.Errorf("%s: %q", c.Alert.Rule, c.Alert.Why)
		}
	}
}

func TestForgetHabit(t *testing.T) {
	d := New(rules(t, oddRule), Options{})
	for _, s := range daily(1, 8, "* 09:00:00 anna ssh login 192.0.2.7 DE") {
		d.Step(did(t, s))
	}
	if d.ForgetHabit("ftp", "anna") || d.ForgetHabit("ssh", "") || !d.ForgetHabit("ssh", "anna") || d.ForgetHabit("ssh", "anna") {
		t.Error("it forgets what it does not know, or not what it knows")
	}
	r := did(t, "9 09:00:00 anna ssh login 203.0.113.7 ID")
	d.Step(r)
	if got := verdicts(r); got != "" {
		t.Errorf("after it: %s", got)
	}
}

// Lines that were taken in before are judged and teach nothing: a restart with other rules reads them again.
func TestLinesAreLearntOnce(t *testing.T) {
	d := New(rules(t, oddRule), Options{})
	var lines []*record.Record
	for i, s := range daily(1, 8, "* 09:00:00 anna ssh login 192.0.2.7 DE") {
		r := did(t, s)
		r.Line.Seq = int64(i + 1)
		lines = append(lines, r)
		d.Step(r)
	}
	data, err := d.FreezeHabits()()
	if err != nil {
		t.Fatal(err)
	}
	again := New(rules(t, failRule), Options{})
	if err := again.RestoreHabits(data); err != nil {
		t.Fatal(err)
	}
	for _, r := range lines {
		again.Step(r)
	}
	if d := cmp.Diff(d.Habits(), again.Habits()); d != "" {
		t.Error(d)
	}
	list, upTo, err := ReadHabits(data)
	if d := cmp.Diff(d.Habits(), list); d != "" || upTo != 8 || err != nil {
		t.Error(d, upTo, err)
	}
}

// TestHabitsSurviveARestart: what was learnt and written down in the middle goes on as if nothing had happened.
func TestHabitsSurviveARestart(t *testing.T) {
	set := rules(t, oddRule)
	o := Options{MaxAccounts: 4}
	rapid.Check(t, func(t *rapid.T) {
		through, again := New(set, o), New(set, o)
		var lines []string
		day := 1
		for range rapid.IntRange(1, 80).Draw(t, "records") {
			day += rapid.SampledFrom([]int{0, 0, 0, 1, 1, 3, 40}).Draw(t, "days")
			lines = append(lines, fmt.Sprintf("%d %02d:00:00 %s %s %s %s %s %s session=%d bytes=%d", day, rapid.IntRange(0, 23).Draw(t, "hour"),
				rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "who"), rapid.SampledFrom([]string{"ssh", "customer", "admin"}).Draw(t, "realm"),
				rapid.SampledFrom([]string{"login", "login", "login", "download", "export", "attack"}).Draw(t, "action"),
				rapid.SampledFrom([]string{"192.0.2.7", "198.51.100.7", "203.0.113.7"}).Draw(t, "ip"),
				rapid.SampledFrom([]string{"DE", "BR", "VN"}).Draw(t, "country"), rapid.SampledFrom([]string{"firefox", "phone", "failure"}).Draw(t, "agent"),
				rapid.IntRange(0, 3).Draw(t, "session"), rapid.IntRange(0, 1<<26).Draw(t, "bytes")))
		}
		for _, s := range lines {
			one, two := did(t, s), did(t, s)
			data, err := again.Snapshot()
			if err != nil {
				t.Fatal(err)
			}
			again = New(set, o)
			if err := again.Restore(data); err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(through.Step(one), again.Step(two)); d != "" {
				t.Fatalf("%s: %s", s, d)
			}
			if a, b := verdicts(one), verdicts(two); a != b {
				t.Fatalf("%s: %s and %s", s, a, b)
			}
			if d := cmp.Diff(through.Habits(), again.Habits()); d != "" {
				t.Fatalf("%s: %s", s, d)
			}
		}
	})
}

// What FreezeHabits took does not change while detection goes on.
func TestFrozenHabitsHoldStill(t *testing.T) {
	d := New(rules(t, oddRule), Options{})
	step := func(from, to int) {
		for _, s := range daily(from, to, "* 09:00:00 anna ssh login 192.0.2.7 DE firefox") {
			d.Step(did(t, s))
		}
		for _, s := range daily(from, to, "* 10:00:00 anna ssh export 192.0.2.7 bytes=1000") {
			d.Step(did(t, s))
		}
	}
	step(1, 9)
	then, err := d.FreezeHabits()()
	if err != nil {
		t.Fatal(err)
	}
	write := d.FreezeHabits()
	step(10, 14)
	if late, err := write(); err != nil || !bytes.Equal(then, late) {
		t.Errorf("it changed (%v)", err)
	}
}

// The oldest customers go first, staff only among themselves, and what went is counted.
func TestAccountsAreBounded(t *testing.T) {
	d := New(rules(t, oddRule), Options{MaxAccounts: 50})
	for i := range 20 {
		d.Step(did(t, fmt.Sprintf("1 09:00:00 s%d ssh login 192.0.2.7 DE", i)))
	}
	for i := range 5000 {
		d.Step(did(t, fmt.Sprintf("1 09:00:00 c%d customer login 192.0.2.7 DE firefox", i)))
	}
	s := d.Stats()
	if s.Accounts != 50 || s.Strangers != 20+1+5000-50 {
		t.Errorf("%d accounts, %d lost", s.Accounts, s.Strangers)
	}
	for i := range 20 {
		if _, ok := d.Habit("ssh", fmt.Sprintf("s%d", i)); !ok {
			t.Errorf("customers drove out the account s%d of staff", i)
		}
	}
}

// An account that does everything that is possible stays below 4 KB.
func TestAnAccountIsBounded(t *testing.T) {
	d := New(rules(t, oddRule), Options{})
	for i := range 3000 {
		ip := fmt.Sprintf("10.%d.%d.7", i%256, i/256)
		country := string([]byte{byte('A' + i%26), byte('A' + i/26%26)})
		d.Step(did(t, fmt.Sprintf("%d %02d:00:00 anna ssh login %s %s AS%d=%s", i/24+1, i%24, ip, country, i+1, strings.Repeat("x", 300))))
		d.Step(did(t, fmt.Sprintf("%d %02d:00:01 anna ssh export %s bytes=5 session=%d", i/24+1, i%24, ip, i)))
	}
	x := d.habits.find(account{"anna", "ssh"})
	if err := x.sound(); err != nil {
		t.Error(err)
	}
	data, err := d.FreezeHabits()()
	if err != nil || len(data) > 16<<10 { // gob's own description of the form is some 2 KB, the suspects are the rest
		t.Errorf("%d bytes, %v", len(data), err)
	}
}

func TestDevice(t *testing.T) {
	for agent, want := range map[string]string{
		firefox: "Firefox on Linux",
		phone:   "Safari on iPhone",
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36":                            "Chrome on Windows",
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36 Edg/130.0.0.0":              "Edge on Windows",
		"Mozilla/5.0 (Linux; Android 14; SM-S921B) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/26.0 Chrome/122.0.0.0 Mobile Safari/537.36": "Samsung Internet on Android",
		"curl/8.5.0": "curl", "python-requests/2.31": "python-requests", "": "", "\x00\x1b": "", "Mozilla/5.0": "Mozilla", "ShopApp/4.2 (Android 13)": "ShopApp on Android",
		strings.Repeat("A", 5000): strings.Repeat("A", 32),
	} {
		if got := device(agent); got != want {
			t.Errorf("%.80q: %q, want %q", agent, got, want)
		}
	}
}

func TestRelay(t *testing.T) {
	for name, want := range map[string]bool{
		"M247 Europe SRL": true, "DIGITALOCEAN-ASN": true, "T-Mobile USA, Inc.": true, "Deutsche Telekom AG": false, "Altec Kabel GmbH": false,
		"LTE Networks": true, "Vodafone GmbH": false, "": false, "Example VPN Ltd": true, "Comcast Cable": false,
	} {
		if relay(name) != want {
			t.Errorf("%q: %v, want %v", name, !want, want)
		}
	}
}

func TestCountries(t *testing.T) {
	if len(countries) != 249 {
		t.Errorf("%d countries, want the 249 of ISO 3166-1", len(countries))
	}
	for code, c := range countries {
		if len(code) != 2 || c.name == "" || len(c.points) == 0 {
			t.Errorf("%s: %+v", code, c)
		}
	}
	for code, want := range map[string]string{"DE": "Germany", "id": "Indonesia", "NL": "the Netherlands", "??": "??", "": ""} {
		if got := CountryName(code); got != want {
			t.Errorf("%q: %q", code, got)
		}
	}
	for _, x := range []struct {
		a, b     string
		from, to float64
	}{{"DE", "DE", 0, 0}, {"DE", "AT", 0, 0}, {"DE", "VN", 7500, 9000}, {"US", "CA", 0, 0}, {"GB", "AU", 12000, 15000}, {"DE", "ES", 0, 800}, {"PT", "BR", 3000, 6000}} {
		km, ok := apart(&stay{Country: x.a}, &stay{Country: x.b})
		if !ok || km < x.from || km > x.to {
			t.Errorf("%s to %s: %.0f km, %v", x.a, x.b, km, ok)
		}
	}
}

// FuzzRestoreHabits: whatever is read is refused whole, or is a state that can be used and is written as it was read.
func FuzzRestoreHabits(f *testing.F) {
	d := New(rules(f, oddRule), Options{})
	f.Add([]byte("nothing"))
	empty, _ := d.FreezeHabits()()
	f.Add(empty)
	for i, s := range slices.Concat(daily(1, 8, "* 09:00:00 anna ssh login 192.0.2.7 DE firefox"), daily(1, 8, "* 10:00:00 anna ssh export 192.0.2.7 bytes=7"), daily(8, 9, "* 10:00:00 anna ssh login 203.0.113.7 VN failure")) {
		r := did(f, s)
		r.Line.Seq = int64(i + 1)
		d.Step(r)
	}
	data, err := d.FreezeHabits()()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	set := rules(f, oddRule)
	f.Fuzz(func(t *testing.T, data []byte) {
		d := New(set, Options{MaxAccounts: 3})
		if err := d.RestoreHabits(data); err != nil {
			if d.Stats().Accounts != 0 {
				t.Fatal("half of a damaged state was taken")
			}
			return
		}
		one, err := d.FreezeHabits()()
		if err != nil {
			t.Fatal(err)
		}
		again := New(set, Options{MaxAccounts: 3})
		if err := again.RestoreHabits(one); err != nil {
			t.Fatal(err)
		}
		if two, err := again.FreezeHabits()(); err != nil || !bytes.Equal(one, two) {
			t.Fatalf("it is written in another form (%v)", err)
		}
		for _, s := range []string{"9 09:00:00 anna ssh login 203.0.113.7 ID", "9 09:00:00 anna ssh export 203.0.113.7 bytes=9 session=s", "10 09:00:00 anna ssh login 203.0.113.7 failure"} {
			d.Step(did(t, s))
		}
		d.Habits()
	})
}

// Records that are no sign-in and no transfer cost nothing.
func BenchmarkHabitsOfOtherRecords(b *testing.B) {
	d := New(rules(b, failRule), Options{})
	r := webLine(1)
	r.Set(record.EventAction, record.Text("request"))
	at := r.Time.UnixNano()
	d.newest = at
	if n := testing.AllocsPerRun(100, func() { d.judge(r, at); d.teach(r) }); n != 0 {
		b.Fatalf("%v allocations", n)
	}
	b.ReportAllocs()
	for b.Loop() {
		d.judge(r, at)
		d.teach(r)
	}
}

func BenchmarkHabitsOfSignins(b *testing.B) {
	d := New(rules(b, failRule), Options{})
	r := did(b, "1 09:00:00 anna customer login 192.0.2.7 DE firefox")
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		at := start.UnixNano() + int64(i)*int64(time.Minute)
		d.newest = at
		d.judge(r, at)
		d.teach(r)
	}
}
