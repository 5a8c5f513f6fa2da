package bench

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tocsin/internal/desk"
	"tocsin/internal/detect"
	"tocsin/internal/disk"
	"tocsin/internal/intake"
	"tocsin/internal/record"
)

const root = ".."

// background makes harmless requests of a busy shop: visitors who load pages, each with what belongs to a page.
type background struct {
	rng      *rand.Rand
	visitors int
	files    []string
}

func newBackground(visitors int) *background {
	b := &background{rng: rand.New(rand.NewPCG(7, 7)), visitors: visitors}
	for k := range 400 {
		b.files = append(b.files, fmt.Sprintf(`"GET /static/%03d.css?v=%d HTTP/1.1" 200 %d "https://shop.example/category/%d" "Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.%d"`,
			k, b.rng.IntN(1000), b.rng.IntN(90000), b.rng.IntN(50), k%7))
	}
	return b
}

// line writes one request.
func (b *background) line(w *strings.Builder, now time.Time) {
	n := b.rng.IntN(b.visitors)
	fmt.Fprintf(w, "198.%d.%d.%d - - [%s] %s\n", 18+n>>16, n>>8&255, n&255, now.UTC().Format("02/Jan/2006:15:04:05 -0700"), b.files[b.rng.IntN(len(b.files))])
}

func shopRules(t testing.TB) *detect.Rules {
	t.Helper()
	set, err := desk.LoadRules(os.DirFS(root + "/rules"))
	if err != nil {
		t.Fatal(err)
	}
	return set.Rules
}

// flow measures tail, archive and detection as one: lines that lie in a file until detection has read the last of them.
func flow(t testing.TB, lines int) (perSecond float64) {
	t.Helper()
	dir := t.TempDir()
	var w strings.Builder
	g := newBackground(20_000)
	begin := time.Now()
	for n := range lines {
		g.line(&w, begin.Add(time.Duration(n)*100*time.Microsecond))
	}
	name := filepath.Join(dir, "access.log")
	if err := os.WriteFile(name, []byte(w.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	var layers []disk.Layer
	for _, sub := range []string{"data", "keys"} {
		l, err := disk.Open(filepath.Join(dir, sub))
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		layers = append(layers, l)
	}
	d, err := desk.Open(slog.New(slog.DiscardHandler), desk.Options{Version: "bench", Data: layers[0], Keys: layers[1], Rules: shopRules(t), Watch: []string{name}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	begin = time.Now()
	go func() { ended <- d.Run(ctx) }()
	for d.Reading().Next <= int64(lines) {
		if time.Since(begin) > 10*time.Minute {
			t.Fatalf("detection has read to line %d of %d", d.Reading().Next-1, lines)
		}
		time.Sleep(5 * time.Millisecond)
	}
	took := time.Since(begin)
	stop()
	if err := errors.Join(<-ended, d.Close()); err != nil {
		t.Fatal(err)
	}
	return float64(lines) / took.Seconds()
}

// TestFlow is the short form.
func TestFlow(t *testing.T) {
	t.Logf("tail, archive, detect: %.0f lines/s", flow(t, 5000))
}

func BenchmarkParse(b *testing.B) { perLine(b, nil) }

func BenchmarkParseAndDetect(b *testing.B) { perLine(b, detect.New(shopRules(b), detect.Options{})) }

// perLine measures parsers, and a detector if there is one, line by line.
func perLine(b *testing.B, d *detect.Detector) {
	const lines = 200_000
	g := newBackground(200_000)
	var w strings.Builder
	begin := time.Now()
	for n := range lines {
		g.line(&w, begin.Add(time.Duration(n)*200*time.Microsecond))
	}
	all := strings.Split(strings.TrimSuffix(w.String(), "\n"), "\n")
	p, err := intake.New(intake.Options{})
	if err != nil {
		b.Fatal(err)
	}
	var r record.Record
	b.ReportAllocs()
	b.ResetTimer()
	for n := 0; n < b.N; n++ {
		p.ParseInto(&r, record.Line{File: "access.log", Seq: int64(n + 1), Raw: all[n%lines]}, begin)
		if d != nil {
			d.Step(&r)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "lines/s")
}
