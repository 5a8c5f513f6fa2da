package desk

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"tocsin/internal/disk"
	"tocsin/internal/entry"
	"tocsin/internal/record"
)

// countRule fires when one address asks five times within ten minutes.
const countRule = `title: Base
name: base
id: 11111111-1111-4111-8111-000000000098
status: test
level: informational
logsource: {category: webserver}
detection: {word: {url.original|contains: /knock}, condition: word}
---
title: Five knocks
id: 11111111-1111-4111-8111-000000000099
status: test
level: high
correlation: {type: event_count, rules: [base], group-by: [source.ip], timespan: 10m, condition: {gte: 5}}
`

// A log whose clock runs ahead must not push the records of the others out of their windows.
func TestAClockAheadSilencesNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		h.o.Rules = testRules(t, countRule).Rules
		d, stop := h.start()
		defer stop()
		other := record.Line{File: "/log/other.log", Raw: request(time.Now().Add(time.Hour), "192.0.2.99", "/fine")}
		if _, err := d.keep(record.Batch{Received: time.Now(), Lines: []record.Line{other}}); err != nil {
			t.Fatal(err)
		}
		for range 5 {
			h.feed(d, request(time.Now(), "192.0.2.7", "/knock"))
			time.Sleep(time.Second)
		}
		synctest.Wait()
		h.want(d, entry.AlertRaised, 1)
		if by := d.Reading().Ahead["/log/other.log"]; by < 59*time.Minute || by > time.Hour {
			t.Errorf("the log is said to be ahead by %v, want an hour", by)
		}
	})
}

// A rule that is new at a start hears an attack that goes on, once, and rings for it.
func TestANewRuleHearsARunningAttack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		d, stop := h.start()
		h.team(d)
		for range 8 {
			h.feed(d, request(time.Now(), "192.0.2.7", "/knock"))
			time.Sleep(time.Second)
		}
		synctest.Wait()
		h.want(d, entry.AlertRaised, 0)
		stop()
		h.o.Rules = testRules(t, countRule).Rules
		for start := range 2 {
			d, stop = h.start()
			h.feed(d, request(time.Now(), "192.0.2.7", "/knock"))
			synctest.Wait()
			h.want(d, entry.AlertRaised, 1)
			if len(h.sent()) != 1 {
				t.Errorf("start %d: rang %d times", start, len(h.sent()))
			}
			stop()
		}
	})
}

// Without its snapshot detection reads everything again, and nothing rings twice.
func TestALostSnapshotRingsNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		h.o.Rules = testRules(t, countRule).Rules
		d, stop := h.start()
		h.team(d)
		for n := range 20 {
			h.feed(d, request(time.Now(), fmt.Sprintf("192.0.2.%d", n%3), "/knock"), request(time.Now(), "198.51.100.1", "/evil"))
			time.Sleep(time.Minute)
		}
		synctest.Wait()
		before, rang := h.entries(d), len(h.sent())
		hours := d.Reading().Hours
		stop()
		if err := h.data.Remove(readerFile); err != nil {
			t.Fatal(err)
		}
		d, stop = h.start()
		defer stop()
		synctest.Wait()
		after := h.entries(d)
		for _, k := range []entry.Kind{entry.AlertRaised, entry.AlertGrew, entry.IncidentOpened, entry.CallOpened} {
			if after[k] != before[k] {
				t.Errorf("%d entries of %s, before the restart %d", after[k], k, before[k])
			}
		}
		if n := len(h.sent()); n != rang {
			t.Errorf("rang %d times more", n-rang)
		}
		if got := d.Reading().Hours; fmt.Sprint(got) != fmt.Sprint(hours) && got[0].Records != hours[0].Records {
			t.Errorf("the chart counts %v, before %v", got, hours)
		}
	})
}

// Nothing that names a file stands in the ledger: a path can name people.
func TestSilenceNamesNoPathInTheLedger(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		d, stop := h.start()
		defer stop()
		path := "/log/anna.keller.log"
		id, err := d.vault.Put([]byte(path))
		if err != nil {
			t.Fatal(err)
		}
		err = d.write(func(*State, time.Time) ([]entry.Draft, error) {
			return []entry.Draft{{Actor: "desk", Kind: entry.SourceSilent, Subject: "source:x", Body: entry.Source{Hash: "x", Vault: id, Since: time.Now(), Limit: time.Hour}}}, nil
		})
		if err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if _, silent := d.Silent()[path]; !silent {
			t.Errorf("silent: %v", d.Silent())
		}
		h.want(d, entry.AlertRaised, 1)
		es, err := d.LastEntries(100)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range es {
			if strings.Contains(string(e.Body)+e.Subject, "keller") {
				t.Errorf("entry %d (%s) names the path: %s", e.N, e.Kind, e.Body)
			}
		}
	})
}

// The state is saved when nothing comes any more, so that a kill then has nothing to read again.
func TestTheStateIsSavedInTheQuiet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		d, stop := h.start()
		defer stop()
		for n := range int64(3) {
			h.feed(d, request(time.Now(), "192.0.2.7", "/"))
			h.feed(d, request(time.Now(), "192.0.2.7", "/fine"))
			time.Sleep(2 * saveEvery)
			synctest.Wait()
			b, err := disk.ReadFile(h.data, readerFile)
			if err != nil {
				t.Fatal(err)
			}
			if s, err := parseSnapshot(b); err != nil || s.Next != 2*n+3 {
				t.Errorf("the saved state goes on at line %d, want %d (%v)", s.Next, 2*n+3, err)
			}
		}
	})
}
