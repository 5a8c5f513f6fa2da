package exchange

import (
	"bytes"
	"cmp"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"
)

// Namespaces of UUIDs: that of URLs (RFC 9562, section 6.6) for our own objects, and that of STIX 2.1 (section 2.9) for observables, whose ids are the same
// whoever writes them.
const (
	urlNamespace  = "6ba7b811-9dad-11d1-80b4-00c04fd430c8"
	stixNamespace = "00abedb4-aa42-466c-9c01-fed23315a9b7"
)

// TLP 2.0 in STIX 2.1: the extension and its five marking definitions, with the ids that OASIS gave them.
const (
	tlpExtension = "extension-definition--60a3c5c5-0d15-413e-aab3-9e08dde9ede1"
	tlpCreated   = "2022-10-01T00:00:00.000Z"

	always = "2026-01-01T00:00:00.000Z" // created and modified of what is the same in every incident: ourselves, and techniques
)

func tlpMarking(label string) string {
	return "marking-definition--" + map[string]string{
		"CLEAR":        "94868c89-83c2-464b-929b-a1a8aa3c8487",
		"GREEN":        "bab4a63c-aed9-4cf5-a766-dfca5abac2bb",
		"AMBER":        "55d920b0-5e8b-4f79-9ee9-91f868d9b421",
		"AMBER+STRICT": "939a9414-2ddd-4d32-a0cd-375ea402b003",
		"RED":          "e828b379-4e03-4974-9ac4-e53a884c97c1",
	}[label]
}

// A Sum is crypto/sha1.Sum, of which UUIDs of version 5 are made. It comes as an argument, because a package that decides uses no hash that is broken for
// other purposes.
type Sum func([]byte) [20]byte

// uuid5 is a UUID of version 5: SHA-1 of a namespace and a name.
func (sum Sum) uuid5(namespace, name string) string {
	ns, _ := hex.DecodeString(strings.ReplaceAll(namespace, "-", "")) // one of ours above
	h := sum(append(ns, name...))
	h[6], h[8] = h[6]&0x0f|0x50, h[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", h[0:4], h[4:6], h[6:8], h[8:10], h[10:16])
}

// object is a STIX object: it is written with its names in order.
type object map[string]any

// stix gathers the objects of a bundle.
type stix struct {
	c        Case
	sum      Sum
	all      []object
	seen     map[string]object
	created  string
	modified string
	values   [][]string        // ids of what each value is, by its place, once they are there
	known    map[string]string // ids of techniques
	refs     int               // of observed data
	links    int
	more     int // relationships beyond the bound
}

// STIX writes an incident as a bundle of STIX 2.1 for readers of a label. It errs with a Refusal.
func STIX(c Case, readers string, sum Sum) (Result, error) {
	c, r, err := cut(c, readers)
	if err != nil {
		return r, err
	}
	s := &stix{c: c, sum: sum, seen: map[string]object{}, known: map[string]string{}, created: stamp(cmp.Or(unix(c.Opened), unix(c.Changed)))}
	s.modified = max(s.created, stamp(unix(c.Changed)))
	audience := fmt.Sprintf("incident/%d for %s", c.ID, strings.TrimPrefix(r.Label, "TLP:"))

	if c.Organisation != "" {
		s.add("identity", "identity/"+c.Organisation, "CLEAR", object{"name": c.Organisation, "identity_class": "organization"})
	}
	key := fmt.Sprintf("incident/%d", c.ID)
	incident := object{"name": cmp.Or(c.Title, fmt.Sprintf("Incident %d", c.ID)), "labels": c.labels()}
	label := c.Label
	if c.Summary.Text != "" {
		incident["description"], label = c.Summary.Text, c.Summary.Label
		key += " with its summary" // the two say different things, so they are two objects
	}
	id := s.add("incident", key, label, incident)
	indicators := s.indicators()
	for _, t := range c.used() {
		s.relate(id, "related-to", s.technique(t), label)
	}
	s.alerts(id, label, indicators)
	for _, a := range c.Acts {
		act := s.add("course-of-action", fmt.Sprintf("act/%s/%d", a.ID, c.ID), a.Label, object{"name": cmp.Or(a.Name, "An action"), "description": "Done at " + stamp(unix(a.At)) + "."})
		s.relate(act, "related-to", id, narrow(a.Label, label))
		for _, v := range a.Values {
			s.relate(act, "mitigates", indicators[v], narrow(a.Label, c.Values[v].Label))
		}
	}
	var refs []string
	for _, o := range s.all {
		refs = append(refs, o["id"].(string))
	}
	slices.Sort(refs)
	s.add("grouping", audience, strings.TrimPrefix(r.Label, "TLP:"), object{"name": cmp.Or(c.Title, fmt.Sprintf("Incident %d", c.ID)), "context": "suspicious-activity", "object_refs": refs})
	s.mark()
	slices.SortFunc(s.all, func(a, b object) int {
		return cmp.Or(cmp.Compare(order(a), order(b)), strings.Compare(a["id"].(string), b["id"].(string)))
	})
	bundle := object{"type": "bundle", "id": "bundle--" + s.sum.uuid5(urlNamespace, c.Origin+"/stix/bundle/"+audience+s.modified), "objects": s.all}
	r.Objects, r.More = len(s.all), r.More+s.more
	r.Data, err = encode(bundle)
	return r, err
}

// unix is a time in milliseconds since 1970, 0 of none.
func unix(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

// stamp is a time as STIX writes it (section 3.2): UTC, milliseconds. Years that have not four digits cannot be written; they become the nearest that can.
func stamp(ms int64) string {
	const first, last = -62135596800000, 253402300799999
	return time.UnixMilli(min(max(ms, first), last)).UTC().Format("2006-01-02T15:04:05.000Z")
}

// encode writes JSON with names in order, and <, > and & as they are.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	err := e.Encode(v)
	return b.Bytes(), err
}

// order is by which objects are sorted: what others refer to comes first.
func order(o object) int {
	known := []string{"marking-definition", "identity", "incident", "grouping", "attack-pattern", "indicator", "course-of-action", "observed-data", "relationship"}
	if i := slices.Index(known, o["type"].(string)); i >= 0 {
		return i
	}
	return len(known)
}

// labels are what the core specification has no place for.
func (c *Case) labels() []string {
	status := "open"
	if !c.Closed.IsZero() {
		status = "closed"
	}
	out := []string{"status:" + status}
	for name, word := range map[string]string{"kind": c.Kind, "severity": c.Severity, "verdict": c.Verdict} {
		if w := clean(word, 40); w != "" {
			out = append(out, name+":"+w)
		}
	}
	if c.Drill {
		out = append(out, "drill")
	}
	slices.Sort(out)
	return out
}

// used are the techniques of the incident and of its alerts.
func (c *Case) used() []string {
	var ids []string
	for _, t := range c.Techniques {
		ids = append(ids, t.ID)
	}
	ids = techniques(ids)
	for _, a := range c.Alerts {
		ids = append(ids, a.Techniques...)
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// add puts an object of ours into the bundle and returns its id. key names it within the console.
func (s *stix) add(kind, key, label string, o object) string {
	id := kind + "--" + s.sum.uuid5(urlNamespace, s.c.Origin+"/stix/"+key)
	if s.seen[id] != nil {
		return id
	}
	o["type"], o["spec_version"], o["id"], o["created"], o["modified"] = kind, "2.1", id, s.created, s.modified
	if kind == "identity" || kind == "attack-pattern" {
		o["created"], o["modified"] = always, always
	}
	o["object_marking_refs"] = []string{tlpMarking(label)}
	if s.c.Organisation != "" && kind != "identity" {
		o["created_by_ref"] = "identity--" + s.sum.uuid5(urlNamespace, s.c.Origin+"/stix/identity/"+s.c.Organisation)
	}
	s.put(o)
	return id
}

func (s *stix) put(o object) {
	s.seen[o["id"].(string)] = o
	s.all = append(s.all, o)
}

// relate adds a relationship (STIX 2.1, section 5.1).
func (s *stix) relate(from, how, to, label string) {
	if s.links++; s.links > maxLinks {
		s.more++
		return
	}
	s.add("relationship", from+" "+how+" "+to, label, object{"relationship_type": how, "source_ref": from, "target_ref": to})
}

// technique adds one of ATT&CK.
func (s *stix) technique(id string) string {
	if ref := s.known[id]; ref != "" {
		return ref
	}
	o := object{"name": id, "external_references": []object{{"source_name": "mitre-attack", "external_id": id, "url": "https://attack.mitre.org/techniques/" + strings.ReplaceAll(id, ".", "/") + "/"}}}
	for _, t := range s.c.Techniques {
		if techniqueID(t.ID) == id && clean(t.Name, maxName) != "" {
			o["name"] = clean(t.Name, maxName)
		}
	}
	s.known[id] = s.add("attack-pattern", fmt.Sprintf("technique/%s/%s", id, o["name"]), "CLEAR", o)
	return s.known[id]
}

// observable adds an observable, which has the same id whoever writes it: that of the properties by which it is known (STIX 2.1, section 6).
func (s *stix) observable(kind, label string, known object, more object) string {
	text, err := encode(known)
	if err != nil {
		return "" // there are texts in it only
	}
	var plain bytes.Buffer
	if json.Compact(&plain, text) != nil {
		return ""
	}
	id := kind + "--" + s.sum.uuid5(stixNamespace, plain.String()) // names in order, no spaces: as RFC 8785 wants it
	if o := s.seen[id]; o != nil {
		if marks := o["object_marking_refs"].([]string); marks[0] != tlpMarking(label) {
			was := Labels()[slices.IndexFunc(Labels(), func(l string) bool { return tlpMarking(l) == marks[0] })]
			o["object_marking_refs"] = []string{tlpMarking(narrow(was, label))}
		}
		return id
	}
	o := object{"type": kind, "spec_version": "2.1", "id": id, "object_marking_refs": []string{tlpMarking(label)}}
	for _, from := range []object{known, more} {
		for k, v := range from {
			o[k] = v
		}
	}
	s.put(o)
	return id
}

// see adds what a value is, as something observed. A path has its folder beside it. A request and a user agent are nothing by themselves: traffic has two ends, and
// of a shop's log we know one; there is an indicator of them alone.
func (s *stix) see(v Value) []string {
	value := object{"value": v.Text}
	switch v.Kind {
	case "address":
		if strings.Contains(v.Text, ":") {
			return []string{s.observable("ipv6-addr", v.Label, value, nil)}
		}
		return []string{s.observable("ipv4-addr", v.Label, value, nil)}
	case "hash":
		return []string{s.observable("file", v.Label, object{"hashes": object{v.hash(): v.Text}}, nil)}
	case "path":
		dir, name := path.Split(v.Text)
		folder := s.observable("directory", v.Label, object{"path": path.Clean(dir)}, nil)
		return []string{folder, s.observable("file", v.Label, object{"name": name, "parent_directory_ref": folder}, nil)}
	case "request", "agent":
		return nil
	case "domain":
		return []string{s.observable("domain-name", v.Label, value, nil)}
	case "url":
		return []string{s.observable("url", v.Label, value, nil)}
	}
	return []string{s.observable("user-account", v.Label, object{"account_login": v.Text}, nil)}
}

// indicators adds an indicator for each value, and returns their ids by the values' places.
func (s *stix) indicators() (ids []string) {
	for _, v := range s.c.Values {
		from := cmp.Or(unix(v.First), unix(s.c.Happened), unix(s.c.Opened))
		ids = append(ids, s.add("indicator", fmt.Sprintf("value/%d/%s/%s", s.c.ID, v.Kind, v.Text), v.Label, object{"name": clean(v.Kind+" "+v.Text, maxName), "indicator_types": []string{"malicious-activity"},
			"pattern": v.pattern(), "pattern_type": "stix", "pattern_version": "2.1", "valid_from": stamp(from)}))
	}
	return ids
}

// alerts adds what was seen, and what it means.
func (s *stix) alerts(incident, label string, indicators []string) {
	s.values = make([][]string, len(s.c.Values))
	for _, a := range s.c.Alerts {
		var refs []string
		if s.refs += len(a.Values); s.refs > maxRefs {
			s.more++
			continue
		}
		both := narrow(label, a.Label)
		for _, v := range a.Values {
			if s.values[v] == nil {
				s.values[v] = s.see(s.c.Values[v])
			}
			refs = append(refs, s.values[v]...)
			both = narrow(both, s.c.Values[v].Label)
			for _, t := range a.Techniques {
				s.relate(indicators[v], "indicates", s.technique(t), narrow(a.Label, s.c.Values[v].Label))
			}
		}
		if len(refs) == 0 {
			continue // observed data is of something
		}
		slices.Sort(refs)
		refs = slices.Compact(refs) // what readers of another label do not see makes it another object
		first, last := unix(a.First), max(unix(a.First), unix(a.Last))
		seen := s.add("observed-data", fmt.Sprintf("alert/%d/%s/%s", s.c.ID, a.ID, refs), both, object{"first_observed": stamp(first), "last_observed": stamp(last),
			"number_observed": min(max(a.Count, 1), 999_999_999), "object_refs": refs})
		s.relate(incident, "related-to", seen, both)
		for _, v := range a.Values {
			s.relate(indicators[v], "based-on", seen, both)
		}
	}
}

// mark adds the markings that objects refer to.
func (s *stix) mark() {
	used := map[string]bool{}
	for _, o := range s.all {
		for _, m := range o["object_marking_refs"].([]string) {
			used[m] = true
		}
	}
	for _, l := range Labels() {
		if used[tlpMarking(l)] {
			s.all = append(s.all, object{"type": "marking-definition", "spec_version": "2.1", "id": tlpMarking(l), "created": tlpCreated, "name": "TLP:" + l,
				"extensions": object{tlpExtension: object{"extension_type": "property-extension", "tlp_2_0": strings.ToLower(l)}}})
		}
	}
}
