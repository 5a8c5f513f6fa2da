package web

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"tocsin/internal/desk"
	"tocsin/internal/query"
	"tocsin/internal/record"
)

func searched(path, q string, pairs ...string) string {
	v := url.Values{"q": {q}}
	for k := 0; k+1 < len(pairs); k += 2 {
		v.Set(pairs[k], pairs[k+1])
	}
	return path + "?" + v.Encode()
}

// lines of an answer of streams.
func toldBy(t *testing.T, body string) (out []told) {
	t.Helper()
	for line := range strings.Lines(body) {
		var x told
		if err := json.Unmarshal([]byte(line), &x); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		out = append(out, x)
	}
	return out
}

// TestSearchMore asks for what stands around a search: completions, ranges, a search that is told while it runs.
func TestSearchMore(t *testing.T) {
	c := newConsole(t, attacks(), nil)
	c.settled(t)
	anna := c.as(t, "anna")

	t.Run("completion", func(t *testing.T) {
		for _, x := range []struct {
			name, q, at string
			has         []string
			never       string
		}{
			{"a field", "sta", "3", []string{"status"}, ""},
			{"a relation", "status", "6", []string{"=", "!="}, ""},
			{"a value", "ip=203", "6", []string{"203.0.113.9"}, "192.0.2.33"},
			{"an account in quotes where it must be", "user=", "5", []string{"root"}, ""},
			{"a value of a list", "ip in (192.0.2.33, 198.", "23", []string{"198.51.100.7"}, ""},
			{"a stage", "x | to", "6", []string{"top"}, ""},
			{"nothing of the line itself", "raw=GET", "7", nil, "GET"},
			{"no place", "sta", "", []string{"status"}, ""},
			{"a place that is none", "sta", "-7", []string{"ip"}, ""},
			{"a hostile text", venom, "3", nil, ""},
			{"a long text", strings.Repeat("ü", query.MaxText), "9999999", nil, ""},
		} {
			got := anna.get(searched("/search/complete", x.q, "at", x.at))
			var out struct{ Suggestions []suggestion }
			if err := json.Unmarshal([]byte(got.body), &out); err != nil || got.code != http.StatusOK || out.Suggestions == nil {
				t.Errorf("%s: %d %q", x.name, got.code, got.body)
			}
			has := func(text string) bool {
				return slices.ContainsFunc(out.Suggestions, func(s suggestion) bool { return s.Text == text })
			}
			for _, want := range x.has {
				if !has(want) {
					t.Errorf("%s: no %q in %s", x.name, want, got.body)
				}
			}
			if x.never != "" && has(x.never) {
				t.Errorf("%s: %q is in %s", x.name, x.never, got.body)
			}
		}
	})

	t.Run("a range", func(t *testing.T) {
		got := anna.get(searched("/search", "ip=203.0.113.9", "since", "2026-11-10T10:01:00Z", "until", "2026-11-10T10:01:02Z"))
		u, _ := url.Parse(got.location)
		if got.code != http.StatusSeeOther || u.Query().Get("q") != "ip=203.0.113.9 since 2026-11-10T11:01:00+01:00 until 2026-11-10T11:01:02+01:00" {
			t.Errorf("%d to %q", got.code, u.Query().Get("q"))
		}
		for _, wrong := range [][2]string{{"x", "y"}, {"2026-11-10T10:01:00Z", ""}, {"2026-11-10T10:01:00Z", "2026-11-10T10:00:00Z"}} {
			if got := anna.get(searched("/search", "ip=203.0.113.9", "since", wrong[0], "until", wrong[1])); got.code != http.StatusOK {
				t.Errorf("%q: %d", wrong, got.code)
			}
		}
	})

	t.Run("a search that runs", func(t *testing.T) {
		for q, says := range map[string]string{"ip=203.0.113.9": "5 lines", "| top ip": "192.0.2.33", "ip=": "cannot be read", "user=nobody": "No line is like that", `"no log line at all"`: "&lt;script&gt;"} {
			all := toldBy(t, anna.get(searched("/search/run", q)).body)
			last := all[len(all)-1]
			if last.Kind != "end" || !strings.Contains(last.HTML, says) || strings.Contains(last.HTML, "<script") || strings.Contains(last.HTML, "\u202e") {
				t.Errorf("%s: %+v", q, last)
			}
		}
	})

	t.Run("a search that takes long", func(t *testing.T) {
		var back []func()
		for n := 0; ; n++ {
			give, ok := c.web.seeking.Try(fmt.Sprint("other ", n))
			if !ok {
				break
			}
			back = append(back, give)
		}
		brief := anna.do(http.MethodGet, searched("/search", "ip=203.0.113.9"), nil, map[string]string{"Cookie": anna.cookie.String() + "; script=1"})
		if p := readPage(t, brief.body); brief.code != http.StatusOK || !strings.Contains(brief.body, `data-run="ip=203.0.113.9"`) || !strings.Contains(p.text, "Wait for all of it") || len(p.wrong) > 0 {
			t.Errorf("%d %q", brief.code, p.text)
		}
		for _, give := range back {
			give()
		}
		waited := anna.do(http.MethodGet, searched("/search", "ip=203.0.113.9", "wait", "1"), nil, map[string]string{"Cookie": anna.cookie.String() + "; script=1"})
		if strings.Contains(waited.body, "data-run") || !strings.Contains(waited.body, "5 lines") {
			t.Errorf("%d %.2000q", waited.code, waited.body)
		}
	})

	if got := anna.get(searched("/search", "ip=203.0.113.9")); strings.Contains(got.body, "data-live=") {
		t.Error("a page of found lines is fetched again with each change")
	}
	t.Run("lines", func(t *testing.T) { testLinePages(t, c, anna) })
	t.Run("attaching", func(t *testing.T) { testAttaching(t, c, anna) })
}

// testLinePages looks at every line.
func testLinePages(t *testing.T, c *console, anna *visitor) {
	last := c.desk.Kept().Last
	for n := int64(1); n <= last; n++ {
		got := anna.get(fmt.Sprintf("/search/line/%d?q=%s", n, url.QueryEscape("status=200 since 2026-11-01")))
		p := readPage(t, got.body)
		if got.code != http.StatusOK || len(p.wrong) > 0 {
			t.Fatalf("line %d: %d, %q", n, got.code, p.wrong)
		}
		l, err := c.desk.Line(t.Context(), desk.Local("test"), n)
		if err != nil || !strings.Contains(got.body, l.SHA256) || strings.Contains(got.body, "\u202e") || strings.Contains(got.body, "<script>alert") {
			t.Errorf("line %d: %v", n, err)
		}
		for _, says := range []string{"only this", "sample/", "Received", "Attach this line"} {
			if !strings.Contains(p.text, says) {
				t.Errorf("line %d does not say %q: %s", n, says, p.text)
			}
		}
		if _, has := l.Records[0].Get(record.SourceIP); has != strings.Contains(p.text, "whole session") || has && !strings.Contains(got.body, "/lists?values=") {
			t.Errorf("line %d does not lead to its session and to a watch list", n)
		}
	}
	for path, code := range map[string]int{fmt.Sprint(last + 1): http.StatusNotFound, "0": http.StatusNotFound, "1?q=ip%3D": http.StatusOK} {
		if got := anna.get("/search/line/" + path); got.code != code {
			t.Errorf("%s: %d", path, got.code)
		}
	}
}

// testAttaching attaches lines to incidents.
func testAttaching(t *testing.T, c *console, anna *visitor) {
	if err := c.desk.CloseIncident(desk.Local("test"), 3, "false", "a test"); err != nil {
		t.Fatal(err)
	}
	for _, x := range []struct {
		name string
		form []string
		code int
		says string
	}{
		{"no incident", []string{"line", "1"}, http.StatusUnprocessableEntity, "Choose an incident that is open."},
		{"an incident that is none", []string{"line", "1", "incident", "999"}, http.StatusUnprocessableEntity, "Choose an incident that is open."},
		{"a closed one", []string{"line", "1", "incident", "3"}, http.StatusUnprocessableEntity, "Incident 3 is closed"},
		{"no line", []string{"incident", "1", "line", "x", "line", "-1"}, http.StatusUnprocessableEntity, "Choose at least one line."},
		{"a line that is none", []string{"incident", "1", "line", "1", "line", "99999"}, http.StatusUnprocessableEntity, "There is no line 99999."},
		{"a query that is none", []string{"incident", "1", "q", "ip="}, http.StatusUnprocessableEntity, "a value is missing"},
		{"a query that folds", []string{"incident", "1", "q", "| top ip"}, http.StatusUnprocessableEntity, "Only whole lines"},
		{"chosen lines", []string{"incident", "1", "line", "2", "line", "1", "line", "2"}, http.StatusSeeOther, ""},
		{"the same again", []string{"incident", "1", "line", "2"}, http.StatusUnprocessableEntity, "part of incident 1 already"},
		{"all of a search", []string{"incident", "1", "q", "ip=203.0.113.9"}, http.StatusSeeOther, ""},
		{"hostile lines", []string{"incident", "1", "q", `"no log line at all"`}, http.StatusSeeOther, ""},
	} {
		got := anna.post("/search/attach", x.form...)
		if got.code != x.code || x.code == http.StatusSeeOther && got.location != "/incidents/1?done=attached" {
			t.Errorf("%s: %d to %q", x.name, got.code, got.location)
		}
		if p := readPage(t, got.body); x.says != "" && (!strings.Contains(p.text, x.says) || len(p.wrong) > 0) {
			t.Errorf("%s: %q %s", x.name, p.wrong, p.text)
		}
	}
	for path, says := range map[string]string{"/search/attach": "No line is chosen.", "/search/attach?line=1&line=99999": "there is no line 99999", "/search/attach?q=ip%3D203.0.113.9": "All lines that this query finds",
		"/incidents/1?done=attached": "All 10 lines", "/incidents/1/lines": "1 to 10 of 10", "/incidents/2/lines": "No line is attached"} {
		got := anna.get(path)
		if p := readPage(t, got.body); got.code != http.StatusOK || !strings.Contains(strings.ToLower(p.text), strings.ToLower(says)) || len(p.wrong) > 0 || strings.Contains(got.body, "<script>alert") {
			if path != "/incidents/1?done=attached" || !strings.Contains(p.text, "Lines 10") {
				t.Errorf("%s: %d %q %.3000s", path, got.code, p.wrong, p.text)
			}
		}
	}
	if got := anna.get("/incidents/1"); !strings.Contains(got.body, "5 log lines attached") || !strings.Contains(got.body, "/wp-content/uploads/x.php") {
		t.Error("the incident does not show its lines")
	}
	if got := c.as(t, "reader").get("/incidents/1/lines"); got.code != http.StatusOK || strings.Contains(got.body, "/wp-content/uploads") || strings.Contains(got.body, "/search/line") || !strings.Contains(got.body, "needs the right to search") {
		t.Errorf("a reader: %d", got.code)
	}
}

// TestFollowLines follows lines that come while somebody looks, and ends when they go.
func TestFollowLines(t *testing.T) {
	c := newConsole(t, attacks(), nil)
	c.settled(t)
	anna := c.as(t, "anna")
	for q, says := range map[string]string{"ip=": "cannot be read", "| top ip": "cannot be followed"} {
		all := toldBy(t, anna.get2(t, searched("/search/live", q)))
		if last := all[len(all)-1]; last.Kind != "end" || !strings.Contains(last.Says, says) {
			t.Errorf("%s: %+v", q, last)
		}
	}
	ctx, stop := context.WithTimeout(t.Context(), 30*time.Second)
	defer stop()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.URL+searched("/search/live", "ip=203.0.113.9", "behind", "0"), nil)
	if err != nil {
		t.Fatal(err)
	}
	req.AddCookie(anna.cookie)
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	rows := ""
	lines := bufio.NewScanner(resp.Body)
	lines.Buffer(nil, 1<<20)
	for strings.Count(rows, "<li") < 5 {
		if !lines.Scan() {
			t.Fatalf("%v; %d lines came", lines.Err(), strings.Count(rows, "<li"))
		}
		for _, x := range toldBy(t, lines.Text()+"\n") {
			rows += x.HTML
		}
	}
	if !strings.Contains(rows, "/search/line/") || strings.Contains(rows, "<script>alert") {
		t.Errorf("%.3000s", rows)
	}
	if c.web.following.Taken() != 1 {
		t.Errorf("%d pages follow", c.web.following.Taken())
	}
	stop()
	for end := time.Now().Add(10 * time.Second); c.web.following.Taken() > 0; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("it goes on when the browser has gone")
		}
	}
	some := 0
	for range 2 * desk.PerPerson {
		if _, ok := c.web.following.Try("person:anna"); ok {
			some++
		}
	}
	if some != desk.PerPerson {
		t.Errorf("%d pages of one person follow", some)
	}
	if all := toldBy(t, anna.get2(t, searched("/search/live", "ip=203.0.113.9"))); !strings.Contains(all[0].Says, "Too many") {
		t.Errorf("%+v", all)
	}
}

// get2 is get of a stream that ends.
func (v *visitor) get2(t *testing.T, path string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, v.URL+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.AddCookie(v.cookie)
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
