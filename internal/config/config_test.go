package config

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// problems returns what Parse says, one a line.
func problems(text string) string {
	_, err := Parse("tocsin.yaml", []byte(text))
	if err == nil {
		return ""
	}
	return err.Error()
}

// same compares settings; zones by name.
func same(a, b Config) string {
	return cmp.Diff(a, b, cmp.Comparer(func(x, y Network) bool { return x == y }), cmp.Comparer(func(x, y Zone) bool { return zoneName(x) == zoneName(y) }))
}

func zoneName(z Zone) string {
	if z.Location == nil {
		return ""
	}
	return z.String()
}

func TestEmptyIsDefault(t *testing.T) {
	for _, text := range []string{"", "\n", "# nothing\n", "---\n", "mail:\nwatch:\n", "{}\n"} {
		c, err := Parse("tocsin.yaml", []byte(text))
		if err != nil {
			t.Errorf("%q: %v", text, err)
		}
		if d := same(Default(), c); d != "" {
			t.Errorf("%q is not the default:\n%s", text, d)
		}
	}
}

func TestValues(t *testing.T) {
	c, err := Parse("/etc/tocsin/tocsin.yaml", []byte(`
listen: "127.0.0.1:9000"
data: state
watch: [/var/log/a.log, logs/*.log]
own_networks: [192.0.2.7, 2001:db8::/32, "::ffff:192.0.2.9"]
zone: Europe/Berlin
retention: 30d
keep:
  - {source: nginx-access, age: 90d, size: 20GB}
  - {size: 1TiB}
silent_after: never
silent:
  /var/log/a.log: 1d12h
  b.log: 0s
agents: {listen: "127.0.0.1:8443", lost_after: never}
mail: {host: mail.example.com, from: Tocsin <t@example.com>, username: t, password_file: ./smtp, port: 465}
people:
  - {id: anna, name: Anna, roles: [commander, reader], mail: a@example.com, webhook_file: hook}
escalation:
  steps:
    - who: [anna]
      wait: 90s
    - who: [everyone]
`))
	if err != nil {
		t.Fatal(err)
	}
	want := Default()
	want.Listen, want.Data, want.Watch = "127.0.0.1:9000", "/etc/tocsin/state", []string{"/var/log/a.log", "/etc/tocsin/logs/*.log"}
	for _, p := range []string{"192.0.2.7/32", "2001:db8::/32", "192.0.2.9/32"} {
		want.OwnNetworks = append(want.OwnNetworks, Network(netip.MustParsePrefix(p)))
	}
	want.Zone.Location, _ = time.LoadLocation("Europe/Berlin")
	want.Retention, want.SilentAfter = Duration(30*24*time.Hour), 0
	want.Agents = Agents{Listen: "127.0.0.1:8443"}
	want.Keep = []Keep{{"nginx-access", Duration(90 * 24 * time.Hour), 20e9}, {Size: 1 << 40}}
	want.Silent = map[string]Duration{"/var/log/a.log": Duration(36 * time.Hour), "/etc/tocsin/b.log": 0}
	want.Mail = Mail{Host: "mail.example.com", Port: 465, From: "Tocsin <t@example.com>", Username: "t", PasswordFile: "/etc/tocsin/smtp", StartTLS: "required"}
	want.People = []Person{{ID: "anna", Name: "Anna", Roles: []string{"commander", "reader"}, Mail: "a@example.com", WebhookFile: "hook"}}
	want.Escalation.Steps = []Step{{Who: []string{"anna"}, Wait: Duration(90 * time.Second)}, {Who: []string{"everyone"}}}
	if d := same(want, c); d != "" {
		t.Error(d)
	}
	if c.SilentLimit("/var/log/a.log") != 36*time.Hour || c.SilentLimit("/other") != 0 {
		t.Error("SilentLimit does not see the single limits")
	}
}

// TestMistakes: given a file with mistakes, when it is read, then each is told with its place and how to mend it.
func TestMistakes(t *testing.T) {
	tests := []struct{ name, file, want string }{
		{"a misspelt key", "watch: []\nlisen: x\n", `tocsin.yaml:2:1: unknown key "lisen"; did you mean "listen"?`},
		{"letters swapped", "mail:\n  hots: x\n", `tocsin.yaml:2:3: mail: unknown key "hots"; did you mean "host"?`},
		{"a dash for an underscore", "own-networks: []\n", `1:1: unknown key "own-networks"; did you mean "own_networks"?`},
		{"another program's word", "smtp:\n", `1:1: unknown key "smtp"; did you mean "mail"?`},
		{"a password in the file", "mail:\n  password: secret\n", `2:3: mail: unknown key "password"; did you mean "password_file"?`},
		{"a key at the wrong place", "starttls: none\n", `1:1: unknown key "starttls"; there is "mail.starttls"`},
		{"a key of another place", "throttle: 2m\n", `1:1: unknown key "throttle"; there is "escalation.throttle"`},
		{"a key like no other", "tls:\n  xyzzy: 1\n", `2:3: tls: unknown key "xyzzy"; known here are cert, key, acme, http_listen, hsts`},
		{"a key in a list", "people:\n  - id: a\n    role: x\n", `3:5: people[1]: unknown key "role"; did you mean "roles"?`},
		{"a key twice", "zone: UTC\nzone: UTC\n", `tocsin.yaml:2:1: this is not YAML: mapping key "zone" already defined`},
		{"no YAML", "watch: [a\n", `tocsin.yaml:1:8: this is not YAML`},
		{"a list at the top", "- a\n", `tocsin.yaml:1:1: keys are wanted here`},
		{"two documents", "zone: UTC\n---\nzone: UTC\n", `tocsin.yaml:3:1: only one document`},
		{"an alias", "zone: &z UTC\ngeo: *z\n", "1:7: zone: anchors and aliases"},
		{"merging", "mail:\n  <<: {host: x}\n", "2:3: mail: merging (<<) is not known here"},
		{"a tag", "zone: !!str UTC\n", "1:7: zone: tags (!) are not known here"},
		{"text for a list", "watch: /var/log\n", `1:8: watch: a list is wanted here, each value on a line of its own after "- "; this is text`},
		{"a list for text", "zone: [UTC]\n", `1:7: zone: `},
		{"keys for text", "listen:\n  port: 1\n", "2:3: listen: text is wanted here; this is a group of keys"},
		{"text for keys", "mail: smtp.example.com\n", "1:7: mail: keys are wanted here, each on its own line with a colon; this is text"},
		{"a number for text", "geo: 12\n", `1:6: geo: text is wanted here, and without quotes this is a number: write "12"`},
		{"text for a number", "mail:\n  port: smtp\n", "2:9: mail.port: a whole number is wanted here; this is text"},
		{"text for a truth value", "escalation:\n  medium: maybe\n", "2:11: escalation.medium: true or false is wanted here; this is text"},
		{"no value", "geo:\n", "geo: there is no value"},
		{"a time without unit", "retention: 400\n", `1:12: retention: "400" is no time; write a number and a unit: 90s, 5m, 24h, 30d`},
		{"a time of the future", "retention: 99999999d\n", "is no time"},
		{"a size without unit", "keep:\n  - size: 400\n", `2:11: keep[1].size: "400" is no size; write a whole number and a unit: 500MB, 20GB, 1TB`},
		{"a size beyond all", "keep: [{size: 99999999999TB}]\n", "is no size"},
		{"a list for a size", "keep: [{size: [1GB]}]\n", "a size is wanted here"},
		{"a limit that is none", "keep: [{source: nginx-access}]\n", "keep[1]: it sets no limit"},
		{"a small limit", "keep: [{size: 1MB}]\n", "next to nothing"},
		{"a short limit", "keep: [{age: 1h}]\n", "at least 1d"},
		{"a list for a time", "retention: [1d]\n", "1:12: retention: a time is wanted here"},
		{"never where it makes no sense", "retention: never\n", `"never" is no time`},
		{"no address", "trusted_proxies:\n  - 10.0.0.5\n  - 10.0.0\n", `3:5: trusted_proxies[2]: "10.0.0" is no address or network`},
		{"an address in a network", "own_networks: [10.0.0.5/8]\n", "1:16: own_networks[1]: \"10.0.0.5/8\" is an address inside a network; write 10.0.0.0/8"},
		{"every address", "own_networks: [0.0.0.0/0]\n", "every address there is"},
		{"no zone", "zone: Berlin\n", `1:7: zone: "Berlin" is no time zone`},
		{"the machine's zone", "zone: Local\n", `"Local" is no time zone`},
		{"control characters", "geo: \"a\\nb\"\n", "line end or control character"},
		{"beyond loopback", "listen: 0.0.0.0:443\n", "1:9: listen: others than this machine can reach 0.0.0.0:443, and without TLS passwords"},
		{"all addresses", "listen: :8181\n", "others than this machine can reach :8181"},
		{"beyond loopback, without URL", "listen: 192.0.2.1:443\ntls: {cert: a, key: b}\n", "1:9: listen: calls need a link that works from outside"},
		{"beyond loopback, URL in the clear", "listen: 192.0.2.1:443\npublic_url: http://localhost\ntls: {cert: a, key: b}\n", "2:13: public_url: others than this machine can reach"},
		{"a name of many letters", "organisation: " + strings.Repeat("ö", 101) + "\n", "1:15: organisation: the name has 101 characters"},
		{"a name that turns the line", "organisation: \"Shop \\u202e & Sons\"\n", "organisation: the name is one line"},
		{"no port", "listen: localhost\n", `"localhost" is no address with port`},
		{"half of TLS", "tls:\n  cert: a\n", "tls.key: the key of the certificate is missing"},
		{"no URL", "public_url: tocsin.example.com\n", "is no address of a web site"},
		{"a folder in the URL", "public_url: https://example.com/tocsin\n", "the console needs a host of its own"},
		{"a URL in the clear", "public_url: http://example.com\n", "must begin with https://"},
		{"keys in data", "data: /srv/t\nkeys: /srv/t/keys\n", "2:7: keys: the keys must lie outside of data"},
		{"mail without sender", "mail:\n  host: x\n", "mail.from: the sender's address is missing"},
		{"mail with port in host", "mail: {host: \"x:25\", from: a@b}\n", "its port goes to mail.port"},
		{"mail without TLS and with password", "mail: {host: x, from: a@b, username: u, password_file: /p, starttls: none}\n", "the password would go to x in the clear"},
		{"mail and an unknown way", "mail: {host: x, from: a@b, starttls: requird}\n", `mail.starttls: "requird" is unknown; did you mean "required"?`},
		{"no mail address", "people: [{id: a, roles: [reader], mail: anna}]\n", `people[1].mail: "anna" is no mail address`},
		{"an unknown role", "people: [{id: a, roles: [comander]}]\n", `people[1].roles[1]: "comander" is unknown; did you mean "commander"?`},
		{"no id", "people: [{roles: [reader]}]\n", "people[1].id: everyone needs an id"},
		{"a bad id", "people: [{id: Anna, roles: [reader]}]\n", `people[1].id: "Anna" is no id`},
		{"an id twice", "people: [{id: a, roles: [reader]}, {id: a, roles: [reader]}]\n", "two people with the id"},
		{"nobody of that name", "people: [{id: anna, roles: [reader]}]\nescalation: {steps: [{who: [ana, everyone]}]}\n", `escalation.steps[1].who[1]: "ana" is unknown; did you mean "anna"?`},
		{"a role without role:", "escalation: {steps: [{who: [engineer, everyone]}]}\n", "for the role write role:engineer"},
		{"a last step that is not for all", "escalation: {steps: [{who: [role:engineer]}]}\n", "the last step must ring everyone"},
		{"a policy without steps", "escalation: {medium: true}\n", "without steps nothing of escalation would hold"},
		{"an unknown channel", "escalation: {steps: [{who: [everyone], by: [fax]}]}\n", `"fax" is unknown`},
		{"too short a silence", "silent_after: 5s\n", "would ring all the time"},
		{"too short to keep", "retention: 1h\n", "at least 1d"},
		{"too long a file", strings.Repeat("#\n", maxFile), "longer than"},
	}
	for _, x := range tests {
		t.Run(x.name, func(t *testing.T) {
			if got := problems(x.file); !strings.Contains(got, x.want) {
				t.Errorf("says\n%s\nwant\n%s", got, x.want)
			}
		})
	}
}

func TestAllMistakesAtOnce(t *testing.T) {
	got := problems("lisen: x\nretention: 5\nmail:\n  port: x\n  from: nobody\nwatch: a\n")
	want := []string{"1:1", "2:12", "4:9", "5:9", "6:8"}
	var places []string
	for line := range strings.SplitSeq(got, "\n") {
		if m := regexp.MustCompile(`^tocsin\.yaml:(\d+:\d+): `).FindStringSubmatch(line); m != nil && !slices.Contains(places, m[1]) {
			places = append(places, m[1])
		}
	}
	for _, w := range want {
		if !slices.Contains(places, w) {
			t.Errorf("nothing is said of %s in\n%s", w, got)
		}
	}
	if !slices.IsSortedFunc(places, func(a, b string) int { return int(a[0]) - int(b[0]) }) { // by line: all are below 10
		t.Errorf("not in the order of the file: %v", places)
	}
	_, err := Parse("t.yaml", []byte("a: 1\n"))
	if p, ok := errors.AsType[Problem](err); !ok || p.Line != 1 || p.Column != 1 || p.File != "t.yaml" {
		t.Errorf("the error holds %+v", p)
	}
}

func TestCheckOfFlags(t *testing.T) {
	c := Default()
	if err := c.Check(); err != nil {
		t.Error(err)
	}
	c.Listen = "0.0.0.0:80"
	if err := c.Check(); err == nil || !strings.HasPrefix(err.Error(), "listen: others than this machine") {
		t.Errorf("says %v", err)
	}
}

// everyKey returns the example with each "#" before a key removed. Prose has one space after it.
func everyKey() string {
	return regexp.MustCompile(`(?m)^#((?:  )*[a-z_/.-]+:|(?:  )+- )`).ReplaceAllString(Example, "$1")
}

// TestExample: the example must be right as it stands, and with every "#" before a key removed, and then name every key.
func TestExample(t *testing.T) {
	if got := problems(Example); got != "" {
		t.Errorf("as it stands:\n%s", got)
	}
	full := everyKey()
	full = strings.ReplaceAll(full, "listen: localhost:8181", "listen: 0.0.0.0:443")
	d := &decoder{file: "example.yaml", places: map[string]place{}, failed: map[string]bool{}}
	c := Default()
	d.decode([]byte(full), &c)
	c.TLS.Cert, c.TLS.Key = "", "" // the example names both ways to a certificate, of which one can be
	d.check(&c)
	if err := d.err(); err != nil {
		t.Errorf("with every key: %v\n%s", err, full)
	}
	number := regexp.MustCompile(`\[\d+\]`)
	named := map[string]bool{}
	for key := range d.places {
		named[number.ReplaceAllString(key, "[]")] = true
	}
	for _, key := range allKeys(reflect.TypeFor[Config](), "") {
		if !named[key] {
			t.Errorf("the example does not name %s", key)
		}
	}
}

func TestDuration(t *testing.T) {
	for text, want := range map[string]time.Duration{"90s": 90 * time.Second, "5m": 5 * time.Minute, "1d": 24 * time.Hour, "1d12h": 36 * time.Hour, "1.5h": 90 * time.Minute, "0s": 0, "0d": 0, "400d": 9600 * time.Hour, "1d1ms": 24*time.Hour + time.Millisecond} {
		if d, err := ParseDuration(text); d != want || err != nil {
			t.Errorf("%q is %v, %v; want %v", text, d, err, want)
		}
	}
	for _, text := range []string{"", "0", "5", "-5m", "+5m", "5 m", "d", "1dd", "1d-5m", "12h1d", "1.5d", "99999999999d", "106751d24h", "5y", "1d ", " 1d", "never"} {
		if d, err := ParseDuration(text); err == nil {
			t.Errorf("%q is %v; want an error", text, d)
		}
	}
}

func TestSecret(t *testing.T) {
	dir := t.TempDir()
	put := func(name, text string, mode os.FileMode) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		os.Chmod(path, mode)
		return path
	}
	t.Setenv("CREDENTIALS_DIRECTORY", dir)
	put("smtp", "from systemd\n", 0o444)
	for _, x := range []struct{ name, file, want, warns, fails string }{
		{"a file", put("a", "pass word\r\n", 0o600), "pass word", "", ""},
		{"a file that others read", put("b", "x", 0o644), "x", "chmod 600", ""},
		{"a credential", "smtp", "from systemd", "", ""},
		{"no credential", "imap", "", "", "LoadCredential=imap:"},
		{"no file", filepath.Join(dir, "none"), "", "", "no such file"},
		{"nothing in it", put("c", "\n", 0o600), "", "", "is empty"},
		{"two lines", put("d", "a\nb\n", 0o600), "", "", "more than one line"},
		{"too long", put("e", strings.Repeat("x", maxSecret+1), 0o600), "", "", "too long"},
		{"a folder", dir + "/.", "", "", "not a regular file"},
	} {
		t.Run(x.name, func(t *testing.T) {
			got, warn, err := Secret(x.file)
			if got != x.want || !strings.Contains(warn, x.warns) || (x.warns == "") != (warn == "") {
				t.Errorf("got %q, warned %q", got, warn)
			}
			if (err != nil) != (x.fails != "") || err != nil && !strings.Contains(err.Error(), x.fails) {
				t.Errorf("failed with %v, want %q", err, x.fails)
			}
		})
	}
}

// FuzzParse: the laws are that settings printed and read again are the same, that problems lie within the file, and
// that the same file says the same twice.
func FuzzParse(f *testing.F) {
	f.Add(Example)
	f.Add(everyKey())
	f.Add("watch: [a, 'b: c']\nsilent: {a: 1d}\nown_networks: [::1]\n")
	f.Add("a: &x 1\nb: *x\n")
	f.Add("mail: {port: 0x10}\n")
	f.Fuzz(func(t *testing.T, text string) {
		c, err := Parse("tocsin.yaml", []byte(text))
		again, errAgain := Parse("tocsin.yaml", []byte(text))
		if fmt.Sprint(err) != fmt.Sprint(errAgain) || err == nil && same(c, again) != "" {
			t.Fatalf("read twice, it differs:\n%v\n%v", err, errAgain)
		}
		if err != nil {
			if p, ok := errors.AsType[Problem](err); ok && (p.Line < 0 || p.Line > strings.Count(text, "\n")+strings.Count(text, "\r")+1) {
				t.Fatalf("a place outside of the file: %v", err)
			}
			return
		}
		printed := printYAML(reflect.ValueOf(c), "")
		back, err := Parse("tocsin.yaml", []byte(printed))
		if err != nil {
			t.Fatalf("printed, it is refused: %v\n%s", err, printed)
		}
		if d := same(c, back); d != "" {
			t.Fatalf("printed and read again, it differs:\n%s\n%s", d, printed)
		}
	})
}

// printYAML prints what is not empty, in flow style below the top.
func printYAML(v reflect.Value, within string) string {
	var parts []string
	end := "\n"
	if within != "" {
		end = ", "
	}
	switch v.Kind() {
	case reflect.Struct:
		for i, name := range keysOf(v.Type()) {
			if x := v.Field(i); !x.IsZero() {
				parts = append(parts, name+": "+printOne(x))
			} else if name == "silent_after" || name == "every" || name == "throttle" {
				parts = append(parts, name+": 0s")
			}
		}
		if within == "" {
			return strings.Join(parts, end)
		}
		return "{" + strings.Join(parts, end) + "}"
	case reflect.Slice:
		for i := range v.Len() {
			parts = append(parts, printOne(v.Index(i)))
		}
		return "[" + strings.Join(parts, end) + "]"
	case reflect.Map:
		for _, k := range v.MapKeys() {
			parts = append(parts, fmt.Sprintf("%q: %s", k, printOne(v.MapIndex(k))))
		}
		return "{" + strings.Join(parts, end) + "}"
	}
	return ""
}

func printOne(v reflect.Value) string {
	switch x := v.Interface().(type) {
	case Duration:
		return time.Duration(x).String()
	case Size:
		return fmt.Sprintf("%dB", x)
	case Network:
		return fmt.Sprintf("%q", netip.Prefix(x))
	case Zone:
		return fmt.Sprintf("%q", zoneName(x))
	case string:
		return fmt.Sprintf("%q", x)
	case int, bool:
		return fmt.Sprint(x)
	}
	return printYAML(v, "x")
}

// FuzzDuration: the law is that a time printed and read again is the same.
func FuzzDuration(f *testing.F) {
	for _, s := range []string{"90s", "1d12h", "1.5h", "0s", "106751d", "1d1ns"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		d, err := ParseDuration(text)
		if err != nil {
			return
		}
		if back, err := ParseDuration(d.String()); back != d || err != nil || d < 0 {
			t.Fatalf("%q is %v, which reads as %v, %v", text, d, back, err)
		}
	})
}

// FuzzSize: the law is that a size printed and read again is the same.
func FuzzSize(f *testing.F) {
	for _, s := range []string{"500MB", "20GB", "1TiB", "0B", "9223372036854775807B", "1kib"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		n, err := ParseSize(text)
		if err != nil {
			return
		}
		if back, err := ParseSize(fmt.Sprintf("%dB", n)); back != n || err != nil || n < 0 {
			t.Fatalf("%q is %d, which reads as %d, %v", text, n, back, err)
		}
	})
}

// TestGeoFiles: given one file or a list for geo, when it is read, then both are the same, below the folder of the file.
func TestGeoFiles(t *testing.T) {
	for text, want := range map[string]Files{
		"geo: a.tsv\n":                 {"/etc/tocsin/a.tsv"},
		"geo: [a.tsv, /b/c.mmdb]\n":    {"/etc/tocsin/a.tsv", "/b/c.mmdb"},
		"geo:\n- a.tsv\n- ../b.mmdb\n": {"/etc/tocsin/a.tsv", "/etc/b.mmdb"},
		"geo: []\n":                    nil,
	} {
		c, err := Parse("/etc/tocsin/tocsin.yaml", []byte(text))
		if err != nil || !slices.Equal(c.Geo, want) {
			t.Errorf("%q is %q (%v), want %q", text, c.Geo, err, want)
		}
	}
	for text, want := range map[string]string{"geo: \"\"\n": "geo[1]: the path is empty", "geo: {a: b}\n": "geo: "} {
		if got := problems(text); !strings.Contains(got, want) {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

// Given mappings of JSON, when they are read, then they are as written, and what another package says of one names its place.
func TestMappings(t *testing.T) {
	const text = "mappings:\n  - name: a\n    files: /x/*.json\n    when: {app: shop}\n    source: {category: webserver}\n    time: {path: t, zone: Europe/Berlin}\n" +
		"    fields:\n      user.name: [a.b, c]\n    values:\n      type:\n        X: {event.action: login}\n"
	var asked int
	check := func(c *Config, say func(key, says string)) {
		asked++
		say("mappings[1].fields.user.name", "not so")
		say("mappings[1].time.layout", "missing")
	}
	_, err := Parse("t.yaml", []byte(text), check)
	const want = "t.yaml:6:11: mappings[1].time.layout: missing\nt.yaml:8:18: mappings[1].fields.user.name: not so"
	if err == nil || err.Error() != want || asked != 1 {
		t.Errorf("%v, want\n%s", err, want)
	}
	c, err := Parse("t.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	m := c.Mappings[0]
	if m.Name != "a" || m.Files[0] != "/x/*.json" || m.When["app"] != "shop" || m.Source.Category[0] != "webserver" || m.Time.Zone.String() != "Europe/Berlin" ||
		len(m.Fields["user.name"]) != 2 || m.Values["type"]["X"]["event.action"] != "login" {
		t.Errorf("%+v", m)
	}
}
