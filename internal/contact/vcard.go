package contact

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// A vCard has no place for some of what a card says; those properties begin with X-TOCSIN- (RFC 6350 section 6.10): GROUP, DUTIES, HOURS, CALLBACK, PERSON,
// OWNER, DAYS, ID, and, when asked for, PHRASE and NUMBER. The order of ways is PREF (section 5.3), their notes the parameter X-TOCSIN-NOTE.

// WriteVCards writes contacts as vCards of version 4.0 (RFC 6350), one after the other. Phrases and customer numbers are left out unless secrets are asked for.
func WriteVCards(rows []Row, secrets bool) []byte {
	var b bytes.Buffer
	for _, r := range rows {
		w := vwriter{&b}
		w.line("BEGIN", "", "VCARD")
		w.line("VERSION", "", "4.0")
		w.text("FN", r.Card.Name)
		w.text("ORG", r.Card.Organisation)
		w.text("TITLE", r.Card.Role)
		w.text("TZ", r.Card.Zone)
		w.text("NOTE", r.Card.Note)
		for i, l := range r.Card.Languages {
			w.line("LANG", fmt.Sprintf(";PREF=%d", i+1), l)
		}
		for i, x := range r.Card.Ways {
			w.way(x, i+1)
		}
		for _, c := range []string{"group", "duties", "hours", "callback", "person", "owner", "days", "id", "phrase", "number"} {
			if !secret(c) || secrets {
				w.text("X-TOCSIN-"+strings.ToUpper(c), r.cell(c))
			}
		}
		w.line("END", "", "VCARD")
	}
	return b.Bytes()
}

type vwriter struct{ b *bytes.Buffer }

func (w vwriter) way(x Way, pref int) {
	params := fmt.Sprintf(";PREF=%d", pref)
	if x.Note != "" {
		params += `;X-TOCSIN-NOTE="` + caret(x.Note) + `"`
	}
	switch x.Kind {
	case Phone:
		w.line("TEL", params+";VALUE=uri", "tel:"+x.Value)
	case Mail:
		w.line("EMAIL", params, escaped(x.Value))
	case SIP:
		w.line("IMPP", params, x.Value)
	case Form:
		w.line("CONTACT-URI", params, x.Value) // RFC 8605
	default:
		w.line("X-TOCSIN-CHAT", params, escaped(x.Value))
	}
}

// text writes a property of text, unless it is empty.
func (w vwriter) text(name, value string) {
	if value != "" {
		w.line(name, "", escaped(value))
	}
}

// line writes a content line, folded so that none has more than 75 bytes, not in the middle of a character (section 3.2).
func (w vwriter) line(name, params, value string) {
	s := name + params + ":" + value
	for most := 75; len(s) > most; most = 74 {
		n := most
		for n > 0 && !utf8.RuneStart(s[n]) {
			n--
		}
		if n == 0 { // no text at all: it was checked before, but nothing may go round for ever here
			n = most
		}
		w.b.WriteString(s[:n] + "\r\n ")
		s = s[n:]
	}
	w.b.WriteString(s + "\r\n")
}

// escaped writes text as a value (section 3.4). A semicolon parts components of ORG only, but an escaped one is read everywhere.
func escaped(s string) string {
	return strings.NewReplacer(`\`, `\\`, ",", `\,`, ";", `\;`, "\n", `\n`).Replace(s)
}

// unescaped reads a value of text up to the first bare semicolon; what stands behind it are further components.
func unescaped(s string) (first string, rest []string) {
	var b strings.Builder
	var parts []string
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '\\' && i+1 < len(s):
			i++
			if s[i] == 'n' || s[i] == 'N' {
				b.WriteByte('\n')
			} else {
				b.WriteByte(s[i])
			}
		case s[i] == ';':
			parts = append(parts, b.String())
			b.Reset()
		default:
			b.WriteByte(s[i])
		}
	}
	parts = append(parts, b.String())
	return parts[0], parts[1:]
}

// caret writes the value of a parameter (RFC 6868).
func caret(s string) string { return strings.NewReplacer("^", "^^", "\n", "^n", `"`, "^'").Replace(s) }

func uncaret(s string) string {
	return strings.NewReplacer("^^", "^", "^n", "\n", "^'", `"`).Replace(s)
}

// A property is one content line of a vCard.
type property struct {
	line   int
	name   string            // upper case, without the group before it
	params map[string]string // nil: none
	value  string
}

// ReadVCards reads vCards of version 4.0 (RFC 6350) and 3.0 (RFC 2426). group is that of cards which name none. What is not understood (photos, birthdays) is passed
// over. A file that holds no vCards is an error; what is wrong with one stands in its Wrong.
func ReadVCards(data []byte, group string, zone func(string) bool) ([]Row, error) {
	lines, err := unfold(data)
	if err != nil {
		return nil, err
	}
	var rows []Row
	var in *vreader
	for _, p := range lines {
		switch {
		case p.name == "BEGIN" && strings.EqualFold(p.value, "VCARD"):
			if in != nil {
				return nil, LineError{p.line, fmt.Sprintf("a vCard begins inside of that of line %d, which has no END:VCARD", in.row.Line)}
			}
			if len(rows) >= maxContacts {
				return nil, LineError{p.line, fmt.Sprintf("more than %d contacts: split the file", maxContacts)}
			}
			in = &vreader{row: Row{Line: p.line, Has: map[string]bool{}}}
		case in == nil:
			return nil, LineError{p.line, "the file is not made of vCards: a line stands outside of BEGIN:VCARD and END:VCARD"}
		case p.name == "END":
			if in.version != "4.0" && in.version != "3.0" {
				return nil, LineError{in.row.Line, fmt.Sprintf("the vCard is of version %q; export 4.0 or 3.0", shorten(in.version))}
			}
			rows = append(rows, in.done(group, zone))
			in = nil
		default:
			in.take(p)
			if len(in.ways) > maxRanked || len(in.langs) > maxRanked {
				return nil, LineError{p.line, fmt.Sprintf("the vCard of line %d has more than %d ways or languages", in.row.Line, maxRanked)}
			}
		}
	}
	if in != nil {
		return nil, LineError{in.row.Line, "the vCard that begins here has no END:VCARD"}
	}
	if len(rows) == 0 {
		return nil, LineError{1, "the file holds no vCard"}
	}
	return rows, nil
}

const (
	maxLine   = 1 << 20 // bytes of an unfolded line: pictures are long, and passed over
	maxParams = 50      // of one line
	maxRanked = 100     // ways, or languages, of one card, with those that are there twice
)

// unfold joins folded lines and takes each apart.
func unfold(data []byte) (out []property, err error) {
	if _, _, _, err := opening(data); err != nil {
		return nil, err
	}
	text := strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(strings.TrimPrefix(string(data), "\ufeff"))
	at, logical := 0, ""
	end := func() error {
		if strings.TrimSpace(logical) == "" {
			return nil
		}
		p, err := parseProperty(at, logical)
		if err == nil {
			out = append(out, p)
		}
		return err
	}
	var parts []string
	flush := func() error {
		logical = strings.Join(parts, "")
		parts = nil
		return end()
	}
	n, size := 0, 0
	for l := range strings.SplitSeq(text, "\n") {
		n++
		if len(parts) > 0 && (strings.HasPrefix(l, " ") || strings.HasPrefix(l, "\t")) {
			if size += len(l); size > maxLine {
				return nil, LineError{at, fmt.Sprintf("the line is longer than %d bytes", maxLine)}
			}
			parts = append(parts, l[1:])
			continue
		}
		if err := flush(); err != nil {
			return nil, err
		}
		at, size, parts = n, len(l), []string{l}
	}
	return out, flush()
}

// parseProperty reads group.NAME;PARAM=value;PARAM="value":value (section 3.3).
func parseProperty(line int, s string) (property, error) {
	p := property{line: line}
	quoted, start, head := false, 0, []string{}
	colon := -1
	for i := 0; i < len(s) && colon < 0; i++ {
		switch c := s[i]; {
		case c == '"':
			quoted = !quoted
		case c == ';' && !quoted:
			head = append(head, s[start:i])
			start = i + 1
		case c == ':' && !quoted:
			head = append(head, s[start:i])
			colon = i
		}
	}
	if colon < 0 {
		return p, LineError{line, fmt.Sprintf("%q is no line of a vCard: a colon is missing", shorten(s))}
	}
	p.value = s[colon+1:]
	if len(head) > maxParams {
		return p, LineError{line, fmt.Sprintf("%q has more than %d parameters", shorten(s), maxParams)}
	}
	name := head[0]
	if i := strings.LastIndexByte(name, '.'); i >= 0 {
		name = name[i+1:]
	}
	p.name = strings.ToUpper(strings.TrimSpace(name))
	for _, x := range head[1:] {
		key, value, _ := strings.Cut(x, "=")
		key = strings.ToUpper(key)
		value = uncaret(strings.Trim(value, `"`))
		if key == "TYPE" && p.params[key] != "" {
			value = p.params[key] + "," + value
		}
		if p.params == nil {
			p.params = map[string]string{}
		}
		p.params[key] = value
	}
	return p, nil
}

// A vreader gathers one vCard.
type vreader struct {
	row     Row
	version string
	n       string // when there is no FN
	ways    []ranked[Way]
	langs   []ranked[string]
}

// ranked is something with its PREF, the smallest first; without one it stands last.
type ranked[T any] struct {
	pref int
	what T
}

func prefOf(p property) int {
	if n, err := strconv.Atoi(p.params["PREF"]); err == nil && n >= 1 && n <= 100 {
		return n
	}
	if strings.Contains(strings.ToLower(","+p.params["TYPE"]+","), ",pref,") { // version 3.0
		return 1
	}
	return 101
}

func (v *vreader) take(p property) {
	first, rest := unescaped(p.value)
	r := &v.row
	set := func(column, value string) {
		if !r.Has[column] {
			r.Has[column] = true
			r.set(column, tidy(value, column == "note" || column == "duties"))
		}
	}
	way := func(kind, value string) {
		r.Has["ways"] = true
		v.ways = append(v.ways, ranked[Way]{prefOf(p), Way{Kind: kind, Value: strings.TrimSpace(value), Note: noteOf(p)}})
	}
	switch p.name {
	case "VERSION":
		v.version = strings.TrimSpace(p.value)
	case "FN":
		set("name", first)
	case "N":
		if len(rest) > 0 {
			first = rest[0] + " " + first
		}
		v.n = strings.TrimSpace(first)
	case "ORG":
		if len(rest) > 0 {
			first += ", " + strings.Join(rest, ", ")
		}
		set("organisation", strings.TrimSuffix(strings.TrimSpace(first), ","))
	case "TITLE":
		set("role", first)
	case "TZ":
		if strings.Contains(first, "/") || first == "UTC" { // an offset is no zone: it does not know summer
			set("zone", first)
		}
	case "NOTE":
		set("note", whole(first, rest))
	case "LANG":
		r.Has["languages"] = true
		v.langs = append(v.langs, ranked[string]{prefOf(p), first})
	case "TEL":
		value, _, _ := strings.Cut(strings.TrimPrefix(strings.TrimSpace(p.value), "tel:"), ";")
		way(Phone, value)
	case "EMAIL":
		way(Mail, strings.TrimPrefix(first, "mailto:"))
	case "IMPP":
		value := strings.TrimSpace(p.value)
		if strings.HasPrefix(strings.ToLower(value), "sip") {
			way(SIP, value)
		} else {
			way(Chat, value)
		}
	case "CONTACT-URI":
		way(Form, p.value)
	default:
		column, ours := strings.CutPrefix(p.name, "X-TOCSIN-")
		column = strings.ToLower(column)
		switch {
		case ours && column == Chat:
			way(Chat, whole(first, rest))
		case ours && slices.Contains(Columns(), column) && column != "checked":
			set(column, whole(first, rest))
		}
	}
}

// whole is a value of text with semicolons that some programs do not escape.
func whole(first string, rest []string) string {
	return strings.Join(append([]string{first}, rest...), ";")
}

func noteOf(p property) string {
	if n := p.params["X-TOCSIN-NOTE"]; n != "" {
		return n
	}
	var words []string
	for t := range strings.SplitSeq(strings.ToLower(p.params["TYPE"]), ",") {
		if t != "" && t != "pref" && t != "voice" && t != "internet" {
			words = append(words, strings.Trim(t, `"`))
		}
	}
	return strings.Join(words, ", ")
}

// done puts ways and languages in order and checks the card.
func (v *vreader) done(group string, zone func(string) bool) Row {
	slices.SortStableFunc(v.ways, func(a, b ranked[Way]) int { return cmp.Compare(a.pref, b.pref) })
	slices.SortStableFunc(v.langs, func(a, b ranked[string]) int { return cmp.Compare(a.pref, b.pref) })
	for _, w := range v.ways {
		if !slices.ContainsFunc(v.row.Card.Ways, func(o Way) bool { return o.Kind == w.what.Kind && o.Value == w.what.Value }) {
			v.row.Card.Ways = append(v.row.Card.Ways, w.what)
		}
	}
	for _, l := range v.langs {
		v.row.Card.Languages = append(v.row.Card.Languages, l.what)
	}
	if v.row.Card.Name == "" {
		v.row.Card.Name = cmp.Or(v.n, v.row.Card.Organisation)
		v.row.Has["name"] = true
	}
	v.row.finish(group, zone)
	return v.row
}
