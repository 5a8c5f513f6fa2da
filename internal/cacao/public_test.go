package cacao

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A tally counts the files of a collection.
type tally struct{ loaded, refused, unequal, unlike, valid int }

// TestCollection tries a folder of files that a variable names, with all folders in it: TOCSIN_CACAO=FOLDER. Each file of version 2.0 is loaded or refused with its
// reason; those that are loaded come back as the same canonical JSON, and validate when they did before. At most every tenth may be refused. Folders whose name has
// "oasis" in it are counted apart: they are the committee's own.
func TestCollection(t *testing.T) {
	dir := os.Getenv("TOCSIN_CACAO")
	if dir == "" {
		t.Skip("TOCSIN_CACAO names no folder of files")
	}
	s := schema(t)
	all := map[string]*tally{}
	err := filepath.WalkDir(dir, func(name string, f fs.DirEntry, err error) error {
		if err != nil || f.IsDir() || filepath.Ext(name) != ".json" {
			return err
		}
		short, err := filepath.Rel(dir, name)
		if err != nil {
			return err
		}
		data := load(t, name)
		if !version2(data) {
			t.Logf("passed over  %s: it is no CACAO 2.0", short)
			return nil
		}
		of := "others"
		if strings.Contains(strings.ToLower(filepath.Dir(short)), "oasis") {
			of = "the specification's committee"
		}
		n := all[of]
		if n == nil {
			n = &tally{}
			all[of] = n
		}
		says := n.try(t, data, func(b []byte) error { return valid(t, s, b) })
		t.Logf("%-12s %s: %s", strings.Fields(says)[0], short, says)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for of, n := range all {
		t.Logf("%s: %d loaded (%d of them valid), %d refused, %d come back otherwise, %d are valid no more", of, n.loaded, n.valid, n.refused, n.unequal, n.unlike)
		if n.unequal+n.unlike > 0 || 10*n.refused > n.refused+n.loaded {
			t.Errorf("%s: too many", of)
		}
	}
}

// version2 reports whether a file says that it is of version 2.0, however it is written else.
func version2(data []byte) bool {
	var x struct {
		Type    string `json:"type"`
		Version string `json:"spec_version"`
	}
	json.Unmarshal(data, &x)
	return strings.HasPrefix(x.Type, "playbook") && x.Version == "cacao-2.0"
}

// try is what becomes of a file.
func (n *tally) try(t *testing.T, data []byte, valid func([]byte) error) string {
	t.Helper()
	x, findings := Read(data)
	if x == nil {
		n.refused++
		var why []string
		for _, f := range findings {
			if !f.Warning {
				why = append(why, f.String())
			}
		}
		if len(why) == 0 {
			t.Error("refused without a word")
		}
		return "refused: " + strings.Join(why[:min(len(why), 3)], "; ")
	}
	n.loaded++
	law(t, data)
	want, err := Canonical(data)
	if err != nil {
		t.Fatal(err)
	}
	back := exported(t, reread(t, x.Playbook))
	switch before, after := valid(data), valid(back); {
	case string(back) != string(want):
		n.unequal++
		return "unequal: it comes back as another one"
	case before == nil && after != nil:
		n.unlike++
		return fmt.Sprintf("invalid: %v", after)
	case before == nil:
		n.valid++
		return fmt.Sprintf("loaded, equal, valid; %d steps, %d warnings", len(x.Playbook.Steps), len(findings))
	}
	return fmt.Sprintf("loaded, equal, not valid before; %d steps, %d warnings", len(x.Playbook.Steps), len(findings))
}
