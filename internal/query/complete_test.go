package query_test

import (
	"fmt"
	"strings"
	"testing"

	"tocsin/internal/query"
)

// Given a text up to the place "^", when it is completed, then the first suggestions are these: kind, the runes they take the place of, and the text.
func TestComplete(t *testing.T) {
	kinds := []string{"field", "relation", "word", "time", "stage", "value"}
	for _, c := range []struct{ text, want string }{
		{"us^", "field 0-2 user|field 0-2 user.name|field 0-2 user.realm"},
		{"US^", "field 0-2 user"},
		{"failed us^", "field 7-9 user"},
		{"(us^", "field 1-3 user"},
		{"-us^", "field 1-3 user"},
		{"http.re^", "field 0-7 http.request.method|field 0-7 http.response.status_code"},
		{"user^", "relation 4-4 =|relation 4-4 !=|relation 4-4 ~"},
		{"user ^", "relation 5-5 =|relation 5-5 !=|relation 5-5 ~"},
		{"user=^", "value 5-5 user "},
		{"user=an^", "value 5-7 user an"},
		{"user = an^", "value 7-9 user an"},
		{"user!=an^", "value 6-8 user an"},
		{`user="an na^`, "value 5-11 user an na"},
		{`"my.field"=x^`, `value 11-12 my.field x`},
		{"agent~cu^", "value 6-8 agent cu"},
		{"user in (anna, b^", "value 15-16 user b"},
		{"user not in (^", "value 13-13 user "},
		{"user in ^", "value 8-8 user "},
		{"user=anna ^", "word 10-10 and|word 10-10 or|field 10-10 ip"},
		{"user=anna a^", "word 10-11 and|field 10-11 agent|field 10-11 as"},
		{"since ^", "time 6-6 today|time 6-6 yesterday"},
		{"since ye^", "time 6-8 yesterday"},
		{"x on ^", "time 5-5 today"},
		{"last ^", "time 5-5 15m|time 5-5 1h"},
		{"sin^", "word 0-3 since"},
		{"x | ^", "stage 4-4 session|stage 4-4 fields|stage 4-4 top"},
		{"x | t^", "stage 4-5 top|stage 4-5 timeline|stage 4-5 tail"},
		{"x | top ^", "field 8-8 ip"},
		{"x | top us^", "field 8-10 user"},
		{"x | sum^", ""},
		{"x | sum ^", "word 8-8 ("},
		{"x | sum(by^", "field 8-10 bytes"},
		{"x | sum(bytes) ^", "word 15-15 by "},
		{"x | sum(bytes) by us^", "field 18-20 user"},
		{"x | count by user, 1^", "time 19-20 1m|time 19-20 15m|time 19-20 1h"},
		{"x | timeline ^", "time 13-13 1m"},
		{"x | top ip | sort ^", "field 18-18 ip|field 18-18 count"},
		{"x | sort by^", "field 9-11 bytes"},
		{"x | session 20^", "value 12-14 session 20"},
		{"größe us^ and more", "field 6-8 user"},
		{`"failed pass^`, ""},
	} {
		text, rest, _ := strings.Cut(c.text, "^")
		var got []string
		for _, s := range query.Complete(text+rest, len([]rune(text))) {
			line := fmt.Sprintf("%s %d-%d %s", kinds[s.Kind], s.From, s.To, s.Text)
			if s.Kind == query.SuggestValue {
				line = strings.Trim(fmt.Sprintf("%s %d-%d %s %s", kinds[s.Kind], s.From, s.To, s.Field, s.Prefix), "")
			}
			got = append(got, line)
		}
		var want []string
		if c.want != "" {
			want = strings.Split(c.want, "|")
		}
		if len(got) < len(want) || len(want) == 0 && len(got) > 0 || strings.Join(got[:len(want)], "|") != c.want {
			t.Errorf("%s suggests %q, want %q", c.text, got[:min(len(got), 5)], c.want)
		}
	}
	if s := query.Complete("user=", 5)[0].Value("anna b"); s.Text != `"anna b"` {
		t.Errorf("a value with a blank is put in as %s", s.Text)
	}
}

// Whatever the text and the place, completion ends, and what it replaces lies in the text before the place.
func FuzzComplete(f *testing.F) {
	for _, s := range seeds {
		f.Add(s, len(s))
	}
	f.Fuzz(func(t *testing.T, text string, at int) {
		n := min(max(at, 0), len([]rune(text)))
		for _, s := range query.Complete(text, at) {
			if s.From < 0 || s.From > s.To || s.To > n {
				t.Fatalf("Complete(%q, %d) suggests %+v", text, at, s)
			}
			if s.Kind == query.SuggestValue {
				s.Value(text)
			}
		}
	})
}
