//go:build bench

package bench

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"tocsin/internal/archive"
	"tocsin/internal/cli"
	"tocsin/internal/detect"
	"tocsin/internal/disk"
	"tocsin/internal/intake"
	"tocsin/internal/record"
	"tocsin/internal/search"
	"tocsin/internal/shelf"
)

// siegeRate is how many lines a second come while is searched.
const siegeRate = 20_000

// A siege is what a server does with lines that come: they go to a write-ahead log, with fsync, detection reads them, and each segment goes to the shelf.
type siege struct {
	bed      *bed
	log      *archive.Archive
	coming   *os.File
	base     int64 // lines that were on the shelf before
	read     atomic.Int64
	came     atomic.Int64
	behind   *intake.Parser // of the searches: goes on where it ended
	told     int64
	detector *detect.Detector
}

// siege asks everything again while lines come.
func (b *bed) siege(t *testing.T, x *table) {
	t.Helper()
	// The shelf grows meanwhile: what comes is laid into a copy of the manifest, so that the next run finds what this one did.
	dir := filepath.Dir(b.file)
	manifest, err := os.ReadFile(filepath.Join(dir, "shelf", "manifest"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = b.shelf.Close()
		if err := os.WriteFile(filepath.Join(dir, "shelf", "manifest"), manifest, 0o600); err != nil {
			t.Error(err)
		}
	}()
	l, err := disk.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	g := &siege{bed: b, base: b.shelf.Through(), detector: detect.New(shopRules(t), detect.Options{})}
	if g.log, _, err = archive.Open(l, "archive", archive.Options{SegmentBytes: 4 << 20}); err != nil {
		t.Fatal(err)
	}
	if err := g.make(filepath.Join(t.TempDir(), "coming.log")); err != nil {
		t.Fatal(err)
	}
	defer g.coming.Close()
	ctx, stop := context.WithCancel(t.Context())
	var wait sync.WaitGroup
	errs := make([]error, 3)
	for i, work := range []func(context.Context, *testing.T) error{g.come, g.detect, g.shelve} {
		wait.Go(func() { errs[i] = work(ctx, t) })
	}
	late := func() bool { return g.log.Last()-g.read.Load() > siegeRate }
	go cli.TendMemory(ctx, late)
	a := search.New(search.Options{Shelf: b.shelf, Views: b.views.Views, Network: intake.Network, Parts: intake.Parts, Tail: g.tail, Late: late})
	begun := time.Now()
	time.Sleep(2 * time.Second)
	for _, q := range questions() {
		is := q.ask(t, a)
		x.add(q.what+", while 20,000 lines/s come", fmt.Sprintf("<= %v for 12 M", 3*q.goal), b.lines >= searchGoal && is.median > 3*q.goal, "%s", is)
		t.Logf("%s: %s; %d lines came, %d were read by detection", q.what, is, g.came.Load(), g.read.Load())
	}
	took := time.Since(begun).Seconds()
	stop()
	wait.Wait()
	a.Close()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
	x.add("lines that came meanwhile", "", false, "%.0f lines/s; %.0f read by detection", float64(g.came.Load())/took, float64(g.read.Load())/took)
}

// siegeLines is how many lines are made before: more than come mostly.
const siegeLines = 90 * siegeRate

// make writes the lines that will come, because to make them is no work of a server.
func (g *siege) make(name string) error {
	out, err := os.Create(name)
	if err != nil {
		return err
	}
	g.coming = out
	f, w := newFill(), bufio.NewWriterSize(out, 1<<20)
	f.n = int(g.base)
	for range siegeLines {
		file, text := f.hit().line()
		_, _ = w.WriteString(file + "\t" + text + "\n")
	}
	if err := w.Flush(); err != nil {
		return err
	}
	_, err = out.Seek(0, io.SeekStart)
	return err
}

// come lets lines come, from the first on again when all came.
func (g *siege) come(ctx context.Context, _ *testing.T) error {
	in, ends, begun := bufio.NewScanner(g.coming), map[string]int64{}, time.Now()
	for n := 0; ctx.Err() == nil; n++ {
		batch := record.Batch{Received: time.Now()}
		for range siegeRate / 20 {
			if !in.Scan() {
				if _, err := g.coming.Seek(0, io.SeekStart); err != nil {
					return err
				}
				in = bufio.NewScanner(g.coming)
				in.Scan()
			}
			file, text, _ := strings.Cut(in.Text(), "\t")
			batch.Lines = append(batch.Lines, record.Line{File: file, Offset: ends[file], Raw: text})
			ends[file] += int64(len(text)) + 1
		}
		if _, err := g.log.Append(batch); err != nil {
			return err
		}
		g.came.Add(int64(len(batch.Lines)))
		time.Sleep(time.Until(begun.Add(time.Duration(n+1) * time.Second / 20)))
	}
	return nil
}

// each goes over lines of the log behind one.
func (g *siege) each(ctx context.Context, behind int64, act func(l *record.Line, at time.Time) bool) error {
	end := g.log.Last()
	for next := behind + 1; next <= end && ctx.Err() == nil; {
		blocks, err := g.log.Read(next, 1<<14)
		for _, b := range blocks {
			for i := range b.Lines {
				if !act(&b.Lines[i], b.Received) {
					return nil
				}
				next = b.Lines[i].Seq + 1
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (g *siege) detect(ctx context.Context, _ *testing.T) error {
	p, err := intake.New(intake.Options{})
	if err != nil {
		return err
	}
	var r record.Record
	for ctx.Err() == nil {
		if err := g.each(ctx, g.read.Load(), func(l *record.Line, at time.Time) bool {
			p.ParseInto(&r, *l, at)
			g.detector.Step(&r)
			g.read.Store(l.Seq)
			return true
		}); err != nil {
			return err
		}
		time.Sleep(20 * time.Millisecond)
	}
	return nil
}

// shelve seals the segments that detection has read, under numbers behind those of the lines that were there.
func (g *siege) shelve(ctx context.Context, _ *testing.T) error {
	joined := time.Now()
	for ctx.Err() == nil {
		for _, s := range g.log.Complete() {
			if s.Last > g.read.Load() || g.base+s.Last <= g.bed.shelf.Through() {
				continue
			}
			var some []shelf.Line
			err := g.each(ctx, s.First-1, func(l *record.Line, at time.Time) bool {
				if l.Seq > s.Last {
					return false
				}
				x := shelf.Line{Line: *l, Received: at.UnixNano()}
				x.Seq += g.base
				some = append(some, x)
				return true
			})
			if err != nil || ctx.Err() != nil {
				return err
			}
			if _, err := g.bed.shelf.Seal(context.Background(), g.base+s.Last, func(yield func([]shelf.Line, error) bool) { yield(some, nil) }); err != nil {
				return err
			}
		}
		if time.Since(joined) > 30*time.Second {
			joined = time.Now()
			if _, err := g.bed.shelf.Join(ctx, time.Now().Add(-10*time.Minute)); err != nil && ctx.Err() == nil {
				return err
			}
		}
		time.Sleep(100 * time.Millisecond)
	}
	return nil
}

// tail is what the desk's does.
func (g *siege) tail(ctx context.Context, behind int64, aside bool) iter.Seq2[iter.Seq[*record.Record], error] {
	return func(yield func(iter.Seq[*record.Record], error) bool) {
		var p *intake.Parser
		if !aside && g.told == behind {
			p = g.behind
		}
		if p == nil {
			var err error
			if p, err = intake.New(intake.Options{}); err != nil {
				yield(nil, err)
				return
			}
		}
		if !aside {
			g.behind, g.told = p, behind
		}
		var r record.Record
		err := g.each(ctx, behind-g.base, func(l *record.Line, at time.Time) bool {
			x := *l
			x.Seq += g.base
			if !aside {
				g.told = x.Seq
			}
			return yield(func(yield func(*record.Record) bool) {
				p.ParseInto(&r, x, at)
				yield(&r)
			}, nil)
		})
		if err != nil {
			yield(nil, err)
		}
	}
}
