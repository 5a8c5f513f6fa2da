package tuning

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestValues(t *testing.T) {
	for in, want := range map[string]string{ // the value's kind and one form, or what is said of it
		"203.0.113.9":                        "address 203.0.113.9",
		" ::ffff:203.0.113.9 ":               "address 203.0.113.9",
		"2001:DB8:0::7":                      "address 2001:db8::7",
		"203.0.113.77/24":                    "network 203.0.113.0/24",
		"203.0.113.9/32":                     "address 203.0.113.9",
		"::ffff:203.0.113.0/120":             "network 203.0.113.0/24",
		"2001:db8::/32":                      "network 2001:db8::/32",
		"0.0.0.0/0":                          "!too wide",
		"::/0":                               "!too wide",
		"10.0.0.0/8":                         "network 10.0.0.0/8",
		"203.0.113.0/33":                     "!is no network",
		"D41D8CD98F00B204E9800998ECF8427E":   "hash d41d8cd98f00b204e9800998ecf8427e",
		"hash:d41d8cd9":                      "!is no hash",
		"Evil.Example":                       "domain evil.example",
		"evil.example.":                      "domain evil.example",
		"domain:evil":                        "!is no domain",
		"domain:e vil.example":               "!is no domain",
		"пример.рф":                          "domain пример.рф",
		"HTTPS://Evil.Example/A?b":           "url https://evil.example/A?b",
		"url:evil.example/a":                 "!is no URL",
		"Anna":                               "account anna",
		"Anna@Shop.Example":                  "account anna@shop.example",
		"account:anna.keller":                "account anna.keller",
		"ACCOUNT: 203.0.113.9":               "account 203.0.113.9",
		"account:account:x":                  "account account:x",
		"anna.k":                             "account anna.k",
		"address:evil.example":               "!is no address",
		"":                                   "!no value",
		"account:":                           "!no value",
		"a\x00b":                             "!without control characters",
		"a\xff":                              "!without control characters",
		strings.Repeat("a", longestValue+1):  "!at most 2000 bytes",
		"account:" + strings.Repeat("a", 10): "account aaaaaaaaaa",
	} {
		v, err := ParseValue(in)
		got := v.Key()
		if err != nil {
			got = "!" + err.Error()
		}
		if w, wrong := strings.CutPrefix(want, "!"); wrong && (err == nil || !strings.Contains(got, w)) || !wrong && got != want {
			t.Errorf("%.60q: %s, want %s", in, got, want)
		}
	}
}

// What a value is printed as is read back as the same.
func FuzzValue(f *testing.F) {
	for _, s := range []string{"203.0.113.9", "2001:db8::/32", "account:hash:x", "evil.example", "https://e.example/x", "d41d8cd98f00b204e9800998ecf8427e", "K@x", "1.2.3.4/8", "İ.example"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		v, err := ParseValue(s)
		if err != nil {
			return
		}
		again, err := ParseValue(v.String())
		if err != nil || again != v {
			t.Fatalf("%q is %+v, printed %q, read back as %+v (%v)", s, v, v.String(), again, err)
		}
	})
}

func TestLines(t *testing.T) {
	x, err := ParseImport([]byte("\ufeffvalue,until,note\r\n"+`# drop list
203.0.113.9
203.0.113.0/24 ; SBL1
 account:anna.keller,2026-12-31,"left us, in anger"
evil.example # phishing
203.0.113.9
// nothing
10.0.0.0/3
anna,tomorrow
"bad
"a"b
old.example,2026-01-01
`), t0, t0.AddDate(0, 1, 0))
	if err != nil {
		t.Fatal(err)
	}
	month := t0.AddDate(0, 1, 0)
	want := Import{Format: "text", Expired: 1,
		Values: []Listed{{Address, "203.0.113.9", time.Time{}, month, ""}, {Network, "203.0.113.0/24", time.Time{}, month, "SBL1"},
			{Account, "anna.keller", time.Time{}, month, "left us, in anger"}, {Domain, "evil.example", time.Time{}, month, "phishing"}},
		Refused: []Refusal{{"line 9", "value", "the network 10.0.0.0/3 is too wide: at least /8 is needed"}, {"line 10", "until", `"tomorrow" is no time; write 2026-12-31 or 2026-12-31T18:00:00Z`},
			{"line 11", "columns", "a quotation mark is not closed"}, {"line 12", "columns", "text follows a closing quotation mark"}}}
	if d := cmp.Diff(want, x); d != "" {
		t.Error(d)
	}
}

// bundle makes a bundle of indicators, each with more properties.
func bundle(indicators ...string) []byte {
	var objects []string
	for n, x := range indicators {
		if !strings.HasPrefix(x, "{") {
			x = fmt.Sprintf(`{"type":"indicator","id":"indicator--%d","pattern_type":"stix","valid_from":"2026-01-01T00:00:00Z",%s}`, n, x)
		}
		objects = append(objects, x)
	}
	return []byte(`{"type":"bundle","id":"bundle--1","objects":[` + strings.Join(objects, ",\n") + `]}`)
}

func pattern(s string) string {
	b, _ := json.Marshal(s)
	return `"pattern":` + string(b)
}

func TestBundles(t *testing.T) {
	const sha = "aec070645fe53ee3b3763059376134f058cc337247c978add178b6ccdfb0019f"
	for _, tt := range []struct {
		name    string
		data    []byte
		want    []string // keys of values
		cut     []string
		refused []string // features
	}{
		{"an address", bundle(pattern("[ipv4-addr:value = '203.0.113.9']")), []string{"address 203.0.113.9"}, nil, nil},
		{"a network, in two ways", bundle(pattern("[ipv4-addr:value ISSUBSET '198.51.100.0/24' OR ipv4-addr:value = '203.0.113.0/24']")), []string{"network 198.51.100.0/24", "network 203.0.113.0/24"}, nil, nil},
		{"IPv6", bundle(pattern("[ipv6-addr:value = '2001:db8::1']")), []string{"address 2001:db8::1"}, nil, nil},
		{"a hash, in three spellings", bundle(pattern("[file:hashes.'SHA-256' = '" + sha + "'] OR [file:hashes.SHA256 = '" + strings.ToUpper(sha) + "'] OR [file:hashes.MD5 = 'd41d8cd98f00b204e9800998ecf8427e']")),
			[]string{"hash " + sha, "hash d41d8cd98f00b204e9800998ecf8427e"}, nil, nil},
		{"accounts", bundle(pattern("[user-account:user_id IN ('Anna', 'boris') OR user-account:account_login = 'eve']")), []string{"account anna", "account boris", "account eve"}, nil, nil},
		{"names", bundle(pattern("[domain-name:value = 'Evil.example']"), pattern("[url:value = 'https://evil.example/x']")), []string{"domain evil.example", "url https://evil.example/x"}, nil, nil},
		{"traffic", bundle(pattern("[network-traffic:src_ref.value = '203.0.113.9']")), []string{"address 203.0.113.9"}, nil, nil},
		{"what cannot be watched", bundle(pattern("[ipv4-addr:value = '203.0.113.9' AND network-traffic:dst_port = 443]"), pattern("[file:name MATCHES '^x']"), pattern("[ipv4-addr:value != '203.0.113.9']"),
			pattern("[ipv4-addr:value NOT = '203.0.113.9']"), pattern("[ipv4-addr:value = '203.0.113.9'] REPEATS 5 TIMES"), pattern("[ipv4-addr:value = '203.0.113.9'] FOLLOWEDBY [url:value = 'http://x/']"),
			pattern("[url:value LIKE 'http://x/%']"), pattern("[x-foo:bar = 1]"), pattern("[ipv4-addr:value = "), `"pattern":"","name":"x"`, pattern("[domain-name:value = 'ok.example']")),
			[]string{"domain ok.example"}, nil, []string{"operator AND", "object file:name", "operator !=", "operator NOT", "qualifier REPEATS", "operator FOLLOWEDBY", "operator LIKE", "object x-foo:bar", "pattern", "indicator"}},
		{"values that are none", bundle(pattern("[ipv4-addr:value = 'localhost']"), pattern("[ipv4-addr:value = '2001:db8::1']"), pattern("[file:hashes.MD5 = '"+sha+"']"), pattern("[ipv4-addr:value = 5]"), pattern("[ipv4-addr:value = '0.0.0.0/0']"), pattern("[ipv4-addr:value = '203.0.113.9']")),
			[]string{"address 203.0.113.9"}, nil, []string{"value", "value", "value", "value", "value"}},
		{"one of two can be watched", bundle(pattern("[ipv4-addr:value = '203.0.113.9'] OR [file:name = 'x']")), []string{"address 203.0.113.9"}, nil, []string{"object file:name"}},
		{"of another language", bundle(`"pattern":"rule x {}","pattern_type":"yara"`, pattern("[ipv4-addr:value = '203.0.113.9']")), []string{"address 203.0.113.9"}, nil, []string{"object"}},
		{"revoked", bundle(pattern("[ipv4-addr:value = '203.0.113.9']")+`,"revoked":true`, pattern("[ipv4-addr:value = '203.0.113.8']")), []string{"address 203.0.113.8"}, []string{"address 203.0.113.9"}, nil},
		{"of two versions the newer", bundle(`{"type":"indicator","id":"indicator--7","modified":"2026-03-01T00:00:00Z","pattern_type":"stix","revoked":true,`+pattern("[ipv4-addr:value = '203.0.113.9']")+`}`,
			`{"type":"indicator","id":"indicator--7","modified":"2026-02-01T00:00:00Z","pattern_type":"stix",`+pattern("[ipv4-addr:value = '203.0.113.9']")+`}`), nil, []string{"address 203.0.113.9"}, nil},
		{"ended before it began", bundle(pattern("[ipv4-addr:value = '203.0.113.9']")+`,"valid_until":"2025-01-01T00:00:00Z"`, pattern("[ipv4-addr:value = '203.0.113.8']")), []string{"address 203.0.113.8"}, nil, []string{"valid_until"}},
		{"over", bundle(pattern("[ipv4-addr:value = '203.0.113.9']")+`,"valid_until":"2026-02-01T00:00:00Z"`, pattern("[ipv4-addr:value = '203.0.113.8']")), []string{"address 203.0.113.8"}, nil, nil},
		{"other objects", bundle(`{"type":"malware","id":"malware--1"}`, `{"type":"relationship"}`, `{"id":"x"}`, pattern("[ipv4-addr:value = '203.0.113.9']")), []string{"address 203.0.113.9"}, nil, []string{"object"}},
		{"one indicator", []byte(`{"type":"indicator","pattern_type":"stix",` + pattern("[ipv4-addr:value = '203.0.113.9']") + `}`), []string{"address 203.0.113.9"}, nil, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if tt.name == "of another language" {
				tt.data = []byte(strings.Replace(string(tt.data), `"pattern_type":"stix","valid_from":"2026-01-01T00:00:00Z","pattern":"rule x {}",`, `"valid_from":"2026-01-01T00:00:00Z","pattern":"rule x {}",`, 1))
				tt.refused = []string{"pattern_type yara"}
			}
			x, err := ParseImport(tt.data, t0, time.Time{})
			if err != nil {
				t.Fatal(err)
			}
			var values, cut, refused []string
			for _, v := range x.Values {
				values = append(values, v.Key())
				if !v.From.IsZero() && !v.From.Equal(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)) {
					t.Errorf("%s counts from %v", v.Key(), v.From)
				}
			}
			for _, v := range x.Cut {
				cut = append(cut, v.Key())
			}
			for _, r := range x.Refused {
				refused = append(refused, r.Feature)
				if r.Where == "" || r.Why == "" {
					t.Errorf("%+v says too little", r)
				}
			}
			for _, d := range []string{cmp.Diff(tt.want, values), cmp.Diff(tt.cut, cut), cmp.Diff(tt.refused, refused)} {
				if d != "" {
					t.Error(d)
				}
			}
		})
	}
}

// What a file brings is brought again by the file that is written of it; and what is refused says where and why.
func FuzzImport(f *testing.F) {
	f.Add([]byte("203.0.113.9,2099-01-01,note\n# x\nevil.example ; y\n\"account:a,\"\"b\"\n"))
	f.Add(bundle(pattern("[ipv4-addr:value = '203.0.113.9'] OR [file:name = 'x']")))
	f.Add(bundle(pattern("[user-account:user_id IN ('a','b')]")+`,"revoked":true`, `{"type":"malware"}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		x, err := ParseImport(data, t0, time.Time{})
		if err != nil {
			return
		}
		var text strings.Builder
		var want []string
		for _, r := range x.Refused {
			if r.Where == "" || r.Feature == "" || r.Why == "" {
				t.Fatalf("%+v says too little", r)
			}
		}
		seen := map[string]bool{}
		for _, v := range x.Values {
			if !seen[v.Key()] {
				seen[v.Key()] = true
				want = append(want, v.Key())
				fmt.Fprintf(&text, "\"%s\"\n", strings.ReplaceAll(string(v.Kind)+":"+v.Text, `"`, `""`))
			}
		}
		if len(want) == 0 {
			return
		}
		again, err := ParseImport([]byte(text.String()), t0, time.Time{})
		var got []string
		for _, v := range again.Values {
			got = append(got, v.Key())
		}
		if d := cmp.Diff(want, got); d != "" || err != nil {
			t.Fatalf("%s (%v)\n%s", d, err, text.String())
		}
	})
}

func TestImportRefusesAFile(t *testing.T) {
	for name, x := range map[string]struct {
		data []byte
		says string
	}{
		"empty":               {nil, "holds nothing to watch"},
		"too large":           {make([]byte, MaxImport+1), "at most 16777216 are read"},
		"binary":              {[]byte{0xff, 0xfe, 0}, "no UTF-8"},
		"half a bundle":       {[]byte("{\"type\":\"bundle\",\n\"objects\":["), "line 2: "},
		"two bundles":         {append(bundle(), bundle()...), "more follows"},
		"a name twice":        {[]byte(`{"type":"bundle","objects":[],"objects":[{}]}`), `the name "objects" stands twice`},
		"no bundle":           {[]byte(`{"type":"report"}`), `its type is "report"`},
		"deep":                {[]byte(`{"type":` + strings.Repeat("[", 200)), "nested deeper than 100"},
		"nothing can be used": {[]byte("10.0.0.0/1\n"), "the first of 1 reasons: line 1: value: "},
		"all is over":         {[]byte("evil.example,2020-01-01\n"), "the time of its 1 values is over"},
		"too many":            {[]byte(many(MaxValues + 1)), "at most 100000 are taken"},
	} {
		if _, err := ParseImport(x.data, t0, time.Time{}); err == nil || !strings.Contains(err.Error(), x.says) {
			t.Errorf("%s: %v, want %q", name, err, x.says)
		}
	}
}

func many(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "10.%d.%d.%d\n", i>>16, i>>8&255, i&255)
	}
	return b.String()
}

func TestPatternErrorsHaveAPlace(t *testing.T) {
	for in, want := range map[string]string{
		"":                                "at character 1: an observation in brackets",
		"[ipv4-addr:value = 203.0.113.9]": "at character 20: ",
		"[a:b = 'x' ]]":                   "at character 13: ",
		"[a:b ~ 'x']":                     "at character 6: the character '~'",
		"[a:b = 'x\\n']":                  "at character 10: a backslash",
		"[a:b = 'x]":                      "at character 8: the quotation mark is not closed",
		"[a = 'x']":                       "at character 4: a colon",
		"[a:b IS 'x']":                    `at character 6: "IS" is no operator`,
		"[a:b IN 'x']":                    `at character 9: "("`,
		"[a:b = 'x'] WITHIN x SECONDS":    "at character 20: a number",
		"[a:b[x] = 1]":                    "at character 6: a whole number",
		strings.Repeat("(", 100):          "nested deeper than 32",
		"[" + strings.Repeat("(", 100):    "nested deeper than 32",
	} {
		if _, err := ParsePattern(in); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40q: %v, want %q", in, err, want)
		}
	}
}

// What is printed of a pattern is read back as the same pattern.
func FuzzPattern(f *testing.F) {
	for _, s := range []string{
		"[ipv4-addr:value = '203.0.113.9']",
		"[file:hashes.'SHA-256' = 'x' AND (a:b = 1 OR a:c IN ('d', h'00', t'2026-01-01T00:00:00Z', true, -1.5))] OR ([a:b[*].c[0] NOT LIKE 'x\\'\\\\'] FOLLOWEDBY [EXISTS a:b]) WITHIN 5 SECONDS",
		"([a:b == 1] AND [a:b <> 2] REPEATS 3 TIMES) START t'a' STOP t'b' OR [x-y:'z z' ISSUBSET '10.0.0.0/8']",
		"[a:b >= 1 OR a:b < 2 OR a:b ISSUPERSET 'x' OR a:b MATCHES '^x$']",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		p, err := ParsePattern(s)
		if err != nil {
			return
		}
		again, err := ParsePattern(p.String())
		if err != nil || !reflect.DeepEqual(again, p) {
			t.Fatalf("%q was printed as %q, and read back as %+v (%v)", s, p.String(), again, err)
		}
		values, refused := p.Listed()
		if len(values)+len(refused) == 0 {
			t.Fatalf("%q: nothing is watched, and nothing refused", s)
		}
		for _, v := range values {
			if w, err := NewValue(v.Kind, v.Text); err != nil || w != v {
				t.Fatalf("%q: the value %+v is not in its one form: %+v (%v)", s, v, w, err)
			}
		}
	})
}

func TestSet(t *testing.T) {
	value := func(s string, more ...time.Time) Listed {
		v, err := ParseValue(s)
		if err != nil {
			t.Fatal(err)
		}
		if len(more) == 2 {
			v.From, v.Until = more[0], more[1]
		}
		return v
	}
	s := NewSet([]Lister{
		{1, "low", []Listed{value("203.0.113.0/24"), value("anna"), value("2001:db8::/32"), value("evil.example")}},
		{2, "high", []Listed{value("203.0.113.9", t0, t0.Add(time.Hour)), value("203.0.0.0/16"), value("d41d8cd98f00b204e9800998ecf8427e")}},
		{3, "medium", []Listed{value("203.0.113.9"), value("https://evil.example/x")}},
	})
	for _, tt := range []struct {
		kind Kind
		text string
		at   time.Duration
		want Hit
	}{
		{Address, "203.0.113.9", 0, Hit{2, "high", Address}},
		{Address, "203.0.113.9", -time.Second, Hit{2, "high", Network}},
		{Address, "203.0.113.9", time.Hour, Hit{2, "high", Network}},
		{Address, "::ffff:203.0.113.9", 0, Hit{2, "high", Address}},
		{Address, "203.1.0.1", 0, Hit{}},
		{Address, "2001:db8:1::9%eth0", 0, Hit{1, "low", Network}},
		{Address, "2001:db9::9", 0, Hit{}},
		{Address, "no address", 0, Hit{}},
		{Address, "", 0, Hit{}},
		{Account, "Anna", 0, Hit{1, "low", Account}},
		{Account, "annabel", 0, Hit{}},
		{Hash, "D41D8CD98F00B204E9800998ECF8427E", 0, Hit{2, "high", Hash}},
		{Domain, "www.Evil.example", 0, Hit{1, "low", Domain}},
		{Domain, "devil.example", 0, Hit{}},
		{Domain, "example", 0, Hit{}},
		{URL, "https://evil.example/x", 0, Hit{3, "medium", URL}},
	} {
		look := func() (Hit, bool) { return s.Text(tt.kind, tt.text, t0.Add(tt.at)) }
		if tt.kind == Address {
			look = func() (Hit, bool) { return s.Address(tt.text, t0.Add(tt.at)) }
		}
		if got, ok := look(); got != tt.want || ok != (tt.want != Hit{}) {
			t.Errorf("%s %q: %+v, want %+v", tt.kind, tt.text, got, tt.want)
		}
	}
	none := NewSet(nil)
	if _, ok := none.Address("203.0.113.9", t0); ok || none.Has(Hash) {
		t.Error("no list has a hit")
	}
	text := "203.0.113.77"
	if n := testing.AllocsPerRun(100, func() { s.Address(text, t0); s.Text(Account, "bob", t0) }); n != 0 {
		t.Errorf("a look-up allocates %v times", n)
	}
}

func BenchmarkSet(b *testing.B) {
	var values []Listed
	for i := range 100_000 {
		values = append(values, Listed{Kind: Address, Text: fmt.Sprintf("10.%d.%d.%d", i>>16, i>>8&255, i&255)})
	}
	for i := range 200 {
		values = append(values, Listed{Kind: Network, Text: fmt.Sprintf("172.16.%d.0/%d", i, 24)}, Listed{Kind: Network, Text: fmt.Sprintf("172.%d.0.0/16", i%16+16)})
	}
	s := NewSet([]Lister{{1, "high", values}})
	b.ReportAllocs()
	for b.Loop() {
		s.Address("203.0.113.9", t0)
	}
}
