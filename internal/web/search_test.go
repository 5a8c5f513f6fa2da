package web

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"tocsin/internal/query"
	"tocsin/internal/record"
)

// TestSearchPage asks for what the attacks left, as people and as attackers would.
func TestSearchPage(t *testing.T) {
	c := newConsole(t, attacks(), nil)
	c.settled(t)
	anna := c.as(t, "anna")
	for _, x := range []struct {
		name, q string
		code    int
		says    []string
		never   []string
	}{
		{"nothing asked", "", http.StatusOK, []string{"To begin with", "The language in short"}, nil},
		{"an address", "ip=203.0.113.9", http.StatusOK, []string{"5 lines", "/wp-content/uploads/x.php", "only this", "whole session", "Addresses", "BR", "44 records"}, nil},
		{"hostile lines", `"no log line at all"`, http.StatusOK, []string{"3 lines", `\u202egpj`, "<script>alert(1)</script>"}, nil},
		{"a table", "| top ip", http.StatusOK, []string{"192.0.2.33", "203.0.113.9", "count"}, nil},
		{"bars", "| timeline", http.StatusOK, []string{"lines at most"}, nil},
		{"nobody", "ip=10.9.8.7", http.StatusOK, []string{"0 lines", "No line is like that."}, nil},
		{"chosen fields", "ip=203.0.113.9 | fields ip, status", http.StatusOK, []string{"status=200"}, nil},
		{"sorted", "ip=203.0.113.9 | sort path desc | head 2", http.StatusOK, []string{"Lines 2"}, nil},
		{"a mistake", "ip=", http.StatusUnprocessableEntity, []string{"This query cannot be read", "ip="}, []string{"volume"}},
		{"a hostile mistake", "| top " + venom, http.StatusUnprocessableEntity, []string{"This query cannot be read"}, nil},
		{"a text that is too long", strings.Repeat("a ", query.MaxText), http.StatusUnprocessableEntity, []string{"This query cannot be read"}, nil},
	} {
		t.Run(x.name, func(t *testing.T) {
			got := anna.get("/search?" + url.Values{"q": {x.q}}.Encode())
			if got.code != x.code {
				t.Fatalf("%d, want %d\n%.2000s", got.code, x.code, got.body)
			}
			p := readPage(t, got.body)
			for _, w := range p.wrong {
				t.Error(w)
			}
			for _, want := range x.says {
				if !strings.Contains(p.text, want) {
					t.Errorf("no %q on the page: %.3000s", want, p.text)
				}
			}
			for _, never := range x.never {
				if strings.Contains(p.text, never) {
					t.Errorf("%q is on the page", never)
				}
			}
		})
	}
}

// TestLinksOfFoundValues follows links that were made of hostile values: each asks for what was meant, or there is none.
func TestLinksOfFoundValues(t *testing.T) {
	now := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	fields := []query.Field{query.Host, query.KnownField(record.UserName), query.KnownField(record.URLPath), query.KnownField(record.HTTPStatus), query.KnownField(record.SourceIP), query.OwnField("a b\"c")}
	values := []string{"anna", "200", "5xx", "*", "a*b", `a"b`, `a\b`, "or", "since", "/x/", "a | top ip", "(", ")", "a, b", "'", "-x", "\u202e", "\n", "\x00", "203.0.113.0/24", venom, "\xff", ""}
	kept := 0
	for _, text := range []string{"", "a or b", "status=200 since 2h | session x", "| top ip", "| sort time desc | head 3"} {
		q, err := query.Parse(text, now, time.UTC)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range fields {
			for _, value := range values {
				for href, want := range map[string]*query.Expr{onlyLink(q, f, value): query.Is(f, value), notLink(q, f, value): query.None(query.Is(f, value))} {
					if href == "" {
						continue
					}
					u, err := url.Parse(href)
					if err != nil {
						t.Fatal(err)
					}
					back, err := query.Parse(u.Query().Get("q"), now, time.UTC)
					if err != nil || !back.Where.Same(query.All(q.Where, want)) || !back.Since.Equal(q.Since) {
						t.Errorf("%q narrowed by %s %q leads to %q (%v)", text, f, value, u.Query().Get("q"), err)
					}
					kept++
				}
			}
		}
	}
	if all := 5 * len(fields) * (len(values) - 2) * 2; kept < all*8/10 {
		t.Errorf("%d links of %d: too many values have none", kept, all)
	}
}
