package intake

import (
	"bufio"
	"encoding/json"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tocsin/internal/record"
)

const twoEvents = `{"Records":[{"eventVersion":"1.08","eventTime":"2023-07-19T21:17:28Z","eventSource":"a","eventName":"]}","x":{"y":["z",{"w":"\"}"}]}},{"eventVersion":"1.08","eventTime":"2023-07-19T21:17:29Z","eventSource":"a","eventName":"B"}]}`

// Given a file as CloudTrail delivers it, when it is split, then each event is one: on one line, printed over many, or cut off.
func TestWrappedEvents(t *testing.T) {
	want := []string{
		`{"eventVersion":"1.08","eventTime":"2023-07-19T21:17:28Z","eventSource":"a","eventName":"]}","x":{"y":["z",{"w":"\"}"}]}}`,
		`{"eventVersion":"1.08","eventTime":"2023-07-19T21:17:29Z","eventSource":"a","eventName":"B"}`,
	}
	parts := func(s string) (out []string) {
		for p := range Parts(s) {
			out = append(out, p)
		}
		return out
	}
	if d := cmp.Diff(want, parts(twoEvents)); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff(want[:1], parts(twoEvents[:len(twoEvents)-20])); d != "" {
		t.Error(d)
	}
	for _, s := range []string{"", "x", `{"a":1}`, `{"Records":[`, `{"Records":[]}`, `{"Records":[[`} {
		if d := cmp.Diff([]string{s}, parts(s)); d != "" {
			t.Errorf("%q: %s", s, d)
		}
	}
	if f, ok := Known([]string{twoEvents[:len(twoEvents)-20]}); !ok || f != "cloudtrail" {
		t.Errorf("the beginning of a file is known as %q", f)
	}
	var pretty strings.Builder
	var any map[string]any
	if err := json.Unmarshal([]byte(twoEvents), &any); err != nil {
		t.Fatal(err)
	}
	e := json.NewEncoder(&pretty)
	e.SetIndent("", "  ")
	if err := e.Encode(any); err != nil {
		t.Fatal(err)
	}
	for _, in := range []string{twoEvents, pretty.String()} {
		out, err := io.ReadAll(Unwrap(bufio.NewReaderSize(strings.NewReader(in), 64)))
		if err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(strings.TrimSuffix(string(out), "\n"), "\n")
		if len(lines) != 2 {
			t.Fatalf("%d lines: %q", len(lines), out)
		}
		for i, l := range lines {
			r := parse(t, Options{}, l)
			if r.Format != "cloudtrail" || r.Text(record.EventCode) != []string{"]}", "B"}[i] {
				t.Errorf("%s: %s", l, shown(r))
			}
		}
	}
	const one = `{"Records":[{"a":[{"b":"]}"}]},{"c":1}],"more":[{"x":{"y":1}}]}`
	for _, x := range []struct{ in, want string }{
		{one + one, "{\"a\":[{\"b\":\"]}\"}]}\n{\"c\":1}\n{\"a\":[{\"b\":\"]}\"}]}\n{\"c\":1}\n"},
		{one + "\n" + `{"eventVersion":"1","x":[[{"a":1}]]}` + "\nplain\n\n" + one + "\nlast", "{\"a\":[{\"b\":\"]}\"}]}\n{\"c\":1}\n" + `{"eventVersion":"1","x":[[{"a":1}]]}` +
			"\nplain\n{\"a\":[{\"b\":\"]}\"}]}\n{\"c\":1}\nlast"},
		{`{"Records":[]}}}]` + "\n" + one, "}}]\n{\"a\":[{\"b\":\"]}\"}]}\n{\"c\":1}\n"},
	} {
		for size := range 100 {
			out, err := io.ReadAll(Unwrap(bufio.NewReaderSize(strings.NewReader(x.in), 64+size)))
			if err != nil || string(out) != x.want {
				t.Fatalf("%q with %d bytes became\n%q, %v, instead of\n%q", x.in, 64+size, out, err, x.want)
			}
		}
	}
	plain := "a\nb\n"
	if out, err := io.ReadAll(Unwrap(bufio.NewReader(strings.NewReader(plain)))); err != nil || string(out) != plain {
		t.Errorf("another file became %q, %v", out, err)
	}
}

// The law: splitting loses no event, whatever stands in it, and reads a file in pieces of any size as a whole.
func FuzzWrapped(f *testing.F) {
	f.Add(`"]}`, "x", uint8(20))
	f.Add("\\\"\n{[", "\u2028", uint8(0))
	f.Fuzz(func(t *testing.T, a, b string, size uint8) {
		var events []string
		for _, s := range []string{a, b, a + b} {
			one, err := json.Marshal(map[string]any{"eventName": s, "requestParameters": map[string]any{s: []any{s, nil, 1.5, map[string]string{"k": s}}}})
			if err != nil {
				t.Skip()
			}
			events = append(events, string(one))
		}
		file := `{"Records":[` + strings.Join(events, ",") + `]}`
		var got []string
		for p := range Parts(file) {
			got = append(got, p)
		}
		if d := cmp.Diff(events, got); d != "" {
			t.Fatal(d)
		}
		out, err := io.ReadAll(Unwrap(bufio.NewReaderSize(strings.NewReader(file), 64+int(size))))
		if err != nil || string(out) != strings.Join(events, "\n")+"\n" {
			t.Fatalf("%q became %q, %v", file, out, err)
		}
		if text := memberText(events[0], "requestParameters"); !json.Valid([]byte(text)) || !strings.HasPrefix(text, "{") {
			t.Fatalf("%q has the parameters %q", events[0], text)
		}
	})
}
