package agent

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tocsin/internal/record"
)

// fakeJournal is a program that prints a journal as journalctl does: what lies in a file, after the entry of the cursor that it is given.
func fakeJournal(t *testing.T) (program, entries string) {
	t.Helper()
	dir := t.TempDir()
	entries = filepath.Join(dir, "entries")
	program = filepath.Join(dir, "journalctl")
	text := `#!/bin/sh
cursor=
for a in "$@"; do case "$a" in --after-cursor=*) cursor=${a#--after-cursor=} ;; --lines=0) cursor=none ;; esac; done
from=1
if [ -n "$cursor" ] && [ "$cursor" != none ]; then from=$(($(grep -n "\"$cursor\"" ` + entries + ` | cut -d: -f1) + 1)); fi
exec tail -n +$from -F ` + entries + ` 2>/dev/null
`
	if err := os.WriteFile(program, []byte(text), 0o700); err != nil {
		t.Fatal(err)
	}
	return program, entries
}

func journalEntry(n int) string {
	return fmt.Sprintf(`{"__CURSOR":"s=0;i=%d;","__REALTIME_TIMESTAMP":"1772212581114753","SYSLOG_IDENTIFIER":"sshd","MESSAGE":"entry %d"}`, n, n)
}

// TestJournal: given a journal, when the agent is stopped and started while entries come, then each is kept once and in order.
func TestJournal(t *testing.T) {
	program, entries := fakeJournal(t)
	k := newKept()
	var want []string
	for life := range 4 {
		for n := range 5 {
			e := journalEntry(life*5 + n)
			want = append(want, e)
			write(t, entries, e+"\n")
		}
		j := newJournal(quiet(), program, []string{"ssh.service"}, k.start()[journalFile], k.Append)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { defer close(done); j.run(ctx) }()
		exactly(t, k, journalFile, want...)
		e := journalEntry(1000 + life)
		want = append(want, e)
		write(t, entries, e+"\n")
		exactly(t, k, journalFile, want...)
		if f := j.feed(); f.State != string(OK) || f.Lines == 0 {
			t.Errorf("%+v", f)
		}
		cancel()
		<-done
	}
	if p := k.start()[journalFile]; p.Print != "s=0;i=1003;" {
		t.Errorf("%+v", p)
	}
}

// TestNoJournal: given a journalctl that fails, when it is followed, then the source says why.
func TestNoJournal(t *testing.T) {
	k := newKept()
	for _, x := range []struct{ program, why string }{{"/nonexistent/journalctl", "no such file"}, {"/bin/false", "exit status 1"}} {
		j := newJournal(quiet(), x.program, nil, record.Position{}, k.Append)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { defer close(done); j.run(ctx) }()
		until(t, "it says why", func() bool { f := j.feed(); return f.State == string(Unreadable) && strings.Contains(f.Why, x.why) })
		cancel()
		<-done
	}
}

func TestCursor(t *testing.T) {
	for raw, want := range map[string]string{
		journalEntry(3):                                   "s=0;i=3;",
		`{"MESSAGE":"x"}`:                                 "",
		`{"__CURSOR":"a=1","MESSAGE":"half`:               "a=1",
		`{"__CURSOR":"` + strings.Repeat("a", 600) + `"}`: "",
		``: "",
	} {
		if got, _ := cursorOf([]byte(raw)); got != want {
			t.Errorf("%.60s: %q", raw, got)
		}
	}
}

func runSyslog(t *testing.T, keep func(record.Batch) (record.Receipt, error), gap func(record.Gap)) (s *syslog, stop func()) {
	t.Helper()
	s, err := newSyslog(quiet(), "127.0.0.1:0", record.Position{}, keep, gap)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); s.run(ctx) }()
	stop = sync.OnceFunc(func() { cancel(); <-done })
	t.Cleanup(stop)
	return s, stop
}

// TestSyslog: given lines over UDP and TCP in every framing, when they come, then each is kept as it is.
func TestSyslog(t *testing.T) {
	k := newKept()
	s, _ := runSyslog(t, k.Append, func(record.Gap) {})
	udp, err := net.Dial("udp", s.address())
	if err != nil {
		t.Fatal(err)
	}
	defer udp.Close()
	udp.Write([]byte("<34>Oct 11 22:14:15 shop su: one\n"))
	exactly(t, k, syslogFile, "<34>Oct 11 22:14:15 shop su: one")
	tcp, err := net.Dial("tcp", s.address())
	if err != nil {
		t.Fatal(err)
	}
	io.WriteString(tcp, "<34>two\r\n<34>three\n8 <34>four8 <34>fi\ne9 9 lives\n")
	tcp.Close()
	exactly(t, k, syslogFile, "<34>Oct 11 22:14:15 shop su: one", "<34>two", "<34>three", "<34>four", "<34>fi\ne", "9 9 lives")
	for _, address := range []string{"0.0.0.0:0", "192.0.2.1:514", "localhost:514", ""} {
		if _, err := newSyslog(quiet(), address, record.Position{}, k.Append, nil); err == nil {
			t.Errorf("it listens on %q", address)
		}
	}
}

// TestSyslogFull: given a spool that takes nothing, when datagrams and a stream come, then the stream waits and loses nothing, and the
// datagrams that are lost are counted and told.
func TestSyslogFull(t *testing.T) {
	k := newKept()
	gate := make(chan struct{})
	var gaps []record.Gap
	var mu sync.Mutex
	s, stop := runSyslog(t, func(b record.Batch) (record.Receipt, error) { <-gate; return k.Append(b) }, func(g record.Gap) { mu.Lock(); gaps = append(gaps, g); mu.Unlock() })
	const lines = 3 * feedLines
	tcp, err := net.Dial("tcp", s.address())
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		w := bufio.NewWriter(tcp)
		for n := range lines {
			fmt.Fprintf(w, "<34>%d\n", n)
		}
		w.Flush()
		tcp.Close()
	}()
	until(t, "it is full", func() bool { s.feeds.mu.Lock(); defer s.feeds.mu.Unlock(); return len(s.feeds.lines) == feedLines })
	udp, err := net.Dial("udp", s.address())
	if err != nil {
		t.Fatal(err)
	}
	defer udp.Close()
	for range 3 {
		udp.Write([]byte("<34>lost"))
	}
	until(t, "three are lost", func() bool { s.mu.Lock(); defer s.mu.Unlock(); return s.lost == 3 })
	close(gate)
	until(t, "the stream is kept", func() bool { return len(k.of(syslogFile)) == lines })
	for n, raw := range k.of(syslogFile) {
		if raw != fmt.Sprintf("<34>%d", n) {
			t.Fatalf("line %d is %q", n, raw)
		}
	}
	stop()
	if len(gaps) != 1 || gaps[0].To-gaps[0].From != 3 {
		t.Errorf("%+v", gaps)
	}
}

// FuzzSyslog: whatever comes over a stream, reading it ends, and no line is longer than one may be.
func FuzzSyslog(f *testing.F) {
	f.Add([]byte("<34>two\r\n8 <34>four12 <1>"))
	f.Fuzz(func(t *testing.T, b []byte) {
		in := bufio.NewReaderSize(strings.NewReader(string(b)), 4096)
		for range len(b) + 2 {
			line, err := nextSyslog(in)
			if len(line) > record.MaxLine {
				t.Fatal(len(line))
			}
			if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
				return
			}
		}
		t.Error("it does not end")
	})
}

// TestShops: given web roots with shops of all kinds, when they are looked for, then each is found with its version.
func TestShops(t *testing.T) {
	root := t.TempDir()
	for name, text := range map[string]string{
		"a/wp-includes/version.php":                        "<?php\n$wp_version = '6.4.2';\n",
		"a/wp-content/plugins/woocommerce/woocommerce.php": "<?php\n/**\n * Plugin Name: WooCommerce\n * Version: 8.5.1\n */",
		"b/html/composer.lock":                             `{"packages":[{"name":"x/y","version":"1"},{"name":"magento/product-community-edition","version":"2.4.6-p3"}]}`,
		"c/src/Core/Version.php":                           "const VERSION = '8.1.3';",
		"d/composer.lock":                                  `{"packages":[{"name":"shopware/core","version":"v6.5.8.0"}]}`,
		"e/index.php":                                      "<?php\ndefine('VERSION', '4.0.2.3');",
		"f/composer.lock":                                  `{`,
		"g/wp-includes/version.php":                        "nothing",
	} {
		name = filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			t.Fatal(err)
		}
		write(t, name, text)
	}
	if err := mkfifo(filepath.Join(root, "e/composer.lock")); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, s := range shops([]string{root, "/nonexistent"}) {
		rel, _ := filepath.Rel(root, s.Path)
		got = append(got, s.Name+" "+s.Version+" "+rel)
	}
	slices.Sort(got)
	want := []string{"magento 2.4.6-p3 b/html", "opencart 4.0.2.3 e", "prestashop 8.1.3 c", "shopware 6.5.8.0 d", "woocommerce 8.5.1 a", "wordpress 6.4.2 a"}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestUpdates(t *testing.T) {
	got := aptUpdates("Reading...\nInst openssl [3.0.1] (3.0.2 Debian-Security:12/stable-security [amd64])\nInst vim [1] (2 Debian:12/stable [amd64]) []\nConf openssl (3.0.2)\n")
	if d := cmp.Diff(record.Updates{Known: true, All: 2, Security: []string{"openssl 3.0.2"}}, got); d != "" {
		t.Error(d)
	}
	got = dnfUpdates("FEDORA-2026-1 Important/Sec. openssl-3.0.2-1.x86_64\nFEDORA-2026-2 bugfix vim-2.x86_64\n\n")
	if d := cmp.Diff(record.Updates{Known: true, All: 1, Security: []string{"openssl-3.0.2-1.x86_64"}}, got); d != "" {
		t.Error(d)
	}
}

// TestPorts: given a port that this test listens on, when ports are listed, then it is there.
func TestPorts(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	port := l.Addr().(*net.TCPAddr).Port
	if !slices.ContainsFunc(ports("/proc"), func(p record.Port) bool {
		return p.Protocol == "tcp" && p.Address == "127.0.0.1" && p.Port == port && p.Program != ""
	}) {
		t.Errorf("port %d is not listed", port)
	}
	p, inode, ok := portOf("   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 12345 1 0", "tcp")
	if !ok || p.Port != 8080 || p.Address != "127.0.0.1" || inode != "12345" {
		t.Errorf("%+v, %s, %v", p, inode, ok)
	}
}

// TestFacts: the facts of this host are gathered in the end, and say which system it is.
func TestFacts(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	h := hostFacts(ctx, []string{t.TempDir()})
	if h.Kernel == "" || h.Booted.IsZero() {
		t.Errorf("%+v", h)
	}
}

// FuzzPorts: whatever stands in a table of sockets, reading it does not fail.
func FuzzPorts(f *testing.F) {
	f.Add("   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 12345 1 0")
	f.Fuzz(func(t *testing.T, line string) {
		if p, _, ok := portOf(line, "tcp"); ok && (p.Port < 0 || p.Port > 65535) {
			t.Error(p)
		}
	})
}
