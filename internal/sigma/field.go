package sigma

import (
	"slices"
	"strings"

	"tocsin/internal/record"
)

// A LogSource is what a rule reads, in the words of Sigma's taxonomy; each part may be empty.
type LogSource struct {
	Category string
	Product  string
	Service  string
}

// String names the parts that are set.
func (l LogSource) String() string {
	var out []string
	for _, p := range [][2]string{{"category", l.Category}, {"product", l.Product}, {"service", l.Service}} {
		if p[1] != "" {
			out = append(out, p[0]+" "+p[1])
		}
	}
	return strings.Join(out, ", ")
}

// taxonomies are the field names of Sigma's taxonomy (appendix of the specification 2.1.0) that our records have under
// ECS names, by category of the log source. SigmaHQ's rules use cs-uri-query for the whole of the request's target,
// path included, so it is url.original: as url.query most of them would never match.
var taxonomies = map[string]map[string]record.Field{
	"webserver":  webFields,
	"proxy":      webFields,
	"file_event": {"TargetFilename": record.FilePath, "User": record.UserName},
}

var webFields = map[string]record.Field{
	"c-ip":            record.SourceIP,
	"c-port":          record.SourcePort,
	"c-uri":           record.URLOriginal,
	"c-uri-extension": record.URLExtension,
	"c-uri-query":     record.URLOriginal,
	"c-uri-stem":      record.URLPath,
	"c-useragent":     record.UserAgent,
	"cs-host":         record.URLDomain,
	"cs-method":       record.HTTPMethod,
	"cs-referer":      record.HTTPReferrer,
	"cs-referrer":     record.HTTPReferrer,
	"cs-uri":          record.URLOriginal,
	"cs-uri-query":    record.URLOriginal,
	"cs-uri-stem":     record.URLPath,
	"cs-user-agent":   record.UserAgent,
	"cs-username":     record.UserName,
	"cs-version":      record.HTTPVersion,
	"r-dns":           record.URLDomain,
	"s-ip":            record.DestinationIP,
	"s-port":          record.DestinationPort,
	"sc-bytes":        record.HTTPBodyBytes,
	"sc-status":       record.HTTPStatus,
}

// A Field is a field of records as a rule of one log source names it.
type Field struct {
	name  string
	place place
	known record.Field // of placeKnown
}

// A place says where a field's value is found.
type place uint8

const (
	placeKnown place = iota // one of package record's fields
	placeExtra              // a field that only the application knows
	placeTime               // @timestamp
	placeLine               // event.original
	placeFile               // log.file.path
)

// Name returns the field's name in records.
func (f Field) Name() string {
	if f.place == placeKnown {
		return f.known.String()
	}
	return f.name
}

// Standing says whether records can have a field.
type Standing uint8

const (
	Known   Standing = iota // records of this log source may have it
	Unsure                  // nothing here gives it; an application's own log might
	Unknown                 // no record of this log source can have it
)

// Field finds a field by the name that a rule of this log source has for it. Unknown is for log sources whose fields
// are all listed (web server, proxy, file_event); in a log source of category application any name may be right.
func (l LogSource) Field(name string) (Field, Standing) {
	if f, ok := taxonomies[l.Category][name]; ok {
		return Field{name: name, place: placeKnown, known: f}, Known
	}
	if f, ok := record.FieldNamed(name); ok {
		return Field{name: name, place: placeKnown, known: f}, Known
	}
	special := map[string]place{"@timestamp": placeTime, "event.original": placeLine, "log.file.path": placeFile}
	if p, ok := special[name]; ok {
		return Field{name: name, place: p}, Known
	}
	extra := Field{name: name, place: placeExtra}
	switch {
	case l.Category == "application":
		return extra, Known
	case taxonomies[l.Category] != nil:
		return extra, Unknown
	}
	return extra, Unsure
}

// near suggests what a field that is not known may have meant.
func (l LogSource) near(name string) string {
	var known []string
	for f := range taxonomies[l.Category] {
		known = append(known, f)
	}
	for f := range record.NumFields {
		known = append(known, record.Field(f).String())
	}
	slices.Sort(known)
	return suggest(name, known)
}

// Value returns the field's value in a record, and whether it has one. Of several values under one name it is the first.
func (f Field) Value(r *record.Record) (record.Value, bool) {
	switch f.place {
	case placeKnown:
		return r.Get(f.known)
	case placeTime:
		return record.Text(r.Time.UTC().Format(timeFormat)), !r.Time.IsZero()
	case placeLine:
		return record.Text(r.Line.Raw), true
	case placeFile:
		return record.Text(r.Line.File), r.Line.File != ""
	}
	for _, p := range r.Extra {
		if p.Name == f.name {
			return p.Value, true
		}
	}
	return record.Value{}, false
}

const timeFormat = "2006-01-02T15:04:05.999999999Z07:00" // RFC 3339
