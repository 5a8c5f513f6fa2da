package rules

import (
	"bufio"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tocsin/internal/detect"
	"tocsin/internal/intake"
	"tocsin/internal/record"
)

// The compiled set must tell what the rules tell when each is held by itself, line for line.
func TestCompiledIsPlain(t *testing.T) {
	rules, _, _ := detect.Load(load(t))
	for _, folder := range []string{"../sample", "../../shared/data/range-a/logs", "../../shared/data/logs/elastic"} {
		t.Run(filepath.Base(folder), func(t *testing.T) {
			names, err := filepath.Glob(folder + "/*log*")
			if err != nil || len(names) == 0 {
				t.Skip("no logs here", err)
			}
			p, err := intake.New(intake.Options{})
			if err != nil {
				t.Fatal(err)
			}
			fast, plain := detect.New(rules, detect.Options{}), detect.New(rules, detect.Options{Plain: true})
			seq, changes := int64(0), 0
			for _, name := range names {
				f, err := os.Open(name)
				if err != nil {
					t.Fatal(err)
				}
				for s := bufio.NewScanner(f); s.Scan(); {
					seq++
					if raced && seq%25 != 0 { // one goroutine has no races; the whole is held without the detector
						continue
					}
					r := p.Parse(record.Line{File: name, Seq: seq, Raw: s.Text()}, time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC))
					want, got := plain.Step(r), fast.Step(r)
					if changes += len(want); len(want)+len(got) > 0 {
						if d := cmp.Diff(want, got); d != "" {
							t.Fatalf("%s: %s\n%s", name, r.Line.Raw, d)
						}
					}
				}
				f.Close()
			}
			if d := cmp.Diff(plain.Stats(), fast.Stats()); d != "" {
				t.Error(d)
			}
			t.Logf("%d lines, %d changes", seq, changes)
		})
	}
}
