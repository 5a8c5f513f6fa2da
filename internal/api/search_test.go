package api_test

import (
	"errors"
	"strings"
	"testing"

	"tocsin/internal/client"
	"tocsin/internal/query"
)

// Given the socket, when lines are searched or exported, then people may what their roles may, and a wrong question is answered in words.
func TestSearchOnTheSocket(t *testing.T) {
	_, _, dir := running(t)
	c := client.New(dir)
	for name, x := range map[string]struct {
		ask  client.Search
		want string // "" is an answer
	}{
		"whoever sits there": {client.Search{Query: "*"}, ""},
		"an analyst":         {client.Search{Query: "| count", Person: "analyst", Zone: "Europe/Berlin"}, ""},
		"a reader":           {client.Search{Query: "*", Person: "reader"}, "may not search"},
		"nobody":             {client.Search{Query: "*", Person: "nobody"}, "nobody on the team"},
		"no query":           {client.Search{Query: "status>="}, "a value is missing"},
		"no zone":            {client.Search{Query: "*", Zone: "Mars"}, "unknown time zone"},
		"the server's zone":  {client.Search{Query: "*", Zone: "Local"}, "unknown time zone"},
		"followed counts":    {client.Search{Query: "| count", Follow: true}, "cannot be followed"},
		"too long":           {client.Search{Query: strings.Repeat("x", query.MaxText+1)}, "at most"},
	} {
		var last client.Found
		err := c.Search(t.Context(), x.ask, func(f client.Found) error { last = f; return nil })
		if x.want == "" && (err != nil || last.Kind != "summary") || x.want != "" && (err == nil || !strings.Contains(err.Error(), x.want)) {
			t.Errorf("%s: %v, %+v", name, err, last)
		}
	}
	if err := c.Export(t.Context(), client.Search{Query: "*", Person: "reader"}, new(strings.Builder)); err == nil || !strings.Contains(err.Error(), "may not search") {
		t.Errorf("an export by a reader: %v", err)
	}
	if err := client.New(t.TempDir()).Search(t.Context(), client.Search{Query: "*"}, nil); !errors.Is(err, client.ErrNotRunning) {
		t.Errorf("without a server: %v", err)
	}
}
