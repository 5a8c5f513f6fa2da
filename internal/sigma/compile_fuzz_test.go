package sigma

import (
	"regexp"
	"strings"
	"testing"
)

// The law of the compiled set: it says what its rules say, each held by itself, whatever the rules and the records are.
func FuzzSet(f *testing.F) {
	for _, s := range []string{
		"a|contains: [abc, 'x*y?z', \"\\u212A\"]", "url.original|re|i: '(?:foo|ba[rz])+\\d{2,}k'", "http.response.status_code: [200, 404]",
		"'|all': [one, two]", "user.name|cased|endswith: Anna", "a|windash|contains: ' -exec '", "a|base64offset|contains: hello", "source.ip|cidr: 192.0.2.0/24",
		"a|neq: ''", "a: null", "a|exists: false", "a|fieldref|contains: url.path", "'@timestamp|hour|lt': 6", "a|startswith: ſk", "a|wide|base64: x",
	} {
		f.Add("title: t\nlogsource: {category: application}\ndetection:\n  s:\n    "+s+"\n  other:\n    - {b: 1, c|contains: ['%', '<a']}\n    - loose words\n  condition: s or not other\n", uint64(1))
		f.Add("title: t\nlogsource: {category: webserver}\ndetection:\n  s:\n    "+s+"\n  condition: s\n", uint64(2))
	}
	f.Fuzz(func(t *testing.T, text string, seed uint64) {
		docs, _ := Parse("fuzz.yml", []byte(text))
		var rules []*Rule
		for _, d := range docs {
			if d.Rule != nil {
				rules = append(rules, d.Rule)
			}
		}
		if len(rules) > 0 && len(rules) < 20 {
			sameAsRules(t, rules, seed, 20)
		}
	})
}

// Where a regular expression matches, one of the literals that it needs stands.
func FuzzNeed(f *testing.F) {
	for _, s := range [][2]string{
		{`(?i)union\s+(?:all\s+)?select`, "UNION  ALL SELECT"}, {`(?:foo|ba[rz])+`, "xbazy"}, {`[Kk]ey=.*\d`, "\u212Aey=1"}, {`a?b?c`, "c"},
		{`(?:a|b|c)(?:d|e)(?:ab|x)*f`, "cdf"}, {`x{2,3}y{0}z`, "xxz"}, {`(?s)\x00.\xff`, "\x00a\u00ff"}, {`^(?:GET|POST) /`, "GET /"}, {"\ufffdab", "\xffab"},
	} {
		f.Add(s[0], s[1])
	}
	f.Fuzz(func(t *testing.T, expr, text string) {
		re, err := regexp.Compile(expr)
		if err != nil || len(expr) > 200 || len(text) > 2000 {
			return
		}
		need := regexNeed(expr)
		if need != nil && re.MatchString(text) && !has(Fold(text), need) {
			t.Fatalf("%q matches %q, in which none of %q stands", expr, text, need)
		}
		for _, l := range need {
			if len(l) < minLiteral || l != Fold(l) || strings.ContainsRune(l, 0xfffd) {
				t.Fatalf("%q needs %q", expr, l)
			}
		}
	})
}
