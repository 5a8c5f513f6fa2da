package desk

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"tocsin/internal/detect"
	"tocsin/internal/query"
	"tocsin/internal/record"
	"tocsin/internal/search"
	"tocsin/internal/trace"
)

// casesOf replays a range, and returns its incidents as a trace is told of them.
func casesOf(t *testing.T, x *ranged, dir string) (out []trace.Case) {
	t.Helper()
	set, err := LoadRules(os.DirFS("../../rules"))
	if err != nil {
		t.Fatal(err)
	}
	alerts := map[string]detect.Alert{}
	said, err := RunReplay(t.Context(), ReplayOptions{Folders: []fs.FS{os.DirFS(filepath.Join(dir, "logs"))}, Rules: set.Rules, Geo: x.geo,
		Each: func(_ *record.Record, cs []detect.Change) {
			for _, c := range cs {
				alerts[c.Alert.ID] = c.Alert
			}
		}})
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range said.Incidents {
		var c trace.Case
		for _, id := range i.Members {
			c.Alerts = append(c.Alerts, tracedAlert(alerts[id]))
		}
		slices.SortStableFunc(c.Alerts, func(a, b trace.Alert) int { return a.Raised.Compare(b.Raised) })
		out = append(out, c)
	}
	return out
}

// story traces the incident that suspects an address.
func (x *ranged) story(t *testing.T, cases []trace.Case, address string) trace.Story {
	t.Helper()
	for _, c := range cases {
		for _, a := range c.Alerts {
			if slices.ContainsFunc(a.Addresses, func(p trace.Party) bool { return p.Name == address && p.Suspect }) {
				s, err := trace.Trace(c, tracing(t.Context(), func(q *query.Query) (search.Result, error) { return x.Run(t.Context(), q, nil) }))
				if err != nil {
					t.Fatal(err)
				}
				return s
			}
		}
	}
	t.Fatalf("no incident suspects %s", address)
	return trace.Story{}
}

func TestX(t *testing.T) {
	x := rangeOnShelf(t, rangeDir)
	cases := casesOf(t, x, rangeDir)
	for _, a := range strings.Fields(os.Getenv("ADDR")) {
		b := time.Now()
		s := x.story(t, cases, a)
		fmt.Println("=====", a, s.Asked, time.Since(b))
		for n, st := range s.Statements {
			fmt.Printf("%2d %s %-5s %-7s %s [%d lines]\n", n, st.At.Format("01-02 15:04:05.000"), st.Kind, st.Step, st.Text, st.Proof.Count())
			if st.Why != "" {
				fmt.Println("       because:", st.Why)
			}
			fmt.Println("       ", TraceQuery(st.Proof.Ask(), time.UTC))
		}
		for _, e := range s.Edges {
			fmt.Println("    ", s.Nodes[e.From].Name, "--", e.Verb, "->", s.Nodes[e.To].Name, s.Nodes[e.To].Note, e.Statement, e.Guess)
		}
		fmt.Println(s.Cut)
	}
}
