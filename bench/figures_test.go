//go:build bench

package bench

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"time"

	"tocsin/internal/intake"
	"tocsin/internal/record"
)

// A figure is one line of the table. Bad says that a promised goal is missed.
type figure struct {
	what, is, goal string
	bad            bool
	beside         string // other programs, measured in the same run
}

type table []figure

// peers are figures of other programs, measured on the same class of machine before this one was begun (doc/design.md, section 9).
func peers(what string) string {
	for part, is := range map[string]string{
		", p50":      "fail2ban 440-560 ms; CrowdSec 600 ms, then up to 10 s until a bouncer asks",
		", resident": "TheHive 12-16 GB",
		"tail, ":     "CrowdSec 330-505 lines/s on one core",
		"replay of":  "sigmalite 6,973 records/s with 89 rules; fail2ban-regex 12,700 lines/s with one",
	} {
		if strings.Contains(what, part) {
			return is
		}
	}
	return ""
}

func (x *table) add(what, goal string, bad bool, format string, args ...any) {
	*x = append(*x, figure{what: what, is: fmt.Sprintf(format, args...), goal: goal, bad: bad})
}

// TestFigures measures everything, prints one table, and fails for each goal that is missed.
func TestFigures(t *testing.T) {
	var x table
	t.Run("ring", func(t *testing.T) { x.ring(t) })
	t.Run("idle", func(t *testing.T) { x.idle(t) })
	t.Run("start", func(t *testing.T) { x.start(t) })
	t.Run("lines", func(t *testing.T) { x.lines(t) })
	for _, f := range x {
		if f.bad {
			t.Errorf("%s is %s; the goal is %s", f.what, f.is, f.goal)
		}
	}
	x.print(t)
}

// TestDetection measures detection against goals that are not all reached yet: it prints and does not fail.
func TestDetection(t *testing.T) {
	var x table
	x.detection(t)
	x.crowd(t)
	x.print(t)
}

func (x table) print(t *testing.T) {
	var b strings.Builder
	fmt.Fprintf(&b, "\n%d CPUs, %s/%s, %s\n%-70s %-16s %-18s %s\n", runtime.NumCPU(), runtime.GOOS, runtime.GOARCH, runtime.Version(), "what", "is", "goal", "peers")
	for _, f := range x {
		mark := ""
		if f.bad {
			mark = "  MISSED"
		}
		fmt.Fprintf(&b, "%-70s %-16s %-18s %s\n", f.what, f.is, f.goal+mark, cmp.Or(f.beside, peers(f.what)))
	}
	t.Log(b.String())
}

func (x *table) ring(t *testing.T) {
	const attackers, rate = 200, 5000
	all := ring(t, attackers, rate, 200*time.Millisecond)
	ms := func(d time.Duration) time.Duration { return d.Round(time.Millisecond) }
	const what = "line written to mail received, 5,000 lines/s, 200 incidents"
	x.add(what+", p50", "", false, "%v", ms(share(all, 0.5)))
	x.add(what+", p95", "", false, "%v", ms(share(all, 0.95)))
	p99 := share(all, 0.99)
	x.add(what+", p99", "<= 500ms", p99 > 500*time.Millisecond, "%v", ms(p99))
	x.add(what+", max", "", false, "%v", ms(all[len(all)-1]))
}

func (x *table) idle(t *testing.T) {
	p, took := serve(t, t.TempDir(), "--sample")
	x.add("serve --sample, from nothing until the console answers", "", false, "%v", took.Round(time.Millisecond))
	time.Sleep(30 * time.Second) // 20 s of play, 10 s of rest
	resident, heap := p.memory()
	x.add("memory after the sample, resident", "<= 150 MB", resident > 150<<20, "%d MB", resident>>20)
	x.add("memory after the sample, heap", "", false, "%d MB", heap>>20)
}

func (x *table) start(t *testing.T) {
	dir := t.TempDir()
	const entries = 100_000
	makePast(t, dir, entries)
	var worst time.Duration
	for range 3 {
		p, took := serve(t, dir)
		resident, _ := p.memory()
		p.stop()
		t.Logf("start: %v, resident %d MB", took, resident>>20)
		worst = max(worst, took)
	}
	x.add("start with 100,000 entries until the console answers, worst of 3", "<= 2s", worst > 2*time.Second, "%v", worst.Round(time.Millisecond))
}

func (x *table) lines(t *testing.T) {
	x.add("tail, archive, detect, together", "", false, "%.0f lines/s", flow(t, 200_000))
	x.add("replay of sample/, all rules", "", false, "%.0f lines/s", replay(t))
	x.add("parse of sample/ alone, one core", "", false, "%.0f lines/s", parse(t))
}

// replay asks the program itself.
func replay(t *testing.T) float64 {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c := exec.Command(exe, "replay", "--json", root+"/sample")
	c.Env = append(os.Environ(), programEnv+"=1")
	out, err := c.Output()
	if err != nil {
		t.Fatal(err)
	}
	rows := bytes.Split(bytes.TrimSpace(out), []byte("\n"))
	var summary struct {
		Lines   float64
		Seconds float64
	}
	if err := json.Unmarshal(rows[len(rows)-1], &summary); err != nil || summary.Seconds == 0 {
		t.Fatalf("%s: %v", rows[len(rows)-1], err)
	}
	return summary.Lines / summary.Seconds
}

func parse(t *testing.T) float64 {
	t.Helper()
	p, err := intake.New(intake.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var lines []record.Line
	err = fs.WalkDir(os.DirFS(root+"/sample"), ".", func(name string, e fs.DirEntry, err error) error {
		if err != nil || !strings.Contains(name, "log") && !strings.HasSuffix(name, ".jsonl") {
			return err
		}
		b, err := os.ReadFile(root + "/sample/" + name)
		for raw := range strings.Lines(string(b)) {
			lines = append(lines, record.Line{File: name, Raw: strings.TrimSuffix(raw, "\n")})
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	const rounds = 5
	for range rounds {
		for _, l := range lines {
			p.Parse(l, now)
		}
	}
	return rounds * float64(len(lines)) / time.Since(now).Seconds()
}
