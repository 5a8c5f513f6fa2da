package sigma

import (
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const corpus = "../../../shared/data/sigma"

// TestCorpus loads every rule of SigmaHQ that is at hand, says what is refused and why, and prints and reads some
// of them again. The bound is a floor: a change that refuses more must say so here.
func TestCorpus(t *testing.T) {
	if _, err := os.Stat(corpus); err != nil {
		t.Skip("the SigmaHQ corpus is not here")
	}
	docs, refused := 0, 0
	why := map[string]int{}
	loose := 0
	err := filepath.WalkDir(corpus, func(file string, d fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(file, ".yml") {
			return err
		}
		data, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		got, perr := Parse(filepath.Base(file), data)
		for _, e := range Refusals(perr) {
			refused++
			why[e.Feature]++
			if why[e.Feature] == 1 {
				t.Log(e)
			}
		}
		for _, doc := range got {
			docs++
			if len(doc.Rule.Loose()) > 0 {
				loose++
			}
			if docs%5 == 0 {
				same(t, doc)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d rules loaded (%d of them over fields that no parser here gives), %d faults", docs, loose, refused)
	for _, f := range slices.Sorted(maps.Keys(why)) {
		t.Logf("%4d  %s", why[f], f)
	}
	if docs < 2800 {
		t.Errorf("%d rules loaded; there were 2,800 at least", docs)
	}
}

// same checks the law parse(print(parse(x))) = parse(x).
func same(t *testing.T, d Document) {
	t.Helper()
	text := d.Print()
	again, err := Parse("printed", text)
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
