package sigma

import (
	"encoding/base64"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"unicode/utf16"

	"tocsin/internal/tree"
)

// A term is one line of a selection: a field, modifiers and values; or keywords, without a field.
type term struct {
	name    string // as the rule has it, "" for keywords
	field   Field
	keyword bool
	mods    []string
	said    []string // the values as written, for people
	all     bool     // each value must hold; otherwise one must
	negate  bool     // neq
	wants   []want
}

// A want is one value of a term, ready to be held against a record's.
type want struct {
	kind    wantKind
	pattern pattern        // wantText
	regex   *regexp.Regexp // wantRegex
	sees    int            // wantRegex: bytes of a value (budget.go)
	steps   int            // wantRegex without a text to look for: of its program
	net     netip.Prefix   // wantCIDR
	num     tree.Num       // wantNumber, wantOrder, wantPart
	op      string         // wantOrder, wantPart: lt lte gt gte, "" is equal
	part    string         // wantPart: minute hour day week month year
	yes     bool           // wantBool, wantExists
	field   Field          // wantField
	before  bool           // wantField: anything may stand before the other field's text
	behind  bool           // wantField: anything may stand behind it
	cased   bool           // wantField
}

type wantKind uint8

const (
	wantText wantKind = iota
	wantNumber
	wantBool
	wantNull
	wantExists
	wantRegex
	wantCIDR
	wantOrder
	wantPart
	wantField
)

// modes is what the modifiers of a term say together.
type modes struct {
	kind   wantKind // wantText when no modifier says otherwise
	chain  []string // what is done to text, in order
	flags  string   // of re
	op     string
	part   string
	cased  bool
	expand bool
}

// modifiers lists every one that is known, with the kind that it makes of the term; wantText leaves it.
var modifiers = map[string]wantKind{
	"contains": wantText, "startswith": wantText, "endswith": wantText, "windash": wantText,
	"base64": wantText, "base64offset": wantText,
	"wide": wantText, "utf16": wantText, "utf16le": wantText, "utf16be": wantText,
	"all": wantText, "neq": wantText, "cased": wantText, "expand": wantText,
	"exists": wantExists, "cidr": wantCIDR, "fieldref": wantField,
	"re": wantRegex, "i": wantRegex, "m": wantRegex, "s": wantRegex,
	"lt": wantOrder, "lte": wantOrder, "gt": wantOrder, "gte": wantOrder,
	"minute": wantPart, "hour": wantPart, "day": wantPart, "week": wantPart, "month": wantPart, "year": wantPart,
}

// term reads one "field|modifier|modifier: values".
func (r *reader) term(source LogSource, k, v *tree.Tree) *expr {
	parts := strings.Split(k.Text, "|")
	t := &term{name: parts[0], mods: parts[1:], keyword: parts[0] == ""}
	if t.keyword && len(t.mods) == 0 {
		r.fail(k, "field", "an empty field name; for keywords write a list, or '|all'")
		return &expr{term: t}
	}
	if !t.keyword {
		t.field = r.field(source, k, t.name)
	}
	m := r.modes(k, t)
	values := []*tree.Tree{v}
	if v.Kind == tree.List {
		values = v.Values
		if len(values) == 0 {
			r.fail(k, "empty list", "%s has an empty list: nothing can match", k.Text)
		}
	}
	if t.all && len(values) == 1 {
		r.fail(k, "modifier all", "%s: all is for lists of several values (Sigma 2.1); leave it out", k.Text)
	}
	several, ends := false, []int(nil) // whether a value became several wants, and where each value's end
	for _, x := range values {
		switch {
		case x.Kind == tree.Map || x.Kind == tree.List:
			r.fail(x, "value", "the value of %s must be a text, a number, true, false or null, not %v", k.Text, x.Kind)
		case x.Kind == tree.Null && v.Kind == tree.List:
			r.fail(x, "null in a list", "null may not stand in a list (Sigma 2.1): make a selection of its own for it")
		default:
			t.said = append(t.said, x.Scalar())
			n := len(t.wants)
			one := []*tree.Tree{x}
			if m.expand {
				one = r.expanded(x)
			}
			for _, x := range one {
				t.wants = append(t.wants, r.wants(source, k, x, t, m)...)
			}
			several = several || len(t.wants) > n+1
			ends = append(ends, len(t.wants))
		}
	}
	if t.all && several {
		return t.split(ends)
	}
	return &expr{term: t}
}

// split makes a term with "all" into one term for each of its values, where one stands for several wants (base64offset, a
// placeholder): each value must hold, and a value holds when one of its wants does. ends are the places in t.wants
// behind each value's own.
func (t *term) split(ends []int) *expr {
	e := &expr{op: opAnd}
	from := 0
	for i, end := range ends {
		one := *t
		one.all, one.negate = false, false
		one.said, one.wants = t.said[i:i+1], t.wants[from:end]
		e.kids = append(e.kids, &expr{term: &one})
		from = end
	}
	if t.negate {
		return &expr{op: opNot, kids: []*expr{e}}
	}
	return e
}

// field resolves a name; one that is a slip of the pen is a fault.
func (r *reader) field(source LogSource, at *tree.Tree, name string) Field {
	f, standing := source.Field(name)
	if standing == Unknown {
		r.fail(at, "field "+name, "records of %s have no field %q%s", source, name, source.near(name))
	}
	return f
}

// modes reads the modifiers of a term.
func (r *reader) modes(k *tree.Tree, t *term) modes {
	var m modes
	wrong := func(mod, why string) { r.fail(k, "modifier "+mod, "%s: modifier %q %s", k.Text, mod, why) }
	for _, mod := range t.mods {
		kind, ok := modifiers[mod]
		if !ok {
			var known []string
			for name := range modifiers {
				known = append(known, name)
			}
			slices.Sort(known)
			wrong(mod, "is not known"+suggest(mod, known))
			continue
		}
		if kind != wantText {
			part := m.kind == wantPart && kind == wantOrder
			flag := m.kind == wantRegex && len(mod) == 1
			if m.kind != wantText && !part && !flag || len(mod) == 1 && !flag {
				wrong(mod, "does not go with what stands before it")
				continue
			}
			if !part {
				m.kind = kind
			}
		}
		switch mod {
		case "all":
			t.all = true
		case "neq":
			t.negate = true
		case "cased":
			m.cased = true
		case "expand":
			m.expand = true
		case "i", "m", "s":
			m.flags += mod
		case "lt", "lte", "gt", "gte":
			m.op = mod
		case "minute", "hour", "day", "week", "month", "year":
			m.part = mod
		case "re", "exists", "cidr", "fieldref":
		default:
			m.chain = append(m.chain, mod)
		}
	}
	r.together(k, t, m)
	return m
}

func wide(mod string) bool { return mod == "wide" || strings.HasPrefix(mod, "utf16") }

// together refuses modifiers that make no sense with each other.
func (r *reader) together(k *tree.Tree, t *term, m modes) {
	for _, mod := range m.chain {
		side := mod == "contains" || mod == "startswith" || mod == "endswith"
		if m.kind != wantText && !(m.kind == wantField && side) {
			r.fail(k, "modifier "+mod, "%s: %q works on text; it does not go with the other modifiers", k.Text, mod)
		}
		if t.keyword && (mod == "startswith" || mod == "endswith") {
			r.fail(k, "modifier "+mod, "%s: %q needs a field; keywords are searched anywhere", k.Text, mod)
		}
	}
	if m.cased && m.kind != wantText && m.kind != wantField {
		r.fail(k, "modifier cased", "%s: cased works on text; it does not go with the other modifiers", k.Text)
	}
	if m.expand && !slices.Contains([]wantKind{wantText, wantRegex, wantCIDR, wantField}, m.kind) {
		r.fail(k, "modifier expand", "%s: expand works on text; it does not go with the other modifiers", k.Text)
	}
	if slices.Contains(m.chain, "windash") && slices.ContainsFunc(m.chain, wide) {
		r.fail(k, "modifier windash", "%s: windash does not go with UTF-16, in which a dash is two bytes", k.Text)
	}
	if m.kind == wantExists && (t.negate || t.all) {
		r.fail(k, "modifier exists", "%s: exists stands alone; write exists: false for its opposite", k.Text)
	}
	if t.keyword && m.kind != wantText && m.kind != wantRegex {
		r.fail(k, "modifier", "%s: without a field only text modifiers and re can be used", k.Text)
	}
}

// wants makes the wants of one value; base64offset makes three of it.
func (r *reader) wants(source LogSource, k, v *tree.Tree, t *term, m modes) []want {
	one := func(w want) []want { return []want{w} }
	if m.expand && m.kind != wantText {
		v = &tree.Tree{Kind: v.Kind, Text: percents(v.Text), Line: v.Line, Col: v.Col}
	}
	switch m.kind {
	case wantExists:
		if v.Kind != tree.Bool {
			r.fail(v, "modifier exists", "%s must be true or false, not %v", k.Text, v.Kind)
		}
		return one(want{kind: wantExists, yes: v.Yes()})
	case wantRegex:
		return one(r.regex(k, v, m))
	case wantCIDR:
		return one(r.cidr(k, v))
	case wantOrder, wantPart:
		n, ok := tree.Numeral(v.Text)
		if v.Kind != tree.Number || !ok {
			r.fail(v, "number", "%s needs a number, not %s", k.Text, v.Scalar())
		}
		if m.kind == wantPart && !n.Whole {
			r.fail(v, "number", "%s needs a whole number, not %s", k.Text, v.Scalar())
		}
		return one(want{kind: m.kind, num: n, op: m.op, part: m.part})
	case wantField:
		if v.Kind != tree.Text {
			r.fail(v, "modifier fieldref", "%s must name a field, not %v", k.Text, v.Kind)
		} else if strings.ContainsAny(v.Text, "*?") {
			r.fail(v, "modifier fieldref", "%s must name one field; wildcards have no meaning there", k.Text)
		}
		w := want{kind: wantField, field: r.field(source, v, v.Text), cased: m.cased}
		w.before = slices.Contains(m.chain, "contains") || slices.Contains(m.chain, "endswith")
		w.behind = slices.Contains(m.chain, "contains") || slices.Contains(m.chain, "startswith")
		return one(w)
	}
	return r.textWants(k, v, t, m)
}

func (r *reader) textWants(k, v *tree.Tree, t *term, m modes) []want {
	bare := len(m.chain) == 0 && !m.cased && !t.keyword
	switch {
	case v.Kind == tree.Null && bare:
		return []want{{kind: wantNull}}
	case v.Kind == tree.Null:
		r.fail(v, "null", "null stands for a missing field; it does not go with keywords or text modifiers")
		return nil
	case v.Kind == tree.Bool && bare:
		return []want{{kind: wantBool, yes: v.Yes()}}
	case v.Kind == tree.Number && bare:
		n, _ := tree.Numeral(v.Text)
		return []want{{kind: wantNumber, num: n}}
	case t.keyword && v.Text == "":
		r.fail(v, "keyword", "an empty keyword would be found in every line")
		return nil
	}
	p := parsePattern(v.Text, m.expand)
	if v.Kind != tree.Text {
		p = plain(v.Text)
	}
	var out []want
	for _, p := range r.chain(k, v, m, p) {
		if t.keyword {
			p.open(true, true)
		}
		p.compile(p.cased || m.cased)
		out = append(out, want{kind: wantText, pattern: p})
	}
	return out
}

// chain does to a pattern what the text modifiers say, in their order.
func (r *reader) chain(k, v *tree.Tree, m modes, p pattern) []pattern {
	all := []pattern{p}
	for _, mod := range m.chain {
		switch mod {
		case "base64", "base64offset":
			text, ok := p.bare()
			if !ok || len(all) > 1 || text == "" {
				r.fail(v, "modifier "+mod, "%s: %s cannot be encoded: it must be text without wildcards, encoded once", k.Text, v.Scalar())
				return nil
			}
			all = encode64(text, mod == "base64offset")
			continue
		}
		for j := range all {
			switch mod {
			case "contains":
				all[j].open(true, true)
			case "startswith":
				all[j].open(false, true)
			case "endswith":
				all[j].open(true, false)
			case "windash":
				all[j].dashes()
			default:
				all[j].widen(mod)
			}
		}
		p = all[0]
	}
	return all
}

// encode64 encodes text in Base64; with offset, as it looks at each of the three places that it can begin at inside a
// longer text, without the characters that depend on its neighbours.
func encode64(text string, offset bool) []pattern {
	if !offset {
		p := plain(base64.StdEncoding.EncodeToString([]byte(text)))
		p.cased = true
		return []pattern{p}
	}
	var out []pattern
	for lead := range 3 {
		s := base64.StdEncoding.EncodeToString([]byte(strings.Repeat(" ", lead) + text))
		from := []int{0, 2, 3}[lead]
		cut := []int{0, 3, 2}[(len(text)+lead)%3]
		p := plain(s[from:max(from, len(s)-cut)])
		p.cased = true
		out = append(out, p)
	}
	return out
}

// widen writes the literals of a pattern as the bytes of UTF-16: wide is utf16le, utf16 begins with a byte order mark. "?" is
// one unit of two bytes then.
func (p *pattern) widen(mod string) {
	var wide pattern
	lead := ""
	if mod == "utf16" {
		lead = "\xff\xfe"
	}
	for _, m := range p.marks {
		if m.kind == literal {
			wide.add(lead + encode16(mod, m.text))
			lead = ""
			continue
		}
		wide.add(lead)
		lead = ""
		wide.marks = append(wide.marks, m)
		if m.kind == anyOne {
			wide.marks = append(wide.marks, m)
		}
	}
	wide.add(lead)
	*p = wide
}

// encode16 writes text as UTF-16 without a byte order mark.
func encode16(mod, text string) string {
	var b []byte
	for _, u := range utf16.Encode([]rune(text)) {
		if mod == "utf16be" {
			b = append(b, byte(u>>8), byte(u))
		} else {
			b = append(b, byte(u), byte(u>>8))
		}
	}
	return string(b)
}

func (r *reader) regex(k, v *tree.Tree, m modes) want {
	text := v.Text
	if v.Kind == tree.Null || v.Kind == tree.Bool {
		r.fail(v, "modifier re", "%s needs a regular expression, not %v", k.Text, v.Kind)
	}
	if m.flags != "" {
		text = "(?" + m.flags + ")" + text
	}
	re, err := regexp.Compile(text)
	if err != nil {
		why := strings.TrimPrefix(err.Error(), "error parsing regexp: ")
		r.fail(v, "regular expression", "%s: not a regular expression that RE2 can run in bounded time (no lookaround, no back references): %s", k.Text, why)
	}
	w := want{kind: wantRegex, regex: re}
	if re != nil {
		w.budgeted()
	}
	return w
}

func (r *reader) cidr(k, v *tree.Tree) want {
	p, err := netip.ParsePrefix(v.Text)
	if a, aerr := netip.ParseAddr(v.Text); err != nil && aerr == nil && a.Zone() == "" {
		p, err = netip.PrefixFrom(a, a.BitLen()), nil
	}
	if err != nil {
		r.fail(v, "modifier cidr", "%s: %s is not a network such as 192.0.2.0/24 or 2001:db8::/32", k.Text, v.Scalar())
	}
	return want{kind: wantCIDR, net: p.Masked()}
}
