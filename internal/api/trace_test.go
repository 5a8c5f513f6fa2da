package api_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"tocsin/internal/client"
	"tocsin/internal/desk"
	"tocsin/internal/incident"
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

// A turning context does something when it is first asked for its deadline.
type turning struct {
	context.Context
	then func()
}

func (x turning) Deadline() (time.Time, bool) {
	x.then()
	return time.Now().Add(time.Minute), true
}

// Given a trace that goes on, when its incident is restricted meanwhile, then it ends, and is not told.
func TestTraceOfWhatIsRestrictedMeanwhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := elsewhere(t)
		token := g.token(plan.Analyst)
		for n := 0; ; n++ { // so that it waits
			give, ok := g.d.Seeking().Try(fmt.Sprint("person:", n))
			if !ok {
				break
			}
			defer give()
		}
		told := make(chan *httptest.ResponseRecorder, 1)
		go func() { told <- g.ask(token, "POST", "/incidents/1/trace", `{"timeout_ns":20000000000}`) }()
		synctest.Wait()
		g.must(g.d.Restrict(desk.Local("test"), 1, "hr", []string{plan.Legal}))
		time.Sleep(6 * time.Second)
		synctest.Wait()
		select {
		case w := <-told:
			if w.Code != http.StatusNotFound { // as whatever is restricted to others
				t.Errorf("a trace that waits: %d %s", w.Code, w.Body)
			}
		default:
			t.Error("it goes on")
			<-told
		}
	})
	g := elsewhere(t)
	restricted := 0
	ctx := turning{t.Context(), func() {
		if restricted++; restricted == 1 {
			g.must(g.d.Restrict(desk.Local("test"), 1, "hr", []string{plan.Legal}))
		}
	}}
	s, err := g.d.Trace(ctx, g.actor(plan.Analyst), 1)
	if !errors.Is(err, incident.ErrNotFound) || restricted == 0 || len(s.Cut)+len(s.Statements)+len(s.Nodes) > 0 {
		t.Errorf("a trace that was under way: %v, %+v", err, s)
	}
}
