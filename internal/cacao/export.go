package cacao

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"tocsin/internal/playbook"
)

// An Origin says who exports a playbook, and of when its version is.
type Origin struct {
	By                string // identity--UUID, of STIX 2.1: one that stays the same for a shop
	Created, Modified time.Time
}

var identity = regexp.MustCompile(`^identity--[0-9a-f]{8}-[0-9a-f]{4}-[1-5][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)

// Export writes a playbook as canonical JSON. One that was made of a file and not changed since is that file. Of one that was changed, what
// changed is written over the file, and the rest stays as it is. The findings, all of them warnings, say what the file cannot say. The error says
// what of the playbook or the origin is no good.
func Export(p *playbook.Playbook, o Origin) ([]byte, []Finding, error) {
	if !identity.MatchString(o.By) {
		return nil, nil, fmt.Errorf("%q is no identity: it is identity-- and a UUID in small letters", short(o.By))
	}
	const form = "2006-01-02T15:04:05.000Z"
	meta := stamp{id: ID(o.By, p.ID), by: o.By, created: o.Created.UTC().Format(form), modified: o.Modified.UTC().Format(form)}
	if p.Foreign == nil {
		b := &builder{p: p, stamp: meta, d: &document{root: map[string]any{}, flow: map[string]map[string]any{}}}
		return canonical(b.whole(false)), b.d.findings, nil
	}
	v, f := parse([]byte(p.Foreign.Source))
	if f != nil {
		return nil, nil, fmt.Errorf("the file that %s was made of cannot be read any more: %w. Take cacao out of the playbook to export it anew", p.ID, f)
	}
	if Mapped(p) == p.Foreign.Mapped {
		return canonical(v), nil, nil
	}
	d := &document{}
	if d.check(v); d.refused() {
		return nil, nil, fmt.Errorf("the file that %s was made of is no playbook any more: %s. Take cacao out of the playbook to export it anew", p.ID, d.findings[0])
	}
	d.findings = nil
	if str(d.root, "created_by") == o.By {
		meta.id, meta.created = str(d.root, "id"), str(d.root, "created")
	} else if id := str(d.root, "id"); id != "" { // only who made a file makes versions of it (specification, 2.4)
		meta.from = id
		meta.created = meta.modified
		d.warn("/id", "the file was made by somebody else, so the changed one is another playbook, derived from it")
	}
	if d.root["signatures"] != nil {
		d.warn("/signatures", "the signatures were left out: they are of the file as it was before the changes")
	}
	b := &builder{p: p, stamp: meta, d: d}
	return canonical(b.whole(false)), d.findings, nil
}

// A stamp is what a file says of its origin.
type stamp struct{ id, by, created, modified, from string }

func stampOf(root map[string]any) stamp {
	return stamp{id: str(root, "id"), by: str(root, "created_by"), created: str(root, "created"), modified: str(root, "modified")}
}

// ours is the playbook that an export of ours carries, when the file still says the same: exporting it over the file changes nothing.
// A file that was changed by others is read as any other.
func (d *document) ours() *playbook.Playbook {
	x := obj(obj(d.root, "playbook_extensions"), extension)
	text := str(x, "playbook")
	if text == "" {
		return nil
	}
	p, _ := playbook.Read("", []byte(text))
	if p == nil || p.Foreign != nil {
		d.warn("/playbook_extensions/"+extension, "the playbook that an export of ours left in the file cannot be read; the workflow is read instead")
		return nil
	}
	d.own = p
	whole := string(canonical(d.root))
	again := func(root map[string]any) bool {
		c := &document{root: root, own: p}
		if len(root) > 0 {
			copied, _ := parse(canonical(root))
			c = &document{own: p}
			if c.check(copied); c.refused() {
				return false
			}
		}
		b := &builder{p: p, stamp: stampOf(d.root), d: c}
		return string(canonical(b.whole(true))) == whole
	}
	switch {
	case again(map[string]any{}):
		return p
	case again(d.root):
		if (&Import{Playbook: p, file: d.root}).Keep() {
			return p
		}
	}
	d.warn("/workflow", "the file was exported here and changed elsewhere: its workflow is read, and what only the export knew of order and conditions is left aside")
	return nil
}

// uuid names something by what it is, always the same: the first bits of a SHA-256, in the form of a random UUID (RFC 9562, version 4), since
// that of names (version 5) wants SHA-1.
func uuid(parts ...string) string {
	b := sha256.Sum256([]byte("tocsin cacao\n" + strings.Join(parts, "\n")))
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:16])
}

// write puts what a person changed of a step over the step of the file; whole says that our extension names the step in any case.
func (d *document) write(s map[string]any, p *playbook.Step, whole bool) {
	old := d.step(s)
	if sameWork(old, p) && !whole {
		return
	}
	if old.Why != p.Why {
		s["description"] = p.Why
	}
	if d.step(s).What != p.What { // which is taken from what it is for, where a step has no name
		s["name"] = p.What
	}
	if old.Within != p.Within {
		delete(s, "timeout")
		if p.Within > 0 {
			s["timeout"] = float64(p.Within.Milliseconds())
		}
	}
	x := under(under(s, "step_extensions"), extension)
	x["step"] = p.ID
	if old.How != p.How {
		if str(s, "type") == "action" {
			s["commands"] = []any{manual(p.How)}
		}
		if d.how(s) != p.How {
			x["how"] = p.How
		}
	}
	if old.Role != p.Role {
		x["role"] = p.Role
	}
	if old.Done != p.Done {
		x["done"] = p.Done
	}
	set := func(key string, there bool, v any) {
		if there {
			x[key] = v
		} else {
			delete(x, key)
		}
	}
	set("approve", p.Approve != "", p.Approve)
	set("always", p.Always, true)
	set("evidence", len(p.Evidence) > 0, values(p.Evidence))
	if set("action", p.Action != nil, nil); p.Action != nil {
		a := map[string]any{"do": p.Action.Do}
		if len(p.Action.With) > 0 {
			with := map[string]any{}
			for k, v := range p.Action.With {
				with[k] = v
			}
			a["with"] = with
		}
		x["action"] = a
	}
}

// sameWork reports whether two steps say the same of what is done, wherever they stand.
func sameWork(a, b *playbook.Step) bool {
	action := func(s *playbook.Step) (string, map[string]string) {
		if s.Action == nil {
			return "", nil
		}
		return s.Action.Do, s.Action.With
	}
	doA, withA := action(a)
	doB, withB := action(b)
	return a.Role == b.Role && a.What == b.What && a.Why == b.Why && a.How == b.How && a.Done == b.Done && a.Within == b.Within && a.Approve == b.Approve &&
		a.Always == b.Always && slices.Equal(a.Evidence, b.Evidence) && doA == doB && maps.Equal(withA, withB)
}

// manual is a command for a person. One of several lines stands in base64, as the specification wants it (5.8).
func manual(how string) map[string]any {
	if strings.Contains(how, "\n") {
		return map[string]any{"type": "manual", "command_b64": base64.StdEncoding.EncodeToString([]byte(how))}
	}
	return map[string]any{"type": "manual", "command": how}
}

// under is an object within another one, made when it is not there.
func under(o map[string]any, key string) map[string]any {
	in := obj(o, key)
	if in == nil {
		in = map[string]any{}
		o[key] = in
	}
	return in
}

func values(of []string) []any {
	out := make([]any, len(of))
	for i, s := range of {
		out[i] = s
	}
	return out
}

// sameShape reports whether two playbooks have the same steps in the same order, under the same conditions: then the workflow stays as it is.
func sameShape(a, b *playbook.Playbook) bool {
	return a.Ends.String() == b.Ends.String() && slices.EqualFunc(a.Steps, b.Steps, func(x, y *playbook.Step) bool {
		return x.ID == y.ID && x.If.String() == y.If.String() && slices.Equal(x.Before, y.Before) && slices.Equal(x.Asks, y.Asks)
	})
}
