package web

import (
	"fmt"
	"io/fs"
	"os"
	"regexp"
	"strings"
	"testing"
)

// asvs are the requirements of levels 1 and 2 in chapters V2 to V4 of OWASP ASVS 4.0.3: how many each section has, from 1; those that level 3 alone
// asks for, and the one that was removed, are left out.
var asvs = map[string][]int{
	"2.1": upTo(12), "2.2": upTo(3), "2.3": upTo(3), "2.4": upTo(5), "2.5": upTo(7), "2.6": upTo(3), "2.8": upTo(7), "2.9": upTo(3), "2.10": upTo(4),
	"3.1": upTo(1), "3.2": upTo(4), "3.3": upTo(4), "3.4": upTo(5), "3.5": upTo(3), "3.7": upTo(1), "4.1": {1, 2, 3, 5}, "4.2": upTo(2), "4.3": upTo(3),
}

func upTo(n int) (all []int) {
	for k := range n {
		all = append(all, k+1)
	}
	return all
}

// TestASVS holds doc/asvs.md against the standard's numbers and against the tests that there are.
func TestASVS(t *testing.T) {
	text, err := os.ReadFile("../../doc/asvs.md")
	if err != nil {
		t.Fatal(err)
	}
	tests := map[string]bool{}
	err = fs.WalkDir(os.DirFS("../.."), ".", func(name string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() && (d.Name() == "testdata" || len(d.Name()) > 1 && strings.HasPrefix(d.Name(), ".")) {
			return fs.SkipDir
		}
		if err != nil || !strings.HasSuffix(name, "_test.go") {
			return err
		}
		b, err := os.ReadFile("../../" + name)
		for _, m := range regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)\w+)\(`).FindAllSubmatch(b, -1) {
			tests[string(m[1])] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for section, numbers := range asvs {
		for _, n := range numbers {
			row := ""
			for l := range strings.Lines(string(text)) {
				if strings.HasPrefix(l, fmt.Sprintf("| %s.%d |", section, n)) {
					row = l
				}
			}
			cells := strings.Split(row, "|")
			if len(cells) != 6 {
				t.Errorf("%s.%d has no row of four cells", section, n)
				continue
			}
			named := regexp.MustCompile("`((?:Test|Fuzz)[A-Za-z]+)`").FindAllStringSubmatch(cells[4], -1)
			state := strings.TrimSpace(cells[3])
			if len(named) == 0 && !strings.HasPrefix(state, "not yet") && !strings.HasPrefix(state, "does not apply") {
				t.Errorf("%s.%d: %q, and no test shows it", section, n, state)
			}
			for _, m := range named {
				if !tests[m[1]] {
					t.Errorf("%s.%d names %s, which there is not", section, n, m[1])
				}
			}
		}
	}
}
