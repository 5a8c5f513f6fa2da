package sigma

import (
	"bytes"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write testdata/refused.golden anew; look at the difference before you commit it")

const corpus = "../../../shared/data/sigma"

// mostRefused is how many of SigmaHQ's rules may be refused.
const mostRefused = 40

// TestCorpus loads every rule of SigmaHQ that is at hand and prints and reads some of them again. What is refused, and
// for which features, stands in testdata/refused.golden. No rule for a web server may be among them.
func TestCorpus(t *testing.T) {
	if _, err := os.Stat(corpus); err != nil {
		t.Skip("the SigmaHQ corpus is not here")
	}
	loaded, web, loose := 0, 0, 0
	var refused []string
	err := filepath.WalkDir(corpus, func(file string, d fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(file, ".yml") {
			return err
		}
		data, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		docs, perr := Parse(filepath.Base(file), data)
		for _, e := range Refusals(perr) {
			refused = append(refused, e.Rule+" "+e.Feature+"\n")
			if bytes.Contains(data, []byte("category: webserver")) || strings.Contains(file, "/web/") {
				t.Errorf("a rule for web servers is refused: %v", e)
			}
		}
		for _, doc := range docs {
			loaded++
			if l := doc.Rule.LogSource; l.Category == "webserver" || l.Service == "apache" || l.Service == "nginx" {
				web++
			}
			if len(doc.Rule.Loose()) > 0 {
				loose++
			}
			if loaded%5 == 0 {
				same(t, doc)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(refused)
	refused = slices.Compact(refused)
	t.Logf("%d rules loaded, %d of them for web servers, %d over fields that no parser here gives; %d refusals", loaded, web, loose, len(refused))
	if len(refused) > mostRefused || loaded < 3700 || web < 89 {
		t.Errorf("%d loaded, %d for web servers, %d refusals", loaded, web, len(refused))
	}
	golden(t, "testdata/refused.golden", fmt.Sprintf("# Of SigmaHQ's rules %d load. These %d are refused, each with the feature.\n%s", loaded, len(refused), strings.Join(refused, "")))
}

// golden compares a text with a file, or writes the file with -update.
func golden(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if d := cmp.Diff(string(want), got); err != nil || d != "" {
		t.Errorf("%s: %v %s", file, err, d)
	}
}

// same checks the law parse(print(parse(x))) = parse(x).
func same(t *testing.T, d Document) {
	t.Helper()
	text := d.Print()
	again, err := conformOptions.Parse("printed", text)
	if err != nil || len(again) != 1 {
		t.Fatalf("what was printed does not parse: %v\n%s", err, text)
	}
	if second := again[0].Print(); string(second) != string(text) {
		t.Fatalf("printed once:\n%s\nprinted again:\n%s", text, second)
	}
	if a, b := strings.Join(d.Explain(), "\n"), strings.Join(again[0].Explain(), "\n"); a != b {
		t.Fatalf("before:\n%s\nafter:\n%s", a, b)
	}
}
