package desk

import (
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"
	"testing/synctest"
	"time"

	"tocsin/internal/entry"
	"tocsin/internal/intake"
	"tocsin/internal/record"
)

const cloudRule = `title: Base
name: base
id: 11111111-1111-4111-8111-000000000096
status: test
level: informational
logsource: {product: aws, service: cloudtrail}
detection: {s: {event.action: login, event.outcome: failure}, condition: s}
---
title: Three sign-ins refused
id: 11111111-1111-4111-8111-000000000097
status: test
level: high
correlation: {type: event_count, rules: [base], group-by: [source.ip], timespan: 10m, condition: {gte: 3}}
`

// A replay reads them so, too, wherever in a file they stand.
func TestReplayedLinesOfManyEvents(t *testing.T) {
	at := time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC)
	event := func(n int) string {
		return `{"eventVersion":"1.08","eventTime":"` + at.Add(time.Duration(n)*time.Second).Format(time.RFC3339) + `","eventSource":"signin.amazonaws.com","eventName":"ConsoleLogin",` +
			`"awsRegion":"x","sourceIPAddress":"192.0.2.7","userIdentity":{"userName":"anna"},"responseElements":{"ConsoleLogin":"Failure"}}`
	}
	two := func(n int) string { return `{"Records":[` + event(n) + "," + event(n+1) + `]}` + "\n" }
	for name, text := range map[string]string{"first": two(0) + event(2) + "\n", "last": event(0) + "\n" + two(1), "put together": two(0) + two(2), "without an end": two(0) + strings.TrimSuffix(two(2), "\n")} {
		o := ReplayOptions{Folders: []fs.FS{fstest.MapFS{"trail.json": {Data: []byte(text), ModTime: at}}}, Rules: testRules(t, cloudRule).Rules}
		for _, ahead := range []bool{false, true} {
			x := replayed(t, o, ahead)
			if n := int64(strings.Count(text, "eventVersion")); x.Lines != n || x.Unparsed != 0 || len(x.Alerts) != 1 || x.Alerts[0].Count != n {
				t.Errorf("%s, ahead %v: %d lines, %d not parsed, %+v", name, ahead, x.Lines, x.Unparsed, x.Alerts)
			}
		}
	}
}

// A line that holds a whole file of CloudTrail is read event by event, and a mapping's file is read with the mapping.
func TestWatchedLinesOfManyEvents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		h.o.Rules = testRules(t, cloudRule).Rules
		h.o.Maps = []intake.Mapping{{Name: "m", When: map[string]string{"k": "v"}, TimePath: "t", Fields: map[string][]string{"user.name": {"u"}}}}
		d, stop := h.start()
		defer stop()
		var events []string
		for range 3 {
			events = append(events, `{"eventVersion":"1.08","eventTime":"`+time.Now().UTC().Format(time.RFC3339)+`","eventSource":"signin.amazonaws.com","eventName":"ConsoleLogin",`+
				`"awsRegion":"x","sourceIPAddress":"192.0.2.7","userIdentity":{"userName":"anna"},"responseElements":{"ConsoleLogin":"Failure"}}`)
		}
		lines := []record.Line{
			{File: "/log/trail.json", Raw: `{"Records":[` + strings.Join(events[:2], ",") + `]}`},
			{File: "/log/m.json", Raw: `{"k":"v","t":1794182401,"u":"x"}`},
			{File: "/log/trail.json", Raw: events[2]},
		}
		if _, err := d.keep(record.Batch{Received: time.Now(), Lines: lines}); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		h.want(d, entry.AlertRaised, 1)
	})
}
