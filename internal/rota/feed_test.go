package rota

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"tocsin/internal/entry"
)

var update = flag.Bool("update", false, "write golden files anew")

// A readEvent is a component of a calendar, as the strict reader below has it.
type readComponent struct {
	name  string
	props map[string]string
}

// readCalendar reads a calendar strictly by RFC 5545, sections 3.1 and 3.3.11.
func readCalendar(b []byte) (list []readComponent, err error) {
	if !utf8.Valid(b) || !bytes.HasSuffix(b, []byte("\r\n")) {
		return nil, fmt.Errorf("no UTF-8, or no line end at the end")
	}
	var lines []string
	for l := range strings.SplitSeq(strings.TrimSuffix(string(b), "\r\n"), "\r\n") {
		switch {
		case len(l) > 75:
			return nil, fmt.Errorf("a line of %d bytes: %q", len(l), l)
		case strings.ContainsFunc(l, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }):
			return nil, fmt.Errorf("a control character: %q", l)
		case strings.HasPrefix(l, " ") && len(lines) > 0:
			lines[len(lines)-1] += l[1:]
		default:
			lines = append(lines, l)
		}
	}
	var open []int
	for _, l := range lines {
		name, value, ok := strings.Cut(l, ":")
		name, _, _ = strings.Cut(name, ";")
		if !ok || name == "" || strings.Trim(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ-") != "" {
			return nil, fmt.Errorf("no content line: %q", l)
		}
		switch name {
		case "BEGIN":
			list, open = append(list, readComponent{value, map[string]string{}}), append(open, len(list))
			continue
		case "END":
			if len(open) == 0 || list[open[len(open)-1]].name != value {
				return nil, fmt.Errorf("%s ends, and did not begin", value)
			}
			open = open[:len(open)-1]
			continue
		}
		if len(open) == 0 {
			return nil, fmt.Errorf("outside of all: %q", l)
		}
		c := list[open[len(open)-1]]
		if _, twice := c.props[name]; twice {
			return nil, fmt.Errorf("twice: %q", l)
		}
		if name == "SUMMARY" || name == "DESCRIPTION" || name == "NAME" {
			if value, err = unescape(value); err != nil {
				return nil, err
			}
		}
		c.props[name] = value
	}
	if len(open) > 0 || len(list) < 2 {
		return nil, fmt.Errorf("no whole calendar")
	}
	return list, nil
}

func unescape(s string) (string, error) {
	var b strings.Builder
	for n := 0; n < len(s); n++ {
		switch c := s[n]; {
		case c == ';' || c == ',':
			return "", fmt.Errorf("not escaped: %q", s[n:])
		case c != '\\':
			b.WriteByte(c)
		case n+1 < len(s) && strings.IndexByte(`\;,`, s[n+1]) >= 0:
			n++
			b.WriteByte(s[n])
		case n+1 < len(s) && (s[n+1] == 'n' || s[n+1] == 'N'):
			n++
			b.WriteByte('\n')
		default:
			return "", fmt.Errorf("no escape: %q", s[n:])
		}
	}
	return b.String(), nil
}

// feedOf is a book's feed whose names are as hostile as names can be.
func feedOf(k *kept) Feed {
	n, at := k.Changed()
	return Feed{Origin: "shop.example/ledger", Name: "On call; web, \"shop\"", Stamp: at, Sequence: n, Refresh: time.Hour, Words: func(x Shift) (string, string) {
		if x.Person == "" {
			return "Nobody is on call!", x.Why()
		}
		return x.Person + " – Ünïcödé, \\ and; a name that is longer than one line of a calendar can be, 電話当番", "Why:\r\n" + x.Why() + "\nEND:VCALENDAR\r\x00\u2028\xff"
	}}
}

// calendarBook has a week with a clock change, a gap, an override and an absence.
func calendarBook(t rapid.TB) *kept {
	k := team("anna", "boris", "carla")
	x := weekly("Europe/Berlin")
	x.Layers[0].Hours = []entry.ScheduleHours{{Days: []string{"mon", "tue", "wed", "thu", "fri", "sat"}, From: "09:00", Until: "09:00"}}
	k.put(t, monday, x)
	at := time.Date(2026, 3, 27, 12, 0, 0, 0, time.UTC)
	k.override(t, monday, entry.Override{Schedule: "web", Person: "carla", From: at, Until: at.Add(10 * time.Hour)})
	k.absent(t, monday, "anna", at.AddDate(0, 0, 3), at.AddDate(0, 0, 4))
	return k
}

func TestCalendarGolden(t *testing.T) {
	k := calendarBook(t)
	list, err := k.Whole("web", time.Date(2026, 3, 25, 0, 0, 0, 0, time.UTC), time.Date(2026, 4, 2, 0, 0, 0, 0, time.UTC))
	if err != nil {
		t.Fatal(err)
	}
	got := feedOf(k).Calendar(list)
	name := filepath.Join("testdata", "web.ics")
	if *update {
		if err := os.WriteFile(name, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(strings.Split(string(want), "\r\n"), strings.Split(string(got), "\r\n")); d != "" {
		t.Error(d)
	}
}

// python returns a Python that has the package icalendar.
func python(t *testing.T) string {
	for _, name := range []string{"/usr/bin/python3", "python3"} {
		if exec.Command(name, "-c", "import icalendar").Run() == nil {
			return name
		}
	}
	t.Fatal("the calendars are read by an independent reader, which is not there: install the Debian package python3-icalendar")
	return ""
}

const readByPython = `
import icalendar, json, sys
c = icalendar.Calendar.from_ical(sys.stdin.buffer.read())
assert not c.errors, c.errors
out = {"version": str(c["VERSION"]), "prodid": str(c["PRODID"]), "name": str(c["NAME"]), "events": []}
for e in c.walk("VEVENT"):
    assert not e.errors, e.errors
    assert e.decoded("DTSTART").utcoffset().total_seconds() == 0
    out["events"].append({"uid": str(e["UID"]), "sequence": int(e["SEQUENCE"]), "summary": str(e["SUMMARY"]), "description": str(e.get("DESCRIPTION", "")),
        "start": e.decoded("DTSTART").isoformat(), "end": e.decoded("DTEND").isoformat(), "stamp": e.decoded("DTSTAMP").isoformat()})
json.dump(out, sys.stdout)
`

// A reader that we did not write finds in a calendar what was put into it.
func TestCalendarByAnIndependentReader(t *testing.T) {
	k := calendarBook(t)
	list, err := k.Whole("web", monday, monday.AddDate(1, 0, 0))
	if err != nil {
		t.Fatal(err)
	}
	f := feedOf(k)
	cmd := exec.Command(python(t), "-c", readByPython)
	cmd.Stdin = bytes.NewReader(f.Calendar(list))
	out, err := cmd.Output()
	if x, ok := err.(*exec.ExitError); ok {
		t.Fatalf("%v\n%s", err, x.Stderr)
	}
	var got struct {
		Version, Name string
		Events        []struct {
			UID, Summary, Description, Start, End, Stamp string
			Sequence                                     int64
		}
	}
	if err := json.Unmarshal(out, &got); err != nil {
		t.Fatal(err)
	}
	if got.Version != "2.0" || got.Name != f.Name || len(got.Events) != len(list) || len(list) < 100 {
		t.Fatalf("version %s, name %q, %d events of %d", got.Version, got.Name, len(got.Events), len(list))
	}
	seen := map[string]bool{}
	for n, e := range got.Events {
		x := list[n]
		summary, description := f.Words(x)
		description = strings.NewReplacer("\r\n", "\n", "\r", "\n", "\x00", "\ufffd", "\u2028", "\ufffd").Replace(strings.ToValidUTF8(description, "\ufffd"))
		start, _ := time.Parse(time.RFC3339, e.Start)
		end, _ := time.Parse(time.RFC3339, e.End)
		stamp, _ := time.Parse(time.RFC3339, e.Stamp)
		if seen[e.UID] || e.Summary != summary || e.Description != description || !start.Equal(x.Since) || !end.Equal(x.Until) || !stamp.Equal(f.Stamp) || e.Sequence != f.Sequence {
			t.Errorf("%+v, want %+v, %q, %q", e, x, summary, description)
		}
		seen[e.UID] = true
	}
}

// A shift has the same UID however the feed's window moves and whoever has it, and another one in another installation.
func TestUIDsAreStable(t *testing.T) {
	k := calendarBook(t)
	uids := func(k *kept, f Feed, from time.Time) map[string]string {
		list, err := k.Whole("web", from, monday.AddDate(0, 6, 0))
		if err != nil {
			t.Fatal(err)
		}
		all, err := readCalendar(f.Calendar(list))
		if err != nil {
			t.Fatal(err)
		}
		out := map[string]string{}
		for _, c := range all[1:] {
			out[c.props["DTSTART"]] = c.props["UID"]
		}
		return out
	}
	f := feedOf(k)
	before := uids(k, f, monday)
	now := time.Date(2026, 4, 1, 12, 34, 0, 0, time.UTC)
	k.absent(t, now, "boris", now, now.AddDate(0, 1, 0))
	later := uids(k, feedOf(k), now)
	for at, uid := range later {
		if was := before[at]; was != "" && was != uid {
			t.Errorf("the shift at %s had UID %s, has %s", at, was, uid)
		}
	}
	if len(later) < 20 {
		t.Errorf("%d shifts only", len(later))
	}
	f.Origin = "other.example/ledger"
	for at, uid := range uids(k, f, now) {
		if later[at] == uid {
			t.Errorf("two installations have the UID %s", uid)
		}
	}
}

func TestCalendarEdges(t *testing.T) {
	second := Shift{Schedule: "web", Person: "anna", Since: monday, Until: monday.Add(time.Millisecond)}
	for name, x := range map[string]struct {
		feed Feed
		list []Shift
		want map[string]string // of the second component
		n    int
	}{
		"empty":               {Feed{Name: "x"}, nil, map[string]string{"TZID": "Etc/UTC"}, 3},
		"shorter than shown":  {Feed{}, []Shift{second}, map[string]string{"TZID": "Etc/UTC"}, 3},
		"a gap without end":   {Feed{}, []Shift{{Since: monday}}, map[string]string{"TZID": "Etc/UTC"}, 3},
		"no words":            {Feed{}, []Shift{{Person: "anna", Since: monday, Until: monday.Add(time.Second)}}, map[string]string{"SUMMARY": "anna", "DTEND": "20260105T000001Z"}, 2},
		"a large sequence":    {Feed{Sequence: 1<<31 + 5}, []Shift{{Since: monday, Until: monday.Add(time.Hour)}}, map[string]string{"SEQUENCE": "5", "CATEGORIES": "Nobody on call"}, 2},
		"a negative sequence": {Feed{Sequence: -1}, []Shift{{Since: monday, Until: monday.Add(time.Hour)}}, map[string]string{"SEQUENCE": "0"}, 2},
	} {
		all, err := readCalendar(x.feed.Calendar(x.list))
		if err != nil || len(all) != x.n {
			t.Errorf("%s: %v, %v", name, all, err)
			continue
		}
		for p, v := range x.want {
			if all[1].props[p] != v {
				t.Errorf("%s: %s is %q, want %q", name, p, all[1].props[p], v)
			}
		}
	}
}

// Whatever a name holds, the calendar is one that a strict reader takes, with the same name in it.
func FuzzCalendarText(f *testing.F) {
	for _, s := range []string{"anna", "a;b,c\\d\\n", "\r\nEND:VEVENT\r\n", "電話当番電話当番電話当番電話当番電話当番電話当番電話当番電話当番", "\x00\xff\u2028\u0085", strings.Repeat("x", 5000), " \t leading", strings.Repeat("é", 40)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		x := Feed{Name: s, Words: func(Shift) (string, string) { return s, "d" + s }}
		all, err := readCalendar(x.Calendar([]Shift{{Schedule: s, Person: s, Since: monday, Until: monday.Add(time.Hour)}}))
		if err != nil {
			t.Fatalf("%q: %v", s, err)
		}
		if len(all) != 2 || all[0].props["NAME"] != all[1].props["SUMMARY"] || all[1].props["DESCRIPTION"] != "d"+all[1].props["SUMMARY"] && len(s) < maxText-1 {
			t.Fatalf("%q: %v", s, all)
		}
		clean := len(s) <= maxText && utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r >= 0x7f && r < 0xa0 || r == 0x2028 || r == 0x2029 })
		if clean && all[1].props["SUMMARY"] != s {
			t.Fatalf("%q came back as %q", s, all[1].props["SUMMARY"])
		}
	})
}
