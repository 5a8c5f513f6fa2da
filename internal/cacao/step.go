package cacao

import (
	"encoding/base64"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"tocsin/internal/playbook"
)

// Bounds of a playbook's texts (package playbook).
const (
	maxLine = 90
	maxWhy  = 600
	maxHow  = 4000
	maxDone = 400
	maxAsk  = 200
	maxSpan = 90 * 24 * time.Hour
)

// Texts for what a file does not say.
const (
	noWhy   = "The playbook that this was taken from gives no reason."
	noHow   = "The playbook that this was taken from does not say how."
	plainly = "It is done, and what came out of it is written down."
)

// extension is our extension (specification, 8): what of a playbook of ours CACAO has no place for.
const extension = "extension-definition--5a1c0d2e-7f64-4b8a-9c37-e0d9b1f84a26"

// extended is what our extension says of a step.
func extended(s map[string]any) map[string]any { return obj(obj(s, "step_extensions"), extension) }

// step reads a step of kind action or playbook-action, without its name and its place in the flow.
func (d *document) step(s map[string]any) *playbook.Step {
	x := extended(s)
	out := &playbook.Step{What: line(str(s, "name"), maxLine), Why: clean(str(s, "description"), maxWhy), How: d.how(s), Done: clean(str(x, "done"), maxDone), Within: within(s)}
	if out.What == "" {
		first, _, _ := strings.Cut(str(s, "description"), ". ")
		out.What = line(first, maxLine)
	}
	if out.What == "" && str(s, "type") == "playbook-action" {
		out.What = "Work through another playbook"
	}
	if out.What == "" {
		out.What = "Do what the playbook says"
	}
	if out.Why == "" {
		out.Why = noWhy
	}
	if out.Done == "" {
		out.Done = plainly
	}
	out.Role = role(x["role"])
	if out.Role == "" {
		out.Role = d.roleOf(s)
	}
	out.Approve = role(x["approve"])
	out.Always, _ = x["always"].(bool)
	for _, e := range texts(x, "evidence") {
		if e = clean(e, 400); e != "" && len(out.Evidence) < 30 {
			out.Evidence = append(out.Evidence, e)
		}
	}
	if a := obj(x, "action"); a != nil && line(str(a, "do"), 60) != "" {
		out.Action = &playbook.Action{Do: line(str(a, "do"), 60)}
		for k := range obj(a, "with") {
			if out.Action.With == nil {
				out.Action.With = map[string]string{}
			}
			out.Action.With[k] = clean(str(obj(a, "with"), k), maxHow)
		}
	}
	return out
}

func role(v any) string {
	if s, _ := v.(string); slices.Contains(playbook.Roles(), s) {
		return s
	}
	return ""
}

// words of names by which an agent or a target is known to be a role of ours.
var (
	commanders = regexp.MustCompile(`(?i)\b(commander|incident (manager|lead|coordinator)|ciso|head|duty officer)\b`)
	lawyers    = regexp.MustCompile(`(?i)\b(legal|lawyers?|counsel|privacy|data protection|dpo|compliance)\b`)
	speakers   = regexp.MustCompile(`(?i)\b(communications?|press|public relations|pr|media|customer (service|care|support))\b`)
	analysts   = regexp.MustCompile(`(?i)\b(analysts?|analysis|soc|csirt|cert|forensics?|threat|investigators?)\b`)
)

// roleOf is whose step it is: of the agent and the targets, the first whose name says so; otherwise the engineer's.
func (d *document) roleOf(s map[string]any) string {
	agents, targets := obj(d.root, "agent_definitions"), obj(d.root, "target_definitions")
	parties := []map[string]any{obj(agents, str(s, "agent"))}
	for _, id := range texts(s, "targets") {
		if p := obj(targets, id); p != nil {
			parties = append(parties, p)
		} else {
			parties = append(parties, obj(agents, id))
		}
	}
	for _, p := range parties {
		switch t := str(p, "type"); t {
		case "group", "individual", "organization", "sector", "security-category":
		default:
			continue // a machine
		}
		says := strings.Join(strings.FieldsFunc(str(p, "name")+" "+str(p, "description"), func(c rune) bool { return c == '_' || c == '-' || c == ' ' }), " ")
		for i, r := range []*regexp.Regexp{commanders, lawyers, speakers, analysts} {
			if r.MatchString(says) {
				return []string{"commander", "legal", "communications", "analyst"}[i]
			}
		}
	}
	return "engineer"
}

// how is what a step's commands say, as text. None of them is run by anything.
func (d *document) how(s map[string]any) string {
	if how := clean(str(extended(s), "how"), maxHow); how != "" {
		return how
	}
	var parts []string
	for _, v := range list(s, "commands") {
		c, _ := v.(map[string]any)
		text := command(c)
		if str(c, "type") == "manual" {
			if text == "" {
				text = str(c, "description")
			}
			parts = append(parts, text)
			continue
		}
		kind := line(str(c, "type"), 40)
		if kind == "" {
			kind = "of no kind"
		}
		says := fmt.Sprintf("By hand, for it is not run here: a command (%s)", kind)
		if x := str(c, "description"); x != "" {
			says += ", which does this: " + x
		}
		if text != "" {
			says += "\n" + text
		}
		parts = append(parts, says)
	}
	if str(s, "type") == "playbook-action" {
		parts = append(parts, "Work through the playbook "+line(str(s, "playbook_id"), 80)+", and come back.")
	}
	var on []string
	for _, id := range texts(s, "targets") {
		on = append(on, d.party("target_definitions", id))
	}
	if len(on) > 0 {
		parts = append(parts, "On: "+strings.Join(on, "; "))
	}
	if a := str(s, "agent"); a != "" && !strings.HasPrefix(a, "group--") {
		parts = append(parts, "Meant to be done by: "+d.party("agent_definitions", a))
	}
	if n, ok := s["delay"].(float64); ok && n >= 1000 && n < float64(maxSpan/time.Millisecond) {
		parts = append(parts, "Wait "+(time.Duration(n)*time.Millisecond).Round(time.Second).String()+" before you begin.")
	}
	parts = slices.DeleteFunc(parts, func(p string) bool { return clean(p, maxHow) == "" })
	if how := clean(strings.Join(parts, "\n\n"), maxHow); how != "" {
		return how
	}
	return noHow
}

// command is the text of a command, which stands in base64 when it has several lines.
func command(c map[string]any) string {
	if s := str(c, "command"); s != "" {
		return s
	}
	for _, key := range []string{"command_b64", "content_b64"} {
		if s := str(c, key); s != "" {
			if b, err := base64.StdEncoding.DecodeString(s); err == nil && utf8.Valid(b) {
				return string(b)
			}
			return s
		}
	}
	return ""
}

// party is what an agent or a target is called, with its addresses. How it is signed in to is never shown.
func (d *document) party(where, id string) string {
	p := obj(obj(d.root, where), id)
	if p == nil { // some files have one list for both
		p = obj(obj(d.root, "agent_definitions"), id)
	}
	name := str(p, "name")
	if name == "" {
		name = id
	}
	var at []string
	for _, kind := range keys(obj(p, "address")) {
		at = append(at, texts(obj(p, "address"), kind)...)
	}
	if u := str(p, "url"); u != "" {
		at = append(at, u)
	}
	if len(at) > 0 {
		name += " (" + strings.Join(at, ", ") + ")"
	}
	return line(name, 300)
}

// within is how long a step may take: its timeout in whole minutes, when that is a time in which people work.
func within(s map[string]any) time.Duration {
	ms, ok := s["timeout"].(float64)
	if !ok || ms < 60_000 || ms > float64(maxSpan/time.Millisecond) {
		return 0
	}
	return time.Duration(math.Ceil(ms/60_000)) * time.Minute
}
