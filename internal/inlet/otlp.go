package inlet

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"strings"

	common "go.opentelemetry.io/proto/otlp/common/v1"
	logs "go.opentelemetry.io/proto/otlp/logs/v1"
	resource "go.opentelemetry.io/proto/otlp/resource/v1"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"tocsin/internal/record"
)

const (
	otlpProto = "application/x-protobuf"
	otlpJSON  = "application/json"
)

// maxNested is how deep messages of a record may lie in each other. A value in a map takes three.
const maxNested = 100

// maxRecord is how many bytes a record may have as it is sent. One whose line is longer than record.MaxLine has its body cut.
const maxRecord = 2 << 20

// An otlpReader makes lines of the records of one request. The envelope is taken apart by hand and each record decoded alone, because of
// small messages a whole decoded request would be a hundred times as large as its bytes.
type otlpReader struct {
	out      []piece
	rejected rejection
	size     int64
	most     int // lines
	// What the records that come belong to, as JSON; "" is nothing.
	resource, scope string
}

// otlpOf makes lines of an ExportLogsServiceRequest.
func otlpOf(body []byte, contentType string, most int) ([]piece, rejection, error) {
	r := &otlpReader{most: most}
	kind, _, _ := mime.ParseMediaType(contentType)
	var err error
	switch kind {
	case otlpProto:
		err = r.protoRequest(body)
	case otlpJSON:
		err = r.jsonRequest(body)
	default:
		return nil, r.rejected, refuse(http.StatusUnsupportedMediaType, BadRequest, "The Content-Type %.60q is not OTLP's: set the exporter to http/protobuf or http/json.", contentType)
	}
	if _, ours := errors.AsType[*refusal](err); err != nil && !ours {
		err = refuse(http.StatusBadRequest, BadRequest, "The body is no OTLP request of logs, and nothing of it was kept: %v.", err)
	}
	return r.out, r.rejected, err
}

// take adds a record, or rejects it.
func (r *otlpReader) take(rec *logs.LogRecord, err error) error {
	var line []byte
	cut := false
	if err == nil {
		line, cut = lineOf(rec, r.resource, r.scope)
	}
	switch {
	case err != nil:
		r.reject(fmt.Sprintf("A record cannot be read: %v.", err))
	case len(line) > record.MaxLine:
		r.reject(fmt.Sprintf("A record has more than %d bytes as a line of JSON, without its body.", record.MaxLine))
	case len(r.out) == r.most || r.size+int64(len(line)) > maxBatch:
		return refuse(http.StatusRequestEntityTooLarge, TooLarge, "The request has more than %d records, or they have more than %d bytes as lines. Make the exporter's batches smaller.", r.most, maxBatch)
	default:
		r.out = append(r.out, piece{raw: string(line), start: r.size, cut: cut})
		r.size += int64(len(line)) + 1
	}
	return nil
}

func (r *otlpReader) reject(says string) {
	if r.rejected.count++; r.rejected.count == 1 {
		r.rejected.says = says
	}
}

// fields calls yield with each field of a message whose value is bytes, by number.
func fields(b []byte, yield func(number protowire.Number, value []byte) error) error {
	for len(b) > 0 {
		number, kind, n := protowire.ConsumeTag(b)
		if n < 0 {
			return protowire.ParseError(n)
		}
		b = b[n:]
		if kind != protowire.BytesType {
			if n = protowire.ConsumeFieldValue(number, kind, b); n < 0 {
				return protowire.ParseError(n)
			}
			b = b[n:]
			continue
		}
		value, n := protowire.ConsumeBytes(b)
		if n < 0 {
			return protowire.ParseError(n)
		}
		b = b[n:]
		if err := yield(number, value); err != nil {
			return err
		}
	}
	return nil
}

// all returns the values of one field, joined: of a message that comes in parts, protobuf joins the parts so.
func all(b []byte, wanted protowire.Number) (joined []byte, err error) {
	err = fields(b, func(number protowire.Number, value []byte) error {
		if number == wanted {
			joined = append(joined, value...)
		}
		return nil
	})
	return joined, err
}

// decode reads a message. Text that is no UTF-8 is mended, not refused: else a client could keep its line out by one byte in it.
func decode(b []byte, into proto.Message, is shape) error {
	if len(b) > maxRecord {
		return fmt.Errorf("it has %d bytes, and %d is the most", len(b), maxRecord)
	}
	o := proto.UnmarshalOptions{RecursionLimit: maxNested, DiscardUnknown: true}
	err := o.Unmarshal(b, into)
	if err == nil {
		return nil
	}
	mended, bad := mend(b, is, maxNested)
	if bad != nil {
		return err
	}
	return o.Unmarshal(mended, into)
}

// protoRequest reads the envelope: ExportLogsServiceRequest 1 > ResourceLogs (1 resource, 2 scope_logs) > ScopeLogs (1 scope, 2 log_records).
func (r *otlpReader) protoRequest(body []byte) error {
	return fields(body, func(number protowire.Number, group []byte) error {
		if number != 1 {
			return nil
		}
		b, err := all(group, 1)
		var of resource.Resource
		if err == nil {
			err = decode(b, &of, resourceShape)
		}
		if err != nil {
			return fmt.Errorf("a resource: %w", err)
		}
		r.resource = resourceText(&of)
		return fields(group, func(number protowire.Number, group []byte) error {
			if number != 2 {
				return nil
			}
			b, err := all(group, 1)
			var of common.InstrumentationScope
			if err == nil {
				err = decode(b, &of, scopeShape)
			}
			if err != nil {
				return fmt.Errorf("a scope: %w", err)
			}
			r.scope = scopeText(&of)
			return fields(group, func(number protowire.Number, b []byte) error {
				if number != 2 {
					return nil
				}
				var rec logs.LogRecord
				return r.take(&rec, decode(b, &rec, recordShape))
			})
		})
	})
}

// otlpAnswer answers as the OTLP specification says: in the encoding of the request, with ExportLogsServiceResponse or google.rpc.Status.
func otlpAnswer(w http.ResponseWriter, r *http.Request) answer {
	kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	inJSON := kind == otlpJSON
	write := func(status int, asProto []byte, asJSON any) {
		body := asProto
		w.Header().Set("Content-Type", otlpProto)
		if inJSON {
			w.Header().Set("Content-Type", otlpJSON)
			body, _ = json.Marshal(asJSON)
		}
		w.WriteHeader(status)
		_, _ = w.Write(body)
	}
	return answer{
		kept: func(_ int, rejected rejection) {
			if rejected.count == 0 {
				write(http.StatusOK, nil, struct{}{})
				return
			}
			var partial []byte
			partial = protowire.AppendVarint(protowire.AppendTag(partial, 1, protowire.VarintType), uint64(rejected.count))
			partial = protowire.AppendString(protowire.AppendTag(partial, 2, protowire.BytesType), rejected.says)
			write(http.StatusOK, protowire.AppendBytes(protowire.AppendTag(nil, 1, protowire.BytesType), partial),
				map[string]any{"partialSuccess": map[string]string{"rejectedLogRecords": fmt.Sprint(rejected.count), "errorMessage": rejected.says}})
		},
		refused: func(x *refusal) {
			code := rpcCode(x.status)
			var b []byte
			b = protowire.AppendVarint(protowire.AppendTag(b, 1, protowire.VarintType), uint64(code))
			b = protowire.AppendString(protowire.AppendTag(b, 2, protowire.BytesType), x.says)
			write(x.status, b, map[string]any{"code": code, "message": x.says})
		},
	}
}

// rpcCode is the code of google.rpc.Status that goes with a status of HTTP.
func rpcCode(status int) int {
	switch status {
	case http.StatusUnauthorized:
		return 16 // UNAUTHENTICATED
	case http.StatusForbidden:
		return 7 // PERMISSION_DENIED
	case http.StatusTooManyRequests:
		return 8 // RESOURCE_EXHAUSTED
	case http.StatusServiceUnavailable:
		return 14 // UNAVAILABLE
	}
	return 3 // INVALID_ARGUMENT
}

// severityName is the short name of a severity number (OpenTelemetry's log data model).
func severityName(n int32) string {
	if n < 1 || n > 24 {
		return ""
	}
	name := strings.Fields("TRACE DEBUG INFO WARN ERROR FATAL")[(n-1)/4]
	if step := (n - 1) % 4; step > 0 {
		name += fmt.Sprint(step + 1)
	}
	return name
}

// jsonBounds refuses JSON that would be much larger in memory than it is.
func jsonBounds(body []byte) error {
	depth, quoted, escaped := 0, false, false
	for _, c := range body {
		switch {
		case escaped:
			escaped = false
		case quoted:
			escaped, quoted = c == '\\', c != '"'
		case c == '"':
			quoted = true
		case c == '{' || c == '[':
			if depth++; depth > maxNested {
				return refuse(http.StatusBadRequest, TooLarge, "Objects and lists of the body lie more than %d deep in each other, and nothing of it was kept.", maxNested)
			}
		case c == '}' || c == ']':
			depth--
		}
	}
	if n := bytes.Count(body, []byte("{")); n > 1000 && n > len(body)/8 {
		return refuse(http.StatusBadRequest, TooLarge, "The body is made of objects with nothing in them, and nothing of it was kept.")
	}
	return nil
}
