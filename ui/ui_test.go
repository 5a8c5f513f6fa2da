package ui

import (
	"bytes"
	"flag"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/html"
)

var update = flag.Bool("update", false, "write the golden pages anew; look at the difference before you commit it")

const mostBytes = 100 << 10 // of one page (DESIGN.md, section 9)

func TestPagesAreWhole(t *testing.T) {
	for _, e := range examples() {
		t.Run(e.name, func(t *testing.T) {
			var b bytes.Buffer
			if err := e.render(&b); err != nil {
				t.Fatal(err)
			}
			page := b.String()
			doc := parse(t, page)
			for _, wrong := range append(inert(doc), whole(doc)...) {
				t.Error(wrong)
			}
			for _, never := range []string{" style=", "<style", "javascript:", "ZgotmplZ", "<no value>", "%!"} {
				if strings.Contains(page, never) {
					t.Errorf("the page contains %q", never)
				}
			}
			if len(page) > mostBytes {
				t.Errorf("the page has %d bytes, more than %d", len(page), mostBytes)
			}
			t.Logf("%d bytes", len(page))
		})
	}
}

func TestHostileDataStaysText(t *testing.T) {
	for _, e := range examples() {
		t.Run(e.name, func(t *testing.T) {
			var good, bad bytes.Buffer
			if err := e.render(&good); err != nil {
				t.Fatal(err)
			}
			if err := e.hostile(&bad); err != nil {
				t.Fatal(err)
			}
			doc := parse(t, bad.String())
			for _, n := range find(doc, tag("script", "img", "style", "iframe")) {
				if src := attr(n, "src"); src != assets["app.js"] && src != assets["search.js"] && src != assets["room.js"] && src != assets["report.js"] {
					t.Errorf("<%s> got into the page", n.Data)
				}
			}
			for _, n := range find(doc, func(n *html.Node) bool { return len(n.Attr) > 0 }) {
				for _, a := range n.Attr {
					if a.Key == "style" || strings.HasPrefix(a.Key, "on") || strings.HasPrefix(strings.ToLower(strings.TrimSpace(a.Val)), "javascript:") && a.Key != "value" && a.Key != "content" {
						t.Errorf("<%s %s=%q> got into the page", n.Data, a.Key, a.Val)
					}
				}
			}
			for _, r := range bad.String() {
				if turns(r) {
					t.Fatalf("the page contains %U", r)
				}
			}
			was, is := len(find(parse(t, good.String()), tag("form"))), len(find(doc, tag("form")))
			if is > was {
				t.Errorf("the page has %d forms; with friendly data it has %d", is, was)
			}
		})
	}
}

func TestPagesSay(t *testing.T) {
	pages := map[string]string{}
	for _, e := range examples() {
		var b bytes.Buffer
		if err := e.render(&b); err != nil {
			t.Fatal(err)
		}
		pages[e.name] = b.String()
	}
	for _, c := range []struct{ page, at, says string }{
		{"overview", ".sample", "SAMPLE: bundled logs, nothing here is real."},
		{"overview", "#ringing", "Call 3 rings since 03:12:05 CET 02:12:05Z. Anna Keller is being rung"},
		{"overview", "button.answer", "Answer call 3: SQL injection"},
		{"overview", "#heartbeat", "It last proved itself 4 min ago 03:10:20 CET 02:10:20Z: a test message"},
		{"overview", "title", "(1 ringing) SAMPLE · Overview · Tocsin"},
		{"overview", "li.tally-critical", "2 Critical open"},
		{"overview", "figure.chart", "02:44:20"},
		{"overview-quiet", "#heartbeat", "has not rung a test since it started"},
		{"overview-quiet", ".notice", "Welcome."},
		{"alerts", "div.grave", "Tocsin cannot write"},
		{"alerts", ".bell-dead", "Bell silent last proved 1 h ago"},
		{"incident", ".known-says", "Since 03:05, one address"},
		{"incident", ".timeline", "happened 03:08:20 CET 02:08:20Z learned 03:13:20 CET 02:13:20Z"},
		{"incident", "#alerts", `?q=\x00\u202egpj.php\u202c\x1b[2J\xff HTTP/1.1`},
		{"incident", "#accounts", `admin\u202e\x00<b>`},
		{"incident", "#addresses", "NL Netherlands"},
		{"incident-closed", ".verdict", "True alarm, closed by Anna Keller"},
		{"incidents-none", ".ring-rest", "2 more calls ring"},
		{"close", "#verdict", "True somebody attacked"},
		{"sources", "#source-2", "line 40,218"},
		{"rules", "#refused", "line 14, column 5: unknown modifier"},
		{"rules", "#never", "1 read records, and have matched none of them yet Many gift cards"},
		{"rules", "#broken", "Odd rule rules/mine/odd.yml index out of range"},
		{"rules", "td.c-day", "159"},
		{"rule", "#hits", "Matches and alerts of this rule"},
		{"rule", "#why", "It matches, because words holds url.decoded contains 'union all select'; it is"},
		{"rule", "#why", "Not in the line, as the rule allows or asks scanner_of_ours"},
		{"rule-quiet", "#hits", "It has matched nothing in the last 14 days."},
		{"alert", "#why", `?q=\x00\u202egpj.php\u202c\x1b[2J\xff HTTP/1.1`},
		{"notices", "#notice-1", "You: each sign-in by SSH, by FTP or to the administration, by mail"},
		{"notices", "#notice-2", `of felix\u202e.wagner only`},
		{"notices", "#others", "Boris Lang: each sign-in of every kind"},
		{"notices-wrong", "section.wrongs", "too long"},
		{"rules", "#kept", "Refunds in bulk mine/refunds.yml:12"},
		{"lists", "#mute-6", "every rule for 203.0.113.0/24 and the account backup"},
		{"lists", "#mute-6", "kept 1,204 alerts quiet"},
		{"lists", "#list-3", "could not be taken"},
		{"lists-wrong", "#never-from-wrong", "10.0.0.0/3 is too wide."},
		{"lists-none", "#never", "Everybody alerts."},
		{"list", "main", "1,180 addresses, 24 networks."},
		{"people-wrong", "section.wrongs", "Enter a name."},
		{"people-wrong", "#id-wrong", "other signs"},
		{"signin-wait", ".wait", "Try again in 24 s."},
		{"answer", "button.huge", "I answer"},
		{"answer-late", "main", "Boris Lang answered 4 min ago."},
		{"ledger", "#check", "Intact All 4,812 entries"},
		{"error-404", "main", "There is no such page"},
	} {
		t.Run(c.page+" "+c.at, func(t *testing.T) {
			found := find(parse(t, pages[c.page]), selector(c.at))
			if len(found) == 0 || !strings.Contains(words(found[0]), c.says) {
				t.Errorf("%d elements; want the first to say %q", len(found), c.says)
				if len(found) > 0 {
					t.Log(words(found[0]))
				}
			}
		})
	}
	t.Run("an answer link shows no more than severity, title and time", func(t *testing.T) {
		for _, secret := range []string{"198.51.100.77", "boris", "/incidents/12", "Sign out"} {
			if strings.Contains(pages["answer"], secret) {
				t.Errorf("it shows %q", secret)
			}
		}
		if strings.Contains(pages["answer"], "data-live") {
			t.Error("it follows changes")
		}
	})
	t.Run("a form that comes back is not swapped", func(t *testing.T) {
		if strings.Contains(pages["people-wrong"], "data-live") {
			t.Error("it follows changes")
		}
	})
}

func TestGoldenPages(t *testing.T) {
	for _, e := range examples() {
		if e.name != "incident" && e.name != "signin-wait" && e.name != "answer" {
			continue
		}
		t.Run(e.name, func(t *testing.T) {
			var b bytes.Buffer
			if err := e.render(&b); err != nil {
				t.Fatal(err)
			}
			got := b.String()
			for name, url := range assets {
				got = strings.ReplaceAll(got, url, "/static/HASH/"+name)
			}
			file := filepath.Join("testdata", e.name+".golden.html")
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
				t.Errorf("the page changed (go test ./ui -update writes it anew):\n%s", d)
			}
		})
	}
}

func TestSecure(t *testing.T) {
	reached := false
	mux := http.NewServeMux()
	mux.Handle("GET /static/", Static())
	mux.HandleFunc("/x", func(w http.ResponseWriter, r *http.Request) { reached = true })
	for _, c := range []struct {
		name, method, path string
		head               map[string]string
		status             int
		reached            bool
	}{
		{"a page", "GET", "/x", nil, 200, true},
		{"a post of our own", "POST", "/x", map[string]string{"Sec-Fetch-Site": "same-origin"}, 200, true},
		{"a post of the command line", "POST", "/x", nil, 200, true},
		{"a post from another site", "POST", "/x", map[string]string{"Sec-Fetch-Site": "cross-site"}, 403, false},
		{"a post from another origin, old browser", "POST", "/x", map[string]string{"Origin": "https://evil.example"}, 403, false},
		{"a static file", "GET", assets["app.js"], nil, 200, false},
		{"an old static file", "GET", "/static/000000000000/app.js", nil, 404, false},
		{"no static file", "GET", "/static/../ui.go", nil, 307, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			reached = false
			w := httptest.NewRecorder()
			r := httptest.NewRequest(c.method, "http://localhost"+c.path, nil)
			for k, v := range c.head {
				r.Header.Set(k, v)
			}
			Secure(mux, true).ServeHTTP(w, r)
			if w.Code != c.status || reached != c.reached {
				t.Errorf("status %d, reached %v; want %d, %v", w.Code, reached, c.status, c.reached)
			}
			for k, v := range map[string]string{
				"Content-Security-Policy":    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types ui",
				"X-Content-Type-Options":     "nosniff",
				"Referrer-Policy":            "no-referrer",
				"Cross-Origin-Opener-Policy": "same-origin",
				"Strict-Transport-Security":  "max-age=31536000",
			} {
				if got := w.Header().Get(k); got != v {
					t.Errorf("%s: %q, want %q", k, got, v)
				}
			}
		})
	}
	if got := func() string {
		w := httptest.NewRecorder()
		Secure(mux, false).ServeHTTP(w, httptest.NewRequest("GET", "/x", nil))
		return w.Header().Get("Cache-Control") + w.Header().Get("Strict-Transport-Security")
	}(); got != "no-store" {
		t.Errorf("without TLS: %q, want no-store and no HSTS", got)
	}
}

func TestRenderWritesNothingOnError(t *testing.T) {
	broken := Page[Frame](Overview) // a frame alone has none of the overview's fields
	w := httptest.NewRecorder()
	if err := broken.Show(w, 200, Frame{Title: "x"}); err == nil || w.Body.Len() > 0 {
		t.Errorf("error %v, %d bytes written", err, w.Body.Len())
	}
}

func TestVisible(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"", ""},
		{"GET / HTTP/1.1", "GET / HTTP/1.1"},
		{"a\x00b\tc\r\n", `a[\x00]b[\t]c[\r\n]`},
		{"\u202ecod.exe\u202c", `[\u202e]cod.exe[\u202c]`},
		{"a\xff\xfeb", `a[\xff\xfe]b`},
		{"\x7f\u0085\u200b\ufeff", `[\x7f\u0085\u200b\ufeff]`},
		{"a\u00a0b\u3000c", `a[\u00a0]b[\u3000]c`},
		{"\U000e0041\u3164\ufe0f", `[\U000e0041\u3164\ufe0f]`},
		{"Müller 測試 ☃ �", "Müller 測試 ☃ �"},
	} {
		var b strings.Builder
		for _, s := range Visible(c.in) {
			if s.Ctl {
				b.WriteString("[" + s.Text + "]")
			} else {
				b.WriteString(s.Text)
			}
		}
		if b.String() != c.want {
			t.Errorf("Visible(%q) = %s, want %s", c.in, b.String(), c.want)
		}
	}
}

// FuzzVisible holds the law that nothing unseen comes through and nothing seen is lost or changed.
func FuzzVisible(f *testing.F) {
	for _, s := range []string{"", "abc", "\x00\u202e\xff", "a\u0301\u200d", "\U000e0001"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		var plain strings.Builder
		for _, seg := range Visible(s) {
			for _, r := range seg.Text {
				if unseen(r) {
					t.Fatalf("%U came through", r)
				}
			}
			if !seg.Ctl {
				plain.WriteString(seg.Text)
			}
		}
		var want strings.Builder
		for i := 0; i < len(s); {
			r, n := utf8.DecodeRuneInString(s[i:])
			if !(r == utf8.RuneError && n == 1) && !unseen(r) {
				want.WriteString(s[i : i+n])
			}
			i += n
		}
		if plain.String() != want.String() {
			t.Errorf("seen: %q, want %q", plain.String(), want.String())
		}
	})
}

func TestAt(t *testing.T) {
	ny := time.FixedZone("EST", -5*3600)
	for _, c := range []struct {
		name string
		t    time.Time
		zone *time.Location
		want Time
	}{
		{"never", time.Time{}, berlin, Time{}},
		{"now", night, berlin, Time{"2026-11-23T02:14:20Z", "03:14:20", "CET", "02:14:20Z", "just now"}},
		{"today", night.Add(-90 * time.Second), berlin, Time{"2026-11-23T02:12:50Z", "03:12:50", "CET", "02:12:50Z", "1 min ago"}},
		{"another day here than in UTC", night, ny, Time{"2026-11-23T02:14:20Z", "21:14:20", "EST", "23 Nov 02:14:20Z", "just now"}},
		{"this year", night.Add(-72 * time.Hour), berlin, Time{"2026-11-20T02:14:20Z", "20 Nov 03:14:20", "CET", "02:14:20Z", "3 days ago"}},
		{"another year", night.AddDate(-1, 0, 0), berlin, Time{"2025-11-23T02:14:20Z", "23 Nov 2025 03:14:20", "CET", "02:14:20Z", "365 days ago"}},
		{"a reader in UTC", night.Add(-time.Hour), time.UTC, Time{"2026-11-23T01:14:20Z", "01:14:20 UTC", "", "", "1 h ago"}},
		{"to come", night.Add(2 * time.Hour), berlin, Time{"2026-11-23T04:14:20Z", "05:14:20", "CET", "04:14:20Z", "in 2 h"}},
	} {
		if d := cmp.Diff(c.want, At(c.t, night, c.zone)); d != "" {
			t.Errorf("%s:\n%s", c.name, d)
		}
	}
}

func TestWords(t *testing.T) {
	for _, c := range []struct{ got, want string }{
		{Number(0), "0"}, {Number(999), "999"}, {Number(1204), "1,204"}, {Number(-1234567), "-1,234,567"},
		{Plural(1, "alert", "alerts"), "1 alert"}, {Plural(1204, "alert", "alerts"), "1,204 alerts"},
		{Span(59 * time.Second), "59 s"}, {Span(47 * time.Hour), "47 h"}, {Span(49 * time.Hour), "2 days"},
		{Severity("critical").Word(), "Critical"}, {Severity("x\" y").Key(), "none"}, {State{Tone: "evil"}.Key(), "off"},
		{Done("closed"), "The incident is closed. It no longer rings anybody."}, {Done("<b>"), ""},
		{Frame{Path: "/incidents?page=2"}.Reload(), "/incidents?page=2"}, {Frame{Path: "//evil.example"}.Reload(), "/"}, {Frame{Path: `/\evil.example`}.Reload(), "/"},
	} {
		if c.got != c.want {
			t.Errorf("%q, want %q", c.got, c.want)
		}
	}
}

func TestChart(t *testing.T) {
	c := NewChart("x", []Point{{Records: 1000}, {Records: 1, Alerts: [5]int64{1, 0, 3}}, {}})
	if len(c.Columns) != 3 || c.MostRecords != "1,000" || c.MostAlert != "4" {
		t.Fatalf("%d columns, at most %s and %s", len(c.Columns), c.MostRecords, c.MostAlert)
	}
	if got := c.Columns[0].Records; got.Y != "4.0" || got.H != "100.0" {
		t.Errorf("the highest bar is %+v, want the whole band", got)
	}
	if got := c.Columns[1].Records.H; got != "2.0" {
		t.Errorf("one record is %s high, want 2.0, so that it shows", got)
	}
	if got, want := c.Rows[1].Alerts, "4 alerts (1 critical, 3 medium)"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if c := NewChart("x", nil); len(c.Columns) > 0 {
		t.Errorf("no points gave %d columns", len(c.Columns))
	}
}
