package intake

import (
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"tocsin/internal/record"
)

// A Mapping says how lines of JSON become records, where no format here knows them. A path names a member: members of objects are joined with
// dots ("user.email"), elements of an array go by the array's name. A mapping is tried before all formats.
type Mapping struct {
	Name     string            // a word; records have the format "map:" + Name
	Files    []string          // globs (path.Match) of the paths of the files that it is for, without a slash of their names; none is every file
	Anywhere bool              // names count alone: the files lie in another folder than they did
	When     map[string]string // path to the text that it must have; "*" is any
	Category []string          // log source of the records in Sigma's words
	Product  string
	Service  string
	TimePath string
	// TimeLayout is "" for what is usual (RFC 3339, ISO 8601, Unix time in any unit), or a layout of Go's package time: its
	// reference date, Mon Jan 2 15:04:05 MST 2006, written as the log writes dates.
	TimeLayout string
	TimeZone   *time.Location      // of stamps that name no zone; nil is that of the options
	Fields     map[string][]string // field to the paths of its value; the first that is there counts
	// Values say what a member's value means: path, value, field, text. The value is compared without regard to case.
	Values map[string]map[string]map[string]string
	Set    map[string]string // fields that every record has
}

// mapPrefix begins the format of a mapping's records.
const mapPrefix = "map:"

// notMapped are fields that follow from others.
var notMapped = []record.Field{record.SourceNetwork, record.SourceCountry, record.SourceContinent, record.SourceCity, record.SourceLat, record.SourceLon,
	record.SourceASNumber, record.SourceASName, record.URLDecoded, record.URLDecodedTwice, record.URLExtension, record.FileName, record.FileExtension}

// Check calls say with each mistake: the key as the settings have it, and what is wrong and how to mend it.
func (m *Mapping) Check(say func(key, says string)) {
	switch {
	case m.Name == "":
		say("name", "the mapping needs a name, such as shop-audit: it is the format of its records")
	case strings.ContainsAny(m.Name, " \t/:|") || len(m.Name) > 40:
		say("name", fmt.Sprintf("%q is no name: up to 40 letters, digits and - without blanks, such as shop-audit", m.Name))
	}
	for i, g := range m.Files {
		if _, err := path.Match(g, ""); err != nil {
			say(fmt.Sprintf("files[%d]", i+1), fmt.Sprintf("%q is no pattern; write a path, with * for any part of a name, such as /var/log/shop/*.json", g))
		}
	}
	if len(m.Files) == 0 && len(m.When) == 0 {
		say("", "without files and when the mapping would take every JSON line: name files, or a member that only these lines have, such as when: {app: shop}")
	}
	if len(m.Fields) == 0 && len(m.Values) == 0 {
		say("fields", "the mapping sets nothing: name a field and where its value stands, such as source.ip: client.address")
	}
	if m.TimePath == "" {
		say("time.path", "where the time stands is missing, such as path: timestamp")
	}
	m.checkLayout(say)
	for _, field := range sortedNames(m.Fields) {
		checkField("fields."+field, field, say)
		if len(m.Fields[field]) == 0 {
			say("fields."+field, "no path is named: write the member that holds it, such as client.address")
		}
		for _, at := range m.Fields[field] {
			checkPath("fields."+field, at, say)
		}
	}
	for _, at := range sortedNames(m.Values) {
		checkPath("values."+at, at, say)
		for _, value := range sortedNames(m.Values[at]) {
			for _, field := range sortedNames(m.Values[at][value]) {
				checkValue("values."+at+"."+value+"."+field, field, m.Values[at][value][field], say)
			}
		}
	}
	for _, field := range sortedNames(m.Set) {
		checkValue("set."+field, field, m.Set[field], say)
	}
	for _, at := range sortedNames(m.When) {
		checkPath("when."+at, at, say)
	}
}

func sortedNames[V any](m map[string]V) []string {
	names := make([]string, 0, len(m))
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// checkLayout tries the layout on a time: what it prints it must read, to the minute.
func (m *Mapping) checkLayout(say func(key, says string)) {
	if m.TimeLayout == "" {
		return
	}
	at := time.Date(2026, 11, 24, 21, 43, 0, 0, time.UTC)
	back, err := time.Parse(m.TimeLayout, at.Format(m.TimeLayout))
	if err != nil || back.Month() != at.Month() || back.Day() != at.Day() || back.Hour() != at.Hour() || back.Minute() != at.Minute() {
		say("time.layout", fmt.Sprintf("%q is no layout: write the date Monday 2 January 2006, 15:04:05, as the log would write it, such as 2006-01-02 15:04:05 or 02/Jan/2006:15:04:05 -0700; leave it out for RFC 3339 and Unix time", m.TimeLayout))
	}
}

func checkPath(key, at string, say func(key, says string)) {
	if at == "" || len(at) > maxKey || strings.HasPrefix(at, ".") || strings.HasSuffix(at, ".") || strings.ContainsAny(at, "[]*") {
		say(key, fmt.Sprintf("%q is no path: write the names of the members, joined with dots, such as user.email; elements of an array go by its name", at))
	}
}

// checkField refuses names near to a field's: they would be kept, and no rule would find them.
func checkField(key, field string, say func(key, says string)) {
	f, ok := record.FieldNamed(field)
	switch {
	case ok && (slices.Contains(notMapped, f) || f.View()):
		say(key, fmt.Sprintf("%s follows from other fields by itself: remove it", field))
	case ok:
	case field == "" || len(field) > maxKey || strings.ContainsAny(field, " \t|"):
		say(key, fmt.Sprintf("%q is no name of a field; doc/logs.md lists them", field))
	default:
		if near := nearField(field); near != "" {
			say(key, fmt.Sprintf("there is no field %s; did you mean %q?", field, near))
		} else if strings.HasPrefix(field, "event.") || strings.HasPrefix(field, "source.") || strings.HasPrefix(field, "user.") {
			say(key, fmt.Sprintf("there is no field %s; doc/logs.md lists them", field))
		}
	}
}

func checkValue(key, field, text string, say func(key, says string)) {
	checkField(key, field, say)
	if field == record.EventOutcome.String() && text != "success" && text != "failure" {
		say(key, fmt.Sprintf("%q is no outcome: write success or failure", text))
	}
}

// nearField returns the field whose name differs by one letter, "" when none does.
func nearField(name string) string {
	for i := range record.NumFields {
		if f := record.Field(i).String(); oneOff(f, name) {
			return f
		}
	}
	return ""
}

// oneOff reports whether a becomes b by adding, removing or replacing one letter, or swapping two neighbours.
func oneOff(a, b string) bool {
	i := 0
	for i < len(a) && i < len(b) && a[i] == b[i] {
		i++
	}
	x, y := a[i:], b[i:]
	switch len(x) - len(y) {
	case 0:
		return x == "" || x[1:] == y[1:] || len(x) > 1 && x[0] == y[1] && x[1] == y[0] && x[2:] == y[2:]
	case 1:
		return x[1:] == y
	case -1:
		return x == y[1:]
	}
	return false
}

// problem is the first mistake of a mapping, for those who check none.
func (m *Mapping) problem() error {
	var err error
	m.Check(func(key, says string) {
		if err == nil {
			err = fmt.Errorf("mapping %q: %s: %s", m.Name, key, says)
		}
	})
	return err
}

// A mapper is a mapping made ready.
type mapper struct {
	Mapping
	fields []mapped
	values []meaning
	sets   []record.Pair
	zone   *time.Location
}

type mapped struct {
	to    string
	field record.Field
	known bool
	paths []string
}

// A meaning is what one value of a member says.
type meaning struct {
	path, value string
	sets        []record.Pair
}

func newMapper(m Mapping, zone *time.Location) (*mapper, error) {
	if err := m.problem(); err != nil {
		return nil, err
	}
	w := &mapper{Mapping: m, zone: zone, sets: pairsOf(m.Set)}
	if m.TimeZone != nil {
		w.zone = m.TimeZone
	}
	for _, name := range sortedNames(m.Fields) {
		f, ok := record.FieldNamed(name)
		w.fields = append(w.fields, mapped{name, f, ok, m.Fields[name]})
	}
	for _, at := range sortedNames(m.Values) {
		for _, value := range sortedNames(m.Values[at]) {
			w.values = append(w.values, meaning{at, value, pairsOf(m.Values[at][value])})
		}
	}
	return w, nil
}

func pairsOf(sets map[string]string) (out []record.Pair) {
	for _, name := range sortedNames(sets) {
		v := record.Text(sets[name])
		if n, ok := number(sets[name]); ok {
			v = n
		}
		out = append(out, record.Pair{Name: name, Value: v})
	}
	return out
}

// wants reports whether the mapping is for a file.
func (w *mapper) wants(file string) bool {
	if len(w.Files) == 0 {
		return true
	}
	base := path.Base(strings.ReplaceAll(file, `\`, "/"))
	for _, g := range w.Files {
		if ok, _ := path.Match(g, file); ok {
			return true
		}
		if w.Anywhere || !strings.Contains(g, "/") {
			if ok, _ := path.Match(path.Base(g), base); ok {
				return true
			}
		}
	}
	return false
}

// read is the mapping's reader.
func (w *mapper) read(p *Parser, st *stream, r *record.Record, s string, _ time.Time) bool {
	if s[0] != '{' || !w.wants(st.File) || !p.onlyJSON(s) {
		return false
	}
	for at, want := range w.When {
		q, ok := p.member(at)
		if !ok || want != "*" && q.text != want {
			return false
		}
	}
	stamp, ok := p.member(w.TimePath)
	if ok {
		r.Time, ok = w.time(stamp.text)
	}
	if !ok && len(w.When) == 0 {
		return false // it is another line of the file
	}
	r.Grow(16)
	r.Class = record.Parsed
	r.Source = record.LogSource{Categories: w.Category, Product: w.Product, Service: w.Service}
	used := map[string]bool{w.TimePath: ok}
	peer, forwarded := "", ""
	for i := range w.fields {
		q, at := w.first(p, w.fields[i].paths)
		if at == "" {
			continue
		}
		used[at] = true
		switch w.fields[i].field {
		case record.SourceIP:
			peer = q.text
		case record.ForwardedIP:
			forwarded = q.text
		default:
			w.set(p, r, &w.fields[i], q)
		}
	}
	if !p.client(r, peer, forwarded) && peer != "" && peer != "-" {
		extra(r, "source.address", record.Text(peer))
	}
	for _, v := range w.sets {
		w.give(r, v)
	}
	for _, m := range w.values {
		if q, ok := p.member(m.path); ok && strings.EqualFold(q.text, m.value) {
			for _, v := range m.sets {
				w.give(r, v)
			}
		}
	}
	for _, q := range p.pairs {
		if !used[q.key] && q.kind != jsonNull && slotOf(q.key) != slotCard {
			extra(r, q.key, q.typed())
		}
	}
	return true
}

func (w *mapper) time(text string) (time.Time, bool) {
	if w.TimeLayout == "" {
		return textTime(text, w.zone)
	}
	t, err := time.ParseInLocation(w.TimeLayout, text, w.zone)
	return t.UTC(), err == nil && t.Year() >= 1970 && t.Year() <= 9999
}

func (w *mapper) first(p *Parser, paths []string) (pair, string) {
	for _, at := range paths {
		if q, ok := p.member(at); ok && q.kind != jsonNull {
			return q, at
		}
	}
	return pair{}, ""
}

// set sets a field as the formats do: what follows from it is set too.
func (w *mapper) set(p *Parser, r *record.Record, m *mapped, q pair) {
	switch {
	case !m.known:
		extra(r, m.to, q.typed())
	case m.field == record.URLOriginal:
		setURL(r, q.text)
	case m.field == record.HTTPMethod:
		setMethod(r, q.text)
	case m.field == record.HTTPVersion:
		r.SetText(m.field, strings.TrimPrefix(q.text, "HTTP/"))
	case m.field == record.FilePath:
		setFile(r, q.text)
	case m.field == record.PaymentBIN:
		r.SetText(m.field, q.text[:min(len(q.text), 8)])
	case m.field == record.PaymentLast4:
		r.SetText(m.field, q.text[max(0, len(q.text)-4):])
	case m.field == record.DestinationIP:
		p.destination(r, q.text)
	case q.kind == jsonText:
		if v, ok := number(q.text); ok && numeric(m.field) {
			r.Set(m.field, v)
			return
		}
		r.SetText(m.field, q.text)
	default:
		r.Set(m.field, q.typed())
	}
}

// numeric knows the fields that hold numbers, which some logs write as text.
func numeric(f record.Field) bool {
	switch f {
	case record.SourcePort, record.DestinationPort, record.HTTPStatus, record.HTTPBodyBytes, record.HTTPBytes, record.FileSize, record.TransferBytes,
		record.PaymentAmount, record.EventDuration, record.UpstreamStatus, record.UpstreamDuration, record.ProcessPID:
		return true
	}
	return false
}

// give sets a field to what the mapping itself says.
func (w *mapper) give(r *record.Record, v record.Pair) {
	if f, ok := record.FieldNamed(v.Name); ok {
		if !numeric(f) {
			v.Value = record.Text(v.Value.Text)
		}
		r.Set(f, v.Value)
		return
	}
	extra(r, v.Name, v.Value)
}
