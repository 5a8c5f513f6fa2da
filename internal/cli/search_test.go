package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"

	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"tocsin/internal/desk"
	"tocsin/internal/detect"
	"tocsin/internal/disk"
)

// kept makes a data folder on which no server works, with lines of which most are on the shelf.
func kept(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	data, log := filepath.Join(dir, "d"), filepath.Join(dir, "access.log")
	grow := func(from int) {
		f, err := os.OpenFile(log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		for i := from; i < from+500; i++ {
			fmt.Fprintf(f, "203.0.113.%d - - [10/Nov/2026:%02d:%02d:%02d +0000] \"GET /p/%d HTTP/1.1\" 200 512 \"-\" \"Mozilla/5.0\"\n", i%200, 10+i/1000, i%1000/60, i%60, i)
		}
	}
	grow(0)
	o := desk.Options{Version: "test", Rules: &detect.Rules{}, Watch: []string{log}, LogBytes: 3000}
	var err error
	if o.Data, err = disk.Open(data); err != nil {
		t.Fatal(err)
	}
	if o.Keys, err = disk.Open(data + "-keys"); err != nil {
		t.Fatal(err)
	}
	d, err := desk.Open(slog.New(slog.DiscardHandler), o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended, grown := make(chan error, 1), 500
	go func() { ended <- d.Run(ctx) }()
	for end := time.Now().Add(40 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		k := d.Kept()
		if k.Last == 2000 && k.Through >= 1000 {
			break
		}
		if k.Last < 2000 && k.Last == int64(grown) { // a batch each, and a segment
			grow(grown)
			grown += 500
		}
		if time.Now().After(end) {
			t.Fatalf("no lines come to the shelf: %+v", d.Kept())
		}
	}
	stop()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	return data
}

// told runs a command.
func told(args ...string) (status int, out, err string) {
	var o, e bytes.Buffer
	status = Main(args, Program{Files: os.DirFS("../.."), Out: &o, Err: &e})
	return status, o.String(), e.String()
}

// Given lines on the shelf, when they are searched, verified and exported without a server, then all are found; when a volume is damaged, then it is named
// and the rest is found.
func TestKeptLines(t *testing.T) {
	data := kept(t)
	status, out, err := told("search", "ip=203.0.113.7 | count", "--data", data)
	if status != 0 || !strings.Contains(out, "COUNT\n   10\n") {
		t.Errorf("search: %d, %q, %q", status, out, err)
	}
	if !regexp.MustCompile(`^10 lines match; [0-9,]+ records looked at in [1-9][0-9]* of [1-9][0-9]* volumes`).MatchString(err) {
		t.Errorf("search says %q", err)
	}
	status, out, err = told("archive", "verify", "--data", data)
	if status != 0 || !regexp.MustCompile(`^intact: [0-9,]+ lines in [0-9]+ segments? of the write-ahead log; [0-9,]+ records in ([1-9][0-9]*) volumes? of the shelf`).MatchString(out) {
		t.Errorf("verify: %d, %q, %q", status, out, err)
	}
	status, out, _ = told("doctor", "--data", data, "--quick")
	if !regexp.MustCompile(`(?m)^ok    shelf +[1-9][0-9]* volumes with [0-9]+ records, .* the oldest of 2026-11-10 10:00$`).MatchString(out) {
		t.Errorf("doctor: %d, %q", status, out)
	}
	file := filepath.Join(t.TempDir(), "e.tar")
	if status, out, err = told("archive", "export", "ip=203.0.113.7", "--data", data, "--out", file); status != 0 || !strings.Contains(out, ": 10 lines of 1 log") {
		t.Fatalf("export: %d, %q, %q", status, out, err)
	}
	status, out, _ = told("archive", "verify-export", file, "--data", data, "--json")
	var m desk.ExportManifest
	if json.Unmarshal([]byte(out), &m); status != 0 || len(m.Volumes) == 0 || len(m.Lines) != 10 || m.Lines[0].Number != 8 || m.Lines[0].Volume == 0 {
		t.Errorf("verify-export: %d, %+v", status, m)
	}

	name := damage(t, data)
	status, out, err = told("archive", "verify", "--data", data)
	if status != 1 || !strings.Contains(out, "BAD   shelf   "+name+": ") || !strings.Contains(out, "bring both its files back from a backup") || !strings.Contains(err, "1 thing is not as kept") {
		t.Errorf("verify of a damaged volume: %d, %q, %q", status, out, err)
	}
	status, out, err = told("search", "raw~Mozilla | count", "--data", data)
	if status != 0 || !strings.Contains(err, "the volume "+name+" is damaged") {
		t.Errorf("search of a damaged volume: %d, %q, %q", status, out, err)
	}
	status, out, _ = told("search", "raw~Mozilla", "--json", "--limit", "1", "--data", data)
	var s struct {
		Kind    string
		Damaged []struct{ Volume, File, Why string }
	}
	lines := strings.Split(strings.TrimSpace(out), "\n")
	if json.Unmarshal([]byte(lines[len(lines)-1]), &s); s.Kind != "summary" || len(s.Damaged) != 1 || s.Damaged[0].Volume != name {
		t.Errorf("JSON of a damaged volume: %d, %q", status, out)
	}
	again := filepath.Join(t.TempDir(), "e.tar")
	if status, out, err = told("archive", "export", "raw~Mozilla", "--data", data, "--out", again); status != 0 || !strings.Contains(err, "the volume "+name+" could not be read") {
		t.Errorf("export of a damaged volume: %d, %q, %q", status, out, err)
	}
	status, out, _ = told("archive", "verify", "--data", data) // the export set it aside
	if status != 0 || !strings.Contains(out, "look  shelf   "+name+": set aside on ") {
		t.Errorf("verify of a volume that was set aside: %d, %q", status, out)
	}
	status, out, _ = told("doctor", "--data", data, "--quick")
	if status != 1 || !strings.Contains(out, "damaged and set aside: "+name) {
		t.Errorf("doctor: %d, %q", status, out)
	}
}

// damage changes every frame of a volume, and returns its name.
func damage(t *testing.T, data string) string {
	t.Helper()
	var all []string
	dir := filepath.Join(data, "shelf")
	err := filepath.WalkDir(dir, func(name string, _ os.DirEntry, err error) error {
		if strings.HasSuffix(name, ".lines") {
			all = append(all, name)
		}
		return err
	})
	if err != nil || len(all) == 0 {
		t.Fatalf("%d volumes: %v", len(all), err)
	}
	slices.Sort(all)
	b, err := os.ReadFile(all[0])
	if err != nil {
		t.Fatal(err)
	}
	b[90] ^= 1 // in the payload of the first frame
	if err := os.WriteFile(all[0], b, 0o600); err != nil {
		t.Fatal(err)
	}
	name, err := filepath.Rel(dir, all[0])
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSuffix(filepath.ToSlash(name), ".lines")
}

// What --json prints is for ever: the names that scripts read.
func TestSearchJSON(t *testing.T) {
	data := kept(t)
	var got strings.Builder
	for _, q := range []string{"path=/p/7 | fields time, ip, status, user, path", "path=/p/7 | top ip", "path in (/p/7, /p/70) | timeline 1m", "path=/p/7 | avg(bytes) by status"} {
		status, out, err := told("search", q, "--data", data, "--json", "--zone", "Europe/Berlin")
		if status != 0 || err != "" {
			t.Errorf("%s: %d, %q", q, status, err)
		}
		got.WriteString(out)
	}
	text := regexp.MustCompile(`"scanned":\{"volumes":\d+,"of":\d+,"rows":\d+,"lines":\d+,"tail":\d+\}`).ReplaceAllString(got.String(), `"scanned":{"volumes":V,"of":V,"rows":N,"lines":N,"tail":N}`)
	text = regexp.MustCompile(`"took":[0-9.e-]+`).ReplaceAllString(text, `"took":S`)
	name := filepath.Join("testdata", "search.golden")
	want, err := os.ReadFile(name)
	if os.IsNotExist(err) && *update {
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if err != nil || text != string(want) {
		t.Errorf("it prints\n%s\nand not\n%s (%v)", text, want, err)
	}
}
