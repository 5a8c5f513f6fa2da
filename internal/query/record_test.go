package query_test

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"tocsin/internal/query"
	"tocsin/internal/record"
)

// now is a Friday, in winter time.
var now = time.Date(2026, 11, 20, 15, 30, 0, 0, berlin).UTC()

// berlin has daylight saving, without needing the machine's table.
var berlin = time.FixedZone("CET", 3600)

// make1 makes a record of "field=value" pairs; @host, @file, @time, @format, @raw are the line's. A number is one where the field has numbers; a name with
// "~" before it is an application's own.
func make1(pairs ...string) *record.Record {
	r := &record.Record{}
	l := record.Line{}
	for _, p := range pairs {
		if v, ok := strings.CutPrefix(p, "@raw="); ok {
			l.Raw = v
		}
	}
	r.Reset(l)
	for _, p := range pairs {
		name, text, _ := strings.Cut(p, "=")
		switch name {
		case "@raw":
		case "@host":
			r.Line.Host = text
		case "@file":
			r.Line.File = text
		case "@format":
			r.Format = text
		case "@product":
			r.Source.Product = text
		case "@category":
			r.Source.Categories = append(r.Source.Categories, text)
		case "@time":
			at, err := time.Parse(time.RFC3339Nano, text)
			if err != nil {
				panic(err)
			}
			r.Time = at.UTC()
		default:
			v := record.Text(text)
			if n, err := strconv.ParseInt(text, 10, 64); err == nil && !strings.HasPrefix(name, "'") {
				v = record.Int(n, text)
			} else if x, err := strconv.ParseFloat(text, 64); err == nil && strings.Contains(text, ".") && !strings.HasPrefix(name, "'") {
				v = record.Float(x, text)
			} else if text == "true" || text == "false" {
				v = record.Bool(text == "true")
			}
			name = strings.TrimPrefix(name, "'")
			if own, ok := strings.CutPrefix(name, "~"); ok {
				r.Extra = append(r.Extra, record.Pair{Name: own, Value: v})
				continue
			}
			f, ok := record.FieldNamed(name)
			if !ok {
				panic("no field " + name)
			}
			r.Set(f, v)
		}
	}
	return r
}

func parse(t testing.TB, text string) *query.Query {
	t.Helper()
	q, err := query.Parse(text, now, berlin)
	if err != nil {
		t.Fatalf("Parse(%q):\n%s", text, err.(*query.Error).Show(text))
	}
	return q
}
