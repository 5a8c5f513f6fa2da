package trace_test

import (
	"cmp"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"tocsin/internal/intake"
	"tocsin/internal/record"
	"tocsin/internal/trace"
)

var noon = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)

// A world is lines that are kept; it answers by reading each.
type world struct {
	t       testing.TB
	parser  *intake.Parser
	records []*record.Record
	asked   int
	held    int // most lines in one answer
}

func newWorld(t testing.TB) *world {
	p, err := intake.New(intake.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return &world{t: t, parser: p}
}

func (w *world) add(file, raw string) {
	l := record.Line{File: file, Seq: int64(len(w.records) + 1), Raw: raw}
	w.records = append(w.records, w.parser.Parse(l, noon).Clone())
}

// web adds a request so many minutes behind noon.
func (w *world) web(minute float64, ip, request string, status int, agent string) {
	at := noon.Add(time.Duration(minute * float64(time.Minute)))
	w.add("access.log", fmt.Sprintf(`%s - - [%s] "%s HTTP/1.1" %d 100 "-" "%s"`, ip, at.Format("02/Jan/2006:15:04:05 -0700"), request, status, agent))
}

// ftp adds a line of vsftpd.
func (w *world) ftp(minute float64, user, deed, ip, rest string) {
	at := noon.Add(time.Duration(minute * float64(time.Minute)))
	w.add("vsftpd.log", fmt.Sprintf(`%s [pid 7] [%s] %s: Client "%s"%s`, at.Format("Mon Jan _2 15:04:05 2006"), user, deed, ip, rest))
}

// app adds a line of the shop's own log.
func (w *world) app(minute float64, event, ip, more string) {
	at := noon.Add(time.Duration(minute * float64(time.Minute)))
	w.add("app.jsonl", fmt.Sprintf(`{"ts":"%s","event":"%s","ip":"%s"%s}`, at.Format(time.RFC3339Nano), event, ip, more))
}

func (w *world) matching(a trace.Ask) (out []*record.Record) {
	w.asked++
	for _, r := range w.records {
		if a.Match(r) {
			out = append(out, r)
		}
	}
	slices.SortStableFunc(out, func(a, b *record.Record) int { return a.Time.Compare(b.Time) })
	return out
}

func (w *world) archive() trace.Archive {
	return trace.Archive{
		Lines: func(a trace.Ask, most int, last bool) (trace.Answer, error) {
			all := w.matching(a)
			out := trace.Answer{All: int64(len(all)), Rows: all[:min(len(all), most)]}
			if last {
				out.Rows = all[max(0, len(all)-most):]
			}
			w.held = max(w.held, len(out.Rows))
			return out, nil
		},
		Top: func(a trace.Ask, by trace.Field, n int) ([]trace.Counted, string, error) {
			counts := map[string]int64{}
			for _, r := range w.matching(a) {
				text, ok := r.Line.File, true
				if by != trace.Log {
					var v record.Value
					v, ok = r.Get(record.Field(by))
					text = v.Text
				}
				if ok {
					counts[text]++
				}
			}
			var list []trace.Counted
			for v, n := range counts {
				list = append(list, trace.Counted{Value: v, N: n})
			}
			slices.SortFunc(list, func(a, b trace.Counted) int {
				return cmp.Or(cmp.Compare(b.N, a.N), strings.Compare(a.Value, b.Value))
			})
			return list[:min(len(list), n)], "", nil
		},
	}
}

// about is a case of one alert that suspects some addresses.
func about(addresses ...string) trace.Case {
	a := trace.Alert{Title: "Something odd", Level: "high", First: noon, Last: noon.Add(time.Hour), Raised: noon}
	for _, ip := range addresses {
		a.Addresses = append(a.Addresses, trace.Party{Name: ip, Suspect: true})
	}
	return trace.Case{Alerts: []trace.Alert{a}}
}

// told traces, and holds what must be true of every story against it.
func (w *world) told(c trace.Case) trace.Story {
	w.t.Helper()
	s, err := trace.Trace(c, w.archive())
	if err != nil {
		w.t.Fatal(err)
	}
	w.sound(s)
	return s
}

// sound checks a story: each statement has lines, its Ask finds precisely them, each of them names what the statement is about; the graph
// fits; a guess says why.
func (w *world) sound(s trace.Story) {
	w.t.Helper()
	for n, x := range s.Statements {
		lines := w.matching(x.Proof.Ask())
		refs := x.Proof.Lines()
		if len(refs) == 0 || x.Proof.Count() != int64(len(lines)) || len(refs) != min(len(lines), 100) {
			w.t.Errorf("%q stands on %d lines, names %d and its question finds %d", x.Text, x.Proof.Count(), len(refs), len(lines))
			continue
		}
		for k, r := range refs {
			if r.Number != lines[k].Line.Seq || !r.Time.Equal(lines[k].Time) || r.File != lines[k].Line.File {
				w.t.Errorf("%q names line %+v, and the question finds %+v", x.Text, r, lines[k].Line)
			}
		}
		if (x.Kind == trace.Guess) != (x.Why != "") || x.Text == "" || x.Until.Before(x.At) {
			w.t.Errorf("statement %+v", x)
		}
		if n > 0 && x.At.Before(s.Statements[n-1].At) {
			w.t.Errorf("%q is out of order", x.Text)
		}
		named := make([]bool, len(x.Nodes))
		for _, r := range lines {
			some := false
			for k, at := range x.Nodes {
				if strings.Contains(strings.ToLower(r.Line.Raw), strings.ToLower(s.Nodes[at].Name)) {
					named[k], some = true, true
				}
			}
			if !some && len(x.Nodes) > 0 {
				w.t.Errorf("%q stands on a line that names nothing of it: %s", x.Text, r.Line.Raw)
			}
		}
		if slices.Contains(named, false) {
			w.t.Errorf("%q is about something that no line of it names: %v of %v", x.Text, named, x.Nodes)
		}
	}
	for _, e := range s.Edges {
		if max(e.From, e.To) >= len(s.Nodes) || min(e.From, e.To) < 0 || e.Statement < 0 || e.Statement >= len(s.Statements) || e.Verb == "" || e.Guess != (s.Statements[e.Statement].Kind == trace.Guess) {
			w.t.Errorf("edge %+v", e)
		}
	}
}

// texts are the statements, those of alerts left out.
func texts(s trace.Story) string {
	var out []string
	for _, x := range s.Statements {
		if x.Step == trace.Alarm {
			continue
		}
		text := x.Text
		if x.Kind == trace.Guess {
			text = "guess: " + text
		}
		out = append(out, text)
	}
	return strings.Join(out, "\n")
}

const browser = "Mozilla/5.0 (X11; Linux x86_64)"

func TestStories(t *testing.T) {
	for name, x := range map[string]struct {
		given func(*world)
		when  trace.Case
		then  string
	}{
		"a program is uploaded and called": {
			func(w *world) {
				for i := range 9 { // many visitors have the same program
					w.web(float64(i)-60, fmt.Sprintf("192.0.2.%d", i), "GET /", 200, browser)
				}
				w.web(0, "203.0.113.9", "GET /return", 200, browser)
				w.app(1, "return_photo_uploaded", "203.0.113.9", `,"file":"/pics/x.php","type":"image/png","size":99`)
				w.web(3, "203.0.113.9", "GET /pics/x.php?c=id", 200, browser)
				w.web(4, "203.0.113.9", "GET /pics/x.php?c=id", 200, browser)
				w.web(9, "198.51.100.8", "GET /pics/x.php?c=ls", 200, browser)
			},
			about("203.0.113.9"),
			`203.0.113.9 is seen first: GET /return, answered with 200.
203.0.113.9 makes 3 requests to the site, for /pics/x.php (2), /return (1).
203.0.113.9 uploads /pics/x.php, said to be image/png, 99 bytes.
203.0.113.9 asks for the uploaded file /pics/x.php 2 times, first 2 min after the upload, with c=id (2).
203.0.113.9 is seen last: GET /pics/x.php?c=id, answered with 200.
198.51.100.8 is seen first: GET /pics/x.php?c=ls, answered with 200.
198.51.100.8 makes 1 request to the site, for /pics/x.php (1).
198.51.100.8 asks for the uploaded file /pics/x.php 1 time, first 8 min after the upload, with c=ls.
guess: 198.51.100.8 belongs to whoever uploaded /pics/x.php from 203.0.113.9.`,
		},
		"an account is guessed, and used from elsewhere": {
			func(w *world) {
				w.ftp(-600, "store", "OK LOGIN", "192.0.2.1", "")
				for i := range 6 {
					w.ftp(float64(i)/10, "store", "FAIL LOGIN", "203.0.113.9", "")
				}
				w.ftp(1, "store", "OK LOGIN", "203.0.113.9", "")
				w.ftp(31, "store", "OK LOGIN", "198.51.100.8", "")
				w.ftp(32, "store", "OK DOWNLOAD", "198.51.100.8", `, "/a.pdf", 1500 bytes, 9.00Kbyte/sec`)
				w.ftp(33, "store", "OK DOWNLOAD", "198.51.100.8", `, "/b.pdf", 500 bytes, 9.00Kbyte/sec`)
			},
			about("203.0.113.9"),
			`store (ftp) was used from 192.0.2.1 before: first 10 h 1 min, last 10 h 1 min before 203.0.113.9 signs in.
203.0.113.9 is seen first: a sign-in as store that fails.
6 sign-ins of 203.0.113.9 as store (ftp) failed.
203.0.113.9 signs in as store (ftp).
203.0.113.9 is seen last: a sign-in as store that works.
198.51.100.8 is seen first: a sign-in as store that works.
198.51.100.8 signs in as store (ftp), the account that 203.0.113.9 had signed in to 30 min before.
guess: 203.0.113.9 and 198.51.100.8 are the same intruder, or work together.
198.51.100.8 fetches 2 files, 2,000 bytes, as store: /a.pdf, /b.pdf.
198.51.100.8 is seen last: one download as store of /b.pdf that works.`,
		},
		"somebody looks around, and finds something": {
			func(w *world) {
				for i := range 7 {
					w.web(float64(i)/10, "203.0.113.9", fmt.Sprintf("GET /no%d", i), 404, browser)
				}
				w.web(1, "203.0.113.9", "GET /backup.zip", 200, browser)
				w.web(2, "203.0.113.9", "GET /x", 500, browser)
			},
			about("203.0.113.9"),
			`203.0.113.9 is seen first: GET /no0, answered with 404.
203.0.113.9 makes 9 requests to the site, for /backup.zip (1), /no0 (1), /no1 (1) and 6 more.
203.0.113.9 asks 7 times for what is not there or not allowed (4xx).
The first thing that 203.0.113.9 is given among what it looks for: GET /backup.zip, answered with 200.
203.0.113.9 makes the site fail 1 time (5xx), first with GET /x, answered with 500.
203.0.113.9 is seen last: GET /x, answered with 500.`,
		},
		"one rare program at two addresses, of which one is a customer's": {
			func(w *world) {
				w.app(-90, "customer_login_ok", "192.0.2.44", `,"account":"eve","ua":"oddtool/0.1"`)
				w.web(0, "203.0.113.9", "GET /", 200, "oddtool/0.1")
				w.web(5, "198.51.100.8", "GET /", 200, "oddtool/0.1")
			},
			about("203.0.113.9"),
			`203.0.113.9 is seen first: GET /, answered with 200.
203.0.113.9 makes 1 request to the site, for / (1).
198.51.100.8 has the same program as 203.0.113.9 in 1 line: oddtool/0.1.
guess: 203.0.113.9 and 198.51.100.8 are the same visitor, or work together.`,
		},
		"a session that moves": {
			func(w *world) {
				w.app(0, "payment_declined", "203.0.113.9", `,"sid":"s3ss10n"`)
				w.app(5, "payment_declined", "198.51.100.8", `,"sid":"s3ss10n"`)
			},
			about("203.0.113.9"),
			`203.0.113.9 is seen first: one payment that fails.
203.0.113.9: payment, 1 time (1 failure).
198.51.100.8 is seen first: one payment that fails.
198.51.100.8 has the same session as 203.0.113.9 in 1 line: s3ss10n.
guess: 203.0.113.9 and 198.51.100.8 are the same visitor, or work together.
198.51.100.8: payment, 1 time (1 failure).`,
		},
		"nobody is suspect": {
			func(w *world) { w.ftp(0, "store", "OK LOGIN", "192.0.2.1", "") },
			trace.Case{Alerts: []trace.Alert{{Title: "x", Level: "low", First: noon, Last: noon, Raised: noon, Accounts: []trace.Party{{Name: "store", Realm: "ftp"}}}}},
			"store (ftp) is used from 192.0.2.1.",
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			x.given(w)
			if got := texts(w.told(x.when)); got != x.then {
				t.Errorf("it tells\n%s\nand not\n%s", got, x.then)
			}
		})
	}
}

// Given the shop's own addresses and those that many share, when they are alike, then nobody follows them.
func TestOurs(t *testing.T) {
	w := newWorld(t)
	w.web(0, "203.0.113.9", "GET /pics/rare.php", 200, browser)
	w.web(1, "192.0.2.1", "GET /pics/rare.php", 200, browser)
	w.web(2, "192.0.2.2", "GET /pics/rare.php", 200, browser)
	c := about("203.0.113.9")
	c.Ours = func(a string) bool { return a == "192.0.2.1" }
	c.Alerts[0].Addresses = append(c.Alerts[0].Addresses, trace.Party{Name: "192.0.2.2", Suspect: true, Shared: true})
	if s := w.told(c); strings.Contains(texts(s), "192.0.2.") {
		t.Errorf("it tells\n%s", texts(s))
	}
}

// Given nothing, or a failing archive, when a case is traced, then nothing is made up.
func TestNothingKept(t *testing.T) {
	w := newWorld(t)
	s := w.told(about("203.0.113.9"))
	if len(s.Statements) != 0 || !slices.ContainsFunc(s.Cut, func(c string) bool { return strings.Contains(c, "No lines of 203.0.113.9 are kept") }) {
		t.Errorf("%+v", s)
	}
	if s := w.told(trace.Case{}); len(s.Statements)+len(s.Cut) != 0 {
		t.Errorf("of nothing: %+v", s)
	}
	broken := errors.New("the disk is gone")
	a := w.archive()
	a.Lines = func(trace.Ask, int, bool) (trace.Answer, error) { return trace.Answer{}, broken }
	if _, err := trace.Trace(about("203.0.113.9"), a); !errors.Is(err, broken) {
		t.Errorf("%v", err)
	}
}

// Given a storm and hostile names, when it is traced, then questions, lines, names and texts are bounded, and what is left out is said.
func TestBounds(t *testing.T) {
	w := newWorld(t)
	var many []string
	long := strings.Repeat("é", 3000)
	for i := range 60 {
		ip := fmt.Sprintf("203.0.113.%d", i)
		many = append(many, ip)
		for k := range 12 {
			w.app(float64(i+k), "customer_login_failed", ip, fmt.Sprintf(`,"account":"u%d%s"`, k, long[:2*i]))
			w.app(float64(i+k), "customer_login_ok", ip, fmt.Sprintf(`,"account":"v%d-%d","sid":"%s"`, i, k, long))
			w.app(float64(i+k), "return_photo_uploaded", ip, fmt.Sprintf(`,"file":"/%s%d.php"`, long[:4*k], k))
			w.web(float64(i+k), ip, fmt.Sprintf("GET /%s%d?\\xff\\x00", long[:k*100], k), 200, "\xff\u202e tool "+long)
		}
	}
	s := w.told(about(many...))
	if s.Asked > 400 || w.held > 1000 || len(s.Statements) > 200 || len(s.Nodes) > 60 || len(s.Edges) > 120 || len(s.Cut) == 0 {
		t.Errorf("%d asked, %d held, %d statements, %d nodes, %d edges", s.Asked, w.held, len(s.Statements), len(s.Nodes), len(s.Edges))
	}
	for _, x := range s.Statements {
		if len(x.Text) > 2000 || len(x.Why) > 2000 {
			t.Errorf("a text of %d bytes: %.200s", len(x.Text), x.Text)
		}
	}
	if !slices.ContainsFunc(s.Cut, func(c string) bool { return strings.HasPrefix(c, "60 addresses are suspect, and 10 ") }) {
		t.Errorf("cut: %q", s.Cut)
	}
}

// Whatever the lines are, every statement stands on lines, and the same lines give the same story.
func TestAnyWorld(t *testing.T) {
	for seed := range uint64(8) {
		w := newWorld(t)
		r := rand.New(rand.NewPCG(seed, 5))
		ip := func() string { return fmt.Sprintf("203.0.113.%d", r.IntN(5)) }
		for range 120 {
			at := r.Float64() * 90
			switch r.IntN(6) {
			case 0:
				w.ftp(at, fmt.Sprintf("u%d", r.IntN(3)), []string{"OK LOGIN", "FAIL LOGIN"}[r.IntN(2)], ip(), "")
			case 1:
				w.ftp(at, "u1", []string{"OK UPLOAD", "OK DOWNLOAD", "OK DELETE"}[r.IntN(3)], ip(), fmt.Sprintf(`, "/f%d.php", %d bytes, 1.00Kbyte/sec`, r.IntN(4), r.IntN(5000)))
			case 2:
				w.app(at, []string{"customer_login_ok", "customer_login_failed", "payment_declined", "data_export"}[r.IntN(4)], ip(), fmt.Sprintf(`,"account":"u%d","sid":"session%d","bytes":7`, r.IntN(3), r.IntN(4)))
			default:
				w.web(at, ip(), fmt.Sprintf("GET /f%d.php?q=%d", r.IntN(4), r.IntN(3)), []int{200, 404, 403, 500, 302}[r.IntN(5)], []string{browser, "oddtool/0.1", "-"}[r.IntN(3)])
			}
		}
		c := about(ip(), ip())
		one, two := w.told(c), w.told(c)
		if texts(one) != texts(two) || len(one.Edges) != len(two.Edges) {
			t.Errorf("seed %d: two stories of the same lines", seed)
		}
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}
