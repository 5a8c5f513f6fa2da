package desk

import (
	"context"
	"fmt"
	"io/fs"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"tocsin/internal/disk"
	"tocsin/internal/entry"
	"tocsin/internal/notify"
	"tocsin/internal/plan"
	"tocsin/internal/record"
)

// A ruleText is a rule that fires on every request whose path contains a word.
func ruleText(n int, word, level string) string {
	return fmt.Sprintf(`title: Request for %[2]s
id: 11111111-1111-4111-8111-%012[1]d
status: test
logsource: {category: webserver}
detection:
  word: {url.original|contains: /%[2]s}
  condition: word
level: %[3]s
tocsin: {group: [source.ip], quiet: 30m}
`, n, word, level)
}

const evilRule, oddRule = "11111111-1111-4111-8111-000000000001", "11111111-1111-4111-8111-000000000002"

func testRules(t *testing.T, more ...string) RuleSet {
	t.Helper()
	files := fstest.MapFS{"evil.yml": {Data: []byte(ruleText(1, "evil", "high"))}, "odd.yml": {Data: []byte(ruleText(2, "odd", "medium"))}}
	for n, text := range more {
		files[fmt.Sprintf("more%d.yml", n)] = &fstest.MapFile{Data: []byte(text)}
	}
	set, err := LoadRules(files)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// A house is what outlives one start of the program: two folders, and the people's mail boxes.
type house struct {
	t     *testing.T
	data  *disk.Lossy
	keys  *disk.Lossy
	o     Options
	ill   illness
	rough bool // errors of closing are no matter

	mu   sync.Mutex
	mail []notify.Message
	fail func(context.Context, notify.Message) error // nil sends
	said strings.Builder                             // the log
}

func newHouse(t *testing.T) *house {
	h := &house{t: t, data: disk.NewLossy(), keys: disk.NewLossy()}
	set := testRules(t)
	h.o = Options{Version: "test", Ballast: 1 << 16, SealLines: 1, Rules: set.Rules, URL: "http://localhost:1", Senders: map[string]Sender{plan.Mail: h.send, plan.Webhook: h.send}}
	return h
}

func (h *house) send(ctx context.Context, m notify.Message) error {
	h.mu.Lock()
	fail := h.fail
	h.mu.Unlock()
	if fail != nil {
		if err := fail(ctx, m); err != nil {
			return err
		}
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.mail = append(h.mail, m)
	return nil
}

// Write takes the log.
func (h *house) Write(b []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.said.Write(b)
}

func (h *house) logged() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.said.String()
}

func (h *house) sent() []notify.Message {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.mail)
}

func (h *house) failing(f func(context.Context, notify.Message) error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.fail = f
}

// start opens the desk and runs it; the func ends it in order.
func (h *house) start() (*Desk, func()) {
	h.t.Helper()
	o := h.o
	o.Data, o.Keys = sickLayer{h.data, &h.ill}, h.keys
	d, err := Open(slog.New(slog.NewTextHandler(h, nil)), o)
	if err != nil {
		h.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ran := make(chan error, 1)
	go func() { ran <- d.Run(ctx) }()
	return d, func() {
		h.t.Helper()
		cancel()
		if err := <-ran; err != nil {
			h.t.Errorf("Run: %v", err)
		}
		if err := d.Close(); err != nil && d.Broken() == nil && !h.rough {
			h.t.Errorf("Close: %v", err)
		}
	}
}

// team puts two people into the plan, who are rung one after the other.
func (h *house) team(d *Desk) {
	h.t.Helper()
	took, err := d.SeedPlan(Seed{
		People: []SeedPerson{
			{ID: "anna", Roles: []string{plan.Commander}, Contact: Contact{Name: "Anna", Mail: "anna@shop.example"}},
			{ID: "boris", Roles: []string{plan.Engineer}, Contact: Contact{Name: "Boris", Mail: "boris@shop.example", Webhook: "https://chat.example/hook"}},
		},
		Policy: &entry.Policy{Steps: []entry.PolicyStep{{Who: []string{"anna"}, Wait: 5 * time.Minute}, {Who: []string{plan.Everyone}, Wait: 5 * time.Minute}},
			Rounds: 1, Every: 5 * time.Minute},
	})
	if err != nil || !took {
		h.t.Fatalf("seeding the plan: %v, %v", took, err)
	}
}

// request is a line of an access log.
func request(at time.Time, address, path string) string {
	return fmt.Sprintf(`%s - - [%s] "GET %s HTTP/1.1" 404 0 "-" "Mozilla/5.0"`, address, at.Format("02/Jan/2006:15:04:05 -0700"), path)
}

// feed archives lines as the watcher would.
func (h *house) feed(d *Desk, lines ...string) {
	h.t.Helper()
	b := record.Batch{Received: time.Now()}
	for _, l := range lines {
		b.Lines = append(b.Lines, record.Line{File: "/log/access.log", Raw: l})
	}
	if _, err := d.keep(b); err != nil {
		h.t.Fatal(err)
	}
}

// entries counts the ledger's entries by kind.
func (h *house) entries(d *Desk) map[entry.Kind]int {
	h.t.Helper()
	es, err := d.LastEntries(1 << 30)
	if err != nil {
		h.t.Fatal(err)
	}
	by := map[entry.Kind]int{}
	for _, e := range es {
		by[e.Kind]++
	}
	return by
}

// want fails unless the ledger has so many entries of a kind.
func (h *house) want(d *Desk, k entry.Kind, n int) {
	h.t.Helper()
	if got := h.entries(d)[k]; got != n {
		h.t.Errorf("%d entries of %s, want %d", got, k, n)
	}
}

func receivers(ms []notify.Message) (to []string) {
	for _, m := range ms {
		to = append(to, m.To)
	}
	return to
}

// watching tells the archive that the log is watched since a time.
func (h *house) watching(d *Desk, since time.Time) {
	h.t.Helper()
	if _, err := d.keep(record.Batch{Received: since, Start: true, Positions: []record.Position{{File: "/log/access.log"}}}); err != nil {
		h.t.Fatal(err)
	}
}

// sick makes every write below a folder of the data fail, nil none.
func (h *house) sick(dir string, err error) {
	h.ill.mu.Lock()
	defer h.ill.mu.Unlock()
	h.ill.dir, h.ill.err = dir, err
}

// size counts the bytes of the files in a folder.
func (h *house) size(dir string) (n int64) {
	h.t.Helper()
	names, err := h.data.ReadDir(dir)
	if err != nil {
		h.t.Fatal(err)
	}
	for _, e := range names {
		if st, err := h.data.Stat(dir + "/" + e.Name()); err == nil {
			n += st.Size()
		}
	}
	return n
}

// An illness is which folder of a disk fails.
type illness struct {
	mu  sync.Mutex
	dir string
	err error
}

func (x *illness) of(name string) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.err != nil && strings.HasPrefix(name, x.dir+"/") {
		return x.err
	}
	return nil
}

// A sickLayer is a layer of which one folder may fail.
type sickLayer struct {
	disk.Layer
	ill *illness
}

func (l sickLayer) OpenFile(name string, flag int, perm fs.FileMode) (disk.File, error) {
	f, err := l.Layer.OpenFile(name, flag, perm)
	if err != nil {
		return nil, err
	}
	return sickFile{f, name, l.ill}, nil
}

func (l sickLayer) Rename(old, new string) error {
	if err := l.ill.of(new); err != nil {
		return err
	}
	return l.Layer.Rename(old, new)
}

type sickFile struct {
	disk.File
	name string
	ill  *illness
}

func (f sickFile) Write(b []byte) (int, error) {
	if err := f.ill.of(f.name); err != nil {
		return 0, err
	}
	return f.File.Write(b)
}

func (f sickFile) WriteAt(b []byte, at int64) (int, error) {
	if err := f.ill.of(f.name); err != nil {
		return 0, err
	}
	return f.File.WriteAt(b, at)
}
