package api_test

import (
	"strings"
	"testing"
	"time"

	"tocsin/internal/client"
	"tocsin/internal/plan"
)

// Given the socket, when an incident is traced, then people may what their roles may, and each statement names lines and a query that finds as many.
func TestTraceOnTheSocket(t *testing.T) {
	_, _, dir := running(t)
	c := client.New(dir)
	for name, x := range map[string]struct {
		incident int64
		ask      client.Tracing
		want     string // "" is an answer
	}{
		"whoever sits there": {1, client.Tracing{}, ""},
		"an analyst":         {1, client.Tracing{Person: plan.Analyst, Zone: "Europe/Berlin"}, ""},
		"a reader":           {1, client.Tracing{Person: plan.Reader}, "may not search"},
		"nobody":             {1, client.Tracing{Person: "nobody"}, "nobody on the team"},
		"no such incident":   {99, client.Tracing{}, "no such incident: 99"},
		"no zone":            {1, client.Tracing{Zone: "Mars"}, "unknown time zone"},
		"no time":            {1, client.Tracing{Timeout: time.Nanosecond}, ""},
	} {
		s, err := c.Trace(t.Context(), x.incident, x.ask)
		if x.want == "" && (err != nil || s.Incident != 1 || s.Title == "") || x.want != "" && (err == nil || !strings.Contains(err.Error(), x.want)) {
			t.Errorf("%s: %v, %+v", name, err, s)
		}
		if x.ask.Timeout > 0 {
			if len(s.Cut) == 0 || !strings.Contains(s.Cut[0], "The time was up") {
				t.Errorf("%s: cut %q", name, s.Cut)
			}
			continue
		}
		if x.want == "" && len(s.Statements) == 0 {
			t.Errorf("%s: nothing is told", name)
		}
		for _, st := range s.Statements {
			var found client.Found
			err := c.Search(t.Context(), client.Search{Query: st.Query, Zone: x.ask.Zone}, func(f client.Found) error { found = f; return nil })
			if err != nil || found.Summary == nil || found.Matched != st.Count || len(st.Lines) == 0 || st.Lines[0].Number == 0 || st.Lines[0].File == "" {
				t.Errorf("%s: %v: %q stands on %d lines (%+v), and %q finds %+v", name, err, st.Text, st.Count, st.Lines, st.Query, found.Summary)
			}
		}
	}
}
