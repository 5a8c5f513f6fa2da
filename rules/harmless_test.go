package rules

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tocsin/internal/detect"
	"tocsin/internal/intake"
	"tocsin/internal/record"
)

// What customers, their browsers, partners and search engines ask of a shop, each line a request of its own: the URI, and
// behind a tab the referring address. None may raise an alert of level medium or above, however much it looks like code.
// The requests were made up for this test.
func TestHarmlessRequests(t *testing.T) {
	data, err := os.ReadFile(filepath.Join("testdata", "harmless.txt"))
	if err != nil {
		t.Fatal(err)
	}
	docs := load(t)
	rules, _, _ := detect.Load(docs)
	names := map[string]string{}
	for _, d := range docs {
		names[d.Meta().ID] = d.Meta().Name
	}
	p, err := intake.New(intake.Options{})
	if err != nil {
		t.Fatal(err)
	}
	d := detect.New(rules, detect.Options{})
	asked := map[string]string{}
	for n, line := range strings.Split(strings.TrimSpace(string(data)), "\n") {
		if strings.HasPrefix(line, "#") {
			continue
		}
		uri, referrer, ok := strings.Cut(line, "\t")
		if !ok {
			referrer = "-"
		}
		address := fmt.Sprintf("198.18.%d.%d", n/250, n%250)
		asked[address] = line
		at := time.Date(2026, 11, 10, 0, n, 0, 0, time.UTC)
		raw := fmt.Sprintf(`%s - - [%s] "GET %s HTTP/1.1" 200 512 "%s" "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36"`,
			address, at.Format("02/Jan/2006:15:04:05 -0700"), asLogged(uri), asLogged(referrer))
		r := p.Parse(record.Line{File: "access.log", Seq: int64(n + 1), Raw: raw}, at)
		if r.Class != record.Parsed {
			t.Fatalf("not parsed: %s", raw)
		}
		for _, c := range d.Step(r) {
			if c.Step != detect.Ended && (c.Alert.Level == "medium" || c.Alert.Level == "high" || c.Alert.Level == "critical") {
				t.Errorf("%s says %v of %s", names[c.Alert.Rule], c.Alert.Level, line)
			}
		}
	}
	if len(asked) < 150 {
		t.Errorf("only %d requests", len(asked))
	}
}

// asLogged writes a text as nginx does: quotes, backslashes, control characters and bytes beyond ASCII as \xHH.
func asLogged(s string) string {
	var b strings.Builder
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			fmt.Fprintf(&b, `\x%02X`, c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}
