package inlet

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"math"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlplog/otlploghttp"
	"go.opentelemetry.io/otel/log"
	sdklog "go.opentelemetry.io/otel/sdk/log"
	common "go.opentelemetry.io/proto/otlp/common/v1"
	logs "go.opentelemetry.io/proto/otlp/logs/v1"
	resource "go.opentelemetry.io/proto/otlp/resource/v1"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"tocsin/internal/intake"
	"tocsin/internal/record"
)

func text(s string) *common.AnyValue {
	return &common.AnyValue{Value: &common.AnyValue_StringValue{StringValue: s}}
}

func pair(key string, v *common.AnyValue) *common.KeyValue {
	return &common.KeyValue{Key: key, Value: v}
}

// request is an ExportLogsServiceRequest; LogsData has the same form on the wire.
func request(t testing.TB, records ...*logs.LogRecord) string {
	t.Helper()
	b, err := proto.Marshal(&logs.LogsData{ResourceLogs: []*logs.ResourceLogs{{
		Resource:  &resource.Resource{Attributes: []*common.KeyValue{pair("service.name", text("shop"))}},
		ScopeLogs: []*logs.ScopeLogs{{Scope: &common.InstrumentationScope{Name: "cart", Version: "1"}, LogRecords: records}},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// full is a record with a value of every kind, the line that becomes of it, and the same as OTLP's JSON.
func full() (*logs.LogRecord, string, string) {
	return &logs.LogRecord{
			TimeUnixNano: 1772212581114753001, ObservedTimeUnixNano: 1772212581114753002, SeverityNumber: 18, Body: text("a \"quoted\"\n\u00e9\x7f"), EventName: "e",
			TraceId: []byte{0x5b, 0x8e, 0xff, 0xf7, 0x98, 3, 0x81, 3, 0xd2, 0x69, 0xb6, 0x33, 0x81, 0x3f, 0xc6, 0x0c}, SpanId: make([]byte, 8), Flags: 1, DroppedAttributesCount: 2,
			Attributes: []*common.KeyValue{
				pair("n", &common.AnyValue{Value: &common.AnyValue_IntValue{IntValue: math.MinInt64}}), pair("b", &common.AnyValue{Value: &common.AnyValue_BoolValue{BoolValue: true}}),
				pair("f", &common.AnyValue{Value: &common.AnyValue_DoubleValue{DoubleValue: 1.5}}), pair("nan", &common.AnyValue{Value: &common.AnyValue_DoubleValue{DoubleValue: math.NaN()}}),
				pair("bytes", &common.AnyValue{Value: &common.AnyValue_BytesValue{BytesValue: []byte{0, 255}}}), pair("none", nil),
				pair("list", &common.AnyValue{Value: &common.AnyValue_ArrayValue{ArrayValue: &common.ArrayValue{Values: []*common.AnyValue{text("x"), {}}}}}),
				pair("map", &common.AnyValue{Value: &common.AnyValue_KvlistValue{KvlistValue: &common.KeyValueList{Values: []*common.KeyValue{pair("k", text("v"))}}}}),
			}},
		`{"otlp":1,"time":"2026-02-27T17:16:21.114753001Z","observed":"2026-02-27T17:16:21.114753002Z","severity":"ERROR2","severity_number":18,"event_name":"e","body":"a \"quoted\"\né\u007f",` +
			`"attributes":{"n":-9223372036854775808,"b":true,"f":1.5,"nan":"NaN","bytes":"AP8=","none":null,"list":["x",null],"map":{"k":"v"}},"resource":{"service.name":"shop"},"scope":{"name":"cart","version":"1"},` +
			`"trace_id":"5b8efff798038103d269b633813fc60c","flags":1,"dropped_attributes":2}`,
		`{"resourceLogs":[{"unknown":[{}],"scopeLogs":[{"logRecords":[{"timeUnixNano":"1772212581114753001","observedTimeUnixNano":1772212581114753002,"severityNumber":18,"severityText":"","eventName":"e","body":{"stringValue":"a \"quoted\"\n\u00e9\u007f"},` +
			`"traceId":"5B8EFFF798038103D269B633813FC60C","spanId":"0000000000000000","flags":1,"droppedAttributesCount":2,"attributes":[{"key":"n","value":{"intValue":"-9223372036854775808"}},{"key":"b","value":{"boolValue":true}},` +
			`{"key":"f","value":{"doubleValue":1.5}},{"key":"nan","value":{"doubleValue":"NaN"}},{"key":"bytes","value":{"bytesValue":"AP8="}},{"key":"none"},{"key":"list","value":{"arrayValue":{"values":[{"stringValue":"x"},{}]}}},` +
			`{"key":"map","value":{"kvlistValue":{"values":[{"key":"k","value":{"stringValue":"v"}}]}}}]}],"scope":{"name":"cart","version":"1"}}],"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"shop"}}]}}]}`
}

// Given one record, when it comes as protobuf and as JSON, plain and packed, then the same line is kept, and the answer is an empty response
// in the encoding of the request.
func TestOTLP(t *testing.T) {
	r, line, asJSON := full()
	k := newKept()
	h, url := web(t, HTTPOptions{Append: k.Append})
	for _, x := range []struct{ body, kind, packing, answer string }{
		{request(t, r), otlpProto, "", ""}, {asJSON, otlpJSON, "", "{}"}, {gzipped(request(t, r)), otlpProto, "gzip", ""}, {gzipped(asJSON), "application/json; charset=utf-8", "gzip", "{}"},
	} {
		status, answer, header := post(t, url+"/v1/logs", x.body, "Content-Type: "+x.kind, "Content-Encoding: "+x.packing)
		if status != 200 || answer != x.answer || !strings.HasPrefix(x.kind, header.Get("Content-Type")) {
			t.Errorf("%s: %d %q as %s", x.kind, status, answer, header.Get("Content-Type"))
		}
	}
	if d := cmp.Diff([]string{line, line, line, line}, k.raws()); d != "" {
		t.Error(d)
	}
	if l := k.all()[0]; l.Host != "shop" || l.File != httpOTLP || !json.Valid([]byte(l.Raw)) {
		t.Errorf("%+v", l)
	}
	if status, answer, _ := post(t, url+"/v1/logs", "", "Content-Type: "+otlpProto); status != 200 || answer != "" {
		t.Errorf("an empty request: %d %q", status, answer)
	}
	if c := countOf(h.Counts(), httpOTLP); c.Lines != 4 || len(c.Refused) != 0 {
		t.Errorf("%+v", c)
	}
}

// partial reads the partial success of a response.
func partial(t *testing.T, b string) (count uint64, says string) {
	t.Helper()
	inner, err := all([]byte(b), 1)
	if err != nil {
		t.Fatal(err)
	}
	_, _, n := protowire.ConsumeTag(inner)
	if n < 0 {
		return 0, ""
	}
	count, _ = protowire.ConsumeVarint(inner[n:])
	message, _ := all(inner, 2)
	return count, string(message)
}

// Given requests of which some records or nothing can be read, when they come, then the answer says so as the specification wants it.
func TestOTLPRefused(t *testing.T) {
	deep := text("x")
	for range 40 {
		deep = &common.AnyValue{Value: &common.AnyValue_KvlistValue{KvlistValue: &common.KeyValueList{Values: []*common.KeyValue{pair("k", deep)}}}}
	}
	good := &logs.LogRecord{Body: text("good")}
	mixed := request(t, &logs.LogRecord{Body: deep}, good, &logs.LogRecord{SeverityText: strings.Repeat("x", record.MaxLine)}, &logs.LogRecord{Body: text(strings.Repeat("x", maxRecord))})
	wide := make([]*logs.LogRecord, 600)
	for i := range wide {
		wide[i] = &logs.LogRecord{}
	}
	manyLarge, err := proto.Marshal(&logs.LogsData{ResourceLogs: []*logs.ResourceLogs{{
		Resource: &resource.Resource{Attributes: []*common.KeyValue{pair("a", text(strings.Repeat("x", 100<<10)))}}, ScopeLogs: []*logs.ScopeLogs{{LogRecords: wide}}}}})
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range []struct {
		name, kind, body string
		status           int
		rejected         uint64
		says             string
		kept             int
	}{
		{"some records", otlpProto, mixed, 200, 3, "cannot be read", 1},
		{"some records of JSON", otlpJSON, `{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"traceId":"xyz"},{"body":{"stringValue":"good"}},null,{"severityNumber":"INFO"}]}]}]}`, 200, 3, "cannot be read", 1},
		{"no protobuf", otlpProto, "\x0a\xff", 400, 0, "no OTLP request", 0},
		{"no JSON", otlpJSON, `{"resourceLogs":[`, 400, 0, "no OTLP request", 0},
		{"too deep", otlpJSON, strings.Repeat("[", 200) + strings.Repeat("]", 200), 400, 0, "100 deep", 0},
		{"objects of nothing", otlpJSON, `{"resourceLogs":[` + strings.Repeat("{},", 2000) + `{}]}`, 400, 0, "nothing in them", 0},
		{"one resource for many records", otlpProto, string(manyLarge), 413, 0, "batches smaller", 0},
		{"too many records", otlpProto, request(t, make([]*logs.LogRecord, 50_001)...), 413, 0, "batches smaller", 0},
		{"another type", "text/plain", "x", 415, 0, "http/protobuf", 0},
	} {
		if x.name == "too many records" {
			records := make([]*logs.LogRecord, 50_001)
			for i := range records {
				records[i] = good
			}
			x.body = request(t, records...)
		}
		k := newKept()
		h, url := web(t, HTTPOptions{Append: k.Append})
		status, answer, header := post(t, url+"/v1/logs", x.body, "Content-Type: "+x.kind)
		var count uint64
		says := answer
		switch {
		case x.kind == otlpJSON && status == 200:
			var a struct {
				PartialSuccess struct {
					RejectedLogRecords uint64 `json:",string"`
					ErrorMessage       string
				}
			}
			if err := json.Unmarshal([]byte(answer), &a); err != nil {
				t.Errorf("%s: %v: %s", x.name, err, answer)
			}
			count, says = a.PartialSuccess.RejectedLogRecords, a.PartialSuccess.ErrorMessage
		case status == 200:
			count, says = partial(t, answer)
		case header.Get("Content-Type") == otlpProto:
			b, err := all([]byte(answer), 2)
			if err != nil {
				t.Errorf("%s: %v", x.name, err)
			}
			says = string(b)
		}
		if status != x.status || count != x.rejected || !strings.Contains(says, x.says) || len(k.raws()) != x.kept {
			t.Errorf("%s: %d, %d rejected, %d kept: %q", x.name, status, count, len(k.raws()), says)
		}
		if c := countOf(h.Counts(), httpOTLP); c.Refused[RejectedRecord] != int64(x.rejected) || c.Lines != int64(x.kept) {
			t.Errorf("%s: counted %+v", x.name, c)
		}
	}
}

// Given text that is no UTF-8, and bodies that are too long for a line, when they come, then the records are kept all the same: a client must not
// keep its line out by what it writes.
func TestOTLPIsNotEvaded(t *testing.T) {
	bytesOf := func(s string) string { // what no exporter of the SDK sends, and Collectors may
		b := []byte(request(t, &logs.LogRecord{Body: text("body:" + s + ":"), SeverityText: s, EventName: s, Attributes: []*common.KeyValue{pair(s, text(s)),
			pair("list", &common.AnyValue{Value: &common.AnyValue_ArrayValue{ArrayValue: &common.ArrayValue{Values: []*common.AnyValue{text(s)}}}}),
			pair("map", &common.AnyValue{Value: &common.AnyValue_KvlistValue{KvlistValue: &common.KeyValueList{Values: []*common.KeyValue{pair(s, text(s))}}}})}}))
		return string(bytes.ReplaceAll(bytes.ReplaceAll(b, []byte("XX"), []byte("\xff\xfe")), []byte("shop"), []byte("sh\xffp")))
	}
	for name, x := range map[string]struct {
		body, want string
		cut        int64
	}{
		"no UTF-8":                     {bytesOf("aXXb"), `"body":"body:a` + "\ufffd" + `b:","attributes":{"a` + "\ufffd" + `b":"a` + "\ufffd" + `b","list":["a` + "\ufffd" + `b"],"map":{"a` + "\ufffd" + `b":"a` + "\ufffd" + `b"}},"resource":{"service.name":"sh` + "\ufffd" + `p"}`, 0},
		"a long body":                  {request(t, &logs.LogRecord{Body: text("start" + strings.Repeat("x", record.MaxLine)), SpanId: []byte{1}}), `"span_id":"01","cut":true}`, 1},
		"a long body of control signs": {request(t, &logs.LogRecord{Body: text("start" + strings.Repeat("\x01\"\u00e9", record.MaxLine/4))}), `"cut":true}`, 1},
	} {
		k := newKept()
		h, url := web(t, HTTPOptions{Append: k.Append})
		status, answer, _ := post(t, url+"/v1/logs", x.body, "Content-Type: "+otlpProto)
		raws := k.raws()
		if status != 200 || answer != "" || len(raws) != 1 || !strings.Contains(raws[0], x.want) || !json.Valid([]byte(raws[0])) {
			t.Errorf("%s: %d %.300q, kept %.500q", name, status, answer, raws)
			continue
		}
		if n := len(raws[0]); x.cut > 0 && (n > record.MaxLine || n < record.MaxLine-6) || countOf(h.Counts(), httpOTLP).Cut != x.cut {
			t.Errorf("%s: %d bytes, counted %+v", name, n, countOf(h.Counts(), httpOTLP))
		}
	}
}

// Given the exporter of OpenTelemetry's SDK, when a program logs by it while the archive refuses at first, then it tries again as it is told,
// and every record is kept once.
func TestExporter(t *testing.T) {
	k := newKept()
	tries := 0
	k.set(func() error {
		if tries++; tries == 1 {
			return errors.New("the disk is full")
		}
		return nil
	})
	_, url := web(t, HTTPOptions{Append: k.Append})
	for _, packing := range []otlploghttp.Compression{otlploghttp.NoCompression, otlploghttp.GzipCompression} {
		exporter, err := otlploghttp.New(t.Context(), otlploghttp.WithEndpointURL(url+"/v1/logs"), otlploghttp.WithHeaders(map[string]string{"Authorization": "Bearer " + secret}),
			otlploghttp.WithCompression(packing), otlploghttp.WithRetry(otlploghttp.RetryConfig{Enabled: true, InitialInterval: 10 * time.Millisecond, MaxInterval: 20 * time.Millisecond, MaxElapsedTime: time.Minute}))
		if err != nil {
			t.Fatal(err)
		}
		p := sdklog.NewLoggerProvider(sdklog.WithProcessor(sdklog.NewBatchProcessor(exporter)))
		var r log.Record
		r.SetTimestamp(time.Date(2026, 11, 28, 8, 0, 0, 5, time.UTC))
		r.SetSeverity(log.SeverityWarn)
		r.SetBody(attribute.StringValue("login failed"))
		r.AddAttributes(attribute.String("client.address", "203.0.113.7"), attribute.Int("http.response.status_code", 401))
		p.Logger("shop/auth").Emit(t.Context(), r)
		if err := p.Shutdown(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	raws := k.raws()
	if len(raws) != 2 {
		t.Fatalf("kept: %q", raws)
	}
	p, err := intake.New(intake.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, raw := range raws {
		r := p.Parse(record.Line{File: httpOTLP, Raw: raw}, time.Now())
		if r.Class != record.Parsed || r.Text(record.SourceIP) != "203.0.113.7" || r.Text(record.EventAction) != "login" || r.Text(record.EventOutcome) != "failure" || r.Time.Nanosecond() != 5 {
			t.Errorf("intake reads it as %s %s: %s", r.Class, r.Format, r.Text(record.Message))
		}
		if !strings.HasPrefix(raw, `{"otlp":1,"time":"2026-11-28T08:00:00.000000005Z",`) || !strings.Contains(raw, `"severity":"WARN","severity_number":13,"body":"login failed","attributes":{"client.address":"203.0.113.7","http.response.status_code":401},"resource":{`) ||
			!strings.Contains(raw, `"scope":{"name":"shop/auth"}`) {
			t.Errorf("%s", raw)
		}
	}
}

// Given any body, when it is read as OTLP in one encoding or the other, then it is refused in words, or each line is a JSON object on one line
// of the form that is promised.
func FuzzOTLP(f *testing.F) {
	r, _, asJSON := full()
	f.Add([]byte(request(f, r)), true)
	f.Add([]byte(asJSON), false)
	f.Add([]byte(`{"resourceLogs":[{"resource":null,"scopeLogs":[{"scope":{},"logRecords":[{"body":{"kvlistValue":{}}},{"body":{"arrayValue":{"values":null}}}]}]}]}`), false)
	f.Add([]byte("\x0a\x04\x12\x02\x12\x00"), true)
	f.Fuzz(func(t *testing.T, body []byte, asProto bool) {
		kind := otlpJSON
		if asProto {
			kind = otlpProto
		}
		out, rejected, err := otlpOf(body, kind, 100)
		if err != nil {
			if r, ok := errors.AsType[*refusal](err); !ok || r.status == http.StatusOK || r.says == "" {
				t.Fatalf("%q: %v", body, err)
			}
			return
		}
		if (rejected.count > 0) != (rejected.says != "") {
			t.Fatalf("%q: %+v", body, rejected)
		}
		for _, p := range out {
			if !strings.HasPrefix(p.raw, `{"otlp":1`) || strings.ContainsAny(p.raw, "\n\r") || !json.Valid([]byte(p.raw)) || len(p.raw) > record.MaxLine {
				t.Fatalf("%q gives %q", body, p.raw)
			}
			d := json.NewDecoder(bytes.NewReader([]byte(p.raw)))
			for {
				if _, err := d.Token(); err == io.EOF {
					break
				} else if err != nil {
					t.Fatalf("%q gives %q: %v", body, p.raw, err)
				}
			}
		}
	})
}
