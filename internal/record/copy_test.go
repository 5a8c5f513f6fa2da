package record

import (
	"testing"
	"unsafe"

	"github.com/google/go-cmp/cmp"
)

// A copy has the fields that are named, and holds no byte of its texts.
func TestCopyTo(t *testing.T) {
	raw := `10.0.0.1 - anna "GET /a?b=c" 200`
	r := &Record{}
	var o Record
	for round := range 2 { // the second uses the memory of the first
		r.Reset(Line{File: "access.log", Offset: 7, Raw: raw})
		r.Class, r.Format = Parsed, "combined"
		r.Set(SourceIP, Text(raw[:8]))
		r.Set(HTTPStatus, Int(200, raw[len(raw)-3:]))
		r.Set(UserName, Text(""))
		r.Extra = append(r.Extra, Pair{"a name", Bool(true)})
		r.Defer(func(r *Record, f Field) {
			switch f {
			case SourceNetwork:
				r.Set(f, Text("10.0.0.0/24"))
			case URLNormal:
				r.Set(f, Text("/a"))
			case URLDecoded:
				t.Error("a view that nobody asked for was worked out")
			}
		}, SourceNetwork, URLNormal, URLDecoded, SourceCountry)
		r.CopyTo(&o, []Field{SourceIP, HTTPStatus, UserName, SourceNetwork, SourceCountry, SourcePort, URLNormal, SourceIP})
		got := map[string]Value{}
		for name, v := range o.Fields {
			got[name] = v
		}
		want := map[string]Value{"source.ip": Text("10.0.0.1"), "http.response.status_code": Int(200, "200"), "user.name": Text(""),
			"source.network": Text("10.0.0.0/24"), "a name": Bool(true)}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("round %d: %s", round, d)
		}
		if o.Text(URLNormal) != "/a" || o.Has(URLDecoded) || o.Has(SourceCountry) || o.Line != r.Line || o.Class != Parsed || o.Format != "combined" {
			t.Errorf("round %d: %+v", round, o)
		}
		begin := uintptr(unsafe.Pointer(unsafe.StringData(raw)))
		for name, v := range o.Fields {
			if at := uintptr(unsafe.Pointer(unsafe.StringData(v.Text))); v.Text != "" && at >= begin && at < begin+uintptr(len(raw)) {
				t.Errorf("%s lies in the line that was copied", name)
			}
		}
	}
}
