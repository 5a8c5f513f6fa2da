//go:build bench

package bench

import (
	"context"
	"fmt"
	"iter"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"tocsin/internal/disk"
	"tocsin/internal/intake"
	"tocsin/internal/query"
	"tocsin/internal/record"
	"tocsin/internal/search"
	"tocsin/internal/shelf"
)

// searchLinesEnv names how many lines are searched: 12,000,000 is what the goals are for.
const searchLinesEnv = "TOCSIN_BENCH_SEARCH_LINES"

const searchGoal = 12_000_000

// visit makes one line of an access log: of 100,000 addresses, a twelfth as many accounts, sessions of some thirty requests, and
// URLs of which most are different.
func visit(r *rand.Rand, at time.Time, n int) string {
	visitor := r.IntN(100_000)
	user := "-"
	if visitor%12 == 0 {
		user = fmt.Sprintf("user%d", visitor)
	}
	url := [...]string{"/", "/cart", "/checkout", "/account", "/search"}[r.IntN(5)]
	if r.IntN(4) > 0 {
		url = fmt.Sprintf("/catalog/item-%d?variant=%d&ref=%s", r.IntN(60_000), r.IntN(20), [...]string{"mail", "ads", "home", "social"}[r.IntN(4)])
	}
	status := [...]int{200, 200, 200, 200, 200, 200, 301, 304, 404, 500}[r.IntN(10)]
	agents := [...]string{
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36",
		"Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1",
		"Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0"}
	return fmt.Sprintf(`%d.%d.%d.%d - %s [%s] "GET %s HTTP/1.1" %d %d "https://shop.example%s" "%s"`, 11+visitor%180, visitor/180%250, visitor%251, 1+visitor%253, user,
		at.Format("02/Jan/2006:15:04:05 -0700"), url, status, 300+r.IntN(90_000), [...]string{"/", "/search?q=shoes", "/catalog"}[r.IntN(3)], agents[visitor%3])
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
	l, err := disk.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	p, err := intake.New(intake.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var rec record.Record
	s, _, err := shelf.Open(l, "shelf", shelf.Options{Parser: shelf.Parser{Save: p.Snapshot, Restore: p.Restore,
		Parse: func(l record.Line, at time.Time) iter.Seq[*record.Record] {
			return func(yield func(*record.Record) bool) {
				p.ParseInto(&rec, l, at)
				yield(&rec)
			}
		}}})
	if err != nil {
		t.Fatal(err)
	}
	var x table
	r := rand.New(rand.NewPCG(1, 2))
	begin := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	raw, filled := int64(0), time.Now()
	var making time.Duration
	const piece = 120_000 // as a segment of the write-ahead log has
	for from := 0; from < lines; from += piece {
		begun := time.Now()
		var some []shelf.Line
		for i := from; i < min(from+piece, lines); i++ {
			at := begin.Add(time.Duration(i) * 12 * time.Hour / searchGoal)
			text := visit(r, at, i)
			raw += int64(len(text)) + 1
			some = append(some, shelf.Line{Line: record.Line{File: "/var/log/nginx/access.log", Offset: raw, Seq: int64(i + 1), Raw: text}, Received: at.UnixNano()})
		}
		making += time.Since(begun)
		if _, err := s.Seal(context.Background(), some[len(some)-1].Seq, func(yield func([]shelf.Line, error) bool) { yield(some, nil) }); err != nil {
			t.Fatal(err)
		}
	}
	sealing := time.Since(filled) - making
	joined := time.Now()
	for {
		j, err := s.Join(context.Background(), time.Now())
		if err != nil {
			t.Fatal(err)
		}
		if len(j.Gone) == 0 {
			break
		}
	}
	view := s.View()
	kept := int64(0)
	for _, v := range view.Volumes {
		kept += v.Bytes()
	}
	x.add(fmt.Sprintf("sealing %d lines, %d MB", lines, raw>>20), "", false, "%.0f lines/s", float64(lines)/sealing.Seconds())
	x.add("joining them", "", false, "%v", time.Since(joined).Round(time.Millisecond))
	x.add("what they take on the disk", "<= 1/4", kept*4 > raw, "1/%.1f", float64(raw)/float64(kept))
	t.Logf("%d volumes", len(view.Volumes))
	view.Close()

	a := search.New(search.Options{Shelf: s, Views: p.Views, Network: intake.Network, Parts: intake.Parts})
	defer a.Close()
	goal := func(ms float64) time.Duration { return time.Duration(ms * float64(time.Millisecond)) }
	for _, q := range []struct {
		what string
		goal time.Duration
		text func(n int) string
	}{
		{"by address", goal(20), func(n int) string {
			v := n * 1999
			return fmt.Sprintf("ip=%d.%d.%d.%d | tail 50", 11+v%180, v/180%250, v%251, 1+v%253)
		}},
		{"by account", goal(50), func(n int) string { return fmt.Sprintf("user=user%d | tail 50", n*1200) }},
		{"text in the URL", goal(100), func(n int) string { return fmt.Sprintf("url~item-%d? | tail 50", 1000+n*37) }},
		{"a regular expression in the URL", goal(300), func(n int) string { return fmt.Sprintf("url~/item-%d[0-9]?.variant=1[0-9]/ | tail 50", 1000+n*37) }},
		{"top 20 addresses", goal(100), func(n int) string { return fmt.Sprintf("bytes>%d | top ip 20", n) }},
		{"histogram", goal(80), func(n int) string { return fmt.Sprintf("| timeline %dm", 1+n%5) }},
	} {
		var took []time.Duration
		var last search.Result
		for n := range 51 {
			parsed, err := query.Parse(q.text(n), begin.AddDate(0, 0, 1), time.UTC)
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
		}
		slices.Sort(took)
		median := took[len(took)/2]
		x.add(q.what, fmt.Sprintf("<= %v for 12 M", q.goal), lines >= searchGoal && median > q.goal, "%.1f ms (worst %.1f)", median.Seconds()*1000, took[len(took)-1].Seconds()*1000)
		t.Logf("%s: %d matched, %+v", q.what, last.Matched, last.Scanned)
	}
	x.print(t)
}
