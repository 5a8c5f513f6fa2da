package exchange

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// VERIS describes an incident by actor, action, asset and attribute, in words of fixed lists, so that many can be counted together. What a playbook is for says most of
// it (kinds below); the techniques of its alerts and what the case knows add the rest. What nobody knows is said to be unknown, as the schema wants it.

const verisVersion = "1.3.7"

// A row is what the kind of an incident says.
type row struct {
	actions    map[string][2][]string // action: its varieties and vectors
	assets     []string
	data       []string // varieties of data that are lost
	disclosure string   // Yes, Potentially, No, Unknown
	integrity  []string
	available  []string
}

func does(action string, varieties, vectors string) map[string][2][]string {
	return map[string][2][]string{action: {strings.Split(varieties, "|"), strings.Split(vectors, "|")}}
}

// kinds is the table of doc/formats/exchange.md: by the playbook's id.
func kinds() map[string]row {
	return map[string]row{
		"customer-accounts": {actions: does("hacking", "Use of stolen creds|Brute force", "Web application"), assets: []string{"S - Web application", "P - Customer"}, data: []string{"Credentials", "Personal"}, disclosure: "Potentially"},
		"card-testing":      {actions: does("hacking", "Abuse of functionality", "Web application"), assets: []string{"S - Web application"}, disclosure: "No", integrity: []string{"Fraudulent transaction"}},
		"skimmer":           {actions: does("malware", "Capture app data|Export data", "Web application"), assets: []string{"S - Web application"}, data: []string{"Payment", "Personal"}, disclosure: "Yes", integrity: []string{"Modify data", "Software installation"}},
		"web-shell":         {actions: does("malware", "Backdoor", "Web application"), assets: []string{"S - Web application"}, disclosure: "Potentially", integrity: []string{"Software installation"}},
		"database-content":  {actions: does("hacking", "SQLi", "Web application"), assets: []string{"S - Database", "S - Web application"}, disclosure: "Potentially", integrity: []string{"Modify data"}},
		"admin-account":     {actions: does("hacking", "Use of stolen creds", "Web application"), assets: []string{"S - Web application", "P - System admin"}, data: []string{"Credentials"}, disclosure: "Potentially", integrity: []string{"Modify privileges"}},
		"data-leak":         {actions: does("unknown", "", ""), assets: []string{"S - Database"}, data: []string{"Personal"}, disclosure: "Yes"},
		"ransomware":        {actions: does("malware", "Ransomware", "Unknown"), assets: []string{"S - Web application", "S - Database"}, disclosure: "Potentially", integrity: []string{"Software installation"}, available: []string{"Obscuration", "Interruption"}},
		"insider-export":    {actions: does("misuse", "Privilege abuse", "LAN access"), assets: []string{"S - Database"}, data: []string{"Personal", "Internal"}, disclosure: "Yes"},
		"denial-of-service": {actions: does("hacking", "DoS", "Other"), assets: []string{"S - Web application"}, disclosure: "No", available: []string{"Degradation", "Interruption"}},
		"supplier":          {actions: does("malware", "Unknown", "Partner"), assets: []string{"S - Web application"}, disclosure: "Potentially", integrity: []string{"Software installation"}},
		"lost-device":       {actions: does("error", "Loss", "Carelessness"), assets: []string{"U - Laptop"}, data: []string{"Internal"}, disclosure: "Potentially", available: []string{"Loss"}},
		"false-alarm":       {actions: does("unknown", "", ""), assets: []string{"S - Web application"}, disclosure: "No"},
	}
}

// hacks are what techniques of ATT&CK add: the action, its variety and its vector.
func hacks() map[string][3]string {
	return map[string][3]string{
		"T1190": {"hacking", "Exploit vuln", "Web application"}, "T1110": {"hacking", "Brute force", "Web application"}, "T1078": {"hacking", "Use of stolen creds", "Unknown"},
		"T1498": {"hacking", "DoS", "Other"}, "T1499": {"hacking", "DoS", "Web application"}, "T1505": {"malware", "Backdoor", "Web application"}, "T1486": {"malware", "Ransomware", "Unknown"},
		"T1566": {"social", "Phishing", "Email"}, "T1041": {"malware", "Export data", "Unknown"}, "T1059": {"hacking", "OS commanding", "Web application"},
		"T1059.007": {"malware", "Capture app data", "Web application"}, // JavaScript: in a shop, what reads the checkout
	}
}

// causes are what the class of the root cause adds: the action, its variety and its vector.
func causes() map[string][3]string {
	return map[string][3]string{
		"own-code": {"hacking", "Exploit vuln", "Web application"}, "third-party": {"hacking", "Exploit vuln", "Web application"}, "credentials": {"hacking", "Use of stolen creds", "Unknown"},
		"configuration": {"error", "Misconfiguration", "Carelessness"},
	}
}

// VERIS writes an incident as a VERIS object for readers of a label. It errs with a Refusal.
func VERIS(c Case, readers string, sum Sum) (Result, error) {
	c, r, err := cut(c, readers)
	if err != nil {
		return r, err
	}
	kind, known := kinds()[c.Kind]
	if !known {
		kind = row{actions: does("unknown", "", ""), assets: []string{"Unknown"}, disclosure: "Unknown"}
	}
	v := object{
		"schema_version": verisVersion, "incident_id": sum.uuid5(urlNamespace, fmt.Sprintf("%s/stix/incident/%d", c.Origin, c.ID)), "source_id": cmp.Or(c.Organisation, "tocsin"),
		"security_incident": c.confirmed(), "actor": c.actor(), "action": c.action(kind), "asset": c.asset(kind), "attribute": c.attribute(kind),
		"discovery_method": c.discovery(), "timeline": c.timeline(), "victim": c.victim(),
		"impact": object{"overall_rating": cmp.Or(map[string]string{"low": "Distracting", "medium": "Painful", "high": "Damaging", "critical": "Catastrophic"}[c.Severity], "Unknown")},
		"plus":   object{"tlp": r.Label, "kind": clean(c.Kind, 40), "severity": clean(c.Severity, 40), "drill": c.Drill, "techniques": append([]string{}, c.used()...), "modified": stamp(max(unix(c.Changed), unix(c.Opened)))},
	}
	if c.Summary.Text != "" {
		v["summary"] = c.Summary.Text
	} else if c.Title != "" {
		v["summary"] = c.Title
	}
	r.Objects = 1
	r.Data, err = encode(v)
	return r, err
}

func (c *Case) confirmed() string {
	switch {
	case c.Verdict == "false":
		return "False positive"
	case c.Verdict == "true":
		return "Confirmed"
	}
	return "Suspected"
}

func (c *Case) actor() object {
	motive := []string{"Unknown"}
	if slices.Contains([]string{"skimmer", "card-testing", "ransomware", "customer-accounts"}, c.Kind) {
		motive = []string{"Financial"}
	}
	if c.Kind == "lost-device" {
		motive = []string{"NA"}
	}
	countries := codes(c.Countries)
	switch {
	case c.Insider || c.Kind == "insider-export" || c.Kind == "lost-device":
		return object{"internal": object{"variety": []string{"Unknown"}, "motive": motive}}
	case c.Partner || c.Kind == "supplier" || c.Cause.Text == "supplier" && c.Verdict != "false":
		return object{"partner": object{"motive": motive, "industry": "000", "country": countries}}
	case c.Verdict == "false":
		return object{"unknown": object{"notes": "A false alarm."}}
	}
	return object{"external": object{"variety": []string{"Unknown"}, "motive": motive, "country": countries}}
}

// codes are countries by ISO 3166-1, in order, each once; "Unknown" when there is none.
func codes(of []string) []string {
	out := []string{}
	for _, c := range of {
		c = strings.ToUpper(c)
		if len(c) == 2 && c[0] >= 'A' && c[0] <= 'Z' && c[1] >= 'A' && c[1] <= 'Z' && !slices.Contains(out, c) && len(out) < 300 {
			out = append(out, c)
		}
	}
	slices.Sort(out)
	if len(out) == 0 {
		return []string{"Unknown"}
	}
	return out
}

func (c *Case) action(k row) object {
	all := map[string]*[2][]string{}
	put := func(action string, varieties, vectors []string) {
		if all[action] == nil {
			all[action] = &[2][]string{}
		}
		all[action][0], all[action][1] = append(all[action][0], varieties...), append(all[action][1], vectors...)
	}
	for action, x := range k.actions {
		put(action, x[0], x[1])
	}
	if c.Verdict != "false" {
		if x, ok := causes()[c.Cause.Text]; ok {
			put(x[0], []string{x[1]}, []string{x[2]})
		}
		for _, t := range c.used() {
			base, _, _ := strings.Cut(t, ".")
			x, ok := hacks()[t]
			if !ok {
				x, ok = hacks()[base]
			}
			if ok {
				put(x[0], []string{x[1]}, []string{x[2]})
			}
		}
	}
	if len(all) > 1 {
		delete(all, "unknown") // something is known
	}
	out := object{}
	for _, action := range slices.Sorted(maps.Keys(all)) {
		if action == "unknown" {
			out[action] = object{"notes": "It is not known yet how."}
			continue
		}
		out[action] = object{"variety": words(all[action][0]), "vector": words(all[action][1])}
	}
	return out
}

// words are varieties in order, each once; "Unknown" beside others says nothing.
func words(of []string) []string {
	of = slices.DeleteFunc(slices.Clone(of), func(s string) bool { return s == "" || s == "Unknown" })
	slices.Sort(of)
	if of = slices.Compact(of); len(of) == 0 {
		return []string{"Unknown"}
	}
	return of
}

func (c *Case) asset(k row) object {
	list := []object{}
	for _, a := range words(k.assets) {
		list = append(list, object{"variety": a})
	}
	return object{"assets": list, "cloud": []string{"Unknown"}}
}

func (c *Case) attribute(k row) object {
	out := object{}
	disclosure := k.disclosure
	if c.People > 0 {
		disclosure = "Yes"
	}
	if c.Verdict == "false" {
		disclosure = "No"
	}
	if disclosure != "" && disclosure != "No" {
		x := object{"data_disclosure": disclosure}
		data := []object{}
		for _, d := range words(k.data) {
			o := object{"variety": d}
			if c.People > 0 && d == "Personal" {
				o["amount"] = c.People
			}
			data = append(data, o)
		}
		if x["data"] = data; c.People > 0 {
			x["data_total"] = c.People
		}
		if c.Customers {
			x["data_victim"] = []string{"Customer"}
		} else {
			x["data_victim"] = []string{"Unknown"}
		}
		out["confidentiality"] = x
	} else if disclosure == "No" {
		out["confidentiality"] = object{"data_disclosure": "No"}
	}
	if c.Verdict == "false" {
		return out
	}
	if len(k.integrity) > 0 {
		out["integrity"] = object{"variety": words(k.integrity)}
	}
	if len(k.available) > 0 {
		x := object{"variety": words(k.available)}
		if !c.Recovered.IsZero() && c.Recovered.After(c.Opened) {
			x["duration"] = lasted(c.Recovered.Sub(c.Opened))
		} else {
			x["duration"] = object{"unit": "Unknown"}
		}
		out["availability"] = x
	}
	return out
}

func (c *Case) discovery() object {
	switch c.ToldBy {
	case "rule":
		return object{"internal": object{"variety": []string{"Log review"}}}
	case "employee":
		return object{"internal": object{"variety": []string{"Reported by employee"}}}
	case "customer":
		return object{"external": object{"variety": []string{"Customer"}}}
	case "authority":
		return object{"external": object{"variety": []string{"Law enforcement"}}}
	case "researcher":
		return object{"external": object{"variety": []string{"Other"}}}
	case "supplier":
		return object{"partner": object{"variety": []string{"Other"}}}
	}
	return object{"unknown": true}
}

// timeline has the day of the incident by UTC, and how long each part lasted.
func (c *Case) timeline() object {
	begin := c.Happened
	if begin.IsZero() {
		begin = c.Opened
	}
	out := object{"incident": object{"year": 1}}
	if y := begin.UTC().Year(); y >= 1 && y <= 9999 {
		out["incident"] = object{"year": y, "month": int(begin.UTC().Month()), "day": begin.UTC().Day(), "time": begin.UTC().Format("15:04")}
	}
	for name, x := range map[string][2]time.Time{"discovery": {begin, c.Opened}, "containment": {c.Opened, c.Contained}} {
		if x[0].IsZero() || x[1].IsZero() || x[1].Before(x[0]) {
			out[name] = object{"unit": "Unknown"}
		} else {
			out[name] = lasted(x[1].Sub(x[0]))
		}
	}
	return out
}

// lasted is a duration in the largest unit that it fills.
func lasted(d time.Duration) object {
	for _, u := range []struct {
		name string
		of   time.Duration
	}{{"Years", 365 * 24 * time.Hour}, {"Months", 30 * 24 * time.Hour}, {"Weeks", 7 * 24 * time.Hour}, {"Days", 24 * time.Hour}, {"Hours", time.Hour}, {"Minutes", time.Minute}} {
		if d >= u.of {
			return object{"unit": u.name, "value": int64(d / u.of)}
		}
	}
	return object{"unit": "Seconds", "value": int64(d / time.Second)}
}

func (c *Case) victim() object {
	employees := "Unknown"
	for _, x := range []struct {
		most int
		word string
	}{{10, "1 to 10"}, {100, "11 to 100"}, {1000, "101 to 1000"}, {10_000, "1001 to 10000"}, {25_000, "10001 to 25000"}, {50_000, "25001 to 50000"}, {100_000, "50001 to 100000"}} {
		if c.Employees > 0 && c.Employees <= x.most {
			employees = x.word
			break
		}
	}
	if c.Employees > 100_000 {
		employees = "Over 100000"
	}
	industry := c.Industry
	if len(industry) < 2 || len(industry) > 6 || strings.Trim(industry, "0123456789") != "" {
		industry = "000" // not known
	}
	out := object{"industry": industry, "employee_count": employees, "country": codes(c.Home)}
	if c.Organisation != "" {
		out["victim_id"] = c.Organisation
	}
	return out
}
