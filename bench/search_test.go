//go:build bench

package bench

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime/debug"
	"runtime/pprof"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"tocsin/internal/cli"
	"tocsin/internal/disk"
	"tocsin/internal/intake"
	"tocsin/internal/query"
	"tocsin/internal/record"
	"tocsin/internal/search"
	"tocsin/internal/shelf"
)

// What a run of TestSearch may be told.
const (
	searchLinesEnv   = "TOCSIN_BENCH_SEARCH_LINES"   // how many lines are searched: 12,000,000 is what the goals are for
	searchKeepEnv    = "TOCSIN_BENCH_SEARCH_KEEP"    // a folder in which the shelf and the raw lines stay for the next run
	searchProfileEnv = "TOCSIN_BENCH_SEARCH_PROFILE" // a folder for a CPU profile of each kind of question
)

const searchGoal = 12_000_000

// searchSpan is the time that the lines are of, when there are as many as the goals are for.
const searchSpan = 12 * time.Hour

var searchBegin = time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)

// A hit is one request: of 100,000 addresses, a sixth as many accounts, sessions, and URLs of which most are different. Every third visitor is on a
// server that writes JSON, with sessions.
type hit struct {
	at                    time.Time
	ip, user, session     string // user: "-" is none
	url, referrer, agent  string
	status, bytes, millis int
	json                  bool
}

func newHit(r *rand.Rand, at time.Time) hit {
	visitor := r.IntN(100_000)
	h := hit{at: at, ip: visitorAddress(visitor), user: "-", json: visitor%3 == 0}
	if visitor%12 < 2 {
		h.user = fmt.Sprintf("user%d", visitor)
	}
	h.url = [...]string{"/", "/cart", "/checkout", "/account", "/search"}[r.IntN(5)]
	if r.IntN(4) > 0 {
		h.url = fmt.Sprintf("/catalog/item-%d?variant=%d&ref=%s", r.IntN(60_000), r.IntN(20), [...]string{"mail", "ads", "home", "social"}[r.IntN(4)])
	}
	h.status = [...]int{200, 200, 200, 200, 200, 200, 301, 304, 404, 500}[r.IntN(10)]
	h.agent = [...]string{
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36",
		"Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1",
		"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Safari/605.1.15"}[visitor%7%3]
	h.referrer = "https://shop.example" + [...]string{"/", "/search?q=shoes", "/catalog"}[r.IntN(3)]
	h.bytes, h.millis = 300+r.IntN(90_000), r.IntN(2000)
	if h.json {
		h.session = visitorSession(visitor, at)
	}
	return h
}

// line writes it as the server does.
func (h hit) line() (file, text string) {
	if h.json {
		return "/var/log/nginx/shop.json", fmt.Sprintf(`{"time":"%s","remote_addr":"%s","remote_user":"%s","session":"%s","request":"GET %s HTTP/1.1","status":%d,"body_bytes_sent":%d,"request_time":%d.%03d,"http_referer":"%s","http_user_agent":"%s","host":"shop.example"}`,
			h.at.Format(time.RFC3339), h.ip, h.user, h.session, h.url, h.status, h.bytes, h.millis/1000, h.millis%1000, h.referrer, h.agent)
	}
	return "/var/log/nginx/access.log", fmt.Sprintf(`%s - %s [%s] "GET %s HTTP/1.1" %d %d "%s" "%s" rt=%d.%03d`,
		h.ip, h.user, h.at.Format("02/Jan/2006:15:04:05 -0700"), h.url, h.status, h.bytes, h.referrer, h.agent, h.millis/1000, h.millis%1000)
}

func visitorAddress(n int) string {
	return fmt.Sprintf("%d.%d.%d.%d", 11+n%180, n/180%250, n%251, 1+n%253)
}

// visitorSession is a new one every three hours: some thirty requests.
func visitorSession(visitor int, at time.Time) string {
	x := uint64(visitor)*8 + uint64(at.Sub(searchBegin)/(3*time.Hour))
	x = (x ^ 0x9e3779b97f4a7c15) * 0xbf58476d1ce4e5b9
	return fmt.Sprintf("%016x%08x", x^x>>31, uint32(x))
}

// A fill makes lines.
type fill struct {
	r    *rand.Rand
	n    int
	ends map[string]int64
}

func newFill() *fill { return &fill{r: rand.New(rand.NewPCG(1, 2)), ends: map[string]int64{}} }

func (f *fill) at() time.Time { return searchBegin.Add(time.Duration(f.n) * (searchSpan / searchGoal)) }

func (f *fill) hit() hit {
	h := newHit(f.r, f.at())
	f.n++
	return h
}

func (f *fill) lines(n int) (some []shelf.Line) {
	for range n {
		at := f.at()
		file, text := f.hit().line()
		some = append(some, shelf.Line{Line: record.Line{File: file, Offset: f.ends[file], Seq: int64(f.n), Raw: text}, Received: at.UnixNano()})
		f.ends[file] += int64(len(text)) + 1
	}
	return some
}

// searchFolder is where the shelf lies, and whether it is to stay.
func searchFolder(t *testing.T, lines int) string {
	if dir := os.Getenv(searchKeepEnv); dir != "" {
		dir = filepath.Join(dir, strconv.Itoa(lines))
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		return dir
	}
	return t.TempDir()
}

// A bed is a shelf with lines to search, and the same lines as a plain file.
type bed struct {
	shelf *shelf.Shelf
	views *intake.Parser
	lines int
	raw   int64  // bytes
	file  string // of the plain lines
	layer *disk.Folder
}

func openBed(t *testing.T, dir string, lines int) *bed {
	t.Helper()
	l, err := disk.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	p, err := intake.New(intake.Options{})
	if err != nil {
		t.Fatal(err)
	}
	views, err := intake.New(intake.Options{})
	if err != nil {
		t.Fatal(err)
	}
	b := &bed{views: views, lines: lines, file: filepath.Join(dir, "plain.log"), layer: l}
	var rec record.Record
	b.shelf, _, err = shelf.Open(l, "shelf", shelf.Options{Parser: shelf.Parser{Save: p.Snapshot, Restore: p.Restore,
		Parse: func(l record.Line, at time.Time) iter.Seq[*record.Record] {
			return func(yield func(*record.Record) bool) {
				p.ParseInto(&rec, l, at)
				yield(&rec)
			}
		}}})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// fill seals the lines and joins them, unless an earlier run did.
func (b *bed) fill(t *testing.T, x *table) {
	t.Helper()
	if b.shelf.Through() >= int64(b.lines) {
		st, err := os.Stat(b.file)
		if err != nil {
			t.Fatal(err)
		}
		b.raw = st.Size()
		return
	}
	if b.shelf.Through() > 0 {
		t.Fatalf("the shelf has lines up to %d of another run: remove it", b.shelf.Through())
	}
	plain, err := os.Create(b.file)
	if err != nil {
		t.Fatal(err)
	}
	w := bufio.NewWriterSize(plain, 1<<20)
	f := newFill()
	var sealing, joining, sealed, joined time.Duration
	const piece = 90_000 // as a segment of the write-ahead log has
	join := func() {
		begun, before := time.Now(), spent()
		for {
			j, err := b.shelf.Join(context.Background(), time.Now())
			if err != nil {
				t.Fatal(err)
			}
			if len(j.Gone) == 0 {
				break
			}
		}
		joining += time.Since(begun)
		joined += spent() - before
	}
	for f.n < b.lines {
		some := f.lines(min(piece, b.lines-f.n))
		for i := range some {
			_, _ = w.WriteString(some[i].Raw)
			_ = w.WriteByte('\n')
			b.raw += int64(len(some[i].Raw)) + 1
		}
		begun, before := time.Now(), spent()
		if _, err := b.shelf.Seal(context.Background(), some[len(some)-1].Seq, func(yield func([]shelf.Line, error) bool) { yield(some, nil) }); err != nil {
			t.Fatal(err)
		}
		sealing += time.Since(begun)
		sealed += spent() - before
	}
	join()
	if err := errors.Join(w.Flush(), plain.Close()); err != nil {
		t.Fatal(err)
	}
	perSecond := func(d time.Duration) float64 { return float64(b.lines) / d.Seconds() }
	x.add(fmt.Sprintf("sealing %d lines, %d MB", b.lines, b.raw>>20), ">= 250,000/s a core", perSecond(sealed) < 250_000, "%.0f lines/s; %.0f per second of a processor", perSecond(sealing), perSecond(sealed))
	x.add("joining them", "", false, "%v; %v of a processor", joining.Round(time.Millisecond), joined.Round(time.Millisecond))
}

// A question is a kind of query with a goal: of each of fifty values once, some of which are not there.
type question struct {
	what   string
	goal   time.Duration // for searchGoal lines
	text   func(n int) string
	plain  func(n int) []string // what ripgrep is asked of the plain lines; nil: it cannot
	clicks func(n int) string   // what ClickHouse is asked of a table with the same fields
}

func questions() []question {
	absent := func(n int) bool { return n%10 == 9 }
	goal := func(ms float64) time.Duration { return time.Duration(ms * float64(time.Millisecond)) }
	newest := func(where string) string { return "SELECT * FROM hits WHERE " + where + " ORDER BY at DESC LIMIT 50" }
	address := func(n int) string {
		if absent(n) {
			return fmt.Sprintf("11.3.%d.254", n)
		}
		return visitorAddress(n * 1999)
	}
	session := func(n int) string {
		s := visitorSession(n*1998, searchBegin.Add(time.Duration(n%4)*3*time.Hour))
		if absent(n) {
			return "a" + s[1:]
		}
		return s
	}
	account := func(n int) string {
		if absent(n) {
			return fmt.Sprintf("nobody%d", n)
		}
		return fmt.Sprintf("user%d", n*1200)
	}
	text := func(n int) string {
		if absent(n) {
			return fmt.Sprintf("item-%d-x", n)
		}
		return fmt.Sprintf("item-%d?", 1000+n*37)
	}
	expression := func(n int) string {
		if absent(n) {
			return fmt.Sprintf("item-%d[a-f]?.sort=1[0-9]", 1000+n*37)
		}
		return fmt.Sprintf("item-%d[0-9]?.variant=1[0-9]", 1000+n*37)
	}
	return []question{
		{"by address", goal(20), func(n int) string { return "ip=" + address(n) + " | tail 50" },
			func(n int) []string { return []string{"-F", address(n)} }, func(n int) string { return newest("ip = '" + address(n) + "'") }},
		{"by session", goal(50), func(n int) string { return "session=" + session(n) + " | tail 50" },
			func(n int) []string { return []string{"-F", session(n)} }, func(n int) string { return newest("session = '" + session(n) + "'") }},
		{"by account", goal(50), func(n int) string { return "user=" + account(n) + " | tail 50" },
			func(n int) []string { return []string{"-w", "-F", account(n)} }, func(n int) string { return newest("user = '" + account(n) + "'") }},
		{"text in the URL", goal(100), func(n int) string { return "url~" + text(n) + " | tail 50" },
			func(n int) []string { return []string{"-i", "-F", text(n)} }, func(n int) string { return newest("positionCaseInsensitive(url, '" + text(n) + "') > 0") }},
		{"a regular expression in the URL", goal(300), func(n int) string { return "url~/" + expression(n) + "/ | tail 50" },
			func(n int) []string { return []string{expression(n)} }, func(n int) string { return newest("match(url, '" + expression(n) + "')") }},
		{"top 20 addresses", goal(100), func(n int) string { return fmt.Sprintf("bytes>%d | top ip 20", n*1000) },
			nil, func(n int) string {
				return fmt.Sprintf("SELECT ip, count() AS n FROM hits WHERE bytes > %d GROUP BY ip ORDER BY n DESC, ip LIMIT 20", n*1000)
			}},
		{"histogram", goal(80), func(n int) string { return fmt.Sprintf("| timeline %dm", 1+n%5) },
			nil, func(n int) string {
				return fmt.Sprintf("SELECT intDiv(toUInt32(at), %d) AS t, count() FROM hits GROUP BY t ORDER BY t", 60*(1+n%5))
			}},
	}
}

// spent is the time that this process has had of the processors.
func spent() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// An answer is how long a question took.
type answer struct{ median, worst, processor time.Duration }

// ask times a question.
func (q question) ask(t *testing.T, a *search.Searcher) answer {
	t.Helper()
	var took []time.Duration
	var last search.Result
	begin, before := time.Now(), spent()
	for n := range 51 {
		parsed, err := query.Parse(q.text(n), searchBegin.AddDate(0, 0, 1), time.UTC)
		if err != nil {
			t.Fatal(err)
		}
		begun := time.Now()
		last, err = a.Run(context.Background(), parsed, nil)
		if err != nil || len(last.Damaged) > 0 {
			t.Fatal(err, last.Damaged)
		}
		if n > 0 { // the first one warms
			took = append(took, time.Since(begun))
		}
		if n > 0 && time.Since(begin) > time.Minute {
			t.Logf("%s: only %d were asked", q.what, n+1)
			break
		}
	}
	cost := (spent() - before) / time.Duration(len(took)+1)
	slices.Sort(took)
	t.Logf("%s: %d matched, %+v", q.what, last.Matched, last.Scanned)
	return answer{took[len(took)/2], took[len(took)-1], cost}
}

func (a answer) String() string {
	ms := func(d time.Duration) float64 { return d.Seconds() * 1000 }
	return fmt.Sprintf("%.1f ms (worst %.1f; processors %.1f)", ms(a.median), ms(a.worst), ms(a.processor))
}

// TestSearch fills a shelf and asks it.
func TestSearch(t *testing.T) {
	lines := 1_200_000
	if s := os.Getenv(searchLinesEnv); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil {
			t.Fatal(err)
		}
		lines = n
	}
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(cli.MemoryLimit)) // as the program does
	var x table
	b := openBed(t, searchFolder(t, lines), lines)
	b.fill(t, &x)
	view := b.shelf.View()
	kept := int64(0)
	for _, v := range view.Volumes {
		kept += v.Bytes()
	}
	x.add(fmt.Sprintf("what %d lines of %d MB take on the disk", lines, b.raw>>20), "<= 1/4", kept*4 > b.raw, "1/%.1f", float64(b.raw)/float64(kept))
	t.Logf("%d volumes", len(view.Volumes))
	view.Close()

	a := search.New(search.Options{Shelf: b.shelf, Views: b.views.Views, Network: intake.Network, Parts: intake.Parts})
	defer a.Close()
	others := newPeers(t, b)
	for i, q := range questions() {
		stop := profiled(t, i)
		is := q.ask(t, a)
		stop()
		x.add(q.what, fmt.Sprintf("<= %v for 12 M", q.goal), lines >= searchGoal && is.median > q.goal, "%s", is)
		x[len(x)-1].beside = others.beside(t, q, is.median)
		t.Logf("%s: %s; %s", q.what, is, x[len(x)-1].beside)
	}
	a.Close()
	b.siege(t, &x)
	x.add("the most memory that this program took", "<= 512 MB", peak(t) > 512<<20, "%d MB", peak(t)>>20)
	x.print(t)
}

// profiled writes a CPU profile of what follows until it is stopped, if one is wanted.
func profiled(t *testing.T, n int) (stop func()) {
	dir := os.Getenv(searchProfileEnv)
	if dir == "" {
		return func() {}
	}
	f, err := os.Create(filepath.Join(dir, fmt.Sprintf("search-%d.pprof", n)))
	if err == nil {
		err = pprof.StartCPUProfile(f)
	}
	if err != nil {
		t.Fatal(err)
	}
	return func() {
		pprof.StopCPUProfile()
		_ = f.Close()
	}
}

// peak is the most memory that this process has had resident, in bytes.
func peak(t *testing.T) int64 {
	t.Helper()
	b, err := os.ReadFile("/proc/self/status")
	if errors.Is(err, fs.ErrNotExist) {
		return 0
	}
	for line := range strings.Lines(string(b)) {
		var kb int64
		if n, _ := fmt.Sscanf(line, "VmHWM: %d kB", &kb); n == 1 {
			return kb << 10
		}
	}
	return 0
}
