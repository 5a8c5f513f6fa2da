package intake

import (
	"testing"
	"time"
	_ "time/tzdata"

	"tocsin/internal/record"
)

func date(t testing.TB, s string) time.Time {
	t.Helper()
	d, err := time.Parse(time.RFC3339, s)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// Given a stamp without year and a hint, when it is placed, then it is the newest year at most a day after the hint.
func TestYearFromHint(t *testing.T) {
	for _, c := range []struct{ stamp, hint, zone, want string }{
		{"Nov  9 01:03:56", "2026-11-14T00:00:00Z", "UTC", "2026-11-09T01:03:56Z"},
		{"Dec 31 23:59:59", "2027-01-01T00:00:10Z", "UTC", "2026-12-31T23:59:59Z"},
		{"Jan  1 00:00:01", "2026-12-31T23:59:59Z", "UTC", "2027-01-01T00:00:01Z"},
		{"Jan  2 00:00:01", "2026-12-31T23:59:59Z", "UTC", "2026-01-02T00:00:01Z"},
		{"Nov 15 00:00:00", "2026-11-14T00:00:00Z", "UTC", "2026-11-15T00:00:00Z"},
		{"Nov 15 00:00:01", "2026-11-14T00:00:00Z", "UTC", "2025-11-15T00:00:01Z"},
		{"Feb 29 12:00:00", "2024-03-01T00:00:00Z", "UTC", "2024-02-29T12:00:00Z"},
		{"Feb 29 12:00:00", "2026-03-01T00:00:00Z", "UTC", "2024-02-29T12:00:00Z"},
		{"Feb 29 12:00:00", "2103-03-01T00:00:00Z", "UTC", "2096-02-29T12:00:00Z"},
		{"Feb 29 12:00:00", "2028-02-28T13:00:00Z", "UTC", "2028-02-29T12:00:00Z"},
		{"Jan  1 00:30:00", "2026-12-31T23:00:00Z", "Europe/Berlin", "2026-12-31T23:30:00Z"},
		{"Nov  9 01:03:56", "2026-11-14T00:00:00Z", "Europe/Berlin", "2026-11-09T00:03:56Z"},
		{"Jul  9 01:03:56", "2026-11-14T00:00:00Z", "Europe/Berlin", "2026-07-08T23:03:56Z"},
	} {
		zone, err := time.LoadLocation(c.zone)
		if err != nil {
			t.Fatal(err)
		}
		p := parser(t, Options{Zone: zone})
		r := p.Parse(record.Line{Raw: c.stamp + " h sshd[1]: Server listening on :: port 22."}, date(t, c.hint))
		if want := date(t, c.want); !r.Time.Equal(want) || r.Time.Location() != time.UTC {
			t.Errorf("%s near %s in %s: %s, want %s", c.stamp, c.hint, c.zone, r.Time, want)
		}
	}
	if r := parser(t, Options{}).Parse(record.Line{Raw: "Nov  9 01:03:56 h sshd[1]: Server listening on :: port 22."}, time.Time{}); !r.Time.IsZero() || r.Class != record.Parsed {
		t.Errorf("without a hint: %s %s", r.Class, r.Time)
	}
}

// Given the zone of the server, when a stamp without zone is read, then it is meant in that zone; one with a zone is not.
func TestZone(t *testing.T) {
	zone := time.FixedZone("", 2*3600)
	for _, c := range []struct{ line, want string }{
		{"Mon Nov  9 01:38:58 2026 [pid 7] CONNECT: Client \"203.0.113.7\"", "2026-11-08T23:38:58Z"},
		{"Mon Nov 9 01:38:58 2026 [pid 7] CONNECT: Client \"203.0.113.7\"", "2026-11-08T23:38:58Z"},
		{"261109  1:38:58\t 1 Quit\t", "2026-11-08T23:38:58Z"},
		{"2021-11-09  5:13:11 8 [Warning] Access denied for user 'a'@'b' (x)", "2021-11-09T03:13:11Z"},
		{"2022/04/02 15:45:23 [info] 8#8: *1 a, client: 203.0.113.7", "2022-04-02T13:45:23Z"},
		{`203.0.113.7 - - [10/Oct/2000:13:55:36 -0700] "GET / HTTP/1.1" 200 1`, "2000-10-10T20:55:36Z"},
		{"2026-11-09T01:03:56+01:00 h sshd[1]: Server listening on :: port 22.", "2026-11-09T00:03:56Z"},
		{"2026-11-09T01:03:56 h sshd[1]: Server listening on :: port 22.", "2026-11-08T23:03:56Z"},
	} {
		if r := parse(t, Options{Zone: zone}, c.line); !r.Time.Equal(date(t, c.want)) {
			t.Errorf("%s: %s, want %s", c.line, r.Time, c.want)
		}
	}
}

// Given the first bytes of a line, when a full date stands there, then it is found, and nowhere else.
func TestFullDate(t *testing.T) {
	for _, c := range []struct{ line, want string }{
		{`203.0.113.7 - - [10/Oct/2000:13:55:36 -0700] "GET / HTTP/1.1" 200 1`, "2000-10-10T20:55:36Z"},
		{`{"ts":"2026-11-09T00:00:01+00:00","ip":"x"}`, "2026-11-09T00:00:01Z"},
		{`{"level":"info","ts":1700000000.5}`, "2023-11-14T22:13:20.5Z"},
		{`Mon Nov  9 01:38:58 2026 [pid 7] CONNECT: Client "x"`, "2026-11-09T01:38:58Z"},
		{"261109 15:40:00\t  2499 Quit\t", "2026-11-09T15:40:00Z"},
		{`[Fri Oct 08 17:08:41.203277 2021] [core:error] x`, "2021-10-08T17:08:41.203277Z"},
		{`[2022-02-11 14:44:34] main.ERROR: x`, "2022-02-11T14:44:34Z"},
		{`2022/04/05 04:45:57 [error] 8#8: x`, "2022-04-05T04:45:57Z"},
		{`2026-11-09T01:03:56.5+00:00 h sshd[1]: x`, "2026-11-09T01:03:56.5Z"},
		{`<86>1 2026-11-09T06:51:41Z h a - - - x`, "2026-11-09T06:51:41Z"},
		{`Sep 15 16:13:46 h nginx[2]: 81.1.1.1 - - [15/Sep/2021:16:13:46 +0000] "GET / HTTP/1.1" 200 1`, "2021-09-15T16:13:46Z"},
		{`Apr 16 05:13:40 h mysql[2]: 2020-04-16T05:13:40Z 344 [Note] x`, "2020-04-16T05:13:40Z"},
		{`161209 14:18:53 [ERROR] Aborting`, "2016-12-09T14:18:53Z"},
		{`type=USER_LOGIN msg=audit(1492896301.818:19955): pid=1`, "2017-04-22T21:25:01Z"},
		{`node=h type=USER_LOGIN msg=audit(1492896301.818:19955): pid=1`, "2017-04-22T21:25:01Z"},
		{`{"__REALTIME_TIMESTAMP":"1719859366807141","MESSAGE":"x"}`, "2024-07-01T18:42:46.807141Z"},
		{`Nov  9 01:03:56 shop1 sshd[14162]: Invalid user [10/Oct/2099:13:55:36 -0700] " from 1.2.3.4 port 5`, ""},
		{`Nov  9 01:03:56 shop1 sshd[14162]: 2099-01-01T00:00:00Z`, ""},
		{"\t\t 5 Query\tSELECT '2099-01-01'", ""},
		{`{"msg":"2099-01-01T00:00:00Z"}`, ""},
		{"no date", ""},
		{"", ""},
	} {
		got, ok := FullDate(c.line)
		if ok != (c.want != "") || ok && !got.Equal(date(t, c.want)) {
			t.Errorf("%s: %s %v, want %s", c.line, got, ok, c.want)
		}
	}
}

// Given stamps that do not exist, when they are read, then they are none.
func TestBadStamps(t *testing.T) {
	for _, s := range []string{"2026-02-29T00:00:00Z", "2026-13-01T00:00:00Z", "2026-11-09T24:00:00Z", "2026-11-09T00:60:00Z", "2026-1x-09T00:00:00Z", "1969-01-01T00:00:00Z"} {
		if got, _, ok := isoTime(s, time.UTC); ok {
			t.Errorf("%s is %s", s, got)
		}
	}
	for _, s := range []string{"09/Foo/2026:00:00:01 +0000", "31/Apr/2026:00:00:01 +0000", "09/Nov/2026:00:00:01 xxxxx", "09/Nov/2026 00:00:01 +0000"} {
		if got, ok := clfTime(s); ok {
			t.Errorf("%s is %s", s, got)
		}
	}
	if got, ok := clfTime("29/Feb/2028:23:59:60 +0000"); !ok || !got.Equal(date(t, "2028-03-01T00:00:00Z")) {
		t.Errorf("leap second: %s %v", got, ok)
	}
}
