package desk

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"tocsin/internal/auth"
	"tocsin/internal/query"
	"tocsin/internal/record"
	"tocsin/internal/shelf"
)

// Given lines on the shelf and behind it, when one is asked for by its number, then it is there byte for byte with all its fields; a number without a line is told from one whose
// line has gone.
func TestLineByNumber(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	d, stop := h.shelved(1500)
	defer func() { stop() }()
	local := Local("test")
	for _, n := range []int64{1, 2, 100, d.shelf.Through(), d.shelf.Through() + 1, 1500} {
		l, err := d.Line(context.Background(), local, n)
		if err != nil || l.Seq != n || l.Offset != n-1 || l.File != "/var/log/access.log" || l.SHA256 != digest(l.Raw) || len(l.Records) != 1 || (len(l.Volumes) == 0) != (n > d.shelf.Through()) {
			t.Fatalf("line %d: %+v, %v", n, l, err)
		}
		want := fmt.Sprintf("/p/%d", n-1)
		if n%100 == 0 {
			want = fmt.Sprintf("/evil/%d", n-1)
		}
		if v, _ := l.Records[0].Get(record.URLPath); v.Text != want || !strings.Contains(l.Raw, want+" ") {
			t.Errorf("line %d is of %q: %q", n, v.Text, l.Raw)
		}
	}
	trail := `{"Records":[{"eventTime":"2026-11-10T08:00:00Z","eventSource":"signin.amazonaws.com","eventName":"ConsoleLogin","sourceIPAddress":"203.0.113.7","eventVersion":"1.08"},{"eventTime":"2026-11-09T08:00:00Z","eventSource":"s3.amazonaws.com","eventName":"GetObject","sourceIPAddress":"203.0.113.8","eventVersion":"1.08"}]}`
	own := `{"time":"2026-11-10T08:00:00Z","event":"login","user":"anna","cart":7.5,"Wörk":"\u202e"}`
	r, err := d.archive.Append(record.Batch{Received: time.Now(), Lines: []record.Line{{File: "/srv/trail.json", Raw: trail}, {Host: "web1", File: "/srv/app.jsonl", Raw: own}}})
	if err != nil {
		t.Fatal(err)
	}
	check := func(where string) {
		t.Helper()
		events, err := d.Line(context.Background(), local, r.First)
		if err != nil || events.Raw != trail || len(events.Records) != 2 || events.Records[0].Text(record.SourceIP) != "203.0.113.7" || events.Records[1].Text(record.SourceIP) != "203.0.113.8" {
			t.Errorf("%s, a line of two events: %+v, %v", where, events, err)
		}
		fields, err := d.Line(context.Background(), local, r.Last)
		if err != nil || fields.Raw != own || fields.Host != "web1" || len(fields.Records) != 1 {
			t.Fatalf("%s: %+v, %v", where, fields, err)
		}
		for name, want := range map[string]string{"cart": "7.5", "Wörk": "\u202e"} {
			if v, ok := query.OwnField(name).Value(fields.Records[0]); !ok || v.Text != want {
				t.Errorf("%s: %s is %q", where, name, v.Text)
			}
		}
	}
	check("behind the shelf")
	h.manyLines(d, 1600, 1500)
	h.until("the shelf", func() bool { return d.shelf.Through() >= r.Last })
	check("on the shelf")
	for n, came := range map[int64]bool{-1: false, 0: false, 1 << 40: false} {
		if _, err := d.Line(context.Background(), local, n); !errors.Is(err, MissingLine{n, came}) {
			t.Errorf("line %d: %v", n, err)
		}
	}
	if _, err := d.Line(context.Background(), auth.Actor{Name: "person:r", ID: "r", Roles: []string{"reader"}}, 1); err == nil {
		t.Error("a reader reads a line")
	}
	d.o.Keeps = []shelf.Keep{{Bytes: 1}}
	if err := d.expireShelf(time.Now()); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Line(context.Background(), local, 1); !errors.Is(err, MissingLine{1, true}) {
		t.Errorf("a line that expired: %v", err)
	}
}

// Given an open incident, when lines are attached to it, then the ledger names them, they are read from the archive while it has them, and their digests stay when it has not.
func TestAttachLines(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	d, stop := h.shelved(1500)
	defer func() { stop() }()
	anna := auth.Actor{Name: "person:anna", ID: "anna", Roles: []string{"analyst"}}
	ctx := context.Background()
	h.until("an incident", func() (is bool) {
		d.Read(func(s *State) { is = len(s.Incidents.Incidents) > 0 })
		return is
	})
	if n, err := d.Attach(ctx, anna, 1, []int64{1499, 7, 7, 200}); n != 3 || err != nil {
		t.Fatalf("%d, %v", n, err)
	}
	for name, x := range map[string]struct {
		actor   auth.Actor
		id      int64
		numbers []int64
		says    string
	}{
		"nothing":          {anna, 1, nil, "Choose at least one line."},
		"the same again":   {anna, 1, []int64{7, 200}, "part of incident 1 already"},
		"no such incident": {anna, 999, []int64{7}, "an incident that is open"},
		"no such line":     {anna, 1, []int64{8, 1 << 40}, "there is no line"},
		"too many": {anna, 1, slices.Collect(func(y func(int64) bool) {
			for n := range int64(1001) {
				if !y(n + 1) {
					return
				}
			}
		}), "At most 1000"},
		"who may not": {auth.Actor{Name: "person:l", ID: "l", Roles: []string{"legal"}}, 1, []int64{8}, "may not"},
	} {
		if n, err := d.Attach(ctx, x.actor, x.id, x.numbers); n != 0 || err == nil || !strings.Contains(err.Error(), x.says) {
			t.Errorf("%s: %d, %v", name, n, err)
		}
	}
	found := func(text string) (int, error) {
		q, err := ParseQuery(text, time.UTC)
		if err != nil {
			t.Fatal(err)
		}
		return d.AttachFound(ctx, anna, 1, q)
	}
	if n, err := found("path=/evil/*"); n != 14 || err != nil { // 15, of which one is there
		t.Errorf("%d, %v", n, err)
	}
	for text, says := range map[string]string{"*": "at most 1000", "| top ip": "whole lines", "user=nobody": "nothing to attach"} {
		if n, err := found(text); n != 0 || err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %d, %v", text, n, err)
		}
	}
	lines, all, err := d.IncidentLines(ctx, anna, 1, 13, 3)
	if err != nil || all != 17 || len(lines) != 3 || lines[0].Number != 1500 || lines[1].Number != 7 || lines[1].Actor != "person:anna" || !strings.Contains(lines[1].Raw, "/p/6 ") || lines[1].SHA256 != digest(lines[1].Raw) {
		t.Errorf("%d: %+v, %v", all, lines, err)
	}
	if lines, _, _ := d.IncidentLines(ctx, auth.Actor{Roles: []string{"reader"}}, 1, 0, 1); len(lines) != 1 || lines[0].Raw != "" || lines[0].Why == "" || lines[0].SHA256 == "" {
		t.Errorf("a reader: %+v", lines)
	}
	d.o.Keeps = []shelf.Keep{{Bytes: 1}}
	if err := d.expireShelf(time.Now()); err != nil {
		t.Fatal(err)
	}
	stop()
	d, stop = h.start()
	lines, all, err = d.IncidentLines(ctx, anna, 1, 14, 9)
	if err != nil || all != 17 || len(lines) != 3 || lines[0].Raw != "" || !strings.Contains(lines[0].Why, "not kept any more") || len(lines[0].SHA256) != 64 || lines[2].Raw == "" {
		t.Errorf("after a restart %d: %+v, %v", all, lines, err)
	}
	if err := d.CloseIncident(anna, 1, "false", "a test"); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Attach(ctx, anna, 1, []int64{1500}); err == nil || !strings.Contains(err.Error(), "is closed") {
		t.Errorf("a closed one: %v", err)
	}
}
