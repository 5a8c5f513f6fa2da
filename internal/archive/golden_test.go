package archive

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tocsin/internal/disk"
	"tocsin/internal/record"
)

const goldenName = "0000000000000000001.log"

// readGolden reads a segment that was written once and may never be changed.
func readGolden(t *testing.T, folder string) (bytes []byte, blocks []Block) {
	t.Helper()
	golden, err := os.ReadFile(filepath.Join("testdata", folder, goldenName))
	if err != nil {
		t.Fatal(err)
	}
	l := disk.NewLossy()
	if err := l.MkdirAll("lines", 0o700); err != nil {
		t.Fatal(err)
	}
	if err := disk.Replace(l, "lines/"+goldenName, golden); err != nil {
		t.Fatal(err)
	}
	a, _, err := Open(l, "lines", Options{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	blocks, err = a.Read(1, 100)
	if err != nil {
		t.Fatal(err)
	}
	return golden, blocks
}

func TestGolden(t *testing.T) {
	want := []Block{
		{First: 1, Received: noon, Agent: "shop1", Boot: "7d", Number: 1, Start: true,
			Lines:     []record.Line{{Host: "shop1", File: "a.log", Seq: 1, Raw: "one\r"}, {Host: "shop1", File: "a.log", Offset: 5, Seq: 2, Raw: "\x00\xff"}, {Host: "shop1", File: "b.log", Offset: 70, Seq: 3}},
			Positions: []record.Position{{File: "a.log", Print: "0f", PrintLen: 8, Offset: 8}}},
		{First: 4, Received: noon.Add(time.Second), Lines: []record.Line{{File: "c.log", Seq: 4, Raw: "x"}}},
	}
	golden, blocks := readGolden(t, "plain")
	if diff := cmp.Diff(want, blocks); diff != "" {
		t.Fatal(diff)
	}
	l := disk.NewLossy()
	a, _, err := Open(l, "lines", Options{Random: strings.NewReader("0123456789abcdef")})
	if err != nil {
		t.Fatal(err)
	}
	for _, block := range want {
		add(t, a, batchOf(block))
	}
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	if written, err := disk.ReadFile(l, "lines/"+goldenName); err != nil || !bytes.Equal(written, golden) {
		t.Errorf("the same batches are written as\n%x\nand the golden file has\n%x\n%v", written, golden, err)
	}
}

// TestGoldenPacked only reads: the packer may one day pack better.
func TestGoldenPacked(t *testing.T) {
	golden, blocks := readGolden(t, "packed")
	if len(golden) > 400 || len(blocks) != 1 || len(blocks[0].Lines) != 20 {
		t.Fatalf("%d bytes, blocks %+v", len(golden), blocks)
	}
	for i, line := range blocks[0].Lines {
		if line.Raw != strings.Repeat("packed ", i) || line.File != "a.log" {
			t.Errorf("line %d came back as %+v", i, line)
		}
	}
}

// TestDocument compares the example in doc/formats/archive.md with the golden file.
func TestDocument(t *testing.T) {
	golden, _ := readGolden(t, "plain")
	text, err := os.ReadFile(filepath.Join("..", "..", "doc", "formats", "archive.md"))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(text), dump(golden)) {
		t.Errorf("doc/formats/archive.md does not show these bytes:\n%s", dump(golden))
	}
}

// dump shows bytes as xxd does.
func dump(b []byte) string {
	var s strings.Builder
	for at := 0; at < len(b); at += 16 {
		row := b[at:min(at+16, len(b))]
		var hex, plain strings.Builder
		for i, c := range row {
			if i%2 == 0 {
				hex.WriteByte(' ')
			}
			fmt.Fprintf(&hex, "%02x", c)
			if c < ' ' || c > '~' {
				c = '.'
			}
			plain.WriteByte(c)
		}
		fmt.Fprintf(&s, "%08x:%-40s  %s\n", at, hex.String(), plain.String())
	}
	return s.String()
}
