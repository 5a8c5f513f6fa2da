package detect

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"tocsin/internal/record"
)

// webLine makes a record as the parser of an access log does, with some 240 bytes of line.
func webLine(i int) *record.Record {
	url := fmt.Sprintf("/shop/product-view.php?pid=%d&ref=category%%2Fshoes&page=%d", i%997, i%7)
	agent := "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36"
	ip := fmt.Sprintf("10.%d.%d.%d", i%3, i%251, i%199)
	r := &record.Record{Class: record.Parsed, Time: start.Add(time.Duration(i) * 50 * time.Millisecond)}
	r.Line = record.Line{File: "access.log", Seq: int64(i + 1)}
	r.Line.Raw = ip + ` - - [09/Nov/2026:00:00:01 +0000] "GET ` + url + ` HTTP/1.1" 200 5321 "https://shop.example/shop/" "` + agent + `"`
	r.Source = record.LogSource{Categories: []string{"webserver"}, Product: "nginx", Service: "access"}
	path, query, _ := strings.Cut(url, "?")
	for f, s := range map[record.Field]string{
		record.SourceIP: ip, record.HTTPMethod: "GET", record.URLOriginal: url, record.URLPath: path, record.URLQuery: query,
		record.URLDecoded: strings.ReplaceAll(url, "%2F", "/"), record.URLDecodedTwice: strings.ReplaceAll(url, "%2F", "/"),
		record.HTTPReferrer: "https://shop.example/shop/", record.UserAgent: agent, record.HTTPVersion: "1.1", record.URLExtension: "php",
	} {
		r.Set(f, record.Text(s))
	}
	r.Set(record.HTTPStatus, record.Int(200, "200"))
	r.Set(record.HTTPBodyBytes, record.Int(5321, "5321"))
	return r
}

// manyRules makes sixty web rules of twenty patterns each, over several fields, and two correlations over all requests.
func manyRules() string {
	fields := []string{"url.original", "url.decoded", "url.decoded_twice", "user_agent.original", "url.path", "http.request.referrer"}
	var b strings.Builder
	for i := range 60 {
		fmt.Fprintf(&b, "title: web %d\nid: w%d\nlogsource: {category: webserver}\ndetection:\n  s:\n    %s|contains:\n", i, i, fields[i%len(fields)])
		for j := range 20 {
			fmt.Fprintf(&b, "      - 'Union%d Select%d'\n", i, j)
		}
		b.WriteString("  condition: s\n---\n")
	}
	b.WriteString("title: all\nid: all\nlogsource: {category: webserver}\ndetection: {s: {http.response.status_code|gte: 100}, condition: s}\n---\n")
	b.WriteString("title: flood\nid: flood\ncorrelation: {type: event_count, rules: [all], group-by: [source.ip], timespan: 5m, condition: {gte: 100}}\n---\n")
	b.WriteString("title: wide\nid: wide\ncorrelation: {type: value_count, rules: [all], group-by: [source.ip], timespan: 10m, condition: {field: url.path, gte: 50}}\n")
	return b.String()
}

// BenchmarkStep holds web records against 61 rules and two correlations; the goal is 20,000 records a second on one core.
func BenchmarkStep(b *testing.B) {
	d := New(rules(b, manyRules()), Options{})
	var records []*record.Record
	for i := range 20_000 {
		records = append(records, webLine(i))
	}
	b.ReportAllocs()
	b.ResetTimer()
	for i := 0; b.Loop(); i++ {
		r := records[i%len(records)]
		r.Time = start.Add(time.Duration(i) * 50 * time.Millisecond)
		d.Step(r)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "records/s")
}

// BenchmarkSnapshot writes down the state of 50,000 groups.
func BenchmarkSnapshot(b *testing.B) {
	d := New(rules(b, tries), Options{})
	for i := range 50_000 {
		d.Step(fail(float64(i)/1000, fmt.Sprintf("10.%d.%d.%d", i>>16, i>>8&255, i&255), "anna"))
	}
	var size int
	for b.Loop() {
		data, err := d.Snapshot()
		if err != nil {
			b.Fatal(err)
		}
		size = len(data)
	}
	b.ReportMetric(float64(size), "bytes")
}

// BenchmarkStorm steps through one attack that goes on and on: the cost of a record in a full window.
func BenchmarkStorm(b *testing.B) {
	for name, correlation := range map[string]string{
		"event_count 1000": "{type: event_count, rules: [fail], group-by: [source.ip], timespan: 1h, condition: {gte: 1000}}",
		"value_count 100":  "{type: value_count, rules: [fail], group-by: [source.ip], timespan: 1h, condition: {field: user.name, gte: 100}}",
		"value_sum":        "{type: value_sum, rules: [fail], group-by: [source.ip], timespan: 1h, condition: {field: source.port, gte: 100}}",
		"temporal_ordered": "{type: temporal_ordered, rules: [fail, any], group-by: [source.ip], timespan: 1h}",
	} {
		b.Run(name, func(b *testing.B) {
			text := failRule + "title: any\nid: any\nlogsource: {category: application}\ndetection: {s: {source.ip|exists: true}, condition: s}\n---\n" +
				"title: c\nid: c\ncorrelation: " + correlation + "\n"
			d := New(rules(b, text), Options{})
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				r := fail(float64(i)/100, "1.1.1.1", fmt.Sprint("u", i%5000))
				r.Set(record.SourcePort, record.Int(int64(i%60000), ""))
				d.Step(r)
			}
		})
	}
}

// BenchmarkFreeze takes the same state without writing it: what detection waits for.
func BenchmarkFreeze(b *testing.B) {
	d := New(rules(b, tries), Options{})
	for i := range 50_000 {
		d.Step(fail(float64(i)/1000, fmt.Sprintf("10.%d.%d.%d", i>>16, i>>8&255, i&255), "anna"))
	}
	for b.Loop() {
		d.Freeze()
	}
}
