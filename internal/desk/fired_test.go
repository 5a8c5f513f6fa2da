package desk

import (
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"tocsin/internal/detect"
	"tocsin/internal/intake"
	"tocsin/internal/sigma"
)

// What an alert's sample lines are held against is what detection held them against: the shop's own places included.
func TestFired(t *testing.T) {
	set, err := LoadRules(fstest.MapFS{"a.yml": {Data: []byte(countRule)}, "b.yml": {Data: []byte(`title: From afar
id: 11111111-1111-4111-8111-000000000097
status: test
level: high
logsource: {category: webserver}
detection: {where: {source.geo.country_iso_code: [DE, BR]}, us: {source.ip: 192.0.2.1}, condition: where and not us}
---
title: Watched
id: 11111111-1111-4111-8111-000000000096
status: test
level: high
logsource: {category: watched}
detection: {x: {watch.level: high}, condition: x}
`)}})
	if err != nil {
		t.Fatal(err)
	}
	h := newHouse(t)
	h.o.Rules = set.Rules
	if h.o.Geo, err = intake.ReadGeo(strings.NewReader("192.0.2.0/24\tBR\n")); err != nil {
		t.Fatal(err)
	}
	d, stop := h.start()
	defer stop()
	if _, err := d.Watch(Local("test"), Listing{List: "suspects", Level: "high", Values: values(t, "192.0.2.7")}); err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 11, 27, 9, 0, 0, 0, time.UTC)
	knock, odd := request(at, "192.0.2.7", "/knock"), "no line of any log \x1b[2J"
	base := FiredRule{"11111111-1111-4111-8111-000000000098", "Base", []sigma.Held{{Selection: "word", Yes: true, Parts: []string{"/knock"}}}}
	afar := FiredRule{"11111111-1111-4111-8111-000000000097", "From afar", []sigma.Held{
		{Selection: "where", Yes: true, Parts: []string{"BR"}}, {Selection: "us"}}}
	for _, x := range []struct {
		name, rule string
		lines      []string
		want       []Fired
	}{
		{"a correlation names the rules that it counts", "11111111-1111-4111-8111-000000000099", []string{knock, knock, knock},
			[]Fired{{knock, "combined", []FiredRule{base}}, {knock, "combined", []FiredRule{base}}}},
		{"a rule, and a line that cannot be read", "11111111-1111-4111-8111-000000000097", []string{odd, knock}, []Fired{{Line: odd}, {knock, "combined", []FiredRule{afar}}}},
		{"a line that the rule does not match any more", "11111111-1111-4111-8111-000000000098", []string{request(at, "192.0.2.7", "/")},
			[]Fired{{Line: request(at, "192.0.2.7", "/"), Format: "combined"}}},
		{"a line of somebody on a watch list", "11111111-1111-4111-8111-000000000096", []string{knock},
			[]Fired{{knock, "combined", []FiredRule{{"11111111-1111-4111-8111-000000000096", "Watched", []sigma.Held{{Selection: "x", Yes: true, Parts: []string{"high"}}}}}}}},
		{"no lines", "11111111-1111-4111-8111-000000000098", nil, nil},
	} {
		doc, ok := set.Find(x.rule)
		if !ok {
			t.Fatal(x.rule)
		}
		got, err := d.Fired(set, doc, detect.Alert{First: at, Samples: x.lines, Logs: []string{"access.log"}}, 2)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(x.want, got, cmp.Comparer(func(a, b string) bool { // the words of a reason are sigma's
			return a == b || a == "/knock" && strings.Contains(b, `"/knock"`) || b == "/knock" && strings.Contains(a, `"/knock"`) ||
				a == "high" && strings.Contains(b, `"high"`) || b == "high" && strings.Contains(a, `"high"`) ||
				a == "BR" && strings.Contains(b, `"BR"`) || b == "BR" && strings.Contains(a, `"BR"`)
		})); diff != "" {
			t.Errorf("%s: %s", x.name, diff)
		}
	}
}
