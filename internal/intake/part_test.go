package intake

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tocsin/internal/record"
)

// told is all that a record says, in words.
func told(r *record.Record) string {
	var b strings.Builder
	fmt.Fprint(&b, r.Class, r.Format, r.Time, r.Source, r.Line.Offset)
	for name, v := range r.Fields {
		fmt.Fprintf(&b, " %s=%q/%d", name, v.Text, v.Kind)
	}
	return b.String()
}

// A file that is read in parts, each begun with a state that is a guess and read again when the guess did not fit, says what it says
// when it is read through: FuzzParts tries it on any text, this on the logs at hand.
func TestParts(t *testing.T) {
	var files []string
	for _, dir := range []string{"../../sample", "../../../shared/data/range-a/logs"} {
		_ = filepath.WalkDir(dir, func(name string, d os.DirEntry, err error) error {
			if err == nil && d.Type().IsRegular() {
				files = append(files, name)
			}
			return nil
		})
	}
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(string(b), "\n")
		inParts(t, filepath.Base(name), lines[:min(len(lines), 3000)], 1)
	}
}

func inParts(t *testing.T, file string, lines []string, seed uint64) {
	t.Helper()
	hint := time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC)
	through, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	for n, l := range lines {
		want = append(want, told(through.Parse(record.Line{File: file, Offset: int64(n), Raw: l}, hint)))
	}
	parts, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	read := func(from, to int, s State) (got []string, end State, borrowed bool) {
		parts.Begin(file, s)
		for n := from; n < to; n++ {
			got = append(got, told(parts.Parse(record.Line{File: file, Offset: int64(n), Raw: lines[n]}, hint)))
		}
		end, borrowed = parts.End(file)
		return got, end, borrowed
	}
	chance := rand.New(rand.NewPCG(seed, 1))
	var end, guess State
	for from := 0; from < len(lines); {
		to := min(from+1+chance.IntN(20), len(lines))
		got, ended, borrowed := read(from, to, guess)
		if !guess.Fits(end, borrowed) {
			got, ended, _ = read(from, to, end)
		}
		for k, is := range got {
			if is != want[from+k] {
				t.Fatalf("%s, line %d: %q\nin parts %s\nthrough  %s", file, from+k+1, lines[from+k], is, want[from+k])
			}
		}
		if chance.IntN(3) == 0 {
			guess = ended
		}
		from, end = to, ended
	}
}

// FuzzParts: wherever a text is cut, it says the same.
func FuzzParts(f *testing.F) {
	f.Add("Time\t\t    Id Command\tArgument\n261109 14:00:00\t    1 Query\tSELECT 1\n\t\t    1 Query\tSELECT\n2\n", uint64(3))
	f.Add("[2026-11-09T14:00:00.000000+00:00] main.CRITICAL: it broke {\"exception\":\"one\n[stacktrace]\n#0 a.php(1): f()\n\"} []\n", uint64(4))
	f.Add("192.0.2.1 - - [09/Nov/2026:14:00:00 +0000] \"GET / HTTP/1.1\" 200 5 \"-\" \"x\"\n\nNov  9 14:00:00 shop1 sshd[1]: Failed password for root from 198.51.100.7 port 5 ssh2\n", uint64(5))
	f.Add("#Software: Microsoft Internet Information Services 10.0\n#Version: 1.0\n#Fields: date time c-ip cs-method cs-uri-stem sc-status cs(User-Agent)\n2026-11-09 14:00:00 192.0.2.1 GET / 200 x\n", uint64(6))
	f.Add("# Time: 2026-11-09T14:00:00.000000Z\n# User@Host: shop[shop] @ web [192.0.2.1]  Id: 7\n# Query_time: 2.1  Lock_time: 0.0 Rows_sent: 1  Rows_examined: 9\nSET timestamp=1762696800;\nSELECT 1\nFROM t;\n", uint64(7))
	f.Fuzz(func(t *testing.T, text string, seed uint64) {
		lines := strings.Split(text, "\n")
		inParts(t, "access.log", lines[:min(len(lines), 200)], seed)
	})
}
