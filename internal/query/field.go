package query

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"tocsin/internal/record"
)

// A Place says where a field's value is found.
type Place uint8

const (
	PlaceKnown  Place = iota // one of package record's fields
	PlaceOwn                 // a field that only the application knows (record.Record.Extra)
	PlaceRaw                 // the line as it came
	PlaceTime                // when it happened (record.Record.Time)
	PlaceHost                // the host that the line's file lies on (record.Line.Host)
	PlaceFile                // the path of that file (record.Line.File)
	PlaceLog                 // what kind of log it is: record.Record.Format, then what is set of product, service and categories of its log source
	PlaceNumber              // the line's number among all that were kept (record.Line.Seq)
)

// A Field is what a term asks for.
type Field struct {
	Place Place
	Known record.Field // of PlaceKnown
	Name  string       // of PlaceOwn, as written; names are compared without regard to case
}

// The fields that are no record.Field.
var (
	Raw    = Field{Place: PlaceRaw}
	Time   = Field{Place: PlaceTime}
	Host   = Field{Place: PlaceHost}
	File   = Field{Place: PlaceFile}
	Log    = Field{Place: PlaceLog}
	Number = Field{Place: PlaceNumber}
)

// KnownField returns the field of package record.
func KnownField(f record.Field) Field { return Field{Known: f} }

// OwnField returns an application's own field.
func OwnField(name string) Field { return Field{Place: PlaceOwn, Name: name} }

// A short is a short name of a field. The first one of a field is the one that is printed.
type short struct {
	name  string
	field Field
}

// shorts are the names that people type. It is never changed.
var shorts = []short{
	{"ip", KnownField(record.SourceIP)},
	{"user", KnownField(record.UserName)},
	{"session", KnownField(record.SessionID)},
	{"status", KnownField(record.HTTPStatus)},
	{"path", KnownField(record.URLPath)},
	{"query", KnownField(record.URLQuery)},
	{"url", KnownField(record.URLOriginal)},
	{"agent", KnownField(record.UserAgent)},
	{"referrer", KnownField(record.HTTPReferrer)},
	{"country", KnownField(record.SourceCountry)},
	{"net", KnownField(record.SourceNetwork)},
	{"as", KnownField(record.SourceASNumber)},
	{"method", KnownField(record.HTTPMethod)},
	{"host", Host},
	{"file", File},
	{"log", Log},
	{"outcome", KnownField(record.EventOutcome)},
	{"action", KnownField(record.EventAction)},
	{"realm", KnownField(record.UserRealm)},
	{"bytes", KnownField(record.HTTPBodyBytes)},
	{"duration", KnownField(record.EventDuration)},
	{"reason", KnownField(record.EventReason)},
	{"domain", KnownField(record.URLDomain)},
	{"cookie", KnownField(record.Cookie)},
	{"process", KnownField(record.ProcessName)},
	{"command", KnownField(record.CommandLine)},
	{"message", KnownField(record.Message)},
	{"time", Time},
	{"raw", Raw},
	{"tocsin.line", Number},

	{"username", KnownField(record.UserName)},
	{"account", KnownField(record.UserName)},
	{"uri", KnownField(record.URLOriginal)},
	{"useragent", KnownField(record.UserAgent)},
	{"ua", KnownField(record.UserAgent)},
	{"referer", KnownField(record.HTTPReferrer)},
	{"asn", KnownField(record.SourceASNumber)},
	{"src_ip", KnownField(record.SourceIP)},
	{"source_ip", KnownField(record.SourceIP)},
	{"client_ip", KnownField(record.SourceIP)},
	{"clientip", KnownField(record.SourceIP)},
	{"remote_addr", KnownField(record.SourceIP)},
	{"user_name", KnownField(record.UserName)},
	{"session_id", KnownField(record.SessionID)},
	{"status_code", KnownField(record.HTTPStatus)},
	{"user_agent", KnownField(record.UserAgent)},
	{"amount", KnownField(record.PaymentAmount)},
	{"@timestamp", Time},
	{"event.original", Raw},
	{"log.file.path", File},
}

// FieldNamed finds a field by a name that is not in quotes: a short name, an ECS name, else an application's own. A name that is none of
// ours but nearly one is most likely a slip: near is then what was meant.
func FieldNamed(name string) (f Field, near string) {
	low := strings.ToLower(name)
	for _, s := range shorts {
		if s.name == low {
			return s.field, ""
		}
	}
	if known, ok := record.FieldNamed(low); ok {
		return KnownField(known), ""
	}
	return OwnField(name), nearest(low, 4, fieldNames())
}

// fieldNames returns every name that FieldNamed knows: short ones first, then ECS names.
func fieldNames() []string {
	var out []string
	for _, s := range shorts {
		out = append(out, s.name)
	}
	for f := range record.NumFields {
		if name := record.Field(f).String(); !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	return out
}

// String returns the name that is printed: the short one if there is one. An application's own name is in quotes when without them it would be
// read otherwise.
func (f Field) String() string {
	for _, s := range shorts {
		if s.field == f {
			return s.name
		}
	}
	if f.Place == PlaceKnown {
		return f.Known.String()
	}
	if bareName(f.Name) {
		if same, near := FieldNamed(f.Name); same == f && near == "" {
			return f.Name
		}
	}
	return quoted(f.Name)
}

// Value returns the field's first value in a record, and whether it has one.
func (f Field) Value(r *record.Record) (v record.Value, ok bool) {
	f.Each(r, func(first record.Value) bool {
		v, ok = first, true
		return false
	})
	return v, ok
}

// Each calls yield with each value that a record has for the field, until it returns false. Only PlaceOwn and PlaceLog may have more than one.
func (f Field) Each(r *record.Record, yield func(record.Value) bool) {
	text := func(s string) {
		if s != "" {
			yield(record.Text(s))
		}
	}
	switch f.Place {
	case PlaceKnown:
		if v, ok := r.Get(f.Known); ok {
			yield(v)
		}
	case PlaceOwn:
		for _, p := range r.Extra {
			if sameName(p.Name, f.Name) && !yield(p.Value) {
				return
			}
		}
	case PlaceRaw:
		yield(record.Text(r.Line.Raw))
	case PlaceTime:
		if !r.Time.IsZero() {
			yield(record.Text(r.Time.UTC().Format(time.RFC3339Nano)))
		}
	case PlaceHost:
		text(r.Line.Host)
	case PlaceFile:
		text(r.Line.File)
	case PlaceNumber:
		if n := r.Line.Seq; n > 0 {
			yield(record.Int(n, strconv.FormatInt(n, 10)))
		}
	case PlaceLog:
		for _, s := range append([]string{r.Format, r.Source.Product, r.Source.Service}, r.Source.Categories...) {
			if s != "" && !yield(record.Text(s)) {
				return
			}
		}
	}
}

// sameName reports whether two names of applications' fields differ in case only.
func sameName(a, b string) bool { return a == b || Folded(a) == Folded(b) }

// A unit is what a field's number counts.
type unit uint8

const (
	plainUnit unit = iota
	byteUnit
	nanoUnit
)

func (f Field) unit() unit {
	if f.Place != PlaceKnown {
		return plainUnit
	}
	switch f.Known {
	case record.HTTPBodyBytes, record.HTTPBytes, record.FileSize, record.TransferBytes:
		return byteUnit
	case record.EventDuration, record.UpstreamDuration:
		return nanoUnit
	}
	return plainUnit
}

// address reports whether the field holds addresses or networks.
func (f Field) address() bool {
	if f.Place != PlaceKnown {
		return false
	}
	switch f.Known {
	case record.SourceIP, record.SourceNetwork, record.ForwardedIP, record.DestinationIP:
		return true
	}
	return false
}

var networkField = KnownField(record.SourceNetwork)

// numeric reports whether the field's values may be numbers, so that 10 is 10.0.
func (f Field) numeric() bool {
	switch f.Place {
	case PlaceOwn, PlaceNumber:
		return true
	case PlaceKnown:
		switch f.Known {
		case record.SourcePort, record.SourceLat, record.SourceLon, record.SourceASNumber, record.DestinationPort, record.ProcessPID, record.EventDuration,
			record.HTTPStatus, record.HTTPBodyBytes, record.HTTPBytes, record.UpstreamStatus, record.UpstreamDuration, record.FileSize,
			record.TransferBytes, record.PaymentAmount, record.HabitSpeed, record.HabitDays:
			return true
		}
	}
	return false
}

// statusClass reads 5xx, which people write for a kind of answer, as a pattern.
func statusClass(f Field, text string) (string, bool) {
	if f.Place != PlaceKnown || f.Known != record.HTTPStatus && f.Known != record.UpstreamStatus {
		return "", false
	}
	if len(text) != 3 || text[0] < '1' || text[0] > '5' || !strings.EqualFold(text[1:], "xx") {
		return "", false
	}
	return text[:1] + "*", true
}
