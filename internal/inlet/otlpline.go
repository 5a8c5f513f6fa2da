package inlet

import (
	"encoding/base64"
	"encoding/hex"
	"math"
	"strconv"
	"time"
	"unicode/utf8"

	common "go.opentelemetry.io/proto/otlp/common/v1"
	logs "go.opentelemetry.io/proto/otlp/logs/v1"
	resource "go.opentelemetry.io/proto/otlp/resource/v1"

	"tocsin/internal/record"
)

// lineOf returns a record as a line. When that is too long, text of the body is left out at its end, and the line says so: a long body must not
// keep a record out.
func lineOf(r *logs.LogRecord, resource, scope string) (line []byte, cut bool) {
	line = appendRecord(nil, r, resource, scope, false)
	text, ok := r.Body.GetValue().(*common.AnyValue_StringValue)
	if !ok || len(line) <= record.MaxLine {
		return line, false
	}
	rest := len(line) - len(appendText(nil, text.StringValue)) + len(`"","cut":true`)
	text.StringValue = fitting(text.StringValue, record.MaxLine-rest)
	return appendRecord(nil, r, resource, scope, true), true
}

// fitting returns how much of a text has at most so many bytes in JSON, as appendText writes it.
func fitting(s string, room int) string {
	for i := 0; i < len(s); {
		_, n := utf8.DecodeRuneInString(s[i:])
		var whole [8]byte
		if room -= len(appendText(whole[:0], s[i:i+n])) - len(`""`); room < 0 {
			return s[:i]
		}
		i += n
	}
	return s
}

// appendRecord writes a record as the line that the package's comment draws. resource and scope are JSON already, or "".
func appendRecord(b []byte, r *logs.LogRecord, resource, scope string, cut bool) []byte {
	b = append(b, `{"otlp":1`...)
	b = appendTime(b, `,"time":`, r.TimeUnixNano, r.ObservedTimeUnixNano)
	b = appendTime(b, `,"observed":`, r.ObservedTimeUnixNano, 0)
	severity := r.SeverityText
	if severity == "" {
		severity = severityName(int32(r.SeverityNumber))
	}
	b = appendMember(b, `,"severity":`, severity)
	if r.SeverityNumber != 0 {
		b = strconv.AppendInt(append(b, `,"severity_number":`...), int64(r.SeverityNumber), 10)
	}
	b = appendMember(b, `,"event_name":`, r.EventName)
	if r.Body != nil && r.Body.Value != nil {
		b = appendValue(append(b, `,"body":`...), r.Body)
	}
	if len(r.Attributes) > 0 {
		b = appendPairs(append(b, `,"attributes":`...), r.Attributes)
	}
	if resource != "" {
		b = append(append(b, `,"resource":`...), resource...)
	}
	if scope != "" {
		b = append(append(b, `,"scope":`...), scope...)
	}
	b = appendMember(b, `,"trace_id":`, hexID(r.TraceId))
	b = appendMember(b, `,"span_id":`, hexID(r.SpanId))
	if r.Flags != 0 {
		b = strconv.AppendUint(append(b, `,"flags":`...), uint64(r.Flags), 10)
	}
	if r.DroppedAttributesCount != 0 {
		b = strconv.AppendUint(append(b, `,"dropped_attributes":`...), uint64(r.DroppedAttributesCount), 10)
	}
	if cut {
		b = append(b, `,"cut":true`...)
	}
	return append(b, '}')
}

func resourceText(r *resource.Resource) string {
	if len(r.Attributes) == 0 {
		return ""
	}
	return string(appendPairs(nil, r.Attributes))
}

func scopeText(s *common.InstrumentationScope) string {
	var b []byte
	b = appendMember(b, `,"name":`, s.Name)
	b = appendMember(b, `,"version":`, s.Version)
	if len(s.Attributes) > 0 {
		b = appendPairs(append(b, `,"attributes":`...), s.Attributes)
	}
	if len(b) == 0 {
		return ""
	}
	b[0] = '{'
	return string(append(b, '}'))
}

// hexID writes an id; one of zeros is none.
func hexID(id []byte) string {
	for _, c := range id {
		if c != 0 {
			return hex.EncodeToString(id)
		}
	}
	return ""
}

// appendTime writes the first of two times that is one: nanoseconds since 1970, of which 0 and those after 2262 are none.
func appendTime(b []byte, name string, nanos, other uint64) []byte {
	if nanos == 0 {
		nanos = other
	}
	if nanos == 0 || nanos > math.MaxInt64 {
		return b
	}
	b = append(append(b, name...), '"')
	return append(time.Unix(0, int64(nanos)).UTC().AppendFormat(b, "2006-01-02T15:04:05.000000000Z07:00"), '"')
}

func appendMember(b []byte, name, text string) []byte {
	if text == "" {
		return b
	}
	return appendText(append(b, name...), text)
}

func appendPairs(b []byte, pairs []*common.KeyValue) []byte {
	b = append(b, '{')
	for i, p := range pairs {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(appendText(b, p.GetKey()), ':')
		b = appendValue(b, p.GetValue())
	}
	return append(b, '}')
}

func appendValue(b []byte, v *common.AnyValue) []byte {
	switch v := v.GetValue().(type) {
	case *common.AnyValue_StringValue:
		return appendText(b, v.StringValue)
	case *common.AnyValue_BoolValue:
		return strconv.AppendBool(b, v.BoolValue)
	case *common.AnyValue_IntValue:
		return strconv.AppendInt(b, v.IntValue, 10)
	case *common.AnyValue_DoubleValue:
		return appendFloat(b, v.DoubleValue)
	case *common.AnyValue_BytesValue:
		return append(base64.StdEncoding.AppendEncode(append(b, '"'), v.BytesValue), '"')
	case *common.AnyValue_KvlistValue:
		return appendPairs(b, v.KvlistValue.GetValues())
	case *common.AnyValue_ArrayValue:
		b = append(b, '[')
		for i, x := range v.ArrayValue.GetValues() {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendValue(b, x)
		}
		return append(b, ']')
	}
	return append(b, "null"...)
}

func appendFloat(b []byte, f float64) []byte {
	switch {
	case math.IsNaN(f):
		return append(b, `"NaN"`...)
	case math.IsInf(f, 1):
		return append(b, `"Infinity"`...)
	case math.IsInf(f, -1):
		return append(b, `"-Infinity"`...)
	}
	return strconv.AppendFloat(b, f, 'g', -1, 64)
}

// appendText writes a text of JSON (RFC 8259, section 7). What is no UTF-8 becomes U+FFFD.
func appendText(b []byte, s string) []byte {
	const digits = "0123456789abcdef"
	b = append(b, '"')
	for i := 0; i < len(s); {
		c := s[i]
		if c >= utf8.RuneSelf {
			r, n := utf8.DecodeRuneInString(s[i:])
			b = utf8.AppendRune(b, r)
			i += n
			continue
		}
		i++
		switch {
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
		case c == '\n':
			b = append(b, `\n`...)
		case c == '\r':
			b = append(b, `\r`...)
		case c == '\t':
			b = append(b, `\t`...)
		case c < ' ' || c == 0x7f:
			b = append(b, '\\', 'u', '0', '0', digits[c>>4], digits[c&15])
		default:
			b = append(b, c)
		}
	}
	return append(b, '"')
}
