package sigma

import (
	"maps"
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

// A taxonomy says how rules of one log source name fields (appendix taxonomy of the specification 2.1.0, and the names
// that SigmaHQ's rules use beside it).
type taxonomy struct {
	of     LogSource               // the rule's log source has these parts
	fields map[string]record.Field // names that records have under ECS names
	absent []string                // names of the appendix that no parser here gives; nil: any name may be an application's
}

// taxonomies is the one table of names. What it does not name keeps its own name, dotted or not (aws cloudtrail's
// userIdentity.type, auditd's a0, antivirus's Signature), and is a field that only the application knows. SigmaHQ's rules
// use cs-uri-query for the whole of the request's target, path included, so it is url.original: as url.query most of
// them would never match. Rules for sshd, vsftpd, databases and most of Linux name no fields: they are keywords.
var taxonomies = []taxonomy{
	{LogSource{Category: "webserver"}, webFields, webAbsent},
	{LogSource{Category: "proxy"}, webFields, webAbsent},
	{LogSource{Product: "apache"}, webFields, webAbsent},
	{LogSource{Product: "nginx"}, webFields, webAbsent},
	{LogSource{Service: "apache"}, webFields, webAbsent},
	{LogSource{Service: "nginx"}, webFields, webAbsent},
	{LogSource{Category: "file_event"}, map[string]record.Field{"TargetFilename": record.FilePath, "User": record.UserName}, nil},
	{LogSource{Category: "firewall"}, map[string]record.Field{
		"src_ip": record.SourceIP, "src_port": record.SourcePort, "dst_ip": record.DestinationIP, "dst_port": record.DestinationPort,
		"username": record.UserName,
	}, nil},
}

// webAbsent are the names of web server and proxy logs that no format here has.
var webAbsent = []string{"cs-content-type", "c-win32-status", "date", "time"}

// webOwn are the names of web server logs that are fields of the log's own: those of IIS and CloudFront, as they stand there.
var webOwn = []string{
	"cs-bytes", "cs-protocol", "s-computername", "s-sitename", "s-siteid", "s-queuename", "s-reason", "sc-content-len", "sc-content-type", "sc-substatus",
	"sc-win32-status", "ssl-cipher", "ssl-protocol", "time-to-first-byte", "x-edge-location", "x-edge-result-type", "x-edge-detailed-result-type",
}

var webFields = map[string]record.Field{
	"c-ip":            record.SourceIP,
	"c-port":          record.SourcePort,
	"c-uri":           record.URLOriginal,
	"c-uri-extension": record.URLExtension,
	"c-uri-query":     record.URLOriginal,
	"c-uri-stem":      record.URLPath,
	"c-useragent":     record.UserAgent,
	"cs-cookie":       record.Cookie,
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
	"cs(Cookie)":      record.Cookie,
	"cs(Host)":        record.URLDomain,
	"cs(Referer)":     record.HTTPReferrer,
	"cs(User-Agent)":  record.UserAgent,
	"dst_ip":          record.DestinationIP,
	"dst_port":        record.DestinationPort,
	"r-dns":           record.URLDomain,
	"s-ip":            record.DestinationIP,
	"s-port":          record.DestinationPort,
	"sc-bytes":        record.HTTPBodyBytes,
	"sc-status":       record.HTTPStatus,
	"src_ip":          record.SourceIP,
	"src_port":        record.SourcePort,
	"x-forwarded-for": record.ForwardedIP,
}

// cloudTrail are the names of CloudTrail's events that stand in each, or that its documentation lists for some (AWS CloudTrail User Guide, record
// contents). They keep their own names in records; those below userIdentity, requestParameters, responseElements, additionalEventData
// and tlsDetails do too.
var cloudTrail = []string{
	"additionalEventData", "apiVersion", "awsRegion", "errorCode", "errorMessage", "eventCategory", "eventID", "eventName", "eventSource", "eventTime",
	"eventType", "eventVersion", "managementEvent", "readOnly", "recipientAccountId", "requestID", "requestParameters", "responseElements",
	"serviceEventDetails", "sharedEventID", "sourceIPAddress", "userAgent", "vpcEndpointId",
}

// cloudTrailParts are the objects in an event.
var cloudTrailParts = []string{"additionalEventData.", "requestParameters.", "resources.", "responseElements.", "serviceEventDetails.", "tlsDetails.", "userIdentity."}

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
	Unsure                  // no parser here gives it; an application's own log might
	Unknown                 // a slip of the pen: the log source has another name much like it
)

// taxonomy finds how rules of this log source name fields; the zero taxonomy names none.
func (l LogSource) taxonomy() taxonomy {
	for _, t := range taxonomies {
		if t.of.covers(l) {
			return t
		}
	}
	return taxonomy{}
}

// covers reports whether each part that l names is the same in other.
func (l LogSource) covers(other LogSource) bool {
	same := func(mine, theirs string) bool { return mine == "" || mine == theirs }
	return same(l.Category, other.Category) && same(l.Product, other.Product) && same(l.Service, other.Service)
}

// elsewhere says which of our log sources a log source of Sigma's taxonomy is, where the words differ: the taxonomy has
// "service: apache" for what else it calls product, auth.log holds what sshd and sudo write, and syslog anything.
var elsewhere = map[LogSource][]LogSource{
	{Service: "apache"}:                      {{Product: "apache"}},
	{Service: "nginx"}:                       {{Product: "nginx"}},
	{Product: "linux", Service: "syslog"}:    {{Product: "linux"}},
	{Product: "linux", Service: "auth"}:      {{Product: "linux", Service: "auth"}, {Product: "linux", Service: "sshd"}, {Product: "linux", Service: "sudo"}},
	{Product: "linux", Service: "guacamole"}: {{Product: "guacamole"}},
}

// Field finds a field by the name that a rule of this log source has for it. Unknown is for log sources whose fields
// are all listed (web server, proxy); in a log source of category application any name may be right.
func (l LogSource) Field(name string) (Field, Standing) {
	known := l.taxonomy()
	if f, ok := known.fields[name]; ok {
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
	case l.Category == "application", l.own(name):
		return extra, Known
	case known.slip(name):
		return extra, Unknown
	}
	return extra, Unsure
}

// own reports whether a name is one that records of this log source have under the log's own name.
func (l LogSource) own(name string) bool {
	if l.Product == "aws" && l.Service == "cloudtrail" {
		return slices.Contains(cloudTrail, name) || slices.ContainsFunc(cloudTrailParts, func(part string) bool { return strings.HasPrefix(name, part) })
	}
	return l.Category == "webserver" && slices.Contains(webOwn, name)
}

// prefixes are those of the W3C extended log file format: client, server, remote, between two of them, and application.
var prefixes = []string{"c-", "s-", "r-", "cs-", "sc-", "sr-", "rs-", "x-"}

// slip reports whether a name is not one of the taxonomy's, but nearly. What has a known identifier behind another
// prefix of the format (rs-bytes) is a name of its own.
func (t taxonomy) slip(name string) bool {
	if t.absent == nil {
		return false
	}
	names := slices.Concat(t.absent, slices.Collect(maps.Keys(t.fields)))
	for f := range record.NumFields {
		names = append(names, record.Field(f).String())
	}
	near := false
	for _, n := range names {
		if n == name || identifier(n) == identifier(name) {
			return false
		}
		near = near || distance(n, name) <= 2
	}
	return near
}

// identifier is a name of the format without its prefix.
func identifier(name string) string {
	for _, p := range prefixes {
		if rest, ok := strings.CutPrefix(name, p); ok {
			return rest
		}
	}
	return name
}

// near suggests what a field that is not known may have meant.
func (l LogSource) near(name string) string {
	var known []string
	for f := range l.taxonomy().fields {
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
