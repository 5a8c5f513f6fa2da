package sigma

import (
	"strings"
	"testing"
	"time"

	"tocsin/internal/record"
	"tocsin/internal/tree"
)

// rule parses a rule of one detection section, written with the indentation of the tests' raw strings.
func rule(t testing.TB, category, detection string) *Rule {
	t.Helper()
	text := "title: t\nid: r1\nlogsource:\n  category: " + category + "\ndetection:\n" + indent(detection)
	docs, err := Parse("t.yml", []byte(text))
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return docs[0].Rule
}

// indent moves a text two columns to the right, whatever its first line's margin was.
func indent(s string) string {
	s = strings.TrimLeft(s, "\n")
	margin := s[:len(s)-len(strings.TrimLeft(s, "\t "))]
	var b strings.Builder
	for l := range strings.Lines(s) {
		b.WriteString("  " + strings.TrimPrefix(l, margin))
	}
	return b.String() + "\n"
}

// rec makes a record of "name=value" pairs; a value of digits is a number, of true and false a bool. The raw line is text.
func rec(text string, pairs ...string) *record.Record {
	r := &record.Record{Line: record.Line{Raw: text, File: "access.log"}, Class: record.Parsed}
	r.Time = time.Date(2026, 11, 9, 23, 30, 0, 0, time.UTC)
	for _, p := range pairs {
		name, value, _ := strings.Cut(p, "=")
		v := record.Text(value)
		if n, ok := tree.Decimal(value); ok && n.Whole {
			v = record.Int(n.I, value)
		} else if ok {
			v = record.Float(n.F, value)
		} else if value == "true" || value == "false" {
			v = record.Bool(value == "true")
		}
		if f, ok := record.FieldNamed(name); ok {
			r.Set(f, v)
		} else {
			r.Extra = append(r.Extra, record.Pair{Name: name, Value: v})
		}
	}
	return r
}

// with gives a record's text field a value that looks like a number.
func with(r *record.Record, f record.Field, text string) *record.Record {
	r.Set(f, record.Text(text))
	return r
}

func TestMatch(t *testing.T) {
	for _, c := range []struct {
		name      string
		detection string
		yes       []*record.Record
		no        []*record.Record
	}{
		{"text is compared whole and without regard to case", "s: {url.path: /Admin}\ncondition: s",
			[]*record.Record{rec("", "url.path=/admin"), rec("", "url.path=/ADMIN")},
			[]*record.Record{rec("", "url.path=/admin/"), rec("", "url.path=x/admin"), rec("")}},
		{"case beyond ASCII", "s: {user.name: 'MÜLLER-ΣΑΣ-K'}\ncondition: s",
			[]*record.Record{rec("", "user.name=müller-σας-k"), rec("", "user.name=Müller-ΣΑΣ-\u212a")},
			[]*record.Record{rec("", "user.name=mueller-σας-k")}},
		{"cased regards case", "s: {user.name|cased: Anna}\ncondition: s",
			[]*record.Record{rec("", "user.name=Anna")}, []*record.Record{rec("", "user.name=anna")}},
		{"star and question mark", "s: {url.path: '/a?c*e'}\ncondition: s",
			[]*record.Record{rec("", "url.path=/abce"), rec("", "url.path=/aäcxyze"), rec("", "url.path=/abc\ne"), rec("", "url.path=/a\xffce")},
			[]*record.Record{rec("", "url.path=/ace"), rec("", "url.path=/abcef"), rec("", "url.path=/abbce")}},
		{"several stars go back as far as needed", "s: {url.path: '*ab*ab*c'}\ncondition: s",
			[]*record.Record{rec("", "url.path=abababc"), rec("", "url.path=xabyabzcc")}, []*record.Record{rec("", "url.path=abac"), rec("", "url.path=ababcd")}},
		{"escaped wildcards are characters", `s: {url.path: 'a\*b\?c'}` + "\ncondition: s",
			[]*record.Record{rec("", "url.path=a*b?c")}, []*record.Record{rec("", "url.path=axbyc"), rec("", `url.path=a\*b\?c`)}},
		{"a lone backslash is a backslash", `s: {file.path: 'C:\Users\x'}` + "\ncondition: s",
			[]*record.Record{rec("", `file.path=C:\Users\x`)}, []*record.Record{rec("", `file.path=C:Usersx`)}},
		{"two backslashes are one", `s: {file.path: 'a\\b'}` + "\ncondition: s",
			[]*record.Record{rec("", `file.path=a\b`)}, []*record.Record{rec("", `file.path=a\\b`)}},
		{"four backslashes are two", `s: {file.path: '\\\\srv\share'}` + "\ncondition: s",
			[]*record.Record{rec("", `file.path=\\srv\share`)}, []*record.Record{rec("", `file.path=\srv\share`)}},
		{"backslash before a wildcard", `s: {file.path: 'a\\*'}` + "\ncondition: s",
			[]*record.Record{rec("", `file.path=a\bc`), rec("", `file.path=a\`)}, []*record.Record{rec("", `file.path=a*`), rec("", "file.path=ab")}},
		{"backslash and a star", `s: {file.path: 'a\\\*'}` + "\ncondition: s",
			[]*record.Record{rec("", `file.path=a\*`)}, []*record.Record{rec("", `file.path=a\b`)}},
		{"contains with wildcards inside", "s: {url.original|contains: 'union*select'}\ncondition: s",
			[]*record.Record{rec("", "url.original=/?q=1 UNION all SELECT 2")}, []*record.Record{rec("", "url.original=/?q=select union")}},
		{"contains, startswith, endswith", "a: {url.path|contains: b}\nb: {url.path|startswith: /a}\nc: {url.path|endswith: c}\ncondition: a and b and c",
			[]*record.Record{rec("", "url.path=/ABC")}, []*record.Record{rec("", "url.path=/abcd"), rec("", "url.path=x/abc"), rec("", "url.path=/ac")}},
		{"a list is or", "s: {http.request.method: [PUT, DELETE]}\ncondition: s",
			[]*record.Record{rec("", "http.request.method=PUT"), rec("", "http.request.method=DELETE")}, []*record.Record{rec("", "http.request.method=GET")}},
		{"all makes it and", "s: {url.original|contains|all: [a, b]}\ncondition: s",
			[]*record.Record{rec("", "url.original=xbya")}, []*record.Record{rec("", "url.original=a")}},
		{"a map is and", "s: {url.path: /a, http.request.method: GET}\ncondition: s",
			[]*record.Record{rec("", "url.path=/a", "http.request.method=get")}, []*record.Record{rec("", "url.path=/a"), rec("", "http.request.method=GET")}},
		{"a list of maps is or", "s:\n- {url.path: /a, http.request.method: GET}\n- {url.path: /b}\ncondition: s",
			[]*record.Record{rec("", "url.path=/b"), rec("", "url.path=/a", "http.request.method=GET")}, []*record.Record{rec("", "url.path=/a")}},
		{"numbers", "s: {http.response.status_code: 404}\ncondition: s",
			[]*record.Record{rec("", "http.response.status_code=404"), with(rec(""), record.HTTPStatus, "404")},
			[]*record.Record{rec("", "http.response.status_code=4040"), with(rec(""), record.HTTPStatus, "404x"), with(rec(""), record.HTTPStatus, "")}},
		{"a quoted number is text", "s: {http.response.status_code: '404'}\ncondition: s",
			[]*record.Record{rec("", "http.response.status_code=404"), with(rec(""), record.HTTPStatus, "404")},
			[]*record.Record{rec("", "http.response.status_code=405"), with(rec(""), record.HTTPStatus, "0404")}},
		{"text modifiers on a number", "s: {http.response.status_code|startswith: 5}\ncondition: s",
			[]*record.Record{rec("", "http.response.status_code=503")}, []*record.Record{rec("", "http.response.status_code=405")}},
		{"a fraction", "s: {payment.amount: 1.50}\ncondition: s",
			[]*record.Record{rec("", "payment.amount=1.5"), with(rec(""), record.PaymentAmount, "1.500")}, []*record.Record{rec("", "payment.amount=1.51")}},
		{"bool", "s: {code.valid: false}\ncondition: s",
			[]*record.Record{rec("", "code.valid=false"), with(rec(""), record.CodeValid, "False")}, []*record.Record{rec("", "code.valid=true"), rec(""), rec("", "code.valid=0")}},
		{"order", "s: {transfer.bytes|gte: 1000, transfer.bytes|lt: 2000}\ncondition: s",
			[]*record.Record{rec("", "transfer.bytes=1000"), with(rec(""), record.TransferBytes, "1999.5")},
			[]*record.Record{rec("", "transfer.bytes=2000"), rec("", "transfer.bytes=999"), with(rec(""), record.TransferBytes, "much"), rec("")}},
		{"empty is not missing", "s: {user_agent.original: ''}\ncondition: s",
			[]*record.Record{rec("", "user_agent.original=")}, []*record.Record{rec(""), rec("", "user_agent.original= ")}},
		{"null is missing", "s: {user_agent.original: null}\ncondition: s",
			[]*record.Record{rec("")}, []*record.Record{rec("", "user_agent.original=")}},
		{"exists", "s: {user.name|exists: true}\nn: {url.path|exists: false}\ncondition: s and n",
			[]*record.Record{rec("", "user.name=")}, []*record.Record{rec(""), rec("", "user.name=a", "url.path=/")}},
		{"star needs a field", "s: {user.name: '*'}\ncondition: s",
			[]*record.Record{rec("", "user.name="), rec("", "user.name=a")}, []*record.Record{rec("")}},
		{"not is true of a missing field", "s: {user.name: a}\ncondition: not s",
			[]*record.Record{rec(""), rec("", "user.name=b")}, []*record.Record{rec("", "user.name=a")}},
		{"neq turns the term round", "s: {user.name|neq: [a, b]}\ncondition: s",
			[]*record.Record{rec(""), rec("", "user.name=c")}, []*record.Record{rec("", "user.name=A"), rec("", "user.name=b")}},
		{"neq after contains", "s: {user.name|contains|neq: a}\ncondition: s",
			[]*record.Record{rec("", "user.name=bob")}, []*record.Record{rec("", "user.name=anna")}},
		{"re regards case and is searched", `s: {url.path|re: 'a[0-9]{2}\.php'}` + "\ncondition: s",
			[]*record.Record{rec("", "url.path=/xa12.phps")}, []*record.Record{rec("", "url.path=/A12.php"), rec("", "url.path=/a1.php")}},
		{"re with flags", "s: {message|re|i|s|m: '^b.c$'}\ncondition: s",
			[]*record.Record{rec("", "message=a\nB\nC")}, []*record.Record{rec("", "message=ab\nC")}},
		{"re sees the first bytes only", "s: {message|re: 'needle'}\ncondition: s",
			[]*record.Record{rec("", "message="+strings.Repeat("a", MaxRegex-6)+"needle")}, []*record.Record{rec("", "message="+strings.Repeat("a", MaxRegex-5)+"needle")}},
		{"cidr", "s: {source.ip|cidr: [192.0.2.0/25, '2001:db8::/32', 198.51.100.7]}\ncondition: s",
			[]*record.Record{rec("", "source.ip=192.0.2.127"), rec("", "source.ip=2001:DB8::1"), rec("", "source.ip=::ffff:192.0.2.1"), rec("", "source.ip=198.51.100.7")},
			[]*record.Record{rec("", "source.ip=192.0.2.128"), rec("", "source.ip=192.0.2.1 "), rec("", "source.ip=host"), rec("")}},
		{"fieldref", "s: {user.name|fieldref: user.effective.name}\ncondition: s",
			[]*record.Record{rec("", "user.name=Root", "user.effective.name=root")}, []*record.Record{rec("", "user.name=a", "user.effective.name=b"), rec("", "user.name=a"), rec("")}},
		{"fieldref with neq", "s: {user.name|fieldref|neq: user.effective.name}\ncondition: s",
			[]*record.Record{rec("", "user.name=a", "user.effective.name=b"), rec("", "user.name=a")}, []*record.Record{rec("", "user.name=a", "user.effective.name=A")}},
		{"fieldref with startswith", "s: {url.original|fieldref|startswith: url.path}\ncondition: s",
			[]*record.Record{rec("", "url.original=/a?b", "url.path=/a")}, []*record.Record{rec("", "url.original=/a?b", "url.path=a")}},
		{"base64", "s: {url.original|base64|contains: foo}\ncondition: s",
			[]*record.Record{rec("", "url.original=/?x=Zm9v")}, []*record.Record{rec("", "url.original=/?x=zm9V"), rec("", "url.original=foo")}},
		{"base64offset", "s: {message|base64offset|contains: /bin/bash}\ncondition: s",
			[]*record.Record{rec("", "message=L2Jpbi9iYXNo"), rec("", "message=eC9iaW4vYmFzaA=="), rec("", "message=eHgvYmluL2Jhc2g=")},
			[]*record.Record{rec("", "message=l2jpbi9iyxno"), rec("", "message=/bin/bash")}},
		{"wide", "s: {message|wide|base64offset|contains: ping}\ncondition: s",
			[]*record.Record{rec("", "message=cABpAG4AZwA=")}, []*record.Record{rec("", "message=cGluZw==")}},
		{"utf16 has a byte order mark, utf16be the other order", "a: {message|utf16|base64|startswith: p}\nb: {message|utf16be|base64: p}\ncondition: a or b",
			[]*record.Record{rec("", "message=//5wAA=="), rec("", "message=AHA=")}, []*record.Record{rec("", "message=cAA=")}},
		{"windash", "s: {process.command_line|windash|contains: ' -f/x -y'}\ncondition: s",
			[]*record.Record{rec("", "process.command_line=a -f/x -y"), rec("", "process.command_line=a /f/x —y"), rec("", "process.command_line=a ―f/x –y")},
			[]*record.Record{rec("", "process.command_line=a +f/x -y"), rec("", "process.command_line=a -f-x -y")}},
		{"windash with all", "s: {process.command_line|windash|contains|all: [' -a', ' -b']}\ncondition: s",
			[]*record.Record{rec("", "process.command_line=x /b -a")}, []*record.Record{rec("", "process.command_line=x /b")}},
		{"the hour of a time", "s: {'@timestamp|hour': [22, 23, 0]}\nm: {'@timestamp|minute|gte': 30}\nd: {'@timestamp|day': 9, '@timestamp|month': 11, '@timestamp|year': 2026, '@timestamp|week': 46}\ncondition: s and m and d",
			[]*record.Record{rec("")}, []*record.Record{{}}},
		{"the hour of a text", "s: {shop.at|hour: 4}\ncondition: s",
			[]*record.Record{rec("", "shop.at=2026-01-01T04:59:59.5Z"), rec("", "shop.at=2026-01-01T06:00:00+02:00")}, []*record.Record{rec("", "shop.at=04:00"), rec("")}},
		{"keywords search the line", "k: [union select, 'drop*table']\ncondition: k",
			[]*record.Record{rec("x UNION SELECT y"), rec("drop the table")}, []*record.Record{rec("union  select"), rec("table drop")}},
		{"keywords search decoded values one by one", "k: ['<script>', 'GETx']\ncondition: k",
			[]*record.Record{rec("GET /%3Cscript%3E", "url.decoded=/<script>")}, []*record.Record{rec("GET /", "http.request.method=GET", "url.decoded=x")}},
		{"all on keywords", "k: {'|all': [a1, b2]}\ncondition: k",
			[]*record.Record{rec("b2 a1")}, []*record.Record{rec("a1")}},
		{"re on keywords", "k: {'|re': 'a[0-9]'}\ncondition: k",
			[]*record.Record{rec("xa1")}, []*record.Record{rec("A1")}},
		{"number as keyword", "k: [4625]\ncondition: k",
			[]*record.Record{rec("id 4625 x")}, []*record.Record{rec("id 462 5")}},
		{"keywords beside maps", "k: [needle, {url.path: /a}]\ncondition: k",
			[]*record.Record{rec("a needle"), rec("", "url.path=/a")}, []*record.Record{rec("a")}},
		{"an application's own field, several values", "s: {shop.tag: b}\na: {shop.tag|all: [a, b]}\ncondition: s and a",
			[]*record.Record{rec("", "shop.tag=a", "shop.tag=b")}, []*record.Record{rec("", "shop.tag=a", "shop.tag=c"), rec("")}},
		{"the line and its file are fields", "s: {event.original|contains: x, log.file.path|endswith: .log}\ncondition: s",
			[]*record.Record{rec("axb")}, []*record.Record{rec("ab")}},
		{"mapped names are known in their category only", "s: {cs-method: GET}\ncondition: s",
			[]*record.Record{rec("", "cs-method=GET")}, []*record.Record{rec("", "http.request.method=GET")}},
		{"a list of conditions is or", "a: {user.name: a}\nb: {user.name: b}\ncondition: [a, b]",
			[]*record.Record{rec("", "user.name=a"), rec("", "user.name=b")}, []*record.Record{rec("", "user.name=c")}},
	} {
		t.Run(c.name, func(t *testing.T) {
			u := rule(t, "application", c.detection)
			for _, r := range c.yes {
				if !u.Match(r) {
					t.Errorf("should match: %q %v", r.Line.Raw, fieldsOf(r))
				}
			}
			for _, r := range c.no {
				if u.Match(r) {
					t.Errorf("should not match: %q %v", r.Line.Raw, fieldsOf(r))
				}
			}
			same(t, Document{Rule: u})
		})
	}
}

func fieldsOf(r *record.Record) []string {
	var out []string
	for n, v := range r.Fields {
		out = append(out, n+"="+v.Text)
	}
	return out
}

// TestConditions holds each condition against every combination of three selections.
func TestConditions(t *testing.T) {
	for _, c := range []struct {
		condition string
		want      func(a, b, x bool) bool
	}{
		{"sel_a and sel_b", func(a, b, x bool) bool { return a && b }},
		{"sel_a or sel_b and _x", func(a, b, x bool) bool { return a || b && x }},
		{"(sel_a or sel_b) and _x", func(a, b, x bool) bool { return (a || b) && x }},
		{"not sel_a and sel_b", func(a, b, x bool) bool { return !a && b }},
		{"not (sel_a and sel_b)", func(a, b, x bool) bool { return !(a && b) }},
		{"not not sel_a", func(a, b, x bool) bool { return a }},
		{"1 of them", func(a, b, x bool) bool { return a || b }},
		{"any of them", func(a, b, x bool) bool { return a || b }},
		{"all of them", func(a, b, x bool) bool { return a && b }},
		{"all of sel_*", func(a, b, x bool) bool { return a && b }},
		{"1 of *_b", func(a, b, x bool) bool { return b }},
		{"1 of *", func(a, b, x bool) bool { return a || b || x }},
		{"1 of _*", func(a, b, x bool) bool { return x }},
		{"sel_a and not 1 of *_b", func(a, b, x bool) bool { return a && !b }},
		{"SEL_A OR sel_b", nil},
		{"sel_a AND NOT sel_b", func(a, b, x bool) bool { return a && !b }},
		{"((sel_a))or(sel_b)", func(a, b, x bool) bool { return a || b }},
	} {
		t.Run(c.condition, func(t *testing.T) {
			text := "title: t\nlogsource: {category: application}\ndetection:\n  sel_a: {a: 1}\n  sel_b: {b: 1}\n  _x: {x: 1}\n  condition: " + c.condition + "\n"
			docs, err := Parse("t.yml", []byte(text))
			if c.want == nil {
				if err == nil {
					t.Fatal("names of selections are case-sensitive")
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			for i := range 8 {
				a, b, x := i&1 != 0, i&2 != 0, i&4 != 0
				var p []string
				for name, set := range map[string]bool{"a": a, "b": b, "x": x} {
					if set {
						p = append(p, name+"=1")
					}
				}
				if got := docs[0].Rule.Match(rec("", p...)); got != c.want(a, b, x) {
					t.Errorf("a=%v b=%v _x=%v: %v", a, b, x, got)
				}
			}
		})
	}
}

func TestZone(t *testing.T) {
	// given a rule for the small hours, and a record at 23:30 UTC
	u := rule(t, "application", "s: {'@timestamp|hour|lt': 6}\ncondition: s")
	v := NewView(time.FixedZone("CET", 3600))
	v.Reset(rec(""))
	// then it is 00:30 in the zone of the view
	if !u.MatchView(v) || u.Match(rec("")) {
		t.Error("the hour must be read in the zone of the view")
	}
}

// TestViewKeepsNothing holds one view against several records in turn.
func TestViewKeepsNothing(t *testing.T) {
	u := rule(t, "application", "s: {user.name: a, own: b}\nk: [needle]\ncondition: s or k")
	v := NewView(nil)
	for i, c := range []struct {
		r    *record.Record
		want bool
	}{
		{rec("", "user.name=a", "own=b"), true}, {rec("", "user.name=a"), false}, {rec("needle"), true}, {rec("", "own=b"), false},
		{rec("", "other=b", "own=b", "user.name=A"), true}, {rec("", "other=needle"), true}, {rec("", "own=b", "own=c", "user.name=x"), false},
	} {
		v.Reset(c.r)
		if got := u.MatchView(v); got != c.want {
			t.Errorf("record %d: %v", i, got)
		}
	}
}

func TestRouted(t *testing.T) {
	u := rule(t, "webserver", "s: {cs-method: GET, cs-uri-query|contains: '/x', sc-status: 200}\ncondition: s")
	nginx := record.LogSource{Categories: []string{"webserver", "application"}, Product: "nginx", Service: "access"}
	if !u.Routed(nginx) || u.Routed(record.LogSource{Categories: []string{"database"}}) {
		t.Error("routed by category")
	}
	if !u.Match(rec("", "http.request.method=GET", "url.original=/x?y=1", "http.response.status_code=200")) {
		t.Error("the names of Sigma's web server taxonomy are mapped")
	}
}
