//go:build bench

package bench

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/klauspost/compress/gzip"
)

// replayMBEnv says how many megabytes of logs TestReplayYear makes; the figure that the design promises is for 10,000. They are
// written into the folder for temporary files and removed.
const (
	replayMBEnv = "TOCSIN_BENCH_REPLAY_MB"
	replayMB    = 512
	replayGoal  = 512 << 20 // bytes resident
)

// TestReplayYear measures `tocsin replay` over real lines repeated day after day: one large file, then a file every few days,
// some of them packed, of two sites.
func TestReplayYear(t *testing.T) {
	mb := replayMB
	if s := os.Getenv(replayMBEnv); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil {
			t.Fatalf("%s: %v", replayMBEnv, err)
		}
		mb = n
	}
	dir := t.TempDir()
	made := yearOfLogs(t, dir, int64(mb)<<20)
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c := exec.Command(exe, "replay", "--json", dir)
	c.Env = append(os.Environ(), programEnv+"=1")
	c.Stderr = os.Stderr
	begin := time.Now()
	out, err := c.Output()
	took := time.Since(begin)
	if err != nil {
		t.Fatal(err)
	}
	rows := bytes.Split(bytes.TrimSpace(out), []byte("\n"))
	var summary struct{ Lines, Unparsed int64 }
	if err := json.Unmarshal(rows[len(rows)-1], &summary); err != nil || summary.Unparsed > 0 {
		t.Fatalf("%s: %v", rows[len(rows)-1], err)
	}
	used := c.ProcessState.SysUsage().(*syscall.Rusage)
	peak := used.Maxrss << 10 // Linux tells kilobytes
	cores := (c.ProcessState.UserTime() + c.ProcessState.SystemTime()).Seconds() / took.Seconds()
	var x table
	what := fmt.Sprintf("replay of %d MB, all rules, ", made>>20)
	x.add(what+"lines", "", false, "%.0f/s", float64(summary.Lines)/took.Seconds())
	x.add(what+"bytes", "", false, "%.0f MB/s", float64(made)/1e6/took.Seconds())
	x.add(what+"cores in use", fmt.Sprintf("%d", runtime.NumCPU()), false, "%.2f", cores)
	x.add(what+"most memory", "<= 512 MB", peak > replayGoal, "%d MB", peak>>20)
	t.Logf("%d lines, %d alerts and incidents, %v", summary.Lines, len(rows)-1, took.Round(time.Millisecond))
	x.print(t)
	if peak > replayGoal {
		t.Errorf("replay took %d MB", peak>>20)
	}
}

var replayStamp = regexp.MustCompile(`\[(\d\d/\w{3}/\d{4}):`)

// A dated line is one whose day can be changed.
type dated struct {
	before, after []byte
	day           int // since the first of its log
}

func datedLines(t *testing.T, name string) (lines []dated, days int) {
	t.Helper()
	f, err := os.Open(name)
	if os.IsNotExist(err) {
		t.Skip("the logs are not here")
	}
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var first time.Time
	for s := bufio.NewScanner(f); s.Scan(); {
		m := replayStamp.FindSubmatchIndex(s.Bytes())
		if m == nil {
			continue
		}
		line := bytes.Clone(s.Bytes())
		day, err := time.Parse("02/Jan/2006", string(line[m[2]:m[3]]))
		if err != nil {
			t.Fatal(err)
		}
		if first.IsZero() {
			first = day
		}
		n := int(day.Sub(first).Hours() / 24)
		days = max(days, n+1)
		lines = append(lines, dated{line[:m[2]], append(line[m[3]:], '\n'), n})
	}
	return lines, days
}

// yearOfLogs writes about size bytes of logs and returns how many, unpacked.
func yearOfLogs(t *testing.T, dir string, size int64) (made int64) {
	t.Helper()
	shop, days := datedLines(t, shared+"/range-a/logs/access.log")
	blog, more := datedLines(t, shared+"/logs/elastic/apache_access_10k.log")
	days = max(days, more)
	for _, d := range []string{"shop", "blog"} {
		if err := os.Mkdir(filepath.Join(dir, d), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	start := time.Date(2016, 1, 1, 0, 0, 0, 0, time.UTC)
	large, err := os.Create(filepath.Join(dir, "shop", "access.log"))
	if err != nil {
		t.Fatal(err)
	}
	defer large.Close()
	for k := 0; made < size; k++ {
		day := start.AddDate(0, 0, k*days)
		if made < size*6/10 {
			made += writeDays(t, large, shop, day)
		} else {
			made += writeFile(t, filepath.Join(dir, "shop", fmt.Sprintf("access-%05d.log", k)), shop, day, k%4 == 0)
		}
		made += writeFile(t, filepath.Join(dir, "blog", fmt.Sprintf("access-%05d.log", k)), blog, day, false)
	}
	return made
}

func writeFile(t *testing.T, name string, lines []dated, day time.Time, packed bool) int64 {
	t.Helper()
	if packed {
		name += ".gz"
	}
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if !packed {
		return writeDays(t, f, lines, day)
	}
	z, err := gzip.NewWriterLevel(f, gzip.BestSpeed)
	if err != nil {
		t.Fatal(err)
	}
	n := writeDays(t, z, lines, day)
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return n
}

func writeDays(t *testing.T, out io.Writer, lines []dated, start time.Time) (n int64) {
	t.Helper()
	w := bufio.NewWriterSize(out, 1<<20)
	text, is := "", -1
	for _, l := range lines {
		if l.day != is {
			text, is = start.AddDate(0, 0, l.day).Format("02/Jan/2006"), l.day
		}
		w.Write(l.before)
		w.WriteString(text)
		w.Write(l.after)
		n += int64(len(l.before) + len(text) + len(l.after))
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	return n
}
