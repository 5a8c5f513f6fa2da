package search

import (
	"context"
	"fmt"
	"iter"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
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
	s       *Searcher
	shelf   *shelf.Shelf
	layer   *disk.Lossy
	records []*record.Record // of every line
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
	h.s = New(Options{Shelf: h.shelf, Views: newParser(t).Views, Network: intake.Network, Parts: intake.Parts, Workers: 3, Tail: func(_ context.Context, behind int64) iter.Seq2[*record.Record, error] {
		return func(yield func(*record.Record, error) bool) {
			for _, r := range h.records {
				if r.Line.Seq > behind && !yield(r, nil) {
					return
				}
			}
		}
	}})
	t.Cleanup(h.s.Close)
	return h
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

var texts = []string{
	"", "ip=203.0.113.7", "ip=203.0.113.99", "ip=2001:DB8::5", "ip in 203.0.113.0/24", "ip=198.51.100.0/24 status=404", "user=anna", "user=ANNA", "user=b*", "user=*", "-user=*", "user!=anna",
	"status>=400", "status=404 or status=500", "status in (200, 302)", "not status=200", "bytes>4kB", "bytes<100 method=post", "duration>1s", "duration<=250ms", "url~cart", "url~CART", "path=/p/*", "path=/P/2",
	"url~/id=1\\d/", "url~/ID=1\\d/i", "agent~curl", "agent=curl/8.0 or agent~/X11/", "referrer=*", "odd", "\"no log\"", "/x{100}/", "passwd", "Failed password", "log=nginx", "log=sshd", "log=webserver", "host=shop2", "-host=*", "file=/var/log/auth.log",
	"file~nginx", "session=s3", "session=S3", "event=login", "cart>3", "cart=4.5", "ok=true", "level=info user=carl", "url.decoded~\"a b\"", "url.normal~\"/etc/passwd\"", "url.decoded~Ab", "country=*", "realm=*", "action=login outcome=failure",
	"since 2026-11-10T09:00 until 2026-11-10T09:30", "between 2026-11-10T08:10 and 2026-11-10T08:20 status=200", "on 2026-11-10", "on 2026-11-11", "since 2026-11-10T10:00 user=anna",
	"| top ip", "| top user 2", "status=404 | top path", "| rare agent", "| count", "user=anna | count by status", "| count by status, 5m", "| count by user, status, 1h", "| count by 10m", "| top log", "| top host", "| top file", "| top raw 3", "| top cart",
	"| sum(bytes) by user", "| sum(bytes)", "| avg(duration) by path", "| max(duration)", "| min(bytes) by 30m", "| p95(duration) by status", "| distinct(ip) by user", "| distinct(url)", "| sum(cart) by user", "| avg(cart)", "| timeline", "| timeline 10m", "status=500 | timeline 5m",
	"| session 203.0.113.7", "| session s3", "| fields time, ip, url | head 20", "| fields time, user, bytes | sort bytes desc | head 10", "| head 5", "| tail 5", "status=404 | tail 3", "| sort ip | head 7", "| fields ip, duration | sort duration desc | head 4",
	"url~cart | fields url.decoded, raw | head 9", "ip=203.0.113.7 | top url.decoded", "| count by url.extension", "user=nobody", "user=nobody | count", "| distinct(user) every 1d", "net=203.0.113.0/24", "net in 198.51.0.0/16 | top net", "| count by net, status", "net=* | count", "-net=* | count", "ip=203.0.113.7 | fields net, ip | head 3",
	"tocsin.line=17", "tocsin.line>=20 tocsin.line<30 | fields tocsin.line, ip", "tocsin.line in (3, 44, 99) or status=500 | top tocsin.line", "-tocsin.line<=40 | count by tocsin.line | head 4",
	"(status=404 user=anna) or (status=500 -user=*)", "-(status=200 or status=302) ip=192.0.2.77", "odd or status=500 | count by log",
}

// Given lines on the shelf and behind it, when any query is asked, then the answer is that of reading every line.
func TestSearchIsReadingEveryLine(t *testing.T) {
	for _, n := range []int{0, 1, 60, 700} {
		for _, tail := range []int{0, n / 7} {
			h := newHouse(t, shopLines(n), tail)
			for _, text := range texts {
				h.same(t, text)
			}
			if t.Failed() {
				t.Fatalf("with %d lines, %d of them not on the shelf", n, tail)
			}
		}
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
	for _, text := range append(slices.Clone(texts), "| top source.network", "| count by event.action, event.outcome", "user~/^[a-c]/ | top user 30", "union select | top ip", "bytes>1MB | fields time, ip, url, bytes", "| distinct(session) by ip | head 20") {
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
