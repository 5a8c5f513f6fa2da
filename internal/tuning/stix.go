package tuning

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"time"
)

// An indicator is what of a STIX 2.1 indicator (section 4.7) a watch list looks at. Other properties are passed over:
// producers add their own.
type indicator struct {
	Type        string    `json:"type"`
	ID          string    `json:"id"`
	Name        string    `json:"name"`
	Modified    time.Time `json:"modified"`
	Pattern     string    `json:"pattern"`
	PatternType string    `json:"pattern_type"`
	From        time.Time `json:"valid_from"`
	Until       time.Time `json:"valid_until"`
	Revoked     bool      `json:"revoked"`

	place int
}

func (x indicator) where() string {
	return strings.TrimSpace(fmt.Sprintf("objects[%d] %s", x.place, x.ID))
}

// maxObjects bounds a bundle.
const maxObjects = 200_000

// parseBundle reads a bundle, or a list of objects. Of an object that comes in several versions the newest counts.
func parseBundle(data []byte) (Import, error) {
	x := Import{Format: "STIX 2.1", Passed: map[string]int{}}
	if err := strict(data); err != nil {
		return x, fmt.Errorf("the file is no STIX bundle: %w", err)
	}
	objects, err := objectsOf(data)
	if err != nil {
		return x, err
	}
	if len(objects) > maxObjects {
		return x, fmt.Errorf("the bundle has %d objects, and at most %d are read: split it", len(objects), maxObjects)
	}
	newest := map[string]int{} // place in found, by id
	var found []indicator
	for n, raw := range objects {
		o := indicator{place: n}
		var kind struct{ Type string }
		if err := json.Unmarshal(raw, &kind); err != nil || kind.Type == "" {
			x.refuse(o.where(), "object", errors.New("it is no object with a type"))
			continue
		}
		if kind.Type != "indicator" {
			x.Passed[kind.Type]++
			continue
		}
		if err := json.Unmarshal(raw, &o); err != nil {
			x.refuse(o.where(), "indicator", err)
			continue
		}
		if at, twice := newest[o.ID]; twice && o.ID != "" {
			if o.Modified.After(found[at].Modified) {
				found[at] = o
			}
			continue
		}
		newest[o.ID] = len(found)
		found = append(found, o)
	}
	for _, o := range found {
		x.indicator(o)
	}
	again := map[string]bool{}
	for _, v := range x.Values {
		again[v.Key()] = true
	}
	x.Cut = slices.DeleteFunc(x.Cut, func(v Listed) bool { return again[v.Key()] })
	return x, nil
}

// objectsOf takes the objects out of a bundle.
func objectsOf(data []byte) ([]json.RawMessage, error) {
	var list []json.RawMessage
	if bytes.HasPrefix(bytes.TrimSpace(data), []byte("[")) {
		return list, json.Unmarshal(data, &list)
	}
	var b struct {
		Type    string            `json:"type"`
		Objects []json.RawMessage `json:"objects"`
	}
	if err := json.Unmarshal(data, &b); err != nil {
		return nil, fmt.Errorf("the file is no STIX bundle: %w", err)
	}
	if b.Type == "indicator" {
		return []json.RawMessage{data}, nil
	}
	if b.Type != "bundle" {
		return nil, fmt.Errorf("the file is JSON, but no STIX bundle: its type is %q instead of \"bundle\"", b.Type)
	}
	return b.Objects, nil
}

// strict reports what is wrong with a JSON text: no value or more than one, or a name that stands twice in an object, of which
// each reader would take another one (RFC 8259, section 4).
func strict(data []byte) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	if err := onlyOnce(d, 0); err != nil {
		return placed(data, d, err)
	}
	if _, err := d.Token(); err != io.EOF {
		return placed(data, d, errors.New("more follows the JSON value"))
	}
	return nil
}

// placed adds the line at which a decoder stopped.
func placed(data []byte, d *json.Decoder, err error) error {
	at := d.InputOffset()
	if s, ok := errors.AsType[*json.SyntaxError](err); ok {
		at = s.Offset
	}
	at = min(at, int64(len(data)))
	return fmt.Errorf("line %d: %w", 1+bytes.Count(data[:at], []byte("\n")), err)
}

// onlyOnce reads one value.
func onlyOnce(d *json.Decoder, depth int) error {
	if depth > 100 {
		return errors.New("it is nested deeper than 100")
	}
	t, err := d.Token()
	if err != nil {
		return err
	}
	open, ok := t.(json.Delim)
	if !ok {
		return nil
	}
	seen := map[string]bool{}
	for d.More() {
		if open == '{' {
			name, err := d.Token()
			if err != nil {
				return err
			}
			s, _ := name.(string)
			if seen[s] {
				return fmt.Errorf("the name %q stands twice in an object", s)
			}
			seen[s] = true
		}
		if err := onlyOnce(d, depth+1); err != nil {
			return err
		}
	}
	_, err = d.Token()
	return err
}

// indicator takes the values out of one indicator.
func (x *Import) indicator(o indicator) {
	switch {
	case o.PatternType != "stix" && o.PatternType != "": // STIX 2.0 knew one kind only
		x.refuse(o.where(), "pattern_type "+o.PatternType, errors.New("only patterns of type stix are read"))
		return
	case o.Pattern == "":
		x.refuse(o.where(), "indicator", errors.New("it has no pattern"))
		return
	case !o.Until.IsZero() && !o.Until.After(o.From):
		x.refuse(o.where(), "valid_until", errors.New("it is not later than valid_from"))
		return
	}
	p, err := ParsePattern(o.Pattern)
	if err != nil {
		x.refuse(o.where(), "pattern", err)
		return
	}
	values, refused := p.Listed()
	for _, r := range refused {
		r.Where = o.where()
		x.refused(r)
	}
	for _, v := range values {
		v.From, v.Until, v.Note = o.From.UTC(), o.Until.UTC(), short(o.Name)
		if o.Revoked {
			x.Cut = append(x.Cut, v)
		} else {
			x.Values = append(x.Values, v)
		}
	}
}

// Listed takes out of a pattern what can be watched, each by itself: what OR joins. The rest is refused by name; a part of it
// would match more than the pattern means.
func (p Pattern) Listed() (values []Listed, refused []Refusal) {
	no := func(feature, why string) ([]Listed, []Refusal) { return nil, []Refusal{{"", feature, why}} }
	switch {
	case len(p.Qualifiers) > 0:
		return no("qualifier "+strings.Fields(p.Qualifiers[0])[0], "a watch list looks at one record at a time; write a correlation for what must come several times")
	case p.Op == "OR":
		for _, x := range p.Parts {
			v, r := x.Listed()
			values, refused = append(values, v...), append(refused, r...)
		}
		return values, refused
	case p.Op != "":
		return no("operator "+p.Op, "a watch list looks at one value at a time; write a rule for what must come together")
	}
	return p.Test.listed()
}

func (t Test) listed() (values []Listed, refused []Refusal) {
	no := func(feature, format string, args ...any) ([]Listed, []Refusal) {
		return nil, []Refusal{{"", feature, fmt.Sprintf(format, args...)}}
	}
	if t.Op == "OR" {
		for _, x := range t.Parts {
			v, r := x.listed()
			values, refused = append(values, v...), append(refused, r...)
		}
		return values, refused
	}
	kind, there := objects[t.Object()]
	subset := t.Cmp == "ISSUBSET" && kind == Address
	switch {
	case t.Op != "":
		return no("operator "+t.Op, "a watch list looks at one value at a time; write a rule for what must come together")
	case t.Not:
		return no("operator NOT", "a watch list names what is watched, not what is not")
	case !there:
		return no("object "+t.Object(), "no record here has it; known: %s", known)
	case t.Cmp != "=" && t.Cmp != "IN" && !subset:
		return no("operator "+t.Cmp, "a watch list compares whole values: =, IN, and ISSUBSET of addresses")
	}
	for _, l := range t.Values {
		v, err := t.value(kind, l)
		if err != nil {
			refused = append(refused, Refusal{"", "value", err.Error()})
			continue
		}
		values = append(values, v)
	}
	return values, refused
}

// value reads one literal.
func (t Test) value(kind Kind, l Literal) (Listed, error) {
	if l.Kind != "" && (l.Kind != "h" || kind != Hash) {
		return Listed{}, fmt.Errorf("%s is compared with %s, which is no text", t.Object(), l)
	}
	if kind == Address && strings.Contains(l.Text, "/") {
		kind = Network
	}
	v, err := NewValue(kind, l.Text)
	if err != nil {
		return v, err
	}
	if v.Kind == Address || v.Kind == Network {
		at, _, _ := strings.Cut(v.Text, "/")
		a, err := netip.ParseAddr(at)
		if four := t.Type == "ipv4-addr"; err == nil && t.Type != "network-traffic" && a.Is4() != four {
			return v, fmt.Errorf("%s is compared with %s, which is of the other kind", t.Object(), l)
		}
	}
	if name := strings.ReplaceAll(strings.ToUpper(t.Path[len(t.Path)-1]), "SHA1", "SHA-1"); v.Kind == Hash && strings.ReplaceAll(name, "SHA256", "SHA-256") != hashName(v.Text) {
		return v, fmt.Errorf("%s is compared with %s, which is no such hash", t.Object(), l)
	}
	return v, nil
}

// objects are the object paths that records here can answer (STIX 2.1, sections 6.4 to 6.17), as Test.Object writes them.
// It is never changed.
var objects = map[string]Kind{
	"ipv4-addr:value":               Address,
	"ipv6-addr:value":               Address,
	"network-traffic:src_ref.value": Address,
	"network-traffic:dst_ref.value": Address,
	"file:hashes.MD5":               Hash,
	"file:hashes.SHA1":              Hash,
	"file:hashes.'SHA-1'":           Hash,
	"file:hashes.SHA256":            Hash,
	"file:hashes.'SHA-256'":         Hash,
	"file:hashes.'SHA-512'":         Hash,
	"user-account:user_id":          Account,
	"user-account:account_login":    Account,
	"email-addr:value":              Account,
	"domain-name:value":             Domain,
	"url:value":                     URL,
}

// known names them all.
var known = strings.Join(slices.Sorted(maps.Keys(objects)), ", ")
