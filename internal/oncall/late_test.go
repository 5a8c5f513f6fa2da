package oncall

import (
	"slices"
	"testing"
	"time"

	"tocsin/internal/entry"
	"tocsin/internal/plan"
)

// Given incidents in any state, when a step of theirs is late, then a call is opened only where nobody is rung already; it rings the role, then the commanders too, and a merged incident rings no more.
func TestLate(t *testing.T) {
	at := time.Date(2026, 11, 27, 9, 0, 0, 0, time.UTC)
	book := func(more ...entry.Draft) *Book {
		b := NewBook(func(string) entry.Policy { return plan.DefaultPolicy() })
		for n, x := range append([]entry.Draft{{Kind: entry.IncidentOpened, Body: entry.Opened{ID: 1, Title: "t", Severity: "low", Happened: at}},
			{Kind: entry.IncidentOpened, Body: entry.Opened{ID: 2, Title: "t", Severity: "high", Happened: at}}}, more...) {
			e, _, err := entry.Make(int64(n)+1, at, x)
			if err == nil {
				_, err = b.Apply(e)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		return b
	}
	late := entry.Draft{Kind: entry.CallOpened, Body: entry.Call{ID: 1, Incidents: []int64{1}, Severity: "low", Policy: "default", Why: "late", Who: []string{"role:analyst"}, Run: 1, Late: "look"}}
	merged := entry.Draft{Kind: entry.IncidentMerged, Body: entry.Merge{Incident: 1, Into: 2, Text: "v"}}
	for _, tt := range []struct {
		given string
		book  *Book
		id    int64
		ok    bool
	}{
		{"a quiet incident", book(), 1, true},
		{"one for which a call is about to begin", book(), 2, false},
		{"one that rings for a step already", book(late), 1, false},
		{"one whose call was answered", book(late, entry.Draft{Kind: entry.CallAnswered, Body: entry.Answer{ID: 1, Person: "anna"}}), 1, true},
		{"a closed one", book(entry.Draft{Kind: entry.IncidentClosed, Body: entry.Closed{ID: 1, Verdict: "true", Text: "v"}}), 1, false},
		{"a merged one", book(merged), 1, false},
		{"one that is not there", book(), 9, false},
	} {
		d, ok := tt.book.Late(tt.id, 1, "look", []string{"role:analyst"})
		if ok != tt.ok || ok && (d.Body.(entry.Call).ID != int64(len(tt.book.Calls))+1 || d.Body.(entry.Call).Late != "look") {
			t.Errorf("%s: %v, %+v", tt.given, ok, d)
		}
	}
	b := book(late)
	c := b.Calls[0]
	if x := b.inForce(c); !slices.Equal(x.Steps[0].Who, []string{"role:analyst"}) || !slices.Equal(x.Steps[1].Who, []string{"role:analyst", "role:commander"}) {
		t.Errorf("it rings %+v", x.Steps)
	}
	if _, over := b.ended(c); over {
		t.Error("a call for a step of a low incident ends by itself")
	}
	if b = book(late, merged); len(b.waiting) != 1 {
		t.Errorf("%v wait", b.waiting)
	}
	if d, over := b.ended(b.Calls[0]); !over || d.Body.(entry.CallEnd).Why != "closed" {
		t.Errorf("the call of a merged incident goes on: %v", over)
	}
	if b = book(late, merged, entry.Draft{Kind: entry.CallEnded, Body: entry.CallEnd{ID: 1, Why: "closed"}}, entry.Draft{Kind: entry.IncidentUnmerged, Body: entry.Merge{Incident: 1, Into: 2, Text: "v"}}); !slices.Contains(b.waiting, 1) {
		t.Error("one that was taken out again is not looked at")
	}
}
