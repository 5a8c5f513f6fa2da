package query_test

import (
	"bytes"
	"flag"
	"os"
	"strings"
	"testing"

	"tocsin/internal/query"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write golden files anew")

// refused are texts that cannot be read; testdata/errors.golden has what is said of each.
var refused = []string{
	"(", "(a", "a)", ")", "()", "a and", "and", "or", "a or", "or a", "a and and b", "not", "a not", "- a and", "-(", "a and)", "(a or )", "a || ", "&& a", "in", "in (a)",
	`"open`, `""`, `user="open`, "user=", "user= and x", "user= | top ip", "user~\"\"", "user in", "user in (", "user in ()", "user in (a", "user in (a b)", "user in a, b", "user in (a, )", "user not in",
	"eval($_POST", `a"b"`, "user=f(x)",
	"statuss=200", "uesr=anna", "usr=x | top usre", "urlpath=x", "source.ipp=1", "user.nmae=anna", `""=x`,
	"status>=5oo", "bytes>10kg", "duration>2", "duration>2x", "ip>10.0.0.1", "took>3s", `n<""`, "status>1e400",
	"/(/", "path~/[/", "/a{2000}/", "/(?=x)/", "/(.{1000}){2}/", "failed in checkout", "PHP Fatal error: Uncaught x", "kernel:", "user in checkout, b",
	"since", "since yesteday", "since 25:00", "since 2026-13-40", "since 1950-01-01", "since 9999999w", "since 2h since 1h", "until 2h until 1h", "last 2h since 1h", "since 1h until 2h",
	"a or since 2h", "(since 2h)", "not since 2h", "-since 2h", "-(a) -(since 1h)", "between 2h", "between 2h or 1h", "between 1h and 2h", "on 14:00", "on", "on fire", "last", "last orders", "last m",
	"since 2026-11-20 10:00 Europe/Berlin", "time>yesteday", "time in (a)", "time~x", `time="2h"`, "time=(a)", "time=",
	"|", "a |", "| top", "| tpo ip", "| stats count", "| where x", "| top ip 0", "| top ip 5000", "| top ip ip", "| top usre", "| top time", "| rare", "| count(user)", "| count by", "| count by time", "| count by user,",
	"| count by user, user", "| count by 7m", "| count by 1m, 5m", "| count by 5x", "| count by 400d", "| count by a,b,c,d,e,f", "| sum", "| sum(", "| sum(bytes", "| sum(ip)", "| sum()", "| avg(host)", "| timeline 7m", "| timeline x",
	"| session", `| session ""`, `| session "x`, "| fields", "| fields a,,b", "| sort", "| top ip | sort user", "| sort usre", "| head 0", "| head 20000", "| head x", "| tail -1",
	"| top ip | top user", "| top ip | count", "| sort ip | top ip", "| head 5 | top ip", "| sort ip | sort user", "| fields a | top ip", "| top ip | fields a", "| top ip | session x", "| session x | session y", "| top ip 5 x",
	"| head 1 | head 1 | head 1 | head 1 | head 1 | head 1 | head 1 | head 1 | head 1",
	"a\x00(b \u202e)", "zwölf größe (", strings.Repeat("langer text ", 20) + "(", "\xff", strings.Repeat("(", 121) + "a" + strings.Repeat(")", 121), strings.Repeat("a ", 257), strings.Repeat("a", 4097),
	strings.Repeat("/a{990}/ ", 9), strings.Repeat("(a (b or ", 21) + "c" + strings.Repeat("))", 21), strings.Repeat("time=today ", 130),
}

// Given a text that cannot be read, when it is parsed, then the error says where, why, and how to mend it.
func TestRefusals(t *testing.T) {
	var b bytes.Buffer
	for _, text := range refused {
		q, err := query.Parse(text, now, berlin)
		if err == nil {
			t.Errorf("%q is read as %s", text, q)
			continue
		}
		b.WriteString(err.(*query.Error).Show(text) + "\n\n")
	}
	golden(t, "testdata/errors.golden", b.Bytes())
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (-want +got); write it anew with -update:\n%s", name, diff)
	}
}
