package exchange

import (
	"bytes"
	"crypto/sha1"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"tocsin/internal/tuning"
)

var update = flag.Bool("update", false, "write golden files that do not exist yet; never changes one that does")

var t0 = time.Date(2026, 11, 27, 9, 0, 0, 0, time.UTC) // a Black Friday

// skimmer is an incident of which much is known.
func skimmer() Case {
	at := func(h float64) time.Time { return t0.Add(time.Duration(h * float64(time.Hour))) }
	sha := strings.Repeat("ab", 32)
	return Case{ID: 4, Origin: "https://tocsin.shop.example", Organisation: "Shop GmbH", Label: "TLP:GREEN", Title: "Skimmer in the checkout", Summary: Text{"Foreign code read card numbers.\nIt is gone.", "AMBER"},
		Kind: "skimmer", Severity: "critical", Verdict: "true", Happened: at(-200), Opened: t0, Contained: at(2), Recovered: at(9), Closed: at(30), Changed: at(31),
		Values: []Value{{Kind: "address", Text: "203.0.113.9", First: at(-200)}, {Kind: "address", Text: "2001:DB8::9"}, {Kind: "hash", Text: strings.ToUpper(sha)}, {Kind: "path", Text: "/pub/media/x.php"},
			{Kind: "account", Text: "eve'\\"}, {Kind: "domain", Text: "Evil.example."}, {Kind: "url", Text: "https://evil.example/s.js"},
			{Kind: "account", Text: "anna", Victim: true}, {Kind: "address", Text: "198.51.100.1", Label: "RED"}, {Kind: "address", Text: "198.51.100.2", Label: "AMBER"}, {Kind: "address", Text: "no"}},
		Alerts: []Alert{{"a1", "Script in the checkout", at(-1), at(0), 12, []string{"attack.t1059.007", "attack.initial-access"}, []int{0, 2, 3, 8}, ""},
			{"a2", "A sign-in", at(0), at(0), 1, nil, []int{1, 4, 5, 6, 9}, "AMBER"}, {"a3", "Nobody", at(0), at(0), 1, []string{"attack.t1190"}, nil, ""}},
		Acts:       []Act{{"o1", "Block 203.0.113.9", at(1), []int{0}, ""}, {"o2", "Ask the police", at(2), nil, "RED"}},
		Techniques: []Technique{{"attack.t1059.007", "JavaScript"}},
		ToldBy:     "customer", Customers: true, People: 312, Countries: []string{"NL", "de", "x"}, Industry: "455110", Employees: 40, Home: []string{"DE"}}
}

func stixOf(t testing.TB, c Case, readers string) (Result, []map[string]any) {
	t.Helper()
	r, err := STIX(c, readers, sha1.Sum)
	if err != nil {
		t.Fatal(err)
	}
	return r, checked(t, r.Data)
}

func count(objects []map[string]any, kind string) (n int) {
	for _, o := range objects {
		if o["type"] == kind {
			n++
		}
	}
	return n
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	name = filepath.Join("testdata", name)
	want, err := os.ReadFile(name)
	if os.IsNotExist(err) && *update {
		want, err = got, os.WriteFile(name, got, 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s is another one:\n%s", name, got)
	}
}

func TestSTIX(t *testing.T) {
	r, all := stixOf(t, skimmer(), "AMBER+STRICT")
	golden(t, "skimmer.stix.json", r.Data)
	for kind, want := range map[string]int{"incident": 1, "grouping": 1, "identity": 1, "indicator": 8, "observed-data": 2, "attack-pattern": 2, "course-of-action": 1, "marking-definition": 3,
		"ipv4-addr": 2, "ipv6-addr": 1, "file": 2, "directory": 1, "user-account": 1, "domain-name": 1, "url": 1} {
		if n := count(all, kind); n != want {
			t.Errorf("%d of %s, want %d", n, kind, want)
		}
	}
	if r.Label != "TLP:AMBER" || r.Hidden != 2 || r.Victims != 1 || r.Wrong != 1 || r.More != 0 {
		t.Errorf("%+v", Result{Label: r.Label, Hidden: r.Hidden, Victims: r.Victims, Wrong: r.Wrong, More: r.More})
	}
	again, _ := stixOf(t, skimmer(), "TLP:AMBER+STRICT")
	if !bytes.Equal(r.Data, again.Data) {
		t.Error("exported again it is another one")
	}
}

// The ids of observables are those that everybody gives them: this one stands in many public bundles of 198.51.100.3.
func TestObservableIDs(t *testing.T) {
	s := &stix{sum: sha1.Sum, seen: map[string]object{}}
	for text, want := range map[string]string{"198.51.100.3": "ipv4-addr--28bb3599-77cd-5a82-a950-b5bc3caf07c4"} {
		if got := s.see(Value{Kind: "address", Text: text, Label: "CLEAR"})[0]; got != want {
			t.Errorf("%s is %s, want %s", text, got, want)
		}
	}
}

// Each reader gets what the label lets out and nothing else; RED leaves for nobody.
// Given a request and a user agent, when they are exported, then each is an indicator with a pattern of the http extension, and no traffic is invented of which one end is known.
func TestRequestsAndAgents(t *testing.T) {
	c := skimmer()
	c.Values = []Value{{Kind: "request", Text: "/media/it's.php"}, {Kind: "agent", Text: `sqlmap/1.7 (\'x')`}, {Kind: "request", Text: "media"}, {Kind: "request", Text: "/"}, {Kind: "agent", Text: "a\x1b[31m"}}
	c.Alerts = []Alert{{ID: "a1", Title: "x", First: t0, Last: t0, Count: 1, Techniques: []string{"attack.t1505"}, Values: []int{0, 1}}}
	r, all := stixOf(t, c, "GREEN")
	if count(all, "indicator") != 2 || count(all, "network-traffic") != 0 || count(all, "observed-data") != 0 || r.Wrong != 3 {
		t.Errorf("%d indicators, %+v", count(all, "indicator"), r.Wrong)
	}
	want := map[string]bool{`[network-traffic:extensions.'http-request-ext'.request_value = '/media/it\'s.php']`: true,
		`[network-traffic:extensions.'http-request-ext'.request_header.'User-Agent' = 'sqlmap/1.7 (\\\'x\')']`: true}
	for _, o := range all {
		if o["type"] == "indicator" && !want[o["pattern"].(string)] {
			t.Errorf("pattern %s", o["pattern"])
		}
	}
}

// Given the class of a root cause, when VERIS is written, then it says so; readers who may not know the cause are not told by its class either.
func TestCauses(t *testing.T) {
	for class, want := range map[string]string{"configuration": "Misconfiguration", "credentials": "Use of stolen creds", "third-party": "Exploit vuln", "supplier": `"partner"`} {
		c := skimmer()
		c.Alerts, c.Cause = nil, Text{class, "AMBER"}
		r, err := VERIS(c, "AMBER", sha1.Sum)
		if err != nil || !strings.Contains(string(r.Data), want) {
			t.Errorf("%s: %v\n%s", class, err, r.Data)
		}
		checkedVERIS(t, r.Data)
		if r, err := VERIS(c, "GREEN", sha1.Sum); err != nil || strings.Contains(string(r.Data), want) {
			t.Errorf("%s is told to readers of GREEN: %v", class, err)
		}
	}
}

func TestTLP(t *testing.T) {
	for _, write := range []func(Case, string, Sum) (Result, error){STIX, VERIS} {
		for i, label := range Labels() {
			for j, readers := range Labels() {
				c := skimmer()
				c.Label, c.Summary.Label = label, ""
				for k, l := range Labels() {
					c.Values = append(c.Values, Value{Kind: "account", Text: fmt.Sprintf("mark-%d-x", k), Label: l})
					c.Acts = append(c.Acts, Act{ID: fmt.Sprint("m", k), Name: fmt.Sprintf("act-%d-x", k), Label: l})
				}
				r, err := write(c, readers, sha1.Sum)
				if refused := i > j || i == 4 || j == 4; refused != (err != nil) {
					t.Fatalf("%s for %s: %v", label, readers, err)
				}
				for k := j + 1; k < 5; k++ {
					if bytes.Contains(r.Data, fmt.Appendf(nil, "mark-%d-x", k)) || bytes.Contains(r.Data, fmt.Appendf(nil, "act-%d-x", k)) {
						t.Errorf("%s got what is %s", readers, Labels()[k])
					}
				}
				if err == nil && (rank(r.Label) > j || rank(r.Label) < i) {
					t.Errorf("%s for %s is labelled %s", label, readers, r.Label)
				}
			}
		}
		for _, bad := range []string{"", "TLP:WHITE", "clear", "\u202eRED"} {
			if _, err := write(skimmer(), bad, sha1.Sum); err == nil {
				t.Errorf("readers of %q got it", bad)
			}
		}
		c := skimmer()
		c.Label = "PURPLE"
		if _, err := write(c, "AMBER+STRICT", sha1.Sum); err == nil {
			t.Error("a label that nobody knows leaves")
		}
		c = skimmer()
		c.Label = ""
		if _, err := write(c, "AMBER", sha1.Sum); err == nil {
			t.Error("an incident without a label leaves the organisation")
		}
	}
	r, err := STIX(skimmer(), "GREEN", sha1.Sum)
	if err != nil || bytes.Contains(r.Data, []byte("Foreign code")) || bytes.Contains(r.Data, []byte("198.51.100.2")) || bytes.Contains(r.Data, []byte(tlpMarking("AMBER"))) {
		t.Errorf("readers of GREEN got what is AMBER (%v)", err)
	}
	c := skimmer()
	c.Values = append(c.Values, Value{Kind: "address", Text: "::ffff:203.0.113.9", Label: "RED"}) // the same once more
	if r, err := STIX(c, "AMBER", sha1.Sum); err != nil || bytes.Contains(r.Data, []byte("'203.0.113.9'")) {
		t.Errorf("of a value that is there twice the wider label counted (%v)", err)
	}
}

// Two objects of one id are one object, from whichever incidents they come: those of observables, ourselves and techniques.
func TestTwoIncidentsAgree(t *testing.T) {
	c := skimmer()
	c.ID, c.Opened, c.Changed, c.Label, c.Summary = 5, t0.AddDate(0, 1, 0), t0.AddDate(0, 2, 0), "GREEN", Text{}
	_, a := stixOf(t, skimmer(), "GREEN")
	_, b := stixOf(t, c, "GREEN")
	shared := 0
	for _, x := range a {
		for _, y := range b {
			if x["id"] == y["id"] {
				shared++
				if !reflect.DeepEqual(x, y) {
					t.Errorf("%v\nand\n%v", x, y)
				}
			}
		}
	}
	if shared < 6 {
		t.Errorf("%d objects are in both", shared)
	}
}

// What STIX says of values, our own watch lists read.
func TestWatchListsReadIt(t *testing.T) {
	r, _ := stixOf(t, skimmer(), "AMBER")
	x, err := tuning.ParseImport(r.Data, t0.AddDate(0, 1, 0), time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, v := range x.Values {
		got = append(got, v.Key())
	}
	for _, want := range []string{"address 203.0.113.9", "address 2001:db8::9", "hash " + strings.Repeat("ab", 32), "account eve'\\", "domain evil.example", "url https://evil.example/s.js"} {
		if !slices.Contains(got, want) {
			t.Errorf("%q is not among %v", want, got)
		}
	}
}

// huge is an incident with so many values and alerts.
func huge(values, alerts int) Case {
	c := skimmer()
	for i := range values {
		c.Values = append(c.Values, Value{Kind: "address", Text: fmt.Sprintf("10.%d.%d.%d", i>>16, i>>8&255, i&255)})
	}
	all := make([]int, len(c.Values))
	for i := range all {
		all[i] = i
	}
	for i := range alerts {
		c.Alerts = append(c.Alerts, Alert{ID: fmt.Sprint("b", i), Title: strings.Repeat("x", 300), Techniques: []string{"T1190", "T1110"}, Values: all})
	}
	return c
}

// What is beyond the bounds is left out and counted; TOCSIN_SOAK=1 exports all of what is within them.
func TestHugeCase(t *testing.T) {
	c, r, err := cut(huge(maxValues+5, maxAlerts+2), "AMBER")
	if err != nil || len(c.Values) != maxValues || len(c.Alerts) != maxAlerts || len(c.Alerts[9].Values) > maxOfAlert || r.More == 0 {
		t.Errorf("%d values, %d alerts, %d more, %v", len(c.Values), len(c.Alerts), r.More, err)
	}
	if len([]rune(c.Alerts[9].Title)) != maxName+1 {
		t.Errorf("a title has %d signs", len([]rune(c.Alerts[9].Title)))
	}
	small := huge(300, 3)
	if os.Getenv("TOCSIN_SOAK") == "1" {
		small = huge(maxValues+5, maxAlerts+2)
	}
	r, objects := stixOf(t, small, "AMBER")
	if n := count(objects, "indicator"); n != min(maxValues, len(small.Values)-3) || count(objects, "relationship") > maxLinks {
		t.Errorf("%d indicators, %d relationships", n, count(objects, "relationship"))
	}
}

// FuzzExport: whatever an attacker calls things, what is exported is right by the checks below, shows nothing that turns text, and is the same when it is exported again.
func FuzzExport(f *testing.F) {
	f.Add("a\u202eb", "account", "eve' OR 1=1", "attack.t1190", int64(0))
	f.Add("\x00\xff", "path", "/../'\\x", "t1", int64(-1))
	f.Add("<script>", "url", "javascript://%0a", "ATTACK.T1059.007", int64(1<<62))
	f.Add("[x](y)", "address", "fe80::1%eth0", "", int64(253402300800))
	f.Fuzz(func(t *testing.T, text, kind, value, technique string, sec int64) {
		at := time.Unix(sec, 0)
		c := Case{ID: sec, Origin: text, Organisation: text, Label: "CLEAR", Title: text, Summary: Text{text, ""}, Kind: kind, Severity: text, Verdict: text, Happened: at, Opened: at, Closed: at, Changed: at,
			Values: []Value{{Kind: kind, Text: value}, {Kind: "address", Text: "203.0.113.9"}}, Alerts: []Alert{{ID: text, Title: text, First: at, Last: t0, Count: sec, Techniques: []string{technique}, Values: []int{0, 1, -1, 9}}},
			Acts: []Act{{ID: text, Name: text, At: at, Values: []int{1}}}, Techniques: []Technique{{technique, text}}, ToldBy: text, Countries: []string{text}, Industry: text, Home: []string{text}, People: sec, Employees: int(sec)}
		for _, write := range []func(Case, string, Sum) (Result, error){STIX, VERIS} {
			r, err := write(c, "CLEAR", sha1.Sum)
			if err != nil {
				t.Fatal(err)
			}
			again, _ := write(c, "CLEAR", sha1.Sum)
			if !bytes.Equal(r.Data, again.Data) {
				t.Fatal("exported again it is another one")
			}
			if i := bytes.IndexFunc(r.Data, func(r rune) bool { return r != '\n' && !unicode.IsPrint(r) }); i >= 0 {
				t.Fatalf("it has a sign that nobody sees: %q", r.Data[i:min(len(r.Data), i+20)])
			}
		}
		r, _ := STIX(c, "CLEAR", sha1.Sum)
		checked(t, r.Data)
		r, _ = VERIS(c, "CLEAR", sha1.Sum)
		checkedVERIS(t, r.Data)
	})
}

var (
	idShape   = regexp.MustCompile(`^[a-z0-9-]+--[0-9a-f]{8}-[0-9a-f]{4}-[1-5][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)
	timeShape = regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$`)
)

// needs says what the specification of STIX 2.1 wants of each type, and what else it knows; these checks are ours, written after the specification.
var needs = map[string][2]string{
	"identity":           {"name", "identity_class"},
	"incident":           {"name", "description"},
	"grouping":           {"context object_refs", "name"},
	"indicator":          {"pattern pattern_type valid_from", "name indicator_types pattern_version"},
	"observed-data":      {"first_observed last_observed number_observed object_refs", ""},
	"attack-pattern":     {"name", "external_references"},
	"course-of-action":   {"name", "description"},
	"relationship":       {"relationship_type source_ref target_ref", ""},
	"marking-definition": {"", "name extensions"},
	"ipv4-addr":          {"value", ""}, "ipv6-addr": {"value", ""}, "domain-name": {"value", ""}, "url": {"value", ""},
	"file": {"", "hashes name parent_directory_ref"}, "directory": {"path", ""}, "user-account": {"", "account_login"},
}

// checked holds a bundle against the specification: types and properties, ids that exist, references that lead somewhere of the right type, times in order, markings.
func checked(t testing.TB, data []byte) []map[string]any {
	t.Helper()
	var bundle struct {
		Type, ID string
		Objects  []map[string]any
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&bundle); err != nil {
		t.Fatal(err)
	}
	if bundle.Type != "bundle" || !idShape.MatchString(bundle.ID) {
		t.Errorf("the bundle is %s %s", bundle.Type, bundle.ID)
	}
	ids := map[string]bool{}
	for _, o := range bundle.Objects {
		id, _ := o["id"].(string)
		if ids[id] {
			t.Errorf("%s is there twice", id)
		}
		ids[id] = true
	}
	for _, o := range bundle.Objects {
		id, kind := o["id"].(string), o["type"].(string)
		need, ok := needs[kind]
		if !ok || !idShape.MatchString(id) || !strings.HasPrefix(id, kind+"--") || o["spec_version"] != "2.1" {
			t.Errorf("%s of type %q", id, kind)
		}
		observable := slices.Contains([]string{"ipv4-addr", "ipv6-addr", "domain-name", "url", "file", "directory", "user-account"}, kind)
		known := slices.Concat(strings.Fields("type id spec_version object_marking_refs"), strings.Fields(need[0]), strings.Fields(need[1]))
		want := strings.Fields("type id spec_version " + need[0])
		if !observable {
			known = append(known, "created")
			want = append(want, "created")
			if kind != "marking-definition" {
				known = append(known, "modified", "created_by_ref", "labels")
				want = append(want, "modified", "object_marking_refs")
			}
		}
		for _, w := range want {
			if o[w] == nil {
				t.Errorf("%s has no %s", id, w)
			}
		}
		for name, v := range o {
			if !slices.Contains(known, name) {
				t.Errorf("%s has %q, which its type does not know", id, name)
			}
			checkValue(t, id, name, v, ids)
		}
		for _, order := range [][2]string{{"created", "modified"}, {"first_observed", "last_observed"}} {
			if a, b := o[order[0]], o[order[1]]; a != nil && b != nil && a.(string) > b.(string) {
				t.Errorf("%s: %s is after %s", id, order[0], order[1])
			}
		}
	}
	return bundle.Objects
}

func checkValue(t testing.TB, id, name string, v any, ids map[string]bool) {
	t.Helper()
	switch v := v.(type) {
	case string:
		switch {
		case v == "":
			t.Errorf("%s: %s is empty", id, name)
		case strings.HasSuffix(name, "_ref") && !ids[v]:
			t.Errorf("%s: %s leads nowhere", id, name)
		case slices.Contains(strings.Fields("created modified valid_from first_observed last_observed"), name) && !timeShape.MatchString(v):
			t.Errorf("%s: %s is %q", id, name, v)
		case name == "pattern":
			if _, err := tuning.ParsePattern(v); err != nil {
				t.Errorf("%s: %q: %v", id, v, err)
			}
		}
	case []any:
		if len(v) == 0 {
			t.Errorf("%s: %s is an empty list", id, name)
		}
		for _, x := range v {
			if ref, ok := x.(string); ok && strings.HasSuffix(name, "_refs") && !ids[ref] {
				t.Errorf("%s: %s leads nowhere: %s", id, name, ref)
			}
		}
	case float64:
		if name != "number_observed" || v < 1 || v > 999_999_999 {
			t.Errorf("%s: %s is %v", id, name, v)
		}
	}
}
