package inlet

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	common "go.opentelemetry.io/proto/otlp/common/v1"
	logs "go.opentelemetry.io/proto/otlp/logs/v1"
	resource "go.opentelemetry.io/proto/otlp/resource/v1"
)

// OTLP's JSON is protobuf's, but for this (OTLP specification, JSON Protobuf Encoding): ids are hexadecimal, enumerations are numbers, unknown
// members are passed over. So it has types of its own here. 64-bit numbers are text or numbers.

type jsonAny struct {
	String *string    `json:"stringValue"`
	Bool   *bool      `json:"boolValue"`
	Int    *jsonInt   `json:"intValue"`
	Double *jsonFloat `json:"doubleValue"`
	Array  *struct {
		Values []jsonAny `json:"values"`
	} `json:"arrayValue"`
	Map *struct {
		Values []jsonPair `json:"values"`
	} `json:"kvlistValue"`
	Bytes *[]byte `json:"bytesValue"`
}

type jsonPair struct {
	Key   string   `json:"key"`
	Value *jsonAny `json:"value"`
}

type jsonRecord struct {
	Time       jsonUint   `json:"timeUnixNano"`
	Observed   jsonUint   `json:"observedTimeUnixNano"`
	Number     int32      `json:"severityNumber"`
	Severity   string     `json:"severityText"`
	Body       *jsonAny   `json:"body"`
	Attributes []jsonPair `json:"attributes"`
	Dropped    uint32     `json:"droppedAttributesCount"`
	Flags      uint32     `json:"flags"`
	Trace      jsonHex    `json:"traceId"`
	Span       jsonHex    `json:"spanId"`
	Name       string     `json:"eventName"`
}

type (
	jsonInt   int64
	jsonUint  uint64
	jsonFloat float64
	jsonHex   []byte
)

func unquoted(b []byte) string { return strings.Trim(string(b), `"`) }

func (v *jsonInt) UnmarshalJSON(b []byte) error {
	n, err := strconv.ParseInt(unquoted(b), 10, 64)
	*v = jsonInt(n)
	return err
}

func (v *jsonUint) UnmarshalJSON(b []byte) error {
	if string(b) == "null" {
		return nil
	}
	n, err := strconv.ParseUint(unquoted(b), 10, 64)
	*v = jsonUint(n)
	return err
}

func (v *jsonFloat) UnmarshalJSON(b []byte) error {
	n, err := strconv.ParseFloat(unquoted(b), 64)
	*v = jsonFloat(n)
	return err
}

func (v *jsonHex) UnmarshalJSON(b []byte) error {
	if string(b) == "null" {
		return nil
	}
	id, err := hex.DecodeString(unquoted(b))
	*v = id
	return err
}

// jsonRequest reads the envelope of a request in JSON.
func (r *otlpReader) jsonRequest(body []byte) error {
	if err := jsonBounds(body); err != nil {
		return err
	}
	var request struct {
		Groups []json.RawMessage `json:"resourceLogs"`
	}
	if err := json.Unmarshal(body, &request); err != nil {
		return err
	}
	for _, raw := range request.Groups {
		var group struct {
			Resource *struct {
				Attributes []jsonPair `json:"attributes"`
			} `json:"resource"`
			Scopes []json.RawMessage `json:"scopeLogs"`
		}
		if err := json.Unmarshal(raw, &group); err != nil {
			return fmt.Errorf("resourceLogs: %w", err)
		}
		r.resource = ""
		if group.Resource != nil {
			r.resource = resourceText(&resource.Resource{Attributes: pairsOf(group.Resource.Attributes)})
		}
		for _, raw := range group.Scopes {
			if err := r.jsonScope(raw); err != nil {
				return err
			}
		}
	}
	return nil
}

func (r *otlpReader) jsonScope(raw json.RawMessage) error {
	var group struct {
		Scope *struct {
			Name       string     `json:"name"`
			Version    string     `json:"version"`
			Attributes []jsonPair `json:"attributes"`
		} `json:"scope"`
		Records []json.RawMessage `json:"logRecords"`
	}
	if err := json.Unmarshal(raw, &group); err != nil {
		return fmt.Errorf("scopeLogs: %w", err)
	}
	r.scope = ""
	if s := group.Scope; s != nil {
		r.scope = scopeText(&common.InstrumentationScope{Name: s.Name, Version: s.Version, Attributes: pairsOf(s.Attributes)})
	}
	for _, raw := range group.Records {
		if err := r.take(jsonLogRecord(raw)); err != nil {
			return err
		}
	}
	return nil
}

func jsonLogRecord(raw json.RawMessage) (*logs.LogRecord, error) {
	var j *jsonRecord
	if err := json.Unmarshal(raw, &j); err != nil {
		return nil, err
	}
	if j == nil {
		return nil, errors.New("it is null")
	}
	return &logs.LogRecord{TimeUnixNano: uint64(j.Time), ObservedTimeUnixNano: uint64(j.Observed), SeverityNumber: logs.SeverityNumber(j.Number), SeverityText: j.Severity,
		Body: j.Body.value(), Attributes: pairsOf(j.Attributes), DroppedAttributesCount: j.Dropped, Flags: j.Flags, TraceId: j.Trace, SpanId: j.Span, EventName: j.Name}, nil
}

func pairsOf(in []jsonPair) (out []*common.KeyValue) {
	for _, p := range in {
		out = append(out, &common.KeyValue{Key: p.Key, Value: p.Value.value()})
	}
	return out
}

func (a *jsonAny) value() *common.AnyValue {
	switch {
	case a == nil:
		return nil
	case a.String != nil:
		return &common.AnyValue{Value: &common.AnyValue_StringValue{StringValue: *a.String}}
	case a.Bool != nil:
		return &common.AnyValue{Value: &common.AnyValue_BoolValue{BoolValue: *a.Bool}}
	case a.Int != nil:
		return &common.AnyValue{Value: &common.AnyValue_IntValue{IntValue: int64(*a.Int)}}
	case a.Double != nil:
		return &common.AnyValue{Value: &common.AnyValue_DoubleValue{DoubleValue: float64(*a.Double)}}
	case a.Bytes != nil:
		return &common.AnyValue{Value: &common.AnyValue_BytesValue{BytesValue: *a.Bytes}}
	case a.Array != nil:
		list := &common.ArrayValue{}
		for i := range a.Array.Values {
			list.Values = append(list.Values, a.Array.Values[i].value())
		}
		return &common.AnyValue{Value: &common.AnyValue_ArrayValue{ArrayValue: list}}
	case a.Map != nil:
		return &common.AnyValue{Value: &common.AnyValue_KvlistValue{KvlistValue: &common.KeyValueList{Values: pairsOf(a.Map.Values)}}}
	}
	return nil
}
