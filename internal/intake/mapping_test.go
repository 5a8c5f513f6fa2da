package intake

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tocsin/internal/record"
)

func auditMapping(t *testing.T) Mapping {
	t.Helper()
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Skip("no time zones here")
	}
	return Mapping{
		Name: "shop-audit", Files: []string{"/var/log/shop/audit*.json"}, Anywhere: true, When: map[string]string{"app": "shop"},
		Category: []string{"application", "authentication"}, Product: "shop", Service: "audit",
		TimePath: "meta.at", TimeLayout: "02.01.2006 15:04:05", TimeZone: berlin,
		Fields: map[string][]string{"source.ip": {"client.address"}, "network.forwarded_ip": {"client.forwarded"}, "user.name": {"account.email", "account.login"},
			"http.response.status_code": {"status"}, "url.original": {"url"}},
		Values: map[string]map[string]map[string]string{"type": {"LOGIN_FAILED": {"event.action": "login", "event.outcome": "failure", "user.realm": "customer"}}},
		Set:    map[string]string{"user.realm": "admin"},
	}
}

const auditLine = `{"app":"shop","meta":{"at":"24.11.2026 21:43:00"},"type":"login_failed","account":{"login":"anna"},"status":"401","url":"/a%27?b","client":{"address":"203.0.113.7","forwarded":"9.9.9.9"},"card_number":"4111111111111111","n":5}`

// Given a mapping, when a line that it is for is read, then it has the fields, the values' meanings and the constants, and keeps the rest.
func TestMapping(t *testing.T) {
	p := parser(t, Options{Maps: []Mapping{auditMapping(t)}})
	app := record.Line{File: "audit-1.json", Raw: `{"time":1794182401,"event":"x","app":"other"}`}
	if r := p.Parse(app, hint); r.Format != "app-json" {
		t.Errorf("another application's line is %s", r.Format)
	}
	r := p.Parse(record.Line{File: "audit-1.json", Raw: auditLine}, hint)
	want := strings.TrimSpace(`
parsed map:shop-audit 2026-11-24T20:43:00Z
from application,authentication/shop/audit
source.ip=203.0.113.7
network.forwarded_ip=9.9.9.9
user.name=anna
user.realm=customer
event.action=login
event.outcome=failure
http.response.status_code=401
url.original=/a%27?b
url.query=b
app=shop
type=login_failed
n=5`)
	if d := cmp.Diff(want, shown(r)); d != "" {
		t.Error(d)
	}
	if v, _ := r.Get(record.HTTPStatus); v.Int != 401 {
		t.Errorf("the status is no number: %+v", v)
	}
	if f, ok := p.Known("audit-2.json", []string{auditLine}); !ok || f != "map:shop-audit" {
		t.Errorf("known as %q", f)
	}
	if r := p.Parse(record.Line{File: "else.json", Raw: auditLine}, hint); r.Format == "map:shop-audit" {
		t.Error("the mapping takes another file's line")
	}
}

// Given patterns of files, when a mapping is asked for one, then it wants those that match: by path, by name alone without a slash, and by name alone
// in any folder.
func TestMappingFiles(t *testing.T) {
	for _, c := range []struct {
		pattern, file string
		anywhere      bool
		want          bool
	}{
		{"/var/log/shop/*.json", "/var/log/shop/a.json", false, true},
		{"/var/log/shop/*.json", "/var/log/other/a.json", false, false},
		{"/var/log/shop/*.json", "/var/log/shop/deep/a.json", false, false},
		{"audit-*.json", "/var/log/other/audit-1.json", false, true},
		{"audit-*.json", "/var/log/other/x.json", false, false},
		{"/var/log/shop/audit-*.json", "copy/audit-1.json", true, true},
		{"/var/log/shop/audit-*.json", "copy/x.json", true, false},
	} {
		w := mapper{Mapping: Mapping{Files: []string{c.pattern}, Anywhere: c.anywhere}}
		if got := w.wants(c.file); got != c.want {
			t.Errorf("%+v: %v", c, got)
		}
	}
}

// Given mistakes in a mapping, when it is checked, then each is told at its key.
func TestMappingMistakes(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(m *Mapping)
		key    string
		says   string
	}{
		{"no name", func(m *Mapping) { m.Name = "" }, "name", "needs a name"},
		{"a name with blanks", func(m *Mapping) { m.Name = "a b" }, "name", "is no name"},
		{"a pattern", func(m *Mapping) { m.Files = []string{"[a"} }, "files[1]", "is no pattern"},
		{"everything", func(m *Mapping) { m.Files, m.When = nil, nil }, "", "would take every JSON line"},
		{"nothing", func(m *Mapping) { m.Fields, m.Values = nil, nil }, "fields", "sets nothing"},
		{"no time", func(m *Mapping) { m.TimePath = "" }, "time.path", "missing"},
		{"layout", func(m *Mapping) { m.TimeLayout = "YYYY-MM-DD" }, "time.layout", "is no layout"},
		{"field, nearly", func(m *Mapping) { m.Fields = map[string][]string{"source.ipp": {"a"}} }, "fields.source.ipp", `did you mean "source.ip"?`},
		{"field, swapped", func(m *Mapping) { m.Fields = map[string][]string{"user.naem": {"a"}} }, "fields.user.naem", `did you mean "user.name"?`},
		{"field that follows", func(m *Mapping) { m.Fields = map[string][]string{"source.network": {"a"}} }, "fields.source.network", "by itself"},
		{"field of ours that is none", func(m *Mapping) { m.Fields = map[string][]string{"event.kind": {"a"}} }, "fields.event.kind", "there is no field"},
		{"path", func(m *Mapping) { m.Fields = map[string][]string{"user.name": {"a[0]"}} }, "fields.user.name", "is no path"},
		{"no path", func(m *Mapping) { m.Fields = map[string][]string{"user.name": nil} }, "fields.user.name", "no path is named"},
		{"outcome", func(m *Mapping) {
			m.Values = map[string]map[string]map[string]string{"type": {"X": {"event.outcome": "bad"}}}
		}, "values.type.X.event.outcome", "success or failure"},
		{"constant", func(m *Mapping) { m.Set = map[string]string{"user.relm": "x"} }, "set.user.relm", `did you mean "user.realm"?`},
	} {
		m := auditMapping(t)
		c.change(&m)
		var keys, says []string
		m.Check(func(key, text string) { keys, says = append(keys, key), append(says, text) })
		i := slices.Index(keys, c.key)
		if len(keys) != 1 || i < 0 || !strings.Contains(says[i], c.says) {
			t.Errorf("%s: %q %q", c.name, keys, says)
		}
		if _, err := New(Options{Maps: []Mapping{m}}); err == nil {
			t.Errorf("%s: a parser is made of it", c.name)
		}
	}
	m := auditMapping(t)
	m.Check(func(key, says string) { t.Errorf("%s: %s", key, says) })
}

// The law: a mapping is harmless for any line and any layout, reads each line in one way, and every address it names is one.
func FuzzMapping(f *testing.F) {
	f.Add(auditLine, "02.01.2006 15:04:05")
	f.Add(`{"app":"shop","meta":{"at":"2026-11-24T21:43:00Z"},"account":{"email":["a","b"]},"client":{"address":{}}}`, "")
	f.Add(`{"app":"shop","meta":{"at":1}}`, time.RFC1123Z)
	f.Fuzz(func(t *testing.T, line, layout string) {
		m := auditMapping(t)
		m.TimeLayout = layout
		p, err := New(Options{Maps: []Mapping{m}})
		if err != nil {
			t.Skip()
		}
		l := record.Line{File: "audit.json", Raw: line}
		one := p.Parse(l, hint).Clone()
		bounded(t, one)
		again := parser(t, Options{Maps: []Mapping{m}}).Parse(l, hint)
		if shown(one) != shown(again) {
			t.Fatalf("%q is read in two ways:\n%s\n\n%s", line, shown(one), shown(again))
		}
		if c := p.Counts()[0]; c.Panics > 0 {
			t.Fatal(c.PanicText)
		}
	})
}
