package desk

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"tocsin/internal/detect"
	"tocsin/internal/intake"
	"tocsin/internal/record"
)

// replayed is all that a replay came to: the alerts with their ids, the incidents, and what was counted.
func replayed(t *testing.T, o ReplayOptions, ahead bool) Replay {
	t.Helper()
	var x Replay
	l := newLane(o, o.Rules)
	var folders []folder
	for n, files := range o.Folders {
		folders = append(folders, folder{fmt.Sprint("f", n), files})
	}
	run := o.ahead
	if !ahead {
		o.Each = func(*record.Record, []detect.Change) {}
		run = o.lineByLine
	}
	if err := run(context.Background(), folders, []*lane{l}, &x); err != nil {
		t.Fatal(err)
	}
	if err := l.book.end(l.detector); err != nil {
		t.Fatal(err)
	}
	l.book.report(&x)
	x.Stats, x.Broken = l.detector.Stats(), l.detector.Broken()
	slices.SortFunc(x.Skipped, func(a, b Skipped) int { return cmp.Compare(a.File, b.File) })
	return x
}

func packRules(t *testing.T) *detect.Rules {
	t.Helper()
	set, err := LoadRules(os.DirFS("../../rules"))
	if err != nil {
		t.Fatal(err)
	}
	return set.Rules
}

// However many workers there are, and wherever files are cut into pieces, a replay says what it says line by line: the same
// alerts with the same ids, incidents, counts and figures.
func TestReplayAheadSaysTheSame(t *testing.T) {
	rules := packRules(t)
	sources := map[string]ReplayOptions{
		"odd things": {Folders: []fs.FS{oddFiles(t)}},
	}
	if !raced { // make test runs it without the race detector, too
		sources["sample"] = ReplayOptions{Folders: []fs.FS{os.DirFS("../../sample")}}
	}
	if f, err := os.Open(rangeDir + "/geo.tsv"); err == nil && !testing.Short() && !raced {
		defer f.Close()
		geo, err := intake.ReadGeo(f)
		if err != nil {
			t.Fatal(err)
		}
		sources["range"] = ReplayOptions{Folders: []fs.FS{os.DirFS(rangeDir + "/logs")}, Geo: geo}
	}
	for name, o := range sources {
		o.Rules = rules
		want := replayed(t, o, false)
		if want.Lines == 0 || len(want.Alerts) == 0 && name != "odd things" {
			t.Fatalf("%s: %d lines, %d alerts", name, want.Lines, len(want.Alerts))
		}
		ways := []struct{ workers, piece int }{{1, 0}, {2, 0}, {8, 0}, {2, 20_000}, {8, 700}}
		if raced {
			ways = ways[4:]
		}
		for _, x := range ways {
			t.Run(fmt.Sprintf("%s, %d workers, pieces of %d", name, x.workers, x.piece), func(t *testing.T) {
				o.Workers, o.piece = x.workers, x.piece
				if d := gocmp.Diff(want, replayed(t, o, true)); d != "" {
					t.Errorf("(-line by line +ahead)\n%.4000s", d)
				}
			})
		}
	}
}

// oddFiles are files that try how pieces are cut and states are guessed.
func oddFiles(t *testing.T) fs.FS {
	t.Helper()
	web := func(n int, path string) string {
		return fmt.Sprintf(`192.0.2.%d - - [09/Nov/2026:14:%02d:%02d +0000] "GET %s HTTP/1.1" 200 5 "-" "Mozilla/5.0"`, n%7, n/60%60, n%60, path)
	}
	var access, php, general, mixed, late strings.Builder
	for n := range 900 {
		fmt.Fprintln(&access, web(n, fmt.Sprint("/p", n)))
		if n%50 == 0 {
			fmt.Fprintln(&access, "no line of a web server")
			fmt.Fprintln(&access)
		}
		fmt.Fprintf(&php, "[2026-11-09T14:%02d:%02d.000000+00:00] main.CRITICAL: it broke {\"exception\":\"one\n[stacktrace]\n#0 a.php(1): f()\n#1 {main}\n\"} []\n", n/60%60, n%60)
		if n%40 == 0 {
			fmt.Fprintf(&general, "261109 14:%02d:%02d\t", n/60%60, n%60)
		} else {
			general.WriteString("\t\t")
		}
		fmt.Fprintf(&general, "%5d Query\tSELECT %d\nFROM t WHERE a = 'x'\n", n%9, n)
		fmt.Fprintf(&late, "Nov  9 14:%02d:%02d shop1 sshd[%d]: Failed password for root from 198.51.100.%d port 5 ssh2\n", (n+1800)/60%60, n%60, n, n%3)
		if n%300 < 150 {
			fmt.Fprintln(&mixed, web(n, "/m"))
		} else {
			fmt.Fprintf(&mixed, "Nov  9 14:%02d:%02d shop1 sshd[1]: Accepted password for anna from 198.51.100.9 port 5 ssh2\n", n/60%60, n%60)
		}
	}
	torn := zipped(t, "gzip", access.String())
	return fstest.MapFS{
		"access.log":    {Data: []byte(strings.TrimSuffix(access.String(), "\n"))},
		"access.log.gz": {Data: zipped(t, "gzip", access.String())},
		"php.log":       {Data: []byte(php.String())},
		"general.log":   {Data: []byte("/usr/sbin/mariadbd, Version: 10.11.6-MariaDB. started with:\nTcp port: 3306  Unix socket: /run/mysqld/mysqld.sock\nTime\t\t    Id Command\tArgument\n" + general.String())},
		"mixed.log":     {Data: []byte(mixed.String())},
		"late/auth.log": {Data: []byte(late.String())},
		"torn.gz":       {Data: torn[:len(torn)/2]},
		"long.log":      {Data: []byte(web(3, "/before") + "\n" + web(4, "/"+strings.Repeat("x", 3<<20)) + "\n" + web(5, "/after") + "\n" + web(6, "/"+strings.Repeat("y", 2<<20)))},
		"first.log":     {Data: []byte(web(9, "/"+strings.Repeat("z", 100<<10)) + "\n" + web(9, "/a") + "\n")},
		"crlf.log":      {Data: []byte(strings.ReplaceAll(access.String(), "\n", "\r\n"))},
		"notes.txt":     {Data: []byte("nothing\n")},
		"none.log":      {},
	}
}

// opened counts how many of its files are open at once.
type opened struct {
	fs.FS
	now, most *atomic.Int64
}

func (o opened) Open(name string) (fs.File, error) {
	f, err := o.FS.Open(name)
	if _, folder := f.(fs.ReadDirFile); err != nil || folder {
		return f, err
	}
	if n := o.now.Add(1); n > o.most.Load() {
		o.most.Store(n)
	}
	return openedFile{f, o.now}, nil
}

type openedFile struct {
	fs.File
	now *atomic.Int64
}

func (f openedFile) Close() error {
	f.now.Add(-1)
	return f.File.Close()
}

// A year of files, one after the other, needs a few of them open at once, and says what it says line by line.
func TestReplayOpensFewFiles(t *testing.T) {
	files := fstest.MapFS{}
	for day := range 600 {
		var b strings.Builder
		for n := range 20 {
			at := time.Date(2025, 1, 1, n, 0, 0, 0, time.UTC).AddDate(0, 0, day)
			fmt.Fprintln(&b, request(at, fmt.Sprint("192.0.2.", n), []string{"/fine", "/evil", "/odd"}[day*n%3]))
		}
		name := fmt.Sprintf("access.log.%d", 600-day)
		files[name] = &fstest.MapFile{Data: []byte(b.String())}
		if day%3 == 0 {
			files[name].Data = zipped(t, "gzip", b.String())
		}
	}
	o := ReplayOptions{Folders: []fs.FS{files}, Rules: testRules(t).Rules}
	want := replayed(t, o, false)
	for _, workers := range []int{1, 4} {
		var now, most atomic.Int64
		o.Folders, o.Workers = []fs.FS{opened{files, &now, &most}}, workers
		if d := gocmp.Diff(want, replayed(t, o, true)); d != "" {
			t.Errorf("%d workers: %.2000s", workers, d)
		}
		if most.Load() > 2*mostPieces || now.Load() != 0 {
			t.Errorf("%d workers: at most %d files were open at once, %d still are", workers, most.Load(), now.Load())
		}
	}
}

// A replay that is stopped ends, and leaves no file open and no worker at work.
func TestReplayStops(t *testing.T) {
	var b strings.Builder
	for n := range 200_000 {
		fmt.Fprintln(&b, request(time.Date(2025, 1, 1, 0, 0, n, 0, time.UTC), "192.0.2.7", "/evil"))
	}
	var now, most atomic.Int64
	files := opened{fstest.MapFS{"access.log": {Data: []byte(b.String())}}, &now, &most}
	before := runtime.NumGoroutine()
	ctx, stop := context.WithCancel(t.Context())
	o := ReplayOptions{Folders: []fs.FS{files}, Rules: testRules(t).Rules, Workers: 4}
	o.Seen = func(p Progress) {
		if p.Of != int64(b.Len()) || p.Bytes <= 0 || p.Bytes > p.Of {
			t.Errorf("progress %+v of %d bytes", p, b.Len())
		}
		if p.Lines == 20_000 {
			stop()
		}
	}
	out, err := RunReplay(ctx, o)
	if !errors.Is(err, context.Canceled) || out.Lines != 20_000 {
		t.Errorf("%d lines, %v", out.Lines, err)
	}
	if now.Load() != 0 || runtime.NumGoroutine() > before+1 {
		t.Errorf("%d files are open, %d goroutines more than before", now.Load(), runtime.NumGoroutine()-before)
	}
}
