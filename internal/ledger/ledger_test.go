package ledger

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path"
	"reflect"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tocsin/internal/disk"
	"tocsin/internal/entry"
)

// testSecret is a key for tests only: with it the bytes of a ledger are the same in each run.
const testSecret = "PRIVATE+KEY+shop.example/tocsin+30f087a4+AXRvY3NpbiB0ZXN0cyBvbmx5LCBub3QgYSBzZWNyZXQu"

func testKey(t testing.TB) Key {
	t.Helper()
	k, err := ParseKey(testSecret)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func at(i int) time.Time {
	return time.Date(2026, 3, 1, 3, 0, 0, 0, time.UTC).Add(time.Duration(i) * time.Second)
}

// draft is an entry of the usual size.
func draft(i int64) entry.Draft {
	return entry.Draft{Actor: "desk", Kind: entry.AlertRaised, Subject: "alert:9f86d081884c7d659a2feaa0c55ad015", Body: entry.Alert{
		ID: "9f86d081884c7d659a2feaa0c55ad015", Rule: "brute", RuleVersion: "1234567890abcdef", Title: "Many failed sign-ins", Level: "high",
		Impact: "attempt", First: at(0), Last: at(int(i)), Raised: at(int(i)), Seq: i, Count: i,
		Sources: []entry.Party{{Hash: "2c26b46b68ffc68ff99b453c1d304134", Net: "fcde2b2edba56bf408601fb721fe9b5c", Role: "suspect"}}, Vault: "00000000000000000000000000000001",
	}}
}

// small is an entry of few bytes, for tests that go through all of them.
func small(i int) entry.Draft {
	return entry.Draft{Actor: "desk", Kind: "t", Subject: fmt.Sprint(i), Body: struct{}{}}
}

// keep collects what a ledger applies, whose bodies are good until then.
func keep(to *[]entry.Entry) func(entry.Entry) error {
	return func(e entry.Entry) error {
		e.Body = bytes.Clone(e.Body)
		*to = append(*to, e)
		return nil
	}
}

func mustOpen(t testing.TB, l disk.Layer, k Key) *Ledger {
	t.Helper()
	g, _, err := Open(l, "ledger", k, func(entry.Entry) error { return nil }, Options{Now: at(0)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { g.Close() })
	return g
}

func mustAppend(t testing.TB, g *Ledger, drafts ...entry.Draft) []entry.Entry {
	t.Helper()
	list, err := g.Append(at(int(g.Head().Size)), drafts...)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// filled makes a closed ledger of n small entries on a new layer.
func filled(t testing.TB, n int) *disk.Lossy {
	t.Helper()
	l := disk.NewLossy()
	g := mustOpen(t, l, testKey(t))
	for i := range n {
		mustAppend(t, g, small(i))
	}
	if err := g.Close(); err != nil {
		t.Fatal(err)
	}
	return l
}

func get(t testing.TB, l disk.Layer, name string) []byte {
	t.Helper()
	b, err := disk.ReadFile(l, path.Join("ledger", name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// layerOf makes a layer with a ledger of these files; nil leaves one out.
func layerOf(t testing.TB, entries, head, tree []byte) *disk.Lossy {
	t.Helper()
	l := disk.NewLossy()
	if err := l.MkdirAll("ledger", 0o700); err != nil {
		t.Fatal(err)
	}
	for name, b := range map[string][]byte{entriesName: entries, headName: head, treeName: tree} {
		if b == nil {
			continue
		}
		if err := disk.Replace(l, path.Join("ledger", name), b); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.SyncDir("."); err != nil {
		t.Fatal(err)
	}
	return l
}

func collect(t testing.TB, seq func(func(entry.Entry, error) bool)) (list []entry.Entry) {
	t.Helper()
	for e, err := range seq {
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, e)
	}
	return list
}

func wantFault(t testing.TB, err error, kind FaultKind, n int64) *Fault {
	t.Helper()
	fault, ok := errors.AsType[*Fault](err)
	if !ok || fault.Kind != kind || fault.Entry != n || fault.Mend == "" {
		t.Fatalf("error is %#v (%v), want a fault %q of entry %d", err, err, kind, n)
	}
	return fault
}

func TestAppendAndReopen(t *testing.T) {
	l, k := disk.NewLossy(), testKey(t)
	g, opened, err := Open(l, "a/ledger", k, nil, Options{})
	if err != nil || opened != (Opened{New: true}) {
		t.Fatalf("new ledger: %+v %v", opened, err)
	}
	var want []entry.Entry
	for i := range 300 { // more than two marks, in batches of 1 to 4; the clock runs backwards, which is nothing to the ledger
		var drafts []entry.Draft
		for j := range i%4 + 1 {
			drafts = append(drafts, small(i+j))
		}
		list, err := g.Append(at(-i), drafts...)
		if err != nil || len(list) != len(drafts) {
			t.Fatalf("append: %v %v", list, err)
		}
		want = append(want, list...)
	}
	if list, err := g.Append(at(0)); list != nil || err != nil {
		t.Fatalf("append of nothing: %v %v", list, err)
	}
	head := g.Head()
	if head.Size != int64(len(want)) || want[0].N != 1 || want[len(want)-1].N != head.Size {
		t.Fatalf("head %v after %d entries", head, len(want))
	}
	for _, from := range []int64{-1, 0, 1, 2, 127, 128, 129, 130, 256, 257, 700, head.Size, head.Size + 1, head.Size + 500} {
		rest := want[min(max(from, 1), head.Size+1)-1:]
		for _, got := range [][]entry.Entry{collect(t, g.Entries(from)), collect(t, Read(l, "a/ledger", from))} {
			if len(rest)+len(got) > 0 && !reflect.DeepEqual(got, rest) {
				t.Fatalf("from %d: %s", from, cmp.Diff(rest, got))
			}
		}
	}
	for e := range g.Entries(1) {
		if e.N == 3 {
			break // a reader may stop
		}
	}
	if err := errors.Join(g.Close(), g.Close()); err != nil {
		t.Fatal(err)
	}
	if _, err := g.Append(at(0), small(1)); !errors.Is(err, ErrBroken) {
		t.Fatalf("append after close: %v", err)
	}
	var got []entry.Entry
	g, opened, err = Open(l.Crash(), "a/ledger", k, keep(&got), Options{})
	if err != nil || opened.New || opened.Entries != head.Size || opened.CutFile != "" || opened.TreeRebuilt || g.Head() != head {
		t.Fatalf("reopened: %+v %v", opened, err)
	}
	if !reflect.DeepEqual(got, want) {
		t.Fatal(cmp.Diff(want, got))
	}
	if !reflect.DeepEqual(collect(t, g.Entries(200)), want[199:]) { // the marks of a start are those of the appends
		t.Fatal("entries from 200 differ after the start")
	}
}

// Given a draft that cannot be an entry, then nothing is written and the ledger goes on.
func TestAppendRefuses(t *testing.T) {
	l := disk.NewLossy()
	g := mustOpen(t, l, testKey(t))
	ops := l.Ops()
	for name, d := range map[string]entry.Draft{
		"no actor":      {Kind: "t"},
		"no kind":       {Actor: "desk"},
		"no encoding":   {Actor: "desk", Kind: "t", Body: make(chan int)},
		"too large":     {Actor: "desk", Kind: "t", Body: strings.Repeat("x", MaxLine)},
		"far in future": {Actor: "desk", Kind: "t", Body: time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)},
	} {
		if _, err := g.Append(at(0), small(1), d); err == nil || errors.Is(err, ErrBroken) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if l.Ops() != ops || g.Broken() != nil {
		t.Fatal("a refused draft touched the disk or broke the ledger")
	}
	if list := mustAppend(t, g, small(1)); list[0].N != 1 {
		t.Fatalf("number %d after refusals, want 1", list[0].N)
	}
}

// After a failed write or sync the ledger takes no more, even when the disk is well again; a new start finds all that
// was acknowledged, and nothing is synced twice.
func TestBroken(t *testing.T) {
	k := testKey(t)
	for step := 1; step <= 7; step++ { // write, sync, tree, then create, write, sync, rename of the head
		l := filled(t, 3)
		g := mustOpen(t, l, k)
		l.FailAt(l.Ops()+step, syscall.EIO)
		ops := l.Ops()
		_, err := g.Append(at(3), small(3))
		if !errors.Is(err, syscall.EIO) || errors.Is(err, ErrBroken) {
			t.Fatalf("step %d: %v", step, err)
		}
		if did := l.Ops() - ops; did > step+1 { // one more is the tidying of the temporary file
			t.Fatalf("step %d failed, and %d more were tried", step, did-step)
		}
		ops = l.Ops()
		if _, err := g.Append(at(3), small(3)); !errors.Is(err, ErrBroken) || !errors.Is(err, syscall.EIO) || l.Ops() != ops {
			t.Fatalf("step %d, second append: %v", step, err)
		}
		if g.Head().Size != 3 || g.Broken() == nil {
			t.Fatalf("step %d: head %v", step, g.Head())
		}
		g.Close()
		for _, l := range []*disk.Lossy{l, l.Crash()} {
			g = mustOpen(t, l, k)
			if g.Head().Size != 3 {
				t.Fatalf("step %d: %d entries after the new start", step, g.Head().Size)
			}
			mustAppend(t, g, small(4))
			if _, err := Verify(l, "ledger", k.Public(), nil); err != nil {
				t.Fatalf("step %d: %v", step, err)
			}
			g.Close()
		}
	}
}

func TestFullDisk(t *testing.T) {
	k := testKey(t)
	for room := uint64(0); room < 400; room += 3 {
		l := filled(t, 3)
		if err := disk.Ballast(l, "ballast", 4096); err != nil {
			t.Fatal(err)
		}
		g := mustOpen(t, l, k)
		l.SetFree(room)
		acked := int64(3)
		for range 3 {
			if _, err := g.Append(at(3), small(3)); err != nil {
				if !errors.Is(err, syscall.ENOSPC) && !errors.Is(err, ErrBroken) {
					t.Fatalf("room %d: %v", room, err)
				}
				continue
			}
			acked++
		}
		if acked == 6 {
			t.Fatalf("room %d was enough", room)
		}
		g.Close()
		if err := disk.DropBallast(l, "ballast"); err != nil {
			t.Fatal(err)
		}
		before := get(t, l, entriesName)
		g, opened, err := Open(l, "ledger", k, func(entry.Entry) error { return nil }, Options{Now: at(0)})
		if err != nil || opened.Entries != acked {
			t.Fatalf("room %d: %+v %v, want %d entries", room, opened, err, acked)
		}
		if int64(len(before)) != opened.Bytes+opened.CutBytes {
			t.Fatalf("room %d: %d bytes became %+v", room, len(before), opened)
		}
		if opened.CutBytes > 0 && string(get(t, l, opened.CutFile)) != string(before[opened.Bytes:]) {
			t.Fatalf("room %d: the side file does not hold what was cut", room)
		}
		mustAppend(t, g, small(9))
		g.Close()
	}
}

// A start on a disk that is still full says what to do, changes nothing, and passes once there is room.
func TestOpenOnFullDisk(t *testing.T) {
	k := testKey(t)
	l := layerOf(t, append(get(t, filled(t, 3), entriesName), "torn"...), get(t, filled(t, 3), headName), nil)
	l.SetFree(0)
	_, _, err := Open(l, "ledger", k, func(entry.Entry) error { return nil }, Options{})
	if !errors.Is(err, syscall.ENOSPC) || !strings.Contains(err.Error(), "free space") {
		t.Fatalf("error: %v", err)
	}
	l.SetFree(1 << 20)
	mustOpen(t, l, k)
}

// Given two cuts within a second, then neither side file replaces the other.
func TestCutTwice(t *testing.T) {
	k := testKey(t)
	l := filled(t, 2)
	var names []string
	for _, tail := range []string{"one\n", "two\ntorn"} {
		f, err := disk.OpenAppend(l, "ledger/"+entriesName)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Write([]byte(tail)); err != nil {
			t.Fatal(err)
		}
		g, opened, err := Open(l, "ledger", k, func(entry.Entry) error { return nil }, Options{Now: at(0)})
		if err != nil || opened.CutBytes != int64(len(tail)) || opened.CutEntries != 1 || opened.Entries != 2 {
			t.Fatalf("%+v %v", opened, err)
		}
		if s := opened.String(); !strings.Contains(s, "(1 whole entries)") || !strings.Contains(s, opened.CutFile) {
			t.Fatalf("it says %q", s)
		}
		names = append(names, opened.CutFile)
		g.Close()
	}
	if names[0] != "cut-1772334000.jsonl" || string(get(t, l, names[0])) != "one\n" || string(get(t, l, names[1])) != "two\ntorn" {
		t.Fatalf("side files %q", names)
	}
	if _, err := Verify(l.Crash(), "ledger", k.Public(), nil); err != nil {
		t.Fatal(err)
	}
}

// Given an entry that the program refuses, then the start stops with its number; unless the ledger is damaged, which is
// the better answer.
func TestApplyRefuses(t *testing.T) {
	k := testKey(t)
	l := filled(t, 5)
	no := errors.New("unknown kind")
	_, _, err := Open(l, "ledger", k, func(e entry.Entry) error {
		if e.N == 3 {
			return no
		}
		return nil
	}, Options{})
	if !errors.Is(err, no) || !strings.Contains(err.Error(), "entry 3") {
		t.Fatalf("error: %v", err)
	}
	entries := []byte(strings.Replace(string(get(t, l, entriesName)), `"subject":"2","body":{}`, `"subject":"2","body":{{`, 1))
	_, _, err = Open(layerOf(t, entries, get(t, l, headName), get(t, l, treeName)), "ledger", k, func(e entry.Entry) error {
		if e.N == 3 {
			return no
		}
		return nil
	}, Options{})
	wantFault(t, err, Changed, 3)
}

// Given an entry that a newer program wrote, signed as it stands, then it is no damage but a program that is too old.
func TestNewerEntry(t *testing.T) {
	k := testKey(t)
	line := `{"n":1,"time":"2026-03-01T03:00:00Z","actor":"desk","kind":"t","subject":"","body":{},"colour":"red"}`
	var e edge
	tree := e.add([]byte(line), nil)
	signed, err := entry.SignHead(entry.Head{Origin: k.Origin(), Size: 1, Root: e.root()}, k.signer)
	if err != nil {
		t.Fatal(err)
	}
	l := layerOf(t, []byte(line+"\n"), signed, tree)
	_, _, err = Open(l, "ledger", k, func(entry.Entry) error { return nil }, Options{})
	if _, ok := errors.AsType[*Fault](err); ok || err == nil || !strings.Contains(err.Error(), `newer`) {
		t.Fatalf("error: %v", err)
	}
}

// A folder on the real disk works as the lossy one.
func TestRealFolder(t *testing.T) {
	k := testKey(t)
	f, err := disk.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for i := range 3 {
		g := mustOpen(t, f, k)
		if g.Head().Size != int64(i) {
			t.Fatalf("%d entries at start %d", g.Head().Size, i)
		}
		mustAppend(t, g, small(i))
		if err := g.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if r, err := Verify(f, "ledger", k.Public(), nil); err != nil || r.Entries != 3 || r.Tree != TreeGood {
		t.Fatalf("%+v %v", r, err)
	}
}

// Readers look at a ledger while it is written to, and always find a whole one.
func TestReadBesideWriter(t *testing.T) {
	k := testKey(t)
	f, err := disk.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	g := mustOpen(t, f, k)
	done := make(chan error, 1)
	go func() {
		var err error
		for i := 0; i < 150 && err == nil; i++ {
			_, err = g.Append(at(i), small(i), small(i))
		}
		done <- err
	}()
	for running := true; running; {
		select {
		case err := <-done:
			if err != nil {
				t.Fatal(err)
			}
			running = false
		default:
		}
		kept := g.SignedHead()
		if _, err := Verify(f, "ledger", k.Public(), kept); err != nil {
			t.Fatal(err)
		}
		head := g.Head()
		if n := len(collect(t, Read(f, "ledger", 1))); int64(n) < head.Size {
			t.Fatalf("read %d entries, the head had %d before", n, head.Size)
		}
		collect(t, g.Entries(head.Size-3))
		if now, proof, err := g.Prove(head.Size); err != nil || now.Extends(head, proof) != nil {
			t.Fatalf("%v does not extend %v: %v", now, head, err)
		}
	}
}

func TestKeys(t *testing.T) {
	k, err := NewKey("shop.example/tocsin")
	if err != nil {
		t.Fatal(err)
	}
	again, err := ParseKey(" " + k.Secret() + "\n")
	if err != nil || again.Public().String() != k.Public().String() || again.Origin() != "shop.example/tocsin" {
		t.Fatalf("%v %v", again, err)
	}
	if v, err := ParseVerifier(k.Public().String() + "\n"); err != nil || v.KeyHash() != k.Public().KeyHash() {
		t.Fatalf("%v %v", v, err)
	}
	if a, err := NewKey(""); err != nil || !strings.HasPrefix(a.Origin(), "tocsin/") {
		t.Fatalf("a key without a name: %v %v", a, err)
	}
	secret := k.Secret()[strings.LastIndexByte(k.Secret(), '+'):]
	for _, text := range []string{fmt.Sprint(k), fmt.Sprintf("%v %+v %#v %s", k, k, k, k)} {
		if strings.Contains(text, secret) {
			t.Fatalf("a print shows the secret: %s", text)
		}
	}
	for _, text := range []string{"", "PRIVATE+KEY+a+00000000+", k.Public().String(), k.Secret() + "A", k.Secret()[:60]} {
		if _, err := ParseKey(text); err == nil || len(text) > 60 && strings.Contains(err.Error(), text[40:60]) {
			t.Errorf("ParseKey(%q): %v", text, err)
		}
	}
	if _, err := ParseVerifier(k.Secret()); err == nil {
		t.Error("a secret key is no public key")
	}
	for _, origin := range []string{"a b", "a+b", "a\nb", strings.Repeat("a", 300)} {
		if _, err := NewKey(origin); err == nil {
			t.Errorf("a ledger called %q", origin)
		}
	}
}

// The bytes on disk are for ever: these files may not be edited, and doc/formats/ledger.md shows the same ones.
func TestGolden(t *testing.T) {
	l := disk.NewLossy()
	g := mustOpen(t, l, testKey(t))
	for _, d := range []entry.Draft{
		{Actor: "desk", Kind: entry.ProgramStarted, Subject: "program", Body: entry.Started{Version: "1.0.0"}},
		{Actor: "detect", Kind: entry.IncidentOpened, Subject: "incident:1", Body: entry.Opened{ID: 1, Title: "Web shell <upload>", Severity: "high", Why: []string{"compromise"}, Happened: at(-60)}},
		{Actor: "person:anna", Kind: entry.IncidentPhase, Subject: "incident:1", Body: entry.Phase{ID: 1, From: "identification", To: "containment"}},
	} {
		mustAppend(t, g, d)
	}
	var export strings.Builder
	if err := Export(l, "ledger", testKey(t).Public(), &export, 3); err != nil {
		t.Fatal(err)
	}
	doc, err := os.ReadFile("../../doc/formats/ledger.md")
	if err != nil {
		t.Fatal(err)
	}
	for name, got := range map[string]string{
		entriesName:    string(get(t, l, entriesName)),
		headName:       string(get(t, l, headName)),
		treeName:       string(get(t, l, treeName)),
		"export.jsonl": export.String(),
	} {
		want, err := os.ReadFile("testdata/golden/" + name)
		if err != nil {
			t.Fatal(err)
		}
		if got != string(want) {
			t.Errorf("%s is\n%s\nwant\n%s", name, got, want)
		}
		if name == treeName {
			got = hexLines(want)
		}
		if !strings.Contains(string(doc), "```\n"+got+"```\n") {
			t.Errorf("doc/formats/ledger.md does not show %s:\n%s", name, got)
		}
	}
	want := layerOf(t, get(t, l, entriesName), get(t, l, headName), get(t, l, treeName))
	if r, err := Verify(want, "ledger", testKey(t).Public(), nil); err != nil || r.Tree != TreeGood || r.Entries != 3 {
		t.Fatalf("%+v %v", r, err)
	}
}

// hexLines shows a tree file as the document does: one hash a line.
func hexLines(tree []byte) string {
	var b strings.Builder
	for i := 0; i+32 <= len(tree); i += 32 {
		fmt.Fprintf(&b, "%x\n", tree[i:i+32])
	}
	return b.String()
}

// Given entries of all sizes, more than are read ahead at once, when the ledger is opened, then each is decoded ahead and applied in order, with its own body.
func TestOpenReadsAhead(t *testing.T) {
	l := disk.NewLossy()
	k := testKey(t)
	g := mustOpen(t, l, k)
	var want []string
	for n := range 60 {
		text := strings.Repeat(fmt.Sprint(n%10), 1+n*n*n%20_000)
		if n == 30 {
			text = strings.Repeat("x", 2*chunkBytes)
		}
		want = append(want, text)
		if _, err := g.Append(at(n), entry.Draft{Actor: "desk", Kind: "t", Subject: "s", Body: map[string]string{"t": text}}); err != nil {
			t.Fatal(err)
		}
	}
	if err := g.Close(); err != nil {
		t.Fatal(err)
	}
	n := 0
	apply := func(e entry.Entry) error {
		if body := fmt.Sprintf(`{"t":%q}`, want[n]); string(e.Body) != body || e.Known != body {
			t.Fatalf("entry %d is applied with %d bytes, decoded ahead of %d, of %d", e.N, len(e.Body), len(e.Known.(string)), len(body))
		}
		n++
		return nil
	}
	g, opened, err := Open(l, "ledger", k, apply, Options{Decode: func(e *entry.Entry) { e.Known = string(e.Body) }})
	if err != nil {
		t.Fatal(err)
	}
	if n != len(want) || opened.TreeRebuilt {
		t.Errorf("%d entries were applied; the tree was made anew: %v", n, opened.TreeRebuilt)
	}
	if err := g.Close(); err != nil {
		t.Fatal(err)
	}
}
