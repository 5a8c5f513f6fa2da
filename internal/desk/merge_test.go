package desk

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"tocsin/internal/intake"
	"tocsin/internal/record"
)

func zipped(t *testing.T, kind, text string) []byte {
	t.Helper()
	var out bytes.Buffer
	var w io.WriteCloser = gzip.NewWriter(&out)
	if kind == "zstd" {
		z, err := zstd.NewWriter(&out)
		if err != nil {
			t.Fatal(err)
		}
		w = z
	}
	if _, err := io.WriteString(w, text); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// Files are one stream by record time; lines of one file keep their order, and lines of one moment that of the files' names.
func TestMergeOrder(t *testing.T) {
	at := func(minute int, path string) string {
		return request(time.Date(2026, 11, 9, 14, minute, 0, 0, time.UTC), "192.0.2.1", path) + "\n"
	}
	files := fstest.MapFS{
		"b.log":        {Data: []byte(at(1, "/b1") + at(3, "/b3"))},
		"a.log":        {Data: []byte(at(2, "/a2") + at(1, "/a1late") + at(4, "/a4"))},
		"sub/c.log.gz": {Data: zipped(t, "gzip", at(2, "/c2")+at(5, "/c5"))},
		"z.zst":        {Data: zipped(t, "zstd", strings.TrimSuffix(at(3, "/z3"), "\n"))},
		"notes.txt":    {Data: []byte("nothing\n")},
		"none.log":     {},
		"torn.gz":      {Data: zipped(t, "gzip", strings.Repeat(at(9, "/torn"), 40000))[:2000]},
		"wrong.gz":     {Data: []byte{0x1f, 0x8b, 1, 2, 3}},
		"pipe":         {Mode: fs.ModeNamedPipe},
	}
	parser, err := intake.New(intake.Options{})
	if err != nil {
		t.Fatal(err)
	}
	m := newMerge([]folder{{"logs", files}, {"logs", fstest.MapFS{"a.log": files["a.log"]}}}, parser, "", nil)
	defer m.Close()
	var got []string
	for r, more := m.Next(); more; r, more = m.Next() {
		_, path, _ := strings.Cut(r.Line.Raw, "GET /")
		path, _, _ = strings.Cut(path, " ")
		if path != "torn" {
			got = append(got, path)
		}
		if r.Line.Seq != m.seq {
			t.Fatalf("line %d has the number %d", m.seq, r.Line.Seq)
		}
	}
	if want := []string{"b1", "a2", "a1late", "c2", "b3", "z3", "a4", "c5"}; !slices.Equal(got, want) {
		t.Errorf("order %v, want %v", got, want)
	}
	var skipped []string
	for _, s := range m.skipped {
		skipped = append(skipped, s.File)
	}
	slices.Sort(skipped)
	if want := []string{"logs/none.log", "logs/notes.txt", "logs/pipe", "logs/torn.gz", "logs/wrong.gz"}; !slices.Equal(skipped, want) {
		t.Errorf("skipped %v, want %v", m.skipped, want)
	}
}

// Lines may be long, end in nothing, or hold anything; each byte is counted once.
func TestReadLine(t *testing.T) {
	for _, x := range []struct {
		name string
		text string
		want []int // lengths
	}{
		{"nothing", "", nil},
		{"no end", "abc", []int{3}},
		{"empty lines", "\n\na\n", []int{0, 0, 1}},
		{"returns are the parser's", "a\r\nb\r\n", []int{2, 2}},
		{"2 MB", strings.Repeat("x", 2<<20) + "\nnext\n", []int{record.MaxLine + 1, 4}},
		{"2 MB without end", strings.Repeat("x", 2<<20), []int{record.MaxLine + 1}},
		{"as long as may be", strings.Repeat("x", record.MaxLine) + "\n", []int{record.MaxLine}},
		{"the buffer's size", strings.Repeat("x", 16) + "\n" + strings.Repeat("y", 15) + "\nz", []int{16, 15, 1}},
		{"zeros", "\x00\x00\n\xff", []int{2, 1}},
	} {
		t.Run(x.name, func(t *testing.T) {
			in := bufio.NewReaderSize(strings.NewReader(x.text), 16)
			var got []int
			var all int64
			for {
				raw, n, err := readLine(in)
				if err != nil {
					break
				}
				got = append(got, len(raw))
				all += n
			}
			if !slices.Equal(got, x.want) || all != int64(len(x.text)) {
				t.Errorf("lengths %v of %d bytes, want %v of %d", got, all, x.want, len(x.text))
			}
		})
	}
}

// The same logs give the same replay, packed or not, in one folder or several; --since leaves out what came before.
func TestRunReplay(t *testing.T) {
	set := testRules(t)
	start := time.Date(2026, 11, 9, 14, 0, 0, 0, time.UTC)
	var early, late strings.Builder
	for n := range 30 {
		fmt.Fprintln(&early, request(start.Add(time.Duration(n)*time.Second), "192.0.2.7", "/evil"))
		fmt.Fprintln(&late, request(start.Add(time.Hour+time.Duration(n)*time.Second), "198.51.100.7", "/odd"))
	}
	plain := fstest.MapFS{"a.log": {Data: []byte(early.String())}, "b.log": {Data: []byte(late.String())}}
	for _, x := range []struct {
		name      string
		folders   []fs.FS
		since     time.Time
		alerts    int
		incidents int
	}{
		{"plain", []fs.FS{plain}, time.Time{}, 2, 2},
		{"packed", []fs.FS{fstest.MapFS{"a.log": {Data: zipped(t, "gzip", early.String())}, "b.log": {Data: zipped(t, "zstd", late.String())}}}, time.Time{}, 2, 2},
		{"two folders, the later first", []fs.FS{fstest.MapFS{"b.log": plain["b.log"]}, fstest.MapFS{"a.log": plain["a.log"]}}, time.Time{}, 2, 2},
		{"since", []fs.FS{plain}, start.Add(30 * time.Minute), 1, 1},
		{"since the middle of an attack", []fs.FS{plain}, start.Add(15 * time.Second), 1, 1},
	} {
		t.Run(x.name, func(t *testing.T) {
			names := []string{"x", "y"}[:len(x.folders)]
			out, err := RunReplay(t.Context(), ReplayOptions{Folders: x.folders, Names: names, Rules: set.Rules, Since: x.since})
			if err != nil {
				t.Fatal(err)
			}
			if out.Files != 2 || out.Lines != 60 || out.Unparsed != 0 || len(out.Alerts) != x.alerts || len(out.Incidents) != x.incidents {
				t.Errorf("%d files, %d lines, %d unparsed, %d alerts, %d incidents", out.Files, out.Lines, out.Unparsed, len(out.Alerts), len(out.Incidents))
			}
			if !slices.IsSortedFunc(out.Alerts, func(a, b ReplayAlert) int { return a.Raised.Compare(b.Raised) }) {
				t.Error("the alerts are not in order of their raising")
			}
			for _, a := range out.Alerts {
				if a.Count != 30 || a.Sample == nil || a.Sources == nil || a.Accounts == nil || a.Logs == nil {
					t.Errorf("alert %+v", a)
				}
			}
		})
	}
}
