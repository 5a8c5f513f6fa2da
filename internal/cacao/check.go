package cacao

import (
	"slices"
	"strings"
)

// maxFlow is how many steps a file has at most, those of the flow among them.
const maxFlow = 1500

// kinds are the kinds of steps (specification, 4.2).
func kinds() []string {
	return []string{"start", "end", "action", "playbook-action", "parallel", "if-condition", "while-condition", "switch-condition"}
}

// check says what is wrong with a file as a whole: what it is, and where its steps point.
func (d *document) check(v any) {
	root, ok := v.(map[string]any)
	if !ok {
		d.say("", "a CACAO playbook is an object of JSON")
		return
	}
	d.root = root
	switch version, kind := str(root, "spec_version"), str(root, "type"); {
	case kind == "bundle":
		d.say("/type", "the file is a bundle of several objects: take the playbook out of it, and import that")
	case kind != "playbook" && kind != "playbook-template" || root["spec_version"] == nil && root["workflow"] == nil:
		d.say("/type", "the file is no CACAO playbook: its type is %q", short(kind))
	case version == "1.0" || version == "1.1" || version == "cacao-1.0" || version == "cacao-1.1":
		d.say("/spec_version", "the file is of version %s of CACAO, in which steps and variables are written otherwise; only cacao-2.0 is read. Convert it first", short(version))
	case version != "cacao-2.0":
		d.say("/spec_version", "only cacao-2.0 is read, and this is %q", short(version))
	}
	if d.refused() {
		return
	}
	flow, ok := root["workflow"].(map[string]any)
	if !ok || len(flow) == 0 {
		d.say("/workflow", "workflow is missing: an object with the steps by their ids")
		return
	}
	if len(flow) > maxFlow {
		d.say("/workflow", "the workflow has %d steps; at most %d are read", len(flow), maxFlow)
		return
	}
	d.flow = map[string]map[string]any{}
	for _, id := range keys(flow) {
		step, ok := flow[id].(map[string]any)
		switch {
		case !ok:
			d.say(at(id), "a step is an object")
			continue
		case !slices.Contains(kinds(), str(step, "type")):
			d.say(at(id), "the kind of step %q is not known; known are %s", short(str(step, "type")), strings.Join(kinds(), ", "))
		}
		d.flow[id] = step
	}
	for _, id := range keys(d.flow) {
		d.pointers(id, d.flow[id])
	}
	start := str(root, "workflow_start")
	switch {
	case start == "":
		d.say("/workflow_start", "workflow_start is missing: the id of the step that is first")
	case d.flow[start] == nil:
		d.say("/workflow_start", "the step %s, with which the workflow starts, is not in it", short(start))
	case str(d.flow[start], "type") != "start":
		d.warn("/workflow_start", "the workflow starts with a step of kind %s; the specification wants one of kind start", str(d.flow[start], "type"))
	}
	if x := str(root, "workflow_exception"); x != "" && d.flow[x] == nil {
		d.warn("/workflow_exception", "the step %s is not in the workflow; nothing of ours follows it", short(x))
	}
}

// at is the place of a step.
func at(id string, keys ...string) string {
	s := "/workflow/" + pointer(id)
	for _, k := range keys {
		s += "/" + pointer(k)
	}
	return s
}

// lead is the step that a key names, "" when there is none. Some programs write a list of one.
func lead(o map[string]any, key string) string {
	if list := list(o, key); len(list) == 1 {
		s, _ := list[0].(string)
		return s
	}
	return str(o, key)
}

// leads are all steps that one names.
func leads(s map[string]any) []string {
	out := texts(s, "next_steps")
	for _, k := range []string{"on_completion", "on_success", "on_failure", "on_true", "on_false"} {
		out = append(out, lead(s, k))
	}
	for _, k := range keys(obj(s, "cases")) {
		out = append(out, lead(obj(s, "cases"), k))
	}
	return slices.DeleteFunc(out, func(to string) bool { return to == "" })
}

// asAction reports whether a condition names its branches as an action does: the specification wants on_true and on_false (4.8), and some programs write on_success and on_failure.
func asAction(s map[string]any) bool {
	kind := str(s, "type")
	return (kind == "if-condition" || kind == "while-condition") && lead(s, "on_true") == "" && lead(s, "on_success") != ""
}

// branches are where a condition leads.
func branches(s map[string]any) (yes, no string) {
	if asAction(s) {
		return lead(s, "on_success"), lead(s, "on_failure")
	}
	return lead(s, "on_true"), lead(s, "on_false")
}

// pointers says what a step points to that is not there.
func (d *document) pointers(id string, s map[string]any) {
	one := func(key string, v any) {
		to, ok := v.(string)
		if list, several := v.([]any); several && len(list) > 0 {
			if to, ok = list[0].(string); ok && len(list) > 1 {
				d.say(at(id, key), "%s has a list of %d steps: it is not known whether they are done together or one behind the other. Name one step, which may be of kind parallel", key, len(list))
				return
			}
			d.warn(at(id, key), "%s has a list in place of the id of a step; the one in it is read", key)
		}
		switch {
		case v == nil || v == "":
			d.warn(at(id, key), "%s leads nowhere; it is passed over", key)
		case !ok:
			d.say(at(id, key), "%s is the id of a step", key)
		case d.flow[to] == nil:
			d.say(at(id, key), "the step %s, to which this points, is not in the workflow", short(to))
		}
	}
	for _, key := range []string{"on_completion", "on_success", "on_failure"} {
		if v, there := s[key]; there {
			one(key, v)
		}
	}
	if lead(s, "on_completion") != "" && (lead(s, "on_success") != "" || lead(s, "on_failure") != "") && !asAction(s) {
		d.say(at(id, "on_completion"), "a step has on_completion, or on_success and on_failure, not both: it is not known which one counts")
	}
	kind := str(s, "type")
	wants := func(key string) {
		if lead(s, key) == "" {
			d.say(at(id), "a step of kind %s needs %s", kind, key)
		}
	}
	switch kind {
	case "if-condition", "while-condition":
		if asAction(s) {
			d.warn(at(id), "a step of kind %s has on_success and on_failure where the specification wants on_true and on_false; they are read as these", kind)
		} else {
			wants("on_true")
		}
		if v, there := s["condition"]; there {
			if _, ok := v.(string); !ok {
				d.say(at(id, "condition"), "condition is a text")
			}
		}
		for _, key := range []string{"on_true", "on_false"} {
			if v, there := s[key]; there {
				one(key, v)
			}
		}
	case "switch-condition":
		cases, ok := s["cases"].(map[string]any)
		if !ok || len(cases) == 0 {
			d.say(at(id), "a step of kind switch-condition needs cases")
		}
		for _, k := range keys(cases) {
			one("cases/"+k, cases[k])
		}
	case "parallel":
		next, ok := s["next_steps"].([]any)
		if !ok || len(next) == 0 {
			d.say(at(id), "a step of kind parallel needs next_steps")
		}
		for _, v := range next {
			if _, several := v.([]any); several {
				v = true // no list within the list
			}
			one("next_steps", v)
		}
	case "end":
		if len(leads(s)) > 0 {
			d.warn(at(id), "a step of kind end points to another step, which is passed over")
		}
	}
}

// markings reads by whom the file may be seen.
func (d *document) markings(x *Import) {
	levels := []string{"", "TLP:CLEAR", "TLP:GREEN", "TLP:AMBER", "TLP:AMBER+STRICT", "TLP:RED"}
	defined := obj(d.root, "data_marking_definitions")
	marks := texts(d.root, "markings")
	if v := d.root["markings"]; v != nil && len(marks) < max(1, len(list(d.root, "markings"))) && !emptyList(v) {
		d.warn("/markings", "markings is a list of ids, and here it is not, so it is not known by whom the file may be seen: ask who sent it")
	}
	for _, id := range marks {
		m := obj(defined, id)
		standard := standardTLP(id)
		if slices.Index(levels, standard) > slices.Index(levels, x.TLP) {
			x.TLP = standard
		}
		if m == nil && standard != "" {
			continue
		}
		if m == nil {
			d.warn("/markings", "the marking %s is not defined in the file, so it is not known by whom it may be seen: ask who sent it", short(id))
			continue
		}
		level := str(m, "tlpv2_level")
		switch i := slices.Index(levels, level); {
		case str(m, "type") == "marking-tlp" && i <= 0:
			d.warn("/data_marking_definitions/"+pointer(id), "%q is no level of TLP 2.0: ask who sent the file by whom it may be seen", short(level))
		case i > slices.Index(levels, x.TLP):
			x.TLP = level
		}
	}
	if x.TLP != "" && x.TLP != "TLP:CLEAR" {
		d.warn("/markings", "the file is marked %s: it is not given on to others than that allows", x.TLP)
	}
}

func emptyList(v any) bool {
	l, ok := v.([]any)
	return ok && len(l) == 0
}

// standardTLP is the level that an id stands for in every file: those that OASIS gave to TLP 2.0.
func standardTLP(id string) string {
	_, uuid, _ := strings.Cut(id, "--")
	return map[string]string{
		"94868c89-83c2-464b-929b-a1a8aa3c8487": "TLP:CLEAR",
		"bab4a63c-aed9-4cf5-a766-dfca5abac2bb": "TLP:GREEN",
		"55d920b0-5e8b-4f79-9ee9-91f868d9b421": "TLP:AMBER",
		"939a9414-2ddd-4d32-a0cd-375ea402b003": "TLP:AMBER+STRICT",
		"e828b379-4e03-4974-9ac4-e53a884c97c1": "TLP:RED",
	}[uuid]
}

// warnings says what of a file is kept, but not followed.
func (d *document) warnings(x *Import) {
	if v := d.root["signatures"]; v != nil && !emptyList(v) {
		x.Signatures = max(1, len(list(d.root, "signatures"))) // also one that is written otherwise
		d.warn("/signatures", "the file is signed; the signatures are kept, and nobody verified them here")
	}
	if revoked, _ := d.root["revoked"].(bool); revoked {
		d.warn("/revoked", "whoever wrote the playbook has withdrawn it")
	}
	if str(d.root, "type") == "playbook-template" {
		d.warn("/type", "the file is a template: parts of it have to be filled in before it is of use")
	}
	for _, id := range keys(obj(d.root, "authentication_info_definitions")) {
		a := obj(obj(d.root, "authentication_info_definitions"), id)
		for _, key := range []string{"password", "token", "private_key", "user_id", "username", "oauth_header"} {
			if str(a, key) != "" && key != "username" && key != "user_id" {
				d.warn("/authentication_info_definitions/"+pointer(id), "the file has a %s in clear. It is kept with the file and shown in no step: take it out, and change it, since everybody who has the file knows it", strings.ReplaceAll(key, "_", " "))
			}
		}
	}
}
