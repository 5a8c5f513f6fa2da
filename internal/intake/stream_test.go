package intake

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tocsin/internal/record"
)

var streamLines = []string{
	"/usr/sbin/mariadbd, Version: 10.11.19-MariaDB (Debian 12). started with:",
	"Time\t\t    Id Command\tArgument",
	"261109 15:40:00\t  2499 Quit\t",
	"\t\t  2500 Query\tSELECT 1,",
	"  2 FROM a",
	"",
	"\t\t  2500 Quit\t",
}

// Given lines of several files, when a parser is stopped anywhere and another goes on from its snapshot, then the
// records and counts are those of one that was never stopped.
func TestSnapshotGoesOn(t *testing.T) {
	var lines []record.Line
	for i, text := range streamLines {
		lines = append(lines, record.Line{File: "general.log", Raw: text, Seq: int64(i)},
			record.Line{Host: "shop2", File: "general.log", Raw: strings.ReplaceAll(text, "2611", "2610"), Seq: int64(i)},
			record.Line{File: "nginx/error.log", Raw: []string{"2022/04/05 04:45:57 [error] 8#8: *1 x, client: 203.0.113.7", "Stack trace:"}[i%2], Seq: int64(i)})
	}
	whole := parser(t, Options{})
	var want []*record.Record
	for _, l := range lines {
		want = append(want, whole.Parse(l, hint))
	}
	for cut := range lines {
		first := parser(t, Options{})
		for _, l := range lines[:cut] {
			first.Parse(l, hint)
		}
		snap, err := first.Snapshot()
		if err != nil {
			t.Fatal(err)
		}
		second := parser(t, Options{})
		second.Parse(record.Line{File: "else", Raw: "x"}, hint) // goes with Restore
		if err := second.Restore(snap); err != nil {
			t.Fatal(err)
		}
		for i, l := range lines[cut:] {
			if got := second.Parse(l, hint); !reflect.DeepEqual(got, want[cut+i]) {
				t.Fatalf("cut at %d, line %d %q:\n%s\nwant\n%s", cut, cut+i, l.Raw, shown(got), shown(want[cut+i]))
			}
		}
		if got := second.Counts(); !reflect.DeepEqual(got, whole.Counts()) {
			t.Fatalf("cut at %d: counts %+v, want %+v", cut, got, whole.Counts())
		}
	}
	c := whole.Counts()[0]
	want0 := Count{File: "general.log", Format: "mysql-general", Lines: 7, Parsed: 3, Header: 2, Continuation: 1, Last: date(t, "2026-11-09T15:40:00Z")}
	if c != want0 {
		t.Errorf("counts %+v, want %+v", c, want0)
	}
}

// Given a snapshot that is none, when it is restored, then that is an error and the state stays.
func TestRestoreRefuses(t *testing.T) {
	for _, data := range []string{"", "{", `{"version":2}`, `{"version":1,"streams":[null]}`, `{"version":1,"stream":[]}`} {
		p := parser(t, Options{})
		p.Parse(record.Line{File: "a", Raw: "x"}, hint)
		if err := p.Restore([]byte(data)); err == nil {
			t.Errorf("%q is taken", data)
		}
		if len(p.Counts()) != 1 {
			t.Errorf("%q changed the state", data)
		}
	}
}

// Given a format that panics, when it reads a line, then that costs this line only, and is counted with its text.
func TestPanicCostsOneLine(t *testing.T) {
	p := parser(t, Options{})
	broken := func(_ *Parser, _ *stream, r *record.Record, text string, _ time.Time) bool {
		r.Set(record.SourceIP, record.Text("9.9.9.9"))
		return text[:4] == "boom" && text[100] == 0
	}
	p.formats = append([]format{{name: "broken", read: broken}}, p.formats...)
	const good = "Nov  9 01:00:00 h sshd[1]: Invalid user x from 203.0.113.7 port 5"
	for _, l := range []string{good, "boom", good} {
		r := p.Parse(record.Line{File: "a", Raw: l}, hint)
		if l == "boom" && (r.Class != record.Unparsed || r.Text(record.SourceIP) != "") {
			t.Errorf("the broken line is %s", shown(r))
		}
		if l == good && r.Text(record.SourceIP) != "203.0.113.7" {
			t.Errorf("a good line is %s", shown(r))
		}
	}
	c := p.Counts()[0]
	if c.Panics != 1 || c.Unparsed != 1 || c.Parsed != 2 || !strings.Contains(c.PanicText, "index out of range") || !strings.Contains(c.PanicText, "stream_test.go:") {
		t.Errorf("%+v", c)
	}
}

// Given a format's name, when a parser is made with it, then only that format is read; an unknown name is refused with
// the known ones.
func TestAs(t *testing.T) {
	const line = `203.0.113.7 - - [10/Oct/2000:13:55:36 +0000] "GET / HTTP/1.1" 200 1`
	if r := parse(t, Options{As: "combined"}, line); r.Class != record.Parsed {
		t.Errorf("as combined it is %s", r.Class)
	}
	for _, as := range Formats() {
		r := parse(t, Options{As: as}, line, line)
		if as != "combined" && r.Class != record.Unparsed {
			t.Errorf("as %s it is %s", as, r.Class)
		}
	}
	_, err := New(Options{As: "iis"})
	if err == nil || !strings.Contains(err.Error(), `"iis"`) || !strings.Contains(err.Error(), "combined, ") {
		t.Errorf("as iis: %v", err)
	}
}

// Given a file whose lines hostile text began, when it goes on, then it is not read as a general log for good.
func TestHostileLineDoesNotTurnAFile(t *testing.T) {
	const good = `{"ts":"2026-11-09T00:00:01Z","event":"x","ip":"203.0.113.7"}`
	r := parse(t, Options{}, good, "\t\t 5 Query\tSELECT 1", "Time\tId Command\tArgument", good)
	if r.Format != "app-json" || r.Class != record.Parsed {
		t.Errorf("%s", shown(r))
	}
}

// Given the beginning of a file, when it is asked for, then a log is known and other files are not.
func TestKnown(t *testing.T) {
	for _, c := range []struct {
		want  string
		lines []string
	}{
		{"combined", []string{`203.0.113.7 - - [10/Oct/2000:13:55:36 +0000] "GET / HTTP/1.1" 200 1`}},
		{"mysql-general", append([]string{"  FROM a", " WHERE b", " AND c", " AND d", " AND e"}, streamLines[2:]...)},
		{"syslog", []string{"Nov  9 13:06:59 shop1 frobd[5]: frobbed"}},
		{"syslog", []string{"", "cut off at the left", "Nov  9 13:06:59 shop1 frobd[5]: frobbed"}},
		{"", nil},
		{"", []string{"", " "}},
		{"", []string{"# comment", "1.2.3.4\tDE", "1.2.3.0/24\tAT"}},
		{"", []string{"{", ` "id": 1,`, ` "ts": "2026-11-09T00:00:01Z"`, "}"}},
		{"", []string{`{"a":1}`}},
		{"", []string{".htaccess\t898\t2026-11-22T03:43:16Z\t525ca208"}},
	} {
		if got, ok := Known(c.lines); got != c.want || ok != (c.want != "") {
			t.Errorf("%q: %q %v, want %q", c.lines, got, ok, c.want)
		}
	}
	for path, want := range map[string]string{
		"range-a/logs/access.log": "combined", "range-a/logs/auth.log": "syslog", "range-a/logs/app.jsonl": "app-json", "range-a/logs/xferlog": "xferlog",
		"range-a/logs/vsftpd.log": "vsftpd", "range-a/logs/mariadb-general.log": "mysql-general", "range-a/same/access.json": "nginx-json",
		"range-a/geo.tsv": "", "range-a/truth.json": "", "range-a/labels.tsv": "", "range-a/manifest.json": "", "range-a/tree/tree_after.tsv": "", "README.md": "",
	} {
		t.Run(filepath.Base(path), func(t *testing.T) {
			lines := logLines(t, path)
			if got, _ := Known(lines[:min(len(lines), 50)]); got != want {
				t.Errorf("%s is taken for %q, want %q", path, got, want)
			}
		})
	}
}

// The snapshot's form is what a restart reads.
func TestSnapshotForm(t *testing.T) {
	p := parser(t, Options{})
	p.Parse(record.Line{File: "a.log", Raw: `2022/04/05 04:45:57 [error] 8#8: *1 x, client: 203.0.113.7`}, hint)
	got, err := p.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"version":1,"streams":[{"file":"a.log","format":"nginx-error","lines":1,"parsed":1,"last":"2022-04-05T04:45:57Z","open":true,"product":"nginx"}]}`
	if string(got) != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
	if !json.Valid(got) || !slices.Contains(Formats(), "nginx-error") {
		t.Error("not JSON")
	}
}

// Given the manual's table of logs, when it is compared with the formats, then it names each of them, and no other.
func TestManualNamesFormats(t *testing.T) {
	text, err := os.ReadFile("../../doc/logs.md")
	if err != nil {
		t.Fatal(err)
	}
	var named []string
	for l := range strings.Lines(string(text)) {
		name, ok := strings.CutPrefix(l, "| `")
		if name, _, _ = strings.Cut(name, "`"); ok && !strings.Contains(name, ".") && name != "--as" {
			named = append(named, name)
		}
	}
	slices.Sort(named)
	if d := cmp.Diff(Formats(), named); d != "" {
		t.Error(d)
	}
}

// Given lines of other programs that look a little like a known log, when they are read, then they are left alone.
func TestOtherProgramsLines(t *testing.T) {
	for _, l := range []string{
		"2026-01-02 10:00:00,123 INFO: x",
		"2026-01-02 10:00:00,123 ERROR:  x",
		"2026-01-02 10:00:00,123 [12] ERROR: x",
		"1151826125 anna 203.0.113.7 U 42 1 /a",
		`203.0.113.7 anna "PUT /a" 200 42`,
		"type=USER_LOGIN msg=audit(x:1): addr=203.0.113.7",
		"161209 14:18:50 [Trace] x",
		"2026-01-02 10:00:00 UTC,x,y",
		`{"timestamp":"x","error_severity":"FATAL","message":"y"}`,
		"#Fields: date time",
	} {
		if r := parse(t, Options{}, l); r.Class == record.Parsed && r.Format != "app-json" {
			t.Errorf("%q is read as %s", l, r.Format)
		}
	}
}

// Given a csvlog entry whose statement has line feeds and a line like an entry, when it is read, then only the entry's own
// begin counts, and the next entry is read again; also over a restart.
func TestCSVLogOverLines(t *testing.T) {
	lines := []string{
		`2021-01-04 00:05:12.999 UTC,"a","b",34,"203.0.113.7:42304",5ff25bb2.22,3,"idle",2021-01-04 00:05:06 UTC,3/2,0,LOG,00000,"statement: SELECT 1`,
		`2021-01-04 00:05:58.232 UTC,""x"",""db"",36,""9.9.9.9:5"",5ff.24,2,""a"",2021-01-04 00:05:58 UTC,3/9,0,FATAL,28P01,""password authentication failed for user """"x""""""`,
		`LIMIT 1000",,,,,,,,,"psql"`,
		`2021-01-04 00:05:17.146 UTC,"a","b",34,"203.0.113.7:42304",5ff25bb2.22,4,"idle",2021-01-04 00:05:06 UTC,3/3,0,LOG,00000,"statement: SELECT 2",,,,,,,,,"psql"`,
	}
	p := parser(t, Options{})
	want := []record.Class{record.Parsed, record.Continuation, record.Continuation, record.Parsed}
	for i, l := range lines {
		r := p.Parse(record.Line{File: "f", Raw: l}, hint)
		if r.Class != want[i] || r.Text(record.SourceIP) == "9.9.9.9" {
			t.Errorf("line %d: %s", i, shown(r))
		}
		snap, err := p.Snapshot()
		if err != nil {
			t.Fatal(err)
		}
		p = parser(t, Options{})
		if err := p.Restore(snap); err != nil {
			t.Fatal(err)
		}
	}
}
