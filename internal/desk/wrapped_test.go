package desk

import (
	"strings"
	"testing"
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
