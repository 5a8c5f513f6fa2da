package notify

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files anew")

var begun = time.Date(2026, 5, 5, 22, 12, 7, 0, time.UTC)

func calls() map[string]Call {
	berlin := time.FixedZone("CEST", 2*60*60)
	plain := Call{
		Severity: "Critical", Title: "Gift cards are being guessed", At: begun, Zone: berlin,
		Known:    "412 gift-card checks from 3 addresses in 20 minutes; 7 cards were found. The addresses 203.0.113.9, 203.0.113.10 and 198.51.100.4 are in NL.",
		Answer:   "https://tocsin.shop.example/answer/AQAAAABoGTq3YW5uYQ",
		Incident: "https://tocsin.shop.example/incidents/12",
	}
	out := map[string]Call{"plain": plain}
	c := plain
	c.More, c.Twice = 3, true
	out["more-twice"] = c
	c = plain
	c.Sample, c.Zone, c.More = true, nil, 1
	out["sample-utc"] = c
	out["test"] = Call{Title: "Ring me now", Test: true, At: begun, Zone: berlin, Answer: plain.Answer}
	c = plain
	c.Title = "Web shell\r\nBcc: eve@evil.example\u202e used http:\u200b//evil.example"
	c.Known = strings.Repeat("Look at www.evil.example or https://evil.example/x\x00\x1b[2J. Ünï ", 60)
	out["hostile-long"] = c
	return out
}

func TestCallWords(t *testing.T) {
	for name, c := range calls() {
		t.Run(name, func(t *testing.T) {
			got := c.Subject() + "\n----\n" + c.Body()
			file := filepath.Join("testdata", "call-"+name+".txt")
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(string(want), got); d != "" {
				t.Error(d)
			}
		})
	}
}

// FuzzCall: whatever stands in a call, its words are bounded, clean, hold the links whole and no other address, and a
// sender changes nothing of them.
func FuzzCall(f *testing.F) {
	for _, c := range calls() {
		f.Add(c.Severity, c.Title, c.Known, c.More, c.Twice, c.Sample, c.Test)
	}
	f.Add("High", "://", "www.\r\n\r\n\n://\u2028x", -1, false, false, false)
	f.Add("High", ":\u200b//", "ww\u200bw.:\x00//", 1<<62, true, true, true)
	f.Fuzz(func(t *testing.T, severity, title, known string, more int, twice, sample, test bool) {
		c := Call{Severity: severity, Title: title, At: begun, Known: known, More: more, Twice: twice, Sample: sample, Test: test,
			Answer: "https://tocsin.shop.example/answer/1", Incident: "https://tocsin.shop.example/incidents/1"}
		subject, body := c.Subject(), c.Body()
		if len(subject) > maxSubject || len(body) > MaxText || !utf8.ValidString(subject+body) {
			t.Fatalf("%d and %d bytes: %q %q", len(subject), len(body), subject, body)
		}
		if oneLine(subject, maxSubject) != subject || lines(body, maxBody)+"\n" != body {
			t.Fatalf("not clean:\n%q\n%q", subject, body)
		}
		if strings.Count(body, c.Answer+"\n") != 1 || strings.Count(body, c.Incident+"\n") != 1 || strings.Count(subject+"\n"+body, "://") != 2 {
			t.Fatalf("links: %q %q", subject, body)
		}
	})
}
