package desk

import (
	"cmp"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
)

// columned writes requests as a W3C log (IIS) does, which begins anew with its columns in another order.
func columned(lines []string) []byte {
	var b strings.Builder
	heads := []string{"date time s-ip cs-method cs-uri-stem cs-uri-query c-ip sc-status", "date time c-ip cs-method cs-uri-stem cs-uri-query s-ip sc-status"}
	for n, l := range lines {
		if half := len(lines) / 3; n%half == 0 && n/half < len(heads) {
			b.WriteString("#Software: Microsoft Internet Information Services 10.0\n#Version: 1.0\n#Fields: " + heads[n/half] + "\n")
		}
		client, rest, _ := strings.Cut(l, " ")
		at, err := time.Parse("02/Jan/2006:15:04:05 -0700", l[strings.IndexByte(l, '[')+1:strings.IndexByte(l, ']')])
		if err != nil {
			panic(err)
		}
		_, path, _ := strings.Cut(rest, "GET ")
		path, _, _ = strings.Cut(path, " ")
		stem, query, _ := strings.Cut(path, "?")
		from, to := client, "198.51.100.1"
		if n < len(lines)/3 {
			from, to = to, from
		}
		b.WriteString(at.UTC().Format("2006-01-02 15:04:05 ") + from + " GET " + stem + " " + cmp.Or(query, "-") + " " + to + " 200\n")
	}
	return []byte(b.String())
}

// With --since, what is too old for any window is not read where a file is in order of time, and what is said is the same as if it
// were.
func TestReplaySincePassesOver(t *testing.T) {
	set := testRules(t, countRule)
	start := time.Date(2026, 8, 1, 0, 0, 0, 0, time.UTC)
	const days, each = 90, 200
	var lines, other []string
	for n := range days * each {
		at := start.Add(time.Duration(n) * 24 * time.Hour / each)
		path := fmt.Sprintf("/shop/%d?%s", n, strings.Repeat("x", 100))
		switch n % 911 {
		case 0:
			path = "/evil"
		case 1, 2, 3, 4, 5, 6, 7:
			path = "/knock"
		}
		lines = append(lines, request(at, fmt.Sprintf("192.0.2.%d", n/911%200), path))
		other = append(other, request(at, "198.51.100.7", path))
	}
	text := func(lines []string) []byte { return []byte(strings.Join(lines, "\n") + "\n") }
	shuffled := slices.Clone(lines)
	rand.New(rand.NewPCG(1, 1)).Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
	old := text(other[:30*each])
	for _, x := range []struct {
		name   string
		file   fstest.MapFS
		passes bool
		gone   int
	}{
		{"one large file", fstest.MapFS{"access.log": {Data: text(lines)}}, true, 0},
		{"and one that ends before", fstest.MapFS{"access.log": {Data: text(lines)}, "old.log": {Data: old}}, true, 1},
		{"with lines of no format between", fstest.MapFS{"access.log": {Data: []byte(strings.ReplaceAll(string(text(lines)), "\n192", "\nno line\n192"))}}, true, 0},
		{"with other columns from some line on", fstest.MapFS{"u_ex.log": {Data: columned(lines)}}, false, 0},
		{"packed", fstest.MapFS{"access.log": {Data: zipped(t, "gzip", string(text(lines)))}}, false, 0},
		{"not in order", fstest.MapFS{"access.log": {Data: text(shuffled)}}, false, 0},
	} {
		t.Run(x.name, func(t *testing.T) {
			o := ReplayOptions{Folders: []fs.FS{x.file}, Rules: set.Rules, Since: start.AddDate(0, 0, 60)}
			got, err := RunReplay(t.Context(), o)
			if err != nil {
				t.Fatal(err)
			}
			o.whole = true
			want, err := RunReplay(t.Context(), o)
			if err != nil {
				t.Fatal(err)
			}
			for _, out := range []*Replay{&got, &want} { // ids count lines from where reading begins
				for n := range out.Alerts {
					out.Alerts[n].ID = ""
				}
				for n := range out.Incidents {
					out.Incidents[n].Members = nil
				}
			}
			if len(want.Alerts) < 5 {
				t.Fatalf("%d alerts", len(want.Alerts))
			}
			if d := gocmp.Diff(want.Alerts, got.Alerts); d != "" {
				t.Errorf("(-read whole +passed over) %s", d)
			}
			if d := gocmp.Diff(want.Incidents, got.Incidents); d != "" {
				t.Errorf("(-read whole +passed over) %s", d)
			}
			if p := got.Passed; (p.Bytes > 0) != x.passes || p.Files != x.gone {
				t.Errorf("passed over %+v", p)
			}
			if x.passes && got.Lines > want.Lines*45/90 {
				t.Errorf("%d of %d lines were read", got.Lines, want.Lines)
			}
		})
	}
}
