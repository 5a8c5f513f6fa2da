package sigma

import (
	"fmt"
	"testing"

	"tocsin/internal/record"
)

// webRecord makes a record as the parser of an access log does, with some 240 bytes of line.
func webRecord(i int) *record.Record {
	line := fmt.Sprintf(`10.%d.%d.%d - - [09/Nov/2026:00:00:01 +0000] "GET /shop/product-view.php?pid=%d&ref=category/shoes&page=%d HTTP/1.1" 200 5321 "https://shop.example/shop/" "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36"`,
		i%3, i%251, i%199, i%997, i%7)
	r := &record.Record{Class: record.Parsed, Line: record.Line{File: "access.log", Raw: line}}
	at := 0
	part := func(f record.Field, from, to string) {
		a := at + index(line[at:], from) + len(from)
		b := a + index(line[a:], to)
		r.Set(f, record.Text(line[a:b]))
		at = b
	}
	part(record.SourceIP, "", " ")
	part(record.HTTPMethod, `"`, " ")
	part(record.URLOriginal, " ", " ")
	u := r.Text(record.URLOriginal)
	q := index(u, "?")
	r.Set(record.URLPath, record.Text(u[:q]))
	r.Set(record.URLQuery, record.Text(u[q+1:]))
	r.Set(record.URLDecoded, record.Text(u))
	r.Set(record.URLDecodedTwice, record.Text(u))
	part(record.HTTPReferrer, ` 5321 "`, `"`)
	part(record.UserAgent, ` "`, `"`)
	r.Set(record.HTTPStatus, record.Int(200, "200"))
	r.Set(record.HTTPBodyBytes, record.Int(5321, "5321"))
	return r
}

func index(s, part string) int {
	for i := 0; i+len(part) <= len(s); i++ {
		if s[i:i+len(part)] == part {
			return i
		}
	}
	panic(part)
}

// BenchmarkSet holds web records against the shop's rules and SigmaHQ's web rules.
func BenchmarkSet(b *testing.B) {
	source := record.LogSource{Categories: []string{"webserver"}, Service: "access"}
	for name, folders := range map[string][]string{
		"shop": {"../../rules"}, "sigmahq": {"../../../shared/data/sigma/rules/web", "../../../shared/data/sigma/rules-emerging-threats"},
	} {
		b.Run(name, func(b *testing.B) {
			var rules []*Rule
			for _, f := range folders {
				for _, u := range rulesOf(b, f) {
					if u.Routed(source) {
						rules = append(rules, u)
					}
				}
			}
			var records []*record.Record
			for i := range 5000 {
				records = append(records, webRecord(i))
			}
			m := Compile(rules, records[:1024]).NewMatcher(nil)
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				m.Match(records[i%len(records)])
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "records/s")
			b.Logf("%d rules", len(rules))
		})
	}
}
