package exchange

import (
	"bytes"
	"crypto/sha1"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"
)

// lists are the words that VERIS has for each place, as far as we use them; these checks are ours, written after its documentation.
var lists = map[string]string{
	"security_incident":                         "Confirmed|Suspected|False positive|Near miss",
	"actor.external.variety":                    "Unknown",
	"actor.internal.variety":                    "Unknown",
	"actor.external.motive":                     "Financial|NA|Unknown",
	"actor.internal.motive":                     "Financial|NA|Unknown",
	"actor.partner.motive":                      "Financial|NA|Unknown",
	"action.hacking.variety":                    "Abuse of functionality|Brute force|DoS|Exploit vuln|OS commanding|SQLi|Use of stolen creds|Unknown",
	"action.hacking.vector":                     "Web application|Other|Unknown",
	"action.malware.variety":                    "Backdoor|Capture app data|Export data|Ransomware|Unknown",
	"action.malware.vector":                     "Web application|Partner|Unknown",
	"action.social.variety":                     "Phishing",
	"action.social.vector":                      "Email",
	"action.misuse.variety":                     "Privilege abuse",
	"action.misuse.vector":                      "LAN access",
	"action.error.variety":                      "Loss|Misconfiguration",
	"action.error.vector":                       "Carelessness",
	"asset.assets.variety":                      "S - Web application|S - Database|P - Customer|P - System admin|U - Laptop|Unknown",
	"asset.cloud":                               "Unknown",
	"attribute.confidentiality.data_disclosure": "Yes|Potentially|No|Unknown",
	"attribute.confidentiality.data_victim":     "Customer|Unknown",
	"attribute.confidentiality.data.variety":    "Credentials|Internal|Payment|Personal|Unknown",
	"attribute.integrity.variety":               "Fraudulent transaction|Modify data|Modify privileges|Software installation",
	"attribute.availability.variety":            "Degradation|Interruption|Loss|Obscuration",
	"discovery_method.internal.variety":         "Log review|Reported by employee",
	"discovery_method.external.variety":         "Customer|Law enforcement|Other",
	"discovery_method.partner.variety":          "Other",
	"impact.overall_rating":                     "Distracting|Painful|Damaging|Catastrophic|Unknown",
	"victim.employee_count":                     "1 to 10|11 to 100|101 to 1000|1001 to 10000|10001 to 25000|25001 to 50000|50001 to 100000|Over 100000|Unknown",
}

// checkedVERIS holds an object against the lists, and returns it.
func checkedVERIS(t testing.TB, data []byte) map[string]any {
	t.Helper()
	var v map[string]any
	if err := json.Unmarshal(data, &v); err != nil {
		t.Fatal(err)
	}
	for _, name := range strings.Fields("schema_version incident_id source_id security_incident actor action asset attribute discovery_method timeline victim plus") {
		if v[name] == nil {
			t.Errorf("%s is missing", name)
		}
	}
	for _, one := range []string{"actor", "action", "discovery_method"} {
		if m, ok := v[one].(map[string]any); !ok || len(m) == 0 {
			t.Errorf("%s is empty", one)
		}
	}
	var walk func(path string, x any)
	walk = func(path string, x any) {
		switch x := x.(type) {
		case map[string]any:
			for k, y := range x {
				walk(strings.TrimPrefix(path+"."+k, "."), y)
			}
		case []any:
			if len(x) == 0 && !strings.HasPrefix(path, "plus") {
				t.Errorf("%s is an empty list", path)
			}
			for _, y := range x {
				walk(path, y)
			}
		case string:
			list, ok := lists[path]
			last := path[strings.LastIndexByte(path, '.')+1:]
			switch {
			case ok && !slices.Contains(strings.Split(list, "|"), x):
				t.Errorf("%s is %q, for which VERIS has no word", path, x)
			case !ok && slices.Contains(strings.Fields("variety vector motive data_victim"), last):
				t.Errorf("%s has no list", path)
			case last == "unit" && !slices.Contains(strings.Split("Seconds|Minutes|Hours|Days|Weeks|Months|Years|Unknown", "|"), x):
				t.Errorf("%s is %q", path, x)
			}
		}
	}
	walk("", v)
	year := v["timeline"].(map[string]any)["incident"].(map[string]any)["year"].(float64)
	if year < 1 || year > 9999 {
		t.Errorf("the year is %v", year)
	}
	return v
}

func TestVERIS(t *testing.T) {
	r, err := VERIS(skimmer(), "AMBER", sha1.Sum)
	if err != nil {
		t.Fatal(err)
	}
	checkedVERIS(t, r.Data)
	golden(t, "skimmer.veris.json", r.Data)
	for _, never := range []string{"203.0.113.9", "anna", "eve'"} {
		if bytes.Contains(r.Data, []byte(never)) {
			t.Errorf("it names %s", never)
		}
	}
}

// Every kind of incident, however little is known of it, is right by the lists.
func TestEveryKind(t *testing.T) {
	all := []string{"", "unheard-of"}
	for k := range kinds() {
		all = append(all, k)
	}
	for _, k := range all {
		for _, c := range []Case{{Kind: k}, {Kind: k, Verdict: "false", Opened: t0}, {Kind: k, Verdict: "true", Opened: t0, Recovered: t0.Add(time.Hour), ToldBy: "supplier", Insider: true, People: 7, Techniques: []Technique{{"T1566.001", ""}}}} {
			c.Label = "CLEAR"
			r, err := VERIS(c, "CLEAR", sha1.Sum)
			if err != nil {
				t.Fatal(err)
			}
			v := checkedVERIS(t, r.Data)
			if c.Verdict == "false" && v["security_incident"] != "False positive" {
				t.Errorf("%s: %v", k, v["security_incident"])
			}
		}
	}
}

func TestLasted(t *testing.T) {
	for d, want := range map[time.Duration]string{0: "Seconds 0", 90 * time.Second: "Minutes 1", 25 * time.Hour: "Days 1", 40 * 24 * time.Hour: "Months 1", 800 * 24 * time.Hour: "Years 2"} {
		x := lasted(d)
		if got := x["unit"].(string) + " " + string('0'+byte(x["value"].(int64))); got != want {
			t.Errorf("%v is %s, want %s", d, got, want)
		}
	}
}
