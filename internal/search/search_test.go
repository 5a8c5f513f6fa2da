package search

import (
	"context"
	"fmt"
	"iter"
	"math/rand/v2"
	"os"
	"slices"
	"sort"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	diff "github.com/google/go-cmp/cmp"

	"tocsin/internal/disk"
	"tocsin/internal/intake"
	"tocsin/internal/query"
	"tocsin/internal/record"
	"tocsin/internal/shelf"
)

var now = time.Date(2026, 11, 12, 12, 0, 0, 0, time.UTC)

// A house is lines on a shelf and behind it, and what the parser reads in each.
type house struct {
	asked   atomic.Int64 // records that were told by tail
	s       *Searcher
	shelf   *shelf.Shelf
	layer   *disk.Lossy
	records []*record.Record // of every line; under mu, because what keeps up with them reads them, too
	mu      sync.Mutex
}

func newParser(t testing.TB) *intake.Parser {
	t.Helper()
	p, err := intake.New(intake.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// newHouse seals all lines but the last tail ones, in several steps, and joins some of what comes of it.
func newHouse(t testing.TB, lines []shelf.Line, tail int) *house {
	t.Helper()
	h := &house{layer: disk.NewLossy()}
	p := newParser(t)
	var err error
	h.shelf, _, err = shelf.Open(h.layer, "shelf", shelf.Options{Parser: shelf.Parser{
		Parse: parts(p), Save: p.Snapshot, Restore: p.Restore}})
	if err != nil {
		t.Fatal(err)
	}
	naive := newParser(t)
	for i := range lines {
		for r := range parts(naive)(lines[i].Line, time.Unix(0, lines[i].Received)) {
			h.records = append(h.records, r.Clone())
		}
	}
	sealed := lines[:len(lines)-tail]
	for some := range slices.Chunk(sealed, max(len(sealed)/4, 1)) {
		_, err := h.shelf.Seal(context.Background(), some[len(some)-1].Seq, func(yield func([]shelf.Line, error) bool) { yield(some, nil) })
		if err != nil {
			t.Fatal(err)
		}
	}
	for range 3 {
		if _, err := h.shelf.Join(context.Background(), time.Unix(1<<33, 0)); err != nil {
			t.Fatal(err)
		}
	}
	h.s = New(Options{Shelf: h.shelf, Views: newParser(t).Views, Network: intake.Network, Parts: intake.Parts, Workers: 3, Tail: h.tail})
	t.Cleanup(h.s.Close)
	return h
}

// tail is a Tail.
func (h *house) tail(ctx context.Context, behind int64, _ bool) iter.Seq2[iter.Seq[*record.Record], error] {
	return func(yield func(iter.Seq[*record.Record], error) bool) {
		h.mu.Lock()
		rest := h.records
		h.mu.Unlock()
		for len(rest) > 0 && ctx.Err() == nil {
			n := 1
			for n < len(rest) && rest[n].Line.Seq == rest[0].Line.Seq {
				n++
			}
			line := rest[:n]
			if rest = rest[n:]; line[0].Line.Seq <= behind {
				continue
			}
			h.asked.Add(int64(n))
			if !yield(slices.Values(line), nil) {
				return
			}
		}
	}
}

// until lets the records of lines up to a number be there.
func (h *house) until(all []*record.Record, came int64) {
	n := sort.Search(len(all), func(i int) bool { return all[i].Line.Seq > came })
	h.mu.Lock()
	h.records = all[:n:n]
	h.mu.Unlock()
}

// naive is the answer of the oracle: every record, one after the other.
func (h *house) naive(q *query.Query) query.Result {
	f := query.NewFold(q)
	for _, r := range h.records {
		if q.Match(r) {
			f.Add(r)
		}
	}
	return f.Result()
}

// same compares the answers to a query.
func (h *house) same(t *testing.T, text string) {
	t.Helper()
	q, err := query.Parse(text, now, time.UTC)
	if err != nil {
		t.Errorf("%s: %v", text, err)
		return
	}
	before := int64(-1)
	got, err := h.s.Run(context.Background(), q, func(p Progress) { // what was found so far changes nothing
		if before >= 0 || len(h.records) > 1000 {
			return // it reads lines
		}
		x := p.So()
		if len(x.Rows) == 0 && x.Bars == nil && x.Matched > x.Without && len(q.Stages) == 0 {
			t.Errorf("%s: of %d lines so far %d are shown", text, x.Matched, len(x.Rows))
		}
		before = x.Matched
	})
	if err != nil || got.Cut != "" || len(got.Damaged) > 0 {
		t.Errorf("%.300s: %v %q %.500v", text, err, got.Cut, got.Damaged)
		return
	}
	if d := diff.Diff(h.naive(q), got.Result); d != "" {
		t.Errorf("%s: (-naive +search)\n%.2000s", text, d)
	}
}

// shopLines are lines of a web server, sign-ins and an application's log.
func shopLines(n int) (lines []shelf.Line) {
	r := rand.New(rand.NewPCG(3, 4))
	at := time.Date(2026, 11, 10, 8, 0, 0, 0, time.UTC)
	pick := func(all ...string) string { return all[r.IntN(len(all))] }
	for i := range n {
		at = at.Add(time.Duration(r.IntN(8000)) * time.Millisecond)
		ip := pick("203.0.113.7", "203.0.113.8", "198.51.100.4", "198.51.100.200", "2001:db8::5", "192.0.2.77")
		user := pick("-", "anna", "Bob", "carl")
		var raw, file string
		switch r.IntN(8) {
		case 0:
			raw = fmt.Sprintf("%s shop1 sshd[%d]: Failed password for %s from %s port %d ssh2", at.Format(time.Stamp), 100+i%9, pick("root", "anna", "admin"), ip, 1000+r.IntN(60000))
			file = "/var/log/auth.log"
		case 1:
			raw = fmt.Sprintf(`{"time":"%s","event":"login","level":"info","user":"%s","ip":"%s","ok":%v,"session":"s%d","cart":%d.5}`, at.Format(time.RFC3339), user, ip, r.IntN(2) == 0, r.IntN(20), r.IntN(9))
			file = "/srv/app/app.jsonl"
		case 3:
			raw = fmt.Sprintf(`{"Records":[{"eventVersion":"1.08","eventTime":"%[1]s","eventSource":"signin.amazonaws.com","eventName":"ConsoleLogin","awsRegion":"eu-central-1","sourceIPAddress":"%[2]s","userIdentity":{"type":"IAMUser","userName":"%[3]s"}},{"eventVersion":"1.08","eventTime":"%[1]s","eventSource":"s3.amazonaws.com","eventName":"GetObject","awsRegion":"eu-central-1","sourceIPAddress":"%[2]s","userIdentity":{"type":"IAMUser","userName":"carl"}}]}`,
				at.Format(time.RFC3339), ip, user)
			file = "/srv/trail.json"
		case 2:
			raw = pick("", "\x00\x01 odd \xff", "no log at all", strings.Repeat("x", 3000))
			file = "/var/log/odd.log"
		default:
			raw = fmt.Sprintf(`%s - %s [%s] "%s %s HTTP/1.1" %s %d "%s" "%s" rt=%d.%03d`, ip, user, at.Format("02/Jan/2006:15:04:05 -0700"), pick("GET", "GET", "POST"),
				pick("/", "/p/1?q=a", "/P/2?q=%41b", "/login", "/cart/add?id="+fmt.Sprint(r.IntN(50)), "/a%20b.php", "/x?u=%2e%2e/etc/passwd"), pick("200", "302", "404", "500"), r.IntN(5000),
				pick("-", "https://shop.example/"), pick("Mozilla/5.0 (X11)", "curl/8.0", "-"), r.IntN(3), r.IntN(1000))
			file = "/var/log/nginx/access.log"
		}
		lines = append(lines, shelf.Line{Line: record.Line{Host: pick("", "shop2"), File: file, Offset: int64(i) * 200, Seq: int64(i + 1), Raw: raw}, Received: at.Add(time.Second).UnixNano()})
	}
	return lines
}

// queries are those of a list; of the whole list every nth.
func queries(t testing.TB, nth int) (texts []string) {
	t.Helper()
	b, err := os.ReadFile("testdata/queries.txt")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for text := range strings.Lines(string(b)) {
		if strings.HasPrefix(text, "#") {
			continue
		}
		if n++; n%nth == 0 {
			texts = append(texts, strings.TrimSuffix(text, "\n"))
		}
	}
	return append(texts, "")
}

// Given lines on the shelf and behind it, when any query is asked, then the answer is that of reading every line.
func TestSearchIsReadingEveryLine(t *testing.T) {
	for _, n := range []int{0, 1, 60, 700} {
		for _, tail := range []int{0, n / 7} {
			h := newHouse(t, shopLines(n), tail)
			nth := 3
			switch {
			case n == 700 && (tail > 0 || !raced):
				nth = 1
			case raced:
				nth = 20
			}
			texts := queries(t, nth)
			if nth == 1 && len(texts) < 200 {
				t.Fatalf("there are %d queries", len(texts))
			}
			for _, text := range texts {
				h.same(t, text)
			}
			if t.Failed() {
				t.Fatalf("with %d lines, %d of them not on the shelf", n, tail)
			}
		}
	}
}

// Given lines that come, and go to the shelf, while searches are asked, then each answer is of all lines that there are by then.
func TestSearchWhileLinesCome(t *testing.T) {
	lines := shopLines(1500)
	h := newHouse(t, lines[:100], 40)
	all := newHouse(t, lines, 0).records
	came := int64(100)
	h.s.Close()
	h.asked.Store(0)
	h.s = New(Options{Shelf: h.shelf, Views: newParser(t).Views, Network: intake.Network, Parts: intake.Parts, Workers: 2, Tail: h.tail})
	r := rand.New(rand.NewPCG(1, 9))
	texts := queries(t, 7)
	for round := 0; came < int64(len(lines)); round++ {
		came = min(came+int64(r.IntN(200)), int64(len(lines)))
		h.until(all, came)
		if r.IntN(3) == 0 && came > h.shelf.Through() {
			through := h.shelf.Through() + 1 + r.Int64N(came-h.shelf.Through())
			if _, err := h.shelf.Seal(context.Background(), through, func(yield func([]shelf.Line, error) bool) { yield(lines[h.shelf.Through():through], nil) }); err != nil {
				t.Fatal(err)
			}
		}
		h.same(t, texts[round%len(texts)])
		h.same(t, "| count by log")
		h.same(t, "status=404 | tail 5")
		if t.Failed() {
			t.Fatalf("in round %d, with %d lines of which %d are on the shelf", round, came, h.shelf.Through())
		}
	}
	if n := h.asked.Load(); n > 3*int64(len(all)) {
		t.Errorf("%d records were parsed of %d", n, len(all))
	}
}

// Given more lines behind the shelf than are kept parsed, when one searches, then all are searched, and those that are kept are parsed once; when a second
// one does meanwhile, then it says which lines it left out.
func TestSearchWhenTooManyLinesWait(t *testing.T) {
	h := newHouse(t, shopLines(600), 500)
	h.s.Close()
	entered, leave := make(chan struct{}), make(chan struct{})
	stopAt := 0 // so many lines are told aside before it waits
	h.s = New(Options{Shelf: h.shelf, Views: newParser(t).Views, Network: intake.Network, Parts: intake.Parts, Workers: 2, Fresh: 100_000, Tail: func(ctx context.Context, behind int64, aside bool) iter.Seq2[iter.Seq[*record.Record], error] {
		return func(yield func(iter.Seq[*record.Record], error) bool) {
			n := 0
			for line, err := range h.tail(ctx, behind, aside) {
				if n++; aside && n == stopAt {
					close(entered)
					<-leave
				}
				if !yield(line, err) {
					return
				}
			}
		}
	}})
	for range 3 {
		h.same(t, "| count by log")
		h.same(t, "status=404 | tail 5")
	}
	if kept := h.asked.Load(); kept > 600+6*550 || kept < 600+3*100 {
		t.Errorf("%d records were read for six searches", kept)
	}
	q, err := query.Parse("| count", now, time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	stopAt = 10
	var first Result
	var wait sync.WaitGroup
	wait.Go(func() { first, err = h.s.Run(context.Background(), q, nil) })
	<-entered
	second, err2 := h.s.Run(context.Background(), q, nil)
	close(leave)
	wait.Wait()
	if err != nil || first.Cut != "" || first.Matched != int64(len(h.records)) {
		t.Errorf("the first: %v, %+v", err, first)
	}
	if err2 != nil || !strings.Contains(second.Cut, "newest lines") || second.Matched >= first.Matched || second.Matched < 100 {
		t.Errorf("the second: %v, %+v", err2, second)
	}
}

// Given a search that is ended while it reads lines that came, when the next one searches, then it goes on where the first was.
func TestSearchThatIsEndedKeepsWhatItRead(t *testing.T) {
	h := newHouse(t, shopLines(600), 600)
	h.s.Close()
	h.asked.Store(0)
	ctx, stop := context.WithCancel(context.Background())
	h.s = New(Options{Shelf: h.shelf, Views: newParser(t).Views, Network: intake.Network, Parts: intake.Parts, Workers: 2, Tail: func(c context.Context, behind int64, aside bool) iter.Seq2[iter.Seq[*record.Record], error] {
		return func(yield func(iter.Seq[*record.Record], error) bool) {
			n := 0
			for line, err := range h.tail(c, behind, aside) {
				if n++; n == 300 {
					stop()
				}
				if !yield(line, err) {
					return
				}
			}
		}
	}})
	q, err := query.Parse("| count", now, time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := h.s.Run(ctx, q, nil); err != nil || got.Cut == "" {
		t.Errorf("%+v, %v", got, err)
	}
	h.same(t, "| count by log")
	h.same(t, "status=404 | tail 5")
	if n := h.asked.Load(); n != int64(len(h.records)) {
		t.Errorf("%d records were read of %d", n, len(h.records))
	}
}

// busyLines are lines of one hour of a web server, of which one volume is made: with more different URLs, accounts and addresses than one block of a
// dictionary has, and more rows than a page.
func busyLines(n int) (lines []shelf.Line) {
	r := rand.New(rand.NewPCG(5, 6))
	begin := time.Date(2026, 11, 10, 8, 0, 0, 0, time.UTC)
	users := []string{"-", "-", "anna", "Anna", "Bob", "carl", "\u212aelvin", "Stra\u00dfe"}
	for i := range n {
		at := begin.Add(time.Duration(i) * time.Hour / time.Duration(n+1))
		user := users[r.IntN(len(users))]
		if r.IntN(3) == 0 {
			user = fmt.Sprintf("%s%d", []string{"user", "User", "shop-"}[r.IntN(3)], r.IntN(600))
		}
		url := fmt.Sprintf("/catalog/item-%d?variant=%d", r.IntN(3000), r.IntN(20))
		if r.IntN(20) == 0 {
			url = []string{"/", "/login", "/cart/add?id=4", "/a%20b.php", "/P/2?q=%41b", "/x?u=%2e%2e/etc/passwd", "/\u017f\u212a/" + fmt.Sprint(r.IntN(9))}[r.IntN(7)]
		}
		raw := fmt.Sprintf(`%d.%d.113.%d - %s [%s] "GET %s HTTP/1.1" %d %d "-" "%s" rt=%d.%03d`, 198+r.IntN(6), r.IntN(3), r.IntN(250), user, at.Format("02/Jan/2006:15:04:05 -0700"), url,
			[]int{200, 200, 302, 404, 500}[r.IntN(5)], r.IntN(50_000), []string{"Mozilla/5.0 (X11)", "curl/8.0"}[r.IntN(2)], r.IntN(2), r.IntN(1000))
		lines = append(lines, shelf.Line{Line: record.Line{File: "/var/log/nginx/access.log", Offset: int64(i) * 200, Seq: int64(i + 1), Raw: raw}, Received: at.UnixNano()})
	}
	return lines
}

// Given so many lines behind the shelf that pages of them are full and packed, when one searches, then all is found in them, and they take less than half of what they did.
func TestSearchOfPackedLines(t *testing.T) {
	lines := busyLines(2*shelf.PageRows + 900)
	h := newHouse(t, lines, len(lines)-100)
	for range 2 { // the second time some is kept
		for _, text := range []string{"raw~item-299", "url~/item-29[0-9]./ | tail 60", "status=404 user=anna | tail 20", "| top ip 20", "status=500 | top ip 5", "| top user 9", "bytes>40000 | count by file", "| timeline 5m", "raw~/variant=1[0-9] HTTP/ | top url 7"} {
			h.same(t, text)
		}
	}
	f := h.s.fresh
	<-f.free
	defer f.release()
	full, before := 0, int64(0)
	for _, p := range f.pieces {
		if p.chunk != nil {
			full++
		}
	}
	for i := range lines[100:] {
		before += int64(len(lines[100+i].Raw)) + growing
	}
	if full != 2 || f.size > before/2 {
		t.Errorf("%d pieces are full, and what is kept takes %d of %d bytes", full, f.size, before)
	}
}

// Given a search, when lines come behind it, then they are parsed before the next one, for a while.
func TestSomebodyKeepsUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		lines := shopLines(900)
		h := newHouse(t, lines, 800)
		all := h.records
		h.until(all, 300)
		h.same(t, "| count")
		h.until(all, 600)
		time.Sleep(time.Second)
		if n := h.asked.Load(); n < 450 {
			t.Errorf("%d records were parsed", n)
		}
		time.Sleep(freshFor)
		before := h.asked.Load()
		h.until(all, 900)
		time.Sleep(time.Second)
		if n := h.asked.Load(); n != before {
			t.Errorf("long after the search %d records were parsed", n-before)
		}
		h.same(t, "| count")
		h.s.Close()
	})
}

// The same where a volume is large enough for its index to matter.
func TestSearchByAnIndex(t *testing.T) {
	h := newHouse(t, busyLines(9_000), 300)
	view := h.shelf.View()
	largest := 0
	for _, v := range view.Volumes {
		largest = max(largest, v.Rows)
	}
	view.Close()
	if largest <= shelf.PageRows {
		t.Fatalf("the largest volume has %d rows", largest)
	}
	lists, of := queries(t, 5), 1
	if raced {
		lists, of = nil, 3
	}
	for i, text := range append(lists, "user=ANNA", "user=kelvin | count", "user~stra | top user", "user=user17", "user=shop-5 or user=USER6", "ip=198.0.113.7", "ip in 199.1.113.0/24 | top ip", "ip in 200.0.0.0/15 | count",
		"url~item-103", "url~item-2999?", "url~ITEM-17 status=404 | tail 5", "url~/item-1[0-9]7\\?variant=1/ | count", "url~sk", "url~/(login|cart)/ | top url", "bytes>40000 | top ip 20", "bytes<=77 | top user",
		"bytes=12345 or bytes=4711.0", "| top ip 20", "| rare ip 5", "| count by ip | head 30", "| timeline 1m", "status=500 | timeline 1m", "| top url 3", "| top user 40", "| top net", "duration>1900ms | top path 5", "-user=* ip=198.0.113.7") {
		if i%of == 0 {
			h.same(t, text)
		}
	}
	for range 2 { // what is kept of the columns changes nothing
		h.same(t, "status=404 | top ip 7")
	}
}

// The same on the logs of a shop under attack, where they are.
func TestSearchInARange(t *testing.T) {
	const logs = "../../../shared/data/range-a/logs"
	if _, err := os.Stat(logs); err != nil {
		t.Skip("the logs are not here")
	}
	var lines []shelf.Line
	for _, name := range []string{"access.log", "auth.log", "vsftpd.log", "app.jsonl", "mysql.log"} {
		b, err := os.ReadFile(logs + "/" + name)
		if err != nil {
			continue
		}
		for i, l := range strings.Split(strings.TrimSuffix(string(b), "\n"), "\n") {
			if i == 1_500 {
				break
			}
			lines = append(lines, shelf.Line{Line: record.Line{File: name, Offset: int64(i), Seq: int64(len(lines) + 1), Raw: l}, Received: now.UnixNano()})
		}
	}
	h := newHouse(t, lines, 200)
	nth := 2
	if raced {
		nth = 6
	}
	for _, text := range append(queries(t, nth), "| top source.network", "| count by event.action, event.outcome", "user~/^[a-c]/ | top user 30", "union select | top ip", "bytes>1MB | fields time, ip, url, bytes", "| distinct(session) by ip | head 20") {
		h.same(t, text)
	}
}

// A search that is ended says so, and one on a damaged shelf names what it could not read.
func TestSearchThatDoesNotEnd(t *testing.T) {
	h := newHouse(t, shopLines(2000), 100)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	q, err := query.Parse("| count", now, time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := h.s.Run(ctx, q, nil); err != nil || got.Cut == "" {
		t.Errorf("%+v, %v", got, err)
	}
	v := h.shelf.View()
	defer v.Close()
	bad := v.Volumes[0]
	h.s.Close()
	f, err := h.layer.OpenFile("shelf/"+bad.Name+".parquet", os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteAt(make([]byte, bad.Columns.Size), 0); err != nil {
		t.Fatal(err)
	}
	_ = f.Close()
	got, err := h.s.Run(context.Background(), q, nil)
	if err != nil || len(got.Damaged) != 1 || got.Damaged[0].Volume.Name != bad.Name || got.Matched != int64(len(h.records)-bad.Rows) {
		t.Errorf("%+v, %v; %d of 2000 are in the bad one", got, err, bad.Rows)
	}
}

// parts parses each event of a line, as the desk does.
func parts(p *intake.Parser) func(record.Line, time.Time) iter.Seq[*record.Record] {
	var r record.Record
	return func(l record.Line, at time.Time) iter.Seq[*record.Record] {
		return func(yield func(*record.Record) bool) {
			for part := range intake.Parts(l.Raw) {
				l.Raw = part
				if p.ParseInto(&r, l, at); !yield(&r) {
					return
				}
			}
		}
	}
}

// Given a volume whose index cannot be read in one place or another, when it is searched, then the answer is right and the volume is named, or the volume
// is named as damaged.
func TestSearchWithADamagedIndex(t *testing.T) {
	lines := busyLines(9_000)
	texts := []string{"ip=198.0.113.7", "url~item-103 | count", "user=user17 | count", "| top ip 5"}
	r := rand.New(rand.NewPCG(7, 7))
	slow, damaged := 0, 0
	h := newHouse(t, lines, 0)
	var want []query.Result
	var asked []*query.Query
	for _, text := range texts {
		q, err := query.Parse(text, now, time.UTC)
		if err != nil {
			t.Fatal(err)
		}
		asked, want = append(asked, q), append(want, h.naive(q))
	}
	view := h.shelf.View()
	defer view.Close()
	v := view.Volumes[0]
	changes := 300
	if raced {
		changes = 60
	}
	for range changes {
		at := r.Int64N(v.Columns.Size)
		flip := func() {
			f, err := h.layer.OpenFile("shelf/"+v.Name+".parquet", os.O_RDWR, 0)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			b := make([]byte, 1)
			if _, err := f.ReadAt(b, at); err != nil {
				t.Fatal(err)
			}
			b[0] ^= 0x10
			if _, err := f.WriteAt(b, at); err != nil {
				t.Fatal(err)
			}
		}
		flip()
		h.s.Close()
		s := New(h.s.o)
		for i, q := range asked {
			got, err := s.Run(context.Background(), q, nil)
			switch {
			case err != nil:
				t.Fatal(err)
			case len(got.Damaged) > 0:
				damaged++
			default:
				slow += len(got.Slow)
				if d := diff.Diff(want[i], got.Result); d != "" {
					t.Fatalf("%s with byte %d of %d changed: (-naive +search)\n%.1000s", texts[i], at, v.Columns.Size, d)
				}
			}
		}
		s.Close()
		flip()
	}
	if damaged == 0 {
		t.Errorf("%d times without an index, %d times damaged", slow, damaged)
	}
	t.Logf("%d times without an index, %d times damaged", slow, damaged)
}

// Given an application whose log has so many fields that one of them stands beside the columns in one hour, and is a column in another, when its
// values are counted, then both hours count.
func TestTopOfAFieldBesideTheColumns(t *testing.T) {
	var lines []shelf.Line
	add := func(at time.Time, raw string) {
		lines = append(lines, shelf.Line{Line: record.Line{File: "/app.log", Offset: int64(len(lines)) * 1000, Seq: int64(len(lines) + 1), Raw: raw}, Received: at.UnixNano()})
	}
	at := time.Date(2026, 11, 10, 8, 0, 0, 0, time.UTC)
	for n := range 19 {
		at = at.Add(time.Second)
		add(at, fmt.Sprintf(`{"ts":%q,"level":"info","event":"login","user":"anna","zz":"%s"}`, at.Format(time.RFC3339), []string{"a", "b"}[n%2]))
	}
	at = at.Add(time.Hour)
	var more strings.Builder
	for n := range 52 {
		fmt.Fprintf(&more, `,"f%02d":%d`, n, n)
	}
	for range 5 {
		at = at.Add(time.Second)
		add(at, fmt.Sprintf(`{"ts":%q,"level":"info","event":"login","user":"anna"%s,"zz":"b"}`, at.Format(time.RFC3339), more.String()))
	}
	h := newHouse(t, lines, 0)
	if q, err := query.Parse("| top zz 1", now, time.UTC); err != nil || len(h.naive(q).Rows) != 1 || h.naive(q).Rows[0][0].Text != "b" {
		t.Fatalf("the oracle says %+v, %v", h.naive(q), err)
	}
	for _, text := range []string{"| top zz 1", "| top zz", "| count by zz", "| rare zz 1"} {
		h.same(t, text)
	}
}

// Given a search that is done, when volumes expired, then it has none of their files open: else they would take the disk, and could be read.
func TestVolumesThatWentAreClosed(t *testing.T) {
	h := newHouse(t, shopLines(600), 0)
	h.same(t, "| count by log")
	if len(h.s.open) == 0 {
		t.Fatal("nothing is open")
	}
	used := h.s.open[0]
	used.uses++ // a search that is under way
	some := h.shelf.Due(time.Now(), []shelf.Keep{{Bytes: 1}}, func(*shelf.Volume) bool { return false })
	if err := h.shelf.Expire(time.Now(), some); err != nil {
		t.Fatal(err)
	}
	h.s.CloseGone()
	if len(h.s.open) != 1 {
		t.Errorf("%d are open", len(h.s.open))
	}
	h.s.letGo([]*volume{used})
	if len(h.s.open) > 0 {
		t.Errorf("%d are open in the end", len(h.s.open))
	}
}
